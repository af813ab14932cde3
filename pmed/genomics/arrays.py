"""Raw data of consumer arrays (23andMe, AncestryDNA) as the header and records of a VCF file.

An export has one row for each probe: an rsID or a name of the company's own, chromosome, 1-based position, and the
bases seen, on the forward strand of the build. What REF and ALT are only the sites know, so a row counts where it
stands at a site of the file's build. It tells two alleles apart and no more. All else that it shows leaves the site
unknown:

- a base that is neither REF nor an ALT of a site there, also where it would fit the other strand (nothing is turned);
- ``I`` and ``D`` (the longer and the shorter allele) where not exactly one insertion or deletion is known;
- one base where there are two copies, or two different ones where there is one;
- and of an insertion or deletion what a row of bases shows at the base before it, and the other way round.

A record names every base known at its position as ALT, seen or not: so two probes, or an array and a VCF, contradict
each other when one of them says reference.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import polars as pl

from pmed.errors import GenomeError

from .alleles import Sites, positions, with_chr
from .array_files import Head, from_zip, head_of, is_array, is_zip
from .array_probes import Probe, Probes, is_base, places
from .builds import Evidence, build_named
from .files import check_whole, unpacked
from .header import Header
from .records import Read, Record
from .syntax import Fault

__all__ = ["array_evidence", "array_rows", "is_array", "read_array", "read_array_header"]

_HEAD = 1 << 16
_MOST = 1 << 29  # bytes; an export has some 20 million, one with imputed rows some 300 million
_SUFFIXES = re.compile(r"(?:\.(?:txt|tsv|csv|zip|gz|bgz))+$", re.IGNORECASE)
_BUILD = re.compile(r"\bbuild[\s:=]*([0-9]{2})(?![0-9])", re.IGNORECASE)
_NUMBERED = {"36": "NCBI36", "37": "GRCh37", "38": "GRCh38"}
_NOT_ONE = "is not a raw data export of 23andMe or AncestryDNA"
_WARNING = ("{} data are not validated for clinical use, and calls of rare variants are often wrong "
            "(Tandy-Connor 2018, PMID:29565420): confirm in a clinical laboratory before acting")


def read_array_header(path: Path) -> Header:
    """Read the head of an export: one sample, named like the file; the company, and the build if the comments say it.

    Raises:
        GenomeError: no such file, truncated, not such an export, on a build that is not read.
    """
    check_whole(path)
    head = _head(path)
    builds = _builds(head, path)
    meta = (("source", head.source), *(("reference", build) for build in builds))
    return Header(path, (_SUFFIXES.sub("", path.name) or path.name,), meta, "array")


def array_rows(header: Header) -> pl.DataFrame:
    """Every row of an export: line, number (from 1), id, chrom (with 'chr'), pos (1-based), genotype as written.

    Raises:
        GenomeError: the file breaks off, is too large, has no rows, or one that is not of these columns.
    """
    raw = _contents(header.path, _MOST + 1)
    if len(raw) > _MOST:
        raise GenomeError(f"unpacks to more than {_MOST >> 20} MB, too much for an array", where=str(header.path))
    columns = _head(header.path).columns
    text = pl.col("text").str.split("\n").explode(empty_as_null=False).str.strip_chars_end("\r ")
    lines = pl.DataFrame({"text": [raw.decode("utf-8", "replace").removeprefix("\ufeff")]}).select(text)
    lines = lines.with_row_index("line", 1)
    parts = pl.col("text").str.split_exact("\t", columns).struct.rename_fields([f"c{i}" for i in range(columns + 1)])
    rows = lines.filter((pl.col("text") != "") & ~pl.col("text").str.starts_with("#")).select(
        "line", parts.alias("parts")).unnest("parts").filter(~pl.col("c0").is_in(["rsid", "RSID"]))
    _must_be_whole(rows, columns, header.path)
    seen = pl.col("c3") if columns == 4 else pl.concat_str("c3", pl.lit("/"), "c4")
    return rows.with_row_index("number", 1).select(
        "line", "number", id="c0", chrom=_with_chr(rows["c1"]), pos=pl.col("c2").cast(pl.Int64), genotype=seen)


def array_evidence(rows: pl.DataFrame, sites: Iterable[Sites]) -> dict[str, Evidence]:
    """How the rows fit the sites of each build: by rsID and position together, since the file says nothing of REF.

    A row matches at a place where its rsID is known, and is against where another rsID is. Places that are the same in
    several builds (the mitochondrion) say nothing.
    """
    known = _known(sites)
    place = ["chrom", "pos"]
    telling = known.filter(pl.col("build").n_unique().over("name", *place) == 1)
    found: dict[str, Evidence] = {}
    for build in known["build"].unique(maintain_order=True):
        mine = telling.filter(pl.col("build") == build)
        here = rows.filter(pl.col("id").str.contains("^rs[0-9]")).join(mine, on=place, how="semi")
        matches = here.join(mine, left_on=["id", *place], right_on=["name", *place], how="semi")
        others = here.join(matches, on=place, how="anti").join(mine.filter("is_base"), on=place, how="semi")
        found[str(build)] = Evidence(matches.height, others.height)
    return found


def read_array(header: Header, sites: Sequence[Sites], rows: pl.DataFrame | None = None) -> Read:
    """The rows that stand at a site, as records with the REF of that site; see the module's text.

    Args:
        header: From `read_array_header`.
        sites: The sites of the file's build; of several builds only where it is not known yet.
        rows: From `array_rows`, where they have been read.

    Raises:
        GenomeError: as `array_rows`; a genotype at a site that cannot be read.
    """
    rows = array_rows(header) if rows is None else rows
    faults = [Fault("", "consumer-array", _WARNING.format(header.values("source")[0])), *_strays(rows, sites)]
    read = Read(contigs=set(rows["chrom"].unique()), faults=faults)
    records: dict[tuple[object, ...], Record] = {}
    for one in sites:
        probes = Probes(one)
        for probe in _near(rows, one, header.path):
            probes.take(probe)
        for record in probes.settled():
            records.setdefault((record.number, record.pos, record.ref, record.alts, record.calls), record)
        read.faults += probes.faults
    read.records = sorted(records.values(), key=lambda record: record.number)
    return read


def _head(path: Path) -> Head:
    head = head_of(_contents(path, _HEAD))
    if head is None:
        raise GenomeError(_NOT_ONE, where=str(path))
    return head


def _contents(path: Path, most: int) -> bytes:
    """The first `most` bytes, unpacked from zip, gzip or BGZF if need be."""
    if is_zip(path):
        return from_zip(path, most)
    with unpacked(path) as stream:
        return stream.read(most)


def _builds(head: Head, path: Path) -> list[str]:
    """The builds that the comments name; a sentence may go on in the next line."""
    numbers = dict.fromkeys(_BUILD.findall(" ".join(head.comments)))
    for number in numbers:
        if number not in _NUMBERED:
            raise GenomeError(f"is on build {number}, which is not read", where=str(path),
                              hint="give the genome on GRCh38 or GRCh37")
    named = filter(None, map(build_named, head.comments))
    return list(dict.fromkeys([*(_NUMBERED[number] for number in numbers), *named]))


def _must_be_whole(rows: pl.DataFrame, columns: int, path: Path) -> None:
    """Every row has all columns and a position, wherever it stands: else the file is damaged."""
    if not rows.height:
        raise GenomeError("has no genotypes: there is no row after the comments", where=str(path))
    odd = pl.col(f"c{columns - 1}").is_null() | pl.col(f"c{columns}").is_not_null()
    no_place = ~pl.col("c2").str.contains("^[0-9]{1,10}$").fill_null(value=False)
    wrong = rows.filter(odd | no_place).head(1)
    if not wrong.height:
        return
    many = wrong.select(odd).item()
    what = f"{columns} columns divided by tabs are expected" if many else "the position is not a whole number"
    raise GenomeError(f"not a row of genotypes: {what}", where=f"{path} line {wrong['line'][0]}",
                      hint="the file may be damaged or edited: download it again")


def _with_chr(names: pl.Series) -> pl.Series:
    """Contig names as ours: AncestryDNA's 23 to 26 are X, Y, the pseudo-autosomal part of X, and the mitochondrion."""
    distinct = names.unique().to_list()
    return names.replace_strict(distinct, [with_chr(name) for name in distinct], return_dtype=pl.String)


