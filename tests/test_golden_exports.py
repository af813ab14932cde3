"""The exports of a demo patient are the files that were read by eye."""

from __future__ import annotations

import pytest

from tests.golden_exports import GOLDEN, exports, small_result


@pytest.fixture(scope="module")
def made() -> dict[str, bytes]:
    return exports(small_result())


def test_the_files_are_these(made: dict[str, bytes]) -> None:
    assert {path.name for path in GOLDEN.iterdir()} == set(made)


@pytest.mark.parametrize("name", sorted(path.name for path in GOLDEN.iterdir()))
def test_export_is_as_it_was_read(made: dict[str, bytes], name: str) -> None:
    now, kept = made[name].decode().splitlines(), (GOLDEN / name).read_bytes().decode().splitlines()
    assert now == kept, "look at it, then run python -m tests.golden_exports"
    assert made[name] == (GOLDEN / name).read_bytes()
