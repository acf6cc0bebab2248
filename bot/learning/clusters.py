"""Which unanswered questions ask the same."""

from __future__ import annotations

from collections.abc import Sequence

from bot.matching import likeness
from bot.matching.fold import Folded
from bot.matching.index import Index
from bot.matching.parse import Noun, parse
from bot.matching.pinyin import sounds

ALIKE = 0.8
"""Likeness from which two questions are about the same."""


def things_in(folded: Folded, index: Index) -> tuple[str, ...]:
    """The things a folded message names: those the knowledge does not hold where there are any; else all of them."""
    nouns = parse(folded.segments, index.lexicon).nouns
    return _unknown(nouns) or tuple(noun.text for noun in nouns)


def _unknown(nouns: Sequence[Noun]) -> tuple[str, ...]:
    return tuple(noun.text for noun in nouns if not (noun.word and noun.exact))


def core_of(folded: Folded, index: Index) -> str:
    """What a folded question is about: the things it asks the bin of, which the knowledge does not hold (a known one
    would have been answered: then something else is asked); else its words without those that ask."""
    parsed = parse(folded.segments, index.lexicon)
    if (parsed.asks_bin or parsed.bare) and (unknown := _unknown(parsed.nouns)):
        return "+".join(sorted(unknown))
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
    """The likeness of what two questions are about (0 to 1): of longer ones also in another order, or the one within
    the other. A noun's head stands last, so what ends otherwise is something else, however alike the rest."""
    if sounds(core) == sounds(other):
        return 1.0
    same_end = sounds(core[-1:]) == sounds(other[-1:])
    written = likeness.of(core, other) if same_end else 0.0
    if min(len(core), len(other)) < _SAYS_ENOUGH:
        return written
    contained = likeness.within(core, other) * _WITHIN if same_end else 0.0
    return max(written, contained, likeness.in_any_order(core, other) * _REORDERED)


_SAYS_ENOUGH = 5
"""Characters from which a question says enough to be known in another order: 蜂蜜 is not 蜜蜂."""
_WITHIN, _REORDERED = 0.9, 0.9
"""What one within the other, and one in another order than the other, is worth against both being written alike."""
