"""Guideline rows of HLA, anti-infectives, statins, cancer, anaesthesia and anticoagulation: the guidelines' vignettes.

The rows are read by the engine that knows populations and unknown inputs (``outcomes``); without it only their shape
is tested.
"""

from __future__ import annotations

import importlib
import importlib.util
import itertools
import tomllib
from pathlib import Path
from typing import Any

import pytest

import pmed_pgx

DATA = Path(pmed_pgx.__file__).parent / "data"
FILES = ("abacavir", "allopurinol", "aminoglycosides", "atazanavir", "carbamazepine", "efavirenz", "fluoropyrimidines",
         "g6pd", "hydralazine", "irinotecan", "ivacaftor", "malignant-hyperthermia", "nsaid", "peginterferon",
         "phenytoin", "siponimod", "statins", "tacrolimus", "thiopurines", "warfarin")
ENGINE = importlib.util.find_spec("pmed_pgx.outcomes")
needs_engine = pytest.mark.skipif(ENGINE is None, reason="the engine of populations and unknown inputs is not here yet")

METABOLISERS = ["Poor Metabolizer", "Intermediate Metabolizer", "Normal Metabolizer"]
POSSIBLE = [*METABOLISERS, "Possible Intermediate Metabolizer"]
RISKS = [f"{one} risk of aminoglycoside-induced hearing loss" for one in ("increased", "normal", "uncertain")]
SUSCEPTIBLE = ["Malignant Hyperthermia Susceptibility", "Uncertain Susceptibility"]
FUNCTIONS = ["Poor Function", "Decreased Function", "Normal Function"]
VALUES: dict[str, list[Any]] = {
    "phenotype:CYP2B6": [*METABOLISERS, "Rapid Metabolizer", "Ultrarapid Metabolizer"],
    "phenotype:CYP2C9": METABOLISERS, "phenotype:UGT1A1": METABOLISERS, "phenotype:CYP3A5": METABOLISERS,
    "phenotype:NAT2": ["Poor Metabolizer", "Intermediate Metabolizer", "Rapid Metabolizer"],
    "phenotype:TPMT": POSSIBLE, "phenotype:NUDT15": POSSIBLE, "phenotype:MT-RNR1": RISKS,
    "phenotype:RYR1": SUSCEPTIBLE, "phenotype:CACNA1S": SUSCEPTIBLE, "phenotype:ABCG2": FUNCTIONS,
    "phenotype:SLCO1B1": [*FUNCTIONS, "Possible Decreased Function", "Increased Function"],
    "phenotype:G6PD": ["Normal", "Variable", "Deficient", "Deficient with CNSHA"],
    "phenotype:CFTR": ["ivacaftor responsive in CF patients", "ivacaftor non-responsive in CF patients"],
    "phenotype:IFNL3": ["Favorable Response", "Unfavorable Response"],
    "phenotype:VKORC1": ["-1639 GG", "-1639 AG", "-1639 AA"],
    "activity-score:CYP2C9": [0.0, 0.5, 1.0, 1.5, 2.0], "activity-score:DPYD": [0.0, 0.5, 1.0, 1.5, 2.0],
    "genotype:rs12777823": ["G/G", "G/A", "A/A"], "genotype:rs2108622": ["C/C", "C/T", "T/T"],
}
LABELLED = ("*1", "*2", "*3")  # the alleles that siponimod's label knows
DOSED = (*LABELLED, "*5", "*6", "*8", "*11")  # those of the warfarin guideline


def values(drug: str, name: str) -> list[Any]:
    """Every known value of a feature, "Indeterminate" excepted."""
    if name.startswith("status:"):
        return ["positive", "negative"]
    if name.startswith("diplotype:"):
        alleles = LABELLED if drug == "siponimod" else DOSED
        return ["/".join(pair) for pair in itertools.combinations_with_replacement(alleles, 2)]
    return VALUES[name]


def groups() -> list[tuple[str, dict[str, Any]]]:
    """Each drug with its group of rows."""
    read = [tomllib.loads((DATA / f"guideline-{name}.toml").read_text("utf-8")) for name in FILES]
    return [(drug, group) for made in read for group in made["group"] for drug in group["drugs"]]


