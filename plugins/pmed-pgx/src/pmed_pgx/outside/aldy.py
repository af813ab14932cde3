"""Aldy 3 and 4: the ``.aldy`` table, one row a mutation, and the lines that ``--simple`` prints."""

from __future__ import annotations

import re
from pathlib import Path

from pmed.errors import InputError

from .model import OutsideCall, said

TOOL = "Aldy"
HEADER = re.compile(r"^#Sample\s+Gene\s+SolutionID\s+Major\s", re.MULTILINE)
SAMPLE, GENE, SOLUTION, MAJOR = range(4)
# sample, gene, then the diplotypes: what --simple prints has no header to know it by.
_SIMPLE = re.compile(r"^[^\s#][^\t]*\t[A-Z][A-Z0-9-]*\t[^\t]*\*[^\t]*(?:\t.*)?$")


def matches(_: Path, text: str) -> bool:
    """By its header; without one by lines of sample, gene and diplotype."""
    lines = [line for line in text.split("\n") if line.strip() and not line.startswith("#")]
    return bool(HEADER.search(text[:10_000])) or (bool(lines) and all(map(_SIMPLE.match, lines)))


def read(path: Path, text: str) -> list[OutsideCall]:
    """The major star alleles of every solution, once each; several solutions of a gene are several possible diplotypes.

    Raises:
        InputError: for a row with too few fields.
    """
    simple = not HEADER.search(text[:10_000])
    found: dict[tuple[str, str, str], OutsideCall] = {}
    for n, line in enumerate(text.split("\n"), 1):
        if not line.strip() or line.startswith("#"):
            continue
        for call in _calls(line, n, f"{path} line {n}", simple=simple):
            found.setdefault((call.sample or "", call.gene, call.diplotype or ""), call)
    return list(found.values())


def _calls(line: str, n: int, where: str, *, simple: bool) -> list[OutsideCall]:
    fields = [field.strip() for field in line.split("\t")]
    if len(fields) <= (SOLUTION if simple else MAJOR) or not fields[GENE]:
        raise InputError("too few fields for a row of Aldy", where=where, hint="is the file cut off?")
    major = re.split(r"[;\t]", "\t".join(fields[SOLUTION:])) if simple else [fields[MAJOR]]
    return [OutsideCall(said(fields[SAMPLE]), fields[GENE].upper(), _diplotype(one), None, None, TOOL, n)
            for one in major if said(one)]


def _diplotype(text: str) -> str | None:
    return said(re.sub(r"\s*/\s*", "/", text))
