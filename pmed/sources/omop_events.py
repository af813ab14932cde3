"""Rows of the clinical OMOP tables → frames as recorded.

OMOP records no status. A medicine has a period of exposure instead: from its start to its end, or for its days of
supply. The table must have an end even where the source knows none, and then often repeats the start: an end on the day
of the start, with no supply and no ``verbatim_end_date``, is therefore unknown (unless the medicine was administered).
A prescription ends with its first supply, whatever its refills are: until these would be used up nothing is known.
"""

from __future__ import annotations

import polars as pl

from ..normalise.loinc import LOINC
from ..normalise.remarks import OF_DIAGNOSES, UNSURE
from ..normalise.units import differ
from ..tables import Tables
from .omop_cdm import LAYOUTS, told
from .omop_concepts import CVX, UCUM, coded, named
from .omop_doses import with_doses
from .record_dates import first_day, is_bad

# drug_type_concept_id, older and newer ones (Type Concept vocabulary)
_KINDS = {
    **dict.fromkeys((38000177, 32833, 32838, 32839), "order"),
    **dict.fromkeys((38000175, 38000176, 581452, 32825, 32869), "dispense"),
    **dict.fromkeys((38000179, 38000180, 581373, 32818), "administration"),
    **dict.fromkeys((38000178, 44787730, 32830, 32865), "statement"),
}
_EQUAL = 4172703
_LIMITS = {4171756: "<", 4171754: "<=", 4172704: ">", 4171755: ">="}
_VERIFICATION = {32899: "provisional", 4033240: "provisional", 32893: "confirmed"}
_HISTORY_OF = 4188893
# Of a relative, or what was done about allergies; and what a question is answered with.
_NOT_HIS = r"famil|\btests?\b|screen|immunother|\bige\b|counsel"
# Of diagnoses only those that name what may be a medicine: not "allergic rhinitis", "lactose intolerance" or pollen. By
# any of them the record would count as one that lists allergies.
_TO_WHAT = (r"\b(?:allergy(?: status)?|hypersensitivity|intolerance|adverse reaction) to\b|illin allergy\b"
            r"|\bdrug allergy\b")
_MILLIGRAMS = r"(?i)(?:^|[^\d.,/-])\d+(?:\.\d+)? ?mg\b(?:[^/]|$)"
_NO_MEDICINE = (r"\b(?:pollen|grass|ragweed|tree|dust|mite|mold|mould|food|nut|peanut|milk|lactose|egg|fish|shellfish"
                r"|seafood|wheat|gluten|soy|fruit|animal|dander|cat|dog|insect|bee|wasp|venom|sting|latex|nickel|metal|plant"
                r"|perfume|cosmetic|environment|cold|heat|sun|exercise)s?\b")
_ANSWERS_YES, _ANSWERS_NO = ("yes", "true", "1", "present", "positive"), ("no", "false", "0", "absent", "negative")
_VISITS = {9201: "inpatient", 262: "inpatient", 9202: "ambulatory", 9203: "emergency"}
_MOST_REFILLS = 99
_LONGEST_SUPPLY = 36525  # days; more is a slip of the pen
_ORIGIN = {"patient_id": pl.col("person_id").cast(pl.String), "file": pl.col("file"), "place": pl.col("place"),
           "source": pl.col("source")}
_CODED = ("system", "code", "display")


def empty(table: str) -> pl.DataFrame:
    """No rows of a table that is not there."""
    kinds = {"a whole number": pl.Int64, "a number": pl.Float64}
    columns = {name: kinds.get(kind, pl.String) for name, kind in LAYOUTS[table].columns.items()}
    return pl.DataFrame(schema={**columns, **dict.fromkeys(("file", "place", "source"), pl.String)})


