"""Plots of results, in one style: functions that take frames and return a matplotlib `Figure` with a text beside it.

matplotlib is the one library: shap draws with it, so that shap's plots and these stand side by side, it needs no
JavaScript, and its figures go into papers. Nothing here touches pyplot, so nothing is left open.

Each figure has `alt`, which a notebook shows as the image's alternative text, and is drawn for a light page, or with
``dark=True`` for a dark one.
"""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from .compatibility import install_extra
from .errors import OptionError, PmedError, TableError
from .render import words
from .render.bars import MOST_BARS, waterfall

try:
    from matplotlib.figure import Figure
except ImportError as error:
    raise PmedError("matplotlib is not installed",
                    hint=install_extra("lab")) from error

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, HEIGHT, DPI = 7.0, 3.8, 110
Z95 = 1.959963984540054  # two-sided 95 % of the normal distribution


@dataclass(frozen=True)
class Style:
    """Colours of a page; the same as in the report."""

    page: str
    text: str
    muted: str
    grid: str
    up: str
    down: str
    whole: str
    groups: tuple[str, ...]


LIGHT = Style("#ffffff", "#1a2027", "#55606d", "#e1e5ea", "#a34e07", "#2667a8", "#68727e",
              ("#2667a8", "#a34e07", "#1d6b3a", "#6a329f", "#7a5200", "#a8201a", "#55606d"))
DARK = Style("#14181d", "#e7ebf0", "#a4afbb", "#2f3842", "#f0a058", "#6fb0ef", "#8b96a3",
             ("#6fb0ef", "#f0a058", "#86d7a3", "#cfa9f5", "#ecc468", "#ff9c94", "#a4afbb"))


class Picture(Figure):
    """A figure that says in words what it shows.

    Attributes:
        alt: The text, for an image's ``alt``.
    """

    alt: str = ""

    def _repr_html_(self) -> str:
        """The image with its text: notebooks prefer this to the bare image."""
        data = io.BytesIO()
        self.savefig(data, format="png", facecolor=self.get_facecolor())
        return (f'<img alt="{escape(self.alt)}" style="max-width: 100%" '
                f'src="data:image/png;base64,{b64encode(data.getvalue()).decode()}">')


def shap_bars(explanations: pl.DataFrame, *, dark: bool = False) -> Picture:
    """One prediction as a horizontal waterfall, from the reference patient to this one.

    Args:
        explanations: Rows of ``explanations`` of one patient, predictor and target.
        dark: Draw for a dark page.

    Raises:
        TableError: where the rows are not of one prediction.
    """
    _must_have(explanations, "patient_id", "predictor", "target", "feature", "value", "contribution", "baseline",
               "prediction", "unit", "method")
    keys = explanations.select("patient_id", "predictor", "target").unique()
    if keys.height != 1:
        raise TableError(f"rows of {keys.height} predictions", hint="filter by patient_id, predictor and target")
    first = explanations.row(0, named=True)
    rows = explanations.select("feature", "value", "contribution").with_columns(reference=pl.lit("")).to_dicts()
    style = DARK if dark else LIGHT
    bars = waterfall({**first, "contributions": rows})["bars"]
    figure, axes = _figure(style, height=0.9 + 0.36 * len(bars))
    low, span = _range(first["baseline"], first["prediction"], rows)
    left, width = ([one[name] / 100 * span for one in bars] for name in ("x", "width"))
    colours = {"up": style.up, "down": style.down, "total": style.whole}
    axes.barh(range(len(bars)), width, left=[low + x for x in left], color=[colours[one["sign"]] for one in bars],
              height=0.62)
    for place, one in enumerate(bars):
        axes.annotate(one["text"], (low + left[place] + width[place], place), xytext=(4, 0),
                      textcoords="offset points", va="center", color=style.text, fontsize=9)
    axes.set_yticks(range(len(bars)), [f"{one['name']}: {one['value']}" if one["value"] else one["name"]
                                       for one in bars])
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.set_xlabel(first["unit"])
    axes.set_title(words.label(first["target"]))
    told = ", ".join(f"{one['name']} {one['text']}" for one in bars[1:-1]) or "nothing changes it"
    figure.alt = (f"{words.label(first['target'])} in {first['unit']}: reference patient {bars[0]['text']}; {told}; "
                  f"this patient {bars[-1]['text']}.")
    return figure


