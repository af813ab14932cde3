"""Sums of whole cohorts: against published ones, against a slow sum, and what becomes of unknown genotypes."""

from __future__ import annotations

import gzip
import json
import tempfile

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import pmed
from pmed.cli import cli
from pmed.cohorts import opened
from pmed.errors import GenomeError, InputError, PmedError
from pmed.importing import import_genomes
from pmed_risk.pgs import batches, header, matches, store
from pmed_risk.pgs import scorefile as scorefile_module
from pmed_risk.pgs.matching import Rules
from pmed_risk.pgs.reference import compare, read_panel
from pmed_risk.pgs.scoring import score_cohort
from pmed_risk.pgs.store import stored

GENOME = "genotypes/cineca_synthetic_subset.vcf.gz"
META = "##fileformat=VCFv4.2\n##reference=GRCh38\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t"
STEPS = {"additive": (0, 2, 4), "dominant": (0, 2, 2), "recessive": (0, 0, 2)}


def genome(folder, records, people, name="g.vcf"):
    lines = [f"{chrom}\t{pos}\t.\t{ref}\t{alt}\t.\t{failed}\t.\tGT\t" + "\t".join(calls)
             for chrom, pos, ref, alt, failed, calls in records]
    file = folder / name
    file.write_text(META + "\t".join(f"S{number}" for number in range(people)) + "\n" + "".join(
        f"{line}\n" for line in lines))
    return file


def scorefile(folder, rows, name="PGS1"):
    columns = ("chr_name", "chr_position", "effect_allele", "other_allele", "effect_weight", "is_dominant",
               "is_recessive", "allelefrequency_effect")
    lines = ["\t".join(columns)] + ["\t".join(map(str, row)) for row in rows]
    file = folder / f"{name}.txt"
    file.write_text(f"#pgs_id={name}\n#genome_build=GRCh38\n" + "\n".join(lines) + "\n")
    return file


def row(pos, effect="G", other="A", weight=2, kind="additive", frequency=""):
    return "1", pos, effect, other, weight, kind == "dominant", kind == "recessive", frequency


def scored(files, scorefiles, build="", **more):
    """As `pmed.score` gives it, for genomes that say their build unless told otherwise."""
    cohort = opened(files, build)
    with stored(scorefiles, cohort.build) as scores:
        found = score_cohort(cohort, scores, **more)
        both = pmed.Scored(found.table, pl.concat(found.matches.table()))
        for number, file in enumerate(scores.files):  # counted on the way, and in the table
            assert found.matches.counts(number) == both.counts(file.name)
    return both


def sums(files, scorefiles, **more):
    return scored(files, scorefiles, **more).table["sum"].to_list()


@pytest.fixture(scope="module")
def cineca(shared):
    folder = shared / "cases/pgs"
    files = ["PGS001229_22.txt", "PGS001229_22_duplicate.txt", "scorefile_dominant_and_recessive.txt"]
    found = scored([folder / GENOME], [folder / "scorefiles" / name for name in files], "GRCh37")
    again = pmed.score(str(folder / GENOME), [folder / "scorefiles" / name for name in files], build="GRCh37")
    assert again.table.equals(found.table)
    assert again.matches.equals(found.matches)
    return folder, found, found.table.with_columns(pl.col("sample").str.split("_").list.first())


def expected(file):
    return pl.read_csv(file, separator="\t")  # zstd is unpacked on the way


def test_sums_of_2504_people(cineca):
    folder, found, table = cineca
    both = table.filter(score="PGS001229").join(
        expected(folder / "expected/cineca_22_additive_0.sscore.zst"), left_on="sample", right_on="#IID")
    assert both.height == 2504
    assert (both["sum"] - both["PGS001229_22_SUM"]).abs().max() < 1e-5
    assert found.counts("PGS001229") == {"ambiguous": 47, "matched": 782, "not in the genome": 6}
    assert both.filter(pl.col("imputed") > 0).height == 41


