"""The whole app on a socket of its own: a test site with every channel type, a clock that stands still."""

from __future__ import annotations

import io
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from yarl import URL

from bot.app import App, build
from bot.brain import compiled
from bot.records import Turn
from bot.settings import load
from tests.scenario.callers import APP_ID, CORP_ID, KEY, SECRET, TOKEN, Call

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
KNOWLEDGE = Path(__file__).parents[2] / "knowledge"
CONFIG = f"""
site: {{name: 绿苑社区, city: shanghai, timezone: Asia/Shanghai}}
knowledge: {{knowledge}}
store: {{{{url: "sqlite:data/lvlin.db"}}}}
secret: ${{{{LVLIN_SECRET}}}}
staff:
  - {{{{channel: gateway, user: boss, name: 张三, role: editor}}}}
  - {{{{channel: gateway, user: watcher, name: 李四, role: viewer}}}}
  - {{{{channel: try, user: pretender, name: 王五, role: admin}}}}
channels:
  try: {{{{type: simulator}}}}
  mp: {{{{type: wechat_mp, app_id: {APP_ID}, token: {TOKEN}, encoding_aes_key: {KEY}}}}}
  app: {{{{type: wecom_app, corp_id: {CORP_ID}, token: {TOKEN}, encoding_aes_key: {KEY}}}}}
  aibot: {{{{type: wecom_aibot, name: 小绿, token: {TOKEN}, encoding_aes_key: {KEY}}}}}
  gateway: {{{{type: webhook, secret: {SECRET}, deliver_url: {{deliver_url}}}}}}
""".replace("{{", "{").replace("}}", "}")


@dataclass
class Clock:
    """Tells the time it was set to."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Answer:
    """What came back."""

    status: int
    body: bytes
    headers: dict[str, str]


@dataclass
class Site:
    """A running app and a client that knows nothing of it."""

    app: App
    port: int
    clock: Clock
    client: aiohttp.ClientSession

    async def call(self, call: Call) -> Answer:
        """Send one request, its query exactly as it stands."""
        address = URL(f"http://127.0.0.1:{self.port}{call.target}", encoded=True)
        async with self.client.request(
            call.method, address, data=io.BytesIO(call.body) if call.body else None, headers=call.headers,
            skip_auto_headers=("Content-Type",),
            allow_redirects=False,
        ) as answer:  # fmt: skip
            return Answer(answer.status, await answer.read(), dict(answer.headers))

    async def turns(self) -> list[Turn]:
        """Everything kept, oldest first."""
        return [turn async for turn in self.app.store.turns()]


@pytest.fixture(scope="session")
def knowledge(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A copy of the shipped knowledge, and a folder with its compiled form: compiled once for all tests."""
    folder = tmp_path_factory.mktemp("site") / "knowledge"
    shutil.copytree(KNOWLEDGE, folder)
    cache = folder.parent / "cache"
    shared = tmp_path_factory.getbasetemp().parent / "compiled"
    compiled(folder, shared, "shanghai", NOW.date())
    shutil.copytree(shared, cache)
    return folder, cache


def write_config(folder: Path, knowledge: Path, cache: Path | None, deliver_url: str = "http://127.0.0.1:9/") -> Path:
    """A site's folder with its config.yaml; `cache`: where compiled knowledge is found."""
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    if cache and not (data / "knowledge-cache").exists():
        (data / "knowledge-cache").symlink_to(cache)
    path = folder / "config.yaml"
    path.write_text(CONFIG.replace("{knowledge}", str(knowledge)).replace("{deliver_url}", deliver_url))
    return path


@asynccontextmanager
async def running(config: Path, clock: Clock, **built: Any) -> AsyncIterator[Site]:
    """The app of a config on a free port, stopped at the end as `serve` stops it; `built`: what else it is built of."""
    app = await build(load(config, {"LVLIN_SECRET": "a secret of the test site"}), now=clock, **built)
    port = await app.listener.start("127.0.0.1", 0)
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as client:
        try:
            yield Site(app, port, clock, client)
        finally:
            app.door.draining = True
            await app.listener.stop()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def config(tmp_path: Path, knowledge: tuple[Path, Path]) -> Path:
    return write_config(tmp_path, *knowledge)


@pytest.fixture
async def site(config: Path, clock: Clock) -> AsyncIterator[Site]:
    async with running(config, clock) as opened:
        yield opened
