"""A thousand damaged files: each is read, or refused in one line; never another error, a crash, a hang or noise.

What a damaged text still says of the lines that were not touched is what it said before. Packed files have check
sums: if one is read at all, it says what the whole file says. BCF is read in processes of their own, because a crash
inside htslib would take the tests with it.
"""

from __future__ import annotations

import faulthandler
import gzip
import random
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import polars as pl
import pysam
import pytest

from pmed.errors import GenomeError
from pmed.sources.vcf import VcfSource
from pmed.tables import TABLES
from pmed.types import ReadRequest
from tests import slow_vcf, vcf_writer
from tests.fixtures import ROOT
from tests.slow_vcf import Site

BATCH = 50
PATIENCE = 300  # seconds until a read counts as hanging: the process is ended, with a traceback
FORMATS = {"GT": "{gt}", "GT:DP:GQ": "{gt}:{n}:9{n}", "GT:PS:FT": "{gt}:1{n}:PASS", "GT:AE": "{gt}:{n},1"}
CALLS = ("0/0", "0|1", "1|0", "1/1", "./.", "0/.", "1", ".")


def another(ref):
    """The same bases with another one in front."""
    return next(base for base in "ACGT" if base != ref[0]) + ref[1:]


def whole_text(seed=1):
    """Three people, two contigs, many FORMATs, some symbolic ALTs and reference blocks."""
    rng = random.Random(seed)
    lines = []
    for contig in ("chr1", "chr2"):
        for pos in sorted(rng.sample(range(1_000, 3_000), 30)):
            ref = rng.choice(["A", "C", "G", "T", "CAT", "TTG"])
            alt = rng.choice([another(ref), ref + "A", "<NON_REF>", "."])
            info = f"END={pos + 9}" if alt in {"<NON_REF>", "."} else "DB"
            form = rng.choice([*FORMATS])
            calls = [rng.choice(CALLS) if alt != "." else "0/0" for _ in range(3)]
            cells = [FORMATS[form].format(gt=gt, n=rng.randrange(9)) for gt in calls]
            lines.append([contig, str(pos), ".", ref, alt, ".", "PASS", info, form, *cells])
    return vcf_writer.whole(vcf_writer.Shape("4.3", "chr", ["S0", "S1", "S2"], {}), lines)


TEXT = whole_text()
SITES = [Site(record.chrom, record.pos, record.ref, another(record.ref)) for record in slow_vcf.parse(TEXT)[1]]


def read(file):
    rows = [{"build": "GRCh38", "site": f"{site.chrom}:{site.pos}", **site._asdict()} for site in SITES]
    return VcfSource().read([file], ReadRequest(TABLES["sites"].frame(rows), build="GRCh38"))["genotypes"]


def damaged(data, rng):
    """One to three bytes flipped, put in or taken out; or the end cut off; or a piece moved."""
    found = bytearray(data)
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(found))
        kind = rng.choice(["flip", "flip", "other", "insert", "delete", "cut", "repeat"])
        if kind == "flip":
            found[at] ^= 1 << rng.randrange(8)
        elif kind == "other":
            found[at] = rng.choice(b"\t\n\r.:/|0129,;<>*#ACGT=\x00\xff")
        elif kind == "insert":
            found[at:at] = bytes(rng.choice(b"\t\n.:/|01,;#A\x00") for _ in range(rng.randint(1, 3)))
        elif kind == "delete":
            del found[at:at + rng.randint(1, 3)]
        elif kind == "cut" and rng.random() < 0.3:
            del found[max(1, at):]
        else:
            found[at:at] = found[at:at + rng.randint(1, 200)]
    return bytes(found)


def outcome(file):
    """The genotypes, or None where the file was refused as it should be."""
    faulthandler.dump_traceback_later(PATIENCE, exit=True)
    try:
        return read(file)
    except GenomeError as error:
        words = str(error)
    finally:
        faulthandler.cancel_dump_traceback_later()
    assert words.startswith(str(file))
    assert len(words.splitlines()) == 1
    return None


def touched(before, after):
    """By contig, the stretches that changed lines speak of; None where that is all of it."""
    old, new = (Counter(text.split(b"\n")) for text in (before, after))
    found = []
    for line in (old - new) + (new - old):
        columns = line.decode("latin-1").rstrip("\r").split("\t")
        if line.startswith(b"#") and line in old:
            continue
        try:
            _, records = slow_vcf.parse("\t".join(columns))
            found += [(record.chrom, record.pos, slow_vcf.last(record)) for record in records]
        except (ValueError, IndexError):
            found.append((slow_vcf.contig(columns[0]), 0, 10**9))
    return found


