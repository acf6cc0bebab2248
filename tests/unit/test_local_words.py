"""How facilities and contacts are told, by what was asked, where and when."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.brain import Brain
from bot.context import Context
from bot.kb.entries import Contact, Facility, Hours
from bot.kb.load import load
from bot.local.words import Asking, contacts_text, facilities_text
from bot.matching.index import compile_index
from bot.places import Found
from bot.records import Utterance
from tests.conftest import NOON, TODAY, write_small

MakeContext = Callable[..., Context]

TWICE = [{"from": "07:00", "to": "09:00"}, {"from": "18:00", "to": "20:00"}]
OFFICE = [{"days": "workdays", "from": "09:00", "to": "17:00"}]
ALWAYS = [{"from": "00:00", "to": "24:00"}]


def box(place: str = "南门", hours: Sequence[dict[str, str]] = (), **other: Any) -> dict[str, Any]:
    found = [Hours.model_validate(span) for span in hours]
    return {"kind": "battery_box", "name": "电池箱", "place": place, "hours": tuple(found), **other}


def told(
    context: MakeContext, text: str, near: Sequence[dict[str, Any]], *, far: Sequence[dict[str, Any]] = (),
    instead: Sequence[dict[str, Any]] = (), now: datetime = NOON, asker: str = "east-1",
) -> list[str]:  # fmt: skip
    """The lines told of facilities of the asker's estate, of others farther away, and of another kind."""
    ctx = context(text, now=now)
    estate, street = ctx.places.by_id["east-estate"], ctx.places.by_id["west-estate"]
    found = [Found(Facility(**own), estate, 1) for own in near] + [Found(Facility(**own), street, 3) for own in far]
    others = [Found(Facility(**own), estate, 1) for own in instead]
    asked = Utterance("try", "m1", "u1", None, "", text, now, place=asker)
    return facilities_text(found, others, Asking.of(asked, ctx)).split("\n")


@pytest.mark.parametrize(
    ("text", "near", "lines"),
    [
        pytest.param("电池箱", [box()], ["电池箱：南门，开放时间没有登记。"], id="no-hours"),
        pytest.param("电池箱在哪", [box(hours=ALWAYS)], ["电池箱：南门，全天开放。"], id="always"),
        pytest.param("电池箱在哪", [box(), box("北门")], ["电池箱：南门、北门，开放时间没有登记。"], id="two-alike"),
        pytest.param(
            "电池箱在哪",
            [box(hours=TWICE, takes="小电池。")],
            ["电池箱：南门，现在关着，今天18:00开。", "每天7:00–9:00、18:00–20:00。", "可投：小电池。"],
            id="place-first",
        ),
        pytest.param(
            "电池箱还开着吗",
            [box(hours=OFFICE)],
            ["现在开着，到17:00。", "电池箱：南门，工作日9:00–17:00。"],
            id="state-first",
        ),
        pytest.param(
            "电池箱几点开",
            [box(hours=OFFICE)],
            ["电池箱：工作日9:00–17:00。", "在南门，现在开着，到17:00。"],
            id="hours-first",
        ),
        pytest.param(
            "电池箱什么时候清运",
            [box(hours=OFFICE, when="周三清空")],
            ["电池箱：周三清空，工作日9:00–17:00。", "在南门，现在开着，到17:00。"],
            id="emptied-first",
        ),
        pytest.param(
            "电池箱周末开吗",
            [box(hours=OFFICE)],
            ["周末（12月5日至6日）不开，周一9:00再开。", "电池箱：南门，工作日9:00–17:00。"],
            id="the-day-first",
        ),
        pytest.param(
            "电池箱周六开吗",
            [box(hours=TWICE)],
            ["周六（12月5日）7:00–9:00、18:00–20:00开。", "电池箱：南门，每天7:00–9:00、18:00–20:00。"],
            id="open-on-that-day",
        ),
        pytest.param(
            "电池箱元旦开吗",
            [box(hours=OFFICE)],
            ["元旦（1月1日至3日）不开，1月4日9:00再开，以通知为准。", "电池箱：南门，工作日9:00–17:00。"],
            id="a-holiday-not-announced-yet",
        ),
        pytest.param(
            "电池箱电话多少",
            [box(hours=OFFICE)],
            ["可以联系东社区居委会（000-2）。", "电池箱：南门，现在开着，到17:00。"],
            id="phone-first",
        ),
        pytest.param(
            "电池箱满了找谁",
            [box(contact="王师傅（000-9）")],
            ["可以联系王师傅（000-9）。", "电池箱：南门，开放时间没有登记。"],
            id="its-own-contact",
        ),
        pytest.param(
            "电池箱几点开",
            [box()],
            ["电池箱：南门，开放时间没有登记。", "可以联系东社区居委会（000-2）。"],
            id="hours-nobody-registered",
        ),
        pytest.param(
            "电池箱在哪",
            [box(takes="每户一只", note="请带户口本。")],
            ["电池箱：南门，开放时间没有登记。", "每户一只。请带户口本。"],
            id="what-is-given-out",
        ),
        pytest.param(
            "电池箱拍张照",
            [box(photo="点位07号照片")],
            ["电池箱：南门，开放时间没有登记。", "照片：点位07号照片"],
            id="picture",
        ),
        pytest.param(
            "电池箱在哪", [box(takes="{residual}")], ["电池箱：南门，开放时间没有登记。", "可投：干垃圾。"], id="bins"
        ),
        pytest.param(
            "电池箱还开着吗",
            [box(hours=TWICE), box("北门", OFFICE)],
            [
                "电池箱：北门，工作日9:00–17:00，现在开着，到17:00。",
                "电池箱：南门，每天7:00–9:00、18:00–20:00，现在关着，今天18:00开。",
            ],
            id="the-open-one-first",
        ),
    ],
)
def test_facilities(context: MakeContext, text: str, near: list[dict[str, Any]], lines: list[str]) -> None:
    assert told(context, text, near) == lines


