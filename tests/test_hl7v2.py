"""HL7 v2 messages, written here from the standard's tables (chapters 2 to 4, 6, 7)."""

from __future__ import annotations

import contextlib
import datetime as dt
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmed.errors import HistoryError
from pmed.sources.hl7v2 import Hl7v2Source
from pmed.sources.hl7v2_message import Message, segments
from pmed.tables import TABLES
from pmed.types import ReadRequest

REQUEST = ReadRequest(TABLES["sites"].empty(), index_date="2024-06-01")
PID = "PID|1||P1^^^HOSP^MR||DOE^JANE||19500315|F||2106-3^White^HL70005"
OBR = "OBR|1|PL1|FL1|24323-8^Panel^LN|||202405010800"
OBX = "OBX|1|NM|2160-0^Creatinine^LN||1.2|mg/dL|0.6-1.1|H|||F|||202405010830"
ORC = "ORC|NW|PL9^CPOE|FL9^PH||IP||||20240401"
RXE = "RXE|^BID^^20240402^20241001|861007^metformin 500 MG^RXNORM|2||TAB|TAB" + "|" * 19 + "500|mg"
RXR = "RXR|PO^Oral^HL70162"


def msh(kind: str = "ORU^R01", time: str = "20240501090000", number: int = 1, charset: str = "") -> str:
    return rf"MSH|^~\&|LAB|HOSP|EHR|HOSP|{time}||{kind}|{number}|P|2.5.1||||||{charset}"


def message(*segments: str, end: str = "\r") -> str:
    return "".join(segment + end for segment in segments)


def read(folder: Path, *texts: str | bytes) -> dict[str, pl.DataFrame]:
    paths = []
    for index, text in enumerate(texts):
        paths.append(folder / f"m{index}.hl7")
        paths[-1].write_bytes(text if isinstance(text, bytes) else text.encode())
    return Hl7v2Source().read(paths, REQUEST)


def codes(tables: dict[str, pl.DataFrame]) -> list[str]:
    return tables["issues"]["code"].to_list()


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_a_result(tmp_path: Path, end: str) -> None:
    tables = read(tmp_path, message(msh(), PID, "ZZZ|own", OBR, OBX, end=end))
    assert tables["patients"].row(0)[:5] == ("P1", dt.date(1950, 3, 15), "female", None, "White")
    row = tables["observations"].row(0, named=True)
    assert (row["system"], row["code"], row["value"], row["unit"], row["status"], row["start"]) == (
        "http://loinc.org", "2160-0", 1.2, "mg/dL", "final", dt.date(2024, 5, 1))
    assert row["source"] == "m0.hl7#message 1 OBX[1]"
    assert tables["issues"].is_empty()


@pytest.mark.parametrize(("fields", "value", "text", "code", "issue"), [
    ("NM|1^A^L||5.5|mg", 5.5, None, None, None),
    ("NM|1^A^L||five|mg", None, "five", None, "bad-number"),
    ("NM|1^A^L||1.4^1.5|mg", None, "1.4 1.5", None, "bad-number"),
    ("NM|1^A^L||<5|mg", None, "<5", None, "limit-not-value"),
    ("NM|1^A^L||1e3|mg", None, "1e3", None, "bad-number"),
    ('NM|1^A^L||""|mg', None, None, None, None),
    ("NM|1^A^L|||mg", None, None, None, None),
    ("SN|1^A^L||=^7|mg", 7, None, None, None),
    ("SN|1^A^L||^7|mg", 7, None, None, None),
    ("SN|1^A^L||<^7|mg", None, "< 7", None, "limit-not-value"),
    ("SN|1^A^L||^1^:^128|", None, "1 : 128", None, "value-not-read"),
    ("ST|1^A^L||7.5|mg", 7.5, None, None, None),
    ("ST|1^A^L||2|", None, "2", None, None), ("ST|1^A^L||250.000|/uL", None, "250.000", None, None),
    ("ST|1^A^L||<0.1|mg", None, "<0.1", None, "limit-not-value"),
    ("TX|1^A^L||>60|", None, ">60", None, "limit-not-value"),
    (r"ST|1^A^L||a\F\b\S\c\T\d\R\e\E\f\X41\g|", None, "a|b^c&d~e\\fAg", None, None),
    (r"ST|1^A^L||a\.sp999999999\b|", None, r"a\.sp999999999\b", None, "escape-not-read"),
    (r"ST|1^A^L||a\Zown\b|", None, r"a\Zown\b", None, "escape-not-read"),
    (r"ST|1^A^L||a\b|", None, r"a\b", None, "escape-not-read"),
    ("CWE|1^A^L||10828004^Positive^SCT|", None, "Positive", "10828004", None),
    ("CE|1^A^L||POS|", None, None, "POS", None),
    ("ED|1^A^L||^TEXT^^Base64^AAAA|", None, None, None, None),
    ("|1^A^L||7.5|mg", None, "7.5", None, None),
])
def test_values(tmp_path: Path, fields: str, value: float | None, text: str | None, code: str | None,
                issue: str | None) -> None:
    tables = read(tmp_path, message(msh(), PID, OBR, f"OBX|1|{fields}||||| F".replace(" ", "")))
    row = tables["observations"].row(0, named=True)
    assert (row["value"], row["value_text"], row["value_code"]) == (value, text, code)
    assert codes(tables) == ([issue] if issue else [])