GROUPS = groups()
EACH = pytest.mark.parametrize(("drug", "group"), GROUPS, ids=[drug for drug, _ in GROUPS])


@EACH
def test_rows_name_known_inputs_values_and_words(drug: str, group: dict[str, Any]) -> None:
    rows = group["row"]
    assert len({row["key"] for row in rows}) == len(rows)
    read = {name: set(itertools.chain(*(row["when"].get(name, []) for row in rows))) - {"unknown"}
            for name in group["reference"]}
    assert {name for row in rows for name in row["when"]} - {"days-taken"} == set(group["reference"])
    assert all(found <= set(values(drug, name)) for name, found in read.items())
    assert all(group["reference"][name] in values(drug, name) for name in read)
    assert {row["action"] for row in rows} <= {"avoid", "alternative", "adjust", "monitor", "standard"}
    assert {row["strength"] for row in rows} <= {"strong", "moderate", "optional", "none"}
    assert all(row["text"].endswith(".") and not row["because"].endswith(".") for row in rows)


def test_every_drug_has_one_group_and_a_name() -> None:
    names = [line.split("\t")[:2] for line in (DATA / "drug_names.tsv").read_text("utf-8").splitlines()]
    drugs = [drug for drug, _ in GROUPS]
    others = {one["drug"] for _, group in GROUPS for one in group.get("alternative", ())}
    assert len(drugs) == len(set(drugs)) == 62
    assert {*drugs, *others} <= {name for name, kind in names if kind == "ingredient"}


def lead(drug: str, known: dict[str, Any]) -> Any:
    """The engine's outcome for a drug and what is known of the patient."""
    engine = importlib.import_module("pmed_pgx.outcomes")
    drugs = importlib.import_module("pmed_pgx.guidelines").drugs()
    return engine.outcome(drugs[drug], {f"days-taken:{drug}": 0.0, **known})


@needs_engine
@EACH
def test_every_combination_of_known_results_has_a_row(drug: str, group: dict[str, Any]) -> None:
    for one in itertools.product(*[values(drug, name) for name in group["reference"]]):
        made = lead(drug, {**dict(zip(group["reference"], one, strict=True)), "age": 40.0})
        assert made.lead is not None, one
        assert not made.undecided


@needs_engine
@EACH
def test_reference_is_standard_and_a_missing_input_never_is(drug: str, group: dict[str, Any]) -> None:
    reference = {**group["reference"], "age": 40.0}
    assert lead(drug, reference).lead.action == "standard"
    assert lead(drug, {"age": 40.0}).lead is None
    for name in group["reference"]:
        made = lead(drug, {**reference, name: None})
        assert made.lead is None or name.startswith("genotype:")


def hla(allele: str, status: str) -> dict[str, Any]:
    return {f"status:HLA-{allele}": status}


@needs_engine
@pytest.mark.parametrize(("days", "status", "action"), [
    (0.0, "positive", "avoid"), (91.0, "positive", "avoid"), (92.0, "positive", "monitor"), (None, "positive", "avoid"),
    (92.0, "negative", "standard"), (92.0, None, "standard"), (0.0, None, None), (None, None, None)])
@pytest.mark.parametrize("drug", ["carbamazepine", "oxcarbazepine"])
def test_hla_matters_in_the_first_months(drug: str, days: float | None, status: str | None,
                                         action: str | None) -> None:
    made = lead(drug, {"status:HLA-B*15:02": status, "status:HLA-A*31:01": "negative", f"days-taken:{drug}": days})
    assert (made.lead.action if made.lead else None) == action


@needs_engine
@pytest.mark.parametrize(("days", "status", "score", "action"), [
    (0.0, "positive", 2.0, "avoid"), (92.0, "positive", 2.0, "monitor"), (92.0, None, 2.0, "standard"),
    (92.0, None, 0.5, "adjust"), (92.0, None, None, None), (91.0, None, 2.0, None), (92.0, "negative", 0.5, "adjust")])
