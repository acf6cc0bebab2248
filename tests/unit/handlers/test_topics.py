"""Every other question that the knowledge answers by itself."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bot.brain import Brain
from tests.conftest import MakeTalk, Talk


async def test_answer(talk: Talk) -> None:
    reply = (await talk.say("装修几点要停")).reply
    assert (reply.action, reply.topic, reply.entry) == ("answer", "noise", "topics/noise/decorate")
    assert reply.text == "工作日18时以后不装修。\n依据：示例条例第六条（2022-06-05）"
    assert not reply.items


async def test_the_thing_named_keeps_its_bin(talk: Talk) -> None:
    reply = (await talk.say("用过的食用油怎么处理")).reply
    assert reply.entry == "topics/cooking_oil/pour"
    assert [(item.name, item.category) for item in reply.items] == [("食用油", "oil")]


async def test_more_stands_behind_detail(talk: Talk) -> None:
    reply = (await talk.say("废油倒哪里")).reply
    assert reply.detail.startswith("冷却后装瓶")
    assert "冷却后装瓶" not in reply.text


@pytest.mark.parametrize("text", ["去年夜里能施工吗", "明年禁鸣路段有哪些"])
async def test_what_is_not_in_force_is_not_told(talk: Talk, text: str) -> None:
    reply = (await talk.say(text)).reply
    assert "已经过期" not in reply.text
    assert "还没有生效" not in reply.text


async def test_a_city_has_its_own_answer(make_talk: MakeTalk, small_in: Callable[[str], Brain]) -> None:
    reply = (await make_talk(small_in("beijing")).say("装修几点要停")).reply
    assert reply.text.startswith("十二点到两点")
