"""One run: read → normalise → features → predict → explain → advise. A patient is a cohort of one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from .collecting import lasting, uncollected
from .errors import OptionError
from .flow import inputs, upstream
from .genomics.sex import sexes
from .handover import LateTables
from .normalise.vocabulary import own_release
from .plugins import Component, Plugins
from .processors import one_processor
from .provenance import describe_inputs, describe_knowledge, describe_predictors, describe_run
from .result import Result
from .settings import Settings
from .stages import advise as advising
from .stages import explain as explaining
from .stages import features as feature_stage
from .stages import link as linking
from .stages import normalise as normalising
from .stages import predict as predicting
from .stages import read as reading
from .tables import Tables, distinct
from .types import ReadRequest

Options = Mapping[str, Mapping[str, Any]]
Progress = Callable[[str], None]
Files = str | Path | Iterable[str | Path]


# What a run tells its `progress` in this order, each when it begins; a bar knows from it how far the run is.
STEPS = ("reading records", "reading genomes", "working out features", "predicting", "explaining", "advising")
FEW = 32  # patients and genomes: so many are worked on by one processor
SMALL = 1 << 20  # bytes of all files; so much is read by one processor


def _silent(_: str) -> None:
    """Report progress to nobody."""


@dataclass(frozen=True)
class _Predicted:
    """Tables up to the predictions, the predictors `asked` for them with their feature frames, and what these said."""

    tables: dict[str, pl.DataFrame]
    frames: dict[str, pl.DataFrame]
    asked: Sequence[Component]
    predictions: pl.DataFrame


@dataclass(frozen=True)
class Engine:
    """The components of one run, built once from the loaded plugins."""

    plugins: Plugins
    sources: Sequence[Component]
    knowledge: Sequence[Component]
    steps: Sequence[Component]
    predictors: Sequence[Component]
    advisers: Sequence[Component]
    drug_names: pl.DataFrame
    drug_classes: pl.DataFrame
    progress: Progress = field(default=_silent)
    any_sex: bool = False

    @classmethod
    def start(cls, settings: Settings, progress: Progress = _silent, *, concluding: bool = True) -> Engine:
        """Load the installed plugins and build their components.

        Without `concluding` there are no predictors and advisers, unless options might be theirs.
        """
        with lasting():
            plugins = Plugins.of(settings).load()
            return cls.using(plugins, progress, concluding=concluding or bool(settings.options))

    @classmethod
    def using(cls, plugins: Plugins, progress: Progress = _silent, *, concluding: bool = True) -> Engine:
        """Build the components of plugins that are loaded already."""
        sources, steps = (plugins.components(f"register_{what}") for what in ("sources", "features"))
        predictors, advisers = (plugins.components(f"register_{what}") if concluding else []
                                for what in ("predictors", "advisers"))
        plugins.must_know_options()
        own = own_release()
        knowledge = [*plugins.releases(), *([Component(own.name, own, "pmed", "-")] if own else [])]
        releases = [component.made for component in knowledge]
        names, classes = (normalising.vocabulary(releases, name) for name in ("drug_names", "drug_classes"))
        return cls(plugins, sources, knowledge, steps, predictors, advisers, names, classes, progress)

    def read(self, genome: Sequence[Path], history: Sequence[Path], request: ReadRequest, pairs: Mapping[str, str],
             outside: Sequence[Path] = ()) -> dict[str, pl.DataFrame]:
        """All files into tables: genome and record joined, drugs and units understood."""
        self.progress("reading records")
        records = reading.read(self.sources, "history", history, request)
        self.progress("reading genomes")
        genes = reading.read(self.sources, "genome", genome, request)
        others = reading.read(self.sources, "outside-calls", outside, request)
        made = self.joined(records, genes, others, pairs, {*pairs, *request.samples})
        told = linking.alike([*made["patients"]["patient_id"], *made["samples"]["patient_id"]])
        if not told:
            return made
        alike = normalising.untold(linking.told_alike(told), made["issues"])
        return {**made, "issues": pl.concat([made["issues"], alike])}

    def parts(self, genome: Sequence[Path], request: ReadRequest,
              outside: Sequence[Path]) -> Iterator[dict[str, pl.DataFrame]]:
        """Genomes into tables: some people at a time where there are many and their source can."""
        source = None if outside else reading.in_parts(self.sources, genome)
        if source is None:
            yield self.read(genome, [], request, {}, outside)
            return
        self.progress("reading genomes")
        nothing = reading.empty_tables()
        for genes in reading.read_parts(source, genome, request):
            yield self.joined(nothing, genes, nothing, {})

    def joined(self, records: Mapping[str, pl.DataFrame], genes: Mapping[str, pl.DataFrame],
               others: Mapping[str, pl.DataFrame], pairs: Mapping[str, str],
               stated: Collection[str] | None = None) -> dict[str, pl.DataFrame]:
        """What was read of records, genomes and outside calls as the tables of one run.

        `stated` are the samples of which the user said whose they are: by default all of `pairs`.
        """
        tables = {name: _in_one(frame, genes[name], others[name]) for name, frame in records.items()}
        tables["samples"] = sexes(tables["genotypes"], linking.link(genes, records, pairs))
        odd = linking.same_sex(tables["samples"], records["patients"], forced=self.any_sex)
        tables["outside_calls"], notes = linking.assign(tables["outside_calls"], tables["samples"], records["patients"])
        paired = linking.pairings(tables["samples"], records["patients"], pairs if stated is None else stated)
        tables["issues"] = pl.concat([tables["issues"], paired, odd, notes])
        return normalising.normalise(tables, self.drug_names)

    def request(self, components: Iterable[Component], *, samples: Sequence[str] = (), build: str = "",
                index_date: str = "") -> ReadRequest:
        """What the sources are asked for, so that the genome is read once for all components."""
        sites = feature_stage.sites(self.plugins, components)
        return ReadRequest(sites, tuple(samples), build, index_date)

    def conclude(self, tables: Mapping[str, pl.DataFrame], *, explained: bool = True) -> dict[str, pl.DataFrame]:
        """Features, predictions, explanations (unless not `explained`) and suggestions from what was read."""
        made = self._predicted(tables, None)
        self.progress("explaining")
        made.tables.update(self._explained(made if explained else replace(made, asked=()), None))
        return {**made.tables, **self._advised(made.tables)}

    def conclude_anew(self, tables: Mapping[str, pl.DataFrame], before: feature_stage.Before) -> LateTables:
        """The same of tables that changed since `before`; explanations and traces are made when they are looked at.

        Feature steps that need nothing that changed are not run again, and predictors whose features did not change
        are not asked again.
        """
        made = self._predicted(tables, before)
        explained = cache(lambda: self._explained(made, before))
        said = self._advised(LateTables(made.tables, explaining.GIVES, explained))
        return LateTables({**made.tables, **said}, explaining.GIVES, explained)

    def _predicted(self, tables: Mapping[str, pl.DataFrame], before: feature_stage.Before | None) -> _Predicted:
        wanted = {name for component in self.predictors for name in inputs(component.made)}
        self.progress("working out features")
        made = feature_stage.run_steps(self.plugins, self.steps, tables, wanted, before)
        self.progress("predicting")
        kept = _kept(self.predictors, made["features"], before.tables) if before else frozenset[str]()
        asked = tuple(one for one in self.predictors if one.name not in kept)
        frames = predicting.feature_frames(asked, made["features"])
        said = predicting.predict(self.plugins, asked, frames)
        said = predicting.named_medicines(said, asked, self.steps, made)
        said = predicting.aged_measures(said, made)
        made["predictions"] = self._with_kept({"predictions": said}, before, kept)["predictions"]
        return _Predicted(made, frames, asked, said)

    def _explained(self, made: _Predicted, before: feature_stage.Before | None) -> dict[str, pl.DataFrame]:
        found = explaining.explain(self.plugins, made.asked, made.frames, made.predictions)
        return self._with_kept(found, before, {one.name for one in self.predictors} - {one.name for one in made.asked})

    def _with_kept(self, made: dict[str, pl.DataFrame], before: feature_stage.Before | None,
                   kept: Collection[str]) -> dict[str, pl.DataFrame]:
        """Predictors' tables with the rows of those kept, in the order that asking all of them gives."""
        if before is None or not kept:
            return made
        order = pl.Enum([one.name for one in self.predictors])
        return {name: pl.concat([frame, before.tables[name].filter(pl.col("predictor").is_in(list(kept)))]).sort(
            pl.col("predictor").cast(order), maintain_order=True) for name, frame in made.items()}

    def _advised(self, made: Tables) -> dict[str, pl.DataFrame]:
        self.progress("advising")
        said = advising.advise(self.plugins, self.advisers, made, self.predictors)
        return {"suggestions": said, "drug_classes": self.drug_classes}

    def provenance(self, genome: Sequence[Path], history: Sequence[Path], settings: Mapping[str, Any],
                   outside: Sequence[Path] = ()) -> dict[str, Any]:
        """What the result rests on."""
        return {**describe_run(self.plugins, settings), "inputs": describe_inputs(genome, history, outside),
                "knowledge": describe_knowledge(self.knowledge), "predictors": describe_predictors(self.predictors)}


