"""Whose genome, record and outside calls belong together: by name or as stated, never by position."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from ..errors import InputError, OptionError
from ..tables import TABLES

_CHOOSE = "choose the patient's sample with --sample NAME (in Python: samples=[NAME])"

#: The code of an issue: genome and record share no name, and nobody said that they belong together.
UNNAMED = "joined-without-name"


def read_pairs(path: Path, *, once: bool = True) -> dict[str, str]:
    """Sample → patient_id from two columns with a tab between; lines that begin with ``#`` are comments.

    Args:
        path: The file.
        once: The second column, too, names nobody twice; not so where it has groups.

    Raises:
        InputError: it cannot be read, a line is not two columns, or a sample or a patient is there twice.
    """
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError("cannot be read as text", where=str(path),
                         hint="sample, a tab and patient on each line") from error
    pairs: dict[str, str] = {}
    patients: set[str] = set()
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        cells = [cell.strip() for cell in line.split("\t")]
        where = f"{path} line {number}"
        if len(cells) != 2 or not all(cells):
            raise InputError("expected sample, a tab and patient", where=where)
        if cells[0] in pairs or (once and cells[1] in patients):
            raise InputError("names a sample or a patient for the second time", where=where)
        pairs[cells[0]] = cells[1]
        patients.add(cells[1])
    return pairs


def same_sex(samples: pl.DataFrame, patients: pl.DataFrame, *, forced: bool) -> pl.DataFrame:
    """``issues`` of genomes whose sex is not that of their record.

    Args:
        samples: With `sex` as far as the genome tells it.
        patients: The records.
        forced: The user says that they belong together all the same.

    Raises:
        InputError: they differ and nobody forced it: most likely it is another person's genome.
    """
    joined = samples.select("sample", "patient_id", "source", genome="sex").join(
        patients.select("patient_id", record="sex"), on="patient_id")
    odd = joined.filter(pl.col("genome").is_in(["female", "male"]), pl.col("record").is_in(["female", "male"]),
                        pl.col("genome") != pl.col("record"))
    if odd.height and not forced:
        wrong = {row["patient_id"]: _other_sex(row) for row in odd.iter_rows(named=True)}
        first = next(iter(wrong.values()))
        raise InputError(first.message, where=first.where, hint=first.hint,
                         each={patient: str(error) for patient, error in wrong.items()})
    text = pl.format("the genome of sample {} is {} by its chromosome X, the record says {}: used as they are, because "
                     "the user said so", "sample", "genome", "record")
    return TABLES["issues"].frame(odd.select(
        "patient_id", file="source", place="sample", severity=pl.lit("warning"), code=pl.lit("sex-mismatch"),
        text=text).iter_rows(named=True))


def _other_sex(row: Mapping[str, Any]) -> InputError:
    return InputError(f"the genome of sample {row['sample']} is {row['genome']} by its chromosome X, the record of "
                      f"patient {row['patient_id']} says {row['record']}", where=row["source"],
                      hint="is it the right genome? Only if so, --allow-sex-mismatch")


def link(genome: Mapping[str, pl.DataFrame], history: Mapping[str, pl.DataFrame],
         pairs: Mapping[str, str]) -> pl.DataFrame:
    """Return ``samples`` with the patient each sample belongs to.

    `pairs` (sample → patient_id) wins; else equal names; else one sample and one record belong together, unless `pairs`
    says that one of them is somebody else's.

    Raises:
        InputError: where it cannot be told whose genome it is.
    """
    samples, patients = genome["samples"], history["patients"]
    names, records = samples["sample"].to_list(), patients["patient_id"].to_list()
    known = {name: pairs.get(name, name) for name in names}
    if double := [patient for patient, count in Counter(known.values()).items() if count > 1]:
        raise InputError(f"two samples for one patient {double[0]!r}", where=samples["source"][0],
                         hint=_CHOOSE)
    if not names or not records:
        return _relabel(samples, known)
    if len(names) == 1 and len(records) == 1:
        known = {names[0]: records[0]}
    if met := {*records} & {*known.values()}:
        _must_not_contradict({name: patient for name, patient in known.items() if patient in met}, pairs,
                             samples["source"][0])
        return _relabel(samples, known)
    raise InputError(
        f"cannot tell whose genome it is: {_count(names, 'sample')} and {_count(records, 'patient record')}",
        where=samples["source"][0], hint=_CHOOSE)


def _must_not_contradict(joined: Mapping[str, str], pairs: Mapping[str, str], where: str) -> None:
    """Refuse to join a sample and a patient of whom the user's list says that one of them is somebody else's."""
    sample_of = {patient: sample for sample, patient in pairs.items()}
    for sample, patient in joined.items():
        said = (f"sample {sample!r} is of patient {pairs[sample]!r}" if pairs.get(sample, patient) != patient else
                f"patient {patient!r} is of sample {sample_of[patient]!r}" if sample_of.get(patient, sample) != sample
                else "")
        if said:
            raise InputError(f"sample {sample!r} and patient {patient!r} cannot be joined: by the list of pairs {said}",
                             where=where, hint="give what belongs together, or mend --pairs")


def pairings(samples: pl.DataFrame, patients: pl.DataFrame, stated: Collection[str]) -> pl.DataFrame:
    """An ``issues`` row for each genome that was given to a record of another name: only the user knows if rightly.

    Args:
        samples: With the patient each belongs to.
        patients: The records.
        stated: Samples of which the user said whose they are; of the others nobody said anything, and the report has
            to say so on top.
    """
    joined = samples.join(patients.select("patient_id"), on="patient_id").with_columns(
        _said=pl.col("sample").is_in(list(stated)))
    odd = joined.filter(pl.col("sample") != pl.col("patient_id"))
    as_said = pl.format("sample {} was read as the genome of patient {}, as the user said", "sample", "patient_id")
    unsaid = pl.format("sample {} and patient {} were joined without a common name: there was one genome and one "
                       "record, and nobody said that they are of one person", "sample", "patient_id")
    return TABLES["issues"].frame(odd.select(
        "patient_id", file="source", place="sample",
        severity=pl.when("_said").then(pl.lit("info")).otherwise(pl.lit("warning")),
        code=pl.when("_said").then(pl.lit("paired")).otherwise(pl.lit(UNNAMED)),
        text=pl.when("_said").then(as_said).otherwise(unsaid)).iter_rows(named=True))


def alike(people: Iterable[str]) -> dict[str, str]:
    """What is told of each patient whose id differs from another's in leading zeros or capitals only.

    Such are different people: the ids of two systems may mean one, but only the user knows.

    >>> sorted(alike(["00123", "123", "4"]))
    ['00123', '123']
    """
    ids = pl.DataFrame({"one": [*dict.fromkeys(people)]}, schema={"one": pl.String()})
    plain = pl.col("one").str.to_lowercase().str.strip_chars_start("0")
    # Of a million ids few are alike: lists are made of these alone.
    found = ids.filter(plain.is_duplicated()).with_columns(all=pl.col("one").sort().implode().over(plain))
    text = pl.format("the ids {} differ in leading zeros or capitals only; they were read as different people: if they "
                     "are one, each record lacks what is in the other", pl.col("all").list.join(", "))
    return dict(found.select("one", text).iter_rows())


def told_alike(told: Mapping[str, str]) -> pl.DataFrame:
    """``issues`` rows of what `alike` tells."""
    return TABLES["issues"].frame([{"severity": "warning", "code": "alike-ids", "text": text, "patient_id": one}
                                   for one, text in told.items()])


def must_be_born(patients: pl.DataFrame, index_date: str) -> None:
    """Refuse a day of the question on which a patient was not born yet.

    Raises:
        OptionError: it is before the birth of one of them.
    """
    early = patients.filter(pl.col("birth_date") > date.fromisoformat(index_date)) if index_date else patients.clear()
    if early.height:
        said = {patient: OptionError(f"index date {index_date} is before the birth of patient {patient} ({birth})",
                                     hint="give the day of the question")
                for patient, birth in early.select("patient_id", "birth_date").iter_rows()}
        first = next(iter(said.values()))
        raise OptionError(first.message, hint=first.hint, each={one: str(error) for one, error in said.items()})


def assign(calls: pl.DataFrame, samples: pl.DataFrame, patients: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Outside calls with the patient each is for, and ``issues``: who was left out, and who has another name.

    A call that came with its patient, as those in a record do, keeps it. A sample's name is looked for among the
    samples, then among the patients. Calls that name nobody, or the only other name of their file, belong to the
    patient where there is just one; those for other people are left out.

    Raises:
        InputError: where a file has no call for anybody who is here, or it cannot be told whose calls they are.
    """
    people = pl.concat([samples["patient_id"], patients["patient_id"]]).unique(maintain_order=True)
    known = pl.concat([samples.select("sample", _by_sample="patient_id"),
                       patients.select(sample="patient_id", _by_sample="patient_id")]).unique("sample", keep="first")
    only = people[0] if people.len() == 1 else None
    alone = pl.col("sample").n_unique().over("file") == 1
    guessed = pl.when(alone).then(pl.lit(only, dtype=pl.String))
    named = calls.join(known, on="sample", how="left", maintain_order="left").with_columns(
        _by_sample=pl.coalesce("patient_id", "_by_sample"))
    placed = named.with_columns(
        _lone=pl.col("_by_sample").is_null() & guessed.is_not_null(), patient_id=pl.coalesce("_by_sample", guessed))
    _must_be_somebodys(placed, people)
    kept = placed.filter(pl.col("patient_id").is_not_null())
    return kept.select(calls.columns), pl.concat([_left_out(placed), _other_names(kept)])


