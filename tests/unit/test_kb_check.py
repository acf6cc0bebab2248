"""Lint: every fault of the loader, and what should not stay so, each by file and line."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from bot.kb.check import Report, check
from bot.kb.entries import Synonyms
from bot.kb.slugs import ALL_NAMES, ITEM_QUESTIONS, OUT_OF_SCOPE, TOPIC_NAMES
from bot.matching.fold import Fold
from tests.unit.small_kb import CHOICES, CITY, FILES, ITEMS, PLACES, write

TODAY = date(2026, 11, 23)
KNOWLEDGE = Path(__file__).parents[2] / "knowledge"


@pytest.fixture(autouse=True)
def _two_topics(monkeypatch: pytest.MonkeyPatch) -> None:
    """The full list of slugs would need a file each."""
    monkeypatch.setattr("bot.kb.check.TOPIC_NAMES", {"lamp": "灯", "noise": "噪声"})


def folding(synonyms: Synonyms) -> Callable[[str], str]:
    fold = Fold(synonyms.words, synonyms.emoji, synonyms.fillers)
    return lambda text: fold(text).tight


def checked(folder: Path, **changes: str) -> Report:
    """Check the small knowledge, changed in some files."""
    return check(write(folder, **changes), TODAY, folding)


def test_nothing_to_say_of_good_knowledge(tmp_path: Path) -> None:
    assert checked(tmp_path) == Report((), ())


NOISE = FILES["topics/noise.yaml"]
LOCAL = "topic: noise\nentries:\n  - {id: box, ask: [电池箱在哪], local: {facility: battery_box}}\n"


@pytest.mark.parametrize(
    ("file", "text", "line", "said"),
    [
        pytest.param(
            "items/all",
            ITEMS + "  - {name: 旧书, category: recyclable, valid_to: 2026-11-22}\n",
            6,
            "item '旧书' is valid to 2026-11-22 only",
            id="expired-item",
        ),
        pytest.param(
            "topics/noise",
            NOISE + "    valid_to: 2026-11-22\n",
            3,
            "entry 'what' is valid to 2026-11-22",
            id="expired-entry",
        ),
        pytest.param(
            "items/all",
            ITEMS.replace("2027-06-30", "2026-11-22"),
            2,
            "the file was to be reviewed by 2026-11-22",
            id="stale-file-told-once",
        ),
        pytest.param(
            "items/all",
            ITEMS + "  - {name: 旧书, category: recyclable, review_by: 2026-11-22}\n",
            6,
            "item '旧书' was to be reviewed by 2026-11-22",
            id="stale-item",
        ),
        pytest.param(
            "topics/noise", NOISE.replace("2027-06-30", "2026-11-22"), 3, "was to be reviewed", id="stale-entry"
        ),
        pytest.param(
            "items/all", ITEMS.replace("review_by: 2027-06-30\n", ""), 1, "the file has no review_by", id="never"
        ),
        pytest.param(
            "topics/noise",
            NOISE.replace("    review_by: 2027-06-30\n", ""),
            3,
            "entry 'what' has no review_by",
            id="entry-never",
        ),
        pytest.param("topics/noise", NOISE.replace("短。", "长" * 161), 3, "has 161 characters", id="long-answer"),
        pytest.param(
            "topics/noise",
            NOISE + f"    cities: {{national: {{answer: {'长' * 161}}}}}\n",
            3,
            "for national has 161",
            id="long-answer-of-a-city",
        ),
        pytest.param(
            "topics/noise",
            NOISE.replace("[noise是什么]", "\n      - noise是什么\n      - ？！"),
            6,
            "is empty once folded",
            id="empty-phrase",
        ),
        pytest.param("topics/noise", NOISE.replace("noise是什么", "吵"), 4, "is a single character", id="short-phrase"),
        pytest.param(
            "topics/noise",
            NOISE.replace("noise是什么", "请问，LAMP是什么？"),
            4,
            "reads the same as one of lamp/what",
            id="same-phrase-in-two-entries",
        ),
        pytest.param(
            "items/all",
            ITEMS + "  - {name: 奶 茶 杯, category: residual}\n",
            6,
            "reads the same as a word of '奶茶杯'",
            id="same-word-of-two-items",
        ),
        pytest.param("items/all", ITEMS.replace("奶茶杯子", "？？"), 4, "'？？' is empty once folded", id="empty-word"),
        pytest.param(
            "items/all", ITEMS.replace("奶茶杯子", "灯"), 4, "is the ambiguous word '灯'", id="alias-of-a-choice"
        ),
        pytest.param(
            "choices", CHOICES.replace("residual", "hazardous"), 1, "go into the same bin", id="choice-of-one-bin"
        ),
        pytest.param(
            "dangers",
            FILES["dangers.yaml"] + "battery: {text: 小心。}\n",
            2,
            "danger 'battery' is never told",
            id="unused-danger",
        ),
        pytest.param(
            "places", PLACES.replace("battery_box", "sauna"), 9, "facility kind 'sauna'", id="unknown-facility"
        ),
        pytest.param(
            "topics/noise",
            NOISE.replace("answer: 短。\n    source: 源", "local: {facility: sauna}"),
            3,
            "facility 'sauna' of 'what' is unknown",
            id="entry-of-an-unknown-facility",
        ),
        pytest.param(
            "topics/noise", "topic: noise\nentries: []\n", 1, "topic 'noise' has no entry", id="topic-without-entry"
        ),
    ],
)
def test_warnings(tmp_path: Path, file: str, text: str, line: int, said: str) -> None:
    report = checked(tmp_path, **{file.replace("/", "__"): text})
    assert report.errors == ()
    (warning,) = report.warnings
    assert (warning.file, warning.line) == (f"kb/{file}.yaml", line)
    assert said in warning.what
    assert warning.mend


@pytest.mark.parametrize(
    ("file", "text"),
    [
        pytest.param(
            "dangers", FILES["dangers.yaml"] + "battery: {text: 小心。, words: [鼓包]}\n", id="danger-by-its-words"
        ),
        pytest.param("choices", CHOICES.replace("category: residual", "topic: lamp"), id="a-bin-or-a-topic"),
        pytest.param("items/all", ITEMS.replace("奶茶杯子", "奶 茶 杯"), id="an-item-may-be-spelt-twice"),
        pytest.param(
            "items/all", ITEMS + "  - {name: 灯, category: residual}\n", id="an-ambiguous-word-may-be-an-item"
        ),
        pytest.param("topics/noise", NOISE + "    valid_to: 2026-11-23\n", id="valid-to-the-end-of-today"),
        pytest.param("topics/noise", NOISE.replace("2027-06-30", "2026-11-23"), id="to-be-reviewed-today"),
        pytest.param("topics/noise", NOISE.replace("短。", "长" * 160), id="just-short-enough"),
        pytest.param("topics/noise", NOISE.replace("noise是什么", "噪音"), id="two-characters"),
        pytest.param("topics/noise", LOCAL, id="what-places-answer-needs-no-review"),
    ],
)
def test_what_is_fine(tmp_path: Path, file: str, text: str) -> None:
    assert checked(tmp_path, **{file.replace("/", "__"): text}) == Report((), ())


@pytest.mark.parametrize(
    ("file", "text", "line", "said"),
    [
        pytest.param(
            "cities/national", CITY.replace("  oil:", "  # oil:"), 6, "lacks oil", id="city-lacks-a-bin"
        ),
        pytest.param("items/all", ITEMS.replace("residual", "residul"), 4, "is 'residul'", id="misspelt-category"),
        pytest.param(
            "items/all", ITEMS.replace("mercury", "fire"), 5, "danger of '灯管' is 'fire'", id="unknown-danger"
        ),
    ],
)
def test_faults_of_the_loader_are_errors(tmp_path: Path, file: str, text: str, line: int, said: str) -> None:
    report = checked(tmp_path, **{file.replace("/", "__"): text})
    (error,) = (error for error in report.errors if said in error.what)
    assert (error.file, error.line) == (f"kb/{file}.yaml", line)
    assert report.warnings == ()


def test_a_missing_topic_file_is_told(tmp_path: Path) -> None:
    checked(tmp_path)
    (tmp_path / "kb/topics/noise.yaml").unlink()
    (warning,) = check(tmp_path / "kb", TODAY, folding).warnings
    assert (warning.file, warning.line) == ("kb/topics/noise.yaml", 1)


def test_every_slug_has_a_chinese_name() -> None:
    assert len(ALL_NAMES) == len(TOPIC_NAMES) + 2 == 47
    assert {ITEM_QUESTIONS, OUT_OF_SCOPE} < set(ALL_NAMES)
    assert all(not name.isascii() for name in ALL_NAMES.values())


def test_the_shipped_knowledge_has_no_fault() -> None:
    assert check(KNOWLEDGE, TODAY, folding).errors == ()
