"""What the HTML report says and in which order: one view (``view.py``) arranged for a reader in a hurry."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from ..old_entries import SINCE
from ..provenance import DISCLAIMER
from . import words
from .bars import waterfall
from .gaps import current_medicines, medicine_name, raised_risks, uncovered
from .lookup import lookup
from .messages import gettext as _
from .messages import marked, ngettext, number
from .references import References
from .risks import icons, lowering
from .view import NOTICES, View, look

TO_DO = ("avoid", "alternative", "adjust", "monitor", "test")
MOST_TO_DO = 5  # lines that a reader in a hurry takes in; the rest is below
CAUTIONS_SHOWN = 2  # alternatives that need care; the rest folds away
#: Cautions that say what is not known rather than what may harm: the first lines count them, the card says them.
DOUBTS = ("allergies-unknown", "ambiguous-gene", "gene-unknown", "old-entry", "unknown-input", "unread-medicine",
          "weak-evidence")
#: What a source leaves out or adds for everybody: no alarm, and not among the first lines.
NOTES = ("not-covered",)
OPEN = ("test", "not-assessed")
ACTION_WORDS = {"avoid": marked("Avoid"), "alternative": marked("Alternative"), "adjust": marked("Adjust"),
                "monitor": marked("Monitor"), "test": marked("Test"), "standard": marked("Standard"),
                "not-assessed": marked("Not assessed")}
#: Of a medicine that is taken the first word is what to do about it.
CURRENT_WORDS = {**ACTION_WORDS, "alternative": marked("Switch")}
#: How phenotypes begin that do not say what a result means, however completely the gene was read.
UNCERTAIN = ("uncertain", "indeterminate")
UNDECIDED_WORD = marked("Undecided")
STRENGTH_WORDS = {"strong": marked("strong recommendation"), "moderate": marked("moderate recommendation"),
                  "optional": marked("optional"), "none": marked("no graded recommendation")}
URGENCY_WORDS = {"today": marked("today"), "soon": marked("soon"), "routine": marked("routine")}
BUILD_FROM = {"header": marked("as its header says"), "stated": marked("as stated by the user"),
              "inferred": marked("inferred from its records"),
              "other files": marked("taken from the other files"), "": marked("how is not known")}
SECTIONS = {"risk": marked("Risk"), "treatment-response": marked("Treatment response")}
OTHER = marked("Other predictions")
GAP_KINDS = {"input": marked("Inputs"), "gene": marked("Genes"), "medicine": marked("Medicines"),
             "drug": marked("Drugs asked for"), "prediction": marked("Predictions"),
             "suggestion": marked("Suggestions")}
POINTS = {"%": marked("percentage points"), "concern level": marked("concern level")}
GENETIC = {"phenotype", "activity-score", "diplotype"}
ISSUES_SHOWN = (marked("error"), marked("warning"))
#: Shown however grave: a reader knows what was meant, and that nobody looked out for it.
ALWAYS_SHOWN = {code: marked("info") for code in ("allergen-not-recognised", "local-code")}
INPUT = ("kind", "file", "bytes", "sha256")
RELEASE = ("name", "version", "date", "licence", "source", "sha256", "plugin")
CARD = ("version", "summary", "intended_use", "populations", "limits")


def page(view: View, provenance: Mapping[str, Any], displays: words.Displays) -> dict[str, Any]:
    """Everything the template needs, every key always there."""
    references = References()
    view = {**view, "explained": {(one["predictor"], one["target"]): one for one in view["explanations"]}}
    cards = [_advice(row, view, displays, references) for row in view["suggestions"]]
    current = [{**card, "place": place} for place, card in enumerate(card for card in cards if card["current"])]
    todo = [card for card in current if card["action"] in TO_DO or card["cautions"]]
    lines = _said_once(todo)
    sections = _predictions(view, current, provenance, displays, references)
    return {
        "patient_id": view["patient_id"], "record": view["record"],
        "samples": [_sample(one) for one in view["samples"]], "assumed": _assumed(view),
        "summary": _summary(view, current), "todo": lines[:MOST_TO_DO], "more": lines[MOST_TO_DO:],
        "tests": view["tests"], "nothing": _nothing(view, current, todo),
        "current": current, "uncovered": uncovered(view), "fuzzy": [_medicine(row) for row in _fuzzy(view)],
        "sections": sections, "genes": view["genes"],
        "uncertain": [gene for gene, row in view["genes"].items()
                      if str(row["phenotype"]).casefold().startswith(UNCERTAIN)],
        "silent": [gene for gene, row in view["genes"].items() if row["status"] == "no-data" and not row["because"]],
        "lookup": lookup(cards, view["panel"], view["asked"]),
        "gaps": _gaps(view, displays), "methods": _methods(view), "references": list(references.rows.values()),
        "mismatched": [row for row in view["issues"] if row["code"] == "sex-mismatch"],
        "unnamed": [row for row in view["issues"] if row["code"] == "joined-without-name"],
        "issues": [row for row in view["issues"] if row["code"] not in NOTICES and (
            row["severity"] in ISSUES_SHOWN or row["code"] in ALWAYS_SHOWN)],
        "failures": view["failures"], "provenance": _provenance(provenance),
        "disclaimer": provenance.get("disclaimer") or DISCLAIMER,
    }


def _said_once(todo: list[View]) -> list[View]:
    """The lines to do, each caution under the first that it belongs to; every card has its own in full."""
    seen: set[str] = set()
    lines = []
    for card in todo:
        fresh = [one for one in card["pressing"] if (one["text"] or one["code"]) not in seen]
        seen.update(one["text"] or one["code"] for one in fresh)
        lines.append({**card, "pressing": fresh})
    return lines


def _sample(row: View) -> View:
    built = str(row["build_from"] or "")
    return {**row, "build_words": _(BUILD_FROM.get(built) or built)}


def _assumed(view: View) -> View:
    """Whether absence was read as reference, by sites and by genes: the header must say so loudly."""
    sites = sum(row["assumed_reference_sites"] for row in view["samples"])
    genes = [gene for gene, row in view["genes"].items()
             if any(message["code"] == "absent-as-ref" for message in row["messages"] or [])]
    return {"any": bool(sites or genes), "sites": sites, "genes": genes}


def _advice(row: View, view: View, displays: words.Displays, references: References) -> View:
    keys = [(one["predictor"], one["target"]) for one in row["explained_by"]]
    found = view["explained"]
    seen = look(row)
    word = UNDECIDED_WORD if seen != row["action"] else (CURRENT_WORDS if row["current"] else ACTION_WORDS)[seen]
    return {
        **row, "word": _(word), "look": seen, "because": words.shortened(row["why"] or "", words.clause),
        "short": words.shortened(row["text"], lambda text: words.without_lead(
            words.first_sentence(text), word, row["drug"])), "genes": _changed_genes(row, view),
        "strength_words": _(STRENGTH_WORDS[row["strength"]]), "when": _(URGENCY_WORDS[row["urgency"]]),
        "options": _options(row["alternatives"]),
        "pressing": [one for one in row["cautions"] if one["code"] not in {*DOUBTS, *NOTES}],
        "notes": [one for one in row["cautions"] if one["code"] in NOTES],
        "doubts": [one for one in row["cautions"] if one["code"] in DOUBTS],
        "medicines": [_medicine(one) for one in current_medicines(view) if row["drug"] in (one["ingredients"] or [])],
        "evidence": references.cite(row["evidence"]),
        "unknown": [words.reason(one, displays) for one in row["unknown"]],
        "reasons": [_explained(found[key], displays) for key in keys if key in found],
    }


def _options(alternatives: list[View]) -> View:
    """Alternatives that fit first, then a few that need care; the others fold away, with what is ruled out last."""
    by = {status: [one for one in alternatives if one["status"] == status] for status in ("fits", "caution")}
    rest = [one for one in alternatives if one["status"] not in by]
    folded = by["caution"][CAUTIONS_SHOWN:] + (rest if len(rest) > CAUTIONS_SHOWN else [])
    return {"shown": [*by["fits"], *by["caution"][:CAUTIONS_SHOWN], *(rest if len(rest) <= CAUTIONS_SHOWN else [])],
            # one line costs no more than the line that would hide it
            "folded": folded} if len(folded) > 1 else {"shown": [*by["fits"], *by["caution"], *rest], "folded": []}


def _changed_genes(row: View, view: View) -> list[View]:
    """Genes this advice reads that act differently today than they are written, because of what is taken."""
    contributions = (row["explanation"] or {}).get("contributions", [])
    read = {gene for kind, _colon, gene in (one["feature"].partition(":") for one in contributions) if kind in GENETIC}
    return [{"gene": gene, **view["genes"][gene]} for gene in sorted(read & {*view["genes"]})
            if view["genes"][gene]["because"]
            and view["genes"][gene]["present_phenotype"] != view["genes"][gene]["phenotype"]]


def _methods(view: View) -> list[View]:
    """How the bars were worked out, once for all predictors that were explained the same way."""
    found: dict[str, set[str]] = defaultdict(set)
    for one in view["explanations"]:
        found[one["method"]].add(one["predictor"])
    return [{"method": method[:1].upper() + method[1:], "predictors": sorted(by)} for method, by in found.items()]


def _explained(explanation: View, displays: words.Displays) -> View:
    return {"title": words.label(words.term(explanation["target"].replace("-", " "))),
            "predictor": explanation["predictor"], "target": explanation["target"], "trace": explanation["trace"],
            "unit": _unit(str(explanation["unit"])), "sentence": explanation["sentence"],
            "chart": waterfall(explanation, displays)}


def _unit(unit: str) -> str:
    """What the bars are in; the unit 1 is a plain number."""
    return _(POINTS[unit]) if unit in POINTS else "" if unit == "1" else words.term(unit)


def _medicine(row: View) -> View:
    # a bare number does not say of what, nor does a number of pieces
    unit = row["dose_unit"] or ""
    dose = words.quantity(row["dose"], unit) if row["dose"] is not None and unit.strip("{}") == unit != "" else ""
    return {"name": medicine_name(row), "ingredients": row["ingredients"] or [], "dose": dose,
            "route": words.term(row["route"]) if row["route"] else "", "start": row["start"], "years": row[SINCE],
            "reason": row["reason"], "fuzzy": row["matched_by"] == "fuzzy"}


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
    read = sum(row["complete"] and row["status"] in {"called", "outside"} for row in genes)
    return [
        ngettext("%(n)s of %(all)s gene", "%(n)s of %(all)s genes", len(genes)) % {"n": read, "all": len(genes)}
        if genes else _("no gene"),
        ngettext("%(n)s of %(all)s current medicine", "%(n)s of %(all)s current medicines", len(medicines))
        % {"n": len(advised), "all": len(medicines)} if medicines else _("no current medicines on record"),
        *([ngettext("%(n)s of %(all)s risk and response prediction", "%(n)s of %(all)s risk and response predictions",
                    len(others)) % {"n": len(said), "all": len(others)}] if others else []),
    ]


def _nothing(view: View, current: list[View], todo: list[View]) -> str:
    """What to say where there is nothing to do; never that all is well where a risk is raised."""
    if todo:
        return ""
    raised = [words.term(one) for one in raised_risks(view)]
    return " ".join([_nothing_of_medicines(view, current),
                     *([_("Raised: %(names)s. See “Risk”.") % {"names": ", ".join(raised)}] if raised else [])])


def _nothing_of_medicines(view: View, current: list[View]) -> str:
    """Never that all is well where something could not be assessed."""
    if view["record"] is None:
        return _("No patient record was given, so nobody can say what the patient takes. See “If you prescribe”.")
    if not any(row["active"] is not False for row in view["medications"]):
        return _("The record names no current medicine. See “If you prescribe”.")
    settled = [one for one in current if one["action"] not in OPEN]
    if not settled:
        return _("None of the current medicines could be assessed: this does not mean that there is nothing to do.")
    if len(settled) < len(current) or uncovered(view):
        return _("Nothing that could be assessed asks for a change, but not every current medicine could be assessed: "
                "this does not mean that there is nothing to do.")
    return _("No change is suggested: every current medicine was assessed, and its standard use fits.")


def _predictions(view: View, current: list[View], provenance: Mapping[str, Any],
                 displays: words.Displays, references: References) -> list[View]:
    """Risk, treatment response and whatever other kind a plugin brings, each as a section."""
    cards = provenance.get("predictors", {})
    shown = {(one["predictor"], one["target"]): place for place, card in enumerate(current) for one in card["reasons"]}
    found: dict[str, list[View]] = defaultdict(list)
    for row in _own_predictions(view):
        place = shown.get((row["predictor"], row["target"]))
        about = cards.get(row["predictor"], {})
        cited = about.get("card", {}).get("references", []) if row["status"] == "assessed" else []
        found[row["kind"]].append({**_prediction(row, about, displays, place),
                                   "evidence": references.cite_texts(cited, row["predictor"])})
    order = sorted(found, key=lambda kind: (list(SECTIONS).index(kind) if kind in SECTIONS else len(SECTIONS), kind))
    return [{"title": _(SECTIONS.get(kind, OTHER)), "id": kind or "other",
             **_large_and_small(kind, [row for row in found[kind] if row["status"] == "assessed"]),
             "open": [row for row in found[kind] if row["status"] != "assessed"]}
            for kind in order]


def assessed_predictions(view: View, provenance: Mapping[str, Any], displays: words.Displays) -> list[View]:
    """Risks and responses that have a value, as the report shows them, for other displays: shares first."""
    cards = provenance.get("predictors", {})
    shown = [_prediction(row, cards.get(row["predictor"], {}), displays, None) for row in _own_predictions(view)
             if row["status"] == "assessed" and row["kind"] in SECTIONS]
    return sorted(shown, key=lambda row: (list(SECTIONS).index(row["kind"]), row["people"] is None))


def _large_and_small(kind: str, assessed: list[View]) -> dict[str, list[View]]:
    """Cards, and lines with their charts folded away for those risks that are points or amounts and no share."""
    small = [row for row in assessed if kind == "risk" and row["people"] is None]
    return {"rows": [row for row in assessed if row not in small], "small": small}


def _own_predictions(view: View) -> list[View]:
    """Risks and responses, and any prediction that no suggestion speaks for."""
    spoken = {(one["predictor"], one["target"]) for row in view["suggestions"] for one in row["explained_by"]}
    # An adviser that sets aside what it predicts itself (of a cream, as if swallowed) has spoken, too.
    spoken |= {(row["adviser"], row["drug"]) for row in view["suggestions"]}
    return [row for row in view["predictions"]
            if row["status"] != "not-applicable"
            and (row["kind"] in SECTIONS or (row["predictor"], row["target"]) not in spoken)]


def _prediction(row: View, about: Mapping[str, Any], displays: words.Displays, place: int | None) -> View:
    """`place` is the current medicine whose card explains this prediction already."""
    interval = row["interval"]
    return {
        **row, "title": _title(row["target"], about),
        "shown": words.quantity(row["value"], row["unit"]), "reason": words.told(row["reason"] or "", displays),
        "range": _("%(low)s to %(high)s") % {"low": number(interval[0]),
                                             "high": words.quantity(interval[1], row["unit"])} if interval else "",
        "people": icons(row), "lower": lowering(row, about.get("card", {}).get("modifiable", ()), displays),
        "explained": _explained(row["explanation"], displays) if row["explanation"] and place is None else None,
        "place": place,
    }


def _title(target: str, about: Mapping[str, Any]) -> str:
    """The card's summary where it speaks of this target only; a target's own name is for machines."""
    summary = str(about.get("card", {}).get("summary", "")).rstrip(".")
    return summary if summary and len(about.get("gives", [target])) == 1 else words.label(target)


def _gaps(view: View, displays: words.Displays) -> list[View]:
    """Gaps by kind; what shares a source and a reason shares a line."""
    lines: dict[tuple[str, str, words.Said], list[str]] = defaultdict(list)
    for gap in view["not_assessed"]:
        named = words.term(gap["what"].replace("-", " ") if gap["kind"] == "prediction" else gap["what"])
        lines[gap["kind"], gap["by"], words.told(gap["reason"], displays)].append(named)
    rows = [{"kind": kind, "by": by, "reason": reason, "what": ", ".join(what), "many": len(what)}
            for (kind, by, reason), what in lines.items()]
    return [{"title": _(title), "rows": [row for row in rows if row["kind"] == kind]}
            for kind, title in GAP_KINDS.items()
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
