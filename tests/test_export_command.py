"""``pmed report --fhir/--export``: files and folders, whole or not at all, and a stranger's format among them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest
from click.testing import CliRunner, Result

from pmed import builtin, hookimpl
from pmed.cli import cli
from pmed.errors import OptionError, PmedError
from pmed.files import write_all
from pmed.plugins import Plugins
from pmed.reporting import chosen_outputs

DEMO = Path(__file__).resolve().parents[1] / "pmed/demo"
FILES = ("json", "fhir", "hl7", "markdown", "text")
FOLDERS = ("csv", "tsv", "parquet", "omop")


def report(folder: Path, *arguments: str) -> Result:
    words: Sequence[str] = ("report", str(DEMO / "stent.vcf"), "--history", str(DEMO / "stent.json"), "-o",
                            str(folder / "r.html"), *arguments)
    return CliRunner().invoke(cli, words)


def test_every_format_in_one_run(tmp_path: Path) -> None:
    wanted = {name: tmp_path / f"out-{name}" for name in (*FILES, *FOLDERS)}
    words = [word for name, path in wanted.items() for word in (
        (f"--{name}", str(path)) if name in {"json", "fhir"} else ("--export", f"{name}={path}"))]
    done = report(tmp_path, *words)
    assert done.exit_code == 0, done.output
    assert all(wanted[name].is_file() and wanted[name].stat().st_size for name in FILES)
    assert all(any(wanted[name].iterdir()) for name in FOLDERS)
    assert json.loads(wanted["fhir"].read_text())["resourceType"] == "Bundle"
    assert {path.name for path in tmp_path.iterdir()} == {"r.html", *(path.name for path in wanted.values())}


def test_the_built_in_formats_are_these() -> None:
    assert {one.name for one in builtin.register_exporters()} == {"html", "pdf", *FILES, *FOLDERS}


@pytest.mark.parametrize("name", ["csv", "omop"])
def test_a_folder_that_is_not_empty_is_refused_and_nothing_is_written(tmp_path: Path, name: str) -> None:
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "mine.txt").write_text("mine")
    done = report(tmp_path, "--export", f"{name}={taken}", "--export", f"text={tmp_path / 'summary.txt'}")
    assert "is there already" in str(done.exception)
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]
    assert [path.name for path in taken.iterdir()] == ["mine.txt"]


def test_a_file_that_cannot_be_written_leaves_no_folder(tmp_path: Path) -> None:
    done = report(tmp_path, "--export", f"csv={tmp_path / 'tables'}", "--fhir", str(tmp_path / "no" / "f.json"))
    assert "does the folder exist?" in str(done.exception.hint)  # type: ignore[union-attr]
    assert done.exception.where == str(tmp_path / "no" / "f.json")  # type: ignore[union-attr]
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_whose_place_is_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(PmedError, match="cannot write") as caught:
        write_all({tmp_path / "a": b"1", tmp_path / "folder": b"2", tmp_path / "z": b"3"})
    assert caught.value.where == str(tmp_path / "folder")


def test_an_unknown_format_is_refused_before_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pmed.reporting.engine.run", lambda *_, **__: pytest.fail("it ran"))
    done = report(tmp_path, "--export", f"word={tmp_path / 'x'}")
    assert "no exporter 'word'" in str(done.exception)
    assert "hl7" in done.exception.hint  # type: ignore[union-attr]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("word", ["hl7", "hl7=", "=x", ""])
def test_a_word_of_another_form_is_refused(word: str) -> None:
    with pytest.raises(OptionError, match="takes FORMAT=PATH"):
        chosen_outputs({}, [word])


def test_formats_are_asked_for_once() -> None:
    assert chosen_outputs({"html": Path("r"), "json": None}, ["text=a=b"]) == {"html": Path("r"), "text": Path("a=b")}
    with pytest.raises(OptionError, match="'json' is asked for twice"):
        chosen_outputs({"json": Path("a")}, ["json=b"])


def test_a_strangers_format_comes_by_the_same_hook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    @dataclass(frozen=True)
    class Count:
        """The number of suggestions, in a folder."""

        name: ClassVar[str] = "count"
        suffix: ClassVar[str] = ""

        def export(self, result: object) -> dict[str, bytes]:
            return {"n.txt": str(result.suggestions.height).encode()}  # type: ignore[attr-defined]

    class Stranger:
        @hookimpl
        def register_exporters(self) -> list[type]:
            return [Count]

    load = Plugins.load
    monkeypatch.setattr(Plugins, "load", lambda self: (load(self), self.add(Stranger(), "stranger", "1"), self)[-1])
    done = report(tmp_path, "--export", f"count={tmp_path / 'count'}")
    assert done.exit_code == 0, done.output
    assert int((tmp_path / "count" / "n.txt").read_text()) > 50
