"""A section of the HTML report: how complete this patient's record is, so that a reader knows what advice rests on."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import ClassVar

import polars as pl

from pmed import Tables, hookimpl, option

#: Table → what it is called here, and the column that a pharmacist looks for.
PARTS = {"medications": ("Medicines", "ingredients"), "conditions": ("Conditions", "code"),
         "observations": ("Measurements", "value"), "allergies": ("Allergies", "code")}


@dataclass(frozen=True)
class ReadingGuide:
    """How much is on record, how much of it could be read, and how old the latest entry is."""

    name: ClassVar[str] = "reading-guide"
    title: ClassVar[str] = "What this report rests on"
    needs: ClassVar[tuple[str, ...]] = ("patients", *PARTS)
    style: ClassVar[str] = "td { padding-inline-end: 1.5em } .old { color: var(--avoid); font-weight: 650 }"
    old: int = option(365, doc="Days after which the latest entry is marked as old.", unit="d", low=1, high=3650)

    def render(self, tables: Tables, patient_id: str) -> str | None:
        """A table of four lines; None for a patient without a record."""
        if tables["patients"].is_empty():
            return None
        day = tables["patients"]["index_date"][0]
        rows = "".join(self._row(tables[name], *about, day) for name, about in PARTS.items())
        head = "".join(f"<th scope='col'>{word}</th>" for word in ("", "entries", "not readable", "latest"))
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"

    def _row(self, table: pl.DataFrame, title: str, column: str, day: object) -> str:
        unread = table[column].null_count()
        names = ", ".join(sorted(set(table.filter(pl.col(column).is_null())["display"].drop_nulls()))[:3])
        # Names are the record's own words: whatever stands in them must stay text.
        said = f"{unread} ({escape(names)})" if names else str(unread)
        return (f"<tr><th scope='row'>{title}</th><td>{table.height or 'none on record'}</td><td>{said}</td>"
                f"{self._latest(table, day)}</tr>")

    def _latest(self, table: pl.DataFrame, day: object) -> str:
        latest = table["start"].max()
        if latest is None or day is None:
            return "<td>unknown</td>"
        age = (day - latest).days
        return f"<td class='old'>{latest}, {age} days ago</td>" if age > self.old else f"<td>{latest}</td>"


@hookimpl
def register_sections() -> list[type[ReadingGuide]]:
    """The section."""
    return [ReadingGuide]
