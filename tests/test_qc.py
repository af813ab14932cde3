"""Quality of genomes: every number is what a slow, obvious count of the text gives."""

from __future__ import annotations

import importlib.util
import json
import math
import re
import subprocess
import sys
from fractions import Fraction

import numpy as np
import polars as pl
import pysam
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pmed.errors import GenomeError, OptionError, PmedError
from pmed.genomics import qc_tables, relatives
from pmed.genomics.files import quiet_htslib
from pmed.genomics.matrix import chunks
from pmed.genomics.qc import Counted, Kinds, People, allele_counts, hardy_weinberg, person_counts, site_rows
from pmed.genomics.qc_tables import SiteTotals, person_table
from pmed.genomics.relatives import Picker, Snvs, linkage, principal_axes, related, thinned
from pmed.quality import quality

HEAD = "##fileformat=VCFv4.2\n##reference=GRCh38\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t"
PURINES, ACGT = {"A", "G"}, set("ACGT")


def vcf(folder, *lines, people=3, name="x.vcf", names=None, head=HEAD):
    """A file of lines ``CHROM POS REF ALT GT…``; a FILTER after the ALT as ``C@q10``."""
    rows = []
    for line in lines:
        chrom, pos, ref, alt, *calls = line.split()
        alt, _, flt = alt.partition("@")
        rows.append("\t".join([chrom, pos, ".", ref, alt, ".", flt or "PASS", ".", "GT", *calls]))
    file = folder / name
    file.write_text(head + "\t".join(names or [f"S{number}" for number in range(people)]) + "\n" +
                    "\n".join(rows) + "\n")
    return file


def tables(*paths, build="GRCh38", windows=99):
    """Person and site tables without plots."""
    people, rows = None, []
    for path in paths:
        for chunk in chunks(path):
            people = people or People(chunk.samples)
            kinds, calls, counts = Kinds.of(chunk, build), Counted.of(chunk), allele_counts(chunk)
            rows.append(site_rows(chunk, kinds, calls, counts))
            people.add(chunk.samples, person_counts(chunk, kinds, calls, counts))
    people.add(people.names, {"x_windows": np.array(windows)})
    return person_table(people.frame()), pl.concat(rows)


# A slow count


def alleles_of(gt):
    return [None if part == "." else int(part) for part in re.split(r"[/|]", gt)]


def state_of(gt):
    alleles = alleles_of(gt)
    known = [one for one in alleles if one is not None]
    if len(alleles) > 2:
        return "polyploid"
    if not known:
        return "missing"
    if len(known) < len(alleles):
        return "half"
    if len(alleles) == 1:
        return "haploid"
    return "het" if alleles[0] != alleles[1] else "hom_ref" if alleles[0] == 0 else "hom_alt"


def change_of(ref, alt):
    if len(ref) == len(alt) and {*ref, *alt} <= ACGT and sum(a != b for a, b in zip(ref, alt, strict=True)) == 1:
        one, two = next((a, b) for a, b in zip(ref, alt, strict=True) if a != b)
        return "transition" if (one in PURINES) == (two in PURINES) else "transversion"
    return None


def is_autosome(chrom):
    return chrom.removeprefix("chr") in {str(number) for number in range(1, 23)}


def slow_people(lines, people):
    found = [dict.fromkeys(["n_records", "n_called", "n_missing", "n_half", "n_haploid", "n_polyploid", "n_hom_ref",
                            "n_het", "n_hom_alt", "n_transitions", "n_transversions", "n_singletons"], 0)
             for _ in range(people)]
    for line in lines:
        chrom, _, ref, alt, *calls = line.split()
        alts = [] if alt == "." else alt.split(",")
        changes = [change_of(ref, one) for one in alts if one not in {"*", "<NON_REF>"}]
        carried = [[] if state_of(gt) == "polyploid" else [one for one in alleles_of(gt) if one] for gt in calls]
        for person, gt in zip(found, calls, strict=True):
            state = state_of(gt)
            person["n_records"] += 1
            person["n_called"] += state in {"haploid", "het", "hom_ref", "hom_alt"}
            person["n_missing"] += state in {"missing", "half"}
            for name in ("half", "haploid", "polyploid"):
                person[f"n_{name}"] += state == name
            if is_autosome(chrom) and changes and all(changes) and state in {"het", "hom_ref", "hom_alt"}:
                person[f"n_{state}"] += 1
        if is_autosome(chrom):
            for number, one in enumerate(alts, 1):
                copies = [carried_by.count(number) for carried_by in carried]
                for person, many in zip(found, copies, strict=True):
                    person["n_transitions"] += bool(many) and change_of(ref, one) == "transition"
                    person["n_transversions"] += bool(many) and change_of(ref, one) == "transversion"
                    person["n_singletons"] += people > 1 and sum(copies) == 1 and many == 1
    return found


