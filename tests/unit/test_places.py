"""The place tree: who is where, what is near, when it is open."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from bot.brain import Brain
from bot.kb.entries import Hours
from bot.places import Places, opening


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
    ("place", "found"),
    [
        pytest.param("east-1", ["南门", "北门"], id="of-the-estate-around"),
        pytest.param("east", ["南门", "北门"], id="below"),
        pytest.param("west-estate", ["南门", "北门"], id="none-near-then-the-whole-street"),
    ],
)
def test_facilities(places: Places, place: str, found: list[str]) -> None:
    assert [facility.place for facility in places.facilities(place, "battery_box")] == found


def test_a_facility_nobody_registered(places: Places) -> None:
    assert places.facilities("east-1", "points") == ()


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


def hours(*spans: tuple[object, str, str]) -> list[Hours]:
    return [Hours.model_validate({"days": days, "from": opens, "to": closes}) for days, opens, closes in spans]


@pytest.mark.parametrize(
    ("spans", "words"),
    [
        pytest.param([], "", id="not-registered"),
        pytest.param([("daily", "07:00", "09:00")], "每天7:00–9:00", id="daily"),
        pytest.param([("daily", "00:00", "24:00")], "每天全天", id="all-day"),
        pytest.param([("daily", "00:00", "06:00")], "每天0:00–6:00", id="from-midnight"),
        pytest.param([("daily", "00:30", "06:00")], "每天0:30–6:00", id="just-after-midnight"),
        pytest.param([("daily", "18:00", "24:00")], "每天18:00–24:00", id="until-midnight"),
        pytest.param(
            [("daily", "07:00", "09:00"), ("daily", "18:00", "20:00")], "每天7:00–9:00、18:00–20:00", id="twice-a-day"
        ),
        pytest.param(
            [("workdays", "08:00", "12:00"), ("sat", "09:00", "11:00")], "工作日8:00–12:00；周六9:00–11:00", id="by-day"
        ),
        pytest.param([(["mon", "wed"], "10:00", "11:00")], "周一、周三10:00–11:00", id="several-days"),
    ],
)
def test_opening(spans: list[tuple[object, str, str]], words: str) -> None:
    assert opening(hours(*spans)) == words


@pytest.mark.parametrize("clock", ["24:30", "25:00", "7:00", "07:60", "noon"])
def test_impossible_times_are_refused(clock: str) -> None:
    with pytest.raises(ValueError, match="write a time"):
        hours(("daily", clock, "24:00"))
