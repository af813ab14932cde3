"""What a run returns: tables, explanations, failures and provenance; saved as parquet with a manifest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import polars as pl

from .errors import ResultError
from .files import sha256, whole_folder, write_parquet, write_whole
from .plugins import Failure
from .tables import TABLES
from .types import Box, Explanation

if TYPE_CHECKING:
    import shap

    from .notebook.explorer import Explorer
    from .notebook.parts import GeneResult, Plan, Quality
    from .whatif import WhatIf

FORMAT = "pmed/saved-result/1"
MANIFEST = "manifest.json"
# A medicine by what would have to be done if it were prescribed
COLOURS = {"avoid": "act", "alternative": "act", "adjust": "act", "monitor": "caution", "standard": "standard",
           "test": "unknown", "not-assessed": "unknown"}
# Of a caution: the genes are known and tell nothing for or against the medicine, so that standard use is no finding.
UNDECIDED = "genes-undecided"


@dataclass(frozen=True, repr=False)
class Result:
    """The outcome of one run over one or many patients.

    Attributes:
        tables: Polars frames by name, as in ``pmed.TABLES``.
        failures: What plugins did wrong; their rows are missing.
        provenance: Inputs with their hashes, versions, knowledge releases, predictor cards, settings.
        sections: What plugins' sections say in the HTML report of one patient; they are not saved.
    """

    tables: Mapping[str, pl.DataFrame]
    failures: tuple[Failure, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)
    sections: tuple[Box, ...] = ()

    def __repr__(self) -> str:
        """A line instead of all frames."""
        suggestions = self.suggestions.height if "suggestions" in self.tables else 0
        patients = len(self.patient_ids)
        return (f"Result({patients} patient{'s' * (patients != 1)}, {suggestions} suggestions, "
                f"{len(self.failures)} failures; tables: {', '.join(sorted(self.tables))})")

    @property
    def patient_ids(self) -> list[str]:
        """All patients, with a record or with a genome, sorted."""
        both = pl.concat([self.tables[name]["patient_id"] for name in ("patients", "samples")])
        return sorted(both.unique().to_list())

    @property
    def suggestions(self) -> pl.DataFrame:
        """The ``suggestions`` table, most pressing first."""
        return self.tables["suggestions"]

    def explanation(self, target: str, *, patient_id: str = "", predictor: str = "") -> Explanation:
        """Why a predictor said what it said about one target (a drug, a dose, an outcome).

        Raises:
            ResultError: where there is none, or more than one fits.
        """
        rows = self._matching("explanations", target, patient_id, predictor)
        keys = rows.select("patient_id", "predictor", "target").unique()
        if not keys.height:
            raise self._unexplained(target, patient_id, predictor)
        if keys.height != 1:
            fits = ", ".join(f"{row[1]} for {row[0]}" for row in keys.sort("*").head(5).iter_rows())
            raise ResultError(f"no single explanation of {target!r}; fitting: {fits}",
                              hint="name the patient_id and the predictor")
        key = keys.row(0, named=True)
        first = rows.row(0, named=True)
        trace = self._matching("traces", target, key["patient_id"], key["predictor"]).sort("step")
        return Explanation(**key, features=tuple(rows["feature"]), values=tuple(rows["value"].fill_null("unknown")),
                           contributions=tuple(rows["contribution"]), baseline=first["baseline"],
                           prediction=first["prediction"], unit=first["unit"], method=first["method"],
                           trace=tuple(trace["text"]))

    def explain(self, target: str, *, patient_id: str = "", predictor: str = "") -> shap.Explanation:
        """The same as a ``shap.Explanation``, ready for shap's plots.

        Of one patient it is a row, for waterfall, force and bar; of several a matrix of patients × features, for
        beeswarm and heatmap, with contribution 0 where a feature plays no part in a patient's prediction.

        Raises:
            ResultError: where there is none, or several predictors explain the target.
            PmedError: where shap is not installed.
        """
        from .notebook.shapes import as_shap

        found = self._matching("explanations", target, patient_id, predictor)
        keys = found.select("patient_id", "predictor").unique(maintain_order=True)
        if keys.height <= 1 or keys["predictor"].n_unique() > 1:
            return self.explanation(target, patient_id=patient_id, predictor=predictor).to_shap()
        return as_shap([self.explanation(target, patient_id=patient, predictor=by) for patient, by in keys.iter_rows()])

    @property
    def plan(self) -> Plan:
        """The suggestions as a sequence with rich displays; ``result.plan["drug"]`` is one of them."""
        from .notebook.parts import Plan

        return Plan.of(self)

    def gene(self, gene: str, *, patient_id: str = "") -> GeneResult:
        """What the genome, and the medicines taken, make of one gene.

        Raises:
            ResultError: where there is no such result, or several patients have one.
        """
        from .notebook.parts import GeneResult

        return GeneResult.of(self.for_patient(patient_id) if patient_id else self, gene)

    @property
    def quality(self) -> Quality:
        """How many sites of each state were read, by sample, and every issue."""
        from .notebook.parts import Quality

        return Quality.of(self.tables)

    def _repr_html_(self) -> str:
        from .notebook import display

        return display.result(self)

    def _matching(self, table: str, target: str, patient_id: str, predictor: str) -> pl.DataFrame:
        wanted = {"target": target, "patient_id": patient_id, "predictor": predictor}
        return self.tables[table].filter(*[pl.col(name) == value for name, value in wanted.items() if value])

    def _unexplained(self, target: str, patient_id: str, predictor: str) -> ResultError:
        """Why there is no explanation: nothing was assessed, or there is no such target."""
        rows = self._matching("predictions", target, patient_id, predictor)
        if rows.height:
            why = "; ".join(rows["reason"].drop_nulls().unique(maintain_order=True).head(3)) or "no reason is given"
            return ResultError(f"{target!r} was not assessed, so there is nothing to explain: {why}")
        names = sorted(self.tables["predictions"]["target"].unique())
        near = [name for name in names if target.lower() in name.lower()] or get_close_matches(target, names)
        return ResultError(f"no prediction is called {target!r}", hint=f"did you mean {', '.join(near[:3])}?" if near
                           else 'result.tables["predictions"] lists the targets')

    def panel(self, *, patient_id: str = "", drug_class: str = "") -> pl.DataFrame:
        """All medicines by colour (act, caution, standard, unknown), whether they are taken or not.

        Args:
            patient_id: Whose; empty gives everybody's.
            drug_class: Only those of a class, such as "statin"; the classes are in column ``classes``.

        Returns:
            patient_id, drug, classes, current, colour, action, text; in the order of the suggestions.
        """
        classes = self.tables.get("drug_classes", TABLES["drug_classes"].empty()).group_by("drug").agg(
            classes=pl.col("class"))
        rows = self.suggestions.join(classes, on="drug", how="left", maintain_order="left").with_columns(
            pl.col("classes").fill_null([]), colour=shown_action().replace_strict(COLOURS))
        mine = rows.filter(pl.col("patient_id") == patient_id) if patient_id else rows
        wanted = mine.filter(pl.col("classes").list.contains(drug_class)) if drug_class else mine
        return wanted.select("patient_id", "drug", "classes", "current", "colour", "action", "text")

    def what_if(self, *, patient_id: str = "", stop: str | Iterable[str] = (), start: str | Iterable[str] = (),
                genotype: Mapping[str, str] | None = None, **measures: float) -> WhatIf:
        """One patient's result if something were different, and the difference as tables and text.

        Args:
            patient_id: Whose; may be left out where there is one patient.
            stop: Ingredient(s) that are no longer taken; their after-effects are over, and told in ``at_first``.
            start: Ingredient(s) that are taken, at an unknown dose.
            genotype: Gene → diplotype (or phenotype-deciding allele), in place of what the genome says.
            measures: weight (kg), height (cm), creatinine (mg/dL), potassium (mmol/L), inr, heart_rate (/min).

        Raises:
            OptionError: for an unknown medicine or measure, or where nothing is asked.
            ResultError: where it is not clear whose result is meant.
        """
        from .whatif import what_if

        return what_if(self, patient_id or self._only_patient(), stop=stop, start=start, genotype=genotype,
                       measures=measures)

    def explore(self, patient_id: str = "") -> Explorer:
        """A widget for notebooks: one patient with everything to change by hand, or all patients to choose from.

        Raises:
            PmedError: where anywidget is not installed.
        """
        from .notebook.explorer import Explorer

        return Explorer(self, patient_id)

    def _only_patient(self) -> str:
        people = self.patient_ids
        if len(people) != 1:
            raise ResultError(f"{len(people)} patients", hint="name the patient_id")
        return people[0]

    def for_patient(self, patient_id: str) -> Result:
        """The part of this result that is about one patient."""
        samples = self.tables["samples"].filter(pl.col("patient_id") == patient_id)["sample"]
        return Result({name: _rows_of(frame, patient_id, samples) for name, frame in self.tables.items()},
                      tuple(one for one in self.failures if one.concerns(patient_id)), self.provenance)

    def save(self, folder: str | Path) -> Path:
        """Write every table as parquet, and a manifest with their hashes, into a new folder."""
        path = Path(folder)
        with whole_folder(path) as temporary:
            for name, frame in self.tables.items():
                write_parquet(frame, temporary / f"{name}.parquet")
            manifest = {
                "format": FORMAT,
                "tables": {name: sha256(temporary / f"{name}.parquet") for name in sorted(self.tables)},
                "failures": [asdict(failure) for failure in self.failures],
                "provenance": self.provenance,
            }
            write_whole(temporary / MANIFEST, msgspec.json.format(msgspec.json.encode(manifest), indent=2))
        return path

    @classmethod
    def load(cls, folder: str | Path) -> Result:
        """Read a saved result back.

        Raises:
            ResultError: where it is not one, or a table is missing or not as the manifest says.
        """
        path = Path(folder)
        try:
            manifest = msgspec.json.decode((path / MANIFEST).read_bytes())
        except (OSError, msgspec.DecodeError) as error:
            raise ResultError(f"not a saved result: {error}", where=str(path)) from error
        if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
            raise ResultError(f"not a saved result: expected format {FORMAT!r}", where=str(path / MANIFEST))
        tables = {name: _read_table(path / f"{name}.parquet", digest) for name, digest in manifest["tables"].items()}
        failures = msgspec.convert(manifest["failures"], tuple[Failure, ...])
        return cls(tables, failures, manifest["provenance"])


def _rows_of(frame: pl.DataFrame, patient_id: str, samples: pl.Series) -> pl.DataFrame:
    # One patient's own result, which is asked what if, has nothing to take out: to look is faster than to filter.
    columns = frame.columns
    if "patient_id" in columns:
        alone = (frame["patient_id"] == patient_id).all()
        return frame.clone() if alone else frame.filter(
            (pl.col("patient_id") == patient_id) | pl.col("patient_id").is_null())
    if "sample" in columns:
        alone = len(samples) == 1 and (frame["sample"] == samples[0]).all()
        return frame.clone() if alone else frame.filter(pl.col("sample").is_in(samples.implode()))
    return frame


def _read_table(path: Path, digest: str) -> pl.DataFrame:
    if not path.is_file():
        raise ResultError("table is missing", where=str(path))
    if sha256(path) != digest:
        raise ResultError("table is not the one the manifest describes", where=str(path))
    frame = pl.read_parquet(path)
    return TABLES[path.stem].check(frame, where=str(path)) if path.stem in TABLES else frame


def shown_action() -> pl.Expr:
    """Of suggestions: the action as it is to look, "not-assessed" where standard use is no finding (`UNDECIDED`)."""
    undecided = pl.col("cautions").list.eval(pl.element().struct.field("code") == UNDECIDED).list.any()
    nothing = (pl.col("action") == "standard") & undecided.fill_null(value=False)
    return pl.when(nothing).then(pl.lit("not-assessed")).otherwise("action").alias("action")
