"""The same real people in other shapes of file: gVCF, BCF, one file a person, contigs named otherwise, a pipe."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path

import polars as pl
import pysam
import pytest
from polars.testing import assert_frame_equal

import pmed

PEOPLE = ("NA18526", "NA18565", "NA18861")
VERSIONS = {"chr6": 12, "chr7": 14, "chr10": 11, "chr12": 12, "chr16": 10}
CALLED = ("patient_id", "gene", "status", "diplotypes", "phenotype", "activity_score")
HEAD = ("##fileformat=VCFv4.2", "##reference=GRCh38", '##ALT=<ID=NON_REF,Description="any other">',
        '##INFO=<ID=END,Number=1,Type=Integer,Description="end">',
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="genotype">',
        '##FORMAT=<ID=GQ,Number=1,Type=Integer,Description="quality">',
        '##FORMAT=<ID=MIN_DP,Number=1,Type=Integer,Description="depth">')


@pytest.fixture(scope="module")
def deep(shared):
    """The parts of the three 30x genomes that hold sites."""
    return [path for path in sorted((shared / "data/wgs").glob("*.vcf.bgz"))
            if path.name.split("_")[-1].partition(".")[0] in VERSIONS]


@pytest.fixture(scope="module")
def full(deep):
    return pmed.call(deep)


def calls(result):
    return result.tables["gene_results"].select(CALLED).sort("patient_id", "gene")


def records(path):
    with gzip.open(path, "rt") as lines:
        return [line.rstrip("\n").split("\t") for line in lines if not line.startswith("##")]


def blocks(path, person):
    """One person's gVCF lines: what is not a variant is a block up to the next record, as a caller would write it."""
    (head, *rows), lines = records(path), []
    column = head.index(person)
    start, quality = None, ""

    def close(last):
        if start is not None and last >= start:
            fixed = [rows[0][0], str(start), ".", "N", "<NON_REF>", ".", ".", f"END={last}"]
            lines.append([*fixed, "GT:GQ:MIN_DP", quality])

    for row in rows:
        pos, call = int(row[1]), row[column].split(":")[0]
        if set(call) <= {"0", "/", "|"}:
            start, quality = (pos, "0/0:50:20") if start is None else (start, quality)
            continue
        close(pos - 1)
        known = "." not in call
        alts = [*(row[4].split(",")), "<NON_REF>"] if known else ["<NON_REF>"]
        lines.append([*row[:4], ",".join(alts), ".", ".", ".", "GT:GQ", f"{call}:{50 if known else 0}"])
        start, quality = pos + len(row[3]), "0/0:50:20"
    close(int(rows[-1][1]) + 1000)
    return lines


def test_a_gvcf_of_a_deep_genome_gives_the_calls_of_the_full_file(deep, tmp_path):
    """Between the records a gVCF says reference, which the full file says only by leaving the site out."""
    for person in PEOPLE:
        files = []
        for path in deep:
            files.append(tmp_path / f"{person}.{path.name}.g.vcf")
            head = "\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", person])
            body = ("\t".join(line) for line in blocks(path, person))
            files[-1].write_text("\n".join([*HEAD, head, *body, ""]))
        mine = pmed.call(files)
        assumed = pmed.call(deep, samples=[person], options={"vcf": {"absent_as_ref": True, "filters": "ignore"}})
        assert_frame_equal(calls(mine), calls(assumed))
        states = mine.tables["genotypes"]["state"].value_counts(sort=True)
        assert states["state"][0] == "called"
        assert set(mine.tables["genotypes"]["state"]) <= {"called", "no-call", "absent", "half-call"}
        assert mine.tables["coverage"].height > 20


def as_bcf(path, target):
    with pysam.VariantFile(str(path)) as source, pysam.VariantFile(str(target), "wb", header=source.header) as sink:
        for record in source:
            sink.write(record)
    return target


def test_bcf_gives_what_vcf_gives(deep, full, tmp_path):
    made = [as_bcf(path, tmp_path / f"{path.name}.bcf") for path in deep]
    assert calls(pmed.call(made)).equals(calls(full))
    for path in made:
        pysam.tabix_index(str(path), preset="bcf", force=True)
    indexed = pmed.call(made)
    assert indexed.tables["genotypes"].drop("source_row").equals(full.tables["genotypes"].drop("source_row"))


def test_one_file_a_person_is_one_run(deep, full, tmp_path):
    """Per chromosome and per person: the files of a sample are joined."""
    files = []
    for path in deep:
        head, *rows = records(path)
        for person in PEOPLE:
            column = head.index(person)
            lines = ["\t".join([*row[:9], row[column]]) for row in (head, *rows)]
            files.append(tmp_path / f"{person}.{path.name}.vcf")
            files[-1].write_text("\n".join(["##fileformat=VCFv4.2", "##reference=GRCh38", *lines, ""]))
    assert calls(pmed.call(files)).equals(calls(full))


@pytest.mark.parametrize("rename", [
    lambda name: name.removeprefix("chr"), str.upper,
    lambda name: f"NC_0000{int(name[3:]):02d}.{VERSIONS[name]}"],
    ids=["bare", "upper", "refseq"])
def test_contigs_may_have_other_names(deep, full, tmp_path, rename):
    files = []
    for path in deep:
        lines = ["\t".join([row[0] if row[0].startswith("#") else rename(row[0]), *row[1:]]) for row in records(path)]
        files.append(tmp_path / f"{path.name}.vcf")
        files[-1].write_text("\n".join(["##fileformat=VCFv4.2", "##reference=GRCh38", *lines, ""]))
    assert calls(pmed.call(files)).equals(calls(full))


def piped(command, stdin=None):
    return subprocess.run(command, stdin=stdin, capture_output=True, check=False)


def test_standard_input_and_pipes(shared):
    """A genome from a pipe is the genome from its file, and leaves nothing behind."""
    path = shared / "data/1kgp/GRCh38/CYP2C19.vcf.gz"
    command = [sys.executable, "-m", "pmed", "call", "--format", "tsv", "--sample", "NA18956"]
    expected = piped([*command, path]).stdout
    with path.open("rb") as packed:
        done = piped([*command, "-"], packed)
    assert done.returncode == 0, done.stderr
    assert done.stdout == expected
    through = piped(["bash", "-c", f"{sys.executable} -m pmed call --format tsv --sample NA18956 <(zcat {path})"])
    assert through.stdout == expected
    assert not list(Path("/tmp").glob("pmed-*/0/stdin"))


def test_an_empty_pipe_is_one_line():
    done = piped([sys.executable, "-m", "pmed", "call", "-"], subprocess.DEVNULL)
    assert done.returncode == 1
    assert done.stderr.decode() == "pmed: -: nothing came through the pipe (did the command before it fail?)\n"


def test_a_list_of_samples(shared, tmp_path):
    names = tmp_path / "names.txt"
    names.write_text("NA18956\n\nNA18952\n")
    path = shared / "data/1kgp/GRCh38/VKORC1.vcf.gz"
    done = piped([sys.executable, "-m", "pmed", "call", "--format", "tsv", "--samples-file", names, path])
    found = pl.read_csv(done.stdout, separator="\t")
    assert set(found["sample"]) == {"NA18956", "NA18952"}
