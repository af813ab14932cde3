"""The IWPC equation itself: coefficients, worked sums, direction of every factor, ancestry groups."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmed_response import iwpc

PERSON: dict[str, Any] = {"age": 65.0, "height": 170.0, "weight": 80.0, "vkorc1": "C/C", "cyp2c9": "*1/*1",
                          "race": "White", "inducer": False, "amiodarone": False}
people = st.fixed_dictionaries({
    "age": st.floats(18, 100), "height": st.floats(130, 220), "weight": st.floats(30, 250),
    "vkorc1": st.sampled_from(list(iwpc.VKORC1)), "cyp2c9": st.sampled_from(list(iwpc.CYP2C9)),
    "race": st.sampled_from(list(iwpc.RACE)), "inducer": st.booleans(), "amiodarone": st.booleans()})


def dose(*persons: dict[str, Any]) -> list[float | None]:
    frame = pl.DataFrame(persons, schema_overrides={"vkorc1": pl.String, "cyp2c9": pl.String, "amiodarone": pl.Boolean})
    parts = iwpc.terms(**{name: pl.col(name) for name in PERSON})
    return frame.select(iwpc.weekly_dose(parts)).to_series().to_list()


def test_reference_patient_by_hand() -> None:
    # 5.6044 − 6 × 0.2614 + 170 × 0.0087 + 80 × 0.0128 = 6.539
    assert dose(PERSON) == [pytest.approx(6.539 ** 2)]


@pytest.mark.parametrize(("changes", "root"), [
    ({"vkorc1": "C/T"}, 6.539 - 0.8677), ({"vkorc1": "T/T"}, 6.539 - 1.6974),
    ({"cyp2c9": "*1/*2"}, 6.539 - 0.5211), ({"cyp2c9": "*1/*3"}, 6.539 - 0.9357),
    ({"cyp2c9": "*2/*2"}, 6.539 - 1.0616), ({"cyp2c9": "*2/*3"}, 6.539 - 1.9206),
    ({"cyp2c9": "*3/*3"}, 6.539 - 2.3312), ({"race": "Asian"}, 6.539 - 0.1092), ({"race": "Black"}, 6.539 - 0.2760),
    ({"race": "missing or mixed"}, 6.539 - 0.1032), ({"inducer": True}, 6.539 + 1.1816),
    ({"amiodarone": True}, 6.539 - 0.5503), ({"age": 69.99}, 6.539), ({"age": 70.0}, 6.539 - 0.2614),
    ({"height": 171.0}, 6.539 + 0.0087), ({"weight": 81.0}, 6.539 + 0.0128)])
def test_each_published_coefficient(changes: dict[str, Any], root: float) -> None:
    assert dose(PERSON | changes) == [pytest.approx(root ** 2)]


@given(people)
@settings(max_examples=60, deadline=None)
def test_direction_of_every_factor(person: dict[str, Any]) -> None:
    frailer = [{"age": person["age"] + 10}, {"height": person["height"] - 5}, {"weight": person["weight"] - 5},
               {"cyp2c9": "*3/*3"}, {"vkorc1": "T/T"}, {"amiodarone": True}, {"inducer": False}]
    own, *others = dose(person, *(person | change for change in frailer))
    assert own is not None
    assert own >= 0
    assert all(other is not None and other <= own for other in others)


def test_a_sum_below_zero_is_no_dose() -> None:
    frail = PERSON | {"age": 100.0, "height": 130.0, "weight": 30.0, "vkorc1": "T/T", "cyp2c9": "*3/*3",
                      "race": "Black", "amiodarone": True}
    assert dose(frail) == [0.0]


@pytest.mark.parametrize("name", ["age", "height", "weight", "vkorc1", "cyp2c9", "amiodarone"])
def test_an_unknown_input_is_an_unknown_dose(name: str) -> None:
    assert dose(PERSON | {name: None}, PERSON) == [None, pytest.approx(6.539 ** 2)]


def test_a_genotype_outside_the_equation_is_an_unknown_dose() -> None:
    assert dose(PERSON | {"cyp2c9": "*1/*11"}, PERSON | {"vkorc1": "G/G"}) == [None, None]


@pytest.mark.parametrize(("recorded", "group"), [
    ("White", "White"), (" white ", "White"), ("Caucasian", "White"), ("Asian", "Asian"), ("Han Chinese", "Asian"),
    ("Black or African American", "Black"), ("Black", "Black"), ("2054-5", "Black"),
    ("American Indian or Alaska Native", "missing or mixed"), ("Other Race", "missing or mixed"),
    ("Native Hawaiian or Other Pacific Islander", "missing or mixed"), ("Unknown", "missing or mixed"),
    ("White; Asian", "missing or mixed"), ("White; Black or African American", "missing or mixed"),
    ("Black, not Hispanic or Latino", "Black"), ("Non-Hispanic White", "White"), ("White (non-Hispanic)", "White"),
    ("non-white", "missing or mixed"), ("", "missing or mixed"), (None, "missing or mixed")])
def test_ancestry_groups(recorded: str | None, group: str) -> None:
    frame = pl.DataFrame({"ancestry": [recorded]}, schema={"ancestry": pl.String})
    assert frame.select(iwpc.race_group(pl.col("ancestry"))).item() == group
