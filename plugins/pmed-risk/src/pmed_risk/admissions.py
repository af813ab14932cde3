"""Hospital admissions of people with diabetes as the UCI data set "Diabetes 130-US hospitals" lays them out.

Strack 2014, doi:10.1155/2014/781670; CC BY 4.0. ``?`` is unknown; ``None`` of a laboratory test means that it was
not done. Columns that do not vary (examide, citoglipton) or that almost nobody has (weight) are not read. The number of
an encounter rises with time: a patient's rows of smaller numbers are the earlier admissions.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Final

import polars as pl

from pmed.errors import InputError
from pmed.modelling import Cohort

PATIENT: Final = "patient_nbr"
ENCOUNTER: Final = "encounter_id"
OUTCOME: Final = "readmitted_30d"
ANSWER: Final = "readmitted"
NUMBERS: Final = ("time_in_hospital", "num_lab_procedures", "num_procedures", "num_medications", "number_outpatient",
                  "number_emergency", "number_inpatient", "number_diagnoses")
#: What a patient's earlier rows tell: how many there are, how many of them were followed by another within 30 days, and
#: whether this admission is such a one (1 or 0).
HISTORY: Final = ("earlier_admissions", "earlier_returns", "soon_after_last")
MEDICINES: Final = ("metformin", "repaglinide", "glimepiride", "glipizide", "glyburide", "pioglitazone",
                    "rosiglitazone", "insulin")
WORDS: Final = ("race", "gender", "admission_type_id", "discharge_disposition_id", "admission_source_id", "payer_code",
                "medical_specialty", "max_glu_serum", "A1Cresult", "change", "diabetesMed", *MEDICINES)
DIAGNOSES: Final = ("diag_1", "diag_2", "diag_3")
_GIVEN: Final = ("age", *NUMBERS, *WORDS, *DIAGNOSES)
#: What is told of an admission, by the names of the data set, and of those before it.
TOLD: Final = (*_GIVEN, *HISTORY)
#: Died (11, 19 to 21) or discharged to a hospice (13, 14): nobody who could come back.
GONE: Final = ("11", "13", "14", "19", "20", "21")
#: Values by which the data set says that it does not know, besides ``?``.
_UNKNOWN: Final[Mapping[str, tuple[str, ...]]] = {
    "gender": ("Unknown/Invalid",), "admission_type_id": ("5", "6", "8"),
    "admission_source_id": ("9", "15", "17", "20", "21"),
    "discharge_disposition_id": ("18", "25", "26")}
#: ICD-9-CM chapters as Strack 2014 groups them: first and last three-digit code, and symptoms of the same organ.
_CHAPTERS: Final[Mapping[str, tuple[tuple[float, float], ...]]] = {
    "diabetes": ((250, 250.99),), "circulatory": ((390, 459), (785, 785)), "respiratory": ((460, 519), (786, 786)),
    "digestive": ((520, 579), (787, 787)), "injury": ((800, 999),), "musculoskeletal": ((710, 739),),
    "genitourinary": ((580, 629), (788, 788)), "neoplasm": ((140, 239),)}
#: Three-digit ICD-9-CM categories that are looked for among the three diagnoses.
CATEGORIES: Final = ("162", "197", "198", "250", "276", "285", "295", "296", "303", "403", "410", "414", "427", "428",
                     "440", "443", "486", "491", "496", "518", "571", "584", "585", "599", "682", "707", "730", "996",
                     "V45", "V58")
FEATURES: Final = ("age", *NUMBERS, *HISTORY, *WORDS, "diag_1", *(f"{one}_chapter" for one in DIAGNOSES),
                   *(f"icd9_{one}" for one in CATEGORIES))


def read_admissions(path: Path) -> Cohort:
    """The admissions of a file that could end in a readmission.

    Those of people who died or went to a hospice are left out; to later admissions they still count as earlier ones.

    Raises:
        InputError: where the file is no such table, naming what is missing or wrong.
    """
    table = _read(path)
    names = (ENCOUNTER, PATIENT, *_GIVEN, ANSWER)
    if missing := [name for name in names if name not in table.columns]:
        near = get_close_matches(missing[0], table.columns, 1)
        raise InputError(f"has no column {missing[0]!r}", where=str(path),
                         hint=f"did you mean {near[0]!r}?" if near else "give the UCI layout, as diabetic_data.csv")
    table = table.select(names)
    strange = table.filter(~pl.col(ANSWER).is_in(["<30", ">30", "NO"]) | pl.col(ANSWER).is_null())
    if strange.height:
        raise InputError(f"{ANSWER} must be <30, >30 or NO. Got {strange[ANSWER][0] or '?'!r}", where=str(path))
    table = table.with_columns(_number(table, ENCOUNTER, path))
    kept = table.with_columns(_history()).filter(
        ~pl.col("discharge_disposition_id").is_in(GONE).fill_null(value=False))
    numbered = kept.with_columns(*(_number(kept, name, path) for name in NUMBERS))
    told = features(numbered.with_columns(_age(kept, path)))
    frame = told.with_columns((pl.col(ANSWER) == "<30").cast(pl.Int8).alias(OUTCOME))
    return Cohort(frame, FEATURES, OUTCOME, "binary", patient=PATIENT, time=ENCOUNTER, after=(ANSWER,),
                  source=str(path))


def _history() -> list[pl.Expr]:
    """`HISTORY` of each row; unknown where the encounter has no number."""
    def before(sums: pl.Expr) -> pl.Expr:
        return sums.over(PATIENT, order_by=ENCOUNTER).cast(pl.Float64)
    back = (pl.col(ANSWER) == "<30").cast(pl.Int64)
    found = (before(pl.int_range(pl.len())), before(back.cum_sum() - back), before(back.shift(1, fill_value=0)))
    return [pl.when(pl.col(ENCOUNTER).is_not_null()).then(made).alias(name)
            for name, made in zip(HISTORY, found, strict=True)]


def features(told: pl.DataFrame) -> pl.DataFrame:
    """The columns that the model reads beside what is told (`TOLD`; numbers as numbers, age in years)."""
    known = [pl.when(~pl.col(name).is_in(words)).then(pl.col(name)).alias(name) for name, words in _UNKNOWN.items()]
    chapters = [_chapter(name).alias(f"{name}_chapter") for name in DIAGNOSES]
    unnamed = pl.all_horizontal(pl.col(name).is_null() for name in DIAGNOSES)
    found = [pl.when(~unnamed).then(pl.any_horizontal(_category(name).eq_missing(pl.lit(one)) for name in DIAGNOSES))
             .cast(pl.Float64).alias(f"icd9_{one}") for one in CATEGORIES]
    main = _category("diag_1").alias("diag_1")
    return told.with_columns(known).with_columns(*chapters, *found).with_columns(main)


def _category(name: str) -> pl.Expr:
    return pl.col(name).str.split(".").list.first()


def _chapter(name: str) -> pl.Expr:
    code = _category(name).cast(pl.Float64, strict=False)
    cases = [pl.when(pl.any_horizontal(code.is_between(*ends) for ends in spans)).then(pl.lit(chapter))
             for chapter, spans in _CHAPTERS.items()]
    return pl.coalesce(*cases, pl.when(pl.col(name).is_not_null()).then(pl.lit("other")))


def _read(path: Path) -> pl.DataFrame:
    try:
        return pl.read_csv(path, infer_schema=False, null_values=["?", ""])
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", where=str(path)) from error
    except pl.exceptions.PolarsError as error:
        raise InputError(f"is no table of comma-separated values: {str(error).splitlines()[0]}",
                         where=str(path)) from error


def _number(table: pl.DataFrame, name: str, path: Path) -> pl.Series:
    made = table[name].cast(pl.Float64, strict=False)
    wrong = table[name].filter(table[name].is_not_null() & ~made.is_finite().fill_null(value=False))
    if len(wrong):
        raise InputError(f"{name} must be a number. Got {wrong[0]!r}", where=str(path))
    return made


def _age(table: pl.DataFrame, path: Path) -> pl.Series:
    """The middle of a band like ``[70-80)``, in years."""
    low = table["age"].str.extract(r"^\[(\d+)-\d+\)$").cast(pl.Float64)
    wrong = table["age"].filter(table["age"].is_not_null() & low.is_null())
    if len(wrong):
        raise InputError(f"age must be a band like [70-80). Got {wrong[0]!r}", where=str(path))
    return (low + 5).alias("age")
