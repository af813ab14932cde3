"""Predictors that are sums of points: bleeding, stroke, diabetes, readmission, early warning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from pmed import Card

from . import points
from .published import SEX, YEARS, Field, flags
from .score import Equation, Score

_AF: Final = "atrial-fibrillation"
_ONLY_AF: Final = {_AF: "no atrial fibrillation on record"}
_SEX: Final = {"sex": Field("sex", "word", values=SEX)}
_LIVER, _BLEED = "condition:liver-cirrhosis", "condition:gi-bleeding"


def _has_bled(given: Mapping[str, Any]) -> Any:
    return points.has_bled({
        **given, "uncontrolled-hypertension": given["systolic-bp"] > 160, "abnormal-kidney": given["creatinine"] > 2.26,
        "abnormal-liver": given[_LIVER], "bleeding-history": given[_BLEED], "stroke-history": given["stroke-or-tia"]})


def _as_value(name: str, feature: str, yes: float, no: float) -> dict[str, Field]:
    return {name: Field(feature, "flag", values={True: yes, False: no})}


class HasBled(Score):
    """HAS-BLED points."""

    name: ClassVar[str] = "has-bled"
    equation: ClassVar[Equation] = Equation(
        "has-bled-score", _has_bled,
        {"age": 55.0, "systolic-bp": 120.0, "creatinine": 0.9, _LIVER: False, "stroke-or-tia": False, _BLEED: False,
         "labile-inr": False, "bleeding-medicine": False, "drinks-per-week": 0.0}, (_AF,),
        {"age": Field("age", units=YEARS), **_as_value("elderly_gt_65", "age", 66.0, 65.0),
         **_as_value("hypertension_uncontrolled", "systolic-bp", 161.0, 120.0),
         **_as_value("Hypertension history", "systolic-bp", 161.0, 120.0),
         **_as_value("renal_disease", "creatinine", 2.3, 0.9),
         **_as_value("Renal disease criteria for the HAS-BLED rule", "creatinine", 2.3, 0.9),
         **flags(_LIVER, "liver_disease", "Liver disease criteria for the HAS-BLED rule"),
         **flags("stroke-or-tia", "stroke_history", "Stroke"),
         **flags(_BLEED, "bleeding_history", "Prior major bleeding or predisposition to bleeding"),
         **flags("labile-inr", "labile_inr", "Labile international normalized ratio"),
         **flags("bleeding-medicine", "drugs_antiplatelet_nsaid", "Medication usage predisposing to bleeding"),
         "Number of Alcoholic Drinks Per Week": Field("drinks-per-week"),
         **_as_value("alcohol_excess", "drinks-per-week", 8.0, 0.0)},
        told={_AF: True}, only=_ONLY_AF, assumed={_AF: True},
        limits={"age": (18, 120, "years"), "drinks-per-week": (0, 500, "")},
        labels=((3.0, "high risk of bleeding"), (0.0, "not high")))
    card: ClassVar[Card] = Card(
        version="2010", summary="HAS-BLED: points for the risk of major bleeding on anticoagulants.",
        intended_use="Adults with atrial fibrillation, to find what can be mended. Reference patient: 55 years, no "
                     "finding.",
        populations="Euro Heart Survey: adults with atrial fibrillation.", references=("PMID:20299623",),
        unit="points", range=(0, 9),
        limits="From a record: pressure over 160 mm[Hg], creatinine over 2.26 mg/dL, cirrhosis, stroke, bleeding of "
               "the gut, medicines; labile INR and alcohol are not on record, and the score is then not assessed.")


class Cha2ds2Va(Score):
    """CHA2DS2-VA points."""

    name: ClassVar[str] = "cha2ds2-va-esc-2024"
    equation: ClassVar[Equation] = Equation(
        "cha2ds2-va-score", points.cha2ds2_va,
        {"age": 55.0, "heart-failure": False, "hypertension": False, "diabetes": False, "stroke-or-tia": False,
         "vascular-disease": False}, (_AF,),
        {"age": Field("age", units=YEARS), **_as_value("age_gte_75", "age", 75.0, 64.0),
         **_as_value("age_65_to_74", "age", 65.0, 64.0), **flags("heart-failure", "chf_or_lvef_lte_40"),
         **flags("hypertension", "hypertension"), **flags("diabetes", "diabetes"),
         **flags("stroke-or-tia", "stroke_tia_or_te_history"), **flags("vascular-disease", "vascular_disease")},
        told={_AF: True}, only=_ONLY_AF, assumed={_AF: True}, limits={"age": (18, 120, "years")})
    card: ClassVar[Card] = Card(
        version="2024", summary="CHA2DS2-VA: points for the risk of stroke in atrial fibrillation, without sex.",
        intended_use="Adults with atrial fibrillation. Reference patient: 55 years, no finding.",
        populations="CHA2DS2-VASc without its point for sex, by the ESC guideline of 2024.",
        references=("PMID:39210723",), unit="points", range=(0, 8))


class Findrisc(Score):
    """FINDRISC points."""

    name: ClassVar[str] = "findrisc"
    equation: ClassVar[Equation] = Equation(
        "findrisc-score", points.findrisc,
        {"age": 40.0, "sex": "male", "bmi": 23.0, "waist": 85.0, "daily-activity": True, "daily-vegetables": True,
         "bp-treated": False, "high-glucose-ever": False, "diabetes-relatives": 0.0}, ("waist",),
        {"age": Field("age", units=YEARS), **_SEX, "bmi": Field("bmi"), "waist_cm": Field("waist"),
         "physical_activity_daily": Field("daily-activity", "flag"),
         "vegetables_daily": Field("daily-vegetables", "flag"), "bp_treated": Field("bp-treated", "flag"),
         "high_glucose_history": Field("high-glucose-ever", "flag"),
         "family_diabetes": Field("diabetes-relatives", "word", values={
             "none": 0.0, "second_degree": 1.0, "first_degree": 2.0})},
        told={"diabetes": False}, refused={"diabetes": "diabetes is on record"}, assumed={"diabetes": False},
        limits={"age": (18, 120, "years"), "diabetes-relatives": (0, 2, "")},
        labels=((21.0, "very high risk"), (15.0, "high risk"), (12.0, "moderate risk"), (7.0, "slightly elevated risk"),
                (0.0, "low risk")))
    card: ClassVar[Card] = Card(
        version="2003", summary="FINDRISC: points for the ten-year risk of type 2 diabetes.",
        intended_use="Adults without diabetes. Reference patient: man of 40, BMI 23, waist 85 cm, no other point.",
        populations="Finnish adults of 35 to 64 years.", references=("PMID:12610029",), unit="points", range=(0, 26),
        limits="With the later points for age over 64 and for relatives. Habits and relatives are not on record.")


class Lace(Score):
    """LACE points."""

    name: ClassVar[str] = "lace"
    equation: ClassVar[Equation] = Equation(
        "lace-score", points.lace,
        {"length-of-stay": 1.0, "acute-admission": False, "charlson-points": 0.0, "emergency-visits": 0.0},
        ("length-of-stay",),
        {"length_of_stay_days": Field("length-of-stay"), "acute_admission": Field("acute-admission", "flag"),
         "charlson": Field("charlson-points"), "ed_visits_6m": Field("emergency-visits")},
        limits={"length-of-stay": (0, 1000, "d"), "charlson-points": (0, 40, "points"),
                "emergency-visits": (0, 200, "")},
        labels=((10.0, "high risk"), (0.0, "not high")))
    card: ClassVar[Card] = Card(
        version="2010", summary="LACE: points for death or readmission within 30 days of discharge.",
        intended_use="Adults who leave hospital. Reference patient: one day, planned, no other point.",
        populations="Adults discharged from hospitals in Ontario.", references=("PMID:20194559",), unit="points",
        range=(0, 19), limits="Never filled from a record: stays are not yet among its tables.")


class News2(Score):
    """NEWS2 points."""

    name: ClassVar[str] = "news2"
    equation: ClassVar[Equation] = Equation(
        "news2-score", points.news2,
        {"respiratory-rate": 16.0, "oxygen-saturation": 98.0, "oxygen": False, "hypercapnia": False,
         "systolic-bp": 120.0, "heart-rate": 70.0, "confused": False, "temperature": 37.0}, ("respiratory-rate",),
        {"respiratory_rate": Field("respiratory-rate"), "spo2": Field("oxygen-saturation"),
         "supplemental_oxygen": Field("oxygen", "flag"), "hypercapnic": Field("hypercapnia", "flag"),
         "sbp_mmhg": Field("systolic-bp"), "pulse": Field("heart-rate"),
         "consciousness": Field("confused", "word", values={
             "alert": False, "confusion": True, "voice": True, "pain": True, "unresponsive": True}),
         "temperature_c": Field("temperature")},
        assumed={"hypercapnia": False}, limits={"oxygen-saturation": (30, 100, "%"), "temperature": (20, 45, "°C")},
        labels=((7.0, "emergency response"), (5.0, "urgent response"), (0.0, "ward-based response")))
    card: ClassVar[Card] = Card(
        version="2017", summary="NEWS2: early warning score of acute illness.",
        intended_use="Adults in acute care, not pregnant. Reference patient: all values normal: 0 points.",
        populations="Adults in acute hospitals of the United Kingdom.",
        references=("RCP National Early Warning Score (NEWS) 2, 2017",), unit="points", range=(0, 20),
        limits="One parameter with 3 points asks for an urgent review whatever the sum, which the label does not say. "
               "Never filled from a record: the values must be of one moment.")


SCORES: Final = (HasBled, Cha2ds2Va, Findrisc, Lace, News2)
