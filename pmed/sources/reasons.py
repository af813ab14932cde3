"""Reasons that are links to other rows of the record → their words and codes, once all of it is read.

Done in frames and not while reading, because a condition may stand behind the medicine it is the reason of, in another
file, or in the share of another process.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from ..tables import Tables
from .fhir_rows import SNOMED
from .record_states import STATES, plain

#: Between the links of one row, and between a link and the name that it gives itself.
NEXT, NAME = "\n", "\t"
WITH_REASON = ("medications", "procedures", "encounters", "immunizations")
_REASON = ("reason", "reason_system", "reason_code")
_ERROR = "entered-in-error"
# Table → the types of resources in it, so that the many measurements are looked at only where one is a reason.
_TARGETS: Mapping[str, tuple[str, ...]] = {
    "conditions": ("Condition",), "observations": ("Observation", "DiagnosticReport"), "procedures": ("Procedure",)}
_KINDS = [kind for kinds in _TARGETS.values() for kind in kinds]


def followed(frames: Tables) -> tuple[dict[str, pl.DataFrame], list[pl.DataFrame]]:
    """The frames with the reasons that links mean, and ``issues`` rows of the links that lead nowhere."""
    links = {name: _links(frames[name]) for name in WITH_REASON if frames[name]["reason_link"].count()}
    if not links:
        return dict(frames), []
    found = _targets(frames, pl.concat([one.select("patient_id", "link") for one in links.values()]).unique())
    made, lost = dict(frames), []
    for name, one in links.items():
        known = one.join(found, on=("patient_id", "link"), how="left", maintain_order="left")
        made[name] = _filled(frames[name], known)
        lost.append(_lost(frames[name], known))
    return made, lost


def _links(frame: pl.DataFrame) -> pl.DataFrame:
    """One row a link: `at` is its row in `frame`."""
    rows = frame.select("patient_id", "reason_link", at=pl.int_range(pl.len())).drop_nulls("reason_link")
    each = rows.with_columns(pl.col("reason_link").str.split(NEXT)).explode("reason_link", empty_as_null=False)
    parts = pl.col("reason_link").str.split_exact(NAME, 1)
    return each.select("patient_id", "at", link=parts.struct.field("field_0"),
                       name=parts.struct.field("field_1").replace("", None))


def _targets(frames: Tables, wanted: pl.DataFrame) -> pl.DataFrame:
    """What the links mean of each patient: of several codes of one finding the SNOMED one, else the first.

    A condition goes before a measurement: those are many, and looked through only for what is no condition.
    """
    found = [_named(frames["conditions"]).join(wanted, on=["patient_id", "link"], how="semi")]
    for name, here in list(_TARGETS.items())[1:]:
        wanted = wanted.join(found[-1], on=["patient_id", "link"], how="anti")
        kinds = set(wanted["link"].str.split("/").list.first())
        if kinds & {*here} or kinds - {*_KINDS}:
            found.append(_named(frames[name]).join(wanted, on=["patient_id", "link"], how="semi"))
    return pl.concat(found).sort((pl.col("system") == SNOMED).fill_null(value=False), descending=True,
                                 maintain_order=True).unique(["patient_id", "link"], keep="first", maintain_order=True)


def _named(frame: pl.DataFrame) -> pl.DataFrame:
    """Every row by all that a link to it may be: type and id, the id alone, or file and place."""
    right = pl.all_horizontal(pl.col(state).ne_missing(_ERROR) for state in STATES if state in frame.columns)
    named = plain(frame).filter(right).with_columns(name=pl.col("source").str.extract(r"#([A-Za-z]+/[^#]+)$"))
    urn = pl.format("urn:uuid:{}", pl.col("name").str.extract(r"/(.+)$"))
    links = named.select("patient_id", "system", "code", "display", link=pl.concat_list("name", urn, "source"))
    return links.explode("link", empty_as_null=False).drop_nulls("link")


def _filled(frame: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Words of all reasons, each once; the code that was given in place goes before that of a link."""
    coded = pl.col("code").is_not_null()
    linked = known.group_by("at", maintain_order=True).agg(
        words=pl.coalesce("display", "code", "name").drop_nulls(),
        link_system=pl.col("system").filter(coded).first(), link_code=pl.col("code").filter(coded).first())
    rows = frame.select(_REASON)[linked["at"]].hstack(linked)
    words = pl.concat_list(pl.col("reason").str.split("; ").fill_null([]), pl.col("words").fill_null([])).list.unique(
        maintain_order=True)
    own = pl.col("reason_code").is_not_null()
    made = rows.select(
        pl.when(words.list.len() > 0).then(words.list.join("; ")).alias("reason"),
        pl.when(own).then("reason_system").otherwise("link_system").alias("reason_system"),
        pl.coalesce("reason_code", "link_code"))
    return frame.with_columns(frame[name].scatter(linked["at"], made[name]) for name in _REASON)


def _lost(frame: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """One row a row with a link to what was not read."""
    lost = known.filter(pl.col("link") != "", pl.coalesce("code", "display").is_null())["at"].unique(
        maintain_order=True)
    return frame[lost].select(
        "file", "place", severity=pl.lit("info"), code=pl.lit("lost-reason"),
        text=pl.lit("the reason it refers to is not in the record, or is marked as wrong; only the name of the link is "
                    "known, if any"), patient_id="patient_id")
