"""The simulator: a WeChat-like page at `/` where anyone can try the bot as a resident in a group.

The page talks to the simulator channel like any other gateway; here is only what it needs besides: its files, the
explanation of one text, and the messages the bot sent by itself.
"""

from __future__ import annotations

import hashlib
import html
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

from aiohttp import web

Understand = Callable[[str], dict[str, Any]]
"""A text → how it was understood: folded, rule, kind, score, candidates, thresholds, question_likelihood."""

Deliveries = Callable[[str, str | None], list[dict[str, Any]]]
"""A user and a chat (None: their private chat) → what the bot sent there, each with `delivery_id` and `text`."""

EXPLAINED_CHARS = 2_000
"""The longest text explained, in characters; the page sends none longer."""
EXPLAIN_BYTES = 64 * 1024

_STATIC = Path(__file__).parent / "static"
_FILES = {"simulator.css": "text/css", "simulator.js": "text/javascript", "simulator.svg": "image/svg+xml"}
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    )
)
_SAFE = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
_PAGE_HEADERS = {
    **_SAFE,
    "Cache-Control": "no-store",
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_DATA_HEADERS = {**_SAFE, "Cache-Control": "no-store"}
_FILE_HEADERS = {**_SAFE, "Cache-Control": "public, max-age=31536000, immutable"}


def add_routes(
    app: web.Application,
    *,
    channel: str | None,
    bot_name: str,
    site_name: str,
    understand: Understand,
    deliveries: Deliveries,
) -> None:
    """Serve the simulator of `channel` at `/`; with no such channel, a page that says it is off."""
    files = {f"{_hashed(name)}": (name, (_STATIC / name).read_bytes()) for name in _FILES}
    app.router.add_get("/simulator/static/{name}", _file_server(files))
    template = "simulator.html" if channel else "off.html"
    page = _render(template, channel=channel or "", bot=bot_name, site=site_name)
    app.router.add_get("/", _page_server(page))
    if channel:
        desk = _Desk(understand, deliveries)
        app.router.add_post("/simulator/explain", desk.explain)
        app.router.add_get("/simulator/deliveries", desk.waiting)


@dataclass(frozen=True, slots=True)
class _Desk:
    """What the page asks for besides the channel."""

    understand: Understand
    deliveries: Deliveries

    async def explain(self, request: web.Request) -> web.Response:
        """How one text is understood by itself, without what was said before it."""
        return _json(self.understand(await _text_of(request)))

    async def waiting(self, request: web.Request) -> web.Response:
        """What the bot sent by itself to `user`, in `chat` or in private; the page knows repeats by `delivery_id`."""
        user = request.query.get("user")
        if not user:
            raise web.HTTPBadRequest
        return _json(self.deliveries(user, request.query.get("chat") or None))


async def _text_of(request: web.Request) -> str:
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType
    body = await request.read()
    if len(body) > EXPLAIN_BYTES:
        raise web.HTTPRequestEntityTooLarge(max_size=EXPLAIN_BYTES, actual_size=len(body))
    try:
        given = json.loads(body)
        text = given["text"] if isinstance(given, dict) else None
        if not isinstance(text, str):
            raise web.HTTPBadRequest
        text.encode()  # halves of surrogate pairs are no text
    except (ValueError, RecursionError, KeyError) as exc:
        raise web.HTTPBadRequest from exc
    if len(text) > EXPLAINED_CHARS:
        raise web.HTTPRequestEntityTooLarge(max_size=EXPLAINED_CHARS, actual_size=len(text))
    return text


def _json(value: Any) -> web.Response:
    return web.json_response(value, headers=_DATA_HEADERS)


def _hashed(name: str) -> str:
    """simulator.css → simulator.0123456789ab.css: a changed file has a new address, so it may be cached for ever."""
    stem, suffix = name.split(".")
    return f"{stem}.{hashlib.sha256((_STATIC / name).read_bytes()).hexdigest()[:12]}.{suffix}"


def _render(template: str, **words: str) -> bytes:
    addresses = {name.replace(".", "_"): f"simulator/static/{_hashed(name)}" for name in _FILES}
    escaped = {key: html.escape(word) for key, word in words.items()}
    return Template((_STATIC / template).read_text("utf-8")).substitute(addresses, **escaped).encode()


def _page_server(page: bytes) -> Callable[[web.Request], Any]:
    async def serve_page(request: web.Request) -> web.Response:
        response = web.Response(body=page, content_type="text/html", charset="utf-8", headers=_PAGE_HEADERS)
        response.enable_compression()
        return response

    return serve_page


def _file_server(files: dict[str, tuple[str, bytes]]) -> Callable[[web.Request], Any]:
    async def serve_file(request: web.Request) -> web.Response:
        found = files.get(request.match_info["name"])
        if found is None:
            raise web.HTTPNotFound
        name, body = found
        response = web.Response(body=body, content_type=_FILES[name], charset="utf-8", headers=_FILE_HEADERS)
        response.enable_compression()
        return response

    return serve_file
