from __future__ import annotations

import base64
import hashlib
import html
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import polars as pl
import pytest

from pmed.errors import ResultError
from pmed.provenance import DISCLAIMER
from pmed.render.html import HtmlExporter
from pmed.render.summary import MarkdownExporter
from pmed.result import Result
from pmed.tables import TABLES
from tests import render_cases as cases

HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7*7 }}"
VOID = {"meta", "br", "path", "circle", "use", "rect", "line", "input"}


class Page(HTMLParser):
    """Tags, attributes and visible text of a page, and whether its tags nest."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.open: list[str] = []
        self.text = ""
        # isolation marks are no words of their own
        self.feed(re.sub(r'</?bdi(?: lang="en")?>', "", html))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += f" {data}" if not self.open or self.open[-1] not in {"style", "script"} else ""


def rendered(result: Result) -> str:
    return HtmlExporter().export(result).decode()


def words(result: Result) -> str:
    return " ".join(Page(rendered(result)).text.split())


def section(html: str, start: str, end: str) -> str:
    """The visible words between two headings."""
    found = re.search(rf'<section aria-labelledby="{start}".*?(?=<section aria-labelledby="({end})")', html, re.S)
    assert found is not None
    return " ".join(Page(found[0]).text.split())


def test_sections_come_in_the_order_of_a_reader_in_a_hurry() -> None:
    headings = re.findall(r"<h2[^>]*>(.*?)</h2>", rendered(cases.full()))
    assert headings == ["What to do today", "Your medicines", "Risk", "Treatment response", "If you prescribe", "Genes",
                        "How sure, and what could not be assessed", "Evidence", "Provenance"]


def test_page_is_well_formed_and_headings_do_not_skip_a_level() -> None:
    page = Page(rendered(cases.full()))
    assert page.open == []
    levels = [int(tag[1]) for tag in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    ids = [value for _, name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    targets = {value[1:] for tag, name, value in page.attributes if name == "href" and value.startswith("#")}
    assert targets <= set(ids)


def test_nothing_is_fetched_and_the_policy_allows_only_its_own_style_and_script() -> None:
    html = rendered(cases.full())
    page = Page(html)
    assert not {"link", "img", "iframe", "object", "form"} & set(page.tags)
    assert not [one for one in page.attributes if one[1] in {"src", "style", "srcset"} or one[1].startswith("on")]
    policy = next(value for tag, name, value in page.attributes if name == "content" and "default-src" in value)
    style = re.search(r"<style>(.*?)</style>", html, re.S)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert policy.startswith("default-src 'none'; ")
    assert f"style-src 'sha256-{digest}'" in policy
    scripts = re.findall(r"<script[^>]*>(.*?)</script>", html, re.S)
    assert len(scripts) == 1
    assert f"script-src 'sha256-{base64.b64encode(hashlib.sha256(scripts[0].encode()).digest()).decode()}'" in policy
    assert "unsafe" not in policy
    assert "url(" not in style[1]
    assert "@import" not in style[1]


def test_today_lists_current_medicines_that_need_something_first_word_the_action() -> None:
    today = section(rendered(cases.full()), "today", "medicines")
    assert today.startswith("What to do today Avoid zappa today – Stop zappa and take another one. Why: ABC1 *2/*2 "
                            "is slow. Caution: Recorded allergy to zappa. Test queer soon – Text about queer.")
    assert "Please confirm: “Yolko drops” was read as yolk" in today
    assert "Without advice here: Mystery forte, Plain pill." in today
    assert "later" not in today


def test_of_a_combination_the_part_without_advice_is_named() -> None:
    result = cases.full()
    table = result.tables["medications"]
    both = table.with_columns(ingredients=pl.when(pl.col("display") == "Plain pill").then(
        pl.lit(["plain", "zappa"])).otherwise("ingredients"))
    today = section(rendered(replace(result, tables={**result.tables, "medications": both})), "today", "medicines")
    assert "Without advice here: Mystery forte, Plain pill (plain)." in today


def test_medicine_card_holds_advice_alternatives_and_why() -> None:
    card = section(rendered(cases.full()), "medicines", "section-1")
    for part in ("strong recommendation · today", "Zappa 75 MG tablet · since 2026-01-02", "ABC1 *2/*2 is slow.",
                 "fits better – not touched by ABC1", "ruled out worse – after a fall", "Reference patient 1.0",
                 "ABC1 phenotype: changed reference: usual +2.5", "taking yolk: changed", "Serum luck: changed",
                 "−0.5 This patient 4.0 Three quarters of the concern comes from ABC1 *2/*2, one quarter from yolk; ",
                     "Serum luck changed pulls the other way.",
                     "Step by step (2 steps) First step. Second step. No difference: age.",
                 "ABC1 by the genes Slow *2/*2", "ABC1 today Very slow because of yolk (strong inhibitor); "
                 "reverts 7 days after it is stopped", "Evidence: Guild, level A [1]",
                 "Unknown GHI3 phenotype", "Mystery forte since 2026-01-02 – not recognised",
                 "Plain pill since 2026-01-02 – no installed plugin gives advice on plain"):
        assert part in card
    assert "Old pill" not in card


@pytest.mark.parametrize(("language", "said"), [("en", "given for"), ("de", "wegen")])
def test_a_medicine_says_what_it_is_given_for(language: str, said: str) -> None:
    result = cases.full()
    table = result.tables["medications"].with_columns(reason=pl.lit("Gout & <b>pain</b>"))
    known = replace(result, tables={**result.tables, "medications": table})
    html = HtmlExporter(language=language).export(known).decode()
    assert html.count(f'{said} <q><bdi>Gout &amp; &lt;b&gt;pain&lt;/b&gt;</bdi></q>') == 5
    assert "<b>pain" not in html


def test_risk_and_response_show_values_and_reasons() -> None:
    html = rendered(cases.full())
    assert "Luck in ten years 12.3 % (interval 8 to 20 %) – fair" in section(html, "section-1", "section-2")
    assert "12 of 100 people like this patient (interval 8 to 20)" in html
    assert "Not assessed Weekly dose – needs Serum luck" in section(html, "section-2", "lookup")


def test_what_was_assumed_of_a_risk_is_said_beside_it() -> None:
    said = "not recognised, and counted as no statin: Xyzzy <b>forte</b>"
    rows = cases.full_rows()
    for row in rows["predictions"]:
        row["reason"] = said if row["status"] == "assessed" else row["reason"]
    shown = Result(cases.result(rows).tables, (), cases.full().provenance)
    assert f"Assumed: {said}" in section(rendered(shown), "section-1", "section-2")
    assert "Assumed:" not in rendered(cases.full())
    assert f"12.3 %, 8 to 20 %, fair; assumed: {said}" in MarkdownExporter().export(shown).decode().replace("\\", "")


def test_prediction_explained_under_a_current_medicine_is_not_drawn_twice() -> None:
    rows = cases.full_rows()
    rows["explanations"] = [cases.contribution("age", 2.0, predictor="luck", target="ten-year-luck")]
    luck = {"predictor": "luck", "target": "ten-year-luck"}
    provenance = cases.full().provenance
    alone = Result(cases.result(rows).tables, (), provenance)
    assert "Reference patient" in section(rendered(alone), "section-1", "section-2")
    rows["suggestions"][1]["explained_by"] = [luck]
    both = rendered(Result(cases.result(rows).tables, (), provenance))
    assert "Explained under yolk" in section(both, "section-1", "section-2")
    assert "Reference patient" not in section(both, "section-1", "section-2")
    assert "Reference patient" in section(both, "medicines", "section-1")


def test_lookup_goes_from_act_to_unknown_and_marks_what_was_asked() -> None:
    lookup = section(rendered(cases.full()), "lookup", "genes")
    assert "no installed plugin gives advice on: unheard" in lookup
    assert "standard asked asked for – Text about asked." in lookup
    assert lookup.index("act later") < lookup.index("asked for") < lookup.index("unknown dark – Text about dark.")


def test_gaps_issues_and_failures_have_their_place() -> None:
    gaps = section(rendered(cases.full()), "gaps", "evidence")
    for part in ("DEF2 – more than one diplotype fits equally well", "queer – needs GHI3 phenotype, age (guild)",
                 "weekly dose – needs Serum luck", "warning : odd entry kept ann.json, entry[3]",
                 "error : record left out ann.vcf, chr1:5",
                 "pmed-broken 0.3 , broken-risk – failed at predict: ZeroDivisionError: division by zero"):
        assert part in gaps
    assert "trifle" not in gaps
    assert "Partial result. 1 part of the software failed" in words(cases.full())


@pytest.mark.parametrize(("code", "text", "german"), [
    ("allergen-not-recognised", "'Honig' is no medicine of the vocabulary: an allergy to it is weighed only where it "
     "names a class", "\u201eHonig\u201c ist im Verzeichnis kein Arzneimittel"),
    ("local-code", "'Kalium' (K) may be a measurement that is looked for, and has no LOINC code: it is not used "
     "(results: 2); let the source send the LOINC code, or name it in a mapping file",
     "'Kalium' (K) ist vielleicht ein Messwert")])
def test_what_nobody_looked_out_for_is_told(code: str, text: str, german: str) -> None:
    issue = {"file": "ann.json", "severity": "info", "code": code, "text": text, "patient_id": "ann"}
    found = cases.result({"patients": [{"patient_id": "ann"}], "issues": [issue]})
    assert f"info : {text}" in words(found)
    assert f"Hinweis: {german}" in html.unescape(" ".join(re.sub(
        r"<[^>]+>", "", HtmlExporter(language="de").export(found).decode()).split()))


def test_provenance_names_inputs_knowledge_and_predictors() -> None:
    page = words(cases.full())
    for part in ("ann.vcf genome, 10 bytes", "sha256 " + "ab" * 32, "facts 7 (2026-01-01)", "sha256 " + "cd" * 32,
                 "luck 1 (guild-plugin)", "pmed 0.1.0", "guild-plugin 1.2"):
        assert part in page


def test_disclaimer_is_there_exactly_once() -> None:
    assert words(cases.full()).count(DISCLAIMER) == 1
    bare = Result(cases.full().tables)
    assert words(bare).count(DISCLAIMER) == 1


def test_gene_table_shows_genetic_and_present_phenotype() -> None:
    genes = section(rendered(cases.full()), "genes", "gaps")
    assert "ABC1 *2/*2 none / none Slow activity score 0 today: Very slow because of yolk complete" in genes
    assert ("DEF2 *1/*4 or *1/*5 fits what could be read unknown Usual only if nothing differs at the missing sites "
            "ambiguous These pairs of alleles fit equally well; advice is given only where all agree. "
            "1 site missing rs7 would decide. Missing: rs7") in genes
    assert "Not known: GHI3. None of their sites could be read" in genes


@pytest.mark.parametrize("how", ["message", "state"])
def test_absence_read_as_normal_is_said_loudly(how: str) -> None:
    rows = cases.full_rows()
    assert "Absence was read as normal" not in words(cases.result(rows))
    if how == "message":
        rows["gene_results"][0]["messages"] = [{"code": "absent-as-ref", "text": "2 sites assumed."}]
    else:
        rows["genotypes"] = [{"sample": "S1", "chrom": "chr1", "pos": 1, "ref": "A", "alt": "C",
                              "state": "assumed-reference"}]
    top = words(cases.result(rows)).split("What to do today")[0]
    assert "Absence was read as normal." in top
    assert ("Affected: ABC1" if how == "message" else "(1 site)") in top


YOLK = cases.medicine(1, "Yolk", ["yolk"])
STANDARD = [cases.suggestion("yolk", "standard")]


@pytest.mark.parametrize(("medications", "suggestions", "said"), [
    ([YOLK], STANDARD, "No change is suggested: every current medicine was assessed"),
    ([YOLK, cases.medicine(2, "Odd", None)], STANDARD, "does not mean that there is nothing"),
    ([YOLK], [cases.suggestion("yolk", "not-assessed")], "None of the current medicines could be assessed"),
    ([YOLK], [], "None of the current medicines could be assessed"),
    ([YOLK, cases.medicine(2, "Odd", ["odd"])], [*STANDARD, cases.suggestion("odd", "not-assessed")],
     "does not mean that there is nothing"),
    ([], STANDARD[:0], "The record names no current medicine."),
    ([YOLK, cases.medicine(2, "Odd", None, active=None)], STANDARD, "does not mean that there is nothing"),
    ([cases.medicine(2, "Odd", None, active=None)], STANDARD[:0], "None of the current medicines could be assessed"),
    ([cases.medicine(2, "Odd", ["odd"], active=False)], STANDARD[:0], "The record names no current medicine."),
])
def test_nothing_to_do_is_said_only_where_everything_was_assessed(
        medications: list[dict[str, Any]], suggestions: list[dict[str, Any]], said: str) -> None:
    rows = {**cases.full_rows(), "medications": medications, "suggestions": suggestions}
    assert said in section(rendered(cases.result(rows)), "today", "medicines|section-1")


@pytest.mark.parametrize(("change", "said"), [
    ({}, "ABC1 *2/*2"), ({"complete": False, "phenotype": None}, "ABC1 changed"),
    ({"status": "ambiguous"}, "ABC1 Slow")])
def test_an_explanation_names_no_diplotype_that_is_not_settled(change: dict[str, Any], said: str) -> None:
    rows = cases.full_rows()
    rows["gene_results"][0].update(change)
    card = section(rendered(cases.result(rows)), "medicines", "section-1")
    assert f"Three quarters of the concern comes from {said}, one quarter from yolk" in card


def test_without_steps_there_is_nothing_to_open() -> None:
    rows = cases.full_rows()
    rows["traces"] = []
    card = section(rendered(cases.result(rows)), "medicines", "section-1")
    assert "Step by step" not in card
    assert "No difference: age." in card


def test_inputs_that_cannot_be_told_apart_say_so_in_place() -> None:
    rows = cases.full_rows()
    rows["explanations"] = [cases.contribution(
        "all inputs together", 3.0, value="cannot be told apart, as a mixture with the reference patient is not "
        "assessed: needs on:yolk", reference="reference patient")]
    card = section(rendered(cases.result(rows)), "medicines", "section-1")
    assert ("all inputs together: cannot be told apart, as a mixture with the reference patient is not assessed: needs "
            "taking yolk reference: reference patient +3") in card
    assert "All of the concern comes from all inputs together." in card


def test_that_no_change_is_suggested_is_not_all_where_a_risk_is_raised() -> None:
    rows = {**cases.full_rows(), "medications": [YOLK], "suggestions": STANDARD}
    rows["predictions"] = [cases.prediction("potassium", "hyperkalaemia-risk", 2.0, label="high", unit="level")]
    about = {"kind": "risk", "gives": ["hyperkalaemia-risk"], "card": {"raised": 2.0}}
    said = section(rendered(cases.result(rows, predictors={"potassium": about})), "today", "medicines|section-1")
    assert "its standard use fits. Raised: hyperkalaemia risk (high). See “Risk”." in said
    calm = section(rendered(cases.result(rows, predictors={"potassium": {**about, "card": {"raised": 3.0}}})), "today",
                   "medicines|section-1")
    assert "Raised" not in calm


def test_without_a_record_nobody_says_that_nothing_is_taken() -> None:
    rows = cases.full_rows()
    page = words(cases.result({name: rows[name] for name in ("samples", "gene_results")}))
    assert "No patient record was given, so nobody can say what the patient takes." in page
    assert "Record none given" in page


def test_without_a_genome_the_header_says_so() -> None:
    rows = cases.full_rows()
    page = words(cases.result({name: rows[name] for name in ("patients", "medications")}))
    assert "Genome none given" in page
    assert "genome – no genome file was given" in page


def test_a_result_saved_without_optional_tables_renders() -> None:
    tables = {"patients": TABLES["patients"].frame([{"patient_id": "ann"}])}
    page = words(Result(tables))
    assert "Age unknown Sex unknown" in page
    assert "birth date or index date is not known" in page


def test_one_patient_only() -> None:
    rows = cases.full_rows()
    rows["samples"].append({**rows["samples"][0], "sample": "S0", "patient_id": "aaron"})
    both = cases.result(rows)
    with pytest.raises(ResultError, match="is for one patient; this result has 2"):
        rendered(both)
    assert "Patient aaron" in words(both.for_patient("aaron"))
    with pytest.raises(ResultError, match="has 0"):
        rendered(cases.result({}))


def poisoned(value: Any, dtype: pl.DataType, text: str) -> Any:
    """`value` with `text` behind every string in it."""
    if isinstance(dtype, pl.List) and value is not None:
        return [poisoned(one, dtype.inner, text) for one in value]  # type: ignore[arg-type]
    if isinstance(dtype, pl.Struct) and value is not None:
        return {field.name: poisoned(value[field.name], field.dtype, text) for field in dtype.fields}  # type: ignore[arg-type]
    return value + text if isinstance(value, str) else value


def poison(result: Result, text: str) -> Result:
    """Every text of every table that is not one of a few fixed words, and of the failures and provenance, poisoned."""
    tables = {}
    for name, frame in result.tables.items():
        free = [column for column, about in TABLES[name].columns.items() if not about.values]
        tables[name] = TABLES[name].frame(
            {**row, **{column: poisoned(row[column], frame.schema[column], text) for column in free}}
            for row in frame.to_dicts())
    failures = tuple(replace(one, plugin=one.plugin + text, message=one.message + text) for one in result.failures)
    return Result(tables, failures, _poisoned_tree(result.provenance, text))


def _poisoned_tree(node: Any, text: str) -> Any:
    if isinstance(node, dict):
        return {name: _poisoned_tree(value, text) for name, value in node.items()}
    if isinstance(node, list):
        return [_poisoned_tree(value, text) for value in node]
    return node + text if isinstance(node, str) else node


def test_hostile_text_everywhere_stays_text() -> None:
    html = rendered(poison(cases.full(), HOSTILE))
    page = Page(html)
    assert page.open == []
    assert set(page.tags) <= set(Page(rendered(cases.full())).tags) | {"svg"}
    assert not [one for one in page.attributes if one[1].startswith("on") or one[1] in {"src", "style"}]
    assert page.text.count(HOSTILE) > 60
    assert "49" not in page.text


def test_hostile_addresses_never_become_links() -> None:
    for url in ("javascript:alert(1)", "data:text/html,hi", "https://x.example/\" onmouseover=\"alert(1)"):
        rows = cases.full_rows()
        rows["suggestions"][0]["evidence"] = [{**cases.EVIDENCE, "url": url}]
        page = Page(rendered(cases.result(rows)))
        links = [value for tag, name, value in page.attributes if name == "href"]
        assert all(value.startswith(("#", "https://x.example/", "https://pubmed.ncbi.nlm.nih.gov/")) for value in links)
        assert not [one for one in page.attributes if one[1].startswith("on")]


def test_same_result_same_bytes_and_not_too_many_of_them() -> None:
    first = HtmlExporter().export(cases.full())
    assert first == HtmlExporter().export(cases.full())
    assert len(first) < 500_000


def luminance(colour: str) -> float:
    parts = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_every_text_colour_has_the_contrast_of_wcag_aa() -> None:
    style = re.search(r"<style>(.*?)</style>", rendered(cases.full()), re.S)
    assert style is not None
    blocks = re.findall(r":root \{(.*?)\}", style[1], re.S)
    themes = [dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", block)) for block in blocks]
    assert len(themes) == 3
    texts = ("text", "muted", "link", "avoid", "alternative", "adjust", "monitor", "test", "standard", "open", "up",
             "down")
    for theme in themes:
        for text in texts:
            for ground in ("page", "soft"):
                dark, light = sorted((luminance(theme[text]), luminance(theme[ground])))
                assert (light + 0.05) / (dark + 0.05) >= 4.5, (text, ground, theme)


def test_five_lines_come_first_and_the_others_fold_away() -> None:
    rows = cases.full_rows()
    drugs = [f"drug{at}" for at in range(7)]
    rows["suggestions"] = [cases.suggestion(name, "adjust", urgency="soon", concern=2.0, unknown=["phenotype:GHI3"])
                           for name in drugs]
    text = rendered(cases.result(rows))
    today = section(text, "today", "medicines")
    shown, folded = today.split("2 more, less pressing")
    assert [name for name in drugs if name in shown] == drugs[:5]
    assert [name for name in drugs if name in folded.partition("Tests that would help")[0]] == drugs[5:]
    assert f"Tests that would help: GHI3 (for {', '.join(drugs)})." in folded


def risk(unit: str, **card: Any) -> Result:
    """ann's luck, explained by two inputs of one percentage point or point each and a small one."""
    rows = cases.full_rows()
    rows["predictions"] = [cases.prediction("luck", "ten-year-luck", 12.0, unit=unit)]
    rows["explanations"] = [cases.contribution(name, amount, predictor="luck", target="ten-year-luck", unit=unit)
                            for name, amount in (("smoker", 1.0), ("age", 1.5), ("bmi", 0.05))]
    about = {"kind": "risk", "plugin": "guild-plugin", "card": card}
    return Result(cases.result(rows).tables, (), {"predictors": {"luck": about}})


