"""Cohorts as int8 arrays: every way of reading a line gives what a slow, obvious reader of its text gives."""

from __future__ import annotations

import gzip
import re
import subprocess
import sys
import tracemalloc

import numpy as np
import pysam
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pmed.cohorts import chunks as either_chunks
from pmed.errors import GenomeError
from pmed.genomics.files import quiet_htslib
from pmed.genomics.matrix import chunks
from pmed.importing import import_genomes
from tests.vcf_writer import BINARY, TEXT, packed, vcfs

META = "##fileformat=VCFv4.2\n##reference=GRCh38\n"
COLUMNS = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t"
FIXED = ("chr1", "{pos}", ".", "A", "C,G", ".", "PASS", ".")
PLAIN = ("0|1", "1/0", "./.", ".|1", "2|2", "0/.")
# Each asks for another way: width, first bytes of a cell, and cut field by field.
FORMS = (st.sampled_from(PLAIN), st.sampled_from([*PLAIN, "0", "1", "."]),
         st.sampled_from([*PLAIN, "0", "0|1|2", "|1"]))


def slow(gt):
    """(first, second, ploidy, phased) of one GT; more than two alleles are cut to two."""
    alleles = [-1 if part == "." else int(part) for part in re.split(r"[/|]", gt.lstrip("/|"))]
    if alleles == [-1]:
        return -1, -1, 0, False
    first, second = [*alleles, -1][:2]
    return min(first, 127), min(second, 127), len(alleles), "/" not in gt and len(alleles) > 1


def slow_read(text):
    """What `chunks` must give for a VCF text, as (records, samples, 4)."""
    calls = []
    for line in text.replace("\r", "").splitlines():
        if not line.startswith("#"):
            columns = line.split("\t")
            keys = columns[8].split(":")
            cells = [cell.split(":") for cell in columns[9:]]
            calls.append([slow(cell[keys.index("GT")] if "GT" in keys else ".") for cell in cells])
    return np.array(calls, dtype=int)


def quick_read(path, **more):
    """The arrays of all chunks, as (records, samples, 4)."""
    parts = [np.dstack([one.alleles, one.ploidy, one.phased]) for one in checked(chunks(path, **more))]
    return np.concatenate(parts) if parts else np.empty((0,), dtype=int)


def checked(parts):
    """The same chunks, of which `whole` must be what the arrays say."""
    for one in parts:
        np.testing.assert_array_equal(one.whole, (one.alleles >= 0).all(axis=(1, 2)) & (one.ploidy == 2).all(axis=1))
        yield one


def line(pos, *cells, form="GT", columns=FIXED):
    return "\t".join([*columns, form, *cells]).format(pos=pos) + "\n"


def write(folder, *lines, people=3, name="x.vcf", end="\n"):
    head = META + COLUMNS + "\t".join(f"S{number}" for number in range(people)) + "\n"
    file = folder / name
    file.write_bytes((head + "".join(lines)).replace("\n", end).encode())
    return file


@st.composite
def cohorts(draw):
    """Lines of all three forms in any order, and how many samples they have."""
    people = draw(st.integers(1, 5))
    lines = []
    for pos in range(1, draw(st.integers(1, 9)) + 1):
        cells = [draw(draw(st.sampled_from(FORMS))) for _ in range(people)]
        form, tail = draw(st.sampled_from([("GT", ""), ("GT", ""), ("GT:DP", ":7"), ("GT:DP", ""), ("DP:GT", None)]))
        cells = [f"7:{cell}" if tail is None else cell + tail for cell in cells]
        lines.append(line(pos, *cells, form=form))
    return people, "".join(lines)


@given(made=cohorts(), end=st.sampled_from(["\n", "\r\n"]))
@settings(max_examples=300)
def test_every_form_of_line_is_read_alike(tmp_path_factory, made, end):
    people, text = made
    path = write(tmp_path_factory.mktemp("m"), text, people=people, end=end)
    np.testing.assert_array_equal(quick_read(path), slow_read(text))


@given(made=vcfs())
@settings(max_examples=40)
def test_random_files_in_every_packing(tmp_path_factory, made):
    folder, wanted = tmp_path_factory.mktemp("m"), slow_read(made.text)
    for how in TEXT:
        np.testing.assert_array_equal(quick_read(packed(folder / how, made.text, how)), wanted, err_msg=how)


