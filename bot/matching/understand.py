"""One message → what is asked: candidates with scores, and the decision. Rules are named, so each can be explained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from bot.kb.entries import Choice, Danger, Item
from bot.matching.fold import Folded
from bot.matching.index import Index
from bot.matching.lexicon import Word
from bot.matching.parse import Noun, Parse, parse
from bot.matching.phrases import Hit
from bot.matching.words import ASKS, HOW_TO, PLACE_OR_TIME, TRADE

Kind = Literal["items", "entry", "choice", "danger", "nothing"]

MOST_ITEMS = 6
"""Things answered in one message."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The named numbers of a decision, from config.yaml; scores run from 0 to 1.

    accept: answer from here · lean: answer from here where the line looks like a question to us
    infer: say an inferred bin from here
    speak: speak up unasked in a group from here · question: how much an unasked line must look like a question
    """

    accept: float = 0.42
    lean: float = 0.25
    infer: float = 0.5
    speak: float = 0.85
    question: float = 0.5


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing asked for: in the knowledge (`item`), or inferred."""

    name: str
    category: str
    score: float
    rule: str
    item: Item | None = None
    after: str = ""  # unknown characters behind it

    @property
    def inferred(self) -> bool:
        """Whether the thing is not in the knowledge."""
        return self.item is None


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
    candidates: tuple[Candidate, ...] = ()
    asks: bool = False  # a question by its form
    asks_bin: bool = False
    asks_how: bool = False
    trade: bool = False
    question_likelihood: float = 0.5

    def answers(self, limits: Thresholds) -> bool:
        """Whether it is sure enough to be answered."""
        if self.asks_bin and self.kind == "entry" and not self.things and self.score < _SURE_TOPIC:
            return False  # an unknown thing is not the nearest topic's
        if self.score >= limits.accept:
            return True
        return self.score >= limits.lean and self.question_likelihood >= limits.question


_SURE_TOPIC = 0.55

# What each way of finding a thing is worth: the share of right answers it gave on the development questions.
_WORTH: Mapping[str, float] = {
    "name": 0.98,
    "sound": 0.9,
    "alike": 0.8,
    "head": 0.85,
    "first": 0.8,
}


def understand(text: str, index: Index, *, about: str = "") -> Understanding:
    """Decide what `text` asks. `about`: the topic talked of before, which breaks near ties."""
    folded = _heard(index.fold(text), index)
    parsed = parse(folded.segments, index.lexicon)
    asks = parsed.asks_bin or bool(ASKS.search(folded.text))
    heard = parsed.asks_bin or not asks
    things, unsure = _things(parsed, heard, index)
    plainly = parsed.bare and not unsure and bool(things) and all(thing.rule == "name" for thing in things)
    asked = folded.segments and not plainly
    local = bool(PLACE_OR_TIME.search(folded.text))
    hits = _with_bonus(_ranked(folded, index), things, about, local, index) if asked else []
    common = _Common(
        folded=folded,
        candidates=_candidates(things, unsure, hits),
        asks=asks,
        asks_bin=parsed.asks_bin,
        asks_how=bool(HOW_TO.search(folded.text)),
        trade=bool(TRADE.search(folded.text)),
        question_likelihood=index.chatter.question_likelihood(folded.tight) if folded.segments else 0.0,
    )
    danger = _danger(folded, index)
    if danger:
        return common.decided("danger", 0.97, "danger words", danger=danger, things=things)
    return _decide(parsed, things, unsure, hits, common, index)


def _heard(folded: Folded, index: Index) -> Folded:
    heard = tuple(index.lexicon.heard(folded.text).split())
    return folded if heard == folded.segments else Folded(" ".join(heard), heard)


