"""A result as plain dictionaries, one per patient; the HTML report and the JSON both say what stands here.

Positions are 1-based. An unknown is null, and everything that could not be assessed is listed with its reason.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import polars as pl

from ..normalise.plausible import OLDEST
from ..old_entries import with_years
from ..result import COLOURS, UNDECIDED, Result
from ..tables import TABLES, TOGETHER
from .gaps import not_assessed
from .messages import gettext, marked
from .sentence import sentence
from .words import Displays, term
from .words import feature as feature_words

View = dict[str, Any]
ByPatient = Mapping[str, list[View]]
ABSENT_AS_REF = "assumed-reference"
PER_PATIENT = ("patients", "samples", "medications", "issues", "gene_results", "present_phenotypes", "predictions",
               "explanations", "traces", "suggestions")
GENETIC = ("phenotype", "activity-score", "diplotype", "genotype", "status")
#: What follows from measurements that a check may ask for
MEASURED = ("egfr", "creatinine-clearance", "weight")
GENE_LISTS = ("diplotypes", "functions", "missing_sites", "messages")
#: Issues that a reader must see before anything else: the genome may be somebody else's.
NOTICES = ("joined-without-name", "sex-mismatch")
SUGGESTION_LISTS = ("evidence", "alternatives", "cautions", "unknown", "explained_by")


@dataclass(frozen=True)
class About:
    """What a view needs besides a patient's rows."""

    kinds: Mapping[str, str]
    raised: Mapping[str, float | None]
    assumed: Mapping[str, int]
    failures: list[View]
    displays: Displays
    classes: Mapping[str, list[str]]


def patient_views(result: Result) -> list[View]:
    """One view a patient, sorted by patient_id; tables that the result lacks count as empty."""
    rows = {name: by_patient(table(result, name)) for name in PER_PATIENT}
    rows["medications"] = by_patient(with_years(table(result, "medications"), table(result, "patients")))
    assumed = _assumed_sites(result)
    kinds = {name: about.get("kind", "") for name, about in result.provenance.get("predictors", {}).items()}
    raised = {name: about.get("card", {}).get("raised") for name, about in result.provenance.get(
        "predictors", {}).items()}
    patients = sorted({*rows["patients"], *rows["samples"]})
    asked = [str(drug) for drug in result.provenance.get("settings", {}).get("drugs", [])]
    shown, classes = displays(result), dict(table(result, "drug_classes").group_by("drug", maintain_order=True).agg(
        "class").iter_rows())
    failures = {patient: _failures(result, patient, alone=len(patients) == 1) for patient in patients}
    views = [_patient({name: one.get(patient, []) for name, one in rows.items()}, patient, About(
        kinds, raised, assumed.get(patient, {}), failures[patient], shown, classes)) for patient in patients]
    return [{**view, "asked": asked, "not_assessed": not_assessed(view, asked)} for view in views]


def displays(result: Result) -> Displays:
    """What the record itself calls its observation codes."""
    named = table(result, "observations").filter(pl.col("code").is_not_null() & pl.col("display").is_not_null())
    return dict(named.select("code", "display").unique("code", keep="last", maintain_order=True).iter_rows())


def general_issues(result: Result) -> list[View]:
    """Problems found while reading that belong to a file and to no patient in particular."""
    rows = table(result, "issues").filter(pl.col("patient_id").is_null())
    return rows.drop("patient_id").to_dicts()


def table(result: Result, name: str) -> pl.DataFrame:
    """A table of the result, or an empty one of that name."""
    return result.tables[name] if name in result.tables else TABLES[name].empty()


def by_patient(frame: pl.DataFrame) -> ByPatient:
    """Rows as dictionaries, by patient; rows of nobody in particular come under ''."""
    found: dict[str, list[View]] = defaultdict(list)
    for row in frame.iter_rows(named=True):
        found[row["patient_id"] or ""].append(row)
    return found


def age_at(birth: date | None, day: date | None) -> int | None:
    """Completed years from `birth` to `day`; null where either is unknown, birth comes later or nobody is that old."""
    if birth is None or day is None or birth > day:
        return None
    years = day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))
    return years if years < OLDEST else None