def test_only_what_the_card_calls_modifiable_could_be_lowered() -> None:
    said = section(rendered(risk("%", modifiable=["smoker", "bmi"])), "section-1", "lookup")
    assert ("Could be lowered: smoking changed instead of usual adds 1.0 percentage points. This is their share in the "
            "equation, not the effect of a treatment.") in said
    assert "Could be lowered" not in words(risk("%"))


def test_charts_of_points_fold_away_and_those_of_shares_do_not() -> None:
    folded = '<details><summary>Why<span class="for-ears">'
    assert folded in rendered(risk("points"))
    assert "Scores and other numbers" in words(risk("points"))
    assert folded not in rendered(risk("%"))
    assert "12 of 100 people like this patient" in words(risk("%"))


def test_lookup_names_what_is_taken_with_a_link_to_its_card() -> None:
    lookup = re.search(r'<section aria-labelledby="lookup".*?</section>', rendered(cases.full()), re.S)
    assert lookup is not None
    assert len(re.findall(r'<li class="rx(?: asked)?"', lookup[0])) == len(cases.full_rows()["suggestions"])
    assert re.search(r'<bdi>yolk</bdi></strong> <span class="tag">taken now</span> – Standard: '
                     r'<a href="#medicine-1">see its card', lookup[0])


def test_one_class_written_in_two_ways_is_one_group() -> None:
    rows = cases.full_rows()
    rows["drug_classes"] = [{"drug": "later", "class": "nsaid"}, {"drug": "dark", "class": "NSAID"},
                            {"drug": "asked", "class": "ace inhibitor"}]
    titles = re.findall(r'<details class="group" data-name="(.*?)"', rendered(cases.result(rows)))
    assert titles == ["ACE inhibitor", "NSAID", "Other medicines"]


