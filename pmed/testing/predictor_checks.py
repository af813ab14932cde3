"""What every predictor promises, one function a promise."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Final

import msgspec
import polars as pl

from ..errors import InputError, PmedError
from ..explain import shapley
from ..spelling import written
from ..stages import explain as explaining
from ..tables import TOGETHER
from .patients import Case, is_genetic, tidy
from .subject import Broken, must

MOST_INPUTS: Final = 12
_MOST_HYBRIDS: Final = 1 << 18
HOSTILE: Final = '"><script>alert(1)</script><img src=x onerror=alert(1)>\u202e'
_SOURCED: Final = re.compile(r"PMID:\d+$|doi:10\.\d+|https?://\w|\w+ \w+", re.IGNORECASE)


def check_can_be_tried(case: Case) -> None:
    """It assesses its reference patient, or the first of its examples: all that follows is tried on that one."""
    must(not case.fault, case.fault)


def check_card_is_complete(case: Case) -> None:
    """A reader finds on the card what it is, for whom, on whom it was made, and where that was published."""
    card = case.predictor.card
    for name in ("version", "summary", "intended_use", "populations", "unit"):
        must(str(getattr(card, name)).strip(), f"card.{name} is empty")
    must(card.references, "card.references is empty: say where it was published")
    for one in card.references:
        must(_SOURCED.search(one), f"card.references: {one!r} is no PMID, DOI, link or source in words")
    low, high = card.range
    must(math.isfinite(low) and math.isfinite(high) and low < high,
         f"card.range must be finite and low < high. Got {card.range}")
    must(card.raised is None or low <= card.raised <= high,
         f"card.raised must be a value of the range, or None. Got {card.raised}")


def check_reference_is_declared(case: Case) -> None:
    """Every target's reference patient names declared inputs: one at least, 12 at most without an own explainer."""
    most = len(case.names) if case.has_own_explainer else MOST_INPUTS
    for target in case.predictor.gives:
        named = set(case.predictor.reference(target))
        must(0 < len(named) <= most, f"reference({target!r}) names {len(named)} inputs, expected 1 to {most}")
        odd = sorted(named - set(case.names))
        must(not odd, f"reference({target!r}) names {', '.join(odd)}, not in `needs` or `wants`")


def check_inputs_exist(case: Case) -> None:
    """Every input is a feature that some installed plugin gives; a misspelt one would be unknown for everybody."""
    faults = list(case.there.never_given(case.names))
    must(not faults, "; ".join(faults))


def check_values_are_written_as_given(case: Case) -> None:
    """The reference patient and the examples have values as features have them: an allele pair has REF first."""
    tried = {f"reference({target!r})": case.predictor.reference(target) for target in case.predictor.gives}
    tried.update({f"examples()[{rank}]": row for rank, row in enumerate(case.own_examples())})
    for what, row in tried.items():
        for name, value in row.items():
            try:
                meant = written(case.there.steps, name, value)
            except InputError as error:
                raise Broken(f"{what}: {error}") from error
            must(meant == value, f"{what}: {name!r} is never {value!r}, it is written {meant!r}")


def check_output_is_sound(case: Case) -> None:
    """The predictions are the table: one row a patient and target, finite, in range, in the unit, somebody assessed."""
    said = case.predict(case.frame)
    known = said.filter(status="assessed")
    must(known.height, "nobody is assessed, not even the reference patient")
    must(known["value"].is_finite().all(), "a value is not finite")
    odd = known.filter(pl.col("unit") != case.predictor.card.unit)
    must(odd.is_empty(), f"unit {odd['unit'].first()!r} is not the card's {case.predictor.card.unit!r}")
    apart = known.filter((pl.col("low") > pl.col("value")) | (pl.col("high") < pl.col("value")))
    must(apart.is_empty(), "a value lies outside its own interval (low, high)")


def check_reads_only_what_it_declares(case: Case) -> None:
    """Columns that are not declared make no difference."""
    noise = {f"undeclared:{number}": pl.lit(1e9) for number in range(3)}
    common = {name: pl.lit(None) for name in ("age", "sex", "weight", "height", "ancestry") if name not in case.names}
    _must_be_same(case, case.frame.with_columns(**noise, **common), "undeclared columns change what it says")
    filled = {name: pl.lit(42.0) if name in {"age", "weight", "height"} else pl.lit("female") for name in common}
    _must_be_same(case, case.frame.with_columns(**filled), "it reads a column that it does not declare")


