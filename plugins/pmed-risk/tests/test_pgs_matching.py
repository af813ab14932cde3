"""The matcher against a slow one that tries every record for every row, in the words of the rules."""

from __future__ import annotations

from collections import Counter

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmed_risk.pgs.matching import TYPES, Rules, match
from pmed_risk.pgs.wanted import key_of

PAIRED = {"A": "T", "C": "G", "G": "C", "T": "A"}
ROWS = {"score": pl.UInt32, "row": pl.UInt32, "chrom": pl.String, "pos": pl.Int64, "effect": pl.String,
        "other": pl.String, "kind": pl.String}
VARIANTS = {"record": pl.Int64, "chrom": pl.String, "pos": pl.Int64, "ref": pl.String, "alt": pl.String,
            "filter": pl.String}
ALLELE = st.sampled_from(["A", "C", "G", "T", "AC", "GT"])
RULES = st.builds(Rules, st.booleans(), st.booleans(), st.booleans())


def flip(allele):
    return "".join(PAIRED[base] for base in reversed(allele)) if allele else allele


def slow_type(effect, other, ref, alt):
    """Number of the first way in which a row and an ALT are the same variant."""
    for number, (one, two) in enumerate([(effect, other), (flip(effect), flip(other))]):
        if other and (one, two) == (ref, alt):
            return 2 * number
        if other and (one, two) == (alt, ref):
            return 2 * number + 1
    for number, one in enumerate([effect, flip(effect)]):
        if not other and one == ref:
            return 4 + 2 * number
        if not other and one == alt:
            return 5 + 2 * number
    return None


def slow_match(rows, variants, rules):
    """{(score, row): (record, allele, type, status)}"""
    best = {}
    for score, row, chrom, pos, effect, other, kind in rows:
        found = []
        for record, its_chrom, its_pos, ref, alts, failed in variants:
            for number, alt in enumerate(alts.split(",") if alts else [None], 1):
                code = slow_type(effect, other, ref, alt)
                if (chrom, pos) == (its_chrom, its_pos) and code is not None:
                    found.append((code, record, number, ref, alt, "," in (alts or ""), failed))
        if found:
            best[score, row] = (*min(found, key=lambda one: one[:3]), kind)
    used = Counter((score, one[1], one[2], one[7]) for (score, _), one in best.items())
    result = {}
    for (score, row), (code, record, number, ref, alt, several, failed, kind) in best.items():
        reasons = [("duplicate", used[score, record, number, kind] > 1),
                   ("ambiguous", ref == flip(alt) and not rules.keep_ambiguous),
                   ("multiallelic", several and not rules.keep_multiallelic),
                   ("filtered", failed not in {None, "PASS"} and not rules.ignore_filters)]
        status = next((name for name, holds in reasons if holds), "matched")
        result[score, row] = (record, 0 if code % 2 == 0 else number, TYPES[code], status)
    return result


@st.composite
def cases(draw):
    place = st.tuples(st.sampled_from(["chr1", "chr2"]), st.integers(1, 2))
    rows = [(draw(st.integers(0, 1)), number, *draw(place), draw(ALLELE), draw(st.none() | ALLELE),
             draw(st.sampled_from(["additive", "dominant"]))) for number in range(draw(st.integers(0, 6)))]
    alts = st.none() | st.lists(ALLELE, min_size=1, max_size=3, unique=True).map(",".join)
    variants = [(number, *draw(place), draw(ALLELE), draw(alts), draw(st.sampled_from([None, "PASS", "q10"])))
                for number in range(draw(st.integers(0, 6)))]
    return rows, variants


def quick_match(rows, variants, rules):
    key = key_of({"chr1": 0, "chr2": 1})
    found = match(pl.DataFrame(rows, schema=ROWS, orient="row").with_columns(key=key),
                  pl.DataFrame(variants, schema=VARIANTS, orient="row").with_columns(key=key), rules)
    return {(one["score"], one["row"]): (one["record"], one["allele"], one["type"], one["status"])
            for one in found.iter_rows(named=True)}


@given(cases(), RULES)
def test_equal_to_the_slow_matcher(case, rules):
    assert quick_match(*case, rules) == slow_match(*case, rules)


@pytest.mark.parametrize(("effect", "other", "kind", "allele", "status"), [
    ("G", "A", "altref", 1, "matched"), ("A", "G", "refalt", 0, "matched"),
    ("C", "T", "altref_flip", 1, "matched"), ("T", "C", "refalt_flip", 0, "matched"),
    ("A", None, "no_oa_ref", 0, "matched"), ("G", None, "no_oa_alt", 1, "matched"),
    ("T", None, "no_oa_ref_flip", 0, "matched"), ("C", None, "no_oa_alt_flip", 1, "matched")])
def test_each_type_once(effect, other, kind, allele, status):
    found = quick_match([(0, 0, "chr1", 5, effect, other, "additive")], [(0, "chr1", 5, "A", "G", None)], Rules())
    assert found == {(0, 0): (0, allele, kind, status)}


def test_the_same_variant_from_both_alleles_is_excluded_in_one_score_only():
    rows = [(0, 0, "chr1", 5, "A", "G", "additive"), (0, 1, "chr1", 5, "G", "A", "additive"),
            (1, 0, "chr1", 5, "G", "A", "additive")]
    found = quick_match(rows, [(0, "chr1", 5, "A", "G", None)], Rules())
    assert [one[3] for one in found.values()] == ["duplicate", "duplicate", "matched"]
