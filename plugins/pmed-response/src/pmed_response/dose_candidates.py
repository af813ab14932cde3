"""The choice among candidates: each on sites left out and on random splits; and what missing values tell of a site."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import polars as pl

from pmed.modelling import Cohort, Split, at_random, by_site, metrics

from .dose_inputs import FINDINGS, MASKED, USUAL_INR, design, masked
from .dose_members import MEMBERS, RATE, SEED
from .kernel import Floats

#: The two halves of what is shipped.
SHIPPED_AS: Final = ("published equation", f"kernel, {RATE:.0%} masked")
_MIXES: Final = (
    *(("published equation", name) for name in MEMBERS if name.startswith("kernel")),
    *(("published equation", name) for name in ("LightGBM", "monotone LightGBM")),
    (*SHIPPED_AS, "LightGBM"), (*SHIPPED_AS, "monotone LightGBM"),
    (*SHIPPED_AS, "monotone LightGBM on the equation's residual"), ("published equation", "ridge", "LightGBM"),
    (SHIPPED_AS[1], "LightGBM", "ridge"))
#: Random splits of those that were not chosen.
_FEW_DRAWS: Final = 20
_BODY: Final = ("height", "weight")
_KNOWN: Final = {"age": 60.0, "height": 170.0, "weight": 80.0, "sex": "male", "race": "White", "vkorc1": "C/C",
                 "cyp2c9": "*1/*1", **dict.fromkeys(FINDINGS, False), "target_inr": USUAL_INR}


def compared(cohort: Cohort) -> list[dict[str, Any]]:
    """Every candidate on sites left out and on a few random splits, the best on new sites first."""
    splits = {"site": by_site(cohort), "draw": at_random(cohort, _FEW_DRAWS, 0.2, SEED)}
    made = {name: {kind: [member(cohort.rows(one.train), cohort.rows(one.test)) for one in some]
                   for kind, some in splits.items()} for name, member in MEMBERS.items()}
    rows = [_row(cohort, splits, made, names) for names in [*((name,) for name in MEMBERS), *_MIXES]]
    return sorted(rows, key=lambda row: float(row["mae_new_sites"]))


def scores(y: Floats, dose: Floats) -> dict[str, float]:
    """MAE, per cent within a fifth, and R²."""
    return {"mae": metrics.mae(y, dose), "pw20": metrics.pw20(y, dose), "r2": metrics.r2(y, dose)}


def masking(cohort: Cohort, shipped: Floats, unmasked: Floats) -> dict[str, Any]:
    """What was hidden in training, what that cost on sites left out, and how far missing values tell the site.

    Args:
        cohort: All rows.
        shipped: Doses on sites left out.
        unmasked: The same, of a kernel that was trained without masks.
    """
    cost = np.abs(cohort.y - shipped) - np.abs(cohort.y - unmasked)
    low, high = _by_sites(cost, cohort.groups("site"))
    hidden = masked(cohort.frame, MASKED, RATE, SEED)
    return {"hidden at random": ", ".join(MASKED).replace("_", " "), "rate": RATE,
            "mae, masked less not masked": float(cost.mean()), "of which 95 % (by sites)": f"{low:.3f} to {high:.3f}",
            "site guessed by chance": guessed(np.zeros((len(cohort), 1)), cohort),
            "site guessed from what the model sees of what is missing": guessed(seen(cohort.frame), cohort),
            "the same, of masked rows": guessed(seen(hidden), cohort),
            "site guessed from findings as the model sees them, which differ by site in truth, too": guessed(
                seen(cohort.frame, FINDINGS), cohort),
            "the same, with target INR": guessed(seen(cohort.frame, MASKED), cohort),
            "site guessed if the model saw what is missing": guessed(_nulls(cohort.frame), cohort)}


def seen(frame: pl.DataFrame, kept: Sequence[str] = ()) -> Floats:
    """The model's terms of each row if what is known were the same in everybody: only what is missing differs.

    Columns in `kept` are as they are. Estimated heights and weights are numbers like any other and taken as known.
    """
    same = {name: value for name, value in _KNOWN.items() if name not in kept}
    return design(frame.with_columns(
        pl.when(pl.col(name).is_not_null() | pl.lit(name in _BODY)).then(pl.lit(value)).alias(name)
        for name, value in same.items()))


def guessed(terms: Floats, cohort: Cohort) -> float:
    """Share of the rows whose site is the commonest among all rows that look the same: no guess can be better."""
    _, pattern = np.unique(terms, axis=0, return_inverse=True)
    pairs = pl.DataFrame({"pattern": pattern.ravel(), "site": cohort.groups("site")}).group_by("pattern", "site").len()
    return float(pairs.group_by("pattern").agg(pl.col("len").max())["len"].sum() / len(cohort))


def _nulls(frame: pl.DataFrame) -> Floats:
    return frame.select(pl.col(*MASKED, "vkorc1", "cyp2c9").is_null().cast(pl.Float64)).to_numpy()


def _by_sites(cost: Floats, site: np.ndarray[Any, Any]) -> tuple[float, float]:
    """95 % of 1000 draws of whole sites."""
    _, where = np.unique(site, return_inverse=True)
    sums, many = np.bincount(where, weights=cost), np.bincount(where)
    drawn = np.random.default_rng(SEED).integers(len(many), size=(1000, len(many)))
    low, high = np.percentile(sums[drawn].sum(axis=1) / many[drawn].sum(axis=1), [2.5, 97.5])
    return float(low), float(high)


def _row(cohort: Cohort, splits: Mapping[str, Sequence[Split]], made: Mapping[str, Mapping[str, list[Floats]]],
         names: tuple[str, ...]) -> dict[str, Any]:
    mixed = {kind: [np.mean([made[name][kind][place] for name in names], axis=0) for place in range(len(some))]
             for kind, some in splits.items()}
    new, y = np.empty(len(cohort)), cohort.y
    for split, dose in zip(splits["site"], mixed["site"], strict=True):
        new[split.test] = dose
    drawn = [scores(y[split.test], dose) for split, dose in zip(splits["draw"], mixed["draw"], strict=True)]
    each = [metrics.mae(y[split.test], dose) for split, dose in zip(splits["site"], mixed["site"], strict=True)]
    return {"candidate": " + ".join(names), **{f"{name}_new_sites": value for name, value in scores(y, new).items()},
            "mae_mean_of_sites": float(np.mean(each)),
            **{f"{name}_random": float(np.mean([one[name] for one in drawn])) for name in ("mae", "pw20", "r2")}}
