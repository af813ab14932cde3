"""The same report as PDF, by WeasyPrint (extra ``pdf``): pages with a running header, everything folded away opened."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NoReturn

from ..compatibility import install_extra
from ..errors import OptionError, ResultError
from ..options import option
from ..result import Result
from . import messages
from .html import TEMPLATES, HtmlExporter
from .view import patient_views

PAPERS = {"a4": "A4", "letter": "Letter"}
# WeasyPrint draws each <svg> by itself: it finds neither the symbols of another one nor the page's styles.
SYMBOL = re.compile(r'<symbol id="([\w-]+)" viewBox="([^"]+)">(.*?)</symbol>', re.S)
USE = re.compile(r'(<svg[^>]*)><use href="#([\w-]+)"\s*/?>(?:</use>)?</svg>')
DRAWING = re.compile(r"<svg\b.*?</svg>", re.S)
CLOSED = re.compile(r"<details(?![^>]*\sopen\b)")
PAINTS = {"bar-up": 'fill="#a34e07"', "bar-down": 'fill="#2667a8"', "bar-total": 'fill="#68727e"',
          "axis": 'stroke="#000000" stroke-width="0.3"', "hole": 'stroke="#ffffff"',
          **{name: f'fill="none" stroke-linecap="round" stroke-width="7" stroke="{colour}"' for name, colour in (
              ("p-sure", "#a34e07"), ("p-maybe", "#cfa078"), ("p-other", "#c5cbd3"))}}
SHEET = """
@page {{
  size: {paper}; margin: 20mm 15mm 17mm;
  @top-left {{ content: {left}; font: 8pt sans-serif; color: #4a545f; }}
  @top-right {{ content: {right}; font: 8pt sans-serif; color: #4a545f; }}
  @bottom-right {{ content: {page} counter(page) {of} counter(pages); font: 8pt sans-serif; color: #4a545f; }}
}}
html {{ font-family: "DejaVu Sans", "Noto Sans", Arial, sans-serif; font-size: 9.5pt; }}
details > * {{ display: block; }}
details > ol > li, details > ul > li {{ display: list-item; }}
.chart li, .options li, .todo li, .card header {{ break-inside: avoid; }}
.keep {{ break-inside: auto; }}
.card header, .card h4, .card .small {{ break-after: avoid; }}
.rx, .gaps li, .prov {{ font-size: 8pt; line-height: 1.35; padding: .12rem 0; }}
table {{ table-layout: fixed; }}
thead th:first-child {{ width: 17%; }} .col-action {{ width: 15%; }}
.facts div {{ display: block; }}
.facts dt, .facts dd {{ display: inline; overflow-wrap: break-word; }}
.facts dt {{ margin-right: .4em; }}
.note > span > .icon {{ margin-right: .4em; }}
.skip, .sprite {{ display: none; }}
"""
# What is not taken and was not asked for is named by colour, in columns, and predictors without their cards: the texts
# of both are half of the pages, and nobody reads them on paper.
SHORT = """
.on-paper { display: block; }
.rx:not(.asked) .detail { display: none; }
.group { break-inside: avoid; }
.group ul { columns: 3; column-gap: 1rem; }
.rx { grid-template-columns: 5.2rem minmax(0, 1fr); border-top: 0; padding-left: 0; }
.rx.asked { column-span: all; }
.prov details > dl { display: none; }
"""


@dataclass(frozen=True)
class PdfExporter:
    """One patient's report as PDF, for paper; needs WeasyPrint (extra ``pdf``)."""

    name: ClassVar[str] = "pdf"
    suffix: ClassVar[str] = ".pdf"
    language: str = option(messages.ENGLISH, doc="Language of the report.", choices=messages.languages())
    audience: str = option("clinician", doc="Whom the report is for.", choices=tuple(TEMPLATES))
    paper: str = option("a4", doc="Size of the pages.", choices=tuple(PAPERS))
    advice: str = option("short", doc="Medicines that are not taken by colour only, and no predictors' cards, or all.",
                         choices=("short", "full"))

    def export(self, result: Result) -> bytes:
        """The whole file.

        Raises:
            OptionError: where WeasyPrint is not installed.
            ResultError: where the result is not about exactly one patient.
        """
        weasyprint = renderer()
        html = HtmlExporter(self.language, self.audience).export(result).decode()
        with messages.speaking(self.language):
            sheet = self._sheet(patient_views(result)[0])
        # A style sheet given beside the page would rank below the page's own.
        page = opened(html).replace("</style>", f"{sheet}</style>", 1)
        document = weasyprint.HTML(string=page, url_fetcher=Refusal())
        return bytes(document.write_pdf(pdf_tags=True))

    def _sheet(self, view: Mapping[str, Any]) -> str:
        index_date = (view["record"] or {}).get("index_date")
        when = messages.gettext("as of %(date)s") % {"date": messages.day(index_date)} if index_date else ""
        page, of, _ = messages.gettext("Page %(page)s of %(pages)s").replace("%(pages)s", "%(page)s").split("%(page)s")
        who = messages.gettext("Patient %(patient_id)s") % {"patient_id": view["patient_id"]}
        pages = SHEET.format(paper=PAPERS[self.paper], left=quoted(who), right=quoted(when), page=quoted(page),
                             of=quoted(of))
        return pages + (SHORT if self.advice == "short" else "")


def renderer() -> Any:
    """WeasyPrint, loaded only here.

    Raises:
        OptionError: where it, or a library of the system that it needs, is not there.
    """
    try:
        import weasyprint
    except ImportError as error:
        raise OptionError("PDF needs WeasyPrint, which is not installed", where="pdf",
                          hint=install_extra("pdf")) from error
    except OSError as error:
        raise OptionError("WeasyPrint does not find the libraries that it needs (Pango)", where="pdf",
                          hint="install Pango, or print the HTML report from a browser") from error
    return weasyprint


def opened(html: str) -> str:
    """The page for paper: what is folded away is open, and each drawing holds its own shapes and colours."""
    symbols = {name: (box, body) for name, box, body in SYMBOL.findall(html)}

    def drawn(found: re.Match[str]) -> str:
        box, body = symbols.get(found[2], ("0 0 16 16", ""))
        return f'{found[1]} viewBox="{box}">{body}</svg>'

    def painted(found: re.Match[str]) -> str:
        text = found[0]
        for name, paint in PAINTS.items():
            text = text.replace(f'class="{name}"', paint)
        # A drawing that is itself a cell of a grid breaks WeasyPrint where the page ends.
        return f"<span>{text}</span>"

    bold = html.replace("font-weight: 650", "font-weight: 700")  # it knows the hundreds only
    return CLOSED.sub("<details open", DRAWING.sub(painted, USE.sub(drawn, bold)))


def quoted(text: str) -> str:
    r"""`text` as a string in CSS; all but letters, digits and spaces are escaped, so that nothing ends it early.

    >>> quoted('a"b')
    '"a\\22 b"'
    """
    return '"' + "".join(one if one.isalnum() or one == " " else f"\\{ord(one):x} " for one in text) + '"'


class Refusal:
    """A fetcher of WeasyPrint's that fetches nothing, whatever a report's text says."""

    _fail_on_errors = False  # asked for since WeasyPrint 68; what was refused is left out

    def __call__(self, url: str, *_: Any, **__: Any) -> NoReturn:
        """Refuse.

        Raises:
            ResultError: always.
        """
        raise ResultError(f"a report fetches nothing; asked for {url.partition(':')[0]}:")
