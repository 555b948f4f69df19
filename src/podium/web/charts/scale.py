"""The scale of a chart's counts: three grid lines at round numbers."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator

_LINES = 3
_ROUND = (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8)


@dataclasses.dataclass(frozen=True, slots=True)
class Scale:
    """From 0 to ``top``, with grid lines at multiples of ``step``."""

    top: int
    step: int

    def place(self, count: float) -> float:
        """Percent from the top."""
        return round(100 - 100 * min(count / self.top, 1), 2)

    def lines(self) -> list[tuple[float, str]]:
        """Each line's place and label, from the bottom, which is one of them."""
        return [(self.place(line * self.step), short(line * self.step)) for line in range(_LINES + 1)]


def scale_of(peak: int) -> Scale:
    """The scale whose highest line is nearest to ``peak``."""
    step = 1
    for number in _steps():
        if number * _LINES - peak > peak - step * _LINES:
            break
        step = number
    return Scale(max(peak, _LINES * step), step)


def _steps() -> Iterator[int]:
    for power in itertools.count():
        for number in _ROUND:
            if (10**power * number) % 1 == 0:
                yield int(10**power * number)


def short(count: int) -> str:
    """``2,500``, ``25k``, ``1.5M``."""
    for unit, name in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if count >= unit and (unit > 1000 or count >= 10_000):
            return f"{count / unit:g}{name}"
    return f"{count:,}"
