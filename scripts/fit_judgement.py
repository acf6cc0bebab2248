"""Learn what speaks for each reading of a message: `python -m scripts.fit_judgement QUESTIONS.jsonl … DIALOGS.yaml …`.

Every way to read each question is answered by the real handlers and judged as `kb eval` judges; a logistic model for
each kind of reading is fitted to that (ridge, iteratively reweighted least squares) and written to
bot/matching/tables/judgement.json. No reading of a question of kind `silent` is right. Whether a message is a question
to us at all is learned from those against the others; it looks at the likeliest reading, so run the script twice.
Five-fold cross-validation by question tells how well the likelihoods hold.
"""

from __future__ import annotations

import asyncio
import json
import math
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import yaml

from bot.asking import Asker, unchanged
from bot.assembly import make_brain, make_turns, nobody_alerted
from bot.cli.common import read_settings
from bot.context import Context
from bot.evaluate import Question, read_questions, right
from bot.matching.judgement import likelihood
from bot.matching.readings import FEATURES, Reading, as_question
from bot.matching.understand import heard, understand, ways_to_read
from bot.records import Inbound, Reply, Utterance
from bot.storage.memory import MemoryStore
from bot.turns import Turns, session_key

ROOT = Path(__file__).parent.parent
TABLE = ROOT / "bot" / "matching" / "tables" / "judgement.json"
RIDGE = 1.0
OUT_OF_SCOPE = 0.3
"""What a line that is no question to us counts, where a question is asked with the bot mentioned."""
DIALOG = 0.4
"""What a line of a dialog counts: they are all of topics, residents' questions are not."""
ROUNDS = 12
FOLDS = 5


@dataclass(frozen=True, slots=True)
class Row:
    """One reading of one question, and whether it is right."""

    question: int
    kind: str
    numbers: tuple[float, ...]
    good: bool
    weight: float


async def rows(turns: Turns, questions: Sequence[Question]) -> list[Row]:
    """Every reading of every question, judged."""
    await turns.store.start()
    found: list[Row] = []
    asker = Asker(turns, "try", unchanged)
    for n, question in enumerate(questions):
        for m, earlier in enumerate(question.context):
            await asker.take(Inbound("message", f"{n}#{m}", f"u{n}", f"g{n}", earlier))
        async for reading, good in _judged(turns, question, n):
            weight = OUT_OF_SCOPE if question.kind == "silent" and reading.kind != "question" else 1.0
            weight *= DIALOG if question.notes == "dialog" else 1.0
            found.append(Row(n, reading.kind, tuple(map(float, reading.numbers)), good, weight))
    await turns.store.stop()
    return found


async def _judged(turns: Turns, question: Question, n: int) -> AsyncIterator[tuple[Reading, bool]]:
    index = turns.brain().index
    now = datetime.now(UTC)
    place = turns.brain().places.of_chat("try", None)
    asked = Utterance("try", f"{n}", f"u{n}", f"g{n}", "", question.text, now, place=place)
    opening = await turns.store.opening("try", f"{n}", nonce="", session=session_key(asked), chat=f"g{n}")
    about = opening.session.topic if opening.session else ""
    seen, hits, found = ways_to_read(heard(question.text, index), index, about=about)
    plain = understand(question.text, index, about=about)
    if plain.kind == "danger":
        return
    best = max(((likelihood(reading), reading) for reading in found), key=lambda one: one[0], default=(0.0, None))
    clear = question.kind != "silent" and not question.mention
    yield as_question(seen, best[1], best[0], hits, index), clear
    for reading in found:
        forced = replace(
            plain, kind=reading.kind, score=1.0, rule=reading.rule, things=reading.things, entry=reading.entry,
            choice=reading.choice,
        )  # fmt: skip
        ctx = Context(
            turns.brain(), forced, opening.session, opening.chat, now,
            turns.zone, turns.limits, turns.group, turns.store,
        )  # fmt: skip
        reply = await turns.router.first(asked, ctx)
        good = question.kind != "silent" and reply is not None and right(question, reply)
        yield reading, good and (reading.kind != "entry" or _meant(question, reply))


def _meant(question: Question, reply: Reply) -> bool:
    """Whether an entry's topic is the one asked for: beside it the bins of things named may be right by chance."""
    return reply.topic in (question.expect.get("topic"), *question.expect.get("accept_topics", ()))


