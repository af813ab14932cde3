"""What all scores of this plugin share: one equation, its inputs, whom it is for, and the rows that follow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from pmed import Card
from pmed.tables import FEW, TABLES, distinct
from pmed.verdicts import all_reasons, inputs, needs, number, outside, predictions, steps

from .findings import ASKED, UNREAD, as_step, assumed, unsettled, with_assumed
from .published import Field, Published

Floats = npt.NDArray[np.float64]
_ROWS: Final = {name: column.dtype for name, column in TABLES["predictions"].columns.items() if name != "predictor"}
_SEXES: Final = ("male", "female")


@dataclass(frozen=True)
class Equation:
    """One equation and what surrounds it.

    Attributes:
        target: What is predicted.
        compute: Arrays by feature → values. Flags come as 0 or 1, `sex` as ``female``, words as their place in `words`.
        reference: The reference patient: every feature that is explained, with its value, which also says its type.
        told: Further features that must be known and are not explained, each with an example.
        maybe: Further features that may be unknown, each with an example.
        reasons: Further reasons not to assess: texts, null where there is none.
        opened: Features of the record of which ``x-found`` says what leaves them unknown.
        limits: Feature → low, high, unit: outside, the equation was not validated.
        words: Text feature → the words it may be.
        topic: Features of which one must be known, or the score has nothing to say of this patient.
        only: Feature that must be true, with the reason why the score does not apply otherwise.
        refused: Features that must not be true, with the reason.
        fields: Inputs by their published names.
        assumed: Features of published inputs that count as such where they are not given.
        outputs: Names of the value among published results.
        labels: From that value on: what it means; the highest first.
    """

    target: str
    compute: Callable[[Mapping[str, Floats]], Floats]
    reference: Mapping[str, Any]
    topic: tuple[str, ...]
    fields: Mapping[str, Field]
    outputs: tuple[str, ...] = ("score", "value")
    limits: Mapping[str, tuple[float, float, str]] = field(default_factory=dict)
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    only: Mapping[str, str] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    assumed: Mapping[str, Any] = field(default_factory=dict)
    labels: tuple[tuple[float, str], ...] = ()
    told: Mapping[str, Any] = field(default_factory=dict)
    maybe: Mapping[str, Any] = field(default_factory=dict)
    reasons: tuple[pl.Expr, ...] = ()
    opened: tuple[str, ...] = ()

    @property
    def required(self) -> dict[str, Any]:
        """Every feature that must be known, with an example."""
        return {**self.reference, **self.told}

    @property
    def read(self) -> dict[str, Any]:
        """Every feature, with an example."""
        return {**self.required, **self.maybe}

    @property
    def positive(self) -> list[str]:
        """Numbers without limits, which must be above 0."""
        return [name for name, example in self.read.items()
                if isinstance(example, float) and example > 0 and name not in self.limits]

    def label(self, value: float | None) -> str | None:
        """What a value means; one that is no number is above all others, as polars has it."""
        return None if value is None else next(
            (words for low, words in self.labels if value >= low or value != value), None)  # noqa: PLR0124 - NaN

    @cached_property
    def numbers(self) -> list[pl.Expr]:
        """Every feature as a number."""
        return [_number(name, example, self) for name, example in self.read.items()]


@dataclass(frozen=True)
class Score(Published):
    """Base of the scores; a score is a name, a card and an `Equation`."""

    name: ClassVar[str]
    kind: ClassVar[Any] = "risk"
    needs: ClassVar[tuple[str, ...]]
    wants: ClassVar[tuple[str, ...]] = ()
    gives: ClassVar[tuple[str, ...]]
    card: ClassVar[Card]
    equation: ClassVar[Equation]

    def __init_subclass__(cls) -> None:
        """Declare what the equation needs and gives."""
        cls.needs, cls.gives = tuple(cls.equation.required), (cls.equation.target,)
        cls.wants = (*cls.equation.maybe, *([UNREAD] if {*ASKED} & {*cls.equation.read} else []),
                     *_companions(cls.equation))
        cls.fields, cls.outputs = cls.equation.fields, cls.equation.outputs
        cls.assumed, cls.implied = cls.equation.assumed, tuple(cls.equation.only)

    def reference(self, target: str) -> Mapping[str, Any]:
        """The reference patient of the equation."""
        return self.equation.reference if target == self.equation.target else {}

    def examples(self) -> list[Mapping[str, Any]]:
        """A patient who can be assessed, for those who try the score out."""
        return [{**self.equation.reference, **self.equation.told}]

    def predict(self, features: pl.DataFrame) -> pl.DataFrame:
        """One row a patient: the value, or why there is none."""
        about = self.equation
        frame = self._typed(features)
        with np.errstate(all="ignore"):  # what cannot be computed is of a row that has a reason, and no value
            value = pl.Series("value", about.compute(self._given(frame)), dtype=pl.Float64)
        apart, reasons = against(frame, about)
        silent = frame.select(apart=apart).to_series() if apart is not None else None
        told = [one for one in (silent, reasons) if one is not None]
        made = self._of_few if frame.height <= FEW else self._of_many
        rows = made(frame.hstack([value]), pl.coalesce(told) if told else None, silent)
        return with_assumed(rows, assumed(frame, about.read))

    def _of_many(self, frame: pl.DataFrame, reason: pl.Expr | None, silent: pl.Series | None) -> pl.DataFrame:
        """The rows for a frame with `value`; those of which there is nothing to say are not applicable."""
        about = self.equation
        label = pl.coalesce(pl.when(pl.col("value") >= low).then(pl.lit(words)) for low, words in about.labels) \
            if about.labels else None
        rows = predictions(frame, target=about.target, value=pl.col("value"), unit=self.card.unit,
                           reason=pl.lit(None) if reason is None else reason, label=label)
        return rows if silent is None or silent.null_count() == rows.height else rows.with_columns(
            status=pl.when(silent.is_not_null()).then(pl.lit("not-applicable")).otherwise("status"))

    def _of_few(self, frame: pl.DataFrame, reason: pl.Expr | None, silent: pl.Series | None) -> pl.DataFrame:
        """The same, without the expressions: for a patient to set them up takes longer than to look."""
        about, many = self.equation, frame.height
        reasons = [None] * many if reason is None else frame.select(reason.cast(pl.String)).to_series().to_list()
        apart = silent.to_list() if silent is not None else [None] * many
        values = [None if why is not None else value
                  for value, why in zip(frame["value"].to_list(), reasons, strict=True)]
        status = ["assessed" if why is None else "not-assessed" if one is None else "not-applicable"
                  for why, one in zip(reasons, apart, strict=True)]
        return pl.DataFrame({
            "patient_id": frame["patient_id"], "target": [about.target] * many, "value": values,
            "unit": [self.card.unit] * many, "low": [None] * many, "high": [None] * many,
            "label": [about.label(value) for value in values], "status": status, "reason": reasons}, schema=_ROWS)

    def trace(self, features: pl.DataFrame, predictions: pl.DataFrame) -> pl.DataFrame:
        """The inputs one by one, and the result."""
        wanted = predictions.filter((pl.col("target") == self.equation.target) & (pl.col("status") == "assessed"))
        frame = self._typed(features).join(wanted.select("patient_id", "value", "reason"), on="patient_id",
                                           maintain_order="left")
        about = self.equation
        # What only refuses, and is no input by the publication, is not told where it does not.
        silent = {*about.refused} - {one.feature for one in about.fields.values()}
        texts = [pl.format(f"{name}: {{}}.", _shown(name, example)) for name, example in about.read.items()
                 if name not in silent]
        last = pl.format(f"{self.card.summary.rstrip('.')}: {{}} {self.card.unit} "
                         f"({', '.join(self.card.references)}).", number(pl.col("value"), 2))
        return steps(frame, target=self.equation.target, texts=[*texts, as_step(), last])

    def _given(self, frame: pl.DataFrame) -> Mapping[str, Floats]:
        return arrays(frame, self.equation)

    def _typed(self, features: pl.DataFrame) -> pl.DataFrame:
        unread = {UNREAD: ""} if UNREAD in self.wants else {}
        frame = inputs(features, {**self.equation.read, **unread, **dict.fromkeys(_companions(self.equation), "")})
        # a birthday is not over before the next: 69.9 years are 69
        return frame.with_columns(pl.col("age").floor()) if "age" in frame.columns else frame


def _companions(about: Equation) -> tuple[str, ...]:
    return tuple(f"{name}-found" for name in about.opened)


def arrays(frame: pl.DataFrame, about: Equation) -> dict[str, Floats]:
    """Every input as numbers; an unknown flag or word as 0, as its row has a reason and no value."""
    if frame.height <= FEW:
        return {"female" if name == "sex" else name: _numbers(frame[name].to_list(), name, example, about)
                for name, example in about.read.items()}
    numbers = frame.select(about.numbers)
    return {column.name: column.to_numpy() for column in numbers.get_columns()}


def against(frame: pl.DataFrame, about: Equation) -> tuple[pl.Expr | None, pl.Expr | None]:
    """Why the score has nothing to say of rows, and why rows have no value, in words; None where no row has a reason.

    Only inputs that some row lacks, or has outside of what the equation knows, are put in words: those of all take
    several times as long as the value.
    """
    missing = [name for name in about.required if frame[name].null_count()]
    kind = [pl.when(~pl.col(name)).then(pl.lit(why)) for name, why in about.only.items() if not frame[name].all()]
    silent = [pl.when(pl.all_horizontal(pl.col(name).is_null() for name in about.topic)).then(needs(missing))] \
        if missing and all(frame[name].null_count() for name in about.topic) else []
    reasons = [*([needs(missing)] if missing else []),
               *(unsettled(name) for name in about.opened if name in missing), *_strange(frame, about),
               *(pl.when(name).then(pl.lit(why)) for name, why in about.refused.items() if frame[name].any()),
               *(pl.when(pl.col(name) <= 0).then(pl.format(f"{name} is {{}}, which cannot be", number(pl.col(name))))
                 for name in about.positive if not _inside(frame[name], None)),
               *(outside(name, *limit) for name, limit in about.limits.items() if not _inside(frame[name], limit)),
               *(why for why in about.reasons if frame.select(why).to_series().null_count() < frame.height)]
    return pl.coalesce(*kind, *silent) if kind or silent else None, all_reasons(*reasons) if reasons else None


def _strange(frame: pl.DataFrame, about: Equation) -> list[pl.Expr]:
    """Words that the equation does not know."""
    words = {name: known for name, known in {"sex": _SEXES, **about.words}.items() if name in about.read}
    return [pl.when(~pl.col(name).is_in(list(known))).then(
        pl.format(f"{name} is recorded as {{}}: the equation knows {', '.join(known)} only", name))
        for name, known in words.items() if distinct(frame[name]).difference((*known, None))]


def _inside(column: pl.Series, limit: tuple[float, float, str] | None) -> bool:
    """Whether all numbers are within the limits; above 0 where there are none."""
    least, most = (float(one) if one is not None else None for one in (column.min(), column.max()))  # type: ignore[arg-type]
    if least is None or most is None:
        return True
    return least > 0 if limit is None else limit[0] <= least and most <= limit[1]


def _number(name: str, example: Any, about: Equation) -> pl.Expr:
    column = pl.col(name)
    if isinstance(example, str):
        places = {word: place for place, word in enumerate(_SEXES if name == "sex" else about.words[name])}
        column = column.replace_strict(places, default=0, return_dtype=pl.Float64)
    elif isinstance(example, bool):
        column = column.fill_null(value=False).cast(pl.Float64)
    return column.fill_null(float("nan")).alias("female" if name == "sex" else name)


def _numbers(values: list[Any], name: str, example: Any, about: Equation) -> Floats:
    """The same of few."""
    if isinstance(example, str):
        words = _SEXES if name == "sex" else about.words[name]
        return np.array([words.index(one) if one in words else 0 for one in values], dtype=np.float64)
    if isinstance(example, bool):
        return np.array([bool(one) for one in values], dtype=np.float64)
    return np.array([np.nan if one is None else one for one in values], dtype=np.float64)


def _shown(name: str, example: Any) -> pl.Expr:
    if isinstance(example, bool):
        return pl.when(name).then(pl.lit("yes")).otherwise(pl.lit("no, or not in the record"))
    return number(pl.col(name), 2) if isinstance(example, float) else pl.col(name)
