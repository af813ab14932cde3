"""One patient on one page, to paste into a chart: as plain text and as Markdown, with the same words.

What to do comes first, then the medicines, genes and numbers that could be assessed, then what could not be. Lists that
would fill a page are cut, and say by how much. Characters that turn the direction of writing, and control characters,
are shown by their code: in a chart nobody would see them at work.
"""

from __future__ import annotations

import re
import textwrap
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ..errors import ResultError
from ..provenance import DISCLAIMER
from ..result import Result
from .facts import (
    ACTION_WORDS,
    assumed,
    diplotype,
    nothing_to_do,
    of_this_patient,
    others,
    plain_spaces,
    shown,
    sources,
    to_do,
)
from .gaps import uncovered
from .view import View, general_issues, patient_views
from .words import first_sentence

WIDTH = 78
MOST_TO_DO, MOST_MEDICINES, MOST_NAMES, MOST_SOURCES = 6, 10, 24, 8
MORE = "[… see the report]"
LONGEST = 360  # characters of one item; advice is two or three lines
VERBS = {"avoid": "avoid", "alternative": "replace", "adjust": "adjust", "monitor": "monitor",
         "test": "test before using"}
GAPS = {"input": "Inputs", "medicine": "Current medicines", "gene": "Genes",
        "prediction": "Risks and doses"}
# Control characters, and those that turn the direction of writing (Unicode Bidirectional Algorithm, UAX 9).
_HIDDEN = re.compile(r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~&!@$])")
_LINK = re.compile(r"(?i)://|\bwww\.|\b(?:mailto|xmpp):")
_START = re.compile(r"^(\d{1,9})([.)])|^([-+=])")


@dataclass(frozen=True)
class Item:
    """One line of a section: a few words to catch the eye, and the rest."""

    lead: str
    text: str = ""


@dataclass(frozen=True)
class Section:
    """A heading and its lines."""

    heading: str
    items: list[Item]


@dataclass(frozen=True)
class MarkdownExporter:
    """One patient on one page as Markdown, to paste into a chart."""

    name: ClassVar[str] = "markdown"
    suffix: ClassVar[str] = ".md"

    def export(self, result: Result) -> bytes:
        """UTF-8 text.

        Raises:
            ResultError: where the result is not about exactly one patient.
        """
        first, *rest = summary(result)
        head = [f"# {markdown(first.heading)}", *(markdown(item.text) + "  " for item in first.items)]
        parts = ["\n".join(head).rstrip(), *("\n".join([f"## {markdown(one.heading)}", "", *map(_bullet, one.items)])
                                             for one in rest), markdown(_disclaimer(result))]
        return ("\n\n".join(parts) + "\n").encode()


@dataclass(frozen=True)
class TextExporter:
    """One patient on one page as plain text of 78 columns, to paste into a chart."""

    name: ClassVar[str] = "text"
    suffix: ClassVar[str] = ".txt"

    def export(self, result: Result) -> bytes:
        """UTF-8 text.

        Raises:
            ResultError: where the result is not about exactly one patient.
        """
        first, *rest = summary(result)
        parts = [[*_wrapped(first.heading.upper()), *(line for item in first.items for line in _wrapped(item.text))],
                 *([one.heading.upper(), *(line for item in one.items for line in _wrapped(_joined(item), "- "))]
                   for one in rest), _wrapped(_disclaimer(result))]
        return ("\n\n".join("\n".join(part) for part in parts) + "\n").encode()


def summary(result: Result) -> list[Section]:
    """The sections of the page; the first is the head, whose items have no lead.

    Raises:
        ResultError: where the result is not about exactly one patient.
    """
    views = patient_views(result)
    if len(views) != 1:
        raise ResultError(f"the summary is for one patient; this result has {len(views)}",
                          hint="choose one with result.for_patient(patient_id)")
    view, about = views[0], result.provenance
    numbers = others(view, about)
    sections = [_head(view), Section("To do", _tasks(view)), Section("Asked for", _asked(view)),
                Section("Other current medicines", _medicines(view)),
                Section("Genes", _genes(view)), Section("Risks and doses", _numbers(of_this_patient(numbers, view))),
                Section("Not assessed", _gaps(view, numbers, general_issues(result))),
                Section("Sources", _sources(view, about))]
    return [sections[0], *(one for one in sections[1:] if one.items)]


