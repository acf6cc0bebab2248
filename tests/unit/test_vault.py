"""bot/vault.py: pseudonyms, sealed addresses, the site's secret."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.vault import Vault, VaultError, load_site_secret, random_pseudonym

SECRET = b"0123456789abcdef0123456789abcdef"


def test_a_pseudonym_is_always_the_same_and_fits_its_shape() -> None:
    pseudonym = Vault(SECRET).pseudonym("gateway", "wang")
    assert pseudonym == Vault(SECRET).pseudonym("gateway", "wang")
    # Reckoned by hand with hmac (RFC 5869). Another value would make every known resident a new person.
    assert pseudonym == "u_8d55bf3daae2ebdd87b4c09bdfb583f9"


@pytest.mark.parametrize(
    ("secret", "channel", "platform_id"),
    [
        pytest.param(SECRET[::-1], "gateway", "wang", id="another-secret"),
        pytest.param(SECRET, "mp", "wang", id="another-channel"),
        pytest.param(SECRET, "gateway", "li", id="another-person"),
        pytest.param(SECRET, "gatewa", "ywang", id="another-border"),
        pytest.param(SECRET, "gateway", "wang\ud83d", id="lone-surrogate"),
    ],
)
def test_another_person_has_another_pseudonym(secret: bytes, channel: str, platform_id: str) -> None:
    assert Vault(secret).pseudonym(channel, platform_id) != Vault(SECRET).pseudonym("gateway", "wang")


def test_random_pseudonyms_look_the_same_and_differ() -> None:
    pseudonyms = {random_pseudonym() for _ in range(100)}
    assert len(pseudonyms) == 100
    assert {(p[:2], len(p)) for p in pseudonyms} == {("u_", 34)}


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=40), max_size=4))
def test_what_is_sealed_can_be_opened(address: dict[str, str]) -> None:
    assert Vault(SECRET).open(Vault(SECRET).seal(address)) == address


def test_a_seal_hides_the_address_and_never_repeats() -> None:
    vault = Vault(SECRET)
    sealed = {vault.seal({"open_id": "wang"}) for _ in range(20)}
    assert len(sealed) == 20
    assert not any(b"wang" in one or b"open_id" in one for one in sealed)


def _flipped(sealed: bytes, at: int) -> bytes:
    return sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]


SEALED = Vault(SECRET).seal({"open_id": "wang"})


@pytest.mark.parametrize(
    "sealed",
    [
        *(pytest.param(_flipped(SEALED, at), id=f"byte-{at}-flipped") for at in range(len(SEALED))),
        *(pytest.param(SEALED[:length], id=f"cut-to-{length}") for length in (0, 1, 11, 12, 13, 28, len(SEALED) - 1)),
        pytest.param(SEALED + b"\0", id="longer"),
        pytest.param(Vault(SECRET[::-1]).seal({"open_id": "wang"}), id="another-secret"),
    ],
)
def test_a_changed_seal_is_refused(sealed: bytes) -> None:
    with pytest.raises(VaultError, match="changed or sealed under another secret"):
        Vault(SECRET).open(sealed)


@pytest.mark.parametrize("secret", [pytest.param(b"", id="empty"), pytest.param(b"x" * 15, id="one-byte-short")])
def test_a_short_secret_is_refused(secret: bytes) -> None:
    with pytest.raises(VaultError, match="at least 16"):
        Vault(secret)


def test_sixteen_bytes_are_enough() -> None:
    assert Vault(b"x" * 16).open(Vault(b"x" * 16).seal({"a": "b"})) == {"a": "b"}


def test_the_environment_wins_and_makes_no_file(tmp_path: Path) -> None:
    path = tmp_path / "site_secret"
    assert load_site_secret(path, "from the environment") == b"from the environment"
    assert not path.exists()


@pytest.mark.parametrize("env_value", [pytest.param(None, id="unset"), pytest.param("", id="empty")])
def test_without_it_a_secret_is_made_once(tmp_path: Path, env_value: str | None) -> None:
    path = tmp_path / "data" / "site_secret"
    secret = load_site_secret(path, env_value)
    assert len(bytes.fromhex(secret.decode())) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_site_secret(path, env_value) == secret
    assert [file.name for file in path.parent.iterdir()] == ["site_secret"]
    assert load_site_secret(tmp_path / "other", env_value) != secret


@pytest.mark.parametrize("mode", [pytest.param(0o604, id="read"), pytest.param(0o602, id="write")])
def test_a_secret_that_others_may_touch_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "site_secret"
    path.write_text("s" * 64)
    path.chmod(mode)
    with pytest.raises(VaultError, match="chmod 600"):
        load_site_secret(path, None)
    path.chmod(0o640)
    assert load_site_secret(path, None) == b"s" * 64


@pytest.mark.parametrize("content", [pytest.param("", id="nothing"), pytest.param(" \n", id="blank")])
def test_an_empty_secret_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "site_secret"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(VaultError, match="is empty"):
        load_site_secret(path, None)


def test_a_secret_that_cannot_be_made_says_why(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(VaultError, match="cannot be read or made"):
        load_site_secret(tmp_path / "file" / "site_secret", None)
    (tmp_path / "site_secret").mkdir(mode=0o700)
    with pytest.raises(VaultError, match="cannot be read or made"):
        load_site_secret(tmp_path / "site_secret", None)
