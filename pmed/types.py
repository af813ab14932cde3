"""What a component looks like, and the small frozen records that travel with results.

Components are frozen dataclasses: their fields are their options, nothing else is stored.
A plugin imports these from ``pmed`` and registers its classes through a hook.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, runtime_checkable

import polars as pl

from .tables import Tables

if TYPE_CHECKING:
    import shap

    from .result import Result

Kind = Literal["pharmacogenomic", "risk", "treatment-response"]
SourceKind = Literal["genome", "history", "outside-calls"]


@dataclass(frozen=True)
class Card:
    """What a reader must know before trusting a predictor.

    `modifiable` names the inputs that a patient or a clinician can change: of a risk, the report says what they add.
    `raised` is the value from which on a risk is raised; the report then does not say of a medicine that nothing speaks
    against it without naming the risk.
    """

    version: str
    summary: str
    intended_use: str
    populations: str
    references: tuple[str, ...]
    unit: str
    range: tuple[float, float]
    limits: str = ""
    modifiable: tuple[str, ...] = ()
    raised: float | None = None


@dataclass(frozen=True)
class Release:
    """One knowledge release: where facts come from, and the tables that hold them."""

    name: str
    version: str
    date: str
    licence: str
    source: str
    sha256: str
    tables: Mapping[str, pl.DataFrame] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class ReadRequest:
    """What a source is asked for.

    `sites` is a ``sites`` table with the rows of every build; `samples` limits the samples read
    (empty: all); `build` is the build the user stated, or "" where the file must tell.
    """

    sites: pl.DataFrame
    samples: tuple[str, ...] = ()
    build: str = ""
    index_date: str = ""


@dataclass(frozen=True, repr=False)
class Explanation:
    """Additive attribution of one prediction; ``baseline + sum(contributions) == prediction``."""

    patient_id: str
    predictor: str
    target: str
    features: tuple[str, ...]
    values: tuple[str, ...]
    contributions: tuple[float, ...]
    baseline: float
    prediction: float
    unit: str
    method: str
    trace: tuple[str, ...] = ()

    def to_shap(self) -> shap.Explanation:
        """The same numbers as a ``shap.Explanation`` of one row, for shap's waterfall, force and bar.

        Raises:
            PmedError: where shap is not installed.
        """
        from .notebook.shapes import as_shap

        return as_shap([self])

    def __repr__(self) -> str:
        from .notebook.display import explanation_text

        return explanation_text(self)

    def _repr_html_(self) -> str:
        from .notebook.display import explanation

        return explanation(self)


@runtime_checkable
class Source(Protocol):
    """Reads one kind of file into tables.

    A genome source may also have ``parts(paths, request, people)``, an iterator of the same tables for so many people
    at a time, together those of ``read``; large cohorts are then worked on in parts. A history source may have
    ``apart(path)``: whether a file holds whole records, so that it can be read without the other files; and
    ``parted(paths, folder, size)``: files, each of some people with all that is theirs, which are read one by one
    instead of `paths`, of about as many rows each as `size` bytes of NDJSON; none where there are not so many. It
    writes them into `folder`, and what they need; all of that is removed when they have been read. Where that takes
    long, ``pieces(paths, folder, size)``, files in `folder`, and ``go_through(piece)`` may be beside it: each piece is
    gone through by some process, and then ``parted`` is called, which finds what that wrote.
    """

    name: ClassVar[str]
    kind: ClassVar[SourceKind]

    def matches(self, path: Path) -> bool:
        """Whether this source reads that file, by name or first bytes."""
        ...

    def read(self, paths: Sequence[Path], request: ReadRequest) -> dict[str, pl.DataFrame]:
        """Read all `paths` in one go into tables named as in ``pmed.tables``."""
        ...


@runtime_checkable
class FeatureStep(Protocol):
    """Adds tables or features.

    May also have ``sites() -> pl.DataFrame`` (a ``sites`` table), ``names() -> Mapping[str, str]``: what one may
    write for a feature of its patterns → the name of that feature, and ``written(name, value) -> value``: how it
    writes a value that somebody else gives, or `InputError` where it never gives that; and ``of_medicines``, names of
    its features that rest on which medicines are taken.
    """

    name: ClassVar[str]
    needs: ClassVar[tuple[str, ...]]
    gives: ClassVar[tuple[str, ...]]

    def run(self, tables: Tables, wanted: Sequence[str]) -> dict[str, pl.DataFrame]:
        """Return new tables by name; features go into ``features``, one column each."""
        ...


@runtime_checkable
class Predictor(Protocol):
    """Turns features into predictions. `needs` are required, `wants` may be null."""

    name: ClassVar[str]
    kind: ClassVar[Kind]
    needs: ClassVar[tuple[str, ...]]
    wants: ClassVar[tuple[str, ...]]
    gives: ClassVar[tuple[str, ...]]
    card: ClassVar[Card]

    def reference(self, target: str) -> Mapping[str, Any]:
        """The reference patient: every feature `target` depends on, with its reference value."""
        ...

    def predict(self, features: pl.DataFrame) -> pl.DataFrame:
        """One row a patient and target, as the ``predictions`` table without ``predictor``."""
        ...


@dataclass(frozen=True)
class Scored:
    """Polygenic scores of a cohort.

    Attributes:
        table: A row for each sample and score: sample, score, sum (null where too little is known of the person),
            matched, variants, imputed, left_out, sum_sd (standard deviation of the sum by the imputed genotypes).
        matches: A row for each row of the scoring files, with its record, match type and status.
    """

    table: pl.DataFrame
    matches: pl.DataFrame

    def counts(self, score: str) -> dict[str, int]:
        """How many rows of a score have which status."""
        return dict(self.matches.filter(score=score).group_by("status").len().sort("status").iter_rows())


@runtime_checkable
class Scorer(Protocol):
    """Adds up scoring files over whole genomes."""

    name: ClassVar[str]

    def score(self, genome: Sequence[Path], scorefiles: Sequence[Path], *, build: str = "",
              progress: Callable[[str], None] = ...) -> Scored:
        """Scores of everybody in the files; `build` is for genomes that do not say theirs."""
        ...


@runtime_checkable
class Explainer(Protocol):
    """Makes ``explanations`` rows for what a predictor said."""

    name: ClassVar[str]

    def explain(self, predictor: Predictor, features: pl.DataFrame, predictions: pl.DataFrame) -> pl.DataFrame:
        """Explain every assessed row of `predictions`."""
        ...


@runtime_checkable
class Adviser(Protocol):
    """Turns predictions into suggestions about drugs."""

    name: ClassVar[str]
    needs: ClassVar[tuple[str, ...]]

    def advise(self, tables: Tables) -> pl.DataFrame:
        """A ``suggestions`` table without ``adviser``."""
        ...


@dataclass(frozen=True)
class Box:
    """What one plugin's section says of one patient, safe to be put into a page.

    Attributes:
        name: The section's.
        title: Its heading, not escaped.
        plugin: Who brings it.
        version: Of the plugin.
        markup: Sanitised, with classes for `style`.
        plain: The same without classes, for readers without shadow roots.
        style: For the section's shadow root.
        error: The type of the error, where it failed.
    """

    name: str
    title: str
    plugin: str
    version: str
    markup: str = ""
    plain: str = ""
    style: str = ""
    error: str = ""


@runtime_checkable
class Section(Protocol):
    """Adds a section to the HTML report, after the risks. May have ``style``: CSS for its own markup."""

    name: ClassVar[str]
    title: ClassVar[str]
    needs: ClassVar[tuple[str, ...]]

    def render(self, tables: Tables, patient_id: str) -> str | Mapping[str, Any] | None:
        """HTML, or names and values as a dict; None where there is nothing to say of this patient.

        `tables` are those of `needs`, with the patient's rows.
        """
        ...


@runtime_checkable
class Exporter(Protocol):
    """Writes a result in one format; `suffix` is the file name's ending, "" where the format is a folder of files."""

    name: ClassVar[str]
    suffix: ClassVar[str]

    def export(self, result: Result) -> bytes | Mapping[str, bytes]:
        """The whole file, or a folder's files by name; the host writes them."""
        ...
