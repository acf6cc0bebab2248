"""Properties of matching, with an alphabet of trouble and over the shipped knowledge."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.brain import Brain
from bot.kb.entries import Item
from bot.matching.fold import LIMIT, Fold, comparable
from bot.matching.understand import understand

TROUBLE = (
    "电池怎么扔奶茶杯灯管的和、，。？ 　"
    "aAzZßİıŒﬁＡｚ５5①²½٣é\u0301\u20dd\u200b\u202e\ufeff\ufe0f\x00\n\t@[]()/:.%+#-_🔋♻️👨‍👩‍👧\ud83d\udd0b\ue000\ufdfa電壞體"
)
trouble = st.text(st.sampled_from(TROUBLE) | st.characters(), max_size=60)
several = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
FOLD = Fold({"哪能": "怎么", "掼": "扔"}, {"🔋": "电池", "♻️": "可回收"}, ("请问", "谢谢"))


@several
@given(text=trouble)
def test_comparable_text_stays_as_it_is(text: str) -> None:
    once = comparable(text)
    assert comparable(once) == once
    assert len(once) <= LIMIT


@several
@given(text=trouble)
def test_folding_twice_is_folding_once(text: str) -> None:
    """Emoji aside, which are words only where they stand as such."""
    once = FOLD(text)
    again = FOLD(once.text)
    assert again.tight == once.tight or FOLD(again.text).tight == again.tight


@several
@given(text=trouble)
def test_folded_text_holds_nothing_invisible(text: str) -> None:
    folded = FOLD(text)
    assert all(segment and segment.strip() == segment for segment in folded.segments)
    assert not any(char in folded.tight for char in "\u200b\u202e\ufeff\ufe0f\x00\ue000\n\t \ud83d")


@several
@given(text=trouble)
def test_any_text_is_understood_somehow(text: str, small: Brain) -> None:
    found = understand(text, small.index)
    assert 0 <= found.score <= 1
    assert found == understand(text, small.index)


@several
@given(
    words=st.lists(
        st.sampled_from(["奶茶杯", "电池", "灯管", "怎么扔", "的", "和", "鱼骨头", "坏了", "量子", "锅"]), max_size=12
    )
)
def test_any_order_of_words_is_understood_somehow(words: list[str], small: Brain) -> None:
    found = understand("".join(words), small.index)
    assert len(found.things) <= 6
    assert (found.kind == "choice") == (found.choice is not None and not found.things)


def items_of(brain: Brain) -> Iterator[Item]:
    """Every item of the shipped knowledge."""
    for n in range(len(brain.index.items)):
        yield brain.index.items(n)


DIRT = [
    pytest.param(lambda text: f"  {text}？？！", id="signs"),
    pytest.param(lambda text: "\u200b".join(text), id="zero-width"),
    pytest.param(lambda text: f"\u202e{text}\u202c", id="rtl-override"),
    pytest.param(lambda text: text.replace("扔", "扔\ufe0f"), id="variation-selector"),
    pytest.param(lambda text: f"请问{text}谢谢", id="courtesy"),
    pytest.param(lambda text: f"@小绿\u2005{text}", id="mention"),
    pytest.param(lambda text: f"{text}[微笑]", id="emoticon"),
    pytest.param(lambda text: f"{text}😀", id="emoji"),
    pytest.param(lambda text: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text), id="full-width"),
    pytest.param(lambda text: text.upper(), id="upper-case"),
    pytest.param(lambda text: " ".join(text) if text.isalpha() and not text[0].isascii() else text, id="scattered"),
    pytest.param(lambda text: f"{text}\n", id="line-break"),
]


@pytest.mark.parametrize("dirty", DIRT)
def test_dirt_does_not_change_the_answer(dirty: object, shipped: Brain) -> None:
    """Reliability row 24: a paired corpus, the same answer on at least 99 % of the pairs."""
    names = sorted(item.name for item in items_of(shipped))
    texts = [f"{name}扔哪个桶" for name in random.Random(7).sample(names, 200)]
    different = []
    for text in texts:
        clean, other = understand(text, shipped.index), understand(dirty(text), shipped.index)  # type: ignore[operator]
        told = [(found.kind, found.entry, found.choice, [t.name for t in found.things]) for found in (clean, other)]
        if told[0] != told[1]:
            different.append((text, told))
    assert len(different) <= len(texts) * 0.01, different


@pytest.mark.parametrize(
    ("question", "most"),
    [
        pytest.param("{}", 0, id="bare"),
        pytest.param("{}能扔干垃圾吗", 0, id="may-it-go-there"),
        pytest.param("请问{}应该放哪里", 0, id="where"),
        pytest.param("{}扔哪个桶", 1, id="which-bin"),
        pytest.param("{}是什么垃圾", 34, id="what-is-it"),
    ],
)
def test_every_item_answers_to_its_own_name_with_its_own_bin(shipped: Brain, question: str, most: int) -> None:
    """Asked for by name, an item of the knowledge has its bin, unless its word is ambiguous or dangerous.

    `most` is a ratchet: how many did not when this was written; see the names the question swallows below."""
    wrong = []
    for item in items_of(shipped):
        found = understand(question.format(item.name), shipped.index)
        if found.kind in ("choice", "danger") or found.choice or item.name in SHADOWED:
            continue
        if not found.things or found.things[0].category != item.category:
            wrong.append(
                (item.name, item.category, found.kind, found.entry, [(t.name, t.category) for t in found.things])
            )
    assert len(wrong) <= most, wrong


@pytest.mark.parametrize(
    ("text", "category"),
    [
        pytest.param("泡面包装是什么垃圾", "residual", id="not-bread"),
        pytest.param("猫条包装是什么垃圾", "residual", id="not-cat-food"),
        pytest.param("芬必得扔哪个桶", "hazardous", id="not-chalk"),
        pytest.param("孕妇装是什么垃圾", "recyclable", id="not-the-wearer"),
    ],
)
def test_a_question_leaves_the_name_whole(shipped: Brain, text: str, category: str) -> None:
    assert [thing.category for thing in understand(text, shipped.index).things] == [category]


SHADOWED = ("发泡胶", "床褥")
"""Items whose name a synonym once turned into the name of another item."""


@pytest.mark.parametrize("name", SHADOWED)
def test_no_synonym_turns_an_item_into_another(shipped: Brain, name: str) -> None:
    found = shipped.index.item(name)
    assert found is not None
    assert found.name == name


MODIFIERS = ("旧", "大", "家用", "儿童", "进口", "日本", "没用完的", "半瓶", "塑料")


def away_from_hazardous(shipped: Brain) -> tuple[list[tuple[object, ...]], int]:
    """Hazardous names with a modifier, asked about: those answered with another bin, and how many were asked."""
    wrong, asked = list[tuple[object, ...]](), 0
    for item in items_of(shipped):
        if item.category != "hazardous" or item.name in SHADOWED:
            continue
        for modifier in MODIFIERS:
            if shipped.index.lexicon.get(shipped.index.fold(modifier + item.name).tight):
                continue
            asked += 1
            found = understand(f"{modifier}{item.name}怎么扔", shipped.index)
            if found.kind != "items" or found.score < 0.5 or found.choice:
                continue
            thing = found.things[0]
            if thing.category != "hazardous":
                wrong.append((modifier + item.name, thing.name, thing.category, thing.rule))
    return wrong, asked


@pytest.mark.xfail(
    strict=True, reason="a word alike in sound comes before the hazardous head: 塑料药丸 is heard as 木马"
)
def test_no_modifier_leads_away_from_hazardous(shipped: Brain) -> None:
    wrong, asked = away_from_hazardous(shipped)
    assert asked > 5000
    assert not wrong


def test_modifiers_seldom_lead_away_from_hazardous(shipped: Brain) -> None:
    """A ratchet until the test above holds: 8 of 12,013 when this was written."""
    wrong, asked = away_from_hazardous(shipped)
    assert len(wrong) <= 0.001 * asked, wrong


def one_character_changed(name: str) -> Iterator[str]:
    """Names that are not in the knowledge, one character from a hazardous one."""
    for at in range(len(name) if len(name) >= 3 else 0):
        yield name[:at] + "某" + name[at + 1 :]


def test_inference_never_points_away_from_a_hazardous_neighbour(shipped: Brain) -> None:
    index = shipped.index
    wrong, tried = [], 0
    hazardous = {
        index.fold(word).tight for item in items_of(shipped) if item.category == "hazardous" for word in [item.name]
    }
    for item in items_of(shipped):
        if item.category != "hazardous":
            continue
        for name in one_character_changed(item.name):
            tried += 1
            guess = index.infer(index.fold(name).tight)
            if guess and guess.category != "hazardous" and hazardous & set(guess.near):
                wrong.append((name, guess.category, guess.near))
    assert tried > 2000
    assert not wrong
