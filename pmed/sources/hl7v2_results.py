"""Results of HL7 v2 (OBX) → rows of observations; corrections take the place of what they correct."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import polars as pl

from ..normalise.units import differ
from .hl7v2_fields import INTERPRETATIONS, LOINC, NO_RESULT, RESULTS, Coded, coded, day, first, moment, number
from .hl7v2_message import Segment
from .recorded import Row

Value = tuple[float | None, str | None, str | None]  # number, text, code
_UNKNOWN: Value = (None, None, None)
_AS_TEXT = {"ST", "TX", "FT", "DT", "TS", "DTM", "TM", "IS", "ID"}
_CORRECTIONS = ("C", "W", "D", "A")
_THOUSANDS = re.compile(r"[1-9]\d{0,2}(?:\.\d{3})+")  # of a text, "250.000" may be 250,000
_POWER, _OF_TEN = re.compile(r"[xX]? ?10"), re.compile(r"\d{1,2} ?/.+")
_SIGNS = ("<", "<=", ">", ">=", "<>")


class Results:
    """Observations by order, code and part; a later message about the same takes the place of the earlier one."""

    def __init__(self) -> None:
        # key → [(time, rows)]
        self._found: dict[tuple[Any, ...], list[tuple[str | None, list[Row]]]] = {}
        self._alone: list[Row] = []

    def rows(self) -> list[Row]:
        """Rows of observations."""
        return [*(row for entries in self._found.values() for _, rows in entries for row in rows), *self._alone]

    def add(self, patient: str, rest: Sequence[Segment], sent: str | None) -> None:
        """The results of one patient in one message."""
        new: dict[tuple[Any, ...], list[tuple[Segment, str | None, list[Row]]]] = {}
        obr: Segment | None = None
        for one in rest:
            obr = one if one.name == "OBR" else None if one.name == "ORC" else obr
            if one.name != "OBX":
                continue
            time = first(one.text(14), obr.text(7) if obr else None)
            made = _rows(patient, one, time, first(obr.text(22) if obr else None, sent))
            key = _key(patient, one, obr)
            if key is None:
                self._alone += made
            else:
                new.setdefault(key, []).append((one, moment(time), made))
        for key, entries in new.items():
            self._supersede(key, entries)

    def _supersede(self, key: tuple[Any, ...], entries: list[tuple[Segment, str | None, list[Row]]]) -> None:
        """A result of the same time is the same result; a correction of no known time may have corrected the time.

        Which one of a series it corrects is then not known, and so is what they were.
        """
        old = self._found.get(key, [])
        times, known = {time for _, time, _ in entries}, {time for time, _ in old}
        kept = [entry for entry in old if entry[0] not in times]
        moved = sum(one.text(11) in _CORRECTIONS and time not in known for one, time, _ in entries)
        if moved and moved >= len(kept):
            kept = []
        elif moved:
            entries[0][0].report("warning", "corrected-series", "a correction at a time that was not met before: which "
                                 "of several results it corrects is not known, and their values stay unknown")
            kept = [(time, [_doubted(row) for row in rows]) for time, rows in kept]
        if len(kept) < len(old):
            entries[0][0].report("info", "superseded", "a later message about the same result; the earlier one was "
                                 "left out")
        self._found[key] = [*kept, *((time, rows) for _, time, rows in entries)]


def _doubted(row: Row) -> Row:
    """A row without its value; the text keeps what it was, so that it still counts as measured."""
    *head, value, unit, text, _, flag = row
    said = text if value is None else f"{value:g} {unit or ''}".strip()
    return (*head, None, unit, None if said is None else f"{said} (perhaps corrected)", None, flag)


def _key(patient: str, obx: Segment, obr: Segment | None) -> tuple[Any, ...] | None:
    """What makes two results the same; None without an order number."""
    order = next((found for at in (3, 2) if obr and (found := obr.text(at))), None)
    return (patient, order, obx.text(3), obx.text(3, 3), obx.text(4)) if order else None


def _rows(patient: str, obx: Segment, time: str | None, recorded: str | None) -> list[Row]:
    """One row, or one for each repetition of the value."""
    place = f"{obx.message.place} {obx.place}"
    origin = patient, obx.message.file, place, f"{obx.message.file}#{place}"
    state = obx.text(11)
    if state not in RESULTS:
        obx.report("warning", "no-status", "no result status that is known; it stays unknown", 11)
    code = coded(obx, 3, (LOINC,))
    if not any(code):
        obx.report("warning", "no-code", "it does not say what was observed", 3)
    unit, flag = _unit(obx, code), _interpretation(obx)
    values = list(_values(obx)) or [_UNKNOWN]
    if len(values) > 1:
        obx.report("info", "several-values", "several values of one result; each is a row", 5)
    if state in NO_RESULT and any(value != _UNKNOWN for value in values):
        obx.report("warning", "value-not-used", "a value with a status that says there is none; it stays unknown", 5)
        values = [_UNKNOWN]
    return [(*origin, *code, moment(time), day(recorded), RESULTS.get(state or ""), value, unit, text, word, flag)
            for value, text, word in values]


def _unit(obx: Segment, observed: Coded) -> str | None:
    """The unit; "10^9/L" of senders who forget that ^ parts components is that, and not 10."""
    code, words = obx.text(6), obx.text(6, 2)
    if code and words and _POWER.fullmatch(code) and _OF_TEN.fullmatch(words):
        return f"{code}*{words}"
    return _one_unit(observed[1], code, words) if code and words and observed[0] == LOINC else first(code, words)


@cache
def _one_unit(loinc: str, code: str, words: str) -> str:
    """The unit by its code, or by its words where only these are known; of two that are not the same none."""
    units = [(loinc, code, code), (loinc, words, words), (loinc, code, words)]
    frame = pl.DataFrame(units, ["code", "one", "other"], orient="row")
    of_code, of_words, apart = frame.select(differ(*map(pl.col, frame.columns)))["code"]
    if apart:
        return f"{code} ({words})"
    return words if of_code is None and of_words is not None else code


def _interpretation(obx: Segment) -> str | None:
    """What the laboratory says of the value: the first flag of OBX-8 that FHIR knows by the same letters."""
    flags = ((obx.text(8, 1, repetition) or "").upper() for repetition in range(1, obx.repetitions(8) + 1))
    return next((flag for flag in flags if flag in INTERPRETATIONS), None)


def _values(obx: Segment) -> Iterator[Value]:
    for repetition in range(1, obx.repetitions(5) + 1):
        yield _value(obx, repetition)


def _value(obx: Segment, repetition: int) -> Value:
    kind, text = obx.text(2), obx.text(5, 1, repetition)
    if kind in {"CE", "CWE", "CNE", "CF"}:
        words = first(obx.text(5, 2, repetition), obx.text(5, 5, repetition), obx.text(5, 9, repetition))
        return None, words, text
    if kind == "SN":
        return _structured(obx, [obx.text(5, part, repetition) for part in range(1, 5)])
    more = [part for at in range(2, 5) if (part := obx.text(5, at, repetition))] if kind == "NM" else []
    return _UNKNOWN if text is None else _plain(obx, kind, " ".join([text, *more]))


def _plain(obx: Segment, kind: str | None, text: str) -> Value:
    # Many laboratories send numbers as text; with a unit it is one, without it may be a grade or a code.
    written = (kind in {"ST", "TX", "FT"} and number(text) is not None and obx.text(6) is not None
               and not _THOUSANDS.fullmatch(text))
    if kind == "NM" or written:
        return _numeric(obx, text)
    if kind in _AS_TEXT or kind is None:
        return _limit(obx, text) if text.startswith(_SIGNS) else (None, text, None)
    obx.report("info", "value-not-read", "a value of a type that is not read; it stays unknown", 2)
    return _UNKNOWN


def _numeric(obx: Segment, text: str) -> Value:
    """A number; beyond the scale of the instrument (OBX-8) it is a limit."""
    found = number(text)
    flags = {obx.text(8, 1, repetition) for repetition in range(1, obx.repetitions(8) + 1)}
    if found is None:
        limit = text.startswith(("<", ">"))
        code, what = ("limit-not-value", "a value beyond a limit") if limit else ("bad-number", "not a number")
        obx.report("info" if limit else "warning", code, f"{what}; kept as text, the number stays unknown", 5)
        return None, text, None
    if sign := next((sign for sign in ("<", ">") if sign in flags), None):
        return _limit(obx, f"{sign} {text}")
    return found, None, None


def _structured(obx: Segment, parts: list[str | None]) -> Value:
    """Comparator, number, separator, number: only one number by itself, or equal to one, is a value."""
    sign, one, separator, other = parts
    if number(one) is not None and sign in {None, "="} and not separator and not other:
        return number(one), None, None
    text = " ".join(part for part in (*parts,) if part)
    if not text:
        return _UNKNOWN
    if sign in _SIGNS and number(one) is not None:
        return _limit(obx, text)
    obx.report("info", "value-not-read", "a range or ratio is kept as text; the number stays unknown", 5)
    return None, text, None


def _limit(obx: Segment, text: str) -> Value:
    obx.report("info", "limit-not-value", "a value beyond a limit of measurement is kept as text, not as a number", 5)
    return None, text, None
