"""A small host-only world: sources, a step, a predictor and an adviser that tests can break one at a time."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, ClassVar

import polars as pl

from pmed import TABLES, Card, hookimpl

CARD = Card("1.0", "Toy.", "Tests.", "Nobody.", ("PMID:1",), "mg", (0.0, 1000.0))


def tables(patients: int = 2) -> dict[str, pl.DataFrame]:
    """Tables as after reading: `patients` records, a genome for each."""
    ids = [f"p{i}" for i in range(patients)]
    names = ("samples", "genotypes", "patients", "conditions", "medications", "observations", "allergies", "issues")
    made = {name: TABLES[name].empty() for name in names}
    made["patients"] = TABLES["patients"].frame([{"patient_id": one, "sex": "female"} for one in ids])
    made["samples"] = TABLES["samples"].frame(
        [{"sample": one, "patient_id": one, "source": "x.vcf", "build": "GRCh38"} for one in ids])
    return made


@dataclass(frozen=True)
class ToyStep:
    """Gives each patient a dose feature."""

    name: ClassVar[str] = "toy-step"
    needs: ClassVar[tuple[str, ...]] = ("patients",)
    gives: ClassVar[tuple[str, ...]] = ("toy:*",)

    def run(self, given: Any, wanted: Any) -> dict[str, pl.DataFrame]:
        ids = given["features"].select("patient_id").with_row_index("n")
        return {"features": ids.select("patient_id", *[(pl.col("n") + 1.0).alias(name) for name in wanted])}


@dataclass(frozen=True)
class ToyPredictor:
    """Ten times the dose."""

    name: ClassVar[str] = "toy"
    kind: ClassVar[str] = "treatment-response"
    needs: ClassVar[tuple[str, ...]] = ("toy:dose",)
    wants: ClassVar[tuple[str, ...]] = ()
    gives: ClassVar[tuple[str, ...]] = ("toy-dose",)
    card: ClassVar[Card] = CARD

    def reference(self, target: str) -> dict[str, Any]:
        return {"toy:dose": 0.0}

    def predict(self, features: pl.DataFrame) -> pl.DataFrame:
        known = pl.col("toy:dose").is_not_null()
        null = pl.lit(None, dtype=pl.Float64)
        return features.select(
            "patient_id", target=pl.lit("toy-dose"), value=pl.col("toy:dose") * 10.0, unit=pl.lit("mg"), low=null,
            high=null, label=pl.lit(None, dtype=pl.String),
            status=pl.when(known).then(pl.lit("assessed")).otherwise(pl.lit("not-assessed")),
            reason=pl.when(~known).then(pl.lit("needs toy:dose")))


@dataclass(frozen=True)
class ToyAdviser:
    """Adjust aspirin."""

    name: ClassVar[str] = "toy-adviser"
    needs: ClassVar[tuple[str, ...]] = ("predictions",)

    def advise(self, given: Any) -> pl.DataFrame:
        assessed = given["predictions"].filter((pl.col("predictor") == "toy") & (pl.col("status") == "assessed"))
        return suggestion(assessed.select("patient_id").to_series().to_list(), drug="aspirin", concern=2.0)


def suggestion(patients: list[str], **changes: Any) -> pl.DataFrame:
    """A ``suggestions`` frame without ``adviser``."""
    row = {"drug": "aspirin", "current": True, "action": "adjust", "urgency": "soon", "strength": "moderate",
           "concern": 2.0, "text": "Halve it.", "why": "Because.", "evidence": [], "alternatives": [], "cautions": [],
           "unknown": [], "explained_by": [{"predictor": "toy", "target": "toy-dose"}], "adviser": "x"}
    return TABLES["suggestions"].frame([{**row, "patient_id": one, **changes} for one in patients]).drop("adviser")


def plugin(**returned: Any) -> SimpleNamespace:
    """A plugin whose registration hooks return these lists."""
    return SimpleNamespace(**{name: hookimpl(lambda made=made: made) for name, made in returned.items()})
