"""What plugins say, in the reader's language, by catalogues that the plugins bring.

A plugin's package may hold ``locale/<language>/LC_MESSAGES/pmed.mo``. Its messages are texts as the plugin makes them;
what varies stands in braces: ``{n}``, ``{n2}``… is a number, ``{gene}`` one word, ``{text…}`` a text that is itself
said by some catalogue, any other ``{name}`` is a name, or a few with commas between, translated where a catalogue knows
it and else left alone. The holes of `_MANY` may be long lists. A text that no message fits stays English, whole: half a
sentence in each language helps nobody. A first capital letter and a last full stop make no difference.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import metadata
from importlib.util import find_spec
from itertools import accumulate
from pathlib import Path

DOMAIN = "pmed"
Name = Callable[[str], str]
_HOLE = re.compile(r"\{(\w+)\}")
# A text ends where a sentence does not: a name never holds the end of one, and only a list of names a semicolon.
_NUMBER, _TEXT = r"[+−-]?\d[\d.,]*", r".+?"
_NAME, _NAMES = r"(?:(?!\. |; |: )[^\n]){1,300}?", r"(?:(?!\. )[^\n]){1,900}?"
_WHO = r"(?:(?!\. |; )[^\n]){1,900}?"
_MANY = ("names", "alleles", "sites", "shares", "values", "others", "mend", "drugs")
_TOKENS = ("gene", "enzyme")
_QUOTED = ("source", "key")  # titles: of a paper, or of a guideline's row
_SENTENCES = re.compile(r"(?<=(?:[\w)%*`/]{2}| %| b)[.!?])\s+(?=[A-Z(`])")  # amphotericin b
_CLAUSES = re.compile(r"(; )")
_COMMAS, _WORDS = re.compile(r"(, )"), re.compile(r"( or | and | with )")
_ARTICLE = re.compile(r"^(?:an?|the) ")
_BRACKETS = re.compile(r"[()]")
_ASIDE = re.compile(r"([^()]+) \((.+)\)")
# Words that no name has: what holds them is English that nobody translated, and not a name.
_ENGLISH = re.compile(r"(?<![\w-])(?:the|of|to|is|are|was|be|for|than|may|not|no|by|in|that|which|from|this|more|less|"
                      r"years|below|above|at|as|it|its|if|so|such)(?![\w-])")
_START = 4  # letters by which a phrase is looked up


@dataclass(frozen=True)
class Phrase:
    """A message with holes: what it looks like, and what it means."""

    pattern: re.Pattern[str]
    meaning: str


@dataclass(frozen=True)
class Phrases:
    """All catalogues of one language: whole texts, and phrases by their first letters ("" where a hole is first)."""

    whole: Mapping[str, str]
    by_start: Mapping[str, list[Phrase]]

    @classmethod
    def of(cls, messages: Iterable[tuple[str, str]]) -> Phrases:
        """Sort messages; of several phrases that fit, the one that says most by itself is taken."""
        whole: dict[str, str] = {}
        by_start: dict[str, list[Phrase]] = defaultdict(list)
        for message, meaning in sorted(messages, key=lambda one: (-len(_HOLE.sub("", one[0])), one[0][:1].isupper())):
            key = _key(message)
            if _HOLE.search(message):
                by_start[_start(key)].append(Phrase(_pattern(key), meaning.removesuffix(".")))
            else:
                whole.setdefault(key, meaning.removesuffix("."))
        return cls(whole, dict(by_start))

    def fitting(self, text: str) -> Iterator[tuple[Phrase, dict[str, str]]]:
        """Phrases that fit, with what stands in their holes."""
        key = _key(text)
        for start, written in ((key[:_START], key), *((key[:n], key) for n in range(_START - 1, 0, -1)),
                               ("", text.removesuffix("."))):
            for phrase in self.by_start.get(start, ()):
                if found := phrase.pattern.fullmatch(written):
                    yield phrase, found.groupdict()


def said(text: str, language: str, name: Name) -> str | None:
    """`text` in a language; None where no catalogue has it.

    Args:
        text: As a plugin made it.
        language: As the catalogues' folders are called.
        name: How to say what is no text: the names of inputs, say.
    """
    return _said(text.strip(), language, name) if text.strip() else text


def listed(text: str, language: str, name: Name) -> str | None:
    """A name or a list of names, each translated where a catalogue knows it; None where it is no list of names."""
    found = _one(text, language, name) or _one(_ARTICLE.sub("", text), language, name)
    if found is not None:
        return found
    for border in (_CLAUSES, _COMMAS, _WORDS):
        pieces = _pieces(text, border)
        if len(pieces) > 1:
            told = [_separator(piece, language) if place % 2 else listed(piece, language, name)
                    for place, piece in enumerate(pieces) if piece]
            return None if None in told else "".join(map(str, told))
    if aside := _ASIDE.fullmatch(text):
        both = [listed(part, language, name) for part in aside.groups()]
        return None if None in both else f"{both[0]} ({both[1]})"
    return None if _ENGLISH.search(text) else name(text)


def _pieces(text: str, border: re.Pattern[str]) -> list[str]:
    """A list in its pieces and, between them, its separators; what stands in brackets stays together."""
    pieces, depth = [""], 0
    for place, piece in enumerate(border.split(text)):
        if place % 2 and not depth:
            pieces += [piece, ""]
        else:
            pieces[-1] += piece
            depth += piece.count("(") - piece.count(")")
    return pieces


@lru_cache(maxsize=50_000)
def _said(text: str, language: str, name: Name) -> str | None:
    """The whole text, else its sentences, else its clauses."""
    found = _one(text, language, name)
    if found is not None:
        return _cased(found, text) + ("." if text.endswith(".") else "")
    for border in (_SENTENCES, _CLAUSES):
        pieces = border.split(text)
        if len(pieces) > 1:
            told = [_said(piece, language, name) if piece not in {"; "} else piece for piece in pieces]
            return None if None in told else (" " if border is _SENTENCES else "").join(map(str, told))
    return None


@lru_cache(maxsize=50_000)
def _one(text: str, language: str, name: Name) -> str | None:
    """By one message, without a full stop."""
    phrases = _phrases(language)
    if (meaning := phrases.whole.get(_key(text))) is not None:
        return meaning
    for phrase, holes in phrases.fitting(text):
        filled = {hole: _filled(hole, value, language, name) for hole, value in holes.items()}
        if None not in filled.values():
            return phrase.meaning.format_map(filled)
    return None


def _filled(hole: str, value: str, language: str, name: Name) -> str | None:
    if not _is_closed(value):
        return None
    if hole.startswith("text"):
        return _said(value, language, name)
    found = listed(value, language, name)
    return value if found is None and hole in _QUOTED else found


def _is_closed(text: str) -> bool:
    """Whether each bracket is closed in it that is opened in it, and no other."""
    depths = [*accumulate(1 if one == "(" else -1 for one in _BRACKETS.findall(text))]
    return not depths or (min(depths) >= 0 and not depths[-1])


def _separator(piece: str, language: str) -> str:
    word = piece.strip()
    return f" {_phrases(language).whole.get(word, word)} " if word.isalpha() else piece


def _cased(meaning: str, text: str) -> str:
    return meaning[:1].upper() + meaning[1:] if text[:1].isupper() else meaning


def _key(text: str) -> str:
    return (text[:1].lower() + text[1:]).removesuffix(".")


def _start(key: str) -> str:
    return key.partition("{")[0][:_START]


def _pattern(key: str) -> re.Pattern[str]:
    """The holes as groups; one that comes twice must hold the same twice."""
    parts, seen = [], set()
    for place, piece in enumerate(_HOLE.split(key)):
        if place % 2 == 0:
            parts.append(re.escape(piece))
        elif piece in seen:
            parts.append(f"(?P={piece})")
        else:
            seen.add(piece)
            parts.append(f"(?P<{piece}>{_kind(piece)})")
    return re.compile("".join(parts), re.DOTALL)


def _kind(hole: str) -> str:
    """What may stand in a hole, by its name."""
    if re.fullmatch(r"n\d*", hole):
        return _NUMBER
    if hole in _TOKENS:
        return r"[^\s,;()]+"
    if hole == "who":  # of several statements each has its own
        return _WHO
    return _TEXT if hole.startswith("text") or hole in _QUOTED else _NAMES if hole in _MANY else _NAME


@cache
def _phrases(language: str) -> Phrases:
    """The catalogues of pmed and of all installed plugins."""
    return Phrases.of(message for folder in _folders() for message in _messages(folder, language))


def _folders() -> Iterator[Path]:
    """Where catalogues may be; a package is found, not imported."""
    yield Path(__file__).parent / "locale"
    for point in sorted(metadata.entry_points(group="pmed"), key=lambda one: one.name):
        found = find_spec(point.module.partition(".")[0])
        if found and found.origin:
            yield Path(found.origin).parent / "locale"


def _messages(folder: Path, language: str) -> Iterator[tuple[str, str]]:
    path = folder / language / "LC_MESSAGES" / f"{DOMAIN}.mo"
    if path.is_file():
        from babel.messages.mofile import read_mo

        with path.open("rb") as file:
            # plural forms are pairs; no plugin has them
            yield from ((one.id, str(one.string)) for one in read_mo(file) if isinstance(one.id, str) and one.id)
