"""Who asked is told the answer: one message each, where they asked, as long as the platform allows it."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.errors import LvlinError
from bot.learning.teach import answered
from bot.records import Asker, Delivery, Reply
from bot.settings import Settings, Simulator, Webhook

CLOSED = "the platform allows no message any more"
"""The reason of a notice that is skipped because no address is left."""
MUTE = "channel cannot send yet"
"""The reason of a notice that is skipped because nothing can be sent to its channel."""
_LONGEST_QUESTION = 40

Wording = Callable[[str, str, str], str]
"""A text of the knowledge (learned, learned_group), the question, its answer → the message."""


class Addresses(Protocol):
    """Who opens and seals addresses."""

    def open(self, sealed: bytes) -> Mapping[str, str]:
        """The address that was sealed. Raises LvlinError when it was changed."""

    def seal(self, address: Mapping[str, str]) -> bytes:
        """An address, unreadable without the site's secret."""


@dataclass(frozen=True, slots=True)
class Notices:
    """What is sent because of a lesson. `told`: the users it tells, or cannot tell; of them, `closed`: how many the
    platform lets nobody write to any more, `mute`: how many asked where nothing can be sent; `uncovered`: how many
    askers the lesson does not answer."""

    deliveries: tuple[Delivery, ...] = ()
    told: tuple[str, ...] = ()
    closed: int = 0
    mute: int = 0
    uncovered: int = 0

    @property
    def reached(self) -> int:
        """How many people are told."""
        return len(self.told) - self.closed - self.mute


def sending_channels(settings: Settings) -> frozenset[str]:
    """The channels to which messages can be sent."""
    return frozenset(
        name
        for name, given in settings.channels.items()
        if isinstance(given, Simulator) or (isinstance(given, Webhook) and given.deliver_url)
    )


def notices_for(
    askers: Sequence[Asker],
    replies: Mapping[tuple[str, str], Reply],
    addresses: Addresses,
    wording: Wording,
    *,
    sending: frozenset[str],
    at: datetime,
    due_at: datetime,
) -> Notices:
    """One message to each who asked in private, and one to each group in which somebody asked.

    `replies`: how each question is answered now, by text and place; who asked what is not answered is not told.
    """
    covered = [asker for asker in askers if answered(replies[asker.text, asker.place])]
    made: list[Delivery] = []
    unsent: Counter[str | None] = Counter()
    for together in _by_receiver(covered):
        asker = together[0]
        address = _address_of(together, addresses) if asker.channel in sending else None
        reason = None if address else CLOSED if asker.channel in sending else MUTE
        unsent[reason] += len(together)
        reply = replies[asker.text, asker.place]
        text = wording("learned_group" if asker.chat else "learned", _shortened(asker.text), reply.text)
        made.append(
            Delivery(
                delivery_id=secrets.token_hex(12),
                channel=asker.channel,
                chat=asker.chat,
                user=None if asker.chat else asker.user,
                place=asker.place,
                text=text if address else "",
                address=addresses.seal(address) if address else None,
                state="queued" if address else "skipped",
                reason=reason,
                created_at=at,
                due_at=due_at,
            )
        )
    users = tuple(asker.user for asker in covered)
    return Notices(tuple(made), users, unsent[CLOSED], unsent[MUTE], len(askers) - len(covered))


def _by_receiver(askers: Iterable[Asker]) -> list[list[Asker]]:
    """Askers of one group together, others each by themselves; who asked first standing first."""
    found: dict[tuple[str, str | None, str], list[Asker]] = {}
    for asker in askers:
        found.setdefault((asker.channel, asker.chat, "" if asker.chat else asker.user), []).append(asker)
    return list(found.values())


def _address_of(together: Sequence[Asker], addresses: Addresses) -> Mapping[str, str] | None:
    """An address that leads where they asked, of the group alone where it was in one; None where none is left."""
    for asker in together:
        for sealed in asker.addresses:
            try:
                address = dict(addresses.open(sealed))
            except LvlinError:
                continue
            if address.get("chat") == asker.chat:
                if asker.chat:
                    address.pop("user", None)
                return address
    return None


def _shortened(question: str) -> str:
    words = " ".join(question.split())
    return words if len(words) <= _LONGEST_QUESTION else words[: _LONGEST_QUESTION - 1] + "…"
