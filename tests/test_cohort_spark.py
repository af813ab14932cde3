"""Spark gives the local engine's files, though a Python worker is lost. Needs pyspark, pyarrow and Java."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("pyspark")
pytest.importorskip("pyarrow")

from pmed.cohort import run, spark, work

from .test_cohort import made, people_vcf, record

pytestmark = pytest.mark.filterwarnings("ignore")
KILLED = "killed"


def kill_once(asked: bytes, task: bytes, inner: spark.Doing = spark.done_of) -> bytes:
    """Work a chunk out; the first process that does so is killed half way, when its chunk's files are there."""
    done = inner(asked, task)
    folder = work.worker().asked.folder
    try:
        (folder / KILLED).touch(exist_ok=False)
    except FileExistsError:
        return done
    for path in (folder / work.WORK / "done").glob("*.json"):
        path.unlink()
    os.kill(os.getpid(), signal.SIGKILL)
    return done


def test_spark_writes_what_the_local_engine_writes_though_a_worker_is_killed(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pmed.cohort.people_at_once", lambda *_, **__: 3)
    genome = people_vcf(tmp_path / "crowd.vcf", 7)
    records = [record(tmp_path, name) for name in ("p1", "p5")]
    run(genome, records, output=tmp_path / "local", jobs=1)
    monkeypatch.setattr(spark, "DOING", kill_once)
    done = run(genome, records, output=tmp_path / "spark", jobs=2, engine="spark")
    assert (tmp_path / "spark" / KILLED).is_file()
    (tmp_path / "spark" / KILLED).unlink()
    assert done.people == 7
    assert made(tmp_path / "spark") == made(tmp_path / "local")


def test_executors_say_how_polars_works_before_they_load_it() -> None:
    from pyspark import cloudpickle
    shipped = cloudpickle.dumps(spark._mapper(b"", None, spark.done_of))
    told = ("import pickle, sys; work_out = pickle.loads(sys.stdin.buffer.read()); assert 'polars' not in sys.modules; "
            "import gc, os; [*work_out(iter(()))]; "
            "print('polars' in sys.modules, os.environ['POLARS_MAX_THREADS'], gc.get_freeze_count() > 0)")
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("POLARS_", "_RJEM_"))}
    done = subprocess.run([sys.executable, "-c", told], input=shipped, env=bare, capture_output=True, check=True)
    assert done.stdout.split() == [b"True", b"1", b"True"], done.stderr
