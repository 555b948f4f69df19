"""Numbers of bytes in words."""

from __future__ import annotations


def size(number: int) -> str:
    """Three digits or so: ``512 B``, ``4.0 kB``, ``12 MB``, ``1.3 GB``; a kB is 1,000 bytes."""
    value, unit = float(number), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 999.5:
            break
        value, unit = value / 1000, larger
    return f"{value:.0f} {unit}" if unit == "B" or value >= 9.95 else f"{value:.1f} {unit}"