def check_missing_input_is_not_assessed(case: Case) -> None:
    """Blank one patient's value of an input that is needed: that patient is not assessed, the others as before."""
    whole = case.predict(case.frame)
    first = pl.col("patient_id") == case.frame["patient_id"][0]
    for name in case.predictor.needs:
        said = _without(case, case.frame.with_columns(pl.when(~first).then(pl.col(name)).alias(name)), name)
        guessed = said.filter(first, status="assessed")
        must(guessed.is_empty(), f"assessed without {name!r}, which it needs")
        must(said.filter(~first).equals(whole.filter(~first)), f"blanking {name!r} of one patient changes another's")


def check_nothing_known_is_not_assessed(case: Case) -> None:
    """A patient of whom nothing is known gets no value."""
    nothing = pl.DataFrame({"patient_id": ["nobody"]}).with_columns(pl.lit(None).alias(name) for name in case.names)
    for frame in (nothing, case.frame.head(1).with_columns(
            pl.lit(None, dtype=case.frame.schema[name]).alias(name) for name in case.names)):
        guessed = _without(case, frame, "all inputs").filter(status="assessed")
        must(guessed.is_empty(), f"{guessed['target'].to_list()[:3]} assessed with nothing known")


def _without(case: Case, frame: pl.DataFrame, name: str) -> pl.DataFrame:
    """Predictions where something is unknown, which must be as sound as all others."""
    try:
        return case.predict(frame)
    except PmedError as error:
        raise Broken(f"without {name}: {error}; say `not-assessed` and why (verdicts.needs)") from error


def check_null_genotype_is_not_reference(case: Case) -> None:
    """A genotype that is not known is not read as the reference patient's, where another one would matter."""
    for name in filter(is_genetic, case.names):
        targets = [target for target in case.predictor.gives if name in case.predictor.reference(target)]
        read = _read_as_reference(case, name, targets)
        if read and _matters(case, name, read):
            raise Broken(f"{name!r} unknown gives the same as the reference value {case.base[name]!r} for {read[0]}, "
                         "and other values do not")


def _read_as_reference(case: Case, name: str, targets: list[str]) -> list[str]:
    """Targets that are assessed alike with the reference value and with none."""
    value = case.base[name]
    if value is None or not targets:
        return []
    said = _values(case, [value, None], name, targets)
    return [target for target in targets if said[0][target] is not None and said[0][target] == said[1][target]]


def _matters(case: Case, name: str, targets: list[str]) -> bool:
    """Whether any other value of a genome leads to another prediction."""
    said = _values(case, [case.base[name], *case.genetic_values(name)], name, targets)
    return any(one[target] is not None and one[target] != said[0][target] for one in said[1:] for target in targets)


def _values(case: Case, values: list[Any], name: str, targets: list[str]) -> list[dict[str, float | None]]:
    frame = case.table([{**case.base, name: value} for value in values])
    said = case.predict(frame).filter(pl.col("target").is_in(targets))
    by_patient = [said.filter(patient_id=one) for one in frame["patient_id"]]
    return [dict(zip(one["target"], one["value"], strict=True)) for one in by_patient]


def check_batch_equals_one_by_one(case: Case) -> None:
    """A patient's answer does not depend on who else is in the batch."""
    alone = pl.concat(case.predict(case.frame[rank]) for rank in range(case.frame.height))
    must(tidy(alone).equals(case.predict(case.frame)), "a batch gives something else than its patients one by one")


def check_order_and_chunks_do_not_matter(case: Case) -> None:
    """Reversed rows, and frames in several chunks, give the same answers."""
    _must_be_same(case, case.frame.reverse(), "the order of the rows changes what it says")
    pieces = pl.concat([case.frame[:1], case.frame[1:]], rechunk=False)
    _must_be_same(case, pieces, "a frame in two chunks gives something else")
    twice = pl.concat([case.frame, case.frame.with_columns(patient_id="again-" + pl.col("patient_id"))])
    said = case.predict(twice).filter(~pl.col("patient_id").str.starts_with("again-"))
    must(said.equals(case.predict(case.frame)), "more patients change what it says of the others")


def check_is_deterministic(case: Case) -> None:
    """The same question gives the same answer, whatever the state of the random generators."""
    import numpy as np

    state, legacy = random.getstate(), np.random.get_state()
    try:
        first = case.predict(case.frame)
        random.seed(1)
        np.random.seed(1)
        _must_be_same(case, case.frame, "the same question gives another answer", first)
    finally:
        random.setstate(state)
        np.random.set_state(legacy)


def check_input_is_not_changed(case: Case) -> None:
    """The frame that is handed over stays as it was; so do the options."""
    frame, options = case.frame.clone(), asdict(case.component.made)
    case.predictor.predict(frame)
    must(frame.equals(case.frame) and frame.columns == case.frame.columns, "predict() changes its input")
    must(asdict(case.component.made) == options, "predict() changes the predictor")


