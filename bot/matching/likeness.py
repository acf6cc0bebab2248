"""The one door to rapidfuzz: likeness of two short texts, on short lists only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rapidfuzz import fuzz, process

MOST = 50
"""Never compare against more candidates than this."""

LEAST = 0.86
"""Below this two words are not one word with a slip."""


def closest(text: str, candidates: Mapping[str, str]) -> tuple[str, float] | None:
    """The key of the candidate most like `text` and its likeness, or None below LEAST. Ties by key."""
    ranked = process.extract(text, dict(candidates), scorer=fuzz.ratio, score_cutoff=LEAST * 100, limit=3)
    best = sorted(ranked, key=lambda hit: (-hit[1], hit[2]))
    return (best[0][2], best[0][1] / 100) if best else None


def near(text: str, names: Sequence[str], least: float) -> list[int]:
    """The places of those of at most MOST names that are at least `least` like `text`, best first, five at most."""
    hits = process.extract(text, names[:MOST], scorer=fuzz.ratio, score_cutoff=least * 100, limit=5)
    return [hit[2] for hit in sorted(hits, key=lambda hit: (-hit[1], hit[0]))]


def best(text: str, phrases: Sequence[str]) -> tuple[int, float]:
    """The place of the phrase of one entry most like `text`, and its likeness (0 to 1)."""
    hit = process.extractOne(text, phrases, scorer=fuzz.ratio)
    return (hit[2], hit[1] / 100) if hit else (0, 0.0)


def in_any_order(text: str, other: str) -> float:
    """The likeness of two texts (0 to 1), whatever the order of their characters."""
    return fuzz.token_sort_ratio(" ".join(text), " ".join(other)) / 100


def within(text: str, other: str) -> float:
    """How like the shorter of two texts is to a part of the longer one (0 to 1)."""
    return fuzz.partial_ratio(text, other) / 100


def of(text: str, phrase: str) -> float:
    """The likeness of two texts (0 to 1)."""
    return fuzz.ratio(text, phrase) / 100
