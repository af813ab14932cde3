"""The index of a batch in a real browser: with and without JavaScript, by keyboard, and by axe."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pmed.batch.index import index_page
from pmed.batch.journal import Line, ToDo

LINES = [
    Line("p10", "a.html", todo=(ToDo("warfarin", "adjust", "soon"), ToDo("codeine", "avoid", "today")), recorded=True),
    Line("p9", "b.html", todo=(ToDo("warfarin", "avoid", "soon"),), recorded=True),
    Line("p8", "c.html", recorded=True, open=("mystery forte",)),
    Line("p7", error="<img src=x onerror=alert(1)>"),
    *(Line(f"q{number:04}", "d.html", recorded=True) for number in range(400)),
]


@pytest.fixture
def index(tmp_path: Path) -> str:
    path = tmp_path / "index.html"
    path.write_bytes(index_page(LINES))
    return path.as_uri()


def opened(chromium: Any, index: str, **context: Any) -> tuple[Any, list[str]]:
    page = chromium.new_context(**context).new_page()
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    page.on("pageerror", lambda error: told.append(str(error)))
    page.on("request", lambda request: told.append(request.url) if request.url != index else None)
    page.goto(index)
    return page, told


def names(page: Any) -> list[str]:
    found: list[str] = page.locator("tbody th").all_inner_texts()
    return found


def test_without_javascript_it_is_a_plain_table_of_everybody(chromium: Any, index: str) -> None:
    page, _ = opened(chromium, index, java_script_enabled=False)
    assert len(names(page)) == len(LINES)
    assert names(page)[:4] == ["p7", "p10", "p9", "p8"]
    assert not page.locator("form").is_visible()
    assert page.locator("thead button").count() == 0


def test_who_needs_action_for_which_drug(chromium: Any, index: str) -> None:
    page, told = opened(chromium, index)
    page.select_option("#drug", "warfarin")
    assert names(page) == ["p10", "p9"]
    page.select_option("#action", "avoid")  # of the same medicine: p10 has another one to avoid
    assert names(page) == ["p9"]
    page.select_option("#drug", "")
    page.select_option("#action", "")
    page.select_option("#urgency", "not fully assessed")
    assert names(page) == ["p8"]
    page.select_option("#urgency", "")
    page.fill("#search", "forte MYSTERY")
    assert names(page) == ["p8"]
    assert page.inner_text("#shown") == f"1 of {len(LINES)} patients"
    assert told == []


def test_many_rows_are_shown_when_they_are_asked_for(chromium: Any, index: str) -> None:
    page, _ = opened(chromium, index)
    assert len(names(page)) == 300
    page.click("#all")
    assert len(names(page)) == len(LINES)
    assert not page.locator("#all").is_visible()


def test_it_sorts_by_keyboard(chromium: Any, index: str) -> None:
    page, _ = opened(chromium, index)
    page.locator("thead button").first.focus()
    page.keyboard.press("Enter")
    assert names(page)[:4] == ["p7", "p8", "p9", "p10"]  # numbers as numbers
    assert page.locator("thead th").first.get_attribute("aria-sort") == "ascending"
    page.keyboard.press("Enter")
    assert names(page)[0] == "q0399"


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_axe_finds_nothing_and_nothing_sticks_out(chromium: Any, index: str, width: int, colours: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page, _ = opened(chromium, index, viewport={"width": width, "height": 900}, color_scheme=colours)
    found = axe.Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_the_policy_stops_a_script_that_got_in(chromium: Any, index: str, tmp_path: Path) -> None:
    path = tmp_path / "index.html"
    path.write_text(path.read_text().replace("</main>", "<script>document.title = 'got in'</script></main>"))
    page, told = opened(chromium, index)
    assert page.title() != "got in"
    assert any("Content Security Policy" in line for line in told)
