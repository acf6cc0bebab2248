"""`lvlin serve` as a process of its own: what it prints, how it ends, and what a kill leaves behind."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
import sqlite3
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from tests.scenario.callers import Call, ask, heard
from tests.scenario.conftest import write_config

ROOT = Path(__file__).parents[2]
QUESTION = "奶茶杯扔哪个桶"
PATIENCE = 120
"""Seconds until a test gives up on a process; the first one compiles the knowledge of the day."""


@pytest.fixture
def config(tmp_path, knowledge) -> Path:
    path = write_config(tmp_path, *knowledge)
    path.write_text(path.read_text() + "server: {port: 0}\n")
    return path


@asynccontextmanager
async def serving(config: Path) -> AsyncIterator[tuple[Process, str]]:
    """A running server and its address; killed at the end if it still runs."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "serve", "--config", str(config),
        cwd=ROOT, stdout=PIPE, stderr=PIPE, env={"LVLIN_SECRET": "a secret of the test site"},
    )  # fmt: skip
    try:
        async with asyncio.timeout(PATIENCE):
            printed = [(await process.stdout.readline()).decode() for _ in range(8)]
            assert "the simulator" in printed[0], (await process.stderr.read()).decode()
        for name in ("try", "mp", "app", "aibot", "gateway"):
            assert any(f"/channels/{name} " in line for line in printed)
        yield process, re.search(r"http://[0-9.:]+", printed[0])[0]
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def post(base: str, call: Call) -> tuple[int, bytes]:
    address = URL(base + call.target, encoded=True)
    async with aiohttp.ClientSession() as client, client.post(address, data=call.body, headers=call.headers) as answer:
        return answer.status, await answer.read()


async def ended(process: Process) -> tuple[int, str]:
    """Exit status and log of a process that is about to end."""
    async with asyncio.timeout(PATIENCE):
        _, log = await process.communicate()
    return process.returncode, log.decode()


def kept(config: Path) -> list[str]:
    """The message ids in the database, read by another program."""
    with closing(sqlite3.connect(config.parent / "data" / "lvlin.db")) as database:
        return [row[0] for row in database.execute("SELECT message_id FROM turns ORDER BY received_at")]


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
async def test_it_finishes_and_ends_with_0(config, told):
    async with serving(config) as (process, base):
        calls = [ask("app", QUESTION, datetime.now(UTC), message_id=str(n), user=f"u{n}") for n in range(20)]
        answers = [asyncio.create_task(post(base, call)) for call in calls]
        first = await answers[0]
        process.send_signal(told)
        outcomes = await asyncio.gather(*answers, return_exceptions=True)
        status, log = await ended(process)
    assert first[0] == 200
    assert "干垃圾" in heard("app", first[1])
    assert status == 0
    assert "Traceback" not in log
    answered = {str(n) for n, outcome in enumerate(outcomes) if isinstance(outcome, tuple) and outcome[0] == 200}
    assert answered <= set(kept(config))


async def test_what_was_acknowledged_survives_a_kill(config):
    async with serving(config) as (process, base):
        calls = [ask("app", QUESTION, datetime.now(UTC), message_id=str(n), user=f"u{n}") for n in range(60)]
        answers = [asyncio.create_task(post(base, call)) for call in calls]
        await asyncio.wait(answers, return_when=asyncio.FIRST_COMPLETED)
        process.kill()
        outcomes = await asyncio.gather(*answers, return_exceptions=True)
        await ended(process)
    acknowledged = [str(n) for n, outcome in enumerate(outcomes) if isinstance(outcome, tuple)]
    assert acknowledged
    found = kept(config)
    assert len(found) == len(set(found))
    assert set(acknowledged) <= set(found)
    async with serving(config) as (process, base):
        again = await post(base, calls[int(acknowledged[0])])
        assert (again[0], heard("app", again[1])) == (200, heard("app", outcomes[int(acknowledged[0])][1]))
    assert kept(config) == found


async def test_a_hangup_reads_the_knowledge_again(config, tmp_path):
    async with serving(config) as (process, _):
        process.send_signal(signal.SIGHUP)
        async with asyncio.timeout(PATIENCE):
            while b"knowledge loaded" not in (line := await process.stderr.readline()):
                assert line
        process.terminate()
        status, _ = await ended(process)
    assert status == 0


async def test_a_port_in_use_is_told_and_ends_with_1(config):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        config.write_text(config.read_text().replace("port: 0", f"port: {port}"))
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "serve", "--config", str(config), cwd=ROOT, stdout=PIPE, stderr=PIPE
        )
        status, log = await ended(process)
    assert status == 1
    assert f"lvlin: cannot listen on 127.0.0.1:{port}: Address already in use — stop the other program" in log
    assert "Traceback" not in log


async def test_no_secret_and_no_raw_id_is_logged(config):
    async with serving(config) as (process, base):
        now = datetime.now(UTC)
        await post(base, ask("app", QUESTION, now, user="raw-platform-id"))
        await post(base, ask("app", QUESTION, now, user="raw-platform-id").with_query(msg_signature="bad"))
        process.terminate()
        _, log = await ended(process)
    assert "turn kept" in log
    assert "request refused" in log
    for hidden in ("raw-platform-id", QUESTION, "ShequTok3n2026", "a secret of the test site"):
        assert hidden not in log


async def lvlin(config: Path, *arguments: str) -> tuple[int, str]:
    """Exit status and errors of a command run as a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", *arguments, "--config", str(config),
        cwd=ROOT, stdout=PIPE, stderr=PIPE, env={"LVLIN_SECRET": "a secret of the test site"},
    )  # fmt: skip
    return await ended(process)


async def test_a_second_server_on_one_database_is_refused(config):
    async with serving(config) as (process, base):
        status, told = await lvlin(config, "serve")
        assert status == 1
        store = config.parent / "data" / "lvlin.db"
        assert f"lvlin: another server (process {process.pid}) works with {store} — stop it first" in told
        assert "Traceback" not in told
        assert (await post(base, ask("app", QUESTION, datetime.now(UTC))))[0] == 200, "the first goes on"
        process.kill()
        await ended(process)
    async with serving(config) as (_, base):
        assert (await post(base, ask("app", QUESTION, datetime.now(UTC))))[0] == 200, "a kill leaves no lock behind"


async def test_a_link_to_the_database_is_the_same_database(config, tmp_path):
    other = tmp_path / "other.yaml"
    (tmp_path / "linked.db").symlink_to(config.parent / "data" / "lvlin.db")
    other.write_text(config.read_text().replace("sqlite:data/lvlin.db", "sqlite:linked.db"))
    async with serving(config) as (process, _):
        status, told = await lvlin(other, "serve")
    assert (status, f"process {process.pid}" in told) == (1, True)


async def test_commands_work_beside_a_server(config, tmp_path):
    async with serving(config) as (_, base):
        assert (await post(base, ask("app", QUESTION, datetime.now(UTC), message_id="1", user="u1")))[0] == 200
        for arguments in (
            ("export", "turns"), ("metrics",), ("me", "app:u1"), ("ask", "--keep", QUESTION), ("forget", "app:u1"),
            ("db", "upgrade"), ("db", "backup", str(tmp_path / "copy.db")),
        ):  # fmt: skip
            assert (await lvlin(config, *arguments))[0] == 0, arguments
        assert (await post(base, ask("app", QUESTION, datetime.now(UTC), message_id="2")))[0] == 200
    assert len(kept(config)) == 3
