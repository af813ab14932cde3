"""Explanations as shap has them: numbers for its colours, words for its labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..compatibility import install_extra
from ..errors import PmedError
from ..types import Explanation

if TYPE_CHECKING:
    import shap

_YES_NO = {"yes": 1.0, "no": 0.0}
_NOTHING = ("unknown", "not used")


def as_shap(explanations: Sequence[Explanation]) -> shap.Explanation:
    """Explanations of one target as a ``shap.Explanation`` of shape (explanations, features); one is a row.

    A feature that plays no part in a patient's prediction contributes 0. `data` are numbers
    for shap's colours; `display_data` has the words.

    Raises:
        PmedError: where shap is not installed.
    """
    try:
        import numpy as np
        import shap
    except ImportError as error:
        raise PmedError("shap is not installed",
                        hint=install_extra("lab")) from error
    names = list(dict.fromkeys(name for one in explanations for name in one.features))
    values = [dict(zip(one.features, one.contributions, strict=True)) for one in explanations]
    words = [dict(zip(one.features, one.values, strict=True)) for one in explanations]
    shown = np.array([[row.get(name, _NOTHING[1]) for name in names] for row in words], dtype=object)
    amounts = np.array([[row.get(name, 0.0) for name in names] for row in values], dtype=float)
    data = np.array([_coded(list(column)) for column in shown.T], dtype=float).T
    if len(explanations) == 1:
        return shap.Explanation(values=amounts[0], base_values=float(explanations[0].baseline), data=data[0],
                                display_data=shown[0], feature_names=names)
    return shap.Explanation(values=amounts, base_values=np.array([one.baseline for one in explanations], dtype=float),
                            data=data, display_data=shown, feature_names=names)


def _coded(column: Sequence[str]) -> list[float]:
    """A feature's values as numbers for the colour scale: themselves, yes and no as 1 and 0, words in their order.

    What is unknown is NaN, which shap draws in grey; a feature that nobody has is 0 throughout.
    """
    known = sorted({cell for cell in column if cell not in _NOTHING})
    try:
        codes = {cell: _YES_NO[cell] if cell in _YES_NO else float(cell) for cell in known}
    except ValueError:
        codes = {cell: float(code) for code, cell in enumerate(known)}
    return [codes.get(cell, float("nan")) for cell in column] if codes else [0.0] * len(column)
