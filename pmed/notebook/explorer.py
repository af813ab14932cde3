"""The explorer: a patient's medicines, genes and measurements to change by hand, or many patients to choose from.

State is in traits and can be read and set from Python; the browser draws it. Each change repeats the run from the
tables that were read (`Result.what_if`).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from ..compatibility import install_extra
from ..errors import OptionError, PmedError
from ..normalise.vocabulary import own_release
from ..render.view import age_at, displays, patient_views, table
from ..whatif import MEASURES, what_if
from . import display
from .people import People

try:
    import anywidget
    import traitlets
except ImportError as error:
    raise PmedError("anywidget is not installed",
                    hint=install_extra("lab")) from error

if TYPE_CHECKING:
    from ..result import Result
    from ..whatif import WhatIf

STATIC = Path(__file__).with_name("static")
QUESTION = ("stop", "start", "genotype", "measures")


class Explorer(anywidget.AnyWidget):
    """`Result.explore()`.

    Attributes:
        patient: Whose plan is shown; "" shows all patients.
        stop: Ingredients that are no longer taken.
        start: Ingredients that are taken as well.
        genotype: Gene → diplotype, in place of what the genome says.
        measures: weight (kg), height (cm), creatinine (mg/dL), potassium (mmol/L), inr, heart_rate (/min).
        filters: Which patients: patient, gene, phenotype, drug, action, target, low, high.
        page: Page of the patients, from 0.
        said: What the explorer last said.
        took: Seconds that the last answer took.
    """

    _esm = STATIC / "explorer.js"
    css = traitlets.Unicode().tag(sync=True)
    patient = traitlets.Unicode().tag(sync=True)
    stop = traitlets.List(traitlets.Unicode()).tag(sync=True)
    start = traitlets.List(traitlets.Unicode()).tag(sync=True)
    genotype = traitlets.Dict().tag(sync=True)
    measures = traitlets.Dict().tag(sync=True)
    filters = traitlets.Dict().tag(sync=True)
    page = traitlets.Int(0).tag(sync=True)
    many = traitlets.Bool().tag(sync=True)
    form = traitlets.Dict().tag(sync=True)
    cohort = traitlets.Dict().tag(sync=True)
    plan_html = traitlets.Unicode().tag(sync=True)
    change_html = traitlets.Unicode().tag(sync=True)
    said = traitlets.Unicode().tag(sync=True)
    wrong = traitlets.Bool().tag(sync=True)
    answered = traitlets.Int(0).tag(sync=True)
    took = traitlets.Float(0.0)

    def __init__(self, result: Result, patient_id: str = "") -> None:
        people = result.patient_ids
        if patient_id and patient_id not in people:
            raise OptionError(f"no patient is called {patient_id!r}", hint="see result.patient_ids")
        self._whole = result
        self._people = People(result)
        self._mine = self._answer = result
        self._settling = True
        only = patient_id or (people[0] if len(people) == 1 else "")
        super().__init__(css=f"{display.style()}\n{(STATIC / 'explorer.css').read_text(encoding='utf-8')}",
                         patient=only, many=len(people) > 1)
        self._open()
        self._settling = False

    @property
    def result(self) -> Result:
        """The result as the explorer shows it now, with what was changed."""
        return self._answer

    def reset(self) -> None:
        """Take back every change."""
        self.set(stop=[], start=[], genotype={}, measures={})

    def set(self, **state: Any) -> None:
        """Several changes at once, such as ``set(stop=["a"], start=["b"])``, answered once.

        Raises:
            OptionError: for a name that is not part of the state.
        """
        if unknown := [name for name in state if name not in {*QUESTION, "patient", "filters", "page"}]:
            raise OptionError(f"the explorer has no {unknown[0]!r}", hint=f"there are: {', '.join(QUESTION)}")
        with self._quiet():
            for name, value in state.items():
                setattr(self, name, value)
        self._changed("patient" if "patient" in state else next(iter(state), ""))

    @traitlets.observe("patient", *QUESTION, "filters", "page")
    def _on_change(self, change: Mapping[str, Any]) -> None:
        if not self._settling:
            self._changed(change["name"])

    def set_state(self, sync_data: Any) -> None:
        """Several traits that the browser sends together are one change and get one answer."""
        told = [name for name in sync_data if name in {*QUESTION, "patient", "filters", "page"}]
        with self._quiet():
            super().set_state(sync_data)
        if told:
            self._changed("patient" if "patient" in told else told[0])

    @contextmanager
    def _quiet(self) -> Iterator[None]:
        before, self._settling = self._settling, True
        try:
            yield
        finally:
            self._settling = before

    def _changed(self, name: str) -> None:
        with self._quiet():
            if name == "patient":
                self._open()
            elif self.patient:
                self._answered(self._ask)
            else:
                self._answered(self._list)

    def _open(self) -> None:
        """Another patient, as recorded; or all of them."""
        self._answered(self._open_patient if self.patient else self._list)

    def _answered(self, work: Any) -> None:
        """Do the work and send all of the answer in one message; what can be expected to go wrong is told in it."""
        began = time.perf_counter()
        with self.hold_sync():
            try:
                self.said, self.wrong = work(), False
            except PmedError as error:
                self.said, self.wrong = str(error), True
            self.took = time.perf_counter() - began
            self.answered += 1

    def _list(self) -> str:
        self._answer = self._whole
        self.cohort = self._people.shown(self.filters, self.page)
        count = self.cohort["count"]
        return f"{count:,} of {self._people.frame.height:,} patients"

    def _open_patient(self) -> str:
        if self.patient not in set(self._people.frame["patient_id"]):
            raise OptionError(f"no patient is called {self.patient!r}")
        self._mine = self._whole.for_patient(self.patient)
        self.stop, self.start, self.genotype, self.measures = [], [], {}, {}
        self.form = controls(self._mine)
        return self._ask()

    def _ask(self) -> str:
        asked = {name: getattr(self, name) for name in QUESTION}
        if not any(asked.values()):
            self._show(self._mine, "")
            return ""
        found = what_if(self._mine, self.patient, **asked)
        self._show(found.after, display.difference(found))
        return _unheard(found, asked["genotype"])

    def _show(self, result: Result, change: str) -> None:
        self._answer = result
        self.change_html = change
        self.plan_html = display.patient(patient_views(result)[0], displays(result), result)


def controls(mine: Result) -> dict[str, Any]:
    """What can be changed of one patient, with what is on record."""
    view = patient_views(mine)[0]
    record = view["record"]
    age = age_at(record["birth_date"], record["index_date"]) if record else None
    drugs = {name: row["display"] or name for row in view["medications"] if row["active"] is not False
             for name in row["ingredients"] or []}
    genes = [{"gene": name, "read": row["status"] != "no-data",
              "diplotype": " or ".join(row["diplotypes"]) or "unknown",
              "options": row["possible_diplotypes"] or row["diplotypes"]} for name, row in view["genes"].items()]
    return {"patient": view["patient_id"],
            "who": f"{record['sex'] or 'sex unknown'}, {age or 'age unknown'}" if record else "no record",
            "drugs": [{"name": name, "label": label} for name, label in drugs.items()], "names": _names(),
            "measures": _measures(mine), "genes": sorted(genes, key=lambda one: not one["read"])}


def _names() -> list[str]:
    release = own_release()
    return release.tables["drug_names"]["ingredient"].unique().sort().to_list() if release else []


def _measures(mine: Result) -> list[dict[str, Any]]:
    """What can be measured, with the latest value on record where it is in the same unit."""
    rows = table(mine, "observations").filter(pl.col("value").is_not_null()).sort("start", nulls_last=False)
    latest = {(row["code"], row["unit"]): row["value"] for row in rows.iter_rows(named=True)}
    return [{"name": name, "label": name.replace("_", " ") if name != "inr" else "INR", "unit": "" if unit == "1" else
             unit, "value": None if (value := latest.get((code, unit))) is None else f"{value:g}"}
            for name, (code, unit) in MEASURES.items()]


def _unheard(found: WhatIf, genotype: Mapping[str, str]) -> str:
    """Genotypes that no plugin knows a phenotype of: their advice is that of an unknown gene."""
    results = table(found.after, "gene_results")
    silent = [f"{gene} {given}" for gene, given in genotype.items()
              if results.filter(pl.col("gene") == gene)["phenotype"].null_count() or gene not in set(results["gene"])]
    return f"No phenotype is known of {' and '.join(silent)}." if silent else ""
