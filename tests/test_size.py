"""Files and functions stay small enough to be read in one go."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MOST_LINES = 400
MOST_BODY = 50


def python_files() -> list[Path]:
    return sorted([*ROOT.glob("pmed/**/*.py"), *ROOT.glob("plugins/*/src/**/*.py")])


def bodies(source: str) -> Iterator[tuple[str, int]]:
    """Name and lines of each function's body, its docstring left out."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            rest = node.body[1:] if ast.get_docstring(node) is not None else node.body
            yield node.name, (rest[-1].end_lineno or 0) - rest[0].lineno + 1 if rest else 0


@pytest.mark.parametrize("path", python_files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_file_and_functions_are_small(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    long = {name: lines for name, lines in bodies(source) if lines > MOST_BODY}
    assert not long, f"split these functions (over {MOST_BODY} lines): {long}"
    assert len(source.splitlines()) <= MOST_LINES, f"split this file (over {MOST_LINES} lines)"


def test_body_is_counted_without_its_docstring() -> None:
    source = 'def f():\n    """One.\n\n    More.\n    """\n    a = 1\n    return a\n\n\nasync def g(): ...\n'
    assert dict(bodies(source)) == {"f": 2, "g": 1}
