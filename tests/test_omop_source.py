"""What the OMOP source makes of single rows, and of input that is not as it should be."""

from __future__ import annotations

import gzip
import sqlite3
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from pmed.errors import HistoryError, OptionError
from pmed.normalise.drugs import add_ingredients
from pmed.sources.omop import OmopSource
from pmed.tables import TABLES
from pmed.types import ReadRequest

DAY = "2020-06-15"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
CONCEPTS = [
    # id, name, vocabulary, class, code
    (1, "warfarin sodium 5 MG Oral Tablet", "RxNorm", "Clinical Drug", "855332"),
    (2, "Oral route", "SNOMED", "Qualifier Value", "26643006"),
    (3, "Hypertensive disorder", "SNOMED", "Clinical Finding", "38341003"),
    (4, "Essential (primary) hypertension", "ICD10CM", "ICD10 Hierarchy", "I10"),
    (5, "Creatinine [Mass/volume] in Serum or Plasma", "LOINC", "Lab Test", "2160-0"),
    (6, "milligram per deciliter", "UCUM", "Unit", "mg/dL"),
    (7, "Coumadin 5 MG Oral Tablet", "RxNorm", "Branded Drug", "855334"),
    (8, "warfarin", "RxNorm", "Ingredient", "11289"),
    (9, "Allergy to drug", "SNOMED", "Clinical Finding", "416098002"),
    (10, "influenza vaccine", "CVX", "CVX", "140"),
    (11, "Positive", "SNOMED", "Qualifier Value", "10828004"),
    (12, "Coumadin Oral Tablet", "RxNorm", "Branded Drug Form", "368432"),
]
HEADS = {
    "person": "person_id,gender_concept_id,year_of_birth,month_of_birth,day_of_birth,birth_datetime,race_concept_id,"
              "race_source_value",
    "death": "person_id,death_date",
    "concept": "concept_id,concept_name,vocabulary_id,concept_class_id,concept_code",
    "drug_exposure": "drug_exposure_id,person_id,drug_concept_id,drug_exposure_start_date,drug_exposure_end_date,"
                     "verbatim_end_date,drug_type_concept_id,days_supply,route_concept_id,drug_source_value,"
                     "drug_source_concept_id,route_source_value,stop_reason",
    "condition_occurrence": "condition_occurrence_id,person_id,condition_concept_id,condition_start_date,"
                            "condition_end_date,condition_status_concept_id,condition_source_value,"
                            "condition_source_concept_id",
    "measurement": "measurement_id,person_id,measurement_concept_id,measurement_date,operator_concept_id,"
                   "value_as_number,value_as_concept_id,unit_concept_id,measurement_source_value,"
                   "measurement_source_concept_id,unit_source_value,value_source_value",
    "observation": "observation_id,person_id,observation_concept_id,observation_date,value_as_number,value_as_string,"
                   "value_as_concept_id,unit_concept_id,observation_source_value,observation_source_concept_id,"
                   "unit_source_value,value_source_value",
    "procedure_occurrence": "procedure_occurrence_id,person_id,procedure_concept_id,procedure_date",
    "visit_occurrence": "visit_occurrence_id,person_id,visit_concept_id,visit_start_date,visit_end_date",
}
PERSON = "1,8532,1950,3,7,,0,"


def cdm(folder: Path, **rows: str | list[str]) -> Path:
    """A folder with every table; those given have these lines below the header."""
    concepts = [f'{one},"{name}",{vocabulary},{kind},{code}' for one, name, vocabulary, kind, code in CONCEPTS]
    given = {"person": [PERSON], "concept": concepts, **rows}
    for table, head in HEADS.items():
        lines = given.get(table, [])
        write(folder / f"{table}.csv", head, *([lines] if isinstance(lines, str) else lines))
    return folder


def write(path: Path, *lines: str) -> None:
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")


def read(*paths: Path, day: str = DAY) -> dict[str, pl.DataFrame]:
    return OmopSource().read(list(paths), ReadRequest(TABLES["sites"].empty(), index_date=day))


def codes(tables: dict[str, pl.DataFrame]) -> set[str]:
    return set(tables["issues"]["code"]) - {"no-allergy-table", "empty-table"}