def slow_sites(lines):
    for line in lines:
        _, _, _, alt, *calls = line.split()
        states = [state_of(gt) for gt in calls]
        alts = [] if alt == "." else alt.split(",")
        flat = [one for gt in calls if state_of(gt) != "polyploid" for one in alleles_of(gt) if one is not None]
        counts = [flat.count(number) for number in range(1, len(alts) + 1)]
        yield {"n_called": sum(one in {"haploid", "het", "hom_ref", "hom_alt"} for one in states),
               "n_missing": states.count("missing") + states.count("half"),
               **{f"n_{one}": states.count(one)
                  for one in ("half", "haploid", "polyploid", "hom_ref", "het", "hom_alt")},
               "allele_number": len(flat), "allele_counts": ",".join(map(str, counts)) or None}


CALLS = st.sampled_from(["0/0", "0|0", "0/0", "0/1", "1|0", "1/1", "./.", "0/.", ".|1", "0", "1", ".", "0/1/1"])
CHANGES = st.sampled_from(["A G", "A C", "C T", "AT GT", "AT AC", "AT GC", "A AT", "AT A", "A <DEL>", "A .", "A *",
                           "A G,C", "AT A,GT", "A G,*", "A G,<NON_REF>", "A <NON_REF>", "N G", "A T[chr2:5["])


@st.composite
def cohorts(draw):
    people, lines = draw(st.integers(1, 6)), []
    for pos in range(draw(st.integers(1, 12))):
        change = draw(CHANGES)
        calls = [draw(CALLS) for _ in range(people)]
        if change.endswith("."):
            calls = [call.replace("1", "0") for call in calls]
        elif "," in change:
            calls = [call.replace("0", draw(st.sampled_from("02")), 1) for call in calls]
        chrom = draw(st.sampled_from(["1", "chr2", "chr22", "chrX", "chrM", "chr1_alt"]))
        lines.append(f"{chrom} {pos + 5_000_000} {change} {' '.join(calls)}")
    return people, lines


@given(made=cohorts())
@settings(max_examples=150)
def test_counts_are_those_of_a_slow_count(tmp_path_factory, made):
    people, lines = made
    persons, sites = tables(vcf(tmp_path_factory.mktemp("q"), *lines, people=people))
    for row, wanted in zip(persons.to_dicts(), slow_people(lines, people), strict=True):
        if people == 1 or not any(is_autosome(line.split()[0]) for line in lines):
            wanted["n_singletons"] = None
        assert {name: row[name] for name in wanted} == wanted
        assert row["call_rate"] == round(wanted["n_called"] / len(lines), 6)
        snvs = wanted["n_hom_ref"] + wanted["n_het"] + wanted["n_hom_alt"]
        assert row["heterozygosity"] == (round(wanted["n_het"] / snvs, 6) if snvs else None)
        assert row["f"] is None
    for row, wanted in zip(sites.to_dicts(), slow_sites(lines), strict=True):
        assert {name: row[name] for name in wanted} == wanted


@pytest.mark.parametrize(("change", "kind", "what"), [
    ("A G", "snv", "transition"), ("t C", "snv", "transition"), ("A T", "snv", "transversion"), ("AT GT", "snv",
    "transition"), ("AT GC", "mnv", None), ("A AT", "indel", None), ("AT A,GT", "mixed", None), ("A G,C", "snv", None),
    ("A G,*", "snv", None), ("A *", "other", None), ("A <DEL>", "other", None), ("A .", "none", None),
    ("A <NON_REF>", "none", None), ("A G,<NON_REF>", "snv", "transition"), ("N G", "mnv", None)])
def test_kinds_of_records(tmp_path, change, kind, what):
    _, sites = tables(vcf(tmp_path, f"chr1 5 {change} 0/0 0/0 0/0"))
    assert sites.select("kind", "change").row(0) == (kind, what)


