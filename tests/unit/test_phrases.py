"""Which entry a question asks for, by its ways of asking."""

from __future__ import annotations

import pytest

from bot.matching.phrases import Phrases, compile_phrases

ENTRIES = {
    "topics/noise/decorate": ["装修几点要停", "周末可以装修吗", "装修噪声时间规定"],
    "topics/noise/dance": ["广场舞太吵怎么办", "跳舞音响扰民找谁"],
    "topics/oil/pour": ["废油倒哪里", "用过的食用油怎么处理"],
    "topics/lamp/tube": ["灯管怎么处理", "日光灯管怎么扔"],
    "topics/empty/none": [],
}


@pytest.fixture(scope="module")
def phrases() -> Phrases:
    return Phrases(compile_phrases(ENTRIES))


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        pytest.param("装修几点要停", "topics/noise/decorate", id="the-very-words"),
        pytest.param("楼上装修几点必须停", "topics/noise/decorate", id="more-words"),
        pytest.param("周日能不能装修", "topics/noise/decorate", id="other-words"),
        pytest.param("跳广场舞的吵死了", "topics/noise/dance", id="the-other-entry-of-the-topic"),
        pytest.param("炒菜的废油怎么处理", "topics/oil/pour", id="a-common-ending"),
        pytest.param("日光灯管坏了怎么处理", "topics/lamp/tube", id="a-rare-word-wins"),
    ],
)
def test_rank(phrases: Phrases, text: str, entry: str) -> None:
    assert phrases.rank(text)[0].entry == entry


def test_the_very_words_are_wholly_alike(phrases: Phrases) -> None:
    best = phrases.rank("废油倒哪里")[0]
    assert (best.phrase, best.alike) == ("废油倒哪里", 1.0)
    assert best.score > phrases.rank("废油倒哪里呀")[0].score


@pytest.mark.parametrize("text", ["", "甲乙丙丁", "xyz"])
def test_nothing_alike(phrases: Phrases, text: str) -> None:
    assert phrases.rank(text) == []


def test_the_nearest_entry_of_a_likely_topic_is_among_those_looked_at() -> None:
    entries = {f"topics/noise/{n}": ["装修噪声扰民" + "很吵" * n] for n in range(9)} | {"topics/lamp/x": ["噪声大的灯"]}
    many = Phrases(compile_phrases(entries))
    assert "topics/lamp/x" not in [hit.entry for hit in many.rank("装修噪声扰民很吵")]
    assert "topics/lamp/x" in [hit.entry for hit in many.rank("装修噪声扰民很吵", ["lamp"])]


def test_an_entry_is_found_by_its_very_words_among_many_alike() -> None:
    noisy = {f"topics/noise/{n}": [f"装修噪声{n}", "装修", "噪声"] for n in range(9)}
    entries = noisy | {"topics/lamp/x": ["装修", "灯管旧"]}
    assert "topics/lamp/x" in [hit.entry for hit in Phrases(compile_phrases(entries)).rank("灯管旧")]


def test_best_first_and_ties_by_entry() -> None:
    same = Phrases(compile_phrases({"topics/b/x": ["几点开门"], "topics/a/x": ["几点开门"]}))
    assert [hit.entry for hit in same.rank("几点开门")] == ["topics/a/x", "topics/b/x"]


def test_asked_again_the_answer_is_the_same(phrases: Phrases) -> None:
    assert phrases.rank("装修废油灯管") == phrases.rank("装修废油灯管")
