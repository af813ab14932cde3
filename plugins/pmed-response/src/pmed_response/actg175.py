"""The trial ACTG 175 (N Engl J Med 1996;335:1081): its published layout as a cohort, and as a trial of four arms."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import polars as pl

from pmed.errors import InputError
from pmed.modelling import Cohort, effect

#: Known on the day of randomisation, by the names of the published file.
FEATURES: Final = ("age", "wtkg", "hemo", "homo", "drugs", "karnof", "oprior", "z30", "preanti", "race", "gender",
                   "str2", "strat", "symptom", "cd40", "cd80")
#: Known only afterwards, or the treatment itself under another name.
AFTER: Final[Mapping[str, str]] = {
    "cd420": "the CD4 count 20 weeks after randomisation", "cd496": "the CD4 count 96 weeks after randomisation",
    "cd820": "the CD8 count 20 weeks after randomisation", "r": "whether CD4 was measured at 96 weeks",
    "offtrt": "whether treatment was stopped before 96 weeks", "cens": "whether the event was seen",
    "days": "the time to the event or to the end of follow-up", "treat": "the treatment", "arms": "the treatment"}
#: The published code of each arm; the first is what the others are compared with.
ARMS: Final[Mapping[int, str]] = {0: "zidovudine", 1: "zidovudine + didanosine", 2: "zidovudine + zalcitabine",
                                  3: "didanosine"}
#: Days. Most people were followed longer; beyond it few are left.
HORIZON: Final = 900.0
OUTCOME: Final = f"event-free days to day {HORIZON:.0f}"
#: Names in another publication of the same rows (UCI repository).
_ALSO: Final = {"time": "days", "trt": "arms", "cid": "cens", "label": "cens"}
_ARM: Final = "arm"


def read_trial(path: Path, features: tuple[str, ...] = FEATURES) -> Cohort:
    """The patients of a file in the published layout (columns apart by spaces, commas, semicolons or tabs).

    The outcome is one number a patient: the pseudo-observation, within the arm, of the time without event up to day 900
    (a fall of CD4 by half, AIDS, or death), so that those who were not followed so long count as far as they were.

    Raises:
        InputError: in one line, where the file is something else, or a feature was measured after randomisation.
    """
    raw = _read(path)
    for name in ("arms", "days", "cens", *features):
        if name not in raw.columns:
            raise InputError(f"has no column {name!r}", where=str(path), hint="give a file in the layout of ACTG175")
    numbers = _numbers(raw, path)
    _must_be_sound(numbers, path)
    days, events, arms = (numbers[name].to_numpy() for name in ("days", "cens", "arms"))
    named = numbers["arms"].cast(pl.Int64).replace_strict(dict(ARMS), return_dtype=pl.String)
    outcome = effect.pseudo_observations(days, events, HORIZON, arms)
    frame = numbers.with_columns(named.alias(_ARM), pl.Series(OUTCOME, outcome),
                                 patient_id=raw["pidnum"] if "pidnum" in raw.columns else
                                 pl.int_range(1, pl.len() + 1).cast(pl.String))
    return Cohort(frame, features, OUTCOME, "regression", source=str(path), after=tuple(AFTER))


def as_trial(cohort: Cohort) -> effect.Trial:
    """The four arms, to which patients were randomised with equal chances."""
    return effect.Trial(cohort, _ARM, tuple(ARMS.values()), dict.fromkeys(ARMS.values(), 1 / len(ARMS)))


def refused(cohort: Cohort) -> list[str]:
    """A line for each column of the file that no prediction may use."""
    return [f"{name} is {what}: not an input" for name, what in AFTER.items() if name in cohort.frame.columns]


def _read(path: Path) -> pl.DataFrame:
    try:
        with path.open(encoding="utf-8-sig") as file:
            head = file.readline()
        between = max(",;\t ", key=head.count)
        raw = pl.read_csv(path, separator=between, infer_schema=False, null_values=["", "NA"])
    except (OSError, UnicodeDecodeError, pl.exceptions.PolarsError) as error:
        raise InputError(f"cannot be read as a table: {str(error).splitlines()[0]}", where=str(path)) from error
    return raw.rename({old: new for old, new in _ALSO.items() if old in raw.columns and new not in raw.columns})


def _numbers(raw: pl.DataFrame, path: Path) -> pl.DataFrame:
    known = [name for name in raw.columns if name in {*FEATURES, *AFTER}]
    made = raw.select(pl.col(name).cast(pl.Float64, strict=False) for name in known)
    for name in known:
        odd = raw[name].filter(made[name].is_null() & raw[name].is_not_null())
        if len(odd):
            raise InputError(f"{name} must be a number. Got {odd[0]!r}", where=str(path), hint="unknown is empty or NA")
    return made


def _must_be_sound(numbers: pl.DataFrame, path: Path) -> None:
    for name in ("arms", "days", "cens"):
        if numbers[name].null_count():
            raise InputError(f"{name} is unknown in {numbers[name].null_count()} rows", where=str(path),
                             hint="leave these rows out")
    for name, allowed in (("arms", set(map(float, ARMS))), ("cens", {0.0, 1.0})):
        if strange := set(numbers[name].unique()) - allowed:
            raise InputError(f"{name} must be {', '.join(f'{one:g}' for one in sorted(allowed))}. Got "
                             f"{min(strange):g}", where=str(path))
    if numbers["days"].min() < 0:  # type: ignore[operator]
        raise InputError("days must not be negative", where=str(path))
