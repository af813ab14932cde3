"""Reads of an allele contradict a call whatever field a caller has for them; reference that was filled in is none."""

from __future__ import annotations

import pytest

from pmed.genomics.cache import write_cache
from pmed.genomics.header import read_header
from tests.genome_files import META, read, said, vcf

ROWS = [(105, "A", "G")]
FIELDS = ("AD", "RD", "RO", "AO", "DPR", "NR", "NV", "DV", "ADF", "ADR")
HEAD = (*META, *(f'##FORMAT=<ID={key},Number=.,Type=Integer,Description="{key}">' for key in (*FIELDS, "GQX")),
        *(f'##FORMAT=<ID={key},Number=.,Type=Float,Description="{key}">' for key in ("AF", "VAF", "DS", "HDS")))
CONTRADICTED = [
    ("GT:DP:RD:AD", "0/0:30:2:28"), ("GT:DP:RD:AD", "1/1:30:25:5"), ("GT:RO:AO", "0/0:2:28"), ("GT:DPR", "0/0:2,28"),
    ("GT:NR:NV", "0/0:30:28"), ("GT:DP:DV", "0/0:30:28"), ("GT:ADF:ADR", "0/0:1,14:1,14"), ("GT:AF:DP", "0/0:0.5:30"),
    ("GT:VAF", "0/0:0.9"), ("GT:AO:RO:AD", "0/0:0:30:2,28"), ("GT:AF:DP", "0:0.9:12")]
FITTING = [
    ("GT:DP:RD:AD", "0/0:30:30:0"), ("GT:DP:RD:AD", "0/1:30:15:15"),
    ("GT:RO:AO", "0/1:12:18"), ("GT:NR:NV", "1/1:30:30"),
    ("GT:DP:DV", "0/1:30:16"), ("GT:ADF:ADR", "0/1:7,9:8,7"), ("GT:AF:DP", "0/1:0.48:30"), ("GT:VAF", "0/0:."),
    ("GT:VAF", "0/0:0.03"), ("GT:DV", "0/0:20"), ("GT:AO", "0/0:20"), ("GT:RD:AD", "0/0:3:30,0")]


def calls(tmp_path, form, call, meta=HEAD, **options):
    """What is said of the site by the file itself and by its cache, and the codes of issues."""
    file = vcf(tmp_path, f"105 A G {form} {call}", meta=meta)
    write_cache([read_header(file)], tmp_path / "x.pmed")
    out, kept = read(file, rows=ROWS, **options), read(tmp_path / "x.pmed", rows=ROWS, **options)
    assert said(out, 105, "G") == said(kept, 105, "G")
    return said(out, 105, "G")[2], out["issues"]["code"].to_list()


@pytest.mark.parametrize(("form", "call"), CONTRADICTED)
def test_reads_contradict(tmp_path, form, call):
    assert calls(tmp_path, form, call) == ("no-call", ["reads-contradict"])


@pytest.mark.parametrize(("form", "call"), FITTING)
def test_reads_fit_or_say_nothing(tmp_path, form, call):
    assert calls(tmp_path, form, call) == ("called", [])


@pytest.mark.parametrize(("form", "call", "state"), [
    ("GT:GQX", "0/0:2", "no-call"), ("GT:GQX", "0/0:30", "called"), ("GT:GQ:GQX", "0/0:30:2", "called"),
    ("GT:HDS", "0|0:1,0", "no-call"), ("GT:HDS", "0|1:0.05,0.4", "no-call"), ("GT:HDS", "0|1:0.01,0.98", "called"),
    ("GT:HDS", "1:0.98", "called"), ("GT:DS:HDS", "0|0:0.01:0.01,0", "called")])
def test_how_sure_it_is(tmp_path, form, call, state):
    assert calls(tmp_path, form, call)[0] == state


def test_a_spanning_deletion_of_older_versions_is_another_allele(tmp_path):
    assert said(read(vcf(tmp_path, "105 A <*:DEL> GT 0/1", meta=HEAD), rows=ROWS), 105, "G") == (0, 2, "called")


COMMAND = "##bcftools_{}Command={}"


@pytest.mark.parametrize("line", [
    COMMAND.format("merge", "merge -0 a.vcf b.vcf"), COMMAND.format("merge", "merge --missing-to-ref -m none a b"),
    COMMAND.format("merge", "merge -m none -0 a.vcf"), COMMAND.format("plugin", "plugin missing2ref x.vcf"),
    COMMAND.format("plugin", "plugin setGT x.vcf -- -t . -n 0")])
def test_missing_calls_that_became_reference_are_none(tmp_path, line):
    meta = (*HEAD, line)
    assert calls(tmp_path, "GT:DP", "0/0:.", meta) == ("no-call", ["missing-as-reference"])
    assert calls(tmp_path, "GT", "0/0", meta)[0] == "no-call"
    assert calls(tmp_path, "GT:DP", "0/0:30", meta) == ("called", [])
    assert calls(tmp_path, "GT", "0/1", meta) == ("called", [])
    assert calls(tmp_path, "GT:DP", "0/0:.", meta, absent_as_ref=True)[0] == "called"


@pytest.mark.parametrize("line", [COMMAND.format("merge", "merge -m none a.vcf b.vcf"),
                                  COMMAND.format("view", "view -s A -0 merge.vcf"), "##other=merge -0 a"])
def test_other_commands_fill_nothing(tmp_path, line):
    assert calls(tmp_path, "GT", "0/0", (*HEAD, line)) == ("called", [])
