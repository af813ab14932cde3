"""Tables check frames and name every fault at once."""

from __future__ import annotations

import polars as pl
import pytest

from pmed.errors import TableError
from pmed.tables import TABLES

SITES = TABLES["sites"]


def site(**changes):
    row = {"build": "GRCh38", "chrom": "chr1", "pos": 5, "ref": "A", "alt": "C", "site": "rs1"}
    return SITES.frame([{**row, **changes}])


def test_extra_columns_are_kept_behind():
    frame = site().select(pl.lit(1).alias("extra"), pl.all())
    assert SITES.check(frame).columns == [*SITES.columns, "extra"]


def test_every_fault_is_named_at_once():
    frame = site().drop("ref").with_columns(pl.col("pos").cast(pl.String), build=pl.lit("hg38"))
    with pytest.raises(TableError) as caught:
        SITES.check(frame)
    for part in ("sites.ref is missing", "sites.pos is String, expected Int64", "sites.build row 0 is 'hg38'"):
        assert part in str(caught.value)


def test_a_null_where_none_may_be_names_its_row():
    with pytest.raises(TableError, match="sites.alt row 1 is null"):
        SITES.check(pl.concat([site(), site(alt=None)]))


def test_a_repeated_key_is_named():
    with pytest.raises(TableError, match="sites row 0 repeats the key"):
        SITES.check(pl.concat([site(), site()]))


@pytest.mark.parametrize("name", TABLES)
def test_an_empty_table_is_valid_and_every_column_is_documented(name):
    table = TABLES[name]
    assert table.check(table.empty()).height == 0
    assert table.doc.endswith(".")
    assert all(column.doc for column in table.columns.values())
    assert set(table.key) <= set(table.columns)


def test_rows_are_looked_into_unless_they_are_laid_by_the_host():
    twice = pl.concat([site(), site()])
    assert SITES.check(twice, rows=False).height == 2
    with pytest.raises(TableError, match="sites.ref is missing"):
        SITES.check(twice.drop("ref"), rows=False)
