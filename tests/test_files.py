"""What is written is there whole, or not at all, also where the disk is full or the folder cannot be made."""

from __future__ import annotations

import errno
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pytest

from pmed.cohorts import opened
from pmed.errors import GenomeError, PmedError
from pmed.files import whole_folder, write_parquet, write_whole

FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@contextmanager
def small_disk(size: int = 100) -> Iterator[None]:
    """No file may become larger than `size` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize(("stop", "seen"), [(FULL, PmedError), (KeyboardInterrupt(), KeyboardInterrupt)])
def test_nothing_of_a_patient_stays_in_hidden_files(tmp_path: Path, stop: BaseException, seen: type) -> None:
    def data() -> Iterator[bytes]:
        yield b"Patient"
        raise stop

    with pytest.raises(seen):
        write_whole(tmp_path / "report.html", data())
    assert list(tmp_path.iterdir()) == []


def test_a_table_for_which_there_is_no_room_is_one_line(tmp_path: Path) -> None:
    frame = pl.DataFrame({"a": range(1000)})
    with (pytest.raises(PmedError, match="cannot write: ") as caught, whole_folder(tmp_path / "new") as folder,
          small_disk()):
        write_parquet(frame, folder / "a.parquet")
    assert caught.value.where == str(tmp_path / "new")
    assert list(tmp_path.iterdir()) == []


def test_text_for_which_there_is_no_room_is_one_line(tmp_path: Path) -> None:
    frame = pl.DataFrame({"a": range(1000)})
    with (pytest.raises(PmedError, match="cannot write: [A-Z]"), whole_folder(tmp_path / "new") as folder,
          small_disk()):
        frame.write_csv(folder / "a.csv")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(PmedError, match="cannot be made"), whole_folder(tmp_path / "file" / "new"):
        pytest.fail("it was made")


@pytest.mark.parametrize(("text", "said"), [("", "is empty"), ("<html>404</html>\n", "and this is none of them")])
def test_what_is_no_genome_is_not_called_a_kind_without_name(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "x.vcf").write_text(text)
    with pytest.raises(GenomeError, match=said):
        opened([tmp_path / "x.vcf"])
