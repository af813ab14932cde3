"""What goes wrong with people who are worked on together is found in halves, and costs only those whom it is about.

What goes wrong with everybody alike (a plugin that always fails) is about nobody: to look for whom it is about would
take two runs a person. So some are asked by themselves first.
"""

from __future__ import annotations

import errno
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from .errors import PmedError
from .plugins import Failure

#: People who are asked by themselves: what is wrong with one in two is wrong with all of these once in 256 chunks.
ASKED = 8
#: People of a chunk for whom alone the same part of a result fails, until that is no longer looked for.
MOST = 8
_NO_ROOM = re.compile("No space left|quota", re.IGNORECASE)
_AGAIN = "run the same again when there is room: what is done stays"
_LACKING = {errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO, errno.EPIPE}
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

    @property
    def why(self) -> str:
        """What went wrong, in words, where nothing was made."""
        return "; ".join(sorted(map(str, self.wrong)))


Attempt = Callable[[Sequence[Person]], Tried[Made]]


def apart(people: Sequence[Person], attempt: Attempt[Person, Made],
          first: Tried[Made] | None = None, *, most: int = MOST) -> Iterator[tuple[Sequence[Person], Tried[Made]]]:
    """Everybody with the run that counts for them; of those together for whom it went well, or as it does for all.

    Args:
        people: Who is run.
        attempt: Runs some of them.
        first: What it gave for all, if that is known.
        most: People for whom alone the same part of a result may fail; the others who are left then go without it.
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
        given_up = tried.made is not None and all(alone[one] >= most for one in odd)
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


def tried(failures: list[Failure], make: Callable[[], Made]) -> Tried[Made]:
    """What is made of some people, and what went wrong; failures that name their patients have cost what they cost.

    Args:
        failures: To which those of plugins are added; those of this run are taken away again.
        make: Makes it.

    Raises:
        PmedError: what the machine lacks, which is about nobody.
    """
    before = len(failures)
    try:
        made = make()
    except Exception as error:  # isolation: one person's data must not end the results of all others
        _must_be_of_people(error)
        said = str(error) if isinstance(error, PmedError) else f"{type(error).__name__}: {error}"
        return Tried(None, frozenset({" ".join(said.split())}))
    else:
        mine = tuple(failures[before:])
        _must_have_room(mine)
        # Not the words, which may be about the data.
        wrong = frozenset((one.plugin, one.component, one.stage, one.error, one.place)
                          for one in mine if not one.patients)
        return Tried(made, wrong, mine)
    finally:
        del failures[before:]


def _must_be_of_people(error: Exception) -> None:
    """Refuse to take what this machine lacks for something about people: to them it would be lost for good.

    Raises:
        PmedError: saying what is lacking.
    """
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno in _LACKING):
        lacking = getattr(error, "strerror", "") or "out of memory"
        raise PmedError(f"a process could not go on: {lacking}", hint=_AGAIN) from error


def _must_have_room(failures: Iterable[Failure]) -> None:
    """Likewise of plugins, whose failures are words.

    Raises:
        PmedError: a disk was full.
    """
    if full := next((one for one in failures if one.error == OSError.__name__ and _NO_ROOM.search(one.message)), None):
        raise PmedError(f"a process could not go on: {full}", hint=_AGAIN)
