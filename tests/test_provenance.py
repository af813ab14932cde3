"""What is said of the files that a result rests on."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from pmed import provenance


@pytest.mark.parametrize("much", [0, 1 << 26])
def test_each_file_of_a_folder_has_its_own_size_and_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                           much: int) -> None:
    """Also where several are read at a time."""
    monkeypatch.setattr(provenance, "_MUCH", much)
    (folder := tmp_path / "records").mkdir()
    contents = {f"{number}.ndjson": b"x" * number for number in range(40)}
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    told = provenance.describe_inputs([], [folder])
    assert {(one["file"], one["bytes"], one["sha256"]) for one in told} == {
        (f"records/{name}", len(content), hashlib.sha256(content).hexdigest()) for name, content in contents.items()}
    assert [one["kind"] for one in told] == ["history"] * len(contents)
