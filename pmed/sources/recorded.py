"""Recorded rows → the tables of ``pmed.tables``: text cleaned, dates read, status judged at the index date.

- *index date*: the one asked for, else the latest start, recording or abatement date in the patient's record.
- *time of day*: tables keep the day; measurements of one day are in the order of their times.
- *partial dates*: a start is the first day it may mean, an end the last one.
- *active medicine*: status ``active``, ordered (no proposal, no "do not perform"), begun and not ended by the
  index date. Whether what is ``on-hold`` is taken is unknown: it is paused, and to be taken up again.
- *medicine given*: taken on the day, or in the period, in which it was given; not taken later, once that is completed.
  Where nothing but administrations is recorded, as of a stay in hospital, no order says whether it goes on: for 2 days
  it is unknown. *Medicine handed out*: taken for as long as it lasts, unknown where that is not recorded.
- *active condition or allergy*: not inactive, resolved or in remission, not refuted, begun and not ended by the
  index date; unknown where the clinical status is ``unknown``.
- *remarks*: where the text of a medicine says that it was stopped, refused or is somebody else's, it is not known
  whether it is taken; a diagnosis that its text doubts or denies is unconfirmed (see ``normalise.remarks``).
- ``entered-in-error`` rows leave the record. Every such decision is a row of ``issues``.

Every source of records makes rows with the columns of `COLUMNS` and leaves the rest to `make_tables`; one that works in
frames gives them to `tables_of`. Words are FHIR's: a source of another standard translates its statuses into them. One
that records no status but a period of taking says so in an extra column of medications, `exposure`: true where `start`
and `end` are the days the medicine was taken, false where the end is not known, in `stopped` whether it says why it was
stopped, and in `refilled` the day to which it may have been filled again. One that knows single doses has a column
`once`: true where an order is of one, given on the day of `end`. Conditions may have `exposure` likewise: false where
it cannot be told whether the condition is still there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import polars as pl

from ..normalise import codes, remarks
from ..normalise.dating import NONE, TAKEN, last_entries
from ..normalise.loinc import with_loinc
from ..normalise.plausible import OLDEST
from ..tables import TABLES, Tables
from .record_order import in_time
from .record_reading import Look, read, report, told
from .record_states import STATES, without_strange, without_strange_diagnoses, without_strange_results
from .sig_rows import with_sigs

Row = tuple[Any, ...]
Issue = dict[str, object]

# As recorded: dates are ISO text of any precision, amounts numbers. `file` and `place` are for ``issues``, `source` is
# told to the reader (file#resource, file line).
_ORIGIN = ("patient_id", "file", "place", "source")
_CODED = ("system", "code", "display")
# `reason_link`: links that `reasons` follows.
_REASON = ("reason", "reason_system", "reason_code", "reason_link")
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "patients": (*_ORIGIN, "birth_date", "sex", "deceased", "ancestry"),
    "conditions": (*_ORIGIN, *_CODED, "start", "end", "recorded", "status", "verification", "ended"),
    # `per_day`: how often the dose is taken; `sig`: how it is taken, in words; `ordered`: no proposal.
    "medications": (*_ORIGIN, *_CODED, "start", "end", "recorded", "dose", "dose_unit", "per_day", "route", "sig",
                    "status", "ordered", "kind", "also", *_REASON),
    "observations": (*_ORIGIN, *_CODED, "start", "recorded", "status", "value", "unit", "value_text", "value_code",
                     "interpretation"),
    "allergies": (*_ORIGIN, *_CODED, "start", "recorded", "status", "verification", "criticality", "also"),
    "procedures": (*_ORIGIN, *_CODED, "start", "end", "status", *_REASON),
    "encounters": (*_ORIGIN, *_CODED, "start", "end", "status", "class", *_REASON),
    "immunizations": (*_ORIGIN, *_CODED, "start", "status", *_REASON),
    "family_history": (*_ORIGIN, *_CODED, "recorded", "status", "relationship", "relative_sex", "onset_age",
                       "deceased"),
}
_NUMBERS = ("dose", "per_day", "value", "onset_age")
_FLAGS = ("deceased", "ordered", "ended")
# What two versions of one entry may differ in, so that neither can be believed; and the status.
_OPEN = ("end", "ended", "verification", "criticality", "dose", "dose_unit", "per_day", "route", "sig", "ordered",
         "value", "value_text", "value_code", "interpretation", "onset_age", "deceased")
_NOT_ACTIVE = ("inactive", "resolved", "remission", "refuted")
_DOUBTED = ("refuted", "unconfirmed", "provisional", "differential")
# In which the next dose may not be due yet, or not be entered yet.
_NEXT_DOSE = timedelta(days=2)
_JUDGED = ("row", "active", "daily_dose")


def make_tables(rows: Mapping[str, Sequence[Row]], issues: Sequence[Issue],
                index_date: date | None, once: Sequence[bool] = ()) -> dict[str, pl.DataFrame]:
    """All history tables, checked; `rows` have the columns of `COLUMNS`, and `once` tells single doses of medicines."""
    frames = {name: frame_of(name, rows.get(name, ())) for name in COLUMNS}
    if once:
        frames["medications"] = frames["medications"].with_columns(once=pl.Series(once, dtype=pl.Boolean))
    return tables_of(frames, TABLES["issues"].frame(issues), index_date)


def tables_of(recorded: Tables, issues: pl.DataFrame, index_date: date | None) -> dict[str, pl.DataFrame]:
    """All history tables, checked, from frames with the columns of `COLUMNS`; what a frame leaves out is unknown."""
    found = [issues]
    filled = {name: _filled(name, recorded.get(name)) for name in COLUMNS}
    filled["observations"] = in_time(with_loinc(filled["observations"]))
    frames = {name: read(frame, found) for name, frame in filled.items()}
    frames["conditions"] = _weighed_diagnoses(frames["conditions"], found)
    frames["conditions"], odd = without_strange_diagnoses(frames["conditions"])
    found += [report(rows, "warning", "unknown-status", text) for rows, text in odd]
    frames["observations"], strange = without_strange_results(frames["observations"])
    if strange.height:
        found.append(report(strange, "warning", "unknown-status", "results with a status that FHIR does not know: "
                            "their values are not used"))
    frames["medications"], differing = with_sigs(frames["medications"])
    found += [report(rows, "warning", "dose-conflict", text) for rows, text in differing]
    frames["medications"] = _without_zero(frames["medications"], found)
    frames["medications"], strange = without_strange(frames["medications"])
    if strange.height:
        found.append(report(strange, "warning", "unknown-status", "a status that FHIR does not know: whether it is "
                            "taken stays unknown"))
    frames["patients"] = _patients(frames, index_date, found)
    days = frames["patients"].select("patient_id", "index_date")
    made = {name: _judge(name, frame, days, found) for name, frame in frames.items()}
    made["issues"] = pl.concat(found)
    # The host looks into the rows of every source (see `stages.read`).
    return {name: TABLES[name].check(frame[TABLES[name].names], rows=False) for name, frame in made.items()}


def kinds(name: str) -> dict[str, pl.DataType]:
    """All is text, but for amounts and flags."""
    return {column: pl.Float64() if column in _NUMBERS else pl.Boolean() if column in _FLAGS else pl.String()
            for column in COLUMNS[name]}


def _filled(name: str, frame: pl.DataFrame | None) -> pl.DataFrame:
    """The frame with every column of its kind, extra ones kept behind."""
    if frame is None:
        return frame_of(name, ())
    wanted = kinds(name)
    if list(frame.schema.items())[:len(wanted)] == list(wanted.items()):
        return frame
    columns = {column: pl.col(column).cast(kind) if column in frame.columns else pl.lit(None, kind).alias(column)
               for column, kind in wanted.items()}
    return frame.select(*columns.values(), pl.exclude(*columns))


def frame_of(name: str, rows: Sequence[Row]) -> pl.DataFrame:
    """Rows as recorded, in the columns of `COLUMNS`."""
    columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
    # A source that does not know the last columns leaves them out.
    columns += [[None] * len(rows)] * (len(COLUMNS[name]) - len(columns))
    return frame_of_columns(name, columns)


def frame_of_columns(name: str, columns: Sequence[Sequence[Any]]) -> pl.DataFrame:
    """Columns as recorded, those of `COLUMNS`."""
    return pl.DataFrame([pl.Series(column, values, dtype=kind)
                         for (column, kind), values in zip(kinds(name).items(), columns, strict=True)])


def undecided(name: str, frame: pl.DataFrame, rows: Sequence[int]) -> pl.DataFrame:
    """A frame as recorded, in which some rows (by number) only say what they are about, not how it stands."""
    here = pl.int_range(pl.len()).is_in(pl.Series(rows, dtype=pl.Int64).implode())
    unknown = [pl.when(~here).then(column).alias(column) for column in _OPEN if column in COLUMNS[name]]
    if name == "medications":  # what is to be begun is not taken yet; that there is an entry of that day is known
        unknown += [pl.when(~here).then("start"), pl.coalesce("recorded", pl.when(here).then("start"))]
    return frame.with_columns(*unknown, status=pl.when(here).then(pl.lit("unknown")).otherwise("status"))


def _weighed_diagnoses(frame: pl.DataFrame, found: list[pl.DataFrame]) -> pl.DataFrame:
    """A diagnosis whose text doubts or denies it, or is about a relative, is unconfirmed, whatever the status says."""
    if (misfits := codes.misfits(frame)).any():
        found.append(report(frame.filter(misfits), "warning", "code-system-conflict", "the code is none of the code "
                            "system that is named: which diagnosis it is stays unknown"))
    said = remarks.doubted_diagnoses(frame) & frame["verification"].is_in(_DOUBTED).fill_null(value=False).not_()
    if not said.any():
        return frame
    found.append(report(frame.filter(said), "warning", "remark-in-name", "the text doubts or denies the diagnosis, or "
                        "is about a relative: it counts as unconfirmed"))
    return frame.with_columns(verification=pl.when(said).then(pl.lit("unconfirmed")).otherwise("verification"))


def _without_zero(frame: pl.DataFrame, found: list[pl.DataFrame]) -> pl.DataFrame:
    """A dose of zero stands where another field or the text has the dose: it is none."""
    zero = (pl.col("dose") <= 0).fill_null(value=False)
    if not frame.select(zero.any()).item():
        return frame
    found.append(report(frame.filter(zero), "warning", "bad-value", "a dose of zero or below; it stays unknown"))
    return frame.with_columns(dose=pl.when(~zero).then("dose"))


def _patients(frames: Tables, index_date: date | None, found: list[pl.DataFrame]) -> pl.DataFrame:
    """Patients with the index date and a sex that FHIR knows."""
    people = frames["patients"]
    if index_date is None:
        dated = people.join(last_entries(frames), on="patient_id", how="left", maintain_order="left")
    else:
        dated = people.with_columns(index_date=pl.lit(index_date, pl.Date()))
    odd = pl.col("sex").is_in(TABLES["patients"].columns["sex"].values).not_()
    found += told(dated, [
        (odd, "warning", "bad-gender", "not a FHIR gender; it stays unknown", "$.gender"),
        (pl.col("deceased"), "warning", "deceased", "recorded as dead: suggestions are of no use unless the person "
         "lived on the index date"),
        *(_of_last_entry() if index_date is None else ()), *_without_age()])
    return dated.with_columns(sex=pl.when(~odd).then("sex"))


def _of_last_entry() -> list[Look]:
    day = pl.col("index_date")
    return [(day.is_not_null(), "info", "index-date", pl.format(TAKEN, "index_date")),
            (day.is_null(), "warning", "no-index-date", NONE)]


def _without_age() -> list[Look]:
    """Whose age the date of birth does not tell; that the index date is missing is told by itself."""
    born, today = pl.col("birth_date"), pl.col("index_date")
    left = "age stays unknown, and what needs it (kidney function, risk scores, checks by age) is not assessed"
    return [(born.is_null(), "warning", "no-age", f"no date of birth: {left}"),
            (born > today, "warning", "no-age", f"the date of birth is after the index date: {left}"),
            (born.dt.offset_by(f"{OLDEST}y") <= today, "warning", "no-age",
             f"the date of birth is {OLDEST} years or more before the index date: {left}")]


def _judge(name: str, frame: pl.DataFrame, days: pl.DataFrame, found: list[pl.DataFrame]) -> pl.DataFrame:
    """Number the rows of each patient and say which are active at the index date."""
    if name == "patients":
        return frame
    if frame.is_empty():
        return TABLES[name].empty()
    rows = frame.lazy().with_columns(row=pl.int_range(1, pl.len() + 1, dtype=pl.Int64()).over("patient_id"))
    if "active" in TABLES[name].columns:
        rows = rows.join(days.lazy(), on="patient_id", how="left", maintain_order="left")
    if name == "medications":
        taken = _exposed() if "exposure" in frame.columns else _taken(
            pl.col("once") if "once" in frame.columns else pl.lit(value=False))
        rows = rows.with_columns(active=taken, daily_dose=pl.coalesce(pl.col("dose") * pl.col("per_day"), "sig_daily"))
    elif name in {"conditions", "allergies"}:
        present = _present("end" in frame.columns)
        told = pl.col("exposure") if "exposure" in frame.columns else pl.lit(value=True)
        rows = rows.with_columns(active=pl.when(told | ~present).then(present))
    # What is found out later: the ingredients, the strength.
    later = [pl.lit(None, dtype=column.dtype).alias(other) for other, column in TABLES[name].columns.items()
             if other not in {*frame.columns, *_JUDGED}]
    made = rows.with_columns(later).collect()
    return _weighed(made, found) if name == "medications" else made


def _weighed(rows: pl.DataFrame, found: list[pl.DataFrame]) -> pl.DataFrame:
    """Whether a medicine is taken is not known where its text speaks against it."""
    by_any = [remarks.doubted(rows, remarks.OF_MEDICINES, name) for name in ("display", "also")]
    against = (by_any[0] | by_any[1]) & rows["active"]
    if not against.any():
        return rows
    found.append(report(rows.filter(against), "warning", "remark-in-name", "the name says that it is stopped, "
                        "refused, planned or somebody else's: whether it is taken stays unknown"))
    return rows.with_columns(active=pl.when(~against.fill_null(value=False)).then("active"))


def _begun() -> pl.Expr:
    """Not begun after the index date; an unknown start is taken as begun."""
    return pl.col("start").is_null() | (pl.col("start") <= pl.col("index_date"))


def _lasting() -> pl.Expr:
    """Not ended before the index date; null where there is an end but no index date."""
    return pl.col("end").is_null() | (pl.col("end") >= pl.col("index_date"))


def _taken(once: pl.Expr) -> pl.Expr:
    kind = pl.col("kind")
    return pl.when(kind == "administration").then(_given()).when(kind == "dispense").then(_supplied()).otherwise(
        _prescribed(once))


def _given() -> pl.Expr:
    """True in the time in which it was given; what was completed before is over."""
    status, now = pl.col("status"), pl.coalesce("end", "start") >= pl.col("index_date")
    given = pl.when(status.is_in(["completed", "in-progress"]) & now).then(pl.lit(value=True)).when(
        (status == "in-progress") & pl.col("end").is_null()).then(pl.lit(value=True)).when(
        (status == "completed") & ~now & ~_may_go_on()).then(pl.lit(value=False))
    return pl.when((status == "not-done") | ~_begun()).then(pl.lit(value=False)).otherwise(given)


def _may_go_on() -> pl.Expr:
    """Given in the last days, in a record that knows no orders: whether the next dose is due is not recorded."""
    since = pl.col("index_date") - pl.coalesce("end", "start")
    alone = pl.col("kind").eq_missing("administration").all().over("patient_id")
    return alone & (since <= _NEXT_DOSE)


def _supplied() -> pl.Expr:
    """True from the day it was handed out for as long as it lasts, then false; null where either is not known."""
    status = pl.col("status")
    dated = pl.col("start").is_not_null() & pl.col("end").is_not_null()
    held = pl.when(status.is_in(["completed", "in-progress"]) & dated).then(_lasting())
    return pl.when(status.is_in(["cancelled", "declined"]) | ~_begun()).then(pl.lit(value=False)).otherwise(held)


def _prescribed(once: pl.Expr) -> pl.Expr:
    """Null where the record does not say: no status, status unknown, or an active order that may no longer be filled.

    So is what is on hold: nobody tells when it is taken up again, and it then meets what was begun meanwhile. How long
    an order may be filled (validityPeriod) is not how long the medicine is taken. R5's "recorded" statement tells
    nothing either. What was ordered `once` is not taken on.
    """
    silent = pl.col("status").is_null() | pl.col("status").is_in(["unknown", "recorded", "on-hold"])
    taken = pl.when(~silent).then(pl.col("status") == "active")
    lapsed = ~_lasting() & (pl.col("kind") == "order") & ~once
    return taken & pl.col("ordered") & _begun() & pl.when(~lapsed).then(_lasting())


def _exposed() -> pl.Expr:
    """Taken from the first to the last day; not yet taken before the first; null where the last is not known.

    Null, too, up to the last day of what was `stopped`: it may have been earlier; and as long as it may be `refilled`.
    """
    again = ~_lasting() & (pl.col("refilled") >= pl.col("index_date")).fill_null(value=False)
    return _begun() & pl.when("exposure").then(pl.when(~(pl.col("stopped") & _lasting() | again)).then(_lasting()))


def _present(ends: bool) -> pl.Expr:
    """For conditions (which end) and allergies (whose end FHIR does not know)."""
    over = pl.any_horizontal(pl.col(name).is_in(_NOT_ACTIVE).fill_null(value=False) for name in STATES)
    silent = pl.col("status").eq_missing("unknown")
    begun = ~over & pl.when(~silent).then(_begun())
    return begun & _lasting() & ~pl.col("ended").fill_null(value=False) if ends else begun
