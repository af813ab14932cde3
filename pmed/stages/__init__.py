"""The stages of a run. They never import each other: they meet only as named tables."""
