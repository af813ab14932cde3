"""Predictor ``hiv-nrti-response``: the effect of the best treatment of ACTG 175, by the honesty gate. Research use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, Final

import numpy as np
import polars as pl

from pmed import Card
from pmed.errors import InputError
from pmed.modelling import Model, effect, load_model
from pmed.verdicts import all_reasons, inputs, needs, number, outside, predictions, steps

from .actg175 import AFTER, FEATURES, HORIZON
from .nrti_model import CITATION, NAME, SHIPPED, UNIT

TARGET: Final = "hiv-event-free-days-gained"
PREFIX: Final = "actg175:"
AVERAGE: Final = "average effect, the same for everybody: no reliable difference between patients was found"
_MUST: Final = ("age", "cd40")
#: A common patient of the trial; it says the type of each input.
TYPICAL: Final[Mapping[str, float]] = {
    "age": 34.0, "wtkg": 74.0, "hemo": 0.0, "homo": 1.0, "drugs": 0.0, "karnof": 100.0, "oprior": 0.0, "z30": 1.0,
    "preanti": 142.0, "race": 0.0, "gender": 1.0, "str2": 1.0, "strat": 2.0, "symptom": 0.0, "cd40": 340.0,
    "cd80": 893.0}
REFERENCE: Final[Mapping[str, Any]] = {PREFIX + name: value for name, value in TYPICAL.items()}


@dataclass(frozen=True)
class NrtiResponse:
    """Days without event up to day 900 that the best treatment of ACTG 175 gains over zidovudine alone."""

    name: ClassVar[str] = NAME
    kind: ClassVar[Any] = "treatment-response"
    needs: ClassVar[tuple[str, ...]] = tuple(PREFIX + name for name in _MUST)
    wants: ClassVar[tuple[str, ...]] = tuple(PREFIX + name for name in FEATURES if name not in _MUST)
    gives: ClassVar[tuple[str, ...]] = (TARGET,)
    card: ClassVar[Card] = Card(
        version="1.0",
        summary="Research use. What the best nucleoside treatment of the trial ACTG 175 gained over zidovudine alone.",
        intended_use="Research use: a worked example of treatment effects that say when patients cannot be told "
                     "apart. Not for anybody's care.",
        populations="2,139 people with HIV, CD4 count 200 to 500 per mm3, no AIDS, 1991 to 1995.",
        references=(CITATION,),
        unit=UNIT,
        range=(-HORIZON, HORIZON),
        limits="None of these treatments is given today. Everybody is given the average effect, as treatment by "
               "predicted effect gained nothing that can be relied on; `pmed model card hiv-nrti-response` has the "
               "numbers. Values measured after randomisation are refused.")

    @property
    def accepts(self) -> tuple[str, ...]:
        """Inputs by the names of the trial's file; also those that are refused, so that the reason can be said."""
        return (*FEATURES, *AFTER)

    def read_input(self, item: Mapping[str, Any]) -> dict[str, Any]:
        """Features of one object of inputs.

        Raises:
            InputError: naming the input that was measured after randomisation, or is no number.
        """
        return {PREFIX + name: _read(name, value) for name, value in item.items() if _known(name, value)}

    def reference(self, target: str) -> Mapping[str, Any]:  # noqa: ARG002 - there is one target
        """A common patient of the trial."""
        return REFERENCE

    def predict(self, features: pl.DataFrame) -> pl.DataFrame:
        """One row a patient: days gained with their interval; `not-applicable` where nothing of the trial is known."""
        frame = inputs(features, REFERENCE)
        nothing = frame.select(pl.all_horizontal(pl.col(name).is_null() for name in REFERENCE)).to_series()
        reason = frame.select(reason=all_reasons(*_reasons(known=not nothing.all()))).to_series()
        said = pl.select(pl.when(nothing).then(pl.lit("nothing is known of the trial's inputs"))
                         .otherwise(reason)).to_series()
        frame = frame.with_columns(said.alias("_reason"))
        frame = frame.hstack(_recommended(frame, frame["_reason"].is_null()))
        rows = predictions(frame, target=TARGET, value=pl.col("_effect"), unit=UNIT, reason=pl.col("_reason"),
                           label=pl.col("_arm"))
        return rows.with_columns(frame["_low"].alias("low"), frame["_high"].alias("high"),
                                 status=pl.when(nothing).then(pl.lit("not-applicable")).otherwise("status"))

    def trace(self, features: pl.DataFrame, predictions: pl.DataFrame) -> pl.DataFrame:
        """What was known, what the gate says, and the result."""
        wanted = predictions.filter(pl.col("status") == "assessed").select("patient_id", "value", "label")
        frame = inputs(features, REFERENCE).join(wanted, on="patient_id", maintain_order="right")
        texts = [pl.format(f"{name.removeprefix(PREFIX)}: {{}}.", number(pl.col(name))) for name in REFERENCE]
        said = pl.lit(f"{report().sentence(UNIT)} Learned from {model().card.n} patients of ACTG 175 (version "
                      f"{model().card.version}).")
        last = pl.format(f"{{}}: {{}} {UNIT} without event gained up to day {HORIZON:.0f}, compared with "
                         f"{report().versus}. Research use.", "label", number(pl.col("value")))
        return steps(frame, target=TARGET, texts=[*texts, said, last])