def test_a_number_beyond_the_scale_of_the_instrument_is_a_limit(tmp_path: Path) -> None:
    tables = read(tmp_path, message(msh(), PID, OBR, "OBX|1|NM|1^A^L||5|mg||<|||F"))
    assert tables["observations"].select("value", "value_text").row(0) == (None, "< 5")


@pytest.mark.parametrize(("field", "unit"), [
    ("10^9/L", "10*9/L"), ("x10^3/uL", "x10*3/uL"), (r"10\S\9/L", "10^9/L"), ("mg/dL^mg per dL^UCUM", "mg/dL"),
    ("10^per litre^UCUM", "10"), ("^mg/dL", "mg/dL"), ("", None)])
def test_a_unit_with_a_power_of_ten_that_was_not_escaped(tmp_path: Path, field: str, unit: str | None) -> None:
    tables = read(tmp_path, message(msh(), PID, OBR, f"OBX|1|NM|777-3^Plt^LN||250|{field}|||||F"))
    assert tables["observations"].select("value", "unit").row(0) == (250, unit)


def test_repetitions_are_rows(tmp_path: Path) -> None:
    tables = read(tmp_path, message(msh(), PID, OBR, "OBX|1|NM|1^A^L||5~6|mg|||||F"))
    assert tables["observations"]["value"].to_list() == [5, 6]
    assert tables["issues"].select("place", "code").row(0) == ("message 1 OBX[1]-5", "several-values")


def test_loinc_is_preferred_to_a_local_code(tmp_path: Path) -> None:
    tables = read(tmp_path, message(msh(), PID, OBR, "OBX|1|NM|CREA^Crea^L^2160-0^Creatinine^LN||1|mg/dL|||||F"))
    assert tables["observations"].select("system", "code").row(0) == ("http://loinc.org", "2160-0")


def test_a_correction_takes_the_place_of_the_result(tmp_path: Path) -> None:
    later = message(msh(time="20240502", number=2), PID, OBR, OBX.replace("|1.2|", "|1.0|").replace("|F|", "|C|"))
    earlier = message(msh(), PID, OBR, OBX)
    for texts in ((earlier, later), (later, earlier), (later + earlier,)):
        tables = read(tmp_path, *texts)
        assert tables["observations"].select("value", "status").rows() == [(1.0, "corrected")]
        assert codes(tables) == ["superseded"]


def test_a_correction_of_one_of_several_times_leaves_the_others(tmp_path: Path) -> None:
    times = [f"2024050{number}0830" for number in (1, 2, 3)]
    series = message(msh(), PID, OBR, *(OBX.replace("202405010830", time) for time in times))
    fixed = OBX.replace("|1.2|", "|1.0|").replace("|F|", "|C|").replace("202405010830", times[1])
    tables = read(tmp_path, series + message(msh(time="20240504", number=2), PID, OBR, fixed))
    assert sorted(tables["observations"].select("start", "value").rows()) == [
        (dt.date(2024, 5, 1), 1.2), (dt.date(2024, 5, 2), 1.0), (dt.date(2024, 5, 3), 1.2)]


@pytest.mark.parametrize("name", ["LN", "LOINC", "Loinc", "2.16.840.1.113883.6.1"])
def test_loinc_by_the_names_that_senders_write(tmp_path: Path, name: str) -> None:
    tables = read(tmp_path, message(msh(), PID, OBR, f"OBX|1|NM|CREA^Crea^L^2160-0^Crea^{name}||106|umol/L|||||F"))
    assert tables["observations"].select("system", "code").row(0) == ("http://loinc.org", "2160-0")


def test_a_deleted_result_leaves(tmp_path: Path) -> None:
    tables = read(tmp_path, message(msh(), PID, OBR, OBX)
                  + message(msh(time="20240502"), PID, OBR, OBX.replace("|F|", "|D|")))
    assert tables["observations"].is_empty()
    assert set(codes(tables)) == {"superseded", "entered-in-error"}


def test_serial_results_of_one_order_are_all_kept(tmp_path: Path) -> None:
    tables = read(tmp_path, message(msh(), PID, OBR, OBX)
                  + message(msh(time="20240502"), PID, OBR, OBX.replace("202405010830", "202405020830")))
    assert tables["observations"].height == 2


def test_an_order(tmp_path: Path) -> None:
    tables = read(tmp_path, message(msh("RDE^O11"), PID, ORC, RXE, RXR))
    row = tables["medications"].row(0, named=True)
    assert (row["code"], row["display"], row["system"]) == (
        "861007", "metformin 500 MG", "http://www.nlm.nih.gov/research/umls/rxnorm")
    assert (row["dose"], row["dose_unit"], row["daily_dose"], row["route"], row["kind"]) == (
        1000, "mg", 2000, "Oral", "order")
    assert (row["start"], row["end"], row["status"], row["active"]) == (
        dt.date(2024, 4, 2), dt.date(2024, 10, 1), "active", True)


