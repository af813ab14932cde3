"""Run the python and shell blocks of documents in the current folder: ``python -m tests.docs_blocks PAGE...``.

Blocks of a page run in sequence: python in one namespace, each shell block in a bash of its own. What cannot run here
says so where it stands, in a comment that only the source shows: ``<!-- not run: REASON -->``.
"""

from __future__ import annotations

import doctest
import importlib
import re
import site
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([ROOT / "README.md", *ROOT.glob("docs/**/*.md")])
_BLOCK = re.compile(r"(?:<!-- (?P<mark>not run|from): (?P<about>[^\n]+?) -->\n+)?"
                    r"^```(?P<language>python|sh)\n(?P<code>.*?)^```", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A piece of code.

    Attributes:
        language: ``python`` or ``sh``.
        code: Its text.
        line: Of the document, 1-based, where it begins.
        skipped: Why it is not run; empty where it is.
        source: File of the repository that it is a part of; it runs among the names of that file.
    """

    language: str
    code: str
    line: int
    skipped: str = ""
    source: str = ""


def blocks(page: Path) -> list[Block]:
    """The python and shell blocks of a page."""
    text = page.read_text(encoding="utf-8")
    return [Block(one["language"], one["code"], text.count("\n", 0, one.start("code")) + 1,
                  (one["about"] or "") if one["mark"] == "not run" else "",
                  (one["about"] or "") if one["mark"] == "from" else "") for one in _BLOCK.finditer(text)]


def run_page(page: Path) -> None:
    """Run all blocks; the first that fails ends it.

    Raises:
        AssertionError: where a shell block or an example in a session fails; it names the place.
    """
    names: dict[str, Any] = {"__name__": f"blocks_of_{page.stem}"}
    sys.modules[names["__name__"]] = type(sys)(names["__name__"])  # where dataclasses look for what a class is in
    for block in blocks(page):
        where = f"{page.name} line {block.line}"
        sys.stdout.write(f"{where}\n")
        sys.stdout.flush()
        if not block.skipped:
            _run(block, names, where)


def _run(block: Block, names: dict[str, Any], where: str) -> None:
    if block.language == "sh":
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", block.code], check=False, stdin=subprocess.DEVNULL)
        assert done.returncode == 0, f"{where}: exit code {done.returncode}"
        site.addsitedir(sysconfig.get_paths()["purelib"])  # what the block installed can be imported from here on
    elif block.code.startswith(">>>"):
        said: list[str] = []
        test = doctest.DocTestParser().get_doctest(block.code, names, where, where, 0)
        doctest.DocTestRunner(verbose=False).run(test, out=said.append, clear_globs=False)
        names.update(test.globs)
        assert not said, "".join(said)
    else:
        lines = "\n" * (block.line - 1)  # so that a traceback names the line of the document
        exec(compile(lines + block.code, where.partition(" ")[0], "exec"), _names_of(block.source) or names)


def _names_of(source: str) -> dict[str, Any]:
    """What a block may use that stands in a file of the repository."""
    if not source:
        return {}
    path = Path(source).with_suffix("")
    parts = path.parts[path.parts.index("src") + 1:] if "src" in path.parts else path.parts
    if "examples" in parts:
        parts = parts[-1:]
    return dict(vars(importlib.import_module(".".join(one for one in parts if one != "__init__"))))


if __name__ == "__main__":
    for name in sys.argv[1:]:
        run_page(Path(name))
