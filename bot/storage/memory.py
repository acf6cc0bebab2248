"""The store that keeps nothing: plain dicts of rows, for `lvlin ask` and for tests."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from bot.errors import NotThere, StoreError, StoreUnavailable
from bot.records import (
    Asker,
    ClusterState,
    Delivery,
    DeliveryState,
    Lesson,
    LessonState,
    Turn,
    Unanswered,
)
from bot.storage import rows
from bot.storage.contract import MOST_ALIKE, Joins, Keeping, Opening
from bot.storage.rows import Row, fit

_WAITING = ("queued", "sending")
_AT_WORK = ("waiting", "checking", "applying", "undoing")


@dataclass(slots=True)
class _Ask:
    """A person who asked in these words; "" where they were forgotten or are too old."""

    user: str
    text: str
    at: datetime
    channel: str = ""
    chat: str | None = None
    place: str = ""
    folded: str | None = None
    core: str | None = None
    address: bytes | None = None
    until: datetime | None = None
    told_by: int | None = None


@dataclass(slots=True)
class _Cluster:
    """Questions that ask the same; `text` is "" once nobody's words are left."""

    number: int
    text: str
    first_at: datetime
    last_at: datetime
    asks: list[_Ask] = field(default_factory=list)
    state: ClusterState = "open"
    entry: str | None = None

    def variants(self) -> tuple[str, ...]:
        oldest_first = sorted((ask for ask in self.asks if ask.text), key=lambda ask: ask.at)
        return tuple(dict.fromkeys(ask.text for ask in oldest_first))

    def people(self) -> int:
        return len({ask.user for ask in self.asks})

    def reword(self) -> None:
        """Say only what somebody who asked still stands for."""
        variants = self.variants()
        if not variants:
            self.text = ""
        elif self.text not in variants:
            self.text = variants[0]

    def shown(self) -> Unanswered:
        """As the store gives it out."""
        return Unanswered(
            self.number, self.text, self.variants(), self.people(), self.first_at, self.last_at, self.state, self.entry
        )