def test_sums_of_a_score_of_the_other_alleles(cineca):
    folder, _, table = cineca
    parts = [expected(folder / f"expected/aggregate/cineca_22_additive_{number}.sscore.zst") for number in (0, 1)]
    added = parts[0].join(parts[1], on="IID").select(
        "IID", total=pl.col("duplicatetest_SUM") + pl.col("duplicatetest_SUM_right"))
    both = table.filter(score="duplicatetest").join(added, left_on="sample", right_on="IID")
    assert both.height == 2504
    assert (both["sum"] - both["total"]).abs().max() < 1e-5


def test_dominant_and_recessive(cineca):
    own = cineca[2].filter(score="PGS001229_22_DominantRecessiveExample")["sum"].to_list()
    assert own[:2] == pytest.approx([0.53456557, 0.66380519], abs=1e-8)


def test_ambiguous_variants_on_demand(shared):
    folder = shared / "cases/pgs"
    file = folder / "scorefiles/PGS001229_22.txt"
    found = scored([folder / GENOME], [file], "GRCh37", rules=Rules(keep_ambiguous=True))
    assert found.counts("PGS001229")["matched"] == 829
    assert found.table["sum"].to_list()[:2] == pytest.approx([0.33180, 0.25596], abs=1e-5)


def test_z_of_929_people(shared, tmp_path):
    folder = shared / "cases/pgs/ancestry"
    table = {name: pl.read_csv(folder / name, separator="\t", infer_schema_length=None)
             for name in ("aggregated_scores.txt", "ref.pcs", "target.pcs", "ref.psam")}
    sums = table["aggregated_scores.txt"]
    name = sums["PGS"][0]
    people = (table["ref.pcs"].join(table["ref.psam"], left_on="IID", right_on="#IID")
              .join(sums.filter(sampleset="reference").select("IID", "SUM"), on="IID")
              .rename({"IID": "sample", "SuperPop": "population", "SUM": name}))
    people.write_csv(tmp_path / "panel.tsv", separator="\t")
    table["target.pcs"].rename({"IID": "sample"}).write_csv(tmp_path / "pcs.tsv", separator="\t")
    own = sums.filter(sampleset="hgdp").select(sample="IID", score="PGS", sum="SUM")
    found = compare(own, read_panel(tmp_path / "panel.tsv", tmp_path / "pcs.tsv"), [name])
    upstream = pl.read_csv(folder / "ancestry_expected_hgdp_pygs_tools.csv")
    both = found.join(upstream.rename(lambda column: column.partition("|")[0]), left_on="sample", right_on="IID")
    assert both.height == 929
    assert (both["z_norm1"] - both["Z_norm1"]).abs().max() < 1e-3
    assert (both["z_norm2"] - both["Z_norm2"]).abs().max() < 1e-3
    # Upstream's population is a random forest's; where ours is the same, so are percentile and Z.
    same = both.filter(pl.col("population") == pl.col("MostSimilarPop"))
    assert same.height > 0.9 * both["population"].count()
    assert (same["percentile"] - same["percentile_MostSimilarPop"]).abs().max() < 1e-6
    assert (same["z_population"] - same["Z_MostSimilarPop"]).abs().max() < 1e-6
    assert (same["percentile"].is_between(same["percentile_low"], same["percentile_high"])).all()


@st.composite
def cohorts(draw):
    """Some people, calls of two alleles or one, and rows of all types with and without a frequency."""
    people, many = draw(st.integers(1, 4)), draw(st.integers(1, 6))
    call = st.sampled_from(["0/0", "0/1", "1|1", "./.", "0/.", ".", "1", "0"])
    records = [("1", pos, "A", "G", "PASS", [draw(call) for _ in range(people)]) for pos in range(1, many + 1)]
    rows = [row(pos, *draw(st.sampled_from([("G", "A"), ("A", "G"), ("C", "T")])), kind=draw(st.sampled_from([*STEPS])),
                frequency=draw(st.sampled_from(["", 0.25]))) for pos in range(1, many + 1)]
    return people, records, rows


