"""The same people on GRCh37 and GRCh38 are called the same: one invented person, and 1,983 people of the panel."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pmed
from pmed.errors import GenomeError
from pmed.tables import TABLES
from pmed_pgx.caller import PgxCaller
from pmed_pgx.imports.builds import Positions37, moved_change
from pmed_pgx.knowledge import Gene, Site, genes
from pmed_pgx.patterns import SITE, Grid, patterns

BUILDS = ("GRCh37", "GRCh38")
GENES = ("CYP2C19", "CYP2C9", "TPMT", "SLCO1B1", "VKORC1")
# Sites whose GRCh37 position is published nowhere in the sources of the release: unknown in a GRCh37 genome.
# On GRCh37 mitochondrial DNA goes by two sequences of one name.
UNPLACED = {"CYP2D6": 1, "MT-RNR1": 23}


def test_how_many_sites_have_no_place_on_grch37() -> None:
    unplaced = {name: sum(site.pos37 is None for site in gene.sites) for name, gene in genes().items()}
    assert {name: n for name, n in unplaced.items() if n} == UNPLACED


def test_no_result_rests_on_a_site_without_a_place_on_grch37() -> None:
    for gene in genes().values():
        assert gene.name in UNPLACED or all(gene.sites[p].pos37 is not None for p in gene.key_sites), gene.name


def test_the_builds_of_a_gene_are_one_shift_apart() -> None:
    """A published position that is not where its neighbours are would be a slip of the table."""
    for gene in genes().values():
        assert len({site.pos37 - site.pos for site in gene.sites if site.pos37 is not None}) <= 1, gene.name


def test_ref_and_alt_that_changed_places() -> None:
    swapped = {site.name: site.rows("GRCh37") for gene in genes().values() for site in gene.sites
               if site.ref37 not in (None, site.alleles[0])}
    assert swapped == {"rs3758581": [(96602623, "G", "A")], "rs776746": [(99270539, "C", "T")],
                       "rs1135840": [(42522613, "G", "C")], "rs16947": [(42523943, "A", "G")],
                       "rs1801265": [(98348885, "G", "A")]}


@pytest.mark.parametrize(("site", "rows"), [
    (Site("plain", 10, ("C", "T"), 4, "C"), [(4, "C", "T")]),
    (Site("swapped", 10, ("A", "G"), 4, "G"), [(4, "G", "A")]),
    (Site("three", 10, ("T", "C", "G"), 4, "C"), [(4, "C", "T"), (4, "C", "G")]),
    (Site("third", 10, ("T", "C"), 4, "G"), [(4, "G", "T"), (4, "G", "C")]),
    (Site("nowhere", 10, ("T", "C"), None, None), [])])
def test_rows_of_a_site_on_the_other_build(site: Site, rows: list[tuple[int, str, str]]) -> None:
    assert site.rows("GRCh37") == rows
    assert [row[1] for row in site.rows("GRCh38")] == [site.alleles[0]] * (len(site.alleles) - 1)


# A made-up gene: a plain site, one whose REF and ALT are swapped, and one of three bases whose REF is another.
TOY_SITES = (Site("s1", 1000, ("C", "T"), 500, "C"), Site("s2", 2000, ("A", "G"), 1500, "G"),
             Site("s3", 3000, ("T", "C", "G"), 2500, "C"))
TOY = Gene("TOY", "chr9", TOY_SITES, ("*1",), np.ones((1, 3, 3), dtype=bool), np.ones((1, 3), dtype=bool),
           {"*1": "*1"}, {}, {}, "function", {}, {}, "")
PAIRS = st.tuples(*(st.tuples(st.sampled_from(site.alleles), st.sampled_from(site.alleles)) for site in TOY_SITES))


def record(chrom: str, place: list[tuple[int, str, str]], pair: tuple[str, str], sign: str) -> str:
    """One line that names every allele of a site."""
    alleles = [place[0][1], *(alt for _, _, alt in place)]
    call = sign.join(str(alleles.index(base)) for base in pair)
    return f"{chrom}\t{place[0][0]}\t.\t{alleles[0]}\t{','.join(alleles[1:])}\t.\tPASS\t.\tGT\t{call}\n"


def genome(path: Path, build: str, lines: list[str]) -> Path:
    path.write_text(f"##fileformat=VCFv4.2\n##reference={build}\n"
                    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tP\n" + "".join(lines))
    return path


@settings(max_examples=40)
@given(pairs=PAIRS, sign=st.sampled_from("|/"), order=st.permutations(range(4)))
def test_a_swapped_site_is_read_by_its_bases(pairs: Any, sign: str, order: list[int]) -> None:
    """The grid of either build gives the same bases, in whatever order its rows come and however the ALTs are split."""
    seen = {}
    for build in BUILDS:
        rows = [(TOY.chrom, *row, site, pair) for site, pair in zip(TOY_SITES, pairs, strict=True)
                for row in site.rows(build)]
        cells = [{"sample": "P", "chrom": chrom, "pos": pos, "ref": ref, "alt": alt, "ploidy": 2, "state": "called",
                  "phased": sign == "|", **{f"allele_{n}": {ref: 0, alt: 1}.get(base, 2) for n, base in
                                            enumerate(pair, 1)}}
                 for chrom, pos, ref, alt, _, pair in (rows[i] for i in order)]
        found = patterns(Grid.of(TABLES["genotypes"].frame(cells)), TOY, build, np.array([0]))
        (made, groups, _), = found.kept
        seen[build] = made.tolist(), groups.tolist()
    assert seen["GRCh37"] == seen["GRCh38"]
    codes = [[site.alleles.index(base) for base in pair] for site, pair in zip(TOY_SITES, pairs, strict=True)]
    assert seen["GRCh38"][0] == (same_way_round(codes) if sign == "|" else [sorted(one) for one in codes])


def same_way_round(codes: list[list[int]]) -> list[list[int]]:
    """The pair of strands whose first difference is in order: which strand is named first means nothing."""
    first = next((pair for pair in codes if pair[0] != pair[1]), [0, 0])
    return [pair[::-1] for pair in codes] if first[0] > first[1] else codes


def test_a_base_seen_in_one_row_outlives_reference_in_another() -> None:
    """On GRCh37 the ALT of a row may be the release's REF (code 0): a later row's REF must not overwrite it."""
    rows = [{"sample": "P", "chrom": "chr9", "pos": 2500, "ref": "C", "alt": alt, "ploidy": 2, "state": "called",
             "phased": True, "allele_1": code, "allele_2": 0} for alt, code in (("T", 1), ("G", 0))]
    for order in (rows, rows[::-1]):
        found = patterns(Grid.of(TABLES["genotypes"].frame(order)), TOY, "GRCh37", np.array([0]))
        assert found.kept[0][0][2].tolist() == [0, 1]


@st.composite
def everything(draw: st.DrawFn) -> dict[str, tuple[str, str]]:
    """One person: REF but at a few sites that are placed on both builds."""
    sites = [site for gene in genes().values() for site in gene.sites if site.pos37 is not None]
    chosen = draw(st.lists(st.sampled_from(sites), max_size=6, unique_by=lambda site: site.name))
    return {site.name: (draw(st.sampled_from(site.alleles)), draw(st.sampled_from(site.alleles))) for site in chosen}


@settings(max_examples=8)
@given(person=everything(), sign=st.sampled_from("|/"))
def test_one_person_written_on_both_builds_is_called_the_same(person: Mapping[str, tuple[str, str]], sign: str,
                                                              tmp_path_factory: pytest.TempPathFactory) -> None:
    """From VCF to phenotype, over all sites that both builds have."""
    folder, called = tmp_path_factory.mktemp("both"), {}
    sites = [(gene, site) for gene in genes().values() for site in gene.sites if site.pos37 is not None]
    for build in BUILDS:
        lines = [(gene.chrom, site.rows(build)[0][0], record(gene.chrom, site.rows(build), pair, sign))
                 for gene, site in sites for pair in [person.get(site.name, (site.alleles[0],) * 2)]]
        made = pmed.call([genome(folder / f"{build}.vcf", build, [line for *_, line in sorted(lines)])])
        assert set(made.tables["samples"]["build"]) == {build}
        called[build] = made.tables["gene_results"]
    assert called["GRCh37"].equals(called["GRCh38"])
    lost = {row[0]: len(row[1]) for row in called["GRCh37"].select("gene", "missing_sites").iter_rows()}
    assert {gene: n for gene, n in lost.items() if n} == UNPLACED


@pytest.fixture(scope="module")
def panel(shared: Path) -> dict[str, dict[str, pl.DataFrame]]:
    """Both panels as read, by build: ``samples`` and ``genotypes`` of the 1,983 people of both."""
    tables = {build: pmed.call([shared / f"data/1kgp/{build}/{gene}.vcf.gz" for gene in GENES]).tables
              for build in BUILDS}
    people = tables["GRCh37"]["samples"].select("sample")
    assert people.height == 1983
    return {build: {"samples": made["samples"].join(people, on="sample", how="semi", maintain_order="left"),
                    "genotypes": made["genotypes"].join(people, on="sample", how="semi", maintain_order="left")}
            for build, made in tables.items()}


def named(build: str) -> pl.DataFrame:
    """Gene and site of each row of the grid."""
    rows = [(gene.chrom, *row, gene.name, site.name) for gene in genes().values() for site in gene.sites
            for row in site.rows(build)]
    return pl.DataFrame(rows, schema=[*SITE, "gene", "site"], orient="row")


def read_sites(panel: dict[str, dict[str, pl.DataFrame]], build: str) -> set[tuple[str, str]]:
    """(gene, site) that the panel has a record of."""
    there = panel[build]["genotypes"].filter(pl.col("state") != "absent").select(SITE).unique()
    return set(there.join(named(build), on=SITE).select("gene", "site").iter_rows())


# Sites with a record in one panel only: the older study saw its people at low coverage and lacks rare variants.
ONLY = {
    "GRCh37": {("CYP2C9", "rs67807361")},
    "GRCh38": {*(("CYP2C19", name) for name in ("rs28399504", "rs140278421", "rs6413438")),
               *(("CYP2C9", name) for name in ("rs72558187", "rs12414460", "rs200965026", "rs369745682", "rs182132442",
                                               "rs57505750", "rs578144976", "rs202201137", "rs9332239")),
               *(("TPMT", name) for name in ("rs144041067", "rs112339338", "rs115106679", "rs200591577")),
               *(("SLCO1B1", name) for name in ("rs556524705", "rs2306282", "rs145144129", "rs183501729",
                                                "rs11045853", "rs72559747", "rs140790673"))}}
SHARED = {"CYP2C19": 13, "CYP2C9": 8, "TPMT": 5, "SLCO1B1": 13, "VKORC1": 1}
# Where the studies themselves say something else of a person, at a site that both have: five genotypes of 79,320 ...
OTHER_GENOTYPE = {("HG01198", "CYP2C19"): "rs4244285", ("HG01537", "CYP2C19"): "rs12248560",
                  ("HG00653", "CYP2C9"): "rs1057910", ("HG01345", "SLCO1B1"): "rs2306283",
                  ("HG01461", "SLCO1B1"): "rs2306283"}
# ... and nine people whose same genotypes were phased onto other strands, which makes other alleles of them.
OTHER_PHASE = {("HG01894", "CYP2C19"), ("NA20764", "CYP2C19"), ("HG04025", "CYP2C9"), ("HG02188", "SLCO1B1"),
               ("HG02274", "SLCO1B1"),
               ("HG03520", "SLCO1B1"), ("HG03741", "SLCO1B1"), ("HG03745", "SLCO1B1"), ("NA20828", "SLCO1B1")}


def test_the_sites_that_only_one_panel_has(panel: dict[str, dict[str, pl.DataFrame]]) -> None:
    old, new = (read_sites(panel, build) for build in BUILDS)
    assert {"GRCh37": old - new, "GRCh38": new - old} == ONLY
    assert {gene: sum(one == gene for one, _ in old & new) for gene in GENES} == SHARED


def on_shared_sites(panel: dict[str, dict[str, pl.DataFrame]], *, phased: bool) -> pl.DataFrame:
    """``gene_results`` of both builds side by side, from the sites that both panels have; absent are all others."""
    shared, made = read_sites(panel, "GRCh37") & read_sites(panel, "GRCh38"), []
    for build in BUILDS:
        keep = named(build).join(pl.DataFrame(list(shared), schema=["gene", "site"], orient="row"), on=["gene", "site"],
                                 how="semi")
        grid = panel[build]["genotypes"].join(keep, on=SITE, how="semi", maintain_order="left")
        grid = grid if phased else grid.with_columns(phased=pl.lit(value=False))
        made.append(PgxCaller().run({**panel[build], "genotypes": grid}, ())["gene_results"]
                    .filter(pl.col("gene").is_in(list(GENES))))
    return made[0].join(made[1], on=["patient_id", "gene"], suffix="_38")


def different(both: pl.DataFrame) -> set[tuple[str, str]]:
    """People and genes with any difference: status, diplotypes, functions, phenotype, messages, everything."""
    columns = [name for name in TABLES["gene_results"].names if name not in {"patient_id", "gene"}]
    unequal = pl.any_horizontal(~pl.col(name).eq_missing(pl.col(f"{name}_38")) for name in columns)
    return set(both.filter(unequal).select("patient_id", "gene").iter_rows())


def test_the_panel_is_called_the_same_on_both_builds(panel: dict[str, dict[str, pl.DataFrame]]) -> None:
    """9,901 of 9,915 results are equal in every column; the other fourteen are where the studies themselves differ."""
    both = on_shared_sites(panel, phased=True)
    assert both.height == 1983 * len(GENES)
    assert both.filter(pl.col("status") != "no-data").height == both.height
    assert different(both) == set(OTHER_GENOTYPE) | OTHER_PHASE


def test_without_phase_only_other_genotypes_differ(panel: dict[str, dict[str, pl.DataFrame]]) -> None:
    """So the fourteen are as told: five have another genotype, nine the same genotypes on other strands."""
    assert different(on_shared_sites(panel, phased=False)) == set(OTHER_GENOTYPE)


def test_the_genotypes_in_which_the_studies_differ(panel: dict[str, dict[str, pl.DataFrame]]) -> None:
    total, unequal = 0, {}
    people = panel["GRCh37"]["samples"]["sample"].to_list()
    grids = {build: Grid.of(panel[build]["genotypes"]) for build in BUILDS}
    for name in GENES:
        one, two = (bases(grids[build], genes()[name], build, people) for build in BUILDS)
        known = (one >= 0).all(axis=2) & (two >= 0).all(axis=2)
        total += known.sum()
        for person, site in np.argwhere(known & (one != two).any(axis=2)):
            unequal[people[person], name] = genes()[name].sites[site].name
    assert (unequal, total) == (OTHER_GENOTYPE, 79_320)


def bases(grid: Grid, gene: Gene, build: str, people: list[str]) -> np.ndarray[Any, np.dtype[np.int8]]:
    """(people, sites, 2) allele codes of the release, in order of code."""
    found = patterns(grid, gene, build, np.array([grid.samples.index(name) for name in people]))
    return np.sort(np.stack([codes for codes, _, _ in found.kept])[found.of], axis=2)


def cut(source: Path, target: Path, *meta: str) -> Path:
    """The head and two people of a panel file under other meta lines."""
    with gzip.open(source, "rt", encoding="utf-8") as lines:
        body = ["\t".join(line.rstrip("\n").split("\t")[:11]) for line in lines if not line.startswith("##")]
    target.write_text("\n".join(["##fileformat=VCFv4.1", *meta, *body, ""]))
    return target


@pytest.mark.parametrize("gene", ["CYP2C19", "CYP2C9", "TPMT", "SLCO1B1"])
@pytest.mark.parametrize(("real", "said"), [BUILDS, BUILDS[::-1]])
def test_a_file_under_the_name_of_the_other_build_is_refused(gene: str, real: str, said: str, shared: Path,
                                                             tmp_path: Path) -> None:
    source = shared / f"data/1kgp/{real}/{gene}.vcf.gz"
    wrong = f"x.vcf: the file is said to be {said}, but its records fit {real}"
    with pytest.raises(GenomeError, match=wrong):
        pmed.call([cut(source, tmp_path / "x.vcf", f"##reference={said}")])
    with pytest.raises(GenomeError, match=wrong):
        pmed.call([cut(source, tmp_path / "x.vcf")], build=said)


def test_header_and_statement_in_conflict_are_refused(shared: Path, tmp_path: Path) -> None:
    file = cut(shared / "data/1kgp/GRCh37/TPMT.vcf.gz", tmp_path / "x.vcf", "##reference=human_g1k_v37.fasta")
    with pytest.raises(GenomeError, match="the header says GRCh37, but GRCh38 was stated"):
        pmed.call([file], build="GRCh38")
    with pytest.raises(GenomeError, match="the header says GRCh37, but GRCh38 was stated"):
        pmed.call([file], build="hg38")
    assert pmed.call([file], build="hg19").tables["samples"]["build_from"].to_list() == ["header"] * 2


def test_builder_knows_an_indel_wherever_its_repeat_is_cut() -> None:
    change = moved_change
    assert change("CAATGGAAAGA", "C") == change("GAAAGAAATGG", "G") != change("GAAAGAAATGC", "G")
    assert change("C", "CTA") == change("A", "AAT") != change("CTA", "C")
    assert change("C", "T") == change("CAT", "CA") == (0, "")
    known = Positions37({}, {("G", "rs1", change("GAAAGAAATGG", "G")): ("94942210", "96701967")}, {})
    variant = {"position": 94942205, "rsid": "rs1", "ref": "CAATGGAAAGA", "alts": ["C"]}
    assert known.of("G", variant) == ("96701962", "CAATGGAAAGA")
    assert known.of("G", {**variant, "rsid": "rs2"}) == (None, None)
    assert known.of("G", {**variant, "ref": "CAATGGAAAGC"}) == (None, None)


def test_builder_places_a_site_by_its_neighbours_only_where_they_agree() -> None:
    snv = {"position": 150, "rsid": "rs1", "ref": "C", "alts": ["T"]}
    assert Positions37({}, {}, {"G": [(100, 7), (200, 7)]}).of("G", snv) == ("157", "C")
    assert Positions37({}, {}, {"G": [(100, 7), (200, 8)]}).of("G", snv) == (None, None)
    beyond = {"G": [(n, 7) for n in range(200, 205)]}
    assert Positions37({}, {}, beyond).of("G", snv) == ("157", "C")
    assert Positions37({}, {}, {"G": beyond["G"][:4]}).of("G", snv) == (None, None)
    assert Positions37({}, {}, {"G": [*beyond["G"], (900, 8)]}).of("G", snv) == (None, None)
    assert Positions37({}, {}, beyond).of("G", {**snv, "position": 99_999_999}) == (None, None)
