"""Which topic a question is about, or whether it is chatter: every n-gram votes, with weights learned from phrases.

A passive-aggressive classifier (Crammer and others, 2006), averaged over its steps; learned when the knowledge is
compiled, with numpy, which nothing needs afterwards.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.matching.plain import Plain, numbers, unpacked, unpacked_weights, weights

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]

CHATTER = ""
"""The class of lines that are no question to us."""

_ROUNDS = 3
_LARGEST_STEP = 2.0
_SEED = 20261125
_LEAST_WEIGHT = 0.02
"""Smaller weights are not kept."""


def compile_votes(asked: Mapping[str, Sequence[str]], chatter: Iterable[str]) -> Plain:
    """`asked`: topic → its folded phrases; `chatter`: folded lines. The weights, as plain data."""
    topics = [*sorted(asked), CHATTER]
    number: dict[str, int] = {}
    lines = [(text, n) for n, topic in enumerate(topics) for text in (asked[topic] if topic else chatter)]
    rows = [([number.setdefault(gram, len(number)) for gram in _grams(text)], n) for text, n in lines if text]
    learned = _learned([row for row in rows if row[0]], len(number), len(topics))
    found = {}
    for gram, n in number.items():
        own = [(topic, float(weight)) for topic, weight in enumerate(learned[n]) if abs(weight) >= _LEAST_WEIGHT]
        if own:
            found[gram] = (numbers(topic for topic, _ in own), weights(weight for _, weight in own))
    return {"topics": topics, "grams": found}


def _learned(rows: list[tuple[list[int], int]], grams: int, topics: int) -> Matrix:
    import numpy as np

    now = np.zeros((grams, topics), np.float32)
    past = np.zeros_like(now)
    examples = [(np.array(own), topic) for own, topic in rows]
    shuffle = random.Random(_SEED).shuffle
    step = 1
    for _ in range(_ROUNDS):
        shuffle(examples)
        for own, topic in examples:
            share = 1 / math.sqrt(len(own))
            scores: Any = now[own].sum(0) * share
            right = scores[topic]
            scores[topic] = -math.inf
            rival = int(scores.argmax())
            loss = 1 - right + scores[rival]
            if loss > 0:
                move = min(_LARGEST_STEP, float(loss) / 2) * share
                now[own, topic] += move
                now[own, rival] -= move
                past[own, topic] += step * move
                past[own, rival] -= step * move
            step += 1
    averaged: Matrix = now - past / np.float32(step)
    return averaged


@dataclass(frozen=True, slots=True)
class Tally:
    """The votes on one text: about 1 and more where a topic is meant, below 0 where it is not. `first` is the likeliest
    topic with its score `most`, `runner_up` the score of the next; `chatter` that of no question to us."""

    scores: Mapping[str, float]
    first: str = ""
    most: float = 0.0
    runner_up: float = 0.0
    chatter: float = 0.0


NOBODY = Tally({})
"""No n-gram is known."""


class Votes:
    """The votes of n-grams for topics."""

    def __init__(self, plain: Plain) -> None:
        self._topics: list[str] = plain["topics"]
        self._grams: dict[str, tuple[bytes, bytes]] = plain["grams"]
        self._used: dict[str, list[tuple[int, float]]] = {}

    def __call__(self, text: str) -> Tally:
        """The votes on a folded text without spaces."""
        grams = _grams(text)
        known = [votes for gram in grams if (votes := self._used.get(gram) or self._votes(gram))]
        if not known:
            return NOBODY
        totals = [0.0] * len(self._topics)
        for votes in known:
            for topic, weight in votes:
                totals[topic] += weight
        share = 1 / math.sqrt(len(grams))
        scores = {topic: total * share for topic, total in zip(self._topics, totals, strict=True)}
        chatter = scores.pop(CHATTER)
        first = max(scores, key=scores.__getitem__, default="")
        most = scores.get(first, 0.0)
        runner_up = max((score for topic, score in scores.items() if topic != first), default=0.0)
        return Tally(scores, first, most, runner_up, chatter)

    def _votes(self, gram: str) -> list[tuple[int, float]]:
        """The votes of one n-gram; kept unpacked: few are ever used."""
        packed = self._grams.get(gram)
        if packed is None:
            return []
        votes = list(zip(unpacked(packed[0]), unpacked_weights(packed[1]), strict=True))
        self._used[gram] = votes
        return votes


def _grams(text: str) -> dict[str, None]:
    """Single characters, pairs and threes, each once."""
    size = len(text)
    return dict.fromkeys(text[n : n + length] for length in (1, 2, 3) for n in range(size - length + 1))
