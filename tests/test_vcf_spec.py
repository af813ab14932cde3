"""Every test file of the VCF specification: read rightly, refused in one line, or an issue that names the fault.

The outcomes are kept in ``tests/golden/vcf_spec.tsv``: file name, whether its fault touches what pmed reads, and our
own words for how it ended; nothing of the files' text. After a change that is meant, write it again with

    PYTHONPATH=. python -m tests.test_vcf_spec > tests/golden/vcf_spec.tsv
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from pathlib import Path

import polars as pl
import pytest

from pmed.errors import GenomeError, PmedError
from pmed.sources.vcf import VcfSource
from pmed.tables import TABLES
from pmed.types import ReadRequest
from tests import slow_vcf
from tests.fixtures import ROOT
from tests.slow_vcf import Site

GOLDEN = ROOT / "tests/golden/vcf_spec.tsv"
# The parts of a file that pmed never reads, by the names of the files that break them. A faulty value in a sample
# column counts only where it is the genotype; 4.2 forbids the underscore in a FORMAT key, which 4.3 allows.
NOT_READ = ("body_id_", "body_info_", "body_qual_", "meta_", "body_samples_ploidy_",
            *(f"body_sample_0{number:02}" for number in range(4, 11)), "4.2/failed/failed_body_format_003")


def spec_files(folder):
    return sorted(folder.glob("data/vcf-spec/*/*/*.vcf"))


def name_of(file):
    return "/".join(file.parts[-3:])


def touches(file):
    """Whether the fault, if there is one, is in what pmed reads."""
    name = name_of(file)
    return "/failed/" in name and ("meta_contig" in name or not any(part in name for part in NOT_READ))


def lines_of(file):
    """The records' columns, by line number."""
    lines = enumerate(file.read_text("latin-1").split("\n"), 1)
    return {number: line.split("\t") for number, line in lines if line.count("\t") >= 4 and not line.startswith("#")}


def sites_of(file):
    """Each record's own changes; and a change that nobody has at its first base, so that every record is looked at."""
    found = set()
    for chrom, pos, _, ref, alts, *_ in lines_of(file).values():
        place = int(pos) if pos.isdigit() and int(pos) else 123
        own = alts.upper().split(",") if slow_vcf.is_bases(ref.upper()) else []
        first = next((base for base in ref.upper() if base in "ACGT"), "C")
        another = [base for base in "ACGT" if base not in {first, *own}]
        for contig in {slow_vcf.contig(chrom), slow_vcf.contig(re.sub(r"\W", "", chrom) or "1")}:
            found |= {Site(contig, place, ref.upper(), alt) for alt in own if slow_vcf.is_bases(alt)}
            found |= {Site(contig, place, first, alt) for alt in another[:1]}
    return sorted(found) or [Site("chr1", 100, "C", "T")]


def table(sites, build):
    return TABLES["sites"].frame([{"build": build, "site": f"{site.chrom}:{site.pos}{site.alt}", **site._asdict()}
                                  for site in sites])


def read(file):
    build = "GRCh37" if "##reference=GRCh37" in file.read_text("latin-1") else "GRCh38"
    return VcfSource().read([file], ReadRequest(table(sites_of(file), build), build=build))


def ended(file):
    """The tables, or the error, of reading one file."""
    try:
        return read(file)
    except PmedError as error:
        return error


def words(file, end):
    """How it ended, in our own words; what the file says is left out."""
    if isinstance(end, PmedError):
        return "refused: " + re.sub(r"'[^']*'", "'…'", " ".join(end.message.split()))
    codes = dict.fromkeys(end["issues"]["code"])
    known = end["genotypes"].filter(pl.col("state") != "absent").height
    return (f"issue: {', '.join(codes)}; " if codes else "") + f"read: {len(lines_of(file))} records, {known} cells"


def compared(file, end):
    """Every cell whose value the slow reader knows, beside the row of pmed."""
    names, records = slow_vcf.parse(file.read_text("latin-1"))
    rows = {(row["sample"], row["chrom"], row["pos"], row["ref"], row["alt"]): row
            for row in end["genotypes"].iter_rows(named=True)}
    sites = sites_of(file)
    assert len(rows) == len(names) * len(sites)
    for site in sites:
        for column, name in enumerate(names):
            cell = slow_vcf.cell(records, site, column)
            if cell is not slow_vcf.OPEN:
                yield cell, rows[name, *site]


