"""Every patient of the 40 records with the genomes of 40 people of the panel, and a summary of what was found.

    make survey
    python -m benchmarks.survey --pairs 80

One run is a rotation: 40 people, each with another record than in the rotations before. The numbers are to be read by
eye: a check that holds for half of all patients, or a drug that is urgent for most who take it, is likely wrong.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pysam

import pmed
from benchmarks.genomes import PANEL_FROM
from benchmarks.measure import table
from pmed_pgx.cases import Cases

RECORDS = PANEL_FROM.parents[1] / "fhir" / "synthea"
BLOCK = 40
SHOWN = 15
_COUNT = pl.len().alias("lines")


@dataclass(frozen=True)
class Block:
    """What one rotation found; `cpu` in seconds. Patients are counted once a rotation, so a pair is a patient here."""

    pairs: int
    cpu: float
    failures: tuple[str, ...]
    suggestions: pl.DataFrame
    phenotypes: pl.DataFrame
    checks: pl.DataFrame


def record_files() -> list[Path]:
    """The bundles, in the order of their names."""
    return sorted(RECORDS.glob("*.json"))


def genome_files() -> list[Path]:
    """The panel, a file a gene."""
    return sorted(PANEL_FROM.glob("*.vcf.gz"))


def people(files: Sequence[Path], number: int = BLOCK) -> list[str]:
    """Samples spread evenly over the panel, so that all its populations are among them."""
    with pysam.VariantFile(str(files[0])) as panel:
        names = list(panel.header.samples)
    return names[::len(names) // number][:number]


def patients_of(records: Sequence[Path]) -> dict[str, Path]:
    """Each patient's bundle."""
    named = {record.name: record for record in records}
    patients = pmed.run(history=records).tables["patients"].select("patient_id", "source")
    return {patient: named[source.partition("#")[0]] for patient, source in patients.iter_rows()}


def paired(samples: Sequence[str], patients: Sequence[str], turn: int) -> dict[str, str]:
    """Sample → patient of one rotation.

    >>> paired(["a", "b"], ["p", "q"], 1)
    {'a': 'q', 'b': 'p'}
    """
    return {sample: patients[(number + turn) % len(patients)] for number, sample in enumerate(samples)}


def rotation(pairs: Mapping[str, str], genomes: Sequence[Path], records: Sequence[Path]) -> pmed.Result:
    """One run over those pairs; the panel's people are of either sex, so that of the record is not asked."""
    return pmed.run(genomes, records, samples=list(pairs), pairs=pairs, allow_sex_mismatch=True)


def blocks(pairs: int) -> Iterator[Block]:
    """Rotations until there are so many pairs; the last one may be smaller."""
    genomes, records = genome_files(), record_files()
    patients = list(patients_of(records))
    for turn in range(math.ceil(pairs / BLOCK)):
        wanted = people(genomes)[:pairs - turn * BLOCK]
        chosen = paired(wanted, patients, turn)
        began = time.process_time()
        result = rotation(chosen, genomes, records)
        yield summarised(result, list(chosen.values()), time.process_time() - began)


def summarised(result: pmed.Result, patients: Sequence[str], cpu: float) -> Block:
    """What of a rotation goes into the summary: of those patients who have a genome."""
    mine = pl.col("patient_id").is_in(list(patients))
    failures = tuple(map(str, result.failures))
    suggestions = result.suggestions.filter(mine).select(
        "patient_id", "drug", "current", "action", "urgency", "alternatives")
    taken = suggestions.filter("current").select("patient_id", "drug", taken=pl.lit(value=True))
    return Block(len(patients), cpu, failures, suggestions, result.tables["present_phenotypes"].filter(mine),
                 fired(result.tables["features"].filter(mine)).join(taken, on=["patient_id", "drug"], how="left"))


def fired(features: pl.DataFrame) -> pl.DataFrame:
    """patient_id, drug and key of each check that holds, whether the drug is taken or not."""
    cases = Cases.read(features)
    held = pl.DataFrame([(case, row.key) for case, one in enumerate(cases.outcomes) for row in one.checks],
                        schema={"case": pl.Int64, "key": pl.String}, orient="row")
    return cases.rows().join(held, on="case").select("patient_id", "drug", "key")


