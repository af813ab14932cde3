"""Imports point one way: a module may import only from layers below its own.

Stages meet only as tables, so no stage imports another. Plugins enter through the public door like a stranger's.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

LAYERS = [  # lowest first; nothing imports from its own layer
    {"errors", "collecting", "processors", "plans", "lists", "masses"},
    {"lately"},
    {"tables", "options", "files", "settings", "flow", "verdicts", "compatibility", "repeats", "pools",
     "old_entries"},
    {"types", "schema", "vocabularies", "allowlist", "modelling", "handover"},
    {"hookspecs"},
    {"components"},
    {"plugins"},
    {"terminal", "spelling", "halving", "apart"},
    {"result", "provenance"},
    {"genomics", "normalise"},
    {"measured"},
    {"sources", "features", "explain", "render", "importing", "cohorts", "sections"},
    {"builtin", "medicine_cautions"},
    {"stages.read", "stages.link", "stages.normalise", "stages.features", "stages.predict", "stages.explain",
     "stages.advise"},
    {"engine"},
    {"pmed"},  # the front door
    {"demo", "quality", "records", "fetching", "whatif", "predicting", "plots", "listing"},
    {"batch", "testing", "scaffold"},
    {"modelcommands"},
    {"cohort"},
    {"reporting", "readers", "plugincommands"},
    {"notebook"},
    {"cli"},
    {"__main__"},
]
# A method that starts a new run asks for the engine when it is called, and a display for its template when it is shown,
# never when their module is loaded.
SHOWN = ("modelling", "result", "types", "whatif", "records")
ON_CALL = {("result", "whatif"), *((unit, "notebook") for unit in SHOWN)}
RANK = {unit: rank for rank, layer in enumerate(LAYERS) for unit in layer}
PARTS = {"genomics", "normalise", "sources", "features", "explain", "render"}
SHARED_PARTS = {"genomics", "normalise"}  # the only parts that another part may use
PUBLIC = {"pmed", "pmed.cohorts", "pmed.engine", "pmed.errors", "pmed.files", "pmed.lists", "pmed.masses",
          "pmed.measured", "pmed.modelling", "pmed.modelling.effect", "pmed.old_entries", "pmed.plans", "pmed.repeats",
          "pmed.schema", "pmed.tables", "pmed.terminal", "pmed.testing", "pmed.types", "pmed.verdicts",
          "pmed.vocabularies"}


def files(*patterns: str) -> list[Path]:
    return sorted(path for pattern in patterns for path in ROOT.glob(pattern))


def module_of(path: Path, root: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(source: str, package: str) -> Iterator[tuple[str, str]]:
    """(module, name or "") of each import that runs; those for type checkers only are left out."""
    tree = ast.parse(source)
    guards = [node for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)]
    typing_only = {inner for guard in guards for inner in ast.walk(guard)}
    for node in ast.walk(tree):
        if node in typing_only:
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[:len(package.split(".")) - node.level + 1] if node.level else []
            yield from ((".".join([*base, *filter(None, [node.module])]), alias.name) for alias in node.names)


def unit_of(module: str) -> str:
    """The unit of the layer list: a top module, a package, or one stage."""
    parts = module.split(".")[1:]
    return "pmed" if not parts else ".".join(parts[:2]) if parts[0] == "stages" else parts[0]


def imported_units(path: Path) -> set[str]:
    module = module_of(path, ROOT)
    package = module if path.stem == "__init__" else module.rpartition(".")[0]
    found = set()
    for base, name in imports(path.read_text(encoding="utf-8"), package):
        target = ROOT.joinpath(*base.split("."))
        inner = name and ((target / f"{name}.py").is_file() or (target / name / "__init__.py").is_file())
        if base.split(".")[0] == "pmed":
            found.add(unit_of(f"{base}.{name}" if inner else base))
    return found - {unit_of(module)}


@pytest.mark.parametrize("path", files("pmed/**/*.py"), ids=lambda path: module_of(path, ROOT))
def test_imports_point_one_way(path: Path) -> None:
    unit = unit_of(module_of(path, ROOT))
    units = imported_units(path)
    if unit == "stages":
        assert not units
        return
    for known in (unit, *units):
        assert known in RANK, f"put {known!r} into a layer of {Path(__file__).name}"
    upward = {other for other in units if RANK[other] >= RANK[unit] and (unit, other) not in ON_CALL}
    assert not upward, f"{unit} must not import {', '.join(sorted(upward))}"
    if unit in PARTS:
        assert units & PARTS <= SHARED_PARTS, f"{unit} must not import another part"


@pytest.mark.parametrize("path", files("plugins/*/src/**/*.py"), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_plugins_use_only_the_public_api(path: Path) -> None:
    source_root = next(parent for parent in path.parents if parent.name == "src")
    own = path.relative_to(source_root).parts[0]
    module = module_of(path, source_root)
    package = module if path.stem == "__init__" else module.rpartition(".")[0]
    others = {folder.name for folder in files("plugins/*/src/*")} - {own}
    for base, name in imports(path.read_text(encoding="utf-8"), package):
        top = base.split(".")[0]
        assert top not in others, f"{own} must not import {top}"
        if top == "pmed":
            door = f"pmed.{name}" if base == "pmed" and f"pmed.{name}" in PUBLIC else base
            assert door in PUBLIC, f"{base}.{name} is private; public are {', '.join(sorted(PUBLIC))}"


def test_the_guide_names_the_public_modules() -> None:
    guide = (ROOT / "docs/plugins.md").read_text(encoding="utf-8")
    section = guide.partition("## What you may import")[2].partition("##")[0]
    assert set(re.findall(r"`(pmed[\w.]*)`", section)) == PUBLIC


NAMES = re.compile(
    r"\b(CYP\w+|VKORC1|SLCO1B1|DPYD|TPMT|NUDT15|UGT1A1|warfarin|clopidogrel|amiodarone|\w+statin|tacrolimus|rs\d+)\b")


def knows(source: str) -> set[str]:
    """Genes, drugs and sites in the code itself: strings that are not documentation, and names."""
    tree = ast.parse(source)
    prose = {id(node.body[0].value) for node in ast.walk(tree)
             if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None
             and isinstance(node.body[0], ast.Expr)}
    strings = [node.value for node in ast.walk(tree)
               if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose]
    return {hit for text in strings for hit in NAMES.findall(text) if " " not in text.strip()}


@pytest.mark.parametrize("path", [path for path in files("pmed/**/*.py") if "demo" not in path.parts],
                         ids=lambda path: module_of(path, ROOT))
def test_core_knows_no_gene_and_no_drug(path: Path) -> None:
    assert not knows(path.read_text(encoding="utf-8")), "genes, drugs and sites belong into a plugin"


def test_the_checks_see_what_they_look_for() -> None:
    source = ("from __future__ import annotations\nfrom . import flow\nfrom ..tables import Table\nimport pmed.engine\n"
              "if TYPE_CHECKING:\n    from .cli import main\ndef f():\n    '''on warfarin'''\n    return 'CYP2C19'\n")
    found = set(imports(source, "pmed.stages"))
    assert {("pmed.stages", "flow"), ("pmed.tables", "Table"), ("pmed.engine", "")} <= found
    assert not {name for _, name in found} & {"main"}
    assert knows(source) == {"CYP2C19"}
