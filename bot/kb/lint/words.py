"""Names of things: two that read the same, ones that read as nothing, and words with a meaning too many."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.kb.entries import Item
from bot.kb.lint.base import Finding, Linting

_STATE = re.compile(r"^(?:旧|废旧|废弃|废|坏|破|空|用过的|用完的|过期|过期的)|(?:坏了|破了|旧了)$")
"""What does not make another thing of a thing."""


def check_words(linting: Linting) -> Iterator[Finding]:
    """Items, ambiguous words and synonyms that cannot be told apart, or cannot be asked for."""
    yield from _items(linting)
    yield from _states(linting)
    yield from _choices(linting)
    yield from _synonyms(linting)


def _items(linting: Linting) -> Iterator[Finding]:
    ambiguous = {linting.fold(word): choice for choice in linting.knowledge.choices for word in choice.words}
    seen: dict[str, Item] = {}
    for file, n, item in linting.items():
        for m, word in enumerate(item.words):
            at = ("items", n, "aliases", m - 1) if m else ("items", n, "name")
            folded = linting.fold(word)
            first = seen.setdefault(folded, item)
            if not folded:
                what = f"'{word}' of item '{item.name}' is empty once folded"
                yield linting.finding("empty-word", file, at, what, "write it out, or drop it", blocks=True)
            elif first is not item:
                yield _same_word(linting, file, at, word, item, first)
            choice = ambiguous.get(folded) if m else None
            if choice and item.name not in {option.item for option in choice.options}:
                what = f"alias '{word}' of item '{item.name}' is the ambiguous word '{choice.word}'"
                mend = "drop the alias, make the item a case of the word, or drop the word in choices.yaml"
                yield linting.finding("ambiguous-alias", file, at, what, mend)


def _same_word(
    linting: Linting, file: str, at: tuple[str | int, ...], word: str, item: Item, first: Item
) -> Finding:
    what = f"'{word}' of item '{item.name}' reads the same as a word of '{first.name}'"
    if (item.category, item.cities) == (first.category, first.cities):
        return linting.finding("same-word", file, at, what, "keep it at one item")
    what += f", but goes into another bin ({item.category}, not {first.category})"
    return linting.finding("two-bins", file, at, what, "keep it at one item, with the bin that is right", blocks=True)


def _states(linting: Linting) -> Iterator[Finding]:
    """「坏手机」 and 「手机」 in different bins: the one or the other is wrong, or it should say why."""
    known = {linting.fold(word): item for _, _, item in linting.items() for word in item.words}
    for file, n, item in linting.items():
        for m, word in enumerate(item.words):
            folded = linting.fold(word)
            plain = _STATE.sub("", folded)
            other = known.get(plain) if plain != folded else None
            if other is None or other.category == item.category or item.disputed or other.disputed:
                continue
            what = f"'{word}' goes into {item.category}, '{other.name}' into {other.category}"
            at = ("items", n, "aliases", m - 1) if m else ("items", n, "name")
            mend = "give both the same bin, or say under disputed: what makes the difference"
            yield linting.finding("state-changes-bin", file, at, what, mend)


def _choices(linting: Linting) -> Iterator[Finding]:
    seen: dict[str, int] = {}
    choices = linting.knowledge.choices
    file = linting.file("choices.yaml")
    for n, choice in enumerate(choices):
        for m, word in enumerate(choice.words):
            at = (n, "also", m - 1) if m else (n, "word")
            folded = linting.fold(word)
            if not folded:
                what = f"'{word}' of the choice '{choice.word}' is empty once folded"
                yield linting.finding("empty-word", file, at, what, "write it out, or drop it", blocks=True)
            elif seen.setdefault(folded, n) != n:
                what = f"'{word}' is a word of '{choices[seen[folded]].word}' and of '{choice.word}'"
                yield linting.finding("same-choice", file, at, what, "keep it at one of them", blocks=True)


def _synonyms(linting: Linting) -> Iterator[Finding]:
    """A synonym that folds to nothing would replace nothing, or everything."""
    file = linting.file("synonyms.yaml")
    for key in ("words", "emoji"):
        for word in getattr(linting.knowledge.synonyms, key):
            if not word.strip():
                what = f"a key of {key} is empty"
                yield linting.finding("empty-word", file, (key, word), what, "write the word, or drop it", blocks=True)
