"""A genome says the same however it is read: alone or in a cohort, whole or in parts, as VCF, BCF or cache."""

from __future__ import annotations

import tempfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from pmed.genomics.cache import write_cache
from pmed.genomics.header import read_header
from pmed.sources.vcf import VcfSource
from pmed.types import ReadRequest
from tests.genome_files import META, sites, vcf
from tests.vcf_writer import packed

ROWS = sites((100, "A", "G"), (100, "A", "C"), (200, "CAT", "C"), (200, "C", "CAT"), (305, "A", "G"))
HEAD = (*META, *(f'##FORMAT=<ID={key},Number=.,Type={kind},Description="{key}">'
                 for key, kind in (("AD", "Integer"), ("CN", "Integer"), ("GP", "Float"), ("DS", "Float"),
                                   ("PL", "Integer"))))
PLACES = ["100 A G", "100 A C,G", "100 A .", "100 A G,<NON_REF>", "200 CAT C,CATAT", "200 C CAT", "100 AC GT",
          "99 TACG T", "300 C <DEL>", "300 C <DUP>", "305 A G", "305 A *,G"]
FORMATS = {"GT": (), "GT:AD:DP": ("ad", "dp"), "GT:DP:GQ": ("dp", "gq"), "GT:CN": ("cn",), "GT:FT": ("ft",),
           "GT:PS": ("dp",), "GT:DS:GP": ("ds", "gp"), "GT:AD": ("ad",), "GT:PL": ("pl",)}
VALUES = {"pl": ["0,3,30", "30,0,60", "90,9,0,120,120,150", "."],
          "ad": ["15,15,0", "30,0,0", "0,30,0", "1,29", "30", ".", "0,0,31"], "dp": ["30", "0", "1", "."],
          "gq": ["99", "3", "2", "."], "cn": ["0", "1", "2", "3", "."], "ft": ["PASS", "bad", "."],
          "ds": ["0", "0.6", "2"], "gp": ["1,0,0", "0.4,0.35,0.25", "0,0.02,0.98", ".", "0.5,0.5", "0,0,1"]}
GENOTYPES = ["0/0", "0/1", "1/1", "0|1", "1|0", "./.", ".", "0/.", "./1", "0", "1", "0/0"]


@st.composite
def records(draw: st.DrawFn, people: int) -> list[str]:
    """Records in file order, each with a cell for each of the people."""
    found = []
    for place in sorted(draw(st.lists(st.sampled_from(PLACES), min_size=1, max_size=6)),
                        key=lambda one: int(one.split()[0])):
        form = draw(st.sampled_from([*FORMATS]))
        cells = [":".join([draw(st.sampled_from(GENOTYPES)), *(draw(st.sampled_from(VALUES[key]))
                                                               for key in FORMATS[form])]) for _ in range(people)]
        info = ";END=320" if "<D" in place else ""
        flt = draw(st.sampled_from(["", "", "@LowQual"]))
        found.append(f"{place} {form}{info}{flt} {' '.join(cells)}")
    return found


def genotypes(*files: Path, **options: object) -> pl.DataFrame:
    return VcfSource(**options).read(files, ReadRequest(ROWS))["genotypes"]  # type: ignore[arg-type]


def ordered(table: pl.DataFrame) -> pl.DataFrame:
    """Without what means nothing: the phase set of what is not phased, the record of a call that several make."""
    return table.sort("chrom", "pos", "ref", "alt", "sample").drop("source_row").with_columns(
        phase_set=pl.when("phased").then("phase_set"))


def cached(file: Path) -> Path:
    path = file.with_suffix(".parquet")
    write_cache([read_header(file)], path)
    return path


@pytest.mark.parametrize("people", [1, 5, 20])
@settings(max_examples=10, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate], suppress_health_check=[
    HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example])
@given(data=st.data())
def test_every_way_gives_the_same_genotypes(people: int, data: st.DataObject) -> None:
    lines = data.draw(records(people))
    names = [f"P{number}" for number in range(people)]
    request = ReadRequest(ROWS)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = vcf(folder, *lines, samples=names, meta=HEAD)
        whole = genotypes(file)
        assert_frame_equal(genotypes(cached(file)), whole)
        parts = pl.concat([part["genotypes"] for part in VcfSource().parts([file], request, 1)])
        assert_frame_equal(ordered(parts), ordered(whole))
        cut = pl.concat([VcfSource().read_cut(part, request)["genotypes"]
                         for _, part in VcfSource().cut([file], request, 2)])
        assert_frame_equal(ordered(cut), ordered(whole))
        alone = [vcf(folder, *(" ".join([*line.split()[:4], line.split()[4 + number]]) for line in lines),
                     samples=[one], name=f"{one}.vcf", meta=HEAD) for number, one in enumerate(names[:5])]
        for one, path in zip(names, alone, strict=False):
            assert_frame_equal(ordered(genotypes(path)), ordered(whole.filter(sample=one)))
        assert_frame_equal(genotypes(packed(folder, file.read_text(), "bcf")), whole)
