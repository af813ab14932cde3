"""What unpacks genome files gives all of their bytes, or says what is wrong with them."""

from __future__ import annotations

import gzip
from pathlib import Path

import pysam
import pytest

from pmed.errors import GenomeError
from pmed.genomics.files import pieces


def bgzf(folder: Path, text: bytes) -> Path:
    path = folder / "x.gz"
    with pysam.BGZFile(str(path), "wb") as out:
        out.write(text)
    return path


TEXT = bytes(range(256)) * 1000  # some blocks


def test_pieces_are_the_whole_file_however_it_is_packed(tmp_path: Path) -> None:
    path = bgzf(tmp_path, TEXT)
    assert b"".join(pieces(path)) == TEXT
    assert len(list(pieces(path))) > 3
    path.write_bytes(path.read_bytes() + gzip.compress(b"behind it"))
    assert b"".join(pieces(path)) == TEXT + b"behind it"
    path.write_bytes(gzip.compress(TEXT))
    assert b"".join(pieces(path, 1000)) == TEXT
    path.write_bytes(TEXT)
    assert b"".join(pieces(path, 1000)) == TEXT


@pytest.mark.parametrize(("place", "byte", "says"), [
    (16, 3, "ends within a block|CRC|invalid|incomplete"), (60, 255, "CRC|invalid|incomplete")])
def test_a_damaged_block_is_told(tmp_path: Path, place: int, byte: int, says: str) -> None:
    path = bgzf(tmp_path, TEXT)
    data = bytearray(path.read_bytes())
    data[place] ^= byte
    path.write_bytes(data)
    with pytest.raises(GenomeError, match=f"cannot be unpacked: .*({says})"):
        list(pieces(path))


def test_a_wrong_checksum_and_a_cut_are_told(tmp_path: Path) -> None:
    path = bgzf(tmp_path, b"few bytes")
    data = bytearray(path.read_bytes())
    size = int.from_bytes(data[16:18], "little") + 1
    path.write_bytes(data[:size - 3])
    with pytest.raises(GenomeError, match="ends within a block"):
        list(pieces(path))
    data[size - 8] ^= 1
    path.write_bytes(data)
    with pytest.raises(GenomeError, match="CRC check failed"):
        list(pieces(path))
