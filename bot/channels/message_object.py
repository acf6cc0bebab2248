"""The message object of the outside contract: of `lvlin ask --jsonl`, the webhook channel and the simulator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.channels.fields import moment, without_controls
from bot.channels.json_body import id_string, number, string
from bot.errors import Refused
from bot.records import Inbound

TEXT_CHARS = 20_000
"""The longest text accepted, in characters."""


def read_message(given: Mapping[str, Any], fresh_id: str) -> Inbound:
    """Normalise a message object; `fresh_id` is its id if it has none. Unknown fields are ignored.

    Raises Refused(400) for a missing text, a wrong type, or a value out of range."""
    own_id = id_string(given, "id")
    sent_at = number(given, "sent_at")
    string(given, "user_name")  # never kept, but checked
    return Inbound(
        kind="message",
        message_id=own_id or fresh_id,
        sender=id_string(given, "user"),
        chat=id_string(given, "chat") or None,
        text=_text(given),
        mentioned=_mentioned(given),
        session=id_string(given, "session") or None,
        sent_at=None if sent_at is None else moment(sent_at),
        echo={"id": own_id} if own_id else {},
    )


def _text(given: Mapping[str, Any]) -> str:
    if given.get("text") is None:
        raise Refused(400, "no text")
    text = string(given, "text")
    if len(text) > TEXT_CHARS:
        raise Refused(400, "the text is too long")
    return without_controls(text)


def _mentioned(given: Mapping[str, Any]) -> bool:
    mentioned = given.get("mentioned")
    if mentioned is None:
        return True
    if not isinstance(mentioned, bool):
        raise Refused(400, "mentioned is not a boolean")
    return mentioned
