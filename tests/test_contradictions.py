"""An order that is still active, and a later statement that the medicine is not taken."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest

from pmed.normalise.contradictions import weigh
from pmed.normalise.vocabulary import release
from pmed.stages.normalise import normalise
from pmed.tables import TABLES

EARLY, LATE, LATER = date(2023, 1, 1), date(2024, 1, 1), date(2024, 5, 1)


def order(**said: Any) -> dict[str, Any]:
    return {"patient_id": "p", "ingredients": ["warfarin"], "display": "Warfarin 5 MG", "active": True,
            "status": "active", "kind": "order", "start": EARLY, "source": "f.json#MedicationRequest/1"} | said


def denial(**said: Any) -> dict[str, Any]:
    return order(active=False, status="stopped", kind="statement", start=LATE, source="f.json#MedicationStatement/2"
                 ) | said


def weighed(*rows: dict[str, Any]) -> tuple[list[bool | None], list[str]]:
    drugs = TABLES["medications"].frame([{"row": at} | one for at, one in enumerate(rows, 1)])
    out, issues = weigh(drugs)
    assert out.drop("active").equals(drugs.drop("active"))
    assert weigh(out)[0].equals(out)
    TABLES["issues"].check(issues)
    return out["active"].to_list(), issues["place"].to_list()


@pytest.mark.parametrize("later", [
    denial(), denial(status="not-taken"), denial(start=None, end=LATE), denial(start=date(2020, 1, 1), end=LATE)])
def test_a_later_denial_leaves_it_open(later: dict[str, Any]) -> None:
    assert weighed(order(), later) == ([None, False], ["MedicationRequest/1"])
    assert weighed(later, order()) == ([False, None], ["MedicationRequest/1"])


@pytest.mark.parametrize(("first", "second"), [
    (order(start=LATER), denial()), (order(), denial(ingredients=["simvastatin"])), (order(), denial(patient_id="q")),
    (order(), denial(kind="order")), (order(), denial(status="completed")), (order(), denial(start=None)),
    (order(ingredients=None), denial(ingredients=None)), (order(ingredients=[]), denial(ingredients=[])),
    (order(), denial(status=None))])
def test_what_is_no_denial_of_it_changes_nothing(first: dict[str, Any], second: dict[str, Any]) -> None:
    assert weighed(first, second) == ([True, False], [])


def test_an_order_without_a_date_may_be_older() -> None:
    assert weighed(order(start=None), denial())[0] == [None, False]


def test_nothing_is_nothing() -> None:
    assert weighed() == ([], [])


def test_it_is_told_once_ingredients_are_known() -> None:
    tables = {name: TABLES[name].empty() for name in ("allergies", "observations", "issues")}
    tables["medications"] = TABLES["medications"].frame([
        order(row=1, ingredients=None, display="Sintrom"),
        denial(row=2, ingredients=None, display="acenocoumarol 4 mg")])
    out = normalise(tables, release().tables["drug_names"])
    assert out["medications"]["active"].to_list() == [None, False]
    (issue,) = out["issues"].filter(pl.col("severity") == "warning").rows(named=True)
    assert (issue["code"], issue["patient_id"]) == ("taken-and-not-taken", "p")
    assert issue["text"].startswith("'Sintrom' is recorded as taken, and a later statement")
