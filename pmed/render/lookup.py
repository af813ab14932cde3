"""“If you prescribe”: every medicine that some plugin speaks of, by class, as traffic lights."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from .messages import gettext as _

COLOURS = ("act", "caution", "standard", "unknown")
View = dict[str, Any]


def lookup(cards: Iterable[View], panel: Iterable[Mapping[str, Any]], asked: list[str]) -> View:
    """Classes by name, what was asked for before them; in each the most concerning first and the unknown last."""
    about = {one["drug"]: one for one in panel}
    rows = [{**card, "asked": card["drug"] in asked, "colour": about[card["drug"]]["colour"]} for card in cards]
    rows.sort(key=lambda one: (COLOURS.index(one["colour"]), -(one["concern"] or 0.0), one["drug"]))
    named: dict[str, str] = {}
    found: dict[str, list[View]] = defaultdict(list)
    for row in rows:
        given = next(iter(about[row["drug"]]["classes"]), "")
        found[named.setdefault(given.casefold(), given)].append(row)
    order = sorted(found, key=lambda name: (not name, name.casefold()))
    groups = [group(name[:1].upper() + name[1:] if name else _("Other medicines"), found[name]) for name in order]
    wanted = [row for row in rows if row["asked"]]
    return {"asked": wanted, "groups": groups, "counts": counts(rows), "total": len(rows),
            "unanswered": [drug for drug in asked if drug not in about]}


def group(title: str, rows: list[View]) -> View:
    """One class with its counts."""
    return {"title": title, "rows": rows, "counts": counts(rows)}


def counts(rows: Iterable[Mapping[str, Any]]) -> list[tuple[str, int]]:
    """How many of each colour that occurs, in the order of the traffic light.

    >>> counts([{"colour": "standard"}, {"colour": "act"}, {"colour": "act"}])
    [('act', 2), ('standard', 1)]
    """
    found = Counter(row["colour"] for row in rows)
    return [(colour, found[colour]) for colour in COLOURS if found[colour]]
