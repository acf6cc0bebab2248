"""What a channel is: a pair of pure functions between a platform's bytes and our records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.records import Inbound, Reply

STALE_SECONDS = 300
"""A signed timestamp further than this from our clock, either way, is refused with 403."""


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request as the door read it. Header names are lower-case; query values are decoded once, the last
    of a repeated parameter is refused by the door. `body` is at most 64 KiB."""

    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Response:
    """The body of a 200 response."""

    body: bytes
    content_type: str


class Channel(Protocol):
    """One configured way to talk."""

    @property
    def name(self) -> str:
        """Its name in config.yaml."""

    @property
    def type(self) -> str:
        """Its channel type: wechat_mp, wecom_app, wecom_aibot, webhook, simulator."""

    @property
    def content_types(self) -> frozenset[str]:
        """Media types accepted in a POST (an absent header is always accepted); others are refused with 415."""

    @property
    def reply_limit(self) -> int:
        """The longest reply text, in UTF-8 bytes."""

    def check_url(self, request: Request, now: datetime) -> bytes:
        """Answer the platform's URL check (GET). Raises Refused: 403 forged or stale, 400 malformed, 405 unused."""

    def open(self, request: Request, now: datetime) -> Inbound:
        """Verify, decrypt, normalise one POST. Raises Refused: 403 forged, stale or foreign, 400 malformed."""

    def seal(self, inbound: Inbound, reply: Reply, now: datetime) -> Response:
        """The response that carries the reply (or, for a silent one, the platform's empty acknowledgement).

        The text is cut below `reply_limit` at a sentence, never inside a character. For inbound.kind `refresh`
        the reply is that of the turn asked for."""
