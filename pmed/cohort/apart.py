"""What goes wrong with people who are worked on together is found in halves, and costs only those whom it is about.

What goes wrong with everybody alike (a plugin that always fails) is about nobody: to look for whom it is about would
take two runs a person. So some are asked by themselves first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from ..plugins import Failure

#: People who are asked by themselves: what is wrong with one in two is wrong with all of these once in 256 chunks.
ASKED = 8
#: People for whom alone the same part of a result fails, until that is no longer looked for.
MOST = 8
Made = TypeVar("Made")
Person = TypeVar("Person")


@dataclass(frozen=True)
class Tried(Generic[Made]):
    """A run of some people.

    Attributes:
        made: What it gave; None where there is nothing.
        wrong: What went wrong, so that the same is equal.
        failures: Of plugins.
    """

    made: Made | None
    wrong: frozenset[object] = frozenset()
    failures: tuple[Failure, ...] = field(default=(), compare=False)


Attempt = Callable[[Sequence[Person]], Tried[Made]]


def apart(people: Sequence[Person], attempt: Attempt[Person, Made],
          first: Tried[Made] | None = None) -> Iterator[tuple[Sequence[Person], Tried[Made]]]:
    """Everybody with the run that counts for them; of those together for whom it went well, or as it does for all.

    Args:
        people: Who is run.
        attempt: Runs some of them.
        first: What it gave for all, if that is known.
    """
    whole = attempt(people) if first is None else first
    usual, nothing = _of_everybody(people, attempt, whole)
    if nothing:
        yield people, Tried(None, usual)
        return
    alone: Counter[object] = Counter()
    waiting, known = [people], [whole]
    while waiting:
        some = waiting.pop()
        tried = known.pop() if known else attempt(some)
        odd = tried.wrong - usual
        given_up = tried.made is not None and all(alone[one] >= MOST for one in odd)
        if len(some) == 1 or given_up:
            alone.update(odd if len(some) == 1 else ())
            yield some, tried
        else:
            half = len(some) // 2
            waiting += [some[half:], some[:half]]


def _of_everybody(people: Sequence[Person], attempt: Attempt[Person, Made],
                  whole: Tried[Made]) -> tuple[frozenset[object], bool]:
    """What goes wrong with everybody alike, as far as a few of them show, and whether nobody has a result for it."""
    usual, nothing = frozenset[object](), False
    if len(people) > 2 * ASKED and whole.wrong:
        for place in range(ASKED):
            one = attempt([people[place * len(people) // ASKED]])
            usual, nothing = ((one.wrong & usual, nothing and one.made is None) if place else
                              (one.wrong, one.made is None))
            if not usual:
                break
    return usual, nothing and bool(usual)
