"""What is taken, what still acts and what stands in a class, from the tables of a record."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from pmed.normalise.drugs import add_ingredients
from pmed.normalise.vocabulary import release
from pmed.tables import TABLES
from pmed_pgx.checks import checks
from pmed_pgx.knowledge import table
from pmed_pgx.medicines import LEAST, PresentPhenotypes, days_taken, lasting, now_taken, of_class

TODAY = date(2026, 1, 15)
WANTED = ("modifiers:CYP2D6", "modifiers:CYP3A4", "taking:nsaid", "taking:CYP3A4-strong-inhibitor", "taking:codeine",
          "allergic-to", "daily-dose:sertraline")
NORMAL = {"gene": "CYP2D6", "status": "called", "phenotype": "Normal Metabolizer", "activity_score": 2.0,
          "complete": True}


def tables(people: dict[str, list[dict[str, Any]]], **more: Any) -> dict[str, pl.DataFrame]:
    rows = [{"patient_id": who, "row": at, "active": True, **row} for who, drugs in people.items()
            for at, row in enumerate(drugs)]
    possible = pl.Series("possible_ingredients", [row.get("possible") for row in rows], dtype=pl.List(pl.String))
    return {"patients": TABLES["patients"].frame([{"patient_id": who, "index_date": TODAY} for who in people]),
            "medications": TABLES["medications"].frame(rows).with_columns(possible),
            "allergies": TABLES["allergies"].frame(more.get("allergies", [])),
            "gene_results": TABLES["gene_results"].frame([{"patient_id": who, **NORMAL} for who in people])}


def features(*drugs: dict[str, Any], **more: Any) -> dict[str, Any]:
    return PresentPhenotypes().run(tables({"p": list(drugs)}, **more), WANTED)["features"].row(0, named=True)


def drug(name: str, **more: Any) -> dict[str, Any]:
    return {"ingredients": [name], **more}


def ended(name: str, days: int) -> dict[str, Any]:
    return drug(name, active=False, end=TODAY - timedelta(days=days))


def test_what_is_taken_acts_and_stands_in_its_classes() -> None:
    found = features(drug("paroxetine"), drug("ibuprofen"), drug("clarithromycin"))
    assert found["modifiers:CYP2D6"] == "paroxetine|inhibitor|strong|taken"
    assert "clarithromycin|inhibitor|strong|taken" in found["modifiers:CYP3A4"]
    assert (found["taking:nsaid"], found["taking:CYP3A4-strong-inhibitor"]) == ("ibuprofen", "clarithromycin")
    assert found["taking:codeine"] == ""


@pytest.mark.parametrize(("drugs", "said"), [
    ([], None), ([{"ingredients": []}], ""), ([{"ingredients": [], "active": False}], None), ([drug("metformin")], ""),
    ([drug("metformin", active=False)], ""), ([{"display": "Xyzzy"}], "")])
def test_nothing_is_known_of_medicines_where_a_record_lists_none(drugs: list[dict[str, Any]], said: str | None) -> None:
    found = features(*drugs)
    assert {found[name] for name in WANTED if name.startswith(("modifiers:", "taking:"))} == {said}
    days = PresentPhenotypes().run(tables({"p": drugs}), ["days-taken:codeine"])["features"]
    assert days["days-taken:codeine"].to_list() == [None if said is None else 0.0]


@pytest.mark.parametrize(("name", "days", "acts"), [
    ("paroxetine", 3, True), ("paroxetine", 60, False), ("fluoxetine", 21, True), ("fluoxetine", 40, False)])
def test_a_stopped_medicine_acts_for_its_days(name: str, days: int, acts: bool) -> None:
    found = features(ended(name, days))["modifiers:CYP2D6"]
    assert found == (f"{name}|inhibitor|strong|stopped" if acts else "")


def test_what_still_counts_is_told_with_its_days() -> None:
    counted = lasting(tables({"p": [ended("phenelzine", 3), ended("rifampin", 90), drug("codeine")]}))
    assert counted.rows() == [("p", "phenelzine", 3, 14)]
    again = lasting(tables({"p": [ended("phenelzine", 3), drug("phenelzine")]}))
    assert again.is_empty()


@pytest.mark.parametrize(("drugs", "name", "said"), [
    ([ended("phenelzine", 13)], "maoi", "phenelzine"), ([ended("phenelzine", 14)], "maoi", ""),
    ([ended("phenelzine", 13)], "phenelzine", "phenelzine"), ([drug("phenelzine", active=False)], "maoi", ""),
    # One dose that was given has no end of its own.
    ([drug("linezolid", active=False, kind="administration", start=TODAY)], "linezolid-or-methylene-blue", "linezolid"),
    ([drug("linezolid", active=False, kind="order", start=TODAY)], "linezolid-or-methylene-blue", ""),
    ([ended("lisinopril", 1)], "ace-inhibitor", "lisinopril"), ([ended("lisinopril", 2)], "ace-inhibitor", ""),
    ([ended("oxycodone", 9)], "opioid-before-naltrexone", "oxycodone"), ([ended("oxycodone", 9)], "opioid", ""),
    ([ended("sertraline", 10)], "maoi-partner", "sertraline"), ([ended("sertraline", 10)], "ssri", ""),
    ([ended("fluoxetine", 30)], "ssri", "fluoxetine"), ([ended("ibuprofen", 0)], "nsaid", ""),
    ([ended("rifampin", 10)], "CYP3A4-strong-inducer", "rifampin"),
    ([ended("rifampin", 40)], "CYP3A4-strong-inducer", ""),
    ([ended("phenelzine", 3), drug("phenelzine")], "maoi", "phenelzine"),
    ([ended("phenelzine", 3), drug("phenelzine", active=None)], "maoi", "phenelzine"),
    ([ended("phenelzine", 30), drug("phenelzine", active=None)], "maoi", "phenelzine|perhaps taken"),
    ([ended("phenelzine", 3), drug("selegiline")], "maoi", "phenelzine;selegiline")])
def test_what_ended_counts_in_a_class_for_its_days(drugs: list[dict[str, Any]], name: str, said: str) -> None:
    found = PresentPhenotypes().run(tables({"p": drugs}), [f"taking:{name}"])["features"]
    assert found[f"taking:{name}"].to_list() == [said]


@pytest.mark.parametrize(("row", "said"), [
    (drug("sertraline", daily_dose=150.0, dose_unit="mg"), "moderate|taken"),
    (drug("sertraline", daily_dose=0.2, dose_unit="g"), "moderate|taken"),
    (drug("sertraline", daily_dose=100.0, dose_unit="mg"), "weak|taken"),
    (drug("sertraline"), "moderate|perhaps taken"),
])
def test_the_dose_decides_how_strong_it_is(row: dict[str, Any], said: str) -> None:
    assert f"sertraline|inhibitor|{said}" in features(row)["modifiers:CYP2D6"]


def test_the_dose_of_one_ingredient_is_told() -> None:
    assert features(drug("sertraline", daily_dose=100.0, dose_unit="mg"))["daily-dose:sertraline"] == 100.0
    assert features(drug("sertraline"))["daily-dose:sertraline"] is None


@pytest.mark.parametrize(("name", "dose", "unit", "mg"), [
    ("digoxin", 125.0, "ug", 0.125), ("digoxin", 125.0, "MCG", 0.125), ("digoxin", 125.0, "\u00b5g", 0.125),
    ("digoxin", 0.125, "ug", None), ("digoxin", 0.0625, "mg", 0.0625),
    ("simvastatin", 40.0, "ug", None), ("simvastatin", 0.04, "mg", None), ("simvastatin", 5.0, "mg", 5.0),
    ("simvastatin", 0.0, "mg", None), ("ramipril", 0.001, "mg", 0.001)])
def test_a_dose_that_nobody_takes_is_unknown(name: str, dose: float, unit: str, mg: float | None) -> None:
    rows = tables({"p": [drug(name, daily_dose=dose, dose_unit=unit)]})
    found = PresentPhenotypes().run(rows, [f"daily-dose:{name}"])["features"]
    assert found[f"daily-dose:{name}"].to_list() == [mg]


def test_every_dose_that_decides_has_a_least_one() -> None:
    of_checks = {name.removeprefix("daily-dose:") for rows in checks().values() for row in rows for name in row.when
                 if name.startswith("daily-dose:")}
    acting = table("modifiers").filter(pl.col("from_dose").is_not_null())
    assert of_checks | set(acting["drug"]) == set(LEAST)


@pytest.mark.parametrize(("row", "acts"), [
    (drug("paroxetine", active=None), True), ({"ingredients": None, "possible": ["paroxetine"]}, True),
    (drug("paroxetine", route="Topical"), False), (drug("paroxetine", route="Ophthalmic route"), False)])
def test_perhaps_taken_is_perhaps_and_local_use_is_none(row: dict[str, Any], acts: bool) -> None:
    assert features(row)["modifiers:CYP2D6"] == ("paroxetine|inhibitor|strong|perhaps taken" if acts else "")


@pytest.mark.parametrize(("name", "route", "taken"), [
    *(("methotrexate", route, True) for route in (
        "Subcutaneous", "subcutaneous injection", "Subcutaneous route (qualifier value)", "Percutaneous", "SC", None)),
    *(("hydrocortisone", route, False) for route in (
        "Cutaneous", "Topical", "Cutaneous route (qualifier value)", "Otic", "Both ears (otic)", "Ophthalmic",
        "Vaginal", "Ocular use", "Ocular route (qualifier value)", "Conjunctival route", "Auricular use", "both eyes",
        "Left ear", "Anwendung am Auge", "Anwendung am Ohr", "Anwendung auf der Haut", "vaginale Anwendung", "OP", "OT",
        "intravitreal injection",
        "TP", "VG")),
    *(("methotrexate", route, True) for route in (
        "Transdermal use", "Nasal use", "Rectal use", "Oral use", "TD", "NS", "PR", "PO", "zum Einnehmen",
        "transdermale Anwendung", "Intraocular route", "Heart", "unter der Haut", "PO for ear infection",
        "by mouth, for the eyes", "oral or topical", "IV, then eye drops")),
    ("timolol", "Ophthalmic", True), ("brimonidine;timolol", "ophthalmic", True), ("nitroglycerin", "Topical", True),
    ("fentanyl", "Topical", True), ("ethinyl estradiol;etonogestrel", "Vaginal", True),
    ("ketoconazole", "Topical", False),
])
def test_under_the_skin_is_not_on_it(name: str, route: str | None, taken: bool) -> None:
    """Of what is on the skin, in the eye or in an ear only some reaches the blood; all that is injected does."""
    row = drug(name, route=route) | {"ingredients": name.split(";")}
    assert set(now_taken(tables({"p": [row]}))["drug"]) == (set(name.split(";")) if taken else set())


@pytest.mark.parametrize(("name", "taken"), [
    *((name, False) for name in (
        "Betamethasone 0.1% cream", "Ketoconazole 2% shampoo", "Diclofenac gel", "Voltaren Emulgel",
        "Prednisolon Salbe", "Erythromycin ophthalmic ointment", "Ciprofloxacin 0.3% SOLN,OPH",
        "Clotrimazol Vaginalcreme", "Triamcinolone nasal spray", "Dexamethasone inhalation")),
    *((name, True) for name in (
        "Betamethasone", "Triamcinolone injection", "Fluticasone nasal spray", "Diclofenac 50 mg",
        "Fentanyl 25 mcg/h patch", "Fentanyl nasal spray",
        "Sumatriptan Nasenspray", "Testosterone 1% gel", "Nitroglycerin 2% ointment", "Estradiol 0.06% gel",
        "Timolol Augentropfen", "Miconazole 2% cream", "Diclofenac Z\u00e4pfchen", "Diazepam rectal gel",
        "Levodopa / Carbidopa intestinal gel", "Ibuprofen 200 mg liquid gel"))])
def test_a_form_for_the_skin_or_the_eye_in_a_name_is_local(name: str, taken: bool) -> None:
    """Only where the name leaves no doubt, and the substance does not reach the blood from there."""
    row = add_ingredients(TABLES["medications"].frame([{"patient_id": "p", "row": 1, "display": name}]),
                          release().tables["drug_names"])[0].row(0, named=True)
    found = now_taken(tables({"p": [drug("", ingredients=row["ingredients"], route=row["route"])]}))
    assert set(found["drug"]) == (set(row["ingredients"]) if taken else set())


@pytest.mark.parametrize(("days", "acts"), [(3, True), (60, False)])
def test_what_ended_and_only_could_be_a_drug_acts_for_its_days(days: int, acts: bool) -> None:
    row = {"ingredients": None, "possible": ["paroxetine"], "active": False, "end": TODAY - timedelta(days=days)}
    assert features(row)["modifiers:CYP2D6"] == ("paroxetine|inhibitor|strong|perhaps taken" if acts else "")


def test_it_is_over_when_the_last_of_several_is() -> None:
    row = PresentPhenotypes().run(tables({"p": [drug("fluoxetine"), drug("paroxetine")]}), ())[
        "present_phenotypes"].filter(gene="CYP2D6").row(0, named=True)
    assert row["reverts_after"] == 35


@pytest.mark.parametrize(("orders", "days"), [
    ([ended("paroxetine", 3), ended("fluoxetine", 21)], 35 - 21), ([ended("paroxetine", 6), drug("bupropion")], 7),
    ([ended("paroxetine", 6)], 1), ([ended("paroxetine", 7)], None), ([drug("paroxetine")], 7)])
def test_when_it_reverts(orders: list[dict[str, Any]], days: int | None) -> None:
    made = PresentPhenotypes().run(tables({"p": orders}), ())["present_phenotypes"].filter(gene="CYP2D6")
    assert made["reverts_after"].to_list() == ([] if days is None else [days])


def test_two_orders_of_one_drug_are_one_drug() -> None:
    found = features(ended("paroxetine", 2), drug("paroxetine"))
    assert found["modifiers:CYP2D6"] == "paroxetine|inhibitor|strong|taken"


def test_allergies_are_those_that_hold() -> None:
    rows = [{"patient_id": "p", "row": at, "ingredients": [name], "active": active}
            for at, (name, active) in enumerate([("penicillin v", True), ("aspirin", None), ("codeine", False)])]
    assert features(allergies=rows)["allergic-to"] == "aspirin;penicillin v"


@pytest.mark.parametrize(("allergies", "said"), [
    ([], None), ([{"ingredients": []}], ""), ([{"ingredients": [], "active": False}], None),
    ([{"display": "Peanut"}], ""), ([{"display": "No known food allergy"}], None),
    ([{"code": "429625007"}, {"code": "428607008"}], None), ([{"code": "429625007"}, {"ingredients": []}], ""),
    ([{"display": "Peanut"}, {"display": "No known latex allergies"}], ""),
    ([{"ingredients": ["aspirin"], "active": False}], "")])
def test_nothing_is_known_of_allergies_where_a_record_lists_none(
        allergies: list[dict[str, Any]], said: str | None) -> None:
    rows = [{"patient_id": "p", "row": at, "active": True, **one} for at, one in enumerate(allergies)]
    assert features(drug("metformin"), allergies=rows)["allergic-to"] == said


@pytest.mark.parametrize(("row", "said"), [
    ({"display": "Penicillins"}, "penicillin"), ({"display": "Allergy to penicillin (finding)"}, "penicillin"),
    ({"display": "Sulfonamide allergy (disorder)"}, "sulfonamide-antibiotic"), ({"display": "Sulfa Drugs"},
                                                                                "sulfonamide-antibiotic"),
    ({"system": "http://snomed.info/sct", "code": "91936005"}, "penicillin"),
    ({"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "91936005"}, ""),
    ({"display": "Penicillin-Allergie"}, "penicillin"), ({"display": "Penicillinallergie"}, "penicillin"),
    ({"display": "Allergie gegen Sulfonamide"}, "sulfonamide-antibiotic"), ({"display": "Penicilline"}, "penicillin"),
    ({"display": "\u00dcberempfindlichkeit gegen Cephalosporine"}, "cephalosporin"),
    ({"display": "Unvertr\u00e4glichkeit von NSAR"}, "nonselective-nsaid"),
    ({"display": "Beta-lactams"}, "cephalosporin;penicillin"), ({"display": "Penicillin on the shelf"}, ""),
    ({"display": "NSAIDs", "ingredients": ["ibuprofen"]}, "ibuprofen"), ({"display": "NSAIDs", "active": False}, "")])
def test_an_allergy_to_a_class_is_told_by_its_name(row: dict[str, Any], said: str) -> None:
    assert features(allergies=[{"patient_id": "p", "row": 1, "active": True, **row}])["allergic-to"] == said


def test_without_a_record_nothing_is_known() -> None:
    made = PresentPhenotypes().run({**tables({}), "gene_results": TABLES["gene_results"].frame(
        [{"patient_id": "p", **NORMAL}])}, WANTED)
    assert made["features"].is_empty()
    assert made["present_phenotypes"].is_empty()


def test_the_table_says_what_causes_it_until_when_and_from_where() -> None:
    row = PresentPhenotypes().run(tables({"p": [ended("fluoxetine", 21)]}), ())["present_phenotypes"].filter(
        gene="CYP2D6").row(0, named=True)
    assert (row["phenotype"], row["present_phenotype"]) == ("Normal Metabolizer", "Poor Metabolizer")
    assert (row["activity_score"], row["present_activity_score"]) == (2.0, 0.0)
    assert (row["because"], row["reverts_after"]) == (["fluoxetine"], 35 - 21)
    assert "stopped but still acting" in row["acting"][0]
    assert row["evidence"][0]["citation"]


def test_a_drug_is_a_class_of_its_own() -> None:
    assert of_class("codeine") == {"codeine"}
    assert "paroxetine" in of_class("CYP2D6-strong-inhibitor")


rows = st.builds(lambda name, active, days, dose: drug(
    name, active=active, daily_dose=dose, dose_unit="mg", end=None if active else TODAY - timedelta(days=days)),
    st.sampled_from(["paroxetine", "fluoxetine", "sertraline", "bupropion", "rifampin", "ibuprofen", "fluconazole"]),
    st.sampled_from([True, False, None]), st.integers(0, 60), st.sampled_from([None, 50.0, 200.0, 400.0]))


@settings(deadline=None, max_examples=25)
@given(st.dictionaries(st.sampled_from("abcdef"), st.lists(rows, max_size=5), min_size=1))
def test_a_batch_is_its_patients_one_by_one(people: dict[str, list[dict[str, Any]]]) -> None:
    step = PresentPhenotypes()
    together = step.run(tables(people), WANTED)
    apart = [step.run(tables({who: drugs}), WANTED) for who, drugs in people.items()]
    for name in ("features", "present_phenotypes"):
        assert_frame_equal(together[name], pl.concat([one[name] for one in apart]), check_row_order=False)


@pytest.mark.parametrize(("orders", "days"), [
    ([{"start": 100}], 100.0), ([{"start": 100}, {"start": 20}], 100.0), ([], None), ([{"start": -5}], 0.0),
    ([{"start": 400, "end": 20}, {"start": 10}], 400.0),  # ordered anew
    ([{"start": 400, "end": 60}, {"start": 10}], 10.0),  # begun anew
    ([{"start": 400, "end": 20}], 0.0), ([{"start": None}], None)])
def test_how_long_a_medicine_has_been_taken(orders: list[dict[str, Any]], days: float | None) -> None:
    rows = [drug("carbamazepine", active="end" not in one, **{
        name: None if ago is None else TODAY - timedelta(days=ago) for name, ago in one.items()}) for one in orders]
    found = PresentPhenotypes().run(tables({"p": rows}), ["days-taken:carbamazepine"])["features"]
    assert found["days-taken:carbamazepine"].to_list() == [days]


@pytest.mark.parametrize(("place", "medicines", "allergies"), [
    ("entry[3] MedicationRequest/r $.status", None, ""), ("entry[3] AllergyIntolerance/a $.code", "", None),
    ("", None, None), ("entry[3] Observation/o $.code", "", "")])
def test_a_list_of_which_something_was_left_out_is_not_all(place: str, medicines: str | None,
                                                           allergies: str | None) -> None:
    none = [{"patient_id": "p", "row": 0, "active": True, "ingredients": []}]
    issue = {"file": "f", "place": place, "severity": "error", "code": "x", "text": "t", "patient_id": "p"}
    given = {**tables({"p": [drug("paroxetine")]}, allergies=none), "issues": TABLES["issues"].frame([issue])}
    found = PresentPhenotypes().run(given, WANTED)["features"].row(0, named=True)
    assert found["modifiers:CYP2D6"] == "paroxetine|inhibitor|strong|taken"
    assert (found["taking:nsaid"], found["modifiers:CYP3A4"], found["allergic-to"]) == (medicines, medicines, allergies)


@pytest.mark.parametrize(("rows", "taken"), [
    ([drug("levonorgestrel", route="intrauterine")], ""),
    ([drug("levonorgestrel", route="Intrauterine route (qualifier value)")], ""),
    ([drug("levonorgestrel", route="oral")], "levonorgestrel"), ([drug("levonorgestrel")], "levonorgestrel"),
    ([drug("levonorgestrel", route="intrauterine"), drug("levonorgestrel", route="oral")], "levonorgestrel"),
    ([drug("misoprostol", route="intrauterine")], "")])
def test_a_hormone_coil_is_no_pill(rows: list[dict[str, Any]], taken: str) -> None:
    found = PresentPhenotypes().run(tables({"p": rows}), ("taking:inducer-victim",))["features"].row(0, named=True)
    assert found["taking:inducer-victim"] == taken
    begun = set(days_taken(tables({"p": rows}))["drug"])
    assert ("levonorgestrel" in begun) is bool(taken)
    assert ("misoprostol" in begun) is (rows[0]["ingredients"] == ["misoprostol"])
