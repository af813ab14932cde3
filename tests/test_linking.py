"""Genome and record of one person: by a list of pairs, and refused where the sex differs."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import polars as pl
import pytest

import pmed as package
from pmed.errors import InputError
from pmed.genomics.sex import sexes
from pmed.stages.link import read_pairs, same_sex
from pmed.tables import TABLES
from pmed_pgx.knowledge import genes

from .test_cli import PROGRAM, pmed, refused

HEAD = "##fileformat=VCFv4.2\n##contig=<ID=chrX,length=156040895>\n##contig=<ID=chr10,length=133797422>\n"
G6PD = next(site for site in genes()["G6PD"].sites if len(site.alleles[0]) == len(site.alleles[1]) == 1)


def genome(folder: Path, call: str, name: str = "kim") -> Path:
    """A genome with one site of G6PD and one of CYP2C19."""
    path = folder / f"{name}.vcf"
    rows = ["chr10\t94781859\trs4244285\tG\tA\t.\tPASS\t.\tGT\t0/1",
            f"chrX\t{G6PD.pos}\t.\t{G6PD.alleles[0]}\t{G6PD.alleles[1]}\t.\tPASS\t.\tGT\t{call}"]
    path.write_text(f"{HEAD}#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{name}\n" + "\n".join(rows) + "\n")
    return path


def record(folder: Path, sex: str, name: str = "kim") -> Path:
    path = folder / f"{name}-{sex}.json"
    person = {"resourceType": "Patient", "id": name, "birthDate": "1970-02-01", "gender": sex}
    path.write_text(json.dumps({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": person}]}))
    return path


@pytest.mark.parametrize(("calls", "sex"), [
    ([(0, None, 1)], "male"), ([(0, 1, 2)], "female"), ([(0, 0, 2)], None), ([], None),
    ([(0, None, 1), (0, 1, 2)], None), ([(0, 0, 2), (1, None, 1)], "male"),
])
def test_what_chromosome_x_tells(calls: list[tuple[int, int | None, int]], sex: str | None) -> None:
    samples = TABLES["samples"].frame([{"sample": "s", "patient_id": "s", "source": "x", "build": "GRCh38"}])
    rows = [{"sample": "s", "chrom": "chrX", "pos": 154_000_000 + number, "ref": "A", "alt": "G", "allele_1": one,
             "allele_2": two, "ploidy": ploidy, "state": "called"} for number, (one, two, ploidy) in enumerate(calls)]
    shared = {"sample": "s", "chrom": "chrX", "pos": 100_000, "ref": "A", "alt": "G", "allele_1": 0, "allele_2": 1,
              "ploidy": 2, "state": "called"}
    told = sexes(TABLES["genotypes"].frame([*rows, shared]), samples)
    assert told["sex"].to_list() == [sex]
    assert told.columns == samples.columns


@pytest.mark.parametrize(("call", "sex"), [("0", "female"), ("0/1", "male")])
def test_another_sex_is_refused_unless_forced_and_then_said(tmp_path: Path, call: str, sex: str) -> None:
    path = genome(tmp_path, call, "Kim")
    files = path, "--history", record(tmp_path, sex, "Kim"), "-o", tmp_path / "r.html"
    refused(pmed("report", *files), "Kim", f"says {sex}", "--allow-sex-mismatch")
    assert not (tmp_path / "r.html").exists()
    forced = pmed("report", *files, "--allow-sex-mismatch")
    assert forced.returncode == 0, forced.stderr
    page = re.sub(r"</?bdi[^>]*>", "", (tmp_path / "r.html").read_text())
    assert f"Genome and record may be of different people.</strong> The genome of sample {path.stem} is" in page


@pytest.mark.parametrize(("call", "sex"), [("0", "male"), ("0/1", "female"), ("0/0", "male"), ("./.", "female"),
                                           ("0", "unknown"), ("0/1", "other")])
def test_the_same_or_unknown_sex_is_no_trouble(tmp_path: Path, call: str, sex: str) -> None:
    result = package.run(genome(tmp_path, call), record(tmp_path, sex))
    assert "sex-mismatch" not in result.tables["issues"]["code"].to_list()


def test_the_panel_knows_men_and_women(shared: Path) -> None:
    """Sexes as the 1000 Genomes Project's sample list has them."""
    known = {"HG00096": "male", "HG00097": "female", "NA19239": "male", "NA12003": "male"}
    found = package.call(shared / "data/1kgp/GRCh38/G6PD.vcf.gz", samples=list(known)).tables["samples"]
    told = dict(found.select("sample", "sex").iter_rows())
    assert all(told[name] in {sex, None} for name, sex in known.items()), told
    assert {name for name, sex in known.items() if sex == "male"} <= {name for name, sex in told.items() if sex}


