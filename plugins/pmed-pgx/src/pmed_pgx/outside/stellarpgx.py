"""StellarPGx: its ``.alleles`` text (one gene of one sample, in sections with a heading each) and ``*_summary.txt``.

A result in brackets, ``[*1/*31]``, is the likely background of an allele that is not known: no call.
"""

from __future__ import annotations

import re
from pathlib import Path

from pmed.errors import InputError

from ..knowledge import genes
from .model import OutsideCall, number, said

TOOL = "StellarPGx"
_NO_CALL: tuple[None] = (None,)
TITLE = re.compile(r"^\s*(?P<gene>[A-Za-z0-9-]+) Star Allele Calling with (?:StellarPGx|CypGen)\s*$", re.MULTILINE)
_SUMMARY_LINE = re.compile(r"[^\t#]+\t(?:\[?\*\S+/\*\S+\]?|No[ _]call\b[^\t]*|Possible novel\b[^\t]*)(?:\t[^\t]*)*")
# The file's name where the text names no sample: SIM001_2d6.alleles, NA12878_cyp2c19.alleles
_NAMED = re.compile(r"(?P<sample>.+)_[A-Za-z0-9-]+\.alleles")


def matches(_: Path, text: str) -> bool:
    """By its title."""
    return bool(TITLE.search(text[:10_000]))


def read(path: Path, text: str) -> list[OutsideCall]:
    """The result of each gene in the text; of ``*1/*4 or *2/*10`` both are possible."""
    titles = list(TITLE.finditer(text))
    ends = [*(title.start() for title in titles[1:]), len(text)]
    return [call for title, end in zip(titles, ends, strict=True) for call in _calls(path, text, title, end)]


def _calls(path: Path, text: str, title: re.Match[str], end: int) -> list[OutsideCall]:
    part = text[title.end():end]
    result, line = _below(part, "Result"), text[:title.end()].count("\n") + 1
    sample = re.search(r"^Sample ID:[ \t]*(\S+)", part, re.MULTILINE)
    genotypes = _sure(result or "")
    score = number(_below(part, "Activity score")) if len(genotypes) == 1 else None
    phenotype = said(re.sub(r"\s*\(\w+\)$", "", _below(part, "Metaboliser status") or "")) if genotypes else None
    note = f"StellarPGx says: {result}" if result and not genotypes else ""
    return [OutsideCall(sample[1] if sample else _from_name(path), title["gene"].upper(), one,
                        phenotype if len(genotypes) == 1 else None, score, TOOL, line, note)
            for one in genotypes or _NO_CALL]


def _sure(result: str) -> list[str]:
    """The diplotypes of a result; none where it is words, or in brackets."""
    found = [one.strip() for one in re.split(r"\s+or\s+|;", result)]
    return found if all(re.fullmatch(r"\*[^\s/\[]+/\*[^\s/\[]+", one) for one in found) else []


def is_summary(path: Path, text: str) -> bool:
    """By the name ``*_summary.txt``, and lines that are a sample and a result, with a remark behind it at most."""
    lines = [line for line in text.split("\n") if line.strip()]
    return path.name.endswith("_summary.txt") and bool(lines) and all(map(_SUMMARY_LINE.fullmatch, lines))


def read_summary(path: Path, text: str) -> list[OutsideCall]:
    """One call a sample; what StellarPGx remarks upon is no call.

    Raises:
        InputError: where neither the file's name nor its folders' names say which gene it is.
    """
    words = {word for part in path.parts for word in re.split(r"[^A-Z0-9-]+", part.upper())}
    found = sorted(words & genes().keys())
    if len(found) != 1:
        raise InputError("does not say which gene it is about", where=str(path),
                         hint="name the file after the gene, such as cyp2d6_summary.txt")
    rows = [(n, line.split("\t")) for n, line in enumerate(text.split("\n"), 1) if line.strip()]
    return [call for n, (sample, result, *more) in rows
            for call in _summed(sample.strip(), found[0], result.strip(), " ".join(more).strip(), n)]


def _summed(sample: str, gene: str, result: str, remark: str, n: int) -> list[OutsideCall]:
    genotypes = [] if remark else _sure(result)
    note = "" if genotypes else f"StellarPGx says: {result} {remark}".strip()
    return [OutsideCall(sample, gene, one, None, None, TOOL, n, note) for one in genotypes or _NO_CALL]


def _below(part: str, heading: str) -> str | None:
    """The first line with text under (or beside) a heading."""
    found = re.search(rf"^{heading}:[ \t]*\n*[ \t]*(?P<value>[^\n]*\S)", part, re.MULTILINE)
    return found["value"] if found and not found["value"].endswith(":") else None


def _from_name(path: Path) -> str | None:
    named = _NAMED.fullmatch(path.name)
    return named["sample"] if named else None