def drug(number: int = 1, concept: object = 1, start: str = "2020-06-01", end: str = "2020-06-30", verbatim: str = "",
         kind: object = 38000177, supply: object = "", source: str = "text", stopped: str = "") -> str:
    return f"{number},1,{concept},{start},{end},{verbatim},{kind},{supply},2,{source},0,,{stopped}"


@pytest.mark.parametrize(("row", "active", "last"), [
    (drug(), True, "2020-06-30"),
    (drug(end=DAY), True, DAY),
    (drug(end="2020-06-14"), False, "2020-06-14"),
    (drug(start="2020-06-16"), False, "2020-06-30"),
    (drug(end="", supply=30), True, "2020-07-01"),
    (drug(end="", supply=13), False, "2020-06-14"),
    (drug(end="", supply=0), None, None),
    (drug(end=""), None, None),
    (drug(start="2020-06-16", end=""), False, None),
    (drug(end="2020-06-01"), None, None),  # an end that repeats the start is not known
    (drug(end="2020-06-01", supply=30), True, "2020-07-01"),
    (drug(end="2020-06-01", verbatim="2020-06-01"), False, "2020-06-01"),
    (drug(end="2020-06-01", kind=38000180), False, "2020-06-01"),  # given once, in hospital
    (drug(end="2020-05-01"), None, None),
    (drug(end="2020-06-31"), None, None),
    (drug(end="2020-06-01", verbatim="2020-06-20"), True, "2020-06-20"),
    # why it was stopped is said, and it may have been before its end
    (drug(stopped="side effects"), None, "2020-06-30"),
    (drug(stopped="side effects", end="2020-06-14"), False, "2020-06-14"),
    (drug(stopped="side effects", start="2020-06-16"), False, "2020-06-30"),
    (drug(stopped="side effects", end=""), None, None),
])
def test_active_medicines(tmp_path: Path, row: str, active: bool | None, last: str | None) -> None:
    medicine = read(cdm(tmp_path, drug_exposure=row))["medications"].row(0, named=True)
    assert medicine["active"] is active
    assert medicine["end"] == (date.fromisoformat(last) if last else None)


@pytest.mark.parametrize(("kind", "word"), [(38000177, "order"), (32869, "dispense"), (32818, "administration"),
                                            (44787730, "statement"), (0, None), ("", None)])
def test_kinds_of_medicine_rows(tmp_path: Path, kind: object, word: str | None) -> None:
    medicine = read(cdm(tmp_path, drug_exposure=drug(kind=kind, end="2020-06-14")))["medications"].row(0, named=True)
    assert (medicine["kind"], medicine["active"]) == (word, False)


def test_a_reason_to_stop_is_told(tmp_path: Path) -> None:
    assert "stop-reason" in codes(read(cdm(tmp_path, drug_exposure=[drug(1), drug(2, stopped="side effects")])))
    assert "stop-reason" not in codes(read(cdm(tmp_path, drug_exposure=[drug(1), drug(2)])))


def test_a_medicine(tmp_path: Path) -> None:
    tables = read(cdm(tmp_path, drug_exposure=drug()))
    medicine = tables["medications"].row(0, named=True)
    assert (medicine["system"], medicine["code"]) == (RXNORM, "855332")
    assert medicine["display"] == "warfarin sodium 5 MG Oral Tablet"
    assert medicine["route"] == "Oral route"
    assert medicine["status"] is None
    assert medicine["source"] == f"{tmp_path / 'drug_exposure.csv'}#drug_exposure/1"
    assert not codes(tables)


def test_the_name_of_the_source_may_contradict_the_concept(tmp_path: Path) -> None:
    rows = [drug(number, source=name) for number, name in enumerate(("Xarelto 20", "Coumadin", "00056-0172-70"), 1)]
    tables = read(cdm(tmp_path, drug_exposure=rows))
    assert tables["medications"]["also"].to_list() == ["Xarelto 20", "Coumadin", None]
    names = TABLES["drug_names"].frame([{"ingredient": one, "kind": "brand", "name": name} for name, one in (
        ("xarelto", "rivaroxaban"), ("coumadin", "warfarin"), ("warfarin", "warfarin"))])
    found, issues = add_ingredients(tables["medications"], names)
    assert found["ingredients"].to_list() == [None, ["warfarin"], ["warfarin"]]
    assert issues["code"].to_list() == ["code-display-conflict"]


