"""What reading finds wrong is told in German too: every text that the code gives a warning or an error."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from pmed.render import messages, words

#: What may stand in a hole of an f-string; a text is translated if it is with some of them.
FILLS = ("7", "GT", "sex", "dose", "a number", "the resource", "Expected `str`, got `int`", "it has no value",
         "concept_id is 0", "neither yes nor no", " (3 lines; the first is named)", "another file says otherwise",
         "positions do not ascend", "it may be a part of the longer change")
#: Where the severity is not in the call, or is not one that a report shows.
MAKERS = {"Fault", "_issue"}
SEVERITIES = {"warning", "error"}
#: Texts that are put together of several parts, as they come out.
WHOLE = (
    "chr7 comes in more than one piece: the file is not sorted; it was read all the same",
    "positions do not ascend: the file is not sorted; it was read all the same",
    "AG at rs4149056: A and T are known there: it looks like the other strand; it was not called",
    "AG at rs4149056, rs2306283: another kind of change is known there; it was not called",
    "-- at rs4149056: another number of copies is expected there; it was not called",
    "weight 900 kg: outside 1 to 700 kg, not used",
    "weight 900 (no unit): outside 1 to 700 kg, not used",
    "and in 12 more places",
    "REF C is not the T known at rs4149056: the record was not used there",
    "FORMAT 'GT:D P' has the key 'D P'",
    "it does not say about whom it is; the resource was left out",
    "a number written as text; it is used as the number it plainly is",
    "text where a number belongs; the value stays unknown",
    "how often it is taken differs between the fields and the text of the directions; it stays unknown",
    "the dose differs between the fields and the text of the directions; it stays unknown",
    "the text of the directions says as needed, fields say how often; how much a day stays unknown",
    "the text or the name speaks of weeks, but it would be taken daily; how much a day stays unknown",
)


def _text(node: ast.expr) -> str | None:
    """A text of the code with its holes as NUL; None for anything else."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "\0" for part in node.values)
    return None


def _told() -> Iterator[str]:
    """Texts of warnings and errors for the `issues` table."""
    root = Path(__file__).parents[1]
    for path in sorted([*root.glob("pmed/sources/*.py"), *root.glob("pmed/stages/*.py"),
                        *root.glob("pmed/genomics/*.py")]):
        for call in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(call, ast.Call):
                continue
            texts = [text for one in call.args if (text := _text(one))]
            named = call.func.id if isinstance(call.func, ast.Name) else ""
            if SEVERITIES & set(texts) or (named in MAKERS and "info" not in texts):
                yield from (text for text in texts if " " in text.strip("\0"))


def test_the_search_finds_what_there_is() -> None:
    found = set(_told())
    assert len(found) > 70
    assert {"no patient; the row was left out", "\0; the file was left out"} <= found


@pytest.mark.parametrize("text", sorted({*_told(), *WHOLE}))
def test_every_warning_and_error_of_reading_is_told_in_german(text: str) -> None:
    holes = text.count("\0")
    with messages.speaking("de"):
        shown = ["".join(part for pair in zip(text.split("\0"), (*fill, ""), strict=True) for part in pair)
                 for fill in product(FILLS, repeat=holes)]
        assert any(not words.told(one).english for one in shown), f"no German for {text!r}"


def test_what_a_library_says_stays_as_it_is_in_a_german_sentence() -> None:
    with messages.speaking("de"):
        told = words.told("Expected `str`, got `int`; the resource was left out")
    assert (told.text, told.english) == ("Expected `str`, got `int`; die Ressource wurde weggelassen", False)
