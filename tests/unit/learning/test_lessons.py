"""What staff may teach: bins by any name, targets by name or question, and what speaks against it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.brain import Brain
from bot.learning.lessons import CannotTeach, bin_meant, hazards, meant, phrases_of, subject_of, target_meant
from bot.matching.understand import Thresholds
from bot.records import Lesson, Unanswered

AT = datetime(2026, 12, 1, 4, 0, tzinfo=UTC)
LIMITS = Thresholds()


def cluster_of(*variants: str) -> Unanswered:
    """A cluster of those questions."""
    return Unanswered(12, variants[0] if variants else "", variants, len(variants), AT, AT, "open", None)


def lesson(kind: Any, value: str, **more: Any) -> Lesson:
    """A lesson for it."""
    return Lesson(12, kind, value, AT, **more)


@pytest.mark.parametrize(
    ("words", "category"),
    [
        *((words, "residual") for words in ("干垃圾", "residual", "其他垃圾", "其它", "干垃圾。", " 干 垃圾 ")),
        *((words, "residual") for words in ("黑桶", "黑色桶")),
        *((words, "food") for words in ("湿垃圾", "厨余垃圾", "厨余", "易腐垃圾", "棕桶", "food")),
        *((words, "recyclable") for words in ("可回收物", "可回收", "能回收", "蓝桶", "Recyclable")),
        *((words, "hazardous") for words in ("有害垃圾", "有害", "红桶", "红色桶")),
        *((words, "bulky") for words in ("大件", "大件垃圾")),
        *((words, "construction") for words in ("装修", "装修垃圾", "建筑垃圾")),
        ("电器", "ewaste"),
        ("废油", "oil"),
        ("下水道", "drain"),
        *((words, None) for words in ("", "桶", "绿桶", "垃圾", "干", "不知道", "干垃圾和湿垃圾")),
    ],
)
def test_the_bin_meant_in_shanghai(shipped: Brain, words: str, category: str | None) -> None:
    assert bin_meant(words, shipped.index) == category


def test_colours_are_those_of_the_city(shipped_in: Any) -> None:
    assert bin_meant("绿桶", shipped_in("beijing").index) == "food"


@pytest.mark.parametrize(
    ("words", "target"),
    [
        pytest.param("纽扣电池", "items/纽扣电池", id="item"),
        pytest.param("扣式电池", "items/纽扣电池", id="alias"),
        pytest.param("items/纽扣电池", "items/纽扣电池", id="full-name-of-an-item"),
        pytest.param("noise/decorate", "topics/noise/decorate", id="entry"),
        pytest.param("topics/noise/decorate", "topics/noise/decorate", id="full-name-of-an-entry"),
        pytest.param("装修几点要停", "topics/noise/decorate", id="question"),
        pytest.param("奶茶杯扔哪个桶", "items/奶茶杯", id="question-about-an-item"),
        pytest.param("noise/gone", None, id="expired"),
        pytest.param("神奇宝贝球", None, id="unknown"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_the_target_meant(small: Brain, words: str, target: str | None) -> None:
    assert target_meant(words, small.index, LIMITS) == target


def test_a_subject_knows_the_usual_name_first(small: Brain) -> None:
    found = subject_of(cluster_of("神奇宝呗球怎么扔", "神奇宝贝球怎么扔", "神奇宝贝球是什么垃圾"), small.index)
    assert found.things == ("神奇宝贝球", "神奇宝呗球")


def test_nothing_is_taught_where_no_words_are_left(small: Brain) -> None:
    with pytest.raises(CannotTeach, match="nobody's words are left"):
        subject_of(cluster_of(), small.index)


@pytest.mark.parametrize(
    ("variant", "risky"),
    [
        pytest.param("农药喷壶嘴怎么扔", True, id="a-hazardous-word"),
        pytest.param("纽扣电池盒怎么扔", True, id="nearly-a-hazardous-thing"),
        pytest.param("冒烟的锂电池组怎么办", True, id="a-danger"),
        pytest.param("神奇宝贝球怎么扔", False, id="nothing-like-it"),
    ],
)
def test_what_looks_hazardous(small: Brain, variant: str, risky: bool) -> None:
    assert bool(hazards(subject_of(cluster_of(variant), small.index), small.index, LIMITS)) is risky


@pytest.mark.parametrize(
    ("taught", "allowed"),
    [
        pytest.param(lesson("category", "干垃圾"), False, id="another-bin"),
        pytest.param(lesson("category", "干垃圾", harmless=True), True, id="stood-by"),
        pytest.param(lesson("category", "有害垃圾"), True, id="the-red-bin"),
        pytest.param(lesson("alias", "奶茶杯"), False, id="like-a-harmless-thing"),
        pytest.param(lesson("alias", "纽扣电池"), True, id="like-a-hazardous-thing"),
        pytest.param(lesson("answer", "扔干垃圾。", topic="noise"), False, id="an-answer"),
    ],
)
def test_against_inference_only_who_stands_by_it(small: Brain, taught: Lesson, allowed: bool) -> None:
    cluster = cluster_of("农药喷壶嘴怎么扔")
    if allowed:
        found = meant(taught, cluster, small.index, LIMITS)
        assert meant(found, cluster, small.index, LIMITS) == found, "what is found once is found again"
        return
    with pytest.raises(CannotTeach, match="--not-hazardous") as refused:
        meant(taught, cluster, small.index, LIMITS)
    assert "农药喷壶嘴" in refused.value.told


def test_one_hazardous_question_of_many_is_enough(small: Brain) -> None:
    cluster = cluster_of("神奇宝贝球怎么扔", "农药喷壶嘴怎么扔")
    with pytest.raises(CannotTeach, match="农药喷壶嘴"):
        meant(lesson("category", "干垃圾"), cluster, small.index, LIMITS)


def test_phrases_tell_nobody_who_asked(small: Brain) -> None:
    asked = ("周末可以装修多久", "请问周末可以装修多久", "我是3号楼的周末能装修吗", "13800001234能装修吗", "长" * 31)
    assert phrases_of(subject_of(cluster_of(*asked), small.index)) == ("周末可以装修多久",)
