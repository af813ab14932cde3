"""Genotypes in a byte each: all that fit come back as they were, and nothing else is taken for one."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from pmed.genomics.calls import Shared, decode
from pmed.genomics.coded import MEANINGS, Coded, coded
from pmed.genomics.records import Record

CELLS = [f"{one}{mark}{two}" for one, mark, two in itertools.product(".0123456", "|/", ".0123456")]


def record(text, form="GT"):
    return Record(1, "here", "chr1", 5, (".",), "A", tuple("CGTCGT"), None, form, text, 5)


def test_all_that_fit_come_back_as_they_were():
    code = np.arange(256, dtype=np.uint8)[None]
    again, good = coded(*(MEANINGS[name][code] for name in ("allele_1", "allele_2", "ploidy", "phased")))
    assert good.all()
    # Of a call without any allele it is all the same whether its bits say so by one way or another.
    assert all((MEANINGS[name][again] == MEANINGS[name][code]).all() for name in MEANINGS)


@pytest.mark.parametrize("odd", [{"allele_1": 7}, {"allele_2": 9}, {"ploidy": 3}, {"ploidy": 1, "allele_1": -1},
                                 {"ploidy": 0}])
def test_what_does_not_fit_is_not_good(odd):
    calls = {"allele_1": 0, "allele_2": 1, "ploidy": 2, "phased": True}
    told = [np.array([[plain, plain], [plain, odd.get(name, plain)]]) for name, plain in calls.items()]
    assert coded(*told)[1].tolist() == [True, False]


def test_a_text_is_read_as_word_by_word():
    found = Coded.of_text("\t".join(CELLS).encode(), len(CELLS), "GT")
    shared, slow = Shared.coded(found).whole, decode([record("\t".join(CELLS).encode(), "GT:X")], len(CELLS))[0][0]
    for name, values in vars(slow).items():
        assert values is None or (values == getattr(shared, name)).all()


@pytest.mark.parametrize("text", ["0|1\t0|7", "0|1\t0:1", "0|1\t:|1", "0|1 0|1", "0|1\t0|1\t0|1", "0|1", "0|1\t0|1\n",
                                  "0|1\t\t\t\t"])
def test_other_text_is_not_taken_for_it(text):
    assert Coded.of_text(text.encode(), 2, "GT") is None


def test_other_formats_are_not_taken_for_it():
    assert Coded.of_text(b"0|1\t0|1", 2, "DP") is None


def test_only_what_occurs_is_worked_out():
    shared = Shared.coded(Coded.of_text(b"0|1\t0|0\t0|1\t1|1", 4, "GT"))
    assert len(shared.calls.ploidy) == 3
    assert shared.whole.alleles.tolist() == [[0, 1], [0, 0], [0, 1], [1, 1]]
    assert shared.at(np.array([3, 0])).whole.alleles.tolist() == [[1, 1], [0, 1]]
    assert shared.number(shared.calls.alleles[:, 0] == 0) == 3
