"""kill -9 under load: what was acknowledged is there afterwards, once, with the reply that was sent."""

from __future__ import annotations

import pytest

from benchmarks.crash import ACK_FIRST, endure

pytestmark = pytest.mark.slow

KILLS = 3


def test_no_acknowledged_message_is_lost() -> None:
    outcome = endure(kills=KILLS, terms=1, seed=7)
    assert outcome.verdict.acknowledged > 0
    assert (outcome.verdict.lost, outcome.verdict.twice, outcome.verdict.changed) == (0, 0, 0)
    assert outcome.verdict.refused == 0
    assert outcome.verdict.sound
    assert outcome.exits == {0}


def test_a_server_that_acknowledges_first_is_found_out() -> None:
    assert endure(kills=KILLS, terms=0, seed=7, command=ACK_FIRST).verdict.lost > 0
