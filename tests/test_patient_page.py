"""The page for the patient: plain, careful, and honest about what is not known."""

from __future__ import annotations

import re
from typing import Any

import pytest

from pmed.provenance import DISCLAIMER
from pmed.render import messages, patient
from pmed.render.html import HtmlExporter
from pmed.render.view import patient_views
from pmed.result import Result
from pmed.tables import TABLES
from tests import render_cases as cases
from tests.test_render_html import HOSTILE, Page

LANGUAGES = messages.languages()
STOP = {"en": "Do not stop or change any medicine without talking to your doctor or pharmacist.",
        "de": "Setzen Sie kein Medikament ab und ändern Sie nichts, ohne mit Ihrer Arztpraxis oder Apotheke"}


def page(result: Result, language: str = "en") -> str:
    return HtmlExporter(language=language, audience="patient").export(result).decode()


def words(result: Result, language: str = "en") -> str:
    return " ".join(Page(page(result, language)).text.split())


def content(result: Result) -> dict[str, Any]:
    return patient.patient_page(patient_views(result)[0])


def with_suggestion(action: str, **more: Any) -> Result:
    """ann takes zappa only, and of it this is said."""
    rows = cases.full_rows()
    rows["suggestions"] = [cases.suggestion("zappa", action, explained_by=[
        {"predictor": "guild", "target": "zappa"}], **more)]
    rows["medications"] = rows["medications"][:1]
    return cases.result(rows)


