"""Gene results of other tools ("outside calls"): read from their files, and put in the place of our own.

``formats`` knows the files, one small module a format; ``names`` and ``structural`` understand alleles, copies and
tandems; ``evaluate`` turns what one patient's files say of a gene into its result; ``merge`` puts it into the
``gene_results`` of all patients, and ``hla`` gives the status of HLA alleles.
"""

from .hla import statuses
from .merge import apply
from .source import OutsideCalls

__all__ = ["OutsideCalls", "apply", "statuses"]
