"""Association tests against closed forms and against statsmodels where it is there."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest

from pmed.cohort.analyses import COLLINEAR, SAME_OUTCOME, associations, false_discovery_rates, linear, logistic
from pmed.errors import InputError
from pmed.tables import TABLES


def table(carrier_cases: int, carriers: int, cases: int, others: int) -> tuple[np.ndarray, np.ndarray]:
    """Design with an intercept, and outcome, of a 2 × 2 table."""
    carrier = np.repeat([1.0, 0.0], [carriers, others])
    y = np.concatenate([np.arange(carriers) < carrier_cases, np.arange(others) < cases]).astype(float)
    return np.column_stack([carrier, np.ones(len(y))]), y


def test_a_full_table_gives_its_odds_ratio_with_woolfs_error() -> None:
    effect, error, p, method = logistic(*table(30, 60, 40, 200))
    assert method == "logistic"
    assert effect == pytest.approx(math.log(30 * 160 / (30 * 40)), abs=1e-8)
    assert error == pytest.approx(math.sqrt(1 / 30 + 1 / 30 + 1 / 40 + 1 / 160), abs=1e-6)
    assert p == pytest.approx(math.erfc(effect / error / math.sqrt(2)), rel=1e-9)


@pytest.mark.parametrize(("a", "n", "c", "m"), [(5, 5, 20, 100), (0, 8, 30, 90), (3, 9, 9, 60)])
def test_firth_is_half_a_person_more_in_each_cell(a: int, n: int, c: int, m: int) -> None:
    """Of a saturated model Firth's penalty is Jeffreys' prior, whose mode adds 1/2 to each cell."""
    effect, _, p, method = logistic(*table(a, n, c, m))
    assert method == "firth"
    assert effect == pytest.approx(math.log((a + .5) * (m - c + .5) / ((n - a + .5) * (c + .5))), abs=1e-6)
    assert 0 < p < 1


def test_covariates_as_statsmodels_has_them() -> None:
    models = pytest.importorskip("statsmodels.api")
    rng = np.random.default_rng(1)
    x = np.column_stack([rng.random(600) < .3, np.ones(600), rng.normal(size=600)]).astype(float)
    y = x @ [0.8, 0.1, 0.5] + rng.normal(size=600)
    theirs = models.OLS(y, x).fit()
    assert linear(x, y)[:3] == pytest.approx((theirs.params[0], theirs.bse[0], theirs.pvalues[0]), rel=1e-8)
    case = (y > 0).astype(float)
    theirs = models.Logit(case, x).fit(disp=0)
    assert logistic(x, case)[:3] == pytest.approx((theirs.params[0], theirs.bse[0], theirs.pvalues[0]), rel=1e-5)


def test_a_result_that_is_not_sure_is_no_level_of_a_result() -> None:
    people = [f"p{n}" for n in range(90)]
    rows = [{"patient_id": one, "gene": "A", "status": "ambiguous" if n % 3 == 0 else "called",
             "phenotype": "poor" if n % 3 == 1 else "normal", "complete": n % 3 != 0} for n, one in enumerate(people)]
    genes = TABLES["gene_results"].frame(rows)
    outcome = pl.DataFrame({"patient_id": people, "outcome": [n % 2 == 0 for n in range(90)]})
    assert associations(genes, outcome)["people"].to_list() == [60, 60]  # before, the 30 counted as normal
    for of in ("status", "complete", "diplotypes", "possible_phenotypes"):
        with pytest.raises(InputError, match="no result to test"):
            associations(genes, outcome, of=of)
    own = genes.select("patient_id", "gene", called=pl.col("status") == "called")
    assert associations(own, outcome, of="called")["result"].sort().to_list() == ["false", "true"]


def test_results_are_tested_gene_by_gene_and_the_unknown_are_left_out() -> None:
    people = [f"p{n}" for n in range(200)]
    carrier = [n % 4 == 0 for n in range(200)]
    genes = pl.DataFrame({"patient_id": people * 2, "gene": ["A"] * 200 + ["B"] * 200,
                          "phenotype": [None if n == 1 else "poor" if one else "normal"
                                        for n, one in enumerate(carrier)] + ["normal"] * 200})
    noise = np.random.default_rng(2).normal(size=200)
    outcome = pl.DataFrame({"patient_id": people, "outcome": noise + np.array(carrier) * 2})
    found = associations(genes, outcome)
    assert found["gene"].unique().to_list() == ["A"]
    assert found.filter(result="poor").select("carriers", "people", "method").row(0) == (50, 199, "linear")
    assert found.filter(result="poor")["effect"][0] == pytest.approx(2, abs=0.4)
    ages = pl.DataFrame({"patient_id": people, "age": [None, *range(199)]})
    assert associations(genes, outcome, ages)["people"].unique().to_list() == [198]
    assert associations(genes, outcome.with_columns(pl.col("outcome") > 1), ages)["method"][0] in {"firth", "logistic"}
    with pytest.raises(InputError, match="boolean or a number"):
        associations(genes, outcome.with_columns(pl.col("outcome").cast(pl.String)))


@pytest.mark.parametrize(("outcome", "told"), [
    ([float(n % 7) for n in range(60)], "linear"), ([n % 7 < 3 for n in range(60)], "firth"),
    ([0.1] * 60, SAME_OUTCOME), ([True] * 60, SAME_OUTCOME)])
def test_an_effect_that_cannot_be_told_is_null(outcome: list[float], told: str) -> None:
    people = [f"p{n}" for n in range(60)]
    genes = pl.DataFrame({"patient_id": people * 2, "gene": ["A"] * 60 + ["B"] * 60,
                          "phenotype": ["poor" if n % 3 == 0 else "normal" for n in range(60)]
                          + ["poor" if n % 4 == 0 else "normal" for n in range(60)]})
    given = pl.DataFrame({"patient_id": people, "outcome": outcome})
    same = pl.DataFrame({"patient_id": people, "poor": [1e5 if n % 3 == 0 else 0.0 for n in range(60)]})
    found = associations(genes, given, same)
    first, second = found.filter(gene="A"), found.filter(gene="B")
    assert first["p"].null_count() == first["q"].null_count() == first["effect"].null_count() == 2
    assert set(second["method"]) == {told}
    assert set(first["method"]) == {COLLINEAR if told in {"linear", "firth"} else SAME_OUTCOME}
    assert second["q"].null_count() == (2 if told == SAME_OUTCOME else 0)


def test_nan_is_unknown() -> None:
    people = [f"p{n}" for n in range(60)]
    genes = pl.DataFrame({"patient_id": people, "gene": "A", "phenotype": ["a", "b"] * 30})
    outcome = pl.DataFrame({"patient_id": people, "outcome": [math.nan, *(float(n % 7) for n in range(59))]})
    ages = pl.DataFrame({"patient_id": people, "age": [*(float(n % 11) for n in range(59)), math.nan]})
    assert associations(genes, outcome)["people"].to_list() == [59, 59]
    found = associations(genes, outcome, ages)
    assert found["people"].to_list() == [58, 58]
    assert found["p"].is_finite().all()


def test_false_discovery_rates_are_those_of_the_paper() -> None:
    p = np.array([.0001, .0004, .0019, .0095, .0201, .0278, .0298, .0344, .0459, .3240, .4262, .5719, .6528, .7590,
                  1.0])
    assert int((false_discovery_rates(p) <= .05).sum()) == 4


def test_a_frame_without_its_column_is_named() -> None:
    genes = pl.DataFrame({"patient_id": ["a"], "gene": ["G"], "phenotype": ["x"]})
    outcome = pl.DataFrame({"patient_id": ["a"], "y": [1.0]})
    with pytest.raises(InputError, match=r"outcome: has no column 'outcome'. Got patient_id, y"):
        associations(genes, outcome)
    with pytest.raises(InputError, match="genes: has no column 'diplotype'"):
        associations(genes, outcome.rename({"y": "outcome"}), of="diplotype")
