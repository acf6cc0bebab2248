"""企业微信自建应用: envelope, apps, messages and passive replies."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from bot.channels.contract import Request
from bot.channels.wecom_app import WecomApp
from bot.errors import Refused
from bot.records import Reply

CORP = "ww0123456789abcdef"
VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "wechat-crypto-vectors.json").read_text("utf-8"))


def message(kind: str, fields: str = "", agent: str = "1000002") -> str:
    return (
        f"<xml><ToUserName>{CORP}</ToUserName><FromUserName>zhangsan</FromUserName><CreateTime>1788220800</CreateTime>"
        f"<MsgType>{kind}</MsgType>{fields}<AgentID>{agent}</AgentID></xml>"
    )


TEXT = message("text", "<Content>厨余垃圾几点收</Content><MsgId>7001</MsgId>")


@pytest.fixture
def platform(tencent):
    return tencent(CORP)


@pytest.fixture
def channel(platform):
    return WecomApp("app", CORP, 1000002, platform.token, platform.key)


@pytest.mark.parametrize(
    ("clear", "expected"),
    [
        pytest.param(TEXT, ("message", "text", "", "厨余垃圾几点收"), id="text"),
        pytest.param(
            message("voice", "<Format>amr</Format><MsgId>1</MsgId>"), ("message", "voice", "", ""), id="voice"
        ),
        pytest.param(message("image", "<MsgId>1</MsgId>"), ("message", "image", "", ""), id="image"),
        pytest.param(message("event", "<Event>enter_agent</Event>"), ("event", "text", "enter_agent", ""), id="enter"),
        pytest.param(
            message("event", "<Event>click</Event><EventKey>几点收</EventKey>"),
            ("event", "text", "click", "几点收"),
            id="click",
        ),
        pytest.param(
            message(
                "event",
                "<Event>template_card_event</Event><EventKey>red</EventKey><SelectedItems><SelectedItem><QuestionKey>q"
                "</QuestionKey></SelectedItem><SelectedItem><QuestionKey>r</QuestionKey></SelectedItem></SelectedItems>",
            ),
            ("event", "text", "template_card", "red"),
            id="card",
        ),
    ],
)
def test_messages_and_events(channel, platform, clear, expected):
    inbound = channel.open(platform.xml_post(clear), platform.now)
    assert (inbound.kind, inbound.media, inbound.event, inbound.text) == expected
    assert (inbound.sender, inbound.chat) == ("zhangsan", None)


def test_the_vector_of_an_event_opens():
    vector = next(v for v in VECTORS["generated"] if v["id"] == "own-wecom-app-full-pad")
    channel = WecomApp("app", CORP, 1000002, vector["token"], vector["encoding_aes_key"])
    request = Request({}, dict(parse_qsl(vector["http"]["query"])), vector["http"]["body"].encode())
    now = datetime.fromtimestamp(int(vector["timestamp"]), UTC)
    inbound = channel.open(request, now)
    assert (inbound.event, inbound.message_id) == ("enter_agent", hashlib.sha256(vector["msg"].encode()).hexdigest())
    assert channel.seal(inbound, Reply("answer", "您好"), now).body == b""  # it names nobody to answer


@pytest.mark.parametrize(
    ("agent_id", "inner", "beside", "status"),
    [
        pytest.param(1000002, "1000002", "<AgentID>1000002</AgentID>", 200, id="ours"),
        pytest.param(1000002, "", "<AgentID></AgentID>", 200, id="none-said"),
        pytest.param(None, "1000003", "<AgentID>1000003</AgentID>", 200, id="not-configured"),
        pytest.param(1000002, "1000003", "", 403, id="other-inside"),
        pytest.param(1000002, "1000002", "<AgentID>1000003</AgentID>", 403, id="other-outside"),
    ],
)
def test_the_app_is_checked_where_it_is_configured(platform, agent_id, inner, beside, status):
    channel = WecomApp("app", CORP, agent_id, platform.token, platform.key)
    request = platform.xml_post(message("text", "<Content>x</Content><MsgId>1</MsgId>", inner), beside)
    if status == 200:
        assert channel.open(request, platform.now).text == "x"
        return
    with pytest.raises(Refused) as refused:
        channel.open(request, platform.now)
    assert refused.value.status == status


@pytest.mark.parametrize(
    "body", [b"", b"<xml/>", TEXT.encode(), b"<xml><Encrypt>a</Encrypt><Encrypt>a</Encrypt></xml>"]
)
def test_a_body_without_one_ciphertext_is_400(channel, platform, body):
    with pytest.raises(Refused) as refused:
        channel.open(Request({}, platform.query(), body), platform.now)
    assert refused.value.status == 400


def test_an_encrypted_reply(channel, platform):
    inbound = channel.open(platform.xml_post(TEXT), platform.now)
    answer = platform.read_xml(channel.seal(inbound, Reply("answer", "晚上七点"), platform.now))
    assert (answer["ToUserName"], answer["FromUserName"], answer["Content"]) == ("zhangsan", CORP, "晚上七点")


def test_silence_is_an_empty_body(channel, platform):
    inbound = channel.open(platform.xml_post(TEXT), platform.now)
    assert channel.seal(inbound, Reply("silent", reason="unsure"), platform.now).body == b""


def test_url_check(channel, platform):
    query, echostr = platform.sealed("5927782489442352469")
    request = Request({}, {**query, "echostr": echostr}, b"")
    assert channel.check_url(request, platform.now) == b"5927782489442352469"


def test_url_check_without_echostr_is_403(channel, platform):
    with pytest.raises(Refused) as refused:
        channel.check_url(Request({}, platform.query(msg_signature="0"), b""), platform.now)
    assert refused.value.status == 403
