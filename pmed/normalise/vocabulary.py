"""The names of medicines that pmed knows by itself, so that a record is read also where no plugin covers a drug.

One row a medicine or combination (``a + b``): its RxNorm ingredient name (the INN where RxNorm has none), ATC codes of
the WHO for it alone, other names (INN, BAN, salts that are written as if they were the drug), brands of the US and the
EU, and some RxNorm codes of it and its products, so that a code whose text names another drug is found out. ATC codes
that were replaced are read, and not written. Inhibitors and inducers of the CYP enzymes are among the medicines. A
plugin's release adds its own names and codes.
"""

from __future__ import annotations

import hashlib
import os
from functools import cache
from importlib.resources import files
from pathlib import Path

import polars as pl

from ..errors import InputError
from ..files import sha256
from ..tables import TABLES
from ..types import Release


@cache
def release() -> Release:
    """The embedded release ``pmed-drugs``, a ``drug_names`` table."""
    text, short = ((files(__package__) / "data" / f"{name}.tsv").read_text("utf-8")
                   for name in ("drugs", "abbreviations"))
    names = pl.concat([names_of(text), abbreviations_of(short)])
    return Release(name="pmed-drugs", version="1.5", date="2026-12-01", licence="Apache-2.0 (own table of names)",
                   source="RxNorm and INN names, ATC codes (WHO), brand names, abbreviations (ISMP)",
                   sha256=hashlib.sha256((text + short).encode()).hexdigest(), tables={"drug_names": names})


VARIABLE = "PMED_DRUG_NAMES"


def own_release() -> Release | None:
    """The user's own vocabulary, a file that ``pmed knowledge import`` wrote and ``PMED_DRUG_NAMES`` names.

    Raises:
        InputError: it is not there, or not such a file: to go on without it would be to know less than was asked for.
    """
    path = Path(os.environ.get(VARIABLE, ""))
    if path == Path():
        return None
    try:
        names = TABLES["drug_names"].check(pl.read_parquet(path), where=str(path))
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError("cannot be read as a drug vocabulary", where=str(path),
                         hint=f"{VARIABLE} names it; make it with pmed knowledge import") from error
    return Release(name="own-drugs", version="-", date="-", licence="the publisher's", source=path.name,
                   sha256=sha256(path), tables={"drug_names": names})


def abbreviations_of(text: str) -> pl.DataFrame:
    """``drug_names`` of a TSV of abbreviations: misread by people (ISMP) or no official names, so read with a doubt."""
    rows = pl.read_csv(text.encode(), separator="\t", infer_schema=False)
    return TABLES["drug_names"].check(rows.select("ingredient", kind=pl.lit("abbreviation"), name="abbreviation"))


def names_of(text: str) -> pl.DataFrame:
    """``drug_names`` of a TSV: ingredient, and the other columns, several names in one parted by ``;``."""
    rows = pl.read_csv(text.encode(), separator="\t", infer_schema=False).lazy().with_columns(
        ingredient=pl.col("ingredient").str.split(" + "), alone=~pl.col("ingredient").str.contains(" + ", literal=True))
    own = rows.filter("alone").select(pl.col("ingredient").list.first(), name=pl.col("ingredient").list.first(),
                                      kind=pl.lit("ingredient"))
    others = [rows.select("ingredient", name=pl.col(column).str.split(";"), kind=pl.lit(kind))
              .explode("ingredient", empty_as_null=False).explode("name", empty_as_null=False).drop_nulls("name")
              .filter(pl.col("name") != "").select("ingredient", "name", "kind")
              for column, kind in (("synonyms", "synonym"), ("brands", "brand"), ("atc", "code"), ("rxnorm", "code"),
                                   ("former_atc", "code"))]
    found = pl.concat([own, *others]).with_columns(pl.col("name").str.to_lowercase())
    return TABLES["drug_names"].check(found.select(TABLES["drug_names"].names).collect())
