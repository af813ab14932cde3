"""Which tables and columns of the OMOP CDM are read, and their text → numbers, days and words.

CDM 5.3 and 5.4 (https://ohdsi.github.io/CommonDataModel/cdm54.html). Every store, a folder or a database, gives text
or plain numbers; all of it is read here, so that the same CDM makes the same tables wherever it is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar

import polars as pl

from ..errors import HistoryError
from ..tables import TABLES
from .record_dates import is_bad

_ID, _NUMBER, _DATE, _TEXT = "a whole number", "a number", "a date", "text"

Keep = tuple[str, Sequence[int]]
_Made = TypeVar("_Made")
Take = Callable[[Iterator[pl.DataFrame]], _Made]


@dataclass(frozen=True)
class Layout:
    """Columns of one CDM table: those without which it is worth nothing, and those that add to it."""

    needed: Mapping[str, str]
    extra: Mapping[str, str] = field(default_factory=dict)
    key: str = ""

    @property
    def columns(self) -> dict[str, str]:
        """What each column that is read should be."""
        return {**self.needed, **self.extra}


class Store(Protocol):
    """A place that a CDM, or the rows of some of its people, is kept in."""

    @property
    def whole(self) -> bool:
        """Whether everybody's rows are here; else what is so of whole tables is told by who made the parts."""
        ...

    @property
    def issues(self) -> list[pl.DataFrame]:
        """Issues that the rows themselves do not show."""
        ...

    @property
    def where(self) -> str:
        """The folder, SQLite file or connection file."""
        ...

    def place(self, table: str) -> str:
        """The file of a table, or of the database that holds it."""
        ...

    def columns(self, table: str) -> list[str] | None:
        """The columns of a table in lower case; None where there is no such table."""
        ...

    def read(self, table: str, columns: Sequence[str], keep: Keep | None = None) -> pl.DataFrame:
        """The columns as text or numbers; `keep` limits the rows to those whose column has one of the ids."""
        ...


class WholeStore(Store, Protocol):
    """A place that a whole CDM is kept in, which can be gone through."""

    def height(self, table: str) -> int:
        """About how many rows a table has."""
        ...

    def through(self, table: str, columns: Sequence[str], take: Take[_Made], scratch: Path) -> _Made:
        """What `take` makes of the rows, as `read` gives them but some at a time; it may be called once more.

        Files that are of use until it returns may be put into the folder `scratch`.
        """
        ...


def _event(what: str, day: str, **extra: str) -> Layout:
    """What clinical tables have in common."""
    table = what if what in {"measurement", "observation"} else f"{what}_{_TAILS[what]}"
    return Layout({"person_id": _ID, f"{what}_concept_id": _ID, day: _DATE},
                  {f"{table}_id": _ID, f"{what}_source_value": _TEXT, f"{what}_source_concept_id": _ID, **extra},
                  f"{table}_id")


_TAILS = {"condition": "occurrence", "drug": "exposure", "procedure": "occurrence", "visit": "occurrence"}
_VALUE = {"value_as_number": _NUMBER, "value_as_concept_id": _ID, "unit_concept_id": _ID, "unit_source_value": _TEXT,
          "value_source_value": _TEXT}

CLINICAL: Mapping[str, Layout] = {
    "condition_occurrence": _event("condition", "condition_start_date", condition_end_date=_DATE,
                                   condition_status_concept_id=_ID),
    "drug_exposure": _event("drug", "drug_exposure_start_date", drug_exposure_end_date=_DATE, verbatim_end_date=_DATE,
                            drug_type_concept_id=_ID, quantity=_NUMBER, days_supply=_NUMBER, refills=_NUMBER,
                            stop_reason=_TEXT, sig=_TEXT,
                            route_concept_id=_ID, route_source_value=_TEXT, dose_unit_source_value=_TEXT),
    "measurement": _event("measurement", "measurement_date", measurement_datetime=_TEXT, operator_concept_id=_ID,
                          **_VALUE),
    "observation": _event("observation", "observation_date", observation_datetime=_TEXT, value_as_string=_TEXT,
                          **_VALUE),
    "procedure_occurrence": _event("procedure", "procedure_date", procedure_end_date=_DATE),
    "visit_occurrence": _event("visit", "visit_start_date", visit_end_date=_DATE),
}
# Table → the eras that are computed from it: that these are there is told, where the table is not.
ERAS: Mapping[str, str] = {"drug_exposure": "drug_era", "condition_occurrence": "condition_era"}
PERSON = Layout({"person_id": _ID, "gender_concept_id": _ID, "year_of_birth": _ID},
                {"month_of_birth": _ID, "day_of_birth": _ID, "birth_datetime": _DATE, "race_concept_id": _ID,
                 "race_source_value": _TEXT}, "person_id")