def readable(text: str) -> str:
    r"""Text on one line, hidden characters by their code.

    >>> readable("a\u202eb\n c")
    'a[U+202E]b c'
    """
    return " ".join(_HIDDEN.sub(lambda found: f"[U+{ord(found[0]):04X}]", plain_spaces(text)).split())


def markdown(text: str) -> str:
    r"""Text as Markdown that says the same: no emphasis, links, images, tables or HTML of its own.

    >>> markdown("*2/*2 <b> 1 | 2")
    '\\*2/\\*2 \\<b\\> 1 \\| 2'
    """
    escaped = _MARKUP.sub(r"\\\1", readable(text))
    unlinked = _LINK.sub(lambda found: f"{found[0][:-1]}\\{found[0][-1]}", escaped)
    return _START.sub(lambda found: f"{found[1] or ''}\\{found[2] or found[3]}", unlinked)


def _head(view: View) -> Section:
    record = view["record"]
    known = [f"Patient {view['patient_id']}"]
    if record:
        born = f"born {record['birth_date']}" if record["birth_date"] else "birth date unknown"
        age = f"{record['age']} years" if record["age"] is not None else "age unknown"
        known += [record["sex"] or "sex unknown", born, age, f"as of {record['index_date'] or 'an unknown day'}"]
    genomes = [f"{one['sample']} ({one['build']})" for one in view["samples"]]
    warned = [Item("", f"PLEASE CONFIRM: {one['text']}.") for one in view["notices"]]
    return Section("Medication and genome summary", [
        Item("", ", ".join(known)), Item("", f"Genome: {', '.join(genomes)}" if genomes else "Genome: none given"),
        *warned])


def _tasks(view: View) -> list[Item]:
    rows = to_do(view)
    if not rows:
        return [Item("", nothing_to_do(view))]
    items = [Item(f"{row['urgency']}: {VERBS.get(row['action'], 'mind')} {row['drug']}", _advice(row)) for row in rows]
    return _first(items, MOST_TO_DO)


def _asked(view: View) -> list[Item]:
    """Medicines that were asked about and are not taken; of those nobody speaks of, why not."""
    rows = [row for row in view["suggestions"] if row["drug"] in view["asked"] and not row["current"]]
    verbs = [VERBS.get(row["action"], f"{ACTION_WORDS[row['action']].lower()},") for row in rows]
    answers = [Item(f"{verb} {row['drug']}", _advice(row)) for verb, row in zip(verbs, rows, strict=True)]
    return [*answers, *(Item(f"not covered: {gap['what']}", f"{gap['reason']}.") for gap in view["not_assessed"]
                        if gap["kind"] == "drug")]


def _advice(row: View) -> str:
    """The first sentence, what fits instead, and the cautions for which there is room; it says where there is more."""
    first, whole = first_sentence(row["text"]), row["text"].strip()
    fitting = [one["drug"] for one in row["alternatives"] if one["status"] == "fits"]
    said = _short(first) + (f" {MORE}" if first != whole and len(readable(first)) <= LONGEST else "")
    parts = [said, *([f"Fits: {', '.join(fitting)}."] if fitting else [])]
    cautions = [f"Caution: {(one['text'] or one['code']).rstrip('.')}." for one in row["cautions"]]
    while cautions and len(" ".join([*parts, cautions[0]])) <= LONGEST:
        parts.append(cautions.pop(0))
    return " ".join([*parts, *([f"Cautions in the report: {len(cautions)}."] if cautions else [])])


def _medicines(view: View) -> list[Item]:
    """Medicines without anything to do, and those of which nothing is known here."""
    told = {row["drug"] for row in to_do(view)}
    rows = [row for row in view["suggestions"] if row["current"] and row["drug"] not in told]
    silent = [Item(row["display"] or row["code"] or "medicine without a name", f"not assessed: {reason}")
              for row, reason in uncovered(view)]
    items = [Item(row["drug"], ACTION_WORDS[row["action"]].lower()) for row in rows]
    return _first([*items, *silent], MOST_MEDICINES)


