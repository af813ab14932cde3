"""The rows of tables in parts of some people each, so that only the rows of one part need be in memory.

Every table is gone through once, some rows at a time, and the rows of each part are put into one file, as they were
read. A part is a small file beside it that says where its rows are.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import msgspec
import polars as pl

from ..errors import PmedError
from ..files import write_whole

ROW_BYTES = 250   # of NDJSON take as much memory, as tables, as a row does
AT_ONCE = 100_000  # rows that are gone through at a time
PART = "part\0"   # the column with the number of a row's part; no column of a file is called so

Run = tuple[int, int]  # bytes of the file with the rows, from and up to


class Part(msgspec.Struct, frozen=True):
    """The file with the rows, where those of the part are in it by table, and what else its source knows."""

    rows: str
    runs: dict[str, list[Run]]
    about: msgspec.Raw = msgspec.Raw(b"null")


def many_parts(rows: int, size: int) -> int:
    """In how many parts of about `size` bytes of NDJSON so many rows are."""
    return -(-rows * ROW_BYTES // size)


@dataclass(frozen=True)
class Rows:
    """The file with the rows, while it is written."""

    file: BinaryIO

    def put(self, frame: pl.DataFrame) -> Run:
        """A frame behind what is there.

        Raises:
            PmedError: there is no room.
        """
        sink, start = io.BytesIO(), self.file.tell()
        frame.write_ipc(sink, compression="lz4")
        try:
            self.file.write(sink.getbuffer())
        except OSError as error:
            raise PmedError(f"cannot write: {error.strerror}", where=self.file.name) from error
        return start, self.file.tell()

    def spread(self, batches: Iterable[pl.DataFrame], many: int) -> list[list[Run]]:
        """The runs of each part, of batches of one table with the column `PART`; the first may be empty."""
        runs: list[list[Run]] = [[] for _ in range(many)]
        for number, batch in enumerate(batches):
            if not number:  # what columns there are, for parts without a row
                empty = self.put(batch.clear().drop(PART))
                runs = [[empty] for _ in range(many)]
            for (part,), rows in batch.partition_by(PART, as_dict=True, include_key=False).items():
                runs[int(part)].append(self.put(rows))
        return runs


@contextmanager
def new_rows(path: Path) -> Iterator[Rows]:
    """A new file for the rows.

    Raises:
        PmedError: it cannot be written.
    """
    try:
        with path.open("wb") as file:  # which writes what is left when it is closed
            yield Rows(file)
    except OSError as error:
        raise PmedError(f"cannot write: {error.strerror}", where=str(path)) from error


def write_part(path: Path, rows: Path, runs: Mapping[str, Sequence[Run]], about: object) -> Path:
    """A part's own file."""
    part = Part(rows.name, {name: list(mine) for name, mine in runs.items()}, msgspec.Raw(msgspec.json.encode(about)))
    write_whole(path, msgspec.json.encode(part))
    return path


def read_part(path: Path) -> Part:
    """What a part's own file says."""
    return msgspec.json.decode(path.read_bytes(), type=Part)


def rows_of(path: Path, part: Part, table: str) -> pl.DataFrame:
    """The rows of one table, in the order in which they were read."""
    with path.with_name(part.rows).open("rb") as file:
        # In one chunk: polars 1.44 and 2.1 panic where a filter leaves nothing of the first of several (pl.format).
        return pl.concat([pl.read_ipc(io.BytesIO(_piece(file, run))) for run in part.runs[table]], rechunk=True)


def _piece(file: BinaryIO, run: Run) -> bytes:
    file.seek(run[0])
    return file.read(run[1] - run[0])


def batches_of(scan: pl.LazyFrame) -> Iterator[pl.DataFrame]:
    """The rows of a scan, some at a time; first no rows, for the columns."""
    yield pl.DataFrame(schema=scan.collect_schema())
    yield from scan.collect_batches(chunk_size=AT_ONCE, maintain_order=True)
