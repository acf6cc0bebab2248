"""What the bot sends by itself: an alert from the question that caused it to the gateway's shelf, and all that can go
wrong on the way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from standardwebhooks.webhooks import Webhook as Verifier

from bot.errors import StoreUnavailable
from bot.outbox import MOST_ATTEMPTS, Sender
from bot.records import Delivery
from tests.scenario.callers import SECRET, ask
from tests.scenario.conftest import NOW, running, write_config

DANGER = "充电宝鼓包了怎么办"


@dataclass
class Shelf:
    """The gateway's side: answers with the statuses it is given, the last one for ever, and keeps what came."""

    statuses: list[int] = field(default_factory=lambda: [204])
    came: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        self.came.append((dict(request.headers), await request.read()))
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return web.Response(status=status, headers={"Location": "/elsewhere"} if status == 302 else {})


@asynccontextmanager
async def gateway(shelf: Shelf) -> AsyncIterator[str]:
    """A gateway that listens; its address."""
    application = web.Application()
    application.router.add_post("/deliver", shelf.take)
    application.router.add_post("/elsewhere", shelf.take)
    async with TestServer(application) as server:
        yield str(server.make_url("/deliver"))


_send_due = Sender.send_due


@pytest.fixture(autouse=True)
def only_the_tests_send(monkeypatch):
    """The app's own loop finds nothing to do."""

    async def nothing(sender):
        return 0

    monkeypatch.setattr(Sender, "send_due", nothing)


async def send_due(site) -> int:
    """Attempt what is due now."""
    return await _send_due(site.app.sender)


@pytest.fixture
async def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
async def site(tmp_path, knowledge, clock, shelf):
    async with gateway(shelf) as url, running(write_config(tmp_path, *knowledge, url), clock) as opened:
        yield opened


def delivery(site, *, number: int = 1, channel: str = "gateway", user: str = "u1", chat: str | None = None) -> Delivery:
    """A delivery to a resident."""
    address = {"user": user, **({"chat": chat} if chat else {})}
    return Delivery(
        delivery_id=f"d{number}",
        channel=channel,
        chat=chat,
        user=site.app.vault.pseudonym(channel, user),
        place="qingxi",
        text=f"通知{number}",
        address=site.app.vault.seal(address),
        created_at=NOW + timedelta(seconds=number),
        due_at=NOW,
    )


async def deliveries(site) -> list[Delivery]:
    return [found async for found in site.app.store.deliveries()]


async def test_a_danger_alerts_staff_through_their_gateway(site, shelf):
    answer = await site.call(ask("gateway", DANGER, NOW, user="resident", chat="g1"))
    assert json.loads(answer.body)["action"] == "answer"
    queued, tried = sorted(await deliveries(site), key=lambda found: found.channel)  # editor and admin, not the viewer
    assert [found.state for found in (queued, tried)] == ["queued"] * 2
    assert (queued.channel, tried.channel) == ("gateway", "try")
    assert await send_due(site) == 2
    [(headers, body)] = shelf.came
    given = json.loads(body)
    assert given == {
        "type": "delivery", "delivery_id": queued.delivery_id, "broadcast_id": None, "chat": None, "user": "boss",
        "text": queued.text, "options": [], "link": None,
    }  # fmt: skip
    assert headers["webhook-id"] == queued.delivery_id
    assert headers["webhook-timestamp"] == str(int(NOW.timestamp()))
    expected = Verifier(SECRET).sign(headers["webhook-id"], NOW, body.decode())
    assert headers["webhook-signature"] == expected
    for sent in await deliveries(site):
        assert (sent.state, sent.attempts, sent.sent_at, sent.address) == ("sent", 1, NOW, None)
    assert await send_due(site) == 0
    assert len(shelf.came) == 1


@pytest.mark.parametrize(
    ("status", "state", "reason"),
    [
        *(pytest.param(status, "sent", None, id=str(status)) for status in (200, 201, 202, 204, 299)),
        *(
            pytest.param(status, "queued", f"answered {status}", id=str(status))
            for status in (408, 425, 429, 500, 502, 503, 504)
        ),
        *(
            pytest.param(status, "failed", f"answered {status}", id=str(status))
            for status in (302, 400, 401, 403, 404, 409, 410, 413, 422)
        ),
    ],
)
async def test_what_an_answer_means(site, shelf, status, state, reason):
    shelf.statuses = [status]
    await site.app.store.add_delivery(delivery(site))
    await send_due(site)
    [found] = await deliveries(site)
    assert (found.state, found.reason) == (state, reason)
    assert len(shelf.came) == 1  # a redirect is not followed


async def test_a_retry_waits_longer_each_time_and_carries_the_same_id(site, shelf):
    shelf.statuses = [503, 503, 503, 200]
    await site.app.store.add_delivery(delivery(site))
    pauses = []
    for attempt in range(1, 5):
        await send_due(site)
        assert len(shelf.came) == attempt
        [found] = await deliveries(site)
        assert await send_due(site) == 0  # not due yet
        if found.state == "queued":
            pauses.append((found.due_at - site.clock.now).total_seconds())
            site.clock.now = found.due_at
    assert found.state == "sent"
    assert [low <= pause <= 2 * low for pause, low in zip(pauses, (2.5, 5, 10), strict=True)] == [True] * 3
    assert {headers["webhook-id"] for headers, _ in shelf.came} == {"d1"}
    assert len({body for _, body in shelf.came}) == 1


