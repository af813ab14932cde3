"""A genome as one compressed Parquet file: all its records, read again without parsing, and only where it matters.

The rows are those of `table.schema`; of a cohort, a record's calls are mostly a byte each (`table.with_codes`). The
file's metadata has ``pmed:format``, ``pmed:about`` (`About` as JSON) and ``pmed:check`` (`sealing`). `About.steps` says
what stretch of the genome each stretch of rows is about, so that the rows near a position are found without a look at
the others.
"""

from __future__ import annotations

import tempfile
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray
from polars.io.plugins import register_io_source

from pmed.errors import GenomeError, PmedError
from pmed.files import sha256

from .builds import declared_build
from .calls import Alike
from .coded import Coded
from .header import Header, read_header
from .order import Order, is_cut
from .records import Positions, Read, Record
from .scan import batches
from .sealing import AGAIN, KEY, MAGIC, NO_CHECK, damaged, must_be_sound, seal
from .structural import SUSPECT_TEXT, in_frame, meets, neighbourhoods
from .syntax import Fault, record_faults
from .table import CODES, SAMPLE, schema, with_codes

FORMAT = "pmed/genotypes/2"
_READ = ("pmed/genotypes/1", FORMAT)  # the first had no codes
_KEPT = ("fileformat", "reference", "assembly", "contig")
_COMMANDS = "bcftools_"  # what was done to a file (`header.fills_missing`)
_LEFT_OUT = ("contig",)  # `About.written` has them
# A stretch of rows is unpacked by the group; a group is held in memory while it is written.
_GROUP_ROWS, _GROUP_CELLS = 25_000, 1_000_000
_STEP_ROWS = 10_000

Progress = Callable[[str], None]


class Source(msgspec.Struct, frozen=True):
    """One of the files that a cache was made of."""

    file: str
    sha256: str
    records: int
    what: str


class Step(NamedTuple):
    """Consecutive rows on one contig (some of them may be on another): the positions that they say something about."""

    row: int
    rows: int
    chrom: str
    first: int
    last: int


class Spot(NamedTuple):
    """A break of a structural change (`structural.Break`), and its row."""

    row: int
    chrom: str
    first: int
    last: int


class About(msgspec.Struct, frozen=True):
    """What a cache holds beside its rows; `faults` are those of the files as a whole: source, place, code, text.

    `coded` is the number of rows with codes in the place of the columns of samples. Older caches have no `structural`.
    """

    pmed: str
    samples: list[str]
    meta: list[tuple[str, str]]
    sources: list[Source]
    contigs: list[str]
    written: list[str]
    faults: list[tuple[str, str, str]]
    steps: list[Step]
    coded: int = 0
    structural: list[Spot] | None = None


def is_cache(head: bytes) -> bool:
    """Whether a file that starts so may be a cache: any Parquet file does."""
    return head.startswith(MAGIC)


def write_cache(sources: Sequence[Header | Path], output: Path, progress: Progress = lambda _: None) -> About:
    """Write all records of VCF or BCF files with the same samples into one cache, one file after the other.

    Raises:
        GenomeError: a file that cannot be read, or files that do not belong together.
        PmedError: `output` cannot be written.
    """
    headers = [source if isinstance(source, Header) else read_header(source) for source in sources]
    _must_belong_together(headers)
    writing = _Writing(headers, progress)
    kept = {name: dtype for name, dtype in schema(len(headers[0].samples)).items() if name not in _LEFT_OUT}
    rows = register_io_source(writing.frames, schema={**kept, CODES: pl.Binary()})
    try:
        with tempfile.TemporaryDirectory(dir=output.parent, prefix=f".{output.name}.") as folder:
            fresh = Path(folder) / output.name
            writing.to(rows, fresh)
            seal(fresh)
            fresh.replace(output)
    except OSError as error:
        hint = "" if output.parent.is_dir() else "does the folder exist?"
        raise PmedError(f"cannot write: {error.strerror or error}", where=str(output), hint=hint) from error
    return writing.about()


