"""Ways to hold rows back that cannot leak: by patient, by site, by time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ..errors import InputError
from .cohort import Cohort, Rows


@dataclass(frozen=True)
class Split:
    """Rows to learn from and rows to test on.

    Attributes:
        train: Places of the rows to learn from.
        test: Places of the rows to test on.
        name: What is held back: a fold, a site, a time.
    """

    train: Rows = field(repr=False)
    test: Rows = field(repr=False)
    name: str = ""


def by_patient(cohort: Cohort, folds: int = 5, seed: int = 0) -> list[Split]:
    """Every patient is tested once, with all of their rows."""
    patients, whose = np.unique(cohort.groups(cohort.patient), return_inverse=True)
    if len(patients) < folds:
        raise InputError(f"has {len(patients)} patients: too few for {folds} folds", where=cohort.source)
    fold = np.random.default_rng(seed).permutation(len(patients)) % folds
    return [_split(fold[whose] == one, f"fold {one + 1}") for one in range(folds)]


def at_random(cohort: Cohort, times: int = 100, share: float = 0.2, seed: int = 0) -> list[Split]:
    """So many random draws, each holding back this share of the patients."""
    patients, whose = np.unique(cohort.groups(cohort.patient), return_inverse=True)
    rng = np.random.default_rng(seed)
    held = round(len(patients) * share)
    draws = [np.isin(whose, rng.permutation(len(patients))[:held]) for _ in range(times)]
    return [_split(mask, f"draw {number}") for number, mask in enumerate(draws, 1)]


def by_site(cohort: Cohort) -> list[Split]:
    """Each site is tested once, by what was learned at all the others.

    Raises:
        InputError: where the cohort names no sites, or a patient was at two of them.
    """
    if not cohort.site:
        raise InputError("names no column of sites", where=cohort.source)
    sites = cohort.groups(cohort.site)
    splits = [_split(sites == one, f"site {one}") for one in sorted(set(sites.tolist()))]
    for one in splits:
        must_not_leak(cohort, one)
    return splits


def by_time(cohort: Cohort, share: float = 0.2) -> Split:
    """The last rows are tested; of these only patients who were never seen before.

    Raises:
        InputError: where the cohort names no time.
    """
    if not cohort.time:
        raise InputError("names no column of times", where=cohort.source)
    order = np.argsort(cohort.groups(cohort.time), kind="stable")
    early = order[:len(order) - round(len(order) * share)]
    whose = cohort.groups(cohort.patient)
    late = np.setdiff1d(order, early)
    new = late[~np.isin(whose[late], whose[early])]
    return Split(np.sort(early), new, "new patients of the last part")


def must_not_leak(cohort: Cohort, split: Split) -> None:
    """Refuse a split with a row, or a patient, on both sides.

    Raises:
        InputError: saying how many.
    """
    whose = cohort.groups(cohort.patient)
    both = np.intersect1d(whose[split.train], whose[split.test])
    if len(both):
        raise InputError(f"{len(both)} patients are on both sides of the split {split.name!r}: it leaks",
                         where=cohort.source, hint="split by patient")
    if not len(split.train) or not len(split.test):
        raise InputError(f"the split {split.name!r} has an empty side", where=cohort.source)


def check_splits(cohort: Cohort, splits: Sequence[Split]) -> None:
    """`must_not_leak` for each."""
    for one in splits:
        must_not_leak(cohort, one)


def _split(held: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], name: str) -> Split:
    return Split(np.flatnonzero(~held), np.flatnonzero(held), name)
