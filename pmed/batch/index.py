"""The index of a batch: one page that says who needs action, for which drug and how soon.

A plain table without JavaScript; with it, it can be searched, filtered and sorted. The Content-Security-Policy allows
the one style block and the one script by their hashes and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from markupsafe import Markup

from ..provenance import DISCLAIMER
from ..render.html import environment
from ..render.messages import ENGLISH, marked, speaking
from ..render.page import CURRENT_WORDS
from ..tables import URGENCIES
from .journal import Line

TEMPLATE, STYLES, SCRIPT = "index.html.j2", ("style.css", "index.css"), "index.js"
FAILED, UNKNOWN, NOTHING = marked("no report"), marked("not fully assessed"), marked("no change found")
ORDER = (FAILED, *URGENCIES, UNKNOWN, NOTHING)


def index_page(lines: Sequence[Line], language: str = ENGLISH) -> bytes:
    """The whole page as UTF-8; patients without a report first, then by urgency, then by name."""
    with speaking(language):
        return _rendered(lines, language).encode()


def _rendered(lines: Sequence[Line], language: str) -> str:
    rows = sorted(map(_row, lines), key=lambda row: (row["rank"], row["line"].patient_id))
    todo = [(one.drug, one.action) for line in lines for one in line.todo]
    return environment().get_template(TEMPLATE).render(
        language=language,
        rows=rows, words=CURRENT_WORDS, style=_style(), script=_file(SCRIPT), policy=_policy(), disclaimer=DISCLAIMER,
        drugs=sorted(Counter(drug for drug, _ in todo).items()),
        actions=[action for action in CURRENT_WORDS if action in {action for _, action in todo}],
        urgencies=ORDER, counts=Counter(row["urgency"] for row in rows))


def _row(line: Line) -> dict[str, Any]:
    urgency = _urgency(line)
    formats = dict.fromkeys(name.partition("/")[0] for name in line.exports)
    return {"line": line, "urgency": urgency, "rank": ORDER.index(urgency),
            "formats": [(name, name.removeprefix(Path(line.file).stem).lstrip("-.")) for name in formats]}


def _urgency(line: Line) -> str:
    """Of the most urgent medicine; "no change found" only where all that is taken was assessed."""
    if line.error:
        return FAILED
    if line.todo:
        return min((one.urgency for one in line.todo), key=URGENCIES.index)
    return UNKNOWN if line.open or line.partial or not line.recorded else NOTHING


@cache
def _file(name: str) -> Markup:
    """A file of this package's: ours, so it is not escaped."""
    loader = environment().loader
    assert loader is not None  # noqa: S101 - environment() gives it one
    return Markup(loader.get_source(environment(), name)[0])  # noqa: S704 - a file of this package


@cache
def _style() -> Markup:
    return Markup("\n").join(map(_file, STYLES))


@cache
def _policy() -> str:
    style, script = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
                     for text in (_style(), _file(SCRIPT)))
    return (f"default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{script}'; base-uri 'none'; "
            "form-action 'none'")
