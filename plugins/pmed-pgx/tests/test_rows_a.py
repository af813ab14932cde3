"""Guideline rows of CYP2D6 and CYP2C19 (pain, mood, nausea, heart, stomach): vignettes from the guidelines."""

from __future__ import annotations

from typing import Any

import pytest

from pmed_pgx.guidelines import drugs
from pmed_pgx.outcomes import Outcome, outcome

D6, C19, B6 = "phenotype:CYP2D6", "phenotype:CYP2C19", "phenotype:CYP2B6"
SCORE = "activity-score:CYP2D6"
PM, IM, NM, RM, UM = (f"{kind} Metabolizer" for kind in ("Poor", "Intermediate", "Normal", "Rapid", "Ultrarapid"))
LIKELY_PM, LIKELY_IM = f"Likely {PM}", f"Likely {IM}"
ADULT, CHILD = {"age": 40.0}, {"age": 9.0}
CORONARY, VASCULAR, STROKE = ({f"finding:{one}": True}
                              for one in ("acs-or-pci", "cardiovascular-other", "neurovascular"))
TERTIARY = ("amitriptyline", "clomipramine", "doxepin", "imipramine", "trimipramine")


def judged(drug: str, known: dict[str, Any]) -> Outcome:
    return outcome(drugs()[drug], {**dict.fromkeys(drugs()[drug].inputs), **known})


def said(drug: str, known: dict[str, Any]) -> tuple[str, str, float | None]:
    row = judged(drug, known).lead
    assert row is not None
    return row.action, row.strength, row.dose_factor


