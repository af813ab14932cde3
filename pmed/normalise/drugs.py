"""Recorded drugs → RxNorm ingredients, by a vocabulary; a wrong ingredient is worse than none.

The order is: code, name, synonym, brand, then a guarded guess (one edit away from one ingredient only, six letters or
more, the same first three). A guess is marked ``fuzzy`` and reported. Where code and text name different drugs,
neither is taken: the row keeps both as ``possible_ingredients``, so that nothing downstream reads the patient as
free of either. A looser guess (difflib 0.88) turned desvenlafaxine into venlafaxine and mephenytoin into phenytoin.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from functools import lru_cache

import polars as pl

from ..plans import as_written
from ..tables import TABLES
from ..verdicts import lists_allergies
from .drug_labels import says_more, without_maker, without_more
from .drug_names import (
    ALSO,
    GOODS,
    asides,
    behind_strength,
    is_remark,
    main_name,
    one_edit_apart,
    parts,
    says_no_allergy,
    says_none,
    spellings,
    without_form,
)
from .pieces import in_amounts, without_slips
from .routes import route_by_form

# RxNorm and ATC, as FHIR and HL7 v2 name them; a number is never taken for the other's letters and numbers.
# The German edition of ATC follows the WHO's.
SYSTEMS = ("http://www.nlm.nih.gov/research/umls/rxnorm", "urn:oid:2.16.840.1.113883.6.88", "rxnorm",
           "http://www.whocc.no/atc", "urn:oid:2.16.840.1.113883.6.73", "atc", "https://www.whocc.no/atc",
           "http://fhir.de/codesystem/bfarm/atc", "http://fhir.de/codesystem/dimdi/atc")
_ATC = re.compile(r"[A-Za-z]\d\d[A-Za-z]{2}\d\d")
_SAID = ("system", "code", "display", "also")
_HOW = ("code", "name", "synonym", "brand", "fuzzy")
_GUESSED = 6  # letters a name needs before it may be guessed at
_NAMES = pl.List(pl.String())
_FOUND = {"ingredients": _NAMES, "matched_by": pl.String(), "possible_ingredients": _NAMES, "unread_part": pl.Boolean()}
# One amount in a product's name, with what it is in: "20 MG", "1 MG/ML", "0.4 MG/ACTUAT", "25mcg/h", ".125 mg".
_AMOUNT = re.compile(r"(?<![0-9.,])([0-9]*[.,]?[0-9]+)\s*(mg|mcg|ug|µg|g|meq|unt|units?|iu)"
                     r"(?:\s*/\s*(ml|actuat|hr?|l))?(?:[^a-z]|$)", re.IGNORECASE)
_THOUSANDS = re.compile(r"[1-9][0-9]{0,2}[.,][0-9]{3}")  # "1,000 mg" may be a gram, or a milligram
_UNITS = {"mcg": "ug", "µg": "ug", "unt": "U", "unit": "U", "units": "U", "iu": "[IU]", "meq": "meq"}
_PER = {"ml": "/mL", "actuat": "/{actuat}", "h": "/h", "hr": "/h", "l": "/L"}


@dataclass(frozen=True)
class Match:
    """What one recorded drug is: its ingredients and how they were found, or what it could be.

    Found without ingredients is an entry that says that nothing is taken, or that there is no allergy.
    """

    ingredients: frozenset[str] = frozenset()
    how: str = ""
    possible: frozenset[str] = frozenset()
    unread: bool = False  # the text names something besides that no vocabulary knows
    denied: bool = False  # one account says that there is none, another names a drug


@dataclass(frozen=True)
class Vocabulary:
    """``drug_names`` as look-ups, each name with all its ingredients."""

    own: Set[str] = field(repr=False)
    ingredients: Mapping[str, frozenset[str]] = field(repr=False)
    brands: Mapping[str, frozenset[str]] = field(repr=False)
    codes: Mapping[str, frozenset[str]] = field(repr=False)
    abbreviations: Mapping[str, frozenset[str]] = field(repr=False)  # which are misread: never sure
    alike: Mapping[str, Sequence[str]] = field(repr=False)

    @classmethod
    def of(cls, drug_names: pl.DataFrame) -> Vocabulary:
        """Make the look-ups from a ``drug_names`` table; an ingredient is also its own name."""
        kinds: dict[str, dict[str, set[str]]] = {kind: defaultdict(set) for kind in (
            "ingredient", "brand", "code", "abbreviation")}
        for ingredient, kind, name in drug_names.select("ingredient", "kind", "name").iter_rows():
            kinds["ingredient" if kind == "synonym" else kind][name.lower()].add(ingredient)
            kinds["ingredient"][ingredient].add(ingredient)
        alike: dict[str, list[str]] = defaultdict(list)
        for name in kinds["ingredient"]:
            alike[name[:3]].append(name)
        return cls(frozenset(drug_names["ingredient"]), _fixed(kinds["ingredient"]), _fixed(kinds["brand"]),
                   _fixed(kinds["code"]), _fixed(kinds["abbreviation"]), alike)

    def match(self, system: str | None, code: str | None, display: str | None,
              nothing: Callable[[str | None, str | None], bool] = says_none) -> Match:
        """What a recorded drug is, by its code and its text together; `nothing` tells an entry that names none."""
        if not code and _ATC.fullmatch((display or "").strip()):
            code, display = (display or "").strip(), None
        named = self.by_text(display or "")
        # Of a code without a system only the form of ATC leaves no doubt.
        known = (system or "").lower() in SYSTEMS or (not system and bool(_ATC.fullmatch(code or "")))
        coded = self.codes.get((code or "").lower(), frozenset()) if known else frozenset()
        if nothing(code, display):
            drugs = named.ingredients | named.possible | coded
            return Match(possible=drugs, denied=True) if drugs else Match(how="code" if code else "name")
        if coded and not named.possible:
            return _agree(Match(coded, "code"), named)
        return named if not coded else Match(possible=coded | named.possible)

    def settled(self, first: Match, also: str | None) -> Match:
        """A drug of which the entry holds other accounts (the column `also`): what all agree on, else none."""
        others = [self._account(one) for one in also.split(ALSO)] if also else []
        accounts = [one for one in (first, *others) if one.ingredients or one.possible]
        if not any(one in accounts for one in others):
            return first
        whole = frozenset().union(*(one.ingredients | one.possible for one in accounts))
        says_none_too = bool(first.how and not first.ingredients)
        if says_none_too or any(one.possible for one in accounts) or all(one.ingredients != whole for one in accounts):
            return Match(possible=whole, denied=says_none_too or any(one.denied for one in accounts))
        return Match(whole, min((one.how for one in accounts), key=_HOW.index),
                     unread=all(one.unread for one in accounts))

    def _account(self, also: str) -> Match:
        """Another account of a drug; of a sentence only what it begins with: "take with aspirin" is none."""
        system, code, text = also.split("|", 2) if also.count("|") > 1 else (None, None, also)
        named, pieces = self.by_text(text), parts(main_name(text))
        if len(pieces) > 1 and (named.unread or not self._part(pieces[0]).ingredients):
            text = pieces[0]
        return replace(self.match(system, code, text), unread=named.unread)

    def by_text(self, display: str) -> Match:
        """What the text says: its name, and the brand in brackets, which must agree."""
        found = self._whole(main_name(display))
        for aside in asides(display):
            found = found if found.possible else _agree(found, self._whole(aside))
        return found

    def _whole(self, name: str) -> Match:
        """A name that may be one drug or a combination of several."""
        if not name:
            return Match()
        bare = without_maker(name)
        whole = without_form(bare)  # of "Beloc-Zok comp" the form leaves another medicine
        as_written = self._look_up([name, bare, *([whole] if says_more(whole) == says_more(bare) else [])])
        if as_written.ingredients:
            return as_written
        if says_more(bare):
            if (brand := self._look_up(filter(says_more, spellings(bare)))).ingredients:
                return brand
            if (named := without_more(bare)) != bare:
                return _and_more(self._whole(named))
        found = self._in_parts(bare)
        lost = any(self._exact(word).ingredients - found.ingredients for word in behind_strength(bare))
        return replace(found, unread=True) if found.ingredients and lost else found

    def _in_parts(self, name: str) -> Match:
        pieces = parts(name)
        if len(pieces) == 1 and "-" in pieces[0] and not self._part(pieces[0]).ingredients:
            hyphened = [self._exact(piece) for piece in pieces[0].split("-")]
            return _together(hyphened, ()) if all(one.ingredients for one in hyphened) else Match()
        return _together([self._part(piece) for piece in pieces], pieces)

    def _part(self, name: str) -> Match:
        exact = self._exact(name)
        return exact if exact.ingredients else self._guess(name)

    def _exact(self, name: str) -> Match:
        """An ingredient or brand, under the most specific spelling that is known."""
        return self._look_up(spellings(name))

    def _look_up(self, names: Iterable[str]) -> Match:
        for spelling in names:
            if spelling in self.ingredients:
                return Match(self.ingredients[spelling], "name" if spelling in self.own else "synonym")
            if spelling in self.brands:
                return Match(self.brands[spelling], "brand")
            if spelling in self.abbreviations:
                return Match(self.abbreviations[spelling], "fuzzy")
        return Match()

    def _guess(self, name: str) -> Match:
        """The one ingredient that is one slip of the pen away, if there is just one."""
        near = {ingredient for spelling in spellings(name) for ingredient in self._near(spelling)}
        return Match(frozenset(near), "fuzzy") if len(near) == 1 else Match()

    def _near(self, name: str) -> frozenset[str]:
        near = [one for one in self.alike.get(name[:3], ()) if len(one) >= _GUESSED and one_edit_apart(name, one)]
        return frozenset().union(*(self.ingredients[one] for one in near)) if len(name) >= _GUESSED else frozenset()


def add_ingredients(drugs: pl.DataFrame, names: pl.DataFrame | Vocabulary) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Fill `ingredients` (sorted) of a ``medications`` or ``allergies`` table; return it with the ``issues`` met.

    They are empty, not null, where the entry says that no medicine is taken, or that there is no allergy to any.

    `matched_by` is filled where the table has it, as are `strength` and `route` where they are not recorded. The extra
    column `possible_ingredients` holds what a row could be where its code and its text disagree; null otherwise.
    `unread_part` is true where a part of a combination is in no vocabulary. Each distinct drug is worked out once.
    `names` is a ``drug_names`` table, or the look-ups made of one.
    """
    vocabulary = names if isinstance(names, Vocabulary) else Vocabulary.of(names)
    pairs = drugs.select(_SAID).unique(maintain_order=True)
    nothing = says_none if "dose" in drugs.columns else says_no_allergy
    matches = [vocabulary.settled(vocabulary.match(system, code, display, nothing), also)
               for system, code, display, also in pairs.iter_rows()]
    if nothing is says_no_allergy:
        matches = [_to_each(one) for one in matches]
    found = pairs.with_columns(
        pl.Series("ingredients", [sorted(one.ingredients) if one.how else None for one in matches], _NAMES),
        pl.Series("matched_by", [one.how or None for one in matches], pl.String()),
        pl.Series("possible_ingredients", [sorted(one.possible) or None for one in matches], _NAMES),
        pl.Series("unread_part", [one.unread for one in matches], pl.Boolean())).hstack(
        _forms(pairs["display"], matches))
    joined = drugs.drop(_FOUND, strict=False).join(found, on=_SAID, how="left", nulls_equal=True,
                                                   maintain_order="left")
    columns = dict.fromkeys([*drugs.columns, "ingredients", "possible_ingredients", "unread_part"])
    if "strength" not in drugs.columns:
        return joined.select(*columns), _issues(joined)
    told, slips = without_slips(in_amounts(joined.with_columns(_as_told())))
    return told.select(*columns), pl.concat([_issues(joined), _slips(slips)])


