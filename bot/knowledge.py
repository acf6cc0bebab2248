"""The knowledge of the moment: loaded off the event loop, watched for changes, and the last good one kept.

Compiling takes a second or two and would hold the interpreter, so a child process does it; what it made is read back in
portions, between which messages are answered.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import marshal
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from pathlib import Path

from bot.brain import Brain, compiled
from bot.errors import Fault, FaultyFile

log = logging.getLogger("lvlin.knowledge")

LOOK_SECONDS = 2.0
"""How often the folder is looked at."""

_BREATH_SECONDS = 0.005
_MOST_FAULTS_LOGGED = 20

Portions = dict[str, bytes]
_Files = tuple[tuple[str, int, int], ...]
_Swapped = Callable[[str, int], None]


class LiveKnowledge:
    """Holds the current Brain and replaces it when the folder, or the day, has changed."""

    def __init__(
        self, folder: Path, *, keep_in: Path, city: str, today: Callable[[], date], on_change: _Swapped
    ) -> None:
        """`keep_in`: for the compiled form. `on_change` hears the version that answers and the number of faults."""
        self.faults: tuple[Fault, ...] = ()
        """What keeps the folder as it is now from being served; the knowledge before it goes on answering."""
        self._folder = folder
        self._keep_in = keep_in
        self._city = city
        self._today = today
        self._on_change = on_change
        self._brain: Brain | None = None
        self._tried: tuple[date, _Files] | None = None
        self._reloading = asyncio.Lock()

    @property
    def version(self) -> str:
        """The version of the knowledge that answers; "" before it is loaded."""
        return self._brain.version if self._brain else ""

    def brain(self) -> Brain:
        """The current Brain; only after `load`."""
        assert self._brain is not None, "the knowledge is not loaded"
        return self._brain

    async def load(self) -> None:
        """Load for the first time. Raises FaultyFile with every fault."""
        day, files = self._today(), await asyncio.to_thread(_files, self._folder)
        plain = await asyncio.to_thread(compiled, self._folder, self._keep_in, self._city, day)
        self._brain = Brain.of(plain)
        self._tried = (day, files)
        self._on_change(self.version, 0)

    async def look(self) -> None:
        """Reload if a file of the folder, or the day, is another one than at the last attempt."""
        if (self._today(), await asyncio.to_thread(_files, self._folder)) != self._tried:
            await self.reload()

    async def reload(self) -> None:
        """Read the folder again; if it has faults, they are logged and the knowledge stays as it is."""
        async with self._reloading:
            day, files = self._today(), await asyncio.to_thread(_files, self._folder)
            self._tried = (day, files)
            made = await self._compile(day)
            if isinstance(made, dict):
                self.faults = ()
                self._brain = await asyncio.to_thread(_assembled, made)
                log.info("knowledge loaded", extra={"version": self.version, "day": day.isoformat()})
            else:
                self.faults = tuple(made)
                _log_faults(self.faults)
            self._on_change(self.version, len(self.faults))

    async def _compile(self, day: date) -> Portions | Sequence[Fault]:
        pool = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), initializer=_be_a_quiet_child)
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(pool, _compile, self._folder, self._keep_in, self._city, day)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _be_a_quiet_child() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, too, which ends us
    os.nice(10)


def _compile(folder: Path, keep_in: Path, city: str, day: date) -> Portions | Sequence[Fault]:
    """In the child: the compiled knowledge in portions, or its faults (an exception of ours loses them on its way)."""
    try:
        return {key: marshal.dumps(value) for key, value in compiled(folder, keep_in, city, day).items()}
    except FaultyFile as exc:
        return exc.faults


def _assembled(portions: Portions) -> Brain:
    """The Brain of compiled portions, letting other threads run in between."""
    gc.disable()  # it would look at everything, again and again, while nothing of it is garbage
    try:
        plain = {}
        for key, portion in portions.items():
            plain[key] = marshal.loads(portion)
            time.sleep(_BREATH_SECONDS)
        return Brain.of(plain)
    finally:
        gc.enable()


def _files(folder: Path) -> _Files:
    """Name, time of change and size of every file that counts."""
    found = []
    for path in folder.rglob("*.yaml"):
        try:
            stat = path.stat()
        except FileNotFoundError:
            continue  # an editor replaced it just now; the next look sees what came of it
        found.append((str(path), stat.st_mtime_ns, stat.st_size))
    return tuple(sorted(found))


def _log_faults(faults: Sequence[Fault]) -> None:
    log.error("the knowledge has faults, the one before goes on answering", extra={"faults": len(faults)})
    for fault in faults[:_MOST_FAULTS_LOGGED]:
        log.error("fault in the knowledge", extra={"fault": str(fault)})
