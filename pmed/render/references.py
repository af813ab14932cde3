"""One numbered list of references for the page, so that cards cite ``[n]`` and name nothing twice."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from . import words

PMID, DOI = re.compile(r"\s*PMID:?\s*(\d{1,9})\s*", re.I), re.compile(r"\s*(?:doi:\s*)?(10\.\d{4,9}/\S+)\s*", re.I)


class References:
    """Numbers references in the order in which the page cites them."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], dict[str, Any]] = {}

    def cite(self, evidence: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        """The number, source and level of each of `evidence`; what was cited before keeps its number."""
        return [{"n": self._number(one), "source": one["source"], "level": one["level"]} for one in evidence]

    def cite_texts(self, citations: Iterable[str], source: str) -> list[dict[str, Any]]:
        """The same for bare citations, as predictors' cards have them."""
        return self.cite({"source": source, "level": "", "citation": str(one), "url": ""} for one in citations)

    def _number(self, one: dict[str, Any]) -> int:
        citation = one["citation"] or one["url"] or ""
        # The same paper may support several sources; a text without a paper belongs to its source.
        key = ("", citation) if PMID.fullmatch(citation) or DOI.fullmatch(citation) else (one["source"], citation)
        row = self.rows.setdefault(key, {"n": len(self.rows) + 1, "sources": [], "citation": citation,
                                         "url": link(one["url"], citation)})
        if one["source"] and one["source"] not in row["sources"]:
            row["sources"].append(one["source"])
        return int(row["n"])


def link(url: str | None, citation: str) -> str:
    """The address given, else PubMed's or the DOI resolver's for a citation that has such a number, else ''.

    >>> link("", "PMID:35034351"), link(None, "a book")
    ('https://pubmed.ncbi.nlm.nih.gov/35034351/', '')
    """
    if found := words.web_link(url):
        return found
    if match := PMID.fullmatch(citation):
        return f"https://pubmed.ncbi.nlm.nih.gov/{match[1]}/"
    return words.web_link(f"https://doi.org/{match[1]}") if (match := DOI.fullmatch(citation)) else ""