def unrecognised(drugs: pl.DataFrame) -> pl.Expr:
    """Whether a row is a current medicine that may be any: no vocabulary knows it, or a part of what it is made of.

    Other kinds of goods are none.
    """
    unknown = [name for name in ("ingredients", "possible_ingredients") if name in drugs.columns]
    part = pl.col("unread_part").fill_null(value=False) if "unread_part" in drugs.columns else pl.lit(value=False)
    return pl.col("active").fill_null(value=True) & (pl.all_horizontal(pl.col(unknown).is_null()) | part) & ~is_goods()


def is_goods() -> pl.Expr:
    """Whether a row is no medicine by its name: a vaccine, saline, test strips, needles, dressings, a meter."""
    return pl.col("display").str.to_lowercase().str.contains(GOODS).fill_null(value=False)


def name_of_medicine() -> pl.Expr:
    """What the record calls a medicine."""
    return pl.coalesce("display", "code", pl.lit("one without a name"))


# In plain Python, for each distinct name: that is faster than twenty expressions over every row, of a few or of many.
def _forms(names: Iterable[str | None], matches: Iterable[Match]) -> pl.DataFrame:
    """What a name says of a product of known ingredients: "Oral" may be part of any other name."""
    rows = [(*(_amount(name) if name and len(one.ingredients) == 1 else (None, None)),
             route_by_form(name) if name and one.ingredients else None)
            for name, one in zip(names, matches, strict=True)]
    return pl.DataFrame(rows, orient="row", schema={
        "_strength": pl.Float64(), "_strength_unit": pl.String(), "_route": pl.String()})


