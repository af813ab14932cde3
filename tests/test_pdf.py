"""The report as PDF: its pages, its text, and that nothing is fetched for it."""

from __future__ import annotations

import builtins
import re
import shutil
import subprocess
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import polars as pl
import pytest
from click.testing import CliRunner

from pmed.cli import cli
from pmed.demo import patients
from pmed.errors import OptionError, ResultError
from pmed.render import pdf
from pmed.render.pdf import PdfExporter, opened, quoted
from pmed.result import Result
from tests import render_cases as cases
from tests.test_render_html import HOSTILE

pytest.importorskip("weasyprint")
needs_tools = pytest.mark.skipif(not shutil.which("pdftotext"), reason="needs pdftotext and pdfinfo")
SIZES = {"a4": (595, 842), "letter": (612, 792)}


def among_few(result: Result) -> Result:
    """The same with all medicines that are taken, and few of two hundred others: more only makes the paper slower."""
    others = result.suggestions.filter(current=False)["drug"].unique(maintain_order=True)
    kept = result.suggestions.filter(pl.col("current") | pl.col("drug").is_in(["abacavir", *others.gather_every(12)]))
    explaining = kept.select(pl.col("explained_by").explode()).unnest("explained_by")
    about = {name: result.tables[name].join(explaining, on=["predictor", "target"], how="semi")
             for name in ("predictions", "explanations", "traces")}
    return replace(result, tables={**result.tables, **about, "suggestions": kept})


@pytest.fixture(scope="module")
def whole(demo_results: dict[str, Result]) -> bytes:
    """The paper of one patient as it is printed."""
    return PdfExporter().export(demo_results["warfarin"])


def text_of(data: bytes, folder: Path, *options: str) -> str:
    path = folder / "report.pdf"
    path.write_bytes(data)
    return subprocess.run(["pdftotext", *options, path, "-"], capture_output=True, text=True, check=True).stdout


def info_of(data: bytes, folder: Path) -> dict[str, str]:
    path = folder / "report.pdf"
    path.write_bytes(data)
    lines = subprocess.run(["pdfinfo", path], capture_output=True, text=True, check=True).stdout.splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


@needs_tools
@pytest.mark.parametrize("paper", SIZES)
@pytest.mark.parametrize("audience", ["clinician", "patient"])
def test_paper_header_title_and_page_numbers(paper: str, audience: str, tmp_path: Path) -> None:
    made = PdfExporter(paper=paper, audience=audience).export(cases.full())
    info = info_of(made, tmp_path)
    width, height = re.findall(r"[\d.]+", info["Page size"])[:2]
    assert (round(float(width)), round(float(height))) == SIZES[paper]
    assert "ann" in info["Title"]
    assert info["Tagged"] == "yes"
    pages = text_of(made, tmp_path).split("\f")[:-1]
    assert len(pages) == int(info["Pages"])
    for number, page in enumerate(pages, 1):
        assert f"Page {number} of {len(pages)}" in page
        assert "Patient ann" in page
        assert "as of 2026-05-01" in page


@needs_tools
def test_what_is_not_taken_is_named_by_colour_unless_all_is_asked_for(
        demo_results: dict[str, Result], whole: bytes, tmp_path: Path) -> None:
    few = among_few(demo_results["warfarin"])
    short, full = (PdfExporter(advice=advice).export(few) for advice in ("short", "full"))
    pages = [int(info_of(made, tmp_path)["Pages"]) for made in (whole, short, full)]
    assert pages[0] <= 18
    assert pages[1] < pages[2]
    printed, said, told = (" ".join(text_of(made, tmp_path).split()) for made in (whole, short, full))
    assert all("abacavir" in text for text in (printed, said, told))
    assert "it needs HLA typing, which a file of small variants cannot replace" in told
    for text in (printed, said):
        assert "it needs HLA typing, which a file of small variants cannot replace" not in text
        assert "the texts are in the HTML report" in text
        assert "Choose another statin of the potency wanted" in text, "what is taken has its texts"


def inflated(data: bytes) -> bytes:
    try:
        return zlib.decompress(data)
    except zlib.error:
        return data


@needs_tools
def test_language(tmp_path: Path) -> None:
    made = PdfExporter(language="de", audience="patient").export(cases.full())
    text = text_of(made, tmp_path)
    assert "Seite 1 von" in text
    assert "Stand 01.05.2026" in text
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", made, re.S)
    assert any(b"/Lang (de)" in inflated(one) for one in [made, *streams])


