"""Segments of HL7 v2 messages → rows as recorded, over all messages in time order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from ..normalise.remarks import OF_DIAGNOSES, speaks_against
from .hl7v2_fields import CLASSES, LOINC, NDC, RXNORM, SEVERITIES, SEXES, also, coded, day, first, reason
from .hl7v2_given import MEDICINES, given_rows
from .hl7v2_message import Message, Segment, segments
from .hl7v2_orders import Draft, Orders
from .hl7v2_results import Results
from .recorded import Issue, Row

# It may end up in a file name.
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
# Segments that say when and of whom, and how many fields it takes to say that.
_HEAD = {"MSH": 11, "PID": 5}
_NOT_REAL = ("T", "D")  # table 0103: training, debugging
_OF_RECORD = ("MR", "PI")  # table 0203: the number of the record, and of the patient inside the hospital
_ORDER_PARTS = ("RXE", "RXO", "RXR", "TQ1", "RXC")
_DISCHARGED, _NOT_DISCHARGED = "A03", "A13"
_PREGNANT = "B6"  # table 0009
_SURE = ("provisional", "differential", "unconfirmed", "confirmed")
_EVENTS = {"A03": "finished", "A11": "cancelled", "A05": "planned", "A14": "planned", "A27": "cancelled",
           "A38": "cancelled"}  # table 0003; other events leave a visit in progress


class Names:
    """Who is who: an identifier with two assigning authorities may be two people."""

    def __init__(self, heads: Iterable[tuple[str, str]]) -> None:
        self._authorities: dict[str, set[str]] = {}
        for name, authority in heads:
            self._authorities.setdefault(name, set()).add(authority)

    def of(self, pid: Segment) -> str | None:
        """The patient's name; None, reported, where there is no usable one."""
        name, authority = identity(pid)
        if not name:
            pid.report("error", "no-patient", "no identifier; what belongs to it was left out", 3)
            return None
        known = self._authorities.get(name, set()) - {""}
        if len(known) > 1:
            pid.report("warning", "same-identifier", "an identifier with several assigning authorities is kept as one "
                       "patient for each: please confirm", 3)
            name = _joined(name, authority)
        if not _ID.fullmatch(name):
            pid.report("error", "bad-identifier", "an identifier of other characters than letters, digits, '.', '_' "
                       "and '-', or of more than 64; what belongs to it was left out", 3)
            return None
        return name

    def known(self, name: str, authority: str) -> str:
        """The name that `of` gives to this identifier."""
        return _joined(name, authority) if len(self._authorities.get(name, set()) - {""}) > 1 else name


def _joined(name: str, authority: str) -> str:
    return f"{name}.{re.sub(r'[^A-Za-z0-9._-]', '_', authority) or 'unknown'}"


def identity(pid: Segment) -> tuple[str, str]:
    """Identifier and assigning authority: of PID-3 that of the record, else the first; else PID-2 of old versions.

    Which of several is the first differs between the systems of one hospital.
    """
    at = 3 if any(pid.text(3, 1, one) for one in range(1, pid.repetitions(3) + 1)) else 2
    every = [one for one in range(1, pid.repetitions(at) + 1) if pid.text(at, 1, one)] or [1]
    best = min(every, key=lambda one: _OF_RECORD.index(kind) if (kind := pid.text(at, 5, one)) in _OF_RECORD else
               len(_OF_RECORD))
    return pid.text(at, 1, best) or "", pid.text(at, 4, best) or ""


class Head(NamedTuple):
    """When a message was sent, whom it is about (identifier and authority), and whether it is of training."""

    time: str
    people: list[tuple[str, str]]
    training: bool


def head(message: Message) -> Head:
    """What the first segments of a message say; reports nothing."""
    mark = message.lines[0][3:4] or "|"
    lines = [mark.join(line.split(mark)[:_HEAD[line[:3]]]) for line in message.lines if line[:3] in _HEAD]
    quiet = replace(message, lines=lines, issues=[], cut=False)
    found = segments(quiet)
    time = re.match(r"\d*", found[0].text(7) or "") if found else None
    training = bool(found) and (found[0].text(11) or "").upper() in _NOT_REAL
    return Head(time[0] if time else "", [identity(one) for one in found if one.name == "PID"], training)


