"""The page to paste into a chart: what it says, how long it is, and what hostile text does to it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from markdown_it import MarkdownIt
from markdown_it.token import Token

from pmed.engine import run
from pmed.errors import ResultError
from pmed.provenance import DISCLAIMER
from pmed.render.summary import MarkdownExporter, TextExporter, markdown, readable
from pmed.result import Result
from tests import render_cases as cases
from tests.hostile import hostile

DEMO = Path(__file__).resolve().parents[1] / "pmed/demo"
ONE_PAGE = 60  # lines of 78 columns


def text_of(result: Result) -> str:
    return TextExporter().export(result).decode()


def markdown_of(result: Result) -> str:
    return MarkdownExporter().export(result).decode()


def section(text: str, heading: str) -> str:
    """One section of the plain text, on one line."""
    return " ".join(text.partition(f"\n{heading}\n")[2].partition("\n\n")[0].split())


def test_what_the_page_says() -> None:
    text = text_of(cases.full())
    todo = section(text, "TO DO")
    assert todo.startswith("- today: avoid zappa: Stop zappa and take another one. [… see the report] Fits: "
                           "better. Caution: Recorded allergy to zappa.")
    assert "- soon: test before using queer: Text about queer." in todo
    assert section(text, "OTHER CURRENT MEDICINES").startswith("- yolk: standard use - Mystery forte: not assessed")
    assert section(text, "GENES") == ("- ABC1 *2/*2 (Slow, today Very slow because of yolk (strong inhibitor)); DEF2 "
                                      "diplotype not settled (Usual)")
    assert section(text, "ASKED FOR") == (
        "- standard use, asked: Text about asked. - not covered: unheard: no installed plugin gives advice on unheard.")
    assert section(text, "RISKS AND DOSES") == "- Luck in ten years: 12.3 %, 8 to 20 %, fair"
    gaps = section(text, "NOT ASSESSED")
    assert "Genes: DEF2, GHI3" in gaps
    assert "Failed: pmed-broken; their results are missing" in gaps
    assert "problems found while reading: 2" in gaps
    assert section(text, "SOURCES").startswith("- Guild, PMID:1 - Made by: pmed 0.1.0, 2026-05-01")
    assert " ".join(text.split()).count(DISCLAIMER) == 1


def test_nothing_to_do_is_not_all_well() -> None:
    rows = cases.full_rows()
    rows["suggestions"] = [cases.suggestion("yolk", "standard")]
    assert "not a finding that all is well" in section(text_of(cases.result(rows)), "TO DO")
    rows["medications"] = [cases.medicine(1, "Old pill", ["oldie"], active=False)]
    assert section(text_of(cases.result(rows)), "TO DO") == "- The record names no current medicine."
    rows["patients"] = []
    assert "what the patient takes is not known" in section(text_of(cases.result(rows)), "TO DO")


def test_a_gene_that_rests_on_absent_sites_says_so() -> None:
    rows = cases.full_rows()
    rows["gene_results"][0]["messages"] = [{"code": "absent-as-ref", "text": "assumed"}]
    told = section(text_of(cases.result(rows)), "GENES")
    assert "ABC1 *2/*2 (Slow, today Very slow because of yolk (strong inhibitor), ASSUMED from absent sites)" in told


def test_a_caution_about_a_standard_medicine_is_to_do() -> None:
    rows = cases.full_rows()
    rows["suggestions"] = [cases.suggestion("yolk", "standard", cautions=[{"code": "c", "text": "Mind it."}])]
    assert section(text_of(cases.result(rows)), "TO DO") == (
        "- routine: mind yolk: Text about yolk. Caution: Mind it.")


def test_a_dose_of_a_medicine_that_is_not_taken_is_left_out() -> None:
    rows = cases.full_rows()
    rows["predictions"][3] = cases.prediction("dose", "weekly-dose", 5.0, unit="mg/week")
    rows["suggestions"].append(cases.suggestion("idle", "adjust", current=False, explained_by=[
        {"predictor": "dose", "target": "weekly-dose"}]))
    idle = Result(cases.result(rows).tables, (), cases.full().provenance)
    assert "mg/week" not in text_of(idle)
    rows["suggestions"][-1]["current"] = True
    assert "Weekly dose: 5 mg/week" in " ".join(text_of(Result(cases.result(rows).tables, (),
                                                               cases.full().provenance)).split())


def test_assumed_reference_is_said() -> None:
    rows = cases.full_rows()
    rows["genotypes"] = [{"sample": "S1", "chrom": "chr1", "pos": 1, "ref": "A", "alt": "C",
                          "state": "assumed-reference"}]
    assert "Assumed: 1 sites that are not in the genome file were taken as reference" in section(
        text_of(cases.result(rows)), "NOT ASSESSED")


@pytest.mark.parametrize("exporter", [TextExporter(), MarkdownExporter()])
def test_two_patients_are_refused(exporter: TextExporter | MarkdownExporter) -> None:
    rows = cases.full_rows()
    rows["samples"].append({**rows["samples"][0], "sample": "S0", "patient_id": "aaron"})
    with pytest.raises(ResultError, match="for one patient; this result has 2"):
        exporter.export(cases.result(rows))


@pytest.mark.parametrize("name", ["stent", "warfarin", "partial", "transplant"])
def test_a_demo_patient_is_one_page(name: str) -> None:
    text = text_of(run([DEMO / f"{name}.vcf"], [DEMO / f"{name}.json"]))
    assert len(text.splitlines()) <= ONE_PAGE
    assert max(map(len, text.splitlines())) <= 78


def test_long_lists_are_cut_and_say_so() -> None:
    rows = cases.full_rows()
    rows["suggestions"] = [cases.suggestion(f"drug{n}", "avoid", text="word " * 200) for n in range(30)]
    rows["gene_results"] = [{"patient_id": "ann", "gene": f"G{n}", "status": "no-data", "complete": False}
                            for n in range(99)]
    text = text_of(cases.result(rows))
    assert "and 24 more: in the full report" in section(text, "TO DO")
    assert section(text, "TO DO").count("[… see the report]") == 6
    assert "Genes: ABC1, G0, G1, G10" in section(text, "NOT ASSESSED")
    assert "and 76 more" in section(text, "NOT ASSESSED")


def words(text: str) -> str:
    return "".join(text.split())


@settings(max_examples=100, deadline=None)
@given(name=hostile, advice=hostile)
def test_hostile_text_stays_readable_in_plain_text(name: str, advice: str) -> None:
    rows = cases.full_rows()
    rows["suggestions"] = [cases.suggestion(name, "avoid", text=advice)]
    text = text_of(cases.result(rows))
    assert max(map(len, text.splitlines())) <= 78
    assert words(readable(name)) in words(text)
    assert not re.search(r"[\u202a-\u202e\u2066-\u2069\x00-\x09\x0b-\x1f]", text)


@pytest.mark.parametrize("code", [*range(9), *range(0x0E, 0x1C), *range(0x7F, 0x85), *range(0x86, 0xA0), 0x61C, 0x200E,
                                  0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])
def test_hidden_characters_are_shown_by_their_code(code: int) -> None:
    assert readable(f"a{chr(code)}b") == f"a[U+{code:04X}]b"


def inline(tokens: list[Token]) -> list[Token]:
    return [one for token in tokens for one in (token.children or [])]


PARSERS = (MarkdownIt("commonmark"), MarkdownIt("commonmark").enable(["table", "strikethrough"]))


@settings(max_examples=200, deadline=None)
@given(text=hostile)
def test_hostile_text_stays_text_in_markdown(text: str) -> None:
    for parser in PARSERS:
        tokens = parser.parse(f"- **x**: {markdown(text)}")
        parts = inline(tokens)
        assert {one.type for one in tokens} <= {
            "bullet_list_open", "list_item_open", "paragraph_open", "inline", "paragraph_close", "list_item_close",
            "bullet_list_close"}
        assert {one.type for one in parts} <= {"text", "text_special", "strong_open", "strong_close"}
        assert words("".join(one.content for one in parts)) == words(f"x:{readable(text)}")


@settings(max_examples=200, deadline=None)
@given(text=hostile)
def test_hostile_text_at_the_start_of_a_line_is_a_paragraph(text: str) -> None:
    tokens = PARSERS[1].parse(markdown(text))
    assert {one.type for one in tokens} <= {"paragraph_open", "inline", "paragraph_close"}
    assert words("".join(one.content for one in inline(tokens))) == words(readable(text))


@pytest.mark.parametrize("text", ["http://evil.example", "see www.evil.example", "a@evil.example", "mailto:x"])
def test_nothing_becomes_a_link_by_itself(text: str) -> None:
    """GitHub's and others' Markdown links addresses; the escape parts what they look for, and shows the same."""
    escaped = markdown(text)
    assert not re.search(r"://|www\.|(?<!\\)@|mailto:", escaped)
    assert "".join(one.content for one in inline(PARSERS[0].parse(escaped))) == text


def test_markdown_says_the_same_as_the_text() -> None:
    rendered = "".join(one.content for one in inline(PARSERS[0].parse(markdown_of(cases.full()))))
    for item in ("today: avoid zappa", "Luck in ten years: 12.3 %, 8 to 20 %, fair", "DEF2, GHI3", DISCLAIMER):
        assert item in rendered
        assert item in " ".join(text_of(cases.full()).split())


def test_cautions_are_whole_or_counted() -> None:
    rows = cases.full_rows()
    long = "so long a caution " * 30
    rows["suggestions"] = [cases.suggestion("yolk", "avoid", text="Stop it now, and do not come back to it.", cautions=[
        {"code": "a", "text": "Short."}, {"code": "b", "text": long}, {"code": "c", "text": "Third."}])]
    assert section(text_of(cases.result(rows)), "TO DO") == (
        "- routine: avoid yolk: Stop it now, and do not come back to it. Caution: Short. Cautions in the report: 2.")
