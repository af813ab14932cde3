"""The same event written differently: padded, split, moved through a repeat; with and without a reference sequence."""

from __future__ import annotations

import random

import pysam
import pysam.bcftools
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pmed.errors import GenomeError
from pmed.genomics.alleles import Event, leftmost, rightmost, trim
from tests.genome_files import META, read, said, sites, vcf

#          100 C A T A T A T A G 108: a repeat of AT after a C
SEQUENCE = "G" * 99 + "CATATATAG" + "T" * 200
REPEAT = [(100, "CAT", "C"), (100, "CAT", "CATAT")]


def base_at(pos):
    return SEQUENCE[pos - 1:pos] if pos > 0 else ""


def fasta(folder, sequence=SEQUENCE, name="chr2"):
    file = folder / "ref.fa"
    file.write_text(f">{name}\n{sequence}\n")
    pysam.faidx(str(file))
    return str(file)


@pytest.mark.parametrize("record", [
    "102 TAT T", "104 TAT T", "103 ATA A", "101 ATA A", "100 CATATATA CATATA", "99 GCAT GC"])
def test_one_deletion_in_all_its_places(tmp_path, record):
    """With the sequence any place will do; without it, those that touch the site's own bases."""
    out = read(vcf(tmp_path, f"{record} GT 0/1"), rows=REPEAT, reference=fasta(tmp_path))
    assert said(out, 100, "C") == (0, 1, "called")
    other = said(out, 100, "CATAT")  # a record that stands elsewhere does not vouch for REF
    assert other == ((0, 2, "called") if record.startswith(("100", "99")) else (None, 2, "half-call"))


@pytest.mark.parametrize(("record", "known"), [
    ("102 TAT T", True), ("103 ATA A", True), ("100 CATATATA CATATA", True), ("104 TAT T", False)])
def test_without_a_sequence_the_two_refs_are_what_is_known(tmp_path, record, known):
    out = read(vcf(tmp_path, f"{record} GT 0/1"), rows=REPEAT)
    assert said(out, 100, "C") == ((0, 1, "called") if known else (None, None, "absent"))


def test_a_site_may_itself_stand_further_right(tmp_path):
    rows = [(105, "A", "ATA")]
    assert said(read(vcf(tmp_path, "104 T TAT GT 0/1"), rows=rows), 105, "ATA") == (0, 1, "called")
    out = read(vcf(tmp_path, "100 C CAT GT 0/1"), rows=rows, reference=fasta(tmp_path))
    assert said(out, 105, "ATA") == (0, 1, "called")


def test_an_insertion_further_right(tmp_path):
    for record in ("106 T TAT", "102 T TAT", "107 A ATA"):
        out = read(vcf(tmp_path, f"{record} GT 1/1"), rows=REPEAT, reference=fasta(tmp_path))
        assert said(out, 100, "CATAT") == (1, 1, "called")


def test_beyond_the_repeat_it_is_another_event(tmp_path):
    out = read(vcf(tmp_path, "200 TT T GT 0/1", "109 TTT T GT 0/1"), rows=REPEAT, reference=fasta(tmp_path))
    assert said(out, 100, "C") == (None, None, "absent")


def test_two_bases_changed_at_once_hold_the_one(tmp_path):
    """A phased caller may write two neighbours as one change."""
    rows = [(100, "C", "T"), (101, "A", "G")]
    out = read(vcf(tmp_path, "100 CA TG,CC GT 1/2"), rows=rows)
    assert (said(out, 100, "T"), said(out, 101, "G")) == ((1, 0, "called"), (1, 2, "called"))


def test_alleles_are_matched_and_never_assumed(tmp_path):
    """REF and ALT of a site may be swapped between the builds: the file's own REF decides."""
    table = sites((100, "C", "T")).vstack(sites((50, "T", "C"), build="GRCh37"))
    swapped = [line.replace("GRCh38", "GRCh37") for line in META]
    assert said(read(vcf(tmp_path, "100 C T GT 0/1"), rows=table), 100, "T") == (0, 1, "called")
    assert said(read(vcf(tmp_path, "50 T C GT 0/0", meta=swapped), rows=table), 50, "C") == (0, 0, "called")
    wrong = read(vcf(tmp_path, "50 C T GT 0/0", meta=swapped), rows=table)
    assert said(wrong, 50, "C") == (None, None, "absent")
    assert "ref-mismatch" in set(wrong["issues"]["code"])


def test_another_reference_is_refused(tmp_path):
    file = vcf(tmp_path, "100 CAT C GT 0/1")
    with pytest.raises(GenomeError, match=r"ref\.fa: is not GRCh38: it has other bases at 2 of 2 known sites"):
        read(file, rows=REPEAT, reference=fasta(tmp_path, "A" * 300))
    (tmp_path / "ref.fa.fai").unlink()
    with pytest.raises(GenomeError, match="has no index"):
        read(file, rows=REPEAT, reference=str(tmp_path / "ref.fa"))
    with pytest.raises(GenomeError, match="no such FASTA"):
        read(file, rows=REPEAT, reference=str(tmp_path / "none.fa"))
    bare = vcf(tmp_path, "100 CAT C GT 0/1", meta=[line for line in META if "GRCh38" not in line])
    with pytest.raises(GenomeError, match="a reference sequence needs a genome whose build is known"):
        read(bare, rows=REPEAT, reference=fasta(tmp_path))


