"""Checks of one knowledge release: what must hold before it may be read, and what must hold to rely on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from itertools import combinations_with_replacement

import polars as pl

from .assembly import assemble
from .citations import KNOWN_SOURCE, guideline_faults
from .model import Gene
from .reach import lost
from .release_folder import FIRST_LINE, Tables, read_release, read_table, type_faults
from .release_tables import CORE, RELEASE

Genes = Mapping[str, Gene]
LARGEST_SHARE = 1.02  # frequencies of one source may be rounded


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong: which check saw it, in what, and a line that says it."""

    check: str
    gene: str
    name: str
    text: str

    @property
    def key(self) -> tuple[str, str, str]:
        """What table ``exceptions`` names it by."""
        return self.gene, self.check, self.name


def verify(folder: Traversable, more: Traversable | None = None) -> list[str]:
    """Every fault of the release in a folder, one line each; what `more` excepts is excepted where it has no own list.

    Raises:
        InputError: where it cannot be read as a release at all.
    """
    tables, own = read_release(folder), (folder / "exceptions.tsv").is_file()
    if more is not None and not own:
        tables["exceptions"] = read_table(more, "exceptions")
    if broken := [*structure(tables), *_types_of_the_rest(tables)]:
        return broken
    known = assemble(lambda name: tables[name])
    found = [fault for check in TABLE_CHECKS for fault in check(tables)]
    found += [fault for check in GENE_CHECKS for fault in check(known)]
    excepted = {(gene, check, name) for gene, check, name, _ in tables["exceptions"].iter_rows()}
    stale = sorted(excepted - {fault.key for fault in found}) if own else []
    return [*(fault.text for fault in found if fault.key not in excepted),
            *(f"exceptions.tsv: {' '.join(key)} is no fault (any more)" for key in stale),
            *guideline_faults(folder)]


def structure(tables: Tables) -> Iterator[str]:
    """What keeps genes from being read: wrong fields, and rows that point to what is not there; with file and line."""
    wrong = [fault for name in (*CORE, "priorities") for fault in type_faults(name, tables[name])]
    yield from wrong
    if wrong:
        return
    for name in ("sites", "alleles", "definitions", "phenotypes", "priorities"):
        yield from _dangling(tables, name, ("gene",), "genes")
    yield from _dangling(tables, "definitions", ("gene", "site"), "sites")
    yield from _dangling(tables, "definitions", ("gene", "allele"), "alleles")
    yield from _strange_bases(tables)
    yield from _references(tables)


def _types_of_the_rest(tables: Tables) -> Iterator[str]:
    for name in RELEASE:
        if name not in (*CORE, "priorities"):
            yield from type_faults(name, tables[name])


def _dangling(tables: Tables, name: str, key: tuple[str, ...], other: str) -> Iterator[str]:
    rows = tables[name].with_row_index("line", offset=FIRST_LINE)
    for row in rows.join(tables[other], on=key, how="anti").sort("line").iter_rows(named=True):
        yield f"{name}.tsv line {row['line']}: {' '.join(row[one] for one in key)} is not in {other}.tsv"


def _strange_bases(tables: Tables) -> Iterator[str]:
    """A definition's base that is none of the site's alleles, or defines by a site that is only read for advice."""
    sites = tables["sites"].select("gene", "site", "role", "ref", "alts")
    rows = tables["definitions"].with_row_index("line", offset=FIRST_LINE).join(sites, on=("gene", "site"), how="inner")
    known = pl.concat_list("ref", pl.col("alts").str.split("|"))
    wrong = ~pl.col("bases").str.split("|").list.set_difference(known).list.len().eq(0) | pl.col("role").eq("extra")
    for row in rows.filter(wrong).sort("line").iter_rows(named=True):
        place = f"definitions.tsv line {row['line']}: {row['gene']} {row['allele']} has {row['bases']} at {row['site']}"
        yield f"{place}, which is {row['ref']}>{row['alts']} ({row['role']})"


