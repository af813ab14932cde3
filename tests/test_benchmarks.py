"""The benchmark table says what it measured; how fast anything is, is not tested."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import biobank, genomes, jobs, performance, run, scale, scores
from benchmarks.measure import HEAD, Case, Cost, chosen, is_made, make_once, measure, measure_all, row, table


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


def made_row(case: Case, cost: Cost, floor: Cost | str = "gone", floor_items: int = 0) -> dict[str, str]:
    """The row of a case beside the floor 'floor', by column; the verdict under 'verdict'."""
    cases = {case.name: case, "floor": Case("floor", (), items=floor_items)}
    made = row(case, cases, {case.name: cost, "floor": floor})
    return dict(zip((*HEAD[:-1], "verdict"), made, strict=True))


def test_measure_counts_cpu_and_memory(root: Path) -> None:
    """In a small process of its own: a child's peak memory is never below what its parent holds when it starts it."""
    code = ("from benchmarks.measure import measure; import sys\nfor work in sys.argv[1:]:\n"
            "    cost = measure((sys.executable, '-c', work)); print(cost.seconds, cost.megabytes)")
    work = "x = bytearray(80_000_000)\nfor i in range(3_000_000): pass"
    done = subprocess.run([*python(code), "pass", work], cwd=root, capture_output=True, text=True, check=True)
    idle, busy = (Cost(*map(float, line.split())) for line in done.stdout.splitlines())
    assert idle.seconds > 0
    assert idle.work is None
    assert busy.megabytes > idle.megabytes + 50


def test_measure_hears_how_much_of_it_was_work() -> None:
    told = "from benchmarks.peers import working\nwith working():\n    x = sum(range(300_000))"
    cost = measure(python(told))
    assert cost.work is not None
    assert 0 < cost.work < cost.seconds
    assert cost.counted(apart=True) == cost.work
    assert cost.counted(apart=False) == cost.seconds
    assert Cost(3, 4).counted(apart=True) == 3


def test_measure_says_why_a_command_failed() -> None:
    with pytest.raises(RuntimeError, match=r"^exit code 3: no luck$"):
        measure(python("import sys; print('first\\nno luck', file=sys.stderr); sys.exit(3)"))


def test_what_polars_says_to_its_allocator_here_is_not_said_to_what_is_measured(monkeypatch: pytest.MonkeyPatch
                                                                              ) -> None:
    """Else a cohort is measured with less memory and more CPU than its command takes."""
    monkeypatch.setenv("_RJEM_MALLOC_CONF", "dirty_decay_ms:500,muzzy_decay_ms:1000")
    measure(python("from pmed.processors import one_thread; one_thread(); import os\n"
                   "assert 'dirty_decay_ms:20000' in os.environ['_RJEM_MALLOC_CONF']"))


def test_measure_all_goes_on_after_a_failure() -> None:
    cases = [Case("bad", python("1/0")), Case("gone", ("no-such-program",), missing="not installed"),
             Case("good", python("pass"))]
    costs = measure_all(cases, rounds=2)
    assert costs["bad"] == "FAILED exit code 1: ZeroDivisionError: division by zero"
    assert costs["gone"] == "not installed"
    assert isinstance(costs["good"], Cost)


