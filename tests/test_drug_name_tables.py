"""Every abbreviation, maker, salt and form that is read off a medicine's name, one by one."""

from __future__ import annotations

import csv
from importlib.resources import files

import pytest

from pmed.engine import Engine
from pmed.normalise.drug_labels import FORMS, german, says_more, without_maker, without_more
from pmed.normalise.drugs import Vocabulary
from pmed.settings import Settings

SHIPPED = Vocabulary.of(Engine.start(Settings()).drug_names)
# Written here once more, on purpose: a slip in the table or in a pattern is then seen.
ABBREVIATIONS = {
    "5-fu": "fluorouracil", "5fu": "fluorouracil", "6-mp": "mercaptopurine", "6-tg": "thioguanine",
    "aza": "azathioprine", "azt": "zidovudine", "cbz": "carbamazepine", "dhc": "dihydrocodeine",
    "hct": "hydrochlorothiazide", "hctz": "hydrochlorothiazide", "isdn": "isosorbide dinitrate",
    "ismn": "isosorbide mononitrate", "lt4": "levothyroxine", "mcp": "metoclopramide", "mmf": "mycophenolate mofetil",
    "mst": "morphine", "mtx": "methotrexate", "ntg": "nitroglycerin", "pcm": "acetaminophen", "pht": "phenytoin",
    "ptu": "propylthiouracil", "vpa": "valproate"}
MISREAD = {"azt": "azathioprine, azithromycin or aztreonam", "hct": "hydrocortisone", "hctz": "hydrocortisone",
           "mtx": "mitoxantrone", "ptu": "mercaptopurine"}
MAKERS = ("1A Pharma", "1 A Pharma", "1A-Pharma", "AbZ", "AbZ-Pharma", "Accord", "Actavis", "AL", "Aliud",
          "Almus", "Aristo", "Aurobindo", "axcount", "Basics", "betapharm", "Bluefish", "CT", "Dexcel", "dura",
          "ebb", "Fair-Med", "Glenmark", "Hennig", "Henning", "Heumann", "Hexal", "Hormosan", "Krka", "Lich",
          "Lichtenstein", "medac", "Merck", "Micro Labs", "Milpharm", "MSD", "Mylan", "neuraxpharm", "Orion", "Pfizer",
          "Puren", "Ranbaxy", "ratio", "ratiopharm", "Sandoz", "Sanofi", "Stada", "Sun", "TAD", "Teva", "Torrent",
          "Viatris", "Wockhardt", "Zentiva")
SALTS = ("acetat", "axetil", "benzoat", "besilat", "bromid", "butyrat", "calcium", "chlorid", "citrat", "decanoat",
         "dihydrat", "dihydrochlorid", "dimesilat", "dinatriumphosphat", "dipropionat", "embonat", "enantat",
         "erbumin", "ethylsuccinat", "fumarat", "furoat", "hcl", "hemifumarat", "hemihydrat", "hyclat", "hydrobromid",
         "hydrochlorid", "hydrogensulfat", "hydrogentartrat", "kalium", "lactat", "lysinat", "magnesium", "malat",
         "maleat", "mesilat", "monohydrat", "natrium", "natriumphosphat", "natriumsuccinat", "nitrat", "oxalat",
         "palmitat", "phosphat", "propionat", "proxetil", "succinat", "sulfat", "tartrat", "tosilat", "trihydrat",
         "valerat", "xinafoat")
GERMAN_FORMS = {"akut", "ampullen", "augengel", "augensalbe", "augentropfen", "brausetabletten", "chrono", "creme",
    "depot", "dosieraerosol", "dragees", "duriles", "emulgel", "fertiginhalat", "fertigpen", "fertigspritze",
    "fettcreme", "fettsalbe", "filmtabletten", "granulat", "hartkapseln", "heilsalbe", "infusionsl\u00f6sung",
    "inhalationsl\u00f6sung", "injektionsl\u00f6sung", "kapseln", "magensaftresistent", "magensaftresistente", "mite",
    "nasensalbe", "nasenspray", "nasentropfen", "ohrentropfen", "penfill", "pflaster", "prolong", "pulver", "resinat",
    "ret", "retard", "retardkapseln", "retardtabletten", "saft", "salbe", "schmelztabletten", "schmerzgel",
    "schmerzsalbe", "sirup", "succ", "tabletten", "tropfen", "vaginalcreme", "vaginalovula", "vaginaltablette",
    "vaginaltabletten", "vaginalz\u00e4pfchen", "wundsalbe", "zok", "z\u00e4pfchen"}


