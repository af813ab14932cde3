"""Predictors of kidney and liver function."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from pmed import Card

from . import organs
from .published import SEX, YEARS, Field, flags
from .score import Equation, Score

#: mg/dL of one µmol/L.
CREATININE, BILIRUBIN = 1 / 88.4, 1 / 17.1
_AGE: Final = {"age": Field("age", units=YEARS)}
_SEX: Final = {"sex": Field("sex", "word", values=SEX)}
_FEMALE: Final = {"female": Field("sex", "flag", values={True: "female", False: "male"})}
_CREATININE: Final = Field("creatinine", units={"mg/dL": 1.0, "µmol/L": CREATININE, "umol/L": CREATININE})
_MICRO: Final = {"creatinine_umol_l": Field("creatinine", scale=(CREATININE, 0.0)),
                 "bilirubin_umol_l": Field("bilirubin", scale=(BILIRUBIN, 0.0))}
_MILLI: Final = {"creatinine_mg_dl": Field("creatinine"), "bilirubin_mg_dl": Field("bilirubin")}
_LIVER: Final = {"inr": Field("inr"), "dialysis": Field("dialysis", "flag"),
                 "sodium_mmol_l": Field("sodium"), "albumin_g_dl": Field("albumin"), **_MICRO, **_MILLI}
_ADULT: Final = {"age": (18, 120, "years")}
_KIDNEY: Final = {**_ADULT, "creatinine": (0.1, 25, "mg/dL")}
#: Beyond these a value is in another unit, or a slip: what the scores cut off at a bound would look like any other.
_VALUES: Final = {**_KIDNEY, "bilirubin": (0.05, 100, "mg/dL"), "inr": (0.5, 20, ""), "sodium": (90, 200, "mmol/L"),
                  "albumin": (0.5, 7, "g/dL")}
_PREGNANT: Final = {"pregnant": "pregnancy is on record: the equation is not for it"}
_LATER: Final = "creatinine-outdated"
_OUTDATED: Final = {_LATER: "an eGFR reported after the last creatinine is another by a quarter or more: measure "
                            "creatinine anew"}
_CIRRHOSIS: Final = "condition:liver-cirrhosis"
_ONLY_CIRRHOSIS: Final = {_CIRRHOSIS: "no cirrhosis of the liver on record"}
_INR: Final = ("inr",)  # an anticoagulant, or an entry that cannot be used
_OPENED: Final = (*_INR, "dialysis")
_TOLD: Final = {_CIRRHOSIS: True, "age": 50.0}
_ASSUMED: Final = {**_TOLD, "dialysis": False}


def _picked(*names: str) -> dict[str, Field]:
    return {name: _LIVER[name] for name in names}


def _within(*names: str) -> dict[str, tuple[float, float, str]]:
    """The limits of a score of the liver: of adults, and of these values."""
    return {name: _VALUES[name] for name in ("age", *names)}


def _in_umol(features: Mapping[str, Any]) -> dict[str, Any]:
    return {**features, "creatinine-umol": features["creatinine"] / CREATININE,
            "bilirubin-umol": features["bilirubin"] / BILIRUBIN}


class CkdEpi2021(Score):
    """Estimated glomerular filtration rate by CKD-EPI 2021."""

    name: ClassVar[str] = "ckd-epi-2021"
    equation: ClassVar[Equation] = Equation(
        "ckd-epi-2021-egfr", organs.ckd_epi_2021, {"age": 50.0, "sex": "male", "creatinine": 0.9}, ("creatinine",),
        {**_AGE, **_SEX, "creatinine": _CREATININE, **flags("pregnant", "pregnant")}, outputs=("value", "egfr"),
        limits=_KIDNEY, maybe={"pregnant": False, _LATER: False}, refused={**_PREGNANT, **_OUTDATED})
    card: ClassVar[Card] = Card(
        version="2021", summary="CKD-EPI 2021: glomerular filtration rate from creatinine, without race.",
        intended_use="Adults in a steady state. Reference patient: man of 50 with creatinine 0.9 mg/dL.",
        populations="Pooled cohorts of North America and Europe.", references=("PMID:34554658",),
        unit="mL/min/1.73 m2", range=(0, 400),
        limits="Not in pregnancy; nor on dialysis or in acute kidney injury, which is not checked.")


class CkdEpi2009(Score):
    """Estimated glomerular filtration rate by CKD-EPI 2009, kept for comparison."""

    name: ClassVar[str] = "ckd-epi-2009"
    equation: ClassVar[Equation] = Equation(
        "ckd-epi-2009-egfr", lambda given: organs.ckd_epi_2009({**given, "black": given["ckd-epi-race"]}),
        {"age": 50.0, "sex": "male", "creatinine": 0.9, "ckd-epi-race": "non-black"}, ("ckd-epi-race",),
        {**_AGE, **_SEX, "creatinine": _CREATININE, "creatinine_umol_l": _MICRO["creatinine_umol_l"],
         "ethnicity": Field("ckd-epi-race", "word", values={"black": "black", "non-black": "non-black"})},
        outputs=("egfr", "value"), limits=_KIDNEY, words={"ckd-epi-race": ("non-black", "black")})
    card: ClassVar[Card] = Card(
        version="2009", summary="CKD-EPI 2009: glomerular filtration rate from creatinine, with a factor for race.",
        intended_use="To compare with older reports only; superseded by CKD-EPI 2021. Never filled from a record.",
        populations="Pooled cohorts of North America and Europe.", references=("PMID:19414839",),
        unit="mL/min/1.73 m2", range=(0, 400))


class CockcroftGault(Score):
    """Creatinine clearance by Cockcroft and Gault."""

    name: ClassVar[str] = "cockcroft-gault"
    equation: ClassVar[Equation] = Equation(
        "cockcroft-gault-clearance", organs.cockcroft_gault,
        {"age": 50.0, "sex": "male", "creatinine": 0.9, "weight": 75.0}, ("creatinine",),
        {**_AGE, **_SEX, "creatinine": _CREATININE, "creatinine_umol_l": _MICRO["creatinine_umol_l"],
         "weight_kg": Field("weight")}, outputs=("crcl_ml_min",), limits={**_KIDNEY, "weight": (20, 400, "kg")},
        maybe={_LATER: False}, refused=_OUTDATED)
    card: ClassVar[Card] = Card(
        version="1976", summary="Cockcroft-Gault: creatinine clearance, as drug labels ask for it.",
        intended_use="Adults, for doses. Reference patient: man of 50, 75 kg, creatinine 0.9 mg/dL.",
        populations="Men in hospital; 0.85 for women by convention.", references=("PMID:1244564",),
        unit="mL/min", range=(0, 1000), limits="With the weight as recorded; too high in obesity.")


class Meld(Score):
    """MELD, as published before sodium was added."""

    name: ClassVar[str] = "meld"
    equation: ClassVar[Equation] = Equation(
        "meld-score", organs.meld,
        {"bilirubin": 1.0, "inr": 1.0, "creatinine": 1.0, "dialysis": False}, ("bilirubin", "inr"),
        {**_AGE, **_picked("inr", "bilirubin_umol_l", "creatinine_umol_l", "bilirubin_mg_dl", "creatinine_mg_dl",
                           "dialysis")},
        only=_ONLY_CIRRHOSIS, told=_TOLD, opened=_OPENED, assumed=_ASSUMED,
        limits=_within("bilirubin", "inr", "creatinine"))
    card: ClassVar[Card] = Card(
        version="2001", summary="MELD: severity of liver disease.",
        intended_use="Adults with cirrhosis. Reference patient: all values at their lower bound.",
        populations="People with end-stage liver disease in the United States.", references=("PMID:11172350",),
        unit="points", range=(0, 80), limits="Not rounded. Superseded by MELD 3.0.")


class MeldNa(Score):
    """MELD with sodium."""

    name: ClassVar[str] = "meld-na"
    equation: ClassVar[Equation] = Equation(
        "meld-na-score", organs.meld_na,
        {**Meld.equation.reference, "sodium": 140.0}, ("bilirubin", "inr"),
        {**Meld.equation.fields, **_picked("sodium_mmol_l")}, only=_ONLY_CIRRHOSIS, told=_TOLD, opened=_OPENED,
        assumed=_ASSUMED, limits=_within("bilirubin", "inr", "creatinine", "sodium"))
    card: ClassVar[Card] = Card(
        version="2008", summary="MELD-Na: severity of liver disease, with sodium.",
        intended_use="Adults with cirrhosis. Reference patient: MELD at its lower bound, sodium 140 mmol/L.",
        populations="People waiting for a liver in the United States.", references=("PMID:18768945",),
        unit="points", range=(0, 100), limits="Not rounded. Superseded by MELD 3.0.")


class Meld3(Score):
    """MELD 3.0."""

    name: ClassVar[str] = "meld-3-0"
    equation: ClassVar[Equation] = Equation(
        "meld-3-0-score", organs.meld_3,
        {**Meld.equation.reference, "sodium": 137.0, "albumin": 3.5, "sex": "male"}, ("bilirubin", "inr"),
        {**Meld.equation.fields, **_picked("sodium_mmol_l", "albumin_g_dl"), **_FEMALE},
        only=_ONLY_CIRRHOSIS, told=_TOLD, opened=_OPENED, assumed=_ASSUMED,
        limits=_within("bilirubin", "inr", "creatinine", "sodium", "albumin"))
    card: ClassVar[Card] = Card(
        version="3.0", summary="MELD 3.0: severity of liver disease.",
        intended_use="Adults with cirrhosis. Reference patient: man with all values at their bound: 6 points.",
        populations="People waiting for a liver in the United States, 2016 to 2018.", references=("PMID:34481845",),
        unit="points", range=(6, 40))


class Ukeld(Score):
    """UKELD."""

    name: ClassVar[str] = "ukeld"
    equation: ClassVar[Equation] = Equation(
        "ukeld-score", lambda given: organs.ukeld(_in_umol(given)),
        {"bilirubin": 1.0, "inr": 1.0, "creatinine": 0.9, "sodium": 140.0}, ("bilirubin", "inr"),
        {**_AGE, **_picked("inr", "bilirubin_umol_l", "creatinine_umol_l", "bilirubin_mg_dl", "creatinine_mg_dl",
                           "sodium_mmol_l")},
        only=_ONLY_CIRRHOSIS, told=_TOLD, opened=_INR, assumed=_TOLD,
        limits=_within("bilirubin", "inr", "creatinine", "sodium"))
    card: ClassVar[Card] = Card(
        version="2011", summary="UKELD: severity of liver disease, as used in the United Kingdom.",
        intended_use="Adults with cirrhosis. Reference patient: bilirubin 1 mg/dL, INR 1, creatinine 0.9 mg/dL, "
                     "sodium 140 mmol/L.",
        populations="People waiting for a liver in the United Kingdom.", references=("PMID:21478812",),
        unit="points", range=(0, 150))


_GRADES: Final = {"none": 1.0, "absent": 1.0, "no": 1.0, "mild": 2.0, "slight": 2.0, "moderate": 3.0, "severe": 3.0,
                  "moderate to severe": 3.0}
_BRAIN: Final = {"none": 1.0, "no encephalopathy": 1.0, "grade 1-2": 2.0, "grade 3-4": 3.0}


def _child_pugh(features: Mapping[str, Any]) -> Any:
    brain = features["encephalopathy-grade"]
    return organs.child_pugh({**features, "encephalopathy-points": 1.0 + (brain >= 1) + (brain >= 3)})


class ChildPugh(Score):
    """Child-Pugh points."""

    name: ClassVar[str] = "child-pugh"
    equation: ClassVar[Equation] = Equation(
        "child-pugh-score", _child_pugh,
        {"bilirubin": 1.0, "albumin": 4.0, "inr": 1.0, "ascites-points": 1.0,
         "encephalopathy-grade": 0.0}, ("bilirubin", "inr"),
        {**_AGE, "bilirubin": Field("bilirubin"), "albumin": Field("albumin"), "inr": Field("inr"),
         "Bilirubin": Field("bilirubin", units={"mg/dL": 1.0, "µmol/L": BILIRUBIN, "umol/L": BILIRUBIN}),
         "Albumin": Field("albumin", units={"g/dL": 1.0, "g/L": 0.1}),
         "international normalized ratio": Field("inr"),
         "ascites": Field("ascites-points", "word", values=_GRADES),
         "Ascites": Field("ascites-points", "word", values=_GRADES),
         "encephalopathy_grade": Field("encephalopathy-grade"),
         "Encephalopathy": Field("encephalopathy-grade", "word", values={
             word: 2 * (points - 1) for word, points in _BRAIN.items()})},
        only=_ONLY_CIRRHOSIS, told=_TOLD, opened=_INR,
        limits={**_within("bilirubin", "inr", "albumin"), "ascites-points": (1, 3, "points"),
                "encephalopathy-grade": (0, 4, "")},
        assumed={**_TOLD, "ascites-points": 1.0, "encephalopathy-grade": 0.0},
        labels=((10.0, "class C"), (7.0, "class B"), (5.0, "class A")))
    card: ClassVar[Card] = Card(
        version="1973", summary="Child-Pugh: severity of cirrhosis.",
        intended_use="Adults with cirrhosis. Reference patient: all values normal: 5 points.",
        populations="People with cirrhosis.", references=("PMID:4541913",), unit="points", range=(5, 15),
        limits="With INR. Ascites and encephalopathy are not graded in a record, so that the score is not assessed "
               "from one; among given inputs, what is left out counts as none, and the result says so.")


class Fib4(Score):
    """FIB-4 index."""

    name: ClassVar[str] = "fib-4"
    equation: ClassVar[Equation] = Equation(
        "fib-4-index", organs.fib_4, {"age": 50.0, "ast": 25.0, "alt": 25.0, "platelets": 250.0}, ("ast", "alt"),
        {**_AGE, "Alanine aminotransferase": Field("alt", units={"U/L": 1.0}),
         "Aspartate aminotransferase": Field("ast", units={"U/L": 1.0}),
         "Platelet count": Field("platelets", scale=(0.001, 0.0), units={
             "µL": 1.0, "/µL": 1.0, "uL": 1.0, "10*9/L": 1000.0, "10*3/uL": 1000.0})},
        outputs=("value", "score"), limits={**_ADULT, "ast": (1, 50000, "U/L"), "alt": (1, 50000, "U/L"),
                                            "platelets": (1, 3000, "10*3/uL")},
        labels=((2.67, "advanced fibrosis likely"), (1.3, "indeterminate"), (0.0, "advanced fibrosis unlikely")))
    card: ClassVar[Card] = Card(
        version="2006", summary="FIB-4: index of liver fibrosis.",
        intended_use="Adults with chronic liver disease. Reference patient: 50 years, enzymes 25 U/L, platelets 250.",
        populations="People with HIV and hepatitis C.", references=("PMID:16729309",), unit="1", range=(0, 10000),
        limits="Less reliable below 35 and above 65 years.")


SCORES: Final = (CkdEpi2021, CkdEpi2009, CockcroftGault, Meld, MeldNa, Meld3, Ukeld, ChildPugh, Fib4)
