"""What only the site knows, and what it has not registered."""

from __future__ import annotations

import pytest

from tests.conftest import MakeTalk, Talk


@pytest.mark.parametrize(
    ("text", "chat", "topic", "answer"),
    [
        pytest.param("电池回收箱在哪里", "g1", "battery_box_where", "电池箱：南门、北门，全天开放。", id="facility"),
        pytest.param(
            "电池回收箱在哪里", "g1b", "battery_box_where", "电池箱：南门、北门，全天开放。", id="around-the-building"
        ),
        pytest.param(
            "电池回收箱在哪里", None, "battery_box_where", "电池箱：东小区南门、北门，全天开放。", id="private"
        ),
        pytest.param(
            "几点能扔垃圾",
            "g1",
            "sort_time_place",
            "垃圾房：工作日7:00–9:00、18:00–20:00。\n在2号楼旁，现在关着，今天18:00开。",
            id="times",
        ),
        pytest.param(
            "居委会电话多少", "g1", "local_contact", "东社区居委会：000-2，工作日。", id="contacts"
        ),
        pytest.param("居委会电话多少", "g2", "local_contact", "街道窗口：000-1。", id="contacts-of-another-place"),
        pytest.param("最近有什么活动", "g1", "activity_when", "12月5日（周六）9:00 换绿植，南门", id="activities"),
        pytest.param("什么时候修剪树木", "g1", "green_schedule", "12月8日（周二）0:30 修剪，绕行", id="schedule"),
    ],
)
async def test_tell(talk: Talk, text: str, chat: str | None, topic: str, answer: str) -> None:
    reply = (await talk.say(text, chat=chat)).reply
    assert (reply.action, reply.topic, reply.text) == ("answer", topic, answer)
    assert not reply.unanswered


@pytest.mark.parametrize(
    ("text", "chat", "answer"),
    [
        pytest.param("积分在哪里兑换", "g1", "积分兑换还没有登记，请问东社区居委会（000-2）。", id="facility"),
        pytest.param("误时投放点在哪", "g1", "误时投放点还没有登记，请问东社区居委会（000-2）。", id="late-drop"),
        pytest.param("最近有什么活动", "g2", "近期活动还没有登记，请问街道窗口（000-1）。", id="activities-elsewhere"),
    ],
)
async def test_what_is_not_registered_is_said_so_and_queued(talk: Talk, text: str, chat: str, answer: str) -> None:
    reply = (await talk.say(text, chat=chat)).reply
    assert (reply.action, reply.text, reply.unanswered) == ("answer", answer, True)
    assert reply.topic in ("facility_where", "sort_late_drop", "activity_when")
    assert await talk.all_unanswered() == [text]


@pytest.mark.parametrize(
    ("days", "told"),
    [
        pytest.param(4, "12月5日（今天）9:00 换绿植，南门", id="on-its-day"),
        pytest.param(5, "近期活动还没有登记，请问东社区居委会（000-2）。", id="when-it-is-over"),
    ],
)
async def test_activities_that_are_over_are_not_told(make_talk: MakeTalk, days: int, told: str) -> None:
    talk = make_talk()
    talk.clock.forward(days=days)
    assert (await talk.say("最近有什么活动", chat="g1")).reply.text == told


async def test_the_day_is_that_of_the_site(talk: Talk) -> None:
    """At 17:00 UTC it is the next day in Shanghai."""
    talk.clock.forward(days=4, hours=13)
    assert "换绿植" not in (await talk.say("最近有什么活动", chat="g1")).reply.text