def test_unmapped_drug_keeps_its_text(tmp_path: Path) -> None:
    tables = read(cdm(tmp_path, drug_exposure=[drug(1, 0, source="Marcumar 3mg"), drug(2, 999, source="x")]))
    first, second = tables["medications"].select("system", "code", "display").rows()
    assert first == (None, None, "Marcumar 3mg")
    assert second == (None, None, "x")
    assert codes(tables) == {"not-mapped", "unknown-concept"}
    assert "drug_exposure 1" in tables["issues"].filter(pl.col("code") == "not-mapped")["place"][0]


@pytest.mark.parametrize("how", ["ancestor", "relationship", "through-form"])
def test_ingredients_of_the_vocabulary(tmp_path: Path, how: str) -> None:
    folder = cdm(tmp_path, drug_exposure=drug(concept=7))
    ancestors = ["8,7", "12,7"] if how == "ancestor" else []
    related = {"relationship": ["7,8,RxNorm has ing,"], "through-form": [
        "7,12,RxNorm is a,", "12,8,RxNorm has ing,", "7,1,RxNorm has ing,D"]}.get(how, [])
    write(folder / "concept_ancestor.csv", "ancestor_concept_id,descendant_concept_id", *ancestors)
    write(folder / "concept_relationship.csv", "concept_id_1,concept_id_2,relationship_id,invalid_reason", *related)
    medicines = read(folder)["medications"]
    assert medicines["display"].to_list() == ["Coumadin 5 MG Oral Tablet [warfarin]"]
    assert medicines["code"].to_list() == ["855334"]
    names = TABLES["drug_names"].frame([{"ingredient": "warfarin", "kind": "ingredient", "name": "warfarin"}])
    assert add_ingredients(medicines, names)[0]["ingredients"].to_list() == [["warfarin"]]


def test_part_of_the_ingredients_is_not_the_whole(tmp_path: Path) -> None:
    folder = cdm(tmp_path, drug_exposure=drug(concept=7))
    write(folder / "concept_relationship.csv", "concept_id_1,concept_id_2,relationship_id,invalid_reason",
          "7,8,RxNorm has ing,", "7,998,RxNorm has ing,")
    assert read(folder)["medications"]["display"].to_list() == ["Coumadin 5 MG Oral Tablet"]


def test_a_condition_has_both_codes(tmp_path: Path) -> None:
    conditions = read(cdm(tmp_path, condition_occurrence="1,1,3,2019-01-01,,0,I10,4"))["conditions"]
    assert conditions.select("system", "code").rows() == [
        ("http://snomed.info/sct", "38341003"), ("http://hl7.org/fhir/sid/icd-10-cm", "I10")]
    assert conditions["active"].to_list() == [True, True]
    assert conditions["source"].n_unique() == 1


@pytest.mark.parametrize(("end", "status", "active", "said"), [
    ("", 0, True, set()), ("2020-06-14", 0, False, set()), ("2019-01-01", 0, None, {"no-duration"}),
    ("2018-01-01", 0, True, {"end-before-start"}), ("", 4188893, False, set()), ("", 32899, True, set()),
])
def test_active_conditions(tmp_path: Path, end: str, status: int, active: bool | None, said: set[str]) -> None:
    tables = read(cdm(tmp_path, condition_occurrence=f"1,1,3,2019-01-01,{end},{status},I10,0"))
    condition = tables["conditions"].row(0, named=True)
    assert condition["active"] is active
    assert condition["verification"] == ("provisional" if status == 32899 else None)
    assert codes(tables) == said


@pytest.mark.parametrize(("operator", "value", "text"), [
    ("0", 1.2, None), ("4172703", 1.2, None), ("", 1.2, None), ("4171756", None, "< 1.2"), ("4171755", None, ">= 1.2"),
    ("77", None, None)])
