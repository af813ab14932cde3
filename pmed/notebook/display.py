"""Displays of a notebook: small pieces of HTML with a style sheet of their own, no script, everything escaped.

The style sheet is inside each piece, under one class, so that it works in any notebook and touches nothing else. Dark
colours follow the system, and JupyterLab's theme where that says otherwise.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import polars as pl
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ..render import words
from ..render.bars import waterfall
from ..render.gaps import medicine_name, uncovered
from ..render.generated import Generated
from ..render.messages import decimals, number
from ..render.page import assessed_predictions
from ..render.view import View, age_at, displays, look, patient_views, table
from ..result import shown_action
from ..tables import ACTIONS
from ..types import Explanation

if TYPE_CHECKING:
    from ..modelling import ModelCard
    from ..records import Histories
    from ..result import Result
    from ..whatif import WhatIf
    from .parts import Plan, Quality

PEOPLE_SHOWN = 20
ROWS_SHOWN = 12
ACRONYMS = {"auroc", "auprc", "ece", "mae", "pw20", "r2", "rmse"}
UNIT_NOTES = {"concern level": "0 standard, 1 monitor, 2 adjust, 3 alternative, 4 avoid"}


def result(shown: Result) -> str:
    """One patient's plan, or the list of the patients with what is most pressing for each."""
    people = shown.patient_ids
    if len(people) == 1:
        return patient(patient_views(shown)[0], displays(shown), shown)
    few = people[:PEOPLE_SHOWN]
    return piece("people", people=_people(shown, few), count=len(people), more=len(people) - len(few),
                 failures=len(shown.failures))


def patient(view: View, names: words.Displays, shown: Result) -> str:
    """A patient: who, what to do with what is taken, what else is known, what is not."""
    current = [card(row, names) for row in view["suggestions"] if row["current"]]
    genes = [(name, row) for name, row in view["genes"].items() if row["status"] != "no-data" or row["acting"]]
    own = [{**row, "figure": figure(row["people"]), "chart": chart(row["explanation"], names)}
           for row in assessed_predictions(view, shown.provenance, names)]
    silent = [{"name": medicine_name(row), "reason": reason} for row, reason in uncovered(view)]
    return piece("patient", view=view, current=current, others=_by_action(view), genes=genes, predictions=own,
                 unread=len(view["genes"]) - len(genes), gaps=view["not_assessed"], failures=shown.failures,
                 uncovered=silent)


def figure(people: View | None) -> Markup:
    """A risk as 100 people, by the report's own macro; nothing where it is no share."""
    if people is None:
        return Markup()
    from ..render.html import environment as report_environment

    macros: Any = report_environment().get_template("macros.html.j2").module
    return Markup(macros.people(people))  # noqa: S704 - escaped by the report's templates


def card(row: View, names: words.Displays) -> View:
    """A suggestion with its chart and its links checked."""
    return {**row, "chart": chart(row["explanation"], names),
            "unknown": [words.reason(one, names) for one in row["unknown"]],
            "evidence": [{**one, "url": words.web_link(one["url"])} for one in row["evidence"]]}


def chart(explained: Mapping[str, Any] | None, names: words.Displays) -> View | None:
    """Bars and sentence of an explanation; None where there is none."""
    if explained is None:
        return None
    return {**waterfall(explained, names), "target": words.label(explained["target"]),
            "note": UNIT_NOTES.get(explained["unit"], ""), "sentence": explained.get("sentence") or "",
            "trace": explained["trace"]}


def suggestion(row: View, names: words.Displays) -> str:
    """One suggestion, open."""
    return piece("suggestion", row=card(row, names))


def plan(shown: Plan) -> str:
    """What is taken, patient by patient; the rest by name."""
    people: dict[str, list[View]] = defaultdict(list)
    others: dict[str, list[View]] = defaultdict(list)
    for one in shown.suggestions:
        (people if one.row["current"] else others)[one.patient_id].append(card(one.row, one.displays)
                                                                          if one.row["current"] else one.row)
    names = list(dict.fromkeys(one.patient_id for one in shown.suggestions))
    parts = [(name, people[name], _by_action({"suggestions": others[name]})) for name in names[:PEOPLE_SHOWN]]
    return piece("plan", parts=parts, more=max(len(names) - PEOPLE_SHOWN, 0))


def gene(name: str, row: View) -> str:
    """One gene: alleles, phenotype by the genome and today, what was not read."""
    return piece("gene", name=name, row=row)


def explanation(one: Explanation) -> str:
    """Bars, from the reference patient to this one."""
    return piece("explanation", chart=chart(_plain(one), {}), who=one.patient_id, predictor=one.predictor)


def explanation_text(one: Explanation) -> str:
    """The same as lines with signed numbers."""
    rows = sorted(zip(one.features, one.values, one.contributions, strict=True), key=lambda row: -abs(row[2]))
    digits = decimals([one.baseline, one.prediction, *one.contributions])
    lines = [f"  {words.signed(amount, digits):>8}  {words.feature(name)}: {value}" for name, value, amount in rows]
    return "\n".join([f"{one.target} of {one.patient_id} by {one.predictor}, in {one.unit}:",
                      f"  {number(one.baseline, digits):>8}  reference patient", *lines,
                      f"  {number(one.prediction, digits):>8}  this patient"])


