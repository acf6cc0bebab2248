"""A message the matcher is unsure of → the entry a model chooses among those offered, or none.

A model that is slow, down, wrong or hostile costs a resident nothing but a moment: then the reply is what it would have
been. Nothing a model writes is shown, kept or logged.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from bot.llm import prompt
from bot.llm.breaker import Breaker
from bot.llm.budget import Budget
from bot.llm.client import Failure, ModelFailed
from bot.llm.offers import Offer, offers
from bot.matching.index import Index
from bot.matching.understand import Understanding

AT_ONCE = 4
"""Calls under way at a time; a message beyond them is answered without one."""

LEAST_SECONDS = 0.3
"""With less time left a model is not asked."""

Outcome = Literal["chosen", "none", "nonsense", "timeout", Failure, "late", "busy", "paused", "spent"]
"""A number that was offered, 0, anything else; no answer in time, or none that can be read; and, not asked at all: too
little time left, too many asked at once, left alone after failures, the budget used up."""

Heard = Callable[[Outcome, float | None], None]
"""Hears what became of a message that was to be asked about, and how many seconds a call took (None: not called)."""


class Client(Protocol):
    """Who calls a model."""

    async def complete(self, messages: Sequence[dict[str, str]]) -> str:
        """The text a model answers with. Raises ModelFailed."""

    async def close(self) -> None:
        """Close the connections."""


@dataclass(slots=True)
class Chooser:
    """Asks a model which of a few entries a message means. `sure`: replies scored below are asked about;
    `deadline_seconds`: after the message arrived, the answer is not waited for any longer."""

    client: Client
    breaker: Breaker
    budget: Budget
    sure: float
    deadline_seconds: float
    heard: Heard
    _at_work: int = field(default=0, init=False)

    async def choose(
        self, text: str, understood: Understanding, index: Index, *, about: str, waited: float
    ) -> Understanding | None:
        """What the message is understood to ask, by a model's choice; None where it chose nothing, or was not asked.

        `about`: the topic talked of before; `waited`: seconds since the message arrived.
        """
        offered = offers(understood, index, about=about)
        if not offered:
            return None
        began = time.perf_counter()
        outcome, chosen = await self._outcome(text, offered, self.deadline_seconds - waited)
        called = outcome not in ("late", "busy", "paused", "spent")
        self.heard(outcome, time.perf_counter() - began if called else None)
        return chosen.understood if chosen else None

    async def close(self) -> None:
        """Close the connections to the model."""
        await self.client.close()

    async def _outcome(self, text: str, offered: Sequence[Offer], left: float) -> tuple[Outcome, Offer | None]:
        if left < LEAST_SECONDS:
            return "late", None
        if self._at_work >= AT_ONCE:
            return "busy", None
        if not self.breaker.admits():
            return "paused", None
        self._at_work += 1
        succeeded: bool | None = None
        try:
            async with asyncio.timeout(left):
                if not await self.budget.spend():
                    return "spent", None
                succeeded = False
                content = await self.client.complete(prompt.messages(text, [offer.words for offer in offered]))
            succeeded = True
        except TimeoutError:
            return "timeout", None
        except ModelFailed as failed:
            return failed.how, None
        except asyncio.CancelledError:
            succeeded = None
            raise
        finally:
            self._at_work -= 1
            self.breaker.settle(succeeded)
        return _chosen(content, offered)


def _chosen(content: str, offered: Sequence[Offer]) -> tuple[Outcome, Offer | None]:
    number = prompt.number_in(content, len(offered))
    if number is None:
        return "nonsense", None
    return ("chosen", offered[number - 1]) if number else ("none", None)
