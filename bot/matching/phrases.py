"""Which entry a question asks for: rare n-grams shared with its ways of asking, then likeness to the best of them."""

from __future__ import annotations

import math
import re
from array import array
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from bot.matching import likeness
from bot.matching.plain import Plain, numbers, unpacked, unpacked_weights, weights

_WEIGHT = (0.0, 0.55, 1.0)
"""Weight of an n-gram by its length."""
_UNSEEN = 6.0
"""Rarity of an n-gram that no entry holds."""
_SHORT_LIST = 5
_LIKENESS_OF_CONTENT, _LIKENESS_OF_ALL = 0.6, 0.4
"""How much likeness counts, without the words every question has, and as a whole."""
_COMPANY = 0.06
"""What an entry gains from the scores of other near entries of its topic."""
_SAME = 0.6
"""What an entry gains that holds the very words asked."""
_BUDGET = 700
"""Postings looked at for one question, rarest n-grams first."""
_EVERY_QUESTION = re.compile(
    r"怎么办|怎么样|怎么|怎样|如何|咋办|咋|什么|啥|哪里|哪儿|哪个|哪|吗|么|呢|啊|可以|能不能|可不可以|是不是|要不要|会不会"
    r"|应该|请问|多少|几|要|会|能|的|了|是|有|在|我|家|你|我们|小区|不"
)


@dataclass(frozen=True, slots=True)
class Hit:
    """An entry, its way of asking most like the question, and why.

    Rarity shared, likeness of the words that not every question has, likeness of all words: 0 to 1 each; and a score
    made of them, about 0 to 2."""

    entry: str
    phrase: str
    score: float
    shared: float
    content: float
    alike: float


def compile_phrases(entries: Mapping[str, Sequence[str]]) -> Plain:
    """`entries`: name of an entry → its folded phrases."""
    names = sorted(entries)
    phrases = [list(dict.fromkeys(entries[name])) for name in names]
    counts = [_counted(own) for own in phrases]
    spread: Counter[str] = Counter()
    for own in counts:
        spread.update(own.keys())
    total = len(counts) + 1
    rarity = {gram: math.log(total / (seen + 0.5)) * _WEIGHT[len(gram)] for gram, seen in spread.items()}
    postings: defaultdict[str, list[tuple[int, float]]] = defaultdict(list)
    for n, own in enumerate(counts):
        size = len(phrases[n]) or 1
        vector = {gram: rarity[gram] * math.sqrt(seen / size) for gram, seen in own.items()}
        norm = math.sqrt(_length(vector.values())) or 1.0
        for gram, weight in vector.items():
            postings[gram].append((n, weight / norm))
    return {
        "names": names,
        "phrases": phrases,
        "contents": [[_content(phrase) for phrase in own] for own in phrases],
        "own": {phrase: n for n, own in enumerate(phrases) for phrase in own},
        "total": total,
        "postings": {
            gram: (numbers(n for n, _ in found), weights(weight for _, weight in found))
            for gram, found in postings.items()
        },
    }


class Phrases:
    """An index of entries by their ways of asking."""

    def __init__(self, plain: Plain) -> None:
        self._names: list[str] = plain["names"]
        self._topics = [topic_of(name) for name in self._names]
        self._phrases: list[list[str]] = plain["phrases"]
        self._contents: list[list[str]] = plain["contents"]
        self._own: dict[str, int] = plain["own"]
        self._total: int = plain["total"]
        self._postings: dict[str, tuple[bytes, bytes]] = plain["postings"]
        self._used: dict[str, tuple[float, array[int], array[float]]] = {}

    def rank(self, text: str, topics: Collection[str] = (), limit: int = _SHORT_LIST) -> list[Hit]:
        """The entries most like the folded text (without spaces), best first; ties by entry. Of each of `topics` the
        nearest entry is among those looked at."""
        known = []
        norm = 0.0
        for gram in _grams(text):
            posting = self._used.get(gram) or self._posting(gram)
            norm += posting[0] * posting[0]
            if posting[1]:
                known.append(posting)
        known.sort(key=_spread)
        shared: dict[int, float] = {}
        get = shared.get
        budget = _BUDGET
        for rarity, entries, own in known:
            for n, weight in zip(entries, own):  # noqa: B905 — of one length by construction, and the innermost loop
                shared[n] = get(n, 0.0) + rarity * weight
            budget -= len(entries)
            if budget < 0:
                break
        ranked = sorted(shared, key=shared.__getitem__, reverse=True)
        best = ranked[:_SHORT_LIST]
        if text in self._own and self._own[text] not in best:
            best.append(self._own[text])
        for topic in topics:
            best += [n for n in ranked if self._topics[n] == topic and n not in best][:1]
        content = _content(text)
        norm = math.sqrt(norm)
        hits = [self._hit(text, content, n, get(n, 0.0) / norm) for n in best]
        return self._in_company(hits)[: limit + len(topics)]

    def _posting(self, gram: str) -> tuple[float, array[int], array[float]]:
        """Rarity of an n-gram and the entries that hold it with their weights; kept unpacked: few are ever used."""
        packed = self._postings.get(gram, (b"", b""))
        spread = len(packed[0]) // 4
        rarity = math.log(self._total / (spread + 0.5)) if spread else _UNSEEN
        found = (rarity * _WEIGHT[len(gram)], unpacked(packed[0]), unpacked_weights(packed[1]))
        if spread:
            self._used[gram] = found
        return found

    def _hit(self, text: str, content: str, n: int, shared: float) -> Hit:
        """One entry by its most alike phrase."""
        at, content_alike = likeness.best(content, self._contents[n])
        phrase = self._phrases[n][at]
        alike = likeness.of(text, phrase)
        score = shared + _LIKENESS_OF_CONTENT * content_alike + _LIKENESS_OF_ALL * alike
        return Hit(self._names[n], phrase, score, shared, content_alike, alike)

    def _in_company(self, near: Sequence[Hit]) -> list[Hit]:
        """Near entries of one topic strengthen each other; best first."""
        together: dict[str, float] = {}
        for hit in near:
            topic = topic_of(hit.entry)
            together[topic] = together.get(topic, 0.0) + hit.score
        hits = []
        for hit in near:
            company = _COMPANY * (together[topic_of(hit.entry)] - hit.score)
            hits.append(replace(hit, score=hit.score + company + _SAME * (hit.alike >= 1.0)))
        return sorted(hits, key=lambda hit: (-hit.score, hit.entry))


def topic_of(entry: str) -> str:
    """The slug of `topics/<slug>/<id>`."""
    return entry.split("/", 2)[1]


def _spread(posting: tuple[float, array[int], array[float]]) -> int:
    return len(posting[1])


def _content(text: str) -> str:
    """The text without the words that every question has, unless nothing would be left."""
    bare = _EVERY_QUESTION.sub("", text)
    return bare if len(bare) >= 2 else text


def _counted(phrases: Iterable[str]) -> Counter[str]:
    counted: Counter[str] = Counter()
    for phrase in phrases:
        counted.update(list(_grams(phrase)))
    return counted


def _grams(text: str) -> dict[str, None]:
    """Pairs and single characters, each once, in order: sums come out the same in every run."""
    size = len(text)
    return dict.fromkeys(text[n : n + length] for length in (2, 1) for n in range(size - length + 1))


def _length(values: Iterable[float]) -> float:
    return math.sqrt(sum(value * value for value in values))
