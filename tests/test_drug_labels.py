"""How hospitals in Germany, the UK and the US write medicines: makers, short names, abbreviations, combinations."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmed.engine import Engine
from pmed.normalise.drug_labels import FORMS
from pmed.normalise.drugs import Vocabulary
from pmed.settings import Settings

SHIPPED = Vocabulary.of(Engine.start(Settings()).drug_names)
MAKERS = ["-ratiopharm", " AL", " 1A Pharma", " - 1 A Pharma", " Hexal", "-Hexal", " Stada", " Teva", "-Zentiva",
          " AbZ", "-CT", " Aristo", "-neuraxpharm", " Heumann"]
STRENGTH = ["", " 5", " 5 mg", " 0,125 mg", " 20mg", " 2,5 mg/ml", " 75 \u00b5g"]
FORM = ["", " Tabletten", " Filmtabletten", " retard", " Oral Tablet", " tabs", " Injektionsl\u00f6sung", " Tropfen"]
SINGLE = sorted(name for name in SHIPPED.ingredients if len(name.split()) == 1 and len(name) > 4)

EXPECTED = {
    "aspirin": ("ASS 100", "ASS-ratiopharm 100 mg", "HerzASS-ratiopharm", "Aspirin protect 100 mg", "ASA 81",
                "Acetylsalicyls\u00e4ure 100 mg", "Godamed 100", "Aspirin EC 81 mg"),
    "fluindione": ("Préviscan 20 mg", "fluindione"), "phenindione": ("Phenindione 25 mg", "Dindevan"),
    "mavacamten": ("Camzyos 5 mg",),
    "phenprocoumon": ("Falithrom 3 mg", "Marcumar", "Marcuphen 3 mg AbZ", "Phenprocoumon-ratiopharm"),
    "warfarin": ("Coumadin 5", "Warfarin Orion", "Jantoven"),
    "phytonadione": ("vitamin K", "Vitamin K1", "Phytomenadione 10 mg", "Konakion MM", "Vitamin K 10 mg"),
    "fluorouracil": ("5-Fluorouracil 1000 mg", "Fluorouracil Accord"),
    "methotrexate": ("Lantarel", "Methotrexat 15 mg"),
    "metamizole": ("Novalgin", "Novaminsulfon 500 mg Lichtenstein", "Metamizol 500", "Dipyrone"),
    "levothyroxine": ("L-Thyroxin 75", "L-Thyroxin Henning 100", "L-Thyrox Hexal 50", "Euthyrox 50",
                      "Levothyroxin-Natrium 75 \u00b5g", "Thyroxine 100 mcg"),
    "metoprolol": ("Metohexal 95", "Metohexal-Succ 47,5 mg", "Beloc-Zok mite", "Metoprololsuccinat 47,5 mg",
                   "Metoprolol-ratiopharm succ. 95", "Metoprololtartrat", "Betaloc"),
    "ramipril": ("Ramipril-ratiopharm 5 mg", "Delix 5"), "torsemide": ("Torasemid-1A Pharma 10 mg", "Torem 10"),
    "simvastatin": ("Simva 40", "SimvaHEXAL 20 mg", "Simva-Aristo 20", "Zocor MSD 20",
                    "Simvastatin - 1 A Pharma 20 mg"),
    "acetaminophen": ("Paracetamol 500 - 1 A Pharma", "ben-u-ron", "APAP"),
    "epinephrine": ("Adrenalin", "Suprarenin"),
    "albuterol": ("salbutamol", "Sultanol", "Ventolin HFA 90 mcg"), "cyclosporine": ("ciclosporin", "Sandimmun Neoral"),
    "furosemide": ("frusemide", "Furosemid-ratiopharm 40 mg"), "losartan": ("Losartan-Kalium", "Lorzaar"),
    "enoxaparin": ("Enoxaparin-Natrium", "Clexane"), "valproate": ("Ergenyl chrono", "Valproat", "Orfiril"),
    "fentanyl": ("Fentanyl-Pflaster 25 \u00b5g/h", "Durogesic"), "venlafaxine": ("Venlafaxin retard 75",),
    "prednisolone": ("Decortin H", "Decortin-H 5", "Prednisolon 5"), "prednisone": ("Decortin", "Prednison"),
    "azathioprine": ("Azathioprin 50", "Imurek"), "mercaptopurine": ("Puri-Nethol", "6-Mercaptopurine"),
    "quetiapine": ("Seroquel prolong",), "st. john's wort extract": ("Johanniskraut", "Laif 900"),
    "amlodipine": ("Amlodipin besilat Dexcel",), "scopolamine butylbromide": ("Buscopan", "Hyoscine butylbromide"),
    "benserazide + levodopa": ("Levodopa/Benserazid", "Madopar"), "naloxone + oxycodone": ("Targin 10/5",),
    "aspirin + clopidogrel": ("Clopidogrel 75 mg/ASS 100 mg",),
    "candesartan + hydrochlorothiazide": ("Atacand plus 16/12.5 mg", "Atacand plus Oral Tablet"),
    "insulin glargine": ("Lantus SoloStar 100 Einheiten/ml", "Toujeo"),
    "esomeprazole": ("Nexium MUPS 20 mg",), "itraconazole": ("Sempera 100 mg",), "promethazine": ("Atosil",),
    "sulfamethoxazole + trimethoprim": ("Bactrim DS",), "fluticasone + salmeterol": ("Advair Diskus 250/50", "Viani"),
    "budesonide + formoterol": ("Symbicort Turbohaler 160/4,5", "DuoResp Spiromax"),
    "tiotropium": ("Spiriva Respimat",),
    "fluticasone + umeclidinium + vilanterol": ("Trelegy Ellipta",), "hydrochlorothiazide + ramipril": ("Delix plus",),
    "amlodipine + valsartan": ("Exforge 5/160 mg",), "amlodipine + hydrochlorothiazide + olmesartan": ("Sevikar HCT",),
    "dapagliflozin + metformin": ("Xigduo 5 mg/1000 mg",), "valacyclovir": ("Valtrex", "Valaciclovir 500 mg"),
    "cholecalciferol": ("Dekristol 20000 I.E.",), "ondansetron": ("Ondansetron ODT 4 mg",),
    "ampicillin + sulbactam": ("Unacid",), "metformin + sitagliptin": ("Janumet 50/1000",),
    "loratadine + pseudoephedrine": ("Claritin-D 24 hour",),
    "hydrochlorothiazide + metoprolol": ("Beloc-Zok comp", "Beloc-Zok comp 95/12,5 mg")}
WRITTEN = [(name, set(ingredients.split(" + "))) for ingredients, names in EXPECTED.items() for name in names]


@pytest.mark.parametrize(("name", "ingredients"), WRITTEN)
def test_names_of_hospitals_are_read_without_a_doubt(name: str, ingredients: set[str]) -> None:
    found = SHIPPED.match(None, None, name)
    assert (found.ingredients, found.unread) == (ingredients, False)
    assert found.how != "fuzzy"


@pytest.mark.parametrize(("name", "ingredients"), [
    ("MTX", {"methotrexate"}), ("MTX Hexal 10 mg", {"methotrexate"}), ("HCT 25 mg", {"hydrochlorothiazide"}),
    ("AZT", {"zidovudine"}), ("PTU", {"propylthiouracil"}), ("5-FU", {"fluorouracil"}), ("6-MP 50", {"mercaptopurine"}),
    ("Lisinopril-HCT 20/12.5", {"hydrochlorothiazide", "lisinopril"}), ("MCP-ratiopharm", {"metoclopramide"}),
    ("Ramipril HCT 5/25", {"hydrochlorothiazide", "ramipril"}), ("ISMN 20", {"isosorbide mononitrate"}),
    ("Losartan 50 mg HCT 12,5", {"hydrochlorothiazide", "losartan"}),
    ("Ramipril 5mg/HCT 25mg", {"hydrochlorothiazide", "ramipril"})])
def test_abbreviations_are_never_sure(name: str, ingredients: set[str]) -> None:
    found = SHIPPED.match(None, None, name)
    assert (found.ingredients, found.how) == (ingredients, "fuzzy")


@pytest.mark.parametrize("name", ["MS", "MS 10 mg", "MSO4", "CPZ", "TAC", "T3", "Nitro", "DPT"])
def test_abbreviations_of_two_medicines_are_not_read(name: str) -> None:
    assert not SHIPPED.match(None, None, name).ingredients


@pytest.mark.parametrize("edition", ["bfarm", "dimdi"])
def test_the_german_edition_of_atc_is_one(edition: str) -> None:
    system = f"http://fhir.de/CodeSystem/{edition}/atc"
    assert SHIPPED.match(system, "A10BA02", None).ingredients == {"metformin"}
    assert SHIPPED.match(system, "A10BA02", "Ramipril").possible == {"metformin", "ramipril"}


def test_a_code_settles_an_abbreviation() -> None:
    atc = "http://www.whocc.no/atc"
    assert SHIPPED.match(atc, "L01BA01", "MTX").how == "code"
    assert SHIPPED.match(atc, "H02AB09", "HCT").possible == {"hydrochlorothiazide", "hydrocortisone"}


def test_the_class_of_levodopa_with_any_inhibitor_does_not_say_which() -> None:
    atc = "http://www.whocc.no/atc"
    assert not SHIPPED.match(atc, "N04BA02", None).ingredients
    assert SHIPPED.match(atc, "N04BA02", "Madopar 125").ingredients == {"benserazide", "levodopa"}


@pytest.mark.parametrize(("name", "ingredient"), [
    ("Ramipril 5 mg comp", "ramipril"), ("Losartan comp. 50/12.5", "losartan"), ("Enalapril plus", "enalapril"),
    ("Bisoprolol 5 plus", "bisoprolol"), ("Candesartan HEXAL comp 16/12.5", "candesartan"),
    ("Enalapril plus Tabletten", "enalapril"), ("Valsartan 160 mg Amlodipin 5 mg", "valsartan"),
    ("Tilidin 100 Naloxon 8", "tilidine")])
def test_what_a_combination_does_not_name_is_told(name: str, ingredient: str) -> None:
    found = SHIPPED.match(None, None, name)
    assert (found.ingredients, found.unread) == ({ingredient}, True)


@pytest.mark.parametrize("name", ["Buscopa", "Insulin human", "Acetyldigoxin", "Fucidine", "AL", "1A Pharma", "Stada",
                                  "ratiopharm", "comp", "plus", "retard", "5-", "Kaliumtabletten"])
def test_what_is_no_name_is_not_read(name: str) -> None:
    assert not SHIPPED.match(None, None, name).ingredients


@given(st.sampled_from(SINGLE), st.sampled_from(MAKERS), st.sampled_from(STRENGTH), st.sampled_from(FORM),
       st.booleans())
def test_maker_strength_and_form_never_make_another_of_it(name: str, maker: str, strength: str, form: str,
                                                          form_first: bool) -> None:
    written = f"{name}{form}{maker}{strength}" if form_first else f"{name}{maker}{strength}{form}"
    found = SHIPPED.match(None, None, written)
    assert found.ingredients == SHIPPED.ingredients[name], written
    assert not found.unread
    assert found.how != "fuzzy"


@given(st.sampled_from(sorted({*SHIPPED.ingredients, *SHIPPED.brands})), st.sampled_from(MAKERS),
       st.sampled_from(STRENGTH), st.sampled_from([*FORM, *(f" {one}" for one in FORMS)]))
def test_a_brand_or_a_long_name_with_a_maker_is_never_another(name: str, maker: str, strength: str, form: str) -> None:
    known = SHIPPED.match(None, None, name).ingredients
    found = SHIPPED.match(None, None, f"{name}{maker}{strength}{form}")
    assert found.ingredients <= known
