"""``pmed knowledge``: what its commands print, their exit codes, and fresh schemas."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import pytest
from click.testing import CliRunner, Result

from pmed.cli import cli
from pmed.errors import OptionError
from pmed_pgx.knowledge import embedded, table
from pmed_pgx.release_folder import MANIFEST
from pmed_pgx.release_tables import RELEASE, release_schema_texts


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["knowledge", *arguments])


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for file in embedded().iterdir():
        if file.is_file():
            (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path


def test_list_names_the_release_in_use() -> None:
    done = run("list")
    assert done.exit_code == 0
    assert done.output.startswith("pmed-pgx-embedded  ")
    assert done.output.splitlines()[0].endswith("  in use")


def test_show_a_gene_a_table_and_nothing() -> None:
    gene = run("show", "CYP3A5").output
    assert "  rs776746  chr7:99672916 T>C  GRCh37 99270539  defining" in gene
    assert "  *3  No function" in gene
    assert "  No function + Normal function: Intermediate Metabolizer" in gene
    assert run("show", "synonyms").output.startswith("gene\tname\tnow\tsource\n")
    with pytest.raises(OptionError, match=r"no gene and no table 'CYP9'.*CYP2C19.*synonyms"):
        CliRunner().invoke(cli, ["knowledge", "show", "CYP9"], catch_exceptions=False)


def test_verify_exits_by_what_it_finds(copy: Path) -> None:
    assert run("verify").exit_code == run("verify", str(copy)).exit_code == 0
    path = copy / "alleles.tsv"
    path.write_text(path.read_text().replace("CYP3A5\t*3\t*3", "CYP3A5\t*3\t*33"))
    done = run("verify", str(copy), "--against", str(copy))
    assert done.exit_code == 1
    assert "CYP3A5 *3 is called *33, which is no allele\n" in done.output
    assert "no differences" in done.output


def test_diff_tells_added_removed_and_changed(copy: Path) -> None:
    alleles, phenotypes, genes = (copy / f"{name}.tsv" for name in ("alleles", "phenotypes", "genes"))
    alleles.write_text(alleles.read_text().replace("CYP3A5\t*8\t*8\tUnknown function", "CYP3A5\t*8\t*8\tNo function"))
    phenotypes.write_text("".join(line for line in phenotypes.read_text().splitlines(keepends=True)
                                  if not line.startswith("CYP3A5\tfunction\tNo function\tNo function")))
    genes.write_text(genes.read_text() + "CYPZ\tchr1\tautosome\tstatus\trefuse\t\tCPIC tables\n")
    found = json.loads(run("diff", "embedded", str(copy), "--json").output)
    assert found == [
        {"table": "alleles", "gene": "CYP3A5", "name": "*8", "what": "function", "before": "Unknown function",
         "after": "No function"},
        {"table": "genes", "gene": "CYPZ", "name": "", "what": "added", "before": None,
         "after": "chr1 autosome status refuse"},
        {"table": "phenotypes", "gene": "CYP3A5", "name": "No function No function", "what": "removed",
         "before": "function Poor Metabolizer", "after": None}]
    told = run("diff", "embedded", str(copy)).output
    assert "genes       CYPZ    " in told
    assert "alleles: 1 function" in told


def test_import_refuses_a_folder_that_is_not_empty(copy: Path) -> None:
    assert run("import", "--from", "cpic", str(copy), "-o", str(copy)).exit_code == 1
    assert run("import", "--from", "cpic", "--cpic-tables", "x", str(copy), "-o", "y").exit_code == 2


def test_schemas_folder_is_fresh(root: Path) -> None:
    kept = {path.stem: path.read_text("utf-8") for path in (root / "schemas" / "pgx-release").glob("*.json")}
    assert kept == release_schema_texts(), "run pmed knowledge schema -o schemas/pgx-release"


@pytest.mark.parametrize("name", [name for name in RELEASE if name != "guidance"])
def test_embedded_rows_fit_their_schema(name: str) -> None:
    about = RELEASE[name]
    typed = table(name).cast({column: one.dtype for column, one in about.columns.items()})
    schema = {"type": "array", "items": json.loads(release_schema_texts()[name])}
    jsonschema.Draft202012Validator(schema).validate(typed.to_dicts())


def test_manifest_fits_its_schema() -> None:
    schema = jsonschema.Draft202012Validator(json.loads(release_schema_texts()["release"]))
    about = json.loads((embedded() / MANIFEST).read_bytes())
    schema.validate(about)
    assert not schema.is_valid({key: value for key, value in about.items() if key != "version"})
