"""Editing the knowledge under a running server: the new answers come, a broken edit changes nothing, days pass."""

from __future__ import annotations

import asyncio
import json
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from bot.errors import FaultyFile
from tests.scenario.callers import Call, ask
from tests.scenario.conftest import running, write_config

NEW = """
source: 编者
items:
  - {name: 时光机, category: bulky, valid_to: 2026-11-24}
"""


@pytest.fixture
async def site(tmp_path, knowledge, clock, monkeypatch):
    monkeypatch.setattr("bot.app.LOOK_SECONDS", 3600.0)  # the tests look, and nobody else
    folder = tmp_path / "knowledge"
    shutil.copytree(knowledge[0], folder)
    async with running(write_config(tmp_path, folder, knowledge[1]), clock) as opened:
        yield opened


def edit(site_folder: Path, text: str) -> None:
    """Save a file of the knowledge."""
    (site_folder / "knowledge" / "items" / "zz_new.yaml").write_text(text)


async def answer(site, text: str, number: int) -> dict:
    asked = await site.call(ask("gateway", text, site.clock.now, message_id=f"r{number}", user=f"u{number}"))
    return json.loads(asked.body)


async def readiness(site) -> tuple[int, dict]:
    answered = await site.call(Call("/readyz", method="GET"))
    return answered.status, json.loads(answered.body)


async def test_an_edit_is_answered_from_and_ends_with_its_last_day(site, tmp_path):
    edit(tmp_path, NEW)
    version = site.app.knowledge.version
    await site.app.knowledge.look()
    assert site.app.knowledge.faults == ()
    assert site.app.knowledge.version != version
    given = await answer(site, "时光机扔哪个桶", 1)
    assert given["items"][0]["name"] == "时光机"
    shown = (await site.call(Call("/metrics", method="GET"))).body.decode()
    assert f'version="{site.app.knowledge.version}"' in shown
    site.clock.now += timedelta(days=1, hours=13)  # past midnight in Shanghai, by an hour
    await site.app.knowledge.look()
    given = await answer(site, "时光机扔哪个桶", 2)
    assert [item["name"] for item in given["items"] if not item["inferred"]] == []


async def test_a_broken_edit_leaves_the_last_good_knowledge_answering(site, tmp_path, caplog):
    before = site.app.knowledge.brain()
    edit(tmp_path, "items:\n  - {name: 时光机, category: bulk, source: 编者}\n  - {name: 时光机, categry: food}\n")
    await site.app.knowledge.look()
    assert site.app.knowledge.brain() is before
    status, state = await readiness(site)
    assert (status, state["ready"], state["knowledge"]) == (200, True, before.version)
    assert state["faults"] >= 2
    faults = [record.fault for record in caplog.records if record.msg == "fault in the knowledge"]
    assert any("zz_new.yaml:2" in fault for fault in faults)
    assert any("zz_new.yaml:3" in fault for fault in faults)
    assert (await answer(site, "奶茶杯扔哪个桶", 1))["action"] == "answer"
    shown = (await site.call(Call("/metrics", method="GET"))).body.decode()
    assert f"lvlin_knowledge_faults {float(state['faults'])}" in shown


async def test_while_it_reloads_messages_are_answered_and_none_is_lost(site, tmp_path):
    edit(tmp_path, NEW)
    reload = asyncio.create_task(site.app.knowledge.look())
    number = 0
    while not reload.done() or number < 20:
        number += 1
        assert (await answer(site, "奶茶杯扔哪个桶", number))["action"] == "answer"
    await reload
    assert len(await site.turns()) == number
    assert (await answer(site, "时光机扔哪个桶", 0))["items"][0]["name"] == "时光机"


async def test_nothing_is_read_again_while_nothing_changes(site, monkeypatch):
    async def never(*given):
        raise AssertionError("compiled again")

    monkeypatch.setattr(site.app.knowledge, "_compiled", never)
    for _ in range(3):
        await site.app.knowledge.look()


async def test_a_folder_that_is_gone_is_a_fault(site, tmp_path):
    (tmp_path / "knowledge").rename(tmp_path / "elsewhere")
    await site.app.knowledge.look()
    assert len(site.app.knowledge.faults) == 1
    assert (await answer(site, "奶茶杯扔哪个桶", 1))["action"] == "answer"
    (tmp_path / "elsewhere").rename(tmp_path / "knowledge")
    await site.app.knowledge.look()
    assert site.app.knowledge.faults == ()


async def test_it_does_not_start_on_broken_knowledge(tmp_path, knowledge, clock):
    shutil.copytree(knowledge[0], tmp_path / "knowledge")
    edit(tmp_path, "items: [}")
    with pytest.raises(FaultyFile, match="zz_new"):
        async with running(write_config(tmp_path, tmp_path / "knowledge", knowledge[1]), clock):
            pass


async def test_a_compiler_that_dies_changes_nothing(site, monkeypatch, caplog):
    before = site.app.knowledge.brain()
    monkeypatch.setattr("bot.knowledge.sys.executable", "/bin/false")
    await site.app.knowledge.reload()
    assert site.app.knowledge.brain() is before
    assert "the knowledge stays as it is" in caplog.messages
