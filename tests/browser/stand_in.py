"""A stand-in for the bot: a channel that answers like the contract, by rote."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import Any

from aiohttp import web

BATTERIES = (
    ("普通干电池（1、5、7号）", "residual"),
    ("纽扣电池", "hazardous"),
    ("充电电池、锂电池", "hazardous"),
    ("电动车电瓶", "hazardous"),
)
ALERT = "【安全提醒】有居民问到危险物品：鼓包的锂电池。已按固定安全用语答复，请尽快联系核实、协助处理。"


def answer(action: str, text: str = "", **rest: Any) -> dict[str, Any]:
    """An answer object without id and addressee."""
    empty = {"topic": None, "entry": None, "items": [], "options": [], "record": None, "reason": None, "score": 0.0}
    return {**empty, "action": action, "text": text, "latency_ms": 0.4, **rest}


def item(name: str, category: str, label: str) -> dict[str, Any]:
    """One item of an answer object."""
    return {"name": name, "category": category, "label": label, "inferred": False}


CUP = answer(
    "answer",
    "奶茶杯：干垃圾（黑桶）。\n先把剩的奶茶倒掉，珍珠等料渣投湿垃圾，杯子、吸管投干垃圾。\n依据：《上海市生活垃圾分类投放指南》。回复「详细」看更多。",
    topic="waste.item",
    entry="items/奶茶杯",
    items=[item("奶茶杯", "residual", "干垃圾")],
    score=0.97,
)
WHICH = answer(
    "clarify",
    "您说的是哪种电池？\n"
    + "\n".join(f"{n}. {label}" for n, (label, _) in enumerate(BATTERIES, 1))
    + "\n请回复数字选择。",
    topic="waste.item",
    options=[{"label": label, "topic": "waste.item", "category": category} for label, category in BATTERIES],
    score=0.9,
)
BUTTON = answer(
    "answer",
    "纽扣电池：有害垃圾（红桶）。\n用胶带包住两极，投红桶或小区的废旧电池回收箱。",
    topic="waste.item",
    entry="items/钮扣电池",
    items=[item("纽扣电池", "hazardous", "有害垃圾")],
    score=0.98,
)
DANGER = answer(
    "answer",
    "鼓包的锂电池很危险：别按、别扎、别充电。\n"
    "放到阳台等空旷处，离开可燃物，请联系绿苑社区居委会（示例 021-0000-0001）上门取。\n冒烟、起火请立即离开，拨打119。",
    topic="battery_danger",
    entry="dangers/lithium",
    items=[item("鼓包的锂电池", "hazardous", "有害垃圾")],
    score=0.97,
)
SILENT = answer("silent", reason="not_a_question")
FALLBACK = answer("fallback", "这个我还不确定，不敢乱说，已记下请工作人员核实，有结果会告诉您。")


def understand(text: str) -> dict[str, Any]:
    """What the explanation shows."""
    return {
        "folded": text.lower(),
        "rule": "name",
        "kind": "items",
        "score": 0.97,
        "candidates": [
            {"entry": "items/奶茶杯", "score": 0.98, "rule": "name"},
            {"entry": f"topics/{text}", "score": 0.41, "rule": f"phrase: {text}"},
        ],
        "thresholds": {"accept": 0.5, "infer": 0.5, "speak": 0.85, "question": 0.5},
        "question_likelihood": 0.93,
    }


class StandIn:
    """Records what the page sent; answers by rote; remembers choices per user and chat, as a session does."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.failures: list[int] = []
        self.mail: dict[tuple[str, str | None], list[dict[str, Any]]] = defaultdict(list)
        self.choosing: set[tuple[str, str | None]] = set()
        self.gate = asyncio.Event()
        self.gate.set()

    async def receive(self, request: web.Request) -> web.Response:
        """The callback of the channel `try`."""
        if self.failures:
            return web.Response(status=self.failures.pop(0))
        message = await request.json()
        self.messages.append(message)
        await self.gate.wait()
        reply = self._reply(message, (message["user"], message.get("chat")))
        return web.json_response({**reply, "id": message["id"], "to": message["user"]})

    def waiting(self, user: str, chat: str | None) -> list[dict[str, Any]]:
        """The mailbox."""
        return self.mail[user, chat]

    def hold(self, loop: asyncio.AbstractEventLoop) -> None:
        """Keep the next answers back until `release`."""
        loop.call_soon_threadsafe(self.gate.clear)

    def release(self, loop: asyncio.AbstractEventLoop) -> None:
        """Let the answers go."""
        loop.call_soon_threadsafe(self.gate.set)

    def _reply(self, message: dict[str, Any], session: tuple[str, str | None]) -> dict[str, Any]:
        text = message["text"]
        if not message["mentioned"] and "怎么" not in text:
            return SILENT
        if text == "2" and session in self.choosing:
            self.choosing.discard(session)
            return BUTTON
        if "鼓包" in text:
            self.mail["staff", None].append({"delivery_id": f"d{len(self.messages)}", "text": ALERT})
            return DANGER
        if text == "电池怎么扔":
            self.choosing.add(session)
            return WHICH
        if text.startswith("复述"):
            return answer("answer", text.removeprefix("复述"), entry=text)
        return CUP if "奶茶杯" in text else FALLBACK
