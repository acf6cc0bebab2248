"""`lvlin serve`: the webhook server."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
from collections.abc import Iterable
from pathlib import Path

import click

from bot.app import App, build
from bot.cli.common import config_option, read_settings
from bot.settings import Settings
from bot.storage.lock import sole_server

log = logging.getLogger("lvlin.serve")

YOUNG_OBJECTS = 20_000
"""How many objects are made before the collector looks at the young ones; Python's 700 are a single message."""


@click.command()
@config_option
def serve(config_path: Path) -> None:
    """The webhook server. It ends on SIGTERM or Ctrl-C, and reads the knowledge again on SIGHUP."""
    settings = read_settings(config_path, "INFO")
    with sole_server(settings.store.path):
        asyncio.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    app = await build(settings)
    end = _listen_to_signals(app)
    port = await app.listener.start(settings.server.host, settings.server.port)
    try:
        _spare_the_collector()
        _tell(_addresses(settings, port))
        await end.wait()
    finally:
        app.door.draining = True
        log.info("draining")
        await app.listener.stop()
        log.info("ended")


def _spare_the_collector() -> None:
    """What was built at the start lives as long as the process: the collector need not look at it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS)


def _listen_to_signals(app: App) -> asyncio.Event:
    """Reload on SIGHUP; the event is set by SIGTERM and Ctrl-C."""
    loop = asyncio.get_running_loop()
    end = asyncio.Event()
    reloads: set[asyncio.Task[None]] = set()

    def reload() -> None:
        task = loop.create_task(app.knowledge.reload())
        reloads.add(task)  # the loop alone would let it be collected
        task.add_done_callback(reloads.discard)

    loop.add_signal_handler(signal.SIGTERM, end.set)
    loop.add_signal_handler(signal.SIGINT, end.set)
    loop.add_signal_handler(signal.SIGHUP, reload)
    return end


def _addresses(settings: Settings, port: int) -> Iterable[tuple[str, str]]:
    """What to open, and what it is; an address that stands for all is shown as this machine's own."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(settings.server.host, settings.server.host)
    base = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    yield f"{base}/", "the simulator"
    for name, channel in settings.channels.items():
        yield f"{base}/channels/{name}", f"the callback of {name} ({channel.type})"
    yield f"{base}/readyz", "whether it can serve"
    yield f"{base}/metrics", "its figures"


def _tell(addresses: Iterable[tuple[str, str]]) -> None:
    for address, what in addresses:
        click.echo(f"{address}  {what}")
