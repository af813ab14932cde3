"""An OMOP CDM kept in a database: an SQLite file, or what SQLAlchemy reaches by a connection file.

A connection file ``NAME.omop.toml``::

    url = "postgresql+pg8000://reader@db.example.org/hospital"
    password_env = "OMOP_PASSWORD"    # optional: the variable that holds the password
    schema = "cdm"                    # optional
    persons = [17, 35]                # optional: only these people

Columns are asked for as text, so that every database gives what a CSV file of the same rows would. Nothing is written.
"""

from __future__ import annotations

import os
import sqlite3
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import polars as pl

from ..compatibility import install_extra
from ..errors import HistoryError
from .omop_cdm import LAYOUTS, Keep, Take

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, Table

_ROWS = 50_000  # rows that are fetched at a time
_IDS = 10_000   # ids that are asked for at a time
_STREAMED = {"stream_results": True}
_Made = TypeVar("_Made")
_KEYS = {"url": str, "password_env": str, "schema": str, "persons": list}


@dataclass(frozen=True)
class Database:
    """An open connection, and its tables by their CDM name; `where` is the file that was given."""

    where: str
    connection: Connection
    tables: dict[str, Table]
    persons: tuple[int, ...] = ()
    issues: list[pl.DataFrame] = field(default_factory=list)
    whole: bool = True

    def place(self, table: str) -> str:  # noqa: ARG002 - all tables are in one place
        """The SQLite or connection file."""
        return self.where

    def columns(self, table: str) -> list[str] | None:
        """The columns of a table in lower case; None where there is no such table or view."""
        return [one.name.lower() for one in self.tables[table].columns] if table in self.tables else None

    def read(self, table: str, columns: Sequence[str], keep: Keep | None = None) -> pl.DataFrame:
        """The columns of one table as text."""
        frames = [*self._batches(table, columns, keep)]
        return pl.concat(frames) if len(frames) > 1 else frames[0]

    def height(self, table: str) -> int:
        """The rows of a table, of the people that are asked for."""
        from sqlalchemy import func

        with _one_line(self.where, f"table {table} cannot be read"):
            queries = (query.with_only_columns(func.count(), maintain_column_froms=True)
                       for query in self._queries(table, ["person_id"]))
            return sum(self.connection.execute(query).scalar_one() for query in queries)

    def through(self, table: str, columns: Sequence[str], take: Take[_Made], scratch: Path) -> _Made:  # noqa: ARG002
        """What `take` makes of the rows, as `read` gives them, some at a time."""
        return take(self._batches(table, columns))

    def _batches(self, table: str, columns: Sequence[str], keep: Keep | None = None) -> Iterator[pl.DataFrame]:
        """The rows, so many at a time as are fetched; first no rows, for the columns."""
        yield pl.DataFrame(schema=dict.fromkeys(columns, pl.String))
        with _one_line(self.where, f"table {table} cannot be read"):
            for query in self._queries(table, columns, keep):
                for rows in self.connection.execute(query, execution_options=_STREAMED).partitions(_ROWS):
                    values = zip(*rows, strict=True)
                    yield pl.DataFrame([pl.Series(name, column, pl.String)
                                        for name, column in zip(columns, values, strict=True)])

    def _queries(self, table: str, columns: Sequence[str], keep: Keep | None = None) -> Iterator[Any]:
        limits = [keep] if keep is not None else []
        if self.persons and "person_id" in columns:
            limits.append(("person_id", self.persons))
        return _queries(self.tables[table], columns, limits, untyped=self.connection.dialect.name == "sqlite")


def _queries(table: Table, columns: Sequence[str], limits: Sequence[Keep], *, untyped: bool) -> Iterator[Any]:
    """The query, once for each part of the first list of ids; in an `untyped` database numbers may be kept as text."""
    from sqlalchemy import BigInteger, String, cast, select

    by_name = {column.name.lower(): column for column in table.columns}
    whole = {name: cast(by_name[name], BigInteger) if untyped else by_name[name] for name, _ in limits}
    query = select(*(cast(by_name[name], String).label(name) for name in columns))
    for name, ids in limits[1:]:
        query = query.where(_among(whole[name], ids))
    if not limits:
        yield query
        return
    name, ids = limits[0]
    for start in range(0, len(ids), _IDS):
        yield query.where(_among(whole[name], ids[start:start + _IDS]))


def _among(column: Any, ids: Sequence[int]) -> Any:
    """Numbers written into the query: databases limit how many parameters there may be."""
    from sqlalchemy import bindparam

    return column.in_(bindparam(None, [int(one) for one in ids], expanding=True, literal_execute=True))


@contextmanager
def sqlite_file(path: Path) -> Iterator[Database]:
    """The CDM in an SQLite file, opened for reading only.

    Raises:
        HistoryError: it is no SQLite file, or cannot be opened.
    """
    sqlalchemy = _library(str(path))
    if path.stat().st_size == 0:
        raise HistoryError("is empty: no SQLite database", where=str(path))
    address = f"{path.resolve().as_uri()}?mode=ro"
    engine = sqlalchemy.create_engine("sqlite://", creator=lambda: _sqlite(address), poolclass=sqlalchemy.pool.NullPool)
    with _opened(engine, path, str(path), {}) as database:
        yield database


