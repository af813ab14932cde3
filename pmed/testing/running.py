"""All checks of one plugin, ready to be called."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from ..errors import PmedError
from ..plugins import Component
from . import component_checks, option_checks, package_checks, predictor_checks
from .guard import Refused
from .patients import Case
from .subject import EXPECTED, Broken, NotRun, Subject, find
from .world import World

_WITH_OPTIONS: Final = ("register_sources", "register_features", "register_predictors", "register_advisers",
                        "register_models", "register_scorers", "register_sections", "register_exporters")


@dataclass(frozen=True)
class Check:
    """One promise of one component.

    Attributes:
        component: Whose; the plugin's name where it is about the package.
        promise: What is promised, by the name of the check.
        about: The promise in a sentence.
        expected: Why it is meant to fail; empty where it is not.
    """

    component: str
    promise: str
    about: str
    run: Callable[[], None]
    expected: str = ""

    @property
    def name(self) -> str:
        """``component.promise``, by which an expected failure is named."""
        return f"{self.component}.{self.promise}"

    def __call__(self) -> None:
        """Check it.

        Raises:
            Broken: saying what was promised and what is wrong.
        """
        try:
            self.run()
        except Broken:
            raise
        except PmedError as error:
            raise Broken(f"{type(error).__name__}: {error}") from error


@dataclass(frozen=True)
class Outcome:
    """How a check ended.

    It passed, failed, is expected (failed as it was meant to), stale (meant to fail and passed), or not-run: another
    one that failed has to be mended first.
    """

    check: str
    about: str
    status: str
    message: str = ""

    @property
    def is_good(self) -> bool:
        """Whether it is as it should be."""
        return self.status in {"passed", "expected"}


def checks_of(package: Any) -> list[Check]:
    """Every check that applies to a plugin.

    Raises:
        PluginError: where there is no such plugin, or it cannot be registered.
    """
    subject = find(package)
    world = World(subject)
    found = list(_all(subject, world))
    named = {check.name for check in found} | {check.promise for check in found}
    unknown = sorted(name for name in subject.expected if name not in named)
    if unknown:
        found.append(Check(subject.name, "expected_failures_exist", "Expected failures name checks that there are.",
                           partial(_refuse, f"{EXPECTED} names {unknown[0]!r}, and there is no such check")))
    return [_with_reason(check, subject.expected) for check in found]


def run_checks(package: Any) -> list[Outcome]:
    """Call every check of a plugin and say how it ended; one cause is told once for each component."""
    told: dict[tuple[str, str], str] = {}
    outcomes = []
    for check in checks_of(package):
        made = _outcome(check)
        first = told.setdefault((check.component, made.message), made.check) if made.status == "failed" else made.check
        outcomes.append(made if first == made.check else replace(
            made, status="not-run", message=f"{first} comes first: it fails for the same reason"))
    return outcomes


def _refuse(message: str) -> None:
    raise Broken(message)


def _with_reason(check: Check, expected: Mapping[str, str]) -> Check:
    reason = expected.get(check.name, expected.get(check.promise, ""))
    return Check(check.component, check.promise, check.about, check.run, reason)


def _all(subject: Subject, world: World) -> Iterator[Check]:
    everything = partial(_exercise, subject, world)
    for one in package_checks.CHECKS:
        yield _check(subject.name, one, subject, everything)
    built = {hook: subject.components(hook) for hook in _WITH_OPTIONS}
    for component in (one for found in built.values() for one in found):
        yield from (_check(component.name, check, component) for check in option_checks.CHECKS)
    for component in built["register_predictors"]:
        case = Case(component, subject.plugins)
        yield from (_check(component.name, check, case) for check in predictor_checks.CHECKS)
    releases = [one for one in subject.plugins.releases() if one.plugin == subject.name]
    for hook, checks in component_checks.CHECKS.items():
        for component in built.get(hook, releases):
            yield from (_check(component.name, check, component, world) for check in checks)


def _check(component: str, function: Callable[..., None], *arguments: Any) -> Check:
    return Check(component, function.__name__.removeprefix("check_"), (function.__doc__ or "").splitlines()[0],
                 partial(function, *arguments))


def _exercise(subject: Subject, world: World) -> None:
    """Let every component do its work once, whatever comes of it: other checks say whether that is right."""
    for hook in _WITH_OPTIONS:
        for component in subject.components(hook):
            for work in _work(hook, component, subject, world):
                _try(work)


def _work(hook: str, component: Component, subject: Subject, world: World) -> Sequence[Callable[[], Any]]:
    if hook == "register_predictors":
        return [partial(predictor_checks.check_explanation_adds_up, Case(component, subject.plugins)),
                partial(predictor_checks.check_hostile_text, Case(component, subject.plugins))]
    return [partial(check, component, world) for check in component_checks.CHECKS.get(hook, ())
            if not check.__name__.startswith("check_source")]


def _try(work: Callable[[], Any]) -> None:
    try:
        work()
    except Refused:
        raise
    except Exception:  # that it breaks is for other checks to say
        return


def _outcome(check: Check) -> Outcome:
    try:
        check()
    except NotRun as why:
        status, message = "not-run", str(why)
    except Broken as error:
        status, message = ("expected", check.expected) if check.expected else ("failed", str(error))
    except Exception as error:  # a plugin may raise anything, and that is what the check found
        status, message = ("expected", check.expected) if check.expected else (
            "failed", f"{type(error).__name__}: {' '.join(str(error).split())}")
    else:
        status, message = ("stale", "passes now: take it from EXPECTED_FAILURES") if check.expected else ("passed", "")
    return Outcome(check.name, check.about, status, message)
