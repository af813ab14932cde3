"""A medicine that pmed names counts in the risks, too: by its code of the WHO it is in the group it belongs to."""

from __future__ import annotations

import polars as pl
import pytest

from pmed.normalise.vocabulary import release
from pmed_risk.knowledge import facts

# Codes of a group, and what of them is none of it: given in hospital for hours, for the lungs, the heart's rhythm or
# the brain, against low sodium, for the joints.
GROUPS = {
    "antihypertensive": (r"c02a|c02c|c02d[bc]|c03[abcd]|c07|c08|c09", {
        "clevidipine", "conivaptan", "esmolol", "finerenone", "nimodipine", "sotalol", "timolol"}),
    "bleeding": (r"m01a[abceghx]", {"glucosamine"}),
    "heparin": (r"b01ab", {"sulodexide"}),
    "statin": (r"c10aa", {"cerivastatin"}),
}


@pytest.mark.parametrize("group", GROUPS)
def test_each_medicine_of_a_code_is_in_its_group(group: str) -> None:
    codes, others = GROUPS[group]
    names = release().tables["drug_names"].filter(pl.col("kind") == "code")
    alone = names.filter(~pl.col("name").is_duplicated())  # a combination's code names each of its ingredients
    meant = set(alone.filter(pl.col("name").str.contains(f"^(?:{codes})"))["ingredient"])
    listed = set(facts("drugs").filter(pl.col("group") == group)["ingredient"])
    assert meant - others <= listed
    assert not listed & others
