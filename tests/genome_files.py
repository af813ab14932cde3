"""Small genome files that tests write: records as words, ``POS REF ALT FORMAT call…``."""

from __future__ import annotations

from pmed.sources.vcf import VcfSource
from pmed.tables import TABLES
from pmed.types import ReadRequest

COLUMNS = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t"
META = ("##fileformat=VCFv4.2", "##reference=GRCh38", "##contig=<ID=chr2>",
        '##INFO=<ID=END,Number=1,Type=Integer,Description="end">',
        '##INFO=<ID=SVLEN,Number=A,Type=Integer,Description="length">',
        '##FILTER=<ID=LowQual,Description="low">',
        *(f'##FORMAT=<ID={key},Number=1,Type={kind},Description="{key}">'
          for key, kind in (("GT", "String"), ("DP", "Integer"), ("GQ", "Integer"), ("MIN_DP", "Integer"),
                            ("RGQ", "Integer"), ("PS", "Integer"), ("FT", "String"))))
NEWER = ("##fileformat=VCFv4.5", *META[1:], '##FORMAT=<ID=LEN,Number=1,Type=Integer,Description="length">')


def sites(*rows, chrom="chr2", build="GRCh38"):
    """A ``sites`` table of (pos, ref, alt)."""
    return TABLES["sites"].frame([{"build": build, "chrom": chrom, "pos": pos, "ref": ref, "alt": alt,
                                   "site": f"rs{pos}"} for pos, ref, alt in rows])


def vcf(folder, *records, samples=("S",), name="x.vcf", chrom="chr2", meta=META):
    """A GRCh38 file; FILTER stands after the FORMAT as ``GT@LowQual``, INFO as ``GT;END=9``."""
    lines = []
    for record in records:
        pos, ref, alt, form, *calls = record.split()
        form, _, flt = form.partition("@")
        form, _, info = form.partition(";")
        lines.append("\t".join([chrom, pos, ".", ref, alt, ".", flt or "PASS", info or ".", form, *calls]))
    file = folder / name
    file.write_text("\n".join([*meta, COLUMNS + "\t".join(samples), *lines, ""]))
    return file


def read(*files, rows, build="", **options):
    """What the source makes of the files at the sites `rows`, (pos, ref, alt) or a table."""
    table = rows if hasattr(rows, "columns") else sites(*rows)
    return VcfSource(**options).read(files, ReadRequest(table, build=build))


def said(out, pos, alt, sample="S"):
    """(allele_1, allele_2, state) of one cell."""
    row = out["genotypes"].filter(pos=pos, alt=alt, sample=sample).row(0, named=True)
    return row["allele_1"], row["allele_2"], row["state"]
