"""Whether an answer stays the same when a question is mistyped: every question with ten realistic distortions.

    python -m benchmarks perturbation [FILE] [--failures N]

A distortion changes one character, or the way all are written, and none that carries the meaning: no negation, no
number, and none by which the name of another thing of the knowledge comes about; none is dropped of a name of two.
FILE: questions, in the format of `kb eval`; silent ones are not asked. All that is random comes from a fixed seed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.site import KNOWLEDGE, ROOT, free_port, make_site
from benchmarks.table import Row
from bot import settings as config
from bot.asking import Asker, unchanged
from bot.assembly import make_brain, make_turns, nobody_alerted
from bot.evaluate import Question, read_questions
from bot.kb.load import Knowledge, load
from bot.records import Inbound, ItemAnswer, Reply
from bot.storage.memory import MemoryStore

QUESTIONS = ROOT / "tests/questions/heldout_a.jsonl"
LOOKALIKES = Path(__file__).parent / "lookalikes.txt"
PINYIN, SIMPLIFIED = (ROOT / "bot/matching/tables" / name for name in ("pinyin.txt", "simplified.txt"))
MOST_QUESTIONS = 300
DISTORTIONS = 10
BAR = 95.0
SEED = 7

_COMMON = 20
"""A character is common that stands at least so often in the knowledge's phrases and names."""
_LONGEST_WORD = 8
_MEANING = frozenset("不没无非未别勿冇唔0123456789一二三四五六七八九十两")
_FILLERS = ("请问", "那个", "哎", "想问一下", "麻烦问下", "小绿", "老师")
_TAILS = ("呀", "啊", "呢", "哦", "谢谢", "谢谢啦", "，急")
_EMOJI = "🤔🙏😂👍😅❓🙋😭😊🌹💪"
_MARKS = ("？", "？？", "。", "！", "?", "…", "～", "?!", "。。。")
_ANY_MARK = frozenset("，。？！、；：,.?!;:~～… ")


