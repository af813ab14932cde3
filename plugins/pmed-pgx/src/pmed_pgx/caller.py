"""Feature step: star-allele diplotypes, functions and phenotypes of every sample and gene."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import polars as pl

from pmed import PmedError, option
from pmed.plans import as_written
from pmed.repeats import unless_repeated
from pmed.tables import TABLES, Tables

from .calls import How, call
from .hints import hints, told
from .knowledge import Gene, Site, genes, sites_table
from .matcher import Codes, Groups
from .outside import apply, statuses
from .outside.hla import STATUS
from .patterns import Grid, bases, patterns

MOST_ROWS = 20_000


@dataclass(frozen=True)
class PgxCaller:
    """Calls every gene of the release for every sample, from the genotype grid."""

    name: ClassVar[str] = "pgx-caller"
    needs: ClassVar[tuple[str, ...]] = ("samples", "genotypes")
    gives: ClassVar[tuple[str, ...]] = ("gene_results", "diplotype:*", "phenotype:*", "phenotypes:*",
                                        "activity-score:*", "genotype:*", "status:*")

    all_matches: bool = option(default=False, doc="Report every diplotype that fits, not only the best-scoring ones.")
    combinations: bool = option(default=False, doc="Where no pair of named alleles fits, combine them: [*2 + *5].")

    def sites(self) -> pl.DataFrame:
        """Every defining site of the release, on both builds."""
        return sites_table()

    def names(self) -> dict[str, str]:
        """What there is of each gene."""
        kinds = ("diplotype", "phenotype", "phenotypes", "activity-score")
        return {name: name for name in (f"{kind}:{gene}" for kind in kinds for gene in genes())}

    def run(self, tables: Tables, wanted: Sequence[str]) -> dict[str, pl.DataFrame]:
        """Return ``gene_results`` and the wanted features; a patient's first sample speaks for the patient."""
        samples = tables["samples"].unique("patient_id", keep="first", maintain_order=True)
        results, features, signs = self._read(samples, tables["genotypes"], tuple(wanted))
        outside = tables.get("outside_calls", TABLES["outside_calls"].empty())
        found = told(apply(results, outside, samples), signs)
        people = found.lazy().select("patient_id").unique(maintain_order=True)
        wide = pl.concat([features.lazy(), people], how="diagonal").unique(
            "patient_id", keep="first", maintain_order=True).pipe(as_written)
        return {"gene_results": found, "features": _features(wide, found, wanted)}

    @cached_property
    def _read(self) -> Callable[[pl.DataFrame, pl.DataFrame, tuple[str, ...]], tuple[pl.DataFrame, ...]]:
        # A question that gives a genotype changes what another tool says, not the genome.
        return unless_repeated(self._from_genomes)

    def _from_genomes(self, samples: pl.DataFrame, genotypes: pl.DataFrame, wanted: tuple[str, ...]
                      ) -> tuple[pl.DataFrame, ...]:
        """What the genomes say, whatever other tools do: results, features of single sites, and hints."""
        results, features = [TABLES["gene_results"].empty()], [samples.select("patient_id").clear()]
        grid, signs = Grid.of(genotypes), [hints(samples["patient_id"].clear(), lambda _: ())]
        where = {name: number for number, name in enumerate(grid.samples)}
        for (build,), part in samples.group_by("build", maintain_order=True):
            index = np.array([where.get(name, -1) for name in part["sample"]], dtype=np.int64)
            results += [self._isolated(grid, gene, str(build), index, part["patient_id"]) for gene in genes().values()]
            features.append(part.select("patient_id", *_genotypes(grid, str(build), index, wanted)))
            signs.append(_hints(grid, str(build), index, part["patient_id"]))
        return pl.concat(results), pl.concat(features, how="diagonal"), pl.concat(signs)

    def _isolated(self, grid: Grid, gene: Gene, build: str, index: npt.NDArray[np.int64],
                  patients: pl.Series) -> pl.DataFrame:
        """The gene's rows; where calling it breaks, rows that say so, and the other genes are none the worse."""
        try:
            return self._call(grid, gene, build, index, patients)
        except PmedError:
            raise
        except Exception as error:
            told = [{"code": "failed", "text": f"calling {gene.name} broke, nothing is known of it: {error!r}"}]
            row = {"patient_id": "", "gene": gene.name, "status": "not-called", "complete": False, "messages": told}
            return TABLES["gene_results"].frame([row] * len(patients)).with_columns(patients)

    def _call(self, grid: Grid, gene: Gene, build: str, index: npt.NDArray[np.int64],
              patients: pl.Series) -> pl.DataFrame:
        seen = patterns(grid, gene, build, index)
        return TABLES["gene_results"].frame([self._row(gene, *pattern) for pattern in seen.kept])[seen.of].with_columns(
            patients)

    def _row(self, gene: Gene, codes: Codes, groups: Groups, assumed: bool) -> dict[str, Any]:
        """The row of one pattern; most of those of a cohort's next thousand people were there before."""
        key = gene.name, codes.tobytes(), groups.tobytes(), assumed
        if key not in self._rows:
            if len(self._rows) >= MOST_ROWS:
                self._rows.clear()
            how = How(self.all_matches, self.combinations)
            self._rows[key] = {"patient_id": "", **call(gene, codes, groups, assumed=assumed, how=how)}
        return self._rows[key]

    @cached_property
    def _rows(self) -> dict[tuple[str, bytes, bytes, bool], dict[str, Any]]:
        return {}


