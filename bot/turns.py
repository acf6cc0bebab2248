"""One utterance → handler → reply, kept durably before it is returned."""

from __future__ import annotations

import hashlib
import logging
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from bot import manners
from bot.brain import Brain
from bot.context import Context, GroupManners
from bot.errors import Refused
from bot.learning import clusters
from bot.matching.fold import Folded
from bot.matching.index import Index
from bot.matching.understand import Thresholds, Understanding
from bot.records import Delivery, Reply, Session, Turn, Utterance
from bot.router import Router
from bot.storage.contract import Keeping, Store

log = logging.getLogger("lvlin.turns")


@dataclass(frozen=True, slots=True)
class Arrival:
    """What came with an utterance besides its words: against replay, and to write back."""

    nonce: str = ""
    body_digest: str = ""
    address: bytes | None = None
    address_until: datetime | None = None
    at: float | None = None  # when the message arrived, of time.perf_counter(); None: when its turn is taken


AlertAddresses = Callable[[str], Sequence[Delivery]]
"""place → one queued, empty delivery for each member of staff to be alerted there."""

Heard = Callable[[float], None]
"""Hears how many seconds matching took for a message."""


class Chooser(Protocol):
    """Who chooses among what a message may mean, where the matcher is unsure."""

    @property
    def sure(self) -> float:
        """Replies that score below it are asked about."""

    async def choose(
        self, text: str, understood: Understanding, index: Index, *, about: str, waited: float
    ) -> Understanding | None:
        """What the message is understood to ask, or None. `waited`: seconds since it arrived."""


@dataclass(frozen=True, slots=True)
class Turns:
    """Takes turns. `brain` gives the knowledge of the moment."""

    store: Store
    router: Router
    brain: Callable[[], Brain]
    limits: Thresholds
    group: GroupManners
    zone: ZoneInfo
    alert_to: AlertAddresses
    matched: Heard = lambda seconds: None
    chooser: Chooser | None = None

    async def take(self, asked: Utterance, arrival: Arrival = Arrival()) -> Turn:
        """Answer one utterance and keep the turn; the earlier turn where this message was kept before.

        Raises Refused(403) for a nonce seen with another body, StoreUnavailable if nothing could be kept.
        """
        began = time.perf_counter()
        session = session_key(asked)
        opening = await self.store.opening(
            asked.channel, asked.message_id, nonce=arrival.nonce, session=session, chat=asked.chat
        )
        if opening.turn is not None:
            return opening.turn
        if opening.nonce_digest is not None and opening.nonce_digest != arrival.body_digest:
            raise Refused(403, "nonce seen with another body")
        brain = self.brain()
        understood = self._understood(asked, opening.session, brain)
        ctx = Context(
            brain, understood, opening.session, opening.chat, asked.received_at,
            self.zone, self.limits, self.group, self.store, self.chooser is not None,
        )  # fmt: skip
        reply = await self._reply(asked, ctx, arrival.at if arrival.at is not None else began)
        chat = None if reply.forget else manners.remembered(reply, asked, ctx)
        if chat is not reply.chat:
            reply = replace(reply, chat=chat)
        user = asked.user
        if reply.forget:
            user, arrival, session = _fresh_pseudonym(), Arrival(arrival.nonce, arrival.body_digest), ""
            await self.store.forget(asked.user, user)
        turn = Turn(
            turn_id=secrets.token_hex(12),
            message_id=asked.message_id,
            channel=asked.channel,
            chat=asked.chat if not reply.forget else None,
            user=user,
            place=asked.place,
            session=session,
            received_at=asked.received_at,
            kind=asked.kind,
            media=asked.media,
            text=asked.text if asked.kind == "message" and _may_keep_text(asked, reply) else None,
            mentioned=asked.mentioned,
            reply=reply,
            latency_ms=round((time.perf_counter() - began) * 1000, 3),
        )
        kept = await self.store.keep(
            Keeping(
                turn,
                folded=understood.folded.tight,
                core=clusters.core_of(understood.folded, brain.index) if _to_be_gathered(reply, understood) else "",
                joins=clusters.joins,
                nonce=arrival.nonce,
                nonce_digest=arrival.body_digest,
                address=arrival.address,
                address_until=arrival.address_until,
                deliveries=self._alerts(reply, turn),
            )
        )
        log.info(
            "turn kept",
            extra={
                "channel": kept.channel,
                "turn_id": kept.turn_id,
                "action": kept.reply.action,
                "entry": kept.reply.entry,
                "reason": kept.reply.reason,
                "score": kept.reply.score,
                "latency_ms": kept.latency_ms,
            },
        )
        return kept

    def _understood(self, asked: Utterance, session: Session | None, brain: Brain) -> Understanding:
        """What is asked; nothing, where matching itself fails: that is logged, and the turn is kept all the same."""
        began = time.perf_counter()
        try:
            return brain.understand(asked.text, session.topic if session else "")
        except Exception:
            log.exception("matching failed", extra={"channel": asked.channel, "characters": len(asked.text)})
            return Understanding(Folded(asked.text, (asked.text,)), "nothing", 0.0, _MATCHING_FAILED)
        finally:
            self.matched(time.perf_counter() - began)

    async def _reply(self, asked: Utterance, ctx: Context, arrived: float) -> Reply:
        if asked.kind == "message" and (reason := manners.before(asked, ctx)):
            return Reply("silent", reason=reason)
        try:
            reply = await self.router.first(asked, ctx)
        except Exception:
            log.exception("a handler failed", extra={"channel": asked.channel, "kind": asked.kind})
            reply = Reply("fallback", ctx.text("fallback", asked.place), unanswered=asked.kind == "message")
        if reply is None:
            return Reply("silent", reason="unsupported")
        if self.chooser and _called(asked) and _asks(ctx) and _unsure(reply, self.chooser.sure):
            reply = await self._helped(self.chooser, reply, asked, ctx, arrived)
        if asked.kind == "message" and asked.chat and not asked.mentioned and reply.action != "silent":
            if reason := manners.unasked(reply, asked, ctx):
                return Reply("silent", reason=reason, score=reply.score)
        return reply

    async def _helped(
        self, chooser: Chooser, reply: Reply, asked: Utterance, ctx: Context, arrived: float
    ) -> Reply:
        """The curated answer a language model chose, labelled; the reply as it was where it chose none, or that one."""
        about = ctx.session.topic if ctx.session else ""
        waited = time.perf_counter() - arrived
        try:
            chosen = await chooser.choose(asked.text, ctx.understood, ctx.index, about=about, waited=waited)
            if chosen is None:
                return reply
            # No likelihood of ours speaks for the choice: it counts as little as an answer can.
            understood = replace(chosen, score=self.limits.accept)
            told = await self.router.first(asked, replace(ctx, understood=understood))
        except Exception:
            log.exception("choosing by a language model failed", extra={"channel": asked.channel})
            return reply
        if told is None or told.action != "answer" or (told.entry, told.items) == (reply.entry, reply.items):
            return reply
        text = f"{told.text}\n{ctx.text('chosen_by_model', asked.place)}"
        return replace(
            told, text=text, chosen_by="language model", unanswered=told.unanswered or reply.unanswered
        )

    def _alerts(self, reply: Reply, turn: Turn) -> tuple[Delivery, ...]:
        if reply.alert is None:
            return ()
        return tuple(
            replace(
                empty,
                delivery_id=secrets.token_hex(12),
                text=reply.alert.text,
                place=reply.alert.place or turn.place,
                created_at=turn.received_at,
                due_at=turn.received_at,
            )
            for empty in self.alert_to(reply.alert.place or turn.place)
        )


