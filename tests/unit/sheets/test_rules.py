"""The rules for WeCom's automatic replies: their order, keywords that do not collide, and the limits."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path

import openpyxl
import pytest

from bot.kb.load import Knowledge, load
from bot.records import Option, Reply
from bot.sheets.rules import REPLY_CHARS, Pack, pack, write_rules
from tests.unit import small_kb

DANGERS = """\
mercury: {text: 小心。}
swollen: {text: "别动，联系{contact}。", words: [鼓包, 冒烟], things: [锂电池, 手机]}
"""
NOISE = """\
topic: noise
entries:
  - id: what
    ask: [噪声太大, 邻居噪声, 半夜有噪声怎么办, 楼上吵]
    answer: 噪声的事，请问居委。
    source: 源
"""
ITEMS = """\
source: 源
items:
  - {name: 奶茶杯, category: residual, aliases: [奶茶杯子]}
  - {name: 灯管, category: hazardous, danger: mercury}
  - {name: 灯管纸盒, category: recyclable}
"""
CASES = Reply("clarify", "哪一种？", entry="choices/灯", options=(Option("灯管", category="hazardous"),))


@pytest.fixture
def knowledge(tmp_path: Path) -> Knowledge:
    return load(small_kb.write(tmp_path, dangers=DANGERS, topics__noise=NOISE, items__all=ITEMS))


async def packed(knowledge: Knowledge, people: Mapping[str, int], long: str = "") -> Pack:
    async def ask(question: str) -> Reply:
        if "鼓包" in question:
            return Reply("answer", "别动，联系居委。", entry="dangers/swollen")
        if "噪声" in question:
            hint = knowledge.texts["detail_hint"]
            return Reply("answer", f"噪声的事，请问居委。{long}\n{hint}", entry="topics/noise/what")
        if "奶茶杯" in question:
            return Reply("answer", "奶茶杯：干垃圾。", entry="items/奶茶杯")
        return CASES if question == "灯" else Reply("fallback", "不知道。")

    return await pack(knowledge, knowledge.cities["national"], people, ask)


async def test_dangers_come_first_then_what_most_people_asked_for(knowledge: Knowledge) -> None:
    made = await packed(knowledge, {"items/奶茶杯": 3, "topics/noise/what": 5})
    assert [rule.about for rule in made.rules] == ["dangers/swollen", "topics/noise/what", "items/奶茶杯"]
    danger, noise, cup = made.rules
    assert (danger.reply, danger.keywords[0]) == ("别动，联系居委。", "锂电池鼓包")
    assert (noise.reply, noise.keywords) == ("噪声的事，请问居委。", ("噪声",))
    assert cup.keywords == ("奶茶杯",)


async def test_what_has_no_answer_of_its_own_or_no_keyword_is_left_out_and_told(knowledge: Knowledge) -> None:
    made = await packed(knowledge, {})
    why = dict(made.left_out)
    assert why["topics/lamp/what"] == "没有不和别的规则重合的关键词"
    assert why["items/灯管纸盒"] == "机器人对它的答复不固定"
    assert "items/灯管" in why  # the box of it goes into another bin, and holds its name
    assert "choices/灯" in why  # one character stands in too much


async def test_a_reply_that_is_too_long_is_left_out(knowledge: Knowledge) -> None:
    made = await packed(knowledge, {}, long="长" * REPLY_CHARS)
    assert ("topics/noise/what", f"答复超过{REPLY_CHARS}字") in made.left_out


async def test_no_keyword_stands_in_one_of_another_rule(knowledge: Knowledge) -> None:
    made = await packed(knowledge, {})
    for one, other in itertools.permutations(made.rules, 2):
        assert not any(word in longer for word in one.keywords for longer in other.keywords)


async def test_the_sheet_can_be_pasted_from(knowledge: Knowledge, tmp_path: Path) -> None:
    made = await packed(knowledge, {})
    write_rules(tmp_path / "rules.xlsx", made)
    head, first, *_ = openpyxl.load_workbook(tmp_path / "rules.xlsx")["自动回复"].iter_rows(values_only=True)
    assert head[:4] == ("序号", "规则名称", "关键词", "回复内容")
    assert first[2:5] == (",".join(made.rules[0].keywords), made.rules[0].reply, len(made.rules[0].reply))
