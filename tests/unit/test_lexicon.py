"""The dictionary of things: found exactly, by sound, by a slip of ear or finger, and by typed pinyin."""

from __future__ import annotations

import pytest

from bot.kb.entries import Choice, ChoiceOption, Item
from bot.matching.lexicon import LONGEST, Lexicon, compile_words, key_of

ITEMS = [
    Item(name="纽扣电池", category="hazardous", aliases=("扣式电池", "CR2032")),
    Item(name="奶茶杯", category="residual"),
    Item(name="电池", category="residual"),
    Item(name="过期药品", category="hazardous"),
    Item(name="塑料饮料瓶", category="recyclable"),
    Item(name="针", category="hazardous"),
    Item(name="U盘 (旧)", category="ewaste"),
]
CHOICES = [
    Choice(
        word="电池",
        also=("旧电池", "纽扣电池"),
        question="哪种？",
        options=(ChoiceOption(label="纽扣", item="纽扣电池"), ChoiceOption(label="干电池", category="residual")),
    ),
    Choice(
        word="瓶子",
        question="哪种？",
        options=(ChoiceOption(label="玻璃", category="recyclable"), ChoiceOption(label="药瓶", category="hazardous")),
    ),
]


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    return Lexicon(compile_words(ITEMS, CHOICES), ITEMS.__getitem__, CHOICES)


@pytest.mark.parametrize(
    ("name", "item", "choice"),
    [
        pytest.param("奶茶杯", "奶茶杯", None, id="an-item"),
        pytest.param("扣式电池", "纽扣电池", None, id="an-alias"),
        pytest.param("cr2032", "纽扣电池", None, id="folded"),
        pytest.param("瓶子", None, "瓶子", id="an-ambiguous-word"),
        pytest.param("电池", "电池", "电池", id="both"),
        pytest.param("旧电池", "电池", "电池", id="another-word-of-a-choice-has-its-default"),
        pytest.param("纽扣电池", "纽扣电池", None, id="an-item-is-not-hidden-by-another-word-of-a-choice"),
        pytest.param("u盘旧", "U盘 (旧)", None, id="brackets-and-spaces-are-not-written"),
    ],
)
def test_get(lexicon: Lexicon, name: str, item: str | None, choice: str | None) -> None:
    word = lexicon.get(name)
    assert word is not None
    assert (word.item.name if word.item else None) == item
    assert (word.choice.word if word.choice else None) == choice


@pytest.mark.parametrize("name", ["", "奶茶", "奶茶杯子", "CR2032"])
def test_get_nothing(lexicon: Lexicon, name: str) -> None:
    assert lexicon.get(name) is None


def test_words_inside_a_text(lexicon: Lexicon) -> None:
    """A single character names a thing only by itself, never inside a text."""
    assert lexicon.starts("纽扣电池针") == [[4], [], [4], [], []]


def test_no_longer_word_is_looked_up() -> None:
    long = Item(name="长" * (LONGEST + 1), category="residual")
    just = Item(name="正" * LONGEST, category="residual")
    lexicon = Lexicon(compile_words([long, just], []), [long, just].__getitem__, [])
    assert lexicon.starts(long.name)[0] == []
    assert lexicon.starts(just.name)[0] == [LONGEST]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("奶查杯", "奶茶杯", id="the-same-sound"),
        pytest.param("来茶杯", "奶茶杯", id="n-and-l"),
        pytest.param("奶茶", None, id="less"),
        pytest.param("杯", None, id="one-character"),
    ],
)
def test_sounding(lexicon: Lexicon, text: str, expected: str | None) -> None:
    found = lexicon.sounding(text)
    assert (found.text if found else None) == expected


@pytest.mark.parametrize(
    ("typed", "heard"),
    [
        pytest.param("dianchi怎么扔", "电池怎么扔", id="pinyin"),
        pytest.param("guo qi yao pin", "guo qi yao pin", id="the-first-syllable-is-too-short-to-begin-with"),
        pytest.param("guoqiyaopin", "过期药品", id="four-syllables"),
        pytest.param("奶茶杯", "奶茶杯", id="nothing-to-hear"),
        pytest.param("iphone怎么扔", "iphone怎么扔", id="no-pinyin"),
        pytest.param("cr2032", "cr2032", id="a-word-with-figures"),
    ],
)
def test_heard(lexicon: Lexicon, typed: str, heard: str) -> None:
    assert lexicon.heard(typed) == heard


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("塑料饮料平", "塑料饮料瓶", id="another-character"),
        pytest.param("过期药平", "过期药品", id="near-sound"),
        pytest.param("奶茶", None, id="two-characters-are-too-few"),
        pytest.param("塑料饮料瓶塑料饮料", None, id="nine-are-too-many"),
        pytest.param("完全不同的", None, id="nothing-near"),
    ],
)
def test_alike(lexicon: Lexicon, text: str, expected: str | None) -> None:
    found = lexicon.alike(text)
    assert (found[0].text if found else None) == expected
    assert found is None or 0.86 <= found[1] <= 1.0


def test_a_name_that_folding_changes_is_found_in_both_ways() -> None:
    basin, other = Item(name="陶瓷面盆", category="construction"), Item(name="脸盆", category="recyclable")
    plain = compile_words([basin, other], [], lambda name: name.replace("面盆", "脸盆"))
    lexicon = Lexicon(plain, [basin, other].__getitem__, [])
    found = [lexicon.get(name) for name in ("陶瓷面盆", "陶瓷脸盆", "脸盆")]
    assert [word.item for word in found if word] == [basin, basin, other]


def test_folding_makes_no_item_of_an_ambiguous_word() -> None:
    cell = Item(name="电芯", category="hazardous")
    lexicon = Lexicon(
        compile_words([cell], CHOICES[:1], lambda name: name.replace("芯", "池")), [cell].__getitem__, CHOICES
    )
    found = lexicon.get("电池")
    assert found is not None
    assert found.item is None


def test_key_of() -> None:
    assert key_of("Ｕ盘·（旧）") == "u盘旧"
