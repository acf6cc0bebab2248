"""The one sender of what we send by ourselves: due deliveries, their retries and their outcomes.

Each attempt is durable before it happens (queued → sending) and its outcome after; a gateway gets the same
`webhook-id` on each retry, so that nothing is shown twice.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import aiohttp

from bot.channels.webhook import Webhook, delivery_body
from bot.errors import LvlinError, StoreUnavailable
from bot.records import Delivery, DeliveryState
from bot.storage.contract import Store

log = logging.getLogger("lvlin.outbox")

ANSWER_SECONDS = 10.0
"""How long a gateway may take to answer."""

MOST_ATTEMPTS = 12
"""After so many attempts without an answer a delivery has failed; with the pauses between them, nearly three hours."""

_FIRST_PAUSE = timedelta(seconds=5)
_LONGEST_PAUSE = timedelta(hours=1)
_AT_ONCE = 50
_STORE_PAUSE_SECONDS = 1.0
_RETRIED = frozenset((408, 425, 429))


class Addresses(Protocol):
    """Who opens sealed addresses."""

    def open(self, sealed: bytes) -> Mapping[str, str]:
        """The address that was sealed. Raises LvlinError when it was changed."""


class Tally(Protocol):
    """Who counts outcomes."""

    def settled(self, state: DeliveryState) -> None:
        """A delivery came to an outcome (`queued`: it is tried again later)."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """A webhook channel and where its deliveries go."""

    channel: Webhook
    url: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one attempt came to; `queued` means try again later."""

    state: DeliveryState
    reason: str | None = None


class Mailbox:
    """What the bot sent by itself to the simulator, kept in memory until newer ones push it out."""

    _BOXES = 1000
    _IN_A_BOX = 20

    def __init__(self) -> None:
        self._boxes: OrderedDict[tuple[str, str | None], deque[dict[str, Any]]] = OrderedDict()

    def put(self, delivery: Delivery, user: str, chat: str | None) -> None:
        """Put a delivery where a user reads: a chat, or their private one."""
        key = (user, None) if chat is None else ("", chat)
        box = self._boxes.setdefault(key, deque(maxlen=self._IN_A_BOX))
        self._boxes.move_to_end(key)
        box.append(
            {
                "delivery_id": delivery.delivery_id,
                "text": delivery.text,
                "options": list(delivery.options),
                "link": delivery.link,
            }
        )
        if len(self._boxes) > self._BOXES:
            self._boxes.popitem(last=False)

    def take(self, user: str, chat: str | None) -> list[dict[str, Any]]:
        """The latest deliveries to a chat, or (None) to the user in private; they stay for other readers."""
        return list(self._boxes.get((user, None) if chat is None else ("", chat), ()))