def _references(tables: Tables) -> Iterator[str]:
    """The reference allele must name every site, or blanks mean nothing."""
    rows = tables["genes"].with_row_index("line", offset=FIRST_LINE).filter(pl.col("kind") != "status")
    for row in rows.iter_rows(named=True):
        named = tables["definitions"].filter(gene=row["gene"], allele=row["reference_allele"] or "")["site"]
        sites = tables["sites"].filter(pl.col("gene") == row["gene"], pl.col("role") != "extra")["site"]
        if missing := sorted(set(sites) - set(named)):
            place = f"genes.tsv line {row['line']}: {row['gene']} reference allele {row['reference_allele']}"
            yield f"{place} does not name {len(missing)} sites, {missing[0]} first"


def _same_alleles(known: Genes) -> Iterator[Fault]:
    """Two names of one definition."""
    for gene in known.values():
        first: dict[bytes, str] = {}
        for name, bases in zip(gene.alleles, gene.allowed, strict=True):
            if (other := first.setdefault(bases.tobytes(), name)) != name:
                yield Fault("same", gene.name, name, f"{gene.name} {name} and {other} have the same bases everywhere")


def _not_ref(tables: Tables) -> Iterator[Fault]:
    """A reference allele that is not REF."""
    named = tables["genes"].select("gene", pl.col("reference_allele").alias("allele"))
    rows = tables["definitions"].join(named, on=("gene", "allele")).join(tables["sites"], on=("gene", "site"))
    for row in rows.filter(~pl.col("bases").str.split("|").list.contains(pl.col("ref"))).iter_rows(named=True):
        yield Fault("reference", row["gene"], row["site"],
                    f"{row['gene']} {row['allele']} is {row['bases']}, not REF ({row['ref']}), at {row['site']}")


def _unsorted(tables: Tables) -> Iterator[Fault]:
    """Sites out of order, or two of one position, on either build."""
    for build, column in (("GRCh38", "pos"), ("GRCh37", "pos37")):
        placed = tables["sites"].cast({column: pl.Int64}).drop_nulls(column)
        step = pl.col(column).diff().over("gene", mapping_strategy="group_to_rows")
        for row in placed.with_columns(step=step).filter(pl.col("step") <= 0).iter_rows(named=True):
            said = "is at the same position as the site before it" if row["step"] == 0 else "is out of order"
            yield Fault("order", row["gene"], row["site"], f"{row['gene']} {row['site']} {said} on {build}")


def _strange_offsets(tables: Tables) -> Iterator[Fault]:
    """A GRCh37 position whose distance from GRCh38 is not that of the gene's other sites."""
    placed = tables["sites"].drop_nulls("pos37").with_columns(offset=pl.col("pos37").cast(pl.Int64) -
                                                              pl.col("pos").cast(pl.Int64))
    usual = pl.col("offset").mode().sort().first().over("gene")
    for row in placed.with_columns(usual=usual).filter(pl.col("offset") != pl.col("usual")).iter_rows(named=True):
        yield Fault("offset", row["gene"], row["site"], f"{row['gene']} {row['site']} is {row['offset']:+d} on GRCh37, "
                                                        f"the gene's other sites {row['usual']:+d}")


def _unreachable(known: Genes) -> Iterator[Fault]:
    """An allele that a genome made of its own definition does not get."""
    for gene in known.values():
        for name, instead in lost(gene):
            yield Fault("reach", gene.name, name,
                        f"{gene.name} {name}: a genome of it is called {'; '.join(instead) or 'nothing'}")


def _no_rule(known: Genes) -> Iterator[Fault]:
    """Two functions (or activity values) that no rule knows, and rules of functions that no allele has."""
    for gene in (one for one in known.values() if one.rules):
        keys = sorted(_keys(gene))
        singles, pairs = {("", key) for key in keys}, set(combinations_with_replacement(keys, 2))
        wanted = {"MT": singles, "X": singles | pairs}.get(gene.ploidy, pairs)
        for pair in sorted(wanted - set(gene.rules)):
            yield Fault("rule", gene.name, "|".join(pair), f"{gene.name}: no phenotype for {' + '.join(pair)}")
        for pair in sorted(gene.rules):
            if strange := [key for key in pair if key and key not in keys]:
                yield Fault("function", gene.name, "|".join(pair), f"{gene.name}: a rule reads {strange[0]!r}, "
                                                                   f"which is the {gene.by} of no allele")


def _keys(gene: Gene) -> set[str]:
    if gene.by == "function":
        return set(gene.functions.values())
    return {f"{gene.activities[name]:g}" if name in gene.activities else "n/a" for name in gene.functions}


