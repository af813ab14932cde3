"""Adviser: one suggestion for every covered drug and patient, from the guideline row that fits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache, reduce
from typing import Any, ClassVar, NamedTuple

import polars as pl

from pmed.lists import longer
from pmed.plans import as_written
from pmed.repeats import unless_repeated
from pmed.tables import TABLES, Tables

from . import wording
from .alike import alike
from .alternatives import OUT, alternatives, offering
from .beside import Taken
from .cases import FEW, REMEMBERED, Cases
from .checks import covered, weighing
from .explainer import medicines_of
from .findings import on_record
from .guidelines import CONCERN, drugs
from .locally import told_as_local
from .medicines import UNREAD, days_taken, each_drug, with_coming
from .old_values import old_values
from .outcomes import Outcome
from .phenoconversion import PERHAPS, TAKEN
from .reasons import assumptions, hints, reasons, reasons_of_few, remarks, today
from .resting import resting
from .uncovered import allergies_to_others
from .undated import undated

PREDICTOR = "pgx-guidelines"
KEY = ["patient_id", "drug"]
START = 90.0  # days in which a treatment has just begun
UNCLEAR = "the record does not say for certain that this drug is taken: please confirm"
PAUSED = "the record says that this drug is paused: ask whether it is taken again, or will be, before relying on either"
WORKED = " It has been taken for more than three months: where it works well, this is no reason to change it."
REFUSED = r"(?i)\bneither \w+ nor \w+|\bavoid \w+ and \w+ too"  # names of what a text offers to nobody
GENES = "{genes}"  # where in a reason the results of genes stand
MORE_CAUTIONS = ("lost", "waits", "unclear", "assumed", "remarked", "hinted", "unweighed")
_MINE = pl.col("predictor") == PREDICTOR
_READ = [pl.col("patient_id", "label", "reason", "status"), pl.col("target").alias("drug"),
         pl.col("value").alias("concern")]
_TYPES = {name: column.dtype for name, column in TABLES["suggestions"].columns.items() if name != "adviser"}
_NO_PRESENT = TABLES["present_phenotypes"].empty()
_NONE_UNWEIGHED = pl.DataFrame(schema={**dict.fromkeys(KEY, pl.String()), "unweighed": _TYPES["cautions"]})
_FLAGS = ("by_check", "for_today", "harm_at_start", "grave", "changes", "discomfort", "weak", "starting")
_FACTS = ("action", "strength", "advice", "because", "dose_factor", "expected", "untested", "open", "to_test", "to_ask",
          "population", "evidence", "noted", "unknown", "explained_by", "offered_for", "offered_as", *_FLAGS)


@dataclass(frozen=True)
class GuidelineAdviser:
    """What the guideline row that leads says to do; where none can, what to test first."""

    name: ClassVar[str] = "pgx-guidelines"
    needs: ClassVar[tuple[str, ...]] = ("predictions", "features", "gene_results", "present_phenotypes", "medications",
                                        "patients", "observations", "allergies")

    def advise(self, tables: Tables) -> pl.DataFrame:
        """A ``suggestions`` table, without ``adviser``: every patient × every drug that rows or checks are about.

        And what is taken in spite of an allergy, of all that is recognised.
        """
        cases = Cases.read(tables["features"])
        every = _with_cases(tables["predictions"].lazy().filter(_MINE).select(_READ).pipe(as_written), cases)
        present, results = tables.get("present_phenotypes", _NO_PRESENT), tables["gene_results"]
        taken = _taken(with_coming(tables))
        old, gone = old_values(taken, cases, tables), undated(taken, cases, tables)
        rows = _advised(every, taken, cases, pl.concat([old.select(KEY), gone.select(KEY)]))
        given = _Given(cases, today(results, present), on_record(tables), Taken.of(tables, cases), (
            taken, _doses(tables["predictions"]), assumptions(results), remarks(results), hints(results),
            days_taken(tables), _unweighed(taken, rows, cases, tables["features"]), old.drop("old_values")))
        others = allergies_to_others(taken, tables)
        if len(cases.patients) <= FEW:
            made = given.said(rows)
        else:
            where, first = alike(rows, cases, given.told, given.found, given.more)
            made = given.said(rows[first])[where].with_columns(rows["patient_id"])
        # Most people have some of their own: those come last, so that the rest is said once of all who are alike.
        late = [*resting(rows, cases, tables), *(cases.within_rows(one, rows).select("row", cautions=name)
                                                for one, name in ((gone, "cautions"), (old, "old_values"))
                                                if one.height)]
        for own in late:
            made = made.with_columns(longer(made["cautions"], own["row"], [own["cautions"]])) if own.height else made
        made = told_as_local(made, rows, cases, tables)
        # In one piece: to pick rows out of several takes thirty times as long.
        return made if others.is_empty() else pl.concat([made, others], rechunk=True)


@dataclass(frozen=True)
class _Given:
    """What is said of patients and drugs rests on.

    Attributes:
        cases: Of all patients and drugs.
        told: The results of genes in words.
        found: Findings on record.
        taken: What the patients take.
        more: Frames of patients and drugs with further columns.
    """

    cases: Cases
    told: pl.DataFrame
    found: pl.DataFrame
    taken: Taken
    more: tuple[pl.DataFrame, ...]

    def said(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The suggestions of `rows`, in their order."""
        outcomes = self.cases.outcomes
        whole = rows.join(_facts(outcomes, rows["case"]), on="case", how="left", maintain_order="left")
        why = reasons_of_few if len(self.cases.patients) <= FEW else reasons
        whole = whole.hstack(why(whole[[*KEY, "case"]], outcomes, self.told))
        concerned = whole.select(*KEY, "number", "advice", label="offered_for", action="offered_as")
        others = alternatives(concerned, self.cases, self.found, self.taken)
        lost = _named_in_vain(whole[[*KEY, "advice"]], others)
        return _suggestions(reduce(_beside, (others, lost, *self.more), whole.lazy()))