def slow_sum(records, rows, person):
    """(sum, imputed, left out) of one person, a variant at a time."""
    total, imputed, lost = 0.0, 0, 0
    for (*_, calls), (_, _, effect, _, _, dominant, recessive, frequency) in zip(records, rows, strict=True):
        adds = STEPS["dominant" if dominant else "recessive" if recessive else "additive"]
        call = calls[person].replace("|", "/").split("/")
        if "." not in call:
            total += adds[sum(one == ("0" if effect == "A" else "1") for one in call)]
        elif frequency:
            imputed += 1
            f = frequency
            total += adds[1] * 2 * f * (1 - f) + adds[2] * f * f
        else:
            lost += 1
    return (total if imputed + lost < len(rows) else None), imputed, lost


@given(cohorts())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_equal_to_a_slow_sum(tmp_path, case):
    people, records, rows = case
    table = scored([genome(tmp_path, records, people)], [scorefile(tmp_path, rows)], min_overlap=0).table
    for person, found in enumerate(table.select("sum", "imputed", "left_out").rows()):
        assert found == pytest.approx(slow_sum(records, rows, person))


def test_unknown_is_imputed_by_the_cohort_only_where_it_is_large(tmp_path):
    def first(people):
        calls = ["./."] + ["0/1", "1/1"] * (people // 2)
        records = [("1", 5, "A", "G", "PASS", calls), ("1", 6, "A", "G", "PASS", ["0/1"] * (people + 1))]
        file = genome(tmp_path, records, people + 1)
        score = scorefile(tmp_path, [row(5, weight=1), row(6, weight=10)])
        return scored([file], [score], min_overlap=0.5).table.row(0)

    assert first(50)[2:] == (11.5, 2, 2, 1, 0, 0.5)
    assert first(48)[2:] == (10.0, 2, 2, 0, 1, 0.0)


def test_who_is_known_too_little_has_no_sum(tmp_path):
    calls = [["0/1", "0/1", "./."], ["0/1", "./.", "./."]]
    file = genome(tmp_path, [("1", pos, "A", "G", "PASS", some) for pos, some in enumerate(calls, 1)], 3)
    score = scorefile(tmp_path, [row(1, frequency=0.5), row(2, frequency=0.5)])
    assert sums([file], [score]) == [4, None, None]
    assert sums([file], [score], min_overlap=0) == [4, 4, None]


def test_one_pass_over_many_scores_equals_one_at_a_time(tmp_path):
    records = [("1", pos, "A", "G", "PASS", ["0/1", "1/1", "./." if pos < 2 else "0/0"]) for pos in range(1, 9)]
    file = genome(tmp_path, records, 3)
    files = [scorefile(tmp_path, [row(pos, weight=pos * number, frequency=number / 9) for pos in range(1, 9)],
                       f"PGS{number}") for number in range(1, 5)]
    apart = [one for name in files for one in sums([file], [name])]
    assert None not in apart
    assert sums([file], files) == pytest.approx(apart, rel=1e-12)


def test_files_for_chromosomes_are_one_genome(tmp_path):
    records = [(chrom, 5, "A", "G", "PASS", ["0/1", "1/1"]) for chrom in "12"]
    score = scorefile(tmp_path, [row(5, weight=1), ("2", *row(5, weight=10)[1:])])
    parts = [genome(tmp_path, [one], 2, f"{one[0]}.vcf") for one in records]
    assert sums(parts, [score]) == [11, 22]
    swapped = parts[1].read_text().replace("S0\tS1", "S1\tS0")
    parts[1].write_text(swapped)
    assert sums(parts, [score]) == [21, 12]


@pytest.mark.parametrize(("text", "says"), [("S0\tS1", "same people"), ("GRCh38", "GRCh37 and GRCh38")])
def test_files_that_are_no_one_genome(tmp_path, text, says):
    parts = [genome(tmp_path, [("1", pos, "A", "G", "PASS", ["0/1", "1/1"])], 2, f"{pos}.vcf") for pos in (1, 2)]
    parts[1].write_text(parts[1].read_text().replace(text, "S0\tS7" if "S" in text[:1] else "GRCh37"))
    with pytest.raises(GenomeError, match=says):
        opened(parts)


def test_a_cache_is_scored_as_its_file_is(tmp_path):
    calls = [["0/1", "1/1", "./."], ["0", "1|2", "0/0"], [".", "1/1", "0/1"]]
    records = [(chrom, pos, "A", alt, failed, some) for chrom, alt, failed in (("1", "G", "PASS"), ("2", "G,C", "q10"))
               for pos, some in enumerate(calls, 1)]
    file, kept = genome(tmp_path, records, 3), tmp_path / "kept.parquet"
    import_genomes([file], kept)
    score = scorefile(tmp_path, [row(pos, weight=pos, frequency=0.25) for pos in (1, 2, 3)]
                      + [("2", *row(pos, weight=10 * pos)[1:]) for pos in (1, 2, 3)])
    more = {"min_overlap": 0, "rules": Rules(keep_multiallelic=True, ignore_filters=True)}
    both = [scored([one], [score], **more) for one in (file, kept)]
    assert both[0].table.equals(both[1].table)
    assert both[0].matches.equals(both[1].matches)
    assert both[1].counts("PGS1") == {"matched": 6}
    assert run(kept, "--scorefile", score, "--keep-multiallelic", "--min-overlap", "0").exit_code == 0


def test_rows_are_read_in_parts_and_matched_by_windows(tmp_path, monkeypatch):
    """Parts of a few rows and windows of two: as a whole, in the order of the file, which is not that of the genome."""
    chroms, records = ["2", "1", "X"], []
    for chrom in chroms:
        records += [(chrom, pos, "A", "G", "PASS", ["0/1", "1/1"]) for pos in (7, 70_000, 200_000, 900_000)]
    rows = [(chrom, *row(pos, weight=number)[1:]) for number, (chrom, pos) in enumerate(
        (chrom, pos) for chrom in ("X", "1", "5", "2") for pos in (900_000, 7, 8, 200_000, 70_000))]
    rows[3:3] = [("1", "", *row(0)[2:]), ("1", 9, *row(0)[2:])]
    file, files = genome(tmp_path, records, 2), [scorefile(tmp_path, rows, "PGS1"),
                                                 scorefile(tmp_path, rows[:9], "PGS2")]
    whole = scored([file], files, min_overlap=0)
    monkeypatch.setattr(store, "_WINDOW_ROWS", 2)
    monkeypatch.setattr(matches, "_AT_ONCE", 2)
    monkeypatch.setattr(scorefile_module, "blocks", lambda path: header.blocks(path, 150))
    monkeypatch.setattr(batches, "_MOST_ALLELES", 1)
    apart = scored([file], files, min_overlap=0)
    assert apart.table.equals(whole.table)
    assert apart.matches.equals(whole.matches)
    assert apart.matches["row"].to_list() == [*range(len(rows)), *range(9)]
    assert whole.counts("PGS1") == {"matched": 12, "no position": 1, "not in the genome": 9}


def test_a_row_that_is_there_twice_is_found_in_another_part(tmp_path, monkeypatch):
    rows = [row(5), *(row(pos) for pos in range(6, 20)), row(5, weight=3), row(5, effect="A", other="G")]
    monkeypatch.setattr(scorefile_module, "blocks", lambda path: header.blocks(path, 150))
    monkeypatch.setattr(store, "_WINDOW_ROWS", 1)
    with pytest.raises(InputError, match=r"row 1: the same variant.* in several rows \(2 such rows\)"):
        scored([genome(tmp_path, [("1", 5, "A", "G", "PASS", ["0/1"])], 1)], [scorefile(tmp_path, rows)])


def test_rows_and_matches_are_left_nowhere(small, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "t"))
    (tmp_path / "t").mkdir()
    file, score = small
    assert run(file, "--scorefile", score, "--matches", tmp_path / "m.tsv").exit_code == 0
    assert not list((tmp_path / "t").iterdir())
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    with pytest.raises(PmedError, match="TMPDIR"):
        scored([file], [score])


