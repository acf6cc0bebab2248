"""微信公众号: XML, in clear or encrypted; the reply goes back in the response (wechat-protocol.md, section 1)."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from bot.channels.contract import Request, Response
from bot.channels.crypto import MsgCrypt, check_query
from bot.channels.passive_xml import REPLY_BYTES, XML_TYPES, envelope, inbound_of, passive_reply
from bot.channels.xml import read_xml
from bot.errors import Refused
from bot.records import Inbound, Reply

Encryption = Literal["secure", "compatible", "plain"]

_ACKNOWLEDGED = Response(b"success", "text/plain")


class WechatMp:
    """One 公众号. `encryption` None means secure where a key is set, else plain.

    Secure refuses whatever comes in clear, beside a ciphertext too; compatible reads the ciphertext and nothing beside
    it; plain knows no ciphertext, and only the query is signed."""

    __slots__ = ("_crypt", "_secure", "_token", "name")

    type = "wechat_mp"
    content_types = XML_TYPES
    reply_limit = REPLY_BYTES

    def __init__(
        self, name: str, app_id: str, token: str, encoding_aes_key: str = "", encryption: Encryption | None = None
    ) -> None:
        """Raises ValueError if the key is malformed, or missing where it is needed."""
        self.name = name
        self._token = token
        mode = encryption or ("secure" if encoding_aes_key else "plain")
        self._secure = mode == "secure"
        self._crypt = None if mode == "plain" else MsgCrypt(token, encoding_aes_key, app_id)

    def check_url(self, request: Request, now: datetime) -> bytes:
        """The echostr unchanged: here it is clear text in every mode."""
        check_query(request.query, "signature", now, self._token)
        echostr = request.query.get("echostr", "")
        if not echostr or not echostr.isascii():
            raise Refused(400, "no echostr")
        return echostr.encode("ascii")

    def open(self, request: Request, now: datetime) -> Inbound:
        """Verify, decrypt where encrypted, normalise."""
        clear = self._clear(request, now)
        return inbound_of(read_xml(clear), clear, request.query["nonce"])

    def seal(self, inbound: Inbound, reply: Reply, now: datetime) -> Response:
        """A text, or an article where the reply has a link; `success` for silence."""
        message = passive_reply(inbound, reply, now)
        if message is None:
            return _ACKNOWLEDGED
        if self._crypt is not None:
            message = envelope(self._crypt.seal(message, inbound.nonce, now))
        return Response(message, "text/xml")

    def _clear(self, request: Request, now: datetime) -> bytes:
        if self._crypt is None:
            check_query(request.query, "signature", now, self._token)
            return request.body
        fields = read_xml(request.body)
        if "MsgType" in fields and (self._secure or "Encrypt" not in fields):
            raise Refused(403, "a message in clear")
        if "Encrypt" not in fields:
            raise Refused(400, "no Encrypt")
        return self._crypt.open(request.query, fields["Encrypt"], now)
