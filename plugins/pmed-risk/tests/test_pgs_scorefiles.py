"""Scoring files: both formats, both builds, every effect type, and one clear line for each that cannot be used."""

from __future__ import annotations

import gzip

import polars as pl
import pytest

from pmed.errors import InputError
from pmed_risk.pgs.store import stored

HEAD = "#pgs_id=PGS1\n#genome_build=GRCh37\n"
COLUMNS = "rsID\tchr_name\tchr_position\teffect_allele\tother_allele\teffect_weight"


def write(folder, text, name="s.txt"):
    file = folder / name
    file.write_text(text)
    return file


def scorefile(folder, *rows, columns=COLUMNS, head=HEAD):
    return write(folder, head + "\n".join([columns, *rows]) + "\n")


def read(file, build):
    """Name and rows of one scoring file."""
    with stored([file], build) as scores:
        return scores.files[0].name, pl.concat(scores.in_order(0)).drop("key", "score")


GOOD = "rs1\t1\t10\tA\tG\t0.5"


def test_a_row_is_read(tmp_path):
    name, rows = read(scorefile(tmp_path, GOOD), "GRCh37")
    assert name == "PGS1"
    assert rows.drop("row").rows() == [("chr1", 10, "A", "G", "additive", 0.0, 0.5, 0.5, None)]


def test_format_1_is_read(tmp_path):
    head = "### PGS CATALOG SCORING FILE\n# PGS ID = PGS9\n# Original Genome Build = hg19\n"
    columns = "rsID\tchr_name\tchr_position\teffect_allele\treference_allele\teffect_weight"
    name, rows = read(scorefile(tmp_path, GOOD, head=head, columns=columns), "GRCh37")
    assert (name, rows["other"].to_list()) == ("PGS9", ["G"])


def test_harmonised_positions_are_for_their_build(tmp_path):
    head, columns = HEAD + "#HmPOS_build=GRCh38\n", COLUMNS + "\thm_chr\thm_pos"
    file = scorefile(tmp_path, GOOD + "\t1\t99", GOOD.replace("10", "11") + "\t\t", head=head, columns=columns)
    assert read(file, "GRCh38")[1]["pos"].to_list() == [99, None]
    assert read(file, "GRCh37")[1]["pos"].to_list() == [10, 11]


def test_effect_types(tmp_path):
    columns = COLUMNS + "\tis_dominant\tis_recessive"
    rows = [f"rs1\t1\t{pos}\tA\tG\t2\t{dominant}\t{recessive}"
            for pos, dominant, recessive in ((1, "True", "False"), (2, "FALSE", "TRUE"), (3, "False", ""))]
    steps = read(scorefile(tmp_path, *rows, columns=columns), "GRCh37")[1].select("base", "once", "twice")
    assert steps.rows() == [(0, 2, 0), (0, 0, 2), (0, 2, 2)]


def test_weights_by_dosage(tmp_path):
    columns = "chr_name\tchr_position\teffect_allele\tdosage_0_weight\tdosage_1_weight\tdosage_2_weight"
    rows = read(scorefile(tmp_path, "1\t5\tA\t-1\t2\t7", columns=columns), "GRCh37")[1]
    assert rows.select("kind", "base", "once", "twice").rows() == [("dosage", -1, 3, 5)]


