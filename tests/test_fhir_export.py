"""The FHIR bundle: valid R4, true to the profiles it claims, and nothing unknown looks known."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle
from hypothesis import given, settings

from pmed.engine import run
from pmed.plugins import Failure
from pmed.render.fhir import FhirExporter
from pmed.result import Result
from pmed.sources.fhir import FhirSource
from pmed.tables import TABLES
from pmed.types import ReadRequest
from tests import render_cases as cases
from tests.fhir_profiles import GUIDE, claimed, faults
from tests.hostile import hostile

Json = dict[str, Any]
DEMO = Path(__file__).resolve().parents[1] / "pmed/demo"


def exported(result: Result) -> Json:
    decoded: Json = json.loads(FhirExporter().export(result))
    return decoded


def of(bundle: Json, kind: str) -> list[Json]:
    """Resources of a type, or that claim a profile."""
    resources = [entry["resource"] for entry in bundle["entry"]]
    return [one for one in resources if kind in {one["resourceType"], *claimed(one)}]


def gene_of(resource: Json) -> str:
    return next(part["valueCodeableConcept"]["text"] for part in resource["component"]
                if part["code"]["coding"][0]["code"] == "48018-6")


@pytest.fixture(scope="module", params=["warfarin", "partial"])
def demo(request: pytest.FixtureRequest) -> Result:
    return run([DEMO / f"{request.param}.vcf"], [DEMO / f"{request.param}.json"])


@pytest.fixture(scope="module")
def bundle() -> Json:
    return exported(cases.full())


def test_demo_is_valid_and_true_to_its_profiles(demo: Result) -> None:
    made = exported(demo)
    Bundle.model_validate(made)
    assert faults(made) == []
    assert of(made, "genotype")
    assert of(made, "therapeutic-implication")
    assert of(made, "Provenance")


def test_what_is_open_is_absent_and_never_a_diplotype(demo: Result) -> None:
    made = exported(demo)
    known = {row["gene"]: row["diplotypes"] for row in demo.tables["gene_results"].iter_rows(named=True)
             if row["status"] in {"called", "outside"} and row["complete"]}
    values = {gene_of(one): one for one in of(made, "genotype")}
    assert set(values) >= set(demo.tables["gene_results"]["gene"])
    for gene, one in values.items():
        value = one["valueCodeableConcept"]
        if gene in known:
            assert (one["status"], value) == ("final", {"text": f"{gene} {known[gene][0]}"})
        else:
            assert (one["status"], set(value)) == ("preliminary", {"extension"})
            assert value["extension"][0]["valueCode"] == "unknown"
            assert one["note"]


def test_reading_the_bundle_back_gives_the_settled_genotypes_and_no_other(demo: Result, tmp_path: Path) -> None:
    path = tmp_path / "back.json"
    path.write_bytes(FhirExporter().export(demo))
    read = FhirSource().read([path], ReadRequest(TABLES["sites"].empty()))
    back = {row["gene"]: row["diplotype"] for row in read["outside_calls"].iter_rows(named=True)}
    assert back == {row["gene"]: row["diplotypes"][0] for row in demo.tables["gene_results"].iter_rows(named=True)
                    if row["status"] in {"called", "outside"} and row["complete"]}


def test_what_rests_on_absent_sites_is_never_final(tmp_path: Path) -> None:
    result = run([DEMO / "stent.vcf"], [DEMO / "stent.json"], options={"vcf": {"absent_as_ref": True}})
    made = exported(result)
    status = {gene_of(one): (one["status"], one["valueCodeableConcept"].get("text")) for one in of(made, "genotype")}
    assert status["CYP3A4"] == ("preliminary", "CYP3A4 *1/*1")
    assert status["CYP2C19"] == ("final", "CYP2C19 *2/*2")
    assert {one["status"] for one in of(made, "haplotype") if gene_of(one) == "CYP3A4"} == {"preliminary"}
    path = tmp_path / "back.json"
    path.write_text(json.dumps(made))
    back = FhirSource().read([path], ReadRequest(TABLES["sites"].empty()))["outside_calls"]["gene"].to_list()
    assert "CYP2C19" in back
    assert "CYP3A4" not in back  # read back, the mark would be lost


def test_one_diplotype_with_a_missing_key_site_is_no_value() -> None:
    rows = cases.full_rows()
    rows["gene_results"][1].update(status="called", diplotypes=["*1/*4"])
    made = exported(Result(cases.result(rows).tables, (), cases.full().provenance))
    [gene] = [one for one in of(made, "genotype") if gene_of(one) == "DEF2"]
    assert set(gene["valueCodeableConcept"]) == {"extension"}
    assert gene["component"][-1]["valueString"] == "Not settled; possible: *1/*4 or others"


def test_a_drug_that_was_asked_for_is_told_though_it_is_open() -> None:
    rows = cases.full_rows()
    rows["suggestions"] = [cases.suggestion(drug, "test", current=False, unknown=["phenotype:GHI3"])
                           for drug in ("asked", "other")]
    made = exported(Result(cases.result(rows).tables, (), cases.full().provenance))
    [told] = of(made, "therapeutic-implication")
    assert "asked" in json.dumps(told)
    assert of(made, "Task") == []
    [report] = of(made, "genomic-report")
    assert "not a finding that all is well" in report["conclusion"]


def broken() -> Iterator[tuple[str, str, Callable[[Json], object]]]:
    """(name, profile or type, how to break one resource of it)."""
    yield "no laboratory category", "genotype", lambda one: one["category"].pop(0)
    yield "twice genetic", "genotype", lambda one: one["category"].append(one["category"][1])
    yield "another code", "genotype", lambda one: one["code"]["coding"][0].update(code="84414-2")
    yield "no value", "genotype", lambda one: one.pop("valueCodeableConcept")
    yield "text value", "genotype", lambda one: one.update(valueString=one.pop("valueCodeableConcept")["text"])
    yield "gene without value", "genotype", lambda one: one["component"][0].pop("valueCodeableConcept")
    yield "a value", "therapeutic-implication", lambda one: one.update(valueString="x")
    yield "derived from nothing", "therapeutic-implication", lambda one: one.pop("derivedFrom")
    yield "answer outside the value set", "therapeutic-implication", lambda one: one["component"].append({
        "code": one["code"], "valueCodeableConcept": {"coding": [{"system": "http://loinc.org", "code": "LA1-1"}]}})
    yield "another status", "medication-recommendation", lambda one: one.update(status="draft")
    yield "another intent", "medication-recommendation", lambda one: one.update(intent="order")
    yield "answer of another list", "medication-recommendation", lambda one: one["code"]["coding"][0].update(
        code="LA14022-0")
    yield "reason of another kind", "medication-recommendation", lambda one: one.update(reasonReference=one["for"])
    yield "another code", "genomic-report", lambda one: one["code"]["coding"][0].update(code="81247-9")
    yield "action that is no task", "genomic-report", lambda one: one["extension"][0].update(
        valueReference=one["subject"])
    yield "extension of no name", "genomic-report", lambda one: one["extension"].append(
        {"url": f"{GUIDE}nothing", "valueString": "x"})


@pytest.mark.parametrize(("profile", "damage"), [pytest.param(kind, damage, id=f"{kind}: {name}")
                                                 for name, kind, damage in broken()])
def test_the_checker_sees_what_is_wrong(bundle: Json, profile: str, damage: Callable[[Json], object]) -> None:
    assert faults(bundle) == []
    worse = copy.deepcopy(bundle)
    damage(next(one for one in of(worse, profile) if one.get("status") != "preliminary"))
    assert faults(worse)


def test_advice_is_a_task_that_points_to_what_it_rests_on(bundle: Json) -> None:
    by_url = {entry["fullUrl"]: entry["resource"] for entry in bundle["entry"]}
    [avoid] = [one for one in of(bundle, "Task") if "zappa" in one["description"]]
    assert avoid["code"]["coding"][0]["code"] == "LA26421-0"
    assert avoid["priority"] == "asap"
    assert avoid["description"].endswith("Caution: Recorded allergy to zappa.")
    assert by_url[avoid["focus"]["reference"]]["medicationCodeableConcept"]["text"] == "Zappa 75 MG tablet"
    implied = by_url[avoid["reasonReference"]["reference"]]
    assert [gene_of(by_url[one["reference"]]) for one in implied["derivedFrom"]] == ["ABC1"]
    texts = [part.get("valueString") or part["valueCodeableConcept"]["text"] for part in implied["component"]]
    assert texts == ["Stop zappa and take another one. It cannot work here.", "zappa", "ABC1 Slow", "Guild level A",
                     "ABC1 Very slow (yolk (strong inhibitor))"]
    [test] = of(bundle, "followup-recommendation")
    assert test["code"]["coding"][0]["code"] == "LA14022-0"
    assert by_url[test["reasonReference"]["reference"]]["dataAbsentReason"]["coding"][0]["code"] == "unknown"
    assert not [one for one in of(bundle, "Task") if "later" in one["description"]]  # not taken: nothing to do


def test_a_probability_is_a_risk_and_other_numbers_are_observations(bundle: Json) -> None:
    [risk] = of(bundle, "RiskAssessment")
    assert risk["prediction"][0]["probabilityDecimal"] == 12.34
    assert risk["prediction"][0]["rationale"] == "12.3 %, 8 to 20 %, fair"
    [dose] = [one for one in of(bundle, "Observation") if not claimed(one)]
    assert dose["dataAbsentReason"]["coding"][0]["code"] == "unknown"
    assert "valueQuantity" not in dose
    assert dose["note"] == [{"text": "not assessed: needs observation:99-9"}]


def test_an_unknown_risk_has_no_probability() -> None:
    rows = cases.full_rows()
    rows["predictions"][2] = cases.prediction("luck", "ten-year-luck", None, unit="%", reason="needs age")
    result = Result(cases.result(rows).tables, (), cases.full().provenance)
    made = exported(result)
    Bundle.model_validate(made)
    [risk] = of(made, "RiskAssessment")
    assert "probabilityDecimal" not in risk["prediction"][0]
    assert risk["prediction"][0]["_probabilityDecimal"]["extension"][0]["valueCode"] == "unknown"


def test_a_failed_plugin_makes_the_report_partial(bundle: Json) -> None:
    [report] = of(bundle, "genomic-report")
    assert report["status"] == "partial"
    assert "pmed-broken" in json.dumps(report["extension"])
    [whole] = of(exported(Result(cases.full().tables, (), cases.full().provenance)), "genomic-report")
    assert whole["status"] == "final"


def test_ids_follow_from_content_and_not_from_the_time(bundle: Json) -> None:
    later = exported(Result(cases.full().tables, cases.full().failures,
                            {**cases.full().provenance, "created": "2027-01-01T00:00:00+00:00"}))
    urls = [[entry["fullUrl"] for entry in one["entry"] if entry["resource"]["resourceType"] != "Provenance"]
            for one in (bundle, later)]
    assert urls[0] == urls[1]
    assert all(entry["request"].get("ifNoneExist", "").endswith(entry["fullUrl"]) for entry in later["entry"]
               if entry["resource"]["resourceType"] != "Provenance")
    rows = cases.full_rows()
    rows["gene_results"][0]["diplotypes"] = ["*1/*2"]
    other = exported(Result(cases.result(rows).tables, cases.full().failures, cases.full().provenance))
    assert of(other, "genomic-report")[0]["id"] != of(bundle, "genomic-report")[0]["id"]


def test_several_patients_each_keep_their_own() -> None:
    rows = cases.full_rows()
    rows["samples"].append({**rows["samples"][0], "sample": "S0", "patient_id": "aaron"})
    rows["gene_results"].append({**rows["gene_results"][0], "patient_id": "aaron"})
    made = exported(Result(cases.result(rows).tables, (), cases.full().provenance))
    assert faults(made) == []
    patients = {f"urn:uuid:{one['id']}": one["identifier"][1]["value"] for one in of(made, "Patient")}
    assert sorted(patients.values()) == ["aaron", "ann"]
    by_url = {entry["fullUrl"]: entry["resource"] for entry in made["entry"]}
    for report in of(made, "genomic-report"):
        subjects = {by_url[one["reference"]]["subject"]["reference"] for one in report["result"]}
        assert subjects == {report["subject"]["reference"]}


@pytest.mark.parametrize("failures", [(), (Failure("p", "1", "predict", None, "E", "m"),)])
def test_hardly_anything_known_is_still_valid(failures: tuple[Failure, ...]) -> None:
    rows = cases.full_rows()
    made = exported(Result(cases.result({"samples": rows["samples"]}).tables, failures))
    Bundle.model_validate(made)
    assert faults(made) == []


def kept(text: str) -> str:
    """What FHIR can hold of a text."""
    return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", "\N{REPLACEMENT CHARACTER}", text).strip()


@settings(max_examples=40, deadline=None)
@given(name=hostile, words=hostile, display=hostile)
def test_hostile_text_stays_text(name: str, words: str, display: str) -> None:
    rows = cases.full_rows()
    for table in rows.values():
        for row in table:
            row.update({key: name for key in ("patient_id", "sample") if key in row})
    rows["suggestions"][0].update(text=words, why=display)
    rows["medications"][0].update(display=display)
    made = exported(Result(cases.result(rows).tables, (), cases.full().provenance))
    Bundle.model_validate(made)
    assert faults(made) == []
    [avoid] = [one for one in of(made, "Task") if one["priority"] == "asap"]
    assert avoid["description"].startswith(kept(f"{words} Caution")[:-8].rstrip())
    identifiers = [one["value"] for one in of(made, "Patient")[0]["identifier"]]
    assert identifiers[1:] == ([kept(name)] if kept(name) else [])
