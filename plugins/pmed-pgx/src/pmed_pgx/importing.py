"""From a publisher's files to a release folder of the user's own."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import msgspec

from pmed.errors import InputError
from pmed.files import whole_folder, write_whole

from .imports import guidance, official, pharmvar, release, schema
from .imports.builds import Positions37
from .knowledge import embedded
from .release_folder import MANIFEST, read_table
from .release_tables import FORMAT, Manifest

PUBLISHERS = ("pharmcat", "pharmvar", "cpic")
LICENCES = {"pharmcat": "CC-BY-SA-4.0 (ClinPGx), CC0-1.0 (CPIC)", "pharmvar": "see PharmVar's terms of use",
            "cpic": "CC0-1.0 (CPIC)"}
NAMES = {"pharmcat": "ClinPGx files of PharmCAT", "pharmvar": "PharmVar files", "cpic": "CPIC tables"}


def import_release(publisher: str, folder: Path, output: Path, tables: Path | None = None) -> Manifest:
    """Build a release from a publisher's folder into a new one; nothing is left where something is wrong.

    Args:
        publisher: "pharmcat", "pharmvar" or "cpic".
        folder: The publisher's files.
        output: New folder for the release.
        tables: CPIC's ``*-table.csv``, which complete PharmCAT's files (functions, GRCh37 positions).

    Raises:
        InputError: where a file is missing or is not what it should be.
    """
    if not folder.is_dir():
        raise InputError("no such folder", where=str(folder))
    made = _build(publisher, folder, tables)
    if not made["genes"]:
        raise InputError("no gene could be read", where=str(folder))
    about = Manifest(format=FORMAT, name=f"{publisher}-import", version=_version(publisher, made),
                     date=date.today().isoformat(), licence=LICENCES[publisher],  # noqa: DTZ011
                     source=f"imported from {NAMES[publisher]}")
    with whole_folder(output) as place:
        schema.write(place, made)
        write_whole(place / MANIFEST, msgspec.json.format(msgspec.json.encode(about), indent=2) + b"\n")
    return about


def _build(publisher: str, folder: Path, tables: Path | None) -> dict[str, list[schema.Row]]:
    if publisher == "pharmvar":
        return pharmvar.build(folder)
    if publisher == "cpic":
        return official.build(folder)
    sites = read_table(embedded(), "sites").select("gene", "pos", "ref", "pos37", "ref37")
    made = release.build(folder, tables, Positions37.of_release(sites.iter_rows()))
    made["guidance"] = guidance.guidance_rows(folder)
    return made


def _version(publisher: str, made: dict[str, list[schema.Row]]) -> str:
    """The newest version that the rows of ``genes`` cite; the day of the import where they cite none."""
    wanted = {"pharmcat": "ClinPGx", "pharmvar": "PharmVar"}.get(publisher)
    sources = [str(row[-1]).partition(" ") for row in made["genes"]]
    cited = max((version for name, _, version in sources if name == wanted), default="")
    return cited or date.today().isoformat()  # noqa: DTZ011


