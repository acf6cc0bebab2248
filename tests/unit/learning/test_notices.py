"""Who is told, where, and in which words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from bot.errors import LvlinError
from bot.learning.notices import CLOSED, MUTE, Notices, notices_for
from bot.records import Asker, Reply

AT = datetime(2026, 12, 1, 4, 0, tzinfo=UTC)
DUE = AT + timedelta(seconds=30)
ANSWER = Reply("answer", "神奇球：干垃圾。")
REPLIES = {
    ("神奇球怎么扔", "east"): ANSWER,
    ("神奇球怎么扔", "west"): Reply("answer", "神奇球：找西边。"),
    ("神秘球怎么扔", "east"): Reply("fallback", "不知道", unanswered=True),
    ("像球的怎么扔", "east"): Reply("answer", "推断是干垃圾", unanswered=True),
}


class Plain:
    """Addresses that are sealed as JSON."""

    def open(self, sealed: bytes) -> Mapping[str, str]:
        try:
            return dict(json.loads(sealed))
        except ValueError as exc:
            raise LvlinError("changed") from exc

    def seal(self, address: Mapping[str, str]) -> bytes:
        return json.dumps(dict(address)).encode()


def asker(user: str, *addresses: Mapping[str, str], chat: str | None = None, **more: str) -> Asker:
    """Somebody who asked."""
    told = {"text": "神奇球怎么扔", "place": "east", "channel": "gateway", **more}
    return Asker(user, told["channel"], chat, told["place"], told["text"], AT, tuple(map(Plain().seal, addresses)))


def noticed(*askers: Asker) -> Notices:
    """What they are told."""

    def wording(key: str, question: str, answer: str) -> str:
        return f"{key}|{question}|{answer}"

    return notices_for(askers, REPLIES, Plain(), wording, sending=frozenset({"gateway"}), at=AT, due_at=DUE)


def test_one_message_each_in_private_with_the_answer_of_their_place() -> None:
    found = noticed(asker("a", {"user": "A"}), asker("b", {"user": "B"}, place="west"))
    texts = [(d.user, d.chat, d.text, d.state, d.due_at) for d in found.deliveries]
    assert texts == [
        ("a", None, "learned|神奇球怎么扔|神奇球：干垃圾。", "queued", DUE),
        ("b", None, "learned|神奇球怎么扔|神奇球：找西边。", "queued", DUE),
    ]
    assert (found.told, found.reached) == (("a", "b"), 2)


def test_one_message_to_a_group_whose_address_names_nobody() -> None:
    there = {"user": "A", "chat": "G"}
    found = noticed(asker("a", there, chat="G"), asker("b", {"user": "B", "chat": "G"}, chat="G"))
    (delivery,) = found.deliveries
    assert (delivery.user, delivery.chat, delivery.text) == (None, "G", "learned_group|神奇球怎么扔|神奇球：干垃圾。")
    assert Plain().open(delivery.address or b"") == {"chat": "G"}
    assert found.reached == 2


def test_an_address_leads_only_where_it_was_asked() -> None:
    """The newest address of a person may be that of a group: what they asked in private is not told there."""
    found = noticed(asker("a", {"user": "A", "chat": "G"}), asker("b", {"user": "B", "chat": "G"}, {"user": "B"}))
    closed, sent = found.deliveries
    assert (closed.state, closed.reason, closed.address, closed.text) == ("skipped", CLOSED, None, "")
    assert (sent.user, sent.state) == ("b", "queued")
    assert (found.closed, found.reached) == (1, 1)


def test_who_is_not_answered_for_sure_is_not_told() -> None:
    found = noticed(asker("a", {"user": "A"}, text="神秘球怎么扔"), asker("b", {"user": "B"}, text="像球的怎么扔"))
    assert (found.deliveries, found.told, found.uncovered) == ((), (), 2)


def test_a_channel_that_cannot_send_and_a_changed_address() -> None:
    broken = Asker("c", "gateway", None, "east", "神奇球怎么扔", AT, (b"not json",))
    found = noticed(asker("a", {"user": "A"}, channel="mp"), broken)
    assert [(d.state, d.reason) for d in found.deliveries] == [("skipped", MUTE), ("skipped", CLOSED)]
    assert (found.mute, found.closed, found.reached) == (1, 1, 0)
