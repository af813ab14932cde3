"""Predictions in, one ranked list of suggestions out."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pluggy
import polars as pl

from ..errors import TableError
from ..handover import copies
from ..lists import longer
from ..medicine_cautions import CAUTION, of_medicines
from ..plans import as_written
from ..plugins import Component, Plugins
from ..tables import ACTIONS, FEW, STRENGTHS, TABLES, URGENCIES, Tables, distinct

CONCERN = (0.0, 4.0)
_WILD = ~pl.col("concern").is_between(*CONCERN)
_CONCERNED = (pl.col("concern") > 0) & (pl.col("action") == "standard")
NO_CAUTIONS_TYPE = TABLES["suggestions"].columns["cautions"].dtype
NO_CAUTIONS = pl.lit([], dtype=NO_CAUTIONS_TYPE)
CHANGES = 2.0  # concern from which the treatment changes
LISTS = ("evidence", "alternatives", "cautions", "unknown", "explained_by")
# What doubts a suggestion: it comes behind one of the same urgency and strength that is certain.
DOUBTS = ("ambiguous-gene", "gene-unknown", "drug-unclear", "absent-as-ref", "weak-evidence", "disagreement",
          "unknown-input", "old-entry")


def advise(plugins: Plugins, components: Sequence[Component], tables: Tables,
           predictors: Sequence[Component] = ()) -> pl.DataFrame:
    """Ask every adviser, join what they say of one drug, add the cautions, and put the most pressing first.

    `predictors` are those whose predictions the suggestions rest on.
    """
    parts = [TABLES["suggestions"].empty()]
    for component in components:
        rows = plugins.attempt(component, "advise", _advise, component, tables)
        parts += [] if rows is None else [rows]
    # In one piece: to pick rows with lists out of several takes thirty times as long.
    joined = join_sources(pl.concat(parts, rechunk=True))
    cautioned = _with_cautions(joined, of_medicines(plugins, joined, tables, predictors))
    return rank(add_cautions(plugins, cautioned, tables))


def _advise(component: Component, tables: Tables) -> pl.DataFrame:
    table = TABLES["suggestions"]
    made = component.made.advise(copies(tables)).with_columns(adviser=pl.lit(component.name))
    rows = table.check(made)[table.names]
    _must_be_sound(rows, tables)
    return rows


def _must_be_sound(rows: pl.DataFrame, tables: Tables) -> None:
    if strange := distinct(rows["patient_id"]) - set(tables["features"]["patient_id"]):
        raise TableError(f"{len(strange)} suggestions are for patients that this run does not have")
    wild, standard = rows.select(_WILD.any().alias("wild"), _CONCERNED.any().alias("standard")).row(0)
    if wild:
        row = rows.filter(_WILD)
        raise TableError(f"concern {row['concern'][0]} for {row['drug'][0]} is outside 0 to 4")
    if standard:
        raise TableError("a standard use with a concern above 0")


def join_sources(suggestions: pl.DataFrame) -> pl.DataFrame:
    """One row for each patient and drug: the most concerned adviser leads, the others' words and evidence follow.

    The drug is current if one of them says so, and as urgent as the most urgent says. Where two that were able to
    assess it say different things, the caution ``disagreement`` names both: nothing is averaged.

    Where concern is equal, an adviser other than a pure look-up (one with a dose factor) leads, then by name.
    """
    # By hashes: were those of two drugs the same, `_of_several` makes of each what `_alone` does.
    several = suggestions["patient_id", "drug"].hash_rows().is_duplicated()
    if not several.any():  # as of most patients
        return _alone(suggestions)
    # Rows with lists are sooner picked by number than by a mask.
    joined = [_alone(suggestions[(~several).arg_true()]), _of_several(suggestions[several.arg_true()])]
    return pl.concat(joined, rechunk=True)  # `rank` puts them in order


def _alone(rows: pl.DataFrame) -> pl.DataFrame:
    """What `_of_several` makes of rows that are the only one of their patient and drug; those are nearly all."""
    many = rows.height > FEW
    once = [pl.col(name).fill_null([]) if many and _is_once(rows[name]) else
            pl.col(name).fill_null([]).list.unique(maintain_order=True) for name in LISTS]
    return rows.with_columns(*once, pl.col("text", "why").fill_null(""))


def _is_once(lists: pl.Series) -> bool:
    """Whether no list holds anything twice, as is mostly so: to see that takes a third of taking it out."""
    long = lists.gather((lists.list.len() > 1).arg_true()).to_frame("one").with_row_index()
    each = long.explode("one", empty_as_null=False, keep_nulls=False)
    # Rows that differ may have the same hash, but then only time is lost.
    return each.hash_rows().n_unique() == each.height


def _of_several(rows: pl.DataFrame) -> pl.DataFrame:
    lead = rows.lazy().with_columns(_assessed=pl.col("concern").is_not_null()).sort(
        "patient_id", "drug", "_assessed", "concern", "dose_factor", "adviser",
        descending=[False, False, True, True, True, False], nulls_last=True)
    columns = tuple(rows.columns)
    return lead.group_by("patient_id", "drug", maintain_order=True).agg(_first_and_others(columns)).with_columns(
        dose_factor=pl.col("_dose"), cautions=_with_disagreement()).select(columns).pipe(as_written)


@lru_cache(maxsize=4)
def _first_and_others(columns: tuple[str, ...]) -> list[pl.Expr]:
    """What the first row of a drug and the others come to."""
    apart = {"patient_id", "drug", "current", "urgency", "text", "why", "adviser", *LISTS}
    return [
        *[pl.col(name).first() for name in columns if name not in apart],
        pl.col("current").any(),
        pl.col("urgency").cast(pl.Enum(URGENCIES)).min().cast(pl.String),
        *[pl.col(name).str.join(" ", ignore_nulls=True) for name in ("text", "why")],
        *[pl.col(name).explode(empty_as_null=False, keep_nulls=False).unique(maintain_order=True) for name in LISTS],
        pl.col("adviser").str.join(", "),
        pl.col("dose_factor").drop_nulls().first().alias("_dose"), _verdicts().alias("_said"),
        _apart().alias("_apart")]


def _verdicts() -> pl.Expr:
    """What each adviser that assessed the drug says, in words."""
    named = pl.format("{} says {}", "adviser", "action")
    return named.filter(pl.col("_assessed")).str.join(", ")


def _apart() -> pl.Expr:
    """Whether one says to leave the drug, or to change its dose, and another to use it as usual."""
    concern = pl.col("concern").filter(pl.col("_assessed"))
    return (concern.len() > 1) & (concern.max() >= CHANGES) & (concern.max() - concern.min() >= CHANGES)


def _with_disagreement() -> pl.Expr:
    cautions = pl.col("cautions").fill_null(NO_CAUTIONS)
    text = pl.format("the sources do not agree: {}; the most concerned leads", "_said")
    told = pl.concat_list(pl.struct(code=pl.lit("disagreement"), text=text)).cast(NO_CAUTIONS_TYPE)
    return pl.when(pl.col("_apart").fill_null(value=False)).then(pl.concat_list(cautions, told)).otherwise(cautions)


def add_cautions(plugins: Plugins, suggestions: pl.DataFrame, tables: Tables) -> pl.DataFrame:
    """Append what each plugin's check has to say; nothing else in a suggestion can change."""
    for owner, impl in plugins.implementations("check_suggestions"):
        cautioned = plugins.attempt(owner, "check_suggestions", _add_cautions, impl, suggestions, tables)
        suggestions = suggestions if cautioned is None else cautioned
    return suggestions


