"""Files of any file system that Hadoop knows (``hdfs://``, ``s3a://``, ``viewfs://``), copied whole by Hadoop's Java.

htslib and polars read paths, so what is somewhere else is copied here and back. A process that needs it starts one Java
beside itself, which ends with it: executors' Python cannot reach the one of Spark.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..errors import OptionError, PmedError

_PREFIX = "spark.hadoop."
# What Java's methods take by place: the source goes, the target may be there, no files of checksums, folders too.
_MOVED, _OVERWRITTEN, _RAW, _DEEP = False, True, True, True
_started: dict[tuple[tuple[str, str], ...], Hadoop] = {}


class Hadoop:
    """Hadoop's file systems, with `settings` laid over those in ``HADOOP_CONF_DIR``."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        """Start a Java."""
        from py4j.java_gateway import JavaGateway  # comes with pyspark

        home = _spark_home()
        jar = next((home / "jars").glob("py4j-*.jar"), None)
        places = [str(home / "jars" / "*"), *(os.environ[name] for name in (
            "HADOOP_CONF_DIR", "YARN_CONF_DIR", "SPARK_DIST_CLASSPATH") if os.environ.get(name))]
        java = Path(os.environ["JAVA_HOME"], "bin", "java") if os.environ.get("JAVA_HOME") else Path("java")
        self._java = JavaGateway.launch_gateway(
            jarpath=str(jar), classpath=os.pathsep.join(places), die_on_exit=True, enable_auth=True,
            redirect_stderr=subprocess.DEVNULL, java_path=str(java), javaopts=["-Xmx256m"])
        self._conf = self._java.jvm.org.apache.hadoop.conf.Configuration()
        for name, value in settings.items():
            self._conf.set(name, value)

    @classmethod
    def of(cls, settings: Mapping[str, str]) -> Hadoop:
        """The one of this process."""
        key = tuple(sorted(settings.items()))
        if key not in _started:
            _started[key] = cls(settings)
        return _started[key]

    def is_there(self, address: str) -> bool:
        """Whether there is a file or folder of that address."""
        with _told(address, "cannot be looked for"):
            return bool(self._system(address).exists(self._path(address)))

    def names(self, address: str) -> list[str]:
        """What is in a folder, by name; nothing where there is none."""
        if not self.is_there(address):
            return []
        with _told(address, "cannot be listed"):
            return sorted(one.getPath().getName() for one in self._system(address).listStatus(self._path(address)))

    def pull(self, address: str, place: Path) -> None:
        """Copy a file or folder to a place of this machine.

        Raises:
            PmedError: it is not there, or cannot be read.
        """
        place.parent.mkdir(parents=True, exist_ok=True)
        with _told(address, "cannot be read"):
            self._system(address).copyToLocalFile(_MOVED, self._path(address), self._path(place.as_uri()), _RAW)

    def push(self, place: Path, address: str) -> None:
        """Copy a file of this machine to an address: it is there whole or not at all.

        Raises:
            PmedError: it cannot be written.
        """
        folder, _, name = address.rpartition("/")
        beside = f"{folder}/.{name}.unfinished"
        with _told(address, "cannot be written"):
            system = self._system(address)
            system.copyFromLocalFile(_MOVED, _OVERWRITTEN, self._path(place.as_uri()), self._path(beside))
            system.delete(self._path(address), _DEEP)
            if not system.rename(self._path(beside), self._path(address)):
                raise PmedError("cannot be written: the file system did not rename it into place", where=address)

    def remove(self, address: str) -> None:
        """Remove a file or folder, if it is there."""
        with _told(address, "cannot be removed"):
            if not self.is_there(address):
                return
            self._system(address).delete(self._path(address), _DEEP)

    def _path(self, address: str) -> Any:
        return self._java.jvm.org.apache.hadoop.fs.Path(address)

    def _system(self, address: str) -> Any:
        return self._path(address).getFileSystem(self._conf)


def settings_of(session: Any) -> dict[str, str]:
    """What a Spark session says of Hadoop (``spark.hadoop.*``)."""
    return {name.removeprefix(_PREFIX): value for name, value in session.sparkContext.getConf().getAll()
            if name.startswith(_PREFIX)}


def _spark_home() -> Path:
    if home := os.environ.get("SPARK_HOME"):
        return Path(home)
    try:
        import pyspark
    except ImportError as error:
        raise OptionError("Spark is not installed", where="--engine spark",
                          hint="pip install 'pmed[spark]', and Java 17 or 21") from error
    return Path(pyspark.__file__).parent


@contextmanager
def _told(address: str, what: str) -> Iterator[None]:
    """Java's exceptions as one line of ours."""
    from py4j.protocol import Py4JError, Py4JJavaError, Py4JNetworkError

    try:
        yield
    except Py4JNetworkError as error:
        raise PmedError(f"{what}: Java has ended", where=address) from error
    except Py4JError as error:
        # Once a process has a Spark session, pyspark asks that one's Java about errors of ours too, and fails.
        java = error if isinstance(error, Py4JJavaError) else error.__context__
        told = str(java.java_exception.toString()) if isinstance(java, Py4JJavaError) else str(error)
        raise PmedError(f"{what}: {told.splitlines()[0].rpartition('Exception: ')[2]}", where=address) from error
