"""The files that the benchmarks read are what they claim to be: sorted, indexed, of the size that was asked for."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pysam
import pytest

from benchmarks import make_genome, make_panel
from benchmarks.make_records import write_tables
from benchmarks.measure import is_made
from pmed.sources.history_tables import FORMAT, HistoryTablesSource
from pmed.sources.vcf import VcfSource
from pmed.tables import TABLES
from pmed.types import ReadRequest

RECORDS = 24_000


def run(root: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", *map(str, arguments)], cwd=root, capture_output=True, text=True,
                          check=False)


@pytest.fixture(scope="module")
def genome(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Path:
    folder = tmp_path_factory.mktemp("bench")
    done = run(root, "benchmarks.make_genome", folder, "--records", str(RECORDS))
    assert done.returncode == 0, done.stderr
    return folder / "genome"


@pytest.fixture(scope="module")
def records(genome: Path) -> list[list[str]]:
    with pysam.BGZFile(str(genome / "genome.vcf.gz")) as file:
        lines = file.read().decode().splitlines()
    return [line.split("\t") for line in lines if not line.startswith("#")]


@pytest.fixture(scope="module")
def said(genome: Path) -> dict[str, Any]:
    return dict(json.loads((genome / "genome.json").read_text()))


def test_genome_has_the_records_asked_for_in_order(records: list[list[str]], said: dict[str, Any]) -> None:
    contigs = list(make_genome.CONTIGS)
    places = [(contigs.index(line[0]), int(line[1])) for line in records]
    assert len(places) == RECORDS == said["records"]
    assert places == sorted(places)
    assert len(set(places)) == RECORDS
    counts = Counter(line[0] for line in records)
    assert counts["chr1"] == said["chr1"]
    for chrom, length in make_genome.CONTIGS.items():
        assert counts[chrom] == pytest.approx(RECORDS * length / sum(make_genome.LENGTHS), abs=25)
        assert max(int(line[1]) for line in records if line[0] == chrom) < length


def test_genome_looks_as_gatk_writes(records: list[list[str]]) -> None:
    forms = Counter(line[8] for line in records)
    assert set(forms) == {"GT:AD:DP:GQ:PL", "GT:AD:DP:GQ:PGT:PID:PL:PS"}
    assert 0.05 < forms["GT:AD:DP:GQ:PGT:PID:PL:PS"] / RECORDS < 0.2
    shape = Counter("several" if "," in alt else "indel" if len(ref) != len(alt) else "single"
                    for _, _, _, ref, alt, *_ in records)
    assert shape["indel"] / RECORDS == pytest.approx(0.12, abs=0.01)
    assert shape["several"] / RECORDS == pytest.approx(0.015, abs=0.005)
    assert sum(line[2].startswith("rs") for line in records) > 0.9 * RECORDS
    assert 200 <= sum(len("\t".join(line)) for line in records) / RECORDS <= 250


def test_every_record_of_the_genome_is_consistent(genome: Path) -> None:
    with pysam.VariantFile(str(genome / "genome.vcf.gz")) as file:
        for record in file:
            call, alleles = record.samples["BENCH"], record.alleles or ()
            assert len(set(alleles)) == len(alleles)
            assert record.info["AC"] == tuple(call.allele_indices.count(i) for i in range(1, len(alleles)))
            assert sum(call["AD"]) == call["DP"] == record.info["DP"]
            assert call.allele_indices != (0, 0)
            assert len(call["AD"]) == len(alleles)
            assert len(call["PL"]) == len(alleles) * (len(alleles) + 1) // 2
            assert min(call["PL"]) == 0 <= min(call["AD"])
            assert call.get("PS", record.pos) == record.pos


def test_only_planted_records_are_near_needed_sites(records: list[list[str]], genome: Path,
                                                    said: dict[str, Any]) -> None:
    # The made genome has no mitochondrial DNA.
    sites = pl.read_parquet(genome / "sites.parquet").filter(pl.col("build") == "GRCh38", pl.col("chrom") != "chrM")
    known = {(chrom, pos, ref, alt) for chrom, pos, ref, alt in sites.select("chrom", "pos", "ref", "alt").rows()}
    at: dict[str, list[int]] = {}
    for chrom, pos, _, _ in known:
        at.setdefault(chrom, []).append(pos)
    near = [line for line in records
            if any(pos - 50 <= int(line[1]) <= pos + 50 for pos in at.get(line[0], ()))]
    assert len(near) == said["planted"] > sites.height // 4
    assert {(line[0], int(line[1]), line[3], line[4]) for line in near} <= known
    assert {line[6] for line in near} == {"PASS"}


def test_the_regions_cover_the_sites(genome: Path, said: dict[str, Any]) -> None:
    bed = [line.split("\t") for line in (genome / "regions.bed").read_text().splitlines()]
    # The made genome has no mitochondrial DNA.
    sites = pl.read_parquet(genome / "sites.parquet").filter(pl.col("build") == "GRCh38", pl.col("chrom") != "chrM")
    for chrom, pos in sites.select("chrom", "pos").iter_rows():
        assert sum(here == chrom and int(start) < pos <= int(end) for here, start, end in bed) == 1
    with pysam.TabixFile(str(genome / "genome.vcf.gz")) as file:
        found = sum(len(list(file.fetch(chrom, int(start), int(end)))) for chrom, start, end in bed)
    assert found == said["in_regions"] >= said["planted"]


@pytest.mark.parametrize("name", ["genome.vcf.gz", "bare/genome.vcf.gz"])
def test_pmed_reads_the_planted_records(genome: Path, said: dict[str, Any], name: str) -> None:
    tables = VcfSource().read([genome / name], ReadRequest(pl.read_parquet(genome / "sites.parquet")))
    assert tables["samples"]["build"].to_list() == ["GRCh38"]
    # Of thousands of heterozygous calls a few have by chance less than a fifth of the reads for one allele.
    assert set(tables["issues"]["code"]) <= {"reads-disagree"}
    states = tables["genotypes"]["state"].value_counts()
    called = dict(states.iter_rows())["called"]
    assert said["planted"] <= called < tables["genotypes"].height / 2


def test_chr1_is_the_first_contig_alone(genome: Path, said: dict[str, Any]) -> None:
    with pysam.VariantFile(str(genome / "chr1.vcf.gz")) as file:
        assert [record.chrom for record in file] == ["chr1"] * said["chr1"]


def test_the_genome_is_made_once_for_the_same_sites(genome: Path, root: Path) -> None:
    before = (genome / "genome.vcf.gz").stat().st_mtime_ns
    assert run(root, "benchmarks.make_genome", genome.parent, "--records", str(RECORDS)).stdout == ""
    assert (genome / "genome.vcf.gz").stat().st_mtime_ns == before
    sites = pl.read_parquet(genome / "sites.parquet")
    assert is_made(genome, {"stamp": make_genome.stamp(RECORDS, sites)})
    assert not is_made(genome, {"stamp": make_genome.stamp(RECORDS, sites.head(5))})
    assert not is_made(genome, {"stamp": make_genome.stamp(RECORDS + 1, sites)})


@pytest.mark.parametrize(("job", "more"), [
    ("peers scan-pysam", 0), ("peers scan-pysam", 1), ("peers regions-pysam", 0), ("peers regions-pysam", 1),
    ("peers scan-allel", 0), ("jobs sites", 0), ("jobs sites", 10_000)])
def test_a_job_tells_its_work_or_that_it_found_too_little(genome: Path, root: Path, said: dict[str, Any], job: str,
                                                          more: int) -> None:
    count, *files = {"scan": ("records",), "regions": ("in_regions", "regions.bed"),
                     "sites": ("planted", "sites.parquet")}[job.split()[1].split("-", maxsplit=1)[0]]
    done = run(root, *f"benchmarks.{job}".split(), genome / "genome.vcf.gz", *(genome / file for file in files),
               str(said[count] + more))
    assert done.returncode == (more > 0), done.stderr
    assert done.stderr.splitlines()[-1].startswith("found " if more else "work ")


def test_regions_are_merged_when_near() -> None:
    sites = pl.DataFrame({"chrom": ["chr1", "chr1", "chr1", "chr2"], "pos": [100, 4_100, 8_101, 8_101]})
    assert list(make_genome.regions(sites)) == [("chr1", 99, 4_100), ("chr1", 8_100, 8_101), ("chr2", 8_100, 8_101)]
    assert list(make_genome.regions(sites.clear())) == []


def test_planted_records_do_not_reach_into_each_other() -> None:
    sites = pl.DataFrame({"pos": [10, 12, 13, 14], "ref": ["ACGT", "G", "T", "A"], "alt": ["A", "C", "C", "C"],
                          "site": ["rs1", "rs2", "rs3", "rs4"]})
    doubled = pl.concat([sites] * make_genome.SITE_SHARE).sort("pos")  # so that each is taken
    assert make_genome.planted(doubled)["id"].to_list() == ["rs1"]


def test_a_larger_cohort_repeats_the_people_in_other_orders(shared: Path, tmp_path: Path) -> None:
    panel = shared / "data" / "1kgp" / "GRCh38"
    said = make_panel.write(tmp_path / "more.vcf.gz", panel, ("VKORC1", "NUDT15"), 3)
    people, lines = 2562, 0
    with pysam.VariantFile(str(tmp_path / "more.vcf.gz")) as made:
        assert set(made.header.contigs) >= {"chr13", "chr16"}
        assert len(set(made.header.samples)) == said["people"] == 3 * people
    for gene in ("VKORC1", "NUDT15"):
        lines += len(make_panel.read_lines(panel / f"{gene}.vcf.gz")[1])
    _, records = make_panel.read_lines(tmp_path / "more.vcf.gz")
    assert len(records) == lines == said["records"]
    _, source = make_panel.read_lines(panel / "VKORC1.vcf.gz")
    varied = max(range(len(source)), key=lambda number: source[number].count(b"0|1"))
    first, turns = records[varied].split(b"\t")[9:], range(0, 3 * people, people)
    assert first[:people] == source[varied].split(b"\t")[9:]
    assert {tuple(sorted(first[start:start + people])) for start in turns} == {tuple(sorted(first[:people]))}
    assert len({tuple(first[start:start + people]) for start in turns}) == 3


@pytest.mark.parametrize("calls", [b"0|10\t1|1", b"0|10\t1\t0|11"])
def test_only_calls_of_one_width_are_repeated(calls: bytes) -> None:
    line = b"\t".join([*[b"."] * 9, calls])
    with pytest.raises(SystemExit, match="not three bytes wide"):
        make_panel.repeated(line, np.array([0, 1]))


def test_free_positions_keep_clear_of_sites() -> None:
    avoid = np.array([12_000, 35_000, 49_999])
    found = make_genome.free_positions(np.random.default_rng(1), 60_000, 5_000, avoid)
    assert len(np.unique(found)) == 5_000
    assert (np.diff(found) > 0).all()
    assert np.abs(found[:, None] - avoid).min() >= make_genome.CLEAR
    everywhere = make_genome.free_positions(np.random.default_rng(1), 60_000, 5_000, avoid[:0])
    assert np.abs(everywhere[:, None] - avoid).min() < make_genome.CLEAR // 2


def test_tables_of_records_are_drawn_for_as_many_people_as_wanted(tmp_path: Path) -> None:
    known = ["00000000-d26f", "00000001-e408"]
    today = date(2026, 1, 1)
    given = {"patients": TABLES["patients"].frame([{"patient_id": one, "index_date": today} for one in known]),
             "conditions": TABLES["conditions"].frame([
                 {"patient_id": one, "row": row, "code": f"{one[7]}{row}"} for one in known for row in (1, 2)])}
    for name, frame in given.items():
        frame.write_parquet(tmp_path / f"{name}.parquet")
    rows = {name: frame.height for name, frame in given.items()}
    (tmp_path / "summary.json").write_text(json.dumps({"format": FORMAT, "rows": rows}), encoding="utf-8")
    write_tables(tmp_path, tmp_path / "more", ["a", "b", "c", "d", "e"])
    pairs = dict(line.split("\t") for line in (tmp_path / "more/pairs.tsv").read_text("utf-8").splitlines())
    assert pairs == {"a": "00000000-d26f", "b": "00000001-e408", "c": "00000002-d26f", "d": "00000003-e408",
                     "e": "00000004-d26f"}
    made = HistoryTablesSource().read([tmp_path / "more/tables"], ReadRequest(TABLES["sites"].empty()))
    assert made["patients"]["patient_id"].to_list() == [*pairs.values()]
    assert made["conditions"].select("patient_id", "code").rows() == [
        (who, f"{number % 2}{row}") for number, who in enumerate(pairs.values()) for row in (1, 2)]
