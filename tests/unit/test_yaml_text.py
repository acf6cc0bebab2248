"""What changes in a YAML text where a value changes, and that nothing else does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from bot.errors import LvlinError
from bot.strict_yaml import parse
from bot.yaml_text import YamlText, rendered

TEXT = """\
# of the file
source: 源   # of all
items:
  # of the first
  - {name: 甲, aliases: [一, 二,
      三], source: x}   # behind it
  - {name: 乙, note: "说: 话"}
  - name: 丙
    note: 长   # of the note
    ask:
      - 你
      - 我   # of the word
    answer: 'it''s'
  # of the end
empty: []
"""
Edit = Callable[[YamlText], None]


def edited(edit: Edit, text: str = TEXT) -> str:
    editing = YamlText(text, "f.yaml")
    edit(editing)
    return editing.text()


def twice(editing: YamlText) -> None:
    editing.remove(("items", 0))
    editing.append(("items",), {"name": "丁", "ask": ["x"]})


@pytest.mark.parametrize(
    ("edit", "old", "new"),
    [
        pytest.param(lambda y: y.put(("source",), "另"), "源   #", "另   #", id="plain"),
        pytest.param(lambda y: y.put(("items", 1, "note"), "好"), '"说: 话"', '"好"', id="quotes-stay"),
        pytest.param(lambda y: y.put(("items", 2, "answer"), "好"), "'it''s'", '"好"', id="single-quotes"),
        pytest.param(lambda y: y.put(("items", 0, "name"), "1, 2"), "name: 甲", 'name: "1, 2"', id="needs-quotes"),
        pytest.param(lambda y: y.put(("items", 0, "source"), date(2027, 6, 30)), "x}", "2027-06-30}", id="day"),
        pytest.param(lambda y: y.put(("items", 1, "size"), 5), '话"}', '话", size: 5}', id="new-key-in-braces"),
        pytest.param(lambda y: y.put(("items", 2, "size"), 5), "'it''s'\n", "'it''s'\n    size: 5\n", id="key"),
        pytest.param(lambda y: y.remove(("items", 0, "source")), ", source: x", "", id="last-key-in-braces"),
        pytest.param(lambda y: y.remove(("items", 0, "name")), "name: 甲, ", "", id="first-key-in-braces"),
        pytest.param(lambda y: y.remove(("items", 2, "note")), "    note: 长   # of the note\n", "", id="key-out"),
        pytest.param(
            lambda y: y.remove(("items", 2, "name")), "name: 丙\n    note", "note", id="key-behind-a-dash"
        ),
        pytest.param(lambda y: y.put(("items", 0, "aliases"), ["一", "三"]), " 二,\n     ", "", id="word-out"),
        pytest.param(lambda y: y.put(("items", 0, "aliases"), ["零", "一", "二", "三"]), "[一", "[零, 一", id="before"),
        pytest.param(lambda y: y.put(("items", 0, "aliases"), ["一", "二", "三", "四"]), "三]", "三, 四]", id="behind"),
        pytest.param(lambda y: y.put(("items", 2, "ask"), ["你", "他"]), "我   # of", "他   # of", id="word-on-a-line"),
        pytest.param(
            lambda y: y.put(("items", 2, "ask"), ["你", "我", "他"]), "# of the word\n", "# of the word\n      - 他\n",
            id="another-word-on-a-line",
        ),
        pytest.param(
            lambda y: y.put(("items", 2, "ask"), []), "\n      - 你\n      - 我   # of", " []   # of", id="no-word-left"
        ),
        pytest.param(lambda y: y.remove(("items", 1)), '  - {name: 乙, note: "说: 话"}\n', "", id="element"),
        pytest.param(
            lambda y: y.append(("items",), {"name": "丁", "ask": ["x"]}), "  # of the end",
            "  - name: 丁\n    ask: [x]\n  # of the end", id="element-like-the-one-before",
        ),
        pytest.param(lambda y: y.append(("empty",), {"a": "b"}), "empty: []", "empty: [{a: b}]", id="into-nothing"),
    ],
)  # fmt: skip
def test_only_what_changes_is_written(edit: Edit, old: str, new: str) -> None:
    assert TEXT.count(old) == 1
    assert edited(edit) == TEXT.replace(old, new)


def test_edits_of_one_text_are_made_together() -> None:
    text = edited(twice)
    assert "甲" not in text
    assert "# behind it" not in text
    assert text.startswith("# of the file\nsource: 源   # of all\nitems:\n  # of the first\n  - {name: 乙")
    assert text.endswith("    answer: 'it''s'\n  - name: 丁\n    ask: [x]\n  # of the end\nempty: []\n")


def test_a_text_without_a_last_line_end_stays_so() -> None:
    assert edited(lambda y: y.append((), "b"), "- a") == "- a\n- b"


def test_what_would_leave_nothing_is_refused() -> None:
    with pytest.raises(LvlinError, match="nothing would be left in"):
        edited(lambda y: y.remove((0,)), "- a\n")


@pytest.mark.parametrize(
    "text",
    ["", " a", "a ", "5号", "18650", "08:00", "true", "no", "a: b", "a:", "a #b", "[a", "- a", "'", '"', "a\nb", "a\\b",
     "，", "{food}", "a, b", "~", "null", "2027-06-30", "\u3000", "é", "🔋"],
)  # fmt: skip
@pytest.mark.parametrize("quoted", [False, True])
def test_texts_are_read_back_as_they_were(text: str, quoted: bool) -> None:
    document, faults = parse(f"[{rendered(text, quoted=quoted)}]", "f")
    assert (document.value, faults) == ([text], [])
