"""The plots of a cohort: right numbers in points and text, light and dark; and the distribution of a score."""

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
FREQUENCIES = with_interval(_N.with_columns(gene=pl.lit("A"), kind=pl.lit("phenotype"),
                                            unknown=pl.col("group").replace_strict({"EUR": 3}, default=0)))
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


def points(figure: Picture) -> list[list[tuple[float, float]]]:
    """Share and place of each point of each group."""
    lines = [some.lines[0] for some in figure.axes[0].containers]
    return [list(zip(line.get_xdata(), line.get_ydata(), strict=True)) for line in lines]


def test_points_are_the_shares_of_each_group_and_everybody_comes_first() -> None:
    figure = plots.phenotypes(FREQUENCIES, "A")
    shares = [[round(share, 6) for share, _ in sorted(some, key=lambda one: one[1])] for some in points(figure)]
    assert shares == [[25.0, 75.0], [0.0, 100.0], [50.0, 50.0]]  # poor ones first; nobody is 0 of 20
    assert figure.alt == ("Phenotypes of A: all (n = 40) Poor 25.0 %, Normal 75.0 %; AFR (n = 20) Poor 0.0 %, "
                          "Normal 100.0 %; EUR (n = 20, 3 more unknown) Poor 50.0 %, Normal 50.0 %.")
    nobody = next(some for some in figure.axes[0].containers if some.get_label() == "AFR (n = 20)")
    low, high = (line.get_xdata() for line in nobody.lines[1])
    assert (min(low), min(high)) == pytest.approx((0.0, 16.8433), abs=1e-4)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "all (n = 40)", "AFR (n = 20)", "EUR (n = 20, 3 more unknown)"]


@pytest.mark.parametrize(("given", "drawn"), [
    (["Normal Metabolizer", "Ultrarapid Metabolizer", "Indeterminate", "Poor Metabolizer", "Likely Poor Metabolizer"],
     ["Poor Metabolizer", "Likely Poor Metabolizer", "Normal Metabolizer", "Ultrarapid Metabolizer", "Indeterminate"]),
    (["Increased Function", "Decreased Function", "Normal Function", ""],
     ["Decreased Function", "Normal Function", "Increased Function", "unknown"]),
    (["-1639 GG", "-1639 AA"], ["-1639 AA", "-1639 GG"])])
def test_phenotypes_are_in_order_of_function_and_else_of_frequency(given: list[str], drawn: list[str]) -> None:
    rows = pl.DataFrame({"name": given, "n": range(1, len(given) + 1)}).with_columns(
        group=pl.lit(EVERYBODY), drug=pl.lit("d"), gene=pl.lit("A"), of=pl.lit(sum(range(len(given) + 1))))
    figure = plots.exposure(with_interval(rows).rename({"name": "phenotype"}), "d", "A")
    assert [one.get_text() for one in figure.axes[0].get_yticklabels()] == drawn


def test_an_unknown_phenotype_of_those_who_take_a_drug_is_a_bar_of_its_own() -> None:
    labels = [one.get_text() for one in plots.exposure(TAKEN, "d", "A").axes[0].get_yticklabels()]
    assert labels == ["Normal", "unknown"]


def test_effects_are_drawn_with_their_intervals() -> None:
    found, figure = found_of(), plots.association(found_of())
    assert [share for (share, _), in points(figure)] == pytest.approx(np.exp(found["effect"].to_numpy()))
    ends = [sorted(line.get_xdata()[0] for line in some.lines[1]) for some in figure.axes[0].containers]
    assert ends == [pytest.approx(one) for one in np.exp(found.select("low", "high").to_numpy())]
    assert figure.axes[0].get_xscale() == "log"
    assert f"{found.height} of {found.height} gene results" in figure.alt
    assert "1 of them with a false discovery rate" in figure.alt
    assert "odds ratio against everybody else" in figure.axes[0].get_xlabel()


def test_differences_are_drawn_as_they_are_and_an_end_that_is_not_there_is_not() -> None:
    found = found_of().with_columns(low=pl.lit(None, dtype=pl.Float64), method=pl.lit("linear"),
                                    carrier_cases=pl.lit(None, dtype=pl.Int64))
    figure = plots.association(found)
    assert [share for (share, _), in points(figure)] == found["effect"].to_list()
    assert figure.axes[0].get_xscale() == "linear"
    assert "(? to " in figure.alt


def test_a_group_of_one_and_one_score_for_all_are_drawn() -> None:
    same = pl.DataFrame({"group": ["AFR", "EUR", "EUR"], "score": [1.0, 2.0, 2.0]})
    figure = plots.scores(same, label="sum of PGS1")
    assert [one.get_text() for one in figure.axes[0].get_yticklabels()] == ["AFR (n = 1)", "EUR (n = 2)"]
    assert figure.axes[0].get_title() == "Sum of PGS1 by group"


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