def frames(tables: Tables, concepts: pl.DataFrame, contents: pl.DataFrame,
           issues: list[pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Frames as recorded; `contents` has the strengths of drugs, and the ingredients where names do not tell."""
    drugs = _drugs(coded(tables["drug_exposure"], "drug", concepts, issues), concepts, contents, issues)
    measured = _measured(tables["measurement"], "measurement", concepts, issues)
    observed = _measured(tables["observation"].with_columns(operator_concept_id=pl.lit(None, pl.Int64)), "observation",
                         concepts, issues)
    vaccine = pl.col("system").eq_missing(CVX)
    conditions = _conditions(coded(tables["condition_occurrence"], "condition", concepts, issues), issues)
    return {
        "medications": drugs.filter(~vaccine),
        "immunizations": drugs.filter(vaccine).select(*_ORIGIN, *_CODED, "start"),
        "conditions": conditions,
        "observations": pl.concat([measured, observed]).drop("answer_system"),
        "allergies": pl.concat([_allergies(observed), _diagnosed_allergies(conditions)]),
        "procedures": _procedures(coded(tables["procedure_occurrence"], "procedure", concepts, issues), issues),
        "encounters": _visits(coded(tables["visit_occurrence"], "visit", concepts, issues), issues),
    }


def _ended(rows: pl.DataFrame, start: str, end: str, issues: list[pl.DataFrame]) -> pl.DataFrame:
    """An end before the start is a slip of the pen in one of them."""
    before = first_day(pl.col(end)) < first_day(pl.col(start))
    issues.append(told(rows.filter(before), "warning", "end-before-start",
                       "the end is before the start; the end stays unknown"))
    return rows.with_columns(pl.when(~before.fill_null(value=False)).then(end).alias(end))


def _drugs(rows: pl.DataFrame, concepts: pl.DataFrame, contents: pl.DataFrame,
           issues: list[pl.DataFrame]) -> pl.DataFrame:
    known = named(rows, "route_concept_id", concepts, "display").join(
        contents, on="drug_concept_id", how="left", maintain_order="left")
    timed = _exposures(known.with_columns(kind=pl.col("drug_type_concept_id").replace_strict(
        _KINDS, default=None, return_dtype=pl.String)), issues)
    stopped = pl.col("stop_reason").is_not_null()
    issues.append(told(timed.filter(stopped), "info", "stop-reason",
                       "a reason why it was stopped: until its end it may be taken no more"))
    route = pl.coalesce("route_concept_id.display", "route_source_value")
    doses = {name: name for name in ("dose", "dose_unit", "per_day", "strength", "strength_unit", "daily_dose")}
    other = _is_of_another_strength()
    issues.append(told(timed.filter(other), "warning", "dose-conflict",
                       "drug_source_value names another strength than the concept; the dose stays unknown"))
    sure = timed.with_columns(pl.when(~other).then(pl.col(name)).alias(name) for name in ("strength", "sig"))
    # Pieces without a strength of the vocabulary's are counted; the name may tell it.
    silent = pl.all_horizontal(pl.col("dose", "daily_dose", "strength").is_null())
    return with_doses(sure, issues).select(
        **_ORIGIN, system="system", code="code", display=_with_ingredients(), also=_as_at_the_source(), start="start",
        end="end", route=route, kind="kind", exposure=pl.col("end").is_not_null() & ~is_bad(pl.col("end")),
        stopped=stopped, refilled="refilled", sig=pl.when(silent).then("sig"), **doses)


def _is_of_another_strength() -> pl.Expr:
    """Whether the source's text and the concept's name have one strength each, in mg, and not the same."""
    one, other = (pl.col(name).str.extract_all(_MILLIGRAMS) for name in ("drug_source_value", "display"))
    numbers = [found.list.first().str.extract(r"([\d.]+)").cast(pl.Float64, strict=False) for found in (one, other)]
    single = (one.list.len() == 1) & (other.list.len() == 1)
    return (single & (numbers[0] != numbers[1])).fill_null(value=False)


def _with_ingredients() -> pl.Expr:
    """The name, and the ingredients in brackets where it does not tell them: a brand, a pack whose name is cut off."""
    return pl.when(pl.col("ingredients").is_null()).then("display").otherwise(
        pl.format("{} [{}]", "display", "ingredients"))


def _as_at_the_source() -> pl.Expr:
    """What the source calls it, where another name is used: the mapping of its codes may be wrong."""
    name = pl.col("drug_source_value")
    return pl.when(name.ne_missing(pl.col("display")) & name.str.contains("[A-Za-z]{3}")).then(name)


def _exposures(rows: pl.DataFrame, issues: list[pl.DataFrame]) -> pl.DataFrame:
    """`start` and `end` of taking; the end is null where it is not known."""
    start, supply = pl.col("drug_exposure_start_date"), pl.col("days_supply")
    too_long = (supply > _LONGEST_SUPPLY) | (supply < 0)
    issues.append(told(rows.filter(too_long), "warning", "bad-value",
                       f"days_supply is not within 0 and {_LONGEST_SUPPLY}; it stays unknown"))
    dated = _ended(rows.with_columns(
        start=start, end=pl.coalesce("verbatim_end_date", "drug_exposure_end_date")), "start", "end", issues)
    days = pl.when((supply > 0) & (supply <= _LONGEST_SUPPLY)).then(supply)
    supplied = first_day(pl.col("start")).dt.offset_by(pl.format("{}d", days.cast(pl.Int64))).cast(pl.String)
    filled_in = (pl.col("end") == pl.col("start")) & pl.col("verbatim_end_date").is_null() & pl.col("kind").ne_missing(
        "administration")
    made = dated.with_columns(
        end=pl.when(filled_in.fill_null(value=False) | pl.col("end").is_null()).then(supplied).otherwise("end"))
    issues.append(told(made.filter(pl.col("end").is_null()), "warning", "no-duration",
                       "neither an end after the start nor days of supply: whether it is still taken is unknown"))
    return made.with_columns(refilled=_refilled(days))


def _refilled(days: pl.Expr) -> pl.Expr:
    """The day on which the refills are used up; null where there are none, or it was given or stopped."""
    first, last, refills = first_day(pl.col("start")), first_day(pl.col("end")), pl.col("refills")
    length = pl.coalesce(days, (last - first).dt.total_days().cast(pl.Float64))
    again = refills.is_between(1, _MOST_REFILLS) & length.is_between(1, _LONGEST_SUPPLY / _MOST_REFILLS)
    open_ = pl.col("kind").ne_missing("administration") & pl.col("stop_reason").is_null()
    more = pl.when(again & open_).then((refills * length).cast(pl.Int64)).fill_null(0)
    return pl.when(more > 0).then(last.dt.offset_by(pl.format("{}d", more)))


def _conditions(rows: pl.DataFrame, issues: list[pl.DataFrame]) -> pl.DataFrame:
    """One row a coding: the standard concept and, where it is another, the source's."""
    status = pl.col("condition_status_concept_id")
    dated = _ended(rows.with_columns(start="condition_start_date", end="condition_end_date"), "start", "end", issues)
    one_day = (pl.col("end") == pl.col("start")).fill_null(value=False)
    unsure = pl.col("condition_source_value").str.contains(UNSURE).fill_null(value=False)
    issues.append(told(dated.filter(unsure), "warning", "remark-in-name", "the text doubts or denies the diagnosis, or "
                       "is about a relative: it counts as unconfirmed"))
    issues.append(told(dated.filter(one_day), "info", "no-duration",
                       "ends on the day it was recorded; whether it is still present is unknown"))
    own = dated.select(
        **_ORIGIN, system="system", code="code", display=_with_remark("display"), start="start",
        end=pl.when(~one_day).then("end"), exposure=~one_day,
        status=pl.when(status == _HISTORY_OF).then(pl.lit("inactive")),
        verification=pl.when(unsure).then(pl.lit("unconfirmed")).otherwise(
            status.replace_strict(_VERIFICATION, default=None, return_dtype=pl.String)),
        _system="source_system", _code="source_code", _display=_with_remark("source_display"),
        _row=pl.int_range(pl.len()))
    differs = pl.col("_code").is_not_null() & (
        pl.col("_code").ne_missing(pl.col("code")) | pl.col("_system").ne_missing(pl.col("system")))
    others = own.filter(differs).with_columns(system="_system", code="_code", display="_display")
    return pl.concat([own, others]).sort("_row", maintain_order=True).drop("_row", "_system", "_code", "_display")


def _with_remark(name: str) -> pl.Expr:
    """A name, and in brackets what the source wrote where that speaks against it and the concepts' names do not."""
    said = pl.col("condition_source_value")
    titles = [pl.col(one).str.contains(OF_DIAGNOSES).fill_null(value=False) for one in ("display", "source_display")]
    remark = said.str.contains(OF_DIAGNOSES) & ~pl.any_horizontal(titles)
    return pl.when(remark).then(pl.format('{} ("{}")', name, said)).otherwise(name)


def _measured(table: pl.DataFrame, what: str, concepts: pl.DataFrame, issues: list[pl.DataFrame]) -> pl.DataFrame:
    """A measurement or observation; "< 5" is a limit and no measurement, so it is kept as text only."""
    rows = named(named(coded(table, what, concepts, issues), "value_as_concept_id", concepts, *_CODED),
                 "unit_concept_id", concepts, "system", "code")
    operator, number = pl.col("operator_concept_id"), pl.col("value_as_number")
    # What the hospital wrote may have a sign that the table has lost.
    sign = pl.col("value_source_value").str.extract(r"^\s*([<>]=?)")
    limit = pl.coalesce(operator.replace_strict(_LIMITS, default=None, return_dtype=pl.String), sign)
    plain = operator.fill_null(0).is_in([0, _EQUAL])
    rows = _with_two_units(rows.with_columns(_ucum=pl.when(pl.col("unit_concept_id.system") == UCUM).then(
        "unit_concept_id.code")))
    units, ucum = pl.col("_two"), pl.col("_ucum")
    numbered = rows.filter(number.is_not_null())
    issues += [told(numbered.filter(limit.is_not_null()), "info", "limit-not-value",
                    "a value beyond a limit of measurement is kept as text, not as a number"),
               told(numbered.filter(~plain & limit.is_null()), "warning", "unknown-operator",
                    "operator_concept_id is not known; the value stays unknown"),
               told(numbered.filter(units), "warning", "unit-conflict",
                    "unit_concept_id and unit_source_value are different units; the value stays unknown")]
    words = [name for name in ("value_as_concept_id.display", "value_as_string", "value_source_value")
             if name in rows.columns]
    text = pl.when(number.is_null()).then(pl.coalesce(*words)).when(limit.is_not_null()).then(
        pl.format("{} {}", limit, number)).when(units).then(pl.format("{} {} ({})", number, ucum, "unit_source_value"))
    return rows.select(
        **_ORIGIN, system="system", code="code", display="display", start=_moment(what),
        value=pl.when(plain & limit.is_null() & ~units).then(number), unit=pl.coalesce(ucum, "unit_source_value"),
        value_text=text, value_code="value_as_concept_id.code", answer_system="value_as_concept_id.system")


def _with_two_units(rows: pl.DataFrame) -> pl.DataFrame:
    """With `_two`: whether the unit and the source's are two, and the value was not converted from one to the other."""
    pairs = ["system", "code", "_ucum", "unit_source_value"]
    met = rows.select(pairs).unique()  # spelling a unit takes long
    two = met.with_columns(_two=((pl.col("system") == LOINC) & differ(
        pl.col("code"), pl.col("_ucum"), pl.col("unit_source_value"))).fill_null(value=False))
    source = pl.col("value_source_value").str.strip_chars().cast(pl.Float64, strict=False)
    converted = (source != pl.col("value_as_number")).fill_null(value=False)
    return rows.join(two, on=pairs, how="left", nulls_equal=True, maintain_order="left").with_columns(
        pl.col("_two") & ~converted)


def _moment(what: str) -> pl.Expr:
    """The day, with its time where the datetime is of the same day: 2024-05-01T10:00:00."""
    day, time = pl.col(f"{what}_date"), pl.col(f"{what}_datetime").str.replace(" ", "T", literal=True)
    timed = time.str.starts_with(day) & (time.str.len_bytes() > day.str.len_bytes())
    return pl.when(timed.fill_null(value=False)).then(time).otherwise(day)


def _allergies(observed: pl.DataFrame) -> pl.DataFrame:
    """Observations such as "Allergy to drug" and their value, or "Allergy to aspirin"; they stay observations, too."""
    answer = pl.col("value_text").str.to_lowercase().str.strip_chars()
    rows = observed.filter(_is_about_allergy(), ~answer.is_in(_ANSWERS_NO).fill_null(value=False))
    said = (pl.col("answer_system").is_not_null() | answer.is_not_null()) & ~answer.is_in(_ANSWERS_YES).fill_null(
        value=False)
    own = {"system": "answer_system", "code": "value_code", "display": "value_text"}
    return rows.select("patient_id", "file", "place", "source", "start", **{
        name: pl.when(said).then(value).otherwise(name) for name, value in own.items()})


def _is_about_allergy() -> pl.Expr:
    name = pl.col("display").str.to_lowercase()
    return name.str.contains("allerg|intoleran|adverse reaction|hypersensitiv") & ~name.str.contains(_NOT_HIS)


def _diagnosed_allergies(conditions: pl.DataFrame) -> pl.DataFrame:
    """Diagnoses such as "Allergy to penicillin", of a vocabulary that has them there; they stay diagnoses, too."""
    name = pl.col("display").str.to_lowercase()
    rows = conditions.filter(_is_about_allergy(), name.str.contains(_TO_WHAT), ~name.str.contains(_NO_MEDICINE))
    return rows.select("patient_id", "file", "place", "source", "start", *_CODED)


def _procedures(rows: pl.DataFrame, issues: list[pl.DataFrame]) -> pl.DataFrame:
    dated = _ended(rows.with_columns(start="procedure_date", end="procedure_end_date"), "start", "end", issues)
    return dated.select(**_ORIGIN, system="system", code="code", display="display", start="start", end="end")


def _visits(rows: pl.DataFrame, issues: list[pl.DataFrame]) -> pl.DataFrame:
    dated = _ended(rows.with_columns(start="visit_start_date", end="visit_end_date"), "start", "end", issues)
    kind = pl.col("visit_concept_id").replace_strict(_VISITS, default=None, return_dtype=pl.String)
    return dated.select(**_ORIGIN, system="system", code="code", display="display", start="start", end="end",
                        **{"class": kind})
