"""Suggestions: what to do, how soon, why, what instead, and what to test where nothing can be said."""

from __future__ import annotations

from datetime import date, timedelta
from fnmatch import fnmatch
from typing import Any

import polars as pl
import pytest

from pmed.tables import TABLES
from pmed_pgx import adviser, alternatives
from pmed_pgx.adviser import GuidelineAdviser
from pmed_pgx.caller import PgxCaller
from pmed_pgx.guidelines import drugs
from pmed_pgx.medicines import UNREAD, PresentPhenotypes
from pmed_pgx.predictor import GuidelinePredictor

TODAY = date(2026, 1, 15)
POOR_2C19 = {"rs4244285": "A/A", "rs12769205": "G/G"}
STROKE = {"system": "http://snomed.info/sct", "code": "230690007", "status": "resolved", "active": False}


@pytest.fixture(scope="session")
def advise(make: Any) -> Any:
    """Genotypes and record rows of one patient → suggestions by drug."""
    def advised(genotypes: dict[str, str] | None, *, doses: float | None = None, unread: str = "",
                **record: Any) -> dict[str, Any]:
        tables = make({"p": genotypes or {}})
        if genotypes is None:
            tables = {name: frame.clear() for name, frame in tables.items()}
        tables |= PgxCaller().run(tables, asked_of(PgxCaller))
        if genotypes is None:
            tables["features"] = pl.DataFrame({"patient_id": ["p"]}).join(tables["features"], on="patient_id",
                                                                          how="left")
        for name in ("medications", "conditions", "allergies"):
            rows = record.get(name, [])
            tables[name] = TABLES[name].frame([{"patient_id": "p", "row": i, **row} for i, row in enumerate(rows)])
        tables["patients"] = TABLES["patients"].frame([{"patient_id": "p", "index_date": TODAY}])
        now = PresentPhenotypes().run(tables, asked_of(PresentPhenotypes))
        tables["present_phenotypes"] = now["present_phenotypes"]
        tables["features"] = tables["features"].join(now["features"], on="patient_id", how="left")
        tables["features"] = tables["features"].with_columns(pl.lit(unread).alias(UNREAD))
        tables["predictions"] = predictions(tables["features"], doses)
        made = GuidelineAdviser().advise(tables).with_columns(adviser=pl.lit("pgx-guidelines"))
        TABLES["suggestions"].check(made)
        assert set(made["drug"]) >= set(drugs())
        return {row["drug"]: row for row in made.iter_rows(named=True)}
    return advised


def asked_of(step: Any) -> list[str]:
    return [one for one in GuidelinePredictor.wants if any(fnmatch(one, give) for give in step.gives)]


def predictions(features: pl.DataFrame, dose: float | None) -> pl.DataFrame:
    mine = GuidelinePredictor().predict(features).with_columns(predictor=pl.lit("pgx-guidelines"))
    row = {"patient_id": "p", "predictor": "dosing", "target": "warfarin-weekly-dose", "value": dose,
           "unit": "mg/week", "status": "assessed" if dose else "not-assessed"}
    table = TABLES["predictions"]
    return pl.concat([mine.select(table.names), table.frame([row])])


def taking(*names: str, **more: Any) -> list[dict[str, Any]]:
    return [{"ingredients": [name], "active": True, **more} for name in names]


# Nobody here has a weight on record, and below 60 kg the dose of prasugrel is half.
FOR_CLOPIDOGREL = {"ticagrelor": "fits", "prasugrel": "caution"}


def test_current_drug_to_avoid(advise: Any, plain: Any) -> None:
    row = advise(plain(**POOR_2C19), medications=taking("clopidogrel"))["clopidogrel"]
    assert (row["action"], row["urgency"], row["strength"], row["concern"]) == ("avoid", "today", "strong", 4.0)
    assert row["text"].startswith("Acute coronary syndrome or percutaneous coronary intervention")
    assert "Avoid clopidogrel" in row["text"]
    assert row["why"].startswith("CYP2C19 *2/*2 (Poor Metabolizer): ")
    assert [one["citation"] for one in row["evidence"]] == ["PMID:35034351"]
    assert row["evidence"][0]["url"] == "https://pubmed.ncbi.nlm.nih.gov/35034351/"
    assert {one["drug"]: one["status"] for one in row["alternatives"]} == FOR_CLOPIDOGREL
    assert row["explained_by"] == [{"predictor": "pgx-guidelines", "target": "clopidogrel"}]
    assert row["unknown"] == []


