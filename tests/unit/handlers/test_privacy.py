"""A resident's rights, in chat."""

from __future__ import annotations

import pytest

from tests.conftest import Talk


@pytest.mark.parametrize("word", ["隐私", "隐私说明", "隐私政策？", "＠小绿 隐私"])
async def test_privacy(talk: Talk, word: str) -> None:
    reply = (await talk.say(word)).reply
    assert (reply.action, reply.text, reply.topic) == ("answer", "只保存问题和答复。", None)


async def test_my_data_shows_my_own(talk: Talk) -> None:
    await talk.say("奶茶杯扔哪")
    await talk.say("灯管扔哪", user="u2")
    text = (await talk.say("我的数据")).reply.text
    assert text.startswith("这是您的记录。")
    assert "· 奶茶杯扔哪" in text
    assert "灯管" not in text


async def test_never_into_a_group(talk: Talk) -> None:
    await talk.say("奶茶杯扔哪", chat="g1")
    assert (await talk.say("我的数据", chat="g1")).reply.text == "请私聊我。"


@pytest.mark.parametrize("word", ["删除我的数据", "删掉我的数据", "忘记我", "删除我的记录！"])
async def test_delete(talk: Talk, word: str) -> None:
    reply = (await talk.say(word)).reply
    assert (reply.action, reply.text, reply.forget) == ("answer", "已删除。", True)


@pytest.mark.parametrize("text", ["怎么删除我的数据线", "不要删除我的数据", "数据", "我的旧手机数据怎么清"])
async def test_other_words_delete_nothing(talk: Talk, text: str) -> None:
    assert not (await talk.say(text)).reply.forget
