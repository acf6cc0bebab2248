"""Callbacks read without a library: what is plain, what is not, and that aiohttp would read the same."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import pytest
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http import HttpRequestParser
from hypothesis import example, given
from hypothesis import strategies as st
from yarl import URL

from bot.plain_http import BODY_BYTES, HEAD_BYTES, Answer, read, written

LINE = b"POST /channels/app?msg_signature=0a&timestamp=1790000000&nonce=n.1~_- HTTP/1.1\r\n"
BODY = b"<xml>\xe7\xbb\xbf</xml>"


def request(line: bytes = LINE, *headers: bytes, body: bytes = BODY, length: int | None = None) -> bytes:
    """A callback; `length`: another than the body's."""
    counted = b"Content-Length: %d" % (len(body) if length is None else length)
    return line + b"\r\n".join((b"Host: bot.example:8080", *headers, counted)) + b"\r\n\r\n" + body


def test_a_callback_is_read() -> None:
    found = read(request(LINE, b"Content-Type: text/xml; charset=utf-8", b"User-Agent: Mozilla/4.0"))
    assert found is not None
    assert (found.name, found.stays) == ("app", True)
    assert found.request.query == {"msg_signature": "0a", "timestamp": "1790000000", "nonce": "n.1~_-"}
    assert found.request.headers == {
        "host": "bot.example:8080",
        "content-type": "text/xml; charset=utf-8",
        "user-agent": "Mozilla/4.0",
        "content-length": str(len(BODY)),
    }
    assert found.request.body == BODY


@pytest.mark.parametrize(
    ("version", "connection", "stays"),
    [
        pytest.param(b"1.1", None, True, id="stays-by-itself"),
        pytest.param(b"1.1", b"Keep-Alive", True, id="stays-by-wish"),
        pytest.param(b"1.1", b"Close", False, id="ends-by-wish"),
        pytest.param(b"1.0", None, False, id="old-ends-by-itself"),
        pytest.param(b"1.0", b"close", False, id="old-ends-by-wish"),
    ],
)
def test_whether_the_connection_stays(version: bytes, connection: bytes | None, stays: bool) -> None:
    headers = [] if connection is None else [b"Connection: " + connection]
    found = read(request(b"POST /channels/gateway HTTP/%s\r\n" % version, *headers))
    assert found is not None
    assert found.stays is stays


NOT_PLAIN = {
    "nothing": b"",
    "get": request(LINE.replace(b"POST", b"GET")),
    "another-path": request(b"POST /channel/app HTTP/1.1\r\n"),
    "deeper-path": request(b"POST /channels/app/x HTTP/1.1\r\n"),
    "escaped-path": request(b"POST /channels/%61pp HTTP/1.1\r\n"),
    "no-name": request(b"POST /channels/ HTTP/1.1\r\n"),
    "absolute-target": request(b"POST http://h/channels/app HTTP/1.1\r\n"),
    "fragment": request(b"POST /channels/app#x HTTP/1.1\r\n"),
    "two-spaces": request(b"POST  /channels/app HTTP/1.1\r\n"),
    "line-feed-only": request(LINE.replace(b"\r\n", b"\n")),
    "version-2": request(LINE.replace(b"1.1", b"2.0")),
    "escaped-query": request(LINE.replace(b"0a", b"%30a")),
    "plus-in-query": request(LINE.replace(b"0a", b"0+a")),
    "empty-query": request(b"POST /channels/app? HTTP/1.1\r\n"),
    "parameter-without-value": request(b"POST /channels/app?a HTTP/1.1\r\n"),
    "parameter-twice": request(b"POST /channels/app?a=1&b=2&a=1 HTTP/1.1\r\n"),
    "empty-parameter": request(b"POST /channels/app?a=1&&b=2 HTTP/1.1\r\n"),
    "trailing-ampersand": request(b"POST /channels/app?a=1& HTTP/1.1\r\n"),
    "header-twice": request(LINE, b"X-A: 1", b"x-a: 1"),
    "length-twice": request(LINE, b"Content-Length: %d" % len(BODY)),
    "folded-header": request(LINE, b"X-A: 1", b" more"),
    "space-before-colon": request(LINE, b"X-A : 1"),
    "empty-header": request(LINE, b"X-A:"),
    "trailing-space": request(LINE, b"X-A: 1 "),
    "tab-in-header": request(LINE, b"X-A: 1\t2"),
    "nul-in-header": request(LINE, b"X-A: 1\0"),
    "line-feed-in-header": request(LINE, b"X-A: 1\nX-B: 2"),
    "non-ascii-header": request(LINE, "X-A: 绿".encode()),
    "chunked": request(LINE, b"Transfer-Encoding: chunked"),
    "packed": request(LINE, b"Content-Encoding: gzip"),
    "expect": request(LINE, b"Expect: 100-continue"),
    "upgrade": request(LINE, b"Upgrade: h2c"),
    "odd-connection": request(LINE, b"Connection: keep-alive, upgrade"),
    "old-that-would-stay": request(LINE.replace(b"1.1", b"1.0"), b"Connection: keep-alive"),
    "no-length": LINE + b"Host: h\r\n\r\n",
    "no-host": request().replace(b"Host", b"Hose"),
    "no-headers": LINE + b"\r\n",
    "body-not-all-there": request(length=len(BODY) + 1),
    "more-than-the-body": request(length=len(BODY) - 1),
    "odd-length": request().replace(b"Content-Length: ", b"Content-Length: 0"),
    "signed-length": request().replace(b"Content-Length: ", b"Content-Length: +"),
    "head-not-all-there": LINE + b"Host: h\r\n",
    "long-head": request(LINE, b"X-A: " + b"a" * HEAD_BYTES),
    "large-body": request(body=b"x" * (BODY_BYTES + 1)),
}


