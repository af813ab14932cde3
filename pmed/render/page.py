"""What the HTML report says and in which order: one view (``view.py``) arranged for a reader in a hurry."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from ..provenance import DISCLAIMER
from . import words
from .bars import waterfall
from .gaps import current_medicines, medicine_name, uncovered
from .view import View

TO_DO = ("avoid", "alternative", "adjust", "monitor", "test")
MOST_TO_DO = 5  # lines that a reader in a hurry takes in; the rest is below
OPEN = ("test", "not-assessed")
ACTION_WORDS = {"avoid": "Avoid", "alternative": "Alternative", "adjust": "Adjust", "monitor": "Monitor",
                "test": "Test", "standard": "Standard", "not-assessed": "Not assessed"}
BUILD_FROM = {"header": "as its header says", "stated": "as stated by the user",
              "inferred": "inferred from its records",
              "other files": "taken from the other files"}
SECTIONS = {"risk": "Risk", "treatment-response": "Treatment response"}
GAP_KINDS = {"input": "Inputs", "gene": "Genes", "medicine": "Medicines", "drug": "Drugs asked for",
             "prediction": "Predictions", "suggestion": "Suggestions"}
UNIT_NOTES = {"concern level": "0 standard, 1 monitor, 2 adjust, 3 alternative, 4 avoid"}
ISSUES_SHOWN = ("error", "warning")
INPUT = ("kind", "file", "bytes", "sha256")
RELEASE = ("name", "version", "date", "licence", "source", "sha256", "plugin")
CARD = ("version", "summary", "intended_use", "populations", "limits")


def page(view: View, provenance: Mapping[str, Any], displays: words.Displays) -> dict[str, Any]:
    """Everything the template needs, every key always there."""
    cards = [_advice(row, view, displays) for row in view["suggestions"]]
    current = [card for card in cards if card["current"]]
    todo = [card for card in current if card["action"] in TO_DO or card["cautions"]]
    return {
        "patient_id": view["patient_id"], "record": view["record"],
        "samples": [_sample(one) for one in view["samples"]], "assumed": _assumed(view),
        "summary": _summary(view, current), "todo": todo[:MOST_TO_DO], "more": todo[MOST_TO_DO:],
        "tests": view["tests"], "nothing": _nothing(view, current, todo),
        "current": current, "uncovered": uncovered(view), "fuzzy": [_medicine(row) for row in _fuzzy(view)],
        "sections": _predictions(view, current, provenance, displays), "genes": view["genes"],
        "lookup": _lookup(cards, view["asked"]), "gaps": _gaps(view, displays),
        "mismatched": [row for row in view["issues"] if row["code"] == "sex-mismatch"],
        "issues": [row for row in view["issues"] if row["severity"] in ISSUES_SHOWN],
        "failures": view["failures"], "provenance": _provenance(provenance),
        "disclaimer": provenance.get("disclaimer") or DISCLAIMER, "action_words": ACTION_WORDS,
    }


def _sample(row: View) -> View:
    return {**row, "build_words": BUILD_FROM.get(row["build_from"] or "", row["build_from"] or "how is not known")}


def _assumed(view: View) -> View:
    """Whether absence was read as reference, by sites and by genes: the header must say so loudly."""
    sites = sum(row["assumed_reference_sites"] for row in view["samples"])
    genes = [gene for gene, row in view["genes"].items()
             if any(message["code"] == "absent-as-ref" for message in row["messages"] or [])]
    return {"any": bool(sites or genes), "sites": sites, "genes": genes}


def _advice(row: View, view: View, displays: words.Displays) -> View:
    keys = [(one["predictor"], one["target"]) for one in row["explained_by"]]
    found = {(one["predictor"], one["target"]): one for one in view["explanations"]}
    return {
        **row, "word": ACTION_WORDS[row["action"]], "short": words.first_sentence(row["text"]),
        "medicines": [_medicine(one) for one in current_medicines(view) if row["drug"] in (one["ingredients"] or [])],
        "evidence": [{**one, "url": words.web_link(one["url"])} for one in row["evidence"]],
        "unknown": [words.reason(one, displays) for one in row["unknown"]],
        "reasons": [_explained(found[key], displays) for key in keys if key in found],
    }


def _explained(explanation: View, displays: words.Displays) -> View:
    return {"title": words.label(explanation["target"]),
            "predictor": explanation["predictor"], "target": explanation["target"], "trace": explanation["trace"],
            "unit_note": UNIT_NOTES.get(explanation["unit"], ""), "sentence": explanation["sentence"],
            "chart": waterfall(explanation, displays)}


def _medicine(row: View) -> View:
    dose = words.quantity(row["dose"], row["dose_unit"] or "") if row["dose"] is not None else ""
    return {"name": medicine_name(row), "ingredients": row["ingredients"] or [], "dose": dose,
            "route": row["route"] or "", "start": row["start"], "fuzzy": row["matched_by"] == "fuzzy"}


def _fuzzy(view: View) -> list[View]:
    return [row for row in current_medicines(view) if row["matched_by"] == "fuzzy"]


def _summary(view: View, current: list[View]) -> list[str]:
    """What was and what was not assessed, in a few counted phrases."""
    genes = view["genes"].values()
    medicines = current_medicines(view)
    settled = {one["drug"] for one in current if one["action"] not in OPEN}
    advised = [row for row in medicines if settled & set(row["ingredients"] or [])]
    others = _own_predictions(view)
    said = [row for row in others if row["status"] == "assessed"]
    return [
        f"{sum(row['complete'] and row['status'] in {'called', 'outside'} for row in genes)} of {len(genes)} genes"
        if genes else "no gene",
        f"{len(advised)} of {len(medicines)} current medicines" if medicines else "no current medicines on record",
        *([f"{len(said)} of {len(others)} risk and response predictions"] if others else []),
    ]


def _nothing(view: View, current: list[View], todo: list[View]) -> str:
    """What to say where there is nothing to do; never that all is well where something could not be assessed."""
    if todo:
        return ""
    if view["record"] is None:
        return "No patient record was given, so nobody can say what the patient takes. See “If you prescribe”."
    if not any(row["active"] for row in view["medications"]):
        return "The record names no current medicine. See “If you prescribe”."
    settled = [one for one in current if one["action"] not in OPEN]
    if not settled:
        return "None of the current medicines could be assessed: this does not mean that there is nothing to do."
    if len(settled) < len(current) or uncovered(view):
        return ("Nothing that could be assessed asks for a change, but not every current medicine could be assessed: "
                "this does not mean that there is nothing to do.")
    return "No change is suggested: every current medicine was assessed, and its standard use fits."


def _predictions(view: View, current: list[View], provenance: Mapping[str, Any],
                 displays: words.Displays) -> list[View]:
    """Risk, treatment response and whatever other kind a plugin brings, each as a section."""
    cards = provenance.get("predictors", {})
    shown = {(one["predictor"], one["target"]): place for place, card in enumerate(current) for one in card["reasons"]}
    found: dict[str, list[View]] = defaultdict(list)
    for row in _own_predictions(view):
        place = shown.get((row["predictor"], row["target"]))
        found[row["kind"]].append(_prediction(row, cards.get(row["predictor"], {}), displays, place))
    order = sorted(found, key=lambda kind: (list(SECTIONS).index(kind) if kind in SECTIONS else len(SECTIONS), kind))
    return [{"title": SECTIONS.get(kind, "Other predictions"), "id": kind or "other", "rows": found[kind]}
            for kind in order]


def _own_predictions(view: View) -> list[View]:
    """Risks and responses, and any prediction that no suggestion speaks for."""
    spoken = {(one["predictor"], one["target"]) for row in view["suggestions"] for one in row["explained_by"]}
    return [row for row in view["predictions"]
            if row["status"] != "not-applicable"
            and (row["kind"] in SECTIONS or (row["predictor"], row["target"]) not in spoken)]


def _prediction(row: View, about: Mapping[str, Any], displays: words.Displays, place: int | None) -> View:
    """`place` is the current medicine whose card explains this prediction already."""
    interval = row["interval"]
    return {
        **row, "title": _title(row["target"], about),
        "shown": words.quantity(row["value"], row["unit"]), "reason": words.reason(row["reason"] or "", displays),
        "range": f"{words.number(interval[0])} to {words.quantity(interval[1], row['unit'])}" if interval else "",
        "explained": _explained(row["explanation"], displays) if row["explanation"] and place is None else None,
        "place": place,
    }


def _title(target: str, about: Mapping[str, Any]) -> str:
    """The card's summary where it speaks of this target only; a target's own name is for machines."""
    summary = str(about.get("card", {}).get("summary", "")).rstrip(".")
    return summary if summary and len(about.get("gives", [target])) == 1 else words.label(target)


def _lookup(cards: Iterable[View], asked: list[str]) -> View:
    """Drugs the patient does not take: those asked for first, then the most concerning; the unassessable apart."""
    rows = [card for card in cards if not card["current"]]
    ordered = sorted(rows, key=lambda one: (one["drug"] not in asked, -(one["concern"] or 0.0), one["drug"]))
    about = {card["drug"] for card in cards}
    open_rows = [one for one in ordered if one["action"] in OPEN]
    return {"rows": [{**one, "asked": one["drug"] in asked} for one in ordered if one["action"] not in OPEN],
            "open": [{**one, "asked": one["drug"] in asked} for one in open_rows],
            "unanswered": [drug for drug in asked if drug not in about]}


def _gaps(view: View, displays: words.Displays) -> list[View]:
    """Gaps by kind; what shares a source and a reason shares a line."""
    lines: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for gap in view["not_assessed"]:
        named = gap["what"] if gap["kind"] != "prediction" else gap["what"].replace("-", " ")
        lines[gap["kind"], gap["by"], words.reason(gap["reason"], displays)].append(named)
    rows = [{"kind": kind, "by": by, "reason": reason, "what": ", ".join(what)}
            for (kind, by, reason), what in lines.items()]
    return [{"title": title, "rows": [row for row in rows if row["kind"] == kind]} for kind, title in GAP_KINDS.items()
            if any(row["kind"] == kind for row in rows)]


def _provenance(given: Mapping[str, Any]) -> View:
    """Provenance with every part there, so that a result saved without some of it renders too."""
    versions = {name: given.get(name, "unknown") for name in ("pmed", "python")}
    predictors = [{"name": name, "plugin": about.get("plugin", ""), **_card(about.get("card", {}))}
                  for name, about in given.get("predictors", {}).items()]
    return {
        "versions": {**versions, **given.get("libraries", {})}, "plugins": dict(given.get("plugins", {})),
        "created": given.get("created", ""), "command": given.get("command", ""), "predictors": predictors,
        "inputs": [_chosen(one, INPUT) for one in given.get("inputs", [])],
        "knowledge": [_chosen(one, RELEASE) for one in given.get("knowledge", [])],
        "settings": {name: value for name, value in given.get("settings", {}).items() if value},
    }


def _card(card: Mapping[str, Any]) -> View:
    return {**_chosen(card, CARD), "references": list(card.get("references", []))}


def _chosen(row: Mapping[str, Any], names: Iterable[str]) -> View:
    return {name: row.get(name, "") for name in names}
