"""Genotypes from VCF text: headers, builds, alleles, the dense grid."""
