"""The knowledge release in use: what is known of each gene, as facts with their sources.

The embedded tables in ``data/`` are made by ``tools/build_release.py``; positions are 1-based on GRCh38, with the
GRCh37 position and reference base where they are published. Adding a gene adds rows, never code. The environment
variable PMED_PGX_RELEASE names a folder made by ``pmed knowledge import`` that takes their place.
"""

from __future__ import annotations

import hashlib
import os
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import cast

import polars as pl

from pmed import Release
from pmed.errors import InputError, OptionError
from pmed.tables import TABLES

from .assembly import assemble
from .model import NO_FUNCTION, NORMAL, UNHARMED, Bools, Gene, Pair, Site, natural
from .release_folder import Layered, manifest, read_release, read_table
from .release_tables import CORE, RELEASE

__all__ = ["NORMAL", "NO_FUNCTION", "UNHARMED", "Bools", "Gene", "Pair", "Site", "digest", "embedded", "folder",
           "frequency", "genes", "natural", "proxies", "regions", "release", "sites_table", "synonyms", "table",
           "today"]
VARIABLE = "PMED_PGX_RELEASE"


def embedded() -> Traversable:
    """Where the embedded release is."""
    return files("pmed_pgx") / "data"


def folder() -> Traversable:
    """Where the release's files are: the folder that PMED_PGX_RELEASE names over the embedded one, or the latter.

    Raises:
        OptionError: where that folder is no sound release.
    """
    given = os.environ.get(VARIABLE)
    return _of_the_user(given) if given else embedded()


@cache
def _of_the_user(given: str) -> Traversable:
    """A user's release, looked at once before anything is read from it."""
    from .verify import structure  # the embedded release is verified by the tests, not at every start

    try:
        faults = list(structure(read_release(Path(given), embedded())))
    except InputError as error:
        raise OptionError(f"{VARIABLE}: {error.message}", where=error.where, hint=error.hint) from error
    if faults:
        more = f" and {len(faults) - 1} more" if len(faults) > 1 else ""
        raise OptionError(f"{VARIABLE}: {faults[0]}{more}", where=given,
                          hint=f"{VARIABLE}= pmed knowledge verify {given} lists every fault")
    # Layered has what a release is read by: iterdir and the slash.
    return cast("Traversable", Layered(Path(given), embedded()))


@cache
def table(name: str) -> pl.DataFrame:
    """One table of the release as text columns; an empty field is null.

    Raises:
        InputError: where it is missing or its header is not the table's.
    """
    return read_table(folder(), name)


@cache
def genes() -> dict[str, Gene]:
    """Every gene of the release, by symbol, in alphabetical order."""
    return assemble(table)


def sites_table() -> pl.DataFrame:
    """The ``sites`` table of all genes and HLA proxies on both builds (1-based, forward strand)."""
    rows = [{"build": build, "chrom": chrom, "pos": pos, "ref": ref, "alt": alt, "site": site.name}
            for chrom, site in _sites() for build in ("GRCh38", "GRCh37") for pos, ref, alt in site.rows(build)]
    return TABLES["sites"].frame(rows)


def _sites() -> list[tuple[str, Site]]:
    mine = [(gene.chrom, site) for gene in genes().values() for site in (*gene.sites, *gene.extras)]
    places = proxies().unique("site", maintain_order=True).iter_rows(named=True)
    return mine + [(row["chrom"], Site(row["site"], row["pos"], (row["ref"], row["alt"]), row["pos37"], row["ref37"]))
                   for row in places]


@cache
def proxies() -> pl.DataFrame:
    """Variants that hint at an HLA allele, as table ``proxies`` of the release says; never a call."""
    return _typed("proxies")


@cache
def regions() -> pl.DataFrame:
    """build, chrom, gene, first and last position (1-based): its transcripts, and its sites where these go further."""
    sites = [(build, gene.chrom, gene.name, pos, pos) for gene in genes().values() for build in ("GRCh38", "GRCh37")
             for site in gene.sites for pos, _, _ in site.rows(build)]
    ends = [(build, genes()[row["gene"]].chrom, row["gene"], row[first], row[last])
            for row in _typed("regions").iter_rows(named=True) if row["gene"] in genes()
            for build, first, last in (("GRCh38", "start", "end"), ("GRCh37", "start37", "end37"))]
    frame = pl.DataFrame([*sites, *ends], schema=["build", "chrom", "gene", "first", "last"], orient="row")
    return frame.group_by("build", "chrom", "gene", maintain_order=True).agg(
        pl.col("first").min(), pl.col("last").max())


