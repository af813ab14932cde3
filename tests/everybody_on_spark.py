"""All people of the 1000 Genomes files, on Spark and here: every table the same, row for row (``make everybody``)."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("pyspark")

from pmed.cohort import run

from .test_cohort import made

pytestmark = pytest.mark.filterwarnings("ignore")
PEOPLE = 2562


def test_spark_says_of_everybody_what_the_local_engine_says(tmp_path: Path, shared: Path) -> None:
    genomes = sorted((shared / "data/1kgp/GRCh38").glob("*.vcf.gz"))
    for engine in ("local", "spark"):
        done = run(genomes, output=tmp_path / engine, jobs=2, engine=engine)
        assert (done.people, done.unread, done.lost) == (PEOPLE, {}, {})
    local = made(tmp_path / "local")
    assert sum(name.startswith("suggestions/") for name in local) > 1
    assert made(tmp_path / "spark") == local