def _known(sites: Iterable[Sites]) -> pl.DataFrame:
    """(build, name, chrom, pos, is_base) of each place at which a row of a site may stand."""
    rows = [(one.build, site.name, with_chr(site.chrom), pos, is_base(site))
            for one in sites for site in one.rows for pos in places(site)]
    schema: Mapping[str, type[pl.DataType]] = {
        "build": pl.String, "name": pl.String, "chrom": pl.String, "pos": pl.Int64, "is_base": pl.Boolean}
    return pl.DataFrame(rows, schema=schema, orient="row").unique()


def _strays(rows: pl.DataFrame, sites: Sequence[Sites]) -> list[Fault]:
    """Rows with the rsID of a site that stand elsewhere: perhaps the file is not on the build it says."""
    known = _known(sites)
    everywhere = known.filter(pl.col("build").n_unique().over("name") == len(sites))
    stray = rows.filter(pl.col("id").is_in(everywhere["name"].unique().to_list())).join(
        known, left_on=["id", "chrom", "pos"], right_on=["name", "chrom", "pos"], how="anti").sort("line")
    if not stray.height:
        return []
    text = f"{stray.height} rows have the rsID of a known site and another position: they were not used"
    return [Fault(f"line {stray['line'][0]}", "array-position", text)]


def _near(rows: pl.DataFrame, sites: Sites, path: Path) -> Iterable[Probe]:
    """The rows that reach a site's stretch, in file order."""
    wanted = [(chrom, pos) for chrom, here in positions([sites]).items() for pos in here]
    frame = pl.DataFrame(wanted, schema={"chrom": pl.String, "pos": pl.Int64}, orient="row")
    for row in rows.join(frame, on=["chrom", "pos"], how="semi").sort("line").iter_rows(named=True):
        yield Probe.of(row["genotype"], path=str(path), line=row["line"], number=row["number"], name=row["id"],
                       chrom=row["chrom"], pos=row["pos"])
