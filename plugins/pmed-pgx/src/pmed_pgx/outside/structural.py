"""Copies, tandems and deletions of a gene: what one chromosome carries, and the activity score of two of them.

By CPIC's rules (PMID 31647186) the values of all copies on both chromosomes add up: ``*1x2`` is twice ``*1``,
``*36+*10`` the sum of both, ``*5`` (no gene) nothing. Where the number of copies is open (``*1xN``: two or more) so is
the score, from the least possible one; a phenotype is given where every possible score has the same.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product

from .. import phenotype
from ..knowledge import Gene, genes, natural, table
from .names import resolve
from .names import split as split_at

Interval = tuple[float, float]
NO_COPIES, INDETERMINATE = "No function", "Indeterminate"
_TIMES = re.compile(r"(?P<allele>.*\S)\s*[x×](?P<open>≥|>=)?(?P<number>[0-9]{1,3}|[nN])")
_DOUBLE = 2


@dataclass(frozen=True)
class Copies:
    """An allele `least` to `most` times in a row; `most` is infinite where the number is open."""

    allele: str
    least: int = 1
    most: float = 1


Haplotype = tuple[Copies, ...]


def split(diplotype: str) -> tuple[str, ...]:
    """The texts of the one or two chromosomes.

    >>> split("*1/[*36 + *10]x2")
    ('*1', '[*36 + *10]x2')
    """
    return tuple(split_at(diplotype, "/"))


@cache
def haplotypes(gene: str, text: str) -> tuple[Haplotype, ...]:
    """What one chromosome carries, by today's names; several where an older name was split, none where one is unknown.

    >>> haplotypes("CYP2D6", "*36+*10x2")
    ((Copies(allele='*36', least=1, most=1), Copies(allele='*10', least=2, most=2)),)
    """
    if whole := resolve(gene, text) or resolve(gene, _joined(text)):
        return tuple((Copies(one),) for one in whole)
    parts = [_part(gene, part) for part in _tandem(gene, text)]
    return tuple(tuple(one for part in chosen for one in part) for chosen in product(*parts)) if all(parts) else ()


def unknown(gene: str, text: str) -> list[str]:
    """The names on one chromosome that the release does not know.

    >>> unknown("CYP2D6", "[*1 + *999]x2")
    ['*999']
    """
    if haplotypes(gene, text):
        return []
    parts = _tandem(gene, text)
    if len(parts) > 1:
        return [name for part in parts for name in unknown(gene, part)]
    inner = _unbracketed(text)
    if inner is None:
        times = _TIMES.fullmatch(text)
        inner = times["allele"] if times else None
    return (unknown(gene, inner) if inner else []) or [text]


def renamed(gene: str, text: str) -> tuple[str, ...]:
    """What one chromosome's single allele is called today, where that is not what is written.

    >>> renamed("SLCO1B1", "*1B"), renamed("UGT1A1", "[*80 + *28]"), renamed("CYP2D6", "*4x2")
    (('*37',), ('*80+*28',), ())
    """
    now = resolve(gene, text) or resolve(gene, _joined(text))
    return () if text in now else now


def _tandem(gene: str, text: str) -> list[str]:
    """Parts in a row; in genes whose names hold a plus of their own it needs a blank on either side."""
    starred = gene.startswith(("CYP", "UGT", "TPMT", "NUDT", "NAT", "SLCO"))
    return split_at(text, "+") if starred else [part.strip() for part in _plus(text)]


def _plus(text: str) -> list[str]:
    return split_at(text.replace(" + ", "\0"), "\0")


def _joined(text: str) -> str:
    """``[*80 + *28]`` as the published name ``*80+*28`` has it."""
    return "+".join(split_at(_unbracketed(text) or text, "+"))


def _unbracketed(text: str) -> str | None:
    inner = text[1:-1].strip()
    return inner if text[:1] == "[" and text[-1:] == "]" and "[" not in inner and inner else None


def _part(gene: str, text: str) -> tuple[Haplotype, ...]:
    if names := resolve(gene, text):
        return tuple((Copies(name),) for name in names)
    if inner := _unbracketed(text):
        return haplotypes(gene, inner)
    times = _TIMES.fullmatch(text)
    if not times or (times["number"].isdigit() and int(times["number"]) == 0):
        return ()
    least = int(times["number"]) if times["number"].isdigit() else _DOUBLE
    opened = bool(times["open"]) or not times["number"].isdigit()
    return tuple(tuple(_repeated(one, least, opened=opened) for one in found)
                 for found in haplotypes(gene, _unbracketed(times["allele"]) or times["allele"]))


def _repeated(one: Copies, times: int, *, opened: bool) -> Copies:
    return Copies(one.allele, one.least * times, math.inf if opened else one.most * times)


def label(gene: str, haplotype: Haplotype) -> str:
    """One chromosome as the published tables name it.

    >>> [label("CYP2D6", haplotypes("CYP2D6", text)[0]) for text in ("*1x7", "*41x7", "*36+*10x2", "*10xN")]
    ['*1x≥3', '*41x7', '*36 + *10x2', '*10xN']
    """
    return " + ".join(_copies_label(gene, one) for one in haplotype)


def _copies_label(gene: str, one: Copies) -> str:
    least, name = _published_copies().get((gene, one.allele), (math.inf, ""))
    if one.least >= least:
        return name
    if one.most == math.inf:
        return f"{one.allele}xN" if one.least == _DOUBLE else f"{one.allele}x≥{one.least}"
    return one.allele if one.least == 1 else f"{one.allele}x{one.least}"


@cache
def _published_copies() -> dict[tuple[str, str], tuple[int, str]]:
    rows = table("copies").select("gene", "allele", "least", "name").iter_rows()
    return {(gene, allele): (int(least), name) for gene, allele, least, name in rows}


def activity(gene: Gene, haplotype: Haplotype) -> Interval | None:
    """Least and greatest activity value of one chromosome; None where an allele has none.

    >>> from pmed_pgx.knowledge import genes
    >>> activity(genes()["CYP2D6"], haplotypes("CYP2D6", "*1xN")[0])
    (2.0, inf)
    """
    values = [(gene.activities.get(one.allele), one) for one in haplotype]
    if not haplotype or any(value is None for value, _ in values):
        return None
    low = math.fsum(value * one.least for value, one in values if value)
    return low, math.fsum(value * one.most for value, one in values if value)


def function(gene: Gene, haplotype: Haplotype) -> str | None:
    """Function of one chromosome: the allele's own, that of the activity value, or none where all parts have none."""
    if len(haplotype) == 1 and haplotype[0].least == haplotype[0].most == 1:
        return gene.functions.get(haplotype[0].allele)
    value = activity(gene, haplotype)
    if value:
        low, high = map(_function_of, value)
        return low if low == high else None
    parts = {gene.functions.get(one.allele) for one in haplotype}
    return NO_COPIES if parts == {NO_COPIES} else None


