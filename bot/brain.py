"""The knowledge, ready to answer: read from its compiled form, or compiled from the folder."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache, partial
from pathlib import Path

from bot.kb import cache
from bot.kb.load import Knowledge, load, version_of
from bot.matching.index import Index, compile_index
from bot.matching.plain import Plain
from bot.matching.understand import Understanding, understand
from bot.places import Places

_REMEMBERED = 4096
_SHORT = 60
"""Only messages up to this length are remembered."""


@dataclass(frozen=True, slots=True)
class Brain:
    """One version of the knowledge, ready to answer; swapped as a whole."""

    index: Index
    places: Places
    _known: Callable[[str, str], Understanding]

    @staticmethod
    def of(plain: Plain) -> Brain:
        """Read back what `compiled` gave."""
        index = Index(plain)
        known = lru_cache(maxsize=_REMEMBERED)(lambda text, about: understand(text, index, about=about))
        return Brain(index, Places.of(index.facts.places), known)

    def understand(self, text: str, about: str = "") -> Understanding:
        """What a message asks; the same question is asked again and again, so the last answers are remembered."""
        if len(text) > _SHORT:
            return understand(text, self.index, about=about)
        return self._known(text, about)

    @property
    def version(self) -> str:
        """The version of the knowledge."""
        return self.index.version


@lru_cache(maxsize=1)
def _maker() -> str:
    """A digest of the code that compiles, so that another version of it does not read this one's work."""
    digest = hashlib.sha256()
    here = Path(__file__).parent
    for path in sorted([*here.glob("matching/*.py"), *here.glob("matching/tables/*"), *here.glob("kb/*.py")]):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def kept(folder: Path, keep_in: Path, city: str, day: date) -> Plain | None:
    """The knowledge in `folder` where it was compiled before, or None. Raises FaultyFile where it cannot be read."""
    return cache.read(keep_in / _name(version_of(folder), city, day))


def _name(version: str, city: str, day: date) -> str:
    return f"knowledge-{version}-{_maker()}-{city}-{day.isoformat()}.bin"


def compiled(folder: Path, keep_in: Path | None, city: str, day: date, *, loaded: Knowledge | None = None) -> Plain:
    """The knowledge in `folder` as plain data; from `keep_in` where it was compiled before. Raises FaultyFile.

    `loaded`: what is in the folder, where it was read already.
    """
    version = loaded.version if loaded else version_of(folder)
    if keep_in and (found := cache.read(keep_in / _name(version, city, day))) is not None:
        return found
    knowledge = loaded or load(folder)
    plain = compile_index(knowledge, city, day, partial(_kept_part, keep_in))
    if keep_in:
        cache.write(keep_in / _name(knowledge.version, city, day), plain)
    return plain


def _kept_part(keep_in: Path | None, name: str, make: Callable[[], Plain]) -> Plain:
    if keep_in is None:
        return make()
    path = keep_in / f"{name}-{_maker()}.bin"
    if (found := cache.read(path)) is None:
        cache.write(path, found := make())
    return found
