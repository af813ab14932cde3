"""What if: a patient's result with another medicine, genotype, weight or laboratory value, and the difference.

The tables that were read are changed and the run is repeated from there; feature steps that need nothing changed are
kept. A stopped medicine is taken as gone altogether; what it still does right after its last dose is told beside that
(`WhatIf.at_first`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from difflib import get_close_matches
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import msgspec
import polars as pl

from .collecting import uncollected
from .engine import Engine
from .errors import OptionError
from .normalise.drugs import Vocabulary, add_ingredients
from .normalise.units import canonical_units
from .plugins import Failure, installed
from .processors import one_processor
from .settings import Settings
from .spelling import names_of
from .stages.features import Before
from .stages.read import READ_TABLES
from .tables import TABLES, Tables

if TYPE_CHECKING:
    from .result import Result

# LOINC code and unit of what can be given by name
MEASURES = {"weight": ("29463-7", "kg"), "height": ("8302-2", "cm"), "creatinine": ("2160-0", "mg/dL"),
            "potassium": ("2823-3", "mmol/L"), "inr": ("6301-6", "1"), "heart_rate": ("8867-4", "/min")}
SAID = "what-if"
_JUST_ENDED = "what-if: ended"
_COMPARED = ("current", "action", "urgency", "strength", "concern", "dose_factor", "text")


@dataclass(frozen=True)
class WhatIf:
    """The two results, and what differs.

    Attributes:
        before: The result of the one patient as they are.
        suggestions: One row a drug that is advised differently: patient_id, drug, and each of action, urgency,
            strength, concern, dose_factor and text with ``_before`` and ``_after``, and the texts of the cautions that
            hold only now that it is taken.
        phenotypes: One row a gene whose present phenotype differs: gene, present_phenotype_before and _after.
        predictions: One row a prediction with another value: predictor, target, unit, and value and label with
            ``_before`` and ``_after``.
        question: The change in words.
        failures: What plugins did wrong at the question; what they give is missing in the difference.
        at_first: One row a drug that is advised differently right after the last dose of what is stopped: patient_id,
            drug, each of the fields of ``suggestions`` with ``_later`` (as it is there) and ``_at_first``, and the
            texts of the cautions that hold at first only and name what is stopped.
    """

    before: Result
    question: str
    suggestions: pl.DataFrame
    phenotypes: pl.DataFrame
    predictions: pl.DataFrame
    _finish: Callable[[], Result] = field(repr=False)
    failures: tuple[Failure, ...] = ()
    _just_stopped: Callable[[], pl.DataFrame] | None = field(default=None, repr=False)

    @cached_property
    def at_first(self) -> pl.DataFrame:
        """See there; worked out when it is first asked for."""
        suggestions = TABLES["suggestions"].empty()
        return self._just_stopped() if self._just_stopped else _at_first(suggestions, suggestions, [])

    @cached_property
    def after(self) -> Result:
        """The result with the change; its explanations are made when it is first asked for."""
        return self._finish()

    @property
    def text(self) -> str:
        """The difference in lines a person can read."""
        lines = [_changed(row["gene"], row["present_phenotype_before"], row["present_phenotype_after"])
                 for row in self.phenotypes.iter_rows(named=True)]
        taken = pl.any_horizontal(pl.col("current_before", "current_after").fill_null(value=False))
        others = self.suggestions.filter(~taken).height
        lines += [" ".join([_changed(row["drug"], _advice(row, "before"), _advice(row, "after")), *row["cautions"]])
                  for row in self.suggestions.filter(taken).iter_rows(named=True)]
        lines += [f"and of {others} medicine{'s' * (others > 1)} not taken"] if others else []
        lines += [" ".join([f"{row['drug']}, right after the last dose: {_advice(row, 'at_first')}", *row["cautions"]])
                  for row in self.at_first.filter("current_at_first").iter_rows(named=True)]
        lines += [_changed(row["target"], _amount(row, "before"), _amount(row, "after"))
                  for row in self.predictions.filter(pl.col("unit") != "concern level").iter_rows(named=True)]
        lost = [f"{one.plugin} failed, and what it gives is missing: {one.message}" for one in self.failures]
        said = lines or ["Nothing changes in what could be assessed."]
        return "\n".join([f"What if {self.question}?", *lost, *said])

    def __repr__(self) -> str:
        """The text."""
        return self.text

    def _repr_html_(self) -> str:
        from .notebook import display

        return display.difference(self)


@one_processor()
@uncollected()
def what_if(result: Result, patient_id: str, *, stop: str | Iterable[str] = (), start: str | Iterable[str] = (),
            genotype: Mapping[str, str] | None = None, measures: Mapping[str, float] | None = None) -> WhatIf:
    """Repeat one patient's run with changes.

    Raises:
        OptionError: where a medicine is not known or not taken, a measure is not one of `MEASURES`, or nothing changes.
    """
    mine = result.for_patient(patient_id)
    stops, starts = _names(stop), _names(start)
    engine, names = _engine_of(mine.provenance)
    read = {name: mine.tables.get(name, TABLES[name].empty()) for name in READ_TABLES}
    read, words, changed = _record(read, patient_id), [], set()
    first = read["medications"]
    for wanted, change, at_first in ((stops, _stop, _end), (starts, _start, _start)):
        for name in wanted:
            read["medications"] = change(read["medications"], patient_id, name, names)
            first = at_first(first, patient_id, name, names)
            words.append(f"{name} is {'stopped' if change is _stop else 'started'}")
            changed.add("medications")
    for gene, diplotype in _genotypes(genotype, engine).items():
        read["outside_calls"] = _genotype(read["outside_calls"], patient_id, gene, diplotype)
        words.append(f"{gene} is {diplotype}")
        changed |= {"outside_calls", "genotypes", "samples"}
    for name, value in (measures or {}).items():
        read["observations"] = _measure(read, patient_id, name, value)
        words.append(f"{name.replace('_', ' ')} is {value:g} {MEASURES[name][1]}")
        changed.add("observations")
    if not words:
        raise OptionError("nothing to change", hint="name stop, start, genotype or a measure")
    if not mine.tables["patients"].height:
        changed.add("patients")
    known = len(engine.plugins.failures)  # the engine is kept, and with it what went wrong in earlier questions
    made = engine.conclude_anew(read, Before(mine.tables, frozenset(changed)))
    failed_now = tuple(engine.plugins.failures[known:])

    @one_processor()
    def finish() -> Result:
        known = len(engine.plugins.failures)
        tables = {**mine.tables, **made}
        failed = dict.fromkeys((*mine.failures, *failed_now, *engine.plugins.failures[known:]))
        settings = {**mine.provenance.get("settings", {}), SAID: words}
        return type(result)(tables, tuple(failed), {**mine.provenance, "settings": settings})

    @one_processor()
    def just_stopped() -> pl.DataFrame:
        # What plugins do wrong here they did at the question itself, too, where it is told.
        then = engine.conclude_anew({**read, "medications": _ended_on_the_day(first, read["patients"])},
                                    Before(mine.tables, frozenset(changed)))
        return _at_first(made["suggestions"], then["suggestions"], stops)

    return WhatIf(mine, " and ".join(words), *_differences(mine.tables, made), finish, failed_now,
                  just_stopped if stops else None)


def _at_first(later: pl.DataFrame, first: pl.DataFrame, stopped: Iterable[str]) -> pl.DataFrame:
    """What is advised otherwise right after the last dose of what is `stopped` than later on."""
    found = _compared(later, first, ["patient_id", "drug"], _COMPARED).rename({
        f"{name}_{side}": f"{name}_{now}" for name in _COMPARED for side, now in (
            ("before", "later"), ("after", "at_first"))})
    said = [[one for one in new if any(name in one for name in stopped)] for new in _new_cautions(
        later, first, found, pl.col("current_at_first").fill_null(value=False))]
    return found.with_columns(pl.Series("cautions", said, dtype=pl.List(pl.String())))


def _new_cautions(before: pl.DataFrame, after: pl.DataFrame, found: pl.DataFrame, asked: pl.Expr) -> list[list[str]]:
    """For each row `found` the texts of cautions that only the second has, of the drugs that are `asked` about.

    Not of all: lists are slow to take apart.
    """
    mine = found.filter(asked)["drug"].to_list()
    then, now = ({drug: [one["text"] for one in said or []] for drug, said in rows.filter(
        pl.col("drug").is_in(mine))["drug", "cautions"].iter_rows()} for rows in (before, after))
    return [[one for one in now.get(drug, []) if one not in then.get(drug, [])] for drug in found["drug"].to_list()]


def _genotypes(given: Mapping[str, str] | None, engine: Engine) -> Mapping[str, str]:
    """What was given, if all of it is of genes that a plugin calls; where none says which it calls, all is taken."""
    if not given:
        return {}
    if not isinstance(given, Mapping):
        raise OptionError("a genotype is given by gene and diplotype", hint='such as {"CYP2C19": "*2/*2"}')
    genes = {name.partition(":")[2] for step in engine.steps for name in names_of(step.made)
             if name.startswith("diplotype:")}
    for gene in given if genes else ():
        if gene not in genes:
            near = get_close_matches(gene.upper(), genes, 1)
            raise OptionError(f"no gene is called {gene!r}", hint=f"did you mean {near[0]!r}?" if near else
                              'a genotype is given by gene and diplotype, such as {"CYP2C19": "*2/*2"}')
    return given


def _names(given: str | Iterable[str]) -> list[str]:
    return [given.lower()] if isinstance(given, str) else [name.lower() for name in given]


def _engine_of(provenance: Mapping[str, Any]) -> tuple[Engine, Vocabulary]:
    """The engine as that run had it, and its medicines' names: its options, and no plugin that it did not have.

    One that was switched off or not allowed then, or was installed since, stays out: it would be taken for a
    difference that the question makes.
    """
    options = msgspec.json.encode(provenance.get("settings", {}).get("options", {}), order="deterministic")
    return _engine(options, frozenset(provenance["plugins"]) if "plugins" in provenance else None)


@lru_cache(maxsize=4)
def _engine(options: bytes, plugins: frozenset[str] | None) -> tuple[Engine, Vocabulary]:
    """Kept, because making them takes longer than a question."""
    out = frozenset[str]() if plugins is None else frozenset(point.name for point in installed()) - plugins
    engine = Engine.start(Settings(out, msgspec.json.decode(options)))
    return engine, Vocabulary.of(engine.drug_names)


def _record(read: dict[str, pl.DataFrame], patient_id: str) -> dict[str, pl.DataFrame]:
    """A patient of whom only the genome is known gets an empty record, as of today."""
    table = TABLES["patients"]
    if not read["patients"].height:
        read["patients"] = table.frame([{"patient_id": patient_id, "index_date": datetime.now(tz=UTC).date()}])
    return read


def _stop(drugs: pl.DataFrame, patient_id: str, name: str, names: Vocabulary) -> pl.DataFrame:
    """Without a medicine; where it was the only one the record says so, as an empty list would leave it unknown."""
    held = pl.col("ingredients").list.contains(name).fill_null(value=False)
    maybe = (pl.col("possible_ingredients").list.contains(name).fill_null(value=False)
             if "possible_ingredients" in drugs.columns else pl.lit(value=False))
    left = drugs.filter(~(held | maybe) | (pl.col("patient_id") != patient_id))
    if left.height == drugs.height:
        raise OptionError(f"{name} is not among the medicines on record", where=patient_id)
    return left if (left["patient_id"] == patient_id).any() else _with(left, patient_id, "no known medications", names)


def _end(drugs: pl.DataFrame, patient_id: str, name: str, _: Vocabulary) -> pl.DataFrame:
    """With a medicine marked as one that has just ended, for `_ended_on_the_day`; what only could be it is left out."""
    mine = pl.col("patient_id") == patient_id
    held = mine & pl.col("ingredients").list.contains(name).fill_null(value=False)
    maybe = (mine & pl.col("possible_ingredients").list.contains(name).fill_null(value=False)
             if "possible_ingredients" in drugs.columns else pl.lit(value=False))
    # What had ended before stays as it was; "active" is also null, where nobody knows.
    taken = held & pl.col("active").fill_null(value=True)
    return drugs.filter(~maybe).with_columns(
        active=pl.when(taken).then(pl.lit(value=False)).otherwise("active"),
        status=pl.when(taken).then(pl.lit(_JUST_ENDED)).otherwise("status"))


def _ended_on_the_day(drugs: pl.DataFrame, people: pl.DataFrame) -> pl.DataFrame:
    """With the day of the question as the end of what `_end` has marked."""
    day = pl.lit(people["index_date"][0], dtype=drugs["end"].dtype)
    marked = pl.col("status").eq_missing(_JUST_ENDED)
    return drugs.with_columns(end=pl.when(marked).then(day).otherwise("end"))


def _start(drugs: pl.DataFrame, patient_id: str, name: str, names: Vocabulary) -> pl.DataFrame:
    more = _with(drugs, patient_id, name, names)
    (found,) = more[-1].select("ingredients", "possible_ingredients", "matched_by").rows(named=True)
    if not found["ingredients"] or found["matched_by"] == "fuzzy":
        near = found["ingredients"] or found["possible_ingredients"]
        raise OptionError(f"no medicine is called {name!r}", hint=f"did you mean {' or '.join(near)}?" if near else
                          "give the ingredient's RxNorm name")
    return more


def _with(drugs: pl.DataFrame, patient_id: str, display: str, names: Vocabulary) -> pl.DataFrame:
    """With one more entry, read as a record's are; it is the last row."""
    row = {"patient_id": patient_id, "row": _next(drugs), "display": display, "active": True,
           "kind": "statement", "status": SAID, "source": SAID}
    made, _ = add_ingredients(TABLES["medications"].frame([row]), names)
    return pl.concat([drugs, made], how="diagonal")


