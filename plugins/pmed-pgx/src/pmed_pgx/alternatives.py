"""What to use instead of a drug: the guideline's alternatives and drugs of the same use, judged for the patient.

Each goes through the same rows and checks as any drug (its own genes, other medicines, organ function, allergies), as
if the drug it is to replace were not taken. In place of a drug that is taken, it is also looked at what it would do to
the others that are (`beside`). Those ruled out stay in the list, with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, NamedTuple

import polars as pl

from pmed.plans import as_written
from pmed.tables import TABLES

from .beside import Company, Taken, outcome_with, outcome_without
from .cases import FEW, REMEMBERED, Cases
from .checks import covered
from .guidelines import CONCERN, Row, drugs
from .knowledge import table
from .outcomes import Outcome
from .switching import Wait, apart, cautions, either, end_unknown, evidence, wait
from .wording import about, age_asked_for, asked_for, because, held, newly, reason, untested

KEY = ["patient_id", "drug"]
FITS, CAUTION, OUT = "fits", "caution", "ruled-out"
CONCERNED, GRADED = ("avoid", "alternative"), ("strong", "moderate")
_ROW = ("patient_id", "number", "drug")
_OFFER = ("other", "place", "status", "reason", "finding")
_STATUS = pl.Enum([FITS, CAUTION, OUT])
_RANKS = {FITS: 0, CAUTION: 1, OUT: 2}
_SUGGESTED = TABLES["suggestions"].columns
_WAITS = {**dict.fromkeys(KEY, pl.String()), "waited": _SUGGESTED["evidence"].dtype,
          "waits": _SUGGESTED["cautions"].dtype}
Held = list[tuple[str, Wait]]  # candidates that have to wait, or mind something, with what


def alternatives(rows: pl.DataFrame, cases: Cases, findings: pl.DataFrame, taken: Taken) -> pl.DataFrame:
    """For `rows` (patient_id, number, drug, label, action, advice): the ``alternatives`` list, those that fit first.

    Of those that are alike, what the advice names is first.

    ``named`` are those of the guideline that are not ruled out, as words for its text. ``waits`` are cautions of those
    that should not follow at once, ``waited`` the sources of all that is said of days. `findings` are those of
    `on_record`.

    A finding on record rules a drug out, as a row or check that says to avoid it does. That nothing is on record proves
    nothing: "fits" speaks of the genes and of what the record holds. What a check of the candidate asks for and nobody
    knows (kidney function, mostly) makes it a caution, as does a result that its guideline has no row for, and that it
    is taken already.
    """
    if len(cases.patients) <= FEW:
        return _of_few(rows, cases, findings, taken)
    found = _offered(rows).join(findings.lazy(), on=["patient_id", "finding"], how="left",
                                maintain_order="left").pipe(as_written)
    of = cases.of[found["number"].to_numpy(), found["place"].to_numpy()]
    each: dict[tuple[str, int, Company], int] = {}
    where = [each.setdefault(one, len(each)) for one in zip(
        found["drug"].to_list(), of.tolist(), taken.companies(found), strict=True)]
    told = [_judged(drug, case, company, cases) for drug, case, company in each]
    said = pl.DataFrame([one[:2] for one in told], schema={"verdict": pl.String, "why": pl.String}, orient="row")
    judged = found.hstack(said[where])
    held = _held(judged, [told[one][2] for one in where])
    return judged.lazy().pipe(_weighed).join(held.lazy(), on=KEY, how="left", maintain_order="left").pipe(as_written)


def _held(judged: pl.DataFrame, waits: Sequence[Wait | None]) -> pl.DataFrame:
    """`_waiting` of the rows that nothing rules out; few have any."""
    open_ = [at for at, one in enumerate(waits) if one is not None]
    of: dict[tuple[str, str], Held] = {}
    for at, (patient, drug, other) in zip(open_, judged[open_][[*KEY, "other"]].iter_rows(), strict=True):
        one = waits[at]
        if one is not None and judged["words"][at] is None and judged["status"][at] != OUT:
            of.setdefault((patient, drug), []).append((other, one))
    return _waiting(of)


def _waiting(held: Mapping[tuple[str, str], Held]) -> pl.DataFrame:
    """patient_id, drug, waited, waits: null where there are none."""
    rows = [(*key, evidence(waits), cautions(key[1], waits)) for key, waits in held.items() if waits]
    return pl.DataFrame(rows, schema=_WAITS, orient="row")


class _Offer(NamedTuple):
    """A candidate, how the guideline sees it and what rules it out."""

    other: str
    place: int
    status: str
    reason: str
    finding: str | None
    guideline: bool


def _of_few(rows: pl.DataFrame, cases: Cases, findings: pl.DataFrame, taken: Taken) -> pl.DataFrame:
    """The same of few people, candidate by candidate: of a patient there are some hundred, and joins take longer."""
    held = {(patient, finding): words for patient, finding, words in
            findings[["patient_id", "finding", "words"]].iter_rows()}
    listed: list[tuple[Any, ...]] = []
    waits: dict[tuple[str, str], Held] = {}
    for patient, number, drug, label, action, advice in rows[[*_ROW, "label", "action", "advice"]].iter_rows():
        found = []
        for one in _offered_to(drug, label, concerned=action in CONCERNED):
            words = held.get((patient, one.finding or ""))
            *own, rest = (OUT, words, None) if words is not None else _judged(
                drug, cases.of[number, one.place], taken.company(number, drug, one.other), cases)
            found.append((one, *_both(one, *own)))
            if rest is not None and one.status != OUT:
                waits.setdefault((patient, drug), []).append((one.other, rest))
        found.sort(key=lambda one: (one[1], f" {one[0].other}" not in f" {advice}"))
        named = either([one.other for one, final, _ in found if one.guideline and final < _RANKS[OUT]])
        listed += [(patient, drug, one.other, _STATUS.categories[final], reason, named)
                   for one, final, reason in found]
    flat = pl.DataFrame(listed, schema=dict.fromkeys((*KEY, "other", "status", "reason", "named"), pl.String()),
                        orient="row")
    entry = pl.struct(drug="other", status="status", reason="reason")
    made = flat.group_by(KEY, maintain_order=True).agg(alternatives=entry, named=pl.col("named").first())
    return made.join(_waiting(waits), on=KEY, how="left", maintain_order="left")


def _both(one: _Offer, verdict: str, why: str | None) -> tuple[int, str]:
    """The rank of the status and the reason, as `_weighed` has them."""
    status, own, reason = _RANKS[one.status], _RANKS[verdict], one.reason
    if why is not None and one.status == verdict == CAUTION:
        reason = f"{reason}; {why}"
    elif why is not None and own >= status:
        reason = why
    return max(status, own), reason


def _weighed(found: pl.LazyFrame) -> pl.LazyFrame:
    """The candidates as lists of each patient and drug, by the guideline's `status` and the patient's own `verdict`."""
    judged = found.with_columns(
        named_by_advice=(pl.lit(" ") + pl.col("advice")).str.contains(pl.lit(" ") + pl.col("other"), literal=True),
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
        "final", ~pl.col("named_by_advice"), maintain_order=True)
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
    """Each candidate of a row once, the guideline's first: patient_id, number, drug, `_OFFER`, guideline."""
    concerned = rows.filter(pl.col("action").is_in(CONCERNED)).lazy()
    offers = _offers().lazy()
    named = rows.lazy().drop_nulls("label").join(offers, on=["drug", "label"], maintain_order="left")
    by_check = concerned.join(offers.select("drug", "label"), on=["drug", "label"], how="anti").join(
        _each_offer().lazy(), on="drug", maintain_order="left")
    alike = concerned.join(_alike().lazy(), on="drug", maintain_order="left")
    each = [one.select(*_ROW, "advice", *_OFFER, guideline=pl.lit(by_guideline))
            for one, by_guideline in ((named, True), (by_check, True), (alike, False))]
    return pl.concat(each).unique(["number", "drug", "place"], keep="first", maintain_order=True)


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
    for drug, label, *one in _offers()[["drug", "label", *_OFFER]].iter_rows():
        by_row.setdefault((drug, label), []).append(_Offer._make((*one, True)))
    by_drug, alike = (_by_drug(found, guideline=guideline) for found, guideline in (
        (_each_offer(), True), (_alike(), False)))
    return by_row, by_drug, alike


