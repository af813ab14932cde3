"""The route of a medicine by the form in its product's name, where that leaves no doubt.

Eye drops must not be read as tablets, nor the other way round: a name that speaks of two routes, or of a form that is
used in several places ("cream", "drops", "suppository", "patch"), tells none. The words are those of RxNorm's dose
forms (term type DF).
"""

from __future__ import annotations

import polars as pl

# What a name says in so many words goes before what a form implies: a sublingual tablet is not swallowed.
_SAID = {
    "oral": r"\boral(?:ly)?\b|\bby mouth\b",
    "sublingual": r"\bsublingual\b", "buccal": r"\bbuccal\b",
    "ophthalmic": r"\bophthalmic\b|\beye[ -]?(?:drops?|ointment|gel)\b|\bintra(?:ocular|vitreal|cameral)\b",
    "otic": r"\botic\b|\bear[ -]?drops?\b",
    "nasal": r"\bnasal\b", "inhalation": r"\binhal(?:er|ation|ant)\b|\bnebuli[sz]",
    "topical": r"\btopical\b|\bcutaneous\b|\bshampoo\b", "transdermal": r"\btransdermal\b",
    "vaginal": r"\bvaginal\b", "rectal": r"\brectal\b|\benema\b", "intrauterine": r"\bintrauterine\b",
    "urethral": r"\burethral\b", "intravenous": r"\bintravenous\b", "intramuscular": r"\bintramuscular\b",
    "subcutaneous": r"\bsubcutaneous\b", "intrathecal": r"\bintrathecal\b", "intradermal": r"\bintradermal\b",
}
_IMPLIED = {
    "oral": r"\b(?:tablets?|capsules?|caplets?|syrup|elixir)\b",
    # Into a vein, a muscle or under the skin: the name does not say.
    "injection": r"\binject(?:ion|able)\b|\bprefilled syringe\b|\bpen injector\b|\bauto-?injector\b",
}


def route_by_form(name: pl.Expr) -> pl.Expr:
    """The one route that a product's name tells; null where it tells none, or more than one.

    >>> frame = pl.DataFrame({"name": ["timolol 5 MG/ML Ophthalmic Solution", "timolol 10 MG Oral Tablet", "timolol"]})
    >>> frame.select(route_by_form(pl.col("name")))["name"].to_list()
    ['ophthalmic', 'oral', None]
    """
    said, implied = _only(name, _SAID), _only(name, _IMPLIED)
    return pl.when(_count(name, _SAID) > 0).then(said).otherwise(implied)


def _hits(name: pl.Expr, forms: dict[str, str]) -> dict[str, pl.Expr]:
    return {route: name.str.contains(f"(?i){pattern}").fill_null(value=False) for route, pattern in forms.items()}


def _count(name: pl.Expr, forms: dict[str, str]) -> pl.Expr:
    return pl.sum_horizontal(hit.cast(pl.Int64) for hit in _hits(name, forms).values())


def _only(name: pl.Expr, forms: dict[str, str]) -> pl.Expr:
    found = pl.coalesce(pl.when(hit).then(pl.lit(route)) for route, hit in _hits(name, forms).items())
    return pl.when(_count(name, forms) == 1).then(found)
