"""企业微信智能机器人: messages, mentions, refreshes, events and stream replies."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from bot.channels.contract import Request
from bot.channels.wecom_aibot import WecomAibot
from bot.errors import Refused
from bot.records import Reply

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "wechat-crypto-vectors.json").read_text("utf-8"))
GROUP = {"msgid": "M1", "chatid": "wrk1", "chattype": "group", "from": {"userid": "zhangsan"}}
PRIVATE = {"msgid": "M2", "chattype": "single", "from": {"userid": "zhangsan"}}
ASKED = {**GROUP, "msgtype": "text", "text": {"content": "@小绿 旧电池扔哪"}, "response_url": "https://qyapi/x"}
ANSWER = Reply("answer", "红色桶（有害垃圾）")
SILENT = Reply("silent", reason="unsure")


def event(eventtype: str, **fields: object) -> dict[str, object]:
    return {**PRIVATE, "msgtype": "event", "event": {"eventtype": eventtype, **fields}}


@pytest.fixture
def platform(tencent):
    return tencent("")


@pytest.fixture
def channel(platform):
    return WecomAibot("aibot", "小绿", platform.token, platform.key)


def test_a_text_in_a_group(channel, platform):
    inbound = channel.open(platform.json_post({**ASKED, "create_time": 1788220800}), platform.now)
    assert (inbound.kind, inbound.message_id, inbound.sender, inbound.chat) == ("message", "M1", "zhangsan", "wrk1")
    assert (inbound.text, inbound.media, inbound.mentioned) == ("旧电池扔哪", "text", True)
    assert (inbound.response_url, inbound.nonce) == ("https://qyapi/x", platform.nonce)
    assert inbound.sent_at == platform.now


def test_a_chatid_counts_in_groups_only(channel, platform):
    given = {**PRIVATE, "chatid": "wrk1", "msgtype": "text", "text": {"content": "x"}}
    assert channel.open(platform.json_post(given), platform.now).chat is None


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param({"msgtype": "voice", "voice": {"content": "纸箱"}}, ("voice", "纸箱"), id="voice"),
        pytest.param({"msgtype": "image", "image": {"url": "https://x"}}, ("image", ""), id="image"),
        pytest.param({"msgtype": "file", "file": {"url": "https://x"}}, ("other", ""), id="file"),
        pytest.param({"msgtype": "video", "video": {"url": "https://x"}}, ("other", ""), id="video"),
        pytest.param({"msgtype": "text", "text": {"content": "a\x02b"}}, ("text", "ab"), id="control-character"),
        pytest.param({"msgtype": "text", "text": {"content": "🔋"}}, ("text", "🔋"), id="emoji"),
        pytest.param(
            {
                "msgtype": "mixed",
                "mixed": {
                    "msg_item": [
                        {"msgtype": "text", "text": {"content": "@小绿 这个"}},
                        {"msgtype": "image", "image": {"url": "https://x"}},
                        {"msgtype": "text", "text": {"content": "扔哪"}},
                    ]
                },
            },
            ("mixed", "这个\n扔哪"),
            id="mixed",
        ),
    ],
)
def test_messages(channel, platform, content, expected):
    inbound = channel.open(platform.json_post({**PRIVATE, **content}), platform.now)
    assert (inbound.media, inbound.text) == expected


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        pytest.param("小绿", "@小绿 旧电池", "旧电池", id="before"),
        pytest.param("小绿", "旧电池 @小绿", "旧电池", id="after"),
        pytest.param("小绿", "旧电池 @小绿\u2005扔哪", "旧电池 扔哪", id="between-with-four-per-em-space"),
        pytest.param("小绿", "@小绿  旧电池", "旧电池", id="two-spaces"),
        pytest.param("小绿", "@小绿 @小绿 旧电池", "旧电池", id="twice"),
        pytest.param("小绿", "@小绿 @张三 旧电池", "@张三 旧电池", id="others-stay"),
        pytest.param("小绿", "@小绿人 旧电池", "@小绿人 旧电池", id="longer-name-stays"),
        pytest.param("小绿", "小绿 旧电池", "小绿 旧电池", id="name-without-sign-stays"),
        pytest.param("小绿", "@小绿，旧电池", "，旧电池", id="punctuation-after"),
        pytest.param("小绿", "@小绿", "", id="mention-only"),
        pytest.param("Green Bot (测试)", "@Green Bot (测试) 旧电池", "旧电池", id="spaces-and-brackets"),
        pytest.param("小.", "@小绿 旧电池", "@小绿 旧电池", id="no-pattern"),
    ],
)
def test_only_the_own_mention_is_removed(platform, name, text, expected):
    channel = WecomAibot("aibot", name, platform.token, platform.key)
    given = {**GROUP, "msgtype": "text", "text": {"content": text}}
    assert channel.open(platform.json_post(given), platform.now).text == expected


def test_a_refresh_leads_back_to_its_message(channel, platform):
    sealed = channel.seal(channel.open(platform.json_post(ASKED), platform.now), ANSWER, platform.now)
    first = platform.read_json(sealed)
    poll = {**GROUP, "msgid": "M9", "msgtype": "stream", "stream": {"id": first["stream"]["id"]}}
    refresh = channel.open(platform.json_post(poll), platform.now)
    assert (refresh.kind, refresh.message_id, refresh.sender) == ("refresh", "M1", "zhangsan")
    assert platform.read_json(channel.seal(refresh, ANSWER, platform.now)) == first


@pytest.mark.parametrize(
    ("given", "name", "text"),
    [
        pytest.param(event("enter_chat"), "enter_chat", "", id="enter"),
        pytest.param(event("feedback_event", feedback_event={"id": "t", "type": 2}), "feedback", "", id="feedback"),
        pytest.param(
            event("template_card_event", template_card_event={"event_key": "red", "task_id": "t"}),
            "template_card",
            "red",
            id="card-nested",
        ),
        pytest.param(event("template_card_event", event_key="red", taskid="t"), "template_card", "red", id="card-flat"),
        pytest.param(event("disconnected_event"), "disconnected", "", id="other"),
    ],
)
def test_events(channel, platform, given, name, text):
    inbound = channel.open(platform.json_post(given), platform.now)
    assert (inbound.kind, inbound.event, inbound.text) == ("event", name, text)
    sealed = channel.seal(inbound, Reply("answer", "您好"), platform.now)
    if name == "enter_chat":
        assert platform.read_json(sealed) == {"msgtype": "text", "text": {"content": "您好"}}
    else:
        assert sealed.body == b""


def test_an_event_without_an_id_is_known_by_its_digest(channel, platform):
    clear = json.dumps({"msgtype": "event", "event": {"eventtype": "enter_chat"}})
    inbound = channel.open(platform.json_post(clear), platform.now)
    assert inbound.message_id == hashlib.sha256(clear.encode()).hexdigest()


def test_the_reply_is_a_finished_stream(channel, platform):
    inbound = channel.open(platform.json_post(ASKED), platform.now)
    answer = platform.read_json(channel.seal(inbound, ANSWER, platform.now))
    assert answer == {"msgtype": "stream", "stream": {"id": "s.M1", "finish": True, "content": "红色桶（有害垃圾）"}}


def test_a_link_follows_the_text_and_counts_into_the_limit(channel, platform):
    inbound = channel.open(platform.json_post(ASKED), platform.now)
    answer = platform.read_json(channel.seal(inbound, Reply("answer", "长" * 9000, link="https://x.cn"), platform.now))
    content = answer["stream"]["content"]
    assert content.endswith("…\nhttps://x.cn")
    assert 20_000 < len(content.encode()) <= 20_480


def test_silence_is_an_empty_body(channel, platform):
    inbound = channel.open(platform.json_post(ASKED), platform.now)
    assert channel.seal(inbound, SILENT, platform.now).body == b""


def test_the_vectors_open():
    callback = next(v for v in VECTORS["generated"] if v["id"] == "own-aibot-callback")
    echo = next(v for v in VECTORS["generated"] if v["id"] == "own-aibot-echostr-plus")
    channel = WecomAibot("aibot", "小绿", callback["token"], callback["encoding_aes_key"])
    request = Request({}, dict(parse_qsl(callback["http"]["query"])), callback["http"]["body"].encode())
    inbound = channel.open(request, datetime.fromtimestamp(int(callback["timestamp"]), UTC))
    assert (inbound.chat, inbound.text, inbound.message_id) == ("wrkShequ01", "旧电池扔哪个桶？", "m-20260901-0001")
    once = dict(parse_qsl(echo["http"]["query"]))
    raw_plus = {**once, "echostr": once["echostr"].replace("+", " ")}
    now = datetime.fromtimestamp(int(echo["timestamp"]), UTC)
    for query in (once, raw_plus):
        assert channel.check_url(Request({}, query, b""), now) == echo["http"]["expect_body"].encode()


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"[]", id="list"),
        pytest.param(b"null", id="null"),
        pytest.param(b"{}", id="no-encrypt"),
        pytest.param(b'{"encrypt": 5}', id="number"),
        pytest.param(b'{"encrypt": {"a": 1}}', id="object"),
        pytest.param(b"<xml/>", id="xml"),
        pytest.param(b"[" * 60_000, id="deep"),
        pytest.param(b'{"encrypt":' * 5_000, id="deep-objects"),
        pytest.param(b'{"encrypt": "\\ud800"}', id="lone-surrogate"),
        pytest.param('{"encrypt": "a"}'.encode("utf-16"), id="utf-16"),
        pytest.param(b'{"encrypt": "\xff"}', id="not-utf-8"),
        pytest.param(b'{"encrypt": NaN}', id="nan"),
        pytest.param(b'{"n": ' + b"9" * 6000 + b"}", id="huge-integer"),
    ],
)
def test_a_malformed_envelope_is_400(channel, platform, body):
    with pytest.raises(Refused) as refused:
        channel.open(Request({}, platform.query(), body), platform.now)
    assert refused.value.status == 400


@pytest.mark.parametrize(
    "given",
    [
        pytest.param("[]", id="list"),
        pytest.param("not json", id="no-json"),
        pytest.param("[" * 5000, id="deep"),
        pytest.param({**ASKED, "text": "x"}, id="text-no-object"),
        pytest.param({**ASKED, "text": {"content": 5}}, id="content-no-string"),
        pytest.param(
            '{"msgid":"1","msgtype":"text","from":{"userid":"u"},"text":{"content":"\\ud83d"}}', id="half-emoji"
        ),
        pytest.param({**ASKED, "msgid": 5}, id="id-no-string"),
        pytest.param({**ASKED, "msgid": "m" * 201}, id="id-endless"),
        pytest.param({**ASKED, "from": "zhangsan"}, id="from-no-object"),
        pytest.param({**ASKED, "from": {}}, id="from-nobody"),
        pytest.param({**ASKED, "msgtype": None}, id="no-type"),
        pytest.param({**ASKED, "chatid": None}, id="group-without-chatid"),
        pytest.param({**ASKED, "create_time": "1788220800"}, id="time-no-number"),
        pytest.param({**ASKED, "create_time": True}, id="time-boolean"),
        pytest.param({**ASKED, "create_time": 10**400}, id="time-huge"),
        pytest.param({**ASKED, "response_url": []}, id="response-url-no-string"),
        pytest.param({**ASKED, "msgtype": "mixed", "mixed": {"msg_item": {}}}, id="mixed-no-list"),
        pytest.param({**ASKED, "msgtype": "mixed", "mixed": {"msg_item": ["x"]}}, id="mixed-of-strings"),
        pytest.param({**GROUP, "msgtype": "stream", "stream": {"id": "S1"}}, id="stream-not-ours"),
        pytest.param({**GROUP, "msgtype": "stream", "stream": {"id": "s."}}, id="stream-of-nothing"),
        pytest.param({**PRIVATE, "msgtype": "event", "event": {}}, id="event-of-no-type"),
        pytest.param(event("template_card_event", template_card_event=[]), id="card-no-object"),
    ],
)
def test_a_signed_but_malformed_message_is_400(channel, platform, given):
    with pytest.raises(Refused) as refused:
        channel.open(platform.json_post(given), platform.now)
    assert refused.value.status == 400
