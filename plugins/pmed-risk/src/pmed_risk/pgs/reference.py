"""Scores compared with a reference panel that the user gives: nearest population, percentile, Z_norm1 and Z_norm2."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from pmed.errors import InputError

from .normal import Floats, Normal, distances, percentiles, wilson

# As upstream: five components say who is near, four take ancestry out of the score.
NEAR, ADJUST = 5, 4
# p < 1e-10 of a chi-square of four degrees of freedom, upstream's limit: nobody in the panel is like such a person.
FAR = 52.68
_LEAST = 20
_QUANTILE = 1.959964  # of a standard normal, for 95 %
_PCS = [f"PC{number}" for number in range(1, NEAR + 1)]
COMPARED = {"population": pl.String, "percentile": pl.Float64, "percentile_low": pl.Float64,
            "percentile_high": pl.Float64, "z_population": pl.Float64, "z_norm1": pl.Float64, "z_norm2": pl.Float64,
            "z_sd": pl.Float64}


@dataclass(frozen=True)
class Panel:
    """People of known ancestry, unrelated, and where the people to be scored lie among them.

    Attributes:
        people: sample, population, PC1 to PC5, and a column for each score.
        target: sample, PC1 to PC5, projected on the same components.
    """

    path: Path
    people: pl.DataFrame
    target: pl.DataFrame


def read_panel(reference: Path, components: Path) -> Panel:
    """Read a panel and the components of the people to be scored, both tab-separated.

    Raises:
        InputError: columns are missing or hold no numbers, a name is there twice, a population is too small.
    """
    people, target = read_people(reference), _table(components, [])
    return Panel(reference, people, target)


def read_people(reference: Path) -> pl.DataFrame:
    """The people of a panel, whose populations are large enough.

    Raises:
        InputError: as `read_panel`.
    """
    people = _table(reference, ["population"])
    must_be_populations(people, reference)
    return people


def must_be_populations(people: pl.DataFrame, where: Path) -> None:
    """Refuse a population that is too small to have a spread.

    Raises:
        InputError: naming it.
    """
    for name, many in people.group_by("population").len().sort("population").iter_rows():
        if name is None or many < _LEAST:
            raise InputError(f"population {name or '(none)'} has {many} people, {_LEAST} are needed",
                             where=str(where))


def compare(table: pl.DataFrame, panel: Panel, scores: Sequence[str]) -> pl.DataFrame:
    """Add population (nearest), percentile in it with its 95 % interval, z_population, z_norm1, z_norm2, z_sd.

    The interval is of the panel's size and of the genotypes that were imputed, which z_sd has in standard deviations.

    Who has no components has nulls; who is far from every population has no population and no percentile.

    Raises:
        InputError: the panel does not have one of the scores.
    """
    # A table that does not say what was imputed is taken at its word.
    table = table if "sum_sd" in table.columns else table.with_columns(sum_sd=pl.lit(0.0))
    parts = [_compared(table.filter(score=name), panel, name) for name in scores]
    return pl.concat(parts)


def _compared(table: pl.DataFrame, panel: Panel, score: str) -> pl.DataFrame:
    known = panel.target.join(table.select("sample", "sum", "sum_sd"), on="sample")
    if known.is_empty():
        raise InputError("the components are of other people than the genome", where=str(panel.path))
    known = known.drop_nulls("sum")
    reference = _numbers(panel.people, score, panel.path)
    found = known.select("sample").with_columns(nearest(panel.people, known.select(_PCS).to_numpy())["population"])
    own = panel.people.select(_PCS[:ADJUST]).to_numpy()
    middle, spread = own.mean(axis=0), own.std(axis=0)
    there = (own - middle) / spread
    here = (known.select(_PCS[:ADJUST]).to_numpy() - middle) / spread
    sums = known["sum"].to_numpy()
    models = {"z_norm1": Normal.of_mean(there, reference), "z_norm2": Normal.of_mean_and_variance(there, reference)}
    found = found.with_columns(pl.Series(name, model.z(here, sums)) for name, model in models.items())
    found = found.with_columns(z_sd=known["sum_sd"].to_numpy() / models["z_norm2"].spread(here))
    placed = pl.concat([_in_population(known, found, population, reference[rows])
                        for population, rows in _populations(panel.people)])
    return (table.join(found, on="sample", how="left", maintain_order="left")
            .join(placed, on="sample", how="left", maintain_order="left").select(*table.columns, *COMPARED))


def _in_population(known: pl.DataFrame, found: pl.DataFrame, population: str, scores: Floats) -> pl.DataFrame:
    members = known.join(found.filter(population=population).select("sample"), on="sample", how="semi")
    sums = members["sum"].to_numpy()
    doubt = _QUANTILE * members["sum_sd"].to_numpy()
    percent = percentiles(sums, scores)
    # Both ends of what the unknown genotypes leave open, each with what the size of the panel leaves open.
    low, _ = wilson(percentiles(sums - doubt, scores), len(scores))
    _, high = wilson(percentiles(sums + doubt, scores), len(scores))
    return members.select("sample").with_columns(
        pl.Series("percentile", percent), pl.Series("percentile_low", low), pl.Series("percentile_high", high),
        pl.Series("z_population", (sums - scores.mean()) / scores.std()))


def nearest(people: pl.DataFrame, here: Floats) -> pl.DataFrame:
    """The nearest population of a panel, for people at `here` (people, 5).

    Returns:
        population (null where all are far), closest (far or not), distance (Mahalanobis), p: upstream's chance of a
        member to lie so far out, of a chi-square of four degrees of freedom.
    """
    there = people.select(_PCS).to_numpy()
    names, rows = zip(*_populations(people), strict=True)
    apart = np.stack([distances(here, there[which]) for which in rows])
    least = apart.min(axis=0)
    near = np.array(names, dtype=object)[apart.argmin(axis=0)]
    # The upper tail of four degrees of freedom has a closed form.
    return pl.DataFrame({"closest": pl.Series(near.tolist(), dtype=pl.String), "distance": np.sqrt(least),
                         "p": np.exp(-least / 2) * (1 + least / 2)}).select(
        pl.when(pl.col("distance") ** 2 <= FAR).then("closest").alias("population"), "closest", "distance", "p")


def _populations(people: pl.DataFrame) -> Iterator[tuple[str, np.ndarray[tuple[int], np.dtype[np.bool_]]]]:
    for name in people["population"].unique().sort():
        yield name, (people["population"] == name).to_numpy()


def _numbers(people: pl.DataFrame, score: str, path: Path) -> Floats:
    if score not in people.columns:
        raise InputError(f"has no column {score!r} with the panel's scores", where=str(path))
    values = people[score].cast(pl.Float64, strict=False)
    if values.null_count() or not values.is_finite().all():
        raise InputError(f"column {score!r} is not a number throughout", where=str(path))
    return np.asarray(values.to_numpy(), dtype=np.float64)


def _table(path: Path, more: Sequence[str]) -> pl.DataFrame:
    try:
        frame = pl.read_csv(path, separator="\t", infer_schema=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(f"cannot be read as a tab-separated table: {str(error).splitlines()[0]}",
                         where=str(path)) from None
    if missing := [name for name in ("sample", *more, *_PCS) if name not in frame.columns]:
        raise InputError(f"has no column {', '.join(missing)}", where=str(path))
    typed = frame.with_columns(pl.col(_PCS).cast(pl.Float64, strict=False))
    odd = typed.filter(~pl.all_horizontal(pl.col(_PCS).is_finite().fill_null(value=False)))
    if not odd.is_empty():
        raise InputError(f"sample {odd['sample'][0]}: a component is not a number", where=str(path))
    if typed["sample"].is_duplicated().any():
        twice = typed.filter(pl.col("sample").is_duplicated())["sample"][0]
        raise InputError(f"sample {twice} is there twice", where=str(path))
    return typed