def test_f_is_what_plink_computes(tmp_path):
    """Of 20 people: homozygous calls beyond those expected from allele frequencies (PLINK 1.9, --het)."""
    rng = np.random.default_rng(3)
    lines = [f"chr1 {pos} A G " + " ".join(rng.choice(["0/0", "0/1", "1/1", "./."], 20, p=[.4, .3, .2, .1]))
             for pos in range(1, 40)]
    persons, _ = tables(vcf(tmp_path, *lines, people=20))
    calls = [[alleles_of(gt) for gt in line.split()[4:]] for line in lines]
    for number, told in enumerate(persons["f"]):
        seen = expected = together = 0
        for row in calls:
            known = [one for pair in row for one in pair if one is not None]
            if None not in row[number] and 0 < sum(known) < len(known):
                p, many = sum(known) / len(known), len(known)
                seen, together = seen + (row[number][0] == row[number][1]), together + 1
                expected += 1 - 2 * p * (1 - p) * many / (many - 1)
        assert told == pytest.approx((seen - expected) / (together - expected), abs=1e-5)


def test_people_of_several_files_are_one(tmp_path):
    one = vcf(tmp_path, "chr1 5 A G 0/1 1/1 0/0", name="a.vcf")
    two = vcf(tmp_path, "chr2 5 A C 0/1 ./. 0/0", name="b.vcf")
    persons, _ = tables(one, two)
    assert persons["n_records"].to_list() == [2, 2, 2]
    assert persons["n_het"].to_list() == [2, 0, 0]
    assert persons["call_rate"].to_list() == [1.0, 0.5, 1.0]
    assert persons["ti_tv"].to_list() == [1.0, None, None]


def test_phase_is_of_heterozygous_calls(tmp_path):
    lines = ["chr1 5 A G 0|1 0/1 0|0", "chr1 6 A AT 0|1 1|0 1/1", "chrX 5000000 A G 0/1 0/1 0/1"]
    persons, _ = tables(vcf(tmp_path, *lines))
    assert persons["phased_share"].to_list() == [1.0, 0.5, None]


# Hardy-Weinberg


def enumerated(hom_ref, het, hom_alt):
    """All numbers of heterozygotes that the alleles allow, in exact fractions."""
    people, copies = hom_ref + het + hom_alt, 2 * hom_alt + het
    chances = {}
    for one in range(copies % 2, min(copies, 2 * people - copies) + 1, 2):
        rest = (copies - one) // 2
        ways = math.comb(people, rest) * math.comb(people - rest, one)
        chances[one] = Fraction(ways * 2**one, math.comb(2 * people, copies))
    assert sum(chances.values()) == 1
    return float(sum(chance for chance in chances.values() if chance <= chances[het]))


@example(rows=[(1, 11, 39), (10, 38, 39)])  # two numbers of heterozygotes are as likely
@given(rows=st.lists(st.tuples(*[st.integers(0, 40)] * 3).filter(any), min_size=1, max_size=8))
def test_the_exact_test_is_the_enumeration(rows):
    found = hardy_weinberg(*(np.array(column) for column in zip(*rows, strict=True)))
    np.testing.assert_allclose(found, [enumerated(*row) for row in rows], rtol=1e-9)


def test_the_exact_test_of_large_counts_does_not_vanish():
    found = hardy_weinberg(np.array([500_000, 0]), np.array([0, 0]), np.array([500_000, 0]))
    assert found[0] < 1e-300
    assert np.isnan(found[1])
    assert hardy_weinberg(np.array([250_000]), np.array([500_000]), np.array([250_000]))[0] == pytest.approx(1)


def test_only_records_with_one_alt_of_chr1_to_chr22_are_tested(tmp_path):
    calls = "0/1 0/1 1/1"
    _, sites = tables(vcf(tmp_path, f"chr1 5 A G {calls}", f"chrX 9000000 A G {calls}", f"chr1 6 A G,C {calls}",
                          f"chrM 6 A G {calls}", f"chr1 7 A G,<NON_REF> {calls}"))
    assert [p is None for p in sites["hwe_p"]] == [False, True, True, True, False]


# Sex


def verdict(**given):
    row = {"x_calls": 0, "x_haploid_share": None, "x_het_share": None, "x_alt": 0, "x_windows": 100, "y_records": 0,
           "y_call_rate": None}
    types = {name: pl.Float64 if "share" in name or "rate" in name else pl.Int64 for name in row}
    return pl.DataFrame([{**row, **given}], schema=types).select(sex=qc_tables.sex())["sex"][0]