def test_an_order_of_a_version_with_tq1_and_rxo(tmp_path: Path) -> None:
    tables = read(tmp_path, message(msh("OMP^O09"), PID, ORC, "TQ1|1||Q8H||||20240403",
                                    "RXO|00071015523^Lipitor^NDC|10|20|mg", RXR))
    row = tables["medications"].row(0, named=True)
    assert (row["system"], row["dose"], row["start"]) == ("http://hl7.org/fhir/sid/ndc", None, dt.date(2024, 4, 3))
    assert codes(tables) == ["dose-range"]


@pytest.mark.parametrize(("orc", "status", "active"), [
    ("ORC|DC|PL9^CPOE|||||||20240515", "stopped", False),
    ("ORC|OD||FL9^PH||||||20240515", "stopped", False),
    ("ORC|SC|PL9^CPOE|||DC||||20240515", "stopped", False),
    ("ORC|CA|PL9^CPOE|||||||20240515", "cancelled", False),
    ("ORC|HD|PL9^CPOE", "on-hold", None),
    ("ORC|UD|PL9^CPOE", "active", True),
    ("ORC|DC|PL9^CPOE|||IP", "unknown", None),
    ("ORC|DC|OTHER^CPOE", "active", True),
])
def test_what_becomes_of_an_order(tmp_path: Path, orc: str, status: str, active: bool | None) -> None:
    tables = read(tmp_path, message(msh("RDE^O11"), PID, ORC, RXE, RXR)
                  + message(msh("ORM^O01", "20240515"), PID, orc))
    row = tables["medications"].row(0, named=True)
    assert tables["medications"].height == 1
    assert (row["status"], row["active"], row["dose"]) == (status, active, 1000)
    if status == "stopped":
        assert row["end"] == dt.date(2024, 5, 15)


@pytest.mark.parametrize(("second", "end"), [("20240601", "2024-06-01"), ("", None)])
def test_of_several_timings_none_is_the_dose_a_day(tmp_path: Path, second: str, end: str | None) -> None:
    tables = read(tmp_path, message(
        msh("RDE^O11"), PID, "ORC|NW|1|2", "TQ1|1||BID||||20240401|20240405", f"TQ1|2||QD||||20240406|{second}",
        "RXE||^prednisone|20||mg"))
    (order,) = tables["medications"].rows(named=True)
    assert (order["dose"], order["daily_dose"], str(order["start"])) == (20, None, "2024-04-01")
    assert order["end"] == (dt.date.fromisoformat(end) if end else None)
    assert codes(tables) == ["timing-not-read"]


def test_an_order_that_ends_later_is_given_until_then(tmp_path: Path) -> None:
    text = message(msh("RDE^O11"), PID, ORC, RXE, RXR) + message(
        msh("ORM^O01", "20240515"), PID, "ORC|DC|PL9^CPOE|||||||20240515||||||20240620")
    row = read(tmp_path, text)["medications"].row(0, named=True)
    assert (row["end"], row["active"]) == (dt.date(2024, 6, 20), True)


def test_an_order_that_is_begun_again_has_no_end(tmp_path: Path) -> None:
    start = message(msh("RDE^O11"), PID, ORC, RXE, RXR)
    stop = message(msh("ORM^O01", "20240515"), PID, "ORC|DC|PL9^CPOE|||||||20240515")
    again = message(msh("RDE^O11", "20240520"), PID, ORC, "RXE|^BID|861007^metformin 500 MG^RXNORM|250||mg", RXR)
    row = read(tmp_path, again + stop + start)["medications"].row(0, named=True)
    assert (row["end"], row["active"], row["daily_dose"]) == (None, True, 500)


def test_a_change_keeps_the_end_that_it_leaves_out(tmp_path: Path) -> None:
    change = message(msh("RDE^O11", "20240520"), PID, ORC.replace("NW", "XO"),
                     "RXE|^BID|861007^metformin 500 MG^RXNORM|250||mg")
    row = read(tmp_path, message(msh("RDE^O11"), PID, ORC, RXE, RXR) + change)["medications"].row(0, named=True)
    assert (row["end"], row["daily_dose"], row["route"]) == (dt.date(2024, 10, 1), 500, "Oral")


def test_another_medicine_under_an_order_number_is_told(tmp_path: Path) -> None:
    other = message(msh("RDE^O11", "20240520"), PID, ORC, "RXE||1^other^RXNORM|250||mg")
    tables = read(tmp_path, message(msh("RDE^O11"), PID, ORC, RXE, RXR) + other)
    assert tables["medications"]["display"].to_list() == ["other"]
    assert "other-drug" in codes(tables)


def test_allergies_and_vaccines_of_their_own_messages(tmp_path: Path) -> None:
    tables = read(tmp_path, message(msh("VXU^V04"), PID, "RXA|0|1|20240101||207^COVID^CVX|0.5|mL" + "|" * 13 + "CP")
                  + message(msh("ADT^A60", number=2), PID, "IAM|1|DA|1^a^L|MI||A", "IAM|2|DA|2^b^L|||D"))
    assert tables["immunizations"].select("system", "start", "status").row(0) == (
        "http://hl7.org/fhir/sid/cvx", dt.date(2024, 1, 1), "completed")
    assert tables["allergies"].select("code", "criticality").rows() == [("1", "low")]


