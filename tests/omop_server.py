"""A real PostgreSQL for tests: started in a folder of its own, on a free port of this machine only, and stopped."""

from __future__ import annotations

import csv
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

PASSWORD = "not-to-be-seen"
_WORDS = ("domain_id", "vocabulary_id", "concept_class_id", "relationship_id")
_NUMBERS = ("value_as_number", "quantity", "days_supply", "range_low", "range_high", "amount_value",
            "numerator_value", "denominator_value")
_WHOLE = ("year_of_birth", "month_of_birth", "day_of_birth", "refills", "concept_id_1", "concept_id_2",
          "box_size")


@dataclass(frozen=True)
class Server:
    """Where it listens."""

    port: int

    @property
    def url(self) -> str:
        return f"postgresql+pg8000://pmed@127.0.0.1:{self.port}/postgres"

    def connect(self):
        import pg8000.dbapi

        return pg8000.dbapi.connect("pmed", host="127.0.0.1", port=self.port, database="postgres", password=PASSWORD)


@contextmanager
def postgres() -> Iterator[Server]:
    """A running server; the test is skipped where PostgreSQL is not installed."""
    pytest.importorskip("pg8000")
    programs = _programs()
    if programs is None:
        pytest.skip("no PostgreSQL here: no initdb and pg_ctl")
    if not Path("/dev/null").is_char_device():
        pytest.skip("/dev/null is a plain file on this machine: PostgreSQL cannot start")
    user = _user()
    folder = Path(tempfile.mkdtemp(prefix="pmed-postgres-"))
    try:
        if user:
            shutil.chown(folder, "postgres")
        password = folder / "password"
        password.write_text(PASSWORD)
        password.chmod(0o644)
        run = lambda name, *more: subprocess.run([*user, str(programs / name), "-D", str(folder / "data"), *more],
                                                 check=True, capture_output=True, cwd=folder, timeout=120)
        run("initdb", "-U", "pmed", "-A", "scram-sha-256", f"--pwfile={password}", "-E", "UTF8", "--no-sync")
        port = _free_port()
        run("pg_ctl", "-w", "-l", str(folder / "log"), "-o", f"-p {port} -h 127.0.0.1 -k {folder} -F", "start")
        try:
            yield Server(port)
        finally:
            run("pg_ctl", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def fill(server: Server, tables: dict[str, Path], schema: str) -> None:
    """CSV files → tables with the types of the CDM."""
    connection = server.connect()
    cursor = connection.cursor()
    cursor.execute(f"CREATE SCHEMA {schema}")
    for table, path in tables.items():
        with path.open(newline="", encoding="utf-8") as file:
            columns = next(csv.reader(file))
        cursor.execute(f"CREATE TABLE {schema}.{table} ({', '.join(f'{one} {kind(one)}' for one in columns)})")
        with path.open("rb") as file:
            cursor.execute(f"COPY {schema}.{table} FROM STDIN WITH (FORMAT csv, HEADER)", stream=file)
    connection.commit()
    connection.close()


def kind(column: str) -> str:
    """The SQL type that the CDM gives a column."""
    column = column.lower()
    if column in _WHOLE or (column.endswith("_id") and column not in _WORDS):
        return "bigint"
    if column in _NUMBERS:
        return "numeric"
    return "date" if column.endswith("_date") else "timestamp" if column.endswith("_datetime") else "varchar"


def _programs() -> Path | None:
    """The folder with initdb and pg_ctl; Debian keeps it off the path."""
    found = [Path(one).resolve().parent for one in [shutil.which("initdb")] if one]
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((one for one in found if (one / "initdb").is_file() and (one / "pg_ctl").is_file()), None)


def _user() -> list[str]:
    """PostgreSQL does not run as root: the user that its package made is taken then."""
    if os.geteuid() != 0:
        return []
    import pwd

    if not shutil.which("runuser") or "postgres" not in {one.pw_name for one in pwd.getpwall()}:
        pytest.skip("root, and no user postgres to run the server as")
    return ["runuser", "-u", "postgres", "--"]


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