def calibration(frame: pl.DataFrame, *, bins: int = 10, dark: bool = False) -> Picture:
    """Observed against predicted risk, in groups of equal size, with Wilson's 95 % intervals.

    Wilson EB, J Am Stat Assoc 1927;22:209, doi:10.1080/01621459.1927.10502953.

    Args:
        frame: `predicted` (probability, 0 to 1) and `observed` (true or false, 1 or 0), a row a person; rows in which
            either is unknown are left out and counted in the text.
        bins: How many groups.
        dark: Draw for a dark page.
    """
    known, lost = _risks(frame)
    if bins < 1:
        raise OptionError(f"'bins' must be at least 1. Got {bins}")
    groups = known.sort("predicted").with_columns(
        group=pl.int_range(pl.len()) * bins // pl.len()).group_by("group", maintain_order=True).agg(
        pl.len().alias("n"), pl.col("predicted").mean(), pl.col("observed").mean())
    low, high = wilson(groups["observed"].to_numpy(), groups["n"].to_numpy())
    x, y = groups["predicted"].to_numpy(), groups["observed"].to_numpy()
    style = DARK if dark else LIGHT
    figure, axes = _figure(style)
    most = float(max(x.max(), high.max(), 1e-3))
    axes.plot([0, most], [0, most], color=style.muted, linewidth=1, linestyle="--", label="perfect")
    axes.errorbar(x, y, yerr=[y - low, high - y], fmt="o", color=style.down, capsize=2, label="observed, 95 % interval")
    axes.set_xlabel("predicted risk")
    axes.set_ylabel("observed frequency")
    axes.set_title("Calibration")
    _legend(axes, style)
    predicted, observed = (float(known[name].to_numpy().mean()) for name in ("predicted", "observed"))
    many = f"{groups.height} group{'s' * (groups.height > 1)}"
    figure.alt = (f"Calibration of {_people(known.height)} in {many}{_lost(lost)}: mean predicted risk "
                  f"{predicted:.3f}, observed {observed:.3f}; the group of highest risk has {x[-1]:.3f} predicted and "
                  f"{y[-1]:.3f} observed.")
    return figure


def decision_curve(frame: pl.DataFrame, *, thresholds: tuple[float, float] = (0.01, 0.5),
                   dark: bool = False) -> Picture:
    """Net benefit of treating by the model, of treating all and of treating none, over thresholds of risk.

    Vickers AJ, Elkin EB, Med Decis Making 2006;26:565, doi:10.1177/0272989X06295361.

    Args:
        frame: `predicted` and `observed`, as for `calibration`.
        thresholds: Lowest and highest risk from which one would treat.
        dark: Draw for a dark page.
    """
    known, lost = _risks(frame)
    low, high = thresholds
    if not 0 < low < high < 1:
        raise OptionError(f"'thresholds' must be in (0, 1), rising. Got {thresholds}")
    at = np.linspace(low, high, 100)
    model, everybody = net_benefit(known["predicted"].to_numpy(), known["observed"].to_numpy(), at)
    style = DARK if dark else LIGHT
    figure, axes = _figure(style)
    axes.plot(at, model, color=style.down, linewidth=2, label="by the model")
    axes.plot(at, everybody, color=style.up, linewidth=1.2, label="treat all")
    axes.axhline(0, color=style.muted, linewidth=1.2, linestyle="--", label="treat none")
    axes.set_ylim(min(-0.02, float(model.min())), max(float(model.max()), float(everybody.max())) * 1.1 + 0.005)
    axes.set_xlabel("threshold of risk")
    axes.set_ylabel("net benefit")
    axes.set_title("Decision curve")
    _legend(axes, style)
    better = at[(model > np.maximum(everybody, 0) + 1e-12)]
    said = f"from {better[0]:.2f} to {better[-1]:.2f}" if len(better) else "nowhere"
    figure.alt = (f"Decision curve of {_people(known.height)}{_lost(lost)}: treating by the model is better than "
                  f"treating all or none at thresholds {said}.")
    return figure


