"""The benchmarks' own tools: what they print, send, count and judge is right. How fast anything is, is not asked."""

from __future__ import annotations

import asyncio
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from benchmarks.callbacks import (
    AES_KEY,
    AGENT_ID,
    APP_ID,
    CORP_ID,
    TOKEN,
    WEBHOOK_SECRET,
    Callback,
    encrypted,
    gateway,
    said,
    tencent,
)
from benchmarks.caller import Broken, answer
from benchmarks.canary import canary
from benchmarks.crash import Verdict, judge
from benchmarks.driver import Driver
from benchmarks.matching import LONG, generated, long_texts
from benchmarks.site import KNOWLEDGE, free_port, make_site, questions
from benchmarks.table import Row, percentile, told
from bot import settings
from bot.channels.contract import Channel, Request
from bot.channels.webhook import Webhook
from bot.channels.wechat_mp import WechatMp
from bot.channels.wecom_app import WecomApp
from bot.kb.entries import Item
from bot.matching.lexicon import key_of
from bot.records import Reply

CHANNELS: dict[str, Channel] = {
    "app": WecomApp("app", CORP_ID, AGENT_ID, TOKEN, AES_KEY),
    "mp": WechatMp("mp", APP_ID, TOKEN, AES_KEY),
    "gateway": Webhook("gateway", WEBHOOK_SECRET),
}


@pytest.mark.parametrize(("share", "expected"), [
    pytest.param(0.0, 1, id="least"),
    pytest.param(0.5, 2, id="half-is-the-lower-of-two"),
    pytest.param(0.51, 3, id="just-above-half"),
    pytest.param(0.75, 3, id="three-of-four"),
    pytest.param(0.99, 4, id="nearly-all"),
    pytest.param(1.0, 4, id="all"),
])  # fmt: skip
def test_percentile_is_one_of_the_values(share: float, expected: int) -> None:
    assert percentile([4, 1, 3, 2], share) == expected


@pytest.mark.parametrize(("number", "expected"), [
    pytest.param(0, "0", id="zero"),
    pytest.param(50.0, "50", id="whole"),
    pytest.param(0.3, "0.300", id="below-one"),
    pytest.param(0.0123, "0.0123", id="small"),
    pytest.param(12.345, "12.3", id="tens"),
    pytest.param(123456.7, "123,457", id="thousands"),
])  # fmt: skip
def test_told(number: float, expected: str) -> None:
    assert told(number) == expected


@pytest.mark.parametrize(("row", "met", "bar"), [
    pytest.param(Row("x", 0.5, "ms", most=0.5), True, "≤ 0.500 ms", id="at-most"),
    pytest.param(Row("x", 0.501, "ms", most=0.5), False, "≤ 0.500 ms", id="above"),
    pytest.param(Row("x", 40, "%", least=40), True, "≥ 40 %", id="at-least"),
    pytest.param(Row("x", 39.9, "%", least=40), False, "≥ 40 %", id="below"),
    pytest.param(Row("x", 1, most=0), False, "≤ 0", id="none-allowed"),
    pytest.param(Row("x", 7, "/s"), True, "", id="no-bar"),
])  # fmt: skip
def test_bar(row: Row, met: bool, bar: str) -> None:
    assert (row.met, row.bar) == (met, bar)
    assert row.line("name").endswith("missed") is not met


@pytest.mark.parametrize("send", [
    pytest.param(partial(tencent, "app"), id="app"),
    pytest.param(partial(tencent, "mp"), id="mp"),
    pytest.param(gateway, id="gateway"),
])  # fmt: skip
def test_our_channels_open_a_callback_and_it_reads_their_reply(send: Callable[[int, str], Callback]) -> None:
    callback = send(7, "奶茶杯扔哪个桶")  # signed now: a signature is stale after five minutes
    channel, now = CHANNELS[callback.channel], datetime.now(UTC)
    inbound = channel.open(_request(callback), now)
    assert (inbound.message_id, inbound.text) == (callback.message_id, "奶茶杯扔哪个桶")
    reply = channel.seal(inbound, Reply("answer", "干垃圾。\n先倒掉奶茶"), now)
    assert said(callback.channel, reply.body) == "干垃圾。\n先倒掉奶茶"
    assert said(callback.channel, channel.seal(inbound, Reply("silent"), now).body) == ""


def test_encrypted_callbacks_are_all_different() -> None:
    callbacks = list(encrypted(["甲", "乙"], range(10)))
    inbounds = [CHANNELS[one.channel].open(_request(one), datetime.now(UTC)) for one in callbacks]
    assert {one.channel for one in callbacks} == {"app", "mp"}
    assert len({inbound.sender for inbound in inbounds}) == len({inbound.nonce for inbound in inbounds}) == 10
    assert len({inbound.message_id for inbound in inbounds}) == 10


@pytest.mark.parametrize(("received", "expected"), [
    pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: y\r\n\r\nok", (200, b"ok"), id="whole"),
    pytest.param(b"HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n", (503, b""), id="empty"),
    pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok", None, id="body-broken-off"),
    pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 2", None, id="head-broken-off"),
    pytest.param(b"", None, id="nothing"),
])  # fmt: skip
def test_only_a_whole_answer_counts(received: bytes, expected: tuple[int, bytes] | None) -> None:
    if expected is None:
        with pytest.raises(Broken):
            answer(received)
    else:
        assert answer(received) == expected