@lru_cache(maxsize=1 << 14)
def _amount(name: str) -> tuple[float | None, str | None]:
    """Amount and unit as the name of a product of one ingredient states them once."""
    amounts = _AMOUNT.findall(name)
    if len(amounts) != 1 or _THOUSANDS.fullmatch(amounts[0][0]):
        return None, None
    number, unit, per = amounts[0]
    return float(number.replace(",", ".")), _UNITS.get(unit.lower(), unit.lower()) + _PER.get(per.lower(), "")


def _as_told() -> list[pl.Expr]:
    """Strength and route as recorded, else as the name says."""
    recorded = pl.col("strength").is_not_null()
    return [pl.coalesce("strength", "_strength"), pl.coalesce("route", "_route"),
            pl.when(recorded).then("strength_unit").otherwise("_strength_unit").alias("strength_unit")]


def _fixed(names: Mapping[str, set[str]]) -> dict[str, frozenset[str]]:
    return {name: frozenset(found) for name, found in names.items()}


def _agree(first: Match, second: Match) -> Match:
    """Two accounts of one drug: the fuller where one holds the other, else neither."""
    if not (first.ingredients and second.ingredients):
        return first if first.ingredients else second
    if first.ingredients <= second.ingredients or second.ingredients <= first.ingredients:
        # A code or a brand tells all that is in a product; another name may leave out the same.
        return Match(first.ingredients | second.ingredients, min(first.how, second.how, key=_HOW.index),
                     unread=first.unread and second.unread)
    return Match(possible=first.ingredients | second.ingredients)


