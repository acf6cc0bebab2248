"""The dictionary of things: names, aliases and ambiguous words, found exactly, by sound and by likeness."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from bot.kb.entries import Choice, Item
from bot.matching import likeness
from bot.matching.fold import comparable
from bot.matching.pinyin import sounds, spelled
from bot.matching.plain import Plain, numbers, unpacked

LONGEST = 14
"""No name is looked up beyond this many characters."""

_NONE = -1
_LATIN = re.compile(r"[a-z]{4,}(?: [a-z]{2,6})*")
_UNWRITTEN = str.maketrans("", "", " ()·")
_ALIKE_IN_SOUND = 6
"""Words kept for one sound."""
_POSTINGS = 200
"""Words looked at for one pair of syllables."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word of the dictionary and what it names: an item, an ambiguous word, or both."""

    text: str
    item: Item | None = None
    choice: Choice | None = None


def compile_words(
    items: Sequence[Item], choices: Sequence[Choice], folded: Callable[[str], str] | None = None
) -> Plain:
    """Every way a thing is called, as plain data; items and choices by their place in the sequences.

    `folded`: how a message is folded: a name may become another (「面盆」 「脸盆」), never an ambiguous word."""
    words: dict[str, tuple[int, int]] = {}
    ambiguous = {key_of(name) for choice in choices for name in (choice.word, *choice.also)}
    for key in filter(None, (key_of, folded)):
        for n, item in enumerate(items):
            for name in item.words:
                if key is key_of or key(name) not in ambiguous:
                    words.setdefault(key(name), (n, _NONE))
    for n, choice in enumerate(choices):
        default = words.get(key_of(choice.word), (_NONE, _NONE))[0]
        for name in (choice.word, *choice.also):
            own = words.get(key_of(name), (_NONE, _NONE))[0]
            if own == _NONE or name == choice.word:
                words[key_of(name)] = (own if own != _NONE else default, n)
    names = list(words)
    lengths: defaultdict[str, set[int]] = defaultdict(set)
    for name in names:
        if 2 <= len(name) <= LONGEST:
            lengths[name[:2]].add(len(name))
    by_sound: defaultdict[str, list[int]] = defaultdict(list)
    by_syllables: defaultdict[str, list[int]] = defaultdict(list)
    for n, name in enumerate(names):
        if not 2 <= len(name) <= 8:
            continue
        sound = sounds(name)
        by_sound[" ".join(sound)].append(n)
        if len(name) >= 3:
            for a, b in pairwise(sound):
                by_syllables[f"{len(name)} {a} {b}"].append(n)
    return {
        "names": names,
        "values": [words[name] for name in names],
        "lengths": {start: bytes(sorted(found)) for start, found in lengths.items()},
        "by_sound": {sound: found[:_ALIKE_IN_SOUND] for sound, found in by_sound.items()},
        "by_syllables": {pair: numbers(found[:_POSTINGS]) for pair, found in by_syllables.items()},
    }


class Lexicon:
    """Every way a thing of the knowledge is called."""

    def __init__(self, plain: Plain, item: Callable[[int], Item], choices: Sequence[Choice]) -> None:
        """`item` gives the item at a place."""
        self._names: list[str] = plain["names"]
        self._values: dict[str, tuple[int, int]] = dict(zip(plain["names"], plain["values"], strict=True))
        self._lengths: dict[str, bytes] = plain["lengths"]
        self._by_sound: dict[str, list[int]] = plain["by_sound"]
        self._by_syllables: dict[str, bytes] = plain["by_syllables"]
        self._item = item
        self._choices = choices

    def get(self, name: str) -> Word | None:
        """The word of this folded name, if there is one."""
        found = self._values.get(name)
        if found is None:
            return None
        item, choice = found
        return Word(
            name,
            self._item(item) if item != _NONE else None,
            self._choices[choice] if choice != _NONE else None,
        )

    def starts(self, text: str) -> list[list[int]]:
        """For each place of the text, the ends of the words that begin there. Single characters are no words inside
        a text: they name a thing only by themselves."""
        words, lengths, size = self._values, self._lengths, len(text)
        found: list[list[int]] = []
        for start in range(size):
            own = lengths.get(text[start : start + 2], b"")
            ends = [start + length for length in own if text[start : start + length] in words] if own else []
            found.append([end for end in ends if end <= size])
        return found

    def _at(self, name: str) -> Word:
        word = self.get(name)
        assert word is not None
        return word

    def sounding(self, text: str) -> Word | None:
        """The word that sounds the same as the whole text, if any; of several the one that shares most characters."""
        found = self._by_sound.get(" ".join(sounds(text))) if len(text) >= 2 else None
        if not found:
            return None
        typed = set(text)
        return self._at(max((self._names[n] for n in found), key=lambda name: len(typed & set(name))))

    def heard(self, text: str) -> str:
        """The text with typed pinyin (`dianchi怎么扔`) replaced by the words of the dictionary it spells."""
        return _LATIN.sub(self._spelled_out, text) if _LATIN.search(text) else text

    def _spelled_out(self, typed: re.Match[str]) -> str:
        if typed.group() in self._values:
            return typed.group()
        sound = spelled(typed.group())
        found = self._by_sound.get(" ".join(sound)) if sound and len(sound) >= 2 else None
        return self._names[found[0]] if found else typed.group()

    def alike(self, text: str) -> tuple[Word, float] | None:
        """The word most like the text, one slip of ear or finger away, with its likeness (0 to 1), if any."""
        if not 3 <= len(text) <= 8:
            return None
        sound = sounds(text)
        near: dict[int, int] = {}
        for length in (len(text), len(text) - 1, len(text) + 1):
            for a, b in pairwise(sound):
                for n in unpacked(self._by_syllables.get(f"{length} {a} {b}", b"")):
                    near[n] = near.get(n, 0) + 1
        nearest = sorted(near, key=lambda n: (-near[n], n))[: likeness.MOST]
        best = [n for n in nearest if _half_shared(text, self._names[n])]
        names = {self._names[n]: " ".join(sounds(self._names[n])) for n in best}
        found = likeness.closest(" ".join(sound), names)
        return (self._at(found[0]), found[1]) if found else None


def _half_shared(text: str, name: str) -> bool:
    """A slip leaves at least half of the characters as they were."""
    return 2 * len(set(text) & set(name)) >= len(set(name))


def key_of(name: str) -> str:
    """A name as it is looked up."""
    return comparable(name).translate(_UNWRITTEN)
