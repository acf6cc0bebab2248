"""Messages taken without a server: the same pipeline, from a message object to its turn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.records import Inbound, Turn, Utterance
from bot.turns import Turns


@dataclass(frozen=True, slots=True)
class Asker:
    """Asks the bot over one channel. `pseudonym` is what a user is kept as: (channel, platform id) → name."""

    turns: Turns
    channel: str
    pseudonym: Callable[[str, str], str]

    async def take(self, inbound: Inbound) -> Turn:
        """Take a turn; `sent_at` is the clock of the message. Raises StoreUnavailable."""
        return await self.turns.take(
            Utterance(
                channel=self.channel,
                message_id=inbound.message_id,
                user=self.pseudonym(self.channel, inbound.sender),
                chat=inbound.chat,
                session=inbound.session or "",
                text=inbound.text,
                received_at=inbound.sent_at or datetime.now(UTC),
                mentioned=inbound.mentioned,
                place=self.turns.brain().places.of_chat(self.channel, inbound.chat),
            )
        )


def unchanged(channel: str, platform_id: str) -> str:
    """No pseudonym: for what is not kept."""
    return platform_id