def _in_one(*frames: pl.DataFrame) -> pl.DataFrame:
    """All rows; mostly of one frame only, which then stays in one piece, as it is worked on faster."""
    some = [frame for frame in frames if frame.height]
    return some[0] if len(some) == 1 else pl.concat(some or frames[:1])


def _kept(predictors: Iterable[Component], features: pl.DataFrame,
          before: Mapping[str, pl.DataFrame]) -> frozenset[str]:
    """Predictors that said something before, of the same features."""
    spoke, now, then = distinct(before["predictions"]["predictor"]), _values(features), _values(before["features"])
    other = {name for name in {**now, **then} if now.get(name) != then.get(name)}
    return frozenset() if "patient_id" in other else frozenset(
        one.name for one in predictors if one.name in spoke and other.isdisjoint(inputs(one.made)))


def _values(features: pl.DataFrame) -> dict[str, list[tuple[type, Any]]]:
    """Each feature's values and their kinds: of one patient sooner read than compared as columns."""
    return {name: [(type(value), value) for value in values]
            for name, values in zip(features.columns, zip(*features.rows(), strict=True), strict=True)}


def _must_be_date(text: str) -> None:
    try:
        _ = date.fromisoformat(text) if text else None
    except ValueError as error:
        raise OptionError(f"index date must be YYYY-MM-DD. Got {text!r}") from error


