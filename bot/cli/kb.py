"""`lvlin kb`: check, count and try the knowledge."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from bot.asking import Asker, unchanged
from bot.assembly import kept_versions, make_brain, make_turns, nobody_alerted
from bot.channels.answer import answer_object
from bot.cli import kb_publish, kb_sheets
from bot.cli.common import config_option, give_way, json_option, print_json, read_settings
from bot.cli.progress import progress
from bot.evaluate import Asking, Band, Question, Score, Wrong, askings, judge, read_questions
from bot.kb.check import Report
from bot.kb.load import Knowledge, load
from bot.publishing.gate import examine
from bot.publishing.publish import unpublished
from bot.records import Inbound
from bot.settings import Settings
from bot.storage.memory import MemoryStore


@click.group()
def kb() -> None:
    """Check, count, try, edit and publish the knowledge."""


for _command in (
    kb_publish.publish, kb_publish.history, kb_publish.rollback, kb_sheets.import_sheets, kb_sheets.export_sheets,
    kb_sheets.export_rules,
):  # fmt: skip
    kb.add_command(_command)


@kb.command()
@config_option
@json_option
def check(config_path: Path, as_json: bool) -> int:
    """Name every fault of the knowledge, and what should not stay so, each with file and line.

    Exit status 1 when the knowledge has faults, 0 when there are only warnings, or none.
    """
    settings = read_settings(config_path, "ERROR")  # what is warned of while asking is no news
    day = datetime.now(settings.site.timezone).date()
    give_way()
    with progress() as tell:
        report = examine(settings, settings.knowledge, None, day, tell).report
    if as_json:
        print_json(_as_json(report))
    else:
        for warning in report.warnings:
            click.echo(f"warning: {warning}")
        for error in report.errors:
            click.echo(f"lvlin: {error}", err=True)
        counted = Counter(finding.rule for finding in report.findings)
        if counted:
            click.echo("  ".join(f"{rule} {n}" for rule, n in counted.most_common()))
        click.echo(f"{len(report.errors)} faults, {len(report.warnings)} warnings in {settings.knowledge}")
        versions = kept_versions(settings)
        if (published := versions.published()) and unpublished(settings.knowledge, versions):
            click.echo(f"the folder differs from version {published.number}, which is served: lvlin kb publish")
    return 1 if report.errors else 0


def _as_json(report: Report) -> dict[str, Any]:
    """{"errors": […], "warnings": […]}, each {rule, file, line, what, mend}."""
    told: dict[str, Any] = {"errors": [], "warnings": []}
    for finding in report.findings:
        told["errors" if finding.blocks else "warnings"].append({"rule": finding.rule, **asdict(finding.fault)})
    return told


@kb.command()
@config_option
@json_option
def stats(config_path: Path, as_json: bool) -> None:
    """Count what the knowledge holds."""
    counted = _counts(load(read_settings(config_path).knowledge))
    if as_json:
        print_json(counted)
        return
    for name, value in counted.items():
        told = "  ".join(f"{key} {n}" for key, n in value.items()) if isinstance(value, dict) else value
        click.echo(f"{name:<12} {told}")


def _counts(knowledge: Knowledge) -> dict[str, Any]:
    entries = [entry for _, entry in knowledge.entries()]
    return {
        "version": knowledge.version,
        "items": len(knowledge.items),
        "aliases": sum(len(item.aliases) for item in knowledge.items),
        "categories": dict(Counter(item.category for item in knowledge.items).most_common()),
        "choices": len(knowledge.choices),
        "topics": len(knowledge.topics),
        "entries": len(entries),
        "phrases": sum(len(entry.ask) for entry in entries),
        "dangers": len(knowledge.dangers),
        "sources": len(knowledge.sources),
        "cities": len(knowledge.cities),
        "places": sum(1 for _ in knowledge.places.walk()),
        "chatter": len(knowledge.chatter.lines),
    }


@kb.command("eval")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--wrong", "wrong_file", type=click.Path(dir_okay=False, path_type=Path), help="Write the wrong ones here."
)
@config_option
@json_option
def evaluate(file: Path, wrong_file: Path | None, config_path: Path, as_json: bool) -> None:
    """Ask every question of FILE, mentioned and not, and tell how many answers of each kind are right.

    And how far scores can be trusted: for each band of scores, how many answers to mentioned questions were given in
    it, their mean score, and the share of right ones, which a calibrated score comes near to.
    """
    settings = read_settings(config_path)
    with file.open(encoding="utf-8") as lines:
        questions = read_questions(lines, str(file))
    score = asyncio.run(_scored(settings, questions))
    if wrong_file:
        with wrong_file.open("w", encoding="utf-8") as out:
            out.writelines(json.dumps(_wrong(wrong), ensure_ascii=False) + "\n" for wrong in score.wrong)
    if as_json:
        print_json({**score.table(), "reliability": [band.row() for band in score.reliability()]})
    else:
        _print_table(score.table())
        _print_bands(score.reliability())


async def _scored(settings: Settings, questions: list[Question]) -> Score:
    store = MemoryStore()
    await store.start()
    brain = make_brain(settings, settings.knowledge, datetime.now(settings.site.timezone).date())
    asker = Asker(make_turns(settings, store, lambda: brain, nobody_alerted), "eval", unchanged)
    score = Score()
    asked = list(askings(questions))
    with click.progressbar(asked, label="asking", file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
        for asking in bar:
            turn = await asker.take(_inbound(asking))
            if asking.answers:
                judge(score, asking, turn.reply, turn.latency_ms)
    return score


def _inbound(asking: Asking) -> Inbound:
    return Inbound(
        kind="message",
        message_id=asking.message_id,
        sender=f"u{asking.session}",
        chat=f"g-{asking.session}",
        text=asking.text,
        mentioned=asking.mentioned,
        session=asking.session,
        sent_at=datetime.now(UTC),
    )


def _wrong(wrong: Wrong) -> dict[str, Any]:
    return {"q": asdict(wrong.question), "a": answer_object(_inbound(wrong.asking), wrong.reply, 0.0)}


def _print_table(table: Mapping[str, Mapping[str, float]]) -> None:
    for figure, told in table.items():
        if "rate" in told:
            counts = f"{told['right']:5}/{told['of']:<5} {told['rate']:7.1%}"
            click.echo(f"{figure:19} {counts}   95% {told['low']:.1%} to {told['high']:.1%}")
        else:
            click.echo(f"{'latency ms':19} p50 {told['p50']:.2f}  p99 {told['p99']:.2f}")


def _print_bands(bands: Sequence[Band]) -> None:
    click.echo(f"\n{'answers by score':19} {'number':>11}  mean score  right   95%")
    for band in bands:
        row, last = band.row(), band.high == 1.0
        name = f"{band.low:.2f} <= s {'<=' if last else '<'} {band.high:.2f}"
        share = f"{row['rate']:6.1%}  {row['low']:.1%} to {row['high']:.1%}"
        click.echo(f"{name:19} {band.answers:11}  {band.mean_score:10.3f}  {share}")