def untouched(before, after):
    """The sites that no changed line speaks of, before or after."""
    places = touched(before, after)
    return [site for site in SITES if not any(site.chrom == chrom and first <= site.pos + len(site.ref)
                                              and site.pos <= last for chrom, first, last in places)]


def cells(frame, sites):
    """The cells of some sites, people by their place and not by their name."""
    keys = pl.DataFrame([tuple(site) for site in sites], orient="row",
                        schema={name: frame.schema[name] for name in Site._fields})
    return frame.join(keys, on=Site._fields, how="semi").drop("sample", "source_row")


@pytest.mark.parametrize("batch", range(10))
def test_damaged_text(tmp_path, capfd, batch):
    before = TEXT.encode()
    (tmp_path / "whole.vcf").write_bytes(before)
    whole = read(tmp_path / "whole.vcf")
    survived = 0
    for seed in range(batch * BATCH, (batch + 1) * BATCH):
        after = damaged(before, random.Random(seed))
        file = tmp_path / "damaged.vcf"
        file.write_bytes(after)
        found = outcome(file)
        if found is not None and found.height == whole.height:
            kept = untouched(before, after)
            assert cells(found, kept).equals(cells(whole, kept)), f"seed {seed}"
            survived += bool(kept)
    assert survived > BATCH // 10
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("how", ["bgzip", "gzip", "tbi", "csi"])
@pytest.mark.parametrize("batch", range(2))
def test_damaged_packed_text(tmp_path, capfd, how, batch):
    whole_file = vcf_writer.packed(tmp_path, TEXT, how)
    data, whole = whole_file.read_bytes(), read(whole_file)
    for seed in range(batch * BATCH, (batch + 1) * BATCH):
        whole_file.write_bytes(damaged(data, random.Random(seed)))
        found = outcome(whole_file)
        assert found is None or found.equals(whole), f"seed {seed}"
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("how", ["tbi", "csi"])
def test_damaged_index(tmp_path, capfd, how):
    file = vcf_writer.packed(tmp_path, TEXT, how)
    index, whole = file.with_name(f"{file.name}.{how}"), read(file).drop("source_row")
    data = index.read_bytes()
    for seed in range(BATCH):
        index.write_bytes(damaged(data, random.Random(seed)))
        found = outcome(file)
        assert found is None or found.drop("source_row").equals(whole), f"seed {seed}"
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("suffix", [".tbi", ".csi"])
def test_an_index_beside_a_file_without_blocks_is_not_used(tmp_path, suffix):
    """Somebody packed the file again with gzip, and the index of the bgzip is still there."""
    file = vcf_writer.packed(tmp_path, TEXT, suffix[1:])
    whole = read(file)
    file.write_bytes(gzip.compress(TEXT.encode()))
    assert read(file).drop("source_row").equals(whole.drop("source_row"))


@pytest.mark.parametrize("how", vcf_writer.BINARY)
@pytest.mark.parametrize("where", ["outside", "inside"])
def test_damaged_bcf(how, where):
    """In a process of its own: what htslib may crash on is then a failure, and not the end of all tests."""
    done = subprocess.run([sys.executable, "-m", "tests.test_vcf_fuzz", how, where], cwd=ROOT, capture_output=True,
                          text=True, check=False, timeout=2 * PATIENCE)
    assert (done.returncode, done.stderr, done.stdout) == (0, "", f"{BATCH} files\n")


def damage_bcf(how, where):
    """Damage a packed file, which its check sums tell; or what is in it, packed well again, which nothing tells."""
    with tempfile.TemporaryDirectory() as folder:
        file = vcf_writer.packed(Path(folder), TEXT, how)
        data, whole = file.read_bytes(), read(file)
        for seed in range(BATCH):
            if where == "outside":
                file.write_bytes(damaged(data, random.Random(seed)))
            else:
                with pysam.BGZFile(str(file), "wb") as packed:
                    packed.write(damaged(gzip.decompress(data), random.Random(seed)))
            found = outcome(file)
            assert found is None or found.equals(whole) or where == "inside", f"seed {seed}"
    sys.stdout.write(f"{BATCH} files\n")


if __name__ == "__main__":
    damage_bcf(*sys.argv[1:])
