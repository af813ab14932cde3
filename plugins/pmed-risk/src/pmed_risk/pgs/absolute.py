"""Absolute risk from a score: its relative risk per standard deviation on tables of incidence and mortality.

The model is that of Pal Choudhury et al., PLoS One 2020;15:e0228198 (doi:10.1371/journal.pone.0228198): hazards
proportional to exp(beta z), death of other causes as a competing risk (Benichou and Gail 1990, doi:10.2307/2532098).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pmed.errors import InputError

Floats = NDArray[np.float64]
SEXES = ("female", "male")
_COLUMNS = ("sex", "age_from", "age_to", "incidence", "mortality")
_SAID = ("score", "outcome", "hr_per_sd", "source")
_NUMBERS = ("hr_per_sd", "hr_low", "hr_high")
ASSESSED = "assessed"
RISKS = {"outcome": pl.String, "years": pl.Float64, "risk": pl.Float64, "risk_low": pl.Float64,
         "risk_high": pl.Float64, "risk_average": pl.Float64, "risk_status": pl.String}


@dataclass(frozen=True)
class Incidence:
    """What is known of one outcome, beside one score.

    Attributes:
        score: Name of the score whose hazard ratio this is.
        ratio, ratio_low, ratio_high: Hazard ratio for each standard deviation, with its 95 % interval if said.
        populations: In whom the ratio was found; none for any.
        bands: sex, age_from, age_to (exclusive), incidence (of those without the outcome) and mortality (of other
            causes), both per person-year.
    """

    path: Path
    score: str
    outcome: str
    source: str
    ratio: float
    ratio_low: float
    ratio_high: float
    populations: tuple[str, ...]
    bands: pl.DataFrame


def read_incidence(path: Path) -> Incidence:
    """Read a CSV with ``#key=value`` lines (score, outcome, hr_per_sd, source; hr_low, hr_high, populations) above it.

    Raises:
        InputError: something is missing or no number, or the ages of a sex overlap or leave a gap.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be read: {getattr(error, 'strerror', None) or 'not text'}",
                         where=str(path)) from None
    said = {key.strip(): value.strip() for key, _, value in
            (line[1:].partition("=") for line in lines if line.startswith("#"))}
    if missing := [name for name in _SAID if not said.get(name)]:
        raise InputError(f"does not say #{missing[0]}=…", where=str(path))
    ratio, low, high = _ratios(path, said)
    names = tuple(filter(None, (one.strip() for one in said.get("populations", "").split(","))))
    bands = _bands(path, "\n".join(line for line in lines if not line.startswith("#")))
    return Incidence(path, said["score"], said["outcome"], said["source"], ratio, low, high, names, bands)


def _ratios(path: Path, said: dict[str, str]) -> tuple[float, float, float]:
    try:
        ratio, low, high = (float(said.get(name) or said["hr_per_sd"]) for name in _NUMBERS)
    except ValueError:
        raise InputError("a hazard ratio is not a number", where=str(path)) from None
    if not 0 < low <= ratio <= high < np.inf:
        raise InputError(f"hazard ratio {ratio:g} is not above 0 and within its interval, {low:g} to {high:g}",
                         where=str(path))
    return ratio, low, high


def _bands(path: Path, text: str) -> pl.DataFrame:
    try:
        raw = pl.read_csv(text.encode(), infer_schema=False)
    except pl.exceptions.PolarsError as error:
        raise InputError(f"is not a table of comma-separated columns: {str(error).splitlines()[0]}",
                         where=str(path)) from None
    if missing := [name for name in _COLUMNS if name not in raw.columns]:
        raise InputError(f"has no column {', '.join(missing)}", where=str(path))
    bands = raw.select("sex", pl.col(_COLUMNS[1:]).cast(pl.Float64, strict=False))
    sound = (pl.col("sex").is_in(SEXES) & (pl.col("age_from") >= 0) & (pl.col("age_to") > pl.col("age_from"))
             & pl.all_horizontal((pl.col(name) >= 0) & pl.col(name).is_finite() for name in _COLUMNS[2:]))
    if not (odd := bands.with_row_index("row").filter(~sound.fill_null(value=False))).is_empty():
        raise InputError(f"needs sex {' or '.join(SEXES)}, age_from below age_to, and rates per person-year from 0 on",
                         where=f"{path} row {odd['row'][0] + 1}")
    bands = bands.sort("sex", "age_from")
    broken = bands.filter(pl.col("age_from") != pl.col("age_to").shift().over("sex"))
    if not broken.is_empty():
        raise InputError(f"the ages of {broken['sex'][0]} overlap or leave a gap at {broken['age_from'][0]:g}",
                         where=str(path))
    return bands


def chance(bands: Floats, age: float, years: float, relative: Floats) -> Floats:
    """Chance to have the outcome within `years`, for somebody of `age` who is without it.

    Rates are constant within a band, so that each band has a closed form: of those still alive and without the outcome,
    h / (h + m) · (1 - exp(-(h + m) · t)) have it within t years.

    Args:
        bands: (bands, 4): age_from, age_to, incidence, mortality, one after the other.
        age: Years.
        years: Years ahead, all within the bands.
        relative: (people,) hazards as multiples of the incidence.
    """
    risk, left = np.zeros_like(relative), np.ones_like(relative)
    for begins, ends, incidence, mortality in bands:
        time = min(ends, age + years) - max(begins, age)
        hazard = incidence * relative
        leaving = hazard + mortality
        if time <= 0:
            continue
        gone = -np.expm1(-leaving * time)
        risk = risk + left * gone * np.divide(hazard, leaving, out=np.zeros_like(hazard), where=leaving > 0)
        left = left * (1 - gone)
    return np.asarray(risk)


