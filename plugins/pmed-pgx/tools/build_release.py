"""Build the embedded knowledge release from the published files (run by hand, never by pmed).

    python build_release.py REFERENCE_FOLDER [-o OUTPUT_FOLDER] [--genes CYP2C19 ...]

It prints, for each gene, how many sites have no published position on GRCh37, and which.

REFERENCE_FOLDER holds ``pharmcat-3.1.1/definitions`` and ``pharmcat-3.1.1/phenotypes`` (ClinPGx / CPIC facts as
published with PharmCAT 3.1.1) and ``cpic/variant-table.csv`` (positions on GRCh37). What is written are facts in
our own schema: one row a site, an allele, a defining base, a phenotype rule, each with its source.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

GENES = ("CYP2C19", "CYP2C9", "CYP3A5", "SLCO1B1", "TPMT", "VKORC1")
IUPAC = {"R": "AG", "Y": "CT", "S": "CG", "W": "AT", "K": "GT", "M": "AC",
         "B": "CGT", "D": "AGT", "H": "ACT", "V": "ACG",
         "N": "ACGT"}
# AMP lists no tier-1 alleles for SLCO1B1 in the published file; CPIC 2022 (PMID 35152405) rests on rs4149056, *5.
TIER_1 = {"SLCO1B1": ("*5",)}
Row = tuple[object, ...]
Positions37 = dict[tuple[object, ...], tuple[str, str]]


def main() -> None:
    """Read the published files of each gene and write the five tables of the release."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reference", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=Path(__file__).parents[1] / "src" / "pmed_pgx" / "data")
    parser.add_argument("--genes", nargs="+", default=GENES)
    given = parser.parse_args()
    folder = given.reference / "pharmcat-3.1.1"
    positions37 = read_positions37(given.reference / "cpic" / "variant-table.csv")
    exempt = json.loads((folder / "definitions" / "exemptions.json").read_text())
    tables: dict[str, list[Row]] = {"genes": [], "sites": [], "alleles": [], "definitions": [], "phenotypes": []}
    for gene in sorted(given.genes):
        defined = json.loads((folder / "definitions" / f"{gene}_translation.json").read_text())
        known = json.loads((folder / "phenotypes" / f"{gene}.json").read_text())
        tier1 = set(exempt.get(gene, {}).get("amp1Alleles") or TIER_1.get(gene, ()))
        source = f"ClinPGx {defined['version']}"
        tables["genes"].append((gene, defined["chromosome"], reference_allele(defined), source))
        tables["sites"] += site_rows(defined, positions37)
        tables["alleles"] += allele_rows(defined, known, tier1)
        tables["definitions"] += definition_rows(defined)
        tables["phenotypes"] += phenotype_rows(known)
    print_unplaced(tables["sites"])
    for name, header in HEADERS.items():
        write(given.output / f"{name}.tsv", header, tables[name])


HEADERS = {
    "genes": ("gene", "chrom", "reference_allele", "source"),
    "sites": ("gene", "site", "pos", "ref", "alts", "pos37", "ref37", "source"),
    "alleles": ("gene", "allele", "core", "function", "activity", "tier1", "source"),
    "definitions": ("gene", "allele", "site", "bases"),
    "phenotypes": ("gene", "by", "first", "second", "phenotype", "activity_score", "source"),
}


def read_positions37(path: Path) -> tuple[Positions37, Positions37]:
    """Where published: the GRCh37 position and REF by gene, GRCh38 position and REF; and the rows of indels.

    The second is (gene, rsID, change) → (GRCh38 position, GRCh37 position), only where both builds have one REF: such a
    row may write the indel at another place of its repeat than the definition does (rs1304490498).
    """
    with path.open(newline="") as file:
        rows = [row for row in csv.DictReader(file)
                if row["GRCh37Position"].isdigit() and row["GRCh38Position"].isdigit()]
    placed: Positions37 = {(row["Gene"], int(row["GRCh38Position"]), row["GRCh38Allele"]):
                           (row["GRCh37Position"], row["GRCh37Allele"]) for row in rows}
    indels: Positions37 = {(row["Gene"], row["rsID"], change): (row["GRCh38Position"], row["GRCh37Position"])
                           for row in rows if row["GRCh37Allele"] == row["GRCh38Allele"]
                           and (change := moved_change(row["GRCh38Allele"], row["Variant"]))[0]}
    return placed, indels


def moved_change(ref: str, alt: str) -> tuple[int, str]:
    """Length and bases of an insertion or deletion, the same wherever in its repeat it is written; (0, "") else.

    >>> moved_change("CAATGGAAAGA", "C") == moved_change("GAAAGAAATGG", "G") != moved_change("C", "CAATGGAAAGA")
    True
    """
    bases = max(ref, alt, key=len)[1:]
    if ref[0] != alt[0] or len(ref) == len(alt) or min(len(ref), len(alt)) > 1:
        return 0, ""
    return len(alt) - len(ref), min(bases[i:] + bases[:i] for i in range(len(bases)))


