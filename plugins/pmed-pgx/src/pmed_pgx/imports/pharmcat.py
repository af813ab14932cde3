"""Definition and phenotype JSON as published with PharmCAT (ClinPGx), formats of version 3."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pmed.errors import InputError

from .builds import Positions37
from .schema import Row

IUPAC = {"R": "AG", "Y": "CT", "S": "CG", "W": "AT", "K": "GT", "M": "AC", "B": "CGT", "D": "AGT", "H": "ACT",
         "V": "ACG", "N": "ACGT"}
# Lists of variants with the phenotype of the lowest function on each strand (notes: rules 6 and 9).
LISTS = ("DPYD", "RYR1")
# A base that no definition knows counts as the reference in these (PharmCAT's "treat as reference" genes).
TOXICITY = ("CACNA1S", "DPYD", "G6PD", "NUDT15", "RYR1", "TPMT")


@dataclass(frozen=True)
class GeneFiles:
    """What is published of one gene: definition, phenotypes (None where there are none) and exemptions."""

    defined: Mapping[str, Any]
    known: Mapping[str, Any] | None
    exempt: Mapping[str, Any]

    @property
    def name(self) -> str:
        """HGNC symbol."""
        return str(self.defined["gene"])

    @property
    def source(self) -> str:
        """Publisher and version, as cited in every row."""
        return f"ClinPGx {self.defined['version']}"


@dataclass(frozen=True)
class Layout:
    """Where a folder keeps definitions and phenotypes: PharmCAT's own source tree, or the two side by side."""

    definitions: Path
    phenotypes: Path

    @classmethod
    def of(cls, folder: Path) -> Layout:
        """Find both.

        Raises:
            InputError: where there is no definition at all.
        """
        found = sorted(folder.rglob("*_translation.json"))
        if not found:
            raise InputError("no *_translation.json below this folder", where=str(folder),
                             hint="give the folder with PharmCAT's definition and phenotype files")
        known = [path for name in ("phenotypes", "phenotype", "phenotype/cpic") for path in folder.rglob(name)
                 if any(path.glob("*.json"))]
        return cls(found[0].parent, known[0] if known else folder / "phenotypes")

    def genes(self) -> list[str]:
        """Symbols of all genes that are defined, in alphabetical order."""
        files = self.definitions.glob("*_translation.json")
        return sorted(path.name.removesuffix("_translation.json") for path in files)


def read(layout: Layout, gene: str) -> GeneFiles:
    """Read the files of `gene`.

    Raises:
        InputError: where the definition is missing or a file is not what it should be.
    """
    exempt = load(layout.definitions / "exemptions.json", {})
    if isinstance(exempt, list):
        exempt = {one["gene"]: one for one in exempt}
    known = load(layout.phenotypes / f"{gene.replace('-', '_')}.json", None)
    return GeneFiles(load(layout.definitions / f"{gene}_translation.json"), known, exempt.get(gene, {}))


def load(path: Path, default: Any = ...) -> Any:
    """Parsed JSON; `default` where there is no such file."""
    if not path.exists():
        if default is ...:
            raise InputError("no such file", where=str(path),
                             hint="give the folder that holds definitions/ and phenotypes/")
        return default
    try:
        return json.loads(path.read_text("utf-8"))
    except (ValueError, OSError) as error:
        raise InputError(f"not a JSON file: {error}", where=str(path)) from error


def gene_row(files: GeneFiles) -> Row:
    """The row of ``genes``."""
    gene, chrom = files.name, files.defined["chromosome"]
    ploidy = {"chrX": "X", "chrM": "MT"}.get(chrom, "autosome")
    return (gene, chrom, ploidy, "variants" if gene in LISTS else "diplotype",
            "reference" if gene in TOXICITY else "refuse", reference_allele(files.defined), files.source)


def reference_allele(defined: Mapping[str, Any]) -> str:
    """Name of the allele that the definition marks as reference."""
    return str(next(allele["name"] for allele in defined["namedAlleles"] if allele["reference"]))


def site_name(variant: Mapping[str, Any]) -> str:
    """The rsID, or place and change where there is none."""
    change = f"{variant['ref']}>{','.join(variant['alts'])}"
    return str(variant["rsid"]) if variant["rsid"] else f"{variant['chromosome']}:{variant['position']}{change}"


