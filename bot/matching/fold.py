"""Text as residents type it → comparable text: one width, one case, simplified characters, plain words, no fillers."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

LIMIT = 200
"""Characters of a message that are looked at; residents' questions are far shorter."""

_TABLES = Path(__file__).parent / "tables"
_SIGN = "\ue000"
"""Stands before a word that was an emoji, while folding."""
_ADORNED = 6
"""Written characters beyond which an emoji names nothing by itself."""
_PLACEHOLDER = re.compile(r"\[[^\[\]]{1,12}\]|/:(?:[a-z]{2,9}|[^\w\s]{1,4}[a-z8]?(?![a-z0-9])|8?[^\w\s]{1,2})")
_MENTION = re.compile(r"@(?:小绿|绿邻)|@[^\s@,，。!！?？:：]{1,16}(?=[\s,，:：]|$)")
_BRACKETS = re.compile(r"[()]")
_BREAK = re.compile(rf"[^\w.%+#\-{_SIGN}]+|_+")
_LOOSE_SIGN = re.compile(r"(?<![0-9a-z])[.\-+%#]+|[.\-+%#]+(?![0-9a-z])")
_SCATTERED = re.compile(r"(?<!\S)[一-鿿](?: [一-鿿])+(?!\S)")


@dataclass(frozen=True, slots=True)
class Folded:
    """`text`: comparable words with one space between what was apart; `segments`: its parts."""

    text: str
    segments: tuple[str, ...]

    @property
    def tight(self) -> str:
        """The text without spaces."""
        return "".join(self.segments)


@cache
def _simplified() -> dict[int, int]:
    table = (_TABLES / "simplified.txt").read_text(encoding="utf-8").strip()
    return {ord(table[n]): ord(table[n + 1]) for n in range(0, len(table), 2)}


def comparable(text: str) -> str:
    """One width, one case, simplified characters, no invisible ones; at most LIMIT characters."""
    text = unicodedata.normalize("NFKC", text[:LIMIT])[:LIMIT].casefold()[:LIMIT].translate(_simplified())
    if text.isascii():
        return text
    return "".join(char for char in text if unicodedata.category(char) not in _INVISIBLE)


_INVISIBLE = frozenset({"Cf", "Mn", "Me", "Cs", "Co", "Cn"})


class Fold:
    """Folding with a site's synonyms: dialect and spoken words, emoji, fillers."""

    def __init__(self, words: Mapping[str, str], emoji: Mapping[str, str], fillers: Sequence[str]) -> None:
        self._emoji = {comparable(sign): f" {_SIGN}{word} " for sign, word in emoji.items() if comparable(sign)}
        self._emoji_of = _any_of(self._emoji)
        self._words = {comparable(word): plain for word, plain in words.items()}
        self._word_of = _any_of(self._words)
        self._filler_of = _any_of([comparable(filler) for filler in fillers])

    def __call__(self, text: str) -> Folded:
        """Fold one message."""
        plain = _MENTION.sub(" ", _PLACEHOLDER.sub(" ", comparable(text)))
        if self._emoji_of and not plain.isascii():
            plain = self._emoji_of.sub(lambda found: self._emoji[found.group()], plain)
        plain = _LOOSE_SIGN.sub(" ", _BREAK.sub(" ", _BRACKETS.sub("", plain))).strip()
        if " " in plain:
            plain = _SCATTERED.sub(lambda found: found.group().replace(" ", ""), plain)
        if self._word_of:
            plain = self._word_of.sub(lambda found: self._words[found.group()], plain)
        if self._filler_of and len(bare := self._filler_of.sub("", plain)) and bare.strip():
            plain = bare
        segments = _without_repeats(plain.split())
        return Folded(" ".join(segments), segments)


def _any_of(words: Sequence[str] | Mapping[str, str]) -> re.Pattern[str] | None:
    longest_first = sorted(filter(None, words), key=lambda word: (-len(word), word))
    return re.compile("|".join(map(re.escape, longest_first))) if longest_first else None


def _without_repeats(segments: Sequence[str]) -> tuple[str, ...]:
    """「电池🔋怎么扔」 says one thing once: an emoji's word that stands beside itself in writing, or beside
    so much else that it only adorns it, is dropped."""
    kept: list[str] = []
    size = sum(len(segment) for segment in segments if _SIGN not in segment)
    for n, segment in enumerate(segments):
        word = segment.removeprefix(_SIGN)
        if word != segment:
            if size > _ADORNED:
                continue
            written = [other for other in (*kept, *segments[n + 1 :]) if word in other and _SIGN not in other]
            if written or word in kept:
                continue
        kept.append(word)
    return tuple(kept)
