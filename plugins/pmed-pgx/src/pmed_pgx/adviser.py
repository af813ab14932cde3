"""Adviser: one suggestion for every covered drug and patient, from the guideline row that fits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import polars as pl

from pmed.tables import TABLES, Tables

from .alternatives import alternatives
from .guidelines import Drug, drugs
from .reasons import assumptions, reasons

PREDICTOR = "cpic"
KEY = ["patient_id", "drug"]
_TYPES = {name: column.dtype for name, column in TABLES["suggestions"].columns.items() if name != "adviser"}


@dataclass(frozen=True)
class GuidelineAdviser:
    """What the guideline row that fits says to do; where none can be chosen, what to test first."""

    name: ClassVar[str] = "cpic"
    needs: ClassVar[tuple[str, ...]] = ("predictions", "gene_results", "medications")

    def advise(self, tables: Tables) -> pl.DataFrame:
        """A ``suggestions`` table, without ``adviser``: every patient × every covered drug."""
        mine = tables["predictions"].filter(pl.col("predictor") == PREDICTOR)
        rows = mine.select("patient_id", "label", "reason", drug="target", concern="value")
        rows = rows.join(_row_facts(), on=["drug", "label"], how="left", maintain_order="left")
        rows = rows.join(_drug_facts(), on="drug", how="left", maintain_order="left")
        rows = rows.join(reasons(rows.select(KEY), tables["gene_results"]), on=KEY, how="left", maintain_order="left")
        for more in (_taken(tables["medications"]), alternatives(rows.select(*KEY, "label"), tables),
                     _doses(tables["predictions"]), assumptions(tables["gene_results"])):
            rows = rows.join(more, on=KEY, how="left", maintain_order="left")
        return _suggestions(rows)


def _suggestions(rows: pl.DataFrame) -> pl.DataFrame:
    """The table's columns from the joined rows."""
    assessed = pl.col("concern").is_not_null()
    untested = pl.col("reason").str.starts_with("needs ").fill_null(value=False)
    said = rows.with_columns(
        pl.col("current").fill_null(value=False), pl.col("strength").fill_null("none"), assessed=assessed,
        unknown=pl.when(untested).then(pl.col("reason").str.strip_prefix("needs ").str.split(", ")).otherwise([]),
    ).with_columns(action=pl.when("assessed").then("action").when(pl.col("current") & untested).then(pl.lit("test"))
                   .otherwise(pl.lit("not-assessed")))
    made = {"urgency": _urgency(), "text": _text(), "why": _why(),
            "alternatives": pl.col("alternatives").fill_null([]),
            "cautions": pl.concat_list(pl.col(name).fill_null([]) for name in ("cautions", "unclear", "assumed")),
            "explained_by": pl.concat_list(pl.col("explained_by"), pl.col("explained_too").fill_null([]))}
    return said.with_columns(**made).select(pl.col(name).cast(dtype) for name, dtype in _TYPES.items())


def _urgency() -> pl.Expr:
    quiet = ~pl.col("current") | pl.col("action").is_in(["standard", "not-assessed"])
    pressing = pl.col("action").is_in(["avoid", "alternative"]) & pl.col("strength").is_in(["strong", "moderate"])
    return pl.when(quiet).then(pl.lit("routine")).when(pressing).then(pl.lit("today")).otherwise(pl.lit("soon"))


def _text() -> pl.Expr:
    note = (pl.when(pl.col("explained_too").is_not_null())
            .then(pl.lit(" The dose estimated for this patient can serve as the start."))
            .when(pl.col("expected") != "").then(pl.format(" Expected maintenance {}.", "expected"))
            .otherwise(pl.lit("")))
    advice = pl.col("text").str.replace("{alternatives}", _fitting(), literal=True)
    test = (pl.lit("Test ") + pl.col("untested") + pl.lit(" before relying on the usual dose of ") + pl.col("drug")
            + pl.lit("."))
    silent = pl.lit("No genetic advice: ") + pl.col("reason") + pl.lit(".")
    return (pl.when("assessed").then(advice + note).when(pl.col("action") == "test").then(test)
            .when(pl.col("untested").is_not_null())
            .then(pl.lit("Not assessed: no reliable result for ") + pl.col("untested") + pl.lit(".")).otherwise(silent))


def _fitting() -> pl.Expr:
    """The alternatives that nothing on record rules out, as words."""
    element = pl.element().struct
    names = pl.col("alternatives").list.eval(
        pl.element().filter(element.field("status") != "ruled-out").struct.field("drug")).list.join(" or ")
    none = pl.lit("another drug (the record rules the usual ones out)")
    return pl.when(names != "").then(names).otherwise(none)


def _why() -> pl.Expr:
    return (pl.when("assessed").then(pl.col("who") + pl.lit(": ") + pl.col("because") + pl.lit("."))
            .when(pl.col("gap").is_not_null()).then(pl.col("gap") + pl.lit("."))
            .otherwise(pl.col("who") + pl.lit(": the guideline makes no recommendation.")))


def _row_facts() -> pl.DataFrame:
    rows = [(drug.name, row.key, row.action, row.strength, row.text, row.because, row.dose_factor, row.expected)
            for drug in drugs().values() for row in drug.rows]
    names = ("drug", "label", "action", "strength", "text", "because", "dose_factor", "expected")
    return pl.DataFrame(rows, orient="row", schema={name: _TYPES.get(name, pl.String()) for name in names})


def _drug_facts() -> pl.DataFrame:
    rows = [{"drug": drug.name, "population": drug.population, "evidence": drug.evidence, "cautions": _cautions(drug),
             "explained_by": [{"predictor": PREDICTOR, "target": drug.name}]} for drug in drugs().values()]
    return pl.DataFrame(rows, schema={name: _TYPES[name] for name in rows[0]})


def _cautions(drug: Drug) -> list[dict[str, str]]:
    return [{"code": "not-covered", "text": drug.caution}] if drug.caution else []


def _taken(medications: pl.DataFrame) -> pl.DataFrame:
    """Drugs taken now; one that the record does not say for certain counts as taken, with a caution."""
    if "possible_ingredients" not in medications.columns:
        medications = medications.with_columns(possible_ingredients=pl.lit(None, dtype=pl.List(pl.String())))
    rows = medications.filter(pl.col("active").fill_null(value=True))
    certain = rows.select("patient_id", drug="ingredients", sure=pl.col("active").fill_null(value=False))
    perhaps = rows.select("patient_id", drug="possible_ingredients", sure=pl.lit(value=False))
    text = "the record does not say for certain that this drug is taken: please confirm"
    each = pl.concat([certain, perhaps]).explode("drug", empty_as_null=True, keep_nulls=True).drop_nulls("drug")
    return (each.group_by(KEY)
            .agg(pl.col("sure").any()).select(
                *KEY, current=pl.lit(value=True),
                unclear=pl.when(~pl.col("sure")).then(pl.lit([{"code": "drug-unclear", "text": text}],
                                                            dtype=_TYPES["cautions"]))))


def _doses(predictions: pl.DataFrame) -> pl.DataFrame:
    """Doses that other predictors have worked out, for the drugs whose guideline asks for one."""
    asked = pl.DataFrame([(drug.name, drug.dose_from) for drug in drugs().values() if drug.dose_from],
                         schema={"drug": pl.String, "target": pl.String}, orient="row")
    found = predictions.filter(pl.col("status") == "assessed").join(asked, on="target")
    return found.group_by(KEY, maintain_order=True).agg(explained_too=pl.struct("predictor", "target"))