def test_phenytoin_tolerated_for_months_still_follows_cyp2c9(days: float, status: str | None, score: float | None,
                                                             action: str | None) -> None:
    made = lead("phenytoin", {"status:HLA-B*15:02": status, "activity-score:CYP2C9": score,
                              "days-taken:phenytoin": days})
    assert (made.lead.action if made.lead else None) == action


def gene(name: str, value: Any) -> dict[str, Any]:
    return {f"phenotype:{name}" if isinstance(value, str) else f"activity-score:{name}": value}


def tpmt(first: str, second: str | None) -> dict[str, Any]:
    return {"phenotype:TPMT": f"{first} Metabolizer", "phenotype:NUDT15": second and f"{second} Metabolizer"}


def statin(first: str, name: str, second: str) -> dict[str, Any]:
    return {"phenotype:SLCO1B1": f"{first} Function", f"phenotype:{name}": second}


def warfarin(pair: str, bases: str, **sites: str) -> dict[str, Any]:
    return {"diplotype:CYP2C9": pair, "phenotype:VKORC1": f"-1639 {bases}",
            **{f"genotype:{name}": value for name, value in sites.items()}}


CANCER, INFLAMED = {"finding:malignancy": "on record"}, {"finding:inflammatory-disease": "on record"}
VIGNETTES: list[tuple[str, dict[str, Any], str, str, float | None]] = [
    ("abacavir", hla("B*57:01", "positive"), "avoid", "strong", None),
    ("abacavir", hla("B*57:01", "negative"), "standard", "strong", None),
    ("allopurinol", hla("B*58:01", "positive"), "avoid", "strong", None),
    ("allopurinol", hla("B*58:01", "negative"), "standard", "strong", None),
    ("carbamazepine", hla("B*15:02", "positive"), "avoid", "strong", None),
    ("carbamazepine", hla("A*31:01", "positive"), "avoid", "strong", None),
    ("carbamazepine", hla("A*31:01", "negative") | hla("B*15:02", "negative"), "standard", "strong", None),
    ("oxcarbazepine", hla("B*15:02", "positive"), "avoid", "strong", None),
    ("phenytoin", hla("B*15:02", "positive"), "avoid", "strong", None),
    ("phenytoin", hla("B*15:02", "negative") | gene("CYP2C9", 0.5), "adjust", "strong", 0.5),
    ("fosphenytoin", hla("B*15:02", "negative") | gene("CYP2C9", 1.0), "adjust", "moderate", 0.75),
    ("phenytoin", hla("B*15:02", "negative") | gene("CYP2C9", 1.5), "standard", "moderate", None),
    ("gentamicin", gene("MT-RNR1", RISKS[0]), "avoid", "strong", None),
    ("tobramycin", gene("MT-RNR1", RISKS[1]), "standard", "strong", None),
    ("amikacin", gene("MT-RNR1", RISKS[2]), "standard", "optional", None),
    ("atazanavir", gene("UGT1A1", "Poor Metabolizer"), "alternative", "strong", None),
    ("atazanavir", gene("UGT1A1", "Intermediate Metabolizer"), "standard", "strong", None),
    ("irinotecan", gene("UGT1A1", "Poor Metabolizer"), "adjust", "none", None),
    ("irinotecan", gene("UGT1A1", "Intermediate Metabolizer"), "monitor", "none", None),
    ("hydralazine", gene("NAT2", "Poor Metabolizer"), "adjust", "moderate", None),
    ("hydralazine", gene("NAT2", "Rapid Metabolizer"), "standard", "moderate", None),
    ("siponimod", {"diplotype:CYP2C9": "*3/*3"}, "avoid", "strong", None),
    ("siponimod", {"diplotype:CYP2C9": "*1/*3"}, "adjust", "none", 0.5),
    ("siponimod", {"diplotype:CYP2C9": "*2/*2"}, "standard", "none", None),
    ("fluorouracil", gene("DPYD", 0.0), "avoid", "strong", None),
    ("capecitabine", gene("DPYD", 0.5), "avoid", "strong", None),
    ("capecitabine", gene("DPYD", 1.0), "adjust", "strong", 0.5),
    ("fluorouracil", gene("DPYD", 1.5), "adjust", "moderate", 0.5),
    ("azathioprine", tpmt("Poor", "Normal") | INFLAMED, "alternative", "strong", None),
    ("azathioprine", tpmt("Normal", "Poor") | CANCER, "adjust", "strong", 0.1),
    ("azathioprine", tpmt("Poor", None), "alternative", "strong", None),  # indication unknown: the more careful row
    ("azathioprine", tpmt("Intermediate", "Normal"), "adjust", "strong", None),
    ("mercaptopurine", tpmt("Intermediate", "Possible Intermediate"), "adjust", "strong", None),
    ("mercaptopurine", tpmt("Poor", "Intermediate") | CANCER, "adjust", "strong", None),
    ("thioguanine", tpmt("Normal", "Poor") | CANCER, "adjust", "strong", 0.25),
    ("thioguanine", tpmt("Normal", "Intermediate"), "adjust", "moderate", None),
    ("rasburicase", gene("G6PD", "Deficient"), "avoid", "strong", None),
    ("primaquine", gene("G6PD", "Deficient with CNSHA"), "avoid", "strong", None),
    ("dapsone", gene("G6PD", "Variable"), "monitor", "moderate", None),
    ("tafenoquine", gene("G6PD", "Normal"), "standard", "strong", None),
    ("nitrofurantoin", gene("G6PD", "Deficient with CNSHA"), "avoid", "optional", None),
    ("sevoflurane", gene("RYR1", SUSCEPTIBLE[0]), "avoid", "strong", None),
    ("succinylcholine", gene("CACNA1S", SUSCEPTIBLE[0]), "avoid", "strong", None),
    ("desflurane", gene("RYR1", SUSCEPTIBLE[1]) | gene("CACNA1S", SUSCEPTIBLE[1]), "standard", "strong", None),
    ("efavirenz", gene("CYP2B6", "Poor Metabolizer") | {"age": 40.0}, "adjust", "moderate", None),
    ("efavirenz", gene("CYP2B6", "Intermediate Metabolizer") | {"age": 12.0}, "adjust", "moderate", None),
    ("efavirenz", gene("CYP2B6", "Ultrarapid Metabolizer"), "standard", "strong", None),
    ("ivacaftor", gene("CFTR", "ivacaftor non-responsive in CF patients"), "avoid", "moderate", None),
    ("ivacaftor", gene("CFTR", "ivacaftor responsive in CF patients"), "standard", "strong", None),
    ("peginterferon alfa-2a", gene("IFNL3", "Unfavorable Response"), "monitor", "strong", None),
    ("peginterferon alfa-2b", gene("IFNL3", "Favorable Response"), "standard", "strong", None),
    ("flurbiprofen", gene("CYP2C9", 0.0), "adjust", "moderate", None),
    ("meloxicam", gene("CYP2C9", 0.5), "alternative", "moderate", None),
    ("meloxicam", gene("CYP2C9", 1.0), "adjust", "moderate", 0.5),
    ("piroxicam", gene("CYP2C9", 1.0), "alternative", "moderate", None),
    ("tenoxicam", gene("CYP2C9", 1.5), "standard", "moderate", None),
    ("lovastatin", gene("SLCO1B1", "Decreased Function"), "alternative", "moderate", None),
    ("pitavastatin", gene("SLCO1B1", "Poor Function"), "adjust", "moderate", None),
    ("pravastatin", gene("SLCO1B1", "Possible Decreased Function"), "monitor", "moderate", None),
    ("fluvastatin", statin("Poor", "CYP2C9", "Intermediate Metabolizer"), "alternative", "moderate", None),
    ("fluvastatin", statin("Increased", "CYP2C9", "Poor Metabolizer"), "adjust", "moderate", None),
    ("fluvastatin", statin("Decreased", "CYP2C9", "Normal Metabolizer"), "monitor", "moderate", None),
    ("rosuvastatin", statin("Poor", "ABCG2", "Poor Function"), "adjust", "moderate", None),
    ("rosuvastatin", statin("Decreased", "ABCG2", "Normal Function"), "monitor", "strong", None),
    ("rosuvastatin", statin("Normal", "ABCG2", "Decreased Function"), "standard", "moderate", None),
    ("tacrolimus", gene("CYP3A5", "Intermediate Metabolizer"), "adjust", "strong", 1.5),
    ("tacrolimus", gene("CYP3A5", "Poor Metabolizer"), "standard", "strong", None),
    # Without CYP4F2 and rs12777823 the known genes still decide.
    ("warfarin", warfarin("*1/*1", "GG"), "standard", "strong", None),
    ("warfarin", warfarin("*2/*3", "AA"), "alternative", "optional", None),
    ("warfarin", warfarin("*1/*8", "GG", rs12777823="G/A"), "adjust", "moderate", None),
]


