"""pmed's own components, registered through the same hooks as everybody else's."""

from __future__ import annotations

import polars as pl

from .explain.shapley import ExactShapley
from .features.derived_step import DerivedFeatures
from .features.history import HistoryFeatures
from .hookspecs import hookimpl
from .normalise import vocabulary
from .repeats import of_tables
from .sources.fhir import FhirSource
from .sources.history_tables import HistoryTablesSource
from .sources.hl7v2 import Hl7v2Source
from .sources.omop import OmopSource
from .sources.tabular import TableSource
from .sources.vcf import VcfSource
from .tables import Tables
from .types import Explainer, Exporter, FeatureStep, Predictor, Release, Source
from .verdicts import lists_allergies

NO_LIST = "allergies-unknown"
_ANOTHER = ("avoid", "alternative")
_NO_CAUTIONS = pl.DataFrame(schema=dict.fromkeys(("patient_id", "drug", "code", "text"), pl.String()))


@hookimpl
def register_sources() -> list[type[Source]]:
    """VCF genomes; FHIR, OMOP, HL7 v2, plain tables and those of ``pmed history``."""
    return [VcfSource, HistoryTablesSource, FhirSource, OmopSource, Hl7v2Source, TableSource]


@hookimpl
def register_knowledge() -> list[Release]:
    """Names of medicines."""
    return [vocabulary.release()]


@hookimpl
def register_features() -> list[type[FeatureStep]]:
    """Age, sex, medicines and measurements from the record, and what follows from them."""
    return [HistoryFeatures, DerivedFeatures]


@hookimpl(trylast=True)
def choose_explainer(predictor: Predictor) -> Explainer:  # noqa: ARG001 - the hook says so
    """Exact Shapley values for whatever no other plugin wants to explain."""
    return ExactShapley()


@hookimpl
def check_suggestions(suggestions: pl.DataFrame, tables: Tables) -> pl.DataFrame:
    """Recorded allergies to what is proposed, or that none are recorded."""
    return pl.concat([_allergies(suggestions, tables), _no_list(suggestions, tables)])


def _allergies(suggestions: pl.DataFrame, tables: Tables) -> pl.DataFrame:
    """A caution for each recorded allergy to the drug itself or to an alternative that was proposed."""
    known = tables["allergies"].filter(pl.col("active").fill_null(value=True))
    if known.is_empty():
        return _NO_CAUTIONS.clone()
    allergens = known.select("patient_id", allergen="ingredients").explode(
        "allergen", empty_as_null=True, keep_nulls=True).drop_nulls().unique()
    # Of those with an allergy to a drug alone: lists are slow to take apart, and most have none.
    theirs = suggestions["patient_id", "drug", "alternatives"].filter(
        pl.col("patient_id").is_in(allergens["patient_id"].unique().to_list()))
    drugs = theirs.select("patient_id", "drug", concerns="drug")
    others = pl.col("alternatives").list.eval(pl.element().struct.field("drug"))
    offered = theirs.select("patient_id", "drug", others.alias("concerns")).explode(
        "concerns", empty_as_null=True, keep_nulls=True)
    hits = pl.concat([drugs, offered]).join(
        allergens, left_on=["patient_id", "concerns"], right_on=["patient_id", "allergen"])
    return hits.select("patient_id", "drug", code=pl.lit("allergy"),
                       text=pl.format("Recorded allergy or intolerance to {}.", "concerns"))


@of_tables("patients", "allergies")
def _unlisted(tables: Tables) -> pl.DataFrame:
    """patient_id of those whose record neither lists allergies nor denies them."""
    listed = tables["allergies"].filter(lists_allergies()).select("patient_id")
    return tables["patients"].select("patient_id").join(listed, on="patient_id", how="anti")


def _no_list(suggestions: pl.DataFrame, tables: Tables) -> pl.DataFrame:
    """A caution where another medicine is proposed to somebody of whom no allergies are on record.

    Only beside what is taken now: there the next step is to give the other one.
    """
    unlisted = _unlisted(tables)["patient_id"]
    if unlisted.is_empty():
        return _NO_CAUTIONS.clone()
    status = pl.col("alternatives").list.eval(pl.element().struct.field("status") != "ruled-out")
    # Few are taken: only of those is it worth to look into the lists.
    another = suggestions["patient_id", "drug", "current", "action", "alternatives"].filter(
        "current", pl.col("action").is_in(_ANOTHER), pl.col("patient_id").is_in(unlisted.to_list()))
    asked = another.filter(status.list.any().fill_null(value=False))
    return asked.select("patient_id", "drug", code=pl.lit(NO_LIST), text=pl.lit(
        "Allergies are not on record: ask before another medicine is given."))


@hookimpl
def register_exporters() -> list[type[Exporter]]:
    """The HTML report, and the same result in the formats that hospitals and researchers take.

    Imported here: most runs write one of them or none.
    """
    from .render.fhir import FhirExporter
    from .render.hl7v2 import Hl7v2Exporter
    from .render.html import HtmlExporter
    from .render.json import JsonExporter
    from .render.omop import OmopExporter
    from .render.pdf import PdfExporter
    from .render.summary import MarkdownExporter, TextExporter
    from .render.tables import CsvTables, ParquetTables, TsvTables

    return [HtmlExporter, PdfExporter, JsonExporter, FhirExporter, Hl7v2Exporter, MarkdownExporter,
            TextExporter, CsvTables, TsvTables, ParquetTables, OmopExporter]
