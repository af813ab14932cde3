"""Alternatives beside what is taken: what they would do to it, and that they are taken already."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from pmed.tables import TABLES
from pmed_pgx import adviser, alternatives
from pmed_pgx.adviser import PREDICTOR, GuidelineAdviser
from pmed_pgx.beside import taking_too
from pmed_pgx.medicines import PresentPhenotypes
from pmed_pgx.predictor import GuidelinePredictor

TODAY = date(2026, 1, 15)
POOR_2C19 = {"phenotype:CYP2C19": "Poor Metabolizer"}
NORMAL_2D6 = {"phenotype:CYP2D6": "Normal Metabolizer", "activity-score:CYP2D6": 2.0}
FEATURES = tuple(one for one in GuidelinePredictor.wants if one.startswith(("modifiers:", "taking:", "daily-dose:",
                                                                            "days-taken:", "allergic-to")))
# Name → what the patient takes (name, or the row of an order), and features.
PEOPLE: dict[str, tuple[list[Any], dict[str, Any]]] = {
    "fungus": (["voriconazole"], POOR_2C19),
    "fungus and fat": (["voriconazole", "lovastatin", "lisinopril"], POOR_2C19),
    "fungus and clots": (["voriconazole", "apixaban"], POOR_2C19),
    "mind": (["citalopram"], {**POOR_2C19, **NORMAL_2D6}),
    "mind and breast": (["citalopram", "tamoxifen"], {**POOR_2C19, **NORMAL_2D6}),
    "mind twice": (["citalopram", "sertraline"], {**POOR_2C19, **NORMAL_2D6}),
    "stent twice": (["clopidogrel", "ticagrelor"], POOR_2C19),
    "stent, and more to come": (["clopidogrel", {"ingredients": ["ticagrelor"], "active": False, "kind": "order",
                                                 "status": "active", "start": TODAY + timedelta(days=3)}], POOR_2C19),
    "stent, perhaps twice": (["clopidogrel", {"ingredients": ["ticagrelor"], "active": None}], POOR_2C19),
    "reflux and stent": (["omeprazole", "clopidogrel"], {"phenotype:CYP2C19": "Normal Metabolizer"}),
    "fits": ([{"ingredients": ["phenytoin"], "start": TODAY}, "valproate"], {"status:HLA-B*15:02": "positive"}),
    "fast": (["paroxetine"], {"phenotype:CYP2C19": "Normal Metabolizer",
                               "phenotype:CYP2D6": "Ultrarapid Metabolizer", "activity-score:CYP2D6": 3.0}),
    "heart and mind": (["citalopram", "amiodarone"], {**POOR_2C19, **NORMAL_2D6}),
}


def tables() -> dict[str, pl.DataFrame]:
    rows = [{"patient_id": who, "row": at, "active": True,
             "start": TODAY - timedelta(days=200), **({"ingredients": [one]} if isinstance(one, str) else one)}
            for who, (taken, _) in PEOPLE.items() for at, one in enumerate(taken)]
    made = {"patients": TABLES["patients"].frame([{"patient_id": who, "index_date": TODAY} for who in PEOPLE]),
            "medications": TABLES["medications"].frame(rows),
            **{name: TABLES[name].empty() for name in ("allergies", "conditions", "gene_results")}}
    found = PresentPhenotypes().run(made, FEATURES)
    plain = {"age": 50.0, "egfr": 90.0, "creatinine-clearance": 90.0, "weight": 75.0}
    own = pl.DataFrame([{"patient_id": who, **plain, **known} for who, (_, known) in PEOPLE.items()],
                       infer_schema_length=None)
    features = own.join(found["features"], on="patient_id", maintain_order="left")
    said = GuidelinePredictor().predict(features).with_columns(predictor=pl.lit(PREDICTOR))
    return {**made, "features": features, "present_phenotypes": found["present_phenotypes"], "predictions": said}


@pytest.fixture(scope="module")
def made() -> pl.DataFrame:
    return GuidelineAdviser().advise(tables())


def offers(made: pl.DataFrame, who: str, drug: str) -> dict[str, tuple[str, str]]:
    listed = made.filter(patient_id=who, drug=drug)["alternatives"].item()
    return {one["drug"]: (one["status"], one["reason"]) for one in listed}


@pytest.mark.parametrize(("who", "drug", "other", "status", "says"), [
    ("fungus", "voriconazole", "posaconazole", "fits", ""),
    ("fungus and fat", "voriconazole", "posaconazole", "caution", "lovastatin"),
    ("fungus and clots", "voriconazole", "posaconazole", "ruled-out", "apixaban"),
    ("mind", "citalopram", "paroxetine", "fits", ""),
    ("mind and breast", "citalopram", "paroxetine", "ruled-out", "the active form of tamoxifen"),
    ("heart and mind", "citalopram", "escitalopram", "ruled-out", "(amiodarone)"),
    ("heart and mind", "citalopram", "venlafaxine", "caution", "beside amiodarone: together they lengthen the QT time"),
    ("fits", "phenytoin", "lamotrigine", "caution", "valproate"),
    ("fits", "phenytoin", "valproate", "caution", "it is taken already"),
    ("stent twice", "clopidogrel", "ticagrelor", "caution", "it is taken already"),
    ("stent, and more to come", "clopidogrel", "ticagrelor", "caution", "it is ordered already"),
    ("stent, perhaps twice", "clopidogrel", "ticagrelor", "caution", "it is perhaps taken already"),
    ("mind twice", "citalopram", "sertraline", "caution", "it is taken already"),
    ("fungus", "voriconazole", "isavuconazole", "caution", "for 3 days after the last dose of voriconazole"),
    ("fast", "paroxetine", "venlafaxine", "caution", "for 7 days after the last dose of paroxetine"),
    ("fast", "paroxetine", "citalopram", "fits", ""),
])
def test_an_alternative_is_seen_beside_what_is_taken(made: pl.DataFrame, who: str, drug: str, other: str, status: str,
                                                     says: str) -> None:
    found = offers(made, who, drug)[other]
    assert found[0] == status
    assert says in found[1]


def test_what_is_not_touched_is_not_named(made: pl.DataFrame) -> None:
    assert "lisinopril" not in str(offers(made, "fungus and fat", "voriconazole"))


def test_in_place_of_a_drug_that_is_not_taken_nothing_is_beside(made: pl.DataFrame) -> None:
    assert "beside" not in str(offers(made, "mind and breast", "escitalopram"))


def test_each_of_many_people_is_told_what_one_is_told(made: pl.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (adviser, alternatives):
        monkeypatch.setattr(module, "FEW", 0)
    columns = ["patient_id", "drug", "alternatives", "cautions", "evidence"]
    assert GuidelineAdviser().advise(tables())[columns].equals(made[columns])


@pytest.mark.parametrize(("name", "value", "drug", "said"), [
    ("taking:CYP2D6-strong-inhibitor", None, "paroxetine", "paroxetine"),
    ("taking:CYP2D6-strong-inhibitor", "bupropion;paroxetine|to begin", "paroxetine", "bupropion;paroxetine"),
    ("modifiers:CYP2D6", "", "paroxetine", "paroxetine|inhibitor|strong|taken"),
    ("modifiers:CYP2D6", "bupropion|inhibitor|strong|taken", "ibuprofen", "bupropion|inhibitor|strong|taken"),
    # From 150 mg on sertraline is a moderate inhibitor: at which dose it would be given nobody knows.
    ("modifiers:CYP2D6", "", "sertraline", "sertraline|inhibitor|weak|taken"), ("age", 50.0, "paroxetine", 50.0)])
def test_what_more_is_taken_stands_in_its_classes(name: str, value: Any, drug: str, said: Any) -> None:
    assert taking_too({name: value}, drug) == {name: said}
