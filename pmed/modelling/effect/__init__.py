"""What a treatment does to whom: effects, policies and when to believe them. See ``docs/effects.md``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...lately import late

if TYPE_CHECKING:
    from .attribution import effect_contributions
    from .estimates import (
        Estimate,
        average_effects,
        compare_arms,
        estimate,
        heterogeneity,
        policy_gain,
        policy_value,
    )
    from .judging import NOTHING_FOUND, EffectReport, judge_effects, judge_model, recommend
    from .learners import EffectModel, learn_effects
    from .overlap import SMALL, Overlap, chances_of, check_overlap
    from .restricted import pseudo_observations, restricted_mean
    from .scores import Scores, cross_fitted_scores
    from .shipping import card_metrics, effect_extra, effect_model, effect_report
    from .simulated import Simulated, simulate
    from .trial import Trial

__all__ = [
    "NOTHING_FOUND",
    "SMALL",
    "EffectModel",
    "EffectReport",
    "Estimate",
    "Overlap",
    "Scores",
    "Simulated",
    "Trial",
    "average_effects",
    "card_metrics",
    "chances_of",
    "check_overlap",
    "compare_arms",
    "cross_fitted_scores",
    "effect_contributions",
    "effect_extra",
    "effect_model",
    "effect_report",
    "estimate",
    "heterogeneity",
    "judge_effects",
    "judge_model",
    "learn_effects",
    "policy_gain",
    "policy_value",
    "pseudo_observations",
    "recommend",
    "restricted_mean",
    "simulate",
]

__getattr__ = late(__name__, {
    "attribution": ("effect_contributions",),
    "estimates": ("Estimate", "average_effects", "compare_arms", "estimate", "heterogeneity", "policy_gain",
                  "policy_value"),
    "judging": ("NOTHING_FOUND", "EffectReport", "judge_effects", "judge_model", "recommend"),
    "learners": ("EffectModel", "learn_effects"),
    "overlap": ("SMALL", "Overlap", "chances_of", "check_overlap"),
    "restricted": ("pseudo_observations", "restricted_mean"),
    "scores": ("Scores", "cross_fitted_scores"),
    "shipping": ("card_metrics", "effect_extra", "effect_model", "effect_report"),
    "simulated": ("Simulated", "simulate"),
    "trial": ("Trial",),
})
