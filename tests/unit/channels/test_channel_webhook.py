"""The webhook channel: signatures of the Standard Webhooks specification, both ways."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks.webhooks import Webhook as Signer

from bot.channels.contract import Request
from bot.channels.webhook import Webhook, delivery_body
from bot.errors import Refused
from bot.records import Delivery, Reply

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NOW = datetime(2026, 9, 1, tzinfo=UTC)
BODY = '{"id":"m1","text":"奶茶杯扔哪个桶","user":"u1","chat":"g1"}'


@pytest.fixture
def channel():
    return Webhook("gateway", SECRET)


def signed(body: str = BODY, message_id: str = "msg_1", at: datetime = NOW, **change: str) -> Request:
    headers = {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Signer(SECRET).sign(message_id, at, body),
    }
    headers.update({f"webhook-{key}": value for key, value in change.items()})
    return Request({key: value for key, value in headers.items() if value != "absent"}, {}, body.encode())


GOOD = signed().headers["webhook-signature"]


def test_the_identity_is_the_webhook_id_and_the_own_id_is_echoed(channel):
    inbound = channel.open(signed(), NOW)
    assert (inbound.message_id, inbound.sender, inbound.chat, inbound.text) == ("msg_1", "u1", "g1", "奶茶杯扔哪个桶")
    assert json.loads(channel.seal(inbound, Reply("answer", "干垃圾"), NOW).body)["id"] == "m1"


def test_a_message_without_an_id_is_answered_with_the_webhook_id(channel):
    inbound = channel.open(signed('{"text":"在吗"}'), NOW)
    assert json.loads(channel.seal(inbound, Reply("answer", "在"), NOW).body)["id"] == "msg_1"


@pytest.mark.parametrize(
    "signature",
    [
        pytest.param(GOOD, id="alone"),
        pytest.param(f"v1,AAAA {GOOD}", id="second"),
        pytest.param(f"{GOOD} v1,AAAA", id="first"),
        pytest.param(f"v1a,AAAA v2,BBBB {GOOD}", id="other-versions-ignored"),
    ],
)
def test_one_right_signature_of_several_is_enough(channel, signature):
    assert channel.open(signed(signature=signature), NOW).text == "奶茶杯扔哪个桶"


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        pytest.param(signed(signature="absent"), 403, id="no-signature"),
        pytest.param(signed(signature=""), 403, id="empty-signature"),
        pytest.param(signed(signature="v1"), 403, id="signature-without-comma"),
        pytest.param(signed(signature="v1,签名"), 403, id="signature-not-ascii"),
        pytest.param(signed(signature="v1,\udcff"), 403, id="signature-not-utf-8"),
        pytest.param(signed(signature=GOOD.replace("v1,", "v2,")), 403, id="right-but-other-version"),
        pytest.param(signed(signature=GOOD[3:]), 403, id="right-but-no-version"),
        pytest.param(signed(id="msg_2"), 403, id="other-id"),
        pytest.param(signed(id="absent"), 403, id="no-id"),
        pytest.param(signed(id="绿"), 400, id="id-not-ascii"),
        pytest.param(signed(id="a\tb"), 400, id="id-not-printable"),
        pytest.param(signed(message_id="m" * 201), 400, id="id-too-long"),
        pytest.param(signed(timestamp="absent"), 403, id="no-timestamp"),
        pytest.param(signed(timestamp="1788220800.0"), 403, id="timestamp-no-integer"),
        pytest.param(signed(timestamp="1788220801"), 403, id="timestamp-not-signed"),
        pytest.param(signed(at=NOW - timedelta(seconds=301)), 403, id="too-old"),
        pytest.param(signed(at=NOW + timedelta(seconds=301)), 403, id="too-new"),
        pytest.param(Request(signed().headers, {}, b"\xff"), 400, id="body-not-utf-8"),
        pytest.param(Request(signed().headers, {}, b"{}"), 403, id="other-body"),
    ],
)
def test_refused(channel, request_, status):
    with pytest.raises(Refused) as refused:
        channel.open(request_, NOW)
    assert refused.value.status == status


@pytest.mark.parametrize("off", [-300, 300])
def test_just_fresh_enough(channel, off):
    assert channel.open(signed(at=NOW + timedelta(seconds=off)), NOW).message_id == "msg_1"


def test_a_longest_id_is_accepted(channel):
    assert channel.open(signed(message_id="m" * 200), NOW).message_id == "m" * 200


def test_there_is_no_url_check(channel):
    with pytest.raises(Refused) as refused:
        channel.check_url(Request({}, {}, b""), NOW)
    assert refused.value.status == 405


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_绿", "whsec_A"])
def test_a_malformed_secret_does_not_start(secret):
    with pytest.raises(ValueError, match="secret"):
        Webhook("gateway", secret)


def test_the_library_verifies_our_deliveries(channel):
    delivery = Delivery("d1", "gateway", "g1", None, "luyuan", "今晚清运", options=("好", "不好"), link="https://x.cn")
    body = delivery_body(delivery, "g1", None)
    now = datetime.now(UTC)
    headers = channel.sign(delivery.delivery_id, body, now)
    assert Signer(SECRET).verify(body, headers) == {
        "type": "delivery",
        "delivery_id": "d1",
        "broadcast_id": None,
        "chat": "g1",
        "user": None,
        "text": "今晚清运",
        "options": ["好", "不好"],
        "link": "https://x.cn",
    }
    assert (headers["webhook-id"], headers["content-type"]) == ("d1", "application/json")
    assert headers["webhook-timestamp"] == str(int(now.timestamp()))
