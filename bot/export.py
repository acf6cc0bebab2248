"""Records → files others work with: JSON lines, CSV, Excel. Rows go one by one; no cell ever becomes a formula."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Protocol
from zoneinfo import ZoneInfo

from bot.records import Delivery, Turn, Unanswered

Row = Mapping[str, Any]

TURN_FIELDS = ("turn_id", "message_id", "channel", "chat", "user", "place", "received_at", "text", "action", "topic",
               "entry", "items", "score", "reply", "reason", "latency_ms")  # fmt: skip
DELIVERY_FIELDS = ("delivery_id", "broadcast_id", "channel", "chat", "user", "place", "state", "reason", "attempts",
                   "due_at", "sent_at", "read_at", "answered_at")  # fmt: skip
UNANSWERED_FIELDS = ("cluster_id", "text", "variants", "people", "first_at", "last_at", "state", "entry")
FORMATS = ("jsonl", "csv", "xlsx")

SHEET_ROWS = 1_048_575
"""Rows of one Excel sheet below its header; more go to further sheets."""
CELL_CHARS = 32_767
"""The longest text of an Excel cell."""

_FORMULA_SIGNS = frozenset("=+-@＝＋－＠﹢﹣﹦﹫")
_CELL_BREAKERS = frozenset("\t\r\n")
_UNSEEN = " \u00a0\u200b\u200c\u200d\u2060\u3000\ufeff"


def turn_record(turn: Turn, zone: ZoneInfo) -> dict[str, Any]:
    """A turn as exported; what is missing or was blanked is None."""
    reply = turn.reply
    return {
        "turn_id": turn.turn_id,
        "message_id": turn.message_id,
        "channel": turn.channel,
        "chat": turn.chat,
        "user": turn.user,
        "place": turn.place or None,
        "received_at": _time(turn.received_at, zone),
        "text": turn.text,
        "action": reply.action,
        "topic": reply.topic,
        "entry": reply.entry,
        "items": [asdict(item) for item in reply.items],
        "score": reply.score,
        "reply": reply.text or None,
        "reason": reply.reason,
        "latency_ms": turn.latency_ms,
    }


def delivery_record(delivery: Delivery, zone: ZoneInfo) -> dict[str, Any]:
    """A delivery as exported: neither its address nor its text."""
    return {
        "delivery_id": delivery.delivery_id,
        "broadcast_id": delivery.broadcast_id,
        "channel": delivery.channel,
        "chat": delivery.chat,
        "user": delivery.user,
        "place": delivery.place or None,
        "state": delivery.state,
        "reason": delivery.reason,
        "attempts": delivery.attempts,
        "due_at": _time(delivery.due_at, zone),
        "sent_at": _time(delivery.sent_at, zone),
        "read_at": _time(delivery.read_at, zone),
        "answered_at": _time(delivery.answered_at, zone),
    }


def unanswered_record(cluster: Unanswered, zone: ZoneInfo) -> dict[str, Any]:
    """A cluster of unanswered questions as exported; its text is None once nobody's words are left."""
    return {
        "cluster_id": cluster.cluster_id,
        "text": cluster.text or None,
        "variants": list(cluster.variants),
        "people": cluster.people,
        "first_at": _time(cluster.first_at, zone),
        "last_at": _time(cluster.last_at, zone),
        "state": cluster.state,
        "entry": cluster.entry,
    }


def asked_within(cluster: Unanswered, since: datetime | None, until: datetime | None) -> bool:
    """Whether the time from the first to the last asking touches since <= t < until."""
    return (since is None or cluster.last_at >= since) and (until is None or cluster.first_at < until)


class Sink(Protocol):
    """Where rows go, one by one."""

    def write(self, row: Row) -> None:
        """Write one row."""

    def close(self) -> None:
        """Write what is still owed."""


