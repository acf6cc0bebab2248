"""The same facts in two entries: one of them will be forgotten when the facts change."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from bot.kb.lint.base import Finding, Linting

NEAR = 0.7
"""Share of pairs of characters that two answers have in common, from which they tell the same."""
_TELLING = 6
"""Two answers are compared where they share one of so many of their rarest pairs of characters."""


@dataclass(frozen=True, slots=True)
class _Answer:
    name: str
    folded: str
    pairs: frozenset[str]
    file: str
    at: tuple[str | int, ...]


def check_facts(linting: Linting) -> Iterator[Finding]:
    """Answers that are the same, or nearly."""
    answers = [
        _answer(f"{slug}/{entry.id}", linting.fold(entry.answer), file, ("entries", n, "answer"))
        for file, n, slug, entry in linting.entries()
        if entry.answer
    ]
    spread = Counter(pair for answer in answers for pair in answer.pairs)
    by_pair: defaultdict[str, list[_Answer]] = defaultdict(list)
    mend = "keep one entry, with the phrases of both"
    for answer in answers:
        telling = sorted(answer.pairs, key=lambda pair: (spread[pair], pair))[:_TELLING]
        before = {id(other): other for pair in telling for other in by_pair[pair]}.values()
        nearest = max(before, key=lambda other: _likeness(answer, other), default=None)
        if nearest and nearest.folded == answer.folded:
            what = f"'{answer.name}' has the same answer as {nearest.name}"
            yield linting.finding("same-answer", answer.file, answer.at, what, mend, blocks=True)
        elif nearest and (share := _likeness(answer, nearest)) >= NEAR:
            what = f"'{answer.name}' tells nearly the same as {nearest.name} ({share:.0%} alike)"
            yield linting.finding("near-answer", answer.file, answer.at, what, mend)
        for pair in telling:
            by_pair[pair].append(answer)


def _answer(name: str, folded: str, file: str, at: tuple[str | int, ...]) -> _Answer:
    return _Answer(name, folded, frozenset(folded[n : n + 2] for n in range(len(folded) - 1)), file, at)


def _likeness(one: _Answer, other: _Answer) -> float:
    return 2 * len(one.pairs & other.pairs) / (len(one.pairs) + len(other.pairs))