def test_none(context: MakeContext) -> None:
    assert told(context, "电池箱在哪", []) == [""]


def test_the_nearest_open_one_where_the_own_one_is_shut(context: MakeContext) -> None:
    far = [box("西门", OFFICE), box("西院", ALWAYS)]
    assert told(context, "电池箱在哪", [box(hours=TWICE, takes="小电池")], far=far) == [
        "电池箱：南门，现在关着，今天18:00开。",
        "每天7:00–9:00、18:00–20:00。",
        "电池箱现在开着，到17:00：西小区西门。",
    ]


def test_what_serves_instead(context: MakeContext) -> None:
    late = box("东侧", OFFICE, takes="干垃圾") | {"kind": "late_drop", "name": "误时点"}
    lines = told(context, "电池箱在哪", [box(hours=TWICE)], instead=[late])
    assert lines[-1] == "误时点现在开着，到17:00：东侧。"
    assert told(context, "电池箱在哪", [box(hours=ALWAYS)], instead=[late]) == ["电池箱：南门，全天开放。"]
    assert len(told(context, "电池箱在哪", [box(hours=TWICE)], instead=[late | {"hours": ()}])) == 2


def test_closed_days_say_why(context: MakeContext) -> None:
    closed = {"name": "维修", "from": NOON.date(), "to": NOON.date() + timedelta(days=1)}
    own = Facility.model_validate({**box(hours=ALWAYS), "closed": [closed]})
    lines = told(context, "电池箱还开着吗", [dict(own)])
    assert lines[0] == "现在关着（维修），周四0:00开。"


@pytest.mark.parametrize(
    ("now", "state"),
    [
        pytest.param(datetime(2026, 10, 1, 4, tzinfo=UTC), "现在关着（国庆节放假），10月8日9:00开", id="holiday"),
        pytest.param(datetime(2026, 10, 10, 4, tzinfo=UTC), "现在开着，到17:00", id="a-worked-saturday"),
        pytest.param(datetime(2027, 3, 1, 4, tzinfo=UTC), "现在开着，到17:00，以通知为准", id="not-announced-yet"),
        pytest.param(datetime(2026, 11, 30, 23, tzinfo=UTC), "现在关着，今天9:00开", id="the-site-s-own-day"),
    ],
)
def test_the_calendar_counts(context: MakeContext, now: datetime, state: str) -> None:
    assert told(context, "电池箱在哪", [box(hours=OFFICE)], now=now)[0] == f"电池箱：南门，{state}。"


