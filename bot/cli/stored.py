"""What commands share that read what is stored: the site's database, its places, and rows told as they come."""

from __future__ import annotations

import difflib
import itertools
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TypeVar

import click

from bot.assembly import make_brain, served_knowledge
from bot.errors import NotThere, WrongUsage
from bot.places import Places
from bot.settings import Settings
from bot.storage.contract import Store
from bot.storage.engines import open_store

T = TypeVar("T")

_ROWS_A_STEP = 500


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Store]:
    """The site's store, started; NotThere where there is none yet."""
    if not settings.store.path.is_file():
        raise NotThere(f"there is no database {settings.store.path} — make it with: lvlin db init")
    store = open_store(settings.store.path)
    await store.start()
    try:
        yield store
    finally:
        await store.stop()


def site_places(settings: Settings) -> Places:
    """The place tree. Raises FaultyFile."""
    return make_brain(settings, served_knowledge(settings), datetime.now(settings.site.timezone).date()).places


def branch(places: Places, place: str | None) -> tuple[str, ...] | None:
    """The ids of a place and all that lies in it; None for no place. Raises WrongUsage for an unknown one."""
    if place is None:
        return None
    if place not in places.by_id:
        near = difflib.get_close_matches(place, places.by_id, n=1)
        mend = f"did you mean {near[0]}?" if near else f"use one of {', '.join(places.by_id)}"
        raise WrongUsage(f"there is no place '{place}' — {mend}")
    return places.below(place)


async def told(rows: AsyncIterator[T], what: str, *, quiet: bool = False) -> AsyncIterator[T]:
    """The rows, with a progress bar on a terminal's standard error; `quiet`: without."""
    hidden = quiet or not sys.stderr.isatty()
    endless = itertools.repeat(None)  # how many there are is not known before they are read
    with click.progressbar(endless, label=what, show_pos=True, file=sys.stderr, hidden=hidden) as bar:
        count = 0
        async for row in rows:
            yield row
            count += 1
            if count % _ROWS_A_STEP == 0:
                bar.update(_ROWS_A_STEP)
