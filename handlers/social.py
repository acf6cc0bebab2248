"""Greetings, thanks, a call for help or for a person."""

from __future__ import annotations

import re

from bot.context import Context
from bot.records import Alert, Reply, Utterance
from bot.router import Router

router = Router()

_HELLO = re.compile(
    r"^(?:小绿|绿邻|机器人|助手)?(?:你好|您好|侬好|哈喽|hello|hi|hey|早上好|下午好|晚上好|早|早安|在吗|在么|在不在|有人吗|你是谁|你叫什么|小绿|绿邻)+(?:小绿|呀|啊|吗|呢)*$"
)
_HELP = frozenset(
    ("帮助", "help", "使用说明", "怎么用", "你能做什么", "你会什么", "你会干什么", "能问什么", "功能", "菜单", "说明")
)
_THANKS = re.compile(
    r"^(?:好的|好|嗯|哦|知道了|明白了|收到|懂了)*(?:谢谢|多谢|谢了|感谢|辛苦了|谢谢你|谢谢侬|唔该|谢谢小绿)+(?:你|您|了|啊|小绿)*$"
)
_PERSON = frozenset(
    ("人工", "转人工", "人工服务", "找人工", "我要人工", "找工作人员", "叫工作人员", "真人", "找真人", "联系工作人员")
)
_AROUND = re.compile(r"@\S+|[\W_]+")


@router.on("message")
async def small_talk(asked: Utterance, ctx: Context) -> Reply | None:
    """Answer a greeting, a thank-you, a call for help; call a person when asked to."""
    word = ctx.understood.folded.tight or asked.text.strip()
    written = _AROUND.sub("", asked.text)  # folding takes courtesy away as filler
    if word in _PERSON:
        alert = Alert(f"有居民请求人工答复，请尽快联系。地点：{ctx.places.by_id[asked.place].name}", asked.place)
        return Reply("handoff", ctx.text("handoff", asked.place), score=1.0, alert=alert)
    if asked.chat is not None and not asked.mentioned:
        return None
    if _HELLO.match(word):
        return Reply("answer", ctx.text("greeting", asked.place), score=1.0)
    if word in _HELP:
        return Reply("answer", ctx.text("help", asked.place), score=1.0)
    if _THANKS.match(word) or _THANKS.match(written):
        return Reply("answer", ctx.text("thanks", asked.place), score=1.0)
    return None
