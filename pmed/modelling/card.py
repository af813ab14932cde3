"""Model cards: what was learned from whom, how good it is, and where it does not hold; as JSON and as markdown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class ModelCard:
    """What a reader must know before trusting a learned model (after Mitchell 2019, arXiv:1810.03993).

    Attributes:
        name: The model's name.
        version: Its version.
        summary: One sentence.
        intended_use: For what, and for what not.
        outcome: What is predicted, with its unit.
        data: Where the training rows come from.
        licence: Of the data.
        n: Training rows.
        patients: Training patients.
        dates: When they were collected.
        seed: Of all random choices.
        method: How it was trained and judged.
        metrics: Name of an evaluation → its metrics; the name says on which rows.
        limits: Where it does not hold.
        references: PMIDs, DOIs.
        made_with: Library → version.
        warnings: Subgroups that are much worse.
    """

    name: str
    version: str
    summary: str
    intended_use: str
    outcome: str
    data: str
    licence: str
    n: int
    patients: int
    dates: str
    seed: int
    method: str
    metrics: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    limits: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    made_with: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)

    @property
    def facts(self) -> list[tuple[str, str]]:
        """What is said in a line each: name and text."""
        every = [("Outcome", self.outcome), ("Intended use", self.intended_use), ("Data", self.data),
                 ("Licence of the data", self.licence), ("Rows", f"{self.n:,} of {self.patients:,} patients"),
                 ("Collected", self.dates), ("Method", self.method), ("Seed", str(self.seed)),
                 ("Made with", ", ".join(f"{name} {version}" for name, version in self.made_with.items())),
                 ("References", ", ".join(self.references))]
        return [(name, text) for name, text in every if text]

    def to_markdown(self) -> str:
        """As text for people."""
        parts = [f"# {self.name} {self.version}", self.summary,
                 "\n".join(f"- **{name}:** {text}" for name, text in self.facts)]
        parts += [f"## {name[:1].upper()}{name[1:]}\n\n{_table(values)}" for name, values in self.metrics.items()]
        parts += [_bullets("Warnings", self.warnings), _bullets("Limits", self.limits)]
        return "\n\n".join(filter(None, parts)) + "\n"

    def _repr_html_(self) -> str:
        from ..notebook import display

        return display.model_card(self)


def card_from(plain: Mapping[str, Any]) -> ModelCard:
    """The card that `to_json` wrote."""
    lists = {name: tuple(plain[name]) for name in ("limits", "references", "warnings")}
    return ModelCard(**{**plain, **lists})


def _bullets(title: str, lines: tuple[str, ...]) -> str:
    return f"## {title}\n\n" + "\n".join(f"- {line}" for line in lines) if lines else ""


def _table(values: Mapping[str, Any]) -> str:
    """Numbers as rows, with their interval beside them; lists of objects as tables of their own."""
    rows = [f"| {' | '.join(map(_escaped, row))} |" for row in numbers(values)]
    parts = ["| metric | value | 95 % |\n|---|---|---|\n" + "\n".join(rows)] if rows else []
    parts += [_grid(*one) for one in grids(values)]
    return "\n\n".join(parts)


def numbers(values: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """The single metrics of an evaluation as text: name, value, 95 % interval or ""."""
    ci = values.get("ci", {})
    return [(name, shown(value), _interval(ci.get(name))) for name, value in values.items()
            if isinstance(value, int | float | str)]


def grids(values: Mapping[str, Any]) -> list[tuple[str, list[str], list[list[str]]]]:
    """The tables within an evaluation, such as of subgroups, as text: title, names of the columns, rows."""
    found = []
    for title, rows in values.items():
        if isinstance(rows, list | tuple) and rows and isinstance(rows[0], Mapping):
            names = list(dict.fromkeys(name for row in rows for name in row))
            found.append((title.replace("_", " "), names, [[shown(row.get(name, "")) for name in names]
                                                           for row in rows]))
    return found


def _grid(title: str, names: list[str], rows: list[list[str]]) -> str:
    head = f"| {' | '.join(names)} |\n|{'---|' * len(names)}"
    body = "\n".join(f"| {' | '.join(map(_escaped, row))} |" for row in rows)
    return f"**{title}**\n\n{head}\n{body}"


def shown(value: Any) -> str:
    """A metric as text."""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        return _interval(value)
    return f"{value:,}" if isinstance(value, int) else str(value)


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")


def _interval(value: Any) -> str:
    return f"{value[0]:.4g} to {value[1]:.4g}" if value and len(value) == 2 else ""
