"""Publishing through the command line, seen by residents over HTTP: scenarios 12 and 13 of the product."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot import cli
from tests.conftest import write_small
from tests.scenario.callers import ask
from tests.scenario.conftest import Clock, Site, running, write_config

SHANGHAI = ZoneInfo("Asia/Shanghai")
DIALOGS = """\
- name: cup
  steps:
    - {say: 奶茶杯扔哪个桶, expect: {action: answer, items: {奶茶杯: residual}}}
- name: oil
  steps:
    - {say: 废油倒哪里, expect: {entry: topics/cooking_oil/pour, text_has: [厨房纸]}}
"""


@dataclass
class Ran:
    """What one command line gave."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Editor:
    """An editor's machine: the folder, the command line, and residents who ask the running server."""

    folder: Path
    site: Site
    capsys: pytest.CaptureFixture[str]
    asked: int = 0

    async def lvlin(self, *arguments: str) -> Ran:
        """One command line, beside the running server."""
        config = str(self.folder.parent / "config.yaml")
        status = await asyncio.to_thread(cli.run, [*arguments, "--config", config])
        captured = self.capsys.readouterr()
        return Ran(status, captured.out, captured.err)

    async def answer(self, text: str) -> str:
        """What a resident reads, after the server had a look at the knowledge."""
        await self.site.app.knowledge.look()
        self.asked += 1
        call = ask("gateway", text, self.site.clock.now, message_id=f"q{self.asked}", user=f"u{self.asked}")
        return str(json.loads((await self.site.call(call)).body)["text"])

    def edit(self, file: str, old: str, new: str) -> None:
        path = self.folder / file
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture
def clock() -> Clock:
    """Now, as the command line knows no other time."""
    return Clock(datetime.now(UTC))


