"""A feature that is misspelt is noticed, with the one that is meant; what may be right is left alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl
import pytest

from pmed.engine import Engine
from pmed.listing import describe_plugins, plugins_as_text
from pmed.plugins import Plugins
from pmed.settings import Settings
from pmed.spelling import Names
from pmed.testing import run_checks
from tests.toy import ToyPredictor, ToyStep, plugin


@pytest.fixture(scope="module")
def names() -> Names:
    """What the installed plugins give."""
    engine = Engine.start(Settings())
    return Names.of([one.made for one in engine.steps], engine.drug_names)


@pytest.mark.parametrize(("name", "meant"), [
    ("on:lisinoprill", "on:lisinopril"), ("on:coumadin", "on:warfarin"), ("on:Warfarin", "on:warfarin"),
    ("on:acetylsalicylic acid", "on:aspirin"), ("observation:2823-4", "observation:2823-3"),
    ("observation:14647-2", "observation:2093-3"), ("latest:2160-1", "latest:2160-0"), ("agee", "age"),
    ("wieght", "weight"), ("diplotype:CYP2C91", "diplotype:CYP2C9"), ("phenotyp:CYP2D6", "phenotype:CYP2D6"),
    ("condition:heart-failur", "condition:heart-failure"), ("modifiers:CYP2D66", "modifiers:CYP2D6"),
    ("daily-dose:zocor", "daily-dose:simvastatin"), ("days-taken:simvastatine", "days-taken:simvastatin"),
    ("daily_dose:simvastatin", "daily-dose:simvastatin"), ("genotyp:rs1", "genotype:rs1"),
    ("taking:nsaids", "taking:nsaid"), ("taking:aspirinn", "taking:aspirin"), ("taking:coumadin", "taking:warfarin"),
    ("taking:CYP3A4-strong-inhibitors", "taking:CYP3A4-strong-inhibitor"),
    ("status:HLA-B*57:1", "status:HLA-B*57:01"), ("status:HLA-B5701", "status:HLA-B*57:01"),
    ("genotype:rs992323", "genotype:rs9923231"), ("genotype:RS4149056", "genotype:rs4149056")])
def test_a_slip_of_the_pen_is_noticed(names: Names, name: str, meant: str) -> None:
    fault, = names.never_given([name])
    assert repr(name) in fault
    assert fault.endswith(f"did you mean {meant!r}?")


@pytest.mark.parametrize("name", ["on:xyzzyforte", "observation:99999-9", "taking:vegetables"])
def test_what_is_like_nothing_is_noticed_without_a_guess(names: Names, name: str) -> None:
    fault, = names.never_given([name])
    assert fault == f"{name!r} is unknown for everybody, as no such name is known here"


@pytest.mark.parametrize("name", [
    "age", "on:warfarin", "observation:2823-3", "medications", "genotype:rs9923231", "status:HLA-B*57:01", "on:*",
    "diplotype:CYP2C9", "condition:gout", "waist", "admission:metformin", "target-inr", "twice",
    "diabetesMed", "daily-dose:warfarin", "taking:nsaid", "taking:warfarin", "taking:CYP3A4-strong-inhibitor",
    "status:HLA-A*31:01"])
def test_what_is_right_or_may_be_is_left_alone(names: Names, name: str) -> None:
    assert list(names.never_given([name])) == []


def test_a_release_brings_names() -> None:
    table = pl.DataFrame({"ingredient": ["zappa"], "kind": ["brand"], "name": ["zap"]})
    found = Names.of([ToyStep()], table).never_given(["on:zap"])
    assert list(found) == []  # no step here gives on:
    engine = Engine.start(Settings())
    there = Names.of([one.made for one in engine.steps], pl.concat([engine.drug_names, table]))
    assert list(there.never_given(["on:zappa"])) == []
    assert next(there.never_given(["on:zap"])).endswith("did you mean 'on:zappa'?")


class Slip(ToyPredictor):
    """Asks for a medicine that there is not."""

    name = "slip"
    wants = ("on:lisinoprill",)


class StepSlip(ToyStep):
    """Needs a laboratory value that there is not."""

    name = "step-slip"
    needs = ("observation:2823-4",)


BAD = plugin(register_predictors=[dataclass(frozen=True)(Slip)], register_features=[dataclass(frozen=True)(StepSlip)])


def test_the_checks_notice() -> None:
    found = {one.check: one.message for one in run_checks(BAD)}
    assert found["slip.inputs_exist"].endswith("did you mean 'on:lisinopril'?")
    assert found["step-slip.step_needs_exist"].endswith("did you mean 'observation:2823-3'?")


def test_pmed_plugins_notices(monkeypatch: pytest.MonkeyPatch) -> None:
    load = Plugins.load

    def with_bad(self: Plugins, only: Any = None) -> Plugins:
        load(self, only)
        self.add(BAD, "bad", "1")
        return self

    monkeypatch.setattr(Plugins, "load", with_bad)
    described = describe_plugins(Settings())
    said = ("slip: 'on:lisinoprill' is unknown for everybody, as no such name is known here; "
            "did you mean 'on:lisinopril'?")
    assert said in described["plugins"]["bad"]["notes"]
    assert f"bad: {said}" in plugins_as_text(described)
    assert all(not about["notes"] for name, about in described["plugins"].items() if name != "bad")
