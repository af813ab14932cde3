"""Indications on record as features: true or unknown, never false."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from pmed.tables import TABLES
from pmed_pgx.findings import FindingFeatures, on_record
from pmed_pgx.knowledge import table

ICD10, ICD9, SNOMED = ("http://hl7.org/fhir/sid/icd-10-cm", "http://hl7.org/fhir/sid/icd-9-cm", "http://snomed.info/sct")
ALL = [f"finding:{key}" for key in table("findings")["finding"].unique(maintain_order=True)]


def findings(*conditions: dict[str, Any]) -> set[str]:
    """Keys that are true for a patient with those conditions; a second patient has none and must stay unknown."""
    rows = [{"patient_id": "p", "row": i, **row} for i, row in enumerate(conditions)]
    tables = {"conditions": TABLES["conditions"].frame(rows), "samples": TABLES["samples"].empty(),
              "patients": TABLES["patients"].frame([{"patient_id": "p"}, {"patient_id": "q"}])}
    made = FindingFeatures().run(tables, ALL)["features"]
    assert made.columns == ["patient_id", *ALL]
    assert made.schema[ALL[0]] == pl.Boolean()
    one, other = made.sort("patient_id").rows(named=True)
    assert set(other.values()) == {"q", None}
    assert False not in one.values()
    return {name.removeprefix("finding:") for name in ALL if one[name]}


@pytest.mark.parametrize(("system", "code", "found"), [
    (SNOMED, "394659003", {"acs-or-pci"}), (ICD10, "I21.4", {"acs-or-pci"}), (ICD10, "I214", {"acs-or-pci"}),
    (ICD10, "Z95.5", {"acs-or-pci"}), (ICD9, "V45.82", {"acs-or-pci"}), (ICD9, "410.71", {"acs-or-pci"}),
    (ICD10, "I25.10", {"cardiovascular-other"}), (ICD10, "i25.2", {"acs-or-pci"}),
    (ICD10, "I63.9", {"neurovascular", "stroke-or-tia"}), (ICD10, "I65.2", {"neurovascular"}),
    (ICD10, "G40.909", {"epilepsy"}), (ICD10, "E84.0", {"cystic-fibrosis"}), (ICD9, "277.02", {"cystic-fibrosis"}),
    (ICD10, "C91.00", {"malignancy"}), (ICD9, "204.01", {"malignancy"}), (ICD10, "K50.90", {"inflammatory-disease"}),
    (ICD10, "B96.81", {"h-pylori-or-erosive-oesophagitis"}), (ICD10, "I10", set()), (ICD10, "K21.9", set()),
    # A code is read in its own system: 410 of ICD-9 is no code of ICD-10, nor V45 one of the other.
    (ICD10, "V45.82", set()), (ICD9, "C91.0", set()), (SNOMED, "I21.4", set()), (None, "394659003", {"acs-or-pci"}),
])
def test_codes_of_three_systems(system: str | None, code: str, found: set[str]) -> None:
    assert findings({"system": system, "code": code, "status": "active"}) == found


@pytest.mark.parametrize(("more", "kept"), [
    ({"status": "active"}, {"acs-or-pci", "epilepsy"}), ({}, {"acs-or-pci", "epilepsy"}),
    ({"status": "resolved"}, {"acs-or-pci"}), ({"active": False}, {"acs-or-pci"}),
    ({"status": "active", "verification": "refuted"}, set()),
    ({"verification": "entered-in-error"}, set()),
])
def test_what_is_over_counts_only_where_the_past_counts(more: dict[str, Any], kept: set[str]) -> None:
    conditions = [{"system": ICD10, "code": code, **more} for code in ("I21.4", "G40.3")]
    assert findings(*conditions) == kept


MI, STROKE, ANGINA, CROHN = ({"system": ICD10, "code": code} for code in ("I21.4", "I63.9", "I25.10", "K50.90"))


@pytest.mark.parametrize("verification", ["unconfirmed", "provisional", "differential"])
def test_what_is_not_confirmed_is_no_indication(verification: str) -> None:
    doubt = {"verification": verification}
    assert findings(MI | doubt) == set()
    assert findings(MI | doubt, MI | {"verification": "confirmed"}) == {"acs-or-pci"}
    assert findings(MI | {"verification": "confirmed"}, MI | doubt) == {"acs-or-pci"}
    # Which of the indications of clopidogrel it is stays open; those of a thiopurine have nothing to do with it.
    assert findings(MI | doubt, ANGINA, CROHN) == {"inflammatory-disease"}


@pytest.mark.parametrize(("rows", "words"), [
    ([STROKE], "stroke or transient ischaemic attack on record, a contraindication of the label"),
    ([STROKE | {"verification": "provisional"}],
     "stroke or transient ischaemic attack on record, a contraindication of the label (not confirmed)"),
    ([STROKE | {"verification": "provisional"}, STROKE],
     "stroke or transient ischaemic attack on record, a contraindication of the label"),
    ([STROKE | {"verification": "refuted"}], None)])
def test_against_a_medicine_a_doubted_finding_counts_and_says_so(rows: list[dict[str, Any]], words: str | None) -> None:
    conditions = TABLES["conditions"].frame([{"patient_id": "p", "row": i, **row} for i, row in enumerate(rows)])
    found = on_record({"conditions": conditions}).filter(pl.col("finding") == "stroke-or-tia")
    assert found["words"].to_list() == ([] if words is None else [words])


def test_no_record_is_unknown() -> None:
    assert findings() == set()
    sample = {"sample": "s", "patient_id": "s", "source": "x", "build": "GRCh38"}
    tables = {"samples": TABLES["samples"].frame([sample])}
    made = FindingFeatures().run(tables, ["finding:epilepsy", "finding:no-such-key"])["features"]
    assert made.rows() == [("s", None, None)]
