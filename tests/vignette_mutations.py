"""Takes away, one at a time, each row of knowledge that a vignette uses: some vignette should then tell another story.

``python -m tests.vignette_mutations`` lists the rows whose loss nobody notices. It takes minutes and is no part of the
suite. A vignette uses the guideline row that leads for a drug it expects something of, the checks whose words are in
what is said of it, the modifiers behind a present phenotype, the members of the classes of these checks, and the
allergies on record.
"""

from __future__ import annotations

import shutil
import sys
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from pmed import PmedError
from pmed_pgx import knowledge
from tests.vignettes import View, Vignette, faults, read, view_of, vignettes

HEADS = {"check": "[[check]]", "guideline": "[[group.row]]"}


class Lost(NamedTuple):
    """A row: its file, and the number of its first line and of the one behind its last (from 0)."""

    file: str
    first: int
    behind: int
    name: str


@cache
def data() -> Path:
    """The folder of the embedded release."""
    return Path(str(knowledge.embedded()))


@cache
def blocks(kind: str) -> dict[tuple[str, str], list[Lost]]:
    """(drug, key) → the rows of the TOML files of a kind; a check of a class counts for each member."""
    found: dict[tuple[str, str], list[Lost]] = defaultdict(list)
    for path in sorted(data().glob(f"{kind}-*.toml")):
        lines, made = path.read_text("utf-8").splitlines(), tomllib.loads(path.read_text("utf-8"))
        starts = [number for number, line in enumerate(lines) if line.strip() == HEADS[kind]]
        rows = [(row, row) for row in made["check"]] if kind == "check" else [
            (group, row) for group in made["group"] for row in group["row"]]
        for start, (owner, row) in zip(starts, rows, strict=True):
            behind = next((n for n in range(start + 1, len(lines)) if lines[n].startswith("[")), len(lines))
            for drug in members(owner):
                found[drug, row["key"]].append(Lost(path.name, start, behind, row["key"]))
    return found


def members(owner: dict[str, Any]) -> list[str]:
    """The drugs that a group or a check is about."""
    listed = [row[1] for row in tsv("classes") if row[0] in owner.get("classes", ())]
    return [*owner.get("drugs", ()), *listed]


@cache
def tsv(name: str) -> list[list[str]]:
    return [line.split("\t") for line in (data() / f"{name}.tsv").read_text("utf-8").splitlines()]


def used(one: Vignette, view: View) -> Iterator[Lost]:
    """The rows that a vignette uses."""
    wanted = {row["drug"] for row in one.said.get("expect", ())}
    labels = {row["target"]: row["label"] for row in view["predictions"] if row["predictor"] == "pgx-guidelines"}
    for drug in sorted(wanted):
        yield from blocks("guideline").get((drug, labels.get(drug) or ""), ())
    taken = wanted | {row["drug"] for row in one.said.get("medications", ())}
    for check, rows in spoken(wanted, view):
        yield from rows
        about = {*check.get("classes", ()), *(name.removeprefix("taking:") for name in check["when"])}
        yield from listed("classes", lambda row, about=about: row[0] in about and row[1] in taken)
    causes = {(gene, drug) for gene, row in view["genes"].items() for drug in row["because"]}
    yield from listed("modifiers", lambda row: (row[0], row[1]) in causes)
    allergens = {row["drug"] for row in one.said.get("allergies", ())}
    yield from listed("allergies", lambda row: row[0] in allergens and row[1] in wanted)


def spoken(wanted: set[str], view: View) -> Iterator[tuple[dict[str, Any], list[Lost]]]:
    """Checks whose words are in what is said of one of the drugs, be they the first of a sentence or not."""
    told = {row["drug"]: f"{row['text']} {row['why']}".lower() for row in view["suggestions"] if row["drug"] in wanted}
    for path in sorted(data().glob("check-*.toml")):
        for check in tomllib.loads(path.read_text("utf-8"))["check"]:
            for drug in sorted(set(members(check)) & set(told)):
                words = [check[part].replace("{drug}", drug).rstrip(".").lower() for part in ("text", "because")]
                if all(one in told[drug] for one in words):
                    yield check, [row for row in blocks("check")[drug, check["key"]] if row.file == path.name]


def listed(name: str, fits: Callable[[list[str]], bool]) -> Iterator[Lost]:
    for number, row in enumerate(tsv(name)):
        if fits(row):
            yield Lost(f"{name}.tsv", number, number + 1, " ".join(row[:4]))


def without(lost: Lost, folder: Path) -> None:
    """Make `folder` the release without a row."""
    lines = (data() / lost.file).read_text("utf-8").splitlines(keepends=True)
    (folder / lost.file).write_text("".join(lines[:lost.first] + lines[lost.behind:]), "utf-8")


def forget() -> None:
    """Empty every cache of the plugin, so that its release is read again."""
    for name, module in list(sys.modules.items()):
        if name.startswith("pmed_pgx"):
            for thing in vars(module).values():
                if hasattr(thing, "cache_clear"):
                    thing.cache_clear()


def noticed(lost: Lost, users: list[str], before: dict[str, list[str]]) -> str:
    """How a vignette that uses the row tells its loss: by other faults, or not at all ("")."""
    home = data()
    with TemporaryDirectory() as name:
        folder = Path(shutil.copytree(home, Path(name) / "data"))
        without(lost, folder)
        knowledge.embedded, kept = (lambda: folder), knowledge.embedded  # type: ignore[assignment]
        forget()
        try:
            return next((one for one in users if faults(vignettes()[one], read(vignettes()[one])) != before[one]), "")
        except PmedError as error:  # a release that cannot be read any more
            return str(error)
        finally:
            knowledge.embedded = kept
            forget()


def main(say: Callable[[str], object] = print) -> int:
    """Say the rows whose loss no vignette notices, and how many there are."""
    users: dict[Lost, list[str]] = defaultdict(list)
    for name, one in vignettes().items():
        for lost in used(one, view_of(name)):
            users[lost].append(name)
    before = {name: faults(one, view_of(name)) for name, one in vignettes().items()}
    # Nothing lost is nothing noticed, or none of what follows says anything.
    nothing = Lost("classes.tsv", 1, 1, "nothing")
    assert not noticed(nothing, [next(iter(vignettes()))], before)
    unseen = [lost for lost in sorted(users) if not noticed(lost, list(dict.fromkeys(users[lost])), before)]
    for lost in unseen:
        say(f"{lost.file}, line {lost.first + 1}: {lost.name} ({', '.join(dict.fromkeys(users[lost]))})")
    say(f"{len(unseen)} of {len(users)} rows are not noticed")
    return bool(unseen)


if __name__ == "__main__":
    sys.exit(main())
