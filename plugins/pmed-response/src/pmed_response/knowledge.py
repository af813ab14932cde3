"""The facts this plugin brings: the equation's coefficients and the names of the medicines in it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

import polars as pl

from pmed import TABLES, Release

from . import iwpc

#: RxNorm ingredient name → RxNorm code, other names, brands.
DRUGS: Final[Mapping[str, tuple[str, tuple[str, ...], tuple[str, ...]]]] = {
    "warfarin": ("11289", (), ("coumadin", "jantoven", "marevan")),
    "amiodarone": ("703", (), ("cordarone", "pacerone", "nexterone")),
    "carbamazepine": ("2002", (), ("tegretol", "carbatrol", "epitol", "equetro")),
    "phenytoin": ("8183", (), ("dilantin", "phenytek", "epanutin")),
    "rifampin": ("9384", ("rifampicin",), ("rifadin", "rimactane")),
}


def drug_names() -> pl.DataFrame:
    """Names, RxNorm codes and brands as a ``drug_names`` table."""
    rows = [{"ingredient": drug, "kind": kind, "name": name}
            for drug, (code, others, brands) in DRUGS.items()
            for kind, names in (("ingredient", (drug, *others)), ("code", (code,)), ("brand", brands))
            for name in names]
    return TABLES["drug_names"].check(TABLES["drug_names"].frame(rows))


def coefficients() -> pl.DataFrame:
    """The equation as a table: term, level (null for a term that is multiplied), coefficient."""
    plain = {"start": iwpc.START, "decade of age": iwpc.AGE, "cm of height": iwpc.HEIGHT, "kg of weight": iwpc.WEIGHT,
             "enzyme inducer": iwpc.INDUCER, "amiodarone": iwpc.AMIODARONE}
    levels = {"VKORC1 rs9923231": iwpc.VKORC1, "CYP2C9": iwpc.CYP2C9, "ancestry": iwpc.RACE}
    rows: list[tuple[str, str | None, float]] = [(term, None, value) for term, value in plain.items()]
    rows += [(term, level, value) for term, table in levels.items() for level, value in table.items()]
    schema = {"term": pl.String, "level": pl.String, "coefficient": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def release() -> Release:
    """The knowledge release of this plugin."""
    tables = {"drug_names": drug_names(), "warfarin_coefficients": coefficients()}
    hashed = "\n".join(tables[name].write_csv() for name in sorted(tables))
    return Release(
        name="pmed-response",
        version="1.0",
        date="2026-11-24",
        licence="Apache-2.0 (own tables of published facts)",
        source=f"IWPC pharmacogenetic dose equation {iwpc.CITATION}; RxNorm ingredient names and codes",
        sha256=hashlib.sha256(hashed.encode()).hexdigest(),
        tables=tables,
    )