def _assumed_sites(result: Result) -> dict[str, dict[str, int]]:
    """Patient → sample → how many sites were taken as reference without having been seen."""
    counted = table(result, "genotypes").filter(pl.col("state") == ABSENT_AS_REF).group_by("sample").len()
    joined = counted.join(table(result, "samples").select("sample", "patient_id"), on="sample")
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for row in joined.sort("patient_id", "sample").iter_rows(named=True):
        found[row["patient_id"]][row["sample"]] = row["len"]
    return found


def _failures(result: Result, patient: str, *, alone: bool) -> list[View]:
    """What concerns a patient, with messages only where there is no other: a message may quote another's data."""
    rows = [_without(asdict(failure), "patients") for failure in result.failures if failure.concerns(patient)]
    return rows if alone else [{**row, "message": ""} for row in rows]


def _patient(rows: Mapping[str, list[View]], patient: str, about: About) -> View:
    genes = _genes(rows["gene_results"], rows["present_phenotypes"])
    explanations = [{**one, "sentence": sentence(one, _names(one, genes, about.displays))}
                    for one in _explanations(rows["explanations"], rows["traces"])]
    found = {(one["predictor"], one["target"]): one for one in explanations}
    view: View = {
        "patient_id": patient,
        "notices": [{"code": row["code"], "text": row["text"]} for row in rows["issues"] if row["code"] in NOTICES],
        "record": next((_record(row) for row in rows["patients"]), None),
        "samples": [{**_without(row, "patient_id"), "assumed_reference_sites": about.assumed.get(row["sample"], 0)}
                    for row in rows["samples"]],
        "medications": [_without(row, "patient_id", "row") for row in rows["medications"]],
        "suggestions": [_suggestion(row, found) for row in rows["suggestions"]],
        "panel": [_colour(row, about.classes) for row in rows["suggestions"]],
        "tests": _tests(rows["suggestions"], about.displays),
        "genes": genes,
        "predictions": [_prediction(row, about, found) for row in rows["predictions"]],
        "explanations": explanations,
        "issues": [_without(row, "patient_id") for row in rows["issues"]],
        "failures": about.failures,
    }
    return view


def _genes(results: Iterable[View], present: Iterable[View]) -> dict[str, View]:
    """Gene → its result and its phenotype today; a gene of which only medicines speak has no diplotype."""
    blank = TABLES["gene_results"].frame([{"status": "no-data", "complete": False}]).to_dicts()[0]
    today = {row["gene"]: row for row in present}
    called = {row["gene"]: row for row in results}
    found = {}
    for gene in sorted({*called, *today}):
        row, now = called.get(gene, blank), today.get(gene)
        found[gene] = {**_filled(_without(row, "patient_id", "gene"), GENE_LISTS), **_today(row, now)}
    return found


def _today(row: View, now: View | None) -> View:
    if now is None:
        return {"present_phenotype": row["phenotype"], "present_activity_score": row["activity_score"], "because": [],
                "acting": [], "reverts_after": None}
    return {**{name: now[name] for name in ("present_phenotype", "present_activity_score", "reverts_after")},
            "because": now["because"] or [], "acting": now["acting"] or []}


SEXES = {"female": marked("female sex"), "male": marked("male sex")}


def _names(explanation: View, genes: Mapping[str, View], displays: Displays) -> dict[str, str]:
    """What the features of an explanation are called in a sentence: a medicine by its name, a gene by its diplotype."""
    return {one["feature"]: _name(one["feature"], one["value"], genes, displays)
            for one in explanation["contributions"]}


def _name(feature: str, value: str | None, genes: Mapping[str, View], displays: Displays) -> str:
    kind, _, about = feature.partition(":")
    if kind == "on":
        return term(about)
    if about in genes and kind in {"phenotype", "activity-score", "diplotype"}:
        row = genes[about]
        settled = row["complete"] and row["status"] in {"called", "outside"} and len(row["diplotypes"]) == 1
        return f"{about} {row['diplotypes'][0] if settled else term(row['phenotype'] or value)}"
    if feature == "sex" and value in SEXES:
        return gettext(SEXES[value])
    said = feature_words(feature, displays)
    return said if value in {None, "yes", "no"} or feature == TOGETHER else f"{said} {term(value)}"