@dataclass(frozen=True, slots=True)
class _Common:
    folded: Folded
    candidates: tuple[Candidate, ...]
    asks: bool
    asks_bin: bool
    asks_how: bool
    trade: bool
    question_likelihood: float

    def decided(
        self,
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
            self.folded, kind, round(min(1.0, max(0.0, score)), 3), rule, things, entry, choice, danger,
            self.candidates, self.asks, self.asks_bin, self.asks_how, self.trade, self.question_likelihood,
        )  # fmt: skip


def _decide(
    parsed: Parse, things: tuple[Thing, ...], choice: Choice | None, hits: Sequence[Hit], common: _Common, index: Index
) -> Understanding:
    topic = _topic_score(hits)
    item = _item_score(parsed, things, common)
    asked = _choice_score(parsed, choice, common)
    if parsed.connected and len(things) > 1 and not (hits and hits[0].likeness >= 0.8):
        return common.decided("items", item, "several things", things=things)
    if choice and asked >= _PLAIN_CHOICE and things and not things[0].inferred:
        return _items_or_their_topic(parsed, things, choice, hits, item, common, index)
    exact_phrase = bool(hits) and hits[0].likeness >= 0.9
    if exact_phrase and not (parsed.bare and things and not things[0].inferred) and asked < _PLAIN_CHOICE:
        return common.decided("entry", topic, "phrase", entry=hits[0].entry, things=_known(things, index))
    if choice and asked >= topic and not any(thing.rule in ("name", "first") for thing in things):
        return common.decided("choice", asked, "ambiguous word", choice=choice)
    if things and item >= topic:
        return _items_or_their_topic(parsed, things, choice, hits, item, common, index)
    if hits and topic > 0:
        return common.decided("entry", topic, "likely phrase", entry=hits[0].entry, things=_known(things, index))
    return common.decided("nothing", 0.0, "nothing alike")


def _items_or_their_topic(
    parsed: Parse,
    things: tuple[Thing, ...],
    choice: Choice | None,
    hits: Sequence[Hit],
    score: float,
    common: _Common,
    index: Index,
) -> Understanding:
    """Items; told by the entry of their own topic where the resident asks for a way rather than a bin."""
    own = things[0].item.topic if len(things) == 1 and things[0].item else ""
    if own and parsed.asks_bin and (common.asks_how or things[0].category in _NO_BIN):
        told = next((hit for hit in hits if index.entries[hit.entry][0] == own and hit.score >= 0.55), None)
        if told:
            return common.decided("entry", score, "the item's topic", entry=told.entry, things=things)
    rule = things[0].rule if len(things) == 1 else "several things"
    return common.decided("items", score, rule, things=things, choice=choice if len(things) == 1 else None)


_NO_BIN = frozenset(("bulky", "construction", "ewaste", "oil"))
"""Where no bin takes the thing, its topic says more than its name."""


def _topic_score(hits: Sequence[Hit]) -> float:
    """0 to 1 from the phrase score of the best entry."""
    if not hits:
        return 0.0
    return max(0.0, (hits[0].score - 0.35) / 0.95)


def _item_score(parsed: Parse, things: Sequence[Thing], common: _Common) -> float:
    if not things:
        return 0.0
    worth = min(thing.score for thing in things)
    own = sum(len(noun.text) for noun in parsed.nouns if not noun.word) if any(t.inferred for t in things) else 0
    after = _AFTER * len(things[0].after) if len(things) == 1 else 0.0
    explained = 1 - max(0.0, len(parsed.left) - own - after) / max(1, parsed.size)
    guessed = any(thing.rule == "inferred" for thing in things)
    if parsed.asks_bin and guessed:
        return _GUESSED * worth * (0.45 + 0.55 * explained)
    if parsed.asks_bin:
        return worth * (0.45 + 0.55 * explained) + (_PLAINLY if explained > 0.99 else 0.0)
    if parsed.bare:
        return worth * (0.45 + 0.55 * explained) + 0.1
    other = _OTHER_QUESTION if common.asks else 1.0
    if common.asks and any(thing.rule == "inferred" for thing in things):
        return 0.0
    unsure = 1.0 if all(thing.rule in _SURE for thing in things) else _NOT_ASKED
    return worth * (0.45 + 0.55 * explained) * other * unsure


