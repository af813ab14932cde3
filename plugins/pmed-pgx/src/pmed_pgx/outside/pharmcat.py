"""PharmCAT's outside calls: gene, diplotype, phenotype and activity score with tabs between them, without a header."""

from __future__ import annotations

import math
from pathlib import Path

from pmed.errors import InputError

from .model import OutsideCall, number, said
from .structural import phenotypes

TOOL = "PharmCAT TSV"
GENE, DIPLOTYPE, PHENOTYPE, SCORE = range(4)


def matches(_: Path, __: str) -> bool:
    """Every text that no other format knows is read as this one, so that its faults are told line by line."""
    return True


def read(path: Path, text: str) -> list[OutsideCall]:
    """The calls; lines that begin with # are comments, several lines of a gene are several possible results.

    Raises:
        InputError: for a line that is no such call, and a file without any.
    """
    lines = [(n, line) for n, line in enumerate(text.split("\n"), 1) if line.strip() and not line.startswith("#")]
    if not lines:
        raise InputError("holds no outside call", where=str(path), hint="a line is: gene, tab, diplotype")
    return [_call(f"{path} line {n}", n, line) for n, line in lines]


def _call(where: str, n: int, line: str) -> OutsideCall:
    fields = [field.strip() for field in line.split("\t")]
    if len(fields) == 1:
        raise InputError(f"no tab in {line[:40]!r}", where=where,
                         hint="expected gene, diplotype, phenotype and activity score with tabs between them")
    gene, diplotype, phenotype, score = (fields + [""] * 3)[:4]
    if not gene:
        raise InputError("there is no gene in the first field", where=where)
    if not (diplotype or phenotype or score):
        raise InputError(f"{gene} has neither diplotype nor phenotype nor activity score", where=where)
    least, opened = _score(score, where)
    named = _phenotype(phenotype)
    if not opened or least is None:
        return OutsideCall(None, gene, said(diplotype), named, least, TOOL, n)
    follows = phenotypes(gene, least, math.inf)
    named = named or (follows[0] if len(follows) == 1 else None)
    note = f"an activity score of {least:g} or more is given"
    return OutsideCall(None, gene, said(diplotype), named, None, TOOL, n, note)


def _phenotype(text: str) -> str | None:
    """As given; that a tool called it indeterminate is a result of its own."""
    return "Indeterminate" if text.lower() == "indeterminate" else said(text)


def _score(text: str, where: str) -> tuple[float | None, bool]:
    """The score, and whether it is only the least possible one (``≥3.0``)."""
    plain = text.removeprefix("≥").removeprefix(">=").strip()
    value = number(plain)
    if said(plain) is not None and (value is None or value < 0):
        raise InputError(f"activity score must be a number from 0. Got {text!r}", where=where)
    return value, plain != text
