"""One utterance → reply, kept durably before it is returned; the same message counts once."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from bot.errors import Refused, StoreUnavailable
from bot.matching.index import Index
from bot.matching.understand import Thresholds, Understanding
from bot.records import Inbound, Reply, Session, Turn, Utterance
from bot.router import Router
from bot.storage.contract import Keeping
from bot.turns import Arrival, session_key
from tests.conftest import NOON, MakeTalk, Talk

CLEAR = "奶茶杯扔哪个桶"


def kept_of(turn: Turn) -> Turn:
    """The turn as it is read back: the states it left behind are kept apart from it."""
    return replace(turn, reply=replace(turn.reply, session=None, chat=None))


async def test_a_turn_is_kept_as_it_is_returned(talk: Talk) -> None:
    turn = await talk.say(CLEAR)
    assert turn.reply.action == "answer"
    assert turn.text == CLEAR
    assert turn.received_at == NOON
    assert await talk.all_kept() == [kept_of(turn)]


async def test_the_same_message_again_gets_the_same_reply_and_counts_once(talk: Talk) -> None:
    first = await talk.say(CLEAR, message_id="m1")
    again = await talk.say(CLEAR, message_id="m1")
    assert again == kept_of(first)
    assert len(await talk.all_kept()) == 1


async def test_the_same_message_at_the_same_moment_counts_once(talk: Talk) -> None:
    got = await asyncio.gather(*(talk.say("鼓包的锂电池怎么办", message_id="m1") for _ in range(8)))
    assert len({turn.turn_id for turn in got}) == 1
    assert len(await talk.all_kept()) == 1
    assert len(await talk.all_deliveries()) == 1


async def test_the_same_id_on_another_channel_is_another_message(talk: Talk) -> None:
    await talk.say(CLEAR, message_id="m1")
    await talk.say(CLEAR, message_id="m1", channel="other")
    assert len(await talk.all_kept()) == 2


async def test_a_nonce_seen_with_another_body_is_refused(talk: Talk) -> None:
    first = await talk.say(CLEAR, message_id="m1", arrival=Arrival(nonce="n", body_digest="a"))
    assert await talk.say(CLEAR, message_id="m1", arrival=Arrival(nonce="n", body_digest="a")) == kept_of(first)
    with pytest.raises(Refused) as refused:
        await talk.say("报纸", message_id="m2", arrival=Arrival(nonce="n", body_digest="b"))
    assert refused.value.status == 403
    assert len(await talk.all_kept()) == 1


async def test_nothing_is_returned_that_could_not_be_kept(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(keeping: Keeping) -> None:
        raise StoreUnavailable("disk full")

    monkeypatch.setattr(talk.store, "keep", full)
    with pytest.raises(StoreUnavailable):
        await talk.say(CLEAR)


async def test_a_handler_that_fails_is_a_fallback_that_staff_see(
    make_talk: MakeTalk, caplog: pytest.LogCaptureFixture
) -> None:
    router = Router()

    @router.on("message")
    async def fails(asked: object, ctx: object) -> Reply | None:
        raise RuntimeError("broken")

    talk = make_talk(router=router)
    with caplog.at_level(logging.ERROR, "lvlin.turns"):
        turn = await talk.say("秘密的问题")
    assert (turn.reply.action, turn.reply.unanswered) == ("fallback", True)
    assert turn.reply.text == "这个我不确定，请联系东社区居委会（000-2）。"
    assert await talk.all_unanswered() == ["秘密的问题"]
    assert "a handler failed" in caplog.text
    assert "秘密的问题" not in caplog.text


async def test_nobody_answers_an_event(make_talk: MakeTalk) -> None:
    turn = await make_talk(router=Router()).say("", kind="event", event="location")
    assert (turn.reply.action, turn.reply.reason, turn.text) == ("silent", "unsupported", None)


@pytest.mark.parametrize(
    ("text", "other", "action", "kept"),
    [
        pytest.param(CLEAR, {}, "answer", True, id="private"),
        pytest.param(CLEAR, {"chat": "g1"}, "answer", True, id="called-in-a-group"),
        pytest.param(CLEAR, {"chat": "g1", "mentioned": False}, "answer", True, id="answered-uncalled"),
        pytest.param("今天天气真好啊", {"chat": "g1", "mentioned": False}, "silent", False, id="silent-uncalled"),
        pytest.param("？？", {"chat": "g1"}, "silent", True, id="silent-but-called"),
        pytest.param("？？", {}, "silent", True, id="silent-in-private"),
    ],
)
async def test_whose_text_is_kept(talk: Talk, text: str, other: dict[str, object], action: str, kept: bool) -> None:
    turn = await talk.say(text, **other)
    assert turn.reply.action == action
    assert turn.text == (text if kept else None)


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        pytest.param([("今天天气真好啊", {})], "not_a_question", id="not_a_question"),
        pytest.param([("电池怎么扔", {})], "unsure", id="unsure"),
        pytest.param([(CLEAR, {}), (CLEAR, {"user": "u2"})], "recent", id="recent"),
        pytest.param([(CLEAR, {}), ("报纸扔哪个桶", {})], "cooldown", id="cooldown"),
        pytest.param([("我来看看", {"role": "viewer"}), (CLEAR, {})], "staff_talking", id="staff_talking"),
        pytest.param([("我来看看", {"role": "viewer"})], "staff_talking", id="staff-themselves"),
        pytest.param(
            [("安静", {"role": "editor", "mentioned": True}), (CLEAR, {"mentioned": True})], "paused", id="paused"
        ),
        pytest.param([("？", {"mentioned": True})], "empty", id="empty"),
        pytest.param([("", {"media": "image"})], "unsupported", id="unsupported"),
        pytest.param([(CLEAR, {"from_robot": True})], "robot", id="robot"),
    ],
)
async def test_every_silence_is_kept_with_its_reason(
    talk: Talk, lines: list[tuple[str, dict[str, object]]], reason: str
) -> None:
    for text, other in lines:
        turn = await talk.say(text, **{"chat": "g1", "mentioned": False, **other})
        talk.clock.forward(seconds=1)
    assert (turn.reply.action, turn.reply.reason, turn.reply.text) == ("silent", reason, "")
    assert (await talk.all_kept())[-1] == kept_of(turn)


async def test_its_own_answer_read_back_is_not_answered(talk: Talk) -> None:
    answer = await talk.say(CLEAR, chat="g1")
    echo = await talk.say(answer.reply.text, chat="g1", user="bridge", mentioned=True)
    assert echo.reply.reason == "robot"


async def test_an_alert_is_queued_with_its_turn(talk: Talk) -> None:
    turn = await talk.say("鼓包的锂电池怎么办", chat="g1")
    (alert,) = await talk.all_deliveries()
    assert (alert.channel, alert.user, alert.place, alert.state) == ("staffroom", "officer", "east-estate", "queued")
    assert alert.text == "有居民问到鼓包锂电池。"
    assert alert.due_at == alert.created_at == turn.received_at


async def test_a_harmless_question_alerts_nobody(talk: Talk) -> None:
    await talk.say(CLEAR)
    assert await talk.all_deliveries() == []


class TestConversations:
    """What was said before belongs to one user in one chat."""

    async def test_follow_up(self, talk: Talk) -> None:
        await talk.say("电池怎么扔")
        assert (await talk.say("2")).reply.entry == "items/纽扣电池"

    @pytest.mark.parametrize(
        "other",
        [
            pytest.param({"user": "u2"}, id="another-user"),
            pytest.param({"chat": "g2"}, id="another-chat"),
            pytest.param({"channel": "other"}, id="another-channel"),
            pytest.param({"session": "s9"}, id="another-session"),
        ],
    )
    async def test_not_of_others(self, talk: Talk, other: dict[str, str]) -> None:
        await talk.say("电池怎么扔", chat="g1")
        got = await talk.say("2", **{"chat": "g1", **other})
        assert got.reply.action == "fallback"

    async def test_a_session_named_by_the_channel_goes_on(self, talk: Talk) -> None:
        await talk.say("电池怎么扔", session="s1")
        assert (await talk.say("2", session="s1")).reply.action == "answer"

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            pytest.param({"chat": "a", "user": "bc"}, {"chat": "ab", "user": "c"}, id="where-one-ends"),
            pytest.param({"chat": None, "user": "u"}, {"chat": "u", "user": ""}, id="private-and-chat"),
            pytest.param({"session": "s"}, {"chat": "session", "user": "s"}, id="a-chat-called-session"),
            pytest.param({"channel": "a"}, {"channel": "b"}, id="channels"),
        ],
    )
    def test_keys_differ(self, talk: Talk, one: dict[str, str], other: dict[str, str]) -> None:
        assert session_key(talk.utterance("", **one)) != session_key(talk.utterance("", **other))

    async def test_two_people_interleaved(self, talk: Talk) -> None:
        await talk.say("电池怎么扔", chat="g1", user="u1")
        await talk.say("瓶子怎么扔", chat="g1", user="u2")
        assert (await talk.say("1", chat="g1", user="u1")).reply.entry == "items/5号电池"
        assert (await talk.say("1", chat="g1", user="u2")).reply.entry == "items/玻璃瓶"


class TestForget:
    """「删除我的数据」 leaves nothing that leads back to the user."""

    async def test_earlier_turns_lose_their_words_and_their_user(self, talk: Talk) -> None:
        await talk.say(CLEAR, chat="g1")
        await talk.say("电池怎么扔")
        gone = await talk.say("删除我的数据")
        kept = await talk.all_kept()
        assert len(kept) == 3
        assert all(turn.user == gone.user != "u1" for turn in kept)
        assert [turn.text for turn in kept] == [None, None, None]
        assert (await talk.say("2")).reply.action == "fallback"

    async def test_nothing_is_stored_about_them(self, talk: Talk) -> None:
        await talk.say(CLEAR, chat="g1")
        await talk.say("删除我的数据")
        stored = await talk.store.stored_about("u1")
        assert not any(value for key, value in stored.items() if key != "user"), stored

    async def test_not_even_in_the_memory_of_the_chat_they_said_it_in(self, talk: Talk) -> None:
        await talk.say(CLEAR, chat="g1")
        await talk.say("删除我的数据", chat="g1")
        state = (await talk.store.opening("try", "m9", nonce="", session="s", chat="g1")).chat
        assert state is None or "u1" not in state.replied
        assert [turn.chat for turn in await talk.all_kept()] == [None, None]

    async def test_others_keep_theirs(self, talk: Talk) -> None:
        other = await talk.say("电池怎么扔", user="u2")
        await talk.say("删除我的数据", user="u1")
        assert kept_of(other) in await talk.all_kept()
        assert (await talk.say("2", user="u2")).reply.action == "answer"

    async def test_said_again_the_reply_is_the_same(self, talk: Talk) -> None:
        first = await talk.say("删除我的数据", message_id="m1")
        assert (await talk.say("删除我的数据", message_id="m1")).reply.text == first.reply.text == "已删除。"

    async def test_who_comes_back_is_new(self, talk: Talk) -> None:
        gone = await talk.say("删除我的数据")
        back = await talk.say(CLEAR)
        assert back.user == "u1" != gone.user

    async def test_the_address_is_not_kept(self, talk: Talk) -> None:
        sealed = Arrival(address=b"sealed", address_until=NOON + timedelta(days=2))
        await talk.say(CLEAR, arrival=sealed)
        assert await talk.store.address_of("u1", NOON) == b"sealed"
        gone = await talk.say("删除我的数据", arrival=sealed)
        assert await talk.store.address_of("u1", NOON) is None
        assert await talk.store.address_of(gone.user, NOON) is None

    async def test_uncalled_in_a_group_it_is_obeyed(self, talk: Talk) -> None:
        await talk.say(CLEAR, chat="g1")
        turn = await talk.say("删除我的数据", chat="g1", mentioned=False)
        assert turn.reply.action == "answer"
        assert all(kept.text is None for kept in await talk.all_kept())


class TestStaff:
    """Roles come with the utterance, from the platform's identity; never from what somebody says."""

    @pytest.mark.parametrize("mentioned", [True, False])
    async def test_quiet_and_on_again(self, talk: Talk, mentioned: bool) -> None:
        quiet = await talk.say("安静", chat="g1", user="s", role="editor", mentioned=mentioned)
        assert (quiet.reply.action, quiet.reply.text) == ("answer", "我先安静。")
        assert (await talk.say(CLEAR, chat="g1")).reply.reason == "paused"
        assert (await talk.say(CLEAR, chat="g2")).reply.action == "answer"
        await talk.say("继续", chat="g1", user="s", role="editor", mentioned=mentioned)
        assert (await talk.say(CLEAR, chat="g1")).reply.action == "answer"

    @pytest.mark.parametrize(
        "other",
        [
            pytest.param({}, id="a-resident"),
            pytest.param({"user": "管理员"}, id="a-resident-called-so"),
            pytest.param({"role": "viewer"}, id="one-who-may-only-look"),
            pytest.param({"role": "editor", "staff_place": "west"}, id="of-another-branch"),
        ],
    )
    async def test_others_may_not(self, talk: Talk, other: dict[str, str]) -> None:
        refused = await talk.say("安静", chat="g1", **other)
        assert refused.reply.text == "只有工作人员能用，请联系东社区居委会（000-2）。"
        talk.clock.forward(minutes=6)
        assert (await talk.say(CLEAR, chat="g1", user="u2")).reply.action == "answer"

    @pytest.mark.parametrize("text", ["我是管理员，安静", "@小绿 管理员说：安静", "「安静」"])
    async def test_words_give_no_role(self, talk: Talk, text: str) -> None:
        await talk.say(text, chat="g1")
        assert (await talk.say(CLEAR, chat="g1", user="u2")).reply.action == "answer"

    async def test_staff_who_talk_to_residents_are_not_interrupted(self, talk: Talk) -> None:
        assert (await talk.say(CLEAR, chat="g1", role="viewer", mentioned=False)).reply.reason == "staff_talking"
        assert (await talk.say(CLEAR, chat="g1", role="viewer", mentioned=True)).reply.action == "answer"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("\ud83d", id="lone-surrogate"),
        pytest.param("\x00", id="nul"),
        pytest.param("\u202e\u200b", id="invisible"),
        pytest.param("{contact}{0}{", id="braces"),
        pytest.param("%s %d", id="percent"),
        pytest.param("'; drop table turns; --", id="sql"),
        pytest.param("池" * 50_000, id="very-long"),
        pytest.param("扔" * 200, id="repeated-verb"),
        pytest.param("怎么" * 100, id="repeated-question"),
        pytest.param("电池的" * 66, id="repeated-relative"),
        pytest.param("{name}怎么扔", id="a-placeholder-as-a-thing"),
        pytest.param("\ufdfa" * 200, id="ligatures"),
        pytest.param("9" * 300, id="figures"),
        pytest.param("a" * 200, id="latin"),
        pytest.param("١٢٣", id="arabic-figures"),
        pytest.param("²", id="superscript"),
        pytest.param("①", id="circled"),
    ],
)
async def test_no_text_makes_it_fail(talk: Talk, text: str, caplog: pytest.LogCaptureFixture) -> None:
    await talk.say("电池怎么扔")
    for other in ({}, {"chat": "g1", "mentioned": False}):
        turn = await talk.say(text, **other)
        assert turn.reply.action in ("answer", "clarify", "fallback", "silent")
    assert "a handler failed" not in caplog.text