def _genes(view: View) -> list[Item]:
    """Settled genes, and those whose phenotype of today is known, in one paragraph."""
    found = [(gene, row) for gene, row in view["genes"].items()
             if diplotype(row) or row["phenotype"] or row["present_phenotype"]]
    words = [_gene(gene, row) for gene, row in found]
    return [Item("", _names(words, "; "))] if words else []


def _gene(gene: str, row: View) -> str:
    parts = [row["phenotype"] or "phenotype unknown"]
    if row["present_phenotype"] != row["phenotype"]:
        why = ", ".join(row["acting"] or row["because"])
        parts.append(f"today {row['present_phenotype'] or 'unknown'}{f' because of {why}' if why else ''}")
    if assumed(row):
        parts.append("ASSUMED from absent sites")
    return f"{gene} {diplotype(row) or 'diplotype not settled'} ({', '.join(parts)})"


def _numbers(rows: list[View]) -> list[Item]:
    words = [f"{row['title']}: {shown(row)}" for row in rows if row["status"] == "assessed"]
    return [Item("", _names(words, "; "))] if words else []


def _gaps(view: View, numbers: list[View], general: list[View]) -> list[Item]:
    """Names by kind; the reasons are in the report."""
    names: dict[str, list[str]] = defaultdict(list)
    titles = {row["target"]: row["title"] for row in numbers}
    for gap in view["not_assessed"]:
        if gap["kind"] in GAPS and (gap["kind"] != "prediction" or gap["what"] in titles):
            names[gap["kind"]].append(titles[gap["what"]] if gap["kind"] == "prediction" else gap["what"])
    items = [Item(words, _names(names[kind], ", ")) for kind, words in GAPS.items() if names[kind]]
    assumed = sum(row["assumed_reference_sites"] for row in view["samples"])
    if assumed:
        items.append(Item("Assumed", f"{assumed} sites that are not in the genome file were taken as reference"))
    failed = list(dict.fromkeys(one["plugin"] for one in view["failures"]))
    if failed:
        items.append(Item("Failed", f"{_names(failed, ', ')}; their results are missing"))
    faulty = [one for one in [*view["issues"], *general] if one["severity"] in {"error", "warning"}]
    if faulty:
        items.append(Item("Input", f"problems found while reading: {len(faulty)}; the report lists them"))
    return items


def _sources(view: View, provenance: Mapping[str, Any]) -> list[Item]:
    cited = sources(row for row in view["suggestions"] if row["current"] or row["drug"] in view["asked"])
    facts = [f"{one['name']} {one['version']}" for one in provenance.get("knowledge", [])]
    made = f"pmed {provenance.get('pmed', 'of unknown version')}, {provenance.get('created', 'undated')}"
    return [*([Item("", _names(cited, "; ", MOST_SOURCES))] if cited else []),
            Item("Made by", "; ".join([made, *facts]))]


def _disclaimer(result: Result) -> str:
    return str(result.provenance.get("disclaimer") or DISCLAIMER)


def _first(items: list[Item], most: int) -> list[Item]:
    left = len(items) - most
    return items if left <= 0 else [*items[:most], Item(f"and {left} more", "in the full report")]


def _names(names: Iterable[str], separator: str, most: int = MOST_NAMES) -> str:
    known = list(names)
    left = len(known) - most
    return separator.join(known[:most]) + (f"{separator}and {left} more" if left > 0 else "")


def _short(text: str) -> str:
    """The whole text where it is short, else its beginning, which says that it goes on."""
    words = readable(text)
    if len(words) <= LONGEST:
        return words
    return f"{words[:LONGEST].rpartition(' ')[0] or words[:LONGEST]} {MORE}"


def _joined(item: Item) -> str:
    return f"{item.lead}: {item.text}" if item.lead and item.text else item.lead or item.text


def _bullet(item: Item) -> str:
    if not item.lead:
        return f"- {markdown(item.text)}"
    return f"- **{markdown(item.lead)}**" + (f": {markdown(item.text)}" if item.text else "")


def _wrapped(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(readable(text), WIDTH, initial_indent=indent, subsequent_indent=" " * len(indent),
                         break_on_hyphens=False)
