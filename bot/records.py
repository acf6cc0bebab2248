"""The frozen records that travel through the house. Times are aware UTC; users are pseudonyms, except in `Inbound`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Action = Literal["answer", "clarify", "fallback", "handoff", "done", "silent"]
SilenceReason = Literal[
    "not_a_question", "unsure", "recent", "cooldown", "staff_talking", "paused", "empty", "unsupported", "robot"
]
Role = Literal["viewer", "editor", "approver", "admin"]
Media = Literal["text", "voice", "image", "mixed", "other"]
DeliveryState = Literal["queued", "sending", "sent", "failed", "skipped", "unknown"]
ClusterState = Literal["open", "taught", "dismissed"]
LessonKind = Literal["alias", "category", "answer"]
LessonState = Literal[
    "waiting", "checking", "applying", "taught", "blocked", "failed", "cancelled", "undoing", "undone"
]

CATEGORIES = ("recyclable", "hazardous", "food", "residual", "bulky", "construction", "ewaste", "oil", "drain")


@dataclass(frozen=True, slots=True)
class Inbound:
    """One event as a channel opened it, still with the platform's own ids: never stored, never logged."""

    kind: Literal["message", "event", "refresh"]
    message_id: str
    sender: str
    chat: str | None = None
    text: str = ""
    media: Media = "text"
    event: str = ""  # subscribe, unsubscribe, click, enter_chat, feedback, … ; "" for a message
    mentioned: bool = True
    session: str | None = None
    sent_at: datetime | None = None
    nonce: str = ""
    response_url: str = ""  # a one-use address to write back (wecom_aibot)
    echo: Mapping[str, str] = field(default_factory=dict)  # what the channel needs to seal the reply
    from_robot: bool = False


@dataclass(frozen=True, slots=True)
class Utterance:
    """A resident's message (or another event), normalised, whatever channel it came by."""

    channel: str
    message_id: str
    user: str
    chat: str | None
    session: str
    text: str
    received_at: datetime
    kind: Literal["message", "event"] = "message"
    media: Media = "text"
    event: str = ""
    mentioned: bool = True
    place: str = ""
    role: Role | None = None  # the sender's staff role, from the signed payload's identity only
    staff_place: str = ""  # the branch of the place tree that role covers
    from_robot: bool = False


@dataclass(frozen=True, slots=True)
class ItemAnswer:
    """One thing asked for, and its bin. `label` is the bin's name in the site's city."""

    name: str
    category: str
    label: str
    inferred: bool = False


@dataclass(frozen=True, slots=True)
class Option:
    """One case offered when the bot asks back. `target` is the entry chosen: `items/<name>` or `<slug>/<id>`, or ""."""

    label: str
    topic: str | None = None
    category: str | None = None
    target: str = ""


@dataclass(frozen=True, slots=True)
class Alert:
    """A notice to staff, caused by a turn."""

    text: str
    place: str = ""


@dataclass(frozen=True, slots=True)
class Session:
    """What is remembered of one conversation for follow-ups and choices."""

    item: str = ""  # the last item answered
    entry: str = ""  # the last entry answered, e.g. topics/cooking_oil/pour
    topic: str = ""
    options: tuple[Option, ...] = ()
    detail: str = ""  # what 「详细」 would show
    question: str = ""  # folded text of the last question
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ChatState:
    """What is remembered of one group chat, for manners."""

    paused: bool = False
    staff_at: datetime | None = None
    answered: Mapping[str, datetime] = field(default_factory=dict)  # entry → when it was last answered here
    replied: Mapping[str, datetime] = field(default_factory=dict)  # user → when the bot last spoke to them unasked
    said: tuple[str, ...] = ()  # digests of the bot's last texts here, to know its own echo


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a member of staff teaches for one cluster of unanswered questions, and what became of it.

    It waits, is checked, applied, and then taught; or blocked by the gate, failed, cancelled before it was applied,
    or undone after it. `value`: the item or entry it is the same as (alias), the category, or the answer.
    """

    cluster_id: int
    kind: LessonKind
    value: str
    at: datetime
    topic: str = ""
    source: str = ""
    harmless: bool = False  # staff stand by it that what looks hazardous is not
    channel: str = ""
    user: str = ""  # the pseudonym of who said it in chat; "" from the command line
    by: str = ""  # who it was, for the history
    lesson_id: int = 0  # 0: not kept yet
    state: LessonState = "waiting"
    settled_at: datetime | None = None
    entry: str | None = None
    told: str = ""  # what became of it, in words for staff
    before: str = ""  # the content of the knowledge before it was taught, and after
    after: str = ""
    version: int | None = None  # the published version that holds it
    notices: tuple[str, ...] = ()  # the deliveries by which the askers are told


@dataclass(frozen=True, slots=True)
class Asker:
    """A person whose question is in a cluster, where they asked it last, and the sealed address to write back."""

    user: str
    channel: str
    chat: str | None
    place: str
    text: str
    at: datetime
    addresses: tuple[bytes, ...] = ()  # still valid ones: of that question, then the newest of the person


@dataclass(frozen=True, slots=True)
class Reply:
    """What comes back for one utterance; silent when `action` is silent."""

    action: Action
    text: str = ""
    topic: str | None = None
    entry: str | None = None
    items: tuple[ItemAnswer, ...] = ()
    options: tuple[Option, ...] = ()
    record: Mapping[str, Any] | None = None
    reason: SilenceReason | None = None
    score: float = 0.0
    detail: str = ""
    link: str | None = None
    unanswered: bool = False  # queue the question for staff
    alert: Alert | None = None
    forget: bool = False  # delete everything stored about the user, this turn's text included
    lesson: Lesson | None = None  # queue what staff teach
    take_back: int | None = None  # take back the lesson of that number
    notices: bool | None = None  # whether the user wants messages nobody asked for; None leaves it as it is
    session: Session | None = None  # the new state of the conversation; None leaves it as it is
    chat: ChatState | None = None  # the new state of the chat; None leaves it as it is
    chosen_by: Literal["language model"] | None = None  # who picked the entry where the matcher was unsure


@dataclass(frozen=True, slots=True)
class Turn:
    """One utterance and what came back, as it is kept. `text` is None where it may not be kept."""

    turn_id: str
    message_id: str
    channel: str
    chat: str | None
    user: str
    place: str
    session: str
    received_at: datetime
    kind: Literal["message", "event"]
    media: Media
    text: str | None
    mentioned: bool
    reply: Reply
    latency_ms: float


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message we send by ourselves: a notice, an alert or (later) a reminder. `address` is sealed."""

    delivery_id: str
    channel: str
    chat: str | None
    user: str | None
    place: str
    text: str
    address: bytes | None = None
    broadcast_id: str | None = None
    options: tuple[str, ...] = ()
    link: str | None = None
    state: DeliveryState = "queued"
    reason: str | None = None
    attempts: int = 0
    due_at: datetime | None = None
    created_at: datetime | None = None
    sent_at: datetime | None = None
    read_at: datetime | None = None
    answered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Unanswered:
    """Questions that fell back and ask the same, counted by distinct people."""

    cluster_id: int
    text: str
    variants: tuple[str, ...]
    people: int
    first_at: datetime
    last_at: datetime
    state: ClusterState
    entry: str | None
