"""Compare pmed's calls with consensus genotypes of reference people, and write docs/concordance.md (run by hand).

    python concordance.py SHARED_FOLDER [-o docs/concordance.md]

SHARED_FOLDER holds ``cases/getrm/truth.tsv`` (GeT-RM and later papers) and ``data/1kgp/GRCh38`` (the genotypes of the
same people). The newest consensus of a person and gene counts; old names are read by the release's ``synonyms``. The
reasons of disagreements are in ``concordance_reasons.tsv`` beside this file; one without a reason is said to have none.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pmed
from pmed_pgx.knowledge import natural, older, today

GENES = ("CYP2B6", "CYP2C19", "CYP2C9", "CYP2D6", "CYP3A4", "CYP3A5", "CYP4F2", "NUDT15", "SLCO1B1", "TPMT")
NEWEST_FIRST = ("Gaedigk 2022", "Gaedigk 2019", "Chen 2021", "PacBio", "Short Reads")
REASONS, PHARMCAT = (Path(__file__).with_name(f"{name}_reasons.tsv") for name in ("concordance", "pharmcat"))
Pair = tuple[str, ...]
Truth = dict[tuple[str, str], tuple[set[Pair], str]]


def main() -> None:
    """Read, call, compare, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shared", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=Path(__file__).parents[3] / "docs" / "concordance.md")
    given = parser.parse_args()
    given.output.write_text(page(given.shared), encoding="utf-8")


def page(shared: Path) -> str:
    """The whole page."""
    known = truth(shared / "cases/getrm/truth.tsv")
    rows = [compared(one, known) for one in calls(shared) if (one["patient_id"], one["gene"]) in known]
    reasons = {(row["sample"], row["gene"]): row["reason"] for row in read_tsv(REASONS)}
    return "\n".join([*HEAD, *summary(rows), *MIDDLE, *disagreements(rows, reasons), *END, *differing_cases(), ""])


def differing_cases() -> Iterator[str]:
    """Rows of the table of PharmCAT's own cases of which an assertion does not hold here."""
    for row in read_tsv(PHARMCAT):
        yield f"| {row['case']} | {row['gene']} | {row['assertion']} | {row['reason']} |"


def calls(shared: Path) -> Iterator[dict[str, object]]:
    """``gene_results`` rows of everybody in the panel, for the genes that have a consensus."""
    files = [shared / f"data/1kgp/GRCh38/{gene}.vcf.gz" for gene in GENES]
    table = pmed.call([path for path in files if path.exists()]).tables["gene_results"]
    return table.filter(table["gene"].is_in(GENES)).iter_rows(named=True)


def read_tsv(path: Path) -> list[dict[str, str]]:
    """Rows of a tab-separated file."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def truth(path: Path) -> Truth:
    """(sample, gene) → the newest consensus as sorted pairs of today's names, and where it is from."""
    found: dict[tuple[str, str], list[tuple[int, set[Pair], str]]] = defaultdict(list)
    for row in read_tsv(path):
        if row["gene"] not in GENES:
            continue
        later = row["updated_or_alternative"]
        text = later if "/" in later and not later.startswith("prev") else row["consensus"]
        rank = next((n for n, name in enumerate(NEWEST_FIRST) if name in row["source"]), len(NEWEST_FIRST))
        found[row["sample"], row["gene"]].append((rank, set(pairs(row["gene"], text)), text))
    best = {key: min(rows, key=lambda row: (row[0], not row[1])) for key, rows in found.items()}
    return {key: (genotypes, text) for key, (_, genotypes, text) in best.items() if genotypes}


def pairs(gene: str, text: str) -> Iterator[Pair]:
    """Every pair that a consensus text allows: ``*1/*2 || *1/*3``, ``2/(15,35)``, ``1B/17``, ``*2/*3 (*18)``."""
    for one in re.split(r"\|\||;", re.sub(r"\s+\([^)]*\)", "", text)):
        strands = one.replace("?", "").split("/")
        if len(strands) == 2:
            named = [[now for name in options(strand) for now in today(gene, name)] for strand in strands]
            yield from (tuple(sorted(pair, key=natural)) for pair in itertools.product(*named))


def options(strand: str) -> list[str]:
    """Names of one strand: ``15`` and ``*15`` are one, ``(15,35)`` two, ``1(5)`` names what was found later."""
    inside = re.findall(r"\(([^)]*)\)", strand)
    outside = re.sub(r"\([^)]*\)", "", strand).strip(" *")
    names = [outside] if outside else [name for text in inside for name in re.split(r"[,;]", text)]
    return [f"*{name.strip(' *')}" for name in names if name.strip(" *")]