def x(het, alt=100, haploid=0.0, calls=500):
    return {"x_calls": calls, "x_haploid_share": haploid, "x_het_share": het, "x_alt": alt}


def y(rate, records=100):
    return {"y_records": records, "y_call_rate": rate}


@pytest.mark.parametrize(("given", "sex"), [
    ({}, "unknown"), (x(0.6), "female"), (x(0.05), "male"), (x(0.25), "unclear"), (x(0.6) | y(0.0), "female"),
    (x(0.05) | y(1.0), "male"), (x(0.6) | y(1.0), "unclear"), (x(0.05) | y(0.0), "unclear"),
    (x(0.6) | y(0.3), "unclear"), (x(None, 0, 1.0), "male"), (x(None, 0, 1.0) | y(0.0), "unclear"),
    (x(0.6, haploid=0.5), "unclear"), (x(0.6, alt=5), "unknown"), (x(0.6, calls=9), "unknown"),
    (x(0.05) | {"x_windows": 2}, "unknown"), (y(1.0), "male"), (y(0.0), "unclear"), (y(1.0, 5), "unknown"),
    (x(0.6) | y(0.0, 5), "female")])
def test_sex_is_never_guessed(given, sex):
    assert verdict(**given) == sex


def test_two_alleles_mean_two_x_only_where_somebody_has_one(tmp_path):
    def lines(first):
        return [f"X {3_000_000 + pos} A G {first} 0/0 0/0" for pos in range(30)]
    assert tables(vcf(tmp_path, *lines("0")))[0]["sex"].to_list() == ["male", "female", "female"]
    assert tables(vcf(tmp_path, *lines("0/0")))[0]["sex"].to_list() == ["unknown"] * 3


@pytest.mark.parametrize(("build", "pos", "counted"), [
    ("GRCh38", 2_781_479, 0), ("GRCh38", 2_781_480, 1), ("GRCh37", 2_699_521, 1), ("", 2_699_521, 0),
    ("", 2_781_480, 1), ("GRCh38", 155_701_383, 0), ("", 154_931_044, 0)])
def test_pseudo_autosomal_regions_are_not_x(tmp_path, build, pos, counted):
    persons, _ = tables(vcf(tmp_path, f"chrX {pos} A G 0/1 0/0 1"), build=build)
    assert persons["x_calls"].to_list() == [counted] * 3


def test_y_does_not_count_against_those_without(tmp_path):
    lines = [f"chrY {6_000_000 + pos} A G 0 . ." for pos in range(30)]
    persons, sites = tables(vcf(tmp_path, *lines, "chr1 5 A G 0/0 0/1 ./."))
    assert persons["call_rate"].to_list() == [1.0, 1.0, 0.0]
    assert persons["y_call_rate"].to_list() == [1.0, 0.0, 0.0]
    assert persons["sex"].to_list() == ["male", "unclear", "unclear"]
    assert sites["call_rate"].to_list() == pytest.approx([1 / 3] * 30 + [2 / 3])


# Relatives


def families(snvs, people, seed=1, missing=0.01):
    """Dosages of unlinked SNVs: 0 and 1 have the children 2 and 3, 0 and 7 the child 6; 4 and 5 are one person."""
    rng = np.random.default_rng(seed)
    haplotypes = (rng.random((snvs, people, 2)) < rng.uniform(0.15, 0.5, snvs)[:, None, None]).astype(np.int8)
    for child, *parents in ((2, 0, 1), (3, 0, 1), *([(6, 0, 7)] if people > 7 else [])):
        for side, parent in enumerate(parents):
            haplotypes[:, child, side] = haplotypes[np.arange(snvs), parent, rng.integers(0, 2, snvs)]
    haplotypes[:, 5] = haplotypes[:, 4]
    return np.where(rng.random((snvs, people)) < missing, -1, haplotypes.sum(axis=2)).astype(np.int8)


def snvs_of(dosage, apart=100_000):
    sites = pl.DataFrame({"chrom": ["chr1"] * len(dosage), "pos": np.arange(1, len(dosage) + 1) * apart,
                          "ref": ["A"] * len(dosage), "alt": ["G"] * len(dosage)})
    return Snvs(tuple(f"S{number}" for number in range(dosage.shape[1])), sites, dosage)


