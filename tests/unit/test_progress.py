"""Progress is shown on a terminal, and nowhere else."""

from __future__ import annotations

import io
import sys

import pytest

from bot.cli.progress import progress


class Terminal(io.StringIO):
    """A terminal that remembers what it showed."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("shown", [True, False])
def test_progress(shown: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal() if shown else io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    with progress() as tell:
        for done in range(4):
            tell("questions", done, 3)
    assert ("questions" in stream.getvalue()) is shown
