"""The bin of a thing that the knowledge does not hold, from things named alike.

A naive Bayes classifier over the characters of all known names, its end weighing most, since Chinese puts the head of a
noun last; rules of inference.yaml count as evidence. Inference may point to hazardous, never away from it.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bot.kb.entries import Inference
from bot.matching import likeness

_WEIGHT = {"end1": 1.5, "end2": 1.5, "end3": 1.0, "start1": 0.5, "start2": 0.7, "char": 0.4, "pair": 0.6}
_SMOOTHING = 0.9
_SHARPNESS = 2.0
_RULE_WEIGHT = 2.5
_NEAR = 0.66
"""Likeness from which a known thing is a near neighbour."""


@dataclass(frozen=True, slots=True)
class Guess:
    """A bin inferred, how likely it is right (0 to 1), and the known things it was inferred from."""

    category: str
    score: float
    near: tuple[str, ...]


class Inferrer:
    """Learned from the names of known things when the knowledge is loaded."""

    def __init__(self, known: Mapping[str, str], rules: Inference) -> None:
        """`known`: folded name → category."""
        self._known = known
        self._rules = rules
        self._counts: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        self._prior: Counter[str] = Counter(known.values())
        self._by_pair: defaultdict[str, list[str]] = defaultdict(list)
        for name, category in known.items():
            for feature in _features(name):
                self._counts[feature][category] += 1
            for pair in _pairs(name):
                self._by_pair[pair].append(name)
        total = sum(self._prior.values()) or 1
        self._share = {category: count / total for category, count in self._prior.items()}

    def __call__(self, text: str) -> Guess | None:
        """The most likely bin of the thing called `text` (folded), or None where nothing speaks for any."""
        if len(text) < 2 or not self._share:
            return None
        near = self._neighbours(text)
        ranked = self._ranked(text)
        category, score = ranked[0]
        hazard = self._hazard_near(text, near)
        if hazard and category != "hazardous":
            likely = dict(ranked).get("hazardous", 0.0)
            return Guess("hazardous", max(likely, 0.5), near) if likely >= 0.15 or self._hazard_word(text) else None
        return Guess(category, score, near)

    def _ranked(self, text: str) -> list[tuple[str, float]]:
        votes = {category: math.log(share) for category, share in self._share.items()}
        for feature in _features(text):
            seen = self._counts.get(feature)
            if not seen:
                continue
            total = seen.total() + _SMOOTHING
            weight = _WEIGHT[feature[0]]
            for category, share in self._share.items():
                likely = (seen[category] + _SMOOTHING * share) / total
                votes[category] += weight * math.log(likely / share)
        ruled = self._ruled(text)
        if ruled:
            votes[ruled] = votes.get(ruled, math.log(0.01)) + _RULE_WEIGHT
        best = max(votes.values())
        weights = {category: math.exp((vote - best) / _SHARPNESS) for category, vote in votes.items()}
        total = sum(weights.values())
        return sorted(((category, weight / total) for category, weight in weights.items()), key=lambda hit: (-hit[1], hit[0]))

    def _ruled(self, text: str) -> str | None:
        """What the rules say: the longest fitting head or material, the material where both are as long."""
        fitting: list[tuple[int, int, str]] = []
        for head in self._rules.heads:
            if not any(word in text for word in head.unless):
                fitting += [(len(end), 0, head.category) for end in head.ends if text.endswith(end) and text != end]
        for material in self._rules.materials:
            if not any(word in text for word in material.unless):
                fitting += [(len(word), 1, material.category) for word in material.starts if text.startswith(word)]
                fitting += [(len(word), 1, material.category) for word in material.contains if word in text]
        return max(fitting, key=lambda hit: hit[:2])[2] if fitting else None

    def _hazard_word(self, text: str) -> bool:
        if any(word in text for word in self._rules.hazard_except):
            return False
        return any(word in text for word in self._rules.hazard)

    def _hazard_near(self, text: str, near: Iterable[str]) -> bool:
        return self._hazard_word(text) or any(self._known[name] == "hazardous" for name in near)

    def _neighbours(self, text: str) -> tuple[str, ...]:
        shared: Counter[str] = Counter()
        for pair in _pairs(text):
            for name in self._by_pair.get(pair, ())[:300]:
                shared[name] += 1
        most = sorted(shared, key=lambda name: (-shared[name], abs(len(name) - len(text)), name))[: likeness.MOST]
        return likeness.near(text, most, _NEAR)


def _features(name: str) -> list[tuple[str, str]]:
    size = len(name)
    found = [("end1", name[-1]), ("start1", name[0])]
    if size >= 2:
        found.append(("end2", name[-2:]))
    if size >= 3:
        found += [("end3", name[-3:]), ("start2", name[:2])]
    found += [("char", char) for char in set(name)]
    found += [("pair", pair) for pair in _pairs(name)]
    return found


def _pairs(name: str) -> list[str]:
    return [name[n : n + 2] for n in range(len(name) - 1)]
