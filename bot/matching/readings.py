"""The ways a message can be read — things to sort, an entry, an ambiguous word — and what speaks for each, as numbers.

What the numbers are worth was learned from questions (judgement.py); here stands only what is looked at.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bot.kb.entries import Choice
from bot.matching.fold import Folded
from bot.matching.index import Index
from bot.matching.parse import Parse
from bot.matching.phrases import Hit, topic_of
from bot.matching.things import Thing
from bot.matching.votes import Tally

MOST_ENTRIES = 3
"""Entries a message is read as."""

_LONG, _VERY_LONG = 12, 24
_RULES = ("name", "sound", "alike", "head", "first", "first case", "inferred")
_OF_TOPICS = frozenset(("垃圾", "桶", "类型", "类别", "分类"))


@dataclass(frozen=True, slots=True)
class Seen:
    """What is seen of a message as a whole."""

    folded: Folded
    parsed: Parse
    asks: bool  # a question by its form
    asks_how: bool  # for a way, not only for a bin
    local: bool  # for a place, a time or a person
    trade: bool  # people trade, lend or praise
    words: float  # how far its words are those of questions rather than chatter, 0 to 1
    about: str  # the topic talked of before
    votes: Tally  # how far its words speak for each topic


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read a message; `numbers` speak for or against it, in the order of FEATURES[kind]."""

    kind: Literal["items", "entry", "choice", "question"]
    rule: str
    numbers: tuple[float, ...]
    things: tuple[Thing, ...] = ()
    entry: str = ""
    choice: Choice | None = None
    plain: bool = False  # an ambiguous word and nothing else, asked for its bin


_MESSAGE = ("asks_bin", "asks_how", "asks_else", "local", "trade", "bare", "question", "long", "very_long", "parts")
FEATURES = {
    "items": (
        *_MESSAGE, *_RULES, "guess", "several", "connected", "unexplained", "unknown_chars", "choice", "hazardous",
        "rival", "rival_alike", "rival_exact", "own_topic", "bin_unexplained", "bin_guess", "else_rival", "bare_guess",
        "else_unexplained", "bin_known", "bare_known", "question_known", "tail", "nouns", "no_ask_guess",
        "no_ask_rival", "rival_weak", "opens", "votes", "chatter", "listed", "bin_listed",
    ),
    "entry": (
        *_MESSAGE, "shared", "alike", "alike_content", "margin", "first", "exact", "site", "site_local", "site_else",
        "own_topic", "about", "thing_name", "thing_near", "thing_guess", "bin_thing", "bin_alone", "bare_thing",
        "bin_shared", "choice", "company", "question_shared", "else_shared", "bin_unexplained", "weak",
        "weak_shared", "nouns", "no_ask_weak", "no_ask_thing", "several", "opens", "vote", "vote_first", "vote_margin",
        "vote_content", "about_ask", "listed",
    ),
    "choice": (
        *_MESSAGE, "plain", "unexplained", "others", "rival", "rival_alike", "rival_exact", "default", "topical",
        "bin_unexplained", "else_unexplained",
    ),
    "question": (
        *_MESSAGE, "likely", "none", "known", "guess", "entry", "exact", "alike", "choice", "ask_likely", "ask_words",
        "trade_ask", "likely_words", "unexplained", "bin_known", "bin_guess", "site_local",
        "statement_long", "segments", "votes", "chatter", "ask_votes", "ask_chatter",
    ),
}  # fmt: skip
"""What is looked at in each kind of reading, and for whether the message is a question to us at all."""


def readings(
    seen: Seen, things: tuple[Thing, ...], choice: Choice | None, hits: Sequence[Hit], index: Index
) -> list[Reading]:
    """Every way to read the message."""
    message = _message(seen)
    found: list[Reading] = []
    if things:
        rule = things[0].rule if len(things) == 1 else "several things"
        numbers = message + _of_items(seen, things, choice, hits)
        found.append(Reading("items", rule, numbers, things=things, choice=choice if len(things) == 1 else None))
    if choice:
        case = _of_choice(seen, choice, things, hits)
        found.append(Reading("choice", "ambiguous word", message + case, choice=choice, plain=bool(case[0])))
    for n, hit in enumerate(hits[:MOST_ENTRIES]):
        told = "phrase" if hit.alike >= _EXACT else "likely phrase"
        numbers = message + _of_entry(seen, n, hits, things, choice, index)
        found.append(Reading("entry", told, numbers, things=things, entry=hit.entry))
    return found


