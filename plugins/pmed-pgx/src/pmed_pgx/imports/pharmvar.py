"""Allele definitions as PharmVar publishes them: a folder a gene, with ``GRCh38`` (and ``GRCh37``) below it.

Each build has ``<gene>.NC_….haplotypes.tsv`` and one VCF an allele. PharmVar's files hold no function, so the release
calls alleles but knows no phenotype.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pmed.errors import InputError

from .merging import Variant, under_one_ref
from .pharmcat import LISTS, TOXICITY
from .schema import Row, empty

COLUMNS = ("Haplotype Name", "Gene", "rsID", "ReferenceSequence", "Variant Start", "Reference Allele", "Variant Allele")


@dataclass(frozen=True)
class Haplotypes:
    """One gene on one build: chromosome, version, and allele → (variant → rsID or place)."""

    gene: str
    chrom: str
    version: str
    alleles: Mapping[str, Mapping[Variant, str]]

    @property
    def core(self) -> dict[str, Mapping[Variant, str]]:
        """The alleles that are called: those without a suballele's number."""
        return {name: variants for name, variants in self.alleles.items() if "." not in name}


def build(folder: Path) -> dict[str, list[Row]]:
    """All rows of the release.

    Raises:
        InputError: where there are no haplotype files, or one is not as PharmVar's are.
    """
    files = sorted(folder.rglob("GRCh38/*.haplotypes.tsv"))
    if not files:
        raise InputError("no GRCh38/*.haplotypes.tsv below this folder", where=str(folder),
                         hint="unpack PharmVar's download here, a folder a gene")
    made = empty()
    for path in files:
        _add(made, read(path), [read(other) for other in sorted(path.parents[1].glob("GRCh37/*.haplotypes.tsv"))])
    made["genes"].sort()
    return made


def read(path: Path) -> Haplotypes:
    """One ``haplotypes.tsv`` with the VCFs beside it, which say where an insertion or deletion is anchored.

    Raises:
        InputError: with the file and line, where it is not as PharmVar's are.
    """
    lines = path.read_text("utf-8").splitlines()
    skip = next((n for n, line in enumerate(lines) if not line.startswith("#")), len(lines))
    version = next((line.removeprefix("#version=pharmvar-") for line in lines[:skip] if "version=" in line), "")
    rows = csv.DictReader(lines[skip:], delimiter="\t")
    if missing := set(COLUMNS) - set(rows.fieldnames or ()):
        raise InputError(f"no column {sorted(missing)[0]!r}", where=f"{path} line {skip + 1}")
    alleles: dict[str, dict[Variant, str]] = {}
    gene, chrom = "", ""
    for number, row in enumerate(rows, skip + 2):
        gene = row["Gene"]
        variants = alleles.setdefault(row["Haplotype Name"].removeprefix(gene), {})
        if row["ReferenceSequence"] != "REFERENCE" and row["rsID"] != "REFERENCE":
            chrom = _chromosome(row["ReferenceSequence"]) or chrom
            variants.update([_variant(row, path, number)])
    one = under_one_ref(variant for variants in alleles.values() for variant in variants)
    merged = {name: {one[variant]: rsid for variant, rsid in found.items()} for name, found in alleles.items()}
    return Haplotypes(gene, chrom, version or "unknown", merged)


def _variant(row: Mapping[str, str], path: Path, line: int) -> tuple[Variant, str]:
    where = f"{path} line {line}"
    ref, alt, start = row["Reference Allele"], row["Variant Allele"], row["Variant Start"]
    if not start.isdigit():
        raise InputError(f"Variant Start is {start!r}, not a position", where=where)
    found = (int(start), ref, alt)
    if len(ref) != 1 or len(alt) != 1 or "-" in (ref, alt):
        found = _anchored(path.parent, row, where)
    return found, row["rsID"] if row["rsID"].startswith("rs") else f"{found[0]}{found[1]}>{found[2]}"


def _anchored(folder: Path, row: Mapping[str, str], where: str) -> Variant:
    """The insertion or deletion as the allele's own VCF writes it: the record that ends or starts where it does."""
    path = folder / f"{row['Haplotype Name'].replace('*', '_')}.vcf"
    if not path.is_file():
        raise InputError(f"{row['Haplotype Name']} has an insertion or deletion, but no {path.name}", where=where)
    start = int(row["Variant Start"])
    for fields in (line.split("\t") for line in path.read_text("utf-8").splitlines() if not line.startswith("#")):
        if len(fields[3]) != len(fields[4]) and (fields[2] == row["rsID"] or start - 1 <= int(fields[1]) <= start):
            return int(fields[1]), fields[3], fields[4]
    raise InputError(f"{path.name} has no record for {row['rsID']} at {start}", where=where)


def _chromosome(sequence: str) -> str:
    """``NC_000010.11`` → chr10.

    >>> _chromosome("NC_000010.11"), _chromosome("NC_000023.11"), _chromosome("NG_008384.3")
    ('chr10', 'chrX', '')
    """
    found = re.fullmatch(r"NC_0000(\d\d)\.\d+", sequence)
    return "" if not found else "chrX" if found[1] == "23" else f"chr{int(found[1])}"


def _add(made: dict[str, list[Row]], found: Haplotypes, old: Iterable[Haplotypes]) -> None:
    gene, source = found.gene, f"PharmVar {found.version}"
    reference = next((name for name, variants in found.core.items() if not variants), None)
    if reference is None or not found.chrom:
        raise InputError(f"{gene}: no haplotype is the reference sequence itself", where=gene)
    sites = _sites(found)
    made["genes"].append((gene, found.chrom, "X" if found.chrom == "chrX" else "autosome",
                          "variants" if gene in LISTS else "diplotype",
                          "reference" if gene in TOXICITY else "refuse", reference, source))
    placed = {rsid: (pos, ref) for one in old for variants in one.core.values()
              for (pos, ref, _), rsid in variants.items() if rsid.startswith("rs")}
    label = {site: rsids[0] for site, (rsids, _) in sites.items()}
    for (pos, ref), (rsids, alts) in sites.items():
        made["sites"].append((gene, rsids[0], "defining", pos, ref, "|".join(alts), *placed.get(rsids[0], (None, None)),
                              source))
    made["alleles"] += [(gene, name, name, None, None, 0, source) for name in found.core]
    for name, variants in found.core.items():
        carried = {(pos, ref): alt for pos, ref, alt in variants}
        made["definitions"] += [(gene, name, label[site], carried.get(site, site[1])) for site in sites
                                if site in carried or name == reference]
    made["synonyms"] += [(gene, name, name.partition(".")[0], source) for name in found.alleles
                         if "." in name and name.partition(".")[0] in found.core]


def _sites(found: Haplotypes) -> dict[tuple[int, str], tuple[list[str], list[str]]]:
    """(position, REF) → (names, ALTs) of the core alleles' sites, in order; no two have one name."""
    sites: dict[tuple[int, str], tuple[list[str], list[str]]] = {}
    taken: set[str] = set()
    for (pos, ref, alt), rsid in sorted(_all(found)):
        if (pos, ref) not in sites:
            name = rsid if rsid not in taken and rsid.startswith("rs") else f"{found.chrom}:{pos}{ref}>{alt}"
            taken.add(name)
            sites[pos, ref] = [name], []
        sites[pos, ref][1].append(alt)
    return sites


def _all(found: Haplotypes) -> Iterator[tuple[Variant, str]]:
    yield from {variant: rsid for variants in found.core.values() for variant, rsid in variants.items()}.items()
