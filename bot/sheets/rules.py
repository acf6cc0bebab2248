"""The knowledge as rules for WeCom's own 「自动回复」: keywords → one fixed reply, within its limits.

A keyword is looked for anywhere in a message, so none may stand in one of another rule: which of the two would answer
is not said. What is dangerous comes first and keeps its fixed wording.

Limits: WeCom publishes none for these rules. Those of the keyword replies of 公众号 are kept (name of a rule 60
characters, 10 keywords of 30, reply 300, 200 rules); they lie within the 2048 bytes of any text message of WeCom.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path

from bot.kb.entries import Choice, City, Danger, Entry, Item
from bot.kb.load import Knowledge
from bot.kb.slugs import TOPIC_NAMES
from bot.records import Option, Reply

MOST_RULES = 100
NAME_CHARS = 60
MOST_KEYWORDS = 10
KEYWORD_CHARS = 30
REPLY_CHARS = 300

_SHORTEST = 2
_LONGEST_PART = 6
_OWN_SHARE = 0.8
"""Of the questions that hold a keyword, at least this share must be of the rule's topic."""
_LEAST_OWN = 3
_LEAST_SEEN = 2
"""Of a danger's word: how many questions there must be that hold it, before it can be told what they are of."""
_MOST_ALIKE = 0.7
"""A part of a phrase before or behind which the same character stands more often than this is a piece of a word."""
_PAIRED = 3
"""Things and words of a danger that are put together."""
_TRIES = 6
_EDGES = frozenset("的期号性么个是能要该又有没不会到了吗呢在给把被和用去来放扔丢倒哪怎")
"""No word begins with these, and none ends with them but in 怎么."""

Asking = Callable[[str], Awaitable[Reply]]
"""A question by itself, in private → what the bot says."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something a rule may be about: what its turns are kept under, and how it is asked for, likeliest first."""

    name: str
    title: str
    questions: tuple[str, ...]
    words: tuple[str, ...]
    """Words that stand for it; of an entry those are found in its phrases."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: `about` is the thing of the knowledge it tells of."""

    name: str
    keywords: tuple[str, ...]
    reply: str
    about: str


@dataclass(slots=True)
class Pack:
    """The rules, and what could not become one: (thing of the knowledge, why in Chinese)."""

    rules: list[Rule] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)


async def pack(knowledge: Knowledge, city: City, people: Mapping[str, int], ask: Asking) -> Pack:
    """The rules for the hundred most asked things. `people`: entry of turns → how many people asked for it."""
    made = Pack()
    keywords = _Keywords(knowledge, city)
    for candidate in _in_order(knowledge, people):
        if len(made.rules) == MOST_RULES:
            break
        words = keywords.of(candidate)
        if not words:
            made.left_out.append((candidate.name, "没有不和别的规则重合的关键词"))
            continue
        reply = await _reply(candidate, knowledge, city, ask)
        if reply is None:
            made.left_out.append((candidate.name, "机器人对它的答复不固定"))
        elif len(reply) > REPLY_CHARS:
            made.left_out.append((candidate.name, f"答复超过{REPLY_CHARS}字"))
        else:
            keywords.take(words)
            made.rules.append(Rule(candidate.title[:NAME_CHARS], words, reply, candidate.name))
    return made


def _in_order(knowledge: Knowledge, people: Mapping[str, int]) -> Iterator[Candidate]:
    """Dangers first; then what most people asked for; then, by turns, entries (of each topic its first, then those with
    most phrases), ambiguous words as they stand in choices.yaml, and items with most aliases."""
    dangers = [_of_danger(key, danger, knowledge) for key, danger in knowledge.dangers.items() if danger.words]
    yield from dangers
    first: dict[str, Entry] = {topic.topic: topic.entries[0] for topic in knowledge.topics if topic.entries}
    entries = [_of_entry(slug, entry) for slug, entry in knowledge.entries() if not entry.local]
    openers = {f"topics/{slug}/{entry.id}" for slug, entry in first.items()}
    entries.sort(key=lambda one: (one.name not in openers, -len(one.questions)))
    choices = [_of_choice(choice) for choice in knowledge.choices]
    items = sorted(map(_of_item, knowledge.items), key=lambda one: -len(one.words))
    known = {one.name: one for one in (*entries, *choices, *items)}
    asked = sorted((name for name in people if name in known), key=lambda name: (-people[name], name))
    yield from (known[name] for name in asked)
    for three in zip_longest(entries, choices, items):
        yield from (one for one in three if one and one.name not in people)