def test_bcf_gives_what_its_text_gives(tmp_path):
    text = META + "##contig=<ID=chr1,length=248956422>\n##FORMAT=<ID=GT,Number=1,Type=String,Description=a>\n"
    text += COLUMNS + "a\tb\n" + "".join(line(pos, first, second) for pos, (first, second) in enumerate(
        [("0|1", "1|1"), ("0", "./."), ("0/1", "."), ("0|1|1", "2|2")], 1))
    for how in BINARY:
        path = packed(tmp_path, text, how)
        np.testing.assert_array_equal(quick_read(path), slow_read(text))
        whole = next(chunks(path)).variants
        assert whole.rows() == next(chunks(packed(tmp_path, text, "plain"))).variants.rows()


def all_of(parts):
    """Arrays, and variants, of chunks of whatever size."""
    parts = list(checked(parts))
    arrays = [np.concatenate([getattr(one, name) for one in parts])
              for name in ("alleles", "ploidy", "phased", "whole", "alts")]
    return arrays, [row for one in parts for row in one.variants.rows()]


@given(made=st.one_of(cohorts(), vcfs()))
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_a_cache_gives_what_its_file_gives(tmp_path_factory, made):
    folder = tmp_path_factory.mktemp("m")
    path = packed(folder, made.text, "plain") if hasattr(made, "text") else write(folder, made[1], people=made[0])
    text, kept = path.read_text(), folder / "kept.parquet"
    if not any(line and not line.startswith("#") for line in text.splitlines()):
        return
    import_genomes([path], kept)
    (wanted, rows), (found, same) = all_of(chunks(path)), all_of(either_chunks(kept))
    for one, other in zip(wanted, found, strict=True):
        np.testing.assert_array_equal(one, other)
    assert same == rows


def test_some_samples_of_a_cache_in_chunks_that_count_its_rows(tmp_path, monkeypatch):
    monkeypatch.setattr("pmed.genomics.cache._GROUP_ROWS", 2)
    path = write(tmp_path, *(line(pos, "0|1", "1|1", "0|3" if pos == 4 else ".|1") for pos in range(1, 6)))
    import_genomes([path], kept := tmp_path / "kept.parquet")
    parts = list(either_chunks(kept, samples=["S2", "S0"]))
    assert [one.samples for one in parts] == [("S0", "S2")] * len(parts)
    assert np.concatenate([one.alleles for one in parts])[:, 1].tolist() == [[-1, 1]] * 3 + [[0, -1], [-1, 1]]
    assert [one.heads.row for one in parts] == [1 + sum(len(part.alts) for part in parts[:number])
                                                for number in range(len(parts))]
    with pytest.raises(GenomeError, match="no sample 'S9'"):
        list(either_chunks(kept, samples=["S9"]))


def test_a_fault_in_bcf_names_its_record(tmp_path):
    text = META + "##contig=<ID=chr1>\n##FORMAT=<ID=GT,Number=1,Type=String,Description=a>\n" + COLUMNS
    text += "\t".join(f"S{number}" for number in range(200)) + "\n"
    text += "".join(line(pos, *["0|3" if pos == 450 else "0|1"] * 200) for pos in range(1, 501))
    faults = [fault for part in chunks(packed(tmp_path, text, "bcf"), megabytes=1) for fault in part.faults]
    assert [fault.where for fault in faults] == [f"{tmp_path / 'bcf.bcf'} record 450"]


def test_some_samples_are_their_columns(tmp_path):
    lines = [line(1, "0|1", "1|1", "0|0"), line(2, "0", "1|1", "0|0"), line(3, "0", "1|2", "0/1/2", form="GT"),
             line(4, "7:0|1", "8:1|1", "9:.", form="DP:GT")]
    path = write(tmp_path, *lines)
    np.testing.assert_array_equal(quick_read(path, samples=["S2", "S0"]), quick_read(path)[:, [0, 2]])
    assert next(chunks(path, samples=["S2", "S0"])).samples == ("S0", "S2")
    with pytest.raises(GenomeError, match="no sample 'S9'"):
        next(chunks(path, samples=["S9"]))


