"""What the workbook remembers of the knowledge it was made from: a short digest of every cell, on a hidden sheet.

So an import knows what staff changed, and what was changed in the folder meanwhile, without keeping old versions.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

SHEET = "基线"
OPTIONS_SHEET = "选项"
_DIGITS = 8

Digests = Mapping[str, str]
"""Header → digest of the cell; cells that are empty have none."""


def normal(text: str) -> str:
    """A cell's text as it is compared: what spreadsheets add or take away at its ends, and line ends, do not count."""
    return "\n".join(line.strip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")).strip()


def digests(cells: Mapping[str, str]) -> dict[str, str]:
    """The digests of a row."""
    return {header: _digest(normal(text)) for header, text in cells.items() if normal(text)}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


def packed(found: Digests) -> str:
    """The digests of a row in one cell."""
    return json.dumps(found, ensure_ascii=False, separators=(",", ":"))


def unpacked(text: str) -> Digests | None:
    """What `packed` made; None for anything else."""
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) and all(isinstance(one, str) for one in found.values()) else None
