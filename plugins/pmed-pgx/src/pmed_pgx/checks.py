"""Checks: what speaks against a drug, or for less of it, besides the genes: rows of ``data/check-*.toml``.

A check holds where all of its ``when`` does: organ function, age, pregnancy, breast-feeding, conditions, other
medicines taken (``taking:<class>`` counts them), allergies, and the present phenotype. One that an unknown input leaves
open says nothing; it may ask for the input where the patient takes the drug. What rests on a medicine that is to begin,
or perhaps taken, is watched for (`foreseen`).
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache, lru_cache
from typing import Any

from pmed import PmedError

from .guidelines import (
    AGE,
    CONCERN,
    DAYS,
    ENDLESS,
    PHENOTYPE,
    SCORE,
    Drug,
    Evidence,
    Known,
    Range,
    Row,
    drugs,
    gene_of,
    link,
    one_of,
    values,
)
from .knowledge import folder, table
from .medicines import ALLERGIES, DOSE, MODIFIERS, TAKING, modified, of_class
from .phenoconversion import BY_SCORE, COMING, DOUBT, PERHAPS, TAKEN, Ability, Acting, parsed, present
from .rule_files import loads

OWN_DOSE = "daily-dose"
LATER = "later:"  # before an input: as it is once the medicines that are to begin, or perhaps taken, are taken
SOME = Range(1, ENDLESS)
_ALLERGIC = "allergic:"
_ACTIONS = tuple(name for name in CONCERN if name != "standard")


@cache
def checks() -> Mapping[str, tuple[Row, ...]]:
    """Drug → its checks, in the order of the files."""
    paths = [path for path in folder().iterdir() if path.name.startswith("check-")]
    found: dict[str, list[Row]] = {}
    for path in sorted(paths, key=lambda path: path.name):
        for drug, row in parse(path.read_text("utf-8"), path.name):
            found.setdefault(drug, []).append(row)
    return {drug: tuple(rows) for drug, rows in found.items()}


def parse(text: str, where: str = "check") -> list[tuple[str, Row]]:
    """The checks of one file, one for each drug that they are about.

    Raises:
        PmedError: where the file is not TOML, a field is missing or a value is not one of those it may have.
    """
    try:
        made = loads(text)
        return [row for one in made["check"] for row in _rows(one, f"{where}, {one.get('key')}")]
    except tomllib.TOMLDecodeError as error:
        raise PmedError(f"not TOML: {error}", where=where) from error
    except KeyError as error:
        raise PmedError(f"{error} is missing", where=where) from error


def _drugs(one: Mapping[str, Any]) -> list[str]:
    members = [drug for name in one.get("classes", ()) for drug in sorted(of_class(name))]
    return list(dict.fromkeys([*one.get("drugs", ()), *members]))


def _rows(one: Mapping[str, Any], where: str) -> Iterator[tuple[str, Row]]:
    """A check for each of its drugs, which share what does not name them."""
    one_of(one["action"], _ACTIONS, where)
    when, evidence = {name: values(wanted) for name, wanted in one["when"].items()}, _evidence(one)
    of_drug = not when.keys().isdisjoint((OWN_DOSE, DAYS))
    for drug in _drugs(one):
        mine = {_named(name, drug): wanted for name, wanted in when.items()} if of_drug else when
        text, because = (one[name].replace("{drug}", drug) for name in ("text", "because"))
        yield drug, Row(one["key"], mine, one["action"], one["strength"], text, because, one.get("dose_factor"), "",
                        evidence=evidence, ask=one.get("ask", False), today=one.get("today", False),
                        overlap=one.get("overlap", False))


def _named(name: str, drug: str) -> str:
    return {OWN_DOSE: f"{DOSE}{drug}", DAYS: f"{DAYS}:{drug}"}.get(name, name)


def _evidence(one: Mapping[str, Any]) -> Evidence:
    cited = one["citation"]
    return {"source": one["source"], "level": "", "citation": cited, "url": link(cited)}


@cache
def allergy_rows(drug: str) -> tuple[Row, ...]:
    """What allergies speak against a drug: its own, and those of table ``allergies``."""
    recorded = {"source": "Patient record", "level": "", "citation": "allergy on record", "url": ""}
    own = Row(f"allergy to {drug}", {f"{_ALLERGIC}{drug}": [SOME]}, "avoid", "strong",
              f"Do not give {drug}: an allergy or intolerance to it is on record.",
              "an allergy or intolerance to it is on record", None, "", evidence=recorded)
    return (own, *(_crossed(drug, row) for row in _allergens().get(drug, ()) if row["allergen"] != drug))


@cache
def _allergens() -> Mapping[str, list[Mapping[str, str]]]:
    """Drug → the rows of table ``allergies`` that are about it or its class."""
    found: dict[str, list[Mapping[str, str]]] = {}
    for row in table("allergies").iter_rows(named=True):
        for drug in of_class(row["drug_or_class"]):
            found.setdefault(drug, []).append(row)
    return found


def _crossed(drug: str, row: Mapping[str, str]) -> Row:
    """What an allergy to something like the drug means for it."""
    out, allergen = row["severity"] == "ruled-out", row["allergen"]
    said = f"Do not give {drug}" if out else f"Give {drug} with care only"
    text = f"{said}: an allergy to {allergen.replace('-', ' ')} is on record."
    return Row(f"allergy to {allergen}", {f"{_ALLERGIC}{allergen}": [SOME]}, "avoid" if out else "monitor",
               "strong" if out else "optional", text, row["reason"].rstrip("."), None, "", evidence=_evidence(row))


@cache
def covered() -> Mapping[str, Drug]:
    """Every drug that guideline rows, checks, allergies, classes, alternatives or substitutes name, with its checks.

    Of some, penicillins among them, only an allergy says anything.
    """
    known = drugs()
    named = {*known, *checks(), *_allergens(), *table("classes")["drug"], *table("substitutes")["drug"],
             *(one.drug for drug in known.values() for one in drug.alternatives)}
    blank = Drug("", "", {}, (), (), (), "", "", "")
    return {name: replace(known.get(name, replace(blank, name=name)),
                          checks=(*checks().get(name, ()), *allergy_rows(name))) for name in sorted(named)}


@lru_cache(maxsize=4096)
def reads(drug: Drug) -> tuple[str, ...]:
    """Every feature that a drug's rows and checks depend on."""
    asked = dict.fromkeys(ALLERGIES if is_allergy(name) else name for row in drug.checks for name in row.when)
    genes = genes_of(drug)
    scores = [f"{SCORE}{gene}" for gene in genes if gene in BY_SCORE]
    acting = [f"{MODIFIERS}{gene}" for gene in genes if gene in modified()]
    return tuple(dict.fromkeys((*drug.inputs, *scores, *asked, *acting)))


