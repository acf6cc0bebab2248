"""Greetings, thanks, a call for help or for a person."""

from __future__ import annotations

import pytest

from tests.conftest import Talk


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        pytest.param("你好", "您好，我是小绿。", id="hello"),
        pytest.param("小绿你好呀", "您好，我是小绿。", id="hello-by-name"),
        pytest.param("Hello", "您好，我是小绿。", id="english"),
        pytest.param("早上好", "您好，我是小绿。", id="morning"),
        pytest.param("在吗？", "您好，我是小绿。", id="anybody-there"),
        pytest.param("帮助", "可以问我垃圾怎么分。", id="help"),
        pytest.param("HELP", "可以问我垃圾怎么分。", id="help-in-english"),
        pytest.param("你能做什么？", "可以问我垃圾怎么分。", id="what-can-you-do"),
        pytest.param("谢谢", "不客气。", id="thanks"),
        pytest.param("好的谢谢啊", "不客气。", id="ok-thanks"),
        pytest.param("辛苦了", "不客气。", id="well-done"),
    ],
)
async def test_small_talk(talk: Talk, text: str, answer: str) -> None:
    reply = (await talk.say(text)).reply
    assert (reply.action, reply.text, reply.topic, reply.entry) == ("answer", answer, None, None)
    assert not reply.unanswered


@pytest.mark.parametrize("text", ["你好", "谢谢", "帮助"])
async def test_not_in_a_group_where_nobody_called(talk: Talk, text: str) -> None:
    assert (await talk.say(text, chat="g1", mentioned=False)).reply.action == "silent"


@pytest.mark.parametrize("text", ["你好，奶茶杯扔哪", "谢谢，奶茶杯扔哪个桶"])
async def test_a_greeting_does_not_hide_the_question(talk: Talk, text: str) -> None:
    assert (await talk.say(text)).reply.entry == "items/奶茶杯"


@pytest.mark.parametrize("text", ["人工", "转人工", "找真人！", "@小绿 人工"])
@pytest.mark.parametrize("chat", [None, "g1"])
async def test_a_person_is_called(talk: Talk, text: str, chat: str | None) -> None:
    reply = (await talk.say(text, chat=chat)).reply
    assert (reply.action, reply.text) == ("handoff", "已转工作人员东社区居委会（000-2）。")
    (alert,) = await talk.all_deliveries()
    assert alert.place == ("east-estate" if chat else "street")
    assert ("东小区" if chat else "示例街道") in alert.text


@pytest.mark.parametrize("text", ["人工智能是什么", "人工草坪怎么扔", "人工呼吸"])
async def test_other_words_call_nobody(talk: Talk, text: str) -> None:
    assert (await talk.say(text)).reply.action != "handoff"
    assert await talk.all_deliveries() == []
