"""The dictionary of things: names, aliases and ambiguous words, found exactly, by sound and by likeness."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from bot.kb.entries import Choice, Item
from bot.matching import likeness
from bot.matching.fold import comparable
from bot.matching.pinyin import sounds, spelled

LONGEST = 14
"""No name is looked up beyond this many characters."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word of the dictionary and what it names: an item, an ambiguous word, or both."""

    text: str
    item: Item | None = None
    choice: Choice | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """A word found at text[start:end]."""

    start: int
    end: int
    word: Word


class Lexicon:
    """Every way a thing of the knowledge is called."""

    def __init__(self, items: Iterable[Item], choices: Iterable[Choice]) -> None:
        self.words: dict[str, Word] = {}
        for item in items:
            for name in item.words:
                self.words.setdefault(_key(name), Word(_key(name), item))
        for choice in choices:
            for name in (choice.word, *choice.also):
                known = self.words.get(_key(name))
                if known is None or known.item is None or name == choice.word:
                    self.words[_key(name)] = Word(_key(name), known.item if known else None, choice)
        self._by_sound: dict[tuple[str, ...], str] = {}
        self._by_syllable: defaultdict[tuple[int, str, str], list[str]] = defaultdict(list)
        for text in self.words:
            self._add_sound(text)

    def _add_sound(self, text: str) -> None:
        if not 2 <= len(text) <= 8:
            return
        sound = sounds(text)
        self._by_sound.setdefault(sound, text)
        if len(text) >= 3:
            for a, b in zip(sound, sound[1:], strict=False):
                self._by_syllable[(len(text), a, b)].append(text)

    def spans(self, text: str) -> list[Span]:
        """Words found in the text, longest first served, none overlapping, in order. Single characters are not
        looked for inside a text: they name a thing only by themselves."""
        found: list[tuple[int, int]] = []
        words = self.words
        size = len(text)
        for start in range(size - 1):
            for end in range(min(size, start + LONGEST), start + 1, -1):
                if text[start:end] in words:
                    found.append((start, end))
        if size == 1 and text in words:
            found.append((0, 1))
        found.sort(key=lambda span: (span[0] - span[1], -span[0]))
        kept: list[tuple[int, int]] = []
        for start, end in found:
            if all(end <= other_start or other_end <= start for other_start, other_end in kept):
                kept.append((start, end))
        return [Span(start, end, words[text[start:end]]) for start, end in sorted(kept)]

    def sounding(self, text: str) -> Word | None:
        """The word that sounds the same as the whole text (characters or typed pinyin), if any."""
        sound = (spelled(text) if text.isascii() else sounds(text)) if len(text) >= 2 else None
        if not sound or len(sound) < 2:
            return None
        name = self._by_sound.get(sound)
        return self.words[name] if name else None

    def alike(self, text: str) -> tuple[Word, float] | None:
        """The word most like the text, one slip of ear or finger away, with its likeness (0 to 1), if any."""
        if not 3 <= len(text) <= 8:
            return None
        sound = sounds(text)
        near: dict[str, int] = {}
        for length in (len(text), len(text) - 1, len(text) + 1):
            for a, b in zip(sound, sound[1:], strict=False):
                for name in self._by_syllable.get((length, a, b), ())[:200]:
                    near[name] = near.get(name, 0) + 1
        best = sorted(near, key=lambda name: (-near[name], name))[: likeness.MOST]
        found = likeness.closest(" ".join(sound), {name: " ".join(sounds(name)) for name in best})
        return (self.words[found[0]], found[1]) if found else None


def _key(name: str) -> str:
    return comparable(name).replace(" ", "")


