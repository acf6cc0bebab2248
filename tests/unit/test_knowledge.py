"""The knowledge of the moment, as a server holds it."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from bot.knowledge import LiveKnowledge
from tests.conftest import TODAY, write_small


@pytest.mark.parametrize(
    ("city", "told"),
    [pytest.param("kunming", ["kunming"], id="without-a-file"), pytest.param("beijing", [], id="with-one")],
)
async def test_an_unknown_city_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, city: str, told: list[str]
) -> None:
    folder = write_small(tmp_path / "kb")
    live = LiveKnowledge(
        lambda: folder,
        keep_in=tmp_path / "kept",
        city=city,
        today=lambda: TODAY,
        on_change=lambda version, faults: None,
    )
    with caplog.at_level(logging.WARNING, "lvlin.knowledge"):
        await live.load()
    found = [record.__dict__["city"] for record in caplog.records if "has no file" in record.message]
    assert found == told
