"""The source of outside calls: files of every format in, the table ``outside_calls`` out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import polars as pl

from pmed.errors import InputError
from pmed.tables import TABLES
from pmed.types import ReadRequest, SourceKind

from ..knowledge import genes
from .model import OutsideCall


@dataclass(frozen=True)
class OutsideCalls:
    """Gene results of PharmCAT's format, Aldy, Cyrius, StellarPGx, PyPGx, OptiType and HLA-HD, known by content."""

    name: ClassVar[str] = "outside-calls"
    kind: ClassVar[SourceKind] = "outside-calls"
    anything: ClassVar[bool] = True

    def matches(self, _: Path) -> bool:
        """Every file: what no other format knows is read as PharmCAT's, so that its faults are told with their line."""
        return True

    def examples(self) -> dict[str, bytes]:
        """A file to be tried on."""
        return {"calls.tsv": f"{next(iter(genes()))}\t*1/*1\n".encode()}

    def read(self, paths: Sequence[Path], _: ReadRequest) -> dict[str, pl.DataFrame]:
        """``outside_calls`` and ``issues``; genes that a tool calls but the release has not are left out and told.

        Raises:
            InputError: for a file that cannot be used, and a gene unknown to the release in PharmCAT's format.
        """
        from .formats import read

        calls = [(path, call) for path in paths for call in read(path)]
        known = [{**vars(call), "file": str(path)} for path, call in calls if _is_known(path, call)]
        others: dict[str, dict[str, OutsideCall]] = {}
        for path, call in calls:
            if call.gene not in genes():
                others.setdefault(str(path), {})[call.gene] = call
        return {"outside_calls": TABLES["outside_calls"].frame(known),
                "issues": TABLES["issues"].frame([_issue(file, found) for file, found in others.items()])}


def _is_known(path: Path, call: OutsideCall) -> bool:
    """Whether the release has the gene; a list written for pmed or PharmCAT names no other on purpose.

    Raises:
        InputError: for such a list.
    """
    from .pharmcat import TOOL

    if call.gene not in genes() and call.tool == TOOL:
        raise InputError(f"{call.gene[:40]!r} is no gene of the release", where=f"{path} line {call.line}",
                         hint=f"there are {', '.join(genes())}")
    return call.gene in genes()


def _issue(file: str, found: dict[str, OutsideCall]) -> dict[str, object]:
    tool = next(iter(found.values())).tool
    return {"file": file, "severity": "info", "code": "gene-not-covered",
            "text": f"calls of {tool} for genes that the release has not were left out: {', '.join(sorted(found))}"}
