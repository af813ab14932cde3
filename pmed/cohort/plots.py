"""Plots of a cohort's tables, in the style of `pmed.plots`: one for each analysis, with its text beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from ..plots import DARK, LIGHT, Z95, Picture, Style, _figure, _legend, _must_be_some, _must_have
from .counts import EVERYBODY

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_TESTS = 15
SIGNIFICANT = 0.05
_UNKNOWN = "unknown"


def phenotypes(frequencies: pl.DataFrame, gene: str, *, dark: bool = False) -> Picture:
    """How often each phenotype of a gene is in each group, with exact 95 % intervals.

    Args:
        frequencies: `Cohort.summary` of that name.
        gene: HGNC symbol.
        dark: Draw for a dark page.
    """
    _must_have(frequencies, "group", "gene", "kind", "name", "n", "of", "share", "low", "high")
    rows = frequencies.filter(kind="phenotype", gene=gene)
    _must_be_some(rows["n"].to_numpy(), f"no phenotype of {gene!r}")
    return _shares(rows, f"{gene}: phenotypes by group", f"Phenotypes of {gene}", dark=dark)


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
    return _shares(rows, said, f"Phenotypes of {said}", dark=dark)


def association(tests: pl.DataFrame, *, most: int = MOST_TESTS, dark: bool = False) -> Picture:
    """Effects of gene results with 95 % intervals, least p first; those with q below 0.05 are in colour.

    Args:
        tests: What `analyses.associations` returns.
        most: Draw no more than so many.
        dark: Draw for a dark page.
    """
    _must_have(tests, "gene", "result", "carriers", "people", "effect", "error", "p", "q", "method")
    rows = tests.drop_nulls("effect").sort("p", "gene", "result").head(most)
    _must_be_some(rows["effect"].to_numpy(), "no test to draw")
    style = DARK if dark else LIGHT
    figure, axes = _figure(style, height=1.2 + 0.36 * rows.height)
    found = (rows["q"] < SIGNIFICANT).to_list()
    for place, one in enumerate(rows.iter_rows(named=True)):
        axes.errorbar([one["effect"]], [place], xerr=[[Z95 * one["error"]]] * 2, fmt="s" if found[place] else "o",
                      color=style.up if found[place] else style.whole, capsize=2)
    axes.axvline(0, color=style.muted, linewidth=1, linestyle="--")
    axes.set_yticks(range(rows.height), [f"{one['gene']} {one['result']} ({one['carriers']:,})"
                                         for one in rows.iter_rows(named=True)])
    axes.invert_yaxis()
    binary = rows["method"][0] != "linear"
    axes.set_xlabel("log odds ratio" if binary else "difference in the outcome")
    axes.set_title("Association of gene results with the outcome")
    first = rows.row(0, named=True)
    figure.alt = (f"Effects of {rows.height} of {tests.height} gene results in {first['people']:,} people, "
                  f"{sum(found)} with a false discovery rate below {SIGNIFICANT:g}; the least p is of {first['gene']} "
                  f"{first['result']}: {first['effect']:.3g} ± {first['error']:.2g}, p {first['p']:.2g}.")
    return figure


def scores(people: pl.DataFrame, *, label: str = "polygenic score", dark: bool = False) -> Picture:
    """The distribution of a score in each group, as steps of equal area.

    Args:
        people: A row a person: `group` and `score`, as `analyses.scored` gives them; unknown scores are left out.
        label: What the score is.
        dark: Draw for a dark page.
    """
    _must_have(people, "group", "score")
    known = people.select("group", "score").drop_nulls()
    _must_be_some(known["score"].to_numpy())
    style = DARK if dark else LIGHT
    figure, axes = _figure(style)
    values = known["score"].to_numpy()
    bins = min(60, max(8, int(np.sqrt(len(values)))))
    edges = np.linspace(values.min(), values.max(), bins + 1).tolist()
    told = []
    for place, ((group,), some) in enumerate(known.sort("group").group_by("group", maintain_order=True)):
        mine = some["score"].to_numpy()
        axes.hist(mine, bins=edges if edges[0] < edges[-1] else bins, density=True, histtype="step", linewidth=1.6,
                  linestyle=("-", "--", "-.", ":")[place // len(style.groups) % 4],
                  color=style.groups[place % len(style.groups)], label=f"{group} ({len(mine):,})")
        told.append(f"{group} {np.median(mine):.3g} ({len(mine):,})")
    axes.set_xlabel(label)
    axes.set_ylabel("density")
    axes.set_title(f"{label[:1].upper()}{label[1:]} by group")
    _legend(axes, style)
    lost = people.height - known.height
    more = f", {lost:,} more unknown" if lost else ""
    figure.alt = (f"Distribution of {label} in {known.height:,} people{more}; medians by group: {', '.join(told)}.")
    return figure


def _shares(rows: pl.DataFrame, title: str, said: str, *, dark: bool) -> Picture:
    """Bars of `share` with `low` and `high`: a cluster for each `name`, a bar in it for each group."""
    style = DARK if dark else LIGHT
    named = rows.with_columns(pl.col("name").fill_null("").replace("", _UNKNOWN))
    groups = sorted(named["group"].unique(), key=lambda group: (group != EVERYBODY, group))
    whole = named.group_by("name").agg(pl.col("n").max()).sort(pl.col("name") == _UNKNOWN, "n", "name",
                                                               descending=[False, True, False])
    names = whole["name"].to_list()
    figure, axes = _figure(style, height=1.3 + (0.16 * len(groups) + 0.22) * len(names))
    for place, group in enumerate(groups):
        _bars(axes, named.filter(group=group), names, (place, len(groups)), style)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_xlabel("% of people")
    axes.set_title(title)
    _legend(axes, style)
    figure.alt = f"{said}: {'; '.join(_told(group, named.filter(group=group)) for group in groups)}."
    return figure


def _told(group: str, rows: pl.DataFrame) -> str:
    """One group in words."""
    parts = ", ".join(f"{one['name']} {one['share'] * 100:.1f} %" for one in rows.iter_rows(named=True))
    return f"{group} ({rows['of'][0]:,} people) {parts}"


def _bars(axes: Axes, rows: pl.DataFrame, names: Sequence[str], at: tuple[int, int], style: Style) -> None:
    """One group's bar in each cluster; `at` is its place among so many."""
    place, many = at
    height = 0.8 / many
    share, low, high = (rows[name].to_numpy() * 100 for name in ("share", "low", "high"))
    y = [names.index(name) - 0.4 + height * (place + 0.5) for name in rows["name"]]
    axes.barh(y, share, height=height * 0.92, color=style.groups[place % len(style.groups)],
              xerr=np.array([share - low, high - share]).clip(0), ecolor=style.muted, capsize=1.5,
              label=str(rows["group"][0]))
