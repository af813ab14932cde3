"""``hiv-nrti-response``: what the treatments of ACTG 175 did, and whether patients can be told apart by it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar, Final

from pmed.modelling import Cohort, Model, ModelCard, effect, made_with

from .actg175 import ARMS, HORIZON, as_trial, read_trial, refused

NAME: Final = "hiv-nrti-response"
SHIPPED: Final = Path(__file__).parent / "models" / NAME
SEED: Final = 0
UNIT: Final = "days"
CITATION: Final = "PMID:8813038"
_LIMITS: Final = (
    "Research use. None of these treatments is today's: HIV is treated with three or more medicines by current "
    "guidelines, and didanosine and zalcitabine were withdrawn for their harms.",
    "Adults and adolescents with a CD4 count of 200 to 500 per mm3 and no AIDS, 1991 to 1995.",
    "Time without a fall of CD4 by half, AIDS or death, up to day 900; harms of the medicines are not in it.",
    "Follow-up that ended early is taken to have ended for reasons that have nothing to do with the event.",
    "Where the gate is closed everybody's effect is the average one, whatever the inputs say.")


@dataclass(frozen=True)
class NrtiModel:
    """Days without event that two nucleosides gain over zidovudine alone, in the layout of the published trial."""

    name: ClassVar[str] = NAME

    def read(self, path: Path) -> Cohort:
        """The patients of a file in the published layout."""
        return read_trial(path)

    def train(self, cohort: Cohort) -> Model:
        """Effects on all rows; the gate and all that the card says are of rows that nothing was learned from."""
        trial = as_trial(cohort)
        reports = {name: effect.judge_effects(trial, name, seed=SEED) for name in ("dr", "t", "x")}
        learned = effect.learn_effects(trial, "dr", seed=SEED)
        extra = {**effect.effect_extra(learned, reports["dr"]), "rows_sha256": _fingerprint(cohort)}
        return Model(NAME, "regression", learned.trees, _card(cohort, reports), extra=extra)

    def evaluate(self, model: Model, cohort: Cohort) -> dict[str, Any]:
        """Effects and gate of a cohort, cross-fitted within it; and what the model's choices gain, of other people."""
        trained, trial = effect.effect_report(model), as_trial(cohort)
        found = effect.judge_effects(trial, "dr", seed=SEED)
        own = _fingerprint(cohort) == model.extra["rows_sha256"]
        apart = {} if own else {"model_policy_gain": effect.judge_model(effect.effect_model(model), trained.best, trial,
                                                                 seed=SEED).gain.to_json()}
        warnings = ["these are the rows that the model learned from: all is cross-fitted, the model itself is not "
                    "judged"] if own else ["model_policy_gain is honest only if the model saw none of these people"]
        return {**found.to_json(), **apart, "unit": UNIT, "horizon_days": HORIZON, "sentence": found.sentence(UNIT),
                "model_gate": _gate(trained), "refused": refused(cohort), "warnings": warnings}

    def shipped(self) -> Path | None:
        """The folder in this package."""
        return SHIPPED if SHIPPED.is_dir() else None


def _fingerprint(cohort: Cohort) -> str:
    """Of the rows themselves, whatever their order and the file's format."""
    rows = cohort.frame.select(*cohort.features, "arms", "days", "cens")
    return sha256(rows.sort(rows.columns).write_csv().encode()).hexdigest()


def _gate(report: effect.EffectReport) -> str:
    return "open" if report.open else "closed"


def _card(cohort: Cohort, reports: Mapping[str, effect.EffectReport]) -> ModelCard:
    names = {"dr": "DR-learner", "t": "T-learner", "x": "X-learner"}
    found = {f"treatment by predicted effect, {names[name]} (cross-fitted)": effect.card_metrics(one)
             for name, one in reports.items()}
    return ModelCard(
        NAME, "1.0", f"Research use. {reports['dr'].sentence(UNIT)}",
        "Research and teaching: whether a trial's patients differ in what a treatment does to them. Not for anybody's "
        "care.",
        f"time without event (CD4 fall by half, AIDS, death) up to day {HORIZON:.0f}, {UNIT}",
        f"ACTG 175, four arms at random: {', '.join(ARMS.values())}", "as published with the R package speff2trial; "
        "no row of it is in the model", len(cohort), cohort.frame[cohort.patient].n_unique(), "1991 to 1995",
        SEED, "Pseudo-observations of the restricted time, within each arm; AIPW scores with known chances; "
        f"DR-learner over LightGBM ({effect.SMALL.rounds} trees of {effect.SMALL.leaves} leaves); five folds, in each "
        "of which effects and the best arm are learned from the others. Intervals are 95 %, normal. The gate opens "
        "where the lower end of the gain over the best single arm is above zero.", found, _LIMITS,
        (CITATION, "doi:10.1214/23-EJS2157", "doi:10.1093/biomet/90.1.15"), made_with())
