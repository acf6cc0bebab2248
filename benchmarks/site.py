"""A site of its own in a folder, and the server of it as a process of its own."""

from __future__ import annotations

import json
import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from benchmarks.callbacks import AES_KEY, AGENT_ID, APP_ID, CORP_ID, TOKEN, WEBHOOK_SECRET

ROOT = Path(__file__).parents[1]
KNOWLEDGE = ROOT / "knowledge"
LVLIN = (sys.executable, "-m", "bot")
"""The command line, started without its installed script."""

HOST = "127.0.0.1"
_CONFIG = f"""\
site: {{name: 绿苑社区, city: shanghai}}
server: {{host: {HOST}, port: %(port)d}}
store: {{url: "sqlite:lvlin.db"}}
knowledge: %(knowledge)s
channels:
  app: {{type: wecom_app, corp_id: {CORP_ID}, agent_id: {AGENT_ID}, token: {TOKEN}, encoding_aes_key: {AES_KEY}}}
  mp: {{type: wechat_mp, app_id: {APP_ID}, token: {TOKEN}, encoding_aes_key: {AES_KEY}}}
  gateway: {{type: webhook, secret: {WEBHOOK_SECRET}}}
"""
_PORTS = range(20_000, 30_000)
_PATIENCE_SECONDS = 60.0
_TICKS = os.sysconf("SC_CLK_TCK")


class ServerFailed(Exception):
    """The server ended, or did not get ready; the message holds the end of its log."""


def questions(seed: int = 1) -> list[str]:
    """The texts of the question files, shuffled."""
    files = sorted((ROOT / "tests/questions").glob("*.jsonl"))
    texts = [json.loads(line)["text"] for file in files for line in file.read_text("utf-8").splitlines()]
    random.Random(seed).shuffle(texts)
    return texts


def make_site(folder: Path, *, port: int, knowledge: Path = KNOWLEDGE) -> Path:
    """A site with an app, an official account and a gateway; its config.yaml. The database is `lvlin.db` beside it."""
    config = folder / "config.yaml"
    config.write_text(_CONFIG % {"port": port, "knowledge": knowledge}, "utf-8")
    return config


def free_port() -> int:
    """A port nobody listens on. It is none the system gives to outgoing connections: a client that knocks while the
    server is down would otherwise sooner or later be connected to itself."""
    for port in random.sample(_PORTS, 100):
        with socket.socket() as taken, suppress(OSError):
            taken.bind((HOST, port))
            return port
    raise OSError("no port is free")


class Server:
    """A server process. `log` gets what it says."""

    def __init__(self, command: Sequence[str | Path], port: int, log: Path, core: int | None = None) -> None:
        """Start it; `core`: the only processor it may use."""
        self.address = (HOST, port)
        self._log = log
        self._began = time.perf_counter()
        with log.open("ab") as out:
            self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        if core is not None:
            os.sched_setaffinity(self._process.pid, {core})

    def wait_until_ready(self, path: str = "/readyz") -> float:
        """Wait until `path` is answered with 200; the seconds since the start. Raises ServerFailed."""
        while not self._answers(path):
            if self._process.poll() is not None or time.perf_counter() - self._began > _PATIENCE_SECONDS:
                self.kill()
                raise ServerFailed(self._log.read_text("utf-8")[-2000:])
            time.sleep(0.005)
        return time.perf_counter() - self._began

    def _answers(self, path: str) -> bool:
        with suppress(OSError), socket.create_connection(self.address, timeout=2) as asking:
            asking.sendall(f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode())
            return asking.recv(4096).startswith(b"HTTP/1.1 200")
        return False

    def kill(self) -> None:
        """SIGKILL, and wait for the end."""
        self._process.kill()
        self._process.wait()

    def terminate(self) -> tuple[int, float]:
        """SIGTERM; the exit status and the seconds it took to end."""
        began = time.perf_counter()
        self._process.terminate()
        status = self._process.wait(_PATIENCE_SECONDS)
        return status, time.perf_counter() - began

    def cpu_seconds(self) -> float:
        """Processor time used by all its threads."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def resident_mb(self) -> float:
        """Resident memory, in MB."""
        for line in Path(f"/proc/{self._process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024 / 1e6
        raise ServerFailed("the server has ended")


@contextmanager
def serving(folder: Path, *, core: int | None = None) -> Iterator[Server]:
    """A site in `folder`, served and ready."""
    port = free_port()
    config = make_site(folder, port=port)
    server = Server((*LVLIN, "serve", "--config", config), port, folder / "server.log", core)
    server.wait_until_ready()
    try:
        yield server
    finally:
        server.terminate()


@contextmanager
def pinned(core: int) -> Iterator[None]:
    """This process on one processor only."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
