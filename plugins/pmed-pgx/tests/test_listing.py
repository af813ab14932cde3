"""``pmed genes`` and ``pmed drugs`` say what the release covers, and what it does not."""

from __future__ import annotations

import json

import polars as pl
import pytest
from click.testing import CliRunner

from pmed.cli import cli
from pmed.errors import OptionError
from pmed_pgx.guidelines import drugs
from pmed_pgx.knowledge import genes, release
from pmed_pgx.listing import check_rows, drug_rows, gene_rows


def said(*arguments: str) -> str:
    made = CliRunner().invoke(cli, list(arguments))
    if made.exception and not isinstance(made.exception, SystemExit):
        raise made.exception
    assert made.exit_code == 0
    return made.output


def test_every_gene_of_the_release_has_a_row() -> None:
    rows = {row["gene"]: row for row in gene_rows()}
    assert list(rows) == list(genes())
    assert {row["called_as"] for row in rows.values()} == {"star alleles", "variant list", "outside calls only"}
    assert (rows["CYP3A5"]["chrom"], rows["CYP3A5"]["sites"], rows["CYP3A5"]["alleles"]) == ("chr7", 5, 6)
    assert rows["CYP3A5"]["key_sites"] == ["rs41303343", "rs10264272", "rs776746"]


def test_what_is_not_assessed_is_said() -> None:
    rows = {row["gene"]: " ".join(row["not_assessed"]) for row in gene_rows()}
    assert "copy number" in rows["CYP2D6"]
    assert "*5, *13" in rows["CYP2D6"]
    assert "*36, *37" in rows["CYP2C19"]
    assert "outside calls" in rows["HLA-B"]
    assert "on GRCh37: rs56489998" in rows["MT-RNR1"]
    assert not rows["VKORC1"]


def test_every_drug_has_a_row_with_its_citation() -> None:
    rows = {row["drug"]: row for row in drug_rows()}
    assert list(rows) == list(drugs())
    assert all(row["citation"].startswith("PMID:") for row in rows.values() if row["guideline"] == "CPIC")
    assert all(row["citation"] and row["year"] > 2000 and row["populations"] for row in rows.values())
    warfarin = rows["warfarin"]
    assert warfarin["genes"][:2] == ["CYP2C9", "VKORC1"]
    assert (warfarin["year"], warfarin["citation"], warfarin["level"]) == (2017, "PMID:28198005", "A")
    assert warfarin["rows"] == len(drugs()["warfarin"].rows)
    assert warfarin["actions"][-1] == "standard"


def test_drugs_are_found_by_ingredient_and_brand() -> None:
    assert [row["drug"] for row in drug_rows(["Plavix", "clopidogrel", "WARFARIN"])] == ["clopidogrel", "warfarin"]
    with pytest.raises(OptionError, match=r"no guideline for 'plavi' \(did you mean plavix"):
        drug_rows(["plavi"])
    with pytest.raises(OptionError, match="see pmed drugs"):
        drug_rows(["qqq"])


def test_no_other_medicine_is_offered_for_one_that_is_known() -> None:
    with pytest.raises(OptionError) as caught:
        drug_rows(["Aspirin"])
    assert "did you mean" not in str(caught.value)
    assert "pmed drugs --checks aspirin" in str(caught.value)
    assert check_rows(["aspirin"])


@pytest.mark.parametrize("name", ["acetylsalicylic acid", "mephenytoin", "desvenlafaxine", "asprin", "iron"])
def test_a_name_that_merely_looks_similar_is_not_offered(name: str) -> None:
    with pytest.raises(OptionError) as caught:
        drug_rows([name])
    assert "did you mean" not in str(caught.value)


@pytest.mark.parametrize("what", ["genes", "drugs"])
def test_formats_hold_the_same_rows(what: str) -> None:
    made = json.loads(said(what, "--format", "json"))
    assert made["format"] == f"pmed/{what}/1"
    assert (made["release"]["version"], made["release"]["sha256"]) == (release().version, release().sha256)
    names = [row[what[:-1]] for row in made[what]]
    assert names == list({"genes": genes, "drugs": drugs}[what]())
    tsv = pl.read_csv(said(what, "--format", "tsv").encode(), separator="\t", infer_schema=False)
    assert tsv[what[:-1]].to_list() == names
    head, blank, columns, *rows = said(what).splitlines()
    assert head.startswith(f"{len(names)} {what} of {release().name} {release().version} ({release().date})")
    assert (blank, columns.split()[0], len(rows)) == ("", what[:-1], len(names))
    assert all(row.startswith(f"{name} ") for row, name in zip(rows, names, strict=True))


def test_checks_are_listed_with_what_has_to_hold() -> None:
    rows = {row["check"]: row for row in check_rows(["Metformin"])}
    kidney = next(row for row in rows.values() if row["when"] == ["egfr below 30"])
    assert (kidney["drug"], kidney["action"]) == ("metformin", "avoid")
    assert kidney["citation"]
    assert len(check_rows()) > 2000
    assert "egfr below 30" in said("drugs", "--checks", "metformin")
    with pytest.raises(OptionError, match="did you mean metformin"):
        check_rows(["metformine"])