_GUESSED = 0.8
"""A thing that is not in the knowledge, against a topic that may be meant."""
_PLAINLY = 0.15
"""Nothing but a thing and the question for its bin."""
_AFTER = 0.7
"""How far unknown characters behind a known thing are taken for what became of it."""
_OTHER_QUESTION = 0.6
"""A question that does not ask for a bin is rather one for the topics."""
_NOT_ASKED = 0.8
"""A thing that was only guessed, in a line that does not ask for a bin."""
_SURE = frozenset(("name", "sound"))


def _choice_score(parsed: Parse, choice: Choice | None, common: _Common) -> float:
    if not choice:
        return 0.0
    explained = 1 - len(parsed.left) / max(1, parsed.size)
    others = sum(1 for kind, _, word in parsed.pieces if kind == "span" and word is not None) - 1
    if (parsed.asks_bin or parsed.bare) and not others and explained > 0.99 and not _topical(parsed):
        return _PLAIN_CHOICE
    if parsed.asks_bin:
        return min(1.0, 0.9 * (0.4 + 0.6 * explained) + 0.1 - 0.3 * min(1, others))
    return 0.6 * explained * (_OTHER_QUESTION if common.asks else 1.0) - 0.3 * min(1, others)


_PLAIN_CHOICE = 9.0
"""An ambiguous word asked for by itself: nothing is nearer."""
_OF_TOPICS = frozenset(("垃圾", "桶", "类型", "类别", "分类"))


def _topical(parsed: Parse) -> bool:
    """「湿垃圾袋子」: words of sorting beside the thing ask for more than its bin."""
    return any(text in _OF_TOPICS for _, text, _ in parsed.pieces)


def _known(things: Sequence[Thing], index: Index) -> tuple[Thing, ...]:
    """The things of the knowledge among them; of a compound, its head."""
    known = [thing if not thing.inferred else _head_of(thing, index) for thing in things]
    return tuple(thing for thing in known if thing)[:MOST_ITEMS]


def _head_of(thing: Thing, index: Index) -> Thing | None:
    if thing.rule != "head":
        return None
    for start in range(1, len(thing.name) - 1):
        if (word := index.lexicon.get(thing.name[start:])) and word.item:
            return _known_thing(word.item, "head")
    return None


def _things(parsed: Parse, heard: bool, index: Index) -> tuple[tuple[Thing, ...], Choice | None]:
    """The things asked for, and the ambiguous word if the message names only one."""
    things: list[Thing] = []
    choice: Choice | None = None
    for noun in parsed.nouns[:MOST_ITEMS]:
        word = noun.word
        if word and word.choice and len(parsed.nouns) == 1 and _plain_tail(noun, index):
            choice = word.choice
        if word and noun.exact:
            if word.item:
                things.append(_known_thing(word.item, "name"))
            elif word.choice and not choice:
                things.append(_first_case(word.choice))
            continue
        found = _safely(noun, _found(noun, heard, index), index)
        if found and not (things and found.rule == "inferred" and found.score < _SURELY_ONE_MORE):
            things.append(found)
    return tuple(things), choice


def _safely(noun: Noun, found: Thing | None, index: Index) -> Thing | None:
    """Likeness, sound and heads may point to hazardous, never away from it."""
    if found is None or found.category == "hazardous" or found.rule not in ("sound", "alike", "head"):
        return found
    named = noun.word.item if noun.word else None
    if named and named.category == "hazardous":
        return Thing(noun.text, "hazardous", _WORTH["head"], "head")
    guess = _inferred(noun.text, index)
    return guess if guess and guess.category == "hazardous" else found


_SURELY_ONE_MORE = 0.75
"""A word that is not in the knowledge counts as one more thing of a list from this score of its inferred bin."""


