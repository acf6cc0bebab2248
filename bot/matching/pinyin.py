"""How words sound: syllables without tones, with the mergers that residents' keyboards and ears make."""

from __future__ import annotations

from functools import cache, lru_cache
from pathlib import Path

_TABLE = Path(__file__).parent / "tables" / "pinyin.txt"
_MERGED_STARTS = (("zh", "z"), ("ch", "c"), ("sh", "s"))


@cache
def _readings() -> dict[str, str]:
    readings: dict[str, str] = {}
    for line in _TABLE.read_text(encoding="utf-8").splitlines():
        syllable, _, chars = line.partition(" ")
        readings.update(dict.fromkeys(chars, merged(syllable)))
    return readings


@cache
def syllables() -> frozenset[str]:
    """Every syllable, as it is typed."""
    return frozenset(line.partition(" ")[0] for line in _TABLE.read_text(encoding="utf-8").splitlines())


def merged(syllable: str) -> str:
    """zh=z, ch=c, sh=s, -ng=-n, n-=l-: what sounds alike to many speakers."""
    for long, short in _MERGED_STARTS:
        if syllable.startswith(long):
            syllable = short + syllable[len(long) :]
            break
    if syllable.startswith("n"):
        syllable = "l" + syllable[1:]
    return syllable[:-1] if syllable.endswith("ng") else syllable


def sounds(text: str) -> tuple[str, ...]:
    """The merged syllable of each character; a character without a reading stands for itself."""
    readings = _readings()
    return tuple(readings.get(char, char) for char in text)


def spelled(latin: str) -> tuple[str, ...] | None:
    """Typed pinyin (`dianchi`) as merged syllables, the longest first; None where it is not pinyin throughout."""
    parts: list[str] = []
    for word in latin.split():
        found = _spell(word)
        if found is None:
            return None
        parts.extend(merged(syllable) for syllable in found)
    return tuple(parts)


@lru_cache(maxsize=4096)
def _spell(word: str) -> tuple[str, ...] | None:
    if not word:
        return ()
    for length in range(min(6, len(word)), 0, -1):
        if word[:length] in syllables() and (rest := _spell(word[length:])) is not None:
            return (word[:length], *rest)
    return None
