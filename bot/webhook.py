"""The HTTP door of the channels: read, open, take the turn, acknowledge.

The reply goes back in the response, and only once its turn is kept. Whatever hostile bytes arrive end in a refusal that
says no more than its status.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from aiohttp import web

from bot.brain import Brain
from bot.channels.answer import timed
from bot.channels.contract import Channel, Request, Response
from bot.errors import Refused, StoreUnavailable
from bot.plain_http import BODY_BYTES, Answer, Callback
from bot.records import Inbound, Reply, Role, Turn, Utterance
from bot.storage.contract import Store
from bot.turns import Arrival, Turns

log = logging.getLogger("lvlin.webhook")

BODY_SECONDS = 5.0
"""How long a body may take to arrive after its headers."""

_RESPONSE_URL_LASTS = timedelta(hours=1)
_ADDRESS_LASTS = timedelta(hours=48)
_TELL_LATENCY = frozenset(("webhook", "simulator"))  # their answer object names it
_SILENCE = Reply("silent", reason="unsupported")
_BROKEN_OFF = "the body broke off, or is packed wrongly"
_DRAINING = "draining"
_NO_COMMIT = "nothing can be committed"

T = TypeVar("T")


class Observer(Protocol):
    """Who counts what happens at the door."""

    def answered(self, channel: str, turn: Turn, seconds: float) -> None:
        """A message was acknowledged, `seconds` after its headers had arrived."""

    def refused(self, status: int) -> None:
        """A request was refused."""


class Names(Protocol):
    """Who turns platform ids into pseudonyms, and seals addresses."""

    def pseudonym(self, channel: str, platform_id: str) -> str:
        """The pseudonym of a platform's user."""

    def seal(self, address: Mapping[str, str]) -> bytes:
        """An address, unreadable without the site's secret."""


@dataclass(frozen=True, slots=True)
class StaffRole:
    """What a member of staff may do, and in which branch of the place tree."""

    role: Role
    place: str


