"""What could not be assessed, gathered from everywhere: each gap with its reason, so that none looks like normal.

Reasons are in English here, the host's as the plugins'; a page says them in its reader's language (``words.told``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from .messages import gettext, marked

Gap = dict[str, str]
View = dict[str, Any]
STATUS_WORDS = {
    "ambiguous": marked("more than one diplotype fits equally well"),
    "not-called": marked("could not be called"),
    "no-data": marked("no usable data: none of its sites could be read"),
}


def not_assessed(view: View, asked: Iterable[str]) -> list[Gap]:
    """Every gap of one patient as ``{"kind", "what", "reason"}`` (and who it comes from), without repeats."""
    gaps = [*_inputs(view), *_genes(view), *_predictions(view), *_medicines(view), *_suggestions(view),
            *_unanswered(view, asked)]
    return list({tuple(gap.values()): gap for gap in gaps}.values())


def current_medicines(view: View) -> list[View]:
    """Medicines that are taken, or perhaps: the record need not say. One row for each text and content.

    Records repeat an order each time it is renewed.
    """
    # []: "none is taken"
    active = [row for row in view["medications"] if row["active"] is not False and row["ingredients"] != []]
    return list({(medicine_name(row), *(row["ingredients"] or [])): row for row in active}.values())


def uncovered(view: View) -> list[tuple[View, str]]:
    """Current medicines of which at least one ingredient has no suggestion, each with the reason."""
    advised = {row["drug"] for row in view["suggestions"]}
    silent = [(row, sorted(set(row["ingredients"] or []) - advised)) for row in current_medicines(view)]
    looked_at, raised = _looked_at(view), raised_risks(view)
    return [(row, _why_uncovered(missing, looked_at, raised)) for row, missing in silent
            if missing or not row["ingredients"]]


def _looked_at(view: View) -> dict[str, str]:
    """Drugs that a plugin knows, and about which it has nothing to say here, each with the reason."""
    return {row["target"]: row["reason"] or marked("no reason given") for row in view["predictions"]
            if row["status"] == "not-applicable"}


def raised_risks(view: View) -> list[str]:
    """Risks that are raised by their own cards, each with its value."""
    return [f"{row['target'].replace('-', ' ')} ({row['label'] or _amount(row)})"
            for row in view["predictions"] if row.get("raised")]


def _amount(row: View) -> str:
    return f"{row['value']:.3g} {row['unit']}".removesuffix(" 1")


def medicine_name(row: View) -> str:
    """The medicine as recorded."""
    return str(row["display"] or row["code"] or gettext("medicine without a name"))


def _why_uncovered(missing: list[str], looked_at: Mapping[str, str], raised: Collection[str]) -> str:
    """`looked_at` are those of which an installed plugin knows something, but nothing that applies, and why.

    The reason may be that something is unknown, which is no word in favour of the medicine.
    """
    if not missing:
        return marked("not recognised as a known medicine")
    names = ", ".join(missing)
    if set(missing) <= set(looked_at):
        why = "; ".join(dict.fromkeys(looked_at[name] for name in missing))
        said = marked("no gene advice exists for {drug}").format(drug=names)
        risks = marked("raised, and not weighed against it: {values}").format(values=", ".join(raised))
        return "; ".join([said, risks, why] if raised else [said, why])
    return marked("no installed plugin gives advice on {names}").format(names=names)


def _gap(kind: str, what: str, reason: str, by: str = "") -> Gap:
    return {"what": what, "reason": reason, "kind": kind, "by": by}


def _inputs(view: View) -> Iterator[Gap]:
    if not view["samples"]:
        yield _gap("input", marked("genome"), marked("no genome file was given"))
    if view["record"] is None:
        yield _gap("input", marked("patient record"),
                   marked("no patient record was given: age, medicines and diagnoses are unknown"))
    elif view["record"]["age"] is None:
        yield _gap("input", marked("age"), marked("birth date or index date is not known"))


def _genes(view: View) -> Iterator[Gap]:
    for gene, row in view["genes"].items():
        parts = [STATUS_WORDS[row["status"]]] if row["status"] in STATUS_WORDS else []
        if not (row["complete"] or parts):
            parts.append(marked("incomplete: the phenotype cannot be relied on"))
        if parts:
            notes = [message["text"] or message["code"] for message in row["messages"] or []]
            yield _gap("gene", gene, "; ".join([*parts, *notes]))


def _predictions(view: View) -> Iterator[Gap]:
    for row in view["predictions"]:
        if row["status"] == "not-assessed":
            yield _gap("prediction", row["target"], row["reason"] or marked("no reason given"), row["predictor"])


def _medicines(view: View) -> Iterator[Gap]:
    for row, reason in uncovered(view):
        yield _gap("medicine", medicine_name(row), reason)


def _unanswered(view: View, asked: Iterable[str]) -> Iterator[Gap]:
    """Drugs that were asked for and that nobody has something to say about, each with the reason."""
    looked_at, raised = _looked_at(view), raised_risks(view)
    advised = {row["drug"] for row in view["suggestions"]}
    for drug in asked:
        if drug not in advised:
            yield _gap("drug", drug, _why_uncovered([drug], looked_at, raised))


def _suggestions(view: View) -> Iterator[Gap]:
    """Only those whose predictions do not say it already."""
    told = {(row["predictor"], row["target"]) for row in view["predictions"] if row["status"] == "not-assessed"}
    for row in view["suggestions"]:
        silent = not any((one["predictor"], one["target"]) in told for one in row["explained_by"])
        if silent and row["action"] in {"test", "not-assessed"}:
            reason = ", ".join(row["unknown"]) or row["why"] or row["text"]
            yield _gap("suggestion", row["drug"], reason, row["adviser"])
