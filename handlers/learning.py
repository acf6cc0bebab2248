"""Words by which staff see and teach what nobody could answer: 「未答」 「教 #12 = 干垃圾」 「撤销」; in private only.

A lesson is only queued here, with the turn: checking and publishing it takes longer than a reply may.
"""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

from bot.context import Context
from bot.learning.lessons import UNDO, CannotTeach, bin_meant, meant, subject_of
from bot.records import Lesson, LessonKind, Reply, Role, Unanswered, Utterance
from bot.router import Router

log = logging.getLogger("lvlin.staff")

router = Router()

_LIST = frozenset(("未答", "未答问题", "待答", "待答问题"))
_TEACH = re.compile(r"(?:@\S+\s*)?教(?:一下)?\s*(?:[#＃]\s*|第)?(\d{1,9})\s*(?:号|题|条)?\s*(.*)", re.DOTALL)
_SAYS = re.compile(r"([=＝]+|等于|就是|是|算|归|放|扔|同|跟|和|像|[:：]|答案?[:：]?)\s*(.+)", re.DOTALL)
_UNDO = re.compile(r"(?:@\S+\s*)?(?:撤销|撤回|收回)\s*(?:[#＃]\s*|第)?(\d{1,9})?\s*(?:号|题|条)?[。！!]?")
_STOOD_BY = re.compile(r"[,，。;；\s]*[(（]?(?:已)?确认无害[)）]?[。!！]?$")
_SAME_AS = frozenset(("同", "跟", "和", "像"))
_ANSWERS = frozenset(":：答")
"""What a sign that comes before an answer begins with."""
_ALIKE_TAIL = re.compile(r"(?:一样|一个样|相同)$")
_MAY_SEE: frozenset[Role] = frozenset(("viewer", "editor", "approver", "admin"))
_MAY_TEACH: frozenset[Role] = frozenset(("editor", "approver", "admin"))
_AT_WORK = ("waiting", "checking", "applying")
_MOST_LISTED = 8
_MOST_READ = 20
_MOST_NEWS = 3
_NEWS = timedelta(days=1)
_LONGEST = 24
_HOW = "教法：「教 #12 = 干垃圾」「教 #12 同 纽扣电池」「教 #12：答案」"
_SLOW = "要查一遍知识库，大约一分钟。查好告诉您；没收到就发「未答」看结果。"
_ALONE = "这个请私聊我发，居民问的话就不在群里展示了。"


@router.on("message")
async def listed(asked: Utterance, ctx: Context) -> Reply | None:
    """「未答」: what came of one's lessons, and what is open, most people first."""
    if ctx.understood.folded.tight not in _LIST:
        return None
    if refusal := _refusal(asked, ctx, _MAY_SEE):
        return refusal
    news = [line async for line in _news(asked, ctx)]
    clusters = [cluster async for cluster in ctx.store.unanswered(places=_branch(asked, ctx))]
    still = [cluster for cluster in clusters if cluster.state == "open" and cluster.text]
    lines = [f"#{cluster.cluster_id} {_short(cluster.text)}（{cluster.people}人）" for cluster in still[:_MOST_LISTED]]
    if len(still) > _MOST_LISTED:
        lines.append(f"还有{len(still) - _MOST_LISTED}个")
    head = f"还没答上的问题{len(still)}个：" if still else "没有未答的问题，都答上了。"
    return Reply("answer", "\n".join([*news, head, *lines, *([_HOW] if still else [])]), score=1.0)


@router.on("message")
async def teach(asked: Utterance, ctx: Context) -> Reply | None:
    """「教 #12 = 干垃圾」: queue the lesson, once what it says is found to make sense."""
    found = _TEACH.fullmatch(asked.text.strip())
    if found is None:
        return None
    if refusal := _refusal(asked, ctx, _MAY_TEACH):
        return refusal
    cluster = await _cluster(int(found[1]), asked, ctx)
    if cluster is None:
        return _told(f"没有 #{int(found[1])}。发「未答」看编号。")
    if cluster.state == "taught":
        return _told(f"#{cluster.cluster_id} 已经教过了，现在由 {cluster.entry} 答。")
    said = _said(found[2], ctx)
    if said is None:
        return _told(f"没看懂要教什么。{_HOW}")
    if any(lesson.state in _AT_WORK for lesson in await ctx.store.lessons(cluster=cluster.cluster_id)):
        return _told(f"#{cluster.cluster_id} 正在检查，请等结果；不要了就回复「撤销」。")
    kind, value = said
    lesson = Lesson(
        cluster.cluster_id,
        kind,
        _STOOD_BY.sub("", value),
        asked.received_at,
        harmless=bool(_STOOD_BY.search(value)),
        channel=asked.channel,
        user=asked.user,
    )
    try:
        some = replace(cluster, variants=cluster.variants[:_MOST_READ])  # all of them are read when it is checked
        lesson = meant(lesson, some, ctx.index, ctx.limits)
    except CannotTeach as exc:
        return _told(exc.told)
    about = "、".join(subject_of(some, ctx.index).things[:3]) or _short(cluster.text)
    text = f"正在检查：#{cluster.cluster_id}「{about}」{_in_words(lesson, ctx)}。\n{_SLOW}"
    return Reply("answer", text, score=1.0, lesson=lesson)