@pytest.fixture
async def editor(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> AsyncIterator[Editor]:
    """A running site with the small knowledge and two frozen questions, and its editor; nothing published yet."""
    monkeypatch.setattr("bot.app.LOOK_SECONDS", 3600.0)  # the editor looks, and nobody else
    monkeypatch.setattr("bot.publishing.gate.SHIPPED", tmp_path / "none are shipped")
    folder = write_small(tmp_path / "kb", {"dialogs/own.yaml": DIALOGS})
    async with running(write_config(tmp_path, folder, None), clock) as site:
        yield Editor(folder, site, capsys)


async def test_an_edit_that_changes_a_frozen_answer_is_not_published(editor: Editor) -> None:
    """Scenario 12: blocked, the changed question is listed, and residents are answered as before."""
    assert (await editor.lvlin("kb", "publish", "--by", "张三")).status == 0
    before = await editor.answer("奶茶杯扔哪个桶")
    editor.edit("items/all.yaml", "{name: 奶茶杯, category: residual", "{name: 奶茶杯, category: food")
    ran = await editor.lvlin("kb", "publish", "--by", "张三", "--yes")
    assert ran.status == 1
    assert "1. 「奶茶杯扔哪个桶」（kb/dialogs/own.yaml:3）" in ran.out
    for part in ("原来：奶茶杯：干垃圾", "现在：奶茶杯：湿垃圾", "没有发布"):
        assert part in ran.out
    assert "废油" not in ran.out
    assert await editor.answer("奶茶杯扔哪个桶") == before
    found = (await editor.lvlin("kb", "publish", "--json")).json
    assert (found["published"], [one["say"] for one in found["regressions"]]) == (None, ["奶茶杯扔哪个桶"])
    assert len((await editor.lvlin("kb", "history", "--json")).json["versions"]) == 1


async def test_an_entry_past_its_last_day_is_not_answered_and_listed(editor: Editor) -> None:
    """Scenario 13, for the day after its last."""
    yesterday = editor.site.clock.now.astimezone(SHANGHAI).date() - timedelta(days=1)
    editor.edit("dialogs/own.yaml", "- name: oil", "- name: oil\n  xfail: it has expired")
    assert "厨房纸" in await editor.answer("废油倒哪里")
    editor.edit("topics/cooking_oil.yaml", "    source: 指南\n", f"    source: 指南\n    valid_to: {yesterday}\n")
    assert (await editor.lvlin("kb", "publish")).status == 0
    assert "厨房纸" not in await editor.answer("废油倒哪里")
    ran = await editor.lvlin("kb", "check")
    (line,) = (line for line in ran.out.splitlines() if "kb/topics/cooking_oil.yaml:8" in line)
    assert f"entry 'pour' has expired: it is valid to {yesterday} only and not answered any more" in line


async def test_before_the_first_publication_the_folder_is_served_and_after_it_what_was_published(
    editor: Editor,
) -> None:
    assert "厨房纸" in await editor.answer("废油倒哪里")
    editor.edit("topics/cooking_oil.yaml", "少量用厨房纸", "少量的用厨房纸")
    assert "少量的用厨房纸" in await editor.answer("废油倒哪里"), "a good edit is picked up by itself"
    ran = await editor.lvlin("kb", "publish")
    assert (ran.status, "已发布：第1版" in ran.out, "再运行 lvlin kb publish 才会生效" in ran.out) == (0, True, True)
    editor.edit("topics/cooking_oil.yaml", "少量的用厨房纸", "一点点用厨房纸")
    assert "少量的用厨房纸" in await editor.answer("废油倒哪里"), "an edit waits to be published"
    assert "differs from version 1, which is served" in (await editor.lvlin("kb", "check")).out
    assert "还没有发布的改动" in (await editor.lvlin("kb", "history")).out
    assert "一点点用厨房纸" in (await editor.lvlin("ask", "废油倒哪里")).out, "the editor tries the edit"
    assert "少量的用厨房纸" in (await editor.lvlin("ask", "--keep", "废油倒哪里")).out, "what is kept is served"


async def test_a_server_that_starts_anew_serves_what_was_published(editor: Editor) -> None:
    await editor.lvlin("kb", "publish")
    editor.edit("topics/cooking_oil.yaml", "少量用厨房纸", "一点点用厨房纸")
    editor.edit("items/all.yaml", "category: residual", "category: residul")
    await editor.site.app.listener.stop()
    async with running(editor.folder.parent / "config.yaml", editor.site.clock) as again:
        assert "少量用厨房纸" in await Editor(editor.folder, again, editor.capsys, asked=100).answer("废油倒哪里")


async def test_a_changed_answer_needs_to_be_accepted(editor: Editor) -> None:
    await editor.lvlin("kb", "publish")
    editor.edit("topics/cooking_oil.yaml", "少量用厨房纸", "一点点用厨房纸")
    ran = await editor.lvlin("kb", "publish")
    assert (ran.status, "加 --yes" in ran.out, "1. 「废油倒哪里」" in ran.out) == (1, True, True)
    assert "少量用厨房纸" in await editor.answer("废油倒哪里")
    ran = await editor.lvlin("kb", "publish", "--yes", "--by", "李四", "--note", "更口语")
    assert ran.status == 0
    assert "一点点用厨房纸" in await editor.answer("废油倒哪里")
    newest, oldest = (await editor.lvlin("kb", "history", "--json")).json["versions"]
    assert (newest["number"], newest["by"], newest["note"], oldest["number"]) == (2, "李四", "更口语", 1)
    assert newest["version"] == editor.site.app.knowledge.version
    assert (await editor.lvlin("kb", "publish")).out.startswith("没有要发布的改动")


async def test_an_edit_no_frozen_question_notices_is_published_at_once(editor: Editor) -> None:
    await editor.lvlin("kb", "publish")
    editor.edit("items/all.yaml", "aliases: [旧报纸]", "aliases: [旧报纸, 过时报纸]")
    ran = await editor.lvlin("kb", "publish")
    assert (ran.status, "修改 items/报纸" in ran.out) == (0, True)


async def test_faults_are_told_with_file_and_line_and_block(editor: Editor) -> None:
    await editor.lvlin("kb", "publish")
    editor.edit("items/all.yaml", "category: residual", "category: residul")
    ran = await editor.lvlin("kb", "publish")
    assert ran.status == 1
    assert "(kb/items/all.yaml:17)" in ran.err
    assert "干垃圾" in await editor.answer("奶茶杯扔哪个桶")


async def test_rolling_back(editor: Editor) -> None:
    await editor.lvlin("kb", "publish")
    good = (editor.folder / "topics/cooking_oil.yaml").read_bytes()
    editor.edit("topics/cooking_oil.yaml", "少量用厨房纸", "一点点用厨房纸")
    await editor.lvlin("kb", "publish", "--yes")
    editor.edit("texts.yaml", "您好，我是小绿。", "大家好，我是小绿。")
    ran = await editor.lvlin("kb", "rollback", "1")
    assert (ran.status, "加 --yes" in ran.out) == (1, True)
    ran = await editor.lvlin("kb", "rollback", "1", "--yes", "--by", "李四")
    assert (ran.status, "已回退：第3版" in ran.out, "回到第1版" in ran.out) == (0, True, True)
    kept = Path(ran.out.rpartition("保存在 ")[2].strip())
    assert "大家好" in (kept / "texts.yaml").read_text(encoding="utf-8")
    assert (editor.folder / "topics/cooking_oil.yaml").read_bytes() == good
    assert "少量用厨房纸" in await editor.answer("废油倒哪里")
    assert (await editor.lvlin("kb", "rollback", "3")).out.startswith("不用回退")
    ran = await editor.lvlin("kb", "rollback", "9")
    assert (ran.status, ran.err) == (1, "lvlin: there is no version 9 — see lvlin kb history\n")


async def test_in_a_repository_a_publication_is_a_commit(editor: Editor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(editor.folder.parent))

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(editor.folder), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    git("init", "--quiet")
    ran = await editor.lvlin("kb", "publish", "--by", "张三", "--note", "第一版", "--json")
    assert ran.json["published"]["commit"] == git("rev-parse", "HEAD")
    assert git("log", "--format=%an %s") == "张三 第一版"
    editor.edit("topics/cooking_oil.yaml", "少量用厨房纸", "一点点用厨房纸")
    await editor.lvlin("kb", "publish", "--by", "张三", "--yes")
    await editor.lvlin("kb", "rollback", "1", "--by", "李四", "--yes")
    subjects = git("log", "--format=%an %s").split("\n")
    assert subjects == ["李四 知识库回到第1版", "张三 发布知识库", "张三 第一版"]
    assert git("status", "--porcelain") == ""
    assert git("diff", "--stat", "HEAD~2", "HEAD") == ""


async def test_a_damaged_index_changes_nothing_and_is_told(editor: Editor) -> None:
    await editor.lvlin("kb", "publish")
    before = await editor.answer("奶茶杯扔哪个桶")
    index = editor.folder.parent / "data" / "knowledge-versions" / "versions.jsonl"
    whole = index.read_bytes()
    index.write_bytes(whole[:20])
    assert await editor.answer("奶茶杯扔哪个桶") == before
    (fault,) = editor.site.app.knowledge.faults
    assert (fault.file, fault.line) == (str(index), 1)
    await editor.site.app.knowledge.look()
    assert editor.capsys.readouterr().err.count("fault in the knowledge") == 1, "it is told once"
    index.write_bytes(whole)
    await editor.site.app.knowledge.look()
    assert editor.site.app.knowledge.faults == ()


@pytest.mark.parametrize("name", ["a\nb", "<a>"])
async def test_a_name_that_is_none(editor: Editor, name: str) -> None:
    assert (await editor.lvlin("kb", "publish", "--by", name)).status == 2