@dataclass(frozen=True)
class NrtiExplainer:
    """SHAP of the effect, in days; where the gate is closed nothing moves it, and each bar is zero."""

    name: ClassVar[str] = "hiv-nrti-effect-shap"

    def explain(self, predictor: Any, features: pl.DataFrame, predictions: pl.DataFrame) -> pl.DataFrame:  # noqa: ARG002
        """A row for each input of every row of `predictions`."""
        wanted = predictions.select("patient_id", "label", _prediction="value")
        asked = inputs(features, REFERENCE).join(wanted, on="patient_id", how="right", maintain_order="right")
        values, baseline = _moved(asked)
        method = "TreeSHAP of the effect, against the average of the training rows" if report().open else AVERAGE
        parts = [asked.select("patient_id", feature=pl.lit(PREFIX + name), value=number(pl.col(PREFIX + name)),
                              contribution=pl.Series(values[:, place]), baseline=pl.Series(baseline),
                              prediction="_prediction")
                 for place, name in enumerate(FEATURES)]
        return pl.concat(parts).with_columns(
            reference=pl.lit(None, dtype=pl.String), target=pl.lit(TARGET), unit=pl.lit(UNIT), method=pl.lit(method))


@lru_cache(maxsize=1)
def model() -> Model:
    """The model of this package, read once."""
    return load_model(SHIPPED)


@lru_cache(maxsize=1)
def report() -> effect.EffectReport:
    """What was found when it was trained, with the gate."""
    return effect.effect_report(model())


def _recommended(frame: pl.DataFrame, asked: pl.Series) -> pl.DataFrame:
    """``_arm``, ``_effect``, ``_low``, ``_high`` for the rows that are asked for, null for the others."""
    schema = {"_row": pl.UInt32, "_arm": pl.String, "_effect": pl.Float64, "_low": pl.Float64, "_high": pl.Float64}
    made = pl.DataFrame(schema=schema)
    if asked.any():
        found = effect.recommend(effect.effect_model(model()), report(), _named(frame.filter(asked)))
        made = found.select(_row=asked.arg_true().cast(pl.UInt32), _arm="arm", _effect="effect", _low="low",
                            _high="high")
    return frame.select(pl.int_range(pl.len(), dtype=pl.UInt32).alias("_row")).join(
        made, on="_row", how="left", maintain_order="left").drop("_row")


def _moved(asked: pl.DataFrame) -> tuple[np.ndarray[Any, np.dtype[np.float64]], np.ndarray[Any, np.dtype[np.float64]]]:
    """Contribution of each input (rows × inputs) and baseline of each row."""
    values, baseline = np.zeros((asked.height, len(FEATURES))), asked["_prediction"].to_numpy().copy()
    if report().open:
        baseline = np.zeros(asked.height)
        learned = effect.effect_model(model())
        for arm in learned.arms[1:]:  # who is best off with the first arm gains nothing, and nothing moves that
            mine = (asked["label"] == arm).arg_true().to_numpy()
            if len(mine):
                values[mine], baseline[mine] = effect.effect_contributions(learned, _named(asked[mine]), arm)
    return values, baseline


def _named(frame: pl.DataFrame) -> pl.DataFrame:
    """The inputs by the names that the model knows, in its order."""
    return frame.select(pl.col(PREFIX + name).alias(name) for name in FEATURES)


def _reasons(*, known: bool) -> list[pl.Expr]:
    """What keeps a patient from being assessed; the model's ranges are asked for only where something is known."""
    shown = {PREFIX + name: name for name in _MUST}
    if not known:
        return [needs(tuple(shown), shown)]
    seen = model().encoding().columns
    return [needs(tuple(shown), shown),
            *(outside(PREFIX + one.name, one.low, one.high, "(the range of the training rows)") for one in seen)]


def _known(name: str, value: Any) -> bool:
    """Whether an input says something; what was measured after randomisation is refused even if it does not."""
    if name in AFTER:
        raise InputError(f"is {AFTER[name]}, known only after randomisation: it tells the outcome", where=name,
                         hint="leave it out; inputs are what was known on the day of randomisation")
    return value is not None


def _read(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"must be a number. Got {value!r}", where=name, hint="leave out what is not known")
    return float(value)
