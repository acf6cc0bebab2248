"""What every storage engine promises. Engines repeat nothing of it.

A call that returned is durable: it survives kill -9 and power loss. A call that raised `StoreUnavailable` kept nothing.
Times are aware UTC; what is returned are copies, never live objects.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from bot.records import (
    Asker,
    ChatState,
    ClusterState,
    Delivery,
    DeliveryState,
    Lesson,
    LessonState,
    Session,
    Turn,
    Unanswered,
)

Joins = Callable[[str, Sequence[str]], int | None]
"""What a question is about, and what others are → the place of the one that asks the same, or None."""

MOST_ALIKE = 50
"""Questions of open clusters that a new one is compared with: those that share most characters, and pairs of them."""


@dataclass(frozen=True, slots=True)
class Opening:
    """What is known before a turn is taken."""

    turn: Turn | None  # the turn already kept for this message id, if any
    nonce_digest: str | None  # digest of the body seen earlier with this nonce on this channel, if any
    session: Session | None
    chat: ChatState | None


@dataclass(frozen=True, slots=True)
class Keeping:
    """One turn and all it causes, kept in one transaction.

    The new session and chat state stand in `turn.reply.session` and `turn.reply.chat` (None: unchanged).
    `turn.reply.unanswered` queues `turn.text` for staff: into the cluster that holds the same `folded` (the comparable
    text) or the same `core` (what is asked about); else into the open cluster with a core that `joins` takes for the
    same; else into a new one. What is asked again though it was taught opens its cluster again; what was dismissed
    stays so. `reply.lesson` is queued; `reply.take_back` cancels a lesson that is not applied yet, and of one that is
    taught withdraws the notices and leaves it `undoing`; `reply.notices` is kept as the user's wish.
    """

    turn: Turn
    folded: str = ""
    core: str = ""
    joins: Joins | None = None
    nonce: str = ""
    nonce_digest: str = ""
    address: bytes | None = None  # the sealed address of the user, to write back
    address_until: datetime | None = None  # how long the platform allows a message
    deliveries: tuple[Delivery, ...] = ()


class Store(Protocol):
    """A storage engine."""

    async def start(self) -> None:
        """Open, migrate to this program's schema, begin work. Raises NewerSchema, StoreUnavailable."""

    async def stop(self) -> None:
        """Finish what was accepted, then close. Idempotent."""

    async def opening(self, channel: str, message_id: str, *, nonce: str, session: str, chat: str | None) -> Opening:
        """Everything a turn needs to know, in one read. `session` is the full session key, `chat` the group's id."""

    async def turn_of(self, channel: str, message_id: str) -> Turn | None:
        """The turn kept for this message, or None."""

    async def keep(self, keeping: Keeping) -> Turn:
        """Keep one turn durably with all it causes, and return it.

        If (channel, message_id) is already kept, write nothing at all and return the earlier turn.
        One turn that cannot be written does not harm others written at the same time.
        """

    def turns(
        self, *, since: datetime | None = None, until: datetime | None = None, places: Sequence[str] | None = None
    ) -> AsyncIterator[Turn]:
        """Turns with since <= received_at < until, oldest first, ties by turn_id; `places`: only those place ids."""

    def unanswered(self, *, places: Sequence[str] | None = None) -> AsyncIterator[Unanswered]:
        """Clusters of unanswered questions, most people first, then oldest first; `places`: asked in one of them."""

    async def cluster(self, cluster_id: int) -> Unanswered | None:
        """The cluster of that number, or None."""

    async def dismiss(self, cluster_id: int) -> ClusterState | None:
        """Dismiss a cluster unless it is taught; the state it is in now, None where there is none."""

    async def askers(self, cluster_id: int, now: datetime) -> list[Asker]:
        """Who asked a cluster's questions and was not told of them since, who asked first standing first; without
        those who opted out. Addresses that have expired are not among theirs."""

    async def lessons(
        self, *, states: Sequence[LessonState] | None = None, user: str | None = None, cluster: int | None = None
    ) -> list[Lesson]:
        """Lessons, the newest first; `states`, `user`, `cluster`: only those."""

    async def settle_lesson(
        self,
        lesson: Lesson,
        was: LessonState | None,
        *,
        notices: Sequence[Delivery] = (),
        told: Sequence[str] = (),
    ) -> Lesson | None:
        """Write what became of a lesson that was in state `was`, with its new state; a new one where `was` is None.

        None, and nothing written, where it is in another state by now. `taught` closes its cluster under its entry,
        queues `notices`, and marks the users `told` as told; `undoing` withdraws the notices that still wait; `undone`
        opens the cluster again, its askers not told.
        """

    async def add_delivery(self, delivery: Delivery) -> None:
        """Queue one delivery that no turn caused."""

    async def due_deliveries(self, now: datetime, limit: int) -> list[Delivery]:
        """Queued deliveries with due_at None or <= now, oldest first."""

    async def claim_delivery(self, delivery_id: str) -> bool:
        """queued → sending by compare-and-set, attempts + 1. False if it was not queued."""

    async def settle_delivery(
        self,
        delivery_id: str,
        state: DeliveryState,
        *,
        reason: str | None = None,
        at: datetime,
        due_at: datetime | None = None,
    ) -> None:
        """Write the outcome of a claimed delivery; state `queued` with `due_at` schedules a retry.

        `sent`, `failed`, `skipped` and `unknown` also erase its sealed address.
        """

    async def stuck_deliveries(self) -> list[Delivery]:
        """Deliveries found in state `sending`: their sender died."""

    def deliveries(
        self, *, since: datetime | None = None, until: datetime | None = None, places: Sequence[str] | None = None
    ) -> AsyncIterator[Delivery]:
        """All deliveries created in the period, oldest first, without their addresses."""

    async def address_of(self, user: str, now: datetime) -> bytes | None:
        """The sealed address to write back to a user, or None when there is none or it has expired."""

    async def stored_about(self, user: str) -> Mapping[str, Any]:
        """Everything stored about a pseudonym, as plain JSON-able values: turns, sessions, deliveries, unanswered …"""

    async def forget(self, user: str, fresh: str) -> int:
        """Forget a user: blank text, reply text, chat and session of their turns and deliveries, delete their
        sessions, addresses, wishes and unanswered texts, rename their rows to the pseudonym `fresh`. Counts of turns,
        topics and people stay as they were. Returns the number of turns. Idempotent."""

    async def retire(self, *, text_before: datetime, records_before: datetime, now: datetime) -> int:
        """Blank texts and replies of turns older than `text_before`, delete turns older than `records_before`, and of
        what is kept for a while the addresses expired and the nonces a day old at `now`. Returns the number of rows
        changed."""

    async def spend(self, what: str, day: str, most: int) -> bool:
        """Spend one of the `most` there are of something on a day; False, and nothing spent, when they are used up.
        Only the last day is remembered."""

    async def heartbeat(self) -> None:
        """Commit a test row. Raises StoreUnavailable when nothing can be committed."""

    @property
    def last_commit_age(self) -> float:
        """Seconds (monotonic) since the last successful commit; infinity before the first."""

    @property
    def queue_depth(self) -> int:
        """Writes accepted and not yet committed."""

    async def backup(self, path: str) -> None:
        """Write a consistent copy, checked for integrity, to `path` (which must not exist), while work goes on."""