def _named_in_vain(rows: pl.DataFrame, others: pl.DataFrame) -> pl.DataFrame:
    """patient_id, drug, lost: a caution where a text, the same for everybody, names what is ruled out for this one."""
    out = others.lazy().select(*KEY, one="alternatives").explode("one", empty_as_null=True, keep_nulls=True).filter(
        pl.col("one").struct.field("status") == OUT).select(*KEY, name=pl.col("one").struct.field("drug"))
    # Few texts hold the name at all, and each name as an expression of its own takes its time.
    told = out.join(rows.lazy().drop_nulls("advice"), on=KEY, maintain_order="left").filter(
        pl.col("advice").str.contains(pl.col("name"), literal=True)).filter(
        pl.col("advice").str.replace_all(REFUSED, "").str.contains(pl.format(r"\b{}\b", "name")))
    names = told.group_by(KEY, maintain_order=True).agg(names=pl.col("name").str.join(" or "))
    caution = pl.struct(code=pl.lit("ruled-out"), text=pl.format("Ruled out for this patient: {}.", "names"))
    return names.select(*KEY, lost=pl.concat_list(caution).cast(_TYPES["cautions"])).pipe(as_written)


def _advised(every: pl.DataFrame, taken: pl.DataFrame, cases: Cases, old: pl.DataFrame) -> pl.DataFrame:
    """The rows of `every` that are advised on: where a row or check holds, or waits for the genes.

    Of what is taken also where a check asks for a measurement, or would hold by what is `old` or of an unknown day.
    """
    silent = every["status"] == "not-applicable"
    open_ = every[["number", "case"]].with_row_index("at").filter(silent & pl.Series(cases.within(every, taken)))
    asking = [case for case in open_["case"].unique().to_list() if wording.untested(cases.outcomes[case])]
    more = open_.filter(pl.col("case").is_in(asking) | pl.Series(cases.within(open_, old)))["at"]
    return every[pl.concat([(~silent).arg_true(), more]).sort()]


def _with_cases(predictions: pl.DataFrame, cases: Cases) -> pl.DataFrame:
    """The predictions with their `case` and the `number` of the patient among the cases.

    They are mostly in the order of the cases, and a join takes longer.
    """
    known = cases.rows().hstack([cases.numbers()])
    if all(predictions[name].equals(known[name]) for name in KEY):
        return predictions.hstack(known[["case", "number"]])
    return predictions.join(known, on=KEY, how="left", maintain_order="left")


def _beside(rows: pl.LazyFrame, more: pl.DataFrame) -> pl.LazyFrame:
    """The columns of `more` beside the rows of its patients and drugs; there is often none, and a join takes longer."""
    if more.is_empty():
        return rows.with_columns(pl.lit(None, dtype=dtype).alias(name)
                                 for name, dtype in more.schema.items() if name not in KEY)
    return rows.join(more.lazy(), on=KEY, how="left", maintain_order="left")


