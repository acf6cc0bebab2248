"""The acceptance scenarios 1 to 10: what residents and staff live through, over HTTP, signed as the gateway signs."""

from __future__ import annotations

import json
from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from tests.scenario.callers import ask
from tests.scenario.conftest import Clock, Site, running

_ids = count(1)


async def said(site: Site, text: str, *, user: str = "u1", chat: str | None = "g1", mentioned: bool = True) -> Any:
    """The answer object for one message through the gateway."""
    call = ask("gateway", text, site.clock.now, message_id=f"s{next(_ids)}", user=user, chat=chat, mentioned=mentioned)
    answer = await site.call(call)
    assert answer.status == 200
    return json.loads(answer.body)


async def test_1_a_dry_cell_in_a_group(site: Site) -> None:
    answer = await said(site, "@小绿 用过的5号电池扔哪")
    assert answer["action"] == "answer"
    assert answer["to"] == "u1"
    assert [(item["category"], item["label"]) for item in answer["items"]] == [("residual", "干垃圾")]
    assert "依据" in answer["text"]
    assert "20" in answer["text"].partition("依据")[2]
    assert len(await site.turns()) == 1


@pytest.mark.parametrize("typed", ["dianchi怎么扔", "电迟怎么扔", "電池怎么扔", "电 池🔋怎么扔"])
async def test_2_however_it_is_typed(site: Site, typed: str) -> None:
    plain = await said(site, "电池怎么扔", user="u1")
    other = await said(site, typed, user="u2")
    assert other["action"] == "clarify"
    assert other["options"] == plain["options"]


async def test_3_three_things_three_lines(site: Site) -> None:
    answer = await said(site, "鱼骨头、大棒骨和椰子壳呢")
    assert [(item["name"], item["category"]) for item in answer["items"]] == [
        ("鱼骨头", "food"),
        ("大棒骨", "residual"),
        ("椰子壳", "residual"),
    ]
    assert len(answer["text"].splitlines()) == 3


async def test_4_asking_back_and_following_up(site: Site) -> None:
    asked = await said(site, "电池怎么扔", user="u1")
    other = await said(site, "苹果核扔哪个桶", user="u2")
    chosen = await said(site, "第2个", user="u1")
    follow_up = await said(site, "那充电宝呢", user="u1")
    assert asked["action"] == "clarify"
    assert [item["category"] for item in other["items"]] == ["food"]
    assert chosen["items"][0]["category"] == asked["options"][1]["category"]
    assert follow_up["items"][0]["name"] == "充电宝"


async def test_5_chatter_stays_unanswered(site: Site) -> None:
    answer = await said(site, "今天手机电池没电了", mentioned=False)
    assert (answer["action"], answer["reason"]) == ("silent", "not_a_question")
    (turn,) = await site.turns()
    assert turn.reply.reason == "not_a_question"
    assert turn.text is None


async def test_6_the_same_question_within_minutes(site: Site) -> None:
    first = await said(site, "奶茶杯扔哪个桶", user="u1", mentioned=False)
    again = await said(site, "奶茶杯扔哪个桶", user="u2", mentioned=False)
    site.clock.now += timedelta(minutes=11)
    later = await said(site, "奶茶杯扔哪个桶", user="u3", mentioned=False)
    assert first["action"] == "answer"
    assert (again["action"], again["reason"]) == ("silent", "recent")
    assert later["action"] == "answer"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("[动画表情]", "unsupported", id="sticker"),
        pytest.param("   ", "empty", id="empty"),
        pytest.param("@小绿", "empty", id="only-the-mention"),
        pytest.param("[聊天记录] 群里的对话", "unsupported", id="forwarded"),
        pytest.param("👍👍👍", None, id="only-emoji"),
        pytest.param("[]{}()<>&;'\"", "empty", id="only-brackets"),
    ],
)
async def test_7_never_answered(site: Site, text: str, reason: str | None) -> None:
    answer = await said(site, text)
    assert answer["action"] == "silent"
    assert reason is None or answer["reason"] == reason


async def test_7_its_own_words_are_never_answered(site: Site) -> None:
    answer = await said(site, "奶茶杯扔哪个桶", user="u1")
    echoed = await said(site, answer["text"], user="another-robot")
    assert (echoed["action"], echoed["reason"]) == ("silent", "robot")


async def test_8_out_of_scope(site: Site) -> None:
    answer = await said(site, "哪支股票好")
    assert (answer["action"], answer["topic"]) == ("fallback", "out_of_scope")
    assert [cluster async for cluster in site.app.store.unanswered()] == []


async def test_9_a_bulging_battery(site: Site) -> None:
    answer = await said(site, "鼓包的锂电池怎么办")
    assert answer["action"] == "answer"
    assert "119" in answer["text"]
    assert "居委会" in answer["text"]
    assert [item["category"] for item in answer["items"]] == ["hazardous"]
    alerts = [delivery async for delivery in site.app.store.deliveries()]
    assert {alert.channel for alert in alerts} == {"gateway", "try"}
    assert all("危险物品" in alert.text for alert in alerts)


async def test_10_delivered_three_times(site: Site, clock: Clock, config: Any) -> None:
    call = ask("gateway", "奶茶杯扔哪个桶", clock.now, message_id="again", user="u1", chat="g1")
    first = await site.call(call)
    third = await site.call(call)
    assert third.body == first.body
    assert len(await site.turns()) == 1


async def test_10_also_across_a_restart(config: Any, clock: Clock) -> None:
    call = ask("gateway", "奶茶杯扔哪个桶", clock.now, message_id="again", user="u1", chat="g1")
    async with running(config, clock) as site:
        first = await site.call(call)
    async with running(config, clock) as site:
        second = await site.call(call)
        assert second.body == first.body
        assert len(await site.turns()) == 1


async def test_staff_pause_and_resume(site: Site) -> None:
    refused = await said(site, "安静", user="u1")
    paused = await said(site, "安静", user="boss")
    quiet = await said(site, "奶茶杯扔哪个桶", user="u1")
    resumed = await said(site, "继续", user="boss")
    back = await said(site, "奶茶杯扔哪个桶", user="u2")
    assert "工作人员" in refused["text"]
    assert paused["action"] == "answer"
    assert (quiet["action"], quiet["reason"]) == ("silent", "paused")
    assert resumed["action"] == "answer"
    assert back["action"] == "answer"
