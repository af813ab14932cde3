"""Effects as a model that is shipped: trees, report and card."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..modelfile import Model
from .estimates import Estimate
from .judging import EffectReport
from .learners import EffectModel


def effect_extra(model: EffectModel, report: EffectReport) -> dict[str, Any]:
    """What a shipped model keeps besides its trees (`Model.extra`), for `effect_model` and `effect_report`."""
    return {"learner": model.learner, "arms": list(model.arms), "chances": list(model.chances),
            "report": report.to_json()}


def effect_model(model: Model) -> EffectModel:
    """The effects of a shipped model."""
    extra = model.extra
    return EffectModel(extra["learner"], tuple(extra["arms"]), model.trees, tuple(extra["chances"]))


def effect_report(model: Model) -> EffectReport:
    """What was found when a shipped model was trained; it has the gate."""
    plain = model.extra["report"]
    how = {name: plain[name] for name in ("learner", "folds", "seed", "level")}
    average = plain["average_effect"]
    return EffectReport(plain["n"], plain["arms"], plain["average_effects"], Estimate(**plain["policy_value"]),
                        Estimate(**plain["policy_gain"]), plain["best_arm"], plain["policy_shares"],
                        plain["calibration"], Estimate(**{name: average[name] for name in
                                                          ("value", "se", "low", "high")}), average["versus"],
                        plain["overlap"], how)


def card_metrics(report: EffectReport) -> dict[str, Any]:
    """The report as an evaluation of a model card: numbers with their intervals, and tables."""
    plain: Mapping[str, Any] = report.to_json()
    single = ("policy_gain", "policy_value", "average_effect")
    return {"n": report.n, "gate": plain["gate"], "best_arm": report.best, "compared_with": report.versus,
            **{name: plain[name]["value"] for name in single}, **{f"{name}_se": plain[name]["se"] for name in single},
            "ci": {name: [plain[name]["low"], plain[name]["high"]] for name in single},
            "arms": plain["arms"], "calibration": plain["calibration"]}
