"""Cyrius (and BCyrius, CyriPanel): CYP2D6 of many samples in one table of Sample, Genotype and Filter."""

from __future__ import annotations

from pathlib import Path

from pmed.errors import InputError

from .model import OutsideCall, said

TOOL, GENE = "Cyrius", "CYP2D6"
HEADER = ("Sample", "Genotype", "Filter")
LOW = "LowQ_high_CN"  # the number of copies is less certain, as it is high
PASSED = {"PASS", "More_than_one_possible_genotype", LOW}
SAMPLE, GENOTYPE, FILTER = range(3)


def matches(_: Path, text: str) -> bool:
    """By its header."""
    return tuple(text.partition("\n")[0].split("\t")[:3]) == HEADER


def read(path: Path, text: str) -> list[OutsideCall]:
    """The genotypes; of ``*1/*46;*43/*45`` both are possible. What a filter stops or nobody assigned is no call.

    Raises:
        InputError: for a row with too few fields.
    """
    rows = [(n, line.split("\t")) for n, line in enumerate(text.split("\n"), 1) if line.strip()][1:]
    return [call for n, row in rows for call in _calls(row, n, f"{path} line {n}")]


def _calls(row: list[str], n: int, where: str) -> list[OutsideCall]:
    if len(row) <= FILTER or not row[SAMPLE].strip():
        raise InputError("too few fields for a row of Cyrius", where=where, hint="expected Sample, Genotype, Filter")
    sample, genotype, verdict = row[SAMPLE].strip(), said(row[GENOTYPE]), row[FILTER].strip()
    if genotype is None or verdict not in PASSED or "_" in genotype:
        note = f"Cyrius gives {genotype} with filter {verdict}: not used" if genotype else ""
        return [OutsideCall(sample, GENE, None, None, None, TOOL, n, note)]
    note = f"Cyrius is less sure of this call (filter {LOW})" if verdict == LOW else ""
    options = [one.strip() for one in genotype.split(";") if one.strip()]
    return [OutsideCall(sample, GENE, one, None, None, TOOL, n, note) for one in options]
