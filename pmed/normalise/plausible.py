"""Which values a living person can have, and which numbers are likelier those of another unit.

A value outside is reported and not used, nor converted by guess: "HbA1c 6.5 mmol/mol" is likely 6.5 %, but not surely.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

Range = tuple[float, float]
OLDEST = 120  # years; who is older by the record was born on another day (1900-01-01 often stands for "unknown")

_LDL, _EGFR, _ENZYMES = ("LDL cholesterol", 1, 1000), ("eGFR", 2, 250), (1, 50000)
# canonical LOINC → (name, least, most) in the canonical unit: the span of the living, the very ill included. Wide on
# purpose: to catch a wrong unit or a slip of the pen, not an abnormal result.
PLAUSIBLE: Mapping[str, tuple[str, float, float]] = {
    "8302-2": ("height", 25, 250), "29463-7": ("weight", 0.3, 600), "39156-5": ("body mass index", 7, 150),
    "8480-6": ("systolic blood pressure", 30, 350), "8462-4": ("diastolic blood pressure", 15, 250),
    "8310-5": ("body temperature", 20, 45), "8867-4": ("heart rate", 10, 350),
    "2093-3": ("total cholesterol", 20, 2000), "2085-9": ("HDL cholesterol", 1, 300),
    "2089-1": _LDL, "13457-7": _LDL, "18262-6": _LDL, "2571-8": ("triglycerides", 5, 30000),
    "2345-7": ("glucose", 5, 3000), "2339-0": ("glucose", 5, 3000), "4548-4": ("HbA1c", 3, 25),
    "2160-0": ("creatinine", 0.1, 25), "38483-4": ("creatinine", 0.1, 25),
    "33914-3": _EGFR, "62238-1": _EGFR, "98979-8": _EGFR, "77147-7": _EGFR, "69405-9": _EGFR, "98980-6": _EGFR,
    "48642-3": _EGFR, "48643-1": _EGFR,
    "88293-6": _EGFR, "88294-4": _EGFR,
    "1975-2": ("bilirubin", 0.02, 80), "42719-5": ("bilirubin", 0.02, 80),
    "3094-0": ("urea nitrogen", 0.5, 400), "6299-2": ("urea nitrogen", 0.5, 400),
    "17861-6": ("calcium", 4, 25), "49765-1": ("calcium", 4, 25), "19123-9": ("magnesium", 0.2, 20),
    "2951-2": ("sodium", 80, 220), "2947-0": ("sodium", 80, 220), "2823-3": ("potassium", 1, 15),
    "14334-7": ("lithium level", 0, 20),
    "6298-4": ("potassium", 1, 15), "2075-0": ("chloride", 40, 180), "2069-3": ("chloride", 40, 180),
    "1751-7": ("albumin", 0.7, 9), "718-7": ("haemoglobin", 1, 30),
    "1988-5": ("C-reactive protein", 0, 1000), "30522-7": ("C-reactive protein", 0, 1000),
    "1742-6": ("ALT", *_ENZYMES), "1920-8": ("AST", *_ENZYMES), "6768-6": ("alkaline phosphatase", *_ENZYMES),
    "777-3": ("platelets", 0, 3000), "6690-2": ("leukocytes", 0, 1000),
    "8634-8": ("QT interval", 150, 1000), "8636-3": ("QTc interval", 150, 1000), "8664-5": ("pack years", 0, 400),
    "6301-6": ("INR", 0.4, 20), "34714-6": ("INR", 0.4, 20),
    "10230-1": ("ejection fraction", 2, 100), "4544-3": ("haematocrit", 3, 85),
}

# canonical LOINC → unit, as `units` spells it → least and most in this unit, where numbers that are common in another
# unit fall within what somebody may have in this one. They take the place of the range above. What both units may
# hold (haemoglobin 8.5 in g/dL and mmol/L, weight 150 in kg and lb, bilirubin 10, magnesium 0.8) cannot be told.
_GLUCOSE: Mapping[str, Range] = {"mg/dl": (20, 3000), "mmol/l": (0.3, 60)}
_LDL_MASS: Mapping[str, Range] = {"mg/dl": (10, 1000)}  # 1 to 9 is the LDL of most people in mmol/L
# Few infants have less than 15 umol/L; 9 to 15 is the creatinine of failing kidneys in mg/dL, and would look sound.
_CREATININE: Mapping[str, Range] = {"umol/l": (15, 2210), "mg/l": (1.5, 250)}
_BILIRUBIN: Mapping[str, Range] = {"umol/l": (2, 1370), "mg/l": (1, 800)}
_LEUKOCYTES, _PLATELETS = (50, 1_000_000), (1000, 3_000_000)
IN_UNIT: Mapping[str, Mapping[str, Range]] = {
    "4548-4": {"mmol/mol": (20, 250), "mmol/molhb": (20, 250)},  # below is a number of %
    "2345-7": _GLUCOSE, "2339-0": _GLUCOSE,
    "2089-1": _LDL_MASS, "13457-7": _LDL_MASS, "18262-6": _LDL_MASS, "2085-9": {"mg/dl": (5, 300)},
    "2571-8": {"mg/dl": (10, 30000), "mmol/l": (0.06, 50)},
    "2160-0": _CREATININE, "38483-4": _CREATININE, "1975-2": _BILIRUBIN, "42719-5": _BILIRUBIN,
    "718-7": {"g/l": (20, 300), "mmol/l": (0.7, 14)},
    "777-3": {"/ul": _PLATELETS, "/mm3": _PLATELETS}, "6690-2": {"/ul": _LEUKOCYTES, "/mm3": _LEUKOCYTES},
}


def limit(code: pl.Expr, unit: pl.Expr | None, part: int) -> pl.Expr:
    """Least (0) or most (1) of canonical LOINC codes, in the canonical unit or in `unit`; null where there is none."""
    if unit is None:
        return code.replace_strict({one: float(row[part + 1]) for one, row in PLAUSIBLE.items()}, default=None,
                                   return_dtype=pl.Float64())
    own = {f"{one} {spelled}": float(ends[part]) for one, units in IN_UNIT.items() for spelled, ends in units.items()}
    return pl.concat_str(code, pl.lit(" "), unit).replace_strict(own, default=None, return_dtype=pl.Float64())