def score_distribution(scores: pl.DataFrame, *, score: float | None = None, label: str = "polygenic score",
                       dark: bool = False) -> Picture:
    """A score in a population, with the patient marked.

    Args:
        scores: Column `score`, a row a person.
        score: The patient's; null where unknown, and then nothing is marked.
        label: What the score is.
        dark: Draw for a dark page.
    """
    _must_have(scores, "score")
    values = scores["score"].drop_nulls().to_numpy()
    _must_be_some(values)
    style = DARK if dark else LIGHT
    figure, axes = _figure(style)
    axes.hist(values, bins=min(60, max(8, int(np.sqrt(len(values))))), color=style.down)
    axes.set_xlabel(label)
    axes.set_ylabel("people")
    said = "the patient's is unknown"
    if score is not None:
        # Mid-rank: the share below, and half of those alike
        below = float(((values < score).mean() + (values <= score).mean()) / 2 * 100)
        axes.axvline(score, color=style.up, linewidth=2)
        axes.margins(y=0.15)  # room above the bars for what is said of the patient
        left = score > (axes.get_xlim()[0] + axes.get_xlim()[1]) / 2
        axes.annotate(f"patient, percentile {below:.0f}", (score, 1), xycoords=("data", "axes fraction"),
                      xytext=(-5 if left else 5, -12), textcoords="offset points", color=style.up, fontsize=9,
                      ha="right" if left else "left")
        said = f"the patient's is {score:.3g}, at percentile {below:.0f}"
    axes.set_title(words.label(label))
    figure.alt = f"{words.label(label)} of {_people(len(values))}, median {np.median(values):.3g}; {said}."
    return figure


def _people(number: int) -> str:
    return f"{number:,} {'person' if number == 1 else 'people'}"


def phenotype_frequencies(gene_results: pl.DataFrame, gene: str, *, dark: bool = False) -> Picture:
    """How often each phenotype of a gene is, with Wilson's 95 % intervals; unknown is one of them.

    Args:
        gene_results: The table of that name.
        gene: HGNC symbol.
        dark: Draw for a dark page.
    """
    _must_have(gene_results, "gene", "phenotype")
    counted = gene_results.filter(pl.col("gene") == gene).group_by(pl.col("phenotype").fill_null("unknown")).len().sort(
        pl.col("phenotype") == "unknown", "len", "phenotype", descending=[False, True, False])
    _must_be_some(counted["len"].to_numpy(), f"no result of {gene!r}")
    number = int(counted["len"].sum())
    share = counted["len"].to_numpy() / number
    low, high = wilson(share, np.full(len(share), number))
    style = DARK if dark else LIGHT
    figure, axes = _figure(style, height=1.2 + 0.42 * counted.height)
    names = counted["phenotype"].to_list()
    colours = [style.whole if name == "unknown" else style.down for name in names]
    axes.barh(range(len(names)), share * 100, color=colours,
              xerr=np.array([share - low, high - share]) * 100, ecolor=style.muted, capsize=2, height=0.62)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_xlabel("% of people")
    axes.set_title(f"{gene}, {_people(number)}")
    told = ", ".join(f"{name} {part * 100:.1f} %" for name, part in zip(names, share, strict=True))
    figure.alt = f"Phenotypes of {gene} in {_people(number)}: {told}."
    return figure


def ancestry(components: pl.DataFrame, *, sample: str = "", explained: Sequence[float] = (),
             dark: bool = False) -> Picture:
    """The first two principal components, coloured by group, with one person marked.

    Args:
        components: `sample`, `pc1`, `pc2`, and `group` where known; as ``pmed qc`` writes ``components.tsv``.
        sample: Who is marked; "" marks nobody.
        explained: Share of the variance that each component explains, as the summary of ``pmed qc`` has it.
        dark: Draw for a dark page.
    """
    _must_have(components, "sample", "pc1", "pc2")
    rows = components.with_columns(group=pl.col("group").fill_null("unknown") if "group" in components.columns
                                   else pl.lit("everybody"))
    _must_be_some(rows["pc1"].to_numpy())
    style = DARK if dark else LIGHT
    figure, axes = _figure(style, height=4.6)
    groups = rows.group_by("group", maintain_order=True).agg("pc1", "pc2").sort("group")
    for place, one in enumerate(groups.iter_rows(named=True)):
        axes.scatter(one["pc1"], one["pc2"], s=10, color=style.groups[place % len(style.groups)], alpha=0.6,
                     linewidths=0, marker="osD^vPX"[place % 7], label=f"{one['group']} (n = {len(one['pc1']):,})")
    found = rows.filter(pl.col("sample") == sample)
    if sample and not found.height:
        raise OptionError(f"no sample is called {sample!r}")
    for one in found.iter_rows(named=True):
        axes.scatter([one["pc1"]], [one["pc2"]], s=140, facecolors="none", edgecolors=style.text, linewidths=2)
        axes.annotate(sample, (one["pc1"], one["pc2"]), xytext=(9, 6), textcoords="offset points", color=style.text)
    shares = [f" ({share:.1%} of the variance)" for share in explained[:2]] or ["", ""]
    axes.set_xlabel(f"component 1{shares[0]}")
    axes.set_ylabel(f"component 2{shares[-1]}")
    axes.set_title("Ancestry: principal components")
    _legend(axes, style)
    told = ", ".join(f"{one['group']} {len(one['pc1'])}" for one in groups.iter_rows(named=True))
    figure.alt = f"First two principal components of {_people(rows.height)} ({told})" + (
        f"; {sample} is at {found['pc1'][0]:.3g}, {found['pc2'][0]:.3g}." if sample else ".")
    return figure


