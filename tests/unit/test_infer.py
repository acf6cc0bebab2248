"""The bin of an unknown thing, from things named alike; never away from hazardous."""

from __future__ import annotations

import pytest

from bot.kb.entries import HeadRule, Inference, MaterialRule
from bot.matching.infer import Inferrer, compile_names

KNOWN = {
    **{f"{what}皮": "food" for what in ("香蕉", "苹果", "西瓜", "土豆", "橘子", "梨")},
    **{f"{what}纸": "recyclable" for what in ("打印", "包装", "牛皮", "画", "硬板")},
    **{f"塑料{what}": "recyclable" for what in ("瓶", "盆", "桶", "椅", "篮")},
    **{f"{what}药膏": "hazardous" for what in ("烫伤", "消炎", "眼", "冻疮")},
    **{f"{what}巾": "residual" for what in ("湿", "纸", "洗脸", "擦手")},
    "杀虫喷雾": "hazardous",
}
RULES = Inference(
    heads=(HeadRule(ends=("皮",), category="food", unless=("牛",)), HeadRule(ends=("卡",), category="recyclable")),
    materials=(MaterialRule(category="residual", starts=("陶瓷",), contains=("海绵",), unless=("瓷砖",)),),
    hazard=("农药", "药"),
    hazard_except=("药皂",),
)


@pytest.fixture(scope="module")
def infer() -> Inferrer:
    return Inferrer(compile_names(KNOWN), RULES)


@pytest.mark.parametrize(
    ("name", "category"),
    [
        pytest.param("芒果皮", "food", id="its-head"),
        pytest.param("复印纸", "recyclable", id="another-head"),
        pytest.param("塑料壶", "recyclable", id="its-material"),
        pytest.param("洗手巾", "residual", id="residual"),
        pytest.param("陶瓷猫", "residual", id="a-rule-for-the-material"),
        pytest.param("方海绵块", "residual", id="a-material-inside"),
        pytest.param("会员卡", "recyclable", id="a-rule-for-the-head"),
        pytest.param("蚊虫药膏", "hazardous", id="hazardous-by-head"),
    ],
)
def test_guess(infer: Inferrer, name: str, category: str) -> None:
    guess = infer(name)
    assert guess is not None
    assert guess.category == category
    assert 0 < guess.score <= 1


@pytest.mark.parametrize("name", ["", "皮"])
def test_too_short_to_guess(infer: Inferrer, name: str) -> None:
    assert infer(name) is None


def test_nothing_known_nothing_guessed() -> None:
    assert Inferrer(compile_names({}), RULES)("塑料壶") is None


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("农药瓶", id="hazard-word"),
        pytest.param("塑料农药桶", id="hazard-word-in-a-harmless-material"),
        pytest.param("药水湿巾", id="hazard-word-before-a-harmless-head"),
        pytest.param("杀虫喷务", id="near-neighbour"),
        pytest.param("冻疮药皮", id="near-neighbour-against-the-head"),
    ],
)
def test_never_away_from_hazardous(infer: Inferrer, name: str) -> None:
    guess = infer(name)
    assert guess is None or guess.category == "hazardous"


def test_an_exception_of_a_hazard_word(infer: Inferrer) -> None:
    guess = infer("塑料药皂盆")
    assert guess is not None
    assert guess.category == "recyclable"


def test_the_order_of_the_knowledge_does_not_matter() -> None:
    backwards = Inferrer(compile_names(dict(reversed(KNOWN.items()))), RULES)
    forwards = Inferrer(compile_names(KNOWN), RULES)
    for name in ("芒果皮", "塑料壶", "蚊虫药膏", "会员卡"):
        one, other = forwards(name), backwards(name)
        assert one is not None
        assert other is not None
        assert (one.category, one.score) == (other.category, pytest.approx(other.score))


@pytest.mark.parametrize(
    ("text", "tail", "expected"),
    [
        pytest.param("牙刷卡", "卡", True, id="a-head"),
        pytest.param("牙刷坏透", "坏透", False, id="what-became-of-it"),
        pytest.param("牙刷", "", False, id="no-tail"),
    ],
)
def test_is_noun(infer: Inferrer, text: str, tail: str, expected: bool) -> None:
    assert infer.is_noun(text, tail) is expected
