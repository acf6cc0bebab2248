"""What every storage engine promises (bot/storage/contract.py), one body for all of them."""

from __future__ import annotations

import asyncio
import itertools
import json
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import NotThere, StoreError, StoreUnavailable
from bot.records import Alert, ChatState, Delivery, ItemAnswer, Lesson, Option, Reply, Session, Turn
from bot.storage.contract import Keeping, Store
from bot.storage.rows import turn_from, turn_row

T = TypeVar("T")
Reopen = Callable[[], Awaitable[Store]]

NOON = datetime(2026, 11, 2, 4, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
LONG_AGO = NOON - 10_000 * DAY
WANG, LI, FRESH = "u_" + "a" * 32, "u_" + "b" * 32, "u_" + "f" * 32
ANSWER = Reply(
    action="answer",
    text="奶茶杯属于干垃圾。",
    topic="waste.item",
    entry="items/奶茶杯",
    items=(ItemAnswer("奶茶杯", "residual", "干垃圾"), ItemAnswer("珍珠杯盖", "residual", "干垃圾", inferred=True)),
    options=(Option("空杯", "waste.item", "residual", "items/奶茶杯"), Option("剩奶茶")),
    record={"record_id": "r1", "kind": "checkin", "item": "旧电池", "quantity": 3, "unit": "节", "state": "kept"},
    score=0.97,
    detail="杯盖另投。",
    link="https://example.org/a",
    alert=Alert("有人问起锂电池", "luyuan"),
)
UNKNOWN = Reply(action="fallback", text="还不知道，已转给工作人员。", unanswered=True)
SESSION = Session("奶茶杯", "items/奶茶杯", "waste.item", (Option("空杯"),), "详细", "奶茶杯扔哪", NOON)
CHAT = ChatState(True, NOON, {"items/奶茶杯": NOON}, {WANG: NOON, LI: NOON + MINUTE}, ("1f2e",))

_numbers = itertools.count(1)


def turn_with(**changes: Any) -> Turn:
    """A turn of 王阿姨 in a group at noon, with ids of its own and the changes asked for."""
    number = next(_numbers)
    turn = Turn(
        turn_id=f"t{number:06}",
        message_id=f"m{number}",
        channel="gateway",
        chat="g1",
        user=WANG,
        place="luyuan",
        session="gateway/g1/wang",
        received_at=NOON,
        kind="message",
        media="text",
        text="奶茶杯扔哪个桶",
        mentioned=True,
        reply=ANSWER,
        latency_ms=0.5,
    )
    return replace(turn, **changes)


def delivery_with(delivery_id: str, **changes: Any) -> Delivery:
    """A queued delivery to 王阿姨."""
    delivery = Delivery(delivery_id, "gateway", "g1", WANG, "luyuan", "老师回答您了", created_at=NOON)
    return replace(delivery, **changes)


async def gathered(items: AsyncIterator[T]) -> list[T]:
    return [item async for item in items]


async def kept(store: Store, **changes: Any) -> Turn:
    """A turn with those changes, kept."""
    return await store.keep(Keeping(turn_with(**changes)))


async def asked(store: Store, user: str, text: str, *, folded: str | None = None, at: datetime = NOON) -> None:
    """Keep a question nobody could answer."""
    turn = turn_with(user=user, text=text, received_at=at, reply=UNKNOWN)
    await store.keep(Keeping(turn, folded=text if folded is None else folded))


# Turns


async def test_a_turn_comes_back_as_it_was(store: Store) -> None:
    turn = turn_with()
    assert await store.keep(Keeping(turn)) == turn
    assert await store.turn_of("gateway", turn.message_id) == turn
    assert await gathered(store.turns()) == [turn]


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"chat": None}, id="private-chat"),
        pytest.param({"text": None, "reply": Reply("silent", reason="unsure"), "mentioned": False}, id="silent"),
        pytest.param({"kind": "event", "media": "other", "text": ""}, id="event"),
        pytest.param({"media": "voice", "text": "🔋︎ ｆｕｌｌ 電池"}, id="voice"),
        pytest.param({"reply": Reply("clarify", options=(Option("充电的", "waste.item", None, "b/c"),))}, id="options"),
        pytest.param({"reply": Reply("done", record={"a": [1, {"b": None}], "c": 2.5})}, id="nested-record"),
        pytest.param({"received_at": NOON + timedelta(microseconds=1)}, id="one-microsecond"),
        pytest.param({"received_at": NOON.astimezone(UTC) - 20_000 * DAY}, id="before-1972"),
    ],
)
async def test_every_kind_of_turn_comes_back(store: Store, changes: dict[str, Any]) -> None:
    turn = await kept(store, **changes)
    assert await store.turn_of(turn.channel, turn.message_id) == turn


async def test_an_unknown_message_has_no_turn(store: Store) -> None:
    turn = await kept(store)
    assert await store.turn_of("gateway", "m-unknown") is None
    assert await store.turn_of("another", turn.message_id) is None


async def test_the_same_message_counts_once_and_writes_nothing_else(store: Store) -> None:
    first = await kept(store, message_id="same")
    other = replace(UNKNOWN, session=SESSION, chat=CHAT)
    again = Keeping(
        turn_with(message_id="same", user=LI, reply=other),
        folded="奶茶杯",
        nonce="n1",
        nonce_digest="d1",
        address=b"sealed",
        deliveries=(delivery_with("d-again"),),
    )
    assert await store.keep(again) == first
    opening = await store.opening("gateway", "same", nonce="n1", session=again.turn.session, chat="g1")
    assert (opening.turn, opening.nonce_digest, opening.session, opening.chat) == (first, None, None, None)
    assert await gathered(store.turns()) == [first]
    assert await gathered(store.unanswered()) == []
    assert await gathered(store.deliveries()) == []
    assert await store.address_of(LI, NOON) is None


async def test_the_same_message_id_on_another_channel_is_another_message(store: Store) -> None:
    await kept(store, message_id="same")
    await kept(store, message_id="same", channel="mp")
    assert len(await gathered(store.turns())) == 2


