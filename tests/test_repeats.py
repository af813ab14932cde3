"""A pure function of frames works once for equal frames, and never gives what was made of others."""

from __future__ import annotations

import polars as pl
import pytest

from pmed.repeats import KEPT, MOST_ROWS, unless_repeated


@pytest.fixture
def worked() -> list[object]:
    return []


@pytest.fixture
def doubled(worked):
    @unless_repeated
    def double(frame: pl.DataFrame, by: float = 2) -> pl.DataFrame:
        worked.append(by)
        return frame.select(pl.all() * by)

    return double


def frame(*values: float | None) -> pl.DataFrame:
    return pl.DataFrame({"a": list(values)}, schema={"a": pl.Float64})


def test_the_same_again_is_not_worked_out_again(doubled, worked) -> None:
    assert doubled(frame(1, None)).rows() == doubled(frame(1, None)).rows() == [(2.0,), (None,)]
    assert len(worked) == 1


@pytest.mark.parametrize("other", [
    frame(1, 2), frame(1), frame(None, 1), frame(1, None).rename({"a": "b"}), frame(1, None).cast(pl.Float32),
    frame(1, None).with_columns(b=1)])
def test_any_difference_is_worked_out(other: pl.DataFrame, doubled, worked) -> None:
    doubled(frame(1, None))
    assert doubled(other).equals(other.select(pl.all() * 2))
    assert len(worked) == 2


def test_plain_values_count_with_their_types(doubled, worked) -> None:
    for by in (2, 2.0, 3):
        doubled(frame(1), by)
    doubled(frame(1), by=3)
    assert worked == [2, 2.0, 3, 3]


def test_what_a_caller_spoils_is_spoilt_for_that_caller_alone(doubled) -> None:
    given = frame(1)
    made = doubled(given)
    made.insert_column(0, pl.Series("spoilt", [0]))
    given.insert_column(0, pl.Series("spoilt", [0.0]))
    assert doubled(frame(1)).rows() == [(2.0,)]


def test_few_answers_of_few_rows_are_kept(doubled, worked) -> None:
    for number in range(KEPT + 1):
        doubled(frame(number))
    doubled(frame(1))
    assert len(worked) == KEPT + 1
    doubled(frame(0))
    assert len(worked) == KEPT + 2
    many = pl.DataFrame({"a": [1.0] * (MOST_ROWS + 1)})
    for _ in range(2):
        doubled(many)
    assert len(worked) == KEPT + 4
