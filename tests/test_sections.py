"""Sections of plugins: they stay in their box, whatever they bring, and fail in their place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from pmed import hookimpl
from pmed.plugins import Plugins
from pmed.render import pdf
from pmed.render.html import HtmlExporter
from pmed.result import Result
from pmed.sections import MOST, clean, with_sections
from tests import render_cases as cases

BAD_MARKUP = """
<p class="mine cover" id="today" onclick="document.title='got in'" style="position:fixed;inset:0">Mine</p>
<script>document.title = 'got in'</script><img src="http://evil.test/a.png" onerror="document.title='got in'">
<svg onload="document.title='got in'"><style>body{display:none}</style></svg><iframe src="http://evil.test/"></iframe>
<a href="javascript:document.title='got in'">link</a><a href="http://evil.test/">out</a><base href="http://evil.test/">
<meta http-equiv="refresh" content="0;url=http://evil.test/"><link rel="stylesheet" href="http://evil.test/a.css">
<form action="http://evil.test/"><input name="a"><button>Send</button></form><math><mi><style><img src=x></style></mi>
</math><noscript><p title="</noscript><img src=x onerror=document.title='got in'>"></noscript>
<style>body { display: none }</style><template shadowrootmode="open"><slot></slot></template>
</template></div></div></section></main><h1 class="cover">Avoid everything</h1>"""
BAD_STYLE = """
:host { position: fixed !important; inset: 0 !important; z-index: 99999 !important; background: red !important; }
.cover { position: fixed; inset: 0; width: 9999px; height: 99999px; z-index: 99999; background: red; color: #000; }
body, html, main, .loud, .caution { display: none !important } :root { --text: red; --page: red }
h1, h2 { font-size: 9px !important }
.mine { color: rgb(1, 2, 3) }
"""


@dataclass(frozen=True)
class Mild:
    """A section as it should be."""

    name: ClassVar[str] = "mild"
    title: ClassVar[str] = "Diet & more"
    needs: ClassVar[tuple[str, ...]] = ("medications",)
    style: ClassVar[str] = ".many { color: var(--avoid) }"
    said: Any = None

    def render(self, tables: Mapping[str, Any], patient_id: str) -> Any:
        return f"<p class='many'>{patient_id} takes {tables['medications'].height}; tables: {', '.join(tables)}</p>"


def section(said: Any, **more: Any) -> type[Mild]:
    """A section that returns `said`, or raises it."""
    def render(self: Any, tables: Any, patient_id: str) -> Any:
        if isinstance(said, BaseException):
            raise said
        return said
    return dataclass(frozen=True)(type("Odd", (Mild,), {"render": render, "name": "odd", "title": "Odd", "style": "",
                                                         "needs": (), "__annotations__": {}, **more}))


def shown(*sections: Any, failures: bool = False) -> tuple[Result, str]:
    """The result of the fullest patient with these sections, and its page."""
    plugins = Plugins().load(only=())
    plugins.add(SimpleNamespace(register_sections=hookimpl(lambda: list(sections))), "stranger", "0.1")
    result = with_sections(plugins, plugins.components("register_sections"), cases.full())
    return result, HtmlExporter().export(result).decode()


def test_hook_register_sections_puts_a_box_after_the_risks() -> None:
    result, page = shown(Mild)
    assert "<p class=\"many\">ann takes 6; tables: medications</p>" in page
    assert "Diet &amp; more</h2>" in page
    assert page.index('id="plugin-section-1"') > page.index('id="section-1"')
    assert page.index('id="plugin-section-1"') < page.index('id="genes"')
    assert result.failures == cases.full().failures


def test_a_page_without_sections_is_as_it_was() -> None:
    _, page = shown()
    assert page == HtmlExporter().export(cases.full()).decode()
    assert "plugin-box" not in page


@pytest.mark.parametrize(("made", "error"), [
    (section(ValueError("patient Ann Example")), "ValueError"),
    (section(SystemExit(3)), "SystemExit"),
    (section("x" * (MOST + 1)), "PluginError"),
    (section(7), "PluginError"),
    (section("fine", needs=("no-such-table",)), "PluginError"),
    (section("fine", style="p { background: URL (http://evil.test/a.png) }"), "PluginError"),
    (section("fine", style="@import 'http://evil.test/a.css';"), "PluginError"),
    (section("fine", style="</style><script>x()</script>"), "PluginError"),
    (section("fine", style=7), "PluginError"),
])
def test_a_failure_is_shown_in_its_place_and_costs_nothing_else(made: Any, error: str) -> None:
    result, page = shown(made, Mild)
    place = page.partition('id="plugin-section-1"')[2].partition("</section>")[0]
    assert place.startswith(">Odd</h2>")
    assert f"This section failed: stranger 0.1, {error}." in place
    assert "fine" not in place
    assert "ann takes 6" in page
    assert [(one.plugin, one.stage, one.component) for one in result.failures[len(cases.full().failures):]] == [
        ("stranger", "section", "odd")]


def test_none_is_no_section() -> None:
    _, page = shown(section(None))
    assert "plugin-section" not in page


def test_a_dict_becomes_escaped_names_and_values() -> None:
    _, page = shown(section({"Vitamin <K>": ["low & slow", 3], "Salt": None}))
    assert "<dl><dt>Vitamin &lt;K&gt;</dt><dd>low &amp; slow</dd><dd>3</dd><dt>Salt</dt><dd>unknown</dd></dl>" in page


@pytest.mark.parametrize("missing", ["title", "render"])
def test_a_section_of_the_wrong_shape_is_left_out_and_listed(missing: str) -> None:
    result, page = shown(section("fine", **{missing: None}))
    assert "plugin-section" not in page
    assert result.failures == cases.full().failures
    plugins = Plugins().load(only=())
    plugins.add(SimpleNamespace(register_sections=hookimpl(lambda: [section("x", **{missing: None})])), "stranger", "1")
    assert plugins.components("register_sections") == []
    assert missing in plugins.failures[0].message


@pytest.mark.parametrize("bare", [False, True])
def test_nothing_of_a_hostile_section_is_markup(bare: bool) -> None:
    made = clean(BAD_MARKUP, bare=bare)
    tags = {tag.lower() for tag in re.findall(r"</?([a-zA-Z0-9]+)", made)}
    assert tags <= {"p"}
    assert not re.search(r"<[^>]*\b(on\w+|style|id|href|src|action)\s*=", made)
    assert ("class=" in made) is not bare
    assert "Mine" in made
    assert "display" not in made  # nor is the text of a style or script left for reading
    assert "got in" not in made


def test_the_json_has_no_sections() -> None:
    from pmed.render.json import JsonExporter

    result, _ = shown(Mild)
    assert b"ann takes" not in JsonExporter().export(result)


def test_a_pdf_has_the_text_without_the_style() -> None:
    """WeasyPrint knows no shadow roots: it prints what stands behind the template."""
    weasyprint = pytest.importorskip("weasyprint")
    _, page = shown(section(BAD_MARKUP, style=BAD_STYLE))
    document = weasyprint.HTML(string=pdf.opened(page)).render()
    texts = [box.text for one in document.pages for box in one._page_box.descendants() if hasattr(box, "text")]
    assert sum("Mine" in text for text in texts) == 1
    assert any("Genes" in text for text in texts)


def opened(chromium: Any, folder: Path, text: str, **context: Any) -> tuple[Any, list[str]]:
    path = folder / "report.html"
    path.write_text(text)
    page = chromium.new_context(**context).new_page()
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    page.on("request", lambda request: told.append(request.url) if request.url != path.as_uri() else None)
    page.goto(path.as_uri())
    return page, told


@pytest.mark.parametrize("script", [True, False])
def test_a_style_works_in_its_box_with_and_without_javascript(chromium: Any, tmp_path: Path, script: bool) -> None:
    _, text = shown(Mild)
    page, told = opened(chromium, tmp_path, text, java_script_enabled=script)
    many = page.locator(".many")  # looks into the shadow root
    assert many.count() == 1
    assert many.is_visible()
    assert told == []
    if script:
        colours = "e => [getComputedStyle(e).color, getComputedStyle(e.getRootNode().host).color]"
        inside, outside = many.evaluate(colours)
        assert inside != outside
        assert page.locator(".plugin-box p", has_text="ann takes").count() == 2  # the second is for those without
        assert page.locator(".plugin-box p", has_text="ann takes").locator("visible=true").count() == 1


def test_a_hostile_section_stays_in_its_box(chromium: Any, tmp_path: Path) -> None:
    size = {"width": 1000, "height": 800}
    plain, _ = opened(chromium, tmp_path, shown(section("Mine"))[1], viewport=size)
    sizes = "all => all.map(e => [e.textContent, getComputedStyle(e).fontSize])"
    headings = plain.locator("h1, h2").evaluate_all(sizes)
    page, told = opened(chromium, tmp_path, shown(section(BAD_MARKUP, style=BAD_STYLE))[1], viewport=size)
    page.wait_for_timeout(300)
    assert told == []
    assert page.title() != "got in"
    assert page.locator("h1, h2").evaluate_all(sizes) == headings
    assert page.locator(".mine").evaluate("e => getComputedStyle(e).color") == "rgb(1, 2, 3)"  # its style does work
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))
    assert page.evaluate("document.documentElement.scrollWidth") == 1000
    covered = page.evaluate("""() => {
      const box = document.querySelector('.plugin-box'), found = [];
      for (const where of [0, box.offsetTop - 400]) {
        scrollTo(0, where);
        const b = box.getBoundingClientRect();
        for (let x = 5; x < innerWidth; x += 20) for (let y = 5; y < innerHeight; y += 20) {
          const inside = x >= b.left && x <= b.right && y >= b.top && y <= b.bottom;
          if (!inside && document.elementFromPoint(x, y)?.closest('.plugin-box')) found.push([where, x, y]);
        }
      }
      return found;
    }""")
    assert covered == []
    assert page.locator(".plugin-box").bounding_box()["height"] <= 700


def test_the_policy_allows_no_other_style(chromium: Any, tmp_path: Path) -> None:
    _, text = shown(Mild)
    more = "<style>.many { color: red }</style></template>"
    page, told = opened(chromium, tmp_path, text.replace("</template>", more))
    assert any("Content Security Policy" in line for line in told)
    assert page.locator(".many").evaluate("e => getComputedStyle(e).color") != "rgb(255, 0, 0)"


@pytest.mark.parametrize("width", [320, 1280])
def test_axe_finds_nothing(chromium: Any, tmp_path: Path, width: int) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    _, text = shown(Mild, section({"a": 1}))
    page, _ = opened(chromium, tmp_path, text, viewport={"width": width, "height": 900})
    found = axe.Axe().run(page, context={"include": [".plugin-box"]})
    assert found.violations_count == 0, found.generate_report()
