"""What is used on the skin or in the eye only: rows and checks are about what is swallowed or injected.

What asks for other medicines, age, kidneys or liver is told as a caution then, and no test of genes is asked for. What
speaks of a pregnancy, an illness, or of genes that are known to change the treatment, stays, with a caution; so does an
allergy, which holds wherever it is used.
"""

from __future__ import annotations

from functools import lru_cache

import polars as pl

from pmed.lists import longer
from pmed.tables import TABLES, Tables

from .cases import REMEMBERED, Cases
from .checks import LATER, is_allergy
from .guidelines import AGE, CONCERN, DAYS
from .medicines import DOSE, MODIFIERS, TAKING, used_locally
from .outcomes import Outcome
from .undated import END_UNKNOWN

LOCAL = "local-use"
_KEPT = ("drug-unclear", "not-begun")  # cautions that hold wherever it is used
_OF_THE_BODY = (TAKING, MODIFIERS, AGE, "egfr", "creatinine-clearance", "child-pugh", "weight", DOSE.rstrip(":"), DAYS)
# A cream is no way out of this one (fluorouracil, by the SmPC of brivudine).
_BRIVUDINE = "brivudine"
_EVEN_THERE = f"{TAKING}{_BRIVUDINE}"
_CAUTIONS = TABLES["suggestions"].columns["cautions"].dtype
_ONE_PLACE = "{} is used in one place only, such as skin or eye"
_NOT_ASSESSED = pl.format(f"Not assessed: {_ONE_PLACE}.", "drug")
_OTHERWISE = pl.format("If it were swallowed or injected: {}", "text")
_BESIDE = pl.format(f"By the record {_ONE_PLACE}: this advice is about what is swallowed or injected.", "drug")
_BUT_FOR_ALLERGY = pl.format(f"By the record {_ONE_PLACE}: the allergy holds there, too; what else is said is about "
                             "what is swallowed or injected.", "drug")
_NOT, _PERHAPS, _ALLERGY, _WHOLE = range(4)


def told_as_local(made: pl.DataFrame, rows: pl.DataFrame, cases: Cases, tables: Tables) -> pl.DataFrame:
    """The suggestions `made` of `rows` (number, case), with those of what is used in one place only told as that."""
    mine = cases.within_rows(used_locally(tables), rows)["row"].unique()
    if mine.is_empty():
        return made
    reach = pl.Series([_reach(cases.outcomes[one]) for one in rows["case"].gather(mine)], dtype=pl.Int64)
    out, where = mine.filter(reach == _NOT), pl.int_range(pl.len())
    said = (pl.when(where.is_in(mine.filter(reach == _PERHAPS).implode())).then(_BESIDE)
            .when(where.is_in(mine.filter(reach == _ALLERGY).implode())).then(_BUT_FOR_ALLERGY)
            .when(where.is_in(out.implode()) & ~pl.col("action").is_in(["test", "standard", "not-assessed"]))
            .then(_OTHERWISE))
    cautions = made.select(row=where, text=said).drop_nulls().select(
        "row", told=pl.concat_list(pl.struct(code=pl.lit(LOCAL), text="text")).cast(_CAUTIONS))
    aside = made.with_columns(pl.when(where.is_in(out.implode())).then(value.cast(made.schema[name])).otherwise(
        name).alias(name) for name, value in _aside().items())
    return aside.with_columns(longer(aside["cautions"], cautions["row"], [cautions["told"]]))


def _aside() -> dict[str, pl.Expr]:
    """What stands in a suggestion that is set aside."""
    code, text = (pl.element().struct.field(name) for name in ("code", "text"))
    kept = pl.col("cautions").list.filter(code.is_in(_KEPT) | (code == END_UNKNOWN) & text.str.contains(_BRIVUDINE))
    return {"action": pl.lit("not-assessed"), "urgency": pl.lit("routine"), "strength": pl.lit("none"),
            "text": _NOT_ASSESSED, "cautions": kept,
            **dict.fromkeys(("alternatives", "evidence", "unknown", "explained_by"), pl.lit([])),
            **dict.fromkeys(("concern", "why", "dose_factor", "population"), pl.lit(None))}


@lru_cache(maxsize=REMEMBERED)
def _reach(one: Outcome) -> int:
    """How far what is said of the drug holds of its use in one place: not, perhaps, an allergy does, as it stands."""
    checks = [[name.removeprefix(LATER) for name in row.when] for row in one.checks]
    allergic = [any(map(is_allergy, names)) for names in checks]
    by_genes = bool(one.applied) and one.applied[0].concern >= CONCERN["adjust"]
    if any(_EVEN_THERE in names for names in checks) or (allergic and all(allergic) and not by_genes):
        return _WHOLE
    if any(allergic):
        return _ALLERGY
    elsewhere = any(not name.startswith(_OF_THE_BODY) for names in checks for name in names)
    return _PERHAPS if by_genes or elsewhere else _NOT