def _add_cautions(impl: pluggy.HookImpl, suggestions: pl.DataFrame, tables: Tables) -> pl.DataFrame:
    given: dict[str, Any] = {"suggestions": suggestions.clone(), "tables": copies(tables)}
    found: Any = impl.function(**{name: given[name] for name in impl.argnames})
    if found is None or found.is_empty():
        return suggestions
    if missing := [name for name in CAUTION if name not in found.columns]:
        raise TableError(f"cautions lack the column {missing[0]!r}")
    return _with_cautions(suggestions, found)


def _with_cautions(suggestions: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """`suggestions` with the cautions `found` behind their own."""
    if found.is_empty():
        return suggestions
    more = found.group_by("patient_id", "drug", maintain_order=True).agg(_more=pl.struct("code", "text"))
    rows = suggestions.select("patient_id", "drug").with_row_index("_row").join(
        more, on=["patient_id", "drug"], maintain_order="left")
    return suggestions.with_columns(longer(suggestions["cautions"], rows["_row"], [rows["_more"]]).fill_null([]))


def rank(suggestions: pl.DataFrame) -> pl.DataFrame:
    """Current medicines first, then by urgency × strength × certainty, each counted down from its best, then by name.

    Today 3, soon 2, routine 1; strong 4 to none 1; certain 1, with a caution of `DOUBTS` one half. Urgency comes before
    the product: what is for today is never behind what is not. See ``docs/plan.md``.
    """
    if suggestions.height <= FEW:
        return suggestions.sort(_order())
    # By numbers, as numpy does: polars writes the keys of each row as one text, and takes twice as long with those.
    keys = suggestions.select(key.alias(str(place)) for place, key in enumerate(_order()))
    return suggestions.rechunk()[np.lexsort([_as_numbers(key) for key in reversed(keys.get_columns())])]


def _as_numbers(key: pl.Series) -> npt.NDArray[Any]:
    """Numbers in the order of the values, none of which is null."""
    ordered = key.cast(pl.Enum(key.unique().sort())) if key.dtype == pl.String else key
    return ordered.to_physical().to_numpy()


@cache
def _order() -> list[pl.Expr]:
    """What `rank` sorts by."""
    urgency = len(URGENCIES) - pl.col("urgency").cast(pl.Enum(URGENCIES)).to_physical().cast(pl.Float64)
    strength = len(STRENGTHS) - pl.col("strength").cast(pl.Enum(STRENGTHS)).to_physical().cast(pl.Float64)
    doubtful = pl.col("cautions").list.eval(pl.element().struct.field("code").is_in(DOUBTS)).list.any()
    certainty = pl.when(doubtful.fill_null(value=False)).then(0.5).otherwise(1.0)
    return [pl.col("patient_id"), ~pl.col("current"), -urgency, -(urgency * strength * certainty),
            pl.col("concern").fill_null(-1) * -1, pl.col("action").cast(pl.Enum(ACTIONS)), pl.col("drug")]