def read_cache_header(path: Path) -> Header:
    """The head of a cache: its samples and what the files' own heads say of their build.

    Raises:
        GenomeError: no such file, a Parquet file of somebody else, or a damaged one.
    """
    must_be_sound(path)
    about = _about(path)
    return Header(path, tuple(about.samples), tuple(about.meta), "cache")


def read_cache(header: Header, wanted: Positions) -> Read:
    """The records that `read_records` gives of the files themselves, with their calls.

    Raises:
        GenomeError: the file is damaged.
    """
    path, about = header.path, _about(header.path)
    read = Read(contigs=set(about.contigs), written=set(about.written),
                faults=[Fault(*fault) for fault in about.faults])
    try:
        table = pl.scan_parquet(path, glob=False)
        found = [_reaching(table.slice(row, rows).select("chrom", "pos", "last").collect(), wanted) + row
                 for row, rows in _stretches(about.steps, wanted)]
        odd = _structural(table, about, wanted)
        for some in [np.unique(np.concatenate([*found, odd]))] if len(odd) else found:
            for part in _by_group(some, len(header.samples)):
                calls = _calls(table, part, coded=bool(about.coded))
                heads = _rows(table.drop(*SAMPLE, CODES, strict=False), part)
                read.records += _records(heads, calls, part.tolist(), path, about.sources)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise damaged(path) from error
    for one in read.records:
        read.faults += (Fault(one.where, *found) for found in record_faults(
            one.ref, one.alts, one.filter, one.format, one.where))
    return read


def cache_frames(header: Header, columns: Sequence[str], calls: Sequence[str]) -> Iterator[pl.DataFrame]:
    """Some columns of all rows, about a group of rows at a time; of the calls the codes or columns that are used.

    Raises:
        GenomeError: the file is damaged.
    """
    about = _about(header.path)
    rows = sum(source.records for source in about.sources)
    here = [*columns, *(calls if about.coded < rows else ()), *([CODES] if about.coded else ())]
    try:
        yield from pl.scan_parquet(header.path, glob=False).select(here).collect_batches(
            chunk_size=_group_rows(len(header.samples)), maintain_order=True, engine="streaming")
    except (pl.exceptions.PolarsError, OSError) as error:
        raise damaged(header.path) from error


