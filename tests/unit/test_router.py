"""Handlers are asked in the written order; the first that answers wins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bot.context import Context
from bot.records import Reply, Utterance
from bot.router import Router
from tests.conftest import NOON

MakeContext = Callable[..., Context]


def utterance(**other: Any) -> Utterance:
    told: dict[str, Any] = {
        "channel": "try", "message_id": "m1", "user": "u1", "chat": None, "session": "", "text": "在吗",
        "received_at": NOON, **other,
    }  # fmt: skip
    return Utterance(**told)


def answering(text: str | None, asked: list[str], name: str) -> Callable[[Utterance, Context], Any]:
    async def handler(utterance: Utterance, ctx: Context) -> Reply | None:
        asked.append(name)
        return Reply("answer", text) if text else None

    return handler


async def test_the_first_that_answers_wins(context: MakeContext) -> None:
    router, asked = Router(), list[str]()
    router.on("message")(answering(None, asked, "first"))
    router.on("message")(answering("二", asked, "second"))
    router.on("message")(answering("三", asked, "third"))
    reply = await router.first(utterance(), context())
    assert reply == Reply("answer", "二")
    assert asked == ["first", "second"]


async def test_nobody_answers(context: MakeContext) -> None:
    assert await Router().first(utterance(), context()) is None


@pytest.mark.parametrize(
    ("route", "said", "is_asked"),
    [
        pytest.param({"kind": "message"}, {}, True, id="message"),
        pytest.param({"kind": "event"}, {}, False, id="a-message-is-no-event"),
        pytest.param({"kind": "message"}, {"kind": "event"}, False, id="an-event-is-no-message"),
        pytest.param({"kind": "event"}, {"kind": "event", "event": "subscribe"}, True, id="any-event"),
        pytest.param(
            {"kind": "event", "event": "subscribe"}, {"kind": "event", "event": "subscribe"}, True, id="this-event"
        ),
        pytest.param(
            {"kind": "event", "event": "subscribe"}, {"kind": "event", "event": "click"}, False, id="another-event"
        ),
        pytest.param({"kind": "message", "staff": True}, {}, False, id="staff-only-to-a-resident"),
        pytest.param({"kind": "message", "staff": True}, {"role": "viewer"}, True, id="staff-only-to-staff"),
    ],
)
async def test_conditions(context: MakeContext, route: dict[str, Any], said: dict[str, Any], is_asked: bool) -> None:
    router, asked = Router(), list[str]()
    router.on(route.pop("kind"), **route)(answering("好", asked, "it"))
    await router.first(utterance(**said), context())
    assert bool(asked) is is_asked


async def test_included_routes_keep_their_order(context: MakeContext) -> None:
    asked = list[str]()
    routers = [Router(), Router()]
    for n, router in enumerate(routers):
        router.on("message")(answering(None, asked, str(n)))
    both = Router().include(routers)
    await both.first(utterance(), context())
    assert asked == ["0", "1"]
