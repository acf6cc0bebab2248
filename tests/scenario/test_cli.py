"""The command line as staff and scripts use it: ask, kb, export, me, forget, metrics."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from openpyxl import load_workbook

from bot import cli
from bot.brain import compiled
from bot.export import DELIVERY_FIELDS, TURN_FIELDS, UNANSWERED_FIELDS
from bot.metrics import FIELDS

ROOT = Path(__file__).parents[2]
CONFIG = f"""
site: {{name: 绿苑社区, city: shanghai}}
knowledge: {ROOT / "knowledge"}
secret: 0123456789abcdef0123456789abcdef
staff: [{{channel: gateway, user: boss, name: 张三, role: editor}}]
channels:
  try: {{type: simulator}}
  gateway: {{type: webhook, secret: whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD}}
"""
OCTOBER_5 = 1791172800  # 2026-10-05 12:00 in Shanghai


@dataclass
class Ran:
    """What one command line gave."""

    status: int
    out: str
    err: str

    def lines(self) -> list[dict[str, Any]]:
        """Standard output as JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass
class Site:
    """A site of its own, and its command line."""

    config: Path
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str, stdin: bytes = b"") -> Ran:
        with self.monkeypatch.context() as patch:
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8"))
            status = cli.run([*arguments, "--config", str(self.config)])
        captured = self.capsys.readouterr()
        return Ran(status, captured.out, captured.err)

    def keep(self, messages: Iterable[Mapping[str, Any]], channel: str = "gateway") -> list[dict[str, Any]]:
        """Ask and keep; the answers."""
        ran = self("ask", "--jsonl", "--keep", "--channel", channel, stdin=lines(messages))
        assert (ran.status, ran.err) == (0, "")
        return ran.lines()


def lines(messages: Iterable[Mapping[str, Any]]) -> bytes:
    return "".join(json.dumps(message, ensure_ascii=False) + "\n" for message in messages).encode()