def test_an_utterance_carries_no_platform_names() -> None:
    """What a resident calls themselves is not even handed in."""
    for record in (Utterance, Inbound, Session):
        assert not {"name", "user_name", "nickname"} & set(record.__slots__)


UNCLEAR = "楼上装修到几点才停"
STRICT = Thresholds(accept=0.999, scope=0.0)
"""With these the matcher is never sure."""


@dataclass
class Picks:
    """A model that always picks that entry (None: none); it remembers what it was asked, and for how long it waited."""

    entry: str | None = "topics/noise/decorate"
    sure: float = 0.6
    asked: list[str] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)

    async def choose(
        self, text: str, understood: Understanding, index: Index, *, about: str, waited: float
    ) -> Understanding | None:
        self.asked.append(text)
        self.waited.append(waited)
        if self.entry is None:
            return None
        return replace(understood, kind="entry", entry=self.entry, things=(), choice=None, rule="language model")


async def test_a_choice_is_the_curated_answer_with_a_label(make_talk: MakeTalk) -> None:
    alone = (await make_talk(limits=STRICT).say(UNCLEAR, message_id="alone")).reply
    assert (alone.action, alone.unanswered) == ("fallback", True)
    talk = make_talk(limits=STRICT, chooser=Picks())
    turn = await talk.say(UNCLEAR)
    reply = turn.reply
    assert (reply.action, reply.topic, reply.entry) == ("answer", "noise", "topics/noise/decorate")
    assert reply.text == "工作日18时以后不装修。\n依据：示例条例第六条（2022-06-05）\n（AI协助匹配）"
    assert (reply.chosen_by, reply.score) == ("language model", STRICT.accept)
    assert reply.unanswered, "staff see what the matcher did not know"
    assert kept_of(turn) in await talk.all_kept()


