"""Connections: what stays open and what does not, callbacks in pieces or all at once, and how the last ones end."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bot import listen
from tests.scenario.callers import Call, ask, heard
from tests.scenario.conftest import NOW, Site

QUESTION = "奶茶杯扔哪个桶"


def raw(call: Call, *, closing: bool = False) -> bytes:
    """A call as the bytes on the wire."""
    headers = {"Host": "127.0.0.1", **call.headers, "Content-Length": str(len(call.body))}
    if closing:
        headers["Connection"] = "close"
    lines = [f"{call.method} {call.target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode() + call.body


def question(number: int) -> Call:
    """A resident's question to the official account."""
    return ask("mp", QUESTION, NOW, message_id=str(number), user=f"u{number}")


async def response(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """The next response on a connection: status and body."""
    head = await reader.readuntil(b"\r\n\r\n")
    fields = [line.partition(b":") for line in head.split(b"\r\n")]
    [length] = [int(value) for name, _, value in fields if name.lower() == b"content-length"]
    return int(head.split()[1]), await reader.readexactly(length)


@asynccontextmanager
async def connected(site: Site) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection of one's own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def test_a_connection_serves_one_callback_after_the_other(site):
    async with connected(site) as (reader, writer):
        for number in range(3):
            writer.write(raw(question(number)))
            status, body = await response(reader)
            assert (status, "干垃圾" in heard("mp", body)) == (200, True)
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")  # from here on aiohttp has it
        assert (await response(reader))[0] == 200
        writer.write(raw(question(3)))
        assert (await response(reader))[0] == 200
        assert len(await site.turns()) == 4


async def test_it_ends_where_the_caller_wants_it(site):
    async with connected(site) as (reader, writer):
        writer.write(raw(question(1), closing=True))
        status, _ = await response(reader)
        assert (status, await reader.read()) == (200, b"")


async def test_a_refusal_ends_it(site):
    async with connected(site) as (reader, writer):
        writer.write(raw(question(1).with_query(msg_signature="wrong")))
        assert await response(reader) == (403, b"")
        assert await reader.read() == b""


async def test_what_comes_before_the_answer_waits_for_it(site):
    async with connected(site) as (reader, writer):
        for number in range(5):
            writer.write(raw(question(number)))
            await asyncio.sleep(0)
        answers = [await response(reader) for _ in range(5)]
        assert [status for status, _ in answers] == [200] * 5
        assert sorted(turn.message_id for turn in await site.turns()) == list("01234")


@pytest.mark.parametrize("at", [5, 60, 300, -1])
async def test_a_callback_in_pieces_is_answered(site, at):
    async with connected(site) as (reader, writer):
        whole = raw(question(1))
        writer.write(whole[:at])
        await asyncio.sleep(0.05)
        writer.write(whole[at:])
        assert (await response(reader))[0] == 200


async def test_who_goes_before_the_answer_is_kept_all_the_same(site, monkeypatch):
    kept = asyncio.Event()
    keep = site.app.store.keep

    async def keeping(one):
        turn = await keep(one)
        kept.set()
        return turn

    monkeypatch.setattr(site.app.store, "keep", keeping)
    async with connected(site) as (_, writer):
        writer.write(raw(question(1)))
        await writer.drain()
        writer.transport.abort()
    await asyncio.wait_for(kept.wait(), 10)


async def test_who_asks_and_never_reads_is_cut_off(site):
    call = raw(question(1)) * 20  # each is answered as the first was
    with socket.create_connection(("127.0.0.1", site.port)) as talker:
        talker.setblocking(False)
        with pytest.raises(ConnectionError):
            await asyncio.wait_for(_talk(talker, call), 60)


async def _talk(talker: socket.socket, words: bytes) -> None:
    while True:
        await asyncio.get_running_loop().sock_sendall(talker, words)


@pytest.mark.parametrize("rounds", range(8))
async def test_a_connection_accepted_just_before_the_end_holds_nothing_up(site, rounds):
    """Whatever the loop has done of it by then, it is answered or closed at once."""
    with socket.create_connection(("127.0.0.1", site.port)) as late:
        late.sendall(raw(question(1), closing=True))
        for _ in range(rounds):
            await asyncio.sleep(0)
        site.app.door.draining = True
        began = time.monotonic()
        await site.app.listener.stop()
        took = time.monotonic() - began
        late.setblocking(False)
        try:
            answer = late.recv(4096)
        except ConnectionError:
            answer = b""
    assert took < 1.0
    assert answer == b"" or answer.split()[1] in (b"200", b"503")


async def test_the_silent_and_the_slow_hold_the_end_up_no_longer(site):
    async with connected(site) as (kept_open, writer), connected(site) as (silent, _), connected(site) as (half, slow):
        writer.write(raw(question(1)))
        await response(kept_open)
        slow.write(b"POST /channels/mp HTTP/1.1\r\nHost: x\r\n")
        await asyncio.sleep(0.05)
        began = time.monotonic()
        await site.app.listener.stop()
        assert time.monotonic() - began < 1.0
        assert [await reader.read() for reader in (kept_open, silent, half)] == [b"", b"", b""]


async def test_what_is_at_work_at_the_end_is_answered(site, monkeypatch):
    keep = site.app.store.keep

    async def slowly(keeping):
        await asyncio.sleep(10 * listen.LAST_WORDS_SECONDS)
        return await keep(keeping)

    monkeypatch.setattr(site.app.store, "keep", slowly)
    async with connected(site) as (reader, writer):
        writer.write(raw(question(1)))
        await asyncio.sleep(0.05)
        site.app.door.draining = True
        await site.app.listener.stop()
        assert (await response(reader))[0] == 200
        assert await reader.read() == b""


async def test_work_that_does_not_end_is_given_up(site, monkeypatch):
    monkeypatch.setattr(listen, "DRAIN_SECONDS", 0.1)

    async def never(keeping):
        await asyncio.Event().wait()

    monkeypatch.setattr(site.app.store, "keep", never)
    async with connected(site) as (reader, writer):
        writer.write(raw(question(1)))
        await asyncio.sleep(0.05)
        await site.app.listener.stop()
        assert await reader.read() == b""
