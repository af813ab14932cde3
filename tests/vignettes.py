"""Vignettes: small patients with what a clinician expects of them, run from their files to the JSON of the report.

``python -m tests.vignettes NAME -o DIR`` writes a vignette's files and its report, to be looked at.
"""

from __future__ import annotations

import argparse
import json
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pmed import run
from pmed.render.html import HtmlExporter
from pmed.render.json import JsonExporter
from pmed.result import Result
from pmed_pgx.knowledge import genes
from tests.vignette_files import alleles, write

# As 777-3 is one: what a reader should be told is "platelets".
LOINC = re.compile(r"\b\d{3,5}-\d\b")
FOLDER = Path(__file__).parent / "vignettes"
View = Mapping[str, Any]
Fields = Mapping[str, Any]
# What a vignette, and each row in it, may say; True is what it must.
KEYS = {"name": True, "story": True, "index_date": True, "born": True, "sex": True, "diplotypes": False, "genes": False,
        "unknown": False, "outside": False, "medications": False, "conditions": False, "observations": False,
        "allergies": False, "genome": False, "record": False, "expect": False, "expect_genes": False,
        "expect_report": False}
EXPECT = {"drug": True, "source": True, **dict.fromkeys((
    "action", "urgency", "strength", "says", "not_says", "mentions", "alternatives", "because", "contributions",
    "cautions", "not_cautions", "dose_factor", "current"), False)}
EXPECT_GENE = {"phenotype", "present_phenotype", "because", "reverts_within"}
EXPECT_REPORT = {"no_urgency", "no_action", "most_words", "most_gaps", "not_assessed", "source"}
ROWS = {"medications": {"drug", "dose", "unit", "times_a_day", "start", "end", "status", "form", "rxnorm"},
        "conditions": {"snomed", "icd10", "text", "start", "end"},
        "observations": {"loinc", "text", "value", "unit", "start"}, "allergies": {"drug", "snomed", "start"}}


@dataclass(frozen=True)
class Vignette:
    """What one TOML file says, and where."""

    path: Path
    said: Fields

    @property
    def name(self) -> str:
        return str(self.said["name"])

    def line(self, block: str, key: str = "", number: int = 0) -> int:
        """Line (from 1) of `key` in the `number`-th table `block` ('': the head of the file); else the table's own."""
        lines = self.path.read_text("utf-8").splitlines()
        heads = {f"[[{block}]]", f"[{block}]"}
        starts = [place for place, text in enumerate(lines) if text.strip() in heads] if block else [-1]
        if number >= len(starts):
            return 1
        for place in range(starts[number] + 1, len(lines)):
            if re.match(rf"{re.escape(key)}\s*=", lines[place]):
                return place + 1
            if lines[place].startswith("["):
                break
        return starts[number] + 1


@cache
def vignettes() -> dict[str, Vignette]:
    """Every vignette by name, checked.

    Raises:
        ValueError: a key that a vignette cannot have, one that it lacks, a name that is not the file's.
    """
    found = [Vignette(path, tomllib.loads(path.read_text("utf-8"))) for path in sorted(FOLDER.glob("*.toml"))]
    for one in found:
        if wrong := [*mistakes(one)]:
            raise ValueError(f"{one.path.name}: {wrong[0]}")
    return {one.name: one for one in found}


def mistakes(one: Vignette) -> Iterator[str]:
    """What the file says that it cannot, or does not say that it must."""
    yield from _keys(one.said, KEYS, "")
    for number, wanted in enumerate(one.said.get("expect", ())):
        yield from _keys(wanted, EXPECT, f"line {one.line('expect', number=number)}: ")
    for gene, wanted in one.said.get("expect_genes", {}).items():
        yield from _keys(wanted, dict.fromkeys(EXPECT_GENE, False), f"{gene}: ")
    yield from _keys(one.said.get("expect_report", {}), dict.fromkeys(EXPECT_REPORT, False), "expect_report: ")
    for kind, keys in ROWS.items():
        for row in one.said.get(kind, ()):
            yield from _keys(row, dict.fromkeys(keys, False), f"{kind}: ")
    if one.said.get("name") != one.path.stem:
        yield f"name is {one.said.get('name')!r}, not the file's"
    if not {"expect", "expect_genes", "expect_report"} & set(one.said):
        yield "expects nothing"


def _keys(said: Fields, known: Mapping[str, bool], where: str) -> Iterator[str]:
    yield from (f"{where}{name!r} is no key" for name in said if name not in known)
    yield from (f"{where}{name!r} is missing" for name, must in known.items() if must and name not in said)


