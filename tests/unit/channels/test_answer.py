"""The answer object, to the letter of the outside contract."""

from __future__ import annotations

import json

import pytest

from bot.channels.answer import answer_object, answer_response, timed
from bot.records import Alert, Inbound, ItemAnswer, Option, Reply

ASKED = Inbound(kind="message", message_id="w1", sender="u1", text="奶茶杯扔哪个桶", echo={"id": "m1"})


def test_the_example_of_the_contract():
    reply = Reply(
        "answer",
        "奶茶杯：干垃圾",
        topic="waste.item",
        entry="items/奶茶杯",
        items=(ItemAnswer("奶茶杯", "residual", "干垃圾"),),
        score=0.97,
        detail="…",
        alert=Alert("x"),
    )
    answer = answer_object(ASKED, reply, 0.4)
    assert answer == {
        "id": "m1",
        "to": "u1",
        "action": "answer",
        "topic": "waste.item",
        "entry": "items/奶茶杯",
        "items": [{"name": "奶茶杯", "category": "residual", "label": "干垃圾", "inferred": False}],
        "options": [],
        "record": None,
        "text": "奶茶杯：干垃圾",
        "reason": None,
        "score": 0.97,
        "latency_ms": 0.4,
    }
    assert list(answer) == "id to action topic entry items options record text reason score latency_ms".split()


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        pytest.param(Reply("silent", "x", reason="unsure"), {"text": "", "reason": "unsure"}, id="silent-has-no-text"),
        pytest.param(
            Reply(
                "clarify",
                "哪一种？",
                options=(Option("干电池", "waste.item", "residual", "items/干电池"), Option("其他")),
            ),
            {
                "options": [
                    {"label": "干电池", "topic": "waste.item", "category": "residual"},
                    {"label": "其他", "topic": None, "category": None},
                ]
            },
            id="options-without-target",
        ),
        pytest.param(Reply("done", record={"kind": "checkin"}), {"record": {"kind": "checkin"}}, id="record"),
    ],
)
def test_answers(reply, expected):
    answer = answer_object(ASKED, reply, 0)
    assert {key: answer[key] for key in expected} == expected


def test_a_nameless_user_and_a_made_up_id():
    answer = answer_object(Inbound(kind="message", message_id="fresh", sender=""), Reply("answer"), 0)
    assert (answer["id"], answer["to"]) == ("fresh", None)


def test_the_response_is_cut_and_timed():
    response = answer_response(timed(ASKED, 12.34567), Reply("answer", "长" * 100), 30)
    assert response.content_type == "application/json"
    answer = json.loads(response.body)
    assert (answer["text"], answer["latency_ms"], answer["id"]) == ("长" * 9 + "…", 12.346, "m1")


def test_without_a_turn_the_latency_is_zero():
    assert json.loads(answer_response(ASKED, Reply("answer", "好"), 30).body)["latency_ms"] == 0
