"""Exports: the fields of the contract, streamed, and never a formula in a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from bot import export
from bot.records import Delivery, ItemAnswer, Reply, Turn, Unanswered

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 10, 5, 4, 0, tzinfo=UTC)
TURN = Turn(
    turn_id="t1",
    message_id="m1",
    channel="app",
    chat=None,
    user="u_1",
    place="luyuan",
    session="s",
    received_at=NOON,
    kind="message",
    media="text",
    text="灯管扔哪",
    mentioned=True,
    latency_ms=0.4,
    reply=Reply(
        "answer",
        "有害垃圾",
        topic="waste.item",
        entry="items/灯管",
        score=0.98,
        items=(ItemAnswer("灯管", "hazardous", "有害垃圾"),),
    ),
)
DELIVERY = Delivery(
    "d1", "app", None, "u_1", "luyuan", "秘密", address=b"sealed", state="sent", attempts=1, sent_at=NOON
)
CLUSTER = Unanswered(7, "废船怎么扔", ("废船怎么扔", "旧船扔哪"), 3, NOON, NOON, "open", None)


def test_a_turn_as_the_contract_says() -> None:
    assert export.turn_record(TURN, SHANGHAI) == {
        "turn_id": "t1",
        "message_id": "m1",
        "channel": "app",
        "chat": None,
        "user": "u_1",
        "place": "luyuan",
        "received_at": "2026-10-05T12:00:00+08:00",
        "text": "灯管扔哪",
        "action": "answer",
        "topic": "waste.item",
        "entry": "items/灯管",
        "items": [{"name": "灯管", "category": "hazardous", "label": "有害垃圾", "inferred": False}],
        "score": 0.98,
        "reply": "有害垃圾",
        "reason": None,
        "latency_ms": 0.4,
    }


def test_a_silent_turn_keeps_its_reason_and_has_no_text() -> None:
    record = export.turn_record(replace(TURN, text=None, place="", reply=Reply("silent", reason="unsure")), SHANGHAI)
    assert (record["reason"], record["text"], record["reply"], record["place"], record["items"]) == (
        "unsure", None, None, None, [],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("record", "fields"),
    [
        pytest.param(export.turn_record(TURN, SHANGHAI), export.TURN_FIELDS, id="turns"),
        pytest.param(export.delivery_record(DELIVERY, SHANGHAI), export.DELIVERY_FIELDS, id="deliveries"),
        pytest.param(export.unanswered_record(CLUSTER, SHANGHAI), export.UNANSWERED_FIELDS, id="unanswered"),
    ],
)
def test_fields_and_their_order(record: Mapping[str, Any], fields: tuple[str, ...]) -> None:
    assert tuple(record) == fields


def test_a_delivery_tells_neither_address_nor_text() -> None:
    assert "sealed" not in str(export.delivery_record(DELIVERY, SHANGHAI))
    assert "秘密" not in str(export.delivery_record(DELIVERY, SHANGHAI))


MOMENT = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("since", "until", "inside"),
    [
        pytest.param(None, None, True, id="always"),
        pytest.param(NOON, NOON + MOMENT, True, id="that-moment"),
        pytest.param(NOON + MOMENT, None, False, id="asked-before"),
        pytest.param(None, NOON, False, id="asked-after"),
    ],
)
def test_clusters_of_a_period(since: datetime | None, until: datetime | None, inside: bool) -> None:
    assert export.asked_within(CLUSTER, since, until) is inside


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *(pytest.param(f"{sign}1", f"'{sign}1", id=f"sign-{sign}") for sign in "=+-@＝＋－＠"),
        pytest.param("\t1", "'\t1", id="tab"),
        pytest.param("\r1", "'\r1", id="carriage-return"),
        pytest.param("\n=1", "'\n=1", id="line-feed"),
        pytest.param("  =1", "'  =1", id="after-spaces"),
        pytest.param("　＝1", "'　＝1", id="after-a-wide-space"),
        pytest.param("\u200b=1", "'\u200b=1", id="after-an-invisible-one"),
        pytest.param(" \t=1", "' \t=1", id="after-space-and-tab"),
        pytest.param("a=1", "a=1", id="sign-inside"),
        pytest.param("", "", id="empty"),
        pytest.param("灯管", "灯管", id="plain"),
    ],
)
def test_inert(text: str, expected: str) -> None:
    assert export.inert(text) == expected


@given(st.text(st.sampled_from("=+-@＝＋－＠\t\r\n \u3000\u200b'a灯"), max_size=6))
def test_nothing_inert_begins_a_formula(text: str) -> None:
    made = export.inert(text)
    assert made.removeprefix("'") == text.removeprefix("'")
    assert made[:1] not in set("\t\r\n")
    assert made.lstrip(" \u3000\u200b")[:1] not in set("=+-@＝＋－＠")


def written(kind: str, *rows: Mapping[str, Any], fields: tuple[str, ...]) -> bytes:
    out = io.BytesIO()
    with export.sink(kind, out, "turns", fields) as sink:
        for row in rows:
            sink.write(row)
    return out.getvalue()


ROW = {"a": "=1+1", "b": None, "c": 0.5, "d": [{"k": "湿"}], "e": True, "f": [], "g": 'x,"y\nz'}
FIELDS = tuple(ROW)


def test_jsonl_keeps_values_as_they_are() -> None:
    lines = written("jsonl", ROW, ROW, fields=FIELDS).decode().splitlines()
    assert [json.loads(line) for line in lines] == [ROW, ROW]


def test_csv_opens_in_excel_and_holds_no_formula() -> None:
    made = written("csv", ROW, fields=FIELDS)
    assert made.startswith(b"\xef\xbb\xbfa,b,c")
    head, row = csv.reader(io.StringIO(made.decode("utf-8-sig"), newline=""))
    assert head == list(FIELDS)
    assert row == ["'=1+1", "", "0.5", '[{"k": "湿"}]', "true", "", 'x,"y\nz']


def test_xlsx_holds_no_formula() -> None:
    sheet = load_workbook(io.BytesIO(written("xlsx", ROW, fields=FIELDS)))["turns"]
    assert [cell.value for cell in sheet[1]] == list(FIELDS)
    assert [(cell.value, cell.data_type) for cell in sheet[2]] == [
        ("=1+1", "s"), (None, "n"), (0.5, "n"), ('[{"k": "湿"}]', "s"), ("true", "s"), (None, "n"), ('x,"y\nz', "s"),
    ]  # fmt: skip
    assert sheet.freeze_panes == "A2"


def test_xlsx_goes_on_in_a_second_sheet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "SHEET_ROWS", 2)
    book = load_workbook(io.BytesIO(written("xlsx", *[{"a": n} for n in range(5)], fields=("a",))))
    assert [[cell.value for cell in sheet["A"]] for sheet in book] == [["a", 0, 1], ["a", 2, 3], ["a", 4]]
    assert book.sheetnames == ["turns", "turns 2", "turns 3"]


def test_xlsx_cuts_what_no_cell_can_hold() -> None:
    sheet = load_workbook(io.BytesIO(written("xlsx", {"a": "长" * 40_000}, fields=("a",))))["turns"]
    assert len(str(sheet["A2"].value)) == export.CELL_CHARS


@pytest.mark.parametrize("kind", export.FORMATS)
def test_an_empty_export_still_says_its_fields(kind: str) -> None:
    made = written(kind, fields=("a", "b"))
    if kind == "xlsx":
        assert [cell.value for cell in load_workbook(io.BytesIO(made))["turns"][1]] == ["a", "b"]
    else:
        assert made == {"jsonl": b"", "csv": b"\xef\xbb\xbfa,b\r\n"}[kind]


async def test_rows_are_written_as_they_come() -> None:
    out = io.BytesIO()
    seen: list[int] = []

    async def rows() -> AsyncIterator[Mapping[str, Any]]:
        for n in range(3):
            seen.append(out.getvalue().count(b"\n"))
            yield {"a": n}

    with export.sink("jsonl", out, "turns", ("a",)) as sink:
        assert await export.write_all(rows(), sink) == 3
    assert seen == [0, 1, 2]


def test_a_file_is_there_only_when_complete(tmp_path: Path) -> None:
    path = tmp_path / "turns.jsonl"
    path.write_bytes(b"old")
    with pytest.raises(ZeroDivisionError), export.file_in_place(path) as out:
        out.write(b"half" * (1 // 0))
    assert (path.read_bytes(), [*tmp_path.iterdir()]) == (b"old", [path])
    with export.file_in_place(path) as out:
        out.write(b"new")
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"new", 0o600)