def fit(given: Sequence[Row], kind: str) -> list[float]:
    """The weights of one kind of reading, the first by itself."""
    own = [row for row in given if row.kind == kind]
    size = len(FEATURES[kind]) + 1
    weights = [0.0] * size
    points = [((1.0, *row.numbers), float(row.good), row.weight) for row in own]
    for _ in range(ROUNDS):
        slope = [-RIDGE * weight * (at > 0) for at, weight in enumerate(weights)]
        bend = [[0.0] * size for _ in range(size)]
        for at in range(size):
            bend[at][at] = RIDGE * (at > 0) + 1e-9
        for numbers, good, weight in points:
            chance = _chance(weights, numbers)
            spread = weight * max(1e-6, chance * (1 - chance))
            there = [at for at, number in enumerate(numbers) if number]
            for at in there:
                slope[at] += weight * (good - chance) * numbers[at]
                row, scaled = bend[at], spread * numbers[at]
                for other in there:
                    row[other] += scaled * numbers[other]
        step = _solved(bend, slope)
        weights = [weight + move for weight, move in zip(weights, step, strict=True)]
        if max(map(abs, step)) < 1e-5:
            break
    return weights


def _chance(weights: Sequence[float], numbers: Sequence[float]) -> float:
    return 1 / (1 + math.exp(-max(-20.0, min(20.0, sum(map(float.__mul__, weights, numbers))))))


def _solved(matrix: list[list[float]], values: list[float]) -> list[float]:
    """Gauss with pivots."""
    size = len(values)
    rows_ = [[*row, value] for row, value in zip(matrix, values, strict=True)]
    for at in range(size):
        pivot = max(range(at, size), key=lambda n: abs(rows_[n][at]))
        rows_[at], rows_[pivot] = rows_[pivot], rows_[at]
        for n in range(at + 1, size):
            factor = rows_[n][at] / rows_[at][at]
            if factor:
                rows_[n] = [a - factor * b for a, b in zip(rows_[n], rows_[at], strict=True)]
    solved = [0.0] * size
    for at in reversed(range(size)):
        rest = sum(rows_[at][n] * solved[n] for n in range(at + 1, size))
        solved[at] = (rows_[at][size] - rest) / rows_[at][at]
    return solved


def checked(given: Sequence[Row]) -> None:
    """Print how right the best reading is, out of fold, and how the likelihoods hold by band."""
    best: dict[int, tuple[float, bool]] = {}
    asked: dict[int, tuple[float, bool]] = {}
    for fold in range(FOLDS):
        models = {kind: fit([row for row in given if row.question % FOLDS != fold], kind) for kind in FEATURES}
        for row in given:
            if row.question % FOLDS == fold:
                chance = _chance(models[row.kind], (1.0, *row.numbers))
                if row.weight in (OUT_OF_SCOPE, OUT_OF_SCOPE * DIALOG):
                    continue
                into = asked if row.kind == "question" else best
                into[row.question] = max(into.get(row.question, (0.0, False)), (chance, row.good))
    for name, judged in (("best reading right", best), ("a question to us", asked)):
        print(f"{name}: {sum(good for _, good in judged.values())} of {len(judged)}")
        for low, high in pairwise((0.0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.01)):
            band = [good for chance, good in judged.values() if low <= chance < high]
            if band:
                print(f"  likelihood {low:.2f} to {min(high, 1):.2f}: {sum(band)}/{len(band)}")


def _questions(path: Path) -> list[Question]:
    """The questions of a file, or those lines of a dialog file that say which topic, or silence, must come back."""
    text = path.read_text("utf-8")
    if path.suffix == ".jsonl":
        return read_questions(text.splitlines(), str(path))
    found = []
    for told in yaml.safe_load(text):
        *earlier, last = told["steps"]
        expect = last["expect"]
        kind = "silent" if expect == "silent" else "local"  # right by its topic, whatever is done
        if "city" in told or {"role", "media", "user"} & last.keys() or (kind != "silent" and "topic" not in expect):
            continue
        if kind != "silent" and (expect["topic"] in ("waste.item", "out_of_scope") or "reason" in expect):
            continue
        wanted = {} if kind == "silent" else {"topic": expect["topic"]}
        context = tuple(step["say"] for step in earlier)
        name = f"{path.stem}/{told.get('name')}"
        found.append(Question(name, last["say"], kind, wanted, context=context, notes="dialog"))
    return found


def main(files: Sequence[str]) -> None:
    """Fit, check, write."""
    settings = read_settings(ROOT / "config.yaml")
    brain = make_brain(settings, settings.knowledge, datetime.now(UTC).date())
    questions = [question for file in files for question in _questions(Path(file))]
    given = asyncio.run(rows(make_turns(settings, MemoryStore(), lambda: brain, nobody_alerted), questions))
    checked(given)
    weights = {}
    for kind, names in FEATURES.items():
        itself, *rest = fit(given, kind)
        weights[kind] = {"itself": round(itself, 4), **{name: round(w, 4) for name, w in zip(names, rest, strict=True)}}
    told = {
        "made": "python -m scripts.fit_judgement " + " ".join(Path(file).name for file in files),
        "questions": len(questions), "readings": len(given), "knowledge": brain.version, "weights": weights,
    }  # fmt: skip
    TABLE.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