def slow_kinship(one, two):
    """Manichaikul 2010, equation 11, SNV by SNV."""
    both = [(a, b) for a, b in zip(one.tolist(), two.tolist(), strict=True) if a >= 0 and b >= 0]
    hets = sum(a == b == 1 for a, b in both)
    apart = sum({a, b} == {0, 2} for a, b in both)
    first, second = sum(a == 1 for a, _ in both), sum(b == 1 for _, b in both)
    less = min(first, second)
    return (hets - 2 * apart) / (2 * less) + 0.5 - 0.25 * (first + second) / less


def test_families_and_doubles_are_found(monkeypatch):
    monkeypatch.setattr(relatives, "_TILE", 7)
    dosage = families(1500, 30)
    found = related(snvs_of(dosage))
    assert found.compared == 30 * 29 // 2
    assert found.spread.sum() == found.compared
    relations = {(row["sample_1"], row["sample_2"]): row["relation"] for row in found.pairs.to_dicts()}
    assert relations == {("S4", "S5"): "duplicate", **dict.fromkeys(
        [("S0", "S2"), ("S0", "S3"), ("S1", "S2"), ("S1", "S3"), ("S2", "S3"), ("S0", "S6"), ("S6", "S7")],
        "first-degree")}
    for row in found.pairs.to_dicts():
        one, two = (dosage[:, int(row[name][1:])] for name in ("sample_1", "sample_2"))
        both = (one >= 0) & (two >= 0)
        assert row["kinship"] == pytest.approx(slow_kinship(one, two), abs=1e-5)
        assert row["n_snvs"] == both.sum()
        assert row["n_ibs0"] == (abs(one - two)[both] == 2).sum()
        assert row["n_ibs2"] == (one == two)[both].sum()
    assert found.pairs["n_ibs0"].to_list()[0] == 0


def test_too_few_snps_give_no_verdict():
    found = related(snvs_of(families(499, 10)))
    assert found.reason == "too few SNPs: 499, 500 are needed"
    assert (found.compared, found.pairs.height) == (0, 0)
    assert related(snvs_of(families(500, 10, missing=0))).reason == ""


def test_a_pair_with_too_few_snps_in_common_is_not_judged():
    dosage = families(900, 8, missing=0)
    dosage[:450, 4], dosage[450:, 5] = -1, -1
    found = related(snvs_of(dosage))
    assert found.compared == 28 - 13  # neither of the two shares 500 with anybody
    assert "duplicate" not in found.pairs["relation"].to_list()


def test_too_many_people_are_not_compared(monkeypatch):
    monkeypatch.setattr(relatives, "MOST_PEOPLE", 9)
    assert related(snvs_of(families(600, 10))).reason == "too many people: 10, at most 9"


def test_linked_snvs_are_thinned():
    dosage = np.repeat(families(60, 40, missing=0), 3, axis=0)
    kept = thinned(snvs_of(dosage, apart=10))
    assert 40 <= len(kept.dosage) <= 60
    assert len({row.tobytes() for row in kept.dosage}) == len(kept.dosage)


def test_few_people_are_compared_by_snvs_far_apart():
    kept = thinned(snvs_of(families(100, 6), apart=20_000))
    assert kept.sites["pos"].diff().drop_nulls().min() == 60_000


def test_components_part_two_populations():
    rng = np.random.default_rng(2)
    shares = rng.uniform(0.1, 0.9, (300, 2))
    dosage = rng.binomial(2, np.repeat(shares, 20, axis=1)).astype(np.int8)
    dosage[rng.random(dosage.shape) < 0.02] = -1
    axes = principal_axes(snvs_of(dosage))
    first = axes.people["pc1"].to_numpy()
    assert abs(np.sign(first[:20]).sum() - np.sign(first[20:]).sum()) == 40
    assert first[np.abs(first).argmax()] > 0
    assert axes.explained[0] > 3 * axes.explained[1]
    dosage[:, 7] = -1
    nobody = principal_axes(snvs_of(dosage)).people.drop("sample").row(7)
    assert max(map(abs, nobody)) < 1e-5
    assert principal_axes(snvs_of(dosage[:99])).reason == "too few SNPs: 99, 100 are needed"
    assert principal_axes(snvs_of(dosage[:, :19])).reason == "too few people in every file: 19, 20 are needed"


