"""The guideline rows of the release as data: cited, reachable, total, and in words that the release knows."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Any

import pytest

from pmed_pgx.guidelines import AGE, DAYS, FINDING, UNKNOWN, Drug, Range, drugs, gene_of
from pmed_pgx.knowledge import genes, table
from pmed_pgx.outcomes import judge

DRUGS = pytest.mark.parametrize("drug", drugs().values(), ids=lambda drug: drug.name)
KINDS = {"phenotype", "activity-score", "diplotype", "genotype", "status"}
# No recommendation of the guideline, by intention: a result that says nothing.
SAYS_NOTHING = {"Indeterminate", "Possible Intermediate Metabolizer"}
# Phenotypes that rows name and no rule of the release gives: they come from outside calls.
FROM_OUTSIDE: dict[str, set[str]] = {"CYP2D6": {"Ultrarapid Metabolizer"}}
C19 = "phenotype:CYP2C19"
# Combinations of known inputs that the guideline is silent about, by drug: (input, value) of each.
SILENT: dict[str, list[dict[str, Any]]] = {
    "efavirenz": [{AGE: 0.0}],  # the rows are for adults and children of 40 kg or more
    # No recommendation outside coronary disease, but for poor metabolisers and, after a stroke, intermediate ones.
    "clopidogrel": [{C19: f"{one} Metabolizer", f"{FINDING}{where}": True} for one, where in (
        ("Likely Intermediate", "cardiovascular-other"), ("Intermediate", "cardiovascular-other"),
        ("Rapid", "cardiovascular-other"), ("Ultrarapid", "cardiovascular-other"),
        ("Rapid", "neurovascular"), ("Ultrarapid", "neurovascular"))],
}


def combinations(drug: Drug, *more: Any) -> Iterator[dict[str, Any]]:
    """Every combination of known inputs and `more`, ages that matter, indications or none, new or not."""
    names = list(drug.reference)
    ages = sorted({bound for row in drug.rows if row.ages for bound in (row.ages.low, row.ages.high) if bound < 120})
    lives: list[Any] = [None, *ages, *([0.0] if ages else [])]
    findings = [{}, *({name: True} for name in drug.inputs if name.startswith(FINDING))]
    taken = [{name: days} for name in drug.inputs if name.startswith(DAYS) for days in (0.0, 200.0)] or [{}]
    for chosen in itertools.product(*([*values(drug, name), *more] for name in names)):
        for age, finding, days in itertools.product(lives, findings, taken):
            yield {**dict.fromkeys(drug.inputs), **dict(zip(names, chosen, strict=True)), **finding, **days,
                   **({AGE: age} if ages else {})}


def values(drug: Drug, name: str) -> list[Any]:
    """What an input can be: all that the rows name, and every phenotype of the release."""
    wanted = [one for row in drug.rows for one in row.when.get(name, ())]
    edges = {edge for one in wanted if isinstance(one, Range) for edge in (one.low, one.high) if abs(edge) < 20}
    middles = {(low + high) / 2 for low, high in itertools.pairwise(sorted({0.0, *edges, 6.0}))} if edges else set()
    kind, _, gene = name.partition(":")
    given = table("phenotypes").filter(gene=gene)["phenotype"].to_list() if kind == "phenotype" else []
    other = ["negative", "positive"] if kind == "status" else [drug.reference[name]]
    plain = [one for one in wanted if not isinstance(one, Range) and one != UNKNOWN]
    return list(dict.fromkeys([*plain, *sorted(edges | middles), *given, *other]))


@DRUGS
def test_every_combination_of_known_inputs_has_one_leading_row(drug: Drug) -> None:
    silent = [known for known in combinations(drug) if judge(drug, known).lead is None
              and not SAYS_NOTHING & {str(value) for value in known.values()}
              and not any(one.items() <= known.items() for one in SILENT.get(drug.name, ()))]
    assert not silent, f"{len(silent)} combinations without a row, such as {silent[:3]}"


@DRUGS
def test_listed_silences_are_real(drug: Drug) -> None:
    for one in SILENT.get(drug.name, ()):
        fitting = [known for known in combinations(drug) if one.items() <= known.items()]
        assert fitting
        assert all(judge(drug, known).lead is None for known in fitting)


@DRUGS
def test_every_row_can_apply(drug: Drug) -> None:
    for_unknown = any(UNKNOWN in wanted for row in drug.rows for wanted in row.when.values())
    every = combinations(drug, *([None] if for_unknown else []))
    found = {row.key for known in every for row in judge(drug, known).applied}
    assert found == {row.key for row in drug.rows}


@DRUGS
def test_keys_are_unique_and_inputs_are_named(drug: Drug) -> None:
    keys = [row.key for row in drug.rows]
    assert len(set(keys)) == len(keys)
    read = {name for row in drug.rows for name in row.when} - {f"{DAYS}:{drug.name}"}
    assert read == set(drug.reference), "reference names exactly what the rows read"
    assert {name.partition(":")[0] for name in read} <= KINDS
    assert len(drug.inputs) <= 12
    assert all(gene_of(name) in genes() for name in read)


@DRUGS
def test_reference_is_standard_for_every_population(drug: Drug) -> None:
    applied = judge(drug, {**dict.fromkeys(drug.inputs), **drug.reference})
    assert applied.lead is not None
    assert {row.action for row in applied.applied} == {"standard"}
    at_reference = judge(drug, drug.inputs)
    assert at_reference.lead is not None


@DRUGS
def test_every_citation_resolves(drug: Drug) -> None:
    for one in drug.evidence:
        cited = one["citation"]
        identified = re.fullmatch(r"PMID:\d{6,9}|doi:10\.\d{4,}/\S+", cited)
        assert identified or ("label" in one["source"].lower() + cited.lower() and one["url"].startswith("https://"))
        assert one["url"].startswith("https://")
        assert one["source"]


@DRUGS
def test_phenotypes_are_those_of_the_release(drug: Drug) -> None:
    for name in drug.reference:
        kind, _, gene = name.partition(":")
        wanted = {one for row in drug.rows for one in row.when.get(name, ())}
        if kind == "phenotype":
            known = set(table("phenotypes").filter(gene=gene)["phenotype"]) | FROM_OUTSIDE.get(gene, set())
            assert wanted <= known
        elif kind == "status":
            assert wanted <= {"positive", "negative", UNKNOWN}


def test_every_indication_has_codes() -> None:
    findings = table("findings")
    used = {row.indication for drug in drugs().values() for row in drug.rows if row.indication}
    used |= {one.ruled_out_by for drug in drugs().values() for one in drug.alternatives if one.ruled_out_by}
    assert used <= set(findings["finding"])
    assert findings.null_count().sum_horizontal().to_list() == [0]
    assert set(findings["counts"]) == {"ever", "now"}
    assert set(findings["system"]) == {"snomed", "icd-10", "icd-9"}
    assert not findings.select("finding", "system", "code").is_duplicated().any()
    assert findings.select("finding", "words", "counts").unique()["finding"].is_unique().all()


@pytest.mark.parametrize(("system", "pattern"), [
    ("snomed", r"\d{6,18}"), ("icd-10", r"[A-Z](\d\d(\.\d{1,4})?)?"), ("icd-9", r"(\d{2,3}|V\d\d)(\.\d{1,2})?")])
def test_codes_are_well_formed(system: str, pattern: str) -> None:
    codes = table("findings").filter(system=system)["code"].to_list()
    assert codes
    assert [code for code in codes if not re.fullmatch(pattern, code)] == []
    if system == "snomed":
        assert [code for code in codes if verhoeff(code) != 0] == []


def verhoeff(code: str) -> int:
    """Checksum of a SNOMED CT identifier; 0 where it is sound (Verhoeff 1969)."""
    permutation = [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]]
    for _ in range(6):
        permutation.append([permutation[-1][permutation[1][i]] for i in range(10)])
    check = 0
    for place, digit in enumerate(map(int, reversed(code))):
        check = dihedral(check, permutation[place % 8][digit])
    return check


def dihedral(a: int, b: int) -> int:
    """Product in the dihedral group of ten elements."""
    if a < 5:
        return (a + b) % 5 if b < 5 else 5 + (a + b - 5) % 5
    return 5 + (a - 5 - b) % 5 if b < 5 else (a - b) % 5
