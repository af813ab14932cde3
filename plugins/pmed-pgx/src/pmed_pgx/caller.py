"""Feature step: star-allele diplotypes, functions and phenotypes of every sample and gene."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import polars as pl

from pmed import option
from pmed.tables import TABLES, Tables

from . import phenotype
from .knowledge import NO_FUNCTION, Gene, genes, sites_table
from .matcher import ABSENT, FILTERED, HALF_CALL, HAPLOID, OTHER, UNKNOWN, Codes, Groups, Match, match
from .patterns import Grid, Patterns, patterns

Row = dict[str, Any]
Message = dict[str, str]

_REFUSED = {
    HALF_CALL: ("half-call", "only one allele was read at {sites}, so no diplotype is called"),
    HAPLOID: ("haploid-call", "one allele instead of two at {sites} of an autosome, so no diplotype is called"),
    OTHER: ("undocumented-allele", "an allele that no definition knows at {sites}, so no diplotype is called"),
}
_STATE_WORDS = {ABSENT: "absent from the file", FILTERED: "filtered out"}


@dataclass(frozen=True)
class PgxCaller:
    """Calls every gene of the release for every sample, from the genotype grid."""

    name: ClassVar[str] = "pgx-caller"
    needs: ClassVar[tuple[str, ...]] = ("samples", "genotypes")
    gives: ClassVar[tuple[str, ...]] = ("gene_results", "diplotype:*", "phenotype:*", "activity-score:*", "genotype:*")

    all_matches: bool = option(default=False, doc="Report every diplotype that fits, not only the best-scoring ones.")

    def sites(self) -> pl.DataFrame:
        """Every defining site of the release, on both builds."""
        return sites_table()

    def run(self, tables: Tables, wanted: Sequence[str]) -> dict[str, pl.DataFrame]:
        """Return ``gene_results`` and the wanted features; a patient's first sample speaks for the patient."""
        samples = tables["samples"].unique("patient_id", keep="first", maintain_order=True)
        results, features = [TABLES["gene_results"].empty()], [samples.select("patient_id").clear()]
        grid = Grid.of(tables["genotypes"])
        for (build,), part in samples.group_by("build", maintain_order=True):
            made, bases = self._call(grid, str(build), part, wanted)
            results.append(made)
            features.append(part.select("patient_id").hstack(bases))
        found = pl.concat(results)
        wide = pl.concat(features, how="diagonal")
        return {"gene_results": found, "features": _features(wide, found, wanted)}

    def _call(self, grid: Grid, build: str, samples: pl.DataFrame,
              wanted: Sequence[str]) -> tuple[pl.DataFrame, list[pl.Series]]:
        where = {name: number for number, name in enumerate(grid.samples)}
        index = np.array([where.get(name, -1) for name in samples["sample"]], dtype=np.int64)
        results, bases = [], []
        for gene in genes().values():
            seen = patterns(grid, gene, build, index)
            rows = [call(gene, codes, groups, assumed=bool(assumed), all_matches=self.all_matches)
                    for codes, groups, assumed in zip(seen.codes, seen.groups, seen.assumed, strict=True)]
            results.append(TABLES["gene_results"].frame([{"patient_id": "", **row} for row in rows])[seen.of]
                           .with_columns(samples["patient_id"]))
            bases += _genotypes(gene, seen, wanted)
        return pl.concat(results), bases


def call(gene: Gene, codes: Codes, groups: Groups, *, assumed: bool, all_matches: bool = False) -> Row:
    """One ``gene_results`` row, without the patient, for one genotype pattern.

    Args:
        gene: Definitions and rules.
        codes: (sites, 2) allele codes, negative where unknown.
        groups: (sites,) phase groups.
        assumed: Some site is reference by assumption only.
        all_matches: Keep every diplotype that fits.
    """
    missing = np.isin(codes, UNKNOWN)
    lost = np.flatnonzero(missing.any(axis=1))
    row: Row = {"gene": gene.name, "complete": False, "missing_sites": [gene.sites[p].name for p in lost],
                "because": [], "diplotypes": [], "functions": [], "messages": _assumed(assumed=assumed)}
    if len(lost) == len(gene.sites):
        return {**row, "status": "no-data", "messages": row["messages"] + _filtered(gene, codes)}
    if refused := _refusals(gene, codes):
        return {**row, "status": "not-called", "messages": row["messages"] + refused}
    found = match(gene, codes, groups, all_matches=all_matches)
    return {**row, **_outcome(gene, codes, lost, found, row["messages"])}


