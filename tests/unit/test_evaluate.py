"""What counts as right, kind by kind, and the interval of each accuracy."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.errors import FaultyFile
from bot.evaluate import Question, Score, askings, judge, read_questions, right, wilson
from bot.records import ItemAnswer, Option, Reply


def item(name: str, category: str) -> ItemAnswer:
    return ItemAnswer(name, category, "…")


def answer(*items: ItemAnswer, topic: str | None = "waste.item", text: str = "") -> Reply:
    return Reply("answer", text, topic=topic, items=items)


def clarify(*cases: tuple[str, str | None]) -> Reply:
    return Reply("clarify", options=tuple(Option(label, category=category) for label, category in cases))


def question(kind: str, expect: dict[str, Any], **more: Any) -> Question:
    return Question("q1", "…", kind, expect, **more)


LAMP = {"item": "灯管", "category": "hazardous"}
SHAVER = {"item": "剃须刀", "category": "e-waste"}
PAIR = {"items": [{"item": "鱼骨", "category": "food"}, {"item": "大骨", "category": "residual"}]}
SAME = {"items": [{"item": "甲", "category": "food"}, {"item": "乙", "category": "residual"}]}
OIL = {
    "clarify": True,
    "options": [{"option": "食用油", "category": "oil"}, {"option": "机油", "category": "hazardous"}],
}
NAMES = {"clarify": True, "options": [{"option": "修剪"}, {"option": "砍树"}]}
FAQ = {"topic": "noise", "accept_topics": ["construction_waste"], "facts": [["18时", "18:00"], ["居委"]]}


@pytest.mark.parametrize(
    ("kind", "expect", "reply", "is_right"),
    [
        pytest.param("item", LAMP, answer(item("灯管", "hazardous")), True, id="item"),
        pytest.param("item", LAMP, answer(item("灯管", "residual")), False, id="item-wrong-bin"),
        pytest.param("item", LAMP, Reply("fallback", topic="waste.item"), False, id="item-fallback"),
        pytest.param("item", LAMP, answer(topic="lamp"), False, id="item-by-a-topic-not-accepted"),
        pytest.param("item", {**LAMP, "accept_topics": ["lamp"]}, answer(topic="lamp"), True, id="item-by-its-topic"),
        pytest.param(
            "item", {**LAMP, "accept": ["residual"]}, answer(item("灯管", "residual")), True, id="item-accepted"
        ),
        pytest.param("item", SHAVER, answer(item("剃须刀", "recyclable")), True, id="item-ewaste-may-be-recyclable"),
        pytest.param("item", SHAVER, answer(item("剃须刀", "ewaste")), True, id="item-ewaste-in-either-spelling"),
        pytest.param(
            "item", LAMP, answer(item("灯座", "residual"), item("灯管", "hazardous")), True, id="item-among-parts"
        ),
        pytest.param("item", LAMP, answer(*[item("灯管", "hazardous")] * 4), False, id="item-among-too-many"),
        pytest.param(
            "multi", PAIR, answer(item("大骨", "residual"), item("鱼骨", "food")), True, id="multi-paired-by-name"
        ),
        pytest.param("multi", PAIR, answer(item("鱼骨", "food")), False, id="multi-one-missing"),
        pytest.param("multi", PAIR, answer(item("鱼骨", "food"), item("大骨", "food")), False, id="multi-one-wrong"),
        pytest.param(
            "multi", SAME, answer(item("丙", "food"), item("丁", "residual")), True, id="multi-paired-by-order"
        ),
        pytest.param("multi", SAME, answer(item("丙", "residual"), item("丁", "food")), False, id="multi-order-counts"),
        pytest.param("clarify", OIL, clarify(("食用油", "oil"), ("机油", "hazardous")), True, id="clarify"),
        pytest.param("clarify", OIL, clarify(("食用油", "oil"), ("汽油", "oil")), False, id="clarify-one-bin-only"),
        pytest.param(
            "clarify", OIL, clarify(("有害垃圾", "hazardous"), ("油", "oil")), False, id="clarify-names-a-bin"
        ),
        pytest.param("clarify", OIL, clarify(("食用油", "oil")), False, id="clarify-no-choice"),
        pytest.param("clarify", OIL, clarify(*[("油", "oil"), ("机油", "hazardous")] * 3), False, id="clarify-six"),
        pytest.param(
            "clarify", OIL, answer(item("食用油", "oil"), item("机油", "hazardous")), True, id="clarify-listed"
        ),
        pytest.param("clarify", NAMES, clarify(("修剪树枝", None), ("砍树移树", None)), True, id="clarify-by-words"),
        pytest.param("clarify", NAMES, clarify(("修剪树枝", None), ("浇水", None)), False, id="clarify-other-words"),
        pytest.param("faq", FAQ, answer(topic="noise"), True, id="faq"),
        pytest.param("faq", FAQ, answer(topic="construction_waste"), True, id="faq-accepted-topic"),
        pytest.param("faq", FAQ, Reply("clarify", topic="noise"), False, id="faq-asked-back"),
        pytest.param(
            "local", {"topic": "local_contact"}, Reply("handoff", topic="local_contact"), True, id="local-handoff"
        ),
        pytest.param(
            "local", {"topic": "local_contact"}, Reply("fallback", topic="local_contact"), False, id="local-fallback"
        ),
        pytest.param("local", {"topic": "local_contact"}, answer(topic="noise"), False, id="local-other-topic"),
        pytest.param("silent", {"silent": True}, Reply("silent"), True, id="silent"),
        pytest.param("silent", {"silent": True}, answer(), False, id="silent-but-spoke"),
    ],
)
def test_right(kind: str, expect: dict[str, Any], reply: Reply, is_right: bool) -> None:
    assert right(question(kind, expect), reply) is is_right


def scored(asked: Question, mentioned: Reply, unmentioned: Reply) -> dict[str, tuple[int, int]]:
    score = Score()
    for asking in askings([asked]):
        judge(score, asking, mentioned if asking.mentioned else unmentioned, 1.0)
    return {name: (score.right[name], score.asked[name]) for name in score.asked}


@pytest.mark.parametrize(
    ("asked", "mentioned", "unmentioned", "figures"),
    [
        pytest.param(
            question("item", LAMP, notes="heldout-item"),
            answer(item("灯管", "residual")),
            Reply("silent"),
            {
                "item": (0, 1),
                "item-unknown": (0, 1),
                "no wrong answer": (0, 1),
                "no needless clarify": (1, 1),
                "hazard safe": (0, 1),
                "helpful": (0, 1),
                "not meddling": (1, 1),
            },
            id="a-dangerous-wrong-answer",
        ),
        pytest.param(
            question("item", LAMP, mention=True),
            clarify(("灯管", "hazardous"), ("灯座", "residual")),
            Reply("silent"),
            {
                "item": (0, 1),
                "item-known": (0, 1),
                "no wrong answer": (1, 1),
                "no needless clarify": (0, 1),
                "hazard safe": (1, 1),
            },
            id="a-needless-question-back",
        ),
        pytest.param(
            question("faq", FAQ),
            answer(topic="noise", text="１８：００后 居 委"),
            answer(topic="lamp"),
            {
                "faq": (1, 1),
                "faq+facts": (1, 1),
                "no wrong answer": (1, 1),
                "no needless clarify": (1, 1),
                "helpful": (0, 1),
                "not meddling": (0, 1),
            },
            id="facts-in-any-width-then-meddling",
        ),
        pytest.param(
            question("faq", FAQ),
            answer(topic="noise", text="18时，居委" + "长" * 400),
            answer(topic="noise"),
            {
                "faq": (1, 1),
                "faq+facts": (0, 1),
                "no wrong answer": (1, 1),
                "no needless clarify": (1, 1),
                "helpful": (1, 1),
                "not meddling": (1, 1),
            },
            id="facts-in-too-long-a-text",
        ),
        pytest.param(
            question("silent", {"silent": True}),
            answer(),
            Reply("silent"),
            {"silent": (1, 1)},
            id="silence-is-judged-unmentioned",
        ),
    ],
)
def test_figures(asked: Question, mentioned: Reply, unmentioned: Reply, figures: dict[str, tuple[int, int]]) -> None:
    assert scored(asked, mentioned, unmentioned) == figures


def test_a_conversation_is_prepared_in_both_rounds_and_never_judged() -> None:
    asked = list(askings([question("silent", {"silent": True}, context=("早", "好"))]))
    assert [(a.message_id, a.text, a.mentioned, a.answers) for a in asked] == [
        ("q1/1#0", "早", True, False),
        ("q1/1#1", "好", True, False),
        ("q1/1", "…", True, True),
        ("q1/0#0", "早", True, False),
        ("q1/0#1", "好", True, False),
        ("q1/0", "…", False, True),
    ]


def test_wrong_ones_are_kept_with_the_reply_that_was_judged() -> None:
    score = Score()
    for asking in askings([question("silent", {"silent": True})]):
        judge(score, asking, answer(), 1.0)
    (wrong,) = score.wrong
    assert wrong.asking.mentioned is False


@pytest.mark.parametrize(
    ("good", "asked", "low", "high"),
    [
        pytest.param(90, 100, 82.6, 94.5, id="90-of-100"),
        pytest.param(180, 200, 85.1, 93.4, id="180-of-200"),
        pytest.param(190, 200, 91.0, 97.3, id="190-of-200"),
        pytest.param(10, 10, 72.2, 100.0, id="10-of-10"),
        pytest.param(0, 0, 0.0, 100.0, id="none-asked"),
    ],
)
def test_wilson(good: int, asked: int, low: float, high: float) -> None:
    assert tuple(round(100 * edge, 1) for edge in wilson(good, asked)) == (low, high)


def test_the_table_names_rates_intervals_and_times() -> None:
    score = Score(times=[3.0, 1.0, 2.0])
    score.count("item", True)
    score.count("item", False)
    low, high = wilson(1, 2)
    assert score.table() == {
        "item": {"right": 1, "of": 2, "rate": 0.5, "low": low, "high": high},
        "latency_ms": {"p50": 2.0, "p99": 3.0},
    }


def test_answers_are_told_by_the_band_of_their_score() -> None:
    given = [(0.5, True), (0.599, False), (0.9, True), (0.94, True), (0.95, True), (1.0, False)]
    bands = Score(sure=given).reliability()
    assert [(band.low, band.high, band.answers, band.right) for band in bands] == [
        (0.5, 0.6, 2, 1),
        (0.9, 0.95, 2, 2),
        (0.95, 1.0, 2, 1),
    ]
    assert [round(band.mean_score, 4) for band in bands] == [0.5495, 0.92, 0.975]
    low, high = wilson(1, 2)
    assert bands[0].row() == {
        "from": 0.5, "to": 0.6, "answers": 2, "mean_score": bands[0].mean_score, "right": 1, "rate": 0.5,
        "low": low, "high": high,
    }  # fmt: skip


def test_only_answers_to_mentioned_questions_have_a_band() -> None:
    score = Score()
    for asked in (question("item", LAMP), question("silent", {"silent": True}), question("faq", FAQ)):
        for asking in askings([asked]):
            judge(score, asking, clarify() if asked.kind == "faq" else answer(item("灯管", "hazardous")), 1.0)
    assert score.sure == [(0.0, True)]


GOOD = {"id": "d1", "text": "灯管", "kind": "item", "expect": LAMP, "mention": True, "notes": "bare"}


def test_questions_are_read_and_blank_lines_skipped() -> None:
    (found,) = read_questions(["", json.dumps(GOOD), "\n"], "q.jsonl")
    assert found == Question("d1", "灯管", "item", LAMP, mention=True, notes="bare")


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("{", id="no-json"),
        pytest.param("[]", id="no-object"),
        pytest.param(json.dumps(GOOD | {"kind": "riddle"}), id="unknown-kind"),
        pytest.param(json.dumps(GOOD | {"expect": None}), id="no-expectation"),
        pytest.param(json.dumps(GOOD | {"expect": {"item": "灯管"}}), id="no-category"),
        pytest.param(json.dumps({"id": "d1"}), id="no-text"),
    ],
)
def test_every_faulty_line_is_named(line: str) -> None:
    with pytest.raises(FaultyFile) as raised:
        read_questions([json.dumps(GOOD), line, line], "q.jsonl")
    assert [(fault.file, fault.line) for fault in raised.value.faults] == [("q.jsonl", 2), ("q.jsonl", 3)]
