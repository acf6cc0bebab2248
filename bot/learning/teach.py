"""One lesson → the knowledge with it, how it would answer, whether it passes the gate; and published, or taken back.

It is worked out on a copy. The folder is changed only once everything passed, and only if nobody changed it meanwhile.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from bot.assembly import kept_versions, make_brain, make_turns, nobody_alerted, served_knowledge
from bot.brain import Brain
from bot.errors import LvlinError
from bot.kb.load import Knowledge, load
from bot.learning.edits import TAUGHT, with_entry, with_item, with_words
from bot.learning.lessons import LONGEST_NAME, SOURCE, CannotTeach, Subject, meant, phrases_of, subject_of
from bot.matching.index import Index
from bot.matching.pinyin import sounds
from bot.matching.understand import Thresholds
from bot.publishing.gate import Progress, examine
from bot.publishing.publish import publish, roll_back, unpublished
from bot.publishing.told import verdict_lines
from bot.publishing.versions import content_of, read, restore
from bot.records import Lesson, Reply, Unanswered, Utterance
from bot.settings import Settings
from bot.storage.memory import MemoryStore

Ask = tuple[str, str]
"""A question, and the place where it was asked."""

_REVIEW = timedelta(days=365)


class EditedMeanwhile(LvlinError):
    """The knowledge was changed while a lesson was worked out; the lesson can be tried again."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be written. `entry`: what answers then; `files`: name → new text, none where it is so already;
    `changes`: the same in words for staff."""

    entry: str
    files: Mapping[str, str]
    changes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """A lesson before the gate: what is written, and how each question of the cluster is answered then."""

    lesson: Lesson
    plan: Plan
    answers: tuple[tuple[str, Reply], ...]

    @property
    def unanswered(self) -> tuple[str, ...]:
        """Questions of the cluster that are still not answered."""
        return tuple(text for text, reply in self.answers if not answered(reply))


@dataclass(frozen=True, slots=True)
class Checked:
    """A lesson after the gate. `changed`: frozen questions that are answered otherwise with it, each with its answer;
    `before`, `after`: the content of the knowledge without and with it, which are kept."""

    preview: Preview
    blocked: bool
    verdict: tuple[str, ...]
    changed: tuple[tuple[str, Reply], ...] = ()
    before: str = ""
    after: str = ""


def answered(reply: Reply) -> bool:
    """Whether a reply answers for sure: neither guessed nor asked back."""
    return reply.action == "answer" and not reply.unanswered


class Draft:
    """A copy of the knowledge folder with a lesson in it, as long as the block lasts."""

    def __init__(self, settings: Settings, day: date) -> None:
        self._settings = settings
        self._day = day
        self._making = tempfile.TemporaryDirectory(prefix="lvlin-teach-")
        self.folder = Path(self._making.name) / settings.knowledge.name
        self._files = read(settings.knowledge)
        self.before = content_of(self._files)

    def __enter__(self) -> Draft:
        for name, content in self._files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return self

    def __exit__(self, *_: object) -> None:
        self._making.cleanup()

    def preview(self, lesson: Lesson, cluster: Unanswered) -> Preview:
        """Write the lesson into the copy and ask it the cluster's questions. Raises CannotTeach, FaultyFile."""
        settings = self._settings
        limits = Thresholds(**settings.matching.model_dump())
        known = make_brain(settings, settings.knowledge, self._day)
        lesson = meant(lesson, cluster, known.index, limits)
        texts = {name: content.decode() for name, content in self._files.items()}
        plan = planned(lesson, cluster, load(settings.knowledge), texts, known.index, self._day)
        for name, text in plan.files.items():
            (self.folder / name).write_text(text, encoding="utf-8")
        brain = make_brain(settings, self.folder, self._day) if plan.files else known
        replies = asyncio.run(replies_to([(text, "") for text in cluster.variants], brain, settings))
        return Preview(lesson, plan, tuple((text, replies[text, ""]) for text in cluster.variants))

    def check(self, preview: Preview, progress: Progress) -> Checked:
        """Send the copy through the gate, against what is served now; what passes is kept."""
        if not preview.plan.files:
            return Checked(preview, blocked=False, verdict=())
        settings, versions = self._settings, kept_versions(self._settings)
        refuse_foreign_edits(settings)
        verdict = examine(settings, self.folder, served_knowledge(settings), self._day, progress)
        told = (*(str(error) for error in verdict.report.errors), *verdict_lines(verdict))
        if verdict.blocked:
            return Checked(preview, blocked=True, verdict=told)
        after, _ = versions.copy(self.folder)
        before, _ = versions.copy(settings.knowledge)
        if before != self.before:
            raise EditedMeanwhile("the knowledge was edited while the lesson was checked — teach it again")
        changed = tuple((found.after.step.say, found.after.reply) for found in verdict.changed)
        return Checked(preview, blocked=False, verdict=told, changed=changed, before=before, after=after)


