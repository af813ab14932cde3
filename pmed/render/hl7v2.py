r"""The result as HL7 v2.5.1 messages ORU^R01, one a patient: segments end with CR, the text is UTF-8 (MSH-18).

One order (OBR) holds, by sub-id (OBX-4), each gene, each current or asked-for medicine and each risk or other number.
What could not be found out has no value and the status X, and the reason in a note. Codes are LOINC where it has one;
the others are pmed's own (coding system ``99PMED``).
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ..provenance import DISCLAIMER
from ..result import Result
from .coding import (
    GENE,
    GENOTYPE,
    MEDICATION,
    METABOLISM,
    PHENOTYPES,
    REPORT,
    RXNORM,
    SUGGESTION,
    SUGGESTION_TYPE,
    drug_codings,
    gene_codings,
    usage,
)
from .facts import (
    ACTION_WORDS,
    alternatives,
    assumed,
    day,
    diplotype,
    of_this_patient,
    open_reason,
    others,
    possible,
    shown,
)
from .view import View, patient_views

LOCAL = "99PMED"
VERSION, CHARSET = "2.5.1", "UNICODE UTF-8"
SEXES = {"male": "M", "female": "F", "other": "O", "unknown": "U"}
# Table 0078 as far as it fits: what asks for another medicine is "very abnormal".
FLAGS = {"avoid": "AA", "alternative": "AA", "adjust": "A", "monitor": "A", "standard": "N"}
FINAL, PRELIMINARY, NOTHING = "F", "P", "X"
_ESCAPES = {"\\": "\\E\\", "|": "\\F\\", "^": "\\S\\", "&": "\\T\\", "~": "\\R\\"}
_SPECIAL = re.compile(r"[\\|^&~\x00-\x1f\x7f]")
_LINE = re.compile(r"\r\n?|\n")
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://pmed/hl7v2")


@dataclass(frozen=True)
class Hl7v2Exporter:
    """HL7 v2.5.1 messages ORU^R01: genes, medicines and risks of each patient as OBX."""

    name: ClassVar[str] = "hl7"
    suffix: ClassVar[str] = ".hl7"

    def export(self, result: Result) -> bytes:
        """All messages, one after the other."""
        return "".join(_message(view, result.provenance) for view in patient_views(result)).encode()


@dataclass(frozen=True)
class Observation:
    """One OBX before it has its number; `value` is encoded already."""

    kind: str
    code: str
    value: str
    unit: str = ""
    flag: str = ""
    status: str = FINAL
    notes: tuple[str, ...] = ()


def escape(text: str) -> str:
    r"""Text as the value of a field: delimiters by their escapes, control characters by their hex code.

    >>> escape("a|b^c")
    'a\\F\\b\\S\\c'
    """
    if text == '""':  # which would say that there is nothing
        return "\\X22\\" * 2
    return _SPECIAL.sub(lambda found: _ESCAPES.get(found[0]) or f"\\X{ord(found[0]):02X}\\", text)


def narrative(text: str) -> str:
    r"""Text of several lines (TX, FT): line ends are ``\.br\``."""
    return "\\.br\\".join(map(escape, _LINE.split(text)))


def _message(view: View, provenance: Mapping[str, Any]) -> str:
    body = [*_order(view, provenance), *_results(view, provenance)]
    told = provenance.get("created")
    number = uuid.uuid5(_NAMESPACE, f"{told}\r{_patient(view)}\r" + "\r".join(body)).hex[:20]
    head = "|".join([r"MSH|^~\&", "pmed", "", "", "", _time(told), "", "ORU^R01^ORU_R01", number, "P", VERSION,
                     "", "", "", "", "", CHARSET])
    return "".join(f"{segment}\r" for segment in (head, _patient(view), *body))


def _patient(view: View) -> str:
    """The name is not known here; the identifier is the record's own."""
    record = view["record"] or {}
    born = record.get("birth_date")
    return "|".join(["PID", "1", "", escape(view["patient_id"]), "", "^^^^^^U", "", _time(born and born.isoformat()),
                     SEXES.get(record.get("sex") or "", "")])


def _order(view: View, provenance: Mapping[str, Any]) -> Iterator[str]:
    created, seen = provenance.get("created"), day(view)
    order = uuid.uuid5(_NAMESPACE, f"{view['patient_id']} {created}").hex[:20] + "^pmed"
    yield f"ORC|RE||{order}"
    yield "|".join(["OBR", "1", "", order, _code(REPORT), "", "", _time(seen or created), *[""] * 14, _time(created),
                    "", "GE", PRELIMINARY if view["failures"] else FINAL])
    warned = [f"Please confirm: {one['text']}." for one in view["notices"]]
    yield from _notes([*warned, provenance.get("disclaimer") or DISCLAIMER])


def _results(view: View, provenance: Mapping[str, Any]) -> Iterator[str]:
    """OBX and NTE of all groups; what belongs together has one sub-id."""
    groups = [*(_gene(gene, view) for gene in view["genes"]), *(_medicine(row) for row in _told(view)),
              *(_number(row) for row in of_this_patient(others(view, provenance), view))]
    number = 0
    for sub, group in enumerate(groups, start=1):
        for one in group:
            number += 1
            yield "|".join(["OBX", str(number), one.kind, one.code, str(sub), one.value, escape(one.unit), "", one.flag,
                            "", "", one.status])
            yield from _notes(one.notes)


def _told(view: View) -> list[View]:
    """Medicines that are taken, and those that were asked about."""
    return [row for row in view["suggestions"] if row["current"] or row["drug"] in view["asked"]]


