"""What goes into which bin."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bot.brain import Brain
from bot.matching.understand import Thresholds
from tests.conftest import MakeTalk, Talk, write_small


@pytest.mark.parametrize(
    ("text", "items"),
    [
        pytest.param("奶茶杯扔哪", [("奶茶杯", "residual", "干垃圾", False)], id="one"),
        pytest.param("扣式电池是什么垃圾", [("纽扣电池", "hazardous", "有害垃圾", False)], id="by-another-name"),
        pytest.param(
            "鱼骨头、大棒骨和报纸呢",
            [
                ("鱼骨头", "food", "湿垃圾", False),
                ("大棒骨", "residual", "干垃圾", False),
                ("报纸", "recyclable", "可回收物", False),
            ],
            id="several-in-order",
        ),
        pytest.param("咖啡杯怎么扔", [("咖啡杯", "residual", "干垃圾", True)], id="inferred"),
        pytest.param("沙发扔哪个桶", [("沙发", "bulky", "大件垃圾", False)], id="what-no-bin-takes"),
    ],
)
async def test_sort(talk: Talk, text: str, items: list[tuple[str, str, str, bool]]) -> None:
    reply = (await talk.say(text)).reply
    assert (reply.action, reply.topic) == ("answer", "waste.item")
    assert [(item.name, item.category, item.label, item.inferred) for item in reply.items] == items
    assert reply.text.count("\n") <= 3


async def test_an_inferred_thing_is_queued_for_staff_and_names_no_entry(talk: Talk) -> None:
    reply = (await talk.say("咖啡杯怎么扔")).reply
    assert (reply.entry, reply.unanswered) == (None, True)
    assert await talk.all_unanswered() == ["咖啡杯怎么扔"]


async def test_a_known_thing_is_not_queued(talk: Talk) -> None:
    reply = (await talk.say("奶茶杯扔哪")).reply
    assert (reply.entry, reply.unanswered) == ("items/奶茶杯", False)


@pytest.mark.parametrize(
    ("infer", "action"),
    [pytest.param(0.0, "answer", id="always"), pytest.param(1.0, "fallback", id="never")],
)
async def test_how_sure_an_inference_must_be(make_talk: MakeTalk, infer: float, action: str) -> None:
    turn = await make_talk(limits=Thresholds(infer=infer)).say("咖啡杯怎么扔")
    assert turn.reply.action == action
    assert turn.reply.unanswered


@pytest.mark.xfail(strict=True, reason="a thing that is dropped from a list is neither told nor queued")
async def test_a_thing_left_out_of_a_list_is_queued(make_talk: MakeTalk) -> None:
    turn = await make_talk(limits=Thresholds(infer=1.0)).say("奶茶杯和咖啡杯怎么扔")
    assert [item.name for item in turn.reply.items] == ["奶茶杯"]
    assert turn.reply.unanswered


@pytest.mark.parametrize(
    ("text", "entry", "topic", "what"),
    [
        pytest.param(
            "鼓包的锂电池怎么办", "items/鼓包锂电池", "battery_button_rechargeable", "鼓包锂电池", id="a-known-thing"
        ),
        pytest.param("充电宝冒烟了！！", "items/充电宝", "battery_button_rechargeable", "充电宝", id="in-a-state"),
    ],
)
async def test_danger(talk: Talk, text: str, entry: str, topic: str, what: str) -> None:
    reply = (await talk.say(text)).reply
    assert (reply.action, reply.entry, reply.topic) == ("answer", entry, topic)
    assert reply.text == "马上停用，别扎别压，联系东社区居委会（000-2）。"
    assert reply.alert is not None
    assert reply.alert.text == f"有居民问到{what}。"
    assert not reply.unanswered


async def test_a_danger_without_alert(talk: Talk) -> None:
    reply = (await talk.say("油漆打翻了怎么办")).reply
    assert reply.text.startswith("盖紧盖子")
    assert reply.alert is None


@pytest.mark.parametrize(
    ("named", "text", "alerted"),
    [
        pytest.param("", "灯管：有害垃圾（红色桶）。", False, id="not-by-name"),
        pytest.param("tell", "灯管：轻点。", False, id="told"),
        pytest.param("alert", "灯管：轻点。", True, id="told-and-staff-alerted"),
    ],
)
async def test_a_danger_by_name(
    make_talk: MakeTalk, small_folder: object, tmp_path: object, named: str, text: str, alerted: bool
) -> None:
    from pathlib import Path

    from bot.brain import compiled
    from tests.conftest import SMALL, TODAY

    assert isinstance(tmp_path, Path)
    dangers = SMALL["dangers.yaml"] + f'tube: {{text: 轻点。, named: "{named}"}}\n'
    items = SMALL["items/all.yaml"].replace(
        "{name: 灯管, category: hazardous}", "{name: 灯管, category: hazardous, danger: tube}"
    )
    folder = write_small(tmp_path / "named", {"dangers.yaml": dangers, "items/all.yaml": items})
    talk = make_talk(Brain.of(compiled(folder, None, "shanghai", TODAY)))
    reply = (await talk.say("灯管扔哪")).reply
    assert reply.text.startswith(text)
    assert (reply.alert is not None) is alerted


async def test_an_ambiguous_word_asks_back(talk: Talk) -> None:
    reply = (await talk.say("电池怎么扔")).reply
    assert (reply.action, reply.topic, reply.entry) == ("clarify", "waste.item", "choices/电池")
    assert 2 <= len(reply.options) <= 5
    assert reply.session is not None
    assert reply.session.options == reply.options


async def test_a_word_with_a_default_lists_its_cases(talk: Talk) -> None:
    reply = (await talk.say("充电宝扔哪")).reply
    assert reply.text.split("\n") == [
        "充电宝要看是哪一种：",
        "完好的充电宝：可回收物（蓝色桶）",
        "鼓包的充电宝：有害垃圾（红色桶）",
    ]
    assert [(item.name, item.category) for item in reply.items] == [
        ("充电宝", "recyclable"),
        ("鼓包的充电宝", "hazardous"),
    ]
    assert not any(item.inferred for item in reply.items)


async def test_bins_are_those_of_the_city(make_talk: MakeTalk, small_in: Callable[[str], Brain]) -> None:
    reply = (await make_talk(small_in("beijing")).say("干电池扔哪")).reply
    assert [(item.category, item.label) for item in reply.items] == [("hazardous", "有害垃圾")]
