"""One call to an OpenAI-compatible endpoint. Whatever comes back is hostile until it is a short text."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Literal

import aiohttp

from bot.errors import LvlinError

CONNECT_SECONDS = 1.0
"""How long an endpoint may take to accept a connection."""

BODY_BYTES = 16 * 1024
"""The longest response that is read."""

_ANSWER_TOKENS = 8

Failure = Literal["unreachable", "refused", "malformed"]


class ModelFailed(LvlinError):
    """An endpoint gave no answer that can be read; `how`: it cannot be reached, it refused (any status but 200), or
    what it sent is no completion."""

    def __init__(self, how: Failure) -> None:
        self.how: Failure = how
        super().__init__(how)


class ModelClient:
    """Asks one model. Connections are kept; no proxy, no redirect, no cookie, no compression."""

    def __init__(self, *, api_base: str, api_key: str | None, model: str, connections: int) -> None:
        """`api_base`: what stands before /chat/completions; `connections`: the most at a time."""
        self._address = f"{api_base}/chat/completions"
        self._model = model
        self._connections = connections
        self._headers = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "lvlin"}
        if api_key:
            self._headers["Authorization"] = f"Bearer {api_key}"
        self._session: aiohttp.ClientSession | None = None

    async def complete(self, messages: Sequence[dict[str, str]]) -> str:
        """The text a model answers with. The caller sets the deadline. Raises ModelFailed."""
        body = {
            "model": self._model,
            "messages": messages,
            "temperature": 0,
            "max_tokens": _ANSWER_TOKENS,
            "stream": False,
        }
        try:
            async with self._opened().post(self._address, json=body, allow_redirects=False) as response:
                if response.status != 200:
                    raise ModelFailed("refused")
                return _content(await _read(response))
        except (aiohttp.ClientError, OSError) as exc:
            raise ModelFailed("unreachable") from exc

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._connections),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
                headers=self._headers,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
            )
        return self._session


async def _read(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > BODY_BYTES:
            raise ModelFailed("malformed")
    return bytes(body)


def _content(body: bytes) -> str:
    try:
        told: Any = json.loads(body)
        content = told["choices"][0]["message"]["content"]
    except (ValueError, LookupError, TypeError, RecursionError) as exc:
        raise ModelFailed("malformed") from exc
    if not isinstance(content, str):
        raise ModelFailed("malformed")
    return content
