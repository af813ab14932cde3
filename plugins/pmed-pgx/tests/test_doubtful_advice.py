"""Advice where a gene is a set, a hint is all there is, or the genome cannot tell: said, and never acted upon."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from pmed.tables import TABLES
from pmed_pgx import choose_explainer
from pmed_pgx.adviser import GuidelineAdviser
from pmed_pgx.explainer import GuidelineExplainer
from pmed_pgx.guidelines import drugs, parse
from pmed_pgx.knowledge import folder, genes
from pmed_pgx.outcomes import outcome
from pmed_pgx.predictor import GuidelinePredictor
from pmed_pgx.reasons import in_words, reasons, today
from pmed_pgx.trace import _functions, _input

POOR, LIKELY, NORMAL = "Poor Metabolizer", "Likely Poor Metabolizer", "Normal Metabolizer"
PREDICTOR = GuidelinePredictor()


def advised(features: dict[str, Any], *results: dict[str, Any], drug: str = "clopidogrel") -> dict[str, Any]:
    """The suggestion for one patient who takes `drug`, from features and ``gene_results`` rows."""
    wide = pl.DataFrame([{"patient_id": "p", **features}])
    rows = [{"patient_id": "p", "status": "called", "complete": True, "diplotypes": [], "messages": [], **row}
            for row in results]
    tables = {"features": wide, "gene_results": TABLES["gene_results"].frame(rows),
              "predictions": PREDICTOR.predict(wide).with_columns(predictor=pl.lit("pgx-guidelines")),
              "medications": TABLES["medications"].frame(
                  [{"patient_id": "p", "row": 0, "ingredients": [drug], "active": True}])}
    made = GuidelineAdviser().advise(tables)
    return TABLES["suggestions"].check(made.with_columns(adviser=pl.lit("pgx-guidelines"))).row(
        by_predicate=pl.col("drug") == drug, named=True)


def test_possible_phenotypes_that_agree_give_the_advice_with_a_caution() -> None:
    row = advised({"phenotypes:CYP2C19": f"{POOR} or {LIKELY}"}, {
        "gene": "CYP2C19", "status": "ambiguous", "complete": False, "diplotypes": ["*2/*2", "*2/*10"]})
    assert (row["action"], row["concern"], row["urgency"]) == ("avoid", 4.0, "today")
    (caution,) = [one for one in row["cautions"] if one["code"] == "ambiguous-gene"]
    assert f"{POOR} or {LIKELY} are possible" in caution["text"]
    assert row["why"].startswith("CYP2C19 *2/*2 or *2/*10: ")


def test_possible_phenotypes_that_differ_ask_for_a_test_and_say_what_each_would_mean() -> None:
    row = advised({"phenotypes:CYP2C19": f"{NORMAL} or {POOR}"})
    assert (row["action"], row["concern"], row["dose_factor"]) == ("test", None, None)
    assert f"CYP2C19 {POOR} (avoid), CYP2C19 {NORMAL} (standard)" in row["text"]
    assert row["unknown"] == ["phenotype:CYP2C19"]


def test_a_certain_phenotype_needs_no_list() -> None:
    assert advised({"phenotype:CYP2C19": POOR, "phenotypes:CYP2C19": POOR})["action"] == "avoid"
    assert advised({"phenotype:CYP2C19": POOR})["action"] == "avoid"


def test_hints_are_cautions_and_change_nothing() -> None:
    hint = {"code": "hint", "text": "rs0 suggests an allele; low evidence"}
    result = {"gene": "CYP2C19", "diplotypes": ["*1/*1"], "phenotype": NORMAL}
    plain, hinted = (advised({"phenotype:CYP2C19": NORMAL}, {**result, "messages": messages}) for messages in
                     ([], [hint, {"code": "priority", "text": "other"}]))
    assert [one for one in hinted["cautions"] if one not in plain["cautions"]] == [hint]
    assert {name: hinted[name] for name in hinted if name != "cautions"} == {
        name: plain[name] for name in plain if name != "cautions"}


def test_structure_that_was_not_assessed_is_the_reason() -> None:
    text = "copy number and hybrids not assessed"
    made = in_words(TABLES["gene_results"].frame([
        {"patient_id": "p", "gene": "CYP2D6", "status": "called", "diplotypes": ["*1/*4"], "complete": False,
         "messages": [{"code": "homozygous", "text": "x"}, {"code": "copy-number-not-assessed", "text": text}]}]))
    assert made["gap"].to_list() == [f"CYP2D6 is not certain: {text}"]


@pytest.mark.parametrize("results", [
    [], [{"patient_id": "p", "gene": "CYP2C19", "status": "no-data", "complete": False}]])
def test_reason_of_a_gene_without_result(results: list[dict[str, Any]]) -> None:
    row = advised({"phenotype:CYP2C19": None}, *results)
    assert row["action"] == "test"
    assert ("no genome is given" if not results else "none of its sites") in row["why"]


def test_hla_is_never_said_to_be_read_from_a_genome_file() -> None:
    hla = "status:HLA-B*15:02"
    text = (folder() / "guideline-clopidogrel.toml").read_text("utf-8").replace("phenotype:CYP2C19", hla)
    made_up = parse(text)[0]
    rows = pl.DataFrame({"patient_id": ["p"], "drug": ["made-up"], "case": [0]})
    made = reasons(rows, [outcome(made_up, {hla: None})],
                   today(TABLES["gene_results"].empty(), TABLES["present_phenotypes"].empty()))
    assert "needs HLA typing" in made["gap"][0]


def test_the_explainer_is_for_our_predictor_only() -> None:
    class Other:
        name = "other"

    assert isinstance(choose_explainer(PREDICTOR), GuidelineExplainer)
    assert choose_explainer(Other()) is None  # type: ignore[arg-type]


def test_trace_of_list_genes_names_each_variant_and_absent_genes_do_no_harm() -> None:
    said = _functions(genes()["DPYD"], "[c.498G>A + c.2846A>T]/Reference")
    assert [one.partition(" = ")[0] for one in said.split("; ")] == ["c.498G>A", "c.2846A>T", "Reference"]
    status = pl.DataFrame({"status:HLA-B*15:02": ["positive", None]}).select(_input("status:HLA-B*15:02")).to_series()
    assert status.to_list() == ["HLA-B*15:02 positive", None]
    haploid = _functions(genes()["G6PD"], "B (reference)")
    assert haploid.startswith("B (reference) = ")


def test_every_drug_says_who_it_is_for() -> None:
    assert all(drug.populations and drug.evidence[0]["level"] is not None for drug in drugs().values())


def test_a_reason_never_names_a_single_uncertain_diplotype_as_if_it_were_known() -> None:
    from pmed import TABLES
    from pmed_pgx.reasons import in_words

    row = {"patient_id": "ann", "gene": "CYP2C9", "status": "called", "diplotypes": ["*1/*1"], "complete": False}
    told = in_words(TABLES["gene_results"].frame([row, {**row, "patient_id": "bob", "complete": True}]))
    assert told["who"].to_list() == ["CYP2C9 *1/*1 as far as it was read, not certain", "CYP2C9 *1/*1"]
