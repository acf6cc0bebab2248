"""Which entry a question asks for: rare n-grams shared with its ways of asking, then likeness to the best of them."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from bot.matching import likeness
from bot.matching.plain import Plain, numbers, weights

_WEIGHT = (0.0, 0.55, 1.0)
"""Weight of an n-gram by its length."""
_COMMON = 50
"""An n-gram of more entries than this has a weight for every entry, in a row of a matrix."""
_ROW = -1
"""Marks such an n-gram: in the place of where its entries begin; the number of its row follows."""
_UNSEEN = 6.0
"""Rarity of an n-gram that no entry holds."""
_SHORT_LIST = 4
_LIKENESS_OF_CONTENT, _LIKENESS_OF_ALL = 0.6, 0.4
"""How much likeness counts, without the words every question has, and as a whole."""
_COMPANY = 0.06
"""What an entry gains from the scores of other near entries of its topic."""
_SAME = 0.6
"""What an entry gains that holds the very words asked."""
_EVERY_QUESTION = re.compile(
    r"怎么办|怎么样|怎么|怎样|如何|咋办|咋|什么|啥|哪里|哪儿|哪个|哪|吗|么|呢|啊|可以|能不能|可不可以|是不是|要不要|会不会"
    r"|应该|请问|多少|几|要|会|能|的|了|是|有|在|我|家|你|我们|小区|不"
)


class Hit(NamedTuple):
    """An entry, its way of asking most like the question, and why.

    Rarity shared, likeness of the words that not every question has, likeness of all words: 0 to 1 each; and a score
    made of them, about 0 to 2."""

    entry: str
    topic: str
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
            postings[gram].append((n, rarity[gram] * weight / norm))
    common = [gram for gram, found in postings.items() if len(found) > _COMMON]
    rows = np.zeros((len(common), len(names)), np.float32)
    for row, gram in enumerate(common):
        for n, weight in postings[gram]:
            rows[row, n] = weight
    grams = {gram: (_ROW, row, rarity[gram] ** 2) for row, gram in enumerate(common)}
    rare = [(gram, found) for gram, found in postings.items() if len(found) <= _COMMON]
    at = 0
    for gram, found in rare:
        grams[gram] = (at, at + len(found), rarity[gram] ** 2)
        at += len(found)
    return {
        "names": names,
        "phrases": phrases,
        "contents": [[_content(phrase) for phrase in own] for own in phrases],
        "own": {phrase: n for n, own in enumerate(phrases) for phrase in own},
        "grams": grams,
        "entries": numbers(n for _, found in rare for n, _ in found),
        "weights": weights(weight for _, found in rare for _, weight in found),
        "rows": rows.tobytes(),
    }


class Phrases:
    """An index of entries by their ways of asking."""

    def __init__(self, plain: Plain) -> None:
        self._names: list[str] = plain["names"]
        self._topics = [topic_of(name) for name in self._names]
        of_topic: defaultdict[str, list[int]] = defaultdict(list)
        for n, topic in enumerate(self._topics):
            of_topic[topic].append(n)
        self._of_topic = {topic: np.array(own) for topic, own in of_topic.items()}
        self._phrases: list[list[str]] = plain["phrases"]
        self._contents: list[list[str]] = plain["contents"]
        self._own: dict[str, int] = plain["own"]
        self._grams: dict[str, tuple[int, int, float]] = plain["grams"]
        self._entries = np.frombuffer(plain["entries"], np.uint32).astype(np.intp)
        self._weights = np.frombuffer(plain["weights"], np.float32)
        self._rows = np.frombuffer(plain["rows"], np.float32).reshape(-1, len(self._names))

    def rank(self, text: str, topics: Collection[str] = ()) -> list[Hit]:
        """The few entries most like the folded text (without spaces), best first; ties by entry. Whose own words these
        are, and the nearest entry of each of `topics`, are among them."""
        norm = 0.0
        rows, entries, shares = [], [], []
        for gram in _grams(text):
            if posting := self._grams.get(gram):
                start, end, squared = posting
                norm += squared
                if start == _ROW:
                    rows.append(end)
                else:
                    entries.append(self._entries[start:end])
                    shares.append(self._weights[start:end])
            else:
                norm += (_UNSEEN * _WEIGHT[len(gram)]) ** 2
        if not rows and not entries:
            return []
        shared = self._rows[rows].sum(0)
        if entries:
            shared = shared + np.bincount(np.concatenate(entries), np.concatenate(shares), len(self._names))
        best = np.argpartition(-shared, min(_SHORT_LIST, shared.size) - 1)[:_SHORT_LIST].tolist()
        if text in self._own:
            best.append(self._own[text])
        for topic in topics:
            if (own := self._of_topic.get(topic)) is not None:
                best.append(int(own[shared[own].argmax()]))
        content, scale = _content(text), 1 / math.sqrt(norm)
        found = dict.fromkeys(n for n in best if shared[n])
        return self._in_company([self._hit(text, content, n, float(shared[n]) * scale) for n in found])

    def _hit(self, text: str, content: str, n: int, shared: float) -> Hit:
        """One entry by its most alike phrase."""
        at, content_alike = likeness.best(content, self._contents[n])
        phrase = self._phrases[n][at]
        alike = likeness.of(text, phrase)
        score = shared + _LIKENESS_OF_CONTENT * content_alike + _LIKENESS_OF_ALL * alike
        return Hit(self._names[n], self._topics[n], phrase, score, shared, content_alike, alike)

    def _in_company(self, near: Sequence[Hit]) -> list[Hit]:
        """Near entries of one topic strengthen each other; best first."""
        together: dict[str, float] = {}
        for hit in near:
            together[hit.topic] = together.get(hit.topic, 0.0) + hit.score
        hits = []
        for hit in near:
            company = _COMPANY * (together[hit.topic] - hit.score)
            hits.append(hit._replace(score=hit.score + company + _SAME * (hit.alike >= 1.0)))
        return sorted(hits, key=_best_first)


def _best_first(hit: Hit) -> tuple[float, str]:
    return -hit.score, hit.entry


def topic_of(entry: str) -> str:
    """The slug of `topics/<slug>/<id>`."""
    return entry.split("/", 2)[1]


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
