"""What staff changed: each row of the workbook against what it was made from, and against the folder as it is now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from bot.sheets import base
from bot.sheets.cells import Unreadable, Words
from bot.sheets.layout import DELETE, ID, Column, Record, Sheet
from bot.sheets.read import Cell, Line, Table, Workbook
from bot.sheets.write import YES
from bot.strict_yaml import Document

REFUSING = ("refused", "conflict")


@dataclass(frozen=True, slots=True)
class Told:
    """One line of the report. `cell`: its address ("" for a whole sheet); `why` and `mend`: in Chinese, if refused."""

    what: Literal["changed", "added", "deleted", "refused", "conflict", "note"]
    sheet: str
    cell: str = ""
    row: str = ""
    header: str = ""
    old: str = ""
    new: str = ""
    came: tuple[str, ...] = ()
    """Of a list: the words that are new."""
    went: tuple[str, ...] = ()
    """Of a list: the words that are no more."""
    why: str = ""
    mend: str = ""


@dataclass(frozen=True, slots=True)
class RowChange:
    """What is to be done to one row: `record` None adds it. `values`: new value by header; None empties the cell."""

    sheet: Sheet
    line: Line
    record: Record | None
    values: Mapping[str, Any]
    deleted: bool = False


@dataclass(slots=True)
class Plan:
    """Everything an import would do, and what it says to it, in the order of the sheets."""

    changes: list[RowChange] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)

    @property
    def refused(self) -> bool:
        """Whether anything is refused: then nothing is written."""
        return any(one.what in REFUSING for one in self.told)


def compare(workbook: Workbook, sheets: Sequence[Sheet], documents: Mapping[str, Document]) -> Plan:
    """What a workbook changes in the folder."""
    plan = Plan()
    for sheet in sheets:
        table = workbook.tables.get(sheet.title)
        if table is None:
            plan.told.append(Told("note", sheet.title, why="没有这张表，当作没有改"))
        elif ID not in table.headers:
            plan.told.append(Told("refused", sheet.title, why=f"没有「{ID}」列", mend="重新导出"))
        else:
            _Comparing(plan, sheet, table, workbook.base, documents).all()
    return plan


class _Comparing:
    """One sheet being compared."""

    def __init__(
        self,
        plan: Plan,
        sheet: Sheet,
        table: Table,
        known: Mapping[tuple[str, str], base.Digests],
        documents: Mapping[str, Document],
    ) -> None:
        self._plan = plan
        self._sheet = sheet
        self._table = table
        self._known = known
        self._records = {record.id: record for record in sheet.records(documents)}
        self._seen: dict[str, Line] = {}
        self._own: list[RowChange] = []

    def all(self) -> None:
        self._headers()
        for line in self._table.lines:
            self._line(line)
        self._collisions()
        self._plan.changes += self._own
        exported = {name for title, name in self._known if title == self._sheet.title}
        if gone := len((exported & self._records.keys()) - self._seen.keys()):
            why = f"少了{gone}行，知识库里没有删：要删，请在「{DELETE}」列写「{YES}」"
            self._plan.told.append(Told("note", self._sheet.title, why=why))

    def _headers(self) -> None:
        mine = {column.header for column in self._sheet.columns} | {DELETE}
        for header in self._table.headers:
            if header not in mine:
                self._note(f"「{header}」列不认识，没有读")
            elif self._table.headers.count(header) > 1:
                self._refuse("", header, f"有两列「{header}」", "删掉一列")
        for column in self._sheet.columns:
            if column.header not in self._table.headers:
                self._note(f"没有「{column.header}」列，当作没有改")

    def _line(self, line: Line) -> None:
        name = line.cells[ID]
        if wrong := [(header, cell) for header, cell in line.cells.items() if cell.wrong]:
            for header, cell in wrong:
                self._refuse(cell.address, header, cell.wrong, "写成文字，一格是一格")
            self._seen.setdefault(name.text, line)
            return
        mark = line.cells.get(DELETE, Cell("", ""))
        if mark.text not in ("", YES):
            self._refuse(mark.address, DELETE, f"「{mark.text}」看不懂", f"要删写「{YES}」，不删空着")
            return
        if name.text:
            self._known_row(line, name, deleted=bool(mark.text))
        elif any(cell.text for header, cell in line.cells.items() if self._sheet.column(header)):
            self._new_row(line, deleted=mark)

    def _known_row(self, line: Line, name: Cell, *, deleted: bool) -> None:
        if first := self._seen.get(name.text):
            why = f"编号「{name.text}」和第{first.number}行一样"
            self._refuse(name.address, ID, why, "新加的行请把编号清空")
            return
        self._seen[name.text] = line
        known = self._known.get((self._sheet.title, name.text))
        if known is None:
            self._refuse(name.address, ID, f"编号「{name.text}」不是导出来的", "编号不用填也不能改；新加的行空着")
            return
        now = base.digests({header: cell.text for header, cell in line.cells.items()})
        touched = [
            column
            for column in self._sheet.columns
            if column.header in line.cells and now.get(column.header) != known.get(column.header)
        ]
        if touched or deleted:
            self._touched_row(line, name.text, known, touched, deleted=deleted)

    def _touched_row(
        self, line: Line, name: str, known: base.Digests, touched: list[Column], *, deleted: bool
    ) -> None:
        record = self._records.get(name)
        if record is None:
            if not deleted:
                self._conflict(line, touched, "导出以后，知识库里这一行已被删掉或改名")
            return
        current = {column.header: base.normal(column.text(record)) for column in self._sheet.columns}
        touched = [column for column in touched if not _stands(column, line.cells[column.header].text, record)]
        if not (touched or deleted):
            return
        since = base.digests(current)
        moved = [header for header in current if since.get(header) != known.get(header)]
        if moved:
            now = "；".join(f"{header} 现在是「{current[header]}」" for header in moved)
            self._conflict(line, touched, f"导出以后，知识库里这一行改过：{now}")
        elif deleted:
            self._delete(line, record)
        else:
            self._change(line, record, touched, current)

    def _delete(self, line: Line, record: Record) -> None:
        cell = line.cells[DELETE].address
        if self._sheet.adds:
            self._own.append(RowChange(self._sheet, line, record, {}, deleted=True))
            self._plan.told.append(Told("deleted", self._sheet.title, cell, record.id))
        else:
            self._refuse(cell, DELETE, "这张表不能删行", "在知识库文件夹里改")

    def _change(self, line: Line, record: Record, touched: list[Column], current: Mapping[str, str]) -> None:
        values: dict[str, Any] = {}
        for column in touched:
            cell = line.cells[column.header]
            try:
                value = _new_value(column, cell.text, record)
            except Unreadable as exc:
                self._refuse(cell.address, column.header, exc.what, exc.mend, record.id)
                continue
            values[column.header] = value
            told = Told("changed", self._sheet.title, cell.address, record.id, column.header, current[column.header])
            told = replace(told, new=column.kind.show(value))
            if isinstance(column.kind, Words):
                old, new = column.value(record) or (), value or ()
                came, went = (word for word in new if word not in old), (word for word in old if word not in new)
                told = replace(told, came=tuple(came), went=tuple(went))
            self._plan.told.append(told)
        if values:
            self._own.append(RowChange(self._sheet, line, record, values))

    def _new_row(self, line: Line, *, deleted: Cell) -> None:
        at = next(iter(line.cells.values())).address
        if not self._sheet.adds or deleted.text:
            why = "新加的行标了删除" if self._sheet.adds else "这张表不能加行"
            self._refuse(at, "", why, "清空这一行")
            return
        values: dict[str, Any] = {}
        bad = False
        for column in self._sheet.columns:
            cell = line.cells.get(column.header, Cell(at, ""))
            try:
                value = _first_value(column, cell.text)
            except Unreadable as exc:
                self._refuse(cell.address, column.header, exc.what, exc.mend)
                bad = True
                continue
            if value is not None:
                values[column.header] = value
        if bad:
            return
        self._own.append(RowChange(self._sheet, line, None, values))
        cells = "；".join(f"{header} {cell.text}" for header, cell in line.cells.items() if cell.text)
        self._plan.told.append(Told("added", self._sheet.title, at, new=cells))

    def _collisions(self) -> None:
        """Words that stand in two rows once everything is changed."""
        changed = {change.record.id: change for change in self._own if change.record}
        owners: dict[str, set[str]] = defaultdict(set)
        for name, record in self._records.items():
            for _, word in _unique_words(self._sheet, record, changed.get(name)):
                owners[word].add(name)
        added = [change for change in self._own if change.record is None]
        for change in added:
            for _, word in _unique_words(self._sheet, None, change):
                owners[word].add(f"第{change.line.number}行")
        for change in self._own:
            me = change.record.id if change.record else f"第{change.line.number}行"
            for column, word in _unique_words(self._sheet, change.record, change):
                others = owners[word] - {me}
                if others and column.header in change.values:
                    cell = change.line.cells[column.header].address
                    why = f"「{word}」在「{min(others)}」里已经有了"
                    self._refuse(cell, column.header, why, "留一处", me)

    def _conflict(self, line: Line, touched: list[Column], why: str) -> None:
        for header in [column.header for column in touched] or [DELETE]:
            cell = line.cells[header]
            title, name, mend = self._sheet.title, line.cells[ID].text, "重新导出，再改一遍"
            told = Told("conflict", title, cell.address, name, header, new=cell.text, why=why, mend=mend)
            self._plan.told.append(told)

    def _refuse(self, cell: str, header: str, why: str, mend: str, row: str = "") -> None:
        self._plan.told.append(Told("refused", self._sheet.title, cell, row, header, why=why, mend=mend))

    def _note(self, why: str) -> None:
        self._plan.told.append(Told("note", self._sheet.title, why=why))


def _stands(column: Column, text: str, record: Record) -> bool:
    """Whether a cell says what stands in the folder already, be it in other words."""
    if text == base.normal(column.text(record)):
        return True
    try:
        return not column.locked and bool(text) and column.kind.read(text, None) == column.value(record)
    except Unreadable:
        return False


def _new_value(column: Column, text: str, record: Record) -> Any:
    """The value a cell of a known row is to have; None empties it. Raises Unreadable."""
    if column.locked:
        raise Unreadable("这一格是锁定的", f"改回「{column.text(record)}」")
    if text:
        return column.kind.read(text, column.value(record))
    if column.own(record) is None:
        raise Unreadable("这是整个文件共用的，不能在这里清空", f"改回「{column.text(record)}」")
    if column.required and not column.shared(record):
        raise Unreadable("这一格不能空", "写上")
    return None


def _first_value(column: Column, text: str) -> Any:
    """The value of a cell of a new row; None where it is empty. Raises Unreadable."""
    if column.show and not column.new_only:
        if text and column.header != ID:
            raise Unreadable("这一列不用填", "清空")
        return None
    if text:
        return column.kind.read(text, None)
    if column.required:
        raise Unreadable(f"新加的行没有写「{column.header}」", "写上")
    return None


def _unique_words(sheet: Sheet, record: Record | None, change: RowChange | None) -> Iterator[tuple[Column, str]]:
    """The words of a row that may stand nowhere else, as they are once it is changed."""
    if change and change.deleted:
        return
    for column in sheet.columns:
        if column.unique:
            value = column.value(record) if record else None
            if change and column.header in change.values:
                value = change.values[column.header]
            for word in [value] if isinstance(value, str) else value or ():
                yield column, word
