"""「安静」 and 「继续」: see also TestStaff in test_turns.py."""

from __future__ import annotations

import pytest

from bot.records import Role
from tests.conftest import Talk


@pytest.mark.parametrize(
    ("role", "place", "obeyed"),
    [
        pytest.param("viewer", "", False, id="viewer"),
        pytest.param("editor", "", True, id="editor"),
        pytest.param("approver", "", True, id="approver"),
        pytest.param("admin", "east", True, id="admin-of-this-branch"),
        pytest.param("admin", "west", False, id="admin-of-another-branch"),
    ],
)
async def test_who_may(talk: Talk, role: Role, place: str, obeyed: bool) -> None:
    turn = await talk.say("安静", chat="g1", role=role, staff_place=place)
    assert turn.reply.text == ("我先安静。" if obeyed else "只有工作人员能用，请联系东社区居委会（000-2）。")
    assert turn.reply.chat is not None
    assert turn.reply.chat.paused is obeyed


async def test_not_in_private(talk: Talk) -> None:
    assert (await talk.say("安静", role="admin")).reply.text != "我先安静。"


async def test_a_resident_s_word_uncalled_is_no_affair_of_ours(talk: Talk) -> None:
    assert (await talk.say("安静", chat="g1", mentioned=False)).reply.action == "silent"


async def test_a_refusal_is_logged_without_names(talk: Talk, caplog: pytest.LogCaptureFixture) -> None:
    await talk.say("安静", chat="g1", user="u77")
    assert "staff word refused" in caplog.text
    assert "u77" not in caplog.text


@pytest.mark.parametrize("speak", ["mentioned", "confident", "always"])
async def test_obeyed_however_talkative_the_bot_is(make_talk: object, speak: str) -> None:
    talk = make_talk(speak=speak)  # type: ignore[operator]
    turn = await talk.say("安静", chat="g1", role="editor", mentioned=False)
    assert turn.reply.text == "我先安静。"
