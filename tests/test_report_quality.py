"""The report in a real browser: accessible, by keyboard alone, on small screens, without scripts, with hostile text.

Pictures of the demo patients are compared with those in tests/golden/report, which are small and grey. To renew them
after a change that is meant: ``PMED_NEW_PICTURES=1 pytest tests/test_report_quality.py``.
"""

from __future__ import annotations

import io
import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pmed.demo import DemoPatient, patients
from pmed.render.html import HtmlExporter
from pmed.result import Result
from tests import render_cases as cases
from tests.test_render_html import HOSTILE, poison

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
image = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
GOLDEN = Path(__file__).parent / "golden" / "report"
WIDTHS = (360, 768, 1280)
#: Pictures are compared at a size where the shapes of letters are gone. More pixels than `MOST_DIFFERENT` that differ
#: by more than `STEP` of 255 grey levels are another layout. One font for all, as another one moves lines.
TALL, SMALL, STEP, MOST_DIFFERENT = 2000, 160, 40, 0.03
FONT = "* { font-family: 'DejaVu Sans', sans-serif !important; }"
TURNED = "\N{RIGHT-TO-LEFT OVERRIDE}dab\N{RIGHT-TO-LEFT MARK} \N{PILL}"
WIDER = """() => [...document.querySelectorAll("body *")].filter(e => !e.closest(".sprite,.skip,.for-ears,thead,svg") &&
  e.getBoundingClientRect().right > innerWidth + 1).map(e => `${e.tagName}.${e.className}`)"""
FOCUS = """() => { const e = document.activeElement, s = getComputedStyle(e);
  return [e.id || e.className || e.tagName, e.tagName, parseFloat(s.outlineWidth) > 0 && s.outlineStyle != "none"]; }"""
Open = Callable[..., Any]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("no Chromium on this machine")
    with sync_api.sync_playwright() as play:
        started = play.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def results(demo_results: dict[str, Result]) -> dict[str, Result]:
    """The embedded patients, without what differs from run to run and machine to machine."""
    return {name: replace(one, provenance={**one.provenance, "created": ""}) for name, one in demo_results.items()}


