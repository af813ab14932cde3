"""Association of gene results with an outcome, and the distribution of polygenic scores.

Tests are linear or logistic, with covariates, one for each result of a gene.

A logistic test is by Firth's penalised likelihood where a cell of result × outcome is sparse: the usual estimate runs
away there. Nobody is counted whose result, outcome or covariate is unknown. Where an effect cannot be told (the
covariates already say who has the result, or all have one outcome), it is null and not the number that rounding leaves.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
from numpy.typing import NDArray
from polars import selectors

from ..errors import InputError
from .counts import EVERYBODY

_NO_RESULTS = ("status", "complete")
SPARSE = 10     # people in a cell, below which Firth's likelihood is used
_SHOWN = 5      # names in an error
_STEPS, _NEAR, _LONGEST = 100, 1e-9, 5.0
_COLLINEAR = 1e-6  # of the length of a column
Numbers = NDArray[np.float64]
Fit = tuple[float | None, float | None, float | None, str]
SAME_OUTCOME, COLLINEAR = "all have one outcome", "told by the covariates"  # as the method of what cannot be told
ASSOCIATIONS = {"gene": pl.String, "result": pl.String, "carriers": pl.Int64, "people": pl.Int64, "effect": pl.Float64,
                "error": pl.Float64, "p": pl.Float64, "method": pl.String}


def associations(genes: pl.DataFrame, outcome: pl.DataFrame, covariates: pl.DataFrame | None = None, *,
                 of: str = "phenotype", least: int = 5) -> pl.DataFrame:
    """Test each result of each gene against everybody else.

    Args:
        genes: ``gene_results``, or its columns ``patient_id``, ``gene`` and `of`. Where it has ``complete``, a result
            that a missing site could change is unknown.
        outcome: ``patient_id`` and ``outcome``: a boolean (logistic) or a number (linear).
        covariates: ``patient_id`` and numbers, such as age and principal components; null and NaN are unknown.
        of: The column whose values are tested, as text: ``phenotype``, ``activity_score`` or one of your own. A
            ``status`` says how sure a result is and not what it is, and a list is no one result.
        least: Results that fewer people have, or lack, are not tested.

    Returns:
        By p: ``gene``, ``result``, ``carriers``, ``people``, ``effect`` (log odds ratio, or difference in the outcome's
        unit), its standard ``error``, ``p`` (Wald, t for linear; penalised likelihood ratio for Firth), ``method``, and
        ``q``, the false discovery rate. These are null where the effect cannot be told; ``method`` then says why.

    Raises:
        InputError: a frame lacks a column, the outcome is of another type, somebody has it twice, or `of` is no result.
    """
    _must_have("genes", genes, "patient_id", "gene", of)
    _must_have("outcome", outcome, "patient_id", "outcome")
    if covariates is not None:
        _must_have("covariates", covariates, "patient_id")
    binary = outcome["outcome"].dtype == pl.Boolean
    if not (binary or outcome["outcome"].dtype.is_numeric()) or outcome["patient_id"].is_duplicated().any():
        raise InputError("an outcome is a boolean or a number, once a patient", where="outcome")
    known = outcome if covariates is None else outcome.join(covariates, on="patient_id")
    known = known.with_columns(selectors.float().fill_nan(None)).drop_nulls()
    extra = [name for name in known.columns if name not in ("patient_id", "outcome")]
    fit = logistic if binary else linear
    rows = [row for (gene,), some in _sure(genes, of).group_by("gene", maintain_order=True)
            for row in _tests(str(gene), some.join(known, on="patient_id").rename({of: "_result"}), extra, fit, least)]
    made = pl.DataFrame(rows, schema=ASSOCIATIONS, orient="row").sort("p", "gene", "result", nulls_last=True)
    rates = false_discovery_rates(made["p"].drop_nulls().to_numpy())  # the null ones are last
    return made.with_columns(q=pl.Series([*rates, *[None] * (made.height - len(rates))], dtype=pl.Float64))


def _sure(genes: pl.DataFrame, of: str) -> pl.DataFrame:
    """The rows with a result that nothing unread can change; "ambiguous" or "no data" is no level of a result."""
    if of in _NO_RESULTS or genes.schema[of].is_nested():
        raise InputError(f"{of!r} is no result to test", where="of", hint="test phenotype, or a column of your own: "
                         "whether calls are missing, say, under another name")
    known = genes.drop_nulls(of)
    return known.filter("complete") if "complete" in known.columns else known


def _must_have(name: str, frame: pl.DataFrame, *columns: str) -> None:
    if missing := [column for column in columns if column not in frame.columns]:
        raise InputError(f"has no column {', '.join(map(repr, missing))}. Got {', '.join(frame.columns)}", where=name)


def _tests(gene: str, rows: pl.DataFrame, extra: list[str], fit: Callable[[Numbers, Numbers], Fit],
           least: int) -> list[tuple[object, ...]]:
    results, outcome = rows["_result"].cast(pl.String), rows["outcome"].cast(pl.Float64).to_numpy()
    others = [np.ones(rows.height), *(rows[name].cast(pl.Float64).to_numpy() for name in extra)]
    found: list[tuple[object, ...]] = []
    for result in results.unique().sort():
        carrier = (results == result).to_numpy().astype(np.float64)
        carriers = int(carrier.sum())
        if min(carriers, rows.height - carriers) >= least:
            x = np.column_stack([carrier, *others])
            found.append((gene, result, carriers, rows.height, *(_untold(x, outcome) or fit(x, outcome))))
    return found


def _untold(x: Numbers, y: Numbers) -> Fit | None:
    """Why the effect of the first column cannot be told; None where it can."""
    if (y == y[0]).all():
        return None, None, None, SAME_OUTCOME
    # Of unit length, so that what counts as none does not depend on the covariates' units.
    columns = x / np.maximum(np.linalg.norm(x, axis=0), _NEAR)
    left = columns[:, 0] - columns[:, 1:] @ np.linalg.lstsq(columns[:, 1:], columns[:, 0])[0]
    return (None, None, None, COLLINEAR) if np.linalg.norm(left) < _COLLINEAR else None


def linear(x: Numbers, y: Numbers) -> Fit:
    """Least squares: effect of the first column, its standard error, p by the t distribution.

    Args:
        x: (people, terms), an intercept among them.
        y: (people,)
    """
    from scipy.special import stdtr

    free = len(y) - x.shape[1]
    inverse = np.linalg.pinv(x.T @ x)
    beta = inverse @ x.T @ y
    residual = float(((y - x @ beta) ** 2).sum()) / max(free, 1)
    error = float(np.sqrt(residual * inverse[0, 0]))
    p = 2 * float(stdtr(free, -abs(beta[0]) / error)) if free > 0 and error > 0 else float("nan")
    return float(beta[0]), error, p, "linear"


def logistic(x: Numbers, y: Numbers) -> Fit:
    """Log odds ratio of the first column (0 or 1), its standard error and p; by Firth's likelihood where sparse."""
    cells = [int(((x[:, 0] == one) & (y == two)).sum()) for one in (0, 1) for two in (0, 1)]
    from scipy.special import chdtrc, ndtr

    if min(cells) >= SPARSE:
        beta, error, _ = _fitted(x, y, penalised=False)
        return beta[0], error, 2 * float(ndtr(-abs(beta[0]) / error)), "logistic"
    beta, error, most = _fitted(x, y, penalised=True)
    _, _, without = _fitted(x, y, penalised=True, fixed=1)
    return beta[0], error, float(chdtrc(1, max(2 * (most - without), 0.0))), "firth"


