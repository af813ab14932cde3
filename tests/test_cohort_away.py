"""Cohorts at Hadoop addresses: all goes through Hadoop's file systems. Needs pyspark, pyarrow and Java.

``viewfs`` is one of Hadoop's own: its addresses mean nothing to Python, and here they lead into a folder of the test.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("pyspark")
pytest.importorskip("pyarrow")

from pmed.cohort import run, spark

from .test_cohort import made, people_vcf, record

pytestmark = pytest.mark.filterwarnings("ignore")
AT = "viewfs://pmed/data"


@pytest.fixture
def mounted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that is at the address `AT`, in a Spark session that knows so."""
    from pyspark.sql import SparkSession

    folder = tmp_path / "mounted"
    folder.mkdir()
    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.master(f"local[2,{spark.RETRIES}]")
    for name, value in {**spark._SETTINGS,
                        "spark.hadoop.fs.viewfs.mounttable.pmed.link./data": folder.as_uri()}.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    monkeypatch.setattr("pmed.cohort.people_at_once", lambda *_, **__: 3)
    yield folder
    session.stop()


def without_checksums(folder: Path) -> dict[str, bytes]:
    """Hadoop writes one beside each file of a local disk."""
    return {name: data for name, data in made(folder).items() if not name.endswith(".crc")}


def test_a_cohort_at_addresses_is_that_of_paths(mounted: Path, tmp_path: Path) -> None:
    crowd, single = people_vcf(mounted / "crowd.vcf", 7), people_vcf(mounted / "one.vcf", 1, "q")
    records = [record(mounted, name) for name in ("p1", "p5")]
    run([crowd, single], records, output=tmp_path / "local", jobs=1, groups={"p1": "blue"})
    done = run([f"{AT}/crowd.vcf", f"{AT}/one.vcf"], [f"{AT}/{one.name}" for one in records], output=f"{AT}/sub/out",
               jobs=2, engine="spark", groups={"p1": "blue"})
    assert (done.people, done.unread, done.lost) == (8, {}, {})
    assert str(done) == f"8 people; {AT}/sub/out"
    assert without_checksums(mounted / "sub/out") == made(tmp_path / "local")
    assert done.summary("frequencies").height
    assert not list(Path.cwd().glob("viewfs*"))
