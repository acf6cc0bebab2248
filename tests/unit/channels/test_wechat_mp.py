"""微信公众号: modes, messages, events and passive replies."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
import xmltodict

from bot.channels.contract import Request
from bot.channels.crypto import sign
from bot.channels.wechat_mp import WechatMp
from bot.errors import Refused
from bot.records import Reply

APP_ID = "wx0123456789abcdef"
HEAD = "<ToUserName><![CDATA[gh_green]]></ToUserName><FromUserName><![CDATA[oRes]]></FromUserName>"
TIME = "<CreateTime>1788220800</CreateTime>"
TEXT = f"<xml>{HEAD}{TIME}<MsgType>text</MsgType><Content>旧电池怎么扔</Content><MsgId>24500000000000001</MsgId></xml>"
ANSWER = Reply("answer", "红色桶（有害垃圾）")
VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "wechat-crypto-vectors.json").read_text("utf-8"))


def message(kind: str, fields: str = "", message_id: str = "<MsgId>7</MsgId>") -> str:
    return f"<xml>{HEAD}{TIME}<MsgType><![CDATA[{kind}]]></MsgType>{fields}{message_id}</xml>"


def event(name: str, fields: str = "") -> str:
    return message("event", f"<Event><![CDATA[{name}]]></Event>{fields}", "")


@pytest.fixture
def platform(tencent):
    return tencent(APP_ID)


@pytest.fixture
def channel(platform):
    return WechatMp("mp", APP_ID, platform.token, platform.key)


@pytest.fixture
def plain(platform):
    return WechatMp("mp", APP_ID, platform.token)


def clear_post(platform, body: str) -> Request:
    query = platform.query(signature=sign(platform.token, platform.timestamp, platform.nonce))
    return Request({}, query, body.encode())


def test_a_text(channel, platform):
    inbound = channel.open(platform.xml_post(TEXT), platform.now)
    assert (inbound.kind, inbound.media, inbound.event) == ("message", "text", "")
    assert (inbound.message_id, inbound.sender, inbound.chat) == ("24500000000000001", "oRes", None)
    assert (inbound.text, inbound.mentioned, inbound.nonce) == ("旧电池怎么扔", True, platform.nonce)
    assert inbound.sent_at == datetime(2026, 9, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("clear", "media", "text"),
    [
        pytest.param(message("text", "<Content>a\x02b</Content>"), "text", "ab", id="text-with-control-character"),
        pytest.param(message("text", "<Content><![CDATA[]]></Content>"), "text", "", id="empty-text"),
        pytest.param(message("voice", "<Recognition>纸箱</Recognition>"), "voice", "纸箱", id="voice-recognised"),
        pytest.param(message("voice", "<Recognition></Recognition>"), "voice", "", id="voice-not-recognised"),
        pytest.param(message("voice", "<MediaId>1</MediaId>"), "voice", "", id="voice-without-recognition"),
        pytest.param(message("image", "<PicUrl>http://x</PicUrl>"), "image", "", id="image"),
        pytest.param(message("video"), "other", "", id="video"),
        pytest.param(message("shortvideo"), "other", "", id="shortvideo"),
        pytest.param(message("location", "<Label>楼下</Label>"), "other", "", id="location"),
        pytest.param(message("link", "<Title>t</Title>"), "other", "", id="link"),
        pytest.param(message("hologram"), "other", "", id="not-invented-yet"),
    ],
)
def test_messages(channel, platform, clear, media, text):
    inbound = channel.open(platform.xml_post(clear), platform.now)
    assert (inbound.kind, inbound.media, inbound.text, inbound.event) == ("message", media, text, "")


@pytest.mark.parametrize(
    ("clear", "name", "text"),
    [
        pytest.param(event("subscribe"), "subscribe", "", id="subscribe"),
        pytest.param(event("subscribe", "<EventKey>qrscene_b3</EventKey>"), "subscribe", "", id="subscribe-by-code"),
        pytest.param(event("unsubscribe"), "unsubscribe", "", id="unsubscribe"),
        pytest.param(event("SCAN", "<EventKey>b3</EventKey>"), "scan", "", id="scan"),
        pytest.param(event("CLICK", "<EventKey>分类查询</EventKey>"), "click", "分类查询", id="click"),
        pytest.param(event("VIEW", "<EventKey>https://x</EventKey>"), "view", "", id="view"),
        pytest.param(event("LOCATION", "<Latitude>31</Latitude>"), "location", "", id="location"),
        pytest.param(event("TEMPLATESENDJOBFINISH", "<MsgID>9</MsgID>"), "templatesendjobfinish", "", id="job"),
    ],
)
def test_events_without_an_id_are_known_by_their_digest(channel, platform, clear, name, text):
    inbound = channel.open(platform.xml_post(clear), platform.now)
    assert (inbound.kind, inbound.event, inbound.text) == ("event", name, text)
    assert inbound.message_id == hashlib.sha256(clear.encode()).hexdigest()


@pytest.mark.parametrize(
    "clear",
    [
        pytest.param("", id="empty"),
        pytest.param("{}", id="json"),
        pytest.param(message("text", message_id="<MsgId>x</MsgId>"), id="id-no-number"),
        pytest.param(message("text", message_id=f"<MsgId>{2**64}</MsgId>"), id="id-beyond-64-bit"),
        pytest.param(message("text", message_id=f"<MsgId>{'9' * 5000}</MsgId>"), id="id-absurd"),
        pytest.param(message("text").replace("1788220800", "4133980800"), id="beyond-2100"),
        pytest.param(message("text").replace("1788220800", "-1"), id="before-1970"),
        pytest.param(message("text").replace("1788220800", "１７８８２２０８００"), id="full-width-digits"),
        pytest.param(message("text").replace("oRes", ""), id="from-nobody"),
        pytest.param(message("text").replace("oRes", "o" * 201), id="from-an-endless-name"),
        pytest.param(message(""), id="no-type"),
        pytest.param(message("text", "<Content>a</Content><Content>b</Content>"), id="two-contents"),
    ],
)
def test_a_signed_but_malformed_message_is_400(channel, platform, clear):
    with pytest.raises(Refused) as refused:
        channel.open(platform.xml_post(clear), platform.now)
    assert refused.value.status == 400


def test_the_greatest_id_stays_a_string(channel, platform):
    clear = message("text", message_id=f"<MsgId>{2**64 - 1}</MsgId>")
    assert channel.open(platform.xml_post(clear), platform.now).message_id == "18446744073709551615"


BESIDE = "<FromUserName>oFake</FromUserName><MsgType>text</MsgType><Content>假的</Content>"


@pytest.mark.parametrize(
    ("encryption", "beside", "status"),
    [
        pytest.param(None, "", 200, id="default-encrypted"),
        pytest.param(None, BESIDE, 403, id="default-with-clear-text-beside"),
        pytest.param("secure", BESIDE, 403, id="secure-with-clear-text-beside"),
        pytest.param("compatible", "", 200, id="compatible-encrypted-only"),
        pytest.param("compatible", BESIDE, 200, id="compatible-reads-only-encrypt"),
    ],
)
def test_clear_text_beside_a_ciphertext(platform, encryption, beside, status):
    channel = WechatMp("mp", APP_ID, platform.token, platform.key, encryption)
    request = platform.xml_post(TEXT, beside)
    if status == 200:
        inbound = channel.open(request, platform.now)
        assert (inbound.sender, inbound.text) == ("oRes", "旧电池怎么扔")
        return
    with pytest.raises(Refused) as refused:
        channel.open(request, platform.now)
    assert refused.value.status == status


@pytest.mark.parametrize("encryption", [None, "secure", "compatible"])
def test_clear_text_is_refused_where_a_key_is_used(platform, encryption):
    channel = WechatMp("mp", APP_ID, platform.token, platform.key, encryption)
    with pytest.raises(Refused) as refused:
        channel.open(clear_post(platform, TEXT), platform.now)
    assert refused.value.status == 403


def test_an_envelope_of_nothing_is_400(channel, platform):
    with pytest.raises(Refused) as refused:
        channel.open(Request({}, platform.query(), b"<xml/>"), platform.now)
    assert refused.value.status == 400


def test_plain_mode_opens_and_answers_in_clear(plain, platform):
    inbound = plain.open(clear_post(platform, TEXT), platform.now)
    assert (inbound.text, inbound.nonce) == ("旧电池怎么扔", platform.nonce)
    answer = xmltodict.parse(plain.seal(inbound, ANSWER, platform.now).body)["xml"]
    assert (answer["ToUserName"], answer["FromUserName"]) == ("oRes", "gh_green")
    assert (answer["MsgType"], answer["Content"]) == ("text", "红色桶（有害垃圾）")


def test_plain_mode_refuses_a_wrong_signature(plain, platform):
    request = clear_post(platform, TEXT)
    with pytest.raises(Refused) as refused:
        plain.open(replace(request, query={**request.query, "nonce": "other"}), platform.now)
    assert refused.value.status == 403


def test_plain_mode_takes_no_ciphertext(plain, platform):
    request = platform.xml_post(TEXT)
    query = {**request.query, **clear_post(platform, "").query}
    with pytest.raises(Refused) as refused:
        plain.open(replace(request, query=query), platform.now)
    assert refused.value.status == 400


@pytest.mark.parametrize(("key", "encryption"), [("", "secure"), ("", "compatible"), ("short", None)])
def test_a_mode_without_its_key_does_not_start(key, encryption):
    with pytest.raises(ValueError, match="encoding_aes_key"):
        WechatMp("mp", APP_ID, "t", key, encryption)


def test_an_encrypted_text_reply(channel, platform):
    inbound = channel.open(platform.xml_post(TEXT), platform.now)
    answer = platform.read_xml(channel.seal(inbound, ANSWER, platform.now + timedelta(seconds=1)))
    assert answer == {
        "ToUserName": "oRes",
        "FromUserName": "gh_green",
        "CreateTime": "1788220801",
        "MsgType": "text",
        "Content": "红色桶（有害垃圾）",
    }


def test_the_reply_equals_the_vector_byte_for_byte():
    vector = next(v for v in VECTORS["generated"] if v["id"] == "own-mp-secure-reply-cdata")
    plain = WechatMp("mp", vector["receiveid"], vector["token"])
    query = {
        "timestamp": vector["timestamp"],
        "nonce": "n",
        "signature": sign(vector["token"], vector["timestamp"], "n"),
    }
    asked = TEXT.replace("gh_green", "gh_shequ000001").replace("oRes", "oResident0001")
    inbound = plain.open(Request({}, query, asked.encode()), datetime.fromtimestamp(int(vector["timestamp"]), UTC))
    reply = Reply("answer", vector["expect_parsed_content"])
    sealed = plain.seal(inbound, reply, datetime.fromtimestamp(1788220900, UTC))
    assert sealed.body == vector["msg"].encode()


@pytest.mark.parametrize(
    ("text", "title", "description"),
    [
        pytest.param("电池回收\n周六九点\n楼下", "电池回收", "周六九点\n楼下", id="first-line-is-the-title"),
        pytest.param("电池回收", "电池回收", None, id="one-line"),
        pytest.param("长" * 100, "长" * 41 + "…", "长" * 100, id="long-first-line"),
    ],
)
def test_a_link_makes_an_article(channel, platform, text, title, description):
    inbound = channel.open(platform.xml_post(TEXT), platform.now)
    sealed = channel.seal(inbound, Reply("answer", text, link="https://x.cn/a?b=1&c=2"), platform.now)
    answer = platform.read_xml(sealed)
    assert (answer["MsgType"], answer["ArticleCount"]) == ("news", "1")
    article = answer["Articles"]["item"]
    assert (article["Title"], article["Description"], article["Url"]) == (title, description, "https://x.cn/a?b=1&c=2")


@pytest.mark.parametrize("reply", [Reply("silent", reason="unsure"), Reply("answer", "")], ids=["silent", "no-words"])
def test_silence_is_success_in_clear(channel, platform, reply):
    inbound = channel.open(platform.xml_post(TEXT), platform.now)
    sealed = channel.seal(inbound, reply, platform.now)
    assert (sealed.body, sealed.content_type) == (b"success", "text/plain")


def test_the_official_url_check():
    vector = VECTORS["plain_signature"][0]
    query = {key: vector[key] for key in ("signature", "timestamp", "nonce", "echostr")}
    now = datetime.fromtimestamp(int(vector["timestamp"]), UTC)
    channel = WechatMp("mp", APP_ID, vector["token"])
    assert channel.check_url(Request({}, query, b""), now) == vector["expect_body"].encode()


@pytest.mark.parametrize(
    ("change", "status"),
    [
        pytest.param("signature=0", 403, id="forged"),
        pytest.param("timestamp=1788220799", 403, id="other-timestamp"),
        pytest.param("echostr=", 400, id="no-echostr"),
        pytest.param("echostr=回声", 400, id="echostr-not-ascii"),
    ],
)
def test_url_checks_refused(channel, platform, change, status):
    query = platform.query(signature=sign(platform.token, platform.timestamp, platform.nonce), echostr="1")
    query.update(parse_qsl(change, keep_blank_values=True))
    with pytest.raises(Refused) as refused:
        channel.check_url(Request({}, query, b""), platform.now)
    assert refused.value.status == status
