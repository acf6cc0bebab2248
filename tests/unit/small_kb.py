"""A small knowledge folder without a fault, for tests of what reads it."""

from __future__ import annotations

from pathlib import Path

from bot.kb.entries import Category
from bot.kb.wording import TEXTS

ITEMS = """\
source: 源
review_by: 2027-06-30
items:
  - {name: 奶茶杯, category: residual, aliases: [奶茶杯子]}
  - {name: 灯管, category: hazardous, danger: mercury}
"""
TOPIC = """\
topic: SLUG
entries:
  - id: what
    ask: [SLUG是什么]
    answer: SLUG的事，请问居委。
    source: 源
    review_by: 2027-06-30
"""
CHOICES = """\
- word: 灯
  question: 哪一种？
  options:
    - {label: 灯管, item: 灯管}
    - {label: 灯座, category: residual}
"""
PLACES = """\
id: root
name: 街道
kind: street
children:
  - id: estate
    name: 小区
    kind: estate
    facilities:
      - {kind: battery_box, name: 电池箱, place: 门口}
"""
CITY = (
    "city: national\nname: 全国\nstandard: 标准\nsource: 源\n"
    "contacts: [{name: 热线, phone: '12345'}]\ncategories:\n"
) + "".join(
    f"  {name}: {{label: {name}, colour: 蓝色, prepare: 轻放}}\n"
    for name in Category.__args__  # type: ignore[attr-defined]
)
FILES = {
    "sources.yaml": "源: {name: 源, date: 2024-01-01, mark: A}\n",
    "dangers.yaml": "mercury: {text: 小心。}\n",
    "choices.yaml": CHOICES,
    "inference.yaml": "hazard: [药]\n",
    "synonyms.yaml": "fillers: [请问]\n",
    "chatter.yaml": "lines: [早上好]\n",
    "texts.yaml": "".join(f"{key}: 您好\n" for key in TEXTS),
    "places.yaml": PLACES,
    "cities/national.yaml": CITY,
    "items/all.yaml": ITEMS,
    **{f"topics/{slug}.yaml": TOPIC.replace("SLUG", slug) for slug in ("lamp", "noise")},
}


def write(folder: Path, **changes: str) -> Path:
    """Write it to `folder`/kb, changed in some files (`items__all` is items/all.yaml); the folder written."""
    files = FILES | {f"{name.replace('__', '/')}.yaml": text for name, text in changes.items()}
    for name, text in files.items():
        path = folder / "kb" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder / "kb"
