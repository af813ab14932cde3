"""What to use instead of a drug: the guideline's alternatives and drugs of the same use, judged for the patient.

Each goes through the same rows and checks as any drug (its own genes, other medicines, organ function, allergies), as
if the drug it is to replace were not taken. Those ruled out stay in the list, with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, NamedTuple

import polars as pl

from pmed.plans import as_written
from pmed.tables import Tables

from .cases import FEW, REMEMBERED
from .checks import covered
from .findings import on_record
from .guidelines import CONCERN, Known, drugs
from .knowledge import table
from .medicines import MODIFIERS, TAKING
from .outcomes import Outcome, outcome
from .wording import about, asked_for, because, held, untested

KEY = ["patient_id", "drug"]
FITS, CAUTION, OUT = "fits", "caution", "ruled-out"
CONCERNED, GRADED = ("avoid", "alternative"), ("strong", "moderate")
_ROW = ("drug", "label", "other", "status", "reason", "finding")
_STATUS = pl.Enum([FITS, CAUTION, OUT])
_RANKS = {FITS: 0, CAUTION: 1, OUT: 2}


def alternatives(rows: pl.DataFrame, outcomes: Sequence[Outcome], tables: Tables) -> pl.DataFrame:
    """For `rows` (patient_id, drug, label, action, case): the ``alternatives`` list, those that fit first.

    ``named`` are those of the guideline that are not ruled out, as words for its text.

    A finding on record rules a drug out, as a row or check that says to avoid it does. That nothing is on record proves
    nothing: "fits" speaks of the genes and of what the record holds. What a check of the candidate asks for and nobody
    knows (kidney function, mostly) makes it a caution.
    """
    if rows.height <= FEW * len(covered()):
        return _of_few(rows, outcomes, tables)
    own = rows.lazy().select("patient_id", other="drug", of="case")
    found = _offered(rows).join(own, on=["patient_id", "other"], how="left", maintain_order="left").join(
        on_record(tables).lazy(), on=["patient_id", "finding"], how="left", maintain_order="left").pipe(as_written)
    pairs = dict.fromkeys(pair for pair in found[["drug", "of"]].iter_rows() if pair[1] is not None)
    told = pl.DataFrame([(drug, case, *_judged(outcomes[case], drug)) for drug, case in pairs],
                        schema={"drug": pl.String, "of": pl.Int64, "verdict": pl.String, "why": pl.String},
                        orient="row")
    judged = found.lazy().join(told.lazy(), on=["drug", "of"], how="left", maintain_order="left")
    return judged.pipe(_weighed).pipe(as_written)


class _Offer(NamedTuple):
    """A candidate, how the guideline sees it and what rules it out."""

    other: str
    status: str
    reason: str
    finding: str | None
    guideline: bool = True


def _of_few(rows: pl.DataFrame, outcomes: Sequence[Outcome], tables: Tables) -> pl.DataFrame:
    """The same of few people, candidate by candidate: of a patient there are some hundred, and joins take longer."""
    held = {(patient, finding): words for patient, finding, words in
            on_record(tables)[["patient_id", "finding", "words"]].iter_rows()}
    each = rows[[*KEY, "label", "action", "case"]].rows()
    case_of = {(patient, drug): case for patient, drug, _, _, case in each}
    listed: list[tuple[Any, ...]] = []
    for patient, drug, label, action, _ in each:
        found = []
        for one in _offered_to(drug, label, concerned=action in CONCERNED):
            words, case = held.get((patient, one.finding or "")), case_of.get((patient, one.other))
            own = (OUT, words) if words is not None else (None, None) if case is None else _judged(outcomes[case], drug)
            found.append((one, *_both(one, *own)))
        found.sort(key=lambda one: one[1])
        named = _or([one.other for one, final, _ in found if one.guideline and final < _RANKS[OUT]])
        listed += [(patient, drug, one.other, _STATUS.categories[final], reason, named)
                   for one, final, reason in found]
    flat = pl.DataFrame(listed, schema=dict.fromkeys((*KEY, "other", "status", "reason", "named"), pl.String()),
                        orient="row")
    entry = pl.struct(drug="other", status="status", reason="reason")
    return flat.group_by(KEY, maintain_order=True).agg(alternatives=entry, named=pl.col("named").first())


def _both(one: _Offer, verdict: str | None, why: str | None) -> tuple[int, str]:
    """The rank of the status and the reason, as `_weighed` has them."""
    status, own = _RANKS[one.status], _RANKS[verdict or FITS]
    reason = one.reason
    if why is not None and one.status == verdict == CAUTION:
        reason = f"{reason}; {why}"
    elif why is not None and verdict and own >= status:
        reason = why
    return max(status, own), reason


def _or(names: Sequence[str]) -> str:
    """The same as `_either`."""
    return " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _weighed(found: pl.LazyFrame) -> pl.LazyFrame:
    """The candidates as lists of each patient and drug, by the guideline's `status` and the patient's own `verdict`."""
    judged = found.with_columns(
        verdict=pl.when(pl.col("words").is_not_null()).then(pl.lit(OUT)).otherwise("verdict"),
        why=pl.coalesce("words", "why"))
    final = pl.max_horizontal(pl.col("status").cast(_STATUS).to_physical(),
                              pl.col("verdict").fill_null(FITS).cast(_STATUS).to_physical())
    worse = pl.col("verdict").cast(_STATUS).to_physical() >= pl.col("status").cast(_STATUS).to_physical()
    listed = judged.with_columns(final=final).with_columns(
        # A caution of the guideline's stands beside one of the patient's own.
        reason=pl.when((pl.col("status") == CAUTION) & (pl.col("verdict") == CAUTION) & pl.col("why").is_not_null())
        .then(pl.format("{}; {}", "reason", "why"))
        .when(worse & pl.col("why").is_not_null()).then("why").otherwise("reason")).sort(
        "final", maintain_order=True)
    entry = pl.struct(drug="other", status=pl.col("final").cast(pl.UInt32).replace_strict(
        dict(enumerate(_STATUS.categories)), return_dtype=pl.String), reason="reason")
    named = pl.col("other").filter(pl.col("guideline"), pl.col("final") < len(_STATUS.categories) - 1)
    return listed.group_by(KEY, maintain_order=True).agg(alternatives=entry, named=named).with_columns(
        _either(pl.col("named")))


def _either(names: pl.Expr) -> pl.Expr:
    """Lists of names as texts: "a", "a or b", "a, b or c"."""
    many = names.list.len().cast(pl.Int64)
    before = names.list.slice(0, (many - 1).clip(0)).list.join(", ")
    return pl.when(many > 1).then(pl.format("{} or {}", before, names.list.last())).otherwise(names.list.join(""))


def _offered(rows: pl.DataFrame) -> pl.LazyFrame:
    """patient_id, drug, other, status, reason, finding: each candidate once, the guideline's first."""
    concerned = rows.filter(pl.col("action").is_in(CONCERNED)).lazy()
    offers = _offers().lazy()
    named = rows.lazy().drop_nulls("label").join(offers, on=["drug", "label"], maintain_order="left")
    by_check = concerned.join(offers.select("drug", "label"), on=["drug", "label"], how="anti").join(
        _each_offer().lazy(), on="drug", maintain_order="left")
    alike = concerned.join(_alike().lazy(), on="drug", maintain_order="left")
    columns = ["patient_id", "drug", "other", "status", "reason", "finding"]
    each = [one.select(*columns, guideline=pl.lit(by_guideline)) for one, by_guideline in (
        (named, True), (by_check, True), (alike, False))]
    return pl.concat(each).unique([*KEY, "other"], keep="first", maintain_order=True)


