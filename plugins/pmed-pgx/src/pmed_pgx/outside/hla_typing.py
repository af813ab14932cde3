"""HLA typing of sequence reads: OptiType's result table and HLA-HD's final result; HLA-A and HLA-B are kept."""

from __future__ import annotations

import re
from pathlib import Path

from pmed.errors import InputError

from .model import OutsideCall, from_name, number, said

OPTITYPE, HLA_HD = "OptiType", "HLA-HD"
_COLUMNS = {"A1", "A2", "B1", "B2"}
# Gene, then pairs of alleles: HLA-A*02:01:01, Not typed, or - for the same allele twice.
_HLA_HD_LINE = re.compile(r"[A-Z][A-Z0-9]*(?:\t(?:HLA-[A-Z0-9]+\*[0-9:]+[A-Z]?|-|Not typed))+")
_LOST, _KEPT = "Couldn't read result file", ("A", "B")


def is_optitype(_: Path, text: str) -> bool:
    """By the columns of its header."""
    return set(text.partition("\n")[0].split("\t")) >= _COLUMNS


def read_optitype(path: Path, text: str) -> list[OutsideCall]:
    """The solutions of the highest objective; others, which ``-e`` asks for, fit less. The sample is the file's name.

    Raises:
        InputError: where there is no solution or a row is cut off.
    """
    names, *rows = [line.split("\t") for line in text.rstrip().split("\n")]
    if not rows or any(len(row) != len(names) for row in rows):
        raise InputError("OptiType's table has no whole row", where=f"{path} line 2", hint="is the file cut off?")
    found = [(n, dict(zip(names, row, strict=True))) for n, row in enumerate(rows, 2)]
    fits = [number(row.get("Objective")) or 0.0 for _, row in found]
    sample = from_name(path, "_result.tsv")
    return [_call(sample, locus, [row[f"{locus}1"], row[f"{locus}2"]], OPTITYPE, n) for locus in _KEPT
            for (n, row), fit in zip(found, fits, strict=True) if fit == max(fits)]


def is_hla_hd(_: Path, text: str) -> bool:
    """By its lines, all of one form but for the message of a locus whose file was lost."""
    lines = [line.rstrip() for line in text.split("\n") if line.strip() and not line.startswith(_LOST)]
    return bool(lines) and all(map(_HLA_HD_LINE.fullmatch, lines))


def read_hla_hd(path: Path, text: str) -> list[OutsideCall]:
    """The alleles; more than one pair of a gene are several possible results. The sample is the file's name.

    Raises:
        InputError: for a line with an odd number of alleles.
    """
    calls, sample = list[OutsideCall](), from_name(path, "_final.result.txt")
    for n, line in enumerate(text.split("\n"), 1):
        locus, *alleles = line.rstrip().split("\t")
        if locus in _KEPT and len(alleles) % 2:
            raise InputError(f"{len(alleles)} alleles of {locus}, where pairs are expected", where=f"{path} line {n}",
                             hint="is the file cut off?")
        if locus in _KEPT:
            calls += [_call(sample, locus, [one, one if two == "-" else two], HLA_HD, n)
                      for one, two in zip(alleles[::2], alleles[1::2], strict=True)]
    return calls


def _call(sample: str | None, locus: str, alleles: list[str], tool: str, n: int) -> OutsideCall:
    named = [said(allele) for allele in alleles]
    diplotype = "/".join(one for one in named if one) or None
    return OutsideCall(sample, f"HLA-{locus}", diplotype, None, None, tool, n)