class Sender:
    """Sends due deliveries, the oldest first, one at a time to each channel."""

    def __init__(
        self,
        *,
        store: Store,
        addresses: Addresses,
        channels: Mapping[str, str],
        gateways: Iterable[Gateway],
        mailbox: Mailbox,
        tally: Tally,
        now: Callable[[], datetime],
    ) -> None:
        """`channels`: name → type of every configured channel; `gateways`: those of them with a `deliver_url`."""
        self._store = store
        self._addresses = addresses
        self._channels = channels
        self._gateways = {gateway.channel.name: gateway for gateway in gateways}
        self._mailbox = mailbox
        self._tally = tally
        self._now = now
        self._session: aiohttp.ClientSession | None = None

    async def recover(self) -> None:
        """Decide on what a sender that died left in mid-send; call it before the first `send_due`.

        A gateway knows a repetition by its id, so it is sent again; elsewhere nobody can know whether it arrived."""
        for delivery in await self._store.stuck_deliveries():
            again = self._channels.get(delivery.channel) == "webhook"
            outcome = Outcome("queued", "the sender ended") if again else Outcome("unknown", "the sender ended")
            await self._settle(delivery, outcome, self._now())

    async def send_due(self) -> int:
        """Attempt what is due now; the number of deliveries attempted. Raises StoreUnavailable."""
        by_channel: defaultdict[str, list[Delivery]] = defaultdict(list)
        for delivery in await self._store.due_deliveries(self._now(), _AT_ONCE):
            by_channel[delivery.channel].append(delivery)
        return sum(await asyncio.gather(*(self._send_in_turn(due) for due in by_channel.values())))

    async def close(self) -> None:
        """Close the connections to the gateways."""
        if self._session is not None:
            await self._session.close()

    async def _send_in_turn(self, due: Sequence[Delivery]) -> int:
        """Attempt the deliveries of one channel, until one has to be tried again: then the others wait, too."""
        attempted = 0
        for delivery in due:
            if not await self._store.claim_delivery(delivery.delivery_id):
                continue
            attempted += 1
            outcome = await self._attempt(delivery)
            await self._settle(delivery, outcome, self._due_again(delivery.attempts + 1))
            if outcome.state == "queued":
                break
        return attempted

    async def _attempt(self, delivery: Delivery) -> Outcome:
        kind = self._channels.get(delivery.channel)
        gateway = self._gateways.get(delivery.channel)
        if kind is None:
            return Outcome("skipped", "channel is not configured any more")
        if kind != "simulator" and gateway is None:
            return Outcome("skipped", "no deliver_url" if kind == "webhook" else "channel cannot send yet")
        if delivery.address is None:
            return Outcome("skipped", "no address")
        try:
            address = self._addresses.open(delivery.address)
        except LvlinError:
            return Outcome("failed", "the address cannot be opened")
        if gateway is None:
            self._mailbox.put(delivery, address.get("user", ""), delivery.chat and address.get("chat"))
            return Outcome("sent")
        return await self._post(gateway, delivery, address)

    async def _post(self, gateway: Gateway, delivery: Delivery, address: Mapping[str, str]) -> Outcome:
        chat = address.get("chat") if delivery.chat else None
        body = delivery_body(delivery, chat, address.get("user"))
        headers = gateway.channel.sign(delivery.delivery_id, body, self._now())
        try:
            # The body of the answer is not read: it says nothing, and it might be endless.
            async with self._client().post(gateway.url, data=body, headers=headers, allow_redirects=False) as answer:
                outcome = _judged(answer.status)
        except (aiohttp.ClientError, TimeoutError, OSError) as exc:
            outcome = Outcome("queued", f"no answer: {type(exc).__name__}")
        if outcome.state == "queued" and delivery.attempts + 1 >= MOST_ATTEMPTS:
            return Outcome("failed", f"given up after {MOST_ATTEMPTS} attempts, {outcome.reason}")
        return outcome

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": "lvlin"},
                auto_decompress=False,
            )
        return self._session

    async def _settle(self, delivery: Delivery, outcome: Outcome, due_again: datetime) -> None:
        """Write an outcome, however long the store takes to come back: without it the delivery is in limbo."""
        due_at = due_again if outcome.state == "queued" else None
        while True:
            try:
                await self._store.settle_delivery(
                    delivery.delivery_id, outcome.state, reason=outcome.reason, at=self._now(), due_at=due_at
                )
                break
            except StoreUnavailable:
                await asyncio.sleep(_STORE_PAUSE_SECONDS)
        self._tally.settled(outcome.state)
        log.info(
            "delivery settled",
            extra={
                "channel": delivery.channel,
                "delivery_id": delivery.delivery_id,
                "state": outcome.state,
                "reason": outcome.reason,
            },
        )

    def _due_again(self, attempts: int) -> datetime:
        """When to try again after so many attempts: twice as long each time, scattered so that not all come at once."""
        pause: timedelta = min(_FIRST_PAUSE * 2 ** (attempts - 1), _LONGEST_PAUSE)
        return self._now() + pause * random.uniform(0.5, 1.0)


def _judged(status: int) -> Outcome:
    if 200 <= status < 300:
        return Outcome("sent")
    answered = f"answered {status}"
    return Outcome("queued" if status in _RETRIED or status >= 500 else "failed", answered)
