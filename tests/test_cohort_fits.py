"""The fits against published examples: NIST's certified one, Berkeley's admissions, R's logistf, and slow ones."""

from __future__ import annotations

import math
from itertools import chain

import numpy as np
import pytest

from pmed.cohort import fits
from pmed.cohort.fits import COLLINEAR, OUTCOME_TOLD, SAME_OUTCOME, TOO_FEW, firth, linear, logistic

# Longley JW, J Am Stat Assoc 1967;62:819: employed; deflator, product, unemployed, armed, population, year.
LONGLEY = """60323 83.0 234289 2356 1590 107608 1947  61122 88.5 259426 2325 1456 108632 1948
60171 88.2 258054 3682 1616 109773 1949  61187 89.5 284599 3351 1650 110929 1950
63221 96.2 328975 2099 3099 112075 1951  63639 98.1 346999 1932 3594 113270 1952
64989 99.0 365385 1870 3547 115094 1953  63761 100.0 363112 3578 3350 116219 1954
66019 101.2 397469 2904 3048 117388 1955  67857 104.6 419180 2822 2857 118734 1956
68169 108.4 442769 2936 2798 120445 1957  66513 110.8 444546 4681 2637 121950 1958
68655 112.6 482704 3813 2552 123366 1959  69564 114.2 502601 3931 2514 125368 1960
69331 115.7 518173 4806 2572 127852 1961  70551 116.9 554894 4007 2827 130081 1962"""
CERTIFIED = [(15.0618722713733, 84.9149257747669), (-0.358191792925910e-1, 0.334910077722432e-1),
             (-2.02022980381683, 0.488399681651699), (-1.03322686717359, 0.214274163161675),
             (-0.511041056535807e-1, 0.226073200069370), (1829.15146461355, 455.478499142212)]
# Bickel PJ et al., Science 1975;187:398: of each department men admitted and not, women admitted and not.
BERKELEY = [(512, 313, 89, 19), (353, 207, 17, 8), (120, 205, 202, 391), (138, 279, 131, 244), (53, 138, 94, 299),
            (22, 351, 24, 317)]
# Foxman B et al., Epidemiology 1997;8:637, sex2 of logistf: age, oc, vic, vicl, vis, dia: with infection / without.
SEX2 = """000010:1/1 001000:14/2 001010:3/1 001100:10/8 001110:12/18 001111:1/0 010000:44/42 010001:3/0 010010:0/1
011000:15/1 011001:1/0 011010:2/0 011100:7/5 011110:3/6 101000:2/0 101010:1/0 101011:1/0 101100:1/2 101110:0/4
101111:1/0 110000:5/14 110010:0/1 111000:3/1 111110:0/2"""
LOGISTF = {"age": (-1.10598131, -1.9737884, -0.30742514, 6.143472e-03),
           "oc": (-0.06881673, -0.9414363, 0.78920202, 8.751911e-01),
           "vic": (2.26887464, 1.2730216, 3.43543273, 1.678877e-06),
           "vicl": (-2.11140817, -3.2608611, -1.11773495, 1.237805e-05),
           "vis": (-0.78831694, -1.6080879, 0.01518468, 5.449701e-02),
           "dia": (3.09601166, 0.7745682, 8.03029352, 4.951873e-03)}
# Heinze and Schemper 2002: high grade of 79 endometrial cancers; neovascularisation separates, PI, EH; low ones first.
LOW = """13 164 16 226 8 314 34 268 20 128 5 231 17 180 10 168 26 156 17 231 8 201 7 189 20 315 10 123 18 127 16 176 18
200 28 150 11 133 19 237 10 182 10 313 18 131 14 192 21 164 11 201 17 188 25 193 16 211 19 129 15 172 33 75 24 192
29 202 15 229 12 233 3 290 20 170 23 141 12 225 22 154 42 197 15 175 13 216 14 257 19 137 12 361 13 204 10 217"""
HIGH = """8 264 29 88 12 127 20 137 7 97 48 184 12 111 19 161 2 118 21 119 15 106 12 169 6 184 5 130 17 96 5 35 33 85"""
HIGH_NV = "38 97 22 114 7 88 25 91 15 58 22 144 40 118 5 93 0 117 49 27 11 101 21 98 19 102"


def beside(frame: np.ndarray, column: int) -> tuple[np.ndarray, np.ndarray]:
    return frame[:, column], np.delete(frame, column, axis=1)


def longley() -> np.ndarray:
    return np.array(LONGLEY.split(), dtype=float).reshape(16, 7)


