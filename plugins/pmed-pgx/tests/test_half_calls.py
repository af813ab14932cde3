"""DPYD and RYR1 with one of two alleles read: what it may be is told, and what is known to be wrong is not lost."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pmed.tables import TABLES
from pmed_pgx import calls
from pmed_pgx.knowledge import genes
from pmed_pgx.matcher import ABSENT, HALF_CALL, HOMOZYGOUS, ONE_SET, UNPHASED
from pmed_pgx.patterns import Grid, patterns
from pmed_pgx.reasons import remarks

STAR_2A, OTHER = "rs3918290", "rs67376798"  # c.1905+1G>A, c.2846A>T
MHS, UNCERTAIN = "Malignant Hyperthermia Susceptibility", "Uncertain Susceptibility"
NM, IM, PM = (f"{kind} Metabolizer" for kind in ("Normal", "Intermediate", "Poor"))


def called(name: str, group: int = UNPHASED, **sites: tuple[int, int]) -> dict[str, Any]:
    """The row of a gene, all sites of which are REF but those named."""
    gene = genes()[name]
    codes = np.zeros((len(gene.sites), 2), dtype=np.int8)
    groups = np.full(len(gene.sites), HOMOZYGOUS, dtype=np.int64)
    for p, site in enumerate(gene.sites):
        if site.name in sites:
            codes[p] = sites[site.name]
            groups[p] = HOMOZYGOUS if codes[p, 0] == codes[p, 1] else group
    return calls.call(gene, codes, groups, assumed=False)


def codes_of(row: dict[str, Any]) -> list[str]:
    return [one["code"] for one in row["messages"]]


@pytest.mark.parametrize(("group", "pair"), [(UNPHASED, (HALF_CALL, 1)), (ONE_SET, (1, HALF_CALL))])
def test_a_variant_on_one_strand_and_nothing_on_the_other(group, pair):
    row = called("DPYD", group, **{STAR_2A: pair})
    assert row["status"] == "ambiguous"
    assert not row["complete"]
    assert row["phenotype"] is row["activity_score"] is None
    assert row["diplotypes"] == ["Reference/c.1905+1G>A (*2A)"]
    assert row["possible_diplotypes"] == ["Reference/c.1905+1G>A (*2A)", "c.1905+1G>A (*2A)/c.1905+1G>A (*2A)"]
    assert row["possible_phenotypes"] == [IM, PM]
    assert {"half-call", "at-least"} <= set(codes_of(row))


def test_reference_on_one_strand_says_nothing_of_the_other():
    row = called("DPYD", **{STAR_2A: (HALF_CALL, 0)})
    assert (row["status"], row["complete"], row["phenotype"]) == ("ambiguous", False, None)
    assert row["possible_phenotypes"] == [NM, IM]
    assert "at-least" not in codes_of(row)


@pytest.mark.parametrize(("pair", "phenotype", "possible"), [
    ((HALF_CALL, 1), MHS, [MHS]), ((HALF_CALL, 0), None, [UNCERTAIN, MHS])])
def test_one_variant_of_malignant_hyperthermia_is_enough(pair, phenotype, possible):
    row = called("RYR1", rs193922762=pair)
    assert (row["status"], row["phenotype"], row["possible_phenotypes"]) == ("ambiguous", phenotype, possible)
    assert row["complete"] == (phenotype is not None)


def test_half_a_call_of_a_site_of_several_alts_keeps_what_was_read():
    """RYR1 rs193922764 on the grid: an ALT on one strand, nothing on the other."""
    gene = genes()["RYR1"]
    rows = [(gene.chrom, *row, site.name) for site in gene.sites for row in site.rows("GRCh38")]
    cells = [{"sample": "a", "chrom": chrom, "pos": pos, "ref": ref, "alt": alt, "ploidy": 2, **(
        {"state": "half-call", "allele_2": 1 if alt == "T" else 2} if name == "rs193922764" else
        {"state": "called", "allele_1": 0, "allele_2": 0})} for chrom, pos, ref, alt, name in sorted(rows)]
    grid = Grid.of(TABLES["genotypes"].frame(cells))
    [(codes, _, _)] = patterns(grid, gene, "GRCh38", np.array([0])).kept
    [place] = [p for p, site in enumerate(gene.sites) if site.name == "rs193922764"]
    assert sorted(codes[place].tolist()) == [HALF_CALL, gene.sites[place].alleles.index("T")]


def test_in_a_list_no_variant_is_named_that_was_not_read():
    """Not phased: only what was read is listed, and it may be worse."""
    row = called("DPYD", **{STAR_2A: (0, 1), OTHER: (0, 1), "rs55886062": (HALF_CALL, 0)})
    assert row["status"] == "ambiguous"
    assert row["diplotypes"] == ["c.1905+1G>A (*2A)", "c.2846A>T"]
    # One strand more without function changes the score and not the phenotype.
    assert (row["phenotype"], row["activity_score"]) == (PM, None)
    assert "at-least" in codes_of(row)


def test_too_many_half_calls_are_not_listed_and_stay_open():
    half = {site.name: (HALF_CALL, 0) for site in genes()["DPYD"].sites[:10]}
    row = called("DPYD", **half)
    assert (row["status"], row["phenotype"], row["possible_phenotypes"]) == ("ambiguous", None, [])
    assert not row["complete"]


def test_a_variant_beside_a_key_site_that_was_not_read_is_told_too():
    row = called("DPYD", **{STAR_2A: (0, 1), OTHER: (ABSENT, ABSENT)})
    assert not row["complete"]
    [text] = [one["text"] for one in row["messages"] if one["code"] == "at-least"]
    assert text == "at least c.1905+1G>A (*2A) was read, and what was not read can only add to it"
    settled = called("DPYD", **{STAR_2A: (0, 1)})
    assert "at-least" not in codes_of(settled)


def test_advice_on_fluoropyrimidines_warns_of_it():
    row = {"patient_id": "a", **called("DPYD", **{STAR_2A: (HALF_CALL, 1)})}
    said = remarks(TABLES["gene_results"].frame([row]))
    [caution] = said.filter(drug="capecitabine")["remarked"][0].to_list()
    assert caution == {"code": "at-least", "text": "DPYD: at least c.1905+1G>A (*2A) was read, and what was not read "
                                                   "can only add to it"}
