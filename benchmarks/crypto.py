"""How long one message takes to open, and its reply to seal, per channel: microseconds on one core.

python benchmarks/crypto.py
"""

from __future__ import annotations

import json
import timeit
from collections.abc import Callable
from datetime import UTC, datetime

from bot.channels.contract import Channel, Request
from bot.channels.crypto import MsgCrypt, sign
from bot.channels.simulator import Simulator
from bot.channels.webhook import Webhook
from bot.channels.wechat_mp import WechatMp
from bot.channels.wecom_aibot import WecomAibot
from bot.channels.wecom_app import WecomApp
from bot.records import Reply

NOW = datetime(2026, 9, 1, tzinfo=UTC)
TOKEN, KEY = "ShequTok3n2026", "LDuXK2sFiqxPVQQmNWhzXkGBr8BxYSEUvqMSa6JHHFk"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
QUESTION = "旧电池怎么扔？"
REPLY = Reply(
    "answer",
    "旧电池是有害垃圾，投红色桶。\n周六上午九点，楼下有专人收。\n依据：上海市生活垃圾管理条例（2019-07-01）",
    score=0.9,
)
XML = (
    "<xml><ToUserName><![CDATA[gh_green001]]></ToUserName><FromUserName><![CDATA[oRes01]]></FromUserName><CreateTime>"
    f"1788220800</CreateTime><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[{QUESTION}]]></Content>"
    "<MsgId>24500000000000001</MsgId></xml>"
)
AIBOT = {"msgid": "M1", "chatid": "wrk1", "chattype": "group", "from": {"userid": "zhangsan"}, "msgtype": "text"}


def best_us(work: Callable[[], object], rounds: int = 2000) -> float:
    """The least time of one call, of five runs, in microseconds."""
    return min(timeit.repeat(work, number=rounds, repeat=5)) / rounds * 1e6


def callback(receiveid: str, clear: str) -> tuple[dict[str, str], str]:
    sealed = MsgCrypt(TOKEN, KEY, receiveid).seal(clear.encode(), "n1", NOW)
    return {"msg_signature": sealed.signature, "timestamp": str(sealed.timestamp), "nonce": "n1"}, sealed.encrypt


def xml_request(receiveid: str) -> Request:
    query, encrypt = callback(receiveid, XML)
    return Request({}, query, f"<xml><ToUserName>x</ToUserName><Encrypt>{encrypt}</Encrypt></xml>".encode())


def aibot_request() -> Request:
    query, encrypt = callback("", json.dumps({**AIBOT, "text": {"content": f"@小绿 {QUESTION}"}}, ensure_ascii=False))
    return Request({}, query, json.dumps({"encrypt": encrypt}).encode())


def plain_request() -> Request:
    timestamp = str(int(NOW.timestamp()))
    query = {"signature": sign(TOKEN, timestamp, "n1"), "timestamp": timestamp, "nonce": "n1"}
    return Request({}, query, XML.encode())


def channels() -> list[tuple[str, Channel, Request]]:
    gateway = Webhook("gateway", SECRET)
    body = json.dumps({"id": "m1", "text": QUESTION, "user": "u1", "chat": "g1"}).encode()
    return [
        ("wechat_mp plain", WechatMp("mp", "wx1", TOKEN), plain_request()),
        ("wechat_mp secure", WechatMp("mp", "wx1", TOKEN, KEY), xml_request("wx1")),
        ("wecom_app", WecomApp("app", "ww1", 1000002, TOKEN, KEY), xml_request("ww1")),
        ("wecom_aibot", WecomAibot("aibot", "小绿", TOKEN, KEY), aibot_request()),
        ("webhook", gateway, Request(gateway.sign("msg_1", body, NOW), {}, body)),
        ("simulator", Simulator("try"), Request({}, {}, body)),
    ]


def main() -> None:
    """Print the table."""
    print(f"{'channel':<20}{'open us':>10}{'seal us':>10}")
    for name, channel, request in channels():
        inbound = channel.open(request, NOW)
        opening = best_us(lambda channel=channel, request=request: channel.open(request, NOW))
        sealing = best_us(lambda channel=channel, inbound=inbound: channel.seal(inbound, REPLY, NOW))
        print(f"{name:<20}{opening:>10.1f}{sealing:>10.1f}")
    crypt = MsgCrypt(TOKEN, KEY, "ww1")
    encrypt = crypt.encrypt(b"a" * 1000)
    print(f"{'crypto alone, 1 kB':<20}{best_us(lambda: crypt.decrypt(encrypt)):>10.1f}", end="")
    print(f"{best_us(lambda: crypt.encrypt(b'a' * 1000)):>10.1f}")


if __name__ == "__main__":
    main()
