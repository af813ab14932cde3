"""Every package in ``plugins/`` keeps what plugins promise."""

from __future__ import annotations

from pathlib import Path

from pmed.testing import Check, checks_of, parametrize_with_checks

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("pmed_pgx", "pmed_response", "pmed_risk")


@parametrize_with_checks("pmed_pgx")
def test_pharmacogenomics(check: Check) -> None:
    check()


@parametrize_with_checks("pmed_response")
def test_response(check: Check) -> None:
    check()


@parametrize_with_checks("pmed_risk")
def test_risk(check: Check) -> None:
    check()


def test_no_package_is_left_out() -> None:
    assert tuple(sorted(path.parent.name for path in ROOT.glob("plugins/pmed-*/src/*/__init__.py"))) == PACKAGES


def test_the_expected_failures_are_few() -> None:
    named = [check.name for package in PACKAGES for check in checks_of(package) if check.expected]
    assert named == ["pgx-guidelines.reference_is_declared", "warfarin-dose.explanation_is_of_declared_inputs",
                     "readmission-30d.explanation_is_of_declared_inputs"]
