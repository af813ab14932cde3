"""“If you prescribe”: every medicine that some plugin speaks of, by class, as traffic lights."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from .messages import gettext as _
from .words import term

#: Written in capitals wherever they stand in the name of a class.
ABBREVIATIONS = frozenset({"ace", "adhd", "arb", "doac", "k", "nsaid", "snri", "ssri"})
COLOURS = ("act", "caution", "standard", "unknown")
View = dict[str, Any]


def lookup(cards: Iterable[View], panel: Iterable[Mapping[str, Any]], asked: list[str]) -> View:
    """Classes by name; in each the most concerning first and the unknown last.

    Args:
        cards: Suggestions as the page shows them, all of them; what is taken points to its card by `place`.
        panel: ``view["panel"]``, which knows colours and classes.
        asked: Medicines that were asked for by name.
    """
    about, cards = {one["drug"]: one for one in panel}, list(cards)
    places = {card["drug"]: place for place, card in enumerate(card for card in cards if card["current"])}
    rows = [{**card, "asked": card["drug"] in asked, "place": places.get(card["drug"]),
             "colour": about[card["drug"]]["colour"]} for card in cards]
    rows.sort(key=lambda one: (COLOURS.index(one["colour"]), -(one["concern"] or 0.0), one["drug"]))
    found: dict[str, list[View]] = defaultdict(list)
    for row in rows:
        found[next(iter(about[row["drug"]]["classes"]), "").casefold()].append(row)
    order = sorted(found, key=lambda name: (not name, name))
    groups = [group(title(term(name)) if name else _("Other medicines"), found[name]) for name in order]
    return {"groups": groups, "counts": counts(rows), "total": len(rows),
            "unanswered": [drug for drug in asked if drug not in about]}


def title(name: str) -> str:
    """The name of a class as a heading, however it was written.

    >>> title("ssri or snri"), title("p2y12 inhibitor")
    ('SSRI or SNRI', 'P2Y12 inhibitor')
    """
    spelt = " ".join(word.upper() if word in ABBREVIATIONS or any(map(str.isdigit, word)) else word
                     for word in name.casefold().split())
    return spelt[:1].upper() + spelt[1:]


def group(heading: str, rows: list[View]) -> View:
    """One class with its counts."""
    return {"title": heading, "rows": rows, "counts": counts(rows)}


def counts(rows: Iterable[Mapping[str, Any]]) -> list[tuple[str, int]]:
    """How many of each colour that occurs, in the order of the traffic light.

    >>> counts([{"colour": "standard"}, {"colour": "act"}, {"colour": "act"}])
    [('act', 2), ('standard', 1)]
    """
    found = Counter(row["colour"] for row in rows)
    return [(colour, found[colour]) for colour in COLOURS if found[colour]]
