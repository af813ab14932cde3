"""Allergies that are named by a class and no ingredient: "penicillins", "Sulfonamid-Allergie", a SNOMED CT code."""

from __future__ import annotations

import polars as pl

from .knowledge import table

# What stands around the allergen: "Allergy to penicillin (finding)", "sulfonamide allergy", "Penicillin-Allergie".
_ASIDE = r"\([^()]*\)|\[[^\]]*\]"
_ALLERGY = r"(allergie|(unvertr\u00e4glich|\u00fcberempfindlich)keit|intoleranz)"
_BESIDE = (r"^\s*(allergy|allergic|allergic reaction|hypersensitivity|intolerance|adverse reaction) (to|caused by) "
           r"|\s(allergy|hypersensitivity|intolerance)\s*$"
           rf"|^\s*(bekannte )?({_ALLERGY}|allergisch|allergische reaktion) (gegen(\u00fcber)?|auf|von) "
           rf"|[\s-]*{_ALLERGY}\s*$")
_APART = r"[,;/]| (?:and|or|und|oder) "
_DENIED = r"^\s*(no|not|nil|none|denies|kein|keine)\b"
_SNOMED = r"snomed|2\.16\.840\.1\.113883\.6\.96$"


def classes_named(allergies: pl.LazyFrame) -> pl.LazyFrame:
    """patient_id, name (class): allergies to "penicillins" or "sulfa drugs", which are no ingredient."""
    part = pl.col("unread_part") if "unread_part" in allergies.collect_schema() else pl.lit(value=False)
    unread = allergies.filter(pl.col("ingredients").is_null() | part)
    # People write several into one cell: "Penicillin, ASS".
    text = pl.col("display").str.to_lowercase().str.replace_all(_ASIDE, "")
    each = pl.when(~text.str.contains(_DENIED)).then(text.str.replace_all(_APART, "\n").str.split("\n"))
    said = pl.col("name").str.replace_all(_BESIDE, "").str.strip_chars(" .")
    coded = pl.col("system").str.to_lowercase().str.contains(_SNOMED)
    both = [unread.select("patient_id", kind=pl.lit("name"), name=each).explode(
                "name", empty_as_null=True, keep_nulls=True).with_columns(said),
            unread.filter(coded).select("patient_id", kind=pl.lit("snomed"), name="code")]
    return pl.concat(both).join(table("allergens").lazy(), on=["kind", "name"]).select("patient_id", name="allergen")
