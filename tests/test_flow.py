"""Steps are ordered by what they need and give."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmed.errors import FlowError
from pmed.flow import gives, order, upstream


def step(name, needs=(), gives=()):
    return SimpleNamespace(name=name, needs=needs, gives=gives)


A, B, C = step("a", (), ("x:*",)), step("b", ("x:1",), ("y",)), step("c", ("y",), ("z",))


@given(st.permutations([A, B, C]))
def test_order_does_not_depend_on_registration(steps):
    assert [one.name for one in order(steps)] == ["a", "b", "c"]


def test_patterns_are_matched_with_case():
    assert gives(A, "x:CYP2C19")
    assert not gives(A, "X:CYP2C19")


def test_a_circle_is_named():
    with pytest.raises(FlowError, match="steps need each other: .*a.*b"):
        order([step("a", ("y",), ("x",)), step("b", ("x",), ("y",))])


def test_upstream_keeps_only_what_is_needed():
    other = step("other", (), ("w",))
    assert [one.name for one in upstream([C, other, A, B], "y")] == ["a", "b"]


def test_upstream_of_what_nobody_gives():
    with pytest.raises(FlowError, match="no installed plugin gives 'nothing'"):
        upstream([A, B], "nothing")
