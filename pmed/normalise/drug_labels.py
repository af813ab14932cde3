"""What stands on packages besides the name: makers of generics, German forms and salts, a second ingredient unnamed.

``ramipril-ratiopharm`` → ``ramipril``; ``metoprololsuccinat`` → ``metoprolol``; ``losartan comp`` is losartan and
something else. Nothing is looked up here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

# Makers as they stand behind a name (Germany, UK): "Simvastatin AL", "Torasemid - 1 A Pharma", "Warfarin Orion".
_MAKER = re.compile(
    r"(?<=\w)(?:\s*-\s*|\s+)(?:1\s?a[\s-]?pharma|abz(?:[\s-]?pharma)?|accord|actavis|al|aliud|almus|aristo|aurobindo|axcount"
    r"|basics|betapharm|bluefish|ct|dexcel|dura|ebb|fair[\s-]?med|glenmark|hennig|henning|heumann|hexal|hormosan|krka"
    r"|lich|lichtenstein|medac|merck|micro labs|milpharm|msd|mylan|neuraxpharm|orion|pfizer|puren|ranbaxy"
    r"|ratio(?:pharm)?|sandoz|sanofi|stada|sun|tad|teva|torrent|viatris|wockhardt|zentiva)(?![\w-])")
# German names of salts and esters, glued ("metoprololsuccinat") or with a hyphen ("enoxaparin-natrium").
_SALT = re.compile(
    r"(?<=[a-z]{5})[\s-]?(?:acetat|axetil|benzoat|besilat|bromid|butyrat|calcium|chlorid|citrat|decanoat|dihydrat"
    r"|dihydrochlorid|dimesilat|dinatriumphosphat|dipropionat|embonat|enantat|erbumin|ethylsuccinat|fumarat|furoat"
    r"|hcl|hemifumarat|hemihydrat|hyclat|hydrobromid|hydrochlorid|hydrogensulfat|hydrogentartrat|kalium|lactat"
    r"|lysinat|magnesium|malat|maleat|mesilat|monohydrat|natrium|natriumphosphat|natriumsuccinat|nitrat|oxalat"
    r"|palmitat|phosphat|propionat|proxetil|succinat|sulfat|tartrat|tosilat|trihydrat|valerat|xinafoat)$")
#: German forms and ways of release, none of which is part of another medicine's name.
FORMS = ("akut", "ampullen", "augengel", "augensalbe", "augentropfen", "brausetabletten", "chrono", "creme", "depot",
         "dosieraerosol", "dragees", "duriles", "emulgel", "fertiginhalat", "fertigpen", "fertigspritze", "fettcreme",
         "fettsalbe", "filmtabletten", "granulat", "hartkapseln", "heilsalbe", "infusionsl\u00f6sung",
         "inhalationsl\u00f6sung", "injektionsl\u00f6sung", "kapseln", "magensaftresistent", "magensaftresistente",
         "mite", "nasensalbe", "nasenspray", "nasentropfen", "ohrentropfen", "penfill", "pflaster", "prolong", "pulver",
         "resinat", "ret", "retard", "retardkapseln", "retardtabletten", "saft", "salbe", "schmelztabletten",
         "schmerzgel", "schmerzsalbe", "sirup", "succ", "tabletten", "tropfen", "vaginalcreme", "vaginalovula",
         "vaginaltablette", "vaginaltabletten", "vaginalz\u00e4pfchen", "wundsalbe", "zok", "z\u00e4pfchen")
# "Losartan comp", "Enalapril plus": a combination that does not name its second part.
_SAYS_MORE = re.compile(r"\b(?:comp|compositum|plus)\b")
_MORE = re.compile(r"\b(?:comp(?:\.|\b)|compositum\b|plus\b(?=\s*(?:[\d(.]|$|(?:caps?|film|oral|tab|"
                   rf"{'|'.join(FORMS)}))))")
_LONG_ENOUGH = 6


def without_maker(name: str) -> str:
    """The name without makers; what stands behind one stays.

    >>> without_maker("ramipril-ratiopharm comp 5/25 mg"), without_maker("torasemid - 1 a pharma 10 mg")
    ('ramipril comp 5/25 mg', 'torasemid 10 mg')
    """
    return _MAKER.sub("", name)


def says_more(name: str) -> bool:
    """Whether a name says that it is a combination: as a brand it may be known so ("atacand plus")."""
    return bool(_SAYS_MORE.search(name))


def without_more(name: str) -> str:
    """The name without the word that says that it is a combination.

    >>> without_more("losartan comp. 50/12.5"), without_more("amlodipine plus valsartan")
    ('losartan 50/12.5', 'amlodipine plus valsartan')
    """
    return " ".join(_MORE.sub(" ", name).split())


def german(name: str) -> Iterator[str]:
    """International names as they are where German drops their last letter, and without German salts.

    >>> list(german("hydrocortison")), list(german("metoprololsuccinat"))
    (['hydrocortisone'], ['metoprololsuccinate', 'metoprolol', 'metoprolole'])
    >>> next(german("acetylsalicylsaeure")) == f"acetylsalicyls{chr(228)}ure"
    True
    """
    acid = name.replace("saeure", "s\u00e4ure")
    for one in dict.fromkeys((name, acid, _SALT.sub("", acid))):
        if one != name:
            yield one
        if len(one) >= _LONG_ENOUGH and one.isalpha() and one[-1] != "e":
            yield f"{one}e"
