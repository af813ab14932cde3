"""Guideline rows of CYP2D6 and CYP2C19 (pain, mood, nausea, heart, stomach): vignettes from the guidelines."""

from __future__ import annotations

from typing import Any

import pytest

from pmed_pgx.guidelines import drugs
from pmed_pgx.outcomes import Outcome, outcome

D6, C19 = "phenotype:CYP2D6", "phenotype:CYP2C19"
PM, IM, NM, RM, UM = (f"{kind} Metabolizer" for kind in ("Poor", "Intermediate", "Normal", "Rapid", "Ultrarapid"))


def judged(drug: str, known: dict[str, Any]) -> Outcome:
    return outcome(drugs()[drug], {**dict.fromkeys(drugs()[drug].inputs), **known})


@pytest.mark.parametrize(("drug", "known", "action", "strength", "factor"), [
    ("codeine", {D6: UM}, "avoid", "strong", None),
    ("codeine", {D6: PM}, "avoid", "strong", None),
    ("codeine", {D6: IM}, "monitor", "moderate", None),
    ("codeine", {D6: NM}, "standard", "strong", None),
    ("tramadol", {D6: PM}, "avoid", "strong", None),
    ("tramadol", {D6: IM}, "monitor", "optional", None),
    ("hydrocodone", {D6: PM}, "monitor", "optional", None),
    ("amitriptyline", {D6: PM, C19: NM}, "avoid", "strong", 0.5),
    ("amitriptyline", {D6: NM, C19: PM}, "avoid", "moderate", 0.5),
    ("amitriptyline", {D6: UM, C19: RM}, "avoid", "optional", None),
    ("clomipramine", {D6: NM, C19: UM}, "alternative", "optional", None),
    ("doxepin", {D6: IM, C19: NM}, "adjust", "moderate", 0.75),
    ("imipramine", {D6: IM, C19: IM}, "adjust", "optional", 0.75),
    ("trimipramine", {D6: NM, C19: IM}, "standard", "strong", None),
    ("nortriptyline", {D6: PM}, "avoid", "strong", 0.5),
    ("desipramine", {D6: IM}, "adjust", "moderate", 0.75),
    ("paroxetine", {D6: PM}, "adjust", "moderate", 0.5),
    ("paroxetine", {D6: UM}, "alternative", "optional", None),
    ("vortioxetine", {D6: PM}, "adjust", "moderate", 0.5),
    ("venlafaxine", {D6: PM}, "alternative", "optional", None),
    ("fluvoxamine", {D6: IM}, "standard", "moderate", None),
    ("sertraline", {C19: PM}, "adjust", "moderate", 0.5),
    ("sertraline", {C19: UM}, "monitor", "optional", None),
    ("atomoxetine", {D6: PM, "age": 9.0}, "adjust", "moderate", None),
    ("atomoxetine", {D6: NM, "age": 30.0}, "standard", "moderate", None),
    ("ondansetron", {D6: UM}, "alternative", "moderate", None),
    ("tropisetron", {D6: PM}, "standard", "none", None),
    ("tamoxifen", {D6: PM}, "alternative", "strong", None),
    ("tamoxifen", {D6: IM}, "alternative", "moderate", None),
    ("voriconazole", {C19: RM, "age": 40.0}, "alternative", "moderate", None),
    ("voriconazole", {C19: RM, "age": 8.0}, "monitor", "moderate", None),
    ("voriconazole", {C19: NM}, "standard", "strong", None),
    ("metoprolol", {D6: PM}, "adjust", "moderate", None),
    ("lansoprazole", {C19: UM}, "adjust", "optional", 2.0),
    ("pantoprazole", {C19: PM}, "adjust", "moderate", None),
    ("dexlansoprazole", {C19: PM}, "adjust", "optional", None),
    ("clopidogrel", {C19: PM, "finding:acs-or-pci": True}, "avoid", "strong", None),
    ("clopidogrel", {C19: IM, "finding:cardiovascular-other": True}, "standard", "none", None),
    ("clopidogrel", {C19: IM, "finding:neurovascular": True}, "alternative", "moderate", None),
    ("clopidogrel", {C19: IM}, "alternative", "strong", None),
    ("eliglustat", {D6: PM}, "adjust", "none", 0.5),
    ("eliglustat", {D6: UM}, "avoid", "none", None),
    ("tetrabenazine", {D6: PM}, "adjust", "none", None),
    ("pimozide", {D6: NM}, "standard", "none", None),
    ("pitolisant", {D6: PM}, "adjust", "none", 0.5),
    ("oliceridine", {D6: PM}, "monitor", "none", None),
])
def test_vignette(drug: str, known: dict[str, Any], action: str, strength: str, factor: float | None) -> None:
    row = judged(drug, known).lead
    assert row is not None
    assert (row.action, row.strength, row.dose_factor) == (action, strength, factor)


@pytest.mark.parametrize(("drug", "known"), [
    ("codeine", {}), ("amitriptyline", {D6: NM}), ("amitriptyline", {C19: NM}), ("hydrocodone", {D6: UM}),
    ("clopidogrel", {C19: "Indeterminate"}), ("fluvoxamine", {D6: UM}),
])
def test_unknown_or_silent_is_not_standard(drug: str, known: dict[str, Any]) -> None:
    assert judged(drug, known).lead is None


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
