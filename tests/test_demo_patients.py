"""The invented patients of ``pmed demo``: what the files say, checked against published positions and each other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from pmed.demo import DemoPatient, patients
from pmed.render.view import View, patient_views
from pmed.result import Result

GENES = {"CYP3A5", "CYP2C19", "CYP2C9", "SLCO1B1", "VKORC1"}
LENGTHS = {"chr7": 159345973, "chr10": 133797422, "chr12": 133275309, "chr16": 90338345}
EVERYBODY = pytest.mark.parametrize("patient", patients(), ids=lambda one: one.name)


def records(path: Path) -> Iterator[list[str]]:
    yield from (line.split("\t") for line in path.read_text().splitlines() if not line.startswith("#"))


@pytest.fixture(scope="module")
def views(demo_results: dict[str, Result]) -> dict[str, View]:
    return {name: patient_views(result)[0] for name, result in demo_results.items()}


def actions(view: View) -> dict[str, str]:
    return {row["drug"]: row["action"] for row in view["suggestions"] if row["current"]}


@EVERYBODY
def test_genome_is_a_sorted_vcf_that_declares_its_build(patient: DemoPatient) -> None:
    lines = patient.genome.read_text().splitlines()
    assert lines[0] == "##fileformat=VCFv4.3"
    assert all(f"##contig=<ID={name},length={size},assembly=GRCh38>" in lines for name, size in LENGTHS.items())
    places = [(list(LENGTHS).index(row[0]), int(row[1])) for row in records(patient.genome)]
    assert places == sorted(set(places))
    assert {row[8] for row in records(patient.genome)} == {"GT:DP:GQ"}


@EVERYBODY
def test_sites_are_those_published(patient: DemoPatient, shared: Path) -> None:
    rows = records(shared / "reference/pharmcat-3.1.1/pharmcat_positions.vcf")
    published = {(row[0], row[1]): (row[2], row[3], row[4]) for row in rows if set(row[7].split("PX=")[1:]) & GENES}
    ours = {(row[0], row[1]): (row[2], row[3], row[4]) for row in records(patient.genome)}
    left_out = {"rs4244285"} if patient.name == "partial" else set()
    assert ours == {place: site for place, site in published.items() if site[0] not in left_out}


@EVERYBODY
def test_everything_is_labelled_synthetic(patient: DemoPatient) -> None:
    assert "Synthetic" in patient.genome.read_text().split("#CHROM")[0]
    bundle = msgspec.json.decode(patient.history.read_bytes())
    assert bundle["meta"]["tag"][0]["code"] == "HTEST"
    person = next(one["resource"] for one in bundle["entry"] if one["resource"]["resourceType"] == "Patient")
    assert "Synthetic person" in person["text"]["div"]
    assert person["name"][0]["family"] == "Synthetic"
    assert patient.title


def test_the_partial_genome_has_every_kind_of_unknown() -> None:
    rows = {row[2]: row for row in records(next(one for one in patients() if one.name == "partial").genome)}
    assert "rs4244285" not in rows
    assert rows["rs1799853"][9].startswith("./.")
    assert rows["rs4149056"][9].startswith("./1")
    assert rows["rs9923231"][6] == "LowQual"


def test_every_demo_runs_without_failures(demo_results: dict[str, Result]) -> None:
    assert {name: result.failures for name, result in demo_results.items()} == dict.fromkeys(demo_results, ())
    assert [result.patient_ids for result in demo_results.values()] == [[f"demo-{name}"] for name in demo_results]


def test_stent_poor_metaboliser_should_not_rely_on_clopidogrel(views: dict[str, View]) -> None:
    view = views["stent"]
    assert view["genes"]["CYP2C19"]["diplotypes"] == ["*2/*2"]
    assert actions(view)["clopidogrel"] in {"avoid", "alternative"}
    assert actions(view)["atorvastatin"] == "standard"


def test_warfarin_dose_is_far_below_usual_because_of_genes_and_amiodarone(views: dict[str, View]) -> None:
    view = views["warfarin"]
    assert view["genes"]["CYP2C9"]["diplotypes"] == ["*1/*3"]
    dose = next(row for row in view["predictions"] if row["target"] == "warfarin-weekly-dose")
    assert 5 < dose["value"] < 17
    pushed = {one["feature"] for one in dose["explanation"]["contributions"] if one["contribution"] < -1}
    assert {"diplotype:CYP2C9", "genotype:rs9923231", "on:amiodarone"} <= pushed
    assert {row["target"] for row in view["predictions"] if row["kind"] == "risk" and row["status"] == "assessed"} == {
        "ascvd-10y-risk", "cha2ds2-vasc-score", "cha2ds2-va-score", "prevent-10y-cvd-risk", "ckd-epi-2021-egfr",
        "cockcroft-gault-clearance"}
    assert actions(view)["simvastatin"] in {"alternative", "adjust", "avoid"}


def test_partial_says_what_it_does_not_know(views: dict[str, View]) -> None:
    view = views["partial"]
    # The other genes have no site in the demo genomes.
    assert {gene for gene, row in view["genes"].items() if row["complete"]} == {"CYP3A5"}
    # Whatever CYP2C9 is, an allergy to sulfamethoxazole speaks against celecoxib.
    assert actions(view) == {"citalopram": "test", "celecoxib": "avoid", "simvastatin": "test"}
    gaps = {gap["what"] for gap in view["not_assessed"]}
    assert {"CYP2C19", "CYP2C9", "SLCO1B1", "VKORC1", "Karvelonum forte drops", "ascvd-10y-risk"} <= gaps
    fuzzy = [row["display"] for row in view["medications"] if row["matched_by"] == "fuzzy"]
    assert fuzzy == ["Simvistatin 20 mg tablet"]


def test_transplant_expresser_needs_more_tacrolimus(views: dict[str, View]) -> None:
    view = views["transplant"]
    assert view["genes"]["CYP3A5"]["diplotypes"] == ["*1/*3"]
    assert view["genes"]["CYP2C19"]["diplotypes"] == ["*17/*17"]
    assert actions(view)["tacrolimus"] == "adjust"
    assert actions(view)["escitalopram"] != "standard"


def test_a_suggestion_that_was_assessed_is_explained_to_the_last_digit(views: dict[str, View]) -> None:
    rows = [row for view in views.values() for row in view["suggestions"] if row["concern"] is not None]
    assert len(rows) > 20
    for row in rows:
        told = row["explanation"]
        total = told["baseline"] + sum(one["contribution"] for one in told["contributions"])
        assert total == pytest.approx(told["prediction"], abs=1e-6)
        assert told["trace"]