def check_empty_frame(case: Case) -> None:
    """No patients in, no rows out, same columns."""
    must(case.predict(case.frame.clear()).is_empty(), "no patients give rows")
    said, whole = (case.predictor.predict(frame) for frame in (case.frame.clear(), case.frame))
    must(said.schema == whole.schema, "the columns of an empty answer are not those of a full one")


def check_mixtures_are_assessed(case: Case) -> None:
    """Whoever is assessed, also with an input unknown, is assessed as any mixture with the reference patient."""
    if case.has_own_explainer:
        return
    frame, blank = _with_blanks(case)
    said = case.predict(frame).filter(status="assessed")
    for target in case.predictor.gives:
        most = _MOST_HYBRIDS >> len(case.predictor.reference(target))
        rows = said.filter(target=target).head(most)
        if rows.is_empty():
            continue
        for patient, reason in shapley.undecided(case.predictor, frame, rows).rows()[:1]:
            raise Broken(
                f"{target}: a patient {blank[patient]} is assessed, and mixed with the reference patient is not "
                f"({reason}), so that the report has one bar for all inputs. Make one feature of inputs that decide "
                "together, by a step (register_features), unknown only where that matters; or bring an explainer "
                '(choose_explainer). An unknown that is filled with "no" would be a guess')


def _with_blanks(case: Case) -> tuple[pl.DataFrame, dict[str, str]]:
    """The patients as they are and with each input unknown in turn; and by id, what was blanked."""
    frames, blank = [case.frame], dict.fromkeys(case.frame["patient_id"], "of whom all is known")
    for rank, name in enumerate(case.names):
        ids = pl.format("{}-without-{}", "patient_id", pl.lit(rank))
        frames.append(case.frame.with_columns(pl.lit(None, dtype=case.frame.schema[name]).alias(name), patient_id=ids))
        blank.update(dict.fromkeys(frames[-1]["patient_id"], f"with {name} unknown"))
    return pl.concat(frames), blank


def check_explanation_adds_up(case: Case) -> None:
    """Every assessed row is explained, and the parts add up to the prediction."""
    rows, why = _explained(case)
    must(why["contribution"].is_finite().all() and why["baseline"].is_finite().all(), "a contribution is not finite")
    must(rows.join(why, on=["patient_id", "target"], how="anti").is_empty(), "an assessed row has no explanation")


def check_explanation_is_of_declared_inputs(case: Case) -> None:
    """Nothing is explained by what the predictor does not declare."""
    odd = sorted(set(_explained(case)[1]["feature"]) - {*case.names, TOGETHER})
    must(not odd, f"explained by {', '.join(odd)}, which it does not declare")


def _explained(case: Case) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What is assessed, and why.

    Raises:
        Broken: where the explanation fails.
    """
    before = len(case.plugins.failures)
    rows = case.predict(case.frame).filter(status="assessed")
    made = explaining.explain(case.plugins, [case.component], {case.component.name: case.frame}, rows)
    new = case.plugins.failures[before:]
    must(not new, "; ".join(map(str, new)))
    return rows, made["explanations"]


def check_can_be_written(case: Case) -> None:
    """Card, options and predictions go to JSON and back."""
    card = asdict(case.predictor.card)
    back = msgspec.json.decode(msgspec.json.encode(card))
    must(msgspec.json.encode(back) == msgspec.json.encode(card), "the card does not come back from JSON")
    said = case.predict(case.frame)
    again = pl.read_json(said.write_json().encode(), schema=said.schema)
    must(said.equals(again), "the predictions do not come back from JSON")


def check_hostile_text(case: Case) -> None:
    """Markup and odd characters in a text input are a value like another: no error, no value made of them."""
    texts = [name for name, kind in case.frame.schema.items() if kind == pl.String and name != "patient_id"]
    frame = case.frame.head(1).with_columns(pl.lit(HOSTILE).alias(name) for name in texts)
    try:
        case.predict(frame)
    except PmedError:
        raise
    except Exception as error:
        raise Broken(f"text that it does not know breaks it: {type(error).__name__}: {error}") from error


def _must_be_same(case: Case, frame: pl.DataFrame, message: str, expected: pl.DataFrame | None = None) -> None:
    whole = case.predict(case.frame) if expected is None else expected
    must(case.predict(frame).equals(whole), message)


CHECKS: Final[tuple[Callable[[Case], None], ...]] = tuple(
    value for name, value in list(globals().items()) if name.startswith("check_"))
