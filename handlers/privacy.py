"""A resident's rights, in chat: 「隐私」 「我的数据」 「删除我的数据」."""

from __future__ import annotations

from bot.context import Context
from bot.records import Reply, Utterance
from bot.router import Router

router = Router()

_PRIVACY = frozenset(("隐私", "隐私说明", "隐私政策"))
_MINE = frozenset(("我的数据", "我的记录", "查我的数据", "导出我的数据"))
_DELETE = frozenset(("删除我的数据", "删掉我的数据", "忘记我", "删除我的记录"))


@router.on("message")
async def rights(asked: Utterance, ctx: Context) -> Reply | None:
    """Tell what is stored, show it in private, or delete it."""
    word = ctx.understood.folded.tight
    if word in _PRIVACY:
        lines = [ctx.text("privacy", asked.place)]
        if ctx.model:
            lines.append(ctx.text("privacy_model", asked.place))
        return Reply("answer", "\n".join(lines), score=1.0)
    if word in _MINE:
        return await _mine(asked, ctx)
    if word in _DELETE:
        return Reply("answer", ctx.text("forgotten", asked.place), score=1.0, forget=True)
    return None


async def _mine(asked: Utterance, ctx: Context) -> Reply:
    """A summary of what is stored; never into a group."""
    if asked.chat is not None:
        return Reply("answer", ctx.text("my_data_private", asked.place), score=1.0)
    stored = await ctx.store.stored_about(asked.user)
    turns = stored.get("turns", [])
    texts = [turn.get("text") for turn in turns if turn.get("text")]
    lines = [ctx.text("my_data", asked.place), f"一共记了{len(turns)}次对话，其中{len(texts)}条还存着文字。"]
    lines += [f"· {text[:30]}" for text in texts[-5:]]
    return Reply("answer", "\n".join(lines), score=1.0)
