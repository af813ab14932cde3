"""Which row leads: populations, indications, ranges, unknown inputs and ambiguous genes, on made-up guidelines."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmed import PmedError
from pmed_pgx import cases as read_cases
from pmed_pgx import wording
from pmed_pgx.cases import Cases
from pmed_pgx.checks import covered
from pmed_pgx.explainer import attributed, game
from pmed_pgx.guidelines import CONCERN, Drug, parse
from pmed_pgx.outcomes import certain, judge, outcome

POOR, NORMAL, RAPID = "Poor Metabolizer", "Normal Metabolizer", "Rapid Metabolizer"
CYP, HLA = "phenotype:CYP2C19", "status:HLA-B*15:02"
HEAD = """
source = "CPIC"
citation = "PMID:12345678"
year = 2020

[[group]]
drugs = ["made-up"]
level = "A"
population = "everyone"
reference = {{ {reference} }}
"""
ROW = """
[[group.row]]
key = "{key}"
when = {{ {when} }}
action = "{action}"
strength = "strong"
text = "Text of {key}."
because = "because of {key}"
{more}
"""


def drug(reference: str, *rows: tuple[str, str, str, str]) -> Drug:
    """A drug from (key, when, action, more)."""
    text = HEAD.format(reference=reference) + "".join(
        ROW.format(key=key, when=when, action=action, more=more) for key, when, action, more in rows)
    return parse(text)[0]


def is_(name: str, *values: str) -> str:
    return f'"{name}" = [{", ".join(repr(one) for one in values)}]'.replace("'", '"')


AGED = drug(f'"{CYP}" = "{NORMAL}"',
            ("adult poor", is_(CYP, POOR), "alternative", 'ages = [18]\npopulation = "adults"'),
            ("adult other", is_(CYP, NORMAL, RAPID), "standard", 'ages = [18]\npopulation = "adults"'),
            ("child poor", is_(CYP, POOR), "adjust", 'ages = [0, 18]\npopulation = "children"\ndose_factor = 0.5'),
            ("child other", is_(CYP, NORMAL), "standard", 'ages = [0, 18]\npopulation = "children"'))
INDICATED = drug(f'"{CYP}" = "{NORMAL}"',
                 ("stent poor", is_(CYP, POOR), "avoid", 'indication = "acs-or-pci"\npopulation = "stent"'),
                 ("stent normal", is_(CYP, NORMAL), "standard", 'indication = "acs-or-pci"\npopulation = "stent"'),
                 ("brain poor", is_(CYP, POOR), "alternative", 'indication = "neurovascular"\npopulation = "stroke"'),
                 ("brain normal", is_(CYP, NORMAL), "standard", 'indication = "neurovascular"\npopulation = "stroke"'))
TWO = drug(f'"{HLA}" = "negative", "{CYP}" = "{NORMAL}"',
           ("carrier", is_(HLA, "positive"), "avoid", ""),
           ("slow", f'{is_(HLA, "negative")}, {is_(CYP, POOR)}', "adjust", "dose_factor = 0.5"),
           ("plain", f'{is_(HLA, "negative")}, {is_(CYP, NORMAL, RAPID)}', "standard", ""))
EASY = drug(f'"{CYP}" = "{NORMAL}", "genotype:rs2108622" = "C/C"',
            ("both", f'{is_(CYP, POOR)}, {is_("genotype:rs2108622", "T/T")}', "adjust", "dose_factor = 0.25"),
            ("slow", is_(CYP, POOR), "adjust", "dose_factor = 0.5"),
            ("plain", is_(CYP, NORMAL), "standard", ""),
            ("fast", is_(CYP, RAPID), "standard", ""))
SCORED = drug('"activity-score:CYP2D6" = 2.0',
              ("none", '"activity-score:CYP2D6" = { max = 0.25 }', "avoid", ""),
              ("low", '"activity-score:CYP2D6" = { min = 0.25, max = 1.25 }', "monitor", ""),
              ("usual", '"activity-score:CYP2D6" = [{ min = 1.25 }]', "standard", ""))
MADE = [AGED, INDICATED, TWO, EASY]


def lead(one: Drug, **known: Any) -> str | None:
    """Key of the leading row; inputs by short name."""
    names = {"cyp": CYP, "hla": HLA, "site": "genotype:rs2108622", "stent": "finding:acs-or-pci",
             "brain": "finding:neurovascular"}
    found = outcome(one, {**dict.fromkeys(one.inputs), **{names.get(name, name): v for name, v in known.items()}}).lead
    return found.key if found else None


@pytest.mark.parametrize(("known", "key"), [
    ({"age": 40.0, "cyp": POOR}, "adult poor"), ({"age": 17.9, "cyp": POOR}, "child poor"),
    ({"age": 18.0, "cyp": POOR}, "adult poor"), ({"cyp": POOR}, "adult poor"), ({"cyp": NORMAL}, "adult other"),
    ({"age": 5.0, "cyp": RAPID}, None), ({"cyp": RAPID}, "adult other"), ({"age": 40.0}, None),
])
def test_age_chooses_the_rows(known: dict[str, Any], key: str | None) -> None:
    assert lead(AGED, **known) == key


@pytest.mark.parametrize(("known", "applied"), [
    ({}, ["stent poor", "brain poor"]), ({"stent": True}, ["stent poor"]), ({"brain": True}, ["brain poor"]),
    ({"stent": True, "brain": True}, ["stent poor", "brain poor"]),
])
def test_an_indication_on_record_leaves_its_rows_only(known: dict[str, Any], applied: list[str]) -> None:
    names = {"stent": "finding:acs-or-pci", "brain": "finding:neurovascular"}
    found = judge(INDICATED, {CYP: POOR, **{names[name]: value for name, value in known.items()}})
    assert [row.key for row in found.applied] == applied


def test_populations_are_told_side_by_side_with_the_most_concerned_first() -> None:
    found = outcome(AGED, {CYP: POOR, "age": None})
    assert wording.advice(found) == "Adults: Text of adult poor. Children: Text of child poor."
    assert wording.population(found) == "adults; children"
    assert found.unknown == ("age",)
    assert wording.advice(outcome(AGED, {CYP: POOR, "age": 5.0})) == "Text of child poor."
    assert wording.population(outcome(AGED, {CYP: POOR, "age": 5.0})) == "children"


def test_no_row_for_an_age_says_so() -> None:
    only = drug(f'"{CYP}" = "{NORMAL}"', ("adult", is_(CYP, NORMAL), "standard", "ages = [18]"))
    found = outcome(only, {CYP: NORMAL, "age": 3.0})
    assert found.lead is None
    assert wording.reason(found) == "no guideline row for this age"


@pytest.mark.parametrize(("score", "key"), [
    (0.0, "none"), (0.25, "low"), (1.0, "low"), (1.25, "usual"), (6.0, "usual")])
def test_ranges_hold_their_lower_end_only(score: float, key: str) -> None:
    found = judge(SCORED, {"activity-score:CYP2D6": score}).lead
    assert found is not None
    assert found.key == key


@pytest.mark.parametrize(("known", "key"), [
    ({"hla": "positive"}, "carrier"), ({"hla": "positive", "cyp": POOR}, "carrier"),
    ({"hla": "negative", "cyp": POOR}, "slow"), ({"cyp": POOR}, None), ({"cyp": NORMAL}, None),
    ({"hla": "negative"}, None),
])
def test_a_row_that_needs_no_more_leads_and_an_unknown_one_never_becomes_standard(known: Any, key: str | None) -> None:
    assert lead(TWO, **known) == key


def test_a_row_that_changes_the_treatment_leads_and_what_may_be_worse_is_a_caution() -> None:
    """CPIC 2020 gives the CYP2C9 doses of phenytoin without an HLA-B result too."""
    for known, key in (({CYP: POOR}, "slow"), ({CYP: NORMAL}, None)):
        one = drug(f'"{HLA}" = "negative", "{CYP}" = "{NORMAL}"',
                   ("carrier", is_(HLA, "positive"), "avoid", ""),
                   ("slow", is_(CYP, POOR), "adjust", "dose_factor = 0.5"),
                   ("plain", is_(CYP, NORMAL), "standard", ""))
        found = outcome(one, {HLA: None, **known})
        assert (found.lead.key if found.lead else None) == key
        told = [caution["text"] for caution in wording.cautions(found) if caution["code"] == "gene-unknown"]
        assert told == (["chosen without HLA-B*15:02 (unknown); it could also mean: carrier (avoid)"] if key else [])


def test_an_unknown_input_that_cannot_raise_the_concern_does_not_stop_a_row() -> None:
    found = outcome(EASY, {CYP: POOR, "genotype:rs2108622": None})
    assert found.lead is not None
    assert found.lead.key == "slow"
    assert found.unknown == ("genotype:rs2108622",)
    (caution,) = wording.cautions(found)
    assert caution == {"code": "gene-unknown", "text": "chosen without CYP4F2 rs2108622 (unknown); it could also "
                                                       "mean: both (adjust)"}


def test_what_the_rows_leave_out_is_a_caution() -> None:
    short = replace(EASY, caution="rs1 is not part of it")
    for known in ({CYP: POOR, "genotype:rs2108622": "T/T"}, dict.fromkeys(EASY.inputs)):
        assert wording.cautions(outcome(short, known))[0] == {"code": "not-covered", "text": "rs1 is not part of it"}
    assert wording.cautions(outcome(EASY, {CYP: POOR, "genotype:rs2108622": "T/T"})) == []


def test_what_is_missing_is_what_would_decide() -> None:
    assert outcome(TWO, {HLA: None, CYP: POOR}).missing == (HLA,)
    assert outcome(TWO, {HLA: "negative", CYP: None}).missing == (CYP,)
    assert outcome(TWO, {HLA: None, CYP: None}).missing == (HLA, CYP)
    assert outcome(TWO, {HLA: "negative", CYP: "Indeterminate"}).missing == ()
    assert wording.reason(outcome(TWO, {HLA: "negative", CYP: "Indeterminate"})) == (
        "no guideline row for HLA-B*15:02 negative, CYP2C19 Indeterminate")
    assert wording.reason(outcome(TWO, {HLA: None, CYP: POOR})) == (
        f"needs {HLA}; possible: carrier (avoid), slow (adjust)")
    assert wording.reason(outcome(TWO, {HLA: None, CYP: None})) == f"needs {HLA}, {CYP}"


def test_members_of_an_ambiguous_gene_must_agree() -> None:
    agreed = outcome(EASY, {CYP: f"{NORMAL} or {RAPID}", "genotype:rs2108622": "C/C"})
    assert agreed.lead is not None
    assert agreed.lead.key == "plain"
    assert [one["code"] for one in wording.cautions(agreed)] == ["ambiguous-gene"]
    split = outcome(EASY, {CYP: f"{NORMAL} or {POOR}", "genotype:rs2108622": "C/C"})
    assert split.lead is None
    assert split.missing == (CYP,)
    assert wording.reason(split) == (f"needs {CYP}; possible: CYP2C19 Poor Metabolizer (adjust), "
                                     "CYP2C19 Normal Metabolizer (standard)")


def test_members_with_one_action_but_different_doses_do_not_agree() -> None:
    ways = drug(f'"{CYP}" = "{NORMAL}"', ("slow", is_(CYP, POOR), "adjust", "dose_factor = 0.5"),
                ("fast", is_(CYP, RAPID), "adjust", "dose_factor = 2.0"), ("plain", is_(CYP, NORMAL), "standard", ""))
    assert outcome(ways, {CYP: f"{POOR} or {RAPID}"}).lead is None


def test_one_member_without_a_row_leaves_it_open() -> None:
    assert outcome(EASY, {CYP: f"{NORMAL} or Indeterminate", "genotype:rs2108622": "C/C"}).lead is None


def frame(*people: dict[str, Any]) -> pl.DataFrame:
    names = {name: pl.Float64() if name == "age" else pl.Boolean() if name.startswith("finding:") else pl.String()
             for one in MADE for name in one.inputs} | {"phenotypes:CYP2C19": pl.String()}
    return pl.DataFrame([{"patient_id": str(i), **person} for i, person in enumerate(people)],
                        schema={"patient_id": pl.String(), **names})


def test_cases_are_those_of_each_patient() -> None:
    people = [{"age": age, CYP: cyp, HLA: hla} for age, cyp, hla in itertools.product(
        (None, 0.0, 17.99, 18.0, 60.0), (None, POOR, NORMAL), (None, "positive", "negative"))]
    cases = Cases.read(frame(*people), MADE)
    for patient, person in enumerate(people):
        for number, one in enumerate(MADE):
            expected = outcome(one, {name: person.get(name) for name in one.inputs})
            found = cases.outcomes[cases.of[patient, number]]
            assert (found.drug, found.lead, found.applied) == (one, expected.lead, expected.applied)
    assert len(cases.outcomes) < len(people) * len(MADE)


several = st.sampled_from([None, f"{POOR} or {NORMAL}", f"{NORMAL} or {RAPID}"])
aged = st.sampled_from([None, float("nan"), -1.0, 0.0, 17.99, 18.0, 60.0])


@given(people=st.lists(st.tuples(st.sampled_from([None, POOR, NORMAL]), several, aged), min_size=1, max_size=8))
def test_patients_read_one_by_one_are_those_read_together(people: list[tuple[Any, Any, Any]]) -> None:
    features = frame(*({CYP: cyp, "phenotypes:CYP2C19": fits, "age": age} for cyp, fits, age in people))
    ways = []
    for few in (len(people), 0):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(read_cases, "FEW", few)
            # Ages are told apart by the bounds of all drugs, else also by those of the release.
            patch.setattr(read_cases, "covered", lambda: {one.name: one for one in MADE})
            ways.append(Cases.read(features, MADE))
    one_by_one, together = ways
    assert len(one_by_one.outcomes) == len(people) * len(MADE)
    assert len(together.outcomes) <= len(one_by_one.outcomes)
    for place in itertools.product(range(len(people)), range(len(MADE))):
        # the very same: it is remembered by its inputs
        assert one_by_one.outcomes[one_by_one.of[place]] is together.outcomes[together.of[place]]
    assert one_by_one.rows().drop("case").equals(together.rows().drop("case"))


def test_possible_phenotypes_count_only_where_none_is_certain() -> None:
    both = f"{NORMAL} or {RAPID}"
    cases = Cases.read(frame({"phenotypes:CYP2C19": both}, {CYP: POOR, "phenotypes:CYP2C19": both},
                             {"phenotypes:CYP2C19": POOR}), [EASY])
    assert [one.known[CYP] for one in (cases.outcomes[i] for i in cases.of[:, 0])] == [both, POOR, POOR]


choices = {CYP: [None, POOR, NORMAL, RAPID, f"{POOR} or {NORMAL}", f"{NORMAL} or {RAPID}"],
           HLA: [None, "positive", "negative"], "genotype:rs2108622": [None, "C/C", "T/T"], "age": [None, 5.0, 40.0],
           "finding:acs-or-pci": [None, True], "finding:neurovascular": [None, True]}
persons = st.fixed_dictionaries({name: st.sampled_from(values) for name, values in choices.items()})


@given(one=st.sampled_from(MADE), person=persons)
def test_explanation_adds_up_whatever_is_unknown(one: Drug, person: dict[str, Any]) -> None:
    found = outcome(one, {name: person[name] for name in one.inputs})
    baseline, total, added = attributed(game(found))
    assert baseline == 0.0
    assert total == certain(one, found.given)
    assert baseline + sum(added.values()) == pytest.approx(total, abs=1e-9)
    if found.lead:
        assert total == found.lead.concern
    unknown = [name for name in one.inputs if name in one.reference and found.known[name] is None]
    assert all(added[name] <= 1e-9 for name in unknown)


@given(one=st.sampled_from(MADE), person=persons, data=st.data())
def test_knowing_less_never_turns_concern_into_standard(one: Drug, person: dict[str, Any], data: st.DataObject) -> None:
    known = {name: person[name] for name in one.inputs}
    full = outcome(one, known)
    lost = data.draw(st.sampled_from(list(one.reference)))
    less = outcome(one, {**known, lost: None})
    if full.lead and less.lead and full.lead.concern >= CONCERN["adjust"]:
        assert less.lead.concern > CONCERN["standard"]


@pytest.mark.parametrize(("old", "new", "words"), [
    ('action = "avoid"', 'action = "shun"', "'shun' is not one of avoid"),
    ('strength = "strong"', 'strength = "huge"', "'huge' is not one of strong"),
    ('key = "carrier"', 'name = "carrier"', "'key' is missing"),
    (f'"{HLA}" = ["positive"]', '"phenotype:NOPE" = ["x"]', "'phenotype:NOPE' is not one of"),
    ('level = "A"', "level = ", "not TOML"),
    ("because of carrier\"", 'b"\nages = [18, 2]', "ages [18, 2] are not"),
])
def test_a_malformed_guideline_is_one_clear_line(old: str, new: str, words: str) -> None:
    text = HEAD.format(reference=f'"{HLA}" = "negative"') + ROW.format(
        key="carrier", when=is_(HLA, "positive"), action="avoid", more="")
    assert old in text
    with pytest.raises(PmedError, match="some.toml") as found:
        parse(text.replace(old, new), "some.toml")
    assert words in str(found.value)
    assert "\n" not in str(found.value)


def test_what_one_of_several_results_would_mean_is_not_said_as_the_patients_own() -> None:
    """A check leads whatever the gene is: that a result may be the worst one does not make it the patient's."""
    known = {"creatinine-clearance": 20.0, "age": 70.0}
    one = outcome(covered()["nitrofurantoin"], {**known, "phenotype:G6PD": "Normal or Deficient with CNSHA"})
    assert one.lead is not None
    assert (one.lead.action, one.applied) == ("avoid", ())
    assert "By the genes" not in (wording.advice(one) or "")
    assert "red cells" not in (wording.because(one) or "")
    one = outcome(covered()["nitrofurantoin"], {**known, "phenotype:G6PD": "Deficient with CNSHA"})
    assert "red cells" in (wording.because(one) or "")
