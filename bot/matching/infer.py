"""The bin of a thing that the knowledge does not hold, from things named alike.

A naive Bayes classifier over the characters of all known names, its end weighing most, since Chinese puts the head of a
noun last; rules of inference.yaml count as evidence. Inference may point to hazardous, never away from it.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bot.kb.entries import Inference
from bot.matching import likeness
from bot.matching.plain import Plain, any_of, numbers, unpacked

_WEIGHT = {"1": 1.5, "2": 1.5, "3": 1.0, "a": 0.5, "b": 0.7, "c": 0.4, "p": 0.6}
"""Weight of a feature by its first letter: the last one, two, three characters; the first, first two; any; pairs."""
_SMOOTHING = 0.9
_SHARPNESS = 2.0
_RULE_WEIGHT = 2.5
_NEAR = 0.66
"""Likeness from which a known thing is a near neighbour."""
_POSTINGS = 120


@dataclass(frozen=True, slots=True)
class Guess:
    """A bin inferred, how likely it is right (0 to 1), and the known things it was inferred from."""

    category: str
    score: float
    near: tuple[str, ...]


def compile_names(known: Mapping[str, str]) -> Plain:
    """`known`: folded name → category. Counts of features by category, and names by pairs of characters."""
    categories = sorted(set(known.values()))
    number = {category: n for n, category in enumerate(categories)}
    counts: dict[str, list[int]] = {}
    by_pair: defaultdict[str, list[int]] = defaultdict(list)
    names = list(known)
    for n, name in enumerate(names):
        own = number[known[name]]
        for feature in _features(name):
            counts.setdefault(feature, [0] * len(categories))[own] += 1
        for pair in _pairs(name):
            by_pair[pair].append(n)
    kept = [feature for feature, seen in counts.items() if sum(seen) > 1 or feature[0] in "12"]
    return {
        "categories": categories,
        "totals": [Counter(known.values())[category] for category in categories],
        "features": {feature: n for n, feature in enumerate(kept)},
        "counts": numbers(count for feature in kept for count in counts[feature]),
        "names": names,
        "own": bytes(number[known[name]] for name in names),
        "by_pair": {pair: numbers(found[:_POSTINGS]) for pair, found in by_pair.items()},
    }


class Inferrer:
    """Learned from the names of known things when the knowledge is loaded."""

    def __init__(self, plain: Plain, rules: Inference) -> None:
        self._categories: list[str] = plain["categories"]
        self._features: dict[str, int] = plain["features"]
        self._names: list[str] = plain["names"]
        self._own: bytes = plain["own"]
        self._by_pair: dict[str, bytes] = plain["by_pair"]
        shares = np.array(plain["totals"], np.float64) / (sum(plain["totals"]) or 1)
        counts = np.frombuffer(plain["counts"], np.uint32).reshape(-1, max(1, len(shares)))
        self._before = np.log(shares)
        self._votes = _votes(self._features, counts, shares)
        self._heads: defaultdict[str, list[tuple[str, tuple[str, ...]]]] = defaultdict(list)
        for head in rules.heads:
            for end in head.ends:
                self._heads[end].append((head.category, head.unless))
        self._longest_head = max(map(len, self._heads), default=0)
        self._materials = [(material, any_of((*material.starts, *material.contains))) for material in rules.materials]
        self._material = any_of(word for rule in rules.materials for word in (*rule.starts, *rule.contains))
        self._hazard = any_of(rules.hazard)
        self._harmless = any_of(rules.hazard_except)

    def __call__(self, text: str) -> Guess | None:
        """The most likely bin of the thing called `text` (folded), or None where nothing speaks for any."""
        if len(text) < 2 or not self._categories:
            return None
        near = self._neighbours(text)
        ranked = self._ranked(text)
        category, score = ranked[0]
        if category != "hazardous" and (self._hazard_word(text) or self._hazard_near(near)):
            likely = dict(ranked).get("hazardous", 0.0)
            names = tuple(self._names[n] for n in near)
            return Guess("hazardous", max(likely, 0.5), names) if likely >= 0.15 or self._hazard_word(text) else None
        return Guess(category, score, tuple(self._names[n] for n in near))

    def is_noun(self, text: str, tail: str) -> bool:
        """Whether `tail`, ending `text`, is the head of a noun rather than what became of the thing before it."""
        return any(text[-length:] in self._heads for length in range(1, min(self._longest_head, len(tail)) + 1))

    def _ranked(self, text: str) -> list[tuple[str, float]]:
        known = [self._features[feature] for feature in _features(text) if feature in self._features]
        votes = (self._before + self._votes[known].sum(0)).tolist()
        ruled = self._ruled(text)
        if ruled in self._categories:
            votes[self._categories.index(ruled)] += _RULE_WEIGHT
        best = max(votes)
        likely = [math.exp((vote - best) / _SHARPNESS) for vote in votes]
        total = sum(likely)
        ranked = [(category, likely[n] / total) for n, category in enumerate(self._categories)]
        return sorted(ranked, key=lambda hit: (-hit[1], hit[0]))

    def _ruled(self, text: str) -> str:
        """What the rules say: the longest fitting head or material, the material where both are as long; or ""."""
        fitting: list[tuple[int, int, str]] = [(0, 0, "")]
        for length in range(min(self._longest_head, len(text) - 1), 0, -1):
            for category, unless in self._heads.get(text[-length:], ()):
                if not any(word in text for word in unless):
                    fitting.append((length, 0, category))
        for material, words in self._materials if self._material.search(text) else ():
            if words.search(text) and not any(word in text for word in material.unless):
                fitting += [(len(word), 1, material.category) for word in material.starts if text.startswith(word)]
                fitting += [(len(word), 1, material.category) for word in material.contains if word in text]
        return max(fitting, key=lambda hit: hit[:2])[2]

    def _hazard_word(self, text: str) -> bool:
        return self._hazard.search(text) is not None and self._harmless.search(text) is None

    def _hazard_near(self, near: Iterable[int]) -> bool:
        return any(self._categories[self._own[n]] == "hazardous" for n in near)

    def _neighbours(self, text: str) -> Sequence[int]:
        shared: Counter[int] = Counter()
        for pair in _pairs(text):
            shared.update(unpacked(self._by_pair.get(pair, b"")))
        names = self._names
        most = heapq.nsmallest(likeness.MOST, shared, key=lambda n: (-shared[n], abs(len(names[n]) - len(text)), n))
        return [most[n] for n in likeness.near(text, [names[n] for n in most], _NEAR)]


def _votes(features: Iterable[str], counts: NDArray[np.uint32], shares: NDArray[np.float64]) -> NDArray[np.float32]:
    """What each feature says for each category: a row a feature, in their order."""
    weight = np.array([[_WEIGHT[feature[0]]] for feature in features])
    totals = counts.sum(1, keepdims=True) + _SMOOTHING
    votes: NDArray[np.float32] = (weight * np.log((counts / shares + _SMOOTHING) / totals)).astype(np.float32)
    return votes


def _features(name: str) -> list[str]:
    size = len(name)
    found = ["1" + name[-1], "a" + name[0]]
    if size >= 2:
        found.append("2" + name[-2:])
    if size >= 3:
        found += ["3" + name[-3:], "b" + name[:2]]
    found += ["c" + char for char in dict.fromkeys(name)]
    found += ["p" + pair for pair in _pairs(name)]
    return found


def _pairs(name: str) -> list[str]:
    return [a + b for a, b in pairwise(name)]