@pytest.fixture
def show(browser: Any, tmp_path: Path) -> Iterator[Open]:
    """Opens a result's report in a window with the options given; all that is asked of a network is written down."""
    contexts = []

    def opened(result: Result, audience: str = "clinician", language: str = "en", **options: Any) -> Any:
        path = tmp_path / "report.html"
        path.write_bytes(HtmlExporter(language=language, audience=audience).export(result))
        contexts.append(browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options}))
        page = contexts[-1].new_page()
        page.asked = []
        page.on("request", lambda request: page.asked.append(request.url))
        page.goto(path.as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()


def patient_ids(one: DemoPatient) -> str:
    return one.name


everybody = pytest.mark.parametrize("patient", patients(), ids=patient_ids)


# Each takes seconds. These two have something of everything: risks, switches and doses; doubts, gaps and allergies.
# One page serves both schemes, so that each combination of reader and language is laid out once.
@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize(("audience", "patient"), [("clinician", "warfarin"), ("patient", "partial")])
def test_axe_finds_nothing(show: Open, results: dict[str, Result], audience: str, patient: str, language: str) -> None:
    page = show(results[patient], audience=audience, language=language, bypass_csp=True)
    # what is folded away is judged, too
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found = axe.Axe().run(page)
        assert found.violations_count == 0, f"{scheme}: {found.generate_report()}"


def test_axe_would_find_something(show: Open) -> None:
    page = show(cases.full(), bypass_csp=True)
    page.evaluate("document.documentElement.removeAttribute('lang')")
    assert axe.Axe().run(page).violations_count == 1


def test_keyboard_reaches_links_folded_parts_and_search_with_a_visible_focus(show: Open) -> None:
    page = show(cases.full())
    reached = []
    for _ in range(60):
        page.keyboard.press("Tab")
        name, tag, outlined = page.evaluate(FOCUS)
        if tag == "BODY":
            break
        assert outlined, (name, tag)
        reached.append((name, tag))
    assert reached[0] == ("skip", "A")
    assert ("find", "INPUT") in reached
    assert {tag for _, tag in reached} == {"A", "SUMMARY", "INPUT"}
    focusable = page.locator("a[href]:visible, summary:visible, input:visible").count()
    assert len(reached) == focusable


def test_enter_opens_a_folded_part(show: Open) -> None:
    page = show(cases.full())
    page.locator("summary", has_text="Step by step").first.focus()
    page.keyboard.press("Enter")
    assert page.get_by_text("First step.").is_visible()


@everybody
def test_no_sideways_scrolling(show: Open, results: dict[str, Result], patient: DemoPatient) -> None:
    """A 1280 pixels wide window at 400 % is laid out as one of 320, with four device pixels for each."""
    page = show(results[patient.name], viewport={"width": 1280 // 4, "height": 640}, device_scale_factor=4)
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") == 1280 // 4
    assert page.evaluate(WIDER) == []


def test_everything_can_be_read_without_scripts(show: Open, results: dict[str, Result]) -> None:
    page = show(results["warfarin"], java_script_enabled=False)
    assert page.locator("#finder").is_hidden()
    page.locator("details.group > summary").first.click()
    assert page.locator("details.group").first.locator(".rx").first.is_visible()


def test_search_and_lights_filter_what_is_shown(show: Open) -> None:
    page = show(cases.full())
    page.locator("#find").fill("LATE")
    assert page.locator(".rx:visible").count() == 1
    assert page.locator("#found").inner_text() == "1 shown"
    page.locator("#find").fill("")
    page.locator("details.group").first.evaluate("one => one.open = true")
    assert page.locator(".rx:visible").count() == 6
    page.locator("#finder input[value=act]").uncheck()
    assert page.locator(".rx:visible").count() == 4


def test_only_the_file_itself_is_asked_for_and_nothing_complains(show: Open, results: dict[str, Result]) -> None:
    page = show(results["stent"])
    said: list[str] = []
    page.on("console", lambda one: said.append(one.text))
    page.reload()
    assert {url.partition(":")[0] for url in page.asked} == {"file"}
    assert len(set(page.asked)) == 1
    assert said == []


def test_hostile_text_stays_text_in_a_browser(show: Open) -> None:
    dialogs: list[str] = []
    page = show(poison(cases.full(), HOSTILE + TURNED))
    page.on("dialog", lambda one: dialogs.append(one.message))
    page.reload()
    assert dialogs == []
    assert page.locator("script").count() == 1
    assert page.locator("img").count() == 0
    assert page.locator("h1").inner_text().endswith(TURNED)


def test_text_that_runs_from_right_to_left_does_not_turn_its_neighbours(show: Open) -> None:
    """Every place with such text is an isolate of its own, so the words beside it keep their order."""
    page = show(poison(cases.full(), TURNED))
    outside = page.evaluate("""mark => { const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      const found = []; while (walk.nextNode()) { const e = walk.currentNode.parentElement;
        if (walk.currentNode.data.includes(mark) && !e.closest("bdi, code, dd"))
          found.push(e.outerHTML.slice(-200)); }
      return found; }""", TURNED)
    assert outside == []


@everybody
def test_first_screen_says_what_how_urgent_and_why(show: Open, results: dict[str, Result],
                                                   patient: DemoPatient) -> None:
    first = show(results[patient.name]).locator(".todo li").first
    box = first.bounding_box()
    assert box["y"] + box["height"] <= 800
    assert re.search(r"(?s)^(Avoid|Switch|Adjust).*(today|soon).*Why: \S+", first.inner_text())


def picture(page: Any) -> bytes:
    """The top of the page, small and grey."""
    page.add_style_tag(content=FONT)
    taken = image.open(io.BytesIO(page.screenshot(clip={"x": 0, "y": 0, "width": page.viewport_size["width"],
                                                        "height": TALL}))).convert("L")
    made = io.BytesIO()
    taken.resize((SMALL, round(TALL * SMALL / taken.width)), image.Resampling.BOX).save(made, "PNG", optimize=True)
    return made.getvalue()


def different(one: bytes, other: bytes) -> float:
    """The share of pixels that differ by more than `STEP`; 1 where the sizes differ."""
    first, second = image.open(io.BytesIO(one)), image.open(io.BytesIO(other))
    if first.size != second.size:
        return 1.0
    pairs = zip(first.tobytes(), second.tobytes(), strict=True)
    return sum(abs(a - b) > STEP for a, b in pairs) / (first.width * first.height)


@pytest.mark.parametrize("width", WIDTHS)
@everybody
def test_looks_as_before(show: Open, results: dict[str, Result], patient: DemoPatient, width: int) -> None:
    page = show(results[patient.name], viewport={"width": width, "height": TALL}, bypass_csp=True)
    now, golden = picture(page), GOLDEN / f"{patient.name}-{width}.png"
    if os.environ.get("PMED_NEW_PICTURES"):
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_bytes(now)
    assert different(now, golden.read_bytes()) <= MOST_DIFFERENT


def test_another_layout_would_be_seen(show: Open, results: dict[str, Result]) -> None:
    page = show(results["stent"], viewport={"width": 1280, "height": TALL}, bypass_csp=True)
    page.add_style_tag(content=".todo { display: none; }")
    assert different(picture(page), (GOLDEN / "stent-1280.png").read_bytes()) > MOST_DIFFERENT