def test_a_source_is_named_once_for_several_references() -> None:
    rows = cases.full_rows()
    rows["suggestions"][0]["evidence"] = [{**cases.EVIDENCE, "citation": f"PMID:{n}"} for n in (1, 2)]
    assert "Evidence: Guild, level A [1] [2]" in words(cases.result(rows))


@pytest.mark.parametrize("current", [True, False])
def test_what_a_source_leaves_out_for_everybody_is_a_note_and_no_alarm(current: bool) -> None:
    cautions = [{"code": "not-covered", "text": "one variant is left out"}, {"code": "other", "text": "an alarm"}]
    rows = cases.full_rows()
    rows["suggestions"] = [cases.suggestion("warfarin", "adjust", current=current, cautions=cautions)]
    html = rendered(cases.result(rows))
    told = re.findall(r'<p class="caution">.*?</p>', html, re.DOTALL)
    assert any("an alarm" in one for one in told)
    assert not any("one variant is left out" in one for one in told)
    assert re.findall(r'<p class="small muted">Note: .*?</p>', html) == [
        '<p class="small muted">Note: <bdi lang="en">one variant is left out</bdi></p>']


def test_what_the_genes_do_not_decide_does_not_look_like_standard_use() -> None:
    rows = cases.full_rows()
    rows["suggestions"] = [cases.suggestion(drug, "standard", current=current, cautions=cautions)
                           for drug, current in (("taken", True), ("other", False))
                           for cautions in [[{"code": "genes-undecided", "text": "nothing for or against"}]]]
    rows["suggestions"].append(cases.suggestion("plain", "standard"))
    shown = Result(cases.result(rows).tables, (), cases.full().provenance)
    html = rendered(shown)
    card = html[html.index('class="card edge-'):]
    assert card.startswith('class="card edge-not-assessed"')
    assert html.count('class="badge not-assessed"') >= 2  # in the list and on the card
    assert html.count("Undecided") == 3  # and where it is looked up
    assert 'class="card edge-standard"' in html  # that of the other one
    assert dict(shown.panel().select("drug", "colour").rows()) == {
        "taken": "unknown", "other": "unknown", "plain": "standard"}
    assert "unknown other" in section(html, "lookup", "genes")
    notebook = shown._repr_html_()
    assert notebook.count("pv-card pv-not-assessed") == 1
    assert notebook.count("pv-card pv-standard") == 1


@pytest.mark.parametrize("phenotype", ["Uncertain Luck", "uncertain risk of luck", "Indeterminate"])
def test_a_gene_whose_result_means_nothing_known_is_not_marked_as_good(phenotype: str) -> None:
    rows = cases.full_rows()
    rows["gene_results"][0]["phenotype"] = phenotype
    genes = section(rendered(Result(cases.result(rows).tables, (), cases.full().provenance)), "genes", "gaps")
    assert "read, but what it means is not known" in genes.partition("DEF2")[0]
    assert "read, but what it means is not known" not in section(rendered(cases.full()), "genes", "gaps")