def _gene(gene: str, view: View) -> Iterator[Observation]:
    row, named = view["genes"][gene], gene_codings(gene)
    yield Observation("CWE", _code(GENE), _coded(named[0]["code"], gene, "HGNC") if named else f"^{escape(gene)}")
    yield _genotype(gene, row, view)
    if row["phenotype"]:
        yield _phenotype(row["phenotype"], PRELIMINARY if assumed(row) else FINAL)
    else:
        yield Observation("ST", _own("phenotype", "Phenotype"), "", status=NOTHING)
    if row["activity_score"] is not None:
        yield Observation("NM", _own("activity-score", "Activity score"), _decimal(row["activity_score"]))
    if row["present_phenotype"] != row["phenotype"]:
        yield _today(row)


def _genotype(gene: str, row: View, view: View) -> Observation:
    """A settled diplotype is one value. Where several are possible each is a preliminary repetition; else it is X."""
    settled = diplotype(row)
    told = tuple(message["text"] or message["code"] for message in row["messages"])
    if settled:
        return Observation("ST", _code(GENOTYPE), escape(settled), status=PRELIMINARY if assumed(row) else FINAL,
                           notes=told)
    listed, may_be = row["possible_diplotypes"] or row["diplotypes"], possible(row)
    several = listed if len(listed) > 1 else []  # one alone would read as the result
    return Observation("ST", _code(GENOTYPE), "~".join(map(escape, several)),
                       status=PRELIMINARY if several else NOTHING, notes=tuple(filter(None, [
                           f"Not settled: {open_reason(gene, view)}", _prefixed("Possible: ", may_be)])))


def _phenotype(name: str, status: str) -> Observation:
    """LOINC has a question for metabolisers, and answers for other functions too."""
    known = PHENOTYPES.get(name.lower())
    code = _code(METABOLISM) if known and "metabolizer" in name.lower() else _own("phenotype", "Phenotype")
    return Observation("CWE", code, _coded(*known, "LN") if known else f"^{escape(name)}", status=status)


def _today(row: View) -> Observation:
    name, acting = row["present_phenotype"], row["acting"] or row["because"]
    return Observation("ST", _own("present-phenotype", "Phenotype today, with the other medicines"), escape(name or ""),
                       status=FINAL if name else NOTHING, notes=tuple(acting))


def _medicine(row: View) -> Iterator[Observation]:
    flag = "A" if row["cautions"] and row["action"] == "standard" else FLAGS.get(row["action"], "")
    answer = usage(row["action"], row["dose_factor"])
    word = _coded(*answer, "LN") if answer else f"^{escape(ACTION_WORDS[row['action']])}"
    cautions = [f"Caution: {one['text'] or one['code']}" for one in row["cautions"]]
    cited = [", ".join(part for part in (one["source"], one["citation"]) if part) for one in row["evidence"]]
    open_ = row["action"] == "not-assessed"
    yield Observation("CWE", _code(MEDICATION), _drug(row["drug"]))
    yield Observation("CWE", _code(SUGGESTION_TYPE), "" if open_ else word, flag=flag,
                      status=NOTHING if open_ else FINAL)
    yield Observation("TX", _code(SUGGESTION), narrative(f"{row['text']} ({row['urgency']}, {row['strength']})"),
                      flag=flag, notes=tuple(part for part in (
                          row["why"] or "", *cautions, _prefixed("Alternatives: ", alternatives(row)),
                          _prefixed("Unknown: ", ", ".join(row["unknown"])),
                          _prefixed("Sources: ", "; ".join(cited))) if part))


def _number(row: View) -> Iterator[Observation]:
    known = row["status"] == "assessed" and row["value"] is not None
    yield Observation("NM", _own(row["target"], row["title"]), _decimal(row["value"]) if known else "",
                      unit="" if row["unit"] == "1" else row["unit"], status=FINAL if known else NOTHING,
                      notes=(f"{row['predictor']}: {shown(row)}",))


def _drug(ingredient: str) -> str:
    """RxNorm, else ATC, else the name alone."""
    known = drug_codings(ingredient)
    if not known:
        return f"^{escape(ingredient)}"
    return _coded(known[0]["code"], ingredient, "RXNORM" if known[0]["system"] == RXNORM else "ATC")


def _notes(texts: Iterable[str]) -> Iterator[str]:
    return (f"NTE|{number}|L|{narrative(text)}" for number, text in enumerate(texts, start=1))


def _prefixed(prefix: str, text: str) -> str:
    return f"{prefix}{text}" if text else ""


def _code(code: tuple[str, str]) -> str:
    return _coded(*code, "LN")


def _own(code: str, words: str) -> str:
    return _coded(code, words, LOCAL)


def _coded(code: str, words: str, system: str) -> str:
    return "^".join(map(escape, (code, words, system)))


def _decimal(value: float) -> str:
    """A number as NM has it: digits, sign and point, no exponent."""
    text = f"{value:.6f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _time(text: str | None) -> str:
    """An ISO date or time as HL7 writes it: ``2026-02-09T10:00:00+00:00`` is ``20260209100000+0000``."""
    date, _, clock = (text or "").partition("T")
    found = re.match(r"(\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:([+-]\d\d):(\d\d)|Z)?", clock)
    zone = "" if not found else f"{found[4]}{found[5]}" if found[4] else "+0000" if clock.endswith("Z") else ""
    return date.replace("-", "") + ("".join(found.group(1, 2, 3)) + zone if found else "")