@pytest.mark.parametrize(("rows", "says"), [
    ([GOOD, GOOD], "row 1: the same variant, allele and effect type are in several rows"),
    (["rs1\t1\t10\t\tG\t0.5"], "row 1: the row has no effect allele"),
    ([GOOD, "rs1\t1\t11\tA\tG\tx"], "row 2: the row's weight is not a number"),
    ([GOOD, "rs1\t1\t11\tA\tG\tinf"], "row 2: the row's weight is not a number"),
    (["rs1\t1\tten\tA\tG\t1"], "row 1: the position is not a whole number"),
    (["rs1\t1\t10\tA\tA\t1"], "effect and other allele are the same"),
    (["rs1\t6\t10\tHLA-B*57:01\t\t1"], "1 of 1, the first HLA-B*57:01 (not an allele of bases)"),
    (["rs1\t\t\tA\tG\t1"], "no row has a position"),
    (["rs1\t1\t10\tA\tG\t1\t7"], "is not a table of 6 tab-separated columns"),
    ([], "has no variants"),
])
def test_rows_that_are_refused(tmp_path, rows, says):
    with pytest.raises(InputError) as caught:
        read(scorefile(tmp_path, *rows), "GRCh37")
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("flag", ["is_haplotype", "is_diplotype", "is_interaction"])
def test_complex_rows_are_refused_by_name(tmp_path, flag):
    file = scorefile(tmp_path, GOOD + "\tFalse", "rs2\t1\t11\tC\tT\t1\tTrue", columns=f"{COLUMNS}\t{flag}")
    with pytest.raises(InputError, match=rf"row 2: has complex rows.* C \({flag.removeprefix('is_')}\)"):
        read(file, "GRCh37")


def test_the_wrong_build_is_refused(tmp_path):
    with pytest.raises(InputError, match="has positions on GRCh37, the genome is on GRCh38"):
        read(scorefile(tmp_path, GOOD), "GRCh38")
    with pytest.raises(InputError, match="has positions on no stated build"):
        read(scorefile(tmp_path, GOOD, head="#genome_build=NR\n"), "GRCh38")


@pytest.mark.parametrize(("gone", "says"), [
    ("effect_allele", "has no effect_allele"), ("effect_weight", "has neither effect_weight"),
    ("chr_position", "has no positions")])
def test_a_column_that_is_missing(tmp_path, gone, says):
    with pytest.raises(InputError, match=says):
        read(scorefile(tmp_path, GOOD, columns=COLUMNS.replace(gone, "else")), "GRCh37")


def test_a_gzip_that_is_cut_off(tmp_path):
    whole = gzip.compress((HEAD + COLUMNS + "\n" + GOOD + "\n").encode())
    file = tmp_path / "s.txt.gz"
    file.write_bytes(whole)
    assert read(file, "GRCh37")[1].height == 1
    file.write_bytes(whole[:-9])
    with pytest.raises(InputError, match="is cut off or damaged"):
        read(file, "GRCh37")


def test_two_files_of_one_score(tmp_path):
    file = scorefile(tmp_path, GOOD)
    with pytest.raises(InputError, match="is score PGS1, as"), stored([file, file], "GRCh37"):
        pass


@pytest.mark.parametrize(("name", "build", "many", "kinds"), [
    ("PGS000001_hmPOS_GRCh37.txt.gz", "GRCh37", 77, {"additive"}),
    ("PGS000001_hmPOS_GRCh38.txt.gz", "GRCh38", 77, {"additive"}),
    ("PGS000802_hmPOS_GRCh37.txt", "GRCh37", 19, {"additive", "dominant", "recessive"}),
    ("PGS004255_hmPOS_GRCh38.txt.gz", "GRCh38", 30, {"dosage"}),
    ("PGS004255_hmPOS_GRCh38.txt.gz", "GRCh37", 30, {"dosage"}),
])
def test_files_of_the_catalog(shared, name, build, many, kinds):
    rows = read(shared / "cases/pgs/complex" / name, build)[1]
    assert (rows.height, set(rows["kind"])) == (many, kinds)


@pytest.mark.parametrize(("name", "says"), [
    ("complex_variants_PGS000021.txt", "8 of 33, the first HLA-DR3/HLA-DR4; HLA-DQ8 (diplotype)"),
    ("complex_variants_PGS004239.txt", "9 of 14, the first HLA-DQB1*02:01 (haplotype)"),
    ("bad_harmonised.txt", "no row has a position"), ("invalid_scorefile.txt", "has no positions"),
    ("lift_to_grch38.txt", "has positions on GRCh37"),
])
def test_invalid_files_of_the_catalog_are_refused(shared, name, says):
    with pytest.raises(InputError) as caught:
        read(shared / "cases/pgs/complex" / name, "GRCh38")
    assert says in str(caught.value)