def test_drug_not_taken_is_a_look_up(advise: Any, plain: Any) -> None:
    row = advise(plain(**POOR_2C19), medications=taking("clopidogrel", active=False))["clopidogrel"]
    assert (row["current"], row["action"], row["urgency"]) == (False, "avoid", "routine")


@pytest.mark.parametrize(("drug", "changed", "action", "urgency", "factor"), [
    ("citalopram", POOR_2C19, "alternative", "today", 0.5),
    ("omeprazole", {"rs12248560": "T/T"}, "adjust", "soon", 2.0),
    ("citalopram", {"rs12248560": "C/T"}, "monitor", "soon", None),
    ("clopidogrel", {}, "standard", "routine", None),
    ("ibuprofen", {"rs1057910": "A/C"}, "adjust", "soon", None),
    ("tacrolimus", {"rs776746": "C/T"}, "adjust", "today", 1.5),
    ("tacrolimus", {"rs776746": "C/C"}, "standard", "routine", None),
])
def test_action_urgency_and_dose(drug: str, changed: dict[str, str], action: str, urgency: str, factor: float | None,
                                 advise: Any, plain: Any) -> None:
    row = advise(plain(**changed), medications=taking(drug))[drug]
    assert (row["action"], row["urgency"], row["dose_factor"]) == (action, urgency, factor)


@pytest.mark.parametrize(("began", "urgency"), [
    (0, "today"), (89, "today"), (90, "soon"), (None, "today"), (-3, "today")])
def test_what_harms_at_the_start_is_pressing_while_it_begins(began: int | None, urgency: str, advise: Any,
                                                             plain: Any) -> None:
    start = None if began is None else TODAY - timedelta(days=began)
    row = advise(plain(rs776746="C/T"), medications=taking("tacrolimus", start=start))["tacrolimus"]
    assert (row["action"], row["urgency"]) == ("adjust", urgency)


@pytest.mark.parametrize(("other", "urgency"), [("amiodarone", "today"), ("paroxetine", "soon")])
def test_at_the_start_a_check_that_changes_the_dose_is_pressing_too(other: str, urgency: str, advise: Any,
                                                                    plain: Any) -> None:
    row = advise(plain(), medications=taking("warfarin", other, start=TODAY - timedelta(days=3)))["warfarin"]
    assert row["urgency"] == urgency


@pytest.mark.parametrize(("drug", "days", "urgency"), [
    ("clopidogrel", 3, "soon"),  # an open row changes the treatment, strongly
    ("metoprolol", 3, "routine"),  # none does
    ("abacavir", 3, "today"), ("abacavir", 91, "soon")])  # harm comes at the start
def test_how_soon_a_test_is_needed(drug: str, days: int, urgency: str, advise: Any) -> None:
    row = advise({}, medications=taking(drug, start=TODAY - timedelta(days=days)))[drug]
    assert (row["action"], row["urgency"]) == ("test", urgency)


@pytest.mark.parametrize(("drug", "months", "says"), [
    ("carbamazepine", 92, "no skin reaction"), ("oxcarbazepine", 92, "no skin reaction"),
    ("abacavir", 92, "no hypersensitivity reaction"), ("allopurinol", 183, "no reaction of the skin")])
def test_no_hla_test_for_who_has_tolerated_the_drug_for_months(drug: str, months: int, says: str, advise: Any) -> None:
    for days, action, urgency in ((0, "test", "today"), (None, "test", "today"), (months - 1, "test", "soon"),
                                  (months, "standard", "routine")):
        start = None if days is None else TODAY - timedelta(days=days)
        row = advise({}, medications=taking(drug, start=start))[drug]
        assert (row["action"], row["urgency"]) == (action, urgency)
        assert (says in row["text"]) is (action == "standard")


@pytest.mark.parametrize(("days", "urgency"), [(None, "today"), (3, "today"), (89, "today"), (90, "soon")])
def test_what_may_be_too_weak_is_less_pressing_once_it_is_known_whether_it_works(days: int | None, urgency: str,
                                                                                 advise: Any, plain: Any) -> None:
    start = None if days is None else TODAY - timedelta(days=days)
    row = advise(plain(rs12248560="T/T"), medications=taking("escitalopram", start=start))["escitalopram"]
    assert (row["action"], row["strength"], row["urgency"]) == ("alternative", "strong", urgency)
    assert ("where it works well" in row["text"]) is (urgency == "soon")
    # What harms does so for as long as it is taken.
    poor = advise(plain(**POOR_2C19), medications=taking("escitalopram", start=start))["escitalopram"]
    assert (poor["action"], poor["urgency"]) == ("alternative", "today")
    assert "where it works well" not in poor["text"]


