"""The report in a real browser: headless Chromium, where the machine has one."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from pmed.render.html import HtmlExporter
from tests import render_cases as cases

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-dev-shm-usage",
         "--no-first-run", "--disable-background-networking", "--enable-logging=stderr", "--v=0")
LONG = "W" * 90
#: A page that puts the report into a frame of the width asked for and writes down how wide its content became.
RULER = """<!doctype html><iframe id=f width={width} height=900 style="border:0" srcdoc="{report}"></iframe>
<pre id=out></pre><script>f.onload = () => {{ const page = f.contentDocument.documentElement;
const wide = [...page.querySelectorAll("body *")].filter(e => !e.closest(".sprite,.skip,thead,svg") &&
  e.getBoundingClientRect().right > {width} + 1);
const names = wide.map(e => e.tagName + "." + e.className).join(" ");
out.textContent = `${{page.scrollWidth}} ${{names}} end`; }}</script>"""


@pytest.fixture(scope="module")
def browser() -> str:
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip("no Chromium on this machine")
    return found


@pytest.fixture
def report(tmp_path: Path) -> Path:
    path = tmp_path / "report.html"
    path.write_bytes(HtmlExporter().export(cases.full()))
    return path


def run(browser: str, page: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    profile = page.parent / "profile"
    return subprocess.run([browser, *FLAGS, f"--user-data-dir={profile}", *flags, page.as_uri()], capture_output=True,
                          text=True, timeout=120, check=True)


def complaints(done: subprocess.CompletedProcess[str]) -> list[str]:
    return [line for line in done.stderr.splitlines() if "CONSOLE" in line]


def overflow(browser: str, text: str, width: int, folder: Path) -> tuple[int, str]:
    """How wide the content is at `width` pixels, and which elements stick out."""
    page = folder / f"ruler-{width}.html"
    page.write_text(RULER.format(width=width, report=html.escape(text)))
    measured = re.search(r'<pre id="out">(\d+) (.*?) ?end</pre>', run(browser, page, "--dump-dom").stdout)
    assert measured is not None
    return int(measured[1]), measured[2]


def test_no_complaint_on_the_console(browser: str, report: Path) -> None:
    done = run(browser, report, "--dump-dom")
    assert "What to do today" in done.stdout
    assert complaints(done) == []


def test_the_policy_stops_a_script_that_got_in(browser: str, report: Path) -> None:
    report.write_text(report.read_text().replace("</main>", "<script>document.title = 'got in'</script></main>"))
    done = run(browser, report, "--dump-dom")
    assert "<title>got in" not in done.stdout
    assert any("Content Security Policy" in line for line in complaints(done))


@pytest.mark.parametrize("width", [400, 1280])
def test_nothing_sticks_out_sideways(browser: str, report: Path, tmp_path: Path, width: int) -> None:
    assert overflow(browser, report.read_text(), width, tmp_path) == (width, "")


def test_long_words_wrap_on_a_small_screen(browser: str, tmp_path: Path) -> None:
    rows = cases.full_rows()
    rows["suggestions"][0].update(text=LONG, why=LONG, population=LONG)
    rows["medications"][2]["display"] = LONG
    rows["gene_results"][0].update(diplotypes=[LONG], phenotype=LONG)
    rows["explanations"][0]["value"] = LONG
    page = HtmlExporter().export(cases.result(rows)).decode()
    assert overflow(browser, page, 400, tmp_path) == (400, "")


def test_prints_to_pdf_with_its_folded_parts_open(browser: str, report: Path) -> None:
    target = report.with_suffix(".pdf")
    run(browser, report, f"--print-to-pdf={target}", "--no-pdf-header-footer")
    assert target.read_bytes().startswith(b"%PDF")
    if reader := shutil.which("pdftotext"):
        text = subprocess.run([reader, target, "-"], capture_output=True, text=True, check=True).stdout
        assert "What to do today" in text
        assert "Second step." in text
        assert "None known." in text