_MATCHING_FAILED = "matching failed"


def _to_be_gathered(reply: Reply, understood: Understanding) -> bool:
    """Whether a question is for staff, and its words could be read."""
    return reply.unanswered and understood.rule != _MATCHING_FAILED


def session_key(asked: Utterance) -> str:
    """The key of a conversation: its channel, chat, user and, where the channel names one, its session."""
    own = ("", "session", asked.session) if asked.session else (asked.chat or "", asked.user)
    parts = "\0".join((asked.channel, *own))
    return hashlib.blake2b(parts.encode(errors="replace"), digest_size=16).hexdigest()


def _called(asked: Utterance) -> bool:
    """Whether the bot was addressed, in words that were typed or spoken to it."""
    return asked.kind == "message" and asked.media in ("text", "voice") and (asked.mentioned or asked.chat is None)


def _asks(ctx: Context) -> bool:
    """Whether a topic may answer it: chatter is no business of a model."""
    return ctx.understood.question_likelihood >= ctx.limits.scope


def _unsure(reply: Reply, sure: float) -> bool:
    """Whether the matcher found nothing, or not surely: never of a danger, nor of anything hazardous."""
    if reply.alert or reply.forget or any(item.category == "hazardous" for item in reply.items):
        return False
    return reply.action == "fallback" or (reply.action == "answer" and bool(reply.topic) and reply.score < sure)


def _may_keep_text(asked: Utterance, reply: Reply) -> bool:
    """Lines of a group that were not meant for the bot are kept without their text, a wish to be forgotten too."""
    return not reply.forget and (reply.action != "silent" or asked.mentioned or not asked.chat)


def _fresh_pseudonym() -> str:
    """A pseudonym that leads nowhere."""
    return "u_" + secrets.token_hex(16)