def test_the_variants_table(tmp_path):
    columns = ("10", "{pos}", "rs1;rs2", "ac", "a,<DEL>", "9", "q10", "DB;AC=1,2")
    path = write(tmp_path, line(5, "0|1", "0|0", "0|2", columns=columns),
                 line(6, "0", "0|0", ".", columns=("MT", "{pos}", ".", "A", ".", ".", ".", ".")))
    chunk = next(chunks(path))
    assert chunk.variants.to_dicts() == [
        {"source_row": 1, "chrom": "chr10", "pos": 5, "id": "rs1;rs2", "ref": "AC", "alt": "A,<DEL>", "filter": "q10"},
        {"source_row": 2, "chrom": "chrM", "pos": 6, "id": None, "ref": "A", "alt": None, "filter": None}]
    assert chunk.alts.tolist() == [2, 0]


def test_rows_are_counted_through_all_chunks(tmp_path):
    lines = [line(pos, *["0|1"] * 500) for pos in range(1, 2001)]
    parts = list(chunks(write(tmp_path, *lines, people=500), megabytes=8))
    assert len(parts) > 2
    assert [row for part in parts for row in part.variants["source_row"]] == list(range(1, 2001))
    assert [pos for part in parts for pos in part.variants["pos"]] == list(range(1, 2001))


def test_many_alleles_are_cut_at_127(tmp_path):
    alts = ",".join("A" * length for length in range(2, 200))
    path = write(tmp_path, line(1, "0/150", "127|126", "10/9", columns=("1", "{pos}", ".", "A", alts, ".", ".", ".")))
    assert quick_read(path)[0, :, :2].tolist() == [[0, 127], [127, 126], [10, 9]]


@pytest.mark.parametrize("form", ["GT", "GT:DP", "DP:GT"])
def test_an_allele_that_is_not_there_is_unknown_and_told(tmp_path, form):
    tail = {"GT": "{}", "GT:DP": "{}:7", "DP:GT": "7:{}"}[form]
    path = write(tmp_path, line(1, *map(tail.format, ("0|1", "0|2", "0|0")), form=form),
                 line(2, *map(tail.format, ("0|1", "3|2", "0|0")), form=form))
    chunk = next(chunks(path))
    assert chunk.alleles[1].tolist() == [[0, 1], [-1, 2], [0, 0]]
    assert [(fault.where, fault.code) for fault in chunk.faults] == [(f"{path} line 5", "allele-unknown")]
    assert "allele 3, but there are 2 ALTs" in chunk.faults[0].text


@pytest.mark.parametrize(("bad", "said"), [
    (line(2, "0|1", "0|1"), "has 2 samples, the header names 3"),
    (line(2, "0|1", "0|1", "0|1", "0|1"), "has 4 samples, the header names 3"),
    (line(2, "0|1", "0|1", "GT", "0|1", "0|1", "0|1"), "has 6 samples, the header names 3"),
    (line(2, "0|1", "0|1\t0|1", "0|1:9", form="GT:DP"), "has 4 samples, the header names 3"),
    ("chr1\t2\t.\tA\tC\n", "has 5 columns, where at least 10 are expected"),
    (line(2, "0|1", "0|x", "0|1"), "'0|x' cannot be read"),
    (line(2, "0|1", "0||1", "01"), "'0||1' cannot be read"),
    (line(2, "0|1", "0|/", "0|1"), "'0|/' cannot be read"),
    (line(2, "0|1", "0|-", "0|1"), "'0|-' cannot be read"),
    (line(2, "0|1", "", "0|1"), "'' cannot be read"),
    (line("2x", "0|1", "0|1", "0|1"), "POS is not a whole number"),
    (line(2, "0|1", "0|1", "0|1", columns=("chr1", "{pos}", ".", "", "C", ".", ".", ".")), "no REF or no ALT"),
    (line(2, "0|1", "0|1", "0|1", columns=("chr1", "{pos}", ".", "A", "", ".", ".", ".")), "no REF or no ALT")])
def test_a_malformed_line_is_refused_with_its_place(tmp_path, bad, said):
    path = write(tmp_path, line(1, "0|1", "1|1", "0|0"), bad, line(3, "0|1", "1|1", "0|0"))
    with pytest.raises(GenomeError, match=re.escape(said)) as error:
        list(chunks(path))
    assert error.value.where == f"{path} line 5"


