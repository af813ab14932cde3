"""Lists in the rows of a column, which get longer for some of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

_ROW, _ONE = "row", "one"


def longer(lists: pl.Series, rows: pl.Series, more: Sequence[pl.Series]) -> pl.Series:
    """`lists` where those of `rows` (their numbers, each once) have the elements of `more` behind their own.

    Each of `more` holds a list for each of `rows`. A list that is null counts as empty, but stays where nothing comes
    behind it. `concat_list` does the same of all rows, and of structs takes thirty times as long.

    >>> longer(pl.Series([["a"], ["b"], None]), pl.Series([2, 0]), [pl.Series([["x"], ["y", "z"]])]).to_list()
    [['a', 'y', 'z'], ['b'], ['x']]
    """
    parts = [_each(one) for one in (lists.gather(rows), *more)]
    whole = pl.concat(parts, rechunk=True).sort(_ROW, maintain_order=True).group_by(_ROW, maintain_order=True).agg(_ONE)
    place = np.arange(len(lists))
    place[rows.gather(whole[_ROW]).to_numpy()] = len(lists) + np.arange(whole.height)
    return pl.concat([lists, whole[_ONE].alias(lists.name)], rechunk=True)[place]


def _each(lists: pl.Series) -> pl.DataFrame:
    """The elements, one a row, with the number of the list."""
    return lists.alias(_ONE).to_frame().with_row_index(_ROW).explode(_ONE, empty_as_null=False, keep_nulls=False)
