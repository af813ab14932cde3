"""Drug vocabularies of one's own: RxNorm's RRF files or an OMOP vocabulary as one ``drug_names`` file.

The embedded vocabulary knows some 700 medicines. A site that has RxNorm or an OMOP vocabulary makes a file of it once
(``pmed knowledge import --from rxnorm DIR -o names.parquet``) and names it in ``PMED_DRUG_NAMES``; it is read beside
the embedded one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path

import polars as pl

from .errors import InputError
from .files import write_whole
from .tables import TABLES

# RXNREL: the second concept RELA the first (RxNorm technical documentation, section 12.8). Followed to ingredients.
_TO_INGREDIENT = ("has_ingredient", "consists_of", "tradename_of", "form_of", "has_part", "contains")
_CONSO = {"rxcui": 0, "lat": 1, "sab": 11, "tty": 12, "code": 13, "str": 14, "suppress": 16}
_REL = {"to": 0, "from": 4, "rela": 7}
_OMOP_TO_INGREDIENT = ("RxNorm has ing", "Brand name of", "Tradename of", "Form of", "Consists of", "Contains",
                       "Has precise ing", "Maps to")
_DEPTH = 6
_PRODUCTS = {"RxNorm", "RxNorm Extension"}


def import_vocabulary(publisher: str, folder: Path, output: Path) -> int:
    """Write the names and codes of a publisher's files as one Parquet file; returns the number of rows.

    Args:
        publisher: A key of `PUBLISHERS`.
        folder: RXNCONSO.RRF and RXNREL.RRF; or CONCEPT.csv with CONCEPT_RELATIONSHIP.csv or CONCEPT_ANCESTOR.csv.
        output: File to write.

    Raises:
        InputError: a file is missing, is not what it should be, or holds no ingredient.
    """
    names = PUBLISHERS[publisher](folder).select(TABLES["drug_names"].names).unique(maintain_order=True)
    if names.is_empty():
        raise InputError("holds no drug with an ingredient", where=str(folder))
    buffer = BytesIO()
    TABLES["drug_names"].check(names).write_parquet(buffer)
    write_whole(output, buffer.getvalue())
    return names.height


def from_rxnorm(folder: Path) -> pl.DataFrame:
    """Ingredients, synonyms, brands and codes (RxNorm, and ATC of single ingredients) of RxNorm's RRF files."""
    said = _rrf(folder / "RXNCONSO.RRF", _CONSO).filter(pl.col("lat") == "ENG", pl.col("suppress") != "Y")
    own = said.filter(sab="RXNORM")
    ingredients = own.filter(tty="IN").select("rxcui", ingredient=pl.col("str").str.to_lowercase()).unique("rxcui")
    links = _rrf(folder / "RXNREL.RRF", _REL).filter(pl.col("rela").is_in(_TO_INGREDIENT), pl.col("from") != "")
    found = _reached(links.select("from", "to"), ingredients.rename({"rxcui": "to"}))
    known = pl.concat([found, ingredients.select(pl.col("rxcui").alias("from"), "ingredient")]).unique()
    codes = known.select("ingredient", kind=pl.lit("code"), name=pl.col("from"))
    brands = own.filter(tty="BN").join(known, left_on="rxcui", right_on="from").select(
        "ingredient", kind=pl.lit("brand"), name=pl.col("str").str.to_lowercase())
    # A precise ingredient (a salt) is a concept of its own; a synonym has the number of what it means.
    others = pl.concat([own.filter(tty="PIN").join(known, left_on="rxcui", right_on="from"),
                        own.filter(pl.col("tty").is_in(["SY", "TMSY"])).join(ingredients, on="rxcui")]).select(
        "ingredient", kind=pl.lit("synonym"), name=pl.col("str").str.to_lowercase())
    atc = said.filter(sab="ATC").filter(pl.col("code").str.len_chars() == 7).join(ingredients, on="rxcui").select(
        "ingredient", kind=pl.lit("code"), name=pl.col("code").str.to_lowercase())
    return pl.concat([_own(ingredients), codes, brands, others.filter(pl.col("name") != pl.col("ingredient")), atc])


