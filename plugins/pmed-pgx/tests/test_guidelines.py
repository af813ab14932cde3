"""Guideline rows and the predictor on them: complete, exclusive, explainable, and silent where nothing is known."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from pmed import TABLES
from pmed.render.phrases import said
from pmed.stages.predict import feature_frame
from pmed_pgx import trace
from pmed_pgx.cases import inputs
from pmed_pgx.checks import covered
from pmed_pgx.explainer import GuidelineExplainer
from pmed_pgx.guidelines import CONCERN, DAYS, ENDLESS, UNKNOWN, Range, drugs
from pmed_pgx.knowledge import genes, table
from pmed_pgx.medicines import of_class
from pmed_pgx.predictor import GuidelinePredictor

PREDICTOR = GuidelinePredictor()
SILENT = {"Indeterminate", "Possible Intermediate Metabolizer"}  # CPIC makes no recommendation for them


PLAIN: dict[str, list[Any]] = {
    "age": [0.5, 5.0, 15.0, 40.0, 80.0], "sex": ["female", "male"],
    **{kind: [True, False] for kind in ("finding", "condition", "pregnant", "breastfeeding")}}


def values(name: str) -> list[Any]:
    """Every value of a feature that a row knows or that the release can give."""
    kind, _, gene = name.partition(":")
    if kind in PLAIN:
        return PLAIN[kind]
    if kind in {"taking", "allergic-to"}:
        return ["", *sorted({*of_class(gene), "ibuprofen"})[:3], ";".join(sorted({*of_class(gene), "sertraline"})[:3])]
    if kind == "modifiers":
        return ["", "paroxetine|inhibitor|strong|taken",
                "bupropion|inhibitor|moderate|perhaps taken;rifampin|inducer|strong|taken"]
    checked = [end for drug in covered().values() for row in drug.checks for one in row.when.get(name, ())
               if isinstance(one, Range) for end in (one.low, one.high - 0.5) if abs(end) < ENDLESS]
    if kind == DAYS:
        return [0.0, 91.0, 92.0]
    if checked:
        return list(dict.fromkeys(checked))
    wanted = [one for drug in drugs().values() for row in drug.rows for one in row.when.get(name, ())]
    given = table("phenotypes").filter(gene=gene)["phenotype"].to_list() if kind == "phenotype" else []
    ends = [end for one in wanted if isinstance(one, Range) for end in (one.low, one.high - 0.25) if abs(end) < 10]
    named = (one for one in wanted if not isinstance(one, Range) and one != UNKNOWN)
    return list(dict.fromkeys([*named, *ends, *given]))


def type_of(name: str) -> pl.DataType:
    numbers = ("activity", "age", "weight", "bmi", "egfr", "creatinine", "child-pugh", "latest:", "daily-dose:", DAYS)
    flags = ("finding:", "condition:", "pregnant", "breastfeeding")
    return pl.Float64() if name.startswith(numbers) else pl.Boolean() if name.startswith(flags) else pl.String()


def people(*rows: dict[str, Any]) -> pl.DataFrame:
    named = [{"patient_id": f"p{i}", **row} for i, row in enumerate(rows)]
    types = {name: type_of(name) for name in PREDICTOR.wants}
    return pl.DataFrame(named, schema={"patient_id": pl.String(), **types})


def test_predictions_are_a_valid_table() -> None:
    made = PREDICTOR.predict(people({}, {"phenotype:CYP2C19": "Poor Metabolizer"})).with_columns(predictor=pl.lit("x"))
    TABLES["predictions"].check(made)
    assert made["patient_id"].to_list() == ["p0"] * len(covered()) + ["p1"] * len(covered())


@pytest.mark.parametrize("drug", drugs().values(), ids=lambda drug: drug.name)
def test_reference_patient_is_standard_and_words_name_no_other_drug(drug: Any) -> None:
    made = PREDICTOR.predict(people(dict(drug.inputs)))
    assert made.filter(pl.col("target") == drug.name)["value"].to_list() == [0.0]
    assert "{" not in "".join(row.text + row.because for row in drug.rows).replace("{alternatives}", "")
    assert all(one.rows and set(one.rows) <= {row.key for row in drug.rows} for one in drug.alternatives)
    assert drug.name not in {one.drug for one in drug.alternatives}


def test_every_alternative_is_in_the_vocabulary() -> None:
    known = set(table("drug_names")["ingredient"])
    assert set(drugs()) | {one.drug for drug in drugs().values() for one in drug.alternatives} <= known


@pytest.mark.parametrize(("drug", "known", "action"), [
    ("clopidogrel", {"phenotype:CYP2C19": "Poor Metabolizer"}, "avoid"),
    ("clopidogrel", {"phenotype:CYP2C19": "Likely Intermediate Metabolizer"}, "alternative"),
    ("simvastatin", {"phenotype:SLCO1B1": "Decreased Function"}, "alternative"),
    ("atorvastatin", {"phenotype:SLCO1B1": "Poor Function"}, "adjust"),
    ("citalopram", {"phenotype:CYP2C19": "Ultrarapid Metabolizer"}, "alternative"),
    ("omeprazole", {"phenotype:CYP2C19": "Ultrarapid Metabolizer"}, "adjust"),
    ("tacrolimus", {"phenotype:CYP3A5": "Normal Metabolizer"}, "adjust"),
    # Intermediate metabolisers differ by score (PMID 32189324, 32779747).
    ("ibuprofen", {"activity-score:CYP2C9": 1.5}, "standard"),
    ("ibuprofen", {"activity-score:CYP2C9": 1.0}, "adjust"),
    ("warfarin", {"diplotype:CYP2C9": "*1/*1", "phenotype:VKORC1": "-1639 AA"}, "adjust"),
    ("warfarin", {"diplotype:CYP2C9": "*2/*3", "phenotype:VKORC1": "-1639 AA"}, "alternative"),
    # The dose equations and the label's table do not know *5, *6, *8 and *11 (PMID 28198005).
    ("warfarin", {"diplotype:CYP2C9": "*1/*8", "phenotype:VKORC1": "-1639 GG"}, "adjust"),
])
def test_concern_of_known_results(drug: str, known: dict[str, Any], action: str) -> None:
    row = PREDICTOR.predict(people(known)).row(by_predicate=pl.col("target") == drug, named=True)
    assert (row["status"], row["value"]) == ("assessed", CONCERN[action])


def test_warfarin_concern_never_falls_with_sensitivity() -> None:
    grid = [{"diplotype:CYP2C9": pair, "phenotype:VKORC1": f"-1639 {bases}"}
            for pair in ("*3/*3", "*2/*3", "*1/*3", "*1/*2", "*1/*1") for bases in ("GG", "AG", "AA")]
    made = PREDICTOR.predict(people(*grid)).filter(pl.col("target") == "warfarin")["value"].to_numpy().reshape(5, 3)
    assert (made[1:] <= made[:-1]).all()
    assert (made[:, 1:] >= made[:, :-1]).all()


def test_unknown_input_is_named_and_never_standard() -> None:
    made = {row["target"]: row for row in PREDICTOR.predict(people({"diplotype:CYP2C9": "*1/*1"})).to_dicts()}
    assert made["clopidogrel"]["reason"] == "needs phenotype:CYP2C19"
    assert made["warfarin"]["reason"].startswith("needs phenotype:VKORC1")
    assert {made[name]["value"] for name in ("clopidogrel", "warfarin", "simvastatin", "tacrolimus")} == {None}


def test_result_without_recommendation_says_so() -> None:
    made = PREDICTOR.predict(people({"phenotype:CYP2C19": "Indeterminate"}))
    row = made.row(by_predicate=pl.col("target") == "clopidogrel", named=True)
    assert (row["status"], row["reason"]) == ("not-assessed", "no guideline row for CYP2C19 Indeterminate")


def test_predicts_where_no_plugin_gives_the_features() -> None:
    bare = feature_frame(PREDICTOR, pl.DataFrame({"patient_id": ["p"]}))
    made = PREDICTOR.predict(bare)
    assert set(made["status"]) == {"not-assessed", "not-applicable"}
    assert set(made.filter(pl.col("status") == "not-applicable")["target"]) == set(covered()) - set(drugs())
    assert PREDICTOR.trace(bare, made).is_empty()
    assert PREDICTOR.predict(people()).is_empty()


INPUTS = inputs(tuple(covered().values()))
persons = st.fixed_dictionaries({name: st.none() | st.sampled_from(values(name)) for name in INPUTS})


@settings(deadline=None, max_examples=40)
@given(drawn=st.lists(persons, min_size=1, max_size=6))
def test_batch_is_one_by_one_and_input_stays(drawn: list[dict[str, Any]]) -> None:
    frame = people(*drawn)
    before = frame.clone()
    together = PREDICTOR.predict(frame)
    assert_frame_equal(frame, before)
    assert_frame_equal(together, pl.concat([PREDICTOR.predict(frame[i]) for i in range(frame.height)]))


@settings(deadline=None, max_examples=10)  # each run of the engine also refuses what does not add up
@given(person=persons)
def test_exact_explanation_adds_up(person: dict[str, Any]) -> None:
    frame = people(person)
    assessed = PREDICTOR.predict(frame).filter(pl.col("status") == "assessed")
    explained = GuidelineExplainer().explain(PREDICTOR, frame, assessed)
    assert set(explained["target"]) == set(assessed["target"])
    for target, value in assessed.select("target", "value").iter_rows():
        made = explained.filter(target=target)
        assert made["contribution"].sum() + made["baseline"][0] == pytest.approx(value, abs=1e-9), target
        assert set(made["feature"]) >= set(covered()[target].inputs), target
    if assessed.height:
        alone = GuidelineExplainer().explain(PREDICTOR, frame, assessed[-1:])
        assert_frame_equal(alone, explained.filter(target=assessed["target"][-1]))


def test_trace_leads_from_the_site_to_the_guideline() -> None:
    frame = people({"phenotype:CYP2C19": "Intermediate Metabolizer", "diplotype:CYP2C19": "*1/*2",
                    "genotype:rs4244285": "G/A", "genotype:rs4986893": "G/G"})
    made = PREDICTOR.trace(frame, PREDICTOR.predict(frame)).filter(pl.col("target") == "clopidogrel")
    assert made["step"].to_list() == list(range(1, made.height + 1))
    site, diplotype, phenotype, *rows = made["text"].to_list()
    row = next(text for text in rows if "acute coronary" in text)
    assert any("after stroke" in text for text in rows)
    assert "rs4244285 chr10:94781859 G/A" in site
    assert "rs4986893" not in site
    assert "*2 = no function (rs12769205 G, rs4244285 A" in diplotype
    assert "Intermediate Metabolizer" in phenotype
    assert "PMID:35034351" in row
    assert "concern level 3" in row


def test_trace_where_only_a_check_speaks_of_the_drug() -> None:
    frame = people({"egfr": 60.0})
    said = PREDICTOR.predict(frame).filter(target="lithium", status="assessed")
    steps = PREDICTOR.trace(frame, said)["text"].to_list()
    assert len(steps) == 1
    assert steps[0].startswith('check "lithium')


def test_trace_of_several_diplotypes_does_not_pick_one() -> None:
    frame = people({"phenotype:SLCO1B1": "Decreased Function", "genotype:rs4149056": "T/C"})
    made = PREDICTOR.trace(frame, PREDICTOR.predict(frame)).filter(pl.col("target") == "simvastatin")
    assert made["text"][1] == "SLCO1B1: no single diplotype is known"


@pytest.mark.parametrize("few", [0, 100])
def test_trace_names_the_sites_that_were_not_read(few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was not read may hold a variant, in each of the trace's two ways."""
    monkeypatch.setattr(trace, "FEW", few)
    sites = [genes()["CYP2C9"].sites[place].name for place in genes()["CYP2C9"].key_sites]
    plain = {f"genotype:{site.name}": f"{site.alleles[0]}/{site.alleles[0]}" for site in genes()["CYP2C9"].sites}
    read = {f"genotype:{name}": plain[f"genotype:{name}"] for name in sites}
    without = read | {"genotype:rs1799853": None}
    known: dict[str, Any] = {"activity-score:CYP2C9": 2.0}
    frame = people(known | read, known | without, known | without | {"genotype:rs1057910": "A/C"},
                   known | dict.fromkeys(read))
    made = PREDICTOR.trace(frame, PREDICTOR.predict(frame)).filter(pl.col("target") == "celecoxib")
    steps = dict(made.filter(pl.col("text").str.contains("key sites")).select("patient_id", "text").rows())
    begin = "CYP2C9 key sites in the genome (GRCh38 positions): "
    assert list(steps.values()) == [
        f"{begin}no variant", f"{begin}no variant in those that were read; not read: rs1799853",
        f"{begin}rs1057910 chr10:94981296 A/C; not read: rs1799853"]
    assert said(steps[frame["patient_id"][1]], "de", str) == (
        "CYP2C9, Schlüsselstellen im Genom (Positionen nach GRCh38): "
        "keine Variante in den gelesenen; nicht gelesen: rs1799853")


