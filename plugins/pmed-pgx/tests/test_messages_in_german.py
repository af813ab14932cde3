"""Every message of a gene's result is told in German: those of outside calls too, which few reports have."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

import pmed_pgx
from pmed.render import messages, words
from pmed.render.phrases import said

HERE = Path(pmed_pgx.__file__).parent
READ = (*sorted((HERE / "outside").glob("*.py")), *(HERE / f"{name}.py" for name in ("calls", "copies", "doubts",
                                                                              "evidence")))
#: What may stand in a hole; a text is translated if it is with some of them.
FILLS = ("7", "CYP2D6", "*1/*2", "rs1", "'abc'", "Poor Metabolizer")
#: Parts of messages, which are tested whole below, and what is no message.
PARTS = (
    "\0 diplotypes are possible", "more than one result is possible",
    "is given, and nobody says that the patient is male", "only one allele of \0 \0: the other one is unknown",
    "the phenotype given is \0, that of the score \0 is \0", "the phenotype given is \0, that of \0 is \0",
    "the activity score given is \0, that of \0 is \0", "\0: what is given counts", "absent from the file",
    "\0 is no gene of the release", "nobody here is meant", "Couldn't read result file")
WHOLE = (
    "2 diplotypes are possible: Poor Metabolizer, Normal Metabolizer",
    "3 diplotypes are possible: the phenotype is unknown", "more than one result is possible: the phenotype is unknown",
    "only one allele of TPMT is given: the other one is unknown",
    "only one allele of G6PD is given, and nobody says that the patient is male: the other one is unknown",
    "the phenotype given is Poor Metabolizer, that of the score 1.5 is Normal Metabolizer: what is given counts",
    "the phenotype given is Poor Metabolizer, that of *1/*2 is Normal Metabolizer or Rapid Metabolizer: what is given "
    "counts", "the activity score given is 1, that of *1/*4 is 0.5: what is given counts",
    "HLA-B*57:01 is given as positive, by the alleles it is negative: what is given counts",
    "the genome file says CYP2C19 *1/*1 or *1/*2 or others, the outside call unknown: please find out which is right",
    "CYP2D6 is from outside: Aldy (calls of june.tsv, line 4)", "StellarPGx says: No_call, is of low coverage",
    "rs3918290 is absent from the file: c.1905+1G>A (*2A) cannot be excluded",
    "no pair of named alleles explains the genotypes; variants read: rs1 A>G (heterozygous), rs2 C>T (homozygous); "
    "explained only as [*2 + *5]/*1 or *1/*2",
)


def _text(node: ast.AST) -> str | None:
    """A text of the code with its holes as NUL; None for anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value.replace("{}", "\0").replace("{sites}", "\0")
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "\0" for part in node.values)
    return None


def _told() -> Iterator[str]:
    """Texts of the code that are no names: no docstrings, no patterns, nothing that an error says."""
    for path in READ:
        tree = ast.parse(path.read_text("utf-8"))
        left = {id(one) for node in ast.walk(tree) if isinstance(node, (ast.Raise, ast.JoinedStr))
                for one in ast.walk(node) if one is not node}
        left |= {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            text = None if id(node) in left else _text(node)
            if text and len(text.replace("\0", "").split()) > 2 and not text.startswith("^") and "\\" not in text:
                yield text


def test_the_search_finds_what_there_is() -> None:
    found = set(_told())
    assert len(found) > 40
    assert "the outside call gives no result for \0" in found
    assert "only one allele was read at \0: the other one is unknown" in found
    assert set(PARTS) <= found


@pytest.mark.parametrize("text", sorted({*_told(), *WHOLE} - {*PARTS}))
def test_every_message_has_german(text: str) -> None:
    with messages.speaking("de"):
        shown = ("".join(part for pair in zip(text.split("\0"), (*fill, ""), strict=True) for part in pair)
                 for fill in product(FILLS, repeat=text.count("\0")))
        assert any(not words.told(one).english for one in shown), f"no German for {text!r}"


def test_what_is_yet_to_begin_is_told_in_german() -> None:
    assert said("ordered from 2026-02-01 on: not taken yet", "de", str) == (
        "verordnet ab dem 2026-02-01: noch nicht eingenommen")
