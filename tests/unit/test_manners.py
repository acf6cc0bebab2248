"""Manners in a group: every reason to stay silent, and both sides of each edge."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from bot import manners
from bot.context import Context
from bot.records import ChatState, ItemAnswer, Reply, Utterance
from tests.conftest import NOON

MakeContext = Callable[..., Context]
SURE = Reply("answer", "干垃圾。", topic="waste.item", entry="items/奶茶杯", score=1.0)
CLEAR = "奶茶杯扔哪个桶"


def said(text: str = CLEAR, **other: Any) -> Utterance:
    told: dict[str, Any] = {
        "channel": "try", "message_id": "m1", "user": "u1", "chat": "g1", "session": "", "received_at": NOON,
        "mentioned": False, "place": "east-estate", **other,
    }  # fmt: skip
    return Utterance(text=text, **told)


@pytest.mark.parametrize(
    ("text", "other", "reason"),
    [
        pytest.param(CLEAR, {}, None, id="a-question"),
        pytest.param(CLEAR, {"from_robot": True}, "robot", id="another-robot"),
        pytest.param(CLEAR, {"from_robot": True, "mentioned": True}, "robot", id="another-robot-that-calls-us"),
        pytest.param("", {"media": "image"}, "unsupported", id="picture"),
        pytest.param("看这个", {"media": "other", "mentioned": True}, "unsupported", id="sticker"),
        pytest.param(CLEAR, {"media": "voice"}, None, id="voice-with-its-text"),
        pytest.param(CLEAR, {"media": "mixed"}, None, id="picture-and-text"),
        pytest.param("[聊天记录] 群里说", {"mentioned": True}, "unsupported", id="forwarded-record"),
        pytest.param("王阿姨和李叔的聊天记录", {}, "unsupported", id="forwarded-record-by-its-title"),
        pytest.param("[链接]", {}, "unsupported", id="link"),
        pytest.param("[微笑]奶茶杯扔哪个桶", {}, None, id="an-emoticon-before-a-question"),
        pytest.param("", {}, "empty", id="empty"),
        pytest.param("   \n", {"mentioned": True}, "empty", id="blank"),
        pytest.param("？？！", {"mentioned": True}, "empty", id="only-signs"),
        pytest.param("\u200b\u202e", {}, "empty", id="only-invisible"),
        pytest.param("[微笑]", {}, "empty", id="only-an-emoticon"),
        pytest.param("@小绿", {"mentioned": True}, "empty", id="only-the-mention"),
        pytest.param("", {"role": "editor"}, "empty", id="empty-from-staff"),
        pytest.param("🔋", {"mentioned": True}, None, id="an-emoji-we-know"),
    ],
)
def test_before(context: MakeContext, text: str, other: dict[str, Any], reason: str | None) -> None:
    assert manners.before(said(text, **other), context(text)) == reason


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        pytest.param({}, "paused", id="a-resident"),
        pytest.param({"mentioned": True}, "paused", id="a-resident-who-calls-us"),
        pytest.param({"role": "viewer"}, None, id="staff-are-heard"),
    ],
)
def test_paused(context: MakeContext, other: dict[str, Any], reason: str | None) -> None:
    assert manners.before(said(**other), context(CLEAR, chat=ChatState(paused=True))) == reason


@pytest.mark.parametrize(
    ("ago", "other", "reason"),
    [
        pytest.param(timedelta(minutes=4), {}, "staff_talking", id="just-now"),
        pytest.param(timedelta(minutes=4, microseconds=-1), {}, "staff_talking", id="inside"),
        pytest.param(timedelta(minutes=5), {}, None, id="at-the-edge"),
        pytest.param(timedelta(minutes=1), {"mentioned": True}, None, id="called"),
        pytest.param(timedelta(minutes=1), {"chat": None, "mentioned": False}, None, id="private"),
        pytest.param(timedelta(minutes=1), {"role": "viewer"}, None, id="staff-themselves"),
    ],
)
def test_staff_talking(context: MakeContext, ago: timedelta, other: dict[str, Any], reason: str | None) -> None:
    ctx = context(CLEAR, chat=ChatState(staff_at=NOON - ago), staff_quiet_minutes=5)
    assert manners.before(said(**other), ctx) == reason


@pytest.mark.parametrize(
    ("text", "chat", "reason"),
    [
        pytest.param("这是我刚说过的话", "g1", "robot", id="our-own-words"),
        pytest.param(" 这是我刚说过的话\n", "g1", "robot", id="with-blanks-around"),
        pytest.param("这是我刚说过的话呀", "g1", None, id="other-words"),
        pytest.param("这是我刚说过的话", None, None, id="private"),
    ],
)
def test_our_own_echo(context: MakeContext, text: str, chat: str | None, reason: str | None) -> None:
    state = ChatState(said=(manners.digest("这是我刚说过的话"),))
    assert manners.before(said(text, chat=chat), context(text, chat=state)) == reason


@pytest.mark.parametrize(
    ("speak", "reply", "text", "reason"),
    [
        pytest.param("confident", SURE, CLEAR, None, id="clear-and-sure"),
        pytest.param("mentioned", SURE, CLEAR, "unsure", id="speaks-only-when-called"),
        pytest.param("confident", Reply("clarify", "哪种？"), CLEAR, "unsure", id="asks-back"),
        pytest.param("confident", Reply("fallback", "不知道"), CLEAR, "unsure", id="does-not-know"),
        pytest.param("confident", Reply("fallback", "不知道"), "今天天气真好啊", "not_a_question", id="chatter"),
        pytest.param("always", Reply("clarify", "哪种？"), CLEAR, "unsure", id="always-does-not-ask-back"),
        pytest.param("confident", SURE, "奶茶杯", "not_a_question", id="names-a-thing-only"),
        pytest.param("confident", SURE, "谁要奶茶杯，便宜出", "not_a_question", id="trades"),
        pytest.param("always", SURE, "奶茶杯", None, id="always-answers"),
        pytest.param(
            "confident",
            Reply("answer", "", items=(ItemAnswer("怪东西", "residual", "干垃圾", True),), score=1.0),
            CLEAR,
            "unsure",
            id="inferred",
        ),
        pytest.param("confident", Reply("handoff", "好"), "人工", None, id="a-person-is-called"),
        pytest.param("confident", Reply("done", "好"), "打卡", None, id="something-recorded"),
    ],
)
def test_unasked(context: MakeContext, speak: str, reply: Reply, text: str, reason: str | None) -> None:
    assert manners.unasked(reply, said(text), context(text, speak=speak)) == reason


def test_unasked_the_answer_and_the_question_must_both_be_likely(context: MakeContext) -> None:
    """How likely the answer is right, times how likely the line is a question to us, against `speak`."""
    ctx = context(CLEAR)
    edge = ctx.limits.speak / ctx.understood.question_likelihood
    assert manners.unasked(Reply("answer", "", score=edge + 0.001), said(CLEAR), ctx) is None
    assert manners.unasked(Reply("answer", "", score=edge - 0.001), said(CLEAR), ctx) == "unsure"


@pytest.mark.parametrize(
    ("ago", "entry", "reason"),
    [
        pytest.param(timedelta(minutes=8, microseconds=-1), "items/奶茶杯", "recent", id="inside"),
        pytest.param(timedelta(minutes=8), "items/奶茶杯", None, id="at-the-edge"),
        pytest.param(timedelta(minutes=1), "items/报纸", None, id="another-answer"),
    ],
)
def test_recent(context: MakeContext, ago: timedelta, entry: str, reason: str | None) -> None:
    ctx = context(CLEAR, chat=ChatState(answered={entry: NOON - ago}), recent_minutes=8)
    assert manners.unasked(SURE, said(), ctx) == reason


@pytest.mark.parametrize(
    ("ago", "user", "reason"),
    [
        pytest.param(timedelta(seconds=64, microseconds=-1), "u1", "cooldown", id="inside"),
        pytest.param(timedelta(seconds=64), "u1", None, id="at-the-edge"),
        pytest.param(timedelta(seconds=1), "u2", None, id="another-person"),
    ],
)
def test_cooldown(context: MakeContext, ago: timedelta, user: str, reason: str | None) -> None:
    ctx = context(CLEAR, chat=ChatState(replied={user: NOON - ago}), cooldown_seconds=64)
    assert manners.unasked(SURE, said(), ctx) == reason


def test_what_is_remembered_of_a_reply(context: MakeContext) -> None:
    chat = manners.remembered(SURE, said(), context(CLEAR))
    assert chat == ChatState(answered={"items/奶茶杯": NOON}, replied={"u1": NOON}, said=(manners.digest("干垃圾。"),))


@pytest.mark.parametrize(
    ("reply", "other"),
    [
        pytest.param(SURE, {"chat": None}, id="private"),
        pytest.param(Reply("silent", reason="unsure"), {}, id="silent"),
        pytest.param(Reply("silent", reason="unsure"), {"role": "viewer", "mentioned": True}, id="staff-who-call-us"),
    ],
)
def test_nothing_new_to_remember(context: MakeContext, reply: Reply, other: dict[str, Any]) -> None:
    assert manners.remembered(reply, said(**other), context(CLEAR)) is None


def test_staff_who_talk_are_remembered(context: MakeContext) -> None:
    silent = Reply("silent", reason="staff_talking")
    assert manners.remembered(silent, said(role="viewer"), context(CLEAR)) == ChatState(staff_at=NOON)


def test_memory_does_not_grow_without_end(context: MakeContext) -> None:
    chat = ChatState(
        answered={f"items/{n}": NOON - timedelta(seconds=100 - n) for n in range(100)},
        replied={f"u{n}": NOON - timedelta(seconds=100 - n) for n in range(100)},
        said=tuple(str(n) for n in range(100)),
    )
    after = manners.remembered(SURE, said(), context(CLEAR, chat=chat))
    assert after is not None
    assert max(len(after.answered), len(after.replied), len(after.said)) <= 40
    assert "items/奶茶杯" in after.answered
    assert "items/0" not in after.answered
    assert after.said[0] == manners.digest(SURE.text)


def test_every_reason_of_the_contract_is_tested() -> None:
    """The reasons a turn may be silent for; test_turns.py and this file reach each."""
    from typing import get_args

    from bot.records import SilenceReason

    assert set(get_args(SilenceReason)) == {
        "not_a_question", "unsure", "recent", "cooldown", "staff_talking", "paused", "empty", "unsupported", "robot",
    }  # fmt: skip
