"""From the record to the inputs: what counts, what does not, and what stays unknown."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from pmed import TABLES
from pmed.normalise.units import canonical_units
from pmed_risk.history import FEATURES, MEASUREMENTS, MEDICINES, RiskHistory

TODAY = date(2026, 3, 10)
SNOMED, ICD, LOINC = "http://snomed.info/sct", "http://hl7.org/fhir/sid/icd-10-cm", "http://loinc.org"


def record(patients: list[dict[str, Any]] | None = None, **rows: list[dict[str, Any]]) -> dict[str, pl.DataFrame]:
    """Tables of one patient 'p' (or of `patients`), rows numbered in order."""
    people = patients or [{"patient_id": "p", "index_date": TODAY, "ancestry": "White"}]
    made = {"patients": TABLES["patients"].frame(people)}
    for name in ("conditions", "medications", "observations", "issues"):
        numbered = ({"patient_id": "p", "row": n, **row} for n, row in enumerate(rows.get(name, [])))
        made[name] = TABLES[name].frame(numbered)
    made["observations"], _ = canonical_units(made["observations"])
    return made


def features(**rows: list[dict[str, Any]]) -> dict[str, Any]:
    step = RiskHistory()
    return step.run(record(**rows), step.gives)["features"].row(0, named=True)


def diagnosis(code: str | None, system: str | None = SNOMED, **more: Any) -> dict[str, Any]:
    return {"system": system, "code": code, "status": "active", "active": True, "start": date(2020, 1, 1), **more}


def measured(code: str, value: float, unit: str, **more: Any) -> dict[str, Any]:
    return {"system": LOINC, "code": code, "value": value, "unit": unit, "status": "final", "start": date(2026, 3, 2),
            **more}


def drug(*ingredients: str, active: bool | None = True, **more: Any) -> dict[str, Any]:
    return {"ingredients": list(ingredients) or None, "display": "x", "active": active, **more}


def test_an_empty_record_has_no_diagnosis_and_no_measurement() -> None:
    made = features()
    assert {name: made[name] for name in FEATURES} == {
        **dict.fromkeys(("atrial-fibrillation", "heart-failure", "hypertension", "diabetes", "stroke-or-tia",
                         "vascular-disease", "coronary-disease", "haemorrhagic-stroke", "ascvd-history"), False),
        **dict.fromkeys((*MEASUREMENTS, "smoker", *MEDICINES)), "pce-race": "white"}


NONE = {"display": "No known medications", "ingredients": [], "active": True}


@pytest.mark.parametrize(("drugs", "known"), [
    ([NONE], True), ([drug("metformin")], True), ([drug("metformin", active=False)], True), ([drug()], True),
    ([NONE | {"active": False}], False), ([NONE | {"active": False}, drug("metformin")], True), ([], False)])
def test_only_a_record_that_lists_medicines_or_says_none_settles_that_one_is_not_taken(
        drugs: list[dict[str, Any]], known: bool) -> None:
    made = features(medications=drugs)
    assert {made[name] for name in MEDICINES} == {False if known else None}


def test_without_a_record_there_is_no_row() -> None:
    tables = record(patients=[{"patient_id": "q", "index_date": TODAY}])
    assert RiskHistory().run(tables, ("diabetes",))["features"].rows() == [("q", False)]
    tables["patients"] = TABLES["patients"].empty()
    assert RiskHistory().run(tables, ("diabetes", "systolic-bp"))["features"].is_empty()


@pytest.mark.parametrize(("row", "feature"), [
    (diagnosis("49436004"), "atrial-fibrillation"), (diagnosis("I48.91", ICD), "atrial-fibrillation"),
    (diagnosis("i48.0", "urn:oid:2.16.840.1.113883.6.90"), "atrial-fibrillation"),
    (diagnosis("42343007"), "heart-failure"), (diagnosis("I50.9", ICD), "heart-failure"),
    (diagnosis("I11.0", ICD), "heart-failure"), (diagnosis("I11.0", ICD), "hypertension"),
    (diagnosis("38341003"), "hypertension"), (diagnosis("44054006"), "diabetes"),
    (diagnosis("E11.65", ICD), "diabetes"),
    (diagnosis("G45.9", ICD), "stroke-or-tia"), (diagnosis("I25.2", ICD), "vascular-disease"),
    (diagnosis("I25.10", ICD), "coronary-disease"), (diagnosis("I25.10", ICD), "ascvd-history"),
    (diagnosis("I61.0", ICD), "haemorrhagic-stroke"), (diagnosis("274100004"), "ascvd-history"),
    (diagnosis("266257000", status="resolved", active=False), "stroke-or-tia"),
    (diagnosis("44054006", start=None), "diabetes"), (diagnosis(" 44054006 "), "diabetes")])
def test_diagnoses_that_count(row: dict[str, Any], feature: str) -> None:
    made = features(conditions=[diagnosis("195662009"), row])
    assert made[feature] is True
    assert row["code"] in made[f"{feature}-found"]


@pytest.mark.parametrize("row", [
    diagnosis("44054006", start=date(2026, 3, 11)), diagnosis("44054006", status="entered-in-error"),
    diagnosis("44054006", status=None, active=False), diagnosis("J45", ICD),
    diagnosis("E23.2", ICD, display="Diabetes insipidus"), diagnosis("15777000", display="Prediabetes"),
    diagnosis(None, None, display="Family history of diabetes")])
def test_diagnoses_that_do_not_count(row: dict[str, Any]) -> None:
    assert features(conditions=[row])["diabetes"] is False


@pytest.mark.parametrize("row", [
    diagnosis("44054006", "http://example.org/local"), diagnosis("250.00", "http://hl7.org/fhir/sid/icd-9-cm"),
    diagnosis("E11", SNOMED), diagnosis("195967001", display=" "), diagnosis(None, None), diagnosis(None, ICD)])
def test_a_code_that_no_set_knows_may_be_any_diagnosis_where_it_has_no_text(row: dict[str, Any]) -> None:
    made = features(conditions=[row, diagnosis("38341003")])
    assert (made["diabetes"], made["atrial-fibrillation"], made["hypertension"]) == (None, None, True)


@pytest.mark.parametrize(("code", "value", "unit", "feature", "days"), [
    ("2160-0", 1.1, "mg/dL", "creatinine", 365), ("8480-6", 150.0, "mm[Hg]", "systolic-bp", 365),
    ("777-3", 200.0, "10*3/uL", "platelets", 365), ("2093-3", 190.0, "mg/dL", "total-cholesterol", 1826)])
def test_a_measurement_of_long_ago_is_no_value_of_today(code: str, value: float, unit: str, feature: str,
                                                        days: int) -> None:
    for ago, found in ((days, value), (days + 1, None)):
        rows = [measured(code, value, unit, start=TODAY - timedelta(days=ago))]
        assert features(observations=rows)[feature] == found


def test_a_refuted_diagnosis_does_not_count_where_the_table_says_so() -> None:
    tables = record(conditions=[diagnosis("44054006", status="resolved", active=False)])
    for said, counts in (("refuted", False), ("confirmed", True)):
        tables["conditions"] = tables["conditions"].with_columns(verification=pl.lit(said))
        assert RiskHistory().run(tables, ("diabetes",))["features"]["diabetes"].to_list() == [counts]


@pytest.mark.parametrize(("display", "feature"), [
    ("Type 2 diabetes mellitus with unlisted complication", "diabetes"),
    ("AFib, on rate control", "atrial-fibrillation"),
    ("Congestive cardiac failure", "heart-failure"), ("Hypertensive urgency", "hypertension"),
    ("H/O stroke", "stroke-or-tia"), ("Intermittent claudication", "vascular-disease"),
    ("Vorhofflimmern, paroxysmal", "atrial-fibrillation"), ("Dekompensierte Herzinsuffizienz", "heart-failure"),
    ("Familiäre dilatative Kardiomyopathie", "heart-failure"),
    ("Arterielle Hypertonie", "hypertension"), ("Zuckerkrankheit", "diabetes"),
    ("Z.n. Schlaganfall 2015", "stroke-or-tia"), ("pAVK Stadium IIb", "vascular-disease"),
    ("Herzinfarkt 2012", "vascular-disease"), ("KHK, 3-Gefäß", "coronary-disease"),
    ("Subarachnoidalblutung", "haemorrhagic-stroke"),
    ("Unstable angina", "coronary-disease"), ("Unstable angina", "ascvd-history")])
def test_words_that_no_code_set_knows_leave_a_diagnosis_unknown(display: str, feature: str) -> None:
    made = features(conditions=[diagnosis("250.00", "http://hl7.org/fhir/sid/icd-9-cm", display=display)])
    assert made[feature] is None
    assert made[f"{feature}-found"] == f"a diagnosis that no code set knows: {display}, 2020-01-01"


@pytest.mark.parametrize(("display", "feature"), [
    ("Pulmonale Hypertonie", "hypertension"), ("Schwangerschaftsdiabetes", "diabetes"), ("Prädiabetes", "diabetes"),
    ("Familienanamnese: Herzinfarkt", "vascular-disease"), ("Weißkittelhypertonie", "hypertension")])
def test_german_words_that_mean_something_else_leave_nothing_open(display: str, feature: str) -> None:
    assert features(conditions=[diagnosis(None, None, display=display)])[feature] is False


def test_one_known_code_settles_a_diagnosis_that_has_several() -> None:
    text = {"display": "Diabetes mellitus", "source": "r.json#1"}
    made = features(conditions=[diagnosis("250.00", "icd-9", **text), diagnosis("E11.9", ICD, **text)])
    assert (made["diabetes"], made["diabetes-found"]) == (True, "icd-10 E11.9, 2020-01-01")


def test_a_diagnosis_that_was_lost_while_reading_leaves_the_others_unknown() -> None:
    lost = {"file": "r.json", "place": "entry[3] Condition/7 $.code", "severity": "error", "code": "bad-resource",
            "text": "x", "patient_id": "p"}
    made = features(conditions=[diagnosis("44054006")], issues=[lost], medications=[drug("simvastatin")])
    assert (made["diabetes"], made["hypertension"], made["bp-treated"]) == (True, None, False)


def test_the_latest_value_up_to_the_index_date_counts_in_its_unit() -> None:
    made = features(observations=[
        measured("2093-3", 5.2, "mmol/L"), measured("2093-3", 150, "mg/dL", start=date(2020, 1, 1)),
        measured("14646-4", 1.3, "mmol/L"), measured("8480-6", 142, "mm[Hg]"), measured("8462-4", 90, "mm[Hg]"),
        measured("8480-6", 199, "mm[Hg]", start=date(2026, 3, 11)), measured("8480-6", 188, "mm[Hg]", start=None),
        measured("8480-6", 177, "mm[Hg]", status="entered-in-error")])
    assert made["total-cholesterol"] == pytest.approx(5.2 * 38.665)
    assert made["hdl-cholesterol"] == pytest.approx(1.3 * 38.665)
    assert (made["systolic-bp"], made["systolic-bp-found"]) == (142, "2026-03-02")


def test_a_value_in_an_unknown_unit_is_no_value() -> None:
    made = features(observations=[measured("2093-3", 5.2, "furlong"), measured("8480-6", -4, "mm[Hg]")])
    assert (made["total-cholesterol"], made["systolic-bp"]) == (None, None)


@pytest.mark.parametrize(("old", "new", "unit", "feature"), [
    ("6301-6", "34714-6", "1", "inr"), ("2160-0", "38483-4", "mg/dL", "creatinine"),
    ("1975-2", "42719-5", "mg/dL", "bilirubin")])
def test_the_latest_of_all_codes_of_a_measurement_counts(old: str, new: str, unit: str, feature: str) -> None:
    rows = [measured(new, 3.0, unit), measured(old, 1.0, unit, start=date(2026, 1, 1))]
    assert features(observations=rows)[feature] == 3.0


def test_an_undated_value_is_no_value() -> None:
    made = features(observations=[measured("8480-6", 140, "mm[Hg]", start=None)])
    assert (made["systolic-bp"], made["systolic-bp-found"]) == (None, None)


def test_without_canonical_codes_only_values_in_the_right_unit_count() -> None:
    tables = record(observations=[])
    raw = [{"patient_id": "p", "row": 1, **measured("2093-3", 5.2, "mmol/L")},
           {"patient_id": "p", "row": 2, **measured("8480-6", 140, "mm[Hg]")}]
    tables["observations"] = TABLES["observations"].frame(raw)
    made = RiskHistory().run(tables, ("total-cholesterol", "systolic-bp"))["features"]
    assert made.rows() == [("p", None, 140.0)]


@pytest.mark.parametrize(("code", "smoker"), [
    ("449868002", True), ("8517006", False), ("LA18978-9", False), ("266927001", None), (None, None)])
def test_smoking_answers(code: str | None, smoker: bool | None) -> None:
    row = {"system": LOINC, "code": "72166-2", "value_code": code, "status": "final", "start": date(2026, 1, 1)}
    assert features(observations=[row])["smoker"] is smoker


def test_the_latest_smoking_answer_counts_before_an_older_diagnosis() -> None:
    quit_since = {"system": LOINC, "code": "72166-2", "value_code": "8517006", "start": date(2026, 1, 1)}
    assert features(observations=[quit_since], conditions=[diagnosis("77176002")])["smoker"] is False
    assert features(conditions=[diagnosis("77176002")])["smoker"] is True
    assert features(conditions=[diagnosis("77176002", status="resolved", active=False)])["smoker"] is None


@pytest.mark.parametrize(("drugs", "treated"), [
    ([drug("lisinopril")], True), ([drug("simvastatin")], False), ([drug("lisinopril", active=False)], False),
    ([drug("lisinopril", active=None)], None), ([drug("simvastatin"), drug("amlodipine", "valsartan")], True),
    ([drug("lisinopril", active=None), drug("amlodipine")], True), ([drug()], False),
    ([drug(display=None)], None), ([drug(display=None, active=False)], False)])
def test_blood_pressure_medicines(drugs: list[dict[str, Any]], treated: bool | None) -> None:
    assert features(medications=drugs)["bp-treated"] is treated


def test_names_of_blood_pressure_medicines_are_given() -> None:
    assert features(medications=[drug("valsartan", "amlodipine"), drug("amlodipine")])["bp-treated-found"] == (
        "amlodipine, valsartan")


@pytest.mark.parametrize(("possible", "treated"), [
    (["captopril", "warfarin"], None), (["warfarin"], False), (None, False)])
def test_a_medicine_that_could_be_one_is_unknown(possible: list[str] | None, treated: bool | None) -> None:
    tables = record(medications=[drug()])
    tables["medications"] = tables["medications"].with_columns(
        possible_ingredients=pl.Series([possible], dtype=pl.List(pl.String())))
    assert RiskHistory().run(tables, ("bp-treated",))["features"]["bp-treated"].to_list() == [treated]


@pytest.mark.parametrize("kind", ["MedicationRequest", "MedicationDispense", "MedicationAdministration"])
def test_an_order_that_was_lost_while_reading_is_unknown(kind: str) -> None:
    lost = {"file": "r.json", "place": f"entry[3] {kind}/7", "severity": "error", "code": "bad-resource",
            "text": "x", "patient_id": "p"}
    assert features(issues=[lost])["bp-treated"] is None
    assert features(issues=[lost], medications=[drug("lisinopril")])["bp-treated"] is True
    assert features(issues=[lost], medications=[drug("simvastatin")])["bp-treated"] is None
    other = lost | {"patient_id": "q"}
    assert features(issues=[other], medications=[drug("simvastatin")])["bp-treated"] is False


@pytest.mark.parametrize(("recorded", "group"), [
    ("White", "white"), ("Black or African American", "black"), ("African American", "black"), ("2054-5", "black"),
    ("Black, not Hispanic or Latino", "black"), ("Non-Hispanic White", "white"), ("Not Hispanic or Latino", None),
    ("Asian", "other"), ("White; Black or African American", "other"), ("non-black", "other"), ("Other Race", "other"),
    ("Unknown", None), ("Asked but no answer", None), ("", None), (None, None)])
def test_race(recorded: str | None, group: str | None) -> None:
    tables = record(patients=[{"patient_id": "p", "index_date": TODAY, "ancestry": recorded}])
    assert RiskHistory().run(tables, ("pce-race",))["features"]["pce-race"].to_list() == [group]


def test_many_patients_are_each_judged_alone() -> None:
    people = [{"patient_id": name, "index_date": TODAY} for name in "abc"]
    tables = record(patients=people)
    tables["conditions"] = TABLES["conditions"].frame([{"patient_id": "b", "row": 1, **diagnosis("44054006")}])
    made = RiskHistory().run(tables, ("diabetes", "hypertension"))["features"]
    assert made.rows() == [("a", False, False), ("b", True, False), ("c", False, False)]


def test_each_group_of_medicines_is_a_feature_of_its_own() -> None:
    made = features(medications=[drug("simvastatin"), drug("aspirin")])
    assert [made[name] for name in MEDICINES] == [False, True, True]
    assert made["statin-found"] == "simvastatin"
    assert features(medications=[drug("simvastatin", active=None)])["statin"] is None


def test_laboratory_values_are_in_the_unit_of_the_scores() -> None:
    made = features(observations=[measured("14682-9", 88.4, "umol/L"), measured("777-3", 165000.0, "/uL"),
                                  measured("6301-6", 1.4, "{INR}"), measured("17856-6", 50.0, "mmol/mol")])
    assert made["creatinine"] == pytest.approx(1.0, abs=1e-3)
    assert (made["platelets"], made["inr"]) == (165.0, 1.4)
    assert made["hba1c"] == pytest.approx(6.726, abs=1e-3)


@pytest.mark.parametrize("doubt", ["unconfirmed", "provisional", "differential"])
@pytest.mark.parametrize(("code", "system", "words"), [("49436004", SNOMED, "snomed 49436004"),
                                                       ("I48.91", ICD, "icd-10 I48.91")])
def test_a_diagnosis_that_is_not_confirmed_leaves_it_open(doubt: str, code: str, system: str, words: str) -> None:
    one = diagnosis(code, system, verification=doubt)
    made = features(conditions=[one])
    assert made["atrial-fibrillation"] is None
    assert made["atrial-fibrillation-found"] == f"a diagnosis that is not confirmed: {words}, 2020-01-01"
    assert features(conditions=[one, diagnosis(code, system, verification="confirmed")])["atrial-fibrillation"] is True
    assert made["diabetes"] is False


UNUSED = "a latest value that cannot be used:"


@pytest.mark.parametrize(("later", "inr", "day"), [
    ({"value": None, "value_text": "> 9"}, None, f"{UNUSED} > 9, 2026-03-02"),
    ({"value": None, "value_text": ">9.0", "unit": None}, None, f"{UNUSED} >9.0, 2026-03-02"),
    ({"unit": "knots"}, None, f"{UNUSED} 1.0 knots, 2026-03-02"),
    ({"value": None, "value_text": "clotted"}, 2.5, "2026-03-01"),
    ({"value": None, "value_text": "> 9", "status": "cancelled"}, 2.5, "2026-03-01"),
    ({"value": None, "value_text": "> 9", "start": date(2026, 2, 1)}, 2.5, "2026-03-01"),
    ({"value": 99.0}, None, f"{UNUSED} 99.0 1, 2026-03-02"), ({"value": 3.0}, 3.0, "2026-03-02")])
def test_beyond_a_limit_an_older_value_is_not_the_latest(later: dict[str, Any], inr: float | None,
                                                         day: str | None) -> None:
    rows = [measured("6301-6", 2.5, "1", start=date(2026, 3, 1)), measured("6301-6", 1.0, "1") | later]
    made = features(observations=rows)
    assert (made["inr"], made["inr-found"]) == (inr, day)


@pytest.mark.parametrize(("drugs", "inr"), [
    ([drug("warfarin")], None), ([drug("warfarin", active=None)], None), ([drug("metformin"), drug("apixaban")], None),
    ([drug("warfarin", active=False)], None), ([drug("warfarin", active=False, end=date(2026, 3, 1))], None),
    ([drug("warfarin", active=False, end=date(2025, 3, 1))], 2.8),
    ([drug("warfarin", active=False, start=date(2026, 3, 5), end=date(2026, 3, 6))], 2.8),
    ([drug("metformin")], 2.8), ([], 2.8), ([drug()], 2.8)])
def test_the_inr_of_who_takes_an_anticoagulant_tells_nothing_of_the_liver(drugs: list[dict[str, Any]],
                                                                          inr: float | None) -> None:
    made = features(observations=[measured("6301-6", 2.8, "1"), measured("1975-2", 1.0, "mg/dL")], medications=drugs)
    taken = "apixaban" if len(drugs) > 1 else "warfarin"
    why = f"an oral anticoagulant that is or may be taken: {taken}"
    assert (made["inr"], made["inr-found"]) == (inr, "2026-03-02" if inr else why)
    assert made["bilirubin"] == 1.0


def test_what_may_be_an_anticoagulant_leaves_the_inr_open() -> None:
    tables = record(observations=[measured("6301-6", 2.8, "1")], medications=[drug()])
    tables["medications"] = tables["medications"].with_columns(
        possible_ingredients=pl.Series([["warfarin", "captopril"]]))
    made = RiskHistory().run(tables, ["inr", "inr-found"])["features"]
    assert made.rows() == [("p", None, "an oral anticoagulant that is or may be taken: warfarin")]