def refuse_foreign_edits(settings: Settings) -> None:
    """Raises CannotTeach where the folder holds edits that are not published: they would be published with the
    lesson."""
    versions = kept_versions(settings)
    if versions.published() and unpublished(settings.knowledge, versions):
        raise CannotTeach(
            "the knowledge folder holds edits that are not published — first publish them (lvlin kb publish)",
            "知识库里有改了还没发布的内容，不能跟着一起发出去。请先由编辑发布（lvlin kb publish），再来教。",
        )


def apply(settings: Settings, checked: Checked, *, by: str, note: str, at: datetime) -> int | None:
    """Write a lesson that passed into the folder, and publish it where versions are published; the version's number.

    Raises EditedMeanwhile where the folder is another by now, LvlinError as `publish` does; then nothing is changed.
    """
    if not checked.after:
        return None
    versions = kept_versions(settings)
    if content_of(read(settings.knowledge)) != checked.before:
        raise EditedMeanwhile("the knowledge was edited while the lesson was checked — teach it again")
    restore(versions.folder / checked.after, settings.knowledge)
    if versions.published() is None:
        return None  # the folder itself is served
    try:
        return publish(settings.knowledge, versions, examined=checked.after, by=by, note=note, at=at).number
    except LvlinError:
        restore(versions.folder / checked.before, settings.knowledge)
        raise


def published_as(settings: Settings, content: str) -> int | None:
    """The number of the published version, where it holds that content."""
    published = kept_versions(settings).published()
    return published.number if published and published.content == content else None


def take_back(settings: Settings, lesson: Lesson, *, by: str, note: str, at: datetime) -> None:
    """Bring back the knowledge as it was before a lesson. Raises CannotTeach where it was changed again since."""
    versions = kept_versions(settings)
    if not lesson.after:
        return
    if lesson.version is None:
        if content_of(read(settings.knowledge)) != lesson.after:
            raise _changed_since(f"edit {TAUGHT} instead")
        restore(versions.folder / lesson.before, settings.knowledge)
        return
    published = versions.published()
    if published is None or published.number != lesson.version:
        raise _changed_since(f"go back with: lvlin kb rollback {lesson.version - 1}")
    roll_back(settings.knowledge, versions, versions.numbered(lesson.version - 1), by=by, note=note, at=at)


def _changed_since(mend: str) -> CannotTeach:
    return CannotTeach(
        f"the knowledge was changed again after the lesson — {mend}",
        "教完以后知识库又有别的改动，不能直接撤销了，请编辑来改。",
    )


def planned(
    lesson: Lesson, cluster: Unanswered, knowledge: Knowledge, files: Mapping[str, str], index: Index, day: date
) -> Plan:
    """What a lesson, whose names are found, writes into which file. Raises CannotTeach."""
    subject = subject_of(cluster, index)
    if lesson.kind == "category":
        return _new_item(lesson, subject, knowledge, files, index, day)
    if lesson.kind == "answer":
        return _new_entry(lesson, subject, knowledge, files, day)
    if lesson.value.startswith("items/"):
        return _more_aliases(lesson, subject, knowledge, files, index)
    return _more_phrases(lesson, subject, knowledge, files)


def _new_item(
    lesson: Lesson, subject: Subject, knowledge: Knowledge, files: Mapping[str, str], index: Index, day: date
) -> Plan:
    label = index.label(lesson.value)
    for thing in subject.things:
        if (known := index.item(thing)) and known.category != lesson.value:
            raise _known_otherwise(thing, known.name, index.label(known.category))
    names = _told_apart(thing for thing in subject.things if not index.item(thing))
    if not subject.things:
        raise CannotTeach(
            "no thing is named in these questions — teach an --answer, or the --alias of an entry",
            "这些问题里认不出是什么东西，不能教成哪种垃圾。可以教答案：教 #编号：答案。",
        )
    if not names:
        return Plan(f"items/{_item_named(subject.things[0], index)}", {}, ())
    item: dict[str, str | Sequence[str]] = {
        "name": names[0],
        "category": lesson.value,
        "aliases": names[1:],
        "source": _source(lesson, knowledge),
        "review_by": (day + _REVIEW).isoformat(),
    }
    also = f"，也叫{'、'.join(names[1:])}" if names[1:] else ""
    return Plan(
        f"items/{names[0]}", {TAUGHT: with_item(files.get(TAUGHT), item)}, (f"新增物品「{names[0]}」：{label}{also}",)
    )


def _told_apart(names: Iterable[str]) -> list[str]:
    """Names without those that sound like one before: a slip of the keyboard is understood by its sound."""
    return list({sounds(name): name for name in reversed(list(names))}.values())[::-1]


