"""Logs: one event is one line, and no secret is in it."""

from __future__ import annotations

import json
import logging
import sys
import warnings
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.logs import HIDDEN, Redactor, configure

KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
CANARY = "hunter2hunter2"
log = logging.getLogger("lvlin.test")


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    """The logging of the other tests, afterwards."""
    root = logging.getLogger()
    before = (root.level, list(root.handlers))
    yield
    logging.captureWarnings(False)
    root.handlers[:] = before[1]
    root.setLevel(before[0])


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err.splitlines()


def one(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The only line, read as JSON."""
    (line,) = lines(capsys)
    event: dict[str, Any] = json.loads(line)
    return event


def test_an_event_is_one_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    configure("INFO", True, [])
    log.info("turn kept", extra={"action": "answer", "entry": "items/奶茶杯", "score": 0.97, "topic": None})
    line = capsys.readouterr().err
    assert "奶茶杯" in line
    event = json.loads(line)
    moment = datetime.fromisoformat(event.pop("time"))
    assert moment.utcoffset() is not None
    assert event == {
        "level": "INFO",
        "logger": "lvlin.test",
        "message": "turn kept",
        "action": "answer",
        "entry": "items/奶茶杯",
        "score": 0.97,
        "topic": None,
    }


def test_time_is_utc(capsys: pytest.CaptureFixture[str]) -> None:
    configure("INFO", True, [])
    record = log.makeRecord(log.name, logging.INFO, __file__, 1, "x", (), None)
    record.created = 1_790_000_000.25
    logging.getLogger().handle(record)
    assert one(capsys)["time"] == "2026-09-21T14:13:20.250Z"


def test_levels_below_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    configure("WARNING", True, [])
    log.info("quiet")
    log.warning("loud")
    assert one(capsys)["message"] == "loud"


def test_configuring_again_replaces(capsys: pytest.CaptureFixture[str]) -> None:
    configure("INFO", True, [])
    configure("INFO", True, [])
    log.info("once")
    assert one(capsys)["message"] == "once"


@pytest.mark.parametrize("json_lines", [pytest.param(True, id="json"), pytest.param(False, id="plain")])
@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a\nlvlin: forged", id="line-feed"),
        pytest.param("a\r\nb", id="carriage-return"),
        pytest.param("a\x1b[31mred", id="ansi"),
        pytest.param("a\x9b31m", id="c1"),
        pytest.param("a\u2028b\u2029c\x85d", id="unicode-lines"),
        pytest.param("a\x00b", id="nul"),
    ],
)
def test_an_event_stays_on_one_line(capsys: pytest.CaptureFixture[str], text: str, json_lines: bool) -> None:
    configure("INFO", json_lines, [])
    log.info(text, extra={"beside": text})
    (line,) = lines(capsys)
    assert line.isprintable()
    if json_lines:
        assert (json.loads(line)["message"], json.loads(line)["beside"]) == (text, text)


def test_a_traceback_is_in_the_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure("INFO", True, [])
    fail(log, "no room")
    event = one(capsys)
    assert event["message"] == "it failed"
    assert event["exception"].startswith("Traceback (most recent call last):\n")
    assert event["exception"].endswith("ValueError: no room")


def test_a_traceback_stands_on_lines_of_its_own_for_a_person(capsys: pytest.CaptureFixture[str]) -> None:
    configure("INFO", False, [])
    fail(log, "no\x1b[31m room")
    first, *rest = lines(capsys)
    assert first.endswith("ERROR   lvlin.test it failed place=x")
    assert rest[0] == "Traceback (most recent call last):"
    assert rest[-1] == "ValueError: no\\u001b[31m room"


def fail(logger: logging.Logger, why: str) -> None:
    try:
        raise ValueError(why)
    except ValueError:
        logger.exception("it failed", extra={"place": "x"})


SECRETS = [
    pytest.param(CANARY, CANARY, id="configured"),
    pytest.param(f"x{CANARY}y", CANARY, id="inside-a-word"),
    pytest.param(KEY, KEY, id="aes-key"),
    pytest.param(f"key {KEY}=", KEY, id="padded-aes-key"),
    pytest.param("whsec_QUJDREVGR0g=", "QUJDREVGR0g", id="whsec"),
    pytest.param("https://h/cgi-bin/x?access_token=QUJD-_123&debug=1", "QUJD-_123", id="access-token"),
    pytest.param("https://h/webhook/send?key=693a91f6-7xxx", "693a91f6", id="robot-key"),
    pytest.param("https://h/aibot/response?response_code=RC123", "RC123", id="response-code"),
    pytest.param("https://h/gettoken?corpid=w&corpsecret=s3cr3t", "s3cr3t", id="corpsecret"),
    pytest.param("url=https%3A%2F%2Fh%3Faccess_token%3DQUJDx", "QUJDx", id="percent-encoded"),
    pytest.param("{'access_token': 'QUJDx', 'a': 1}", "QUJDx", id="repr-of-a-mapping"),
    pytest.param('{"access_token": "QUJDx"}', "QUJDx", id="json"),
    pytest.param("ACCESS_TOKEN=QUJDx", "QUJDx", id="capitals"),
]


@pytest.mark.parametrize("json_lines", [pytest.param(True, id="json"), pytest.param(False, id="plain")])
@pytest.mark.parametrize(("text", "secret"), SECRETS)
def test_secrets_are_hidden(capsys: pytest.CaptureFixture[str], text: str, secret: str, json_lines: bool) -> None:
    configure("INFO", json_lines, [CANARY, "", "ab"])
    log.info(text)
    log.info("beside %s", text)
    log.info("beside", extra={"url": text, "more": {"deep": [text, (text,)]}, "error": OSError(text)})
    fail(log, text)
    log.info("stack", extra={"name_of": text}, stack_info=True)
    written = capsys.readouterr().err
    assert secret not in written
    assert HIDDEN in written


def test_what_is_named_a_secret_is_hidden(capsys: pytest.CaptureFixture[str]) -> None:
    configure("INFO", True, [])
    log.info("x", extra={"access_token": "abc", "more": {"app_secret": 12345, "tokens": 3}, "key": None})
    event = one(capsys)
    assert (event["access_token"], event["more"], event["key"]) == (HIDDEN, {"app_secret": HIDDEN, "tokens": 3}, None)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("abcdefghijklmnopqrstuvwxyz0123456789ABCDEF", id="42-letters"),
        pytest.param(KEY + "H", id="44-letters"),
        pytest.param("key 'a' stands twice", id="a-key-in-words"),
        pytest.param("u_0123456789abcdef0123456789abcdef", id="pseudonym"),
        pytest.param("grab a cab", id="short-secrets-are-words"),
    ],
)
def test_other_words_stay(text: str) -> None:
    assert Redactor(["ab"]).text(text) == text


def test_the_longest_secret_is_hidden_whole() -> None:
    assert Redactor(["abcd", "abcdefgh"]).text("abcdefgh") == HIDDEN


@given(st.text(min_size=4, max_size=30), st.text(max_size=30), st.text(max_size=30))
def test_a_configured_secret_never_stays(secret: str, before: str, after: str) -> None:
    text = Redactor([secret]).text(before + secret + after)
    assert secret not in text.replace(HIDDEN, "\uffff")


@pytest.mark.parametrize(
    ("value", "written"),
    [
        pytest.param(float("nan"), "nan", id="nan"),
        pytest.param(b"secret bytes", "12 bytes", id="bytes"),
        pytest.param(Path("a/b"), "a/b", id="path"),
        pytest.param({1: {"x"}}, {"1": ["x"]}, id="mapping"),
        pytest.param(True, True, id="bool"),
        pytest.param(10**30, 10**30, id="large"),
    ],
)
def test_any_extra_can_be_written(capsys: pytest.CaptureFixture[str], value: object, written: object) -> None:
    configure("INFO", True, [])
    log.info("x", extra={"value": value})
    assert one(capsys)["value"] == written


def test_an_extra_does_not_replace_what_every_line_has(capsys: pytest.CaptureFixture[str]) -> None:
    configure("INFO", True, [])
    log.info("x", extra={"level": "calm", "time": "noon"})
    event = one(capsys)
    assert (event["level"], event["extra_level"], event["extra_time"]) == ("INFO", "calm", "noon")


class _Unspeakable:
    def __str__(self) -> str:
        raise RuntimeError(CANARY)


def test_a_record_that_cannot_be_written_is_told_without_its_content(capsys: pytest.CaptureFixture[str]) -> None:
    configure("INFO", True, [])
    log.info("x", extra={"value": _Unspeakable()})
    log.info("%d", CANARY)
    events = [json.loads(line) for line in lines(capsys)]
    assert [event["message"] for event in events] == ["a log record cannot be written"] * 2
    assert CANARY not in str(events)


def test_a_lone_surrogate_is_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # Standard error of Python has this error handler; a test's stand-in has not.
    with (tmp_path / "err").open("w", encoding="utf-8", errors="backslashreplace") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        configure("INFO", True, [])
        log.info("a\udcffb")
    assert json.loads((tmp_path / "err").read_text(encoding="utf-8"))["message"] == "a\udcffb"


def test_warnings_are_logged(capsys: pytest.CaptureFixture[str]) -> None:
    configure("INFO", True, [CANARY])
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(False)
        logging.captureWarnings(True)
        warnings.warn(f"old {CANARY}", stacklevel=1)
    event = one(capsys)
    assert (event["level"], event["logger"]) == ("WARNING", "py.warnings")
    assert CANARY not in str(event)
