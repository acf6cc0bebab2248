"""Workbooks for tests: exported from a small folder, edited as staff would, and compared."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl

from bot.sheets import apply
from bot.sheets.compare import Plan
from bot.sheets.read import read
from tests.unit import small_kb

ITEMS = """\
# 本小区
source: 源
review_by: 2027-06-30
items:
  - {name: 奶茶杯, category: residual, aliases: [奶茶杯子, 纸杯、吸管],
      reason: 沾了奶}   # 常问
  - {name: 灯管, category: hazardous, danger: mercury}
  - name: 报纸   # 一行一项
    category: recyclable
    source: 源
"""
PLACES = """\
id: root
name: 街道
kind: street
children:
  - id: estate
    name: 小区
    kind: estate
    households: 373
    facilities:
      - {kind: battery_box, name: 电池箱, place: 门口}
      - kind: battery_box
        name: 电池箱
        place: 北门
        hours: [{days: [mon, wed], from: "08:00", to: "09:30"}, {from: "18:00", to: "20:00"}]
    activities:
      - {name: 讲座, at: "2026-12-12 14:00"}
"""
Book = Any


def folder(path: Path) -> Path:
    """A small knowledge folder."""
    return small_kb.write(path, items__all=ITEMS, places=PLACES)


def exported(knowledge: Path, city: str = "national") -> Path:
    """Its workbook, beside it."""
    book = knowledge.parent / "kb.xlsx"
    apply.export(apply.Folder(knowledge, city), book)
    return book


def column(book: Book, title: str, header: str) -> int:
    """The number of a column."""
    return next(cell.column for cell in book[title][1] if str(cell.value).rstrip("*") == header)


def row(book: Book, title: str, name: str) -> int:
    """The number of a row, by its id."""
    return next(cells[0].row for cells in book[title].iter_rows(min_row=2) if cells[0].value == name)


def cell(book: Book, title: str, name: str, header: str) -> Any:
    """A cell, by the id of its row and the header of its column."""
    return book[title].cell(row(book, title, name), column(book, title, header))


def add(book: Book, title: str, **values: Any) -> int:
    """Write a row under the last, after a blank one; its number."""
    number: int = book[title].max_row + 2
    for header, value in values.items():
        book[title].cell(number, column(book, title, header)).value = value
    return number


def planned(knowledge: Path, edit: Callable[[Book], object]) -> tuple[Plan, apply.Texts]:
    """What importing the workbook would do, edited; the workbook is exported here where it is not there yet."""
    path = knowledge.parent / "kb.xlsx"
    if not path.exists():
        exported(knowledge)
    book = openpyxl.load_workbook(path)
    edit(book)
    edited = knowledge.parent / "edited.xlsx"
    book.save(edited)
    return apply.plan(apply.Folder(knowledge, "national"), read(edited))