def _of_entry(slug: str, entry: Entry) -> Candidate:
    title = f"{TOPIC_NAMES.get(slug, slug)}：{entry.ask[0]}"
    return Candidate(f"topics/{slug}/{entry.id}", title, entry.ask, ())


def _of_choice(choice: Choice) -> Candidate:
    return Candidate(f"choices/{choice.word}", choice.word, (choice.word,), choice.words)


def _of_item(item: Item) -> Candidate:
    return Candidate(f"items/{item.name}", item.name, (f"{item.name}是什么垃圾",), item.words)


def _of_danger(key: str, danger: Danger, knowledge: Knowledge) -> Candidate:
    """Its words that do not name a thing, then things and words together."""
    words = tuple(word for word in danger.words if not any(thing in word for thing in danger.things))
    questions = tuple(f"{thing}{word}" for word in words[:_PAIRED] for thing in danger.things[:_PAIRED])
    title = f"危险：{TOPIC_NAMES.get(danger.topic, key)} {danger.words[0]}"
    return Candidate(f"dangers/{key}", title, questions or danger.words, words)


async def _reply(candidate: Candidate, knowledge: Knowledge, city: City, ask: Asking) -> str | None:
    """What the bot says when asked for it; None where it says something else."""
    hint = knowledge.texts["detail_hint"]
    for question in candidate.questions[:_TRIES]:
        reply = await ask(question)
        if candidate.name.startswith("dangers/"):
            fixed = knowledge.dangers[candidate.name.partition("/")[2]].text.partition("{")[0]
            if reply.text.startswith(fixed):
                return reply.text
        elif reply.action == "clarify" and reply.entry == candidate.name:
            return _cases(candidate.title, reply.options, knowledge, city)
        elif reply.action == "answer" and _is_fixed(reply.entry or "", candidate, knowledge):
            return reply.text.replace(f"\n{hint}", "")
    return None


def _is_fixed(entry: str, candidate: Candidate, knowledge: Knowledge) -> bool:
    """Whether an answer is of what was asked for, and the same at every time and place; a thing may be told by its
    topic, too."""
    if candidate.name.startswith("topics/"):
        return entry == candidate.name
    local = {f"topics/{slug}/{one.id}" for slug, one in knowledge.entries() if one.local}
    return bool(entry) and entry not in local


def _cases(word: str, options: Iterable[Option], knowledge: Knowledge, city: City) -> str:
    """The cases of an ambiguous word with their bins: a rule cannot ask back."""
    lines = [knowledge.texts["cases"].format(word=word)]
    lines += [f"{option.label}：{_bin(option, knowledge, city)}" for option in options]
    return "\n".join(lines)


def _bin(option: Option, knowledge: Knowledge, city: City) -> str:
    item = next((one for one in knowledge.items if f"items/{one.name}" == option.target), None)
    if item and item.danger and knowledge.dangers[item.danger].named == "alert":
        return knowledge.texts["no_bin"]
    told = next(told for name, told in city.categories.items() if name == option.category)
    return f"{told.label}（{told.colour}桶）" if told.colour else told.label