class JsonlSink:
    """One JSON object a line, UTF-8."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out

    def write(self, row: Row) -> None:
        self._out.write(json.dumps(row, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n")

    def close(self) -> None:
        self._out.flush()


class CsvSink:
    """CSV as Excel and WPS open it: UTF-8 with a byte order mark, formulas made inert by a leading apostrophe."""

    def __init__(self, out: BinaryIO, fields: Sequence[str]) -> None:
        self._text = io.TextIOWrapper(out, encoding="utf-8-sig", errors="backslashreplace", newline="")
        self._writer = csv.writer(self._text)
        self._writer.writerow(fields)
        self._fields = fields

    def write(self, row: Row) -> None:
        self._writer.writerow([_csv_cell(row[field]) for field in self._fields])

    def close(self) -> None:
        self._text.detach().flush()


class XlsxSink:
    """An Excel file, written row by row; text cells are strings whatever they begin with."""

    def __init__(self, path: Path, title: str, fields: Sequence[str]) -> None:
        import xlsxwriter  # here: only Excel needs it, and every command starts faster without it

        self._book = xlsxwriter.Workbook(str(path), {"constant_memory": True})
        self._head = self._book.add_format({"bold": True})
        self._title = title
        self._fields = fields
        self._sheets = 0
        self._start_sheet()

    def _start_sheet(self) -> None:
        self._sheets += 1
        self._sheet = self._book.add_worksheet(self._title if self._sheets == 1 else f"{self._title} {self._sheets}")
        self._sheet.freeze_panes(1, 0)
        for column, field in enumerate(self._fields):
            self._sheet.write_string(0, column, field, self._head)
        self._row = 0

    def write(self, row: Row) -> None:
        if self._row == SHEET_ROWS:
            self._start_sheet()
        self._row += 1
        for column, field in enumerate(self._fields):
            value = _flat(row[field])
            if isinstance(value, str):
                self._sheet.write_string(self._row, column, value[:CELL_CHARS])
            elif value is not None:
                self._sheet.write_number(self._row, column, value)

    def close(self) -> None:
        self._book.close()


@contextmanager
def sink(kind: str, out: BinaryIO, title: str, fields: Sequence[str]) -> Iterator[Sink]:
    """A sink of a format of FORMATS that writes to `out`; complete when the block ends."""
    if kind == "xlsx":
        with tempfile.TemporaryDirectory(prefix="lvlin-export-") as folder:
            book = Path(folder) / "export.xlsx"
            rows = XlsxSink(book, title, fields)
            yield rows
            rows.close()
            with book.open("rb") as made:
                shutil.copyfileobj(made, out)
        return
    lines: Sink = JsonlSink(out) if kind == "jsonl" else CsvSink(out, fields)
    yield lines
    lines.close()


@contextmanager
def file_in_place(path: Path) -> Iterator[BinaryIO]:
    """A file that is there only when it is complete, for its owner only."""
    descriptor, draft = tempfile.mkstemp(dir=path.absolute().parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as out:
            yield out
        os.replace(draft, path)
    except BaseException:
        os.unlink(draft)
        raise


async def write_all(rows: AsyncIterator[Row], to: Sink) -> int:
    """Write every row as it comes; the number of rows."""
    count = 0
    async for row in rows:
        to.write(row)
        count += 1
    return count


def inert(text: str) -> str:
    """Text that no spreadsheet takes for a formula: marked with an apostrophe where it could be one."""
    seen = text.lstrip(_UNSEEN)
    risky = text[:1] in _CELL_BREAKERS or seen[:1] in _CELL_BREAKERS or seen[:1] in _FORMULA_SIGNS
    return f"'{text}" if risky and text else text


def _csv_cell(value: Any) -> Any:
    flat = _flat(value)
    return inert(flat) if isinstance(flat, str) else flat


def _flat(value: Any) -> str | float | None:
    """A value as one cell; lists and objects as JSON, none where they are empty."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return value
    return json.dumps(value, ensure_ascii=False) if value else None


def _time(moment: datetime | None, zone: ZoneInfo) -> str | None:
    return moment.astimezone(zone).isoformat() if moment else None
