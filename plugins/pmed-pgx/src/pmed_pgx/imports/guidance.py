"""``prescribing_guidance.json`` as published with PharmCAT: other publishers' sentences, for the user's own folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pmed.errors import InputError

from .pharmcat import load
from .schema import Row

NAME = "prescribing_guidance.json"


def guidance_rows(folder: Path) -> list[Row]:
    """One row a drug and recommendation; none where the folder holds no such file.

    Raises:
        InputError: where the file is not of that form.
    """
    path = next(iter(sorted(folder.rglob(NAME))), None)
    if path is None:
        return []
    try:
        rows = {row for package in load(path)["guidelines"] for row in _package(package)}
        return sorted(rows, key=lambda row: str(row[:4]))
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(f"not PharmCAT's prescribing guidance: {type(error).__name__} {error}",
                         where=str(path)) from error


def _package(package: Mapping[str, Any]) -> Iterator[Row]:
    about = package["guideline"]
    cited = ", ".join(f"PMID {one['pmid']}" for one in package.get("citations") or () if one.get("pmid"))
    for one in package.get("recommendations") or package.get("annotationGroups") or ():
        keys = one.get("lookupKey") or {}
        for drug in one.get("relatedChemicals") or about["relatedChemicals"]:
            yield (_plain(drug["name"]), _plain(about["source"]), _keys(keys), _plain(one.get("population")) or None,
                   _plain((one.get("classification") or {}).get("term")) or None,
                   _plain((one.get("text") or {}).get("html")) or "no text", cited or str(about["url"]))


def _keys(keys: Mapping[str, Any]) -> str:
    """``CYP2D6=Poor Metabolizer; …``; an allele count is written as pairs (``{"*1": 2}`` → ``*1/*1``)."""
    said = {gene: "/".join(name for name, n in key.items() for _ in range(int(n))) if isinstance(key, dict)
            else str(key) for gene, key in keys.items()}
    return "; ".join(f"{gene}={key}" for gene, key in sorted(said.items())) or "any"


def _plain(text: object) -> str:
    """One line without markup, tabs and line ends."""
    words, inside = [], False
    for letter in str(text or ""):
        inside = letter == "<" or (inside and letter != ">")
        words.append(" " if inside or letter == ">" else letter)
    return " ".join("".join(words).split())
