"""Features that are asked for and that nobody gives: a slip of the pen would be "unknown" for everybody, unnoticed.

A step that gives a pattern (``on:*``) may say by ``names()`` which features there are: what one may write → what the
feature is called. A pattern of which no step names anything is open. Medicines are those of the vocabulary, also behind
the kinds of a step's ``by_medicine``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import polars as pl

from .flow import gives, is_pattern
from .tables import TABLES

ON = "on:"
_LIKENESS = 0.8  # of difflib: two slips in a word of ten letters


@dataclass(frozen=True)
class Names:
    """The features there are, by what one may write for them."""

    steps: Sequence[Any]
    known: Mapping[str, str]

    @classmethod
    def of(cls, steps: Iterable[Any], drug_names: pl.DataFrame) -> Names:
        """What `steps` give, and the medicines of a ``drug_names`` table by ingredient, synonym and brand."""
        every, known = list(steps), dict[str, str]()
        for ingredient, name in drug_names.filter(pl.col("kind") != "code").select("ingredient", "name").iter_rows():
            known[f"{ON}{name}"] = f"{ON}{ingredient}"
        known.update({f"{ON}{one}": f"{ON}{one}" for one in drug_names["ingredient"].unique()})
        medicines = dict(known)
        for step in every:
            known.update({name: name for name in step.gives if name not in TABLES and not is_pattern(name)})
            known.update(names_of(step))
            for kind in getattr(step, "by_medicine", ()):
                known.update({one.replace(ON, f"{kind}:", 1): to.replace(ON, f"{kind}:", 1)
                              for one, to in medicines.items()})
        return cls(every, known)

    def never_given(self, asked: Iterable[str]) -> Iterator[str]:
        """What is wrong with a name, with the one that is meant, for each of `asked` that is unknown for everybody."""
        for name in dict.fromkeys(asked):
            # A star may be part of a name, as in status:HLA-B*57:01; of a pattern it is the end.
            if name not in TABLES and not name.endswith("*") and self.known.get(name) != name and (
                    fault := self._fault(name)):
                yield fault

    def _fault(self, name: str) -> str:
        kind, colon, rest = name.partition(":")
        if not any(gives(step, name) for step in self.steps):
            # Without a near name it may be another plugin's, or an input that is only ever typed in.
            # A longer word that begins like one of pmed's is a name of its own, such as diabetesMed.
            plain = [one for one in self.known if ":" not in one and not (
                kind.startswith(one) and len(kind) > len(one) + 1)]
            found = _near(kind, self._kinds(patterns=True) if colon else plain)
            near = found and found + colon + rest
            return f"no installed plugin gives {name!r}; did you mean {near!r}?" if near not in {"", name} else ""
        if kind not in self._kinds():
            return ""
        rests = [one.removeprefix(f"{kind}:") for one in self.known if one.startswith(f"{kind}:")]
        near = self.known.get(name) or self.known.get(f"{kind}:{_near(rest, rests)}", "")
        meant = f"; did you mean {near!r}?" if near else ""
        return f"{name!r} is unknown for everybody, as no such name is known here{meant}"

    def _kinds(self, *, patterns: bool = False) -> list[str]:
        """What stands before the colon in names that are known; with `patterns` also where any name may follow."""
        open_ones = [one for step in self.steps for one in step.gives] if patterns else []
        return sorted({one.partition(":")[0] for one in (*self.known, *open_ones) if ":" in one})


def written(steps: Iterable[Any], name: str, value: Any) -> Any:
    """The value of a feature as the step that gives it would write it, such as an allele pair with REF first.

    A step may have ``written(name, value)`` for that; of others the value is as given.

    Raises:
        InputError: where the feature never has that value.
    """
    for step in steps:
        if value is not None and hasattr(step, "written") and gives(step, name):
            return step.written(name, value)
    return value


def names_of(step: Any) -> Mapping[str, str]:
    """What the step says there is of its patterns, by what one may write for it."""
    said: Mapping[str, str] = getattr(step, "names", dict)()
    return said


def _near(name: str, names: Sequence[str]) -> str:
    """The one that is nearest, if it is near: first of all the one that differs in capitals only."""
    same = [one for one in names if one.casefold() == name.casefold()]
    return next(iter(same or get_close_matches(name, names, 1, _LIKENESS)), "")
