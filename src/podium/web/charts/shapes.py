"""The shapes of a chart as SVG paths, in a picture as wide as 100 times its periods.

The picture is stretched to the page's width, so widths are parts of a period.
"""

from __future__ import annotations

from collections.abc import Sequence

HEIGHT = 160
SLOT = 100
# Units of the height: the least height of a count that is not 0, and the gap between two series of one bar.
_LEAST = 1.6
_GAP = 1.2
# A bar takes at most this part of its period, and of the whole width.
_WIDEST = 0.84
_SHARE = 0.07


def stacked(series: Sequence[Sequence[int]], top: int) -> list[str]:
    """A path of bars for each series; each bar stands on that of the series before."""
    paths: list[list[str]] = [[] for _ in series]
    inset, width = _bar(len(series[0]), SLOT)
    for place, counts in enumerate(zip(*series, strict=True)):
        low, so_far = float(HEIGHT), 0
        for path, count in zip(paths, counts, strict=True):
            if count:
                so_far += count
                high = min(HEIGHT * (1 - min(so_far / top, 1)), low - _LEAST)
                path.append(_rectangle(SLOT * place + inset, width, low, high))
                low = high - _GAP
    return ["".join(path) for path in paths]


def grouped(series: Sequence[Sequence[int]], top: int) -> list[str]:
    """A path of bars for each series; those of a period stand beside each other."""
    inset, width = _bar(len(series[0]), SLOT, len(series))
    found = []
    for number, counts in enumerate(series):
        shift = inset + number * width / len(series)
        found.append(
            "".join(
                _rectangle(
                    SLOT * place + shift,
                    width / len(series) * 0.86,
                    HEIGHT,
                    min(HEIGHT * (1 - min(count / top, 1)), HEIGHT - _LEAST),
                )
                for place, count in enumerate(counts)
                if count
            )
        )
    return found


def line(counts: Sequence[int], top: int) -> str:
    """The path of a line through the middle of each period."""
    points = [
        f"{_text(SLOT * (place + 0.5))} {_text(HEIGHT * (1 - min(count / top, 1)))}"
        for place, count in enumerate(counts)
    ]
    # A line of one point cannot be seen.
    return "M" + "L".join(points) + (f"h{SLOT / 10:g}" if len(points) == 1 else "")


def silhouette(counts: Sequence[int], peak: int, height: int, *, root: bool = False) -> str:
    """The path of adjacent bars of width 1.

    Args:
        root: draw square roots, so that small counts stay visible.
    """
    parts, level = [f"M0 {height}"], height
    for place, count in enumerate(counts):
        part = min(count / peak, 1.0) if peak else 0.0
        y = height - round(height * (part**0.5 if root else part))
        # A count of 1 stays visible.
        y = min(y, height - 1) if count else height
        if y != level:
            parts.append(f"{'H' + str(place) if place else ''}V{y}")
            level = y
    parts.append(f"H{len(counts)}V{height}Z")
    return "".join(parts)


def _bar(number: int, slot: int, bars: int = 1) -> tuple[float, float]:
    """Where the bars of a period begin, and how wide they are together."""
    part = min(_WIDEST, _SHARE * number * bars)
    return slot * (1 - part) / 2, slot * part


def _rectangle(x: float, width: float, low: float, high: float) -> str:
    return f"M{_text(x)} {_text(low)}V{_text(high)}h{_text(width)}V{_text(low)}z"


def _text(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
