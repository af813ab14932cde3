"""Which guideline row leads for a patient, and what unknown inputs leave open.

Rows of one population (ages and indication) are read in order, and the first that fits is that population's. Of the
populations a patient may belong to, the most concerned row leads. A row that an unknown input leaves undecided stands
in the way of later rows that say to use the drug as usual or to watch it: unknown never becomes standard. A row that
changes the treatment leads all the same, and a caution names the more concerned ones that stay open. An input of which
several values are possible is judged for each of them, and leads somewhere only where all agree.

Checks (``checks``) come on top: all that hold count. One that weighs more than the guideline's row leads (`weight`);
where the guideline waits for an unknown gene, only one that changes the treatment does. What holds only once a medicine
is taken that is to begin, or perhaps taken, is a check to watch.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import Any

from pmed.tables import STRENGTHS

from .checks import LATER, acting_on, doubtful, foreseen, genes_of, is_list, listing, seen, taken_all
from .guidelines import AGE, CONCERN, DAYS, FINDING, LATEST, PHENOTYPE, SCORE, Drug, Known, Range, Row, gene_of
from .phenoconversion import COMING, OR


@dataclass(frozen=True)
class Judged:
    """What the rows say of one combination of inputs.

    ``applied``: the fitting row of each population, most concerned first. ``undecided``: rows before those that an
    unknown input leaves open. ``checks``: those that hold, by `weight`. ``asking``: checks that want to know.
    """

    applied: tuple[Row, ...]
    undecided: tuple[Row, ...]
    checks: tuple[Row, ...] = ()
    asking: tuple[Row, ...] = ()

    @property
    def lead(self) -> Row | None:
        """The row that gives the action: the guideline's, or a check of more `weight`."""
        row, check = self.by_guideline, self.checks[0] if self.checks else None
        if check is None or (row and weight(row) <= weight(check)):
            return row
        waits = row is None and bool(self.applied or self.undecided)
        return None if waits and check.concern < CONCERN["adjust"] else check

    @property
    def by_guideline(self) -> Row | None:
        """The guideline's row; None where none fits, or where it changes little and an undecided one may."""
        if not self.applied:
            return None
        first = self.applied[0]
        least = all(row.concern <= first.concern for row in self.undecided)
        return first if least or first.concern >= CONCERN["adjust"] else None


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a drug's rows say of patients with the same inputs; ``each`` has one entry a combination of the sets.

    ``given`` are the features, ``known`` what the rows look at: the present phenotypes. Equal only to itself, so that
    what follows from one can be remembered for it.
    """

    drug: Drug
    known: Known
    each: tuple[tuple[Known, Judged], ...]
    given: Known

    @cached_property
    def lead(self) -> Row | None:
        """The row that gives action, strength and dose; None where there is none, or the possible values differ."""
        leads = [judged.lead for _, judged in self.each]
        said = {(lead.action, lead.dose_factor) if lead else None for lead in leads}
        if len(said) > 1 or not leads[0]:
            return None
        own = (*self.drug.rows, *self.drug.checks)
        # What is only foreseen is none of the drug's own rows.
        return min((lead for lead in leads if lead), key=lambda row: own.index(row) if row in own else len(own))

    @cached_property
    def checks(self) -> tuple[Row, ...]:
        """Checks that hold whatever the unknown inputs are, by `weight`."""
        first, *others = (judged.checks for _, judged in self.each)
        return tuple(row for row in first if all(row in rows for rows in others))

    @cached_property
    def asking(self) -> tuple[Row, ...]:
        """Checks that an unknown input leaves open and that ask for it."""
        return tuple(dict.fromkeys(row for _, judged in self.each for row in judged.asking))

    @cached_property
    def applied(self) -> tuple[Row, ...]:
        """The row of each population, the leading one first; of several possible values the most concerned one's.

        Where a check leads, whatever the values are, they need not agree: then none of theirs is the patient's.
        """
        worst: dict[Any, Row] = {}
        for row in _by_concern(self.drug, (row for _, judged in self.each for row in judged.applied)):
            worst.setdefault((row.ages, row.indication), row)
        rest = tuple(row for row in worst.values() if row is not self.lead)
        if self.lead in self.drug.rows:
            return (self.lead, *rest)
        return tuple(row for row in rest if self._agreed(row)) if self.lead else rest

    def _agreed(self, row: Row) -> bool:
        """Whether each of several possible values has a row of the same population that says to do the same."""
        of_population = [[one for one in judged.applied if (one.ages, one.indication) == (row.ages, row.indication)]
                         for _, judged in self.each]
        return all(any((one.action, one.dose_factor) == (row.action, row.dose_factor) for one in rows)
                   for rows in of_population)

    @cached_property
    def undecided(self) -> tuple[Row, ...]:
        """Rows that an unknown input leaves open, and that another of the same population does not come before."""
        open_ = {row.key: row for known, one in self.each for row in one.undecided if reachable(self.drug, known, row)}
        return tuple(_by_concern(self.drug, open_.values()))

    @cached_property
    def sets(self) -> Mapping[str, tuple[str, ...]]:
        """Inputs of which several values are possible."""
        return _several({name: value for name, value in self.known.items() if not name.startswith(LATER)})

    @cached_property
    def unknown(self) -> tuple[str, ...]:
        """Inputs that nobody knows; age counts where it would have chosen between the rows."""
        names = [name for name in self.drug.inputs if not name.startswith((FINDING, DAYS))]
        return tuple(name for name in names if self.known.get(name) is None)

    @cached_property
    def missing(self) -> tuple[str, ...]:
        """What has to be known before a row can lead; empty where one does, or where no row is for these inputs."""
        if self.lead:
            return ()
        asked = {name for _, one in self.each for row in one.undecided for name in row.when}
        return tuple(name for name in self.drug.reference
                     if (name in asked and self.known.get(name) is None) or self._split_by(name))

    def _split_by(self, name: str) -> bool:
        """Whether several values of an input are possible, and at least one of them has a row."""
        return name in self.sets and any(judged.applied for _, judged in self.each)


def judge(drug: Drug, known: Known) -> Judged:
    """What the rows say of inputs that have one value each, or none."""
    applied, undecided = _applied(drug, known)
    held = [(row, row.fits(known)) for row in drug.checks]
    return Judged(tuple(_by_concern(drug, applied)), tuple(undecided),
                  tuple(sorted((row for row, fits in held if fits), key=weight)),
                  tuple(row for row, fits in held if fits is None and row.ask))


def _applied(drug: Drug, known: Known) -> tuple[list[Row], list[Row]]:
    """The fitting row of each population, and the rows before them that an unknown input leaves open."""
    applied, undecided = [], []
    for rows in considered(drug, known):
        for row in rows:
            fits = row.fits(known)
            if fits:
                applied.append(row)
                break
            if fits is None:
                undecided.append(row)
    return applied, undecided


def outcome(drug: Drug, given: Known) -> Outcome:
    """What the rows say; the text ``A or B`` as the value of a phenotype means that both are possible."""
    known = seen(drug, given)
    each = tuple((one, judge(drug, one)) for one in _combinations(known))
    if names := doubtful(given):
        whole = replace(drug, checks=(*drug.checks, *_foreseen(drug, given, names, each)))
        known = seen(whole, given)
        each = tuple((one, judge(whole, one)) for one in _combinations(known))
    return Outcome(drug, known, each, given)


def _foreseen(drug: Drug, given: Known, names: Mapping[str, str],
              each: Iterable[tuple[Known, Judged]]) -> Iterator[Row]:
    """What holds in addition once the medicines that are to begin, or perhaps taken, are taken."""
    then = taken_all(given)
    first, *others = (_holding(judge(drug, one)) for one in _combinations(seen(drug, then)))
    today = [row for _, judged in each for row in _holding(judged)]
    for row in first:
        if row.concern and row not in today and all(row in rows for rows in others):
            mine = tuple(name for name in _behind(drug, row, then) if name in names) or tuple(sorted(names))
            yield foreseen(drug, row, mine, ordered=all(names[name] == COMING for name in mine))


def _holding(judged: Judged) -> list[Row]:
    return [*judged.checks, *([judged.by_guideline] if judged.by_guideline else [])]


def _behind(drug: Drug, row: Row, given: Known) -> list[str]:
    """The other medicines by which a row holds, in alphabetical order."""
    counted = [one for name in row.when if is_list(name) for one in listing(name, given, drug.name) or []]
    genes = {gene_of(name) for name in row.when if name.startswith((PHENOTYPE, SCORE))}
    acting = [one.drug for gene in genes_of(drug) if gene in genes for one in acting_on(drug, gene, given)]
    return sorted({*counted, *acting})


def certain(drug: Drug, known: Known) -> float:
    """Concern level that is certain whatever the unknown inputs are: what is unknown adds no concern."""
    return min(_highest(drug, one) for one in _combinations(seen(drug, known)))


def _highest(drug: Drug, known: Known) -> float:
    applied, _ = _applied(drug, known)
    held = (row for row in drug.checks if row.fits(known))
    leading = min((*_by_concern(drug, applied)[:1], *held), key=weight, default=None)
    return leading.concern if leading else 0.0


def reachable(drug: Drug, known: Known, row: Row) -> bool:
    """Whether an undecided row would be its population's if the unknown inputs were as it asks; of a range, unasked."""
    wanted = {name: asked[0] for name, asked in row.when.items() if known.get(name) is None}
    return any(isinstance(one, Range) for one in wanted.values()) or row in _applied(drug, {**known, **wanted})[0]