def _by_drug(offers: pl.DataFrame, *, guideline: bool) -> dict[str, list[_Offer]]:
    found: dict[str, list[_Offer]] = {}
    for drug, *one in offers[["drug", *_OFFER]].iter_rows():
        found.setdefault(drug, []).append(_Offer._make((*one, guideline)))
    return found


@cache
def _offers() -> pl.DataFrame:
    rows = [(drug.name, key, one.drug, one.status, one.reason, one.ruled_out_by or None)
            for drug in drugs().values() for one in drug.alternatives for key in one.rows]
    names = ("drug", "label", "other", "status", "reason", "finding")
    return _placed(pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row"))


def _placed(offers: pl.DataFrame) -> pl.DataFrame:
    """With the `place` of the candidate among the drugs of `Cases`."""
    places = {name: place for place, name in enumerate(covered())}
    return offers.with_columns(place=pl.col("other").replace_strict(places, return_dtype=pl.Int64))


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
    return _placed(both.select("drug", "other", status=pl.lit(FITS), finding=pl.lit(None, dtype=pl.String),
                               reason=pl.format("same use ({}); nothing on record speaks against it", "use")))


@cache
def looked_at() -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """Drug → everything that may be offered instead, and the findings that rule some of it out."""
    rows = [*_offers().select("drug", "other", "finding").iter_rows(),
            *_alike().select("drug", "other", "finding").iter_rows()]
    found: dict[str, tuple[dict[str, None], dict[str, None]]] = {}
    for drug, other, finding in rows:
        others, findings = found.setdefault(drug, ({}, {}))
        others[other] = None
        if finding:
            findings[finding] = None
    return {drug: (tuple(others), tuple(findings)) for drug, (others, findings) in found.items()}


def offering(one: Outcome) -> Row | None:
    """The row or check for which others are offered: what leads, or an option to change the drug that stands behind."""
    options = (row for row in (*one.applied[:1], *one.checks) if row.action in CONCERNED)
    return one.lead if one.lead is None or one.lead.action in CONCERNED else next(options, one.lead)


@lru_cache(maxsize=REMEMBERED)
def offered_to(one: Outcome) -> bool:
    """Whether something may be offered instead."""
    row = offering(one)
    return row is not None and (row.action in CONCERNED or (one.drug.name, row.key) in _labels())


@cache
def _labels() -> frozenset[tuple[str, str]]:
    return frozenset(_offers()["drug", "label"].iter_rows())


def _judged(replaced: str, case: int, company: Company, cases: Cases) -> tuple[str, str | None, Wait | None]:
    """Whether a candidate fits instead of a drug, which has just ended, with the reason where it does not."""
    status, why = _once_gone(replaced, case, company, cases)
    if status == OUT:
        return status, why, None
    held = wait(cases.outcomes[case], replaced)
    said = [*([held.text] if held else []), *_since_unknown(outcome_without(cases.outcomes[case], replaced), company)]
    return (CAUTION, "; ".join(filter(None, (*said, why))), held) if said else (status, why, None)


def _since_unknown(one: Outcome, company: Company) -> list[str]:
    """What should not be followed at once by a candidate, and is over since nobody knows when."""
    resting = ((name, apart(one, name)) for name in company.gone)
    return [end_unknown(name, rest, one.drug.name) for name, rest in resting if rest]


def _once_gone(replaced: str, case: int, company: Company, cases: Cases) -> tuple[str, str | None]:
    """The same as if the drug that is replaced had never been taken."""
    one = outcome_without(cases.outcomes[case], replaced)
    own, why = _verdict(one)
    if not company.state and not company.cases:
        return own, why
    done = [_done(cases.outcomes[other], replaced, one.drug.name) for other in company.cases]
    status = max([own, *(each for each, _, _ in done), *([CAUTION] if company.already else [])], key=_RANKS.__getitem__)
    mine = why if why and own == status else ""
    # What the candidate's own rows say with the name of the other one is not said again.
    reasons = [*company.already, mine, *(f"beside {name}: {words}" for each, name, words in done
                                         if words and each == status and name not in mine)]
    return status, "; ".join(dict.fromkeys(filter(None, reasons))) or None


@lru_cache(maxsize=REMEMBERED)
def _done(now: Outcome, replaced: str, candidate: str) -> tuple[str, str, str]:
    """What a candidate would do to a medicine that is taken: the status that follows from it, its name, and the reason.

    Where the drug that is to be replaced does the same, the other one's own line says what follows: that is a caution.
    """
    before, name = outcome_without(now, replaced), now.drug.name
    then = outcome_with(before, candidate)
    rows = newly(then, before)
    if not rows:
        return (CAUTION, name, "what follows for it is open") if before.lead and not then.lead else (FITS, name, "")
    worse = any(map(_replaces, newly(then, now)))
    return OUT if worse else CAUTION, name, "; ".join(dict.fromkeys(newly(then, before if not worse else now).values()))


def _replaces(row: Row) -> bool:
    """Whether a row asks for another drug, and not as an option only."""
    return row.action == "avoid" or (row.action == "alternative" and row.strength in GRADED)


@lru_cache(maxsize=REMEMBERED)
def _verdict(one: Outcome) -> tuple[str, str | None]:
    lead = one.lead
    # Not only what leads: an optional "avoid" stands behind a strong change of the dose.
    if lead and any(map(_replaces, (lead, *one.checks, *one.applied[:1]))):
        return OUT, because(one)
    if lead and lead.concern >= CONCERN["monitor"]:
        return CAUTION, because(one)
    # What a check asks for would be asked as soon as the drug is taken: unknown organ function is no good one.
    asked = dict.fromkeys([*filter(None, [untested(one)]), *map(about, [*asked_for(one), *age_asked_for(one)])])
    told = [*(f"{name} is not known" for name in asked), *_silent(one), *held(one)]
    return (CAUTION, "; ".join(told)) if told else (FITS, None)


def _silent(one: Outcome) -> list[str]:
    """Why the guideline says nothing of what is known (a phenotype "Indeterminate"): that is no word in favour."""
    return [reason(one)] if one.drug.rows and one.lead is None and not one.missing else []
