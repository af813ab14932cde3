"""What the exports of one demo patient look like, kept as files in ``golden/exports`` and read by eye.

    python -m tests.golden_exports    # writes them anew; look at the difference before you keep it

The patient takes warfarin and amiodarone. So that only what matters is in the files, the result is cut down to the
medicines that she takes, a few genes and a few predictors, with a fixed provenance.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from pmed.engine import run
from pmed.render.fhir import FhirExporter
from pmed.render.hl7v2 import Hl7v2Exporter
from pmed.render.omop import OmopExporter
from pmed.render.summary import MarkdownExporter, TextExporter
from pmed.render.tables import CsvTables, TsvTables
from pmed.result import Result

ROOT = Path(__file__).resolve().parents[1]
GOLDEN = ROOT / "tests/golden/exports"
GENES = ("CYP2C9", "CYP2D6", "CYP4F2", "SLCO1B1", "VKORC1")
PREDICTORS = ("ascvd-pce-2013", "ckd-epi-2021", "has-bled", "warfarin-dose")
TABLES = ("gene_results", "suggestions")


def small_result() -> Result:
    """The demo patient, cut down."""
    whole = run([ROOT / "pmed/demo/warfarin.vcf"], [ROOT / "pmed/demo/warfarin.json"])
    tables = dict(whole.tables)
    taken = tables["suggestions"].filter("current")
    tables["suggestions"] = taken
    for name in ("gene_results", "present_phenotypes"):
        tables[name] = tables[name].filter(pl.col("gene").is_in(GENES))
    for name in ("predictions", "explanations", "traces"):
        tables[name] = tables[name].filter(pl.col("predictor").is_in(PREDICTORS) | pl.col("target").is_in(
            taken["drug"].to_list()))
    told = {"pmed": "0.1.0", "created": "2026-03-02T09:00:00+00:00", "plugins": {"pmed-pgx": "0.1.0"},
            "disclaimer": whole.provenance["disclaimer"], "settings": {"drugs": []},
            "predictors": whole.provenance["predictors"],
            "inputs": [{"kind": "genome", "file": "warfarin.vcf", "sha256": "ab" * 32}],
            "knowledge": [{"name": "facts", "version": "1", "licence": "CC0-1.0", "sha256": "cd" * 32}]}
    return Result(tables, (), told)


def exports(result: Result) -> dict[str, bytes]:
    """File name → content, one format after the other."""
    csv, tsv = CsvTables().export(result), TsvTables().export(result)
    return {
        "warfarin.fhir.json": FhirExporter().export(result), "warfarin.hl7": Hl7v2Exporter().export(result),
        "warfarin.md": MarkdownExporter().export(result), "warfarin.txt": TextExporter().export(result),
        **{f"{name}.csv": csv[f"{name}.csv"] for name in TABLES}, "gene_results.tsv": tsv["gene_results.tsv"],
        **{f"omop-{name}": data for name, data in OmopExporter().export(result).items()}}


if __name__ == "__main__":
    GOLDEN.mkdir(parents=True, exist_ok=True)
    for name, data in exports(small_result()).items():
        (GOLDEN / name).write_bytes(data)
