"""A cohort of some of the people in its files, and what names nobody of it."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pmed.cohort import Cohort, run
from pmed.errors import InputError

from .test_cli import pmed, refused
from .test_cohort import people_vcf, record, seven


@pytest.mark.parametrize("is_cut", [False, True])
def test_only_those_who_are_listed_are_worked_out_and_as_among_all(tmp_path: Path, is_cut: bool,
                                                                   monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the records those of their patients; of a file that is cut and of one that is not."""
    genome, records = seven(tmp_path)
    if is_cut:
        monkeypatch.setattr("pmed.cohort.people_at_once", lambda *_, **__: 2)
    whole = run(genome, records, output=tmp_path / "whole", jobs=1)
    made = run(genome, records, output=tmp_path / "some", jobs=1, samples=["p5", "p2", "p1"])
    chosen = ["p1", "p2", "p5"]
    assert sorted(made.table("people").collect()["patient_id"]) == chosen
    assert sorted(made.table("people").collect().filter("recorded")["patient_id"]) == ["p1", "p5"]
    assert "zoe" in whole.table("people").collect()["patient_id"]
    for name in ("gene_results", "suggestions"):
        mine = whole.table(name).filter(pl.col("patient_id").is_in(chosen)).collect()
        assert mine.height
        assert_frame_equal(made.table(name).collect(), mine, check_row_order=False)


def test_pairs_of_others_are_no_fault(tmp_path: Path) -> None:
    genome, records = people_vcf(tmp_path / "crowd.vcf", 4), [record(tmp_path, name) for name in ("ann", "bob")]
    made = run(genome, records, output=tmp_path / "out", jobs=1, pairs={"p0": "ann", "p3": "bob"}, samples=["p3"])
    assert made.table("people").collect().select("patient_id", "sample").rows() == [("bob", "p3")]


def test_the_list_is_a_file_of_names(tmp_path: Path) -> None:
    genome = people_vcf(tmp_path / "crowd.vcf", 4)
    names = tmp_path / "names.txt"
    names.write_text("# chosen\np2\n\np0\np2\n")
    done = pmed("cohort", genome, "--samples", names, "-o", tmp_path / "out", "--genes-only")
    assert done.returncode == 0, done.stderr
    assert Cohort.open(tmp_path / "out").table("people").collect()["sample"].to_list() == ["p0", "p2"]
    names.write_text("p1\n")
    refused(pmed("cohort", genome, "--samples", names, "-o", tmp_path / "out", "--genes-only"), "other inputs")


@pytest.mark.parametrize(("text", "said"), [
    ("p0\np9\nq1\n", "--samples: no sample 'p9' in any genome file that can be read, nor 1 others of the list"),
    ("p0\tann\n", "names.txt line 1: expected one sample (--pairs takes two columns)"),
    ("# nobody\n", "names.txt: names no sample (one sample on each line)")])
def test_a_list_that_cannot_be_used_is_one_clear_line(tmp_path: Path, text: str, said: str) -> None:
    (names := tmp_path / "names.txt").write_text(text)
    genome = people_vcf(tmp_path / "crowd.vcf", 2)
    refused(pmed("cohort", genome, "--samples", names, "-o", tmp_path / "out"), said)


def test_groups_and_records_of_other_people_are_refused_by_their_names(tmp_path: Path) -> None:
    genome = people_vcf(tmp_path / "crowd.vcf", 2)
    with pytest.raises(InputError, match=r"--groups: nobody of this cohort has a group; the first name .* 'HG1'"):
        run(genome, output=tmp_path / "one", groups={"HG1": "EUR"}, jobs=1, genes_only=True)
    with pytest.raises(InputError, match=r"ann.json: no record is of anybody with a genome: the first is of 'ann'"):
        run(genome, record(tmp_path, "ann"), output=tmp_path / "two", jobs=1, genes_only=True)
