"""One outcome in words: the advice, why there is none, and what it rests on. Made once for each distinct outcome."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from .checks import acting_on, is_list, listing
from .guidelines import AGE, CONCERN, UNKNOWN, Known, Row, gene_of
from .medicines import TAKING
from .outcomes import Judged, Outcome, considered
from .phenoconversion import OR, PERHAPS

Caution = dict[str, str]
SHOWN = 4
CONDITION = "condition:"
# Advice that begins, or goes on after its first sentence, with how to start.
_BEGINS = re.compile(r"(?:^|[.:] )(?:Start|Consider a (?:lower )?start)\b(?! as usual)")
_CHANGES, _REPLACES = CONCERN["adjust"], CONCERN["alternative"]
# LOINC codes of what checks read, or of what that follows from, in words
LABS = {"14334-7": "the level of lithium", "19123-9": "magnesium", "2160-0": "creatinine", "2823-3": "potassium",
        "2951-2": "sodium", "29463-7": "weight", "6301-6": "the INR", "777-3": "the platelet count",
        "8636-3": "the QTc time", "8867-4": "the heart rate"}
_NAMED = {"egfr": "kidney function (eGFR)", "creatinine-clearance": "kidney function (creatinine clearance)",
          "child-pugh": "liver function (Child-Pugh)"}


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
    if kind == "genotype":
        return f"{gene_of(name)} {rest}".strip()
    return _NAMED.get(name) or LABS.get(rest, rest) or name


def untested(one: Outcome) -> str | None:
    """What to test, in words; None where a row leads or no test would help.

    Of a drug that only checks are about it is what they ask for.
    """
    names = one.missing if one.drug.rows else () if one.lead else asked_for(one)
    return " and ".join(dict.fromkeys(map(about, names))) or None


def to_ask(one: Outcome) -> str:
    """Medicines, perhaps taken, that alone leave a gene open: no test would help, but to ask."""
    genes = [gene_of(name) for name in one.missing if one.given.get(name) and OR not in str(one.given[name])]
    if not one.missing or len(genes) < len(one.missing):
        return ""
    perhaps = {acting.drug for gene in genes for acting in acting_on(one.drug, gene, one.given)
               if acting.state == PERHAPS}
    return " and ".join(sorted(perhaps))


def to_test(one: Outcome) -> str:
    """What to test while a treatment begins, though something leads: a result may be a stronger reason against it."""
    worse = [row for row in one.undecided if one.lead and row.changes and row.strength == "strong"
             and row.concern > one.lead.concern]
    names = dict.fromkeys(about(name) for row in worse for name in row.when if one.known.get(name) is None)
    return f"Test {' and '.join(names)}: the result may speak against {one.drug.name}" if names else ""


def advice(one: Outcome) -> str | None:
    """The text of what leads, then the others'; of several populations each, the most concerned first."""
    lead = one.lead
    if not lead:
        return None
    others = [row for row in one.checks if row is not lead and _beside(one, row, 0)]
    checks = list(dict.fromkeys(row.text for row in others if row.text != lead.text))
    if lead not in one.checks and (disagreeing(one) or lowering(one)):
        return f"By the genes: {_guideline(one)} By the record: {' '.join(checks)}"
    if lead not in one.checks:
        return " ".join([_guideline(one), *checks])
    concerned = any(_beside(one, row, _CHANGES) for row in one.applied)
    genes = [f"By the genes: {_guideline(one)}"] if concerned else []
    return " ".join([lead.text, *checks, *genes])


def _beside(one: Outcome, row: Row, least: float) -> bool:
    """Whether a row is said beside the leading one, where its concern is `least` or more.

    Beside "do not take it" there is no room for how to dose or to watch it. A strong change of the dose is still said
    where that is not graded strong, as many will go on; and the genes' where another medicine is why, as that may go.
    """
    lead = one.lead
    if lead is None or lead.action != "avoid" or row.concern >= _REPLACES:
        return row.concern >= least
    other = one.drug.harm_at_start and any(name.startswith(TAKING) for name in lead.when)
    return (lead.strength != "strong" and row.strength == "strong" and row.concern >= _CHANGES) or (
        other and row.changes and row in one.applied)


def starting(one: Outcome) -> bool:
    """Whether the advice says how to begin, which alone is odd to read where the drug is taken already.

    What is only foreseen, of another medicine that is to begin, is nothing to compare the present dose with.
    """
    said, own = advice(one) or "", (*one.drug.rows, *one.drug.checks)
    for row in one.checks:
        said = said if row in own else said.replace(row.text, "")
    return bool(_BEGINS.search(said))