@pytest.mark.parametrize(("flags", "word"), [("H", "H"), ("HH", "HH"), ("n", "N"), ("", None), ("odd~L", "L"),
                                             ("<", "<"), ("*", None)])
def test_what_the_laboratory_says_of_a_value(tmp_path: Path, flags: str, word: str | None) -> None:
    tables = read(tmp_path, message(msh(), PID, OBR, OBX.replace("|H|", f"|{flags}|")))
    assert tables["observations"]["interpretation"].to_list() == [word]


def test_medicines_given_have_dose_and_route_of_their_own(tmp_path: Path) -> None:
    given = "RXA|0|1|202405310800|202405310805|11289^warfarin^RXNORM|5|mg" + "|" * 13 + "CP"
    tables = read(tmp_path, message(msh("RAS^O17"), PID, ORC, RXE, RXR, given, "RXR|IV^Intravenous"))
    assert tables["medications"].select("kind", "display", "dose", "dose_unit", "route", "status").rows() == [
        ("order", "metformin 500 MG", 1000, "mg", "Oral", "active"),
        ("administration", "warfarin", 5, "mg", "Intravenous", "completed")]
    assert codes(tables) == ["dose-computed"]


@pytest.mark.parametrize("amount", ["999", ""])
def test_an_unknown_amount_given_is_no_dose(tmp_path: Path, amount: str) -> None:
    given = f"RXA|0|1|20240531||11289^warfarin^RXNORM|{amount}|mg" + "|" * 13 + "CP"
    assert read(tmp_path, message(msh("RAS^O17"), PID, given))["medications"]["dose"].to_list() == [None]


@pytest.mark.parametrize(("control", "status", "active"), [("RE", "completed", None), ("CA", "cancelled", False)])
def test_a_medicine_handed_out(tmp_path: Path, control: str, status: str, active: bool | None) -> None:
    handed = "RXD|1|11289^warfarin 5 MG^RXNORM|20240520|60|TAB||RX7"
    tables = read(tmp_path, message(msh("RDS^O13"), PID, f"ORC|{control}|PL1|FL1", handed, RXR))
    found = tables["medications"].select("kind", "start", "end", "dose", "route", "status", "active").rows()
    assert found == [("dispense", dt.date(2024, 5, 20), None, None, "Oral", status, active)]
    assert set(codes(tables)) <= {"order-not-found"}


@pytest.mark.parametrize(("rxg", "more", "start"), [("RXG|1||^^^20240530", (), dt.date(2024, 5, 30)),
                                                    ("RXG|1||", ("TQ1|1||||||20240529",), dt.date(2024, 5, 29))])
def test_a_dose_to_be_given_may_not_have_been(tmp_path: Path, rxg: str, more: tuple[str, ...], start: object) -> None:
    tables = read(tmp_path, message(msh("RGV^O15"), PID, "ORC|RE|PL1", rxg + "|11289^warfarin^RXNORM|5||mg", *more,
                                    RXR))
    found = tables["medications"].select("kind", "start", "dose", "dose_unit", "route", "status", "active").rows()
    assert found == [("administration", start, 5, "mg", "Oral", "unknown", None)]


def test_the_same_dispense_in_a_later_message_is_one(tmp_path: Path) -> None:
    handed = "RXD|1|11289^warfarin 5 MG^RXNORM|20240520|60|TAB||RX7"
    tables = read(tmp_path, message(msh("RDS^O13"), PID, handed) + message(msh("RDS^O13", number=2), PID, handed)
                  + message(msh("RDS^O13", number=3), PID, handed.replace("RX7", "RX8")))
    assert tables["medications"].height == 2


def test_an_order_without_orc_is_of_unknown_status(tmp_path: Path) -> None:
    tables = read(tmp_path, message(msh("RDE^O11"), PID, RXE))
    assert tables["medications"]["active"].to_list() == [None]
    assert codes(tables).count("no-order") == 1


def test_a_laboratory_order_is_no_medicine(tmp_path: Path) -> None:
    tables = read(tmp_path, message(msh("ORM^O01"), PID, "ORC|CA|L1|F1", OBR, OBX))
    assert tables["medications"].is_empty()
    assert not codes(tables)


def test_adt(tmp_path: Path) -> None:
    adt = (PID, "PV1|1|I" + "|" * 17 + "V7" + "|" * 25 + "20240501", "AL1|1|DA|7980^penicillin G^RXNORM|SV|hives",
           "DG1|1||I25.10^CAD^I10C||20240502|F")
    tables = read(tmp_path, message(msh("ADT^A01"), *adt) + message(msh("ADT^A08", "20240503"), *adt)
                  + message(msh("ADT^A03", "20240504"), adt[0], adt[1] + "|20240504"))
    condition = tables["conditions"].row(0, named=True)
    assert (condition["system"], condition["code"], condition["start"], condition["verification"]) == (
        "http://hl7.org/fhir/sid/icd-10-cm", "I25.10", dt.date(2024, 5, 2), "confirmed")
    assert tables["allergies"].select("code", "criticality", "active").rows() == [("7980", "high", True)]
    assert tables["encounters"].select("class", "status", "start", "end").rows() == [
        ("inpatient", "finished", dt.date(2024, 5, 1), dt.date(2024, 5, 4))]
    assert tables["conditions"].height == 1


