"""Pharmacogenomics for pmed: star alleles, phenotypes, guideline advice."""
