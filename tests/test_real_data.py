"""The whole engine on real genomes and records: 2,562 people, three 30x genomes, ten records joined to genomes."""

from __future__ import annotations

import json

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import pmed
from pmed.engine import Engine
from pmed.reporting import report_one
from pmed.settings import Settings

GENES = ("CYP2C19", "CYP2C9", "VKORC1", "SLCO1B1", "CYP3A5", "TPMT")
CHROMOSOMES = ("chr6", "chr7", "chr10", "chr12", "chr16")


@pytest.fixture(scope="module")
def panel(shared):
    return [shared / f"data/1kgp/GRCh38/{gene}.vcf.gz" for gene in GENES]


@pytest.fixture(scope="module")
def deep(shared):
    return sorted(path for path in (shared / "data/wgs").glob("*.vcf.bgz")
                  if path.name.split("_")[-1].split(".")[0] in CHROMOSOMES)


@pytest.fixture(scope="module")
def called(panel):
    return pmed.call(panel)


def test_every_person_of_the_panel_is_called(called):
    genes = called.tables["gene_results"]
    assert genes.height == 2562 * genes["gene"].n_unique()
    genes = genes.filter(pl.col("gene").is_in(GENES))
    called_at_all = pl.col("status").is_in(["called", "ambiguous"]).mean()
    share = dict(genes.group_by("gene").agg(called_at_all).iter_rows())
    assert all(share[gene] >= 0.99 for gene in GENES), share
    # Rare sites are absent from the panel, so alleles that only they tell apart stay a set, never a guess.
    one = dict(genes.group_by("gene").agg((pl.col("status") == "called").mean()).iter_rows())
    for gene, least in (("CYP2C19", 0.99), ("CYP2C9", 0.89), ("VKORC1", 1.0), ("CYP3A5", 1.0), ("SLCO1B1", 0.4),
                        ("TPMT", 0.99)):
        assert one[gene] >= least, gene
    assert called.failures == ()
    assert set(called.tables["samples"]["build_from"]) == {"inferred"}


def test_known_frequencies_come_out(called):
    """CYP2C19 *2 is carried by a quarter to a half of people everywhere; CYP3A5 *3/*3 is common."""
    diplotypes = called.tables["gene_results"].filter(pl.col("status") == "called").with_columns(
        one=pl.col("diplotypes").list.first())
    star2 = diplotypes.filter(pl.col("gene") == "CYP2C19")["one"].str.contains(r"\*2(/|$)").mean()
    assert 0.25 < star2 < 0.55
    expressers = diplotypes.filter(pl.col("gene") == "CYP3A5")["one"].str.contains(r"\*1(/|$)").mean()
    assert 0.3 < expressers < 0.7


def test_the_deep_genomes_agree_with_the_panel(called, deep):
    mine = pmed.call(deep).tables["gene_results"].select("patient_id", "gene", "diplotypes")
    assert set(mine["patient_id"]) == {"NA18526", "NA18565", "NA18861"}
    both = mine.filter(pl.col("gene").is_in(GENES)).join(called.tables["gene_results"], on=["patient_id", "gene"])
    agreed = both.with_columns(common=pl.col("diplotypes").list.set_intersection("diplotypes_right"))
    assert agreed.height >= len(GENES)
    assert agreed["common"].list.len().min() >= 1
    called_in_both = both.filter((pl.col("diplotypes").list.len() == 1) & (pl.col("diplotypes_right").list.len() == 1))
    assert called_in_both.height >= 4
    assert called_in_both["diplotypes"].to_list() == called_in_both["diplotypes_right"].to_list()


@pytest.fixture(scope="module")
def joined(called, panel, shared):
    """Ten synthetic records, each given the genome of a person of the panel."""
    records = sorted((shared / "data/fhir/synthea").glob("*.json"))[:10]
    people = [json.loads(path.read_text())["entry"][0]["resource"]["id"] for path in records]
    samples = called.tables["samples"]["sample"].gather_every(250).head(10).to_list()
    return pmed.run(panel, records, samples=samples, pairs=dict(zip(samples, people, strict=True)))


