"""The message object: what is read, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.channels.json_body import read_json
from bot.channels.message_object import read_message
from bot.errors import Refused
from bot.records import Inbound

WHOLE = {
    "id": "m1",
    "text": "奶茶杯扔哪个桶",
    "user": "u1",
    "user_name": "王阿姨",
    "chat": "g1",
    "mentioned": False,
    "session": "s1",
    "sent_at": 1790000000,
}
NULLS = dict.fromkeys(("id", "user", "user_name", "chat", "mentioned", "session", "sent_at"))


def test_every_field():
    assert read_message(WHOLE, "fresh") == Inbound(
        kind="message",
        message_id="m1",
        sender="u1",
        chat="g1",
        text="奶茶杯扔哪个桶",
        mentioned=False,
        session="s1",
        sent_at=datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC),
        echo={"id": "m1"},
    )


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({"text": "在"}, id="text-only"),
        pytest.param({**NULLS, "text": "在"}, id="nulls"),
        pytest.param({"text": "在", "chat": "", "unknown": [1]}, id="empty-chat-and-unknown-field"),
    ],
)
def test_only_the_text_is_needed(given):
    assert read_message(given, "fresh") == Inbound(kind="message", message_id="fresh", sender="", text="在")


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"text": None}, id="no-text"),
        pytest.param({"text": 5}, id="text-number"),
        pytest.param({"text": ["x"]}, id="text-list"),
        pytest.param({"text": "长" * 20_001}, id="text-too-long"),
        pytest.param({"id": 1}, id="id-number"),
        pytest.param({"id": "m" * 201}, id="id-too-long"),
        pytest.param({"id": "a\x00b"}, id="id-with-nul"),
        pytest.param({"user": True}, id="user-boolean"),
        pytest.param({"user_name": 5}, id="user-name-number"),
        pytest.param({"chat": {}}, id="chat-object"),
        pytest.param({"session": 5}, id="session-number"),
        pytest.param({"mentioned": "yes"}, id="mentioned-string"),
        pytest.param({"mentioned": 1}, id="mentioned-number"),
        pytest.param({"sent_at": "now"}, id="sent-at-string"),
        pytest.param({"sent_at": True}, id="sent-at-boolean"),
        pytest.param({"sent_at": -1}, id="sent-at-before-1970"),
        pytest.param({"sent_at": 4133980800}, id="sent-at-after-2100"),
        pytest.param({"sent_at": 1790000000000}, id="sent-at-milliseconds"),
        pytest.param({"sent_at": 10**400}, id="sent-at-huge"),
        pytest.param({"sent_at": float("inf")}, id="sent-at-infinite"),
    ],
)
def test_refused(change):
    with pytest.raises(Refused) as refused:
        read_message({**WHOLE, **change}, "fresh")
    assert refused.value.status == 400


def test_the_longest_text_is_accepted_and_cleaned():
    text = "长" * 19_999
    assert read_message({"text": text + "\x02"}, "fresh").text == text


@pytest.mark.parametrize(
    ("body", "text"),
    [
        pytest.param(b'{"text": "\\ud83d\\udd0b"}', "🔋", id="escaped-pair"),
        pytest.param('{"text": "🔋"}'.encode(), "🔋", id="emoji"),
        pytest.param(b' {"text": "\\\\ud83d"}\n', "\\ud83d", id="a-backslash-is-no-escape"),
    ],
)
def test_json_with_odd_escapes(body, text):
    assert read_message(read_json(body), "fresh").text == text