def _are_small(paths: Sequence[Path]) -> bool:
    """Files of a few patients with nothing but known sites; what is not there or is a folder may be anything."""
    return all(path.is_file() for path in paths) and sum(path.stat().st_size for path in paths) <= SMALL


def _paths(files: Files | None) -> list[Path]:
    """One file, many or none, as paths."""
    return [Path(files)] if isinstance(files, str | Path) else [Path(file) for file in files or ()]


@uncollected()
def run(genome: Files | None = (), history: Files | None = (), *, outside_calls: Files = (),
        samples: Sequence[str] = (), build: str = "", index_date: str = "", pairs: Mapping[str, str] | None = None,
        options: Options | None = None, allow_sex_mismatch: bool = False, settings: Settings | None = None,
        progress: Progress = _silent) -> Result:
    """Run everything on one patient or many.

    Args:
        genome: Genome files (VCF), all samples or `samples`; 1-based positions. None where there is none.
        history: Patient record files (FHIR R4 bundles). None where there is none.
        outside_calls: Gene results of other tools; they take the place of what the genome says of their genes.
        samples: Samples to read; empty reads all.
        build: Genome build the user states; empty where the file must tell.
        index_date: ISO date of the question; empty takes the last entry of each record.
        pairs: Sample → patient_id where the names differ.
        allow_sex_mismatch: A genome and a record of different sex belong together all the same; the report says so.
        options: Component options, by component name, laid over the settings.
        settings: Settings; default ``pmed.toml`` options are not read here.
        progress: Told what is being done.

    Raises:
        InputError: for files that cannot be used; one clear line.
        OptionError: for an index date that is none, or before a patient's birth.
    """
    genome_paths, history_paths, outside = _paths(genome), _paths(history), _paths(outside_calls)
    chosen = (settings or Settings()).with_options(options or {})
    _must_be_date(index_date)
    engine = replace(Engine.start(chosen, progress), any_sex=allow_sex_mismatch)
    request = engine.request([*engine.steps, *engine.predictors], samples=samples, build=build, index_date=index_date)
    with one_processor() if _are_small([*genome_paths, *history_paths, *outside]) else nullcontext():
        read = engine.read(genome_paths, history_paths, request, pairs or {}, outside)
    linking.must_be_born(read["patients"], index_date)
    few = read["patients"].height + read["samples"].height <= FEW
    with one_processor() if few else nullcontext():
        tables = engine.conclude(read)
    said = {"samples": list(samples), "build": build, "index_date": index_date, "options": dict(chosen.options)}
    return Result(tables, tuple(engine.plugins.failures), engine.provenance(genome_paths, history_paths, said, outside))


