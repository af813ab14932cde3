"""Write the whole genome that the benchmarks read: 4.5 million records of one invented person on GRCh38.

    python -m benchmarks.make_genome out/bench

Lines are shaped as GATK's HaplotypeCaller writes them (GT:AD:DP:GQ:PL, some with PGT, PID and PS; VQSR INFO), and are
about 230 bytes long. Bases and numbers are random, the seed is fixed. A third of the sites that the installed plugins
ask for get a record with the site's own change; no other record lies near any of them.

Beside the genome: its index, the same file under a name without an index, chromosome 1 alone, the sites, and their
regions as BED. Nothing is done where the folder has all that, for these sites, already.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import multiprocessing
import os
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import pysam

from benchmarks import gatk
from benchmarks.measure import make_once

VERSION = 1
RECORDS = 4_500_000
SEED = 2_026
SAMPLE = "BENCH"
SITE_SHARE = 3
# Regions nearer than this are one: unpacking a little more is cheaper than another seek.
GAP = 4_000
# No made-up record starts so close to a needed site that its REF could reach it.
CLEAR = 60
# Lengths of chr1 to chr22, chrX, chrY in GRCh38 (GCA_000001405.15).
LENGTHS = (248956422, 242193529, 198295559, 190214555, 181538259, 170805979, 159345973, 145138636, 138394717, 133797422,
           135086622, 133275309, 114364328, 107043718, 101991189, 90338345, 83257441, 80373285, 58617616, 64444167,
           46709983, 50818468, 156040895, 57227415)
CONTIGS = dict(zip((f"chr{name}" for name in (*range(1, 23), "X", "Y")), LENGTHS, strict=True))
BGZF_END = 28  # bytes of the empty block that ends a BGZF file (SAM specification 1.6, section 4.1.2)


def needed_sites() -> pl.DataFrame:
    """The ``sites`` table that a run with all installed plugins asks for, all builds."""
    from pmed.engine import Engine
    from pmed.settings import Settings
    engine = Engine.start(Settings())
    request = engine.request([*engine.steps, *engine.predictors])
    return request.sites.sort("build", "chrom", "pos", "ref", "alt")


def on_build(sites: pl.DataFrame) -> pl.DataFrame:
    """The sites of the genome's own build, those that are on its contigs."""
    here = sites.filter(pl.col("build") == "GRCh38", pl.col("chrom").is_in(list(CONTIGS)))
    return here.sort("chrom", "pos", "ref", "alt")