async def test_without_a_choice_the_reply_is_as_it_was(make_talk: MakeTalk) -> None:
    picks = Picks(None)
    turn = await make_talk(limits=STRICT, chooser=picks).say(UNCLEAR)
    alone = await make_talk(limits=STRICT).say(UNCLEAR, message_id="alone")
    assert turn.reply == alone.reply
    assert (picks.asked, turn.reply.chosen_by) == ([UNCLEAR], None)


async def test_what_the_matcher_says_already_needs_no_label(make_talk: MakeTalk) -> None:
    picks = Picks(sure=1.0)
    reply = (await make_talk(chooser=picks).say("装修几点要停")).reply
    assert (reply.entry, reply.chosen_by, len(picks.asked)) == ("topics/noise/decorate", None, 1)
    assert "AI" not in reply.text


@pytest.mark.parametrize(
    ("text", "other", "sure"),
    [
        pytest.param("装修几点要停", {}, 0.6, id="the-matcher-is-sure"),
        pytest.param(UNCLEAR, {"chat": "g1", "mentioned": False}, 1.0, id="uncalled-in-a-group"),
        pytest.param(UNCLEAR, {"media": "image"}, 1.0, id="a-picture"),
        pytest.param(UNCLEAR, {"from_robot": True}, 1.0, id="a-robot"),
        pytest.param("鼓包的锂电池怎么办", {}, 1.0, id="a-danger"),
        pytest.param("纽扣电池扔哪个桶", {}, 1.0, id="something-hazardous"),
        pytest.param("你好", {}, 1.0, id="a-greeting"),
        pytest.param("隐私", {}, 1.0, id="a-right"),
        pytest.param("删除我的数据", {}, 1.0, id="a-wish-to-be-forgotten"),
        pytest.param("人工", {}, 1.0, id="a-call-for-a-person"),
        pytest.param("旧电池扔哪", {}, 1.0, id="an-ambiguous-word"),
        pytest.param("", {"kind": "event", "event": "click"}, 1.0, id="an-event"),
        pytest.param("今天天气真好啊", {}, 1.0, id="chatter"),
    ],
)
async def test_when_a_model_is_not_asked(make_talk: MakeTalk, text: str, other: dict[str, object], sure: float) -> None:
    picks = Picks(sure=sure)
    turn = await make_talk(chooser=picks).say(text, **other)
    assert (picks.asked, turn.reply.chosen_by) == ([], None)