def test_records_of_one_position_must_be_together(tmp_path):
    one, two = (("1", pos, "A", "G", "PASS", ["0/1"]) for pos in (5, 6))
    files = [genome(tmp_path, [one], 1, "a.vcf"), genome(tmp_path, [one, two], 1, "b.vcf")]
    with pytest.raises(GenomeError, match="chr1:5 are apart"):
        scored(files, [scorefile(tmp_path, [row(5)])])


def test_split_records_over_the_edge_of_a_chunk(tmp_path, monkeypatch):
    import pmed_risk.pgs.batches as module

    read = module.chunks

    def one_by_one(path):
        lines = path.read_text().splitlines(keepends=True)
        for line in lines[3:]:
            part = path.with_name("part.vcf")
            part.write_text("".join([*lines[:3], line]))
            yield from read(part)

    records = [("1", 5, "A", alt, "PASS", [call]) for alt, call in (("C", "0/0"), ("G", "1/1"))]
    file = genome(tmp_path, [*records, ("1", 6, "A", "G", "PASS", ["0/1"])], 1)
    score = scorefile(tmp_path, [row(5), row(6)])
    whole = sums([file], [score])
    monkeypatch.setattr(module, "chunks", one_by_one)
    monkeypatch.setattr(module, "_MOST_ALLELES", 1)
    assert sums([file], [score]) == whole == [6]


