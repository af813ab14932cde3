"""The route of a medicine by the form in its product's name, where that leaves no doubt.

Eye drops must not be read as tablets, nor the other way round: a name that speaks of two routes, or of a form that is
used in several places ("cream", "drops", "suppository", "patch"), tells none. The words are those of RxNorm's dose
forms (term type DF).
"""

from __future__ import annotations

import re
from functools import lru_cache

# What a name says in so many words goes before what a form implies: a sublingual tablet is not swallowed.
_SAID = {
    "oral": r"\boral(?:ly)?\b|\bby mouth\b",
    "sublingual": r"\bsublingual\b", "buccal": r"\bbuccal\b",
    "ophthalmic": r"\bophthalmic\b|\beye[ -]?(?:drops?|ointment|gel)\b|\bintra(?:ocular|vitreal|cameral)\b"
                  r"|augen(?:tropfen|salbe|gel)\b",
    "otic": r"\botic\b|\bear[ -]?drops?\b|ohrentropfen\b",
    "nasal": r"\bnasal\b|nasen(?:spray|tropfen)\b",
    "inhalation": r"\binhal(?:er|ation|ant)\b|\bnebuli[sz]|dosieraerosol\b|inhalationsl\u00f6sung\b|fertiginhalat\b",
    "topical": r"\btopical\b|\bcutaneous\b|\bshampoo\b", "transdermal": r"\btransdermal\b",
    "vaginal": r"\bvaginal(?:tabletten)?\b", "rectal": r"\brectal\b|\benema\b",
    "intrauterine": r"\bintrauterine\b|\b(?:mirena|liletta|kyleena|skyla|jaydess|levosert)\b",
    "urethral": r"\burethral\b", "intravenous": r"\bintravenous\b", "intramuscular": r"\bintramuscular\b",
    "subcutaneous": r"\bsubcutaneous\b", "intrathecal": r"\bintrathecal\b", "intradermal": r"\bintradermal\b",
}
_IMPLIED = {
    "oral": r"\b(?:tablets?|capsules?|caplets?|syrup|elixir)\b",
    # Into a vein, a muscle or under the skin: the name does not say.
    "injection": r"\binject(?:ion|able)\b|\bprefilled syringe\b|\bpen injector\b|\bauto-?injector\b",
}


@lru_cache(maxsize=1 << 14)
def route_by_form(name: str) -> str | None:
    """The one route that a product's name tells; None where it tells none, or more than one.

    >>> route_by_form("timolol 5 MG/ML Ophthalmic Solution"), route_by_form("timolol 10 MG Oral Tablet")
    ('ophthalmic', 'oral')
    >>> route_by_form("Mirena")  # a brand that is a coil
    'intrauterine'
    >>> route_by_form("timolol")
    """
    found = _hits(name, _SAID) or _hits(name, _IMPLIED)
    return found[0] if len(found) == 1 else None


def _hits(name: str, forms: dict[str, str]) -> list[str]:
    return [route for route, pattern in forms.items() if re.search(pattern, name, re.IGNORECASE)]
