"""企业微信自建应用: encrypted XML; the reply goes back encrypted in the response (wechat-protocol.md, section 2)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from bot.channels.contract import Request, Response
from bot.channels.crypto import MsgCrypt
from bot.channels.passive_xml import REPLY_BYTES, XML_TYPES, envelope, inbound_of, passive_reply
from bot.channels.xml import read_xml
from bot.errors import Refused
from bot.records import Inbound, Reply

_ACKNOWLEDGED = Response(b"", "text/plain")


class WecomApp:
    """One 自建应用; members write to it in private. `agent_id` None accepts every app of the corp that has its key."""

    __slots__ = ("_agent_id", "_crypt", "name")

    type = "wecom_app"
    content_types = XML_TYPES
    reply_limit = REPLY_BYTES

    def __init__(self, name: str, corp_id: str, agent_id: int | None, token: str, encoding_aes_key: str) -> None:
        """Raises ValueError if the key is malformed."""
        self.name = name
        self._agent_id = None if agent_id is None else str(agent_id)
        self._crypt = MsgCrypt(token, encoding_aes_key, corp_id)

    def check_url(self, request: Request, now: datetime) -> bytes:
        """The decrypted echostr."""
        return self._crypt.check_url(request.query, now)

    def open(self, request: Request, now: datetime) -> Inbound:
        """Verify, decrypt, normalise."""
        fields = read_xml(request.body)
        if "Encrypt" not in fields:
            raise Refused(400, "no Encrypt")
        clear = self._crypt.open(request.query, fields["Encrypt"], now)
        message = read_xml(clear)
        self._check_agent(fields)
        self._check_agent(message)
        return inbound_of(message, clear, request.query["nonce"])

    def seal(self, inbound: Inbound, reply: Reply, now: datetime) -> Response:
        """A text, or an article where the reply has a link; an empty body for silence."""
        message = passive_reply(inbound, reply, now)
        if message is None:
            return _ACKNOWLEDGED
        return Response(envelope(self._crypt.seal(message, inbound.nonce, now)), "text/xml")

    def _check_agent(self, fields: Mapping[str, str]) -> None:
        agent_id = fields.get("AgentID")
        if self._agent_id and agent_id and agent_id != self._agent_id:
            raise Refused(403, "meant for another app")