def _next(frame: pl.DataFrame) -> int:
    return max(frame["row"].to_list(), default=0) + 1


def _genotype(calls: pl.DataFrame, patient_id: str, gene: str, diplotype: str) -> pl.DataFrame:
    row = {"patient_id": patient_id, "gene": gene, "diplotype": diplotype, "tool": SAID, "file": SAID}
    kept = calls.filter((pl.col("gene") != gene) | (pl.col("patient_id") != patient_id))
    return pl.concat([kept, TABLES["outside_calls"].frame([row])], how="diagonal")


def _measure(read: Mapping[str, pl.DataFrame], patient_id: str, name: str, value: float) -> pl.DataFrame:
    if name not in MEASURES:
        raise OptionError(f"no measure is called {name!r}", hint=f"there are: {', '.join(MEASURES)}")
    code, unit = MEASURES[name]
    day = read["patients"].filter(patient_id=patient_id)["index_date"][0]
    row = {"patient_id": patient_id, "row": _next(read["observations"]), "system": "http://loinc.org",
           "code": code, "start": day, "value": float(value), "unit": unit, "source": SAID}
    made, _ = canonical_units(TABLES["observations"].frame([row]))
    return pl.concat([read["observations"], made], how="diagonal")


def _differences(before: Tables, after: Tables) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    advice = _compared(before["suggestions"], after["suggestions"], ["patient_id", "drug"], _COMPARED)
    taken_now = pl.col("current_after").fill_null(value=False) & ~pl.col("current_before").fill_null(value=False)
    advice = advice.with_columns(pl.Series("cautions", _new_cautions(
        before["suggestions"], after["suggestions"], advice, taken_now), dtype=pl.List(pl.String())))
    genes = _compared(_today(before), _today(after), ["patient_id", "gene"], ("present_phenotype",))
    values = _compared(before["predictions"], after["predictions"],
                       ["patient_id", "predictor", "target", "unit"], ("value", "label"))
    return advice, genes, values.filter(pl.col("value_before").ne_missing(pl.col("value_after")))