class MemoryStore:
    """The engine without a file; all of it is gone with the object. `backup` is the one thing it cannot do."""

    def __init__(self) -> None:
        self._running = False
        self._turns: dict[tuple[str, str], Row] = {}
        self._sessions: dict[str, tuple[str, str, datetime]] = {}  # user, state, time
        self._chats: dict[tuple[str, str], str] = {}
        self._addresses: dict[str, tuple[bytes, datetime | None]] = {}
        self._nonces: dict[tuple[str, str], tuple[str, datetime]] = {}
        self._deliveries: dict[str, Delivery] = {}
        self._clusters: list[_Cluster] = []
        self._clusters_made = 0
        self._lessons: dict[int, Lesson] = {}
        self._lessons_made = 0
        self._opted_out: dict[str, datetime] = {}
        self._spent: dict[str, tuple[str, int]] = {}  # day, how many
        self._committed_at = float("-inf")

    async def start(self) -> None:
        self._running = True

    async def stop(self) -> None:
        self._running = False

    async def opening(self, channel: str, message_id: str, *, nonce: str, session: str, chat: str | None) -> Opening:
        seen = self._nonces.get((channel, fit(nonce)))
        conversation = self._sessions.get(fit(session))
        group = None if chat is None else self._chats.get((channel, fit(chat)))
        return Opening(
            turn=await self.turn_of(channel, message_id),
            nonce_digest=None if seen is None else seen[0],
            session=None if conversation is None else rows.session_from(conversation[1]),
            chat=None if group is None else rows.chat_from(group),
        )

    async def turn_of(self, channel: str, message_id: str) -> Turn | None:
        self._check_running()
        row = self._turns.get((channel, fit(message_id)))
        return None if row is None else rows.turn_from(row)

    async def keep(self, keeping: Keeping) -> Turn:
        turn = keeping.turn
        if (earlier := await self.turn_of(turn.channel, turn.message_id)) is not None:
            return earlier
        try:
            changes = [*self._changes(keeping)]  # all that can fail happens here, before anything is changed
        except (TypeError, ValueError) as exc:
            raise StoreError(f"{type(exc).__name__}: {exc}") from exc
        for change in changes:
            change()
        self._committed()
        return turn

    async def turns(
        self, *, since: datetime | None = None, until: datetime | None = None, places: Sequence[str] | None = None
    ) -> AsyncIterator[Turn]:
        self._check_running()
        for turn in sorted(self._all_turns(), key=lambda turn: (turn.received_at, turn.turn_id)):
            if _within(turn.received_at, since, until) and (places is None or turn.place in places):
                yield turn

    async def unanswered(self, *, places: Sequence[str] | None = None) -> AsyncIterator[Unanswered]:
        self._check_running()
        for cluster in sorted(self._clusters, key=lambda c: (-c.people(), c.first_at, c.number)):
            if places is None or any(ask.place in places for ask in cluster.asks):
                yield cluster.shown()

    async def cluster(self, cluster_id: int) -> Unanswered | None:
        found = self._numbered(cluster_id)
        return None if found is None else found.shown()

    async def dismiss(self, cluster_id: int) -> ClusterState | None:
        found = self._numbered(cluster_id)
        if found is None:
            return None
        found.state = "taught" if found.state == "taught" else "dismissed"
        self._committed()
        return found.state

    async def askers(self, cluster_id: int, now: datetime) -> list[Asker]:
        found = self._numbered(cluster_id)
        asks = sorted(found.asks, key=lambda ask: ask.at) if found else []
        waiting = [ask for ask in asks if ask.told_by is None and ask.channel and ask.user not in self._opted_out]
        latest = {ask.user: ask for ask in waiting}  # the last of each person stands
        return [await self._asker(ask, now) for ask in latest.values()]

    async def _asker(self, ask: _Ask, now: datetime) -> Asker:
        own = ask.address if ask.until is None or ask.until > now else None
        addresses = tuple(filter(None, (own, await self.address_of(ask.user, now))))
        return Asker(ask.user, ask.channel, ask.chat, ask.place, ask.text, ask.at, addresses)

    async def lessons(
        self, *, states: Sequence[LessonState] | None = None, user: str | None = None, cluster: int | None = None
    ) -> list[Lesson]:
        self._check_running()
        return [
            lesson
            for lesson in reversed(self._lessons.values())
            if (states is None or lesson.state in states)
            and (user is None or lesson.user == user)
            and (cluster is None or lesson.cluster_id == cluster)
        ]

    async def settle_lesson(
        self,
        lesson: Lesson,
        was: LessonState | None,
        *,
        notices: Sequence[Delivery] = (),
        told: Sequence[str] = (),
    ) -> Lesson | None:
        self._check_running()
        known = self._lessons.get(lesson.lesson_id)
        if was is not None and (known is None or known.state != was):
            return None
        queued = [self._new_delivery(notice, datetime.now(UTC)) for notice in notices]
        kept = self._write_lesson(lesson)
        found = self._numbered(kept.cluster_id)
        if kept.state == "taught":
            for notice in queued:
                self._insert_delivery(notice)
            if found:
                found.state, found.entry = "taught", kept.entry
                for ask in found.asks:
                    ask.told_by = ask.told_by or (kept.lesson_id if ask.user in told else None)
        elif kept.state == "undoing":
            self._withdraw_notices(kept)
        elif kept.state == "undone" and found:
            found.state, found.entry = "open", None
            for ask in found.asks:
                ask.told_by = None if ask.told_by == kept.lesson_id else ask.told_by
        self._committed()
        return kept

    def _write_lesson(self, lesson: Lesson) -> Lesson:
        if not lesson.lesson_id:
            self._lessons_made += 1
            lesson = replace(lesson, lesson_id=self._lessons_made)
        self._lessons[lesson.lesson_id] = rows.lesson_from(lesson.lesson_id, rows.lesson_text(lesson))
        return lesson

    def _withdraw_notices(self, lesson: Lesson) -> None:
        for number in lesson.notices:
            notice = self._deliveries.get(number)
            if notice and notice.state == "queued":
                self._deliveries[number] = replace(notice, state="skipped", reason=rows.TAKEN_BACK, address=None)

    def _take_back(self, lesson_id: int) -> None:
        if lesson := self._lessons.get(lesson_id):
            lesson = self._write_lesson(rows.taken_back(lesson))
            if lesson.state == "undoing":
                self._withdraw_notices(lesson)

    def _wish(self, user: str, notices: bool, at: datetime) -> None:
        if notices:
            self._opted_out.pop(user, None)
        else:
            self._opted_out.setdefault(user, at)

    def _numbered(self, cluster_id: int) -> _Cluster | None:
        self._check_running()
        return next((cluster for cluster in self._clusters if cluster.number == cluster_id), None)

    async def add_delivery(self, delivery: Delivery) -> None:
        self._check_running()
        self._insert_delivery(self._new_delivery(delivery, datetime.now(UTC)))
        self._committed()

    async def due_deliveries(self, now: datetime, limit: int) -> list[Delivery]:
        due = (d for d in self._in_state("queued") if d.due_at is None or d.due_at <= now)
        return sorted(due, key=_created_at)[:limit]

    async def claim_delivery(self, delivery_id: str) -> bool:
        delivery = self._deliveries.get(delivery_id)
        if delivery is None or delivery.state != "queued":
            return False
        self._deliveries[delivery_id] = replace(delivery, state="sending", attempts=delivery.attempts + 1)
        self._committed()
        return True

    async def settle_delivery(
        self,
        delivery_id: str,
        state: DeliveryState,
        *,
        reason: str | None = None,
        at: datetime,
        due_at: datetime | None = None,
    ) -> None:
        if delivery_id not in self._deliveries:
            raise NotThere(f"no delivery {delivery_id}")
        delivery = self._deliveries[delivery_id]
        self._deliveries[delivery_id] = replace(
            delivery,
            state=state,
            reason=None if reason is None else fit(reason),
            sent_at=at if state == "sent" else delivery.sent_at,
            due_at=due_at if state == "queued" else delivery.due_at,
            address=delivery.address if state in _WAITING else None,
        )
        self._committed()

    async def stuck_deliveries(self) -> list[Delivery]:
        return sorted(self._in_state("sending"), key=_created_at)

    async def deliveries(
        self, *, since: datetime | None = None, until: datetime | None = None, places: Sequence[str] | None = None
    ) -> AsyncIterator[Delivery]:
        self._check_running()
        for delivery in sorted(self._deliveries.values(), key=lambda d: (_created_at(d), d.delivery_id)):
            if _within(_created_at(delivery), since, until) and (places is None or delivery.place in places):
                yield replace(delivery, address=None)

    async def address_of(self, user: str, now: datetime) -> bytes | None:
        address, until = self._addresses.get(user, (None, None))
        return address if until is None or until > now else None

    async def stored_about(self, user: str) -> Mapping[str, Any]:
        asks = [(c.number, ask.text, ask.at, ask.chat) for c in self._clusters for ask in c.asks if ask.user == user]
        turns = (turn for turn in self._all_turns() if turn.user == user)
        deliveries = (d for d in self._deliveries.values() if d.user == user)
        sessions = sorted((key, state) for key, (whose, state, _) in self._sessions.items() if whose == user)
        return rows.stored_about(
            user,
            turns=sorted(turns, key=lambda turn: (turn.received_at, turn.turn_id)),
            sessions={key: rows.session_from(state) for key, state in sessions},
            deliveries=sorted(deliveries, key=lambda d: (_created_at(d), d.delivery_id)),
            asks=sorted(asks, key=lambda ask: ask[2]),
            addresses=[self._addresses[user][1]] if user in self._addresses else [],
            chats=[(*key, rows.chat_from(state)) for key, state in sorted(self._chats.items())],
            lessons=await self.lessons(user=user),
            opted_out=self._opted_out.get(user),
        )

    async def forget(self, user: str, fresh: str) -> int:
        self._check_running()
        theirs = {turn.session for turn in self._all_turns() if turn.user == user}
        for key in [key for key, (whose, *_) in self._sessions.items() if whose == user or key in theirs]:
            del self._sessions[key]
        self._addresses.pop(user, None)
        self._opted_out.pop(user, None)
        for lesson in await self.lessons(user=user):
            self._write_lesson(replace(lesson, user=fresh))
        for group, state in self._chats.items():
            self._chats[group] = rows.chat_text(rows.without_user(rows.chat_from(state), user))
        for delivery in [d for d in self._deliveries.values() if d.user == user]:
            self._deliveries[delivery.delivery_id] = rows.forgotten_delivery(delivery, fresh)
        for cluster in self._clusters:
            _forget_asks(cluster, user, fresh)
        turns = self._change_turns(lambda turn: turn.user == user, partial(rows.forgotten_turn, fresh=fresh))
        self._committed()
        return turns

    async def retire(self, *, text_before: datetime, records_before: datetime, now: datetime) -> int:
        self._check_running()
        changed = (
            self._delete_old_records(records_before)
            + self._blank_turns(text_before)
            + self._blank_deliveries(text_before)
            + self._retire_asks(text_before, records_before)
            + self._retire_lessons(text_before, records_before)
            + self._drop_ask_addresses(now)
            + _drop(self._addresses, lambda kept: kept[1] is not None and kept[1] <= now)
            + _drop(self._nonces, lambda kept: kept[1] < now - timedelta(days=1))
            + _drop(self._sessions, lambda kept: kept[2] < text_before)
        )
        self._committed()
        return changed

    async def spend(self, what: str, day: str, most: int) -> bool:
        self._check_running()
        last, used = self._spent.get(what, (day, 0))
        used = used + 1 if last == day else 1
        if used > most:
            return False
        self._spent[what] = (day, used)
        self._committed()
        return True

    async def heartbeat(self) -> None:
        self._check_running()
        self._committed()

    @property
    def last_commit_age(self) -> float:
        return time.monotonic() - self._committed_at

    @property
    def queue_depth(self) -> int:
        return 0

    async def backup(self, path: str) -> None:
        raise StoreError("a store in memory has nothing to copy")

    def _check_running(self) -> None:
        if not self._running:
            raise StoreUnavailable("the store is not running")

    def _committed(self) -> None:
        self._committed_at = time.monotonic()

    def _changes(self, keeping: Keeping) -> Iterable[Callable[[], object]]:
        """What keeping one turn changes, each made ready so that it cannot fail any more."""
        turn, reply = keeping.turn, keeping.turn.reply
        put = dict.__setitem__
        yield partial(put, self._turns, (turn.channel, fit(turn.message_id)), rows.turn_row(turn))
        if reply.session is not None:
            held = (turn.user, rows.session_text(reply.session), turn.received_at)
            yield partial(put, self._sessions, fit(turn.session), held)
        if reply.chat is not None and turn.chat is not None:
            yield partial(put, self._chats, (turn.channel, fit(turn.chat)), rows.chat_text(reply.chat))
        if keeping.address is not None:
            yield partial(put, self._addresses, turn.user, (keeping.address, keeping.address_until))
        if keeping.nonce:
            seen = (keeping.nonce_digest, turn.received_at)
            yield partial(self._nonces.setdefault, (turn.channel, fit(keeping.nonce)), seen)
        for delivery in keeping.deliveries:
            yield partial(self._insert_delivery, self._new_delivery(delivery, turn.received_at))
        if reply.unanswered and turn.text is not None:
            text = fit(turn.text)
            folded = fit(keeping.folded) or text
            ask = _Ask(
                turn.user, text, turn.received_at, turn.channel, None if turn.chat is None else fit(turn.chat),
                turn.place, folded, fit(keeping.core) or folded, keeping.address, keeping.address_until,
            )  # fmt: skip
            yield partial(self._queue_unanswered, ask, keeping.joins)
        if reply.lesson is not None:
            rows.lesson_text(reply.lesson)
            yield partial(self._write_lesson, reply.lesson)
        if reply.take_back is not None:
            yield partial(self._take_back, reply.take_back)
        if reply.notices is not None:
            yield partial(self._wish, turn.user, reply.notices, turn.received_at)

    def _new_delivery(self, delivery: Delivery, created_at: datetime) -> Delivery:
        if delivery.delivery_id in self._deliveries:
            raise StoreError(f"delivery {delivery.delivery_id} is already kept")
        return rows.delivery_from(rows.delivery_row(rows.dated(delivery, created_at)))

    def _insert_delivery(self, delivery: Delivery) -> None:
        self._deliveries[delivery.delivery_id] = delivery

    def _queue_unanswered(self, ask: _Ask, joins: Joins | None) -> None:
        cluster = self._cluster_asking(ask, joins)
        if cluster is None:
            self._clusters_made += 1
            cluster = _Cluster(self._clusters_made, ask.text, ask.at, ask.at)
            self._clusters.append(cluster)
        elif cluster.state == "taught":
            cluster.state, cluster.entry = "open", None
        cluster.first_at, cluster.last_at = min(cluster.first_at, ask.at), max(cluster.last_at, ask.at)
        said = [(other.user, other.text) for other in cluster.asks]
        if (ask.user, ask.text) in said:
            same = said.index((ask.user, ask.text))
            cluster.asks[same] = replace(ask, at=max(ask.at, cluster.asks[same].at))
        else:
            cluster.asks.append(ask)

    def _cluster_asking(self, ask: _Ask, joins: Joins | None) -> _Cluster | None:
        """In the same words, about the same, or (open ones) about nearly the same."""
        for column in ("folded", "core"):
            for cluster in self._clusters:
                if any(getattr(other, column) == getattr(ask, column) for other in cluster.asks):
                    return cluster
        if joins is None or ask.core is None:
            return None
        wanted = rows.parts(ask.core)
        opened = [cluster for cluster in self._clusters if cluster.state == "open"]
        cores = {(other.core, cluster.number): cluster for cluster in opened for other in cluster.asks if other.core}
        shared = {key: len(wanted & rows.parts(key[0])) for key in cores}
        near = sorted((key for key in cores if shared[key]), key=lambda key: (-shared[key], key[1], key[0]))
        near = near[:MOST_ALIKE]
        place = joins(ask.core, [core for core, _ in near])
        return None if place is None else cores[near[place]]

    def _all_turns(self) -> Iterable[Turn]:
        return (rows.turn_from(row) for row in self._turns.values())

    def _in_state(self, state: DeliveryState) -> Iterable[Delivery]:
        self._check_running()
        return (delivery for delivery in self._deliveries.values() if delivery.state == state)

    def _change_turns(self, which: Callable[[Turn], bool], change: Callable[[Turn], Turn]) -> int:
        """Change the turns that are meant; the number of those that are another after it."""
        changed = 0
        for key, row in self._turns.items():
            turn = rows.turn_from(row)
            if which(turn) and (after := change(turn)) != turn:
                self._turns[key] = rows.turn_row(after)
                changed += 1
        return changed

    def _delete_old_records(self, before: datetime) -> int:
        return _drop(self._turns, lambda row: rows.turn_from(row).received_at < before) + _drop(
            self._deliveries, lambda d: _created_at(d) < before and d.state not in _WAITING
        )

    def _blank_turns(self, before: datetime) -> int:
        return self._change_turns(lambda turn: turn.received_at < before, rows.retired_turn)

    def _blank_deliveries(self, before: datetime) -> int:
        old = [d for d in self._deliveries.values() if _created_at(d) < before and d.user and d.text]
        settled = [delivery for delivery in old if delivery.state not in _WAITING]
        self._deliveries.update({d.delivery_id: rows.retired_delivery(d) for d in settled})
        return len(settled)

    def _retire_asks(self, text_before: datetime, records_before: datetime) -> int:
        changed = 0
        for cluster in self._clusters:
            asked = len(cluster.asks)
            cluster.asks = [ask for ask in cluster.asks if ask.at >= records_before]
            aging = [ask for ask in cluster.asks if ask.text and ask.at < text_before]
            for ask in aging:
                ask.text, ask.folded, ask.core = "", None, None
            changed += asked - len(cluster.asks) + len(aging)
            cluster.reword()
        self._clusters = [cluster for cluster in self._clusters if cluster.asks]
        return changed

    def _retire_lessons(self, text_before: datetime, records_before: datetime) -> int:
        settled = {n: lesson for n, lesson in self._lessons.items() if lesson.state not in _AT_WORK}
        dropped = [n for n, lesson in settled.items() if lesson.at < records_before]
        for n in dropped:
            del self._lessons[n]
        aging = [n for n, lesson in settled.items() if n in self._lessons and lesson.at < text_before and lesson.told]
        for n in aging:
            self._lessons[n] = replace(self._lessons[n], told="")
        return len(dropped) + len(aging)

    def _drop_ask_addresses(self, now: datetime) -> int:
        asks = [ask for c in self._clusters for ask in c.asks if ask.address and ask.until and ask.until <= now]
        for ask in asks:
            ask.address = None
        return len(asks)


def _forget_asks(cluster: _Cluster, user: str, fresh: str) -> None:
    theirs = [ask for ask in cluster.asks if ask.user == user]
    if not theirs:
        return
    left = [ask for ask in cluster.asks if ask.user != user]
    cluster.asks = [*left, _Ask(fresh, "", max(ask.at for ask in theirs))]
    cluster.reword()


def _within(moment: datetime, since: datetime | None, until: datetime | None) -> bool:
    return (since is None or since <= moment) and (until is None or moment < until)


def _created_at(delivery: Delivery) -> datetime:
    assert delivery.created_at is not None  # every kept delivery has one
    return delivery.created_at


def _drop(kept: dict[Any, Any], which: Callable[[Any], bool]) -> int:
    keys = [key for key, value in kept.items() if which(value)]
    for key in keys:
        del kept[key]
    return len(keys)
