"""Decisions → words a resident reads."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from bot import compose
from bot.brain import Brain
from bot.context import Context
from bot.kb.entries import Item, Local
from bot.kb.slugs import FACILITY_KINDS
from bot.matching.things import Thing
from bot.records import Utterance
from tests.conftest import NOON

MakeContext = Callable[..., Context]


def asked(place: str = "east-1") -> Utterance:
    return Utterance("try", "m1", "u1", None, "", "问", NOON, place=place)


def known(ctx: Context, name: str) -> Thing:
    item = ctx.index.item(name)
    assert item is not None
    return Thing(item.name, item.category, 1.0, "name", item)


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        pytest.param(
            "奶茶杯", ["奶茶杯：干垃圾（灰色桶）。", "扎口。", "依据：示例指南（2019-07-01）"], id="the-usual-way"
        ),
        pytest.param(
            "过期药",
            ["过期药：有害垃圾（红色桶）。药品属于有害垃圾。", "连内包装一起投。", "依据：示例指南（2019-07-01）"],
            id="its-own-way-and-reason",
        ),
        pytest.param(
            "大棒骨",
            [
                "大棒骨：干垃圾（灰色桶）。",
                "扎口。",
                "各地归法不同，这里按上海的标准。",
                "依据：示例指南（2019-07-01）",
            ],
            id="disputed",
        ),
        pytest.param("沙发", ["沙发：大件垃圾。", "预约回收。", "依据：示例指南（2019-07-01）"], id="no-bin-no-colour"),
    ],
)
def test_one_item(context: MakeContext, name: str, lines: list[str]) -> None:
    ctx = context()
    assert compose.items_text([known(ctx, name)], asked(), ctx).split("\n") == lines


def test_several_items_have_a_line_each(context: MakeContext) -> None:
    ctx = context()
    text = compose.items_text(
        [known(ctx, "报纸"), known(ctx, "灯管"), Thing("怪杯", "residual", 0.6, "inferred")], asked(), ctx
    )
    assert text.split("\n") == [
        "报纸：可回收物（蓝色桶）",
        "灯管：有害垃圾（红色桶）",
        "怪杯：干垃圾（灰色桶）（推断）",
        "有害的请轻放。",
    ]


def test_an_inferred_item_says_so(context: MakeContext) -> None:
    ctx = context()
    usual = compose.items_text([Thing("怪杯", "residual", 0.6, "inferred")], asked(), ctx)
    assert usual == "清单里没有「怪杯」，推断是干垃圾。扎口。仅供参考。"
    hazard = compose.items_text([Thing("农药怪", "hazardous", 0.6, "inferred")], asked(), ctx)
    assert hazard == "清单里没有「农药怪」，先按有害垃圾（红色桶）处理，问东社区居委会（000-2）。"


def test_braces_of_a_resident_stay_what_they_are(context: MakeContext) -> None:
    ctx = context()
    assert "「{contact}」" in compose.items_text([Thing("{contact}", "residual", 0.6, "inferred")], asked(), ctx)


def test_a_long_answer_keeps_its_verdict_its_dispute_and_its_basis(context: MakeContext) -> None:
    ctx = context()
    item = Item(
        name="难分的东西",
        category="residual",
        prepare="先" + "洗" * 90,
        disputed="各地归法很不相同，" + "有" * 30,
        source="指南",
    )
    text = compose.items_text([Thing(item.name, "residual", 1.0, "name", item)], asked(), ctx)
    assert text.startswith("难分的东西：干垃圾")
    assert "各地归法很不相同" in text
    assert text.endswith("依据：示例指南（2019-07-01）")
    assert len(text) <= 160


@pytest.mark.parametrize(
    ("code", "article", "expected"),
    [
        pytest.param("条例", "第六条", "依据：示例条例第六条（2022-06-05）", id="article"),
        pytest.param("指南", "", "依据：示例指南（2019-07-01）", id="no-article"),
        pytest.param("常识", "", "以公示为准。", id="general-knowledge"),
        pytest.param("没有", "", "", id="unknown"),
    ],
)
def test_basis(context: MakeContext, code: str, article: str, expected: str) -> None:
    assert compose.basis(code, article, context()) == expected


@pytest.mark.parametrize(
    ("entry", "city", "text", "detail"),
    [
        pytest.param(
            "topics/cooking_oil/pour",
            "shanghai",
            "少量用厨房纸吸干后投湿垃圾，拿不准问东社区居委会（000-2）。\n依据：示例指南（2019-07-01）\n回复「详细」看更多。",
            "冷却后装瓶，投放点在东社区居委会（000-2）。",
            id="placeholders-and-detail",
        ),
        pytest.param(
            "topics/cooking_oil/pour",
            "kunming",
            "少量用厨房纸吸干后投厨余垃圾，拿不准问东社区居委会（000-2）。\n按全国标准。\n依据：示例指南（2019-07-01）\n回复「详细」看更多。",
            "冷却后装瓶，投放点在东社区居委会（000-2）。",
            id="the-city's-own-name",
        ),
        pytest.param(
            "topics/noise/decorate",
            "shanghai",
            "工作日18时以后不装修。\n依据：示例条例第六条（2022-06-05）",
            "",
            id="plain",
        ),
        pytest.param(
            "topics/noise/decorate",
            "beijing",
            "十二点到两点也不装修。\n依据：示例指南（2019-07-01）",
            "",
            id="a-city's-own-answer",
        ),
        pytest.param(
            "topics/battery_button_rechargeable/button",
            "shanghai",
            "用胶带包住两极。\n以公示为准。",
            "",
            id="said-once",
        ),
    ],
)
def test_entries(
    context: MakeContext, small_in: Callable[[str], Brain], entry: str, city: str, text: str, detail: str
) -> None:
    ctx = context(brain=small_in(city))
    assert compose.entry_text(entry, asked(), ctx) == (text, detail)


@pytest.mark.parametrize(
    ("place", "contact"),
    [
        pytest.param("east-1", "东社区居委会（000-2）", id="the-nearest-residents'-committee"),
        pytest.param("west-estate", "街道窗口（000-1）", id="whoever-is-near"),
    ],
)
def test_the_contact_is_that_of_the_place(context: MakeContext, place: str, contact: str) -> None:
    assert compose.filled("问{contact}。", asked(place), context()) == f"问{contact}。"


def test_options_are_numbered_and_name_things(context: MakeContext) -> None:
    ctx = context("电池怎么扔")
    assert ctx.understood.choice is not None
    reply = compose.clarify(ctx.understood.choice, ctx)
    assert reply.text.split("\n") == [
        "您说的是哪种电池？",
        "1. 普通干电池（1、5、7号）",
        "2. 纽扣电池",
        "3. 充电锂电池",
        "4. 鼓包的锂电池",
        "请回复数字选择。",
    ]
    assert [(option.category, option.target) for option in reply.options] == [
        ("residual", "items/5号电池"),
        ("hazardous", "items/纽扣电池"),
        ("hazardous", "items/锂电池"),
        ("hazardous", "items/鼓包锂电池"),
    ]


def test_cases_have_the_bin_of_the_city(context: MakeContext, small_in: Callable[[str], Brain]) -> None:
    ctx = context("电池怎么扔", brain=small_in("beijing"))
    assert ctx.understood.choice is not None
    assert compose.clarify(ctx.understood.choice, ctx).options[0].category == "hazardous"


def test_what_is_remembered(context: MakeContext) -> None:
    ctx = context("电池怎么扔？")
    assert ctx.understood.choice is not None
    session = compose.remembering(compose.clarify(ctx.understood.choice, ctx), ctx, item="电池").session
    assert session is not None
    assert (session.item, session.entry, session.topic) == ("电池", "choices/电池", "waste.item")
    assert (session.question, session.at, len(session.options)) == ("电池怎么扔", NOON, 4)


CITIES = ("shanghai", "beijing", "shenzhen", "guangzhou", "hangzhou", "kunming")
_BAD = re.compile(r"[{}]|。。|，。|。，|，，|；。|：。|、。|^\s*$|  |^[，。；、]|None", re.MULTILINE)
LONGEST = 400


def told(text: str, where: str, limit: int = LONGEST) -> list[str]:
    """What is wrong with a text, if anything."""
    wrong = [f"{where}: {found.group()!r} in {text!r}" for found in [_BAD.search(text)] if found]
    if not 0 < len(text) <= limit:
        wrong.append(f"{where}: {len(text)} characters: {text!r}")
    return wrong


@pytest.fixture(params=CITIES)
def in_city(request: pytest.FixtureRequest, context: MakeContext, shipped_in: Callable[[str], Brain]) -> Context:
    """What a handler is given in each city, with the shipped knowledge."""
    return context(brain=shipped_in(request.param))


HOME = "luyuan-1"


class TestEveryShippedText:
    """Nothing that a resident can read has a hole in it, in any city."""

    def test_items(self, in_city: Context) -> None:
        wrong: list[str] = []
        for n in range(len(in_city.index.items)):
            item = in_city.index.items(n)
            text = compose.items_text([Thing(item.name, item.category, 1.0, "name", item)], asked(HOME), in_city)
            wrong += told(text, item.name, 160)
            if item.disputed and not item.danger and item.disputed.rstrip("。") not in text:
                wrong.append(f"{item.name}: does not say that it is disputed")
        assert not wrong

    def test_the_city_s_bin_names_are_used(self, in_city: Context) -> None:
        """「湿垃圾」 is no bin of Beijing's."""
        others = {"湿垃圾", "干垃圾", "厨余垃圾", "其他垃圾", "易腐垃圾"} - {
            found.label for found in in_city.index.city.categories.values()
        }
        wrong = []
        for n in range(len(in_city.index.items)):
            item = in_city.index.items(n)
            text = compose.items_text([Thing(item.name, item.category, 1.0, "name", item)], asked(HOME), in_city)
            lines = [
                line for line in text.split("\n") if not line.startswith("依据：") and line[:9] not in item.disputed
            ]
            wrong += [f"{item.name}: {label}" for label in others if label in "".join(lines).replace(item.name, "")]
        assert not wrong

    def test_entries(self, in_city: Context) -> None:
        wrong: list[str] = []
        for name, (_, entry) in in_city.index.entries.items():
            if entry.local is None:
                text, detail = compose.entry_text(name, asked(HOME), in_city)
                wrong += told(text, name)
                wrong += told(detail, f"{name} (detail)") if detail else []
        assert not wrong

    def test_choices(self, in_city: Context) -> None:
        wrong: list[str] = []
        for choice in in_city.index.facts.choices:
            reply = compose.clarify(choice, in_city)
            wrong += told(reply.text, choice.word) + told(
                compose.listed_text(choice, asked(HOME), in_city), choice.word
            )
            if not 2 <= len(reply.options) <= 5:
                wrong.append(f"{choice.word}: {len(reply.options)} options")
            for option, category in compose.cases(choice, in_city):
                wrong += told(compose.case_text(option, category, in_city), f"{choice.word}/{option.label}")
        assert not wrong

    def test_dangers(self, in_city: Context) -> None:
        wrong: list[str] = []
        for key, danger in in_city.index.facts.dangers.items():
            wrong += told(compose.filled(danger.text, asked(HOME), in_city), key, 160)
        assert not wrong

    def test_fixed_wording(self, in_city: Context) -> None:
        wrong: list[str] = []
        values = {
            "what": "电池箱",
            "name": "怪东西",
            "label": "干垃圾",
            "how": "扎口",
            "verdict": "干垃圾",
            "clause": "各地不同",
            "city": "上海",
            "word": "电池",
            "time": "今天18:00",
            "why": "（国庆节放假）",
            "who": "居委会（021）",
            "question": "怪东西扔哪",
            "answer": "怪东西：干垃圾。",
        }
        for key in in_city.index.facts.texts:
            wrong += told(in_city.text(key, HOME, **values), key, 160)
        assert not wrong


def test_lines_of_the_inferred_wording_stay_lines(context: MakeContext, shipped: Brain) -> None:
    text = compose.items_text([Thing("怪东西", "residual", 0.6, "inferred")], asked(HOME), context(brain=shipped))
    assert len(text.split("\n")) == 3


def test_every_wording_the_machine_asks_for_is_shipped(shipped: Brain) -> None:
    """A key that stood only in the code would fail in front of a resident."""
    root = Path(__file__).parents[2]
    code = "".join(path.read_text() for folder in ("bot", "handlers") for path in (root / folder).rglob("*.py"))
    keys = set(re.findall(r'ctx\.text\(\s*"(\w+)"', code)) | {f"what_{kind}" for kind in FACILITY_KINDS}
    keys |= {f"what_{name}" for name in Local.model_fields if name != "facility"}
    assert not keys - shipped.index.facts.texts.keys()