def test_the_overlap_must_be_enough(tmp_path):
    file = genome(tmp_path, [("1", pos, "A", "G", failed, ["0/1"]) for pos, failed in ((1, "PASS"), (2, "q10"))], 1)
    score = scorefile(tmp_path, [row(1), row(2), row(3)])
    with pytest.raises(InputError, match=r"only 1 of 3 variants are matched \(33.3%; 1 filtered, 1 not in the genome"):
        scored([file], [score])
    assert sums([file], [score], min_overlap=0.3) == [2]
    assert sums([file], [score], min_overlap=0.6, rules=Rules(ignore_filters=True)) == [4]


def run(*arguments):
    return CliRunner().invoke(cli, ["score", *map(str, arguments)])


@pytest.fixture
def small(tmp_path):
    file = genome(tmp_path, [("1", 1, "A", "G", "PASS", ["0/1", "./."])], 2)
    return file, scorefile(tmp_path, [row(1)])


def test_the_command_writes_every_format(small, tmp_path):
    file, score = small
    done = run(file, "--scorefile", score)
    assert done.exit_code == 0
    assert done.stdout.splitlines()[:3] == ["sample\tscore\tsum\tmatched\tvariants\timputed\tleft_out\tsum_sd",
                                            "S0\tPGS1\t2.0\t1\t1\t0\t0\t0.0", "S1\tPGS1\t\t1\t1\t0\t1\t0.0"]
    assert "1 people have no score" in done.stderr
    assert "1 unknown genotypes of 1 people left out" in done.stderr
    said = json.loads(run(file, "--scorefile", score, "--format", "json").stdout)
    assert (said["format"], said["scores"]) == ("pmed/scores/1", {"PGS1": {"matched": 1}})
    place = tmp_path / "out.parquet"
    assert run(file, "--scorefile", score, "--format", "parquet", "-o", place, "--matches", tmp_path / "m.tsv"
               ).exit_code == 0
    assert pl.read_parquet(place)["sum"].to_list() == [2, None]
    assert (tmp_path / "m.tsv").read_text().splitlines()[1].endswith("altref\tmatched")


