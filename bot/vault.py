"""What keeps residents unknown: pseudonyms, sealed addresses and the site's secret they are derived from."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bot.errors import LvlinError

LEAST_SECRET_BYTES = 16
"""A shorter site secret is refused: it could be guessed."""

_SALT = b"lvlin site secret"
_PSEUDONYM_USE = b"lvlin pseudonym 1"
_ADDRESS_USE = b"lvlin address 1"  # also the associated data of every sealed address
_PREFIX = "u_"
_PSEUDONYM_BYTES = 16
_NONCE_BYTES = 12
_SECRET_FILE_BYTES = 32


class VaultError(LvlinError):
    """A sealed address was changed or sealed under another secret, or the site's secret cannot be used."""


class Vault:
    """Turns platform ids into pseudonyms and seals addresses, with keys derived from one secret."""

    def __init__(self, secret: bytes) -> None:
        """Raises VaultError for a secret shorter than LEAST_SECRET_BYTES."""
        if len(secret) < LEAST_SECRET_BYTES:
            raise VaultError(f"the site secret has {len(secret)} bytes — use at least {LEAST_SECRET_BYTES}")
        self._pseudonym_key = _derived(secret, _PSEUDONYM_USE)
        self._cipher = AESGCM(_derived(secret, _ADDRESS_USE))

    def pseudonym(self, channel: str, platform_id: str) -> str:
        """The pseudonym of a platform's user on a channel: always the same, and not to be traced without the secret."""
        named = channel.encode("utf-8", "surrogatepass")
        # The length goes first so that ("ab", "c") and ("a", "bc") are different people.
        told = len(named).to_bytes(4, "big") + named + platform_id.encode("utf-8", "surrogatepass")
        digest = hmac.new(self._pseudonym_key, told, hashlib.sha256).digest()
        return _PREFIX + digest[:_PSEUDONYM_BYTES].hex()

    def seal(self, address: Mapping[str, str]) -> bytes:
        """An address to write back to, unreadable and unchangeable without the secret: nonce, ciphertext, tag."""
        nonce = os.urandom(_NONCE_BYTES)
        plain = json.dumps(dict(address)).encode("ascii")
        return nonce + self._cipher.encrypt(nonce, plain, _ADDRESS_USE)

    def open(self, sealed: bytes) -> dict[str, str]:
        """The address that was sealed. Raises VaultError when it was changed or sealed under another secret."""
        try:
            plain = self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], _ADDRESS_USE)
        except (InvalidTag, ValueError) as exc:
            raise VaultError("a sealed address was changed or sealed under another secret") from exc
        address: dict[str, str] = json.loads(plain)
        return address


def random_pseudonym() -> str:
    """A fresh pseudonym that leads nowhere."""
    return _PREFIX + secrets.token_hex(_PSEUDONYM_BYTES)


def load_site_secret(path: Path, env_value: str | None) -> bytes:
    """The site's secret: `env_value` when given, else the content of the file `path`, made once if it is absent.

    Raises VaultError when the file is empty, readable by others, or cannot be read or made.
    """
    if env_value:
        return env_value.encode()
    try:
        _make_once(path)
        return _read_private(path)
    except OSError as exc:
        raise VaultError(f"the site secret cannot be read or made ({path}): {exc.strerror}") from exc


def _derived(secret: bytes, use: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=_SALT, info=use).derive(secret)


def _make_once(path: Path) -> None:
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    # Written aside and linked into place: a second process starting now finds all of the secret or none of it.
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(_SECRET_FILE_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        _link_unless_there(draft, path)
    finally:
        draft.unlink()


def _link_unless_there(draft: Path, path: Path) -> None:
    try:
        os.link(draft, path)
    except FileExistsError:
        return  # another process was first; its secret counts
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _read_private(path: Path) -> bytes:
    with path.open("rb") as file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        if mode & stat.S_IRWXO:
            raise VaultError(f"others may read or write the site secret ({path}, mode {mode:o}) — chmod 600 {path}")
        secret = file.read().strip()
    if not secret:
        raise VaultError(
            f"the site secret is empty ({path}) — restore your copy of it, or delete the file for a new one"
        )
    return secret