def _item_named(word: str, index: Index) -> str:
    item = index.item(word)
    assert item is not None
    return item.name


def _known_otherwise(thing: str, name: str, label: str) -> CannotTeach:
    return CannotTeach(
        f"'{thing}' is the item {name} ({label}) already — change it in the knowledge, and publish",
        f"「{thing}」知识库里已经有了，是{label}。要改请编辑改知识库。",
    )


def _more_aliases(
    lesson: Lesson, subject: Subject, knowledge: Knowledge, files: Mapping[str, str], index: Index
) -> Plan:
    name = lesson.value.removeprefix("items/")
    for thing in subject.things:
        if (known := index.item(thing)) and known.name != name:
            raise _known_otherwise(thing, known.name, index.label(known.category))
    words = _told_apart(thing for thing in subject.things if not index.item(thing))
    if not subject.things:
        raise CannotTeach(
            f"no thing of at most {LONGEST_NAME} characters is named in these questions — teach an --answer",
            "这些问题里认不出是什么东西，不能当别名。可以教答案：教 #编号：答案。",
        )
    if not words:
        return Plan(lesson.value, {}, ())
    file = _file_of(f"items/{name}", knowledge)
    text = with_words(files[file], "items", ("name", name), "aliases", words)
    return Plan(lesson.value, {file: text}, (f"「{name}」多几个叫法：{'、'.join(words)}",))


def _more_phrases(lesson: Lesson, subject: Subject, knowledge: Knowledge, files: Mapping[str, str]) -> Plan:
    slug, _, entry = lesson.value.removeprefix("topics/").partition("/")
    asked = {phrase for _, own in knowledge.entries() for phrase in own.ask}
    phrases = _phrases(subject)
    new = [phrase for phrase in phrases if phrase not in asked]
    if not new:
        return Plan(lesson.value, {}, ())
    file = _file_of(lesson.value, knowledge)
    text = with_words(files[file], "entries", ("id", entry), "ask", new)
    return Plan(lesson.value, {file: text}, (f"{slug}/{entry} 多几种问法：{'；'.join(new)}",))


def _new_entry(
    lesson: Lesson, subject: Subject, knowledge: Knowledge, files: Mapping[str, str], day: date
) -> Plan:
    source = _source(lesson, knowledge)
    taken = {entry.id for slug, entry in knowledge.entries() if slug == lesson.topic}
    number = next(n for n in range(1, len(taken) + 2) if _entry_id(lesson, n) not in taken)
    entry: dict[str, str | Sequence[str]] = {
        "id": _entry_id(lesson, number),
        "ask": _phrases(subject),
        "answer": lesson.value,
        "source": source,
        "mark": knowledge.sources[source].mark,
        "review_by": (day + _REVIEW).isoformat(),
    }
    name = f"topics/{lesson.topic}/{entry['id']}"
    file = f"topics/{lesson.topic}.yaml"
    return Plan(name, {file: with_entry(files[file], entry)}, (f"话题 {lesson.topic} 新增一条答复",))


def _entry_id(lesson: Lesson, number: int) -> str:
    return f"taught-{lesson.cluster_id}" + (f"-{number}" if number > 1 else "")


def _phrases(subject: Subject) -> tuple[str, ...]:
    if phrases := phrases_of(subject):
        return phrases
    raise CannotTeach(
        "every question is too long, or tells who asked — write the entry into the knowledge yourself",
        "这些问法太长，或带有个人信息，不能直接放进知识库，请编辑来写。",
    )


def _source(lesson: Lesson, knowledge: Knowledge) -> str:
    code = lesson.source or SOURCE
    if code in knowledge.sources:
        return code
    known = ", ".join(knowledge.sources)
    raise CannotTeach(
        f"there is no source '{code}' — name one of sources.yaml with --source: {known}",
        f"知识库里没有来源「{code}」，请编辑在 sources.yaml 里加上，或在电脑上用 --source 教。",
    )


def _file_of(name: str, knowledge: Knowledge) -> str:
    shown, _ = knowledge.lines[name]
    return shown.partition("/")[2]


async def replies_to(asks: Sequence[Ask], brain: Brain, settings: Settings) -> dict[Ask, Reply]:
    """How each question would be answered in private, to somebody the bot does not know."""
    store = MemoryStore()
    await store.start()
    turns = make_turns(settings, store, lambda: brain, nobody_alerted)
    found: dict[Ask, Reply] = {}
    for number, (text, place) in enumerate(dict.fromkeys(asks)):
        at = datetime.now(settings.site.timezone)
        who = f"u{number}"
        turn = await turns.take(
            Utterance("try", f"m{number}", who, None, "", text, at, place=place or brain.places.of_chat("try", None))
        )
        found[text, place] = turn.reply
        await asyncio.sleep(0)  # a server answers others in between
    await store.stop()
    return found


