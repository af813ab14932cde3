"""The command line as a person meets it: what it writes, what it says, how it ends."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch

import pytest

from pmed.cli import main
from pmed.demo import patients
from pmed.processors import one_thread_each

STENT = next(patient for patient in patients() if patient.name == "stent")
PROGRAM = [sys.executable, "-c", "from pmed.cli import main; main()"]


def pmed_alone(*arguments, cwd=None):
    """Run ``pmed`` in a process of its own."""
    return subprocess.run([*PROGRAM, *map(str, arguments)], capture_output=True, text=True, check=False, cwd=cwd)


def pmed(*arguments, cwd=".", env=None):
    """What `pmed_alone` gives, without the start of a process: for tests of what a command says and writes."""
    said, told, code = io.StringIO(), io.StringIO(), 0
    with chdir(cwd), patch.dict(os.environ, env or {}), redirect_stdout(said), redirect_stderr(told), one_thread_each():
        try:
            main(list(map(str, arguments)))
        except SystemExit as end:
            code = end.code or 0
    return subprocess.CompletedProcess(arguments, code, said.getvalue(), told.getvalue())


def refused(done, *parts, code=1):
    """It said one clear line and ended with `code`."""
    assert done.returncode == code, done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    for part in parts:
        assert part in lines[0]


def test_report_writes_html_and_json(tmp_path):
    html, data = tmp_path / "r.html", tmp_path / "r.json"
    done = pmed_alone("report", STENT.genome, "--history", STENT.history, "-o", html, "--json", data)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == ["wrote", str(html), "wrote", str(data)]
    result = json.loads(data.read_text())
    assert result["format"] == "pmed/result/1"
    [patient] = result["patients"]
    first = patient["suggestions"][0]
    assert (first["drug"], first["current"], first["action"], first["urgency"]) == (
        "clopidogrel", True, "avoid", "today")
    total = first["explanation"]["baseline"] + sum(
        one["contribution"] for one in first["explanation"]["contributions"])
    assert total == pytest.approx(first["explanation"]["prediction"], abs=1e-6)
    assert html.read_text().startswith("<!doctype html>")
    assert result["provenance"]["command"].startswith("pmed report ")


def test_demo_writes_a_report_for_every_patient(tmp_path):
    done = pmed("demo", "-o", tmp_path / "demo")
    assert (done.returncode, done.stderr) == (0, "")
    names = {patient.name for patient in patients()}
    assert len(names) >= 3
    assert {path.name for path in (tmp_path / "demo").iterdir()} == {
        f"{name}.{suffix}" for name in names for suffix in ("html", "json")}


def test_call_prints_gene_results():
    done = pmed_alone("call", STENT.genome)
    assert (done.returncode, done.stderr) == (0, "")
    data = json.loads(done.stdout)
    assert data["format"] == "pmed/gene-results/1"
    gene = data["samples"][0]["genes"]["CYP2C19"]
    assert (gene["status"], gene["diplotypes"], gene["phenotype"]) == ("called", ["*2/*2"], "Poor Metabolizer")


def test_plugins_lists_what_is_installed():
    done = pmed("plugins")
    assert done.returncode == 0
    for name in ("pmed.builtin", "pmed-pgx", "pmed-risk", "pmed-response", "warfarin-dose", "vcf", "fhir",
                 "pgx-guidelines"):
        assert name in done.stdout
    listed = json.loads(pmed("plugins", "list", "--json").stdout)
    assert listed["failures"] == []
    assert "predictors" in listed["plugins"]["pmed-risk"]["components"]
    models = listed["plugins"]["pmed-risk"]["components"]["models"]
    assert models["readmission-30d"]["summary"].startswith("Readmission within 30 days")


def test_hook_register_commands_is_how_call_got_there():
    assert "  call " in pmed_alone("--help").stdout


def test_a_disabled_plugin_is_gone(tmp_path):
    (tmp_path / "pmed.toml").write_text('[plugins]\ndisabled = ["pmed-pgx"]\n')
    # Of its own, for a command once added stays in a process.
    assert pmed_alone("call", STENT.genome, cwd=tmp_path).returncode == 2
    assert pmed_alone("--config", tmp_path / "pmed.toml", "call", STENT.genome).returncode == 2
    assert json.loads(pmed("plugins", cwd=tmp_path).stdout)["disabled"] == ["pmed-pgx"]
    assert "pmed-pgx (disabled)" in pmed("plugins", "list", "--table", cwd=tmp_path).stdout


def test_version():
    assert pmed_alone("--version").stdout.startswith("pmed, version 0.1")


@pytest.mark.parametrize("command", [["report"], ["call"], ["report", "--no-such-option"], ["no-such-command"]])
def test_wrong_usage_is_exit_code_2(command):
    assert pmed(*command).returncode == 2


VCF = Path(STENT.genome)


def text_without(prefix):
    return "".join(line for line in VCF.read_text().splitlines(keepends=True) if not line.startswith(prefix))


@pytest.mark.parametrize(("name", "content", "parts"), [
    ("none.vcf", None, ["none.vcf", "no such file"]),
    ("text.vcf", "hello\n", ["text.vcf", "VCF"]),
    ("hg19.vcf", lambda text: text.replace("assembly=GRCh38", "assembly=GRCh37"), ["hg19.vcf"]),
    ("hg18.vcf", lambda text: text.replace("assembly=GRCh38", "assembly=hg18"), ["hg18.vcf", "NCBI36"]),
])
def test_a_bad_genome_is_one_line_and_nothing_is_written(tmp_path, name, content, parts):
    file = tmp_path / name
    if content is not None:
        file.write_text(content if isinstance(content, str) else content(VCF.read_text()))
    out = tmp_path / "out"
    out.mkdir()
    refused(pmed("report", file, "--history", STENT.history, "-o", out / "r.html"), *parts)
    assert list(out.iterdir()) == []
    refused(pmed("call", file, "-o", out / "c.json"), *parts)
    assert list(out.iterdir()) == []


def test_an_undeclared_build_that_nothing_betrays_is_refused(tmp_path):
    file = tmp_path / "bare.vcf"
    file.write_text("##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tS\n"
                    "chr10\t12345\t.\tA\tG\t.\tPASS\t.\tGT\t0/1\n")
    refused(pmed("call", file), "bare.vcf", "build", "--build")


def test_a_truncated_bgzip_is_refused(tmp_path):
    import pysam

    whole = tmp_path / "whole.vcf.gz"
    pysam.tabix_compress(str(VCF), str(whole))
    cut = tmp_path / "cut.vcf.gz"
    cut.write_bytes(whole.read_bytes()[:-40])
    refused(pmed_alone("call", cut), "cut.vcf.gz", "truncated")


def test_an_unknown_sample_is_named_with_those_there():
    sample = next(line for line in VCF.read_text().splitlines() if line.startswith("#CHROM")).split("\t")[-1]
    refused(pmed_alone("report", VCF, "--sample", "nobody", "-o", os.devnull), "nobody", sample)


def two_samples(tmp_path):
    lines = [line + ("\t" + (line.split("\t")[-1] + "B" if line.startswith("#CHROM") else line.split("\t")[-1])
                     if not line.startswith("##") else "") for line in VCF.read_text().splitlines()]
    file = tmp_path / "two.vcf"
    file.write_text("\n".join(lines) + "\n")
    return file


def test_two_samples_and_one_record_need_a_choice(tmp_path):
    file = two_samples(tmp_path)
    refused(pmed("report", file, "--history", STENT.history, "-o", tmp_path / "r.html"), "2 samples", "--sample")
    refused(pmed("report", file, "-o", tmp_path / "r.html"), "2 samples", "--sample")
    sample = VCF.read_text().split("\n#CHROM", 1)[1].splitlines()[0].split("\t")[-1]
    done = pmed("report", file, "--history", STENT.history, "--sample", sample, "-o", tmp_path / "r.html")
    assert done.returncode == 0, done.stderr


def edited(change):
    bundle = json.loads(Path(STENT.history).read_text())
    change(bundle)
    return json.dumps(bundle)


def patient_of(bundle):
    return next(entry["resource"] for entry in bundle["entry"] if entry["resource"]["resourceType"] == "Patient")


@pytest.mark.parametrize(("content", "parts"), [
    ("{not json", ["h.json"]),
    ('{"resourceType": "Patient"}', ["h.json", "id is missing"]),
    ('{"resourceType": "ValueSet", "id": "v"}', ["h.json"]),
    (edited(lambda b: b.update(entry={"a": 1})), ["h.json", "entry"]),
    (edited(lambda b: patient_of(b).update(birthDate=1960)), ["h.json", "birthDate"]),
    (edited(lambda b: patient_of(b).pop("birthDate")), ["h.json", "birth"]),
])
def test_a_bad_record_is_one_line_and_nothing_is_written(tmp_path, content, parts):
    file = tmp_path / "h.json"
    file.write_text(content)
    refused(pmed("report", VCF, "--history", file, "-o", tmp_path / "r.html"), *parts)
    assert [path.name for path in tmp_path.iterdir()] == ["h.json"]


def test_what_was_left_out_of_a_record_is_said_at_the_terminal(tmp_path):
    records = tmp_path / "records"
    records.mkdir()
    (records / "a.json").write_text(STENT.history.read_text())
    whole = pmed("report", "--history", records, "-o", tmp_path / "r.html")
    assert (whole.returncode, whole.stderr) == (0, "")
    (records / "b.json").write_text(STENT.history.read_text()[:-20])
    done = pmed("report", "--history", records, "-o", tmp_path / "r.html")
    assert done.returncode == 0
    assert done.stderr == ("pmed: 1 problem left something of the files out; the report says what "
                           "(problems found while reading)\n")


def test_the_list_of_commands_cuts_no_sentence_off():
    text = pmed("--help").stdout.partition("Commands:")[2]
    assert "..." not in text
    assert "One patient's report from GENOME file(s), record(s) and outside" in text


def test_an_output_folder_that_is_not_there(tmp_path):
    refused(pmed("report", VCF, "-o", tmp_path / "none" / "r.html"), "cannot write", "folder")


def test_an_output_never_takes_the_place_of_an_input_or_of_another_output(tmp_path):
    genome = tmp_path / "g.vcf"
    genome.write_text(VCF.read_text())
    refused(pmed("report", genome, "-o", tmp_path / "r.html", "--json", genome), "g.vcf", "overwrite")
    assert genome.read_text() == VCF.read_text()
    refused(pmed("report", genome, "-o", tmp_path / "r.html", "--json", tmp_path / "r.html"), "overwrite")
    refused(pmed("report", genome, "-o", tmp_path / "r.html", "--json", tmp_path / "none" / "r.json"), "cannot write")
    assert [path.name for path in tmp_path.iterdir()] == ["g.vcf"]


@pytest.mark.parametrize("name", ["r.docx", "r.json", "r.vcf"])
def test_an_ending_that_is_no_report(tmp_path, name):
    refused(pmed("report", VCF, "-o", tmp_path / name), name, ".html, .htm, .pdf", "--export")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("day", ["yesterday", "2020-13-40"])
def test_an_index_date_that_is_none(day):
    refused(pmed("report", VCF, "--index-date", day, "-o", os.devnull), "index date must be YYYY-MM-DD", day)


def test_an_index_date_of_another_age():
    refused(pmed("report", VCF, "--history", STENT.history, "--index-date", "9999-12-31", "-o", os.devnull),
            "index date 9999-12-31 is more than a year from now")


def test_debug_shows_the_traceback():
    done = pmed_alone("--debug", "call", "none.vcf")
    assert done.returncode == 1
    assert "Traceback" in done.stderr
