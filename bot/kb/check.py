"""Lint: every fault in the knowledge folder, and what is allowed but should not stay so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from bot.errors import Fault, FaultyFile
from bot.kb.entries import Synonyms
from bot.kb.lint.answers import check_answers
from bot.kb.lint.base import Finding, Linting
from bot.kb.lint.bins import check_bins
from bot.kb.lint.cities import check_cities
from bot.kb.lint.coverage import check_coverage
from bot.kb.lint.dates import check_dates
from bot.kb.lint.facts import check_facts
from bot.kb.lint.phrases import check_phrases
from bot.kb.lint.references import check_references
from bot.kb.lint.words import check_words
from bot.kb.load import load_with_lines

Folding = Callable[[Synonyms], Callable[[str], str]]
"""The site's synonyms → how a text is made comparable."""

CHECKS: tuple[Callable[[Linting], Iterator[Finding]], ...] = (
    check_dates,
    check_references,
    check_words,
    check_phrases,
    check_answers,
    check_facts,
    check_bins,
    check_cities,
    check_coverage,
)
"""Every family of checks."""

LOADING = "loading"
"""The rule of what the loader refuses."""


@dataclass(frozen=True, slots=True)
class Report:
    """What was found, in the order of files and lines."""

    findings: tuple[Finding, ...]

    @property
    def errors(self) -> tuple[Fault, ...]:
        """What must not be published."""
        return tuple(found.fault for found in self.findings if found.blocks)

    @property
    def warnings(self) -> tuple[Fault, ...]:
        """What is allowed, but should not stay so."""
        return tuple(found.fault for found in self.findings if not found.blocks)


def check(folder: Path, today: date, folding: Folding, *, covered: frozenset[str] | None = None) -> Report:
    """Check the knowledge in `folder`: what the loader refuses; only where it refuses nothing, all the rest.

    `covered`: the entries a frozen question is answered from, as topics/<slug>/<id>; None: nobody asked.
    """
    try:
        knowledge, documents = load_with_lines(folder)
    except FaultyFile as faulty:
        return refused(faulty)
    return examined(Linting(folder, knowledge, documents, today, folding(knowledge.synonyms), covered))


def refused(faulty: FaultyFile) -> Report:
    """The report of knowledge that cannot be loaded."""
    return Report(tuple(Finding(LOADING, fault, blocks=True) for fault in faulty.faults))


def examined(linting: Linting) -> Report:
    """The report of knowledge that could be loaded."""
    found = [finding for check_family in CHECKS for finding in check_family(linting)]
    return Report(tuple(sorted(found, key=_order)))


def _order(finding: Finding) -> tuple[str, int, str]:
    return finding.fault.file, finding.fault.line, finding.fault.what
