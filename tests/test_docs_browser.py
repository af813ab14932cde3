"""The documents as a site in a real browser: every page, the menu, the search, a narrow screen, from a folder."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

NARROW = {"width": 360, "height": 800}


class Quiet(SimpleHTTPRequestHandler):
    def log_request(self, *_: Any) -> None:
        """A test says nothing of what works."""


@pytest.fixture(scope="module")
def site(docs_site: Path) -> Iterator[tuple[str, Path]]:
    """The site, served on this machine: its address and its folder."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(docs_site))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", docs_site
        server.shutdown()


def opened(chromium: Any, address: str, **context: Any) -> tuple[Any, list[str]]:
    """A page at `address`, and a list that takes what it complains of and what it asks of others."""
    page = chromium.new_context(**context).new_page()
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: told.append(str(error)))
    page.on("request", lambda request: None if request.url.startswith((address, "data:", "blob:")) else told.append(
        request.url))
    page.goto(address)
    return page, told


def test_every_page_opens_without_a_fault_and_asks_nothing_of_others(chromium: Any, site: tuple[str, Path]) -> None:
    address, folder = site
    page, told = opened(chromium, address)
    pages = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.html"))
    pages.remove("404.html")
    assert len(pages) > 20
    for one in pages:
        page.goto(f"{address}/{one}")
        assert page.locator("article h1").count() == 1, one
        # Wide tables and code scroll by themselves.
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), one
    assert told == []


def test_the_menu_leads_to_the_tutorial(chromium: Any, site: tuple[str, Path]) -> None:
    page, told = opened(chromium, site[0])
    page.locator(".md-nav--primary a[href$='tutorial.html']").first.click()
    page.wait_for_url("**/tutorial.html")
    assert "pmed plugins new" in page.locator("article").inner_text()
    assert told == []


def test_the_search_finds_a_hook(chromium: Any, site: tuple[str, Path]) -> None:
    page, told = opened(chromium, site[0])
    page.locator("input.md-search__input").click()
    page.keyboard.type("register_predictors")
    page.locator(".md-search-result__item a", has_text="register_predictors").first.click()
    page.wait_for_url("**/hooks/**")
    assert told == []


def test_a_narrow_screen_needs_no_scrolling_to_the_side(chromium: Any, site: tuple[str, Path]) -> None:
    page, told = opened(chromium, site[0], viewport=NARROW)
    for one in ("tutorial", "plugins", "plan", "facts"):
        page.goto(f"{site[0]}/{one}.html")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), one
    assert told == []


def test_it_opens_from_a_folder_without_a_server(chromium: Any, site: tuple[str, Path]) -> None:
    # Its search needs a server: what Material has for folders loads a script of others.
    page = chromium.new_context().new_page()
    page.goto((site[1] / "index.html").as_uri())
    page.locator(".md-nav--primary a[href$='tutorial.html']").first.click()
    assert "pmed plugins new" in page.locator("article").inner_text()
    assert page.evaluate("getComputedStyle(document.querySelector('.md-header')).position") == "sticky"
