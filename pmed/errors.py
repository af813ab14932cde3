"""Everything pmed raises on purpose.

The tree::

    PmedError                what went wrong, where, and what to do (exit code 1)
    ├── InputError           a file or record that cannot be used as given
    │   ├── GenomeError      VCF: not a VCF, truncated, wrong build, no such sample
    │   └── HistoryError     patient record: not a bundle, wrong type, no such patient
    ├── OptionError          a setting or option outside its stated limits
    ├── TableError           a frame that is not the table it claims to be
    ├── FlowError            steps that need each other, or need what nobody gives
    ├── PluginError          a plugin that cannot be registered
    └── ResultError          a saved result that cannot be read back

The command line prints one line for a ``PmedError`` and keeps the traceback for all else.
"""

from __future__ import annotations

from collections.abc import Mapping

EXIT_EXPECTED = 1
EXIT_PARTIAL = 3


class PmedError(Exception):
    """Base of all expected errors.

    Args:
        message: What is wrong, in one line.
        where: File, line, sample or resource path, as precise as is known.
        hint: What the user can do about it.
        each: patient_id → the same in words of his own, where it is about some of many patients and not about the
            others.
    """

    exit_code = EXIT_EXPECTED

    def __init__(self, message: str, *, where: str = "", hint: str = "", each: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint
        self.each = each or {}

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        advice = f" ({self.hint})" if self.hint else ""
        return " ".join(f"{place}{self.message}{advice}".split())


class InputError(PmedError):
    """A file or record that cannot be used as given."""


class GenomeError(InputError):
    """A genome file that cannot be read safely."""


class HistoryError(InputError):
    """A patient record that cannot be read safely."""


class OptionError(PmedError):
    """A setting or option outside its stated limits."""


class TableError(PmedError):
    """A frame that is not the table it claims to be."""


class FlowError(PmedError):
    """Steps that need each other, or need what nobody gives."""


class PluginError(PmedError):
    """A plugin that cannot be registered."""


class ResultError(PmedError):
    """A saved result that cannot be read back."""