def _hints(grid: Grid, build: str, samples: npt.NDArray[np.int64], patients: pl.Series) -> pl.DataFrame:
    """Carriers of variants that hint at an HLA allele."""
    def read(row: dict[str, Any]) -> list[str | None]:
        site = Site(row["site"], row["pos"], (row["ref"], row["alt"]), row["pos37"], row["ref37"])
        return bases(grid, genes()[row["gene"]], site, build, samples)
    return hints(patients, read)


def _genotypes(grid: Grid, build: str, samples: npt.NDArray[np.int64], wanted: Sequence[str]) -> list[pl.Series]:
    """``genotype:<rsID>`` of the wanted sites: forward strand, REF first, null where unknown."""
    return [pl.Series(f"genotype:{site.name}", bases(grid, gene, site, build, samples), dtype=pl.String)
            for gene in genes().values() for site in (*gene.sites, *gene.extras) if f"genotype:{site.name}" in wanted]


def _features(wide: pl.DataFrame, results: pl.DataFrame, wanted: Sequence[str]) -> pl.DataFrame:
    """The wanted columns; what a missing key site makes doubtful is null.

    ``phenotypes:<GENE>`` is every phenotype that stays possible, joined by " or ".
    """
    single = pl.col("lookup_diplotypes").list.len() == 1
    sure = results.select(
        "patient_id", "gene", pl.when("complete").then("phenotype").alias("phenotype"),
        pl.when("complete").then("activity_score").alias("activity-score"),
        pl.when(pl.col("possible_phenotypes").list.len() > 0).then(
            pl.col("possible_phenotypes").list.join(" or ")).alias("phenotypes"),
        diplotype=pl.when(single & pl.col("complete")).then(pl.col("lookup_diplotypes").list.first()))
    wide = wide.join(statuses(results, [name for name in wanted if name.startswith(STATUS)]), on="patient_id",
                     how="left", maintain_order="left")
    kinds = sure.drop("patient_id", "gene").schema
    whole = wide.join(sure.pivot("gene", index="patient_id", values=list(kinds), separator=":").select(
        "patient_id", pl.selectors.by_name(wanted, require_all=False)), on="patient_id", how="left",
        maintain_order="left")
    absent = [pl.lit(None, dtype=kinds.get(name.partition(":")[0], pl.String())).alias(name) for name in wanted
              if name not in whole.columns]
    return whole.with_columns(absent).select("patient_id", *wanted)
