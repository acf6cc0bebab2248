"""What every channel type promises, one body for all: open and seal, forged, stale, foreign, tampered, too long.

Each type has a client here that plays the platform; Tencent's are wechatpy, the gateway is standardwebhooks."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import xmltodict
from hypothesis import given, settings
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook as Signer
from wechatpy.crypto import WeChatCrypto

from bot.channels.contract import STALE_SECONDS, Channel, Request, Response
from bot.channels.crypto import sign
from bot.channels.simulator import Simulator
from bot.channels.webhook import Webhook
from bot.channels.wechat_mp import WechatMp
from bot.channels.wecom_aibot import WecomAibot
from bot.channels.wecom_app import WecomApp
from bot.errors import Refused
from bot.records import Inbound, Reply

NOW = datetime(2026, 9, 1, 0, 0, tzinfo=UTC)
TOKEN = "ShequTok3n2026"
KEY = "LDuXK2sFiqxPVQQmNWhzXkGBr8BxYSEUvqMSa6JHHFk"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
APP, CORP = "wx0123456789abcdef", "ww0123456789abcdef"
QUESTION = "旧电池🔋怎么扔？"


@dataclass(frozen=True)
class Client:
    """How one type is spoken to: a valid request for a text at a time, and the reply's text in a response."""

    channel: Channel
    ask: Callable[[str, datetime], Request]
    heard: Callable[[Response], str]
    signature: str = ""  # the query or header field that holds it; "" for an unsigned type
    foreign: Channel | None = None  # the same keys, another receiver


def xml_message(text: str) -> str:
    fields = {"ToUserName": "gh_x", "FromUserName": "u1", "CreateTime": 1788220800, "MsgType": "text"}
    return xmltodict.unparse({"xml": {**fields, "Content": text, "MsgId": "7"}}, full_document=False)


def json_message(text: str) -> str:
    return json.dumps({"msgid": "7", "msgtype": "text", "from": {"userid": "u1"}, "text": {"content": text}})


def seal_callback(receiveid: str, clear: str, now: datetime) -> tuple[dict[str, str], str]:
    timestamp = str(int(now.timestamp()))
    crypto = WeChatCrypto(TOKEN, KEY, receiveid)
    outer = xmltodict.parse(crypto.encrypt_message(clear, "n1", timestamp))["xml"]
    query = {"msg_signature": outer["MsgSignature"], "timestamp": timestamp, "nonce": "n1"}
    return query, outer["Encrypt"]


def xml_callback(receiveid: str) -> Callable[[str, datetime], Request]:
    def ask(text: str, now: datetime) -> Request:
        query, encrypt = seal_callback(receiveid, xml_message(text), now)
        return Request({}, query, f"<xml><Encrypt><![CDATA[{encrypt}]]></Encrypt></xml>".encode())

    return ask


def plain_callback(text: str, now: datetime) -> Request:
    timestamp = str(int(now.timestamp()))
    query = {"signature": sign(TOKEN, timestamp, "n1"), "timestamp": timestamp, "nonce": "n1"}
    return Request({}, query, xml_message(text).encode())


def json_callback(text: str, now: datetime) -> Request:
    query, encrypt = seal_callback("", json_message(text), now)
    return Request({}, query, json.dumps({"encrypt": encrypt}).encode())


def gateway_call(text: str, now: datetime) -> Request:
    body = json.dumps({"text": text, "user": "u1"})
    headers = {
        "webhook-id": "7",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Signer(SECRET).sign("7", now, body),
    }
    return Request(headers, {}, body.encode())


def page_call(text: str, now: datetime) -> Request:
    return Request({}, {}, json.dumps({"id": "7", "text": text, "user": "u1"}).encode())


def opened(receiveid: str, body: bytes, signature: str, timestamp: str, nonce: str) -> str:
    clear = WeChatCrypto(TOKEN, KEY, receiveid).decrypt_message(body.decode(), signature, timestamp, nonce)
    return clear if isinstance(clear, str) else clear.decode()


def heard_clear_xml(response: Response) -> str:
    return xmltodict.parse(response.body, strip_whitespace=False)["xml"]["Content"] or ""


def heard_xml(receiveid: str) -> Callable[[Response], str]:
    def heard(response: Response) -> str:
        outer = xmltodict.parse(response.body)["xml"]
        clear = opened(receiveid, response.body, outer["MsgSignature"], outer["TimeStamp"], outer["Nonce"])
        return heard_clear_xml(Response(clear.encode(), "text/xml"))

    return heard


def heard_stream(response: Response) -> str:
    outer = json.loads(response.body)
    envelope = f"<xml><ToUserName/><Encrypt>{outer['encrypt']}</Encrypt></xml>".encode()
    clear = json.loads(opened("", envelope, outer["msgsignature"], str(outer["timestamp"]), outer["nonce"]))
    assert clear["stream"]["finish"] is True
    return str(clear["stream"]["content"])


def heard_answer(response: Response) -> str:
    return str(json.loads(response.body)["text"])