class _Keywords:
    """Finds keywords that say what is asked for, and that no other rule has."""

    def __init__(self, knowledge: Knowledge, city: City) -> None:
        self._knowledge = knowledge
        self._bins = {item.name: city.bin_of(item) or item.category for item in knowledge.items}
        self._words = [(word, self._bins[item.name]) for item in knowledge.items for word in item.words]
        self._taken: list[str] = []
        self._topics_begun: set[str] = set()
        texts: list[tuple[str, str]] = [
            (f"{slug}/{entry.id}", phrase)
            for slug, entry in knowledge.entries()
            if not entry.local  # no rule can answer where and when: what is said of the thing is the next best
            for phrase in entry.ask
        ]
        texts += [(item.topic, word) for item in knowledge.items for word in item.words]
        texts += [("", line) for line in knowledge.chatter.lines]
        self._texts = texts
        self._holding: dict[str, Counter[str]] | None = None

    def take(self, words: Iterable[str]) -> None:
        """These belong to a rule now."""
        self._taken += words

    def of(self, candidate: Candidate) -> tuple[str, ...]:
        """The best keywords for it that are free; none where there are none."""
        kind = candidate.name.partition("/")[0]
        found: Iterable[str]
        if kind == "topics":
            found = self._of_entry(candidate)
        elif kind == "dangers":
            found = self._of_danger(candidate)
        else:
            found = (word for word in candidate.words if self._is_of_bin(word, candidate))
        chosen: list[str] = []
        for word in found:
            if _SHORTEST <= len(word) <= KEYWORD_CHARS and "," not in word and self._is_free(word):
                if not any(word in other or other in word for other in chosen):
                    chosen.append(word)
                if len(chosen) == MOST_KEYWORDS:
                    break
        if chosen and kind == "topics":
            self._topics_begun.add(candidate.name.split("/")[1])
        return tuple(chosen)

    def _is_free(self, word: str) -> bool:
        return not any(word in taken or taken in word for taken in self._taken)

    def _of_danger(self, candidate: Candidate) -> Iterator[str]:
        """Its words that are said of its things only; where there are few, things and words together as well."""
        danger = self._knowledge.dangers[candidate.name.partition("/")[2]]
        alone = [word for word in candidate.words if self._is_free(word) and self._is_said_of(word, danger)]
        yield from alone
        if len(alone) < _PAIRED:
            yield from candidate.questions

    def _is_said_of(self, word: str, danger: Danger) -> bool:
        """Whether what holds a word is about the danger's topic or things, mostly."""
        about = [
            owner.partition("/")[0] == danger.topic or any(thing in text for thing in danger.things)
            for owner, text in self._texts
            if word in text
        ]
        return len(about) >= _LEAST_SEEN and sum(about) >= _OWN_SHARE * len(about)

    def _is_of_bin(self, word: str, candidate: Candidate) -> bool:
        """Whether everything whose name holds a word goes where the rule says."""
        bins = self._told(candidate)
        return all(told in bins for other, told in self._words if word in other)

    def _told(self, candidate: Candidate) -> set[str]:
        kind, _, name = candidate.name.partition("/")
        if kind == "items":
            return {self._bins[name]}
        words = {word: item for item in self._knowledge.items for word in item.words}
        choice = next(choice for choice in self._knowledge.choices if choice.word == name)
        return {
            self._bins[words[option.item].name] if option.item in words else str(option.category)
            for option in choice.options
        }

    def _of_entry(self, candidate: Candidate) -> Iterator[str]:
        """Parts of its phrases that together stand in as many of them as can be, and hardly elsewhere. The first rule
        of a topic speaks for the whole topic, a further one for its own entry."""
        _, slug, _ = candidate.name.split("/")
        begun = slug in self._topics_begun
        owner = candidate.name.partition("/")[2] if begun else slug
        holding = self._parts()
        own: dict[str, set[int]] = defaultdict(set)
        for n, phrase in enumerate(candidate.questions):
            for part in _parts_of(phrase):
                own[part].add(n)
        good = {}
        for part, phrases in own.items():
            owners = holding[part]
            mine = sum(count for name, count in owners.items() if name == owner or name.partition("/")[0] == owner)
            enough = len(phrases) >= _LEAST_OWN and mine >= _OWN_SHARE * owners.total()
            if enough and _is_whole(part, [candidate.questions[n] for n in phrases]):
                good[part] = phrases
        covered: set[int] = set()
        while good:
            best = max(good, key=lambda part: (len(good[part] - covered), -len(part), part))
            if not good[best] - covered:
                return
            yield best
            covered |= good.pop(best)

    def _parts(self) -> Mapping[str, Counter[str]]:
        """Part of a phrase → whose questions hold it, and how many of them."""
        if self._holding is None:
            self._holding = defaultdict(Counter)
            for owner, text in self._texts:
                for part in _parts_of(text):
                    if "/" in owner or part in self._holding:
                        self._holding[part][owner] += 1
        return self._holding


