"""Tencent's side, played by wechatpy: an independent implementation of the same protocol."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import xmltodict
from wechatpy.crypto import WeChatCrypto

from bot.channels.contract import Request, Response

TOKEN = "ShequTok3n2026"
KEY = "LDuXK2sFiqxPVQQmNWhzXkGBr8BxYSEUvqMSa6JHHFk"
NOW = datetime(2026, 9, 1, 0, 0, tzinfo=UTC)


class Tencent:
    """A platform that calls us back and reads what we answer."""

    token = TOKEN
    key = KEY
    now = NOW
    timestamp = str(int(NOW.timestamp()))
    nonce = "n0nce"

    def __init__(self, receiveid: str) -> None:
        self.crypto = WeChatCrypto(TOKEN, KEY, receiveid)

    def query(self, **given: str) -> dict[str, str]:
        return {"timestamp": self.timestamp, "nonce": self.nonce, **given}

    def sealed(self, clear: str) -> tuple[dict[str, str], str]:
        """The query and the ciphertext of a callback."""
        envelope = xmltodict.parse(self.crypto.encrypt_message(clear, self.nonce, self.timestamp))["xml"]
        return self.query(msg_signature=envelope["MsgSignature"]), envelope["Encrypt"]

    def xml_post(self, clear: str, beside: str = "") -> Request:
        query, encrypt = self.sealed(clear)
        body = f"<xml><ToUserName>x</ToUserName>{beside}<Encrypt><![CDATA[{encrypt}]]></Encrypt></xml>"
        return Request({}, query, body.encode())

    def json_post(self, given: Any) -> Request:
        query, encrypt = self.sealed(given if isinstance(given, str) else json.dumps(given, ensure_ascii=False))
        return Request({}, query, json.dumps({"encrypt": encrypt}).encode())

    def read_xml(self, response: Response) -> dict[str, Any]:
        """The clear message of an encrypted XML reply, its signature checked."""
        assert response.content_type == "text/xml"
        outer = xmltodict.parse(response.body)["xml"]
        assert outer["Nonce"] == self.nonce
        clear = self.crypto.decrypt_message(
            response.body.decode(), outer["MsgSignature"], outer["TimeStamp"], outer["Nonce"]
        )
        return dict(xmltodict.parse(clear)["xml"])

    def read_json(self, response: Response) -> dict[str, Any]:
        """The clear message of an encrypted JSON reply, its signature checked."""
        assert response.content_type == "application/json"
        outer = json.loads(response.body)
        assert set(outer) == {"encrypt", "msgsignature", "timestamp", "nonce"}
        assert type(outer["timestamp"]) is int
        assert outer["nonce"] == self.nonce
        envelope = xmltodict.unparse({"xml": {"Encrypt": outer["encrypt"], "ToUserName": ""}})
        clear = self.crypto.decrypt_message(envelope, outer["msgsignature"], str(outer["timestamp"]), outer["nonce"])
        return dict(json.loads(clear))


@pytest.fixture
def tencent() -> type[Tencent]:
    return Tencent