def test_linkage_by_distance():
    dosage = np.repeat(families(100, 60, missing=0), 2, axis=0)
    snvs = snvs_of(dosage, apart=1)
    pos = np.arange(200) // 2 * 20_000 + np.arange(200) % 2 * 100 + 1
    found = linkage(Snvs(snvs.samples, snvs.sites.with_columns(pos=pl.Series(pos)), dosage))
    near, *far = found["mean_r2"].to_list()
    assert (found["n_pairs"][0], found["from_bases"][0]) == (100, 0)
    assert near == pytest.approx(1)
    assert max(far) < 0.1
    assert linkage(snvs_of(dosage[:, :19])).height == 0


def picked(samples, *paths):
    picker = Picker(samples)
    for path in paths:
        for chunk in chunks(path):
            picker.add(chunk, Kinds.of(chunk, "GRCh38"), Counted.of(chunk))
    return picker


def test_common_snvs_of_everybody_are_picked(tmp_path):
    one = vcf(tmp_path, "chr2 9 A G 0/1 1/1 0/0", "chr2 10 A AT 0/1 1/1 0/0", "chr2 11 A G,C 0/1 1/1 0/0",
              "chr2 12 A G@q10 0/1 1/1 0/0", "chr2 13 A G 0/0 0/0 0/0", "chr2 14 A G 0/1 ./. 0/0",
              "chr2 15 A G 0/1 1 0/0", "chrX 5000000 A G 0/1 1/1 0/0", name="a.vcf")
    two = vcf(tmp_path, "chr1 9 A G 0/1 1/1 0/0", "chr2 9 A G 1/1 1/1 0/1", name="b.vcf", names=["S2", "T", "S0"])
    found = picked(("S0", "S2"), one, two).snvs()
    assert found.sites.select("chrom", "pos").rows() == [("chr1", 9), ("chr2", 9), ("chr2", 14), ("chr2", 15)]
    assert found.dosage.tolist() == [[0, 1], [1, 0], [1, 0], [1, 0]]


def test_of_too_many_snvs_every_second_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(relatives, "MOST_SNVS", 10)
    lines = [f"chr1 {pos} A G 0/1 1/1 0/0" for pos in range(78)]
    paths = [vcf(tmp_path, *lines[first:first + 6], name=f"{first}.vcf") for first in range(0, 78, 6)]
    assert picked(("S0", "S1", "S2"), *paths).snvs().sites["pos"].to_list() == list(range(0, 78, 8))


def test_snvs_that_few_are_called_at_are_left_out():
    dosage = np.tile(np.array([0, 1, 2, 1], dtype=np.int8), (3, 5))
    dosage[1, 0], dosage[2, :2] = -1, -1
    assert relatives.is_common(dosage).tolist() == [True, True, False]
    assert not relatives.is_common(np.array([[0] * 10 + [1]], dtype=np.int8)).any()


# The command's work


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    """A family among 30 people in two files, with X and Y: people with an even number are male."""
    folder = tmp_path_factory.mktemp("cohort")
    dosage, rng = families(1200, 30), np.random.default_rng(8)
    text = np.array(["0/0", "0/1", "1/1", "./."])
    autosomes = [f"chr{1 + row // 600} {60_000 * (row % 600 + 1)} A {'GC'[row % 2]} " + " ".join(text[calls])
                 for row, calls in enumerate(dosage)]
    names = ["<b>&x</b>", *(f"S{number}" for number in range(1, 30))]
    sex = [f"X {3_000_000 + 300_000 * row} A G " + " ".join(
        str(rng.integers(0, 2)) if person % 2 == 0 else "/".join(map(str, rng.integers(0, 2, 2)))
        for person in range(30)) for row in range(120)]
    sex += [f"Y {6_000_000 + 1_000 * row} A G " + " ".join("0." [person % 2] for person in range(30))
            for row in range(25)]
    return (vcf(folder, *autosomes, name="autosomes.vcf", names=names), vcf(folder, *sex, name="sex.vcf", names=names))