def test_later_demographics_complete_and_take_back(tmp_path: Path) -> None:
    tables = read(tmp_path, message(msh(), "PID|1||P1||||19500315|M")
                  + message(msh(time="20240502"), 'PID|1||P1||||""|F'))
    assert tables["patients"].select("birth_date", "sex").row(0) == (None, "female")
    assert "patient-changed" in codes(tables)


def test_one_identifier_of_two_authorities_is_two_patients(tmp_path: Path) -> None:
    other = PID.replace("HOSP", "CLINIC")
    tables = read(tmp_path, message(msh(), PID, OBR, OBX) + message(msh(number=2), other, OBR, OBX))
    assert tables["patients"]["patient_id"].to_list() == ["P1.HOSP", "P1.CLINIC"]
    assert codes(tables).count("same-identifier") == 2


def test_several_patients_in_one_message(tmp_path: Path) -> None:
    tables = read(tmp_path, message(msh(), PID, OBR, OBX, "PID|2||P2", OBR, OBX, OBX))
    assert tables["observations"]["patient_id"].to_list() == ["P1", "P2", "P2"]


def test_wrong_order_of_segments(tmp_path: Path) -> None:
    tables = read(tmp_path, message(msh(), OBX, PID, RXR, RXE, ORC))
    assert tables["observations"].height == tables["medications"].height == 1
    assert {"wrong-order", "no-order"} <= set(codes(tables))


def test_a_message_without_a_patient_loses_only_itself(tmp_path: Path) -> None:
    tables = read(tmp_path, message(msh(), OBR, OBX) + message(msh(number=2), "PID|1||", OBR, OBX)
                  + message(msh(number=3), PID, OBR, OBX))
    assert tables["observations"].height == 1
    assert tables["issues"].filter(pl.col("severity") == "error").select("place", "code").rows() == [
        ("message 1", "no-patient"), ("message 2 PID[1]-3", "no-patient")]


def test_batches_and_frames(tmp_path: Path) -> None:
    first, second = message(msh(), PID, OBR, OBX), message(msh(number=2), PID.replace("|P1", "|P2"), OBR, OBX)
    batch = "FHS|^~\\&|\rBHS|^~\\&|\r" + first + second + "BTS|2\rFTS|1\r"
    framed = f"\x0b{first}\x1c\r\x0b{second}\x1c\r"
    for text in (batch, framed):
        tables = read(tmp_path, text)
        assert tables["observations"].height == 2
        assert not codes(tables)
    assert codes(read(tmp_path, batch.replace("BTS|2\rFTS|1\r", ""))) == ["truncated", "truncated"]
    assert codes(read(tmp_path, batch.replace("BTS|2", "BTS|3"))) == ["truncated"]


def test_the_same_message_twice_counts_once(tmp_path: Path) -> None:
    text = message(msh(), PID, OBX)
    tables = read(tmp_path, text + text)
    assert tables["observations"].height == 1
    assert codes(tables) == ["repeated-message"]


@pytest.mark.parametrize(("charset", "codec", "issue"), [
    ("", "utf-8", []), ("UNICODE UTF-8", "utf-8", []), ("", "latin-1", ["warning"]), ("8859/1", "latin-1", ["info"])])
def test_character_sets(tmp_path: Path, charset: str, codec: str, issue: list[str]) -> None:
    text = message(msh(charset=charset), PID, OBR, "OBX|1|ST|1^Käse^L||größer||||||F")
    tables = read(tmp_path, text.encode(codec))
    assert tables["observations"].select("display", "value_text").row(0) == ("Käse", "größer")
    assert tables["issues"]["severity"].to_list() == issue


def test_a_broken_line_makes_no_other_number(tmp_path: Path) -> None:
    tables = read(tmp_path, message(msh(), PID, OBR, "OBX|1|NM|1^A^L||12\n3|mg|||||F"))
    assert tables["observations"]["value"].to_list() == [None]
    assert {"broken-segment", "bad-number"} <= set(codes(tables))


@pytest.mark.parametrize("cut", [*range(1, len(OBX) - 2), len(OBX) - 1, *range(len(OBX) + 2, 110)])
def test_a_cut_result_is_never_another_result(tmp_path: Path, cut: int) -> None:
    tables = read(tmp_path, message(msh(), PID, OBR, OBX)[:-cut])
    values = tables["observations"].select("value", "unit").rows()
    assert values == [(1.2, "mg/dL")] or (not values and "truncated" in codes(tables))


@pytest.mark.parametrize(("content", "what"), [
    (b"", "empty"), (b"hello", "no HL7 message"), (b"MSH", "no message names a patient"),
    (b"MSH|", "no message names a patient"), (b"MSH||||PID|1||P1\r", "no message names a patient"),
    ("MSH|^~\\&|".encode("utf-16"), "UTF-16"), (b"\xff" * 99, "no HL7 message")])