def _fitted(x: Numbers, y: Numbers, *, penalised: bool, fixed: int = 0) -> tuple[Numbers, float, float]:
    """Coefficients (the first `fixed` stay 0), the first's standard error, and the log likelihood.

    Firth D. Bias reduction of maximum likelihood estimates. Biometrika 1993;80:27-38 (doi:10.1093/biomet/80.1.27);
    Heinze and Schemper, Stat Med 2002;21:2409-19 (doi:10.1002/sim.1047), whose test keeps the full model's penalty.
    """
    beta = np.zeros(x.shape[1])
    for _ in range(_STEPS):
        chance = 1 / (1 + np.exp(-(x @ beta)))
        weight = chance * (1 - chance)
        inverse = np.linalg.pinv((x * weight[:, None]).T @ x)
        leverage = weight * np.einsum("ij,jk,ik->i", x, inverse, x) if penalised else np.zeros(len(y))
        score = x.T @ (y - chance + leverage * (0.5 - chance))
        free = x[:, fixed:]
        step = np.linalg.pinv((free * weight[:, None]).T @ free) @ score[fixed:]
        step *= min(1.0, _LONGEST / max(float(np.abs(step).max()), _NEAR))
        beta[fixed:] += step
        if float(np.abs(step).max()) < _NEAR:
            break
    line = x @ beta
    likelihood = float((y * line - np.logaddexp(0, line)).sum())
    if penalised:
        likelihood += 0.5 * float(np.linalg.slogdet((x * weight[:, None]).T @ x)[1])
    return beta, float(np.sqrt(inverse[0, 0])), likelihood