@needs_engine
@pytest.mark.parametrize(("drug", "known", "action", "strength", "factor"), VIGNETTES)
def test_vignette(drug: str, known: dict[str, Any], action: str, strength: str, factor: float | None) -> None:
    row = lead(drug, known).lead
    assert (row.action, row.strength, row.dose_factor) == (action, strength, factor)


@needs_engine
@pytest.mark.parametrize(("drug", "known"), [
    ("carbamazepine", hla("B*15:02", "negative")),
    ("phenytoin", gene("CYP2C9", 2.0)),
    ("azathioprine", tpmt("Normal", None)),
    ("sevoflurane", gene("RYR1", SUSCEPTIBLE[1])),
    ("rosuvastatin", gene("SLCO1B1", "Normal Function")),
    ("siponimod", {"diplotype:CYP2C9": "*1/*5"}),
    ("warfarin", warfarin("*1/*9", "GG", rs2108622="C/T", rs12777823="G/G")),
    ("warfarin", {"genotype:rs2108622": "C/T"}),
    ("efavirenz", gene("CYP2B6", "Normal Metabolizer") | {"age": 2.0}),
    ("rasburicase", gene("G6PD", "Indeterminate")),
])
def test_what_is_not_known_is_not_standard(drug: str, known: dict[str, Any]) -> None:
    assert lead(drug, known).lead is None