@router.on("message", staff=True)
async def take_back(asked: Utterance, ctx: Context) -> Reply | None:
    """「撤销」: one's last lesson, or that of a number, before it is applied or shortly after."""
    found = _UNDO.fullmatch(asked.text.strip())
    if found is None or asked.chat is not None or asked.role not in _MAY_TEACH:
        return None
    number = int(found[1]) if found[1] else None
    mine = await ctx.store.lessons(user=asked.user, cluster=number)
    lesson = mine[0] if mine else None
    if lesson is None:
        return _told("没有可以撤销的：您还没教过。")
    told = f"#{lesson.cluster_id}"
    if lesson.state in ("waiting", "checking"):
        return Reply("answer", f"{told} 不教了，知识库没动。", score=1.0, take_back=lesson.lesson_id)
    if lesson.state == "applying":
        return _told(f"{told} 正在发布，几秒后再回复「撤销」。")
    if lesson.state != "taught" or lesson.settled_at is None:
        return _told(f"{told} 没有可以撤销的。")
    if ctx.now - lesson.settled_at > UNDO:
        return _told(f"{told} 教会已经超过{int(UNDO.total_seconds())}秒，不能直接撤销了。要改回去，{_mend(lesson)}。")
    text = f"正在撤销 {told}，知识库会回到教之前，问过的居民不会收到消息。"
    return Reply("answer", text, score=1.0, take_back=lesson.lesson_id)


def _mend(lesson: Lesson) -> str:
    if lesson.version is None:
        return f"请编辑改知识库里的 {lesson.entry}"
    return f"请编辑运行 lvlin kb rollback {lesson.version - 1}，或直接改 {lesson.entry}"


def _refusal(asked: Utterance, ctx: Context, may: frozenset[Role]) -> Reply | None:
    """Why the word is not obeyed: from nobody of the staff, or in a group."""
    if asked.role not in may:
        if asked.chat is not None and not asked.mentioned:
            return Reply("silent", reason="not_a_question")
        log.warning("staff word refused", extra={"channel": asked.channel, "role": asked.role})
        return Reply("answer", ctx.text("staff_refused", asked.place), score=1.0)
    return _told(_ALONE) if asked.chat is not None else None


async def _news(asked: Utterance, ctx: Context) -> AsyncIterator[str]:
    """What came of one's lessons lately, the newest first."""
    mine = await ctx.store.lessons(user=asked.user)
    lately = [lesson for lesson in mine if ctx.now - (lesson.settled_at or lesson.at) < _NEWS]
    for lesson in lately[:_MOST_NEWS]:
        if lesson.state in _AT_WORK:
            yield f"#{lesson.cluster_id} 正在检查……"
        elif lesson.told:
            yield "\n".join(lesson.told.split("\n")[:3])


async def _cluster(number: int, asked: Utterance, ctx: Context) -> Unanswered | None:
    """The cluster of that number, where somebody in the staff's branch asked it."""
    branch = _branch(asked, ctx)
    if branch is None:
        return await ctx.store.cluster(number)
    async for cluster in ctx.store.unanswered(places=branch):
        if cluster.cluster_id == number:
            return cluster
    return None


def _branch(asked: Utterance, ctx: Context) -> tuple[str, ...] | None:
    return ctx.places.below(asked.staff_place) if asked.staff_place else None


def _said(words: str, ctx: Context) -> tuple[LessonKind, str] | None:
    """What kind of lesson the words after the number are, and what it says."""
    found = _SAYS.fullmatch(words.strip())
    if found is None:
        return None
    sign, value = found[1], found[2].strip()
    plain = _STOOD_BY.sub("", value)
    if sign in _SAME_AS:
        return "alias", _ALIKE_TAIL.sub("", plain).strip() + value[len(plain) :]
    if sign[0] in _ANSWERS and bin_meant(plain, ctx.index) is None:
        return "answer", value
    return "category", value


def _in_words(lesson: Lesson, ctx: Context) -> str:
    if lesson.kind == "category":
        return f"= {ctx.index.label(lesson.value)}"
    return f"同 {lesson.value}" if lesson.kind == "alias" else f"答「{_short(lesson.value)}」（{lesson.topic}）"


def _short(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…"


def _told(text: str) -> Reply:
    return Reply("answer", text, score=1.0)