def _guideline(one: Outcome) -> str:
    """What the guideline's rows say, for each population."""
    texts: dict[str, list[str]] = {}
    for row in one.applied:
        texts.setdefault(row.text, []).append(row.population)
    if len(texts) == 1:
        return next(iter(texts))
    return " ".join(f"{_title(_joined(whom))}: {text}" for text, whom in texts.items())


def because(one: Outcome, genes: str = "") -> str | None:
    """Why: the reason of what leads, then those of others that change something; `genes` before a reason of genes."""
    if not one.lead:
        return None
    others = [row for row in (*one.checks, *one.applied[:1]) if row.concern and row is not one.lead]
    rows = [one.lead, *others]
    # What another says in more words is not said again.
    told = [row for row in rows if not any(
        other.because != row.because and other.because.startswith(row.because) for other in rows)]
    of_genes = next((row.because for row in told if _by_genes(row)), None)
    # One reason of several checks is said once, with the names of all.
    named = {row.because: dict.fromkeys(name for same in told if same.because == row.because
                                        for name in _names(same, one)) for row in told}
    return "; ".join((genes if said == of_genes else "") + _with_names(said, names) for said, names in named.items())


def _by_genes(row: Row) -> bool:
    """Whether a row looks at genes: all of the guideline, and few checks."""
    return not row.evidence or any(name.startswith("phenotype:") for name in row.when)


def newly(one: Outcome, before: Outcome) -> dict[Row, str]:
    """What holds in an outcome and did not `before`, with its reason: checks, and the guideline's row."""
    old = {*before.checks, *before.applied[:1]}
    return {row: _reason(row, one) for row in (*one.checks, *one.applied[:1]) if row.concern and row not in old}


def held(one: Outcome) -> list[str]:
    """The reasons of the checks that hold."""
    return list(dict.fromkeys(_reason(row, one) for row in one.checks))


def _reason(row: Row, one: Outcome) -> str:
    """A row's reason; for a check with its name, or with what it counts (medicines, allergens) and does not name."""
    return _with_names(row.because, _names(row, one))


def _names(row: Row, one: Outcome) -> Iterable[str]:
    """What stands in brackets behind the reason of a row."""
    if not row.evidence:
        return ()
    named = dict.fromkeys(name for key in row.when if is_list(key)
                          for name in listing(key, one.given, one.drug.name) or [])
    return [name for name in named if name not in row.because] if named else [row.key]


def _with_names(because: str, names: Iterable[str]) -> str:
    each = list(names)
    # Names of checks have commas of their own.
    said = (" and " if any("," in one for one in each) else ", ").join(each)
    return f"{because} ({said})" if said else because


def evidence(one: Outcome) -> list[Mapping[str, str]]:
    """Sources: the guideline where it has a row, and every check that holds, what leads first."""
    guideline = list(one.drug.evidence) if one.applied or not one.checks else []
    checks = [row.evidence for row in one.checks if row.evidence]
    both = [*checks, *guideline] if one.lead in one.checks else [*guideline, *checks]
    return list({tuple(each.values()): each for each in both}.values())


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
    # An unknown age may be any age.
    concerned = (one.known.get(AGE) or 0) < one.drug.caution_until
    found = [{"code": "not-covered", "text": one.drug.caution}] if one.drug.caution and concerned else []
    waiting = [{"code": "check", "text": row.text} for row in one.checks] if not one.lead else []
    return [*found, *waiting, *_asking(one), *(
        [*_undecided(one), *_disagreeing(one), *_lowering(one), *_ambiguous(one), *_chosen_without(one)]
        if one.lead else [])]


def _undecided(one: Outcome) -> list[Caution]:
    text = f"these genes tell nothing for or against {one.drug.name}: it is not known to be safe"
    return [{"code": "genes-undecided", "text": text}] if one.lead and one.lead.undecided else []


def _asking(one: Outcome) -> list[Caution]:
    """What a check would have to know; not where that is what to test."""
    told = f"is not on record: it decides whether the dose of {one.drug.name} is right"
    silent = not (one.drug.rows or one.lead)
    return [] if silent else [{"code": "unknown-input", "text": f"{about(name)} {told}"} for name in asked_for(one)]