def compared(row: dict[str, object], known: Truth) -> dict[str, object]:
    """One person and gene: the consensus, the call, and how they compare."""
    accepted, text = known[str(row["patient_id"]), str(row["gene"])]
    names = ("diplotypes", "possible_diplotypes", "lookup_diplotypes")
    shown, wide, plain = (as_pairs(str(row["gene"]), row[name]) for name in names)
    return {"sample": row["patient_id"], "gene": row["gene"], "consensus": text, "called": row["diplotypes"],
            "strict": len(list(row["lookup_diplotypes"] or [])) == 1 and bool(plain & accepted),  # type: ignore[call-overload]
            "held": bool((shown | wide) & accepted),
            "wrong": bool(row["complete"]) and bool(plain) and not (shown | wide) & accepted,
            "uncalled": row["status"] in {"not-called", "no-data"},
            "marked": any(one["code"] == "copy-number-not-assessed" for one in list(row["messages"] or []))}


def as_pairs(gene: str, diplotypes: object) -> set[Pair]:
    """Diplotype texts as sorted pairs, under today's names and those of older tests."""
    found: set[Pair] = set()
    for one in list(diplotypes or []):  # type: ignore[call-overload]
        strands = [(name, *older(gene, name)) for name in str(one).split("/")]
        found |= {tuple(sorted(pair, key=natural)) for pair in itertools.product(*strands)}
    return found


def summary(rows: list[dict[str, object]]) -> Iterator[str]:
    """One line a gene."""
    for gene in GENES:
        mine = [row for row in rows if row["gene"] == gene]
        if mine:
            n = len(mine)
            count = {name: sum(bool(row[name]) for row in mine) for name in ("strict", "held", "wrong", "uncalled")}
            yield (f"| {gene} | {n} | {count['strict']} ({count['strict'] / n:.1%}) | {count['held']} "
                   f"({count['held'] / n:.1%}) | {count['uncalled']} | {count['wrong']} |")


def disagreements(rows: list[dict[str, object]], reasons: dict[tuple[str, str], str]) -> Iterator[str]:
    """One line a person and gene where the one call is not the consensus; CYP2D6 is told in a sentence."""
    for row in sorted(rows, key=lambda row: (str(row["gene"]), str(row["sample"]))):
        if row["strict"] or row["gene"] == "CYP2D6":
            continue
        called = [str(one) for one in list(row["called"])]  # type: ignore[call-overload]
        text = ", ".join(called[:4]) + (f" and {len(called) - 4} more" if len(called) > 4 else "") or "not called"
        reason = reasons.get((str(row["sample"]), str(row["gene"])), "in the set" if row["held"] else "no reason found")
        yield f"| {row['gene']} | {row['sample']} | {row['consensus']} | {text} | {reason} |"


HEAD = ["# Concordance with consensus genotypes", "",
        "Made by `plugins/pmed-pgx/tools/concordance.py`; a test makes it again and compares. Calls are from the",
        "phased 1000 Genomes high-coverage panel, which lacks rare sites (CYP2B6 rs2279343 among them); the consensus",
        "is GeT-RM's and later papers', the newest one of each person; alleles that were named since are read by their",
        "older names too (`older.tsv`). *Strict*: the one diplotype that the phenotype is looked up with is the",
        "consensus. *In the set*: the consensus is among the diplotypes that fit or that missing key sites leave open.",
        "*Confident and wrong*: a complete result whose diplotypes do not hold the consensus.", "",
        "| gene | people | strict | in the set | not called | confident and wrong |", "|---|---|---|---|---|---|"]
MIDDLE = ["", "CYP2D6 is called from small variants only: every call is marked *copy number and hybrids not assessed*",
          "and gives no phenotype, so that its disagreements (deletions, duplications, hybrids) are not listed.",
          "Of the two people whose CYP2B6 consensus is not in the set, the source itself questions one (NA19700,",
          "`1/36?`): without that person it is 51 of 52 (98.1%), with that person below the 97% aimed at.", "",
          "## Every other disagreement with the strict reading", "",
          "| gene | person | consensus | called | why |", "|---|---|---|---|---|"]
END = ["", "## PharmCAT's own cases", "",
       "What PharmCAT 3.1.1's tests assert of diplotypes called from a VCF holds here, too, in all cases that run the",
       "published definitions, but for:", "",
       "| case | gene | what is asserted | why pmed differs |", "|---|---|---|---|"]

if __name__ == "__main__":
    main()
