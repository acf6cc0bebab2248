"""Any other gateway: message objects signed as in the Standard Webhooks specification, answered in the response."""

from __future__ import annotations

import hmac
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from standardwebhooks.webhooks import EmptyWebhookSecretError
from standardwebhooks.webhooks import Webhook as Signer

from bot.channels.answer import answer_response
from bot.channels.contract import Request, Response
from bot.channels.crypto import check_fresh
from bot.channels.fields import ID_CHARS
from bot.channels.json_body import read_json, write_json
from bot.channels.message_object import read_message
from bot.errors import Refused
from bot.records import Delivery, Inbound, Reply

REPLY_BYTES = 20_480
"""The longest text in an answer object, in UTF-8 bytes."""


class Webhook:
    """One gateway. `secret` is `whsec_` and base64, shared with it."""

    __slots__ = ("_signer", "name")

    type = "webhook"
    content_types = frozenset({"application/json"})
    reply_limit = REPLY_BYTES

    def __init__(self, name: str, secret: str) -> None:
        """Raises ValueError if the secret is empty or not base64."""
        self.name = name
        self._signer = _signer(secret)

    def check_url(self, request: Request, now: datetime) -> bytes:
        """Unused: gateways are configured by hand."""
        raise Refused(405, "a webhook is not checked by GET")

    def open(self, request: Request, now: datetime) -> Inbound:
        """Verify and normalise; the message's identity is its `webhook-id`."""
        message_id = self._verified_id(request, now)
        return replace(read_message(read_json(request.body), message_id), message_id=message_id)

    def seal(self, inbound: Inbound, reply: Reply, now: datetime) -> Response:
        """The answer object; see `answer.timed` for its latency."""
        return answer_response(inbound, reply, self.reply_limit)

    def sign(self, message_id: str, body: bytes, now: datetime) -> dict[str, str]:
        """The headers of a delivery: its id (an idempotency key, the same on each retry), the time, the signature."""
        return {
            "content-type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._signature(message_id, int(now.timestamp()), body),
        }

    def _verified_id(self, request: Request, now: datetime) -> str:
        message_id = request.headers.get("webhook-id", "")
        timestamp = check_fresh(request.headers.get("webhook-timestamp", ""), now)
        if not message_id:
            raise Refused(403, "signature: its webhook-id is missing")
        if len(message_id) > ID_CHARS or not (message_id.isascii() and message_id.isprintable()):
            raise Refused(400, "the webhook-id is too long or not printable ASCII")
        self._check(request.headers.get("webhook-signature", ""), message_id, timestamp, request.body)
        return message_id

    def _check(self, given: str, message_id: str, timestamp: int, body: bytes) -> None:
        # The library's own verify asks the wall clock and lets malformed signatures escape as ValueError.
        expected = self._signature(message_id, timestamp, body).encode("ascii")
        versioned = (signature.encode("utf-8", "surrogatepass") for signature in given.split(" "))
        if not any(hmac.compare_digest(signature, expected) for signature in versioned):
            raise Refused(403, "signature: it is wrong")

    def _signature(self, message_id: str, timestamp: int, body: bytes) -> str:
        try:
            text = body.decode("utf-8")
        except UnicodeDecodeError as exc:
            raise Refused(400, "the body is not UTF-8") from exc
        signature: str = self._signer.sign(message_id, datetime.fromtimestamp(timestamp, UTC), text)
        return signature


def delivery_body(delivery: Delivery, chat: str | None, user: str | None) -> bytes:
    """The body POSTed to `deliver_url`; `chat` and `user` are the gateway's own ids, opened from the address."""
    content: dict[str, Any] = {
        "type": "delivery",
        "delivery_id": delivery.delivery_id,
        "broadcast_id": delivery.broadcast_id,
        "chat": chat,
        "user": user,
        "text": delivery.text,
        "options": list(delivery.options),
        "link": delivery.link,
    }
    return write_json(content)


def _signer(secret: str) -> Signer:
    try:
        return Signer(secret)
    except (ValueError, EmptyWebhookSecretError) as exc:
        raise ValueError("secret is not whsec_ and base64") from exc
