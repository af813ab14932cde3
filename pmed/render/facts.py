"""Facts of a patient's view that several exports need in the same words; unknown stays unknown in all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .view import GENETIC, View
from .words import label, quantity

CALLED = ("called", "outside")
ASSUMED = "absent-as-ref"
TO_DO = ("avoid", "alternative", "adjust", "monitor", "test")
ACTION_WORDS = {"avoid": "Avoid", "alternative": "Use another medicine", "adjust": "Adjust", "monitor": "Monitor",
                "test": "Test first", "standard": "Standard use", "not-assessed": "Not assessed"}
OWN_KINDS = ("risk", "treatment-response")


def diplotype(row: View) -> str | None:
    """The one diplotype that can be relied on; None where it is open, ambiguous, or a key site was not read."""
    settled = row["status"] in CALLED and row["complete"] and len(row["diplotypes"]) == 1
    return str(row["diplotypes"][0]) if settled else None


def assumed(row: View) -> bool:
    """Whether sites that nobody saw were taken as reference for this gene: its result is never final then."""
    return any(message["code"] == ASSUMED for message in row["messages"])


def possible(row: View) -> str:
    """What the gene may be where it is open: "*1/*1 or *1/*2"; "" where nothing is known.

    One that is not settled is not all that is possible, nor is what fits where sites were not read.
    """
    known = row["possible_diplotypes"] or row["diplotypes"]
    more = bool(known) and (len(known) == 1 or bool(row["missing_sites"]))
    return " or ".join([*known, "others"] if more else known)


def open_reason(gene: str, view: View) -> str:
    """Why a gene has no settled diplotype, in the words of the list of what was not assessed."""
    return next((gap["reason"] for gap in view["not_assessed"] if gap["kind"] == "gene" and gap["what"] == gene),
                "no settled diplotype")


def alleles(settled: str) -> list[str]:
    """The star alleles of a diplotype, each once; empty for names of another form."""
    parts = settled.split("/")
    return list(dict.fromkeys(parts)) if len(parts) == 2 and all(one.startswith("*") for one in parts) else []


def genes_of(suggestion: View, genes: Mapping[str, Any]) -> list[str]:
    """The genes that a suggestion rests on, or that it misses."""
    explained = suggestion["explanation"]["contributions"] if suggestion["explanation"] else []
    names = [*(one["feature"] for one in explained), *suggestion["unknown"]]
    found = [about for kind, _, about in (name.partition(":") for name in names) if kind in GENETIC and about in genes]
    return list(dict.fromkeys(found))


def to_do(view: View) -> list[View]:
    """What to do about the medicines that the patient takes, most pressing first."""
    return [row for row in view["suggestions"] if row["current"] and (row["action"] in TO_DO or row["cautions"])]


def nothing_to_do(view: View) -> str:
    """What to say where there is nothing to do: never that all is well."""
    if view["record"] is None:
        return "No patient record was given: what the patient takes is not known."
    if not any(row["active"] is not False for row in view["medications"]):
        return "The record names no current medicine."
    return ("No change of a current medicine is suggested by what could be assessed. This is not a finding that all is "
            "well; see what was not assessed.")


def others(view: View, provenance: Mapping[str, Any]) -> list[View]:
    """Predictions that are no advice on a drug, each with a `title`; what does not apply is left out.

    The title is what the predictor's card says where it speaks of one target only; a target's name is for machines.
    """
    cards = provenance.get("predictors", {})
    return [{**row, "title": _title(row["target"], cards.get(row["predictor"], {}))} for row in view["predictions"]
            if row["kind"] in OWN_KINDS and row["status"] != "not-applicable"]


def of_this_patient(rows: Iterable[View], view: View) -> list[View]:
    """`rows` of predictions without doses of medicines that the patient neither takes nor was asked about."""
    idle = {(one["predictor"], one["target"]) for row in view["suggestions"] for one in row["explained_by"]
            if not row["current"] and row["drug"] not in view["asked"]}
    return [row for row in rows if (row["predictor"], row["target"]) not in idle]


def is_probability(row: View) -> bool:
    """Whether a prediction is the probability of an outcome in percent."""
    return bool(row["kind"] == "risk" and row["unit"] == "%")


def shown(row: View) -> str:
    """A prediction as text: "12.3 %, 8 to 20 %, intermediate risk" and what was assumed, or why it is not assessed."""
    if row["status"] != "assessed":
        return f"not assessed: {row['reason'] or 'no reason given'}"
    interval = row["interval"]
    parts = [quantity(row["value"], row["unit"]),
             f"{quantity(interval[0], '')} to {quantity(interval[1], row['unit'])}" if interval else "",
             row["label"] or ""]
    assumed_so = f"; assumed: {row['reason']}" if row["reason"] else ""
    return plain_spaces(", ".join(part for part in parts if part) + assumed_so)


def sources(rows: Iterable[View]) -> list[str]:
    """Sources of suggestions, each once: "CPIC, PMID:1"."""
    named = (", ".join(part for part in (one["source"], one["citation"] or one["url"]) if part)
             for row in rows for one in row["evidence"])
    return list(dict.fromkeys(one for one in named if one))


def alternatives(row: View) -> str:
    """Alternatives with what stands for or against each: "a (fits: why); b (ruled-out: why)"."""
    return "; ".join(f"{one['drug']} ({one['status']}{': ' + one['reason'] if one['reason'] else ''})"
                     for one in row["alternatives"])


def day(view: View) -> str | None:
    """The index date, ISO 8601; None where it is not known."""
    found = view["record"] and view["record"]["index_date"]
    return found.isoformat() if found else None


def _title(target: str, about: Mapping[str, Any]) -> str:
    summary = str(about.get("card", {}).get("summary", "")).rstrip(".")
    return summary if summary and len(about.get("gives", [target])) == 1 else label(target)


def plain_spaces(text: str) -> str:
    """No-break spaces as blanks, for formats in which they only disturb."""
    return text.replace("\N{NO-BREAK SPACE}", " ")
