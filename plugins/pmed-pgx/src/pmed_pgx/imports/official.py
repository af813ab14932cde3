"""A release from CPIC's tables alone: allele, variant, gene, diplotype and equation ``-table.csv``."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pmed.errors import InputError

from . import cpic
from .builds import Positions37
from .merging import Variant, under_one_ref
from .pharmcat import LISTS, TOXICITY
from .schema import Row, empty

# CPIC's word for a missing field.
NONE = "N/A"
Record = Mapping[str, str]


@dataclass(frozen=True)
class Defined:
    """The alleles of one gene with a definition: chromosome, and allele → its variants against GRCh38."""

    gene: str
    chrom: str
    reference: str
    alleles: Mapping[str, tuple[Variant, ...]]
    records: Mapping[str, Record]

    def sites(self) -> dict[tuple[int, str], list[str]]:
        """(position, REF) → ALTs, in order."""
        found: dict[tuple[int, str], list[str]] = {}
        for pos, ref, alt in sorted({one for variants in self.alleles.values() for one in variants}):
            found.setdefault((pos, ref), []).append(alt)
        return found


def build(folder: Path) -> dict[str, list[Row]]:
    """All rows of the release.

    Raises:
        InputError: where a table is missing, or is not arranged as CPIC's are.
    """
    made = empty()
    try:
        positions = Positions37.read(folder / "variant-table.csv")
        names = {one["GRCh38Name"]: one["rsID"] for one in _records(folder / "variant-table.csv")}
        for gene in _records(folder / "gene-table.csv"):
            if gene["Target"] == "TRUE" and (found := _defined(folder, gene)) is not None:
                _add(made, folder, found, names, positions)
    except OSError as error:
        raise InputError("no such file", where=str(error.filename),
                         hint="give the folder with CPIC's *-table.csv files") from error
    except (KeyError, ValueError) as error:
        raise InputError(f"not CPIC's tables: {type(error).__name__} {error}", where=str(folder)) from error
    made["genes"].sort()
    return made


def _records(path: Path) -> Iterator[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def _defined(folder: Path, gene: Record) -> Defined | None:
    """The gene's defined alleles; None for a gene without variants."""
    rows = {row["StarAllele"]: row for row in cpic.rows(folder, "allele", gene["Gene"])}
    variants = {name: [one.split("-") for one in row["GRCh38Core"].split(",")] for name, row in rows.items()
                if row["GRCh38Core"] != NONE and row["SV"] == "FALSE"}
    reference, chroms = gene["GRCh38Default"], {one[0] for found in variants.values() for one in found}
    if reference not in rows or reference in variants or len(chroms) != 1:
        return None
    alleles = {name: tuple((int(pos), ref, alt) for _, pos, ref, alt in found) for name, found in variants.items()}
    one = under_one_ref(variant for found in alleles.values() for variant in found)
    merged = {name: tuple(one[variant] for variant in found) for name, found in alleles.items()}
    return Defined(gene["Gene"], f"chr{chroms.pop()}", reference, {reference: (), **merged}, rows)


def _add(made: dict[str, list[Row]], folder: Path, found: Defined, names: Mapping[str, str],
         positions: Positions37) -> None:
    gene, sites = found.gene, found.sites()
    label = _labels(found, names)
    made["genes"].append((gene, found.chrom, {"chrX": "X", "chrM": "MT"}.get(found.chrom, "autosome"),
                          "variants" if gene in LISTS else "diplotype",
                          "reference" if gene in TOXICITY else "refuse", found.reference, cpic.SOURCE))
    for (pos, ref), alts in sites.items():
        variant = {"position": pos, "ref": ref, "alts": alts, "rsid": label[pos, ref]}
        pos37, ref37 = (None, None) if found.chrom == "chrM" else positions.of(gene, variant)
        made["sites"].append((gene, label[pos, ref], "defining", pos, ref, "|".join(alts), pos37, ref37, cpic.SOURCE))
    known = cpic.functions(folder, gene)
    for name in dict.fromkeys([*found.alleles, *found.records]):
        if name != cpic.HEMIZYGOUS:
            function, activity, _ = known.get(name, (None, None, ""))
            made["alleles"].append((gene, name, name, function, activity, 0, cpic.SOURCE))
    for name, variants in found.alleles.items():
        carried = {(pos, ref): alt for pos, ref, alt in variants}
        made["definitions"] += [(gene, name, label[site], carried.get(site, site[1])) for site in sites
                                if site in carried or name == found.reference]
    made["phenotypes"] += _rules(folder, gene, known)


def _labels(found: Defined, names: Mapping[str, str]) -> dict[tuple[int, str], str]:
    """(position, REF) → rsID where the variant table has one that no other site has, else place and change."""
    label: dict[tuple[int, str], str] = {}
    for (pos, ref), alts in found.sites().items():
        given = names.get(f"{found.chrom.removeprefix('chr')}-{pos}-{ref}-{alts[0]}", NONE)
        unique = given != NONE and given not in label.values()
        label[pos, ref] = given if unique else f"{found.chrom}:{pos}{ref}>{','.join(alts)}"
    return label


def _rules(folder: Path, gene: str, known: cpic.Known) -> list[Row]:
    if cpic.rows(folder, "equation", gene):
        values = {f"{float(activity):g}" for _, activity, _ in known.values() if activity is not None}
        unscored = any(activity is None for _, activity, _ in known.values())
        return [row for row in cpic.score_rules(folder, gene, values) if unscored or "n/a" not in row]
    return cpic.pair_rules(folder, gene, known) if known else []
