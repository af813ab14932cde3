"""Results built by hand for the tests of the renderers: genes, drugs and plugins here are invented on purpose."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from pmed.plugins import Failure
from pmed.provenance import DISCLAIMER
from pmed.result import Result
from pmed.tables import TABLES

EVIDENCE = {"source": "Guild", "level": "A", "citation": "PMID:1", "url": "https://pubmed.ncbi.nlm.nih.gov/1/"}
Rows = Mapping[str, list[dict[str, Any]]]


def result(rows: Rows, *, failures: tuple[Failure, ...] = (), **provenance: Any) -> Result:
    """A result with every table, filled from `rows`."""
    tables = {name: table.frame(rows.get(name, [])) for name, table in TABLES.items()}
    for name, frame in tables.items():
        TABLES[name].check(frame)
    return Result(tables, failures, {"disclaimer": DISCLAIMER, **provenance})


def suggestion(drug: str, action: str, **more: Any) -> dict[str, Any]:
    """A row of suggestions with the columns that may not be null."""
    return {"patient_id": "ann", "drug": drug, "current": True, "action": action, "urgency": "routine",
            "strength": "none", "text": f"Text about {drug}.", "adviser": "guild", **more}


def prediction(predictor: str, target: str, value: float | None, **more: Any) -> dict[str, Any]:
    """A row of predictions; without a value it is not assessed."""
    return {"patient_id": "ann", "predictor": predictor, "target": target, "value": value, "unit": "concern level",
            "status": "not-assessed" if value is None else "assessed", **more}


def contribution(feature: str, amount: float, **more: Any) -> dict[str, Any]:
    """A row of explanations of what ``guild`` says of zappa."""
    return {"patient_id": "ann", "predictor": "guild", "target": "zappa", "feature": feature, "value": "changed",
            "reference": "usual", "contribution": amount, "baseline": 1.0, "prediction": 4.0, "unit": "concern level",
            "method": "exact", **more}


def medicine(row: int, display: str, ingredients: list[str] | None, matched_by: str | None = "code",
             **more: Any) -> dict[str, Any]:
    """A row of active medications."""
    return {"patient_id": "ann", "row": row, "display": display, "ingredients": ingredients, "matched_by": matched_by,
            "active": True, "start": date(2026, 1, 2), "dose": 75.0, "dose_unit": "mg", "route": "oral", **more}


def full_rows() -> dict[str, list[dict[str, Any]]]:
    """One patient, ann, with something of everything."""
    return {
        "patients": [{"patient_id": "ann", "birth_date": date(1960, 5, 2), "sex": "female", "ancestry": "not stated",
                      "index_date": date(2026, 5, 1)}],
        "samples": [{"sample": "S1", "patient_id": "ann", "source": "ann.vcf", "build": "GRCh38",
                     "build_from": "header"}],
        "medications": [medicine(1, "Zappa 75 MG tablet", ["zappa"]), medicine(2, "Yolko drops", ["yolk"], "fuzzy"),
                        medicine(3, "Mystery forte", None, None), medicine(4, "Plain pill", ["plain"]),
                        medicine(5, "Old pill", ["oldie"], active=False), medicine(6, "Queer pill", ["queer"])],
        "observations": [{"patient_id": "ann", "row": 1, "code": "99-9", "display": "Serum luck", "value": 3.0}],
        "issues": [
            {"file": "ann.json", "place": "entry[3]", "severity": "warning", "code": "odd", "text": "odd entry kept",
             "patient_id": "ann"},
            {"file": "ann.vcf", "place": "chr1:5", "severity": "error", "code": "bad", "text": "record left out"},
            {"file": "ann.json", "severity": "info", "code": "fyi", "text": "a trifle", "patient_id": "ann"}],
        "gene_results": [
            {"patient_id": "ann", "gene": "ABC1", "status": "called", "diplotypes": ["*2/*2"],
             "functions": ["none", "none"], "activity_score": 0.0, "phenotype": "Slow",
             "complete": True},
            {"patient_id": "ann", "gene": "DEF2", "status": "ambiguous", "diplotypes": ["*1/*4", "*1/*5"],
             "functions": ["fine", "none"],
             "phenotype": "Usual", "complete": False,
             "missing_sites": ["rs7"], "messages": [{"code": "m", "text": "rs7 would decide."}]},
            {"patient_id": "ann", "gene": "GHI3", "status": "no-data", "complete": False}],
        "present_phenotypes": [
            {"patient_id": "ann", "gene": "ABC1", "phenotype": "Slow", "present_phenotype": "Very slow",
             "because": ["yolk"], "acting": ["yolk (strong inhibitor)"], "reverts_after": 7}],
        "predictions": [
            prediction("guild", "zappa", 4.0), prediction("guild", "queer", None, reason="needs phenotype:GHI3, age"),
            prediction("luck", "ten-year-luck", 12.34, unit="%", low=8.0, high=20.0, label="fair"),
            prediction("dose", "weekly-dose", None, unit="mg/week", reason="needs observation:99-9")],
        "explanations": [contribution("phenotype:ABC1", 2.5), contribution("on:yolk", 1.0),
                         contribution("observation:99-9", -0.5), contribution("age", 0.0)],
        "traces": [{"patient_id": "ann", "predictor": "guild", "target": "zappa", "step": 2, "text": "Second step."},
                   {"patient_id": "ann", "predictor": "guild", "target": "zappa", "step": 1, "text": "First step."}],
        "suggestions": [
            suggestion("zappa", "avoid", urgency="today", strength="strong", concern=4.0, evidence=[EVIDENCE],
                       text="Stop zappa and take another one. It cannot work here.", why="ABC1 *2/*2 is slow.",
                       explained_by=[{"predictor": "guild", "target": "zappa"}],
                       alternatives=[{"drug": "better", "status": "fits", "reason": "not touched by ABC1"},
                                     {"drug": "worse", "status": "ruled-out", "reason": "after a fall"}],
                       cautions=[{"code": "allergy", "text": "Recorded allergy to zappa."}]),
            suggestion("yolk", "standard"),
            suggestion("queer", "test", urgency="soon", unknown=["phenotype:GHI3"],
                       explained_by=[{"predictor": "guild", "target": "queer"}]),
            suggestion("later", "adjust", current=False, concern=2.0), suggestion("asked", "standard", current=False),
            suggestion("dark", "not-assessed", current=False)],
    }


def full() -> Result:
    """ann, with provenance and one failed plugin."""
    failures = (Failure("pmed-broken", "0.3", "predict", "broken-risk", "ZeroDivisionError", "division by zero"),)
    card = {"version": "1", "summary": "Luck in ten years.", "intended_use": "Tests.", "populations": "Anybody",
            "references": ["PMID:2"], "unit": "%", "range": [0, 100], "limits": "None known."}
    return result(
        full_rows(), failures=failures, pmed="0.1.0", python="3.11", created="2026-05-01T10:00:00+00:00",
        libraries={"polars": "2.1"}, plugins={"guild-plugin": "1.2"},
        settings={"drugs": ["asked", "unheard"], "build": "GRCh38"},
        inputs=[{"kind": "genome", "file": "ann.vcf", "bytes": 10, "sha256": "ab" * 32}],
        knowledge=[{"name": "facts", "version": "7", "date": "2026-01-01", "licence": "CC0-1.0", "source": "PMID:3",
                    "sha256": "cd" * 32, "plugin": "guild-plugin"}],
        predictors={"guild": {"kind": "pharmacogenomic", "plugin": "guild-plugin", "card": card},
                    "luck": {"kind": "risk", "plugin": "guild-plugin", "card": card},
                    "dose": {"kind": "treatment-response", "plugin": "guild-plugin", "card": {}}})
