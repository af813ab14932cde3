"""PyPGx: the table of results (Genotype, Phenotype, ...), as ``results.zip`` or printed from it."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from pathlib import Path

from pmed.errors import InputError

from ..knowledge import genes
from .model import OutsideCall, said

TOOL = "PyPGx"
NEEDED = {"Genotype", "Phenotype", "Haplotype1", "Haplotype2"}
GENES, SAMPLES = ("Gene", "Symbol"), ("Sample", "SampleName", "")
MOST_BYTES = 64 * 2**20
# A combined table has a column for the gene; else the archive says it, and `unpacked` writes it above the table.
_GENE_LINE = "#Gene="


def matches(_: Path, text: str) -> bool:
    """By the columns of its header."""
    return set(_header(text)) >= NEEDED


def _header(text: str) -> list[str]:
    lines = [line for line in text.split("\n")[:5] if not line.startswith(_GENE_LINE)]
    return [name.strip() for name in lines[0].split("\t")] if lines else []


def read(path: Path, text: str) -> list[OutsideCall]:
    """One call a sample; phenotypes are PyPGx's own.

    Raises:
        InputError: where neither a column, the archive, metadata.txt nor the name of file or folder tells the gene.
    """
    names, told = _header(text), _told_gene(path, text)
    column = next((names.index(one) for one in GENES if one in names), None)
    if column is None and told is None:
        raise InputError("does not say which gene it is about", where=str(path),
                         hint="use results.zip, keep metadata.txt beside it, or name the file after the gene")
    sample = next((names.index(one) for one in SAMPLES if one in names), 0)
    start = 2 if text.startswith(_GENE_LINE) else 1
    calls = []
    for n, line in enumerate(text.split("\n")[start:], 2):
        row = line.split("\t")
        if line.strip():
            _must_fit(row, names, f"{path} line {n}")
            gene = row[column].strip() if column is not None else told or ""
            calls.append(_call(dict(zip(names, row, strict=True)), gene, said(row[sample]), n))
    return calls


def _must_fit(row: list[str], names: list[str], where: str) -> None:
    if len(row) != len(names):
        raise InputError(f"{len(row)} fields, the header has {len(names)}", where=where, hint="is the file cut off?")


def _call(row: dict[str, str], gene: str, sample: str | None, n: int) -> OutsideCall:
    return OutsideCall(sample, gene, said(row["Genotype"]), said(row["Phenotype"]), None, TOOL, n)


def _told_gene(path: Path, text: str) -> str | None:
    if text.startswith(_GENE_LINE):
        return text.partition("\n")[0].removeprefix(_GENE_LINE)
    beside = path.with_name("metadata.txt")
    if beside.is_file() and (told := _metadata(beside.read_text("utf-8", errors="replace")).get("Gene")):
        return told
    words = re.split(r"[^A-Za-z0-9-]+|-(?=pipeline)", f"{path.parent.name}_{path.stem}")
    found = {word.upper() for word in words} & genes().keys()
    return found.pop() if len(found) == 1 else None


def unpacked(path: Path, data: bytes) -> str:
    """The table in a ``results.zip`` with a line above it that names the gene.

    Raises:
        InputError: where it is damaged, or no archive of results.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            about, table = (_member(archive, name, path) for name in ("metadata.txt", "data.tsv"))
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError,
            zlib.error) as error:
        raise InputError(f"a zip file that cannot be read: {error}", where=str(path)) from error
    metadata = _metadata(about)
    kind, gene = metadata.get("SemanticType", "nothing"), metadata.get("Gene", "")
    if kind != "SampleTable[Results]" or not gene:
        raise InputError(f"a PyPGx archive of {kind}, expected SampleTable[Results]", where=str(path),
                         hint="give results.zip of the pipeline's folder")
    return f"{_GENE_LINE}{gene}\n{table}"


def _metadata(text: str) -> dict[str, str]:
    return dict(re.findall(r"^(\w+)=(.*?)\s*$", text, re.MULTILINE))


def _member(archive: zipfile.ZipFile, name: str, path: Path) -> str:
    found = [one for one in archive.infolist() if one.filename.rsplit("/", 1)[-1] == name]
    if len(found) != 1:
        raise InputError(f"a zip file without one {name}: no archive of PyPGx", where=str(path))
    if found[0].file_size > MOST_BYTES:
        raise InputError(f"{name} in it is larger than {MOST_BYTES >> 20} MiB", where=str(path))
    return archive.read(found[0]).decode("utf-8")