def _colour(row: View, classes: Mapping[str, list[str]]) -> View:
    """A medicine of the whole list by colour: act, caution, standard or unknown."""
    return {"drug": row["drug"], "classes": classes.get(row["drug"], []), "current": row["current"],
            "action": row["action"], "colour": COLOURS[look(row)]}


def look(row: View) -> str:
    """The action of a suggestion as it is to look, as `pmed.result.shown_action` has it."""
    undecided = row["action"] == "standard" and any(one["code"] == UNDECIDED for one in row["cautions"] or [])
    return "not-assessed" if undecided else str(row["action"])


def _tests(suggestions: Iterable[View], displays: Displays) -> list[View]:
    """Which test would help: what is unknown of the medicines that are taken, most medicines first."""
    wanted: dict[str, set[str]] = defaultdict(set)
    for row in suggestions:
        for name in row["unknown"] or [] if row["current"] else []:
            if test := _test(name, displays):
                wanted[test].add(row["drug"])
    return [{"test": test, "drugs": sorted(drugs)}
            for test, drugs in sorted(wanted.items(), key=lambda one: (-len(one[1]), one[0]))]


def _test(name: str, displays: Displays) -> str:
    """What to test for an unknown input: a gene, or a measurement in words; empty where no test tells it."""
    kind, _, about = name.partition(":")
    if kind == "latest":
        return feature_words(f"observation:{about}", displays)
    return about if kind in GENETIC else feature_words(name, displays) if name in MEASURED else ""


def _without(row: Mapping[str, Any], *names: str) -> View:
    return {name: value for name, value in row.items() if name not in names}


def _filled(row: View, names: Iterable[str]) -> View:
    """`row` with an empty list where a list is null: nothing was said."""
    return {**row, **{name: row[name] or [] for name in names}}


def _record(row: Mapping[str, Any]) -> View:
    return {**_without(row, "patient_id"), "age": age_at(row["birth_date"], row["index_date"])}


def _explanations(rows: Iterable[View], traces: Iterable[View]) -> list[View]:
    """One entry a prediction: baseline + contributions = prediction, and the steps a person can follow."""
    steps: dict[tuple[str, str], list[str]] = defaultdict(list)
    for trace in sorted(traces, key=lambda one: one["step"]):
        steps[trace["predictor"], trace["target"]].append(trace["text"])
    found: dict[tuple[str, str], View] = {}
    for row in rows:
        key = row["predictor"], row["target"]
        entry = found.setdefault(key, {
            **{name: row[name] for name in ("predictor", "target", "unit", "baseline", "prediction", "method")},
            "contributions": [], "trace": steps[key]})
        entry["contributions"].append({name: row[name] for name in ("feature", "value", "reference", "contribution")})
    return list(found.values())


def _suggestion(row: View, explanations: Mapping[tuple[str, str], View]) -> View:
    """The first explanation that exists of those the suggestion rests on is its main one; null where there is none."""
    made_by = row["explained_by"] or []
    keys = [(one["predictor"], one["target"]) for one in made_by]
    main = next((explanations[key] for key in keys if key in explanations), None)
    return {**_filled(_without(row, "patient_id"), SUGGESTION_LISTS), "explanation": main}


def _prediction(row: View, about: About, explanations: Mapping[tuple[str, str], View]) -> View:
    interval = None if row["low"] is None or row["high"] is None else [row["low"], row["high"]]
    limit, kind = about.raised.get(row["predictor"]), about.kinds.get(row["predictor"], "")
    raised = kind == "risk" and limit is not None and row["value"] is not None and row["value"] >= limit
    return {**_without(row, "patient_id", "low", "high"), "interval": interval, "kind": kind, "raised": raised,
            "explanation": explanations.get((row["predictor"], row["target"]))}
