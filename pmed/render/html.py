"""The report: one self-contained HTML file for one patient.

No external request: the Content-Security-Policy allows the one style block and the one script by their hashes and
nothing else. The script only searches and filters what is there; without it everything can be read.
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
from . import messages, words
from .page import page
from .view import displays, general_issues, patient_views

TEMPLATE, STYLE, SCRIPT = "report.html.j2", "style.css", "report.js"


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
        text = environment().get_template(TEMPLATE).render(
            page(whole, result.provenance, displays(result)), style=_own(STYLE),
            script=_own(SCRIPT), policy=_policy())
        return text.encode()


@cache
def environment() -> Environment:
    """Jinja2 with everything escaped and no silent blanks; built when first used."""
    made = Environment(loader=PackageLoader("pmed.render"), autoescape=True, undefined=StrictUndefined,
                       trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.i18n"])
    made.policies["ext.i18n.trimmed"] = True
    getattr(made, "install_gettext_callables")(  # noqa: B009 - the extension adds it, unknown to type checkers
        messages.gettext, messages.ngettext, newstyle=True)
    made.filters.update(label=words.label, number=messages.number, day=messages.day,
                        quantity=words.quantity, web_link=words.web_link)
    return made


@cache
def _own(name: str) -> Markup:
    """The style sheet or the script: ours, so it is not escaped."""
    loader = environment().loader
    assert loader is not None  # noqa: S101 - environment() gives it one
    return Markup(loader.get_source(environment(), name)[0])  # noqa: S704 - a file of this package


@cache
def _policy() -> str:
    return (f"default-src 'none'; style-src '{_digest(STYLE)}'; script-src '{_digest(SCRIPT)}'; base-uri 'none'; "
            "form-action 'none'")


def _digest(name: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(_own(name).encode()).digest()).decode()}"
