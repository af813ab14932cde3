"""Recorded drugs → ingredients: what must be found, and above all what must not."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from pmed.normalise.drug_names import one_edit_apart, parts, spellings
from pmed.normalise.drugs import Vocabulary, add_ingredients, is_goods, unrecognised
from pmed.normalise.vocabulary import release
from pmed.sources.fhir import FhirSource
from pmed.tables import TABLES
from pmed.types import ReadRequest

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
INGREDIENTS = (
    "amiodarone", "amlodipine", "atorvastatin", "captopril", "carbamazepine", "citalopram", "clopidogrel",
    "donepezil", "escitalopram", "esomeprazole", "fluticasone", "furosemide", "hydrochlorothiazide", "losartan",
    "memantine", "metoprolol", "nitrofurantoin", "omeprazole", "oxycodone", "phenytoin", "prasugrel", "salmeterol",
    "simvastatin", "venlafaxine", "warfarin")
BRANDS = (("caduet", "amlodipine"), ("caduet", "atorvastatin"), ("coumadin", "warfarin"), ("lasix", "furosemide"),
          ("plavix", "clopidogrel"), ("tegretol", "carbamazepine"), ("toprol", "metoprolol"))
CODES = (("11289", "warfarin"), ("309362", "clopidogrel"), ("312961", "simvastatin"), ("833036", "nitrofurantoin"))
NAMES = TABLES["drug_names"].frame([
    *({"ingredient": one, "kind": "ingredient", "name": one} for one in INGREDIENTS),
    *({"ingredient": one, "kind": "brand", "name": name} for name, one in BRANDS),
    *({"ingredient": one, "kind": "code", "name": name} for name, one in CODES)])
VOCABULARY = Vocabulary.of(NAMES)


def found(display: str | None, code: str | None = None, system: str | None = RXNORM) -> tuple[set[str], str]:
    match = VOCABULARY.match(system, code, display)
    return set(match.ingredients), match.how


@pytest.mark.parametrize(("system", "code", "display", "ingredients"), [
    ("http://snomed.info/sct", "787481004", "No known medications (situation)", []),
    ("http://hl7.org/fhir/uv/ips/CodeSystem/absent-unknown-uv-ips", "no-known-medications", None, []),
    (None, None, "No current medication", []),
    ("http://snomed.info/sct", "182904002", "Drug treatment unknown", None),
    ("http://snomed.info/sct", "182849000", "No drug therapy prescribed", None),
    (None, None, "No current medications given on the ward", None),
])
def test_an_entry_may_say_that_nothing_is_taken(system: str | None, code: str | None, display: str | None,
                                                ingredients: list[str] | None) -> None:
    rows = TABLES["medications"].frame([{"patient_id": "p", "row": 1, "system": system, "code": code,
                                         "display": display, "active": True}])
    drugs, issues = add_ingredients(rows, VOCABULARY)
    assert drugs["ingredients"].to_list() == [ingredients]
    assert issues["code"].to_list() == ([] if ingredients == [] else ["drug-not-recognised"])


@pytest.mark.parametrize(("system", "code", "display", "ingredients"), [
    ("http://snomed.info/sct", "716186003", "No known allergy (situation)", []),
    ("http://snomed.info/sct", "409137002", None, []), (None, "no-known-medication-allergies", None, []),
    (None, None, "No Known Drug Allergies (NKDA)", []), (None, None, "NKA", []), (None, None, "no known allergies", []),
    ("http://snomed.info/sct", "429625007", "No known food allergy", None), (None, None, "Peanut", None),
    (None, None, "No known medications", None), (None, None, "Allergy to warfarin", ["warfarin"]),
    (None, None, "Unvertr\u00e4glichkeit von Warfarin", ["warfarin"]), (None, None, "Warfarin-Allergie", ["warfarin"]),
    (None, None, "Warfarinallergie", ["warfarin"]), (None, None, "Allergische Reaktion auf Warfarin", ["warfarin"])])
def test_an_entry_may_say_that_there_is_no_allergy(system: str | None, code: str | None, display: str | None,
                                                   ingredients: list[str] | None) -> None:
    row = {"patient_id": "p", "row": 1, "system": system, "code": code, "display": display, "active": True}
    found, issues = add_ingredients(TABLES["allergies"].frame([row]), VOCABULARY)
    assert found["ingredients"].to_list() == [ingredients]
    told = ingredients is None and display != "No known food allergy"
    assert issues["code"].to_list() == (["allergen-not-recognised"] if told else [])
    taken, _ = add_ingredients(TABLES["medications"].frame([row]), VOCABULARY)  # there it says nothing of the kind
    assert (taken["ingredients"].to_list() == [[]]) == (display == "No known medications")


@pytest.mark.parametrize(("display", "ingredients", "how"), [
    ("Warfarin Sodium 5 MG Oral Tablet", {"warfarin"}, "name"),
    ("24 HR metoprolol succinate 100 MG Extended Release Oral Tablet [Toprol]", {"metoprolol"}, "name"),
    ("NDA020800 0.3 ML Furosemide 1 MG/ML Auto-Injector", {"furosemide"}, "name"),
    ("10 ML Furosemide 10 MG/ML Injection", {"furosemide"}, "name"),
    ("3 ML Amiodarone hydrocholoride 50 MG/ML Prefilled Syringe", {"amiodarone"}, "name"),
    ("Carbamazepine[Tegretol]", {"carbamazepine"}, "name"),
    ("Lasix 40mg", {"furosemide"}, "brand"),
    ("Toprol XL", {"metoprolol"}, "brand"),
    ("[Plavix]", {"clopidogrel"}, "brand"),
    ("CLOPIDOGREL BISULFATE", {"clopidogrel"}, "name"),
    ("clopidogrel (Plavix) 75 mg", {"clopidogrel"}, "name"),
    ("simvastatin20mg", {"simvastatin"}, "name"),
    ("Simvastatin-20 mg", {"simvastatin"}, "name"),
    ("oxyCODONE Hydrochloride 5 MG Oral Tablet", {"oxycodone"}, "name"),
    ("NITROFURANTOIN, MACROCRYSTALS 50 MG Oral Capsule", {"nitrofurantoin"}, "name"),
    ("Amlodipine / atorvastatin", {"amlodipine", "atorvastatin"}, "name"),
    ("amlodipine 5 mg/atorvastatin 10 mg", {"amlodipine", "atorvastatin"}, "name"),
    ("amlodipine besylate 5 mg and atorvastatin calcium 10 mg tablets", {"amlodipine", "atorvastatin"}, "name"),
    ("Losartan-Hydrochlorothiazide 50-12.5 mg", {"losartan", "hydrochlorothiazide"}, "name"),
    ("Caduet", {"amlodipine", "atorvastatin"}, "brand"),
    ("24 HR Donepezil hydrochloride 10 MG / Memantine hydrochloride 28 MG Extended Release Oral Capsule",
     {"donepezil", "memantine"}, "name"),
    ("60 ACTUAT Fluticasone propionate 0.25 MG/ACTUAT / salmeterol 0.05 MG/ACTUAT Dry Powder Inhaler",
     {"fluticasone", "salmeterol"}, "name"),
    ("{28 (Amlodipine 5 MG / atorvastatin 10 MG Oral Tablet) } Pack [Caduet]", {"amlodipine", "atorvastatin"}, "name"),
    ("Acetaminophen 325 MG / oxyCODONE Hydrochloride 5 MG Oral Tablet", {"oxycodone"}, "name"),
    ("Allergy to warfarin (disorder)", {"warfarin"}, "name"),
    ("Simvistatin 20 MG", {"simvastatin"}, "fuzzy"),
    ("clopidogerl", {"clopidogrel"}, "fuzzy"),
    ("warfarinn sodium", {"warfarin"}, "fuzzy"),
])
def test_found(display: str, ingredients: set[str], how: str) -> None:
    assert found(display) == (ingredients, how)


@pytest.mark.parametrize("display", [
    "desvenlafaxine 50 MG", "Mephenytoin", "fosphenytoin", "dexlansoprazole", "levocitalopram", "Aspirin 81 MG",
    "Sodium Chloride 9 MG/ML Injectable Solution", "not taking warfarin", "warfarin-free diet", "", "   ", "[]", "5 MG",
    "warfxrxn", "captropil", "phenitoim", "warfar",
])
def test_not_found(display: str) -> None:
    assert found(display) == (set(), "")


@pytest.mark.parametrize(("display", "only"), [
    ("Escitalopram 10 MG", "escitalopram"), ("Citalopram 20 MG", "citalopram"),
    ("Esomeprazole magnesium 20 MG", "esomeprazole"), ("Omeprazole 20 MG", "omeprazole"),
])
def test_names_that_hold_another(display: str, only: str) -> None:
    assert found(display) == ({only}, "name")


def test_code_comes_first_and_needs_its_system() -> None:
    assert found(None, "309362") == ({"clopidogrel"}, "code")
    assert found("Clopidogrel 75 MG", "309362") == ({"clopidogrel"}, "code")
    assert found("Simvistatin 20 MG", "312961") == ({"simvastatin"}, "code")
    assert found("some local text", "309362") == ({"clopidogrel"}, "code")
    assert found(None, "309362", "http://hl7.org/fhir/sid/ndc") == (set(), "")
    assert found(None, "309362", None) == (set(), "")
    assert found("Clopidogrel", "999999") == ({"clopidogrel"}, "name")


@pytest.mark.parametrize(("display", "code", "possible"), [
    ("Captopril 25 MG Oral Tablet", "833036", {"captopril", "nitrofurantoin"}),
    ("Simvastatin 20 MG [Plavix]", None, {"simvastatin", "clopidogrel"}),
    ("Simvastatin 20 MG [Plavix]", "11289", {"simvastatin", "clopidogrel", "warfarin"}),
])
def test_a_conflict_is_neither(display: str, code: str | None, possible: set[str]) -> None:
    match = VOCABULARY.match(RXNORM, code, display)
    assert (set(match.ingredients), match.how, set(match.possible)) == (set(), "", possible)


def test_two_candidates_are_none() -> None:
    names = TABLES["drug_names"].frame([{"ingredient": one, "kind": "ingredient", "name": one}
                                        for one in ("abcdefgh", "abcdefgj")])
    vocabulary = Vocabulary.of(names)
    assert not vocabulary.match(None, None, "abcdefgx").ingredients
    assert vocabulary.match(None, None, "abcdefgh").ingredients == {"abcdefgh"}


def test_short_names_are_not_guessed_at() -> None:
    names = TABLES["drug_names"].frame([{"ingredient": one, "kind": "ingredient", "name": one}
                                        for one in ("abcdef", "xyzvw")])
    vocabulary = Vocabulary.of(names)
    assert vocabulary.match(None, None, "abcdeg").how == "fuzzy"
    assert not vocabulary.match(None, None, "xyzvv").ingredients
    assert not vocabulary.match(None, None, "abcde").ingredients


@given(st.sampled_from(INGREDIENTS), st.sampled_from(["", " 5 MG Oral Tablet", " sodium", " hydrochloride 10 MG/ML"]))
def test_a_known_ingredient_is_never_another(ingredient: str, tail: str) -> None:
    assert found(ingredient.upper() + tail) == ({ingredient}, "name")


# Ingredients one or two letters apart or held in one another, of any vocabulary.
WORDS = st.text("abc", min_size=6, max_size=8)


@given(st.sets(WORDS, min_size=1, max_size=12), st.data())
def test_no_vocabulary_makes_a_known_ingredient_another(words: set[str], data: st.DataObject) -> None:
    names = TABLES["drug_names"].frame([{"ingredient": one, "kind": "ingredient", "name": one} for one in words])
    vocabulary = Vocabulary.of(names)
    word = data.draw(st.sampled_from(sorted(words)))
    match = vocabulary.match(None, None, word)
    assert (set(match.ingredients), match.how) == ({word}, "name")
    stranger = data.draw(WORDS)
    guess = vocabulary.match(None, None, stranger)
    assert all(one == stranger or (one[:3] == stranger[:3] and guess.how == "fuzzy") for one in guess.ingredients)
    assert len(guess.ingredients) <= 1


def slow_one_edit(first: str, second: str) -> bool:
    """All strings one edit away from `first`, written out."""
    letters = set(second)
    made = {first[:i] + first[i + 1:] for i in range(len(first))}
    made |= {first[:i] + one + first[i:] for i in range(len(first) + 1) for one in letters}
    made |= {first[:i] + one + first[i + 1:] for i in range(len(first)) for one in letters}
    made |= {first[:i] + first[i + 1] + first[i] + first[i + 2:] for i in range(len(first) - 1)}
    return first != second and second in made


@settings(max_examples=300)
@given(st.text("ab", max_size=5), st.text("ab", max_size=5))
def test_one_edit_apart(first: str, second: str) -> None:
    assert one_edit_apart(first, second) == slow_one_edit(first, second)


@given(st.text(max_size=40))
def test_any_text_is_survived(text: str) -> None:
    assert all(parts(text))
    assert list(spellings(text))
    VOCABULARY.match(RXNORM, text, text)


def medications(*rows: dict[str, object]) -> pl.DataFrame:
    return TABLES["medications"].frame([
        {"patient_id": "p", "row": number, "system": RXNORM, "active": True,
         "source": f"f.json#MedicationRequest/{number}"} | row for number, row in enumerate(rows, 1)])


def test_tables_come_back_whole() -> None:
    drugs = medications({"display": "Simvistatin"}, {"display": None}, {"display": "Caduet"},
                        {"display": "Simvistatin"}, {"display": "Captopril", "code": "833036"}, {"display": "Aspirin"},
                        {"display": "Heparin", "active": False})
    out, issues = add_ingredients(drugs, NAMES)
    TABLES["medications"].check(out)
    TABLES["issues"].check(issues)
    assert out.select(drugs.columns).drop("ingredients", "matched_by").equals(drugs.drop("ingredients", "matched_by"))
    assert out["ingredients"].to_list() == [
        ["simvastatin"], None, ["amlodipine", "atorvastatin"], ["simvastatin"], None, None, None]
    assert out["matched_by"].to_list() == ["fuzzy", None, "brand", "fuzzy", None, None, None]
    assert out["possible_ingredients"].to_list()[4] == ["captopril", "nitrofurantoin"]
    assert issues.select("severity", "code", "place").rows() == [
        ("warning", "code-display-conflict", "MedicationRequest/5"),
        ("warning", "fuzzy-drug-name", "MedicationRequest/1"),
        ("info", "drug-not-recognised", "MedicationRequest/2"),
        ("info", "drug-not-recognised", "MedicationRequest/6")]
    assert "please confirm" in issues["text"][1]
    again, _ = add_ingredients(out, NAMES)
    assert again.equals(out)


@pytest.mark.parametrize(("display", "code", "read", "unread"), [
    ("amlodipine / unknownol", None, ["amlodipine"], True), ("Captopril 25 MG and Xyzol", None, ["captopril"], True),
    ("Captopril, unknownol daily", None, ["captopril"], True), ("Xyzol / captopril", None, ["captopril"], True),
    ("Heparin sodium, porcine 1000 UNT/ML", None, None, False), ("aspirin with food", None, None, False),
    ("Captopril with a meal", None, ["captopril"], False), ("Captopril, stopped 2019", None, ["captopril"], False),
    ("captopril Oral Tablet / Injection", None, ["captopril"], False),
    ("amlodipine / atorvastatin", None, ["amlodipine", "atorvastatin"], False),
    ("Caduet [amlodipine / unknownol]", None, ["amlodipine", "atorvastatin"], False)])
def test_a_part_that_no_vocabulary_knows_is_told(display: str, code: str | None, read: list[str] | None,
                                                 unread: bool) -> None:
    out, issues = add_ingredients(medications({"display": display, "code": code}), NAMES)
    assert out["ingredients"].to_list() == [read]
    assert out["unread_part"].to_list() == [unread]
    assert ("part-not-recognised" in issues["code"]) is unread
    assert out.select(unrecognised(out)).to_series().to_list() == [unread or read is None]


def test_a_part_of_what_is_over_is_not_told() -> None:
    out, issues = add_ingredients(medications({"display": "amlodipine / unknownol", "active": False}), NAMES)
    assert issues.is_empty()
    assert not out.select(unrecognised(out)).to_series().any()


def test_allergies_and_empty_tables() -> None:
    allergies = TABLES["allergies"].frame([
        {"patient_id": "p", "row": 1, "display": "Allergy to warfarin", "active": True},
        {"patient_id": "p", "row": 2, "display": "Peanut", "active": True}])
    out, issues = add_ingredients(allergies, NAMES)
    TABLES["allergies"].check(out)
    assert out["ingredients"].to_list() == [["warfarin"], None]
    assert issues.select("severity", "code").rows() == [("info", "allergen-not-recognised")]
    assert issues["text"].to_list() == [
        "'Peanut' is no medicine of the vocabulary: an allergy to it is weighed only where it names a class"]
    for name in ("medications", "allergies"):
        out, issues = add_ingredients(TABLES[name].empty(), TABLES["drug_names"].empty())
        TABLES[name].check(out)
        TABLES["issues"].check(issues)
        assert out.is_empty()


def test_real_records(shared: Path) -> None:
    files = sorted((shared / "data/fhir/synthea").glob("*.json"))
    drugs = FhirSource().read(files, ReadRequest(TABLES["sites"].empty()))["medications"]
    out, issues = add_ingredients(drugs, NAMES)
    count = dict(out.explode("ingredients", empty_as_null=True)["ingredients"].drop_nulls().value_counts().iter_rows())
    assert (count["warfarin"], count["simvastatin"], count["clopidogrel"], count["metoprolol"]) == (6, 9, 8, 7)
    assert (count["furosemide"], count["carbamazepine"], count["amiodarone"]) == (11, 6, 2)
    assert (count["fluticasone"], count["salmeterol"], count["memantine"]) == (3, 3, 2)
    assert "captopril" not in count
    assert issues.filter(pl.col("code") == "code-display-conflict").height == 2


@pytest.mark.parametrize(("display", "recorded", "route"), [
    ("warfarin 5 MG Oral Tablet", None, "oral"), ("warfarin 5 mg tablets", None, "oral"),
    ("warfarin 5 MG Oral Tablet", "per os", "per os"), ("warfarin", None, None),
    ("citalopram 20 MG Sublingual Tablet", None, "sublingual"), ("warfarin 5 MG Vaginal Tablet", None, "vaginal"),
    ("fluticasone 0.05 MG/ACTUAT Metered Dose Inhaler", None, "inhalation"),
    ("fluticasone Nasal Spray", None, "nasal"), ("fluticasone eye drops", None, "ophthalmic"),
    ("fluticasone Intrauterine System", None, "intrauterine"),
    ("fluticasone Ophthalmic / Otic Solution", None, None), ("fluticasone Topical Cream", None, "topical"),
    ("fluticasone drops", None, None), ("fluticasone patch", None, None),
    ("fluticasone Transdermal System", None, "transdermal"), ("phenytoin 50 MG/ML Injection", None, "injection"),
    ("phenytoin Intravenous Injection", None, "intravenous"), ("phenytoin Oral Capsule / Injection", None, "oral"),
    ("phenytoin tablet and injection kit", None, None), ("Oral surgery kit", None, None),
    ("fluticasone Augentropfen", None, "ophthalmic"), ("fluticasone Augensalbe", None, "ophthalmic"),
    ("fluticasone Augengel", None, "ophthalmic"), ("fluticasone Ohrentropfen", None, "otic"),
    ("fluticasone Nasenspray", None, "nasal"), ("fluticasone Nasentropfen", None, "nasal"),
    ("fluticasone Dosieraerosol", None, "inhalation"), ("fluticasone Inhalationsl\u00f6sung", None, "inhalation"),
    ("fluticasone Fertiginhalat", None, "inhalation"), ("fluticasone Vaginaltabletten", None, "vaginal"),
    *((f"fluticasone {form}", None, "topical") for form in (
        "cream", "0.1% cream", "0.05 MG/G Ointment", "OINT 0.1%", "lotion", "1 % gel", "Emulgel", "Schmerzgel", "Creme",
        "Salbe", "0,1% Wundsalbe", "0.1% CREAM,TOP", "2% shampoo")),
    ("fluticasone cream", "oral", "oral"), ("fluticasone 0.3% OINT,OPH", None, "ophthalmic"),
    ("fluticasone Vaginalcreme", None, "vaginal"), ("fluticasone 2% CREAM,VAG", None, "vaginal"),
    ("fluticasone eye ointment", None, "ophthalmic"), ("fluticasone Nasensalbe", None, "nasal"),
    ("fluticasone rectal ointment", None, "rectal"), ("fluticasone oral gel", None, "oral"),
    ("fluticasone transdermal gel", None, "transdermal"), ("phenytoin cream and tablets", None, "oral"),
    # A cream or a gel that may be for elsewhere, or is to reach the body.
    *((name, None, None) for name in (
        "phenytoin 100 mg soft gel", "phenytoin Liqui-Gels", "phenytoin gelcaps", "phenytoin 100 mg gel",
        "fluticasone haemorrhoid cream", "fluticasone OINT,RTL", "fluticasone gel patch", "fluticasone Mundgel",
        "fluticasone suppository or ointment", "fluticasone lozenge", "fluticasone system", "diazepam gel",
        "levodopa / carbidopa gel", "dextrose gel", "haloperidol gel", "promethazine cream", "insulin gel")),
])
def test_a_route_that_is_not_recorded_is_told_by_the_form(display: str, recorded: str | None,
                                                          route: str | None) -> None:
    rows = TABLES["medications"].frame([{"patient_id": "p", "row": 1, "display": display, "route": recorded}])
    assert add_ingredients(rows, NAMES)[0]["route"].to_list() == [route]


@pytest.mark.parametrize(("form", "route"), [
    ("cream", "topical"), ("0.1% ointment", "topical"), ("1% gel", "topical"), ("2% shampoo", "topical"),
    ("Salbe", "topical"), ("Fettcreme", "topical"), ("0.1% CREAM,TOP", "topical"), ("eye drops", "ophthalmic"),
    ("Augensalbe", "ophthalmic"), ("0.3% SOLN,OPH", "ophthalmic"), ("vaginal cream", "vaginal"),
    ("Vaginalcreme", "vaginal")])
def test_a_form_beside_a_name_changes_its_route_only(form: str, route: str) -> None:
    """Of every name of an ingredient; a brand may hold a form of its own."""
    known = release().tables["drug_names"]
    names = known.filter(~pl.col("ingredient").str.contains("+", literal=True))["ingredient"].unique().sort()
    plain, more = (add_ingredients(TABLES["medications"].frame(
        [{"patient_id": "p", "row": row, "display": name} for row, name in enumerate(each)]), known)[0]
        for each in (names, [f"{name} {form}" for name in names]))
    assert_frame_equal(more.drop("display", "route"), plain.drop("display", "route"))
    assert set(more["route"]) <= {route, None}
    assert more["route"].null_count() < 0.05 * len(names)


_MIXED = {"insulin isophane", "insulin regular"}


@pytest.mark.parametrize(("display", "ingredients"), [
    ("insulin isophane 70 UNT/ML / insulin regular 30 UNT/ML", _MIXED),
    ("insulin human, isophane 70 UNT/ML / Regular Insulin, Human 30 UNT/ML Injectable Suspension [Humulin]", _MIXED),
    ("insulin isophane, human 70 UNT/ML / insulin, regular, human 30 UNT/ML Injectable Suspension", _MIXED),
    ("Humulin 70/30", _MIXED), ("Humulin", set()), ("Humulin R", {"insulin regular"}),
    ("insulin aspart protamine, human 70 UNT/ML / insulin aspart, human 30 UNT/ML Injectable Suspension",
     {"insulin aspart", "insulin aspart protamine"}),
    ("insulin, glargine 100 UNT/ML", {"insulin glargine"}), ("insulin", set()), ("insulin, metformin", {"metformin"})])
def test_insulins_and_their_mixtures(display: str, ingredients: set[str]) -> None:
    vocabulary = Vocabulary.of(release().tables["drug_names"])
    assert set(vocabulary.by_text(display).ingredients) == ingredients


@pytest.mark.parametrize(("name", "goods"), [
    ("Normal saline 0.9%", True), ("0.9 % Saline", True), ("10 ML saline flush", True), ("saline nasal spray", True),
    ("Influenza vaccine 2024", True), ("Insulin syringes", True), ("Blood glucose test strips", True),
    ("zzzmab 100 mg in saline 0.9%", False), ("zzzmab/saline 5 mg/mL", False), ("zzzmab", False)])
def test_what_is_dissolved_in_saline_is_a_medicine(name: str, goods: bool) -> None:
    row = {"patient_id": "p", "row": 1, "display": name, "active": True}
    assert TABLES["medications"].frame([row]).select(is_goods()).item() is goods
