"""Cohorts at Hadoop addresses: all goes through Hadoop's file systems. Needs pyspark, pyarrow and Java.

``viewfs`` is one of Hadoop's own: its addresses mean nothing to Python, and here they lead into a folder of the test.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("pyspark")
pytest.importorskip("pyarrow")

from click.testing import CliRunner

from pmed.cli import cli
from pmed.cohort import run, spark
from pmed.cohort.hadoop import Hadoop
from pmed.errors import OptionError, PmedError

from .test_cohort import made, people_vcf, record

pytestmark = pytest.mark.filterwarnings("ignore")
AT = "viewfs://pmed/data"


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder that is at the address `AT`, in a Spark session that knows so: its start takes long."""
    from pyspark.sql import SparkSession

    folder = tmp_path_factory.mktemp("disk")
    link = {"spark.hadoop.fs.viewfs.mounttable.pmed.link./data": folder.as_uri()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        builder = SparkSession.builder.master(f"local[2,{spark.RETRIES}]")
        for name, value in {**spark._SETTINGS, **link}.items():
            builder = builder.config(name, value)
        session = builder.getOrCreate()
        yield folder
        session.stop()


@pytest.fixture
def mounted(disk: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The same, empty, for chunks of three people."""
    monkeypatch.setattr("pmed.cohort.people_at_once", lambda *_, **__: 3)
    yield disk
    for path in disk.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


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


def test_it_goes_on_where_it_was_and_says_what_is_wrong_by_address(mounted: Path, tmp_path: Path) -> None:
    crowd, output = people_vcf(mounted / "crowd.vcf", 7), mounted / "out"
    (mounted / "bad.vcf").write_text(crowd.read_text().replace("\tp", "\tq")[:-30])
    genomes = [f"{AT}/crowd.vcf", f"{AT}/bad.vcf"]
    whole = run(genomes, output=f"{AT}/out", jobs=2, engine="spark")
    assert list(whole.unread) == [f"{AT}/bad.vcf"]
    assert tempfile.gettempdir() not in f"{whole.unread}{(output / 'state.json').read_text()}"
    before = without_checksums(output)
    kept = [path.stat().st_mtime_ns for path in sorted((output / "gene_results").glob("*.parquet"))]
    for path in ("work/done/00001.json", "gene_results/part-00001.parquet", "state.json"):
        (output / path).unlink()
    run(genomes, output=f"{AT}/out", jobs=2, engine="spark")
    assert without_checksums(output) == before
    again = [path.stat().st_mtime_ns for path in sorted((output / "gene_results").glob("*.parquet"))]
    assert [one == other for one, other in zip(kept, again, strict=True)] == [True, False, True, True]
    with pytest.raises(OptionError, match="holds another cohort") as told:
        run(genomes, output=f"{AT}/out", jobs=2, engine="spark", genes_only=True)
    assert told.value.where == f"{AT}/out"


def test_the_command_takes_addresses(mounted: Path) -> None:
    people_vcf(mounted / "crowd.vcf", 2)
    asked = ["cohort", f"{AT}/crowd.vcf", "-o", f"{AT}/out/", "--engine", "spark", "--jobs", "2", "--genes-only"]
    told = CliRunner().invoke(cli, asked)
    assert (told.exit_code, told.stdout) == (0, f"wrote 2 people; {AT}/out\n")
    assert (mounted / "out/gene_results/part-00000.parquet").is_file()


@pytest.mark.parametrize(("address", "text"), [
    (f"{AT}/none.vcf", "^viewfs://pmed/data/none.vcf: no such file$"),
    ("viewfs://elsewhere/x.vcf", "^viewfs://elsewhere/x.vcf: cannot be looked for: "),
    ("strange://host/x.vcf", '^strange://host/x.vcf: cannot be looked for: No FileSystem for scheme "strange"')])
def test_what_cannot_be_had_is_one_line(mounted: Path, tmp_path: Path, address: str, text: str) -> None:
    with pytest.raises(PmedError, match=text) as told:
        run(address, output=tmp_path / "out", jobs=2, engine="spark")
    assert "\n" not in str(told.value)


def test_what_cannot_be_written_is_one_line(mounted: Path, tmp_path: Path) -> None:
    genome = people_vcf(tmp_path / "crowd.vcf", 2)
    with pytest.raises(PmedError, match="^viewfs://pmed/out/.*: cannot be written: "):
        run(genome, output="viewfs://pmed/out", jobs=2, engine="spark")  # the mount table itself is read-only


class Renaming:
    """What Hadoop's file systems do, told and not done; a rename says by its answer whether it was one."""

    def __init__(self) -> None:
        self.done: list[tuple[str, ...]] = []
        self.renames = True

    def copyFromLocalFile(self, _moved: bool, _over: bool, _source: str, target: str) -> None:
        self.done.append(("copied", target))

    def delete(self, address: str, _deep: bool) -> None:
        self.done.append(("deleted", address))

    def rename(self, one: str, other: str) -> bool:
        self.done.append(("renamed", one, other))
        return self.renames


def test_a_file_is_there_whole_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    system, hadoop = Renaming(), Hadoop.__new__(Hadoop)
    monkeypatch.setattr(hadoop, "_system", lambda _: system)
    monkeypatch.setattr(hadoop, "_path", str)
    target, beside = f"{AT}/out/part.parquet", f"{AT}/out/.part.parquet.unfinished"
    hadoop.push(Path("/made/part.parquet"), target)
    assert system.done == [("copied", beside), ("deleted", target), ("renamed", beside, target)]
    system.renames = False
    with pytest.raises(PmedError, match="^viewfs://pmed/data/out/part.parquet: cannot be written: .* did not rename"):
        hadoop.push(Path("/made/part.parquet"), target)


def test_another_engine_refuses_addresses(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="viewfs addresses are read and written with --engine spark alone"):
        run(f"{AT}/crowd.vcf", output=tmp_path / "out")
