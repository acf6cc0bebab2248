"""Which topic a question is about, or whether it is chatter: every n-gram votes, with weights learned from phrases.

A passive-aggressive classifier (Crammer and others, 2006), averaged over its steps; learned when the knowledge is
compiled.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.matching.plain import Plain

Matrix = NDArray[np.float32]

CHATTER = ""
"""The class of lines that are no question to us."""

_ROUNDS = 3
_LARGEST_STEP = 2.0
_SEED = 20261125
_LEAST_SEEN = 2
"""An n-gram of one line only says nothing of others."""
_LEAST_WEIGHT = 0.02
"""N-grams with smaller weights only are not kept."""


def compile_votes(asked: Mapping[str, Sequence[str]], chatter: Iterable[str]) -> Plain:
    """`asked`: topic → its folded phrases; `chatter`: folded lines. The weights, as plain data."""
    topics = [*sorted(asked), CHATTER]
    lines = [(_grams(text), n) for n, topic in enumerate(topics) for text in (asked[topic] if topic else chatter)]
    seen = Counter(gram for grams, _ in lines for gram in grams)
    common = [gram for gram, count in seen.items() if count >= _LEAST_SEEN]
    number = {gram: n for n, gram in enumerate(common)}
    rows = [([number[gram] for gram in grams if gram in number], n) for grams, n in lines]
    learned = _learned([row for row in rows if row[0]], len(number), len(topics))
    kept = np.abs(learned).max(1) >= _LEAST_WEIGHT
    places = np.cumsum(kept) - 1
    return {
        "topics": topics,
        "grams": {gram: int(places[n]) for gram, n in number.items() if kept[n]},
        "weights": learned[kept].astype(np.float16).tobytes(),
    }


def _learned(rows: list[tuple[list[int], int]], grams: int, topics: int) -> Matrix:
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
        self._topics: list[str] = plain["topics"][:-1]
        self._grams: dict[str, int] = plain["grams"]
        self._weights = np.frombuffer(plain["weights"], np.float16).reshape(-1, len(self._topics) + 1)

    def __call__(self, text: str) -> Tally:
        """The votes on a folded text without spaces."""
        grams = _grams(text)
        known = [self._grams[gram] for gram in grams if gram in self._grams]
        if not known:
            return NOBODY
        *totals, chatter = (self._weights[known].sum(0, np.float32) / math.sqrt(len(grams))).tolist()
        if not totals:
            return Tally({}, chatter=chatter)
        runner_up, most = sorted([0.0, *totals] if len(totals) == 1 else totals)[-2:]
        first = self._topics[totals.index(most)]
        return Tally(dict(zip(self._topics, totals, strict=True)), first, most, runner_up, chatter)


def _grams(text: str) -> dict[str, None]:
    """Single characters, pairs and threes, each once."""
    size = len(text)
    return dict.fromkeys(text[n : n + length] for length in (1, 2, 3) for n in range(size - length + 1))
