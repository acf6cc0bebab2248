"""What staff read of lessons, in Chinese; short, for a phone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.learning.lessons import UNDO
from bot.learning.notices import Notices
from bot.learning.teach import Checked, Preview, answered
from bot.records import Reply

_MOST_SHOWN = 5
_LONGEST = 60
_SECONDS = int(UNDO.total_seconds())


def preview_lines(preview: Preview, *, most: int | None = None) -> Iterator[str]:
    """What is written, and how each question of the cluster is answered then."""
    yield from preview.plan.changes or ("知识库里已经是这样，不用改。",)
    shown = preview.answers[:most]
    for text, reply in shown:
        yield f"· {_short(text)} → {reply_words(reply)}"
    if len(preview.answers) > len(shown):
        yield f"· 还有{len(preview.answers) - len(shown)}种问法"
    if preview.unanswered:
        yield f"其中{len(preview.unanswered)}种问法还答不上，再教一次或换个教法。"


def reply_words(reply: Reply) -> str:
    """A reply on one line, and whether it is none."""
    if not answered(reply):
        return "（还答不上）"
    return _short(_one_line(reply.text))


def taught(number: int, checked: Checked, notices: Notices) -> str:
    """The lesson is published: what is answered now, who is told, and how to take it back."""
    lines = [f"#{number} 教会了，已经用上。", *preview_lines(checked.preview, most=_MOST_SHOWN)]
    lines += [*changed_lines(checked, most=_MOST_SHOWN), *notice_lines(notices)]
    return "\n".join([*lines, f"{_SECONDS}秒内回复「撤销」可以收回。"])


def changed_lines(checked: Checked, *, most: int | None = None) -> Iterator[str]:
    """What else is answered otherwise because of the lesson."""
    if checked.changed:
        yield f"另有{len(checked.changed)}句常问的也跟着变了："
    for text, reply in checked.changed[:most]:
        yield f"· {_short(text)} → {_short(_one_line(reply.text) or '（不出声）')}"


def notice_lines(notices: Notices) -> Iterator[str]:
    """Who is told, and who is not."""
    if notices.reached:
        yield f"{_SECONDS}秒后告诉问过的{notices.reached}人。"
    if notices.closed:
        yield f"{notices.closed}人平台已不让回信，没有通知。"
    if notices.mute:
        yield f"{notices.mute}人用的渠道还不能主动发消息，没有通知。"
    if notices.uncovered:
        yield f"{notices.uncovered}人问的还答不上，先不打扰。"


def blocked(number: int, verdict: Sequence[str]) -> str:
    """The gate said no: why, and that nothing was changed."""
    return "\n".join([f"#{number} 没有教成，知识库没动。发布前的检查没通过：", *verdict[:12]])


def refused(number: int, why: str) -> str:
    """It could not be taught."""
    return f"#{number} 没有教成，知识库没动。{why}"


def undone(number: int) -> str:
    """It was taken back."""
    return f"#{number} 已撤销，知识库回到教之前，也不会通知居民。"


def not_undone(number: int, why: str) -> str:
    """It could not be taken back in the knowledge."""
    return f"#{number} 没能撤销知识库的改动：{why}居民那边没有通知。"


def _one_line(text: str) -> str:
    return "／".join(text.split("\n"))


def _short(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…"
