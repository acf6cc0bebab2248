"""The crypto against every vector, against wechatpy, and at its edges."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from bot.channels import crypto
from bot.channels.crypto import MsgCrypt, check_fresh, check_query, check_signature, sign
from bot.errors import Refused

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "wechat-crypto-vectors.json").read_text("utf-8"))
ENCRYPTED = [pytest.param(vector, id=vector["id"]) for vector in VECTORS["published"] + VECTORS["generated"]]
BY_ID = {vector["id"]: vector for vector in VECTORS["published"] + VECTORS["generated"]}
KEY = "LDuXK2sFiqxPVQQmNWhzXkGBr8BxYSEUvqMSa6JHHFk"
NOW = datetime(2026, 9, 1, tzinfo=UTC)


def at(vector: dict[str, Any]) -> datetime:
    return datetime.fromtimestamp(int(vector["timestamp"]), UTC)


def crypt_of(vector: dict[str, Any]) -> MsgCrypt:
    random16 = vector.get("random16") or vector["expect"]["random16"]
    return MsgCrypt(vector["token"], vector["encoding_aes_key"], vector["receiveid"], lambda count: random16.encode())


def query_of(vector: dict[str, Any]) -> dict[str, str]:
    return {key: vector[key] for key in ("msg_signature", "timestamp", "nonce")}


def message_of(vector: dict[str, Any]) -> bytes:
    return (vector.get("msg") or vector["expect"]["msg"]).encode()


@pytest.mark.parametrize("vector", [pytest.param(v, id=v["id"]) for v in VECTORS["plain_signature"]])
def test_plain_signature_vectors(vector):
    query = {"signature": vector["signature"], "timestamp": vector["timestamp"], "nonce": vector["nonce"]}
    check_query(query, "signature", at(vector), vector["token"])


@pytest.mark.parametrize("vector", ENCRYPTED)
def test_vectors_open(vector):
    assert crypt_of(vector).open(query_of(vector), vector["encrypt"], at(vector)) == message_of(vector)


@pytest.mark.parametrize("vector", ENCRYPTED)
def test_vectors_seal(vector):
    sealed = crypt_of(vector).seal(message_of(vector), vector["nonce"], at(vector))
    assert sealed.encrypt == vector["encrypt"]
    assert sealed.signature == vector["msg_signature"]
    assert (str(sealed.timestamp), sealed.nonce) == (vector["timestamp"], vector["nonce"])


@pytest.mark.parametrize("negative", [pytest.param(v, id=v["id"]) for v in VECTORS["negative"]])
def test_negative_vectors_fail_at_their_stage(negative):
    vector = {**BY_ID[negative["based_on"]], **negative["change"]}
    with pytest.raises(Refused) as refused:
        crypt_of(vector).open(query_of(vector), vector["encrypt"], at(vector))
    assert refused.value.status == negative["expect"]["http"]
    assert refused.value.why.startswith(negative["expect"]["stage"] + ":")


def test_url_check_takes_an_echostr_whose_pluses_became_spaces():
    vector = BY_ID["own-aibot-echostr-plus"]
    query = {**query_of(vector), "echostr": vector["encrypt"].replace("+", " ")}
    assert crypt_of(vector).check_url(query, at(vector)) == message_of(vector)


@pytest.mark.parametrize("receiveid", ["wx0123456789abcdef", "ww0123456789abcdef", ""], ids=["mp", "app", "aibot"])
@pytest.mark.parametrize("length", [0, 1, 11, 12, 13, 31, 32, 33, 1000, 20480])
def test_wechatpy_reads_ours_and_we_read_theirs(receiveid, length, tencent):
    theirs = tencent(receiveid)
    ours = MsgCrypt(theirs.token, theirs.key, receiveid)
    text = ("垃" * length)[:length]
    query, encrypt = theirs.sealed(text)
    assert ours.open(query, encrypt, theirs.now) == text.encode()
    sealed = ours.seal(text.encode(), "n1", theirs.now)
    envelope = f"<xml><ToUserName/><Encrypt>{sealed.encrypt}</Encrypt></xml>"
    clear = theirs.crypto.decrypt_message(envelope, sealed.signature, str(sealed.timestamp), "n1")
    assert (clear if isinstance(clear, bytes) else clear.encode()) == text.encode()


@pytest.mark.parametrize(
    ("query", "why"),
    [
        pytest.param({}, "signature: its nonce", id="nothing"),
        pytest.param({"nonce": ""}, "signature: its nonce", id="nonce-empty"),
        pytest.param({"msg_signature": ""}, "signature: it is wrong", id="signature-empty"),
        pytest.param({"msg_signature": "签名" * 20}, "signature: it is wrong", id="signature-not-ascii"),
        pytest.param({"msg_signature": "\udcff" * 40}, "signature: it is wrong", id="signature-not-utf-8"),
        pytest.param({"nonce": "\ud800"}, "signature: it is wrong", id="nonce-not-utf-8"),
        pytest.param({"timestamp": "x"}, "signature: it is wrong", id="timestamp-not-signed"),
    ],
)
def test_a_faulty_query_is_403_whatever_is_wrong_with_it(query, why):
    good = {"timestamp": str(int(NOW.timestamp())), "nonce": "n"}
    good["msg_signature"] = sign("t", good["timestamp"], good["nonce"])
    with pytest.raises(Refused, match=why) as refused:
        check_query({**good, **query} if query else {}, "msg_signature", NOW, "t")
    assert refused.value.status == 403


@pytest.mark.parametrize(
    "timestamp",
    ["", " 1788220800", "+1788220800", "1e9", "-1", "１７８８２２０８００", "²", "9" * 5000, "1788220800.0", "\ud800"],
)
def test_a_timestamp_that_is_no_number_is_403_even_if_signed(timestamp):
    query = {"timestamp": timestamp, "nonce": "n", "signature": sign("t", timestamp, "n")}
    with pytest.raises(Refused, match="not a number") as refused:
        check_query(query, "signature", NOW, "t")
    assert refused.value.status == 403


@pytest.mark.parametrize(
    ("off", "fresh"),
    [
        pytest.param(-301, False, id="too-old"),
        pytest.param(-300, True, id="oldest"),
        pytest.param(300, True, id="newest"),
        pytest.param(301, False, id="too-new"),
    ],
)
def test_freshness_is_two_sided(off, fresh):
    seconds = int(NOW.timestamp()) + off
    if fresh:
        assert check_fresh(str(seconds), NOW) == seconds
        return
    with pytest.raises(Refused, match="stale") as refused:
        check_fresh(str(seconds), NOW)
    assert refused.value.status == 403


def encrypted(padded: bytes) -> str:
    """A ciphertext of anything, padded or not."""
    key = base64.b64decode(KEY + "=")
    encryptor = Cipher(AES(key), CBC(key[:16])).encryptor()
    return base64.b64encode(encryptor.update(padded) + encryptor.finalize()).decode()


FRAME = bytes(19) + b"\5hello"


@pytest.mark.parametrize(
    ("encrypt", "why"),
    [
        pytest.param("", "blocksize", id="empty"),
        pytest.param(encrypted(FRAME + b"\x07" * 7)[:-1] + "\n", "base64", id="base64-without-its-end"),
        pytest.param("A\nAAA" * 16, "base64", id="base64-in-lines"),
        pytest.param("%" + encrypted(FRAME + b"\x07" * 7), "base64", id="base64-and-a-stray-character"),
        pytest.param("密文", "base64", id="not-ascii"),
        pytest.param(encrypted(FRAME + b"\x01" + b"\x07" * 6), "padding", id="one-byte-of-the-padding-differs"),
        pytest.param(encrypted(b"\x20" * 16), "padding", id="more-padding-than-there-is"),
        pytest.param(encrypted(b"\x10" * 16), "short", id="nothing-but-padding"),
        pytest.param(encrypted(bytes(19) + b"\x0d" * 13), "short", id="one-byte-short-of-a-length"),
        pytest.param(encrypted(bytes(19) + b"\6hello" + b"\x07" * 7), "length", id="one-byte-too-long"),
        pytest.param(encrypted(bytes(19) + b"\4hello" + b"\x07" * 7), "receiveid", id="one-byte-left-over"),
    ],
)
def test_a_ciphertext_is_refused_for_its_first_fault(encrypt, why):
    with pytest.raises(Refused) as refused:
        MsgCrypt("t", KEY, "").decrypt(encrypt)
    assert refused.value.why.startswith(why + ":")
    assert refused.value.status == (403 if why == "receiveid" else 400)


def test_the_least_ciphertext_opens():
    assert MsgCrypt("t", KEY, "").decrypt(encrypted(FRAME + b"\x07" * 7)) == b"hello"


def test_signatures_are_compared_as_bytes_in_constant_time(monkeypatch):
    compared = []
    monkeypatch.setattr(crypto.hmac, "compare_digest", lambda *both: compared.append(both) or both[0] == both[1])
    check_signature(sign("a", "b"), "b", "a")
    assert [type(one) for both in compared for one in both] == [bytes, bytes]


@pytest.mark.parametrize(
    "key",
    [
        pytest.param("", id="empty"),
        pytest.param(KEY[:-1], id="short"),
        pytest.param(KEY + "A", id="long"),
        pytest.param("%" * 43, id="not-base64"),
        pytest.param("绿" * 43, id="not-ascii"),
    ],
)
def test_a_malformed_key_is_told_without_being_shown(key):
    with pytest.raises(ValueError, match="encoding_aes_key") as error:
        MsgCrypt("t", key, "")
    assert not key or key not in str(error.value)