OTHERS: Mapping[str, Layout] = {
    "person": PERSON,
    "death": Layout({"person_id": _ID}, key="person_id"),
    **dict.fromkeys(ERAS.values(), Layout({})),
    "concept": Layout({"concept_id": _ID, "concept_name": _TEXT, "vocabulary_id": _TEXT, "concept_code": _TEXT},
                      {"concept_class_id": _TEXT}, "concept_id"),
    "concept_ancestor": Layout({"ancestor_concept_id": _ID, "descendant_concept_id": _ID}),
    "concept_relationship": Layout({"concept_id_1": _ID, "concept_id_2": _ID, "relationship_id": _TEXT},
                                   {"invalid_reason": _TEXT}),
    "drug_strength": Layout({"drug_concept_id": _ID, "ingredient_concept_id": _ID}, {
        "amount_value": _NUMBER, "amount_unit_concept_id": _ID, "numerator_value": _NUMBER,
        "numerator_unit_concept_id": _ID, "denominator_value": _NUMBER, "denominator_unit_concept_id": _ID,
        "box_size": _NUMBER, "invalid_reason": _TEXT}, "drug_concept_id"),
}
LAYOUTS: Mapping[str, Layout] = {**CLINICAL, **OTHERS}


def load(store: Store, table: str, issues: list[pl.DataFrame], keep: Keep | None = None) -> pl.DataFrame | None:
    """One table with every column of its layout, typed, and `file`, `place` and `source` of each row.

    None where the store has no such table. A value that is not what its column should hold is an issue and unknown.

    Raises:
        HistoryError: a needed column is missing, or holds nothing of its kind.
    """
    there = store.columns(table)
    if there is None:
        return None
    layout = LAYOUTS[table]
    must_have_needed(store, table)
    raw = store.read(table, [name for name in layout.columns if name in there], keep)
    read = raw.select(typed(raw, name, kind).alias(name) for name, kind in layout.columns.items())
    rows = _with_unread_values(raw, read).with_columns(**_origin(store, table, layout))
    _report_wrong(store, table, raw, rows, issues)
    return rows


def _with_unread_values(raw: pl.DataFrame, read: pl.DataFrame) -> pl.DataFrame:
    """A value that is no number is kept as the source's text: something was measured, and an older value is not it."""
    if not {"value_as_number", "value_source_value"} <= {*read.columns} or "value_as_number" not in raw.columns:
        return read
    text = raw["value_as_number"].cast(pl.String).str.strip_chars()
    lost = read["value_as_number"].is_null() & text.str.contains(r"\d")
    return read.with_columns(value_source_value=pl.when(lost).then(
        pl.coalesce("value_source_value", text)).otherwise("value_source_value")) if lost.any() else read


def must_have_needed(store: Store, table: str) -> None:
    """A table that is there has the columns without which it is worth nothing.

    Raises:
        HistoryError: it has not.
    """
    there = store.columns(table) or ()
    if missing := [name for name in LAYOUTS[table].needed if name not in there]:
        raise HistoryError(f"table {table} has no column {', '.join(missing)}", where=store.place(table),
                           hint="OMOP CDM 5.3 or 5.4 is read")


def _origin(store: Store, table: str, layout: Layout) -> dict[str, pl.Expr]:
    name = pl.col(layout.key).cast(pl.String).fill_null("without id") if layout.key else pl.lit("")
    file = pl.lit(store.place(table), pl.String())
    return {"file": file, "place": pl.format(f"{table} {{}}", name),
            "source": pl.format(f"{{}}#{table}/{{}}", file, name)}


