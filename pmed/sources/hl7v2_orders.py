"""Medication orders of HL7 v2 (ORM, OMP, RDE): drafts of one message, and what became of each order over messages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ..normalise.sigs import read_sig
from .hl7v2_fields import (
    CONTROLS,
    NDC,
    NEUTRAL,
    NO_REASON,
    OVER,
    PIECES,
    REFUSED,
    RXNORM,
    STATUSES,
    Coded,
    also,
    coded,
    day,
    first,
    number,
    per_day,
    reason,
)
from .hl7v2_message import Segment
from .hl7v2_timing import Course, timing_of
from .recorded import Row

# Fields of the two segments that say what is given: code, least and greatest amount, unit, strength and its unit; why.
_GIVEN = {"RXE": (2, 3, 4, 5, 25, 26), "RXO": (1, 2, 3, 4, 18, 19)}
_INSTRUCTIONS = 7  # of both
_PATTERNS = (("TQ1", 3, 1), ("RXE", 1, 2), ("ORC", 7, 2))
_INPATIENT = "I"  # table 0004
_FOLLOWED = "RE"  # table 0119
_BASE = "B"  # table 0166
# Of the timings: how much at a time, where "as needed" is written, and the condition on which it is given.
_TIMED = {"TQ1": ((2, 1), ((9, 1), (9, 2)), (10, 1)), "RXE": ((1, 1), ((1, 6),), (1, 7)),
          "ORC": ((7, 1), ((7, 6),), (7, 7))}
_REFILLS = {"RXE": 12, "RXO": 13}
_RATE = re.compile(r"/|%|\bper\b")  # of a volume, or of an hour: 100 units/mL is no content of a vial
_WHY = {"RXE": 27, "RXO": 20}


@dataclass
class Draft:
    """The segments of one order in one message."""

    parts: dict[str, Segment] = field(default_factory=dict)
    timings: list[Segment] = field(default_factory=list)  # of several TQ1 the later ones
    components: list[Segment] = field(default_factory=list)  # what is mixed (RXC)
    event: bool = False  # it goes with a medicine handed out or given
    drug: tuple[Coded, str | None] = NO_REASON, None  # what is given, and its other accounts
    visit: Segment | None = None  # in which it was ordered (PV1)

    @property
    def given(self) -> Segment | None:
        """The segment that says what is given: as the pharmacy encoded it, else as it was ordered."""
        return self.parts.get("RXE") or self.parts.get("RXO")

    def take(self, one: Segment) -> None:
        """A segment behind the one that says what is given."""
        if one.name == "RXC":
            self.components.append(one)
        elif one.name == "TQ1" and one.name in self.parts:
            self.timings.append(one)
        elif one.name in self.parts:
            one.report("info", "repeated-segment", "a second one of the same order was left out")
        else:
            self.parts[one.name] = one


class Orders:
    """Orders by their placer and filler numbers; a later message about an order takes its place."""

    def __init__(self) -> None:
        self._orders: list[dict[str, Any]] = []
        self._known: dict[tuple[str, ...], list[dict[str, Any]]] = {}
        self._spaces: dict[tuple[str, ...], set[str]] = {}  # of each number

    def leave(self, patient: str, pv1: Segment, left: str | None) -> None:
        """The stay has ended, or has not after all: whether its orders go on at home is not known.

        What begins on the day on which it ends is for the time after it, and so is what may be filled again.
        """
        stay = _stay(pv1)
        of_stay = [order for order in self._orders if stay and order["patient"] == patient and order["stay"] == stay]
        ended = [order for order in of_stay if not order["refills"] and (
            left is None or (order["start"] or order["placed"] or "") < left)]
        for order in ended:
            order["left"] = left
        if left and any(not (order["end"] or order["until"]) for order in ended):
            pv1.report("info", "stay-ended", "this stay has ended: whether what was ordered in it is taken since then "
                       "is unknown", 45)

    def rows(self) -> list[Row]:
        """Rows of medications, in the order in which they were first met."""
        return [(*order["origin"], *order["drug"], order["start"] or order["placed"],
                 order["end"] or order["until"] or order["left"], order["recorded"], *order["dose"],
                 order["route"], order["sig"], order["status"], True, "order", order["also"],
                 *(order["reason"] or NO_REASON))
                for order in self._orders]

    def once(self) -> list[bool]:
        """Of each row whether it is a single dose."""
        return [order["once"] and order["end"] in {None, order["until"]} for order in self._orders]

    def add(self, draft: Draft, patient: str, origin: Row, sent: str | None) -> None:
        """Take in what one message says of an order."""
        orc, given = draft.parts.get("ORC"), draft.given
        keys = _numbers(orc, patient) if orc else []
        known = self._found(keys)
        if given is None:
            self._change(known, draft, sent)
            return
        if not orc:
            given.report("warning", "no-order", "no ORC before it; whether it is still given stays unknown")
        draft.drug = _drug(draft, given)
        found = _meant(known, draft)
        order = {"patient": patient, **_order(draft, given, origin, sent, found)}
        if orc and (orc.text(1) or "").upper() in REFUSED:
            order["status"] = found["status"] if found else "unknown"
        if found is not None and _is_another(found, order, given):
            found = None
        if found is None:
            self._orders.append(order)
            found = order
        else:
            _superseded(found, order, given)
        self._keep(keys, found)

    def _keep(self, keys: Sequence[tuple[str, ...]], order: dict[str, Any]) -> None:
        for key in keys:
            same = self._known.setdefault(key, [])
            if all(one is not order for one in same):
                same.append(order)
            self._spaces.setdefault(key[:-1], set()).add(key[-1])

    def _found(self, keys: Sequence[tuple[str, ...]]) -> list[dict[str, Any]]:
        """The orders of all these numbers; where one side names no namespace, those of the only one of that number."""
        there = [key for key in keys if key in self._known]
        for *number_, space in keys:
            spaces = self._spaces.get(tuple(number_), set())
            alike = spaces if not space else spaces & {""}
            if not there and len(alike) == 1:
                there = [(*number_, *alike)]
        if not there:
            return []
        first_ones, *others = (self._known[key] for key in there)
        of_all = [one for one in first_ones if all(any(one is same for same in other) for other in others)]
        return of_all or first_ones

    def _change(self, known: Sequence[dict[str, Any]], draft: Draft, sent: str | None) -> None:
        """An ORC by itself: its orders are as they were, with another status."""
        orc = draft.parts.get("ORC")
        if orc is None or (orc.text(1) or "").upper() in REFUSED:
            if orc is not None:
                orc.report("warning", "not-done", "a change that was refused; the order stays as it was", 1)
            return
        if not known:
            if {*OVER, "on-hold"} & {*_said(orc, draft)}:
                orc.report("info", "order-not-found", "a change of an order that is not here as a medicine", 2)
            return
        status = _status(orc, draft)
        for found in known if status is not None else ():
            found["end"] = _end(orc, status, sent) or found["end"]
            found["status"] = _until_then(orc, status, found["end"], sent)


def _meant(known: Sequence[dict[str, Any]], draft: Draft) -> dict[str, Any] | None:
    """Of several medicines under one number the one that is named; None where it is another one."""
    same = [one for one in known if one["drug"] == draft.drug[0]]
    return same[-1] if same else known[0] if len(known) == 1 else None


def _is_another(old: dict[str, Any], new: dict[str, Any], given: Segment) -> bool:
    """Whether it is one more medicine, or dose, under a number that its own message has given already."""
    if old["message"] is not given.message or not any(new["drug"]):
        return False
    told_twice = all(old[name] == new[name] for name in ("dose", "sig", "start", "end"))
    return old["drug"] != new["drug"] or (new["status"] not in OVER and not told_twice)


def _numbers(orc: Segment, patient: str) -> list[tuple[str, ...]]:
    """Placer and filler number, each with its namespace."""
    return [(patient, kind, value, orc.text(at, 2) or "") for kind, at in (("placer", 2), ("filler", 3))
            if (value := orc.text(at))]


def _superseded(old: dict[str, Any], new: dict[str, Any], given: Segment) -> None:
    """The newer message counts; an order that is ended without its details keeps those it had."""
    if new["drug"][:2] != old["drug"][:2] and any(new["drug"]):
        given.report("warning", "other-drug", "an earlier message has another medicine under this order number; this "
                     "one is used")
    kept = {"drug", "also", "dose", "sig", "placed", "until", "once"}
    known = {name: value for name, value in new.items() if value is not None and name not in kept}
    if any(new["drug"]):
        known |= {"drug": new["drug"], "also": new["also"]}
    if new["status"] not in OVER or any(part is not None for part in new["dose"]):
        known |= {"dose": new["dose"], "sig": new["sig"]}
    # A start or end that a change leaves out is the one there was, unless the medicine is begun again.
    again = _begun_again(old, new)
    if again:
        known |= {"end": new["end"], "start": first(new["start"], new["placed"], old["start"])}
    if again or new["timed"]:
        known |= {"until": new["until"], "once": new["once"]}
    old.update(known, left=new["left"], placed=first(old["placed"], new["placed"]))


def _begun_again(old: dict[str, Any], new: dict[str, Any]) -> bool:
    return old["status"] in OVER and new["status"] == "active"


def _order(draft: Draft, given: Segment, origin: Row, sent: str | None, old: dict[str, Any] | None) -> dict[str, Any]:
    orc, route = draft.parts.get("ORC"), draft.parts.get("RXR")
    status = _status(orc, draft) if orc else None
    placed = first(orc.text(15) if orc and status not in OVER else None, orc.text(9) if orc else None)
    begun = first(old["start"], old["placed"]) if old and old["status"] not in OVER else None
    timing = timing_of(draft.parts, draft.timings, Course(begun or placed, *_course(draft, given)))
    unsure = _unsure(draft, given, timing.often)
    over = _end(orc, status, sent) if orc else None
    drug, others = draft.drug
    return {"message": given.message, "origin": origin, "drug": drug, "also": others, "start": day(timing.start),
            "placed": day(placed) if status not in OVER else None, "end": over or day(timing.end),
            "until": timing.until, "once": timing.once, "timed": timing.said, "left": None,
            "stay": _stay(draft.visit) if draft.visit else None, "refills": _refills(given),
            "recorded": day(first(orc.text(9) if orc else None, sent)),
            "dose": (*_dose(given), None if unsure else timing.often),
            "route": first(route.text(1, 2), route.text(1)) if route else None,
            "sig": None if unsure else _sig(draft, given),
            "status": _until_then(orc, status, over, sent) if orc else status, "reason": _reason(draft)}


def _course(draft: Draft, given: Segment) -> tuple[str | None, bool, bool]:
    """Directions, whether it may be filled again, and whether it is given as needed."""
    words = [*(given.text(_INSTRUCTIONS, part) for part in (1, 2)),
             (draft.parts["TQ1"].text(11) if "TQ1" in draft.parts else None)]
    needed = any(_on_condition(one) for name in _TIMED if (one := draft.parts.get(name)))
    return " ".join(filter(None, words)) or None, _refills(given), needed


def _refills(given: Segment) -> bool:
    return bool(number(given.text(_REFILLS[given.name])))


def _stay(pv1: Segment) -> str | None:
    """The number of a stay in hospital; of other visits none."""
    return pv1.text(19) if pv1.text(2) == _INPATIENT else None


def _drug(draft: Draft, given: Segment) -> tuple[Coded, str | None]:
    """What is given, and its other accounts; of a mixture also what was added to the bag."""
    what = _GIVEN[given.name][0]
    drug = coded(given, what, (RXNORM, NDC))
    if not any(drug) and given.name == "RXO":  # an order in words, as the standard has it
        drug = None, None, first(*(given.text(at, part) for at in (6, 7) for part in (2, 1)))
    system, code, name = drug
    # What it is dissolved in is no medicine of its own, where the order says what is.
    added = [one for one in draft.components if one.text(1) != _BASE or not any(drug)]
    names = [first(*reversed(coded(one, 2, (RXNORM, NDC))[1:])) for one in added]
    mixed = [*dict.fromkeys(one for one in names if one and one.lower() not in (name or "").lower())]
    said = drug if not mixed else (system, code, " / ".join(filter(None, (name, *mixed))))
    return said, also(given, what, drug)


def _reason(draft: Draft) -> Coded | None:
    """Why it is given: as the pharmacy says, else as it was ordered; ORC-16 is why the order was changed."""
    return next((found for name, at in _WHY.items() if any(found := reason(draft.parts.get(name), at))), None)


def _said(orc: Segment, draft: Draft) -> tuple[str | None, str | None]:
    """ORC-1 and ORC-5 as FHIR has them; a word of the sender's own is an unknown status.

    That a medicine is handed out or given (RE) does not say that its order goes on.
    """
    control, status = ((orc.text(at) or "").upper() for at in (1, 5))
    followed = draft.event and control == _FOLLOWED
    own = "unknown" if control and control not in NEUTRAL else None
    return None if followed else CONTROLS.get(control, own), STATUSES.get(status, "unknown" if status else None)


def _status(orc: Segment, draft: Draft) -> str | None:
    """What ORC-1 and ORC-5 say together; where they contradict each other it is not known."""
    control, status = _said(orc, draft)
    if control in OVER and status == "active":
        orc.report("warning", "status-conflict", "ORC-1 ends the order and ORC-5 has it in process; its status stays "
                   "unknown", 5)
        return "unknown"
    found = control if control in OVER else status or control
    if found == "unknown":
        orc.report("warning", "unknown-status", "a status or order control that is not known here: whether it is taken "
                   "stays unknown", 5 if status else 1)
    return found


def _end(orc: Segment, status: str | None, sent: str | None) -> str | None:
    """The day on which an order was ended."""
    return day(first(orc.text(15), orc.text(9), sent)) if status in OVER else None


def _until_then(orc: Segment, status: str | None, end: str | None, sent: str | None) -> str | None:
    """An order that is to be ended later is given until then."""
    today = day(sent)
    if status == "stopped" and end and today and end[:10] > today:
        orc.report("info", "ends-later", "ended on a day to come; it is taken until then", 15)
        return "active"
    return status


def _unsure(draft: Draft, given: Segment, often: float | None) -> bool:
    """Whether it is given only if needed, or another amount at a time than the order itself says."""
    timings = [one for name in _TIMED if (one := draft.parts.get(name))] + draft.timings
    if one := next(filter(_on_condition, timings), None):
        one.report("info", "timing-not-read", "given as needed or on a condition; how much a day stays unknown")
        return True
    usual = (None, 1.0, number(given.text(_GIVEN[given.name][1])))
    other = next((one for one in timings if number(one.text(*_TIMED[one.name][0])) not in usual), None)
    if often is None or other is None:
        return False
    other.report("warning", "dose-conflict", "the timing has another amount at a time than the order; how much a day "
                 "stays unknown", _TIMED[other.name][0][0])
    return True


def _on_condition(timing: Segment) -> bool:
    """Whether its priority says "as needed", or it has a condition in words."""
    _, priority, (at, part) = _TIMED[timing.name]
    every = range(1, timing.repetitions(priority[0][0]) + 1)
    said = [found for one in every for place in priority if (found := timing.text(*place, one))]
    return any(read_sig(one).as_needed for one in said) or any(
        timing.text(at, part, one) for one in range(1, timing.repetitions(at) + 1))


def _sig(draft: Draft, given: Segment) -> str | None:
    """How it is taken, in words: the pattern of the timing where that is no code of HL7, else the instructions."""
    timed = [(segment, at, part) for name, at, part in _PATTERNS if (segment := draft.parts.get(name))]
    ranged = _GIVEN[given.name][2]
    if draft.timings or any(one.repetitions(at) > 1 for one, at, _ in timed) or given.text(ranged):
        return None
    patterns = [(one, at, part) for one, at, part in timed if one.text(at, part)]
    if patterns and per_day(*patterns[0]) is None:
        return patterns[0][0].text(*patterns[0][1:])
    timing = draft.parts.get("TQ1")
    return first(timing.text(11) if timing else None, given.text(_INSTRUCTIONS, 2), given.text(_INSTRUCTIONS))


def _dose(given: Segment) -> tuple[float | None, str | None]:
    """Amount and unit of one dose; of tablets and the like with a strength, the amount of the medicine in them."""
    _, least, most, unit_at, strength_at, strength_unit_at = _GIVEN[given.name]
    text, unit = given.text(least), first(given.text(unit_at), given.text(unit_at, 2))
    amount = number(text)
    if text and amount is None:
        given.report("warning", "bad-number", "not a number; the dose stays unknown", least)
    if amount is not None and (other := given.text(most)) and number(other) != amount:
        given.report("info", "dose-range", "from one dose to another; the dose stays unknown", most)
        amount = None
    strength, strength_unit = number(given.text(strength_at)), first(given.text(strength_unit_at))
    of_piece = strength is not None and strength_unit is not None and not _RATE.search(strength_unit)
    if amount is not None and strength is not None and of_piece and (unit or "").upper() in PIECES:
        given.report("info", "dose-computed", "the dose is the number of pieces times the strength of one", strength_at)
        return amount * strength, strength_unit
    return amount, unit