def result_of(one: Vignette, folder: Path) -> Result:
    """Write the vignette's files into `folder` and run everything on them."""
    return run(**write(one.said, folder), index_date=str(one.said["index_date"]))


@cache
def view_of(name: str) -> View:
    """The patient of the JSON that ``pmed report --json`` writes for a vignette, worked out once."""
    return read(vignettes()[name])


def read(one: Vignette) -> View:
    """Run the vignette and read the JSON of its patient."""
    with TemporaryDirectory() as folder:
        made = result_of(one, Path(folder))
    whole = json.loads(JsonExporter().export(made))
    assert [each["patient_id"] for each in whole["patients"]] == [one.name], "genome and record are one patient"
    return dict(whole["patients"][0])


# --- checks ----------------------------------------------------------------------------------------------------------


def faults(one: Vignette, view: View) -> list[str]:
    """Every expectation that the report does not meet: vignette, line, and what is said instead."""
    rows = {row["drug"]: row for row in view["suggestions"]}
    found = [f"the plugin {row['plugin']} failed: {row['message']}" for row in view["failures"]]
    found += [f"{one.path.name}: {issue['text']}" for issue in view["issues"] if issue["severity"] == "error"]
    found += [f"{one.path.name}: {row['drug']}: a code for machines: {_told(row)}" for row in view["suggestions"]
              if row["current"] and LOINC.search(_told(row))]
    found += [f"{_place(one, '', 'diplotypes')}: {text}" for text in _miscalled(one.said, view["genes"])]
    for number, wanted in enumerate(one.said.get("expect", ())):
        row = rows.get(wanted["drug"])
        told = _of_drug(wanted, row, view) if row else _of_nothing(wanted)
        found += [f"{_place(one, 'expect', key, number)}: {wanted['drug']}: {text}" for key, text in told]
    for gene, wanted in one.said.get("expect_genes", {}).items():
        found += [f"{_place(one, f'expect_genes.{gene}', key)}: {gene}: {text}"
                  for key, text in _of_gene(wanted, view["genes"].get(gene))]
    found += [f"{_place(one, 'expect_report', key)}: {text}"
              for key, text in _of_report(one.said.get("expect_report", {}), view)]
    return found


def _told(row: View) -> str:
    """All words of a suggestion: text, reason, cautions, and what is said of the alternatives."""
    return " ".join([row["text"], row["why"] or "", *(one["text"] for one in row["cautions"]),
                     *(f"{one['drug']}: {one['reason']}" for one in row["alternatives"])])


def _miscalled(said: Fields, called: Mapping[str, View]) -> Iterator[str]:
    """Genes of the genome that are not called as the vignette says."""
    for gene in set(said.get("diplotypes", {})) - set(said.get("outside", {})):
        meant, found = alleles(said, genes()[gene]), called[gene]["diplotypes"]
        if [sorted(one.split("/")) for one in found] != [sorted(meant)]:
            yield f"{gene} is called {found}, not {'/'.join(meant)}"


def _place(one: Vignette, block: str, key: str, number: int = 0) -> str:
    return f"{one.path.name}, line {one.line(block, key, number)}"


Told = Iterator[tuple[str, str]]


def _of_drug(wanted: Fields, row: View, view: View) -> Told:
    """(key, what is wrong) of one suggestion."""
    for key in ("action", "urgency", "strength", "current", "dose_factor"):
        allowed = wanted.get(key, row[key])
        if row[key] not in (allowed if isinstance(allowed, list) else [allowed]):
            yield key, f"{key} is {row[key]!r}, not {allowed!r}"
    yield from _words(wanted, row)
    yield from _alternatives(wanted.get("alternatives", {}), row)
    causes = {cause for gene in view["genes"].values() for cause in gene["because"]}
    yield from (("because", f"no gene is changed by {cause}") for cause in wanted.get("because", ())
                if cause not in causes)
    yield from _contributions(wanted.get("contributions", {}), row)


def _of_nothing(wanted: Fields) -> Told:
    """A drug of which the report says nothing, as it should where the action may be "none"."""
    if "none" not in wanted.get("action", ()):
        yield "drug", f"no suggestion for {wanted['drug']}"