@pytest.mark.parametrize("data", [pytest.param(data, id=name) for name, data in NOT_PLAIN.items()])
def test_anything_else_is_left_to_others(data: bytes) -> None:
    assert read(data) is None


def test_the_largest_body_is_read() -> None:
    assert read(request(body=b"x" * BODY_BYTES)) is not None


@dataclass
class _Read:
    """What aiohttp makes of the bytes."""

    name: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    stays: bool


def aiohttp_reads(data: bytes) -> _Read:
    """By the parser aiohttp's server uses; exactly one whole message must come of it."""
    loop = asyncio.new_event_loop()
    try:
        parser = HttpRequestParser(BaseProtocol(loop), loop, 2**17, max_line_size=8190, max_field_size=8190)
        [(message, payload)], upgraded, tail = parser.feed_data(data)
        assert not upgraded
        assert not tail
        assert message.method == "POST"
        body = payload.read_nowait()
        url = URL.build(path=message.url.path, query_string=message.url.raw_query_string, encoded=True)
        assert len(set(url.query)) == len(url.query)
        assert len(set(message.headers)) == len(message.headers)
        head, _, name = url.path.rpartition("/")
        assert head == "/channels"
        headers = {key.lower(): value for key, value in message.headers.items()}
        return _Read(name, dict(url.query), headers, body, not message.should_close)
    finally:
        loop.close()


TOKENS = st.sampled_from(["a", "A1", "msg_signature", "x-y", "n.1~", "%41", "", "+", "绿", " "])
HEADERS = st.sampled_from(
    [
        "Content-Type: text/xml", "content-type:application/json", "Connection: close", "Connection: keep-alive",
        "X-A: a b", "X-A:  b", "X_B: ;,:\"'", "Transfer-Encoding: chunked", "webhook-signature: v1,AAA=",
        "X-C: \t1", "X-D:",
        "Host: h", "Host: h:80", "host: [::1]:x", "Host: user@h/", "Host: \\",
        "Accept: */*", "User-Agent: Mozilla/4.0", "Content-Length: 3", ": 1", "绿: 1", "X-E: 绿",
    ]
)  # fmt: skip


@st.composite
def nearly_plain(draw: st.DrawFn) -> bytes:
    """Requests that are plain, or that miss it by little."""
    pairs = "&".join(f"{draw(TOKENS)}={draw(TOKENS)}" for _ in range(draw(st.integers(0, 3))))
    line = f"POST /channels/{draw(TOKENS)}{'?' + pairs if pairs else ''} HTTP/1.{draw(st.sampled_from('110'))}"
    headers = draw(st.lists(HEADERS, max_size=4))
    body = draw(st.binary(max_size=30))
    length = len(body) + draw(st.sampled_from((0, 0, 0, 1, -1)))
    headers.insert(draw(st.integers(0, len(headers))), f"Content-Length: {length}")
    host = draw(st.sampled_from(("Host: h", "Host: h:1", "host: [", "X: 1")))
    headers.insert(draw(st.integers(0, len(headers))), host)
    data = bytearray("\r\n".join([line, *headers, "", ""]).encode() + body)
    for place, byte in draw(st.lists(st.tuples(st.integers(0, len(data) - 1), st.integers(0, 255)), max_size=1)):
        data[place] = byte
    return bytes(data)


@given(nearly_plain())
@example(request())
@example(request(b"POST /channels/gateway HTTP/1.0\r\n", b"webhook-signature: v1,AAA="))
def test_what_is_plain_means_the_same_to_aiohttp(data: bytes) -> None:
    found = read(data)
    if found is None:
        return
    other = aiohttp_reads(data)
    assert (found.name, found.stays) == (other.name, other.stays)
    assert (found.request.query, found.request.body) == (other.query, other.body)
    assert found.request.headers == other.headers


@given(nearly_plain())
def test_a_remembered_head_reads_the_same_again(data: bytes) -> None:
    assert read(data) == read(data)


def test_an_answer_is_written() -> None:
    head, _, body = written(Answer(200, b"<xml/>", "text/xml"), stays=True).partition(b"\r\n\r\n")
    line, date, *rest = head.split(b"\r\n")
    assert line == b"HTTP/1.1 200 OK"
    assert parsedate_to_datetime(date.removeprefix(b"Date: ").decode()).tzinfo is not None
    assert rest == [b"Content-Type: text/xml", b"Content-Length: 6"]
    assert body == b"<xml/>"


def test_a_refusal_says_its_status_and_the_end() -> None:
    told = written(Answer(403), stays=False)
    assert told.startswith(b"HTTP/1.1 403 Forbidden\r\nDate: ")
    assert told.endswith(b"Content-Length: 0\r\nConnection: close\r\n\r\n")
