"""What is done once, before the chunks: large genome files are cut by people, records are sorted to their chunks.

Every step writes into a folder of its own and says that it is done by a file that is written last, so that a step
that a kill ended is done again and one that was finished is not.
"""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import polars as pl

from ..batch.journal import digest
from ..engine import Engine
from ..errors import InputError, PmedError
from ..files import write_whole
from ..stages.read import OF_ANYBODY, READ_TABLES, empty_tables, read
from ..types import ReadRequest

DONE = "done.json"
OTHERS = "others"  # issues that may be about people in other files of the same source
_Note = TypeVar("_Note", "Cut", "Parted", "Sorted")
_GROUP = "_group"
_ORPHANS = "r"  # files of people without a genome, who are chunks of their own


class Cut(msgspec.Struct, frozen=True):
    """What became of files of the same people: the samples of each block, and files that could not be read."""

    blocks: tuple[tuple[str, ...], ...]
    unread: dict[str, str]


class Parted(msgspec.Struct, frozen=True):
    """Files that are to be read one by one instead of some records; none where these are read at once."""

    parts: tuple[str, ...]


class Sorted(msgspec.Struct, frozen=True):
    """What became of some records: patients by staged file (chunk number, or one of their own), and unread files."""

    patients: dict[str, tuple[str, ...]]
    unread: dict[str, str]


def folder_of(place: Path, paths: Iterable[Path]) -> Path:
    """The folder of a step, by the files it is about."""
    return place / digest([str(path) for path in paths])[:16]


def block_file(folder: Path, number: int) -> Path:
    """Where the bytes of a block are."""
    return folder / f"{number:05}.block"


def cut(engine: Engine, request: ReadRequest, paths: tuple[Path, ...], folder: Path, people: int) -> Cut:
    """Cut genome files of the same people into blocks; a file that cannot be read costs only itself."""
    if (done := _done(folder, Cut)) is not None:
        return done
    folder.mkdir(parents=True, exist_ok=True)
    source = next(one.made for one in engine.sources
                  if one.made.kind == "genome" and hasattr(one.made, "cut") and one.made.matches(paths[0]))
    unread: dict[str, str] = {}
    try:
        blocks = _cut(source, request, paths, folder, people)
    except PmedError as error:
        unread = _unreadable(source, request, paths) or {str(path): str(error) for path in paths}
        sound = [path for path in paths if str(path) not in unread]
        blocks = _cut(source, request, sound, folder, people) if sound else ()
    return _finished(folder, Cut(blocks, unread))


def _cut(source: Any, request: ReadRequest, paths: Sequence[Path], folder: Path,
         people: int) -> tuple[tuple[str, ...], ...]:
    names = []
    for number, (block, data) in enumerate(source.cut(paths, request, people)):
        write_whole(block_file(folder, number), data)
        names.append(block)
    return tuple(names)


def _unreadable(source: Any, request: ReadRequest, paths: Sequence[Path]) -> dict[str, str]:
    """The files that cannot be opened by themselves, with the reason."""
    found = {}
    for path in paths if len(paths) > 1 else ():
        try:
            next(source.cut([path], request, 1 << 30), None)
        except PmedError as error:
            found[str(path)] = str(error)
    return found


def pieces(engine: Engine, paths: tuple[Path, ...], folder: Path, size: int) -> list[Path]:
    """What is to be gone through, by any process, before records are parted."""
    source = _parting(engine, paths)
    if not hasattr(source, "pieces") or (folder / DONE).is_file():
        return []
    folder.mkdir(parents=True, exist_ok=True)
    try:
        return list(source.pieces(paths, folder, size))
    except InputError:  # who reads them says so
        return []


def go_through(engine: Engine, paths: tuple[Path, ...], piece: Path) -> None:
    """Go through a piece of some records; what cannot be read is met again by who parts them."""
    with suppress(InputError):
        _parting(engine, paths).go_through(piece)


def _parting(engine: Engine, paths: tuple[Path, ...]) -> Any:
    """The source that can part these records, or None."""
    return next((one.made for one in engine.sources if one.made.kind == "history" and hasattr(one.made, "parted")
                 and all(map(one.made.matches, paths))), None)


def part_records(engine: Engine, paths: tuple[Path, ...], folder: Path, size: int) -> Parted:
    """Part records that are more than `size` bytes, where their source can."""
    if (done := _done(folder, Parted)) is not None:
        return done
    folder.mkdir(parents=True, exist_ok=True)
    source = _parting(engine, paths)
    try:
        parts = source.parted(paths, folder, size) if source else []
    except InputError:  # who reads them says so
        parts = []
    return _finished(folder, Parted(tuple(map(str, parts))))


def forget_parts(folder: Path) -> None:
    """Remove the parts, which may be as large as the records, once these are sorted; that they were is still noted."""
    for path in folder.iterdir():
        if path.name == DONE:
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def sort_records(engine: Engine, request: ReadRequest, paths: tuple[Path, ...], *, folder: Path, people: Path,
                 most: int) -> Sorted:
    """Read records and write each patient's rows for the chunk that has the genome.

    Args:
        engine: For its sources.
        request: As for any read.
        paths: Files that are read together; one that cannot be read costs only itself.
        folder: Of this step.
        people: IPC file with `patient_id` and `chunk` of everybody with a genome.
        most: People without a genome in one chunk.
    """
    if (done := _done(folder, Sorted)) is not None:
        return done
    folder.mkdir(parents=True, exist_ok=True)
    tables, unread = _read(engine, request, paths)
    write_whole(folder / OTHERS, packed_tables({"issues": _of_others(tables)}))
    found: dict[str, tuple[str, ...]] = {}
    targets = _targets(tables["patients"].select("patient_id"), pl.read_ipc(people), most)
    for (name, mine), rows in zip(targets, _parted(tables, [mine for _, mine in targets]), strict=True):
        write_whole(folder / name, packed_tables(rows))
        found[name] = mine
    return _finished(folder, Sorted(found, unread))


