"""Random valid VCF files of every shape against the slow reader, cell by cell; and one text packed in every way."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from pmed.errors import GenomeError
from pmed.sources.vcf import VcfSource
from pmed.tables import TABLES
from pmed.types import ReadRequest
from tests import slow_vcf, vcf_writer

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]


def read(files, sites, **options):
    rows = [{"build": "GRCh38", "site": f"{site.pos}{site.alt}", **site._asdict()} for site in sites]
    try:
        return VcfSource(**options).read(files, ReadRequest(TABLES["sites"].frame(rows), build="GRCh38"))
    except GenomeError as error:
        assert "no record at a known site has a GT" in str(error)  # noqa: PT017 - such a file is refused
        reject()


def wrong(made, out, **options):
    """Every cell in which pmed and the slow reader differ."""
    names, records = slow_vcf.parse(made.text)
    grid = TABLES["genotypes"].check(out["genotypes"])
    rows = {(row["sample"], *(row[name] for name in slow_vcf.Site._fields)): row for row in grid.iter_rows(named=True)}
    assert len(rows) == len(names) * len(made.sites)
    found = []
    for site in made.sites:
        for column, name in enumerate(names):
            cell = slow_vcf.cell(records, site, column, **options)
            if cell is not slow_vcf.OPEN and (differs := cell.differs(rows[name, *site])):
                found.append((name, tuple(site), differs))
    return found


# Records, a site and its alleles and state for each person: where pmed and the slow reader once differed.
SNV, PART = ("chr1", 100, "A", "G"), ("chr1", 100, "CAT", "C")
FOUND = [
    ("100 A T GT 0/1; 100 A C GT 0/1", SNV, [(2, 2, "called")]),
    ("100 A T GT 0|1; 100 A C GT 0|1", SNV, [(None, None, "no-call")]),
    ("100 A T GT ./1; 100 A C GT 0/0", SNV, [(0, 2, "called")]),
    ("100 A C GT 0/0; 100 A T GT ./1", SNV, [(0, 2, "called")]),
    ("100 C CAT GT 0/1; 100 CAT CATATAT GT 0/0", PART, [(0, 2, "called")]),
    ("100 C CAT GT 0/1 0|1 0/1; 101 A <*> GT:LEN 0/0:9 0/0:9 0/0:1", PART,
     [(0, 2, "called"), (0, 2, "called"), (None, 2, "half-call")]),
    ("100 A G GT ./1; 100 A G GT 0/0", SNV, [(None, None, "no-call")]),
    ("100 A G GT 0/1; 100 A T GT 0/1; 100 A C GT 0/1", SNV, [(None, None, "no-call")]),
    ("100 A G GT:PS 0|1:5; 100 A T GT:PS 0|1:9", SNV, [(1, 2, "called")]),
    ("100 A G GT /0|1 |0/1 |0|1", SNV, [(0, 1, "called")] * 3),
    ("100 A G GT 0/.; 100 A T GT 0/1", SNV, [(None, 2, "half-call")]),
    ("100 AT CG GT 0/1; 100 A C GT 0/1", SNV, [(0, 2, "called")]),
    ("100 A G GT 0/0; 100 A T GT ./.; 100 A T GT 0/1", SNV, [(0, 2, "called")]),
    ("90 A <*> GT:LEN 0/0:20 0/0:5", SNV, [(0, 0, "called"), (None, None, "absent")]),
    ("90 A <*> GT:LEN 0/0:5 ./.:20", SNV, [(None, None, "absent"), (None, None, "no-call")]),
    ("90 AAAAAAAAAAAA A GT 0/1 0|1; 100 A G GT 0|0 0|0", SNV, [(0, 2, "called")] * 2),
    ("90 AAAAAAAAAAAA A GT 0/1; 92 AAAAAAAAAA A GT 0/1; 100 A G GT 0/0", SNV, [(2, 2, "called")]),
    ("90 AAAAAAAAAAAA A GT 0/1; 92 AAAAAAAAAA A GT 0/1; 100 A G GT 0/1", SNV, [(None, None, "no-call")]),
    ("90 AAAAAAAAAAT A GT 0/1; 100 TGA TAC GT 0/0", ("chr1", 100, "TGA", "TAC"), [(0, 0, "called")]),
    ("90 A <NON_REF> GT:LEN:DP 0/0:20:0 0/0:20:9", SNV, [(None, None, "no-call"), (0, 0, "called")]),
]


def by_hand(records, site, people=1):
    """A file of records, each "POS REF ALT FORMAT call…", and one site."""
    lines = [["chr1", pos, ".", ref, alt, ".", "PASS", ".", *rest]
             for pos, ref, alt, *rest in (one.split() for one in records.split(";"))]
    shape = vcf_writer.Shape("4.5", "chr", [f"S{i}" for i in range(people)], {})
    return vcf_writer.Made(vcf_writer.whole(shape, lines), [slow_vcf.Site(*site)])


@pytest.mark.parametrize(("records", "site", "expected"), FOUND)
def test_what_was_found_stays_mended(tmp_path, records, site, expected):
    made = by_hand(records, site, len(expected))
    out = read([vcf_writer.packed(tmp_path, made.text, "plain")], made.sites)
    assert wrong(made, out) == []
    told = [(*sorted(alleles, key=lambda one: (one is not None, one)), state)
            for *alleles, state in out["genotypes"].select("allele_1", "allele_2", "state").rows()]
    assert told == expected


def test_a_deletion_that_ends_before_the_site_leaves_it(tmp_path):
    made = by_hand("90 ATA <DEL> GT 0/1; 100 A . GT 0/0", ("chr1", 100, "A", "AA"))
    made = made._replace(text=made.text.replace("\tPASS\t.\t", "\tPASS\tEND=99\t", 1))
    out = read([vcf_writer.packed(tmp_path, made.text, "plain")], made.sites)
    assert wrong(made, out) == []
    assert out["genotypes"].select("allele_1", "allele_2").rows() == [(0, 0)]


@pytest.mark.parametrize("record", ["100 C CAT GT ./.", "100 C CAT GT .", "100 C <*> GT:LEN ./.:2",
                                    "102 T <DEL> GT 0/1"])
def test_what_was_looked_at_in_part_and_not_called_is_not_assumed(tmp_path, record):
    made = by_hand(record, PART)
    out = read([vcf_writer.packed(tmp_path, made.text, "plain")], made.sites, absent_as_ref=True)
    assert out["genotypes"]["allele_1"].to_list() == [None]


def shapes_of(made):
    """The kinds of cell and of writing that a file has."""
    names, records = slow_vcf.parse(made.text)
    for site in made.sites:
        near = [slow_vcf.relation(record, site) for record in records]
        yield f"{near.count('names')} naming, {near.count('beside')} beside"
        for column in range(len(names)):
            cell = slow_vcf.cell(records, site, column)
            yield from ("open",) if cell is slow_vcf.OPEN else (cell.state, str(cell.alleles), f"ploidy {cell.ploidy}")
            yield "phased" if cell and cell.phased else "unphased"
    for record in records:
        yield from (*record.alts, record.keys[0], record.filter)
        yield from re.findall(r"[.]/|[|][.]|^[|/]", " ".join(record.cells))


EVERYWHERE = {"called", "half-call", "no-call", "filtered", "absent", "(0, 0)", "(0, 1)", "(1, 1)", "(1, 2)",
              "ploidy 1", "ploidy 2", "<NON_REF>", "./", "0 naming, 1 beside", "1 naming, 0 beside"}
SHAPES = {"vcf": {*EVERYWHERE, "0 naming, 2 beside", "1 naming, 1 beside", "2 naming, 0 beside", "open", "(2, 2)",
                  "(None, 1)", "(0, None)", "ploidy 3", "phased", "*", "<DEL>", "]1:5]T", "DP", "q10;s50", "|.",
                  "|", "/"},
          "gvcf": {*EVERYWHERE, "<*>", "0 naming, 2 beside"}}


@pytest.mark.parametrize("kind", SHAPES)
def test_the_writers_write_what_they_should(kind):
    """A strategy that no longer reaches a shape would make the tests above say less than they seem to."""
    seen = set()

    @settings(max_examples=500, suppress_health_check=SLOW, database=None, derandomize=True)
    @given(getattr(vcf_writer, f"{kind}s")())
    def look(made):
        seen.update(shapes_of(made))

    look()
    assert SHAPES[kind] - seen == set()


def shown(made, found):
    return f"{found}\n" + made.text.partition("#CHROM")[2]


@settings(max_examples=250, suppress_health_check=SLOW)
@given(vcf_writer.vcfs(), st.booleans())
def test_every_cell_agrees_with_the_slow_reader(made, absent_as_ref):
    with tempfile.TemporaryDirectory() as folder:
        out = read([vcf_writer.packed(Path(folder), made.text, "plain")], made.sites, absent_as_ref=absent_as_ref)
    found = wrong(made, out, absent_as_ref=absent_as_ref)
    assert not found, shown(made, found)


@settings(max_examples=150, suppress_health_check=SLOW)
@given(vcf_writer.gvcfs(), st.booleans())
def test_every_cell_of_a_gvcf_agrees_with_the_slow_reader(made, absent_as_ref):
    with tempfile.TemporaryDirectory() as folder:
        out = read([vcf_writer.packed(Path(folder), made.text, "plain")], made.sites, absent_as_ref=absent_as_ref)
    found = wrong(made, out, absent_as_ref=absent_as_ref)
    assert not found, shown(made, found)


@settings(max_examples=40, suppress_health_check=SLOW)
@given(st.one_of(vcf_writer.vcfs(), vcf_writer.gvcfs()))
def test_every_way_to_pack_a_text_gives_the_same_genotypes(made):
    with tempfile.TemporaryDirectory() as folder:
        frames = {}
        for how in (*vcf_writer.TEXT, *vcf_writer.BINARY):
            file = vcf_writer.packed(Path(folder) / how, made.text, how)
            # An index leaves records out, so that they are numbered in another way.
            frames[how] = read([file], made.sites)["genotypes"].drop("source_row")
    others = [how for how, frame in frames.items() if not frame.equals(frames["plain"])]
    assert others == [], made.text.partition("#CHROM")[2]


@settings(max_examples=30, suppress_health_check=SLOW)
@given(vcf_writer.vcfs())
def test_a_file_for_each_contig_is_the_whole_file(made):
    head, _, body = made.text.partition("#CHROM")
    columns, _, body = body.partition("\n")
    contigs = dict.fromkeys(line.split("\t")[0] for line in body.splitlines())
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for contig in contigs or ["none"]:
            lines = "".join(f"{line}\n" for line in body.splitlines() if line.split("\t")[0] == contig)
            text = f"{head}#CHROM{columns}\n{lines}"
            files.append(vcf_writer.packed(Path(folder) / contig, text, "plain"))
        whole = vcf_writer.packed(Path(folder), made.text, "plain")
        apart, together = read(files, made.sites), read([whole], made.sites)
    assert apart["genotypes"].drop("source_row").equals(together["genotypes"].drop("source_row")), shown(made, "")
