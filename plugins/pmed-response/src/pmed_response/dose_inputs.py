"""What the dose model looks at, as one frame, and its terms as numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import polars as pl

from pmed.modelling import Cohort

from . import iwpc
from .kernel import Floats

_ASKED: Final = ("amiodarone", "inducer", "statin", "azole", "sulfonamide", "smoker", "diabetes", "heart_failure",
                 "aspirin")
#: Why warfarin is taken, as far as the dose model tells reasons apart.
INDICATIONS: Final = ("vein_thrombosis", "atrial_fibrillation", "heart_valve")
#: Findings that count only where they are on record: whether a site asked for them must not be visible.
FINDINGS: Final = (*_ASKED, *INDICATIONS)
FEATURES: Final = ("age", "height", "weight", "sex", "race", "vkorc1", "cyp2c9", *FINDINGS, "target_inr")
#: What a clinic may not know, and what is hidden at random in training; body size and genotypes are asked for.
MASKED: Final = (*_ASKED, "target_inr", *INDICATIONS)
USUAL_INR: Final = 2.5
LIMITS: Final = {"height": (130.0, 220.0, "cm"), "weight": (30.0, 250.0, "kg"), "target_inr": (1.5, 4.0, "INR")}
STATINS: Final = ("atorvastatin", "cerivastatin", "fluvastatin", "lovastatin", "pravastatin", "rosuvastatin",
                  "simvastatin")
AZOLES: Final = ("fluconazole", "itraconazole", "ketoconazole", "voriconazole")
SULFONAMIDES: Final = ("sulfamethoxazole",)
_RACES: Final = ("Asian", "Black", "missing or mixed")
#: How unknown is said where it is not null.
_UNKNOWN: Final = {"race": "missing or mixed"}

Sizes = dict[str, list[float]]


def published(frame: pl.DataFrame) -> Floats:
    """mg/week by the published equation, whose own terms stand for an unknown genotype; NaN without body size."""
    parts = iwpc.terms(
        age=pl.col("age"), height=pl.col("height"), weight=pl.col("weight"), vkorc1=pl.col("vkorc1"),
        cyp2c9=pl.col("cyp2c9"), race=pl.col("race"), inducer=pl.col("inducer").fill_null(value=False),
        amiodarone=pl.col("amiodarone").fill_null(value=False))
    parts["vkorc1"] = parts["vkorc1"].fill_null(iwpc.VKORC1_UNKNOWN)
    parts["cyp2c9"] = parts["cyp2c9"].fill_null(iwpc.CYP2C9_UNKNOWN)
    return frame.select(iwpc.weekly_dose(parts).fill_null(float("nan"))).to_series().to_numpy()


def masked(frame: pl.DataFrame, names: Sequence[str], rate: float, seed: int) -> pl.DataFrame:
    """The frame with each value of `names` made unknown by chance; the same ones for the same seed and rows.

    What a site did not record is then no longer what that site alone has: every site's rows have it.
    """
    hidden = np.random.default_rng(seed).random((frame.height, len(names))) < rate
    unknown = {name: pl.lit(_UNKNOWN.get(name), dtype=frame.schema[name]) for name in names}
    return frame.with_columns(pl.when(pl.Series(hidden[:, place])).then(unknown[name]).otherwise(pl.col(name))
                              .alias(name) for place, name in enumerate(names))


def design(frame: pl.DataFrame) -> Floats:
    """Rows × terms: age, body, sex, race, genotypes, findings and products of them; height and weight are known."""
    age, height, weight = (_numbers(frame, name) for name in ("age", "height", "weight"))
    age = np.floor(age / 10)
    sex = frame.select((pl.col("sex") == "male").cast(pl.Float64).fill_null(0.5)).to_series().to_numpy()
    race = _are(frame["race"], _RACES)
    vkorc1 = np.column_stack([_are(frame["vkorc1"], ("C/T", "T/T")), frame["vkorc1"].is_null().to_numpy()])
    findings = np.column_stack([np.nan_to_num(_numbers(frame, name)) for name in FINDINGS])
    inr = frame["target_inr"].fill_null(USUAL_INR).to_numpy() - USUAL_INR
    surface = np.sqrt(height * weight / 3600)  # m2, Mosteller
    return np.column_stack([
        age, age**2 / 10, height / 10, weight / 10, weight**2 / 1000, surface, sex, race, vkorc1,
        cyp2c9_copies(frame["cyp2c9"]), vkorc1 * weight[:, None] / 100, race * vkorc1[:, [1]], findings, inr])


def learn_sizes(cohort: Cohort) -> Sizes:
    """Least squares for an unknown height or weight: of everybody, and of a height whose weight is known."""
    frame = cohort.frame
    body, height, weight = body_terms(frame), _numbers(frame, "height"), _numbers(frame, "weight")
    with_weight = np.column_stack([body, weight])
    return {"height": _least_squares(body, height), "weight": _least_squares(body, weight),
            "height by weight": _least_squares(with_weight, height)}


def body_terms(frame: pl.DataFrame) -> Floats:
    """Rows × (1, decades, man, Asian, Black, missing or mixed): what stands in for an unknown body size."""
    sex = frame.select((pl.col("sex") == "male").cast(pl.Float64).fill_null(0.5)).to_series().to_numpy()
    return np.column_stack([np.ones(frame.height), np.floor(_numbers(frame, "age") / 10), sex,
                            _are(frame["race"], _RACES)])


def fill_sizes(frame: pl.DataFrame, sizes: Sizes) -> pl.DataFrame:
    """Unknown heights and weights by `sizes`; the equation cannot do without. Predictions for patients ask for both."""
    body, height, weight = body_terms(frame), _numbers(frame, "height"), _numbers(frame, "weight")
    guess = np.where(np.isnan(weight), _apply(body, sizes["height"]),
                     _apply(np.column_stack([body, np.nan_to_num(weight)]), sizes["height by weight"]))
    height = np.where(np.isnan(height), guess, height)
    weight = np.where(np.isnan(weight), _apply(body, sizes["weight"]), weight)
    return frame.with_columns(height=pl.Series(height), weight=pl.Series(weight))


def margin_group(frame: pl.DataFrame) -> np.ndarray[tuple[int], np.dtype[np.str_]]:
    """The group whose held-out errors make a row's interval: race as the equation groups it, or an unknown genotype.

    A CYP2C9 allele that the equation does not know counts as unknown, too.
    """
    known = pl.col("vkorc1").is_not_null() & pl.col("cyp2c9").is_in(list(iwpc.CYP2C9)).fill_null(value=False)
    group = pl.when(known).then("race").otherwise(pl.lit("genotype unknown"))
    return np.asarray(frame.select(group).to_series().to_list(), dtype=np.str_)


def cyp2c9_copies(diplotype: pl.Series) -> Floats:
    """Copies of *2 and *3, unknown, both of them, two *3, copies of other alleles that are not *1."""
    text = pl.col("g").fill_null("")
    two, three, normal = (text.str.count_matches(rf"\*{allele}(?:/|$)") for allele in (2, 3, 1))
    unknown = pl.col("g").is_null()
    other = pl.when(unknown).then(0).otherwise((2 - two.cast(pl.Int64) - three.cast(pl.Int64) - normal.cast(pl.Int64))
                                               .clip(0))
    made = diplotype.alias("g").to_frame().select(
        two=two, three=three, unknown=unknown, both=two * three, twice=three == 2, other=other)
    return made.cast(pl.Float64).to_numpy()


def _numbers(frame: pl.DataFrame, name: str) -> Floats:
    return frame[name].cast(pl.Float64).to_numpy()  # null becomes NaN


def _are(values: pl.Series, levels: tuple[str, ...]) -> Floats:
    known = values.fill_null("") if values.null_count() else values
    return np.column_stack([(known == level).cast(pl.Float64).to_numpy() for level in levels])


def _least_squares(terms: Floats, wanted: Floats) -> list[float]:
    known = ~np.isnan(wanted) & ~np.isnan(terms).any(axis=1)
    found = np.linalg.lstsq(terms[known], wanted[known], rcond=None)[0]
    return [round(float(one), 4) for one in found]


def _apply(terms: Floats, weights: list[float]) -> Floats:
    return np.asarray(np.einsum("nd,d->n", terms, np.array(weights)), dtype=np.float64)
