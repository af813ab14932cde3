"""What a medicine that is replaced still does to the one that takes its place: its last dose was only just taken.

Labels ask for days between two medicines, or a medicine stays in the body (table ``washouts``), and an enzyme stays
inhibited or induced for a while (``modifiers``). So a candidate is judged again as it is right after that last dose,
and what holds then, and not once the other one is gone, is told with its days (`wait`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, NamedTuple

from .beside import medicines_in, outcome_without
from .cases import REMEMBERED
from .checks import LATER
from .guidelines import PHENOTYPE, SCORE, Evidence, Known, Row, gene_of, link
from .knowledge import table
from .medicines import MODIFIERS, TAKING, members
from .outcomes import Outcome, outcome
from .phenoconversion import COMING, DOUBT, RECENT, TAKEN
from .wording import newly

WASHOUT = "wash-out"  # the caution that days should lie between two medicines


class Rest(NamedTuple):
    """For how many days a medicine counts after its last dose.

    `asked`: a label asks for days between two medicines. `noted`: if not, that it counts is in table ``washouts``.
    """

    days: float
    asked: bool
    noted: bool
    source: str
    citation: str


class Wait(NamedTuple):
    """What is said of a candidate, `between` how many days label and check ask for no dose of either, and sources."""

    text: str
    between: float | None
    rests: tuple[Rest, ...]


@cache
def rests(drug: str) -> Mapping[str, Rest]:
    """Feature → for how long a medicine counts in it after its last dose, the longest where several rows say so."""
    found: dict[str, Rest] = {}
    for name, rest in (*_asked(drug), *_acting(drug)):
        found[name] = max(found.get(name, rest), rest)
    return {name: rest for name, rest in found.items() if rest.days > 0}


def _asked(drug: str) -> Iterable[tuple[str, Rest]]:
    whole = [drug, *(name for name, drugs in members().items() if drug in drugs)]
    for row in table("washouts").rows(named=True):
        if row["drug"] == drug:
            rest = Rest(float(row["days"]), row["means"] == "between", noted=True, source=row["source"],
                        citation=row["citation"])
            yield from ((f"{TAKING}{name}", rest) for name in ([row["class"]] if row["class"] else whole))


def _acting(drug: str) -> Iterable[tuple[str, Rest]]:
    for row in table("modifiers").rows(named=True):
        if row["drug"] == drug:
            rest = Rest(float(row["lasts_days"]), asked=False, noted=False, source=row["source"],
                        citation=row["citation"])
            yield f"{MODIFIERS}{row['gene']}", rest
            yield f"{TAKING}{row['gene']}-{row['strength']}-{row['kind']}", rest


@lru_cache(maxsize=REMEMBERED)
def wait(one: Outcome, replaced: str) -> Wait | None:
    """What has to be waited for, or minded, where a drug takes the place of another; None where nothing has.

    `one` is the outcome as the record has it. What is ordered and yet to begin leaves nothing behind.
    """
    if replaced not in medicines_in(one):
        return None
    left, before = after(one.given, replaced), outcome_without(one, replaced)
    if left == before.given:
        return None
    then = outcome(one.drug, left)
    told = {row: _longest(row, one, replaced) for row in newly(then, before)}
    lost = [_longest(None, one, replaced)] if before.lead and not then.lead else []
    if not told and not lost:
        return None
    said = [*(_said(row, rest, replaced, one.drug.name) for row, rest in told.items()),
            *(f"for {span(rest.days)} after the last dose of {replaced} ({rest.source}): what follows for it is open"
              for rest in lost)]
    between = [rest.days for row, rest in told.items() if _apart(row, rest)]
    return Wait("; ".join(dict.fromkeys(said)), max(between, default=None),
                tuple(dict.fromkeys([*told.values(), *lost])))


@lru_cache(maxsize=REMEMBERED)
def apart(one: Outcome, gone: str) -> Rest | None:
    """For how long a drug should not be given after a medicine that is not taken now; None where it may be at once."""
    mine = [name for name, rest in rests(gone).items() if name in one.given and rest.noted]
    if not mine:
        return None
    counted = {name: ";".join(sorted({*filter(None, (one.given[name] or "").split(";")), gone})) for name in mine}
    told = {row: _longest(row, one, gone) for row in newly(outcome(one.drug, {**one.given, **counted}), one)}
    return max((rest for row, rest in told.items() if rest.noted and _against(row)), default=None)


def after(given: Known, drug: str) -> dict[str, Any]:
    """The features of a patient right after the last dose of a medicine.

    >>> after({"taking:maoi": "phenelzine", "taking:serotonergic": "", "age": 50.0}, "phenelzine")
    {'taking:maoi': 'phenelzine', 'taking:serotonergic': '', 'age': 50.0}
    >>> after({"taking:ssri": "sertraline", "modifiers:CYP2D6": "paroxetine|inhibitor|strong|taken"}, "paroxetine")
    {'taking:ssri': 'sertraline', 'modifiers:CYP2D6': 'paroxetine|inhibitor|strong|stopped'}
    """
    return {name: ";".join(sorted(_entries(name, value, drug))) if value and name.startswith((MODIFIERS, TAKING))
            else value for name, value in given.items()}


def _entries(name: str, text: str, drug: str) -> Iterable[str]:
    for entry in text.split(";"):
        who, *said = entry.split(DOUBT)
        if who != drug:
            yield entry
        elif name in rests(drug) and said[-1:] != [COMING]:
            # How strongly it acts at an unknown dose stays open, not whether it is counted where nothing is taken.
            yield who if name.startswith(TAKING) else DOUBT.join(
                [who, *said[:-1], RECENT if said[-1] == TAKEN else said[-1]])


def _longest(row: Row | None, one: Outcome, drug: str) -> Rest:
    """The longest rest in what a row looks at; in all that the candidate looks at, where it is none of these."""
    mine = {name: rest for name, rest in rests(drug).items() if name in one.given}
    names = [name.removeprefix(LATER) for name in row.when] if row else []
    read = {f"{MODIFIERS}{gene_of(name)}" if name.startswith((PHENOTYPE, SCORE)) else name for name in names}
    return max([rest for name, rest in mine.items() if name in read] or mine.values())


def _apart(row: Row, rest: Rest) -> bool:
    """Whether days without either should lie between: not where the one may be crossed over to the other."""
    return rest.asked and _against(row)


def _against(row: Row) -> bool:
    return row.action == "avoid" and not row.overlap


def _said(row: Row, rest: Rest, replaced: str, candidate: str) -> str:
    if _apart(row, rest):
        return (f"{span(rest.days)} should lie between the last dose of {replaced} and the first of {candidate} "
                f"({rest.source}): {row.because}")
    return f"for {span(rest.days)} after the last dose of {replaced} ({rest.source}): {row.because}"


def end_unknown(gone: str, rest: Rest, drug: str) -> str:
    """What is to be asked where a medicine was not to be followed at once, and nobody knows when it ended."""
    said = (f"{span(rest.days)} should lie between its last dose and the first of {drug}" if rest.asked else
            f"it may act for {span(rest.days)} after its last dose")
    return f"When {gone} ended is not on record: {said}"


def span(days: float) -> str:
    """Days in words, fewer than two in hours.

    >>> span(14.0), span(1.5)
    ('14 days', '36 hours')
    """
    return f"{days:g} days" if days >= 2 else f"{days * 24:g} hours"


def cautions(replaced: str, waits: Iterable[tuple[str, Wait]]) -> list[dict[str, str]] | None:
    """A caution for each number of days that should lie between a medicine and some of its candidates; None for none.

    The advice may name one of these, and is the same for everybody.
    """
    each: dict[float, list[str]] = {}
    for candidate, one in waits:
        if one.between is not None:
            each.setdefault(one.between, []).append(candidate)
    said = [{"code": WASHOUT, "text": f"{span(days)} should lie between the last dose of {replaced} and the first of "
                                      f"{either(names)}."} for days, names in sorted(each.items())]
    return said or None


def either(names: Sequence[str]) -> str:
    """Names with "or" before the last.

    >>> either(["a"]), either(["a", "b", "c"])
    ('a', 'a, b or c')
    """
    return " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def evidence(waits: Iterable[tuple[str, Wait]]) -> list[Evidence] | None:
    """The sources of the days, each once; None for none."""
    each = dict.fromkeys((rest.source, rest.citation) for _, one in waits for rest in one.rests)
    return [{"source": source, "level": "", "citation": cited, "url": link(cited)} for source, cited in each] or None
