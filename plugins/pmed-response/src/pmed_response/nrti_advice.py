"""Adviser: what ACTG 175 says of zidovudine, for research; only for patients whose inputs of the trial are known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final

import polars as pl

from pmed import TABLES, Tables
from pmed.verdicts import number

from .actg175 import HORIZON
from .current import takers
from .nrti import TARGET, report
from .nrti_model import CITATION, NAME, UNIT

DRUG: Final = "zidovudine"
POPULATION: Final = "adults with HIV, CD4 count 200 to 500 per mm3, without AIDS, 1991 to 1995"
EVIDENCE: Final = {"source": "ACTG 175", "level": "randomised trial, 2,139 patients; re-analysed", "citation": CITATION,
                   "url": "https://pubmed.ncbi.nlm.nih.gov/8813038/"}


@dataclass(frozen=True)
class NrtiAdvice:
    """The trial's effect beside zidovudine, said to be for research; it never asks for a change."""

    name: ClassVar[str] = NAME
    needs: ClassVar[tuple[str, ...]] = ("predictions", "medications")

    def advise(self, tables: Tables) -> pl.DataFrame:
        """One suggestion for each patient whose effect was assessed."""
        table = TABLES["suggestions"]
        # One after the other: nearly all rows are of other predictors.
        mine = tables["predictions"].filter(pl.col("predictor") == NAME)
        rows = mine.filter((pl.col("target") == TARGET) & (pl.col("status") == "assessed"))
        if rows.is_empty():  # the model is not read for patients of whom nothing of the trial is known
            return table.empty().drop("adviser")
        types = {name: column.dtype for name, column in table.columns.items()}
        taken = pl.Series(takers(tables["medications"], DRUG), dtype=pl.String)
        columns = {**_columns(), "current": pl.col("patient_id").is_in(taken.implode())}
        made = rows.select("patient_id", **{name: column.cast(types[name]) for name, column in columns.items()})
        return made.select(name for name in table.columns if name != "adviser")


def _columns() -> dict[str, pl.Expr]:
    """Every column of ``suggestions`` but patient_id, adviser and current."""
    return {
        "drug": pl.lit(DRUG), "action": pl.lit("standard"), "urgency": pl.lit("routine"),
        "strength": pl.lit("optional"), "concern": pl.lit(0.0), "text": _text(),
        "why": pl.lit("From the inputs of the trial ACTG 175."),
        "dose_factor": pl.lit(None), "population": pl.lit(POPULATION), "evidence": _one(EVIDENCE),
        "alternatives": pl.lit([]), "cautions": pl.lit([]), "unknown": pl.lit([]),
        "explained_by": _one({"predictor": NAME, "target": TARGET})}


def _text() -> pl.Expr:
    gained = pl.format(f"Research use, not a reason to treat. In ACTG 175 {{}} gained {{}} {UNIT} without event up to "
                       f"day {HORIZON:.0f} over {report().versus}", "label", number(pl.col("value")))
    ends = pl.format(" ({} to {})", number(pl.col("low")), number(pl.col("high"))).fill_null("")
    gate = "" if report().open else " No reliable difference between patients was found, so this is the average."
    return pl.format("{}{}." + gate + " HIV is treated by current guidelines.", gained, ends)


def _one(record: dict[str, Any]) -> pl.Expr:
    """A list of one record, the same in every row."""
    return pl.concat_list(pl.struct(pl.lit(value).alias(name) for name, value in record.items()))
