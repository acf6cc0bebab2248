"""The built-in page: message objects without a signature, answered in the response."""

from __future__ import annotations

import secrets
from datetime import datetime

from bot.channels.answer import answer_response
from bot.channels.contract import Request, Response
from bot.channels.json_body import read_json
from bot.channels.message_object import read_message
from bot.errors import Refused
from bot.records import Inbound, Reply

REPLY_BYTES = 20_480
"""The longest text in an answer object, in UTF-8 bytes."""


class Simulator:
    """The page anyone can try the bot on; nothing it sends is believed to come from anybody."""

    __slots__ = ("name",)

    type = "simulator"
    content_types = frozenset({"application/json"})
    reply_limit = REPLY_BYTES

    def __init__(self, name: str) -> None:
        self.name = name

    def check_url(self, request: Request, now: datetime) -> bytes:
        """Unused."""
        raise Refused(405, "the simulator is not checked by GET")

    def open(self, request: Request, now: datetime) -> Inbound:
        """Normalise; the message's identity is its id, or a fresh one."""
        return read_message(read_json(request.body), secrets.token_hex(16))

    def seal(self, inbound: Inbound, reply: Reply, now: datetime) -> Response:
        """The answer object; see `answer.timed` for its latency."""
        return answer_response(inbound, reply, self.reply_limit)