def _suggestions(rows: pl.LazyFrame) -> pl.DataFrame:
    """The table's columns from the joined rows."""
    known, action, made, columns = _columns()
    said = rows.with_columns(known).with_columns(action).with_columns(made).pipe(as_written)
    for name, more in (("noted", MORE_CAUTIONS), ("unknown", ["remeasure"]), ("explained_by", ["explained_too"]),
                       ("evidence", ["waited"])):
        said = _lengthened(said, name, more)
    return said.select(columns)


@cache
def _columns() -> tuple[list[pl.Expr], pl.Expr, list[pl.Expr], list[pl.Expr]]:
    """What is known, the action by that, the words by both, and the table's columns: made once, for every question."""
    untested = pl.col("untested").is_not_null()
    both = pl.coalesce(pl.format("{} and {}", "untested", "too_old"), "untested", "too_old").alias("untested")
    known = [both, pl.col("current").fill_null(value=False), pl.col("concern").is_not_null().alias("assessed")]
    action = pl.when("assessed").then("action").when(pl.col("current") & untested).then(pl.lit("test")).otherwise(
        pl.lit("not-assessed")).alias("action")
    made = [_urgency().alias("urgency"), _text().alias("text"), _why().alias("why"),
            pl.col("alternatives").fill_null([])]
    of = {"cautions": "noted"}
    return known, action, made, [pl.col(of.get(name, name)).cast(dtype).alias(name) for name, dtype in _TYPES.items()]


def _lengthened(rows: pl.DataFrame, name: str, more: Sequence[str]) -> pl.DataFrame:
    """The list `name` with those of `more` after it."""
    longer_ones = rows.select(pl.any_horizontal(pl.col(one).is_not_null() for one in more).arg_true()).to_series()
    if longer_ones.is_empty():
        return rows
    theirs = [rows[one].gather(longer_ones) for one in more]
    return rows.with_columns(longer(rows[name], longer_ones, theirs))


def _urgency() -> pl.Expr:
    """See ``docs/plan.md``, section 6. A treatment of unknown age may have begun today."""
    test, graded = pl.col("action") == "test", pl.col("strength").is_in(["strong", "moderate"])
    slight = test & ~pl.col("grave") & pl.col("too_old").is_null()
    quiet = ~pl.col("current") | pl.col("action").is_in(["standard", "not-assessed"]) | slight
    mild = pl.col("discomfort") | _has_worked()
    pressing = (pl.col("action").is_in(["avoid", "alternative"]) & graded & ~mild) | (
        _begins() & (test | pl.col("changes"))) | pl.col("for_today")
    return pl.when(quiet).then(pl.lit("routine")).when(pressing).then(pl.lit("today")).otherwise(pl.lit("soon"))


def _begins() -> pl.Expr:
    """Whether harm comes in the first weeks, and they may be now."""
    return pl.col("harm_at_start") & (pl.col("days") < START).fill_null(value=True)


def _has_worked() -> pl.Expr:
    """Whether all that speaks against it is that it may be too weak, and it has been taken for long enough to know."""
    return pl.col("weak") & (pl.col("days") >= START).fill_null(value=False)


def _text() -> pl.Expr:
    note = (pl.when(pl.col("explained_too").is_not_null())
            .then(pl.lit(" The dose estimated for this patient can serve as the start."))
            .when(pl.col("expected") != "").then(pl.format(" Expected maintenance {}.", "expected"))
            .when(_has_worked()).then(pl.lit(WORKED))
            .when(pl.col("starting") & pl.col("current") & pl.col("unclear").is_null())
            .then(pl.lit(" It is taken already: compare the present dose with this."))
            .otherwise(pl.lit("")))
    advice = _with_test(pl.col("advice").str.replace_all("{alternatives}", _fitting(), literal=True))
    test = pl.when(pl.col("to_ask") != "").then(pl.format(
        "Ask whether {} is taken, and how much, before relying on the usual dose of {}.{}", "to_ask", "drug", "open")
    ).otherwise(pl.format("Test {} before relying on the usual dose of {}.{}", "untested", "drug", "open"))
    wait = pl.format("Not assessed: no reliable result for {}.{}", "untested", "open")
    return (pl.when("assessed").then(advice + note).when(pl.col("action") == "test").then(test)
            .when(pl.col("untested").is_not_null()).then(wait)
            .otherwise(pl.format("No genetic advice: {}.", "reason")))