async def test_twenty_deliveries_of_one_message_at_once_are_one_turn(store: Store) -> None:
    turns = [turn_with(message_id="same", reply=replace(ANSWER, text=f"{n}")) for n in range(20)]
    answers = await asyncio.gather(*(store.keep(Keeping(turn)) for turn in turns))
    (only,) = await gathered(store.turns())
    assert [answer.reply.text for answer in answers] == [only.reply.text] * 20


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param({"deliveries": (delivery_with("d-taken"),)}, id="delivery-id-taken"),
        pytest.param({"turn": turn_with(reply=Reply("done", record={"no": object()}))}, id="record-not-json"),
        pytest.param({"turn": turn_with(received_at=NOON.replace(tzinfo=None))}, id="naive-time"),
    ],
)
async def test_a_bad_turn_among_good_ones_fails_alone_and_wholly(store: Store, bad: dict[str, Any]) -> None:
    await store.add_delivery(delivery_with("d-taken"))
    spoilt = replace(Keeping(turn_with(session="s-bad", reply=replace(ANSWER, session=SESSION))), **bad)
    keepings = [Keeping(turn_with()), spoilt, Keeping(turn_with()), Keeping(turn_with())]
    answers = await asyncio.gather(*(store.keep(keeping) for keeping in keepings), return_exceptions=True)
    assert [isinstance(answer, StoreError) for answer in answers] == [False, True, False, False]
    assert not isinstance(answers[1], StoreUnavailable)
    good = [keepings[n].turn for n in (0, 2, 3)]
    assert await gathered(store.turns()) == good
    opening = await store.opening("gateway", spoilt.turn.message_id, nonce="", session="s-bad", chat=None)
    assert opening.turn is None
    assert opening.session is None


@pytest.mark.parametrize(
    ("said", "stored"),
    [
        pytest.param("电\0池", "电池", id="nul"),
        pytest.param("电\ud83d池", "电\ufffd池", id="lone-high-surrogate"),
        pytest.param("\udd0b电池", "\ufffd电池", id="lone-low-surrogate"),
        pytest.param("\ud83d\udd0b", "🔋", id="split-pair"),
        pytest.param('"\\u0000"', '"\\u0000"', id="written-out-nul"),
    ],
)
async def test_text_no_database_takes_is_mended_and_harms_nobody(store: Store, said: str, stored: str) -> None:
    reply = replace(ANSWER, text=said, detail=said, items=(ItemAnswer(said, "residual", "干垃圾", inferred=True),))
    spoilt = turn_with(message_id=f"id{said}", session=f"s{said}", text=said, reply=reply)
    good = turn_with()
    session = Session(item=said)
    keepings = [Keeping(replace(spoilt, reply=replace(reply, session=session)), folded=said, nonce=said), Keeping(good)]
    await asyncio.gather(*(store.keep(keeping) for keeping in keepings))
    opening = await store.opening("gateway", f"id{said}", nonce=said, session=f"s{said}", chat=said)
    assert opening.turn is not None
    assert opening.session == Session(item=stored)
    assert opening.nonce_digest == ""
    assert (opening.turn.text, opening.turn.reply.text, opening.turn.reply.detail) == (stored, stored, stored)
    assert opening.turn.reply.items[0].name == stored
    assert await store.turn_of("gateway", good.message_id) == good


_words = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
_options = st.builds(Option, _words, st.none() | _words, st.none() | _words, _words)
_replies = st.builds(
    Reply,
    action=st.sampled_from(["answer", "clarify", "fallback", "handoff", "done", "silent"]),
    text=_words,
    topic=st.none() | _words,
    entry=st.none() | _words,
    items=st.lists(st.builds(ItemAnswer, _words, _words, _words, st.booleans()), max_size=3).map(tuple),
    options=st.lists(_options, max_size=3).map(tuple),
    record=st.none() | st.dictionaries(_words, st.none() | _words | st.integers(-(10**20), 10**20), max_size=3),
    reason=st.none() | st.sampled_from(["recent", "unsure"]),
    score=st.floats(0, 1),
    detail=_words,
    link=st.none() | _words,
    unanswered=st.booleans(),
    alert=st.none() | st.builds(Alert, _words, _words),
)


@settings(max_examples=60, deadline=None)
@given(reply=_replies, text=st.none() | _words, at=st.datetimes(datetime(1970, 1, 1), timezones=st.just(UTC)))
def test_any_turn_comes_back(reply: Reply, text: str | None, at: datetime) -> None:
    turn = turn_with(reply=reply, text=text, received_at=at)
    assert turn_from(turn_row(turn)) == turn


async def test_turns_are_oldest_first_and_ties_go_by_turn_id(store: Store) -> None:
    late = await kept(store, turn_id="a", received_at=NOON + MINUTE)
    second = await kept(store, turn_id="z", received_at=NOON)
    first = await kept(store, turn_id="y", received_at=NOON)
    assert await gathered(store.turns()) == [first, second, late]


async def test_the_period_holds_its_start_and_not_its_end(store: Store) -> None:
    turns = [await kept(store, received_at=NOON + n * MINUTE) for n in range(4)]
    assert await gathered(store.turns(since=NOON + MINUTE, until=NOON + 3 * MINUTE)) == turns[1:3]
    assert await gathered(store.turns(until=NOON)) == []


async def test_only_the_places_asked_for(store: Store) -> None:
    here = await kept(store, place="building-1")
    there = await kept(store, place="building-2", received_at=NOON + MINUTE)
    await kept(store, place="building-3")
    assert await gathered(store.turns(places=["building-1", "building-2"])) == [here, there]
    assert await gathered(store.turns(places=[])) == []


