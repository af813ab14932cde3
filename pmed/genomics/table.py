"""What a scan gives: one row a record, what each sample has in it as arrays of one entry a sample.

Positions are 1-based on the file's own build. In the columns of samples -1 is unknown or not given; their meaning is
that of `calls.Calls`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from .calls import NONE, Calls
from .coded import MEANINGS, coded

Arrays = dict[str, NDArray[Any]]
# In a cache: the calls of all samples as a byte each (`coded`), where they are no more than that; then the columns of
# samples are null.
CODES = "codes"
_CODED_FROM = 8  # samples; those of fewer people are packed better by column

# One value a record. `line` is the line (of BCF the record) of the file, `contig` the name that stands there; `text`
# are the sample columns as they were written, where they hold more than the other columns do.
RECORD: Mapping[str, pl.DataType] = {
    "source_row": pl.Int64(), "line": pl.Int64(), "contig": pl.String(), "chrom": pl.String(), "pos": pl.Int64(),
    "last": pl.Int64(), "id": pl.String(), "ref": pl.String(), "alt": pl.String(), "filter": pl.String(),
    "format": pl.String(), "text": pl.Binary()}
# One value a record and sample. Alleles go up to 9,999 here, which is all that `calls.decode` reads.
SAMPLE: Mapping[str, tuple[pl.DataType, Any]] = {
    "allele_1": (pl.Int16(), np.int16), "allele_2": (pl.Int16(), np.int16), "ploidy": (pl.Int16(), np.int16),
    "phased": (pl.Boolean(), np.bool_), "phase_set": (pl.Int64(), np.int64), "dp": (pl.Int32(), np.int32),
    "gq": (pl.Int32(), np.int32), "failed": (pl.Boolean(), np.bool_)}
_NOTHING = {"ploidy": 0, "phased": False, "failed": False}
_MOST_COPIES = 2**15 - 1


def schema(samples: int) -> dict[str, pl.DataType]:
    """Columns of the frames."""
    return {**RECORD, **{name: pl.Array(dtype, samples) for name, (dtype, _) in SAMPLE.items()}}


def blank(records: int, samples: int) -> Arrays:
    """(records, samples) of nothing known."""
    return {name: np.full((records, samples), _NOTHING.get(name, NONE), dtype=kind)
            for name, (_, kind) in SAMPLE.items()}


def put(arrays: Arrays, rows: Sequence[int] | NDArray[np.int64], calls: Iterable[Calls]) -> None:
    """Write decoded calls into their rows."""
    for row, one in zip(rows, calls, strict=True):
        for name, values in as_columns(vars(one)).items():
            arrays[name][row] = values


def as_columns(found: Mapping[str, Any]) -> Arrays:
    """The fields of `Calls`, of any leading shape, as the columns of samples."""
    alleles = found["alleles"]
    given = {**found, "allele_1": alleles[..., 0], "allele_2": alleles[..., 1],
             "ploidy": np.minimum(found["ploidy"].astype(np.int32), _MOST_COPIES)}
    return {name: given[name].astype(kind, copy=False) for name, (_, kind) in SAMPLE.items()}


def framed(record: Mapping[str, Any], arrays: Arrays) -> pl.DataFrame:
    """Columns and arrays put together."""
    series = [pl.Series(name, record[name], dtype=dtype, strict=True) for name, dtype in RECORD.items()]
    return pl.DataFrame([*series, *(pl.Series(name, arrays[name]) for name in SAMPLE)])


def with_codes(frame: pl.DataFrame) -> pl.DataFrame:
    """With the calls of a cohort's records as codes, in place of the columns of samples, where a byte holds them."""
    samples = frame["phased"].dtype.size  # type: ignore[attr-defined]
    if samples < _CODED_FROM:
        return frame.with_columns(pl.lit(None, pl.Binary()).alias(CODES))
    arrays: Arrays = {name: frame[name].to_numpy() for name in SAMPLE}
    codes, good = coded(*(arrays[name] for name in MEANINGS))
    for name in SAMPLE.keys() - MEANINGS.keys():
        good &= (arrays[name] == _NOTHING.get(name, NONE)).all(axis=1)
    good &= frame["text"].is_null().to_numpy()
    packed = [one.tobytes() if whole else None for one, whole in zip(codes, good, strict=True)]
    others = (pl.when(pl.col(CODES).is_null()).then(pl.col(name)).alias(name) for name in SAMPLE)
    return frame.with_columns(pl.Series(CODES, packed, dtype=pl.Binary)).with_columns(others)