@cache
def weighing() -> frozenset[str]:
    """Drugs of which rows or checks ask what else is taken."""
    return frozenset(name for name, drug in covered().items()
                     if any(one.startswith((TAKING, MODIFIERS)) for one in reads(drug)))


@lru_cache(maxsize=4096)
def genes_of(drug: Drug) -> tuple[str, ...]:
    """Genes whose phenotype or activity score the rows or checks read."""
    names = [*drug.reference, *(name.removeprefix(LATER) for row in drug.checks for name in row.when)]
    return tuple(dict.fromkeys(gene_of(name) for name in names if name.startswith((PHENOTYPE, SCORE))))


def acting_on(drug: Drug, gene: str, known: Known) -> tuple[Acting, ...]:
    """The other medicines that act on a gene's product; a drug's own effect is part of its guideline."""
    return tuple(one for one in parsed(known.get(f"{MODIFIERS}{gene}")) if one.drug != drug.name)


def seen(drug: Drug, known: Known) -> dict[str, Any]:
    """What rows and checks look at: the inputs with present phenotypes, and how many drugs and allergies there are."""
    now, later = _looked_at(drug)
    found = _seen(drug, now, known)
    if not later:
        return found
    return {**found, **{f"{LATER}{name}": value for name, value in _seen(drug, later, taken_all(known)).items()}}


