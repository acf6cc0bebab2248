"""The workbook: one sheet a kind of thing, with drop-down lists, a locked id, and what an import needs to compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bot.errors import LvlinError
from bot.sheets import base
from bot.sheets.cells import Choice
from bot.sheets.layout import DELETE, Column, Sheet
from bot.strict_yaml import Document

GUIDE = "说明"
YES = "是"
CELL_CHARS = 32_767
"""The longest text of an Excel cell."""
_SPARE_ROWS = 500
"""Rows under the last one that have drop-down lists too."""
_GUIDE = (
    "这个文件是知识库的内容，改完保存，交给管理员运行：lvlin kb import 文件名（先加 --dry-run 看看会改什么）。",
    "导入只改知识库文件夹；居民看到新答复，要等 lvlin kb publish 发布以后。",
    "白色的格子可以改，灰色的是锁定的，改了不算。锁没有密码：要排序、筛选，可先「撤销工作表保护」。",
    "加一行：写在最下面，「编号」空着不填。标 * 的列要填。",
    "删一行：在「删除」列选「是」。把整行删掉不算删除，知识库里还在。",
    "一格里写几个词，用「；」隔开；名称、别名也可以用「，」「、」。问法里的逗号算问法的一部分。",
    "时间写成：工作日 08:30-11:30；周六 09:00-11:00。日期写成：2027-06-30。",
    "不要写公式，不要合并格子。列可以换位置、隐藏；表名和第一行的列名不要改。",
    "有一格不对，整个文件都不写入；哪张表、哪一格、为什么、怎么改，导入时都会说。",
    "导出以后知识库里同一行又被别人改过，导入会说「冲突」：重新导出，再改一遍那一行。",
    "答复里的大括号会换成桶名和联系人，照原样留着：{food} {residual} {recyclable} {hazardous} {contact}。",
    "危险品的固定用语、各城市的答复、闲聊和同义词不在这里，在知识库文件夹里改。",
)


def write(path: Path, sheets: Sequence[Sheet], documents: Mapping[str, Document], version: str) -> int:
    """Write the workbook, whole; the number of rows. `version`: of the knowledge it is made from."""
    import xlsxwriter  # here: only this needs it, and every other command starts faster without it

    book = xlsxwriter.Workbook(str(path), {"strings_to_formulas": False, "strings_to_urls": False})
    writing = _Writing(book)
    writing.guide(sheets)
    told = 0
    for sheet in sheets:
        told += writing.sheet(sheet, documents)
    writing.finish(version)
    book.close()
    return told


class _Writing:
    """One workbook being written."""

    def __init__(self, book: Any) -> None:
        self._book = book
        shared = {"num_format": "@", "valign": "top", "font_size": 11}
        self._open = book.add_format({**shared, "locked": False})
        self._locked = book.add_format({**shared, "bg_color": "#E7E6E6", "font_color": "#595959"})
        self._head = book.add_format({"bold": True, "bg_color": "#D9EAD3", "border": 1, "valign": "top"})
        self._wrapped = book.add_format({"text_wrap": True, "valign": "top", "font_size": 12})
        self._lists: list[tuple[str, Sequence[str]]] = []
        self._base: list[tuple[str, str, str]] = []

    def guide(self, sheets: Sequence[Sheet]) -> None:
        to = self._book.add_worksheet(GUIDE)
        to.set_column(0, 0, 100)
        lines = (*_GUIDE, *(f"「{sheet.title}」：{sheet.note}" for sheet in sheets))
        for row, line in enumerate(lines):
            to.write_string(row, 0, line, self._wrapped)

    def sheet(self, sheet: Sheet, documents: Mapping[str, Document]) -> int:
        """One sheet; the number of its rows."""
        to = self._book.add_worksheet(sheet.title)
        to.freeze_panes(1, 2)
        row = 0
        for row, record in enumerate(sheet.records(documents), 1):
            cells = {column.header: column.text(record) for column in sheet.columns}
            for n, column in enumerate(sheet.columns):
                if len(cells[column.header]) > CELL_CHARS:
                    what = f"{column.header} of {record.id} is too long for a cell ({record.file})"
                    raise LvlinError(f"{what} — shorten it")
                to.write_string(row, n, cells[column.header], self._locked if column.locked else self._open)
            self._base.append((sheet.title, record.id, base.packed(base.digests(cells))))
        last = row + _SPARE_ROWS
        for n, column in enumerate(sheet.columns):
            to.write_string(0, n, f"{column.header}{'*' if column.required else ''}", self._head)
            to.set_column(n, n, column.width, self._locked if n == 0 else self._open)
            self._offer(to, n, column, last)
        if sheet.adds:
            n = len(sheet.columns)
            to.write_string(0, n, DELETE, self._head)
            to.set_column(n, n, 6, self._open)
            to.data_validation(1, n, last, n, {"validate": "list", "source": [YES]})
        to.autofilter(0, 0, row, len(sheet.columns) - (not sheet.adds))
        allowed = ("insert_rows", "delete_rows", "sort", "autofilter", "format_cells", "format_columns", "format_rows")
        to.protect("", dict.fromkeys(allowed, True))
        return row

    def _offer(self, to: Any, n: int, column: Column, last: int) -> None:
        """The drop-down list of a column, where it has one."""
        if not isinstance(column.kind, Choice):
            return
        values = column.kind.offered
        at = next((k for k, (what, known) in enumerate(self._lists) if known == values), None)
        if at is None:
            at = len(self._lists)
            self._lists.append((column.kind.what, values))
        letter = self._letter(at)
        to.data_validation(1, n, last, n, {
            "validate": "list",
            "source": f"={base.OPTIONS_SHEET}!${letter}$2:${letter}${len(values) + 1}",
            "error_title": column.header,
            "error_message": "请从下拉表里选",
        })  # fmt: skip

    @staticmethod
    def _letter(column: int) -> str:
        return chr(ord("A") + column)

    def finish(self, version: str) -> None:
        """The hidden sheets: what drop-down lists offer, and what the workbook was made from."""
        options = self._book.add_worksheet(base.OPTIONS_SHEET)
        for n, (what, values) in enumerate(self._lists):
            for row, text in enumerate((what, *values)):
                options.write_string(row, n, text)
        options.very_hidden()
        known = self._book.add_worksheet(base.SHEET)
        for row, cells in enumerate([("知识库版本", version, ""), *self._base]):
            for n, text in enumerate(cells):
                known.write_string(row, n, text)
        known.very_hidden()
