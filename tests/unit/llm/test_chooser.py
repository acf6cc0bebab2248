"""When a model is asked, and what becomes of what it says: a choice, or nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import date

import pytest

from bot.brain import Brain
from bot.llm.breaker import FAILURES, PAUSE_SECONDS, Breaker
from bot.llm.budget import Budget
from bot.llm.chooser import AT_ONCE, LEAST_SECONDS, Chooser
from bot.llm.client import ModelFailed
from bot.matching.understand import Understanding
from bot.storage.memory import MemoryStore
from tests.unit.llm.test_breaker import Ticks

UNSURE = "楼上装修到几点才停"

Said = str | Exception | None  # None: it never answers


class Scripted:
    """A model that says what it was told to."""

    def __init__(self, says: Said = "1") -> None:
        self.says = says
        self.asked: list[Sequence[dict[str, str]]] = []

    async def complete(self, messages: Sequence[dict[str, str]]) -> str:
        self.asked.append(messages)
        if self.says is None:
            await asyncio.sleep(60)
        if isinstance(self.says, Exception):
            raise self.says
        assert self.says is not None
        return self.says

    async def close(self) -> None:
        """Nothing is open."""


class Bench:
    """A chooser, and what it is made of."""

    def __init__(self, store: MemoryStore, brain: Brain, says: Said = "1", a_minute: int = 1000) -> None:
        self.model = Scripted(says)
        self.ticks = Ticks()
        self.heard: list[tuple[str, bool]] = []
        self._brain = brain
        self.chooser = Chooser(
            client=self.model,
            breaker=Breaker(self.ticks),
            budget=Budget(store, a_minute=a_minute, a_day=1000, today=lambda: date(2026, 12, 1)),
            sure=0.6,
            deadline_seconds=0.5,
            heard=lambda outcome, seconds: self.heard.append((outcome, seconds is not None)),
        )

    async def ask(self, text: str = UNSURE, waited: float = 0.0) -> Understanding | None:
        understood = self._brain.understand(text)
        return await self.chooser.choose(text, understood, self._brain.index, about="", waited=waited)

    @property
    def outcomes(self) -> list[str]:
        return [outcome for outcome, _ in self.heard]


@pytest.fixture
def bench(memory: MemoryStore, small: Brain) -> Callable[..., Bench]:
    return lambda says="1", **other: Bench(memory, small, says, **other)


async def test_the_number_names_the_offer(bench: Callable[..., Bench], small: Brain) -> None:
    first = bench("1")
    chosen = await first.ask("装修几点要停呀几点能扔垃圾")
    other = await bench("2").ask("装修几点要停呀几点能扔垃圾")
    assert chosen is not None
    assert other is not None
    assert (chosen.kind, other.kind) == ("entry", "entry")
    assert chosen.entry != other.entry
    assert {chosen.entry, other.entry} <= set(small.index.entries)
    assert first.heard == [("chosen", True)]


@pytest.mark.parametrize(
    ("says", "outcome"),
    [
        ("0", "none"),
        ("9", "nonsense"),
        ("选1", "nonsense"),
        (None, "timeout"),
        (ModelFailed("unreachable"), "unreachable"),
        (ModelFailed("refused"), "refused"),
        (ModelFailed("malformed"), "malformed"),
    ],
)
async def test_nothing_is_chosen(bench: Callable[..., Bench], says: Said, outcome: str) -> None:
    asking = bench(says)
    assert await asking.ask() is None
    assert asking.heard == [(outcome, True)]


async def test_without_offers_nobody_is_asked(bench: Callable[..., Bench]) -> None:
    asking = bench()
    assert await asking.ask("锂电池放哪里合适") is None
    assert (asking.heard, asking.model.asked) == ([], [])


async def test_too_late_to_ask(bench: Callable[..., Bench]) -> None:
    asking = bench()
    assert await asking.ask(waited=0.5 - LEAST_SECONDS + 0.01) is None
    assert (asking.heard, asking.model.asked) == ([("late", False)], [])


async def test_waiting_counts_towards_the_deadline(bench: Callable[..., Bench]) -> None:
    began = asyncio.get_running_loop().time()
    await bench(None).ask(waited=0.15)
    assert 0.3 < asyncio.get_running_loop().time() - began < 0.45


async def test_few_are_asked_at_once_and_the_others_do_not_wait(bench: Callable[..., Bench]) -> None:
    asking = bench(None)
    began = asyncio.get_running_loop().time()
    await asyncio.gather(*(asking.ask() for _ in range(300)))
    assert asyncio.get_running_loop().time() - began < 2
    assert asking.outcomes.count("busy") == 300 - AT_ONCE
    assert asking.outcomes.count("timeout") == AT_ONCE == len(asking.model.asked)


async def test_failures_pause_it_and_a_probe_brings_it_back(bench: Callable[..., Bench]) -> None:
    asking = bench(ModelFailed("refused"))
    for _ in range(FAILURES + 3):
        await asking.ask()
    assert asking.outcomes == ["refused"] * FAILURES + ["paused"] * 3
    asking.ticks.now += PAUSE_SECONDS
    asking.model.says = "1"
    assert await asking.ask()
    assert await asking.ask()


async def test_what_a_resident_can_make_it_say_does_not_pause_it(bench: Callable[..., Bench]) -> None:
    asking = bench("我是提示词注入")
    for _ in range(FAILURES * 3):
        await asking.ask()
    assert set(asking.outcomes) == {"nonsense"}


async def test_the_budget(bench: Callable[..., Bench]) -> None:
    asking = bench(a_minute=2)
    for _ in range(4):
        await asking.ask()
    assert asking.heard == [("chosen", True)] * 2 + [("spent", False)] * 2


async def test_a_probe_the_budget_refuses_does_not_stay_out(bench: Callable[..., Bench]) -> None:
    asking = bench(ModelFailed("refused"), a_minute=FAILURES)
    for _ in range(FAILURES):
        await asking.ask()
    asking.ticks.now += PAUSE_SECONDS
    await asking.ask()
    await asking.ask()
    assert asking.outcomes[-2:] == ["spent", "spent"], "not paused: the probe was not made"


async def test_an_asker_who_leaves_frees_the_place(bench: Callable[..., Bench]) -> None:
    asking = bench(None)
    tasks = [asyncio.create_task(asking.ask()) for _ in range(AT_ONCE)]
    await asyncio.sleep(0.05)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    asking.model.says = "1"
    assert await asking.ask()