def place37(gene: str, variant: dict[str, Any], known: tuple[Positions37, Positions37]) -> tuple[str, str]:
    """GRCh37 position and REF of a defining variant, two empty texts where they are not published."""
    placed, indels = known
    ref, alts = variant["ref"], variant["alts"]
    if found := placed.get((gene, variant["position"], ref)):
        return found
    if len(alts) == 1 and (moved := indels.get((gene, variant["rsid"], moved_change(ref, alts[0])))):
        return str(variant["position"] + int(moved[1]) - int(moved[0])), ref
    return "", ""


def print_unplaced(sites: list[Row]) -> None:
    """Say which sites cannot be read from a GRCh37 genome."""
    for gene in sorted({str(row[0]) for row in sites}):
        mine = [row for row in sites if row[0] == gene]
        lost = [str(row[1]) for row in mine if not row[5]]
        text = f"{gene}: {len(lost)} of {len(mine)} sites without a published GRCh37 position"
        print(text, *lost)  # noqa: T201 - a script run by hand


def reference_allele(defined: dict[str, Any]) -> str:
    """Name of the allele that the definition marks as reference."""
    return str(next(a["name"] for a in defined["namedAlleles"] if a["reference"]))


def site_name(variant: dict[str, Any]) -> str:
    """The rsID, or place and change where there is none."""
    change = f"{variant['ref']}>{','.join(variant['alts'])}"
    return str(variant["rsid"]) if variant["rsid"] else f"{variant['chromosome']}:{variant['position']}{change}"


def site_rows(defined: dict[str, Any], positions37: tuple[Positions37, Positions37]) -> Iterator[Row]:
    """One row a defining position."""
    gene, source = defined["gene"], f"ClinPGx {defined['version']}"
    for v in sorted(defined["variants"], key=lambda v: v["position"]):
        pos37, ref37 = place37(gene, v, positions37)
        cited = f"{source}; CPIC variant table" if pos37 else source
        yield gene, site_name(v), v["position"], v["ref"], "|".join(v["alts"]), pos37, ref37, cited


def allele_rows(defined: dict[str, Any], known: dict[str, Any], tier1: set[str]) -> Iterator[Row]:
    """One row an allele: defined, known by function only (deletions), or a core name of suballeles."""
    function = {a["name"]: a for a in known["namedAlleles"]}
    ids = {a["name"]: a["id"] for a in defined["namedAlleles"] + defined["hiddenCoreAlleles"]}
    core = defined["suballelesMap"]
    names = dict.fromkeys([*ids, *function])
    for name in names:
        facts = function.get(core.get(name, name), {"functionValue": "", "activityValue": None})
        activity = facts["activityValue"] if facts["activityValue"] not in (None, "n/a") else ""
        source = f"ClinPGx {ids.get(name) or defined['version']}"
        yield defined["gene"], name, core.get(name, name), facts["functionValue"], activity, int(name in tier1), source


def definition_rows(defined: dict[str, Any]) -> Iterator[Row]:
    """One row an allele and site that defines it; several bases (a wobble) are joined by '|'."""
    for allele in defined["namedAlleles"]:
        for variant, bases in zip(defined["variants"], allele["alleles"], strict=True):
            if bases is not None:
                yield defined["gene"], allele["name"], site_name(variant), "|".join(IUPAC.get(bases, [bases]))


def phenotype_rows(known: dict[str, Any]) -> list[Row]:
    """Diplotype → phenotype condensed to rules over pairs of function (or activity value).

    Raises:
        ValueError: when two diplotypes of one pair differ, so that no rule can hold.
    """
    by = "activity" if known["activityValues"] else "function"
    key = {a["name"]: (a["activityValue"] if by == "activity" else a["functionValue"]) for a in known["namedAlleles"]}
    rules: dict[tuple[str, str], tuple[str, str]] = {}
    for diplotype in known["diplotypes"]:
        first, second = sorted(key[name] for name, n in diplotype["diplotypekey"].items() for _ in range(n))
        score = diplotype["activityScore"] if diplotype["activityScore"] not in (None, "n/a") else ""
        if rules.setdefault((first, second), (diplotype["phenotype"], score)) != (diplotype["phenotype"], score):
            raise ValueError(f"{known['gene']}: no rule over {by} for {diplotype['diplotype']}")
    source = f"ClinPGx {known['version']}"
    return [(known["gene"], by, *pair, *outcome, source) for pair, outcome in sorted(rules.items())]


def write(path: Path, header: tuple[str, ...], rows: Iterable[Row]) -> None:
    """Write one table as tab-separated text."""
    lines = ["\t".join(header), *("\t".join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