def _outcome(gene: Gene, codes: Codes, lost: npt.NDArray[np.int64], found: Match, messages: list[Message]) -> Row:
    doubtful = _key_sites_missing(gene, codes, lost, found)
    notes = messages + doubtful + _filtered(gene, codes)
    if not found.pairs:
        notes.append({"code": "no-match", "text": "no pair of named alleles explains the genotypes"})
        return {"status": "not-called", "phased": found.phased, "messages": notes}
    predicted, score = phenotype.agreed(gene, found.pairs)
    if doubtful:
        notes += _withheld(predicted)
        predicted = score = None
    return {"status": "called" if len(found.pairs) == 1 else "ambiguous", "phased": found.phased,
            "diplotypes": ["/".join(pair) for pair in found.pairs],
            "functions": [phenotype.function(gene, allele) for allele in found.pairs[0]],
            "activity_score": score, "phenotype": predicted, "present_phenotype": predicted,
            "complete": not doubtful, "messages": notes + _unsure(gene, found)}


def _assumed(*, assumed: bool) -> list[Message]:
    text = "sites absent from the file are taken as reference, because the user said so"
    return [{"code": "absent-as-ref", "text": text}] if assumed else []


def _refusals(gene: Gene, codes: Codes) -> list[Message]:
    """Why the gene cannot be called at all (rules 4 and 6)."""
    return [{"code": name, "text": text.format(sites=_names(gene, codes, code))}
            for code, (name, text) in _REFUSED.items() if (codes == code).any()]


def _filtered(gene: Gene, codes: Codes) -> list[Message]:
    if not (codes == FILTERED).any():
        return []
    return [{"code": "filtered-sites", "text": f"calls that failed the file's filters were not used: "
                                               f"{_names(gene, codes, FILTERED)}"}]


def _names(gene: Gene, codes: Codes, code: int) -> str:
    return ", ".join(gene.sites[p].name for p in np.flatnonzero((codes == code).any(axis=1)))


def _key_sites_missing(gene: Gene, codes: Codes, lost: npt.NDArray[np.int64], found: Match) -> list[Message]:
    """A message for each missing site on which a tier-1 allele rests, unless both alleles have no function anyway."""
    called = {gene.functions.get(allele) for pair in found.pairs for allele in pair}
    if called == {NO_FUNCTION}:
        return []
    return [{"code": "key-site-missing", "text": _doubt(gene, int(p), int(codes[p, 0]), found)}
            for p in lost if int(p) in gene.key_sites]


def _doubt(gene: Gene, site: int, code: int, found: Match) -> str:
    """Name the site and the alleles that it would have shown or excluded."""
    carries = gene.defined[:, site] & ~gene.allowed[:, site, 0]
    open_still = [gene.core[name] for name, fits in zip(gene.alleles, found.fits & carries, strict=True) if fits]
    names = ", ".join(dict.fromkeys([*gene.key_sites[site], *open_still]))
    return f"{gene.sites[site].name} is {_STATE_WORDS.get(code, 'not called')}: {names} cannot be excluded"


def _withheld(predicted: str | None) -> list[Message]:
    """A phenotype that rests on sites nobody looked at is unknown: absence must never read as normal."""
    text = f"{predicted} only if nothing differs at the missing key sites"
    return [{"code": "phenotype-withheld", "text": text}] if predicted else []


def _unsure(gene: Gene, found: Match) -> list[Message]:
    notes: list[Message] = []
    if len(found.pairs) > 1:
        notes.append({"code": "ambiguous", "text": f"{len(found.pairs)} diplotypes fit the genotypes equally well"})
    unknown = sorted({allele for pair in found.pairs for allele in pair if allele not in gene.functions})
    if unknown:
        notes.append({"code": "function-unknown", "text": f"no published function for {', '.join(unknown)}"})
    return notes


def _genotypes(gene: Gene, seen: Patterns, wanted: Sequence[str]) -> list[pl.Series]:
    """``genotype:<rsID>`` of the wanted sites: forward strand, REF first, null where unknown."""
    return [pl.Series(f"genotype:{site.name}", [_bases(site.alleles, pair) for pair in seen.codes[:, p].tolist()],
                      dtype=pl.String)[seen.of]
            for p, site in enumerate(gene.sites) if f"genotype:{site.name}" in wanted]


def _bases(alleles: tuple[str, ...], pair: list[int]) -> str | None:
    return "/".join(alleles[code] for code in sorted(pair)) if min(pair) >= 0 else None


def _features(wide: pl.DataFrame, results: pl.DataFrame, wanted: Sequence[str]) -> pl.DataFrame:
    """The wanted columns; what a missing key site makes doubtful is null."""
    sure = results.filter("complete").select(
        "patient_id", "gene", "phenotype", pl.col("activity_score").alias("activity-score"),
        diplotype=pl.when(pl.col("diplotypes").list.len() == 1).then(pl.col("diplotypes").list.first()))
    for name in (name for name in wanted if name not in wide.columns):
        kind, _, about = name.partition(":")
        column = pl.col(kind).alias(name) if kind in sure.columns else pl.lit(None, dtype=pl.String).alias(name)
        values = sure.filter(gene=about).select("patient_id", column)
        wide = wide.join(values, on="patient_id", how="left", maintain_order="left")
    return wide.select("patient_id", *wanted)