@pytest.mark.parametrize("few", [0, 100])
def test_trace_tells_an_age_in_a_number_that_is_read(few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace, "FEW", few)
    frame = people({"age": 81.69589041095891, "activity-score:CYP2C9": 1.25, "diplotype:CYP2C9": "*1/*1",
                    "phenotype:VKORC1": "-1639 AA", "genotype:rs2108622": "C/C"})
    made = PREDICTOR.trace(frame, PREDICTOR.predict(frame)).filter(pl.col("target").is_in(["warfarin", "celecoxib"]))
    told = [text for text in made["text"].to_list() if text.startswith(("age ", "CYP2C9 alleles"))]
    assert sorted(told) == ["CYP2C9 alleles together: activity score 1.25", "age 81.7"]


def test_rows_agree_with_the_published_table(shared: Path) -> None:
    """Where CPIC's table has a recommendation, so have we; and its standard doses are not our changes."""
    standard = ("use at standard dose", "Initiate therapy with recommended starting dose", "Prescribe desired starting",
                "Initiate therapy with standard", "with standard dosing", "no need to avoid", "Approximately 70%",
                "standard of care dosing", "age- or weight-specific dosing")
    # The table has the usual dose first where the guidelines ask to change the drug if it does not help.
    newer = {"sertraline", "hydrocodone"}
    # SSRI 2023 adds care to the 2015 table's; statins 2022 asks to watch for muscle symptoms at the usual dose.
    softer = {"Intermediate Metabolizer", "Likely Intermediate Metabolizer", "Decreased Function",
              "Possible Decreased Function"}
    with (shared / "reference/cpic/recommendation-table.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["Drug"] in drugs() and row["Gene1"] in genes()]
    compared = 0
    for row in rows:
        drug, name = drugs()[row["Drug"]], f"phenotype:{row['Gene1']}"
        # The table names the phenotypes of CFTR otherwise.
        if list(drug.reference) != [name] or row["Gene1"] == "CFTR" or drug.name in newer:
            continue
        found = [one for one in drug.rows if row["Phenotype1"] in one.when.get(name, ())]
        assert bool(found) is not row["Recommendation"].startswith("No"), row
        if found and any(words in row["Recommendation"] for words in standard):
            assert found[0].concern <= (1 if row["Phenotype1"] in softer else 0), row
        elif found and not drug.name.endswith(("prazole", "atomoxetine")):  # their rows all begin with the usual dose
            assert found[0].concern >= 1, row
        compared += 1
    assert compared >= 40