def test_a_limit_is_no_value(tmp_path: Path, operator: str, value: float | None, text: str | None) -> None:
    row = f"1,1,5,2020-01-01,{operator},1.2,0,6,crea,0,MG/DL,1.2"
    found = read(cdm(tmp_path, measurement=row))["observations"].row(0, named=True)
    assert (found["value"], found["value_text"], found["unit"]) == (value, text, "mg/dL")
    assert (found["system"], found["code"]) == ("http://loinc.org", "2160-0")


def test_values_that_are_no_numbers(tmp_path: Path) -> None:
    tables = read(cdm(tmp_path, measurement=[
        "1,1,5,2020-01-01,0,,11,0,crea,0,,pos", "2,1,5,2020-01-02,0,NaN,0,0,crea,0,,",
        "3,1,5,2020-01-03,0,,0,0,crea,0,units,high"]))
    found = tables["observations"].select("value", "unit", "value_text", "value_code").rows()
    assert found == [(None, None, "Positive", "10828004"), (None, None, None, None), (None, "units", "high", None)]
    assert codes(tables) == {"bad-value"}


def test_an_allergy_among_the_observations(tmp_path: Path) -> None:
    tables = read(cdm(tmp_path, observation=["1,1,9,2015-01-01,,,8,0,allergy,0,,", "2,1,3,2015-01-01,,,8,0,no,0,,"]))
    assert tables["allergies"].select("system", "code", "display", "active").rows() == [
        (RXNORM, "11289", "warfarin", True)]
    assert tables["observations"].height == 2


def test_a_vaccine_is_no_medicine_taken(tmp_path: Path) -> None:
    tables = read(cdm(tmp_path, drug_exposure=[drug(1), drug(2, 10)]))
    assert tables["immunizations"]["code"].to_list() == ["140"]
    assert tables["medications"]["code"].to_list() == ["855332"]


@pytest.mark.parametrize(("row", "birth", "said"), [
    ("1,8507,1950,3,7,1950-03-07 00:00:00,0,", "1950-03-07", set()),
    ("1,8507,1950,3,7,,0,", "1950-03-07", set()),
    ("1,8507,1950,3,,,0,", "1950-03-01", {"partial-date"}),
    ("1,8507,1950,,,,0,", "1950-01-01", {"partial-date"}),
    ("1,8507,1950,2,30,,0,", None, {"bad-date", "no-age"}),
    ("1,8507,1951,3,7,1950-03-07,0,", None, {"birth-conflict", "no-age"}),
    ("1,8507,1950.0,3.0,7.0,,0,", "1950-03-07", set()),
])
def test_birth_dates(tmp_path: Path, row: str, birth: str | None, said: set[str]) -> None:
    tables = read(cdm(tmp_path, person=row))
    assert tables["patients"]["birth_date"].to_list() == [date.fromisoformat(birth) if birth else None]
    assert codes(tables) == said


@pytest.mark.parametrize(("gender", "sex"), [(8507, "male"), (8532, "female"), (8521, "other"), (8551, "unknown"),
                                             (0, None), ("", None)])
def test_sex(tmp_path: Path, gender: object, sex: str | None) -> None:
    tables = read(cdm(tmp_path, person=f"1,{gender},1950,3,7,,8527,w"))
    assert tables["patients"].select("sex", "ancestry").row(0) == (sex, "White")
    assert codes(tables) == (set() if sex else {"no-gender"})


def test_no_record_of_death_is_not_alive(tmp_path: Path) -> None:
    tables = read(cdm(tmp_path, person=[PERSON, "2,8507,1960,1,1,,0,"], death="2,2020-01-01"))
    assert tables["patients"].select("patient_id", "deceased").rows() == [("1", None), ("2", True)]


def test_a_person_twice(tmp_path: Path) -> None:
    tables = read(cdm(tmp_path, person=[PERSON, "1,8507,1950,3,7,,0,"]))
    assert tables["patients"].select("patient_id", "birth_date", "sex").rows() == [("1", date(1950, 3, 7), None)]
    assert codes(tables) == {"double-person"}


def test_a_missing_table_is_unknown_not_empty(tmp_path: Path) -> None:
    folder = cdm(tmp_path)
    for table in ("measurement", "concept", "death"):
        (folder / f"{table}.csv").unlink()
    issues = read(folder)["issues"].filter(pl.col("code") == "missing-table")
    assert {text.split()[1] for text in issues["text"]} == {"measurement", "concept", "death"}
    assert set(issues["severity"]) == {"warning"}


