"""LOINC, the code system of measurements, by all the names that systems give it."""

from __future__ import annotations

import polars as pl

LOINC = "http://loinc.org"
# LOINC by other names that systems write, in small letters; the OID is CDA's and HL7 v3's.
_NAMES_OF_LOINC = ("loinc", "ln", "lnc", "http://loinc.org/", "https://loinc.org", "https://loinc.org/",
                   "http://www.loinc.org", "https://www.loinc.org", "2.16.840.1.113883.6.1",
                   "urn:oid:2.16.840.1.113883.6.1")
_LIKE_LOINC = r"^\s*\d{1,5}-\d\s*$"  # no other code of a measurement has this form


def is_loinc(system: str | None) -> bool:
    """Whether a code system is LOINC, by whatever name."""
    return system == LOINC or (system or "").strip().lower() in _NAMES_OF_LOINC


def with_loinc(observations: pl.DataFrame) -> pl.DataFrame:
    """The same rows, with LOINC named as FHIR does where it has another name, or none and its codes tell."""
    others = [name for name in observations["system"].unique() if name != LOINC]
    if not any(name is None or is_loinc(name) for name in others):  # as in nearly all records
        return observations
    system = pl.col("system").replace({name: LOINC for name in others if is_loinc(name)})
    unnamed = pl.col("system").is_null() & pl.col("code").str.contains(_LIKE_LOINC)
    return observations.with_columns(system=pl.when(unnamed).then(pl.lit(LOINC)).otherwise(system))
