"""Callbacks as the platforms send them, each a whole HTTP request on a connection of its own.

They are sealed and opened without our own code: Tencent's by wechatpy, the gateway's by the standard library.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode
from xml.etree import ElementTree

from wechatpy.crypto import WeChatCrypto  # type: ignore[import-untyped]

TOKEN = "ShequTok3n2026"
AES_KEY = "LDuXK2sFiqxPVQQmNWhzXkGBr8BxYSEUvqMSa6JHHFk"
CORP_ID, AGENT_ID, APP_ID = "ww5823bf96d3bd56c7", 1000002, "wx5823bf96d3bd56c7"
WEBHOOK_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

_CRYPTS = {"app": WeChatCrypto(TOKEN, AES_KEY, CORP_ID), "mp": WeChatCrypto(TOKEN, AES_KEY, APP_ID)}
_GATEWAY_KEY = base64.b64decode(WEBHOOK_SECRET.removeprefix("whsec_"))
_SEALED = re.compile(
    r"<Encrypt><!\[CDATA\[(?P<encrypt>.+?)]]></Encrypt>\s*<MsgSignature><!\[CDATA\[(?P<signature>\w+)]]>"
)
_FIRST_ID = 24_500_000_000_000_000


@dataclass(frozen=True, slots=True)
class Callback:
    """One message on its way: the identity it is kept under, and the bytes to send."""

    channel: str
    message_id: str
    request: bytes


def tencent(channel: str, number: int, text: str) -> Callback:
    """An encrypted text message to the app (`app`) or the official account (`mp`), by a user of its own."""
    now, nonce = str(int(time.time())), f"n{number}"
    receiver, agent = (CORP_ID, f"<AgentID>{AGENT_ID}</AgentID>") if channel == "app" else ("gh_5823bf96d3bd", "")
    clear = (
        f"<xml><ToUserName><![CDATA[{receiver}]]></ToUserName><FromUserName><![CDATA[resident{number}]]></FromUserName>"
        f"<CreateTime>{now}</CreateTime><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[{text}]]></Content>"
        f"<MsgId>{_FIRST_ID + number}</MsgId>{agent}</xml>"
    )
    sealed = _SEALED.search(_CRYPTS[channel].encrypt_message(clear, nonce, now))
    assert sealed is not None
    query = urlencode({"msg_signature": sealed["signature"], "timestamp": now, "nonce": nonce})
    encrypt = f"<Encrypt><![CDATA[{sealed['encrypt']}]]></Encrypt>"
    body = f"<xml><ToUserName><![CDATA[{receiver}]]></ToUserName>{encrypt}{agent}</xml>"
    return Callback(channel, str(_FIRST_ID + number), _post(f"{channel}?{query}", "text/xml", body.encode()))


def gateway(number: int, text: str) -> Callback:
    """A signed message object to the gateway, @-ing the bot in one of twenty chats, by one of three hundred users."""
    message_id, now = f"msg_{number}", str(int(time.time()))
    body = json.dumps({"text": text, "user": f"u{number % 300}", "chat": f"g{number % 20}"}).encode()
    signed = hmac.digest(_GATEWAY_KEY, f"{message_id}.{now}.".encode() + body, hashlib.sha256)
    signature = f"v1,{base64.b64encode(signed).decode()}"
    headers = f"webhook-id: {message_id}\r\nwebhook-timestamp: {now}\r\nwebhook-signature: {signature}\r\n"
    return Callback("gateway", message_id, _post("gateway", "application/json", body, headers))


def encrypted(texts: Sequence[str], numbers: range) -> Iterator[Callback]:
    """One callback for each number, to the app and the official account in turn, with the texts again and again."""
    for number in numbers:
        yield tencent("app" if number % 2 else "mp", number, texts[number % len(texts)])


def said(channel: str, body: bytes) -> str:
    """The text in the body of a 200 response; "" for silence. Raises where it is not sealed as the platform asks."""
    if channel == "gateway":
        return str(json.loads(body)["text"])
    if body in (b"", b"success"):
        return ""
    envelope = {field.tag: field.text or "" for field in ElementTree.fromstring(body)}
    signature, timestamp, nonce = envelope["MsgSignature"], envelope["TimeStamp"], envelope["Nonce"]
    clear = _CRYPTS[channel].decrypt_message(envelope, signature, timestamp, nonce)
    return ElementTree.fromstring(clear).findtext("Content") or ""


def _post(path: str, content_type: str, body: bytes, headers: str = "") -> bytes:
    head = (
        f"POST /channels/{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {content_type}\r\n{headers}"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode("ascii") + body
