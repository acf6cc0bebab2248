"""Every frozen conversation of tests/dialogs holds on the shipped knowledge; the format is told in bot/publishing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.brain import Brain
from bot.kb.slugs import OUT_OF_SCOPE, TOPIC_NAMES
from bot.matching.understand import Thresholds
from bot.publishing.dialogs import SHIPPED, Dialog, read_dialogs
from bot.publishing.rehearsal import hold
from tests.conftest import SHANGHAI

DIALOGS, FAULTS = read_dialogs(Path("no dialogs of its own"), "shanghai", SHIPPED)


def cases() -> list[Any]:
    """Every conversation of every file, as a test case of its own."""
    return [
        pytest.param(
            dialog,
            id=dialog.name,
            marks=[pytest.mark.xfail(strict=True, reason=dialog.told.xfail)] if dialog.told.xfail else [],
        )
        for dialog in DIALOGS
    ]


@pytest.mark.parametrize("dialog", cases())
async def test_conversation(dialog: Dialog, shipped_in: Callable[[str], Brain]) -> None:
    for answered in await hold(dialog, shipped_in(dialog.city), Thresholds(), SHANGHAI):
        assert answered.differences == (), f"{answered.step.say!r} got {answered.reply}"


def test_conversations_are_well_written() -> None:
    """A misspelt key would expect nothing."""
    assert FAULTS == []
    assert len(DIALOGS) == len({dialog.name for dialog in DIALOGS}) >= 120
    assert {Path(dialog.file).name for dialog in DIALOGS} == {path.name for path in SHIPPED.glob("*.yaml")}


def test_every_topic_is_talked_of() -> None:
    told = {step.expect.topic for dialog in DIALOGS for step in dialog.told.steps}
    assert not {*TOPIC_NAMES, OUT_OF_SCOPE, "waste.item"} - told