REFILLS = "drug_exposure_id,person_id,drug_concept_id,drug_exposure_start_date,drug_exposure_end_date,refills," \
          "days_supply,drug_type_concept_id,stop_reason"


@pytest.mark.parametrize(("row", "active"), [
    ("2020-05-01,2020-05-31,0,30,38000177,", False),
    ("2020-05-01,2020-05-31,3,30,38000177,", None),
    ("2020-05-01,2020-05-31,3,,38000177,", None),
    ("2020-05-01,,3,30,38000177,", None),
    ("2020-06-01,2020-07-01,3,30,38000177,", True),
    ("2019-05-01,2019-05-31,3,30,38000177,", False),
    ("2020-05-01,2020-05-31,3,30,,", None),
    ("2020-05-01,2020-05-31,3,30,32818,", False),
    ("2020-05-01,2020-05-31,3,30,38000177,side effects", False),
    ("2020-05-01,2020-05-31,many,30,38000177,", False),
    ("2020-05-01,2020-05-31,1000,30,38000177,", False),
    ("2020-05-01,2020-05-01,3,,38000177,", None),
])
def test_a_prescription_with_refills_may_go_on_when_its_first_supply_is_used_up(tmp_path: Path, row: str,
                                                                             active: bool | None) -> None:
    folder = cdm(tmp_path)
    write(folder / "drug_exposure.csv", REFILLS, f"1,1,1,{row}")
    assert read(folder)["medications"]["active"].to_list() == [active]


@pytest.mark.parametrize(("name", "found"), [
    ("Allergy to penicillin", True), ("Allergy status to sulfonamides", True), ("Hypersensitivity to aspirin", True),
    ("Penicillin allergy", True), ("Allergy to grass pollen", False), ("Allergy status to latex", False),
    ("Allergy to sunitinib", True),
    ("Allergic rhinitis", False), ("Lactose intolerance", False),
    ("Family history of allergy to penicillin", False), ("Hypertension", False)])
def test_an_allergy_that_is_recorded_as_a_diagnosis(tmp_path: Path, name: str, found: bool) -> None:
    folder = cdm(tmp_path, condition_occurrence=f"1,1,0,2020-01-01,,,{name},0")
    tables = read(folder)
    assert tables["allergies"]["display"].to_list() == [name] * found
    assert tables["conditions"].height == 1


@pytest.mark.parametrize(("source", "text"), [("", "1,3"), ("1.3 mg/dL", "1.3 mg/dL")])
def test_a_value_that_is_no_number_is_kept_as_text(tmp_path: Path, source: str, text: str) -> None:
    folder = cdm(tmp_path)
    write(folder / "measurement.csv", VALUES, f'1,1,5,2020-05-01,0,"1,3",6,mg/dL,{source}')
    tables = read(folder)
    assert tables["observations"].select("value", "value_text").row(0) == (None, text)
    assert codes(tables) == {"bad-value"}


VALUES = "measurement_id,person_id,measurement_concept_id,measurement_date,operator_concept_id,value_as_number," \
         "unit_concept_id,unit_source_value,value_source_value"


@pytest.mark.parametrize(("row", "value", "text", "issue"), [
    ("0,1.1,6,mg/dL,1.1", 1.1, None, set()),
    ("0,1.1,6,MG/DL,", 1.1, None, set()),
    ("0,97,6,umol/L,97", None, "97.0 mg/dL (umol/L)", {"unit-conflict"}),
    ("0,97,6,umol/L,", None, "97.0 mg/dL (umol/L)", {"unit-conflict"}),
    ("0,1.1,6,umol/L,97", 1.1, None, set()),  # converted
    ("0,1.1,6,other,1.1", 1.1, None, set()),
    ("0,1.1,0,mg/dL,1.1", 1.1, None, set()),
    ("0,0.2,6,mg/dL,<0.2", None, "< 0.2", {"limit-not-value"}),
    (",0.2,6,mg/dL, >= 0.2", None, ">= 0.2", {"limit-not-value"}),
    ("4172703,0.2,6,mg/dL,<0.2", None, "< 0.2", {"limit-not-value"}),
])
def test_the_source_says_another_unit_or_a_limit(tmp_path: Path, row: str, value: float | None, text: str | None,
                                                 issue: set[str]) -> None:
    folder = cdm(tmp_path)
    write(folder / "measurement.csv", VALUES, f"1,1,5,2020-05-01,{row}")
    tables = read(folder)
    assert tables["observations"].select("value", "value_text").row(0) == (value, text)
    assert codes(tables) == issue


