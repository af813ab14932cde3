"""Pictures of a quality report. Each shows what was counted and says where limits were drawn, and by whom."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from .blocks import Bools, Ints
from .qc import Floats
from .qc_tables import CALL_RATE_BINS, ENOUGH_WINDOWS, FREQUENCY_BINS, ONE_X, P_BINS, TWO_X, SiteTotals
from .relatives import DUPLICATE, FIRST_DEGREE, IBS0_BINS, KINSHIP_BINS, Axes, Related

if TYPE_CHECKING:
    from matplotlib.axes import Axes as Plot
    from matplotlib.figure import Figure

_INK, _FILL, _LIMIT = "#1b3a57", "#5b8db8", "#c0392b"
_SEXES = {"female": "#8e44ad", "male": "#2980b9", "unclear": "#c0392b", "unknown": "#95a5a6"}
_OUTLIERS, _NAMED = 3.0, 8  # standard deviations, names at most
_DPI = 110


class Picture(NamedTuple):
    """A plot: file name without its ending, title, PNG."""

    name: str
    title: str
    png: bytes


@dataclass(frozen=True)
class Findings:
    """What the pictures are of: `people` is the person table, `linkage` that of `relatives.linkage`."""

    people: pl.DataFrame
    sites: SiteTotals
    related: Related
    axes: Axes
    linkage: pl.DataFrame


def pictures(found: Findings) -> Iterator[Picture]:
    """All plots that there are data for."""
    several, people = found.people.height > 1, found.people
    drawn: list[tuple[bool, str, str, int, Callable[[list[Plot]], None]]] = [
        (True, "call_rate", "Call rate", 2, lambda plots: _call_rate(plots, found)),
        (several and _both(people, "missingness", "heterozygosity"), "heterozygosity",
         "Heterozygosity and missing calls", 1, lambda plots: _heterozygosity(plots[0], people)),
        (several and _both(people, "het_hom_ratio", "ti_tv"), "ratios", "Transitions and heterozygotes", 1,
         lambda plots: _ratios(plots[0], people)),
        (_both(people, "x_haploid_share", "x_windows"), "sex", "Sex check", 1,
         lambda plots: _sex(plots[0], people)),
        (bool(found.sites.frequencies.sum()), "sites", "Allele frequencies and Hardy-Weinberg proportions", 2,
         lambda plots: _sites(plots, found.sites)),
        (found.related.compared > 0, "relatives", "Kinship", 1, lambda plots: _relatives(plots[0], found.related)),
        (not found.axes.reason, "components", "Principal components", 2, lambda plots: _components(plots, found.axes)),
        (found.linkage.height > 1, "linkage", "Linkage", 1, lambda plots: _linkage(plots[0], found.linkage))]
    return (_picture(name, title, beside, draw) for there, name, title, beside, draw in drawn if there)


def _both(people: pl.DataFrame, one: str, two: str) -> bool:
    return people.drop_nulls([one, two]).height > 0


def _picture(name: str, title: str, beside: int, draw: Callable[[list[Plot]], None]) -> Picture:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure: Figure = Figure(figsize=(5.6 * beside, 4.4), dpi=_DPI, layout="constrained")
    plots = [figure.add_subplot(1, beside, place + 1) for place in range(beside)]
    for plot in plots:
        plot.spines[["top", "right"]].set_visible(False)
    draw(plots)
    held = io.BytesIO()
    FigureCanvasAgg(figure)
    figure.savefig(held, format="png", metadata={"Software": None})
    return Picture(name, title, held.getvalue())


def _columns(plot: Plot, counts: Ints, bins: Floats) -> None:
    """A histogram with a logarithmic axis, where there is anything to draw."""
    if counts.any():
        plot.stairs(counts, bins, fill=True, color=_FILL)
        plot.set(yscale="log", ylim=(0.5, None))
    else:
        plot.text(0.5, 0.5, "none", transform=plot.transAxes, ha="center")


def _call_rate(plots: list[Plot], found: Findings) -> None:
    rates = np.histogram(found.people["call_rate"].drop_nulls().to_numpy(), CALL_RATE_BINS)[0]
    for plot, counts, of in ((plots[0], rates, "samples"), (plots[1], found.sites.call_rates, "sites")):
        _columns(plot, counts, CALL_RATE_BINS)
        least = min(0.95, CALL_RATE_BINS[int(np.argmax(counts > 0))])
        plot.set(xlabel=f"call rate of {of}", ylabel=of, xlim=(least - 0.002, 1.002))
        low = int(counts[CALL_RATE_BINS[1:] < 0.981].sum())
        plot.set_title(f"{low:,} of {int(counts.sum()):,} below 0.98", fontsize="medium")


def _heterozygosity(plot: Plot, people: pl.DataFrame) -> None:
    some = people.drop_nulls(["missingness", "heterozygosity"])
    x, y = some["missingness"].to_numpy(), some["heterozygosity"].to_numpy()
    plot.plot(x, y, ".", color=_FILL, alpha=0.5, markersize=5)
    mean, spread = y.mean(), y.std()
    if spread > 0:
        for limit in (mean - _OUTLIERS * spread, mean + _OUTLIERS * spread):
            plot.axhline(limit, color=_LIMIT, linewidth=0.8, linestyle="--")
        _name(plot, some["sample"], x, y, np.abs(y - mean) / spread > _OUTLIERS)
        plot.set_title("dashed: 3 standard deviations from the mean", fontsize="medium")
    plot.set(xlabel="missing calls", xlim=(-0.002, max(0.02, 1.05 * x.max())), ylabel="heterozygosity (SNVs, chr1–22)")
    plot.locator_params(axis="x", nbins=5)


def _ratios(plot: Plot, people: pl.DataFrame) -> None:
    some = people.drop_nulls(["het_hom_ratio", "ti_tv"])
    plot.plot(some["het_hom_ratio"].to_numpy(), some["ti_tv"].to_numpy(), ".", color=_FILL, alpha=0.5, markersize=5)
    plot.set(xlabel="heterozygous / homozygous ALT", ylabel="transitions / transversions")
    plot.set_title("SNVs of chr1–22", fontsize="medium")


def _sex(plot: Plot, people: pl.DataFrame) -> None:
    """The two numbers that a verdict came from: of X how many are heterozygous or, if that says nothing, haploid."""
    x = "x_het_share" if (people["x_windows"] >= ENOUGH_WINDOWS).any() else "x_haploid_share"
    y = "y_call_rate" if people["y_call_rate"].count() else "x_haploid_share"
    some = people.drop_nulls([x, y])
    for sex, color in _SEXES.items():
        these, label = some.filter(sex=sex), f"{sex} ({people.filter(sex=sex).height:,})"
        if these.height and x == y:
            plot.hist(these[x].to_numpy(), np.linspace(0, 1, 41).tolist(), color=color, label=label)
        elif these.height:
            plot.plot(these[x].to_numpy(), these[y].to_numpy(), ".", color=color, alpha=0.6, label=label)
    for limit in (ONE_X, TWO_X) if x == "x_het_share" else ():
        plot.axvline(limit, color=_LIMIT, linewidth=0.8, linestyle="--")
    words = {"x_het_share": "heterozygous among non-reference calls of X",
             "x_haploid_share": "haploid among calls of X", "y_call_rate": "call rate of Y"}
    plot.set(xlabel=words[x], ylabel="samples" if x == y else words[y], xlim=(-0.03, 1.03))
    plot.legend(frameon=False)
    left = people.height - some.height
    plot.set_title(f"{left:,} samples without a point: no such calls" if left else "", fontsize="medium")


def _sites(plots: list[Plot], sites: SiteTotals) -> None:
    plots[0].bar(range(len(sites.frequencies)), sites.frequencies, width=0.9, color=_FILL)
    plots[0].set_xticks(np.arange(len(FREQUENCY_BINS)) - 0.5, [f"{one:g}" for one in FREQUENCY_BINS], rotation=60)
    plots[0].set(xlabel="frequency of the rarer allele (sites with one ALT)", ylabel="sites", yscale="log",
                 ylim=(0.5, None))
    _columns(plots[1], sites.p_values, P_BINS)
    plots[1].set(xlabel="−log10 p, exact Hardy-Weinberg test (20 and more in the last)", ylabel="sites")
    plots[1].axvline(6, color=_LIMIT, linewidth=0.8, linestyle="--")
    plots[1].set_title(f"{sites.unlikely:,} of {sites.tested:,} with p < 10⁻⁶ (mixed populations also do that)",
                       fontsize="medium")


def _relatives(plot: Plot, related: Related) -> None:
    from matplotlib.colors import LogNorm

    there = np.ma.masked_less(related.spread, 1)
    mesh = plot.pcolormesh(IBS0_BINS, KINSHIP_BINS, there, norm=LogNorm(1, max(2, there.max())), cmap="Blues")
    plot.figure.colorbar(mesh, ax=plot, label="pairs")
    for limit, above in ((DUPLICATE, "duplicate"), (FIRST_DEGREE, "first degree")):
        plot.axhline(limit, color=_LIMIT, linewidth=0.8, linestyle="--")
        plot.text(IBS0_BINS[-1], limit, above, ha="right", va="bottom", color=_LIMIT, fontsize="small")
    pairs = related.pairs
    plot.plot((pairs["n_ibs0"] / pairs["n_snvs"]).to_numpy(), pairs["kinship"].to_numpy(), "o", mfc="none",
              color=_LIMIT, markersize=5)
    least = KINSHIP_BINS[int(related.spread.any(axis=1).argmax())]
    plot.set(xlabel="SNPs without a common allele (IBS0)", ylabel="kinship (KING-robust)", xlim=(-0.005, IBS0_BINS[-1]),
             ylim=(least - 0.05, 0.52))
    plot.set_title(f"{related.compared:,} pairs by {related.snvs:,} unlinked SNPs", fontsize="medium")


def _components(plots: list[Plot], axes: Axes) -> None:
    for plot, first in ((plots[0], 1), (plots[1], 3)):
        x, y = (axes.people[f"pc{number}"].to_numpy() for number in (first, first + 1))
        plot.plot(x, y, ".", color=_FILL, alpha=0.5, markersize=5)
        shares = [f"component {number} ({axes.explained[number - 1]:.1%})" for number in (first, first + 1)]
        plot.set(xlabel=shares[0], ylabel=shares[1])
        plot.set_title(f"{axes.snvs:,} unlinked SNPs", fontsize="medium")


def _linkage(plot: Plot, linkage: pl.DataFrame) -> None:
    names = [f"{_bases(first)}–{_bases(last)}" for first, last in linkage.select("from_bases", "to_bases").rows()]
    plot.plot(range(len(names)), linkage["mean_r2"].to_numpy(), "o-", color=_INK)
    plot.set_xticks(range(len(names)), names, rotation=40)
    plot.set(xlabel="distance in bases", ylabel="mean r² of common SNPs", ylim=(0, None))


def _bases(number: int) -> str:
    return f"{number // 10**6}M" if number >= 10**6 else f"{number // 1000}k" if number >= 1000 else str(number)


def _name(plot: Plot, names: pl.Series, x: Floats, y: Floats, which: Bools) -> None:
    """Write the names of some points, of those furthest out first, where there is room."""
    places, written = np.flatnonzero(which), list[float]()
    room = 0.03 * (y.max() - y.min())
    for place in places[np.argsort(-np.abs(y[places] - y.mean()), kind="stable")]:
        if len(written) < _NAMED and all(abs(y[place] - one) > room for one in written):
            written.append(y[place])
            # A dollar sign would start a formula.
            plot.annotate(names[int(place)].replace("$", r"\$"), (x[place], y[place]), xytext=(4, -2),
                          textcoords="offset points", fontsize="x-small", color=_INK)