@pytest.mark.parametrize("term", range(6))
def test_longley_as_nist_certifies_it(term: int) -> None:
    given = longley()
    found = linear(*beside(given[:, 1:], term), given[:, 0])
    assert (found.effect, found.error) == pytest.approx(CERTIFIED[term], rel=1e-9)
    width = 2.2621571627409915 * CERTIFIED[term][1]  # t of 9 degrees of freedom
    assert (found.low, found.high) == pytest.approx((CERTIFIED[term][0] - width, CERTIFIED[term][0] + width), rel=1e-8)


@pytest.mark.parametrize("spoil", [
    lambda some: np.column_stack([some, some[:, 0] * 2 - 7]), lambda some: np.column_stack([some, np.full(16, 3.0)]),
    lambda some: some * 1e-9, lambda some: some * [1e12, 1, 1e-12, 1e6, 1] + [1e12, 0, 0, 1e9, 0]])
@pytest.mark.filterwarnings("error")
def test_units_and_collinear_covariates_change_nothing(spoil) -> None:
    given = longley()
    x, others = beside(given[:, 1:], 5)
    usual = linear(x, others, given[:, 0])
    assert linear(x, spoil(others), given[:, 0])[:5] == pytest.approx(usual[:5], rel=1e-5)
    ill = (given[:, 0] > 65000).astype(float)
    usual = firth((x > 1953) * 1.0, others[:, :1], ill)
    assert firth((x > 1953) * 1.0, spoil(others)[:, [0, -1]] if len(spoil(others).T) > 5 else spoil(others)[:, :1],
                 ill)[:5] == pytest.approx(usual[:5], rel=1e-5)


