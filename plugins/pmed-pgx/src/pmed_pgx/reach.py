"""Whether every named allele can be called: a genome of its own definition must get it and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from .matcher import HOMOZYGOUS, SINGLE, match
from .model import Gene


def lost(gene: Gene) -> Iterator[tuple[str, list[str]]]:
    """(allele, what is called instead) of the alleles that a homozygous genome of theirs does not get alone."""
    for number, name in enumerate(gene.alleles):
        strands = _genome(gene, number)
        called = match(gene, strands, np.full(len(gene.sites), HOMOZYGOUS, dtype=np.int64)).calls
        copies = 1 if gene.ploidy == "MT" else 2
        if list(called) != [(gene.core.get(name, name),) * copies]:
            yield name, ["/".join(one) for one in called]


def _genome(gene: Gene, allele: int) -> npt.NDArray[np.int8]:
    """(sites, 2) codes of a genome with the allele on every strand; of a wobble the base furthest from REF."""
    last = gene.allowed.shape[2] - 1
    codes = (last - np.argmax(gene.allowed[allele][:, ::-1], axis=1)).astype(np.int8)
    second = np.full_like(codes, SINGLE) if gene.ploidy == "MT" else codes
    return np.stack([codes, second], axis=1)