class Distorter:
    """Distorts questions; the same for the same seed."""

    def __init__(self, knowledge: Knowledge, seed: int = SEED) -> None:
        self._random = random.Random(seed)
        texts = [word for item in knowledge.items for word in item.words]
        texts += [phrase for _, entry in knowledge.entries() for phrase in entry.ask]
        counted = Counter(char for text in texts for char in text)
        common = {char for char, count in counted.items() if count >= _COMMON}
        self._words = {word for item in knowledge.items for word in item.words}
        self._words |= {word for choice in knowledge.choices for word in choice.words}
        self._sounds = _homophones(common)
        self._shapes = lookalikes()
        self._traditional = _traditional()
        self._emoji = [emoji for emoji in _EMOJI if emoji not in knowledge.synonyms.emoji]

    def kinds(self) -> Mapping[str, Callable[[str], Iterator[str]]]:
        """Kind of distortion → all of it that a text may undergo, in random order."""
        return {
            "typo by sound": lambda text: self._typos(text, self._sounds),
            "typo by shape": lambda text: self._typos(text, self._shapes),
            "dropped character": self._dropped,
            "doubled character": self._doubled,
            "traditional": self._in_traditional,
            "full width": self._full_width,
            "emoji": self._with_emoji,
            "filler": self._with_filler,
            "punctuation": self._punctuated,
        }

    def distort(self, text: str) -> list[tuple[str, str]]:
        """(kind, distorted) ten times, all different: one of each kind that can be, then again from the first."""
        found: list[tuple[str, str]] = []
        seen = {text}
        left = [(kind, make(text)) for kind, make in self.kinds().items()]
        while left and len(found) < DISTORTIONS:
            kind, made = left.pop(0)
            new = next((one for one in made if one not in seen), None)
            if new is not None:
                seen.add(new)
                found.append((kind, new))
                left.append((kind, made))
        return found

    def _places(self, text: str) -> list[int]:
        """Where one character may be changed, in random order."""
        places = [n for n, char in enumerate(text) if "\u4e00" <= char <= "\u9fff" and char not in _MEANING]
        self._random.shuffle(places)
        return places

    def _typos(self, text: str, alike: Mapping[str, Sequence[str]]) -> Iterator[str]:
        for n in self._places(text):
            others = list(alike.get(text[n], ()))
            self._random.shuffle(others)
            for other in others[:1]:
                made = text[:n] + other + text[n + 1 :]
                if not self._names_another(made, n, n + 1):
                    yield made

    def _dropped(self, text: str) -> Iterator[str]:
        for n in self._places(text):
            made = text[:n] + text[n + 1 :]
            halves = (text[max(0, n - 1) : n + 1], text[n : n + 2])
            if len(made) > 1 and not self._words.intersection(halves) and not self._shortens(text, n):
                yield made

    def _doubled(self, text: str) -> Iterator[str]:
        for n in self._places(text):
            made = text[: n + 1] + text[n:]
            if not self._names_another(made, n, n + 2):
                yield made

    def _names_another(self, text: str, start: int, end: int) -> bool:
        """Whether a name of the knowledge stands in a text that takes in what was changed there."""
        return any(
            text[first:last] in self._words
            for first in range(max(0, end - _LONGEST_WORD), start + 1)
            for last in range(max(end, first + 2), min(len(text), first + _LONGEST_WORD) + 1)
        )

    def _shortens(self, text: str, n: int) -> bool:
        """Whether a name without its character at `n` is another name."""
        return any(
            text[first:last] in self._words and text[first:n] + text[n + 1 : last] in self._words
            for first in range(max(0, n - _LONGEST_WORD), n + 1)
            for last in range(n + 1, min(len(text), first + _LONGEST_WORD) + 1)
        )

    def _in_traditional(self, text: str) -> Iterator[str]:
        yield "".join(self._traditional.get(char, char) for char in text)

    def _full_width(self, text: str) -> Iterator[str]:
        yield "".join(
            "\u3000" if char == " " else chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text
        )

    def _with_emoji(self, text: str) -> Iterator[str]:
        while True:
            emoji = self._random.choice(self._emoji)
            yield self._random.choice((f"{text}{emoji}", f"{emoji}{text}", f"{text}{emoji}{emoji}"))

    def _with_filler(self, text: str) -> Iterator[str]:
        while True:
            head, tail = self._random.choice(_FILLERS), self._random.choice(_TAILS)
            yield self._random.choice((f"{head}{text}", f"{head}，{text}", f"{text}{tail}", f"{head}{text}{tail}"))

    def _punctuated(self, text: str) -> Iterator[str]:
        """Other marks at the end; those between words tell them apart."""
        bare = text.rstrip("".join(_ANY_MARK))
        while True:
            yield f"{bare}{self._random.choice(('', *_MARKS))}"


def lookalikes() -> dict[str, list[str]]:
    """Character → those it is taken for by its shape."""
    alike: dict[str, list[str]] = defaultdict(list)
    for line in LOOKALIKES.read_text("utf-8").splitlines():
        for one, other in () if line.startswith("#") else line.split():
            for char, mistaken in ((one, other), (other, one)):
                if mistaken not in alike[char]:
                    alike[char].append(mistaken)
    return dict(alike)


def _homophones(common: set[str]) -> dict[str, list[str]]:
    """Common character → other common ones of its syllable, tones aside."""
    alike: dict[str, list[str]] = {}
    for line in PINYIN.read_text("utf-8").splitlines():
        chars = [char for char in line.partition(" ")[2] if char in common]
        alike.update({char: [other for other in chars if other != char] for char in chars})
    return alike


def _traditional() -> dict[str, str]:
    """Simplified character → the traditional one that the package's table turns into it."""
    found: dict[str, str] = {}
    pairs = SIMPLIFIED.read_text("utf-8").strip()
    for old, simple in zip(pairs[::2], pairs[1::2], strict=True):
        found.setdefault(simple, old)
    return found


@dataclass(frozen=True, slots=True)
class Told:
    """What a resident reads, apart from its wording: a name that was only inferred from the text is part of that. An
    entry of a topic is told as it stands, whatever things were seen in the question."""

    reply: Reply

    @property
    def _things(self) -> Sequence[ItemAnswer]:
        return () if (self.reply.entry or "").startswith("topics/") else self.reply.items

    def __str__(self) -> str:
        items = [("" if item.inferred else item.name, item.category) for item in self._things]
        options = [option.label for option in self.reply.options]
        told = [self.reply.action, self.reply.topic, self.reply.entry, items, options]
        return json.dumps(told, ensure_ascii=False)

    def same(self, before: Told) -> bool:
        """Whether it is the same answer: from the same entry, naming the same things and bins."""
        return str(self) == str(before)

    def misleads(self, before: Told) -> bool:
        """Whether it is an answer, and one with other bins, or of another topic, than before."""
        return self.reply.action == "answer" and self._gist() != before._gist()

    def _gist(self) -> tuple[str | None, frozenset[str]]:
        return self.reply.topic, frozenset(item.category for item in self._things)