@pytest.mark.parametrize(("drug", "known", "action", "strength", "factor"), [
    ("codeine", {D6: UM}, "avoid", "strong", None),
    ("codeine", {D6: PM}, "avoid", "strong", None),
    ("codeine", {D6: IM}, "monitor", "moderate", None),
    ("codeine", {D6: NM}, "standard", "strong", None),
    ("tramadol", {D6: UM}, "avoid", "strong", None),
    ("tramadol", {D6: PM}, "avoid", "strong", None),
    ("tramadol", {D6: IM}, "monitor", "optional", None),
    ("tramadol", {D6: NM}, "standard", "strong", None),
    ("hydrocodone", {D6: PM}, "monitor", "optional", None),
    ("hydrocodone", {D6: IM}, "monitor", "optional", None),
    ("hydrocodone", {D6: NM}, "standard", "strong", None),
    ("nortriptyline", {D6: UM}, "avoid", "strong", None),
    ("nortriptyline", {D6: PM, SCORE: 0.0}, "avoid", "strong", 0.5),
    ("nortriptyline", {D6: IM, SCORE: 0.5}, "adjust", "moderate", 0.75),
    ("nortriptyline", {D6: IM, SCORE: 0.75}, "adjust", "optional", 0.75),
    ("desipramine", {D6: IM, SCORE: 1.0}, "adjust", "optional", 0.75),
    ("desipramine", {D6: IM}, "adjust", "moderate", 0.75),
    ("desipramine", {D6: NM, SCORE: 2.0}, "standard", "strong", None),
    ("citalopram", {C19: UM}, "alternative", "strong", None),
    ("citalopram", {C19: RM}, "monitor", "optional", None),
    ("escitalopram", {C19: NM}, "standard", "strong", None),
    ("escitalopram", {C19: IM}, "monitor", "moderate", None),
    ("escitalopram", {C19: LIKELY_PM}, "alternative", "strong", 0.5),
    ("paroxetine", {D6: UM}, "alternative", "moderate", None),
    ("paroxetine", {D6: PM}, "adjust", "moderate", 0.5),
    ("paroxetine", {D6: IM}, "monitor", "optional", None),
    ("paroxetine", {D6: NM}, "standard", "strong", None),
    ("fluvoxamine", {D6: PM}, "adjust", "optional", None),
    ("fluvoxamine", {D6: IM}, "standard", "moderate", None),
    ("fluvoxamine", {D6: NM}, "standard", "strong", None),
    ("venlafaxine", {D6: PM}, "alternative", "optional", None),
    ("venlafaxine", {D6: UM}, "standard", "none", None),
    ("venlafaxine", {D6: NM}, "standard", "strong", None),
    ("vortioxetine", {D6: UM}, "alternative", "optional", None),
    ("vortioxetine", {D6: PM}, "adjust", "moderate", 0.5),
    ("vortioxetine", {D6: IM}, "standard", "moderate", None),
    ("atomoxetine", {D6: PM, SCORE: 0.0, **CHILD}, "adjust", "moderate", None),
    ("atomoxetine", {D6: IM, SCORE: 0.75, **CHILD}, "adjust", "moderate", None),
    ("atomoxetine", {D6: IM, SCORE: 1.0, **CHILD}, "standard", "moderate", None),
    ("atomoxetine", {D6: IM, SCORE: 0.25, **ADULT}, "adjust", "moderate", None),
    ("atomoxetine", {D6: IM, SCORE: 1.0, **ADULT}, "standard", "moderate", None),
    ("atomoxetine", {D6: IM, **ADULT}, "adjust", "moderate", None),
    ("atomoxetine", {D6: NM, SCORE: 2.0, **ADULT}, "standard", "moderate", None),
    ("atomoxetine", {D6: UM, **ADULT}, "monitor", "moderate", None),
    ("ondansetron", {D6: UM}, "alternative", "moderate", None),
    ("ondansetron", {D6: NM}, "standard", "strong", None),
    ("tropisetron", {D6: PM}, "standard", "none", None),
    ("tamoxifen", {D6: PM}, "alternative", "strong", None),
    ("tamoxifen", {D6: IM, SCORE: 0.5}, "alternative", "moderate", None),
    ("tamoxifen", {D6: IM, SCORE: 1.0}, "alternative", "optional", None),
    ("tamoxifen", {D6: UM}, "standard", "strong", None),
    ("voriconazole", {C19: RM, **ADULT}, "alternative", "moderate", None),
    ("voriconazole", {C19: RM, **CHILD}, "monitor", "moderate", None),
    ("voriconazole", {C19: UM, **CHILD}, "alternative", "moderate", None),
    ("voriconazole", {C19: PM, **ADULT}, "alternative", "moderate", None),
    ("voriconazole", {C19: IM, **ADULT}, "standard", "moderate", None),
    ("voriconazole", {C19: NM}, "standard", "strong", None),
    ("metoprolol", {D6: PM}, "adjust", "moderate", None),
    ("metoprolol", {D6: IM}, "standard", "moderate", None),
    ("metoprolol", {D6: NM}, "standard", "strong", None),
    ("omeprazole", {C19: NM}, "standard", "moderate", None),
    ("lansoprazole", {C19: UM}, "adjust", "optional", 2.0),
    ("pantoprazole", {C19: PM}, "adjust", "moderate", None),
    ("pantoprazole", {C19: LIKELY_IM}, "monitor", "optional", None),
    ("dexlansoprazole", {C19: PM}, "adjust", "optional", None),
    ("clopidogrel", {C19: PM, **CORONARY}, "avoid", "strong", None),
    ("clopidogrel", {C19: IM, **CORONARY}, "alternative", "strong", None),
    ("clopidogrel", {C19: UM, **CORONARY}, "standard", "strong", None),
    ("clopidogrel", {C19: PM, **VASCULAR}, "avoid", "moderate", None),
    ("clopidogrel", {C19: NM, **VASCULAR}, "standard", "strong", None),
    ("clopidogrel", {C19: IM, **STROKE}, "alternative", "moderate", None),
    ("clopidogrel", {C19: LIKELY_PM, **STROKE}, "avoid", "moderate", None),
    ("clopidogrel", {C19: IM}, "alternative", "strong", None),
    ("eliglustat", {D6: PM}, "adjust", "none", 0.5),
    ("eliglustat", {D6: IM}, "standard", "none", None),
    ("eliglustat", {D6: UM}, "avoid", "none", None),
    ("tetrabenazine", {D6: PM}, "adjust", "none", None),
    ("deutetrabenazine", {D6: PM}, "adjust", "none", None),
    ("deutetrabenazine", {D6: IM}, "standard", "none", None),
    ("pimozide", {D6: PM}, "adjust", "none", None),
    ("pimozide", {D6: NM}, "standard", "none", None),
    ("pitolisant", {D6: PM}, "adjust", "none", None),
    ("oliceridine", {D6: PM}, "monitor", "none", None),
])
def test_vignette(drug: str, known: dict[str, Any], action: str, strength: str, factor: float | None) -> None:
    assert said(drug, known) == (action, strength, factor)


OPTIONAL = ("avoid", "optional", None)
AWAY = ("alternative", "optional", None)
TRICYCLIC = {  # table 4 of the guideline: CYP2D6 down, CYP2C19 as in ACROSS
    UM: (OPTIONAL, OPTIONAL, ("avoid", "strong", None), OPTIONAL, OPTIONAL),
    NM: (AWAY, AWAY, ("standard", "strong", None), ("standard", "strong", None), ("avoid", "moderate", 0.5)),
    IM: (AWAY, AWAY, ("adjust", "moderate", 0.75), ("adjust", "optional", 0.75), OPTIONAL),
    PM: (OPTIONAL, OPTIONAL, ("avoid", "strong", 0.5), ("avoid", "optional", 0.5), OPTIONAL),
}
HALF, SLOWER = ("adjust", "moderate", 0.5), ("monitor", "moderate", None)
USUAL, MAY = ("standard", "strong", None), ("standard", "moderate", None)
SERTRALINE = {  # CYP2B6 down, CYP2C19 as in ACROSS
    UM: (("monitor", "optional", None),) * 2 + (MAY, MAY, ("adjust", "optional", 0.5)),
    RM: (("monitor", "optional", None),) * 2 + (MAY, MAY, ("adjust", "optional", 0.5)),
    NM: (USUAL, USUAL, USUAL, SLOWER, HALF),
    IM: (MAY, MAY, SLOWER, ("monitor", "optional", None), HALF),
    PM: (("standard", "optional", None),) * 2 + (("adjust", "optional", 0.75), ("adjust", "optional", 0.5), AWAY),
}
ACROSS = (UM, RM, NM, IM, PM)


