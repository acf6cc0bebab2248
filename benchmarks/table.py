"""A line of the table: what was measured, the figure, and the bar it has to meet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. `most` and `least` are the bar, in the figure's own unit; without either it is only told."""

    what: str
    figure: float
    unit: str = ""
    most: float | None = None
    least: float | None = None

    @property
    def bar(self) -> str:
        """The bar as it is printed; "" where there is none."""
        if self.most is not None:
            return f"≤ {told(self.most)} {self.unit}".rstrip()
        return f"≥ {told(self.least)} {self.unit}".rstrip() if self.least is not None else ""

    @property
    def met(self) -> bool:
        """Whether the figure meets its bar."""
        high_enough = self.least is None or self.figure >= self.least
        return high_enough and (self.most is None or self.figure <= self.most)

    def line(self, name: str) -> str:
        """The row as printed; `name` is the benchmark's."""
        figure = f"{told(self.figure)} {self.unit}".rstrip()
        return f"{name:<9} {self.what:<66} {figure:>14}  {self.bar:<14}{'' if self.met else ' missed'}".rstrip()


def told(number: float) -> str:
    """A number with about three digits that say something."""
    if number == int(number) or abs(number) >= 1000:
        return f"{number:,.0f}"
    return f"{number:.{max(0, 2 - math.floor(math.log10(abs(number))))}f}"


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` (0 to 1) of the values do not exceed: one of them, by nearest rank."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]
