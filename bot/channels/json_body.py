"""Strict JSON: one object in UTF-8, every string of it storable, its fields of the type we expect."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NoReturn

from bot.channels.fields import identifier
from bot.errors import Refused

_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")


def read_json(body: bytes) -> dict[str, Any]:
    """The JSON object in `body`. Raises Refused(400) for anything else: other shapes, other encodings than UTF-8,
    NaN, halves of surrogate pairs, numbers and nesting beyond what Python reads."""
    try:
        text = body.decode("utf-8")
        value = json.loads(text, parse_constant=_no_constant)
        if _SURROGATE_ESCAPE.search(text):
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as exc:
        raise Refused(400, f"the body is not JSON: {type(exc).__name__}") from exc
    return _object(value)


def write_json(value: Mapping[str, Any]) -> bytes:
    """Compact UTF-8 without escapes: WeCom refuses some of them."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def string(given: Mapping[str, Any], key: str) -> str:
    """The string under `key`; "" if it is absent or null. Raises Refused(400) for another type."""
    value = given.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Refused(400, f"{key} is not a string")
    return value


def id_string(given: Mapping[str, Any], key: str) -> str:
    """The id under `key`; "" if it is absent or null. Raises Refused(400) for what cannot be one."""
    return identifier(string(given, key))


def mapping(given: Mapping[str, Any], key: str) -> dict[str, Any]:
    """The object under `key`; empty if it is absent or null. Raises Refused(400) for another type."""
    value = given.get(key)
    return {} if value is None else _object(value)


def number(given: Mapping[str, Any], key: str) -> float | None:
    """The number under `key`; None if it is absent or null. Raises Refused(400) for another type."""
    value = given.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Refused(400, f"{key} is not a number")
    return value


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Refused(400, "not a JSON object where one belongs")
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
