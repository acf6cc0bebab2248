"""The XML that 公众号 and 自建应用 share: clear message in, passive reply out (wechat-protocol.md, 1.2 and 1.3)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime

from bot.channels.crypto import Sealed
from bot.channels.cut import cut
from bot.channels.fields import LATEST_SECONDS, identifier, moment, natural
from bot.channels.xml import cdata
from bot.errors import Refused
from bot.records import Inbound, Media, Reply

XML_TYPES = frozenset({"text/xml", "application/xml"})
"""The media types of an XML callback."""

REPLY_BYTES = 2048
"""The longest passive text, in UTF-8 bytes."""

_TITLE_BYTES = 128
_MEDIA: Mapping[str, Media] = {"text": "text", "voice": "voice", "image": "image"}
_WORDS_IN = {"text": "Content", "voice": "Recognition"}


def inbound_of(fields: Mapping[str, str], clear: bytes, nonce: str) -> Inbound:
    """Normalise a message or event. `clear` is the XML `fields` were read from. Raises Refused(400)."""
    kind = fields.get("MsgType", "")
    if not kind:
        raise Refused(400, "no MsgType")
    is_event = kind == "event"
    event = fields.get("Event", "").lower().removesuffix("_event") if is_event else ""
    sender = identifier(fields.get("FromUserName", ""))
    if not (is_event or sender):
        raise Refused(400, "a message of nobody")
    return Inbound(
        kind="event" if is_event else "message",
        message_id=_message_id(fields, clear),
        sender=sender,
        text=_words(fields, kind, event),
        media="text" if is_event else _MEDIA.get(kind, "other"),
        event=event,
        sent_at=_sent_at(fields),
        nonce=nonce,
        echo={"to_user": fields.get("ToUserName", "")},
    )


def passive_reply(inbound: Inbound, reply: Reply, now: datetime) -> bytes | None:
    """The clear XML of a reply, sender and receiver swapped; None where nothing is to be said, or to nobody."""
    if reply.action == "silent" or not reply.text or not inbound.sender:
        return None
    content = _news(reply.text, reply.link) if reply.link else _text(reply.text)
    return (
        f"<xml><ToUserName>{cdata(inbound.sender)}</ToUserName>"
        f"<FromUserName>{cdata(inbound.echo['to_user'])}</FromUserName>"
        f"<CreateTime>{int(now.timestamp())}</CreateTime>{content}</xml>"
    ).encode()


def envelope(sealed: Sealed) -> bytes:
    """The XML around an encrypted reply."""
    return (
        f"<xml><Encrypt>{cdata(sealed.encrypt)}</Encrypt><MsgSignature>{cdata(sealed.signature)}</MsgSignature>"
        f"<TimeStamp>{sealed.timestamp}</TimeStamp><Nonce>{cdata(sealed.nonce)}</Nonce></xml>"
    ).encode()


def _message_id(fields: Mapping[str, str], clear: bytes) -> str:
    message_id = fields.get("MsgId", "")
    if not message_id:
        return hashlib.sha256(clear).hexdigest()
    natural(message_id, 2**64)
    return message_id


def _sent_at(fields: Mapping[str, str]) -> datetime | None:
    created = fields.get("CreateTime", "")
    return moment(natural(created, LATEST_SECONDS)) if created else None


def _words(fields: Mapping[str, str], kind: str, event: str) -> str:
    if event in ("click", "template_card"):
        return fields.get("EventKey", "")
    return fields.get(_WORDS_IN.get(kind, ""), "")


def _text(text: str) -> str:
    return f"<MsgType>{cdata('text')}</MsgType><Content>{cdata(cut(text, REPLY_BYTES))}</Content>"


def _news(text: str, url: str) -> str:
    first, _, rest = text.strip().partition("\n")
    title = cut(first, _TITLE_BYTES)
    description = rest if title == first else text
    return (
        f"<MsgType>{cdata('news')}</MsgType><ArticleCount>1</ArticleCount><Articles><item>"
        f"<Title>{cdata(title)}</Title><Description>{cdata(cut(description, REPLY_BYTES))}</Description>"
        f"<PicUrl>{cdata('')}</PicUrl><Url>{cdata(url)}</Url></item></Articles>"
    )