def test_measure_all_takes_turns_and_stops_heavy_cases_early(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []

    def run(command: tuple[str]) -> Cost:
        ran.append(command[0])
        return Cost(len(ran), 1)
    monkeypatch.setattr("benchmarks.measure.measure", run)
    costs = measure_all([Case("a", ("a",)), Case("b", ("b",), rounds=1)], rounds=3)
    assert ran == ["a", "b", "a", "a"]
    assert costs == {"a": Cost(3, 1), "b": Cost(2, 1)}


@pytest.mark.parametrize(("cost", "verdict"), [
    (Cost(1.9, 399), "ok"), (Cost(2.1, 399), "OVER THE LIMIT"), (Cost(1.9, 401), "OVER THE LIMIT")])
def test_row_marks_what_is_over_the_limit(cost: Cost, verdict: str) -> None:
    case = Case("report", (), "floor", seconds=2, megabytes=400)
    made = made_row(case, cost, Cost(0.5, 40))
    assert made["verdict"] == verdict
    assert [made[name] for name in ("ratio", "to", "limit")] == [f"{cost.seconds / 0.5:.2f}", "floor", "2 s, 400 MB"]


def test_row_compares_all_cpu_time_or_the_work_alone() -> None:
    cost, floor = Cost(2.0, 1, work=1.2), Cost(1.0, 1)
    whole = made_row(Case("a", (), "floor", ratio=1.5), cost, floor)
    assert [whole[name] for name in ("work s", "ratio", "limit", "verdict")] == ["1.200", "2.00", "1.5 x",
                                                                               "OVER THE LIMIT"]
    apart = made_row(Case("a", (), "floor", ratio=1.5, apart=True), cost, floor)
    assert [apart[name] for name in ("ratio", "verdict")] == ["1.20", "ok"]


def test_row_compares_the_cost_of_one_item() -> None:
    made = made_row(Case("eight", (), "floor", ratio=1.1, items=8_000), Cost(10, 1), Cost(1, 1), floor_items=1_000)
    assert [made[name] for name in ("ns each", "ratio", "verdict")] == ["1250000.0", "1.25", "OVER THE LIMIT"]
    made = made_row(Case("eight", (), "floor", ratio=1.1, items=8_000), Cost(8, 1), Cost(1, 1), floor_items=1_000)
    assert [made[name] for name in ("ratio", "verdict")] == ["1.00", "ok"]


@pytest.mark.parametrize(("work", "verdict"), [(0.99, "ok"), (1.01, "OVER THE LIMIT")])
def test_row_marks_an_item_that_costs_too_much_work(work: float, verdict: str) -> None:
    made = made_row(Case("ten", (), "floor", each=0.1, items=10), Cost(9, 1, work=work), Cost(1, 1))
    assert [made[name] for name in ("limit", "verdict")] == ["100 ms each", verdict]


def test_a_missing_floor_is_no_verdict() -> None:
    made = made_row(Case("a", (), "floor", ratio=1.5, megabytes=400), Cost(1, 1), "not installed")
    assert [made[name] for name in ("ratio", "to", "verdict")] == ["", "", "not compared: no floor"]
    made = made_row(Case("a", (), "floor", ratio=1.5, megabytes=400), Cost(1, 500), "not installed")
    assert made["verdict"] == "OVER THE LIMIT"


def test_row_without_limit_or_floor_and_table() -> None:
    alone = Case("alone", ())
    assert row(alone, {"alone": alone}, {"alone": Cost(1, 2)}) == ("alone", "1.000", "", "2", "", "", "", "", "")
    failed = row(alone, {"alone": alone}, {"alone": "FAILED no luck"})
    assert failed[0::len(HEAD) - 1] == ("alone", "FAILED no luck")
    assert not any(failed[1:-1])
    assert table([("a", "b"), ("long", "")]) == "a     b\nlong"


def test_chosen_brings_the_floors_along() -> None:
    cases = [Case("floor", ()), Case("between", (), "floor"), Case("Index of it", (), "between"), Case("other", ())]
    assert [case.name for case in chosen(cases, "index")] == ["floor", "between", "Index of it"]
    assert chosen(cases, "") == cases
    assert chosen(cases, "nothing like it") == []


def test_the_limits_of_the_genome_cases_and_their_peers() -> None:
    cases = {case.name: case for group, _ in genomes.GROUPS for case in group({})}
    limits = {name: (case.ratio, case.megabytes, case.apart, case.floor) for name, case in cases.items()
              if case.ratio or case.megabytes}
    assert limits == {
        "pmed, needed sites, index": (1.5, 0, True, "bcftools query -R, index"),
        "pmed, full scan, genome": (0.85, 0, False, "bcftools view, genome"),
        "pmed, needed sites, genome, no index": (0, 400, False, "bcftools view, genome"),
        "pmed, 3 genes x 2,562": (0.9, 0, False, "bcftools view, 3 genes"),
        **{f"pmed, 3 genes x {2562 * n:,}": (1.1, 0, True, "pmed, 3 genes x 2,562") for n in (2, 4, 8)}}
    assert all(case.floor in cases for case in cases.values() if case.floor)


def test_what_is_not_installed_has_a_row_that_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(genomes, "has", lambda _python, module: module == "pysam")
    monkeypatch.setattr(genomes.shutil, "which", lambda _program: None)
    cases = {case.name: case.missing for group, _ in genomes.GROUPS for case in group({})}
    assert cases["cyvcf2, regions, index"] == "cyvcf2 not installed (PEERS_PYTHON names a Python that has it)"
    assert cases["polars-bio, full scan, chr1"].startswith("polars-bio not installed")
    assert cases["bcftools view, genome"] == "bcftools not installed (Debian: apt-get install bcftools)"
    assert cases["pysam, full scan, chr1"] == ""


def test_peers_python_is_asked_for_what_is_not_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PEERS_PYTHON", "their-python")
    monkeypatch.setattr(genomes, "has", lambda python, module: (python, module) in {("their-python", "cyvcf2"),
                                                                                   (sys.executable, "pysam")})
    commands = {name: genomes.peer(name, name, "scan").command for name in ("cyvcf2", "pysam")}
    assert commands == {"cyvcf2": ("their-python", "-m", "benchmarks.peers", "scan"),
                        "pysam": (sys.executable, "-m", "benchmarks.peers", "scan")}


def test_a_python_that_is_not_there_has_nothing() -> None:
    assert genomes.has(sys.executable, "pysam")
    assert not genomes.has(sys.executable, "no_such_module")
    assert not genomes.has("/no/such/python", "pysam")


def test_files_are_made_once_and_whole(tmp_path: Path) -> None:
    folder, made = tmp_path / "files", list[Path]()

    def make(fresh: Path) -> dict[str, int]:
        made.append(fresh)
        (fresh / "data").write_text("x", encoding="utf-8")
        return {"records": 7}

    for _ in range(2):
        make_once(folder, {"version": 1}, make)
    assert len(made) == 1
    assert sorted(path.name for path in folder.iterdir()) == ["data", "files.json"]
    assert is_made(folder, {"version": 1, "records": 7})
    with pytest.raises(ZeroDivisionError):
        make_once(folder, {"version": 2}, lambda _: {"records": 1 // 0})
    assert not folder.exists()
    make_once(folder, {"version": 2}, make)
    assert is_made(folder, {"version": 2})


def test_the_lines_of_scores_are_found_by_their_name() -> None:
    assert len(chosen(scores.scores({}), "scores")) == 4


def test_results_and_page_say_how_fast_the_machine_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(performance, "pace", lambda: 1.234)
    told = {"commit": "abc", "created": "2026-01-01", "rounds": 1, "machine": performance.machine(), "rows": [
        {**dict.fromkeys(HEAD[1:], ""), "what": "pmed cohort, the genes of 2,562", "CPU s": "4.8", "work s": "3.9",
         "verdict": "ok"}]}
    assert told["machine"]["loop_s"] == 1.23
    said = "20,000,000 additions in a Python loop took 1.23 CPU s."
    assert said in performance.page([told])
    del told["machine"]["loop_s"]  # results from before it was measured
    assert "additions" not in performance.page([told])


def test_what_was_not_measured_again_stays_from_the_commit_that_did() -> None:
    def told(commit: str, **rows: str) -> dict[str, Any]:
        return {"commit": commit, "rows": [{"what": what, "ns each": each} for what, each in rows.items()]}

    found = performance.latest([told("c", a="3", b=""), told("b", gone="1"), told("a", a="1", b="2")], {"a", "b"})
    assert [(one["commit"], [row["what"] for row in one["rows"]]) for one in found] == [("c", ["a"]), ("a", ["b"])]
    assert found[0]["rows"][0]["ns each"] == "3"


def test_the_page_has_a_line_through_all_its_sizes() -> None:
    def row(people: int, work: float, commit: str = "abc") -> tuple[str, ...]:
        return (f"{biobank.LINE} {people:,}", f"{work + 1}", f"{work}", "500", "", "", "", "", commit)

    rows = [row(1, 0.5), row(1000, 2.0), row(2000, 3.0), row(10_000, 11.0), row(40_000, 41.0)]
    assert performance.straight(rows)[0][5] == "1.00"
    [told] = performance.straight([*rows, row(1_000_000, 2000.0)])
    assert told[7] == "OVER THE LIMIT"
    assert performance.straight([*rows, row(1_000_000, 2000.0, "of another machine")])[0][5] == "1.00"
    assert performance.straight([]) == []


def test_the_page_is_about_cohorts_of_one_person_to_a_million() -> None:
    for people in ("1", "100", "1,000", "2,562", "99,918", "1,000,000"):
        assert f"pmed cohort, the genes of {people}" in performance.names()
    assert "pmed cohort, on Spark, the genes of 99,918" in performance.names()


def test_what_takes_minutes_is_only_measured_where_that_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scale, "GROUPS", tuple((group, dict) for group, _ in scale.GROUPS))
    million = "pmed cohort, the genes of 1,000,000"
    for slow in (False, True):
        cases = run.genome_cases("the genes of 1,000,000", slow=slow)
        assert (million in [case.name for case in cases]) is slow


def test_spark_is_compared_with_the_local_engine_for_as_many() -> None:
    cases = scale.on_spark({})
    assert [case.ratio for case in cases] == [0, 0, 1.5]
    assert {case.floor for case in cases} <= performance.names()
    assert all(case.apart for case in cases)


def test_all_processes_are_counted(tmp_path: Path) -> None:
    """A child of a child, and both while they have not ended."""
    work = "import time; began = time.process_time()\nwhile time.process_time() - began < .3: pass\n"
    inner = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {work!r}])\nprint(flush=True)\ninput()"
    before = jobs.of_all()
    process = subprocess.Popen([sys.executable, "-c", inner], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    during = jobs.of_all()
    process.communicate(b"\n")
    assert during - before >= 0.29
    assert jobs.of_all() >= during - 0.02


@pytest.mark.parametrize(("work", "off", "verdict"), [
    ((2.0, 3.0, 11.0, 41.0), "1.00", "ok"), ((2.0, 3.0, 11.0, 70.0), "1.4", "OVER THE LIMIT")])
def test_linearity_is_told_of_a_line_with_any_start(work: tuple[float, ...], off: str, verdict: str) -> None:
    cases = [Case(f"{biobank.LINE} {many:,}", (), items=many) for many in (1000, 2000, 10_000, 40_000)]
    costs = {case.name: Cost(seconds + 1, 1, seconds) for case, seconds in zip(cases, work, strict=True)}
    [row] = biobank.linearity(cases, costs)
    assert len(row) == len(HEAD)
    assert row[5].startswith(off)
    assert row[8] == verdict
    assert not biobank.linearity(cases[:2], costs)
    assert not biobank.linearity(cases[:3], {**costs, cases[0].name: "FAILED"})
