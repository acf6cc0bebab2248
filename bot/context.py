"""What a handler is given beside the utterance: the knowledge, what was understood, and what is remembered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.brain import Brain
from bot.matching.index import Index
from bot.matching.understand import Thresholds, Understanding
from bot.places import Places
from bot.records import ChatState, Session
from bot.storage.contract import Store


@dataclass(frozen=True, slots=True)
class GroupManners:
    """How the bot behaves in groups when nobody called it."""

    speak: str = "confident"  # mentioned | confident | always
    recent_minutes: int = 10
    cooldown_seconds: int = 60
    staff_quiet_minutes: int = 5


@dataclass(frozen=True, slots=True)
class Context:
    """Everything one turn may look at."""

    brain: Brain
    understood: Understanding
    session: Session | None
    chat: ChatState | None
    now: datetime
    zone: ZoneInfo
    limits: Thresholds
    manners: GroupManners
    store: Store
    model: bool = False  # whether a language model is asked where the matcher is unsure

    @property
    def index(self) -> Index:
        """The index of the knowledge."""
        return self.brain.index

    @property
    def places(self) -> Places:
        """The place tree."""
        return self.brain.places

    def text(self, key: str, place: str = "", **values: str) -> str:
        """A fixed wording of texts.yaml with its placeholders filled in."""
        values.setdefault("contact", self.contact(place))
        return self.index.facts.texts[key].format_map(values)

    def contact(self, place: str, handles: Sequence[str] = ()) -> str:
        """Whom to ask at a place, preferring who handles the matter; 「居委会」 where none is registered."""
        known = self.places.contacts(place)
        fitting = [found for found in known if not handles or set(handles) & set(found.handles)] or list(known)
        best = next((found for found in fitting if "居委" in found.name), fitting[0] if fitting else None)
        if best is None:
            return "居委会"
        return f"{best.name}（{best.phone}）" if best.phone else best.name
