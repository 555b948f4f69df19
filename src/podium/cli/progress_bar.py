"""Progress on a terminal's standard error."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from podium.jobs.rate import RateEstimator

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

    from podium.git.progress import Progress

_IN_COMMITS = ("counting", "saving")


@contextlib.contextmanager
def progress_for(name: str, *, quiet: bool = False) -> Iterator[Progress]:
    """Show a progress bar for the length of a ``with`` block, if standard error is a terminal."""
    if quiet or sys.stderr is None or not sys.stderr.isatty():
        yield lambda *_: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        SpinnerColumn(),
        TextColumn("{task.fields[label]}", markup=False),
        BarColumn(),
        TextColumn("{task.description}", markup=False),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        yield _Shown(bar, name)


class _Shown:
    def __init__(self, bar: Bar, name: str) -> None:
        self._bar = bar
        self._task = bar.add_task("starting", total=None, label=name)
        self._rate = RateEstimator()
        self._arrived = ""

    def __call__(self, phase: str, number: int, total: int | None = None, /) -> None:
        if phase == "arrived":
            self._arrived = f", {number:,} commits{self._speed(number)}"
        elif phase in _IN_COMMITS:
            speed = self._speed(number) if phase == "counting" else ""
            done = None if total is None else min(number, total)
            self._bar.update(self._task, description=f"{phase}, {number:,} commits{speed}", total=total, completed=done)
        else:
            arrived = self._arrived if phase == "receiving" else ""
            self._bar.update(self._task, description=f"{phase}{arrived}", total=100, completed=number)

    def _speed(self, commits: int) -> str:
        self._rate.note(time.monotonic(), {"stage": "commits", "commits": commits})
        rate = self._rate.rate()
        return f", {rate:,.0f} a second" if rate else ""
