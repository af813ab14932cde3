"""One entry, several accounts of what the medicine is: codings, a display, a text, the source's own name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import pmed
from pmed.engine import Engine
from pmed.normalise.drug_names import ALSO
from pmed.normalise.drugs import Vocabulary, add_ingredients
from pmed.settings import Settings
from pmed.tables import TABLES

RXNORM, ATC, NDC = ("http://www.nlm.nih.gov/research/umls/rxnorm", "http://www.whocc.no/atc",
                    "http://hl7.org/fhir/sid/ndc")
SIMVASTATIN = {"system": RXNORM, "code": "312961", "display": "Simvastatin 20 MG Oral Tablet"}
ENGINE = Engine.start(Settings())
SHIPPED = Vocabulary.of(ENGINE.drug_names)


def tables_of(file: Path) -> dict[str, pl.DataFrame]:
    """What a run reads of a record, without what it concludes."""
    return ENGINE.read([], [file], ENGINE.request([]), {})


def read(tmp_path: Path, concept: Any, **fields: Any) -> tuple[dict[str, Any], list[str]]:
    """The medicine of a record with one order, and the issues of it."""
    order = {"resourceType": "MedicationRequest", "id": "m", "status": "active", "intent": "order",
             "subject": {"reference": "Patient/p"}, "authoredOn": "2024-01-01",
             "medicationCodeableConcept": concept} | fields
    patient = {"resourceType": "Patient", "id": "p", "birthDate": "1950-01-01"}
    file = tmp_path / "r.json"
    file.write_text(json.dumps({"resourceType": "Bundle", "type": "collection", "entry": [
        {"resource": one} for one in (patient, order)]}), "utf-8")
    tables = tables_of(file)
    return tables["medications"].row(0, named=True), tables["issues"]["code"].to_list()


@pytest.mark.parametrize(("concept", "possible"), [
    ({"coding": [SIMVASTATIN], "text": "atorvastatin 40 mg"}, {"simvastatin", "atorvastatin"}),
    ({"coding": [SIMVASTATIN], "text": "Lipitor 40 mg, einmal täglich abends"}, {"simvastatin", "atorvastatin"}),
    ({"coding": [SIMVASTATIN, {"system": ATC, "code": "B01AA04"}]}, {"simvastatin", "phenprocoumon"}),
    ({"coding": [SIMVASTATIN, {"system": NDC, "code": "1", "display": "warfarin 5 mg"}]}, {"simvastatin", "warfarin"}),
    ({"coding": [{"system": "urn:x", "code": "1", "display": "Hausname"}, {"system": ATC, "code": "B01AA04"}],
      "text": "Aspirin"}, {"phenprocoumon", "aspirin"}),
    ({"coding": [{"display": "Simvastatin"}], "text": "atorvastatine 40 mg"}, {"simvastatin", "atorvastatin"}),
    ({"coding": [{"system": "http://snomed.info/sct", "code": "787481004"}], "text": "warfarin"}, {"warfarin"})])
def test_different_drugs_in_one_entry_are_neither(tmp_path: Path, concept: Any, possible: set[str]) -> None:
    medicine, issues = read(tmp_path, concept)
    assert medicine["ingredients"] is None
    assert "code-display-conflict" in issues
    rows = TABLES["medications"].frame([medicine | {"ingredients": None}])
    assert set(add_ingredients(rows, SHIPPED)[0]["possible_ingredients"][0]) == possible


def test_what_is_in_conflict_is_told_with_all_its_names(tmp_path: Path) -> None:
    read(tmp_path, {"coding": [SIMVASTATIN], "text": "atorvastatin 40 mg"})
    issues = pmed.run(history=[tmp_path / "r.json"]).tables["issues"].filter(code="code-display-conflict")
    assert issues["text"].to_list() == [
        "'Simvastatin 20 MG Oral Tablet' (code 312961), also recorded as 'atorvastatin 40 mg', names different drugs: "
        "atorvastatin or simvastatin; none was taken"]


@pytest.mark.parametrize(("text", "codings"), [
    ("Zocor 20", []), ("Simvastatin", []), ("SIMVASTATIN 20 MG TABS", []), ("simvastatin sodium", []),
    ("1 tablet in the evening", []), ("Take with aspirin", []), ("nicht zusammen mit Clarithromycin", []),
    ("Cholesterinsenker", []), ("Fettsenker, wie Atorvastatin", []), ("", []), ("simvastatine", []),
    ("Take with food and aspirin", []), ("Simva-Hausmarke 20 mg", [{"system": NDC, "code": "00006-0740-31"}]),
    ("Zocor", [{"system": ATC, "code": "C10AA01", "display": "Simvastatin"}]),
    (None, [{"system": ATC, "code": "C10AA", "display": "HMG CoA reductase inhibitors"}]),
    (None, [{"system": "http://snomed.info/sct", "code": "319997009",
             "display": "Product containing precisely simvastatin 20 milligram/1 each oral tablet (clinical drug)"}]),
    (None, [SIMVASTATIN | {"display": "simvastatin"}])])
def test_other_names_and_remarks_are_no_conflict(tmp_path: Path, text: str | None, codings: list[Any]) -> None:
    medicine, issues = read(tmp_path, {"coding": [SIMVASTATIN, *codings], "text": text})
    assert medicine["ingredients"] == ["simvastatin"]
    assert medicine["matched_by"] == "code"
    assert not {"code-display-conflict", "part-not-recognised", "fuzzy-drug-name"} & set(issues)


@pytest.mark.parametrize(("coding", "text", "ingredients"), [
    ({"system": RXNORM, "code": "314231", "display": "simvastatin 10 MG"}, "Vytorin", ["ezetimibe", "simvastatin"]),
    ({"system": ATC, "code": "C10BX03"}, "amlodipine", ["amlodipine", "atorvastatin"]),
    ({"system": "urn:pzn", "code": "1", "display": "Hausname forte"}, "Marcumar 3 mg", ["phenprocoumon"]),
    ({"system": "urn:pzn", "code": "1", "display": "Hausname forte"}, "wie gehabt, mit Aspirin", None)])
def test_the_fuller_account_counts(tmp_path: Path, coding: Any, text: str, ingredients: list[str] | None) -> None:
    medicine, issues = read(tmp_path, {"coding": [coding], "text": text})
    assert medicine["ingredients"] == ingredients
    assert "code-display-conflict" not in issues


def test_the_name_of_a_link_is_an_account(tmp_path: Path) -> None:
    contained = {"resourceType": "Medication", "id": "x", "code": {"coding": [SIMVASTATIN]}}
    fields = {"medicationCodeableConcept": None, "contained": [contained]}
    for name, conflict in (("Atorvastatin 40", True), ("Zocor", False)):
        link = {"medicationReference": {"reference": "#x", "display": name}}
        _, issues = read(tmp_path, None, **fields, **link)
        assert ("code-display-conflict" in issues) is conflict


def test_an_allergy_to_one_of_two_speaks_against_both(tmp_path: Path) -> None:
    allergy = {"resourceType": "AllergyIntolerance", "id": "a", "patient": {"reference": "Patient/p"},
               "code": {"coding": [{"system": RXNORM, "code": "1191", "display": "Aspirin"}], "text": "Ibuprofen"}}
    patient = {"resourceType": "Patient", "id": "p", "birthDate": "1950-01-01"}
    file = tmp_path / "r.json"
    file.write_text(json.dumps({"resourceType": "Bundle", "type": "collection", "entry": [
        {"resource": one} for one in (patient, allergy)]}), "utf-8")
    tables = tables_of(file)
    assert tables["allergies"]["ingredients"].to_list() == [["aspirin", "ibuprofen"]]
    told = tables["issues"].filter(code="code-display-conflict")["text"].to_list()
    assert [one.rpartition("; ")[2] for one in told] == ["an allergy to each is weighed"]


def test_hl7_has_two_codings_and_a_text(tmp_path: Path) -> None:
    head = "MSH|^~\\&|A|B|C|D|20240501||RDE^O11|1|P|2.5\rPID|1||p^^^H||X^Y||19500101|F\rORC|NW|1|||IP\r"
    for field, conflict in (
            ("312961^Simvastatin 20 MG^RXNORM^B01AA04^Phenprocoumon^ATC", True),
            ("312961^Simvastatin 20 MG^RXNORM^C10AA01^Simvastatin^ATC", False),
            ("312961^Simvastatin 20 MG^RXNORM^^^^^^Atorvastatin 40 mg", True),
            ("312961^Simvastatin 20 MG^RXNORM^^^^^^Zocor", False), ("312961^Atorvastatin 20 MG^RXNORM", True)):
        file = tmp_path / "m.hl7"
        file.write_text(f"{head}RXE||{field}|20||mg\r", "utf-8")
        issues = tables_of(file)["issues"]["code"].to_list()
        assert ("code-display-conflict" in issues) is conflict, field


def test_tables_may_have_a_code_and_two_names(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text(f"id,system,code,name,ours\n1,{RXNORM},312961,Simvastatin,Atorvastatin 40\n"
                                    f"2,{RXNORM},312961,Simvastatin,Zocor\n3,{RXNORM},312961,Atorvastatin,\n", "utf-8")
    (tmp_path / "p.csv").write_text("id,born\n1,1950-01-01\n2,1950-01-01\n3,1950-01-01\n", "utf-8")
    mapping = tmp_path / "x.mapping.toml"
    mapping.write_text(
        '[[file]]\npath = "m.csv"\ntable = "medications"\ncolumns = {patient_id = "id", system = "system", '
        'code = "code", display = "name", also = "ours"}\nconstants = {status = "active", ordered = true}\n'
        '[[file]]\npath = "p.csv"\ntable = "patients"\ncolumns = {patient_id = "id", birth_date = "born"}\n', "utf-8")
    tables = tables_of(mapping)
    assert tables["medications"]["ingredients"].to_list() == [None, ["simvastatin"], None]
    assert tables["issues"].filter(code="code-display-conflict")["patient_id"].to_list() == ["1", "3"]


NAMES = st.sampled_from(sorted({*SHIPPED.own, *SHIPPED.brands}))


@given(st.lists(NAMES, min_size=2, max_size=4), st.randoms(use_true_random=False))
def test_whoever_names_it_first_the_answer_is_the_same(names: list[str], random: Any) -> None:
    named = [SHIPPED.match(None, None, one).ingredients for one in names]
    whole = frozenset().union(*named)
    shuffled = random.sample(names, len(names))
    first, *others = shuffled
    found = SHIPPED.settled(SHIPPED.match(None, None, first), ALSO.join(others))
    assert found.ingredients == (whole if whole in named else frozenset())
    assert found.possible == (frozenset() if whole in named else whole)


@given(st.text(max_size=30), st.text(max_size=30))
def test_any_account_is_survived(first: str, also: str) -> None:
    rows = TABLES["medications"].frame([{"patient_id": "p", "row": 1, "display": first, "also": also}])
    found, issues = add_ingredients(rows, SHIPPED)
    assert found.height == 1
    assert issues.filter(pl.col("code") == "code-display-conflict").height <= 1
