"""Cautions about a medicine that ended on a day nobody recorded, beside what was begun after it, perhaps too soon.

Only where days should lie between the two, or the first one stays in the body (table ``washouts``), and a check says to
avoid the other.
"""

from __future__ import annotations

import polars as pl

from pmed.tables import TABLES, Tables

from .cases import Cases
from .ended import ended
from .medicines import days_taken
from .switching import apart, end_unknown

KEY = ["patient_id", "drug"]
END_UNKNOWN = "end-unknown"
_CAUTIONS = TABLES["suggestions"].columns["cautions"].dtype
_NONE = pl.DataFrame(schema={**dict.fromkeys(KEY, pl.String()), "cautions": _CAUTIONS})
_WAITING = {"case": pl.Int64(), "gone": pl.String(), "least": pl.Float64(), "text": pl.String()}


def undated(taken: pl.DataFrame, cases: Cases, tables: Tables) -> pl.DataFrame:
    """patient_id, drug, cautions: of those `taken` (patient_id, drug) that may have been begun too soon after another.

    Who has taken a medicine for longer than the days that should lie between is told nothing.
    """
    gone = ended(tables)
    if gone.is_empty():
        return _NONE
    both = cases.placed(taken.select(KEY).join(gone, on="patient_id"))
    # A medicine and what is over are a few kinds of pairs, however many people have them.
    pairs = both.select("case", "gone").unique(maintain_order=True)
    found = [(case, name, apart(cases.outcomes[case], name)) for case, name in pairs.iter_rows()]
    waiting = pl.DataFrame([(case, name, rest.days, f"{end_unknown(name, rest, cases.outcomes[case].drug.name)}.")
                            for case, name, rest in found if rest], schema=_WAITING, orient="row")
    lately = both.join(waiting, on=["case", "gone"]).join(days_taken(tables), on=KEY, how="left").filter(
        pl.col("days").is_null() | (pl.col("days") < pl.col("least")))
    told = pl.struct(code=pl.lit(END_UNKNOWN), text="text")
    return lately.sort(*KEY, "gone").group_by(KEY, maintain_order=True).agg(cautions=told).cast({"cautions": _CAUTIONS})