def test_what_is_no_message(tmp_path: Path, content: bytes, what: str) -> None:
    with pytest.raises(HistoryError, match=what):
        read(tmp_path, content)


def test_matches(tmp_path: Path) -> None:
    for name, content, expected in [("a.hl7", "x", True), ("a.txt", "\x0bMSH|^", True), ("b.txt", "x", False),
                                    ("c.json", "MSH|", False)]:
        path = tmp_path / name
        path.write_text(content)
        assert Hl7v2Source().matches(path) is expected


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"], exclude_characters="|^~&\\"), max_size=12)
RESULT = st.builds(lambda kind, code, value, unit, flag, status: f"OBX||{kind}|{code}^{code}^LN||{value}|{unit}||{flag}"
                   f"|||{status}", st.sampled_from(["NM", "SN", "ST", "TX", "CWE", "DT", "XX"]), WORDS, WORDS, WORDS,
                   st.sampled_from(["", "H", "<"]), st.sampled_from("FCPXR"))


@settings(max_examples=60)
@given(results=st.lists(RESULT, max_size=6))
def test_every_result_is_a_row(tmp_path_factory: pytest.TempPathFactory, results: list[str]) -> None:
    tables = read(tmp_path_factory.mktemp("m"), message(msh(), PID, OBR, *results))
    assert tables["observations"].height == len(results)


WHOLE = (message(msh("ADT^A01"), PID, "AL1|1|DA|1^x^RXNORM", "DG1|1||I10^Hyp^I10C||20240101")
         + message(msh("RDE^O11", number=2), PID, ORC, RXE, RXR) + message(msh(number=3), PID, OBR, OBX)).encode()


@settings(max_examples=120)
@given(start=st.integers(0, len(WHOLE)), end=st.integers(0, len(WHOLE)), noise=st.binary(max_size=3))
def test_any_piece_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, start: int, end: int,
                                      noise: bytes) -> None:
    content = WHOLE[:start] + noise + WHOLE[end:]
    with contextlib.suppress(HistoryError):
        read(tmp_path_factory.mktemp("m"), content)


MARKS = st.sampled_from(["|^~\\&", "|^~\\&#", "|^", "|^~", "|^~\\", "$%*!@", "#^~\\&"])


@settings(max_examples=300, deadline=None)
@given(marks=MARKS, data=st.data())
def test_components_are_those_of_python_hl7(marks: str, data: st.DataObject) -> None:
    """An implementation of others, which splits every field of every segment at once."""
    hl7 = pytest.importorskip("hl7")
    line = st.text(alphabet=f"{marks}ab 1\u00e9", max_size=30).map(lambda text: f"OBX{marks[0]}{text}")
    drawn = data.draw(st.lists(line, min_size=1, max_size=3))
    lines = [f"MSH{marks}{marks[0]}LAB{marks[0]}a{marks[1]}b", *drawn, "OBX"]
    found = segments(Message("f", 1, lines))
    theirs = hl7.parse("\r".join(lines))
    assert [len(one) for one in found] == [len(one) for one in theirs]
    for mine, other in zip(found[1:], theirs[1:], strict=True):
        for at in range(1, len(other) + 1):
            field = list.__getitem__(other, at) if at < len(other) else []
            assert mine.repetitions(at) == len(field)
            for repetition in range(1, len(field) + 2):
                parts = range(1, 5)
                theirs_said = [as_they_split(field, part, repetition) for part in parts]
                assert [mine._raw(at, part, repetition) for part in parts] == theirs_said
                assert mine.texts(at, parts, repetition) == [mine.text(at, part, repetition) for part in parts]


def as_they_split(field: list, part: int, repetition: int) -> str:
    """The first subcomponent of a component, of nested lists; what is not split has one part."""
    if repetition > len(field):
        return ""
    found = list.__getitem__(field, repetition - 1)
    if isinstance(found, str):
        return found.strip() if part == 1 else ""
    if part > len(found):
        return ""
    found = list.__getitem__(found, part - 1)
    return (found if isinstance(found, str) else list.__getitem__(found, 0)).strip()


@pytest.mark.parametrize(("components", "expected"), [
    (("RXC|B|^Sodium chloride 0.9%|100|ml", "RXC|A|^Amiodarone|900|mg"), "IV fluid / Amiodarone"),
    (("RXC|A|^Amiodarone|900|mg", "RXC|A|6916^potassium chloride^RXNORM|20|meq", "RXC|A|^Amiodarone|1|mg"),
     "IV fluid / Amiodarone / potassium chloride"),
    (("RXC|A|11289^^RXNORM|5|mg",), "IV fluid / 11289"), (("RXC|B|^Dextrose 5%|500|ml",), "IV fluid"),
    (("RXC|A|^IV Fluid|500|ml",), "IV fluid")])
def test_what_is_added_to_a_mixture_is_named(tmp_path: Path, components: tuple[str, ...], expected: str) -> None:
    rxe = "RXE|^BID|^IV fluid|1||EA"
    tables = read(tmp_path, message(msh("RDE^O11"), PID, ORC, rxe, RXR, *components))
    assert (tables["medications"]["display"].to_list(), codes(tables)) == ([expected], [])


