"""Guideline rows: which inputs a drug depends on, and what to do for each combination of them.

One TOML file a guideline in ``data/``; the facts are the guideline's, the words are ours. Adding a drug adds rows,
never code. How rows are chosen is in ``outcomes``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from pmed import PmedError
from pmed.tables import ACTIONS, STRENGTHS

from .knowledge import folder, genes
from .rule_files import loads

CONCERN = {"standard": 0.0, "monitor": 1.0, "adjust": 2.0, "alternative": 3.0, "avoid": 4.0}
PHENOTYPE, SCORE = "phenotype:", "activity-score:"
DAYS = "days-taken"  # in a row: of its own drug, as the feature ``days-taken:<drug>``
AGE, FINDING, LATEST, ENDLESS = "age", "finding:", "latest:", float("inf")
UNKNOWN = "unknown"  # as a wanted value: the condition holds where nobody knows
ADULT = 40.0  # years; the reference patient's age where the rows ask for one

Evidence = Mapping[str, str]
Known = Mapping[str, Any]


@dataclass(frozen=True)
class Range:
    """A number from `low` up to, but not including, `high`."""

    low: float
    high: float

    def __contains__(self, value: float) -> bool:
        """Whether `value` lies in the range."""
        return self.low <= value < self.high


@dataclass(frozen=True, eq=False)
class Row:
    """One guideline row; `concern` counts from 0 (standard) to 4 (avoid).

    ``ages`` (years) and ``indication`` (a key of ``findings.tsv``) say whom it is for, in words in ``population``.
    A check, which is no row of the guideline, has an ``evidence`` of its own, and may ``ask`` for what is unknown.
    ``expected`` is the maintenance dose that the guideline's table gives; ``{alternatives}`` in ``text`` stands for
    those that fit the patient. ``discomfort`` says that what it avoids is unpleasant and no danger, ``weak`` that it is
    too little effect, which is felt and known after some months, ``undecided`` that
    the genes are known and tell nothing for or against the drug; ``today`` that it is for today though the drug stays;
    ``overlap`` that it does not ask for days between two drugs of which one replaces the other.
    """

    key: str
    when: Mapping[str, list[Any]]
    action: str
    strength: str
    text: str
    because: str
    dose_factor: float | None
    expected: str
    ages: Range | None = None
    indication: str = ""
    population: str = ""
    evidence: Evidence | None = None
    ask: bool = False
    discomfort: bool = False
    weak: bool = False
    undecided: bool = False
    today: bool = False
    overlap: bool = False

    @property
    def concern(self) -> float:
        """Concern level of the action."""
        return CONCERN[self.action]

    @property
    def changes(self) -> bool:
        """Whether it changes the treatment, and not as an option only."""
        return self.concern >= CONCERN["adjust"] and self.strength != "optional"

    def fits(self, known: Known) -> bool | None:
        """Whether the inputs are those of this row; None where an unknown one decides it."""
        verdict: bool | None = True
        for name, values, ranges, unknown in self._wanted:
            value = known.get(name)
            if value is None:
                verdict = verdict if unknown else None
            elif value not in values and not (ranges and any(value in one for one in ranges)):
                return False
        return verdict

    @cached_property
    def _wanted(self) -> tuple[tuple[str, frozenset[Any], tuple[Range, ...], bool], ...]:
        """Each input with its values, its ranges, and whether it may be unknown: `fits` is asked thousands of times."""
        return tuple((name, frozenset(one for one in wanted if not isinstance(one, Range)),
                      tuple(one for one in wanted if isinstance(one, Range)), UNKNOWN in wanted)
                     for name, wanted in self.when.items())


@dataclass(frozen=True)
class Alternative:
    """A drug to use instead, for the rows it is meant for, and the finding that rules it out."""

    drug: str
    status: str
    reason: str
    rows: tuple[str, ...]
    ruled_out_by: str


@dataclass(frozen=True, eq=False)
class Drug:
    """What one guideline says of one drug.

    - ``reference``: every input that the rows read, with the value for which the drug is used as labelled.
    - ``evidence``: source, level (CPIC's A to D; empty where there is none), citation, url; the guideline first.
    - ``population``: whom the rows are for that do not say it themselves; ``populations`` are all of them.
    - ``caution_until``: age (years) from which on ``caution`` concerns nobody.
    - ``harm_at_start``: whether harm comes in the first weeks, so that a change is most pressing then.
    - ``dose_from``: target of a predictor, if one is installed, that works out the dose the guideline asks for.
    """

    name: str
    guideline: str
    reference: Mapping[str, Any]
    rows: tuple[Row, ...]
    alternatives: tuple[Alternative, ...]
    evidence: tuple[Evidence, ...]
    population: str
    caution: str
    dose_from: str
    checks: tuple[Row, ...] = ()
    caution_until: float = ENDLESS
    harm_at_start: bool = False

    @cached_property
    def genes(self) -> tuple[str, ...]:
        """Genes the rows look at, in the order of the inputs."""
        return tuple(dict.fromkeys(gene for gene in map(gene_of, self.reference) if gene))

    @cached_property
    def groups(self) -> tuple[tuple[Row, ...], ...]:
        """The rows of each population (ages and indication), in the file's order."""
        found: dict[tuple[Range | None, str], list[Row]] = {}
        for row in self.rows:
            found.setdefault((row.ages, row.indication), []).append(row)
        return tuple(tuple(rows) for rows in found.values())

    @cached_property
    def for_everybody(self) -> bool:
        """Whether no row is for some ages or one indication only."""
        return not any(rows[0].ages or rows[0].indication for rows in self.groups)

    @cached_property
    def populations(self) -> tuple[str, ...]:
        """Whom the rows are for, in words, without repeats."""
        return tuple(dict.fromkeys(row.population for row in self.rows))

    @cached_property
    def inputs(self) -> Mapping[str, Any]:
        """`reference` with age (years), days taken (0) and findings (none on record: None), where rows ask."""
        ages = [row.ages for row in self.rows if row.ages]
        adult = {AGE: ADULT if any(ADULT in one for one in ages) else ages[0].low} if ages else {}
        findings = dict.fromkeys(f"{FINDING}{row.indication}" for row in self.rows if row.indication)
        taken = dict.fromkeys((name for row in self.rows for name in row.when if name.startswith(DAYS)), 0.0)
        return {**self.reference, **adult, **taken, **findings}


@cache
def gene_of(feature: str) -> str:
    """Gene that a feature speaks of; empty where it speaks of none.

    >>> gene_of("phenotype:CYP2C19"), gene_of("status:HLA-B*15:02"), gene_of("genotype:rs9923231"), gene_of("age")
    ('CYP2C19', 'HLA-B', 'VKORC1', '')
    """
    kind, _, about = feature.partition(":")
    if kind == "genotype":
        return _site_genes().get(about, "")
    return "" if kind in {"finding", DAYS} else about.partition("*")[0]


@cache
def _site_genes() -> dict[str, str]:
    """Site → its gene: the first of those that have it."""
    found: dict[str, str] = {}
    for gene in genes().values():
        for site in (*gene.sites, *gene.extras):
            found.setdefault(site.name, gene.name)
    return found


@cache
def drugs() -> dict[str, Drug]:
    """Every covered drug by its RxNorm ingredient name, in alphabetical order."""
    paths = [path for path in folder().iterdir() if path.name.startswith("guideline-")]
    found = [drug for path in sorted(paths, key=lambda path: path.name)
             for drug in parse(path.read_text("utf-8"), path.name)]
    return {drug.name: drug for drug in sorted(found, key=lambda drug: drug.name)}


def parse(text: str, where: str = "guideline") -> list[Drug]:
    """The drugs of one guideline file.

    Raises:
        PmedError: where the file is not TOML, a field is missing or a value is not one of those it may have.
    """
    try:
        made = loads(text)
        return [_drug(made, group, name, where) for group in made["group"] for name in group["drugs"]]
    except tomllib.TOMLDecodeError as error:
        raise PmedError(f"not TOML: {error}", where=where) from error
    except KeyError as error:
        raise PmedError(f"{error} is missing", where=where) from error


def _drug(guideline: dict[str, Any], group: dict[str, Any], name: str, where: str) -> Drug:
    rows = tuple(_row(row, name, group, f"{where}, {name}") for row in group["row"])
    said = f"{guideline['source']} {guideline['year']} ({guideline['citation']})"
    concerned = tuple(row.key for row in rows if row.concern >= CONCERN["adjust"])
    alternatives = tuple(_alternative(one, concerned) for one in group.get("alternative", ()))
    evidence = (_evidence(guideline, group, name), *group.get("also", ()))
    return Drug(name, said, group["reference"], rows, alternatives, evidence, group["population"],
                group.get("caution", ""), group.get("dose_from", ""),
                caution_until=group.get("caution_until", ENDLESS), harm_at_start=group.get("harm_at_start", False))


def _evidence(guideline: dict[str, Any], group: dict[str, Any], drug: str) -> Evidence:
    level = group.get("levels", {}).get(drug, group["level"])
    cited = guideline["citation"]
    url = link(cited) if cited.startswith("PMID:") else guideline["url"]
    return {"source": guideline["source"], "level": level, "citation": cited, "url": url}


def link(citation: str) -> str:
    """The address of a citation.

    >>> link("PMID:20081063"), link("DOI:10.3390/jcm9092890")
    ('https://pubmed.ncbi.nlm.nih.gov/20081063/', 'https://doi.org/10.3390/jcm9092890')
    """
    kind, _, rest = citation.partition(":")
    return {"PMID": f"https://pubmed.ncbi.nlm.nih.gov/{rest}/", "DOI": f"https://doi.org/{rest}"}.get(kind, citation)


def _row(row: dict[str, Any], drug: str, group: dict[str, Any], where: str) -> Row:
    where = f"{where}, row \"{row['key']}\""
    text, because = (row[name].replace("{drug}", drug) for name in ("text", "because"))
    for name in row["when"]:
        one_of(name, [*group["reference"], DAYS], where)
    when = {f"{DAYS}:{drug}" if name == DAYS else name: values(wanted) for name, wanted in row["when"].items()}
    one_of(row["action"], [one for one in ACTIONS if one in CONCERN], where)
    one_of(row["strength"], STRENGTHS, where)
    return Row(row["key"], when, row["action"], row["strength"], text, because, row.get("dose_factor"),
               row.get("expected", ""), _ages(row.get("ages"), where), row.get("indication", ""),
               row.get("population", group["population"]), discomfort=row.get("discomfort", False),
               weak=row.get("weak", False), undecided=row.get("undecided", False))


def one_of(value: str, allowed: Any, where: str) -> None:
    """Refuse a `value` that is not allowed there.

    Raises:
        PmedError: naming it, its place and those that are.
    """
    if value not in allowed:
        raise PmedError(f"{value!r} is not one of {', '.join(allowed)}", where=where)


def values(wanted: Any) -> list[Any]:
    """What a condition accepts: single values, and a Range for each ``{min, max}``."""
    each = wanted if isinstance(wanted, list) else [wanted]
    return [Range(one.get("min", -ENDLESS), one.get("max", ENDLESS)) if isinstance(one, dict) else one for one in each]


def _ages(ages: list[float] | None, where: str) -> Range | None:
    if ages is None:
        return None
    low, high = (*ages, ENDLESS)[:2] if ages else (0.0, 0.0)
    if low >= high:
        raise PmedError(f"ages {ages} are not [lowest, below which] in years", where=where)
    return Range(low, high)


def _alternative(one: dict[str, Any], concerned: tuple[str, ...]) -> Alternative:
    return Alternative(one["drug"], one.get("status", "fits"), one["reason"], tuple(one.get("rows", concerned)),
                       one.get("ruled_out_by", ""))
