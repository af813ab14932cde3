"""Cohorts and splits that cannot leak."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from pmed.errors import InputError
from pmed.modelling import Cohort, Recipe, at_random, by_patient, by_site, by_time, cross_fit, drift, fit, must_not_leak
from pmed.modelling.encoding import OTHER, learn_encoding
from pmed.modelling.splits import Split
from tests.modelling_people import cohort, people


@pytest.mark.parametrize(("changes", "message"), [
    ({"features": ("x", "y")}, "y must not be a feature"),
    ({"features": ("x", "patient_id")}, "patient_id must not be a feature"),
    ({"features": ("x", "planted"), "after": ("planted",)}, "planted is known only after the outcome"),
    ({"features": ("x", "planted"), "recorded": {"planted": "late"}},
     "planted was recorded after the index date in 1200"),
    ({"recorded": {"x": "late"}, "time": ""}, "dates of features need the column of index dates"),
    ({"features": ("kin",)}, "has no column 'kin' .did you mean 'kind'"),
    ({"features": ()}, "has no features"),
    ({"outcome": "kind", "features": ("x",)}, "kind must be numbers"),
    ({"outcome": "dose"}, "dose must be 0 or 1"),
    ({"outcome": "seldom", "features": ("x",), "task": "regression"}, r"seldom is unknown in \d+ rows, first in row 1"),
    ({"task": "survival"}, "survival needs the column of events"),
])
def test_an_unsound_cohort_is_refused(changes, message):
    frame = people().with_columns(planted=pl.col("y") * 2.0, late=pl.col("day") + 1)
    with pytest.raises(InputError, match=message) as error:
        cohort(frame, source="people.csv", **changes)
    assert str(error.value).startswith("people.csv: ")


def test_a_feature_of_the_index_day_itself_is_none_too_late():
    assert len(cohort(people().with_columns(same=pl.col("day")), recorded={"x": "same"})) == 1200


def test_nan_outcome_is_unknown_like_null():
    frame = people().with_columns(dose=pl.when(pl.col("day") == 4).then(float("nan")).otherwise("dose"))
    with pytest.raises(InputError, match="dose is unknown in 1 rows, first in row 5"):
        cohort(frame, outcome="dose", task="regression")


def sides(made: Cohort, split: Split) -> tuple[set[int], set[int]]:
    whose = made.groups("patient_id")
    return set(whose[split.train].tolist()), set(whose[split.test].tolist())


def test_by_patient_tests_every_row_once_and_no_patient_twice():
    made = cohort()
    splits = by_patient(made, 5)
    assert sorted(np.concatenate([one.test for one in splits]).tolist()) == list(range(len(made)))
    assert all(not left & right for left, right in (sides(made, one) for one in splits))
    assert not np.array_equal(splits[0].test, by_patient(made, 5, seed=1)[0].test)


def test_at_random_holds_back_a_share_of_the_patients():
    made = cohort()
    for one in at_random(made, times=3, share=0.2):
        left, right = sides(made, one)
        assert not left & right
        assert len(right) == 120


def test_by_site_holds_each_site_back():
    made = cohort()
    assert [one.name for one in by_site(made)] == ["site 0", "site 1", "site 2"]
    assert {*made.groups("site")[by_site(made)[1].test].tolist()} == {1}
    moved = cohort(people().with_columns(site=pl.col("day") % 3))
    with pytest.raises(InputError, match="patients are on both sides of the split 'site 0'"):
        by_site(moved)


def test_by_time_tests_new_patients_of_the_last_part():
    shuffled = people().with_columns(patient_id=pl.col("day") % 1000)
    made = cohort(shuffled)
    one = by_time(made, share=0.25)
    assert made.groups("day")[one.train].max() < made.groups("day")[one.test].min()
    assert sides(made, one)[1] == set(range(900, 1000))


def test_a_patient_on_both_sides_is_refused():
    made = cohort()
    torn = Split(np.arange(0, 1200, 2), np.arange(1, 1200, 2), "odd rows")
    with pytest.raises(InputError, match="600 patients are on both sides of the split 'odd rows': it leaks"):
        must_not_leak(made, torn)
    with pytest.raises(InputError, match="it leaks"):
        cross_fit(made, Recipe("binary", rounds=2), [torn])
    with pytest.raises(InputError, match="600 patients are also among the validation rows"):
        fit(made.rows(torn.train), Recipe("binary", rounds=2), made.rows(torn.test))


def test_unknown_and_new_categories_do_not_become_known_ones():
    encoding = learn_encoding(pl.DataFrame({"kind": ["a", "a", "b", "c", None], "n": [1, 2, None, 4, 5]}), fewest=2)
    assert encoding.columns[0].levels == ("a", OTHER)
    made = encoding.matrix(pl.DataFrame({"kind": ["a", "c", "never seen", None], "n": [1, 2, 3, None]}))
    np.testing.assert_array_equal(made, [[0, 1], [1, 2], [1, 3], [np.nan, np.nan]])
    whole = learn_encoding(pl.DataFrame({"kind": ["a", "b"]}))
    np.testing.assert_array_equal(whole.matrix(pl.DataFrame({"kind": ["b", "z"]})), [[1], [np.nan]])


def test_drift_names_what_moved():
    encoding = learn_encoding(people().select("x", "kind", "seldom"))
    same = drift(encoding, people(seed=3))
    assert not same["drifted"].any()
    other = people(seed=3).with_columns(
        pl.col("x") + 1, kind=pl.when(pl.col("day") % 5 == 0).then(pl.lit("d")).otherwise("kind"), seldom=pl.col("x"))
    made = drift(encoding, other)
    assert made["drifted"].to_list() == [True, True, True]
    assert made["shift"][0] == pytest.approx(1, abs=0.1)
    assert made["outside"][1] == pytest.approx(0.2)
    assert made["missing_now"][2] == 0