@dataclass
class _Writing:
    """The frames of all files on their way into a cache, and what is learned as they pass."""

    headers: Sequence[Header]
    progress: Progress
    version: str = field(default_factory=lambda: version("pmed"))
    rows: int = 0
    coded: int = 0
    whole: bool = False
    error: BaseException | None = None
    sources: list[Source] = field(default_factory=list)
    contigs: set[str] = field(default_factory=set)
    written: set[str] = field(default_factory=set)
    faults: list[tuple[str, str, str]] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    structural: list[Spot] = field(default_factory=list)

    @property
    def group_rows(self) -> int:
        """Rows that are packed together."""
        return _group_rows(len(self.headers[0].samples))

    def to(self, rows: pl.LazyFrame, path: Path) -> None:
        """Write the file, its check still open."""
        try:
            rows.sink_parquet(path, compression="zstd", row_group_size=self.group_rows, maintain_order=True,
                              engine="streaming", metadata=self._metadata)
        except pl.exceptions.PolarsError as error:
            raise self.error or OSError(str(error)) from error

    def frames(self, *_: object) -> Iterator[pl.DataFrame]:
        """All rows; polars asks for them while it writes."""
        try:
            for header in self.headers:
                yield from self._file(header)
        except BaseException as error:  # polars 1 makes another error of it
            self.error = error
            raise
        self.whole = True

    def _file(self, header: Header) -> Iterator[pl.DataFrame]:
        before, order = self.rows, Order("record" if header.kind == "bcf" else "line")
        line = 0
        for frame in batches(header):
            order.watch(frame)
            self._note_steps(frame)
            self.structural += (Spot(self.rows + row, *one[2:]) for row, some in in_frame(frame) for one in some)
            self.rows += frame.height
            line = int(frame["line"][-1])
            self.progress(f"{header.path.name}: {self.rows - before:,} records")
            made = with_codes(frame.drop(_LEFT_OUT))
            self.coded += made.height - made[CODES].null_count()
            yield made
        self._note_file(header, order, self.rows - before, line)

    def _note_steps(self, frame: pl.DataFrame) -> None:
        size = min(_STEP_ROWS, self.group_rows)
        for start in range(0, frame.height, size):
            part = frame[start:start + size]
            found = part.group_by("chrom", maintain_order=True).agg(
                first=pl.col("pos").min(), last=pl.max_horizontal("pos", "last").max())
            self.steps += (Step(self.rows + start, part.height, *row) for row in found.iter_rows())

    def _note_file(self, header: Header, order: Order, records: int, line: int) -> None:
        self.contigs |= order.contigs
        self.written |= order.written
        faults = list(order.faults)
        if records and header.kind == "vcf" and is_cut(header.path):
            faults.append(Fault(f"line {line}", "no-final-newline", "the last line has no line end: the file may be "
                                                                   "cut off"))
        self.faults += ((_place(header.path.name, len(self.headers), fault.where), fault.code, fault.text)
                        for fault in faults)
        self.sources.append(Source(header.path.name, sha256(header.path), records, order.what))

    def _metadata(self, _: object) -> dict[str, str]:
        """What is written at the end of the file."""
        if not self.whole:
            self.error = RuntimeError("polars asks for the metadata before it has all rows")
            raise self.error  # the steps would not be all
        return {"pmed:format": FORMAT, "pmed:about": msgspec.json.encode(self.about()).decode(),
                KEY: f"crc32={NO_CHECK}"}

    def about(self) -> About:
        """What the cache holds beside its rows."""
        meta = dict.fromkeys(line for header in self.headers for line in header.meta
                             if line[0] in _KEPT or line[0].startswith(_COMMANDS))
        return About(self.version, list(self.headers[0].samples), list(meta), self.sources, sorted(self.contigs),
                     sorted(self.written), self.faults, self.steps, self.coded, self.structural)


def _place(source: str, sources: int, place: str) -> str:
    """A place in one of the files; their name is needed only where there are several."""
    return place if sources == 1 else f"{source} {place}"


def _must_belong_together(headers: Sequence[Header]) -> None:
    first = headers[0]
    for header in headers:
        if header.kind not in ("vcf", "bcf"):
            raise GenomeError("is not a VCF or BCF file, which is what can be imported", where=str(header.path))
        if header.samples != first.samples:
            raise GenomeError(f"has other samples than {first.path.name}, or in another order", where=str(header.path),
                              hint="import files of different samples one by one")
        one, other = declared_build(first) or "no build", declared_build(header) or "no build"
        if one != other:
            raise GenomeError(f"names {other}, but {first.path.name} names {one}", where=str(header.path),
                              hint="import files of different builds one by one")


def _stretches(steps: Sequence[Step], wanted: Positions) -> Iterator[tuple[int, int]]:
    """(first row, rows) in which something may reach a wanted position; stretches that touch are one."""
    start = end = 0
    for step in steps:
        here = wanted.get(step.chrom, ())
        place = bisect_left(here, step.first)
        if place == len(here) or here[place] > step.last or step.row + step.rows <= end:
            continue
        if step.row > end:
            if end:
                yield start, end - start
            start = step.row
        end = step.row + step.rows
    if end:
        yield start, end - start


def _structural(table: pl.LazyFrame, about: About, wanted: Positions) -> NDArray[np.int64]:
    """Numbers of the rows with a structural change near a wanted position."""
    near = neighbourhoods(wanted)
    spots = about.structural
    if spots is None:  # written before they were noted
        written, copies = pl.col("alt").str.contains(SUSPECT_TEXT), pl.col("format").str.contains("CN", literal=True)
        odd = (table.with_row_index("row").select("row", "chrom", "pos", "last", "alt", "format")
               .filter(written | (pl.col("alt").is_null() & copies)).collect())
        spots = [Spot(int(odd["row"][row]), *one[2:]) for row, some in in_frame(odd) for one in some]
    return np.array([spot.row for spot in spots if meets(near.get(spot.chrom, ()), spot.first, spot.last)],
                    dtype=np.int64)


