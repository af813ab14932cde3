"""One outcome in words: the advice, why there is none, and what it rests on. Made once for each distinct outcome."""

from __future__ import annotations

from .guidelines import Known, Row, gene_of
from .outcomes import OR, Judged, Outcome, considered

Caution = dict[str, str]
SHOWN = 4


def reason(one: Outcome) -> str:
    """Why no row leads: what has to be known first, or else what the guideline is silent about."""
    if one.missing:
        return f"needs {', '.join(one.missing)}{_left_open(one)}"
    if not considered(one.drug, one.known):
        return "no guideline row for this age"
    values = [f"{about(name)} {value}" for name, value in one.known.items()
              if value is not None and name in one.drug.reference]
    return f"no guideline row for {', '.join(values)}"


def _left_open(one: Outcome) -> str:
    """What the missing inputs would decide between, where something is known already; the most concerned first."""
    if one.sets:
        each = sorted(one.each, key=lambda pair: -_concern(pair[1]))
        told = [f"{_values(one, known)} ({_action(judged)})" for known, judged in each]
    elif any(one.known[name] is not None for name in one.drug.reference):
        rows = sorted(dict.fromkeys((*one.undecided, *one.applied)), key=lambda row: -row.concern)
        told = [f"{row.key} ({row.action})" for row in rows]
    else:
        return ""
    return f"; possible: {', '.join(told[:SHOWN])}{' or others' if len(told) > SHOWN else ''}"


def _values(one: Outcome, known: Known) -> str:
    return " with ".join(f"{about(name)} {known[name]}" for name in one.sets)


def _action(judged: Judged) -> str:
    if judged.lead:
        return judged.lead.action
    return "not known" if judged.undecided else "no recommendation"


def _concern(judged: Judged) -> float:
    return judged.lead.concern if judged.lead else -1.0


def about(name: str) -> str:
    """What a feature is about: a gene, an HLA allele, or a site with its gene.

    >>> about("phenotype:CYP2C19"), about("genotype:rs9923231"), about("age")
    ('CYP2C19', 'VKORC1 rs9923231', 'age')
    """
    kind, _, rest = name.partition(":")
    return f"{gene_of(name)} {rest}".strip() if kind == "genotype" else rest or name


def untested(one: Outcome) -> str | None:
    """What to test, in words; None where a row leads or no test would help."""
    return " and ".join(dict.fromkeys(map(about, one.missing))) or None


def advice(one: Outcome) -> str | None:
    """The leading row's text; with several populations every one of them, the most concerned first."""
    if not one.lead:
        return None
    texts: dict[str, list[str]] = {}
    for row in one.applied:
        texts.setdefault(row.text, []).append(row.population)
    if len(texts) == 1:
        return one.lead.text
    return " ".join(f"{_title(_joined(whom))}: {text}" for text, whom in texts.items())


def population(one: Outcome) -> str:
    """Whom the rows that apply are for."""
    return _joined([row.population for row in one.applied]) or _joined(list(one.drug.populations))


def _joined(names: list[str]) -> str:
    return "; ".join(dict.fromkeys(names))


def _title(text: str) -> str:
    return text[:1].upper() + text[1:]


def point(one: Outcome) -> str:
    """For advice that has to wait for a test: what is known already."""
    if one.lead or not one.missing:
        return ""
    left = _left_open(one).removeprefix("; ")
    return f" {_title(left)}." if left else ""


def cautions(one: Outcome) -> list[Caution]:
    """What a reader must know of the choice of the row."""
    found = [{"code": "not-covered", "text": one.drug.caution}] if one.drug.caution else []
    return [*found, *_ambiguous(one), *_chosen_without(one)] if one.lead else found


def _ambiguous(one: Outcome) -> list[Caution]:
    return [{"code": "ambiguous-gene", "text": f"{about(name)} is not certain: {OR.join(values)} are possible, and the "
                                               "action is the same for each"} for name, values in one.sets.items()]


def _chosen_without(one: Outcome) -> list[Caution]:
    """Unknown genes do not stop a row that needs none of them, but they may add to it."""
    lost = [name for name in one.unknown if name in one.drug.reference]
    if not lost:
        return []
    said = f"chosen without {' and '.join(map(about, lost))} (unknown)"
    return [{"code": "gene-unknown", "text": f"{said}{_could_change(one.undecided)}"}]


def _could_change(rows: tuple[Row, ...]) -> str:
    return f"; it could also mean: {', '.join(f'{row.key} ({row.action})' for row in rows[:SHOWN])}" if rows else ""