TOLD = [{"channel": "app", "id": "1", "text": "红桶"}, {"channel": "gateway", "id": "1", "text": ""}]


@pytest.mark.parametrize(("told", "kept", "expected"), [
    pytest.param(TOLD, [("app", "1", "红桶"), ("gateway", "1", "")], Verdict(2, 0, 0, 0, 0, True), id="all-kept"),
    pytest.param(TOLD, [("app", "1", "红桶")], Verdict(2, 1, 0, 0, 0, True), id="one-lost"),
    pytest.param(TOLD, [], Verdict(2, 2, 0, 0, 0, True), id="all-lost"),
    pytest.param(TOLD[:1], [("app", "1", "红桶")] * 2, Verdict(1, 0, 1, 0, 0, True), id="kept-twice"),
    pytest.param(TOLD[:1], [("app", "1", "干桶")], Verdict(1, 0, 0, 1, 0, True), id="another-reply"),
    pytest.param(TOLD[:1] * 2, [("app", "1", "红桶")], Verdict(1, 0, 0, 0, 0, True), id="redelivered"),
    pytest.param(
        [*TOLD[:1], TOLD[0] | {"text": "干桶"}], [("app", "1", "红桶")], Verdict(1, 0, 0, 1, 0, True),
        id="redelivered-with-another-reply",
    ),
    pytest.param([], [("app", "9", "红桶")], Verdict(0, 0, 0, 0, 0, True), id="kept-but-never-acknowledged"),
    pytest.param([{"channel": "app", "id": "1", "refused": 403}], [], Verdict(0, 0, 0, 0, 1, True), id="refused"),
])  # fmt: skip
def test_judge(tmp_path: Path, told: list[dict[str, object]], kept: Sequence[Sequence[str]], expected: Verdict) -> None:
    with closing(sqlite3.connect(tmp_path / "lvlin.db")) as conn, conn:
        conn.execute("CREATE TABLE turns (channel, message_id, reply)")
        conn.executemany("INSERT INTO turns VALUES (?, ?, ?)", kept)
    assert judge(tmp_path / "lvlin.db", told) == expected


def test_driver_sends_every_request_once_and_counts_statuses() -> None:
    requests = [b"%03d" % number for number in range(50)]
    with _echo() as (address, received):
        driven = Driver(address).closed(requests, concurrent=8)
        steady = Driver(address).open(requests, per_second=10_000)
    assert sorted(received) == sorted(requests * 2)
    assert driven.statuses == steady.statuses == {b"200": 49, b"500": 1}
    assert len(driven.latencies) == len(steady.latencies) == 50
    assert not driven.all_taken


def test_latency_counts_from_when_a_request_was_due() -> None:
    with _echo() as (address, _):
        steady = Driver(address).open([b"001"] * 20, per_second=1000)
    assert steady.seconds >= 0.019
    assert min(steady.latencies) <= steady.seconds - 0.019


async def test_canary_notes_a_stall() -> None:
    async with canary() as bird:
        await asyncio.sleep(0)
        began = time.perf_counter()
        while time.perf_counter() - began < 0.02:
            pass
    assert bird.longest >= 0.018
    assert bird.busiest > 0


def test_site_is_one_that_can_be_served(tmp_path: Path) -> None:
    found = settings.load(make_site(tmp_path, port=20_001), {})
    assert set(found.channels) == set(CHANNELS)
    assert found.store.path == tmp_path / "lvlin.db"
    assert found.knowledge == KNOWLEDGE


def test_free_port_is_none_of_outgoing_connections() -> None:
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert free_port() < lowest


def test_questions_are_the_same_in_every_run() -> None:
    assert questions(1) == questions(1) != questions(2)
    assert sorted(questions(1)) == sorted(questions(2))


def test_generated_items_have_names_of_their_own() -> None:
    items = [Item(name=name, aliases=(f"{name}子",), category="residual") for name in ("奶茶杯", "旧电池", "菜叶")]
    made = generated(items, 9)
    words = [key_of(word) for item in (*items, *made) for word in item.words]
    assert len(made) == 27
    assert len(set(words)) == len(words) == 60


def test_long_texts_are_long() -> None:
    items = [Item(name="奶茶杯", category="residual")]
    assert all(abs(len(text) - LONG) <= 1 for text in long_texts(items).values())


def _request(callback: Callback) -> Request:
    head, _, body = callback.request.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    return Request(headers, dict(parse_qsl(urlsplit(first.split()[1]).query)), body)


@contextmanager
def _echo() -> Iterator[tuple[tuple[str, int], list[bytes]]]:
    """A server that answers 200, and 500 to `000`; its address, and what it received."""
    received: list[bytes] = []
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            connection, _ = listening.accept()
            with connection:
                if not (request := connection.recv(100)):
                    return
                received.append(request)
                connection.sendall(b"HTTP/1.1 %d x\r\n\r\n" % (500 if request == b"000" else 200))

    thread = threading.Thread(target=serve)
    thread.start()
    address = listening.getsockname()
    try:
        yield address, received
    finally:
        socket.create_connection(address).close()
        thread.join()
        listening.close()