def _of_others(tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Issues that name somebody who is not here, and, naming nobody and once a file, those that may be anybody's."""
    issues = tables["issues"]
    of_anybody = issues.filter(pl.col("code").is_in(OF_ANYBODY)).unique(["file", "code"], keep="first",
                                                                        maintain_order=True)
    named = issues.filter(pl.col("patient_id").is_not_null() & ~pl.col("code").is_in(OF_ANYBODY)).join(
        tables["patients"], on="patient_id", how="anti", maintain_order="left")
    return pl.concat([named, of_anybody.with_columns(patient_id=pl.lit(None, pl.String))])


def _targets(patients: pl.DataFrame, people: pl.DataFrame, most: int) -> list[tuple[str, tuple[str, ...]]]:
    """File name → patients: of each chunk with their genomes, then of those without one."""
    placed = patients.join(people, on="patient_id", how="left", maintain_order="left")
    known = placed.drop_nulls("chunk").group_by("chunk", maintain_order=True).agg("patient_id").sort("chunk")
    alone = placed.filter(pl.col("chunk").is_null())["patient_id"].to_list()
    return [*((f"{chunk:05}", tuple(mine)) for chunk, mine in known.iter_rows()),
            *((f"{_ORPHANS}{start:07}", tuple(alone[start:start + most])) for start in range(0, len(alone), most))]


def chunk_of(name: str) -> int | None:
    """The chunk that a staged file is for; None where its people have no genome."""
    return None if name.startswith(_ORPHANS) else int(name)


def _read(engine: Engine, request: ReadRequest, paths: Sequence[Path]) -> tuple[dict[str, pl.DataFrame],
                                                                               dict[str, str]]:
    """All tables of these files; where some cannot be read, in halves, so that each is named."""
    try:
        return read(engine.sources, "history", paths, request), {}
    except PmedError as error:
        if len(paths) == 1 or not all(_is_apart(engine, path) for path in paths):
            return empty_tables(), {str(path): str(error) for path in paths}
        everybody = {str(path): str(error) for path in paths}
        half = len(paths) // 2
        (first, lost), (second, more) = (_read(engine, request, some) for some in (paths[:half], paths[half:]))
        if set(first["patients"]["patient_id"]) & set(second["patients"]["patient_id"]):
            return empty_tables(), everybody  # of one patient each half is a part, and together they cannot be read
        return {name: pl.concat([frame, second[name]]) for name, frame in first.items()}, {**lost, **more}


def _is_apart(engine: Engine, path: Path) -> bool:
    """Whether a file holds whole records, so that the others can be read without it."""
    return any(getattr(one.made, "apart", lambda _: False)(path) for one in engine.sources)


def _parted(tables: Mapping[str, pl.DataFrame],
            groups: Sequence[Sequence[str]]) -> Iterator[dict[str, pl.DataFrame]]:
    """The rows of each group of patients, of every table that has some; each table is gone through once for all groups.

    Rows that are of nobody in particular go with the first group, so that they are told once.
    """
    place = pl.DataFrame([(patient, number) for number, mine in enumerate(groups) for patient in mine],
                         schema={"patient_id": pl.String, _GROUP: pl.UInt32}, orient="row")
    rows = {name: _rows(frame, place) for name, frame in tables.items() if "patient_id" in frame.columns}
    for number in range(len(groups)):
        yield {name: tables[name][mine[number]] for name, mine in rows.items() if number in mine}


def _rows(frame: pl.DataFrame, place: pl.DataFrame) -> dict[int, pl.Series]:
    """Group → its rows, in order; those of patients without a group are in none."""
    numbered = frame.select("patient_id").with_row_index("row").join(place, on="patient_id", how="left")
    mine = pl.when(pl.col("patient_id").is_null()).then(pl.lit(0, pl.UInt32)).otherwise(_GROUP)
    grouped = numbered.sort("row").select("row", mine.alias(_GROUP)).drop_nulls().group_by(_GROUP).agg("row")
    return dict(zip(grouped[_GROUP], grouped["row"], strict=True))


def packed_tables(tables: Mapping[str, pl.DataFrame]) -> bytes:
    """Tables as Parquet, by name; Arrow IPC takes twice as long to read, and as many bytes again."""
    kept: dict[str, bytes] = {}
    for name, rows in tables.items():
        sink = io.BytesIO()
        rows.write_parquet(sink, compression="zstd", compression_level=1, statistics=False)
        kept[name] = sink.getvalue()
    return msgspec.msgpack.encode(kept)


def staged_tables(paths: Sequence[Path]) -> dict[str, pl.DataFrame]:
    """Every read table, of the rows in these staged files."""
    files = [msgspec.msgpack.decode(path.read_bytes(), type=dict[str, bytes]) for path in paths]
    return {name: pl.concat([empty, *(pl.read_parquet(file[name]) for file in files if name in file)])
            for name, empty in empty_tables().items() if name in READ_TABLES}


def _done(folder: Path, kind: type[_Note]) -> _Note | None:
    path = folder / DONE
    return msgspec.json.decode(path.read_bytes(), type=kind) if path.is_file() else None


def _finished(folder: Path, what: _Note) -> _Note:
    write_whole(folder / DONE, msgspec.json.encode(what))
    return what