_EXACT = 0.9
"""Likeness from which a question is one of the ways of asking."""


def as_question(seen: Seen, best: Reading | None, likely: float, hits: Sequence[Hit], index: Index) -> Reading:
    """What speaks for a question to us, as against chatter. `best`: the likeliest reading and how likely it is."""
    parsed, words = seen.parsed, _logit(seen.words)
    things = best.things if best else ()
    known = any(thing.item for thing in things)
    guess = bool(things) and not known
    entry = best is not None and best.kind == "entry"
    local = entry and best is not None and index.entries[best.entry][1].local is not None
    _, alike, exact = _rival(hits)
    numbers = (
        likely, best is None, known, guess, entry, exact, alike, best is not None and best.kind == "choice",
        seen.asks * likely, seen.asks * words, seen.trade * seen.asks, likely * words,
        len(parsed.left) / max(1, parsed.size), parsed.asks_bin * known, parsed.asks_bin * guess, local and seen.local,
        not seen.asks and len(seen.folded.tight) > _LONG, min(len(seen.folded.segments), 5) / 5,
        *_votes(seen), *(seen.asks * vote for vote in _votes(seen)),
    )  # fmt: skip
    return Reading("question", "", _message(seen) + numbers)


def _message(seen: Seen) -> tuple[float, ...]:
    parsed, size = seen.parsed, len(seen.folded.tight)
    return (
        parsed.asks_bin,
        seen.asks_how,
        seen.asks and not parsed.asks_bin,
        seen.local,
        seen.trade,
        parsed.bare,
        _logit(seen.words),
        size > _LONG,
        size > _VERY_LONG,
        len(seen.folded.segments) > 1,
    )


def _of_items(
    seen: Seen, things: Sequence[Thing], choice: Choice | None, hits: Sequence[Hit]
) -> tuple[float, ...]:
    parsed = seen.parsed
    worst = min(things, key=lambda thing: thing.score)
    guess = worst.score if worst.rule == "inferred" else 0.0
    unknown, unexplained = _unexplained(parsed, things)
    rival, alike, exact = _rival(hits)
    other = seen.asks and not parsed.asks_bin
    known = worst.rule in ("name", "sound")
    own = bool(hits) and any(thing.item and thing.item.topic == topic_of(hits[0].entry) for thing in things)
    return (
        *(worst.rule == rule for rule in _RULES),
        guess,
        len(things) > 1,
        parsed.connected,
        unexplained,
        min(unknown, 12) / 12,
        choice is not None,
        worst.category == "hazardous",
        rival,
        alike,
        exact,
        own,
        parsed.asks_bin * unexplained,
        parsed.asks_bin * (worst.rule == "inferred"),
        other * rival,
        parsed.bare * (worst.rule == "inferred"),
        other * unexplained,
        parsed.asks_bin * known,
        parsed.bare * known,
        known * _logit(seen.words),
        min(len(worst.after), 4) / 4,
        _nouns(seen),
        (not seen.asks) * (worst.rule == "inferred"),
        (not seen.asks) * alike,
        max(0.0, _WEAK - alike),
        _opens(seen),
        *_votes(seen),
        _listed(seen, things),
        parsed.asks_bin and _listed(seen, things),
    )


def _of_choice(seen: Seen, choice: Choice, things: Sequence[Thing], hits: Sequence[Hit]) -> tuple[float, ...]:
    parsed = seen.parsed
    unexplained = len(parsed.left) / max(1, parsed.size)
    others = sum(1 for kind, _, word in parsed.pieces if kind == "span" and word is not None) > 1
    topical = any(text in _OF_TOPICS for _, text, _ in parsed.pieces)
    other = seen.asks and not parsed.asks_bin
    return (
        (parsed.asks_bin or parsed.bare) and not others and not parsed.left and not topical,
        unexplained,
        others,
        *_rival(hits),
        bool(things),
        topical,
        parsed.asks_bin * unexplained,
        other * unexplained,
    )


