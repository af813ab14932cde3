"""Names as lists of medicines hold them: what is prescribed most in the US, in Germany and the EU, and look-alikes."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import polars as pl
import pytest

from pmed.engine import Engine
from pmed.normalise.drugs import Vocabulary
from pmed.settings import Settings

SHIPPED = Vocabulary.of(Engine.start(Settings()).drug_names)
LISTED = pl.read_csv(Path(__file__).parent / "golden" / "written_names.tsv", separator="\t", infer_schema=False)
# Pairs that people mix up (ISMP and others), with brands: each is itself, whatever stands around it.
ALIKE = [
    ("desvenlafaxine", "venlafaxine"), ("hydroxyzine", "hydralazine"), ("hydralazine", "dihydralazine"),
    ("clonidine", "clonazepam"), ("lasix", "losec"), ("prednisone", "prednisolone"), ("metformin", "metronidazole"),
    ("vinblastine", "vincristine"), ("vincristine", "vinorelbine"), ("celebrex", "celexa"), ("celexa", "cerebyx"),
    ("celebrex", "cerebyx"), ("lamictal", "lamisil"), ("lamotrigine", "lamivudine"), ("zyrtec", "zyprexa"),
    ("zantac", "xanax"), ("tramadol", "trazodone"), ("losartan", "valsartan"), ("sitagliptin", "saxagliptin"),
    ("chlorpropamide", "chlorpromazine"), ("methadone", "methylphenidate"), ("mirtazapine", "mianserin"),
    ("oxcarbazepine", "carbamazepine"), ("quinine", "quinidine"), ("sulfadiazine", "sulfasalazine"),
    ("tolazamide", "tolbutamide"), ("zolpidem", "zopiclone"), ("cefuroxime", "cefotaxime"),
    ("cefotaxime", "ceftizoxime"), ("clomiphene", "clomipramine"), ("cycloserine", "cyclosporine"),
    ("daunorubicin", "doxorubicin"), ("ephedrine", "epinephrine"), ("fentanyl", "sufentanil"),
    ("micronor", "micronase"), ("nicardipine", "nifedipine"), ("nimodipine", "nifedipine"),
    ("pentobarbital", "phenobarbital"), ("penicillamine", "penicillin v"), ("rifaximin", "rifampin"),
    ("ropinirole", "risperidone"), ("tiagabine", "tizanidine"), ("ticlopidine", "ticagrelor"),
    ("mephenytoin", "phenytoin"), ("dexmethylphenidate", "methylphenidate"), ("esketamine", "ketamine"),
    ("levoleucovorin", "leucovorin"), ("levalbuterol", "albuterol"), ("dexchlorpheniramine", "chlorpheniramine"),
    ("fenofibric acid", "fenofibrate"), ("tavor", "tavegil"), ("concor", "concerta"),
    ("tenofovir alafenamide", "tenofovir disoproxil"), ("trastuzumab", "trastuzumab emtansine"),
    ("interferon beta-1a", "interferon beta-1b"), ("naloxegol", "naloxone"), ("silodosin", "sildenafil"),
    ("lemborexant", "suvorexant")]
AROUND = ("{}", "{} 10 mg", "{} Oral Tablet", "{} 5 mg Filmtabletten", "{} retard", "{}-ratiopharm 20",
          "{} hydrochloride")


@pytest.mark.parametrize(("ingredients", "name"), LISTED.rows())
def test_what_is_prescribed_is_read_without_a_doubt(ingredients: str, name: str) -> None:
    found = SHIPPED.match(None, None, name)
    assert (" + ".join(sorted(found.ingredients)), found.unread, found.how == "fuzzy") == (ingredients, False, False)


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_look_alikes_are_never_merged(one: str, other: str) -> None:
    for name, not_that in permutations((one, other)):
        own, others = SHIPPED.match(None, None, name).ingredients, SHIPPED.match(None, None, not_that).ingredients
        assert own
        assert not own & others
        for around in AROUND:
            found = SHIPPED.match(None, None, around.format(name))
            assert (found.ingredients, found.possible) == (own, frozenset()), around.format(name)


def test_one_letter_off_is_never_another_medicine() -> None:
    """Of two names a letter apart each is itself, and what is a letter from both is neither."""
    names = sorted(name for name in SHIPPED.ingredients if len(name) > 5)
    near = [(one, other) for one in names for other in SHIPPED.alike.get(one[:3], ())
            if one != other and len(one) == len(other) and SHIPPED.ingredients[one] != SHIPPED.ingredients[other]
            and sum(a != b for a, b in zip(one, other, strict=True)) == 1]
    for one, other in near:
        slip = "".join(a if a == b else "\u00bf" for a, b in zip(one, other, strict=True))
        assert not SHIPPED.match(None, None, slip).ingredients, (one, other)
    assert near
