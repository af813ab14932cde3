"""JupyterLab itself, in Debian's Chromium: the notebook runs, the explorer answers, nothing is left behind.

PMED_PICTURES=FOLDER keeps the pictures to be looked at.
"""

from __future__ import annotations

import io
import json
import os
import re
import secrets
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest

import pmed
from pmed.notebook import lab
from tests.test_report_quality import FONT, MOST_DIFFERENT, SMALL, different

CHROMIUM = Path("/usr/bin/chromium")
if not CHROMIUM.exists():
    pytest.skip("no Chromium on this machine", allow_module_level=True)
pytest.importorskip("jupyterlab")
sync_api = pytest.importorskip("playwright.sync_api")

# JupyterLab's own words that say nothing about pmed: what it asks for and does not find on a machine without network.
HARMLESS = re.compile(r"favicon|ResizeObserver|WebGL|GPU|Autofocus|scroll-blocking")
# What JupyterLab throws, rarely, when it takes something off a busy page.
RACE = "Failed to execute 'removeChild' on 'Node'"
MINUTES = 180_000  # milliseconds: only what never comes is waited for so long
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")


@dataclass
class Server:
    """A JupyterLab that runs."""

    base: str
    token: str
    folder: Path

    def url(self, path: str) -> str:
        return f"{self.base}{path}{'&' if '?' in path else '?'}token={self.token}"

    def api(self, path: str, method: str = "GET") -> Any:
        request = Request(self.url(path), method=method, headers={"Authorization": f"token {self.token}"})
        with urlopen(request, timeout=60) as answer:
            text = answer.read()
        return json.loads(text) if text else None


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("home")
    folder = lab.working_copy(tmp_path_factory.mktemp("lab") / "copy")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = secrets.token_hex(8)
    command = lab.command(folder, ["--no-browser", "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}",
                                   "--ServerApp.port_retries=0", f"--IdentityProvider.token={token}", "--allow-root",
                                   "--LabApp.expose_app_in_browser=True"])
    here = {**os.environ, "HOME": str(home), "JUPYTER_CONFIG_DIR": str(home / "config"),
            "JUPYTER_DATA_DIR": str(home / "data"), "JUPYTER_RUNTIME_DIR": str(home / "run"),
            "IPYTHONDIR": str(home / "ipython"), "MPLCONFIGDIR": str(home / "mpl")}
    settings = {"notebook-extension/tracker": {"windowingMode": "none"},  # every cell is in the page
                "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False}}
    for name, value in settings.items():
        path = home / f"config/lab/user-settings/@jupyterlab/{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(value))
    log = home / "log"
    with log.open("wb") as sink:
        process = subprocess.Popen(command, cwd=folder, env=here, stdout=sink, stderr=subprocess.STDOUT)
    made = Server(f"http://127.0.0.1:{port}", token, folder)
    try:
        _wait(made, process, log)
        yield made
    finally:
        process.terminate()
        process.wait(30)


def _wait(server: Server, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(MINUTES // 250):
        try:
            server.api("/api/status")
        except (URLError, OSError):
            assert process.poll() is None, log.read_text()
            time.sleep(0.25)
        else:
            return
    pytest.fail(log.read_text())


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"])
        yield made
        made.close()


@dataclass
class Seen:
    """A page, and what it complained of."""

    page: Any
    theme: str
    errors: list[str]

    def picture(self, name: str) -> None:
        folder = os.environ.get("PMED_PICTURES")
        if folder:
            self.page.screenshot(path=f"{folder}/{name}-{self.theme}.png")


def not_a_race(error: Any) -> list[str]:
    """An error of the page and where it was thrown; none for `RACE`, unless a widget's script (a blob) threw it."""
    thrown = next((line for line in (error.stack or "").splitlines() if line.strip().startswith("at ")), "blob:")
    return [] if RACE in error.message and "blob:" not in thrown else [f"{error} {thrown.strip()}"]


def test_no_script_of_pmed_can_throw_that_race() -> None:
    scripts = [*Path(pmed.__file__).parent.rglob("*.js")]
    assert any(path.name == "explorer.js" for path in scripts)
    assert [path for path in scripts if "removeChild" in path.read_text("utf-8")] == []


@pytest.mark.parametrize(("message", "place", "told"), [
    (RACE, "http://127.0.0.1/static/lab/main.js:1:2", False), (RACE, "blob:http://127.0.0.1/1-2:1:2", True),
    ("x is not defined", "http://127.0.0.1/static/lab/main.js:1:2", True)])
def test_only_a_race_of_others_is_passed_over(message: str, place: str, told: bool) -> None:
    error = SimpleNamespace(message=message, stack=f"Error: {message}\n    at f ({place})\n    at g (blob:x)")
    assert bool(not_a_race(error)) is told
    assert not_a_race(SimpleNamespace(message=message, stack=""))


@pytest.fixture(params=["light", "dark"])
def seen(request: pytest.FixtureRequest, browser: Any) -> Iterator[Seen]:
    context = browser.new_context(viewport={"width": 1400, "height": 1000}, color_scheme=request.param)
    context.set_default_timeout(MINUTES)
    page = context.new_page()
    made = Seen(page, request.param, [])
    page.on("console", lambda said: made.errors.append(f"{said.text} {said.location.get('url', '')}")
            if said.type == "error" else None)
    page.on("pageerror", lambda error: made.errors.extend(not_a_race(error)))
    yield made
    made.picture("last")
    context.close()


def open_lab(seen: Seen, server: Server, path: str) -> Any:
    page = seen.page
    page.goto(server.url(f"/lab/workspaces/auto-{secrets.token_hex(4)}{path}"))
    page.wait_for_selector(".jp-LabShell")
    page.wait_for_function("document.body.dataset.jpThemeLight !== undefined")
    page.evaluate("() => window.jupyterapp.restored.then(() => null)")  # before that, commands may be unknown
    command(page, "apputils:change-theme", {"theme": f"JupyterLab {seen.theme.title()}"})
    light = "false" if seen.theme == "dark" else "true"
    page.wait_for_selector(f'body[data-jp-theme-light="{light}"]', state="attached")
    return page


def command(page: Any, name: str, given: dict[str, Any] | None = None) -> None:
    """One of JupyterLab's own commands, as its menus run them; not waited for, as it may ask back."""
    page.evaluate("([name, given]) => { window.jupyterapp.commands.execute(name, given); }", [name, given or {}])


def idle(page: Any) -> None:
    """Wait for the kernel: the notebook's own mark says idle before there is one."""
    page.locator(".jp-StatusBar-Widget").get_by_text("| Idle").wait_for()


def run_all(page: Any) -> None:
    page.wait_for_selector(".jp-Notebook .jp-CodeCell")
    idle(page)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()


def see_the_plan(seen: Seen) -> None:
    plan = seen.page.locator('.jp-OutputArea [aria-label="Plan of demo-stent"]').first
    plan.wait_for()
    assert "Avoid clopidogrel" in plan.inner_text()
    assert plan.evaluate("one => getComputedStyle(one).backgroundColor") == (
        "rgb(20, 24, 29)" if seen.theme == "dark" else "rgb(255, 255, 255)")
    idle(seen.page)
    plan.evaluate("one => one.scrollIntoView()")
    seen.picture("plan")


def switch_off_by_keyboard(seen: Seen, explorer: Any) -> None:
    """Paroxetine off: the line of the gene that it inhibits changes, what was unfolded stays so, the focus stays."""
    explorer.locator("details", has_text="Genes:").locator("summary").first.click()
    gene = explorer.locator(".pv-right tr", has=seen.page.locator("th", has_text=re.compile("^CYP2D6$"))).last
    today = gene.locator("td").nth(2)
    assert today.inner_text() == "Poor Metabolizer"
    box = explorer.get_by_label("paroxetine", exact=True)
    box.focus()
    seen.page.keyboard.press("Space")
    changed = explorer.locator('tr[data-gene="CYP2D6"]')
    changed.wait_for()
    assert changed.locator("td").all_inner_texts() == ["Poor Metabolizer", "Normal Metabolizer"]
    assert today.inner_text() == "Normal Metabolizer"
    assert box.evaluate("one => one === document.activeElement")
    explorer.evaluate("one => one.scrollIntoView()")
    seen.picture("explorer")


def change_more_and_take_it_back(explorer: Any) -> None:
    add = explorer.get_by_label("Add", exact=True)
    add.fill("citalopram")
    add.press("Enter")
    explorer.locator('.pv-card[data-drug="citalopram"]').first.wait_for()
    weight = explorer.get_by_label("weight", exact=True)
    weight.fill("50")
    weight.press("Enter")
    explorer.get_by_text("weight is 50 kg").first.wait_for()
    explorer.get_by_role("button", name="As recorded").click()
    explorer.get_by_text("What if").first.wait_for(state="detached")
    assert explorer.get_by_label("paroxetine", exact=True).is_checked()


def restart_leaves_nothing(seen: Seen, server: Server) -> None:
    before = [one["id"] for one in server.api("/api/kernels")]
    command(seen.page, "kernelmenu:restart-and-clear")
    seen.page.locator(".jp-Dialog .jp-mod-accept").click()
    seen.page.locator(".pmed-view").first.wait_for(state="detached")
    assert seen.page.locator(".pmed-view, .pmed-explorer").count() == 0
    idle(seen.page)
    assert [one["id"] for one in server.api("/api/kernels")] == before


def test_from_the_notebook_to_the_explorer(seen: Seen, server: Server) -> None:
    page = open_lab(seen, server, "/tree/01-first-report.ipynb")
    run_all(page)
    see_the_plan(seen)
    explorer = page.locator(".pmed-explorer").first
    explorer.wait_for()
    switch_off_by_keyboard(seen, explorer)
    change_more_and_take_it_back(explorer)
    restart_leaves_nothing(seen, server)
    assert [one for one in seen.errors if not HARMLESS.search(one)] == []
    close(server)


def close(server: Server) -> None:
    """End what a page started, as closing it does not; a kernel may be starting only now."""
    for _ in range(MINUTES // 250):
        for one in server.api("/api/sessions"):
            server.api(f"/api/sessions/{one['id']}", "DELETE")
        if not server.api("/api/kernels"):
            return
        time.sleep(0.25)
    pytest.fail("kernels are left behind")


def test_launcher_entries_make_notebooks(seen: Seen, server: Server) -> None:
    page = open_lab(seen, server, "")
    for label, cell in (("New patient", "A new patient"), ("New predictor", "A new predictor")):
        command(page, "launcher:create")
        # JupyterLab may have made a launcher of its own, which then lies behind this one.
        card = page.locator(f'.jp-LauncherCard:has-text("{label}"):visible').first
        card.wait_for()
        if label == "New patient":
            seen.picture("launcher")
        card.click()
        page.get_by_role("heading", name=cell).first.wait_for()
    held = {path.name for path in server.folder.iterdir()}
    assert {"new-patient.ipynb", "new-predictor.ipynb"} <= held
    idle(page)
    assert [one for one in seen.errors if not HARMLESS.search(one)] == []
    close(server)


GOLDEN = Path(__file__).parent / "golden" / "lab"


def a_notebook(server: Server, name: str, code: str) -> str:
    """A notebook of one cell in the working copy; its place in JupyterLab."""
    cell = {"cell_type": "code", "id": "one", "metadata": {}, "source": code, "outputs": [], "execution_count": None}
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    book = {"cells": [cell], "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
    (server.folder / name).write_text(json.dumps(book))
    return f"/tree/{name}"


def small(part: Any) -> bytes:
    """A part of the page at a size where the shapes of letters are gone."""
    image = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    taken = image.open(io.BytesIO(part.screenshot())).convert("L")
    made = io.BytesIO()
    size = (SMALL, round(taken.height * SMALL / taken.width))
    taken.resize(size, image.Resampling.BOX).save(made, "PNG", optimize=True)
    return made.getvalue()


def looks_as_before(seen: Seen, part: Any, name: str) -> None:
    """Compared as the report's pictures are; PMED_NEW_PICTURES=1 renews them."""
    seen.page.add_style_tag(content=FONT)
    seen.page.mouse.move(0, 0)
    now, golden = small(part), GOLDEN / f"{name}-{seen.theme}.png"
    if os.environ.get("PMED_NEW_PICTURES"):
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_bytes(now)
    assert different(now, golden.read_bytes()) <= MOST_DIFFERENT


def test_many_patients_are_filtered_and_one_is_opened(seen: Seen, server: Server) -> None:
    page = open_lab(seen, server, a_notebook(server, "everybody.ipynb", "import pmed\n\npmed.demo().explore()"))
    run_all(page)
    explorer = page.locator(".pmed-explorer").first
    rows = explorer.locator("tbody tr")
    explorer.get_by_text("4 of 4 patients").wait_for()
    assert rows.count() == 4
    looks_as_before(seen, explorer, "everybody")

    explorer.get_by_label("Medicine", exact=True).select_option("clopidogrel")
    explorer.get_by_text("1 of 4 patients").wait_for()
    assert rows.locator("th").all_inner_texts() == ["demo-stent"]
    assert different(small(explorer), (GOLDEN / f"everybody-{seen.theme}.png").read_bytes()) > MOST_DIFFERENT
    seen.picture("one-of-four")

    rows.get_by_role("button", name="demo-stent").click()
    explorer.get_by_label("omeprazole", exact=True).wait_for()
    assert "Avoid clopidogrel" in explorer.locator(".pv-right").inner_text()
    looks_as_before(seen, explorer, "opened")
    assert [one for one in seen.errors if not HARMLESS.search(one)] == []
    close(server)