class Refusals:
    """Logs refusals, a few of each kind a minute: a flood of them must not become a flood of lines."""

    _A_MINUTE = 3

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._minute = 0
        self._seen: Counter[tuple[str, int, str]] = Counter()

    def note(self, channel: str, status: int, why: str) -> None:
        """Count one refusal; log it unless this kind was logged often enough this minute."""
        self._observer.refused(status)
        minute = int(time.monotonic() // 60)
        if minute != self._minute:
            self._sum_up()
            self._minute = minute
        kind = (channel, status, why)
        self._seen[kind] += 1
        if self._seen[kind] <= self._A_MINUTE:
            log.warning("request refused", extra={"channel": channel, "status": status, "why": why})

    def _sum_up(self) -> None:
        for (channel, status, why), count in self._seen.items():
            if count > self._A_MINUTE:
                extra = {"channel": channel, "status": status, "why": why, "times": count - self._A_MINUTE}
                log.warning("more requests refused", extra=extra)
        self._seen.clear()


class Lanes:
    """Work that shares a key is done one after the other, in the order it came; other work does not wait."""

    def __init__(self) -> None:
        self._last: dict[Hashable, asyncio.Future[None]] = {}

    async def run(self, keys: Sequence[Hashable], work: Callable[[], Awaitable[T]]) -> T:
        """Do `work` after everything that came before with any of its keys."""
        # All keys are taken at one instant, so the order of arrival is the same everywhere and nothing can deadlock.
        done = asyncio.get_running_loop().create_future()
        before = {self._last[key] for key in keys if key in self._last}
        self._last.update(dict.fromkeys(keys, done))
        try:
            if before:
                await asyncio.wait(before)
            return await work()
        finally:
            done.set_result(None)
            for key in keys:
                if self._last.get(key) is done:
                    del self._last[key]


class Door:
    """Takes the requests of all channels. `draining` refuses new ones while those at work are finished."""

    def __init__(
        self,
        *,
        channels: Iterable[Channel],
        turns: Turns,
        names: Names,
        staff: Mapping[tuple[str, str], StaffRole],
        refusals: Refusals,
        observer: Observer,
        now: Callable[[], datetime],
    ) -> None:
        """`staff`: (channel, platform id) → role, for channels that sign what they send."""
        self.draining = False
        self._channels = {channel.name: channel for channel in channels}
        self._turns = turns
        self._store: Store = turns.store
        self._brain: Callable[[], Brain] = turns.brain
        self._names = names
        self._staff = staff
        self._refusals = refusals
        self._observer = observer
        self._now = now
        self._lanes = Lanes()

    async def call(self, callback: Callback) -> Answer:
        """One callback that came whole: the reply, or a refusal."""
        began = time.perf_counter()
        return await self._answer(callback.name, lambda channel: self._taken(channel, callback.request, began))

    async def receive(self, request: web.Request) -> web.Response:
        """Any request to `/channels/{name}`: the reply, or a refusal."""
        began = time.perf_counter()
        answer = await self._answer(request.match_info["name"], lambda channel: self._read(channel, request, began))
        if answer.status == 200:
            return web.Response(body=answer.body, headers={"Content-Type": answer.content_type})
        refusal = web.Response(status=answer.status)
        refusal.force_close()
        return refusal

    async def _answer(self, name: str, work: Callable[[Channel], Awaitable[Response]]) -> Answer:
        channel = self._channels.get(name)
        if channel is None:
            return self._refuse("", 404, "no such channel")
        try:
            response = await work(channel)
        except Refused as refused:
            return self._refuse(channel.name, refused.status, refused.why)
        except StoreUnavailable:
            return self._refuse(channel.name, 503, _NO_COMMIT)
        except Exception:
            log.exception("a request failed", extra={"channel": channel.name})
            self._observer.refused(500)
            return Answer(500)
        return Answer(200, response.body, response.content_type)

    async def _read(self, channel: Channel, request: web.Request, began: float) -> Response:
        if request.method == "POST":
            self._admit(channel, request.headers)
            query = _query(request)
            return await self._message(channel, Request(request.headers, query, await _body(request)), began)
        if request.method != "GET":
            raise Refused(405, "neither GET nor POST")
        if self.draining:
            raise Refused(503, _DRAINING)
        return Response(channel.check_url(Request(request.headers, _query(request), b""), self._now()), "text/plain")

    async def _taken(self, channel: Channel, request: Request, began: float) -> Response:
        self._admit(channel, request.headers)
        return await self._message(channel, request, began)

    def _admit(self, channel: Channel, headers: Mapping[str, str]) -> None:
        if self.draining:
            raise Refused(503, _DRAINING)
        given = headers.get("content-type")
        if given is not None and given.partition(";")[0].strip().lower() not in channel.content_types:
            raise Refused(415, "the content type is not the channel's")

    async def _message(self, channel: Channel, request: Request, began: float) -> Response:
        now = self._now()
        inbound = channel.open(request, now)
        if inbound.kind == "refresh":
            turn = await self._store.turn_of(channel.name, inbound.message_id)
            return channel.seal(inbound, turn.reply if turn else _SILENCE, now)
        turn = await self._turn(channel, inbound, request.body, now, began)
        if channel.type in _TELL_LATENCY:
            inbound = timed(inbound, turn.latency_ms)
        response = channel.seal(inbound, turn.reply, now)
        self._observer.answered(channel.name, turn, time.perf_counter() - began)
        return response

    async def _turn(self, channel: Channel, inbound: Inbound, body: bytes, now: datetime, began: float) -> Turn:
        asked = self._utterance(channel, inbound, now)
        arrival = replace(self._arrival(channel, inbound, body, now), at=began)
        return await self._lanes.run(_keys(channel, inbound), lambda: self._turns.take(asked, arrival))

    def _utterance(self, channel: Channel, inbound: Inbound, now: datetime) -> Utterance:
        staff = self._staff.get((channel.name, inbound.sender))
        return Utterance(
            channel=channel.name,
            message_id=inbound.message_id,
            user=self._names.pseudonym(channel.name, inbound.sender),
            chat=inbound.chat,
            session=inbound.session or "",
            text=inbound.text,
            received_at=now,
            kind="event" if inbound.kind == "event" else "message",
            media=inbound.media,
            event=inbound.event,
            mentioned=inbound.mentioned,
            place=self._brain().places.of_chat(channel.name, inbound.chat),
            role=staff.role if staff else None,
            staff_place=staff.place if staff else "",
            from_robot=inbound.from_robot,
        )

    def _arrival(self, channel: Channel, inbound: Inbound, body: bytes, now: datetime) -> Arrival:
        digest = hashlib.sha256(body).hexdigest() if inbound.nonce else ""
        if not inbound.sender:
            return Arrival(inbound.nonce, digest)
        address = {"user": inbound.sender}
        if inbound.chat:
            address["chat"] = inbound.chat
        lasts = _ADDRESS_LASTS
        if inbound.response_url:
            address["response_url"] = inbound.response_url
            lasts = _RESPONSE_URL_LASTS
        return Arrival(inbound.nonce, digest, self._names.seal(address), now + lasts)

    def _refuse(self, channel: str, status: int, why: str) -> Answer:
        self._refusals.note(channel, status, why)
        return Answer(status)


def _keys(channel: Channel, inbound: Inbound) -> list[Hashable]:
    """What a message must not overtake: its own repetition, its nonce, and what was said before where it was said."""
    name = channel.name
    keys: list[Hashable] = [(name, "message", inbound.message_id), (name, "said", inbound.chat or inbound.sender)]
    if inbound.nonce:
        keys.append((name, "nonce", inbound.nonce))
    return keys


def _query(request: web.Request) -> Mapping[str, str]:
    query = request.query
    if len(set(query)) != len(query):
        raise Refused(400, "a query parameter stands twice")
    return query


async def _body(request: web.Request) -> bytes:
    """The whole body. Raises Refused: 413 too large, 408 too slow, 400 broken off."""
    if (request.content_length or 0) > BODY_BYTES:
        raise Refused(413, "the body is too large")
    try:
        if request.content.is_eof():
            return await request.read()
        async with asyncio.timeout(BODY_SECONDS):
            return await request.read()
    except web.HTTPRequestEntityTooLarge as exc:
        raise Refused(413, "the body is too large") from exc
    except TimeoutError as exc:
        raise Refused(408, "the body did not arrive in time") from exc
    except (ConnectionError, web.RequestPayloadError) as exc:
        raise Refused(400, _BROKEN_OFF) from exc