def calls(genome: Files, *, outside_calls: Files = (), samples: Sequence[str] = (), build: str = "",
          options: Options | None = None, settings: Settings | None = None, until: str = "gene_results",
          progress: Progress = _silent) -> Iterator[Result]:
    """As `call`, a result for some people after the other: memory does not grow with the cohort.

    Args: as for `call`.

    Raises:
        FlowError: where no plugin gives `until`.
        InputError: for files that cannot be used.
    """
    paths, outside = _paths(genome), _paths(outside_calls)
    chosen = (settings or Settings()).with_options(options or {})
    engine = Engine.start(chosen, progress, concluding=False)
    names = {step.name for step in upstream([one.made for one in engine.steps], until)}
    steps = [component for component in engine.steps if component.name in names]
    request = engine.request(steps, samples=samples, build=build)
    said = {"samples": list(samples), "build": build, "options": dict(chosen.options)}
    provenance: dict[str, Any] = {}
    for tables in engine.parts(paths, request, outside):
        made = feature_stage.run_steps(engine.plugins, steps, tables, ())
        provenance = provenance or engine.provenance(paths, [], said, outside)
        yield Result(made, tuple(dict.fromkeys(engine.plugins.failures)), provenance)


def call(genome: Files, *, outside_calls: Files = (), samples: Sequence[str] = (), build: str = "",
         options: Options | None = None, settings: Settings | None = None, until: str = "gene_results",
         progress: Progress = _silent) -> Result:
    """Read genomes and run just the feature steps that one table needs.

    A cohort of more than some thousand people is worked on a part at a time; its result has no ``genotypes`` and
    ``coverage``. `calls` gives the parts.

    Args:
        genome: Genome files (VCF).
        outside_calls: Gene results of other tools, as for `run`.
        samples: Samples to read; empty reads all.
        build: Genome build the user states; empty where the file must tell.
        options: Component options, by component name, laid over the settings.
        settings: Settings, as for `run`.
        until: The table that is wanted.
        progress: Told what is being done.

    Raises:
        FlowError: where no plugin gives `until`.
        InputError: for files that cannot be used.
    """
    made: list[Result] = []
    for one in calls(genome, outside_calls=outside_calls, samples=samples, build=build, options=options,
                     settings=settings, until=until, progress=progress):
        made = [*(Result(_lasting(before.tables)) for before in made), one]
    return Result(_together([one.tables for one in made]), made[-1].failures, made[-1].provenance)


def _lasting(tables: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """What is kept of some people while the others are worked on: not the genotypes, which are the bulk of it."""
    return {name: frame for name, frame in tables.items() if name not in {"genotypes", "coverage"}}


def _together(made: Sequence[Mapping[str, pl.DataFrame]]) -> dict[str, pl.DataFrame]:
    """The tables of all people; what several parts tell alike is told once."""
    if len(made) == 1:
        return dict(made[0])
    parts = [_lasting(one) for one in made]
    names = dict.fromkeys(name for one in parts for name in one)
    tables = {name: pl.concat([one[name] for one in parts if name in one]) for name in names}
    return {**tables, "issues": tables["issues"].unique(maintain_order=True)}
