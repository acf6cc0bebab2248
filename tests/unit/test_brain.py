"""The knowledge, ready to answer: compiled once for a content, a city and a day, and read back as it was."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from bot import brain
from bot.brain import Brain, compiled
from bot.errors import FaultyFile
from bot.matching.understand import understand
from tests.conftest import TODAY


def test_it_is_compiled_once(small_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = compiled(small_folder, tmp_path / "kept", "shanghai", TODAY)

    def again(*_: object) -> None:
        raise AssertionError("compiled twice")

    monkeypatch.setattr(brain, "compile_index", again)
    assert compiled(small_folder, tmp_path / "kept", "shanghai", TODAY) == first


@pytest.mark.parametrize("change", ["knowledge", "city", "day", "code"])
def test_it_is_compiled_anew_when_something_changed(
    change: str, small_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled(small_folder, tmp_path / "kept", "shanghai", TODAY)
    if change == "knowledge":
        path = small_folder / "chatter.yaml"
        path.write_text(path.read_text(encoding="utf-8").replace("早上好", "晚上好"), encoding="utf-8")
    if change == "code":
        monkeypatch.setattr(brain, "_maker", lambda: "other")
    city = "beijing" if change == "city" else "shanghai"
    day = TODAY + timedelta(days=1) if change == "day" else TODAY
    compiled(small_folder, tmp_path / "kept", city, day)
    assert len(list((tmp_path / "kept").glob("knowledge-*"))) == 2


@pytest.mark.parametrize(("change", "made"), [("city", 1), ("chatter", 2)])
def test_what_is_learned_from_phrases_serves_all_cities(
    change: str, made: int, small_folder: Path, tmp_path: Path
) -> None:
    compiled(small_folder, tmp_path / "kept", "shanghai", TODAY)
    if change == "chatter":
        path = small_folder / "chatter.yaml"
        path.write_text(path.read_text(encoding="utf-8").replace("早上好", "晚上好"), encoding="utf-8")
    compiled(small_folder, tmp_path / "kept", "beijing", TODAY)
    assert len(list((tmp_path / "kept").glob("language-*"))) == made


def test_nothing_is_kept_where_nothing_is_to_be(small_folder: Path, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    compiled(small_folder, None, "shanghai", TODAY)
    assert sorted(tmp_path.rglob("*")) == before


def test_read_back_it_answers_the_same(small_folder: Path, tmp_path: Path, small: Brain) -> None:
    compiled(small_folder, tmp_path / "kept", "shanghai", TODAY)
    again = Brain.of(compiled(small_folder, tmp_path / "kept", "shanghai", TODAY))
    assert again.version == small.version
    for text in ("奶茶杯扔哪", "电池怎么扔", "装修几点要停", "不锈钢怪东西怎么扔", "今天天气真好啊"):
        assert understand(text, again.index) == understand(text, small.index)


def test_faulty_knowledge_is_refused(small_folder: Path) -> None:
    (small_folder / "items" / "all.yaml").write_text("items: [{name: 报纸, category: residul}]\n", encoding="utf-8")
    with pytest.raises(FaultyFile):
        compiled(small_folder, None, "shanghai", TODAY)


@pytest.mark.parametrize(
    ("city", "label", "category"),
    [
        pytest.param("shanghai", "干垃圾", "residual", id="shanghai"),
        pytest.param("beijing", "有害垃圾", "hazardous", id="a-city-that-differs"),
        pytest.param("kunming", "其他垃圾", "residual", id="an-unknown-city-has-the-national-standard"),
    ],
)
def test_cities(small_in: Callable[[str], Brain], city: str, label: str, category: str) -> None:
    index = small_in(city).index
    (thing,) = understand("5号电池扔哪", index).things
    assert (thing.category, index.label(thing.category)) == (category, label)


@pytest.mark.parametrize(
    ("day", "known"),
    [
        pytest.param(date(2026, 11, 30), ["口罩"], id="on-the-last-day"),
        pytest.param(date(2026, 12, 1), [], id="between"),
        pytest.param(date(2026, 12, 2), ["春联"], id="on-the-first-day"),
    ],
)
def test_days(small_folder: Path, day: date, known: list[str]) -> None:
    index = Brain.of(compiled(small_folder, None, "shanghai", day)).index
    assert [name for name in ("口罩", "春联") if index.item(name)] == known
    entries = {"口罩": "topics/noise/gone", "春联": "topics/noise/soon"}
    assert [name for name, entry in entries.items() if entry in index.entries] == known
