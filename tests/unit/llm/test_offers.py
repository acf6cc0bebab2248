"""What a model may choose among: near entries and known things, and never a way out of a hazard."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.brain import Brain
from bot.llm.offers import MOST_OFFERED, Offer, offers
from bot.matching.understand import understand

TUNING = Path(__file__).parents[2] / "questions" / "tuning_d.jsonl"


def offered(brain: Brain, text: str, about: str = "") -> tuple[Offer, ...]:
    return offers(understand(text, brain.index, about=about), brain.index, about=about)


def entries(found: tuple[Offer, ...]) -> list[str]:
    return [offer.understood.entry for offer in found if offer.understood.kind == "entry"]


def test_near_entries_in_their_authors_words(small: Brain) -> None:
    found = offered(small, "楼上装修到几点才停")
    first = next(offer for offer in found if offer.understood.entry == "topics/noise/decorate")
    assert first.words == "装修几点要停"
    assert first.understood.rule == "language model"
    assert not first.hazardous


def test_known_things_are_one_offer(small: Brain) -> None:
    found = offered(small, "报纸、易拉罐怎么处理")
    assert found[0].words == "报纸、易拉罐怎么扔"
    assert [thing.name for thing in found[0].understood.things] == ["报纸", "易拉罐"]


def test_nothing_inferred_is_offered(small: Brain) -> None:
    for text in ("不锈钢盆", "火星纸怎么扔", "不锈钢盆和报纸"):
        assert all(offer.understood.kind == "entry" for offer in offered(small, text))


@pytest.mark.parametrize("text", ["锂电池放哪里合适", "鼓包的锂电池和报纸", "锂电池装修几点要停"])
def test_a_thing_with_fixed_wording_is_no_business_of_a_model(small: Brain, text: str) -> None:
    assert offered(small, text) == ()


@pytest.mark.parametrize(
    ("text", "about"),
    [
        pytest.param("过期药几点能扔垃圾", "", id="a-thing"),
        pytest.param("油漆渣装修几点要停", "", id="an-inferred-thing"),
        pytest.param("旧电池装修几点要停", "", id="a-case-of-an-ambiguous-word"),
        pytest.param("纽扣电池两极要包胶带么几点能扔垃圾", "", id="the-likeliest-entry"),
        pytest.param("几点能扔垃圾呢", "battery_button_rechargeable", id="what-was-talked-of"),
        pytest.param("充电宝那种几点能扔垃圾", "", id="a-thing-that-can-become-dangerous"),
    ],
)
def test_where_a_hazard_is_near_only_what_is_hazardous_is_offered(small: Brain, text: str, about: str) -> None:
    assert all(offer.hazardous for offer in offered(small, text, about))


def test_few_are_offered_and_each_once(shipped: Brain) -> None:
    """On questions of all kinds: never more than a digit can name, no entry twice, no hazard left."""
    for line in TUNING.read_text(encoding="utf-8").splitlines():
        text = json.loads(line)["text"]
        understood = shipped.understand(text)
        found = offers(understood, shipped.index)
        assert len(found) <= MOST_OFFERED < 10, text
        assert len(set(entries(found))) == len(entries(found)), text
        if any(thing.category == "hazardous" for thing in understood.things):
            assert all(offer.hazardous for offer in found), text
        for offer in found:
            assert all(thing.item for thing in offer.understood.things) or offer.understood.kind == "entry", text
