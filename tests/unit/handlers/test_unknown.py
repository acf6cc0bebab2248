"""Nothing in the knowledge answers."""

from __future__ import annotations

import pytest

from bot.brain import Brain
from tests.conftest import MakeTalk, Talk


@pytest.mark.parametrize("text", ["哪支股票好", "今晚谁踢球", "给我写首诗", "明天几点下雨"])
async def test_out_of_scope_is_said_politely_and_not_queued(make_talk: MakeTalk, shipped: Brain, text: str) -> None:
    talk = make_talk(shipped)
    reply = (await talk.say(text)).reply
    assert (reply.action, reply.topic) == ("fallback", "out_of_scope")
    assert "帮不上忙" in reply.text
    assert await talk.all_unanswered() == []


@pytest.mark.parametrize("text", ["量子糊糊扔哪个桶", "糊糊石是什么垃圾"])
async def test_what_should_be_known_is_queued(talk: Talk, text: str) -> None:
    reply = (await talk.say(text)).reply
    assert (reply.action, reply.topic, reply.text) == ("fallback", None, "这个我不确定，请联系东社区居委会（000-2）。")
    assert await talk.all_unanswered() == [text]


async def test_the_same_question_of_several_people_is_one(talk: Talk) -> None:
    for n, text in enumerate(["量子糊糊扔哪个桶", "量子糊糊，扔哪个桶？", "量子糊糊 扔哪个桶"]):
        await talk.say(text, user=f"u{n}")
    (cluster,) = [cluster async for cluster in talk.store.unanswered()]
    assert (cluster.people, len(cluster.variants)) == (3, 3)