def by_contig(sites: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """The sites of the genome's own build, contig by contig."""
    here = on_build(sites)
    return {chrom: here.filter(pl.col("chrom") == chrom) for chrom in CONTIGS}


def regions(sites: pl.DataFrame) -> Iterator[tuple[str, int, int]]:
    """Merged regions of sites sorted by chrom and pos, as BED has them: 0-based start, end not in it."""
    chrom, start, end = "", 0, 0
    for here, pos in sites.select("chrom", "pos").iter_rows():
        if here == chrom and pos - end <= GAP:
            end = pos
            continue
        if chrom:
            yield chrom, start, end
        chrom, start, end = here, pos - 1, pos
    if chrom:
        yield chrom, start, end


def shares(records: int) -> dict[str, int]:
    """How many records each contig gets, by its length."""
    total = sum(LENGTHS)
    counts = {name: records * length // total for name, length in CONTIGS.items()}
    counts["chr1"] += records - sum(counts.values())
    return counts


def planted(sites: pl.DataFrame) -> pl.DataFrame:
    """Every third site as a record: pos, id, ref, alt; none reaches into the next."""
    rows, last = [], 0
    for pos, ref, alt, name in sites.select("pos", "ref", "alt", "site").gather_every(SITE_SHARE).iter_rows():
        if pos > last:
            rows.append((pos, name, ref, alt))
            last = pos + len(ref)
    return pl.DataFrame(rows, schema={"pos": pl.Int64, "id": pl.String, "ref": pl.String, "alt": pl.String},
                        orient="row")


def free_positions(rng: np.random.Generator, length: int, count: int, avoid: np.ndarray) -> np.ndarray:
    """`count` sorted 1-based positions, spread evenly, none near one of the sorted `avoid`."""
    found = np.unique(rng.integers(10_000, length - 10_000, count + count // 20 + 1_000))
    if len(avoid):
        behind = np.append(avoid, length * 2)[np.searchsorted(avoid, found - CLEAR)]
        found = found[behind > found + CLEAR]
    return np.sort(rng.choice(found, count, replace=False))


def contig_lines(chrom: str, count: int, sites: pl.DataFrame) -> bytes:
    """All lines of one contig: `count` records, the planted ones among them."""
    rng = np.random.default_rng([SEED, list(CONTIGS).index(chrom)])
    known = planted(sites)
    if known.height > count:
        raise SystemExit(f"{count} records are too few for the {known.height} sites of {chrom}")
    avoid = np.unique(sites["pos"].to_numpy())
    made = gatk.variants(rng, free_positions(rng, CONTIGS[chrom], count - known.height, avoid))
    both = pl.concat([made, known.with_columns(alts=pl.lit(1, pl.Int64), known=pl.lit(value=True))])
    lines = io.BytesIO()
    gatk.records(rng, chrom, both.sort("pos")).write_csv(lines, include_header=False, separator="\t",
                                                         quote_style="never")
    return lines.getvalue()


def write_part(path: Path, chrom: str, count: int, sites: pl.DataFrame) -> Path:
    """One contig without a header, bgzipped."""
    with pysam.BGZFile(str(path), "wb") as out:
        out.write(contig_lines(chrom, count, sites))
    return path


def join_bgzf(parts: Sequence[Path], path: Path) -> None:
    """BGZF files one after the other; only the last keeps its end block."""
    with path.open("wb") as out:
        for number, part in enumerate(parts, 1):
            data = part.read_bytes()
            out.write(data if number == len(parts) else data[:-BGZF_END])


def write_genome(folder: Path, records: int, sites: pl.DataFrame) -> dict[str, int]:
    """``genome.vcf.gz`` with its index and ``chr1.vcf.gz``; returns the records of each contig."""
    counts, here, parts = shares(records), by_contig(sites), folder / "parts"
    parts.mkdir()
    head = parts / "head.gz"
    with pysam.BGZFile(str(head), "wb") as out:
        out.write(gatk.header(CONTIGS, SAMPLE).encode())
    # Polars' threads do not survive a fork.
    with ProcessPoolExecutor(os.cpu_count(), multiprocessing.get_context("spawn")) as pool:
        jobs = [pool.submit(write_part, parts / f"{chrom}.gz", chrom, count, here[chrom])
                for chrom, count in counts.items()]
        made = [job.result() for job in jobs]
    join_bgzf([head, *made], folder / "genome.vcf.gz")
    join_bgzf([head, made[0]], folder / "chr1.vcf.gz")
    shutil.rmtree(parts)
    pysam.tabix_index(str(folder / "genome.vcf.gz"), preset="vcf")
    return counts


def in_regions(folder: Path) -> int:
    """Records in the regions of the BED file, each as often as a region has it."""
    with pysam.TabixFile(str(folder / "genome.vcf.gz")) as file:
        places = (line.split("\t") for line in (folder / "regions.bed").read_text(encoding="utf-8").splitlines())
        return sum(1 for chrom, start, end in places for _ in file.fetch(chrom, int(start), int(end)))


def make(folder: Path, records: int, sites: pl.DataFrame) -> dict[str, int]:
    """Everything into an empty `folder`; returns how much there is."""
    counts = write_genome(folder, records, sites)
    bare = folder / "bare"
    bare.mkdir()
    (bare / "genome.vcf.gz").symlink_to(Path("..") / "genome.vcf.gz")
    sites.write_parquet(folder / "sites.parquet")
    bed = "".join(f"{chrom}\t{start}\t{end}\n" for chrom, start, end in regions(on_build(sites)))
    (folder / "regions.bed").write_text(bed, encoding="utf-8")
    put = sum(planted(here).height for here in by_contig(sites).values())
    return {"records": sum(counts.values()), "chr1": counts["chr1"], "in_regions": in_regions(folder), "planted": put}


def stamp(records: int, sites: pl.DataFrame) -> str:
    """What the genome depends on."""
    return hashlib.sha256(f"{VERSION} {records} {sites.rows()}".encode()).hexdigest()


def main() -> None:
    """Make the genome where it is not there."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--records", type=int, default=RECORDS)
    asked = parser.parse_args()
    sites = needed_sites()
    os.environ.setdefault("POLARS_MAX_THREADS", "1")  # for the workers, of which each core has one
    make_once(asked.folder / "genome", {"stamp": stamp(asked.records, sites)},
              partial(make, records=asked.records, sites=sites))


if __name__ == "__main__":
    main()