def _must_be_somebodys(placed: pl.DataFrame, people: pl.Series) -> None:
    hint = _CHOOSE
    nameless = placed.filter(pl.col("sample").is_null() & pl.col("patient_id").is_null())
    if nameless.height:
        text = f"names no sample, and there are {_count(people.to_list(), 'patient')}"
        raise InputError("names a sample in some lines only" if people.len() == 1 else text, where=nameless["file"][0],
                         hint=hint)
    for (file,), part in placed.group_by("file", maintain_order=True):
        if part["patient_id"].null_count() == part.height:
            names = ", ".join(part["sample"].unique(maintain_order=True).head(3))
            raise InputError(f"has no call for anybody in this run: it is about {names}", where=str(file), hint=hint)


def _left_out(placed: pl.DataFrame) -> pl.DataFrame:
    others = placed.filter(pl.col("patient_id").is_null()).group_by("file", maintain_order=True).agg(
        pl.col("sample").n_unique())
    text = pl.format("outside calls for {} other samples were left out", "sample")
    return TABLES["issues"].frame(others.select(
        "file", severity=pl.lit("info"), code=pl.lit("other-samples"), text=text).iter_rows(named=True))


def _other_names(kept: pl.DataFrame) -> pl.DataFrame:
    odd = kept.filter(pl.col("_lone") & pl.col("sample").is_not_null()).unique(
        ["file", "sample"], keep="first", maintain_order=True)
    text = pl.format("outside calls for sample {} were read as those of patient {}: the names differ, please confirm",
                     "sample", "patient_id")
    return TABLES["issues"].frame(odd.select(
        "patient_id", "file", place="sample", severity=pl.lit("warning"), code=pl.lit("paired"),
        text=text).iter_rows(named=True))


def _count(items: Sequence[Any], what: str) -> str:
    return f"{len(items)} {what}{'' if len(items) == 1 else 's'}"


def _relabel(samples: pl.DataFrame, known: Mapping[str, str]) -> pl.DataFrame:
    labels = pl.Series("patient_id", [known[name] for name in samples["sample"]], dtype=pl.String)
    return samples.with_columns(labels)
