"""``pmed call``: formats, options, errors; nothing half-written."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner, Result

from pmed.cli import cli, main
from pmed.errors import OptionError
from pmed_pgx import caller as calling
from pmed_pgx.knowledge import genes as release_genes

HEAD = ("##fileformat=VCFv4.3\n##contig=<ID=chr10,length=133797422,assembly=GRCh38>\n"
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n'
        "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tanna\tbela\n")
ROWS = ("chr10\t94761900\trs12248560\tC\tT\t.\tPASS\t.\tGT\t0/1\t0/0\n"
        "chr10\t94762706\trs28399504\tA\tG\t.\tPASS\t.\tGT\t0/1\t0/0\n"
        "chr10\t94842866\trs3758581\tA\tG\t.\tPASS\t.\tGT\t1/1\t1/1\n")


@pytest.fixture
def vcf(tmp_path: Path) -> Path:
    path = tmp_path / "two.vcf"
    path.write_text(HEAD + ROWS)
    return path


def run(*arguments: Any) -> Result:
    made = CliRunner().invoke(cli, ["call", *map(str, arguments)])
    if made.exception and not isinstance(made.exception, SystemExit):
        raise made.exception
    return made


def genes(output: str) -> dict[str, Any]:
    return {one["sample"]: one["genes"] for one in json.loads(output)["samples"]}


def test_json_is_the_stated_format(vcf: Path) -> None:
    made = run(vcf)
    assert made.exit_code == 0
    said = json.loads(made.stdout)
    assert said["format"] == "pmed/gene-results/1"
    assert said["provenance"]["knowledge"]
    row = genes(made.stdout)["anna"]["CYP2C19"]
    assert row["status"] == "ambiguous"  # key sites are missing, so that more than this diplotype is possible
    assert row["diplotypes"] == ["*1/*4"]
    assert row["phenotype"] is None
    assert row["activity_score"] is None
    assert "rs4244285" in row["missing_sites"]
    assert {"code", "text"} == set(row["messages"][0])
    assert genes(made.stdout)["anna"]["VKORC1"]["status"] == "no-data"


def test_sample_and_options(vcf: Path) -> None:
    assert set(genes(run(vcf, "--sample", "bela").stdout)) == {"bela"}
    assert genes(run(vcf, "--all-matches").stdout)["anna"]["CYP2C19"]["diplotypes"][:1] == ["*1/*4"]
    assert "*4/*17" in genes(run(vcf, "--all-matches").stdout)["anna"]["CYP2C19"]["diplotypes"]
    row = genes(run(vcf, "--absent-as-ref").stdout)["bela"]["CYP2C19"]
    assert (row["phenotype"], row["messages"][0]["code"]) == ("Normal Metabolizer", "absent-as-ref")


def test_tsv_and_parquet(vcf: Path, tmp_path: Path) -> None:
    table = pl.read_csv(io.StringIO(run(vcf, "--format", "tsv").stdout), separator="\t")
    assert table.filter(sample="anna", gene="CYP2C19")["diplotypes"].to_list() == ["*1/*4"]
    assert run(vcf, "--format", "parquet", "-o", tmp_path / "g.parquet").exit_code == 0
    whole = pl.read_parquet(tmp_path / "g.parquet")
    assert whole.height == table.height == 2 * len(release_genes())
    assert whole["diplotypes"].dtype == pl.List(pl.String)


def test_output_file(vcf: Path, tmp_path: Path) -> None:
    made = run(vcf, "-o", tmp_path / "g.json")
    assert made.stdout == ""
    assert set(genes((tmp_path / "g.json").read_text())) == {"anna", "bela"}


def test_parquet_to_the_terminal_is_refused(vcf: Path) -> None:
    made = run(vcf, "--format", "parquet")
    assert made.exit_code == 2
    assert "needs -o" in made.stderr


@pytest.mark.parametrize("arguments", [["--sample", "nobody"], ["-o", "no/such/folder/g.json"]])
def test_expected_errors_are_one_line(arguments: list[str], vcf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["call", str(vcf), *arguments])
    assert stop.value.code == 1
    error = capsys.readouterr().err.strip()
    assert error.startswith("pmed: ")
    assert "\n" not in error


@pytest.mark.parametrize(("columns", "form"), [("", ""), ("\tFORMAT", "\tDP"), ("\tFORMAT\tS", "\tDP\t30")])
def test_a_file_without_genotypes_is_no_genome(tmp_path: Path, columns: str, form: str,
                                               capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "x.vcf"
    file.write_text("##fileformat=VCFv4.2\n##reference=GRCh38\n"
                    f"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO{columns}\n"
                    f"chr10\t94781859\t.\tG\tA\t.\tPASS\t.{form}\n")
    with pytest.raises(SystemExit) as stop:
        main(["call", str(file)])
    assert stop.value.code == 1
    said = capsys.readouterr()
    assert "has no genotypes" in said.err
    assert said.err.count("\n") == 1
    assert not said.out


def test_what_is_wrong_with_a_genome_is_told_once_of_each_kind(tmp_path: Path,
                                                                capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    file = tmp_path / "x.vcf"
    lines = ["94781850\t.\tC\t<CNV>\t.\tPASS\tEND=94781900", "94781859\t.\tG\tA\t.\tPASS\t."]
    columns = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tS\n"
    body = "".join(f"chr10\t{line}\tGT\t0/1\n" for line in lines)
    file.write_text(f"##fileformat=VCFv4.2\n##reference=GRCh38\n{columns}{body}")
    with pytest.raises(SystemExit) as stop:
        main(["call", str(file), "--format", "tsv"])
    assert not stop.value.code
    [line] = capsysbinary.readouterr().err.decode().splitlines()
    assert line == "pmed: warning: x.vcf chr10:94781859: a change of unknown copies goes over it: rs4244285 was not " \
                   "called in S"


def test_failure_of_the_caller_is_partial(vcf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> None:
        raise ValueError("broken")
    monkeypatch.setattr(calling.PgxCaller, "run", fails)
    made = run(vcf)
    assert made.exit_code == 3
    assert genes(made.stdout) == {"anna": {}, "bela": {}}
    assert made.stderr.startswith("pmed: partial result: ")


@pytest.mark.parametrize("gene", ["CYP2C91", "cyp2c19", "HLA-B"])
def test_a_gene_that_no_genome_tells_is_no_empty_answer(vcf: Path, gene: str) -> None:
    with pytest.raises(OptionError, match=f"no gene '{gene}' is read") as caught:
        run(vcf, "--why", "--gene", "CYP2C19", "--gene", gene)
    assert "CYP2C9" in caught.value.hint


def test_words_have_no_format(vcf: Path) -> None:
    made = run(vcf, "--why", "--format", "tsv")
    assert made.exit_code == 2
    assert "--format" in made.stderr


def test_names_of_samples_in_another_encoding_are_one_line(vcf: Path, tmp_path: Path) -> None:
    (tmp_path / "names").write_bytes("Müller\n".encode("latin-1"))
    with pytest.raises(OptionError, match="UTF-8") as caught:
        run(vcf, "--samples-file", tmp_path / "names")
    assert caught.value.where == str(tmp_path / "names")
