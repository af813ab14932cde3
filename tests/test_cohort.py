"""Cohorts: the same results whatever the chunks, engine and interruptions; and what bad input costs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner

import pmed
from pmed.cli import cli
from pmed.cohort import Cohort, run, staging, work
from pmed.cohort.counts import EVERYBODY, counted
from pmed.cohort.plan import people_at_once
from pmed.cohort.summary import summaries, with_interval
from pmed.demo import patients
from pmed.errors import GenomeError, HistoryError, InputError, OptionError, PmedError, ResultError
from pmed.genomics.cache import write_cache
from pmed.pools import Call
from pmed.tables import TABLES

DEMO = {one.name: one for one in patients()}
NAMES = ("stent", "warfarin", "transplant", "partial")


def people_vcf(path: Path, many: int, prefix: str = "p") -> Path:
    """One VCF of `many` people: the embedded genomes' calls in turn, at the records of the first."""
    head, rows = [], []
    for line in DEMO["stent"].genome.read_text().splitlines():
        if line.startswith("##"):
            head.append(line)
        elif line.startswith("#"):
            head.append("\t".join([*line.split("\t")[:9], *(f"{prefix}{n}" for n in range(many))]))
        else:
            *fixed, call = line.split("\t")
            swapped = "0/1" + call[3:]
            rows.append("\t".join([*fixed, *(swapped if n % 3 == 1 else call for n in range(many))]))
    path.write_text("\n".join([*head, *rows]) + "\n")
    return path


def record(folder: Path, patient: str, of: str = "stent") -> Path:
    path = folder / f"{patient}.json"
    path.write_text(DEMO[of].history.read_text().replace(f"demo-{of}", patient))
    return path


def seven(folder: Path) -> tuple[Path, list[Path]]:
    """Seven people in one VCF, three of them with records, and a record of somebody else."""
    records = [record(folder, name) for name in ("p1", "p5", "p3")]
    return people_vcf(folder / "crowd.vcf", 7), [*records, record(folder, "zoe", "warfarin")]


@pytest.fixture
def crowd(tmp_path: Path) -> tuple[Path, list[Path]]:
    """The seven, to be changed."""
    return seven(tmp_path)


