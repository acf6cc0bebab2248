"""Folding: whatever way a question is typed, it becomes the same comparable text."""

from __future__ import annotations

import pytest

from bot.matching.fold import LIMIT, Fold, comparable

WORDS = {"哪能": "怎么", "掼奶油": "奶油", "掼": "扔"}
EMOJI = {"🔋": "电池", "♻️": "可回收", "☕": "咖啡"}
FILLERS = ("请问一下", "请问", "谢谢")


@pytest.fixture
def fold() -> Fold:
    return Fold(WORDS, EMOJI, FILLERS)


@pytest.mark.parametrize(
    ("typed", "segments"),
    [
        pytest.param("电池怎么扔", ["电池怎么扔"], id="plain"),
        pytest.param("电池怎么扔？？！", ["电池怎么扔"], id="punctuation"),
        pytest.param("ＣＲ２０３２", ["cr2032"], id="full-width"),
        pytest.param("Led灯", ["led灯"], id="case"),
        pytest.param("電池怎麼扔", ["电池怎么扔"], id="traditional"),
        pytest.param("電\u200b池\u200d怎\ufeff么扔", ["电池怎么扔"], id="zero-width"),
        pytest.param("\u202e电池\u202c怎么扔", ["电池怎么扔"], id="rtl-override"),
        pytest.param("电池\ufe0f怎么扔", ["电池怎么扔"], id="variation-selector"),
        pytest.param("电\u0301池怎么扔", ["电池怎么扔"], id="combining-accent"),
        pytest.param("\ud83d电池怎么扔", ["电池怎么扔"], id="lone-surrogate"),
        pytest.param("\ue000电池怎么扔", ["电池怎么扔"], id="private-use"),
        pytest.param("电池\x00怎么扔", ["电池", "怎么扔"], id="nul-parts"),
        pytest.param("电 池 怎 么 扔", ["电池怎么扔"], id="scattered-characters"),
        pytest.param("电池 怎么扔", ["电池", "怎么扔"], id="words-apart-stay-apart"),
        pytest.param("鱼骨、菜叶，纸", ["鱼骨", "菜叶", "纸"], id="a-list"),
        pytest.param("🔋怎么扔", ["电池", "怎么扔"], id="emoji-is-a-word"),
        pytest.param("电池🔋怎么扔", ["电池", "怎么扔"], id="emoji-beside-its-word"),
        pytest.param("🔋🔋", ["电池"], id="emoji-twice"),
        pytest.param("♻怎么分", ["可回收", "怎么分"], id="emoji-without-its-selector"),
        pytest.param("☕杯", ["咖啡", "杯"], id="emoji-of-the-basic-plane"),
        pytest.param("🦄怎么扔", ["怎么扔"], id="unknown-emoji-is-dropped"),
        pytest.param("请问一下电池怎么扔谢谢", ["电池怎么扔"], id="fillers"),
        pytest.param("谢谢", ["谢谢"], id="only-a-filler-stays"),
        pytest.param("电池哪能掼", ["电池怎么扔"], id="dialect"),
        pytest.param("掼奶油", ["奶油"], id="longest-word-first"),
        pytest.param("@小绿 电池怎么扔", ["电池怎么扔"], id="mention"),
        pytest.param("@小绿电池怎么扔", ["电池怎么扔"], id="mention-without-space"),
        pytest.param("@小绿\u2005电池怎么扔", ["电池怎么扔"], id="mention-as-wechat-writes-it"),
        pytest.param("＠小绿 电池怎么扔", ["电池怎么扔"], id="full-width-mention"),
        pytest.param("电池怎么扔 @王阿姨", ["电池怎么扔"], id="mention-of-another-behind"),
        pytest.param("电池[微笑]怎么扔", ["电池", "怎么扔"], id="wechat-emoticon"),
        pytest.param("/::)电池怎么扔", ["电池怎么扔"], id="old-wechat-emoticon-before-the-thing"),
        pytest.param("/:rose电池怎么扔", ["电池怎么扔"], id="named-wechat-emoticon"),
        pytest.param("电池怎么扔/:8-)", ["电池怎么扔"], id="old-wechat-emoticon-behind"),
        pytest.param("（旧）电池", ["旧电池"], id="brackets-fall-away"),
        pytest.param("2.5升瓶子", ["2.5升瓶子"], id="number-keeps-its-point"),
        pytest.param("电池...怎么扔", ["电池", "怎么扔"], id="loose-points"),
        pytest.param("75%酒精", ["75", "酒精"], id="percent-parts"),
        pytest.param("", [], id="empty"),
        pytest.param("？！…～", [], id="only-signs"),
        pytest.param("[微笑]", [], id="only-an-emoticon"),
    ],
)
def test_fold(fold: Fold, typed: str, segments: list[str]) -> None:
    folded = fold(typed)
    assert list(folded.segments) == segments
    assert folded.text == " ".join(segments)
    assert folded.tight == "".join(segments)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        pytest.param("池" * (LIMIT - 1), LIMIT - 1, id="just-below"),
        pytest.param("池" * LIMIT, LIMIT, id="at-the-limit"),
        pytest.param("池" * (LIMIT + 1), LIMIT, id="just-above"),
        pytest.param("池" * 50_000, LIMIT, id="far-above"),
        pytest.param("\ufdfa" * LIMIT, LIMIT, id="one-character-that-becomes-eighteen"),
        pytest.param("ß" * LIMIT, LIMIT, id="one-character-that-becomes-two"),
    ],
)
def test_no_more_than_the_limit_is_looked_at(text: str, size: int) -> None:
    assert len(comparable(text).replace(" ", "")) <= size
    assert len(comparable(text)) <= LIMIT


def test_folding_without_synonyms() -> None:
    assert Fold({}, {}, ())("请问🔋怎么扔").segments == ("请问", "怎么扔")
