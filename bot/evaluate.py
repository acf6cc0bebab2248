"""How right the bot is on a question file: which replies count as right, and the accuracy of each kind.

Every question is asked twice, once mentioned and once not, as in shared/tools/score.py, whose figures these are.
"""

from __future__ import annotations

import itertools
import json
import math
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.errors import Fault, FaultyFile
from bot.records import ItemAnswer, Reply

Z95 = 1.96
"""The normal quantile of a 95 % interval."""

_NEEDED: Mapping[str, tuple[str, ...]] = {
    "item": ("category", "item"),
    "multi": ("items",),
    "clarify": ("options",),
    "faq": ("topic",),
    "local": ("topic",),
    "silent": (),
}
_BANDS = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)
"""The edges of the score bands; the last band holds its upper edge."""
_LONGEST_ANSWER = 400
_MOST_PARTS = 3
_SPELLINGS = {"e-waste": "ewaste", "used_oil": "oil"}
_BINS = frozenset(
    ("可回收物", "可回收", "有害垃圾", "有害", "湿垃圾", "干垃圾", "厨余垃圾", "厨余", "其他垃圾", "易腐垃圾",
     "recyclable", "hazardous", "food", "residual")
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Question:
    """One line of a question file; `expect` as domain-facts.md section 15 says for its kind."""

    id: str
    text: str
    kind: str
    expect: Mapping[str, Any]
    mention: bool = False  # the text makes sense only when the bot is addressed
    context: tuple[str, ...] = ()
    notes: str = ""


@dataclass(frozen=True, slots=True)
class Asking:
    """One message to send; `answers` is False for the lines that only prepare the conversation."""

    question: Question
    session: str
    message_id: str
    text: str
    mentioned: bool
    answers: bool


@dataclass(frozen=True, slots=True)
class Wrong:
    """A question and the reply that was wrong."""

    question: Question
    asking: Asking
    reply: Reply


@dataclass(frozen=True, slots=True)
class Band:
    """The answers whose score s is low <= s < high (the last band holds 1 too): how sure they said to be, and how many
    were right."""

    low: float
    high: float
    answers: int
    mean_score: float
    right: int

    def row(self) -> dict[str, float]:
        """from, to, answers, mean_score, right, rate, low, high: the last two are the rate's 95 % interval."""
        low, high = wilson(self.right, self.answers)
        return {
            "from": self.low,
            "to": self.high,
            "answers": self.answers,
            "mean_score": self.mean_score,
            "right": self.right,
            "rate": self.right / self.answers,
            "low": low,
            "high": high,
        }


@dataclass(slots=True)
class Score:
    """Counts by figure: how many were judged, how many were right; the answer times of mentioned questions; and of
    every answer given to them its score, and whether it was right."""

    asked: Counter[str] = field(default_factory=Counter)
    right: Counter[str] = field(default_factory=Counter)
    wrong: list[Wrong] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    sure: list[tuple[float, bool]] = field(default_factory=list)

    def count(self, figure: str, good: bool) -> None:
        """Judge one more under a figure."""
        self.asked[figure] += 1
        self.right[figure] += good

    def table(self) -> dict[str, dict[str, float]]:
        """figure → right, of, rate, low, high; and latency_ms → p50, p99, in the order first counted."""
        table: dict[str, dict[str, float]] = {}
        for figure, asked in self.asked.items():
            low, high = wilson(self.right[figure], asked)
            right = self.right[figure]
            table[figure] = {"right": right, "of": asked, "rate": right / asked, "low": low, "high": high}
        if self.times:
            times = sorted(self.times)
            table["latency_ms"] = {"p50": times[len(times) // 2], "p99": times[int(len(times) * 0.99)]}
        return table

    def reliability(self) -> list[Band]:
        """The bands that hold answers, lowest first: calibrated scores have a mean near their share of right ones."""
        bands = []
        for low, high in itertools.pairwise(_BANDS):
            inside = [one for one in self.sure if low <= one[0] < high or one[0] == high == _BANDS[-1]]
            if inside:
                mean = math.fsum(score for score, _ in inside) / len(inside)
                bands.append(Band(low, high, len(inside), mean, sum(good for _, good in inside)))
        return bands


def read_questions(lines: Iterable[str], file: str) -> list[Question]:
    """The questions of a file, one JSON object a line. Raises FaultyFile with every faulty line."""
    questions: list[Question] = []
    faults: list[Fault] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            questions.append(_question(json.loads(line)))
        except (ValueError, TypeError, KeyError) as exc:
            what = f"'{exc.args[0]}' is missing" if isinstance(exc, KeyError) else f"not a question: {exc}"
            faults.append(Fault(file, number, what, "write one object with id, text, kind and expect a line"))
    if faults:
        raise FaultyFile(faults)
    return questions


def askings(questions: Iterable[Question]) -> Iterator[Asking]:
    """What to send, in order: everything mentioned, then everything not; earlier lines of a conversation first."""
    listed = list(questions)
    for mentioned in (True, False):
        for question in listed:
            session = f"{question.id}/{int(mentioned)}"
            for n, earlier in enumerate(question.context):
                yield Asking(question, session, f"{session}#{n}", earlier, True, answers=False)
            yield Asking(question, session, session, question.text, mentioned, answers=True)


def judge(score: Score, asking: Asking, reply: Reply, latency_ms: float) -> None:
    """Count one reply under every figure it belongs to."""
    question = asking.question
    if asking.mentioned:
        score.times.append(latency_ms)
    good = right(question, reply)
    if asking.mentioned == (question.kind != "silent"):
        _judge_kind(score, question, reply, good)
        if not good:
            score.wrong.append(Wrong(question, asking, reply))
    if not asking.mentioned and question.kind != "silent" and not question.mention:
        score.count("helpful", good)
        score.count("not meddling", good or reply.action == "silent")


def _judge_kind(score: Score, question: Question, reply: Reply, good: bool) -> None:
    score.count(question.kind, good)
    if question.kind == "item":
        score.count("item-unknown" if "heldout-item" in question.notes else "item-known", good)
    if question.kind == "faq":
        score.count("faq+facts", good and _tells_facts(question, reply))
    if question.kind != "silent":
        score.count("no wrong answer", good or reply.action != "answer")
        if reply.action == "answer":
            score.sure.append((reply.score, good))
    if question.kind in ("item", "multi", "faq"):
        score.count("no needless clarify", reply.action != "clarify")
    if question.kind == "item" and _spelled(question.expect["category"]) == "hazardous":
        score.count("hazard safe", good or reply.action != "answer")


def right(question: Question, reply: Reply) -> bool:
    """Whether a reply is right; for `silent` the unmentioned one is meant."""
    return _RIGHT[question.kind](question.expect, reply)


def _right_item(expect: Mapping[str, Any], reply: Reply) -> bool:
    if reply.action != "answer":
        return False
    if not reply.items:
        return reply.topic in expect.get("accept_topics", ())
    # Parts of a thing may be told apart; the one that was asked for counts.
    asked = max(reply.items[:_MOST_PARTS], key=lambda item: _likeness(expect["item"], item))
    return len(reply.items) <= _MOST_PARTS and _spelled(asked.category) in _allowed(expect)


def _right_multi(expect: Mapping[str, Any], reply: Reply) -> bool:
    wants = expect["items"]
    if reply.action != "answer" or len(reply.items) != len(wants):
        return False
    paired = _paired(wants, reply.items)
    return all(_spelled(item.category) in _allowed(want) for want, item in zip(wants, paired, strict=True))


def _paired(wants: Sequence[Mapping[str, Any]], items: Sequence[ItemAnswer]) -> Sequence[ItemAnswer]:
    """The items in the order of `wants`: by likeness of names, then by their own order."""

    def fit(order: Sequence[ItemAnswer]) -> tuple[int, int]:
        alike = sum(_likeness(want["item"], item) for want, item in zip(wants, order, strict=True))
        return alike, sum(ours is theirs for ours, theirs in zip(order, items, strict=True))

    return max(itertools.permutations(items), key=fit)


def _right_clarify(expect: Mapping[str, Any], reply: Reply) -> bool:
    if reply.action not in ("clarify", "answer"):
        return False
    cases = _cases(reply)
    if not 2 <= len(cases) <= 5 or any(label in _BINS for label, _ in cases):
        return False
    need = {_bin_of(option["category"]) for option in expect["options"] if option.get("category")}
    if need:
        return len({_bin_of(category) for _, category in cases} & need) >= min(2, len(need))
    labels = _comparable(" ".join(label for label, _ in cases))
    return sum(_comparable(option["option"])[:2] in labels for option in expect["options"]) >= 2


def _cases(reply: Reply) -> list[tuple[str, str | None]]:
    """(name, category) of the cases a question back, or an answer that lists them, tells apart."""
    if reply.action == "clarify":
        return [(option.label, option.category) for option in reply.options]
    return [(item.name, item.category) for item in reply.items]


def _right_faq(expect: Mapping[str, Any], reply: Reply) -> bool:
    return reply.action == "answer" and _right_topic(expect, reply)


def _right_local(expect: Mapping[str, Any], reply: Reply) -> bool:
    return reply.action in ("answer", "clarify", "handoff") and _right_topic(expect, reply)


def _right_silent(expect: Mapping[str, Any], reply: Reply) -> bool:
    return reply.action == "silent"


def _right_topic(expect: Mapping[str, Any], reply: Reply) -> bool:
    return reply.topic == expect["topic"] or reply.topic in expect.get("accept_topics", ())


_RIGHT = {
    "item": _right_item,
    "multi": _right_multi,
    "clarify": _right_clarify,
    "faq": _right_faq,
    "local": _right_local,
    "silent": _right_silent,
}


def _tells_facts(question: Question, reply: Reply) -> bool:
    text = _comparable(reply.text)
    groups = question.expect.get("facts", ())
    return len(text) <= _LONGEST_ANSWER and all(any(_comparable(word) in text for word in group) for group in groups)


def wilson(right: int, asked: int) -> tuple[float, float]:
    """The Wilson 95 % interval of a sampled share; (0, 1) where nothing was asked."""
    if not asked:
        return 0.0, 1.0
    share, square = right / asked, Z95 * Z95
    scale = 1 + square / asked
    middle = (share + square / (2 * asked)) / scale
    half = Z95 * math.sqrt(share * (1 - share) / asked + square / (4 * asked * asked)) / scale
    return middle - half, middle + half


def _allowed(want: Mapping[str, Any]) -> set[str]:
    """Small appliances are 可回收物 in some cities' guides: recyclable is right wherever ewaste is."""
    given = {_spelled(category) for category in (want.get("category"), *want.get("accept", ())) if category}
    return given | {"recyclable"} if "ewaste" in given else given


def _spelled(category: str) -> str:
    return _SPELLINGS.get(category, category)


def _bin_of(category: str | None) -> str | None:
    spelled = _spelled(category) if category else None
    return "recyclable" if spelled == "ewaste" else spelled


def _likeness(name: str, item: ItemAnswer) -> int:
    return len(set(name) & set(item.name))


def _comparable(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).casefold()
    return "".join(char for char in plain if not char.isspace())


def _question(given: Mapping[str, Any]) -> Question:
    if given["kind"] not in _NEEDED:
        raise ValueError(f"kind is '{given['kind']}', none of {', '.join(_NEEDED)}")
    if not isinstance(given["expect"], Mapping):
        raise ValueError("expect is not an object")
    if lacking := [key for key in _NEEDED[given["kind"]] if key not in given["expect"]]:
        raise ValueError(f"expect lacks {', '.join(lacking)}")
    return Question(
        id=str(given["id"]),
        text=str(given["text"]),
        kind=given["kind"],
        expect=given["expect"],
        mention=bool(given.get("mention", False)),
        context=tuple(given.get("context") or ()),
        notes=given.get("notes") or "",
    )
