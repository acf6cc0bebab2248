"""企业微信智能机器人 by callback: encrypted JSON; the reply is one finished stream (wechat-protocol.md, section 3)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from bot.channels.contract import Request, Response
from bot.channels.crypto import MsgCrypt
from bot.channels.cut import cut
from bot.channels.fields import identifier, moment, without_controls
from bot.channels.json_body import id_string, mapping, number, read_json, string, write_json
from bot.errors import Refused
from bot.records import Inbound, Media, Reply

REPLY_BYTES = 20_480
"""The longest stream content, in UTF-8 bytes; a longer one is refused and its bubble never finishes."""

_RECEIVER = ""  # not the corp id (wechat-protocol.md, 3.3)
_STREAM = "s."  # before the message id, so that a refresh names the message it belongs to
_ACKNOWLEDGED = Response(b"", "text/plain")


class WecomAibot:
    """One AI bot. `bot_name` is the name residents mention; it is taken out of the text, other mentions stay."""

    __slots__ = ("_crypt", "_mention", "name")

    type = "wecom_aibot"
    content_types = frozenset({"application/json"})
    reply_limit = REPLY_BYTES

    def __init__(self, name: str, bot_name: str, token: str, encoding_aes_key: str) -> None:
        """Raises ValueError if the key is malformed."""
        self.name = name
        # A longer name that begins with ours is somebody else's, hence no word character may follow.
        self._mention = re.compile(rf"@{re.escape(bot_name)}(?!\w)[ \u2005]*")
        self._crypt = MsgCrypt(token, encoding_aes_key, _RECEIVER)

    def check_url(self, request: Request, now: datetime) -> bytes:
        """The decrypted echostr."""
        return self._crypt.check_url(request.query, now)

    def open(self, request: Request, now: datetime) -> Inbound:
        """Verify, decrypt, normalise."""
        encrypt = string(read_json(request.body), "encrypt")
        if not encrypt:
            raise Refused(400, "no encrypt")
        clear = self._crypt.open(request.query, encrypt, now)
        return self._inbound(read_json(clear), clear, request.query["nonce"])

    def seal(self, inbound: Inbound, reply: Reply, now: datetime) -> Response:
        """A finished stream; a text to greet who enters; an empty body for silence and for all other events."""
        answer = _ANSWERS.get(inbound.echo.get("answer", ""))
        if answer is None or reply.action == "silent" or not reply.text:
            return _ACKNOWLEDGED
        message = write_json(answer(inbound, _content(reply)))
        sealed = self._crypt.seal(message, inbound.nonce, now)
        return Response(
            write_json(
                {
                    "encrypt": sealed.encrypt,
                    "msgsignature": sealed.signature,
                    "timestamp": sealed.timestamp,
                    "nonce": sealed.nonce,
                }
            ),
            "application/json",
        )

    def _inbound(self, given: Mapping[str, Any], clear: bytes, nonce: str) -> Inbound:
        kind = string(given, "msgtype")
        if kind == "stream":
            return _refresh(given, nonce)
        if kind == "event":
            return _event(given, clear, nonce)
        sender = _sender(given)
        if not kind or not sender:
            raise Refused(400, "a message of nobody, or of no type")
        return Inbound(
            kind="message",
            message_id=_message_id(given, clear),
            sender=sender,
            chat=_chat(given),
            text=self._unmentioned(_words(given, kind)),
            media=_MEDIA.get(kind, "other"),
            sent_at=_sent_at(given),
            nonce=nonce,
            response_url=string(given, "response_url"),
            echo={"answer": "stream"},
        )

    def _unmentioned(self, text: str) -> str:
        return self._mention.sub("", without_controls(text)).strip()


_MEDIA: Mapping[str, Media] = {"text": "text", "voice": "voice", "image": "image", "mixed": "mixed"}


def _refresh(given: Mapping[str, Any], nonce: str) -> Inbound:
    stream_id = string(mapping(given, "stream"), "id")
    message_id = identifier(stream_id.removeprefix(_STREAM))
    if message_id in ("", stream_id):
        raise Refused(400, "a stream that is not ours")
    return Inbound(
        kind="refresh",
        message_id=message_id,
        sender=_sender(given),
        chat=_chat(given),
        sent_at=_sent_at(given),
        nonce=nonce,
        echo={"answer": "stream"},
    )


def _event(given: Mapping[str, Any], clear: bytes, nonce: str) -> Inbound:
    happened = mapping(given, "event")
    event = string(happened, "eventtype")
    if not event:
        raise Refused(400, "an event of no type")
    return Inbound(
        kind="event",
        message_id=_message_id(given, clear),
        sender=_sender(given),
        chat=_chat(given),
        text=_pressed(happened) if event == "template_card_event" else "",
        event=event.removesuffix("_event"),
        sent_at=_sent_at(given),
        nonce=nonce,
        response_url=string(given, "response_url"),
        echo={"answer": "text"} if event == "enter_chat" else {},
    )


def _pressed(happened: Mapping[str, Any]) -> str:
    # The documents nest the card's fields, the official SDK's types have them flat: both are seen.
    nested = mapping(happened, "template_card_event")
    return string(nested, "event_key") or string(happened, "event_key")


def _sender(given: Mapping[str, Any]) -> str:
    return id_string(mapping(given, "from"), "userid")


def _chat(given: Mapping[str, Any]) -> str | None:
    if string(given, "chattype") != "group":
        return None
    chat = id_string(given, "chatid")
    if not chat:
        raise Refused(400, "a group without chatid")
    return chat


def _message_id(given: Mapping[str, Any], clear: bytes) -> str:
    return id_string(given, "msgid") or hashlib.sha256(clear).hexdigest()


def _sent_at(given: Mapping[str, Any]) -> datetime | None:
    created = number(given, "create_time")
    return None if created is None else moment(created)


def _words(given: Mapping[str, Any], kind: str) -> str:
    if kind in ("text", "voice"):
        return string(mapping(given, kind), "content")
    return _mixed_words(given) if kind == "mixed" else ""


def _mixed_words(given: Mapping[str, Any]) -> str:
    parts = mapping(given, "mixed").get("msg_item")
    if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
        raise Refused(400, "msg_item is not a list of objects")
    words = (string(mapping(part, "text"), "content") for part in parts)
    return "\n".join(word for word in words if word)


def _content(reply: Reply) -> str:
    tail = f"\n{reply.link}" if reply.link else ""
    return cut(reply.text, REPLY_BYTES - len(tail.encode())) + tail


def _stream(inbound: Inbound, content: str) -> dict[str, Any]:
    return {"msgtype": "stream", "stream": {"id": _STREAM + inbound.message_id, "finish": True, "content": content}}


def _text(inbound: Inbound, content: str) -> dict[str, Any]:
    return {"msgtype": "text", "text": {"content": content}}


_ANSWERS: Mapping[str, Callable[[Inbound, str], dict[str, Any]]] = {"stream": _stream, "text": _text}