@pytest.fixture(scope="module")
def same_crowd(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Path]]:
    """The seven, whom no test changes."""
    return seven(tmp_path_factory.mktemp("crowd"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, same_crowd: tuple[Path, list[Path]]) -> Path:
    """The cohort of `same_crowd`, worked out in one go by one process in chunks of two people; only to be read."""
    out = tmp_path_factory.mktemp("whole") / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pmed.cohort.people_at_once", lambda *_, **__: 2)
        run(*same_crowd, output=out, jobs=1)
    return out


def made(folder: Path) -> dict[str, bytes]:
    """Every file of the results, without the work."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*"))
            if path.is_file() and work.WORK not in path.relative_to(folder).parts}


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of two people."""
    monkeypatch.setattr("pmed.cohort.people_at_once", lambda *_, **__: 2)


def of(folder: Path, table: str) -> pl.DataFrame:
    return Cohort.open(folder).table(table).collect()


def test_a_cohort_says_of_each_person_what_a_run_of_all_says(tmp_path: Path, crowd: tuple[Path, list[Path]],
                                                             small: None) -> None:
    genome, records = crowd
    done = run(genome, records, output=tmp_path / "out", jobs=1)
    assert (done.people, done.unread, done.lost, done.failures) == (8, {}, {}, ())
    assert len(list((tmp_path / "out" / "people").iterdir())) == 5
    whole = pmed.run(genome, records)
    for name in ("gene_results", "present_phenotypes", "predictions", "suggestions"):
        key = list(pmed.TABLES[name].key)
        assert of(tmp_path / "out", name).sort(key).equals(whole.tables[name].sort(key)), name
    assert of(tmp_path / "out", "people").filter("recorded")["patient_id"].to_list() == ["p1", "p3", "p5", "zoe"]


def test_explanations_are_there_where_they_are_asked_for(tmp_path: Path, crowd: tuple[Path, list[Path]]) -> None:
    genome, records = crowd
    strange = records[-1].read_text().replace('"code": "314076", ', "").replace("Lisinopril 10 MG Oral Tablet", "Xyzzy")
    records[-1].write_text(strange)
    run(genome, records, output=tmp_path / "out", jobs=1, explained=True)
    whole = pmed.run(genome, records)
    key = list(pmed.TABLES["explanations"].key)
    assert of(tmp_path / "out", "explanations").sort(key).equals(whole.tables["explanations"].sort(key))
    run(genome, records, output=tmp_path / "plain", jobs=1)
    plain = of(tmp_path / "plain", "suggestions")
    assert plain.equals(of(tmp_path / "out", "suggestions"))
    codes = pl.col("cautions").list.eval(pl.element().struct.field("code"))
    assert set(plain.filter(codes.list.contains("unread-medicine"))["current"]) == {True, False}
    with pytest.raises(ResultError, match="no table 'explanations'"):
        of(tmp_path / "plain", "explanations")


def test_two_processes_make_the_bytes_that_one_makes(tmp_path: Path, same_crowd: tuple[Path, list[Path]], whole: Path,
                                                     small: None) -> None:
    run(*same_crowd, output=tmp_path / "two", jobs=2)
    assert made(whole) == made(tmp_path / "two")


def test_processes_for_chunks_start_before_files_are_read(tmp_path: Path, crowd: tuple[Path, list[Path]], small: None,
                                                            monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def pool(calls: Sequence[Call]) -> Iterator[Any]:
        asked.extend(function.__name__ for function, _ in calls)
        return (function(*given) for function, given in calls)

    monkeypatch.setattr("pmed.cohort.processes", lambda *_: nullcontext(pool))
    genome, records = crowd
    run(genome, records, output=tmp_path / "out")
    assert asked.count("worker_is_there") == (os.cpu_count() or 1)
    assert asked.index("worker_is_there") < asked.index("cut") < asked.index("part_records") < asked.index("do")
    asked.clear()
    monkeypatch.setattr("pmed.cohort.people_at_once", lambda *_, **__: 100)
    run(genome, records, output=tmp_path / "one")
    assert "worker_is_there" not in asked  # one chunk needs no other process


def test_genes_alone_are_those_of_a_call(tmp_path: Path, crowd: tuple[Path, list[Path]], small: None) -> None:
    run(crowd[0], output=tmp_path / "out", jobs=1, genes_only=True)
    key = ["patient_id", "gene"]
    assert of(tmp_path / "out", "gene_results").sort(key).equals(
        pmed.call(crowd[0]).tables["gene_results"].sort(key))
    assert not (tmp_path / "out" / "suggestions").exists()


@pytest.mark.parametrize("mixed", [False, True])
def test_a_cache_is_cut_as_the_file_that_it_was_made_of(tmp_path: Path, small: None, mixed: bool) -> None:
    """Also where the calls are not all alike: one haploid, one half, one with a depth of its own."""
    genome = people_vcf(tmp_path / "crowd.vcf", 7)
    if mixed:
        lines = genome.read_text().splitlines()
        cells = lines[-1].split("\t")
        form = cells[8].split(":")
        for place, gt in ((9, "0"), (10, "./1"), (11, "1|0")):
            cells[place] = ":".join([gt, *("7" if key in {"DP", "GQ"} else "." for key in form[1:])])
        genome.write_text("\n".join([*lines[:-1], "\t".join(cells)]) + "\n")
    write_cache([genome], tmp_path / "crowd.parquet")
    for name in ("crowd.vcf", "crowd.parquet"):
        run(tmp_path / name, output=tmp_path / f"{name}.out", jobs=1)
    assert len(list((tmp_path / "crowd.parquet.out").glob("work/genomes/*/*.block"))) == 4
    for name in ("people", "gene_results", "predictions", "suggestions"):
        one, other = (of(tmp_path / f"crowd.{kind}.out", name) for kind in ("vcf", "parquet"))
        assert one.height
        assert one.equals(other), name


KILLED = """
import os, sys, threading, time
from pathlib import Path
import pmed.cohort as c
c.people_at_once = lambda *_, **__: 2
if __name__ == "__main__":
    c.run(sys.argv[2], sys.argv[3:], output=sys.argv[1], jobs=1)
"""


@pytest.mark.parametrize("after", ["genomes/*/00000.block", "records/*/*", "done/00000.json", "done/00002.json"])
def test_a_kill_at_any_moment_and_the_same_bytes_in_the_end(tmp_path: Path, same_crowd: tuple[Path, list[Path]],
                                                            whole: Path, after: str, small: None) -> None:
    genome, records = same_crowd
    script, out = tmp_path / "job.py", tmp_path / "out"
    script.write_text(KILLED)
    with subprocess.Popen([sys.executable, str(script), str(out), str(genome), *map(str, records)]) as process:
        deadline = time.monotonic() + 120
        while not list((out / work.WORK).glob(after)):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    with pytest.raises(ResultError, match="no finished cohort"):
        Cohort.open(out)
    before = {path: path.stat().st_mtime_ns for path in (out / work.WORK / "done").glob("*.json")}
    torn = out / "people" / ".part-00004.parquet.torn"
    torn.write_bytes(b"PAR1")
    run(genome, records, output=out, jobs=1)
    assert all(path.stat().st_mtime_ns == then for path, then in before.items())
    assert made(out) == made(whole)


def test_a_finished_cohort_is_not_worked_out_again(tmp_path: Path, crowd: tuple[Path, list[Path]],
                                                   monkeypatch: pytest.MonkeyPatch) -> None:
    run(crowd[0], output=tmp_path / "out", jobs=1)
    monkeypatch.setattr(work.Worker, "do", lambda *_: pytest.fail("worked out again"))
    assert run(crowd[0], output=tmp_path / "out", jobs=1).people == 7


def test_a_folder_is_of_one_cohort(tmp_path: Path, crowd: tuple[Path, list[Path]]) -> None:
    run(crowd[0], output=tmp_path / "out", jobs=1, genes_only=True)
    for more in ({"genes_only": False}, {"genes_only": True, "pairs": {"p1": "x"}}):
        with pytest.raises(OptionError, match="holds another cohort"):
            run(crowd[0], output=tmp_path / "out", jobs=1, **more)  # type: ignore[arg-type]


def test_a_corrupt_file_among_many_is_named_and_the_others_finish(tmp_path: Path) -> None:
    files = [people_vcf(tmp_path / f"{name}.vcf", 1, name) for name in "abcd"]
    files[1].write_text(files[1].read_text().replace("\tGT:", "\tGT", 1)[:-40])
    files[2].write_bytes(b"\x1f\x8b\x08\x04nothing")
    told = CliRunner().invoke(cli, ["cohort", *map(str, files), "-o", str(tmp_path / "out"), "--jobs", "1"])
    assert told.exit_code == 3
    assert of(tmp_path / "out", "people")["sample"].to_list() == ["a0", "d0"]
    assert set(Cohort.open(tmp_path / "out").unread) == {str(files[1]), str(files[2])}
    assert sum("not read: " in line for line in told.stderr.splitlines()) == 2
    assert "no result for b0: the genome is in b.vcf, which cannot be read" in told.stderr


def test_a_corrupt_file_of_many_people_costs_only_itself(tmp_path: Path, crowd: tuple[Path, list[Path]],
                                                         small: None) -> None:
    bad = people_vcf(tmp_path / "bad.vcf", 7, "q")
    lines = bad.read_text().splitlines()
    bad.write_text("\n".join([*lines[:-1], lines[-1].rsplit("\t", 1)[0]]) + "\n")
    done = run([crowd[0], bad], output=tmp_path / "out", jobs=1)
    assert done.people == 7
    assert list(done.unread) == [str(bad)]
    assert "has 6 samples, the header names 7" in done.unread[str(bad)]


def test_a_record_that_cannot_be_read_is_named(tmp_path: Path, crowd: tuple[Path, list[Path]]) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text('{"resourceType": "Bundle", "type": "collection", "entry": [')
    done = run(crowd[0], [*crowd[1], bad], output=tmp_path / "out", jobs=1)
    assert done.people == 8
    assert list(done.unread) == [str(bad)]


def test_records_of_one_patient_in_two_files_are_one_record(tmp_path: Path, crowd: tuple[Path, list[Path]],
                                                            monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "again.json"
    text = (tmp_path / "p1.json").read_text()
    other.write_text(text.replace("clopidogrel", "codeine").replace("Clopidogrel", "Codeine"))
    monkeypatch.setattr("pmed.batch.people.TOGETHER", 1)
    run(crowd[0], [*crowd[1], other], output=tmp_path / "out", jobs=1)
    whole = pmed.run(crowd[0], [*crowd[1], other])
    key = list(pmed.TABLES["suggestions"].key)
    assert of(tmp_path / "out", "suggestions").sort(key).equals(whole.tables["suggestions"].sort(key))


def test_records_of_one_patient_that_contradict_each_other_are_not_read(
        tmp_path: Path, crowd: tuple[Path, list[Path]], monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "again.json"
    other.write_text(DEMO["warfarin"].history.read_text().replace("demo-warfarin", "p1"))
    monkeypatch.setattr("pmed.batch.people.TOGETHER", 1)
    with pytest.raises(HistoryError):
        pmed.run(crowd[0], [tmp_path / "p1.json", other])
    done = run(crowd[0], [tmp_path / "p1.json", tmp_path / "p3.json", other], output=tmp_path / "out", jobs=1)
    assert set(done.unread) == {str(tmp_path / "p1.json"), str(other)}
    assert of(tmp_path / "out", "people").filter("recorded")["patient_id"].to_list() == ["p3"]


def test_one_person_who_fails_costs_only_that_person(tmp_path: Path, crowd: tuple[Path, list[Path]],
                                                     monkeypatch: pytest.MonkeyPatch) -> None:
    inner = pmed.engine.Engine.joined  # type: ignore[attr-defined]

    def joined(engine: Any, records: Any, genes: Any, others: Any, pairs: Any) -> Any:
        if "p3" in pairs.values():
            raise InputError("is odd", where="p3")
        return inner(engine, records, genes, others, pairs)

    monkeypatch.setattr("pmed.engine.Engine.joined", joined)
    done = run(crowd[0], output=tmp_path / "out", jobs=1)
    assert (done.people, done.lost) == (6, {"p3": "p3: is odd"})


def test_a_sample_in_two_files_of_different_people_is_refused(tmp_path: Path) -> None:
    files = [people_vcf(tmp_path / "a.vcf", 3), people_vcf(tmp_path / "b.vcf", 2)]
    with pytest.raises(GenomeError, match=r"sample 'p0' is also in .*a\.vcf"):
        run(files, output=tmp_path / "out", jobs=1)


def test_files_on_different_builds_are_refused(tmp_path: Path) -> None:
    files = [people_vcf(tmp_path / "a.vcf", 1, "a"), people_vcf(tmp_path / "b.vcf", 1, "b")]
    first, *lines = files[1].read_text().splitlines()
    other = [line for line in lines if not line.startswith("##contig")]
    files[1].write_text("\n".join([first, "##reference=GRCh37", *other]) + "\n")
    with pytest.raises(GenomeError, match="different builds"):
        run(files, output=tmp_path / "out", jobs=1)


def test_an_output_that_cannot_be_written_is_one_clear_line(tmp_path: Path, crowd: tuple[Path, list[Path]]) -> None:
    (tmp_path / "file").write_text("")
    told = CliRunner().invoke(cli, ["cohort", str(crowd[0]), "-o", str(tmp_path / "file" / "out")])
    assert isinstance(told.exception, OptionError)
    assert "cannot be made" in str(told.exception)


@contextmanager
def tmpfs(folder: Path, size: str) -> Iterator[Path]:
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)],
                             capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("cannot mount a small tmpfs here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_is_one_clear_line_and_the_run_goes_on_when_there_is_room(
        tmp_path: Path, same_crowd: tuple[Path, list[Path]], whole: Path, small: None) -> None:
    genome, records = same_crowd
    with tmpfs(tmp_path / "disk", "330k") as disk:
        with pytest.raises(PmedError, match="No space left on device") as caught:
            run(genome, records, output=disk / "out", jobs=1)
        assert "\n" not in str(caught.value)
        assert not list((disk / "out").rglob(".*.*"))
        subprocess.run(["mount", "-o", "remount,size=30m", str(disk)], check=True)
        run(genome, records, output=disk / "out", jobs=1)
        assert made(disk / "out") == made(whole)


def test_a_missing_file_is_said_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(GenomeError, match="no such file"):
        run(tmp_path / "none.vcf", output=tmp_path / "out", jobs=1)


def test_a_path_may_be_written_as_an_address_of_a_file_and_of_nothing_else(
        tmp_path: Path, crowd: tuple[Path, list[Path]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    asked = [f"file://{crowd[0]}", "--genes-only", "--jobs", "1"]
    assert CliRunner().invoke(cli, ["cohort", *asked, "-o", f"file://{tmp_path}/out"]).exit_code == 0
    assert Cohort.open(tmp_path / "out").people == 7
    told = CliRunner().invoke(cli, ["cohort", *asked, "-o", "hdfs://host:8020/out"])
    assert "hdfs addresses are read and written with --engine spark alone" in str(told.exception)
    assert not list(tmp_path.glob("hdfs*"))


def test_records_of_strangers_are_not_guessed(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no record is of anybody with a genome"):
        run(people_vcf(tmp_path / "a.vcf", 2), record(tmp_path, "zoe"), output=tmp_path / "out", jobs=1)


def test_memory_sets_the_chunks(tmp_path: Path) -> None:
    sizes = [people_at_once(megabytes, 2) for megabytes in (1100, 1500, 3000)]
    assert sizes == sorted(sizes)
    assert len(set(sizes)) == 3
    with pytest.raises(OptionError, match="too little for 8 processes"):
        people_at_once(1000, 8)


@pytest.mark.parametrize(("megabytes", "people", "genes_only"), [
    (492, 100, False), (1120, 854, False), (1360, 1281, False), (199, 107, True), (286, 427, True)])
def test_no_more_people_than_were_measured_to_take_as_much(megabytes: int, people: int, genes_only: bool) -> None:
    """One process after many chunks of so many people took so much."""
    try:
        assert people_at_once(megabytes, 1, genes_only=genes_only) <= people
    except OptionError:
        assert megabytes < 300


def test_the_summary_counts_what_the_tables_hold(tmp_path: Path, crowd: tuple[Path, list[Path]], small: None) -> None:
    groups = {f"p{n}": "north" if n < 4 else "south" for n in range(7)}
    done = run(crowd[0], crowd[1], output=tmp_path / "out", jobs=1, groups=groups)
    people = of(tmp_path / "out", "people").select("patient_id", "group")
    assert dict(people.group_by("group").len().iter_rows()) == {"north": 4, "south": 3, work.UNGROUPED: 1}
    genes = of(tmp_path / "out", "gene_results").join(people, on="patient_id").drop_nulls("phenotype")
    told = done.summary("frequencies").filter(kind="phenotype")
    for group in ("north", "south", EVERYBODY):
        mine = genes if group == EVERYBODY else genes.filter(group=group)
        counted = mine.group_by("gene", name="phenotype").agg(n=pl.len().cast(pl.Int64)).sort("gene", "name")
        assert counted.height
        assert told.filter(group=group).select("gene", "name", "n").sort("gene", "name").equals(counted)
    taken = of(tmp_path / "out", "exposures").filter(drug="clopidogrel")
    drugs = done.summary("drugs_phenotypes").filter(group=EVERYBODY, drug="clopidogrel", gene="CYP2C19")
    assert drugs["n"].sum() == taken.height == 3
    acting = of(tmp_path / "out", "suggestions").filter(
        "current", pl.col("action").is_in(["avoid", "alternative", "adjust"]))["patient_id"].n_unique()
    row = done.summary("actionable").filter(group=EVERYBODY, what="actionable-now").row(0, named=True)
    assert (row["n"], row["of"]) == (acting, of(tmp_path / "out", "exposures")["patient_id"].n_unique())


def test_a_diplotype_is_counted_only_where_its_key_sites_were_read() -> None:
    """Whose key site was not read may have another allele: that is no *1."""
    genes = [{"patient_id": name, "gene": "CYP2C9", "status": status, "diplotypes": pairs, "phenotype": phenotype,
              "complete": complete, "missing_sites": []} for name, status, pairs, phenotype, complete in (
        ("read", "called", ["*1/*2"], "Intermediate Metabolizer", True),
        ("unread", "ambiguous", ["*1/*1"], None, False), ("half", "called", ["*1/*1"], None, False),
        ("open", "ambiguous", ["*1/*2"], "Intermediate Metabolizer", True))]  # its phenotype is sure, and nothing else
    people = pl.DataFrame({"patient_id": ["read", "unread", "half", "open"], "sample": [*"abcd"], "group": "g",
                           "recorded": False})
    counts = counted(people, pl.DataFrame(schema={"patient_id": pl.String, "drug": pl.String}),
                     TABLES["gene_results"].frame(genes), TABLES["suggestions"].empty())
    told = summaries(counts)["frequencies"].filter(group=EVERYBODY)
    assert told.filter(kind="allele")["name", "n", "of"].rows() == [("*1", 1, 2), ("*2", 1, 2)]
    assert told.filter(kind="diplotype")["name", "n", "of"].rows() == [("*1/*2", 1, 1)]
    assert told.filter(kind="status")["name"].to_list() == ["ambiguous", "called", "called, incomplete"]


def test_of_genes_alone_nothing_is_said_of_drugs_to_change(tmp_path: Path, crowd: tuple[Path, list[Path]]) -> None:
    """Nobody was advised: that is not nobody with a drug to change."""
    done = run(crowd[0], crowd[1], output=tmp_path / "out", jobs=1, genes_only=True)
    assert done.summary("actionable").is_empty()
    assert done.summary("actionable").schema["n"] == pl.Int64


def test_a_group_may_be_named_by_a_number(tmp_path: Path) -> None:
    (tmp_path / "summary").mkdir()
    rows = pl.DataFrame({"group": ["1"] * 200 + [EVERYBODY] * 200, "n": 1, "of": 2}).pipe(with_interval)
    rows.write_csv(tmp_path / "summary/qc.csv")
    assert Cohort(tmp_path, 2).summary("qc").equals(rows)


def test_intervals_are_exact() -> None:
    rows = with_interval(pl.DataFrame({"n": [0, 7, 20], "of": [20, 20, 20]}))
    assert rows["low"].round(4).to_list() == [0.0, 0.1539, 0.8316]
    assert rows["high"].round(4).to_list() == [0.1684, 0.5922, 1.0]


def test_staged_records_hold_the_rows_of_their_people_only(tmp_path: Path) -> None:
    tables = pmed.run(history=[record(tmp_path, "ann"), record(tmp_path, "bob"), record(tmp_path, "cat")]).tables
    kept = {name: tables[name].select(pmed.TABLES[name].names) for name in ("patients", "conditions", "medications")}
    kept["issues"] = pmed.TABLES["issues"].frame([{"text": "of nobody"}, {"patient_id": "bob", "text": "of bob"}])
    paths = []
    for number, part in enumerate(staging._parted(kept, [["cat", "ann"], ["bob"], ["eve"]])):
        paths.append(tmp_path / str(number))
        paths[-1].write_bytes(staging.packed_tables(part))
    first, second, nobody = (staging.staged_tables([path]) for path in paths)
    for name in ("patients", "conditions", "medications"):
        mine = pl.col("patient_id").is_in(["ann", "cat"])
        assert first[name].equals(kept[name].filter(mine))
        assert second[name].equals(kept[name].filter(~mine))
        assert nobody[name].is_empty()
    assert first["issues"]["text"].to_list() == ["of nobody"]
    assert second["issues"]["text"].to_list() == ["of bob"]


