"""What the gate found, in words for staff."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from zoneinfo import ZoneInfo

from bot.publishing.dialogs import Difference
from bot.publishing.edits import Edits
from bot.publishing.gate import Compared, Verdict
from bot.publishing.rehearsal import Answered
from bot.publishing.versions import Version
from bot.records import Reply

_MOST = 20
"""Names of edited things that are listed; the rest is counted."""

_KEYS: Mapping[str, str] = {
    "action": "做法",
    "entry": "条目",
    "topic": "话题",
    "items": "物品和桶",
    "items in order": "物品的次序",
    "options": "选项",
    "reason": "不出声的原因",
    "inferred": "是否推断",
    "unanswered": "是否记为未答",
    "alert": "是否提醒工作人员",
    "characters": "字数上限",
    "placeholders": "没填上的空",
}


def verdict_lines(verdict: Verdict) -> Iterator[str]:
    """The whole verdict: lint, edits, and each question that fails or changes, with its old and new answer."""
    report = verdict.report
    yield f"检查：{len(report.errors)}处错误，{len(report.warnings)}处提醒（逐条看：lvlin kb check）"
    if verdict.edits is not None:
        yield from _edit_lines(verdict.edits)
    if verdict.compared:
        elsewhere = f"，另有{verdict.elsewhere}段对话属于别的城市，没有问" if verdict.elsewhere else ""
        yield (
            f"冻结问题：问了{len(verdict.compared)}句，{len(verdict.regressions)}句变得与预期不符，"
            f"{len(verdict.changed)}句答复有变化{elsewhere}"
        )
    yield from _questions("与预期不符（不能发布）：", verdict.regressions)
    yield from _questions("答复有变化：", verdict.changed)
    yield from _questions("本来就与预期不符：", verdict.lapsed)


def _edit_lines(edits: Edits) -> Iterator[str]:
    yield f"改动：新增{len(edits.added)}条，修改{len(edits.changed)}条，删除{len(edits.removed)}条"
    for what, names in (("新增", edits.added), ("修改", edits.changed), ("删除", edits.removed)):
        for name in names[:_MOST]:
            yield f"  {what} {name}"
        if len(names) > _MOST:
            yield f"  {what} …… 还有{len(names) - _MOST}条"


def _questions(title: str, found: Iterable[Compared]) -> Iterator[str]:
    for number, compared in enumerate(found, 1):
        if number == 1:
            yield title
        after = compared.after
        yield f"{number}. {_asked(after)}（{after.dialog.file}:{after.line}）"
        if compared.before is not None:
            yield f"   原来：{answer_words(compared.before.reply)}"
        yield f"   现在：{answer_words(after.reply)}"
        if compared.before is not None and compared.before.reply.text == after.reply.text:
            yield f"   （文字没变：{_kind(compared.before.reply)} → {_kind(after.reply)}）"
        for difference in after.differences:
            yield f"   {difference_words(difference)}"


def _asked(answered: Answered) -> str:
    """「那充电宝呢」, after what was said before it."""
    before = [step.say for step in answered.dialog.told.steps[: answered.number]]
    return "".join(f"「{said}」→" for said in before) + f"「{answered.step.say}」"


def answer_words(reply: Reply) -> str:
    """A reply on one line."""
    return "／".join(reply.text.split("\n")) if reply.text else f"（不回复：{reply.reason}）"


def _kind(reply: Reply) -> str:
    items = "、".join(f"{item.name} {item.category}" for item in reply.items)
    return " ".join(filter(None, (reply.action, reply.topic, reply.entry, items)))


def difference_words(difference: Difference) -> str:
    """One thing expected that did not come."""
    expected, got = difference.expected, difference.got
    if isinstance(expected, tuple) and isinstance(got, tuple) and difference.key != "options":
        lacking = "".join(f"「{part}」" for part in expected if part not in got)
        return f"应有{lacking}，却没有" if difference.key == "text_has" else f"不该有{lacking}，却有"
    return f"{_KEYS[difference.key]}：应为 {_shown(expected)}，现为 {_shown(got)}"


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return "、".join(f"{key} {inner}" for key, inner in value.items()) or "无"
    if isinstance(value, tuple | list):
        return "、".join(map(str, value)) or "无"
    return {True: "是", False: "否", None: "无"}.get(value, str(value)) if value in (True, False, None) else str(value)


def version_line(version: Version, zone: ZoneInfo) -> str:
    """A version in one line of the history."""
    at = version.at.astimezone(zone).strftime("%Y-%m-%d %H:%M")
    restored = f"回到第{version.restored}版" if version.restored else ""
    commit = f"git {version.commit[:10]}" if version.commit else ""
    parts = (f"第{version.number}版", at, version.by, version.version, commit, restored, version.note)
    return "  ".join(filter(None, parts))