def summary(done: Sequence[Block]) -> str:
    """The tables as text."""
    pairs, failures = sum(one.pairs for one in done), [text for one in done for text in one.failures]
    suggestions, phenotypes = pl.concat([one.suggestions for one in done]), pl.concat([one.phenotypes for one in done])
    checks = pl.concat([one.checks.with_columns(turn=pl.lit(turn)) for turn, one in enumerate(done)])
    parts = [f"{pairs} pairs, {len(failures)} failures, {sum(one.cpu for one in done) / pairs * 1e3:.0f} ms CPU a pair",
             *failures, *_advice(suggestions), *_phenotypes(phenotypes), *_alternatives(suggestions),
             *_checks(checks, pairs)]
    return "\n".join(parts)


def _advice(suggestions: pl.DataFrame) -> Iterator[str]:
    yield _titled("suggestions", suggestions.with_columns(current=pl.when("current").then(pl.lit("taken")).otherwise(
        pl.lit("not taken"))).group_by("action", "current").agg(_COUNT).sort("current", "action"))
    for urgency in ("today", "soon"):
        lines = suggestions.filter("current", pl.col("urgency") == urgency)
        per = lines.group_by("drug", "action").agg(_COUNT).join(
            suggestions.filter("current").group_by("drug").agg(of=pl.len()), on="drug")
        yield _titled(f"most {urgency!r} lines ({lines.height} in all), of so many who take it", _most(per))


def _phenotypes(phenotypes: pl.DataFrame) -> Iterator[str]:
    differ = phenotypes.filter(pl.col("phenotype").ne_missing(pl.col("present_phenotype")))
    by = differ.select("gene", drug="because").explode("drug", empty_as_null=True, keep_nulls=True)
    yield _titled(f"present phenotypes that differ from the genetic one: {differ.height} of {phenotypes.height} "
                  "on which a medicine acts", _most(by.group_by("gene", "drug").agg(_COUNT)))


def _alternatives(suggestions: pl.DataFrame) -> Iterator[str]:
    each = suggestions["alternatives"].explode(empty_as_null=True, keep_nulls=True).drop_nulls().struct.unnest()
    out = each.filter(pl.col("status") == "ruled-out")
    yield _titled(f"alternatives: {out.height} of {each.height} ruled out, most often because",
                  _most(out.group_by("reason").agg(_COUNT)))


def _checks(checks: pl.DataFrame, pairs: int) -> Iterator[str]:
    """For each check: of how many pairs it holds for any drug, in percent, and the lines about drugs that are taken."""
    once = pl.struct("patient_id", "turn")
    # A check that holds for one patient's ten drugs is one patient.
    per = checks.group_by("key").agg(percent=(once.n_unique() / pairs * 100).round(1), lines=pl.len(),
                                     taken=pl.col("taken").sum())
    yield _titled("checks that hold (percent of pairs, drug lines, of these taken)",
                  per.sort("percent", "key", descending=[True, False]))


def _most(counts: pl.DataFrame) -> pl.DataFrame:
    return counts.sort("lines", *(name for name in counts.columns if name != "lines"), descending=[
        True, *[False] * (counts.width - 1)]).head(SHOWN)


def _titled(title: str, frame: pl.DataFrame) -> str:
    rows = [tuple("" if cell is None else str(cell) for cell in row) for row in frame.iter_rows()]
    return f"\n{title}\n{table([tuple(frame.columns), *rows])}"


def main() -> None:
    """Print the summary; exit code 1 where anything failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=BLOCK * BLOCK, help=f"pairs to run ({BLOCK * BLOCK})")
    asked = parser.parse_args()
    if not 1 <= asked.pairs <= BLOCK * BLOCK:
        parser.error(f"--pairs must be 1 to {BLOCK * BLOCK}. Got {asked.pairs}")
    if not RECORDS.is_dir() or not PANEL_FROM.is_dir():
        parser.error("no ../shared with the records and the panel")
    done = list(blocks(asked.pairs))
    print(summary(done))
    raise SystemExit(any(one.failures for one in done))


if __name__ == "__main__":
    main()
