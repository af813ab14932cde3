"""Condition groups: the lists are sound, and codes of real records land where their own names say."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from pmed.normalise.codes import code_system, condition_groups, groups, left_open, readable, spoken_of, value_sets
from pmed.tables import TABLES
from pmed_pgx.knowledge import table
from pmed_risk.knowledge import facts


def conditions(*rows: tuple[str | None, str | None]) -> pl.DataFrame:
    return TABLES["conditions"].frame([{"patient_id": "p", "row": number, "system": system, "code": code}
                                       for number, (system, code) in enumerate(rows, 1)])


def groups_of(system: str | None, code: str | None) -> list[str]:
    return condition_groups(conditions((system, code)))["group"].to_list()


def test_the_lists_are_sound() -> None:
    sets = value_sets()
    assert sets.columns == ["group", "system", "code", "match", "source"]
    assert not sets.null_count().select(pl.sum_horizontal(pl.all())).item()
    assert not sets.select("group", "system", "code").is_duplicated().any()
    assert set(sets["match"]) == {"exact", "prefix"}
    snomed = sets.filter(pl.col("system") == "snomed")
    assert set(snomed["match"]) == {"exact"}
    assert all(verhoeff(code) for code in snomed["code"])
    icd10, icd9 = (sets.filter(pl.col("system") == system)["code"] for system in ("icd-10", "icd-9"))
    assert icd10.str.contains(r"^[A-Z]([0-9][0-9A-Z]{0,4})?$").all()
    assert icd9.str.contains(r"^[0-9V][0-9]{2,4}$").all()
    assert sets.group_by("group").agg(pl.col("system").n_unique())["system"].to_list() == [3] * len(groups())
    # every group has words that keep an unlisted code from counting as "no"
    text = TABLES["conditions"].frame([{"patient_id": "p", "row": 1, "display": "asthma"}])
    assert spoken_of(text).rows() == [("p", 1, "asthma")]


def test_of_each_code_it_is_said_where_it_was_met() -> None:
    said = pl.read_csv(Path(__file__).parent / "data/codes_met.tsv", separator="\t", infer_schema=False)
    risk = pl.DataFrame(facts("codes")).filter(pl.col("system") == "snomed")["code"]
    used = {*value_sets().filter(pl.col("system") == "snomed")["code"], *risk,
            *table("findings").filter(pl.col("system") == "snomed")["code"]}
    assert said["code"].is_unique().all()
    assert set(said["code"]) == used  # a new code is to be looked up: docs/facts.md
    assert set(said["met"]) == {"sample record", "value set", "earlier pass", "list without a display", "not met"}


def verhoeff(code: str) -> bool:
    """The check digit of a SNOMED CT identifier: a mistyped code does not have it."""
    shift = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]
    powers = [list(range(10))]
    for _ in range(7):
        powers.append([powers[-1][shift[digit]] for digit in range(10)])
    check = 0
    for position, digit in enumerate(map(int, reversed(code))):
        check = times(check, powers[position % 8][digit])
    return check == 0


def times(a: int, b: int) -> int:
    """Multiply in the dihedral group of the pentagon."""
    if a < 5:
        return (a + b) % 5 if b < 5 else 5 + (a + b) % 5
    return 5 + (a - b) % 5 if b < 5 else (a - b) % 5


@pytest.mark.parametrize(("system", "code", "found"), [
    ("http://snomed.info/sct", "44054006", ["diabetes"]),
    ("urn:oid:2.16.840.1.113883.6.96", "44054006", ["diabetes"]),
    ("http://hl7.org/fhir/sid/icd-10-cm", "E11.65", ["diabetes"]),
    ("http://hl7.org/fhir/sid/icd-10", "I48", ["atrial-fibrillation"]),
    ("urn:oid:2.16.840.1.113883.6.90", "i48.91", ["atrial-fibrillation"]),
    ("ICD9CM", "427.31", ["atrial-fibrillation"]),
    ("http://hl7.org/fhir/sid/icd-10-cm", "I26.99", ["venous-thromboembolism"]),
    ("http://hl7.org/fhir/sid/icd-10-cm", "I82.401", ["venous-thromboembolism"]),
    ("ICD9CM", "453.40", ["venous-thromboembolism"]),
    ("http://snomed.info/sct", "128053003", ["venous-thromboembolism"]),
    ("http://hl7.org/fhir/sid/icd-10-cm", "I80.00", []),  # of superficial veins
    ("http://hl7.org/fhir/sid/icd-10-cm", "Z95.2", ["heart-valve-replacement"]),
    ("ICD9CM", "V43.3", ["heart-valve-replacement"]),
    ("http://hl7.org/fhir/sid/icd-10-cm", "Z95.0", []),  # a pacemaker
    ("http://hl7.org/fhir/sid/icd-10-cm", "I13.0", ["chronic-kidney-disease", "heart-failure", "hypertension"]),
    ("http://hl7.org/fhir/sid/icd-10-cm", "I21.4", ["coronary-disease", "myocardial-infarction"]),
    ("http://hl7.org/fhir/sid/icd-10-cm", "C50.9", ["cancer"]),
    ("http://hl7.org/fhir/sid/icd-10-cm", "D05.1", []),
    ("http://hl7.org/fhir/sid/icd-10-cm", "R73.03", []),
    ("http://hl7.org/fhir/sid/icd-10-cm", "K25.4", ["gi-bleeding", "peptic-ulcer"]),
    ("http://hl7.org/fhir/sid/icd-10-cm", "K25.9", ["peptic-ulcer"]),
    ("http://hl7.org/fhir/sid/icd-10-cm", "I85.00", ["hepatic-impairment"]),
    ("http://hl7.org/fhir/sid/icd-10-cm", "I85.01", ["gi-bleeding", "hepatic-impairment"]),
    ("http://hl7.org/fhir/sid/icd-10", "I85.0", ["gi-bleeding", "hepatic-impairment"]),  # there it means: bleeding
    ("http://hl7.org/fhir/sid/icd-10-cm", "K29.00", []),  # acute gastritis without bleeding
    ("http://hl7.org/fhir/sid/icd-10-cm", "K29.01", ["gi-bleeding"]),
    ("http://hl7.org/fhir/sid/icd-10-cm", "K29.71", ["gi-bleeding"]),
    ("http://hl7.org/fhir/sid/icd-10", "K29.0", ["gi-bleeding"]),  # there it means: haemorrhagic
    ("http://hl7.org/fhir/sid/icd-10-cm", "K31.82", ["gi-bleeding"]), ("ICD9CM", "537.84", ["gi-bleeding"]),
    ("http://hl7.org/fhir/sid/icd-10-cm", "I73.81", []),  # erythromelalgia
    ("http://hl7.org/fhir/sid/icd-10-cm", "I73.9", ["peripheral-artery-disease"]),
    ("http://hl7.org/fhir/sid/icd-10-cm", "N18.32", ["chronic-kidney-disease", "ckd-stage-3"]),
    ("http://hl7.org/fhir/sid/icd-10-cm", "N18.6", ["chronic-kidney-disease", "ckd-stage-5"]),
    ("http://hl7.org/fhir/sid/icd-10-cm", "R56.9", ["seizure"]), ("ICD9CM", "345.90", ["epilepsy", "seizure"]),
    ("http://hl7.org/fhir/sid/icd-10-cm", "H40.00", []),  # suspected glaucoma
    ("http://hl7.org/fhir/sid/icd-10-cm", "H40.11X0", ["glaucoma"]), ("ICD9CM", "296.20", ["depression"]),
    ("ICD9CM", "296.50", ["bipolar-disorder"]), ("http://hl7.org/fhir/sid/icd-10-cm", "G30.9", ["dementia"]),
    ("http://hl7.org/fhir/sid/icd-10-cm", "I47.21", ["long-qt"]),  # torsades de pointes
    ("http://hl7.org/fhir/sid/icd-10-cm", "E80.6", []),  # Dubin-Johnson, no porphyria
    ("http://hl7.org/fhir/sid/icd-10-cm", "Z33.1", ["pregnancy"]),
    ("http://hl7.org/fhir/sid/icd-10-cm", "Z33.2", []),  # an ended pregnancy
    ("http://hl7.org/fhir/sid/icd-10", "Z33", ["pregnancy"]),
    ("http://hl7.org/fhir/sid/icd-10-cm", "E1", []),
    ("http://snomed.info/sct", "15777000", []),  # prediabetes
    ("http://snomed.info/sct", "E11", []), ("http://hl7.org/fhir/sid/icd-10-cm", "44054006", []),
    ("http://local", "E11", []), (None, "E11", []), ("http://snomed.info/sct", None, []),
])
def test_codes_to_groups(system: str | None, code: str | None, found: list[str]) -> None:
    assert groups_of(system, code) == found


def test_what_can_be_read() -> None:
    rows = conditions(("http://snomed.info/sct", "44054006"), ("http://hl7.org/fhir/sid/icd-9-cm", "250"),
                      ("http://local", "1"), (None, "1"), ("http://snomed.info/sct", None),
                      ("http://snomed.info/sct", " "))
    assert readable(rows).to_list() == [True, True, False, False, False, False]
    empty = TABLES["conditions"].empty()
    assert (condition_groups(empty).height, readable(empty).len()) == (0, 0)
    assert pl.DataFrame({"a": [None]}, schema={"a": pl.String}).select(code_system(pl.col("a"))).item() is None


def test_listed_codes_that_occur_in_omop_are_what_their_names_say(shared: Path) -> None:
    concepts = pl.scan_csv(shared / "data/omop/synthea27nj/CONCEPT.csv", infer_schema=False).filter(
        pl.col("vocabulary_id") == "SNOMED", pl.col("domain_id") == "Condition").collect()
    rows = concepts.select(patient_id=pl.lit("p"), row=pl.int_range(pl.len()), system=pl.lit("SNOMED"),
                           code="concept_code", display="concept_name")
    listed, spoken = condition_groups(rows), spoken_of(rows)
    assert listed.height > 20
    strange = listed.join(spoken, on=["row", "group"], how="anti")
    assert rows.join(strange, on="row")["display"].to_list() == []
    # What only speaks of a group keeps it unknown: signs, cancers in situ, a screening test.
    unsure = rows.join(left_open(rows, listed), on="row").select("group", "code")
    assert sorted(unsure.rows()) == [
        ("cancer", "126906006"), ("cancer", "92691004"), ("chronic-kidney-disease", "40095003"),
        *((f"ckd-stage-{stage}", code) for stage in range(1, 6) for code in ("127013003", "40095003")),
        ("depression", "112001000119100"), ("depression", "112011000119102"), ("epilepsy", "128613002"),
        ("pregnancy", "198992004"), ("pregnancy", "609496007"), ("prostatic-hyperplasia", "126906006"),
        ("prostatic-hyperplasia", "92691004")]


@pytest.mark.parametrize(("code", "display", "groups"), [
    ("N18.9", "Chronic kidney disease, unspecified", [f"ckd-stage-{stage}" for stage in range(1, 6)]),
    ("N18.4", "Chronic kidney disease, stage 4", []), ("R56.9", "Unspecified convulsions", ["epilepsy"]),
    ("G40.9", "Epilepsy", []), ("F31.4", "Bipolar disorder, current episode depressed", ["depression"]),
    ("K76.6", "Portal hypertension in cirrhosis", ["liver-cirrhosis"]), ("I10", "Malignant hypertension", []),
    ("Z99", "History of epilepsy", ["epilepsy", "seizure"])])
def test_a_code_leaves_open_what_it_does_not_settle(code: str, display: str, groups: list[str]) -> None:
    rows = conditions(("http://hl7.org/fhir/sid/icd-10-cm", code)).with_columns(display=pl.lit(display))
    assert left_open(rows, condition_groups(rows))["group"].to_list() == groups
