"""Codes of genes and medicines agree with the tables of the reference plugins and are each for one thing."""

from __future__ import annotations

import csv
import re
from collections import Counter
from pathlib import Path

from pmed.normalise.identifiers import atc, hgnc, rxnorm

ROOT = Path(__file__).resolve().parents[1]
PGX = ROOT / "plugins/pmed-pgx/src/pmed_pgx/data"


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def test_every_gene_of_the_release_has_its_id() -> None:
    assert [row["gene"] for row in rows(PGX / "genes.tsv") if hgnc(row["gene"]) is None] == []
    assert hgnc("CYP2C19") == "HGNC:2621"
    assert hgnc("NOSUCH1") is None


def test_every_code_is_for_one_thing_and_has_its_form() -> None:
    table = rows(ROOT / "pmed/normalise/data/identifiers.tsv")
    assert [code for code, times in Counter(row["code"] for row in table).items() if times > 1] == []
    forms = {"gene": r"HGNC:\d+", "drug": r"\d+"}
    assert [row for row in table if not re.fullmatch(forms[row["kind"]], row["code"])] == []
    assert table == sorted(table, key=lambda row: (row["kind"], row["name"]))


def test_rxnorm_codes_are_those_of_the_plugins_vocabulary() -> None:
    known: dict[str, set[str]] = {}
    for row in rows(PGX / "drug_names.tsv"):
        if row["kind"] == "code":
            known.setdefault(row["ingredient"], set()).add(row["name"])
    both = [name for name in known if rxnorm(name)]
    assert len(both) > 70
    assert {name: rxnorm(name) for name in both if rxnorm(name) not in known[name]} == {}


def test_atc_codes_are_of_the_medicine_alone() -> None:
    assert atc("nothing") == ()
    known = rows(ROOT / "pmed/normalise/data/drugs.tsv")
    alone = [row for row in known if " + " not in row["ingredient"] and row["atc"]]
    assert all(atc(row["ingredient"]) == tuple(row["atc"].split(";")) for row in alone)
    assert all(re.fullmatch(r"[A-Z]\d\d[A-Z]{2}\d\d", code) for row in alone for code in atc(row["ingredient"]))
