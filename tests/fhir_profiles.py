"""A small checker of resources against HL7's Genomics Reporting guide, STU3 (3.0.0).

The rules are facts taken off the published profiles, one a line in ``data/fhir_profiles/genomics-reporting-3.0.0.tsv``:
element, how often, pattern, types and targets, binding. They are the differentials of a profile and of the profiles it
is derived from (up to the FHIR base resource, which `fhir.resources` knows), and were written by

    python -m tests.fhir_profiles FOLDER    # the unpacked package hl7.fhir.uv.genomics-reporting of that version

Slices are told apart as the guide does: extensions by address, categories and components by their pattern, references
by the profile that the target claims. Codes of the LOINC answer lists, which the package only names, are those that the
guide's examples use, and the guide's own value sets are whole.
"""

from __future__ import annotations

import csv
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

RULES = Path(__file__).parent / "data/fhir_profiles/genomics-reporting-3.0.0.tsv"
GUIDE = "http://hl7.org/fhir/uv/genomics-reporting/StructureDefinition/"
USED = ("genotype", "haplotype", "therapeutic-implication", "medication-recommendation", "followup-recommendation",
        "genomic-report", "recommended-action", "genomic-risk-assessment", "genomic-report-note", "annotation-code")
ANSWERS = {
    "http://loinc.org/vs/LL4049-4": {"LA26421-0", "LA26422-8", "LA26423-6"},
    "http://loinc.org/vs/LL1037-2": {"LA14020-4", "LA14021-2", "LA14022-0"},
    "http://loinc.org/vs/LL1040-6": {"LA26806-2", "LA14029-5"},
}
Json = dict[str, Any]


@dataclass(frozen=True)
class Rule:
    """One element of one profile."""

    profile: str
    element: str
    least: int
    most: float
    pattern: Any
    types: tuple[str, ...]
    targets: tuple[str, ...]
    binding: str
    codes: frozenset[str]

    @property
    def steps(self) -> list[tuple[str, str]]:
        """(name, slice) below the root."""
        return [(one.partition(":")[0], one.partition(":")[2]) for one in self.element.split(".")[1:]]


@cache
def rules() -> dict[str, list[Rule]]:
    """The rules by profile."""
    found: dict[str, list[Rule]] = {}
    with RULES.open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            rule = Rule(row["profile"], row["element"], int(row["min"] or 0), float(row["max"] or "inf"),
                        json.loads(row["pattern"] or "null"), tuple(row["types"].split()),
                        tuple(row["targets"].split()), row["binding"], frozenset(row["codes"].split()))
            found.setdefault(rule.profile, []).append(rule)
    return found


def faults(bundle: Json) -> list[str]:
    """Everything in a bundle that is against the profiles its resources and extensions claim, in words."""
    resources = {entry["fullUrl"]: entry["resource"] for entry in bundle["entry"]}
    found = [f"{url} claims the unknown profile {name}" for url, resource in resources.items()
             for name in claimed(resource) if name not in rules()]
    for url, resource in resources.items():
        for name in claimed(resource):
            found += [f"{url} {fault}" for fault in _against(name, resource, resources)]
        for extension in extensions(resource):
            name = extension["url"].removeprefix(GUIDE)
            if extension["url"].startswith(GUIDE):
                found += [f"{url} {fault}" for fault in _against(name, extension, resources)] if name in rules() else [
                    f"{url} has the unknown extension {name}"]
    return found


def claimed(resource: Json) -> list[str]:
    """The guide's profiles that a resource claims."""
    return [one.removeprefix(GUIDE) for one in resource.get("meta", {}).get("profile", []) if one.startswith(GUIDE)]


def extensions(value: Any) -> Iterator[Json]:
    """All extensions anywhere in a value."""
    if isinstance(value, dict):
        yield from value.get("extension", [])
        for one in value.values():
            yield from extensions(one)
    elif isinstance(value, list):
        for one in value:
            yield from extensions(one)


def _against(name: str, resource: Json, resources: dict[str, Json]) -> Iterator[str]:
    known = rules()[name]
    if claimed(resource) and known[0].element.split(".")[0] != resource["resourceType"]:
        yield f"is no {known[0].element.split('.')[0]}"
    for rule in known:
        if rule.steps:
            for parent in _parents(rule, resource, known, resources):
                yield from _element_faults(rule, parent, known, resources)


def _parents(rule: Rule, resource: Json, known: list[Rule], resources: dict[str, Json]) -> list[Any]:
    """Where the element of a rule belongs: each place counts by itself."""
    found: list[Any] = [resource]
    for depth, (name, part) in enumerate(rule.steps[:-1]):
        path = ".".join(rule.element.split(".")[:depth + 2])
        found = [one for parent in found for one in _members(parent, name, part, path, known, resources)]
    return found


def _members(parent: Any, name: str, part: str, path: str, known: list[Rule], resources: dict[str, Json]) -> list[Any]:
    """The values of an element, of one slice where the rule names one."""
    values = [value for key, value in parent.items() if _is_element(key, name)]
    flat = [one for value in values for one in (value if isinstance(value, list) else [value])]
    return [one for one in flat if not part or _in_slice(one, name, path, known, resources)]


