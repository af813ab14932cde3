"""The HL7 v2 source: messages about patients, results and orders, as files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import polars as pl

from ..errors import HistoryError
from ..types import ReadRequest, SourceKind
from .record_dates import asked_day
from .recorded import Issue, make_tables

if TYPE_CHECKING:
    from .hl7v2_message import Message


@dataclass(frozen=True)
class Hl7v2Source:
    """HL7 v2.3 to 2.8 messages (ADT, ORU, ORM, OMP, RDE, RDS, RGV, RAS, VXU) → the tables of a record and issues."""

    name: ClassVar[str] = "hl7v2"
    kind: ClassVar[SourceKind] = "history"

    def matches(self, path: Path) -> bool:
        """An ``.hl7`` file, or a text file that begins like a message or a batch."""
        if path.suffix.lower() == ".hl7":
            return path.is_file()
        if path.suffix.lower() not in {".txt", ".msg", ".dat"} or not path.is_file():
            return False
        from .hl7v2_message import STARTS

        with path.open("rb") as file:
            return file.read(64).removeprefix(b"\xef\xbb\xbf").lstrip(b"\x0b\r\n\t ").startswith(STARTS)

    def read(self, paths: Sequence[Path], request: ReadRequest) -> dict[str, pl.DataFrame]:
        """Read messages in the order in which they were sent; `request.index_date` is an ISO date or "".

        A message or segment that cannot be used is a row of ``issues``; the rest of the record is kept.

        Raises:
            HistoryError: a file without messages, or no message that names a patient.
            OptionError: `request.index_date` is not a date.
        """
        from .hl7v2_message import HINT, read_messages
        from .hl7v2_records import Names, Records, head, without_training

        index_date = asked_day(request.index_date)
        issues: list[Issue] = []
        every = [(head(message), message) for path in paths for message in read_messages(path, issues)]
        kept = without_training(every, issues)
        records = Records(Names(one for said, _ in kept for one in said.people))
        for message in _in_time([said.time for said, _ in kept], [message for _, message in kept]):
            records.add(message)
        rows = records.rows
        if not rows["patients"]:
            raise HistoryError("no message names a patient: there is no PID with an identifier",
                               where=", ".join(map(str, paths)), hint=HINT)
        merges = records.merges()
        return make_tables(rows, [*issues, *records.issues, *merges], index_date, records.once)


def _in_time(times: Sequence[str], messages: Sequence[Message]) -> list[Message]:
    """Messages in the order of MSH-7; one without a time stays behind the one before it."""
    known, last = [], ""
    for time in times:
        last = time or last
        known.append(last.ljust(14, "0"))
    order = sorted(range(len(messages)), key=known.__getitem__)
    return [messages[index] for index in order]
