"""Records as rows and back, and what forgetting and retiring do to them: the same for every engine.

A row is a tuple in the order of `TURN_COLUMNS` or `DELIVERY_COLUMNS`. Times are whole microseconds since 1970 (UTC),
lists and mappings compact JSON. Text is made fit for any database: no NUL, no lone surrogate.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.records import Alert, ChatState, Delivery, ItemAnswer, Lesson, Option, Reply, Session, Turn

TURN_COLUMNS = (
    "turn_id", "message_id", "channel", "chat", "user", "place", "session", "received_at", "kind", "media", "text",
    "mentioned", "action", "topic", "entry", "items", "score", "reply", "reason", "unanswered", "record", "rest",
    "latency_ms", "chosen_by",
)  # fmt: skip
DELIVERY_COLUMNS = (
    "delivery_id", "channel", "chat", "user", "place", "text", "address", "broadcast_id", "options", "link", "state",
    "reason", "attempts", "due_at", "created_at", "sent_at", "read_at", "answered_at",
)  # fmt: skip
FORGOTTEN = "forgotten"
"""The reason of a delivery that was skipped because its receiver asked to be forgotten."""
TAKEN_BACK = "taken back"
"""The reason of a notice that was skipped because its lesson was taken back."""

Row = tuple[Any, ...]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=dict).encode
_decode = json.JSONDecoder().decode
_NUL_IN_JSON = "\\u0000"


def to_micros(moment: datetime) -> int:
    """An aware time as microseconds since 1970. Raises TypeError for a naive one."""
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def from_micros(micros: int) -> datetime:
    """Microseconds since 1970 as aware UTC."""
    return _EPOCH + timedelta(microseconds=micros)


def fit(text: str) -> str:
    """The text without NUL, lone surrogates replaced by U+FFFD."""
    if "\0" in text:
        text = text.replace("\0", "")
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def turn_row(turn: Turn) -> Row:
    """A turn as a row, without the new session and chat state in its reply."""
    reply = turn.reply
    return (
        turn.turn_id,
        fit(turn.message_id),
        turn.channel,
        _fit_or_none(turn.chat),
        turn.user,
        turn.place,
        fit(turn.session),
        to_micros(turn.received_at),
        turn.kind,
        turn.media,
        _fit_or_none(turn.text),
        turn.mentioned,
        reply.action,
        reply.topic,
        reply.entry,
        _items_text(reply.items),
        reply.score,
        fit(reply.text),
        reply.reason,
        reply.unanswered,
        None if reply.record is None else _json(reply.record),
        _rest_text(reply),
        turn.latency_ms,
        reply.chosen_by,
    )


def turn_from(row: Row) -> Turn:
    """The turn a row was made of."""
    (
        turn_id, message_id, channel, chat, user, place, session, received_at, kind, media, text, mentioned, action,
        topic, entry, items, score, reply_text, reason, unanswered, record, rest, latency_ms, chosen_by,
    ) = row  # fmt: skip
    more = {} if rest is None else _decode(rest)
    reply = Reply(
        action=action,
        text=reply_text,
        topic=topic,
        entry=entry,
        items=() if items == "[]" else tuple(ItemAnswer(**item) for item in _decode(items)),
        options=tuple(Option(*option) for option in more.get("options", ())),
        record=None if record is None else _decode(record),
        reason=reason,
        score=score,
        detail=more.get("detail", ""),
        link=more.get("link"),
        unanswered=bool(unanswered),
        alert=Alert(*more["alert"]) if "alert" in more else None,
        chosen_by=chosen_by,
    )
    return Turn(
        turn_id, message_id, channel, chat, user, place, session, from_micros(received_at), kind, media, text,
        bool(mentioned), reply, latency_ms,
    )  # fmt: skip


def session_text(session: Session) -> str:
    """A session as JSON."""
    options = [_option_values(option) for option in session.options]
    at = _micros_or_none(session.at)
    return _json([session.item, session.entry, session.topic, options, session.detail, session.question, at])


def session_from(text: str) -> Session:
    """The session that JSON was made of."""
    item, entry, topic, options, detail, question, at = _decode(text)
    return Session(item, entry, topic, tuple(Option(*o) for o in options), detail, question, _time_or_none(at))


def chat_text(chat: ChatState) -> str:
    """The state of a chat as JSON."""
    answered = {entry: to_micros(at) for entry, at in chat.answered.items()}
    replied = {user: to_micros(at) for user, at in chat.replied.items()}
    return _json([chat.paused, _micros_or_none(chat.staff_at), answered, replied, chat.said])


def chat_from(text: str) -> ChatState:
    """The state of a chat that JSON was made of."""
    paused, staff_at, answered, replied, said = _decode(text)
    return ChatState(
        paused,
        _time_or_none(staff_at),
        {entry: from_micros(at) for entry, at in answered.items()},
        {user: from_micros(at) for user, at in replied.items()},
        tuple(said),
    )


def dated(delivery: Delivery, created_at: datetime) -> Delivery:
    """The delivery, created at that time unless it names one of its own."""
    return delivery if delivery.created_at is not None else replace(delivery, created_at=created_at)


def delivery_row(delivery: Delivery) -> Row:
    """A dated delivery as a row."""
    return (
        delivery.delivery_id,
        delivery.channel,
        _fit_or_none(delivery.chat),
        delivery.user,
        delivery.place,
        fit(delivery.text),
        delivery.address,
        delivery.broadcast_id,
        _json(delivery.options),
        delivery.link,
        delivery.state,
        _fit_or_none(delivery.reason),
        delivery.attempts,
        _micros_or_none(delivery.due_at),
        _micros_or_none(delivery.created_at),
        _micros_or_none(delivery.sent_at),
        _micros_or_none(delivery.read_at),
        _micros_or_none(delivery.answered_at),
    )


def delivery_from(row: Row) -> Delivery:
    """The delivery a row was made of."""
    values = dict(zip(DELIVERY_COLUMNS, row, strict=True))
    values["options"] = tuple(_decode(values["options"]))
    for column in ("due_at", "created_at", "sent_at", "read_at", "answered_at"):
        values[column] = _time_or_none(values[column])
    return Delivery(**values)


def lesson_text(lesson: Lesson) -> str:
    """A lesson as JSON, without its number."""
    values = dataclasses.asdict(lesson)
    del values["lesson_id"]
    return _json({**values, "at": to_micros(lesson.at), "settled_at": _micros_or_none(lesson.settled_at)})


def lesson_from(lesson_id: int, text: str) -> Lesson:
    """The lesson that JSON was made of."""
    values = _decode(text)
    times = {"at": from_micros(values["at"]), "settled_at": _time_or_none(values["settled_at"])}
    return Lesson(**{**values, **times, "notices": tuple(values["notices"]), "lesson_id": lesson_id})


def taken_back(lesson: Lesson) -> Lesson:
    """The lesson after 「撤销」: cancelled where it is not applied yet, about to be undone where it is taught, else as
    it is."""
    if lesson.state in ("waiting", "checking"):
        return replace(lesson, state="cancelled")
    return replace(lesson, state="undoing") if lesson.state == "taught" else lesson


def parts(core: str) -> set[str]:
    """The characters of what a question is about, and each two neighbours."""
    return set(core) | {core[n : n + 2] for n in range(len(core) - 1)}


def retired_turn(turn: Turn) -> Turn:
    """The turn without a word the resident or the bot said; what was recorded stays."""
    items = tuple(replace(item, name="") if item.inferred else item for item in turn.reply.items)
    reply = replace(turn.reply, text="", items=items, options=(), detail="", link=None, alert=None)
    return replace(turn, text=None, reply=reply)


def forgotten_turn(turn: Turn, fresh: str) -> Turn:
    """The turn as it may stay when its user asked to be forgotten: it counts, and leads to nobody."""
    bare = retired_turn(turn)
    return replace(bare, user=fresh, chat=None, session="", reply=replace(bare.reply, record=None))


def retired_delivery(delivery: Delivery) -> Delivery:
    """The delivery without its words and its address."""
    return replace(delivery, text="", options=(), link=None, address=None)


def forgotten_delivery(delivery: Delivery, fresh: str) -> Delivery:
    """The delivery as it may stay when its receiver asked to be forgotten; one still waiting is not sent any more."""
    bare = replace(retired_delivery(delivery), user=fresh, chat=None)
    return replace(bare, state="skipped", reason=FORGOTTEN) if bare.state == "queued" else bare


def without_user(chat: ChatState, user: str) -> ChatState:
    """The state of a chat that does not know `user`."""
    return replace(chat, replied={who: at for who, at in chat.replied.items() if who != user})


def stored_about(
    user: str,
    *,
    turns: Sequence[Turn],
    sessions: Mapping[str, Session],
    deliveries: Sequence[Delivery],
    asks: Sequence[tuple[int, str, datetime, str | None]],
    addresses: Sequence[datetime | None],
    chats: Sequence[tuple[str, str, ChatState]],
    lessons: Sequence[Lesson],
    opted_out: datetime | None,
) -> dict[str, Any]:
    """What `Store.stored_about` gives. `asks`: cluster, text, time, chat; `addresses`: until when each is kept;
    `chats`: channel, id, state of each that may know the user."""
    return {
        "user": user,
        "turns": plain(turns),
        "sessions": [{"key": key, **plain(session)} for key, session in sessions.items()],
        "deliveries": plain(deliveries),
        "unanswered": [
            {"cluster_id": cluster, "text": text, "at": plain(at), "chat": chat} for cluster, text, at, chat in asks
        ],
        "addresses": [{"until": plain(until)} for until in addresses],
        "chats": [
            {"channel": channel, "chat": chat, "replied_at": plain(state.replied[user])}
            for channel, chat, state in chats
            if user in state.replied
        ],
        "lessons": plain(lessons),
        "opted_out": plain(opted_out),
    }


def plain(value: Any) -> Any:
    """A record as values JSON knows; times in ISO 8601. Sealed bytes are left out."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = ((field.name, getattr(value, field.name)) for field in dataclasses.fields(value))
        return {name: plain(held) for name, held in fields if not isinstance(held, bytes)}
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): plain(held) for key, held in value.items()}
    if isinstance(value, list | tuple):
        return [plain(held) for held in value]
    return value


