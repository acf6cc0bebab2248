"""What staff may teach: which bin they mean, what a lesson is about, and what speaks against it."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from bot.errors import LvlinError
from bot.kb.entries import Category
from bot.learning.clusters import core_of, things_in
from bot.matching.fold import Folded
from bot.matching.index import Index
from bot.matching.understand import Thresholds, Understanding, understand
from bot.records import Lesson, Unanswered

UNDO = timedelta(seconds=30)
"""How long a lesson can be taken back; its notices wait as long."""
SOURCE = "社区答复"
"""The source of what staff teach without naming another, where the knowledge has it."""
LONGEST_NAME = 14
"""Characters of a thing's name; what is longer is a story."""

_SPOKEN: dict[Category, tuple[str, ...]] = {
    "recyclable": ("可回收物", "可回收", "可回收垃圾", "能回收", "回收"),
    "hazardous": ("有害垃圾", "有害", "有毒", "有毒垃圾"),
    "food": ("湿垃圾", "厨余垃圾", "厨余", "餐厨垃圾", "易腐垃圾", "易腐", "湿的"),
    "residual": ("干垃圾", "其他垃圾", "其它垃圾", "其他", "其它", "干的"),
    "bulky": ("大件垃圾", "大件"),
    "construction": ("装修垃圾", "装修", "建筑垃圾", "装潢垃圾"),
    "ewaste": ("电器", "家电", "废旧电器", "电子废弃物", "电子垃圾", "电器电子废弃物"),
    "oil": ("废油", "废食用油", "食用油"),
    "drain": ("下水道", "倒下水道", "不进桶", "马桶"),
}
_BOX = ("桶", "色桶", "箱")


class CannotTeach(LvlinError):
    """A lesson that cannot be taught. The message is for the command line, `told` the same in words for staff."""

    def __init__(self, what: str, told: str) -> None:
        self.told = told
        super().__init__(what)


@dataclass(frozen=True, slots=True)
class Subject:
    """What a cluster is about: its questions, and the things named in them, the most usual name first."""

    variants: tuple[str, ...]
    read: tuple[Understanding, ...]
    things: tuple[str, ...]


def subject_of(cluster: Unanswered, index: Index) -> Subject:
    """What a cluster is about. Raises CannotTeach where nobody's words are left."""
    if not cluster.variants:
        what = f"nobody's words are left in #{cluster.cluster_id}"
        raise CannotTeach(f"{what} — there is nothing to teach", f"#{cluster.cluster_id}的问题文字已经删除，教不了。")
    read = tuple(understand(text, index) for text in cluster.variants)
    named = Counter(thing for found in read for thing in things_in(found.folded, index))
    usual = sorted(named, key=lambda thing: (-named[thing], list(named).index(thing)))
    return Subject(cluster.variants, read, tuple(thing for thing in usual if 2 <= len(thing) <= LONGEST_NAME))


def bin_meant(words: str, index: Index) -> Category | None:
    """The bin staff mean by 「干垃圾」 「其他」 「黑桶」 or its category; None where it is none."""
    said = "".join(unicodedata.normalize("NFKC", words).lower().split()).rstrip("。.！!")
    for category, told in index.city.categories.items():
        colours = {told.colour.removesuffix("色") + box for box in _BOX} if told.colour else set()
        if said in (category, told.label) or said in colours:
            return category
    return next((category for category, spoken in _SPOKEN.items() if said in spoken), None)


def target_meant(words: str, index: Index, limits: Thresholds) -> str | None:
    """The item or entry staff mean: by its name, or by a question it answers; as items/<name> or topics/<slug>/<id>."""
    if item := index.item(words.removeprefix("items/")):
        return f"items/{item.name}"
    for name in (words, f"topics/{words}"):
        if name in index.entries:
            return name
    found = understand(words, index)
    if found.kind == "entry" and found.answers(limits):
        return found.entry
    known = [thing.item for thing in found.things if thing.item]
    return f"items/{known[0].name}" if found.kind == "items" and len(known) == 1 and found.asks_bin else None


def topic_meant(subject: Subject, index: Index) -> str | None:
    """The topic a new answer most likely belongs to, None where nothing speaks for any."""
    near = Counter(
        candidate.entry.split("/")[1]
        for found in subject.read
        for candidate in found.candidates
        if candidate.entry.startswith("topics/")
    )
    voted = Counter(filter(None, (index.votes(found.folded.tight).first for found in subject.read)))
    found = (near + voted).most_common(1)
    return found[0][0] if found else None


