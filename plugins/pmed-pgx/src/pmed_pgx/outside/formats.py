"""The formats that outside calls come in, and one file of them read into calls that the release understands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from pmed.errors import InputError

from ..knowledge import genes
from . import aldy, cyrius, hla_typing, pharmcat, pypgx, stellarpgx
from .model import Format, OutsideCall
from .names import clean

FORMATS = (
    Format("StellarPGx", stellarpgx.matches, stellarpgx.read),
    Format("StellarPGx summary", stellarpgx.is_summary, stellarpgx.read_summary),
    Format("Cyrius", cyrius.matches, cyrius.read),
    Format("PyPGx", pypgx.matches, pypgx.read),
    Format("OptiType", hla_typing.is_optitype, hla_typing.read_optitype),
    Format("HLA-HD", hla_typing.is_hla_hd, hla_typing.read_hla_hd),
    Format("Aldy", aldy.matches, aldy.read),
    Format("PharmCAT", pharmcat.matches, pharmcat.read),  # takes what is left, so it comes last
)
MOST_BYTES = 64 * 2**20
_ZIP = b"PK\x03\x04"


def read(path: Path) -> list[OutsideCall]:
    """The calls of one file, with names cleaned; those of genes that the release has not are kept as they are.

    Raises:
        InputError: for a file that is of no format, and for what a format or the names forbid; with file and line.
    """
    text = _text(path)
    found = next(one for one in FORMATS if one.matches(path, text))
    calls = found.read(path, text)
    if not calls:
        raise InputError(f"holds no call of {found.name}", where=str(path), hint="is the file cut off?")
    return list(_cleaned(path, calls))


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(path)) from error
    if len(data) > MOST_BYTES:
        raise InputError(f"larger than {MOST_BYTES >> 20} MiB: no file of outside calls", where=str(path))
    try:
        text = pypgx.unpacked(path, data) if data.startswith(_ZIP) else data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"not UTF-8 text: byte {error.start} is {data[error.start]:#04x}", where=str(path),
                         hint="outside calls are text; results.zip of PyPGx is read as well") from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _cleaned(path: Path, calls: list[OutsideCall]) -> Iterator[OutsideCall]:
    for call in calls:
        if call.gene not in genes() or call.diplotype is None:
            yield call
            continue
        diplotype, notes = clean(call.gene, call.diplotype, f"{path} line {call.line}")
        changed = notes or diplotype != call.diplotype
        yield replace(call, diplotype=diplotype, note="\n".join(filter(None, [call.note, *notes]))) if changed else call
