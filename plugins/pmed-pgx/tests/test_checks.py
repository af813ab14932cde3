"""Checks: what holds, what leads, what is said beside it; genes, medicines and kidneys explained together."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmed import PmedError
from pmed_pgx.alternatives import OUT, _verdict
from pmed_pgx.beside import without
from pmed_pgx.checks import allergy_rows, checks, covered, parse, reads
from pmed_pgx.explainer import TOGETHER, attributed, game
from pmed_pgx.guidelines import Drug, drugs
from pmed_pgx.guidelines import parse as parse_guideline
from pmed_pgx.knowledge import folder
from pmed_pgx.outcomes import Outcome, certain, outcome
from pmed_pgx.wording import advice, because, cautions, dose_factor, evidence, held, untested

ROW = """
[[check]]
key = "{key}"
drugs = ["made-up"]
when = {when}
action = "{action}"
strength = "strong"
text = "{text}"
because = "of {key}"
source = "Label"
citation = "PMID:1"
{more}
"""
POOR, NORMAL, CYP = "Poor Metabolizer", "Normal Metabolizer", "phenotype:CYP2C19"


def row(key: str, when: str, action: str = "avoid", text: str = "Leave it.", more: str = "") -> str:
    return ROW.format(key=key, when=when, action=action, text=text, more=more)


def made(*rows: str, genetic: bool = False) -> Drug:
    """A drug with those checks, and with the rows of clopidogrel if it is to be `genetic`."""
    found = [check for _, check in parse("".join(rows))] if rows else []
    text = (folder() / "guideline-clopidogrel.toml").read_text("utf-8")
    plain = Drug("made-up", "", {}, (), (), (), "", "", "")
    return replace(parse_guideline(text)[0] if genetic else plain, checks=tuple(found))


KIDNEY = row("kidney", "{ egfr = { max = 30 } }", more="ask = true")
WATCH = row("watch", "{ age = { min = 65 } }", "monitor", "Watch it.")
LESS = row("less", '{ "taking:nsaid" = { min = 1 } }', "adjust", "Give half.", "dose_factor = 0.5")


@pytest.mark.parametrize(("text", "words"), [
    (row("k", "{ egfr = { max = 30 } }", "shun"), "check, k: 'shun' is not one of monitor"),
    (row("k", "{ egfr = { max = 30 } }", "standard"), "'standard' is not one of"),
    (row("k", "{ egfr = { max = 30 } }").replace("because", "why"), "'because' is missing"), ("[[check", "not TOML")])
def test_a_bad_check_is_one_line(text: str, words: str) -> None:
    with pytest.raises(PmedError, match=words) as caught:
        parse(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("egfr", "holds"), [(29.9, True), (30.0, False), (None, False)])
def test_a_check_holds_where_all_of_it_does(egfr: float | None, holds: bool) -> None:
    one = outcome(made(KIDNEY), {"egfr": egfr})
    assert bool(one.checks) is holds
    assert (one.lead.action if one.lead else None) == ("avoid" if holds else None)


@pytest.mark.parametrize(("dose", "keys"), [(40.0, {"limit"}), (20.0, set()), (None, {"limit"})])
def test_a_limit_is_told_where_the_dose_is_above_it_or_not_known(dose: float | None, keys: set[str]) -> None:
    drug = made(row("limit", '{ daily-dose = ["unknown", { min = 20.1 }] }', "monitor"))
    one = outcome(drug, {"daily-dose:made-up": dose})
    assert {check.key for check in one.checks} == keys


@pytest.mark.parametrize(("drug", "known", "said"), [
    ("simvastatin", {"taking:statin-20-mg-partner": "amlodipine", "taking:statin-10-mg-partner": ""}, "20 mg"),
    ("simvastatin", {"taking:statin-10-mg-partner": "verapamil", "taking:statin-20-mg-partner": ""}, "10 mg"),
    ("aspirin", {"taking:ticagrelor": "ticagrelor"}, "100 mg"), ("digoxin", {"age": 80.0}, "0.125 mg")])
def test_who_keeps_the_limit_is_not_told_of_it(drug: str, known: dict[str, Any], said: str) -> None:
    limit = float(said.removesuffix(" mg"))
    within, above, unknown = ([check.text for check in outcome(covered()[drug], {
        **known, f"daily-dose:{drug}": dose}).checks] for dose in (limit, 2 * limit, None))
    assert not any(said in text for text in within)
    assert all(any(said in text for text in texts) for texts in (above, unknown))


@pytest.mark.parametrize(("age", "diuretic", "sodium", "said"), [
    (64.0, "indapamide", 140.0, []), (65.0, "indapamide", None, ["thiazide"]), (65.0, "", 134.0, ["below 135"]),
    (30.0, "", 135.0, []), (70.0, "hydrochlorothiazide", 128.0, ["thiazide", "below 135"]), (None, None, None, [])])
def test_sodium_on_an_antidepressant(age: float | None, diuretic: str | None, sodium: float | None,
                                     said: list[str]) -> None:
    one = outcome(covered()["sertraline"], {"age": age, "taking:thiazide": diuretic, "latest:2951-2": sodium})
    keys = [check.key for check in one.checks]
    assert len(keys) == len(said)
    assert all(any(word in key for key in keys) for word in said)


def test_an_open_check_says_nothing_but_may_ask() -> None:
    one = outcome(made(KIDNEY, WATCH), {"egfr": None, "age": None})
    assert one.lead is None
    assert (untested(one), cautions(one)) == ("kidney function (eGFR)", [])
    watched = outcome(made(KIDNEY, WATCH), {"egfr": None, "age": 70.0})
    assert [said["code"] for said in cautions(watched)] == ["unknown-input"]
    assert "kidney function" in cautions(watched)[0]["text"]


@pytest.mark.parametrize(("age", "told"), [(17.9, True), (18.0, False), (None, True)])
def test_a_caution_for_the_young_is_told_unless_somebody_is_known_to_be_older(age: float | None, told: bool) -> None:
    one = outcome(covered()["codeine"], {"age": age, "phenotype:CYP2D6": NORMAL})
    assert any("tonsils" in said["text"] for said in cautions(one)) is told


@pytest.mark.parametrize(("known", "action"), [
    ({CYP: NORMAL}, "standard"), ({CYP: NORMAL, "egfr": 20.0}, "avoid"), ({CYP: NORMAL, "age": 70.0}, "monitor"),
    ({CYP: None, "egfr": 20.0}, "avoid"), ({CYP: None, "age": 70.0}, None), ({CYP: POOR, "age": 70.0}, "avoid")])
def test_what_changes_the_treatment_leads_before_the_gene_is_known(known: dict[str, Any], action: str | None) -> None:
    one = outcome(made(KIDNEY, WATCH, genetic=True), {"egfr": None, "age": None, "finding:acs-or-pci": True, **known})
    assert (one.lead.action if one.lead else None) == action


@pytest.mark.parametrize(("grade", "leads"), [("optional", "of kidney"), ("strong", "the guideline"),
                                              ("none", "of kidney")])
def test_as_much_concern_of_a_stronger_grade_leads(grade: str, leads: str) -> None:
    drug = made(KIDNEY, genetic=True)
    rows = tuple(replace(one, strength=grade, because="the guideline") for one in drug.rows)
    one = outcome(replace(drug, rows=rows), {"egfr": 20.0, CYP: POOR, "finding:acs-or-pci": True})
    assert one.lead
    assert (one.lead.action, one.lead.because) == ("avoid", leads)


@pytest.mark.parametrize(("drug", "known", "key", "beside"), [
    ("warfarin", {"latest:6301-6": 4.8, "diplotype:CYP2C9": "*3/*3", "phenotype:VKORC1": "-1639 AG"},
     "warfarin, INR above 4.5", "By the genes: Consider another oral anticoagulant"),
    ("warfarin", {"latest:6301-6": 4.8, "diplotype:CYP2C9": "*1/*3", "phenotype:VKORC1": "-1639 AA",
                  "taking:amiodarone": "amiodarone"}, "warfarin, INR above 4.5", "By the genes: Lower the starting"),
    ("rivaroxaban", {"age": 80.0, "creatinine-clearance": 30.0, "condition:atrial-fibrillation": True},
     "rivaroxaban in atrial fibrillation, clearance 15 to 50", "Consider apixaban"),
    ("venlafaxine", {"phenotype:CYP2D6": POOR, "child-pugh": 8.0, "condition:liver-cirrhosis": True},
     "venlafaxine, Child-Pugh A or B", "By the genes: Consider an antidepressant"),
    ("venlafaxine", {"phenotype:CYP2D6": POOR}, "CYP2D6 Poor Metabolizer", "Consider an antidepressant")])
def test_what_is_needed_now_leads_over_options(drug: str, known: dict[str, Any], key: str, beside: str) -> None:
    one = outcome(covered()[drug], known)
    assert one.lead
    assert one.lead.key == key
    assert beside in (advice(one) or "")
    assert attributed(game(one))[1] == one.lead.concern


@pytest.mark.parametrize(("drug", "known", "told"), [
    # Where the other medicine goes, the dose by the genes holds.
    ("irinotecan", {"phenotype:UGT1A1": POOR, "taking:UGT1A1-strong-inhibitor": "gemfibrozil"}, True),
    # A painkiller that is not to be taken has no dose.
    ("ibuprofen", {"activity-score:CYP2C9": 0.0, "taking:anticoagulant": "warfarin"}, False)])
def test_the_dose_by_the_genes_stands_beside_an_avoid_that_is_due_to_another_medicine(
        drug: str, known: dict[str, Any], told: bool) -> None:
    one = outcome(covered()[drug], known)
    assert one.lead
    assert (one.lead.action, len(one.applied)) == ("avoid", 1)
    assert ("By the genes:" in (advice(one) or "")) is told


def test_an_optional_avoid_rules_a_candidate_out_though_a_dose_leads() -> None:
    drug = made(LESS, genetic=True)
    rows = tuple(replace(row, strength="optional") for row in drug.rows)
    one = outcome(replace(drug, rows=rows), {CYP: POOR, "finding:acs-or-pci": True, "taking:nsaid": "ibuprofen"})
    assert one.lead
    assert one.lead.action == "adjust"
    assert _verdict(one)[0] == OUT


def test_texts_reasons_and_sources_follow_the_lead() -> None:
    given_all = {"egfr": 20.0, "age": 70.0, "taking:nsaid": "ibuprofen", CYP: NORMAL, "finding:acs-or-pci": True}
    one = outcome(made(WATCH, LESS), given_all)
    assert advice(one) == "Give half. Watch it."
    assert because(one) == "of less (ibuprofen); of watch (watch)"
    gone = outcome(made(KIDNEY, WATCH, LESS, genetic=True), given_all)
    assert advice(gone) == "Leave it."  # no dose beside "avoid"
    assert [one["source"] for one in evidence(gone)] == ["Label", "CPIC"]


def taking(drug: str, **known: Any) -> Outcome:
    """The outcome of a drug of the release for a patient who takes nothing but what is `known` to be taken."""
    listed = {name: "" for name in reads(covered()[drug]) if name.startswith("taking:")}
    return outcome(covered()[drug], {**listed, **known})


def test_one_reason_of_several_checks_is_said_once_with_all_names() -> None:
    one = taking("lithium", **{"taking:renin-angiotensin-drug": "lisinopril", "taking:nsaid": "ibuprofen",
                               "taking:thiazide": "hydrochlorothiazide"})
    assert because(one) == "the kidneys keep it back (lisinopril, hydrochlorothiazide, ibuprofen)"
    one = taking("colchicine", **{"taking:colchicine-raising-drug": "cyclosporine", "creatinine-clearance": 20.0})
    assert (because(one) or "").count("deaths were seen") == 1
    one = taking("nitrofurantoin", **{"creatinine-clearance": 20.0, "egfr": 25.0})
    assert "(nitrofurantoin, clearance below 30 and nitrofurantoin, eGFR below 45)" in (because(one) or "")


@pytest.mark.parametrize(("known", "said"), [
    ({CYP: NORMAL, "age": 70.0}, "of watch"),
    ({CYP: POOR, "age": 70.0}, "GENES: clopidogrel is hardly"),
    ({CYP: "Intermediate Metabolizer", "age": 50.0, "egfr": 20.0}, "of kidney (kidney); GENES: "),
    ({CYP: NORMAL, "age": 50.0}, "GENES: "),
    ({CYP: "Ultrarapid Metabolizer", "age": 50.0, "heart-rate": 40.0}, "GENES: of both"),
])
def test_genes_stand_before_the_reason_that_is_theirs(known: dict[str, Any], said: str) -> None:
    both = row("both", '{ "phenotype:CYP2C19" = ["Ultrarapid Metabolizer"], "heart-rate" = { max = 50 } }')
    why = because(outcome(made(KIDNEY, WATCH, both, genetic=True), known), "GENES: ") or ""
    assert why.startswith(said)
    assert why.count("GENES") == ("GENES" in said)


def test_more_by_the_genes_and_less_by_a_check_is_a_disagreement() -> None:
    drug = replace(drugs()["tacrolimus"], checks=made(LESS).checks)
    one = outcome(drug, {"phenotype:CYP3A5": NORMAL, "taking:nsaid": "ibuprofen"})
    assert "disagreement" in [said["code"] for said in cautions(one)]
    assert dose_factor(one) is None  # neither of the two numbers would be right
    assert advice(one) == f"By the genes: {one.applied[0].text} By the record: {one.checks[0].text}"
    poor = outcome(drug, {"phenotype:CYP3A5": POOR, "taking:nsaid": "ibuprofen"})
    assert "disagreement" not in [said["code"] for said in cautions(poor)]
    assert dose_factor(poor) == 0.5  # the genes ask for no change


def test_allergies_speak_against_the_drug_and_its_relatives() -> None:
    keys = {one.key: one.action for one in allergy_rows("celecoxib")}
    assert keys["allergy to celecoxib"] == keys["allergy to sulfonamide-antibiotic"] == "avoid"
    for allergen, action in (("celecoxib", "avoid"), ("sulfamethoxazole", "avoid"),
                             ("sulfonamide-antibiotic", "avoid"), ("penicillin", None), ("penicillin v", None)):
        lead = outcome(replace(covered()["celecoxib"], rows=(), reference={}), {"allergic-to": allergen}).lead
        assert (lead.action if lead else None) == action


@pytest.mark.parametrize(("allergen", "drug", "action", "strength"), [
    ("codeine", "tramadol", "monitor", "optional"), ("aspirin", "celecoxib", "monitor", "optional"),
    ("aspirin", "ibuprofen", "avoid", "strong"), ("carbamazepine", "lamotrigine", "monitor", "optional"),
    ("carbamazepine", "phenytoin", "avoid", "strong"), ("penicillin", "cephalexin", "monitor", "optional"),
    ("nonselective-nsaid", "ibuprofen", "avoid", "strong")])
def test_a_cross_allergy_is_a_caution_or_rules_out(allergen: str, drug: str, action: str, strength: str) -> None:
    row = next(one for one in allergy_rows(drug) if one.key == f"allergy to {allergen}")
    assert (row.action, row.strength) == (action, strength)
    assert row.text.startswith("Do not give" if action == "avoid" else "Give")


def test_nothing_is_asked_where_the_drug_goes_anyway() -> None:
    pregnant = outcome(made(KIDNEY, row("unborn", "{ pregnant = true }")), {"egfr": None, "pregnant": True})
    assert (pregnant.lead and pregnant.lead.action, cautions(pregnant)) == ("avoid", [])


def test_a_candidate_whose_gene_is_unknown_tells_what_is_held_against_it() -> None:
    one = outcome(made(WATCH, genetic=True), {CYP: None, "age": 70.0, "finding:acs-or-pci": True})
    assert one.lead is None
    assert held(one) == ["of watch (watch)"]


def test_a_drug_neither_acts_on_itself_nor_counts_itself() -> None:
    paroxetine = drugs()["paroxetine"]
    acts = "paroxetine|inhibitor|strong|taken"
    known = {"phenotype:CYP2D6": NORMAL, "activity-score:CYP2D6": 2.0}
    assert outcome(paroxetine, {**known, "modifiers:CYP2D6": acts}).known["phenotype:CYP2D6"] == NORMAL
    assert outcome(drugs()["codeine"], {**known, "modifiers:CYP2D6": acts}).known["phenotype:CYP2D6"] == POOR
    one = replace(made(LESS), name="ibuprofen")
    assert not outcome(one, {"taking:nsaid": "ibuprofen"}).checks


def test_a_candidate_is_judged_as_if_the_replaced_drug_were_not_taken() -> None:
    before = {"modifiers:CYP2D6": "bupropion|inhibitor|strong|taken;paroxetine|inhibitor|strong|taken",
              "taking:ssri": "paroxetine;sertraline", "allergic-to": "paroxetine", "age": 50.0}
    assert without(before, "paroxetine") == {
        **before, "modifiers:CYP2D6": "bupropion|inhibitor|strong|taken", "taking:ssri": "sertraline"}


def brute(one: Outcome) -> dict[str, float]:
    """Shapley values by all orders in which the players can join."""
    played = game(one)
    orders = list(permutations(played.players))
    found = dict.fromkeys(played.players, 0.0)
    for order in orders:
        for at, name in enumerate(order):
            added = [certain(played.drug, played.hybrid(order[:end])) for end in (at, at + 1)]
            found[name] += (added[1] - added[0]) / len(orders)
    return found


cases = st.fixed_dictionaries({
    CYP: st.sampled_from([None, POOR, NORMAL, "Intermediate Metabolizer"]), "egfr": st.sampled_from([None, 20.0, 90.0]),
    "age": st.sampled_from([None, 40.0, 70.0]),
    "taking:nsaid": st.sampled_from([None, "", "ibuprofen", "ibuprofen;naproxen"]),
    "modifiers:CYP2C19": st.sampled_from([None, "", "fluvoxamine|inhibitor|strong|taken",
                                          "rifampin|inducer|strong|taken"]),
    "finding:acs-or-pci": st.sampled_from([None, True])})


@settings(deadline=None, max_examples=60)
@given(cases, st.sampled_from(["both", "kidney", "none"]))
def test_genes_medicines_and_kidneys_are_explained_together(known: dict[str, Any], which: str) -> None:
    rows = {"both": (KIDNEY, WATCH, LESS), "kidney": (KIDNEY,), "none": ()}[which]
    one = outcome(made(*rows, genetic=True), known)
    baseline, total, added = attributed(game(one))
    assert baseline + sum(added.values()) == pytest.approx(total, abs=1e-9)
    assert added == pytest.approx(brute(one), abs=1e-9)


def test_a_medicine_is_one_player_in_however_many_places_it_acts() -> None:
    one = outcome(made(row("two", '{ "taking:ssri" = { min = 1 } }', "monitor"), genetic=True), {
        CYP: NORMAL, "finding:acs-or-pci": True, "taking:ssri": "fluvoxamine",
        "modifiers:CYP2C19": "fluvoxamine|inhibitor|strong|taken"})
    baseline, total, added = attributed(game(one))
    assert (baseline, total) == (0.0, 4.0)
    assert {name for name, size in added.items() if size} == {"on:fluvoxamine"}


@pytest.mark.parametrize(("many", "together"), [(12, False), (13, True)])
def test_up_to_twelve_players_stand_alone(many: int, together: bool) -> None:
    one = outcome(made(LESS), {"taking:nsaid": ";".join(f"drug{at:02}" for at in range(many))})
    _, total, added = attributed(game(one))
    assert len(added) == (1 if together else many)
    assert (TOGETHER in added) is together
    assert sum(added.values()) == pytest.approx(total)


def test_many_medicines_are_one_player() -> None:
    many = ";".join(f"drug{at:02}" for at in range(20))
    one = outcome(made(LESS), {"taking:nsaid": many})
    baseline, total, added = attributed(game(one))
    assert (baseline, total, added) == (0.0, 2.0, {TOGETHER: 2.0})


def test_every_check_of_the_release_is_of_a_covered_drug() -> None:
    assert set(checks()) <= set(covered())
    assert all(one.evidence and one.evidence["citation"] for rows in checks().values() for one in rows)