def test_a_report_is_written_whole(cohort, tmp_path):
    told = []
    summary = quality(cohort, tmp_path / "out", progress=told.append)
    files = {path.name for path in (tmp_path / "out").iterdir()}
    assert files == {"samples.tsv", "sites.tsv", "pairs.tsv", "components.tsv", "linkage.tsv", "summary.json",
                     "index.html", "call_rate.png", "heterozygosity.png", "ratios.png", "sex.png", "sites.png",
                     "relatives.png", "components.png", "linkage.png"}
    assert summary == json.loads((tmp_path / "out" / "summary.json").read_bytes())
    assert (summary["samples"], summary["records"], summary["build"]) == (30, 1345, "GRCh38")
    assert summary["sex"] == {"female": 15, "male": 15}
    assert summary["relatives"]["not_done"] is None
    assert (summary["relatives"]["duplicates"], summary["relatives"]["first_degree"]) == (1, 7)
    assert "autosomes.vcf: 1,200 records" in told
    page = (tmp_path / "out" / "index.html").read_text()
    assert "&lt;b&gt;" in page
    assert "<b>" not in page
    assert page.count("data:image/png;base64,") == 8
    sites = pl.read_csv(tmp_path / "out" / "sites.tsv", separator="\t", infer_schema_length=None)
    assert sites["file"].unique(maintain_order=True).to_list() == ["autosomes.vcf", "sex.vcf"]
    assert sites["source_row"].to_list() == [*range(1, 1201), *range(1, 146)]
    quality(cohort, tmp_path / "again")
    for name in files:
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "out" / name).read_bytes(), name


def test_some_people_only(cohort, tmp_path):
    summary = quality(cohort, tmp_path / "out", samples=["S4", "S5", "S7"])
    assert summary["samples"] == 3
    assert summary["relatives"]["duplicates"] == 1
    people = pl.read_csv(tmp_path / "out" / "samples.tsv", separator="\t")
    assert people["sample"].to_list() == ["S4", "S5", "S7"]


def test_files_of_different_people_are_not_compared(tmp_path):
    lines = [f"chr1 {60_000 * row} A G 0/1" for row in range(1, 700)]
    lines += [f"chrY {6_000_000 + row} A G 1" for row in range(30)]
    files = [vcf(tmp_path, *lines, name=f"{name}.vcf", names=[name]) for name in ("P", "Q")]
    summary = quality(files, tmp_path / "out")
    assert summary["samples"] == 2
    assert summary["relatives"]["not_done"] == "too few people in every file: 0, 2 are needed"
    people = pl.read_csv(tmp_path / "out" / "samples.tsv", separator="\t")
    assert people["n_records"].to_list() == [699, 699]
    assert people["n_singletons"].to_list() == [None, None]
    assert people["y_records"].to_list() == [0, 0]
    assert people["sex"].to_list() == ["unknown", "unknown"]


def test_sex_by_two_alleles_needs_calls_from_all_over_x(tmp_path):
    for apart, wanted in ((1_500_000, ["female", "male"]), (15_000, ["unknown", "unknown"])):
        path = vcf(tmp_path, *[f"chrX {3_000_000 + apart * row} A G 0/1 1/1" for row in range(30)], people=2)
        quality([path], tmp_path / f"{apart}")
        people = pl.read_csv(tmp_path / f"{apart}" / "samples.tsv", separator="\t")
        assert people["sex"].to_list() == wanted


def test_what_cannot_be_done_leaves_nothing_behind(tmp_path, cohort):
    good = vcf(tmp_path, "chr1 5 A G 0/0 0/1 1/1", name="good.vcf")
    bad = vcf(tmp_path, "chr1 5 A G 0/0 0/1 1/1", "chr1 x A G 0/0 0/1 1/1", name="bad.vcf")
    empty = vcf(tmp_path, name="empty.vcf")
    other = vcf(tmp_path, "chr1 5 A G 0/0 0/1 1/1", name="other.vcf", head=HEAD.replace("38", "37"))
    before = sorted(tmp_path.iterdir())
    for paths, error, said in (([], OptionError, "no genome"), ([good, good], OptionError, "given twice"),
                               ([good, bad], GenomeError, "POS is not"), ([empty], GenomeError, "there is no record"),
                               ([good, other], GenomeError, "are on GRCh37 and GRCh38")):
        with pytest.raises(error, match=said):
            quality(paths, tmp_path / "out")
    with pytest.raises(GenomeError, match="no sample 'Z'"):
        quality([good], tmp_path / "out", samples=["Z"])
    with pytest.raises(PmedError, match="is there already"):
        quality([good], cohort[0].parent)
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("line", ["chrY 9000000 A G 0 .", "chr1 5 A . 0/0 0/0", "chr1 5 A G ./. ./.", "chrM 5 A G 0 1",
                                  "chr1 5 A <DEL> 0/1 1/1", "chr1 5 A G 0/1/1 0/1/1", "hs37d5 5 A G 0/1 0/1"])