def false_discovery_rates(p: Numbers) -> Numbers:
    """Benjamini and Hochberg, J R Stat Soc B 1995;57:289-300; of p values in any order.

    >>> false_discovery_rates(np.array([0.01, 0.04, 0.03])).round(3).tolist()
    [0.03, 0.04, 0.04]
    """
    order = np.argsort(p)
    ranked = p[order] * len(p) / np.arange(1, len(p) + 1)
    rates = np.empty(len(p))
    rates[order] = np.minimum(np.minimum.accumulate(ranked[::-1])[::-1], 1)
    return rates


def scored(people: pl.DataFrame, scores: pl.DataFrame, name: str, *, of: str = "sum") -> pl.DataFrame:
    """Everybody of a cohort with a polygenic score: `patient_id`, `group`, `score`, null where it is unknown.

    Args:
        people: `Cohort.table` of that name: ``patient_id``, ``sample`` and ``group``.
        scores: What ``pmed score`` wrote, a row for each ``sample`` and ``score``.
        name: The score that is meant.
        of: Its column: ``sum``, or ``z_norm2`` where the samples were compared with a panel.

    Raises:
        InputError: there is no such score or column, or somebody has it twice.
    """
    if missing := [column for column in ("sample", "score", of) if column not in scores.columns]:
        raise InputError(f"has no column {missing[0]!r}", where="scores", hint="give the table that pmed score writes")
    mine = scores.filter(pl.col("score") == name).select("sample", score=pl.col(of).cast(pl.Float64))
    if not mine.height:
        there = scores["score"].unique(maintain_order=True).head(_SHOWN).to_list()
        raise InputError(f"has no score {name!r}", where="scores", hint=f"there are: {', '.join(map(str, there))}")
    if mine["sample"].is_duplicated().any():
        raise InputError(f"somebody has {name!r} twice", where="scores", hint="give the scores of one run")
    return people.select("patient_id", "sample", "group").join(
        mine, on="sample", how="left", maintain_order="left").drop("sample")


def score_groups(people: pl.DataFrame) -> pl.DataFrame:
    """How a score is distributed in each group, and in all: the numbers of the plot `plots.scores`.

    Args:
        people: What `scored` returns.

    Returns:
        ``group``, ``people`` (with a known score), ``unknown``, ``mean``, ``sd``, and the quantiles ``p5``, ``p25``,
        ``median``, ``p75``, ``p95``.
    """
    both = pl.concat([people.with_columns(group=pl.lit(EVERYBODY)), people])
    score = pl.col("score")
    quantiles = {"p5": 0.05, "p25": 0.25, "median": 0.5, "p75": 0.75, "p95": 0.95}
    return both.group_by("group", maintain_order=True).agg(
        people=score.is_not_null().sum().cast(pl.Int64), unknown=score.is_null().sum().cast(pl.Int64),
        mean=score.mean(), sd=score.std(),
        **{name: score.quantile(share, "linear") for name, share in quantiles.items()},
    ).sort(pl.col("group") != EVERYBODY, "group")