@pytest.mark.parametrize(("status", "said"), [
    ("on-hold", "paused"), ("unknown", "does not say for certain"), (None, "does not say for certain")])
def test_a_medicine_that_is_paused_is_perhaps_taken_and_says_so(status: str | None, said: str, advise: Any,
                                                                plain: Any) -> None:
    row = advise(plain(), medications=[{"ingredients": ["warfarin"], "active": None, "status": status}])["warfarin"]
    assert row["current"]
    assert [said in one["text"] for one in row["cautions"] if one["code"] == "drug-unclear"] == [True]


@pytest.mark.parametrize(("drugs", "changed", "names"), [
    (["phenytoin"], {"rs1057910": "A/C"}, "HLA-B*15:02"), (["azathioprine", "allopurinol"], None, "TPMT and NUDT15")])
@pytest.mark.parametrize(("days", "first"), [(10, True), (None, True), (400, False)])
def test_who_begins_is_told_of_a_test_that_may_speak_against_it(
        drugs: list[str], changed: Any, names: str, days: int | None, first: bool, advise: Any, plain: Any) -> None:
    start = None if days is None else TODAY - timedelta(days=days)
    genome = {} if changed is None else plain(**changed)
    row = advise(genome, medications=taking(*drugs, start=start))[drugs[0]]
    said = f"Test {names}: the result may speak against {drugs[0]}"
    assert (said in row["text"]) is first
    # Before how to dose it by a gene, behind what a check asks for today.
    before = row["text"].startswith(f"{said}; until then: give the usual loading dose, then about a quarter less")
    assert before is (first and drugs == ["phenytoin"])
    assert row["action"] == "adjust"
    assert (row["urgency"] == "today") is first
    told = next(one["text"] for one in row["cautions"] if one["code"] == "gene-unknown")
    # Who has taken phenytoin for months may go on: a positive result would no longer say to avoid it.
    assert ("HLA-B*15:02 positive (avoid)" in told) is (first and drugs == ["phenytoin"])


