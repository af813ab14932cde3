"""Recorded diagnoses as groups, by explicit lists of codes: no guessing from text.

ICD-10 (WHO and CM) and ICD-9-CM by prefix, dots left out, after the coding algorithms of Quan et al., Med Care
2005;43:1130-9 (PMID 16224307) where these have the group, else by the chapter of the classification; SNOMED CT by
single codes of the main concepts. A list is not a hierarchy: a SNOMED code that is not in it says nothing of the group.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import polars as pl

# How records name the code systems.
SYSTEMS = {"http://snomed.info/sct": "snomed", "urn:oid:2.16.840.1.113883.6.96": "snomed", "snomed": "snomed",
           "http://hl7.org/fhir/sid/icd-10-cm": "icd-10", "http://hl7.org/fhir/sid/icd-10": "icd-10",
           "urn:oid:2.16.840.1.113883.6.90": "icd-10", "urn:oid:2.16.840.1.113883.6.3": "icd-10", "icd-10": "icd-10",
           "icd-10-cm": "icd-10", "http://hl7.org/fhir/sid/icd-9-cm": "icd-9",
           "urn:oid:2.16.840.1.113883.6.103": "icd-9", "icd-9": "icd-9", "icd-9-cm": "icd-9"}
_LONGEST = 5  # characters of the longest prefix in the table


@cache
def value_sets() -> pl.DataFrame:
    """Columns group, system (snomed, icd-10, icd-9), code without dots, match (exact or prefix)."""
    text = (files(__package__) / "data" / "conditions.tsv").read_text("utf-8")
    return pl.read_csv(text.encode(), separator="\t", infer_schema=False)


def groups() -> tuple[str, ...]:
    """Names of all groups."""
    return tuple(value_sets()["group"].unique(maintain_order=True))


def grouped(conditions: pl.DataFrame) -> pl.DataFrame:
    """(patient_id, row, group) for each recorded code that is in a group; a code may be in several.

    Args:
        conditions: A ``conditions`` table, or its columns patient_id, row, system and code.
    """
    rows = conditions.select(
        "patient_id", "row", system=pl.col("system").str.to_lowercase().replace_strict(SYSTEMS, default=None),
        code=pl.col("code").str.strip_chars().str.to_uppercase().str.replace_all(".", "", literal=True)).drop_nulls()
    exact = rows.join(value_sets().filter(match="exact"), on=["system", "code"])
    cut = [rows.with_columns(code=pl.col("code").str.slice(0, length)) for length in range(2, _LONGEST + 1)]
    prefixed = pl.concat(cut).join(value_sets().filter(match="prefix"), on=["system", "code"])
    return pl.concat([exact, prefixed]).select("patient_id", "row", "group").unique(maintain_order=True)