def _with_test(advice: pl.Expr) -> pl.Expr:
    """`advice`, and while the treatment begins the test that it should not go without.

    Before what the guideline says; behind what a check says, as that is for now.
    """
    then = advice.str.slice(0, 1).str.to_lowercase() + advice.str.slice(1)
    asked = _begins() & (pl.col("to_test") != "")
    return (pl.when(~asked).then(advice).when("by_check").then(pl.format("{} {}.", advice, "to_test"))
            .otherwise(pl.format("{}; until then: {}", "to_test", then)))


def _fitting() -> pl.Expr:
    """The guideline's alternatives that nothing on record rules out, as words."""
    none = pl.lit("another drug (the record rules the usual ones out)")
    return pl.when(pl.col("named") != "").then("named").otherwise(none)


def _why() -> pl.Expr:
    who = pl.when(pl.col("who").fill_null("") != "").then(pl.col("who") + pl.lit(": ")).otherwise(pl.lit(""))
    # A medicine, age or illness is no matter of the genes: they stand before the reason that is theirs.
    because = pl.col("because").str.replace_all(GENES, who, literal=True)
    sentence = because.str.slice(0, 1).str.to_uppercase() + because.str.slice(1) + pl.lit(".")
    open_ = pl.format("Whether a check speaks against it is open: no recent value of {}.", "untested")
    return (pl.when("assessed").then(sentence).when(pl.col("status") == "not-applicable").then(open_)
            .when(pl.col("gap").is_not_null()).then(pl.col("gap") + pl.lit("."))
            .otherwise(who + pl.lit("the guideline makes no recommendation.")))


def _facts(outcomes: list[Outcome], asked: pl.Series) -> pl.DataFrame:
    """One row a case among those `asked` for: what does not depend on the patient's other data."""
    told = [(case, outcomes[case]) for case in asked.unique().sort().to_list()]
    mine = [one for _, one in told]
    facts = _remembered_facts(mine) if len(outcomes) <= FEW * len(covered()) else _made_facts(mine)
    return facts.hstack([pl.Series("case", [case for case, _ in told], dtype=pl.Int64)])


def _made_facts(outcomes: Iterable[Outcome]) -> pl.DataFrame:
    more = {"noted": _TYPES["cautions"], **dict.fromkeys(_FLAGS, pl.Boolean())}
    schema = {name: more.get(name, _TYPES.get(name, pl.String())) for name in _FACTS}
    facts = [_fact(one) for one in outcomes]
    return pl.DataFrame([_column(name, [one[name] for one in facts], dtype) for name, dtype in schema.items()])


def _column(name: str, values: Sequence[Any], dtype: pl.DataType) -> pl.Series:
    """A column; lists are alike in most rows, and each distinct one is made once, as that is slow."""
    if not dtype.is_nested():
        return pl.Series(name, values, dtype=dtype)
    places: dict[str, int] = {}
    distinct: list[Any] = []
    of: list[int] = []
    for value in values:
        place = places.setdefault(repr(value), len(distinct))
        if place == len(distinct):
            distinct.append(value)
        of.append(place)
    return pl.Series(name, distinct, dtype=dtype).gather(of)


class _Kept(NamedTuple):
    """Facts that were made, and in which row those of an outcome are."""

    rows: Mapping[Outcome, int]
    facts: pl.DataFrame


_kept = [_Kept({}, _made_facts([]))]


def _remembered_facts(outcomes: Sequence[Outcome]) -> pl.DataFrame:
    """The same as `_made_facts`; of the outcomes of earlier questions about a patient the rows are not made again.

    What is kept is never changed but replaced as a whole, so that two threads cannot mix theirs up.
    """
    kept = _kept[0]
    new = [one for one in dict.fromkeys(outcomes) if one not in kept.rows]
    if len(kept.rows) + len(new) > REMEMBERED:
        kept, new = _Kept({}, _made_facts([])), list(dict.fromkeys(outcomes))
    if new:
        rows = {**kept.rows, **{one: place for place, one in enumerate(new, start=kept.facts.height)}}
        # In one piece: to pick rows out of several takes thirty times as long.
        _kept[0] = kept = _Kept(rows, pl.concat([kept.facts, _made_facts(new)], rechunk=True))
    return kept.facts[[kept.rows[one] for one in outcomes]]


