"""Association tests of gene results: who is compared with whom, closed forms, and input that cannot be used."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from pmed.cohort.analyses import NO_REFERENCE, OTHERS, associations, false_discovery_rates
from pmed.cohort.counts import counted
from pmed.cohort.fits import COLLINEAR, SAME_OUTCOME, logistic
from pmed.cohort.plan import files_of_same_people
from pmed.cohort.result import Cohort
from pmed.cohort.summary import summaries, with_interval
from pmed.errors import InputError, PmedError
from pmed.tables import TABLES


def table(carrier_cases: int, carriers: int, cases: int, others: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Carriers, no covariates, and outcome of a 2 × 2 table."""
    carrier = np.repeat([1.0, 0.0], [carriers, others])
    y = np.concatenate([np.arange(carriers) < carrier_cases, np.arange(others) < cases]).astype(float)
    return carrier, np.empty((len(y), 0)), y


def test_a_full_table_gives_its_odds_ratio_with_woolfs_error() -> None:
    effect, error, low, high, p, method = logistic(*table(30, 60, 40, 200))
    assert method == "logistic"
    assert effect == pytest.approx(math.log(30 * 160 / (30 * 40)), abs=1e-8)
    assert error == pytest.approx(math.sqrt(1 / 30 + 1 / 30 + 1 / 40 + 1 / 160), abs=1e-6)
    assert (low, high) == pytest.approx((effect - 1.959964 * error, effect + 1.959964 * error), rel=1e-6)
    assert p == pytest.approx(math.erfc(effect / error / math.sqrt(2)), rel=1e-9)


@pytest.mark.parametrize(("a", "n", "c", "m"), [(5, 5, 20, 100), (0, 8, 30, 90), (3, 9, 9, 60)])
def test_firth_is_half_a_person_more_in_each_cell(a: int, n: int, c: int, m: int) -> None:
    """Of a saturated model Firth's penalty is Jeffreys' prior, whose mode adds 1/2 to each cell."""
    effect, _, low, high, p, method = logistic(*table(a, n, c, m))
    assert method == "firth"
    assert effect == pytest.approx(math.log((a + .5) * (m - c + .5) / ((n - a + .5) * (c + .5))), abs=1e-6)
    assert low < effect < high
    assert (low < 0 < high) == (p > .05)


def test_a_result_that_is_not_sure_is_no_level_of_a_result() -> None:
    people = [f"p{n}" for n in range(90)]
    rows = [{"patient_id": one, "gene": "A", "status": "ambiguous" if n % 3 == 0 else "called",
             "phenotype": "poor" if n % 3 == 1 else "normal", "complete": n % 3 != 0} for n, one in enumerate(people)]
    genes = TABLES["gene_results"].frame(rows)
    outcome = pl.DataFrame({"patient_id": people, "outcome": [n % 2 == 0 for n in range(90)]})
    assert associations(genes, outcome)["people"].to_list() == [60]  # before, the 30 counted as normal
    for of in ("status", "complete", "diplotypes", "possible_phenotypes"):
        with pytest.raises(InputError, match="no result to test"):
            associations(genes, outcome, of=of)
    own = genes.select("patient_id", "gene", called=pl.col("status") == "called")
    assert associations(own, outcome, of="called")["result"].to_list() == ["false"]  # the rarer alone


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
    assert first["p"].null_count() == first["q"].null_count() == first["effect"].null_count() == 1
    assert set(second["method"]) == {told}
    assert set(first["method"]) == {COLLINEAR if told in {"linear", "firth"} else SAME_OUTCOME}
    assert second["q"].null_count() == (told == SAME_OUTCOME)


def test_nan_is_unknown() -> None:
    people = [f"p{n}" for n in range(60)]
    genes = pl.DataFrame({"patient_id": people, "gene": "A", "phenotype": ["a", "b"] * 30})
    outcome = pl.DataFrame({"patient_id": people, "outcome": [math.nan, *(float(n % 7) for n in range(59))]})
    ages = pl.DataFrame({"patient_id": people, "age": [*(float(n % 11) for n in range(59)), math.nan]})
    assert associations(genes, outcome)["people"].to_list() == [59]
    found = associations(genes, outcome, ages)
    assert found["people"].to_list() == [58]
    assert found["p"].is_finite().all()


