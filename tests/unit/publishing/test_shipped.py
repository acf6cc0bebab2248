"""The shipped knowledge passes the gate with its frozen questions, and an edit against one of them does not."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bot.publishing.gate import examine
from bot.settings import load
from tests.conftest import SHIPPED, TODAY
from tests.unit.publishing.conftest import CONFIG


@pytest.mark.slow
def test_shipped_knowledge(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(CONFIG, encoding="utf-8")
    shutil.copytree(SHIPPED, tmp_path / "kb")
    items = tmp_path / "kb" / "items" / "residual.yaml"
    text, cup = items.read_text(encoding="utf-8"), "{name: 奶茶杯, category: residual"
    assert cup in text
    items.write_text(text.replace(cup, "{name: 奶茶杯, category: food"), encoding="utf-8")
    settings = load(tmp_path / "config.yaml", {})
    verdict = examine(settings, settings.knowledge, SHIPPED, TODAY, lambda what, done, of: None)
    assert all("奶茶杯" in error.what for error in verdict.report.errors), "choices.yaml says another bin"
    assert "奶茶杯扔哪个桶" in {compared.after.step.say for compared in verdict.regressions}
    assert all("奶茶杯" in compared.after.reply.text for compared in verdict.regressions)