@needs_tools
@pytest.mark.parametrize("name", [one.name for one in patients()])
def test_demo_patients_lose_no_words(demo_results: dict[str, Result], name: str, tmp_path: Path,
                                     request: pytest.FixtureRequest) -> None:
    """Each word of the page is on the paper, folded away or not."""
    result = demo_results[name]
    made = request.getfixturevalue("whole") if name == "warfarin" else PdfExporter().export(among_few(result))
    paper = set(text_of(made, tmp_path).split())
    for row in result.suggestions.filter(current=True).to_dicts():
        assert row["drug"].split()[0] in " ".join(paper)
    steps = result.tables["traces"].join(result.suggestions.filter(current=True).explode("explained_by").unnest(
        "explained_by"), on=["predictor", "target"], how="semi")["text"].to_list()
    assert steps  # they are folded away on the screen
    assert {word for step in steps for word in step.split() if word.isalpha()} <= paper


def test_everything_is_opened_and_drawn() -> None:
    html = ('<svg class="sprite"><symbol id="i-x" viewBox="0 0 9 9"><path d="M1"/></symbol></svg><details class="a">'
            '<summary>s</summary></details><details open></details><svg class="icon"><use href="#i-x"/></svg>'
            '<svg><rect class="bar-up" x="1"/></svg>')
    made = opened(html)
    assert made.count("<details open") == 2
    assert '<svg class="icon" viewBox="0 0 9 9"><path d="M1"/></svg>' in made
    assert '<rect fill="#a34e07" x="1"/>' in made


@needs_tools
def test_text_from_input_stays_text_in_header_and_page(tmp_path: Path) -> None:
    name = '"; } </style><img src="http://example.invalid/x">@page{size:A3}\n é'
    rows = {**cases.full_rows(), "patients": [{**cases.full_rows()["patients"][0]}]}
    for table, some in rows.items():
        rows[table] = [{**row, **({"patient_id": name} if row.get("patient_id") else {})} for row in some]
    for row in rows["suggestions"]:
        row["text"] = HOSTILE
    made = PdfExporter().export(cases.result(rows))
    info = info_of(made, tmp_path)
    assert info["Page size"].startswith("595")
    text = text_of(made, tmp_path)
    assert "http://example.invalid/x" in "".join(text.split())
    assert "alert(1)" in text


@pytest.mark.parametrize("text", ['a"b', "a\\b", "a\nb", "</style>", "é", "1;}"])
def test_strings_of_the_sheet_cannot_be_left(text: str) -> None:
    inner = quoted(text)[1:-1]
    assert not set(inner) & set('"<>;}\n')
    assert re.sub(r"\\([0-9a-f]+) ", lambda found: chr(int(found[1], 16)), inner) == text


def test_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    secret = tmp_path / "secret.png"
    secret.write_bytes(b"x")
    asked: list[str] = []

    class Noted(pdf.Refusal):
        def __call__(self, url: str, *given: Any, **more: Any) -> NoReturn:
            asked.append(url)
            super().__call__(url, *given, **more)

    with pytest.raises(ResultError, match="fetches nothing"):
        pdf.Refusal()(secret.as_uri())
    monkeypatch.setattr(pdf, "Refusal", Noted)
    monkeypatch.setattr(pdf, "opened", lambda html: html.replace("</main>", f'<img src="{secret.as_uri()}"></main>'))
    assert PdfExporter(audience="patient").export(cases.full()).startswith(b"%PDF")
    assert asked == [secret.as_uri()]


def test_without_weasyprint_one_line_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
                                                        root: Path) -> None:
    usual = builtins.__import__

    def without(name: str, *given: Any, **more: Any) -> Any:
        if name == "weasyprint":
            raise ImportError(name)
        return usual(name, *given, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    done = CliRunner().invoke(cli, ["report", str(root / "pmed/demo/stent.vcf"), "-o", str(tmp_path / "r.pdf")])
    assert isinstance(done.exception, OptionError)
    assert str(done.exception) == ("pdf: PDF needs WeasyPrint, which is not installed "
                                   "(install pmed's extra: pip install 'pmed[pdf]', or "
                                   "pip install -e '.[pdf]' in a copy of its source)")
    assert not list(tmp_path.iterdir())


def test_command_line(tmp_path: Path, root: Path) -> None:
    demo = root / "pmed/demo/stent.json"
    given = ["report", "--history", str(demo), "--audience", "patient"]
    html, paper, beside = (tmp_path / name for name in ("r.html", "r.PDF", "beside.pdf"))
    runner = CliRunner()
    assert runner.invoke(cli, [*given, "-o", str(paper), "--paper", "letter"]).exit_code == 0
    assert runner.invoke(cli, [*given, "-o", str(html), "--pdf", str(beside)]).exit_code == 0
    assert [path.read_bytes()[:4] for path in (paper, beside)] == [b"%PDF"] * 2
    assert html.read_bytes().startswith(b"<!doctype html>")
    twice = runner.invoke(cli, [*given, "-o", str(paper), "--pdf", str(beside)])
    assert isinstance(twice.exception, OptionError)
    assert "two PDFs" in str(twice.exception)
