"""Records as columns of text, out of polars' reader of separated values, and what they mean, all records together.

That reader is the quickest way through a VCF of one sample or a few. Here is checked that it saw what a reader of lines
would have seen; where that is in doubt, or a line is malformed, `Doubtful` is raised and the lines are read one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from . import mixtures
from .alleles import with_chr
from .blocks import Block, Bools, Ints, last_position
from .cells import cell_calls, side_by_side
from .contigs import MITOCHONDRION
from .lines import POS_DIGITS, decoded
from .records import Record
from .structural import with_mate
from .syntax import record_faults
from .table import Arrays, as_columns, framed, put

MOST_SAMPLES = 16  # each is a column of its own
_ROWS = 50_000
_FIXED = ("chrom", "pos", "id", "ref", "alt", "qual", "filter", "info", "format")
_NEEDED = ("chrom", "pos", "id", "ref", "alt", "filter", "format")
_OPEN = (pl.col("alt") == ".") | pl.col("alt").str.contains("<", literal=True)
_LOWER_CASE = ord("a")
_NO_RECORD = ("#", "\r")  # a line that starts so is none


class Doubtful(Exception):
    """The lines have to be read one by one."""


def frames_of_file(path: Path, head: int, samples: int) -> Iterator[pl.DataFrame]:
    """The text columns of a whole file whose header has `head` lines, many records at a time.

    Raises:
        polars.exceptions.PolarsError, OSError: whatever polars has to say about the file.
    """
    table = pl.scan_csv(path, schema=_schema(samples), separator="\t", has_header=False, quote_char=None,
                        skip_lines=head, glob=False)
    yield from _chosen(table).collect_batches(chunk_size=max(1, _ROWS // samples), engine="streaming")


def frame_of_block(block: Block, head: int, samples: int) -> pl.DataFrame:
    """The text columns of one block; header lines are skipped.

    Raises:
        Doubtful: there are lines that are no records among the records.
        polars.exceptions.PolarsError: whatever polars has to say about the text.
    """
    skipped = max(0, head - block.number + 1)
    if not block.is_record[skipped:].all():
        raise Doubtful
    table = pl.scan_csv(block.text, schema=_schema(samples), separator="\t", has_header=False, quote_char=None,
                        skip_lines=skipped, encoding="utf8-lossy")
    return _chosen(table).collect()


def decoded_frame(texts: pl.DataFrame, first: int, line: int, samples: int) -> pl.DataFrame:
    """The records of text columns; `first` is the number of the first, `line` its line.

    Raises:
        Doubtful, GenomeError, polars.exceptions.PolarsError: the lines have to be read one by one.
    """
    names = _sample_names(samples)
    if any(texts[name].null_count() for name in (*_NEEDED, *names)):
        raise Doubtful  # a column is missing or empty
    texts = _mates_written(texts)
    joined = _Joined.of(texts, names)
    forms, form = _forms(texts["format"])
    columns = [cell_calls(text, texts[name].str.len_bytes().to_numpy().astype(np.int64), forms, form)
               for name, text in zip(names, joined.cells, strict=True)]
    calls, alts = side_by_side([one for one, _ in columns]), _alts(texts, joined.alt)
    odd = np.logical_or.reduce([bad for _, bad in columns])
    odd |= calls["alleles"].reshape(texts.height, -1).max(axis=1) > alts
    odd |= _may_be_mixed(texts["chrom"], forms)
    arrays = as_columns(calls)
    kept = _one_by_one(texts, np.flatnonzero(odd), samples, arrays)
    pos = texts["pos"].cast(pl.Int64)
    return framed({
        "source_row": np.arange(first, first + texts.height), "line": np.arange(line, line + texts.height),
        "contig": texts["chrom"], "chrom": _contigs(texts["chrom"]), "pos": pos, "last": _last(texts, pos),
        "id": texts["id"], "ref": _upper(texts["ref"], joined.ref), "alt": _upper(_or_null(texts["alt"]), joined.alt),
        "filter": _or_null(texts["filter"]), "format": texts["format"], "text": kept}, arrays)


def _mates_written(texts: pl.DataFrame) -> pl.DataFrame:
    """Translocations whose other end is in INFO as breakends, as a reader of lines has them."""
    rows = texts["info"].str.contains("CHR2=", literal=True).fill_null(value=False).arg_true()
    if not len(rows):
        return texts
    some = texts[rows]
    alts = [with_mate(alt.encode(), info.encode()).decode() for alt, info in some.select("alt", "info").iter_rows()]
    infos = [info if "<" in alt else None for alt, info in zip(alts, some["info"], strict=True)]
    return texts.with_columns(texts["alt"].scatter(rows, alts), texts["info"].scatter(rows, infos))


@dataclass(frozen=True)
class _Joined:
    """Whole columns as one text each, ASCII throughout: ALTs and REFs without anything between, cells line by line."""

    ref: bytes
    alt: bytes
    cells: list[bytes]

    @classmethod
    def of(cls, texts: pl.DataFrame, names: Sequence[str]) -> _Joined:
        """Check the columns that are read and join those that are read as bytes.

        Raises:
            Doubtful: something is not ASCII, or a position is not of digits alone.
        """
        wide = pl.col("id", "filter").str.len_bytes().sum() != pl.col("id", "filter").str.len_chars().sum()
        digits = pl.col("pos").str.len_bytes().max().alias("digits")
        joined = texts.select(wide, digits, pl.col("pos", "ref", "alt").str.join(""), pl.col(names).str.join("\n"))
        row = joined.row(0, named=True)
        ascii_only = not (row["id"] or row["filter"]) and all(row[name].isascii() for name in ("ref", "alt", *names))
        if not ascii_only or not row["pos"].encode().isdigit() or row["digits"] > POS_DIGITS:
            raise Doubtful
        return cls(row["ref"].encode(), row["alt"].encode(), [row[name].encode() for name in names])


def _schema(samples: int) -> dict[str, pl.DataType]:
    return dict.fromkeys([*_FIXED, *_sample_names(samples)], pl.String())


def _sample_names(samples: int) -> list[str]:
    return [f"sample_{number}" for number in range(samples)]


def _chosen(table: pl.LazyFrame) -> pl.LazyFrame:
    """All columns, INFO only where it says how far a record reaches.

    All of them, because polars does not see that a line has too many columns where it is asked for some only.
    """
    return table.with_columns(info=pl.when(_OPEN).then(pl.col("info").fill_null("")))


def _forms(column: pl.Series) -> tuple[list[str], Ints]:
    """The distinct FORMATs and which of them each record has."""
    first = str(column[0])
    if (column == first).all():
        forms, form = [first], np.zeros(len(column), dtype=np.int64)
    else:
        forms = column.unique(maintain_order=True).to_list()
        form = column.replace_strict(forms, range(len(forms)), return_dtype=pl.Int64).to_numpy()
    for text in forms:
        if not text.isascii():
            raise Doubtful
        for _ in record_faults("N", (), None, text, ""):
            pass  # a FORMAT that cannot be read raises; a fault that can be read over is told where it is used
    return forms, form


def _may_be_mixed(chroms: pl.Series, forms: Sequence[str]) -> Bools:
    """(records,) mitochondrial ones, where a FORMAT has shares of reads."""
    if all(set(mixtures.KEYS).isdisjoint(form.split(":")) for form in forms):
        return np.zeros(len(chroms), dtype=bool)
    names = [name for name in chroms.unique().to_list() if with_chr(name) == MITOCHONDRION]
    return chroms.is_in(names).to_numpy()


def _alts(texts: pl.DataFrame, joined: bytes) -> Ints:
    """How many ALTs each record has.

    Raises:
        Doubtful: one is empty.
    """
    column = texts["alt"]
    none = (column == ".").to_numpy()
    if b"," not in joined:
        return np.where(none, 0, 1)
    commas = column.str.count_matches(",", literal=True).to_numpy().astype(np.int64)
    if column.gather(np.flatnonzero(commas)).str.contains("^,|,,|,$").any():
        raise Doubtful
    return np.where(none, 0, commas + 1)


def _contigs(column: pl.Series) -> pl.Series:
    """Chromosome names with 'chr'; there are few runs of them."""
    runs = column.rle().struct
    names = runs.field("value").to_list()
    if any(name.startswith(_NO_RECORD) or not name.isascii() for name in set(names)):
        raise Doubtful
    ours = {name: with_chr(name) for name in set(names)}
    which = np.repeat(np.arange(len(names)), runs.field("len").to_numpy())
    return pl.Series([ours[name] for name in names]).gather(pl.Series(which))


def _or_null(column: pl.Series) -> pl.Series:
    return column.to_frame("one").select(pl.when(pl.col("one") != ".").then("one")).to_series()


def _upper(column: pl.Series, joined: bytes) -> pl.Series:
    """In upper case; ASCII letters come after all else that an allele is written with, so that it is quickly seen."""
    highest = np.frombuffer(joined, dtype=np.uint8).max(initial=0)
    return column.str.to_uppercase() if highest >= _LOWER_CASE else column


def _last(texts: pl.DataFrame, pos: pl.Series) -> pl.Series:
    """Last position that each record says something about."""
    last = pos + texts["ref"].str.len_bytes().cast(pl.Int64) - 1
    if texts["info"].null_count() == texts.height:
        return last
    rows = texts["info"].is_not_null().arg_true()
    some = texts[rows]
    end = some["info"].str.extract(r"(?:^|;)END=(\d{1,18})").cast(pl.Int64).fill_null(0).to_numpy()
    found = np.maximum(last[rows].to_numpy(), end)
    slow = some["info"].str.contains("SVLEN=", literal=True) | some["format"].str.contains("LEN", literal=True)
    if slow.any():
        lines = ([one.encode() for one in columns] for columns in _lines(some.filter(slow)))
        found[slow.to_numpy()] = list(map(last_position, lines))
    return last.scatter(rows, found)


def _lines(texts: pl.DataFrame) -> Iterator[list[str]]:
    """The ten columns of each record as they were, all samples in the last; QUAL is left empty."""
    names = [name for name in texts.columns if name.startswith("sample_")]
    for row in texts.with_columns(info=pl.col("info").fill_null("")).iter_rows(named=True):
        yield [*(row.get(name, "") for name in _FIXED), "\t".join(row[name] for name in names)]


def _one_by_one(texts: pl.DataFrame, rows: Ints, samples: int, arrays: Arrays) -> pl.Series:
    """Decode the records that are written in an unusual way; gives their sample columns where the calls are not all."""
    given: list[bytes | None] = []
    if len(rows):
        records = [_record(columns, str(row)) for row, columns in zip(rows, _lines(texts[rows]), strict=True)]
        calls, given = decoded(records, samples)
        put(arrays, rows, calls)
    kept = pl.Series([None], dtype=pl.Binary).new_from_index(0, texts.height)
    some = [(row, text) for row, text in zip(rows.tolist(), given, strict=True) if text is not None]
    return kept.scatter([row for row, _ in some], [text for _, text in some]) if some else kept


def _record(columns: Sequence[str], where: str) -> Record:
    """What `calls.decode` looks at."""
    alts = tuple(columns[4].split(",")) if columns[4] != "." else ()
    return Record(0, where, with_chr(columns[0]), 0, (), columns[3], alts, None, columns[8], columns[9].encode(), 0)