def _to_each(found: Match) -> Match:
    """An allergy whose accounts name different drugs may be to any: each counts, unless one says that there is none."""
    return replace(found, ingredients=found.possible, how=_HOW[-1]) if found.possible and not found.denied else found


def _and_more(found: Match) -> Match:
    """A combination ("comp", "plus") of which no more than one part is named has another one."""
    return replace(found, unread=True) if len(found.ingredients) == 1 else found


def _together(found: Sequence[Match], pieces: Sequence[str]) -> Match:
    """The parts of a combination, as sure as the least sure of them; `pieces` are what they were read from."""
    known = [one for one in found if one.ingredients]
    if not known:
        return Match()
    least_sure = max((one.how for one in known), key=_HOW.index)
    unread = any(not one.ingredients and not is_remark(piece) for one, piece in zip(found, pieces, strict=False))
    return Match(frozenset().union(*(one.ingredients for one in known)), least_sure, unread=unread)


def _issues(drugs: pl.DataFrame) -> pl.DataFrame:
    """Conflicts, guesses and what is unknown, each named once a patient."""
    conflict = pl.col("possible_ingredients").is_not_null()
    guess = pl.col("matched_by").eq_missing("fuzzy") & ~conflict
    unknown = pl.col("active").fill_null(value=True) & pl.col("ingredients").is_null() & ~conflict
    part = pl.col("active").fill_null(value=True) & pl.col("unread_part")
    if "dose" not in drugs.columns:  # "no known food allergy" is no allergen
        unknown &= lists_allergies()
    once = drugs.lazy().unique(["patient_id", *_SAID], keep="first", maintain_order=True).filter(
        conflict | guess | unknown | part).pipe(as_written)
    if once.is_empty():
        return TABLES["issues"].empty()
    text, names = pl.col("display").fill_null("(no name)"), pl.col("ingredients").list.join(", ")
    return pl.concat([
        _report(once.filter(conflict), "warning", "code-display-conflict", _conflict(text)),
        _report(once.filter(guess), "warning", "fuzzy-drug-name",
                pl.format("'{}' was read as {}: please confirm", text, names)),
        _report(once.filter(part), "warning", "part-not-recognised",
                pl.format("'{}' was read as {}: a part of it is not in the vocabulary and was not assessed", text,
                          names)),
        _report(once.filter(unknown), "info", *_unknown(text, medicine="dose" in drugs.columns)),
    ])


