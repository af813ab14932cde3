"""The route of a medicine by the form in its product's name, where that leaves no doubt.

Eye drops must not be read as tablets, nor the other way round: a name that speaks of two routes, or of a form that is
used in several places ("drops", "spray", "suppository", "patch"), tells none. The words are those of RxNorm's dose
forms (term type DF), also as US systems cut them off ("OINT,OPH"). A cream, an ointment or a gel of which the name says
no more is for the skin (Standard Terms of the EDQM).
"""

from __future__ import annotations

import re
from functools import lru_cache

# What a name says in so many words goes before what a form implies: a sublingual tablet is not swallowed.
_SAID = {
    "oral": r"\boral(?:ly)?\b|\bby mouth\b",
    "sublingual": r"\bsublingual\b", "buccal": r"\bbuccal\b",
    "ophthalmic": r"\bophthalmic\b|\boph\b|\beye[ -]?(?:drops?|ointment|gel)\b|\bintra(?:ocular|vitreal|cameral)\b"
                  r"|augen(?:tropfen|salbe|gel)\b",
    "otic": r"\botic\b|\bear[ -]?drops?\b|ohrentropfen\b",
    "nasal": r"\bnasal\b|nasen(?:spray|tropfen|salbe)\b",
    "inhalation": r"\binhal(?:er|ation|ant)\b|\bnebuli[sz]|dosieraerosol\b|inhalationsl\u00f6sung\b|fertiginhalat\b",
    "topical": r"\btopical\b|\bcutaneous\b|\bshampoo\b|\btop\b|nagellack\b",
    "transdermal": r"\btransdermal\b",
    "vaginal": r"\bvaginal(?:tabletten?|creme|z\u00e4pfchen|ovula)?\b|\bvag\b",
    "rectal": r"\brectal\b|\benema\b",
    "intrauterine": r"\bintrauterine\b|\b(?:mirena|liletta|kyleena|skyla|jaydess|levosert)\b",
    "urethral": r"\burethral\b", "intravenous": r"\bintravenous\b", "intramuscular": r"\bintramuscular\b",
    "subcutaneous": r"\bsubcutaneous\b", "intrathecal": r"\bintrathecal\b", "intradermal": r"\bintradermal\b",
}
_IMPLIED = {
    "oral": r"\b(?:tablets?|capsules?|caplets?|syrup|elixir)\b",
    # Into a vein, a muscle or under the skin: the name does not say.
    "injection": r"\binject(?:ion|able)\b|\bprefilled syringe\b|\bpen injector\b|\bauto-?injector\b",
}
_FOR_THE_SKIN = {"topical": r"\b(?:creams?|cremes?|ointment|oint|lotion|(?:wund|heil|fett|schmerz)?salbe|fettcreme"
                            r"|(?:emul|schmerz)?gel)\b"}
# Where such a form is not for the skin alone, or its substance is to reach the body: it is swallowed ("10 mg" of
# nothing), or put into the mouth, the bowel or elsewhere; and of some substances a gel is a remedy to swallow
# (antacids, glucose, levodopa), or one that a pharmacy makes up for those who cannot.
_NOT_THE_SKIN = re.compile(
    r"\b(?:soft|liqui[ds]?)[ -]?gel|\bgel[ -]?cap|\bcaps?\b|kapsel|tablette|\d\s*mg\b(?!\s*(?:/|per|pro))"
    r"|syringe|spritze|implant|patch|plaster|pflaster|lozenge|suppos|\bsupp\b|z\u00e4pfchen|system|spray|drops|tropfen"
    r"|enteral|intestin|stomach|magen|mouth|mucosa|\bmund(?!i)|\bgums?\b|zahn|teeth|\brect|\brekt|\brtl\b|\banal\b"
    r"|morr(?:h?o)?id|urethr|harnr|cervi|\bnose\b"
    r"|alumin|magnes|magaldrat|algel|algin|simet|sucral|antacid|dopa\b|gluco|gluko|dextros|azepam|haloperidol"
    r"|promethazin|chlorperazin|metoclopramid|ondansetron|[hb]imazol|thiamazol|morphin|methadon|ketamin|leupro|insulin",
    re.IGNORECASE)


@lru_cache(maxsize=1 << 14)
def route_by_form(name: str) -> str | None:
    """The one route that a product's name tells; None where it tells none, or more than one.

    >>> route_by_form("timolol 5 MG/ML Ophthalmic Solution"), route_by_form("timolol 10 MG Oral Tablet")
    ('ophthalmic', 'oral')
    >>> route_by_form("diclofenac gel"), route_by_form("ibuprofen 200 mg liquid gel"), route_by_form("diazepam gel")
    ('topical', None, None)
    >>> route_by_form("Mirena")  # a brand that is a coil
    'intrauterine'
    >>> route_by_form("timolol")
    """
    found = _hits(name, _SAID) or _hits(name, _IMPLIED) or (
        [] if _NOT_THE_SKIN.search(name) else _hits(name, _FOR_THE_SKIN))
    return found[0] if len(found) == 1 else None


def _hits(name: str, forms: dict[str, str]) -> list[str]:
    return [route for route, pattern in forms.items() if re.search(pattern, name, re.IGNORECASE)]
