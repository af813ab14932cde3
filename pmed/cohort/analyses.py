"""Association of gene results with an outcome, and the distribution of polygenic scores.

Tests are linear or logistic (`fits`), with covariates, one for each result of a gene. Nobody is counted whose result,
outcome or covariate is unknown. Where an effect cannot be told (the covariates already say who has the result, or all
have one outcome), it is null and not the number that rounding leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

import numpy as np
import polars as pl
from polars import selectors

from ..errors import InputError
from .counts import EVERYBODY, INDETERMINATE
from .fits import Fit, Numbers, linear, logistic, untold

_NO_RESULTS = ("status", "complete")
OTHERS = "everybody else"
NO_REFERENCE = "too few have the reference"  # as the method of what was not compared
_SHOWN = 5      # names in an error
_MIRRORED = 2   # results of a gene, of which one against the other is all there is
ASSOCIATIONS = {"gene": pl.String, "result": pl.String, "against": pl.String, "carriers": pl.Int64, "people": pl.Int64,
                "carrier_cases": pl.Int64, "cases": pl.Int64, "effect": pl.Float64, "error": pl.Float64,
                "low": pl.Float64, "high": pl.Float64, "p": pl.Float64, "method": pl.String}


def associations(genes: pl.DataFrame, outcome: pl.DataFrame, covariates: pl.DataFrame | None = None, *,
                 of: str = "phenotype", reference: Collection[str] = (), least: int = 5) -> pl.DataFrame:
    """Test each result of each gene against everybody else, or against those with a reference result.

    Args:
        genes: ``gene_results``, or its columns ``patient_id``, ``gene`` and `of`. Where it has ``complete``, a result
            that a missing site could change is unknown; so is the phenotype "Indeterminate".
        outcome: ``patient_id`` and ``outcome``: a boolean (logistic) or a number (linear); other columns are not used.
        covariates: ``patient_id`` and numbers, such as age and principal components, all of which are used; null and
            NaN are unknown.
        of: The column whose values are tested, as text: ``phenotype``, ``activity_score`` or one of your own. A
            ``status`` says how sure a result is and not what it is, and a list is no one result.
        reference: Results that others are compared with, such as "Normal Metabolizer" and "Normal Function"; of each
            gene those that it has. None compares each result with all others of the gene.
        least: Results that fewer people have, or lack, are not tested. Of a gene with two results the rarer is tested:
            the other's test is the same one.

    Returns:
        By p: ``gene``, ``result``, ``against`` whom, ``carriers``, ``people`` (carriers among them),
        ``carrier_cases`` and ``cases`` (whose outcome is true; null where it is a number), ``effect`` (log odds ratio,
        or difference in the outcome's unit, of carriers from the others), its standard ``error``, its 95 % interval
        ``low`` to ``high`` and ``p`` (t for linear, Wald for logistic; profile and ratio of the penalised likelihood
        for Firth), ``method``, and ``q``, the false discovery rate. These are null where the effect cannot be told;
        ``method`` then says why.

    Raises:
        InputError: a frame lacks a column, names nobody of the others or somebody twice, holds what is no number or
            infinite, or `of` is no result.
    """
    _must_have("genes", genes, "patient_id", "gene", of)
    _must_be_once("genes", genes, "patient_id", "gene")
    known = _known(outcome, covariates)
    binary = outcome["outcome"].dtype == pl.Boolean
    _must_meet("genes", genes, outcome)
    rows = _sure(genes, of).join(known, on="patient_id")
    extra = known.columns[2:]
    fit = logistic if binary else linear
    tests = [(gene, *row) for (gene,), some in rows.rename({of: _RESULT}).group_by("gene", maintain_order=True)
             for row in _tests(some, extra, fit, reference, least)]
    made = pl.DataFrame(tests, schema=ASSOCIATIONS, orient="row").sort("p", "gene", "result", nulls_last=True)
    rates = false_discovery_rates(made["p"].drop_nulls().to_numpy())  # the null ones are last
    return made.with_columns(q=pl.Series([*rates, *[None] * (made.height - len(rates))], dtype=pl.Float64))


_OUTCOME, _RESULT = "_outcome", "_result"


def _known(outcome: pl.DataFrame, covariates: pl.DataFrame | None) -> pl.DataFrame:
    """Those whose outcome and covariates are all known."""
    _must_have("outcome", outcome, "patient_id", "outcome")
    kind = outcome["outcome"].dtype
    if not (kind == pl.Boolean or kind.is_numeric()):
        raise InputError(f"an outcome is a boolean or a number. Got {kind}", where="outcome")
    if kind.is_integer() and outcome["outcome"].drop_nulls().is_in([0, 1]).all() and outcome["outcome"].count():
        raise InputError("0 and 1 may be no and yes, or numbers", where="outcome",
                         hint="cast to pl.Boolean for logistic tests, to pl.Float64 for linear ones")
    known = _numbers("outcome", outcome.select("patient_id", "outcome")).rename({"outcome": _OUTCOME})
    if covariates is not None:
        _must_have("covariates", covariates, "patient_id")
        others = _numbers("covariates", covariates).select("patient_id", pl.exclude("patient_id").name.prefix("_of_"))
        _must_meet("covariates", others, outcome)
        known = known.join(others, on="patient_id")
    return known.drop_nulls()


def _must_meet(name: str, frame: pl.DataFrame, outcome: pl.DataFrame) -> None:
    if outcome.height and frame.join(outcome, on="patient_id", how="semi").is_empty():
        raise InputError("has nobody of those with an outcome", where=name, hint="name people alike, by patient_id")


def _numbers(name: str, frame: pl.DataFrame) -> pl.DataFrame:
    """A row a patient, the others numbers, of which null and NaN are unknown."""
    _must_be_once(name, frame, "patient_id")
    values = frame.select(pl.exclude("patient_id"))
    if strange := [column.name for column in values if not (column.dtype.is_numeric() or column.dtype == pl.Boolean)]:
        raise InputError(f"{strange[0]!r} is no number. Got {frame.schema[strange[0]]}", where=name,
                         hint="leave it out, or make it a column of numbers for each of its values but one")
    some = frame.with_columns(pl.exclude("patient_id").cast(pl.Float64)).with_columns(selectors.float().fill_nan(None))
    if endless := [column.name for column in some.select(selectors.float()) if column.is_infinite().any()]:
        raise InputError(f"{endless[0]!r} is infinite for somebody", where=name,
                         hint="make it null where it is unknown")
    return some


def _must_be_once(name: str, frame: pl.DataFrame, *by: str) -> None:
    """Nobody is in a frame twice, and people are named by text."""
    if frame.schema["patient_id"] != pl.String:
        raise InputError(f"'patient_id' must be text. Got {frame.schema['patient_id']}", where=name)
    if (twice := frame.filter(frame.select(by).is_duplicated())).height:
        raise InputError(f"has {' of '.join(map(repr, reversed(twice.select(by).row(0))))} twice", where=name)


def _sure(genes: pl.DataFrame, of: str) -> pl.DataFrame:
    """The rows with a result that nothing unread can change; "ambiguous" or "no data" is no level of a result."""
    if of in _NO_RESULTS or genes.schema[of].is_nested():
        raise InputError(f"{of!r} is no result to test", where="of", hint="test phenotype, or a column of your own: "
                         "whether calls are missing, say, under another name")
    known = genes.drop_nulls(of).filter(pl.col(of).cast(pl.String) != INDETERMINATE)
    known = known.filter("complete") if "complete" in known.columns else known
    return known.select("patient_id", "gene", pl.col(of).cast(pl.String))


def _must_have(name: str, frame: pl.DataFrame, *columns: str) -> None:
    if missing := [column for column in columns if column not in frame.columns]:
        raise InputError(f"has no column {', '.join(map(repr, missing))}. Got {', '.join(frame.columns)}", where=name)


def _tests(rows: pl.DataFrame, extra: list[str], fit: Callable[[Numbers, Numbers, Numbers], Fit],
           reference: Collection[str], least: int) -> list[tuple[object, ...]]:
    """One gene's tests, as rows of `ASSOCIATIONS` without the gene."""
    compared = rows[_RESULT].is_in(list(reference)) if reference else rows[_RESULT].is_not_null()
    against = " or ".join(sorted(set(rows[_RESULT]) & set(reference))) if reference else OTHERS
    found: list[tuple[object, ...]] = []
    tested = sorted(set(rows[_RESULT]) - set(reference))
    if len(tested) == _MIRRORED and not reference:
        tested = [min(tested, key=lambda name: (rows[_RESULT] == name).sum())]
    for result in tested:
        carrier = rows[_RESULT] == result
        some = rows.filter(compared | carrier)
        carriers, others = int(carrier.sum()), some.height - int(carrier.sum())
        if carriers < least or (others < least and not reference):
            continue
        x, y = (some[_RESULT] == result).cast(pl.Float64).to_numpy(), some[_OUTCOME].to_numpy()
        beside = some.select(extra).to_numpy().reshape(some.height, len(extra))
        one = untold(NO_REFERENCE) if others < least else fit(x, beside, y)
        cases = (int(y[x > 0].sum()), int(y.sum())) if fit is logistic else (None, None)
        found.append((result, against, carriers, some.height, *cases, *one))
    return found


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
