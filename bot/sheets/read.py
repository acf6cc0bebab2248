"""A workbook as Excel or WPS saved it → texts by sheet, row and header, with the address of every cell."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from bot.errors import WrongUsage
from bot.sheets import base

_MOST_BYTES = 200_000_000
"""Of all that is packed in the file: more is none of ours."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in a cell; `wrong`: why it cannot be read, in Chinese, "" where it can."""

    address: str
    text: str
    wrong: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A row that is not blank: its number, and its cells by header."""

    number: int
    cells: Mapping[str, Cell]


@dataclass(frozen=True, slots=True)
class Table:
    """A sheet: the headers as they stand, and its rows."""

    headers: tuple[str, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Workbook:
    """Sheets by title, and what it was made from: the version of the knowledge ("": it does not say), and
    (sheet, id) → digests."""

    tables: Mapping[str, Table]
    version: str
    base: Mapping[tuple[str, str], base.Digests]


def read(path: Path) -> Workbook:
    """Read a workbook. Raises WrongUsage for a file that is none."""
    import openpyxl  # here: only this needs it, and every other command starts faster without it
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        with zipfile.ZipFile(path) as packed:
            if sum(one.file_size for one in packed.infolist()) > _MOST_BYTES:
                raise WrongUsage(f"{path} is too large for a workbook of ours — export it anew")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of decorations that are not read
            book = openpyxl.load_workbook(path)
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError) as exc:
        raise WrongUsage(f"{path} is no Excel file — save it as .xlsx in Excel or WPS") from exc
    version, known = _base(book[base.SHEET]) if base.SHEET in book.sheetnames else ("", {})
    tables = {sheet.title.strip(): _table(sheet) for sheet in book.worksheets}
    return Workbook(tables, version, known)


def _base(sheet: Any) -> tuple[str, dict[tuple[str, str], base.Digests]]:
    version = ""
    known: dict[tuple[str, str], base.Digests] = {}
    for n, row in enumerate(sheet.iter_rows(max_col=3, values_only=True)):
        title, name, packed = (str(value) if value is not None else "" for value in row)
        if n == 0:
            version = name
        elif (found := base.unpacked(packed)) is not None:
            known[title, name] = found
    return version, known


def _table(sheet: Any) -> Table:
    rows = sheet.iter_rows()
    head = next(rows, ())
    headers = {cell.column: base.normal(_text(cell.value)).rstrip("*＊") for cell in head if cell.value is not None}
    merged = {
        (row, column): str(area)
        for area in sheet.merged_cells.ranges
        for row, column in area.cells
    }  # fmt: skip
    return Table(tuple(headers.values()), tuple(_lines(rows, headers, merged)))


def _lines(
    rows: Iterator[Any], headers: Mapping[int, str], merged: Mapping[tuple[int, int], str]
) -> Iterator[Line]:
    for row in rows:
        cells = {
            headers[cell.column]: _cell(cell, merged.get((cell.row, cell.column)))
            for cell in row
            if cell.column in headers
        }
        if any(cell.text or cell.wrong for cell in cells.values()):
            yield Line(row[0].row, cells)


def _cell(cell: Any, merged: str | None) -> Cell:
    wrong = ""
    if merged:
        wrong = f"格子是合并的（{merged}）"
    elif cell.data_type == "f":
        wrong = "这里是公式"
    elif cell.data_type == "e":
        wrong = f"这里是错误值 {cell.value}"
    return Cell(cell.coordinate, "" if wrong else base.normal(_text(cell.value)), wrong)


def _text(value: Any) -> str:
    """A cell's value as staff see it."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d}" if value.time() == time() else f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        return f"{value:%H:%M}"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
