"""HL7 v2 fields in FHIR's words: times, codes, statuses, how often (HL7 v2.3 to 2.8; tables by their numbers)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..normalise.drug_names import ALSO
from .hl7v2_message import Segment

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
ICD_10_GM = "http://fhir.de/CodeSystem/bfarm/icd-10-gm"
NDC = "http://hl7.org/fhir/sid/ndc"
# Table 0396, coding systems; and what senders write, OIDs among it.
SYSTEMS = {
    **dict.fromkeys(("LN", "LNC", "LOINC", "2.16.840.1.113883.6.1"), LOINC),
    **dict.fromkeys(("SCT", "SNOMED", "SNOMEDCT", "SNOMED-CT", "SNOMED CT", "2.16.840.1.113883.6.96"), SNOMED),
    "I10": "http://hl7.org/fhir/sid/icd-10-cm", "I10C": "http://hl7.org/fhir/sid/icd-10-cm",
    "ICD10": "http://hl7.org/fhir/sid/icd-10-cm",
    "I9": "http://hl7.org/fhir/sid/icd-9-cm", "I9C": "http://hl7.org/fhir/sid/icd-9-cm",
    "I9CDX": "http://hl7.org/fhir/sid/icd-9-cm",
    "RXNORM": RXNORM, "RXN": RXNORM, "2.16.840.1.113883.6.88": RXNORM, "NDC": NDC, "2.16.840.1.113883.6.69": NDC,
    "ATC": "http://www.whocc.no/atc",
    "CVX": "http://hl7.org/fhir/sid/cvx", "C4": "http://www.ama-assn.org/go/cpt", "UCUM": "http://unitsofmeasure.org",
}

SEXES = {"M": "male", "F": "female", "MALE": "male", "FEMALE": "female", "O": "other", "A": "other",
         "U": "unknown"}  # table 0001
# Table 0085, observation result status.
RESULTS = {"F": "final", "U": "final", "C": "corrected", "A": "amended", "P": "preliminary", "R": "preliminary",
           "S": "preliminary", "B": "preliminary", "V": "final", "D": "entered-in-error", "W": "entered-in-error",
           "X": "cancelled", "N": "cancelled", "I": "registered", "O": "unknown"}
# Table 0078, abnormal flags, as far as FHIR's ObservationInterpretation has them; others are of the laboratory itself.
INTERPRETATIONS = frozenset(("L", "H", "LL", "HH", "LU", "HU", "<", ">", "N", "A", "AA", "U", "D", "B", "W", "S", "R",
                             "I", "SDD", "NS", "SYN-S", "SYN-R", "POS", "NEG", "IND", "DET", "ND", "WR", "RR", "NR"))
NO_RESULT = ("X", "N", "I", "O")
# Table 0119, order control: what an order is after it. Requests count: who orders decides.
CONTROLS = {"NW": "active", "OK": "active", "XO": "active", "XR": "active", "XX": "active", "RO": "active",
            "RE": "active", "RF": "active", "AF": "active", "RL": "active", "OE": "active", "RR": "active",
            "RP": "stopped", "RQ": "stopped", "RU": "stopped", "DC": "stopped", "DR": "stopped", "OD": "stopped",
            "CA": "cancelled", "CR": "cancelled", "OC": "cancelled", "HD": "on-hold", "HR": "on-hold", "OH": "on-hold",
            "UA": "unknown", "DE": "unknown"}
# These say nothing of whether it goes on: numbers, kin of orders, payment, a refill that was refused or made.
NEUTRAL = ("AD", "CH", "CN", "DF", "FU", "LI", "MC", "NA", "NR", "OF", "OP", "OR", "PA", "PR", "PX", "PY", "RC", "RD",
           "SC", "SN", "SQ", "SR", "SS", "UF")
# Nothing came of these: the order stays what it was.
REFUSED = ("UC", "UD", "UH", "UM", "UN", "UR", "UX")
# Table 0038, order status.
STATUSES = {"A": "active", "IP": "active", "SC": "active", "CM": "completed", "DC": "stopped", "RP": "stopped",
            "CA": "cancelled", "HD": "on-hold", "ER": "unknown",
            **dict.fromkeys(("ACTIVE", "IN PROCESS", "ORDERED"), "active"), "COMPLETED": "completed",
            **dict.fromkeys(("DISCONTINUED", "STOPPED", "EXPIRED"), "stopped"),
            **dict.fromkeys(("CANCELED", "CANCELLED"), "cancelled"), **dict.fromkeys(("HOLD", "ON HOLD"), "on-hold")}
OVER = ("stopped", "cancelled", "completed")
Coded = tuple[str | None, str | None, str | None]
NO_REASON: Coded = (None, None, None)
CLASSES = {"I": "inpatient", "O": "ambulatory", "E": "emergency", "P": "pre-admission", "R": "recurring",
           "B": "obstetrics"}  # table 0004
SEVERITIES = {"SV": "high", "MI": "low", "U": "unable-to-assess"}  # table 0128; moderate has no word in FHIR
# Pieces of which a strength is said: table 0292 and what systems write.
PIECES = {"TAB", "TABS", "TABLET", "TABLETS", "CAP", "CAPS", "CAPSULE", "CAPSULES", "EA", "EACH", "PILL"}

_TIME = re.compile(r"(\d{4})(?:(\d{2})(?:(\d{2})(?:\d{2,6}(?:\.\d+)?)?)?)?(?:[+-]\d{4})?")
_CLOCK = re.compile(r"(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})?(?:\.\d+)?([+-]\d{4})?")
_GERMAN = re.compile(r"(?:I10G|ICD-?10-?GM|I10(?=-\d))(?:M?[-_ ]?\d{2,4})?")  # I10G2024, I10-2024
_EVERY = re.compile(r"Q(\d{1,3})(H|D|W)")
_TIMES = {"QD": 1.0, "DAILY": 1.0, "QDAY": 1.0, "QAM": 1.0, "QPM": 1.0, "QHS": 1.0, "HS": 1.0, "OD": 1.0, "BID": 2.0,
          "TID": 3.0, "QID": 4.0, "QOD": 0.5, "QW": 1 / 7, "QWK": 1 / 7}  # table 0335
_DAYS = {"H": 1 / 24, "D": 1.0, "W": 7.0}
_NAME = re.compile(r"[A-Za-z]{5}")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)")


def day(text: str | None) -> str | None:
    """YYYYMMDDHHMM+ZZZZ → YYYY-MM-DD as written, as precise as it is; what is no time is left for others to report."""
    found = _TIME.fullmatch(text) if text else None
    return "-".join(part for part in found.groups() if part) if found else text


def moment(text: str | None) -> str | None:
    """As `day`, with the time where one is written: YYYY-MM-DDTHH:MM:SS+ZZZZ."""
    found = _CLOCK.fullmatch(text) if text else None
    if found is None:
        return day(text)
    year, month, of_month, hour, minute, second, zone = found.groups()
    return f"{year}-{month}-{of_month}T{hour}:{minute}:{second or '00'}{zone or ''}"


def first(*texts: str | None) -> str | None:
    """The first that says something."""
    return next((text for text in texts if text), None)


def number(text: str | None) -> float | None:
    """A number as HL7 writes it (NM): digits with sign and point, and no exponent."""
    return float(text) if text and _NUMBER.fullmatch(text) else None


def coded(segment: Segment, at: int, prefer: Sequence[str] = (), repetition: int = 1) -> Coded:
    """System, code and text of a CE or CWE; of two codings the one in a preferred system, else the first."""
    said = segment.texts(at, (1, 2, 3, 4, 5, 6, 9), repetition)
    codings = [(system(said[part + 2]), said[part], said[part + 1]) for part in (0, 3)]
    known = [one for one in codings if one[1]]
    texts = first(codings[0][2], codings[1][2], said[6])
    best = min(known, key=lambda one: prefer.index(one[0]) if one[0] in prefer else len(prefer), default=None)
    if best is None:
        return None, None, texts
    return best[0], best[1], best[2] or texts or (best[1] if _is_name(best[0], best[1]) else None)


def _is_name(of_system: str | None, code: str | None) -> bool:
    """Whether a code by itself is a name: a local one in letters, as WARFARIN."""
    return not (of_system or "").startswith("http") and bool(_NAME.match(code or ""))


def also(segment: Segment, at: int, said: Coded) -> str | None:
    """The other coding and the original text of a field of which `said` was taken, as the column `also` has them."""
    one = [segment.text(at, part) for part in (1, 2, 3, 4, 5, 6, 9)]
    codings = [(system(one[part + 2]), one[part], one[part + 1]) for part in (0, 3)]
    others = ["|".join(part or "" for part in coding) for coding in codings if coding[1] and coding[:2] != said[:2]]
    names = [name for name in (*(text for _, code, text in codings if not code), one[6]) if name and name != said[2]]
    return ALSO.join([*others, *names]) or None


def reason(segment: Segment | None, at: int) -> Coded:
    """What a field says of why: the words of all repetitions, and system and code of the first with a code."""
    if segment is None or not segment.repetitions(at):
        return NO_REASON
    said = [coded(segment, at, (SNOMED,), repetition) for repetition in range(1, segment.repetitions(at) + 1)]
    code_system, code, _ = next((one for one in said if one[1]), NO_REASON)
    words = dict.fromkeys(word for _, code, display in said if (word := display or code))
    return "; ".join(words) or None, code_system, code


def system(name: str | None) -> str | None:
    """The URI of a coding system; a local one keeps its name."""
    if not name:
        return None
    return ICD_10_GM if _GERMAN.fullmatch(name.upper()) else SYSTEMS.get(name.upper(), name)


def per_day(segment: Segment, at: int, part: int) -> float | None:
    """How many times a day, where the repeat pattern says so; as needed, once and meals are not known."""
    text = (segment.text(at, part) or "").upper()
    if found := _EVERY.fullmatch(text):
        return 1 / (int(found[1]) * _DAYS[found[2]]) if int(found[1]) else None
    return _TIMES.get(text)
