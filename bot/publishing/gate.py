"""The gate: lint, the frozen questions, and which of their answers would change. Nothing is published here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from bot.assembly import knowledge_cache
from bot.brain import Brain, compiled
from bot.errors import Fault, FaultyFile
from bot.kb.check import Report, examined, refused
from bot.kb.entries import Synonyms
from bot.kb.lint.base import Finding, Linting
from bot.kb.load import Knowledge, load, load_with_lines
from bot.matching.fold import Fold
from bot.matching.understand import Thresholds
from bot.publishing.dialogs import CITY, SHIPPED, Dialog, read_dialogs
from bot.publishing.edits import Edits, edits_between
from bot.publishing.rehearsal import Answered, rehearse
from bot.records import Reply
from bot.settings import Settings

IN_DIALOGS = "dialogs"
"""The rule of what is wrong with the frozen questions themselves."""

Progress = Callable[[str, int, int], object]
"""Hears what is being done, how much of it is done, and how much there is to do."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One frozen question: what comes back from the edited knowledge, and from the published (None: none is)."""

    after: Answered
    before: Answered | None

    @property
    def changed(self) -> bool:
        """Whether residents would get another answer."""
        return self.before is not None and _told(self.before.reply) != _told(self.after.reply)

    @property
    def fails(self) -> bool:
        """Whether it is not as expected, and not known to be so."""
        return bool(self.after.differences) and not self.after.dialog.told.xfail

    @property
    def regressed(self) -> bool:
        """Whether it fails, and did not before."""
        return self.fails and not (self.before and self.before.differences)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate found. `elsewhere`: conversations of other cities, which were not held; `edits`: None where nothing
    is published to compare with."""

    report: Report
    compared: tuple[Compared, ...] = ()
    elsewhere: int = 0
    edits: Edits | None = None

    @property
    def regressions(self) -> tuple[Compared, ...]:
        """Questions whose answer was as expected, and would not be."""
        return tuple(found for found in self.compared if found.regressed)

    @property
    def lapsed(self) -> tuple[Compared, ...]:
        """Questions whose answer is not as expected, as little as before."""
        return tuple(found for found in self.compared if found.fails and not found.regressed)

    @property
    def changed(self) -> tuple[Compared, ...]:
        """Questions whose answer would change, against no expectation."""
        return tuple(found for found in self.compared if found.changed and not found.regressed)

    @property
    def blocked(self) -> bool:
        """Whether this may not be published."""
        return bool(self.report.errors or self.regressions)


def examine(settings: Settings, folder: Path, published: Path | None, day: date, progress: Progress) -> Verdict:
    """Lint the knowledge in `folder`, ask it the frozen questions, and compare with the published knowledge if any."""
    try:
        knowledge, documents = load_with_lines(folder)
    except FaultyFile as faulty:
        return Verdict(refused(faulty))
    dialogs, faults = read_dialogs(folder, settings.site.city, SHIPPED)
    asked = [dialog for dialog in dialogs if dialog.city in (settings.site.city, CITY)]
    after = _answered(settings, folder, knowledge, asked, day, progress)
    old = _baseline(published)
    before = _answered(settings, published, old, asked, day, progress) if published and old else None
    linting = Linting(folder, knowledge, documents, day, folding(knowledge.synonyms), _covered(after))
    progress("lint", 0, 1)
    report = examined(linting)
    progress("lint", 1, 1)
    return Verdict(
        report=Report((*report.findings, *_findings(faults))),
        compared=tuple(Compared(now, before[n] if before else None) for n, now in enumerate(after)),
        elsewhere=len(dialogs) - len(asked),
        edits=edits_between(old, knowledge) if old else None,
    )


def folding(synonyms: Synonyms) -> Callable[[str], str]:
    """How lint makes texts comparable: as messages are."""
    fold = Fold(synonyms.words, synonyms.emoji, synonyms.fillers)
    return lambda text: fold(text).tight


def _answered(
    settings: Settings, folder: Path, knowledge: Knowledge, dialogs: Sequence[Dialog], day: date, progress: Progress
) -> list[Answered]:
    cities = list(dict.fromkeys(dialog.city for dialog in dialogs))
    brains = {}
    for n, city in enumerate(cities):
        progress("compile", n, len(cities))
        brains[city] = Brain.of(compiled(folder, knowledge_cache(settings), city, day, loaded=knowledge))
    progress("compile", len(cities), len(cities))
    limits = Thresholds(**settings.matching.model_dump())
    done = iter(range(1, len(dialogs) + 1))
    return rehearse(
        dialogs,
        brains,
        limits,
        settings.site.timezone,
        progress=lambda: progress("questions", next(done), len(dialogs)),
    )


def _baseline(published: Path | None) -> Knowledge | None:
    """The published knowledge to compare with; None where there is none, or none that this program can read."""
    try:
        return load(published) if published else None
    except FaultyFile:
        return None


def _covered(answered: Sequence[Answered]) -> frozenset[str]:
    """The entries that a question is answered from as expected."""
    return frozenset(found.reply.entry for found in answered if found.reply.entry and not found.differences)


def _findings(faults: Sequence[Fault]) -> list[Finding]:
    return [Finding(IN_DIALOGS, fault, blocks=True) for fault in faults]


def _told(reply: Reply) -> tuple[object, ...]:
    """What a resident, or a program that reads answers, gets of a reply."""
    return reply.action, reply.topic, reply.entry, reply.items, reply.options, reply.reason, reply.text, reply.detail
