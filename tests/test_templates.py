"""The Python that is kept of the templates is what jinja2 makes of them."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import msgspec
import pytest
from jinja2 import Environment, PackageLoader

from pmed.render.generated import Generated, Kept, generated
from tests.templates import environments

FILES = {path.parent.name: path for path in environments()}


@pytest.fixture(params=FILES)
def path(request: pytest.FixtureRequest) -> Path:
    found = FILES[request.param]
    made_by = msgspec.json.decode(found.read_bytes(), type=Kept).jinja2
    if made_by != metadata.version("jinja2"):
        pytest.skip(f"it was made by jinja2 {made_by}, and is not used here")
    return found


def test_it_is_of_these_templates(path: Path) -> None:
    assert path.read_bytes() == generated(environments()[path]), "python -m tests.templates"


def test_templates_are_not_made_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = environments()[path]
    assert environment.cache is not None
    environment.cache.clear()
    monkeypatch.setattr(Environment, "_parse", lambda *_: pytest.fail("a template that is known"))
    for name in environment.list_templates(filter_func=lambda name: name.endswith(".j2")):
        assert environment.get_template(name).name == name


def test_a_changed_template_is_made_anew(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = environments()[path].overlay(cache_size=0)
    source = PackageLoader.get_source
    monkeypatch.setattr(PackageLoader, "get_source", lambda self, env, name: (
        "changed" + source(self, env, name)[0], *source(self, env, name)[1:]))
    assert next(iter(environment.get_template("macros.html.j2").root_render_func(
        environment.get_template("macros.html.j2").new_context()))).startswith("changed")


def test_what_another_jinja2_made_is_not_used(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = f"pmed.{path.parent.name}"
    assert Generated(package).kept
    monkeypatch.setattr("pmed.render.generated.metadata.version", lambda _: "0")
    assert not Generated(package).kept
