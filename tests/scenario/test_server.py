"""The door from outside: every channel's round trip, repetitions, nonces, refusals, draining, the health pages."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.app import build
from bot.errors import FaultyFile, StoreUnavailable
from bot.plain_http import BODY_BYTES
from bot.settings import load
from tests.scenario.callers import Call, ask, clear_json, clear_xml, heard, post_json, sealed, url_check
from tests.scenario.conftest import NOW, running

QUESTION = "奶茶杯扔哪个桶"
ANSWER = "干垃圾"
TENCENT = ("mp", "app", "aibot")
EVERY = (*TENCENT, "gateway", "try")


@pytest.mark.parametrize("channel", EVERY)
async def test_a_question_is_answered_in_the_response(site, channel):
    answer = await site.call(ask(channel, QUESTION, NOW))
    assert answer.status == 200
    assert ANSWER in heard(channel, answer.body)
    [turn] = await site.turns()
    assert (turn.channel, turn.message_id, turn.text, turn.reply.action) == (channel, "7", QUESTION, "answer")
    assert turn.user.startswith("u_")
    assert turn.received_at == NOW
    assert turn.place == "qingxi"


@pytest.mark.parametrize("channel", TENCENT)
async def test_the_platform_checks_the_address(site, channel):
    answer = await site.call(url_check(channel, "4375120948345356249", NOW))
    assert (answer.status, answer.body) == (200, b"4375120948345356249")
    assert await site.turns() == []


async def test_the_answer_object_is_whole(site):
    answer = await site.call(ask("gateway", QUESTION, NOW, message_id="m1", user="u7", chat="g1"))
    given = json.loads(answer.body)
    assert list(given) == [
        "id", "to", "action", "topic", "entry", "items", "options", "record", "text", "reason", "score", "latency_ms",
    ]  # fmt: skip
    assert (given["id"], given["to"], given["action"]) == ("m1", "u7", "answer")
    assert given["latency_ms"] > 0


async def test_unmentioned_chat_is_met_with_silence(site):
    answer = await site.call(ask("gateway", "今天手机电池没电了", NOW, chat="g1", mentioned=False))
    given = json.loads(answer.body)
    assert (given["action"], given["text"]) == ("silent", "")
    [turn] = await site.turns()
    assert turn.text is None
    assert turn.reply.reason


@pytest.mark.parametrize("channel", EVERY)
async def test_a_repetition_gets_the_same_reply_and_counts_once(site, channel):
    first = await site.call(ask(channel, QUESTION, NOW))
    site.clock.now += timedelta(seconds=5)
    again = await site.call(ask(channel, QUESTION, site.clock.now, nonce="another"))
    assert (first.status, again.status) == (200, 200)
    assert heard(channel, again.body) == heard(channel, first.body) != ""
    assert len(await site.turns()) == 1


@pytest.mark.parametrize("channel", EVERY)
async def test_simultaneous_deliveries_get_one_reply(site, channel):
    call = ask(channel, "奶茶杯扔哪个桶，谢谢", NOW)
    answers = await asyncio.gather(*(site.call(call) for _ in range(8)))
    assert {answer.status for answer in answers} == {200}
    assert len({heard(channel, answer.body) for answer in answers}) == 1
    assert len(await site.turns()) == 1


async def test_simultaneous_deliveries_are_answered_by_one_piece_of_work(site, monkeypatch):
    kept = []
    keep = site.app.store.keep

    async def counting(keeping):
        kept.append(keeping)
        return await keep(keeping)

    monkeypatch.setattr(site.app.store, "keep", counting)
    await asyncio.gather(*(site.call(ask("gateway", QUESTION, NOW)) for _ in range(8)))
    assert len(kept) == 1


@pytest.mark.parametrize("channel", EVERY)
async def test_a_repetition_after_a_restart_gets_the_same_reply(config, clock, channel):
    call = ask(channel, QUESTION, NOW)
    async with running(config, clock) as site:
        first = await site.call(call)
    async with running(config, clock) as site:
        again = await site.call(call)
        assert heard(channel, again.body) == heard(channel, first.body) != ""
        assert len(await site.turns()) == 1


@pytest.mark.parametrize("channel", ["mp", "app"])
async def test_events_of_one_second_are_both_kept(site, channel):
    for key in ("help", "about"):
        clear = clear_xml("", "", "u1", MsgType="event", Event="CLICK", EventKey=key, MsgId=None, Content=None)
        for repetition in range(2):
            answer = await site.call(sealed(channel, clear, NOW, f"n-{key}-{repetition}"))
            assert answer.status == 200
    assert [turn.kind for turn in await site.turns()] == ["event", "event"]


@pytest.mark.parametrize("channel", TENCENT)
async def test_a_nonce_with_another_body_is_refused(site, channel):
    first = ask(channel, QUESTION, NOW, message_id="1", nonce="once")
    assert (await site.call(first)).status == 200
    assert (await site.call(ask(channel, QUESTION, NOW, message_id="2", nonce="once"))).status == 403
    again = await site.call(first)
    assert again.status == 200
    assert ANSWER in heard(channel, again.body)
    assert [turn.message_id for turn in await site.turns()] == ["1"]


@pytest.mark.parametrize("channel", TENCENT)
async def test_of_two_bodies_with_one_nonce_at_one_moment_one_is_kept(site, channel):
    calls = [ask(channel, QUESTION, NOW, message_id=str(n), user=f"u{n}", nonce="once") for n in (1, 2)]
    answers = await asyncio.gather(*map(site.call, calls))
    assert sorted(answer.status for answer in answers) == [200, 403]
    assert len(await site.turns()) == 1


async def test_a_stream_is_refreshed_with_the_reply_it_belongs_to(site):
    first = await site.call(ask("aibot", QUESTION, NOW, message_id="M1"))
    refresh = json.dumps({"msgtype": "stream", "from": {"userid": "u1"}, "stream": {"id": "s.M1"}})
    again = await site.call(sealed("aibot", refresh, NOW, "n2"))
    assert heard("aibot", again.body) == heard("aibot", first.body) != ""
    assert len(await site.turns()) == 1


async def test_what_is_said_in_a_chat_is_answered_in_order(site, monkeypatch):
    """A choice that comes in while the question before it is still being kept finds the options."""
    keep, asked = site.app.store.keep, asyncio.Event()

    async def slow(keeping):
        asked.set()
        await asyncio.wait([chosen], timeout=0.05)
        return await keep(keeping)

    monkeypatch.setattr(site.app.store, "keep", slow)
    question = site.call(ask("gateway", "电池怎么扔", NOW, message_id="1", chat="g1"))
    question = asyncio.create_task(question)
    chosen = asyncio.create_task(_after(asked, site.call(ask("gateway", "2", NOW, message_id="2", chat="g1"))))
    actions = [json.loads((await task).body)["action"] for task in (question, chosen)]
    assert actions == ["clarify", "answer"]


async def _after(event, work):
    await event.wait()
    return await work


@pytest.mark.parametrize(
    ("given", "status"),
    [
        pytest.param(None, 200, id="absent"),
        pytest.param("application/json", 200, id="right"),
        pytest.param("Application/JSON; charset=utf-8", 200, id="with-charset"),
        pytest.param("text/xml", 415, id="of-another-channel"),
        pytest.param("application/x-www-form-urlencoded", 415, id="form"),
        pytest.param("application/json5", 415, id="nearly"),
    ],
)
async def test_content_types_of_a_json_channel(site, given, status):
    assert (await site.call(ask("try", QUESTION, NOW).with_headers(Content_Type=given))).status == status


@pytest.mark.parametrize(
    ("given", "status"), [("text/xml", 200), ("application/xml", 200), (None, 200), ("text/plain", 415)]
)
async def test_content_types_of_an_xml_channel(site, given, status):
    assert (await site.call(ask("app", QUESTION, NOW).with_headers(Content_Type=given))).status == status


@pytest.mark.parametrize(("size", "status"), [(BODY_BYTES, 200), (BODY_BYTES + 1, 413)])
async def test_a_body_up_to_64_kib_is_read(site, size, status):
    body = json.dumps({"text": QUESTION}).encode()
    assert (await site.call(post_json("try", body.ljust(size), NOW))).status == status


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"])
async def test_other_methods_are_405(site, method):
    assert (await site.call(replace(ask("app", QUESTION, NOW), method=method))).status == 405


@pytest.mark.parametrize("channel", ["gateway", "try"])
async def test_a_get_where_no_address_is_checked_is_405(site, channel):
    assert (await site.call(Call(f"/channels/{channel}", method="GET"))).status == 405


@pytest.mark.parametrize("path", ["/channels/other", "/channels/", "/channels", "/channels/app/x", "/channels/%2fapp"])
async def test_an_unknown_channel_is_404(site, path):
    assert (await site.call(replace(ask("app", QUESTION, NOW), path=path))).status == 404


async def test_while_draining_nothing_is_taken_and_readiness_is_red(site):
    site.app.door.draining = True
    for call in (ask("app", QUESTION, NOW), url_check("app", "1", NOW)):
        assert (await site.call(call)).status == 503
    answer = await site.call(Call("/readyz", method="GET"))
    assert answer.status == 503
    assert "draining" in json.loads(answer.body)["reasons"]
    assert (await site.call(Call("/healthz", method="GET"))).status == 200
    assert await site.turns() == []


async def test_what_cannot_be_kept_is_not_acknowledged(site, monkeypatch):
    async def full(keeping):
        raise StoreUnavailable("disk full")

    with monkeypatch.context() as patched:
        patched.setattr(site.app.store, "keep", full)
        refused = await site.call(ask("app", QUESTION, NOW))
    assert (refused.status, refused.body) == (503, b"")
    again = await site.call(ask("app", QUESTION, NOW))
    assert again.status == 200
    assert len(await site.turns()) == 1


async def test_a_mistake_of_ours_is_500_without_words(site, monkeypatch, caplog):
    async def wrong(keeping):
        raise RuntimeError("ours")

    monkeypatch.setattr(site.app.store, "keep", wrong)
    answer = await site.call(ask("app", QUESTION, NOW))
    assert (answer.status, answer.body) == (500, b"")
    assert "a request failed" in caplog.messages


async def test_readiness_is_red_when_nothing_was_committed_lately(site, monkeypatch):
    ready = Call("/readyz", method="GET")
    assert (await site.call(ready)).status == 200
    monkeypatch.setattr(type(site.app.store), "last_commit_age", property(lambda store: 5.01))
    answer = await site.call(ready)
    assert answer.status == 503
    assert json.loads(answer.body)["reasons"] == ["the store has not committed lately"]


async def test_a_role_comes_from_the_signed_identity_alone(site):
    async def said(channel, user, text, number):
        call = ask(channel, text, NOW, message_id=f"{channel}{number}", user=user, chat="g1")
        await site.call(call)

    await said("gateway", "管理员", "安静", 1)
    await said("try", "pretender", "安静", 2)
    await said("try", "boss", "安静", 3)
    await said("gateway", "watcher", "安静", 4)
    answer = await site.call(ask("gateway", QUESTION, NOW, message_id="5", chat="g1"))
    assert json.loads(answer.body)["action"] == "answer"
    await said("gateway", "boss", "安静", 6)
    answer = await site.call(ask("gateway", QUESTION, NOW, message_id="7", chat="g1"))
    assert json.loads(answer.body)["reason"] == "paused"


async def test_platform_ids_of_residents_are_not_in_the_database(site, config):
    user = "oRaw-Platform-Id-4711"
    more = {"response_url": "https://qyapi.weixin.qq.com/raw-response-code"}
    await site.call(sealed("aibot", clear_json(QUESTION, "1", user, "g1", **more), NOW, "n1"))
    [turn] = await site.turns()
    kept = await site.app.store.address_of(turn.user, NOW)
    assert site.app.vault.open(kept) == {"user": user, "chat": "g1", **more}
    assert await site.app.store.address_of(turn.user, NOW + timedelta(hours=1)) is None
    everything = b"".join(path.read_bytes() for path in (config.parent / "data").glob("lvlin.db*"))
    assert turn.user.encode() in everything
    assert user.encode() not in everything
    assert b"raw-response-code" not in everything


@pytest.mark.parametrize("channel", ["mp", "app", "gateway"])
async def test_an_address_lasts_48_hours(site, channel):
    await site.call(ask(channel, QUESTION, NOW))
    [turn] = await site.turns()
    assert await site.app.store.address_of(turn.user, NOW + timedelta(hours=47, minutes=59)) is not None
    assert await site.app.store.address_of(turn.user, NOW + timedelta(hours=48)) is None


async def test_who_unsubscribes_is_forgotten(site):
    await site.call(ask("mp", QUESTION, NOW, message_id="1"))
    [before] = await site.turns()
    gone = clear_xml("", "", "u1", MsgType="event", Event="unsubscribe", MsgId=None, Content=None)
    answer = await site.call(sealed("mp", gone, NOW, "n2"))
    assert (answer.status, answer.body) == (200, b"success")
    after = await site.turns()
    assert len(after) == 2
    assert all(turn.user != before.user and turn.text is None for turn in after)
    assert await site.app.store.address_of(before.user, NOW) is None


async def test_the_figures_count_what_happened(site):
    await site.call(ask("app", QUESTION, NOW))
    await site.call(ask("app", QUESTION, NOW).with_query(msg_signature="wrong"))
    shown = (await site.call(Call("/metrics", method="GET"))).body.decode()
    assert 'lvlin_messages_total{action="answer",channel="app"} 1.0' in shown
    assert 'lvlin_refusals_total{status="403"} 1.0' in shown
    for histogram in ("request", "turn", "matching"):
        assert f"\nlvlin_{histogram}_seconds_count 1.0" in shown
        assert f'\nlvlin_{histogram}_seconds_bucket{{le="+Inf"}} 1.0' in shown
    assert "\nlvlin_writer_queue " in shown
    assert f'lvlin_knowledge_info{{version="{site.app.knowledge.version}"}} 1.0' in shown


async def test_the_same_refusal_is_logged_only_a_few_times(site, caplog):
    for _ in range(20):
        await site.call(ask("app", QUESTION, NOW).with_query(msg_signature="wrong"))
    assert 1 <= caplog.messages.count("request refused") <= 6
    refused = [record for record in caplog.records if record.msg == "request refused"]
    told = {(record.channel, record.status, record.why) for record in refused}
    assert told == {("app", 403, "signature: it is wrong")}


async def test_the_simulator_is_served(site):
    answer = await site.call(Call("/", method="GET"))
    assert answer.status == 200
    assert "绿苑社区" in answer.body.decode()
    body = json.dumps({"text": QUESTION}).encode()
    explained = await site.call(Call("/simulator/explain", body, (), {"Content-Type": "application/json"}))
    assert json.loads(explained.body)["kind"] == "items"


async def test_staff_of_a_place_that_is_not_there_stops_the_start(config, clock):
    config.write_text(config.read_text().replace("role: editor", "role: editor, place: nowhere"))
    with pytest.raises(FaultyFile, match="nowhere"):
        await build(load(config, {}), now=clock)
