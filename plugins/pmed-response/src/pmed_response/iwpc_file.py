"""The consortium's patients: a file in the layout in which IWPC published its data, as a cohort."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import polars as pl

from pmed.errors import InputError
from pmed.modelling import Cohort

from . import iwpc
from .dose_inputs import FEATURES, INDICATIONS, LIMITS, STATINS

DOSE: Final = "Therapeutic Dose of Warfarin"
STABLE: Final = "Subject Reached Stable Dose of Warfarin"
INR: Final = "Target INR"
REASON: Final = "Indication for Warfarin Treatment"
INR_RANGE: Final = "Estimated Target INR Range Based on Indication"
#: mg/week; one row of the published file, 315, is no dose.
HIGHEST: Final = 300.0
_YES: Final = ("1", "1.0", "YES", "TRUE")
_FLAGS: Final[Mapping[str, tuple[str, ...]]] = {
    "amiodarone": ("Amiodarone (Cordarone)",),
    "inducer": ("Carbamazepine (Tegretol)", "Phenytoin (Dilantin)", "Rifampin or Rifampicin"),
    "statin": tuple(f"{drug.capitalize()} ({brand})" for drug, brand in zip(
        STATINS, ("Lipitor", "Baycol", "Lescol", "Mevacor", "Pravachol", "Crestor", "Zocor"), strict=True)),
    "azole": ("Anti-fungal Azoles",), "sulfonamide": ("Sulfonamide Antibiotics",), "smoker": ("Current Smoker",),
    "diabetes": ("Diabetes",), "heart_failure": ("Congestive Heart Failure and/or Cardiomyopathy",),
    "aspirin": ("Aspirin",)}
#: Why warfarin is taken → its numbers in `REASON`; "3; 8" names two.
_REASONS: Final = dict(zip(INDICATIONS, ("[12]", "3", "4"), strict=True))
_GENOTYPES: Final = {"vkorc1": "VKORC1 -1639 consensus", "1173": "VKORC1 1173 consensus",
                     "2255": "VKORC1 2255 consensus", "1542": "VKORC1 1542 consensus"}
_OTHERS: Final = ("PharmGKB Subject ID", "Project Site", "Gender", "Race (OMB)", "Age", "Height (cm)", "Weight (kg)",
                  "CYP2C9 consensus", STABLE, INR, INR_RANGE, REASON)
#: The coding strand's alleles → the forward strand's genotype. Only the other strand has C and T here.
_FORWARD: Final = {"G/G": "C/C", "A/G": "C/T", "A/A": "T/T", "C/C": "C/C", "C/T": "C/T", "T/T": "T/T"}
_SWAPPED: Final = ("C/C", "C/T", "T/T")
#: Linked sites: genotype → rs9923231, as the consortium filled gaps (appendix S1 of PMID 19228618).
_LINKED: Final = {"C/C": "C/C", "C/T": "C/T", "T/T": "T/T", "G/G": "C/C", "A/G": "C/T", "A/A": "T/T"}
_LINKED_1542: Final = {"G/G": "C/C", "C/G": "C/T", "C/C": "T/T"}  # C and G are each other's complement: one strand only


def read_patients(path: Path) -> Cohort:
    """Stable patients with a dose and an age.

    Medicines, diseases and smoking count where they are on record. Impossible heights and weights are unknown. What was
    changed stands in columns of its own, so that it can be reported.

    Raises:
        InputError: in one line, where the file cannot be read, or has no column of doses or no such patient.
    """
    raw = _read(path)
    for name in _wanted():
        if name not in raw.columns:
            raw = raw.with_columns(pl.lit(None, dtype=pl.String).alias(name))
    frame = raw.with_row_index("row").select(_columns()).with_columns(
        linked=pl.col("_no_vkorc1") & _from_linked().is_not_null(),
        vkorc1=pl.when("_no_vkorc1").then(_from_linked()).otherwise("vkorc1"),
        target_inr=pl.coalesce("target_inr", "_inr_range"))
    for name, (low, high, _) in LIMITS.items():
        strange = (~pl.col(name).is_between(low, high)).fill_null(value=False)
        frame = frame.with_columns(strange.alias(f"{name} impossible"),
                                   pl.when(~strange).then(pl.col(name)).alias(name))
    kept = frame.filter(pl.col("stable"), pl.col("dose") > 0, pl.col("dose") < HIGHEST, pl.col("age").is_not_null())
    if kept.is_empty():
        raise InputError(f"none of {frame.height} rows has a stable dose and an age", where=str(path))
    return Cohort(kept, FEATURES, "dose", "regression", site="site", source=str(path),
                  after=("INR on Reported Therapeutic Dose of Warfarin",))


def told(path: Path, cohort: Cohort) -> list[str]:
    """What a reader of the numbers must know of the file: rows left out, values not used, columns not known."""
    names = _read(path)
    absent = [name for name in _wanted() if name not in names.columns]
    lines = [(names.height - len(cohort), "rows without an age or a stable dose of 0 to 300 mg/week: left out")]
    lines += [(int(cohort.frame[f"{name} impossible"].sum()), f"values of {name.replace('_', ' ')} outside {low:g} to "
               f"{high:g} {unit}: taken as unknown") for name, (low, high, unit) in LIMITS.items()]
    lines += [(int(cohort.frame["swapped"].sum()), "VKORC1 genotypes on the other strand: read as such"),
              (int(cohort.frame["unreadable"].sum()), "VKORC1 genotypes that are none: taken as unknown"),
              (int(cohort.frame["vkorc1"].is_null().sum()), "patients of unknown VKORC1: the equation's own term, and "
               "wider intervals"),
              (int(cohort.frame["linked"].sum()), "VKORC1 genotypes taken from a linked site"),
              (int(cohort.frame.select(pl.any_horizontal(pl.col("height", "weight").is_null())).to_series().sum()),
               "patients of unknown height or weight: estimated from age, sex and race")]
    more = [f"columns that are not there: {', '.join(absent)}"] if absent else []
    return [f"{count} {text}" for count, text in lines if count] + more


def _read(path: Path) -> pl.DataFrame:
    try:
        raw = pl.read_csv(path, infer_schema=False, null_values=["", "NA"])
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(f"cannot be read as CSV: {str(error).splitlines()[0]}", where=str(path)) from error
    plain = {name: re.sub(r"\s+", " ", name).strip() for name in raw.columns}
    if len(set(plain.values())) < len(plain):
        raise InputError("has a column twice", where=str(path))
    raw = raw.rename(plain)
    if DOSE not in raw.columns:
        raise InputError(f"has no column {DOSE!r}", where=str(path), hint="give a file in the layout of the IWPC data")
    return raw.with_columns(pl.all().str.strip_chars().replace("", None))


def _wanted() -> list[str]:
    flags = [name for names in _FLAGS.values() for name in names]
    return [*_OTHERS, *_GENOTYPES.values(), *flags]


def _columns() -> list[pl.Expr]:
    vkorc1 = _genotype("vkorc1")
    sex = pl.col("Gender").str.to_lowercase()
    row = pl.col("row").cast(pl.String)
    return [
        pl.coalesce("PharmGKB Subject ID", pl.format("row {}", row)).alias("patient_id"),
        pl.col("Project Site").fill_null("unknown").alias("site"), _number(DOSE).alias("dose"),
        (_number(STABLE) == 1).fill_null(value=False).alias("stable"),
        (pl.col("Age").str.extract(r"^(\d+)").cast(pl.Float64)).alias("age"),
        _number("Height (cm)").alias("height"), _number("Weight (kg)").alias("weight"),
        pl.when(sex.is_in(["male", "female"])).then(sex).alias("sex"),
        iwpc.race_group(pl.col("Race (OMB)")).alias("race"),
        vkorc1.replace_strict(_FORWARD, default=None, return_dtype=pl.String).alias("vkorc1"),
        vkorc1.is_in(_SWAPPED).fill_null(value=False).alias("swapped"),
        (vkorc1.is_not_null() & ~vkorc1.is_in(list(_FORWARD))).alias("unreadable"),
        vkorc1.is_null().alias("_no_vkorc1"),
        pl.col("CYP2C9 consensus").str.replace_all(" ", "").alias("cyp2c9"),
        *[_flag(names).alias(name) for name, names in _FLAGS.items()],
        *[pl.col(REASON).str.contains(number).alias(name) for name, number in _REASONS.items()],
        _number(INR).alias("target_inr"), _middle(INR_RANGE).alias("_inr_range"),
        *[_genotype(name).replace_strict(linked, default=None, return_dtype=pl.String).alias(f"_{name}")
          for name, linked in (("1173", _LINKED), ("2255", _LINKED), ("1542", _LINKED_1542))]]


def _from_linked() -> pl.Expr:
    """rs9923231 from its neighbours; only the nearest one is a good stand-in in Black and mixed patients."""
    elsewhere = ~pl.col("race").is_in(["Black", "missing or mixed"])
    return pl.coalesce("_1173", pl.when(elsewhere).then(pl.coalesce("_2255", "_1542")))


def _genotype(name: str) -> pl.Expr:
    """Alleles in alphabetical order, with a slash."""
    letters = pl.col(_GENOTYPES[name]).str.to_uppercase().str.replace_all(r"[^ACGT]", "")
    first, second = letters.str.slice(0, 1), letters.str.slice(1, 1)
    return pl.when(letters.str.len_chars() == 2).then(
        pl.when(first <= second).then(first + "/" + second).otherwise(second + "/" + first))


def _number(name: str) -> pl.Expr:
    return pl.col(name).cast(pl.Float64, strict=False).fill_nan(None)


def _middle(name: str) -> pl.Expr:
    """Middle of a range such as 2-3."""
    ends = pl.col(name).str.extract_groups(r"([\d.]+)\s*-\s*([\d.]+)")
    low, high = (ends.struct.field(part).cast(pl.Float64, strict=False) for part in ("1", "2"))
    return (low + high) / 2


def _flag(names: tuple[str, ...]) -> pl.Expr:
    """Whether one of the columns says yes; null where none says anything."""
    said = [pl.col(name).str.to_uppercase().is_in(_YES) for name in names]
    return pl.any_horizontal(*said)
