"""Cohorts: the genotypes of one file as int8 arrays of records × samples, a chunk at a time.

Most cohort files carry nothing but diploid one-digit genotypes, four bytes a sample: all such lines of a block are
taken at once by their width, without a search for the tabs between. Every other line is cut at its tabs. Memory depends
on neither the number of records nor, beyond one line, the number of samples.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from pmed.errors import GenomeError

from .blocks import Block, Bools, Bytes, Ints, bcf_blocks, blocks, numbers
from .contigs import chromosome
from .genotypes import CELL, MOST, UNKNOWN, Genotypes, Int8s, complete, fixed_width, short
from .header import Header, chosen_samples, read_header
from .syntax import Fault

if TYPE_CHECKING:
    import polars as pl

    from .records import Record

FIXED = 9  # columns before the samples
_CHROM, _POS, _ID, _REF, _ALT, _FILTER, _FORMAT = 0, 1, 2, 3, 4, 6, 8
_TEXT = {"chrom": _CHROM, "id": _ID, "ref": _REF, "alt": _ALT, "filter": _FILTER}
_TAB, _DOT, _RETURN = b"\t.\r"
_SEVERAL = re.compile(rb"[\d.][/|]")
_GT_ONLY, _GT_FIRST = (np.frombuffer(text, dtype=np.uint8) for text in (b"\tGT\t", b"\tGT:"))
# A block of text is cut into chunks of about its size, and takes some 16 times as much while it is read. Above 4 MB
# it no longer fits a processor's cache, and reading slows down.
_SHARE, _MOST_TEXT = 16, 1 << 22
# `calls.decode` takes about 400 bytes a cell.
_CELL_BYTES = 400

Where = Callable[[int], str]
Columns = Mapping[str, Sequence[Any]]


@dataclass(frozen=True)
class Heads:
    """The nine columns before the samples of consecutive records, as text.

    Attributes:
        row: Number of the first record in its file, from 1.
        text: The columns, each with the tab behind it.
        begins, ends: (records, 9) where they are in `text`.
        pos: (records,) POS.
        alts: (records,) number of ALTs.
    """

    row: int
    text: bytes
    begins: Ints
    ends: Ints
    pos: Ints
    alts: Ints

    @classmethod
    def of(cls, parts: Sequence[bytes], row: int, where: Where) -> Heads:
        """Read the columns of each record, nine tabs in each of `parts`.

        Raises:
            GenomeError: a position that is no number, no REF or no ALT.
        """
        text = b"".join(parts)
        data = np.frombuffer(text, dtype=np.uint8)
        tabs = np.flatnonzero(data == _TAB)
        ends, begins = tabs.reshape(-1, FIXED), np.append(0, tabs[:-1] + 1).reshape(-1, FIXED)
        pos, widths = numbers(data, begins[:, _POS], ends[:, _POS]), ends - begins
        _refuse(pos < 0, "the record's POS is not a whole number", where)
        _refuse((widths[:, (_REF, _ALT)] == 0).any(axis=1), "the record has no REF or no ALT", where)
        alts = 1 - ((widths[:, _ALT] == 1) & (data[begins[:, _ALT]] == _DOT)).astype(np.int64)
        for one in np.flatnonzero(widths[:, _ALT] > 2):  # the least that may hold a comma
            alts[one] += text.count(b",", begins[one, _ALT], ends[one, _ALT])
        return cls(row, text, begins, ends, pos, alts)

    def column(self, number: int, rows: Ints | slice = slice(None)) -> list[str]:
        """One column of all records, or of some."""
        text = self.text.decode("latin-1")
        edges = zip(self.begins[rows, number].tolist(), self.ends[rows, number].tolist(), strict=True)
        return [text[begin:end] for begin, end in edges]

    def columns(self, rows: Ints) -> Columns:
        """What `variants` needs of some records."""
        text = {name: self.column(number, rows) for name, number in _TEXT.items()}
        return {"source_row": (self.row + rows).tolist(), "pos": self.pos[rows].tolist(), **text}

    def contigs(self) -> list[tuple[str, int]]:
        """Each run of records on one contig: its name, written with 'chr', and how many they are."""
        return [(chromosome(name), len(list(run))) for name, run in groupby(self.column(_CHROM))]


@dataclass(frozen=True)
class Chunk:
    """Some consecutive records of one file.

    Attributes:
        samples: Sample names, in the order of the arrays.
        alleles: int8 (records, samples, 2), index into REF, ALT…, at most 127; -1 is unknown, or not there (haploid).
            Of more than two alleles the first two are here, and `ploidy` tells.
        ploidy: int8 (records, samples), alleles in the call, 0 where there is none (``.``).
        phased: bool (records, samples), ``|`` between the alleles.
        whole: bool (records,), each call is of two alleles, both known.
        alts: (records,) number of ALTs.
        faults: What is wrong with the records and could be read all the same.
    """

    samples: tuple[str, ...]
    alleles: Int8s
    ploidy: Int8s
    phased: Bools
    whole: Bools
    alts: Ints
    faults: tuple[Fault, ...]
    heads: Heads

    @cached_property
    def variants(self) -> pl.DataFrame:
        """A row for each record: source_row, chrom, pos (1-based), id, ref, alt, filter; made when first asked for.

        `source_row` counts the records of the file from 1; `chrom` is written with 'chr'; `ref` and `alt` are in upper
        case; several ALTs are joined by commas; ``.`` is null.
        """
        return variants([self.heads.columns(np.arange(len(self.alts)))])


def variants(parts: Sequence[Columns]) -> pl.DataFrame:
    """`Chunk.variants` of records of several chunks, made at once: a table for each would cost more than its reading.

    Args:
        parts: `Heads.columns` of some records of each chunk.
    """
    import polars as pl

    whole = {name: list(chain.from_iterable(part[name] for part in parts)) for name in ("source_row", "pos", *_TEXT)}
    frame = pl.DataFrame({name: pl.Series(values, dtype=pl.String if name in _TEXT else pl.Int64)
                          for name, values in whole.items()})
    names = {name: chromosome(name) for name in frame["chrom"].unique()}
    known = [pl.when(pl.col(name) != ".").then(pl.col(name)) for name in ("id", "alt", "filter")]
    return frame.with_columns(known).select("source_row", pl.col("chrom").replace(names), "pos", "id",
                                            pl.col("ref", "alt").str.to_uppercase(), "filter")


def chunks(path: Path, *, samples: Sequence[str] = (), megabytes: int = 64) -> Iterator[Chunk]:
    """All records of a VCF or BCF file as arrays, in file order.

    Args:
        path: VCF (plain, gzip or BGZF) or BCF.
        samples: Read only these, in the order of the file.
        megabytes: About how much memory a chunk may take while it is made; one record at least.

    Raises:
        GenomeError: no such file or sample, a file that breaks off, a line that is malformed.
    """
    header = read_header(path)
    names = chosen_samples([header], samples)[0]
    room = megabytes << 20
    places = {name: place for place, name in enumerate(header.samples)}
    reader = _Reader(header, names, np.array([places[name] for name in names]),
                     max(1, room // _CELL_BYTES // len(header.samples)))
    row, size = 1, min(room // _SHARE, _MOST_TEXT)
    for block in bcf_blocks(path, size) if header.kind == "bcf" else blocks(path, size):
        lines = np.flatnonzero(block.is_record)
        if len(lines):
            yield reader.chunk(block, lines, row)
            row += len(lines)


@dataclass(frozen=True)
class _Reader:
    """Makes chunks of blocks: of the samples `names`, in the columns `places`, `batch` lines at a time where slow."""

    header: Header
    names: tuple[str, ...]
    places: Ints
    batch: int

    def chunk(self, block: Block, lines: Ints, row: int) -> Chunk:
        """The records on some `lines` of a block, the first of them number `row` of the file."""
        begins, ends = block.starts[lines], block.ends[lines]
        ends = ends - (block.raw[ends - 1] == _RETURN)
        counted = "record" if self.header.kind == "bcf" else "line"

        def where(one: int) -> str:
            return f"{self.header.path} {counted} {block.number + lines[one]}"

        parts, quick, genotypes = self._plain(block, begins, ends)
        read, faults = [genotypes], list[Fault]()
        slow = np.flatnonzero(~quick)
        for start in range(0, len(slow), self.batch):
            some = slow[start:start + self.batch]
            texts = [block.text[begin:end] + b"\n" for begin, end in zip(begins[some], ends[some], strict=True)]
            spread = _Spread.of(texts, len(self.header.samples), _of(where, some))
            for one, part in zip(some, spread.heads(), strict=True):
                parts[one] = part
            read.append(spread.genotypes(self.places, faults))
        whole = Genotypes.joined([part for part in read if len(part.alleles)])
        if len(slow):
            whole = whole.records(np.argsort(np.concatenate([np.flatnonzero(quick), slow])))
        heads = Heads.of(parts, row, where)
        faults += _excessive(whole, heads.alts, where)
        if block.is_cut:
            faults.append(_cut_off(block.line(int(lines[-1])), where(len(lines) - 1)))
        return Chunk(self.names, **vars(whole), alts=heads.alts, faults=tuple(faults), heads=heads)

    def _plain(self, block: Block, begins: Ints, ends: Ints) -> tuple[list[bytes], Bools, Genotypes]:
        """The first columns of all lines, which lines could be read by their width alone, and those lines' calls."""
        width = CELL * len(self.header.samples)
        cuts = ends - width + 1
        before = sliding_window_view(block.raw, CELL)[np.maximum(cuts - CELL, 0)]
        parts = [block.text[begin:cut] for begin, cut in zip(begins.tolist(), cuts.tolist(), strict=True)]
        quick = (before == _GT_ONLY).all(axis=1) & (np.array([part.count(b"\t") for part in parts]) == FIXED)
        if not quick.any():
            return parts, quick, _nothing(len(self.names))
        genotypes, good = fixed_width(block.raw, cuts[quick], len(self.header.samples))
        if not good.all():
            quick[quick], genotypes = good, genotypes.records(good)
        return parts, quick, genotypes if len(self.names) == len(self.header.samples) else genotypes.people(self.places)


