"""Directions in words: the whole is understood or nothing is, and what is weekly is never daily."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmed.normalise.drugs import add_ingredients
from pmed.normalise.sigs import COUNT, PIECE, UNKNOWN, read_sig
from pmed.sources.fhir import FhirSource
from pmed.sources.hl7v2 import Hl7v2Source
from pmed.sources.tabular import TableSource
from pmed.tables import TABLES
from pmed.types import ReadRequest

REQUEST = ReadRequest(TABLES["sites"].empty(), index_date="2024-06-02")
NAMES = TABLES["drug_names"].frame([{"ingredient": name, "kind": "ingredient", "name": name} for name in (
    "levothyroxine", "methotrexate", "ramipril", "insulin glargine", "hydrochlorothiazide")])
WEEK = pytest.approx(1 / 7)


@pytest.mark.parametrize(("text", "amount", "unit", "per_day", "daily"), [
    ("1-0-1", 1, COUNT, 2, 2), ("1-0-1-0", 1, COUNT, 2, 2), ("\u00bd-0-0", 0.5, COUNT, 1, 0.5),
    ("1\u00bd \u2013 0 \u2013 \u00bd", None, COUNT, 2, 2), ("0,5-0-0", 0.5, COUNT, 1, 0.5),
    ("2-0-1", None, COUNT, 2, 3),
    ("1-0-1 Tbl.", 1, PIECE, 2, 2), ("10-0-12 IE", None, "[IU]", 2, 22), ("1-0-1 t\u00e4glich", 1, COUNT, 2, 2),
    ("take 1 tablet by mouth twice daily", 1, PIECE, 2, 2), ("1 tab bid", 1, PIECE, 2, 2),
    ("2x t\u00e4glich 1 Tablette", 1, PIECE, 2, 2), ("every 8 hours", None, None, 3, None),
    ("once weekly", None, None, WEEK, None), ("10 mg once a week", 10, "mg", WEEK, pytest.approx(10 / 7)),
    ("1-0-0 w\u00f6chentlich", 1, COUNT, WEEK, WEEK), ("1-0-0 montags", 1, COUNT, WEEK, WEEK),
    ("2 tablets every Monday", 2, PIECE, WEEK, pytest.approx(2 / 7)),
    ("Take 2 tablets (10 mg total) by mouth daily.", 10, "mg", 1, 10),
    ("Take 1 tablet (10 mg) nightly at bedtime", 10, "mg", 1, 10), ("one (1) tablet daily", 1, PIECE, 1, 1),
    ("1 tablet every other day", 1, PIECE, 0.5, 0.5), ("500 mg q8h x 7 days", 500, "mg", 3, 1500),
    ("take 1 tablet twice daily with meals", 1, PIECE, 2, 2), ("1 1/2 tablets daily", 1.5, PIECE, 1, 1.5),
    ("1 Tablette morgens und abends", 1, PIECE, 2, 2), ("0.125 mg daily", 0.125, "mg", 1, 0.125),
    (".5 mg daily", 0.5, "mg", 1, 0.5), ("take .5 tablet, twice daily", 0.5, PIECE, 2, 1),
    ("take 2 times daily", None, None, 2, None), ("BID", None, None, 2, None),
])
def test_what_is_plain_is_read(text: str, amount: float | None, unit: str | None, per_day: object,
                               daily: object) -> None:
    found = read_sig(text)
    assert (found.amount, found.unit, found.per_day, found.daily) == (amount, unit, per_day, daily)
    assert not found.as_needed


@pytest.mark.parametrize("text", [
    "1-2 tablets daily", "as directed", "1 tablet daily for 3 days then 2", "every 4-6 hours", "q4-6h", "1-0", "1-1",
    "1 tablet daily or as directed", "up to 4 times daily", "1 tablet once", "0-0-0", "1,000 mg daily", "1.000 mg tgl.",
    "5 mg/kg daily", "1 tab daily, 2 tabs nightly", "2 tablets (10 mg) daily", "1 tablet bid weekly",
    "1-0-1 w\u00f6chentlich", "twice daily in the morning", "20 mg in divided doses", "12-5-2024", "25-0-25 Tabletten",
    "twice daily with breakfast", "daily with meals", "1 drop daily", "biweekly", "every 0 hours", "", "daily " * 99,
    "2 tablets (5 mg each) daily", "one (2) tablets daily", "Mo 1-0-0", "1-0-1-0-1",
    "daily.5 mg", "po,5 mg daily"])
def test_what_is_not_plain_stays_unknown(text: str) -> None:
    assert read_sig(text) == UNKNOWN


@pytest.mark.parametrize(("text", "amount"), [
    ("q6h prn", None), ("1 tab q6h prn pain", 1), ("bei Bedarf 1 Tablette", None), ("1 Tbl. b. B.", 1),
    ("1 Tbl. b. Bed.", 1), ("1 Tbl bei Bed.", 1), ("1 Tbl. im Bedarfsfall", 1), ("b.Bed.", None),
    ("1-2 tablets every 4 hours as needed", None), ("1-0-1 bei Schmerzen", None)])
def test_what_is_taken_as_needed_has_no_times(text: str, amount: float | None) -> None:
    found = read_sig(text)
    assert (found.amount, found.per_day, found.daily, found.as_needed) == (amount, None, None, True)


AMOUNTS = {"1 tablet": (1, PIECE), "2 tabs": (2, PIECE), "1/2 tablet": (0.5, PIECE), "10 mg": (10, "mg"),
           "2,5 mg": (2.5, "mg"), "eine halbe Tablette": (0.5, PIECE), "5 ml": (5, "mL"), "3 Kapseln": (3, PIECE)}
TIMES = {"daily": 1, "twice a day": 2, "3x t\u00e4glich": 3, "every 6 hours": 4, "alle 12 Stunden": 2, "weekly": 1 / 7,
         "at bedtime": 1, "morgens und abends": 2, "every other day": 0.5, "twice weekly": 2 / 7, "q24h": 1}


@given(st.sampled_from(sorted(AMOUNTS)), st.sampled_from(sorted(TIMES)), st.sampled_from(["", "by mouth", "po"]),
       st.booleans(), st.sampled_from([str.lower, str.upper, str]), st.sampled_from(["", ".", " "]))
def test_amount_and_times_in_any_order(amount: str, times: str, way: str, turned: bool, case: object, end: str) -> None:
    text = " ".join(filter(None, [times, amount, way] if turned else [amount, way, times])) + end
    found = read_sig(case(text))  # type: ignore[operator]
    number, unit = AMOUNTS[amount]
    assert (found.amount, found.unit, found.per_day) == (number, unit, pytest.approx(TIMES[times]))
    assert found.daily == pytest.approx(number * TIMES[times])


@given(st.sampled_from(sorted(AMOUNTS)), st.sampled_from(sorted(TIMES)), st.text(st.characters(
    codec="utf-8", categories=["L"]), min_size=3, max_size=12))
def test_one_strange_word_and_nothing_is_known(amount: str, times: str, word: str) -> None:
    strange = f"zz{word}"
    for text in (f"{amount} {times} {strange}", f"{strange} {amount} {times}", f"{amount} {strange} {times}"):
        assert read_sig(text) == UNKNOWN


@given(st.lists(st.sampled_from(["0", "1", "2", "\u00bd", "1,5"]), min_size=3, max_size=4))
def test_a_scheme_is_its_sum(cells: list[str]) -> None:
    amounts = [0.5 if one == "\u00bd" else float(one.replace(",", ".")) for one in cells]
    found = read_sig("-".join(cells))
    assert found.daily == (pytest.approx(sum(amounts)) if any(amounts) else None)


@given(st.text(max_size=80))
def test_any_text_is_read_without_an_error(text: str) -> None:
    found = read_sig(text)
    assert found.daily is None or found.per_day


@given(st.sampled_from(["weekly", "w\u00f6chentlich", "montags", "every week", "once a week", "on Mondays"]),
       st.sampled_from(["10 mg", "1 tablet", "1-0-0", "1-0-1", "take 2 tabs"]), st.booleans())
def test_what_speaks_of_weeks_is_never_daily(week: str, amount: str, turned: bool) -> None:
    found = read_sig(f"{week} {amount}" if turned else f"{amount} {week}")
    assert found.per_day is None or found.per_day < 0.5


def fhir(folder: Path, display: str, **dosage: object) -> dict[str, pl.DataFrame]:
    order = {"resourceType": "MedicationRequest", "id": "m", "status": "active", "intent": "order",
             "authoredOn": "2024-01-01", "subject": {"reference": "Patient/p"},
             "medicationCodeableConcept": {"text": display}, "dosageInstruction": [dosage]}
    (folder / "b.json").write_text(json.dumps({"resourceType": "Bundle", "entry": [
        {"resource": {"resourceType": "Patient", "id": "p", "birthDate": "1950-07-03"}}, {"resource": order}]}))
    return FhirSource().read([folder / "b.json"], REQUEST)


def hl7(folder: Path, display: str, instruction: str, pattern: str = "") -> dict[str, pl.DataFrame]:
    (folder / "m.hl7").write_text("\r".join([
        "MSH|^~\\&|A|B|C|D|20240101||RDE^O11|1|P|2.5", "PID|1||p^^^X||Doe^J||19500703|F", "ORC|NW|1||||||||20240101",
        f"RXE||^{display}|||||^{instruction}", *([f"TQ1|1||{pattern}"] if pattern else []), ""]))
    return Hl7v2Source().read([folder / "m.hl7"], REQUEST)


def table(folder: Path, display: str, sig: str, more: str = "") -> dict[str, pl.DataFrame]:
    (folder / "m.csv").write_text(f"id;drug;sig;unit\np;{display};{sig};{more}\n")
    (folder / "m.mapping.toml").write_text(
        '[[file]]\npath = "m.csv"\ntable = "medications"\nseparator = ";"\n[file.columns]\npatient_id = "id"\n'
        'display = "drug"\nsig = "sig"\ndose_unit = "unit"\n[file.constants]\nstatus = "active"\n')
    return TableSource().read([folder / "m.mapping.toml"], REQUEST)


def dosed(tables: dict[str, pl.DataFrame]) -> tuple[object, ...]:
    named, _ = add_ingredients(tables["medications"], NAMES)
    return named.select("dose", "dose_unit", "daily_dose").row(0)


@pytest.mark.parametrize(("display", "sig", "found"), [
    ("ramipril 5 mg Tabletten", "1-0-1", (5, "mg", 10)), ("ramipril 5 MG Oral Tablet", "2-0-1", (None, "mg", 15)),
    ("ramipril 5 MG Oral Capsule", "1 tab bid", (5, "mg", 10)), ("ramipril 5 mg", "1 tab bid", (5, "mg", 10)),
    ("ramipril 5 mg", "1-0-1", (1, COUNT, 2)), ("ramipril 5 mg Tabletten", "5-0-5", (5, COUNT, 10)),
    ("ramipril 2.5 mg Tabletten", "2.5-0-0", (2.5, COUNT, 2.5)), ("ramipril 5 mg", "10 mg daily", (10, "mg", 10)),
    ("ramipril .5 mg Tablet", "1 tab bid", (0.5, "mg", 1)), ("ramipril 1,000 mg Tablet", "1 tab bid", (1, PIECE, 2)),
    ("ramipril 1.000 mg Tabletten", "1-0-1", (1, COUNT, 2)),
    ("ramipril 5 mg / hydrochlorothiazide 25 mg Tablet", "1 tab daily", (1, PIECE, 1)),
    ("ramipril 5 mg Tablet", "1-2 tablets daily", (None, None, None)),
    ("insulin glargine 100 UNT/ML Injection", "1 tab daily", (1, PIECE, 1)),
    ("methotrexate 10 mg Tablet", "1 tablet once weekly", (10, "mg", pytest.approx(10 / 7))),
    ("methotrexate 10 mg Tablet, weekly", "1 tab daily", (10, "mg", None)),
    ("methotrexate 10 mg Tabletten", "Mo 1-0-0", (None, None, None)),
])
def test_all_sources_read_the_same(tmp_path: Path, display: str, sig: str, found: tuple[object, ...]) -> None:
    assert dosed(fhir(tmp_path, display, text=sig)) == found
    assert dosed(hl7(tmp_path, display, sig)) == found
    assert dosed(table(tmp_path, display, sig)) == found


MG = [{"doseQuantity": {"value": 10, "unit": "mg"}}]
DAILY = {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}


@pytest.mark.parametrize(("dosage", "found", "told"), [
    ({"text": "once weekly", "timing": DAILY, "doseAndRate": MG}, (10, "mg", None), True),
    ({"text": "on Mondays", "timing": DAILY, "doseAndRate": MG}, (10, "mg", None), True),
    ({"text": "prn", "timing": DAILY, "doseAndRate": MG}, (10, "mg", None), True),
    ({"text": "20 mg daily", "timing": DAILY, "doseAndRate": MG}, (None, None, None), True),
    ({"text": "1 tablet daily", "timing": DAILY, "doseAndRate": MG}, (10, "mg", 10), False),
    ({"text": "twice daily", "doseAndRate": MG}, (10, "mg", 20), False),
    ({"text": "2 tablets bid", "doseAndRate": MG}, (10, "mg", None), False),
    ({"text": "2-0-1", "doseAndRate": MG}, (10, "mg", None), False),
    ({"text": "1 tab bid", "asNeededBoolean": True}, (None, None, None), False),
    ({"text": "1 tab bid", "doseAndRate": [{"doseRange": {"low": {"value": 1}}}]}, (None, None, None), False),
    ({"text": "1 tab bid", "timing": {"repeat": {"frequency": 1, "frequencyMax": 4, "period": 1, "periodUnit": "d"}}},
     (None, None, None), False),
    ({"text": "1 tab daily", "patientInstruction": "only on Mondays"}, (None, None, None), False),
    ({"text": "1 tab daily", "patientInstruction": "swallow whole"}, (5, "mg", 5), False),
    ({"text": "1 tab daily", "additionalInstruction": [{"text": "once weekly"}]}, (None, None, None), False),
    ({"timing": {"code": {"text": "1-0-1"}}}, (5, "mg", 10), False),
    ({"text": "1 tablet daily", "doseAndRate": [{"doseQuantity": {"value": 1}}]}, (5, "mg", 5), False),
    ({"text": 5}, (None, None, None), False),
])
def test_fields_and_words_must_agree(tmp_path: Path, dosage: dict[str, object], found: tuple[object, ...],
                                     told: bool) -> None:
    tables = fhir(tmp_path, "ramipril 5 MG Oral Tablet", **dosage)
    assert dosed(tables) == found
    assert ("dose-conflict" in tables["issues"]["code"].to_list()) is told


@pytest.mark.parametrize(("unit", "found"), [("Tbl", (5, "mg", 10)), ("St\u00fcck", (5, "mg", 10)),
                                             ("mg", (None, "mg", None)), ("", (1, COUNT, 2))])
def test_a_column_may_tell_what_a_scheme_counts(tmp_path: Path, unit: str, found: tuple[object, ...]) -> None:
    assert dosed(table(tmp_path, "ramipril 5 mg", "1-0-1", unit)) == found


@pytest.mark.parametrize(("pattern", "daily"), [("BID", 10), ("Q6H PRN", None), ("1-0-1", 10), ("C", None)])
def test_a_pattern_of_hl7_goes_before_instructions(tmp_path: Path, pattern: str, daily: float | None) -> None:
    instruction = "1 tablet" if pattern == "BID" else "1 tablet daily"
    assert dosed(hl7(tmp_path, "ramipril 5 MG Oral Tablet", instruction, pattern))[2] == daily


def test_what_was_given_once_is_not_taken_so_often(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("id,drug,sig\np,ramipril 5 mg Tablet,1 tab bid\n")
    (tmp_path / "m.mapping.toml").write_text(
        '[[file]]\npath = "m.csv"\ntable = "medications"\n[file.columns]\npatient_id = "id"\ndisplay = "drug"\n'
        'sig = "sig"\n[file.constants]\nkind = "administration"\n')
    assert dosed(TableSource().read([tmp_path / "m.mapping.toml"], REQUEST)) == (None, None, None)


@pytest.mark.parametrize(("display", "dose", "unit", "sure"), [
    ("Levothyroxine 50 \u00b5g", 50, "mg", False), ("levothyroxine 0.05 MG Oral Tablet", 50, "mg", False),
    ("levothyroxine 50 ug", 100, "mcg", True), ("levothyroxine 0.05 MG", 50, "ug", True),
    ("ramipril 5 mg", 5, "ug", False), ("ramipril 5 mg", 2.5, "mg", True), ("ramipril 5 mg", 10, "MG", True),
    ("ramipril 5 mg", 100, "mg", True), ("ramipril 5 mg", 0, "mg", True), ("ramipril 5 mg", 5, "g", False),
    ("ramipril 5 mg / hydrochlorothiazide 25 mg", 5, "g", True), ("ramipril", 5, "g", True),
])
def test_a_dose_of_a_thousand_pieces_is_a_slip_of_the_unit(display: str, dose: float, unit: str, sure: bool) -> None:
    row = {"patient_id": "p", "row": 1, "display": display, "dose": dose, "dose_unit": unit, "daily_dose": dose}
    named, told = add_ingredients(TABLES["medications"].frame([row]), NAMES)
    assert named.select("dose", "dose_unit", "daily_dose").row(0) == ((dose, unit, dose) if sure else (None,) * 3)
    assert ("dose-conflict" in told["code"].to_list()) is not sure
