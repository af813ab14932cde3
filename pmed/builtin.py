"""pmed's own components, registered through the same hooks as everybody else's."""

from __future__ import annotations

import polars as pl

from .explain.shapley import ExactShapley
from .features.history import HistoryFeatures
from .hookspecs import hookimpl
from .render.html import HtmlExporter
from .render.json import JsonExporter
from .sources.fhir import FhirSource
from .sources.vcf import VcfSource
from .tables import Tables
from .types import Explainer, Exporter, FeatureStep, Predictor, Source


@hookimpl
def register_sources() -> list[type[Source]]:
    """VCF genomes and FHIR records."""
    return [VcfSource, FhirSource]


@hookimpl
def register_features() -> list[type[FeatureStep]]:
    """Age, sex, medicines and measurements from the record."""
    return [HistoryFeatures]


@hookimpl(trylast=True)
def choose_explainer(predictor: Predictor) -> Explainer:  # noqa: ARG001 - the hook says so
    """Exact Shapley values for whatever no other plugin wants to explain."""
    return ExactShapley()


@hookimpl
def check_suggestions(suggestions: pl.DataFrame, tables: Tables) -> pl.DataFrame:
    """Recorded allergies to the drug itself or to an alternative that was proposed."""
    known = tables["allergies"].filter(pl.col("active").fill_null(value=True))
    allergens = known.select("patient_id", allergen="ingredients").explode("allergen")
    drugs = suggestions.select("patient_id", "drug", concerns="drug")
    offered = suggestions.select("patient_id", "drug", pl.col("alternatives").list.eval(
        pl.element().struct.field("drug")).alias("concerns")).explode("concerns")
    hits = pl.concat([drugs, offered]).join(
        allergens.drop_nulls().unique(), left_on=["patient_id", "concerns"], right_on=["patient_id", "allergen"])
    return hits.select("patient_id", "drug", code=pl.lit("allergy"),
                       text=pl.format("Recorded allergy or intolerance to {}.", "concerns"))


@hookimpl
def register_exporters() -> list[type[Exporter]]:
    """The HTML report and the JSON of the same result."""
    return [HtmlExporter, JsonExporter]