def berkeley() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Woman, departments B to F, admitted."""
    rows = [((woman, department), yes, many) for department, (a, b, c, d) in enumerate(BERKELEY)
            for woman, yes, many in ((0, 1, a), (0, 0, b), (1, 1, c), (1, 0, d))]
    who = np.repeat([one for one, _, _ in rows], [many for *_, many in rows], axis=0)
    return (who[:, 0].astype(float), (who[:, 1:] == np.arange(1, 6)).astype(float),
            np.repeat([float(yes) for _, yes, _ in rows], [many for *_, many in rows]))


def test_berkeley_as_r_has_it() -> None:
    found = logistic(*berkeley())
    assert found.method == "logistic"
    assert (found.effect, found.error) == pytest.approx((0.09987, 0.08085), abs=5e-6)
    assert found.p == pytest.approx(0.217, abs=5e-4)
    woman, _, admitted = berkeley()
    alone = logistic(woman, np.empty((len(woman), 0)), admitted)
    assert (alone.effect, alone.error) == pytest.approx((-0.61035, 0.06389), abs=5e-6)


@pytest.mark.parametrize("name", LOGISTF)
def test_sex2_as_logistf_has_it(name: str) -> None:
    parts = [one.replace(":", "/").split("/") for one in SEX2.split()]
    frame = np.array([[float(one) for one in pattern] for pattern, *_ in parts])
    cases, others = (np.array([int(one[place]) for one in parts]) for place in (1, 2))
    x = np.concatenate([np.repeat(frame, cases, axis=0), np.repeat(frame, others, axis=0)])
    y = np.repeat([1.0, 0.0], [cases.sum(), others.sum()])
    assert len(y) == 239
    found = firth(*beside(x, list(LOGISTF).index(name)), y)
    assert (found.effect, found.low, found.high) == pytest.approx(LOGISTF[name][:3], rel=1e-5, abs=2e-6)
    assert found.p == pytest.approx(LOGISTF[name][3], rel=1e-5)


@pytest.mark.parametrize(("term", "told"), [(0, (2.92927330, 0.6097244, 7.85463171)),
                                            (1, (-0.03475175, -0.1244587, 0.04045547)),
                                            (2, (-2.60416387, -4.3651832, -1.23272106))])
@pytest.mark.filterwarnings("error")
def test_separated_outcomes_have_finite_effects_as_logistf_has_them(term: int, told: tuple[float, ...]) -> None:
    parts = [np.array(text.split(), dtype=float).reshape(-1, 2) for text in (LOW, HIGH, HIGH_NV)]
    nv = np.repeat([0.0, 0.0, 1.0], [len(one) for one in parts])
    x = np.column_stack([nv, np.concatenate(parts) / [1, 100]])
    y = np.repeat([0.0, 1.0, 1.0], [len(one) for one in parts])
    assert x.shape == (79, 3)
    found = firth(*beside(x, term), y)
    assert (found.effect, found.low, found.high) == pytest.approx(told, rel=2e-6)
    # Of the last two by `slow`: others' 0.3760 and 2.504e-5 are of a model without the term that is not at its top.
    assert found.p == pytest.approx((0.00912367, 0.38748220, 2.5068672e-5)[term], rel=1e-5)


def slow(x: np.ndarray, y: np.ndarray, at: float | None = None) -> tuple[float, float]:
    """Effect of the first column and penalised likelihood, by looking for the top without its derivatives."""
    from scipy.optimize import minimize

    def cost(beta: np.ndarray) -> float:
        beta = beta if at is None else np.concatenate([[at], beta])
        chance = 1 / (1 + np.exp(-(x @ beta)))
        information = (x * (chance * (1 - chance))[:, None]).T @ x
        return -float((y * np.log(chance) + (1 - y) * np.log(1 - chance)).sum()) - math.log(
            np.linalg.det(information)) / 2

    best = minimize(cost, np.zeros(x.shape[1] - (at is not None)), method="Nelder-Mead",
                    options={"xatol": 1e-9, "fatol": 1e-12, "maxiter": 20000, "maxfev": 20000})
    return float(best.x[0]), -float(best.fun)


@pytest.mark.parametrize("seed", range(4))
def test_firth_is_where_a_slow_search_finds_it(seed: int) -> None:
    from scipy.stats import chi2

    rng = np.random.default_rng(seed)
    carrier, age = (rng.random(60) < 0.15).astype(float), rng.normal(size=60)
    y = (rng.random(60) < 1 / (1 + np.exp(1 - carrier * 2 - age))).astype(float)
    found, x = logistic(carrier, age[:, None], y), np.column_stack([carrier, np.ones(60), age])
    assert found.method == "firth"
    effect, most = slow(x, y)
    assert found.effect == pytest.approx(effect, abs=1e-6)
    assert found.p == pytest.approx(chi2.sf(2 * (most - slow(x, y, 0.0)[1]), 1), rel=1e-5)
    for end in (found.low, found.high):
        assert 2 * (most - slow(x, y, end)[1]) == pytest.approx(3.841459, rel=1e-4)


@pytest.mark.filterwarnings("error")
def test_a_covariate_that_separates_the_outcomes_leaves_it_to_firth() -> None:
    rng = np.random.default_rng(1)
    y = (rng.random(400) < 0.3).astype(float)
    carrier = (rng.random(400) < 0.4).astype(float)
    found = logistic(carrier, (3 * y + 0.1 * rng.normal(size=400))[:, None], y)
    assert found.method == "firth"
    assert all(math.isfinite(one) for one in found[:5])
    partly = np.where(rng.random(400) < 0.1, 1.0, 0.0) * y  # nobody who has it is no case
    assert logistic(carrier, partly[:, None], y).method == "firth"
    assert logistic(carrier, rng.normal(size=(400, 1)), y).method == "logistic"


@pytest.mark.filterwarnings("error")
def test_what_cannot_be_told_is_null_and_says_why() -> None:
    rng = np.random.default_rng(3)
    x, other, y = (rng.random(40) < 0.5).astype(float), rng.normal(size=(40, 2)), rng.normal(size=40)
    none = np.empty((40, 0))
    for found, why in (
            (linear(x, other, np.ones(40)), SAME_OUTCOME), (logistic(x, other, np.zeros(40)), SAME_OUTCOME),
            (linear(x, x[:, None] * 1e9, y), COLLINEAR), (logistic(x, 1 - x[:, None], (y > 0) * 1.0), COLLINEAR),
            (linear(np.ones(40), none, y), COLLINEAR), (linear(np.zeros(40), none, y), COLLINEAR),
            (linear(x, other, other[:, 0] * 3 + 1e6), OUTCOME_TOLD),
            (linear(x, rng.normal(size=(40, 38)), y), TOO_FEW)):
        assert found == fits.untold(why)
    assert linear(x, none, x * 2 + 1)[:5] == pytest.approx((2, 0, 2, 2, 0), abs=1e-12)


def test_the_order_of_people_and_terms_is_nothing() -> None:
    woman, departments, admitted = berkeley()
    usual, few = logistic(woman, departments, admitted), firth(woman, departments, admitted)
    order = np.random.default_rng(5).permutation(len(woman))
    again = woman[order], departments[order][:, ::-1], admitted[order]
    assert logistic(*again)[:5] == pytest.approx(usual[:5], rel=1e-7)
    assert firth(*again)[:5] == pytest.approx(few[:5], rel=1e-7)
    other_way = logistic(1 - woman, departments, admitted)
    assert (other_way.effect, other_way.low, other_way.high) == pytest.approx(
        tuple(-one for one in (usual.effect, usual.high, usual.low)), rel=1e-7)
    assert [one for one in chain(usual, few) if one is None] == []
