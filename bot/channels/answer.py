"""The answer object of the outside contract: of `lvlin ask`, the webhook channel and the simulator."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bot.channels.contract import Response
from bot.channels.cut import cut
from bot.channels.json_body import write_json
from bot.records import Inbound, Reply

_LATENCY = "latency_ms"


def answer_object(inbound: Inbound, reply: Reply, latency_ms: float) -> dict[str, Any]:
    """What the contract promises, no more and no less: `text` is empty when silent, `to` null for a nameless user."""
    silent = reply.action == "silent"
    return {
        "id": inbound.echo.get("id", inbound.message_id),
        "to": inbound.sender or None,
        "action": reply.action,
        "topic": reply.topic,
        "entry": reply.entry,
        "items": [
            {"name": item.name, "category": item.category, "label": item.label, "inferred": item.inferred}
            for item in reply.items
        ],
        "options": [
            {"label": option.label, "topic": option.topic, "category": option.category} for option in reply.options
        ],
        "record": None if reply.record is None else dict(reply.record),
        "text": "" if silent else reply.text,
        "reason": reply.reason,
        "score": reply.score,
        "latency_ms": round(latency_ms, 3),
    }


def timed(inbound: Inbound, latency_ms: float) -> Inbound:
    """The inbound with the turn's latency in `echo`, where `answer_response` looks for it: call it before `seal`."""
    return replace(inbound, echo={**inbound.echo, _LATENCY: repr(latency_ms)})


def answer_response(inbound: Inbound, reply: Reply, limit: int) -> Response:
    """The answer object as a JSON response, its text cut to `limit` bytes; latency 0 if the inbound is not `timed`."""
    short = replace(reply, text=cut(reply.text, limit))
    latency_ms = float(inbound.echo.get(_LATENCY, "0"))
    return Response(write_json(answer_object(inbound, short, latency_ms)), "application/json")
