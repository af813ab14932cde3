"""Medication orders of HL7 v2 (ORM, OMP, RDE): drafts of one message, and what became of each order over messages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..normalise.sigs import read_sig
from .hl7v2_fields import (
    CONTROLS,
    NDC,
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
from .recorded import Row

# Fields of the two segments that say what is given: code, least and greatest amount, unit, strength and its unit; why.
_GIVEN = {"RXE": (2, 3, 4, 5, 25, 26), "RXO": (1, 2, 3, 4, 18, 19)}
_INSTRUCTIONS = 7  # of both
_PATTERNS = (("TQ1", 3, 1), ("RXE", 1, 2), ("ORC", 7, 2))
_BASE = "B"  # table 0166
# Of the timings: how much at a time, where "as needed" is written, and the condition on which it is given.
_TIMED = {"TQ1": ((2, 1), ((9, 1), (9, 2)), (10, 1)), "RXE": ((1, 1), ((1, 6),), (1, 7)),
          "ORC": ((7, 1), ((7, 6),), (7, 7))}
_WHY = {"RXE": 27, "RXO": 20}


@dataclass
class Draft:
    """The segments of one order in one message."""

    parts: dict[str, Segment] = field(default_factory=dict)
    timings: list[Segment] = field(default_factory=list)  # of several TQ1 the later ones
    components: list[Segment] = field(default_factory=list)  # what is mixed (RXC)

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
        self._known: dict[tuple[str, ...], dict[str, Any]] = {}

    def rows(self) -> list[Row]:
        """Rows of medications, in the order in which they were first met."""
        return [(*order["origin"], *order["drug"], order["start"], order["end"], order["recorded"], *order["dose"],
                 order["route"], order["sig"], order["status"], True, "order", order["also"],
                 *(order["reason"] or NO_REASON))
                for order in self._orders]

    def add(self, draft: Draft, patient: str, origin: Row, sent: str | None) -> None:
        """Take in what one message says of an order."""
        orc, given = draft.parts.get("ORC"), draft.given
        keys = _numbers(orc, patient) if orc else []
        found = next((self._known[key] for key in keys if key in self._known), None)
        if given is None:
            self._change(found, orc, sent)
            return
        if not orc:
            given.report("warning", "no-order", "no ORC before it; whether it is still given stays unknown")
        order = _order(draft, given, origin, sent)
        if orc and orc.text(1) in REFUSED:
            order["status"] = found["status"] if found else "unknown"
        if found is None:
            self._orders.append(order)
            found = order
        else:
            _superseded(found, order, given)
        self._known.update(dict.fromkeys(keys, found))

    def _change(self, found: dict[str, Any] | None, orc: Segment | None, sent: str | None) -> None:
        """An ORC by itself: the order is as it was, with another status."""
        if orc is None or orc.text(1) in REFUSED:
            if orc is not None:
                orc.report("warning", "not-done", "a change that was refused; the order stays as it was", 1)
            return
        status = _status(orc)
        if found is None:
            if status in OVER or status == "on-hold":
                orc.report("info", "order-not-found", "a change of an order that is not here as a medicine", 2)
            return
        if status is not None:
            found["end"] = _end(orc, status, sent) or found["end"]
            found["status"] = _until_then(orc, status, found["end"], sent)


def _numbers(orc: Segment, patient: str) -> list[tuple[str, ...]]:
    """Placer and filler number, each with its namespace."""
    return [(patient, kind, value, orc.text(at, 2) or "") for kind, at in (("placer", 2), ("filler", 3))
            if (value := orc.text(at))]


def _superseded(old: dict[str, Any], new: dict[str, Any], given: Segment) -> None:
    """The newer message counts; an order that is ended without its details keeps those it had."""
    if new["drug"][:2] != old["drug"][:2] and any(new["drug"]):
        given.report("warning", "other-drug", "an earlier message has another medicine under this order number; this "
                     "one is used")
    kept = {"drug", "also", "dose", "sig"}
    known = {name: value for name, value in new.items() if value is not None and name not in kept}
    if any(new["drug"]):
        known |= {"drug": new["drug"], "also": new["also"]}
    if new["status"] not in OVER or any(part is not None for part in new["dose"]):
        known |= {"dose": new["dose"], "sig": new["sig"]}
    # A start or end that a change leaves out is the one there was, unless the medicine is begun again.
    if old["status"] in OVER and new["status"] == "active":
        known["end"] = new["end"]
    old.update(known)


def _order(draft: Draft, given: Segment, origin: Row, sent: str | None) -> dict[str, Any]:
    orc, route = draft.parts.get("ORC"), draft.parts.get("RXR")
    status = _status(orc) if orc else None
    placed = first(orc.text(15) if orc and status not in OVER else None, orc.text(9) if orc else None)
    often, start, end = _timing(draft)
    unsure = _unsure(draft, given, often)
    begin = first(start, placed if status not in OVER else None)
    over = _end(orc, status, sent) if orc else None
    drug, others = _drug(draft, given)
    return {"origin": origin, "drug": drug, "also": others, "start": day(begin),
            "end": over or day(end), "recorded": day(first(orc.text(9) if orc else None, sent)),
            "dose": (*_dose(given), None if unsure else often),
            "route": first(route.text(1, 2), route.text(1)) if route else None,
            "sig": None if unsure else _sig(draft, given),
            "status": _until_then(orc, status, over, sent) if orc else status, "reason": _reason(draft)}


def _drug(draft: Draft, given: Segment) -> tuple[Coded, str | None]:
    """What is given, and its other accounts; of a mixture also what was added to the bag."""
    what = _GIVEN[given.name][0]
    system, code, name = drug = coded(given, what, (RXNORM, NDC))
    # What it is dissolved in is no medicine of its own, where the order says what is.
    added = [one for one in draft.components if one.text(1) != _BASE or not any(drug)]
    names = [first(*reversed(coded(one, 2, (RXNORM, NDC))[1:])) for one in added]
    mixed = [*dict.fromkeys(one for one in names if one and one.lower() not in (name or "").lower())]
    said = drug if not mixed else (system, code, " / ".join(filter(None, (name, *mixed))))
    return said, also(given, what, drug)


def _reason(draft: Draft) -> Coded | None:
    """Why it is given: as the pharmacy says, else as it was ordered; ORC-16 is why the order was changed."""
    return next((found for name, at in _WHY.items() if any(found := reason(draft.parts.get(name), at))), None)


def _status(orc: Segment) -> str | None:
    """What ORC-1 and ORC-5 say together; where they contradict each other it is not known."""
    control, status = CONTROLS.get(orc.text(1) or ""), STATUSES.get(orc.text(5) or "")
    if control in OVER and status == "active":
        orc.report("warning", "status-conflict", "ORC-1 ends the order and ORC-5 has it in process; its status stays "
                   "unknown", 5)
        return "unknown"
    return control if control in OVER else status or control


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


def _timing(draft: Draft) -> tuple[float | None, str | None, str | None]:
    """Times a day, start and end: from TQ1, else from the older RXE-1 or ORC-7."""
    if one := draft.parts.get("TQ1"):
        if draft.timings:
            return _several([one, *draft.timings])
        return _once_said(one, 3, 1), one.text(7), one.text(8)
    for name, at in (("RXE", 1), ("ORC", 7)):
        segment = draft.parts.get(name)
        if segment and any(segment.text(at, part) for part in (2, 4, 5)):
            return _once_said(segment, at, 2), segment.text(at, 4), segment.text(at, 5)
    return None, None, None


def _once_said(segment: Segment, at: int, part: int) -> float | None:
    """Times a day of a timing that is not repeated: "QAM" and "QHS" are two, whichever comes first."""
    if segment.repetitions(at) > 1:
        segment.report("info", "timing-not-read", "several timings of one order; how often stays unknown", at)
        return None
    return per_day(segment, at, part)


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


def _several(timings: list[Segment]) -> tuple[None, str | None, str | None]:
    """From the first day to the last of several timings; how often stays unknown."""
    starts, ends = ([one.text(at) for one in timings] for at in (7, 8))
    timings[1].report("info", "timing-not-read", "several timings of one order; how often stays unknown")
    return (None, min(filter(None, starts)) if all(starts) else starts[0],
            max(filter(None, ends)) if all(ends) else None)


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
    if amount is not None and strength is not None and strength_unit and (unit or "").upper() in PIECES:
        given.report("info", "dose-computed", "the dose is the number of pieces times the strength of one", strength_at)
        return amount * strength, strength_unit
    return amount, unit
