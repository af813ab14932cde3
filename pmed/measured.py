"""How long a measurement tells of today, and how old the last one is.

What changes within days (INR, potassium, the level of a drug) is not what it was months ago: an older value is unknown,
neither a cause for alarm nor a sign that all is well. The limits are ours; none is of a guideline. That of a weight
and a height depends on age: an infant doubles its weight in five months, and no child's height is an adult's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta

import polars as pl
from polars.expr.whenthen import ChainedThen

from .normalise.units import CODES, canonical_unit, canonical_units
from .plans import as_written
from .tables import TABLES, Tables

NOT_DONE = ("cancelled", "entered-in-error", "registered")
A_YEAR = 365.0
WEIGHT, HEIGHT = "29463-7", "8302-2"
# Years of age, and how many days a weight counts below them; of adults a year.
GROWING = ((2, 30.0), (18, 90.0))
_TALLER = ((2, 30.0), (18, A_YEAR))
_GROWN = 18
_Limits = tuple[tuple[int, float], tuple[int, float]]
# In ten years even women past 70 lose about 3 cm, 2 % (Sorkin et al., Am J Epidemiol 1999;150:969-77).
_TEN_YEARS = 3652.0
# LOINC → days. INR: the longest usual time between two checks is four weeks; lithium: three months; QTc: half a year.
DAYS: Mapping[str, float] = {
    "6301-6": 30, "34714-6": 30,  # INR, of whole blood
    "2823-3": 90, "6298-4": 90, "2951-2": 90, "2947-0": 90, "19123-9": 90,  # potassium, sodium, magnesium
    "14334-7": 90,  # level of lithium
    "777-3": 90,  # platelets
    "8636-3": 180, "8634-8": 180,  # QTc, QT
    "8867-4": 30,  # heart rate
}
# LOINC → codes of the same measurement in whole blood: where one of them is the latest, it counts.
BLOOD: Mapping[str, tuple[str, ...]] = {"6301-6": ("34714-6",), "2160-0": ("38483-4",), "2823-3": ("6298-4",)}


def same(code: str) -> tuple[str, ...]:
    """A measurement's codes: its own, and that of whole blood."""
    return (code, *BLOOD.get(code, ()))


def days_of(code: str, others: float = A_YEAR) -> float:
    """How many days a value of the measurement tells of today; `others` of those that `DAYS` does not name."""
    return DAYS.get(code, others)


def weight_days(born: pl.Expr, today: pl.Expr) -> pl.Expr:
    """How many days a weight tells of today, by the dates of birth and of the question; where unknown, an infant's."""
    return _growing(GROWING, born, today).otherwise(pl.lit(A_YEAR))


def height_days(born: pl.Expr, today: pl.Expr) -> pl.Expr:
    """How many days a height tells of today: 30 below 2 years of age, a year below 18, then ten but none from below 18.

    Where the date of birth is not known, as of an infant.
    """
    grown = (today - born.dt.offset_by(f"{_GROWN}y")).dt.total_days().cast(pl.Float64)
    return _growing(_TALLER, born, today).otherwise(pl.min_horizontal(grown, pl.lit(_TEN_YEARS)))


def _growing(limits: _Limits, born: pl.Expr, today: pl.Expr) -> ChainedThen:
    (infant, fewest), (child, few) = limits
    under = {years: (born.dt.offset_by(f"{years}y") > today).fill_null(value=True) for years in (infant, child)}
    return pl.when(under[infant]).then(pl.lit(fewest)).when(under[child]).then(pl.lit(few))


def recent(code: str, others: float = A_YEAR) -> pl.Expr:
    """Whether a row of `usable` is young enough."""
    return pl.col("start") >= pl.col("index_date") - timedelta(days=days_of(code, others))


def usable(people: pl.DataFrame, observations: pl.DataFrame, codes: tuple[str, ...]) -> pl.DataFrame:
    """Measurements of those `codes` at or before the index date in canonical units, the latest last.

    Most of a record is measurements that nobody asks for. Those beyond a limit of measurement, or without a known unit,
    are among the others, without a value: where one is the latest, that is not known.
    """
    done = observations.lazy().filter(pl.col("status").is_in(NOT_DONE).fill_null(value=False).not_())
    # The host's normalise stage has done it, and told what is not used; a step that is run alone does it itself.
    known = done if "canonical_code" in observations.columns else canonical_units(done.pipe(as_written))[0].lazy()
    asked = known.select("patient_id", "row", "canonical_code", "value", "start").filter(
        pl.col("canonical_code").is_in(codes), pl.col("value").is_finite().fill_null(value=True))
    dated = asked.join(people.lazy().select("patient_id", "index_date"), on="patient_id")
    return dated.filter(pl.col("start") <= pl.col("index_date")).sort(
        "start", "row", maintain_order=True).pipe(as_written)


def unit_of(code: str) -> str:
    """The canonical unit of a LOINC code in words, "" where it has none.

    >>> unit_of("2160-0"), unit_of("6301-6")
    ('mg/dL', '')
    """
    unit = canonical_unit(CODES[code][1]) if code in CODES else ""
    return "" if unit == "1" else unit


def outdated(tables: Tables, codes: Iterable[str]) -> pl.DataFrame:
    """patient_id, code, value, ago: the latest measurement where it is too old, in its canonical unit, and days."""
    return _latest(tables, codes).filter(pl.col("ago") > pl.col("limit"), pl.col("value").is_not_null()).select(
        "patient_id", "code", "value", "ago")


def beyond(tables: Tables, codes: Iterable[str]) -> pl.DataFrame:
    """patient_id, code, said ("> 6"), unit, ago: the latest measurement where it is beyond a limit, and not too old."""
    latest = _latest(tables, codes).filter(pl.col("ago") <= pl.col("limit"), pl.col("value").is_null())
    said = tables.get("observations", TABLES["observations"].empty()).select(
        "patient_id", "row", "unit", said=pl.col("value_text").str.strip_chars())
    return latest.join(said, on=["patient_id", "row"], maintain_order="left").filter(
        pl.col("said").str.contains(r"^[<>]")).select("patient_id", "code", "said", "unit", "ago")


def _latest(tables: Tables, codes: Iterable[str]) -> pl.DataFrame:
    """patient_id, code, row, value, ago, limit: the latest measurement, its age and how old it may be (days)."""
    asked = tuple(dict.fromkeys(codes))
    limits = pl.DataFrame([(one, code, days_of(code)) for code in asked for one in same(code)], orient="row",
                          schema={"canonical_code": pl.String(), "code": pl.String(), "limit": pl.Float64()})
    patients, observations = (tables.get(name, TABLES[name].empty()) for name in ("patients", "observations"))
    rows = usable(patients, observations, tuple(limits["canonical_code"]))
    ago = (pl.col("index_date") - pl.col("start")).dt.total_days()
    last = rows.join(limits, on="canonical_code", maintain_order="left").group_by(
        "patient_id", "code", maintain_order=True).last()
    aged = last.join(patients.select("patient_id", "birth_date"), on="patient_id", how="left", maintain_order="left")
    born, today, of = pl.col("birth_date"), pl.col("index_date"), pl.col("code")
    limit = pl.when(of == WEIGHT).then(weight_days(born, today)).when(of == HEIGHT).then(
        height_days(born, today)).otherwise("limit")
    return aged.select("patient_id", "code", "row", "value", ago=ago, limit=limit)
