"""What follows from a record: kidney function, body mass, conditions, pregnancy, smoking, latest values and trends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import ClassVar

import polars as pl

from ..measured import NOT_DONE, height_days, recent, same, usable
from ..normalise.codes import condition_groups, groups, left_open, readable
from ..normalise.loinc import LOINC
from ..normalise.units import CODES, GOAL
from ..options import option
from ..plans import as_written
from ..repeats import unless_repeated
from ..tables import Tables
from ..verdicts import lost, under_anticoagulants
from . import derived
from .history import people_of, person, table_of

CONDITION, LATEST, TREND = "condition:", "latest:", "trend:"
_HEIGHT, _WEIGHT, _PACK_YEARS = "8302-2", "29463-7", "8664-5"
_CREATININE, _BILIRUBIN, _ALBUMIN = ("2160-0", "38483-4"), ("1975-2", "42719-5"), ("1751-7",)
_INR = ("6301-6", "34714-6")
# As the laboratory reports it, without race: CKD-EPI, CKD-EPI 2021 (also with cystatin C), MDRD, by any equation.
_EGFR = ("62238-1", "98979-8", "98980-6", "33914-3", "77147-7", "69405-9")
_ANOTHER = 0.25  # share by which two values are of kidneys that have changed (KDIGO 2012: a certain drop)
_INR_GOAL = tuple(f"{GOAL}{code}" for code in _INR)
_TREND_DAYS = 2 * derived.DAYS_A_YEAR
# An answer on pregnancy is soon out of date; no pregnancy is longer than 310 days.
_ANSWER_DAYS, _PREGNANCY_DAYS = 60, 310
_QUESTIONS = ("72166-2", "82810-3", "63895-7")  # LOINC: smoking, pregnancy, breast-feeding
# Nor is one on breast-feeding true for long; WHO advises it to the age of two years.
_NURSING_ANSWER_DAYS, _NURSING_DAYS = 180, 730
_RULED_OUT, _DOUBTED = ("refuted", "entered-in-error"), ("unconfirmed", "provisional", "differential")
_PREGNANT = {"77386006": True, "LA15173-0": True, "60001007": False, "LA26683-5": False}
_NURSING = {"LA29252-6": True, "LA33-6": True, "373066001": True, "413712001": True,
            "LA29253-4": False, "LA32-8": False, "373067005": False}
# Answers to LOINC 72166-2, SNOMED CT and LOINC
_SMOKING = {
    **dict.fromkeys(("449868002", "428041000124106", "428071000124103", "428061000124105", "77176002", "65568007",
                     "LA18976-3", "LA18977-1", "LA18981-3", "LA18982-1"), "current"),
    **dict.fromkeys(("8517006", "LA15920-4"), "former"), **dict.fromkeys(("266919005", "LA18978-9"), "never")}


@dataclass(frozen=True)
class DerivedFeatures:
    """Features that follow from the record at its index date; null where an input is unknown.

    - ``bmi`` (kg/m2), ``creatinine-clearance`` (Cockcroft-Gault, mL/min): adults only, from the newest recent values;
      no clearance where the laboratory later reports an eGFR that is another by a quarter or more
      (``creatinine-outdated``).
    - ``egfr`` (mL/min/1.73 m2): CKD-EPI 2021 for adults; bedside Schwartz from 1 year on, with a recent height; what
      the laboratory reports where that is later than the creatinine, or of its day and neither can be worked out.
    - ``child-pugh`` (points) and ``child-pugh-missing``, which names the inputs that the record lacks, and why one that
      it holds is none: an INR under an oral anticoagulant, a value that is too old or cannot be used.
    - ``egfr-trend``: change of ``egfr`` a year over the last two years, of adults, from three values of creatinine on.
    - ``pregnant``; ``breastfeeding``; ``smoking-status`` (current, former, never); ``pack-years``.
    - ``target-inr``: what the INR is meant to be, by the newest dated goal that is pursued; of a range, its middle.
    - ``latest:<LOINC>``: the latest value, of serum or whole blood; unknown where it is too old to tell of today
      (``pmed.measured``: an INR after 30 days, potassium after 90, most after ``recent_days``).
    - ``trend:<LOINC>``: change a year over the last two years, from three values on.
    - ``condition:<group>`` of ``pmed.normalise.codes``: true where a coded condition, active or past, is in the group.
      False needs a list of conditions that could all be read; a doubted diagnosis, or one that only speaks of the
      group in its text, leaves it unknown.
    """

    name: ClassVar[str] = "derived"
    needs: ClassVar[tuple[str, ...]] = ("patients", "conditions", "observations", "medications")
    gives: ClassVar[tuple[str, ...]] = (
        "bmi", "egfr", "egfr-trend", "creatinine-clearance", "creatinine-outdated", "child-pugh", "child-pugh-missing",
        "pregnant", "breastfeeding", "smoking-status", "pack-years", "target-inr", "latest:*", "trend:*", "condition:*")

    recent_days: float = option(365.0, doc="How old a laboratory value or weight may be to count.", unit="d",
                                low=1.0, high=36500.0)

    def names(self) -> dict[str, str]:
        """Every group of conditions, and measurement, also by the codes that count as it."""
        measured = {f"{kind}{code}": f"{kind}{target}" for kind in (LATEST, TREND)
                    for code, (target, _) in CODES.items()}
        return {**measured, **{f"{CONDITION}{group}": f"{CONDITION}{group}" for group in groups()}}

    def run(self, tables: Tables, wanted: Sequence[str]) -> dict[str, pl.DataFrame]:
        """One row a patient of ``samples`` and ``patients``, with the wanted features."""
        people = people_of(tables)
        values = _without_old_heights(people, usable(people, table_of(tables, "observations"), _codes(wanted)))
        frame = person(people).drop("ancestry").lazy()
        parts = [_of_the_liver(self._newest(people, values), table_of(tables, "medications")),
                 self._series(values, wanted), _kidneys(frame, values), _answers(people, tables),
                 _conditions(people, table_of(tables, "conditions"), table_of(tables, "issues"),
                             tuple(dict.fromkeys([*_asked(wanted, CONDITION), *_STATES, *_SIGNS]))).lazy()]
        for part in parts:
            frame = frame.join(part, on="patient_id", how="left", maintain_order="left")
        made = frame.with_columns(_formulas()).with_columns(_child_pugh_missing())
        absent = [pl.lit(None, pl.Boolean).alias(f"{CONDITION}{name}") for name in _asked(wanted, CONDITION)
                  if name not in groups()]
        return {"features": made.with_columns(absent).select("patient_id", *dict.fromkeys(wanted)).pipe(as_written)}

    def _newest(self, people: pl.DataFrame, values: pl.LazyFrame) -> pl.LazyFrame:
        """The newest value of each input of the formulas that is recent enough."""
        oldest = pl.col("index_date") - timedelta(days=self.recent_days)
        recent = values.filter(pl.col("start") >= oldest)
        inputs = {"_weight": (_WEIGHT,), "_recent_height": (_HEIGHT,), "_creatinine": _CREATININE,
                  "_bilirubin": _BILIRUBIN, "_albumin": _ALBUMIN, "_inr": _INR, "_egfr": _EGFR}
        found = recent.group_by("patient_id").agg(
            *(_last(codes).alias(name) for name, codes in inputs.items()),
            *(_last(inputs[name], "start").alias(f"{name}_day") for name in ("_inr", "_creatinine", "_egfr")))
        why = [self._unused(codes, oldest).alias(f"{name}-why") for name, codes in inputs.items() if name in _LABS]
        ever = values.group_by("patient_id").agg(_last((_HEIGHT,)).alias("_height"),
                                                 _last((_PACK_YEARS,)).alias("pack-years"),
                                                 _last(_INR_GOAL).alias("target-inr"), *why)
        return people.lazy().select("patient_id").join(found, on="patient_id", how="left").join(
            ever, on="patient_id", how="left")

    def _series(self, values: pl.LazyFrame, wanted: Sequence[str]) -> pl.LazyFrame:
        """``latest:`` and ``trend:`` of each code that is asked for."""
        late = pl.col("start") >= pl.col("index_date") - timedelta(days=_TREND_DAYS)
        latest = [pl.when(recent(code, self.recent_days)).then("value").filter(
            pl.col("canonical_code").is_in(same(code))).last().alias(f"{LATEST}{code}")
            for code in _asked(wanted, LATEST)]
        trends = []
        for code in _asked(wanted, TREND):
            chosen = (pl.col("canonical_code") == code).fill_null(value=False) & late & pl.col("value").is_not_null()
            trends.append(derived.slope_a_year(pl.col("value").filter(chosen), pl.col("start").filter(chosen))
                          .alias(f"{TREND}{code}"))
        return values.group_by("patient_id").agg(*latest, *trends)

    def _unused(self, codes: Sequence[str], oldest: pl.Expr) -> pl.Expr:
        """Why the latest measurement is no input; null where there is none, or where it is one."""
        measured = pl.col("canonical_code").is_in(codes)
        return pl.when(pl.col("start") < oldest).then(pl.lit(f"older than {self.recent_days:g} days")).when(
            pl.col("value").is_null()).then(pl.lit("latest value not usable")).filter(measured).last()


# Group → how long (days) an active entry says that it is so, and the column that says whether it is.
_STATES = {"pregnancy": (_PREGNANCY_DAYS, "_pregnancy"), "breastfeeding": (_NURSING_DAYS, "_nursing")}
_SIGNS = ("ascites", "hepatic-encephalopathy")
_CHILD_PUGH: Mapping[str, str] = {"_bilirubin": "bilirubin", "_albumin": "albumin", "_inr": "INR",
                                  "_ascites": "grade of ascites", "_encephalopathy": "grade of encephalopathy"}
_LABS = ("_bilirubin", "_albumin", "_inr")


def _of_the_liver(newest: pl.LazyFrame, drugs: pl.DataFrame) -> pl.LazyFrame:
    """`newest` without an INR that tells of an anticoagulant."""
    others = under_anticoagulants(newest.select("patient_id", day="_inr_day"), drugs)
    free, told = pl.col("drugs").is_null(), pl.lit("oral anticoagulant taken or perhaps taken")
    return newest.join(others, on="patient_id", how="left", maintain_order="left").with_columns(
        pl.when(free).then("_inr").alias("_inr"), pl.when(free).then("_inr-why").otherwise(told).alias("_inr-why"))


def _asked(wanted: Sequence[str], kind: str) -> list[str]:
    return [name.removeprefix(kind) for name in dict.fromkeys(wanted) if name.startswith(kind)]


def _codes(wanted: Sequence[str]) -> tuple[str, ...]:
    """Every measurement that a formula reads or that is asked for."""
    latest = [one for code in _asked(wanted, LATEST) for one in same(code)]
    return tuple(dict.fromkeys([_WEIGHT, _HEIGHT, _PACK_YEARS, *_CREATININE, *_EGFR, *_BILIRUBIN, *_ALBUMIN, *_INR,
                                *_INR_GOAL, *latest, *_asked(wanted, TREND)]))


def _without_old_heights(people: pl.DataFrame, values: pl.DataFrame) -> pl.LazyFrame:
    """The measurements without the heights that tell nothing of today: those of childhood, of adults."""
    births = people.lazy().select("patient_id", "birth_date")
    ago = (pl.col("index_date") - pl.col("start")).dt.total_days()
    old = (pl.col("canonical_code") == _HEIGHT) & (ago > height_days(pl.col("birth_date"), pl.col("index_date")))
    return values.lazy().join(births, on="patient_id", how="left", maintain_order="left").filter(~old).drop(
        "birth_date")


def _last(codes: Sequence[str], what: str = "value") -> pl.Expr:
    return pl.col(what).filter(pl.col("canonical_code").is_in(codes)).last()


def _kidneys(frame: pl.LazyFrame, values: pl.LazyFrame) -> pl.LazyFrame:
    """``egfr-trend`` from every creatinine of the last two years, each at the age of its day."""
    ago = (pl.col("index_date") - pl.col("start")).dt.total_days()
    known = values.filter(pl.col("canonical_code").is_in(_CREATININE), ago <= _TREND_DAYS).join(frame, on="patient_id")
    rate = derived.ckd_epi_2021(pl.col("value"), pl.col("age") - ago / derived.DAYS_A_YEAR, pl.col("sex"))
    return known.with_columns(rate=rate).drop_nulls("rate").group_by("patient_id").agg(
        derived.slope_a_year(pl.col("rate"), pl.col("start")).alias("egfr-trend"))


def _answers(people: pl.DataFrame, tables: Tables) -> pl.LazyFrame:
    """The newest coded answers on smoking, pregnancy and breast-feeding up to the index date."""
    rows = table_of(tables, "observations").lazy().filter(
        pl.col("system") == LOINC, pl.col("code").is_in(_QUESTIONS),
        pl.col("status").is_in(NOT_DONE).fill_null(value=False).not_())
    dated = rows.join(people.lazy().select("patient_id", "index_date"), on="patient_id").filter(
        pl.col("start") <= pl.col("index_date")).sort("start", "row", maintain_order=True)
    smoking, *within = _QUESTIONS
    smokes = pl.col("value_code").filter(pl.col("code") == smoking).last()
    asked, nursing = (pl.col("value_code").filter(
        (pl.col("code") == code) & (pl.col("start") >= pl.col("index_date") - timedelta(days=days))).last()
        for code, days in zip(within, (_ANSWER_DAYS, _NURSING_ANSWER_DAYS), strict=True))
    return dated.group_by("patient_id").agg(
        smokes.replace_strict(_SMOKING, default=None, return_dtype=pl.String()).alias("smoking-status"),
        asked.replace_strict(_PREGNANT, default=None, return_dtype=pl.Boolean()).alias("_said"),
        nursing.replace_strict(_NURSING, default=None, return_dtype=pl.Boolean()).alias("_nursing_said"))


@unless_repeated
def _conditions(people: pl.DataFrame, conditions: pl.DataFrame, issues: pl.DataFrame,
                names: tuple[str, ...]) -> pl.DataFrame:
    """``condition:`` features, `_STATES` of today, and the signs of liver failure as Child-Pugh points."""
    rows = conditions.with_columns(readable=readable(conditions)).join(
        people.select("patient_id", "index_date"), on="patient_id").filter(
        (pl.col("start") > pl.col("index_date")).fill_null(value=False).not_())
    out = pl.any_horizontal(pl.col(name).is_in(_RULED_OUT).fill_null(value=False)
                            for name in ("status", "verification"))
    rows = rows.with_columns(out=out, doubted=pl.col("verification").is_in(_DOUBTED).fill_null(value=False))
    listed = condition_groups(conditions)
    hits = rows.join(listed, on=["patient_id", "row"])
    spoken = rows.join(left_open(rows, listed), on=["patient_id", "row"])
    hits = pl.concat([hits, spoken.with_columns(doubted=pl.lit(value=True)).select(hits.columns)])
    lists = rows.group_by("patient_id").agg(all_read=(pl.col("readable") | pl.col("out")).all())
    found = hits.group_by("patient_id").agg(
        sure=pl.col("group").filter(~pl.col("out") & ~pl.col("doubted")),
        doubtful=pl.col("group").filter(~pl.col("out") & pl.col("doubted")),
        refuted=pl.col("group").filter(pl.col("out") & (pl.col("verification") == "refuted")),
        **{column: _now(name, days) for name, (days, column) in _STATES.items()})
    judged = people.join(lists, on="patient_id", how="left").join(found, on="patient_id", how="left")
    closed = pl.col("all_read").fill_null(value=False) & ~lost(issues, "Condition")
    return judged.select(
        "patient_id", *(column for _, column in _STATES.values()),
        *(_has(name, closed) for name in names if name in groups()),
        *(_sign(name).alias(column) for name, column in zip(_SIGNS, ("_ascites", "_encephalopathy"), strict=True)))


def _now(group: str, days: int) -> pl.Expr:
    """Whether an active entry of the group, not older than `days` where it is dated, is beyond doubt."""
    current = pl.col("active") & (pl.col("start") >= pl.col("index_date") - timedelta(days=days)).fill_null(value=True)
    return (current & (pl.col("group") == group) & ~pl.col("out") & ~pl.col("doubted")).any()


def _has(name: str, closed: pl.Expr) -> pl.Expr:
    sure, doubtful = (pl.col(column).list.contains(name).fill_null(value=False) for column in ("sure", "doubtful"))
    return (pl.when(sure).then(pl.lit(value=True)).when(closed & ~doubtful).then(pl.lit(value=False))
            .alias(f"{CONDITION}{name}"))


def _sign(name: str) -> pl.Expr:
    """1 point where the sign was looked for and ruled out. A code does not grade it, and absence is not "none"."""
    there = pl.any_horizontal(pl.col(column).list.contains(name).fill_null(value=False)
                              for column in ("sure", "doubtful"))
    return pl.when(pl.col("refuted").list.contains(name) & ~there).then(1)


@cache
def _formulas() -> list[pl.Expr]:
    creatinine, weight, age, sex = (pl.col(name) for name in ("_creatinine", "_weight", "age", "sex"))
    own = pl.coalesce(derived.ckd_epi_2021(creatinine, age, sex),
                      derived.schwartz_bedside(creatinine, age, pl.col("_recent_height")))
    later = (pl.col("_egfr_day") - pl.col("_creatinine_day")).dt.total_days()
    # The creatinine of that day is not on record: an earlier one may be of kidneys that were better, or worse.
    other = (later > 0).fill_null(value=False) & ((pl.col("_egfr") / own - 1).abs() >= _ANOTHER).fill_null(value=True)
    return [
        # A growing child's height of long ago says nothing of today's.
        pl.when(age >= 18).then(derived.bmi(weight, pl.col("_height"))).alias("bmi"),
        # What is older says nothing of today's kidneys: the later of the two, as the laboratory's of one day the other.
        pl.when(later > 0).then("_egfr").when(later < 0).then(own).otherwise(pl.coalesce(own, "_egfr")).alias("egfr"),
        pl.when(creatinine.is_not_null()).then(other).alias("creatinine-outdated"),
        pl.when(~other).then(derived.cockcroft_gault(creatinine, age, weight, sex)).alias("creatinine-clearance"),
        derived.child_pugh(*(pl.col(name) for name in _CHILD_PUGH)).alias("child-pugh"),
        derived.pregnant(pl.col("_pregnancy"), pl.col("_said"), sex, age).alias("pregnant"),
        derived.breastfeeding(pl.col("_nursing"), pl.col("_nursing_said"), sex, age).alias("breastfeeding"),
    ]


@cache
def _child_pugh_missing() -> pl.Expr:
    whys = {column: pl.format(" ({})", f"{column}-why").fill_null("") for column in _LABS}
    names = [pl.when(pl.col(column).is_null()).then(pl.concat_str(pl.lit(name), whys.get(column, pl.lit(""))))
             for column, name in _CHILD_PUGH.items()]
    return pl.when(pl.col("child-pugh").is_null()).then(pl.concat_str(names, separator=", ", ignore_nulls=True)).alias(
        "child-pugh-missing")
