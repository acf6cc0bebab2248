"""How turns are put together, apart from the server: `lvlin ask` starts without HTTP and cryptography."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from bot.brain import Brain, compiled
from bot.context import GroupManners
from bot.matching.understand import Thresholds, understand
from bot.publishing.versions import Versions
from bot.records import Delivery
from bot.router import Router
from bot.settings import Settings
from bot.storage.contract import Store
from bot.turns import AlertAddresses, Chooser, Heard, Turns
from handlers import (
    clarification,
    events,
    items,
    learning,
    local_facts,
    opt_out,
    privacy,
    social,
    staff_words,
    topics,
    unknown,
)


def all_handlers() -> Router:
    """Every handler, in the order they are asked."""
    return Router().include(
        module.router
        for module in (
            events,
            staff_words,
            learning,
            privacy,
            opt_out,
            social,
            clarification,
            items,
            local_facts,
            topics,
            unknown,
        )
    )


def make_turns(
    settings: Settings,
    store: Store,
    brain: Callable[[], Brain],
    alert_to: AlertAddresses,
    matched: Heard = lambda seconds: None,
    chooser: Chooser | None = None,
) -> Turns:
    """What takes turns as the settings want it; for the server and the command line alike.

    `chooser`: the language model, where one is asked at all.
    """
    chat = settings.group_chat
    return Turns(
        store=store,
        router=all_handlers(),
        brain=brain,
        limits=Thresholds(**settings.matching.model_dump()),
        group=GroupManners(chat.speak, chat.recent_minutes, chat.cooldown_seconds, chat.staff_quiet_minutes),
        zone=settings.site.timezone,
        alert_to=alert_to,
        matched=matched,
        chooser=chooser,
    )


def make_brain(settings: Settings, folder: Path, day: date) -> Brain:
    """The knowledge in `folder` in force on `day`, from its compiled form where there is one. Raises FaultyFile."""
    return Brain.of(compiled(folder, knowledge_cache(settings), settings.site.city, day))


def kept_versions(settings: Settings) -> Versions:
    """The published versions of the site's knowledge."""
    return Versions(settings.store.path.parent / "knowledge-versions")


def served_knowledge(settings: Settings) -> Path:
    """The folder that is served: the published version's, or the knowledge folder itself as long as none is published.
    Raises FaultyFile where that cannot be told."""
    versions = kept_versions(settings)
    published = versions.published()
    return versions.files(published) if published else settings.knowledge


def knowledge_cache(settings: Settings) -> Path:
    """Where the compiled knowledge is kept."""
    return settings.store.path.parent / "knowledge-cache"


def nobody_alerted(place: str) -> Sequence[Delivery]:
    """For turns that are not kept: nobody is told of them."""
    return ()


def explained(text: str, turns: Turns) -> dict[str, Any]:
    """How a text is understood by itself: for the simulator's and the command line's explanation."""
    found = understand(text, turns.brain().index)
    return {
        "folded": found.folded.text,
        "kind": found.kind,
        "rule": found.rule,
        "score": found.score,
        "candidates": [asdict(candidate) for candidate in found.candidates],
        "thresholds": asdict(turns.limits),
        "question_likelihood": found.question_likelihood,
    }
