"""The learning loop over HTTP: asked in vain, taught by staff in chat or on the command line, told to who asked.

Scenario 11 of the product; the gate, the publication and the sending are the real ones.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot import cli
from bot.learning.child import checked, checked_apart
from bot.learning.teach import Checked
from bot.outbox import Sender
from bot.records import Delivery, Lesson, Unanswered
from bot.settings import Settings
from tests.conftest import write_small
from tests.scenario.callers import ask
from tests.scenario.conftest import Clock, Site, running, write_config

DIALOGS = """\
- name: cup
  steps:
    - {say: 奶茶杯扔哪个桶, expect: {action: answer, items: {奶茶杯: residual}}}
"""
SIX = (
    "神奇宝贝球怎么扔",
    "请问神奇宝贝球是什么垃圾",
    "旧的神奇宝贝球扔哪个桶",
    "神奇宝贝球属于哪一类",
    "神奇宝呗球怎么扔",
    "神奇宝贝球该丢到哪里去",
)
_send_due = Sender.send_due


@dataclass
class Shelf:
    """The gateway's side: keeps every delivery."""

    came: list[dict[str, Any]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        self.came.append(await request.json())
        return web.Response(status=204)


@dataclass
class Loop:
    """A running site, its residents and staff, and the command line beside it."""

    site: Site
    folder: Path
    shelf: Shelf
    capsys: pytest.CaptureFixture[str]
    numbers: count[int] = field(default_factory=lambda: count(1))

    async def say(self, text: str, user: str, chat: str | None = None) -> dict[str, Any]:
        """The answer object for one message through the gateway."""
        call = ask("gateway", text, self.site.clock.now, message_id=f"m{next(self.numbers)}", user=user, chat=chat)
        answer = await self.site.call(call)
        assert answer.status == 200
        given: dict[str, Any] = json.loads(answer.body)
        return given

    async def boss(self, text: str) -> str:
        """What staff read in private."""
        return str((await self.say(text, "boss"))["text"])

    async def six_ask(self, chat: str | None = None) -> None:
        for number, text in enumerate(SIX):
            answer = await self.say(text, f"resident{number}", chat)
            assert answer["action"] == "fallback", text

    async def work(self) -> None:
        """Let the server work off what staff taught, and took back."""
        await self.site.app.desk.undo_waiting()
        await self.site.app.desk.teach_waiting()

    async def sent(self, *, after: float = 0) -> list[dict[str, Any]]:
        """What reaches the gateway by then."""
        self.site.clock.now += timedelta(seconds=after)
        before = len(self.shelf.came)
        await _send_due(self.site.app.sender)
        return self.shelf.came[before:]

    async def notices(self) -> list[dict[str, Any]]:
        """What reaches those who asked, once the time for taking back is over."""
        assert [one["user"] for one in await self.sent()] == ["boss"]
        return await self.sent(after=31)

    async def clusters(self) -> list[Unanswered]:
        return [cluster async for cluster in self.site.app.store.unanswered()]

    async def deliveries(self) -> list[Delivery]:
        return [delivery async for delivery in self.site.app.store.deliveries()]

    async def lvlin(self, *arguments: str) -> tuple[int, str, str]:
        """One command line, beside the running server: status, output, errors."""
        config = str(self.folder.parent / "config.yaml")
        status = await asyncio.to_thread(cli.run, [*arguments, "--config", config])
        captured = self.capsys.readouterr()
        return status, captured.out, captured.err


async def checked_here(settings: Settings, lesson: Lesson, cluster: Unanswered, day: date) -> Checked:
    """The gate on a thread of this process, which knows of the test's frozen questions."""
    return await asyncio.to_thread(checked, settings, lesson, cluster, day)


@pytest.fixture
def clock() -> Clock:
    """Now, as the command line knows no other time."""
    return Clock(datetime.now(UTC))


@pytest.fixture
async def loop(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> AsyncIterator[Loop]:
    """A site with the small knowledge, one frozen question and a gateway; what works in the background waits for us."""

    async def nothing(sender: Sender) -> int:
        return 0

    monkeypatch.setattr(Sender, "send_due", nothing)
    for pause in ("LOOK_SECONDS", "TEACH_SECONDS"):
        monkeypatch.setattr(f"bot.app.{pause}", 3600.0)
    monkeypatch.setattr("bot.publishing.gate.SHIPPED", tmp_path / "none are shipped")
    monkeypatch.setenv("LVLIN_SECRET", "a secret of the test site")
    folder = write_small(tmp_path / "kb", {"dialogs/own.yaml": DIALOGS})
    shelf = Shelf()
    application = web.Application()
    application.router.add_post("/deliver", shelf.take)
    async with TestServer(application) as gateway:
        config = write_config(tmp_path, folder, None, str(gateway.make_url("/deliver")))
        async with running(config, clock, check_lesson=checked_here) as site:
            yield Loop(site, folder, shelf, capsys)


async def test_11_six_ask_staff_teach_everybody_is_told(loop: Loop) -> None:
    """Scenario 11: six words for one thing are one cluster of six people; taught in one step, the next is answered,
    and the six get one message each."""
    await loop.six_ask()
    (cluster,) = await loop.clusters()
    assert (cluster.cluster_id, cluster.people, len(cluster.variants)) == (1, 6, 6)
    assert "#1 神奇宝贝球怎么扔（6人）" in await loop.boss("未答")

    first = await loop.boss("教 #1 = 干垃圾")
    assert "正在检查：#1「神奇宝贝球" in first
    assert "= 干垃圾" in first
    assert (await loop.clusters())[0].state == "open"
    await loop.work()
    (report,) = await loop.sent()
    assert report["user"] == "boss"
    assert "也叫" not in report["text"], "a slip of the keyboard is no name"
    for part in ("#1 教会了", "新增物品「神奇宝贝球」：干垃圾", "告诉问过的6人", "30秒内回复「撤销」"):
        assert part in report["text"]

    (cluster,) = await loop.clusters()
    assert (cluster.state, cluster.entry) == ("taught", "items/神奇宝贝球")
    answer = await loop.say("神奇宝贝球扔哪", "newcomer")
    assert [(item["name"], item["label"]) for item in answer["items"]] == [("神奇宝贝球", "干垃圾")]

    assert await loop.sent(after=29) == []
    told = await loop.sent(after=2)
    assert sorted(one["user"] for one in told) == [f"resident{n}" for n in range(6)]
    for one in told:
        assert (one["chat"], one["broadcast_id"]) == (None, None)
        assert "神奇宝贝球：干垃圾" in one["text"]
        assert SIX[int(one["user"][-1])] in one["text"], "their own words"
    assert await loop.sent(after=3600) == []
    assert {found.state for found in await loop.deliveries()} == {"sent"}
    assert "没有未答的问题" in await loop.boss("未答")


async def test_a_group_gets_one_message_that_names_the_question(loop: Loop) -> None:
    await loop.six_ask(chat="g7")
    await loop.say("神奇宝贝球怎么扔", "alone")
    await loop.boss("教 #1 = 可回收")
    await loop.work()
    told = await loop.notices()
    assert sorted((one["chat"] or "", one["user"] or "") for one in told) == [("", "alone"), ("g7", "")]
    (group,) = (one for one in told if one["chat"])
    assert "有邻居问「神奇宝贝球怎么扔」" in group["text"]


async def test_who_opted_out_gets_nothing(loop: Loop) -> None:
    await loop.say("神奇宝贝球怎么扔", "u1")
    await loop.say("神奇宝贝球怎么扔", "u2")
    await loop.say("退订", "u1")
    await loop.boss("教 #1 = 干垃圾")
    await loop.work()
    assert [one["user"] for one in await loop.notices()] == ["u2"]
    assert (await loop.clusters())[0].people == 2


async def test_an_asker_whose_address_has_expired_is_not_written_to_and_counted(loop: Loop) -> None:
    await loop.say("神奇宝贝球怎么扔", "u1")
    loop.site.clock.now += timedelta(hours=49)
    await loop.say("神奇宝贝球怎么扔", "u2")
    await loop.boss("教 #1 = 干垃圾")
    await loop.work()
    assert [one["user"] for one in await loop.notices()] == ["u2"]
    report = loop.shelf.came[0]["text"]
    assert "告诉问过的1人" in report
    assert "1人平台已不让回信" in report
    states = {(found.state, found.reason) for found in await loop.deliveries()}
    assert ("skipped", "the platform allows no message any more") in states


async def test_taking_back_within_30_seconds(loop: Loop) -> None:
    await loop.six_ask()
    await loop.boss("教 #1 = 干垃圾")
    await loop.work()
    assert (loop.folder / "items" / "taught.yaml").is_file()
    loop.site.clock.now += timedelta(seconds=20)
    assert "正在撤销 #1" in await loop.boss("撤销")
    await loop.work()
    told = await loop.sent(after=60)
    assert [one["user"] for one in told] == ["boss", "boss"]
    assert "已撤销" in told[-1]["text"]
    (cluster,) = await loop.clusters()
    assert (cluster.state, cluster.entry, cluster.people) == ("open", None, 6)
    assert not (loop.folder / "items" / "taught.yaml").exists()
    assert (await loop.say("神奇宝贝球扔哪", "newcomer"))["action"] == "fallback"
    await loop.boss("教 #1 = 湿垃圾")
    await loop.work()
    assert len(await loop.notices()) == 7, "they are told of the second lesson"


async def test_taking_back_later_points_to_the_roll_back(loop: Loop) -> None:
    await loop.lvlin("kb", "publish")
    await loop.say("神奇宝贝球怎么扔", "u1")
    await loop.boss("教 #1 = 干垃圾")
    await loop.work()
    loop.site.clock.now += timedelta(seconds=31)
    assert "lvlin kb rollback 1" in await loop.boss("撤销")
    assert (await loop.clusters())[0].state == "taught"


async def test_taken_back_before_it_was_checked(loop: Loop) -> None:
    await loop.say("神奇宝贝球怎么扔", "u1")
    await loop.boss("教 #1 = 干垃圾")
    assert "不教了" in await loop.boss("撤销 #1")
    await loop.work()
    assert await loop.sent(after=60) == []
    assert (await loop.clusters())[0].state == "open"


async def test_with_published_versions_a_lesson_is_a_version(loop: Loop) -> None:
    await loop.lvlin("kb", "publish")
    await loop.say("神奇宝贝球怎么扔", "u1")
    await loop.boss("教 #1 同 纽扣电池")
    await loop.work()
    newest = json.loads((await loop.lvlin("kb", "history", "--json"))[1])["versions"][0]
    assert (newest["number"], newest["by"]) == (2, "张三")
    assert newest["note"] == "教 #1：「纽扣电池」多几个叫法：神奇宝贝球"
    answer = await loop.say("神奇宝贝球扔哪", "newcomer")
    assert [(item["name"], item["category"]) for item in answer["items"]] == [("纽扣电池", "hazardous")]
    await loop.boss("撤销")
    await loop.work()
    newest = json.loads((await loop.lvlin("kb", "history", "--json"))[1])["versions"][0]
    assert (newest["number"], newest["restored"]) == (3, 1)
    assert (await loop.say("神奇宝贝球扔哪", "newcomer2"))["action"] == "fallback"


async def test_the_gate_says_no(loop: Loop) -> None:
    """A frozen question that would change: nothing is changed, and staff are told why."""
    frozen = "- name: ball\n  steps:\n    - {say: 神奇宝贝球怎么扔, expect: {action: fallback}}\n"
    (loop.folder / "dialogs" / "own.yaml").write_text(DIALOGS + frozen, encoding="utf-8")
    await loop.say("神奇宝贝球怎么扔", "u1")
    await loop.boss("教 #1 = 干垃圾")
    await loop.work()
    (report,) = await loop.sent(after=60)
    assert "#1 没有教成，知识库没动" in report["text"]
    assert "神奇宝贝球怎么扔" in report["text"]
    assert (await loop.clusters())[0].state == "open"
    assert not (loop.folder / "items" / "taught.yaml").exists()
    assert "没有教成" in await loop.boss("未答")


async def test_what_else_is_answered_otherwise_is_told(loop: Loop) -> None:
    """A frozen question without an expectation of its answer changes with the lesson: allowed, and shown."""
    frozen = "- name: two\n  steps:\n    - {say: 神奇宝贝球扔哪个桶, expect: {text_lacks: [不存在]}}\n"
    (loop.folder / "dialogs" / "own.yaml").write_text(DIALOGS + frozen, encoding="utf-8")
    await loop.say("神奇宝贝球怎么扔", "u1")
    await loop.boss("教 #1 = 干垃圾")
    await loop.work()
    (report,) = await loop.sent()
    assert "另有1句常问的也跟着变了：\n· 神奇宝贝球扔哪个桶 → 神奇宝贝球：干垃圾" in report["text"]


async def test_what_looks_hazardous_is_taught_otherwise_only_by_who_stands_by_it(loop: Loop) -> None:
    await loop.say("农药喷壶嘴怎么扔", "u1")
    refused = await loop.boss("教 #1 = 干垃圾")
    assert "看起来像有害垃圾" in refused
    await loop.work()
    assert (await loop.clusters())[0].state == "open"
    assert "正在检查" in await loop.boss("教 #1 = 干垃圾 确认无害")
    await loop.work()
    assert (await loop.clusters())[0].state == "taught"


async def test_only_staff_with_the_role_and_only_in_private(loop: Loop) -> None:
    await loop.say("神奇宝贝球怎么扔", "u1")
    for user, text in (("u2", "未答"), ("u2", "教 #1 = 干垃圾"), ("watcher", "教 #1 = 干垃圾")):
        assert "工作人员" in (await loop.say(text, user))["text"]
    assert "#1" in (await loop.say("未答", "watcher"))["text"]
    assert "私聊" in (await loop.say("未答", "boss", "g1"))["text"]
    await loop.work()
    assert await loop.site.app.store.lessons() == []


async def test_an_answer_is_taught_as_an_entry(loop: Loop) -> None:
    await loop.say("装修扰民怎么赔钱", "u1")
    assert "（noise）" in await loop.boss("教 #1：协商不成可找居委调解，具体看小区公约。")
    await loop.work()
    answer = await loop.say("装修扰民怎么赔钱呢", "u2")
    assert (answer["entry"], answer["topic"]) == ("topics/noise/taught-1", "noise")
    assert "协商不成可找居委调解" in answer["text"]
    assert ["协商不成可找居委调解" in one["text"] for one in await loop.notices()] == [True]


async def test_a_question_is_taught_as_another_way_of_asking_an_entry(loop: Loop) -> None:
    await loop.say("装修扰民怎么赔钱", "u1")
    before = (loop.folder / "topics" / "noise.yaml").read_text("utf-8")
    await loop.boss("教 #1 同 装修几点要停")
    await loop.work()
    assert (await loop.say("装修扰民怎么赔钱", "u2"))["entry"] == "topics/noise/decorate"
    after = (loop.folder / "topics" / "noise.yaml").read_text("utf-8")
    assert after == before.replace("周末可以装修吗]", "周末可以装修吗, 装修扰民怎么赔钱]")


async def test_asked_again_in_vain_it_opens_again(loop: Loop) -> None:
    await loop.say("神奇宝贝球怎么扔", "u1")
    await loop.boss("教 #1 = 干垃圾")
    await loop.work()
    (loop.folder / "items" / "taught.yaml").unlink()
    await loop.site.app.knowledge.look()
    await loop.say("神奇宝贝球怎么扔", "u2")
    (cluster,) = await loop.clusters()
    assert (cluster.cluster_id, cluster.state, cluster.people, cluster.entry) == (1, "open", 2, None)


async def test_a_server_that_died_goes_on_where_it_was(loop: Loop) -> None:
    """Between publishing and keeping that it was taught: the lesson is found to be published, and nobody told twice."""
    await loop.say("神奇宝贝球怎么扔", "u1")
    await loop.boss("教 #1 = 干垃圾")
    store = loop.site.app.store
    settle = type(store).settle_lesson

    async def dies(self: Any, lesson: Lesson, was: Any, **more: Any) -> Any:
        if lesson.state == "taught":
            raise asyncio.CancelledError
        return await settle(self, lesson, was, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(store), "settle_lesson", dies)
        with pytest.raises(asyncio.CancelledError):
            await loop.work()
    assert [lesson.state for lesson in await store.lessons()] == ["applying"]
    await loop.work()
    (lesson,) = await store.lessons()
    assert lesson.state == "taught"
    assert lesson.after, "it can still be taken back"
    assert [one["user"] for one in await loop.notices()] == ["u1"]


async def test_on_the_command_line(loop: Loop) -> None:
    await loop.six_ask()
    status, out, _ = await loop.lvlin("unanswered", "list", "--json")
    assert (status, [(one["cluster_id"], one["people"]) for one in json.loads(out)]) == (0, [(1, 6)])
    status, out, _ = await loop.lvlin("unanswered", "teach", "1", "--category", "residual", "--by", "李四")
    assert (status, "没有教" in out, "· 神奇宝贝球怎么扔 → 神奇宝贝球：干垃圾" in out) == (1, True, True)
    status, out, _ = await loop.lvlin("unanswered", "teach", "1", "--category", "干垃圾", "--yes", "--json")
    given = json.loads(out)
    assert (status, given["entry"], given["told"], given["state"]) == (0, "items/神奇宝贝球", 6, "taught")
    assert [one["answered"] for one in given["answers"]] == [True] * 6
    assert (await loop.lvlin("unanswered", "list"))[1] == "没有未答的问题。\n"
    status, out, _ = await loop.lvlin("unanswered", "undo", "1")
    assert (status, "已撤销" in out) == (0, True)
    assert not (loop.folder / "items" / "taught.yaml").exists()
    loop.site.clock.now = datetime.now(UTC)
    assert await loop.sent(after=60) == []
    await loop.lvlin("unanswered", "teach", "1", "--alias", "易拉罐", "--yes")
    loop.site.clock.now = datetime.now(UTC)
    told = await loop.sent(after=31)
    assert len(told) == 6
    assert all("可回收物" in one["text"] for one in told)


async def test_the_list_of_some_days_and_places(loop: Loop) -> None:
    await loop.say("神奇宝贝球怎么扔", "u1")
    for arguments, numbers in (
        (["--from", "2020-01-01"], [1]),
        (["--to", "2020-01-01"], []),
        (["--place", "street"], [1]),
        (["--place", "west"], []),
    ):
        status, out, _ = await loop.lvlin("unanswered", "list", "--json", *arguments)
        assert (status, [one["cluster_id"] for one in json.loads(out)]) == (0, numbers), arguments
    assert "#1  神奇宝贝球怎么扔  1人  1种问法" in (await loop.lvlin("unanswered", "list", "--all"))[1]


async def test_dismissed_it_is_counted_and_not_listed(loop: Loop) -> None:
    await loop.say("神奇宝贝球怎么扔", "u1")
    assert (await loop.lvlin("unanswered", "dismiss", "1"))[:2] == (0, "#1 不用答了。\n")
    await loop.say("神奇宝贝球怎么扔", "u2")
    (cluster,) = await loop.clusters()
    assert (cluster.state, cluster.people) == ("dismissed", 2)
    assert "没有未答的问题" in await loop.boss("未答")


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        pytest.param(["teach", "1"], 2, "exactly one of --alias", id="nothing"),
        pytest.param(["teach", "1", "--alias", "a", "--category", "food"], 2, "exactly one", id="both"),
        pytest.param(["teach", "9", "--category", "food"], 1, "there is no #9", id="no-such"),
        pytest.param(["teach", "1", "--category", "花桶"], 1, "'花桶' is no bin — use one of", id="no-bin"),
        pytest.param(["teach", "1", "--alias", "没有的"], 1, "no item or entry '没有的'", id="no-target"),
        pytest.param(["teach", "1", "--answer", "答", "--topic", "x"], 1, "there is no topic 'x'", id="no-topic"),
        pytest.param(
            ["teach", "1", "--answer", "答", "--topic", "noise", "--source", "无"], 1, "no source '无'", id="no-source"
        ),
        pytest.param(["teach", "1", "--category", "food", "--topic", "noise"], 2, "--answer only", id="lone-topic"),
        pytest.param(["undo", "1"], 1, "nothing is taught for #1", id="nothing-to-undo"),
        pytest.param(["dismiss", "9"], 1, "there is no #9", id="nothing-to-dismiss"),
    ],
)
async def test_wrong_command_lines(loop: Loop, arguments: list[str], status: int, says: str) -> None:
    await loop.say("神奇宝贝球怎么扔", "u1")
    ran = await loop.lvlin("unanswered", *arguments)
    assert ran[0] == status
    assert says in ran[2]


