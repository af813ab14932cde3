"""The cohorts of gene calling are of real haplotypes, and the cases say what they measure."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pysam
import pytest

from benchmarks import make_people, make_pgx, pharmacogenes
from benchmarks.genomes import installed
from benchmarks.measure import Case
from pmed.genomics.cache import read_cache_header
from pmed_pgx.knowledge import genes

COUNTS = {f"cohort-{many}x": {"people": 2562 * many} for many in make_pgx.MULTIPLES} | {
    "panel": {"people": 2562, "genes": 19}, "pypgx": "no network"}


def test_added_people_have_two_haplotypes_of_the_panel() -> None:
    draw = np.array([[0, 2], [1, 0]])
    assert make_pgx.drawn(b"0|1\t1|0\t1|1", draw) == b"0|1\t1|0\t1|1\t0|1\t1|1"
    # Whole calls where they are not all diploid and of one width.
    assert make_pgx.drawn(b"0\t1|0\t1", draw) == b"0\t1|0\t1\t0\t1|0"


def test_records_at_sites_are_taken_and_no_others() -> None:
    gene = genes()["CYP3A5"]
    inside = gene.sites[0].pos
    lines = [b"chr7\t%d\t.\t%s\tT\t.\t.\t.\tGT\t0|0" % one for one in (
        (inside, b"A"), (inside - 1, b"AA"), (inside - 1, b"A"), (inside - 2, b"A"), (inside + 1, b"A"))]
    assert list(make_pgx.at_sites(gene, lines)) == lines[:3]


def test_a_cohort_of_the_panel(shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(make_pgx, "panel_genes", lambda _: ["VKORC1", "G6PD"])
    said = make_pgx.write_cohort(tmp_path / "c.vcf.gz", shared / "data/1kgp/GRCh38", 2)
    with pysam.VariantFile(str(tmp_path / "c.vcf.gz")) as made:
        assert len(set(made.header.samples)) == said["people"] == 2 * 2562
        rows = [(row.chrom, len(row.samples)) for row in made]
    assert len(rows) == said["records"] > 1
    assert {chrom for chrom, _ in rows} == {"chr16", "chrX"}
    assert {many for _, many in rows} == {said["people"]}


def test_as_many_people_as_wanted(shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(make_pgx, "panel_genes", lambda _: ["VKORC1"])
    monkeypatch.setattr(make_people, "panel_genes", lambda _: ["VKORC1"])
    panel = shared / "data/1kgp/GRCh38"
    said = make_people.write(tmp_path / "people", panel, 2600)
    with pysam.VariantFile(str(tmp_path / "people/genomes.bcf")) as made:
        assert len(set(made.header.samples)) == said["people"] == 2600
    assert read_cache_header(tmp_path / "people/genomes.parquet").samples[2562] == "HG00096_1"
    assert sorted(path.name for path in (tmp_path / "people").iterdir()) == ["genomes.bcf", "genomes.parquet"]
    with pytest.raises(SystemExit, match="the panel itself has 2562 people"):
        make_people.write(tmp_path / "few", panel, 100)


@pytest.mark.parametrize("group", [pharmacogenes.panel, pharmacogenes.growth])
def test_cases_have_the_same_names_before_their_files_are_there(group: Callable[..., list[Case]]) -> None:
    assert [case.name for case in group({})] == [case.name for case in group(COUNTS)]


def test_cases_have_the_limits_of_the_issue() -> None:
    floor, panel, ours, peer = pharmacogenes.panel(COUNTS)
    assert panel.floor == floor.name
    assert panel.seconds == pytest.approx(5.124)
    first, *more = pharmacogenes.growth(COUNTS)
    assert [case.items for case in (first, *more)] == [2562, 10248, 40992, 99918]
    assert {case.ratio for case in more} == {1.1}
    assert {case.floor for case in more} == {first.name}
    assert (peer.floor, peer.items, peer.missing) == (ours.name, ours.items, "no network")
    assert panel.items == 19 * 2562


def test_a_peer_that_cannot_be_installed_says_why(tmp_path: Path) -> None:
    assert installed(tmp_path / "peer", ("./there-is-no-such-package",)).startswith("cannot be installed: ")
    assert not (tmp_path / "peer" / "installed.json").exists()
