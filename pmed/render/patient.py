"""What the patient's own page says: few plain sentences, chosen by what is advised and by what kind of reason.

Nothing here tells anybody to stop or change a medicine; every sentence leads to a doctor or pharmacist. What was not
checked is said as plainly as what was.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from .gaps import current_medicines, medicine_name, uncovered
from .messages import gettext, listed, marked, ngettext, number
from .view import GENETIC, View
from .words import noun

STANDARD, OPEN = "standard", "not-assessed"
SMALLEST = 0.05  # of the whole; a reason of less is not told
CALLED = ("called", "outside")
WHAT = {
    "avoid": marked("This medicine may harm you, or it may not work for you."),
    "alternative": marked("Another medicine may suit you better."),
    "adjust": marked("You may need more or less of this medicine than most people."),
    "monitor": marked("You may need extra checks while you take this medicine."),
    "test": marked("We do not know if the usual amount is right for you. A test could tell."),
    "standard": marked("We found no reason to change the usual use of this medicine."),
    "not-assessed": marked("We could not check this medicine."),
}
CAUTIONED = marked("We found no reason to change the usual use of this medicine, but there is something about it that "
                   "your doctor or pharmacist should look at.")
EFFECT = {"avoid": "change", "alternative": "change", "adjust": "amount", "monitor": "watch", "standard": "watch"}
BECAUSE = {
    "genes": {"change": marked("Because of your genes it may work too little, or cause more side effects."),
              "amount": marked("Because of your genes your body may use it up faster or more slowly than usual."),
              "watch": marked("Because of your genes it is good to look more closely.")},
    "medicines": {"change": marked("It may not go well with another medicine that you take: %(names)s."),
                  "amount": marked("Another medicine that you take can change the amount you need: %(names)s."),
                  "watch": marked("Another medicine that you take acts together with it: %(names)s.")},
    "allergy": {"change": marked("Your record says that you are allergic to it, or to something like it."),
                "amount": marked("Your record says that you are allergic to it, or to something like it."),
                "watch": marked("Your record says that you are allergic to it, or to something like it.")},
    "organs": {"change": marked("Your kidneys or your liver may not deal with it well enough."),
               "amount": marked("How well your kidneys or your liver work changes the amount you need."),
               "watch": marked("Your kidneys or your liver should be checked while you take it.")},
    "age": {"change": marked("At your age it causes problems more often."),
            "amount": marked("At your age people often need another amount."),
            "watch": marked("At your age it is good to look more closely.")},
    "other": {"change": marked("Something else in your record speaks against it, such as an illness or a test result."),
              "amount": marked("Something else about you changes the amount, such as your weight or a test result."),
              "watch": marked("Something else about you asks for extra checks, such as an illness or your sex.")},
}
KINDS = {**dict.fromkeys(GENETIC, "genes"), "on": "medicines", "allergy": "allergy", "age": "age",
         **dict.fromkeys(("egfr", "creatinine-clearance", "child-pugh"), "organs")}
NEXT = {"today": marked("Call your doctor or pharmacist today, if you can before you take it again."),
        "soon": marked("Talk about it with your doctor or pharmacist in the next days."),
        "routine": marked("Talk about it at your next visit.")}
GO_ON = marked("Take it as you agreed with your doctor.")
ASK = marked("Ask your doctor or pharmacist if it is right for you.")
QUESTIONS = {
    "change": marked("Is there another medicine that suits me better?"),
    "amount": marked("Do I take the right amount?"),
    "watch": marked("Which checks do I need, and how often?"),
    "test": marked("Should I have a test, and what would it change?"),
    "open": marked("Which of my medicines could not be checked, and does that matter?"),
}
# The standard terms of CPIC for what a gene does (PMID:27441996), in the order of the page
WORKS = (
    (marked("work very little or not at all"), ("Poor Metabolizer", "Poor Function")),
    (marked("work less than normal"), ("Intermediate Metabolizer", "Decreased Function")),
    (marked("work more than normal"), ("Rapid Metabolizer", "Increased Function")),
    (marked("work much more than normal"), ("Ultrarapid Metabolizer",)),
    (marked("work normally"), ("Normal Metabolizer", "Normal Function")),
)
OTHERWISE = marked("have a special result that your doctor can explain")
GLOSSARY = (
    (marked("Gene"), marked("A part of the building plan of your body. You have it from your parents, and it stays the "
                            "same for life.")),
    (marked("Side effect"), marked("Something that a medicine does and that you do not want, such as a headache.")),
    (marked("Allergy"), marked("Your body fights something that is harmless to most people.")),
    (marked("Guideline"), marked("Advice that experts wrote for doctors after reading the studies.")),
    (marked("Record"), marked("What your doctor's office or your hospital has noted about you.")),
)


def patient_page(view: View) -> dict[str, Any]:
    """Everything the patient's template needs; `view` is one of ``view.patient_views``."""
    medicines = [*(_medicine(row, view) for row in view["suggestions"] if row["current"]), *_unchecked(view)]
    groups = {name: [one for one in medicines if one["group"] == name] for name in ("talk", "fine", "open")}
    return {
        "patient_id": view["patient_id"], "record": view["record"], "samples": view["samples"], **groups,
        "summary": _summary(view, groups), "allergy": any("allergy" in one["kinds"] for one in medicines),
        "confirm": [{"name": medicine_name(row), "read": listed(row["ingredients"])}
                    for row in current_medicines(view) if row["matched_by"] == "fuzzy" and row["ingredients"]],
        "questions": _questions(medicines), "genes": _genes(view["genes"]), "today": _genes_today(view["genes"]),
        "unread": [gene for gene, row in view["genes"].items() if not _known(row)],
        "assumed": any(row["assumed_reference_sites"] for row in view["samples"]),
        "mismatched": bool(view["notices"]),
        "failed": bool(view["failures"]), "glossary": GLOSSARY, "doctor": _for_the_doctor(view),
    }