def wrong_cells(file, end):
    """Cells in which pmed and the slow reader differ."""
    return [(name_of(file), row, differs) for cell, row in compared(file, end) if (differs := cell.differs(row))]


def lines_of_golden(folder):
    for file in spec_files(folder):
        yield f"{name_of(file)}\t{'touches' if touches(file) else 'beside'}\t{words(file, ended(file))}"


@pytest.fixture(scope="module")
def ends(shared):
    """Each file and how reading it ended."""
    return {file: ended(file) for file in spec_files(shared)}


def test_outcomes_are_those_of_the_golden_file(ends):
    mine = {f"{name_of(file)}\t{'touches' if touches(file) else 'beside'}": words(file, end)
            for file, end in ends.items()}
    golden = dict(line.rsplit("\t", 1) for line in GOLDEN.read_text("utf-8").splitlines())
    assert {key: (golden.get(key), mine.get(key)) for key in {*golden, *mine} if golden.get(key) != mine.get(key)} == {}


def test_every_passed_file_is_read_and_right(ends):
    """A file without genotypes has nothing to read and says so; all others are read, every record and sample."""
    passed = {file: end for file, end in ends.items() if file.parent.name == "passed"}
    refused = {file: end for file, end in passed.items() if isinstance(end, PmedError)}
    without = {file for file in passed if "\tFORMAT\t" not in file.read_text("latin-1")}
    assert [str(refused[file]) for file in sorted({*refused} - without)] == []
    assert {*refused} == without
    assert all("has no genotypes" in str(end) for end in refused.values())
    assert [wrong for file in passed.keys() - refused.keys() for wrong in wrong_cells(file, ends[file])] == []


def test_every_refusal_is_one_line_that_names_the_file(ends):
    for file, end in ends.items():
        if isinstance(end, PmedError):
            assert isinstance(end, GenomeError)
            assert str(end).startswith(str(file))
            assert "\n" not in str(end)


def test_a_fault_in_what_is_read_is_never_silent(ends):
    silent = {name_of(file): words(file, end) for file, end in ends.items()
              if touches(file) and not isinstance(end, PmedError) and end["issues"].is_empty()}
    assert silent == {}


def test_a_fault_in_a_record_is_told_with_its_line(ends):
    vague = {}
    for file, end in ends.items():
        if touches(file) and "failed_body" in file.name and "\tFORMAT\t" in file.read_text("latin-1"):
            places = [end.where] if isinstance(end, PmedError) else end["issues"]["place"].drop_nulls().to_list()
            if not any(re.search(rf"\bline {number}\b", place) for place in places for number in lines_of(file)):
                vague[name_of(file)] = words(file, end), places
    # The sample names of sample_011 and the missing line end of no_newline_003 are no record's.
    assert {name for name in vague if not name.endswith(("sample_011.vcf", "no_newline_003.vcf"))} == set(), vague


def test_a_fault_in_what_is_read_makes_alleles_unknown_and_never_others(ends):
    faulty = {file: end for file, end in ends.items() if touches(file) and not isinstance(end, PmedError)}
    others = [(name_of(file), row) for file, end in faulty.items() for cell, row in compared(file, end)
              if not {row["allele_1"], row["allele_2"]} <= {None, *cell.alleles}]
    assert others == []
    assert len(faulty) > 40


def test_a_fault_in_what_is_never_read_changes_no_genotype(ends):
    """Where such a file is read, it reads as if the fault were not there."""
    beside = {file: end for file, end in ends.items() if file.parent.name == "failed" and not touches(file)}
    refused = {file for file, end in beside.items() if isinstance(end, PmedError)}
    assert all("has no genotypes" in str(beside[file]) or "no #CHROM line" in str(beside[file]) for file in refused)
    assert [wrong for file in beside.keys() - refused for wrong in wrong_cells(file, ends[file])] == []
    assert len(beside) - len(refused) > 50


def test_all_files_are_there(ends):
    assert Counter(f"{file.parts[-3]} {file.parts[-2]}" for file in ends) == {
        "4.2 passed": 25, "4.2 failed": 190, "4.3 passed": 25, "4.3 failed": 224}


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in lines_of_golden(Path(ROOT.parent / "shared")))
