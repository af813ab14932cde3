"""Polygenic scores: scoring files matched to genomes, summed for everybody in one pass, and compared with others."""
