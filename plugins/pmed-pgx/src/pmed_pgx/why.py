"""Why a gene was called as it was: its sites and genotypes, what speaks for what, and the alternatives rejected."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl

from pmed import Result

from .knowledge import Gene, genes
from .matcher import ABSENT, FILTERED, HALF_CALL, HAPLOID, MIXED, NO_CALL, OTHER, SINGLE, Alleles, Codes, Groups, match
from .patterns import Grid, patterns

SCHEMA = {"sample": pl.String(), "gene": pl.String(), "site": pl.String(), "chrom": pl.String(), "pos": pl.Int64(),
          "genotype": pl.String(), "differs": pl.Boolean(), "key": pl.Boolean(), "alleles": pl.List(pl.String())}
MOST = 5
_WORDS = {ABSENT: "absent", NO_CALL: "no call", FILTERED: "filtered", HALF_CALL: "half call", HAPLOID: "haploid",
          OTHER: "undocumented base", MIXED: "mixture"}


def why(result: Result) -> pl.DataFrame:
    """One row a sample, gene and defining site: the genotype, and the alleles that its bases speak for.

    Args:
        result: What ``pmed.call`` returned, with its ``genotypes``.

    Returns:
        Columns ``sample``, ``gene``, ``site``, ``chrom``, ``pos`` (1-based, GRCh38), ``genotype`` (bases, or why there
        are none), ``differs`` (from REF), ``key`` (a phenotype may not be relied on without it) and ``alleles`` (named
        alleles that have the bases which differ from REF).
    """
    return pl.DataFrame([row for sample, gene, codes, _ in _patterns(result) for row in _sites(sample, gene, codes)],
                        schema=SCHEMA, orient="row")


def in_words(result: Result, only: tuple[str, ...] = ()) -> str:
    """The same as text, with the chosen diplotypes and the next best that were rejected; all genes, or `only` some."""
    said = {(row["patient_id"], row["gene"]): row for row in result.tables["gene_results"].iter_rows(named=True)}
    owners = dict(result.tables["samples"].select("sample", "patient_id").iter_rows())
    paragraphs = ["\n".join(_told(sample, gene, codes, groups, said[owners[sample], gene.name]))
                  for sample, gene, codes, groups in _patterns(result) if not only or gene.name in only]
    return "\n\n".join(paragraphs) + "\n"


def _patterns(result: Result) -> Iterator[tuple[str, Gene, Codes, Groups]]:
    grid = Grid.of(result.tables["genotypes"])
    where = {name: number for number, name in enumerate(grid.samples)}
    for sample, build in result.tables["samples"].select("sample", "build").iter_rows():
        for gene in (gene for gene in genes().values() if gene.sites):
            found = patterns(grid, gene, build, np.array([where[sample]]))
            yield sample, gene, found.kept[0][0], found.kept[0][1]


def _sites(sample: str, gene: Gene, codes: Codes) -> Iterator[tuple[Any, ...]]:
    for p, site in enumerate(gene.sites):
        other = sorted({code for code in codes[p].tolist() if code > 0})
        carry = gene.defined[:, p] & gene.allowed[:, p, other].any(axis=1) & ~gene.allowed[:, p, 0]
        yield (sample, gene.name, site.name, gene.chrom, site.pos, _genotype(site.alleles, codes[p]), bool(other),
               p in gene.key_sites, [gene.alleles[a] for a in np.flatnonzero(carry).tolist()])


def _genotype(alleles: tuple[str, ...], pair: Codes) -> str:
    if int(pair.min()) < 0 and int(pair.max()) < 0:
        return _WORDS.get(int(pair.min()), "unknown")
    return "/".join(alleles[code] if code >= 0 else _WORDS.get(code, "?") for code in pair.tolist() if code != SINGLE)


def _told(sample: str, gene: Gene, codes: Codes, groups: Groups, row: dict[str, Any]) -> Iterator[str]:
    sure = "" if row["complete"] or not row["diplotypes"] else " as far as it was read, not certain"
    result = (" or ".join(row["diplotypes"][:MOST]) or "no diplotype") + sure
    yield f"{sample} {gene.name}: {row['status']}, {result}" + (f", {row['phenotype']}" if row["phenotype"] else "")
    yield f"  sites read: {len(gene.sites) - len(row['missing_sites'])} of {len(gene.sites)}"
    for _, _, name, chrom, pos, genotype, differs, _, alleles in _sites(sample, gene, codes):
        if differs:
            carriers = ", ".join(alleles[:MOST]) or "no named allele"
            yield f"  {name} {chrom}:{pos} {genotype}: carried by {carriers}"
    yield from (f"  {one['text']} [{one['code']}]" for one in row["messages"] or ())
    if gene.kind == "diplotype" and row["diplotypes"] and row["status"] != "outside":
        yield from _rejected(gene, codes, groups, set(row["diplotypes"]), whole=not row["missing_sites"])


def _rejected(gene: Gene, codes: Codes, groups: Groups, chosen: set[str], *, whole: bool) -> Iterator[str]:
    """Diplotypes that explain the genotypes too, but with fewer defining sites; `whole`: all sites were read."""
    every = match(gene, codes, groups, all_matches=True)
    scored = dict(zip(every.calls, every.scores, strict=True))
    best = max((score for call, score in scored.items() if _label(call) in chosen), default=None)
    others = [(call, score) for call, score in scored.items() if _label(call) not in chosen][:MOST]
    for call, score in others:
        yield f"  rejected: {_label(call)}, which has {score} of its defining sites in the sample, the chosen {best}"
    if not others:
        others_may = "" if whole else " that were read; those that were not may change it"
        yield f"  rejected: no other pair of named alleles explains the genotypes{others_may}"


def _label(call: Alleles) -> str:
    return "/".join(call)
