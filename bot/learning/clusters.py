"""Which unanswered questions ask the same."""

from __future__ import annotations

from collections.abc import Sequence

from bot.matching import likeness
from bot.matching.fold import Folded
from bot.matching.index import Index
from bot.matching.parse import parse
from bot.matching.pinyin import sounds

ALIKE = 0.8
"""Likeness from which two questions are about the same."""
_SHORTEST_BY_SOUND = 2


def things_in(folded: Folded, index: Index) -> tuple[str, ...]:
    """The things a folded message names: those the knowledge does not hold where there are any; else all of them."""
    nouns = parse(folded.segments, index.lexicon).nouns
    unknown = [noun.text for noun in nouns if not (noun.word and noun.exact)]
    return tuple(unknown or [noun.text for noun in nouns])


def core_of(folded: Folded, index: Index) -> str:
    """What a folded question is about: the thing whose bin is asked for, else its words without those that ask."""
    parsed = parse(folded.segments, index.lexicon)
    if parsed.asks_bin or parsed.bare:
        if things := things_in(folded, index):
            return "+".join(sorted(things))
    told = "".join(text for kind, text, _ in parsed.pieces if kind != "function")
    return told or folded.tight


def joins(core: str, others: Sequence[str]) -> int | None:
    """The place of the question that asks the same as one about `core`: the most alike, the first of equals; or None.

    What is written otherwise but sounds alike is the same (猫砂盆, 猫沙盆).
    """
    alike = [_likeness(core, other) for other in others]
    best = max(alike, default=0.0)
    return alike.index(best) if best >= ALIKE else None


def _likeness(core: str, other: str) -> float:
    if len(core) == len(other) >= _SHORTEST_BY_SOUND and sounds(core) == sounds(other):
        return 1.0
    return likeness.about_the_same(core, other)
