"""The same real people in other shapes of file: gVCF, BCF, one file a person, contigs named otherwise, a pipe."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import polars as pl
import pysam
import pytest
from polars.testing import assert_frame_equal

import pmed
from pmed.errors import GenomeError
from pmed.genomics.header import read_header
from pmed.sources.vcf import VcfSource
from pmed.tables import TABLES
from pmed.types import ReadRequest
from pmed_pgx.knowledge import sites_table

PEOPLE = ("NA18526", "NA18565", "NA18861")
VERSIONS = {"chr6": 12, "chr7": 14, "chr10": 11, "chr12": 12, "chr16": 10}
NEAR = 10_000  # bases
CALLED = ("patient_id", "gene", "status", "diplotypes", "phenotype", "activity_score")
HEAD = ("##fileformat=VCFv4.2", "##reference=GRCh38", '##ALT=<ID=NON_REF,Description="any other">',
        '##INFO=<ID=END,Number=1,Type=Integer,Description="end">',
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="genotype">',
        '##FORMAT=<ID=GQ,Number=1,Type=Integer,Description="quality">',
        '##FORMAT=<ID=MIN_DP,Number=1,Type=Integer,Description="depth">')


@pytest.fixture(scope="module")
def deep(shared, tmp_path_factory):
    """The parts of the three 30x genomes that hold sites, as far as they are near one."""
    folder, files = tmp_path_factory.mktemp("deep"), []
    near = {(chrom, pos // NEAR + step) for chrom, pos in sites_table().select("chrom", "pos").iter_rows()
            for step in (-1, 0, 1)}
    for path in sorted((shared / "data/wgs").glob("*.vcf.bgz")):
        chrom = path.name.split("_")[-1].partition(".")[0]
        if chrom in VERSIONS:
            with gzip.open(path, "rt") as lines:
                kept = "".join(line for line in lines
                               if line[0] == "#" or (chrom, int(line.split("\t", 2)[1]) // NEAR) in near)
            files.append(folder / path.name)
            with pysam.BGZFile(str(files[-1]), "w") as packed:
                packed.write(kept.encode())
    return files


@pytest.fixture(scope="module")
def full(deep):
    return pmed.call(deep)


def calls(result):
    return result.tables["gene_results"].select(CALLED).sort("patient_id", "gene")


@cache
def lines_of(path):
    """The header line and those of records."""
    with gzip.open(path, "rt") as lines:
        return [line for line in lines.read().splitlines() if not line.startswith("##")]


@cache
def records(path):
    return [line.split("\t") for line in lines_of(path)]


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
    files = []
    for person in PEOPLE:
        for path in deep:
            files.append(tmp_path / f"{person}.{path.name}.g.vcf")
            head = "\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", person])
            body = ("\t".join(line) for line in blocks(path, person))
            files[-1].write_text("\n".join([*HEAD, head, *body, ""]))
    made = pmed.call(files)
    assumed = pmed.call(deep, samples=PEOPLE, options={"vcf": {"absent_as_ref": True, "filters": "ignore"}})
    assert set(calls(made)["patient_id"]) == set(PEOPLE)
    assert_frame_equal(calls(made), calls(assumed))
    for person in PEOPLE:
        coverage, genotypes = (made.tables[name].filter(sample=person) for name in ("coverage", "genotypes"))
        here = genotypes.filter(pl.col("chrom").is_in(coverage["chrom"].unique().implode()))
        states = here["state"].value_counts(sort=True)
        assert states["state"][0] == "called", person
        assert set(genotypes["state"]) <= {"called", "no-call", "absent", "half-call"}, person
        assert coverage.height > 20, person


@pytest.fixture(scope="module")
def all_sites(shared):
    """Every defining position of twenty genes."""
    rows = [{"build": "GRCh38", "chrom": one["chromosome"], "pos": one["position"], "ref": one["ref"], "alt": alt,
             "site": one["rsid"] or str(one["position"])}
            for file in sorted(shared.glob("reference/pharmcat-3.1.1/definitions/*_translation.json"))
            for one in json.loads(file.read_text())["variants"] for alt in one["alts"]]
    return TABLES["sites"].frame(rows)


def test_a_deep_genome_and_the_panel_agree_at_every_shared_site(shared, all_sites):
    """Who is in both: of twenty genes' sites each that both files speak of has the same genotype."""
    request = ReadRequest(all_sites)
    deep = VcfSource().read(sorted((shared / "data/wgs").glob("*.vcf.bgz")), request)["genotypes"]
    files = sorted((shared / "data/1kgp/GRCh38").glob("*.vcf.gz"))
    there = [name for name in PEOPLE if name in read_header(files[0]).samples]
    panel = VcfSource().read(files, ReadRequest(all_sites, samples=tuple(there)))["genotypes"]
    both = deep.join(panel, on=["sample", "chrom", "pos", "ref", "alt"], suffix="_panel").filter(
        pl.col("state") != "absent", pl.col("state_panel") != "absent")
    assert both.height >= 250
    assert both["state"].equals(both["state_panel"].alias("state"))
    pairs = [pl.concat_list(f"allele_1{end}", f"allele_2{end}").list.sort() for end in ("", "_panel")]
    assert both.filter(pairs[0] != pairs[1]).is_empty()


def test_a_file_that_tells_no_build_takes_that_of_its_neighbours(shared, all_sites):
    """One file a gene, and nobody carries anything known of one gene: only together can they be read."""
    folder = shared / "data/1kgp/GRCh38"
    request = ReadRequest(all_sites, samples=("NA18565",))
    silent, telling = folder / "CACNA1S.vcf.gz", folder / "CYP2C19.vcf.gz"
    with pytest.raises(GenomeError, match="the genome build is not declared"):
        VcfSource().read([silent], request)
    out = VcfSource().read([silent, telling], request)
    assert out["samples"]["build"].to_list() == ["GRCh38"]
    assert set(out["genotypes"].filter(chrom="chr1")["state"]) == {"absent"}


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
        head, *rows = (line.split("\t", 1) for line in lines_of(path))
        lines = ["\t".join(head), *(f"{rename(chrom)}\t{rest}" for chrom, rest in rows)]
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
