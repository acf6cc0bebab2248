"""What a platform tells us that is not a message."""

from __future__ import annotations

import pytest

from tests.conftest import Talk


@pytest.mark.parametrize(
    ("event", "action", "text"),
    [
        pytest.param("subscribe", "answer", "欢迎，我是小绿。", id="comes"),
        pytest.param("enter_chat", "answer", "欢迎，我是小绿。", id="opens-the-chat"),
        pytest.param("enter_agent", "answer", "欢迎，我是小绿。", id="opens-the-app"),
        pytest.param("click", "answer", "可以问我垃圾怎么分。", id="menu"),
        pytest.param("unsubscribe", "silent", "", id="leaves"),
        pytest.param("feedback", "silent", "", id="rates"),
        pytest.param("", "silent", "", id="unnamed"),
        pytest.param("something_new", "silent", "", id="unknown"),
    ],
)
async def test_events(talk: Talk, event: str, action: str, text: str) -> None:
    turn = await talk.say("", kind="event", event=event)
    assert (turn.reply.action, turn.reply.text) == (action, text)
    assert turn.reply.reason == ("unsupported" if action == "silent" else None)
    assert turn.text is None


async def test_who_leaves_is_forgotten(talk: Talk) -> None:
    await talk.say("奶茶杯扔哪")
    await talk.say("", kind="event", event="unsubscribe")
    kept = await talk.all_kept()
    assert [turn.text for turn in kept] == [None, None]
    assert all(turn.user != "u1" for turn in kept)