def test_a_list_of_pairs_links_names_that_differ(tmp_path: Path) -> None:
    pairs = tmp_path / "pairs.tsv"
    pairs.write_text("# sample\tpatient\n\nlab-7\tkim\n")
    vcf, history = genome(tmp_path, "0/1", "lab-7"), record(tmp_path, "female")
    done = pmed("report", vcf, "--history", history, "--pairs", pairs, "-o", tmp_path / "r.html", "--json",
                tmp_path / "r.json")
    assert done.returncode == 0, done.stderr
    [patient] = json.loads((tmp_path / "r.json").read_text())["patients"]
    assert (patient["patient_id"], patient["samples"][0]["sample"]) == ("kim", "lab-7")


@pytest.mark.parametrize(("sample", "pair", "said"), [
    ("lab-7", "lab-7\tanna", "sample 'lab-7' is of patient 'anna'"),
    ("lab-7", "lab-8\tkim", "patient 'kim' is of sample 'lab-8'"),
    ("kim", "kim\tanna", "sample 'kim' is of patient 'anna'"),
    ("kim", "lab-8\tkim", "patient 'kim' is of sample 'lab-8'")])
def test_what_a_list_of_pairs_keeps_apart_is_not_joined(tmp_path: Path, sample: str, pair: str, said: str) -> None:
    pairs = tmp_path / "pairs.tsv"
    pairs.write_text(f"{pair}\n")
    vcf, history = genome(tmp_path, "0/1", sample), record(tmp_path, "female")
    done = pmed("report", vcf, "--history", history, "--pairs", pairs, "-o", tmp_path / "r.html")
    assert (done.returncode, said in done.stderr) == (1, True), done.stderr
    assert not (tmp_path / "r.html").exists()


def test_a_list_of_other_peoples_pairs_says_nothing_of_the_only_one(tmp_path: Path) -> None:
    pairs = tmp_path / "pairs.tsv"
    pairs.write_text("lab-8\tanna\n")
    vcf, history = genome(tmp_path, "0/1", "lab-7"), record(tmp_path, "female")
    done = pmed("report", vcf, "--history", history, "--pairs", pairs, "-o", tmp_path / "r.html", "--json",
                tmp_path / "r.json")
    assert done.returncode == 0, done.stderr
    [patient] = json.loads((tmp_path / "r.json").read_text())["patients"]
    assert [row["code"] for row in patient["notices"]] == ["joined-without-name"]


UNNAMED = "sample lab-7 and patient kim were joined without a common name"


@pytest.mark.parametrize(("stated", "joined"), [([], True), (["--sample", "lab-7"], False), (["--pairs"], False)])
def test_a_pair_that_nobody_named_is_told_on_top(tmp_path: Path, stated: list[str], joined: bool) -> None:
    vcf, history = genome(tmp_path, "0/1", "lab-7"), record(tmp_path, "female")
    pairs = tmp_path / "pairs.tsv"
    pairs.write_text("lab-7\tkim\n")
    files = {kind: tmp_path / f"r.{kind}" for kind in ("html", "json", "txt", "fhir.json")}
    done = pmed("report", vcf, "--history", history, *stated, *([pairs] if stated == ["--pairs"] else []),
                "-o", files["html"], "--json", files["json"], "--export", f"text={files['txt']}",
                "--fhir", files["fhir.json"])
    assert done.returncode == 0, done.stderr
    [patient] = json.loads(files["json"].read_text())["patients"]
    assert [row["code"] for row in patient["notices"]] == ["joined-without-name"] * joined
    assert list(patient).index("notices") == 1
    head, _, _ = re.sub(r"</?(?:bdi|strong)[^>]*>", "", files["html"].read_text()).partition("<main>")
    assert ("Sample lab-7 and patient kim were joined without a common name" in head) is joined
    told, *_ = files["txt"].read_text().replace("\n", " ").partition("TO DO")
    assert (f"PLEASE CONFIRM: {UNNAMED}" in told) is joined
    assert (f"Please confirm: {UNNAMED}" in files["fhir.json"].read_text()) is joined