def test_false_discovery_rates_are_those_of_the_paper() -> None:
    p = np.array([.0001, .0004, .0019, .0095, .0201, .0278, .0298, .0344, .0459, .3240, .4262, .5719, .6528, .7590,
                  1.0])
    told = [.00150, .00300, .00950, .03563, .06030, .06386, .06386, .06450, .07650, .48600, .58118, .71488, .75323,
            .81321, 1.0]
    order = np.random.default_rng(1).permutation(15)
    assert false_discovery_rates(p[order]) == pytest.approx(np.array(told)[order], abs=1e-5)
    assert int((false_discovery_rates(p) <= .05).sum()) == 4


def test_a_frame_without_its_column_is_named() -> None:
    genes = pl.DataFrame({"patient_id": ["a"], "gene": ["G"], "phenotype": ["x"]})
    outcome = pl.DataFrame({"patient_id": ["a"], "y": [1.0]})
    with pytest.raises(InputError, match=r"outcome: has no column 'outcome'. Got patient_id, y"):
        associations(genes, outcome)
    with pytest.raises(InputError, match="genes: has no column 'diplotype'"):
        associations(genes, outcome.rename({"y": "outcome"}), of="diplotype")


PEOPLE = [f"p{n}" for n in range(240)]
RESULTS = ["poor", "normal", "normal", "rapid", "Indeterminate", None] * 40
ILL = pl.DataFrame({"patient_id": PEOPLE, "outcome": [n % 7 < 3 or n % 12 == 0 for n in range(240)]})
GENES = pl.DataFrame({"patient_id": PEOPLE, "gene": "A", "phenotype": RESULTS})
AGES = pl.DataFrame({"patient_id": PEOPLE, "age": [float(n % 53) for n in range(240)]})


def test_what_nobody_knows_is_no_result_and_no_reference() -> None:
    found = associations(GENES, ILL, AGES)
    assert found["result"].sort().to_list() == ["normal", "poor", "rapid"]
    assert set(found["people"]) == {160}
    assert set(found["against"]) == {OTHERS}
    poor = found.row(by_predicate=pl.col("result") == "poor", named=True)
    known = GENES.filter(pl.col("phenotype").is_in(["poor", "normal", "rapid"])).join(ILL, on="patient_id")
    assert poor["cases"] == known["outcome"].sum()
    assert poor["carrier_cases"] == known.filter(phenotype="poor")["outcome"].sum()


def test_results_are_compared_with_a_reference_where_one_is_named() -> None:
    two = pl.concat([GENES, GENES.with_columns(gene=pl.lit("B"), phenotype=pl.col("phenotype").replace("normal", "x"))])
    found = associations(two, ILL, reference=("normal", "usual"))
    first = found.filter(gene="A")
    assert dict(first.select("result", "people").iter_rows()) == {"poor": 120, "rapid": 120}
    assert set(first["against"]) == {"normal"}
    alone = associations(GENES.filter(pl.col("phenotype").is_in(["poor", "normal"])), ILL).filter(result="poor")
    assert first.filter(result="poor")["effect"][0] == pytest.approx(alone["effect"][0], rel=1e-9)
    second = found.filter(gene="B")
    assert set(second["method"]) == {NO_REFERENCE}
    assert second["p"].null_count() == second.height == 3


def test_the_order_of_rows_is_nothing() -> None:
    one = associations(GENES, ILL, AGES)
    mixed = associations(*(frame.sample(fraction=1, shuffle=True, seed=4) for frame in (GENES, ILL, AGES)))
    assert one.select(pl.exclude(pl.Float64)).equals(mixed.select(pl.exclude(pl.Float64)))
    for name in ("effect", "low", "high", "p", "q"):
        assert one[name].to_list() == pytest.approx(mixed[name].to_list(), rel=1e-9)


def test_only_the_outcome_is_taken_of_its_frame_and_covariates_may_have_any_name() -> None:
    known = associations(GENES, ILL, AGES)
    wide = ILL.with_columns(sample=pl.lit("x"), site=pl.Series([None, 1.0] * 120))
    assert associations(GENES, wide, AGES).equals(known)
    for name in ("outcome", "gene", "phenotype"):
        assert associations(GENES, ILL, AGES.rename({"age": name})).equals(known)
    assert associations(GENES, ILL, AGES.select("patient_id", old=pl.col("age") > 30))["people"].to_list() == [160] * 3