async def test_it_gives_up_with_the_reason(site, shelf):
    shelf.statuses = [500]
    await site.app.store.add_delivery(delivery(site))
    for _ in range(MOST_ATTEMPTS):
        await send_due(site)
        site.clock.now += timedelta(hours=1)
    [found] = await deliveries(site)
    assert (found.state, found.attempts) == ("failed", MOST_ATTEMPTS)
    assert found.reason == "given up after 12 attempts, answered 500"
    assert len(shelf.came) == MOST_ATTEMPTS


async def test_no_answer_is_tried_again(tmp_path, knowledge, clock, unused_tcp_port):
    nowhere = f"http://127.0.0.1:{unused_tcp_port}/"
    async with running(write_config(tmp_path, *knowledge, nowhere), clock) as site:
        await site.app.store.add_delivery(delivery(site))
        await send_due(site)
        [found] = await deliveries(site)
        assert (found.state, found.attempts) == ("queued", 1)
        assert found.reason.startswith("no answer: Client")


async def test_a_gateway_that_is_down_is_not_asked_for_each_delivery(site, shelf):
    shelf.statuses = [503, 200]
    for number in range(3):
        await site.app.store.add_delivery(delivery(site, number=number))
    assert await send_due(site) == 1
    assert [found.attempts for found in await deliveries(site)] == [1, 0, 0]
    assert await send_due(site) == 2
    assert [found.state for found in await deliveries(site)] == ["queued", "sent", "sent"]


@pytest.mark.parametrize(
    ("changed", "state", "reason"),
    [
        pytest.param({"channel": "app"}, "skipped", "channel cannot send yet", id="cannot-send"),
        pytest.param({"channel": "gone"}, "skipped", "channel is not configured any more", id="unknown-channel"),
        pytest.param({"address": None}, "skipped", "no address", id="no-address"),
        pytest.param({"address": b"x" * 60}, "failed", "the address cannot be opened", id="foreign-address"),
    ],
)
async def test_what_cannot_be_sent_says_why(site, shelf, changed, state, reason):
    await site.app.store.add_delivery(replace(delivery(site), **changed))
    await send_due(site)
    [found] = await deliveries(site)
    assert (found.state, found.reason) == (state, reason)
    assert shelf.came == []


async def test_a_gateway_without_deliver_url_is_skipped(config, clock):
    config.write_text(config.read_text().replace(", deliver_url: http://127.0.0.1:9/", ""))
    async with running(config, clock) as site:
        await site.app.store.add_delivery(delivery(site))
        await send_due(site)
        [found] = await deliveries(site)
        assert (found.state, found.reason) == ("skipped", "no deliver_url")


async def test_two_senders_send_once(site, shelf):
    await site.app.store.add_delivery(delivery(site))
    attempted = await asyncio.gather(*(send_due(site) for _ in range(5)))
    assert sum(attempted) == 1
    assert len(shelf.came) == 1


async def test_a_sender_that_died_is_recovered_from(tmp_path, knowledge, clock, shelf):
    """Found in mid-send: the gateway knows a repetition by its id, nobody knows what became of the other."""
    async with gateway(shelf) as url:
        config = write_config(tmp_path, *knowledge, url)
        async with running(config, clock) as site:
            for number, channel in ((1, "gateway"), (2, "app")):
                await site.app.store.add_delivery(delivery(site, number=number, channel=channel))
                assert await site.app.store.claim_delivery(f"d{number}")
        async with running(config, clock) as site:
            await send_due(site)
            found = {one.delivery_id: (one.state, one.reason) for one in await deliveries(site)}
            assert found == {"d1": ("sent", None), "d2": ("unknown", "the sender ended")}
            assert [headers["webhook-id"] for headers, _ in shelf.came] == ["d1"]


async def test_an_outcome_is_written_once_the_store_is_back(site, shelf, monkeypatch):
    settle, failures = site.app.store.settle_delivery, iter([StoreUnavailable("full"), StoreUnavailable("full")])
    monkeypatch.setattr("bot.outbox._STORE_PAUSE_SECONDS", 0)

    async def full_at_first(*given, **more):
        if error := next(failures, None):
            raise error
        await settle(*given, **more)

    monkeypatch.setattr(site.app.store, "settle_delivery", full_at_first)
    await site.app.store.add_delivery(delivery(site))
    await send_due(site)
    assert [found.state for found in await deliveries(site)] == ["sent"]
    assert len(shelf.came) == 1


async def test_the_simulator_reads_what_was_sent_to_it(site):
    for number, chat in ((1, None), (2, "g1")):
        await site.app.store.add_delivery(delivery(site, number=number, channel="try", user="王阿姨", chat=chat))
    await send_due(site)
    assert {found.state for found in await deliveries(site)} == {"sent"}
    private, group = (site.app.mailbox.take("王阿姨", chat) for chat in (None, "g1"))
    assert [found["text"] for found in private] == ["通知1"]
    assert [found["text"] for found in group] == ["通知2"]
    assert site.app.mailbox.take("别人", None) == []
    assert site.app.mailbox.take("别人", "g1") == group