def test_the_table_of_abbreviations_is_this_one() -> None:
    text = (files("pmed.normalise") / "data" / "abbreviations.tsv").read_text("utf-8").splitlines()
    rows = list(csv.DictReader(text, delimiter="\t"))
    assert {row["abbreviation"]: row["ingredient"] for row in rows} == ABBREVIATIONS
    assert {row["abbreviation"]: row["misread_as"] for row in rows if row["misread_as"]} == MISREAD
    assert all(row["source"] for row in rows)


@pytest.mark.parametrize(("short", "ingredient"), ABBREVIATIONS.items())
def test_each_abbreviation_is_read_and_never_sure(short: str, ingredient: str) -> None:
    for written in (short, short.upper(), f"{short.upper()} 10 mg"):
        found = SHIPPED.match(None, None, written)
        assert (found.ingredients, found.how) == (SHIPPED.ingredients[ingredient], "fuzzy")


@pytest.mark.parametrize("maker", MAKERS)
def test_each_maker_is_taken_off(maker: str) -> None:
    for between in (" ", "-", " - "):
        assert without_maker(f"ramipril{between}{maker.lower()} 5 mg") == "ramipril 5 mg"
        assert SHIPPED.match(None, None, f"Ramipril{between}{maker} 5 mg").ingredients == {"ramipril"}
    assert without_maker(f"ramipril {maker.lower()}x") == f"ramipril {maker.lower()}x"


@pytest.mark.parametrize("salt", SALTS)
def test_each_salt_is_taken_off(salt: str) -> None:
    for between in ("", "-", " "):
        assert "metoprolol" in german(f"metoprolol{between}{salt}")
    assert "gold" not in german(f"gold{salt}")  # too short for a name by itself


def test_the_forms_are_these() -> None:
    assert {*FORMS} == GERMAN_FORMS


@pytest.mark.parametrize("form", sorted(GERMAN_FORMS))
def test_each_form_is_no_part_of_a_name(form: str) -> None:
    found = SHIPPED.match(None, None, f"Tramadol {form} 50 mg")
    assert (found.ingredients, found.unread, found.how == "fuzzy") == ({"tramadol"}, False, False)


@pytest.mark.parametrize("word", ["comp", "comp.", "compositum", "plus"])
def test_each_word_for_a_combination(word: str) -> None:
    assert says_more(f"losartan {word}")
    assert without_more(f"losartan {word} 50/12.5") == "losartan 50/12.5"
    assert not says_more("compazine")


@pytest.mark.parametrize(("name", "made"), [
    ("hydrocortison", ["hydrocortisone"]), ("azidothymidine", []), ("kodei", []), ("vitamin d", []),
    ("metoprololsuccinat", ["metoprololsuccinate", "metoprolol", "metoprolole"])])
def test_a_last_letter_is_added_to_long_words_only(name: str, made: list[str]) -> None:
    assert list(german(name)) == made


@pytest.mark.parametrize(("written", "ingredient"), [
    ("ZZ omeprazole 20 mg capsule", "omeprazole"), ("zzz Omeprazole", "omeprazole"), ("*NF* voriconazole 200 mg",
                                                                                     "voriconazole"),
    ("Carbamazepin ret. 200", "carbamazepine"), ("Tramadol-HCl AL 100mg Tropfen", "tramadol"),
    ("Esomeprazol-Magnesium", "esomeprazole"), ("Ketoconazol Creme 2%", "ketoconazole")])
def test_what_houses_put_around_a_name(written: str, ingredient: str) -> None:
    assert SHIPPED.match(None, None, written).ingredients == {ingredient}