def unknown(one: Outcome) -> list[str]:
    """Inputs that are unknown and would tell more: of the rows, where none leads those that decide, and of checks."""
    names = [name for name in one.unknown if name not in _settled(one)] if one.lead else one.missing
    return list(dict.fromkeys([*names, *asked_for(one)]))


def _settled(one: Outcome) -> set[str]:
    """Inputs that a row which applies is for the lack of: who has taken a drug for years needs no test of them."""
    return {name for row in one.applied for name, asked in row.when.items() if UNKNOWN in asked}


def asked_for(one: Outcome) -> list[str]:
    """Measurements that are unknown and that a check asks for; none where the drug is to be avoided whatever they are.

    Age and diagnoses that the check looks at, too, are nothing to measure.
    """
    if one.lead and one.lead.action == "avoid":
        return []
    return list(dict.fromkeys(name for row in one.asking for name in row.when
                              if one.known.get(name) is None and name != AGE and not name.startswith(CONDITION)))


def silence(one: Outcome) -> str:
    """Why nothing is said of a drug that only checks are about: none holds, or what one would have to know."""
    asked = " and ".join(map(about, [*asked_for(one), *age_asked_for(one)]))
    return (f"whether a check speaks against it is open, with {asked} not on record" if asked else
            "no check of the release holds")


def age_asked_for(one: Outcome) -> list[str]:
    """Age, where it is unknown and a check may hold by it: a check for the old says nothing then, and does not ask."""
    unknown = AGE in one.known and one.known[AGE] is None
    return [AGE] if unknown and any(AGE in row.when and row.fits(one.known) is None for row in one.drug.checks) else []


def disagreeing(one: Outcome) -> tuple[Row, Row] | None:
    """The guideline's row and the check of which one asks for more of the drug and the other for less."""
    row = next((row for row in one.applied if row.dose_factor), None)
    check = next((check for check in one.checks if row and check.dose_factor and row.dose_factor
                  and (check.dose_factor - 1) * (row.dose_factor - 1) < 0), None)
    return (row, check) if row and check else None


def lowering(one: Outcome) -> tuple[Row, Row] | None:
    """The guideline's row and the check that each ask for less of the drug: the text says which number is whose."""
    row = next((row for row in one.applied if row.dose_factor and row.dose_factor < 1), None)
    check = next((check for check in one.checks if row and check.dose_factor and check.dose_factor < 1), None)
    return (row, check) if row and check else None


def dose_factor(one: Outcome) -> float | None:
    """How much of the usual dose; none where genes and record ask for opposite changes: no number would be right."""
    return one.lead.dose_factor if one.lead and not disagreeing(one) else None


def _disagreeing(one: Outcome) -> list[Caution]:
    """Genes and record ask for opposite changes: both are shown, neither is averaged away."""
    pair = disagreeing(one)
    if not pair:
        return []
    row, check = pair
    source = check.evidence["source"] if check.evidence else "a check"
    return [{"code": "disagreement", "text": f"{one.drug.guideline} says {row.action} by the genes ({row.key}), "
                                             f"{source} says {check.action} ({check.key}): weigh both"}]


def _lowering(one: Outcome) -> list[Caution]:
    """Genes and record each lower the dose; nothing is multiplied, as no source says that the two factors do."""
    pair = lowering(one)
    if not pair or (one.lead and one.lead.action == "avoid"):
        return []
    row, check = pair
    return [{"code": "both-lower", "text": f"the genes ({row.key}) and the record ({check.key}) each ask for less: no "
                                           "more than the lower of the two, and perhaps less than that"}]


def _ambiguous(one: Outcome) -> list[Caution]:
    return [{"code": "ambiguous-gene", "text": f"{about(name)} is not certain: {OR.join(values)} are possible, and the "
                                               "action is the same for each"} for name, values in one.sets.items()]


def _chosen_without(one: Outcome) -> list[Caution]:
    """Unknown genes do not stop a row that needs none of them, but they may add to it, unless it is for the unknown."""
    lost = [name for name in one.unknown if name in one.drug.reference and name not in _settled(one)]
    if not lost:
        return []
    said = f"chosen without {' and '.join(map(about, lost))} (unknown)"
    return [{"code": "gene-unknown", "text": f"{said}{_could_change(one.undecided)}"}]


def _could_change(rows: tuple[Row, ...]) -> str:
    return f"; it could also mean: {', '.join(f'{row.key} ({row.action})' for row in rows[:SHOWN])}" if rows else ""
