"""What a notebook shows: everything there is, escaped, without script, with a style sheet that leaks nowhere."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import polars as pl
import pytest

import pmed
from pmed.errors import ResultError
from pmed.modelling import Model, ModelCard
from pmed.notebook import display
from pmed.notebook.parts import Plan, Quality
from pmed.records import Histories
from pmed.render.html import HtmlExporter
from pmed.result import Result
from pmed.tables import ACTIONS
from pmed.whatif import WhatIf
from tests import render_cases as cases

EVIL = "<script>alert(1)</script>\"'&"
VOID = {"line", "rect", "br"}


class Tags(HTMLParser):
    """Every tag that is opened, and whether all are closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


CARD = ModelCard("toy", "1.0", "Invented risk.", "Tests.", "y", "invented", "CC0-1.0", 10, 5, "never", 0, "trees",
                 {"held out": {"auroc": 0.7, "ci": {"auroc": [0.6, 0.8]}, "subgroups": [{"group": "w", "auroc": 0.5}]}})


@pytest.fixture(scope="module")
def stent() -> Result:
    return pmed.demo("stent")


@pytest.fixture(scope="module")
def shown(stent: Result) -> dict[str, Any]:
    files = pmed.demo_files("stent")
    return {"result": stent, "plan": stent.plan, "suggestion": stent.plan["clopidogrel"],
            "explanation": stent.explanation("clopidogrel"), "gene": stent.gene("CYP2C19"), "quality": stent.quality,
            "difference": stent.what_if(start="paroxetine"), "plugins": pmed.plugins(),
            "records": pmed.read_history(files.history), "genomes": pmed.read_genome(files.genome), "card": CARD,
            "model": Model("toy", "binary", {}, CARD)}


WORDS = {"result": "demo-stent", "plan": "If you prescribe", "suggestion": "Avoid", "explanation": "+3.5",
         "gene": "*2/*2", "quality": "GRCh38", "difference": "What if paroxetine is started?", "plugins": "pmed-pgx",
         "records": "1 patient record", "genomes": "GRCh38", "card": "0.6 to 0.8", "model": "AUROC"}


@pytest.mark.parametrize("name", WORDS)
def test_display_says_what_it_shows_without_script(shown: dict[str, Any], name: str) -> None:
    text = shown[name]._repr_html_()
    tags = Tags(text).seen
    assert WORDS[name] in text
    assert not {tag for tag, _ in tags} & {"script", "link", "iframe", "img", "object"}
    assert not [key for _, attributes in tags for key in attributes if key.startswith("on")]
    assert tags[0][1]["class"] == "pmed-view"
    assert "<div" not in repr(shown[name])


def test_plain_text_says_the_same(shown: dict[str, Any]) -> None:
    assert repr(shown["suggestion"]).startswith("clopidogrel: avoid (today)")
    assert "reference patient" in repr(shown["explanation"])
    assert repr(shown["plan"]).splitlines()[-1].endswith("medicines that are not known to be taken")
    taken = shown["plan"].current.suggestions
    nobodys = Plan(tuple(one for one in shown["plan"] if one not in taken))
    assert repr(nobodys) == f"{len(nobodys)} medicines that are not known to be taken"
    assert "162 of 1288 sites called" in repr(shown["genomes"])


def test_what_is_not_known_is_not_said_to_be_nothing(stent: Result) -> None:
    genome = pmed.demo_files("partial").genome
    alone = pmed.run([genome, pmed.demo_files("stent").genome])
    assert alone._repr_html_().count(">not known<") == 2
    assert "none with advice" not in alone._repr_html_()
    assert repr(pmed.run(genome).gene("CYP2C9")) == "CYP2C9 *1/*1: unknown (ambiguous, incomplete)"
    assert repr(stent.gene("CYP2C19")).startswith("CYP2C19 *2/*2: Poor Metabolizer (called)")
    asked = stent.what_if(start="paroxetine")
    frames = (frame.clear() for frame in (asked.suggestions, asked.phenotypes, asked.predictions))
    same = WhatIf(stent, "x", *frames, lambda: stent)
    assert same.text == "What if x?\nNothing changes in what could be assessed."
    assert "Nothing changes in what could be assessed." in same._repr_html_()


def test_a_name_is_completed_and_one_that_is_near_is_named(stent: Result) -> None:
    assert "clopidogrel" in stent.plan._ipython_key_completions_()
    for ask, hint in ((lambda: stent.plan["clopidogril"], "did you mean 'clopidogrel'"),
                      (lambda: stent.plan["xyz"], "RxNorm ingredients"),
                      (lambda: stent.gene("cyp2c19"), "did you mean 'CYP2C19'"),
                      (lambda: stent.gene("xyz"), "gene_results")):
        with pytest.raises(ResultError, match="^no .*" + hint):
            ask()
    with pytest.raises(ResultError, match="2 suggestions about 'clopidogrel'"):
        Plan((*stent.plan.suggestions, stent.plan["clopidogrel"]))["clopidogrel"]
    assert repr(stent).startswith("Result(1 patient, ")


def test_style_touches_nothing_outside() -> None:
    css = re.sub(r"@media[^{]*", "", display.style())
    selectors = [one.strip() for part in re.findall(r"([^{}]+)\{", css) for one in re.split(r",(?![^(]*\))", part)]
    assert len(selectors) > 40
    assert not [one for one in selectors if one and ".pmed-view.pmed-view" not in one]
    assert not re.findall(r"url\(|@import", css)


def test_colours_follow_the_system_and_the_theme() -> None:
    blocks = re.findall(r"--page: (#\w+)", display.style())
    assert blocks == ["#ffffff", "#14181d", "#ffffff", "#14181d"]
    assert re.search(r'\[data-jp-theme-light="false"\] \.pmed-view\.pmed-view \{\s*color-scheme: dark', display.style())


