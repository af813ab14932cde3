"""StellarPGx: its ``.alleles`` text, one gene of one sample, in sections with a heading each."""

from __future__ import annotations

import re
from pathlib import Path

from .model import OutsideCall, number, said

TOOL = "StellarPGx"
TITLE = re.compile(r"^\s*(?P<gene>[A-Za-z0-9-]+) Star Allele Calling with (?:StellarPGx|CypGen)\s*$", re.MULTILINE)
# The file's name where the text names no sample: SIM001_2d6.alleles, NA12878_cyp2c19.alleles
_NAMED = re.compile(r"(?P<sample>.+)_[A-Za-z0-9-]+\.alleles")


def matches(text: str) -> bool:
    """By its title."""
    return bool(TITLE.search(text[:10_000]))


def read(path: Path, text: str) -> list[OutsideCall]:
    """The result of each gene in the text; ``[*1/*4] or [*2/*10]`` are both possible."""
    titles = list(TITLE.finditer(text))
    ends = [*(title.start() for title in titles[1:]), len(text)]
    return [call for title, end in zip(titles, ends, strict=True) for call in _calls(path, text, title, end)]


def _calls(path: Path, text: str, title: re.Match[str], end: int) -> list[OutsideCall]:
    part = text[title.end():end]
    result, line = _below(part, "Result"), text[:title.end()].count("\n") + 1
    sample = re.search(r"^Sample ID:[ \t]*(\S+)", part, re.MULTILINE)
    found = [one.strip(" []'\"") for one in re.split(r"\s+or\s+|;", result or "")]
    genotypes = [one for one in found if re.match(r"[*\[]", one)]
    score = number(_below(part, "Activity score")) if len(genotypes) == 1 else None
    phenotype = said(re.sub(r"\s*\(\w+\)$", "", _below(part, "Metaboliser status") or "")) if genotypes else None
    note = f"StellarPGx says: {result}" if result and not genotypes else ""
    return [OutsideCall(sample[1] if sample else _from_name(path), title["gene"].upper(), one,
                        phenotype if len(genotypes) == 1 else None, score, TOOL, line, note)
            for one in genotypes or [None]]


def _below(part: str, heading: str) -> str | None:
    """The first line with text under (or beside) a heading."""
    found = re.search(rf"^{heading}:[ \t]*\n*[ \t]*(?P<value>[^\n]*\S)", part, re.MULTILINE)
    return found["value"] if found and not found["value"].endswith(":") else None


def _from_name(path: Path) -> str | None:
    named = _NAMED.fullmatch(path.name)
    return named["sample"] if named else None
