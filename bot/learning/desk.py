"""Works off what staff teach in chat: each lesson is checked apart, published, told to who taught it and who asked.

Every step is kept before the next: what a process that died left undone is done again, and nobody is told twice.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Protocol

from bot.brain import Brain
from bot.errors import FaultyFile, LvlinError, StoreUnavailable
from bot.learning import told
from bot.learning.lessons import UNDO, CannotTeach
from bot.learning.notices import Addresses, Notices, notices_for, sending_channels
from bot.learning.teach import Ask, Checked, EditedMeanwhile, apply, published_as, replies_to, take_back
from bot.records import Asker, Delivery, Lesson, LessonState, Unanswered
from bot.settings import Settings
from bot.storage.contract import Store

log = logging.getLogger("lvlin.learning")

Check = Callable[[Settings, Lesson, Unanswered, date], Awaitable[Checked]]
"""A lesson and its cluster → the lesson after the gate. Raises CannotTeach, EditedMeanwhile, FaultyFile …"""

STAFF = "工作人员"
"""Who taught, where the settings do not name them any more."""


class Knowledge(Protocol):
    """Who holds the knowledge that answers."""

    def brain(self) -> Brain:
        """The knowledge of the moment."""

    async def look(self) -> None:
        """Take up what was changed."""


@dataclass(frozen=True, slots=True)
class Desk:
    """`names`: pseudonym → name of the staff."""

    settings: Settings
    store: Store
    knowledge: Knowledge
    addresses: Addresses
    names: Mapping[str, str]
    check: Check
    now: Callable[[], datetime]
    _writing: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def teach_waiting(self) -> None:
        """Teach every lesson that waits, the oldest first; one call at a time. Raises StoreUnavailable.

        What an earlier call, or a process that died, left half-done is done again; a lesson that was published already
        is found to be so, and only the rest is done."""
        for lesson in await self.store.lessons(states=("checking", "applying")):
            await self._settle(replace(lesson, state="waiting"), lesson.state)
        for lesson in reversed(await self.store.lessons(states=("waiting",))):
            if taken := await self._settle(replace(lesson, state="checking"), "waiting"):
                await self._teach(taken)

    async def undo_waiting(self) -> None:
        """Take back every lesson that staff want back. Raises StoreUnavailable."""
        for lesson in reversed(await self.store.lessons(states=("undoing",))):
            at = self.now()
            try:
                async with self._writing:
                    note = f"撤销 #{lesson.cluster_id}"
                    await asyncio.to_thread(take_back, self.settings, lesson, by=lesson.by, note=note, at=at)
                    await self.knowledge.look()
            except LvlinError as exc:
                why = exc.told if isinstance(exc, CannotTeach) else str(exc)
                await self._end(lesson, "undoing", "failed", told.not_undone(lesson.cluster_id, why))
            else:
                await self._end(lesson, "undoing", "undone", told.undone(lesson.cluster_id))

    async def _teach(self, lesson: Lesson) -> None:
        number = lesson.cluster_id
        try:
            cluster = await self.store.cluster(number)
            if cluster is None:
                raise CannotTeach(f"there is no #{number}", "这个编号不在了。")
            checked = await self.check(self.settings, lesson, cluster, self._today())
            if checked.blocked:
                await self._end(lesson, "checking", "blocked", told.blocked(number, checked.verdict))
                return
            await self._publish(lesson, checked)
        except CannotTeach as exc:
            await self._fail(lesson, exc.told)
        except EditedMeanwhile:
            log.info("a lesson is checked again", extra={"lesson_id": lesson.lesson_id})
            await self._again(lesson)
        except FaultyFile as exc:
            await self._fail(lesson, "知识库有错：" + "；".join(str(fault) for fault in exc.faults[:3]))
        except StoreUnavailable:
            raise
        except Exception:
            log.exception("a lesson failed", extra={"lesson_id": lesson.lesson_id})
            await self._fail(lesson, "程序出了问题，请看服务器日志。")

    async def _publish(self, lesson: Lesson, checked: Checked) -> None:
        """Publish what passed, unless it was cancelled meanwhile, and tell everybody."""
        by = self.names.get(lesson.user, STAFF)
        applying = replace(lesson, state="applying", by=by, before=checked.before, after=checked.after)
        async with self._writing:
            if await self._settle(applying, "checking") is None:
                return  # taken back while it was checked
            note = f"教 #{lesson.cluster_id}：{'；'.join(checked.preview.plan.changes)}"
            version = await asyncio.to_thread(apply, self.settings, checked, by=by, note=note, at=self.now())
            if not checked.after and lesson.after:  # published already, by a process that died then
                applying = replace(applying, before=lesson.before, after=lesson.after)
                version = published_as(self.settings, lesson.after)
            await self.knowledge.look()
        at = self.now()
        notices = await self._notices(lesson.cluster_id, at)
        done = replace(
            applying,
            state="taught",
            settled_at=at,
            entry=checked.preview.plan.entry,
            told=told.taught(lesson.cluster_id, checked, notices),
            version=version,
            notices=tuple(notice.delivery_id for notice in notices.deliveries),
        )
        await self.store.settle_lesson(
            done, "applying", notices=[*notices.deliveries, *await self._report(done)], told=notices.told
        )
        log.info("lesson taught", extra={"lesson_id": lesson.lesson_id, "entry": done.entry, "version": version})

    async def _notices(self, cluster: int, at: datetime) -> Notices:
        askers = await self.store.askers(cluster, at)
        brain = self.knowledge.brain()
        return notices_for(
            askers,
            await replies_to(asks_of(askers), brain, self.settings),
            self.addresses,
            wording_of(brain),
            sending=sending_channels(self.settings),
            at=at,
            due_at=at + UNDO,
        )

    async def _again(self, lesson: Lesson) -> None:
        """Let a lesson wait once more, whichever step it had come to."""
        for state in ("checking", "applying"):
            if await self._settle(replace(lesson, state="waiting"), state):
                return

    async def _fail(self, lesson: Lesson, why: str) -> None:
        for state in ("checking", "applying"):
            if await self._end(lesson, state, "failed", told.refused(lesson.cluster_id, why)):
                return

    async def _end(self, lesson: Lesson, was: LessonState, state: LessonState, words: str) -> Lesson | None:
        """Settle a lesson and report it to who taught it."""
        ended = replace(lesson, state=state, settled_at=self.now(), told=words)
        settled = await self._settle(ended, was)
        if settled:
            for report in await self._report(ended):
                await self.store.add_delivery(report)
            log.info("lesson settled", extra={"lesson_id": lesson.lesson_id, "state": state})
        return settled

    async def _settle(self, lesson: Lesson, was: LessonState) -> Lesson | None:
        return await self.store.settle_lesson(lesson, was)

    async def _report(self, lesson: Lesson) -> Sequence[Delivery]:
        """The message to who taught it, in private; where the channel cannot send it, the next 「未答」 tells it."""
        at = self.now()
        address = await self.store.address_of(lesson.user, at)
        if not lesson.user or address is None:
            return ()
        return [
            Delivery(
                delivery_id=secrets.token_hex(12),
                channel=lesson.channel,
                chat=None,
                user=lesson.user,
                place="",
                text=lesson.told,
                address=address,
                created_at=at,
                due_at=at,
            )
        ]

    def _today(self) -> date:
        return self.now().astimezone(self.settings.site.timezone).date()


def asks_of(askers: Sequence[Asker]) -> list[Ask]:
    """What they asked, and where."""
    return [(asker.text, asker.place) for asker in askers]


def wording_of(brain: Brain) -> Callable[[str, str, str], str]:
    """How the knowledge words a notice."""
    texts = brain.index.facts.texts

    def worded(key: str, question: str, answer: str) -> str:
        return texts[key].format(question=question, answer=answer)

    return worded


