"""Chunks of a cohort on Apache Spark (extra ``spark``): one task a chunk, worked out by the executors' Python.

The executors run `work.do`, the function of the local engine, and write the chunks' files themselves: the output
folder, and genomes that are not cut, must be at the same path on every machine, or at Hadoop addresses (`away`).
Through Spark go the tasks and the notes of how they went, never a genome. A task whose Python worker or executor is
lost is started again by Spark; what it had written is written again, with the same bytes.
"""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import msgspec

from ..collecting import settled
from ..errors import OptionError
from ..processors import one_thread
from . import work
from .plan import Chunk
from .work import Asked, Done

RETRIES = 4
_SETTINGS = {
    # Names of this machine may not resolve, and nobody is to see the pages of a run.
    "spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1", "spark.ui.enabled": "false",
    # A busy machine may be silent for minutes.
    "spark.network.timeout": "1200s", "spark.executor.heartbeatInterval": "60s",
    "spark.task.maxFailures": str(RETRIES),
    # Java only hands tasks out here: to compile itself well would take longer than all that it does.
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
}
_SCHEMA = "done binary"
Doing = Callable[[bytes, bytes], bytes]
_Plain = TypeVar("_Plain")


def on_spark(asked: Asked, chunks: Sequence[Chunk], jobs: int, doing: Doing) -> Iterator[Done]:
    """Work chunks out on Spark: on the master that ``spark-submit`` or ``MASTER`` names, else here by `jobs` threads.

    Raises:
        OptionError: pyspark is not installed.
    """
    if not chunks:
        return
    with kept_session(jobs) as session:
        # One row and partition a chunk, by its number: rows made of Python objects would take Python processes of
        # their own to come to Java.
        tasks = session.sparkContext.broadcast([plainly(chunk) for chunk in chunks])
        numbers = session.range(0, len(chunks), 1, len(chunks))
        made = numbers.mapInArrow(_mapper(plainly(asked), tasks, doing), _SCHEMA).collect()
    for row in made:
        yield msgspec.json.decode(bytes(row["done"]), type=Done)


@contextmanager
def kept_session(jobs: int) -> Iterator[Any]:
    """The running session, or one of ours, which is stopped at the end."""
    session, is_ours = _session(jobs)
    try:
        yield session
    finally:
        if is_ours:
            session.stop()


def _session(jobs: int) -> tuple[Any, bool]:
    """The running session, or a new one that is ours to stop."""
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise OptionError("Spark is not installed", where="--engine spark",
                          hint="pip install 'pmed[spark]', and Java 17 or 21") from error
    if running := SparkSession.getActiveSession():
        return running, False
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.appName("pmed cohort")
    if not os.environ.get("MASTER") and "SPARK_ENV_LOADED" not in os.environ:
        builder = builder.master(f"local[{jobs},{RETRIES}]")
        seen = str(sys.stderr.isatty()).lower()  # Spark's own progress, which it also writes into files
        for name, value in {**_SETTINGS, "spark.ui.showConsoleProgress": seen}.items():
            builder = builder.config(name, value)
    return builder.getOrCreate(), True


def _mapper(asked: bytes, tasks: Any, doing: Doing) -> Callable[[Iterator[Any]], Iterator[Any]]:
    """What an executor does with its rows: the numbers of `tasks`, which Spark has sent to all."""
    shipped = pickle.dumps(doing)

    def work_out(batches: Iterator[Any]) -> Iterator[Any]:
        one_thread()
        import pyarrow as pa

        made = pickle.loads(shipped)  # noqa: S301 - ours; it loads polars, which is to know of the thread by then
        for batch in batches:
            done = [made(asked, tasks.value[number]) for number in batch.column(0).to_pylist()]
            yield pa.RecordBatch.from_pydict({"done": pa.array(done, pa.binary())})
        settled()  # Spark's Python collects all garbage after every task

    return work_out


def done_of(asked: bytes, task: bytes) -> bytes:
    """One chunk in this process, in plain bytes."""
    work.begin(read_plain(asked, Asked))
    return plainly(work.do(read_plain(task, Chunk)))


DOING: Doing = done_of


def plainly(value: Any) -> bytes:
    """As JSON, paths as text."""
    return msgspec.json.encode(value, enc_hook=str)


def read_plain(data: bytes, kind: type[_Plain]) -> _Plain:
    """And back."""
    return msgspec.json.decode(data, type=kind, dec_hook=_path)


def _path(kind: type[Any], value: Any) -> Any:
    return kind(value)