@pytest.mark.parametrize("left", ["drug_exposure", "drug_era", "rows"])
def test_eras_are_no_medicines_and_it_says_what_to_export(tmp_path: Path, left: str) -> None:
    folder = cdm(tmp_path, drug_exposure=[drug()] if left == "rows" else [])
    write(folder / "drug_era.csv", "drug_era_id,person_id,drug_concept_id,drug_era_start_date,drug_era_end_date",
          "1,1,8,2020-01-01,2020-12-31")
    if left == "drug_era":
        (folder / "drug_exposure.csv").unlink()
    tables = read(folder)
    found = tables["issues"].filter(pl.col("code") == "drug-era-not-read")
    assert found.height == (left != "rows")
    assert tables["medications"].height == (left == "rows")
    assert all("export drug_exposure" in text for text in found["text"])
    assert {Path(file).name for file in found["file"]} <= {"drug_era.csv"}


def test_one_bad_row_never_loses_the_rest(tmp_path: Path) -> None:
    tables = read(cdm(tmp_path, drug_exposure=[drug(1), drug(2, "abc"), drug(3, start="2020-13-45"), drug(4).replace(
        "4,1,", "4,77,", 1), drug(5).replace("5,1,", "5,,", 1), drug(6, start="")]))
    assert tables["medications"]["source"].str.extract(r"(\d+)$").to_list() == ["6", "1", "2", "3"]
    assert codes(tables) == {"bad-value", "not-mapped", "bad-date", "no-date", "unknown-person", "no-patient"}
    lost = tables["issues"].filter(pl.col("code").is_in(["unknown-person", "no-patient"])).sort("code")
    assert lost.select("severity", "patient_id").rows() == [("error", None), ("error", "77")]


def test_a_line_that_is_too_long_never_loses_the_rest(tmp_path: Path) -> None:
    tables = read(cdm(tmp_path, drug_exposure=[drug(1), drug(2) + ",x,y", drug(3)]))
    assert tables["medications"]["source"].str.extract(r"(\d+)$").to_list() == ["1", "3"]
    found = tables["issues"].filter(pl.col("code") == "bad-line").row(0, named=True)
    assert (found["severity"], found["place"]) == ("error", "line 3")


def test_a_file_that_is_cut_off(tmp_path: Path) -> None:
    folder = cdm(tmp_path, drug_exposure=[drug(1), drug(2)])
    path = folder / "drug_exposure.csv"
    text = path.read_text()
    path.write_text(text[:text.index("2,1,1,2020") + 5])  # "2,1,1" could be any concept that begins with 1
    tables = read(folder)
    assert tables["medications"]["source"].str.extract(r"(\d+)$").to_list() == ["1"]
    assert tables["issues"].filter(pl.col("code") == "bad-line")["place"].to_list() == ["line 3"]


def test_rows_of_one_kind_of_fault_are_one_issue_a_patient(tmp_path: Path) -> None:
    tables = read(cdm(tmp_path, drug_exposure=[drug(number, 0) for number in range(1, 51)]))
    found = tables["issues"].filter(pl.col("code") == "not-mapped")
    assert found.height == 1
    assert "50 rows" in found["text"][0]