def _today(tables: Tables) -> pl.DataFrame:
    """patient_id, gene and present phenotype: the genetic one where no medicine acts."""
    called, now = (tables.get(name, TABLES[name].empty()) for name in ("gene_results", "present_phenotypes"))
    found = {(patient, gene): phenotype if complete else None for patient, gene, complete, phenotype
             in called[["patient_id", "gene", "complete", "phenotype"]].iter_rows()}
    found.update({(patient, gene): phenotype for patient, gene, phenotype
                  in now[["patient_id", "gene", "present_phenotype"]].iter_rows()})
    return pl.DataFrame([(*key, found[key]) for key in sorted(found)], orient="row", schema={
        "patient_id": pl.String(), "gene": pl.String(), "present_phenotype": pl.String()})


# Of one patient: in plain Python, as joining two frames of a few hundred rows takes longer than looking at them.
def _compared(before: pl.DataFrame, after: pl.DataFrame, key: list[str], names: Iterable[str]) -> pl.DataFrame:
    """Rows of which one of `names` differs, with its value in both; null where a row is only in the other."""
    told = [*names]
    one, other = ({row[:len(key)]: row[len(key):] for row in frame[[*key, *told]].iter_rows()}
                  for frame in (before, after))
    nothing = (None,) * len(told)
    pairs = ((row, one.get(row, nothing), other.get(row, nothing)) for row in {**other, **one})
    types = {name: after[name].dtype for name in (*key, *told)}
    return pl.DataFrame([(*row, *then, *now) for row, then, now in pairs if then != now], orient="row", schema={
        **{name: types[name] for name in key}, **{f"{name}_before": types[name] for name in told},
        **{f"{name}_after": types[name] for name in told}})


def _changed(what: str, before: str | None, after: str | None) -> str:
    return f"{what}: {before or 'unknown'} → {after or 'unknown'}"


def _advice(row: Mapping[str, Any], side: str) -> str:
    action = row[f"action_{side}"]
    if action is None:
        return "no advice"
    if not row[f"current_{side}"]:
        return "not taken"
    return f"{action} ({row[f'urgency_{side}']}): {row[f'text_{side}']}"


def _amount(row: Mapping[str, Any], side: str) -> str | None:
    value, label = row[f"value_{side}"], row[f"label_{side}"]
    return None if value is None else f"{value:.3g} {row['unit']}" + (f" ({label})" if label else "")
