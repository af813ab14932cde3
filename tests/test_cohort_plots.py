"""The plots of a cohort: right numbers in bars and text, light and dark; and the distribution of a score."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

pytest.importorskip("matplotlib")

from pmed.cohort import plots
from pmed.cohort.analyses import associations, score_groups, scored
from pmed.cohort.counts import EVERYBODY
from pmed.cohort.summary import with_interval
from pmed.errors import InputError, TableError
from pmed.plots import Picture
from tests.test_plots import has_text_and_page

_N = pl.DataFrame({"group": [EVERYBODY, EVERYBODY, "AFR", "EUR", "EUR"],
                   "name": ["Normal", "Poor", "Normal", "Normal", "Poor"],
                   "n": [30, 10, 20, 10, 10], "of": [40, 40, 20, 20, 20]})
FREQUENCIES = with_interval(_N.with_columns(gene=pl.lit("A"), kind=pl.lit("phenotype")))
TAKEN = with_interval(_N.select("group", "n", "of", gene=pl.lit("A"), drug=pl.lit("d"),
                                phenotype=pl.col("name").replace("Poor", None)))


def people() -> pl.DataFrame:
    return pl.DataFrame({"patient_id": [f"p{n}" for n in range(200)], "sample": [f"s{n}" for n in range(200)],
                         "group": ["AFR", "EUR"] * 100})


def scores() -> pl.DataFrame:
    mine = pl.DataFrame({"sample": [f"s{n}" for n in range(199)], "score": "PGS1", "sum": np.arange(199.0)})
    return pl.concat([mine, mine.with_columns(score=pl.lit("PGS2"), sum=pl.lit(0.0))])


def found_of() -> pl.DataFrame:
    names = [f"p{n}" for n in range(200)]
    genes = pl.DataFrame({"patient_id": names, "gene": "A", "phenotype": ["Poor", "Normal"] * 100})
    ill = [(n % 2 == 0 and n % 8 != 0) or n % 9 == 0 for n in range(200)]
    outcome = pl.DataFrame({"patient_id": names, "outcome": ill})
    return associations(genes, outcome)


DRAWN: dict[str, Callable[[bool], Picture]] = {
    "phenotypes": lambda dark: plots.phenotypes(FREQUENCIES, "A", dark=dark),
    "exposure": lambda dark: plots.exposure(TAKEN, "d", "A", dark=dark),
    "association": lambda dark: plots.association(found_of(), dark=dark),
    "scores": lambda dark: plots.scores(scored(people(), scores(), "PGS1"), dark=dark),
}


@pytest.mark.parametrize("name", DRAWN)
@pytest.mark.parametrize("dark", [False, True])
def test_every_plot_has_its_text_and_its_page(name: str, dark: bool) -> None:
    has_text_and_page(DRAWN[name](dark), dark)


def test_bars_are_the_shares_of_each_group_and_everybody_comes_first() -> None:
    figure = plots.phenotypes(FREQUENCIES, "A")
    bars = [[round(bar.get_width(), 6) for bar in some] for some in figure.axes[0].containers
            if hasattr(some, "patches")]
    assert bars == [[75.0, 25.0], [100.0], [50.0, 50.0]]
    assert figure.alt == ("Phenotypes of A: all (40 people) Normal 75.0 %, Poor 25.0 %; "
                          "AFR (20 people) Normal 100.0 %; EUR (20 people) Normal 50.0 %, Poor 50.0 %.")


def test_an_unknown_phenotype_of_those_who_take_a_drug_is_a_bar_of_its_own() -> None:
    labels = [one.get_text() for one in plots.exposure(TAKEN, "d", "A").axes[0].get_yticklabels()]
    assert labels == ["Normal", "unknown"]


def test_effects_are_drawn_with_their_intervals() -> None:
    found, figure = found_of(), plots.association(found_of())
    drawn = sorted(line.get_xdata()[0] for line in figure.axes[0].lines if len(line.get_xdata()) == 1 and
                   line.get_marker() in {"o", "s"})
    assert drawn == pytest.approx(sorted(found["effect"]))
    assert f"{found.height} of {found.height} gene results" in figure.alt
    assert "2 with a false discovery rate" in figure.alt


def test_nothing_to_draw_is_one_line() -> None:
    with pytest.raises(TableError, match="no phenotype of 'B'"):
        plots.phenotypes(FREQUENCIES, "B")
    with pytest.raises(TableError, match="nobody takes 'x'"):
        plots.exposure(TAKEN, "x", "A")


def test_a_score_by_group_and_who_has_none() -> None:
    table = score_groups(scored(people(), scores(), "PGS1"))
    assert table["group"].to_list() == [EVERYBODY, "AFR", "EUR"]
    assert table.select("people", "unknown").rows() == [(199, 1), (100, 0), (99, 1)]
    assert table["median"].to_list() == [99.0, 99.0, 99.0]
    assert table["mean"].to_list() == pytest.approx([99.0, 99.0, 99.0])
    assert table["p5"][0] == pytest.approx(9.9)
    assert table["sd"][0] == pytest.approx(np.arange(199.0).std(ddof=1))
    with pytest.raises(InputError, match="'PGS1' twice"):
        scored(people(), pl.concat([scores(), scores()]), "PGS1")
    with pytest.raises(InputError, match="no column 'z_norm2'"):
        scored(people(), scores(), "PGS1", of="z_norm2")
    with pytest.raises(InputError, match="no score 'PGS3'.*there are: PGS1, PGS2"):
        scored(people(), scores(), "PGS3")
