"""The simulator channel: message objects in, answer objects out, no signature."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from bot.channels.contract import Request
from bot.channels.simulator import Simulator
from bot.errors import Refused
from bot.records import Reply

NOW = datetime(2026, 9, 1, tzinfo=UTC)


def posted(given: object) -> Request:
    return Request({}, {}, json.dumps(given).encode())


def test_the_given_id_is_the_identity():
    inbound = Simulator("try").open(posted({"id": "m1", "text": "奶茶杯"}), NOW)
    assert (inbound.message_id, inbound.text) == ("m1", "奶茶杯")


def test_each_message_without_an_id_gets_a_fresh_one():
    channel = Simulator("try")
    first, second = (channel.open(posted({"text": "奶茶杯"}), NOW) for _ in range(2))
    assert first.message_id
    assert first.message_id != second.message_id
    assert json.loads(channel.seal(first, Reply("answer", "干垃圾"), NOW).body)["id"] == first.message_id


def test_there_is_no_url_check():
    with pytest.raises(Refused) as refused:
        Simulator("try").check_url(Request({}, {}, b""), NOW)
    assert refused.value.status == 405
