"""Positions on GRCh37, from CPIC's published variant table."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Key = tuple[object, ...]
Place = tuple[str, str]
ENOUGH, REACH = 5, 50_000
# Sites outside the stretch that the table covers: GRCh37 position by gene and GRCh38 position (dbSNP).
EXTRA = {("CYP2C9", 94645745): 96405502}  # rs12777823


@dataclass(frozen=True)
class Positions37:
    """Where published: position and REF on GRCh37.

    `placed` is by gene, GRCh38 position and REF. `indels` is (gene, rsID, change) → (GRCh38 position, GRCh37 position),
    only where both builds have one REF: such a row may write the indel at another place of its repeat than the
    definition does (rs1304490498).
    """

    placed: dict[Key, Place]
    indels: dict[Key, Place]
    offsets: dict[str, list[tuple[int, int]]]

    @classmethod
    def read(cls, path: Path) -> Positions37:
        """Read ``variant-table.csv``."""
        with path.open(newline="", encoding="utf-8") as file:
            rows = [row for row in csv.DictReader(file)
                    if row["GRCh37Position"].isdigit() and row["GRCh38Position"].isdigit()]
        placed: dict[Key, Place] = {(row["Gene"], int(row["GRCh38Position"]), row["GRCh38Allele"]):
                                    (row["GRCh37Position"], row["GRCh37Allele"]) for row in rows}
        indels: dict[Key, Place] = {(row["Gene"], row["rsID"], change): (row["GRCh38Position"], row["GRCh37Position"])
                                    for row in rows if row["GRCh37Allele"] == row["GRCh38Allele"]
                                    and (change := moved_change(row["GRCh38Allele"], row["Variant"]))[0]}
        return cls(placed, indels, _offsets(rows))

    @classmethod
    def of_release(cls, sites: Iterable[tuple[str, str, str, str | None, str | None]]) -> Positions37:
        """From the sites of a release: (gene, position, REF, position and REF on GRCh37)."""
        placed: dict[Key, Place] = {(gene, int(pos), ref): (pos37, ref37) for gene, pos, ref, pos37, ref37 in sites
                                    if pos37 and ref37}
        return cls(placed, {}, {})

    def of(self, gene: str, variant: dict[str, Any]) -> tuple[str | None, str | None]:
        """GRCh37 position and REF of a defining variant; None where they are not published."""
        ref, alts = variant["ref"], variant["alts"]
        if found := self.placed.get((gene, variant["position"], ref)):
            return found
        if len(alts) == 1 and (moved := self.indels.get((gene, variant["rsid"], moved_change(ref, alts[0])))):
            return str(variant["position"] + int(moved[1]) - int(moved[0])), ref
        between = self._between(gene, variant["position"])
        return (str(variant["position"] + between), ref) if between is not None else (None, None)

    def _between(self, gene: str, pos: int) -> int | None:
        """GRCh37 minus GRCh38, where the nearest published sites on both sides agree on it.

        Two assemblies that have one offset at both ends of a stretch have the same length of it between them. Beyond
        the outermost published site the offset holds on for `REACH` where all of the gene's sites have it. The reader
        refuses a record whose REF is another base.
        """
        if rsid := EXTRA.get((gene, pos)):
            return rsid - pos
        placed = self.offsets.get(gene, [])
        below, above = [one for one in placed if one[0] < pos][-1:], [one for one in placed if one[0] > pos][:1]
        if below and above:
            return below[0][1] if below[0][1] == above[0][1] else None
        one = len(placed) >= ENOUGH and len({offset for _, offset in placed}) == 1
        near = [offset for place, offset in below + above if abs(place - pos) <= REACH]
        return near[0] if one and near else None


def _offsets(rows: list[dict[str, str]]) -> dict[str, list[tuple[int, int]]]:
    """Gene → (GRCh38 position, GRCh37 minus GRCh38) of single bases, in order."""
    found: dict[str, list[tuple[int, int]]] = {}
    for row in sorted(rows, key=lambda row: int(row["GRCh38Position"])):
        if len(row["GRCh38Allele"]) == len(row["Variant"]) == 1:
            pos = int(row["GRCh38Position"])
            found.setdefault(row["Gene"], []).append((pos, int(row["GRCh37Position"]) - pos))
    return found


def moved_change(ref: str, alt: str) -> tuple[int, str]:
    """Length and bases of an insertion or deletion, the same wherever in its repeat it is written; (0, "") else.

    >>> moved_change("CAATGGAAAGA", "C") == moved_change("GAAAGAAATGG", "G") != moved_change("C", "CAATGGAAAGA")
    True
    """
    bases = max(ref, alt, key=len)[1:]
    if ref[0] != alt[0] or len(ref) == len(alt) or min(len(ref), len(alt)) > 1:
        return 0, ""
    return len(alt) - len(ref), min(bases[i:] + bases[:i] for i in range(len(bases)))
