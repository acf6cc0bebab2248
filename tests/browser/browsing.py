"""A real headless Chromium, and a server that has the simulator's real routes and a stand-in for the bot."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web
from playwright.sync_api import Browser, ConsoleMessage, Page, Request

from bot.web.simulator import add_routes
from tests.browser.stand_in import StandIn, understand

PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "is_mobile": True, "has_touch": True}
DESKTOP = {"viewport": {"width": 1366, "height": 768}}
QUIET = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()


@dataclass
class Served:
    """A running server."""

    address: str
    bot: StandIn
    loop: asyncio.AbstractEventLoop


@dataclass
class Watched:
    """What a page did that it should not have done."""

    home: str
    complaints: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)

    def on_console(self, message: ConsoleMessage) -> None:
        """Errors and warnings on the console, also of the Content-Security-Policy."""
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def on_request(self, request: Request) -> None:
        """Requests to anywhere else."""
        if urlsplit(request.url).netloc != urlsplit(self.home).netloc:
            self.strangers.append(request.url)


@contextmanager
def serving(channel: str | None, site_name: str) -> Iterator[Served]:
    """A server in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    bot = StandIn()
    runner = asyncio.run_coroutine_threadsafe(_start(bot, channel, site_name), loop).result()
    yield Served(f"http://127.0.0.1:{runner.addresses[0][1]}/", bot, loop)
    asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


async def _start(bot: StandIn, channel: str | None, site_name: str) -> web.AppRunner:
    app = web.Application()
    app.router.add_post("/channels/try", bot.receive)
    add_routes(
        app, channel=channel, bot_name="小绿", site_name=site_name, understand=understand, deliveries=bot.waiting
    )  # fmt: skip
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner


@contextmanager
def watched_page(chromium: Browser, address: str, tolerated: list[str], screen: dict[str, Any]) -> Iterator[Page]:
    """The simulator, opened; at the end nothing may have complained, and nothing may have left the machine."""
    context = chromium.new_context(locale="zh-CN", timezone_id="Asia/Shanghai", **screen)
    context.set_default_timeout(5000)
    page = context.new_page()
    watched = Watched(address)
    page.on("console", watched.on_console)
    page.on("pageerror", lambda error: watched.complaints.append(str(error)))
    page.on("request", watched.on_request)
    page.goto(address)
    yield page
    context.close()
    assert [text for text in watched.complaints if not any(part in text for part in tolerated)] == []
    assert watched.strangers == []
