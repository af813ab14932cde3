"""The facts this plugin brings: code sets, drug names, coefficients, each with its citation."""

from __future__ import annotations

import hashlib
import io
from functools import cache
from importlib.resources import files

import polars as pl

from pmed import TABLES, Release

from . import chads, pce

_FILES = ("codes", "dialysis", "drugs", "measurements", "prevent", "sdi", "smoking", "words")


@cache
def facts(name: str) -> pl.DataFrame:
    """One of the plugin's own tables, a file of ``data``, all text; read once."""
    return pl.read_csv(io.BytesIO(_bytes(name)), comment_prefix="#", infer_schema=False)


def _bytes(name: str) -> bytes:
    return (files(__package__) / "data" / f"{name}.csv").read_bytes()


def drug_names() -> pl.DataFrame:
    """Names, RxNorm ingredient codes and brands of the medicines the history looks for, as ``drug_names``."""
    drugs = facts("drugs")
    brands = drugs.drop_nulls("brands").select("ingredient", kind=pl.lit("brand"), name=pl.col("brands").str.split("|"))
    rows = (
        drugs.select("ingredient", kind=pl.lit("ingredient"), name="ingredient"),
        drugs.drop_nulls("code").select("ingredient", kind=pl.lit("code"), name="code"),
        brands.explode("name", empty_as_null=False),
    )
    return TABLES["drug_names"].check(pl.concat(rows).sort("kind", "name"))


def coefficients() -> pl.DataFrame:
    """The Pooled Cohort Equations as a table: equation, term, value."""
    rows = [(name, term, value) for name, one in pce.EQUATIONS.items() for term, value in zip(
        (*pce.TERMS, "mean", "survival"), (*one.coefficients, one.mean, one.survival), strict=True)]
    return pl.DataFrame(rows, schema={"equation": pl.String, "term": pl.String, "value": pl.Float64}, orient="row")


def release() -> Release:
    """The knowledge release of this plugin."""
    points = pl.DataFrame({"finding": list(chads.POINTS), "points": list(chads.POINTS.values())})
    hashed = b"".join(map(_bytes, _FILES)) + repr((pce.EQUATIONS, chads.POINTS)).encode()
    return Release(
        name="pmed-risk",
        version="1.1",
        date="2026-11-28",
        licence="Apache-2.0 (own tables of published facts)",
        source=f"Pooled Cohort Equations {pce.CITATION}; CHA2DS2-VASc {chads.CITATION}; "
               "PREVENT PMID:37947085; "
               "SNOMED CT, ICD-10, LOINC and RxNorm codes listed one by one",
        sha256=hashlib.sha256(hashed).hexdigest(),
        tables={"drug_names": drug_names(), "risk_codes": facts("codes"), "pce_coefficients": coefficients(),
                "cha2ds2_vasc_points": points},
    )