def _of_entry(
    seen: Seen, n: int, hits: Sequence[Hit], things: Sequence[Thing], choice: Choice | None, index: Index
) -> tuple[float, ...]:
    hit, parsed = hits[n], seen.parsed
    topic, local = topic_of(hit.entry), index.entries[hit.entry][1].local is not None
    others = [rival.score for m, rival in enumerate(hits) if m != n and topic_of(rival.entry) != topic]
    same = sum(1 for rival in hits if topic_of(rival.entry) == topic)
    rules = {thing.rule for thing in things}
    named, near = "name" in rules, bool(rules & {"sound", "alike", "head", "first"})
    other = seen.asks and not parsed.asks_bin
    votes = seen.votes
    vote = _held(votes.scores.get(topic, 0.0))
    other_vote = votes.most if topic != votes.first else votes.runner_up
    return (
        hit.shared,
        hit.alike,
        hit.content,
        hit.score - max(others, default=0.0),
        n == 0,
        hit.alike >= _EXACT,
        local,
        local and seen.local,
        local and not seen.local,
        any(thing.item and thing.item.topic == topic for thing in things),
        seen.about == topic,
        named,
        near and not named,
        rules == {"inferred"},
        parsed.asks_bin and bool(things),
        parsed.asks_bin and not things and choice is None,
        parsed.bare and bool(things),
        parsed.asks_bin * hit.content,
        choice is not None,
        same / 5,
        hit.content * _logit(seen.words),
        other * hit.content,
        parsed.asks_bin * _unexplained(parsed, things)[1],
        max(0.0, _WEAK - hit.content),
        max(0.0, _WEAK_SHARED - hit.shared),
        _nouns(seen),
        (not seen.asks) * max(0.0, _WEAK - hit.content),
        (not seen.asks) and bool(things),
        len(things) > 1,
        _opens(seen),
        vote,
        topic == votes.first,
        vote - _held(other_vote),
        vote * hit.content,
        seen.about == topic and seen.asks,
        _listed(seen, things),
    )


_WEAK, _WEAK_SHARED = 0.65, 0.35
"""Likeness and rarity shared below which an entry is hardly meant."""


def _votes(seen: Seen) -> tuple[float, float]:
    """How far its words speak for the likeliest topic, and for chatter."""
    return _held(seen.votes.most), _held(seen.votes.chatter)


def _held(vote: float) -> float:
    return max(-2.0, min(3.0, vote))


def _listed(seen: Seen, things: Sequence[Thing]) -> bool:
    """Whether several things of the knowledge are listed by name."""
    return seen.parsed.connected and len(things) > 1 and all(thing.rule == "name" for thing in things)


def _nouns(seen: Seen) -> float:
    """The share of its parts that name a thing and say nothing else: 「跳绳 网球 护腕」."""
    nouns = {noun.text for noun in seen.parsed.nouns}
    return sum(segment in nouns for segment in seen.folded.segments) / max(1, len(seen.folded.segments))


def _opens(seen: Seen) -> bool:
    """Whether it opens with the thing, as people do who show what they hold: 「铜火锅漏了」."""
    return bool(seen.parsed.nouns) and seen.folded.text.startswith(seen.parsed.nouns[0].text)


def _unexplained(parsed: Parse, things: Sequence[Thing]) -> tuple[float, float]:
    """Characters that neither the things nor the words around them explain, and their share of all."""
    guessed = any(thing.inferred for thing in things)
    own = sum(len(noun.text) for noun in parsed.nouns if not noun.word) if guessed else 0
    after = _AFTER * len(things[0].after) if len(things) == 1 else 0.0
    left = max(0.0, len(parsed.left) - own - after)
    return left, left / max(1, parsed.size)


_AFTER = 0.7
"""How far unknown characters behind a known thing are taken for what became of it."""


def _rival(hits: Sequence[Hit]) -> tuple[float, float, bool]:
    """Score and likeness of the nearest entry, and whether it is asked in its own words."""
    return (hits[0].score, hits[0].content, hits[0].alike >= _EXACT) if hits else (0.0, 0.0, False)


def _logit(likelihood: float) -> float:
    """-1 to 1."""
    held = min(0.998, max(0.002, likelihood))
    return math.log(held / (1 - held)) / 6.3
