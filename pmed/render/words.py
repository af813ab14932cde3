"""Feature names, numbers and links as a reader wants them. Nothing here knows a gene, a drug or a model."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from markupsafe import Markup

from ..normalise.plausible import PLAUSIBLE
from .messages import ENGLISH, MINUS, UNKNOWN, day, gettext, language, marked, number
from .phrases import listed, said

PATTERNS = {
    "on": marked("taking {}"),
    "phenotype": marked("{} phenotype"),
    "diplotype": marked("{} diplotype"),
    "activity-score": marked("{} activity score"),
    "genotype": marked("{} genotype"),
    "status": marked("{} status"),
    "finding": marked("{} on record"),
    "observation": "{}",
    "allergy": marked("allergy to {}"),
    "condition": marked("{} on record"),
    "latest": marked("latest {}"),
    "daily-dose": marked("daily dose of {} (mg)"),
    "days-taken": marked("days on {}"),
}
SHOWN = {"egfr": marked("kidney function (eGFR)"), "egfr-trend": marked("change of eGFR a year"),
         "breastfeeding": marked("breast-feeding"), "pregnant": marked("pregnancy"), "smoker": marked("smoking"),
         "creatinine-clearance": marked("kidney function (creatinine clearance)"),
         "child-pugh": marked("liver function (Child-Pugh)"), "bmi": "BMI",
         "systolic-bp": marked("systolic blood pressure"), "bp-treated": marked("blood pressure treated"),
         "hdl-cholesterol": marked("HDL cholesterol"), "hba1c": "HbA1c", "labile-inr": marked("labile INR"),
         "drinks-per-week": marked("drinks a week"), "total-cholesterol": marked("total cholesterol")}
SPELT = ("condition", "finding", "allergy")
#: Values that are words; all others stay as the record or the guideline has them
WORDS = {"yes": marked("yes"), "no": marked("no"), "female": marked("female"), "male": marked("male"),
         "unknown": UNKNOWN}
MACHINE = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)+")
#: A number with a decimal point and nothing about it that makes it part of a name.
DECIMAL = re.compile(r"(?<![\w.*:/])\d+\.\d+(?![\w.*:]|-\d)")
# Names that only a machine would write: with a colon, or with a hyphen that the words do not have.
NAMED = re.compile(rf"(?<![\w-])(?:(?:{'|'.join(PATTERNS)}):[^\s,;]+"
                   rf"|(?:{'|'.join(name for name in SHOWN if '-' in name)})(?![\w-]))")
DAY = re.compile(r"\b(?:19|20)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d)\b")
SENTENCE = re.compile(r"(?<=[\w)%]{2}[.!?])\s+(?=[A-Z(])")
CLAUSE = re.compile(r";\s(?![^(]*\))|, so (?![^(]*\))")
FEW_WORDS = 30
#: Units that are words, where there is one of them.
ONE = {"points": marked("point")}
CAPITALS, NOUN = ("de",), re.compile(r"[a-z][a-z -]{3,}")
ENGLISH_TEXT, ANY_TEXT = Markup('<bdi lang="en">{}</bdi>'), Markup("<bdi>{}</bdi>")
Displays = Mapping[str, str]


def feature(name: str, displays: Displays | None = None) -> str:
    """A feature's name in words: ``on:x`` → "taking x"; `displays` names observation codes.

    >>> feature("phenotype:ABC1"), feature("systolic-bp")
    ('ABC1 phenotype', 'systolic blood pressure')
    """
    kind, _, rest = name.partition(":")
    if name in SHOWN:
        return gettext(SHOWN[name])
    if not rest or kind not in PATTERNS:
        return term(name.replace("-", " ").replace("_", " "))
    if kind in {"observation", "latest"}:
        return gettext(PATTERNS[kind]).format(_measurement(rest, displays or {}))
    return gettext(PATTERNS[kind]).format(term(rest.replace("-", " ")) if kind in SPELT else noun(rest))


def _measurement(code: str, displays: Displays) -> str:
    """A measurement by what the record calls it, else by pmed's own name, else by its LOINC code."""
    if code in displays:
        return noun(displays[code])
    return term(PLAUSIBLE[code][0]) if code in PLAUSIBLE else f"LOINC {code}"


def reason(text: str, displays: Displays | None = None) -> str:
    """A reason with the feature names inside it in words.

    >>> reason("needs diplotype:ABC1, age")
    'needs ABC1 diplotype, age'
    """
    return NAMED.sub(lambda found: feature(found.group(0), displays), text)


@dataclass(frozen=True)
class Said:
    """What a plugin says: in the reader's language, or `english` where nobody translated it, and marked so in HTML."""

    text: str
    english: bool

    def __str__(self) -> str:
        return self.text

    def __html__(self) -> str:
        return (ENGLISH_TEXT if self.english else ANY_TEXT).format(self.text)


