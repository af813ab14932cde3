"""The report: one self-contained HTML file for one patient.

No script, no external request: the Content-Security-Policy allows the one style block by its hash, those of plugins'
sections by theirs, and nothing else.
All text from input is escaped by Jinja2; only http and https addresses become links.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ..errors import ResultError
from ..result import Result
from . import words
from .page import page
from .view import displays, general_issues, patient_views

TEMPLATE, STYLE, BOXES = "report.html.j2", "style.css", "sections.css"


@dataclass(frozen=True)
class HtmlExporter:
    """One patient's report as a single HTML file that needs neither network nor JavaScript."""

    name: ClassVar[str] = "html"
    suffix: ClassVar[str] = ".html"

    def export(self, result: Result) -> bytes:
        """The whole page as UTF-8.

        Raises:
            ResultError: where the result is not about exactly one patient.
        """
        views = patient_views(result)
        if len(views) != 1:
            raise ResultError(f"the HTML report is for one patient; this result has {len(views)}",
                              hint="choose one with result.for_patient(patient_id)")
        whole = {**views[0], "issues": [*views[0]["issues"], *general_issues(result)]}
        boxes = result.sections
        style = _style(bool(boxes))
        text = environment().get_template(TEMPLATE).render(
            page(whole, result.provenance, displays(result)), boxes=boxes, style=style,
            policy=_policy(style, *(box.style for box in boxes if box.style)))
        return text.encode()


@cache
def environment() -> Environment:
    """Jinja2 with everything escaped and no silent blanks; built when first used."""
    made = Environment(loader=PackageLoader("pmed.render"), autoescape=True, undefined=StrictUndefined,
                       trim_blocks=True, lstrip_blocks=True)
    made.filters.update(label=words.label, number=words.number, quantity=words.quantity, web_link=words.web_link)
    return made


@cache
def _style(sections: bool) -> Markup:
    """The style sheet, with that of plugins' boxes where there are some: ours, so it is not escaped."""
    loader = environment().loader
    assert loader is not None  # noqa: S101 - environment() gives it one
    parts = (loader.get_source(environment(), name)[0] for name in (STYLE, *([BOXES] if sections else [])))
    return Markup("\n".join(parts))  # noqa: S704 - files of this package


@cache
def _policy(*styles: str) -> str:
    digests = (base64.b64encode(hashlib.sha256(style.encode()).digest()).decode() for style in dict.fromkeys(styles))
    hashes = " ".join(f"'sha256-{digest}'" for digest in digests)
    return f"default-src 'none'; style-src {hashes}; base-uri 'none'; form-action 'none'"
