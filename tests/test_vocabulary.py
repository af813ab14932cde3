"""The vocabulary that ships: sound as a table, and deaf to strengths, forms, salts and packages."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import pmed
from pmed.engine import Engine
from pmed.normalise import vocabulary
from pmed.normalise.drug_names import SALTS
from pmed.normalise.drugs import Vocabulary
from pmed.settings import Settings

OWN = vocabulary.release().tables["drug_names"]
SHIPPED = Vocabulary.of(Engine.start(Settings()).drug_names)
GOLDEN = Path(__file__).parent / "golden" / "synthea_drugs.tsv"
RXNORM, ATC = "http://www.nlm.nih.gov/research/umls/rxnorm", "http://www.whocc.no/atc"

FRONT = ["", "24 HR ", "12 HR ", "1 ML ", "0.5 ML ", "NDA020800 ", "100 ACTUAT "]
STRENGTH = ["", " 5 MG", " 0.125 MG", " 20mg", " 250 MG/ML", " 0.4 MG/ACTUAT", " 1000 UNT/ML", " 2,5 mg"]
FORM = ["", " Oral Tablet", " Extended Release Oral Capsule", " Injectable Solution", " Prefilled Syringe", " tabs",
        " Topical Cream", " Oral Suspension", " XR", " film coated tablet"]
ALONE = sorted({name for name in SHIPPED.ingredients if len(name.split()) == 1 and name not in SALTS})


@given(st.sampled_from(sorted(SHIPPED.own)), st.sampled_from(FRONT), st.sampled_from(STRENGTH), st.sampled_from(FORM),
       st.booleans())
def test_strength_form_and_package_change_nothing(name: str, front: str, strength: str, form: str, loud: bool) -> None:
    written = f"{front}{name}{strength}{form}"
    found = SHIPPED.match(None, None, written.upper() if loud else written)
    assert (found.ingredients, found.how) == ({name}, "name"), written


@given(st.sampled_from(ALONE), st.sampled_from(sorted(SALTS)), st.sampled_from(STRENGTH))
def test_a_salt_changes_nothing(name: str, salt: str, strength: str) -> None:
    found = SHIPPED.match(None, None, f"{name} {salt}{strength}")
    # A salt may make it another substance that has a name of its own (potassium chloride); never a guess at one.
    assert found.ingredients == SHIPPED.ingredients.get(f"{name} {salt}", SHIPPED.ingredients[name])
    assert found.how != "fuzzy"


@given(st.sampled_from(sorted(SHIPPED.brands)), st.sampled_from(STRENGTH), st.sampled_from(FORM))
def test_a_brand_is_its_ingredients(name: str, strength: str, form: str) -> None:
    assert SHIPPED.match(None, None, f"{name}{strength}{form}").ingredients == SHIPPED.brands[name]


@example("abacavir", "vitamin b 12")
@example("abacavir", "peginterferon alfa-2a")
@given(st.sampled_from(sorted(SHIPPED.ingredients)), st.sampled_from(sorted(SHIPPED.ingredients)))
def test_a_combination_is_both(one: str, two: str) -> None:
    found = SHIPPED.match(None, None, f"{one} 5 MG / {two} 10 MG Oral Tablet")
    assert found.ingredients == SHIPPED.ingredients[one] | SHIPPED.ingredients[two]


@pytest.mark.parametrize(("text", "ingredients"), [
    ("desvenlafaxine 50 MG", {"desvenlafaxine"}), ("venlafaxine", {"venlafaxine"}), ("mephenytoin", {"mephenytoin"}),
    ("esomeprazole", {"esomeprazole"}), ("levocetirizine", {"levocetirizine"}), ("dexcetirizine", set()),
        ("hydroxychloroquine", {"hydroxychloroquine"}),
    ("prednisolone", {"prednisolone"}), ("chlorpropamide", {"chlorpropamide"}), ("hydralazine", {"hydralazine"}),
    ("hydroxyzine", {"hydroxyzine"}), ("Paracetamol 500 mg", {"acetaminophen"}), ("Rifampicin", {"rifampin"}),
    ("Co-trimoxazole", {"sulfamethoxazole", "trimethoprim"}), ("St. John's wort 300 mg", {"st. john's wort extract"}),
    ("Vitamin B 12 1 MG / abacavir 300 MG", {"abacavir", "cyanocobalamin"}), ("Theo-24 300 MG", {"theophylline"}),
    ("Cytotec 200", {"misoprostol"}), ("Zoledrons\u00e4ure 4 mg", {"zoledronic acid"}),
    ("Fampridin 10 mg", {"dalfampridine"}), ("Dexketoprofen", {"dexketoprofen"}),
    ("Lormetazepam-ratiopharm 1 mg", {"lormetazepam"}),
    ("Paxlovid", {"nirmatrelvir", "ritonavir"}), ("Norinyl 1+50 28 Day Pack", {"mestranol", "norethindrone"}),
])
def test_names_that_look_alike_stay_apart(text: str, ingredients: set[str]) -> None:
    assert SHIPPED.match(None, None, text).ingredients == ingredients


@pytest.mark.parametrize(("system", "code", "text", "ingredients", "how"), [
    (ATC, "C10AA01", "Zocor 20", {"simvastatin"}, None), (ATC, "N02BE01", None, {"acetaminophen"}, "code"),
    (ATC, "J01CR02", None, {"amoxicillin", "clavulanate"}, "code"), ("urn:local", "N02BE01", None, set(), ""),
    (ATC, "L04AE01", None, {"fingolimod"}, "code"), (ATC, "M05BA08", None, {"zoledronic acid"}, "code"),
    (None, "N02BE01", None, {"acetaminophen"}, "code"), (None, None, " B01AC04 ", {"clopidogrel"}, "code"),
    (None, "N02BE01", "Warfarin", set(), ""), ("urn:local", None, "B01AC04", set(), ""),
    (None, "1191", None, set(), ""),
    (None, "B01", None, set(), ""), (RXNORM, "N02BE01", None, {"acetaminophen"}, "code"),
    (RXNORM, "1191", "Aspirin", {"aspirin"}, "code"), (RXNORM, "833036", "Captopril 25 MG Oral Tablet", set(), ""),
])
def test_codes(system: str | None, code: str | None, text: str | None, ingredients: set[str], how: str | None) -> None:
    found = SHIPPED.match(system, code, text)
    assert found.ingredients == ingredients
    assert how is None or found.how == how
    if code == "833036":
        assert found.possible == {"acetaminophen", "captopril", "hydrocodone"}


# Alone in no product with a code of its own, or the WHO's code for it was not found in a published list.
WITHOUT_ATC = {
    "abobotulinumtoxina", "acetohydroxamic acid", "alginate", "arformoterol", "avibactam", "bacitracin",
    "benserazide", "benzphetamine", "bictegravir", "bismuth subsalicylate", "butalbital", "carbidopa",
    "cedazuridine", "ceftolozane", "choline magnesium trisalicylate", "cilastatin", "cineole", "clascoterone",
    "clavulanate", "clidinium", "conjugated estrogens", "crotamiton", "dalfopristin", "difluprednate",
    "dihydroartemisinin", "dimenhydrinate", "diphenoxylate", "efgartigimod alfa", "eflornithine", "elbasvir",
    "elexacaftor", "ensifentrine", "esterified estrogens", "estetrol", "ferric carboxymaltose", "fish oils",
    "fosaprepitant", "foscarbidopa", "foslevodopa", "fosnetupitant", "futibatinib", "gestodene", "gimeracil",
    "glecaprevir", "grazoprevir", "icosapent ethyl", "imipenem", "immune globulin", "inavolisib",
    "incobotulinumtoxina", "insulin aspart protamine", "insulin lispro protamine", "iron sucrose",
    "ivy leaf extract", "l-glutamine", "lavender oil", "ledipasvir", "levalbuterol", "levomefolate", "levorphanol",
    "lopinavir", "lumacaftor", "lumateperone", "lumefantrine", "mavorixafor", "mestranol", "metaxalone",
    "monomethyl fumarate", "myrtol", "nemolizumab", "netupitant", "nirmatrelvir", "norelgestromin", "norgestimate",
    "norgestrel", "oliceridine", "onabotulinumtoxina", "oteracil", "oteseconazole", "peficitinib", "perchlorate",
    "phendimetrazine", "pibrentasvir", "piperaquine", "piperine", "quinupristin", "resmetirom", "sacubitril",
    "selenium", "sulbactam", "tazobactam", "tezacaftor", "thyme", "tipiracil", "toluidine blue",
    "trimethobenzamide", "uridine triacetate", "vaborbactam", "velpatasvir", "vilanterol", "voxilaprevir",
    "xanomeline", "zileuton", "zinc orotate"}


def test_every_medicine_is_known_by_its_atc_code_alone() -> None:
    """A record of Europe may hold nothing else; a code of a combination does not tell the medicine by itself."""
    alone = {next(iter(drugs)) for code, drugs in SHIPPED.codes.items()
             if re.fullmatch(r"[a-z]\d\d[a-z]{2}\d\d", code) and len(drugs) == 1}
    assert SHIPPED.own - alone == WITHOUT_ATC


@pytest.mark.parametrize(("code", "ingredient"), [
    ("B01AA03", "warfarin"), ("B01AC04", "clopidogrel"), ("B01AF01", "rivaroxaban"), ("B01AF02", "apixaban"),
    ("C10AA01", "simvastatin"), ("L01BC02", "fluorouracil"), ("L01BC06", "capecitabine"), ("L04AX01", "azathioprine"),
    ("M04AA01", "allopurinol"), ("N03AF01", "carbamazepine"), ("N06AB06", "sertraline"), ("R05DA04", "codeine"),
    ("N02AX02", "tramadol"), ("L04AA10", "sirolimus"), ("L01XX19", "irinotecan"),
])
def test_codes_without_a_name(code: str, ingredient: str) -> None:
    assert SHIPPED.match(ATC, code, None).ingredients == {ingredient}
    assert SHIPPED.match(ATC, code, "Metformin 500 mg").possible == {ingredient, "metformin"}


def test_the_table_is_sound() -> None:
    assert len(OWN["ingredient"].unique()) > 1500
    names = {kind: set(OWN.filter(kind=kind)["name"]) for kind in ("ingredient", "synonym", "brand", "code")}
    assert not names["ingredient"] & (names["synonym"] | names["brand"])
    assert not names["synonym"] & names["brand"]
    assert all(re.fullmatch(r"[a-z]\d\d[a-z]{2}\d\d|\d+", code) for code in names["code"])
    assert not OWN.filter(pl.col("name") != pl.col("name").str.strip_chars().str.to_lowercase()).height
    # An ATC code is of one substance or one combination, never of two medicines.
    atc = OWN.filter(pl.col("kind") == "code").group_by("name").agg(pl.col("ingredient").sort())
    assert atc.height == len(names["code"])


def test_real_records_are_understood(shared: Path) -> None:
    """Read by eye, drug by drug, against the texts of the records."""
    files = sorted((shared / "data/fhir/synthea").glob("*.json"))
    drugs = pmed.run(history=files).tables["medications"]
    names = pl.col("ingredients").explode(empty_as_null=True).drop_nulls().unique().sort().str.join(";")
    lists = drugs.group_by("patient_id").agg(names.alias("ingredients"), unread=pl.col("ingredients").null_count())
    expected = pl.read_csv(GOLDEN, separator="\t", infer_schema=False)
    assert lists.sort("patient_id").cast(pl.String).to_dicts() == expected.to_dicts()