def _function_of(value: float) -> str:
    if value == 0:
        return NO_COPIES
    return "Decreased function" if value < 1 else "Normal function" if value == 1 else "Increased function"


def possible(gene: Gene, pair: Sequence[Haplotype]) -> tuple[list[str], float | None]:
    """Every phenotype that two chromosomes (or the one of a haploid gene) may have, and the score if it is one number.

    The list is empty where it cannot be told.
    """
    plain = [one[0].allele for one in pair if len(one) == 1 and one[0].least == one[0].most == 1]
    if len(plain) == len(pair):
        found, score = phenotype.phenotype(gene, tuple(plain))
        return ([found] if found else []), score
    if gene.by != "activity":
        return _by_function(gene, pair), None
    values = [activity(gene, one) for one in pair]
    if None in values or len(values) != _DOUBLE:
        known = all(gene.functions.get(part.allele) for one in pair for part in one)
        return ([INDETERMINATE] if known and len(pair) == _DOUBLE else []), None
    low, high = (math.fsum(value[end] for value in values if value) for end in (0, 1))
    return phenotypes(gene.name, low, high), low if low == high else None


def _by_function(gene: Gene, pair: Sequence[Haplotype]) -> list[str]:
    functions = [function(gene, one) for one in pair]
    first, second = sorted(one or "" for one in functions) if len(functions) == _DOUBLE else ("", "")
    found = gene.rules.get((first, second)) if all(functions) else None
    return [found[0]] if found else []


def phenotypes(gene: str, low: float, high: float | None = None) -> list[str]:
    """The phenotypes of the scores from `low` to `high` (of `low` alone without it); empty where none is published.

    >>> phenotypes("CYP2D6", 1.25), phenotypes("CYP2D6", 1.5, float("inf")), phenotypes("CYP2C9", 3.0)
    (['Normal Metabolizer'], ['Normal Metabolizer', 'Ultrarapid Metabolizer'], [])
    """
    most = low if high is None else high
    return [name for name, least, above in _limits().get(gene, ()) if
            (low <= least <= most if least == above else most >= least and low < above)]


@cache
def _limits() -> dict[str, list[tuple[str, float, float]]]:
    found: dict[str, list[tuple[str, float, float]]] = {}
    for gene, name, low, high in table("scores").select("gene", "phenotype", "low", "high").iter_rows():
        found.setdefault(gene, []).append((name, float(low), math.inf if high is None else float(high)))
    return found


def known_phenotypes(gene: Gene) -> list[str]:
    """Every phenotype that the gene's rules or the limits of its score lead to."""
    named = [name for name, _ in gene.rules.values()] + [name for name, _, _ in _limits().get(gene.name, ())]
    return list(dict.fromkeys(named))


def score(gene: str, diplotype: str) -> tuple[float | None, str | None]:
    """Activity score and phenotype of a diplotype; None where it is not one number, or not one phenotype.

    >>> score("CYP2D6", "*1x2/*4"), score("CYP2D6", "*1/*2xN"), score("CYP2D6", "*1/*10xN"), score("CYP2D6", "*1/*999")
    ((2.0, 'Normal Metabolizer'), (None, 'Ultrarapid Metabolizer'), (None, None), (None, None))
    """
    strands = [haplotypes(gene, text) for text in split(diplotype)]
    made = [possible(genes()[gene], pair) for pair in product(*strands)]
    names, scores = {tuple(found) for found, _ in made}, {number for _, number in made}
    one = names.pop() if len(names) == 1 else ()
    return scores.pop() if len(scores) == 1 else None, one[0] if len(one) == 1 else None


def ordered(labels: Sequence[str]) -> str:
    """A diplotype with its alleles in natural order, ``Reference`` first."""
    return "/".join(sorted(labels, key=natural))