@pytest.mark.parametrize("few", [32, 0])
def test_what_the_advice_names_is_the_first_of_its_kind(few: int, advise: Any, plain: Any,
                                                        monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (adviser, alternatives):
        monkeypatch.setattr(module, "FEW", few)
    row = advise(plain(), medications=taking("omeprazole", "clopidogrel"))["omeprazole"]
    assert row["text"].startswith("Use pantoprazole instead of omeprazole")
    kinds = [one["status"] for one in row["alternatives"]]
    assert kinds == sorted(kinds, key=["fits", "caution", "ruled-out"].index)
    same = [one["drug"] for one in row["alternatives"] if one["status"] == kinds[0]]
    assert (same[0], len(same) > 1) == ("pantoprazole", True)


def test_missing_key_site_asks_for_a_test(advise: Any, plain: Any) -> None:
    made = advise(plain(rs4244285="absent"), medications=taking("clopidogrel"))
    row, other = made["clopidogrel"], made["pantoprazole"]
    assert (row["action"], row["urgency"], row["concern"]) == ("test", "soon", None)
    assert row["text"] == (
        "Test CYP2C19 before relying on the usual dose of clopidogrel. Possible: CYP2C19 Poor Metabolizer (avoid), "
        "CYP2C19 Intermediate Metabolizer (alternative), CYP2C19 Normal Metabolizer (standard).")
    assert "rs4244285" in row["why"]
    assert "*2" in row["why"]
    assert row["unknown"] == ["phenotype:CYP2C19"]
    assert row["alternatives"] == []
    assert (other["action"], other["urgency"]) == ("not-assessed", "routine")
    assert other["text"].startswith("Not assessed: no reliable result for CYP2C19. Possible: ")


@pytest.mark.parametrize(("genotypes", "words"), [
    ({}, "none of its sites"), (None, "no genome is given"), ({"rs4244285": "./A"}, "only one allele"),
    ({"rs4244285": "filtered"}, "was not read"),
])
def test_why_a_drug_was_not_assessed(genotypes: Any, words: str, advise: Any) -> None:
    row = advise(genotypes, medications=taking("clopidogrel"))["clopidogrel"]
    assert (row["action"], row["strength"]) == ("test", "none")
    assert words in row["why"]


def test_no_recommendation_is_not_a_test(advise: Any, plain: Any) -> None:
    """CYP2C19 *12 has an uncertain function: testing again would not help."""
    row = advise(plain(rs55640102="A/C"), medications=taking("clopidogrel"))["clopidogrel"]
    assert (row["action"], row["concern"], row["unknown"]) == ("not-assessed", None, [])
    assert "no guideline row for CYP2C19 Indeterminate" in row["text"]
    assert "*1/*12" in row["why"]


@pytest.mark.parametrize("few", [0, 100])
def test_what_no_row_is_for_does_not_fit(few: int, advise: Any, plain: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gene of uncertain function is not known to suit a drug: nor is one that was not read."""
    for module in (adviser, alternatives):
        monkeypatch.setattr(module, "FEW", few)
    allergies = [{"ingredients": ["fluoxetine"], "active": True}]
    found = {}
    for said, changed in (("normal", {}), ("uncertain", {"rs55640102": "A/C"}), ("unread", {"rs4244285": "./."})):
        row = advise(plain(**changed), allergies=allergies)["fluoxetine"]
        found[said] = next((one["status"], one["reason"]) for one in row["alternatives"] if one["drug"] == "citalopram")
    # Nobody here has an age, and checks of citalopram are about the old.
    assert found == {"normal": ("caution", "age is not known"),
                     "uncertain": ("caution", "age is not known; no guideline row for CYP2C19 Indeterminate"),
                     "unread": ("caution", "CYP2C19 is not known; age is not known")}


@pytest.mark.parametrize("state", ["absent", "./."])
def test_a_diplotype_that_a_key_site_leaves_open_gives_no_advice(state: str, advise: Any, plain: Any) -> None:
    """*1/*2 and *2/*8 have one phenotype, but not one dose of warfarin; nor one of siponimod have *1/*3 and *3/*8."""
    genotypes = plain(rs1799853="C/T", rs7900194=state)
    rows = advise(genotypes, medications=taking("warfarin", "siponimod"), doses=None)
    for name in ("warfarin", "siponimod"):
        row = rows[name]
        assert (row["action"], row["unknown"]) == ("test", ["diplotype:CYP2C9"])
        assert row["why"].startswith("CYP2C9 is not certain: rs7900194 is ")
        assert row["why"].endswith(": *8 cannot be excluded.")
    sure = advise(plain(rs1799853="C/T"), medications=taking("warfarin", "siponimod"))
    assert [sure[name]["action"] for name in ("warfarin", "siponimod")] == ["standard", "standard"]


def test_record_rules_alternatives_out(advise: Any, plain: Any) -> None:
    row = advise(plain(**POOR_2C19), medications=taking("clopidogrel"), conditions=[STROKE],
                 allergies=[{"ingredients": ["ticagrelor"], "active": True}])["clopidogrel"]
    statuses = {one["drug"]: (one["status"], one["reason"]) for one in row["alternatives"]}
    assert statuses["prasugrel"][0] == statuses["ticagrelor"][0] == "ruled-out"
    assert "stroke" in statuses["prasugrel"][1]
    assert "allergy" in statuses["ticagrelor"][1]


@pytest.mark.parametrize("condition", [
    {**STROKE, "status": "refuted"}, {**STROKE, "code": "38341003"},
    {"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "I10", "status": "active"},
])
def test_other_conditions_rule_nothing_out(condition: dict[str, Any], advise: Any, plain: Any) -> None:
    row = advise(plain(**POOR_2C19), conditions=[condition])["clopidogrel"]
    assert {one["drug"]: one["status"] for one in row["alternatives"]} == FOR_CLOPIDOGREL


def test_icd_10_category_counts(advise: Any, plain: Any) -> None:
    past = {"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "I63.9", "status": "active"}
    row = advise(plain(**POOR_2C19), conditions=[past])["clopidogrel"]
    statuses = {one["drug"]: one["status"] for one in row["alternatives"]}
    assert statuses == {"ticagrelor": "fits", "prasugrel": "ruled-out"}


@pytest.mark.parametrize(("ahead", "more", "urgency"), [
    (1, {}, "today"), (90, {"status": "draft"}, "today"), (91, {}, "routine"), (1, {"status": "cancelled"}, "routine"),
    (-1, {"status": "completed"}, "routine"), (1, {"kind": "statement"}, "routine")])
def test_what_is_ordered_counts_before_it_begins(ahead: int, more: dict[str, Any], urgency: str, advise: Any) -> None:
    order = {"kind": "order", "status": "active", "active": False, "start": TODAY + timedelta(days=ahead), **more}
    row = advise({}, medications=taking("fluorouracil", **order))["fluorouracil"]
    assert (row["current"], row["urgency"]) == (urgency == "today", urgency)
    assert ("not-begun" in [one["code"] for one in row["cautions"]]) is (urgency == "today")


def test_drug_that_may_be_taken_counts_as_taken_with_a_caution(advise: Any, plain: Any) -> None:
    row = advise(plain(**POOR_2C19), medications=taking("clopidogrel", active=None))["clopidogrel"]
    assert (row["current"], row["urgency"]) == (True, "today")
    assert [one["code"] for one in row["cautions"]] == ["drug-unclear"]


def test_warfarin_points_to_the_estimated_dose(advise: Any, plain: Any) -> None:
    changed = {"rs1057910": "A/C", "rs9923231": "T/T"}
    with_dose, without = (advise(plain(**changed), doses=dose)["warfarin"] for dose in (17.5, None))
    assert with_dose["explained_by"][1:] == [{"predictor": "dosing", "target": "warfarin-weekly-dose"}]
    assert "estimated for this patient" in with_dose["text"]
    assert without["explained_by"] == [{"predictor": "pgx-guidelines", "target": "warfarin"}]
    assert "estimated" not in without["text"]
    assert "CYP2C9 *1/*3" in without["why"]
    assert "VKORC1" in without["why"]


@pytest.mark.parametrize(("advice", "out", "told"), [
    ("use one that is neither codeine nor tramadol", "tramadol", []),
    ("Do not use it; avoid carbamazepine and oxcarbazepine too.", "oxcarbazepine", []),
    ("Avoid it, or give 6 mg doxepin at most.", "doxepin", ["Ruled out for this patient: doxepin."]),
    ("Avoid it; consider tramadol.", "tramadol", ["Ruled out for this patient: tramadol."])])
def test_what_a_text_refuses_itself_is_not_told_as_ruled_out(advice: str, out: str, told: list[str]) -> None:
    key = {"patient_id": ["p"], "drug": ["x"]}
    others = pl.DataFrame({**key, "alternatives": [[{"drug": out, "status": "ruled-out"}]]})
    made = adviser._named_in_vain(pl.DataFrame({**key, "advice": [advice]}), others)
    assert [one["text"] for each in made["lost"].to_list() for one in each] == told


@pytest.mark.parametrize("drug", ["clopidogrel", "omeprazole"])
def test_without_a_doubt_there_is_no_caution(drug: str, advise: Any, plain: Any) -> None:
    assert advise(plain())[drug]["cautions"] == []


def test_a_medicine_that_was_not_recognised_is_a_caution_beside_what_is_taken(advise: Any, plain: Any) -> None:
    told = {"code": "unread-medicine", "text": "Not recognised, so an interaction with it was not weighed: Xyzzyforte."}
    rows = advise(plain(), unread="Xyzzyforte", medications=[*taking("simvastatin"), {"display": "Xyzzyforte"}])
    assert told in rows["simvastatin"]["cautions"]
    weighed = [name for name, row in rows.items() if told in row["cautions"]]
    assert {"simvastatin", "clarithromycin"} <= {*weighed}  # the other looks for simvastatin
    assert "metoprolol" not in weighed
    assert told not in advise(plain(), medications=taking("simvastatin"))["simvastatin"]["cautions"]


@pytest.mark.parametrize(("drug", "known", "said"), [
    ("metformin", {}, "whether a check speaks against it is open, with kidney function (eGFR) not on record"),
    ("metformin", {"egfr": 90.0}, "no check of the release holds"),
    ("alprazolam", {}, "whether a check speaks against it is open, with age not on record"),
    ("alprazolam", {"age": 30.0}, "no check of the release holds")])
def test_no_check_holds_is_not_said_where_one_has_to_know_more(drug: str, known: dict[str, float], said: str) -> None:
    features = pl.DataFrame({"patient_id": ["p"], **{name: [value] for name, value in known.items()}})
    row = GuidelinePredictor().predict(features).row(by_predicate=pl.col("target") == drug, named=True)
    assert (row["status"], row["reason"]) == ("not-applicable", said)
