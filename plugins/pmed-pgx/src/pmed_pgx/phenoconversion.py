"""The phenotype of today: what inhibitors and inducers make of the genetic one.

CYP2D6 and CYP2C9 by their activity scores: a strong inhibitor leaves nothing, a moderate one half, a weak one all of it
(Borges 2010, PMID:20081063; the phenotype by the scores of Caudle 2020, PMID:31647186). Every other gene by table
``ladders``: a strong inhibitor leads to the lowest phenotype, whatever the genome says; a moderate one takes one step
down, an inducer one step up where there is function to induce (PMID:32906709). An inhibitor and an inducer together
leave both results possible; drugs that are perhaps taken, the result of each combination. What is
ordered and yet to begin changes nothing today. What is unknown stays unknown but for a strong inhibitor.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import combinations

from .knowledge import table
from .release_tables import MODIFIER_STRENGTHS

FACTORS = {"strong": 0.0, "moderate": 0.5, "weak": 1.0}
BY_SCORE = ("CYP2D6", "CYP2C9")
TAKEN, RECENT, PERHAPS, COMING = "taken", "stopped", "perhaps taken", "to begin"
OR = " or "
DOUBT = _FIELD = "|"  # behind a name: what is said of it
_ENTRY = ";"
_POOR = "Poor Metabolizer"


@dataclass(frozen=True)
class Acting:
    """A drug that acts on a gene's product; `state` is taken, stopped (and acting still), perhaps taken or to begin."""

    drug: str
    kind: str
    strength: str
    state: str

    def __str__(self) -> str:
        still = {TAKEN: "", RECENT: ", stopped but still acting", PERHAPS: ", perhaps taken",
                 COMING: ", ordered and yet to begin"}[self.state]
        return f"{self.drug} ({self.strength} {self.kind}{still})"


@dataclass(frozen=True)
class Ability:
    """What an enzyme or transporter can do: phenotype and activity score; None where unknown, "A or B" where open."""

    phenotype: str | None
    score: float | None


def written(one: Acting) -> str:
    """An entry of the feature ``modifiers:<GENE>``."""
    return _FIELD.join((one.drug, one.kind, one.strength, one.state))


@cache
def parsed(text: str | None) -> tuple[Acting, ...]:
    """The entries of a feature ``modifiers:<GENE>``; none where it is unknown what is taken.

    >>> [str(one) for one in parsed("paroxetine|inhibitor|strong|taken")]
    ['paroxetine (strong inhibitor)']
    """
    return tuple(Acting(*entry.split(_FIELD)) for entry in text.split(_ENTRY)) if text else ()


def present(gene: str, genetic: Ability, acting: Sequence[Acting]) -> Ability:
    """The ability of today.

    >>> present("CYP2D6", Ability("Normal Metabolizer", 2.0), parsed("paroxetine|inhibitor|strong|taken"))
    Ability(phenotype='Poor Metabolizer', score=0.0)
    """
    return _present(gene, genetic, tuple(acting)) if acting else genetic


@lru_cache(maxsize=1 << 14)
def _present(gene: str, genetic: Ability, acting: tuple[Acting, ...]) -> Ability:
    sure = [one for one in acting if one.state not in {PERHAPS, COMING}]
    # Only kind and strength decide, so that many doubtful medicines are few distinct ones.
    doubtful = list({(one.kind, one.strength): one for one in acting if one.state == PERHAPS}.values())
    some = (chosen for many in range(len(doubtful) + 1) for chosen in combinations(doubtful, many))
    return _both(dict.fromkeys(_with(gene, genetic, [*sure, *chosen]) for chosen in some))


def matters(gene: str, genetic: Ability, acting: Sequence[Acting]) -> tuple[Acting, ...]:
    """Those that have a part in the ability of today: the strongest of their kind that change something."""
    if present(gene, genetic, acting) == genetic:
        return ()
    changing = [one for one in acting if present(gene, genetic, [one]) != genetic]
    return tuple(changing or acting)


def _both(each: Iterable[Ability]) -> Ability:
    listed = list(each)
    names = list(dict.fromkeys(name for one in listed for name in (one.phenotype.split(OR) if one.phenotype else [""])))
    scores = {one.score for one in listed}
    return Ability(OR.join(names) if "" not in names else None, scores.pop() if len(scores) == 1 else None)


def _with(gene: str, genetic: Ability, acting: Sequence[Acting]) -> Ability:
    down, up = _strongest(acting, "inhibitor"), _strongest(acting, "inducer")
    blocked = Ability(_lowest(gene), 0.0 if gene in BY_SCORE else None)
    inhibited = {"strong": blocked, "moderate": _halved(gene, genetic)}.get(down or "")
    induced = _up(gene, genetic) if up in {"strong", "moderate"} else None
    changed = [one for one in (inhibited, induced) if one]
    return _both(changed) if changed else genetic


def _strongest(acting: Sequence[Acting], kind: str) -> str | None:
    return min((one.strength for one in acting if one.kind == kind), key=MODIFIER_STRENGTHS.index, default=None)


def _halved(gene: str, genetic: Ability) -> Ability:
    if genetic.score is None:
        return Ability(_each(gene, genetic.phenotype, 0), None)
    # Published scores are quarters; what lies between two counts as the lower.
    score = genetic.score * FACTORS["moderate"]
    return Ability(_by_score(gene, score), score if gene == "CYP2D6" else score * 2 // 1 / 2)


def _up(gene: str, genetic: Ability) -> Ability:
    return Ability(_each(gene, genetic.phenotype, 2), genetic.score)


def _each(gene: str, phenotype: str | None, step: int) -> str | None:
    """The step of each possible phenotype; what the ladder does not know is unknown."""
    steps = [_ladder().get((gene, one), (None, None, None))[step] for one in phenotype.split(OR)] if phenotype else []
    found = [one for step in steps if step for one in step.split(OR)]
    return OR.join(dict.fromkeys(found)) if found and None not in steps else None


def _lowest(gene: str) -> str:
    return next((str(lowest) for (name, _), (_, lowest, _) in _ladder().items() if name == gene), _POOR)


def _by_score(gene: str, score: float) -> str | None:
    return next((name for name, low, high in _scores().get(gene, ())
                 if score == low or (score >= low and (high is None or score < high))), None)


@cache
def _ladder() -> dict[tuple[str, str | None], tuple[str | None, str | None, str | None]]:
    rows = table("ladders").select("gene", "phenotype", "one_down", "lowest", "one_up").iter_rows()
    return {(gene, phenotype): (down, lowest, up) for gene, phenotype, down, lowest, up in rows}


@cache
def _scores() -> dict[str, list[tuple[str, float, float | None]]]:
    found: dict[str, list[tuple[str, float, float | None]]] = {}
    for gene, name, low, high in table("scores").select("gene", "phenotype", "low", "high").iter_rows():
        found.setdefault(gene, []).append((name, float(low), float(high) if high else None))
    return found
