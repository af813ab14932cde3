"""The report in other languages: catalogues that are whole, numbers and dates as they are written there."""

from __future__ import annotations

import doctest
import re
import runpy
import shutil
from collections.abc import Callable
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Message
from click.testing import CliRunner

from pmed.cli import cli
from pmed.engine import Engine, run
from pmed.errors import OptionError
from pmed.options import build
from pmed.readers import AUDIENCES, PAPERS, Reader
from pmed.render import messages, words
from pmed.render.html import TEMPLATES, HtmlExporter
from pmed.render.pdf import PAPERS as PDF_PAPERS
from pmed.result import Result
from pmed.settings import Settings
from pmed_pgx.checks import checks
from pmed_pgx.guidelines import drugs
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


#: English words that no German text, name of a medicine, gene or source holds.
ENGLISH = re.compile(r"\b(?:the|and|of|with|without|not|is|are|were|to|by|or|than|be|been|it|its|from|which|that|"
                     r"this|these|because|if|more|less|on|at|as|for|both|no|yes|unknown|other|Metabolizer|activity|"
                     r"adjust)\b")
#: Where a page repeats what is no text of its own: names of files, commands, settings, recorded and published names.
QUOTED = {"code", "dt", "q", "style", "script"}
VOID = {"meta", "link", "br", "hr", "input", "img", "path", "rect", "line", "circle", "use"}


class Visible(HTMLParser):
    """Text that a reader sees or hears, outside of what is marked as English."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[tuple[str, str]] = []
        self.said: list[str] = []
        self.english: list[str] = []
        self.provenance = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        heard = ("aria-label", "placeholder", "title", "data-words")
        self.said += [value for name in heard if (value := given.get(name))]
        if tag == "section":
            self.provenance = given.get("aria-labelledby") in {"provenance", "evidence"}
        if tag not in VOID:
            before = self.open[-1][1] if self.open else ""
            self.open.append((tag, given.get("lang") or before))

    def handle_endtag(self, tag: str) -> None:
        while tag not in VOID and self.open:
            if self.open.pop()[0] == tag:
                break

    def handle_data(self, data: str) -> None:
        if data.strip() and not self.provenance and not QUOTED & {tag for tag, _ in self.open}:
            (self.english if self.open and self.open[-1][1] == "en" else self.said).append(data.strip())


@pytest.fixture(scope="module")
def results(root: Path, shared: Path) -> dict[str, Result]:
    """The embedded patients, and a real record with a real genome of the same sex."""
    found = {name: run(root / f"pmed/demo/{name}.vcf", root / f"pmed/demo/{name}.json")
             for name in ("stent", "warfarin", "transplant", "partial")}
    record = next((shared / "data/fhir/synthea").glob("Cathryn_Windler_*.json"))
    genes = sorted((shared / "data/1kgp/GRCh38").glob("*.vcf.gz"))
    return found | {"real": run(genes, record, samples=["HG00097"])}


@pytest.mark.parametrize("audience", TEMPLATES)
@pytest.mark.parametrize("name", ["stent", "warfarin", "transplant", "partial", "real"])
def test_a_german_page_has_no_english_words(results: dict[str, Result], name: str, audience: str) -> None:
    page = Visible(HtmlExporter(language="de", audience=audience).export(results[name]).decode())
    assert len(page.said) > 50
    assert [text for text in page.said if ENGLISH.search(text)] == []
    # What stays in English is marked as such: names of medicines on the patient's page, levels of evidence.
    assert [text for text in page.english if ENGLISH.search(text)] == []


def test_the_search_for_english_sees_it(results: dict[str, Result]) -> None:
    page = Visible(HtmlExporter().export(results["stent"]).decode())
    assert sum(bool(ENGLISH.search(text)) for text in [*page.said, *page.english]) > 100


def test_all_texts_of_the_guideline_release_are_german_too() -> None:
    rows = [row for drug in drugs().values() for row in drug.rows] + [row for some in checks().values() for row in some]
    texts = {text for row in rows for text in (row.text, row.because, row.population)
             if text and "{alternatives}" not in text}
    assert len(texts) > 2000
    with messages.speaking("de"):
        assert sorted(text for text in texts if words.told(text).english) == []


def test_all_cards_of_predictors_are_german_too() -> None:
    cards = [one.made.card for one in Engine.start(Settings()).predictors]
    texts = {text for card in cards
             for text in (card.summary, card.intended_use, card.populations, card.limits) if text}
    assert len(texts) > 60
    with messages.speaking("de"):
        assert sorted(text for text in texts if words.told(text).english) == []


@pytest.mark.parametrize(("english", "german"), [
    ("Avoid clopidogrel.", "Clopidogrel meiden."),
    ("CYP2C19 *2/*2 (Poor Metabolizer): citalopram builds up, so side effects and QT prolongation are more likely",
     "CYP2C19 *2/*2 (langsamer Metabolisierer): Citalopram reichert sich an, Nebenwirkungen und QT-Verlängerung sind "
     "wahrscheinlicher"),
    ("it could also mean: CYP2C9 Poor Metabolizer (activity score 0 or 0.5) (adjust), CYP2C9 Normal Metabolizer "
     "(activity score 2.0) (standard)",
     "es könnte auch heißen: CYP2C9 langsamer Metabolisierer (Aktivitätsscore 0 oder 0,5) (anpassen), CYP2C9 normaler "
     "Metabolisierer (Aktivitätsscore 2,0) (üblich)"),
    ("needs hdl-cholesterol, phenotype:CYP2C19, age", "es fehlen: HDL-Cholesterin, Phänotyp CYP2C19, Alter"),
    ("age 81.5 is outside 40 to 79 years", "Alter 81,5 liegt außerhalb von 40 bis 79 Jahre"),
    ("warfarin was given. No message has this sentence.", None), ("Avoid the drug that nobody knows.", None),
])
def test_what_plugins_say_is_translated_whole_or_not_at_all(english: str, german: str | None) -> None:
    with messages.speaking("de"):
        said = words.told(english)
    assert (said.text, said.english) == (german or english, german is None)
    assert words.told(english).english


@pytest.mark.parametrize(("value", "german"), [
    ("0.25", "0,25"), ("71.7", "71,7"), ("-0.5", "-0,5"), ("*2.001", "*2.001"), ("HLA-B*15:02", "HLA-B*15:02"),
    ("2026-03-02", "02.03.2026"), ("intravenous", "intravenös"),
    ("Normal or Intermediate Metabolizer", "normal oder intermediärer Metabolisierer"),
    ("mL/min/1.73 m2", "ml/min/1,73 m²"), ("condition:heart-failure", "Herzinsuffizienz in der Akte"),
    ("on:warfarin", "Einnahme von Warfarin"), ("rs9923231", "rs9923231")])
def test_values_and_names_as_german_writes_them(value: str, german: str) -> None:
    with messages.speaking("de"):
        assert words.term(value) == german
    assert words.term(value) in {value, words.feature(value)}


def test_catalogues_of_plugins_are_whole(tool: dict[str, Any], root: Path) -> None:
    found = sorted(root.glob("plugins/*/src/*/locale/*/LC_MESSAGES/pmed.po"))
    assert len(found) == 3
    assert [fault for path in found for fault in tool["plugin_faults"](path)] == [], "run `make messages`"