def test_a_mixture_that_the_order_does_not_name_is_all_that_is_in_it(tmp_path: Path) -> None:
    tables = read(tmp_path, message(msh("OMP^O09"), PID, ORC, "RXO||1", "RXC|B|^Heparin|1|ml", "RXC|A|^Insulin|1|ml"))
    assert tables["medications"]["display"].to_list() == ["Heparin / Insulin"]


@pytest.mark.parametrize("name", ["I10G", "I10G2024", "I10-2024", "ICD10GM", "ICD-10-GM", "icd-10-gm 2024"])
def test_the_german_modification_is_known_by_its_names(tmp_path: Path, name: str) -> None:
    tables = read(tmp_path, message(msh("ADT^A08"), PID, f"DG1|1||G40.9^Epilepsie^{name}|||F"))
    assert tables["conditions"]["system"].to_list() == ["http://fhir.de/CodeSystem/bfarm/icd-10-gm"]


@pytest.mark.parametrize(("first", "later", "active"), [
    ("PL9^CPOE", "PL9", False), ("PL9", "PL9^CPOE", False), ("PL9^CPOE", "PL9^OTHER", True), ("PL9^CPOE", "PL8", True)])
def test_an_order_number_with_and_without_its_namespace(tmp_path: Path, first: str, later: str, active: bool) -> None:
    tables = read(tmp_path, message(msh("RDE^O11"), PID, f"ORC|NW|{first}", RXE)
                  + message(msh("ORM^O01", "20240515"), PID, f"ORC|DC|{later}"))
    assert tables["medications"]["active"].to_list() == [active]


def test_a_number_of_two_namespaces_is_none_of_them(tmp_path: Path) -> None:
    tables = read(tmp_path, message(msh("RDE^O11"), PID, "ORC|NW|1^A", RXE, "ORC|NW|1^B", RXE)
                  + message(msh("ORM^O01", "20240515"), PID, "ORC|DC|1"))
    assert tables["medications"]["active"].to_list() == [True, True]
    assert "order-not-found" in codes(tables)


@pytest.mark.parametrize(("fields", "status", "verification", "active"), [
    ("AD|20240401|I10^Hypertension^I10|7|||20200101", None, None, True),
    ("AD|20240401|I10^Hypertension^I10|7|||20200101||||||confirmed^Confirmed|A^Active", "active", "confirmed", True),
    ("UP|20240401|I10^Hypertension^I10|7|||20200101||20240301||||confirmed|resolved", "resolved", "confirmed", False),
    ("AD|20240401|I10^Hypertension^I10|7|||20200101||20240301", None, None, False),
    ("AD|20240401|I10^Hypertension^I10|7|||20200101||||||P^Provisional", None, "provisional", True),
])
def test_a_problem_list(tmp_path: Path, fields: str, status: str | None, verification: str | None,
                        active: bool) -> None:
    row = read(tmp_path, message(msh("PPR^PC1"), PID, f"PRB|{fields}"))["conditions"].row(0, named=True)
    assert (row["code"], row["status"], row["verification"], row["active"]) == ("I10", status, verification, active)
    assert row["start"] == dt.date(2020, 1, 1)


def test_a_problem_that_is_taken_back_leaves(tmp_path: Path) -> None:
    entry = "PRB|{}|20240401|I10^Hypertension^I10|7|||20200101"
    tables = read(tmp_path, message(msh("PPR^PC1"), PID, entry.format("AD"))
                  + message(msh("PPR^PC3", "20240502"), PID, entry.format("DE"), "PRB|AD|20240401|^|8"))
    assert tables["conditions"].is_empty()
    assert set(codes(tables)) == {"entered-in-error", "no-code"}


@pytest.mark.parametrize(("orc", "active", "issue"), [
    ("ORC|SC|PL9^CPOE|||Discontinued", False, set()),
    ("ORC|SC|PL9^CPOE|||dc", False, set()),
    ("ORC|dc|PL9^CPOE", False, set()),
    ("ORC|SC|PL9^CPOE|||EXPIRED", False, set()),
    ("ORC|SC|PL9^CPOE|||XYZ", None, {"unknown-status"}),
    ("ORC|ZD|PL9^CPOE", None, {"unknown-status"}),
    ("ORC|SC|PL9^CPOE", True, set()),
    ("ORC|SN|PL9^CPOE|||IP", True, set()),
    ("ORC|DC|PL9^CPOE|||XYZ", False, set()),
    ("ORC|SC|OTHER|||XYZ", True, set()),
])
def test_a_status_of_the_sender_s_own(tmp_path: Path, orc: str, active: bool | None, issue: set[str]) -> None:
    tables = read(tmp_path, message(msh("RDE^O11"), PID, ORC, RXE) + message(msh("ORM^O01", "20240515"), PID, orc))
    assert tables["medications"]["active"].to_list() == [active]
    assert set(codes(tables)) - {"dose-computed", "ends-later"} == issue


def drugs(tables: dict[str, pl.DataFrame]) -> list[tuple[object, ...]]:
    return tables["medications"].select("display", "dose", "active").sort("display", "dose").rows()


