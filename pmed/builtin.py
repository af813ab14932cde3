"""pmed's own components, registered through the same hooks as everybody else's."""

from __future__ import annotations

import polars as pl

from .explain.shapley import ExactShapley
from .features.derived_step import DerivedFeatures
from .features.history import HistoryFeatures
from .hookspecs import hookimpl
from .normalise import vocabulary
from .normalise.drugs import is_goods
from .normalise.old_entries import old_drugs
from .repeats import of_tables
from .sources.fhir import FhirSource
from .sources.hl7v2 import Hl7v2Source
from .sources.omop import OmopSource
from .sources.tabular import TableSource
from .sources.vcf import VcfSource
from .tables import Tables
from .types import Explainer, Exporter, FeatureStep, Predictor, Release, Source
from .verdicts import lists_allergies

UNREAD, NO_LIST = "unread-medicine", "allergies-unknown"
_ANOTHER = ("avoid", "alternative")
_NO_CAUTIONS = pl.DataFrame(schema=dict.fromkeys(("patient_id", "drug", "code", "text"), pl.String()))


@hookimpl
def register_sources() -> list[type[Source]]:
    """VCF genomes; FHIR, OMOP, HL7 v2 and plain tables."""
    return [VcfSource, FhirSource, OmopSource, Hl7v2Source, TableSource]


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
    """Recorded allergies to what is proposed, or that none are recorded; medicines not read, or listed long ago."""
    return pl.concat([_allergies(suggestions, tables), _no_list(suggestions, tables), _unread(suggestions, tables),
                      _old(suggestions, tables)])


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


def _unread(suggestions: pl.DataFrame, tables: Tables) -> pl.DataFrame:
    """A caution where advice weighed other medicines, and the patient takes one that no vocabulary knows."""
    unknown = tables["medications"].filter(pl.col("active").fill_null(value=True), pl.col("ingredients").is_null(),
                                           ~is_goods())
    if unknown.is_empty():
        return _NO_CAUTIONS.clone()
    weighed = tables["explanations"].filter(pl.col("feature").str.starts_with("on:")).select(
        "patient_id", "predictor", "target").unique()
    if weighed.is_empty():  # as of a cohort without explanations
        return _NO_CAUTIONS.clone()
    told = pl.col("cautions").list.eval(pl.element().struct.field("code") == UNREAD).list.any().fill_null(value=False)
    rests_on = suggestions.filter(~told).select("patient_id", "drug", "explained_by").explode(
        "explained_by", empty_as_null=True, keep_nulls=True).unnest("explained_by")
    names = unknown.group_by("patient_id").agg(names=pl.col("display").unique(maintain_order=True).str.join(", "))
    hits = rests_on.join(weighed, on=["patient_id", "predictor", "target"]).join(names, on="patient_id")
    return hits.select("patient_id", "drug", code=pl.lit(UNREAD), text=pl.format(
        "Not recognised, so an interaction with it was not weighed: {}.", "names")).unique(maintain_order=True)


def _old(suggestions: pl.DataFrame, tables: Tables) -> pl.DataFrame:
    """A caution where advice is about, or rests on, a medicine that only entries of years ago have as taken."""
    old = old_drugs(tables["medications"], tables["patients"])
    if old.is_empty():
        return _NO_CAUTIONS.clone()
    own = suggestions.filter("current").select("patient_id", "drug", of="drug")
    weighed = tables["explanations"].filter(pl.col("feature").str.starts_with("on:"), pl.col("value") == "yes",
                                             pl.col("contribution") != 0).select(
        "patient_id", "predictor", "target", of=pl.col("feature").str.strip_prefix("on:"))
    rests_on = suggestions.filter(pl.col("patient_id").is_in(old["patient_id"].unique().to_list())).select(
        "patient_id", "drug", "explained_by").explode("explained_by", empty_as_null=True, keep_nulls=True).unnest(
        "explained_by").join(weighed, on=["patient_id", "predictor", "target"]).select("patient_id", "drug", "of")
    hits = pl.concat([own, rests_on]).unique(maintain_order=True).join(
        old, left_on=["patient_id", "of"], right_on=["patient_id", "drug"], maintain_order="left")
    return hits.select("patient_id", "drug", code=pl.lit("old-entry"), text=pl.format(
        "Nothing was recorded about {} for {} years: ask whether it is still taken.", "of", "years"))


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