def without_training(messages: Sequence[tuple[Head, Message]], issues: list[Issue]) -> list[tuple[Head, Message]]:
    """Without messages of training or debugging: what they say of a patient never was. All are read if all are so."""
    marked = [one for one in messages if one[0].training]
    if not marked:
        return [*messages]
    if len(marked) == len(messages):
        issues.append(_of_training(marked[0][1], "warning", "all messages are marked as training or debugging (MSH-11) "
                                   "and were read: please confirm that they are about real patients"))
        return [*messages]
    told = {(message.file, name): message for said, message in reversed(marked) for name, _ in said.people}
    issues += [_of_training(message, "error", "messages marked as training or debugging (MSH-11) were left out; the "
                            "first is named", name) for (_, name), message in reversed(told.items())]
    return [one for one in messages if not one[0].training]


def _of_training(message: Message, severity: str, text: str, name: str | None = None) -> Issue:
    return {"file": message.file, "place": f"{message.place} MSH-11", "severity": severity, "code": "training-message",
            "text": text, "patient_id": name or None}


class Records:
    """Rows of all messages so far."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._patients: dict[str, dict[str, Any]] = {}
        self._rows: dict[str, dict[tuple[Any, ...], Row]] = {}
        self._orders = Orders()
        self._results = Results()
        self._seen: set[str] = set()
        self._merged: list[tuple[str, str, Issue]] = []
        self.issues: list[Issue] = []

    @property
    def rows(self) -> dict[str, Sequence[Row]]:
        """The rows of each table."""
        patients = [(name, *one["origin"], one.get("birth_date"), one.get("sex"), one.get("deceased"),
                     one.get("ancestry")) for name, one in self._patients.items()]
        made: dict[str, Sequence[Row]] = {name: list(rows.values()) for name, rows in self._rows.items()}
        orders = [*self._orders.rows(), *made.get("medications", ())]
        observations = [*self._results.rows(), *made.get("observations", ())]
        return {**made, "patients": patients, "medications": orders, "observations": observations}

    @property
    def once(self) -> list[bool]:
        """Of each medicine in `rows` whether it is an order of a single dose."""
        return [*self._orders.once(), *[False] * len(self._rows.get("medications", ()))]

    def add(self, message: Message) -> None:
        """One message; what is in it word for word already is not taken twice."""
        whole = "\r".join(message.lines)
        if whole in self._seen:
            message.report("info", "repeated-message", "the same message was read before; it was left out")
        else:
            self._seen.add(whole)
            self._add(message)
        self.issues += message.issues

    def _add(self, message: Message) -> None:
        found = segments(message)
        if not found:
            return
        people = [one for one in found if one.name == "PID"]
        if not people:
            message.report("error", "no-patient", "no PID; the message was left out")
            return
        groups: list[tuple[Segment, list[Segment]]] = [(one, []) for one in people]
        position = -1
        for one in found[1:]:
            if one.name == "PID":
                position += 1
            elif position < 0 and len(people) > 1:
                one.report("error", "wrong-order", "before the first PID of several; it was left out")
            elif one.name != "MSH":
                if position < 0:
                    one.report("warning", "wrong-order", "before PID; it was read as this patient's")
                groups[max(position, 0)][1].append(one)
        for pid, rest in groups:
            self._add_patient(found[0], pid, rest)

    def _add_patient(self, msh: Segment, pid: Segment, rest: Sequence[Segment]) -> None:
        name = self._names.of(pid)
        if name is None:
            return
        for one in (pid, *rest):
            one.patient[0] = name
        self._patient(name, pid)
        sent = msh.text(7)
        self._clinical(name, msh, rest, sent)
        for table, key, row in given_rows(name, msh, rest):
            self._put(table, key, row)
        visit = next((one for one in rest if one.name == "PV1"), None)
        for draft in _drafts(rest):
            draft.visit = visit
            self._orders.add(draft, name, _origin(draft.given, name) if draft.given else (), sent)
        self._results.add(name, rest, sent)

    def _patient(self, name: str, pid: Segment) -> None:
        """Later messages complete and correct what is known of a person; two quotes take it back."""
        known = self._patients.setdefault(name, {"origin": _origin(pid, name)[1:]})
        sex = pid.text(8)
        told = {"birth_date": (7, day(pid.text(7))), "sex": (8, SEXES.get(sex.upper(), sex) if sex else None),
                "ancestry": (10, first(pid.text(10, 2), pid.text(10))),
                "deceased": (30, True if pid.text(29) else {"Y": True, "N": False}.get(pid.text(30) or ""))}
        for field, (at, value) in told.items():
            if pid.is_nothing(at):
                known[field] = None
            elif value is not None:
                if field in {"birth_date", "sex"} and known.get(field) not in {None, value}:
                    pid.report("warning", "patient-changed", f"another {field} than in an earlier message; this one is "
                               "used: please confirm that it is one person", at)
                known[field] = value

    def _clinical(self, name: str, msh: Segment, rest: Sequence[Segment], sent: str | None) -> None:
        """Diagnoses, allergies, procedures, visits: repeated in message after message, kept once."""
        for index, one in enumerate(rest):
            if one.name == "DG1":
                self._condition(name, one, sent)
            elif one.name == "PRB":
                self._problem(name, one, sent)
            elif one.name in {"AL1", "IAM"}:
                self._allergy(name, one, sent)
            elif one.name == "PR1":
                self._procedure(name, one)
            elif one.name == "PV1":
                self._pregnancy(name, one, sent)
                if msh.text(9) == "ADT" and (event := msh.text(9, 2)) in {_DISCHARGED, _NOT_DISCHARGED}:
                    left = day(first(one.text(45), sent)) if event == _DISCHARGED else None
                    self._orders.leave(name, one, left)
                self._visit(name, one, msh, rest[index + 1:index + 2])
            elif one.name == "MRG":
                self._merge(name, one)

    def _merge(self, name: str, mrg: Segment) -> None:
        """Two records of one person are not put together: neither is whole, where there are both."""
        mrg.report("info", "merge-not-followed", "two identifiers were merged; records under the old one are another "
                   "patient here", 1)
        old, authority = mrg.text(1) or "", mrg.text(1, 4) or ""
        self._merged.append((name, self._names.known(old, authority), mrg.message.issues[-1]))

    def merges(self) -> list[Issue]:
        """When all is read: what was merged with a patient who is also here is a warning for both."""
        both = [one for one in self._merged if one[1] in self._patients and one[1] != one[0]]
        for _, _, told in both:
            told["severity"] = "warning"
        return [{**told, "patient_id": old} for _, old, told in both]

    def _put(self, table: str, key: tuple[Any, ...], row: Row) -> None:
        self._rows.setdefault(table, {})[key] = row

    def _condition(self, name: str, dg1: Segment, sent: str | None) -> None:
        system, code, display = coded(dg1, 3)
        said = _with_remark(dg1, display or dg1.text(4), dg1.text(4))
        if not (code or said):
            dg1.report("warning", "no-code", "neither code nor text; the row was left out", 3)
            return
        made = day(dg1.text(5))
        wrong = dg1.text(21) == "D"
        state = "entered-in-error" if wrong else "confirmed" if dg1.text(6) == "F" else "provisional" if dg1.text(
            6) in {"A", "W"} else None
        self._put("conditions", (name, system, code or said, made), (
            *_origin(dg1, name), system or _method(dg1), code, said, made, None, made or day(sent), None, state, None))

    def _problem(self, name: str, prb: Segment, sent: str | None) -> None:
        """An entry of a problem list; a later one of the same instance takes its place."""
        system, code, display = coded(prb, 3)
        if not (code or display):
            prb.report("warning", "no-code", "neither code nor text; the row was left out", 3)
            return
        display = _with_remark(prb, display)
        said = {(prb.text(at, part) or "").lower() for at in (13, 14) for part in (1, 2)}
        status = next((word for word in ("resolved", "inactive", "active") if word in said), None)
        sure = next((word for word in _SURE if word in said), None)
        self._put("conditions", (name, system, code or display, prb.text(4), "problem"), (
            *_origin(prb, name), system, code, display, day(first(prb.text(16), prb.text(7))), day(prb.text(9)),
            day(first(prb.text(2), sent)), status, "entered-in-error" if prb.text(1) == "DE" else sure, None))

    def _allergy(self, name: str, one: Segment, sent: str | None) -> None:
        said = coded(one, 3, (RXNORM, NDC))
        # What it is an allergy to may stand with the reaction only: "rash to sulfa".
        system, code, display = said = said if any(said) else (None, None, one.text(5))
        if not (code or display):
            one.report("warning", "no-code", "neither code nor text; the row was left out", 3)
            return
        new = one.name == "IAM"
        start = day(one.text(11 if new else 6))
        wrong = new and (one.text(6) == "D" or one.text(17) == "E")
        state = "entered-in-error" if wrong else one.text(17) if new else None
        grade = one.text(4)
        self._put("allergies", (name, system, code or display), (
            *_origin(one, name), *said, start, start or day(sent), "inactive" if state == "I" else None, state,
            SEVERITIES.get(grade or "", grade), also(one, 3, said)))

    def _procedure(self, name: str, pr1: Segment) -> None:
        system, code, display = coded(pr1, 3)
        start = day(pr1.text(5))
        status = "entered-in-error" if pr1.text(20) == "D" else None
        self._put("procedures", (name, system, code or display, start), (
            *_origin(pr1, name), system, code, first(display, pr1.text(4)), start, None, status, *reason(pr1, 15)))

    def _pregnancy(self, name: str, pv1: Segment, sent: str | None) -> None:
        """That a patient is pregnant, as the visit says it: on the day of the message."""
        if any(pv1.text(15, 1, one) == _PREGNANT for one in range(1, pv1.repetitions(15) + 1)):
            self._put("observations", (name, "pregnancy", day(sent)), (
                *_origin(pv1, name), LOINC, "82810-3", "Pregnancy status", day(sent), day(sent), "final", None, None,
                "Pregnant", "77386006", None))

    def _visit(self, name: str, pv1: Segment, msh: Segment, behind: Sequence[Segment]) -> None:
        start, end, number_ = day(pv1.text(44)), day(pv1.text(45)), pv1.text(19)
        if not (start or number_):
            return
        kind = pv1.text(2)
        status = _EVENTS.get(msh.text(9, 2) or "") if msh.text(9) == "ADT" else None
        old = self._rows.get("encounters", {}).get((name, number_ or start))
        told = reason(next((one for one in behind if one.name == "PV2"), None), 3)
        why = told if any(told) or not old else old[-len(told):]
        done = status or ("finished" if end else "in-progress" if start else None)
        self._put("encounters", (name, number_ or start), (
            *_origin(pv1, name), None, None, None, start or (old[7] if old else None), end or (old[8] if old else None),
            done, CLASSES.get(kind or "", kind), *why))


def _origin(one: Segment, name: str) -> Row:
    place = f"{one.message.place} {one.place}"
    return name, one.message.file, place, f"{one.message.file}#{place}"


def _with_remark(one: Segment, name: str | None, *more: str | None) -> str | None:
    """The name of a diagnosis, and behind it what else is said of it where that speaks against it."""
    others = (*more, *(one.text(3, part) for part in (2, 5, 9)))
    against = next((text for text in others if text and text != name and speaks_against(text, OF_DIAGNOSES)), None)
    return f'{name} ("{against}")' if name and against else name


def _method(dg1: Segment) -> str | None:
    """The coding system as versions before 2.4 say it."""
    from .hl7v2_fields import system

    return system(dg1.text(2)) if dg1.text(3) else None


def _drafts(rest: Sequence[Segment]) -> list[Draft]:
    """Medication orders: ORC begins one, as does a second RXE or RXO of its kind. An ORC with OBR is no medicine."""
    drafts: list[Draft] = []
    of_order = True  # what stands behind a medicine handed out or given belongs to it, not to its order
    for one in rest:
        if one.name in MEDICINES and drafts:
            drafts[-1].event = True
        of_order = one.name not in MEDICINES and (of_order or one.name in {"ORC", "RXE", "RXO"})
        if one.name == "ORC":
            drafts.append(Draft({"ORC": one}))
        elif one.name == "OBR" and drafts and drafts[-1].given is None:
            drafts.pop()
        elif one.name in {"RXE", "RXO"}:
            if not drafts or one.name in drafts[-1].parts:
                drafts.append(Draft())
            drafts[-1].parts[one.name] = one
        elif one.name in _ORDER_PARTS and of_order:
            if not drafts or (drafts[-1].given is None and one.name in {"RXR", "RXC"}):
                one.report("warning", "wrong-order", "before the medicine it belongs to; it was left out")
            else:
                drafts[-1].take(one)
    return drafts
