"""The frozen questions: conversations in YAML, what residents say and what must come back.

A conversation: `{name?, steps, city?, xfail?, speak?}`. A step: `{say, user?, chat?, place?, mentioned?, role?,
minutes?, media?, from_robot?, expect}`; `minutes` pass before it is said. `expect: silent`, or any of action, entry,
topic, items (name → category, in order), options (labels that stand among those offered), reason, text_has, text_lacks,
inferred, unanswered, alert.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, model_validator

from bot import strict_yaml
from bot.errors import Fault
from bot.kb.entries import Category, Strict, Text
from bot.records import Action, Media, Reply, Role, SilenceReason

SHIPPED = Path(__file__).parents[2] / "tests" / "dialogs"
"""The conversations that come with the program; they are held in CITY unless they name another."""
CITY = "shanghai"
OWN = "dialogs"
"""The folder in the knowledge for the site's own; a file there replaces the shipped one of the same name."""

LONGEST: dict[str, int] = {"answer": 400, "clarify": 160, "fallback": 160, "handoff": 160, "silent": 0}
"""Characters of a reply, by its action."""


def _as_tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _as_texts(value: object) -> object:
    """Numbers are texts here: `text_has: [12345]`."""
    if not isinstance(value, list):
        return value
    return tuple(str(part) if type(part) is int else part for part in value)


def _as_action(value: object) -> object:
    return {"action": "silent"} if value == "silent" else value


Texts = Annotated[tuple[Text, ...], BeforeValidator(_as_texts)]


class Expect(Strict):
    """What must come back; only what is given is looked at."""

    action: Action | None = None
    entry: str | None = None
    topic: str | None = None
    items: dict[str, Category] | None = None
    options: Texts | None = None
    reason: SilenceReason | None = None
    text_has: Texts | None = None
    text_lacks: Texts | None = None
    inferred: bool | None = None
    unanswered: bool | None = None
    alert: bool | None = None

    @model_validator(mode="after")
    def _something(self) -> Expect:
        if not self.model_fields_set:
            raise ValueError("expects nothing — give at least one of its keys, or: silent")
        return self


class Step(Strict):
    """One thing that is said."""

    say: str
    user: str = "u1"
    chat: str | None = None
    place: str | None = None
    mentioned: bool = True
    role: Role | None = None
    minutes: int = 0
    media: Media = "text"
    from_robot: bool = False
    expect: Annotated[Expect, BeforeValidator(_as_action)]


class Conversation(Strict):
    """Steps one after the other. `xfail`: why it is known not to hold yet."""

    name: str = ""
    steps: Annotated[tuple[Step, ...], BeforeValidator(_as_tuple)]
    city: str = ""
    speak: Literal["mentioned", "confident", "always"] = "confident"
    xfail: str = ""


@dataclass(frozen=True, slots=True)
class Dialog:
    """A conversation, where it stands, and the city it is held in."""

    told: Conversation
    name: str  # of its file and its own, or its number
    city: str
    file: str
    lines: tuple[int, ...]  # of each step


class _File(Strict):
    conversations: Annotated[tuple[Conversation, ...], BeforeValidator(_as_tuple)]


def read_dialogs(knowledge: Path, city: str, shipped: Path) -> tuple[list[Dialog], list[Fault]]:
    """The shipped conversations and those of a knowledge folder, whose own are held in the site's `city`; and every
    fault in them."""
    own = sorted((knowledge / OWN).glob("*.yaml"))
    replaced = {path.name for path in own}
    others = [path for path in sorted(shipped.glob("*.yaml")) if path.name not in replaced]
    dialogs: list[Dialog] = []
    faults: list[Fault] = []
    for paths, shown, default in ((others, "tests/dialogs", CITY), (own, f"{knowledge.name}/{OWN}", city)):
        for path in paths:
            found, wrong = _read(path, f"{shown}/{path.name}", default)
            dialogs += found
            faults += wrong
    return dialogs, faults


def _read(path: Path, shown: str, city: str) -> tuple[list[Dialog], list[Fault]]:
    document, faults = strict_yaml.parse(path.read_text(encoding="utf-8"), shown)
    wrapped = strict_yaml.Document(
        shown,
        {"conversations": document.value},
        {("conversations", *place): line for place, line in document.lines.items()},
    )
    if faults:
        return [], faults
    found = strict_yaml.validate(_File, wrapped)
    if isinstance(found, list):
        return [], found
    return list(_dialogs(found.conversations, wrapped, city)), list(_repeated(found.conversations, wrapped))


def _dialogs(told: Sequence[Conversation], document: strict_yaml.Document, city: str) -> Iterator[Dialog]:
    for n, conversation in enumerate(told):
        at = ("conversations", n, "steps")
        lines = tuple(document.line((*at, m)) for m in range(len(conversation.steps)))
        name = f"{Path(document.file).stem}-{conversation.name or n}"
        yield Dialog(conversation, name, conversation.city or city, document.file, lines)


def _repeated(told: Sequence[Conversation], document: strict_yaml.Document) -> Iterator[Fault]:
    seen: set[str] = set()
    for n, conversation in enumerate(told):
        if conversation.name and conversation.name in seen:
            what = f"name '{conversation.name}' stands twice"
            yield Fault(document.file, document.line(("conversations", n, "name")), what, "rename one")
        seen.add(conversation.name)


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing expected that did not come."""

    key: str
    expected: object
    got: object


def differences(reply: Reply, expect: Expect) -> list[Difference]:
    """Where a reply is not as expected, is too long for a phone, or shows a placeholder."""
    found = [
        Difference(key, expected, got)
        for key in sorted(expect.model_fields_set)
        if (expected := getattr(expect, key)) != (got := _seen(reply, key, expected))
    ]
    if expect.items is not None and list(expect.items) != [item.name for item in reply.items]:
        found.append(Difference("items in order", list(expect.items), [item.name for item in reply.items]))
    if len(reply.text) > LONGEST.get(reply.action, max(LONGEST.values())):
        found.append(Difference("characters", LONGEST[reply.action], len(reply.text)))
    if {"{", "}"} & set(reply.text):
        found.append(Difference("placeholders", [], reply.text))
    return found


def _seen(reply: Reply, key: str, expected: object) -> object:
    """Of the reply, what is expected of it, in the same form."""
    if key == "items":
        return {item.name: item.category for item in reply.items}
    if key == "options" and isinstance(expected, tuple):
        offered = {option.label for option in reply.options}
        return tuple(label for label in expected if label in offered)
    if key == "text_has" and isinstance(expected, tuple):
        return tuple(part for part in expected if part in reply.text)
    if key == "text_lacks" and isinstance(expected, tuple):
        return tuple(part for part in expected if part not in reply.text)
    if key == "inferred":
        return any(item.inferred for item in reply.items)
    if key == "alert":
        return reply.alert is not None
    return getattr(reply, key)
