"""A cohort read some people at a time gives what it gives read at once."""

from __future__ import annotations

import polars as pl
import pysam
import pytest
from polars.testing import assert_frame_equal

from pmed import ReadRequest
from pmed.genomics.cache import write_cache
from pmed.sources.vcf import VcfSource
from pmed.tables import TABLES

SITES = TABLES["sites"].frame(
    {"build": "GRCh38", "chrom": chrom, "pos": pos, "ref": ref, "alt": alt, "site": f"s{pos}{alt}"}
    for chrom, pos, ref, alt in (("chr1", 100, "A", "C"), ("chr1", 200, "GT", "G"), ("chr1", 300, "C", "T"),
                                 ("chr1", 300, "C", "G"), ("chr2", 50, "T", "A")))
PEOPLE = [f"p{number}" for number in range(9)]
CALLS = ("0/0", "0|1", "1/1", "./.", "0/1:7", ".", "1", "./1", "0|0")


def genome(path, names, *, start=0):
    """A VCF of those people; what they carry turns round with the site."""
    head = ["##fileformat=VCFv4.2", "##reference=GRCh38", "##contig=<ID=chr1>", "##contig=<ID=chr2>",
            '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
            '##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Depth">',
            "\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *names])]
    rows = [("chr1", 100, "A", "C"), ("chr1", 200, "GT", "G"), ("chr1", 300, "C", "T,G"), ("chr2", 50, "T", "A")]
    body = ["\t".join([chrom, str(pos), ".", ref, alt, ".", "PASS", ".", "GT:DP",
                       *(CALLS[(start + n + k) % len(CALLS)].partition(":")[0] + ":9" for k in range(len(names)))])
            for n, (chrom, pos, ref, alt) in enumerate(rows)]
    path.write_text("\n".join([*head, *body, ""]))
    return path


def together(parts):
    return {name: pl.concat([part[name] for part in parts]) for name in ("samples", "genotypes")}


def by_sample(frame):
    return frame.sort("sample", *(name for name in ("chrom", "pos", "ref", "alt") if name in frame.columns))


@pytest.fixture(params=["one file", "files by person", "files by chromosome", "bcf", "cache", "some samples"])
def cohort(request, tmp_path):
    """Paths and the samples asked for."""
    if request.param == "files by person":
        return [genome(tmp_path / "a.vcf", PEOPLE[:4]), genome(tmp_path / "b.vcf", PEOPLE[4:], start=3)], ()
    whole = genome(tmp_path / "whole.vcf", PEOPLE)
    if request.param == "files by chromosome":
        lines = whole.read_text().splitlines(keepends=True)
        for name in ("chr1", "chr2"):
            mine = [line for line in lines if line[0] == "#" or line.startswith(name)]
            (tmp_path / f"{name}.vcf").write_text("".join(mine))
        return [tmp_path / "chr1.vcf", tmp_path / "chr2.vcf"], ()
    if request.param == "bcf":
        with pysam.VariantFile(str(whole)) as source, pysam.VariantFile(
                str(tmp_path / "x.bcf"), "wb", header=source.header) as target:
            for record in source:
                target.write(record)
        return [tmp_path / "x.bcf"], ()
    if request.param == "cache":
        write_cache([whole], tmp_path / "x.parquet")
        return [tmp_path / "x.parquet"], ()
    return [whole], ("p7", "p1", "p4", "p8", "p0", "p2", "p3", "p6", "p5") if request.param == "some samples" else ()


@pytest.mark.parametrize("people", [1, 2])
def test_parts_are_the_whole(cohort, people):
    paths, samples = cohort
    request = ReadRequest(SITES, samples=samples)
    whole = VcfSource().read(paths, request)
    parts = list(VcfSource().parts(paths, request, people))
    asked = samples or PEOPLE
    assert [part["samples"].height for part in parts][:2] == [people, people]
    assert sum(part["samples"].height for part in parts) == len(asked)
    for name, frame in together(parts).items():
        assert_frame_equal(by_sample(frame), by_sample(whole[name]))


def test_a_small_cohort_is_one_part(tmp_path):
    request = ReadRequest(SITES)
    (only,) = VcfSource().parts([genome(tmp_path / "x.vcf", PEOPLE)], request, 3)
    for name, frame in VcfSource().read([tmp_path / "x.vcf"], request).items():
        assert_frame_equal(only[name], frame)
