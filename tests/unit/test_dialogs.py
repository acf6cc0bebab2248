"""What residents say and what must come back, on the shipped knowledge: a case a conversation of tests/dialogs.

A conversation: `{name, steps, city?, xfail?, speak?}`. A step: `{say, user?, chat?, place?, mentioned?, role?,
minutes?, expect}`; it begins on Tuesday, 2026-12-01, at 12:00 in Shanghai, and `minutes` pass before it is said.
`expect: silent`, or any of action, entry, topic, items (name → category, in order), options (labels that stand among
those offered), reason, text_has, text_lacks, inferred, unanswered, alert.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.brain import Brain
from bot.kb.slugs import OUT_OF_SCOPE, TOPIC_NAMES
from bot.records import Reply
from tests.conftest import MakeTalk, Talk

FOLDER = Path(__file__).parents[1] / "dialogs"
STEP = {"say", "user", "chat", "place", "mentioned", "role", "minutes", "expect", "media", "from_robot"}
EXPECT = {
    "action",
    "entry",
    "topic",
    "items",
    "options",
    "reason",
    "text_has",
    "text_lacks",
    "inferred",
    "unanswered",
    "alert",
}
LONGEST = {"answer": 400, "clarify": 160, "fallback": 160, "handoff": 160, "silent": 0}


def conversations() -> list[Any]:
    """Every conversation of every file, as a test case of its own."""
    found = []
    for path in sorted(FOLDER.glob("*.yaml")):
        for n, told in enumerate(yaml.safe_load(path.read_text(encoding="utf-8"))):
            marks = [pytest.mark.xfail(strict=True, reason=told["xfail"])] if "xfail" in told else []
            found.append(pytest.param(told, id=f"{path.stem}-{told.get('name', n)}", marks=marks))
    return found


def seen(reply: Reply, expect: Mapping[str, Any]) -> dict[str, Any]:
    """Of the reply, what is expected of it, in the same form."""
    told: dict[str, Any] = {
        "action": reply.action,
        "entry": reply.entry,
        "topic": reply.topic,
        "reason": reply.reason,
        "items": {item.name: item.category for item in reply.items},
        "inferred": any(item.inferred for item in reply.items),
        "unanswered": reply.unanswered,
        "alert": reply.alert is not None,
        "options": [label for label in expect.get("options", []) if label in {o.label for o in reply.options}],
        "text_has": [part for part in expect.get("text_has", []) if part in reply.text],
        "text_lacks": [part for part in expect.get("text_lacks", []) if part not in reply.text],
    }
    return {key: told[key] for key in expect}


@pytest.mark.parametrize("told", conversations())
async def test_conversation(told: Mapping[str, Any], make_talk: MakeTalk, shipped_in: Callable[[str], Brain]) -> None:
    talk: Talk = make_talk(shipped_in(told.get("city", "shanghai")), speak=told.get("speak", "confident"))
    for step in told["steps"]:
        talk.clock.forward(minutes=step.get("minutes", 0))
        said = {key: value for key, value in step.items() if key not in ("say", "expect", "minutes")}
        reply = (await talk.say(step["say"], **said)).reply
        expect = {"action": "silent"} if step["expect"] == "silent" else step["expect"]
        assert seen(reply, expect) == dict(expect), f"{step['say']!r} got {reply}"
        if "items" in expect:
            assert [item.name for item in reply.items] == list(expect["items"])
        assert len(reply.text) <= LONGEST[reply.action]
        assert not {"{", "}"} & set(reply.text)
        talk.clock.forward(seconds=1)


def test_conversations_are_well_written() -> None:
    """A misspelt key would expect nothing."""
    names = []
    for case in conversations():
        (told,) = case.values
        assert told.keys() <= {"name", "steps", "city", "xfail", "speak"}, told
        for step in told["steps"]:
            assert step.keys() <= STEP, step
            assert step["expect"] == "silent" or step["expect"].keys() <= EXPECT, step
            assert step["expect"], step
        names.append(case.id)
    assert len(names) == len(set(names)) >= 120


def test_every_topic_is_talked_of() -> None:
    told = {
        step["expect"].get("topic")
        for case in conversations()
        for step in case.values[0]["steps"]
        if step["expect"] != "silent"
    }
    assert not {*TOPIC_NAMES, OUT_OF_SCOPE, "waste.item"} - told
