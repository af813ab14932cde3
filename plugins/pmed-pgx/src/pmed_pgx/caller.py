"""Feature step: star-allele diplotypes, functions and phenotypes of every sample and gene."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import polars as pl

from pmed import PmedError, option
from pmed.plans import as_written
from pmed.repeats import unless_repeated
from pmed.tables import TABLES, Tables

from . import spelling
from .calls import DIPLOTYPE_OPEN, How, call
from .copies import open_where_more
from .evidence import weak
from .hints import hints, told
from .knowledge import Gene, Site, genes, sites_table
from .outside import apply, statuses
from .outside.hla import STATUS
from .patterns import Grid, bases, patterns

MOST_ROWS = 20_000
Called = tuple[pl.DataFrame, npt.NDArray[np.int64]]


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
        """What there is of each gene, each site and each HLA allele that is asked for."""
        return {name: name for name in spelling.names()}

    def written(self, name: str, value: Any) -> Any:
        """A value of somebody else as it is written here: REF first, the lower allele first.

        Raises:
            InputError: where the feature never says that.
        """
        return spelling.written(name, value)

    def run(self, tables: Tables, wanted: Sequence[str]) -> dict[str, pl.DataFrame]:
        """Return ``gene_results`` and the wanted features; a patient's first sample speaks for the patient."""
        samples = tables["samples"].unique("patient_id", keep="first", maintain_order=True)
        results, features, signs = self._read(samples, tables["genotypes"], tuple(wanted))
        results = open_where_more(results, tables.get("coverage", TABLES["coverage"].empty()), samples)
        outside = tables.get("outside_calls", TABLES["outside_calls"].empty())
        patients = tables.get("patients", TABLES["patients"].empty())
        found = told(apply(results, outside, samples, patients), signs)
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
            called = [self._isolated(grid, gene, str(build), index) for gene in genes().values()]
            results.append(_of_everybody(called, part["patient_id"]))
            features.append(part.select("patient_id", *_genotypes(grid, str(build), index, wanted)))
            signs.append(_hints(grid, str(build), index, part["patient_id"]))
        signs.append(weak(genotypes, samples))
        return pl.concat(results), pl.concat(features, how="diagonal"), pl.concat(signs)

    def _isolated(self, grid: Grid, gene: Gene, build: str, index: npt.NDArray[np.int64]) -> Called:
        """The gene's rows; where calling it breaks, rows that say so, and the other genes are none the worse."""
        try:
            return self._call(grid, gene, build, index)
        except PmedError:
            raise
        except Exception as error:
            told = [{"code": "failed", "text": f"calling {gene.name} broke, nothing is known of it: {error!r}"}]
            row = {"patient_id": "", "gene": gene.name, "status": "not-called", "complete": False, "messages": told}
            return TABLES["gene_results"].frame([row]), np.zeros(len(index), dtype=np.int64)

    def _call(self, grid: Grid, gene: Gene, build: str, index: npt.NDArray[np.int64]) -> Called:
        """Most patterns of a cohort's next thousand people were there before: only those that are new are called."""
        seen = patterns(grid, gene, build, index)
        known = self._known.setdefault(gene.name, Known())
        if len(known.place) >= MOST_ROWS:
            known = self._known[gene.name] = Known()
        keys = [(codes.tobytes(), groups.tobytes(), assumed) for codes, groups, assumed in seen.kept]
        fresh = {key: pattern for key, pattern in zip(keys, seen.kept, strict=True) if key not in known.place}
        if fresh:
            how = How(self.all_matches, self.combinations)
            known.add(list(fresh), [{"patient_id": "", **call(gene, codes, groups, assumed=assumed, how=how)}
                                    for codes, groups, assumed in fresh.values()])
        return known.rows, np.array([known.place[key] for key in keys], dtype=np.int64)[seen.of]

    @cached_property
    def _known(self) -> dict[str, Known]:
        return {}


@dataclass
class Known:
    """The rows of a gene's patterns that were called before, and where the row of each pattern is."""

    place: dict[tuple[bytes, bytes, bool], int] = field(default_factory=dict)
    rows: pl.DataFrame = field(default_factory=TABLES["gene_results"].empty)

    def add(self, keys: Sequence[tuple[bytes, bytes, bool]], rows: Sequence[dict[str, Any]]) -> None:
        """Remember more."""
        self.rows = pl.concat([self.rows, TABLES["gene_results"].frame(rows)], rechunk=True)
        self.place.update(zip(keys, range(len(self.place), self.rows.height), strict=True))


def _of_everybody(called: Sequence[Called], patients: pl.Series) -> pl.DataFrame:
    """The rows of all patients, gene by gene: of each gene its distinct rows, and which of them each patient has."""
    heights = np.array([rows.height for rows, _ in called])
    before = np.cumsum(heights) - heights
    place = np.concatenate([of + first for (_, of), first in zip(called, before, strict=True)])
    everybody = pl.concat([patients] * len(called), rechunk=True)
    distinct = pl.concat([rows for rows, _ in called], rechunk=True)
    return distinct[pl.Series(place, dtype=pl.UInt32)].with_columns(everybody)


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
    if not wanted:
        return wide.select("patient_id")
    still_open = pl.col("messages").list.eval(pl.element().struct.field("code") == DIPLOTYPE_OPEN).list.any()
    single = (pl.col("lookup_diplotypes").list.len() == 1) & ~still_open.fill_null(value=False)
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
