"""The patient record as features: age, sex, ancestry, body size, current medicines, latest measurements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import polars as pl

from ..measured import height_days, usable, weight_days
from ..normalise.drugs import name_of_medicine, unrecognised
from ..normalise.plausible import OLDEST
from ..normalise.units import CODES
from ..plans import as_written
from ..repeats import of_tables, unless_repeated
from ..tables import TABLES, Tables
from ..verdicts import lists_medicines, lost

ON, OBSERVATION, UNREAD = "on:", "observation:", "medicines-not-recognised"
# LOINC of the body measures, with the range outside of which a value is a slip of the pen
_BODY = {"height": ("8302-2", 50.0, 250.0), "weight": ("29463-7", 2.0, 400.0)}
_ORDER = "Medication(Request|Statement|Administration|Dispense)"


@dataclass(frozen=True)
class HistoryFeatures:
    """Features of the record at its index date; null where the record does not say.

    - ``age`` in years (below 120) with fraction, exact on birthdays; ``sex`` female or male; ``ancestry`` as recorded.
    - ``height`` (cm) and ``weight`` (kg): the latest value; null where that is outside 50 to 250 cm, 2 to 400 kg. A
      weight counts for a year, below 18 years of age for 90 days, below 2 years for 30, and is then unknown. A height
      counts for a year, below 2 years for 30 days, an adult's for ten years, and never one from below 18.
    - ``on:<ingredient>``: an active medicine holds it. False needs a record that lists medicines, or says that none is
      taken, and in which every current one is known: a medicine that was not recognised, one that could be it, or an
      order that was left out makes it unknown.
    - ``medicines-not-recognised``: names of current medicines that no vocabulary knows; "" where all are known, null
      where the record lists none.
    - ``observation:<LOINC>``: the latest value in the canonical unit of ``pmed.normalise.units``.

    Measurements count when dated at or before the index date.
    """

    name: ClassVar[str] = "history"
    needs: ClassVar[tuple[str, ...]] = ("patients", "medications", "observations")
    gives: ClassVar[tuple[str, ...]] = ("age", "sex", "ancestry", "height", "weight", "on:*", "observation:*",
                                        UNREAD)

    def names(self) -> dict[str, str]:
        """Every measurement, also by the codes that count as it."""
        return {f"{OBSERVATION}{code}": f"{OBSERVATION}{target}" for code, (target, _) in CODES.items()}

    def run(self, tables: Tables, wanted: Sequence[str]) -> dict[str, pl.DataFrame]:
        """One row a patient of ``samples`` and ``patients``, with the wanted features."""
        people = people_of(tables)
        parts = [person(people), _measures(people, table_of(tables, "observations"), tuple(wanted)),
                 _medicines(people, table_of(tables, "medications"), table_of(tables, "issues"), tuple(wanted))]
        frame = people.lazy().select("patient_id")
        for part in parts:
            frame = frame.join(part.lazy(), on="patient_id", how="left", maintain_order="left")
        return {"features": frame.pipe(as_written)[["patient_id", *dict.fromkeys(wanted)]]}


def table_of(tables: Tables, name: str) -> pl.DataFrame:
    """A table of the record; empty where there is none."""
    return tables.get(name, TABLES[name].empty())


@of_tables("samples", "patients")
def people_of(tables: Tables) -> pl.DataFrame:
    """Everyone with a genome or a record, once, and what the record says about the person."""
    patients = table_of(tables, "patients").with_columns(has_record=pl.lit(value=True))
    names = pl.concat([table_of(tables, name)[["patient_id"]] for name in ("samples", "patients")])
    return names.unique(maintain_order=True).join(patients, on="patient_id", how="left", maintain_order="left")


@unless_repeated
def person(people: pl.DataFrame) -> pl.DataFrame:
    """patient_id, age (years), sex and ancestry of `people_of`."""
    age = _age(pl.col("birth_date"), pl.col("index_date"))
    return people.select("patient_id", "ancestry", age=pl.when(age.is_between(0, OLDEST, closed="left")).then(age),
                         sex=pl.when(pl.col("sex").is_in(["female", "male"])).then("sex"))


def _age(born: pl.Expr, today: pl.Expr) -> pl.Expr:
    """Completed years plus the part of the year since the last birthday, so that thresholds fall on birthdays."""
    before = (today.dt.month() < born.dt.month()) | (
        (today.dt.month() == born.dt.month()) & (today.dt.day() < born.dt.day()))
    years = today.dt.year() - born.dt.year() - before.cast(pl.Int32)
    last, following = (born.dt.offset_by(pl.format("{}y", count)) for count in (years, years + 1))
    return years + (today - last).dt.total_days() / (following - last).dt.total_days()


@unless_repeated
def _measures(people: pl.DataFrame, observations: pl.DataFrame, wanted: tuple[str, ...]) -> pl.DataFrame:
    """Body size and observations: the latest value of each patient."""
    limits: Mapping[str, tuple[str, float, float]] = {
        **{name: (name.removeprefix(OBSERVATION), float("-inf"), float("inf"))
           for name in wanted if name.startswith(OBSERVATION)},
        **{name: body for name, body in _BODY.items() if name in wanted}}
    if not limits:
        return people.select("patient_id")
    ago = (pl.col("index_date") - pl.col("start")).dt.total_days()
    born, today = pl.col("birth_date"), pl.col("index_date")
    young = {"weight": ago <= weight_days(born, today), "height": ago <= height_days(born, today)}
    latest = [pl.when(pl.col("value").is_between(low, high), young.get(name, True)).then("value").filter(
        pl.col("canonical_code") == code).last().alias(name) for name, (code, low, high) in limits.items()]
    codes = tuple(dict.fromkeys(code for code, _, _ in limits.values()))
    births = people.select("patient_id", "birth_date")
    rows = usable(people, observations, codes).join(births, on="patient_id", how="left", maintain_order="left")
    return rows.group_by("patient_id").agg(latest)


@unless_repeated
@unless_repeated
def _medicines(people: pl.DataFrame, drugs: pl.DataFrame, issues: pl.DataFrame,
               wanted: tuple[str, ...]) -> pl.DataFrame:
    """``on:`` features: true; false where the record settles that no current medicine is it; else unknown."""
    known = people.lazy().join(_held(drugs), on="patient_id", how="left", maintain_order="left")
    # Somebody without an entry is in no group: that nothing is listed does not say that nothing is taken.
    dark = pl.col("unread").fill_null(value=True) | lost(issues, _ORDER)
    return known.select("patient_id", pl.col("names").alias(UNREAD), *(
        pl.when(pl.col("has_record"), _contains("sure", name)).then(pl.lit(value=True))
        .when(pl.col("has_record"), ~_contains("perhaps", name), ~dark).then(pl.lit(value=False)).alias(f"{ON}{name}")
        for name in dict.fromkeys(one.removeprefix(ON) for one in wanted if one.startswith(ON)))).pipe(as_written)


def _held(drugs: pl.DataFrame) -> pl.LazyFrame:
    """For each patient with entries the ingredients taken, those perhaps taken, and whether a medicine is unknown.

    ``possible_ingredients`` comes from ``pmed.normalise.drugs``.
    """
    possible = pl.col("possible_ingredients") if "possible_ingredients" in drugs.columns else pl.lit(None)
    current = pl.col("active").fill_null(value=True)
    rows = drugs.lazy().filter(lists_medicines()).with_columns(
        possible=pl.when(current).then(possible.cast(pl.List(pl.String()))))
    unclear = pl.concat_list(pl.col("possible").fill_null([]),
                             pl.when(pl.col("active").is_null()).then("ingredients").fill_null([]))
    return rows.group_by("patient_id").agg(
        sure=pl.col("ingredients").filter("active").list.explode(empty_as_null=False).drop_nulls(),
        perhaps=unclear.list.explode(empty_as_null=False).drop_nulls(), unread=unrecognised(drugs).any(),
        names=name_of_medicine().filter(unrecognised(drugs)).unique(maintain_order=True).str.join(", "))


def _contains(column: str, name: str) -> pl.Expr:
    return pl.col(column).list.contains(name).fill_null(value=False)
