"""The report in other languages: catalogues that are whole, numbers and dates as they are written there."""

from __future__ import annotations

import doctest
import re
import runpy
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Message
from click.testing import CliRunner

from pmed.cli import cli
from pmed.errors import OptionError
from pmed.options import build
from pmed.readers import AUDIENCES, PAPERS, Reader
from pmed.render import messages
from pmed.render.html import TEMPLATES, HtmlExporter
from pmed.render.pdf import PAPERS as PDF_PAPERS
from tests import render_cases as cases

OTHERS = [name for name in messages.languages() if name != "en"]


@pytest.fixture(scope="module")
def tool(root: Path) -> dict[str, Any]:
    return runpy.run_path(str(root / ".ci/messages"))


def catalogue(language: str) -> Path:
    return messages.LOCALE / language / "LC_MESSAGES/pmed.po"


def test_there_are_english_and_german() -> None:
    assert messages.languages()[0] == "en"
    assert "de" in OTHERS


@pytest.mark.parametrize("language", OTHERS)
def test_every_message_is_there_translated_and_compiled(tool: dict[str, Any], language: str) -> None:
    assert not tool["faults"](catalogue(language)), "run `make messages`, translate in the .po, and run it again"


@pytest.mark.parametrize(("spoil", "said"), [
    (lambda text: text.replace('msgid "Allergy"', 'msgid "Allergies"'), ["missing: 'Allergy'"]),
    (lambda text: text.replace('msgstr "Allergie"', 'msgstr ""'), ["untranslated: 'Allergy'"]),
    (lambda text: text.replace('msgstr "Allergie"', 'msgstr "Allergien"'), ["the .mo is not made"]),
    (lambda text: re.sub(r'(?<=msgstr ")Stand %\(date\)s', "Stand %(day)s", text), ["other placeholders: 'as of"]),
], ids=["missing", "untranslated", "not compiled", "placeholders"])
def test_the_check_sees_a_spoilt_catalogue(tool: dict[str, Any], tmp_path: Path, spoil: Callable[[str], str],
                                           said: list[str]) -> None:
    folder = tmp_path / "de/LC_MESSAGES"
    shutil.copytree(catalogue("de").parent, folder)
    path = folder / "pmed.po"
    path.write_text(spoil(path.read_text(encoding="utf-8")), encoding="utf-8")
    faults = "\n".join(tool["faults"](path))
    assert all(one in faults for one in said), faults


def test_the_check_sees_plural_forms_that_are_missing(tool: dict[str, Any]) -> None:
    assert tool["_message_faults"](Message(("%(n)s a", "%(n)s b"), ("%(n)s c",)), 2)
    assert not tool["_message_faults"](Message(("a", "%(n)s b"), ("c", "%(n)s d")), 2)


def test_plural_forms() -> None:
    one, many = "%(n)s medicine to talk about.", "%(n)s medicines to talk about."
    assert [messages.ngettext(one, many, n) for n in (0, 1, 2)] == [many, one, many]
    with messages.speaking("de"):
        said = [messages.ngettext(one, many, n) for n in (0, 1, 2)]
    assert said[1].startswith("%(n)s Medikament,")
    assert said[0] == said[2] != said[1]


@pytest.mark.parametrize(("value", "english", "german"), [
    (12.34, "12.3", "12,3"), (-0.5, "−0.5", "−0,5"), (12345, "12345", "12.345"), (1234, "1234", "1234"),
    (None, "unknown", "unbekannt"), (float("nan"), "unknown", "unbekannt"), (-0.0, "0", "0")])
def test_numbers(value: float | None, english: str, german: str) -> None:
    assert messages.number(value) == english
    with messages.speaking("de"):
        assert messages.number(value) == german


def test_dates() -> None:
    day = date(2026, 3, 2)
    assert (messages.day(day), messages.long_day(day), messages.day(None)) == ("2026-03-02", "2 March 2026", "unknown")
    with messages.speaking("de"):
        assert (messages.day(day), messages.long_day(day)) == ("02.03.2026", "2. März 2026")


def test_the_language_holds_inside_only() -> None:
    def fail() -> None:
        with messages.speaking("de"):
            raise KeyError(messages.gettext("today"))

    with pytest.raises(KeyError, match="heute"):
        fail()
    assert messages.gettext("today") == "today"


def test_a_text_without_translation_stays_english() -> None:
    with messages.speaking("de"):
        assert messages.gettext("never heard of") == "never heard of"
        assert not messages.gettext("")


@pytest.mark.parametrize("audience", TEMPLATES)
@pytest.mark.parametrize("language", messages.languages())
def test_the_page_says_its_language(audience: str, language: str) -> None:
    html = HtmlExporter(language=language, audience=audience).export(cases.full()).decode()
    assert f'<html lang="{language}">' in html


def test_unknown_language_is_one_line_with_those_there_are(tmp_path: Path, root: Path) -> None:
    done = CliRunner().invoke(cli, ["report", str(root / "pmed/demo/stent.vcf"), "--language", "tlh",
                                    "-o", str(tmp_path / "r.html")])
    assert isinstance(done.exception, OptionError)
    assert "\n" not in str(done.exception)
    assert "'tlh'" in str(done.exception)
    assert "en, de" in str(done.exception)
    assert not list(tmp_path.iterdir())
    with pytest.raises(OptionError, match="'de'"):
        build(HtmlExporter, {"language": "tlh"})


def test_language_comes_from_the_command_line_or_the_settings(tmp_path: Path, root: Path) -> None:
    settings = tmp_path / "pmed.toml"
    settings.write_text('[html]\nlanguage = "de"\naudience = "patient"\n')
    out = tmp_path / "r.html"
    given = ["report", "--history", str(root / "pmed/demo/stent.json"), "-o", str(out)]
    runner = CliRunner()
    assert runner.invoke(cli, ["--config", str(settings), *given]).exit_code == 0
    assert "Ihre Medikamente und Ihre Gene" in out.read_text(encoding="utf-8")
    assert runner.invoke(cli, ["--config", str(settings), *given, "--language", "en"]).exit_code == 0
    assert "Your medicines and your genes" in out.read_text(encoding="utf-8")


def test_the_command_line_offers_what_the_exporters_take() -> None:
    assert set(AUDIENCES) == set(TEMPLATES)
    assert set(PAPERS) == set(PDF_PAPERS)
    assert Reader(language="de").options() == {"html": {"language": "de"}, "pdf": {"language": "de"}}


def test_examples_in_the_docstrings_run() -> None:
    done = doctest.testmod(messages)
    assert done.attempted >= 6
    assert done.failed == 0


def test_templates_trust_only_texts_that_stand_in_them(root: Path) -> None:
    """``_(x)`` is markup for Jinja2: of a variable it would let text from input through unescaped."""
    templates = sorted((root / "pmed/render/templates").glob("*.j2"))
    assert templates
    for path in templates:
        calls = re.findall(r"\b(?:_|gettext|ngettext)\((.)", path.read_text(encoding="utf-8"))
        assert set(calls) <= {'"'}, path.name
