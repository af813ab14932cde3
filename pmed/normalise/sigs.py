"""How to take a medicine, as prescribers write it ("sig") → amount at a time, and how often a day.

The whole text is understood or nothing is: "1-2 tablets", "as directed", "1 daily, then 2", two amounts and what is
said of one day and of a week at once leave everything unknown. What is taken as needed has an amount and no number of
times. English and German, and the German scheme morning-noon-evening(-night): ``1-0-1``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache

from . import sig_words as words

PIECE, COUNT = "{piece}", "{count}"  # tablets, capsules; and a number of what is not said
_LONGEST = 200  # letters
_MOST_A_TIME, _MOST_A_DAY = 20.0, 40.0  # pieces: more is a slip of the pen, or counts something else
_FRACTIONS = {"\u00bd": "1/2", "\u2153": "1/3", "\u2154": "2/3", "\u00bc": "1/4", "\u00be": "3/4"}
_FIGURES = r"\d{1,4}(?:[.,]\d{1,3})?"
_CELL = rf"(?:{_FIGURES}|\d? ?[123]/[234])"
_END = r"(?=[\s,;.)]|$)"


@dataclass(frozen=True, slots=True)
class Sig:
    """What a text says of how a medicine is taken; None where it does not say, or not without doubt.

    Attributes:
        amount: At a time, in `unit`.
        unit: UCUM; `PIECE` for tablets or capsules, `COUNT` where what is counted is not said.
        per_day: Times a day.
        daily: Amount a day, in `unit`.
        as_needed: It is taken only if needed.
    """

    amount: float | None = None
    unit: str | None = None
    per_day: float | None = None
    daily: float | None = None
    as_needed: bool = False


UNKNOWN = Sig()


@lru_cache(maxsize=1 << 14)
def read_sig(text: str) -> Sig:
    """What a direction says.

    >>> read_sig("Take 1 tablet by mouth twice daily")
    Sig(amount=1.0, unit='{piece}', per_day=2.0, daily=2.0, as_needed=False)
    >>> read_sig("1-0-2"), read_sig("1-2 tablets daily")
    (Sig(amount=None, unit='{count}', per_day=2.0, daily=3.0, as_needed=False), Sig(amount=None, unit=None, \
per_day=None, daily=None, as_needed=False))
    """
    plain = _plain(text)
    if needed := re.search(words.AS_NEEDED, plain):
        parts = _understood(plain[:needed.start()].rstrip(" ,;(-/"))
        return Sig(parts.amount, parts.unit, as_needed=True) if parts else Sig(as_needed=True)
    parts = _understood(plain)
    return parts.sig() if parts else UNKNOWN


def says_less_than_daily(text: str) -> bool:
    """Whether a text mentions weeks, months or days of the week.

    >>> says_less_than_daily("MTX 10 mg, nur montags"), says_less_than_daily("10 mg daily")
    (True, False)
    """
    return bool(re.search(words.LESS_THAN_DAILY, text.lower()))


@dataclass
class _Parts:
    """What was met in a direction so far."""

    amount: float | None = None
    unit: str | None = None
    often: float | None = None
    cells: tuple[float, ...] = ()  # of a scheme
    moments: frozenset[str] = frozenset()
    weekdays: frozenset[str] = frozenset()
    at_meals: bool = False
    met: set[str] = field(default_factory=set)

    def sig(self) -> Sig:
        """All of it together; nothing where it does not agree."""
        taken = [one for one in self.cells if one]
        times = self._times(len(taken))
        if times is None and (self.often or self.moments or self.weekdays or self.at_meals or self.cells):
            return UNKNOWN
        amount = self.amount if not self.cells else taken[0] if len(set(taken)) == 1 else None
        daily = sum(taken) * (times or 0) / len(taken) if taken else amount * times if amount and times else None
        counted = self.unit in {PIECE, COUNT}
        if counted and (max(taken or [amount or 0]) > _MOST_A_TIME or (daily or 0) > _MOST_A_DAY):
            return UNKNOWN
        return Sig(amount, self.unit, times, daily)

    def _times(self, cells: int) -> float | None:
        """Times a day; None where nothing tells it, or what tells it differs."""
        slots = cells or len(self.moments)
        if (cells and self.moments) or (self.cells and not cells):
            return None
        a_day = self._on_these_days(slots)
        return a_day if not self.at_meals or (a_day or 0) >= 2 else None

    def _on_these_days(self, slots: int) -> float | None:
        if self.weekdays:
            share = len(self.weekdays) / 7
            if slots in {0, 1} and self.often in {None, 1.0, share}:
                return share
            return slots * share if self.often is None else None
        if self.often is None:
            return float(slots) or None
        # "1-0-1 daily" says it twice; "weekly in the morning" is once.
        told_twice = slots in {0, self.often} or (slots == 1 and self.often < 1)
        return self.often if told_twice else float(slots) if self.cells and self.often == 1 else None


def _plain(text: str) -> str:
    """In lower case, with single blanks, plain hyphens and fractions, and each number once ("one (1)")."""
    lower = re.sub("[\u2010-\u2015\u2212]", "-", text.lower())
    lower = re.sub(r"(?<!\S)\.(?=\d)", "0.", lower)
    for sign, fraction in _FRACTIONS.items():
        lower = re.sub(rf"(?<=\d) ?{sign}", f" {fraction}", lower).replace(sign, fraction)
    lower = re.sub(r"\b(one|two|three|four) ?\((\d)\)", _said_twice, lower)
    lower = re.sub(r"\b(\d) ?\((one|two|three|four)\)", _said_twice, lower)
    return " ".join(lower.split())


def _said_twice(found: re.Match[str]) -> str:
    word, figure = (found[1], found[2]) if found[1].isalpha() else (found[2], found[1])
    return figure if words.NUMBERS[word] == float(figure) else found[0]


def _understood(text: str) -> _Parts | None:
    """All parts of a text, or None where any of it is not understood."""
    parts, rest = _Parts(), re.sub(rf"^(?:{words.VERBS})\s+", "", text.strip(" .,;"))
    if len(text) > _LONGEST:
        return None
    while rest:
        for pattern, take in _readers():
            # What stands glued behind a point or comma may be a fraction: "daily.5 mg".
            if (found := pattern.match(rest)) and not _GLUED.match(rest, found.end()) and take(parts, found):
                rest = rest[found.end():].lstrip(" .,;")
                break
        else:
            return None
    return parts


_GLUED = re.compile(r"[.,]\d")
_Reader = tuple[re.Pattern[str], Callable[[_Parts, "re.Match[str]"], bool]]


@cache
def _readers() -> tuple[_Reader, ...]:
    """Patterns of a part, and what takes it in: True unless it contradicts what was met."""
    number = "|".join([_CELL, *sorted(words.NUMBERS, key=len, reverse=True)])
    counted = "|".join(words.COUNTED)
    times = "|".join(words.TIMES)
    moment, weekday = "|".join(words.MOMENTS), "|".join(words.WEEKDAYS.values())
    and_ = r"(?:\s*(?:,|and|und|&|\+)\s*(?:and |und )?)"
    unit = "|".join([words.PIECES, *words.UNITS])
    made: list[tuple[str, Callable[[_Parts, re.Match[str]], bool]]] = [
        (rf"(?P<cells>{_CELL}(?: ?- ?{_CELL}){{2,3}})(?:\s*(?P<unit>{unit})\.?)?{_END}", _scheme),
        (rf"(?:(?P<times>{times})|(?P<number>{_CELL}|one|two|three|four) ?(?:times?|time\(s\)|x|mal))"
         rf"\s*(?P<of>{counted})\.?{_END}", _counted),
        (rf"(?:every|alle|q) ?(?P<number>\d{{1,3}}|two|three|four|six|eight|twelve)[ -]?(?P<of>{'|'.join(words.EVERY)})"
         rf"\.?{_END}", _every),
        (rf"(?P<number>\d{{1,2}})-?(?P<of>st)\u00fcndlich{_END}", _every),
        (rf"(?:once )?(?P<often>{'|'.join(words.OFTEN)}){_END}", _often),
        (rf"(?P<moments>(?:{moment})(?:{and_}(?:{moment}))*){_END}", _moments),
        (rf"(?:on |every |each |jeden |am |nur )*(?P<weekdays>(?:{weekday})(?:{and_}(?:{weekday}))*){_END}", _weekdays),
        (rf"(?:{words.AT_MEALS}){_END}", _at_meals),
        (rf"(?:{words.ASIDES}){_END}", lambda _parts, _found: True),
        (rf"(?P<number>{number})\s*(?P<unit>{unit})\.?{_aside()}{_END}", _amount),
        (rf"(?P<number>{number}){_END}", _amount),
    ]
    return tuple((re.compile(pattern), take) for pattern, take in made)


def _aside() -> str:
    """What is said of an amount in brackets: (10 mg total), (1 tablet)."""
    amounts = "|".join(words.UNITS)
    return (rf"(?:\s*\((?P<total>{_FIGURES})\s*(?P<total_unit>{amounts})(?P<whole> total)?\)"
            rf"|\s*\({_CELL}\s*(?:{words.PIECES})\))?")


def _scheme(parts: _Parts, found: re.Match[str]) -> bool:
    cells = [_number(one.strip()) for one in found["cells"].split("-")]
    unit = _unit(found["unit"])
    parts.cells = tuple(one for one in cells if one is not None)
    parts.unit = unit or COUNT
    return len(parts.cells) == len(cells) and _first(parts, "amount") and _first(parts, "scheme")


def _amount(parts: _Parts, found: re.Match[str]) -> bool:
    said = found.groupdict()
    number, unit = _number(said["number"]), _unit(said.get("unit")) or COUNT
    if said.get("total"):
        # "2 tablets (10 mg)" may be 10 mg each.
        if unit != PIECE or not (said["whole"] or number == 1):
            return False
        number, unit = _number(said["total"]), _unit(said["total_unit"]) or COUNT
    parts.amount, parts.unit = number, unit
    return bool(number) and _first(parts, "amount")


def _counted(parts: _Parts, found: re.Match[str]) -> bool:
    times = words.TIMES.get(found["times"] or "") or _number(found["number"])
    days = _meaning(words.COUNTED, found["of"])
    parts.often = times / days if times and days else None
    return parts.often is not None and float(times or 0).is_integer() and _first(parts, "often")


def _every(parts: _Parts, found: re.Match[str]) -> bool:
    number = {"six": 6.0, "eight": 8.0, "twelve": 12.0}.get(found["number"]) or _number(found["number"])
    days = _meaning(words.EVERY, "std" if found["of"] == "st" else found["of"])
    parts.often = 1 / (number * days) if number and days else None
    return parts.often is not None and _first(parts, "often")


def _often(parts: _Parts, found: re.Match[str]) -> bool:
    parts.often = _meaning(words.OFTEN, found["often"])
    return _first(parts, "often")


def _moments(parts: _Parts, found: re.Match[str]) -> bool:
    said = frozenset(_each(words.MOMENTS, found["moments"]))
    agrees = parts.moments in {frozenset(), said}
    parts.moments = said
    return agrees


def _weekdays(parts: _Parts, found: re.Match[str]) -> bool:
    parts.weekdays = frozenset(day for day, said in words.WEEKDAYS.items()
                               if re.search(rf"\b(?:{said})\b", found["weekdays"]))
    return _first(parts, "weekdays")


def _at_meals(parts: _Parts, _found: re.Match[str]) -> bool:
    parts.at_meals = True
    return True


def _first(parts: _Parts, what: str) -> bool:
    """Whether it was not said before."""
    new = what not in parts.met
    parts.met.add(what)
    return new


def _each(meanings: Mapping[str, str], text: str) -> Iterator[str]:
    for pattern, meaning in meanings.items():
        if re.search(rf"(?<!\w)(?:{pattern})(?!\w)", text):
            yield meaning


def _meaning(meanings: Mapping[str, float], word: str) -> float | None:
    return next((value for pattern, value in meanings.items() if re.fullmatch(pattern, word)), None)


def _unit(word: str | None) -> str | None:
    if word is None:
        return None
    if re.fullmatch(words.PIECES, word):
        return PIECE
    return next((unit for pattern, unit in words.UNITS.items() if re.fullmatch(pattern, word)), None)


def _number(text: str | None) -> float | None:
    """A number in figures, words or as a fraction; one that may part thousands (1.000, 1,000) is none."""
    if text is None:
        return None
    if text in words.NUMBERS:
        return words.NUMBERS[text]
    whole, _, fraction = text.partition(" ")
    if fraction in words.NUMBERS and whole.isdecimal():
        return float(whole) + words.NUMBERS[fraction]
    if not re.fullmatch(_FIGURES, text) or re.fullmatch(r"[1-9]\d*[.,]\d{3}", text):
        return None
    return float(text.replace(",", "."))
