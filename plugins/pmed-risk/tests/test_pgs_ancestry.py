"""Components made from the sites of the 1000 Genomes, people placed on them, and scores compared there."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner

from pmed.cli import cli
from pmed.cohorts import opened
from pmed.errors import InputError
from pmed_risk.pgs.ancestry import read_populations
from pmed_risk.pgs.loadings import PCS, Loadings, axes, held_out_spread, make_loadings, read_loadings
from pmed_risk.pgs.placing import place

GENES = ("ABCG2", "CFTR", "CYP2B6", "CYP2C19", "CYP4F2", "NAT2", "RYR1", "SLCO1B1", "TPMT", "UGT1A1", "VKORC1")
META = "##fileformat=VCFv4.2\n##reference=GRCh38\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t"
CALLS = np.array(["0/0", "0/1", "1/1"])


def write(file, names, dosages, alleles=("A", "G"), missing=()):
    """A VCF of sites 10,001, 20,001 … on chr1 and chr2, (sites, people) counts of the second allele."""
    lines = []
    for site, counts in enumerate(dosages):
        calls = ["./." if site in missing else CALLS[one] for one in counts]
        place_ = [f"chr{1 + site % 2}", str(10_001 * (site + 1))]
        lines.append("\t".join([*place_, ".", *alleles, ".", "PASS", ".", "GT", *calls]))
    lines.sort(key=lambda line: (line.split("\t")[0], int(line.split("\t")[1])))
    file.write_text(META + "\t".join(names) + "\n" + "\n".join(lines) + "\n")
    return file


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """Two populations of 40, made from their own frequencies; the last ten of each take no part in the panel."""
    folder = tmp_path_factory.mktemp("two")
    rng = np.random.default_rng(3)
    frequency = rng.uniform(0.1, 0.9, (400, 2))
    dosages = np.concatenate([rng.binomial(2, frequency[:, [one]], (400, 40)) for one in (0, 1)], axis=1)
    names = [f"{population}{number}" for population in "PQ" for number in range(40)]
    file = write(folder / "g.vcf", names, dosages)
    made = make_loadings(opened([file]), {name: name[0] for name in names if int(name[1:]) < 30})
    return folder, file, names, dosages, made


def test_new_people_are_placed_in_their_population(two):
    _, file, names, _, made = two
    table = place(opened([file]), made)
    assert table["sample"].to_list() == names
    assert table["closest"].to_list() == [name[0] for name in names]
    own = table.join(made.people, on="sample", suffix="_panel")
    assert np.allclose(own["PC1"], own["PC1_panel"])
    # With 60 people and 400 sites the axes lean to the panel, and the file says so.
    assert 0.5 < made.shrinkage[0] <= 1.05
    assert made.shrinkage[1] < 0.8


def test_missing_sites_do_not_draw_to_the_middle(two, tmp_path):
    _, file, names, dosages, made = two
    whole = place(opened([file]), made)
    less = place(opened([write(tmp_path / "l.vcf", names, dosages, missing=range(0, 400, 3))]), made)
    assert less["sites"].max() < 0.7 * len(made.sites)
    spread = [table["PC1"].to_numpy()[[*range(30, 40), *range(70, 80)]].std() for table in (less, whole)]
    assert spread[0] / spread[1] == pytest.approx(1, abs=0.05)  # the mean in their place would give about 0.67
    assert less["closest"].to_list() == [name[0] for name in names]
    none = place(opened([write(tmp_path / "n.vcf", names, dosages, missing=range(250))]), made, least=0.9)
    assert none["PC1"].null_count() == none["population"].null_count() == len(names)


def test_swapped_and_other_strand_alleles_are_the_same_site(two, tmp_path):
    _, file, names, dosages, made = two
    whole = place(opened([file]), made)
    for alleles, counts in ((("T", "C"), dosages), (("G", "A"), 2 - dosages)):
        other = place(opened([write(tmp_path / "o.vcf", names, counts, alleles)]), made)
        assert np.allclose(other.select(PCS), whole.select(PCS))


def test_who_is_like_nobody_has_no_population(two, tmp_path):
    _, _, _, dosages, made = two
    more_in_first = dosages[:, :40].mean(axis=1) > dosages[:, 40:].mean(axis=1)
    # All that tells the first population from the second, and twice of it: no member of the first is so far out.
    outside = np.where(more_in_first, 2, 0)[:, None]
    found = place(opened([write(tmp_path / "f.vcf", ["X"], outside)]), made)
    assert found["population"].to_list() == [None]
    assert found["closest"].to_list() == ["P"]
    assert found["p"][0] < 1e-10


def test_axes_are_the_singular_vectors():
    rng = np.random.default_rng(0)
    for shape in ((60, 30), (30, 60)):
        dosages = rng.normal(size=shape)
        left = np.linalg.svd(dosages)[0][:, :5]
        assert np.allclose(np.abs((left * axes(dosages)).sum(axis=0)), 1)


def test_linked_sites_count_once(tmp_path):
    rng = np.random.default_rng(1)
    first = rng.binomial(2, rng.uniform(0.2, 0.8, (60, 1)), (60, 200))
    names = [f"S{number}" for number in range(200)]
    # Four copies of each site, two on each of the chromosomes.
    copies = [write(tmp_path / f"{times}.vcf", names, np.repeat(first, times, axis=0)) for times in (1, 4)]
    made = [make_loadings(opened([one]), dict.fromkeys(names, "P")) for one in copies]
    assert [len(one.sites) for one in made] == [60, 120]


def test_shrinkage_of_many_people_is_none():
    rng = np.random.default_rng(2)
    hidden = rng.normal(size=(40, 5)) * np.array([9, 7, 5, 4, 3])
    assert (held_out_spread(hidden @ rng.normal(size=(5, 4000)) + rng.normal(size=(40, 4000))) > 0.97).all()


def test_written_is_read(two, tmp_path):
    made = two[4]
    made.write(tmp_path)
    back = read_loadings(tmp_path)
    assert back.build == "GRCh38"
    assert np.allclose(back.sites.select("frequency", *PCS), made.sites.select("frequency", *PCS))
    assert back.people["population"].to_list() == made.people["population"].to_list()
    assert np.allclose(back.shrinkage, made.shrinkage, atol=1e-4)


@pytest.mark.parametrize(("old", "new", "says"), [
    ("#genome_build=GRCh38", "#x=y", "does not say #genome_build"),
    ("frequency", "freq", "has no column frequency"),
    ("chr1\t10001\t", "chr1\tabc\t", "row 1: a position"),
    ("chr1\t10001\tG\tA\t", "chr1\t10001\tG\tA\t7", "row 1: a position, allele, frequency"),
    ("chr1\t30003\t", "chr1\t10001\t", "a position is there twice"),
    ("#shrinkage=", "#shrinkage=x", "#shrinkage is not 5 numbers"),
])
def test_loadings_that_cannot_be_used(two, tmp_path, old, new, says):
    two[4].write(tmp_path)
    file = tmp_path / "loadings.tsv"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))
    with pytest.raises(InputError) as told:
        read_loadings(tmp_path)
    assert says in str(told.value)


def test_another_build_is_refused(two):
    _, file, _, _, made = two
    with pytest.raises(InputError, match="loadings are on GRCh37"):
        place(opened([file]), Loadings("GRCh37", made.sites, made.people, made.shrinkage))


@pytest.mark.parametrize(("text", "says"), [
    ("sample\tx\n", "has no column population"), ("sample\tpopulation\nA\tP\nA\tQ\n", "sample A has two populations")])
def test_populations_that_cannot_be_used(tmp_path, text, says):
    file = tmp_path / "p.tsv"
    file.write_text(text)
    with pytest.raises(InputError, match=says):
        read_populations(file)


def run(*arguments):
    return CliRunner().invoke(cli, list(map(str, arguments)))


def test_from_a_genome_to_compared_scores(two, tmp_path):
    """The commands: the panel with its scores, then other people compared with it, as by --reference and --pcs."""
    _, file, names, _, _ = two
    (tmp_path / "p.tsv").write_text("sample\tpopulation\n" + "".join(f"{one}\t{one[0]}\n" for one in names
                                                                    if int(one[1:]) < 30))
    rows = "".join(f"1\t{10_001 * (site + 1)}\tG\tA\t0.{site % 9 + 1}\n" for site in range(0, 40, 2))
    score = tmp_path / "s.txt"
    score.write_text("#pgs_id=PGS1\n#genome_build=GRCh38\nchr_name\tchr_position\teffect_allele\tother_allele\t"
                     f"effect_weight\n{rows}")
    made = run("ancestry", "make", file, "--populations", tmp_path / "p.tsv", "--scorefile", score, "-o",
               tmp_path / "panel")
    assert made.exit_code == 0, made.output
    assert run("ancestry", "place", file, "--panel", tmp_path / "panel", "-o", tmp_path / "pcs.tsv").exit_code == 0
    by_panel = run("score", file, "--scorefile", score, "--panel", tmp_path / "panel")
    by_files = run("score", file, "--scorefile", score, "--reference", tmp_path / "panel/panel.tsv", "--pcs",
                   tmp_path / "pcs.tsv")
    assert by_panel.exit_code == by_files.exit_code == 0, by_panel.output
    one, two_ = (pl.read_csv(done.stdout.encode(), separator="\t") for done in (by_panel, by_files))
    assert one["z_norm2"].null_count() == 0
    assert abs(one.filter(pl.col("population") == "P")["z_population"].mean()) < 0.3
    assert np.allclose(one["z_norm2"], two_["z_norm2"])
    assert run("score", file, "--scorefile", score, "--panel", tmp_path, "--pcs", score).exit_code == 2


def test_thousand_genomes(shared):
    """Half of the people make the panel, and the others are placed: how often in their own continent's population."""
    files = [shared / f"data/1kgp/GRCh38/{gene}.vcf.gz" for gene in GENES]
    known = pl.read_csv(shared / "cases/pgs/ancestry/ref.psam", separator="\t", infer_schema=False).rename(
        {"#IID": "sample", "SuperPop": "population"}).select("sample", "population")
    half = dict(known[::2].iter_rows())
    cohort = opened(files, "GRCh38")
    made = make_loadings(cohort, half)
    new = place(cohort, made).join(known.rename({"population": "true"}), on="sample").filter(
        ~pl.col("sample").is_in(list(half)))
    right = new.select(own=pl.col("closest") == pl.col("true"))["own"].mean()
    assert len(new) > 1000
    assert right > 0.85  # by these few genes; by chance 0.28
