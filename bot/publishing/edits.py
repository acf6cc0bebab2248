"""What was edited: the things of the knowledge that are new, other than before, or gone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bot.kb.load import Knowledge


@dataclass(frozen=True, slots=True)
class Edits:
    """Names of things: items/<name>, topics/<slug>/<id>, choices/<word>, texts/<key> …, and of whole parts."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)


def edits_between(before: Knowledge, after: Knowledge) -> Edits:
    """What makes the one the other, each list in the order of the files."""
    old, new = dict(_things(before)), dict(_things(after))
    return Edits(
        added=tuple(name for name in new if name not in old),
        changed=tuple(name for name, thing in new.items() if name in old and old[name] != thing),
        removed=tuple(name for name in old if name not in new),
    )


def _things(knowledge: Knowledge) -> Iterator[tuple[str, object]]:
    for item in knowledge.items:
        yield f"items/{item.name}", item
    for slug, entry in knowledge.entries():
        yield f"topics/{slug}/{entry.id}", entry
    for choice in knowledge.choices:
        yield f"choices/{choice.word}", choice
    parts: Mapping[str, Mapping[str, object]] = {
        "dangers": knowledge.dangers,
        "cities": knowledge.cities,
        "sources": knowledge.sources,
        "texts": knowledge.texts,
    }
    for part, things in parts.items():
        for key, thing in things.items():
            yield f"{part}/{key}", thing
    yield "places", knowledge.places
    yield "inference", knowledge.inference
    yield "synonyms", knowledge.synonyms
    yield "chatter", knowledge.chatter
