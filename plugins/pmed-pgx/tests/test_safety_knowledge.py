"""The tables of drug safety: rows are well formed, name what is known, cite sources, and say what is published."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import polars as pl
import pytest

from pmed.engine import Engine
from pmed.normalise.plausible import PLAUSIBLE
from pmed.normalise.units import CODES
from pmed.settings import Settings

DATA = files("pmed_pgx") / "data"
CITATION = re.compile(r"PMID:\d{5,8}|DOI:10\.\d{4,9}/\S+|https://\S+")
GENES = {"CYP1A2", "CYP2B6", "CYP2C8", "CYP2C9", "CYP2C19", "CYP2D6", "CYP3A4", "UGT1A1", "SLCO1B1", "ABCG2", "ABCB1"}
TOPICS = ("kidney", "liver", "age", "pregnancy", "breastfeeding", "disease", "interactions", "qt", "serotonin",
          "bleeding")
ACTIONS, STRENGTHS = {"avoid", "alternative", "adjust", "monitor"}, {"strong", "moderate", "optional"}
NUMBERS = {"age", "weight", "bmi", "egfr", "egfr-trend", "creatinine-clearance", "child-pugh", "daily-dose",
           "days-taken"}
FIELDS = {"key", "drugs", "classes", "when", "action", "strength", "text", "because", "dose_factor", "ask", "source",
          "citation", "today", "overlap"}
# Groups that checks read and the condition table may not have yet: unknown until then, so such a check says nothing.


def tsv(name: str) -> pl.DataFrame:
    return pl.read_csv((DATA / f"{name}.tsv").read_bytes(), separator="\t", infer_schema=False, quote_char=None)


def checks_of(topic: str) -> list[dict[str, Any]]:
    return list(tomllib.loads((DATA / f"check-{topic}.toml").read_text("utf-8"))["check"])


MODIFIERS, CLASSES, ALLERGIES = tsv("modifiers"), tsv("classes"), tsv("allergies")
CHECKS = [(topic, check) for topic in TOPICS for check in checks_of(topic)]
EACH = pytest.mark.parametrize("check", [pytest.param(one, id=one["key"]) for _, one in CHECKS])
DRUGS = set(Engine.start(Settings()).drug_names["ingredient"])
CLASS_NAMES = set(CLASSES["class"])
DERIVED = set(MODIFIERS.select(pl.format("{}-{}-{}", "gene", "strength", "kind")).to_series())
CONDITIONS = set(pl.read_csv((files("pmed.normalise") / "data/condition_groups.tsv").read_bytes(), separator="\t",
                             infer_schema=False)["group"])
PHENOTYPES = set(tsv("phenotypes").select("gene", "phenotype").iter_rows())


def uncited(frame: pl.DataFrame) -> list[str]:
    return [one for one in frame["citation"] if not CITATION.fullmatch(one or "")]


def members(check: dict[str, Any]) -> list[str]:
    listed = CLASSES.filter(pl.col("class").is_in(check.get("classes", [])))["drug"].to_list()
    return [*check.get("drugs", []), *listed]


def test_modifiers_are_well_formed() -> None:
    assert MODIFIERS.columns == ["gene", "drug", "kind", "strength", "from_dose", "lasts_days", "source", "citation"]
    assert MODIFIERS.height > 300
    assert set(MODIFIERS["gene"]) == GENES
    assert set(MODIFIERS["drug"]) <= DRUGS
    assert set(MODIFIERS["kind"]) == {"inhibitor", "inducer"}
    assert set(MODIFIERS["strength"]) == {"strong", "moderate", "weak"}
    assert not MODIFIERS.select("gene", "drug", "kind", "from_dose").is_duplicated().any()
    days = MODIFIERS["lasts_days"].cast(pl.Int64)
    assert days.is_between(1, 365).all()
    doses = MODIFIERS["from_dose"].drop_nulls().cast(pl.Float64)
    assert len(doses) >= 4
    assert (doses > 0).all()
    assert MODIFIERS["source"].null_count() == 0
    assert not uncited(MODIFIERS)


def test_a_drug_lasts_as_long_on_every_gene_that_it_acts_on_alike() -> None:
    lasting = MODIFIERS.group_by("drug", "kind").agg(pl.col("lasts_days").n_unique())
    assert not lasting.filter(pl.col("lasts_days") > 1).height


def test_a_higher_dose_is_never_the_weaker() -> None:
    rank = {"weak": 1, "moderate": 2, "strong": 3}
    dosed = MODIFIERS.filter(pl.col("from_dose").is_not_null())
    for gene, drug, kind, strength in dosed.select("gene", "drug", "kind", "strength").iter_rows():
        plain = MODIFIERS.filter(gene=gene, drug=drug, kind=kind).filter(pl.col("from_dose").is_null())["strength"]
        assert all(rank[one] < rank[strength] for one in plain), (gene, drug)


def test_no_drug_inhibits_and_induces_one_gene_as_strongly() -> None:
    both = MODIFIERS.group_by("gene", "drug").agg(pl.col("kind").n_unique()).filter(pl.col("kind") > 1)
    assert both.is_empty()


def test_classes_are_well_formed() -> None:
    assert CLASSES.columns == ["class", "drug", "source", "citation"]
    assert set(CLASSES["drug"]) <= DRUGS
    assert not CLASSES.select("class", "drug").is_duplicated().any()
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name) for name in CLASS_NAMES)
    # A name is a class or an ingredient, never both: `taking:` reads either.
    assert not CLASS_NAMES & DRUGS
    assert not CLASS_NAMES & DERIVED
    assert CLASSES["source"].null_count() == 0
    assert not uncited(CLASSES)


def test_every_class_is_used() -> None:
    used = {name for _, check in CHECKS for name in check.get("classes", [])}
    used |= {name.removeprefix("taking:") for _, check in CHECKS for name in check["when"]}
    used |= set(ALLERGIES["allergen"]) | set(ALLERGIES["drug_or_class"])
    assert used >= CLASS_NAMES


def test_allergies_are_well_formed() -> None:
    assert ALLERGIES.columns == ["allergen", "drug_or_class", "reason", "severity", "source", "citation"]
    assert ALLERGIES.height > 100
    assert set(ALLERGIES["allergen"]) | set(ALLERGIES["drug_or_class"]) <= DRUGS | CLASS_NAMES
    assert set(ALLERGIES["severity"]) == {"ruled-out", "caution"}
    assert not ALLERGIES.select("allergen", "drug_or_class").is_duplicated().any()
    assert all(not one.endswith(".") and one == one.strip() for one in ALLERGIES["reason"])
    assert not ALLERGIES.filter(pl.col("allergen") == pl.col("drug_or_class")).filter(
        ~pl.col("allergen").is_in(list(CLASS_NAMES))).height
    assert not uncited(ALLERGIES)


def test_there_are_checks_of_every_topic_and_no_two_alike() -> None:
    assert len(CHECKS) >= 400
    found = {file.name for file in DATA.iterdir() if file.name.startswith("check-")}
    assert found == {f"check-{topic}.toml" for topic in TOPICS}
    keys = [check["key"] for _, check in CHECKS]
    assert len(keys) == len(set(keys))
    said = Counter((drug, check["action"], repr(sorted(check["when"].items())))
                   for _, check in CHECKS for drug in members(check))
    assert not [one for one, times in said.items() if times > 1]


@EACH
def test_check_is_about_known_drugs(check: dict[str, Any]) -> None:
    assert set(check) <= FIELDS
    assert set(check) >= FIELDS - {"drugs", "classes", "dose_factor", "ask", "today", "overlap"}
    assert check.get("drugs") or check.get("classes")
    assert set(check.get("drugs", [])) <= DRUGS
    assert set(check.get("classes", [])) <= CLASS_NAMES
    assert len(set(members(check))) == len(members(check))


@EACH
def test_check_says_what_to_do_and_why(check: dict[str, Any]) -> None:
    assert check["action"] in ACTIONS
    assert check["strength"] in STRENGTHS
    assert check["text"].endswith(".")
    assert check["text"][0].isupper()
    assert not set(re.findall(r"\{.*?\}", check["text"] + check["because"])) - {"{drug}"}
    assert check["because"].replace("{drug}", "drug")[0].islower()
    assert not check["because"].endswith(".")
    assert check["source"]
    assert CITATION.fullmatch(check["citation"])
    factor = check.get("dose_factor", 0.5)
    assert 0 < factor <= 2
    assert factor != 1
    assert "dose_factor" not in check or check["action"] == "adjust"
    assert check.get("ask", True) is True


def known(name: str) -> bool:
    kind, _, rest = name.partition(":")
    return {"condition": lambda: rest in CONDITIONS, "latest": lambda: rest in CODES and rest in PLAUSIBLE,
            "taking": lambda: rest in CLASS_NAMES | DRUGS | DERIVED,
            "phenotype": lambda: any(gene == rest for gene, _ in PHENOTYPES)}.get(
                kind, lambda: name in NUMBERS | {"pregnant", "breastfeeding", "sex"})()


NONE_TAKEN = {"max": 1}


def ranges(wanted: object) -> Iterator[dict[str, float]]:
    yield from (one for one in (wanted if isinstance(wanted, list) else [wanted]) if isinstance(one, dict))


@EACH
def test_check_reads_what_there_is(check: dict[str, Any]) -> None:
    assert check["when"]
    for name, wanted in check["when"].items():
        assert known(name), name
        kind, _, gene = name.partition(":")
        if kind == "phenotype":
            assert {(gene, one) for one in wanted} <= PHENOTYPES
        elif kind in {"condition", "pregnant", "breastfeeding"}:
            assert isinstance(wanted, bool)
        elif kind == "sex":
            assert wanted in {"female", "male"}
        else:
            assert list(ranges(wanted)) or (name, wanted) == ("daily-dose", "unknown"), name
        for span in ranges(wanted):
            assert set(span) <= {"min", "max"}
            assert span
            assert span.get("min", -1e9) < span.get("max", 1e9)
            assert kind != "taking" or span in ({"min": span.get("min")}, NONE_TAKEN)


@EACH
def test_check_is_not_of_a_drug_with_itself(check: dict[str, Any]) -> None:
    named = {name.removeprefix("taking:") for name in check["when"] if name.startswith("taking:")}
    assert not named & set(members(check))


@pytest.mark.parametrize(("gene", "drug", "kind", "strength"), [
    ("CYP2D6", "paroxetine", "inhibitor", "strong"), ("CYP2D6", "fluoxetine", "inhibitor", "strong"),
    ("CYP2D6", "bupropion", "inhibitor", "strong"), ("CYP2D6", "quinidine", "inhibitor", "strong"),
    ("CYP2D6", "terbinafine", "inhibitor", "strong"), ("CYP2D6", "duloxetine", "inhibitor", "moderate"),
    ("CYP2D6", "cinacalcet", "inhibitor", "moderate"), ("CYP2D6", "mirabegron", "inhibitor", "moderate"),
    ("CYP2D6", "abiraterone", "inhibitor", "moderate"), ("CYP2D6", "escitalopram", "inhibitor", "weak"),
    ("CYP1A2", "fluvoxamine", "inhibitor", "strong"), ("CYP2C19", "fluvoxamine", "inhibitor", "strong"),
    ("CYP2C19", "fluconazole", "inhibitor", "strong"), ("CYP2C9", "fluconazole", "inhibitor", "moderate"),
    ("CYP3A4", "fluconazole", "inhibitor", "moderate"), ("CYP2C9", "amiodarone", "inhibitor", "moderate"),
    ("CYP2C8", "gemfibrozil", "inhibitor", "strong"), ("CYP3A4", "clarithromycin", "inhibitor", "strong"),
    ("CYP3A4", "diltiazem", "inhibitor", "moderate"), ("CYP3A4", "rifampin", "inducer", "strong"),
    ("CYP2C19", "rifampin", "inducer", "strong"), ("CYP2B6", "carbamazepine", "inducer", "strong"),
    ("CYP3A4", "efavirenz", "inducer", "moderate"), ("UGT1A1", "atazanavir", "inhibitor", "strong"),
    ("SLCO1B1", "cyclosporine", "inhibitor", "strong"), ("CYP2C19", "voriconazole", "inhibitor", "moderate"),
    ("UGT1A1", "ketoconazole", "inhibitor", "moderate"), ("ABCG2", "darolutamide", "inhibitor", "strong"),
    ("CYP2C8", "clopidogrel", "inhibitor", "moderate"), ("ABCG2", "ticagrelor", "inhibitor", "moderate"),
])
def test_published_strength(gene: str, drug: str, kind: str, strength: str) -> None:
    found = MODIFIERS.filter(gene=gene, drug=drug).filter(pl.col("from_dose").is_null())
    assert found.select("kind", "strength").rows() == [(kind, strength)]


@pytest.mark.parametrize(("drug", "days"), [("fluoxetine", 35), ("paroxetine", 7), ("amiodarone", 90)])
def test_effect_lasts(drug: str, days: int) -> None:
    assert set(MODIFIERS.filter(drug=drug)["lasts_days"]) == {str(days)}


def test_dose_makes_sertraline_a_moderate_inhibitor() -> None:
    rows = MODIFIERS.filter(gene="CYP2D6", drug="sertraline").select("from_dose", "strength").rows()
    assert sorted(rows, key=str) == [("150", "moderate"), (None, "weak")]


def test_apixaban_rather_than_warfarin_is_for_who_starts() -> None:
    check = next(check for _, check in CHECKS if check["key"] == "warfarin start, 65 years and more")
    assert check["when"]["days-taken"] == {"max": 92}


@pytest.mark.parametrize(("drug", "asked"), [
    ("prasugrel", "weight"), ("edoxaban", "weight"), ("duloxetine", "creatinine-clearance"),
    ("venlafaxine", "creatinine-clearance"), ("tramadol", "creatinine-clearance"), ("codeine", "egfr"),
    ("levetiracetam", "creatinine-clearance"), ("apixaban", "creatinine-clearance"),
    ("colchicine", "creatinine-clearance")])
def test_a_dose_that_hangs_on_an_unknown_value_asks_for_it(drug: str, asked: str) -> None:
    assert any(check.get("ask") and asked in check["when"] and drug in members(check) for _, check in CHECKS)


@pytest.mark.parametrize(("allergen", "drug", "severity"), [
    ("sulfonamide-antibiotic", "celecoxib", "ruled-out"), ("carbamazepine", "phenytoin", "ruled-out"),
    ("carbamazepine", "oxcarbazepine", "ruled-out"), ("penicillin", "penicillin", "ruled-out"),
    ("penicillin", "cephalosporin", "caution"), ("aspirin", "nonselective-nsaid", "ruled-out"),
    ("codeine", "tramadol", "caution"),
])
def test_published_cross_reaction(allergen: str, drug: str, severity: str) -> None:
    assert ALLERGIES.filter(allergen=allergen, drug_or_class=drug)["severity"].to_list() == [severity]


@pytest.mark.parametrize(("drug", "name", "inside", "outside", "action"), [
    ("metformin", "egfr", 29.9, 60, "avoid"), ("codeine", "age", 11.9, 40, "avoid"),
    ("tramadol", "age", 10, 40, "avoid"), ("prasugrel", "age", 75, 74.9, "avoid"),
    ("prasugrel", "weight", 59, 60, "adjust"), ("rosuvastatin", "creatinine-clearance", 29, 30, "adjust"),
    ("duloxetine", "child-pugh", 7, 6, "avoid"), ("diazepam", "age", 65, 64, "avoid"),
    ("metoprolol", "latest:8867-4", 48, 50, "adjust"), ("haloperidol", "latest:8636-3", 500, 469, "avoid"),
    ("allopurinol", "egfr", 25, 60, "adjust"), ("nitrofurantoin", "creatinine-clearance", 29, 30, "avoid"),
    ("warfarin", "latest:777-3", 49, 50, "avoid"), ("dabigatran etexilate", "creatinine-clearance", 29, 50, "avoid"),
    ("fondaparinux", "creatinine-clearance", 29, 51, "avoid"), ("enoxaparin", "creatinine-clearance", 14, 15, "avoid"),
    ("tenofovir disoproxil", "creatinine-clearance", 9, 10, "avoid"), ("nitrofurantoin", "egfr", 44, 45, "avoid"),
    ("dofetilide", "creatinine-clearance", 60, 61, "adjust"), ("glimepiride", "egfr", 45, 60, "adjust"),
    ("amiloride", "creatinine-clearance", 29, 30, "avoid"), ("finerenone", "egfr", 24, 25, "avoid"),
    ("risedronate", "creatinine-clearance", 29, 30, "avoid"), ("denosumab", "egfr", 29, 30, "monitor"),
    ("pantoprazole", "child-pugh", 10, 9, "alternative"), ("venlafaxine", "child-pugh", 10, 9, "adjust"),
    ("lamotrigine", "age", 17, 18, "monitor"), ("dabigatran etexilate", "age", 65, 64, "monitor"),
    ("zoledronic acid", "creatinine-clearance", 34, 35, "avoid"), ("baricitinib", "egfr", 29, 30, "avoid"),
    ("dalfampridine", "creatinine-clearance", 50, 51, "avoid"),
    ("varenicline", "creatinine-clearance", 29, 30, "adjust"),
    ("acamprosate", "creatinine-clearance", 30, 31, "avoid"), ("acamprosate", "creatinine-clearance", 50, 51, "adjust"),
    ("amisulpride", "creatinine-clearance", 59, 60, "adjust"), ("saxagliptin", "egfr", 44, 45, "adjust"),
    ("nintedanib", "child-pugh", 7, 6, "avoid"), ("fingolimod", "child-pugh", 10, 9, "avoid"),
])
def test_published_threshold(drug: str, name: str, inside: float, outside: float, action: str) -> None:
    def holding(value: float) -> set[str]:
        alone = [one for _, one in CHECKS if drug in members(one) and set(one["when"]) - {"days-taken"} == {name}]
        return {one["action"] for one in alone
                for span in ranges(one["when"][name]) if span.get("min", 0) <= value < span.get("max", 1e9)}
    assert action in holding(inside)
    assert action not in holding(outside)


@pytest.mark.parametrize(("drug", "name", "action"), [
    ("prasugrel", "condition:stroke-or-tia", "avoid"), ("celecoxib", "condition:heart-failure", "avoid"),
    ("tramadol", "condition:epilepsy", "avoid"), ("bupropion", "condition:epilepsy", "avoid"),
    ("propranolol", "condition:asthma", "avoid"), ("simvastatin", "taking:CYP3A4-strong-inhibitor", "avoid"),
    ("simvastatin", "pregnant", "avoid"), ("warfarin", "taking:amiodarone", "adjust"),
    ("warfarin", "taking:nsaid", "monitor"), ("naproxen", "taking:anticoagulant", "avoid"),
    ("omeprazole", "taking:clopidogrel", "alternative"),
    ("tizanidine", "taking:CYP1A2-strong-inhibitor", "avoid"),
    ("azathioprine", "taking:xanthine-oxidase-inhibitor", "adjust"),
    ("tamoxifen", "taking:CYP2D6-strong-inhibitor", "alternative"),
    ("irinotecan", "taking:UGT1A1-strong-inhibitor", "avoid"),
    ("trimethoprim", "taking:methotrexate", "avoid"), ("nitroglycerin", "taking:pde5-inhibitor", "avoid"),
    ("valproate", "pregnant", "avoid"), ("topiramate", "pregnant", "avoid"),
    ("carbimazole", "pregnant", "alternative"),
    ("danazol", "pregnant", "avoid"), ("danazol", "breastfeeding", "avoid"),
    ("flecainide", "condition:coronary-disease", "avoid"),
    ("paroxetine", "taking:tamoxifen", "alternative"), ("bupropion", "taking:tamoxifen", "alternative"),
    ("avanafil", "taking:CYP3A4-strong-inhibitor", "avoid"), ("flecainide", "taking:qt-known", "avoid"),
    ("hydrocodone", "taking:CYP3A4-strong-inhibitor", "adjust"),
    ("citalopram", "latest:2951-2", "monitor"), ("indapamide", "latest:2951-2", "monitor"),
    ("mavacamten", "taking:CYP2C19-strong-inhibitor", "avoid"),
    ("mavacamten", "taking:CYP3A4-moderate-inducer", "avoid"), ("fluindione", "taking:nsaid", "monitor"),
    ("siponimod", "condition:stroke-or-tia", "avoid"), ("siponimod", "condition:heart-failure", "avoid"),
    ("atomoxetine", "condition:heart-failure", "avoid"), ("atomoxetine", "condition:glaucoma", "avoid"),
    ("ethinyl estradiol", "condition:atrial-fibrillation", "avoid"),
    ("quinine", "condition:myasthenia-gravis", "avoid"), ("clarithromycin", "condition:myasthenia-gravis", "monitor"),
    ("metoclopramide", "condition:gi-bleeding", "avoid"),
    ("tranexamic acid", "condition:stroke-or-tia", "avoid"), ("clopidogrel", "condition:gi-bleeding", "monitor"),
    ("nortriptyline", "taking:linezolid-or-methylene-blue", "avoid"), ("fentanyl", "taking:maoi", "avoid"),
    ("thioridazine", "taking:thioridazine-raising-drug", "avoid"), ("vericiguat", "pregnant", "avoid"),
    ("misoprostol", "pregnant", "avoid"), ("ozanimod", "pregnant", "avoid"), ("upadacitinib", "pregnant", "avoid"),
    ("fingolimod", "condition:myocardial-infarction", "avoid"), ("dalfampridine", "condition:epilepsy", "avoid"),
    ("saxagliptin", "condition:heart-failure", "avoid"), ("lormetazepam", "age", "avoid"),
])
def test_published_check(drug: str, name: str, action: str) -> None:
    assert action in {one["action"] for _, one in CHECKS if drug in members(one) and set(one["when"]) == {name}}


@pytest.mark.parametrize(("drug", "said"), [
    ("pravastatin", "Give no more than 20 mg {drug} a day."),
    ("fluvastatin", "Give no more than 20 mg {drug} twice a day."),
    ("rosuvastatin",
     "Do not give {drug} with cyclosporine; where it must be, no more than 5 mg a day (in Europe ruled out).")])
def test_published_highest_dose_with_cyclosporine(drug: str, said: str) -> None:
    told = {one["text"] for _, one in CHECKS if drug in members(one) and set(one["when"]) == {"taking:cyclosporine"}}
    assert told == {said}


@pytest.mark.parametrize("condition", ["gi-bleeding", "peptic-ulcer", "intracranial-bleeding"])
def test_what_thins_blood_is_not_given_while_it_bleeds(condition: str) -> None:
    told = [one for _, one in CHECKS if set(one["when"]) == {f"condition:{condition}"} and one["action"] == "monitor"
            and {"apixaban", "aspirin", "clopidogrel", "ticagrelor"} & set(members(one))]
    assert told
    assert all("while it bleeds" in one["text"] for one in told)


def test_after_a_serotonergic_drug_linezolid_is_watched_for_weeks() -> None:
    key = "linezolid or methylene blue with a serotonergic drug"
    told = next(one["text"] for _, one in CHECKS if one["key"] == key)
    assert "two weeks (five after fluoxetine), or until 24 hours after the last dose" in told


@pytest.mark.parametrize(("name", "drug"), [
    ("dofetilide-raising-drug", "megestrol"), ("dofetilide-raising-drug", "bictegravir"),
    ("maoi-partner", "amitriptyline"), ("maoi-partner", "bupropion"), ("maoi-partner", "atomoxetine"),
    ("maoi-partner", "sumatriptan"), ("qt-known", "toremifene"), ("qt-known", "levomepromazine"),
    ("qt-possible", "dasatinib"), ("qt-possible", "sorafenib"), ("qt-possible", "fingolimod"),
    ("qt-possible", "mefloquine"), ("qt-possible", "aripiprazole"), ("qt-conditional", "amisulpride"),
    ("penicillin", "flucloxacillin"), ("nsaid", "dexketoprofen")])
def test_published_member(name: str, drug: str) -> None:
    assert drug in CLASSES.filter(pl.col("class") == name)["drug"].to_list()
