"""What a record says of allergies: a substance only the reaction names, that there is none, or nothing at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pmed.normalise.drugs import add_ingredients
from pmed.normalise.vocabulary import release
from pmed.sources.fhir import FhirSource
from pmed.sources.omop import OmopSource
from pmed.tables import TABLES
from pmed.types import ReadRequest
from pmed.verdicts import lists_allergies
from pmed_pgx.medicines import PresentPhenotypes

NAMES = release().tables["drug_names"]
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
CARBAMAZEPINE = {"coding": [{"system": RXNORM, "code": "308971", "display": "carbamazepine"}]}


def allergies(folder: Path, *said: dict[str, Any]) -> pl.DataFrame:
    who = {"resourceType": "Patient", "id": "p", "birthDate": "1950-07-03"}
    told = [{"resourceType": "AllergyIntolerance", "patient": {"reference": "Patient/p"}, **one} for one in said]
    (folder / "b.json").write_text(json.dumps({"resourceType": "Bundle", "entry": [
        {"resource": one} for one in (who, *told)]}))
    read = FhirSource().read([folder / "b.json"], ReadRequest(TABLES["sites"].empty(), index_date="2026-06-15"))
    return add_ingredients(read["allergies"], NAMES)[0]


def named(display: str | None, code: str | None = None, system: str | None = None) -> tuple[pl.DataFrame, list[str]]:
    one = TABLES["allergies"].frame([{"patient_id": "p", "row": 1, "display": display, "code": code, "system": system,
                                      "active": True}]).with_columns(also=pl.lit(None, pl.String))
    table, issues = add_ingredients(one, NAMES)
    return table, issues["code"].to_list()


@pytest.mark.parametrize(("code", "expected"), [
    (None, [["carbamazepine"]]), ({"text": "Drug allergy"}, [None, ["carbamazepine"]]),
    ({"text": "Carbamazepine"}, [["carbamazepine"]]), (CARBAMAZEPINE, [["carbamazepine"]])])
def test_a_substance_that_only_the_reaction_names_is_an_allergen(tmp_path: Path, code: dict[str, Any] | None,
                                                                 expected: list[list[str] | None]) -> None:
    found = allergies(tmp_path, {"code": code, "verificationStatus": {"coding": [{"code": "confirmed"}]}, "reaction": [
        {"substance": CARBAMAZEPINE, "manifestation": [{"text": "rash"}]}, {"manifestation": [{"text": "rash"}]}]})
    assert found["ingredients"].to_list() == expected
    assert found["active"].to_list() == [True] * len(expected)


@pytest.mark.parametrize("text", [
    "Keine Allergien bekannt", "keine bekannten Allergien", "keine", "keine bekannt", "Keine Medikamentenallergien",
    "Allergien: keine", "keine Unvertr\u00e4glichkeiten", "None known", "Nil known", "No", "nein",
    "no allergies known"])
def test_words_that_deny_allergies(text: str) -> None:
    table, issues = named(text)
    assert (table["ingredients"].to_list(), table.filter(lists_allergies()).height, issues) == ([[]], 1, [])


@pytest.mark.parametrize(("text", "code"), [
    ("unknown", None), ("Unbekannt", None), ("k.A.", None), ("keine Angabe", None), ("-", None), ("n/a", None),
    ("Not asked", None), ("Allergies: not recorded", None), ("No information about allergies", "no-allergy-info"),
    ("None", None), ("NaN", None), (None, None), ("asked but unknown", "asked-unknown")])
def test_an_answer_that_says_nothing_is_no_list(text: str | None, code: str | None) -> None:
    table, _ = named(text, code)
    assert (table["ingredients"].to_list(), table.filter(lists_allergies()).height) == ([None], 0)


def test_what_is_no_medicine_of_the_vocabulary_is_an_allergy_all_the_same() -> None:
    table, issues = named("Peanut")
    assert (table.filter(lists_allergies()).height, issues) == (1, ["allergen-not-recognised"])


@pytest.mark.parametrize("text", ["No known drug allergies", "keine"])
def test_a_code_of_a_drug_whose_text_denies_allergies_is_neither(text: str) -> None:
    table, issues = named(text, "308971", RXNORM)
    assert table.select("ingredients", "possible_ingredients").row(0) == (None, ["carbamazepine"])
    assert issues == ["code-display-conflict"]


@pytest.mark.parametrize(("row", "expected"), [
    ("1,1,9,2015-01-01,,,8,Codeine,allergy", ["Codeine"]), ("1,1,9,2015-01-01,,,0,Yes,allergy", ["Allergy to aspirin"]),
    ("1,1,9,2015-01-01,,,0,,allergy", ["Allergy to aspirin"]), ("1,1,9,2015-01-01,,,0,No,allergy", []),
    ("1,1,7,2015-01-01,,,0,,allergy", [])])
def test_allergies_among_the_observations_of_omop(tmp_path: Path, row: str, expected: list[str]) -> None:
    (tmp_path / "person.csv").write_text("person_id,gender_concept_id,year_of_birth\n1,8532,1950\n")
    (tmp_path / "concept.csv").write_text(
        "concept_id,concept_name,domain_id,vocabulary_id,concept_class_id,concept_code\n"
        "9,Allergy to aspirin,Observation,SNOMED,Clinical Finding,293586001\n"
        "7,Family history of allergy to drug,Observation,SNOMED,Clinical Finding,1\n")
    (tmp_path / "observation.csv").write_text(
        "observation_id,person_id,observation_concept_id,observation_date,value_as_number,unit_concept_id,"
        f"value_as_concept_id,value_as_string,observation_source_value\n{row}\n")
    read = OmopSource().read([tmp_path], ReadRequest(TABLES["sites"].empty(), index_date="2026-06-15"))
    assert read["allergies"]["display"].to_list() == expected


@pytest.mark.parametrize(("text", "drug"), [
    ("Allergie gegen Ibuprofen", "ibuprofen"), ("Allergie auf Metamizol", "metamizole"),
    ("Novalgin-Allergie", "metamizole"), ("Carbamazepin \u00dcberempfindlichkeit", "carbamazepine"),
    ("ASS-Unvertr\u00e4glichkeit", "aspirin"), ("Keine Allergie gegen Metamizol", None)])
def test_german_words_around_an_allergen(text: str, drug: str | None) -> None:
    assert named(text)[0]["ingredients"].to_list() == [[drug] if drug else None]


@pytest.mark.parametrize("text", ["Penicillinallergie", "Penicillin-Allergie", "Allergie gegen Penicillin"])
def test_german_words_around_a_class(text: str) -> None:
    assert allergic_to(text) == "penicillin"


@pytest.mark.parametrize(("text", "to"), [
    ("Penicillin, ASS", "aspirin;penicillin"), ("Penicillins and cephalosporins", "cephalosporin;penicillin"),
    ("Pollen; Penicillin", "penicillin"), ("Sulfa drugs / Codeine", "codeine;sulfonamide-antibiotic"),
    ("No allergy to penicillins or cephalosporins", "")])
def test_several_allergens_in_one_entry(text: str, to: str) -> None:
    assert allergic_to(text) == to


def allergic_to(text: str) -> str:
    tables = {name: TABLES[name].empty() for name in PresentPhenotypes.needs}
    made = PresentPhenotypes().run({**tables, "patients": TABLES["patients"].frame([{"patient_id": "p"}]),
                                    "allergies": named(text)[0]}, ["allergic-to"])
    return str(made["features"]["allergic-to"].item())
