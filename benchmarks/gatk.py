"""Records shaped as GATK's HaplotypeCaller and VQSR write them, random, whole columns at a time.

A frame of variants has the columns pos (1-based), id, ref, alt (as in the file), alts (how many) and known (whether it
stands on a site that somebody asks for).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np
import polars as pl

BASES = np.array(list("ACGT"))
INDELS, MULTIALLELIC, PHASED, NAMED, FAILED, HET = 0.12, 0.015, 0.12, 0.93, 0.03, 0.60
COLUMNS = ("chrom", "pos", "id", "ref", "alt", "qual", "filter", "info", "format", "sample")
_HEAD = """##fileformat=VCFv4.2
##FILTER=<ID=PASS,Description="All filters passed">
##FILTER=<ID=VQSRTrancheSNP99.90to100.00,Description="Truth sensitivity tranche">
##FORMAT=<ID=AD,Number=R,Type=Integer,Description="Allelic depths">
##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Read depth">
##FORMAT=<ID=GQ,Number=1,Type=Integer,Description="Genotype quality">
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
##FORMAT=<ID=PGT,Number=1,Type=String,Description="Physical phasing haplotype">
##FORMAT=<ID=PID,Number=1,Type=String,Description="Physical phasing ID">
##FORMAT=<ID=PL,Number=G,Type=Integer,Description="Phred-scaled genotype likelihoods">
##FORMAT=<ID=PS,Number=1,Type=Integer,Description="Phasing set">
##INFO=<ID=AC,Number=A,Type=Integer,Description="Allele count">
##INFO=<ID=AF,Number=A,Type=Float,Description="Allele frequency">
##INFO=<ID=AN,Number=1,Type=Integer,Description="Alleles called">
##INFO=<ID=BaseQRankSum,Number=1,Type=Float,Description="Rank sum test of base qualities">
##INFO=<ID=DP,Number=1,Type=Integer,Description="Depth">
##INFO=<ID=ExcessHet,Number=1,Type=Float,Description="Excess heterozygosity">
##INFO=<ID=FS,Number=1,Type=Float,Description="Strand bias">
##INFO=<ID=MLEAC,Number=A,Type=Integer,Description="Likeliest allele count">
##INFO=<ID=MLEAF,Number=A,Type=Float,Description="Likeliest allele frequency">
##INFO=<ID=MQ,Number=1,Type=Float,Description="Mapping quality">
##INFO=<ID=MQRankSum,Number=1,Type=Float,Description="Rank sum test of mapping qualities">
##INFO=<ID=QD,Number=1,Type=Float,Description="Quality by depth">
##INFO=<ID=ReadPosRankSum,Number=1,Type=Float,Description="Rank sum test of read positions">
##INFO=<ID=SOR,Number=1,Type=Float,Description="Strand odds ratio">
##INFO=<ID=VQSLOD,Number=1,Type=Float,Description="Log odds of being true">
##INFO=<ID=culprit,Number=1,Type=String,Description="Weakest annotation">
"""


def header(contigs: Mapping[str, int], sample: str) -> str:
    """The head of the file, contigs with their lengths in bases."""
    lines = "".join(f"##contig=<ID={name},length={length},assembly=GRCh38>\n" for name, length in contigs.items())
    return f"{_HEAD}{lines}#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{sample}\n"


def variants(rng: np.random.Generator, pos: np.ndarray) -> pl.DataFrame:
    """One variant for each position: mostly single bases, some indels, some with two ALTs."""
    count = len(pos)
    first = rng.integers(0, 4, count)
    other = (first + np.where(rng.random(count) < 2 / 3, 2, rng.choice([1, 3], count))) % 4  # transitions first
    third = np.where((other + 1) % 4 == first, other + 2, other + 1) % 4
    kind = rng.random(count)
    names = rng.integers(1_000, 1_600_000_000, count)
    bases = pl.DataFrame({
        "pos": pos, "base": BASES[first], "other": BASES[other], "third": BASES[third],
        "more": _sequences(rng).gather(rng.integers(0, 20_000, count)), "kind": kind, "name": names,
        "two": rng.random(count) < MULTIALLELIC, "named": rng.random(count) < NAMED})
    insertion, deletion = pl.col("kind") < INDELS / 2, pl.col("kind") < INDELS
    longer = pl.col("base") + pl.col("more")
    one = pl.when(insertion).then(longer).when(deletion).then("base").otherwise("other")
    second = pl.when(insertion).then(longer + "A").when(deletion).then(pl.lit("*")).otherwise("third")
    return bases.select(
        "pos", id=pl.when("named").then(pl.format("rs{}", "name")).otherwise(pl.lit(".")),
        ref=pl.when(deletion & ~insertion).then(longer).otherwise("base"),
        alt=pl.when("two").then(one + "," + second).otherwise(one),
        alts=1 + pl.col("two").cast(pl.Int64), known=pl.lit(value=False))


def records(rng: np.random.Generator, chrom: str, made: pl.DataFrame) -> pl.DataFrame:
    """The ten columns of the file for a frame of variants sorted by position."""
    full = made.with_columns(*_evidence(rng, made.height), chrom=pl.lit(chrom))
    full = full.with_columns(
        form=pl.when(pl.col("alts") > 1).then(pl.lit("two")).when("het").then(pl.lit("het")).otherwise(pl.lit("hom")),
        phased=pl.col("phased") & (pl.col("alts") == 1) & ~pl.col("known"))
    return full.with_columns(
        gt=_genotype(), qual=pl.format("{}.{}", "likely", "tail"), info=pl.concat_str(_info()),
        filter=pl.when(pl.col("failed") & ~pl.col("known")).then(pl.lit("VQSRTrancheSNP99.90to100.00"))
        .otherwise(pl.lit("PASS")),
        format=pl.when("phased").then(pl.lit("GT:AD:DP:GQ:PGT:PID:PL:PS")).otherwise(pl.lit("GT:AD:DP:GQ:PL")),
    ).with_columns(sample=_sample()).select(COLUMNS)


@cache
def _texts(places: int) -> pl.Series:
    """0 to 9,999 units of the last decimal place, as text."""
    return pl.Series([f"{i / 10**places:.{places}f}" for i in range(10_000)])


def _gather(column: str, places: int) -> pl.Expr:
    """Whole numbers of a column as decimals, by look-up: far cheaper than formatting each."""
    return pl.col(column).replace_strict(np.arange(10_000), _texts(places), return_dtype=pl.String)


def _signed(column: str) -> pl.Expr:
    """A score around 0, in thousandths; every other one below."""
    return pl.when(pl.col(column) % 2 == 0).then(pl.lit("-")).otherwise(pl.lit("")) + _gather(column, 3)


def _sequences(rng: np.random.Generator) -> pl.Series:
    lengths = np.minimum(rng.geometric(0.35, 20_000), 40)
    return pl.Series(["".join(BASES[rng.integers(0, 4, length)]) for length in lengths])


def _evidence(rng: np.random.Generator, count: int) -> list[pl.Series]:
    """Random reads and scores, one row a variant; scores are whole numbers of their last decimal place."""
    depth = np.clip(rng.normal(31, 7, count), 6, 90).astype(np.int64)
    ranges = {"lod": (100, 2_600), "qd": (200, 3_500), "fs": (0, 9_999), "sor": (200, 3_000), "base_q": (0, 3_000),
              "mq": (4_000, 6_001), "mq_rank": (0, 3_000), "read_pos": (0, 3_000), "likely": (90, 1_300)}
    drawn = {name: rng.integers(low, high, count) for name, (low, high) in ranges.items()}
    # Most fragments are mapped for sure, without strand bias.
    drawn["fs"] = np.where(rng.random(count) < 0.4, 0, drawn["fs"])
    drawn["mq"] = np.where(rng.random(count) < 0.8, 6_000, drawn["mq"])
    chances = {"het": HET, "phased": PHASED, "failed": FAILED, "left": 0.5}
    flags = {name: rng.random(count) < chance for name, chance in chances.items()}
    drawn["tail"] = rng.choice(["60", "64", "77", "06"], count)
    drawn["culprit"] = rng.choice(["MQ", "DP", "QD", "FS", "ReadPosRankSum"], count)
    columns = {"dp": depth, "alt_dp": rng.binomial(depth, 0.5), **drawn, **flags}
    return [pl.Series(name, values) for name, values in columns.items()]


def _by_form(two: str | pl.Expr, het: str | pl.Expr, hom: str | pl.Expr) -> pl.Expr:
    two, het, hom = (pl.lit(one) if isinstance(one, str) else one for one in (two, het, hom))
    return pl.when(pl.col("form") == "two").then(two).when(pl.col("form") == "het").then(het).otherwise(hom)


def _genotype() -> pl.Expr:
    side = pl.when("left").then(pl.lit("1|0")).otherwise(pl.lit("0|1"))
    return pl.when("phased").then(_by_form("1|2", side, "1|1")).otherwise(_by_form("1/2", "0/1", "1/1"))


def _info() -> list[pl.Expr]:
    depth_quality = pl.concat_str(pl.lit(";QD="), _gather("qd", 2))
    ranked = pl.concat_str(pl.lit(";MQRankSum="), _signed("mq_rank"), depth_quality,
                           pl.lit(";ReadPosRankSum="), _signed("read_pos"))
    tested = pl.concat_str(pl.lit("BaseQRankSum="), _signed("base_q"), pl.lit(";"))
    counts = (_by_form(f"{ac}=1,1", f"{ac}=1", f"{ac}=2") for ac in ("AC", "MLEAC"))
    shares = (_by_form(f";{af}=0.500,0.500;", f";{af}=0.500;", f";{af}=1.00;") for af in ("AF", "MLEAF"))
    (ac, mleac), (af, mleaf) = counts, shares
    return [ac, af, pl.lit("AN=2;"), _by_form(tested, tested, ""),
            pl.lit("DP="), pl.col("dp").cast(pl.String), pl.lit(";ExcessHet=3.0103;FS="), _gather("fs", 3),
            pl.lit(";"), mleac, mleaf, pl.lit("MQ="), _gather("mq", 2),
            _by_form(ranked, ranked, depth_quality),
            pl.lit(";SOR="), _gather("sor", 3), pl.lit(";VQSLOD="), _gather("lod", 2),
            pl.lit(";culprit="), pl.col("culprit")]


def _sample() -> pl.Expr:
    depth, alt, likely = pl.col("dp"), pl.col("alt_dp"), pl.col("likely")
    reads = _by_form(pl.format("0,{},{}", depth - alt, alt), pl.format("{},{}", depth - alt, alt),
                     pl.format("0,{}", depth))
    quality = pl.when(pl.col("form") == "hom").then(pl.min_horizontal(depth * 3, 99)).otherwise(99)
    odds = _by_form(pl.format("{},{},{},{},0,{}", likely + 600, likely, likely - 60, likely + 40, likely + 9),
                    pl.format("{},0,{}", likely, likely - 40), pl.format("{},{},0", likely * 2, depth * 3))
    group = pl.format("{}_{}_{}", "pos", "ref", "alt")
    plain = pl.format("{}:{}:{}:{}:{}", "gt", reads, depth, quality, odds)
    phased = pl.format("{}:{}:{}:{}:{}:{}:{}:{}", "gt", reads, depth, quality, "gt", group, odds, "pos")
    return pl.when("phased").then(phased).otherwise(plain)