@pytest.mark.parametrize("shape", ["upper", "gzip", "tabs", "bom", "latin-1", "parquet"])
def test_shapes_of_files(tmp_path: Path, shape: str) -> None:
    folder = cdm(tmp_path, drug_exposure=drug())
    expected = read(folder)["medications"].drop("source", "also")
    for path in list(folder.iterdir()):
        text = path.read_text()
        if shape == "upper":
            path.rename(folder / path.name.upper().replace(".CSV", ".csv"))
            (folder / path.name.upper().replace(".CSV", ".csv")).write_text(
                "".join([text.splitlines(keepends=True)[0].upper(), *text.splitlines(keepends=True)[1:]]))
        elif shape == "gzip":
            (folder / f"{path.name}.gz").write_bytes(gzip.compress(text.encode()))
            path.unlink()
        elif shape == "tabs":
            path.write_text(text.replace(",", "\t").replace('"', ""))
        elif shape == "bom":
            path.write_bytes(b"\xef\xbb\xbf" + text.encode())
        elif shape == "latin-1":
            path.write_bytes(text.replace("text", "t\xe9xt").encode("latin-1"))
        else:
            pl.read_csv(path).write_parquet(path.with_suffix(".parquet"))
            path.unlink()
    assert OmopSource().matches(folder)
    assert read(folder)["medications"].drop("source", "also").equals(expected)


def test_what_it_reads(tmp_path: Path) -> None:
    source = OmopSource()
    assert not source.matches(tmp_path)
    write(tmp_path / "notes.csv", "a")
    assert not source.matches(tmp_path)
    assert not source.matches(tmp_path / "notes.csv")
    write(tmp_path / "DRUG_EXPOSURE.csv", "a")
    assert source.matches(tmp_path)
    assert source.matches(tmp_path / "cdm.sqlite")
    assert source.matches(tmp_path / "cdm.omop.toml")
    assert not source.matches(tmp_path / "pmed.toml")


def test_two_cdms_do_not_share_ids(tmp_path: Path) -> None:
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder in folders:
        folder.mkdir()
    cdm(folders[0])
    cdm(folders[1], person="2,8507,1960,1,1,,0,")
    assert read(*folders)["patients"]["patient_id"].to_list() == ["1", "2"]
    cdm(folders[1])
    with pytest.raises(HistoryError, match="person 1 is also in"):
        read(*folders)


def without(folder: Path, table: str) -> None:
    (folder / f"{table}.csv").unlink()


BAD_FOLDERS = {
    "no person table": (lambda folder: without(folder, "person"), "no person table"),
    "nobody": (lambda folder: write(folder / "person.csv", HEADS["person"]), "nobody is in the person table"),
    "empty file": (lambda folder: (folder / "drug_exposure.csv").write_text(""), "drug_exposure.csv: is empty"),
    "no such column": (lambda folder: write(folder / "drug_exposure.csv", "person_id,drug", "1,2"),
                       "drug_exposure.csv: table drug_exposure has no column drug_concept_id"),
    "wrong type": (lambda folder: write(folder / "person.csv", HEADS["person"], "1,F,1950,1,1,,0,", "2,M,1950,1,1,,0,"),
                   "no value of column gender_concept_id is a whole number"),
    "no dates": (lambda folder: write(folder / "drug_exposure.csv", HEADS["drug_exposure"], drug(start="June")),
                 "no value of column drug_exposure_start_date is a date"),
    "two files": (lambda folder: write(folder / "PERSON.tsv", "person_id"), "two files for table person"),
    "no parquet": (lambda folder: (without(folder, "death"), (folder / "death.parquet").write_text("PAR1no")),
                   "death.parquet: cannot be read"),
    "gzip cut off": (lambda folder: (without(folder, "concept"), (folder / "concept.csv.gz").write_bytes(
        gzip.compress(",".join(map(str, range(9999))).encode())[:-4000])), "concept.csv.gz: cannot be read"),
    "no gzip": (lambda folder: (without(folder, "death"), (folder / "death.csv.gz").write_text("no gzip at all")),
                "death.csv.gz: cannot be read"),
}


@pytest.mark.parametrize("name", BAD_FOLDERS)
def test_bad_folders(tmp_path: Path, name: str) -> None:
    spoil, message = BAD_FOLDERS[name]
    spoil(cdm(tmp_path))
    with pytest.raises(HistoryError, match=message) as caught:
        read(tmp_path)
    assert "\n" not in str(caught.value)


def test_index_date_must_be_a_date(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="YYYY-MM-DD"):
        read(cdm(tmp_path), day="tomorrow")


