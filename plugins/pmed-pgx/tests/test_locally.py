"""What is used on the skin or in the eye only: what is said of it is not what is said of tablets."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from polars.testing import assert_frame_equal

import pmed
from pmed.render.html import HtmlExporter
from pmed_pgx import adviser, alternatives
from pmed_pgx.adviser import GuidelineAdviser
from pmed_pgx.locally import LOCAL

Resource = dict[str, Any]

DAY = "2026-01-15"
ANNA: Resource = {"resourceType": "Patient", "id": "anna", "birthDate": "1948-03-04", "gender": "female"}
WHO = {"reference": "Patient/anna"}


def run(folder: Path, *medicines: str, allergic_to: str | None = None, over: str | None = None,
        since: str = "2025-01-01", **more: Any) -> pmed.Result:
    """Of a record that tells no routes, but for the names of medicines; of what is `over` not since when."""
    rows: list[Resource] = [ANNA, *(
        {"resourceType": "MedicationRequest", "id": f"m{number}", "status": "active", "intent": "order", "subject": WHO,
         "authoredOn": since, "medicationCodeableConcept": {"text": name}}
        for number, name in enumerate(medicines))]
    if over:
        rows.append({**rows[1], "id": "over", "status": "completed", "medicationCodeableConcept": {"text": over}})
    if allergic_to:
        rows.append({"resourceType": "AllergyIntolerance", "id": "a", "patient": WHO, "code": {"text": allergic_to}})
    file = folder / "record.json"
    file.write_text(json.dumps({"resourceType": "Bundle", "type": "collection",
                                "entry": [{"resource": row} for row in rows]}), encoding="utf-8")
    return pmed.run(history=[file], index_date=DAY, **more)


def of(result: pmed.Result, drug: str) -> Mapping[str, Any]:
    (row,) = result.suggestions.filter(drug=drug).iter_rows(named=True)
    return row


def cautions(row: Mapping[str, Any]) -> list[str]:
    return [one["text"] for one in row["cautions"] if one["code"] == LOCAL]


@pytest.mark.parametrize(("name", "drug", "before"), [
    ("Diclofenac 1% gel", "diclofenac", "Do not give diclofenac with an anticoagulant"),
    ("Erythromycin ophthalmic ointment", "erythromycin", "Choose another antibiotic than erythromycin"),
    ("Ketoconazole 2% shampoo", "ketoconazole", "Before ketoconazole is given, pause or change the other"),
    ("Ibuprofen gel", "ibuprofen", "Do not give ibuprofen with an anticoagulant")])
def test_what_speaks_of_the_blood_is_a_caution(tmp_path: Path, name: str, drug: str, before: str) -> None:
    row = of(run(tmp_path, name, "warfarin", "simvastatin"), drug)
    assert (row["action"], row["urgency"], row["concern"], row["alternatives"]) == ("not-assessed", "routine", None, [])
    assert row["text"] == f"Not assessed: {drug} is used in one place only, such as skin or eye."
    (caution,) = cautions(row)
    assert caution.startswith(f"If it were swallowed or injected: {before}")


@pytest.mark.parametrize("names", [
    ("diclofenac 50 mg",), ("Diclofenac gel", "diclofenac 50 mg"), ("Timolol eye drops", "verapamil"),
    ("Nitroglycerin ointment", "sildenafil")])
def test_what_reaches_the_blood_is_told_as_ever(tmp_path: Path, names: tuple[str, ...]) -> None:
    result = run(tmp_path, *names, "warfarin")
    row = of(result, names[0].split()[0].lower())
    assert row["action"] != "not-assessed"
    assert not cautions(row)


def test_an_allergy_and_genes_still_speak_against_it(tmp_path: Path) -> None:
    row = of(run(tmp_path, "Diclofenac gel", allergic_to="diclofenac"), "diclofenac")
    assert (row["action"], row["urgency"]) == ("avoid", "today")
    assert cautions(row) == ["By the record diclofenac is used in one place only, such as skin or eye: the allergy "
                             "holds there, too; what else is said is about what is swallowed or injected."]
    row = of(run(tmp_path, "Neomycin ointment", allergic_to="neomycin"), "neomycin")
    assert (row["action"], cautions(row)) == ("avoid", [])
    calls = tmp_path / "calls.tsv"
    calls.write_text("DPYD\tc.1905+1G>A (*2A)/c.1905+1G>A (*2A)\n", encoding="utf-8")
    row = of(run(tmp_path, "Fluorouracil 5% cream", outside_calls=[calls]), "fluorouracil")
    assert row["action"] == "avoid"


def test_a_cream_of_fluorouracil_is_not_used_beside_brivudine(tmp_path: Path) -> None:
    row = of(run(tmp_path, "Fluorouracil 5% cream", "brivudine"), "fluorouracil")
    assert (row["action"], row["urgency"], cautions(row)) == ("avoid", "today", [])


def test_a_cream_of_fluorouracil_may_be_too_soon_after_brivudine(tmp_path: Path) -> None:
    row = of(run(tmp_path, "Fluorouracil 5% cream", over="brivudine 125 mg", since="2026-01-10"), "fluorouracil")
    assert [one["text"] for one in row["cautions"]] == [
        "When brivudine ended is not on record: 28 days should lie between its last dose and the first of "
        "fluorouracil."]
    row = of(run(tmp_path, "Ciprofloxacin eye drops", over="amiodarone 200 mg", since="2026-01-10"), "ciprofloxacin")
    assert "end-unknown" not in [one["code"] for one in row["cautions"]]


def test_of_many_people_the_same_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tables = run(tmp_path, "Diclofenac gel", "warfarin").tables
    few = GuidelineAdviser().advise(tables)
    for module in (adviser, alternatives):
        monkeypatch.setattr(module, "FEW", 0)
    assert_frame_equal(GuidelineAdviser().advise(tables), few)


def test_no_bars_stand_beside_what_is_not_assessed(tmp_path: Path) -> None:
    result = run(tmp_path, "Diclofenac gel", "ibuprofen", "warfarin")
    assert of(result, "diclofenac")["explained_by"] == []
    text = " ".join(re.sub(r"<[^>]+>", " ", HtmlExporter().export(result).decode()).split())
    assert "Why Ibuprofen" in text
    assert "Why Diclofenac" not in text
    assert "Diclofenac 4 concern level" not in text


def test_the_german_report_says_so(tmp_path: Path) -> None:
    page = HtmlExporter(language="de").export(run(tmp_path, "Diclofenac Salbe", "warfarin")).decode()
    assert "Nicht beurteilt: Diclofenac wird nur an einer Stelle angewendet, etwa auf der Haut oder am Auge" in page
    assert "Würde es geschluckt oder gespritzt: Diclofenac nicht" in page
    assert "swallowed" not in page
    page = HtmlExporter(language="de").export(run(tmp_path, "Diclofenac Salbe", allergic_to="diclofenac")).decode()
    assert "Die Allergie gilt auch dort; was sonst gesagt wird" in page
