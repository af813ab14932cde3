"""Train predictors on frames, see honestly how good they are, and ship them. See ``docs/models.md``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lately import late

if TYPE_CHECKING:
    from . import metrics
    from .attribution import contributions, shap_dependence, shap_interactions, shap_summary
    from .calibration import Calibration, Isotonic, Platt, learn_isotonic, learn_platt
    from .card import ModelCard
    from .cohort import Cohort, must_be_trainable
    from .conformal import Conformal, learn_conformal
    from .drift import drift
    from .encoding import Encoding, learn_encoding
    from .explaining import tree_explanations
    from .judging import bootstrap, judge_binary, judge_regression, judge_survival
    from .modelfile import MAIN, Model, load_model, read_manifest, save_model
    from .search import search
    from .splits import Split, at_random, by_patient, by_site, by_time, must_not_leak
    from .survival import person_periods, survival_curve
    from .trainable import Trainable
    from .training import CrossFit, Recipe, Trees, cross_fit, fit, stop_early
    from .versions import made_with

__all__ = [
    "MAIN",
    "Calibration",
    "Cohort",
    "Conformal",
    "CrossFit",
    "Encoding",
    "Isotonic",
    "Model",
    "ModelCard",
    "Platt",
    "Recipe",
    "Split",
    "Trainable",
    "Trees",
    "at_random",
    "bootstrap",
    "by_patient",
    "by_site",
    "by_time",
    "contributions",
    "cross_fit",
    "drift",
    "fit",
    "judge_binary",
    "judge_regression",
    "judge_survival",
    "learn_conformal",
    "learn_encoding",
    "learn_isotonic",
    "learn_platt",
    "load_model",
    "made_with",
    "metrics",
    "must_be_trainable",
    "must_not_leak",
    "person_periods",
    "read_manifest",
    "save_model",
    "search",
    "shap_dependence",
    "shap_interactions",
    "shap_summary",
    "stop_early",
    "survival_curve",
    "tree_explanations",
]

__getattr__ = late(__name__, {
    "attribution": ("contributions", "shap_dependence", "shap_interactions", "shap_summary"),
    "calibration": ("Calibration", "Isotonic", "Platt", "learn_isotonic", "learn_platt"),
    "card": ("ModelCard",),
    "cohort": ("Cohort", "must_be_trainable"),
    "conformal": ("Conformal", "learn_conformal"),
    "drift": ("drift",),
    "encoding": ("Encoding", "learn_encoding"),
    "explaining": ("tree_explanations",),
    "judging": ("bootstrap", "judge_binary", "judge_regression", "judge_survival"),
    "modelfile": ("MAIN", "Model", "load_model", "read_manifest", "save_model"),
    "search": ("search",),
    "splits": ("Split", "at_random", "by_patient", "by_site", "by_time", "must_not_leak"),
    "survival": ("person_periods", "survival_curve"),
    "trainable": ("Trainable",),
    "training": ("CrossFit", "Recipe", "Trees", "cross_fit", "fit", "stop_early"),
    "versions": ("made_with",),
})