def _no_core(tables: Tables) -> Iterator[Fault]:
    """An allele called under a name that is none."""
    rows = tables["alleles"].join(tables["alleles"], left_on=("gene", "core"), right_on=("gene", "allele"), how="anti")
    for row in rows.iter_rows(named=True):
        name = f"{row['gene']} {row['allele']}"
        yield Fault("core", row["gene"], row["allele"], f"{name} is called {row['core']}, which is no allele")


def _strange_names(tables: Tables) -> Iterator[Fault]:
    """Priorities, fallbacks, synonyms and frequencies that name no allele of the release."""
    alleles = set(tables["alleles"].select("gene", "allele").iter_rows())
    named = [("priorities", gene, one) for gene, among, pick, _ in tables["priorities"].iter_rows()
             for pair in (*among.split("|"), pick) for one in pair.split("/")]
    named += [("fallbacks", gene, name) for gene, name in tables["fallbacks"].select("gene", "allele").iter_rows()]
    named += [("synonyms", gene, one) for gene, now in tables["synonyms"].select("gene", "now").iter_rows()
              for one in now.split("|")]
    named += [("frequencies", gene, name) for gene, name in tables["frequencies"].select("gene", "allele").iter_rows()]
    genes = set(tables["genes"]["gene"])
    for name, gene, allele in dict.fromkeys(named):
        if gene in genes and (gene, allele) not in alleles:
            yield Fault("name", gene, allele, f"{name}.tsv: {gene} {allele} is no allele of the release")


def _living_synonyms(tables: Tables) -> Iterator[Fault]:
    """An older name that is the name of an allele today: it could mean either."""
    alleles = tables["alleles"].select("gene", pl.col("allele").alias("name"))
    for row in tables["synonyms"].join(alleles, on=("gene", "name"), how="semi").iter_rows(named=True):
        yield Fault("synonym", row["gene"], row["name"],
                    f"synonyms.tsv: {row['gene']} {row['name']} is an allele of the release itself")


def _strange_proxies(tables: Tables) -> Iterator[Fault]:
    """A proxy whose allele is of no status gene, or whose tagged base is none of its bases."""
    kind = dict(tables["genes"].select("gene", "kind").iter_rows())
    for row in tables["proxies"].iter_rows(named=True):
        placed = kind.get(row["gene"], "status") == "status" and row["allele"].startswith(f"{row['gene']}*")
        if not placed or row["tagged"] not in {row["ref"], row["alt"]}:
            yield Fault("proxy", row["gene"], row["site"], f"proxies.tsv: {row['site']} {row['ref']}>{row['alt']} tags "
                                                           f"{row['allele']} of {row['gene']} by {row['tagged']}")


def _strange_shares(tables: Tables) -> Iterator[Fault]:
    """Frequencies beyond 0 to 1, alone or together."""
    rows = tables["frequencies"].cast({"frequency": pl.Float64})
    total = rows.group_by("gene", "population", "source").agg(pl.col("frequency").sum(),
                                                              pl.col("frequency").min().alias("least"))
    wrong = total.filter((pl.col("frequency") > LARGEST_SHARE) | (pl.col("least") < 0))
    for row in wrong.sort("gene").iter_rows(named=True):
        yield Fault("share", row["gene"], row["population"],
                    f"frequencies.tsv: {row['gene']} in {row['population']} adds up to {row['frequency']:.3f}")


def _no_source(tables: Tables) -> Iterator[Fault]:
    """Rows whose source is no PMID, no DOI and no publication that the release knows."""
    for name, frame in tables.items():
        # A table that also has a citation has the source as a person would name it.
        if "source" in frame.columns and "citation" not in frame.columns and name != "guidance":
            for source in frame["source"].unique().sort():
                if not KNOWN_SOURCE.search(source):
                    row = frame.with_row_index("line", offset=FIRST_LINE).filter(source=source).row(0, named=True)
                    said = f"source {source!r} is no PMID, no DOI and no known publication"
                    who = row.get("gene") or row.get("drug") or ""
                    yield Fault("source", who, source, f"{name}.tsv line {row['line']}: {said}")


GENE_CHECKS = (_same_alleles, _unreachable, _no_rule)
TABLE_CHECKS = (_not_ref, _unsorted, _strange_offsets, _no_core, _strange_names, _living_synonyms, _strange_proxies,
                _strange_shares, _no_source)
