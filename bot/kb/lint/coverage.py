"""Entries that no frozen question is answered from: a change of them would go unnoticed."""

from __future__ import annotations

from collections.abc import Iterator

from bot.kb.lint.base import Finding, Linting
from bot.kb.load import in_force


def check_coverage(linting: Linting) -> Iterator[Finding]:
    """One finding an entry in force that no dialog reaches; none where nobody asked the dialogs."""
    if linting.covered is None:
        return
    for file, n, slug, entry in linting.entries():
        if in_force(entry, linting.today) and f"topics/{slug}/{entry.id}" not in linting.covered:
            what = f"no dialog asks for entry '{entry.id}'"
            mend = f"add a question to tests/dialogs or to {linting.folder.name}/dialogs"
            yield linting.finding("no-dialog", file, ("entries", n), what, mend)
