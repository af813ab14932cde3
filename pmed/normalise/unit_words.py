"""One spelling for all that laboratories and hospitals write of a unit.

Only what cannot mean another unit is made alike: GM is g and mcL is uL wherever they stand. What differs by one letter
("mg/L" of "mg/dL") is never the same, nor is M (mega, million, molar) any m.
"""

from __future__ import annotations

import polars as pl

# In this order, after small letters: pattern → what it is.
_ALIKE = (
    (r"\s*\(calc\)$|\s+calc$", ""),  # that LDL was worked out from others is no part of its unit
    (r"[\s\[\]{}_]", ""),
    ("[\u00b5\u03bc]", "u"), ("[\u00ba\u02da]", "\u00b0"),
    ("\u00b2", "2"), ("\u00b3", "3"), ("\u2076", "6"), ("\u2079", "9"),
    (r"(\w)(?:[*^]{1,2}|\()(\d)\)?", "${1}${2}"),  # 10*3, 10^3, 10(3) and what is left of them in plain text: 103
    (r"^x(10)", "${1}"), (r"^10[ex](\d)", "10${1}"),
    (r"(\w)\.$", "${1}"),
    (r"(?:mc|micro)(g|l|mol)", "u${1}"), (r"lit(?:er|re)s?$", "l"), (r"moles?/", "mol/"),
    (r"^gms?(/|%|$)", "g${1}"), (r"^(m?g)(?:%|/100ml)$", "${1}/dl"),
    (r"/c(?:u\.?)?mm$", "/mm3"), (r"^cells?/", "/"),
    (r"(?:/|per)?1[.,]?73[.]?(?:m[2e]?2?|msq|sq\.?m(?:et(?:er|re)s?)?|squaremet(?:er|re)s?|met(?:er|re)s?squared)?"
     r"(?:bsa)?$", "/1.73m2"),
)


def spell(unit: pl.Expr) -> pl.Expr:
    """The spelling under which units are looked up; worth doing once for each unit, not for each row.

    >>> frame = pl.DataFrame({"unit": ["GM/DL", "x10(3)/mcL", "10^9/L", "mL/min/1.73 sq.m", "MG/L"]})
    >>> frame.select(spell(pl.col("unit")))["unit"].to_list()
    ['g/dl', '103/ul', '109/l', 'ml/min/1.73m2', 'mg/l']
    """
    plain = unit.str.to_lowercase()
    for pattern, meant in _ALIKE:
        plain = plain.str.replace_all(pattern, meant)
    return plain
