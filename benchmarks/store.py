"""How fast turns are kept: `python -m benchmarks.store [folder]` prints a table for 1, 10 and 100 keepers at once.

Each keep is what a resident's question in a group causes: the turn, its session, the chat's state, a sealed address and
a nonce. `cpu us` is the processor time of the whole process for one keep: event loop, writer and keepers.
"""

from __future__ import annotations

import asyncio
import gc
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.records import ChatState, ItemAnswer, Reply, Session, Turn
from bot.storage.contract import Keeping, Store
from bot.storage.memory import MemoryStore
from bot.storage.sqlite import SqliteStore

RUNS = ((1, 4_000), (10, 20_000), (100, 40_000))
"""Keepers at once, and keeps in all."""
START = datetime(2026, 11, 2, 0, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Figures:
    """What one run showed; times in milliseconds."""

    per_second: float
    p50: float
    p99: float
    cpu_us: float


def question(number: int) -> Keeping:
    """The keeping of question `number`; 300 residents ask in 20 chats."""
    user, chat, at = f"u_{number % 300:032x}", f"g{number % 20}", START + timedelta(milliseconds=number)
    answered = {"items/奶茶杯": at, "items/旧电池": at}
    reply = Reply(
        action="answer",
        text="奶茶杯（空）属于干垃圾。\n杯里的奶茶先倒进下水道，珍珠倒进湿垃圾桶。\n依据：《上海市生活垃圾管理条例》，2019-07-01",
        topic="waste.item",
        entry="items/奶茶杯",
        items=(ItemAnswer("奶茶杯", "residual", "干垃圾"),),
        score=0.97,
        session=Session(item="奶茶杯", entry="items/奶茶杯", topic="waste.item", question="奶茶杯扔哪个桶", at=at),
        chat=ChatState(answered=answered, replied={user: at}, said=("1f" * 8, "2e" * 8)),
    )
    turn = Turn(
        f"{number:032x}", f"m{number}", "gateway", chat, user, "luyuan", f"gateway/{chat}/{user}", at,
        "message", "text", "奶茶杯扔哪个桶", True, reply, 0.4,
    )  # fmt: skip
    until = at + timedelta(hours=48)
    return Keeping(turn, "奶茶杯扔哪个桶", f"nonce{number}", f"{number:064x}", b"\0" * 120, until)


async def run(store: Store, keepers: int, questions: Sequence[Keeping]) -> Figures:
    """Keep all questions with so many keepers at once."""
    took: list[float] = []
    waiting = iter(questions)

    async def keep_on() -> None:
        for keeping in waiting:
            began = time.perf_counter()
            await store.keep(keeping)
            took.append(time.perf_counter() - began)

    cpu, began = time.process_time(), time.perf_counter()
    await asyncio.gather(*(keep_on() for _ in range(keepers)))
    cpu, seconds = time.process_time() - cpu, time.perf_counter() - began
    took.sort()
    return Figures(
        per_second=len(took) / seconds,
        p50=1000 * statistics.median(took),
        p99=1000 * took[int(len(took) * 0.99)],
        cpu_us=1e6 * cpu / len(took),
    )


async def measure(name: str, store: Store) -> None:
    """Start the store, run it with 1, 10 and 100 keepers, print a line for each."""
    await store.start()
    try:
        for keepers, keeps in RUNS:
            questions = [question(keepers * 1_000_000 + number) for number in range(keeps)]
            gc.collect()
            gc.freeze()  # the questions that wait are no work of the store's
            found = await run(store, keepers, questions)
            gc.unfreeze()
            print(
                f"{name:<8} {keepers:>7} {found.per_second:>9,.0f} {found.p50:>8.2f} {found.p99:>8.2f}"
                f" {found.cpu_us:>7.1f}"
            )
    finally:
        await store.stop()


def main(folder: str | None) -> None:
    """Measure both engines; the database stands in `folder`, or in a temporary one, and is deleted afterwards."""
    print(f"sqlite {sqlite3.sqlite_version}, synchronous=FULL")
    print(f"{'engine':<8} {'keepers':>7} {'keeps/s':>9} {'p50 ms':>8} {'p99 ms':>8} {'cpu us':>7}")
    with tempfile.TemporaryDirectory(dir=folder) as place:
        asyncio.run(measure("sqlite", SqliteStore(Path(place) / "lvlin.db")))
    asyncio.run(measure("memory", MemoryStore()))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