def list_text(texts: Sequence[str]) -> str:
    """Texts as one JSON list, for a query parameter."""
    return _json(list(texts))


def _json(value: Any) -> str:
    text = _encode(value)
    if _NUL_IN_JSON in text:
        text = _encode(_without_nul(_decode(text)))
    return fit(text)


def _without_nul(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "")
    if isinstance(value, list):
        return [_without_nul(held) for held in value]
    if isinstance(value, dict):
        return {_without_nul(key): _without_nul(held) for key, held in value.items()}
    return value


def _fit_or_none(text: str | None) -> str | None:
    return None if text is None else fit(text)


def _micros_or_none(moment: datetime | None) -> int | None:
    return None if moment is None else to_micros(moment)


def _time_or_none(micros: int | None) -> datetime | None:
    return None if micros is None else from_micros(micros)


def _option_values(option: Option) -> tuple[str | None, ...]:
    return option.label, option.topic, option.category, option.target


def _items_text(items: tuple[ItemAnswer, ...]) -> str:
    if not items:
        return "[]"
    named = [{"name": i.name, "category": i.category, "label": i.label, "inferred": i.inferred} for i in items]
    return _json(named)


def _rest_text(reply: Reply) -> str | None:
    """What else is needed to give the same reply again, or None where nothing is."""
    rest: dict[str, Any] = {}
    if reply.options:
        rest["options"] = [_option_values(option) for option in reply.options]
    if reply.detail:
        rest["detail"] = reply.detail
    if reply.link is not None:
        rest["link"] = reply.link
    if reply.alert is not None:
        rest["alert"] = [reply.alert.text, reply.alert.place]
    return _json(rest) if rest else None
