"""HTTP as the platforms speak it to us: one whole POST to a channel, in one piece and in plain characters.

A general library takes several times as long to read such a request and to write its answer. What is read here means
the same to it; anything else is None here and left to it: other methods and paths, bodies that are packed, cut into
chunks or not all there yet, repeated headers, escapes, characters beyond ASCII.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import NamedTuple

from bot.channels.contract import Request

HEAD_BYTES = 8 * 1024
"""The longest request line and headers read here."""

BODY_BYTES = 64 * 1024
"""The largest body accepted, also after unpacking."""

_PAIR = rb"[A-Za-z0-9_-]++=[A-Za-z0-9_.~-]*+"
_REQUEST_LINE = re.compile(
    rb"POST /channels/([A-Za-z0-9_-]++)(?:\?(" + _PAIR + rb"(?:&" + _PAIR + rb")*+))?+ HTTP/1\.([01])\r\n"
)
_HEADERS = re.compile(rb"(?:[A-Za-z0-9_-]++: ?+[!-~][ -~]*+(?<! )\r\n)++")
_PAIRS = re.compile("([^=&]+)=([^&]*)")
_NOT_PLAIN = frozenset(("transfer-encoding", "content-encoding", "expect", "upgrade"))
_STAYS = {
    (b"1", ""): True, (b"1", "keep-alive"): True, (b"1", "close"): False, (b"0", ""): False, (b"0", "close"): False,
}  # fmt: skip
"""The minor version and the header Connection → whether the connection is for further requests."""
_PHRASES = {status.value: status.phrase for status in HTTPStatus}


class Callback(NamedTuple):
    """A request to the channel `name`; `stays`: whether its connection is for further ones."""

    name: str
    request: Request
    stays: bool


class Answer(NamedTuple):
    """What goes back: a 200 and its body, or a refusal by its status alone."""

    status: int
    body: bytes = b""
    content_type: str = ""


def read(data: bytes) -> Callback | None:
    """The callback these bytes are, no more and no less; None for whatever is not plain."""
    line = _REQUEST_LINE.match(data)
    if line is None:
        return None
    end = data.find(b"\r\n\r\n", line.end()) + 2
    if not line.end() < end <= HEAD_BYTES:
        return None
    headers = _headers(data[line.end() : end])
    body = data[end + 2 :]
    if headers is None or headers.get("content-length") != str(len(body)) or len(body) > BODY_BYTES:
        return None
    name, pairs, minor = line.groups(b"")
    query = dict(_PAIRS.findall(pairs.decode("ascii")))
    stays = _STAYS.get((minor, headers.get("connection", "").lower()))
    if len(query) != pairs.count(b"=") or stays is None:  # one stands twice
        return None
    return Callback(name.decode("ascii"), Request(headers, query, body), stays)


def written(answer: Answer, *, stays: bool) -> bytes:
    """The bytes of an answer; unless the connection stays, they tell that it ends."""
    kind = f"Content-Type: {answer.content_type}\r\n" if answer.content_type else ""
    end = "" if stays else "Connection: close\r\n"
    head = (
        f"HTTP/1.1 {answer.status} {_PHRASES[answer.status]}\r\nDate: {_date(int(time.time()))}\r\n"
        f"{kind}Content-Length: {len(answer.body)}\r\n{end}\r\n"
    )
    return head.encode("ascii") + answer.body


@lru_cache(maxsize=256)
def _headers(lines: bytes) -> Mapping[str, str] | None:
    """Lower-case name → value; None where one stands twice, where Host is missing, and where there is more to the body
    than its bytes.

    Remembered, since those of a platform are the same again and again; so nobody may change what is returned."""
    if not _HEADERS.fullmatch(lines):
        return None
    given = [line.partition(":") for line in lines.decode("ascii").split("\r\n")[:-1]]
    headers = {name.lower(): value.lstrip(" ") for name, _, value in given}
    plain = len(headers) == len(given) and "host" in headers and _NOT_PLAIN.isdisjoint(headers)
    return headers if plain else None


@lru_cache(maxsize=1)
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)