def test_wrong_usage_and_bad_input_of_the_command(small, tmp_path):
    file, score = small
    assert run(file, "--scorefile", score, "--format", "parquet").exit_code == 2
    assert run(file, "--scorefile", score, "--pcs", score).exit_code == 2
    cut = tmp_path / "cut.txt.gz"
    cut.write_bytes(gzip.compress(score.read_bytes())[:-8])
    done = run(file, "--scorefile", cut)
    assert done.exit_code == 1
    assert not done.stdout


def panel(folder, people=30, **columns):
    rng = np.random.default_rng(7)
    table = pl.DataFrame({"sample": [f"R{number}" for number in range(people)], "population": ["P"] * people,
                          **{f"PC{number}": rng.normal(size=people) for number in range(1, 6)},
                          "PGS1": rng.normal(size=people)}).with_columns(**columns)
    file = folder / "panel.tsv"
    table.write_csv(file, separator="\t")
    return file


def components(folder, *rows):
    file = folder / "pcs.tsv"
    names = ["sample", *(f"PC{number}" for number in range(1, 6))]
    file.write_text("\n".join("\t".join(map(str, one)) for one in [names, *rows]) + "\n")
    return file


def test_who_is_like_nobody_has_no_percentile(small, tmp_path):
    file, score = small
    file.write_text(file.read_text().replace("./.", "1/1"))
    near, far = ("S0", 0, 0, 0, 0, 0), ("S1", 99, 0, 0, 0, 0)
    done = run(file, "--scorefile", score, "--reference", panel(tmp_path), "--pcs", components(tmp_path, near, far),
               "--format", "json")
    one, two = json.loads(done.stdout)["samples"]
    assert one["population"] == "P"
    assert 80 < one["percentile_low"] < one["percentile"] <= one["percentile_high"] <= 100
    assert two["population"] is two["percentile"] is None


@pytest.mark.parametrize(("changes", "says"), [
    ({"people": 9}, "population P has 9 people, 20 are needed"),
    ({"PC2": pl.lit("x")}, "a component is not a number"),
    ({"PGS1": pl.lit("x")}, "'PGS1' is not a number throughout"),
    ({"sample": pl.lit("R1")}, "sample R1 is there twice"),
])
def test_a_panel_that_cannot_be_used(small, tmp_path, changes, says):
    file, score = small
    done = run(file, "--scorefile", score, "--reference", panel(tmp_path, **changes), "--pcs",
               components(tmp_path, ("S0", 0, 0, 0, 0, 0)))
    assert done.exit_code == 1
    assert says in str(done.exception) + done.output


@pytest.mark.parametrize(("frequency", "unknown"), [("", 0), (0.5, 0.25 * -1 + 0.5 * 2 + 0.25 * 7)])
def test_weights_by_dosage_are_summed(tmp_path, frequency, unknown):
    calls = ["0/0", "0/1", "1/1", "./."]
    file = genome(tmp_path, [("1", pos, "A", "G", "PASS", [*calls[:3], last]) for pos, last in
                             ((5, "./."), (6, "1/1"))], 4)
    columns = ("chr_name", "chr_position", "effect_allele", "dosage_0_weight", "dosage_1_weight", "dosage_2_weight",
               "allelefrequency_effect")
    rows = [columns, ("1", 5, "G", -1, 2, 7, frequency), ("1", 6, "G", 0, 0, 100, "")]
    score = tmp_path / "d.txt"
    score.write_text("#genome_build=GRCh38\n" + "\n".join("\t".join(map(str, one)) for one in rows) + "\n")
    assert sums([file], [score], min_overlap=0.5) == [-1, 2, 107, 100 + unknown]
