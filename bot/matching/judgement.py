"""How likely a reading of a message is right: logistic models, learned by scripts/fit_judgement.py.

The weights stand in tables/judgement.json with the date and the questions they were learned from.
"""

from __future__ import annotations

import json
import math
from functools import cache
from operator import mul
from pathlib import Path

from bot.matching.readings import FEATURES, Reading

_TABLE = Path(__file__).parent / "tables" / "judgement.json"


@cache
def _weights() -> dict[str, tuple[float, tuple[float, ...]]]:
    """kind of reading → what speaks for it by itself, and the weight of each number."""
    table = json.loads(_TABLE.read_text(encoding="utf-8"))["weights"]
    return {
        kind: (table[kind]["itself"], tuple(table[kind].get(name, 0.0) for name in names))
        for kind, names in FEATURES.items()
    }


def likelihood(reading: Reading) -> float:
    """How likely the reading is right, 0 to 1."""
    itself, weights = _weights()[reading.kind]
    return 1 / (1 + math.exp(-max(-20.0, min(20.0, itself + sum(map(mul, weights, reading.numbers))))))
