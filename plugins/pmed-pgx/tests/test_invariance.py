"""What must not matter does not: other variants, files cut apart; and one gene's fault is its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import pmed
from pmed.demo import patients
from pmed_pgx import caller as calling
from pmed_pgx.knowledge import sites_table

GENOMES = {one.name: Path(one.genome).read_text("utf-8") for one in patients()}
KNOWN = {(chrom, pos + k) for chrom, pos, ref in sites_table().select("chrom", "pos", "ref").iter_rows()
         for k in range(-30, len(ref) + 30)}


def results(*paths: Path) -> pl.DataFrame:
    return pmed.call(paths).tables["gene_results"].sort("patient_id", "gene")


def written(folder: Path, text: str, name: str = "x.vcf") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def parts(text: str) -> tuple[list[str], list[str]]:
    lines = text.splitlines(keepends=True)
    return [line for line in lines if line[0] == "#"], [line for line in lines if line[0] != "#"]


@settings(max_examples=6)
@given(name=st.sampled_from(sorted(GENOMES)),
       places=st.lists(st.integers(94_000_000, 99_000_000), min_size=1, max_size=9, unique=True))
def test_variants_of_no_interest_change_nothing(name: str, places: list[int],
                                                tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("more")
    head, body = parts(GENOMES[name])
    more = [f"chr10\t{pos}\t.\tA\tG\t.\tPASS\t.\tGT\t0/1\n" for pos in places if ("chr10", pos) not in KNOWN]
    merged = sorted(body + more, key=lambda line: (int(line.split("\t")[0][3:]), int(line.split("\t")[1])))
    plain = results(written(folder, GENOMES[name]))
    assert_frame_equal(results(written(folder, "".join(head + merged), "y.vcf")), plain)


@pytest.mark.parametrize("name", sorted(GENOMES))
def test_files_by_chromosome_are_the_whole(name: str, tmp_path: Path) -> None:
    head, body = parts(GENOMES[name])
    chroms = dict.fromkeys(line.split("\t")[0] for line in body)
    files = [written(tmp_path, "".join(head + [line for line in body if line.startswith(f"{chrom}\t")]), f"{chrom}.vcf")
             for chrom in chroms]
    assert len(files) > 2
    assert_frame_equal(results(*files[::-1]), results(written(tmp_path, GENOMES[name])))


def test_one_genes_fault_is_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    whole, real = results(written(tmp_path, GENOMES["warfarin"])), calling.call

    def breaks(gene: Any, *arguments: Any, **named: Any) -> Any:
        if gene.name == "VKORC1":
            raise IndexError("a slip")
        return real(gene, *arguments, **named)

    monkeypatch.setattr(calling, "call", breaks)
    made = results(tmp_path / "x.vcf")
    assert_frame_equal(made.filter(pl.col("gene") != "VKORC1"), whole.filter(pl.col("gene") != "VKORC1"))
    row = made.filter(gene="VKORC1").row(0, named=True)
    assert (row["status"], row["complete"], row["phenotype"]) == ("not-called", False, None)
    assert "a slip" in row["messages"][0]["text"]