def _seen(drug: Drug, names: tuple[str, ...], known: Known) -> dict[str, Any]:
    found = {name: known.get(name) for name in names}
    for gene in genes_of(drug):
        acting = acting_on(drug, gene, known)
        if not acting:
            continue
        now = present(gene, Ability(known.get(f"{PHENOTYPE}{gene}"), known.get(f"{SCORE}{gene}")), acting)
        here = {f"{PHENOTYPE}{gene}": now.phenotype, f"{SCORE}{gene}": now.score}
        found.update({name: value for name, value in here.items() if name in found})
    for name in _lists(names):
        listed = listing(name, known, drug.name)
        found[name] = None if listed is None else len(listed)
    return found


@lru_cache(maxsize=4096)
def _lists(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in names if is_list(name))


@lru_cache(maxsize=4096)
def _looked_at(drug: Drug) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What the rows and checks look at: as it is now, and as it is `LATER`."""
    names = dict.fromkeys((*drug.inputs, *(name for row in drug.checks for name in row.when)))
    return (tuple(name for name in names if not name.startswith(LATER)),
            tuple(name.removeprefix(LATER) for name in names if name.startswith(LATER)))


def listing(name: str, known: Known, drug: str) -> list[str] | None:
    """The other drugs of a class that are taken, or the allergens on record that a name stands for; None if unknown.

    Those that are to begin or perhaps taken count for what is `LATER` only.
    """
    text = known.get(ALLERGIES if is_allergy(name) else name.removeprefix(LATER))
    if not text:  # mostly nothing
        return None if text is None else []
    if name.startswith(LATER):
        text = _all_taken(text)
    names = [one for one in text.split(";") if one and DOUBT not in one]
    if is_allergy(name):
        # A record may name the class itself: "penicillins".
        allergen = name.removeprefix(_ALLERGIC)
        return [one for one in names if one == allergen or one in of_class(allergen)]
    return [one for one in names if one != drug]


def is_allergy(name: str) -> bool:
    """Whether a condition is about allergies."""
    return name.startswith(_ALLERGIC)


def is_list(name: str) -> bool:
    """Whether a condition counts drugs or allergens."""
    return name.removeprefix(LATER).startswith((TAKING, _ALLERGIC))


def doubtful(given: Known) -> dict[str, str]:
    """The medicines that are to begin or perhaps taken, with their state.

    One that is taken, but perhaps at a dose too low to act, is none of them.
    """
    found = {}
    for name, value in given.items():
        if name.startswith((TAKING, MODIFIERS)) and value and DOUBT in value:
            entries = [entry.split(DOUBT) for entry in value.split(";")]
            found.update({one[0]: one[-1] for one in entries if one[-1] in (
                (PERHAPS, COMING) if name.startswith(TAKING) else (COMING,))})
    return found


def taken_all(given: Known) -> dict[str, Any]:
    """The inputs once those medicines are taken; by what is perhaps taken, a phenotype has several values anyway."""
    return {name: _all_taken(value) if value and name.startswith(TAKING) else
            value.replace(f"{DOUBT}{COMING}", f"{DOUBT}{TAKEN}") if value and name.startswith(MODIFIERS) else value
            for name, value in given.items()}


def _all_taken(text: str) -> str:
    return ";".join(entry.partition(DOUBT)[0] for entry in text.split(";"))


@lru_cache(maxsize=4096)
def foreseen(drug: Drug, row: Row, names: tuple[str, ...], *, ordered: bool) -> Row:
    """A row or check that holds once the medicines of those names are taken: until then it is watched for."""
    when = {f"{LATER}{name}" if name.startswith((TAKING, PHENOTYPE, SCORE)) else name: wanted
            for name, wanted in row.when.items()}
    who = " and ".join(names)
    once = f"{'once' if ordered else 'if'} {who} is taken: "
    text, because = f"{once[:1].upper()}{once[1:]}{row.text}", f"{once}{row.because}"
    return replace(row, when=when, action="monitor", text=text, because=because, dose_factor=None, expected="",
                   ages=None, indication="", evidence=row.evidence or drug.evidence[0], ask=False)


# The reference patient, where it is not one of whom nothing is on record.
REFERENCE: Known = {AGE: 40.0, "weight": 75.0, "egfr": 100.0, "creatinine-clearance": 100.0, "child-pugh": 5.0,
                    "pregnant": False, "breastfeeding": False, "egfr-trend": 0.0}