def _first_case(choice: Choice) -> Thing:
    """An ambiguous word in a list of things: its most usual case."""
    return Thing(choice.word, choice.options[0].category or "residual", 0.6, "first case")


def _plain_tail(noun: Noun, index: Index) -> bool:
    """Whether a noun is its word and nothing that would make it another thing."""
    return not noun.modifier and (not noun.tail or not index.infer.is_noun(noun.text, noun.tail))


def _known_thing(item: Item, rule: str) -> Thing:
    return Thing(item.name, item.category, _WORTH[rule], rule, item)


def _found(noun: Noun, heard: bool, index: Index) -> Thing | None:
    """A noun that is not a word of the dictionary: by sound (where `heard`), as a compound, by
    likeness, or inferred."""
    text = noun.text
    if noun.word and noun.word.item and noun.tail in _EMPTY_TAILS and not noun.modifier:
        return _known_thing(noun.word.item, "name")
    if noun.word and noun.word.item and noun.tail and not noun.modifier and not index.infer.is_noun(text, noun.tail):
        return Thing(noun.word.item.name, noun.word.item.category, _WORTH["first"], "first", noun.word.item, noun.tail)
    if heard and (word := _item_word(index.lexicon.sounding(text))):
        return _known_thing(word, "sound")
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


_EMPTY_TAILS = frozenset(("子", "儿", "仔", "头", "们", "少", "洒", "里", "边"))


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


def _ranked(folded: Folded, index: Index) -> list[Hit]:
    """Entries near the whole message, or near the part of it that asks: people tell a story first."""
    hits = {hit.entry: hit for hit in index.phrases.rank(folded.tight)}
    if len(folded.segments) > 1:
        for segment in folded.segments:
            if len(segment) < _SHORTEST_QUESTION or not ASKS.search(segment):
                continue
            for hit in index.phrases.rank(segment):
                part = replace(hit, score=hit.score * _PART)
                if hit.entry not in hits or hits[hit.entry].score < part.score:
                    hits[hit.entry] = part
    return sorted(hits.values(), key=lambda hit: (-hit.score, hit.entry))


_SHORTEST_QUESTION = 4
_PART = 0.85
"""What an entry near a part of the message counts against one near the whole."""


_OWN_TOPIC, _SAME_TOPIC, _LOCAL = 0.2, 0.1, 0.15
_SOMEWHAT_LOCAL = 0.55


def _with_bonus(hits: Sequence[Hit], things: Sequence[Thing], about: str, local: bool, index: Index) -> list[Hit]:
    """Entries of the topic a thing belongs to, or that was talked of before, come a little nearer; so do local facts
    where a place, a time or a person is asked for."""
    own = {thing.item.topic for thing in things if thing.item and thing.item.topic}
    lifted = []
    for hit in hits:
        slug, entry = index.entries[hit.entry]
        bonus = (_OWN_TOPIC if slug in own else 0.0) + (_SAME_TOPIC if about and slug == about else 0.0)
        bonus += _LOCAL if local and entry.local and hit.score >= _SOMEWHAT_LOCAL else 0.0
        lifted.append(Hit(hit.entry, hit.phrase, hit.score + bonus, hit.likeness) if bonus else hit)
    return sorted(lifted, key=lambda hit: (-hit.score, hit.entry))


def _candidates(things: Sequence[Thing], choice: Choice | None, hits: Sequence[Hit]) -> tuple[Candidate, ...]:
    found = [Candidate(f"items/{thing.name}", round(thing.score, 3), thing.rule) for thing in things]
    if choice:
        found.append(Candidate(f"choices/{choice.word}", 0.9, "ambiguous word"))
    found += [Candidate(hit.entry, round(min(1.0, _topic_score([hit])), 3), f"phrase: {hit.phrase}") for hit in hits]
    return tuple(sorted(found, key=lambda candidate: (-candidate.score, candidate.entry)))


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