@pytest.mark.parametrize(
    ("asker", "where"),
    [
        pytest.param("east-1", "南门", id="at-home"),
        pytest.param("street", "东小区南门", id="nobody-knows-where"),
        pytest.param("west-estate", "东小区南门", id="elsewhere"),
    ],
)
def test_the_estate_is_named_where_the_asker_is_not_there(context: MakeContext, asker: str, where: str) -> None:
    assert told(context, "电池箱在哪", [box()], asker=asker) == [f"电池箱：{where}，开放时间没有登记。"]


def test_a_place_that_names_its_estate_is_not_named_twice(context: MakeContext) -> None:
    assert told(context, "电池箱在哪", [box("东社区居委会一楼")], asker="street")[0].startswith("电池箱：东社区居委会")


def test_a_long_note_gives_way_where_something_else_was_asked(context: MakeContext) -> None:
    own = [box(hours=ALWAYS, takes="电" * 110)]
    assert len(told(context, "电池箱在哪", own)) == 2
    assert len(told(context, "电池箱还开着吗", own)) == 2, "its state and its place"


OFFICES = [
    Contact.model_validate(
        {"name": "东小区物业", "phone": "1", "hours": TWICE, "when": "夜间值班", "for": ["报修", "大件"]}
    ),
    Contact.model_validate({"name": "业主委员会"}),
    Contact.model_validate({"name": "东社区居委会", "phone": "3", "place": "2号楼", "hours": OFFICE, "for": ["投诉"]}),
    Contact.model_validate({"name": "街道窗口", "phone": "4"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        pytest.param("居委会电话多少", ["东社区居委会：3，工作日9:00–17:00。"], id="who-is-named"),
        pytest.param("居委会在哪", ["东社区居委会：2号楼，电话：3，工作日9:00–17:00。"], id="place-first"),
        pytest.param("居委会现在有人吗", ["东社区居委会：现在有人，到17:00，电话：3。"], id="state-first"),
        pytest.param("居委会周六有人吗", ["东社区居委会：周六（12月5日）不上班，周一9:00再上班，电话：3。"], id="day"),
        pytest.param(
            "物业几点上班", ["东小区物业：每天7:00–9:00、18:00–20:00，夜间值班，电话：1。"], id="hours-first"
        ),
        pytest.param("物业现在有人吗", ["东小区物业：现在没人，今天18:00上班，夜间值班，电话：1。"], id="nobody-there"),
        pytest.param("水管报修打哪里", ["东小区物业：地址没有登记，电话：1，每天7:00–9:00、18:00–20:00，夜间值班。"],
                     id="who-handles-it"),
        pytest.param("业委会电话", ["业主委员会：电话没有登记。"], id="the-short-name"),
        pytest.param(
            "有事问谁",
            ["东社区居委会：3，工作日9:00–17:00。", "东小区物业：1，每天7:00–9:00、18:00–20:00，夜间值班。",
             "业主委员会：电话没有登记。"],
            id="nobody-is-named",
        ),
    ],
)  # fmt: skip
def test_contacts(context: MakeContext, text: str, lines: list[str]) -> None:
    asked = Utterance("try", "m1", "u1", None, "", text, NOON, place="east-1")
    assert contacts_text(OFFICES, Asking.of(asked, context(text))).split("\n") == lines


def test_who_handles_such_things_is_told_of_a_facility(context: MakeContext, tmp_path: Path) -> None:
    places = (
        'id: street\nname: 街道\nkind: street\ncontacts:\n  - {name: 居委会, phone: "1", for: [投诉]}\n'
        '  - {name: 物业, phone: "2", for: [电池]}\n'
        "children:\n  - {id: east-estate, name: 东小区, kind: estate}\n  - {id: west-estate, name: 西, kind: estate}\n"
    )
    folder = write_small(tmp_path, {"places.yaml": places})
    brain = Brain.of(compile_index(load(folder), "shanghai", TODAY))
    lines = told(lambda text, **other: context(text, brain=brain, **other), "电池箱电话", [box()], asker="east-estate")
    assert lines[0] == "可以联系物业（2）。"