@pytest.mark.parametrize("drug", TERTIARY)
def test_every_pair_of_phenotypes_of_tertiary_amines(drug: str) -> None:
    made = {first: tuple(said(drug, {D6: first, C19: one}) for one in ACROSS) for first in TRICYCLIC}
    assert made == TRICYCLIC
    for plain, likely in ((PM, LIKELY_PM), (IM, LIKELY_IM)):
        assert [said(drug, {D6: one, C19: likely}) for one in made] == [said(drug, {D6: one, C19: plain})
                                                                       for one in made]


def test_every_pair_of_phenotypes_of_sertraline() -> None:
    made = {first: tuple(said("sertraline", {B6: first, C19: one}) for one in ACROSS) for first in SERTRALINE}
    assert made == SERTRALINE


def test_one_gene_alone_leads_where_it_changes_the_treatment() -> None:
    assert said("sertraline", {C19: PM}) == HALF
    assert said("sertraline", {B6: PM}) == ("adjust", "optional", 0.75)
    assert said("amitriptyline", {C19: PM}) == ("avoid", "moderate", 0.5)
    assert said("amitriptyline", {D6: PM}) == ("avoid", "strong", 0.5)


@pytest.mark.parametrize(("drug", "known"), [
    ("codeine", {}), ("amitriptyline", {D6: NM}), ("amitriptyline", {C19: NM}), ("hydrocodone", {D6: UM}),
    ("clopidogrel", {C19: "Indeterminate"}), ("fluvoxamine", {D6: UM}), ("metoprolol", {D6: UM}),
    ("sertraline", {C19: NM}), ("sertraline", {B6: NM}), ("clopidogrel", {C19: IM, **VASCULAR}),
    ("clopidogrel", {C19: UM, **VASCULAR}), ("clopidogrel", {C19: RM, **STROKE}),
])
def test_unknown_or_silent_is_not_standard(drug: str, known: dict[str, Any]) -> None:
    assert judged(drug, known).lead is None


def test_isavuconazole_is_for_adults_only() -> None:
    adult, child = judged("voriconazole", {C19: PM, **ADULT}).lead, judged("voriconazole", {C19: PM, **CHILD}).lead
    assert adult is not None
    assert child is not None
    offered = [{one.drug for one in drugs()["voriconazole"].alternatives if lead.key in one.rows}
               for lead in (adult, child)]
    assert offered == [{"isavuconazole", "posaconazole", "amphotericin b"}, {"posaconazole", "amphotericin b"}]


def test_no_prasugrel_is_offered_after_a_stroke() -> None:
    for row in drugs()["clopidogrel"].rows:
        if row.indication == "neurovascular":
            assert "{alternatives}" not in row.text
            offered = [one for one in drugs()["clopidogrel"].alternatives if row.key in one.rows]
            assert all(one.status == "caution" for one in offered if one.drug == "prasugrel")


def test_age_unknown_tells_both_and_age_known_one() -> None:
    assert {row.population for row in judged("atomoxetine", {D6: PM}).applied} == {"adults", "children and adolescents"}
    (only,) = judged("atomoxetine", {D6: PM, "age": 9.0}).applied
    assert only.key == "CYP2D6 Poor Metabolizer, child"


def test_every_drug_of_level_a_is_covered(shared: Any) -> None:
    """All gene-drug pairs of CPIC levels A and A/B; POLG and GBA are not among pmed's genes."""
    import csv

    with (shared / "reference/cpic/cpic-table.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["CPICLevel"] in {"A", "A/B"}]
    assert {row["Drug"] for row in rows} - set(drugs()) == {"divalproex sodium", "valproic acid", "velaglucerase alfa"}
    for row in rows:
        if row["Drug"] in drugs() and row["Gene"] != "IFNL4":  # the guideline reads rs12979860 for either name
            assert row["Gene"] in drugs()[row["Drug"]].genes, row


def test_levels_are_those_of_the_published_table(shared: Any) -> None:
    """The best of a drug's genes; metoprolol's guideline is newer than the table, ribavirin's gene is called IFNL4."""
    import csv

    levels: dict[str, list[str]] = {}
    with (shared / "reference/cpic/cpic-table.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["Drug"] in drugs() and row["Gene"] in drugs()[row["Drug"]].genes:
                levels.setdefault(row["Drug"], []).append(row["CPICLevel"])
    told = {name: drug.evidence[0]["level"] for name, drug in drugs().items()}
    assert {name for name, level in told.items() if level != min(levels.get(name, [""]))} == {"metoprolol", "ribavirin"}
