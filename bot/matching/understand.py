"""One message → what is asked: the ways to read it, how likely each is right, and the decision.

Rules are named, so each decision can be explained.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from bot.kb.entries import Choice, Danger
from bot.matching.fold import Folded
from bot.matching.index import Index
from bot.matching.judgement import likelihood
from bot.matching.parse import parse
from bot.matching.phrases import Hit
from bot.matching.readings import Reading, Seen, as_question, readings
from bot.matching.things import Thing, known_among, things_named
from bot.matching.votes import NOBODY, Tally
from bot.matching.words import ASKS, HOW_TO, PLACE_OR_TIME, TRADE

Kind = Literal["items", "entry", "choice", "danger", "nothing"]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The named numbers of a decision, from config.yaml; scores are likelihoods, 0 to 1.

    accept: answer from here · scope: how much a line must look like a question for a topic to answer it
    infer: say an inferred bin of a list from here
    speak: speak up unasked in a group from here · question: how much an unasked line must look like a question
    """

    accept: float = 0.33
    scope: float = 0.12
    infer: float = 0.5
    speak: float = 0.85
    question: float = 0.5


@dataclass(frozen=True, slots=True)
class Candidate:
    """What was considered, for `--explain`."""

    entry: str
    score: float
    rule: str


@dataclass(frozen=True, slots=True)
class Understanding:
    """What a message was understood to ask."""

    folded: Folded
    kind: Kind
    score: float
    rule: str
    things: tuple[Thing, ...] = ()
    entry: str = ""  # topics/<slug>/<id>
    choice: Choice | None = None
    danger: str = ""
    candidates: tuple[Candidate, ...] = ()  # every way to read the message, the likeliest first
    asks: bool = False  # a question by its form
    asks_bin: bool = False
    trade: bool = False
    question_likelihood: float = 0.5

    def answers(self, limits: Thresholds) -> bool:
        """Whether it is sure enough to be answered."""
        return self.score >= limits.accept and (self._surely_ours or self.question_likelihood >= limits.scope)

    @property
    def _surely_ours(self) -> bool:
        """Whether a thing to be sorted is named or asked for, whatever else the words are."""
        if self.kind == "items":
            return self.asks_bin or not self.asks or any(thing.item for thing in self.things)
        return self.kind != "entry"


def understand(text: str, index: Index, *, about: str = "") -> Understanding:
    """Decide what `text` asks. `about`: the topic talked of before."""
    folded = heard(text, index)
    found = _decided(folded, index, about)
    if found.score >= _SURE and all(thing.rule == "name" for thing in found.things):
        return found
    if (mended := index.spelling.mended(folded.text)) == folded.text or _loses_a_name(found.things, mended):
        return found
    other = _decided(Folded(mended, tuple(mended.split())), index, about)
    score = round(other.score * _MENDED, 3)
    if score < max(_MENDED_LEAST, found.score) or _leads_away(found.things, other.things):
        return found
    if other.kind == "items" and any(thing.rule != "name" for thing in other.things):
        return found  # an unknown thing does not become another unknown one, or half of a known one
    return replace(other, score=score, rule=f"{other.rule}, spelled by sound")


_SURE = 0.9
"""The likelihood from which a message is not looked at once more, spelled as it sounds."""
_MENDED_LEAST = 0.6
"""The likelihood from which a message is taken as spelled otherwise than typed."""
_MENDED = 0.98
"""What the likelihood of such a message is worth."""


def heard(text: str, index: Index) -> Folded:
    """The message folded, with typed pinyin turned into characters, and what the sender took back left out."""
    folded = index.fold(text)
    read = index.spelling.read(index.lexicon.heard(folded.text), index.lexicon.get)
    read = _TAKEN_BACK.sub("", read)
    return folded if read == folded.text else Folded(read, tuple(read.split()))


_TAKEN_BACK = re.compile(
    r"^.{2,}?(?:"
    r"(?:不对|[说讲打写搞问]错了?)(?: *我?[说讲问指]?的是| +我?[说讲]?是| *应该是)"
    r"|不是不是 *(?:应该)?是"
    r") *(?=..)"
)
"""「过期喷雾 不对 我说的是灭蚊喷雾剂」: what stands before was not meant."""


def _loses_a_name(things: Sequence[Thing], mended: str) -> bool:
    """Whether the name of a thing of the knowledge, typed as it is, would be spelled otherwise."""
    tight = mended.replace(" ", "")
    return any(thing.typed and thing.typed not in tight for thing in things)


def _leads_away(found: Sequence[Thing], other: Sequence[Thing]) -> bool:
    """Whether another spelling would turn something hazardous into something that is not."""
    dangerous = any(thing.category == "hazardous" for thing in found)
    return dangerous and not any(thing.category == "hazardous" for thing in other)


