"""Absolute risks by hand, and by years of a simulated population; percentiles that unknown genotypes leave open."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner

from pmed.cli import cli
from pmed.errors import InputError
from pmed_risk.pgs.absolute import add_risks, chance, read_incidence, read_people, relative_hazard
from pmed_risk.pgs.reference import Panel, compare

TABLE = """#score=PGS1
#outcome=an outcome
#hr_per_sd=1.5
#hr_low=1.4
#hr_high=1.6
#populations=P
#source=invented
sex,age_from,age_to,incidence,mortality
female,40,50,0.001,0.002
female,50,60,0.004,0.006
"""


@pytest.fixture
def table(tmp_path):
    file = tmp_path / "risk.csv"
    file.write_text(TABLE)
    return file


def test_one_band_without_other_deaths_is_the_exponential():
    bands = np.array([[40, 60, 0.01, 0.0]])
    assert chance(bands, 45, 10, np.array([2.0]))[0] == pytest.approx(1 - math.exp(-0.2), rel=1e-12)


def test_two_bands_by_hand():
    """A woman of 45, ten years ahead, at the population's hazard.

    First five years: h + m = .003, gone 1 - exp(-.015) = .0148881, a third of them by the outcome: .00496269.
    The next five: left .985112; h + m = .01, gone .0487706, two fifths by the outcome: .0192178. Sum .0241805.
    """
    bands = np.array([[40, 50, 0.001, 0.002], [50, 60, 0.004, 0.006]])
    assert chance(bands, 45, 10, np.array([1.0]))[0] == pytest.approx(0.0241805, abs=5e-8)


def test_nobody_dies_and_nobody_falls_ill():
    assert chance(np.array([[0, 90, 0.0, 0.0]]), 10, 20, np.array([3.0])).tolist() == [0]


def test_as_many_as_in_a_population_that_is_followed():
    """A million people with scores of their own: those of a tenth on top, counted."""
    rng = np.random.default_rng(4)
    z = rng.normal(size=1_000_000)
    top = z > 1.2816
    hazard = 0.004 * relative_hazard(1.7, z)
    falls_ill, dies = rng.exponential(1 / hazard), rng.exponential(1 / 0.01, len(z))
    ill = (falls_ill < dies) & (falls_ill < 10)
    told = chance(np.array([[50, 70, 0.004, 0.01]]), 55, 10, relative_hazard(1.7, z))
    assert told[top].mean() == pytest.approx(ill[top].mean(), rel=0.03)
    assert told.mean() == pytest.approx(ill.mean(), rel=0.02)
    # The population's mean is the incidence, whatever the score tells apart.
    assert relative_hazard(1.7, z).mean() == pytest.approx(1, abs=0.01)


def people(**more):
    row = {"sample": "S0", "score": "PGS1", "z_norm2": 1.0, "z_sd": 0.0, "population": "P", **more}
    return pl.DataFrame([row], schema_overrides={"z_norm2": pl.Float64, "population": pl.String})


def who(sex="female", age=45.0):
    return pl.DataFrame({"sample": ["S0"], "sex": [sex], "age": [age]},
                        schema_overrides={"sex": pl.String, "age": pl.Float64})


def test_a_risk_and_its_interval(table):
    known = read_incidence(table)
    found = add_risks(people(), [known], who(), 10).row(0, named=True)
    own = chance(known.bands.drop("sex").to_numpy(), 45, 10, relative_hazard(1.5, np.array([1.0])))[0]
    assert found["risk"] == pytest.approx(own)
    assert found["risk_average"] == pytest.approx(0.0241805, abs=5e-8)
    assert found["risk_low"] < found["risk"] < found["risk_high"]
    wider = add_risks(people(z_sd=0.5), [known], who(), 10).row(0, named=True)
    assert wider["risk_low"] < found["risk_low"] < found["risk_high"] < wider["risk_high"]


@pytest.mark.parametrize(("row", "person", "says"), [
    ({"z_norm2": None}, {}, "no score beside the panel"),
    ({"population": None}, {}, "far from every population"),
    ({"population": "Q"}, {}, "was not found in Q"),
    ({}, {"sex": "male"}, "no rates for male"),
    ({}, {"sex": None}, "sex or age is not known"),
    ({}, {"age": None}, "sex or age is not known"),
    ({}, {"age": 39.0}, "rates from 40 to 60 years only"),
    ({}, {"age": 51.0}, "rates from 40 to 60 years only"),
])
def test_a_risk_that_cannot_be_told(table, row, person, says):
    found = add_risks(people(**row), [read_incidence(table)], who(**person), 10).row(0, named=True)
    assert found["risk"] is found["risk_low"] is found["risk_average"] is None
    assert says in found["risk_status"]


@pytest.mark.parametrize(("old", "new", "says"), [
    ("#score=PGS1", "#", "does not say #score"),
    ("#source=invented", "#", "does not say #source"),
    ("hr_per_sd=1.5", "hr_per_sd=high", "a hazard ratio is not a number"),
    ("hr_per_sd=1.5", "hr_per_sd=2", "not above 0 and within its interval"),
    ("incidence,", "rate,", "has no column incidence"),
    ("female,50", "woman,50", "row 2: needs sex"),
    ("0.004", "-1", "row 2: needs sex"),
    ("0.004", "", "row 2: needs sex"),
    ("female,50", "female,45", "overlap or leave a gap at 45"),
    ("female,50", "female,55", "overlap or leave a gap at 55"),
])
def test_tables_that_cannot_be_used(table, old, new, says):
    table.write_text(TABLE.replace(old, new))
    with pytest.raises(InputError) as told:
        read_incidence(table)
    assert says in str(told.value)


def test_a_table_of_no_score(table):
    known = read_incidence(table)
    with pytest.raises(InputError, match="not scored"):
        add_risks(people(score="PGS2"), [known], who(), 10)
    with pytest.raises(InputError, match="given twice"):
        add_risks(people(), [known, known], who(), 10)


@pytest.mark.parametrize(("text", "says"), [
    ("sample\tsex\nA\tfemale\n", "has no column age"),
    ("sample\tsex\tage\nA\tf\t40\n", "sample A: sex is female or male"),
    ("sample\tsex\tage\nA\tmale\told\n", "sample A: sex is female or male"),
    ("sample\tsex\tage\nA\tmale\t40\nA\tmale\t41\n", "sample A is there twice"),
])
def test_people_that_cannot_be_read(tmp_path, text, says):
    file = tmp_path / "p.tsv"
    file.write_text(text)
    with pytest.raises(InputError, match=says):
        read_people(file)


def test_unknown_genotypes_widen_the_percentile():
    rng = np.random.default_rng(5)
    components = {f"PC{number}": rng.normal(size=300) for number in range(1, 6)}
    panel = pl.DataFrame({"sample": [f"R{one}" for one in range(300)], "population": "P", **components,
                          "PGS1": rng.normal(size=300)})
    target = pl.DataFrame({"sample": ["A", "B"], **{name: [0.0, 0.0] for name in components}})
    scores = pl.DataFrame({"sample": ["A", "B"], "score": "PGS1", "sum": [0.0, 0.0], "sum_sd": [0.0, 0.5]})
    sure, unsure = compare(scores, Panel(None, panel, target), ["PGS1"]).iter_rows(named=True)
    assert sure["percentile"] == unsure["percentile"]
    assert sure["percentile_high"] - sure["percentile_low"] < 12
    assert unsure["percentile_low"] < 25
    assert unsure["percentile_high"] > 75
    assert (sure["z_sd"], unsure["z_sd"]) == (0, pytest.approx(0.5, rel=0.15))


def test_the_variance_of_what_is_imputed(tmp_path):
    """Weight 3 at frequency .25: 9 · 2 · .25 · .75 = 3.375; recessive: 9 · .0625 · .9375."""
    file = tmp_path / "g.vcf"
    file.write_text("##fileformat=VCFv4.2\n##reference=GRCh38\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tA\tB\n"
                    "1\t5\t.\tA\tG\t.\tPASS\t.\tGT\t0/1\t./.\n1\t6\t.\tA\tG\t.\tPASS\t.\tGT\t0/1\t./.\n"
                    "1\t7\t.\tA\tG\t.\tPASS\t.\tGT\t0/1\t0/1\n")
    score = tmp_path / "s.txt"
    score.write_text("#pgs_id=PGS1\n#genome_build=GRCh38\nchr_name\tchr_position\teffect_allele\tother_allele\t"
                     "effect_weight\tis_recessive\tallelefrequency_effect\n1\t5\tG\tA\t3\tFalse\t0.25\n"
                     "1\t6\tG\tA\t3\tTrue\t0.25\n1\t7\tG\tA\t3\tTrue\t0.25\n")
    done = CliRunner().invoke(cli, ["score", str(file), "--scorefile", str(score), "--min-overlap", "0.3"])
    sd = pl.read_csv(done.stdout.encode(), separator="\t")["sum_sd"]
    assert sd[0] == 0
    assert sd[1] == pytest.approx(math.sqrt(3.375 + 9 * 0.0625 * 0.9375))


def test_risks_need_people_and_a_panel(table, tmp_path):
    done = CliRunner().invoke(cli, ["score", str(table), "--scorefile", str(table), "--risk", str(table)])
    assert done.exit_code == 2
    assert "go together" in done.output
