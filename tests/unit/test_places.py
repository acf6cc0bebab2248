"""The place tree: who is where, what is near, when it is open."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from bot.brain import Brain
from bot.kb.entries import Place
from bot.places import Places


@pytest.fixture
def places(small: Brain) -> Places:
    return small.places


@pytest.mark.parametrize(
    ("chat", "place"),
    [
        pytest.param("g1", "east-estate", id="listed"),
        pytest.param("g1b", "east-1", id="a-building"),
        pytest.param("g9", "street", id="unlisted-belongs-to-the-root"),
        pytest.param(None, "street", id="private-belongs-to-the-root"),
    ],
)
def test_of_chat(places: Places, chat: str | None, place: str) -> None:
    assert places.of_chat("try", chat) == place


def test_a_chat_of_the_same_name_on_another_channel_is_another(places: Places) -> None:
    assert places.of_chat("other", "g1") == "street"


@pytest.mark.parametrize(
    ("place", "branch", "expected"),
    [
        pytest.param("east-1", "east", True, id="deep-inside"),
        pytest.param("east", "east", True, id="itself"),
        pytest.param("east", "east-1", False, id="above"),
        pytest.param("west", "east", False, id="beside"),
        pytest.param("west", "", True, id="no-branch-covers-all"),
        pytest.param("nowhere", "street", True, id="unknown-place-is-the-root"),
        pytest.param("nowhere", "east", False, id="unknown-place-is-in-no-branch"),
        pytest.param("east", "nowhere", False, id="unknown-branch-covers-nothing"),
    ],
)
def test_within(places: Places, place: str, branch: str, expected: bool) -> None:
    assert places.within(place, branch) is expected


def test_below(places: Places) -> None:
    assert places.below("east") == ("east", "east-estate", "east-1")
    with pytest.raises(KeyError):
        places.below("nowhere")


@pytest.mark.parametrize(
    ("place", "kind", "found"),
    [
        pytest.param("east-1", "battery_box", [("南门", 1), ("北门", 1)], id="of-the-estate-around"),
        pytest.param("east", "battery_box", [("南门", 0), ("北门", 0)], id="below"),
        pytest.param("west-estate", "battery_box", [("南门", 2), ("北门", 2)], id="elsewhere-in-the-street"),
        pytest.param("east-1", "drop_point", [("2号楼旁", 1)], id="of-ones-own-estate"),
        pytest.param("west-estate", "drop_point", [], id="another-estate-s-bins-are-not-for-all"),
        pytest.param("east-1", "points", [], id="nobody-registered-one"),
    ],
)
def test_facilities(places: Places, place: str, kind: str, found: list[tuple[str, int]]) -> None:
    assert [(near.facility.place, near.steps) for near in places.facilities(place, kind)] == found


TREE = Place.model_validate(
    {
        "id": "community", "name": "红旗社区", "kind": "community",
        "facilities": [{"kind": "bulky", "name": "堆场", "place": "社区东侧"},
                       {"kind": "clothes", "name": "衣箱", "place": "社区"}],
        "children": [
            {
                "id": "a", "name": "甲小区", "kind": "estate",
                "facilities": [{"kind": "clothes", "name": "衣箱", "place": "甲门"}],
                "children": [
                    {"id": "a1", "name": "1号楼", "kind": "building",
                     "facilities": [{"kind": "clothes", "name": "衣箱", "place": "楼下"}]},
                    {"id": "a2", "name": "2号楼", "kind": "building",
                     "facilities": [{"kind": "bulky", "name": "堆场", "place": "楼后"}]},
                ],
            },
            {"id": "b", "name": "乙小区", "kind": "estate",
             "facilities": [{"kind": "clothes", "name": "衣箱", "place": "乙门"},
                            {"kind": "bulky", "name": "堆场", "place": "乙院"}]},
        ],
    },
    strict=False,
)  # fmt: skip


@pytest.mark.parametrize(
    ("place", "kind", "found"),
    [
        pytest.param("a1", "clothes", ["楼下", "甲门", "社区", "乙门"], id="building-estate-community"),
        pytest.param("a2", "clothes", ["甲门", "楼下", "社区", "乙门"], id="the-house-next-door-with-the-estate"),
        pytest.param("b", "clothes", ["乙门", "社区", "甲门", "楼下"], id="from-the-other-estate"),
        pytest.param("a1", "bulky", ["楼后", "社区东侧"], id="ones-own-estate-and-what-is-for-all"),
        pytest.param("community", "bulky", ["社区东侧", "楼后", "乙院"], id="all-of-the-community"),
    ],
)
def test_facilities_come_nearest_first(place: str, kind: str, found: list[str]) -> None:
    assert [near.facility.place for near in Places.of(TREE).facilities(place, kind)] == found


@pytest.mark.parametrize(
    ("at", "asker", "named"),
    [
        pytest.param("a", "a1", "", id="where-the-asker-lives"),
        pytest.param("a1", "a", "1号楼", id="a-house-of-the-asker-s-estate"),
        pytest.param("a1", "a2", "1号楼", id="the-house-next-door"),
        pytest.param("b", "a1", "乙小区", id="another-estate"),
        pytest.param("a1", "community", "甲小区1号楼", id="from-above"),
        pytest.param("community", "b", "", id="what-is-above-the-asker"),
    ],
)
def test_places_are_named_as_far_as_the_asker_is_not_there(at: str, asker: str, named: str) -> None:
    places = Places.of(TREE)
    assert places.named(places.by_id[at], asker) == named


def test_contacts_come_nearest_first(places: Places) -> None:
    assert [contact.name for contact in places.contacts("east-1")] == ["东社区居委会", "街道窗口"]
    assert [contact.name for contact in places.contacts("west-estate")] == ["街道窗口"]


@pytest.mark.parametrize(
    ("now", "names"),
    [
        pytest.param("2026-11-30T10:00", ["昨天的活动", "换绿植"], id="also-of-today"),
        pytest.param("2026-12-01T00:00", ["换绿植"], id="not-of-yesterday"),
        pytest.param("2026-12-05T23:59", ["换绿植"], id="until-its-day-is-over"),
        pytest.param("2026-12-06T00:00", [], id="over"),
    ],
)
def test_happenings(places: Places, now: str, names: list[str]) -> None:
    at = datetime.fromisoformat(now).replace(tzinfo=ZoneInfo("Asia/Shanghai"))
    assert [happening.name for happening in places.happenings("east-1", "activities", at)] == names


def test_the_root_stands_for_its_first_estate(places: Places) -> None:
    assert places.home("street") == "east-estate"
    assert places.home("west") == "west"
    assert places.home("nowhere") == "east-estate"