@lru_cache(maxsize=REMEMBERED)
def _fact(one: Outcome) -> dict[str, Any]:
    drug, lead, offers = one.drug, one.lead, offering(one)
    return {"action": lead and lead.action, "strength": lead.strength if lead else "none",
            "offered_for": offers and offers.key, "offered_as": offers and offers.action,
            "advice": wording.advice(one), "because": wording.because(one, GENES),
            "dose_factor": wording.dose_factor(one), "expected": lead.expected if lead else "",
            "untested": wording.untested(one), "open": wording.point(one),
            "to_test": wording.to_test(one), "to_ask": wording.to_ask(one), "by_check": lead in one.checks,
            "for_today": any(row.today for row in one.checks),
            "population": wording.population(one), "evidence": wording.evidence(one), "noted": wording.cautions(one),
            "unknown": wording.unknown(one),
            "explained_by": [{"predictor": PREDICTOR, "target": drug.name}],
            "harm_at_start": drug.harm_at_start, "grave": _grave(one), "changes": _changes(one),
            **{name: bool(lead and getattr(lead, name)) for name in ("discomfort", "weak")},
            "starting": wording.starting(one)}


def _changes(one: Outcome) -> bool:
    """Whether one of the rows and checks that hold changes the treatment, and not as an option only."""
    return any(row.changes for row in (*one.applied, *one.checks))


def _grave(one: Outcome) -> bool:
    """Whether the guideline's rows that may still turn out to fit include one that changes the treatment, strongly."""
    may_fit = (row for _, judged in one.each for row in (*judged.applied, *judged.undecided))
    return any(row.concern >= CONCERN["adjust"] and row.strength == "strong" for row in may_fit)


@unless_repeated
def _taken(medications: pl.DataFrame) -> pl.DataFrame:
    """Drugs taken now; one that is ordered, or perhaps taken, counts as taken, with a caution."""
    each = each_drug(medications.filter(pl.col("active").fill_null(value=True) | pl.col("coming")), "start", "status")
    perhaps = pl.when("paused").then(pl.lit(PAUSED)).otherwise(pl.lit(UNCLEAR))
    coming = pl.format("ordered from {} on: not taken yet", "start")
    code = pl.when("perhaps").then(pl.lit("drug-unclear")).otherwise(pl.lit("not-begun"))
    told = pl.struct(code=code, text=pl.when("perhaps").then(perhaps).otherwise(coming))
    unclear = pl.when(~pl.col("sure")).then(pl.concat_list(told).cast(_TYPES["cautions"]))
    doubted = pl.col("state") == PERHAPS
    return each.group_by(KEY).agg(
        pl.col("start").min(), sure=(pl.col("state") == TAKEN).any(), perhaps=doubted.any(),
        paused=pl.col("status").eq_missing("on-hold").filter(doubted).all(),
    ).select(*KEY, current=pl.lit(value=True), unclear=unclear).pipe(as_written)


def _unweighed(taken: pl.DataFrame, rows: pl.DataFrame, cases: Cases, features: pl.DataFrame) -> pl.DataFrame:
    """Beside a medicine that was not recognised: the caution that an interaction with it was not weighed.

    For drugs taken of which rows or checks ask what else is taken, and for any of which one that is recognised counts.
    """
    if UNREAD not in features.columns or not features[UNREAD].cast(pl.String).str.len_bytes().sum():
        return _NONE_UNWEIGHED
    text = pl.format("Not recognised, so an interaction with it was not weighed: {}.", UNREAD)
    unread = features.filter(pl.col(UNREAD) != "").select("patient_id", text=text)
    said = pl.concat_list(pl.struct(code=pl.lit("unread-medicine"), text="text")).cast(_TYPES["cautions"])
    theirs = rows.filter(pl.col("status") == "assessed").join(unread, on="patient_id", how="semi")
    counts = [case for case in theirs["case"].unique().to_list() if medicines_of(cases.outcomes[case])]
    told = pl.concat([taken.filter(pl.col("drug").is_in(list(weighing()))).select(KEY),
                      theirs.filter(pl.col("case").is_in(counts)).select(KEY)]).unique()
    return told.join(unread, on="patient_id").select(*KEY, unweighed=said)


def _doses(predictions: pl.DataFrame) -> pl.DataFrame:
    """Doses that other predictors have worked out, for the drugs whose guideline asks for one."""
    # Nearly all predictions are of this adviser's own predictor.
    others = predictions.lazy().filter(pl.col("predictor") != PREDICTOR)
    found = others.filter(pl.col("status") == "assessed").join(_dosed().lazy(), on="target")
    return found.group_by(KEY, maintain_order=True).agg(explained_too=pl.struct("predictor", "target")).pipe(as_written)


@cache
def _dosed() -> pl.DataFrame:
    return pl.DataFrame([(drug.name, drug.dose_from) for drug in drugs().values() if drug.dose_from],
                        schema={"drug": pl.String, "target": pl.String}, orient="row")