def strangers(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(patient_id="x" + pl.col("patient_id"))


@pytest.mark.parametrize(("genes", "outcome", "covariates", "said"), [
    (GENES, ILL, pl.concat([AGES, AGES]), r"covariates: has 'p0' twice"),
    (GENES, pl.concat([ILL, ILL]), None, r"outcome: has 'p0' twice"),
    (pl.concat([GENES, GENES]), ILL, None, r"genes: has 'A' of 'p0' twice"),
    (GENES, ILL, AGES.with_columns(sample=pl.lit("x")), r"covariates: 'sample' is no number. Got String \(leave it"),
    (GENES, ILL, AGES.with_columns(pl.col("age").replace(3.0, math.inf)), "covariates: 'age' is infinite for somebody"),
    (GENES, AGES.select("patient_id", outcome=1 / pl.col("age")), None, "outcome: 'outcome' is infinite for somebody"),
    (GENES, ILL.cast({"outcome": pl.Int8}), None, r"outcome: 0 and 1 may be no and yes.*cast to pl.Boolean"),
    (GENES, ILL.with_columns(patient_id=pl.int_range(pl.len())), None, "outcome: 'patient_id' must be text. Got Int64"),
    (GENES, strangers(ILL), None, "genes: has nobody of those with an outcome"),
    (GENES, ILL, strangers(AGES), "covariates: has nobody of those with an outcome")])
def test_what_cannot_be_used_is_one_line(genes: pl.DataFrame, outcome: pl.DataFrame, covariates: pl.DataFrame | None,
                                         said: str) -> None:
    with pytest.raises(InputError, match=said) as told:
        associations(genes, outcome, covariates)
    assert "\n" not in str(told.value)


def test_a_frequency_says_how_many_have_no_answer() -> None:
    """Of RYR1 a harmful variant is known by one site, a harmless gene by all: 2 of 2 are no frequency of 100 people."""
    people = pl.DataFrame({"patient_id": [f"p{n}" for n in range(100)], "sample": [f"p{n}" for n in range(100)],
                           "group": "g", "recorded": False})
    rows = [{"patient_id": f"p{n}", "gene": "RYR1", "status": "called" if n < 2 else "ambiguous",
             "diplotypes": ["Reference/c.1840C>T"] if n < 2 else ["a/b", "c/d"],
             "phenotype": "Susceptible" if n < 2 else None, "complete": n < 2} for n in range(100)]
    taken = pl.DataFrame(schema={"patient_id": pl.String, "drug": pl.String})
    counts = counted(people, taken, TABLES["gene_results"].frame(rows), TABLES["suggestions"].empty())
    told = summaries(counts)["frequencies"].filter(group="all").select("kind", "n", "of", "unknown")
    assert told.filter(kind="phenotype").rows() == [("phenotype", 2, 2, 98)]
    assert told.filter(kind="diplotype").rows() == [("diplotype", 2, 2, 98)]
    assert told.filter(kind="allele").rows() == [("allele", 2, 4, 98)] * 2
    assert told.filter(kind="status").sort("n").rows() == [("status", 2, 100, 0), ("status", 98, 100, 0)]


@pytest.mark.parametrize(("n", "of", "low", "high"), [(81, 263, .2527, .3676), (15, 148, .0578, .1617),
                                                      (0, 20, .0, .1684), (1, 29, .0009, .1776)])
def test_intervals_are_those_that_newcombe_lists(n: int, of: int, low: float, high: float) -> None:
    """Newcombe RG, Stat Med 1998;17:857-72, table I, method 5."""
    found = with_interval(pl.DataFrame({"n": [n], "of": [of]}))
    assert found.select("low", "high").row(0) == pytest.approx((low, high), abs=6e-5)


def test_a_genome_that_is_given_twice_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.vcf").write_text("##fileformat=VCFv4.3\n")
    with pytest.raises(PmedError, match=r"a\.vcf: a genome file is given twice"):
        files_of_same_people([tmp_path / "a.vcf", tmp_path / ".." / tmp_path.name / "a.vcf"], "")


def test_one_is_one_and_more_are_more() -> None:
    one = str(Cohort(Path("out"), 1, {"a": "b"}, {"p": "q"}))
    assert one == "1 person, 1 file unread, 1 person without results; out"
    assert str(Cohort(Path("out"), 3, {"a": "b", "c": "d"})) == "3 people, 2 files unread; out"