def test_the_smallest_of_files_are_reported(tmp_path, line):
    path = vcf(tmp_path, line, people=2)
    assert quality([path], tmp_path / "two")["records"] == 1
    assert quality([path], tmp_path / "one", samples=["S0"])["samples"] == 1
    assert (tmp_path / "one" / "index.html").is_file()


def test_faults_and_failed_filters_are_told(tmp_path):
    path = vcf(tmp_path, "chr1 5 A G 0/0 0/2 1/1", "chr1 6 A G@. 0/0 0/1 1/1", "chr1 7 A G@q10 0/0 0/1 1/1")
    summary = quality([path], tmp_path / "out")
    assert summary["filter_failed"] == 1
    assert summary["faults"]["number"] == 1
    assert "line 4: a genotype names allele 2" in summary["faults"]["first"][0]


def test_what_is_not_installed_is_said_before_anything_is_read(tmp_path, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec",
                        lambda name, *more: None if name == "allel" else found(name, *more))
    with pytest.raises(PmedError, match="scikit-allel is not installed") as error:
        quality([tmp_path / "missing.vcf"], tmp_path / "out")
    assert "[lab]" in error.value.hint


def test_heavy_libraries_are_imported_when_used():
    code = "import sys, pmed.quality; sys.exit(bool({'allel', 'matplotlib', 'jinja2'} & {*sys.modules}))"
    subprocess.run([sys.executable, "-c", code], check=True)


# Real data


def test_one_gene_of_the_panel_is_too_little_for_relatives(shared, tmp_path):
    """CYP2D6 of 2,562 people; every hundredth person counted through ``VariantRecord``."""
    path = shared / "data/1kgp/GRCh38/CYP2D6.vcf.gz"
    summary = quality([path], tmp_path / "out")
    assert re.fullmatch(r"too few SNPs: \d+, 500 are needed", summary["relatives"]["not_done"])
    assert summary["sex"] == {"unknown": 2562}
    people = pl.read_csv(tmp_path / "out" / "samples.tsv", separator="\t")
    some = people["sample"].to_list()[::100]
    slow = {name: dict.fromkeys(("n_hom_ref", "n_het", "n_hom_alt", "n_transitions", "n_transversions"), 0)
            for name in some}
    with quiet_htslib(), pysam.VariantFile(str(path)) as file:
        file.subset_samples(some)
        for record in file:
            change = change_of(record.ref, record.alts[0])
            for name, call in record.samples.items() if change else ():
                copies = sum(call.allele_indices)
                slow[name][("n_hom_ref", "n_het", "n_hom_alt")[copies]] += 1
                slow[name][f"n_{change}s"] += copies > 0
    told = {row["sample"]: row for row in people.to_dicts()}
    assert slow == {name: {column: told[name][column] for column in slow[name]} for name in some}


def test_the_sexes_of_the_panel(shared):
    persons, _ = tables(shared / "data/1kgp/GRCh38/G6PD.vcf.gz", build="", windows=1)
    assert dict(persons.group_by("sex").len().iter_rows()) == {"female": 1270, "male": 1292}


def test_totals_of_the_panel(shared):
    """Transitions and transversions, and F of an inbred mean near zero, in one gene."""
    sites = SiteTotals()
    for chunk in chunks(shared / "data/1kgp/GRCh38/VKORC1.vcf.gz"):
        kinds, calls, counts = Kinds.of(chunk, ""), Counted.of(chunk), allele_counts(chunk)
        sites.add(site_rows(chunk, kinds, calls, counts), kinds, counts, len(chunk.samples))
    with quiet_htslib(), pysam.VariantFile(str(shared / "data/1kgp/GRCh38/VKORC1.vcf.gz")) as file:
        changes = [change_of(record.ref, alt) for record in file for alt in record.alts]
    assert (sites.transitions, sites.transversions) == (changes.count("transition"), changes.count("transversion"))
    assert sites.records == sum(sites.call_rates) == sum(sites.kinds.values())
