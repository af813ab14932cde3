"""Records of the stented demo patient under other names, and the beginning of one that is cut off."""

from __future__ import annotations

from pathlib import Path

from pmed.demo import patients

STENT = next(one for one in patients() if one.name == "stent").history.read_text()
CUT = '{"resourceType": "Bundle", "entry": [{"resource": '


def record(folder: Path, name: str, file: str = "") -> None:
    """The whole record of one patient, in a file of that name."""
    (folder / f"{file or name}.json").write_text(STENT.replace("demo-stent", name))


def record_of_each(folder: Path, names: list[str]) -> Path:
    """A new folder with a record for each name."""
    folder.mkdir()
    for name in names:
        record(folder, name)
    return folder
