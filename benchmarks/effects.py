"""The honesty gate on trials whose truth is known: ``python -m benchmarks.effects [-o docs/effects.md]``.

The table goes between the marks in the page of the documentation, or to standard output.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np

from pmed.files import write_all
from pmed.modelling.effect import judge_effects, learn_effects, simulate
from pmed.modelling.effect.simulated import HARMED

#: Kind, true gain (of kind none: true effect) in standard errors of the average effect.
PLAN: Sequence[tuple[str, float]] = (
    ("none", 0.0), ("none", 2.0), ("threshold", 2.0), ("linear", 2.0), ("threshold", 2.0 * HARMED**0.5))
#: A first seed that no choice of the recipe has seen.
FIRST = 200_000
NAMES = ("open", "truth", "gain", "paired_se", "rmse", "spread")
START, END = "<!-- gate: python -m benchmarks.effects -->", "<!-- /gate -->"


def one(kind: Any, times_se: float, seed: int, *, n: int = 600) -> tuple[float, ...]:
    """What is found in one trial, in standard errors of the average effect; in the order of `NAMES`."""
    drawn = simulate(kind, n, times_se=times_se, seed=seed)
    found = judge_effects(drawn.trial, seed=seed)
    learned = learn_effects(drawn.trial, seed=seed).effects(drawn.trial.inputs)[:, 0]
    off = float(np.sqrt(np.mean((learned - drawn.effect) ** 2)))
    return (float(found.open), drawn.gain / drawn.se, found.gain.value / drawn.se, found.gain.se / drawn.se, off,
            float(drawn.effect.std()))


def measure(kind: str, times_se: float, trials: int) -> dict[str, float]:
    """Share of trials in which the gate opened, and means over the trials."""
    rows = [one(kind, times_se, seed) for seed in range(FIRST, FIRST + trials)]
    return dict(zip(NAMES, map(float, np.mean(rows, axis=0)), strict=True))


def row(kind: str, times_se: float, found: dict[str, float], trials: int) -> str:
    """A line of the table."""
    ceiling = NormalDist().cdf(found["truth"] / found["paired_se"] - NormalDist().inv_cdf(0.975))
    what = f"none, average effect {times_se:.1f}" if kind == "none" else kind
    at_best = f"{ceiling:.0%}" if found["truth"] else ""
    return (f"| {what} | {found['truth']:.2f} | {found['truth'] / found['paired_se']:.1f} | {trials} | "
            f"{found['open']:.1%} | {at_best} | {found['gain']:.2f} ± {found['paired_se']:.2f} | "
            f"{found['rmse']:.2f} ({found['spread']:.2f}) |")


HEAD = ("| truth | true gain, SE of the average effect | true gain, paired SE | trials | gate open | at best | gain "
        "found ± paired SE | RMSE of the effect (its spread) |\n|---|---|---|---|---|---|---|---|")


def put(page: Path, table: str) -> None:
    """Replace what stands between the marks."""
    text = page.read_text(encoding="utf-8")
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    write_all({page: f"{before}{START}\n{table}\n{END}{after}".encode()})


def main() -> None:
    """Measure the plan."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("-o", "--output", type=Path)
    given = parser.parse_args()
    lines = [HEAD]
    for kind, times_se in PLAN:
        lines.append(row(kind, times_se, measure(kind, times_se, given.trials), given.trials))
        print(lines[-1], flush=True)
    if given.output:
        put(given.output, "\n".join(lines))


if __name__ == "__main__":
    main()