def relative_hazard(ratio: float, z: Floats) -> Floats:
    """Hazard as a multiple of the population's mean: exp(beta z) over its mean for a standard normal z, exp(beta² / 2).

    That those of high risk leave first, so that the survivors' mean falls with age, is left out: of a rare outcome it
    changes little.
    """
    beta = np.log(ratio)
    return np.asarray(np.exp(beta * z - beta ** 2 / 2))


def read_people(path: Path) -> pl.DataFrame:
    """Sex and age of samples: a tab-separated table of sample, sex (female, male), age (years); empty is unknown.

    Raises:
        InputError: no such table, a sex or age that is none, somebody twice.
    """
    try:
        raw = pl.read_csv(path, separator="\t", infer_schema=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(f"cannot be read as a tab-separated table: {str(error).splitlines()[0]}",
                         where=str(path)) from None
    if missing := [name for name in ("sample", "sex", "age") if name not in raw.columns]:
        raise InputError(f"has no column {', '.join(missing)}", where=str(path))
    people = raw.select("sample", "sex", age=pl.col("age").cast(pl.Float64, strict=False), said="age")
    odd = people.filter((pl.col("said").is_not_null() & ~pl.col("age").is_between(0, 130).fill_null(value=False))
                        | ~pl.col("sex").is_in(SEXES))
    if not odd.is_empty():
        raise InputError(f"sample {odd['sample'][0]}: sex is female or male, age is in years", where=str(path))
    if people["sample"].is_duplicated().any():
        twice = people.filter(pl.col("sample").is_duplicated())["sample"][0]
        raise InputError(f"sample {twice} is there twice", where=str(path))
    return people.drop("said")


def add_risks(table: pl.DataFrame, tables: Sequence[Incidence], people: pl.DataFrame, years: float) -> pl.DataFrame:
    """Add `RISKS` to compared scores: null, and the reason in risk_status, where the risk cannot be told.

    `z_norm2` says where a person stands. risk_low to risk_high is by the 95 % interval of the hazard ratio and of the
    sum together; risk_average is of everybody of that sex and age.

    Raises:
        InputError: a table is of none of the scores, or two are of one.
    """
    by_score: dict[str, Incidence] = {}
    for one in tables:
        if one.score in by_score or one.score not in set(table["score"]):
            raise InputError(f"is of {one.score}, which is {'given twice' if one.score in by_score else 'not scored'}",
                             where=str(one.path))
        by_score[one.score] = one
    whole = table.join(people, on="sample", how="left", maintain_order="left")
    rows = [_risk(row, by_score.get(row["score"]), years) for row in whole.iter_rows(named=True)]
    return table.hstack(pl.DataFrame(rows, schema=RISKS).get_columns())


def _risk(row: dict[str, object], known: Incidence | None, years: float) -> dict[str, object]:
    empty: dict[str, object] = dict.fromkeys(RISKS)
    if known is None:
        return {**empty, "risk_status": "no table for this score"}
    told = {**empty, "outcome": known.outcome, "years": years}
    if why := _why_not(row, known, years):
        return {**told, "risk_status": why}
    bands = known.bands.filter(sex=row["sex"]).drop("sex").to_numpy()
    z, doubt = float(str(row["z_norm2"])), 1.959964 * float(str(row["z_sd"]))
    hazards = [relative_hazard(ratio, np.array([z + side * doubt]))[0] for side in (-1, 1)
               for ratio in (known.ratio_low, known.ratio_high)]
    own = relative_hazard(known.ratio, np.array([z]))[0]
    own, average, *ends = chance(bands, float(str(row["age"])), years, np.array([own, 1.0, *hazards]))
    return {**told, "risk": own, "risk_low": min(own, *ends), "risk_high": max(own, *ends), "risk_average": average,
            "risk_status": ASSESSED}


def _why_not(row: dict[str, object], known: Incidence, years: float) -> str:
    """Why a risk cannot be told, the first of the reasons; empty if it can."""
    population = row["population"]
    reasons = {
        "no score beside the panel": row["z_norm2"] is None,
        "sex or age is not known": row["sex"] is None or row["age"] is None,
        "far from every population of the panel": population is None,
        f"the hazard ratio was not found in {population}": known.populations and population not in known.populations,
    }
    return next((text for text, holds in reasons.items() if holds), "") or _not_in_table(row, known, years)


def _not_in_table(row: dict[str, object], known: Incidence, years: float) -> str:
    own, age = known.bands.filter(sex=row["sex"]), float(str(row["age"]))
    if own.is_empty():
        return f"the table has no rates for {row['sex']}"
    begins, ends = own["age_from"][0], own["age_to"][-1]
    outside = age < begins or age + years > ends
    return f"the table has rates from {begins:g} to {ends:g} years only" if outside else ""
