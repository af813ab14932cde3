"""All records of a file as frames: equal to `read_records` and `decode` cell by cell, whichever way they were read."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from pmed.errors import GenomeError
from pmed.genomics import columns, lines, scan
from pmed.genomics.alleles import with_chr
from pmed.genomics.blocks import Block, bcf_blocks, blocks, last_position
from pmed.genomics.calls import decode
from pmed.genomics.header import read_header
from pmed.genomics.order import Order, is_cut
from pmed.genomics.records import read_records
from pmed.genomics.scan import batches
from pmed.genomics.table import RECORD, SAMPLE, blank, put, schema
from tests import vcf_writer

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]
HEAD = "##fileformat=VCFv4.3\n##contig=<ID=chr1>\n##INFO=<ID=SVLEN,Number=A,Type=Integer,Description=\"a\">\n"
COLUMNS = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT"
GOOD = ["chr1", "100", "rs1", "A", "C", ".", "PASS", ".", "GT:DP", "0/1:7"]


def everywhere(path):
    """Every position that a line of the file names: with these all of its records are read."""
    text = b"".join(block.text for block in (bcf_blocks if read_header(path).kind == "bcf" else blocks)(path))
    found: dict[str, set[int]] = {}
    for line in text.split(b"\n"):
        if line.count(b"\t") and not line.startswith((b"#", b"\r")):
            chrom, pos = line.decode("latin-1").split("\t")[:2]
            found.setdefault(with_chr(chrom), set()).add(int(pos) if pos.isdigit() and len(pos) < 19 else 0)
    return {chrom: sorted(places) for chrom, places in found.items()}


def expected(path):
    """The records and calls as `read_records` and `decode` have them, in the shape of a scan."""
    header = read_header(path)
    records = read_records(header, everywhere(path)).records
    calls, _ = decode(records, len(header.samples))
    return [(one.number, one.chrom, one.pos, one.last, ";".join(one.ids), one.ref, ",".join(one.alts) or None,
             one.filter, *cells(each)) for one, each in zip(records, calls, strict=True)]


def cells(calls):
    columns = (*np.minimum(calls.alleles, 127).T, calls.ploidy, calls.phased, calls.phase_set, calls.dp, calls.gq,
               calls.failed)
    return tuple(tuple(one.tolist()) for one in columns)


def scanned(path):
    """All rows of a scan."""
    frames = list(scan.scan(path))
    for frame in frames:
        assert list(frame.columns) == [name for name in (*RECORD, *SAMPLE) if name not in scan.OWN]
    return [tuple(tuple(cell) if isinstance(cell, list) else cell for cell in row)
            for frame in frames for row in frame.rows()]


def whole(path):
    """All that is known of the rows of a file, in one frame."""
    header = read_header(path)
    frames = list(batches(header))
    return pl.concat([pl.DataFrame(schema=schema(len(header.samples))), *frames]) if frames else None


def outcome(path):
    """The frame, or the error."""
    try:
        return whole(path)
    except GenomeError as error:
        return str(error)


def written(folder, *records, samples=("S",), end="\n", name="x.vcf"):
    """A file of records given as lists of columns, bytes or one text; `end` stands behind each line."""
    parts = [record if isinstance(record, bytes) else "\t".join(record).encode("latin-1") for record in records]
    head = HEAD + "\t".join([COLUMNS, *samples]) + "\n"
    (folder / name).write_bytes(head.encode() + b"".join(part + end.encode() for part in parts))
    return folder / name


def changed(**given):
    """A good record with some columns changed, by their names in lower case."""
    names = ["chrom", "pos", "id", "ref", "alt", "qual", "filter", "info", "format", "call"]
    return [given.get(name, column) for name, column in zip(names, GOOD, strict=True)]


def unreadable(*_):
    raise columns.Doubtful


WAYS = {"file": {}, "blocks": {(scan, "frames_of_file"): unreadable},
        "lines": {(scan, "MOST_SAMPLES"): 0}, "small": {(columns, "_ROWS"): 1}}


def each_way(path):
    """The outcome of each of the ways in which a file may be read."""
    found = {}
    for name, patches in WAYS.items():
        with pytest.MonkeyPatch.context() as patch:
            for (module, what), value in patches.items():
                patch.setattr(module, what, value)
            found[name] = outcome(path)
    return found


def must_be_same(found):
    first = found.pop("lines")
    for way, other in found.items():
        if isinstance(first, pl.DataFrame) and isinstance(other, pl.DataFrame):
            assert_frame_equal(other, first)
        else:
            assert first is other is None or first == other, way


@settings(max_examples=120, suppress_health_check=SLOW)
@given(st.one_of(vcf_writer.vcfs(), vcf_writer.gvcfs()), st.sampled_from([*vcf_writer.TEXT[:4], "bcf"]))
def test_every_cell_is_that_of_the_reader_of_lines(made, how):
    with tempfile.TemporaryDirectory() as folder:
        path = vcf_writer.packed(Path(folder), made.text, how)
        assert scanned(path) == expected(path)
        must_be_same(each_way(path))


FORMATS = ["GT", "GT:DP", "GT:DP:GQ", "GT:AD:DP:GQ:PL", "DP:GT", "DP", "GT:FT", "GT:MIN_DP:DP", "GT:RGQ:GQ",
           "GT:PS:LEN", "GT:GP:GQ", "GT:PL", "GT:DP:DP", "GT::DP", "", "GT:PGT:PS"]
GENOTYPES = ["0/1", "0|1", "./.", ".", "1", "0", "0/10", "12|3", "0/1/1", "/0|1", "|1", "1/.", "x", "", "0/", "0-1",
             "PASS"]
VALUES = ["7", "40", ".", "", "-3", "3.7", "1e3", "99999999999", "+5", "nan", "0012", "PASS", "q10", "LowQual", "5,6",
          "inf", " 5", "PAS", "\xe9", "0,30", "30,0", "2,1,27", "0.9,0.1,0", "0,3,30", ".,30", "30,x", ","]
CELLS = st.builds(lambda first, more: ":".join([first, *more]), st.sampled_from(GENOTYPES + VALUES[:3]),
                  st.lists(st.sampled_from([*VALUES, *GENOTYPES[:3]]), max_size=5))
RECORDS = st.builds(
    lambda place, ref, alt, flt, info, form, call: changed(pos=str(place), ref=ref, alt=alt, filter=flt, info=info,
                                                           format=form, call=call),
    st.integers(0, 300), st.sampled_from(["A", "a", "ACGT", "N"]),
    st.sampled_from(["C", "c,G", ".", "<DEL>", "<INS>", "<NON_REF>", "C,<*>", "*", "C,,G", "C,", "A[chr2:5[", ","]),
    st.sampled_from(["PASS", ".", "q10;s50", "\xe9"]),
    st.sampled_from([".", "END=150", "DB;END=150", "XEND=9", "SVLEN=-40", "SVLEN=5,60;DB", "END=x", "",
                     "\xe9;END=120"]),
    st.sampled_from(FORMATS), CELLS)


@settings(max_examples=300, suppress_health_check=SLOW)
@given(st.lists(RECORDS, min_size=1, max_size=5), st.sampled_from(["\n", "\r\n"]))
def test_odd_records_are_read_alike_or_refused_alike(records, end):
    with tempfile.TemporaryDirectory() as folder:
        must_be_same(each_way(written(Path(folder), *records, end=end)))


@settings(max_examples=100, suppress_health_check=SLOW)
@given(st.lists(st.tuples(RECORDS, CELLS, CELLS), min_size=1, max_size=4))
def test_odd_records_of_three_samples(records):
    with tempfile.TemporaryDirectory() as folder:
        rows = [[*record, *more] for record, *more in records]
        must_be_same(each_way(written(Path(folder), *rows, samples=("A", "B", "C"))))


FIELDS = {  # FORMAT and cell: phase set, depth, quality, failed
    ("GT:RGQ", "0/0:30"): (-1, -1, 30, False), ("GT:RGQ:GQ", "0/1:30:50"): (-1, -1, 50, False),
    ("GT:RGQ:GQ", "0/1:30:."): (-1, -1, 30, False), ("GT:RGQ:GQ", "0/1:30"): (-1, -1, 30, False),
    ("GT:MIN_DP:DP", "0/0:5:9"): (-1, 5, -1, False), ("GT:MIN_DP:DP", "0/0:9:5"): (-1, 5, -1, False),
    ("GT:MIN_DP:DP", "0/0:.:5"): (-1, 5, -1, False), ("GT:MIN_DP:DP", "0/0:9:."): (-1, 9, -1, False),
    ("GT:DP", "0/1:3000000000"): (-1, 2**31 - 1, -1, False), ("GT:DP", "0/1:"): (-1, -1, -1, False),
    ("GT:PS", "0|1:2000000000"): (2_000_000_000, -1, -1, False), ("DP:GQ:GT", "7:8:0/1"): (-1, 7, 8, False),
    ("GT:FT", "0/1:"): (-1, -1, -1, False), ("GT:FT", "0/1:."): (-1, -1, -1, False),
    ("GT:FT", "0/1:PASS"): (-1, -1, -1, False), ("GT:FT", "0/1"): (-1, -1, -1, False),
    ("GT:FT", "0/1:q100"): (-1, -1, -1, True), ("GT:FT:DP", "0/1:PAST:4"): (-1, 4, -1, True),
    ("GT:FT", "0/1:PASSED"): (-1, -1, -1, True), ("GT:FT", "0/1:x"): (-1, -1, -1, True)}


def test_the_fields_of_a_cell(tmp_path):
    """Each on its own, and all in one file, where several FORMATs are read together."""
    for fields, values in FIELDS.items():
        path = written(tmp_path, changed(format=fields[0], call=fields[1]))
        assert scanned(path) == expected(path)
        assert scanned(path)[0][-4:] == tuple((value,) for value in values), fields
    path = written(tmp_path, *(changed(format=form, call=call) for form, call in FIELDS))
    assert scanned(path) == expected(path)
    assert whole(path)["text"].null_count() == len(FIELDS)


REFUSED = {
    "no-position": changed(pos="x"), "plus": changed(pos="+5"), "space": changed(pos=" 5"), "empty": changed(pos=""),
    "fraction": changed(pos="5.0"), "nine": GOOD[:9], "two": GOOD[:2], "one": GOOD[:1], "eleven": [*GOOD, "0/1"],
    "no-ref": changed(ref=""), "no-alt": changed(alt=""), "empty-alt": changed(alt="C,,G"),
    "twice": changed(format="GT:DP:DP", call="0/1:2:3"), "genotype": changed(call="0/x:7"), "no-call": changed(call=""),
    "digits": changed(call="0/12345:7"), "accent": changed(call="0/\xb2:7")}


@pytest.mark.parametrize("where", [1, 3])
@pytest.mark.parametrize("bad", REFUSED.values(), ids=REFUSED.keys())
def test_a_malformed_record_is_refused_in_the_same_words(tmp_path, bad, where):
    records = [GOOD] * 3
    records.insert(where - 1, bad)
    path = written(tmp_path, *records)
    with pytest.raises(GenomeError) as first:
        decode(read_records(read_header(path), {**everywhere(path), "chr1": range_of(1, 200)}).records, 1)
    assert f"{path} line {where + 4}" in str(first.value)
    assert {way: str(found) for way, found in each_way(path).items()} == dict.fromkeys(WAYS, str(first.value))


def range_of(first, last):
    return [0, *range(first, last + 1)]


@pytest.mark.parametrize("odd", [b"", b"\r", b"# a remark", b"#chr1\t1",
                                 b"#" + "\t".join(GOOD).encode(), b"\r" + "\t".join(GOOD).encode()])
def test_lines_that_are_no_records_are_passed_over(tmp_path, odd):
    records = [GOOD, odd, changed(pos="200"), b"\t".join(map(str.encode, changed(pos="300")))]
    found = each_way(written(tmp_path, *records))
    assert found["file"].select("source_row", "line", "pos").rows() == [(1, 5, 100), (2, 7, 200), (3, 8, 300)]
    must_be_same(found)


def test_after_the_line_that_polars_cannot_read_every_record_comes_once(tmp_path, monkeypatch):
    monkeypatch.setattr(columns, "_ROWS", 10)
    records = [changed(pos=str(place)) for place in range(1, 100)]
    records[57] = changed(pos="58", id="r\xe9s")
    frame = whole(written(tmp_path, *records))
    assert frame["pos"].to_list() == frame["source_row"].to_list() == list(range(1, 100))
    assert frame["id"][57] == "r\xe9s"
    assert (frame["line"] == frame["pos"] + 4).all()


def test_blocks_of_a_few_lines_give_the_same(tmp_path, monkeypatch):
    records = [changed(pos=str(place), format="GT:PS" if place % 3 else "GT", call="0|1:5" if place % 3 else "1")
               for place in range(1, 60)]
    path = written(tmp_path, *records)
    first = whole(path)
    monkeypatch.setattr(scan, "frames_of_file", unreadable)
    monkeypatch.setattr(scan, "blocks", lambda path: blocks(path, 200))
    assert sum(1 for _ in batches(read_header(path))) > 10
    assert_frame_equal(whole(path), first)


def test_text_is_kept_only_where_the_columns_do_not_say_it_all(tmp_path):
    calls = ["0/1:7", "0/1", "0/10/1:7", "0/3:7", "0/1:7:8", "0/12:3.5", "0/1/1:3.5"]
    found = whole(written(tmp_path, *(changed(call=call) for call in calls)))
    assert found["text"].to_list() == [None, None, b"0/10/1:7", b"0/3:7", b"0/1:7:8", b"0/12:3.5", None]
    assert found["allele_2"].to_list() == [[1], [1], [-1], [-1], [1], [-1], [1]]
    for call, kept in (("0/1", None), ("0/3", b"0/3"), ("./1", None), ("0-1", None)):
        found = each_way(written(tmp_path, changed(format="GT", call=call)))
        assert isinstance(found["file"], str) or found["file"]["text"].to_list() == [kept]
        must_be_same(found)
    lengths = whole(written(tmp_path, changed(alt="<*>", format="GT:LEN", call="0/0:50")))
    assert lengths.select("last", "text").row(0) == (149, b"0/0:50")


def test_alleles_above_127_are_kept_by_batches_and_capped_in_a_scan(tmp_path):
    alts = ",".join("C" * length for length in range(1, 301))
    path = written(tmp_path, changed(alt=alts, call="200/300"), changed(call="1/1"))
    assert whole(path).select("allele_1", "allele_2").rows() == [([200], [300]), ([1], [1])]
    assert next(iter(scan.scan(path))).select("allele_1", "allele_2").rows() == [([127], [127]), ([1], [1])]
    assert next(iter(scan.scan(path))).schema["allele_1"] == pl.Array(pl.Int8, 1)


def test_a_file_without_records_has_no_frames(tmp_path):
    path = written(tmp_path)
    assert list(scan.scan(path)) == []
    path.write_bytes(path.read_bytes().rstrip(b"\n"))
    assert list(scan.scan(str(path))) == []


def test_a_name_that_looks_like_a_pattern_is_a_name(tmp_path):
    written(tmp_path, changed(pos="7"), name="b.vcf")
    assert whole(written(tmp_path, GOOD, GOOD, name="[b].vcf"))["pos"].to_list() == [100, 100]
    assert whole(written(tmp_path, GOOD, name="*.vcf")).height == 1


LASTS = {"END=150": 150, ".": 100, "XEND=150": 100, "DB;END=150": 150, "SVLEN=-40": 140, "SVLEN=+9,-60": 160,
         "SVLEN=+-5": 105, "SVLEN=4.5": 100, "END=90": 100, "SVLEN=40;END=120": 120}


@pytest.mark.parametrize(("info", "last"), LASTS.items())
def test_last_position(tmp_path, info, last):
    parts = [one.encode() for one in changed(alt="<DEL>", info=info)]
    assert last_position(parts) == last
    assert whole(written(tmp_path, changed(alt="<DEL>", info=info)))["last"].to_list() == [last]
    assert whole(written(tmp_path, changed(alt="G", info=info)))["last"].to_list() == [100]
    inserted = [last if "END" in info else 100]  # SVLEN is how long the insertion is, not how far it reaches
    must_be_same(found := each_way(written(tmp_path, changed(alt="<INS>", info=info))))
    assert found["file"]["last"].to_list() == inserted


def test_positions_and_ends_that_no_number_can_hold(tmp_path):
    huge = "9" * 5000
    for pos in (huge, "9" * 20, "1" + "0" * 18, "0" * 20 + "5"):
        must_be_same(found := each_way(written(tmp_path, GOOD, changed(pos=pos))))
        assert found["file"].endswith("line 6: the record's POS is not a whole number")
    for info in (f"END={huge}", f"SVLEN={huge}", "END=9223372036854775807", "END=99999999999999999999"):
        must_be_same(found := each_way(written(tmp_path, changed(alt="<DEL>", info=info))))
        assert found["file"]["last"][0] >= 100


def test_order_goes_on_from_frame_to_frame():
    def frame(*rows):
        return pl.DataFrame([(line, name, with_chr(name), pos) for line, name, pos in rows], orient="row",
                            schema=["line", "contig", "chrom", "pos"])

    seen = Order("line")
    seen.watch(frame((5, "1", 10), (6, "1", 20)))
    seen.watch(frame((7, "1", 20), (8, "1", 30), (9, "2", 5)))
    assert seen.faults == []
    seen.watch(frame((10, "2", 4), (11, "1", 50), (12, "1", 40)))
    assert [(fault.where, fault.code) for fault in seen.faults] == [("line 10", "unsorted"),
                                                                   ("line 11", "contig-scattered")]
    assert (seen.written, seen.contigs) == ({"1", "2"}, {"chr1", "chr2"})


def test_the_end_of_the_last_line(tmp_path):
    for text in (b"a\n", b"a", b"a\n" * 50_000, b"a\n" * 50_000 + b"b", bytes(range(256)) * 400 + b"\n"):
        for how in ("plain", "gzip", "bgzip"):
            path = vcf_writer_pack(tmp_path, text, how)
            assert is_cut(path) is not text.endswith(b"\n"), (how, text[:5])


def vcf_writer_pack(folder, text, how):
    import gzip

    import pysam
    plain = folder / "t"
    plain.write_bytes(text)
    if how == "gzip":
        (folder / "t.gz").write_bytes(gzip.compress(text))
    elif how == "bgzip":
        pysam.tabix_compress(str(plain), str(folder / "t.gz"), force=True)
    return plain if how == "plain" else folder / "t.gz"


@pytest.mark.parametrize("how", ["plain", "gzip", "bgzip", "bcf"])
def test_a_damaged_file_is_an_error_or_a_table(tmp_path, how, capfd):
    rng = random.Random(how)
    text = vcf_writer.head(vcf_writer.Shape("4.3", "chr", ["S"], {})) + "".join(
        f"chr1\t{place}\trs{place}\tA\tC\t.\tPASS\t.\tGT:DP:GQ\t0/1:{place % 50}:9\n" for place in range(1, 3000))
    path = vcf_writer.packed(tmp_path, text, how)
    good, refused = path.read_bytes(), 0
    for _ in range(60):
        data = bytearray(good)
        for _ in range(rng.randint(1, 3)):
            data[rng.randrange(len(data) // 20, len(data))] = rng.randrange(256)
        path.write_bytes(data[:rng.randrange(len(data))] if rng.random() < 0.3 else data)
        try:
            found = outcome(path)
        except GenomeError:
            found = ""  # the header is damaged already
        refused += isinstance(found, str)
        assert not isinstance(found, str) or "\n" not in found
    assert refused > 10
    assert capfd.readouterr().err == ""


def test_real_files_are_read_like_line_by_line(shared):
    files = [*shared.glob("data/wgs/*_chr22.vcf.bgz"), *shared.glob("data/wgs/*_chr4.vcf.bgz"),
             *(shared / "data/1kgp" / f"{name}.vcf.gz" for name in ("GRCh38/G6PD", "GRCh38/VKORC1", "GRCh37/VKORC1"))]
    assert len(files) == 5
    for path in files:
        frame = whole(path)
        header = read_header(path)
        records = read_records(header, everywhere(path)).records
        calls, _ = decode(records, len(header.samples))
        arrays = blank(len(records), len(header.samples))
        put(arrays, range(len(records)), calls)
        assert frame["source_row"].to_list() == [one.number for one in records]
        assert frame["ref"].to_list() == [one.ref for one in records]
        for name, values in arrays.items():
            assert np.array_equal(frame[name].to_numpy(), values), (path.name, name)


def test_files_of_the_specification_are_read_like_line_by_line(shared):
    counts = {"frames": 0, "errors": 0}
    for path in sorted(shared.glob("data/vcf-spec/*/*/*.vcf")):
        try:
            header = read_header(path)
        except GenomeError:
            continue
        must_be_same(found := each_way(path))
        if isinstance(found["file"], str):
            with pytest.raises(GenomeError) as refused:
                decode(read_records(header, everywhere(path)).records, len(header.samples))
            assert str(refused.value) == found["file"]
        else:
            decode(read_records(header, everywhere(path)).records, len(header.samples))
        counts["errors" if isinstance(found["file"], str) else "frames"] += 1
    assert counts["frames"] > 150
    assert counts["errors"] > 10


def test_a_block_of_lines_is_cut_into_frames_of_bounded_size(monkeypatch):
    monkeypatch.setattr(lines, "_MOST_CELLS", 6)
    rows = ["\t".join([*changed(pos=str(place))[:9], *["0|1:1"] * 2]) for place in range(1, 9)]
    frames = list(lines.frames_of_lines(Block(("\n".join(rows) + "\n").encode(), 11), 5, 2, "x line"))
    assert [frame.height for frame in frames] == [3, 3, 2]
    assert pl.concat(frames).select("source_row", "line").rows() == [(5 + i, 11 + i) for i in range(8)]
