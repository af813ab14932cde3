"""For whom a report is: audience, language and paper, as options of a command."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from .errors import OptionError
from .render.messages import languages

AUDIENCES = ("clinician", "patient")
PAPERS = ("a4", "letter")
ENDINGS = (".html", ".htm", ".pdf")
_OPTIONS = (
    click.option("--audience", type=click.Choice(AUDIENCES), help="For whom the report is (default: clinician)."),
    click.option("--language", metavar="|".join(languages()), help="Language of the report (default: en)."),
    click.option("--pdf", type=click.Path(path_type=Path, dir_okay=False), help="Also write the report as PDF."),
    click.option("--paper", type=click.Choice(PAPERS), help="Pages of the PDF (default: a4)."),
)


@dataclass(frozen=True)
class Reader:
    """What was asked for on the command line; null leaves it to the settings."""

    audience: str | None = None
    language: str | None = None
    pdf: Path | None = None
    paper: str | None = None

    def options(self) -> dict[str, dict[str, Any]]:
        """Options by exporter.

        Raises:
            OptionError: for a language that there is not.
        """
        if self.language and self.language not in languages():
            raise OptionError(f"no reports in the language {self.language!r}", where="--language",
                              hint=f"there are: {', '.join(languages())}")
        both = {name: value for name in ("audience", "language") if (value := getattr(self, name))}
        return {"html": both, "pdf": {**both, **({"paper": self.paper} if self.paper else {})}}

    def outputs(self, output: Path) -> dict[str, Path]:
        """Exporter → file, for the report itself and for the PDF beside it.

        Raises:
            OptionError: where the ending is of another format, two PDFs are asked for, or the PDF cannot be made here.
        """
        ending = output.suffix.lower()
        if ending and ending not in ENDINGS and not output.is_dir():
            raise OptionError(f"no report is written with the ending {output.suffix!r}", where=str(output),
                              hint=f"-o takes {', '.join(ENDINGS)} or a folder (DIR/); for other formats --json, "
                                   "--fhir and --export")
        is_pdf = ending == ".pdf"
        if is_pdf and self.pdf:
            raise OptionError("two PDFs are asked for", where=str(self.pdf), hint="-o with .html, or no --pdf")
        if is_pdf or self.pdf:
            from .render.pdf import renderer

            renderer()  # before the work, not after it
        return {"pdf": output} if is_pdf else {"html": output, **({"pdf": self.pdf} if self.pdf else {})}


def reader_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of every report, as one `reader`."""
    @functools.wraps(command)
    def with_reader(*arguments: Any, audience: str | None, language: str | None, pdf: Path | None, paper: str | None,
                    **given: Any) -> Any:
        return command(*arguments, reader=Reader(audience, language, pdf, paper), **given)

    return functools.reduce(lambda made, option: option(made), reversed(_OPTIONS), with_reader)
