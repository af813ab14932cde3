"""Read the embedded rule files (``data/*.toml``) once for all, after a change of them (run by hand, never by pmed).

python read_rules.py
"""

from __future__ import annotations

from pathlib import Path

from pmed_pgx import rule_files


def main() -> None:
    """Write ``rules_read.json``."""
    path = Path(rule_files.__file__).parent / rule_files.READ
    path.write_text(rule_files.read(rule_files.embedded_texts()), encoding="utf-8")


if __name__ == "__main__":
    main()