def test_contigs_of_the_sequence_may_be_named_otherwise(tmp_path):
    out = read(vcf(tmp_path, "104 TAT T GT 0/1"), rows=REPEAT, reference=fasta(tmp_path, name="2"))
    assert said(out, 100, "C") == (0, 1, "called")


def apply(event):
    return SEQUENCE[:event.pos - 1] + event.alt + SEQUENCE[event.pos - 1 + len(event.ref):]


@given(st.integers(2, 115), st.integers(1, 6), st.booleans(), st.text("ACGT", min_size=1, max_size=6))
def test_moving_left_keeps_the_sequence(pos, length, inserted, bases):
    ref = SEQUENCE[pos - 1:pos - 1 + (1 if inserted else 1 + length)]
    event = trim(pos, ref, ref[0] + bases if inserted else ref[0])
    moved = leftmost(event, base_at)
    assume(moved.pos > 0)
    anchor = base_at(moved.pos)
    assert apply(Event(moved.pos, moved.ref.replace("N", anchor), moved.alt.replace("N", anchor))) == apply(event)
    assert leftmost(moved, base_at) == moved
    assert rightmost(moved, base_at) >= event.pos


def test_moving_left_is_what_bcftools_does(tmp_path):
    """``bcftools norm`` of pysam's own htslib, over random indels in a sequence full of repeats."""
    chance = random.Random(4)
    sequence = "".join(chance.choice(["A", "C", "AT", "ATATAT", "GGGG", "CAG" * 4, "T"]) for _ in range(300))
    path, events = fasta(tmp_path, sequence), []
    for pos in range(30, len(sequence) - 30, 3):
        size = chance.randint(1, 6)
        ref = sequence[pos - 1:pos + size]
        events.append(trim(pos, ref, ref[0]) if chance.random() < 0.5
                      else trim(pos, ref[0], ref[0] + sequence[pos:pos + size]))
    meta = [line.replace("ID=chr2", f"ID=chr2,length={len(sequence)}") for line in META]
    file = vcf(tmp_path, *(f"{one.pos} {one.ref} {one.alt} GT 0/1" for one in events), meta=meta)
    lines = pysam.bcftools.norm("-f", path, str(file), catch_stdout=True).splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    theirs = sorted((row[1], row[3], row[4]) for row in rows)
    mine = []
    for one in events:
        moved = leftmost(one, lambda at: sequence[at - 1:at] if at > 0 else "")
        anchor = sequence[moved.pos - 1]
        mine.append((str(moved.pos), moved.ref.replace("N", anchor), moved.alt.replace("N", anchor)))
    assert sorted(mine) == theirs
    assert len(mine) > 200


BLOCK = "90 G <NON_REF> GT;END=107 0/0"


@pytest.mark.parametrize(("record", "expected"), [
    ("107 A ATA GT 0/1", (None, None, "no-call")),        # one more AT, at the right end
    ("107 A ATATA GT 0/1", (None, None, "no-call")),      # two more
    ("105 ATA A GT 1/1", (None, None, "no-call")),        # one less
    ("104 TATAG TATATAG GT 0/1", (None, None, "no-call")),
    ("107 A ATA GT@LowQual 0/1", (None, None, "filtered")),
    ("107 A ATA GT 0/0", (0, 0, "called")),
    ("108 G GTA GT 0/1", (0, 0, "called")),               # G ends the repeat
    ("110 TT T GT 0/1", (0, 0, "called")),                # another unit
    ("150 T TAT GT 0/1", (None, None, "no-call")),        # near enough that it may be
    ("160 T TAT GT 0/1", (0, 0, "called"))])
def test_what_may_be_the_site_s_own_change_further_right_leaves_no_reference(tmp_path, record, expected):
    out = read(vcf(tmp_path, BLOCK, record), rows=REPEAT, build="GRCh38")
    assert [said(out, *site) for site in ((100, "C"), (100, "CATAT"))] == [expected] * 2
    assert ("unplaced" in set(out["issues"]["code"])) == (expected[-1] == "no-call")


def test_with_the_sequence_it_is_known(tmp_path):
    for record, expected in (("107 A ATA GT 0/1", (0, 1, "called")), ("150 T TAT GT 0/1", (0, 0, "called"))):
        out = read(vcf(tmp_path, BLOCK, record), rows=REPEAT, build="GRCh38", reference=fasta(tmp_path))
        assert said(out, 100, "CATAT") == expected


@pytest.mark.parametrize(("call", "expected"), [("0/1", "absent"), ("./.", "absent"), ("0/0", "assumed-reference")])
def test_absence_is_not_reference_beside_it(tmp_path, call, expected):
    out = read(vcf(tmp_path, f"107 A ATA GT {call}"), rows=REPEAT, build="GRCh38", absent_as_ref=True)
    assert said(out, 100, "C")[-1] == expected
