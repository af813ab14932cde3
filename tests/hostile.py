"""Text that breaks exports which do not escape: delimiters, markup, formulas, direction marks, control characters."""

from __future__ import annotations

from hypothesis import strategies as st

PIECES = ("<script>alert(1)</script>", '"', "'", "|", "^", "~", "&", "\\", "\\F\\", "\r", "\n", "\t", "=1+1", "+", "-",
          "@", "*", "_", "`", "[a](http://evil.example)", "![x](y)", "www.evil.example", "a@evil.example", "#", ">",
          "1.", "\u202e", "\u2066", "\u200f", "\u05d0", "\U0001f9ec", "\x0b", "\x1c", "\x00", "\x85", "\u2028", "{{",
          "&amp;", "]]>", "$x$", "word", " ", ",", ";", '""', "é", "漢")
hostile = st.lists(st.sampled_from(PIECES) | st.text(st.characters(exclude_categories=("Cs",)), max_size=5),
                   min_size=1, max_size=8).map("".join)
