"""Results that nothing can use, and that are told where they may be wanted: of local codes, and without a date.

Which measurement a local code means is never guessed. The name is only used to say so: where it speaks of a measurement
that pmed looks for.
"""

from __future__ import annotations

import polars as pl

from ..tables import TABLES
from .loinc import LOINC
from .units import CODES, GOAL, GOALS

CODE = "local-code"
_WORDS = (r"(?i)\b(?:[ck]reatinine?|krea|crea|potassium|kalium|sodium|natrium|h(?:ae|e|\u00e4)moglobin|hgb|(?:hb)?a1c"
          r"|platelets?|plt|thrombo[cz]yt(?:e|en|es)|e?gfr|bilirubin|albumin|glucose|glukose|[ck]alcium|kalzium|magnesium"
          r"|lithium|ldl|cholesterol|cholesterin|triglyceri\w+|crp|bun|harnstoff|wbc|leu[kc]o[cz]yt(?:e|en|es)"
          r"|(?:body )?weight|(?:k(?:\u00f6|oe)rper)?gewicht|height|k(?:\u00f6|oe)rpergr(?:\u00f6|oe)(?:\u00df|ss)e|bmi"
          r"|blood pressure|blutdruck|heart rate|herzfrequenz|ejection fraction|lvef"
          r"|(?-i:ALT|ALAT|GPT|SGPT|AST|ASAT|GOT|SGOT|QTc?|K|Na))\b")
_INR = r"(?i)\b(?:INR|international normali[sz]ed)\b"
# Of another specimen, or another measurement with the same word in its name.
_OTHER = (r"(?i)urin|\b(?:u|csf|liquor|stuhl|stool|fluid|punktat|aszites|ascites|sweat|gastric|clearance|ratio|quotient"
          r"|antibod\w*|antik(?:\u00f6|oe)rper|comment|kommentar|target|ziel|goal|volume|width|large|aggregation"
          r"|function\w*|free|fetal|corpuscular|birth|geburt\w*|ideal|lean|loss|gain|change|pre-?albumin|mikroalbumin"
          r"|microalbumin|glycated albumin|estimated average|fetus|tolerance)\b")
_FORM = r"^\d{1,7}-\d$"
_FIGURE = 9  # the greatest
_LONGEST = 60  # characters of a name
_SAME = ("system", "code", "display")


def unused(observations: pl.DataFrame) -> pl.DataFrame:
    """``issues`` of all that nothing can use; `observations` have gone through ``canonical_units``."""
    return pl.concat([local_codes(observations), misspelt(observations), undated(observations)])


def local_codes(observations: pl.DataFrame) -> pl.DataFrame:
    """``issues``: one row for each patient, code and name of results without a LOINC code that may be wanted."""
    told = pl.any_horizontal(pl.col("value", "value_text", "value_code").is_not_null())
    own = observations.lazy().filter(told, pl.col("system").is_in([LOINC, GOALS]).fill_null(value=False).not_())
    counted = own.group_by("patient_id", *_SAME, maintain_order=True).agg(pl.len(), source=pl.col("source").first())
    name = pl.coalesce("display", "code")
    known = pl.col("code").str.strip_chars().is_in([*CODES])  # a code of LOINC that does not say so
    wanted = counted.filter(
        (name.str.contains(_WORDS) & ~name.str.contains(_OTHER)) | name.str.contains(_INR) | known)
    text = pl.format(
        "'{}' ({}) may be a measurement that is looked for, and has no LOINC code: it is not used (results: {}); let "
        "the source send the LOINC code, or name it in a mapping file",
        name.str.slice(0, _LONGEST), pl.col("code").fill_null("-"), "len")
    return _told(wanted, "info", CODE, text)


def undated(observations: pl.DataFrame) -> pl.DataFrame:
    """``issues``: one row for each patient and measurement with results of which nobody knows when they were."""
    of_unknown_time = observations.lazy().filter(
        pl.col("canonical_code").is_not_null(), pl.col("start").is_null(),
        ~pl.col("canonical_code").str.starts_with(GOAL), pl.any_horizontal(pl.col("value", "value_text").is_not_null()))
    counted = of_unknown_time.group_by("patient_id", "canonical_code", maintain_order=True).agg(
        pl.len(), source=pl.col("source").first())
    text = pl.format("LOINC {}: without a date a result is not used (results: {}); the latest value may be another",
                     "canonical_code", "len")
    return _told(counted, "warning", "undated-result", text)


def misspelt(observations: pl.DataFrame) -> pl.DataFrame:
    """``issues``: one row for each patient and code said to be of LOINC that has a wrong check digit (its last one)."""
    of_loinc = pl.col("system") == LOINC
    met = observations.lazy().filter(of_loinc).select(pl.col("code").unique()).filter(
        pl.col("code").str.contains(_FORM)).collect()["code"]
    bad = [one for one in met if not _is_right(one)]
    wrong = observations.lazy().filter(of_loinc, pl.col("code").is_in(bad)).group_by(
        "patient_id", "code", maintain_order=True).agg(pl.len(), source=pl.col("source").first())
    text = pl.format("'{}' is no code of LOINC, by its check digit: it is not used (results: {})", "code", "len")
    return _told(wrong, "warning", "bad-loinc", text)


def _is_right(code: str) -> bool:
    """Whether the check digit fits (modulus 10, every other figure doubled from the right)."""
    number, check = code.split("-")
    doubled = [int(one) * (2 - place % 2) for place, one in enumerate(reversed(number))]
    return (sum(one - _FIGURE if one > _FIGURE else one for one in doubled) + int(check)) % 10 == 0


def _told(rows: pl.LazyFrame, severity: str, code: str, text: pl.Expr) -> pl.DataFrame:
    origin = pl.col("source").fill_null("unknown").str.splitn("#", 2).struct
    return rows.select(
        file=origin.field("field_0"), place=origin.field("field_1"), severity=pl.lit(severity), code=pl.lit(code),
        text=text, patient_id="patient_id").cast(
        {column: kind.dtype for column, kind in TABLES["issues"].columns.items()}).collect()