def connection(folder: Path, text: str) -> Path:
    path = folder / "cdm.omop.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(("text", "message"), [
    ("url = 'not a url with s3cret'", "url is no SQLAlchemy URL"),
    ("url = 'postgresql+pg8000://me:s3cret@127.0.0.1:1/db'", r"me:\*\*\*@127.0.0.1:1/db: the database cannot be"),
    ("url = 'nosuch://me:s3cret@localhost/db'", "no driver for nosuch"),
    ("url = 's3cret", "is not TOML"),
    ("", "'url' is missing"),
    ("url = 'sqlite://'\nuser = 's3cret'", "unknown key 'user'"),
    ("url = 'sqlite://'\nschema = 3", "'schema' must be a str"),
    ("url = 'sqlite://'\npersons = ['a']", "'persons' must hold whole numbers"),
    ("url = 'sqlite://'\npersons = []", "'persons' is empty"),
    ("url = 'sqlite://'\npassword_env = 'PMED_NO_SUCH_VARIABLE'", "no variable PMED_NO_SUCH_VARIABLE"),
    ("url = 'sqlite://'", "no person table"),
])
def test_bad_connections(tmp_path: Path, text: str, message: str) -> None:
    pytest.importorskip("sqlalchemy")
    with pytest.raises(HistoryError, match=message) as caught:
        read(connection(tmp_path, text))
    assert "s3cret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def sqlite(path: Path) -> Path:
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE people (PERSON_ID INTEGER, Gender_Concept_Id INTEGER, year_of_birth INTEGER)")
        database.execute("INSERT INTO people VALUES (1, 8532, 1950), (2, 8507, 1960)")
        database.execute("CREATE VIEW Person AS SELECT * FROM people")
    database.close()
    return path


def test_sqlite_views_in_any_case(tmp_path: Path) -> None:
    pytest.importorskip("sqlalchemy")
    path = sqlite(tmp_path / "a b?c#.db")
    assert read(path)["patients"].select("patient_id", "sex").rows() == [("1", "female"), ("2", "male")]


def test_asked_people_must_be_there(tmp_path: Path) -> None:
    pytest.importorskip("sqlalchemy")
    url = f"url = 'sqlite:///{sqlite(tmp_path / 'cdm.db')}'\n"
    found = read(path := connection(tmp_path, url + "persons = [2]"))
    assert found["patients"].select("patient_id", "source").rows() == [("2", f"{path}#person/2")]
    with pytest.raises(HistoryError, match="no person 7"):
        read(connection(tmp_path, url + "persons = [2, 7]"))


@pytest.mark.parametrize("content", [b"", b"no database " * 100])
def test_bad_sqlite(tmp_path: Path, content: bytes) -> None:
    pytest.importorskip("sqlalchemy")
    path = tmp_path / "cdm.db"
    path.write_bytes(content)
    with pytest.raises(HistoryError, match=r"cdm\.db: "):
        read(path)


QUOTED = ("drug_exposure_id,person_id,drug_concept_id,drug_exposure_start_date,drug_source_value\n"
          "1,1,1,2024-01-01,warfarin\n2,1,1,2024-01-01,\"asp\nirin\"\n3,1,1,2024-01-01,\"ibu\n4,1,1,2024-01-01,x\n")


def test_a_quote_that_is_not_closed_costs_what_is_behind_it(tmp_path: Path) -> None:
    (tmp_path / "person.csv").write_text("person_id,gender_concept_id,year_of_birth\n1,8532,1950\n")
    (tmp_path / "drug_exposure.csv").write_text(QUOTED)
    tables = OmopSource().read([tmp_path], ReadRequest(TABLES["sites"].empty(), index_date="2024-06-01"))
    assert tables["medications"].height == 2
    told = tables["issues"].filter(code="cut-off").unique()
    assert told.select("file", "place", "severity").rows() == [(str(tmp_path / "drug_exposure.csv"), "line 5", "error")]
    assert told["text"][0].endswith("this row and what follows was left out")


def test_a_quote_in_the_header_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "person.csv").write_text("person_id,gender_concept_id,\"year_of_birth\n1,8532,1950\n")
    with pytest.raises(HistoryError) as caught:
        OmopSource().read([tmp_path], ReadRequest(TABLES["sites"].empty()))
    assert "\n" not in str(caught.value)
    assert "person.csv" in str(caught.value)
