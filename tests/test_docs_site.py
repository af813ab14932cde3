"""The documents as a site: a page a hook, blocks that run, fresh reference pages, links that lead somewhere."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

from pmed.plugins import HOOKS
from pmed.scaffold import new_plugin
from pmed.testing import run_checks
from tests import reference
from tests.api import GOLDEN

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))


def page(hook: str) -> str:
    return (DOCS / "hooks" / f"{hook}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_has_a_page_with_its_signature(hook: str) -> None:
    [line] = [one for one in GOLDEN.read_text(encoding="utf-8").splitlines() if one.startswith(f"hook {hook}(")]
    assert f"\n```\n{line.removeprefix('hook ').replace(chr(39), '')}\n```\n" in page(hook)
    assert f"({hook}.md)" in page("index")


def test_no_page_is_of_a_hook_that_is_gone() -> None:
    assert {path.stem for path in (DOCS / "hooks").glob("*.md")} == {*HOOKS, "index"}


@pytest.mark.parametrize("hook", HOOKS)
def test_examples_stand_in_a_real_plugin(hook: str) -> None:
    blocks = re.findall(r"<!-- from: (\S+) -->\n+```python\n(.*?)```", page(hook), re.DOTALL)
    assert blocks
    for path, code in blocks:
        assert code in (ROOT / path).read_text(encoding="utf-8"), f"{hook}: the example is not in {path} any more"


@pytest.mark.parametrize("hook", HOOKS)
def test_a_page_shows_how_to_test_its_hook(hook: str) -> None:
    """tests/test_docs_run.py runs these blocks, as all others."""
    blocks = re.findall(r"<!-- run -->\n+```python\n(.*?)```", page(hook), re.DOTALL)
    assert blocks
    assert all("assert " in code for code in blocks)


@pytest.mark.parametrize("name", sorted(reference.pages()))
def test_reference_pages_are_fresh(name: str) -> None:
    made = reference.pages()[name]
    assert (reference.FOLDER / name).read_text(encoding="utf-8") == made, "run make pages"


def anchors(path: Path) -> set[str]:
    """As MkDocs makes them of headings."""
    heads = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", head).strip().lower()) for head in heads}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(DOCS)))
def test_links_between_pages_resolve(path: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8")):
        place, _, anchor = link.partition("#")
        if "://" in link or not (place or anchor):
            continue
        target = (path.parent / place) if place else path
        assert target.exists(), f"{link} leads nowhere"
        if anchor and target.suffix == ".md":
            assert anchor in anchors(target), f"{link}: there is no such heading"


def test_every_page_is_in_the_menu() -> None:
    menu = re.findall(r"^ +- ([\w/-]+\.md)$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(menu) == sorted(str(path.relative_to(DOCS)) for path in PAGES)


def test_the_site_builds_and_asks_nothing_of_others(docs_site: Path) -> None:
    pages = list(docs_site.rglob("*.html"))
    assert len(pages) > len(PAGES)  # and the one of what is not found
    for file in pages:
        loaded = re.findall(r'<(?:script|img|link|iframe)[^>]+(?:src|href)="(https?:[^"]+)"', file.read_text("utf-8"))
        assert loaded == []


# The tutorial

@pytest.fixture
def surface(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Step 1: the package of the tutorial, importable."""
    [name, kind] = re.search(r"^pmed plugins new (\S+) --kind (\S+)$", tutorial(), re.MULTILINE).groups()
    new_plugin(name, kind, tmp_path / name)
    monkeypatch.syspath_prepend(str(tmp_path / name))
    monkeypatch.delitem(__import__("sys").modules, "my_surface", raising=False)
    return tmp_path / name / f"{name.replace('-', '_')}.py"


def tutorial() -> str:
    return (DOCS / "tutorial.md").read_text(encoding="utf-8")


def test_the_tutorials_plugin_passes(surface: Path) -> None:
    outcomes = run_checks("my_surface")
    assert {one.status for one in outcomes} == {"passed"}
    [said] = re.findall(r"ends with `(\d+) passed`", tutorial())
    assert len(outcomes) == int(said)


def test_the_tutorials_change_breaks_what_it_says(surface: Path) -> None:
    [code] = re.findall(r"```python\n(.*?)```", tutorial(), re.DOTALL)
    source = surface.read_text(encoding="utf-8")
    [old] = re.findall(r"^ +reason = .*$", source, re.MULTILINE)
    surface.write_text(source.replace(old, textwrap.indent(code.rstrip(), " " * 8)), encoding="utf-8")
    broken = {one.check.partition(".")[2] for one in run_checks("my_surface") if not one.is_good}
    assert broken
    assert broken & set(re.findall(r"`(\w+)`", tutorial().partition("## 4.")[2].partition("## 5.")[0]))