def _conflict(text: pl.Expr) -> pl.Expr:
    """Which names of an entry are of different drugs."""
    code, could_be = pl.col("code").fill_null("none"), pl.col("possible_ingredients").list.join(" or ")
    also = pl.col("also").str.replace_all("|", " ", literal=True).str.strip_chars()
    none, each = (pl.coalesce(
        pl.format(f"'{{}}' (code {{}}), also recorded as '{{}}', names different drugs: {{}}; {done}", text, code, also,
                  could_be), pl.format(f"'{{}}' (code {{}}) names different drugs: {{}}; {done}", text, code, could_be))
        for done in ("none was taken", "an allergy to each is weighed"))
    return pl.when(pl.col("ingredients").is_null()).then(none).otherwise(each)


def _unknown(text: pl.Expr, *, medicine: bool) -> tuple[str, pl.Expr]:
    """The code and the words for what no vocabulary knows; an allergen need not be a drug."""
    if medicine:
        return "drug-not-recognised", pl.format("'{}' is not in the vocabulary: it was not assessed", text)
    return "allergen-not-recognised", pl.format(
        "'{}' is no medicine of the vocabulary: an allergy to it is weighed only where it names a class", text)


def _slips(rows: pl.DataFrame) -> pl.DataFrame:
    """Doses that are hundreds of pieces, or a small part of one."""
    if rows.is_empty():
        return TABLES["issues"].empty()
    return _report(rows, "warning", "dose-conflict", pl.format(
        "'{}': the dose does not go with the strength ({} {}), as where milligrams are written for micrograms; it "
        "stays unknown", pl.col("display").fill_null("(no name)"), "strength", "strength_unit"))


def _report(drugs: pl.DataFrame, severity: str, code: str, text: pl.Expr) -> pl.DataFrame:
    origin = pl.col("source").fill_null("unknown").str.splitn("#", 2).struct
    made = drugs.select(file=origin.field("field_0"), place=origin.field("field_1"), severity=pl.lit(severity),
                        code=pl.lit(code), text=text, patient_id="patient_id")
    return made.match_to_schema(TABLES["issues"].empty().schema)