def test_ten_records_joined_to_genomes(joined):
    assert joined.failures == ()
    assert len(joined.patient_ids) == 10
    assert joined.tables["features"]["age"].null_count() == 0
    assert joined.tables["features"]["phenotype:CYP2C19"].null_count() <= 2
    suggestions = joined.suggestions
    assert set(suggestions.filter("current")["drug"]) & {"simvastatin", "clopidogrel", "warfarin"}
    assert suggestions.filter(pl.col("drug") == "clopidogrel").height == 10


def test_every_assessed_prediction_is_explained(joined):
    assessed = joined.tables["predictions"].filter(pl.col("status") == "assessed")
    assert set(assessed["predictor"]) >= {"pgx-guidelines", "warfarin-dose"}
    key = ["patient_id", "predictor", "target"]
    sums = joined.tables["explanations"].group_by(key).agg(
        total=pl.col("baseline").first() + pl.col("contribution").sum())
    both = assessed.join(sums, on=key)
    assert both.height == assessed.height
    assert (both["total"] - both["value"]).abs().max() < 1e-6
    traced = joined.tables["traces"].select(key).unique()
    assert traced.height == assessed.height


def test_suggestions_are_the_same_where_nothing_is_explained(shared):
    """Each record has a medicine more that nobody knows: what doubts a suggestion needs no explanation either."""
    engine = Engine.start(Settings())
    records = sorted((shared / "data/fhir/synthea").glob("*.json"))[:10]
    read = engine.read([], records, engine.request([*engine.steps, *engine.predictors]), {})
    more = [{"patient_id": one, "row": 9999, "display": "Xyzzyforte", "active": True}
            for one in read["patients"]["patient_id"]]
    read["medications"] = pl.concat([read["medications"], pmed.TABLES["medications"].frame(more)], how="diagonal")
    whole, bare = engine.conclude(read), engine.conclude(read, explained=False)
    assert bare["explanations"].is_empty()
    assert bare["suggestions"].equals(whole["suggestions"])
    codes = pl.col("cautions").list.eval(pl.element().struct.field("code"))
    doubted = bare["suggestions"].filter(codes.list.contains("unread-medicine"))
    assert set(doubted["current"]) == {True, False}
    assert doubted.filter("current")["patient_id"].n_unique() == 5


def test_batch_equals_one_by_one(joined, panel, shared):
    """The row of one patient does not depend on who else is in the run."""
    patient = joined.patient_ids[0]
    sample = joined.tables["samples"].filter(pl.col("patient_id") == patient)["sample"][0]
    record = next(path for path in (shared / "data/fhir/synthea").glob("*.json") if patient in path.read_text())
    alone = pmed.run(panel, [record], samples=[sample])
    for name in ("gene_results", "features", "predictions", "explanations", "suggestions", "traces"):
        mine = joined.for_patient(patient).tables[name]
        keys = [column for column in pmed.TABLES[name].key if column in mine.columns]
        assert_frame_equal(mine.sort(keys), alone.tables[name].sort(keys))


def test_a_real_record_and_genome_make_a_report(called, panel, shared, tmp_path):
    record = sorted((shared / "data/fhir/synthea").glob("*.json"))[0]
    outputs = {"html": tmp_path / "r.html", "json": tmp_path / "r.json"}
    sample = called.tables["samples"]["sample"][7]
    result, written = report_one(panel, [record], sample=sample, outputs=outputs, settings=Settings(),
                                 progress=lambda _: None)
    assert result.failures == ()
    assert len(written) == 2
    assert outputs["html"].stat().st_size < 500_000
    assert json.loads(outputs["json"].read_text())["patients"][0]["genes"]["CYP2C19"]["diplotypes"]
