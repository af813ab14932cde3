"""The name of a medicine as people and systems write it → names to look up.

``24 HR metoprolol succinate 100 MG Extended Release Oral Tablet [Toprol]`` → ``metoprolol succinate``,
``metoprolol``; and ``toprol``. Nothing is looked up here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .drug_labels import FORMS, german
from .remarks import OF_MEDICINES, speaks_against

ALSO = " \u00a6 "  # parts the accounts of one medicine in the column `also`
_ASIDE = re.compile(r"\[([^\]]*)\]|\(([^()]*)\)")
_LEAD = re.compile(r"^(?:nda\d+\s+|\{|\d+(?:\.\d+)?\s*(?:hrs?|hours?|ml|actuat|mg|mcg|ug|g|gm|unt|units?|days?)\b\s*)+")
# The strength, and all behind it: a number after a blank, or one glued to the name with its unit. Interferon alfa-2a,
# vitamin B 12, omega-3, CPT-11, macrogol 3350, Theo-24 and the shares of mixed insulins are names.
_STRENGTH = re.compile(r"(?<!\bvitamin b)(?<!\bomega)(?<!\bcpt)[\s-]+(?!3350\b|5-mononitrat)"
                       r"(?!(?<=[a-z]-)\d(?:[ab]|\d(?=\s+\d))\b)(?!(?:[27]5|[357]0)/(?:[27]5|[357]0)\b)\.?\d.*$"
                       r"|(?<=[a-z]{4})\d+\s*(?:mg|mcg|ug|g|ml)\b.*$")
_FORMS = ("accuhaler", "aerosol", "auto-injector", "autohaler", "breezhaler", "buccal", "cap", "caps", "capsule",
          "capsules", "cd", "chewable", "cr", "cream", "daily", "delayed", "disintegrating", "diskus", "dosepak",
          "dr", "drops", "dry", "ds", "ear", "easyhaler", "ec", "elixir", "ellipta", "enteric", "er", "evohaler",
          "extended", "eye", "film", "flexhaler", "flexpen", "flextouch", "for", "forspiro", "gel", "genuair",
          "granules", "handihaler", "hfa", "implant", "inhalant", "inhalation", "inhaler", "inhub", "injectable",
          "injection", "intrauterine", "intravenous", "ir", "kit", "kwikpen", "la", "lotion", "metered", "modified",
          "mr", "mucosal", "mups", "nasal", "nexthaler", "novolizer", "odt", "oint", "ointment", "ophthalmic", "oral",
          "otic", "pack", "patch", "pen", "pill", "pills", "powder", "prefilled", "rectal", "respiclick", "respimat",
          "shampoo", "solostar", "solution", "spiromax", "spray", "sr", "sublingual", "suppository", "suspension",
          "sustained", "syringe", "syrup", "tab", "tablet", "tablets", "tabs", "topical", "transdermal",
          "turbohaler", "turbuhaler", "twisthaler", "vaginal", "vial", "xl", "xr", "z-pak")
_FORM = re.compile(rf"(?:\s+(?:{'|'.join(map(re.escape, _FORMS))})|[\s-]+(?:{'|'.join(FORMS)}))\b.*$")
# A slash parts drugs ("5 MG / x", "x/y", "5mg/HCT") but not the units of a strength ("MG/ML", "MG/ACTUAT"). HCT is one.
_APART = re.compile(r"\s*(?:\s/\s|/(?!actuat)(?=[a-z]{4}|(?:hctz?|ass|mtx)\b)|\+|;|,(?!\d)|\sand\s|\swith\s|\splus\s"
                    r"|\s(?=hctz?\b))\s*")
# "insulin, regular, human", "estrogens, conjugated": words of one name, though a comma parts drugs elsewhere.
_ONE_NAME = re.compile(
    r"(?<=insulin)\s*,\s*(?=(?:aspart|degludec|detemir|glargine|glulisine|human|isophane|lispro|nph|regular)\b)"
    r"|(?<=insulin human)\s*,\s*(?=(?:isophane|nph|regular)\b)"
    r"|(?<=isophane)\s*,\s*(?=human\b)|(?<=regular)\s*,\s*(?=human\b)|(?<=aspart)\s*,\s*(?=human\b)"
    r"|(?<=lispro)\s*,\s*(?=human\b)|(?<=protamine)\s*,\s*(?=human\b)"
    r"|(?<=estrogens)\s*,\s*(?=(?:conjugated|esterified)\b)")
# What US systems put before a name: no longer, or not, on the list of the house.
_OLD = re.compile(r"^(?:zz+|nf\*)\s+")
_ALLERGY = re.compile(
    r"^(?:allergy to|allergic to|allergic reaction (?:to|caused by)|hypersensitivity to|intolerance to|"
    r"adverse reaction (?:to|caused by)|(?:bekannte )?(?:allergie|allergische reaktion|allergisch"
    r"|unvertr\u00e4glichkeit|\u00fcberempfindlichkeit|intoleranz) (?:gegen(?:\u00fcber)?|auf|von))\s+"
    r"|\s+(?:allergy|intolerance|hypersensitivity)$"
    r"|(?<=[a-z])[\s-]*(?:allergie|unvertr\u00e4glichkeit|\u00fcberempfindlichkeit|intoleranz)$")
# Salts, esters that never name another ingredient, and hydrates. Never the first word: "sodium chloride" stays.
SALTS = frozenset((
    "acetate", "acetonide", "anhydrous", "axetil", "benzoate", "besilate", "besylate", "bicarbonate", "bisulfate",
    "bisulphate", "bitartrate", "bromide", "butyrate", "calcium", "camsylate", "carbonate", "chloride", "citrate",
    "cypionate", "decanoate", "dihydrate", "dihydrochloride", "dimesylate", "dipropionate", "disodium", "edisylate",
    "enanthate", "erbumine", "esylate", "ethylsuccinate", "fumarate", "furoate", "gluconate", "hcl", "hemifumarate",
    "hemihydrate", "hyclate", "hydrobromide", "hydrochloride", "isethionate", "lactate", "lysine", "magnesium",
    "malate", "maleate", "meglumine", "mesilate", "mesylate", "monohydrate", "nitrate", "oxalate", "palmitate",
    "pamoate", "phosphate", "pivoxil", "potassium", "propanediol", "propionate", "proxetil", "sesquihydrate",
    "sodium", "stearate", "succinate", "sulfate", "sulphate", "tartrate", "tosylate", "trihydrate", "tromethamine",
    "undecanoate", "valerate", "xinafoate", "zinc"))

# Words that stand behind a comma, "and" or "with" besides another medicine: where it is from, how to take it.
_REMARKS = frozenset((
    *_FORMS, *FORMS,
    "a", "after", "as", "at", "bedtime", "before", "bovine", "breakfast", "by", "day", "days", "device",
    "dinner", "dose", "doses", "each", "evening", "every", "food", "human", "in", "live", "lunch", "macrocrystals",
    "meal", "meals", "milk", "month", "morning", "mouth", "needed", "night", "nightly", "noon", "of", "once", "one",
    "oph", "other", "patient", "porcine", "prn", "purified", "recombinant", "spacer", "supper", "take", "taken", "tbl",
    "the", "three", "to", "top", "twice", "two", "unspecified", "vag", "water", "week", "weekly", "weeks"))

# What an entry says that names no medicine because none is taken. "Drug treatment unknown" (SNOMED CT 182904002) and
# "no drug therapy prescribed" (182849000: what is bought without a prescription is left open) are none of these.
_NONE_CODES = ("787481004", "no-known-medications")  # SNOMED CT; the International Patient Summary's own
# "None" alone is none of these: programs write it where nothing was entered.
_NONE = re.compile(r"no (?:known |current |known current )?(?:medications?|medicines?|meds|drugs)"
                   r"|keine (?:aktuellen? |derzeitigen? )?(?:medikamente?|medikation|arzneimittel)|keine")
# The same of allergies: SNOMED CT "no known allergy" and "no known drug allergy", the Patient Summary's own. "No known
# food allergy" is none of these.
_NO_ALLERGY_CODES = ("716186003", "409137002", "no-known-allergies", "no-known-medication-allergies")
_NO_ALLERGY = re.compile(
    r"(?:no|none|nil)(?: (?:known|current|active|drug|medication|medicine))* (?:allerg(?:y|ies)|hypersensitivity)"
    r"(?: to (?:drugs?|medications?|medicines?|medicinal products?))?(?: known)?|nkd?as?"
    r"|(?:no|none|nil) (?:known|reported)|no|nein"
    r"|keine?(?: bekannten?)?(?: (?:medikamenten|arzneimittel)-?)? ?(?:allergien?|unvertr\u00e4glichkeiten?)"
    r"(?: (?:und|oder) (?:allergien?|unvertr\u00e4glichkeiten?))?(?: bekannt)?"
    r"|keine (?:medikamenten|arzneimittel)(?:allergien?|unvertr\u00e4glichkeiten?)(?: bekannt)?"
    r"|keine?(?: bekannte?n?)?|allergien?:? keine?(?: bekannt)?")
# Things on lists of medicines that hold none of the substances a rule asks for, by words that no medicine's name has.
GOODS = (r"\b(?:vaccines?|lancets?|gauze|bandages?|(?:test|reagent) strips?|(?:pen|hypodermic) needles?"
         r"|insulin syringes?|alcohol (?:pads?|preps?|swabs?)"
         r"|(?:glucose|blood pressure) (?:meters?|monitors?|sensors?))\b"
         # Not what is dissolved in it.
         r"|^(?:[\d.,%\s]|ml|normal|half|sterile|hypertonic|isotonic|physiological|nasal|ns)*\bsaline\b")


def is_remark(part: str) -> bool:
    """Whether what a separator parts from a medicine is no other medicine: a remark, a species, how to take it.

    >>> is_remark("porcine"), is_remark("stopped 2019"), is_remark("sacubitril")
    (True, True, False)
    """
    words = re.findall(r"[a-z]+", part)
    return speaks_against(part, OF_MEDICINES) or all(len(word) < 3 or word in _REMARKS for word in words)


def says_none(code: str | None, display: str | None) -> bool:
    """Whether an entry states that no medicine is taken, by its code or by its whole text.

    >>> says_none("787481004", None), says_none(None, "No current medications"), says_none("182904002", "unknown")
    (True, True, False)
    >>> says_none(None, "Keine Medikamente"), says_none(None, "keine Dauermedikation"), says_none(None, "None")
    (True, False, False)
    """
    return (code or "").lower() in _NONE_CODES or bool(_NONE.fullmatch(main_name(display or "")))


def says_no_allergy(code: str | None, display: str | None) -> bool:
    """Whether an entry states that there is no allergy to a medicine, by its code or by its whole text.

    >>> says_no_allergy("716186003", None), says_no_allergy(None, "No Known Drug Allergies (NKDA)")
    (True, True)
    >>> says_no_allergy(None, "NKA"), says_no_allergy("429625007", "No known food allergy")
    (True, False)
    >>> says_no_allergy(None, "Keine Allergien bekannt"), says_no_allergy(None, "keine Angaben")
    (True, False)
    """
    plain = " ".join(_ASIDE.sub(" ", (display or "").lower()).strip(" .*").split())
    return (code or "").lower() in _NO_ALLERGY_CODES or bool(_NO_ALLERGY.fullmatch(plain))


def main_name(text: str) -> str:
    """The name without what stands in brackets, in lower case with single blanks."""
    bare = _ALLERGY.sub("", _OLD.sub("", _ASIDE.sub(" ", text.lower()).strip(" .*-}")))
    return " ".join(_ONE_NAME.sub(" ", bare).split())


def asides(text: str) -> Iterator[str]:
    """What stands in brackets: a brand, an older name, or a remark."""
    for found in _ASIDE.finditer(text.lower()):
        yield main_name(found[1] or found[2] or "")


def parts(name: str) -> list[str]:
    """The medicines of a combination, each still with its strength and form cut off."""
    return [part for piece in _APART.split(_LEAD.sub("", name)) if (part := _cut(piece))]


def spellings(name: str) -> Iterator[str]:
    """Names to look up, the most specific first: whole, without strength, without form, without salts, in German."""
    whole, cut = _LEAD.sub("", name), _cut(name)
    yield from dict.fromkeys((name, whole, _STRENGTH.sub("", whole), cut, *_without_salts(cut), *german(cut)))


def without_form(name: str) -> str:
    """Without what stands behind it of the form; the number of "Theo-24 Oral Capsule" is no strength but its name.

    >>> without_form("theo-24 oral capsule")
    'theo-24'
    """
    return _FORM.sub("", name).strip(" .*-{}")


def behind_strength(name: str) -> list[str]:
    """The words behind the first strength, where a second medicine may stand: "Valsartan 160 mg Amlodipin 5 mg"."""
    found = _STRENGTH.search(_LEAD.sub("", name.strip()))
    return re.findall(r"[^\W\d_]{5,}", found[0]) if found else []


def _cut(name: str) -> str:
    """Take off what stands before and behind the name: amounts, strength, form."""
    return _FORM.sub("", _STRENGTH.sub("", _LEAD.sub("", name.strip()))).strip(" .*-{}")


def _without_salts(name: str) -> Iterator[str]:
    words = name.split()
    while len(words) > 1 and _is_salt(words[-1]):
        words.pop()
        yield " ".join(words)


def _is_salt(word: str) -> bool:
    """A salt, also one with a slip of the pen in it ("hydrocholoride")."""
    return word in SALTS or (len(word) >= 8 and any(one_edit_apart(word, salt) for salt in SALTS if len(salt) >= 8))


def one_edit_apart(first: str, second: str) -> bool:
    """Whether one letter was added, left out, changed, or swapped with its neighbour; equal names are not apart."""
    if first == second or abs(len(first) - len(second)) > 1:
        return False
    start = next((i for i, (a, b) in enumerate(zip(first, second, strict=False)) if a != b),
                 min(len(first), len(second)))
    left, right = first[start:], second[start:]
    swapped = len(left) > 1 and left[:2] == right[1::-1] and left[2:] == right[2:]
    return swapped or left[1:] == right[1:] or left[1:] == right or left == right[1:]