def _is_element(key: str, name: str) -> bool:
    stem = name.removesuffix("[x]")
    return key in {name, f"_{name}"} if stem == name else bool(re.fullmatch(rf"_?{stem}[A-Z]\w*", key))


def _in_slice(value: Any, name: str, path: str, known: list[Rule], resources: dict[str, Json]) -> bool:
    own = {rule.element: rule for rule in known}
    if name == "extension":
        return value["url"].rpartition("/")[2] in own[path].targets
    if "Reference" in own[path].types:
        target = resources.get(value["reference"], {})
        return bool(set(claimed(target)) & set(own[path].targets))
    marks = [(mark, own[f"{path}.{mark}"].pattern) for mark in ("coding", "code") if f"{path}.{mark}" in own]
    return any(_fits(one, pattern) for mark, pattern in marks
               for one in (value.get(mark, []) if mark == "coding" else [value.get(mark)]))


def _fits(value: Any, pattern: Any) -> bool:
    """FHIR's pattern: all of it is in the value; lists hold a fitting member for each of the pattern's."""
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(_fits(value.get(key), one) for key, one in pattern.items())
    if isinstance(pattern, list):
        return isinstance(value, list) and all(any(_fits(one, part) for one in value) for part in pattern)
    return bool(value == pattern)


def _element_faults(rule: Rule, parent: Any, known: list[Rule], resources: dict[str, Json]) -> Iterator[str]:
    name, part = rule.steps[-1]
    found = _members(parent, name, part, rule.element, known, resources)
    if not rule.least <= len(found) <= rule.most:
        yield f"{rule.element}: {len(found)} of {rule.least} to {rule.most}"
    if rule.pattern is not None and not all(_fits(one, rule.pattern) for one in found):
        yield f"{rule.element}: is not {rule.pattern}"
    if name.endswith("[x]") and rule.types:
        keys = [key.lstrip("_") for key in parent if _is_element(key, name)]
        allowed = {name.removesuffix("[x]") + kind[0].upper() + kind[1:] for kind in rule.types}
        yield from (f"{rule.element}: {key} is none of {sorted(allowed)}" for key in keys if key not in allowed)
    if "Reference" in rule.types and not part:
        yield from (f"{rule.element}: refers to none of {rule.targets}" for one in found
                    if not _refers(one, rule.targets, resources))
    if rule.codes and rule.binding in {"required", "extensible"}:
        codes = {one["code"] for value in found if isinstance(value, dict) for one in value.get("coding", [])}
        yield from (f"{rule.element}: {code} is not in the value set" for code in sorted(codes - rule.codes))


def _refers(value: Json, targets: tuple[str, ...], resources: dict[str, Json]) -> bool:
    target = resources.get(value["reference"])
    return target is not None and bool({target["resourceType"], *claimed(target)} & set(targets))


def written_rules(folder: Path) -> str:
    """The rules of the profiles used, from the package's profiles."""
    lines = ["profile\telement\tmin\tmax\tpattern\ttypes\ttargets\tbinding\tcodes"]
    for name in USED:
        lines += [_line(name, one, folder) for one in _elements(name, folder).values()]
    return "\n".join(lines) + "\n"


def _elements(name: str, folder: Path) -> dict[str, Json]:
    """Elements of a profile's differential laid over those of the profiles it is derived from."""
    about = json.loads((folder / f"StructureDefinition-{name}.json").read_text(encoding="utf-8"))
    base = about["baseDefinition"]
    found = _elements(base.removeprefix(GUIDE), folder) if base.startswith(GUIDE) else {}
    for one in about["differential"]["element"]:
        found[one["id"]] = {**found.get(one["id"], {}), **one}
    return found


def _line(name: str, one: Json, folder: Path) -> str:
    pattern = next((value for key, value in one.items() if key.startswith(("pattern", "fixed"))), None)
    types = one.get("type", [])
    links = [link for kind in types for link in (*kind.get("profile", []), *kind.get("targetProfile", []))]
    targets = [link.rpartition("/")[2] for link in links]
    bound = one.get("binding", {})
    codes = ANSWERS.get(bound.get("valueSet", ""), set()) or _codes(bound.get("valueSet", ""), folder)
    return "\t".join([name, one["id"], str(one.get("min", "")), str(one.get("max", "")).replace("*", ""),
                      "" if pattern is None else json.dumps(pattern), " ".join(kind["code"] for kind in types),
                      " ".join(targets), bound.get("strength", ""), " ".join(sorted(codes))])


def _codes(value_set: str, folder: Path) -> set[str]:
    path = folder / f"ValueSet-{value_set.rpartition('/')[2]}.json"
    if not value_set or not path.exists():
        return set()
    included = json.loads(path.read_text(encoding="utf-8"))["compose"]["include"]
    return {code["code"] for part in included for code in part.get("concept", [])}


if __name__ == "__main__":
    RULES.parent.mkdir(parents=True, exist_ok=True)
    RULES.write_text(written_rules(Path(sys.argv[1])), encoding="utf-8")
