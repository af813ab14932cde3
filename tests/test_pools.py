"""Workers end when the process that began them does, at once, and leave nothing half written."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pmed.cohort import run
from pmed.plugins import Component, Plugins
from pmed.pools import processes
from tests.test_cohort import made, people_vcf

SECONDS = 5.0  # about .1 on an idle machine; working on to the end takes minutes
# Of each process as it starts, workers too: these do not run the script again.
SLOW = """
import time
from pmed.cohort import work
inner = work._parquet
def slow(frame):
    time.sleep(0.3)  # each chunk takes 2 s and more
    return inner(frame)
work._parquet = slow
"""
COHORT = """
import sys
import pmed.cohort as c
c.people_at_once = lambda *_, **__: 3
c.run(sys.argv[1], output=sys.argv[2], jobs=2)
"""


def group_ends(number: int, seconds: float) -> bool:
    """Whether no process of a group is left after so long."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            os.killpg(number, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False


@pytest.fixture(scope="module")
def genome(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return people_vcf(tmp_path_factory.mktemp("genome") / "crowd.vcf", 12)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, genome: Path) -> dict[str, bytes]:
    """The results of a run that was let be."""
    out = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pmed.cohort.people_at_once", lambda *_, **__: 3)
        run(genome, output=out, jobs=1)
    return made(out)


@pytest.mark.parametrize(("ended_by", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, -signal.SIGINT),
                                                (signal.SIGKILL, -signal.SIGKILL)])
def test_a_cohort_that_is_ended_takes_its_workers_with_it_and_goes_on_later(
        tmp_path: Path, ended_by: signal.Signals, code: int, whole: dict[str, bytes], genome: Path,
        monkeypatch: pytest.MonkeyPatch) -> None:
    script, out = tmp_path / "job.py", tmp_path / "out"
    script.write_text(COHORT)
    (tmp_path / "sitecustomize.py").write_text(SLOW)
    paths = os.pathsep.join([str(tmp_path), *(path for path in sys.path if path)])
    with subprocess.Popen([sys.executable, str(script), str(genome), str(out)], start_new_session=True,
                          stderr=subprocess.DEVNULL, env=os.environ | {"PYTHONPATH": paths}) as started:
        deadline = time.monotonic() + 120
        while len(list((out / "work" / "done").glob("*.json"))) < 1:
            assert started.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
        started.send_signal(ended_by)  # to the first process alone
        began = time.monotonic()
        assert started.wait(60) == code
        assert group_ends(started.pid, SECONDS)
        assert time.monotonic() - began < SECONDS
    assert ended_by == signal.SIGKILL or not list(out.rglob(".*.*"))
    done = list((out / "work" / "done").glob("*.json"))
    assert 1 <= len(done) < 4
    before = {path: path.stat().st_mtime_ns for path in done}
    monkeypatch.setattr("pmed.cohort.people_at_once", lambda *_, **__: 3)
    run(genome, output=out, jobs=1)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert made(out) == whole


def test_a_script_needs_no_guard(tmp_path: Path, whole: dict[str, bytes], genome: Path) -> None:
    script, out = tmp_path / "job.py", tmp_path / "out"
    script.write_text(COHORT + "print('once')\n")
    done = subprocess.run([sys.executable, str(script), str(genome), str(out)], capture_output=True, text=True,
                          check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("once\n", "", 0)
    assert made(out) == whole


def test_a_process_that_reads_a_share_ends_with_the_one_that_wants_it(tmp_path: Path) -> None:
    pipe = tmp_path / "endless.ndjson"
    os.mkfifo(pipe)  # opening it waits for somebody who writes
    script = tmp_path / "share.py"
    script.write_text(f"""
import time
import msgspec
from pmed.sources import fhir_shares as s
process = s._started(s._nameless())
s._tell(process, msgspec.msgpack.encode(s.Job([s.Piece({str(pipe)!r}, 0, None, False)], {{}}, {{}})))
print("told", flush=True)
time.sleep(600)
""")
    with subprocess.Popen([sys.executable, str(script)], start_new_session=True, stdout=subprocess.PIPE) as started:
        assert started.stdout
        assert started.stdout.readline() == b"told\n"
        with pipe.open("wb"):  # the share has begun
            started.kill()
            started.wait()
            assert group_ends(started.pid, SECONDS)


THREADS, ALLOCATOR = "POLARS_MAX_THREADS", "_RJEM_MALLOC_CONF"
POLARS = "dirty_decay_ms:500,muzzy_decay_ms:1000"  # what it sets where it is loaded
OURS = "dirty_decay_ms:20000,muzzy_decay_ms:-1,narenas:1"


@pytest.mark.parametrize(("here", "there"), [
    ({}, ["1", OURS]), ({ALLOCATOR: POLARS}, ["1", OURS]), ({ALLOCATOR: f"{POLARS},{POLARS}"}, ["1", OURS]),
    ({ALLOCATOR: f"{POLARS},thp:always,metadata_thp:always"}, ["1", OURS]),
    ({THREADS: "2", ALLOCATOR: f"{POLARS},narenas:2"}, ["2", f"{POLARS},narenas:2"])])
def test_workers_have_one_thread_and_keep_memory_unless_the_user_says_else(
        here: dict[str, str], there: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Also those of a notebook, where polars has been loaded and has written its own wishes where workers look."""
    for name in (THREADS, ALLOCATOR):
        monkeypatch.delenv(name, raising=False)
    for name, value in here.items():
        monkeypatch.setenv(name, value)
    with processes(2, len, "", hint="") as pool:
        found = list(pool([(os.getenv, (name,)) for name in (THREADS, ALLOCATOR)]))
    assert sorted(found) == sorted(there)
    assert {name: os.environ[name] for name in (THREADS, ALLOCATOR) if name in os.environ} == here


def test_sigterm_ends_a_run_in_the_middle_of_a_plugin_and_is_no_failure_of_it() -> None:
    plugins = Plugins()
    with pytest.raises(SystemExit) as ended, processes(1, len, "", hint="") as pool:
        list(pool([(plugins.attempt, (Component("x", None, "x", "1"), "features", os.kill, os.getpid(),
                                      signal.SIGTERM))]))
    assert ended.value.code == 128 + signal.SIGTERM
    assert plugins.failures == []