def _combinations(known: Known) -> list[Known]:
    """Every choice among the inputs of which several values are possible."""
    several = _several(known)
    return [{**known, **dict(zip(several, one, strict=True))} for one in product(*several.values())]


def _several(known: Known) -> dict[str, tuple[str, ...]]:
    """The possible values of each input that has several."""
    return {name: tuple(value.split(OR)) for name, value in known.items() if isinstance(value, str) and OR in value}


def members(value: Any) -> tuple[Any, ...]:
    """The possible values of an input.

    >>> members("Normal Metabolizer or Rapid Metabolizer"), members(1.5)
    (('Normal Metabolizer', 'Rapid Metabolizer'), (1.5,))
    """
    return tuple(value.split(OR)) if isinstance(value, str) else (value,)


def considered(drug: Drug, known: Known) -> list[tuple[Row, ...]]:
    """The populations that a patient may belong to: a record proves an indication, never its absence."""
    if drug.for_everybody:
        return list(drug.groups)
    age = known.get(AGE)
    here = {rows[0].indication for rows in drug.groups if known.get(f"{FINDING}{rows[0].indication}")}
    return [rows for rows in drug.groups
            if (rows[0].ages is None or age is None or age in rows[0].ages)
            and (not here or rows[0].indication in here or not rows[0].indication)]


def weight(row: Row) -> tuple[bool, float, int, bool]:
    """What leads first: a change that is no mere option, the more concerned, the stronger, what was measured."""
    return not row.changes, -row.concern, STRENGTHS.index(row.strength), not any(
        name.startswith(LATEST) for name in row.when)


def _by_concern(drug: Drug, rows: Iterable[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (-row.concern, drug.rows.index(row)))
