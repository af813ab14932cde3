"""Who is in a cohort, in what chunks, and which inputs each chunk needs; the same inputs always give the same plan."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..errors import GenomeError, InputError, OptionError, PmedError
from ..genomics.builds import known_build
from ..genomics.header import Header
from ..genomics.opening import head_of

# In a chunk of the whole plan, and of genes alone, where nothing is said of memory: two processes take up to 2.9 GB. A
# third of the cost of 640 people is that of any chunk, however few they are; of genes alone more than half.
PEOPLE, PEOPLE_GENES = 960, 1280
LEAST, MOST = 16, 4096
# Measured with the reference plugins and records of 160 kB, of a process after many chunks, for polars' allocator keeps
# more of them than one takes: the process with its plugins and knowledge, and each person of a chunk. 100 people took
# 490 MB after 75 chunks and after 100, 1,281 people 1,360 MB after 8; with 801 checks 952 take 1,435 MB after 52.
BASE_MB, PERSON_MB = 420, 1.07
BASE_GENES_MB, PERSON_GENES_MB = 280, 0.2
MAIN_MB = 150        # the process that hands out the chunks
# Of NDJSON so much for each person of a chunk is read at once: as tables it takes about twice that.
RECORD_BYTES, RECORD_BYTES_GENES = 330_000, 260_000
_SPREAD = 100
_CUT = ("vcf", "bcf", "cache")


@dataclass(frozen=True)
class Files:
    """Genome files of the same people: one, or one for each chromosome or gene."""

    paths: tuple[Path, ...]
    samples: tuple[str, ...]
    cuttable: bool


@dataclass(frozen=True)
class Block:
    """Samples that are worked on together: read of `paths`, or of the bytes that were cut for them into `cut`."""

    samples: tuple[str, ...]
    paths: tuple[Path, ...] = ()
    cut: Path | None = None


@dataclass(frozen=True)
class Chunk:
    """One task: some people, their genomes and the files with their records.

    Attributes:
        number: Its place, and the number in the names of its files.
        people: (patient_id, sample); the sample is "" without a genome.
        block: Where their genomes are.
        records: Staged records (`staging`), in the order of the inputs.
        alike: What is told of those whose ids are nearly those of other people of the cohort.
    """

    number: int
    people: tuple[tuple[str, str], ...]
    block: Block = field(default_factory=lambda: Block(()))
    records: tuple[Path, ...] = ()
    alike: dict[str, str] = field(default_factory=dict)


def people_at_once(megabytes: int, jobs: int, *, genes_only: bool = False) -> int:
    """People in a chunk, so that `jobs` processes together stay below `megabytes`; 0 sets no bound of its own.

    Where genes alone are called, a person takes a sixth of the memory.

    Raises:
        OptionError: where not even a few people fit.
    """
    base, each = (BASE_GENES_MB, PERSON_GENES_MB) if genes_only else (BASE_MB, PERSON_MB)
    if not megabytes:
        return PEOPLE_GENES if genes_only else PEOPLE
    main = MAIN_MB if jobs > 1 else 0
    room = int(((megabytes - main) / jobs - base) / each)
    if room < LEAST:
        raise OptionError(f"{megabytes} MB is too little for {jobs} processes", where="--memory",
                          hint=f"at least {int(jobs * (base + LEAST * each)) + main + 1}, or fewer --jobs")
    return min(MOST, room)


def in_block(many: int, most: int) -> int:
    """People in a block of those that `many` are cut into: `most`, or a hundredth more, where that saves a block.

    An even number of blocks, all of one size, so that two processes have as much to do.

    >>> in_block(2560, 640), in_block(2562, 640), in_block(2700, 640), in_block(500, 640)
    (640, 641, 450, 500)
    """
    blocks = math.ceil(many / (most + most // _SPREAD))
    return math.ceil(many / (blocks + blocks % 2 if blocks > 1 else 1))


def files_of_same_people(paths: Sequence[Path], build: str) -> tuple[list[Files], dict[Path, str]]:
    """Genome files by the people in them, and those that cannot be read, with the reason.

    Raises:
        GenomeError: files on several builds, or a sample that two files share whose people are not the same.
        OptionError: a file that is given twice.
    """
    seen: set[Path] = set()
    for path in paths:
        if path.resolve() in seen:
            raise OptionError("a genome file is given twice", where=str(path), hint="name each file once")
        seen.add(path.resolve())
    heads, unread = _heads(paths)
    _must_be_on_one_build(heads, build)
    same: dict[frozenset[str], list[Header]] = {}
    for head in heads:
        same.setdefault(frozenset(head.samples), []).append(head)
    _must_not_overlap(same)
    return [Files(tuple(head.path for head in some), some[0].samples, all(head.kind in _CUT for head in some))
            for some in same.values()], unread


def read_samples(path: Path) -> tuple[str, ...]:
    """The names in a list of samples, one a line; lines that begin with ``#`` are comments.

    Raises:
        InputError: it cannot be read, names nobody, or has a line of several columns.
    """
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError("cannot be read as text", where=str(path), hint="one sample on each line") from error
    names: dict[str, None] = {}
    for number, line in enumerate(lines, 1):
        if "\t" in line.strip():
            raise InputError("expected one sample", where=f"{path} line {number}", hint="--pairs takes two columns")
        if line.strip() and not line.startswith("#"):
            names[line.strip()] = None
    if not names:
        raise InputError("names no sample", where=str(path), hint="one sample on each line")
    return tuple(names)


def with_samples(sets: Sequence[Files], samples: Sequence[str]) -> list[Files]:
    """The files that hold any of these samples, with these alone; all, where none are named.

    Raises:
        InputError: no file that can be read has one of them.
    """
    if not samples:
        return list(sets)
    wanted = dict.fromkeys(samples)
    there = {name for one in sets for name in one.samples}
    if missing := [name for name in wanted if name not in there]:
        more = f", nor {len(missing) - 1} others of the list" if missing[1:] else ""
        raise InputError(f"no sample {missing[0]!r} in any genome file that can be read{more}", where="--samples")
    chosen = (replace(one, samples=tuple(name for name in one.samples if name in wanted)) for one in sets)
    return [one for one in chosen if one.samples]


def _heads(paths: Sequence[Path]) -> tuple[list[Header], dict[Path, str]]:
    heads, unread = [], {}
    for path in paths:
        try:
            heads.append(head_of(path))
        except PmedError as error:
            unread[path] = str(error)
    return heads, unread


def _must_be_on_one_build(heads: Iterable[Header], build: str) -> None:
    known = {found: head.path for head in heads if (found := known_build(head, build)[0])}
    if len(known) > 1:
        said = ", ".join(f"{path.name} is {name}" for name, path in known.items())
        raise GenomeError(f"the cohort's files are on different builds: {said}", where=str(next(iter(known.values()))),
                          hint="give each build as a cohort of its own")


def _must_not_overlap(same: Mapping[frozenset[str], Sequence[Header]]) -> None:
    """Files of one cohort hold the same people (by chromosome) or other people; anything else is a mix-up."""
    seen: dict[str, Path] = {}
    for samples, heads in same.items():
        for name in sorted(samples):
            if name in seen:
                raise GenomeError(f"sample {name!r} is also in {seen[name]}, which holds other people besides",
                                  where=str(heads[0].path), hint="rename one of the two, or leave one out")
        seen.update(dict.fromkeys(samples, heads[0].path))


def direct_blocks(sets: Iterable[Files], people: int) -> list[Block]:
    """Small files together until `people` are reached; files that cannot be cut are read again for each block."""
    blocks: list[Block] = []
    waiting: list[Files] = []
    for one in sets:
        if waiting and sum(len(some.samples) for some in waiting) + len(one.samples) > people:
            blocks.append(_together(waiting))
            waiting = []
        if len(one.samples) > people:
            blocks += (Block(one.samples[start:start + people], one.paths)
                       for start in range(0, len(one.samples), people))
        else:
            waiting.append(one)
    return [*blocks, *([_together(waiting)] if waiting else [])]


def _together(sets: Sequence[Files]) -> Block:
    return Block(tuple(name for one in sets for name in one.samples), tuple(path for one in sets for path in one.paths))


def with_patients(blocks: Iterable[Block], pairs: Mapping[str, str]) -> list[tuple[Block, tuple[tuple[str, str], ...]]]:
    """Each block with its (patient_id, sample).

    Raises:
        InputError: two samples of one patient, or a pair about a sample that no file has.
    """
    found = [(block, tuple((pairs.get(name, name), name) for name in block.samples)) for block in blocks]
    seen: dict[str, str] = {}
    for _, people in found:
        for patient, sample in people:
            if patient in seen:
                raise InputError(f"samples {seen[patient]!r} and {sample!r} are both of patient {patient!r}",
                                 hint="see --pairs")
            seen[patient] = sample
    if strange := sorted(set(pairs) - set(seen.values())):
        raise InputError(f"no sample {strange[0]!r} in any genome file that can be read", where="--pairs")
    return found
