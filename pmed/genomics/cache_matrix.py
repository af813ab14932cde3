"""The genotypes of a cache as `matrix.Chunk`, as the files that it was made of give them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from .blocks import Ints
from .cache import cache_frames, read_cache_header
from .coded import MEANINGS, PAIRS
from .genotypes import MOST, Genotypes, complete
from .header import chosen_samples
from .matrix import Chunk, Heads
from .table import CODES

_FIXED = ("chrom", "pos", "id", "ref", "alt", "filter")
_CALLS = ("allele_1", "allele_2", "ploidy", "phased")


def cache_chunks(path: Path, samples: Sequence[str] = ()) -> Iterator[Chunk]:
    """All records of a cache, about a group of its rows at a time; `samples` are as in `matrix.chunks`.

    Raises:
        GenomeError: no such sample, or a damaged file.
    """
    header = read_cache_header(path)
    names = chosen_samples([header], samples)[0]
    known = {name: place for place, name in enumerate(header.samples)}
    places, row = np.array([known[name] for name in names]), 1
    for frame in cache_frames(header, _FIXED, _CALLS):
        # What is wrong with records was told when the cache was made.
        heads = Heads.of(_heads(frame), row, f"{path} record {{}}".format)
        yield Chunk(names, **vars(_genotypes(frame, places)), alts=heads.alts, faults=(), heads=heads)
        row += frame.height


def _genotypes(frame: pl.DataFrame, places: Ints) -> Genotypes:
    """The calls, of codes or of columns."""
    if CODES not in frame.columns or frame[CODES].null_count() == frame.height:
        return _of_columns(frame, places)
    given = frame[CODES].is_not_null().to_numpy()
    if given.all():
        return _of_codes(frame[CODES], places)
    parts = Genotypes.joined([_of_codes(frame[CODES].drop_nulls(), places), _of_columns(frame.filter(~given), places)])
    return parts.records(np.argsort(np.argsort(~given, kind="stable")))


def _of_codes(column: pl.Series, places: Ints) -> Genotypes:
    codes = np.frombuffer(b"".join(column), dtype=np.uint8).reshape(len(column), -1)
    if len(places) != codes.shape[1] or (np.diff(places) != 1).any():
        codes = np.ascontiguousarray(codes[:, places])
    alleles, ploidy = PAIRS[codes].view(np.int8).reshape(*codes.shape, 2), MEANINGS["ploidy"][codes]
    return Genotypes(alleles, ploidy, MEANINGS["phased"][codes], complete(alleles, ploidy))


def _of_columns(frame: pl.DataFrame, places: Ints) -> Genotypes:
    one, two, ploidy, phased = (frame[name].to_numpy()[:, places] for name in _CALLS)
    alleles = np.empty((*one.shape, 2), dtype=np.int8)
    alleles[..., 0], alleles[..., 1] = np.minimum(one, MOST), np.minimum(two, MOST)
    few = np.minimum(ploidy, MOST).astype(np.int8)
    return Genotypes(alleles, few, phased.astype(np.bool_, copy=False), complete(alleles, few))


def _heads(frame: pl.DataFrame) -> Sequence[bytes]:
    """The columns before the samples, as VCF has them."""
    empty = pl.lit(".")
    columns = (pl.col("chrom"), pl.col("pos"), pl.col("id"), pl.col("ref"), pl.col("alt").fill_null("."), empty,
               pl.col("filter").fill_null("."), empty, pl.lit("GT\t"))
    return [text.encode() for text in frame.select(pl.concat_str(columns, separator="\t")).to_series()]
