"""Changes of rows → changed files: only what changed is written, all or nothing, and nothing the loader refuses."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from bot import strict_yaml
from bot.errors import Fault, FaultyFile, LvlinError
from bot.kb.load import load_with_lines, version_of
from bot.sheets.compare import Plan, RowChange, Told, compare
from bot.sheets.layout import OWN_ITEMS, Column, Record, Sheet, Spot, sheets
from bot.sheets.read import Workbook
from bot.sheets.write import write
from bot.strict_yaml import Document, Place
from bot.yaml_text import YamlText

_OWN_ITEMS_BEGIN = "# 本小区自己加的物品，由 lvlin kb import 写入\nitems: []\n"

Texts = Mapping[str, str]
"""Name from the folder → text, of YAML files."""


class Folder:
    """A knowledge folder as it is now, without a fault. Raises FaultyFile."""

    def __init__(self, path: Path, city: str) -> None:
        self.path = path
        self.knowledge, shown = load_with_lines(path)
        self.texts = _texts(path)
        if version_of(path) != self.knowledge.version:
            raise LvlinError("the knowledge folder was changed just now — try again")
        self.documents = {name.removeprefix(f"{path.name}/"): document for name, document in shown.items()}
        self.sheets = sheets(self.knowledge, city)


def export(folder: Folder, to: Path) -> int:
    """Write the workbook; the number of its rows."""
    return write(to, folder.sheets, folder.documents, folder.knowledge.version)


def plan(folder: Folder, workbook: Workbook) -> tuple[Plan, Texts]:
    """What an import would do, and the texts of the files it would change: none where anything is refused."""
    found = compare(workbook, folder.sheets, folder.documents)
    if found.refused:
        return found, {}
    try:
        texts = _changed(folder, found.changes)
    except LvlinError as exc:
        found.told.append(Told("refused", "", why=str(exc), mend="在知识库文件夹里改"))
        return found, {}
    faults = _faults({**folder.texts, **texts}, folder.path.name)
    found.told += [_refused(fault, found.changes, texts, folder) for fault in faults]
    return found, {} if faults else texts


def save(folder: Folder, texts: Texts) -> None:
    """Write the changed files, each at once. Raises LvlinError, and writes nothing, where the folder changed since."""
    if _texts(folder.path) != folder.texts:
        raise LvlinError("the knowledge folder was changed meanwhile, nothing is written — import again")
    made: dict[Path, Path] = {}
    try:
        for name, text in texts.items():
            path = folder.path / name
            made[path] = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
            made[path].write_bytes(text.encode())
            if path.exists():
                os.chmod(made[path], path.stat().st_mode & 0o777)
        for path, draft in made.items():
            draft.replace(path)
    finally:
        for draft in made.values():
            draft.unlink(missing_ok=True)


def _texts(path: Path) -> dict[str, str]:
    return {file.relative_to(path).as_posix(): file.read_bytes().decode() for file in sorted(path.rglob("*.yaml"))}


def _changed(folder: Folder, changes: Iterable[RowChange]) -> dict[str, str]:
    """The new text of every file that changes."""
    by_file: dict[str, list[RowChange]] = defaultdict(list)
    added: dict[str, dict[Place, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    ids: dict[str, list[str]] = defaultdict(list)
    for change in changes:
        if change.record:
            by_file[change.record.file].append(change)
        else:
            spot, record = _new_record(folder, change, ids)
            added[spot.file][spot.place].append(record)
    texts: dict[str, str] = {}
    for file in by_file.keys() | added.keys():
        before = folder.texts.get(file, _OWN_ITEMS_BEGIN if file == OWN_ITEMS else "")
        text = YamlText(before, f"{folder.path.name}/{file}")
        for change in by_file[file]:
            _write_row(text, change)
        for place, records in added[file].items():
            _append(text, folder.documents.get(file), place, records)
        new = text.text()
        if new != before:
            texts[file] = new
    return texts


def _new_record(folder: Folder, change: RowChange, ids: dict[str, list[str]]) -> tuple[Spot, dict[str, Any]]:
    sheet = change.sheet
    assert sheet.spot, "a sheet that takes no rows has none"
    spot = sheet.spot(change.values, folder.documents)
    begins = dict(spot.begins)
    if "id" in begins:
        number = int(begins["id"].rpartition("_")[2]) + len(ids[spot.file])
        begins["id"] = f"own_{number}"
        ids[spot.file].append(begins["id"])
    record: dict[str, Any] = begins
    options: dict[str | int, dict[str, Any]] = {}
    for column in sheet.columns:
        if column.path and column.header in change.values:
            if len(column.path) == 1:
                record[str(column.path[0])] = change.values[column.header]
            else:
                options.setdefault(column.path[1], {})[str(column.path[2])] = change.values[column.header]
    return spot, record | ({"options": list(options.values())} if options else {})


def _append(text: YamlText, document: Document | None, place: Place, records: list[dict[str, Any]]) -> None:
    value: Any = document.value if document else {"items": []}
    for key in place:
        value = value[key] if isinstance(key, int) else value.get(key)
    if value is None:
        text.put(place, records)
        return
    for record in records:
        text.append(place, record)


def _write_row(text: YamlText, change: RowChange) -> None:
    record = change.record
    assert record, "a new row is not written over another"
    if change.deleted:
        text.remove(record.place)
        return
    nested = {column.path[:2] for column in _columns(change) if len(column.path) > 1}
    for column in _columns(change):
        if len(column.path) == 1:
            _write_cell(text, record, column, change.values[column.header])
    _write_options(text, change, record, nested)


def _columns(change: RowChange) -> Iterator[Column]:
    return (column for column in change.sheet.columns if column.header in change.values)


def _write_cell(text: YamlText, record: Record, column: Column, value: Any) -> None:
    place = (*record.place, *column.path)
    if value is not None:
        text.put(place, value)
    elif column.own(record) is not None:
        text.remove(place)


def _write_options(text: YamlText, change: RowChange, record: Record, touched: set[Place]) -> None:
    """Write the options some cell of which changed: over the one there, as another one, or out."""
    for path in sorted(touched, key=str):
        columns = [column for column in change.sheet.columns if column.path[:2] == path]
        old = {column.path[-1]: column.own(record) for column in columns if column.own(record) is not None}
        new = dict(old)
        for column in columns:
            if column.header in change.values:
                new[column.path[-1]] = change.values[column.header]
        new = {key: value for key, value in new.items() if value is not None}
        place = (*record.place, *path)
        if not new:
            text.remove(place)
        elif not old:
            text.append(place[:-1], {str(key): value for key, value in new.items()})
        else:
            for column in columns:
                if column.header in change.values:
                    _write_cell(text, record, column, change.values[column.header])


def _faults(texts: Texts, name: str) -> tuple[Fault, ...]:
    """What the loader finds in a folder with these files."""
    with tempfile.TemporaryDirectory(prefix="lvlin-import-") as made:
        trial = Path(made) / name
        for file, text in texts.items():
            path = trial / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
        try:
            load_with_lines(trial)
        except FaultyFile as faulty:
            return faulty.faults
    return ()


def _refused(fault: Fault, changes: Iterable[RowChange], texts: Texts, folder: Folder) -> Told:
    """A fault of the loader, told at the row that made it where that is known."""
    told = Told("refused", "", why=f"知识库检查没通过：{fault.what}（{fault.file}:{fault.line}）", mend=fault.mend)
    file = fault.file.removeprefix(f"{folder.path.name}/")
    if file not in texts:
        return told
    documents: dict[str, Document] = {**folder.documents}
    documents[file] = strict_yaml.parse(texts[file], fault.file)[0]
    for change in changes:
        if change.record is None or change.deleted or change.record.file == file:
            name = _standing(change.sheet, documents, file, fault.line)
            if name and name in _names(change):
                cell = f"A{change.line.number}"
                return replace(told, sheet=change.sheet.title, cell=cell, row=name)
    return told


def _standing(sheet: Sheet, documents: Mapping[str, Document], file: str, line: int) -> str:
    """What stands in a line of a file, by the id of its row; "" where nothing of the sheet does."""
    document = documents[file]
    before = [
        (document.line(record.place), record.id)
        for record in sheet.records(documents)
        if record.file == file and document.line(record.place) <= line
    ]
    return max(before)[1] if before else ""


def _names(change: RowChange) -> set[str]:
    """What a changed row may be called by."""
    names = {change.record.id} if change.record else set()
    return names | {str(change.values[header]) for header in ("名称", "词") if header in change.values}


