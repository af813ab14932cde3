"""Many patients for the explorer: filters, a page of rows and a histogram, all worked out by polars, a page sent."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from ..errors import OptionError
from ..render import words
from ..render.messages import number
from ..render.view import table
from ..tables import ACTIONS

if TYPE_CHECKING:
    from ..result import Result

PAGE = 25
BINS = 30
COLUMNS = ("Patient", "Age", "Sex", "To change", "Most pressing")
FILTERS = ("patient", "gene", "phenotype", "drug", "action", "target", "low", "high")
CHANGES = ("avoid", "alternative", "adjust")


class People:
    """The patients of a result, one row each, and what they can be chosen by."""

    def __init__(self, result: Result) -> None:
        self._result = result

    @cached_property
    def frame(self) -> pl.DataFrame:
        """patient_id, age (years), sex, changes (medicines taken that ask for one), first; most pressing first."""
        ids = pl.concat([table(self._result, name).select("patient_id") for name in ("samples", "patients")]).unique()
        records = table(self._result, "patients").select(
            "patient_id", "sex", age=_age(pl.col("birth_date"), pl.col("index_date")))
        taken = table(self._result, "suggestions").filter("current")
        told = taken.group_by("patient_id", maintain_order=True).agg(
            changes=pl.col("action").is_in(CHANGES).sum(), worst=pl.col("concern").max(),
            first=pl.col("drug").first() + ": " + pl.col("action").first())
        return ids.join(records, on="patient_id", how="left").join(told, on="patient_id", how="left").sort(
            "worst", "changes", "patient_id", descending=[True, True, False], nulls_last=True)

    @cached_property
    def _offered(self) -> dict[str, list[str]]:
        suggestions = table(self._result, "suggestions").filter("current")
        values = table(self._result, "predictions").filter(
            pl.col("value").is_not_null() & (pl.col("unit") != "concern level"))
        found = set(suggestions["action"].unique())
        return {"genes": self._genes["gene"].unique().sort().to_list(),
                "drugs": suggestions["drug"].unique().sort().to_list(),
                "actions": [name for name in ACTIONS if name in found],
                "targets": values["target"].unique().sort().to_list()}

    @cached_property
    def _genes(self) -> pl.DataFrame:
        """patient_id, gene and phenotype of today where a medicine acts, else the genetic one; unknown is a word."""
        called = table(self._result, "gene_results").select("patient_id", "gene", "phenotype")
        now = table(self._result, "present_phenotypes").select("patient_id", "gene", today="present_phenotype",
                                                              acts=pl.lit(value=True))
        both = called.join(now, on=["patient_id", "gene"], how="full", coalesce=True)
        return both.select("patient_id", "gene", phenotype=pl.when("acts").then("today").otherwise(
            "phenotype").fill_null("unknown"))

    def chosen(self, filters: Mapping[str, str]) -> pl.DataFrame:
        """The rows of `frame` that all filters let through.

        Raises:
            OptionError: for a filter that does not exist, or a limit that is no number.
        """
        if unknown := [name for name in filters if name not in FILTERS]:
            raise OptionError(f"no filter is called {unknown[0]!r}", hint=f"there are: {', '.join(FILTERS)}")
        wanted = {name: str(value) for name, value in filters.items() if value not in {"", None}}
        rows = self.frame
        if "patient" in wanted:
            rows = rows.filter(pl.col("patient_id").str.contains(wanted["patient"], literal=True))
        for frame, given in ((self._genes, ("gene", "phenotype")),
                             (table(self._result, "suggestions").filter("current"), ("drug", "action"))):
            if limits := [pl.col(name) == wanted[name] for name in given if name in wanted]:
                rows = rows.join(frame.filter(limits), on="patient_id", how="semi", maintain_order="left")
        if "target" in wanted:
            rows = rows.join(self._values(wanted), on="patient_id", how="semi", maintain_order="left")
        return rows

    def _values(self, wanted: Mapping[str, str]) -> pl.DataFrame:
        low, high = (_limit(name, wanted.get(name, "")) for name in ("low", "high"))
        limits = [*([pl.col("value") >= low] if low is not None else []),
                  *([pl.col("value") <= high] if high is not None else [])]
        return table(self._result, "predictions").filter(
            pl.col("target") == wanted["target"], pl.col("value").is_not_null(), *limits)

    def shown(self, filters: Mapping[str, str], page: int) -> dict[str, Any]:
        """What the explorer draws: a page of rows, how many there are, a histogram, and what may be chosen."""
        rows = self.chosen(filters)
        cells = rows.slice(page * PAGE, PAGE).select(
            "patient_id", pl.col("age").cast(pl.String), "sex", pl.col("changes").cast(pl.String),
            pl.col("first").fill_null("nothing taken with advice"))
        gene = filters.get("gene", "")
        phenotypes = self._genes.filter(gene=gene) if gene else self._genes
        target = filters.get("target", "")
        offered = {**self._offered, "phenotypes": phenotypes["phenotype"].unique().sort().to_list(),
                   "unit": self._unit(target)}
        return {"columns": COLUMNS, "rows": [list(row) for row in cells.iter_rows()], "count": rows.height,
                "pages": max(-(-rows.height // PAGE), 1), "histogram": self._histogram(rows, target),
                "offered": offered}

    def _unit(self, target: str) -> str:
        units = table(self._result, "predictions").filter(target=target)["unit"].head(1).to_list()
        return str(units[0]) if units else ""

    def _histogram(self, rows: pl.DataFrame, target: str) -> dict[str, Any]:
        """Of the risk that was chosen, else of age."""
        values, name, unit = rows["age"].drop_nulls().to_numpy(), "Age", "years"
        if target:
            values = self._values({"target": target}).join(rows, on="patient_id", how="semi")["value"].to_numpy()
            name, unit = words.label(target), self._unit(target)
        if not len(values):
            return {"title": "", "text": "", "counts": [], "labels": [], "ends": []}
        least, most = float(values.min()), float(values.max())
        counts, edges = np.histogram(values, bins=BINS if most > least else 1)
        ends = [words.quantity(one, unit) for one in ((least, most) if most > least else (least,))]
        labels = [f"{number(float(low))} to {words.quantity(float(high), unit)}"
                  for low, high in pairwise(edges)] if most > least else ends
        title = f"{name} of {len(values):,} patient{'s' * (len(values) > 1)}, in {unit}"
        return {"title": title, "counts": counts.tolist(), "labels": labels, "ends": ends,
                "text": f"{title}: {' to '.join(ends)}, median {number(float(np.median(values)))}"}


def _age(birth: pl.Expr, day: pl.Expr) -> pl.Expr:
    """Completed years."""
    early = day.dt.strftime("%m%d") < birth.dt.strftime("%m%d")
    return day.dt.year() - birth.dt.year() - early.cast(pl.Int32)


def _limit(name: str, text: str) -> float | None:
    try:
        return float(text) if text else None
    except ValueError as error:
        raise OptionError(f"{name!r} must be a number. Got {text!r}") from error
