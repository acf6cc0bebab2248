"""Distortions of questions: ten of each, all different, one character at most, and none that changes what is meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.perturbation import DISTORTIONS, Distorter, Result, Told, lookalikes
from bot.kb.load import Knowledge, load
from bot.records import ItemAnswer, Reply

KNOWLEDGE = Path(__file__).parents[2] / "knowledge"
TEXTS = ("奶茶杯扔哪个桶", "干电池 5号的", "灯管碎了怎么办", "墨镜", "旧报纸能卖吗ABC")
RIGHT, INFERRED = (ItemAnswer("奶茶杯", "residual", "干垃圾", inferred=inferred) for inferred in (False, True))
CUP = Reply("answer", "…", topic="waste.item", entry="items/奶茶杯", items=(RIGHT,))


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return load(KNOWLEDGE)


def test_there_are_enough_pairs_of_lookalikes_and_each_works_both_ways() -> None:
    alike = lookalikes()
    pairs = {frozenset((char, other)) for char, others in alike.items() for other in others}
    assert len(pairs) >= 150
    assert all(char in alike[other] for char, others in alike.items() for other in others)
    assert all(len(char) == 1 for char in alike)


@pytest.mark.parametrize("text", TEXTS)
def test_each_question_gets_ten_different_distortions_the_same_every_time(knowledge: Knowledge, text: str) -> None:
    made = Distorter(knowledge, seed=3).distort(text)
    assert len(made) == len({distorted for _, distorted in made} - {text}) == DISTORTIONS
    assert made == Distorter(knowledge, seed=3).distort(text)


@pytest.mark.parametrize("text", TEXTS)
def test_a_typo_is_of_one_character(knowledge: Knowledge, text: str) -> None:
    kinds = Distorter(knowledge).kinds()
    for kind in ("typo by sound", "typo by shape"):
        for made in kinds[kind](text):
            assert sum(one != other for one, other in zip(text, made, strict=True)) == 1
    assert all(len(made) == len(text) - 1 for made in kinds["dropped character"](text))
    assert all(len(made) == len(text) + 1 for made in kinds["doubled character"](text))


def test_what_is_meant_stays(knowledge: Knowledge) -> None:
    kinds = Distorter(knowledge).kinds()
    dropped = list(kinds["dropped character"]("不能充电的干电池"))
    assert all(made.startswith("不") for made in dropped)
    assert not any(made.endswith(("的电池", "干池", "干电")) for made in dropped)
    names = {word for item in knowledge.items for word in item.words}
    for kind in ("typo by sound", "typo by shape"):
        assert not names.intersection(kinds[kind]("墨镜"))


def test_the_ways_of_writing(knowledge: Knowledge) -> None:
    kinds = Distorter(knowledge).kinds()
    assert list(kinds["traditional"]("废电池")) == ["廢電池"]
    assert list(kinds["full width"]("LED灯 5w")) == ["ＬＥＤ灯\u3000５ｗ"]
    assert next(kinds["punctuation"]("香烟 快递单？")).startswith("香烟 快递单")


@pytest.mark.parametrize(
    ("after", "same", "misleads"),
    [
        pytest.param(CUP, True, False, id="the-same"),
        pytest.param(Reply("fallback"), False, False, id="no-answer"),
        pytest.param(Reply("answer", topic="waste.item", items=(INFERRED,)), False, False, id="inferred-and-same-bin"),
        pytest.param(Reply("answer", topic="noise"), False, True, id="another-topic"),
        pytest.param(
            Reply("answer", topic="waste.item", items=(ItemAnswer("奶", "food", "…"),)), False, True, id="other-bin"
        ),
    ],
)
def test_which_answers_are_the_same(after: Reply, same: bool, misleads: bool) -> None:
    assert (Told(after).same(Told(CUP)), Told(after).misleads(Told(CUP))) == (same, misleads)


def test_an_entry_is_the_same_whatever_things_were_seen() -> None:
    plain = Reply("answer", topic="lamp", entry="topics/lamp/tube")
    seen = Reply("answer", topic="lamp", entry="topics/lamp/tube", items=(RIGHT,))
    assert (Told(plain).same(Told(seen)), Told(plain).misleads(Told(seen))) == (True, False)


def test_the_table_has_a_bar() -> None:
    result = Result()
    result.asked["emoji"], result.same["emoji"] = 20, 19
    *_, last = result.rows()
    assert (last.figure, last.met) == (95.0, True)
