"""One cell edited in the workbook is one change in the folder; and edits of YAML in place hold what they should."""

from __future__ import annotations

import string
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.sheets import apply
from bot.sheets.base import normal
from bot.sheets.cells import Choice, Day, Line, Number, Words
from bot.sheets.layout import Column, Record, Sheet
from bot.sheets.read import read
from bot.strict_yaml import parse
from bot.yaml_text import YamlText
from tests.unit.sheets.books import exported, folder

_trouble = st.text(alphabet="甲乙丙：:，、；#{}[]'\"-=+@!&*%|>~ \\/0123abc。🔋", min_size=1, max_size=8)
_words = _trouble.map(normal).filter(bool)


@pytest.fixture(scope="module")
def site() -> Iterator[tuple[apply.Folder, Path]]:
    with tempfile.TemporaryDirectory() as made:
        kb = folder(Path(made))
        yield apply.Folder(kb, "national"), exported(kb)


def _typed(column: Column) -> st.SearchStrategy[str]:
    """What staff might type into a cell of a column, and mean."""
    kind = column.kind
    if isinstance(kind, Choice):
        return st.sampled_from(kind.offered)
    if isinstance(kind, Day):
        return st.dates().map(str)
    if isinstance(kind, Number):
        return st.integers(0, 9999).map(str)
    if isinstance(kind, Words):
        return st.lists(_words, min_size=1, max_size=4, unique=True).map("；".join)
    return _words if isinstance(kind, Line) else st.just("每天 07:00-09:00")


def _at(record: Record, column: Column, documents: Any) -> Any:
    value = documents[record.file].value
    for key in record.place:
        value = value[key]
    return column.own(Record("", "", (), value, {}))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_one_edited_cell_is_exactly_this_one_change(site: tuple[apply.Folder, Path], data: st.DataObject) -> None:
    found, path = site
    sheet: Sheet = data.draw(st.sampled_from([one for one in found.sheets if list(one.records(found.documents))]))
    record = data.draw(st.sampled_from(list(sheet.records(found.documents))))
    column = data.draw(st.sampled_from([one for one in sheet.columns if not one.locked]))
    text = data.draw(_typed(column))
    book = openpyxl.load_workbook(path)
    number = next(cells[0].row for cells in book[sheet.title].iter_rows(min_row=2) if cells[0].value == record.id)
    cell = book[sheet.title].cell(number, sheet.columns.index(column) + 1)
    cell.value = text
    cell.data_type = "s"
    edited = path.with_name("edited.xlsx")
    book.save(edited)
    plan, texts = apply.plan(found, read(edited))
    if column.value(record) is not None and column.kind.show(column.value(record)) == text:
        assert plan.told == []
        return
    (told,) = [one for one in plan.told if one.what != "refused"] or plan.told
    assert (told.sheet, told.cell if told.what != "refused" else cell.coordinate) == (sheet.title, cell.coordinate)
    if plan.refused:
        assert texts == {}
        return
    assert told.what == "changed"
    assert list(texts) == [record.file]
    document, faults = parse(texts[record.file], record.file)
    assert faults == []
    wanted = column.kind.read(normal(text), column.value(record))
    assert _at(record, column, {record.file: document}) == wanted
    _untouched(found, record, column, document)


def _untouched(found: apply.Folder, record: Record, column: Column, document: Any) -> None:
    """Every other cell of the file is as it was."""
    after = {**found.documents, record.file: document}
    for sheet in found.sheets:
        for old, new in zip(sheet.records(found.documents), sheet.records(after), strict=True):
            for one in sheet.columns:
                if one.path and not (old.place == record.place and one.header == column.header):
                    assert one.own(new) == one.own(old)


_keys = st.text(string.ascii_lowercase, min_size=1, max_size=3).map(lambda key: f"k{key}")
_values = st.one_of(_words, st.lists(_words, max_size=3), st.integers(0, 99), st.dates())
TEXT = """\
# 1
a: {b: [x, "y", z], c: w}   # 2
d:
  # 3
  - e: f
    g: [u,
      v]   # 4
  - {h: i, j: k}
  # 5
l: 'm'   # 6
"""
_PLACES = [("l",), ("a", "c"), ("a", "b"), ("d", 0, "e"), ("d", 0, "g"), ("d", 1, "h"), ("d", 1, "j")]


@given(
    put=st.dictionaries(st.sampled_from(_PLACES), _values),
    more=st.dictionaries(st.tuples(st.sampled_from([("a",), ("d", 0), ("d", 1), ()]), _keys), _values, max_size=3),
    added=st.lists(st.dictionaries(_keys, _values, min_size=1, max_size=2), max_size=2),
    gone=st.sets(st.sampled_from(_PLACES), max_size=4),
)
def test_edits_in_place_hold_what_they_should_and_keep_every_comment(put, more, added, gone) -> None:
    editing = YamlText(TEXT, "f.yaml")
    for place, value in put.items():
        if place not in gone:
            editing.put(place, value)
    for (around, key), value in more.items():
        editing.put((*around, key), value)
    for record in added:
        editing.append(("d",), record)
    for place in gone:
        editing.remove(place)
    text = editing.text()  # raises where it does not hold exactly what is wanted
    kept = {"# 1", "# 2", "# 3", "# 5"} | ({"# 6"} if ("l",) not in gone else set())
    assert all(comment in text for comment in kept)
