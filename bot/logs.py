"""Logs on standard error: one JSON object a line, or plain lines for a person at a terminal; never a secret in them."""

from __future__ import annotations

import json as jsonlib
import logging
import math
import re
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

HIDDEN = "***"
"""Stands where a secret stood."""

LEAST_SECRET = 4
"""Configured secrets shorter than this many characters are not searched for: they occur in ordinary words."""

SHORT_CHARS, SHORT_TEXTS = 80, 1024
"""Texts up to so many characters, the names and values that come again and again, are searched once: so many of them
are remembered."""

_NAMED = r"(?:token|secret|key|ticket|password|response_code)"
_SECRET_NAME = re.compile(rf".*{_NAMED}", re.IGNORECASE)
_LOOKS_SECRET = re.compile(
    rf"""(?P<kept>{_NAMED}(?:=|%3D|['"]\s*:\s*['"]))[^&\s"'<>,;)}}\]]+"""
    r"|whsec_[A-Za-z0-9+/=_-]+"
    r"|(?<![A-Za-z0-9])[A-Za-z0-9]{43}(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_encode = jsonlib.JSONEncoder(ensure_ascii=False).encode
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class Redactor:
    """Takes secrets out of what is logged: the configured values, and what looks like a key or a token."""

    def __init__(self, secrets: Iterable[str]) -> None:
        known = sorted({secret for secret in secrets if len(secret) >= LEAST_SECRET}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None
        self._short = lru_cache(SHORT_TEXTS)(self._hidden)

    def text(self, text: str) -> str:
        """The text with every secret in it hidden."""
        return self._short(text) if len(text) <= SHORT_CHARS else self._hidden(text)

    def _hidden(self, text: str) -> str:
        if self._known:
            text = self._known.sub(HIDDEN, text)
        return _LOOKS_SECRET.sub(lambda found: (found["kept"] or "") + HIDDEN, text)

    def value(self, value: object, name: str = "") -> Any:
        """An extra as JSON can hold it, with every secret in it hidden; `name` is the key it stands under."""
        if value is None or isinstance(value, bool):
            return value
        if name and _is_secret_name(name) and not isinstance(value, Mapping):
            return HIDDEN
        if isinstance(value, int):
            return value
        if isinstance(value, float):
            return value if math.isfinite(value) else str(value)
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.value(inner, str(key)) for key, inner in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.value(inner) for inner in value]
        if isinstance(value, bytes):
            return f"{len(value)} bytes"
        return self.text(str(value))

    def extras(self, record: logging.LogRecord) -> dict[str, Any]:
        """What was logged beside the sentence."""
        return {key: self.value(value, key) for key, value in vars(record).items() if key not in _NOT_EXTRA}


_NOT_EXTRA = frozenset({*RESERVED_ATTRS, "taskName"})


class _JsonLines(JsonFormatter):
    """time, level, logger, message, the extras, and exception or stack where there is one."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        """The line. Most have neither exception nor stack and need none of what the library prepares for them."""
        if record.exc_info or record.exc_text or record.stack_info:
            return super().format(record)
        log_data: dict[str, Any] = {}
        self.add_fields(log_data, record, {})
        return self.serialize_log_record(log_data)

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        log_data["time"] = moment.replace("+00:00", "Z")
        log_data["level"] = record.levelname
        log_data["logger"] = record.name
        log_data["message"] = self._redactor.text(record.getMessage())
        for key, value in self._redactor.extras(record).items():
            log_data[f"extra_{key}" if key in log_data else key] = value
        for key, field in (("exc_info", "exception"), ("stack_info", "stack")):
            if text := message_dict.get(key):
                log_data[field] = self._redactor.text(text)

    def serialize_log_record(self, log_data: dict[str, Any]) -> str:
        # JSON leaves these as they are, but some readers end a line at them and some terminals obey them.
        return _CONTROLS.sub(_escaped, _encode(log_data))


class _PlainLines(logging.Formatter):
    """Local time, level, room, sentence, extras; a traceback on lines of its own."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created).strftime("%H:%M:%S")
        extras = (f"{key}={value}" for key, value in self._redactor.extras(record).items())
        sentence = self._redactor.text(record.getMessage())
        head = " ".join((moment, f"{record.levelname:<7}", record.name, sentence, *extras))
        tail = [self.formatException(record.exc_info)] if record.exc_info else []
        tail += [record.stack_info] if record.stack_info else []
        lines = [head, *(line for text in tail for line in self._redactor.text(text).split("\n"))]
        return "\n".join(_CONTROLS.sub(_escaped, line) for line in lines)


class _Stderr(logging.StreamHandler[Any]):
    """Standard error; a record that cannot be formatted is told without its content, which might hold a secret."""

    def handleError(self, record: logging.LogRecord) -> None:
        where = f"{record.module}:{record.lineno}"
        told = {"level": "ERROR", "logger": record.name, "message": "a log record cannot be written", "where": where}
        with suppress(OSError):  # standard error itself is gone: nobody is left to be told
            self.stream.write(jsonlib.dumps(told) + "\n")


@lru_cache(256)
def _is_secret_name(name: str) -> bool:
    return _SECRET_NAME.fullmatch(name) is not None


def configure(level: str, json: bool, secrets: Iterable[str]) -> None:
    """Send every log of `level` and above, and Python's warnings, to standard error: JSON lines, or plain for a person.

    `secrets` are the values that must never appear. Calling it again replaces what was configured before.
    """
    redactor = Redactor(secrets)
    handler = _Stderr(sys.stderr)
    handler.setFormatter(_JsonLines(redactor) if json else _PlainLines(redactor))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(True)


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"
