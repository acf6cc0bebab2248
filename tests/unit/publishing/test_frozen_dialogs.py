"""Frozen conversations are read strictly, and what came back is compared with all that was expected."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.publishing.dialogs import Difference, Expect, differences, read_dialogs
from bot.records import Alert, ItemAnswer, Option, Reply

GOOD = "- {name: one, steps: [{say: 你好, expect: silent}]}\n"


def write(folder: Path, name: str, text: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")


def test_the_site_s_own_are_held_in_its_city_and_replace_shipped_files_of_the_same_name(tmp_path: Path) -> None:
    shipped, knowledge = tmp_path / "shipped", tmp_path / "kb"
    write(shipped, "local.yaml", GOOD)
    write(shipped, "items.yaml", GOOD + "- {city: hangzhou, steps: [{say: 您好, expect: silent}]}\n")
    write(knowledge / "dialogs", "local.yaml", "# own\n" + GOOD)
    dialogs, faults = read_dialogs(knowledge, "beijing", shipped)
    assert faults == []
    assert [(dialog.name, dialog.city, dialog.file, dialog.lines) for dialog in dialogs] == [
        ("items-one", "shanghai", "tests/dialogs/items.yaml", (1,)),
        ("items-1", "hangzhou", "tests/dialogs/items.yaml", (2,)),
        ("local-one", "beijing", "kb/dialogs/local.yaml", (2,)),
    ]
    assert dialogs[0].told.steps[0].expect.action == "silent"


def test_a_number_is_a_text(tmp_path: Path) -> None:
    write(tmp_path / "kb" / "dialogs", "own.yaml", "- {steps: [{say: 你, expect: {text_has: [12345]}}]}\n")
    (dialog,), faults = read_dialogs(tmp_path / "kb", "shanghai", tmp_path / "none")
    assert (faults, dialog.told.steps[0].expect.text_has) == ([], ("12345",))


@pytest.mark.parametrize(("text", "line", "said"), [
    pytest.param(GOOD + "- {name: two, steps: [{say: 你, expect: {acton: answer}}]}\n", 2, "acton", id="misspelt-key"),
    pytest.param(GOOD + "- {name: two, steps: [{say: 你, expect: {}}]}\n", 2, "expects nothing", id="nothing-expected"),
    pytest.param(GOOD + "- {name: two, steps: [{say: 你, expect: loud}]}\n", 2, "expect", id="neither-silent-nor-keys"),
    pytest.param(GOOD + "- {name: two, steps: [{say: 你}]}\n", 2, "expect is missing", id="no-expectation"),
    pytest.param(GOOD + GOOD, 2, "name 'one' stands twice", id="name-twice"),
    pytest.param(GOOD + "- {steps: [{say: 你, expect: {items: {书: paper}}}]}\n", 2, "paper", id="no-such-bin"),
    pytest.param(GOOD + "- [\n", 2, "", id="no-yaml"),
])  # fmt: skip
def test_faults_are_told_with_their_line(tmp_path: Path, text: str, line: int, said: str) -> None:
    write(tmp_path / "kb" / "dialogs", "own.yaml", text)
    _, (fault,) = read_dialogs(tmp_path / "kb", "shanghai", tmp_path / "none")
    assert (fault.file, fault.line) == ("kb/dialogs/own.yaml", line)
    assert said in fault.what


REPLY = Reply(
    "answer", "奶茶杯：干垃圾。", topic="waste.item", entry="items/奶茶杯", alert=Alert("小心"), unanswered=True,
    items=(ItemAnswer("奶茶杯", "residual", "干垃圾"), ItemAnswer("鱼骨", "food", "湿垃圾", inferred=True)),
    options=(Option("一"), Option("二")),
)  # fmt: skip


@pytest.mark.parametrize(("expect", "different"), [
    pytest.param({"action": "answer", "topic": "waste.item", "entry": "items/奶茶杯"}, [], id="as-expected"),
    pytest.param({"action": "clarify"}, [Difference("action", "clarify", "answer")], id="action"),
    pytest.param({"topic": None}, [Difference("topic", None, "waste.item")], id="no-topic-expected"),
    pytest.param({"items": {"奶茶杯": "residual", "鱼骨": "food"}, "inferred": True, "alert": True}, [], id="items"),
    pytest.param(
        {"items": {"鱼骨": "food", "奶茶杯": "residual"}},
        [Difference("items in order", ["鱼骨", "奶茶杯"], ["奶茶杯", "鱼骨"])],
        id="items-in-another-order",
    ),
    pytest.param({"options": ["二"], "unanswered": True}, [], id="an-option-among-others"),
    pytest.param({"options": ["三"]}, [Difference("options", ("三",), ())], id="option-lacks"),
    pytest.param({"text_has": ["干垃圾"], "text_lacks": ["湿"]}, [], id="text"),
    pytest.param({"text_has": ["干", "红"]}, [Difference("text_has", ("干", "红"), ("干",))], id="text-lacks"),
    pytest.param({"text_lacks": ["干"]}, [Difference("text_lacks", ("干",), ())], id="text-has"),
    pytest.param({"alert": False}, [Difference("alert", False, True)], id="alert"),
])  # fmt: skip
def test_differences(expect: dict[str, object], different: list[Difference]) -> None:
    assert differences(REPLY, Expect.model_validate(expect)) == different


@pytest.mark.parametrize(("reply", "key"), [
    pytest.param(Reply("answer", "长" * 401), "characters", id="too-long"),
    pytest.param(Reply("silent", "一个字"), "characters", id="silence-with-words"),
    pytest.param(Reply("answer", "投{food}"), "placeholders", id="placeholder"),
])  # fmt: skip
def test_no_reply_is_too_long_or_shows_a_placeholder(reply: Reply, key: str) -> None:
    (difference,) = differences(reply, Expect(action=reply.action))
    assert difference.key == key
