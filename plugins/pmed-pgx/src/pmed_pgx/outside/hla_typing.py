"""HLA typing of sequence reads: OptiType's result table and HLA-HD's final result; HLA-A and HLA-B are kept."""

from __future__ import annotations

import re
from pathlib import Path

from pmed.errors import InputError

from .model import OutsideCall, said

OPTITYPE, HLA_HD = "OptiType", "HLA-HD"
_COLUMNS = {"A1", "A2", "B1", "B2"}
# Gene, then pairs of alleles: HLA-A*02:01:01, Not typed, or - for the same allele twice.
_HLA_HD_LINE = re.compile(r"[A-Z][A-Z0-9]*(?:\t(?:HLA-[A-Z0-9]+\*[0-9:]+[A-Z]?|-|Not typed)){2,}")
_KEPT = ("A", "B")


def is_optitype(text: str) -> bool:
    """By the columns of its header."""
    return set(text.partition("\n")[0].split("\t")) >= _COLUMNS


def read_optitype(path: Path, text: str) -> list[OutsideCall]:
    """The best solution, which is the first row; OptiType names no sample.

    Raises:
        InputError: where there is no solution or a row is cut off.
    """
    lines = [line.split("\t") for line in text.split("\n")]
    if len(lines) < 2 or len(lines[1]) < len(lines[0]):
        raise InputError("OptiType's table has no whole row", where=f"{path} line 2", hint="is the file cut off?")
    row = dict(zip(lines[0], lines[1], strict=False))
    return [_call(locus, [row[f"{locus}1"], row[f"{locus}2"]], OPTITYPE, 2) for locus in _KEPT]


def is_hla_hd(text: str) -> bool:
    """By its lines, all of one form."""
    lines = [line.rstrip() for line in text.split("\n") if line.strip()]
    return bool(lines) and all(map(_HLA_HD_LINE.fullmatch, lines))


def read_hla_hd(_: Path, text: str) -> list[OutsideCall]:
    """The alleles; more than one pair of a gene are several possible results. HLA-HD names no sample."""
    calls = []
    for n, line in enumerate(text.split("\n"), 1):
        locus, *alleles = line.rstrip().split("\t")
        if locus in _KEPT:
            pairs = zip(alleles[::2], [*alleles[1::2], "-"], strict=False)
            calls += [_call(locus, [one, one if two == "-" else two], HLA_HD, n) for one, two in pairs]
    return calls


def _call(locus: str, alleles: list[str], tool: str, n: int) -> OutsideCall:
    named = [said(allele) for allele in alleles]
    diplotype = "/".join(one for one in named if one) or None
    return OutsideCall(None, f"HLA-{locus}", diplotype, None, None, tool, n)