@lru_cache(maxsize=REMEMBERED)
def _offered_to(drug: str, label: str | None, *, concerned: bool) -> tuple[_Offer, ...]:
    """The candidates of `_offered` for one row."""
    by_row, by_drug, alike = _candidates()
    named = by_row.get((drug, label), []) if label is not None else []
    each = [*(named or (by_drug.get(drug, []) if concerned else [])), *(alike.get(drug, []) if concerned else [])]
    once: dict[str, _Offer] = {}
    for one in each:
        once.setdefault(one.other, one)
    return tuple(once.values())


@cache
def _candidates() -> tuple[Mapping[tuple[str, str], list[_Offer]], Mapping[str, list[_Offer]],
                           Mapping[str, list[_Offer]]]:
    """The tables of `_offers`, `_each_offer` and `_alike`, by what they are looked up by."""
    by_row: dict[tuple[str, str], list[_Offer]] = {}
    for drug, label, *one in _offers().iter_rows():
        by_row.setdefault((drug, label), []).append(_Offer(*one))
    columns = ["drug", "other", "status", "reason", "finding"]
    by_drug, alike = (
        {drug: [_Offer(other, status, reason, finding, guideline) for other, status, reason, finding in rows]
         for drug, rows in found[columns].rows_by_key("drug").items()}
        for found, guideline in ((_each_offer(), True), (_alike(), False)))
    return by_row, by_drug, alike


@cache
def _offers() -> pl.DataFrame:
    rows = [(drug.name, key, one.drug, one.status, one.reason, one.ruled_out_by or None)
            for drug in drugs().values() for one in drug.alternatives for key in one.rows]
    return pl.DataFrame(rows, schema=dict.fromkeys(_ROW, pl.String), orient="row")


@cache
def _each_offer() -> pl.DataFrame:
    """Every drug's candidates, whichever row offers them."""
    return _offers().unique(["drug", "other"], keep="first", maintain_order=True).drop("label")


@cache
def _alike() -> pl.DataFrame:
    """Drug → the others of the same use."""
    uses = table("substitutes")
    both = uses.join(uses.rename({"drug": "other"}), on="use", maintain_order="left").filter(
        pl.col("drug") != pl.col("other"))
    return both.select("drug", "other", status=pl.lit(FITS), finding=pl.lit(None, dtype=pl.String),
                       reason=pl.format("same use ({}); nothing on record speaks against it", "use"))


@lru_cache(maxsize=REMEMBERED)
def _judged(one: Outcome, replaced: str) -> tuple[str, str | None]:
    """Whether a candidate fits, with the reason where it does not."""
    given = without(one.given, replaced)
    own = one if given == one.given else outcome(one.drug, given)
    lead = own.lead
    if lead and (lead.action == "avoid" or (lead.action == "alternative" and lead.strength in GRADED)):
        return OUT, because(own)
    if lead and lead.concern >= CONCERN["monitor"]:
        return CAUTION, because(own)
    # What a check asks for would be asked as soon as the drug is taken: unknown organ function is no good one.
    asked = [*filter(None, [untested(own)]), *map(about, asked_for(own))]
    told = [*(f"{one} is not known" for one in asked), *held(own)]
    return (CAUTION, "; ".join(told)) if told else (FITS, None)


def without(given: Known, drug: str) -> dict[str, Any]:
    """The features of a patient who does not take `drug`."""
    return {name: _left(value, drug) if value and name.startswith((MODIFIERS, TAKING)) else value
            for name, value in given.items()}


def _left(text: str, drug: str) -> str:
    return ";".join(entry for entry in text.split(";") if entry.partition("|")[0] != drug)