def explained(action: str, *features: str, **more: Any) -> dict[str, Any]:
    rows = cases.full_rows()
    rows["suggestions"] = [cases.suggestion("zappa", action, explained_by=[
        {"predictor": "guild", "target": "zappa"}], **more)]
    rows["explanations"] = [cases.contribution(one, 3.0 / len(features)) for one in features]
    return next(one for one in content(cases.result(rows))["talk"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_nobody_is_told_to_stop_or_change_by_themselves(language: str) -> None:
    said = words(cases.full(), language)
    assert STOP[language] in said
    if language == "en":
        told = [*patient.WHAT.values(), *patient.NEXT.values(), patient.GO_ON, patient.ASK, patient.CAUTIONED,
                *(text for kinds in patient.BECAUSE.values() for text in kinds.values())]
        assert not [text for text in told if re.search(r"\b(stop|double|halve|lower|raise|switch)\b", text, re.I)]


@pytest.mark.parametrize("action", [name for name in patient.WHAT if name not in ("standard", "not-assessed")])
def test_each_card_that_needs_a_talk_says_whom_to_talk_to(action: str) -> None:
    html = page(with_suggestion(action, urgency="soon"))
    card = re.search(r'<article class="p-card p-talk.*?</article>', html, re.S)
    assert card is not None
    text = " ".join(Page(card[0]).text.split())
    assert patient.WHAT[action] in text
    assert "Talk about it with your doctor or pharmacist in the next days." in text
    assert "Do not stop it or change the amount by yourself." in text


@pytest.mark.parametrize(("feature", "kind"), [
    ("phenotype:ABC1", "genes"), ("genotype:rs1", "genes"), ("on:yolk", "medicines"), ("allergy:zappa", "allergy"),
    ("egfr", "organs"), ("age", "age"), ("weight", "other"), ("condition:gout", "other")])
@pytest.mark.parametrize("action", ["avoid", "adjust", "monitor"])
def test_the_reason_is_said_by_its_kind(action: str, feature: str, kind: str) -> None:
    one = explained(action, feature)
    effect = patient.EFFECT[action]
    assert one["kinds"] == [kind]
    assert one["because"] == [patient.BECAUSE[kind][effect] % ({"names": "yolk"} if kind == "medicines" else {})]


def test_reasons_that_hardly_matter_or_pull_the_other_way_are_not_told() -> None:
    rows = cases.full_rows()
    rows["explanations"] = [cases.contribution("phenotype:ABC1", 3.3), cases.contribution("on:yolk", -0.4),
                            cases.contribution("age", 0.1)]
    kinds = next(one for one in content(cases.result(rows))["talk"])["kinds"]
    assert set(kinds) == {"genes", "allergy"}  # the allergy is a caution


def test_every_action_and_every_urgency_has_words() -> None:
    allowed = TABLES["suggestions"].columns
    assert set(patient.WHAT) == set(allowed["action"].values)
    assert set(patient.NEXT) == set(allowed["urgency"].values)
    assert set(patient.EFFECT) | {"test", "not-assessed"} == set(patient.WHAT)


def test_a_standard_medicine_with_a_caution_is_to_be_talked_about() -> None:
    quiet, warned = (content(with_suggestion("standard", cautions=some))
                     for some in ([], [{"code": "check", "text": "Look."}]))
    assert [len(quiet[name]) for name in ("talk", "fine", "open")] == [0, 1, 0]
    assert [len(warned[name]) for name in ("talk", "fine", "open")] == [1, 0, 0]


def test_what_was_not_checked_is_said_and_never_fine() -> None:
    said = content(cases.full())
    assert [one["drug"] for one in said["open"]] == ["Mystery forte", "Plain pill"]
    assert "DEF2" in said["unread"]
    assert "GHI3" in said["unread"]
    text = words(cases.full())
    assert "2 genes could not be read, or not well enough: DEF2, GHI3. Not read does not mean normal." in text
    assert "2 medicines that we could not check. That does not mean that they are right for you." in text
    assert "A part of the computer check did not work." in text
    assert "Your record says “Yolko drops”. We read it as yolk. Is that right?" in text


def test_nothing_wrong() -> None:
    rows = cases.full_rows()
    rows |= {"suggestions": [cases.suggestion("zappa", "standard")], "medications": rows["medications"][:1],
             "gene_results": [{**rows["gene_results"][0], "phenotype": "Normal Metabolizer"}], "present_phenotypes": [],
             "issues": []}
    text = words(cases.result(rows))
    assert "1 medicine where we found no reason for a change." in text
    assert "Take it as you agreed with your doctor." in text
    assert "ABC1 : this gene seems to work normally." in text
    for absent in ("Medicines to talk about", "could not check", "Questions that you can ask", "could not be read"):
        assert absent not in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_known(language: str) -> None:
    text = words(cases.result({"patients": [{"patient_id": "bob"}]}), language)
    assert STOP[language] in text
    if language == "en":
        assert "Your record names no medicine that you take now." in text
        assert "No result of a gene test was given to us." in text
    rows = cases.full_rows()
    only_genome = cases.result({"samples": rows["samples"], "gene_results": rows["gene_results"][2:]})
    text = words(only_genome)
    assert "No record was given to us. So we do not know which medicines you take." in text
    assert "None of the genes that matter for medicines could be read well enough." in text


def test_genes_in_plain_words_with_the_standard_term_for_the_doctor() -> None:
    rows = cases.full_rows()
    rows["gene_results"][0]["phenotype"] = "Poor Metabolizer"
    text = words(cases.result(rows))
    assert "ABC1 : this gene seems to work very little or not at all." in text
    assert "Right now ABC1 works in another way than usual, because you take yolk." in text
    patient_part, _, doctor_part = text.partition("For your doctor or pharmacist")
    assert "Metabolizer" not in patient_part
    assert "Poor Metabolizer" in doctor_part


@pytest.mark.parametrize("language", LANGUAGES)
def test_text_from_input_is_escaped(language: str) -> None:
    rows = cases.full_rows()
    for row in rows["suggestions"]:
        row["text"] = HOSTILE
        row["drug"] = f"{row['drug']}{HOSTILE}"
    for row in rows["medications"]:
        row["display"] = HOSTILE
    for name in ("gene_results", "present_phenotypes"):
        rows[name] = [{**row, "gene": row["gene"] + HOSTILE} for row in rows[name]]
    rows["present_phenotypes"][0]["because"] = [HOSTILE]
    rows["patients"][0]["sex"] = None
    seen = Page(page(cases.result(rows, disclaimer=HOSTILE), language))
    assert not {"script", "img"} & set(seen.tags)
    assert seen.open == []
    assert "<script>alert(1)</script>" in seen.text
    assert "49" not in seen.text


def test_the_policy_is_as_strict_as_the_report_s() -> None:
    seen = Page(page(cases.full()))
    policy = next(value for tag, name, value in seen.attributes if name == "content" and "default-src" in value)
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert not {"script", "link", "img"} & set(seen.tags)
    assert not [one for one in seen.attributes if one[1] == "style" or one[1].startswith("on")]
    ids = [value for _, name, value in seen.attributes if name == "id"]
    assert len(ids) == len(set(ids))


def grade(text: str) -> float:
    """School grade of a text in English (Flesch and Kincaid 1975): 6 to 7 is an age of about 12."""
    sentences = [one for one in re.split(r"[.!?]+", text) if one.strip()]
    found = re.findall(r"[a-z]+", text.lower())
    syllables = sum(max(1, len(re.findall(r"[aeiouy]+", re.sub(r"(?<=[^l])e$", "", one)))) for one in found)
    return 0.39 * len(found) / len(sentences) + 11.8 * syllables / len(found) - 15.59


def test_a_child_of_twelve_can_read_it() -> None:
    sentences = [*patient.WHAT.values(), *patient.NEXT.values(), *patient.QUESTIONS.values(), patient.CAUTIONED,
                 *(text for kinds in patient.BECAUSE.values() for text in kinds.values()),
                 *(meaning for _, meaning in patient.GLOSSARY)]
    assert grade(" ".join(sentences)) < 7
    assert grade("Phenoconversion by concomitant inhibitors necessitates individualised pharmacotherapy.") > 12


def test_the_disclaimer_is_said_once_and_no_percentage_at_all() -> None:
    text = words(cases.full())
    assert text.count(DISCLAIMER) == 1
    assert "%" not in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_demo_patients(demo_results: dict[str, Result], language: str) -> None:
    for result in demo_results.values():
        html = page(result, language)
        assert Page(html).open == []
        assert len(html) < 60_000
    said = words(demo_results["stent"])
    assert "clopidogrel" in said
    assert "It may not go well with another medicine that you take: omeprazole." in said
    assert "call emergency services at once" in words(demo_results["partial"])
    assert "call emergency services at once" not in said
