"""The report: one self-contained HTML file for one patient, for the clinician or for the patient.

No external request: the Content-Security-Policy allows the one style block, the one script and the styles of plugins'
sections by their hashes and nothing else. The script only searches and filters what is there; without it everything
can be read.
All text from input is escaped by Jinja2; only http and https addresses become links.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ..errors import ResultError
from ..options import option
from ..provenance import DISCLAIMER
from ..result import Result
from . import messages, words
from .generated import Generated
from .page import ACTION_WORDS, page
from .patient import patient_page
from .view import displays, general_issues, patient_views

TEMPLATES = {"clinician": "report.html.j2", "patient": "patient.html.j2"}
STYLES = {"clinician": ("style.css",), "patient": ("style.css", "patient.css")}
SCRIPTS = {"clinician": ("report.js",), "patient": ()}
BOXES = "sections.css"


@dataclass(frozen=True)
class HtmlExporter:
    """One patient's report as a single HTML file that needs neither network nor JavaScript."""

    name: ClassVar[str] = "html"
    suffix: ClassVar[str] = ".html"
    language: str = option(messages.ENGLISH, doc="Language of the report.", choices=messages.languages())
    audience: str = option("clinician", doc="Whom the report is for.", choices=tuple(TEMPLATES))

    def export(self, result: Result) -> bytes:
        """The whole page as UTF-8.

        Raises:
            ResultError: where the result is not about exactly one patient.
        """
        with messages.speaking(self.language):
            views = patient_views(result)
            if len(views) != 1:
                raise ResultError(f"the HTML report is for one patient; this result has {len(views)}",
                                  hint="choose one with result.for_patient(patient_id)")
            # Plugins write their sections for clinicians.
            boxes = result.sections if self.audience == "clinician" else ()
            style, script = _own(*STYLES[self.audience], *([BOXES] if boxes else [])), _own(*SCRIPTS[self.audience])
            return environment().get_template(TEMPLATES[self.audience]).render(
                self._content(views[0], result), boxes=boxes, style=style, script=script, language=self.language,
                policy=_policy(script, style, *(box.style for box in boxes if box.style))).encode()

    def _content(self, view: Mapping[str, Any], result: Result) -> dict[str, Any]:
        whole = {**view, "issues": [*view["issues"], *general_issues(result)]}
        if self.audience == "clinician":
            return page(whole, result.provenance, displays(result))
        return {**patient_page(whole), "disclaimer": result.provenance.get("disclaimer") or DISCLAIMER,
                "action_words": ACTION_WORDS}


@cache
def environment() -> Environment:
    """Jinja2 with everything escaped and no silent blanks; built when first used."""
    made = Environment(loader=PackageLoader("pmed.render"), autoescape=True, undefined=StrictUndefined,
                       trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.i18n"],
                       bytecode_cache=Generated("pmed.render"))
    made.policies["ext.i18n.trimmed"] = True
    getattr(made, "install_gettext_callables")(  # noqa: B009 - the extension adds it, unknown to type checkers
        messages.gettext, messages.ngettext, newstyle=True)
    # In a template _("…") is trusted as ours: only for literals. What comes from outside is `| said`, and escaped.
    made.filters.update(
        told=words.told, term=words.term, capital=words.capital, said=messages.gettext, label=words.label,
        number=messages.number, day=messages.day, long_day=messages.long_day, quantity=words.quantity,
        web_link=words.web_link, address=words.address)
    return made


@cache
def _own(*names: str) -> Markup:
    """Style sheets or scripts: ours, so they are not escaped."""
    loader = environment().loader
    assert loader is not None  # noqa: S101 - environment() gives it one
    return Markup("\n".join(loader.get_source(environment(), name)[0] for name in names))  # noqa: S704 - our files


@cache
def _policy(script: str, *styles: str) -> str:
    scripts = f" script-src {_digest(script)};" if script else ""
    hashes = " ".join(_digest(style) for style in dict.fromkeys(styles))
    return f"default-src 'none'; style-src {hashes};{scripts} base-uri 'none'; form-action 'none'"


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
