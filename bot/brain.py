"""The knowledge, ready to answer: read from its compiled form, or compiled from the folder."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

from bot.kb import cache
from bot.kb.load import load, version_of
from bot.matching.index import Index, compile_index
from bot.matching.plain import Plain
from bot.places import Places


@dataclass(frozen=True, slots=True)
class Brain:
    """One version of the knowledge, ready to answer; swapped as a whole."""

    index: Index
    places: Places

    @staticmethod
    def of(plain: Plain) -> Brain:
        """Read back what `compiled` gave."""
        index = Index(plain)
        return Brain(index, Places.of(index.facts.places))

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


def compiled(folder: Path, keep_in: Path | None, city: str, day: date) -> Plain:
    """The knowledge in `folder` as plain data; from `keep_in` where it was compiled before. Raises FaultyFile."""
    name = f"knowledge-{version_of(folder)}-{_maker()}-{city}-{day.isoformat()}.bin"
    path = keep_in / name if keep_in else None
    if path and (found := cache.read(path)) is not None:
        return found
    plain = compile_index(load(folder), city, day)
    if path:
        cache.write(path, plain)
    return plain