@dataclass(frozen=True)
class _Spread:
    """Lines cut at their tabs.

    Attributes:
        texts: The lines, each with its line end.
        data: Their bytes, with some room behind them.
        starts: (lines,) offset of each line.
        tabs: (lines, 8 + samples) offsets of the tabs.
        where: Says where each line is.
    """

    texts: Sequence[bytes]
    data: Bytes
    starts: Ints
    tabs: Ints
    where: Where

    @classmethod
    def of(cls, texts: Sequence[bytes], people: int, where: Where) -> _Spread:
        """Cut lines that must have nine columns and one for each of `people`.

        Raises:
            GenomeError: another number of columns.
        """
        data = np.frombuffer(b"".join([*texts, bytes(CELL)]), dtype=np.uint8)
        tabs, edges = np.flatnonzero(data == _TAB), np.cumsum([0, *map(len, texts)])
        columns = np.diff(np.searchsorted(tabs, edges)) + 1
        for one in np.flatnonzero(columns != FIXED + people)[:1]:
            raise GenomeError(_miscounted(int(columns[one]), people), where=where(int(one)))
        return cls(texts, data, edges[:-1], tabs.reshape(len(texts), -1), where)

    def heads(self) -> list[bytes]:
        """The nine columns before the samples of each line."""
        ends = self.tabs[:, FIXED - 1] + 1 - self.starts
        return [text[:end] for text, end in zip(self.texts, ends.tolist(), strict=True)]

    def genotypes(self, places: Ints, faults: list[Fault]) -> Genotypes:
        """The calls in the sample columns `places`; what is wrong with them is added to `faults`."""
        genotypes, good = short(self.data, self.tabs[:, FIXED - 1:][:, places] + 1)
        form = sliding_window_view(self.data, CELL)[self.tabs[:, _FORMAT - 1]]
        good &= (form == _GT_ONLY).all(axis=1) | (form == _GT_FIRST).all(axis=1)
        slow = np.flatnonzero(~good)
        if len(slow):
            self._decode(slow, places, genotypes, faults)
        return genotypes

    def _decode(self, lines: Ints, places: Ints, into: Genotypes, faults: list[Fault]) -> None:
        """Read lines of any other form."""
        from .calls import decode  # polars comes with it, which most cohorts do not need

        calls, found = decode([self._record(line, places) for line in lines], len(places))
        faults += found
        for line, one in zip(lines, calls, strict=True):
            into.alleles[line] = np.minimum(one.alleles, MOST)
            into.ploidy[line] = np.minimum(one.ploidy, MOST)
            into.phased[line] = one.phased
        into.whole[lines] = complete(into.alleles[lines], into.ploidy[lines])

    def _record(self, line: int, places: Ints) -> Record:
        """What `decode` needs of a line."""
        from .records import Record

        columns = self.texts[line].rstrip(b"\n").decode("latin-1").split("\t")
        alts = columns[_ALT]
        cells = "\t".join(columns[FIXED + place] for place in places).encode("latin-1")
        return Record(0, self.where(line), columns[_CHROM], 0, (), columns[_REF],
                      () if alts == "." else tuple(alts.split(",")), None, columns[_FORMAT], cells, 0)