def test_several_medicines_under_one_number_of_a_message_are_all_kept(tmp_path: Path) -> None:
    both = message(msh("RDE^O11"), PID, "ORC|NW|1^A|1^P", "RXE||^one|5||mg", "ORC|NW|1^A|2^P", "RXE||^two|7||mg")
    tables = read(tmp_path, both)
    assert (drugs(tables), codes(tables)) == ([("one", 5, True), ("two", 7, True)], [])
    changed = message(msh("RDE^O11", "20240510"), PID, "ORC|XO|1^A", "RXE||^two|9||mg")
    assert drugs(read(tmp_path, both + changed)) == [("one", 5, True), ("two", 9, True)]
    stopped = message(msh("ORM^O01", "20240510"), PID, "ORC|DC|1^A|2^P")
    assert drugs(read(tmp_path, both + stopped)) == [("one", 5, True), ("two", 7, False)]
    all_stopped = message(msh("ORM^O01", "20240510"), PID, "ORC|DC|1^A")
    assert drugs(read(tmp_path, both + all_stopped)) == [("one", 5, False), ("two", 7, False)]


@pytest.mark.parametrize(("second", "expected"), [
    (("ORC|NW|1^A", "RXE||^one|7||mg"), [("one", 5, True), ("one", 7, True)]),  # morning and evening
    (("ORC|NW|1^A", "RXE||^one|5||mg"), [("one", 5, True)]),
    (("ORC|DC|1^A", "RXE||^one|5||mg"), [("one", 5, False)]),
    (("ORC|DC|1^A", "RXE||"), [("one", 5, False)]),
    (("ORC|DC|1^A", "RXE||^two|5||mg"), [("one", 5, True), ("two", 5, False)]),
])
def test_one_number_twice_in_a_message(tmp_path: Path, second: tuple[str, ...], expected: list[object]) -> None:
    assert drugs(read(tmp_path, message(msh("RDE^O11"), PID, "ORC|NW|1^A", "RXE||^one|5||mg", *second))) == expected


def test_utf_8_under_another_name(tmp_path: Path) -> None:
    text = message(msh(charset="8859/1"), PID, OBR, "OBX|1|NM|2160-0^Creatinine^LN||88|\u00b5mol/L|||||F")
    tables = read(tmp_path, text.encode())
    assert tables["observations"]["unit"].to_list() == ["\u00b5mol/L"]
    assert tables["issues"].select("severity", "code").rows() == [("warning", "character-set")]


@pytest.mark.parametrize(("status", "rows"), [("B6", 1), ("A2~B6", 1), ("A0", 0), ("", 0)])
def test_a_visit_of_somebody_who_is_pregnant(tmp_path: Path, status: str, rows: int) -> None:
    text = message(msh("ADT^A01"), PID, "PV1|1|I" + "|" * 13 + status)
    found = read(tmp_path, text + text.replace("|1|P|", "|2|P|"))["observations"]
    assert found.select("code", "value_code", "start").rows() == [("82810-3", "77386006", dt.date(2024, 5, 1))] * rows


STAY = "PV1|1|I|||||||||||||||||V1" + "|" * 25 + "20240401|20240410"
BRIEF = "PV1|1|I|||||||||||||||||V1"
HOME = msh("ADT^A03", "20240410")


@pytest.mark.parametrize(("order", "later", "active", "told"), [
    ((BRIEF, "ORC|NW|1|||||||20240402", "RXE||^one|5||mg"), (), None, True),
    # For the time after the stay: what begins on its last day, and a prescription that may be filled again.
    ((BRIEF, "ORC|NW|1|||||||20240410", "RXE||^one|5||mg"), (), True, False),
    ((BRIEF, "ORC|NW|1|||||||20240402", "RXE||^one|5||mg|||||||3"), (), True, False),
    ((BRIEF.replace("V1", "V2"), "ORC|NW|1|||||||20240402", "RXE||^one|5||mg"), (), True, False),
    ((BRIEF.replace("|I|", "|O|"), "ORC|NW|1|||||||20240402", "RXE||^one|5||mg"), (), True, False),
    (("ORC|NW|1|||||||20240402", "RXE||^one|5||mg"), (), True, False),
    ((BRIEF, "ORC|NW|1|||||||20240402", "RXE||^one|5||mg"), (msh("ADT^A13", "20240411"), PID, STAY), True, True),
    ((BRIEF, "ORC|NW|1|||||||20240402", "RXE||^one|5||mg"),
     (msh("RDE^O11", "20240420"), PID, "ORC|XX|1|||||||20240420", "RXE||^one|5||mg"), True, True),
    ((BRIEF, "ORC|NW|1|||||||20240402", "TQ1|1||BID||||20240402|20240701", "RXE||^one|5||mg"), (), True, False),
])
def test_what_was_ordered_in_a_stay_may_not_be_taken_after_it(
        tmp_path: Path, order: tuple[str, ...], later: tuple[str, ...], active: bool | None, told: bool) -> None:
    tables = read(tmp_path, message(msh("RDE^O11", "20240402"), PID, *order) + message(HOME, PID, STAY)
                  + message(*later))
    assert tables["medications"]["active"].to_list() == [active]
    assert ("stay-ended" in codes(tables)) == told
