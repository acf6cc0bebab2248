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
from bot.matching.phrases import Hit
from bot.matching.things import Thing
from bot.matching.votes import Tally

MOST_ENTRIES = 3
"""Entries a message is read as, besides that of the topic most voted for."""

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
    plain: bool = False  # an ambiguous word and nothing else, asked for its bin; or an entry, in its very words


_MESSAGE = ("asks_bin", "asks_how", "asks_else", "local", "trade", "bare", "question", "long", "very_long", "parts")
FEATURES = {
    "items": (
        *_MESSAGE, *_RULES, "guess", "several", "connected", "unexplained", "unknown_chars", "choice", "hazardous",
        "rival", "rival_alike", "rival_exact", "own_topic", "bin_unexplained", "bin_guess", "else_rival", "bare_guess",
        "else_unexplained", "bin_known", "bare_known", "question_known", "tail", "nouns", "no_ask_guess",
        "no_ask_rival", "rival_weak", "opens", "votes", "chatter", "listed", "bin_listed",
        "ends", "ends_no_ask", "ends_bin", "clear_rival",
    ),
    "entry": (
        *_MESSAGE, "shared", "alike", "alike_content", "margin", "first", "exact", "site", "site_local", "site_else",
        "own_topic", "about", "thing_name", "thing_near", "thing_guess", "bin_thing", "bin_alone", "bare_thing",
        "bin_shared", "choice", "company", "question_shared", "else_shared", "bin_unexplained", "weak",
        "weak_shared", "nouns", "no_ask_weak", "no_ask_thing", "several", "opens", "vote", "vote_first", "vote_margin",
        "vote_content", "about_ask", "listed", "ends", "ends_no_ask", "clear_vote", "clear_thing",
    ),
    "choice": (
        *_MESSAGE, "plain", "unexplained", "others", "rival", "rival_alike", "rival_exact", "default", "topical",
        "bin_unexplained", "else_unexplained",
    ),
    "question": (
        *_MESSAGE, "likely", "none", "known", "guess", "entry", "exact", "alike", "choice", "ask_likely", "ask_words",
        "trade_ask", "likely_words", "unexplained", "bin_known", "bin_guess", "site_local",
        "statement_long", "segments", "votes", "chatter", "ask_votes", "ask_chatter", "clear_vote",
    ),
}  # fmt: skip
"""What is looked at in each kind of reading, and for whether the message is a question to us at all."""


def readings(
    seen: Seen, things: tuple[Thing, ...], choice: Choice | None, hits: Sequence[Hit], index: Index
) -> list[Reading]:
    """Every way to read the message."""
    shared = _Shared.of(seen, things, choice, hits)
    found: list[Reading] = []
    if things:
        rule = things[0].rule if len(things) == 1 else "several things"
        numbers = shared.message + _of_items(shared)
        found.append(Reading("items", rule, numbers, things=things, choice=choice if len(things) == 1 else None))
    if choice:
        case = _of_choice(shared)
        found.append(Reading("choice", "ambiguous word", shared.message + case, choice=choice, plain=bool(case[0])))
    voted = next((n for n, hit in enumerate(hits) if hit.topic == seen.votes.first), 0)
    for n in sorted({*range(min(MOST_ENTRIES, len(hits))), *([voted] if hits else [])}):
        hit = hits[n]
        told = "phrase" if hit.alike >= _EXACT else "likely phrase"
        local = index.entries[hit.entry][1].local is not None
        numbers = shared.message + _of_entry(shared, n, local)
        found.append(Reading("entry", told, numbers, things=things, entry=hit.entry, plain=hit.alike >= 1.0))
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
    most, chatter = _held(seen.votes.most), _held(seen.votes.chatter)
    _, alike, exact = _rival(hits)
    numbers = (
        likely, best is None, known, guess, entry, exact, alike, best is not None and best.kind == "choice",
        seen.asks * likely, seen.asks * words, seen.trade * seen.asks, likely * words,
        len(parsed.left) / max(1, parsed.size), parsed.asks_bin * known, parsed.asks_bin * guess, local and seen.local,
        not seen.asks and len(seen.folded.tight) > _LONG, min(len(seen.folded.segments), 5) / 5,
        most, chatter, seen.asks * most, seen.asks * chatter, _clear(seen.votes),
    )  # fmt: skip
    return Reading("question", "", _message(seen, words) + numbers)


@dataclass(frozen=True, slots=True)
class _Shared:
    """What all readings of one message look at."""

    seen: Seen
    things: tuple[Thing, ...]
    choice: Choice | None
    hits: Sequence[Hit]
    message: tuple[float, ...]
    words: float
    asks_else: bool
    unknown: float  # characters that neither the things nor the words around them explain
    unexplained: float  # their share of all
    nouns: float  # the share of its parts that name a thing and say nothing else: 「跳绳 网球 护腕」
    opens: bool  # with the thing, as people do who show what they hold: 「铜火锅漏了」
    ends: bool  # nothing but what became of it, or the question for its bin, follows the thing
    listed: bool  # several things of the knowledge, by name
    rules: frozenset[str]

    @staticmethod
    def of(seen: Seen, things: tuple[Thing, ...], choice: Choice | None, hits: Sequence[Hit]) -> _Shared:
        parsed, segments = seen.parsed, seen.folded.segments
        words = _logit(seen.words)
        names = [noun.text for noun in parsed.nouns]
        unknown, unexplained = _unexplained(parsed, things)
        rules = frozenset([thing.rule for thing in things])
        return _Shared(
            seen, things, choice, hits, _message(seen, words), words, seen.asks and not parsed.asks_bin,
            unknown, unexplained,
            sum([segment in names for segment in segments]) / max(1, len(segments)),
            bool(names) and seen.folded.text.startswith(names[0]),
            bool(names) and _ends(parsed),
            parsed.connected and len(things) > 1 and rules == {"name"},
            rules,
        )  # fmt: skip


