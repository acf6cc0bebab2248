"""So many calls a minute, and so many a day of the site."""

from __future__ import annotations

from datetime import date

import pytest

from bot.errors import StoreUnavailable
from bot.llm.budget import Budget
from bot.storage.memory import MemoryStore
from tests.unit.llm.test_breaker import Ticks


def budget(store: MemoryStore, ticks: Ticks, a_minute: int, a_day: int, today: date = date(2026, 12, 1)) -> Budget:
    return Budget(store, a_minute=a_minute, a_day=a_day, today=lambda: today, clock=ticks)


async def test_a_minute(memory: MemoryStore) -> None:
    ticks = Ticks()
    spending = budget(memory, ticks, 2, 100)
    assert [await spending.spend() for _ in range(3)] == [True, True, False]
    ticks.now += 59.9
    assert await spending.spend() is False
    ticks.now += 0.1
    assert [await spending.spend() for _ in range(3)] == [True, True, False]


async def test_a_day_counts_across_restarts(memory: MemoryStore) -> None:
    assert [await budget(memory, Ticks(), 9, 2).spend() for _ in range(3)] == [True, True, False]
    assert await budget(memory, Ticks(), 9, 2, date(2026, 12, 2)).spend() is True


async def test_what_the_minute_refuses_costs_nothing_of_the_day(memory: MemoryStore) -> None:
    spending = budget(memory, Ticks(), 1, 2)
    assert [await spending.spend() for _ in range(5)] == [True, False, False, False, False]
    assert await budget(memory, Ticks(), 1, 2).spend() is True


async def test_what_cannot_be_counted_is_not_spent(memory: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(what: str, day: str, most: int) -> bool:
        raise StoreUnavailable("disk full")

    monkeypatch.setattr(memory, "spend", full)
    assert await budget(memory, Ticks(), 9, 9).spend() is False