def _words(wanted: Fields, row: View) -> Told:
    text = f"{row['text']} {row['why'] or ''}".lower()
    anywhere = _told(row).lower()
    yield from (("says", f"does not say {one!r} but: {text}") for one in wanted.get("says", ())
                if one.lower() not in text)
    yield from (("not_says", f"says {one!r}: {text}") for one in wanted.get("not_says", ()) if one.lower() in text)
    told = [f"{one['code']} {one['text']}".lower() for one in row["cautions"]]
    for one in wanted.get("mentions", ()):
        if not any(word.lower() in anywhere for word in (one if isinstance(one, list) else [one])):
            yield "mentions", f"nothing is said of {one!r}: {anywhere}"
    yield from (("cautions", f"no caution {one!r} among {told}") for one in wanted.get("cautions", ())
                if not any(one.lower() in caution for caution in told))
    yield from (("not_cautions", f"a caution {caution!r}") for one in wanted.get("not_cautions", ())
                for caution in told if one.lower() in caution)


def _alternatives(wanted: Fields, row: View) -> Told:
    offered = {one["drug"]: one["status"] for one in row["alternatives"]}
    for drug, status in wanted.items():
        allowed = status if isinstance(status, list) else [status]
        if offered.get(drug, "not offered") not in allowed:
            yield "alternatives", f"{drug} is {offered.get(drug, 'not offered')}, not {status!r}"


def _contributions(wanted: Fields, row: View) -> Told:
    told = row["explanation"] or {"contributions": []}
    parts = {one["feature"]: one["contribution"] for one in told["contributions"]}
    for feature, sign in wanted.items():
        value = parts.get(feature, 0.0)
        found = "positive" if value > 0 else "negative" if value < 0 else "zero"
        found = found if feature in parts else "no part of it"
        if found != sign:
            yield "contributions", f"{feature} is {found} in the explanation, not {sign}; it has {sorted(parts)}"


def _of_gene(wanted: Fields, row: View | None) -> Told:
    if row is None:
        yield "", "the report says nothing of it"
        return
    for key in ("phenotype", "present_phenotype"):
        allowed = wanted.get(key, row[key])
        if (row[key] or "") not in (allowed if isinstance(allowed, list) else [allowed or ""]):
            yield key, f"{key} is {row[key]!r}, not {wanted[key]!r}"
    if "reverts_within" in wanted:
        days = row.get("reverts_after")
        if days is None:
            yield "reverts_within", "nothing says when it reverts"
        elif not 0 < days <= wanted["reverts_within"]:
            yield "reverts_within", f"it reverts after {days} days, not within {wanted['reverts_within']}"
    if "because" in wanted and sorted(wanted["because"]) != sorted(row["because"]):
        yield "because", f"changed by {row['because']}, not {wanted['because']}"


def _of_report(wanted: Fields, view: View) -> Told:
    """The report as a whole: urgencies and actions that nothing has, how much it says, what it could not assess."""
    for key, field in (("no_urgency", "urgency"), ("no_action", "action")):
        for value in wanted.get(key, ()):
            if rows := [row["drug"] for row in view["suggestions"] if row[field] == value]:
                yield key, f"{field} {value!r} for {', '.join(rows[:5])}"
    said = sum(len(_told(row).split()) for row in view["suggestions"] if row["current"])
    if said > wanted.get("most_words", said):
        yield "most_words", f"{said} words on what is taken, more than {wanted['most_words']}"
    gaps = {one["what"] for one in view["not_assessed"]}
    if len(gaps) > wanted.get("most_gaps", len(gaps)):
        some = ", ".join(sorted(gaps)[:9])
        yield "most_gaps", f"{len(gaps)} things not assessed, more than {wanted['most_gaps']}: {some}"
    yield from (("not_assessed", f"{what} is not among what was not assessed")
                for what in wanted.get("not_assessed", ()) if what not in gaps)


# --- to look at ------------------------------------------------------------------------------------------------------


def main(arguments: Iterable[str] | None = None, say: Callable[[str], None] = print) -> None:
    """Write a vignette's files, its JSON and its HTML report."""
    parser = argparse.ArgumentParser(prog="python -m tests.vignettes", description=main.__doc__)
    parser.add_argument("name", choices=sorted(vignettes()), metavar="NAME", help="a file of tests/vignettes")
    parser.add_argument("-o", "--output", type=Path, default=Path(), help="folder (default: this one)")
    asked = parser.parse_args(None if arguments is None else [*arguments])
    asked.output.mkdir(parents=True, exist_ok=True)
    made = result_of(vignettes()[asked.name], asked.output)
    (asked.output / "report.html").write_bytes(HtmlExporter().export(made))
    (asked.output / "report.json").write_bytes(JsonExporter().export(made))
    say(f"{asked.output}: {', '.join(sorted(path.name for path in asked.output.iterdir()))}")


if __name__ == "__main__":
    main()
