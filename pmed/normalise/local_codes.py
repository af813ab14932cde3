"""Results that only have a code of the sender's own: nothing reads them, and it is told where they may be wanted.

Which measurement a local code means is never guessed. The name is only used to say so: where it speaks of a measurement
that pmed looks for.
"""

from __future__ import annotations

import polars as pl

from ..tables import TABLES
from .units import GOALS, LOINC

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
_LONGEST = 60  # characters of a name
_SAME = ("system", "code", "display")


def local_codes(observations: pl.DataFrame) -> pl.DataFrame:
    """``issues``: one row for each code and name of results without a LOINC code that may be wanted."""
    told = pl.any_horizontal(pl.col("value", "value_text", "value_code").is_not_null())
    own = observations.lazy().filter(told, pl.col("system").is_in([LOINC, GOALS]).fill_null(value=False).not_())
    counted = own.group_by(*_SAME, maintain_order=True).agg(
        pl.len(), people=pl.col("patient_id").n_unique(), patient_id=pl.col("patient_id").first(),
        source=pl.col("source").first())
    name = pl.coalesce("display", "code")
    wanted = counted.filter((name.str.contains(_WORDS) & ~name.str.contains(_OTHER)) | name.str.contains(_INR))
    origin = pl.col("source").fill_null("unknown").str.splitn("#", 2).struct
    text = pl.format(
        "'{}' ({}) may be a measurement that is looked for, and has no LOINC code: it is not used (results: {}, "
        "patients: {}); let the source send the LOINC code, or name it in a mapping file",
        name.str.slice(0, _LONGEST), pl.col("code").fill_null("-"), "len", "people")
    return wanted.select(
        file=origin.field("field_0"), place=origin.field("field_1"), severity=pl.lit("info"), code=pl.lit(CODE),
        text=text, patient_id=pl.when(pl.col("people") == 1).then("patient_id")).cast(
        {column: kind.dtype for column, kind in TABLES["issues"].columns.items()}).collect()