CLIENTS = {
    "wechat_mp-secure": Client(
        WechatMp("mp", APP, TOKEN, KEY), xml_callback(APP), heard_xml(APP), "msg_signature",
        WechatMp("mp", "wxfedcba9876543210", TOKEN, KEY),
    ),
    "wechat_mp-compatible": Client(
        WechatMp("mp", APP, TOKEN, KEY, "compatible"), xml_callback(APP), heard_xml(APP), "msg_signature",
        WechatMp("mp", "wxfedcba9876543210", TOKEN, KEY, "compatible"),
    ),
    "wechat_mp-plain": Client(WechatMp("mp", APP, TOKEN), plain_callback, heard_clear_xml, "signature"),
    "wecom_app": Client(
        WecomApp("app", CORP, None, TOKEN, KEY), xml_callback(CORP), heard_xml(CORP), "msg_signature",
        WecomApp("app", "wwfedcba9876543210", None, TOKEN, KEY),
    ),
    "wecom_aibot": Client(
        WecomAibot("aibot", "小绿", TOKEN, KEY), json_callback, heard_stream, "msg_signature",
    ),
    "webhook": Client(Webhook("gateway", SECRET), gateway_call, heard_answer, "webhook-signature"),
    "simulator": Client(Simulator("try"), page_call, heard_answer),
}  # fmt: skip
EVERY = pytest.mark.parametrize("client", [pytest.param(c, id=n) for n, c in CLIENTS.items()])
SIGNED = pytest.mark.parametrize("client", [pytest.param(c, id=n) for n, c in CLIENTS.items() if c.signature])
FOREIGN = pytest.mark.parametrize("client", [pytest.param(c, id=n) for n, c in CLIENTS.items() if c.foreign])
ENCRYPTED = ("wechat_mp-secure", "wecom_app", "wecom_aibot")


@contextmanager
def accepted_or_refused(*statuses: int) -> Iterator[None]:
    """Nothing but Refused may be raised, and only with these statuses."""
    try:
        yield
    except Refused as refused:
        if refused.status not in statuses:
            raise


def changed(request: Request, field: str, value: str | None) -> Request:
    """The request with one query or header field replaced, or without it."""
    place = "headers" if field in request.headers else "query"
    fields: dict[str, Any] = {**getattr(request, place), field: value}
    return replace(request, **{place: {key: known for key, known in fields.items() if known is not None}})


def refusal(client: Client, request: Request, now: datetime = NOW) -> int:
    with pytest.raises(Refused) as refused:
        client.channel.open(request, now)
    return refused.value.status


@EVERY
def test_a_text_is_opened_and_its_reply_is_heard(client):
    inbound = client.channel.open(client.ask(QUESTION, NOW), NOW)
    assert isinstance(inbound, Inbound)
    assert (inbound.kind, inbound.message_id, inbound.sender) == ("message", "7", "u1")
    assert (inbound.text, inbound.media, inbound.chat, inbound.mentioned) == (QUESTION, "text", None, True)
    text = "有害垃圾：红桶🔴 ]]> <b>&amp;</b>\n周六收"
    assert client.heard(client.channel.seal(inbound, Reply("answer", text), NOW)) == text


@EVERY
def test_silence_says_nothing(client):
    inbound = client.channel.open(client.ask(QUESTION, NOW), NOW)
    sealed = client.channel.seal(inbound, Reply("silent", reason="unsure"), NOW)
    assert sealed.body in (b"", b"success") or client.heard(sealed) == ""


@EVERY
def test_the_same_request_opens_to_the_same_message(client):
    request = client.ask(QUESTION, NOW)
    assert client.channel.open(request, NOW) == client.channel.open(request, NOW + timedelta(seconds=5))


@EVERY
def test_it_is_named_and_takes_its_content_types(client):
    assert client.channel.name
    assert client.channel.type in ("wechat_mp", "wecom_app", "wecom_aibot", "webhook", "simulator")
    assert client.channel.content_types in ({"text/xml", "application/xml"}, {"application/json"})


@EVERY
def test_secrets_do_not_show(client):
    shown = repr(client.channel)
    assert TOKEN not in shown
    assert KEY not in shown
    assert SECRET not in shown


@SIGNED
@pytest.mark.parametrize(
    "value",
    [
        pytest.param(None, id="missing"),
        pytest.param("", id="empty"),
        pytest.param("0" * 40, id="wrong"),
        pytest.param("绿" * 40, id="not-ascii"),
        pytest.param("\udcff", id="not-utf-8"),
        pytest.param("v1,绿", id="version-and-not-ascii"),
        pytest.param("0" * 8000, id="endless"),
    ],
)
def test_a_forged_signature_is_403(client, value):
    assert refusal(client, changed(client.ask(QUESTION, NOW), client.signature, value)) == 403


@SIGNED
@pytest.mark.parametrize("value", [None, "", "abc", "9" * 5000, "NaN", "\ud800", "１７８８２２０８００"])
def test_a_faulty_timestamp_is_403(client, value):
    request = client.ask(QUESTION, NOW)
    field = "webhook-timestamp" if "webhook-timestamp" in request.headers else "timestamp"
    assert refusal(client, changed(request, field, value)) == 403


