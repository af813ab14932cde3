"""The vignettes of ``tests/vignettes``: files in, JSON out, every expectation met; and that the harness can fail."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from pmed_pgx.knowledge import genes
from tests.vignette_files import alleles
from tests.vignettes import Vignette, faults, main, mistakes, view_of, vignettes

FIRST = "clopidogrel-poor-metaboliser-after-stent"
LEAST = 42
EACH = pytest.mark.parametrize("name", sorted(vignettes()))


@EACH
def test_vignette(name: str) -> None:
    wrong = faults(vignettes()[name], view_of(name))
    assert not wrong, "\n".join(["", vignettes()[name].said["story"], *wrong])


def test_there_are_vignettes_enough_and_each_says_what_it_rests_on() -> None:
    assert len(vignettes()) >= LEAST
    wanted = [row for one in vignettes().values() for row in one.said.get("expect", ())]
    assert all("PMID:" in row["source"] or "https://" in row["source"] or "DOI:" in row["source"] for row in wanted)


@pytest.mark.parametrize(("key", "value", "told"), [
    ("action", "standard", "clopidogrel: action is 'avoid', not 'standard'"),
    ("urgency", ["soon"], "urgency is 'today'"), ("dose_factor", 0.5, "dose_factor is None"),
    ("says", ["warfarin"], "does not say 'warfarin'"), ("not_says", ["prasugrel"], "says 'prasugrel'"),
    ("alternatives", {"prasugrel": "ruled-out"}, "prasugrel is fits, not 'ruled-out'"),
    ("alternatives", {"aspirin": "fits"}, "aspirin is not offered"),
    ("because", ["paroxetine"], "changed by paroxetine"), ("cautions", ["nothing"], "no caution"),
    ("not_cautions", ["odd"], "a caution 'odd a caution made for this test'"),
    ("contributions", {"phenotype:CYP2C19": "negative"}, "phenotype:CYP2C19 is positive in the explanation"),
    ("contributions", {"on:aspirin": "positive"}, "on:aspirin is no part of it"),
    ("drug", "nosuchdrug", "no suggestion for nosuchdrug")])
def test_a_wrong_expectation_is_told_with_its_line(key: str, value: Any, told: str) -> None:
    one = vignettes()[FIRST]
    wanted = {**one.said["expect"][0], key: value}
    odd = [{"code": "odd", "text": "a caution made for this test"}]
    rows = [{**row, "cautions": odd} for row in view_of(FIRST)["suggestions"]]
    found = faults(Vignette(one.path, {**one.said, "expect": [wanted]}), {**view_of(FIRST), "suggestions": rows})
    line = one.line("expect", key) if key in one.said["expect"][0] else one.line("expect")
    assert any(text.startswith(f"{FIRST}.toml, line {line}: ") and told in text for text in found), found


@pytest.mark.parametrize(("block", "wanted", "told"), [
    ("expect_genes", {"CYP2C19": {"phenotype": "Normal Metabolizer"}}, "phenotype is 'Poor Metabolizer'"),
    ("expect_genes", {"CYP2C19": {"because": ["paroxetine"]}}, "changed by [], not ['paroxetine']"),
    ("expect_genes", {"CYP2C19": {"reverts_within": 20}}, "nothing says when it reverts"),
    ("expect_genes", {"CYP1A1": {"phenotype": "Normal Metabolizer"}}, "CYP1A1: the report says nothing of it"),
    ("expect_report", {"no_urgency": ["today"]}, "urgency 'today' for clopidogrel"),
    ("expect_report", {"no_action": ["avoid"]}, "action 'avoid' for clopidogrel"),
    ("expect_report", {"most_words": 3}, "words on what is taken, more than 3"),
    ("expect_report", {"most_gaps": 1}, "things not assessed, more than 1"),
    ("expect_report", {"not_assessed": ["no such thing"]}, "no such thing is not among")])
def test_a_wrong_expectation_of_genes_or_report_is_told(block: str, wanted: dict[str, Any], told: str) -> None:
    one = vignettes()[FIRST]
    bare = {key: value for key, value in one.said.items() if not key.startswith("expect")}
    assert any(told in text for text in faults(Vignette(one.path, {**bare, block: wanted}), view_of(FIRST)))


def test_a_genome_that_is_called_otherwise_is_told() -> None:
    one = vignettes()[FIRST]
    found = faults(Vignette(one.path, {**one.said, "diplotypes": {"CYP2C19": "*1/*2"}}), view_of(FIRST))
    assert found == [f"{FIRST}.toml, line {one.line('', 'diplotypes')}: CYP2C19 is called ['*2/*2'], not *1/*2"]


def test_failures_and_errors_of_a_run_are_faults() -> None:
    view = {**view_of(FIRST), "failures": [{"plugin": "odd", "message": "it broke"}],
            "issues": [{"severity": "error", "text": "unreadable"}]}
    coded = {**view["suggestions"][0], "cautions": [{"code": "unknown-input", "text": "777-3 is not on record"}]}
    assert any("a code for machines" in text for text in faults(vignettes()[FIRST], {**view, "suggestions": [coded]}))
    assert faults(vignettes()[FIRST], view) == ["the plugin odd failed: it broke", f"{FIRST}.toml: unreadable"]


@pytest.mark.parametrize(("change", "told"), [
    ({"medicines": []}, "'medicines' is no key"), ({"name": "other"}, "not the file's"),
    ({"medications": [{"drug": "aspirin", "amount": 1}]}, "medications: 'amount' is no key"),
    ({"expect": [{"drug": "clopidogrel"}]}, "'source' is missing"),
    ({"expect_genes": {"CYP2C19": {"phenotyp": ""}}}, "'phenotyp' is no key")])
def test_a_slip_in_a_vignette_is_refused(change: dict[str, Any], told: str) -> None:
    one = vignettes()[FIRST]
    said = {**copy.deepcopy(dict(one.said)), **change}
    assert any(told in text for text in mistakes(Vignette(one.path, said)))


def test_an_allele_that_does_not_exist_is_refused() -> None:
    with pytest.raises(KeyError, match="CYP2C19 has no allele"):
        alleles({**vignettes()[FIRST].said, "diplotypes": {"CYP2C19": "*2/*999"}}, genes()["CYP2C19"])


def test_a_vignette_is_written_to_be_looked_at(tmp_path: Path) -> None:
    main([FIRST, "-o", str(tmp_path / "out")], say=lambda _: None)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "genome.vcf", "record.json", "outside.tsv", "report.html", "report.json"}
    assert "clopidogrel" in (tmp_path / "out" / "report.html").read_text("utf-8")
