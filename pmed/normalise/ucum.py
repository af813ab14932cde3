"""Units that pmed's own table does not know → factor and offset, by a UCUM library (ucumvert on pint, extra "records").

The library is imported when the first such unit is met: its grammar takes half a second to load. It knows dimensions,
not analytes: what takes a molar mass stays unknown here, and of some quantities it is never asked (`units`).
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from typing import Any

_LONGEST = 40  # characters; UCUM units of laboratories are shorter, and free text need not be parsed


def is_installed() -> bool:
    """Whether the library is there, without loading it."""
    return find_spec("ucumvert") is not None


@cache
def factor(unit: str, wanted: str) -> tuple[float, float] | None:
    """Factor and offset from one UCUM unit into another; None where it is no unit or of another dimension.

    >>> factor("ug/mL", "mg/dL")
    (0.1, 0.0)
    >>> factor("mmol/L", "mg/dL") is None
    True
    """
    if not 0 < len(unit) <= _LONGEST:
        return None
    import lark
    import pint

    registry = _registry()
    try:
        source, target = registry.from_ucum(unit), registry.from_ucum(wanted)
        offset, one = (float(registry.Quantity(value * source.magnitude, source.units).to(target.units).magnitude)
                       for value in (0.0, 1.0))
    except (lark.exceptions.LarkError, pint.errors.PintError, AttributeError):  # an annotation by itself is no unit
        return None
    return one - offset, offset


@cache
def _registry() -> Any:
    import ucumvert

    return ucumvert.PintUcumRegistry()
