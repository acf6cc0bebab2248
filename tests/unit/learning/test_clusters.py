"""Which unanswered questions ask the same."""

from __future__ import annotations

import pytest

from bot.brain import Brain
from bot.learning.clusters import core_of, joins


@pytest.mark.parametrize(
    ("core", "others", "place"),
    [
        pytest.param("神奇宝贝球", [], None, id="nothing-to-join"),
        pytest.param("神奇宝贝球", ["合欢树", "神奇宝贝球"], 1, id="the-same"),
        pytest.param("神奇宝呗球", ["神奇宝贝球"], 0, id="sounds-the-same"),
        pytest.param("猫砂", ["猫沙"], 0, id="short-and-sounds-the-same"),
        pytest.param("猫砂盆", ["猫砂"], None, id="another-thing-that-begins-alike"),
        pytest.param("猫砂盆", ["狗砂盆"], None, id="one-character-of-three"),
        pytest.param("神奇宝贝盒", ["神奇宝贝球"], None, id="another-head"),
        pytest.param("神奇宝宝球", ["神奇宝贝球"], 0, id="one-slip-in-five"),
        pytest.param("蜜蜂", ["蜂蜜"], None, id="another-order-of-a-short-one"),
        pytest.param("楼道电瓶车", ["电瓶车楼道"], 0, id="another-order-of-a-longer-one"),
        pytest.param("大号神奇宝贝球", ["神奇宝贝球"], 0, id="one-within-the-other"),
        pytest.param("电池", ["电池盒", "旧电池箱"], None, id="short-within-longer"),
        pytest.param("神奇宝贝球", ["神奇宝宝球", "神奇宝呗球"], 1, id="the-most-alike"),
        pytest.param("神奇宝贝球", ["神奇宝宝球", "神气宝贝秋", "神奇宝宝球"], 1, id="sound-before-likeness"),
        pytest.param("神奇宝贝球", ["神奇宝宝球", "神奇宝宝球"], 0, id="the-first-of-equals"),
        pytest.param("", ["神奇宝贝球"], None, id="about-nothing"),
    ],
)
def test_joins(core: str, others: list[str], place: int | None) -> None:
    assert joins(core, others) == place


@pytest.mark.parametrize(
    "asked",
    ["神奇宝贝球怎么扔", "请问神奇宝贝球是什么垃圾", "旧的神奇宝贝球扔哪个桶", "神奇宝贝球属于哪一类", "神奇宝贝球"],
)
def test_however_its_bin_is_asked_for_a_question_is_about_the_thing(shipped: Brain, asked: str) -> None:
    assert core_of(shipped.understand(asked).folded, shipped.index) == "神奇宝贝球"


def test_of_a_known_thing_something_else_is_asked(shipped: Brain) -> None:
    """「电瓶车」 is known: what could not be answered is not its bin."""
    folded = shipped.understand("邻居老是把电瓶车放楼道里怎么办").folded
    assert core_of(folded, shipped.index) not in ("", "电瓶车")


@pytest.mark.parametrize("asked", ["", "？？？", "吗"])
def test_a_question_without_content_is_about_its_words(shipped: Brain, asked: str) -> None:
    folded = shipped.index.fold(asked)
    assert core_of(folded, shipped.index) == folded.tight
