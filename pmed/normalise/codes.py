"""Condition groups: which recorded diagnosis codes count as which condition, by explicit, sourced lists.

``data/condition_groups.tsv`` holds group, system (snomed, icd-10, icd-9), code, match (exact, prefix) and source.
SNOMED CT is listed code by code, ICD by the beginning of its code without the dot. Text never puts a row into a group:
a row without a readable code leaves every group unknown, and one that is in no list but speaks of a group leaves that
group unknown.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import polars as pl

_LONGEST = 7
# ICD-10: also the marks and the certainty of ICD-10-GM, without blanks. SNOMED CT: 6 to 18 digits.
_SHAPES = {"snomed": r"^\d{6,18}$", "icd-10": r"^[A-Z]\d[0-9A-Z](\.?[0-9A-Z]{0,4})?[-+*!\u2020]?[AGVZ]?$",
           "icd-9": r"^(\d{3}(\.?\d{1,2})?|V\d{2}(\.?\d{1,2})?|E\d{3}(\.?\d)?)$"}
# The SNOMED CT lists are not its hierarchy: a code that they lack may still be of the group, as its words tell. Words
# are wide on purpose, as all they do is to keep "no" from being said.
_GUT = r"(gastr|intestin|bowel|\bgi\b|rect(um|al)|\ban(al|us)\b|esophag|varic|ulcer|stomach|duoden|colon|divertic)"
_WORDS = {
    "diabetes": r"\bdiabet", "hypertension": r"hypertensi",
    "heart-failure": r"heart failure|cardiac failure|cardiomyop",
    "atrial-fibrillation": r"atrial (fib|flut)|fibrillation", "long-qt": r"\bqt\b|romano.ward|jervell",
    "venous-thromboembolism": r"(vein|venous|deep|leg|pulmon).*(thromb|embol)|(thromb|embol).*(vein|venous|pulmon)"
                              r"|phlebit|\bdvt\b",
    "heart-valve-replacement": r"valve|valvular",
    "coronary-disease": r"coronary|angina|myocardial|ischa?emic heart|heart attack",
    "myocardial-infarction": r"myocardial infarc|heart attack|coronary syndrome", "asthma": r"asthma",
    "stroke-or-tia": r"stroke|cerebrovasc|cerebral (infarct|isch|ha?em|thromb|embol)|transient ischa?emi|intracranial"
                     r"|subarachnoid",
    "peripheral-artery-disease": r"peripheral (arter|vasc)|claudication|limb isch|(leg|limb|lower extremit).*sclerosis",
    "chronic-kidney-disease": r"kidney|renal|nephropath|dialysis", "liver-cirrhosis": r"cirrho|fibrosis of liver",
    "chronic-hepatitis": r"hepatitis", "epilepsy": r"epilep|seizure|convuls", "depression": r"depress",
    "g6pd-deficiency": r"g6pd|glucose.6.phosphate|favism", "copd": r"copd|chronic obstructive|emphysem|chronic bronch",
    "cancer": r"cancer|carcinom|malignan|leuk|lymphoma|sarcoma|melanoma|neoplasm|myeloma|metasta",
    "pregnancy": r"pregnan|gestation|gravid", "breastfeeding": r"breast.?feed|breast.?fed|lactati",
    "ascites": r"ascites", "hepatic-encephalopathy": r"encephalopath",
    "gi-bleeding": rf"{_GUT}.*(bleed|ha?emorrh)|(bleed|ha?emorrh).*{_GUT}|mela?ena|ha?emat(emesis|ochezia)|mallory",
    "peptic-ulcer": r"(peptic|gastric|stomach|duoden|jejunal|marginal).*ulcer|ulcer.*(stomach|duoden)",
    "hepatic-impairment": r"cirrho|liver|hepat|portal hypertens|varices", "seizure": r"epilep|seizure|convuls",
    "bipolar-disorder": r"bipolar|mani[ac]|cyclothym", "glaucoma": r"glaucoma|ocular hypertens",
    "myasthenia-gravis": r"myasthen", "porphyria": r"porphyr", "gout": r"\bgout|\burate|uric",
    "osteoporosis": r"osteopor",
    "helicobacter-pylori": r"pylori", "prostatic-hyperplasia": r"prostat",
    "dementia": r"dement|alzheimer|lewy|cognitive", "parkinson-disease": r"parkinson",
}
_STAGES = tuple(f"ckd-stage-{stage}" for stage in range(1, 6))
_WORDS |= dict.fromkeys(_STAGES, _WORDS["chronic-kidney-disease"])
# A code of a group says no more than the group: a wider one leaves open whether a narrower one is there too.
_OPEN = {"seizure": ("epilepsy",), "hepatic-impairment": ("liver-cirrhosis",), "bipolar-disorder": ("depression",),
         "gi-bleeding": ("peptic-ulcer",), "chronic-kidney-disease": _STAGES}


@cache
def value_sets() -> pl.DataFrame:
    """The lists: group, system, code, match, source; a code without its dot."""
    path = Path(__file__).parent / "data" / "condition_groups.tsv"
    return pl.read_csv(path, separator="\t", infer_schema=False)


@cache
def groups() -> tuple[str, ...]:
    """The names of all groups."""
    return tuple(value_sets()["group"].unique().sort())


def code_system(uri: pl.Expr) -> pl.Expr:
    """Short name of a code system by its URI, OID or vocabulary name; null for one that the lists do not cover."""
    text = uri.str.to_lowercase()
    return (pl.when(text.str.contains(r"snomed|2\.16\.840\.1\.113883\.6\.96$")).then(pl.lit("snomed"))
            .when(text.str.contains(r"icd-?10|2\.16\.840\.1\.113883\.6\.(3|90)$")).then(pl.lit("icd-10"))
            .when(text.str.contains(r"icd-?9|2\.16\.840\.1\.113883\.6\.(2|42|103)$")).then(pl.lit("icd-9")))


def readable(conditions: pl.DataFrame) -> pl.Series:
    """Which rows have a code of a system that the lists cover, and of its shape.

    "250.00" is no code of ICD-10, and "E11.9" none of ICD-9: which of code and system is wrong is not known.
    """
    return conditions.select(_fits()).to_series()


def misfits(conditions: pl.DataFrame) -> pl.Series:
    """Which rows have a code that is none of the system it is said to be of."""
    known = code_system(pl.col("system")).is_not_null() & (_bare(pl.col("code")).str.len_chars() > 0)
    said = conditions.lazy().select("system", "code")
    wrong = said.unique().filter(known.fill_null(value=False) & ~_fits()).with_columns(wrong=pl.lit(value=True))
    both = said.join(wrong, on=["system", "code"], how="left", maintain_order="left")
    return both.select(pl.col("wrong").fill_null(value=False)).collect().to_series()


def _fits() -> pl.Expr:
    system, code = code_system(pl.col("system")), pl.col("code").str.to_uppercase().str.replace_all(r"\s", "")
    fits = [(system == name) & code.str.contains(shape) for name, shape in _SHAPES.items()]
    return pl.any_horizontal(fits).fill_null(value=False)


def condition_groups(conditions: pl.DataFrame) -> pl.DataFrame:
    """The ``patient_id``, ``row`` and ``group`` of each condition that is in a group; a row may be in several."""
    rows = conditions.select("patient_id", "row", system="system", given="code")
    return rows.join(_groups_of(rows.select("system", "given").unique()), on=["system", "given"]).select(
        "patient_id", "row", "group").sort("patient_id", "row", "group")


def _groups_of(codes: pl.DataFrame) -> pl.DataFrame:
    """The distinct codes (system, given) that are in a group, and the `group` of each."""
    rows = codes.select("system", "given", of=code_system(pl.col("system")), code=_bare(pl.col("given")))
    exact = rows.join(_listed("exact"), left_on=["of", "code"], right_on=["system", "code"])
    beginnings = pl.concat_list(pl.col("code").str.head(length) for length in range(1, _LONGEST + 1)).list.unique()
    prefix = rows.with_columns(code=beginnings).explode("code", empty_as_null=False).join(
        _listed("prefix"), left_on=["of", "code"], right_on=["system", "code"])
    return pl.concat([one.select("system", "given", "group") for one in (exact, prefix)]).unique()


def left_open(conditions: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """The ``patient_id``, ``row`` and ``group`` of rows whose text speaks of a group that their code does not settle.

    `found` are the `condition_groups` of the rows. A row in one group is not of another that its words happen to touch,
    unless the one is wider than the other. A stage that is told is no other stage.
    """
    key = ["patient_id", "row"]
    unlisted = spoken_of(conditions.join(found, on=key, how="anti"))
    wider = pl.DataFrame([(group, one) for group, inner in _OPEN.items() for one in inner],
                         {"group": pl.String, "inner": pl.String}, orient="row")
    may_be = found.join(wider, on="group").select(*key, group="inner").unique()
    staged = found.filter(pl.col("group").is_in(_STAGES))
    settled = pl.concat([found, *(staged.with_columns(group=pl.lit(stage)) for stage in _STAGES)])
    spoken = spoken_of(conditions.join(may_be, on=key, how="semi"))
    inner = spoken.join(may_be, on=[*key, "group"], how="semi").join(settled, on=[*key, "group"], how="anti")
    return pl.concat([unlisted, inner]).sort(*key, "group")


def spoken_of(conditions: pl.DataFrame) -> pl.DataFrame:
    """The ``patient_id``, ``row`` and ``group`` of rows whose text speaks of a group, which proves nothing.

    Each distinct text is looked at once: a cohort's conditions are mostly the same few hundred.
    """
    texts = conditions.select("patient_id", "row", text=pl.col("display").str.to_lowercase())
    named = pl.concat_list(pl.when(pl.col("text").str.contains(words)).then(pl.lit(group))
                           for group, words in _WORDS.items())
    spoken = texts.select(pl.col("text").unique(maintain_order=True)).with_columns(group=named).explode(
        "group", empty_as_null=False).drop_nulls()
    return texts.join(spoken, on="text", maintain_order="left_right").select("patient_id", "row", "group")


def _bare(code: pl.Expr) -> pl.Expr:
    return code.str.to_uppercase().str.replace_all(r"[.\s]", "")


@cache
def _listed(match: str) -> pl.DataFrame:
    return value_sets().filter(pl.col("match") == match).select("group", "system", "code")
