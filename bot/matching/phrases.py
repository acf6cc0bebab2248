"""Which entry a question asks for: rare character n-grams shared with its ways of asking, then likeness to the best of them."""

from __future__ import annotations

import heapq
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bot.matching import likeness

_WEIGHT = (0.0, 0.55, 1.0, 0.9)
"""Weight of an n-gram by its length."""
_UNSEEN = 6.0
"""Rarity of an n-gram that no entry holds."""
_SHORT_LIST = 12
_LIKENESS = 1.0


@dataclass(frozen=True, slots=True)
class Hit:
    """An entry, its way of asking that is most like the question, and a score (about 0 to 2: shared rarity + likeness)."""

    entry: str
    phrase: str
    score: float
    likeness: float


class Phrases:
    """An index of entries by their ways of asking."""

    def __init__(self, entries: Mapping[str, Sequence[str]]) -> None:
        """`entries`: name of an entry → its folded phrases."""
        self._names = sorted(entries)
        self._phrases = [tuple(dict.fromkeys(entries[name])) for name in self._names]
        counts = [_counted(phrases) for phrases in self._phrases]
        spread: Counter[str] = Counter()
        for own in counts:
            spread.update(own.keys())
        total = len(counts) + 1
        self._rarity = {gram: math.log(total / (seen + 0.5)) * _WEIGHT[len(gram)] for gram, seen in spread.items()}
        postings: defaultdict[str, list[tuple[int, float]]] = defaultdict(list)
        for n, own in enumerate(counts):
            size = len(self._phrases[n]) or 1
            vector = {gram: self._rarity[gram] * math.sqrt(seen / size) for gram, seen in own.items()}
            norm = math.sqrt(_length(vector.values())) or 1.0
            for gram, weight in vector.items():
                postings[gram].append((n, weight / norm))
        self._postings = dict(postings)

    def rank(self, text: str, limit: int = 5) -> list[Hit]:
        """The entries most like the folded text (without spaces), best first; ties by entry."""
        query = {gram: self._rarity.get(gram, _UNSEEN * _WEIGHT[len(gram)]) for gram in _grams(text)}
        norm = _length(query.values()) or 1.0
        shared: dict[int, float] = {}
        for gram, weight in query.items():
            for n, own in self._postings.get(gram, ()):
                shared[n] = shared.get(n, 0.0) + weight * own
        best = heapq.nsmallest(_SHORT_LIST, shared, key=lambda n: (-shared[n], n))
        hits = [self._hit(text, n, shared[n] / norm) for n in best]
        return sorted(hits, key=lambda hit: (-hit.score, hit.entry))[:limit]

    def _hit(self, text: str, n: int, shared: float) -> Hit:
        phrase, alike = likeness.best(text, self._phrases[n])
        return Hit(self._names[n], phrase, shared + _LIKENESS * alike, alike)


def _counted(phrases: Iterable[str]) -> Counter[str]:
    counted: Counter[str] = Counter()
    for phrase in phrases:
        counted.update(_grams(phrase))
    return counted


def _grams(text: str) -> set[str]:
    return set(text) | {text[n : n + 2] for n in range(len(text) - 1)} | {text[n : n + 3] for n in range(len(text) - 2)}


def _length(weights: Iterable[float]) -> float:
    return math.sqrt(sum(weight * weight for weight in weights))
