"""What sources, feature steps, advisers, sections, exporters and knowledge releases promise."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import polars as pl

from ..errors import PmedError
from ..flow import gives
from ..plugins import Component
from ..result import Result
from ..sections import with_sections
from ..stages import advise as advising
from ..stages import read as reading
from ..types import ReadRequest
from .predictor_checks import HOSTILE
from .subject import Broken, must, names_there_are
from .world import World, of_patient, shown

Check = Callable[[Component, World], None]
_NOT_A_FILE: Final = (b"", b"\x00\xff\xfe garbage \x1b", b"<html>not what you think</html>")
MOST_LINES: Final = 20
_MARKUP: Final = re.compile(r"<(script|img)\b", re.IGNORECASE)


# Sources

def check_source_reads_its_example(component: Component, world: World) -> None:
    """``examples()`` gives files by name; the source knows them, reads them into sound tables, twice the same."""
    for name, content in _examples(component).items():
        with TemporaryDirectory() as folder:
            path = Path(folder, name)
            path.write_bytes(content)
            must(component.made.matches(path) is True, f"matches() does not know its own example {name!r}")
            first, second = (_read(component, path, world) for _ in range(2))
            must(any(frame.height for frame in first.values()), f"{name!r} gives no rows")
            same = all(frame.equals(second[table]) for table, frame in first.items())
            must(same, f"{name!r} is read differently the second time")
            must(path.read_bytes() == content, f"reading changes {name!r}")


def check_source_refuses_clearly(component: Component, world: World) -> None:
    """A file that is missing, empty, damaged or something else is one clear line (PmedError), or rows of ``issues``."""
    for name, example in _examples(component).items():
        with TemporaryDirectory() as folder:
            path = Path(folder, name)
            _must_be_clear(component, path, world, "a missing file")
            for content in _NOT_A_FILE:
                path.write_bytes(content)
                _must_be_clear(component, path, world, f"a file of {content!r}")
            for content, line in _damaged(example):
                path.write_bytes(content)
                _must_be_clear(component, path, world, f"its example with the line {line!r}")


def _damaged(example: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The example with an x for the last digit of a line, or cut off after it, one line at a time; and that line."""
    lines = example.splitlines(keepends=True)
    for at, line in enumerate(lines[:MOST_LINES]):
        odd = re.sub(rb"\d(?=\D*$)", b"x", line)
        for new in (odd, line[: len(line) // 2]):
            yield b"".join([*lines[:at], new, *lines[at + 1:]]), new


def _examples(component: Component) -> Mapping[str, bytes]:
    offered: Mapping[str, bytes] = getattr(component.made, "examples", dict)()
    must(offered, "brings no file to be tried on: give it `examples()`, a mapping of file name to bytes")
    return offered


def _read(component: Component, path: Path, world: World) -> dict[str, pl.DataFrame]:
    asked: ReadRequest = world.engine.request([*world.engine.steps, *world.engine.predictors])
    return reading.read([component], component.made.kind, [path], asked)


def _must_be_clear(component: Component, path: Path, world: World, what: str) -> None:
    try:
        component.made.matches(path)
        asked = world.engine.request([])
        component.made.read([path], asked)
    except PmedError:
        return
    except Exception as error:
        raise Broken(f"{what} breaks it: {type(error).__name__}: {error}; raise pmed.errors.InputError") from error


# Feature steps

def check_step_needs_exist(component: Component, world: World) -> None:
    """Every table and feature that it needs is given by some installed plugin."""
    faults = list(names_there_are(world.subject.plugins).never_given(component.made.needs))
    must(not faults, "; ".join(faults))


def check_step_is_sound(component: Component, world: World) -> None:
    """It runs on the invented patients, gives what it declares and nothing else, and twice the same."""
    first, second = world.steps(world.read), world.steps(world.read)
    for name, frame in first.items():
        must(frame.equals(second[name]), f"{name!r} differs from one run to the next")
    must(component.made.gives, "gives nothing")


def check_step_one_by_one(component: Component, world: World) -> None:
    """A patient's features do not depend on who else is in the batch."""
    whole = world.steps(world.read)["features"]
    for patient in whole["patient_id"]:
        alone = world.steps(of_patient(world.read, patient))["features"]
        mine = whole.filter(patient_id=patient)
        must(alone.select(mine.columns).equals(mine), f"{component.name}: {patient} alone gets other features")


def check_step_without_patients(component: Component, world: World) -> None:
    """No patients: no rows, and no error."""
    empty = {name: frame.clear() for name, frame in world.read.items()}
    must(world.steps(empty)["features"].is_empty(), f"{component.name} makes patients")


def check_step_does_not_change_its_input(component: Component, world: World) -> None:
    """The tables that are handed over stay as they were."""
    tables = {**world.steps(world.read)}
    for name in [name for name in tables if any(name == given for given in component.made.gives)]:
        del tables[name]
    own = [name for name in tables["features"].columns if gives(component.made, name)]
    tables["features"] = tables["features"].drop(own)
    before = {name: frame.clone() for name, frame in tables.items()}
    component.made.run(tables, [name for name in world.wanted if gives(component.made, name)])
    must(tables.keys() == before.keys(), "run() adds to or takes from the tables it is handed")
    for name, frame in tables.items():
        must(frame.equals(before[name]), f"run() changes {name!r}")


# Advisers

def check_adviser_is_sound(component: Component, world: World) -> None:
    """Suggestions of patients there are, with a concern that fits the action; without predictions there are none."""
    before = len(world.subject.failures)
    tables = world.advised()
    said = advising.advise(world.subject.plugins, [component], tables)
    again = advising.advise(world.subject.plugins, [component], tables)
    world.must_be_well(before)
    must(said.equals(again), "the same predictions give other suggestions")
    nothing = {name: frame.clear() for name, frame in tables.items()}
    must(advising.advise(world.subject.plugins, [component], nothing).is_empty(), "advises without any prediction")
    world.must_be_well(before)


# Sections

def check_section_is_sound(component: Component, world: World) -> None:
    """It says something sound, or nothing, of each patient; twice the same; also where tables are empty."""
    for result in (world.result, world.hostile):
        for patient in result.patient_ids:
            _must_say(component, world, result.for_patient(patient), patient)
    empty = {name: frame if name == "patients" else frame.clear() for name, frame in world.result.tables.items()}
    for patient in world.result.tables["patients"]["patient_id"]:
        _must_say(component, world, Result(empty, (), world.result.provenance).for_patient(patient), patient)


def check_section_escapes(component: Component, world: World) -> None:
    """Text of a record comes out as text, never as markup."""
    for patient in world.hostile.patient_ids:
        mine = world.hostile.for_patient(patient)
        said = component.made.render({name: mine.tables[name] for name in component.made.needs}, patient)
        must(not isinstance(said, str) or not _MARKUP.search(said),
             "puts text of the record into its markup as it is: use html.escape, or return a dict")


def _must_say(component: Component, world: World, result: Result, patient: str) -> None:
    before = len(world.subject.failures)
    first, second = (with_sections(world.subject.plugins, [component], result) for _ in range(2))
    world.must_be_well(before)
    must(first.sections == second.sections, f"says something else of {patient} the second time")


# Exporters

def check_exporter_is_sound(component: Component, world: World) -> None:
    """Bytes, or files by name; twice the same; the result stays as it was."""
    before = {name: frame.clone() for name, frame in world.result.tables.items()}
    first, second = (_exported(component, world.result) for _ in range(2))
    must(first == second, "the same result is written differently the second time")
    must(all(frame.equals(before[name]) for name, frame in world.result.tables.items()), "export() changes the result")
    must(str(component.made.suffix).startswith(".") or component.made.suffix == "", "`suffix` must begin with a dot")


def check_exporter_without_patients(component: Component, world: World) -> None:
    """A result without patients or without rows is written too, or refused in one clear line."""
    try:
        _exported(component, world.nobody)
    except PmedError:
        return


def check_exporter_escapes(component: Component, world: World) -> None:
    """In HTML, XML and SVG, text of a record comes out as text."""
    said = _exported(component, world.hostile)
    if re.search(r"\.(html?|xml|svg)$", str(component.made.suffix)):
        must(HOSTILE[2:27] not in shown(said), "puts text of the record into its markup as it is")


def _exported(component: Component, result: Result) -> Any:
    said = component.made.export(result)
    files = said.values() if isinstance(said, Mapping) else [said]
    must(all(isinstance(one, bytes) for one in files), f"export() must return bytes. Got {type(said).__name__}")
    return said


# Models

def check_model_ships_what_it_says(component: Component, _: World) -> None:
    """The model that the plugin brings, if any, can be read, and its files have the hashes of its manifest."""
    folder = component.made.shipped()
    if folder is not None:
        from ..modelling import load_model

        must(load_model(folder).card.name.strip(), "the card of its model has no name")


# Knowledge

def check_release_is_described(component: Component, _: World) -> None:
    """Version, date, licence, source and hash are there and can be read."""
    made = component.made
    for name in ("version", "licence", "source"):
        must(getattr(made, name).strip(), f"`{name}` is empty")
    must(re.fullmatch(r"[0-9a-f]{64}", made.sha256), "`sha256` must be 64 hex digits")
    must(_is_date(made.date), f"`date` must be YYYY-MM-DD. Got {made.date!r}")


def _is_date(text: str) -> bool:
    try:
        return bool(date.fromisoformat(text))
    except ValueError:
        return False


def _all(prefix: str) -> tuple[Check, ...]:
    return tuple(value for name, value in list(globals().items()) if name.startswith(f"check_{prefix}"))


CHECKS: Final[Mapping[str, tuple[Check, ...]]] = {
    "register_sources": _all("source"), "register_features": _all("step"), "register_advisers": _all("adviser"),
    "register_models": _all("model"),
    "register_sections": _all("section"), "register_exporters": _all("exporter"), "register_knowledge": _all("release"),
}
