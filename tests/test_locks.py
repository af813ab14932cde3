"""The locks hold names, versions and hashes that fit the ranges in pyproject.toml, and no addresses."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
LOCKS = {"run": ROOT / ".ci/locked.txt", "dev": ROOT / ".ci/locked-dev.txt",
         "spark": ROOT / ".ci/locked-spark.txt",
         "oldest polars": ROOT / ".ci/locked-polars-oldest.txt"}
PYTHONS = ("3.11", "3.12", "3.13")


def locked(which: str, python: str) -> dict[str, Requirement]:
    """The locked requirements that apply on Linux with one version of Python."""
    there = {"python_version": python, "python_full_version": f"{python}.9", "sys_platform": "linux",
             "os_name": "posix", "platform_machine": "x86_64", "platform_system": "Linux",
             "implementation_name": "cpython", "platform_python_implementation": "CPython"}
    text = LOCKS[which].read_text(encoding="utf-8")
    pins = [Requirement(line.removesuffix(" \\")) for line in text.splitlines() if re.match(r"\w", line)]
    fitting = [pin for pin in pins if pin.marker is None or Marker(str(pin.marker)).evaluate(there)]
    found: dict[str, Requirement] = {canonicalize_name(pin.name): pin for pin in fitting}
    assert len(found) == len(fitting), "a package is locked twice"
    return found


def wanted(*extras: str) -> list[Requirement]:
    """What pyproject.toml and the plugins ask for, pmed and its plugins left out."""
    projects = [tomllib.loads(path.read_text(encoding="utf-8"))
                for path in (ROOT / "pyproject.toml", *ROOT.glob("plugins/pmed-*/pyproject.toml"))]
    names = [name for one in projects for name in (*one["build-system"]["requires"], *one["project"]["dependencies"])]
    names += [name for extra in extras for name in projects[0]["project"]["optional-dependencies"][extra]]
    return [need for need in map(Requirement, names) if not need.name.startswith("pmed")]


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize(("which", "extras"), [("run", ()), ("dev", ("dev", "lab", "records")),
                                               ("spark", ("spark",))])
def test_lock_has_what_the_project_asks_for(which: str, extras: tuple[str, ...], python: str) -> None:
    pins = locked(which, python)
    for need in wanted(*extras):
        pin = pins.get(canonicalize_name(need.name))
        assert pin is not None, f"{need} is not locked: run make lock"
        version = str(pin.specifier).removeprefix("==")
        assert need.specifier.contains(version), f"{need} is locked at {version}: run make lock"


@pytest.mark.parametrize("python", PYTHONS)
def test_both_locks_agree(python: str) -> None:
    run, dev = locked("run", python), locked("dev", python)
    assert {name: str(pin.specifier) for name, pin in run.items()} == {name: str(dev[name].specifier) for name in run}


@pytest.mark.parametrize("python", PYTHONS)
def test_spark_goes_on_top_of_the_development_tools_and_changes_no_version(python: str) -> None:
    spark, dev = locked("spark", python), locked("dev", python)
    both = spark.keys() & dev.keys()
    assert {name: str(spark[name].specifier) for name in both} == {name: str(dev[name].specifier) for name in both}
    assert {"pyspark", "py4j", "pyarrow"} <= spark.keys()


@pytest.mark.parametrize("which", LOCKS)
def test_every_pin_is_exact_and_hashed_and_no_line_is_an_address(which: str) -> None:
    text = LOCKS[which].read_text(encoding="utf-8")
    pins = re.split(r"(?m)^(?=\w)", text)[1:]
    for pin in pins:
        assert re.match(r"[\w.-]+==[\w.]+( ; [^\\\n]+)? \\\n(    --hash=sha256:[0-9a-f]{64}( \\)?\n)+\Z", pin), pin
    assert "://" not in text


def test_the_oldest_polars_that_is_tried_is_the_one_that_is_promised() -> None:
    [pin] = [one for one in locked("oldest polars", "3.11").values() if one.name == "polars"]
    oldest = str(pin.specifier).removeprefix("==")
    asked = [str(need.specifier) for need in wanted() if need.name == "polars"]
    template = (ROOT / "pmed/scaffold/templates/pyproject.toml.j2").read_text(encoding="utf-8")
    assert set(asked) == {f"<3,>={oldest}"}
    assert f'"polars>={oldest},<3"' in template