def _parts_of(text: str) -> set[str]:
    lengths = range(_SHORTEST, _LONGEST_PART + 1)
    parts = (text[n : n + length] for length in lengths for n in range(len(text) - length + 1))
    return {part for part in parts if _may_be_word(part)}


def _may_be_word(part: str) -> bool:
    ends_well = part[-1] not in _EDGES or part.endswith("怎么")
    return part[0] not in _EDGES and ends_well and all("\u4e00" <= char <= "\u9fff" for char in part)


def _is_whole(part: str, phrases: Sequence[str]) -> bool:
    """Whether a part of phrases stands by itself: what stands before it and behind it differs."""
    for side in (0, -1):
        near = Counter(phrase.partition(part)[side][-1 - side :][:1] or phrase for phrase in phrases)
        if max(near.values()) > _MOST_ALIKE * len(phrases):
            return False
    return True


_GUIDE = (
    "企业微信管理后台 → 客户与上下游 → 客户联系 → 聊天工具 → 自动回复 → 新建：贴上一行的规则名称、关键词、回复内容。",
    "从第一行起按顺序建：前面几条是危险品的固定用语，一个字也不要改。",
    "建好以后，群主要在每个客户群里打开「自动回复」；居民要 @小助理（或 @ 工作人员）并带上关键词才会触发。",
    "企业微信没有公布这项功能的字数上限，这里按公众号关键词回复的上限来写。",
    f"规则名{NAME_CHARS}字，每条{MOST_KEYWORDS}个关键词、每个{KEYWORD_CHARS}字，回复{REPLY_CHARS}字。",
    "关键词之间不重合，也不互相包含。知识库改了以后，请重新导出，换掉改了的几条。",
)
_HEADERS = (("序号", 6), ("规则名称", 28), ("关键词", 46), ("回复内容", 80), ("字数", 6), ("知识库条目", 30))


def write_rules(path: Path, made: Pack) -> None:
    """The rules as a workbook staff can paste from."""
    import xlsxwriter  # here: only this needs it, and every other command starts faster without it

    book = xlsxwriter.Workbook(str(path), {"strings_to_formulas": False, "strings_to_urls": False})
    head = book.add_format({"bold": True, "bg_color": "#D9EAD3", "border": 1})
    cell = book.add_format({"text_wrap": True, "valign": "top", "num_format": "@"})
    sheet = book.add_worksheet("自动回复")
    sheet.freeze_panes(1, 0)
    for n, (header, width) in enumerate(_HEADERS):
        sheet.set_column(n, n, width, cell)
        sheet.write_string(0, n, header, head)
    for row, rule in enumerate(made.rules, 1):
        sheet.write_number(row, 0, row)
        sheet.write_number(row, 4, len(rule.reply))
        texts = {1: rule.name, 2: ",".join(rule.keywords), 3: rule.reply, 5: rule.about}
        for n, text in texts.items():
            sheet.write_string(row, n, text, cell)
    guide = book.add_worksheet("说明")
    guide.set_column(0, 0, 100, cell)
    for row, line in enumerate(_GUIDE):
        guide.write_string(row, 0, line, cell)
    book.close()
