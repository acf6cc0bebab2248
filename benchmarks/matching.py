"""How long understanding takes: with the shipped knowledge, with ten times its items, and of absurdly long messages."""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from benchmarks.canary import Canary, canary
from benchmarks.site import KNOWLEDGE, make_site, questions
from benchmarks.table import Row, percentile
from bot import settings as config
from bot.assembly import make_turns, nobody_alerted
from bot.brain import Brain
from bot.kb.entries import Item
from bot.kb.load import load
from bot.matching.index import compile_index
from bot.matching.lexicon import key_of
from bot.matching.understand import understand
from bot.records import Utterance
from bot.storage.sqlite import SqliteStore

CITY, DAY = "shanghai", date(2026, 11, 1)
LONG = 50_000
_PASSES = 5
_TURNS_EACH = 25


def run() -> list[Row]:
    """Every figure of matching."""
    knowledge = load(KNOWLEDGE)
    shipped = Brain.of(compile_index(knowledge, CITY, DAY))
    more = knowledge.model_copy(update={"items": (*knowledge.items, *generated(knowledge.items, 9))})
    tenfold = Brain.of(compile_index(more, CITY, DAY))
    texts = questions()
    warm, first = _timed(texts, shipped)
    warm_ten, _ = _timed(texts, tenfold)
    p50, p99 = percentile(warm, 0.5), percentile(warm, 0.99)
    p50_ten, p99_ten = percentile(warm_ten, 0.5), percentile(warm_ten, 0.99)
    named = {f"of {LONG:,} characters, {kind}": text for kind, text in long_texts(knowledge.items).items()}
    stall = asyncio.run(_stall(shipped, named))
    slowest, kind = max((min(_understood(text, shipped) for _ in range(_PASSES)), kind) for kind, text in named.items())
    return [
        Row(f"understand, p50 of {len(texts)} questions (best of {_PASSES} calls each)", p50, "ms", most=0.3),
        Row("understand, p99", p99, "ms", most=2.0),
        Row("understand, p99 of the very first call each", percentile(first, 0.99), "ms"),
        Row(f"understand, p50 with ten times the items ({len(more.items):,})", p50_ten, "ms", most=0.6),
        Row("understand, p99 with ten times the items", p99_ten, "ms", most=4.0),
        Row("p50 with ten times the items, times that with the shipped ones", p50_ten / p50, most=2.0),
        Row("p99 with ten times the items, times that with the shipped ones", p99_ten / p99, most=2.0),
        Row(f"understand, slowest message {kind}", slowest, "ms", most=50.0),
        Row(f"longest stall of the loop, turns of {LONG:,} characters", 1000 * stall.longest, "ms", most=50.0),
        Row("longest stall of the loop by processor time of this process", 1000 * stall.busiest, "ms"),
    ]


def generated(items: Sequence[Item], times: int) -> list[Item]:
    """`times` as many items, like those given in all but their names: new combinations of the same syllables."""
    draw = random.Random(7)
    syllables = sorted({char for item in items for word in item.words for char in word})
    taken = {key_of(word) for item in items for word in item.words}

    def name() -> str:
        while True:
            made = "".join(draw.choices(syllables, k=draw.randint(2, 5)))
            if len(key_of(made)) >= 2 and key_of(made) not in taken:
                taken.add(key_of(made))
                return made

    return [
        item.model_copy(update={"name": name(), "aliases": tuple(name() for _ in item.aliases)})
        for _ in range(times)
        for item in items
    ]


def long_texts(items: Sequence[Item]) -> dict[str, str]:
    """Messages of LONG characters, each of another kind."""
    draw = random.Random(7)
    words = [word for item in items for word in item.words]
    return {
        "one character again and again": "啊" * LONG,
        "random Chinese": "".join(chr(draw.randint(0x4E00, 0x9FA5)) for _ in range(LONG)),
        "Latin letters": "".join(draw.choices("abcdefghijklmnopqrstuvwxyz ", k=LONG)),
        "names of items": "和".join(draw.choices(words, k=LONG))[:LONG],
        "brackets and signs": "".join(draw.choices("()[]{}@/:.+-#%，。！？", k=LONG)),
        "marks that combine": "a" + "\u0301\u0323" * (LONG // 2),
    }


def _timed(texts: Sequence[str], brain: Brain) -> tuple[list[float], list[float]]:
    """Milliseconds for each text: the best of several calls, and the very first one."""
    passes = [[_understood(text, brain) for text in texts] for _ in range(_PASSES)]
    return [min(calls) for calls in zip(*passes, strict=True)], passes[0]


def _understood(text: str, brain: Brain) -> float:
    began = time.perf_counter()
    understand(text, brain.index)
    return 1000 * (time.perf_counter() - began)


async def _stall(brain: Brain, texts: dict[str, str]) -> Canary:
    """What a canary saw while long messages are taken one after the other and kept in SQLite."""
    with tempfile.TemporaryDirectory() as place:
        settings = config.load(make_site(Path(place), port=0), {})
        store = SqliteStore(settings.store.path)
        await store.start()
        try:
            turns = make_turns(settings, store, lambda: brain, nobody_alerted)
            async with canary() as bird:
                for number in range(_TURNS_EACH):
                    for kind, text in texts.items():
                        at = datetime.now(UTC)
                        await turns.take(Utterance("app", f"{kind} {number}", f"u{number}", None, "", text, at))
            return bird
        finally:
            await store.stop()
