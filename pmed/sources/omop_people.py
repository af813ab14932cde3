"""An OMOP CDM → frames as recorded (`recorded.COLUMNS`): who the people are, and which tables tell of them."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from ..errors import HistoryError
from . import omop_events as events
from .lost_rows import settled
from .omop_cdm import CLINICAL, ERAS, LAYOUTS, Store, load, said, told
from .omop_concepts import find_concepts, ingredients, named
from .omop_doses import strengths

_SEX = {8507: "male", 8532: "female", 8521: "other", 8551: "unknown", 8570: "other"}
_RACE = {8527: "White", 8515: "Asian", 8516: "Black or African American",
         8557: "Native Hawaiian or Other Pacific Islander", 8657: "American Indian or Alaska Native"}
Vocabulary = tuple[pl.DataFrame, pl.DataFrame]  # concepts, and what drugs contain
# What a row is of whose person is not known; an observation may be an allergy, too.
_ERAS = {
    "drug_era": "a drug_era table is there and is not read: eras are computed from drug exposures and have no dose; "
                "export drug_exposure, from which they were made, for without it medicines are unknown",
    "condition_era": "a condition_era table is there and is not read: eras are computed from condition occurrences and "
                     "do not say how sure they were; export condition_occurrence, from which they were made, for "
                     "without it diagnoses are unknown"}
_RESOURCES = {"drug_exposure": " (MedicationStatement)", "condition_occurrence": " (Condition)",
              "procedure_occurrence": " (Procedure)", "visit_occurrence": " (Encounter)",
              "measurement": " (Observation)"}
_FACTS = ("birth_date", "sex", "ancestry", "deceased")


def recorded_frames(store: Store, vocabulary: Vocabulary | None = None) -> dict[str, pl.DataFrame]:
    """Frames of one CDM by table name, and its ``issues``; the vocabulary may be known already.

    Raises:
        HistoryError: there is no person table or nobody in it, or a table is not as the CDM says.
    """
    issues: list[pl.DataFrame] = []
    people = people_of(store, issues)
    tables = {name: _events(store, name, people, issues) for name in CLINICAL}
    concepts, contents = vocabulary or vocabulary_of(store, [people, *tables.values()], tables["drug_exposure"], issues)
    patients = _patients(people, concepts, _dead(store, issues), issues)
    frames = {"patients": patients, **events.frames(tables, concepts, contents, issues)}
    issues.append(said(store.where, "info", "no-allergy-table",
                       "the OMOP CDM has no table of allergies: that none is found does not mean there is none"))
    told = pl.concat([*store.issues, *issues])
    # A part does not know everybody.
    return {**frames, "issues": settled(told, patients["patient_id"]) if store.whole else told}


def vocabulary_of(store: Store, frames: Iterable[pl.DataFrame], drugs: pl.DataFrame,
                  issues: list[pl.DataFrame]) -> Vocabulary:
    """The concepts that the frames name, and what the drugs contain: ingredients and strengths."""
    concepts = find_concepts(store, frames, issues)
    return concepts, ingredients(store, drugs, concepts, issues).join(
        strengths(store, drugs, issues), on="drug_concept_id", how="full", coalesce=True)


def people_of(store: Store, issues: list[pl.DataFrame]) -> pl.DataFrame:
    """The rows of the person table that name a person, in order of these.

    Raises:
        HistoryError: there is no such table, or nobody in it.
    """
    rows = load(store, "person", issues)
    if rows is None:
        raise HistoryError("no person table", where=store.where,
                           hint="OMOP CDM 5.3 or 5.4 is read; of a database the schema that is named")
    nameless = pl.col("person_id").is_null()
    issues.append(told(rows.filter(nameless), "error", "no-person-id", "without person_id; the row was left out"))
    people = rows.filter(~nameless).sort("person_id", maintain_order=True)
    if not people.height:
        raise HistoryError("nobody is in the person table", where=store.place("person"))
    if missing := sorted(set(getattr(store, "persons", ())) - {*people["person_id"]}):
        raise HistoryError(f"no person {', '.join(map(str, missing))} in the person table", where=store.place("person"))
    return people


def _events(store: Store, table: str, people: pl.DataFrame, issues: list[pl.DataFrame]) -> pl.DataFrame:
    """The rows of a table that belong to somebody, in order of person, day and id."""
    rows = load(store, table, issues)
    if rows is None:
        issues.append(said(store.where, "warning", "missing-table",
                           f"no {table} table: what it would tell is unknown, not absent"))
        issues += _eras(store, table)
        return events.empty(table)
    if store.whole and not rows.height:
        issues.append(empty_table(store, table))
    known = pl.col("person_id").is_in(people["person_id"].implode()).fill_null(value=False)
    nameless = pl.col("person_id").is_null()
    of_nobody = rows.filter(nameless).with_columns(place=pl.format("{}{}", "place", pl.lit(_RESOURCES.get(table, ""))))
    issues.append(told(of_nobody, "error", "no-patient", "no person_id; the row was left out"))
    strangers = rows.filter(~known & ~nameless)
    issues.append(told(strangers, "error", "unknown-person",
                       "the person is not in the person table; the row was left out"))
    layout = LAYOUTS[table]
    kept = rows.filter(known) if strangers.height or of_nobody.height else rows
    day = next(name for name, kind in layout.needed.items() if kind == "a date")
    issues.append(told(kept.filter(pl.col(day).is_null()), "warning", "no-date", f"no {day}; it stays unknown"))
    return kept.sort("person_id", day, layout.key, maintain_order=True)


def empty_table(store: Store, table: str) -> pl.DataFrame:
    """The issue that a table of the CDM has no row."""
    word = table.replace("_", " ")
    told = said(store.place(table), "info", "empty-table", f"no {word} is recorded of anybody")
    return pl.concat([told, *_eras(store, table)])


def _eras(store: Store, table: str) -> list[pl.DataFrame]:
    """Where medicines or diagnoses are only there as eras: what to export instead."""
    eras = ERAS.get(table)
    if eras is None or store.columns(eras) is None:
        return []
    return [said(store.place(eras), "warning", f"{eras.replace('_', '-')}-not-read", _ERAS[eras])]


def _dead(store: Store, issues: list[pl.DataFrame]) -> pl.Series:
    """The people with a record of their death; who has none may live."""
    rows = load(store, "death", issues)
    if rows is None:
        issues.append(said(store.where, "warning", "missing-table", "no death table: who has died is unknown"))
    return rows["person_id"].drop_nulls().unique() if rows is not None else pl.Series(dtype=pl.Int64)


def _patients(people: pl.DataFrame, concepts: pl.DataFrame, dead: pl.Series,
              issues: list[pl.DataFrame]) -> pl.DataFrame:
    known = named(people, "race_concept_id", concepts, "display")
    race = pl.col("race_concept_id").replace_strict(_RACE, default=None, return_dtype=pl.String)
    made = known.with_columns(
        birth_date=_birth(), sex=pl.col("gender_concept_id").replace_strict(_SEX, default=None, return_dtype=pl.String),
        ancestry=pl.coalesce("race_concept_id.display", race, "race_source_value"),
        deceased=pl.when(pl.col("person_id").is_in(dead.implode())).then(pl.lit(value=True)))
    other_year = pl.col("birth_datetime").str.slice(0, 4) != pl.col("year_of_birth").cast(pl.String)
    issues += [
        told(made.filter(other_year), "warning", "birth-conflict",
             "birth_datetime and year_of_birth differ; the date of birth stays unknown"),
        told(made.filter(pl.col("sex").is_null()), "warning", "no-gender",
             "gender_concept_id is 0 or none of OMOP's; sex stays unknown")]
    sure = made.with_columns(birth_date=pl.when(~other_year.fill_null(value=False)).then("birth_date"))
    return _once(sure, issues).select(patient_id=pl.col("person_id").cast(pl.String), file="file", place="place",
                                      source="source", **{name: name for name in _FACTS})


def _birth() -> pl.Expr:
    """The date of birth, or the year or month of it."""
    year = pl.col("year_of_birth").cast(pl.String).str.zfill(4)
    month, day = (pl.col(name).cast(pl.String).str.zfill(2) for name in ("month_of_birth", "day_of_birth"))
    return pl.coalesce("birth_datetime", year + "-" + month + "-" + day, year + "-" + month, year)


def _once(people: pl.DataFrame, issues: list[pl.DataFrame]) -> pl.DataFrame:
    """One row a person; what several rows of one person contradict each other in stays unknown."""
    issues.append(told(people.filter(~pl.col("person_id").is_first_distinct()), "error", "double-person",
                       "the person has several rows; where they differ, it stays unknown"))
    agreed = [pl.when(pl.col(name).n_unique() == 1).then(pl.col(name).first()).alias(name) for name in _FACTS]
    origin = [pl.col(name).first() for name in ("file", "place", "source")]
    return people.group_by("person_id", maintain_order=True).agg(*origin, *agreed)
