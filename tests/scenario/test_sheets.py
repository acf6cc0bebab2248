"""An editor takes the knowledge home as an Excel file, brings it back, and is told what became of every cell."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from bot import cli
from tests.unit.sheets import books

Run = Callable[..., tuple[int, str, str]]
CONFIG = """
site: {name: 绿苑社区, city: national}
knowledge: kb
secret: 0123456789abcdef0123456789abcdef
channels:
  try: {type: simulator}
  gateway: {type: webhook, secret: whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD}
"""


@pytest.fixture
def lvlin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    books.folder(tmp_path)
    (tmp_path / "config.yaml").write_text(CONFIG, "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LVLIN_CONFIG", raising=False)

    def run(*arguments: str) -> tuple[int, str, str]:
        status = cli.run(arguments)
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


def edit(**cells: Any) -> None:
    """Edit cells of 奶茶杯."""
    book = openpyxl.load_workbook("kb.xlsx")
    for header, value in cells.items():
        books.cell(book, "物品", "奶茶杯", header).value = value
    book.save("kb.xlsx")


def test_out_and_back(lvlin: Run) -> None:
    before = {path: path.read_bytes() for path in Path("kb").rglob("*.yaml")}
    status, out, _ = lvlin("kb", "export", "kb.xlsx")
    assert (status, "lvlin kb import kb.xlsx" in out) == (0, True)
    assert lvlin("kb", "import", "kb.xlsx") == (0, "没有改动。\n", "")
    edit(类别="food", 别名="奶茶杯子；塑料杯")
    status, out, err = lvlin("kb", "import", "kb.xlsx", "--dry-run")
    assert (status, err) == (0, "")
    assert out.splitlines() == [
        "物品!C2 奶茶杯 类别：「residual」 → 「food」",
        "物品!E2 奶茶杯 别名：减「纸杯、吸管」 加「塑料杯」",
        "试运行，什么都没有写。会改2格，加0行，删0行，涉及items/all.yaml。",
    ]
    assert {path: path.read_bytes() for path in Path("kb").rglob("*.yaml")} == before
    status, out, _ = lvlin("kb", "import", "kb.xlsx")
    assert (status, out.splitlines()[-1][:4]) == (0, "已写入：")
    changed = Path("kb/items/all.yaml")
    assert changed.read_text("utf-8") == books.ITEMS.replace("residual", "food").replace("纸杯、吸管", "塑料杯")
    assert all(path.read_bytes() == content for path, content in before.items() if path != changed)
    status, out, _ = lvlin("kb", "import", "kb.xlsx")
    assert (status, out.splitlines()[-1]) == (0, "没有改动。")


def test_one_cell_refused_keeps_all_from_being_written(lvlin: Run) -> None:
    lvlin("kb", "export", "kb.xlsx")
    edit(类别="湿的", 理由="脏")
    status, out, err = lvlin("kb", "import", "kb.xlsx")
    assert (status, out.splitlines()[-1]) == (1, "没有写入任何内容：先改好上面1处。")
    assert err.startswith("lvlin: 类别：「湿的」不是类别 (物品!C2) — ")
    assert Path("kb/items/all.yaml").read_text("utf-8") == books.ITEMS
    status, out, _ = lvlin("kb", "import", "kb.xlsx", "--json")
    told = json.loads(out)
    assert (status, told["written"], told["files"]) == (1, False, [])
    assert [(cell["what"], cell["cell"]) for cell in told["cells"]] == [("refused", "C2"), ("changed", "G2")]


@pytest.mark.parametrize("command", ["export", "export-rules"])
def test_a_file_of_staff_is_never_written_over(lvlin: Run, command: str) -> None:
    Path("there.xlsx").write_text("theirs")
    for name in ("there.xlsx", "kb.csv", "no/such/kb.xlsx"):
        status, _, err = lvlin("kb", command, name)
        assert (status, " — " in err) == (2, True)
    assert Path("there.xlsx").read_text() == "theirs"


def test_rules_are_written(lvlin: Run) -> None:
    status, out, _ = lvlin("kb", "export-rules", "rules.xlsx")
    assert (status, out[:2]) == (0, "写了")
    rows = list(openpyxl.load_workbook("rules.xlsx")["自动回复"].iter_rows(min_row=2, values_only=True))
    assert ("奶茶杯", True) in [(row[1], "奶茶杯" in row[3]) for row in rows]


def test_what_more_people_asked_for_comes_first(lvlin: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = [("gateway", f"p{n}", "报纸扔哪") for n in range(2)] + [("gateway", "p1", "奶茶杯扔哪")] * 5
    for channel, user, text in (*asked, *(("try", f"t{n}", "奶茶杯扔哪") for n in range(9))):
        message = json.dumps({"text": text, "user": user}).encode()
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(message), encoding="utf-8"))
        assert lvlin("ask", "--jsonl", "--keep", "--channel", channel)[0] == 0
    lvlin("kb", "export-rules", "rules.xlsx")
    rows = openpyxl.load_workbook("rules.xlsx")["自动回复"].iter_rows(min_row=2, values_only=True)
    assert [row[1] for row in rows][:2] == ["报纸", "奶茶杯"]
