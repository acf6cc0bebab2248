"""The knowledge of the moment: loaded off the event loop, watched for changes, and the last good one kept.

Compiling takes a second or two and would hold the interpreter, so a child process does it (this module, run as a
program); what it made is read back in portions, between which messages are answered.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import marshal
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple
from datetime import date
from pathlib import Path
from typing import Any

from bot.brain import Brain, compiled, kept
from bot.errors import Fault, FaultyFile, LvlinError
from bot.matching.plain import Plain

log = logging.getLogger("lvlin.knowledge")

LOOK_SECONDS = 2.0
"""How often the folder is looked at."""

_BREATH_SECONDS = 0.002
_FEW = 16
_MANY = 4000
_PROGRAM = Path(__file__).parents[1]  # whence the child imports us, wherever we were started
_MOST_FAULTS_LOGGED = 20

Portion = tuple[tuple[str, ...], bytes]
"""Where a piece of plain data belongs, and the piece, packed."""

_Files = tuple[tuple[str, int, int], ...]
_State = tuple[date, Path, _Files]
_Swapped = Callable[[str, int], None]


class CompilerFailed(LvlinError):
    """The child that compiles the knowledge came to a bad end; what it said stands on standard error."""


class LiveKnowledge:
    """Holds the current Brain and replaces it when the folder, or the day, has changed."""

    def __init__(
        self, folder: Callable[[], Path], *, keep_in: Path, city: str, today: Callable[[], date], on_change: _Swapped
    ) -> None:
        """`folder`: where the knowledge to be served is now, or FaultyFile. `keep_in`: for the compiled form.
        `on_change` hears the version that answers and the number of faults."""
        self.faults: tuple[Fault, ...] = ()
        """What keeps the folder as it is now from being served; the knowledge before it goes on answering."""
        self._folder = folder
        self._keep_in = keep_in
        self._city = city
        self._today = today
        self._on_change = on_change
        self._brain: Brain | None = None
        self._tried: _State | None = None
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
        self._tried = await self._state()
        day, folder, _ = self._tried
        plain = await asyncio.to_thread(kept, folder, self._keep_in, self._city, day)
        self._brain = Brain.of(plain) if plain else await self._compiled(day, folder)
        gc.freeze()
        self._tell_unknown_city(folder)
        self._on_change(self.version, 0)

    async def look(self) -> None:
        """Reload if the folder, a file of it, or the day, is another one than at the last attempt."""
        async with self._reloading:
            state = await self._state_or_faults()
            if state and state != self._tried:
                await self._reload(state)

    async def reload(self) -> None:
        """Read the folder again; if it has faults, they are logged and the knowledge stays as it is."""
        async with self._reloading:
            if state := await self._state_or_faults():
                await self._reload(state)

    async def _state(self) -> _State:
        folder = await asyncio.to_thread(self._folder)
        return self._today(), folder, await asyncio.to_thread(_files, folder)

    async def _state_or_faults(self) -> _State | None:
        """The state; None where it cannot be told which folder is served, which is told once."""
        try:
            return await self._state()
        except FaultyFile as exc:
            self._tried = None
            if exc.faults != self.faults:
                self._keep(exc.faults)
            return None

    def _keep(self, faults: tuple[Fault, ...]) -> None:
        self.faults = faults
        _log_faults(faults)
        self._on_change(self.version, len(faults))

    async def _reload(self, state: _State) -> None:
        self._tried = state
        day, folder, _ = state
        try:
            self._brain = await self._compiled(day, folder)
        except FaultyFile as exc:
            self._keep(exc.faults)
            return
        except CompilerFailed as exc:
            log.error("the knowledge stays as it is", extra={"why": str(exc)})
        else:
            self.faults = ()
            log.info("knowledge loaded", extra={"version": self.version, "day": day.isoformat()})
            self._tell_unknown_city(folder)
        self._on_change(self.version, len(self.faults))

    def _tell_unknown_city(self, folder: Path) -> None:
        if not self.brain().index.facts.city_known:
            file = str(folder / "cities" / f"{self._city}.yaml")
            log.warning("the city has no file: the national standard is told", extra={"city": self._city, "file": file})

    async def _compiled(self, day: date, folder: Path) -> Brain:
        """Let a child compile; it ends with us, and Ctrl-C at the terminal is not its business. Raises FaultyFile."""
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", __name__, str(folder), str(self._keep_in), self._city, day.isoformat()),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            cwd=_PROGRAM,
            start_new_session=True,
        )
        try:
            told, _ = await child.communicate()
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()
        if child.returncode != 0:
            raise CompilerFailed(f"the knowledge cannot be compiled: the compiler ended with {child.returncode}")
        made = await asyncio.to_thread(marshal.loads, told)
        if "faults" in made:
            raise FaultyFile([Fault(*fault) for fault in made["faults"]])
        return await asyncio.to_thread(_assembled, made["portions"])


def _told() -> None:
    """In the child: write the compiled knowledge in portions, or its faults, to standard output."""
    folder, keep_in, city, day = sys.argv[1:]
    os.nice(10)
    try:
        made = {"portions": [*_portions(compiled(Path(folder), Path(keep_in), city, date.fromisoformat(day)), ())]}
    except FaultyFile as exc:
        made = {"faults": [astuple(fault) for fault in exc.faults]}
    sys.stdout.buffer.write(marshal.dumps(made))


def _portions(value: Any, at: tuple[str, ...]) -> Iterator[Portion]:
    """Plain data in pieces that are each read back within a few milliseconds."""
    if isinstance(value, dict) and 0 < len(value) <= _FEW:
        for key, inner in value.items():
            yield from _portions(inner, (*at, key))
    elif isinstance(value, dict | list) and len(value) > _MANY:
        entries = [*value.items()] if isinstance(value, dict) else value
        for first in range(0, len(entries), _MANY):
            yield at, marshal.dumps(type(value)(entries[first : first + _MANY]))
    else:
        yield at, marshal.dumps(value)


def _assembled(portions: Sequence[Portion]) -> Brain:
    """The Brain of compiled portions, letting other threads run in between."""
    gc.disable()  # by itself it would look at everything, again and again, while nothing of it is garbage
    try:
        return Brain.of(_joined(portions))
    finally:
        gc.freeze()  # nor later: it lives until the next one, and holds no cycles
        gc.enable()


def _joined(portions: Sequence[Portion]) -> Plain:
    plain: Plain = {}
    for (*path, last), packed in portions:
        room = plain
        for key in path:
            room = room.setdefault(key, {})
        piece = marshal.loads(packed)
        if last not in room:
            room[last] = piece
        elif isinstance(piece, dict):
            room[last].update(piece)
        else:
            room[last].extend(piece)
        gc.collect(0)  # which finds that tuples of texts need no looking at, now or ever
        time.sleep(_BREATH_SECONDS)
    return plain


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


if __name__ == "__main__":
    _told()
