"""Remarks in the text of an entry that speak against it: "warfarin (stopped)", "rule out pulmonary embolism".

Statuses say whether a medicine is taken and whether a diagnosis is sure. Where people write it into the name instead,
the status is what the system filled in. Such a text proves nothing either way: all it does is to keep what the status
says from being taken for sure.
"""

from __future__ import annotations

import re

import polars as pl

# Both polars and Python read these: no look-around. Only words that are in no name of a medicine ("Allergy Relief" is
# one, "stop smoking" aids are taken).
_RELATIVES = r"(?:mother|father|husband|wife|brother|sister|son|daughter|mutter|vater|bruder|schwester|ehemann|ehefrau)"
OF_MEDICINES = (
    r"(?i)\b(?:stopped|discontinued|ceased|withdrawn|withheld|suspended|paused|on hold|hold|held|d/c|dc'd|cancell?ed"
    r"|refused|refuses"
    r"|declined|declines|denies|denied|never taken|not (?:taking|taken|given|started|to be given|tolerated)|no longer"
    r"|previously|formerly|to start|to be started|will start|planned|consider(?:ed|ing)?|contraindicated|allergic to"
    r"|(?:allergy|intolerance) to|allergie (?:gegen|auf)|\w*unvertr\u00e4glichkeit\w*"
    r"|(?:until|bis) \S*(?:19|20)\d\d"
    r"|abgesetzt|pausiert|beendet|gestoppt|verweigert|abgelehnt|geplant|nicht (?:genommen|eingenommen|gegeben|begonnen)"
    rf"|nimmt nicht|fr\u00fcher|{_RELATIVES}(?:['\u2019]?s)?)\b|(?:\bstop|allergie)\W*$")
# A text begins at (" too: what was entered, behind what the code is called.
OF_DIAGNOSES = (
    r"(?i)(?:^|\(\")\s*(?:no|not|denies|denied|kein|keine|keinen)\b|(?:^|\(\")\s*\?|\?\s*(?:$|\"\))|\(\?\)"
    r"|\b(?:no evidence of|no history of|no signs? of|ruled out|rule out|r/o|excluded|suspected|suspicion of|possible"
    r"|probable|questionable|query|unlikely|family history|fhx?|screening for"
    r"|verdacht|verdachtsdiagnose|ausschluss|ausgeschlossen|familienanamnese|fraglich)\b"
    r"|\bv\. ?a\.")
# Chapters of ICD whose titles name suspicions and relatives themselves: pregnancy, the newborn, factors of health.
_TITLES = r"^(?:[OPVZopvz]|6[3-7]\d|7[67]\d)"
_ICD = r"(?i)icd"
# ICD-10-GM as it is written in Germany: "M10.9 V" is suspected, "M10.9 A" excluded (a seventh letter has no blank).
UNSURE = r"^[A-Za-z]\d\d\S*\s+[AVav]$"
# Without the blank it is no code of WHO's or Germany's; ICD-10-CM has some that end so (C81.0A, in remission).
_UNSURE_GLUED = r"^[A-Za-z]\d\d(?:\.?\d{1,2})?[-*+!]?[AVav]$"
_CM = r"(?i)icd-?10-?cm"


def speaks_against(text: str | None, words: str) -> bool:
    """Whether one text holds a remark; `words` is one of the patterns above.

    >>> speaks_against("warfarin (stopped)", OF_MEDICINES), speaks_against("Warfarin 5 MG Oral Tablet", OF_MEDICINES)
    (True, False)
    """
    return bool(text and re.search(words, text))


def doubted(frame: pl.DataFrame, words: str, column: str = "display") -> pl.Series:
    """Which rows have such a text in a column: each distinct one is read once."""
    texts = frame[column].drop_nulls().unique()  # once: the order of another call would be another
    if texts.is_empty():
        return pl.repeat(value=False, n=frame.height, dtype=pl.Boolean(), eager=True)
    said = texts.filter(texts.str.contains(words))
    return frame.select(pl.col(column).is_in(said.implode()).fill_null(value=False)).to_series()


def doubted_diagnoses(conditions: pl.DataFrame) -> pl.Series:
    """Which diagnoses are doubted, denied or a relative's by text or code; titles of the classification are none."""
    glued = pl.col("code").str.contains(_UNSURE_GLUED) & ~pl.col("system").str.contains(_CM)
    unsure = pl.col("system").str.contains(_ICD) & (pl.col("code").str.contains(UNSURE) | glued)
    return conditions.select(unsure.fill_null(value=False)).to_series() | _by_text(conditions)


def _by_text(conditions: pl.DataFrame) -> pl.Series:
    said = doubted(conditions, OF_DIAGNOSES)
    if not said.any():
        return said
    title = pl.col("system").str.contains(_ICD) & pl.col("code").str.contains(_TITLES)
    # SNOMED CT has codes of their own for what runs in the family.
    family = ~pl.col("system").str.contains(_ICD) & pl.col("display").str.contains(r"(?i)^\s*(?:no )?family history")
    return said & conditions.select(~(title | family).fill_null(value=False)).to_series()
