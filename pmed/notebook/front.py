"""The functions of the front door that are more than the engine: demo, plugins, reading genomes and records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from ..demo import DemoPatient, patients
from ..engine import Engine, Files, Options, Progress, _silent, run
from ..errors import OptionError
from ..plugins import Plugins
from ..records import Histories, read_histories
from ..result import Result
from ..settings import Settings
from .parts import PluginList, Quality

if TYPE_CHECKING:
    from ..modelling import Cohort, Model, Trainable
    from ..types import Scored, Scorer


@dataclass(frozen=True, repr=False)
class Genomes:
    """Genomes as they were read at the sites that the installed plugins ask for.

    Attributes:
        tables: ``samples``, ``genotypes`` (a dense grid of samples × sites, 1-based positions), ``coverage``,
            ``issues``, and the tables of a record, empty.
        provenance: Files with their hashes, versions, settings.
    """

    tables: Mapping[str, pl.DataFrame]
    provenance: Mapping[str, Any]

    @property
    def samples(self) -> pl.DataFrame:
        """One row a sample: source, build and how it is known, sex."""
        return self.tables["samples"]

    @property
    def genotypes(self) -> pl.DataFrame:
        """One row a sample and site; `state` tells called from half-call, no-call, filtered, absent."""
        return self.tables["genotypes"]

    @property
    def quality(self) -> Quality:
        """How many sites of each state, by sample, and what was odd in the files."""
        return Quality.of(self.tables)

    def __repr__(self) -> str:
        return f"Genomes({self.samples.height} samples)\n{self.quality!r}"

    def _repr_html_(self) -> str:
        return self.quality._repr_html_()


def demo(name: str = "", *, progress: Progress = _silent) -> Result:
    """The result of the embedded patients, who were invented: worked out now, as any other.

    Args:
        name: One of them: stent, warfarin, partial or transplant; empty gives all.
        progress: Told what is being done.

    Raises:
        OptionError: where there is no such patient.
    """
    chosen = [demo_files(name)] if name else patients()
    return run([one.genome for one in chosen], [one.history for one in chosen], progress=progress)


def demo_files(name: str) -> DemoPatient:
    """The files of an embedded patient: `genome` (VCF, GRCh38) and `history` (FHIR).

    Raises:
        OptionError: where there is no such patient.
    """
    known = {one.name: one for one in patients()}
    if name not in known:
        raise OptionError(f"no embedded patient is called {name!r}", hint=f"there are: {', '.join(known)}")
    return known[name]


def plugins(settings: Settings | None = None) -> PluginList:
    """Installed plugins with their components, and what is wrong with them."""
    from ..listing import describe_plugins

    return PluginList(describe_plugins(settings or Settings()))


def read_genome(genome: Files, *, samples: Sequence[str] = (), build: str = "", options: Options | None = None,
                settings: Settings | None = None, progress: Progress = _silent) -> Genomes:
    """Read genomes, and nothing more: samples, genotypes, coverage and what was odd.

    Args:
        genome: Genome file or files (VCF, BCF, array data, the cache); 1-based positions.
        samples: Samples to read; empty reads all.
        build: Genome build the user states; empty where the file must tell.
        options: Component options, by component name, such as ``{"vcf": {"min_dp": 10}}``.
        settings: Settings, as for `pmed.run`.
        progress: Told what is being done.

    Raises:
        InputError: for files that cannot be used; one clear line.
    """
    files = as_paths(genome)
    chosen = (settings or Settings()).with_options(options or {})
    engine = Engine.using(Plugins.of(chosen).load(), progress)
    request = engine.request([*engine.steps, *engine.predictors], samples=samples, build=build)
    said = {"samples": list(samples), "build": build, "options": dict(chosen.options)}
    return Genomes(engine.read(files, [], request, {}), engine.provenance(files, [], said))


def read_history(history: Files, *, index_date: str = "", settings: Settings | None = None,
                 progress: Progress = _silent) -> Histories:
    """Read patient records of any kind, and nothing more: drugs and units understood, every problem listed.

    Args:
        history: Files and folders (FHIR, OMOP, HL7 v2, tables).
        index_date: ISO date of the question; empty takes the last entry of each record.
        settings: Settings, as for `pmed.run`.
        progress: Told what is being done.

    Raises:
        HistoryError: for files that cannot be used; one clear line.
    """
    return read_histories(as_paths(history), index_date=index_date, settings=settings, progress=progress)


def train(name: str, data: str | Path | Cohort, *, without: Sequence[str] = (),
          settings: Settings | None = None) -> Model:
    """Learn the model of that name, as ``pmed model train`` does; `pmed.modelling.save_model` writes it.

    Args:
        name: A model that a plugin registers.
        data: Data file in the layout in which it is published, or a `pmed.modelling.Cohort` of it.
        without: Features that are not learned from.
        settings: Settings, as for `pmed.run`.

    Raises:
        OptionError: where there is no such model, or none of its features can be left out.
        InputError: for data that cannot be used, or no such feature; one clear line.
    """
    from ..modelcommands import find_trainable
    from ..modelling.trainable import learned

    made = find_trainable(name, settings or Settings())
    return learned(made, _cohort(made, data), without)


def evaluate(name: str, data: str | Path | Cohort, *, model: Model | str | Path | None = None,
             settings: Settings | None = None) -> dict[str, Any]:
    """How good a model is on people that it did not learn from: metrics with 95 % intervals, by subgroup.

    Args:
        name: A model that a plugin registers.
        data: As for `train`, of other people.
        model: What `train` gave, or a folder that holds it; None takes the one that the plugin ships.
        settings: Settings, as for `pmed.run`.

    Raises:
        OptionError: where there is no such model.
        InputError: for data or a folder that cannot be used; one clear line.
    """
    from ..modelcommands import find_trainable, loaded

    made = find_trainable(name, settings or Settings())
    used = loaded(made, Path(model) if model else None) if model is None or isinstance(model, str | Path) else model
    return dict(made.evaluate(used, _cohort(made, data)))


def score(genome: Files, scorefiles: Files, *, build: str = "", scorer: str = "", options: Options | None = None,
          settings: Settings | None = None, progress: Progress = _silent) -> Scored:
    """Polygenic scores of everybody in a genome, as ``pmed score`` gives them: `table` and `matches`.

    Args:
        genome: VCF, BCF or a cache of `pmed import`; several files are one genome if they hold the same people.
        scorefiles: Of the PGS Catalog; all are scored in one pass.
        build: GRCh38 or GRCh37, where the genome does not say.
        scorer: Which scorer, where plugins bring several.
        options: Component options, by component name, such as ``{"polygenic-scores": {"min_overlap": 0.5}}``.
        settings: Settings, as for `pmed.run`.
        progress: Told what is being done.

    Raises:
        OptionError: where no installed plugin scores genomes, or none of that name, or several do.
        GenomeError: for a genome that cannot be read.
        InputError: for a scoring file that cannot be used, or of which too little is matched; one clear line.
    """
    made = find_scorer(scorer, (settings or Settings()).with_options(options or {}))
    return made.score(as_paths(genome), as_paths(scorefiles), build=build, progress=progress)


def find_scorer(name: str, settings: Settings) -> Scorer:
    """A registered scorer, with its options; the only one where no name is given.

    Raises:
        OptionError: where that is none.
    """
    found = Plugins.ready(settings)
    known: dict[str, Scorer] = {one.name: one.made for one in found.components("register_scorers")}
    if not known:
        why = "; ".join(map(str, found.failures))
        raise OptionError("no installed plugin scores genomes", where=why, hint="pip install pmed-risk")
    if name not in known and (name or len(known) > 1):
        raise OptionError(f"no scorer {name!r}" if name else "several plugins score genomes: name one with scorer=",
                          hint=f"there are: {', '.join(sorted(known))}")
    return known[name or next(iter(known))]


def _cohort(made: Trainable, data: str | Path | Cohort) -> Cohort:
    return made.read(Path(data)) if isinstance(data, str | Path) else data


def as_paths(files: Files) -> list[Path]:
    """One file or many, as paths."""
    return [Path(files)] if isinstance(files, str | Path) else [Path(file) for file in files]