@dataclass(slots=True)
class Result:
    """By kind: how many were asked, how many got the same answer, and how many were told other bins or another topic;
    and those that did not get the same."""

    asked: Counter[str] = field(default_factory=Counter)
    same: Counter[str] = field(default_factory=Counter)
    misled: Counter[str] = field(default_factory=Counter)
    failures: list[tuple[str, str, str, str, str]] = field(default_factory=list)

    def share(self, kind: str | None = None) -> float:
        """Per cent; of all kinds together where none is named."""
        asked, same = (self.asked[kind], self.same[kind]) if kind else (self.asked.total(), self.same.total())
        return 100 * same / asked if asked else 100.0

    def rows(self) -> list[Row]:
        """The table."""
        rows = [Row("questions and distortions asked", self.asked.total())]
        rows += [Row(f"same answer: {kind} ({count})", self.share(kind), "%") for kind, count in self.asked.items()]
        misled = 100 * self.misled.total() / max(1, self.asked.total())
        rows.append(Row("answered with other bins or another topic, of all", misled, "%"))
        return [*rows, Row("same answer, of all", self.share(), "%", least=BAR)]


def run(file: Path = QUESTIONS) -> list[Row]:
    """The share of answers that stay the same, by kind of distortion."""
    return asyncio.run(measured(file)).rows()


def main(arguments: Sequence[str]) -> None:
    """Print the table for a file, and some of the failures where they are asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks perturbation")
    parser.add_argument("file", nargs="?", type=Path, default=QUESTIONS, metavar="FILE")
    parser.add_argument("--failures", type=int, default=0, metavar="N", help="also print so many failures of each kind")
    given = parser.parse_args(arguments)
    result = asyncio.run(measured(given.file))
    for row in result.rows():
        print(row.line("perturbation"))
    shown: Counter[str] = Counter()
    for kind, text, distorted, before, after in result.failures:
        shown[kind] += 1
        if shown[kind] <= given.failures:
            print(f"{kind}: {text} → {distorted}\n    {before}\n    {after}")


async def measured(file: Path) -> Result:
    """Ask the questions of a file, plain and distorted, each by a person of its own."""
    with file.open(encoding="utf-8") as lines:
        questions = [one for one in read_questions(lines, str(file)) if one.kind != "silent"]
    if len(questions) > MOST_QUESTIONS:
        questions = random.Random(SEED).sample(questions, MOST_QUESTIONS)
    asking = await _Asking.begin()
    distorter = Distorter(load(KNOWLEDGE))
    result = Result()
    for question in questions:
        before = await asking.told(question, question.text)
        for kind, text in distorter.distort(question.text):
            after = await asking.told(question, text)
            result.asked[kind] += 1
            result.same[kind] += after.same(before)
            result.misled[kind] += after.misleads(before)
            if not after.same(before):
                result.failures.append((kind, question.text, text, str(before), str(after)))
    return result


class _Asking:
    """The bot, asked in this process."""

    def __init__(self, asker: Asker) -> None:
        self._asker = asker
        self._count = 0

    @classmethod
    async def begin(cls) -> _Asking:
        with tempfile.TemporaryDirectory() as place:
            settings = config.load(make_site(Path(place), port=free_port()), {})
            brain = make_brain(settings, KNOWLEDGE, datetime.now(settings.site.timezone).date())
        store = MemoryStore()
        await store.start()
        return cls(Asker(make_turns(settings, store, lambda: brain, nobody_alerted), "gateway", unchanged))

    async def told(self, question: Question, text: str) -> Told:
        """What is told to a person who says a text, after what was said before in the question's conversation."""
        self._count += 1
        for n, line in enumerate((*question.context, text)):
            name = f"p{self._count}"
            asked = Inbound("message", f"{name}#{n}", name, f"g{name}", line, session=name, sent_at=datetime.now(UTC))
            reply = (await self._asker.take(asked)).reply
        return Told(reply)