def meant(lesson: Lesson, cluster: Unanswered, index: Index, limits: Thresholds) -> Lesson:
    """The lesson with what it names found in the knowledge. Raises CannotTeach, also where what is asked about looks
    hazardous, the lesson says otherwise, and staff did not say that they stand by it."""
    subject = subject_of(cluster, index)
    if lesson.kind == "answer":
        found = replace(lesson, topic=lesson.topic or topic_meant(subject, index) or "")
        _check_topic(found, index)
    elif lesson.kind == "category":
        found = replace(lesson, value=_bin(lesson.value, index))
    else:
        found = replace(lesson, value=_target(lesson.value, index, limits))
    if not found.harmless and not _says_hazardous(found, index) and (risky := hazards(subject, index, limits)):
        raise _against_inference(found, risky)
    return found


def hazards(subject: Subject, index: Index, limits: Thresholds) -> tuple[str, ...]:
    """What among the things asked about is hazardous: as the bot would say now, or by what it is called."""
    found: dict[str, None] = {}
    for read in subject.read:
        if read.kind == "danger":
            found[core_of(read.folded, index)] = None
        told = [thing for thing in read.things if thing.item or thing.score >= limits.infer]
        found.update((thing.name, None) for thing in told if thing.category == "hazardous")
    found.update((thing, None) for thing in subject.things if _hazardous_by_name(thing, index))
    return tuple(found)


def _hazardous_by_name(thing: str, index: Index) -> bool:
    """Whether a thing is called by a hazardous word, or nearly like a hazardous thing."""
    rules = index.facts.inference
    if any(word in thing for word in rules.hazard) and not any(word in thing for word in rules.hazard_except):
        return True
    guess = index.infer(thing)
    near = (index.item(name) for name in guess.near) if guess else ()
    return any(item is not None and item.category == "hazardous" for item in near)


_PERSONAL = re.compile(r"\d{5,}|@|\d+(?:号楼|栋|幢|单元|室)")
_LONGEST_PHRASE = 30


def phrases_of(subject: Subject) -> tuple[str, ...]:
    """The questions as phrases of an entry: without those that are long, or could tell who asked."""
    said = dict.fromkeys(_plain(read.folded) for read in subject.read)
    return tuple(text for text in said if 3 <= len(text) <= _LONGEST_PHRASE and not _PERSONAL.search(text))


def _plain(folded: Folded) -> str:
    return folded.tight


def _bin(words: str, index: Index) -> str:
    if category := bin_meant(words, index):
        return category
    known = "、".join(told.label for told in index.city.categories.values())
    names = ", ".join(index.city.categories)
    raise CannotTeach(f"'{words}' is no bin — use one of {names}", f"没有「{words}」这个桶。可以用：{known}。")


def _target(words: str, index: Index, limits: Thresholds) -> str:
    if target := target_meant(words, index, limits):
        return target
    raise CannotTeach(
        f"the knowledge has no item or entry '{words}' — name one that it has, or teach a category",
        f"知识库里没有「{words}」。换一个已有的名字，或直接教是哪种垃圾。",
    )


def _check_topic(lesson: Lesson, index: Index) -> None:
    known = sorted({slug for slug, _ in index.entries.values()})
    if lesson.topic in known:
        return
    told = "分不出归哪个话题，请在电脑上用 lvlin unanswered teach 加 --topic 来教。"
    if not lesson.topic:
        raise CannotTeach(f"nothing tells which topic this belongs to — name it with --topic: {', '.join(known)}", told)
    raise CannotTeach(f"there is no topic '{lesson.topic}' — use one of {', '.join(known)}", told)


def _says_hazardous(lesson: Lesson, index: Index) -> bool:
    if lesson.kind == "category":
        return lesson.value == "hazardous"
    item = index.item(lesson.value.removeprefix("items/")) if lesson.kind == "alias" else None
    return item is not None and item.category == "hazardous"


def _against_inference(lesson: Lesson, risky: Sequence[str]) -> CannotTeach:
    named = "、".join(risky)
    return CannotTeach(
        f"{named} looks hazardous, and this lesson says otherwise — if you have made sure, add --not-hazardous",
        f"注意：「{named}」看起来像有害垃圾。教成别的，居民可能把有害的东西混投。"
        "核实过确实无害，请在后面加「确认无害」再发一遍。",
    )
