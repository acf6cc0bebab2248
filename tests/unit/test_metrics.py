"""Figures that stand up: people once, rates with both numbers, small cells hidden."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.metrics import FIELDS, LEAST_INSIDE, LEAST_PUBLIC, Cell, Figure, Scope, figures_of, hidden_cells
from bot.records import Reply, Turn

SHANGHAI = ZoneInfo("Asia/Shanghai")
MONDAY = datetime(2026, 10, 5, 4, 0, tzinfo=UTC)  # noon in Shanghai
ANSWER = Reply("answer", "…", topic="waste.item")
OIL = Reply("answer", "…", topic="cooking_oil")
CLARIFY = Reply("clarify", "…", topic="waste.item")
UNKNOWN = Reply("fallback", "…", unanswered=True)
OUTSIDE = Reply("fallback", "…", topic="out_of_scope")
SILENT = Reply("silent", reason="not_a_question")
GREETING = Reply("answer", "您好")


def turn(user: str, reply: Reply = ANSWER, **changes: Any) -> Turn:
    given = {
        "turn_id": "t", "message_id": "m", "channel": "app", "chat": "g1", "user": user, "place": "luyuan-1",
        "session": "s", "received_at": MONDAY, "kind": "message", "media": "text", "text": None, "mentioned": True,
        "reply": reply, "latency_ms": 1.0,
    }  # fmt: skip
    return Turn(**(given | changes))


def crowd(size: int, reply: Reply = ANSWER, *, first: int = 0, **changes: Any) -> list[Turn]:
    return [turn(f"u{n}", reply, **changes) for n in range(first, first + size)]


def scope(**changes: Any) -> Scope:
    return Scope(SHANGHAI, **changes)


def told(turns: Iterable[Turn], **changes: Any) -> dict[str, Figure]:
    """Figures by name; those cut by place or week by name and label."""
    found: dict[str, Figure] = {}
    for figure in figures_of(turns, scope(**changes)):
        cut = {"place": figure.place, "week": str(figure.first)}.get(figure.figure.rpartition(".")[2])
        found[f"{figure.figure}={cut}" if cut else figure.figure] = figure
    return found


def test_people_are_counted_once_however_much_they_write() -> None:
    figures = told(crowd(6) * 3 + crowd(1, OIL))
    assert (figures["askers"].value, figures["askers"].unit, figures["askers"].n) == (6, "人", 19)
    assert (figures["questions"].value, figures["questions"].unit) == (19, "次")
    assert "不代表全体居民" in str(figures["askers"].note)


@pytest.mark.parametrize(
    ("turns", "people"),
    [
        pytest.param(crowd(6, GREETING), 0, id="a-greeting-is-no-question"),
        pytest.param(crowd(6, Reply("handoff", "…")), 0, id="calling-a-person-is-no-question"),
        pytest.param(crowd(6, SILENT), 0, id="chatter-is-no-question"),
        pytest.param(crowd(6, ANSWER, kind="event"), 0, id="events-are-left-out"),
        pytest.param(crowd(6, ANSWER, channel="try"), 0, id="simulators-are-left-out"),
        pytest.param(crowd(6) + crowd(6, channel="try", first=6), 6, id="beside-simulators"),
        pytest.param(crowd(7), 6, id="staff-are-no-residents"),
        pytest.param(crowd(6, UNKNOWN), 6, id="unanswered-is-asked"),
        pytest.param(crowd(6, CLARIFY), 6, id="clarified-is-asked"),
    ],
)
def test_who_asked(turns: list[Turn], people: int) -> None:
    assert told(turns, skipped=frozenset({"try"}), staff=frozenset({"u6"}))["askers"].value == people


def test_a_named_channel_alone_counts_even_a_simulator() -> None:
    turns = crowd(5) + crowd(7, channel="try")
    assert told(turns, skipped=frozenset({"try"}), channel="try")["askers"].value == 7


def test_outcomes_are_shares_of_all_questions_with_both_numbers() -> None:
    turns = (
        crowd(10) + crowd(5, CLARIFY) + crowd(5, UNKNOWN) + crowd(5, OUTSIDE) + crowd(5, SILENT) + crowd(5, GREETING)
    )
    figures = told(turns)
    shares = {name: (f.numerator, f.denominator) for name, f in figures.items() if name.startswith("share.")}
    assert shares == {
        "share.answered": (10, 25),
        "share.clarified": (5, 25),
        "share.unanswered": (5, 25),
        "share.out_of_scope": (5, 25),
        "share.silent": (5, 35),
    }
    assert figures["share.answered"].value == 0.4
    assert figures["share.answered"].shown() == "10/25次（40.0%）"


def test_a_census_has_no_sampling_interval() -> None:
    for figure in told(crowd(20) + crowd(6, UNKNOWN)).values():
        assert figure.low is None
        assert figure.high is None
        assert figure.method


def test_a_rate_without_its_denominators_source_is_refused() -> None:
    rate = {
        "figure": "f",
        "name": "参与率",
        "place": None,
        "first": None,
        "last": None,
        "value": 203 / 373,
        "unit": "户",
    }
    with pytest.raises(ValueError, match="source of its denominator"):
        Figure(**rate, numerator=203, denominator=373)
    assert Figure(**rate, numerator=203, denominator=373, denominator_source="名册").shown() == "203/373户（54.4%）"


def test_nothing_divided_by_nothing_is_told_as_such() -> None:
    figures = told([])
    assert figures["askers"].value == 0
    for name in ("share.answered", "share.silent", "answer_time.median", "answer_time.p90"):
        assert figures[name].value is None
        assert not figures[name].hidden
        assert "无法计算" in str(figures[name].note)
    assert figures["askers"].first is None


@pytest.mark.parametrize(
    ("times", "median", "p90"),
    [
        pytest.param([3, 1, 2, 5, 4], 3, 5, id="odd"),
        pytest.param([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 5.5, 9, id="even"),
        pytest.param([1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 9], 1, 1, id="one-slow"),
    ],
)
def test_answer_times(times: list[float], median: float, p90: float) -> None:
    figures = told(turn(f"u{n}", latency_ms=float(ms)) for n, ms in enumerate(times))
    assert (figures["answer_time.median"].value, figures["answer_time.p90"].value) == (median, p90)
    assert figures["answer_time.median"].unit == "毫秒"


def test_questions_by_topic_and_place_add_up_and_carry_chinese_names() -> None:
    turns = crowd(6) + crowd(8, OIL, place="luyuan-2") + crowd(5, UNKNOWN)
    figures = told(turns, topic_names={"cooking_oil": "废食用油"}, place_names={"luyuan-2": "2号楼"})
    by_topic = {name: figure.value for name, figure in figures.items() if name.startswith("questions.topic")}
    assert by_topic == {"questions.topic.cooking_oil": 8, "questions.topic.waste.item": 6, "questions.topic.none": 5}
    assert figures["askers.topic.cooking_oil"].name == "提问人数：废食用油"
    assert figures["questions.place=luyuan-2"].name == "提问次数：2号楼"
    assert figures["askers.place=luyuan-1"].value == 6


def test_weeks_begin_on_monday_in_the_sites_zone_and_leave_no_gap() -> None:
    sunday_night = datetime(2026, 10, 4, 15, 59, tzinfo=UTC)
    turns = crowd(5, received_at=sunday_night) + crowd(6, received_at=sunday_night + timedelta(minutes=1))
    turns += crowd(7, received_at=MONDAY + timedelta(days=14))
    weeks = [(str(f.first), str(f.last), f.value) for f in figures_of(turns, scope()) if f.figure == "askers.week"]
    assert weeks == [
        ("2026-09-28", "2026-10-04", 5),
        ("2026-10-05", "2026-10-11", 6),
        ("2026-10-12", "2026-10-18", 0),
        ("2026-10-19", "2026-10-25", 7),
    ]


def test_a_week_is_labelled_with_its_days_inside_the_period() -> None:
    looked_at = scope(first=date(2026, 10, 5), last=date(2026, 10, 7))
    (week,) = [f for f in figures_of(crowd(5), looked_at) if f.figure == "askers.week"]
    assert (week.first, week.last, week.name) == (date(2026, 10, 5), date(2026, 10, 7), "提问人数：2026年第41周")


@pytest.mark.parametrize(
    ("people", "least", "hidden"),
    [
        pytest.param(4, LEAST_INSIDE, True, id="four-inside"),
        pytest.param(5, LEAST_INSIDE, False, id="five-inside"),
        pytest.param(9, LEAST_PUBLIC, True, id="nine-public"),
        pytest.param(10, LEAST_PUBLIC, False, id="ten-public"),
    ],
)
def test_small_totals_are_hidden(people: int, least: int, hidden: bool) -> None:
    for figure in told(crowd(people), least=least).values():
        assert figure.hidden is hidden
        if hidden:
            assert (figure.value, figure.numerator, figure.denominator, figure.n) == (None, None, None, None)
            assert f"少于{least}人" in str(figure.note)
            assert figure.shown() == "不显示"


def test_no_number_of_people_is_no_small_cell() -> None:
    assert told(crowd(6))["share.unanswered"].shown() == "0/6次（0.0%）"


@pytest.mark.parametrize(
    ("sizes", "hidden"),
    [
        pytest.param({"a": 2, "b": 6, "c": 9}, {"a", "b"}, id="the-next-smallest-too"),
        pytest.param({"a": 2, "b": 3, "c": 9}, {"a", "b"}, id="two-small-ones-cover-each-other"),
        pytest.param({"a": 1, "b": 1, "c": 9, "d": 8}, {"a", "b", "d"}, id="together-still-too-few"),
        pytest.param({"a": 2, "b": 0, "c": 9}, {"a", "c"}, id="an-empty-cell-covers-nothing"),
        pytest.param({"a": 5, "b": 6}, set(), id="none-is-small"),
        pytest.param({"a": 2}, {"a"}, id="nothing-to-cover-it"),
    ],
)
def test_hidden_cells(sizes: dict[str, int], hidden: set[str]) -> None:
    cells, start = {}, 0
    for key, size in sizes.items():
        cells[key] = Cell(size, set(range(start, start + size)))
        start += size
    assert hidden_cells(cells, 5) == hidden


@given(st.dictionaries(st.text(max_size=3), st.sets(st.integers(0, 40), max_size=20), max_size=8), st.integers(2, 10))
def test_what_is_hidden_cannot_be_worked_out_from_the_total(people: dict[str, set[int]], least: int) -> None:
    cells = {key: Cell(len(who), who) for key, who in people.items()}
    hidden = hidden_cells(cells, least)
    shown = [key for key in cells if key not in hidden]
    assert all(not cells[key].people or len(cells[key].people) >= least for key in shown)
    rest = set().union(*(cells[key].people for key in hidden))
    total = set().union(*people.values())
    assert not hidden or len(rest) >= least or rest == total or not any(cells[key].people for key in shown)
    assert len(hidden) != 1 or not any(cells[key].people for key in shown)


def test_silence_is_hidden_where_few_spoke() -> None:
    assert told(crowd(30, SILENT) + crowd(3))["share.silent"].hidden
    assert told(crowd(30, SILENT) + crowd(5))["share.silent"].numerator == 30


def test_a_record_has_the_fields_of_the_contract() -> None:
    record = told(crowd(5), place="luyuan")["askers"].record()
    assert tuple(record) == FIELDS
    assert (record["from"], record["to"], record["place"]) == ("2026-10-05", "2026-10-05", "luyuan")


def test_order_of_turns_does_not_matter() -> None:
    turns = crowd(6) + crowd(7, OIL, received_at=MONDAY - timedelta(days=9)) + crowd(5, UNKNOWN, place="luyuan-3")
    assert figures_of(turns, scope()) == figures_of(reversed(turns), scope())
