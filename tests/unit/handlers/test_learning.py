"""Staff's words about what nobody could answer, and residents' wish to be left alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.records import Lesson, Reply
from tests.conftest import Talk

ASKED = "神奇宝贝球怎么扔"


async def staff(talk: Talk, text: str, **more: object) -> Reply:
    """What an editor gets in private."""
    return (await talk.say(text, **{"user": "boss", "role": "editor", **more})).reply


async def lessons(talk: Talk) -> list[tuple[str, str, str, bool]]:
    """What is queued: kind, value, topic, and whether staff stand by it."""
    return [(one.kind, one.value, one.topic, one.harmless) for one in await talk.store.lessons()]


@pytest.mark.parametrize(
    ("text", "queued"),
    [
        pytest.param("教 #1 = 干垃圾", ("category", "residual", "", False), id="bin"),
        pytest.param("教#1=干垃圾", ("category", "residual", "", False), id="no-spaces"),
        pytest.param("教 ＃１ ＝ 干垃圾", ("category", "residual", "", False), id="full-width"),
        pytest.param("教 1 是 其他垃圾。", ("category", "residual", "", False), id="spoken"),
        pytest.param("教第1题归湿垃圾", ("category", "food", "", False), id="in-words"),
        pytest.param("@小绿 教 #1 = 红桶", ("category", "hazardous", "", False), id="mention-and-colour"),
        pytest.param("教 #1：干垃圾", ("category", "residual", "", False), id="colon-before-a-bin"),
        pytest.param("教 #1 = 干垃圾 确认无害", ("category", "residual", "", True), id="stood-by"),
        pytest.param("教 #1 = 干垃圾（确认无害）", ("category", "residual", "", True), id="stood-by-in-brackets"),
        pytest.param("教 #1 同 纽扣电池", ("alias", "items/纽扣电池", "", False), id="alias"),
        pytest.param("教 #1 跟奶茶杯一样", ("alias", "items/奶茶杯", "", False), id="alias-spoken"),
        pytest.param("教 #1 同 装修几点要停", ("alias", "topics/noise/decorate", "", False), id="alias-of-an-entry"),
    ],
)
async def test_a_lesson_is_queued(talk: Talk, text: str, queued: tuple[str, str, str, bool]) -> None:
    await talk.say(ASKED)
    reply = await staff(talk, text)
    assert "正在检查：#1「神奇宝贝球」" in reply.text
    assert await lessons(talk) == [queued]


async def test_an_answer_keeps_its_words(talk: Talk) -> None:
    await talk.say("周末装修要先登记吗")
    reply = await staff(talk, "教 #1：周六日不能装修，详见公约。")
    assert "（noise）" in reply.text
    assert await lessons(talk) == [("answer", "周六日不能装修，详见公约。", "noise", False)]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("教 #9 = 干垃圾", "没有 #9", id="no-such-number"),
        pytest.param("教 #1 = 花桶", "没有「花桶」这个桶", id="no-such-bin"),
        pytest.param("教 #1 同 没有的东西", "知识库里没有", id="no-such-item"),
        pytest.param("教 #1", "没看懂要教什么", id="nothing-said"),
        pytest.param("教 #1 干垃圾", "没看懂要教什么", id="no-sign"),
        pytest.param("教 #1 =", "没看懂要教什么", id="nothing-after-the-sign"),
    ],
)
async def test_what_cannot_be_taught_is_told_and_nothing_queued(talk: Talk, text: str, says: str) -> None:
    await talk.say(ASKED)
    assert says in (await staff(talk, text)).text
    assert await lessons(talk) == []


async def test_what_is_being_checked_or_taught_is_not_taught_again(talk: Talk) -> None:
    await talk.say(ASKED)
    await staff(talk, "教 #1 = 干垃圾")
    assert "正在检查，请等结果" in (await staff(talk, "教 #1 = 湿垃圾")).text
    (lesson,) = await talk.store.lessons()
    await settled(talk, lesson, state="taught", entry="items/神奇宝贝球")
    assert "已经教过了" in (await staff(talk, "教 #1 = 湿垃圾")).text
    assert len(await talk.store.lessons()) == 1


async def settled(talk: Talk, lesson: Lesson, **changes: object) -> None:
    """A lesson after it was worked off."""
    await talk.store.settle_lesson(replace(lesson, settled_at=talk.clock.now, **changes), lesson.state)


@pytest.mark.parametrize(
    ("seconds", "state", "says"),
    [(29, "undoing", "正在撤销 #1"), (30, "undoing", "正在撤销 #1"), (31, "taught", "已经超过30秒")],
)
async def test_taking_back_in_time(talk: Talk, seconds: int, state: str, says: str) -> None:
    await talk.say(ASKED)
    await staff(talk, "教 #1 = 干垃圾")
    (lesson,) = await talk.store.lessons()
    await settled(talk, lesson, state="taught", entry="items/神奇宝贝球")
    talk.clock.forward(seconds=seconds)
    assert says in (await staff(talk, "撤销")).text
    assert [lesson.state for lesson in await talk.store.lessons()] == [state]


async def test_nobody_takes_back_what_another_taught(talk: Talk) -> None:
    await talk.say(ASKED)
    await staff(talk, "教 #1 = 干垃圾")
    assert "您还没教过" in (await staff(talk, "撤销", user="other")).text
    assert "不教了" in (await staff(talk, "撤销 #1")).text
    assert "没有可以撤销的" in (await staff(talk, "撤销")).text


async def test_the_list_is_short_and_has_the_most_people_first(talk: Talk) -> None:
    for number in range(10):
        await talk.say(f"神奇{'甲乙丙丁戊己庚辛壬癸'[number] * 3}球怎么扔", user="u0")
    await talk.say("神奇癸癸癸球怎么扔", user="u1")
    lines = (await staff(talk, "未答")).text.split("\n")
    assert lines[0] == "还没答上的问题10个："
    assert lines[1] == "#10 神奇癸癸癸球怎么扔（2人）"
    assert lines[-2:] == ["还有2个", "教法：「教 #12 = 干垃圾」「教 #12 同 纽扣电池」「教 #12：答案」"]
    assert len(lines) == 11


async def test_the_list_begins_with_what_came_of_lessons(talk: Talk) -> None:
    await talk.say(ASKED)
    await staff(talk, "教 #1 = 干垃圾")
    assert (await staff(talk, "未答")).text.startswith("#1 正在检查")
    (lesson,) = await talk.store.lessons()
    await settled(talk, lesson, state="blocked", told="#1 没有教成\n因为")
    assert (await staff(talk, "未答")).text.startswith("#1 没有教成\n因为\n还没答上的问题1个")
    talk.clock.forward(hours=25)
    assert (await staff(talk, "未答")).text.startswith("还没答上的问题1个")


async def test_staff_of_a_branch_see_and_teach_what_was_asked_there(talk: Talk) -> None:
    await talk.say(ASKED, place="west-estate")
    assert "没有未答的问题" in (await staff(talk, "未答", staff_place="east")).text
    assert "没有 #1" in (await staff(talk, "教 #1 = 干垃圾", staff_place="east")).text
    assert "#1" in (await staff(talk, "未答", staff_place="west")).text
    assert "正在检查" in (await staff(talk, "教 #1 = 干垃圾", staff_place="west")).text


@pytest.mark.parametrize("text", ["未答", "教 #1 = 干垃圾"])
async def test_residents_are_refused(talk: Talk, text: str) -> None:
    await talk.say(ASKED)
    assert "只有工作人员能用" in (await talk.say(text)).reply.text
    assert (await talk.say(text, chat="g1", mentioned=False)).reply.action == "silent"
    assert await lessons(talk) == []


async def test_viewers_see_and_do_not_teach(talk: Talk) -> None:
    await talk.say(ASKED)
    assert "#1" in (await staff(talk, "未答", role="viewer")).text
    assert "只有工作人员能用" in (await staff(talk, "教 #1 = 干垃圾", role="viewer")).text


@pytest.mark.parametrize("text", ["未答", "教 #1 = 干垃圾"])
async def test_in_a_group_nothing_is_shown(talk: Talk, text: str) -> None:
    await talk.say(ASKED)
    reply = await staff(talk, text, chat="g1")
    assert "私聊" in reply.text
    assert ASKED not in reply.text


@pytest.mark.parametrize("text", ["教我垃圾分类", "教师节贺卡怎么扔", "教教我5号电池扔哪", "撤销"])
async def test_ordinary_words_are_not_taken_for_orders(talk: Talk, text: str) -> None:
    reply = (await talk.say(text)).reply
    assert "工作人员能用" not in reply.text
    assert "教法" not in reply.text


@pytest.mark.parametrize(("out", "back"), [("退订", "订阅"), ("取消订阅", "恢复订阅")])
async def test_opting_out_and_in_again(talk: Talk, out: str, back: str) -> None:
    await talk.say(ASKED)
    assert "不再发消息" in (await talk.say(out)).reply.text
    assert await talk.store.askers(1, talk.clock.now) == []
    assert "恢复" in (await talk.say(back)).reply.text
    assert [asker.user for asker in await talk.store.askers(1, talk.clock.now)] == ["u1"]


async def test_a_wish_not_meant_for_the_bot_changes_nothing(talk: Talk) -> None:
    assert (await talk.say("退订", chat="g1", mentioned=False)).reply.action == "silent"
    assert (await talk.store.stored_about("u1"))["opted_out"] is None
