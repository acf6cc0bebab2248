"""Channels under random input: seal and open, cutting, XML and JSON."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
import xmltodict
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.crypto import MsgCrypt
from bot.channels.cut import ELLIPSIS, cut
from bot.channels.json_body import read_json, write_json
from bot.channels.message_object import read_message
from bot.channels.xml import cdata, read_xml
from bot.errors import Refused
from bot.records import Inbound

KEY = "LDuXK2sFiqxPVQQmNWhzXkGBr8BxYSEUvqMSa6JHHFk"
NOW = datetime(2026, 9, 1, tzinfo=UTC)
TROUBLE = (
    st.text(st.sampled_from("a。，、！\n\r\t]>&<\"'　绿🔋👍🏽👨👩❤\ufe0f\u200d\u0301🇨🇳\x02\x1d\ufffe\x00")) | st.text()
)


@contextmanager
def accepted_or_refused(*statuses: int) -> Iterator[None]:
    """Nothing but Refused may be raised, and only with these statuses."""
    try:
        yield
    except Refused as refused:
        if refused.status not in statuses:
            raise


@given(message=st.binary(max_size=300), receiveid=st.text(max_size=40), nonce=st.text(min_size=1, max_size=20))
def test_what_is_sealed_opens_again(message, receiveid, nonce):
    crypt = MsgCrypt("token", KEY, receiveid)
    sealed = crypt.seal(message, nonce, NOW)
    query = {"msg_signature": sealed.signature, "timestamp": str(sealed.timestamp), "nonce": nonce}
    assert crypt.open(query, sealed.encrypt, NOW) == message


@given(encrypt=st.text() | st.binary(max_size=200).map(lambda raw: b64encode(raw).decode()))
def test_any_ciphertext_is_a_message_or_refused(encrypt):
    with accepted_or_refused(400, 403):
        assert isinstance(MsgCrypt("token", KEY, "").decrypt(encrypt), bytes)


@given(query=st.dictionaries(st.sampled_from(["msg_signature", "timestamp", "nonce", "echostr"]), st.text()))
def test_a_random_url_check_is_403(query):
    with pytest.raises(Refused) as refused:
        MsgCrypt("token", KEY, "").check_url(query, NOW)
    assert refused.value.status == 403


@given(text=TROUBLE, limit=st.integers(0, 80))
def test_a_cut_text_fits_and_is_a_beginning(text, limit):
    short = cut(text, limit)
    assert len(short.encode("utf-8")) <= limit
    if len(text.encode("utf-8")) <= limit:
        assert short == text
    elif short:
        assert short.endswith(ELLIPSIS)
        assert text.startswith(short[:-1])


@given(text=TROUBLE)
def test_cdata_carries_whatever_xml_can_hold(text):
    body = f"<xml><A>{cdata(text)}</A></xml>"
    carried = read_xml(body.encode())["A"]
    assert xmltodict.parse(body, strip_whitespace=False)["xml"]["A"] == (carried or None)
    illegal = {chr(code) for code in range(32)} - set("\t\n\r") | {"\ufffe", "\uffff"}
    expected = "".join(char for char in text if char not in illegal)
    assert carried == expected.replace("\r\n", "\n").replace("\r", "\n")


@given(body=st.binary(max_size=200) | st.text(st.sampled_from("<xml/>A![CDT]&;#x\"'= \x00绿")).map(str.encode))
def test_any_bytes_are_fields_or_400(body):
    for read in (read_xml, read_json):
        with accepted_or_refused(400):
            assert isinstance(read(body), dict)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(["id", "text", "user", "user_name", "chat", "mentioned", "session", "sent_at"])


@given(value=st.dictionaries(FIELDS, JSON) | JSON, escaped=st.booleans())
def test_any_json_is_a_message_or_400(value, escaped):
    body = json.dumps(value, ensure_ascii=escaped).encode("utf-8")
    with accepted_or_refused(400):
        assert isinstance(read_message(read_json(body), "fresh"), Inbound)


@given(value=st.dictionaries(st.text(), JSON))
def test_written_json_reads_back_and_has_no_escaped_letters(value):
    body = write_json(value)
    assert read_json(body) == value
    assert b"\\u4e" not in body