def typed(raw: pl.DataFrame, name: str, kind: str) -> pl.Expr:
    """A column as it should be; null where it is not."""
    if name not in raw.columns:
        return pl.lit(None, {_ID: pl.Int64(), _NUMBER: pl.Float64()}.get(kind, pl.String()))
    numeric = raw.schema[name].is_numeric()
    text = pl.col(name).cast(pl.String).str.strip_chars()
    if kind == _ID:  # tools that know no missing integers write 1.0
        return (pl.col(name) if raw.schema[name].is_integer() else text.str.replace(r"\.0*$", "")).cast(
            pl.Int64, strict=False)
    if kind == _NUMBER:
        number = (pl.col(name) if numeric else text).cast(pl.Float64, strict=False)
        return pl.when(number.is_finite()).then(number)
    return _day(text) if kind == _DATE else pl.when(text != "").then(text)


def _day(text: pl.Expr) -> pl.Expr:
    """The day of a date or an instant; 20140422 is written 2014-04-22."""
    day = text.str.slice(0, 10).str.replace(r"^(\d{4})(\d{2})(\d{2})$", "$1-$2-$3")
    return pl.when(day != "").then(day)


def _report_wrong(store: Store, table: str, raw: pl.DataFrame, rows: pl.DataFrame,
                  issues: list[pl.DataFrame]) -> None:
    layout = LAYOUTS[table]
    for name, kind in layout.columns.items():
        if name not in raw.columns or kind == _TEXT or _all_right(raw[name], rows[name], kind):
            continue
        given, wrong = given_and_wrong(raw[name], rows[name], kind)
        if store.whole and name in layout.needed and wrong.any() and wrong.sum() == given.sum():
            raise nothing_right(store, table, name)
        if kind != _DATE and wrong.any():  # bad dates are reported as those of all sources are
            issues.append(told(rows.filter(wrong), "warning", "bad-value", f"{name} is not {kind}; it stays unknown"))


def given_and_wrong(raw: pl.Series, read: pl.Series, kind: str) -> tuple[pl.Series, pl.Series]:
    """Which values there are, and which of them are not what the column should hold."""
    given = raw.is_not_null() & (raw.cast(pl.String).str.strip_chars() != "")
    return given, given & (read.to_frame().select(is_bad(pl.col(read.name)))[read.name] if kind == _DATE
                           else read.is_null())


def nothing_right(store: Store, table: str, column: str) -> HistoryError:
    """The fault of a needed column that has values, all of them wrong."""
    return HistoryError(f"table {table}: no value of column {column} is {LAYOUTS[table].needed[column]}",
                        where=store.place(table))


def _all_right(raw: pl.Series, read: pl.Series, kind: str) -> bool:
    """Whether there is nothing to look for: no more nulls than before, and no odd date among the few different ones."""
    if kind != _DATE:
        return read.null_count() == raw.null_count()
    return not pl.DataFrame({"day": read.unique()}).select(is_bad(pl.col("day")).any()).item()


def told(rows: pl.DataFrame, severity: str, code: str, text: str) -> pl.DataFrame:
    """One ``issues`` row a patient for `rows`, which have file, place and maybe person_id: a cohort has millions."""
    person = pl.col("person_id").cast(pl.String) if "person_id" in rows.columns else pl.lit(None, pl.String())
    each = rows.select("file", "place", patient_id=person).group_by("file", "patient_id", maintain_order=True).agg(
        place=pl.col("place").first(), rows=pl.len())
    more = pl.when(pl.col("rows") > 1).then(pl.format("{} ({} rows; the first is named)", pl.lit(text), "rows"))
    return each.select(
        "file", "place", severity=pl.lit(severity), code=pl.lit(code), text=more.otherwise(pl.lit(text)),
        patient_id="patient_id").match_to_schema(TABLES["issues"].empty().schema)


def said(file: str, severity: str, code: str, text: str, place: str | None = None) -> pl.DataFrame:
    """One ``issues`` row about a whole table or store."""
    return TABLES["issues"].frame([{"file": file, "place": place, "severity": severity, "code": code, "text": text}])