def _medicine(row: View, view: View) -> View:
    """One medicine that is taken: what, why, and whom to talk to when."""
    action, cautioned = row["action"], bool(row["cautions"])
    reasons = _reasons(row, view["explanations"])
    group = {STANDARD: "talk" if cautioned else "fine", OPEN: "open"}.get(action, "talk")
    effect = EFFECT.get(action, "")
    told = [gettext(BECAUSE[kind][effect]) % {"names": listed(sorted(map(noun, names)))} if names else gettext(
        BECAUSE[kind][effect]) for kind, names in reasons.items()] if effect and group == "talk" else []
    what = CAUTIONED if action == STANDARD and cautioned else WHAT[action]
    then = {"talk": NEXT[row["urgency"]], "fine": GO_ON, "open": ASK}[group]
    return {"drug": row["drug"], "names": _recorded(row["drug"], view), "group": group, "action": action,
            "urgency": row["urgency"] if group == "talk" else "", "kinds": list(reasons), "what": gettext(what),
            "because": told, "next": gettext(then)}


def _reasons(row: View, explanations: Iterable[View]) -> dict[str, set[str]]:
    """Kind of reason → names of other medicines (empty for the other kinds), in the order of `BECAUSE`."""
    keys = {(one["predictor"], one["target"]) for one in row["explained_by"]}
    found: dict[str, set[str]] = defaultdict(set)
    if any(one["code"] == "allergy" for one in row["cautions"]):
        found["allergy"] = set()
    for one in explanations:
        if (one["predictor"], one["target"]) in keys:
            for feature in _moving(one):
                prefix, _, about = feature.partition(":")
                kind = KINDS.get(prefix, "other")
                found[kind] |= {about} if kind == "medicines" else set()
    return {kind: found[kind] for kind in BECAUSE if kind in found}


def _moving(explanation: View) -> list[str]:
    """Features that pull the prediction the way it went, those of the smallest shares left out."""
    change = explanation["prediction"] - explanation["baseline"]
    along = [one for one in explanation["contributions"] if one["contribution"] * change > 0]
    total = sum(abs(one["contribution"]) for one in along)
    return [one["feature"] for one in along if abs(one["contribution"]) >= SMALLEST * total]


def _recorded(drug: str, view: View) -> list[str]:
    names = [medicine_name(row) for row in current_medicines(view) if drug in (row["ingredients"] or [])]
    return [name for name in dict.fromkeys(names) if name.casefold() != drug.casefold()]


def _unchecked(view: View) -> list[View]:
    """Medicines of the record that nothing is known about."""
    told = {row["drug"] for row in view["suggestions"] if row["current"]}
    rows = [row for row, _ in uncovered(view) if not told & set(row["ingredients"] or [])]
    return [{"drug": name, "names": [], "group": "open", "action": OPEN, "urgency": "", "kinds": [],
             "what": gettext(WHAT[OPEN]), "because": [], "next": gettext(ASK)}
            for name in dict.fromkeys(medicine_name(row) for row in rows)]


def _summary(view: View, groups: Mapping[str, list[View]]) -> list[str]:
    if view["record"] is None:
        return [gettext("No record was given to us. So we do not know which medicines you take.")]
    counts = {name: len(rows) for name, rows in groups.items()}
    if not sum(counts.values()):
        return [gettext("Your record names no medicine that you take now.")]
    said = {
        "talk": ngettext("%(n)s medicine to talk about.", "%(n)s medicines to talk about.", counts["talk"]),
        "fine": ngettext("%(n)s medicine where we found no reason for a change.",
                         "%(n)s medicines where we found no reason for a change.", counts["fine"]),
        "open": ngettext("%(n)s medicine that we could not check. That does not mean that it is right for you.",
                         "%(n)s medicines that we could not check. That does not mean that they are right for you.",
                         counts["open"]),
    }
    return [text % {"n": number(counts[name])} for name, text in said.items() if counts[name]]


def _questions(medicines: Iterable[View]) -> list[str]:
    wanted = {"open" if one["group"] == "open" else "test" if one["action"] == "test" else EFFECT[one["action"]]
              for one in medicines if one["group"] != "fine"}
    return [gettext(text) for name, text in QUESTIONS.items() if name in wanted]


def _known(row: View) -> bool:
    return bool(row["complete"] and row["status"] in CALLED and row["phenotype"])


def _genes(genes: Mapping[str, View]) -> list[View]:
    """Genes by how they work; those that could not be read are not among them."""
    terms = {gene: row["phenotype"] for gene, row in genes.items() if _known(row)}
    grouped = [(words, [gene for gene, term in terms.items() if term in names]) for words, names in WORKS]
    placed = {gene for _, some in grouped for gene in some}
    rest = (OTHERWISE, [gene for gene in terms if gene not in placed])
    return [{"genes": some, "words": gettext(words)} for words, some in [*grouped, rest] if some]


def _genes_today(genes: Mapping[str, View]) -> list[View]:
    """Genes that other medicines make work otherwise than they would."""
    return [{"gene": gene, "because": listed(map(noun, row["because"]))} for gene, row in genes.items()
            if row["because"] and row["present_phenotype"] != row["phenotype"]]


def _for_the_doctor(view: View) -> View:
    """The same in a clinician's terms, to be shown at a visit."""
    return {"medicines": [row for row in view["suggestions"] if row["current"]], "tests": view["tests"],
            "unread": list(dict.fromkeys(medicine_name(row) for row, _ in uncovered(view))),
            "genes": {gene: row for gene, row in view["genes"].items() if _known(row)}}