async def test_long_lists_are_whole_and_in_order(store: Store) -> None:
    """More rows than any page, half of them at the same moment."""
    turns = [turn_with(received_at=NOON + (n // 700) * MINUTE) for n in range(1400)]
    await asyncio.gather(*(store.keep(Keeping(turn)) for turn in reversed(turns)))
    assert await gathered(store.turns()) == turns


async def test_turns_may_be_kept_and_read_while_others_are_listed(store: Store) -> None:
    first = await kept(store)
    listed = []
    async for turn in store.turns():
        listed.append(turn)
        await kept(store, received_at=NOON - DAY)
        assert await store.turn_of("gateway", first.message_id) == first
    assert listed == [first]


# Opening


async def test_an_opening_knows_nothing_of_the_new(store: Store) -> None:
    opening = await store.opening("gateway", "m", nonce="n", session="s", chat="g1")
    assert (opening.turn, opening.nonce_digest, opening.session, opening.chat) == (None, None, None, None)


async def test_an_opening_knows_all_that_was_kept(store: Store) -> None:
    turn = turn_with(reply=replace(ANSWER, session=SESSION, chat=CHAT))
    await store.keep(Keeping(turn, nonce="n1", nonce_digest="digest"))
    opening = await store.opening("gateway", turn.message_id, nonce="n1", session=turn.session, chat="g1")
    assert opening.turn == replace(turn, reply=ANSWER)
    assert (opening.nonce_digest, opening.session, opening.chat) == ("digest", SESSION, CHAT)


async def test_no_new_state_leaves_the_old_one(store: Store) -> None:
    turn = turn_with(reply=replace(ANSWER, session=SESSION, chat=CHAT))
    await store.keep(Keeping(turn))
    await kept(store, session=turn.session)
    opening = await store.opening("gateway", "m", nonce="", session=turn.session, chat="g1")
    assert (opening.session, opening.chat) == (SESSION, CHAT)


async def test_a_new_state_takes_the_place_of_the_old_one(store: Store) -> None:
    await kept(store, session="s", reply=replace(ANSWER, session=SESSION, chat=CHAT))
    await kept(store, session="s", reply=replace(ANSWER, session=Session(), chat=ChatState()))
    opening = await store.opening("gateway", "m", nonce="", session="s", chat="g1")
    assert (opening.session, opening.chat) == (Session(), ChatState())


async def test_a_chat_belongs_to_its_channel_and_a_nonce_too(store: Store) -> None:
    turn = turn_with(reply=replace(ANSWER, chat=CHAT))
    await store.keep(Keeping(turn, nonce="n1", nonce_digest="digest"))
    elsewhere = await store.opening("mp", turn.message_id, nonce="n1", session="s", chat="g1")
    private = await store.opening("gateway", "m", nonce="n2", session="s", chat=None)
    assert [elsewhere.turn, elsewhere.chat, elsewhere.nonce_digest] == [None] * 3
    assert [private.chat, private.nonce_digest] == [None] * 2


async def test_a_nonce_keeps_its_first_digest(store: Store) -> None:
    await store.keep(Keeping(turn_with(), nonce="n1", nonce_digest="first"))
    await store.keep(Keeping(turn_with(), nonce="n1", nonce_digest="second"))
    assert (await store.opening("gateway", "m", nonce="n1", session="", chat=None)).nonce_digest == "first"


async def test_what_is_returned_is_no_live_object(store: Store) -> None:
    record, answered = {"quantity": 1}, {"e": NOON}
    reply = Reply("done", record=record, chat=ChatState(answered=answered))
    turn = await kept(store, reply=reply)
    record["quantity"] = 2
    answered.clear()
    opening = await store.opening("gateway", turn.message_id, nonce="", session="", chat="g1")
    assert opening.turn is not None
    assert opening.turn.reply.record == {"quantity": 1}
    assert opening.chat == ChatState(answered={"e": NOON})


# Addresses


@pytest.mark.parametrize(
    ("until", "found"),
    [
        pytest.param(NOON + MINUTE, b"sealed", id="still-allowed"),
        pytest.param(NOON, None, id="ends-now"),
        pytest.param(NOON - MINUTE, None, id="over"),
        pytest.param(None, b"sealed", id="no-end"),
    ],
)
async def test_an_address_is_there_as_long_as_allowed(store: Store, until: datetime | None, found: bytes) -> None:
    await store.keep(Keeping(turn_with(), address=b"sealed", address_until=until))
    assert await store.address_of(WANG, NOON) == found
    assert await store.address_of(LI, NOON) is None


async def test_a_newer_address_takes_the_place_of_the_older(store: Store) -> None:
    await store.keep(Keeping(turn_with(), address=b"old", address_until=NOON + MINUTE))
    await store.keep(Keeping(turn_with(), address=b"new", address_until=NOON + DAY))
    await kept(store)
    assert await store.address_of(WANG, NOON + 2 * MINUTE) == b"new"


# Deliveries


async def test_a_delivery_comes_back_as_it_was(store: Store) -> None:
    whole = delivery_with(
        "d1", address=b"sealed", broadcast_id="b1", options=("知道了", "不去"), link="https://example.org", due_at=NOON
    )
    await store.add_delivery(whole)
    assert await store.due_deliveries(NOON, 10) == [whole]
    assert await gathered(store.deliveries()) == [replace(whole, address=None)]


async def test_deliveries_of_a_turn_are_created_when_it_came(store: Store) -> None:
    delivery = delivery_with("d1", created_at=None)
    await store.keep(Keeping(turn_with(), deliveries=(delivery,)))
    assert await store.due_deliveries(NOON, 10) == [replace(delivery, created_at=NOON)]


async def test_due_are_the_queued_whose_time_has_come_oldest_first(store: Store) -> None:
    await store.add_delivery(delivery_with("new", created_at=NOON + MINUTE))
    await store.add_delivery(delivery_with("old", due_at=NOON))
    await store.add_delivery(delivery_with("later", due_at=NOON + MINUTE))
    await store.add_delivery(delivery_with("failed", state="failed"))
    assert [d.delivery_id for d in await store.due_deliveries(NOON, 10)] == ["old", "new"]
    assert [d.delivery_id for d in await store.due_deliveries(NOON, 1)] == ["old"]


async def test_a_delivery_is_claimed_by_one_only(store: Store) -> None:
    await store.add_delivery(delivery_with("d1"))
    claims = await asyncio.gather(*(store.claim_delivery("d1") for _ in range(4)))
    assert sorted(claims) == [False, False, False, True]
    assert await store.due_deliveries(NOON, 10) == []
    (stuck,) = await store.stuck_deliveries()
    assert (stuck.state, stuck.attempts) == ("sending", 1)
    assert not await store.claim_delivery("unknown")


@pytest.mark.parametrize("state", ["sent", "failed", "skipped", "unknown"])
async def test_a_settled_delivery_loses_its_address(store: Store, state: Any) -> None:
    await store.add_delivery(delivery_with("d1", address=b"sealed"))
    await store.claim_delivery("d1")
    assert (await store.stuck_deliveries())[0].address == b"sealed"
    await store.settle_delivery("d1", state, reason="platform said 45009", at=NOON + MINUTE)
    (settled,) = await gathered(store.deliveries())
    assert (settled.state, settled.reason) == (state, "platform said 45009")
    assert settled.sent_at == (NOON + MINUTE if state == "sent" else None)
    assert await store.stuck_deliveries() == []
    # Queued again by hand, it is seen whole: and the address is gone.
    await store.settle_delivery("d1", "queued", at=NOON, due_at=NOON)
    assert (await store.due_deliveries(NOON, 1))[0].address is None


async def test_a_retry_waits_for_its_time_and_counts(store: Store) -> None:
    await store.add_delivery(delivery_with("d1", address=b"sealed"))
    await store.claim_delivery("d1")
    await store.settle_delivery("d1", "queued", reason="429", at=NOON, due_at=NOON + MINUTE)
    assert await store.due_deliveries(NOON, 10) == []
    (due,) = await store.due_deliveries(NOON + MINUTE, 10)
    assert (due.attempts, due.reason, due.address) == (1, "429", b"sealed")
    assert await store.claim_delivery("d1")
    assert (await store.stuck_deliveries())[0].attempts == 2


async def test_an_unknown_delivery_cannot_be_settled(store: Store) -> None:
    with pytest.raises(NotThere):
        await store.settle_delivery("unknown", "sent", at=NOON)


async def test_deliveries_by_period_and_place(store: Store) -> None:
    for number in range(4):
        created, place = NOON + number * MINUTE, f"building-{number % 2}"
        await store.add_delivery(delivery_with(f"d{number}", created_at=created, place=place))
    found = await gathered(store.deliveries(since=NOON + MINUTE, until=NOON + 3 * MINUTE, places=["building-0"]))
    assert [delivery.delivery_id for delivery in found] == ["d2"]


# Unanswered questions


async def test_unanswered_counts_distinct_people(store: Store) -> None:
    for user, text in ((WANG, "猫砂呢"), (WANG, "猫砂呢"), (LI, "猫砂呢？"), (WANG, "猫砂呢？"), (FRESH, "猫砂呢")):
        await asked(store, user, text, folded="猫砂")
    (cluster,) = await gathered(store.unanswered())
    assert (cluster.text, cluster.people, cluster.variants) == ("猫砂呢", 3, ("猫砂呢", "猫砂呢？"))
    assert (cluster.state, cluster.entry) == ("open", None)


async def test_unanswered_knows_its_first_and_last_time(store: Store) -> None:
    for minutes in (5, 1, 9):
        await asked(store, f"u_{minutes}", "猫砂呢", at=NOON + minutes * MINUTE)
    (cluster,) = await gathered(store.unanswered())
    assert (cluster.first_at, cluster.last_at) == (NOON + MINUTE, NOON + 9 * MINUTE)


async def test_unanswered_has_most_people_first_then_the_oldest(store: Store) -> None:
    await asked(store, WANG, "young", at=NOON + MINUTE)
    await asked(store, WANG, "old", at=NOON)
    await asked(store, WANG, "many", at=NOON + 2 * MINUTE)
    await asked(store, LI, "many", at=NOON + 2 * MINUTE)
    assert [cluster.text for cluster in await gathered(store.unanswered())] == ["many", "old", "young"]


async def test_long_lists_of_unanswered_are_whole(store: Store) -> None:
    await asyncio.gather(*(asked(store, WANG, f"问题{n:04}", at=NOON + n * MINUTE) for n in range(1100)))
    assert [c.text for c in await gathered(store.unanswered())] == [f"问题{n:04}" for n in range(1100)]


async def test_a_text_that_may_not_be_kept_is_not_queued(store: Store) -> None:
    await kept(store, text=None, reply=UNKNOWN)
    assert await gathered(store.unanswered()) == []


def same_ending(core: str, others: Sequence[str]) -> int | None:
    """Questions ask the same when what they are about ends alike: a rule that is easy to foresee."""
    return next((n for n, other in enumerate(others) if other[-1] == core[-1]), None)


async def about(store: Store, core: str, *, user: str = WANG, at: datetime = NOON, **changes: Any) -> None:
    """Keep a question about that, in words of its own."""
    turn = turn_with(user=user, text=f"{core}怎么扔", received_at=at, reply=UNKNOWN, **changes)
    address = f"sealed {user} {turn.chat}".encode()
    keeping = Keeping(turn, folded=f"{core}怎么扔", core=core, joins=same_ending, address=address)
    await store.keep(replace(keeping, address_until=at + DAY))


async def numbers(store: Store) -> dict[str, int]:
    """Text of each cluster → its number."""
    return {cluster.text: cluster.cluster_id for cluster in await gathered(store.unanswered())}


async def test_questions_that_ask_the_same_join_a_cluster(store: Store) -> None:
    for core, user in (("神奇球", WANG), ("魔法球", LI), ("神奇盒", WANG), ("神奇盒", LI), ("合欢树", FRESH)):
        await about(store, core, user=user)
    found = {c.cluster_id: (c.people, len(c.variants)) for c in await gathered(store.unanswered())}
    assert found == {1: (2, 2), 2: (2, 1), 3: (1, 1)}
    assert (await store.cluster(2)) == next(c for c in await gathered(store.unanswered()) if c.cluster_id == 2)
    assert await store.cluster(9) is None


async def test_numbers_of_clusters_stay_theirs(store: Store) -> None:
    await about(store, "神奇球", at=NOON - DAY)
    await store.retire(text_before=NOON, records_before=NOON, now=NOON)
    assert await numbers(store) == {}
    await about(store, "神奇球")
    assert await numbers(store) == {"神奇球怎么扔": 2}


async def test_unanswered_of_some_places(store: Store) -> None:
    await about(store, "神奇球", place="luyuan")
    await about(store, "合欢树", place="east")
    found = [cluster.text async for cluster in store.unanswered(places=["east", "west"])]
    assert found == ["合欢树怎么扔"]


async def test_askers_are_people_where_they_asked_last(store: Store) -> None:
    await about(store, "神奇球", user=WANG, at=NOON, chat="g1")
    await about(store, "神奇球", user=LI, at=NOON + MINUTE, chat=None)
    await about(store, "魔法球", user=WANG, at=NOON + 2 * MINUTE, chat="g2")
    wang, li = await store.askers(1, NOON + 3 * MINUTE)
    assert (wang.user, wang.chat, wang.text) == (WANG, "g2", "魔法球怎么扔")
    assert (wang.channel, wang.place) == ("gateway", "luyuan")
    assert (li.user, li.chat, li.at) == (LI, None, NOON + MINUTE)
    assert wang.addresses == (f"sealed {WANG} g2".encode(),) * 2, "of the question, and the newest of the person"
    assert [asker.addresses for asker in await store.askers(1, NOON + 2 * DAY)] == [(), ()], "expired"
    assert await store.askers(9, NOON) == []


async def test_who_opted_out_is_not_among_the_askers(store: Store) -> None:
    await about(store, "神奇球", user=WANG)
    await about(store, "神奇球", user=LI)
    await kept(store, reply=replace(ANSWER, notices=False))
    assert [asker.user for asker in await store.askers(1, NOON)] == [LI]
    assert (await store.stored_about(WANG))["opted_out"] == NOON.isoformat()
    await kept(store, reply=replace(ANSWER, notices=True))
    assert [asker.user for asker in await store.askers(1, NOON)] == [WANG, LI]
    assert (await store.stored_about(WANG))["opted_out"] is None


async def test_a_dismissed_cluster_stays_so(store: Store) -> None:
    await about(store, "神奇球")
    assert await store.dismiss(1) == "dismissed"
    await about(store, "神奇球", user=LI)
    await about(store, "魔法球", user=LI)
    assert await store.dismiss(9) is None
    states = {c.cluster_id: (c.state, c.people) for c in await gathered(store.unanswered())}
    assert states == {1: ("dismissed", 2), 2: ("open", 1)}, "only open ones are joined by what is nearly the same"


# Lessons


def lesson_for(cluster: int, **changes: Any) -> Lesson:
    """A lesson of 李叔, who is of the staff."""
    return replace(Lesson(cluster, "category", "residual", NOON, channel="gateway", user=LI), **changes)


async def taught(store: Store, cluster: int = 1, *, told: Sequence[str] = (WANG,), **changes: Any) -> Lesson:
    """A lesson that was queued with a turn, and is taught."""
    await kept(store, user=LI, reply=replace(ANSWER, lesson=lesson_for(cluster)))
    (waiting,) = await store.lessons(states=("waiting",))
    done = replace(waiting, state="taught", entry="items/神奇球", settled_at=NOON + MINUTE, notices=("n1",), **changes)
    notice = delivery_with("n1", due_at=NOON + DAY)
    settled = await store.settle_lesson(done, "waiting", notices=[notice], told=told)
    assert settled == done
    return done


async def test_a_lesson_is_kept_with_its_turn(store: Store) -> None:
    turn = turn_with(user=LI, reply=replace(ANSWER, lesson=lesson_for(7)))
    await store.keep(Keeping(turn))
    await store.keep(Keeping(turn))
    assert await store.lessons() == [lesson_for(7, lesson_id=1)]
    for none in ({"user": WANG}, {"cluster": 1}, {"states": ("taught",)}):
        assert await store.lessons(**none) == []


async def test_a_taught_cluster_is_closed_and_its_askers_told_once(store: Store) -> None:
    await about(store, "神奇球", user=WANG)
    await about(store, "神奇球", user=FRESH)
    lesson = await taught(store)
    cluster = await store.cluster(1)
    assert cluster is not None
    assert (cluster.state, cluster.entry) == ("taught", "items/神奇球")
    assert [asker.user for asker in await store.askers(1, NOON)] == [FRESH], "nobody told this one"
    assert await store.lessons(cluster=1) == [lesson]
    assert [d.delivery_id for d in await gathered(store.deliveries())] == ["n1"]
    assert await store.settle_lesson(lesson, "waiting", notices=[delivery_with("n2")]) is None
    assert len(await gathered(store.deliveries())) == 1


async def test_a_new_lesson_gets_a_number(store: Store) -> None:
    first = await store.settle_lesson(lesson_for(1, state="failed"), None)
    second = await store.settle_lesson(lesson_for(1, state="failed"), None)
    assert first is not None
    assert second is not None
    assert [lesson.lesson_id for lesson in await store.lessons()] == [second.lesson_id, first.lesson_id] == [2, 1]


async def test_asked_again_in_vain_a_taught_cluster_opens_again(store: Store) -> None:
    await about(store, "神奇球", user=WANG)
    await taught(store)
    await about(store, "神奇球", user=WANG, at=NOON + 5 * MINUTE)
    cluster = await store.cluster(1)
    assert cluster is not None
    assert (cluster.state, cluster.entry, cluster.people) == ("open", None, 1)
    assert [asker.user for asker in await store.askers(1, NOON)] == [WANG], "told of what did not help"
    assert await store.dismiss(1) == "dismissed"


async def test_what_is_taught_cannot_be_dismissed(store: Store) -> None:
    await about(store, "神奇球")
    await taught(store)
    assert await store.dismiss(1) == "taught"


async def test_a_lesson_taken_back_is_undone(store: Store) -> None:
    await about(store, "神奇球")
    lesson = await taught(store)
    await kept(store, user=LI, reply=replace(ANSWER, take_back=lesson.lesson_id))
    (undoing,) = await store.lessons()
    assert undoing.state == "undoing"
    (notice,) = await gathered(store.deliveries())
    assert (notice.state, notice.reason) == ("skipped", "taken back")
    assert await store.due_deliveries(NOON + 2 * DAY, 9) == []
    await store.settle_lesson(replace(undoing, state="undone"), "undoing")
    cluster = await store.cluster(1)
    assert cluster is not None
    assert (cluster.state, cluster.entry) == ("open", None)
    assert [asker.user for asker in await store.askers(1, NOON)] == [WANG]


async def test_undoing_leaves_what_was_sent(store: Store) -> None:
    await about(store, "神奇球")
    lesson = await taught(store)
    await store.claim_delivery("n1")
    await store.settle_delivery("n1", "sent", at=NOON)
    await store.settle_lesson(replace(lesson, state="undoing"), "taught")
    assert [d.state for d in await gathered(store.deliveries())] == ["sent"]


@pytest.mark.parametrize(
    ("state", "after"),
    [("waiting", "cancelled"), ("checking", "cancelled"), ("applying", "applying"), ("taught", "undoing"),
     ("failed", "failed"), ("undone", "undone")],
)  # fmt: skip
async def test_what_becomes_of_a_lesson_taken_back(store: Store, state: Any, after: str) -> None:
    await store.settle_lesson(lesson_for(1, state=state), None)
    await kept(store, reply=replace(ANSWER, take_back=1))
    await kept(store, reply=replace(ANSWER, take_back=99))
    assert [lesson.state for lesson in await store.lessons()] == [after]


async def test_old_lessons_lose_what_they_told_and_then_go(store: Store) -> None:
    old = {"at": NOON - DAY, "told": "王阿姨问的"}
    for state in ("taught", "waiting"):
        await store.settle_lesson(lesson_for(1, state=state, **old), None)
    await store.retire(text_before=NOON, records_before=LONG_AGO, now=NOON)
    assert {lesson.state: lesson.told for lesson in await store.lessons()} == {"taught": "", "waiting": "王阿姨问的"}
    await store.retire(text_before=NOON, records_before=NOON, now=NOON)
    assert [lesson.state for lesson in await store.lessons()] == ["waiting"]


async def test_forgetting_takes_words_addresses_and_wishes_out_of_the_loop(store: Store) -> None:
    await about(store, "秘密球", user=WANG)
    await about(store, "秘密球", user=LI, at=NOON + MINUTE)
    await kept(store, reply=replace(ANSWER, notices=False))
    await store.settle_lesson(lesson_for(1, user=WANG, state="failed"), None)
    await store.forget(WANG, FRESH)
    told = dict(await store.stored_about(WANG))
    assert not any(value for key, value in told.items() if key != "user")
    assert [asker.user for asker in await store.askers(1, NOON)] == [LI]
    assert [lesson.user for lesson in await store.lessons()] == [FRESH]
    await store.forget(LI, "u_" + "d" * 32)
    await about(store, "秘密球", user="u_new")
    assert (await numbers(store))["秘密球怎么扔"] == 2, "nothing is left to join"


async def test_a_restart_keeps_clusters_and_lessons(reopen: Reopen) -> None:
    store = await reopen()
    await about(store, "神奇球")
    lesson = await taught(store)
    store = await reopen()
    assert await store.lessons() == [lesson]
    await about(store, "魔法球", user=LI)
    assert sorted((await numbers(store)).values()) == [1, 2]


# What is stored about a resident, and forgetting


async def remember_wang(store: Store) -> None:
    """Everything a store can know of somebody, twice; and a neighbour in the same chat."""
    reply = replace(ANSWER, session=SESSION, chat=CHAT)
    turn = turn_with(text="王阿姨的秘密一", reply=reply)
    own = delivery_with(
        "d-own", text="给王阿姨的秘密", address=b"sealed-d", options=("秘密选项",), link="https://s/秘密"
    )
    whole = Keeping(turn, address=b"sealed-a", address_until=NOON + DAY, deliveries=(own,))
    await store.keep(whole)
    await asked(store, WANG, "王阿姨的秘密二", folded="秘密二")
    await asked(store, WANG, "都问的问题", folded="都问")
    await asked(store, LI, "都问的问题！", folded="都问")
    neighbours = Reply("answer", "李叔的回答", items=ANSWER.items[:1], session=SESSION)
    await kept(store, user=LI, session="gateway/g1/li", text="李叔的话", reply=neighbours)


async def test_all_that_is_stored_about_a_user_is_told(store: Store) -> None:
    await remember_wang(store)
    told = json.loads(json.dumps(await store.stored_about(WANG), ensure_ascii=False))
    assert told["user"] == WANG
    assert [turn["text"] for turn in told["turns"]] == ["王阿姨的秘密一", "王阿姨的秘密二", "都问的问题"]
    assert told["turns"][0]["reply"]["text"] == ANSWER.text
    assert told["turns"][0]["received_at"] == "2026-11-02T04:00:00+00:00"
    assert [(s["key"], s["question"]) for s in told["sessions"]] == [("gateway/g1/wang", "奶茶杯扔哪")]
    assert [delivery["text"] for delivery in told["deliveries"]] == ["给王阿姨的秘密"]
    assert [ask["text"] for ask in told["unanswered"]] == ["王阿姨的秘密二", "都问的问题"]
    assert told["addresses"] == [{"until": "2026-11-03T04:00:00+00:00"}]
    assert [(chat["chat"], chat["replied_at"]) for chat in told["chats"]] == [("g1", "2026-11-02T04:00:00+00:00")]
    assert "李叔" not in json.dumps(told, ensure_ascii=False)


async def test_nothing_is_stored_about_a_stranger(store: Store) -> None:
    await remember_wang(store)
    told = dict(await store.stored_about("u_stranger"))
    assert told.pop("user") == "u_stranger"
    assert set(told) == {
        "turns", "sessions", "deliveries", "unanswered", "addresses", "chats", "lessons", "opted_out",
    }  # fmt: skip
    assert not any(told.values())


async def everything(store: Store) -> str:
    """All a store gives out, as one text to search in."""
    opening = await store.opening("gateway", "m", nonce="", session="gateway/g1/wang", chat="g1")
    lists = [await gathered(s) for s in (store.turns(), store.deliveries(), store.unanswered())]
    return repr((opening, lists, await store.due_deliveries(NOON + DAY, 100), await store.stored_about(WANG)))


async def test_forgetting_leaves_no_word_and_no_way_back(store: Store) -> None:
    await remember_wang(store)
    assert await store.forget(WANG, FRESH) == 3
    left = (await everything(store)).replace(f"'user': '{WANG}'", "")
    for secret in ("秘密", WANG, "sealed", "奶茶杯扔哪", "珍珠杯盖", "旧电池", "杯盖另投", "空杯"):
        assert secret not in left
    assert await store.address_of(WANG, NOON) is None
    assert await store.address_of(FRESH, NOON) is None


async def test_forgetting_blanks_turns_and_keeps_them_counted(store: Store) -> None:
    await remember_wang(store)
    before = await gathered(store.turns())
    await store.forget(WANG, FRESH)
    after = await gathered(store.turns())

    def figures(turns: list[Turn]) -> list[object]:
        return [
            (t.turn_id, t.message_id, t.place, t.received_at, t.latency_ms, r.action, r.topic, r.entry, r.score,
             r.unanswered, [item.category for item in r.items])
            for t in turns for r in [t.reply]
        ]  # fmt: skip

    assert figures(after) == figures(before)
    assert len({turn.user for turn in after}) == len({turn.user for turn in before})
    blanked = [turn for turn in after if turn.user == FRESH]
    assert {(t.text, t.chat, t.session, t.reply.text, t.reply.record) for t in blanked} == {(None, None, "", "", None)}
    assert [turn for turn in after if turn.user == LI] == [turn for turn in before if turn.user == LI]


async def test_forgetting_keeps_people_counted_and_what_others_asked(store: Store) -> None:
    await remember_wang(store)
    before = {c.cluster_id: c.people for c in await gathered(store.unanswered())}
    await store.forget(WANG, FRESH)
    after = await gathered(store.unanswered())
    assert {c.cluster_id: c.people for c in after} == before
    assert [(c.text, c.variants) for c in after] == [("都问的问题！", ("都问的问题！",)), ("", ())]
    await asked(store, FRESH, "王阿姨的秘密二", folded="秘密二")
    assert sorted(c.people for c in await gathered(store.unanswered())) == [1, 1, 2]


async def test_forgetting_leaves_the_neighbour_alone(store: Store) -> None:
    await remember_wang(store)
    await store.forget(WANG, FRESH)
    opening = await store.opening("gateway", "m", nonce="", session="gateway/g1/li", chat="g1")
    assert opening.session == SESSION
    assert opening.chat == replace(CHAT, replied={LI: NOON + MINUTE})


async def test_nothing_is_sent_to_the_forgotten(store: Store) -> None:
    await remember_wang(store)
    await store.forget(WANG, FRESH)
    assert await store.due_deliveries(NOON + DAY, 10) == []
    (delivery,) = await gathered(store.deliveries())
    assert (delivery.state, delivery.reason, delivery.user) == ("skipped", "forgotten", FRESH)
    assert (delivery.text, delivery.chat, delivery.options, delivery.link) == ("", None, (), None)


async def test_forgetting_again_changes_nothing(store: Store) -> None:
    await remember_wang(store)
    await store.forget(WANG, FRESH)
    once = await everything(store)
    assert await store.forget(WANG, "u_" + "e" * 32) == 0
    assert await everything(store) == once


async def test_a_message_of_the_forgotten_is_still_known(store: Store) -> None:
    turn = await kept(store)
    await store.forget(WANG, FRESH)
    again = await store.keep(Keeping(turn))
    assert (again.user, again.text) == (FRESH, None)
    assert len(await gathered(store.turns())) == 1


# Retention


async def test_old_words_go_and_figures_stay(store: Store) -> None:
    old = await kept(store, received_at=NOON - MINUTE)
    new = await kept(store, received_at=NOON)
    assert await store.retire(text_before=NOON, records_before=LONG_AGO, now=NOON) == 1
    blank, same = await gathered(store.turns())
    assert same == new
    assert (blank.text, blank.reply.text, blank.reply.detail, blank.reply.options) == (None, "", "", ())
    assert (blank.user, blank.chat, blank.reply.entry, blank.reply.score) == (WANG, "g1", old.reply.entry, 0.97)
    assert blank.reply.record == ANSWER.record
    assert [item.name for item in blank.reply.items] == ["奶茶杯", ""]  # the second one was the resident's own word
    assert await store.retire(text_before=NOON, records_before=LONG_AGO, now=NOON) == 0


async def test_old_records_go_wholly(store: Store) -> None:
    await kept(store, received_at=NOON - MINUTE)
    new = await kept(store, received_at=NOON)
    await store.add_delivery(delivery_with("d-old", created_at=NOON - MINUTE, state="sent"))
    await store.add_delivery(delivery_with("d-waiting", created_at=NOON - MINUTE))
    assert await store.retire(text_before=LONG_AGO, records_before=NOON, now=NOON) == 2
    assert await gathered(store.turns()) == [new]
    assert [d.delivery_id for d in await gathered(store.deliveries())] == ["d-waiting"]


async def test_many_old_turns_are_retired_at_once(store: Store) -> None:
    turns = [turn_with(received_at=NOON - DAY) for _ in range(1200)]
    await asyncio.gather(*(store.keep(Keeping(turn)) for turn in turns))
    assert await store.retire(text_before=NOON, records_before=LONG_AGO, now=NOON) == 1200
    assert await store.retire(text_before=NOON, records_before=NOON, now=NOON) == 1200
    assert await gathered(store.turns()) == []


async def test_old_words_of_settled_deliveries_go(store: Store) -> None:
    for state, user in (("sent", WANG), ("queued", WANG), ("sent", None)):
        await store.add_delivery(delivery_with(f"{state}-{user}", state=state, user=user))
    assert await store.retire(text_before=NOON + MINUTE, records_before=LONG_AGO, now=NOON) == 1
    texts = {d.delivery_id: d.text for d in await gathered(store.deliveries())}
    assert [texts[f"sent-{WANG}"], texts[f"queued-{WANG}"], texts["sent-None"]] == ["", "老师回答您了", "老师回答您了"]


async def test_old_unanswered_words_go_and_people_stay(store: Store) -> None:
    await asked(store, WANG, "猫砂呢", folded="猫砂", at=NOON - DAY)
    await asked(store, LI, "猫砂怎么扔", folded="猫砂", at=NOON)
    await asked(store, LI, "老问题", at=NOON - DAY)
    await store.retire(text_before=NOON, records_before=LONG_AGO, now=NOON)
    found = [(c.text, c.people, c.variants) for c in await gathered(store.unanswered())]
    assert found == [("猫砂怎么扔", 2, ("猫砂怎么扔",)), ("", 1, ())]
    await store.retire(text_before=NOON, records_before=NOON, now=NOON)
    assert [(c.text, c.people) for c in await gathered(store.unanswered())] == [("猫砂怎么扔", 1)]


async def test_what_is_kept_for_a_while_goes_in_time(store: Store) -> None:
    old = turn_with(user=LI, session="s-old", received_at=NOON - 25 * timedelta(hours=1))
    new = turn_with(user=WANG, session="s-new", received_at=NOON - 23 * timedelta(hours=1))
    for turn, name, until in ((old, "old", NOON - MINUTE), (new, "new", NOON + DAY)):
        state = replace(turn, reply=replace(ANSWER, session=SESSION))
        keeping = Keeping(state, nonce=name, nonce_digest=name, address=b"sealed", address_until=until)
        await store.keep(keeping)
    await store.retire(text_before=NOON - DAY, records_before=LONG_AGO, now=NOON)
    before = await store.opening("gateway", "m", nonce="old", session="s-old", chat=None)
    after = await store.opening("gateway", "m", nonce="new", session="s-new", chat=None)
    assert (before.nonce_digest, before.session) == (None, None)
    assert (after.nonce_digest, after.session) == ("new", SESSION)
    assert [await store.address_of(user, LONG_AGO) for user in (LI, WANG)] == [None, b"sealed"]


# Health, and the end


async def test_a_heartbeat_is_a_commit(store: Store) -> None:
    assert store.last_commit_age == math.inf
    await store.heartbeat()
    assert 0 <= store.last_commit_age < math.inf
    assert store.queue_depth == 0


async def test_a_stopped_store_keeps_nothing(store: Store) -> None:
    await store.stop()
    for attempt in (kept(store), store.heartbeat(), store.turn_of("gateway", "m"), gathered(store.turns())):
        with pytest.raises(StoreUnavailable):
            await attempt


async def test_stopping_finishes_what_was_accepted(store: Store) -> None:
    keeps = [asyncio.create_task(kept(store)) for _ in range(50)]
    await asyncio.gather(keeps[0])
    rest = asyncio.gather(*keeps)
    await store.stop()
    assert len(await rest) == 50


async def test_a_restart_keeps_everything(reopen: Reopen) -> None:
    store = await reopen()
    state = replace(ANSWER, session=SESSION, chat=CHAT)
    turn = turn_with(reply=state)
    await store.keep(
        Keeping(turn, nonce="n1", nonce_digest="digest", address=b"sealed", deliveries=(delivery_with("d1"),))
    )
    await asked(store, WANG, "猫砂呢")
    await store.claim_delivery("d1")
    before = await gathered(store.turns())
    store = await reopen()
    opening = await store.opening("gateway", turn.message_id, nonce="n1", session=turn.session, chat="g1")
    assert opening.turn == replace(turn, reply=ANSWER)
    assert (opening.nonce_digest, opening.session, opening.chat) == ("digest", SESSION, CHAT)
    assert await store.keep(Keeping(replace(turn, reply=UNKNOWN))) == opening.turn
    assert await gathered(store.turns()) == before
    assert [c.text for c in await gathered(store.unanswered())] == ["猫砂呢"]
    assert [d.delivery_id for d in await store.stuck_deliveries()] == ["d1"]
    assert await store.address_of(WANG, NOON) == b"sealed"


async def test_what_there_is_on_a_day_can_be_spent_and_no_more(store: Store) -> None:
    assert [await store.spend("calls", "2026-11-02", 2) for _ in range(4)] == [True, True, False, False]
    assert await store.spend("other", "2026-11-02", 1) is True
    assert await store.spend("calls", "2026-11-02", 3) is True, "the limit was raised"
    assert await store.spend("calls", "2026-11-03", 1) is True, "another day"
    assert await store.spend("calls", "2026-11-03", 1) is False
    assert await store.spend("none", "2026-11-03", 0) is False


async def test_spent_at_the_same_moment_it_is_spent_once(store: Store) -> None:
    got = await asyncio.gather(*(store.spend("calls", "2026-11-02", 7) for _ in range(20)))
    assert sum(got) == 7


async def test_what_was_spent_stays_spent(reopen: Reopen) -> None:
    assert await (await reopen()).spend("calls", "2026-11-02", 1) is True
    assert await (await reopen()).spend("calls", "2026-11-02", 1) is False


async def test_who_chose_the_entry_stays_when_the_words_go(store: Store) -> None:
    chosen = turn_with(reply=replace(ANSWER, chosen_by="language model"))
    await store.keep(Keeping(chosen))
    await store.keep(Keeping(turn_with()))
    await store.retire(text_before=NOON + DAY, records_before=LONG_AGO, now=NOON)
    assert [(turn.text, turn.reply.chosen_by) for turn in await gathered(store.turns())] == [
        (None, "language model"),
        (None, None),
    ]
