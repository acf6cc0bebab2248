"""What failed again and again is left alone, then tried once."""

from __future__ import annotations

import pytest

from bot.llm.breaker import FAILURES, PAUSE_SECONDS, Breaker


class Ticks:
    """A monotonic clock that stands still."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


@pytest.fixture
def broken(ticks: Ticks) -> Breaker:
    """One that has just opened."""
    breaker = Breaker(ticks)
    for _ in range(FAILURES):
        assert breaker.admits()
        breaker.settle(False)
    return breaker


def test_failures_in_a_row_open_it(broken: Breaker) -> None:
    assert not broken.admits()


def test_a_success_begins_the_row_anew(ticks: Ticks) -> None:
    breaker = Breaker(ticks)
    for _ in range(3):
        for _ in range(FAILURES - 1):
            breaker.settle(False)
        assert breaker.admits()
        breaker.settle(True)
    assert breaker.admits()


def test_one_probe_after_the_pause(broken: Breaker, ticks: Ticks) -> None:
    ticks.now += PAUSE_SECONDS - 0.01
    assert not broken.admits()
    ticks.now += 0.01
    assert [broken.admits() for _ in range(3)] == [True, False, False]


def test_the_probe_decides(broken: Breaker, ticks: Ticks) -> None:
    ticks.now += PAUSE_SECONDS
    assert broken.admits()
    broken.settle(False)
    assert not broken.admits(), "it failed: another pause"
    ticks.now += PAUSE_SECONDS
    assert broken.admits()
    broken.settle(True)
    assert [broken.admits() for _ in range(3)] == [True] * 3


def test_a_probe_without_a_verdict_is_made_again(broken: Breaker, ticks: Ticks) -> None:
    ticks.now += PAUSE_SECONDS
    assert broken.admits()
    broken.settle(None)
    assert broken.admits()


def test_what_was_under_way_when_it_opened_does_not_prolong_the_pause(broken: Breaker, ticks: Ticks) -> None:
    ticks.now += PAUSE_SECONDS / 2
    broken.settle(False)
    ticks.now += PAUSE_SECONDS / 2
    assert broken.admits()