@needs_engine
def test_warfarin_tells_corrections_by_ancestry_beside_the_leading_row() -> None:
    made = lead("warfarin", warfarin("*1/*1", "GG", rs2108622="C/T", rs12777823="G/A"))
    assert made.lead.key == "CYP2C9 *1/*1 with VKORC1 -1639 GG or AG"
    assert [row.key for row in made.applied[1:]] == ["rs12777823 A and CYP4F2 rs2108622 T"]
    assert "10 to 25 %" in made.applied[1].text
    assert not lead("warfarin", warfarin("*1/*1", "GG", rs2108622="C/C", rs12777823="G/G")).applied[1:]


@needs_engine
def test_standard_use_under_an_uncertain_result_is_undecided() -> None:
    """Of every drug: who sees the advice must not take it for a finding that all is well."""
    from pmed_pgx.guidelines import drugs

    rows = [(drug.name, row.key, row.undecided) for drug in drugs().values() for row in drug.rows
            if row.action == "standard" and any(str(value).casefold().startswith(("uncertain", "indeterminate"))
                                                for values in row.when.values() for value in values)]
    assert {"sevoflurane", "gentamicin"} <= {name for name, _, _ in rows}
    assert all(undecided for _, _, undecided in rows)
    assert sum(row.undecided for drug in drugs().values() for row in drug.rows) == len(rows)


@needs_engine
def test_an_undecided_row_says_so_among_its_cautions() -> None:
    from pmed_pgx.wording import cautions

    uncertain = gene("RYR1", SUSCEPTIBLE[1]) | gene("CACNA1S", SUSCEPTIBLE[1])
    assert [one["code"] for one in cautions(lead("desflurane", uncertain))] == ["genes-undecided"]
    assert "genes-undecided" not in [one["code"] for one in cautions(lead("gentamicin", gene("MT-RNR1", RISKS[1])))]
