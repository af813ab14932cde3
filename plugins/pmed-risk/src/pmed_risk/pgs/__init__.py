"""Polygenic scores: scoring files matched to genomes, summed for everybody in one pass, and compared with others."""

from __future__ import annotations

from .scorer import PolygenicScores

__all__ = ["PolygenicScores"]
