"""The nouns of a message → the things asked for: of the knowledge, compounds of its heads, alike ones, or inferred."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from bot.kb.entries import Choice, Item
from bot.matching.index import Index
from bot.matching.lexicon import Word
from bot.matching.parse import Noun, Parse

MOST_ITEMS = 6
"""Things answered in one message."""

Rule = Literal["name", "sound", "alike", "head", "first", "first case", "inferred", "case", "chosen"]

_WORTH: Mapping[Rule, float] = {"name": 0.98, "sound": 0.9, "alike": 0.8, "head": 0.85, "first": 0.8}
"""What each way of finding a thing is worth by itself."""


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing asked for: in the knowledge (`item`), or inferred."""

    name: str
    category: str
    score: float
    rule: Rule
    item: Item | None = None
    after: str = ""  # unknown characters behind it
    typed: str = ""  # the one of its names that was used, where it was

    @property
    def called(self) -> str:
        """What to call it to whoever asked: as they did."""
        return self.typed or self.name

    @property
    def inferred(self) -> bool:
        """Whether the thing is not in the knowledge."""
        return self.item is None


def things_named(parsed: Parse, heard: bool, index: Index) -> tuple[tuple[Thing, ...], Choice | None]:
    """The things asked for, and the ambiguous word if the message names only one.

    `heard`: whether words that only sound like a thing of the knowledge are taken for it.
    """
    things: list[Thing] = []
    choice: Choice | None = None
    for noun in parsed.nouns[:MOST_ITEMS]:
        word = noun.word
        if word and word.choice and len(parsed.nouns) == 1 and _plain_tail(noun, index):
            choice = word.choice
        if word and noun.exact:
            if word.item:
                things.append(replace(_known(word.item, "name"), typed=word.text))
            elif word.choice and not choice:
                things.append(_first_case(word.choice))
            continue
        found = _safely(noun, _found(noun, heard, index), index)
        least = _ONE_MORE_LISTED if parsed.listed else _SURELY_ONE_MORE
        if found and not (things and found.rule == "inferred" and found.score < least):
            things.append(found)
    return tuple(things), choice


def known_among(things: tuple[Thing, ...], index: Index) -> tuple[Thing, ...]:
    """The things of the knowledge among them, of a compound its head; and what is probably hazardous."""
    return tuple(thing for thing in (_known_or_hazardous(thing, index) for thing in things) if thing)[:MOST_ITEMS]


def _known_or_hazardous(thing: Thing, index: Index) -> Thing | None:
    if not thing.inferred:
        return thing
    hazardous = thing.category == "hazardous" and thing.score >= _PROBABLY
    return _head_of(thing, index) or (thing if hazardous else None)


_PROBABLY = 0.5


_SURELY_ONE_MORE = 0.75
_ONE_MORE_LISTED = 0.45
"""A word that is not in the knowledge counts as one more thing from this score of its inferred bin; where 「和」 or how
many of each put it on a list, from the lower one."""
_EMPTY_TAILS = frozenset(("子", "儿", "仔", "头", "们", "少", "洒", "里", "边"))


def _known(item: Item, rule: Rule) -> Thing:
    return Thing(item.name, item.category, _WORTH[rule], rule, item)


def _first_case(choice: Choice) -> Thing:
    """An ambiguous word in a list of things: its most usual case."""
    return Thing(choice.word, choice.options[0].category or "residual", 0.6, "first case")


def _plain_tail(noun: Noun, index: Index) -> bool:
    """Whether a noun is its word and nothing that would make it another thing."""
    return not noun.modifier and (not noun.tail or not index.infer.is_noun(noun.text, noun.tail))


def _safely(noun: Noun, found: Thing | None, index: Index) -> Thing | None:
    """Likeness, sound and heads may point to hazardous, never away from it."""
    if found is None or found.category == "hazardous" or found.rule not in ("sound", "alike", "head"):
        return found
    named = noun.word.item if noun.word else None
    if named and named.category == "hazardous":
        return Thing(noun.text, "hazardous", _WORTH["head"], "head")
    guess = _inferred(noun.text, index)
    return guess if guess and guess.category == "hazardous" else found


def _found(noun: Noun, heard: bool, index: Index) -> Thing | None:
    """A noun that is no word of the dictionary: by sound (where `heard`), by likeness, as a compound, or inferred."""
    text = noun.text
    if noun.word and noun.word.item and noun.tail in _EMPTY_TAILS and not noun.modifier:
        return _known(noun.word.item, "name")
    if noun.word and noun.word.item and noun.tail and not noun.modifier and not index.infer.is_noun(text, noun.tail):
        return Thing(noun.word.item.name, noun.word.item.category, _WORTH["first"], "first", noun.word.item, noun.tail)
    if heard and (word := _item_word(index.lexicon.sounding(text))):
        return _known(word, "sound")
    if (near := index.lexicon.alike(text)) and (item := _item_word(near[0])) and not (noun.word and noun.exact):
        return Thing(item.name, item.category, _WORTH["alike"] * near[1], "alike", item)
    guess = _inferred(text, index)
    if noun.word and noun.word.item and not noun.tail:
        return _compound(noun.word.item, text, guess)
    if noun.word and noun.word.item and noun.tail:
        if guess and guess.score >= 0.8:
            return guess
        return Thing(noun.word.item.name, noun.word.item.category, _WORTH["first"], "first", noun.word.item)
    return guess


def _compound(head: Item, text: str, guess: Thing | None) -> Thing:
    """「毛绒公仔」: a kind of its head; a hazardous neighbour outweighs the head."""
    category = head.category
    if guess and guess.category == "hazardous" != category:
        return guess
    if guess and guess.category != category and guess.score >= 0.9:
        return guess
    return Thing(text, category, _WORTH["head"], "head")


def _item_word(word: Word | None) -> Item | None:
    return word.item if word else None


def _inferred(text: str, index: Index) -> Thing | None:
    guess = index.infer(text)
    return Thing(text, guess.category, guess.score, "inferred") if guess else None


def _head_of(thing: Thing, index: Index) -> Thing | None:
    if thing.rule != "head":
        return None
    for start in range(1, len(thing.name) - 1):
        if (word := index.lexicon.get(thing.name[start:])) and word.item:
            return _known(word.item, "head")
    return None
