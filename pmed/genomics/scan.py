"""All records of a genome file as frames, a batch at a time: memory is bounded whatever the size of the file.

polars unpacks and splits the text of one or a few samples; nothing else tried is as quick. What it cannot read, or
would read otherwise than line by line, is read from blocks of lines. All ways give the same frames.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

from pmed.errors import GenomeError

from .blocks import Block, bcf_blocks, blocks
from .columns import MOST_SAMPLES, Doubtful, decoded_frame, frame_of_block, frames_of_file
from .header import Header, read_header
from .lines import frames_of_lines

_HIGHEST = 127
OWN = ("line", "contig", "format", "text")  # columns of `batches` alone
_ALLELES = ("allele_1", "allele_2")
_UNREADABLE = (Doubtful, GenomeError, pl.exceptions.PolarsError)


def scan(source: Header | Path | str) -> Iterator[pl.DataFrame]:
    """All records of a VCF (plain, gzip, bgzip) or BCF file in file order.

    Columns: source_row (1-based), chrom (with 'chr'), pos and last (1-based, the file's build), id, ref, alt (upper
    case, joined by commas; null for none), filter (null for ``.``), and as arrays of one entry a sample allele_1,
    allele_2 (index into REF, ALT…; -1 unknown; 127 for that and all above), ploidy, phased, phase_set, dp, gq (-1
    where not given) and failed (FT).

    Raises:
        GenomeError: the file breaks off, or a record is malformed, with file and line.
    """
    for frame in batches(source if isinstance(source, Header) else read_header(Path(source))):
        narrow = [pl.Series(name, np.minimum(frame[name].to_numpy(), _HIGHEST).astype(np.int8)) for name in _ALLELES]
        yield frame.drop(OWN).with_columns(narrow)


def batches(header: Header) -> Iterator[pl.DataFrame]:
    """As `scan`, with all columns that `table.schema` names.

    Raises:
        GenomeError: as `scan`.
    """
    if header.kind == "bcf":
        yield from _of_blocks(header, bcf_blocks(header.path), 0, 0)
        return
    done = 0
    if len(header.samples) <= MOST_SAMPLES:
        head = len(header.meta) + 1
        try:
            for texts in frames_of_file(header.path, head, len(header.samples)):
                if texts.height:
                    frame = decoded_frame(texts, done + 1, head + done + 1, len(header.samples))
                    yield frame
                    done += frame.height
        except (*_UNREADABLE, OSError):
            pass  # what is wrong is found, and said, line by line
        else:
            return
    yield from _of_blocks(header, blocks(header.path), len(header.meta) + 1, done)


def _of_blocks(header: Header, given: Iterator[Block], head: int, done: int) -> Iterator[pl.DataFrame]:
    """The frames of blocks, without the first `done` records."""
    before = 0
    for block in given:
        count = int(block.is_record.sum())
        if before + count > done:
            for frame in _of_block(header, block, head, before + 1):
                rest = frame[max(0, done + 1 - int(frame["source_row"][0])):]
                if rest.height:
                    yield rest
        before += count


def _of_block(header: Header, block: Block, head: int, first: int) -> Iterator[pl.DataFrame]:
    samples, what = len(header.samples), "record" if header.kind == "bcf" else "line"
    if samples <= MOST_SAMPLES:
        try:
            texts = frame_of_block(block, head, samples)
            yield decoded_frame(texts, first, max(head + 1, block.number), samples)
        except _UNREADABLE:
            pass
        else:
            return
    yield from frames_of_lines(block, first, samples, f"{header.path} {what}")
