"""Building blocks for predictors: typed inputs, reasons for not assessing, and the ``predictions`` table.

A predictor says what it needs, what it refuses and how to compute; these functions make the rows. All are polars
expressions or frame → frame, so a predictor stays a pure function of its columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cache
from importlib.resources import files
from math import isnan
from typing import Any, Final

import polars as pl

from .plans import as_written

# "No known food allergy" and the like (SNOMED CT; the International Patient Summary's own) say nothing of medicines.
_NO_OTHER_ALLERGY: Final = ("429625007", "428607008", "716184000", "no-known-food-allergies",
                            "no-known-environmental-allergies")
_NO_OTHER: Final = r"(?i)^\s*no (known )?(food|environmental|latex) allerg"
# "No information about allergies" (the International Patient Summary's own; data-absent reasons; null flavours of HL7),
# in words or as a mark in a cell, is no list. Neither is "None", which programs write where nothing was entered.
_NOT_ASKED: Final = ("no-allergy-info", "unknown", "not-asked", "asked-unknown", "asked-declined", "unk", "nask",
                     "asku", "ni", "nav")
_NO_ANSWER: Final = (
    r"(?i)^\W*(?:allerg(?:y|ies|ien?)\W*(?:status\W*)?)?(?:unknown|not known|unsure|not (?:asked|assessed|recorded"
    r"|documented|on file|available|reviewed)|unable to (?:obtain|assess)|no information(?: (?:about|on) allergies)?"
    r"|n/?a|nan|null|none|nil|unbekannt|nicht (?:bekannt|erhoben|erfragt)|k\.?\s?a\.?|keine angaben?)?\W*$")
# The half-life of phenprocoumon, the longest, is about 160 hours: after four weeks a sixteenth is left.
_GONE: Final = timedelta(days=28)
# Such an entry was never taken; "active" that is not so, and has no end, is a proposal, a ban, or not yet begun.
_NEVER_TAKEN: Final = ("active", "draft", "intended", "cancelled", "declined", "not-taken", "not-done",
                       "entered-in-error")
_RESOURCE: Final = (r"\b(AllergyIntolerance|Condition|DiagnosticReport|Encounter|FamilyMemberHistory|Goal|Immunization|"
                    r"Medication[A-Za-z]*|Observation|Patient|Procedure)\b")
_DTYPES: Final = {bool: pl.Boolean(), float: pl.Float64(), str: pl.String()}


def inputs(features: pl.DataFrame, reference: Mapping[str, Any]) -> pl.DataFrame:
    """patient_id and the columns of `reference`, typed as its values; absent columns and NaN become null."""
    known = set(features.columns)
    return pl.DataFrame([features["patient_id"], *(
        _typed(features[name] if name in known else pl.Series(name, [None] * features.height, dtype=pl.Null()), value)
        for name, value in reference.items())])


def _typed(column: pl.Series, example: Any) -> pl.Series:
    # Column by column: for the frame of one patient that takes a tenth of a selection of as many expressions.
    dtype = _DTYPES[type(example)]
    typed = column if column.dtype == dtype else column.cast(dtype)
    # A sum with NaN in it is NaN, and is found faster than NaN is replaced.
    return typed.fill_nan(None) if isinstance(example, float) and isnan(typed.sum()) else typed


def needs(names: Sequence[str], shown: Mapping[str, str] | None = None) -> pl.Expr:
    """``needs a, b`` naming the inputs that are null (by the name `shown` gives them); null where none is."""
    words = {**{name: name for name in names}, **(shown or {})}
    unknown = [pl.when(pl.col(name).is_null()).then(pl.lit(words[name])) for name in names]
    missing = pl.concat_str(unknown, separator=", ", ignore_nulls=True)
    return pl.when(missing != "").then("needs " + missing)


def lists_medicines() -> pl.Expr:
    """Rows of ``medications`` by which a record lists medicines: all but those that say that none was taken once.

    Whether somebody takes a medicine that is not found is unknown where no row of the record lists any.
    """
    return pl.col("active").fill_null(value=True) | (pl.col("ingredients").list.len() != 0).fill_null(value=True)


def lists_allergies() -> pl.Expr:
    """Rows of ``allergies`` by which a record lists allergies to medicines, or says that there are none now.

    Whether somebody is allergic to a medicine that is not found is unknown where no row of the record is one of these.
    """
    once = ~pl.col("active").fill_null(value=True) & (pl.col("ingredients").list.len() == 0).fill_null(value=False)
    code, text = pl.col("code").str.to_lowercase(), pl.col("display")
    other = code.is_in([*_NO_OTHER_ALLERGY, *_NOT_ASKED]) | text.str.contains(_NO_OTHER)
    return ~once & ~other.fill_null(value=False) & ~_without_answer()


def _without_answer() -> pl.Expr:
    """Rows of ``allergies`` that name nothing, and do not say that there is none."""
    named = pl.col("ingredients").is_not_null()
    return ~named & (pl.col("display").str.contains(_NO_ANSWER) | (
        pl.col("display").is_null() & pl.col("code").is_null())).fill_null(value=False)


@cache
def oral_anticoagulants() -> list[str]:
    """Ingredients by which an INR is changed (ATC B01AA, B01AE, B01AF)."""
    text = (files(__package__) / "normalise" / "data" / "oral_anticoagulants.tsv").read_bytes()
    return pl.read_csv(text, separator="\t")["ingredient"].to_list()


def under_anticoagulants(measured: pl.LazyFrame, medications: pl.DataFrame) -> pl.LazyFrame:
    """Who of `measured` (patient_id, and the `day` of an INR) has one that tells of a medicine, not of the liver.

    That is who takes an oral anticoagulant, or may; and who took one, or may have, on that day or in the four weeks
    before it: where an entry that is over has no end, it may have been any day from its start on.

    Returns:
        Their patient_id, each once, and `drugs`, the names of what was or may have been taken.

    >>> from datetime import date
    >>> from pmed import TABLES
    >>> inr = pl.LazyFrame({"patient_id": ["a", "b"], "day": [date(2026, 3, 2)] * 2})
    >>> over = {"patient_id": "a", "ingredients": oral_anticoagulants(), "active": False, "end": date(2026, 3, 1)}
    >>> under_anticoagulants(inr, TABLES["medications"].frame([over])).collect()["patient_id"].to_list()
    ['a']
    """
    names = [name for name in ("ingredients", "possible_ingredients") if name in medications.columns]
    held = [pl.col(name).cast(pl.List(pl.String())).list.set_intersection(oral_anticoagulants()).fill_null([])
            for name in names]
    taken = medications.with_columns(drugs=pl.concat_list(held)).filter(pl.col("drugs").list.len() > 0)
    if taken.is_empty():
        return pl.LazyFrame(schema={"patient_id": pl.String(), "drugs": pl.String()})
    now = pl.col("active").fill_null(value=True)
    # What was given once was over the same day.
    end = pl.coalesce("end", pl.when(pl.col("kind") == "administration").then("start"))
    never = pl.col("status").is_in(_NEVER_TAKEN).fill_null(value=False) & pl.col("end").is_null()
    spans = taken.lazy().filter(now | ~never).select("patient_id", "drugs", "start", now=now, gone=end + _GONE)
    before = (pl.col("day") < pl.col("start")).fill_null(value=False)
    after = (pl.col("day") > pl.col("gone")).fill_null(value=False)
    told = measured.join(spans, on="patient_id").filter(pl.col("now") | ~(before | after))
    return told.group_by("patient_id").agg(
        pl.col("drugs").explode(empty_as_null=False).unique().sort().str.join(", "))


def lost(issues: pl.DataFrame, kind: str) -> pl.Expr:
    """Patients of whom an entry of that kind had to be left out while reading, or one that may be of that kind.

    What is not found on such a record is unknown, not absent.

    Args:
        issues: The table.
        kind: Names of FHIR resources, as a regular expression. A place that names no resource (a file, a line of a
            table, a segment, a page that was not given) may hold any.
    """
    place = pl.col("place").fill_null("")
    # Of two records of one person each may hold anything.
    two = (pl.col("code") == "merge-not-followed") & (pl.col("severity") == "warning")
    gone = issues.filter((pl.col("severity") == "error") | (pl.col("code") == "more-pages") | two,
                         two | place.str.contains(rf"\b(?:{kind})\b") | ~place.str.contains(_RESOURCE))
    return pl.col("patient_id").is_in(gone["patient_id"].drop_nulls().unique().to_list())


def outside(name: str, low: float, high: float, unit: str) -> pl.Expr:
    """Says that a number is outside `low` to `high`; null where it is inside or null."""
    text = pl.format(f"{name} {{}} is outside {low:g} to {high:g} {unit}".rstrip(), number(pl.col(name), 2))
    return pl.when(~pl.col(name).is_between(low, high)).then(text)


def all_reasons(*reasons: pl.Expr) -> pl.Expr:
    """All reasons in one text, null where there is none."""
    text = pl.concat_str(reasons, separator="; ", ignore_nulls=True)
    return pl.when(text != "").then(text)


def number(value: pl.Expr, digits: int = 1) -> pl.Expr:
    """A number as text, rounded, without a useless ``.0``."""
    return value.round(digits).cast(pl.String).str.strip_suffix(".0")


def signed(value: pl.Expr) -> pl.Expr:
    """A term as text with its sign, four decimals; ``0`` where it adds nothing."""
    sign = pl.when(value < 0).then(pl.lit("−")).otherwise(pl.lit("+"))
    return pl.when(value == 0).then(pl.lit("0")).otherwise(sign + value.abs().round(4).cast(pl.String))


def predictions(features: pl.DataFrame, *, target: str, value: pl.Expr, unit: str, reason: pl.Expr,
                label: pl.Expr | None = None) -> pl.DataFrame:
    """One row a patient of the ``predictions`` table; a row with a `reason` is not assessed and has no value.

    Args:
        features: One row a patient.
        target: What is predicted.
        value: The prediction, in `unit`.
        unit: Clinical unit (UCUM or plain).
        reason: Text where the patient cannot be assessed (see `needs`, `outside`, `all_reasons`), else null.
        label: The value in words.

    >>> frame = pl.DataFrame({"patient_id": ["a", "b"], "weight": [80.0, None]})
    >>> predictions(frame, target="dose", value=pl.col("weight") / 2, unit="mg", reason=needs(["weight"]))["reason"]
    shape: (2,)
    Series: 'reason' [str]
    [
        null
        "needs weight"
    ]
    """
    # Three columns look at the reason, and it is long: it is worked out once.
    assessed, words = pl.col("_reason").is_null(), pl.lit(None) if label is None else label
    status = pl.when(assessed).then(pl.lit("assessed")).otherwise(pl.lit("not-assessed"))
    return features.lazy().with_columns(_reason=reason.cast(pl.String)).select(
        "patient_id", target=pl.lit(target), value=pl.when(assessed).then(value.cast(pl.Float64)), unit=pl.lit(unit),
        low=pl.lit(None, dtype=pl.Float64), high=pl.lit(None, dtype=pl.Float64),
        label=pl.when(assessed).then(words.cast(pl.String)), status=status, reason="_reason").pipe(as_written)


def steps(features: pl.DataFrame, *, target: str, texts: Sequence[pl.Expr]) -> pl.DataFrame:
    """The ``traces`` rows of a target: each patient's `texts` numbered from 1; a text that is null is left out."""
    listed = features.select("patient_id", text=pl.concat_list(texts))
    long = listed.explode("text", empty_as_null=False).drop_nulls("text")
    step = pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over("patient_id")
    return long.select("patient_id", target=pl.lit(target), step=step, text="text")