def _ends(parsed: Parse) -> bool:
    for kind, _, word in reversed(parsed.pieces):
        if kind != "function":
            return word is not None
    return False


def _message(seen: Seen, words: float) -> tuple[float, ...]:
    parsed, size = seen.parsed, len(seen.folded.tight)
    return (
        parsed.asks_bin,
        seen.asks_how,
        seen.asks and not parsed.asks_bin,
        seen.local,
        seen.trade,
        parsed.bare,
        words,
        size > _LONG,
        size > _VERY_LONG,
        len(seen.folded.segments) > 1,
    )


def _of_items(shared: _Shared) -> tuple[float, ...]:
    seen, parsed, things, hits = shared.seen, shared.seen.parsed, shared.things, shared.hits
    worst = min(things, key=_score)
    inferred, known = worst.rule == "inferred", worst.rule in ("name", "sound")
    rival, alike, exact = _rival(hits)
    return (
        *[worst.rule == rule for rule in _RULES],
        worst.score if inferred else 0.0,
        len(things) > 1,
        parsed.connected,
        shared.unexplained,
        min(shared.unknown, 12) / 12,
        shared.choice is not None,
        worst.category == "hazardous",
        rival,
        alike,
        exact,
        bool(hits) and any(thing.item and thing.item.topic == hits[0].topic for thing in things),
        parsed.asks_bin * shared.unexplained,
        parsed.asks_bin * inferred,
        shared.asks_else * rival,
        parsed.bare * inferred,
        shared.asks_else * shared.unexplained,
        parsed.asks_bin * known,
        parsed.bare * known,
        known * shared.words,
        min(len(worst.after), 4) / 4,
        shared.nouns,
        (not seen.asks) * inferred,
        (not seen.asks) * alike,
        max(0.0, _WEAK - alike),
        shared.opens,
        _held(seen.votes.most),
        _held(seen.votes.chatter),
        shared.listed,
        parsed.asks_bin and shared.listed,
        shared.ends,
        shared.ends and not seen.asks,
        shared.ends and parsed.asks_bin,
        _clear(seen.votes) and all(thing.item is None or thing.item.topic != seen.votes.first for thing in things),
    )


def _score(thing: Thing) -> float:
    return thing.score


def _of_choice(shared: _Shared) -> tuple[float, ...]:
    parsed = shared.seen.parsed
    unexplained = len(parsed.left) / max(1, parsed.size)
    others = sum(1 for kind, _, word in parsed.pieces if kind == "span" and word is not None) > 1
    topical = any(text in _OF_TOPICS for _, text, _ in parsed.pieces)
    return (
        (parsed.asks_bin or parsed.bare) and not others and not parsed.left and not topical,
        unexplained,
        others,
        *_rival(shared.hits),
        bool(shared.things),
        topical,
        parsed.asks_bin * unexplained,
        shared.asks_else * unexplained,
    )


def _of_entry(shared: _Shared, n: int, local: bool) -> tuple[float, ...]:
    """`n`: which of the hits; `local`: whether only the site itself knows its answer."""
    seen, parsed, things, hits, rules = shared.seen, shared.seen.parsed, shared.things, shared.hits, shared.rules
    hit = hits[n]
    topic, content, asks_bin, votes = hit.topic, hit.content, parsed.asks_bin, seen.votes
    others = [rival.score for rival in hits if rival.topic != topic]
    vote = _held(votes.scores.get(topic, 0.0))
    weak = max(0.0, _WEAK - content)
    return (
        hit.shared,
        hit.alike,
        content,
        hit.score - max(others, default=0.0),
        n == 0,
        hit.alike >= _EXACT,
        local,
        local and seen.local,
        local and not seen.local,
        any(thing.item and thing.item.topic == topic for thing in things),
        seen.about == topic,
        "name" in rules,
        "name" not in rules and not rules.isdisjoint(_NEAR),
        rules == {"inferred"},
        asks_bin and bool(things),
        asks_bin and not things and shared.choice is None,
        parsed.bare and bool(things),
        asks_bin * content,
        shared.choice is not None,
        (len(hits) - len(others)) / 5,
        content * shared.words,
        shared.asks_else * content,
        asks_bin * shared.unexplained,
        weak,
        max(0.0, _WEAK_SHARED - hit.shared),
        shared.nouns,
        (not seen.asks) * weak,
        (not seen.asks) and bool(things),
        len(things) > 1,
        shared.opens,
        vote,
        topic == votes.first,
        vote - _held(votes.runner_up if topic == votes.first else votes.most),
        vote * content,
        seen.about == topic and seen.asks,
        shared.listed,
        shared.ends,
        shared.ends and not seen.asks,
        topic == votes.first and _clear(votes),
        topic == votes.first and _clear(votes) and bool(things),
    )


def _clear(votes: Tally) -> bool:
    """Whether the n-grams speak for one topic, well ahead of every other and of chatter."""
    return votes.most >= _CLEAR and votes.most - votes.runner_up >= _LEADS and votes.most >= votes.chatter


_CLEAR, _LEADS = 0.4, 0.2
_NEAR = frozenset(("sound", "alike", "head", "first"))
_WEAK, _WEAK_SHARED = 0.65, 0.35
"""Likeness and rarity shared below which an entry is hardly meant."""


def _held(vote: float) -> float:
    return max(-2.0, min(3.0, vote))


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
