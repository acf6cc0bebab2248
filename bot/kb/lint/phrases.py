"""Ways of asking: those that ask nothing, ask for too much, or lead to two entries."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bot.kb.lint.base import Finding, Linting
from bot.kb.lint.language import COMMON, NO_CONTENT, any_of, plain_key

SHORTEST = 2
"""A phrase of fewer characters, once folded, is found everywhere."""
SHORT = 4
"""A phrase up to this length may be a mere word."""
BROAD = 10
"""A short phrase that stands within phrases of so many other entries tells them not apart."""


@dataclass(frozen=True, slots=True)
class _Phrase:
    entry: str
    text: str
    folded: str
    file: str
    at: tuple[str | int, ...]

    def finding(self, linting: Linting, rule: str, what: str, mend: str, *, blocks: bool = False) -> Finding:
        return linting.finding(rule, self.file, self.at, f"phrase '{self.text}' {what}", mend, blocks=blocks)


def check_phrases(linting: Linting) -> Iterator[Finding]:
    """Empty, over-broad and colliding phrases."""
    phrases = [
        _Phrase(f"{slug}/{entry.id}", phrase, linting.fold(phrase), file, ("entries", n, "ask", m))
        for file, n, slug, entry in linting.entries()
        for m, phrase in enumerate(entry.ask)
    ]
    filler = any_of(map(linting.fold, linting.knowledge.synonyms.fillers))
    asking = []
    for phrase in phrases:
        if says_nothing := _says_nothing(phrase.folded, filler):
            yield phrase.finding(linting, "empty-phrase", says_nothing, "write it out, or drop it", blocks=True)
        else:
            asking.append(phrase)
    yield from _collisions(asking, linting)
    yield from _broad(asking, linting)
    yield from _chatter(asking, linting)


def _says_nothing(folded: str, filler: re.Pattern[str]) -> str:
    """Why a phrase asks nothing; "" where it asks something."""
    if not folded:
        return "is empty once folded"
    if len(folded) < SHORTEST:
        return "is a single character once folded"
    if not filler.sub("", folded):
        return "holds nothing but fillers"
    return "" if NO_CONTENT.sub("", folded) else "holds only words that every question has"


def _collisions(phrases: list[_Phrase], linting: Linting) -> Iterator[Finding]:
    """The same question in two entries: word for word, or but for words that ask the same."""
    same: dict[str, _Phrase] = {}
    alike: dict[str, _Phrase] = {}
    for phrase in phrases:
        first = same.setdefault(phrase.folded, phrase)
        key = plain_key(phrase.folded)
        near = alike.setdefault(key, phrase) if len(key) >= SHORTEST else phrase
        if first.entry != phrase.entry:
            what = f"reads the same as '{first.text}' of {first.entry}"
            yield phrase.finding(linting, "same-phrase", what, "keep it in one entry", blocks=True)
        elif near.entry != phrase.entry:
            what = f"asks the same as '{near.text}' of {near.entry}"
            mend = "keep the one whose answer is right, or word them apart"
            yield phrase.finding(linting, "near-phrase", what, mend)


def _broad(phrases: list[_Phrase], linting: Linting) -> Iterator[Finding]:
    things = {linting.fold(word): item.name for item in linting.knowledge.items for word in item.words}
    things |= {linting.fold(word): choice.word for choice in linting.knowledge.choices for word in choice.words}
    within = _entries_by_pair(phrases)
    for phrase in phrases:
        mend = "say what is asked of it"
        if phrase.folded in things:
            what = f"is the name of the thing '{things[phrase.folded]}'"
            yield phrase.finding(linting, "broad-phrase", what, mend)
        elif phrase.folded in COMMON:
            yield phrase.finding(linting, "broad-phrase", "is one common word", mend)
        elif len(phrase.folded) <= SHORT:
            others = _holding(phrase, within)
            if len(others) >= BROAD:
                what = f"stands within phrases of {len(others)} other entries"
                yield phrase.finding(linting, "broad-phrase", what, mend)


def _entries_by_pair(phrases: list[_Phrase]) -> Mapping[str, list[_Phrase]]:
    """Pair of characters → the phrases that hold it."""
    found: defaultdict[str, list[_Phrase]] = defaultdict(list)
    for phrase in phrases:
        for pair in {phrase.folded[n : n + 2] for n in range(len(phrase.folded) - 1)}:
            found[pair].append(phrase)
    return found


def _holding(phrase: _Phrase, within: Mapping[str, list[_Phrase]]) -> set[str]:
    """The other entries with a phrase that holds this one."""
    rarest = min((phrase.folded[n : n + 2] for n in range(len(phrase.folded) - 1)), key=lambda pair: len(within[pair]))
    return {other.entry for other in within[rarest] if phrase.folded in other.folded} - {phrase.entry}


def _chatter(phrases: list[_Phrase], linting: Linting) -> Iterator[Finding]:
    asked = {phrase.folded: phrase for phrase in phrases}
    for n, line in enumerate(linting.knowledge.chatter.lines):
        if phrase := asked.get(linting.fold(line)):
            what = f"'{line}' is to stay unanswered, but is a phrase of {phrase.entry}"
            mend = "drop it here, or there"
            yield linting.finding("chatter-is-asked", linting.file("chatter.yaml"), ("lines", n), what, mend)