def test_a_file_that_breaks_off_is_refused(tmp_path):
    text = write(tmp_path, *[line(pos, "0|1", "1|1", "0|0") for pos in range(1, 9)]).read_bytes()
    broken = tmp_path / "broken.vcf.gz"
    broken.write_bytes(gzip.compress(text)[:-12])
    with pytest.raises(GenomeError, match="cannot be unpacked"):
        list(chunks(broken))
    source = text.decode().replace(COLUMNS, "##contig=<ID=chr1>\n##FORMAT=<ID=GT,Number=1,Type=String,Description=a>\n"
                                   + COLUMNS)
    bcf = packed(tmp_path, source, "bcf")
    with pysam.BGZFile(str(bcf)) as file:
        inside = file.read()
    with pysam.BGZFile(str(bcf), "wb") as file:
        file.write(inside[:-5])
    with pytest.raises(GenomeError, match="damaged BCF"):
        list(chunks(bcf))


def test_a_last_line_without_an_end_may_be_cut_off(tmp_path):
    path = write(tmp_path, line(1, "0|1", "1|1", "0|0"), line(2, "0|1", "1|1", "0|1").removesuffix("\n"))
    found, = chunks(path)
    assert found.alleles[1].tolist() == [[0, 1], [1, 1], [0, 1]]
    assert [(fault.where, fault.code) for fault in found.faults] == [(f"{path} line 5", "no-final-newline")]
    path.write_bytes(path.read_bytes().removesuffix(b"|1"))
    with pytest.raises(GenomeError, match="the file is cut off"):
        list(chunks(path))


def test_a_file_without_records_has_no_chunks(tmp_path):
    assert list(chunks(write(tmp_path))) == []


def test_memory_does_not_grow_with_people_or_records(tmp_path):
    def peak(people, records, form, cell):
        path = write(tmp_path, *[line(pos, *[cell] * people, form=form) for pos in range(records)], people=people)
        tracemalloc.start()
        for _ in chunks(path, megabytes=16):
            pass
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    for form, cell in (("GT", "0|1"), ("GT:DP", "0|1:9")):
        assert peak(100, 20_000, form, cell) < 24 << 20
        assert peak(20_000, 100, form, cell) < 24 << 20


def test_one_record_is_a_chunk_where_it_is_large(tmp_path):
    path = write(tmp_path, *[line(pos, *["0|1"] * 400_000) for pos in (1, 2, 3)], people=400_000)
    assert [len(part.alleles) for part in chunks(path, megabytes=1)] == [1, 1, 1]


def test_polars_is_not_needed_for_a_panel(tmp_path):
    path = write(tmp_path, line(1, "0|1", "1|1", "0|0"), line(2, "0", "1|1", "."))
    code = ("import sys; from pathlib import Path; from pmed.genomics.matrix import chunks\n"
            "assert sum(len(part.alleles) for part in chunks(Path(sys.argv[1]))) == 2\n"
            "assert 'polars' not in sys.modules")
    subprocess.run([sys.executable, "-c", code, str(path)], check=True)


@pytest.mark.parametrize("gene", ["CYP2D6", "G6PD", "UGT1A1"])
def test_the_panel_is_what_htslib_says(shared, gene):
    """Every fortieth record, all people, through ``VariantRecord``."""
    path = shared / f"data/1kgp/GRCh38/{gene}.vcf.gz"
    arrays = quick_read(path)
    with quiet_htslib(), pysam.VariantFile(str(path)) as file:
        row = 0
        for row, record in enumerate(file):
            if row % 40 == 0:
                calls = [(one.allele_indices, one.phased) for one in record.samples.values()]
                told = [[*[-1 if a is None else a for a in alleles], -1][:2] for alleles, _ in calls]
                assert arrays[row, :, :2].tolist() == told
                assert arrays[row, :, 2].tolist() == [len(alleles) for alleles, _ in calls]
                two = [len(alleles) == 2 for alleles, _ in calls]
                assert arrays[row, two, 3].tolist() == [phased for alleles, phased in calls if len(alleles) == 2]
    assert len(arrays) == row + 1


def test_an_allele_that_is_not_there_is_no_whole_record(tmp_path):
    [chunk] = chunks(write(tmp_path, line(1, "0|3", "0|1", "1|1"), line(2, "0|1", "0|1", "1|1")))
    assert chunk.whole.tolist() == [False, True]
    assert chunk.alleles[0].tolist() == [[0, -1], [0, 1], [1, 1]]
