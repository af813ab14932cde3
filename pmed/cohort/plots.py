"""Plots of a cohort's tables, in the style of `pmed.plots`: one for each analysis, with its text beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from ..plots import DARK, LIGHT, Picture, Style, _figure, _must_be_some, _must_have
from .counts import EVERYBODY, INDETERMINATE
from .summary import with_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_TESTS = 15
_SEVERAL, _FIFTEENFOLD, _HUNDREDFOLD = 3, 15, 100
SIGNIFICANT = 0.05
_UNKNOWN = "unknown"
MARKERS = "osD^vPX*<>"  # a group is told by its colour and its marker
# Phenotypes from least to most function, where a gene has such; others come by how many have them.
_FUNCTION = {"Poor": 0, "Decreased": 1, "Intermediate": 1, "Normal": 2, "Increased": 3, "Rapid": 3, "Ultrarapid": 4}
_DOUBTFUL = ("Likely", "Possible")


def phenotypes(frequencies: pl.DataFrame, gene: str, *, dark: bool = False) -> Picture:
    """How often each phenotype of a gene is among those of each group who have one, with exact 95 % intervals.

    How many have none is in the legend: where an answer depends on what it is (of RYR1 a harmful variant is known by
    one site, a harmless gene by all of them), these are no frequencies of the group.

    Args:
        frequencies: `Cohort.summary` of that name.
        gene: HGNC symbol.
        dark: Draw for a dark page.
    """
    _must_have(frequencies, "group", "gene", "kind", "name", "n", "of", "unknown", "share", "low", "high")
    rows = frequencies.filter(kind="phenotype", gene=gene)
    _must_be_some(rows["n"].to_numpy(), f"no phenotype of {gene!r}")
    answered = max(rows.select("of", "unknown").rows())
    axis = f"% of the {answered[0]:,} of {sum(answered):,} people with a phenotype"
    return _shares(rows, f"{gene}: phenotypes by group", f"Phenotypes of {gene}", axis, dark=dark)


def exposure(drugs_phenotypes: pl.DataFrame, drug: str, gene: str, *, dark: bool = False) -> Picture:
    """Of those who take a drug, how many have each phenotype of a gene, by group; unknown is one of them.

    Args:
        drugs_phenotypes: `Cohort.summary` of that name.
        drug: Ingredient.
        gene: HGNC symbol.
        dark: Draw for a dark page.
    """
    _must_have(drugs_phenotypes, "group", "drug", "gene", "phenotype", "n", "of", "share", "low", "high")
    rows = drugs_phenotypes.filter(drug=drug, gene=gene).rename({"phenotype": "name"})
    _must_be_some(rows["n"].to_numpy(), f"nobody takes {drug!r} and has a result of {gene!r}")
    said = f"{gene} of those who take {drug}"
    return _shares(rows.with_columns(unknown=0), said, f"Phenotypes of {said}", "% of those who take it", dark=dark)


def association(tests: pl.DataFrame, *, most: int = MOST_TESTS, dark: bool = False) -> Picture:
    """Effects of gene results with 95 % intervals, least p first; those with q below 0.05 are squares in colour.

    Args:
        tests: What `analyses.associations` returns.
        most: Draw no more than so many.
        dark: Draw for a dark page.
    """
    _must_have(tests, "gene", "result", "against", "carriers", "people", "carrier_cases", "effect", "low", "high", "p",
               "q", "method")
    rows = tests.drop_nulls("effect").sort("p", "gene", "result").head(most)
    _must_be_some(rows["effect"].to_numpy(), "no test to draw")
    style, binary = DARK if dark else LIGHT, rows["method"][0] != "linear"
    figure, axes = _figure(style, height=1.4 + 0.36 * rows.height)
    for place, one in enumerate(rows.iter_rows(named=True)):
        _interval(axes, one, place, style, binary=binary)
    axes.set_ylim(rows.height - 0.4, -0.6)
    axes.set_yticks(range(rows.height), [_named(one) for one in rows.iter_rows(named=True)])
    beside = axes.secondary_yaxis("right")
    beside.set_yticks(range(rows.height), [_in_numbers(one, binary=binary) for one in rows.iter_rows(named=True)])
    beside.tick_params(colors=style.text, labelsize=8, length=0)
    beside.spines["right"].set_visible(False)
    against = " or ".join(sorted(set(rows["against"]))) if rows["against"].n_unique() < _SEVERAL else "the reference"
    axes.set_xlabel(f"{'odds ratio' if binary else 'difference in the outcome'} against {against}, 95 % interval\n"
                    f"in brackets: {'cases of carriers' if binary else 'carriers'}; "
                    f"squares: false discovery rate below {SIGNIFICANT:g}")
    if binary:
        _as_ratios(axes, rows)
    found = rows.filter(pl.col("q") < SIGNIFICANT).height
    axes.axvline(1 if binary else 0, color=style.muted, linewidth=1, linestyle="--", zorder=1)
    figure.suptitle(f"Gene results and the outcome: {rows.height} of {tests.height} tests, by p", color=style.text)
    first = rows.row(0, named=True)
    most_people = max(rows["people"].to_list())
    figure.alt = (f"Effects of {rows.height} of {tests.height} gene results in up to {most_people:,} people, "
                  f"{found} of them with a false discovery rate below {SIGNIFICANT:g}, in colour; the least p is of "
                  f"{_named(first)}: {_in_numbers(first, binary=binary)}.")
    return figure


def _interval(axes: Axes, one: dict[str, Any], place: int, style: Style, *, binary: bool) -> None:
    """One effect; an end that the likelihood does not have is not drawn."""
    marked = one["q"] < SIGNIFICANT
    effect, low, high = (one["effect"] if end is None else end for end in (one["effect"], one["low"], one["high"]))
    ends = np.exp([effect, low, high]) if binary else np.array([effect, low, high])
    axes.errorbar(ends[:1], [place], xerr=[[ends[0] - ends[1]], [ends[2] - ends[0]]], fmt="s" if marked else "o",
                  color=style.up if marked else style.whole, capsize=2, zorder=2)


def _as_ratios(axes: Axes, rows: pl.DataFrame) -> None:
    """A logarithmic axis with ratios on it: as far as the effects, and their intervals up to a hundredfold."""
    furthest = {name: float(rows[name].abs().max() or 0) for name in ("effect", "low", "high")}  # type: ignore[arg-type]
    reach = max(furthest["effect"], min(max(furthest.values()), float(np.log(_HUNDREDFOLD)))) + 0.15
    axes.set_xscale("log")
    axes.set_xlim(float(np.exp(-reach)), float(np.exp(reach)))
    steps = (0.1, 0.2, 0.5, 1, 2, 5, 10) if reach < np.log(_FIFTEENFOLD) else 10.0 ** np.arange(-9, 10)
    ticks = [one for one in steps if abs(np.log(one)) <= reach]
    axes.set_xticks(ticks, [f"{one:g}" for one in ticks])
    axes.minorticks_off()


def _named(one: dict[str, Any]) -> str:
    cases = "" if one["carrier_cases"] is None else f"{one['carrier_cases']:,} of "
    return f"{one['gene']} {one['result']} ({cases}{one['carriers']:,})"


def _in_numbers(one: dict[str, Any], *, binary: bool) -> str:
    effect, low, high = ("?" if end is None else f"{np.exp(end) if binary else end:#.3g}".rstrip(".")
                         for end in (one["effect"], one["low"], one["high"]))
    return f"{effect} ({low} to {high}), p {one['p']:.2g}"


def scores(people: pl.DataFrame, *, label: str = "polygenic score", dark: bool = False) -> Picture:
    """The distribution of a score in each group: density, median, the middle half (thick) and 90 % (thin line).

    Args:
        people: A row a person: `group` and `score`, as `analyses.scored` gives them; unknown scores are left out.
        label: What the score is, and its unit.
        dark: Draw for a dark page.
    """
    from matplotlib.mlab import GaussianKDE

    _must_have(people, "group", "score")
    known = people.select("group", "score").drop_nulls()
    _must_be_some(known["score"].to_numpy())
    style = DARK if dark else LIGHT
    groups = [(str(group), some["score"].to_numpy()) for (group,), some in
              known.sort("group").group_by("group", maintain_order=True)]
    figure, axes = _figure(style, height=1.2 + 0.55 * len(groups))
    for place, (_, mine) in enumerate(groups):
        colour = style.groups[place % len(style.groups)]
        if mine.min() < mine.max():
            at = np.linspace(mine.min(), mine.max(), 200)
            half = GaussianKDE(mine).evaluate(at)
            half *= 0.42 / half.max()
            axes.fill_between(at, place - half, place + half, color=colour, alpha=0.35, linewidth=0)
        low, first, middle, third, high = np.quantile(mine, (0.05, 0.25, 0.5, 0.75, 0.95))
        axes.plot([low, high], [place, place], color=colour, linewidth=1)
        axes.plot([first, third], [place, place], color=colour, linewidth=4, solid_capstyle="butt")
        axes.plot([middle], [place], "o", color=style.page, markeredgecolor=style.text, markersize=5)
    axes.set_yticks(range(len(groups)), [f"{group} (n = {len(mine):,})" for group, mine in groups])
    axes.set_ylim(len(groups) - 0.4, -0.6)
    axes.set_xlabel(f"{label}: median, middle half, middle 90 %")
    axes.set_title(f"{label[:1].upper()}{label[1:]} by group")
    told = [f"{group} {np.median(mine):.3g} ({len(mine):,})" for group, mine in groups]
    lost = people.height - known.height
    more = f", {lost:,} more unknown" if lost else ""
    figure.alt = (f"Distribution of {label} in {known.height:,} people{more}; medians by group: {', '.join(told)}.")
    return figure


def _shares(rows: pl.DataFrame, title: str, said: str, axis: str, *, dark: bool) -> Picture:
    """Points of `share` from `low` to `high`: a cluster for each `name`, in it a point for each group."""
    style = DARK if dark else LIGHT
    named = _with_nobody(rows.with_columns(pl.col("name").fill_null("").replace("", _UNKNOWN)))
    groups = sorted(named["group"].unique(), key=lambda group: (group != EVERYBODY, group))
    names = _in_order(named)
    figure, axes = _figure(style, height=1.5 + (0.11 * len(groups) + 0.2) * len(names))
    for place, group in enumerate(groups):
        _points(axes, named.filter(group=group), names, (place, len(groups)), style)
    for edge in range(1, len(names)):
        axes.axhline(edge - 0.5, color=style.grid, linewidth=0.8)
    axes.grid(visible=False, axis="y")
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlim(left=-0.5)
    axes.set_xlabel(f"{axis}, exact 95 % interval")
    axes.set_title(title)
    figure.legend(loc="outside lower center", ncols=min(len(groups), 3), frameon=False, labelcolor=style.text,
                  fontsize=9)
    figure.alt = f"{said}: {'; '.join(_told(named.filter(group=group), names) for group in groups)}."
    return figure


def _with_nobody(rows: pl.DataFrame) -> pl.DataFrame:
    """Also the names that nobody of a group has: that is 0 of so many, with an interval."""
    groups = rows.group_by("group").agg(pl.col("of", "unknown").first())
    every = groups.join(rows.select("name").unique(), how="cross").join(
        rows.select("group", "name", "n"), on=["group", "name"], how="left").with_columns(pl.col("n").fill_null(0))
    return with_interval(every)


def _in_order(rows: pl.DataFrame) -> list[str]:
    """By function where the names tell it, else the most frequent first; what is not known last."""
    number = dict(rows.group_by("name").agg(pl.col("n").max()).iter_rows())
    last = (INDETERMINATE, _UNKNOWN)
    function = {name: next((_FUNCTION[word] for word in name.split()[:2] if word in _FUNCTION), None)
                for name in number if name not in last}
    graded = None not in function.values()
    return sorted(number, key=lambda name: (
        last.index(name) + 1 if name in last else 0, (function.get(name) or 0) if graded else -number[name],
        name.startswith(_DOUBTFUL), name))


def _told(rows: pl.DataFrame, names: Sequence[str]) -> str:
    """One group in words."""
    share = dict(rows.select("name", "share").iter_rows())
    parts = ", ".join(f"{name} {share[name] * 100:.1f} %" for name in names)
    return f"{_group(rows)} {parts}"


def _group(rows: pl.DataFrame) -> str:
    one = rows.row(0, named=True)
    more = f", {one['unknown']:,} more unknown" if one["unknown"] else ""
    return f"{one['group']} (n = {one['of']:,}{more})"


def _points(axes: Axes, rows: pl.DataFrame, names: Sequence[str], at: tuple[int, int], style: Style) -> None:
    """One group's point in each cluster; `at` is its place among so many."""
    place, many = at
    share, low, high = (rows[name].to_numpy() * 100 for name in ("share", "low", "high"))
    y = [names.index(name) - 0.4 + 0.8 / many * (place + 0.5) for name in rows["name"]]
    everybody = rows["group"][0] == EVERYBODY
    axes.errorbar(share, y, xerr=np.array([share - low, high - share]).clip(0), capsize=2, elinewidth=1.4, markersize=5,
                  fmt=MARKERS[place % len(MARKERS)], label=_group(rows),
                  color=style.text if everybody else style.groups[(place - 1) % len(style.groups)])
