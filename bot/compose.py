"""Decisions → words: short, for a phone: verdict, how or where, basis with its date; the rest behind 「详细」."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.context import Context
from bot.kb.entries import Choice, Item
from bot.matching.things import Thing
from bot.matching.understand import Understanding
from bot.records import Alert, ItemAnswer, Option, Reply, Session, Utterance

_SHORT_REASON = 24
_SHORT = 120
"""Characters a reply should keep to where the facts allow."""


def item_answer(thing: Thing, ctx: Context) -> ItemAnswer:
    """The bin of a thing, called as the city calls it."""
    return ItemAnswer(thing.name, thing.category, ctx.index.label(thing.category), thing.inferred)


def items_text(things: Sequence[Thing], asked: Utterance, ctx: Context) -> str:
    """One thing in about three short lines, several in one line each."""
    if len(things) == 1:
        return _one_item(things[0], asked, ctx)
    lines = [
        f"{thing.called}：{_verdict(thing.category, ctx)}{'（推断）' if thing.inferred else ''}" for thing in things
    ]
    if any(thing.category == "hazardous" for thing in things):
        lines.append(ctx.text("hazard_among"))
    return _joined(*lines, standard(ctx))


def _one_item(thing: Thing, asked: Utterance, ctx: Context) -> str:
    if thing.item is None:
        return _inferred_text(thing, asked, ctx)
    item = thing.item
    if item.danger and ctx.index.facts.dangers[item.danger].named:
        return f"{thing.called}：{filled(ctx.index.facts.dangers[item.danger].text, asked, ctx)}"
    verdict = f"{thing.called}：{_verdict(thing.category, ctx)}。"
    how = filled(item.prepare, asked, ctx) or ctx.index.city.categories[thing.category].prepare  # type: ignore[index]
    why = filled(item.reason, asked, ctx)
    reason = f"{why}。" if why and len(why) <= _SHORT_REASON else ""
    lines = [verdict + reason, f"{how.rstrip('。')}。"]
    if item.disputed:
        lines.append(ctx.text("disputed", clause=item.disputed.rstrip("。"), city=ctx.index.city.name))
    lines += [standard(ctx), basis(item.source, "", ctx)]
    return _within(lines, _SHORT)


def _inferred_text(thing: Thing, asked: Utterance, ctx: Context) -> str:
    label = ctx.index.label(thing.category)
    if thing.category == "hazardous":
        told = ctx.text("inferred_hazard", asked.place, name=thing.name, verdict=_verdict("hazardous", ctx))
    else:
        how = ctx.index.city.categories[thing.category].prepare.rstrip("。")  # type: ignore[index]
        told = ctx.text("inferred", asked.place, name=thing.name, label=label, how=how)
    return _joined(told, standard(ctx))


def _joined(*lines: str) -> str:
    return "\n".join(filter(None, lines))


def _verdict(category: str, ctx: Context) -> str:
    found = next(value for name, value in ctx.index.city.categories.items() if name == category)
    return f"{found.label}（{found.colour}桶）" if found.colour else found.label


def _within(lines: Sequence[str], limit: int) -> str:
    """All lines where they fit; the second gives way first, that it is disputed and the basis last."""
    kept = [line for line in lines if line]
    while len(kept) > 2 and len("\n".join(kept)) > limit + 20:
        del kept[1]
    return "\n".join(kept)


def listed_text(choice: Choice, asked: Utterance, ctx: Context) -> str:
    """The cases of a word that has a default, one line each."""
    lines = [ctx.text("cases", word=choice.word)]
    lines += [f"{option.label}：{_case(option, category, ctx)}" for option, category in cases(choice, ctx)]
    return _joined(*lines, standard(ctx))


def _case(option: Option, category: str, ctx: Context) -> str:
    """The bin of one case; none where the thing may go into no bin at all."""
    item = _item_called(option.target.removeprefix("items/"), ctx)
    if item and item.danger and ctx.index.facts.dangers[item.danger].named == "alert":
        return ctx.text("no_bin")
    return _verdict(category, ctx)


def cases(choice: Choice, ctx: Context) -> list[tuple[Option, str]]:
    """The options of an ambiguous word, each with its bin in the site's city."""
    found: list[tuple[Option, str]] = []
    for option in choice.options:
        item = _item_called(option.item, ctx)
        category = item.category if item else option.category or "residual"
        target = f"items/{item.name}" if item else f"category/{category}"
        found.append((Option(option.label, option.topic or "waste.item", category, target), category))
    return found


def _item_called(name: str, ctx: Context) -> Item | None:
    return ctx.index.item(name) if name else None


