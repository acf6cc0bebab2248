"""The knowledge folder: all of it, or every fault with file and line."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from bot.errors import FaultyFile
from bot.kb.entries import Entry, Item
from bot.kb.load import in_force, load, version_of
from tests.unit.small_kb import CHOICES, CITY, FILES, ITEMS, PLACES, write

NOISE = FILES["topics/noise.yaml"]


def test_everything_is_read(tmp_path: Path) -> None:
    knowledge = load(write(tmp_path))
    assert [item.name for item in knowledge.items] == ["奶茶杯", "灯管"]
    assert [(slug, entry.id) for slug, entry in knowledge.entries()] == [("lamp", "what"), ("noise", "what")]
    assert knowledge.choices[0].options[0].item == "灯管"
    assert [place.id for place in knowledge.places.walk()] == ["root", "estate"]
    assert knowledge.texts["greeting"] == "您好"


def test_items_inherit_what_their_file_says(tmp_path: Path) -> None:
    own = "  - {name: 旧书, category: recyclable, source: 源, review_by: 2028-01-01}\n"
    items = {item.name: item for item in load(write(tmp_path, items__all=ITEMS + own)).items}
    assert (items["奶茶杯"].source, items["奶茶杯"].review_by) == ("源", date(2027, 6, 30))
    assert items["旧书"].review_by == date(2028, 1, 1)


def test_every_name_knows_its_line(tmp_path: Path) -> None:
    lines = load(write(tmp_path)).lines
    assert lines["items/奶茶杯子"] == lines["items/奶茶杯"] == ("kb/items/all.yaml", 4)
    assert lines["items/灯管"] == ("kb/items/all.yaml", 5)
    assert lines["topics/noise/what"] == ("kb/topics/noise.yaml", 3)


def test_the_version_follows_the_content_alone(tmp_path: Path) -> None:
    first, second = write(tmp_path / "a"), write(tmp_path / "b")
    assert load(first).version == version_of(first) == version_of(second)
    (second / "texts.yaml").write_text("greeting: 你好\n", encoding="utf-8")
    assert version_of(first) != version_of(second)
    (second / "texts.yaml").write_text(FILES["texts.yaml"], encoding="utf-8")
    (second / "items/all.yaml").rename(second / "items/more.yaml")
    assert version_of(first) != version_of(second)


@pytest.mark.parametrize(
    ("file", "text", "line", "said"),
    [
        pytest.param("synonyms", "", 1, "the file is empty", id="empty-file"),
        pytest.param("texts", "greeting: ''\n", 1, "greeting", id="empty-text"),
        pytest.param("texts", "greeting: no: never\n", 1, "mapping values", id="broken-yaml"),
        pytest.param("texts", "greeting: 您好\ngreeting: 你好\n", 2, "key 'greeting' stands twice", id="repeated-key"),
        pytest.param("items/all", ITEMS.replace("aliases", "alias"), 4, "unknown key items[0].alias", id="unknown-key"),
        pytest.param("items/all", ITEMS.replace("[奶茶杯子]", "[7]"), 4, "is 7", id="number-for-a-text"),
        pytest.param(
            "items/all", ITEMS.replace("2027-06-30", "2027-06-31"), 2, "'2027-06-31' is not a date", id="no-such-day"
        ),
        pytest.param("items/all", ITEMS.replace("奶茶杯子", "灯管"), 5, "item '灯管' stands already", id="word-twice"),
        pytest.param(
            "items/all", ITEMS.replace("source: 源", "source: 书"), 4, "source of '奶茶杯' is '书'", id="no-source"
        ),
        pytest.param("items/all", ITEMS.replace("danger: m", "danger: x"), 5, "danger of '灯管'", id="unknown-danger"),
        pytest.param(
            "items/all",
            ITEMS.replace("danger:", "topic: lapm, danger:"),
            5,
            "topic of '灯管' is 'lapm'",
            id="unknown-topic",
        ),
        pytest.param(
            "topics/noise", NOISE.replace("topic: n", "topic: m"), 1, "topic is 'moise'", id="topic-not-its-file"
        ),
        pytest.param(
            "topics/noise", NOISE + NOISE.partition("entries:\n")[2], 8, "id 'what' stands twice", id="id-twice"
        ),
        pytest.param(
            "topics/noise",
            NOISE.replace("noise是什么", "lamp是什么"),
            4,
            "stands already in kb/topics/lamp.yaml:4",
            id="phrase-twice",
        ),
        pytest.param("topics/noise", NOISE.replace("[noise是什么]", "[]"), 3, "no way of asking", id="no-phrase"),
        pytest.param(
            "topics/noise",
            NOISE.replace("source: 源", "source: 书"),
            3,
            "source of 'what' is '书'",
            id="unknown-source",
        ),
        pytest.param(
            "topics/noise",
            NOISE.replace("    source: 源\n", ""),
            3,
            "answer without a source",
            id="answer-without-source",
        ),
        pytest.param(
            "topics/noise",
            NOISE + "    local: {times: true}\n",
            3,
            "neither or both of answer and local",
            id="two-answers",
        ),
        pytest.param("choices", CHOICES.replace("item: 灯管", "item: 灯笼"), 4, "names no item", id="case-of-no-item"),
        pytest.param("choices", CHOICES.replace(", item: 灯管", ""), 4, "leads nowhere", id="case-without-an-end"),
        pytest.param(
            "choices",
            CHOICES.replace("    - {label: 灯座, category: residual}\n", ""),
            1,
            "two to five",
            id="one-case-only",
        ),
        pytest.param(
            "places", PLACES.replace("id: estate", "id: root"), 5, "place id 'root' stands twice", id="place-twice"
        ),
        pytest.param(
            "places",
            PLACES.replace("street\n", "street\nchats: [app/g]\n") + "    chats: [app/g]\n",
            11,
            "chat 'app/g' belongs to root and estate",
            id="chat-twice",
        ),
        pytest.param(
            "cities/national", CITY.replace("city: n", "city: r"), 1, "city is 'rational'", id="city-not-its-file"
        ),
        pytest.param("notes", "hello: 你好\n", 1, "the file has no meaning here", id="unknown-file"),
    ],
)
def test_a_fault_is_told_with_its_line(tmp_path: Path, file: str, text: str, line: int, said: str) -> None:
    with pytest.raises(FaultyFile) as raised:
        load(write(tmp_path, **{file.replace("/", "__"): text}))
    told = [fault for fault in raised.value.faults if said in fault.what]
    assert [(fault.file, fault.line) for fault in told] == [(f"kb/{file}.yaml", line)]
    assert told[0].mend


def test_all_faults_are_told_in_order(tmp_path: Path) -> None:
    folder = write(tmp_path, items__all=ITEMS.replace("residual", "x").replace("hazardous", "y"), texts="greeting: 1\n")
    (folder / "dangers.yaml").unlink()
    with pytest.raises(FaultyFile) as raised:
        load(folder)
    found = [(fault.file, fault.line) for fault in raised.value.faults]
    assert found == sorted(found)
    assert {("kb/dangers.yaml", 1), ("kb/items/all.yaml", 4), ("kb/items/all.yaml", 5), ("kb/texts.yaml", 1)} <= {
        *found
    }


@pytest.mark.parametrize("read", [load, version_of])
def test_a_missing_folder_and_unreadable_files_are_faults(tmp_path: Path, read: object) -> None:
    assert callable(read)
    with pytest.raises(FaultyFile, match="does not exist"):
        read(tmp_path / "nowhere")
    folder = write(tmp_path)
    (folder / "texts.yaml").write_bytes(b"greeting: \xff\n")
    with pytest.raises(FaultyFile, match="cannot be read"):
        read(folder)


THING = Item(name="旧书", category="recyclable", valid_from=date(2026, 1, 1), valid_to=date(2026, 12, 31))
ENTRY = Entry(id="a", ask=("何时",), answer="今年", source="源")


@pytest.mark.parametrize(
    ("thing", "day", "valid"),
    [
        pytest.param(THING, date(2025, 12, 31), False, id="before"),
        pytest.param(THING, date(2026, 1, 1), True, id="first-day"),
        pytest.param(THING, date(2026, 12, 31), True, id="last-day"),
        pytest.param(THING, date(2027, 1, 1), False, id="after"),
        pytest.param(ENTRY, date(2100, 1, 1), True, id="without-end"),
    ],
)
def test_in_force(thing: Item | Entry, day: date, valid: bool) -> None:
    assert in_force(thing, day) is valid