def wilson(share: Any, number: Any) -> tuple[Any, Any]:
    """Wilson's 95 % interval of shares (0 to 1) among so many, as arrays low and high."""
    square = Z95 ** 2 / number
    middle = (share + square / 2) / (1 + square)
    half = Z95 / (1 + square) * np.sqrt(share * (1 - share) / number + square / (4 * number))
    return np.minimum(np.maximum(middle - half, 0.0), share), np.maximum(np.minimum(middle + half, 1.0), share)


def net_benefit(predicted: Any, observed: Any, thresholds: Any) -> tuple[Any, Any]:
    """Net benefit of the model and of treating all at each threshold: TP/n − FP/n × t/(1 − t)."""
    odds = thresholds / (1 - thresholds)
    treated = predicted[:, None] >= thresholds[None, :]
    true = (treated & (observed[:, None] > 0)).mean(axis=0)
    false = (treated & (observed[:, None] == 0)).mean(axis=0)
    rate = observed.mean()
    return true - false * odds, rate - (1 - rate) * odds


def _figure(style: Style, *, height: float = HEIGHT) -> tuple[Picture, Axes]:
    figure = Picture(figsize=(WIDTH, height), dpi=DPI, layout="constrained", facecolor=style.page)
    axes = figure.add_subplot(facecolor=style.page)
    axes.grid(color=style.grid, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(colors=style.text, labelsize=9, length=0)
    axes.xaxis.label.set_color(style.muted)
    axes.yaxis.label.set_color(style.muted)
    axes.title.set_color(style.text)
    for side, spine in axes.spines.items():
        spine.set_visible(side in {"left", "bottom"})
        spine.set_color(style.muted)
    return figure, axes


def _legend(axes: Axes, style: Style) -> None:
    axes.legend(frameon=False, labelcolor=style.text, fontsize=9)


def _range(start: float, end: float, rows: list[dict[str, Any]]) -> tuple[float, float]:
    """Lowest value and width of the range that a waterfall of these contributions, largest first, goes through."""
    steps = sorted((one["contribution"] for one in rows), key=abs, reverse=True)
    edges = np.cumsum([start, *steps[:MOST_BARS]])
    low, high = min(0.0, end, *edges), max(0.0, end, *edges)
    return float(low), float(high - low) or 1.0


def _risks(frame: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """The predicted and the observed as numbers where both are known, and how many rows are left out."""
    _must_have(frame, "predicted", "observed")
    known = frame.select(pl.col("predicted").cast(pl.Float64), pl.col("observed").cast(pl.Float64)).drop_nulls()
    _must_be_some(known["predicted"].to_numpy())
    if known.filter(~pl.col("predicted").is_between(0, 1) | ~pl.col("observed").is_in([0.0, 1.0])).height:
        raise TableError("predicted must be in 0 to 1 and observed 0 or 1", hint="divide per cent by 100")
    return known, frame.height - known.height


def _lost(count: int) -> str:
    return f" ({count:,} of unknown risk or outcome left out)" if count else ""


def _must_have(frame: pl.DataFrame, *names: str) -> None:
    if missing := [name for name in names if name not in frame.columns]:
        raise TableError(f"the frame has no {', '.join(missing)}", hint=f"its columns are {', '.join(frame.columns)}")


def _must_be_some(values: Any, said: str = "nothing to draw: no known value") -> None:
    if not len(values):
        raise TableError(said)