@cache
def synonyms() -> dict[tuple[str, str], tuple[str, ...]]:
    """(gene, older name) → what the allele is called today; several where the older name was split."""
    return {(gene, name): tuple(now.split("|")) for gene, name, now in
            table("synonyms").select("gene", "name", "now").iter_rows()}


def today(gene: str, name: str) -> tuple[str, ...]:
    """What an allele is called today: itself, its row in ``synonyms``, or its core allele; empty where unknown.

    A suballele (``*4.013``) has its core's name. In the CYP genes a letter (``*4A``) named one before the numbers did.

    >>> today("SLCO1B1", "*1B"), today("CYP2D6", "*4.013"), today("CYP2C19", "*4B"), today("CYP2C19", "*999")
    (('*37',), ('*4',), ('*4',), ())
    """
    known = genes()[gene].core if gene in genes() else {}
    number = name.partition(".")[0]
    plain = number.rstrip("ABCDEFGHIJKLMN") if gene.startswith("CYP") else number
    for one in (name, number, plain):
        if one in known:
            return (known[one],)
        if (gene, one) in synonyms():
            return tuple(now for now in synonyms()[gene, one] if now in known)
    return ()


def older(gene: str, allele: str) -> tuple[str, ...]:
    """What an allele was called by tests that did not look at all that defines it today; empty for most.

    >>> older("SLCO1B1", "*37"), older("CYP2C19", "*2")
    (('*1',), ())
    """
    return tuple(table("older").filter(gene=gene, allele=allele)["older"])


def frequency(gene: str, allele: str, population: str) -> float | None:
    """Share of chromosomes of a population that carry an allele (0 to 1); None where the release has no number."""
    return _frequencies().get((gene, allele, population))


@cache
def _frequencies() -> dict[tuple[str, str, str], float]:
    rows = _typed("frequencies").select("gene", "allele", "population", "frequency").iter_rows()
    return {(gene, allele, population): share for gene, allele, population, share in rows}


def _typed(name: str) -> pl.DataFrame:
    wanted = [pl.col(column).cast(about.dtype) for column, about in RELEASE[name].columns.items()]
    try:
        return table(name).select(wanted)
    except pl.exceptions.PolarsError as error:
        raise InputError(f"not a number: {str(error).splitlines()[0]}", where=str(folder() / f"{name}.tsv")) from error


@cache
def digest() -> str:
    """sha256 over the names and contents of the release's files."""
    total = hashlib.sha256()
    for file in sorted((one for one in folder().iterdir() if one.is_file()), key=lambda one: one.name):
        total.update(file.name.encode() + b"\0" + file.read_bytes())
    return total.hexdigest()


def release() -> Release:
    """The release as the host records it in every result."""
    given = os.environ.get(VARIABLE)
    about = manifest(Path(given) if given else embedded())
    names = table("drug_names").select(TABLES["drug_names"].names)
    return Release(name=about.name, version=about.version, date=about.date, licence=about.licence,
                   source=about.source + (_completed(Path(given)) if given else ""), sha256=digest(),
                   tables={"drug_names": names, "drug_classes": _drug_classes()})


def _drug_classes() -> pl.DataFrame:
    """Classes by what a drug is (those of the ATC index), and by what it is given for."""
    kinds = table("classes").filter(pl.col("source").str.contains("ATC")).select(
        "drug", pl.col("class").str.replace_all("-", " "))
    return pl.concat([kinds, table("substitutes").select("drug", pl.col("use").alias("class"))]).unique(
        maintain_order=True)


def _completed(own: Path) -> str:
    """Which parts are the embedded release's, in words."""
    lent = [name for name in RELEASE if name not in (*CORE, "guidance") and not (own / f"{name}.tsv").is_file()]
    lent += [name for name in ("drug_names", "findings") if not (own / f"{name}.tsv").is_file()]
    lent += [] if list(own.glob("guideline-*.toml")) else ["guideline rows"]
    return f"; from the embedded release: {', '.join(lent)}" if lent else ""
