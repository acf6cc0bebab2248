"""A word more, an entry more; every other byte as it was."""

from __future__ import annotations

import pytest

from bot import strict_yaml
from bot.errors import LvlinError
from bot.learning.edits import with_entry, with_item, with_words

ITEMS = """\
# 头上的说明
source: 指南   # 来源
items:
  - {name: 奶茶杯, category: residual, aliases: [奶茶杯子,  "奶茶 塑料杯"]}  # 常问
  - {name: 报纸, category: recyclable}
  - name: 过期药
    category: hazardous
    aliases:
      - 过期药片    # 口语
      - 过期药丸
    reason: 药品属于有害垃圾

  - name: 灯管
    category: hazardous
  - {name: 砖头, category: construction, aliases: []}
# 尾上的说明
"""
TOPIC = """\
topic: noise
entries:
  - id: decorate
    ask: [装修几点要停,
          周末可以装修吗]
    answer: >-
      工作日18时以后不装修。

      节假日也不装修。
    source: 条例
# 尾上的说明
"""


def added(before: str, after: str) -> list[str]:
    """The lines of `after` that are not in `before`, which must keep all others."""
    old, new = before.splitlines(), after.splitlines()
    return [line for line in new if line not in old]


@pytest.mark.parametrize(
    ("name", "line"),
    [
        pytest.param(
            "奶茶杯",
            '  - {name: 奶茶杯, category: residual, aliases: [奶茶杯子,  "奶茶 塑料杯", 新词, "a: b"]}  # 常问',
            id="flow-list",
        ),
        pytest.param("报纸", '  - {name: 报纸, category: recyclable, aliases: [新词, "a: b"]}', id="flow-without-list"),
        pytest.param(
            "砖头", '  - {name: 砖头, category: construction, aliases: [新词, "a: b"]}', id="empty-flow-list"
        ),
        pytest.param("灯管", '    aliases: [新词, "a: b"]', id="block-without-list"),
    ],
)
def test_words_are_added_where_the_list_is_or_belongs(name: str, line: str) -> None:
    after = with_words(ITEMS, "items", ("name", name), "aliases", ["新词", "a: b"])
    assert added(ITEMS, after) == [line]
    (item,) = (one for one in read(after)["items"] if one["name"] == name)
    assert item["aliases"][-2:] == ["新词", "a: b"]


def test_words_are_added_to_a_block_list() -> None:
    after = with_words(ITEMS, "items", ("name", "过期药"), "aliases", ["新词", "a: b"])
    assert after == ITEMS.replace("      - 过期药丸\n", '      - 过期药丸\n      - 新词\n      - "a: b"\n')


def test_phrases_are_added_to_a_list_over_several_lines() -> None:
    after = with_words(TOPIC, "entries", ("id", "decorate"), "ask", ["周末能装修多久"])
    assert after == TOPIC.replace("周末可以装修吗]", "周末可以装修吗, 周末能装修多久]")


def test_an_item_is_appended_after_the_last_one() -> None:
    after = with_item(ITEMS, {"name": "新物", "category": "residual", "aliases": [], "source": "社区答复"})
    assert after == ITEMS.replace("# 尾上", "  - {name: 新物, category: residual, source: 社区答复}\n# 尾上")


def test_the_first_item_taught_makes_the_file() -> None:
    text = with_item(None, {"name": "新物", "category": "residual"})
    text = with_item(text, {"name": "新物二", "category": "food", "aliases": ["新"]})
    assert [item["name"] for item in read(text)["items"]] == ["新物", "新物二"]


def test_an_entry_is_appended_after_the_last_one() -> None:
    entry = {"id": "taught-1", "ask": ["问一", "#问二"], "answer": "答：\n两行。", "source": "条例"}
    after = with_entry(TOPIC, entry)
    assert after.startswith(TOPIC.partition("# 尾上")[0])
    assert after.endswith("# 尾上的说明\n")
    assert read(after)["entries"][1] == entry


@pytest.mark.parametrize(
    "word",
    ["no", "12:30", "010", "-1", "*a", "&b", "!c", "a: b", "a #b", "'", '"', "[", "}", "\\", "null", "~", "2027", "😀"],
)
def test_whatever_a_resident_wrote_stays_a_text(word: str) -> None:
    text = with_item(None, {"name": word, "category": "residual", "aliases": [word + "二"]})
    (item,) = read(text)["items"]
    assert (item["name"], item["aliases"]) == (word, [word + "二"])


def test_a_file_without_an_end_of_line() -> None:
    text = with_item("items:\n- {name: 报纸, category: recyclable}", {"name": "新物", "category": "food"})
    assert text == "items:\n- {name: 报纸, category: recyclable}\n- {name: 新物, category: food}\n"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        pytest.param(ITEMS, ("name", "没有"), id="no-such-item"),
        pytest.param("items: [{name: 报纸}]\n", ("name", "报纸"), id="all-on-one-line"),
        pytest.param("source: 指南\n", ("name", "报纸"), id="no-list"),
    ],
)
def test_what_cannot_be_edited_is_told(text: str, named: tuple[str, str]) -> None:
    with pytest.raises(LvlinError):
        with_words(text, "items", named, "aliases", ["新词"])


def read(text: str):
    document, faults = strict_yaml.parse(text, "file")
    assert faults == []
    return document.value
