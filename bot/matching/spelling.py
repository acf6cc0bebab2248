"""What was meant where something else was typed: pinyin instead of characters, and characters that sound or look alike.

The likeliest spelling by the pairs of characters that the knowledge uses, searched over the characters of each sound.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path

from bot.matching.pinyin import sounds, spelled
from bot.matching.plain import Plain

_LOOKALIKES = Path(__file__).parent / "tables" / "lookalikes.txt"
_LATIN = re.compile(r"[a-z]+(?: [a-z]+)*")
_LEAST_SYLLABLES = 3
"""Fewer typed syllables are left to the dictionary of things."""
_COMMONEST = 8
"""Characters looked at for one sound."""
_MOST_ODD = 4
"""Unknown pairs above which a text is not a slip but about something else."""
_SUBSTITUTED = 3.0
"""What it costs to read another character than the one typed."""
_UNSEEN = -3.0
"""What a pair that the knowledge never uses speaks against a spelling."""
_LEAST_KNOWN = 0.6
"""The share of pairs that must be known for typed pinyin to be taken for Chinese."""
_EDGE = "^"


def compile_spelling(texts: Iterable[str]) -> Plain:
    """`texts`: folded phrases and names. Pairs of characters with their weight, and the characters of each sound."""
    pairs: Counter[str] = Counter()
    chars: Counter[str] = Counter()
    for text in texts:
        pairs.update(a + b for a, b in pairwise(_EDGE + text))
        chars.update(text)
    by_sound: defaultdict[str, list[str]] = defaultdict(list)
    for char, _ in sorted(chars.items(), key=lambda one: (-one[1], one[0])):
        (sound,) = sounds(char)
        if sound != char and len(by_sound[sound]) < _COMMONEST:
            by_sound[sound].append(char)
    return {
        "pairs": {pair: round(math.log1p(seen), 2) for pair, seen in pairs.items()},
        "by_sound": {sound: "".join(found) for sound, found in by_sound.items()},
    }


@cache
def _lookalikes() -> dict[str, str]:
    """A character → those it is taken for, by hand or eye."""
    alike: defaultdict[str, str] = defaultdict(str)
    for line in _LOOKALIKES.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            for char in line:
                alike[char] += line.replace(char, "")
    return {char: "".join(dict.fromkeys(others)) for char, others in alike.items()}


class Spelling:
    """The spellings of the knowledge."""

    def __init__(self, plain: Plain) -> None:
        self._pairs: dict[str, float] = plain["pairs"]
        self._by_sound: dict[str, str] = plain["by_sound"]

    def read(self, text: str, named: Callable[[str], object]) -> str:
        """A folded text with runs of typed pinyin («laji fang jidian guanmen») turned into the characters meant; the
        name of a thing (`named`) stays."""
        return _LATIN.sub(lambda typed: self._read_run(typed.group(), named), text)

    def _read_run(self, typed: str, named: Callable[[str], object]) -> str:
        syllables = spelled(typed)
        if syllables is None or len(syllables) < _LEAST_SYLLABLES or any(map(named, typed.split())):
            return typed
        choices = [[(char, 0.0) for char in self._by_sound.get(syllable, "")] for syllable in syllables]
        if not all(choices):
            return typed
        found = self._best(choices)
        known = sum(a + b in self._pairs for a, b in pairwise(found))
        return found if known >= _LEAST_KNOWN * (len(found) - 1) else typed

    def mended(self, text: str) -> str:
        """A folded text with characters replaced by others that sound or look alike, or dropped where they stand twice,
        where the knowledge never uses what was typed: 「电持回收箱」 「电池回收箱」."""
        return " ".join(self._mend(self._once(segment)) for segment in text.split(" "))

    def _once(self, segment: str) -> str:
        """The segment with a character typed twice standing once, where the knowledge never doubles it."""
        kept = [char for n, char in enumerate(segment) if char != segment[n - 1 : n] or char + char in self._pairs]
        return "".join(kept)

    def _mend(self, segment: str) -> str:
        odd = [pair not in self._pairs for pair in map("".join, pairwise(segment))]
        if not 0 < sum(odd) <= _MOST_ODD:
            return segment
        choices = []
        for n, (char, sound) in enumerate(zip(segment, sounds(segment), strict=True)):
            doubtful = (n > 0 and odd[n - 1]) or (n < len(odd) and odd[n])
            others = self._by_sound.get(sound, "") + _lookalikes().get(char, "") if doubtful else ""
            choices.append([(char, 0.0), *((other, _SUBSTITUTED) for other in others if other != char)])
        best = self._best(choices)
        return best if all(pair in self._pairs for pair in map("".join, pairwise(best))) else segment

    def _best(self, choices: Sequence[Sequence[tuple[str, float]]]) -> str:
        """One character of each place, so that the pairs are the likeliest; of ties the first."""
        pairs = self._pairs
        ends: dict[str, tuple[float, str]] = {_EDGE: (0.0, "")}
        for place in choices:
            then: dict[str, tuple[float, str]] = {}
            for char, cost in place:
                most, before = -math.inf, ""
                for last, (score, spelling) in ends.items():
                    together = score + pairs.get(last + char, _UNSEEN)
                    if together > most:
                        most, before = together, spelling
                then[char] = (most - cost, before + char)
            ends = then
        return max(ends.values(), key=lambda end: end[0])[1]