def people(size: int, text: str, **more: Any) -> list[dict[str, Any]]:
    return [{"id": f"{text}{n}", "text": text, "user": f"p{n}", "sent_at": OCTOBER_5 + n, **more} for n in range(size)]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped knowledge, compiled once for this module."""
    folder = tmp_path_factory.mktemp("cache")
    compiled(ROOT / "knowledge", folder, "shanghai", datetime.now(ZoneInfo("Asia/Shanghai")).date())
    return folder


@pytest.fixture
def lvlin(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Site:
    monkeypatch.delenv("LVLIN_CONFIG", raising=False)
    shutil.copytree(cache, tmp_path / "data/knowledge-cache")
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG, encoding="utf-8")
    return Site(config, monkeypatch, capsys)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("奶茶杯扔哪个桶", "干垃圾", id="answer"),
        pytest.param("电池怎么扔", "1. ", id="clarify"),
        pytest.param("？？", "（不回复：没有文字）", id="silence-says-why"),
    ],
)
def test_ask_prints_what_a_resident_would_read(lvlin: Site, text: str, said: str) -> None:
    ran = lvlin("ask", text)
    assert (ran.status, ran.err) == (0, "")
    assert said in ran.out


def test_ask_json_is_the_answer_object(lvlin: Site) -> None:
    (answer,) = lvlin("ask", "奶茶杯扔哪个桶", "--json").lines()
    assert list(answer) == [
        "id", "to", "action", "topic", "entry", "items", "options", "record", "text", "reason", "score", "latency_ms",
    ]  # fmt: skip
    assert answer["items"] == [{"name": "奶茶杯", "category": "residual", "label": "干垃圾", "inferred": False}]
    assert answer["id"]
    assert answer["latency_ms"] > 0


def test_ask_explains(lvlin: Site) -> None:
    out = lvlin("ask", "奶茶杯扔哪个桶？", "--explain").out
    for part in ("规整后：奶茶杯扔哪个桶", "规则：", "items/奶茶杯（名称）", "门槛：回答"):
        assert part in out
    (both,) = lvlin("ask", "奶茶杯扔哪个桶？", "--explain", "--json").lines()
    assert (both["answer"]["entry"], both["explain"]["folded"]) == ("items/奶茶杯", "奶茶杯扔哪个桶")


def test_ask_jsonl_answers_in_order_and_remembers_each_conversation(lvlin: Site) -> None:
    asked = [
        {"id": "1", "text": "电池怎么扔", "user": "a", "chat": "g"},
        {"id": "2", "text": "奶茶杯扔哪个桶", "user": "b", "chat": "g"},
        {"id": "3", "text": "第2个", "user": "a", "chat": "g"},
        {"id": "4", "text": "团购到了来拿", "user": "b", "chat": "g", "mentioned": False},
        {"id": "2", "text": "奶茶杯扔哪个桶", "user": "b", "chat": "g"},
    ]
    ran = lvlin("ask", "--jsonl", stdin=lines(asked))
    found = ran.lines()
    assert [(a["id"], a["to"], a["action"]) for a in found] == [
        ("1", "a", "clarify"), ("2", "b", "answer"), ("3", "a", "answer"), ("4", "b", "silent"), ("2", "b", "answer"),
    ]  # fmt: skip
    assert found[2]["items"][0]["category"] == "hazardous"
    assert (found[3]["text"], found[3]["reason"]) == ("", "not_a_question")
    assert found[4] == found[1]
    assert ran.status == 0


def test_a_malformed_line_is_named_and_the_run_goes_on(lvlin: Site) -> None:
    ran = lvlin("ask", "--jsonl", stdin=b'{"text": "a"}\nnonsense\n\n{"id": "x"}\n{"text": 1}\n\xff\n{"text": "b"}')
    assert ran.status == 1
    assert len(ran.lines()) == 2
    assert [line.partition(" — ")[0] for line in ran.err.splitlines()] == [
        "lvlin: the body is not JSON: JSONDecodeError (<stdin>:2)",
        "lvlin: no text (<stdin>:4)",
        "lvlin: text is not a string (<stdin>:5)",
        "lvlin: the body is not JSON: UnicodeDecodeError (<stdin>:6)",
    ]


def test_answers_come_while_the_input_pauses_and_nothing_heavy_is_imported(lvlin: Site) -> None:
    program = (
        "import sys; from bot.cli import run; status = run(sys.argv[1:]);"
        "assert not {'aiohttp', 'cryptography', 'xlsxwriter', 'rich'} & set(sys.modules); sys.exit(status)"
    )
    command = [sys.executable, "-c", program, "ask", "--jsonl", "--config", str(lvlin.config)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        for number in ("1", "2"):
            process.stdin.write(lines([{"id": number, "text": "奶茶杯"}]))
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["id"] == number
        process.stdin.close()
    assert process.returncode == 0


def test_ask_keeps_nothing_unless_told_to(lvlin: Site) -> None:
    lvlin("ask", "奶茶杯扔哪个桶")
    assert not (lvlin.config.parent / "data/lvlin.db").exists()
    lvlin("ask", "奶茶杯扔哪个桶", "--keep")
    (turn,) = lvlin("export", "turns").lines()
    assert (turn["channel"], turn["text"]) == ("try", "奶茶杯扔哪个桶")


def test_kept_turns_are_stored_once_under_pseudonyms_at_their_own_time(lvlin: Site) -> None:
    message = {"id": "m1", "text": "奶茶杯扔哪个桶", "user": "wang", "chat": "g1", "sent_at": OCTOBER_5}
    first, again = lvlin.keep([message, message])
    assert lvlin.keep([message]) == [first] == [again]
    (turn,) = lvlin("export", "turns").lines()
    assert tuple(turn) == TURN_FIELDS
    assert (turn["message_id"], turn["channel"], turn["chat"]) == ("m1", "gateway", "g1")
    assert turn["received_at"] == "2026-10-05T12:00:00+08:00"
    assert turn["user"].startswith("u_")
    assert "wang" not in json.dumps(turn)


def test_kept_alerts_are_queued_for_staff(lvlin: Site) -> None:
    lvlin.keep([{"text": "转人工", "user": "wang"}])
    (delivery,) = lvlin("export", "deliveries").lines()
    assert tuple(delivery) == DELIVERY_FIELDS
    assert (delivery["state"], delivery["channel"], delivery["sent_at"]) == ("queued", "gateway", None)


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["ask"], id="nothing-to-ask"),
        pytest.param(["ask", "电池", "--jsonl"], id="both-ways-to-ask"),
        pytest.param(["ask", "--jsonl", "--json"], id="json-twice"),
        pytest.param(["ask", "电池", "--channel", "nowhere"], id="ask-on-an-unknown-channel"),
        pytest.param(["ask", "长" * 20_001], id="too-long"),
        pytest.param(["me", "wang"], id="nobody"),
        pytest.param(["me", "gateway:"], id="no-platform-id"),
        pytest.param(["forget", "nowhere:wang"], id="unknown-channel-of-a-person"),
        pytest.param(["export", "turns", "--place", "mars"], id="unknown-place"),
        pytest.param(["export", "turns", "--from", "2026-10-06", "--to", "2026-10-05"], id="days-swapped"),
        pytest.param(["export", "turns", "--json", "--format", "csv"], id="two-formats"),
        pytest.param(["export", "turns", "-o", "no/such/folder/t.csv"], id="no-such-folder"),
        pytest.param(["export", "unanswered", "--place", "luyuan"], id="unanswered-know-no-place"),
        pytest.param(["export", "participation"], id="participation-comes-later"),
        pytest.param(["export", "broadcasts", "--format", "csv"], id="broadcasts-come-later"),
        pytest.param(["metrics", "--place", "mars"], id="figures-of-an-unknown-place"),
        pytest.param(["metrics", "--channel", "nowhere"], id="figures-of-an-unknown-channel"),
        pytest.param(["kb", "eval", "nowhere.jsonl"], id="no-question-file"),
    ],
)
def test_wrong_usage_is_2_and_says_how_to_mend_it(lvlin: Site, arguments: list[str]) -> None:
    lvlin.keep([])
    ran = lvlin(*arguments)
    assert ran.status == 2
    assert ran.out == ""
    (line,) = ran.err.splitlines()
    assert line.startswith("lvlin: ")
    assert " — " in line


@pytest.mark.parametrize("arguments", [["me", "gateway:wang"], ["export", "turns"], ["metrics"]])
def test_a_site_without_storage_says_so(lvlin: Site, arguments: list[str]) -> None:
    ran = lvlin(*arguments)
    assert (ran.status, ran.out) == (1, "")
    assert "there is no database" in ran.err


def test_exports_take_days_both_included_and_a_branch(lvlin: Site) -> None:
    day = 86_400
    lvlin.keep({"id": str(n), "text": "奶茶杯", "user": "a", "sent_at": OCTOBER_5 + n * day} for n in range(3))
    found = lvlin("export", "turns", "--from", "2026-10-06", "--to", "2026-10-07").lines()
    assert [turn["message_id"] for turn in found] == ["1", "2"]
    assert len(lvlin("export", "turns", "--place", "qingxi").lines()) == 3
    assert lvlin("export", "turns", "--place", "luyuan").lines() == []


def test_exports_as_csv_and_excel_hold_no_formula(lvlin: Site) -> None:
    lvlin.keep([{"id": "=1", "text": "=cmd|' /C calc'!A0 奶茶杯扔哪", "user": "a"}])
    table = csv.DictReader(io.StringIO(lvlin("export", "turns", "--format", "csv").out.removeprefix("\ufeff")))
    (row,) = table
    assert tuple(row) == TURN_FIELDS
    assert (row["message_id"], row["text"][:2]) == ("'=1", "'=")
    book = lvlin.config.parent / "turns.xlsx"
    assert lvlin("export", "turns", "--format", "xlsx", "-o", str(book)) == Ran(0, "", "")
    assert [cell.data_type for cell in load_workbook(book)["turns"][2] if str(cell.value).startswith("=")] == ["s", "s"]


def test_unanswered_questions_are_counted_by_people(lvlin: Site) -> None:
    lvlin.keep(people(3, "量子糊糊扔哪个桶"))
    (cluster,) = lvlin("export", "unanswered").lines()
    assert tuple(cluster) == UNANSWERED_FIELDS
    assert (cluster["people"], cluster["state"], cluster["text"]) == (3, "open", "量子糊糊扔哪个桶")
    assert lvlin("export", "unanswered", "--to", "2026-10-04").lines() == []


def test_a_resident_sees_and_deletes_what_is_stored(lvlin: Site) -> None:
    lvlin.keep([{"text": "奶茶杯扔哪个桶", "user": "wang"}, {"text": "灯管扔哪", "user": "li"}])
    (stored,) = lvlin("me", "gateway:wang", "--json").lines()
    assert [turn["text"] for turn in stored["turns"]] == ["奶茶杯扔哪个桶"]
    assert "奶茶杯扔哪个桶" in lvlin("me", stored["user"]).out
    assert lvlin("forget", "gateway:wang", "--json").lines() == [{"user": stored["user"], "turns": 1}]
    assert "对话0次" in lvlin("me", "gateway:wang").out
    texts = {turn["text"] for turn in lvlin("export", "turns").lines()}
    assert texts == {None, "灯管扔哪"}
    assert "已清空0次" in lvlin("forget", stored["user"]).out


def figures(ran: Ran) -> dict[str, dict[str, Any]]:
    return {figure["figure"]: figure for figure in json.loads(ran.out)}


def test_metrics_count_people_and_leave_out_simulators_and_staff(lvlin: Site) -> None:
    lvlin.keep([*people(6, "奶茶杯扔哪个桶"), *people(6, "灯管扔哪"), {"text": "灯管扔哪", "user": "boss"}])
    lvlin.keep(people(7, "奶茶杯扔哪个桶"), channel="try")
    found = figures(lvlin("metrics", "--json"))
    assert (found["askers"]["value"], found["questions"]["value"]) == (6, 12)
    assert tuple(found["askers"]) == FIELDS
    assert found["share.answered"]["numerator"] == found["share.answered"]["denominator"] == 12
    assert figures(lvlin("metrics", "--json", "--channel", "try"))["askers"]["value"] == 7
    assert figures(lvlin("metrics", "--json", "--public"))["askers"]["hidden"]
    assert figures(lvlin("metrics", "--json", "--to", "2026-10-04"))["askers"]["value"] == 0


def test_metrics_in_chinese_as_table_and_csv(lvlin: Site) -> None:
    lvlin.keep(people(6, "奶茶杯扔哪个桶"))
    table = lvlin("metrics").out
    for part in ("提问人数", "6人", "6/6次（100.0%）", "提问次数：物品分类", "提问人数：2026年第41周", "青溪街道"):
        assert part in table
    (head, *rows) = csv.reader(io.StringIO(lvlin("metrics", "--format", "csv").out.removeprefix("\ufeff")))
    assert tuple(head) == FIELDS
    assert rows[0][:2] == ["askers", "提问人数"]


def test_kb_check_warns_without_failing(lvlin: Site) -> None:
    ran = lvlin("kb", "check")
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.splitlines()[-1].startswith("0 faults, ")
    (report,) = lvlin("kb", "check", "--json").lines()
    assert (set(report), report["errors"]) == ({"errors", "warnings"}, [])


def test_kb_check_fails_on_faults(lvlin: Site) -> None:
    folder = lvlin.config.parent / "kb"
    shutil.copytree(ROOT / "knowledge", folder)
    (folder / "topics/noise.yaml").write_text("topic: noise\nentries: 3\n", encoding="utf-8")
    lvlin.config.write_text(CONFIG.replace(str(ROOT / "knowledge"), "kb"), encoding="utf-8")
    ran = lvlin("kb", "check")
    assert ran.status == 1
    assert "lvlin: entries is 3 (kb/topics/noise.yaml:2) — " in ran.err
    (report,) = lvlin("kb", "check", "--json").lines()
    assert ["kb/topics/noise.yaml", 2] in [[fault["file"], fault["line"]] for fault in report["errors"]]


def test_kb_stats_counts(lvlin: Site) -> None:
    (counted,) = lvlin("kb", "stats", "--json").lines()
    assert sum(counted["categories"].values()) == counted["items"]
    assert counted["topics"] == 45
    assert f"version      {counted['version']}" in lvlin("kb", "stats").out


def test_kb_eval_judges_a_question_file(lvlin: Site) -> None:
    question = {
        "id": "q1",
        "text": "奶茶杯扔哪个桶",
        "kind": "item",
        "expect": {"item": "奶茶杯", "category": "residual"},
    }
    wrong = {**question, "id": "q2", "expect": {"item": "奶茶杯", "category": "hazardous"}}
    file = lvlin.config.parent / "q.jsonl"
    file.write_bytes(lines([question, wrong]))
    ran = lvlin("kb", "eval", str(file), "--json", "--wrong", str(file.with_name("wrong.jsonl")))
    (table,) = ran.lines()
    assert (table["item"]["right"], table["item"]["of"], table["hazard safe"]["right"]) == (1, 2, 0)
    (told,) = [json.loads(line) for line in file.with_name("wrong.jsonl").read_text(encoding="utf-8").splitlines()]
    assert (told["q"]["id"], told["a"]["items"][0]["category"]) == ("q2", "residual")
    assert "item" in lvlin("kb", "eval", str(file)).out
    file.write_text("{}\n", encoding="utf-8")
    ran = lvlin("kb", "eval", str(file))
    assert (ran.status, "q.jsonl:1" in ran.err) == (2, True)
