"""Checks that every plugin must pass, for pytest and for ``pmed plugins check``.

In a plugin's own tests::

    from pmed.testing import parametrize_with_checks

    @parametrize_with_checks("pmed-renal")
    def test_conformance(check):
        check()

What a plugin is meant to fail it names, with the reason, in ``EXPECTED_FAILURES`` of its module: a mapping of
``component.check`` to a sentence. A check that is expected to fail and passes is a failure too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .running import Check, Outcome, checks_of, run_checks
from .subject import Broken

if TYPE_CHECKING:
    import pytest

__all__ = ["Broken", "Check", "Outcome", "checks_of", "parametrize_with_checks", "run_checks"]


def parametrize_with_checks(package: Any) -> pytest.MarkDecorator:
    """Run a test once for each check of a plugin; expected failures are strict xfails with their reason.

    Args:
        package: Name of its entry point, distribution or module; or a module or object with hook implementations.
    """
    import pytest

    return pytest.mark.parametrize("check", [_param(check) for check in checks_of(package)])


def _param(check: Check) -> Any:
    import pytest

    marks = [pytest.mark.xfail(strict=True, reason=check.expected)] if check.expected else []
    return pytest.param(check, id=check.name, marks=marks)
