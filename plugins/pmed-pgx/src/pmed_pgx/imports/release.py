"""The whole release: every gene's rows from ClinPGx, completed by CPIC's tables where ClinPGx publishes none."""

from __future__ import annotations

from pathlib import Path

from pmed.errors import InputError

from . import cpic, pharmcat
from .builds import Positions37
from .schema import Row, empty, write

__all__ = ["build", "write"]

# Alleles whose sites must have been read before a phenotype is relied on. AMP's tier 1 where ClinPGx's file lists it;
# else ours, from the guideline that gives the gene its advice. "altered": every allele that changes the function.
KEY_ALLELES: dict[str, tuple[str, ...]] = {
    "ABCG2": ("rs2231142 variant (T)",),  # CPIC statins 2022, PMID 35152405
    "CACNA1S": ("altered",),  # CPIC 2018, PMID 30499100
    "CFTR": ("altered",),  # CPIC 2014, PMID 24598717
    "CYP2B6": ("*4", "*6", "*9", "*18"),  # CPIC efavirenz 2019, PMID 31006110
    "CYP4F2": ("*3",),  # CPIC warfarin 2017, PMID 28198005
    "G6PD": ("altered",),  # CPIC 2022, PMID 36049896: absence of a few variants does not prove a normal enzyme
    "IFNL3": ("rs12979860 variant (T)",),  # CPIC 2014, PMID 24096968
    "NAT2": ("*5", "*6", "*7", "*14"),  # Hein 2022, PMID 34927042
    "RYR1": ("altered",),  # CPIC 2018, PMID 30499100
    "SLCO1B1": ("*5",),  # CPIC statins 2022, PMID 35152405, rests on rs4149056
    "UGT1A1": ("*6", "*28", "*37"),  # CPIC atazanavir 2015, PMID 26417955
}
HARMLESS = ("Normal", "Uncertain", "Unknown", "Class IV", "Favorable", "ivacaftor non-responsive")
# Of the newest list of diagnostic variants (EMHG), later than CPIC's table.
LATER: dict[str, cpic.Known] = {"RYR1": dict.fromkeys(
    ("c.97A>G", "c.14918C>T"), ("Malignant Hyperthermia Associated", None, "EMHG diagnostic variants"))}
# Genes whose alleles' functions ClinPGx does not publish, but CPIC's table has.
FROM_CPIC = ("CYP2D6", "CYP4F2", "G6PD", "RYR1")
STATUS = {"HLA-A": "chr6", "HLA-B": "chr6"}
MT = "MT-RNR1"


def build(clinpgx: Path, tables: Path | None, positions: Positions37 | None = None) -> dict[str, list[Row]]:
    """All rows of the release.

    Args:
        clinpgx: Folder with PharmCAT's definition and phenotype files.
        tables: Folder with CPIC's ``*-table.csv``; without it, what only CPIC publishes stays unknown.
        positions: Known positions on GRCh37, where CPIC's tables do not give them.

    Raises:
        InputError: with the file, where one is not as PharmCAT's are.
    """
    if tables is not None:
        positions = Positions37.read(tables / "variant-table.csv")
    made, layout = empty(), pharmcat.Layout.of(clinpgx)
    for gene in layout.genes():
        try:
            _add(made, pharmcat.read(layout, gene), tables, positions or Positions37({}, {}, {}))
        except (KeyError, IndexError, TypeError, AttributeError, StopIteration) as error:
            raise InputError(f"not a definition or phenotype file of PharmCAT 3: {type(error).__name__} {error}",
                             where=f"{clinpgx}: {gene}") from error
    if tables is not None:
        _add_mitochondrial(made, layout, tables)
        for gene, chrom in STATUS.items():
            made["genes"].append((gene, chrom, "autosome", "status", "refuse", None, cpic.SOURCE))
    made["genes"].sort()
    return made


def _add(made: dict[str, list[Row]], files: pharmcat.GeneFiles, tables: Path | None, positions: Positions37) -> None:
    gene = files.name
    more: cpic.Known = cpic.functions(tables, gene) if tables and gene in FROM_CPIC else {}
    more |= LATER.get(gene, {})
    made["genes"].append(pharmcat.gene_row(files))
    made["sites"] += pharmcat.site_rows(files, positions)
    alleles = list(pharmcat.allele_rows(files, (), more))
    key = files.exempt.get("amp1Alleles") or KEY_ALLELES.get(gene, ())
    made["alleles"] += [(*row[:5], int(_is_key(row, key)), row[6]) for row in alleles]
    made["definitions"] += pharmcat.definition_rows(files)
    made["phenotypes"] += pharmcat.phenotype_rows(files) or _rules(gene, tables, alleles, more)
    made["priorities"] += pharmcat.priority_rows(files)


def _is_key(row: Row, key: tuple[str, ...]) -> bool:
    function = str(row[3] or "")
    return row[1] in key or ("altered" in key and bool(function) and not function.startswith(HARMLESS))


def _rules(gene: str, tables: Path | None, alleles: list[Row], more: cpic.Known) -> list[Row]:
    if tables is None:
        return []
    if gene == "CYP2D6":
        values = {f"{float(str(row[4])):g}" for row in alleles if row[4] is not None}
        return list(cpic.score_rules(tables, gene, values))
    if gene == "IFNL3":
        # CPIC 2014 (PMID 24096968): C/C responds favourably, one T is enough for less.
        good, bad = "Favorable response allele", "Unfavorable response allele"
        return [(gene, "function", *pair, said, None, "CPIC 2014, PMID 24096968") for pair, said in (
            ((good, good), "Favorable Response"), ((good, bad), "Unfavorable Response"),
            ((bad, bad), "Unfavorable Response"))]
    return cpic.pair_rules(tables, gene, more) if more else []


def _add_mitochondrial(made: dict[str, list[Row]], layout: pharmcat.Layout, tables: Path) -> None:
    known = pharmcat.load(layout.phenotypes / f"{MT.replace('-', '_')}.json")
    source = f"ClinPGx {known['version']}"
    published = {one["name"]: one["functionValue"] for one in known["namedAlleles"]}
    made["genes"].append((MT, "chrM", "MT", "diplotype", "refuse", "Reference", source))
    for table, row in cpic.mitochondrial(tables, MT, published, source):
        made[table].append(row)
    placed = {row[1] for row in made["alleles"] if row[0] == MT}
    made["alleles"] += [(MT, name, name, said, None, 0, source) for name, said in published.items()
                        if name not in placed]
    made["phenotypes"] += [(MT, "function", function, "", function[0].lower() + function[1:], None, source)
                           for function in sorted(set(published.values()))]
