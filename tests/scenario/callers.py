"""The platforms and the gateway as they call us; Tencent's side is wechatpy, the gateway's is standardwebhooks."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import xmltodict
from standardwebhooks.webhooks import Webhook as Signer
from wechatpy.crypto import WeChatCrypto
from wechatpy.utils import WeChatSigner

TOKEN = "ShequTok3n2026"
KEY = "LDuXK2sFiqxPVQQmNWhzXkGBr8BxYSEUvqMSa6JHHFk"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
APP_ID, CORP_ID = "wx0123456789abcdef", "ww0123456789abcdef"
OTHER_ID = "wwfedcba9876543210"

RECEIVER = {"mp": APP_ID, "app": CORP_ID, "aibot": ""}
"""Tencent's channels of the test site → whom their messages are sealed for."""


@dataclass(frozen=True)
class Call:
    """One HTTP request; `query` is a list so that a parameter can stand twice."""

    path: str
    body: bytes = b""
    query: tuple[tuple[str, str], ...] = ()
    headers: dict[str, str] = field(default_factory=dict)
    method: str = "POST"

    @property
    def target(self) -> str:
        """Path and query."""
        return f"{self.path}?{urlencode(self.query, errors='surrogatepass')}" if self.query else self.path

    def with_query(self, **changed: str | None) -> Call:
        """The call with query parameters replaced, added, or (None) left out."""
        kept = {key: value for key, value in {**dict(self.query), **changed}.items() if value is not None}
        return replace(self, query=tuple(kept.items()))

    def with_headers(self, **changed: str | None) -> Call:
        """The call with headers replaced, added, or (None) left out; `_` stands for `-`."""
        named = {key.replace("_", "-"): value for key, value in changed.items()}
        kept = {key: value for key, value in {**self.headers, **named}.items() if value is not None}
        return replace(self, headers=kept)


def signature(*parts: str) -> str:
    """Tencent's signature, by wechatpy."""
    signer = WeChatSigner()
    signer.add_data(*parts)
    return str(signer.signature)


def seal(receiver: str, clear: str, now: datetime, nonce: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The ciphertext and the query of a callback."""
    timestamp = str(int(now.timestamp()))
    outer = xmltodict.parse(WeChatCrypto(TOKEN, KEY, receiver).encrypt_message(clear, nonce, timestamp))["xml"]
    query = (("msg_signature", outer["MsgSignature"]), ("timestamp", timestamp), ("nonce", nonce))
    return outer["Encrypt"], query


def signed(channel: str, encrypt: str, now: datetime, nonce: str) -> Call:
    """A callback with any ciphertext, whose signature is right."""
    timestamp = str(int(now.timestamp()))
    query = (
        ("msg_signature", signature(TOKEN, timestamp, nonce, encrypt)),
        ("timestamp", timestamp),
        ("nonce", nonce),
    )
    return Call(f"/channels/{channel}", envelope(channel, encrypt), query, {"Content-Type": content_type(channel)})


def envelope(channel: str, encrypt: str) -> bytes:
    """The clear body around a ciphertext."""
    if channel == "aibot":
        return json.dumps({"encrypt": encrypt}).encode()
    return f"<xml><ToUserName><![CDATA[x]]></ToUserName><Encrypt><![CDATA[{encrypt}]]></Encrypt></xml>".encode()


def content_type(channel: str) -> str:
    """What the platform sends."""
    return "text/xml" if channel in ("mp", "app") else "application/json"


def clear_xml(text: str, message_id: str, user: str, **more: Any) -> str:
    """A message of 公众号 or 自建应用; `more` replaces or adds fields, None leaves one out."""
    fields: dict[str, Any] = {
        "ToUserName": "gh_x",
        "FromUserName": user,
        "CreateTime": 1795420800,
        "MsgType": "text",
        "Content": text,
        "MsgId": message_id,
        **more,
    }
    kept = {key: value for key, value in fields.items() if value is not None}
    return str(xmltodict.unparse({"xml": kept}, full_document=False))


def clear_json(said: str, message_id: str, user: str, chat: str | None = None, **more: Any) -> str:
    """A message of the 智能机器人; `more` replaces or adds fields."""
    place = {"chattype": "group", "chatid": chat} if chat else {"chattype": "single"}
    given = {"msgid": message_id, "msgtype": "text", "from": {"userid": user}, "text": {"content": said}}
    given |= {**place, **more}
    return json.dumps(given, ensure_ascii=False)


def ask(
    channel: str, text: str, now: datetime, *, message_id: str = "7", user: str = "u1", chat: str | None = None,
    nonce: str | None = None, mentioned: bool = True,
) -> Call:  # fmt: skip
    """A resident's message on a channel of the test site."""
    nonce = nonce or f"nonce-{message_id}"
    if channel in ("gateway", "try"):
        given = {"id": message_id, "text": text, "user": user, "chat": chat, "mentioned": mentioned}
        body = json.dumps(given, ensure_ascii=False).encode()
        return post_json(channel, body, now, message_id)
    clear = clear_json(text, message_id, user, chat) if channel == "aibot" else clear_xml(text, message_id, user)
    return sealed(channel, clear, now, nonce)


def sealed(channel: str, clear: str, now: datetime, nonce: str, receiver: str | None = None) -> Call:
    """A callback with any clear text in it."""
    encrypt, query = seal(RECEIVER[channel] if receiver is None else receiver, clear, now, nonce)
    return Call(f"/channels/{channel}", envelope(channel, encrypt), query, {"Content-Type": content_type(channel)})


def post_json(channel: str, body: bytes, now: datetime, message_id: str = "7") -> Call:
    """A body to the gateway (signed) or to the simulator."""
    headers = {"Content-Type": "application/json"}
    if channel == "gateway":
        headers |= {
            "webhook-id": message_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Signer(SECRET).sign(message_id, now, body.decode("utf-8", "replace")),
        }
    return Call(f"/channels/{channel}", body, (), headers)


def url_check(channel: str, echo: str, now: datetime) -> Call:
    """A platform's check of the callback's address."""
    timestamp = str(int(now.timestamp()))
    if channel == "mp":
        query = {"signature": signature(TOKEN, timestamp, "n1"), "timestamp": timestamp, "nonce": "n1", "echostr": echo}
        return Call("/channels/mp", b"", tuple(query.items()), {}, "GET")
    encrypt, query_ = seal(RECEIVER[channel], echo, now, "n1")
    return Call(f"/channels/{channel}", b"", (*query_, ("echostr", encrypt)), {}, "GET")


def heard(channel: str, body: bytes) -> str:
    """The text of a reply, decrypted where it is encrypted; "" for none."""
    if not body or body == b"success":
        return ""
    if channel in ("gateway", "try"):
        return str(json.loads(body)["text"])
    if channel == "aibot":
        outer = json.loads(body)
        wrapped = f"<xml><ToUserName/><Encrypt>{outer['encrypt']}</Encrypt></xml>"
        clear = json.loads(_opened("", wrapped, outer["msgsignature"], str(outer["timestamp"]), outer["nonce"]))
        return str((clear.get("stream") or clear["text"])["content"])
    outer = xmltodict.parse(body)["xml"]
    clear = _opened(RECEIVER[channel], body.decode(), outer["MsgSignature"], outer["TimeStamp"], outer["Nonce"])
    return str(xmltodict.parse(clear)["xml"]["Content"])


def _opened(receiver: str, body: str, given: str, timestamp: str, nonce: str) -> str:
    clear = WeChatCrypto(TOKEN, KEY, receiver).decrypt_message(body, given, timestamp, nonce)
    return clear if isinstance(clear, str) else clear.decode()
