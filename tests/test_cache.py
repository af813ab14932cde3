"""A genome as Parquet: what is read back is what the files themselves say, and only an untouched file is read."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from pmed import importing
from pmed.errors import GenomeError, OptionError, PmedError
from pmed.genomics import cache
from pmed.genomics.alleles import positions
from pmed.genomics.cache import is_cache, read_cache, read_cache_header, write_cache
from pmed.genomics.cache_matrix import cache_chunks
from pmed.genomics.calls import decode
from pmed.genomics.header import read_header
from pmed.genomics.matrix import chunks
from pmed.genomics.records import read_records
from pmed.importing import import_genomes
from pmed.sources.vcf import VcfSource
from pmed.tables import TABLES
from pmed.types import ReadRequest
from tests import genome_files, slow_vcf, vcf_writer
from tests.genome_files import META

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]


@pytest.fixture(autouse=True)
def _small_groups(monkeypatch):
    """Several groups and steps even of small files."""
    monkeypatch.setattr(cache, "_GROUP_ROWS", 4)
    monkeypatch.setattr(cache, "_STEP_ROWS", 2)


def cached(folder, *files, name="genome.parquet"):
    write_cache([read_header(file) for file in files], folder / name)
    return folder / name


def read_both(file, kept, wanted):
    """What the file and its cache say, calls decoded."""
    return [told(read(head, wanted)) for head, read in ((read_header(file), read_records),
                                                       (read_cache_header(kept), read_cache))]


def told(read):
    calls, faults = decode(read.records, samples_of(read))
    rows = [(one.number, one.where.rpartition(" ")[2], one.chrom, one.pos, one.last, one.ids, one.ref, one.alts,
             one.filter, one.format, one.is_block) for one in read.records]
    values = [{name: None if value is None else value.tolist() for name, value in vars(one).items()} for one in calls]
    return rows, values, read.contigs, read.written, sorted(plain(fault) for fault in [*read.faults, *faults])


def samples_of(read):
    first = read.records[0].calls if read.records else b""
    return first.count(b"\t") + 1 if isinstance(first, bytes) else first.samples


def plain(fault):
    return " ".join(fault.where.rsplit(" ", 2)[-2:]), fault.code, fault.text


def tables(file, sites, build="GRCh38", **options):
    """What the source makes of a file, whatever its kind; issues without the name of the file, sorted."""
    rows = [{"build": build, "site": f"{site.pos}{site.alt}", **site._asdict()} for site in sites]
    out = VcfSource(**options).read([file], ReadRequest(TABLES["sites"].frame(rows), build=build))
    issues = out["issues"].drop("file")
    return {**out, "issues": issues.sort(issues.columns), "samples": out["samples"].drop("source")}


@settings(max_examples=60, suppress_health_check=[*SLOW, HealthCheck.function_scoped_fixture])
@given(st.one_of(vcf_writer.vcfs(), vcf_writer.gvcfs()), st.sampled_from([*vcf_writer.TEXT[:4], "bcf"]), st.booleans())
def test_a_cache_says_what_the_file_says(made, how, absent_as_ref):
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        file = vcf_writer.packed(folder, made.text, how)
        kept = cached(folder, file)
        one, other = (tables(path, made.sites, absent_as_ref=absent_as_ref) for path in (file, kept))
        for name in one:
            assert_frame_equal(one[name], other[name])
        wanted = {site.chrom: sorted({site.pos, site.pos + 1}) for site in made.sites}
        assert_same(*read_both(file, kept, wanted))


def assert_same(one, other):
    for mine, theirs in zip(one, other, strict=True):
        assert mine == theirs


FAULTY = ["20 A C GT 0/1", "10 A C,<X GT 0/5", "30 AX C GT:DP 0/1:3:4:5", "31 A C DP 7", "32 A C GT@q10;q10 0/1",
          "33 A C GT:1x 0/1:2", "34 A C GT 0/1/1", "35 A <*> GT:LEN 0/0:20", "40 A <DEL>;END=60 GT 0/1",
          "41 A C GT:GQ:FT 0|1:3.5:q10"]


def faulty(folder, *, cut=True, chrom="chr2"):
    rows = [row.replace(";END=60", "") for row in FAULTY]
    file = genome_files.vcf(folder, *rows, chrom=chrom)
    text = file.read_text().replace("<DEL>\t.\tPASS\t.", "<DEL>\t.\tPASS\tEND=60")
    text = text.replace(f"{chrom}\t34", "chr:9\t34").replace(f"{chrom}\t40", "chr:9\t40")
    file.write_text(text.rstrip("\n") if cut else text)
    return file


def test_faults_are_told_as_for_the_file(tmp_path):
    file = faulty(tmp_path)
    kept = cached(tmp_path, file)
    one, other = read_both(file, kept, {"chr2": list(range(1, 100)), "chr:9": [34, 40]})
    assert_same(one, other)
    assert {code for _, code, _ in other[-1]} == {
        "unsorted", "contig-malformed", "contig-scattered", "no-final-newline", "alt-malformed", "allele-unknown",
        "ref-malformed", "values-malformed", "no-genotype", "filter-malformed", "format-malformed"}


def test_a_file_that_ends_well_has_no_fault(tmp_path):
    assert "no-final-newline" not in {fault.code for fault in read_cache(
        read_cache_header(cached(tmp_path, faulty(tmp_path, cut=False))), {}).faults}


@pytest.mark.parametrize("options", [{}, {"absent_as_ref": True}, {"filters": "ignore"}, {"min_dp": 5}])
def test_the_source_reads_a_cache_like_the_file(tmp_path, options):
    file = faulty(tmp_path)
    sites = [slow_vcf.Site("chr2", pos, "A", alt) for pos in (10, 20, 21, 31, 32, 34, 36, 41, 50) for alt in "CG"]
    one, other = (tables(path, sites, **options) for path in (file, cached(tmp_path, file)))
    assert one["issues"].height > 4
    for name in one:
        assert_frame_equal(one[name], other[name])


def test_real_files_are_read_back(tmp_path, shared, monkeypatch):
    monkeypatch.undo()
    for name, step in (("data/1kgp/GRCh38/CYP3A5.vcf.gz", 1), ("data/wgs/*_chr22.vcf.bgz", 50)):
        file = next(iter(shared.glob(name)))
        kept = cached(tmp_path, file)
        every = sorted(set(pl.read_parquet(kept)["pos"].to_list()))[::step]
        chrom = read_cache(read_cache_header(kept), {}).contigs.pop()
        one, other = read_both(file, kept, {chrom: every})
        assert len(one[0]) > 200
        # An index leaves records out, so that they are numbered and placed in another way.
        assert_same([[row[2:] for row in one[0]], *one[1:4]], [[row[2:] for row in other[0]], *other[1:4]])


def test_only_stretches_near_a_position_are_read(tmp_path, monkeypatch):
    rows = [f"{pos} A C GT 0/1" for pos in range(1, 401)]
    kept = cached(tmp_path, genome_files.vcf(tmp_path, *rows))
    looked_at = []
    monkeypatch.setattr(cache, "_reaching", lambda frame, wanted, old=cache._reaching: (
        looked_at.append(frame.height), old(frame, wanted))[1])
    read = read_cache(read_cache_header(kept), {"chr2": [7, 8, 9, 200, 401], "chr1": [3]})
    assert [one.pos for one in read.records] == [7, 8, 9, 200]
    assert looked_at == [4, 2]


def test_what_reaches_far_is_found_from_far(tmp_path):
    rows = ["5 A <DEL> GT:LEN 0/1:390", *(f"{pos} A C GT 0/1" for pos in range(6, 100)),
            "100 " + "A" * 200 + " A GT 0/1", *(f"{pos} A C GT 0/1" for pos in range(101, 120))]
    kept = cached(tmp_path, genome_files.vcf(tmp_path, *rows))
    assert [one.pos for one in read_cache(read_cache_header(kept), {"chr2": [250]}).records] == [5, 100]
    assert [one.pos for one in read_cache(read_cache_header(kept), {"chr2": [350]}).records] == [5]


def test_several_files_are_one_after_the_other(tmp_path):
    chr2 = genome_files.vcf(tmp_path, "5 A C GT 0/1", "6 A C GT 0/1", "3 G T GT 0/0", name="two.vcf")
    chr1 = genome_files.vcf(tmp_path, "5 G T GT 1/1", name="one.vcf", chrom="chr1")
    kept = cached(tmp_path, chr2, chr1)
    read = read_cache(read_cache_header(kept), {"chr1": [5], "chr2": [3, 5]})
    assert [(one.chrom, one.pos, one.number, one.where.partition("parquet ")[2]) for one in read.records] == [
        ("chr2", 5, 1, "two.vcf line 15"), ("chr2", 3, 3, "two.vcf line 17"), ("chr1", 5, 1, "one.vcf line 15")]
    assert read.contigs == read.written == {"chr1", "chr2"}
    assert [(fault.where, fault.code) for fault in read.faults] == [("two.vcf line 17", "unsorted")]


@pytest.mark.parametrize(("others", "text"), [
    ({"samples": ("T",)}, "other samples than a.vcf"),
    ({"samples": ("S", "T")}, "other samples than a.vcf"),
    ({"meta": [line for line in META if "reference" not in line]}, "names no build, but a.vcf names GRCh38"),
    ({"meta": [line.replace("GRCh38", "GRCh37") for line in META]}, "names GRCh37, but a.vcf names GRCh38")])
def test_files_that_do_not_belong_together_are_refused(tmp_path, others, text):
    calls = " 0/1" * len(others.get("samples", "S"))
    first = genome_files.vcf(tmp_path, "5 A C GT 0/1", name="a.vcf")
    second = genome_files.vcf(tmp_path, "5 A C GT" + calls, name="b.vcf", **others)
    with pytest.raises(GenomeError, match=text):
        import_genomes([first, second], tmp_path / "x.parquet")
    assert not (tmp_path / "x.parquet").exists()


def test_metadata_say_where_it_comes_from_and_nothing_else(tmp_path):
    meta = [*META, "##patient=Jane Roe", '##SAMPLE=<ID=S,Description="Jane">', "##assembly=x"]
    file = genome_files.vcf(tmp_path, "5 A C GT 0/1", meta=meta, name="a.vcf")
    said = pl.read_parquet_metadata(cached(tmp_path, file))
    about = msgspec.json.decode(said["pmed:about"])
    assert said["pmed:format"] == "pmed/genotypes/2"
    assert about["samples"] == ["S"]
    assert about["sources"] == [{"file": "a.vcf", "sha256": hashlib.sha256(file.read_bytes()).hexdigest(), "records": 1,
                                 "what": "line"}]
    assert {key for key, _ in about["meta"]} == {"fileformat", "reference", "contig", "assembly"}
    assert "Jane" not in str(said)
    assert str(tmp_path) not in str(said)
    header = read_cache_header(tmp_path / "genome.parquet")
    assert (header.kind, header.samples, header.values("reference")) == ("cache", ("S",), ["GRCh38"])


def test_the_rows_are_a_table_for_others_too(tmp_path):
    frame = pl.read_parquet(cached(tmp_path, genome_files.vcf(tmp_path, "5 a c,g GT:DP 0|2:9", "6 A . GT 0/0 ")))
    assert frame.select("chrom", "pos", "ref", "alt", "allele_1", "allele_2", "phased", "dp").rows() == [
        ("chr2", 5, "A", "C,G", [0], [2], [True], [9]), ("chr2", 6, "A", None, [0], [0], [False], [-1])]


def test_every_damage_is_seen(tmp_path, capfd):
    rng = random.Random(1)
    kept = cached(tmp_path, genome_files.vcf(tmp_path, *(f"{pos} A C GT:DP 0/1:{pos % 40}" for pos in range(1, 300))))
    good = kept.read_bytes()
    places = [*range(8), *range(len(good) - 40, len(good)), *(rng.randrange(len(good)) for _ in range(300))]
    damaged = [good[:at] + bytes([good[at] ^ 1 << rng.randrange(8)]) + good[at + 1:] for at in places]
    cut = [good[:rng.randrange(len(good))] for _ in range(60)]
    added = [good + b"\0", good[:9] + b"\0" + good[9:], good + good, good[:100] + good]
    for data in [*damaged, *cut, *added, b"", b"PAR1", b"PAR1PAR1", b"PAR1" + bytes(4) + b"PAR1"]:
        kept.write_bytes(data)
        with pytest.raises(GenomeError) as refused:
            read_cache_header(kept)
        assert str(refused.value).startswith(f"{kept}: is ")
        assert "\n" not in str(refused.value)
    assert capfd.readouterr().err == ""
    kept.write_bytes(good)
    assert read_cache_header(kept).samples == ("S",)


def test_what_is_not_a_cache_is_refused(tmp_path):
    other = tmp_path / "x.parquet"
    with pytest.raises(GenomeError, match="no such file"):
        read_cache_header(other)
    pl.DataFrame({"chrom": ["chr1"], "pos": [5]}).write_parquet(other)
    with pytest.raises(GenomeError, match="not one of a genome that pmed has written"):
        read_cache_header(other)
    frame = pl.read_parquet(cached(tmp_path, genome_files.vcf(tmp_path, "5 A C GT 0/1")))
    frame.write_parquet(other)
    with pytest.raises(GenomeError, match="not one of a genome that pmed has written"):
        read_cache_header(other)


def test_another_format_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "FORMAT", "pmed/genotypes/3")
    kept = cached(tmp_path, genome_files.vcf(tmp_path, "5 A C GT 0/1"))
    monkeypatch.undo()
    with pytest.raises(GenomeError, match="has the format pmed/genotypes/3, which this version of pmed does not read"):
        read_cache_header(kept)


def test_what_is_damaged_after_the_header_was_read_is_an_error_too(tmp_path):
    kept = cached(tmp_path, genome_files.vcf(tmp_path, *(f"{pos} A C GT 0/1" for pos in range(1, 30))))
    header = read_cache_header(kept)
    pl.DataFrame({"chrom": ["chr1"]}).write_parquet(kept)
    with pytest.raises(GenomeError, match="damaged"):
        read_cache(header, {"chr2": [5]})
    kept.unlink()
    with pytest.raises(GenomeError, match="damaged"):
        read_cache(header, {"chr2": [5]})


def test_a_failed_import_leaves_everything_as_it_was(tmp_path):
    output = tmp_path / "out" / "genome.parquet"
    file = genome_files.vcf(tmp_path, *(f"{pos} A C GT 0/1" for pos in range(1, 30)), "40 A C GT 0/x")
    with pytest.raises(PmedError, match=r"genome.parquet: cannot write: .* \(does the folder exist\?\)"):
        import_genomes([file], output)
    output.parent.mkdir()
    output.write_text("before")
    with pytest.raises(GenomeError, match=r"x.vcf line 44: the genotype '0/x' cannot be read$"):
        import_genomes([file], output)
    assert output.read_text() == "before"
    assert [path.name for path in output.parent.iterdir()] == ["genome.parquet"]


def test_an_interruption_is_an_interruption(tmp_path, monkeypatch):
    def interrupted(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(cache, "batches", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_cache([genome_files.vcf(tmp_path, "5 A C GT 0/1")], tmp_path / "x.parquet")
    assert [path.name for path in tmp_path.iterdir()] == ["x.vcf"]


def test_a_full_disk_is_one_line(tmp_path, monkeypatch):
    def full(*_, **__):
        raise pl.exceptions.ComputeError("parquet: underlying IO error:\nNo space left on device")

    monkeypatch.setattr(pl.LazyFrame, "sink_parquet", full)
    with pytest.raises(PmedError, match="cannot write: .* No space left on device$") as refused:
        write_cache([genome_files.vcf(tmp_path, "5 A C GT 0/1")], tmp_path / "x.parquet")
    assert "\n" not in str(refused.value)


def test_import_says_what_it_did(tmp_path):
    told = []
    output = tmp_path / "genome.parquet"
    done = import_genomes([faulty(tmp_path)], output, told.append)
    assert (done.path, done.records, done.samples, done.contigs) == (output, 10, ("S",), ("chr2", "chr:9"))
    assert done.size == output.stat().st_size
    assert str(done).startswith("10 records of S on 2 contigs, 0.0 MB")
    assert told == ["x.vcf: 10 records"]
    assert [fault for fault in done.faults if "line end" in fault] == [
        "line 24: the last line has no line end: the file may be cut off"]


def test_import_refuses_what_it_cannot_do(tmp_path):
    file = genome_files.vcf(tmp_path, "5 A C GT 0/1")
    with pytest.raises(OptionError, match="no genome to import"):
        import_genomes([], tmp_path / "x.parquet")
    with pytest.raises(OptionError, match="would overwrite an input"):
        import_genomes([file], tmp_path / "sub" / ".." / "x.vcf")
    with pytest.raises(GenomeError, match="not a VCF"):
        import_genomes([cached(tmp_path, file)], tmp_path / "y.parquet")
    assert importing.Imported(file, 5, ("a", "b"), 1, (), ()).__str__().startswith("1 records of 2 samples")


def test_a_file_without_records_is_a_cache_without_rows(tmp_path):
    kept = cached(tmp_path, genome_files.vcf(tmp_path))
    read = read_cache(read_cache_header(kept), {"chr2": [5]})
    assert (read.records, read.contigs, read.faults) == ([], set(), [])
    assert pl.read_parquet(kept).height == 0


def test_polars_with_one_thread_does_not_wait_for_itself(tmp_path, root):
    """The rows are made by polars while polars writes them."""
    rows = (f"{pos} A C GT:DP 0/1:{pos % 50}" for pos in range(1, 20_000))
    file = genome_files.vcf(tmp_path, *rows)
    code = ("import sys; from pathlib import Path; from pmed.importing import import_genomes\n"
            "for _ in range(5): print(import_genomes([Path(sys.argv[1])], Path(sys.argv[2])).records)")
    for threads in ("1", "2", "3"):
        done = subprocess.run([sys.executable, "-c", code, str(file), str(tmp_path / "x.parquet")], cwd=root,
                              env={**os.environ, "POLARS_MAX_THREADS": threads}, capture_output=True, text=True,
                              timeout=120, check=False)
        assert done.stdout.split() == ["19999"] * 5, done.stderr


def test_samples_of_a_cohort(tmp_path):
    names = tuple(f"S{number}" for number in range(40))
    rows = [f"{pos} A C,G GT:DP " + " ".join(f"{(pos + i) % 3}|{i % 2}:{i}" for i in range(40)) for pos in range(1, 30)]
    file = genome_files.vcf(tmp_path, *rows, samples=names)
    one, other = read_both(file, cached(tmp_path, file), {"chr2": [3, 4, 17]})
    assert_same(one, other)
    assert np.array(one[1][0]["alleles"]).shape == (40, 2)


def cohort_of_all_kinds(folder):
    """Records whose calls fit a byte each, and others: depths, high alleles, haploid calls, three alleles."""
    names, rng = tuple(f"S{number}" for number in range(12)), random.Random(4)
    kinds = [("GT", ["0|1", "1/0", ".|.", "./1", "0|0", "6|5"]), ("GT", ["0", "1", ".", "0/1"]), ("GT", ["0|7", "0/0"]),
             ("GT", ["0/1/1", "0/1"]), ("GT:DP", ["0/1:4", "./.:."]), ("GT", ["0/9", "0/1"])]
    rows = [f"{pos} A C,G,T,AC,AG,AT,AA {form} " + " ".join(rng.choice(cells) for _ in names)
            for pos, (form, cells) in enumerate(kinds * 5, 1)]
    return genome_files.vcf(folder, *rows, samples=names), len(rows)


def test_calls_of_a_cohort_are_a_byte_where_they_fit(tmp_path):
    file, rows = cohort_of_all_kinds(tmp_path)
    kept = cached(tmp_path, file)
    frame = pl.read_parquet(kept)
    assert 5 < frame["codes"].null_count() < rows - 5
    assert (frame["codes"].is_null() == frame["allele_1"].is_not_null()).all()
    assert_same(*read_both(file, kept, {"chr2": list(range(1, rows + 1))}))
    for names in (), ("S7", "S2"):
        assert joined_chunks(chunks(file, samples=names)) == joined_chunks(cache_chunks(kept, names))


def joined_chunks(found):
    return [(one.samples, alleles.tolist(), ploidy.tolist(), phased.tolist()) for one in found
            for alleles, ploidy, phased in zip(one.alleles, one.ploidy, one.phased, strict=True)]


def test_a_cache_of_the_first_format_is_read(tmp_path, monkeypatch):
    file, rows = cohort_of_all_kinds(tmp_path)
    monkeypatch.setattr(cache, "FORMAT", "pmed/genotypes/1")
    monkeypatch.setattr(cache, "with_codes", lambda frame: frame.with_columns(pl.lit(None, pl.Binary()).alias("codes")))
    kept = cached(tmp_path, file)
    monkeypatch.undo()
    assert pl.read_parquet(kept)["codes"].null_count() == rows
    assert_same(*read_both(file, kept, {"chr2": list(range(1, rows + 1))}))
    assert joined_chunks(chunks(file)) == joined_chunks(cache_chunks(kept))


def test_the_first_bytes():
    assert is_cache(b"PAR1\x15")
    assert not is_cache(b"##fileformat=VCFv4.2")


def test_positions_come_from_sites(tmp_path):
    """The shape of `wanted` is what `alleles.positions` gives."""
    from pmed.genomics.alleles import Sites
    sites = Sites.of(genome_files.sites((5, "A", "C"), (9, "A", "C")), "GRCh38")
    kept = cached(tmp_path, genome_files.vcf(tmp_path, *(f"{pos} A C GT 0/1" for pos in range(1, 12))))
    assert [one.pos for one in read_cache(read_cache_header(kept), positions([sites])).records] == [5, 9]
