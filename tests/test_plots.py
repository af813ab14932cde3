"""The plots: right numbers in the bars and in the text, light and dark, and nothing guessed."""

from __future__ import annotations

import re

import numpy as np
import polars as pl
import pytest

pytest.importorskip("matplotlib")

from pmed import plots
from pmed.errors import OptionError, TableError
from tests import render_cases as cases


def risks() -> pl.DataFrame:
    rng = np.random.default_rng(8)
    predicted = rng.beta(2, 8, 4000)
    return pl.DataFrame({"predicted": predicted, "observed": rng.random(4000) < predicted})


def explained() -> pl.DataFrame:
    return cases.full().tables["explanations"].filter(target="zappa")


def people() -> pl.DataFrame:
    rng = np.random.default_rng(8)
    return pl.DataFrame({"sample": [f"s{n}" for n in range(60)], "pc1": rng.normal(size=60), "pc2": rng.normal(size=60),
                         "group": ["EUR", "AFR", None] * 20})


GENES = pl.DataFrame({"gene": ["A"] * 10 + ["B"], "phenotype": ["Normal"] * 6 + ["Poor"] * 3 + [None, "Normal"]})
DRAWN = {
    "shap_bars": lambda dark: plots.shap_bars(explained(), dark=dark),
    "calibration": lambda dark: plots.calibration(risks(), dark=dark),
    "decision_curve": lambda dark: plots.decision_curve(risks(), dark=dark),
    "score_distribution": lambda dark: plots.score_distribution(pl.DataFrame({"score": np.arange(100.0)}), score=90.0,
                                                                dark=dark),
    "phenotype_frequencies": lambda dark: plots.phenotype_frequencies(GENES, "A", dark=dark),
    "ancestry": lambda dark: plots.ancestry(people(), sample="s3", dark=dark),
}


def has_text_and_page(figure: plots.Picture, dark: bool) -> None:
    assert figure.alt.endswith(".")
    assert figure.get_facecolor()[0] == pytest.approx(0x14 / 255 if dark else 1.0)
    shown = figure._repr_html_()
    assert re.match(r'<img alt="[^"<>]{30,}"', shown)
    assert "base64," in shown


@pytest.mark.parametrize("name", DRAWN)
@pytest.mark.parametrize("dark", [False, True])
def test_every_plot_has_its_text_and_its_page(name: str, dark: bool) -> None:
    has_text_and_page(DRAWN[name](dark), dark)


def test_bars_go_from_reference_to_patient() -> None:
    axes = plots.shap_bars(explained()).axes[0]
    bars = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in axes.patches]
    row = explained().row(0, named=True)
    assert bars[0] == pytest.approx((0, row["baseline"]), abs=0.05)
    assert bars[-1] == pytest.approx((0, row["prediction"]), abs=0.05)
    sizes = sorted((abs(amount) for amount in explained()["contribution"] if amount), reverse=True)
    assert [right - left for left, right in bars[1:-1]] == pytest.approx(sizes, abs=0.05)


def test_bars_of_several_predictions_are_refused() -> None:
    rows = explained()
    with pytest.raises(TableError, match="rows of 2 predictions"):
        plots.shap_bars(pl.concat([rows, rows.with_columns(target=pl.lit("other"))]))


def test_wilson_by_the_book() -> None:
    """Newcombe RG, Stat Med 1998;17:857, table I: 81 of 263 and 0 of 20."""
    low, high = plots.wilson(np.array([81 / 263, 0.0]), np.array([263, 20]))
    assert low.tolist() == pytest.approx([0.2553, 0.0], abs=5e-5)
    assert high.tolist() == pytest.approx([0.3662, 0.1611], abs=5e-5)


def test_calibration_is_that_of_groups_of_equal_size() -> None:
    figure = plots.calibration(pl.DataFrame({"predicted": [0.1, 0.1, 0.3, 0.3], "observed": [0, 0, 0, 1]}), bins=2)
    [line] = [one for one in figure.axes[0].lines if len(one.get_xdata()) == 2 and one.get_marker() == "o"]
    assert list(line.get_xdata()) == pytest.approx([0.1, 0.3])
    assert list(line.get_ydata()) == pytest.approx([0.0, 0.5])


def test_unknown_is_left_out_and_counted() -> None:
    figure = plots.calibration(pl.DataFrame({"predicted": [0.1, None, 0.3], "observed": [0, 1, None]}))
    assert "Calibration of 1 person in 1 group (2 of unknown risk or outcome left out)" in figure.alt


def test_net_benefit_by_hand() -> None:
    model, everybody = plots.net_benefit(np.array([0.1, 0.6, 0.7, 0.2]), np.array([0.0, 1.0, 0.0, 1.0]),
                                         np.array([0.5]))
    assert model.tolist() == pytest.approx([1 / 4 - 1 / 4])  # one true, one false positive, odds 1
    assert everybody.tolist() == pytest.approx([0.0])


def test_unknown_phenotype_is_a_bar_of_its_own() -> None:
    figure = plots.phenotype_frequencies(GENES, "A")
    assert [one.get_text() for one in figure.axes[0].get_yticklabels()] == ["Normal", "Poor", "unknown"]
    assert figure.alt == "Phenotypes of A in 10 people: Normal 60.0 %, Poor 30.0 %, unknown 10.0 %."


def test_percentile_counts_half_of_those_alike() -> None:
    figure = plots.score_distribution(pl.DataFrame({"score": [1.0, 2.0, 2.0, 3.0]}), score=2.0)
    assert "at percentile 50" in figure.alt
    assert "unknown" in plots.score_distribution(pl.DataFrame({"score": [1.0, 2.0]})).alt


@pytest.mark.parametrize("draw", [
    lambda: plots.calibration(pl.DataFrame({"predicted": [12.0], "observed": [1]})),
    lambda: plots.calibration(pl.DataFrame({"risk": [0.1]})),
    lambda: plots.phenotype_frequencies(GENES, "C"),
    lambda: plots.score_distribution(pl.DataFrame({"score": [None]}, schema={"score": pl.Float64()}))])
def test_what_cannot_be_drawn_is_refused(draw) -> None:
    with pytest.raises(TableError):
        draw()


def test_options_outside_their_limits() -> None:
    with pytest.raises(OptionError, match="'thresholds' must be in"):
        plots.decision_curve(risks(), thresholds=(0.5, 0.1))
    with pytest.raises(OptionError, match="no sample is called 'x'"):
        plots.ancestry(people(), sample="x")


@pytest.mark.parametrize(("score", "side"), [(-1.0, "left"), (2.0, "right")])
def test_what_is_said_of_the_patient_is_above_the_bars_and_inside(score: float, side: str) -> None:
    values = np.random.default_rng(1).normal(size=400)
    [axes] = plots.score_distribution(pl.DataFrame({"score": values}), score=score).axes
    assert axes.get_ylim()[1] > 1.1 * max(bar.get_height() for bar in axes.patches)
    assert axes.texts[0].get_ha() == side
