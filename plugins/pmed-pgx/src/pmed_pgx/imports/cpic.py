"""CPIC's tables (allele functions, diplotype phenotypes, score limits) as arranged in CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from itertools import combinations_with_replacement
from pathlib import Path

from pmed.errors import InputError

from .pharmcat import site_name
from .schema import Row

SOURCE = "CPIC tables"
Known = dict[str, tuple[str, str | None, str]]
# Where CPIC's table and ClinPGx's definition name one allele differently.
RENAMED = {("RYR1", "c.7039_7041delGAG"): "c.7042_7044delGAG"}
# One X chromosome: CPIC's table writes the second allele so.
HEMIZYGOUS = "MALE"


def rows(folder: Path, table: str, gene: str) -> list[dict[str, str]]:
    """Rows of one gene in ``<table>-table.csv``.

    Raises:
        InputError: where the file is missing.
    """
    path = folder / f"{table}-table.csv"
    if not path.exists():
        raise InputError("no such file", where=str(path), hint="give the folder with CPIC's *-table.csv files")
    with path.open(newline="", encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if row["Gene"] == gene]


def functions(folder: Path, gene: str) -> Known:
    """Allele → (function, activity value, source); what is not known is left out."""
    found: Known = {}
    for row in rows(folder, "allele", gene):
        name, function = RENAMED.get((gene, row["StarAllele"]), row["StarAllele"]), row["Function"]
        if name != HEMIZYGOUS and function != "Unknown Function":
            found[name] = (_sentence(function), None if row["ActivityScore"] == "N/A" else row["ActivityScore"], SOURCE)
    return found


def _sentence(function: str) -> str:
    """Upper case for the first letter only, as ClinPGx writes functions; a class in brackets stays."""
    words = function.split(" ")
    known = {"Normal", "Decreased", "Increased", "No", "Uncertain", "Function"}
    return " ".join([words[0], *(word.lower() if word in known else word for word in words[1:])])


def pair_rules(folder: Path, gene: str, known: Mapping[str, tuple[str, str | None, str]]) -> list[Row]:
    """Rules over pairs of function from the diplotype table; a pair with several outcomes has none."""
    rules: dict[tuple[str, str], set[str]] = {}
    for row in rows(folder, "diplotype", gene):
        named = [RENAMED.get((gene, name), name) for name in row["Diplotype"].split("/")]
        keys = [known[name][0] for name in named if name in known]
        if len(keys) == len(named) - named.count(HEMIZYGOUS):
            first, *second = sorted(keys)
            rules.setdefault((first, second[0] if second else ""), set()).add(row["Phenotype"].removeprefix(f"{gene} "))
    return [(gene, "function", *pair, *said, None, SOURCE) for pair, said in sorted(rules.items()) if len(said) == 1]


def score_rules(folder: Path, gene: str, values: set[str]) -> Iterator[Row]:
    """Rules over pairs of activity value from the limits of the activity score; without a value: indeterminate."""
    limits = [(row["Phenotype"], row["Equation"].removesuffix("\n")) for row in rows(folder, "equation", gene)]
    for first, second in combinations_with_replacement(sorted(values | {"n/a"}), 2):
        if "n/a" in (first, second):
            yield gene, "activity", first, second, "Indeterminate", None, SOURCE
            continue
        score = float(first) + float(second)
        phenotype = next(name for name, limit in limits if holds(score, limit))
        yield gene, "activity", first, second, phenotype, f"{score:g}" if score % 1 else f"{score:.1f}", SOURCE


def holds(score: float, limit: str) -> bool:
    """Whether a score keeps a limit such as ``0.25 <= score < 1.25``, ``2.5 <= score`` or ``2 == score``.

    >>> holds(1.25, "0.25 <= score < 1.25"), holds(2.0, "2 == score")
    (False, True)
    """
    parts = limit.split()
    at = parts.index("score")
    left = {"<=": lambda bound: bound <= score, "==": lambda bound: bound == score}
    below = at == 0 or left[parts[at - 1]](float(parts[at - 2]))
    return below and (len(parts) <= at + 1 or score < float(parts[at + 2]))


def mitochondrial(folder: Path, gene: str, published: Mapping[str, str], source: str) -> Iterator[tuple[str, Row]]:
    """(table, row) of a mitochondrial gene's sites, alleles and definitions.

    Positions are on the revised Cambridge sequence, which GRCh38 has and hg19's own chrM has not: none on GRCh37.
    `published` is allele → function.
    """
    variant = {row["GRCh38Name"]: row for row in rows(folder, "variant", gene)}
    placed: dict[str, str] = {}
    for row in rows(folder, "allele", gene):
        name, where = row["StarAllele"], row["GRCh38Core"]
        if where == "N/A":
            yield "alleles", (gene, name, name, published.get(name), None, 0, source)
            continue
        _, pos, ref, alt = where.split("-")
        rsid = variant.get(where, {}).get("rsID", "N/A")
        site = site_name({"rsid": None if rsid == "N/A" else rsid, "ref": ref, "alts": [alt], "chromosome": "chrM",
                          "position": pos})
        site = site if site not in placed.values() else f"chrM:{pos}{ref}>{alt}"
        placed[name] = site
        harmful = published.get(name, "").lower().startswith("increased")
        yield "sites", (gene, site, "defining", int(pos), ref, alt, None, None, SOURCE)
        yield "alleles", (gene, name, name, published.get(name), None, int(harmful), source)
        yield "definitions", (gene, name, site, alt)
        yield "definitions", (gene, "Reference", site, ref)
