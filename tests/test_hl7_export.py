"""HL7 v2 messages: read back by our own reader and by python-hl7."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Any

import hl7
import polars as pl
import pytest
from hypothesis import given, settings

from pmed.engine import run
from pmed.plugins import Failure
from pmed.render.hl7v2 import Hl7v2Exporter, escape, narrative
from pmed.result import Result
from pmed.sources.hl7v2 import Hl7v2Source
from pmed.tables import TABLES
from pmed.types import ReadRequest
from tests import render_cases as cases
from tests.hostile import hostile

DEMO = Path(__file__).resolve().parents[1] / "pmed/demo"


def exported(result: Result) -> str:
    return Hl7v2Exporter().export(result).decode()


def read(result: Result, folder: Path) -> dict[str, pl.DataFrame]:
    """The tables that our reader makes of an export."""
    path = folder / "out.hl7"
    path.write_bytes(Hl7v2Exporter().export(result))
    return Hl7v2Source().read([path], ReadRequest(TABLES["sites"].empty()))


def segments(text: str, kind: str) -> list[list[str]]:
    """Fields of the segments of a kind, as written; the number of a field is its place."""
    return [line.split("|") for line in text.split("\r") if line.startswith(kind)]


def about(text: str, code: str) -> list[list[str]]:
    return [one for one in segments(text, "OBX") if one[3].partition("^")[0] == code]


def test_segments_are_in_order_and_end_with_cr() -> None:
    text = exported(cases.full())
    assert "\n" not in text
    assert text.endswith("\r")
    assert [line[:3] for line in text.split("\r")[:5]] == ["MSH", "PID", "ORC", "OBR", "NTE"]
    [head] = segments(text, "MSH")
    assert (head[8], head[11], head[17]) == ("ORU^R01^ORU_R01", "2.5.1", "UNICODE UTF-8")
    assert head[6] == "20260501100000+0000"
    assert 0 < len(head[9]) <= 20
    [person] = segments(text, "PID")
    assert (person[3], person[7], person[8]) == ("ann", "19600502", "F")
    assert [one[1] for one in segments(text, "OBX")] == [str(n + 1) for n in range(len(segments(text, "OBX")))]


def test_gene_phenotype_and_status() -> None:
    text = exported(cases.full())
    slow, open_, nothing = about(text, "84413-4")
    assert (slow[5], slow[11]) == ("*2/*2", "F")
    assert (open_[5], open_[11]) == ("*1/*4~*1/*5", "P")  # each that is possible is a repetition; none is final
    assert (nothing[5], nothing[11]) == ("", "X")
    today, *_ = about(text, "present-phenotype")
    assert (today[5], today[11]) == ("Very slow", "F")
    assert [one[5] for one in about(text, "activity-score")] == ["0"]


def test_one_diplotype_with_a_missing_key_site_is_no_value() -> None:
    rows = cases.full_rows()
    rows["gene_results"][1].update(status="called", diplotypes=["*1/*1"], possible_diplotypes=["*1/*1"])
    text = exported(cases.result(rows))
    _, open_, _ = about(text, "84413-4")
    assert (open_[5], open_[11]) == ("", "X")
    assert "|L|Possible: *1/*1 or others\r" in text


def test_what_rests_on_absent_sites_is_never_final() -> None:
    rows = cases.full_rows()
    rows["gene_results"][0]["messages"] = [{"code": "absent-as-ref", "text": "assumed"}]
    text = exported(cases.result(rows))
    assert about(text, "84413-4")[0][11] == "P"
    assert about(text, "phenotype")[0][11] == "P"
    assert "NTE|1|L|assumed" in text


def test_metabolisers_have_the_answer_of_loinc() -> None:
    rows = cases.full_rows()
    rows["gene_results"][0]["phenotype"] = "Poor Metabolizer"
    [answer] = about(exported(cases.result(rows)), "53040-2")
    assert answer[5] == "LA9657-3^Poor metabolizer^LN"


def test_medicines_carry_action_flag_and_reason() -> None:
    text = exported(cases.full())
    assert [one[5].partition("^")[2] for one in about(text, "51963-7")] == ["zappa", "yolk", "queer", "asked"]
    kinds = about(text, "82116-5")
    assert [(one[5], one[8]) for one in kinds] == [
        ("LA26421-0^Consider alternative medication^LN", "AA"), ("^Standard use", "N"), ("^Test first", ""),
        ("^Standard use", "N")]
    assert "Caution: Recorded allergy to zappa." in text
    assert "Alternatives: better (fits: not touched by ABC1); worse (ruled-out: after a fall)" in text


def test_a_caution_takes_the_normal_flag_away() -> None:
    rows = cases.full_rows()
    rows["suggestions"][1]["cautions"] = [{"code": "allergy", "text": "Recorded allergy to yolk."}]
    flags = [one[8] for one in about(exported(cases.result(rows)), "82116-5")]
    assert flags[1] == "A"


def test_numbers_are_values_or_cancelled() -> None:
    text = exported(cases.full())
    [luck] = about(text, "ten-year-luck")
    assert (luck[2], luck[5], luck[6], luck[11]) == ("NM", "12.34", "%", "F")
    [dose] = about(text, "weekly-dose")
    assert (dose[5], dose[11]) == ("", "X")
    assert "dose: not assessed: needs observation:99-9" in text


def test_a_failed_plugin_makes_the_order_preliminary() -> None:
    [order] = segments(exported(cases.full()), "OBR")
    assert order[25] == "P"
    [order] = segments(exported(Result(cases.full().tables, (), cases.full().provenance)), "OBR")
    assert order[25] == "F"


def test_each_patient_is_a_message() -> None:
    rows = cases.full_rows()
    rows["samples"].append({**rows["samples"][0], "sample": "S0", "patient_id": "aaron"})
    text = exported(Result(cases.result(rows).tables, (Failure("p", "1", "s", None, "E", "m"),)))
    assert [one[3] for one in segments(text, "PID")] == ["aaron", "ann"]
    assert len({one[9] for one in segments(text, "MSH")}) == 2


@pytest.mark.parametrize("name", ["warfarin", "partial"])
def test_our_reader_reads_a_demo_patient_back(name: str, tmp_path: Path) -> None:
    result = run([DEMO / f"{name}.vcf"], [DEMO / f"{name}.json"])
    tables = read(result, tmp_path)
    found = tables["observations"]
    assert not tables["issues"].filter(pl.col("severity") == "warning").height
    settled = [row["diplotypes"][0] for row in result.tables["gene_results"].sort("gene").iter_rows(named=True)
               if row["status"] == "called" and row["complete"]]
    final = found.filter((pl.col("code") == "84413-4") & (pl.col("status") == "final"))
    assert final["value_text"].to_list() == settled
    numbers = result.tables["predictions"].filter((pl.col("status") == "assessed") & (pl.col("unit") == "%"))
    for row in numbers.iter_rows(named=True):
        assert found.filter(pl.col("code") == row["target"])["value"].to_list() == [pytest.approx(row["value"])]
    assert tables["patients"].row(0, named=True)["birth_date"] == result.tables["patients"]["birth_date"][0]


def visible(text: str | None) -> str:
    """Without blanks and invisible characters, which our reader tidies."""
    return "".join(one for one in text or "" if unicodedata.category(one) not in {"Cc", "Cf", "Zs", "Zl", "Zp"})


def one_gene(patient: str, diplotype: str, phenotype: str) -> Result:
    rows: dict[str, list[dict[str, Any]]] = {
        "samples": [{"sample": "S", "patient_id": patient, "source": "v", "build": "GRCh38"}],
        "gene_results": [{"patient_id": patient, "gene": "ABC1", "status": "called", "diplotypes": [diplotype],
                          "phenotype": phenotype, "complete": True}]}
    return cases.result(rows, created="2026-05-01T10:00:00+00:00")


@settings(max_examples=60, deadline=None)
@given(words=hostile, phenotype=hostile)
def test_our_reader_reads_hostile_text_back(words: str, phenotype: str,
                                            tmp_path_factory: pytest.TempPathFactory) -> None:
    tables = read(one_gene("p1", words, phenotype), tmp_path_factory.mktemp("hl7"))
    found = dict(tables["observations"].select("code", "value_text").iter_rows())
    assert visible(found["84413-4"]) == visible(words)
    assert visible(found["phenotype"]) == visible(phenotype)


@settings(max_examples=60, deadline=None)
@given(patient=hostile, words=hostile)
def test_python_hl7_reads_hostile_text_back(patient: str, words: str) -> None:
    message = hl7.parse(exported(one_gene(patient, words, "x")))
    assert [str(one[0]) for one in message] == ["MSH", "PID", "ORC", "OBR", "NTE", "OBX", "OBX", "OBX"]
    assert message.unescape(str(message.segment("PID")[3])) == patient
    assert message.unescape(str(message.segments("OBX")[1][5])) == words


def test_delimiters_are_escaped_and_lines_kept() -> None:
    assert escape("a|b^c&d~e\\f") == r"a\F\b\S\c\T\d\R\e\E\f"
    assert escape("a\rb\x0bc") == r"a\X0D\b\X0B\c"
    assert narrative("one\r\ntwo\nthree") == r"one\.br\two\.br\three"
    assert escape('""') != '""'
