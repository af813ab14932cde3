"""OMOP concepts → code systems, codes and names; and the ingredients of drugs where the vocabulary tells them."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from .omop_cdm import Store, load, said, told

UCUM = "http://unitsofmeasure.org"
CVX = "http://hl7.org/fhir/sid/cvx"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
# A vocabulary without a URI here keeps its OMOP name: a code is worth nothing without its system.
SYSTEMS = {
    "RxNorm": RXNORM, "SNOMED": "http://snomed.info/sct", "LOINC": "http://loinc.org", "UCUM": UCUM, "CVX": CVX,
    "ICD10CM": "http://hl7.org/fhir/sid/icd-10-cm", "ICD10": "http://hl7.org/fhir/sid/icd-10",
    "ICD9CM": "http://hl7.org/fhir/sid/icd-9-cm", "ATC": "http://www.whocc.no/atc",
    "NDC": "http://hl7.org/fhir/sid/ndc", "CPT4": "http://www.ama-assn.org/go/cpt",
    "HCPCS": "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets",
}
_HAS = "RxNorm has ing"
_UP = ("RxNorm is a", "Consists of")  # from a product to its form or its components, which have the ingredients
_ONE = ["system", "code", "display"]


def find_concepts(store: Store, frames: Iterable[pl.DataFrame], issues: list[pl.DataFrame]) -> pl.DataFrame:
    """`concept_id`, `system`, `code`, `display` and `class` of every concept that the frames name; 0 is no concept."""
    columns = [frame[name] for frame in frames for name in frame.columns if name.endswith("concept_id")]
    ids = pl.concat(columns).unique() if columns else pl.Series(dtype=pl.Int64)
    return concepts_of(store, ids.drop_nulls().sort().to_list(), issues)


def concepts_of(store: Store, ids: list[int], issues: list[pl.DataFrame]) -> pl.DataFrame:
    """The concepts with these ids, as far as the vocabulary is there."""
    rows = load(store, "concept", issues, ("concept_id", [one for one in ids if one]))
    if rows is None:
        issues.append(said(store.where, "warning", "missing-table",
                           "no concept table: codes and names of concepts are unknown; the text of the source is used"))
        rows = pl.DataFrame(schema={"concept_id": pl.Int64, **dict.fromkeys(
            ("vocabulary_id", "concept_code", "concept_name", "concept_class_id"), pl.String)})
    known = rows.filter(pl.col("concept_id") != 0).unique("concept_id", keep="first", maintain_order=True)
    return known.select("concept_id", system=pl.col("vocabulary_id").replace(SYSTEMS), code="concept_code",
                        display="concept_name", **{"class": "concept_class_id"})


def coded(rows: pl.DataFrame, what: str, concepts: pl.DataFrame, issues: list[pl.DataFrame]) -> pl.DataFrame:
    """`rows` with system, code and display: of the standard concept, else of the source's, else the source's text."""
    own, source = concepts.select("concept_id", *_ONE), concepts.select(
        "concept_id", **{f"source_{name}": name for name in _ONE})
    found = rows.join(own, left_on=f"{what}_concept_id", right_on="concept_id", how="left", maintain_order="left").join(
        source, left_on=f"{what}_source_concept_id", right_on="concept_id", how="left", maintain_order="left")
    known = pl.col("code").is_not_null()
    _report_unknown(found, what, issues)
    return found.with_columns(
        pl.when(known).then("system").otherwise("source_system").alias("system"),
        pl.coalesce("code", "source_code").alias("code"),
        pl.coalesce("display", "source_display", f"{what}_source_value").alias("display"))


def _report_unknown(found: pl.DataFrame, what: str, issues: list[pl.DataFrame]) -> None:
    """Concept 0 (the hospital's code was not mapped) and concepts that the vocabulary does not have."""
    number, named = pl.col(f"{what}_concept_id"), pl.col("code").is_not_null()
    has_source = pl.col("source_code").is_not_null()
    for unknown, code, why in ((number.fill_null(0) == 0, "not-mapped", "concept_id is 0"),
                               ((number != 0) & ~named, "unknown-concept", "the concept table has no such concept")):
        issues += [told(found.filter(unknown & has_source), "info", code, f"{why}; the source's code is used"),
                   told(found.filter(unknown & ~has_source), "warning", code,
                        f"{why}; the text of the source is used, without a code")]


def named(rows: pl.DataFrame, column: str, concepts: pl.DataFrame, *wanted: str) -> pl.DataFrame:
    """`rows` with what is `wanted` of another concept, as ``column.system`` and so on."""
    other = concepts.select("concept_id", **{f"{column}.{name}": name for name in wanted})
    return rows.join(other, left_on=column, right_on="concept_id", how="left", maintain_order="left")


def ingredients(store: Store, drugs: pl.DataFrame, concepts: pl.DataFrame,
                issues: list[pl.DataFrame]) -> pl.DataFrame:
    """`drug_concept_id` and `ingredients`, names joined by " / ", of drugs whose own name does not tell them.

    Only where the vocabulary names all ingredients of a drug: part of them would read as the whole.

    By ``concept_ancestor``; for drugs that it does not have by ``concept_relationship``.
    """
    ids = drugs["drug_concept_id"].drop_nulls().unique().sort()
    pairs = _by_ancestor(store, ids, issues)
    rest = ids.filter(~ids.is_in(pairs["drug"].implode()))
    pairs = pl.concat([pairs, _by_relationship(store, rest, issues)]).unique()
    names = concepts_of(store, pairs["ingredient"].unique().sort().to_list(), []).select(
        "concept_id", "class", part=pl.col("display").str.to_lowercase())
    products = concepts.select(drug="concept_id", product=pl.col("display").str.to_lowercase())
    joined = pairs.join(names, left_on="ingredient", right_on="concept_id", how="left").filter(
        pl.col("class").eq_missing("Ingredient") | (pl.col("class").is_null() & pl.col("listed")))
    told_so = pl.col("product").str.contains(pl.col("part"), literal=True)
    whole = joined.join(products, on="drug").group_by(drug_concept_id="drug").agg(
        pl.col("part").unique().sort(), gap=pl.col("part").is_null().any(), told=told_so.all())
    return whole.filter(~pl.col("gap"), ~pl.col("told")).select(
        "drug_concept_id", ingredients=pl.col("part").list.join(" / "))


def _by_ancestor(store: Store, ids: pl.Series, issues: list[pl.DataFrame]) -> pl.DataFrame:
    """Every ancestor of each drug: those that are ingredients are told by their class (`listed` is false)."""
    rows = load(store, "concept_ancestor", issues, ("descendant_concept_id", ids.to_list()))
    return _pairs(rows, "descendant_concept_id", "ancestor_concept_id", listed=False)


def _by_relationship(store: Store, ids: pl.Series, issues: list[pl.DataFrame]) -> pl.DataFrame:
    """What a drug, its form or its components have as ingredients."""
    first = _valid(load(store, "concept_relationship", issues, ("concept_id_1", ids.to_list())))
    up = _pairs(first.filter(pl.col("relationship_id").is_in(_UP)), "concept_id_1", "concept_id_2", listed=True)
    own = _pairs(first.filter(pl.col("relationship_id") == _HAS), "concept_id_1", "concept_id_2", listed=True)
    above = up["ingredient"].unique().sort().to_list()
    second = _valid(load(store, "concept_relationship", issues, ("concept_id_1", above)))
    has = second.filter(pl.col("relationship_id") == _HAS).select(ingredient="concept_id_1", other="concept_id_2")
    through = up.join(has, on="ingredient").select("drug", ingredient="other", listed="listed")
    return pl.concat([own, through])


def _valid(rows: pl.DataFrame | None) -> pl.DataFrame:
    if rows is None:
        return pl.DataFrame(schema={"concept_id_1": pl.Int64, "concept_id_2": pl.Int64, "relationship_id": pl.String})
    return rows.filter(pl.col("invalid_reason").is_null())


def _pairs(rows: pl.DataFrame | None, drug: str, ingredient: str, *, listed: bool) -> pl.DataFrame:
    if rows is None:
        return pl.DataFrame(schema={"drug": pl.Int64, "ingredient": pl.Int64, "listed": pl.Boolean})
    return rows.select(drug=drug, ingredient=ingredient, listed=pl.lit(value=listed))
