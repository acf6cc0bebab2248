"""How words sound: what is typed in pinyin or by ear is heard as the word meant."""

from __future__ import annotations

import pytest

from bot.matching.pinyin import merged, sounds, spelled, syllables


@pytest.mark.parametrize(
    ("syllable", "expected"),
    [
        pytest.param("zhi", "zi", id="zh"),
        pytest.param("chi", "ci", id="ch"),
        pytest.param("shi", "si", id="sh"),
        pytest.param("ling", "lin", id="ng"),
        pytest.param("nan", "lan", id="n-at-the-start"),
        pytest.param("zhuang", "zuan", id="both-ends"),
        pytest.param("e", "e", id="nothing-to-merge"),
    ],
)
def test_merged(syllable: str, expected: str) -> None:
    assert merged(syllable) == expected


@pytest.mark.parametrize(
    ("a", "b"),
    [
        pytest.param("电池", "电迟", id="same-sound"),
        pytest.param("垃圾", "辣鸡", id="la-ji"),
        pytest.param("奶茶", "来茶", id="n-l"),
        pytest.param("灯管", "登管", id="deng"),
        pytest.param("沙发", "纱发", id="sha"),
    ],
)
def test_words_that_sound_alike(a: str, b: str) -> None:
    assert sounds(a) == sounds(b)


@pytest.mark.parametrize(
    ("a", "b"), [pytest.param("电池", "电视", id="other-end"), pytest.param("灯", "凳子", id="length")]
)
def test_words_that_do_not(a: str, b: str) -> None:
    assert sounds(a) != sounds(b)


def test_a_character_without_a_reading_stands_for_itself() -> None:
    assert sounds("5号x") == ("5", sounds("号")[0], "x")


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        pytest.param("dianchi", ("dian", "ci"), id="a-word"),
        pytest.param("dian chi", ("dian", "ci"), id="spaced"),
        pytest.param("guodiyao", ("guo", "di", "yao"), id="three"),
        pytest.param("led", None, id="no-pinyin"),
        pytest.param("dianchix", None, id="a-rest-that-is-none"),
        pytest.param("", (), id="empty"),
    ],
)
def test_spelled(typed: str, expected: tuple[str, ...] | None) -> None:
    assert spelled(typed) == expected


def test_long_nonsense_is_refused_quickly() -> None:
    assert spelled("a" * 190 + "v") is None


def test_every_syllable_is_lower_case_latin() -> None:
    assert len(syllables()) > 380
    assert all(syllable.isascii() and syllable.islower() for syllable in syllables())