def test_a_pair_that_nobody_named_is_told_in_a_folder_of_reports(tmp_path: Path) -> None:
    vcf, history = genome(tmp_path, "0/1", "lab-7"), record(tmp_path, "female")
    for given, joined in (([], True), (["--sample", "lab-7"], False)):
        done = pmed("report", vcf, "--history", history, *given, "-o", f"{tmp_path}/all/", "--jobs", "1")
        assert done.returncode == 0, done.stderr
        assert "wrote 1 reports" in done.stdout, "a report that says something else is made anew"
        [page] = [path for path in (tmp_path / "all").glob("*.html") if path.name != "index.html"]
        assert ("were joined without a common name" in page.read_text()) is joined


def test_a_day_before_the_birth_is_refused(tmp_path: Path) -> None:
    history = record(tmp_path, "female")
    given = "--history", history, "--index-date", "1970-01-31"
    refused(pmed("report", *given, "-o", tmp_path / "r.html"),
            "index date 1970-01-31 is before the birth of patient kim (1970-02-01)")
    assert not (tmp_path / "r.html").exists()
    assert pmed("report", *given[:3], "1970-02-01", "-o", tmp_path / "r.html").returncode == 0
    older = json.loads(history.read_text())
    older["entry"][0]["resource"].update(id="lee", birthDate="1950-05-05")
    (tmp_path / "lee.json").write_text(json.dumps(older))
    done = pmed("report", *given, "--history", tmp_path / "lee.json", "-o", f"{tmp_path}/all/", "--jobs", "1")
    assert done.returncode == 3
    assert "wrote 1 reports" in done.stdout, "it costs nobody else's report"
    assert "is before the birth of patient kim" in (tmp_path / "all/index.html").read_text()


@pytest.mark.parametrize(("text", "said"), [
    ("a\tb\nc\n", "line 2: expected sample, a tab and patient"), ("a\tb\na\tc\n", "line 2: names a sample"),
    ("a\tb\nc\tb\n", "line 2: names a sample or a patient for the second time"), ("a\tb\tc\n", "line 1: expected"),
])
def test_bad_lists_of_pairs(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "p.tsv"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_pairs(path)
    assert said in str(caught.value)


def test_no_file_of_pairs(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read as text"):
        read_pairs(tmp_path / "none.tsv")


def test_who_is_named_when_one_of_many_differs() -> None:
    samples = TABLES["samples"].frame([{"sample": name, "patient_id": name, "source": "x.vcf", "build": "GRCh38",
                                        "sex": "male"} for name in ("a", "b")])
    patients = TABLES["patients"].frame([{"patient_id": "a", "sex": "male"}, {"patient_id": "b", "sex": "female"}])
    with pytest.raises(InputError, match=r"x\.vcf: the genome of sample b is male"):
        same_sex(samples, patients, forced=False)
    told = same_sex(samples, patients, forced=True)
    assert told.select("patient_id", "code").rows() == [("b", "sex-mismatch")]
    assert isinstance(told, pl.DataFrame)


@pytest.mark.parametrize(("answer", "code"), [("lab-2\n", 0), ("nobody\nlab-1\n", 0)])
def test_a_person_at_the_terminal_is_asked_whose_genome_it_is(tmp_path: Path, answer: str, code: int) -> None:
    vcf = genome(tmp_path, "0/1", "lab-1")
    lines = vcf.read_text().replace("\tlab-1\n", "\tlab-1\tlab-2\n").replace("GT\t0/1", "GT\t0/1\t0/0")
    vcf.write_text(lines)
    history, html = record(tmp_path, "female"), tmp_path / "r.html"
    program = [*PROGRAM, "report", str(vcf), "--history", str(history), "-o", str(html)]
    refused(pmed(*program[3:]), "cannot tell whose genome it is", "--sample")
    mine, theirs = os.openpty()
    with subprocess.Popen(program, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as done:
        os.write(mine, answer.encode())
        _, said = done.communicate(timeout=60)
    os.close(mine)
    os.close(theirs)
    assert done.returncode == code, said
    assert "2 samples: lab-1, lab-2" in said
    assert answer.rsplit(maxsplit=1)[-1] in html.read_text()
