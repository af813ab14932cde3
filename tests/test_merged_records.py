"""Two records of one person: neither is whole, so that what one lacks is unknown and not absent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pmed.features.history import HistoryFeatures
from pmed.normalise.vocabulary import release
from pmed.sources.fhir import FhirSource
from pmed.sources.hl7v2 import Hl7v2Source
from pmed.stages.normalise import normalise
from pmed.stages.read import empty_tables
from pmed.tables import TABLES
from pmed.types import ReadRequest

REQUEST = ReadRequest(TABLES["sites"].empty(), index_date="2026-06-15")


def taken(tables: dict[str, pl.DataFrame], drug: str) -> dict[str, bool | None]:
    known = normalise({**empty_tables(), **tables}, release().tables["drug_names"])
    found = HistoryFeatures().run(known, [f"on:{drug}"])["features"]
    return dict(found.select("patient_id", f"on:{drug}").rows())


def warned(tables: dict[str, pl.DataFrame]) -> set[str]:
    return set(tables["issues"].filter(code="merge-not-followed", severity="warning")["patient_id"])


def person(name: str, **said: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": name, "birthDate": "1950-07-03", **said}


def order(name: str, drug: str) -> dict[str, Any]:
    return {"resourceType": "MedicationRequest", "status": "active", "intent": "order",
            "subject": {"reference": f"Patient/{name}"}, "medicationCodeableConcept": {"text": drug}}


def link(other: str, kind: str) -> dict[str, Any]:
    return {"link": [{"other": {"reference": other}, "type": kind}]}


@pytest.mark.parametrize("reference", ["Patient/new", "https://h.example/fhir/Patient/new/_history/2"])
def test_who_took_the_place_of_another_record_is_not_known_whole(tmp_path: Path, reference: str) -> None:
    path = tmp_path / "b.json"
    path.write_text(json.dumps({"resourceType": "Bundle", "entry": [{"resource": one} for one in (
        person("old", **link(reference, "replaced-by")), person("new", **link("Patient/old", "replaces")),
        person("other"), order("old", "warfarin"), order("new", "metformin"), order("other", "metformin"))]}))
    tables = FhirSource().read([path], REQUEST)
    assert warned(tables) == {"old", "new"}
    assert taken(tables, "warfarin") == {"old": True, "new": None, "other": False}
    assert taken(tables, "metformin") == {"old": None, "new": True, "other": True}


def test_where_nothing_stands_in_the_old_record_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    path.write_text(json.dumps({"resourceType": "Bundle", "entry": [{"resource": one} for one in (
        person("old", **link("Patient/new", "replaced-by")), person("new"), order("new", "metformin"))]}))
    tables = FhirSource().read([path], REQUEST)
    assert (warned(tables), taken(tables, "warfarin")["new"]) == ({"old"}, False)


def sent(day: str, kind: str, pid: str, *more: str) -> str:
    head = rf"MSH|^~\&|PH|H|EHR|H|{day}||{kind}|{day}|P|2.5.1"
    return "\r".join([head, f"PID|1||{pid}||Doe^J||19500703|F", *more, ""])


def ordered(number: int, drug: str) -> tuple[str, str]:
    return f"ORC|NW|{number}", f"RXE|^BID^^20260501|^{drug}|1||TAB"


def read(folder: Path, *messages: str) -> dict[str, pl.DataFrame]:
    (folder / "m.hl7").write_text("".join(messages), newline="")
    return Hl7v2Source().read([folder / "m.hl7"], REQUEST)


@pytest.mark.parametrize(("before", "whose", "expected"), [
    ("old", {"old", "new"}, {"old": True, "new": None}), ("new", set(), {"new": True})])
def test_identifiers_that_were_merged_are_two_halves(tmp_path: Path, before: str, whose: set[str],
                                                     expected: dict[str, bool | None]) -> None:
    tables = read(tmp_path, sent("20260501", "RDE^O11", f"{before}^^^H^MR", *ordered(1, "warfarin")),
                  sent("20260502", "ADT^A40", "new^^^H^MR", "MRG|old^^^H^MR"),
                  sent("20260503", "RDE^O11", "new^^^H^MR", *ordered(2, "metformin")))
    assert (warned(tables), taken(tables, "warfarin")) == (whose, expected)


@pytest.mark.parametrize("second", ["999^^^SSA^SS~p^^^H^MR", "999^^^SSA^SS~i^^^H^PI~p^^^H^MR", "~p^^^H^MR"])
def test_the_number_of_the_record_tells_who_it_is_wherever_it_stands(tmp_path: Path, second: str) -> None:
    tables = read(tmp_path, sent("20260501", "RDE^O11", "p^^^H^MR~999^^^SSA^SS", *ordered(1, "warfarin")),
                  sent("20260502", "RDE^O11", second, *ordered(2, "metformin")))
    assert taken(tables, "warfarin") == {"p": True}
    assert taken(tables, "metformin") == {"p": True}