@SIGNED
@pytest.mark.parametrize("off", [-STALE_SECONDS, STALE_SECONDS], ids=["oldest", "newest"])
def test_a_timestamp_at_the_edge_is_fresh(client, off):
    assert client.channel.open(client.ask(QUESTION, NOW + timedelta(seconds=off)), NOW).text == QUESTION


@SIGNED
@pytest.mark.parametrize("off", [-STALE_SECONDS - 1, STALE_SECONDS + 1], ids=["too-old", "too-new"])
def test_a_stale_request_is_403_either_way(client, off):
    assert refusal(client, client.ask(QUESTION, NOW + timedelta(seconds=off))) == 403


@FOREIGN
def test_a_message_for_another_receiver_is_403(client):
    with pytest.raises(Refused) as refused:
        client.foreign.open(client.ask(QUESTION, NOW), NOW)
    assert refused.value.status == 403


@EVERY
@pytest.mark.parametrize("body", [b"", b"x", b"\xff\xfe", b"[]", b"<xml>", b"[" * 60_000, b"<a>" * 20_000, b"\0" * 99])
def test_a_malformed_body_is_refused(client, body):
    assert refusal(client, replace(client.ask(QUESTION, NOW), body=body)) in (400, 403)


@EVERY
def test_an_empty_request_is_refused(client):
    assert refusal(client, Request({}, {}, b"")) in (400, 403)


@EVERY
def test_a_url_check_of_nothing_is_refused(client):
    with pytest.raises(Refused) as refused:
        client.channel.check_url(Request({}, {}, b""), NOW)
    assert refused.value.status in (403, 405)


@pytest.mark.parametrize("name", [name for name in CLIENTS if name not in ("webhook", "simulator")])
@pytest.mark.parametrize(("off", "fresh"), [(-301, False), (-300, True), (300, True), (301, False)])
def test_a_url_check_is_answered_while_it_is_fresh(name, off, fresh):
    client = CLIENTS[name]
    at = NOW + timedelta(seconds=off)
    receiveid = {"wecom_app": CORP, "wecom_aibot": ""}.get(name)
    if receiveid is None:
        query = {**plain_callback("", at).query, "echostr": "4375120948345356249"}
    else:
        query, echostr = seal_callback(receiveid, "4375120948345356249", at)
        query["echostr"] = echostr.replace("+", " ")
    if fresh:
        assert client.channel.check_url(Request({}, query, b""), NOW) == b"4375120948345356249"
        return
    with pytest.raises(Refused) as refused:
        client.channel.check_url(Request({}, query, b""), NOW)
    assert refused.value.status == 403


@pytest.mark.parametrize("name", ENCRYPTED)
def test_a_flipped_byte_anywhere_in_a_signed_ciphertext_raises_only_refused(name):
    """The signature is made again over the damage, so that every later check is reached."""
    client = CLIENTS[name]
    receiveid = {"wechat_mp-secure": APP, "wecom_app": CORP, "wecom_aibot": ""}[name]
    clear = json_message(QUESTION) if name == "wecom_aibot" else xml_message(QUESTION)
    query, encrypt = seal_callback(receiveid, clear, NOW)
    raw = b64decode(encrypt)
    for place in range(len(raw)):
        damaged = b64encode(raw[:place] + bytes([raw[place] ^ 0x55]) + raw[place + 1 :]).decode()
        signed = {**query, "msg_signature": sign(TOKEN, query["timestamp"], query["nonce"], damaged)}
        body = f'{{"encrypt":"{damaged}"}}' if name == "wecom_aibot" else f"<xml><Encrypt>{damaged}</Encrypt></xml>"
        with accepted_or_refused(400, 403):
            client.channel.open(Request({}, signed, body.encode()), NOW)


@SIGNED
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_a_changed_byte_anywhere_in_the_body_raises_only_refused(client, data):
    request = client.ask(QUESTION, NOW)
    place = data.draw(st.integers(0, len(request.body) - 1))
    byte = data.draw(st.binary(min_size=0, max_size=3))
    body = request.body[:place] + byte + request.body[place + 1 :]
    with accepted_or_refused(400, 403):
        client.channel.open(replace(request, body=body), NOW)


@EVERY
@given(
    pieces=st.lists(
        st.sampled_from(["电池🔋", "投红桶。", "周六收，", "👨\u200d👩\u200d👧", "e\u0301", "]]>", "\n", "a"]),
        min_size=1,
    ),
    times=st.integers(1, 6000),
)
@settings(max_examples=25, deadline=None)
def test_a_reply_never_exceeds_the_limit_and_stays_whole(client, pieces, times):
    text = "".join(pieces) * times
    inbound = client.channel.open(client.ask(QUESTION, NOW), NOW)
    heard = client.heard(client.channel.seal(inbound, Reply("answer", text), NOW))
    assert len(heard.encode("utf-8")) <= client.channel.reply_limit
    if len(text.encode("utf-8")) <= client.channel.reply_limit:
        assert heard == text
    else:
        assert heard.endswith("…")
        assert text.startswith(heard[:-1])