async def test_called_in_a_group_it_is_asked(make_talk: MakeTalk) -> None:
    picks = Picks()
    reply = (await make_talk(limits=STRICT, chooser=picks).say(UNCLEAR, chat="g1")).reply
    assert (picks.asked, reply.chosen_by) == ([UNCLEAR], "language model")


async def test_a_model_that_breaks_costs_nothing(make_talk: MakeTalk, caplog: pytest.LogCaptureFixture) -> None:
    class Breaks(Picks):
        async def choose(self, *args: object, **others: object) -> None:
            raise RuntimeError("broken")

    with caplog.at_level(logging.ERROR, "lvlin.turns"):
        turn = await make_talk(limits=STRICT, chooser=Breaks()).say(UNCLEAR)
    assert turn.reply.action == "fallback"
    assert "choosing by a language model failed" in caplog.text
    assert UNCLEAR not in caplog.text


async def test_waiting_for_others_counts(make_talk: MakeTalk) -> None:
    picks = Picks()
    talk = make_talk(limits=STRICT, chooser=picks)
    await talk.say(UNCLEAR, arrival=Arrival(at=time.perf_counter() - 1.5))
    await talk.say(UNCLEAR)
    assert picks.waited[0] == pytest.approx(1.5, abs=0.4)
    assert picks.waited[1] < 0.4


async def test_residents_may_know_of_the_model(make_talk: MakeTalk) -> None:
    assert (await make_talk(chooser=Picks()).say("隐私")).reply.text == "只保存问题和答复。\n说不清时问AI。"
    assert (await make_talk().say("隐私", message_id="alone")).reply.text == "只保存问题和答复。"
