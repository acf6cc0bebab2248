"""From an edited workbook to changed files: what is written, what is refused and where; nothing else changes."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from bot.errors import LvlinError, WrongUsage
from bot.kb.load import load
from bot.sheets import apply
from bot.sheets.layout import OWN_ITEMS
from bot.sheets.read import read
from bot.sheets.write import CELL_CHARS, GUIDE
from tests.unit.sheets.books import ITEMS, PLACES, add, cell, column, exported, folder, planned, row

SHIPPED = Path(__file__).parents[3] / "knowledge"


@pytest.fixture
def kb(tmp_path: Path) -> Path:
    return folder(tmp_path)


def write(title: str, name: str, header: str, value: Any) -> Callable[[Any], None]:
    def edit(book: Any) -> None:
        cell(book, title, name, header).value = value

    return edit


@pytest.mark.slow
def test_a_round_trip_without_edits_changes_no_byte_of_the_shipped_knowledge(tmp_path: Path) -> None:
    kb = tmp_path / "knowledge"
    shutil.copytree(SHIPPED, kb)
    before = {path: path.read_bytes() for path in kb.rglob("*.yaml")}
    found = apply.Folder(kb, "shanghai")
    rows = apply.export(found, tmp_path / "kb.xlsx")
    plan, texts = apply.plan(found, read(tmp_path / "kb.xlsx"))
    apply.save(found, texts)
    assert (plan.changes, plan.told, texts) == ([], [], {})
    assert rows > len(found.knowledge.items)
    assert {path: path.read_bytes() for path in kb.rglob("*.yaml")} == before


def test_saved_again_by_a_spreadsheet_nothing_changes(kb: Path) -> None:
    def resave(book: Any) -> None:
        sheet = book["物品"]
        sheet.column_dimensions["E"].hidden = True
        sheet.insert_rows(2)
        sheet.move_range("A1:P9", cols=1)  # the columns stand elsewhere, the first is blank
        sheet.cell(5, 3).value = f" {sheet.cell(5, 3).value}\t"
        book["地点"].cell(row(book, "地点", "estate"), column(book, "地点", "户数")).value = 373.0

    plan, texts = planned(kb, resave)
    assert (plan.changes, plan.told, texts) == ([], [], {})


@pytest.mark.parametrize(
    ("title", "name", "header", "value", "file", "old", "new"),
    [
        pytest.param("物品", "奶茶杯", "类别", "food", "items/all.yaml", "residual", "food", id="bin"),
        pytest.param(
            "物品", "奶茶杯", "别名", "奶茶杯子；纸杯、吸管，杯子 ", "items/all.yaml", "吸管]", "吸管, 杯子]",
            id="alias",
        ),
        pytest.param("物品", "奶茶杯", "理由", None, "items/all.yaml", ",\n      reason: 沾了奶", "", id="emptied"),
        pytest.param(
            "物品", "灯管", "复核", datetime(2028, 1, 5), "items/all.yaml", "mercury}",
            "mercury, review_by: 2028-01-05}", id="own-day-over-the-file's",
        ),
        pytest.param("物品", "报纸", "名称", 20.0, "items/all.yaml", "报纸", '"20"', id="a-number-is-a-text"),
        pytest.param("问答", "lamp/what", "答复", "问居委。\n改日", "topics/lamp.yaml", "lamp的事，请问居委。",
                     '"问居委。\\n改日"', id="two-lines"),
        pytest.param("问答", "lamp/what", "依据级别", "C 一般常识", "topics/lamp.yaml", "2027-06-30\n",
                     "2027-06-30\n    mark: C\n", id="default-left"),
        pytest.param("反问", "灯", "选项2", "灯座子", "choices.yaml", "label: 灯座", "label: 灯座子", id="option"),
        pytest.param(
            "设施", "estate/battery_box#2", "时间", "周一、周三 08:00-09:30；周末 9：00 到 11：30", "places.yaml",
            '[{days: [mon, wed], from: "08:00", to: "09:30"}, {from: "18:00", to: "20:00"}]',
            '[{days: [mon, wed], from: "08:00", to: "09:30"}, {days: weekends, from: "09:00", to: "11:30"}]',
            id="hours",
        ),
        pytest.param("地点", "estate", "户数", 380.0, "places.yaml", "373", "380", id="households"),
    ],
)  # fmt: skip
def test_one_cell_changes_one_value(
    kb: Path, title: str, name: str, header: str, value: Any, file: str, old: str, new: str
) -> None:
    before = (kb / file).read_text("utf-8")
    assert before.count(old) == 1
    plan, texts = planned(kb, write(title, name, header, value))
    (told,) = plan.told
    assert (told.what, told.sheet, told.row, told.header) == ("changed", title, name, header)
    assert texts == {file: before.replace(old, new)}


def test_a_text_that_begins_with_a_sign_is_no_formula(kb: Path) -> None:
    def edit(book: Any) -> None:
        write("物品", "报纸", "怎么投放", "=压平")(book)
        cell(book, "物品", "报纸", "怎么投放").data_type = "s"

    _, texts = planned(kb, edit)
    assert texts == {"items/all.yaml": f'{ITEMS}    prepare: "=压平"\n'}
    (kb / "items/all.yaml").write_text(texts["items/all.yaml"], "utf-8")
    again = openpyxl.load_workbook(exported(kb))
    assert cell(again, "物品", "报纸", "怎么投放").data_type == "s"


def test_a_cell_is_told_with_its_address_and_both_values(kb: Path) -> None:
    plan, _ = planned(kb, write("物品", "奶茶杯", "别名", "奶茶杯子；塑料杯"))
    (told,) = plan.told
    assert (told.cell, told.old, told.new) == ("E2", "奶茶杯子；纸杯、吸管", "奶茶杯子；塑料杯")
    assert (told.came, told.went) == (("塑料杯",), ("纸杯、吸管",))


@pytest.mark.parametrize(
    ("title", "name", "header", "value", "why"),
    [
        pytest.param("物品", "奶茶杯", "类别", "湿的", "「湿的」不是类别", id="unknown-bin"),
        pytest.param("物品", "奶茶杯", "类别", None, "这一格不能空", id="required"),
        pytest.param("物品", "奶茶杯", "来源", None, "这是整个文件共用的，不能在这里清空", id="of-the-whole-file"),
        pytest.param("物品", "奶茶杯", "名称", '="奶"&"茶"', "这里是公式", id="formula"),
        pytest.param("物品", "奶茶杯", "别名", "报纸", "「报纸」在「报纸」里已经有了", id="word-of-another"),
        pytest.param("物品", "奶茶杯", "复核", "明年", "「明年」不是日期", id="no-day"),
        pytest.param("物品", "奶茶杯", "复核", "2027-02-30", "没有「2027-02-30」这一天", id="no-such-day"),
        pytest.param("物品", "奶茶杯", "文件", "别的", "这一格是锁定的", id="locked"),
        pytest.param("物品", "奶茶杯", "编号", "别的", "编号「别的」不是导出来的", id="another-id"),
        pytest.param("物品", "奶茶杯", "编号", "灯管", "编号「灯管」和第2行一样", id="id-twice"),
        pytest.param("物品", "奶茶杯", "删除", "删", "「删」看不懂", id="no-mark"),
        pytest.param("问答", "lamp/what", "来源", None, "知识库检查没通过", id="what-the-loader-refuses"),
        pytest.param("问答", "lamp/what", "问法", "noise是什么", "「noise是什么」在「noise/what」里", id="phrase"),
        pytest.param("设施", "estate/battery_box", "时间", "早上", "「早上」不是时间", id="no-hours"),
        pytest.param("设施", "estate/battery_box", "时间", "春天 08:00-09:00", "「春天」不是日子", id="no-days"),
        pytest.param("设施", "estate/battery_box", "名称", "电池\n箱", "这里不能换行", id="two-lines"),
        pytest.param("地点", "estate", "户数", 3.5, "「3.5」不是整数", id="no-number"),
    ],
)
def test_what_is_refused_is_told_and_nothing_is_written(
    kb: Path, title: str, name: str, header: str, value: Any, why: str
) -> None:
    def edit(book: Any) -> None:
        cell(book, "物品", "灯管", "理由").value = "有汞"
        cell(book, title, name, header).value = value

    plan, texts = planned(kb, edit)
    assert texts == {}
    told = next(one for one in plan.told if one.what == "refused")
    assert told.why.startswith(why)
    assert told.mend
    assert told.cell


def test_merged_cells_are_refused(kb: Path) -> None:
    plan, texts = planned(kb, lambda book: book["物品"].merge_cells("G2:G3"))
    assert {(one.cell, one.why) for one in plan.told} == {(at, "格子是合并的（G2:G3）") for at in ("G2", "G3")}
    assert texts == {}


def test_a_row_changed_in_the_folder_meanwhile_is_a_conflict_and_others_are_not(kb: Path) -> None:
    exported(kb)
    (kb / "items/all.yaml").write_text(ITEMS.replace("沾了奶", "不能再生").replace("报纸", "旧报纸"), "utf-8")
    plan, texts = planned(kb, write("物品", "奶茶杯", "类别", "food"))
    (told,) = plan.told
    assert (told.what, told.cell) == ("conflict", "C2")
    assert "理由 现在是「不能再生」" in told.why
    assert texts == {}
    plan, texts = planned(kb, write("物品", "报纸", "理由", "纸"))
    assert [(one.what, one.why) for one in plan.told] == [("conflict", "导出以后，知识库里这一行已被删掉或改名")]
    plan, texts = planned(kb, write("物品", "灯管", "理由", "有汞"))
    assert [one.what for one in plan.told] == ["changed"]
    assert "不能再生" in texts["items/all.yaml"]


def test_rows_taken_out_of_the_sheet_stay_and_marked_ones_go(kb: Path) -> None:
    plan, texts = planned(kb, lambda book: book["物品"].delete_rows(4))
    assert [(one.what, one.why[:4]) for one in plan.told] == [("note", "少了1行")]
    assert texts == {}
    plan, texts = planned(kb, write("物品", "报纸", "删除", "是"))
    assert [(one.what, one.cell) for one in plan.told] == [("deleted", "P4")]
    assert texts == {"items/all.yaml": ITEMS[: ITEMS.index("  - name: 报纸")]}


def test_new_rows_are_appended(kb: Path) -> None:
    def edit(book: Any) -> None:
        add(book, "物品", 名称="毛线", 类别="residual", 来源="源", 别名="旧毛线、毛线团")
        add(book, "物品", 名称="奶粉罐", 类别="recyclable", 来源="源", 文件="items/all.yaml")
        add(book, "问答", 话题="噪声", 问法="太吵了；楼上吵", 答复="请找居委。", 来源="源", 依据级别="C 一般常识")
        add(book, "问答", 话题="noise", 问法="半夜吵", 答复="打110。", 来源="源", 依据级别="B")
        add(book, "反问", 词="袋子", 反问="哪种？", 选项1="布袋", 选项1类别="recyclable", 选项3="脏袋",
            选项3类别="residual", 选项2="纸袋", 选项2类别="recyclable")  # fmt: skip
        add(book, "活动", 地点="街道 root", 名称="市集", 什么时候="2026-12-20 13:30")

    plan, texts = planned(kb, edit)
    assert [one.what for one in plan.told] == ["added"] * 6
    assert texts[OWN_ITEMS].endswith(
        "items: [{name: 毛线, category: residual, aliases: [旧毛线, 毛线团], source: 源}]\n"
    )
    assert texts["items/all.yaml"] == f"{ITEMS}  - name: 奶粉罐\n    category: recyclable\n    source: 源\n"
    assert texts["topics/noise.yaml"].endswith(
        "  - id: own_1\n    ask: [太吵了, 楼上吵]\n    answer: 请找居委。\n    source: 源\n    mark: C\n"
        "  - id: own_2\n    ask: [半夜吵]\n    answer: 打110。\n    source: 源\n    mark: B\n"
    )
    assert texts["places.yaml"] == f'{PLACES}activities: [{{name: 市集, at: "2026-12-20 13:30"}}]\n'
    apply.save(apply.Folder(kb, "national"), texts)
    known = load(kb)
    assert [option.label for choice in known.choices if choice.word == "袋子" for option in choice.options] == [
        "布袋", "纸袋", "脏袋",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("title", "values", "why"),
    [
        pytest.param("物品", {"名称": "毛线", "类别": "residual"}, "新加的行没有写「来源」", id="no-source"),
        pytest.param("物品", {"名称": "报纸", "类别": "residual", "来源": "源"}, "「报纸」在「报纸」里", id="twice"),
        pytest.param("地点", {"名称": "新村"}, "这张表不能加行", id="no-new-places"),
        pytest.param("反问", {"词": "袋", "反问": "？", "选项1": "布", "选项2": "纸", "选项3类别": "food"},
                     "知识库检查没通过", id="option-without-a-name"),
    ],
)  # fmt: skip
def test_new_rows_that_lack_something_are_refused(kb: Path, title: str, values: dict[str, str], why: str) -> None:
    plan, texts = planned(kb, lambda book: add(book, title, **values))
    assert any(one.what == "refused" and one.why.startswith(why) for one in plan.told)
    assert texts == {}


def test_an_option_comes_and_goes(kb: Path) -> None:
    def edit(book: Any) -> None:
        for header, value in {"选项1": None, "选项1物品": None, "选项3": "灯泡", "选项3类别": "residual"}.items():
            cell(book, "反问", "灯", header).value = value

    plan, texts = planned(kb, edit)
    assert [one.why for one in plan.told if one.what == "refused"] == ["这一格不能空"]
    plan, texts = planned(kb, lambda book: [write("反问", "灯", "选项3", "灯泡")(book),
                                            write("反问", "灯", "选项3类别", "residual")(book)])  # fmt: skip
    options = "    - {label: 灯座, category: residual}\n    - {label: 灯泡, category: residual}\n"
    assert texts["choices.yaml"].endswith(options)


def test_files_keep_their_mode_and_a_folder_changed_meanwhile_is_left_alone(kb: Path) -> None:
    exported(kb)
    found = apply.Folder(kb, "national")
    (kb / "items/all.yaml").chmod(0o640)
    apply.save(found, {"items/all.yaml": ITEMS.replace("沾了奶", "脏")})
    assert (kb / "items/all.yaml").stat().st_mode & 0o777 == 0o640
    with pytest.raises(LvlinError, match="changed meanwhile"):
        apply.save(found, {"items/all.yaml": ITEMS})
    assert "脏" in (kb / "items/all.yaml").read_text("utf-8")
    assert not [path for path in kb.rglob("*") if path.name.startswith(".")]


def test_a_text_too_long_for_a_cell_stops_the_export(kb: Path) -> None:
    (kb / "items/all.yaml").write_text(ITEMS.replace("沾了奶", "长" * (CELL_CHARS + 1)), "utf-8")
    with pytest.raises(LvlinError, match="too long for a cell"):
        exported(kb)


def test_what_is_no_workbook_is_told(tmp_path: Path) -> None:
    file = tmp_path / "kb.xlsx"
    file.write_text("编号,名称\n")
    with pytest.raises(WrongUsage, match="no Excel file"):
        read(file)


def test_the_workbook_guides_staff(kb: Path) -> None:
    book = openpyxl.load_workbook(exported(kb))
    sheet = book["物品"]
    assert book.sheetnames[0] == GUIDE
    assert [book[title].sheet_state for title in ("选项", "基线")] == ["veryHidden", "veryHidden"]
    assert sheet.freeze_panes == "C2"
    assert (sheet["A2"].protection.locked, sheet["B2"].protection.locked) == (True, False)
    assert sheet["A2"].fill.fgColor.rgb != sheet["B2"].fill.fgColor.rgb
    assert sheet.column_dimensions["B"].protection.locked is False  # the next new row
    lists = {str(one.sqref).split(":")[0]: one.formula1 for one in sheet.data_validations.dataValidation}
    assert lists["C2"] == "选项!$A$2:$A$10"
    assert [cells[0].value for cells in book["选项"]["A2:A10"]][:2] == ["recyclable", "hazardous"]
    assert all(one.value is None or one.data_type == "s" for cells in sheet.iter_rows() for one in cells)