def _decided(folded: Folded, index: Index, about: str) -> Understanding:
    seen, hits, found = ways_to_read(folded, index, about=about)
    judged = sorted(((_likelihood(reading, found), reading) for reading in found), key=lambda one: -one[0])
    likely, best = judged[0] if judged else (0.0, None)
    asked = likelihood(as_question(seen, best, likely, hits, index)) if folded.segments else 0.0
    if best is not None and best.kind == "entry" and asked < _HARDLY_ASKED:
        likely, best = next((one for one in judged if one[1].kind != "entry" and one[0] >= _NAMED), judged[0])
    danger = _danger(folded, index)
    if danger:
        things = next((reading.things for reading in found if reading.kind == "items"), ())
        return _understood(seen, judged, asked, "danger", 0.97, "danger words", danger=danger, things=things)
    if best is None or best.kind == "question":
        return _understood(seen, judged, asked, "nothing", 0.0, "nothing alike")
    things = known_among(best.things, index) if best.kind == "entry" else best.things
    return _understood(
        seen, judged, asked, best.kind, likely, best.rule, things=things, entry=best.entry, choice=best.choice
    )


_HARDLY_ASKED, _NAMED = 0.12, 0.3
"""「灯座铁的」: who hardly asks names a thing, where one is named so likely, rather than asking for a topic."""


def _likelihood(reading: Reading, found: Sequence[Reading]) -> float:
    """How likely a reading is right. An ambiguous word asked for by itself is nothing else, and what is asked in the
    very words of an entry is that entry: its author wrote so."""
    plainly = {other.kind for other in found if other.plain}
    if not plainly:
        return likelihood(reading)
    if "choice" in plainly:
        meant = reading.kind == ("items" if any(other.kind == "items" for other in found) else "choice")
    else:
        meant = reading.plain
    return max(_PLAINLY, likelihood(reading)) if meant else min(_PLAINLY / 2, likelihood(reading))


_PLAINLY = 0.95


def ways_to_read(folded: Folded, index: Index, *, about: str = "") -> tuple[Seen, list[Hit], list[Reading]]:
    """What is seen of a message, the entries near it, and every way to read it."""
    parsed = parse(folded.segments, index.lexicon)
    asks = parsed.asks_bin or (not parsed.bare and bool(ASKS.search(folded.text)))
    things, choice = things_named(parsed, parsed.asks_bin or not asks, index)
    plainly = parsed.bare and not choice and bool(things) and all(thing.rule == "name" for thing in things)
    votes = NOBODY if plainly else index.votes(folded.tight)
    hits = [] if plainly or not folded.segments else _ranked(folded, _likely_topics(votes, about), index)
    seen = Seen(
        folded=folded,
        parsed=parsed,
        asks=asks,
        asks_how=bool(HOW_TO.search(folded.text)),
        local=bool(PLACE_OR_TIME.search(folded.text)),
        trade=bool(TRADE.search(folded.text)),
        words=index.chatter.question_likelihood(folded.tight) if folded.segments else 0.0,
        about=about,
        votes=votes,
    )
    return seen, hits, readings(seen, things, choice, hits, index)


def _understood(
    seen: Seen,
    judged: Sequence[tuple[float, Reading]],
    asked: float,
    kind: Kind,
    score: float,
    rule: str,
    *,
    things: tuple[Thing, ...] = (),
    entry: str = "",
    choice: Choice | None = None,
    danger: str = "",
) -> Understanding:
    return Understanding(
        folded=seen.folded,
        kind=kind,
        score=round(score, 3),
        rule=rule,
        things=things,
        entry=entry,
        choice=choice,
        danger=danger,
        candidates=tuple([_candidate(chance, reading) for chance, reading in judged]),
        asks=seen.asks,
        asks_bin=seen.parsed.asks_bin,
        trade=seen.trade,
        question_likelihood=round(asked, 3),
    )


def _candidate(chance: float, reading: Reading) -> Candidate:
    if reading.kind == "items":
        named = "、".join([f"items/{thing.name}" for thing in reading.things])
    else:
        named = f"choices/{reading.choice.word}" if reading.choice else reading.entry
    return Candidate(named, round(chance, 3), reading.rule)


def _likely_topics(votes: Tally, about: str) -> list[str]:
    """The topic most voted for, and the one talked of before."""
    return list(dict.fromkeys(filter(None, (votes.first, about))))


def _ranked(folded: Folded, topics: Sequence[str], index: Index) -> list[Hit]:
    """Entries near the whole message, or near the part of it that asks: people tell a story first."""
    hits = {hit.entry: hit for hit in index.phrases.rank(folded.tight, topics)}
    if len(folded.segments) > 1 and max((hit.alike for hit in hits.values()), default=0.0) < _NEAR_ENOUGH:
        for segment in folded.segments:
            if len(segment) < _SHORTEST_QUESTION or not ASKS.search(segment):
                continue
            for hit in index.phrases.rank(segment):
                part = hit._replace(score=hit.score * _PART)
                if hit.entry not in hits or hits[hit.entry].score < part.score:
                    hits[hit.entry] = part
    return sorted(hits.values(), key=lambda hit: (-hit.score, hit.entry))


_SHORTEST_QUESTION = 4
_NEAR_ENOUGH = 0.85
"""Likeness of the whole from which its parts need no look."""
_PART = 0.85
"""What an entry near a part of the message counts against one near the whole."""


def _danger(folded: Folded, index: Index) -> str:
    """The dangerous state named together with the thing it is dangerous for, if any."""
    text = folded.tight
    if not index.danger_words.search(text) or not index.danger_things.search(text):
        return ""
    for key, danger in sorted(index.facts.dangers.items()):
        if any(word in text for word in danger.words) and _thing_named(danger, text):
            return key
    return ""


def _thing_named(danger: Danger, text: str) -> bool:
    return not danger.things or any(thing in text for thing in danger.things)
