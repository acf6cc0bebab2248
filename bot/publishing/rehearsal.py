"""The frozen questions put to a version of the knowledge, through the whole pipeline, with nothing kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.assembly import all_handlers, nobody_alerted
from bot.brain import Brain
from bot.context import GroupManners
from bot.matching.understand import Thresholds
from bot.publishing.dialogs import Dialog, Difference, Step, differences
from bot.records import Reply, Utterance
from bot.storage.memory import MemoryStore
from bot.turns import Turns

NOON = datetime(2026, 12, 1, 12, 0)
"""When conversations begin, by the site's clock: a Tuesday they were written for."""

_CHANNEL = "try"


@dataclass(frozen=True, slots=True)
class Answered:
    """One step of a conversation: what came back, and where it is not as expected."""

    dialog: Dialog
    number: int
    reply: Reply
    differences: tuple[Difference, ...]

    @property
    def step(self) -> Step:
        """What was said, and what was expected."""
        return self.dialog.told.steps[self.number]

    @property
    def line(self) -> int:
        """Its line in the dialog's file."""
        return self.dialog.lines[self.number]


def rehearse(
    dialogs: Sequence[Dialog],
    brains: Mapping[str, Brain],
    limits: Thresholds,
    zone: ZoneInfo,
    *,
    progress: Callable[[], object] = lambda: None,
) -> list[Answered]:
    """Hold every conversation with the knowledge of its city; `progress` is called after each."""
    return asyncio.run(_held(dialogs, brains, limits, zone, progress))


async def _held(
    dialogs: Sequence[Dialog],
    brains: Mapping[str, Brain],
    limits: Thresholds,
    zone: ZoneInfo,
    progress: Callable[[], object],
) -> list[Answered]:
    answered: list[Answered] = []
    for dialog in dialogs:
        answered += await hold(dialog, brains[dialog.city], limits, zone)
        progress()
    return answered


async def hold(dialog: Dialog, brain: Brain, limits: Thresholds, zone: ZoneInfo) -> list[Answered]:
    """Hold one conversation, with people nobody has met before."""
    store = MemoryStore()
    await store.start()
    manners = GroupManners(speak=dialog.told.speak)
    turns = Turns(store, all_handlers(), lambda: brain, limits, manners, zone, nobody_alerted)
    now = NOON.replace(tzinfo=zone).astimezone(UTC)
    answered = []
    for number, step in enumerate(dialog.told.steps):
        now += timedelta(minutes=step.minutes)
        turn = await turns.take(_utterance(step, number, now, brain))
        answered.append(Answered(dialog, number, turn.reply, tuple(differences(turn.reply, step.expect))))
        now += timedelta(seconds=1)
    await store.stop()
    return answered


def _utterance(step: Step, number: int, now: datetime, brain: Brain) -> Utterance:
    return Utterance(
        channel=_CHANNEL,
        message_id=f"m{number}",
        user=step.user,
        chat=step.chat,
        session="",
        text=step.say,
        received_at=now,
        media=step.media,
        mentioned=step.mentioned,
        place=step.place or brain.places.of_chat(_CHANNEL, step.chat),
        role=step.role,
        from_robot=step.from_robot,
    )