def _group_rows(samples: int) -> int:
    return max(1, min(_GROUP_ROWS, _GROUP_CELLS // samples))


def _by_group(rows: NDArray[np.int64], samples: int) -> list[NDArray[np.int64]]:
    """Numbers of rows, those of a group together: so many that they can be held in memory."""
    group = rows // _group_rows(samples)
    return np.split(rows, np.flatnonzero(np.diff(group)) + 1) if len(rows) else []


def _reaching(frame: pl.DataFrame, wanted: Positions) -> NDArray[np.int64]:
    """Numbers of the rows that reach a wanted position."""
    pos, last = frame["pos"].to_numpy(), frame["last"].to_numpy()
    hit = np.zeros(frame.height, dtype=bool)
    for chrom in frame["chrom"].unique():
        if len(here := np.array(wanted.get(chrom, ()), dtype=np.int64)):
            nearest = here[np.minimum(np.searchsorted(here, pos), len(here) - 1)]
            hit |= (frame["chrom"] == chrom).to_numpy() & (nearest >= pos) & (nearest <= last)
    return np.flatnonzero(hit)


def _rows(table: pl.LazyFrame, rows: NDArray[np.int64]) -> pl.DataFrame:
    """Some rows, which are near each other."""
    first, many = int(rows[0]), int(rows[-1] - rows[0]) + 1
    return table.slice(first, many).collect()[rows - first]


def _calls(table: pl.LazyFrame, rows: NDArray[np.int64], *, coded: bool) -> list[Coded | Alike]:
    """What the samples have in those rows; the columns are read only where there are no codes."""
    codes = _rows(table.select(CODES), rows)[CODES].to_list() if coded else [None] * len(rows)
    left = [number for number, one in enumerate(codes) if one is None]
    frame = _rows(table.select(*SAMPLE), rows[left]) if left else pl.DataFrame()
    columns: Mapping[str, NDArray[Any]] = {name: frame[name].to_numpy() for name in frame.columns}
    alike = {row: Alike.of({name: values[number].astype(SAMPLE[name][1], copy=False)
                            for name, values in columns.items()}) for number, row in enumerate(left)}
    return [alike[number] if one is None else Coded(np.frombuffer(one, dtype=np.uint8))
            for number, one in enumerate(codes)]


def _records(heads: pl.DataFrame, calls: Sequence[Coded | Alike], rows: Sequence[int], path: Path,
             sources: Sequence[Source]) -> Iterator[Record]:
    """The records of the file's `rows`, of which `heads` holds all but the calls."""
    ends = list(accumulate(source.records for source in sources))
    for row, one, mine in zip(rows, heads.iter_rows(named=True), calls, strict=True):
        source = sources[bisect_right(ends, row)]
        place = _place(source.file, len(sources), f"{source.what} {one['line']}")
        yield Record(one["source_row"], f"{path} {place}", one["chrom"], one["pos"], tuple(one["id"].split(";")),
                     one["ref"], tuple(one["alt"].split(",")) if one["alt"] is not None else (), one["filter"],
                     one["format"], mine if one["text"] is None else one["text"], one["last"])


def _about(path: Path) -> About:
    try:
        said = pl.read_parquet_metadata(path)
        if said["pmed:format"] not in _READ:
            raise GenomeError(f"has the format {said['pmed:format']}, which this version of pmed does not read",
                              where=str(path), hint=AGAIN)
        return msgspec.json.decode(said["pmed:about"], type=About)
    except (pl.exceptions.PolarsError, OSError, KeyError, msgspec.DecodeError) as error:
        raise damaged(path) from error
