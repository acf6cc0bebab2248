"""A small site whose only frozen questions are its own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from bot.assembly import kept_versions
from bot.publishing.gate import Verdict, examine
from bot.publishing.versions import Versions
from bot.settings import Settings, load
from tests.conftest import TODAY, write_small

CONFIG = """
site: {name: 绿苑社区, city: shanghai}
knowledge: kb
secret: 0123456789abcdef0123456789abcdef
channels: {try: {type: simulator}}
"""
DIALOGS = """\
- name: cup
  steps:
    - {say: 奶茶杯扔哪个桶, expect: {action: answer, items: {奶茶杯: residual}}}
- name: oil
  steps:
    - {say: 废油倒哪里, expect: {entry: topics/cooking_oil/pour, text_has: [厨房纸], text_lacks: [下水道]}}
    - {say: 那苹果核呢, expect: {items: {苹果核: food}}}
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The small knowledge as a site of its own, with three frozen questions."""
    monkeypatch.setattr("bot.publishing.gate.SHIPPED", tmp_path / "none are shipped")
    write_small(tmp_path / "kb", {"dialogs/own.yaml": DIALOGS})
    (tmp_path / "config.yaml").write_text(CONFIG, encoding="utf-8")
    return load(tmp_path / "config.yaml", {})


@pytest.fixture
def versions(site: Settings) -> Versions:
    """Its kept versions: none yet."""
    return kept_versions(site)


@pytest.fixture
def examined(site: Settings, versions: Versions) -> Callable[[], Verdict]:
    """A function that lets the folder as it is go through the gate."""

    def judge(day: date = TODAY) -> Verdict:
        published = versions.published()
        before = versions.files(published) if published else None
        return examine(site, site.knowledge, before, day, lambda what, done, of: None)

    return judge


@pytest.fixture
def edit(site: Settings) -> Callable[[str, str, str], None]:
    """A function that replaces a text in a file of the folder."""

    def replace(file: str, old: str, new: str) -> None:
        path = site.knowledge / file
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    return replace