def _sqlite(address: str) -> sqlite3.Connection:
    """A connection that survives text in another encoding than UTF-8."""
    connection = sqlite3.connect(address, uri=True)
    connection.text_factory = lambda text: text.decode("utf-8", "replace")
    return connection


@contextmanager
def connection_file(path: Path) -> Iterator[Database]:
    """The CDM that a connection file names.

    Raises:
        HistoryError: the file is not as it should be, or the database cannot be reached.
    """
    given = _settings(path)
    sqlalchemy = _library(str(path))
    try:
        url = sqlalchemy.make_url(given["url"])
    except (sqlalchemy.exc.ArgumentError, ValueError):  # the text of the fault may hold the password
        raise HistoryError("url is no SQLAlchemy URL", where=str(path),
                           hint="such as postgresql+pg8000://user@host/database") from None
    if variable := given.get("password_env"):
        if variable not in os.environ:
            raise HistoryError(f"the environment has no variable {variable}, which password_env names",
                               where=str(path))
        url = url.set(password=os.environ[variable])
    where = url.render_as_string(hide_password=True)
    try:
        engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.pool.NullPool)
    except (sqlalchemy.exc.SQLAlchemyError, ImportError) as error:
        raise HistoryError(f"no driver for {url.drivername}: {type(error).__name__}", where=str(path),
                           hint="is it installed in this environment?") from None
    with _opened(engine, path, where, given) as database:
        yield database


def _settings(path: Path) -> dict[str, Any]:
    """The connection file, its keys and types checked."""
    try:
        given = tomllib.loads(path.read_text("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):  # the text of the fault may quote the URL
        raise HistoryError("is not TOML", where=str(path)) from None
    faults = [f"unknown key {name!r}" for name in given if name not in _KEYS]
    faults += [f"{name!r} must be a {kind.__name__}" for name, kind in _KEYS.items()
               if name in given and not isinstance(given[name], kind)]
    persons = given.get("persons", [])
    if isinstance(persons, list) and any(type(one) is not int for one in persons):
        faults.append("'persons' must hold whole numbers")
    if "persons" in given and not persons:
        faults.append("'persons' is empty")
    if "url" not in given:
        faults.append("key 'url' is missing")
    if faults:
        raise HistoryError("; ".join(faults), where=str(path), hint=f"keys: {', '.join(_KEYS)}")
    return given


@contextmanager
def _opened(engine: Engine, path: Path, where: str, given: Mapping[str, Any]) -> Iterator[Database]:
    """Rows are said to come from the file at `path`: who may see a result need not know the server and its user."""
    from sqlalchemy import text

    try:
        with _one_line(where, "the database cannot be reached"):
            connection = engine.connect()
        with connection:
            with _one_line(where, "the tables of the database cannot be listed"):
                if engine.dialect.name == "postgresql":
                    connection.execution_options(postgresql_readonly=True)
                    connection.execute(text("SET datestyle TO ISO"))
                tables = _tables(connection, given.get("schema"))
            yield Database(str(path), connection, tables, tuple(given.get("persons", ())))
    finally:
        engine.dispose()


def _tables(connection: Connection, schema: str | None) -> dict[str, Table]:
    """Tables and views that are of the CDM, in whatever case they are written."""
    from sqlalchemy import column, inspect, table

    there = inspect(connection)
    names = [*there.get_table_names(schema=schema), *there.get_view_names(schema=schema)]
    return {name.lower(): table(name, *(column(one["name"]) for one in there.get_columns(name, schema=schema)),
                                schema=schema)  # type: ignore[misc]
            for name in names if name.lower() in LAYOUTS}


@contextmanager
def _one_line(where: str, message: str) -> Iterator[None]:
    """A fault of the database as one line; its own text may hold the password or the record."""
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (SQLAlchemyError, OSError, UnicodeError) as error:
        cause = getattr(error, "orig", None) or error
        while cause.__cause__ is not None:
            cause = cause.__cause__
        reason = getattr(cause, "strerror", None) or f"{type(cause).__name__} {_sqlstate(cause)}".strip()
        raise HistoryError(f"{message}: {reason}", where=where,
                           hint="check the URL, the password, the schema and the rights") from None


def _sqlstate(cause: BaseException) -> str:
    """PostgreSQL's code of an error, which its manual explains: 28P01 is a wrong password."""
    told = cause.args[0] if cause.args else None
    return str(told.get("C", "")) if isinstance(told, dict) else str(getattr(cause, "sqlstate", None) or "")


def _library(where: str) -> Any:
    try:
        import sqlalchemy
        import sqlalchemy.pool
    except ImportError:
        raise HistoryError("SQLAlchemy is not installed", where=where,
                           hint=install_extra("records")) from None
    return sqlalchemy
