"""Readers of genome and record files."""