def _excessive(genotypes: Genotypes, alts: Ints, where: Where) -> Iterator[Fault]:
    """Make alleles that the record does not have unknown, and say so."""
    highest = genotypes.highest()
    for one in np.flatnonzero(highest > alts):
        text = f"a genotype names allele {highest[one]}, but there are {alts[one]} ALTs: it is unknown"
        yield Fault(where(int(one)), "allele-unknown", text)
        alleles = genotypes.alleles[one]
        alleles[alleles > alts[one]] = UNKNOWN
        genotypes.whole[one] = False


def _cut_off(line: bytes, where: str) -> Fault:
    """What is told of a last line without a line end; cut off in a genotype, ``0/1`` becomes ``0``.

    Raises:
        GenomeError: where that may have happened.
    """
    if not _SEVERAL.search(line.rpartition(b"\t")[2]):
        raise GenomeError("the last line has no line end and no second allele: the file is cut off", where=where,
                          hint="copy or download it again")
    return Fault(where, "no-final-newline", "the last line has no line end: the file may be cut off")


def _miscounted(columns: int, people: int) -> str:
    if columns <= FIXED:
        return f"the record has {columns} columns, where at least 10 are expected"
    return f"the record has {columns - FIXED} samples, the header names {people}"


def _refuse(wrong: Bools, text: str, where: Where) -> None:
    if wrong.any():
        raise GenomeError(text, where=where(int(wrong.argmax())))


def _of(where: Where, some: Ints) -> Where:
    return lambda one: where(int(some[one]))


def _nothing(people: int) -> Genotypes:
    nothing = np.empty((0, people), np.int8)
    return Genotypes(np.empty((0, people, 2), np.int8), nothing, nothing.astype(np.bool_), np.empty(0, np.bool_))
