"""WXBizMsgCrypt: the signature and the AES envelope of Tencent's callbacks (wechat-protocol.md, section 8).

Checks run in the order signature, base64, blocksize, padding, short, length, receiveid; the reason of a refusal begins
with that word. Nothing is decrypted before its signature was right.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from bot.channels.contract import STALE_SECONDS
from bot.errors import Refused

_BLOCK = 32  # of the padding; the cipher's own is 16
_CIPHER_BLOCK = 16
_HEAD = 20  # 16 random bytes and the length
_PADS = tuple(bytes([n]) * n for n in range(_BLOCK + 1))
_TIMESTAMP_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Sealed:
    """An encrypted, signed reply; `timestamp` in Unix seconds."""

    encrypt: str
    signature: str
    timestamp: int
    nonce: str


def sign(*parts: str) -> str:
    """SHA-1 in hex of the sorted parts: what Tencent calls signature and msg_signature."""
    return hashlib.sha1(_bytes("".join(sorted(parts)))).hexdigest()


def check_signature(given: str, *parts: str) -> None:
    """Raises Refused(403) unless `given` is the signature of the parts; compared as bytes, in constant time."""
    if not hmac.compare_digest(_bytes(given), _bytes(sign(*parts))):
        raise Refused(403, "signature: it is wrong")


def check_fresh(timestamp: str, now: datetime) -> int:
    """The Unix seconds of a signed timestamp. Raises Refused(403) unless they are near `now`."""
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= _TIMESTAMP_DIGITS):
        raise Refused(403, "signature: its timestamp is missing or not a number")
    seconds = int(timestamp)
    if abs(now.timestamp() - seconds) > STALE_SECONDS:
        raise Refused(403, "signature: it is stale")
    return seconds


def check_query(query: Mapping[str, str], name: str, now: datetime, token: str, *parts: str) -> None:
    """Check the signature parameter `name` over token, timestamp, nonce and `parts`. Raises Refused(403)."""
    timestamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
    if not nonce:
        raise Refused(403, "signature: its nonce is missing")
    check_signature(query.get(name, ""), token, timestamp, nonce, *parts)
    check_fresh(timestamp, now)


class MsgCrypt:
    """The keys of one channel. `receiveid` is the app id, the corp id, or "" for an AI bot."""

    __slots__ = ("_cipher", "_random_bytes", "_receiveid", "_token")

    def __init__(
        self,
        token: str,
        encoding_aes_key: str,
        receiveid: str,
        random_bytes: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        """Raises ValueError if `encoding_aes_key` is not the 43 characters the console shows."""
        key = _decode_key(encoding_aes_key)
        self._token = token
        self._receiveid = receiveid.encode("utf-8")
        self._cipher = Cipher(AES(key), CBC(key[:16]))
        self._random_bytes = random_bytes

    def open(self, query: Mapping[str, str], encrypt: str, now: datetime) -> bytes:
        """Verify and decrypt a request. Raises Refused: 403 forged, stale, for another receiver; 400 malformed."""
        check_query(query, "msg_signature", now, self._token, encrypt)
        return self.decrypt(encrypt)

    def check_url(self, query: Mapping[str, str], now: datetime) -> bytes:
        """The clear text of an encrypted URL check. Raises Refused: 403 forged or stale, 400 malformed."""
        # Base64 holds no spaces: one is a raw plus that the query decoder turned (wechat-protocol.md, section 9).
        return self.open(query, query.get("echostr", "").replace(" ", "+"), now)

    def seal(self, message: bytes, nonce: str, now: datetime) -> Sealed:
        """Encrypt and sign a reply; `nonce` is that of the request."""
        encrypt = self.encrypt(message)
        timestamp = int(now.timestamp())
        return Sealed(encrypt, sign(self._token, str(timestamp), nonce, encrypt), timestamp, nonce)

    def decrypt(self, encrypt: str) -> bytes:
        """The message in a ciphertext whose signature was checked. Raises Refused: 403 for receiveid, else 400."""
        frame = _unpad(self._decipher(encrypt))
        if len(frame) < _HEAD:
            raise Refused(400, "short: no room for a length")
        end = _HEAD + int.from_bytes(frame[16:_HEAD], "big")
        if end > len(frame):
            raise Refused(400, "length: more than there is")
        if not hmac.compare_digest(frame[end:], self._receiveid):
            raise Refused(403, "receiveid: meant for another receiver")
        return frame[_HEAD:end]

    def encrypt(self, message: bytes) -> str:
        """The ciphertext of a message, as standard base64."""
        frame = b"".join((self._random_bytes(16), len(message).to_bytes(4, "big"), message, self._receiveid))
        encryptor = self._cipher.encryptor()
        padded = frame + _PADS[_BLOCK - len(frame) % _BLOCK]
        return base64.b64encode(encryptor.update(padded) + encryptor.finalize()).decode("ascii")

    def _decipher(self, encrypt: str) -> bytes:
        try:
            ciphertext = binascii.a2b_base64(encrypt, strict_mode=True)
        except ValueError as exc:
            raise Refused(400, "base64: the ciphertext is none") from exc
        if not ciphertext or len(ciphertext) % _CIPHER_BLOCK:
            raise Refused(400, "blocksize: the ciphertext is not whole blocks")
        decryptor = self._cipher.decryptor()
        return decryptor.update(ciphertext) + decryptor.finalize()


def _unpad(padded: bytes) -> bytes:
    count = padded[-1]
    if not 1 <= count <= _BLOCK or not padded.endswith(_PADS[count]):
        raise Refused(400, "padding: it is not PKCS#7 of 32")
    return padded[:-count]


def _decode_key(encoding_aes_key: str) -> bytes:
    try:
        key = binascii.a2b_base64(encoding_aes_key + "=", strict_mode=True)
    except ValueError as exc:
        raise ValueError("encoding_aes_key is not base64") from exc
    if len(key) != 32:
        raise ValueError("encoding_aes_key is not 43 characters long")
    return key


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