def variants(files: GeneFiles) -> list[tuple[int, Mapping[str, Any]]]:
    """(column of the definition, variant) of the positions that are not to be ignored."""
    ignored = {(one["position"], one["ref"]) for one in files.exempt.get("ignoredPositions", ())}
    return [(column, one) for column, one in enumerate(files.defined["variants"])
            if (one["position"], one["ref"]) not in ignored]


def named_alleles(files: GeneFiles) -> list[Mapping[str, Any]]:
    """The definition's alleles, without those that are not to be called."""
    ignored = set(files.exempt.get("ignoredAlleles", ()))
    return [allele for allele in files.defined["namedAlleles"] if allele["name"] not in ignored]


def site_rows(files: GeneFiles, positions: Positions37) -> Iterator[Row]:
    """One row a defining position, and one for each extra position that advice reads."""
    required = set(files.exempt.get("requiredPositions", ()))
    defining = [(one, "required" if one["position"] in required else "defining") for _, one in variants(files)]
    extra = [(one, "extra") for one in files.exempt.get("extraPositions", ())]
    for one, role in sorted(defining + extra, key=lambda pair: pair[0]["position"]):
        pos37, ref37 = positions.of(files.name, one)
        cited = f"{files.source}; CPIC variant table" if pos37 else files.source
        yield (files.name, site_name(one), role, one["position"], one["ref"], "|".join(one["alts"]), pos37, ref37,
               cited)


def allele_rows(files: GeneFiles, tier1: Iterable[str],
                more: Mapping[str, tuple[str, str | None, str]]) -> Iterator[Row]:
    """One row an allele: defined, known by function only (deletions), or a core name of suballeles.

    `more` gives (function, activity value, source) from elsewhere where ClinPGx publishes no phenotype file.
    """
    named = files.known["namedAlleles"] if files.known else ()
    function = {a["name"]: (a["functionValue"], a["activityValue"]) for a in named}
    ids = {a["name"]: a["id"] for a in named_alleles(files) + files.defined["hiddenCoreAlleles"]}
    core, first = files.defined["suballelesMap"], set(tier1)
    for name in dict.fromkeys([*ids, *function, *more]):
        called = core.get(name, name)
        said, activity = function.get(called, (None, None))
        source = f"ClinPGx {ids.get(name) or files.defined['version']}"
        if called not in function and called in more:
            said, activity, elsewhere = more[called]
            source = f"{source}; {elsewhere}"
        value = None if activity in {None, "n/a"} else activity
        yield files.name, name, called, said, value, int(name in first), source


def definition_rows(files: GeneFiles) -> Iterator[Row]:
    """One row an allele and site that defines it; several bases (a wobble) are joined by '|'."""
    columns = variants(files)
    for allele in named_alleles(files):
        for column, variant in columns:
            bases = allele["alleles"][column]
            if bases is not None:
                yield files.name, allele["name"], site_name(variant), "|".join(IUPAC.get(bases, [bases]))


def phenotype_rows(files: GeneFiles) -> list[Row]:
    """Diplotype → phenotype condensed to rules over pairs of function (or activity value).

    Raises:
        InputError: when two diplotypes of one pair differ, so that no rule can hold.
    """
    if files.known is None:
        return []
    by = "activity" if files.known["activityValues"] else "function"
    key = {a["name"]: a[f"{by}Value"] for a in files.known["namedAlleles"]}
    rules: dict[tuple[str, str], tuple[str, str | None]] = {}
    for diplotype in files.known["diplotypes"]:
        keys = sorted(key[name] for name, n in diplotype["diplotypekey"].items() for _ in range(n))
        pair = (keys[0], keys[1] if len(keys) > 1 else "")
        score = None if diplotype["activityScore"] in (None, "n/a") else diplotype["activityScore"]
        outcome = (diplotype["phenotype"], score)
        if rules.setdefault(pair, outcome) != outcome:
            raise InputError(f"{files.name}: no rule over {by} holds for {diplotype['diplotype']}")
    return [(files.name, by, *pair, *outcome, files.source) for pair, outcome in sorted(rules.items())]


def priority_rows(files: GeneFiles) -> Iterator[Row]:
    """Which of several unphased diplotypes is taken, by published frequency."""
    for one in files.exempt.get("unphasedDiplotypePriorities", ()):
        yield files.name, "|".join(one["list"]), one["pick"], files.source
