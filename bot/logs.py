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
"""Texts up to so many characters, the names and values that come again and again, are searched and quoted once: so many
of them are remembered."""

_KEY_CHARS = 43
_NAMED = r"(?:token|secret|key|ticket|password|response_code)"
_SECRET_NAME = re.compile(rf".*{_NAMED}", re.IGNORECASE)
_LOOKS_SECRET = re.compile(
    rf"""(?P<kept>{_NAMED}(?:=|%3D|['"]\s*:\s*['"]))[^&\s"'<>,;)}}\]]+"""
    r"|whsec_[A-Za-z0-9+/=_-]+"
    rf"|(?<![A-Za-z0-9])[A-Za-z0-9]{{{_KEY_CHARS}}}(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_encode = jsonlib.JSONEncoder(ensure_ascii=False).encode
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class Redactor:
    """Takes secrets out of what is logged: the configured values, and what looks like a key or a token."""

    def __init__(self, secrets: Iterable[str]) -> None:
        known = sorted({secret for secret in secrets if len(secret) >= LEAST_SECRET}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def text(self, text: str) -> str:
        """The text with every secret in it hidden."""
        if self._known:
            text = self._known.sub(HIDDEN, text)
        if len(text) < _KEY_CHARS and text.isalnum():
            return text  # too short for a key, and without a sign to follow a name
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
_HEAD = frozenset(("time", "level", "logger", "message"))


class _JsonLines(JsonFormatter):
    """time, level, logger, message, the extras, and exception or stack where there is one."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor
        self._short = lru_cache(SHORT_TEXTS)(self._quoted)
        self._name = lru_cache(SHORT_TEXTS)(self._key)

    def format(self, record: logging.LogRecord) -> str:
        """The line. Most have neither exception nor stack, and are written without what the library would prepare."""
        if record.exc_info or record.exc_text or record.stack_info:
            return super().format(record)
        level, name, message = map(self._text, (record.levelname, record.name, record.getMessage()))
        fields = [f'{{"time": "{_moment(record)}", "level": {level}, "logger": {name}, "message": {message}']
        for key, value in vars(record).items():
            if key not in _NOT_EXTRA:
                fields.append(self._name(key) + self._value(value, key))
        return ", ".join(fields) + "}"

    def _key(self, key: str) -> str:
        return self._quoted(f"extra_{key}" if key in _HEAD else key) + ": "

    def _value(self, value: object, key: str) -> str:
        if value is None:
            return "null"
        if not _is_secret_name(key):
            if type(value) is str:
                return self._text(value)
            if type(value) is float and math.isfinite(value):
                return repr(value)
        return _CONTROLS.sub(_escaped, _encode(self._redactor.value(value, key)))

    def _text(self, text: str) -> str:
        return self._short(text) if len(text) <= SHORT_CHARS else self._quoted(text)

    def _quoted(self, text: str) -> str:
        # JSON leaves controls above 31 as they are, but some readers end a line at them and some terminals obey them.
        return _CONTROLS.sub(_escaped, _encode(self._redactor.text(text)))

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        log_data["time"] = _moment(record)
        log_data["level"] = record.levelname
        log_data["logger"] = record.name
        log_data["message"] = self._redactor.text(record.getMessage())
        for key, value in self._redactor.extras(record).items():
            log_data[f"extra_{key}" if key in log_data else key] = value
        for key, field in (("exc_info", "exception"), ("stack_info", "stack")):
            if text := message_dict.get(key):
                log_data[field] = self._redactor.text(text)

    def serialize_log_record(self, log_data: dict[str, Any]) -> str:
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


def _moment(record: logging.LogRecord) -> str:
    """When it was logged: ISO 8601 to the millisecond, UTC."""
    second, milliseconds = divmod(int(record.created * 1000), 1000)
    return f"{_second(second)}.{milliseconds:03d}Z"


@lru_cache(1)
def _second(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")


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