def clarify(choice: Choice, ctx: Context) -> Reply:
    """Ask back with numbered options."""
    options = tuple(option for option, _ in cases(choice, ctx))
    lines = [
        choice.question,
        *(f"{n}. {option.label}" for n, option in enumerate(options, 1)),
        ctx.text("clarify_tail"),
    ]
    return Reply("clarify", "\n".join(lines), topic="waste.item", entry=f"choices/{choice.word}", options=options)


def basis(code: str, article: str, ctx: Context) -> str:
    """The basis with its date: 「依据：上海市生活垃圾管理条例第57条（2019-07-01）」; never another city's."""
    source = ctx.index.facts.sources.get(code)
    if source and source.city and source.city != ctx.index.city.city:
        return _cited(ctx.index.city.source, "", ctx)
    return _cited(code, article, ctx)


def _cited(code: str, article: str, ctx: Context) -> str:
    source = ctx.index.facts.sources.get(code)
    if source is None:
        return ""
    if source.mark == "C":
        return ctx.text("mark_c")
    return f"依据：{source.name}{article}（{source.date.isoformat()}）"


def entry_text(name: str, asked: Utterance, ctx: Context) -> tuple[str, str]:
    """The answer of an entry in the site's city, and what stands behind 「详细」."""
    _, entry = ctx.index.entries[name]
    foreign = ctx.index.facts.foreign.get(name)
    lines = [filled(entry.answer, asked, ctx)]
    if foreign:
        lines += [ctx.text("foreign_rule", city=foreign), _cited(entry.source, entry.article, ctx)]
    else:
        depends = entry.cities or "{" in entry.answer.replace("{contact}", "")
        lines += [standard(ctx) if depends else "", basis(entry.source, entry.article, ctx)]
    if entry.mark == "C" and ctx.text("mark_c") not in lines and ctx.text("mark_c") not in lines[0]:
        lines.append(ctx.text("mark_c"))
    if entry.detail:
        lines.append(ctx.text("detail_hint"))
    return _joined(*lines), filled(entry.detail, asked, ctx) if entry.detail else ""


def standard(ctx: Context) -> str:
    """That the national standard is told, where the site's city has no file of its own; else ""."""
    return "" if ctx.index.facts.city_known else ctx.text("national_standard")


def filled(text: str, asked: Utterance, ctx: Context) -> str:
    """A text with the city's bin names and the place's contact."""
    if "{" not in text:
        return text
    values: dict[str, str] = {name: found.label for name, found in ctx.index.city.categories.items()}
    return text.format_map({**values, "contact": ctx.contact(asked.place)})


def case_text(option: Option, category: str, ctx: Context) -> str:
    """A chosen case that names no item of the knowledge: its bin, and how to put it out."""
    how = ctx.index.city.categories[category].prepare  # type: ignore[index]
    return _joined(f"{option.label}：{_verdict(category, ctx)}。", f"{how.rstrip('。')}。", standard(ctx))


def known_case(thing: Thing, ctx: Context) -> ItemAnswer:
    """A case of an ambiguous word, which the knowledge does hold."""
    return ItemAnswer(thing.name, thing.category, ctx.index.label(thing.category), False)


def danger_reply(told: Understanding, asked: Utterance, ctx: Context) -> Reply:
    """Fixed wording for a dangerous state, with an alert where it wants one; no bin but the red one is named for it."""
    danger = ctx.index.facts.dangers[told.danger]
    known = [thing for thing in told.things[:1] if thing.item]
    name = known[0].name if known else ""
    alert = None
    if danger.alert:
        what = name or next(iter(danger.words), told.danger)
        alert = Alert(ctx.text("danger_alert", asked.place, what=what), asked.place)
    topic = danger.topic or "waste.item"
    return Reply(
        "answer",
        filled(danger.text, asked, ctx),
        topic=topic,
        entry=f"items/{name}" if name else f"dangers/{told.danger}",
        items=tuple(item_answer(thing, ctx) for thing in known if thing.category == "hazardous"),
        score=told.score,
        alert=alert,
        session=Session(item=name, topic=topic, at=ctx.now),
    )


def remembering(reply: Reply, ctx: Context, item: str = "") -> Reply:
    """The reply, with what it leaves to be remembered for follow-ups and choices."""
    session = Session(
        item=item,
        entry=reply.entry or "",
        topic=reply.topic or "",
        options=reply.options,
        detail=reply.detail,
        question=ctx.understood.folded.text,
        at=ctx.now,
    )
    return replace(reply, session=session)