def told(text: object, displays: Displays | None = None) -> Said:
    """A text of a plugin's, by the catalogues that plugins bring; in English as it is, with inputs in words.

    >>> told("needs diplotype:ABC1, age").text
    'needs ABC1 diplotype, age'
    """
    if isinstance(text, Said):
        return text
    words = str(text)
    found = None if language() == ENGLISH else said(words, language(), value)
    return Said(reason(words, displays), english=True) if found is None else Said(found, english=False)


def shortened(text: str, short: Callable[[str], str]) -> Said:
    """The beginning of a text, as `short` finds it: of the translation where the whole has one."""
    whole = told(text)
    return told(short(text)) if whole.english else Said(short(whole.text), english=False)


def value(text: str | None) -> str:
    """The value of an input, or a name in a list, as the reader says it.

    >>> value("yes"), value("*1/*2"), value("phenotype:ABC1"), value(None)
    ('yes', '*1/*2', 'ABC1 phenotype', 'unknown')
    """
    if not text:
        return gettext(UNKNOWN)
    if text in WORDS:
        return gettext(WORDS[text])
    kind, _, rest = text.partition(":")
    if text in SHOWN or (rest and kind in PATTERNS):
        return feature(text)
    if language() == ENGLISH:
        return text
    if MACHINE.fullmatch(text) and (said_so := feature(text)) != text.replace("-", " "):
        return said_so
    return noun(DAY.sub(_localised_day, DECIMAL.sub(_localised, text)))


def noun(text: str) -> str:
    """A medicine's name as the language writes nouns; anything but plain letters is no such name."""
    return capital(text) if language() in CAPITALS and NOUN.fullmatch(text) else text


def term(text: str | None) -> str:
    """A value that is a term or a list of terms, in the reader's language as far as it is known there.

    >>> term("Slow or Fast")
    'Slow or Fast'
    """
    if not text or language() == ENGLISH:
        return value(text)
    return listed(text, language(), value) or text


def _localised_day(found: re.Match[str]) -> str:
    return day(date.fromisoformat(found[0]))


def _localised(found: re.Match[str]) -> str:
    return number(float(found[0]), len(found[0].partition(".")[2]))


def label(name: str) -> str:
    """A machine's name as the start of a line.

    >>> label("total-dose")
    'Total dose'
    """
    words = name.replace("-", " ").replace("_", " ")
    return words[:1].upper() + words[1:]


def signed(value: float, digits: int) -> str:
    """A contribution: always with its sign."""
    text = number(value, digits)
    return text if text.startswith(MINUS) or not float(f"{value:.{digits}f}") else f"+{text}"


def quantity(value: float | None, unit: str) -> str:
    r"""A number with its unit (UCUM or plain), held together by a no-break space.

    >>> quantity(7.5, "%"), quantity(3.0, "1"), quantity(1.0, "points")
    ('7.5\xa0%', '3', '1\xa0point')
    """
    shown = number(value)
    if shown == gettext(UNKNOWN) or unit in {"", "1"}:
        return shown
    return f"{shown}\N{NO-BREAK SPACE}{term(ONE.get(unit, unit) if value == 1 else unit)}"


def first_sentence(text: str) -> str:
    """The first sentence of some advice, and the next one where the first is only a few words."""
    sentences = SENTENCE.split(text.strip())
    return " ".join(sentences[:2]) if len(sentences[0]) < FEW_WORDS else sentences[0]


def clause(text: str) -> str:
    """The first clause of a reason, as a sentence begins: up to its first semicolon or full stop, without what follows.

    >>> clause("ABC1 *2/*2 (Slow; both): zappa stays inactive, so it fails; worse on yolk.")
    'ABC1 *2/*2 (Slow; both): zappa stays inactive'
    """
    return capital(CLAUSE.split(first_sentence(text).rstrip("."), maxsplit=1)[0].strip())


def capital(text: str) -> str:
    """A text as the beginning of a sentence.

    >>> capital("it causes harm")
    'It causes harm'
    """
    return text[:1].upper() + text[1:]


def without_lead(text: str, action: str, drug: str) -> str:
    """Advice without the action and the medicine in front that the line names already.

    >>> without_lead("Avoid zappa: use yolk.", "Avoid", "zappa")
    'Use yolk.'
    """
    lead = f"{action} {drug}: "
    rest = text[len(lead):] if text.lower().startswith(lead.lower()) else text
    return rest[:1].upper() + rest[1:]


def address(text: str) -> str:
    """An address as a line can hold it: whose it is and what is looked up there; other text as it is.

    >>> address("https://www.guild.example/find/it?query=zappa"), address("PMID:1")
    ('guild.example: zappa', 'PMID:1')
    """
    if not web_link(text):
        return text
    parts = urlsplit(text)
    sought = [value for _, value in parse_qsl(parts.query)][-1:] or [one for one in parts.path.split("/") if one][-1:]
    return ": ".join([parts.netloc.removeprefix("www."), *sought])


def web_link(url: Any) -> str:
    """The address if it is one a report may link to (http or https), else ''."""
    text = str(url or "").strip()
    try:
        parts = urlsplit(text)
    except ValueError:
        return ""
    return text if parts.scheme in {"http", "https"} and parts.netloc else ""
