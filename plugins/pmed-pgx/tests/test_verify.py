"""What verify sees: each check goes red for one row that is changed, and the embedded release is clean."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from pmed.errors import InputError
from pmed_pgx.knowledge import embedded
from pmed_pgx.verify import verify

Change = Callable[[str], str]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The embedded release as a folder that a test may spoil."""
    for file in embedded().iterdir():
        if file.is_file():
            (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path


def test_embedded_release_is_sound() -> None:
    assert verify(embedded()) == []


def swap(old: str, new: str) -> Change:
    def changed(text: str) -> str:
        assert old in text
        return text.replace(old, new, 1)
    return changed


def add(*fields: str) -> Change:
    return lambda text: text + "\t".join(fields) + "\n"


def drop(start: str) -> Change:
    def changed(text: str) -> str:
        lines = text.splitlines(keepends=True)
        assert any(line.startswith(start) for line in lines)
        return "".join(line for line in lines if not line.startswith(start))
    return changed


SOURCE = "ClinPGx 2025-11-05"
FAULTS = [
    ("alleles", add("CYP3A5", "*3", "*3", "No function", "", "0", SOURCE), r"CYP3A5 \*3 is there twice"),
    ("definitions", add("CYP3A5", "*3", "rs776746", "C"), r"CYP3A5 \*3 rs776746 is there twice"),
    ("sites", swap("CYP3A5\trs776746\tdefining\t99672916", "CYP3A5\trs776746\tdefining\tx"),
     "pos is 'x', not a number"),
    ("sites", swap("CYP3A5\trs776746\tdefining", "CYP3A5\trs776746\tuseful"),
     "role is 'useful', expected one of defining"),
    ("alleles", swap("CYP2C9\t*2\t*2\tDecreased function\t0.5", "CYP2C9\t*2\t*2\tDecreased function\thalf"),
     "activity is 'half', not a number"),
    ("genes", swap("CYP3A5\tchr7", "CYP3A5\t"), "chrom is empty"),
    ("definitions", swap("CYP3A5\t*3\trs776746\tC", "CYP3A5\t*3\trs776746\tG"), r"CYP3A5 \*3 has G at rs776746"),
    ("definitions", swap("CYP3A5\t*3\trs776746", "CYP3A5\t*3\trs1"), "CYP3A5 rs1 is not in sites.tsv"),
    ("definitions", swap("CYP3A5\t*3\trs776746", "CYP3A5\t*99\trs776746"), r"CYP3A5 \*99 is not in alleles.tsv"),
    ("definitions", drop("CYP3A5\t*1\trs776746"), r"reference allele \*1 does not name 1 sites, rs776746 first"),
    ("genes", drop("ABCG2"), "ABCG2 is not in genes.tsv"),
    ("definitions", swap("CYP3A5\t*6\trs10264272\tT", "CYP3A5\t*6\trs776746\tC"), r"\*6 and \*3 have the same bases"),
    ("definitions", swap("CYP3A5\t*1\trs776746\tT", "CYP3A5\t*1\trs776746\tC"),
     r"\*1 is C, not REF \(T\), at rs776746"),
    ("sites", swap("rs776746\tdefining\t99672916", "rs776746\tdefining\t99665212"), "rs776746 is at the same position"),
    ("sites", swap("99672916\tT\tC\t99270539", "99672916\tT\tC\t99270540"), "rs776746 is -402376 on GRCh37"),
    ("phenotypes", drop("CYP3A5\tfunction\tNo function\tNormal function"), "CYP3A5: no phenotype for No function"),
    ("phenotypes", add("CYP3A5", "function", "Odd", "Odd", "Poor", "", SOURCE), "CYP3A5: a rule reads 'Odd'"),
    ("alleles", swap("CYP3A5\t*3\t*3", "CYP3A5\t*3\t*33"), r"CYP3A5 \*3 is called \*33, which is no allele"),
    ("priorities", add("NAT2", "*1/*999|*4/*6", "*4/*6", SOURCE), r"priorities.tsv: NAT2 \*999 is no allele"),
    ("frequencies", add("CYP3A5", "*99", "EUR", "0.1", "", "PMID 12345678"),
     r"frequencies.tsv: CYP3A5 \*99 is no allele"),
    ("frequencies", add("CYP2B6", "*3", "European", "0.9", "", "ClinPGx frequency table, as cited in "
                        "10.1038/s41598-025-26258-9 Table 1"), "CYP2B6 in European adds up to"),
    ("frequencies", add("CYP2B6", "*3", "Uygur", "-0.1", "", "PMID 1695199"), "CYP2B6 in Uygur adds up to"),
    ("synonyms", add("CYP3A5", "*3", "*6", SOURCE), r"synonyms.tsv: CYP3A5 \*3 is an allele of the release itself"),
    ("proxies", swap("31431780\tT\tG", "31431780\tT\tA"), r"rs2395029 T>G tags HLA-B\*57:01 of HLA-B by A"),
    ("alleles", swap("CYP3A5\t*3\t*3\tNo function\t\t1\tClinPGx", "CYP3A5\t*3\t*3\tNo function\t\t1\thearsay"),
     "no PMID, no DOI"),
    ("exceptions", add("CYP3A5", "reach", "*3", "none"), r"CYP3A5 reach \*3 is no fault"),
]


@pytest.mark.parametrize(("name", "change", "said"), FAULTS)
def test_each_check_sees_its_fault(copy: Path, name: str, change: Change, said: str) -> None:
    path = copy / f"{name}.tsv"
    path.write_text(change(path.read_text("utf-8")), "utf-8")
    faults = verify(copy)
    assert any(re.search(said, fault) for fault in faults), faults


def test_an_allele_that_cannot_be_called_is_seen(copy: Path) -> None:
    # *8 becomes a wobble of *3's and *6's sites: a genome of it is one of theirs as well.
    path = copy / "definitions.tsv"
    text = path.read_text("utf-8").replace("CYP3A5\t*8\trs55817950\tA\n", "")
    path.write_text(text + "CYP3A5\t*8\trs776746\tT|C\nCYP3A5\t*8\trs10264272\tC|T\n", "utf-8")
    assert [fault for fault in verify(copy) if "a genome of it is called" in fault]


def test_an_exception_with_a_reason_is_not_counted(copy: Path) -> None:
    path = copy / "alleles.tsv"
    path.write_text(path.read_text("utf-8").replace("CYP3A5\t*3\t*3", "CYP3A5\t*3\t*33"), "utf-8")
    (copy / "exceptions.tsv").write_text((copy / "exceptions.tsv").read_text("utf-8")
                                         + "CYP3A5\tcore\t*3\tfor this test\n", "utf-8")
    assert not [fault for fault in verify(copy) if "*33, which is no allele" in fault]


@pytest.mark.parametrize(("text", "said"), [
    ('citation = "a friend"', "citation 'a friend' is no PMID"), ("x = 1", "no citation"), ("x = ", "not a TOML file")])
def test_guideline_rows_must_cite(copy: Path, text: str, said: str) -> None:
    (copy / "guideline-new.toml").write_text(text)
    assert [fault for fault in verify(copy) if said in fault]


@pytest.mark.parametrize(("name", "content", "said"), [
    ("genes.tsv", None, "needs this file"), ("genes.tsv", "gene\tx\nA\tb\n", "columns are gene, x"),
    ("genes.tsv", "", "not a tab-separated table"), ("release.json", None, "no release.json"),
    ("release.json", "{}", "not the manifest"), ("release.json", "[", "not the manifest"),
    ("release.json", '{"format":"x","name":"","version":"","date":"","licence":"","source":""}', "format is 'x'")])
def test_what_is_no_release_is_one_line(copy: Path, name: str, content: str | None, said: str) -> None:
    (copy / name).unlink()
    if content is not None:
        (copy / name).write_text(content)
    with pytest.raises(InputError, match=said) as error:
        verify(copy)
    assert name in str(error.value)
    assert "\n" not in str(error.value)