def from_omop(folder: Path) -> pl.DataFrame:
    """The same of an OMOP vocabulary; by CONCEPT_ANCESTOR where it has rows, else by CONCEPT_RELATIONSHIP."""
    concepts = _csv(folder, "CONCEPT", "concept_id", "concept_name", "vocabulary_id", "concept_class_id",
                    "concept_code").filter(pl.col("vocabulary_id").is_in(_PRODUCTS))
    ingredients = concepts.filter(concept_class_id="Ingredient").select(
        to="concept_id", ingredient=pl.col("concept_name").str.to_lowercase())
    found = _ancestors(folder, ingredients)
    if found is None:
        links = _csv(folder, "CONCEPT_RELATIONSHIP", "concept_id_1", "concept_id_2", "relationship_id").filter(
            pl.col("relationship_id").is_in(_OMOP_TO_INGREDIENT), pl.col("concept_id_1") != pl.col("concept_id_2"))
        found = _reached(links.select(pl.col("concept_id_1").alias("from"), to="concept_id_2"), ingredients)
    known = pl.concat([found, ingredients.select(pl.col("to").alias("from"), "ingredient")]).unique()
    named = concepts.join(known, left_on="concept_id", right_on="from")
    codes = named.select("ingredient", kind=pl.lit("code"), name=pl.col("concept_code").str.to_lowercase())
    brands = named.filter(concept_class_id="Brand Name").select(
        "ingredient", kind=pl.lit("brand"), name=pl.col("concept_name").str.to_lowercase())
    return pl.concat([_own(ingredients), codes, brands])


PUBLISHERS: Mapping[str, Callable[[Path], pl.DataFrame]] = {"rxnorm": from_rxnorm, "omop-vocabulary": from_omop}


def _own(ingredients: pl.DataFrame) -> pl.DataFrame:
    return ingredients.select("ingredient", kind=pl.lit("ingredient"), name="ingredient")


def _ancestors(folder: Path, ingredients: pl.DataFrame) -> pl.DataFrame | None:
    if not _path(folder, "CONCEPT_ANCESTOR").is_file():
        return None
    rows = _csv(folder, "CONCEPT_ANCESTOR", "ancestor_concept_id", "descendant_concept_id")
    found = rows.join(ingredients, left_on="ancestor_concept_id", right_on="to").select(
        pl.col("descendant_concept_id").alias("from"), "ingredient")
    return found if found.height else None


def _reached(links: pl.DataFrame, ends: pl.DataFrame) -> pl.DataFrame:
    """(from, ingredient) for every concept from which links, at most some, lead to an ingredient."""
    found, last = ends.clear().select(pl.col("to").alias("from"), "ingredient"), ends
    for _ in range(_DEPTH):
        step = links.join(last, on="to").select("from", "ingredient").unique()
        last = step.join(found, on=["from", "ingredient"], how="anti").rename({"from": "to"})
        if last.is_empty():
            break
        found = pl.concat([found, last.select(pl.col("to").alias("from"), "ingredient")])
    return found


def _rrf(path: Path, columns: Mapping[str, int]) -> pl.DataFrame:
    """Some columns of a file of rows whose fields each end with a bar."""
    frame = _read(path, separator="|", has_header=False, quote_char=None)
    if frame.width <= max(columns.values()):
        raise InputError(f"has {frame.width} columns, expected at least {max(columns.values()) + 1}", where=str(path),
                         hint="take the file as RxNorm publishes it")
    return frame.select(pl.nth(number).fill_null("").alias(name) for name, number in columns.items())


def _csv(folder: Path, name: str, *columns: str) -> pl.DataFrame:
    """Some columns of a vocabulary file as Athena writes it (tabs), or with commas."""
    path = _path(folder, name)
    if not path.is_file():
        raise InputError("no such file", where=str(path), hint="give the folder of the vocabulary's CSV files")
    with path.open("rb") as file:
        tabs = b"\t" in file.readline()
    frame = _read(path, separator="\t" if tabs else ",", quote_char=None if tabs else '"')
    frame = frame.rename({one: one.lower() for one in frame.columns})
    if lost := [one for one in columns if one not in frame.columns]:
        raise InputError(f"has no column {lost[0]}", where=str(path), hint=f"it has {', '.join(frame.columns[:8])}")
    return frame.select(columns)


def _path(folder: Path, name: str) -> Path:
    lower = folder / f"{name.lower()}.csv"
    return lower if lower.is_file() else folder / f"{name}.csv"


def _read(path: Path, **how: object) -> pl.DataFrame:
    try:
        return pl.read_csv(path, infer_schema=False, **how)  # type: ignore[arg-type]
    except (OSError, pl.exceptions.PolarsError) as error:
        what = "no such file" if not path.is_file() else f"cannot be read: {str(error).splitlines()[0]}"
        raise InputError(what, where=str(path)) from error
