"""Rows of many patients that are alike in all that advice looks at: what is said of one is said of all of them.

A cohort has some hundred thousand rows of patients and drugs, and some thousand kinds of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache

import numpy as np
import polars as pl

from .alternatives import looked_at, offered_to
from .cases import Cases, Ints, distinct, numbered
from .checks import covered
from .reasons import genes_looked_at


def alike(rows: pl.DataFrame, cases: Cases, told: pl.DataFrame, found: pl.DataFrame,
          apart: Iterable[pl.DataFrame]) -> tuple[Ints, Ints]:
    """For each row the number of its kind, and for each kind its first row.

    Args:
        rows: case, number (of the patient) and reason of each patient and drug; the rest is as the case has it.
        cases: Of all patients and drugs.
        told: The results of genes in words (`reasons.today`).
        found: patient_id, finding, words of what is on record.
        apart: Frames with patient_id and drug, of which each has something of its own: a kind by itself.
    """
    case, number = (rows[name].to_numpy() for name in ("case", "number"))
    place, own = cases.places[case], cases.within(rows, *apart)
    kinds, first = distinct([case, _codes(rows["reason"]), *_of_genes(place, number, cases, told),
                             _of_others(case, place, number, cases, found)], rows.height)
    kinds[own] = len(first) + np.arange(np.count_nonzero(own))
    return distinct([kinds], rows.height)


def _codes(texts: pl.Series) -> Ints:
    """A number for each distinct text, 0 for null."""
    known = pl.Enum(texts.drop_nulls().unique())
    codes = texts.cast(known).to_physical().cast(pl.Int64) + 1
    return codes.fill_null(0).to_numpy()


def _table(rows: pl.DataFrame, name: str, codes: Ints, names: Sequence[str], cases: Cases) -> Ints:
    """``[patient, name]``: the code of its row, 0 where there is none; the last column stands for no name."""
    made = np.zeros((len(cases.patients), len(names) + 1), dtype=np.int64)
    number, place = numbered(rows["patient_id"], cases.patients.to_list()), numbered(rows[name], names)
    known = (number >= 0) & (place >= 0)
    made[number[known], place[known]] = codes[known]
    return made


def _of_genes(place: Ints, number: Ints, cases: Cases, told: pl.DataFrame) -> list[Ints]:
    """Codes of what is told of the genes that each row's drug looks at."""
    genes, of = _genes()
    texts = [told[name] if name != "causes" else told[name].list.join(";") for name in told.columns
             if name not in {"patient_id", "gene"}]
    codes, _ = distinct([_codes(one) for one in texts], told.height)
    table = _table(told, "gene", codes + 1, genes, cases)
    return [table[number, column] for column in of[place].T]


def _of_others(case: Ints, place: Ints, number: Ints, cases: Cases, found: pl.DataFrame) -> Ints:
    """Codes of the cases of what may be offered instead of each row's drug, and of the findings that rule it out."""
    asks = np.array([offered_to(one) for one in cases.outcomes])[case]
    place, number = place[asks], number[asks]
    findings, others, ruled_out_by = _offers()
    table = _table(found, "finding", _codes(found["words"]), findings, cases)
    own = np.pad(cases.of - cases.of.min(axis=0), ((0, 0), (0, 1)))
    made = np.zeros(len(case), dtype=np.int64)
    made[asks] = distinct([place, *(own[number, column] for column in others[place].T),
                           *(table[number, column] for column in ruled_out_by[place].T)], len(place))[0] + 1
    return made


@cache
def _genes() -> tuple[list[str], Ints]:
    """All genes that are looked at, and the places of those that each drug looks at."""
    of = genes_looked_at()
    genes = sorted({gene for mine in of.values() for gene in mine})
    return genes, _padded(of, genes)


@cache
def _offers() -> tuple[list[str], Ints, Ints]:
    """All findings that rule a candidate out, and the places of each drug's candidates, and of their findings."""
    offers = looked_at()
    findings = sorted({finding for _, mine in offers.values() for finding in mine})
    return (findings, _padded({drug: others for drug, (others, _) in offers.items()}, list(covered())),
            _padded({drug: mine for drug, (_, mine) in offers.items()}, findings))


def _padded(of: Mapping[str, Iterable[str]], names: Sequence[str]) -> Ints:
    """``[drug, …]``: the places of each drug's names, filled up with the one after the last name."""
    places = {name: place for place, name in enumerate(names)}
    each = [[places[name] for name in of.get(drug, ())] for drug in covered()]
    most = max(map(len, each), default=0)
    return np.array([[*mine, *[len(names)] * (most - len(mine))] for mine in each], dtype=np.int64)