async def test_unpublished_edits_of_others_are_not_published_with_a_lesson(loop: Loop) -> None:
    await loop.lvlin("kb", "publish")
    path = loop.folder / "texts.yaml"
    path.write_text(path.read_text("utf-8").replace("您好，我是小绿", "大家好，我是小绿"), encoding="utf-8")
    await loop.say("神奇宝贝球怎么扔", "u1")
    await loop.boss("教 #1 = 干垃圾")
    await loop.work()
    (report,) = await loop.sent()
    assert "还没发布的内容" in report["text"]


@pytest.mark.slow
async def test_the_gate_in_a_child_process(loop: Loop) -> None:
    """As the server really does it: the shipped frozen questions, and messages answered meanwhile."""
    await loop.say("神奇宝贝球怎么扔", "u1")
    (cluster,) = await loop.clusters()
    settings = loop.site.app.desk.settings
    lesson = Lesson(1, "category", "residual", loop.site.clock.now)
    checking = asyncio.create_task(checked_apart(settings, lesson, cluster, date(2026, 12, 1)))
    answered = 0
    while not checking.done():
        assert (await loop.say("奶茶杯扔哪个桶", f"meanwhile{answered}"))["action"] == "answer"
        answered += 1
        await asyncio.sleep(0.05)
    found = await checking
    assert (found.blocked, found.preview.plan.entry, found.preview.unanswered) == (False, "items/神奇宝贝球", ())
    assert answered > 10
