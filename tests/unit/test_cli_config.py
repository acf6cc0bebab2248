"""The command line: `config check`, `db`, the commands of later releases, and how errors are told."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click
import pytest

from bot import cli
from bot.cli import common, later
from bot.errors import Fault, FaultyFile, LvlinError, NewerSchema, NotThere, StoreUnavailable, WrongUsage

ROOT = Path(__file__).parents[2]
KNOWLEDGE = ROOT / "knowledge"
LEAST = f"site: {{name: 绿苑社区, city: shanghai}}\nchannels: {{try: {{type: simulator}}}}\nknowledge: {KNOWLEDGE}\n"


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A site of its own for each test, and no variable of ours set."""
    monkeypatch.delenv("LVLIN_CONFIG", raising=False)
    monkeypatch.delenv("LVLIN_SECRET", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").write_text(LEAST, encoding="utf-8")
    return tmp_path / "config.yaml"


def errors(capsys: pytest.CaptureFixture[str]) -> list[str]:
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err.splitlines()


def test_config_check_finds_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["config", "check"]) == 0
    assert capsys.readouterr() == ("no faults in config.yaml and the knowledge\n", "")


def test_config_check_tells_of_an_unknown_city(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text(LEAST.replace("shanghai", "kunming"), encoding="utf-8")
    assert cli.run(["config", "check"]) == 0
    what = "site.city is 'kunming', which has no file: the national standard is told, and answers say so"
    mend = "correct site.city, or write knowledge/cities/kunming.yaml"
    assert capsys.readouterr().err == f"lvlin: {what} — {mend}\n"


def test_the_shipped_config_has_no_faults(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["config", "check", "--json", "--config", str(ROOT / "config.yaml")]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_config_check_tells_every_fault(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text(LEAST + "sevrer: {}\nmatching: {accept: 2}\n", encoding="utf-8")
    assert cli.run(["config", "check"]) == 2
    assert errors(capsys) == [
        "lvlin: unknown key sevrer (config.yaml:4) — did you mean 'server'?",
        "lvlin: matching.accept is 2 (config.yaml:5) — write at most 1.0",
    ]


def test_config_check_tells_the_faults_of_config_and_knowledge(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (config.parent / "k").mkdir()
    (config.parent / "k" / "texts.yaml").write_text("a: *b", encoding="utf-8")
    config.write_text("site: {name: 1, city: x}\nchannels: {}\nknowledge: k", encoding="utf-8")
    assert cli.run(["config", "check"]) == 2
    found = errors(capsys)
    assert found[0].startswith("lvlin: site.name is 1 (config.yaml:1)")
    assert any("k/texts.yaml:1" in line for line in found)
    assert any("k/places.yaml:1" in line for line in found)


def test_config_check_knows_the_places(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text(LEAST + "staff: [{channel: try, user: u, name: n, role: admin, place: luyaun}]", encoding="utf-8")
    assert cli.run(["config", "check"]) == 2
    assert errors(capsys) == ["lvlin: staff[0].place is 'luyaun' (config.yaml:4) — did you mean 'luyuan'?"]


def test_config_check_as_json(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text(LEAST + "sevrer: {}", encoding="utf-8")
    assert cli.run(["config", "check", "--json"]) == 2
    captured = capsys.readouterr()
    fault = {"file": "config.yaml", "line": 4, "what": "unknown key sevrer", "mend": "did you mean 'server'?"}
    assert (json.loads(captured.out), captured.err) == ([fault], "")


def test_config_from_the_environment(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config.rename(config.with_name("other.yaml"))
    monkeypatch.setenv("LVLIN_CONFIG", "other.yaml")
    assert cli.run(["config", "check"]) == 0
    assert cli.run(["config", "check", "--config", "config.yaml"]) == 2
    assert "lvlin: the file does not exist (config.yaml:1) — name it with --config" in capsys.readouterr().err


def test_db_init_upgrade_backup(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    database = config.parent / "data" / "lvlin.db"
    assert cli.run(["db", "init"]) == 0
    assert cli.run(["db", "init"]) == 0
    assert cli.run(["db", "upgrade"]) == 0
    assert cli.run(["db", "backup", "copy.db", "--json"]) == 0
    made, again, upgraded, copied = capsys.readouterr().out.splitlines()
    assert [made, again] == [f"{database} made", f"{database} was there already"]
    assert upgraded == f"{database} is up to date"
    assert json.loads(copied)["path"] == "copy.db"
    with closing(sqlite3.connect("copy.db")) as copy:
        assert copy.execute("SELECT count(*) FROM turns").fetchone() == (0,)


def test_a_backup_without_a_name_stands_beside_the_database(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["db", "init"]) == 0
    assert cli.run(["db", "backup"]) == 0
    (copy,) = (config.parent / "data").glob("lvlin-*.db")
    assert re.fullmatch(r"lvlin-[0-9]{8}T[0-9]{6}Z\.db", copy.name)
    assert str(copy) in capsys.readouterr().out


@pytest.mark.parametrize(
    ("command", "error"),
    [
        pytest.param(["upgrade"], "there is no database {data}/lvlin.db — make it with: lvlin db init", id="upgrade"),
        pytest.param(["backup"], "there is no database {data}/lvlin.db — make it with: lvlin db init", id="backup"),
    ],
)
def test_db_without_a_database(
    config: Path, capsys: pytest.CaptureFixture[str], command: list[str], error: str
) -> None:
    assert cli.run(["db", *command]) == 1
    assert errors(capsys) == ["lvlin: " + error.format(data=config.parent / "data")]
    assert not (config.parent / "data").exists()


def test_a_backup_overwrites_nothing(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cli.run(["db", "init"])
    capsys.readouterr()
    assert cli.run(["db", "backup", "config.yaml"]) == 1
    assert cli.run(["db", "backup", "nowhere/copy.db"]) == 1
    assert errors(capsys) == [
        "lvlin: config.yaml exists already — name a file that does not",
        "lvlin: there is no folder nowhere — make it first",
    ]
    assert config.read_text(encoding="utf-8") == LEAST


def test_a_database_that_cannot_be_opened(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (config.parent / "data").write_text("no folder", encoding="utf-8")
    assert cli.run(["db", "init"]) == 1
    (line,) = errors(capsys)
    assert line.startswith("lvlin: the database cannot be opened")
    assert " — " in line


@pytest.mark.parametrize("path", [pytest.param(path, id=path.replace(" ", "-")) for path in later.LATER])
def test_later_commands_say_so(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run([*path.split(), "new", "--at", "2026-12-05T08:30"]) == 2
    assert errors(capsys) == [f"lvlin: '{path}' comes with a later release — see what there is: lvlin --help"]


def test_later_commands_have_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["db", "restore", "--help"]) == 0
    assert "Comes with a later release." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        pytest.param([], "a command is missing — see lvlin --help", id="nothing"),
        pytest.param(["db"], "a command is missing — see lvlin db --help", id="no-subcommand"),
        pytest.param(["confg"], "there is no command 'confg' — did you mean 'config'?", id="near"),
        pytest.param(["xyz"], "there is no command 'xyz' — see lvlin --help", id="far"),
        pytest.param(["--xyz"], "no such option '--xyz' — see lvlin --help", id="option"),
        pytest.param(["db", "init", "x"], "got unexpected extra argument (x) — see lvlin db init --help", id="extra"),
        pytest.param(["db", "init", "--config"], "option '--config' requires an argument — see", id="no-value"),
    ],
)
def test_wrong_usage(arguments: list[str], error: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(arguments) == 2
    (line,) = errors(capsys)
    assert line.startswith(f"lvlin: {error}")


@pytest.mark.parametrize(
    ("error", "status", "told"),
    [
        pytest.param(WrongUsage("a — b"), 2, ["a — b"], id="usage"),
        pytest.param(WrongUsage("a"), 2, ["a — see lvlin --help"], id="usage-without-a-mend"),
        pytest.param(StoreUnavailable("full\ndisk"), 1, ["full disk — see that the disk has room"], id="storage"),
        pytest.param(NewerSchema("schema 9"), 1, ["schema 9 — use the newer program"], id="newer"),
        pytest.param(NotThere("no user"), 1, ["no user — see that it is spelt right"], id="not-there"),
        pytest.param(LvlinError("odd"), 1, ["odd"], id="any"),
        pytest.param(click.Abort(), 1, ["stopped"], id="stopped"),
        pytest.param(
            FaultyFile([Fault("f", 1, "a", "b"), Fault("f", 2, "c", "d")]), 2, ["a (f:1) — b", "c (f:2) — d"], id="file"
        ),
    ],
)
def test_errors(
    error: Exception,
    status: int,
    told: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(ctx: click.Context) -> None:
        raise error

    monkeypatch.setattr(cli.main, "invoke", fail)
    assert cli.run(["db", "init"]) == status
    found = errors(capsys)
    assert len(found) == len(told)
    assert all(line.startswith(f"lvlin: {start}") for line, start in zip(found, told, strict=True))


def test_help_lists_every_command_and_imports_none(capsys: pytest.CaptureFixture[str]) -> None:
    told = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "bot", "--help"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert all(re.search(rf"(?m)^  {name} ", told.stdout) for name in [*cli.COMMANDS, *later.names()])
    assert not re.search(r"\| +(bot\.settings|bot\.app|aiohttp|pydantic)\n", told.stderr)
    assert "bot.cli.later" in told.stderr


def test_a_command_that_does_not_serve_does_not_import_the_server() -> None:
    told = subprocess.run(
        [sys.executable, "-c", "import sys, bot.cli.config, bot.cli.db; print('aiohttp' in sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert told.stdout == "False\n"


SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    ("first", "last", "zone", "since", "until"),
    [
        pytest.param(None, None, SHANGHAI, None, None, id="open"),
        pytest.param(
            date(2026, 10, 1),
            date(2026, 10, 1),
            SHANGHAI,
            datetime(2026, 9, 30, 16, tzinfo=UTC),
            datetime(2026, 10, 1, 16, tzinfo=UTC),
            id="one-day",
        ),
        pytest.param(None, date(2026, 12, 31), SHANGHAI, None, datetime(2026, 12, 31, 16, tzinfo=UTC), id="until"),
        pytest.param(
            date(2026, 3, 29),
            date(2026, 3, 29),
            ZoneInfo("Europe/Berlin"),
            datetime(2026, 3, 28, 23, tzinfo=UTC),
            datetime(2026, 3, 29, 22, tzinfo=UTC),
            id="a-day-of-23-hours",
        ),
    ],
)
def test_period(
    first: date | None, last: date | None, zone: ZoneInfo, since: datetime | None, until: datetime | None
) -> None:
    assert common.period(first, last, zone) == (since, until)


def test_a_period_does_not_run_backwards() -> None:
    with pytest.raises(WrongUsage, match="--to 2026-09-30 is before --from 2026-10-01 — "):
        common.period(date(2026, 10, 1), date(2026, 9, 30), SHANGHAI)


@pytest.mark.parametrize(
    ("written", "day"),
    [
        pytest.param("2026-10-31", date(2026, 10, 31), id="day"),
        pytest.param("2100-12-31", date(2100, 12, 31), id="last"),
        pytest.param("2101-01-01", None, id="after-the-last"),
        pytest.param("9999-12-31", None, id="end-of-time"),
        pytest.param("2026-02-30", None, id="no-such-day"),
        pytest.param("20261031", None, id="no-dashes"),
        pytest.param("昨天", None, id="words"),
    ],
)
def test_day(written: str, day: date | None) -> None:
    if day is None:
        with pytest.raises(click.BadParameter, match=written):
            common.Day().convert(written, None, None)
    else:
        assert common.Day().convert(written, None, None) == day
