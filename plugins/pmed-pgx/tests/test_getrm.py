"""Reference people with consensus genotypes (GeT-RM), called from the 1000 Genomes panel.

The panel lacks rare sites, so a call may be a set; a single call must be the consensus. SLCO1B1 is left out: its older
consensus uses names of a retired nomenclature.
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from pathlib import Path

import pytest

import pmed

GENES = ("CYP2C19", "CYP2C9", "CYP3A5")
Pair = tuple[str, ...]
# NA19452: the published genotypes contradict each other (16/17 and a corrected form that holds 35).
DISPUTED = {("NA19452", "CYP2C19")}


def pair(text: str) -> Pair:
    return tuple(sorted(part.strip().lstrip("*") for part in text.split("/")))


@pytest.fixture(scope="module")
def calls(shared: Path) -> dict[tuple[str, str], list[Pair]]:
    made = pmed.call([shared / f"data/1kgp/GRCh38/{gene}.vcf.gz" for gene in GENES]).tables["gene_results"]
    return {(person, gene): [pair(one) for one in diplotypes] for person, gene, diplotypes in made.select(
        "patient_id", "gene", "diplotypes").iter_rows() if gene in GENES}


@pytest.fixture(scope="module")
def truth(shared: Path, calls: dict[tuple[str, str], list[Pair]]) -> dict[tuple[str, str], set[Pair]]:
    """Every published genotype of a person and gene; "a || b" are two."""
    found: dict[tuple[str, str], set[Pair]] = defaultdict(set)
    with (shared / "cases/getrm/truth.tsv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            said = f"{row['consensus']} || {row['updated_or_alternative']}"
            found[row["sample"], row["gene"]] |= {pair(one) for one in re.split(r"\s*\|\|\s*", said) if "/" in one}
    return {key: genotypes for key, genotypes in found.items() if key in calls}


@pytest.mark.parametrize("gene", GENES)
def test_calls_hold_the_consensus(gene: str, calls: dict[tuple[str, str], list[Pair]],
                                  truth: dict[tuple[str, str], set[Pair]]) -> None:
    people = [key for key in truth if key[1] == gene]
    assert len(people) >= 50
    held = [key for key in people if set(calls[key]) & truth[key]]
    assert len(held) / len(people) >= 0.98
    confident_and_wrong = {key for key in people if len(calls[key]) == 1 and not set(calls[key]) & truth[key]}
    assert confident_and_wrong <= DISPUTED