def _plain(one: Explanation) -> View:
    parts = zip(one.features, one.values, one.contributions, strict=True)
    return {"target": one.target, "unit": one.unit, "method": one.method, "baseline": one.baseline,
            "prediction": one.prediction, "trace": one.trace,
            "contributions": [{"feature": name, "value": value, "reference": "", "contribution": amount}
                              for name, value, amount in parts]}


def difference(one: WhatIf) -> str:
    """What would change: genes, medicines that are taken before or after, predictions."""
    taken = pl.any_horizontal(pl.col("current_before", "current_after").fill_null(value=False))
    values = [{**row, **{side: _worded(row, side) for side in ("before", "after")}}
              for row in one.predictions.filter(pl.col("unit") != "concern level").to_dicts()]
    return piece("difference", question=one.question, genes=one.phenotypes.to_dicts(),
                 medicines=one.suggestions.filter(taken).to_dicts(), values=values,
                 at_first=one.at_first.filter("current_at_first").to_dicts(),
                 others=one.suggestions.filter(~taken).height, failures=one.failures)


def _worded(row: View, side: str) -> str:
    """The value before or after, with the word for it if there is one."""
    label = row[f"label_{side}"]
    return words.quantity(row[f"value_{side}"], row["unit"]) + (f" ({label})" if label else "")


def quality(one: Quality) -> str:
    """Sites by state for each sample, and the issues that are more than information."""
    serious = one.issues.filter(pl.col("severity") != "info")
    states = [name for name in one.sites.columns if name not in {"sample", "patient_id", "build", "build_from", "sex",
                                                                 "sites"}]
    return piece("quality", rows=one.sites.head(PEOPLE_SHOWN).to_dicts(), states=states,
                 more=max(one.sites.height - PEOPLE_SHOWN, 0), issues=serious.head(ROWS_SHOWN).to_dicts(),
                 unshown=max(serious.height - ROWS_SHOWN, 0), infos=one.issues.height - serious.height)


def plugin_list(described: Mapping[str, Any]) -> str:
    """Plugins with their components; failures first."""
    return piece("plugins", plugins=described["plugins"], disabled=described["disabled"],
                 failures=described["failures"])


def model_card(card: ModelCard) -> str:
    """From whom a model was learned, how good it is with intervals, where it does not hold."""
    from ..modelling.card import grids, numbers

    judged = [(name, [(metric(one), *rest) for one, *rest in numbers(values)],
               [(title, list(map(metric, columns)), rows) for title, columns, rows in grids(values)])
              for name, values in card.metrics.items()]
    return piece("model_card", card=card, judged=judged)


def metric(name: str) -> str:
    """A metric's name as it is written in papers."""
    said = " ".join(one.upper() if one in ACRONYMS else one for one in name.split("_"))
    return said[:1].upper() + said[1:]


def histories(one: Histories) -> str:
    """Records: how many rows of what, how medicines were recognised, issues."""
    return piece("histories", summary=one.summary)


def piece(name: str, /, **context: Any) -> str:
    """One template with the style sheet before it, as a piece of HTML that can stand anywhere."""
    return environment().get_template(f"{name}.html.j2").render(style=style(), **context)


@cache
def environment() -> Environment:
    """Everything escaped and no silent blanks; built when first used."""
    made = Environment(loader=PackageLoader("pmed.notebook"), autoescape=True, undefined=StrictUndefined,
                       trim_blocks=True, lstrip_blocks=True, bytecode_cache=Generated("pmed.notebook"))
    made.filters.update(look=look, label=words.label, number=number, quantity=words.quantity, reason=words.reason)
    return made


@cache
def style() -> Markup:
    """The style sheet: ours, so it is not escaped."""
    loader = environment().loader
    assert loader is not None  # noqa: S101 - environment() gives it one
    return Markup(loader.get_source(environment(), "style.css")[0])  # noqa: S704 - a file of this package


def _people(shown: Result, few: Sequence[str]) -> list[View]:
    """A line a patient: who, and the medicines that are taken with their actions."""
    records = {row["patient_id"]: row for row in
               table(shown, "patients").filter(pl.col("patient_id").is_in(few)).iter_rows(named=True)}
    taken = table(shown, "suggestions").filter(pl.col("patient_id").is_in(few) & pl.col("current"))
    rows: dict[str, list[View]] = defaultdict(list)
    for row in taken.select("patient_id", "drug", shown_action(), "urgency").iter_rows(named=True):
        rows[row["patient_id"]].append(row)
    return [{"patient_id": one, "sex": (record := records.get(one, {})).get("sex"),
             "age": age_at(record.get("birth_date"), record.get("index_date")), "medicines": rows[one],
             "recorded": bool(record)} for one in few]


def _by_action(view: View) -> dict[str, list[str]]:
    """Medicines that are not taken, by what would have to be done, the most pressing first."""
    found: dict[str, list[str]] = defaultdict(list)
    for row in view["suggestions"]:
        if not row["current"]:
            found[look(row)].append(row["drug"])
    return {action: found[action] for action in sorted(found, key=ACTIONS.index)}