def test_everything_is_escaped() -> None:
    rows = cases.full_rows()
    rows["suggestions"][0].update(text=EVIL, why=EVIL, population=EVIL)
    rows["medications"][2]["display"] = EVIL
    rows["gene_results"][0].update(diplotypes=[EVIL], phenotype=EVIL)
    rows["explanations"][0]["value"] = EVIL
    result = cases.result(rows)
    pieces = [result, result.plan, result.quality, Histories(result.tables, {}),
              WhatIf(result, EVIL, pl.DataFrame(schema={"current_before": pl.Boolean(), "current_after": pl.Boolean()}),
                     pl.DataFrame(), pl.DataFrame(schema={"unit": pl.String()}), lambda: result),
              Quality(pl.DataFrame({"sample": [EVIL], "build": [EVIL], "build_from": [EVIL], "sites": [1]}),
                      result.tables["issues"]),
              replace(CARD, summary=EVIL, limits=(EVIL,), warnings=(EVIL,), data=EVIL,
                      metrics={EVIL: {"x": EVIL, "rows": [{EVIL: EVIL}]}})]
    texts = [one._repr_html_() for one in pieces]
    assert all("<script" not in text for text in texts)
    assert "&lt;script&gt;" in texts[0]
    assert "&lt;script&gt;" in texts[4]
    assert [Tags(text).seen for text in texts]


def test_many_patients_are_a_list_that_says_how_many_are_left_out() -> None:
    rows = cases.full_rows()
    first = rows["patients"][0]
    rows["patients"] = [{**first, "patient_id": f"p{number:03}"} for number in range(50)]
    text = cases.result({"patients": rows["patients"]})._repr_html_()
    assert "50 patients" in text
    assert "and 30 more" in text
    assert text.count('<th scope="row">') == 20


def test_medicines_that_are_not_taken_are_told_by_action_most_pressing_first(stent: Result) -> None:
    genome = pmed.run(pmed.demo_files("stent").genome)
    for text in (stent._repr_html_(), genome._repr_html_()):
        said = re.search(r"If you prescribe: ([^<]*)", text)
        assert said is not None
        actions = [one.split(" ", 1)[1].replace(" ", "-") for one in said[1].strip().split(", ")]
        assert len(actions) > 3
        assert actions == [one for one in ACTIONS if one in actions]


def test_a_long_text_of_a_model_card_is_no_number() -> None:
    """A number's cell is not wrapped: a list in it would push all others out of sight."""
    text = replace(CARD, metrics={"hidden": {"which": "a, b, " * 40, "rate": 0.25}})._repr_html_()
    assert re.search(r'<td class="pv-num">0\.25<', text)
    assert re.search(r"<td>a, b, ", text)


def test_risks_and_responses_are_shown_as_in_the_report() -> None:
    text = cases.full()._repr_html_()
    page = HtmlExporter().export(cases.full()).decode()
    shown = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", text))
    assert "Luck in ten years 12.3 % (interval 8 to 20 %) – fair" in shown
    figure, = re.findall(r'<figure class="people">.*?</figure>', text, re.DOTALL)
    assert figure in page
    assert "Assumed" not in shown
    assert "weekly-dose" not in re.findall(r'data-target="([^"]+)"', text)  # not assessed: with the gaps


def test_a_response_has_its_interval_and_its_bars() -> None:
    text = pmed.demo("warfarin")._repr_html_()
    dose = text.partition('data-target="warfarin-weekly-dose"')[2].partition("pv-risk")[0]
    assert re.search(r"mg/week</span> <span class=\"pv-muted\">\(interval [\d.]+ to [\d.]+", dose)
    assert "compared with the reference patient" in dose
    assert "Could be lowered:" in text


def test_what_was_assumed_of_a_risk_is_said_and_escaped() -> None:
    rows = cases.full_rows()
    for row in rows["predictions"]:
        row["reason"] = f"not recognised: {EVIL}" if row["status"] == "assessed" else row["reason"]
    text = Result(cases.result(rows).tables, (), cases.full().provenance)._repr_html_()
    assert re.search(r"Assumed:</strong> .*not recognised: &lt;script&gt;", text)
    assert "<script" not in text


def test_a_medicine_without_advice_is_shown_as_not_assessed(stent: Result) -> None:
    text = stent._repr_html_()
    assert re.search(r"<strong>Aspirin[^<]*</strong>: not assessed", text)


def test_no_record_is_not_no_medicine() -> None:
    genome_only = pmed.call(pmed.demo_files("stent").genome)
    assert "nobody can say what the patient takes" in genome_only._repr_html_()


def test_shap_draws_what_explain_gives() -> None:
    shap = pytest.importorskip("shap")
    import matplotlib.pyplot as plt
    everybody = pmed.demo()
    one = everybody.explain("clopidogrel", patient_id="demo-stent")
    many = everybody.explain("clopidogrel")
    assert one.base_values + one.values.sum() == pytest.approx(4.0)
    assert many.values.shape[0] == 4 - everybody.tables["predictions"].filter(
        pl.col("target") == "clopidogrel", pl.col("value").is_null()).height
    assert many.display_data[:, many.feature_names.index("phenotype:CYP2C19")].tolist()[0]
    for draw in (lambda: shap.plots.waterfall(one, show=False),
                 lambda: shap.plots.force(one, matplotlib=True, show=False),
                 lambda: shap.plots.beeswarm(many, show=False)):
        draw()
        assert plt.gcf().get_axes()
        plt.close("all")
