"""Progress on standard error, where that is a terminal."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

# Told a phase and a number: commits while counting, else a percentage.
Progress = Callable[[str, int], None]

_IN_COMMITS = ("counting", "saving")


@contextlib.contextmanager
def progress_for(name: str) -> Iterator[Progress]:
    """A progress bar for the length of a ``with`` block; nothing at all where nobody would see it."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield lambda _phase, _number: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.fields[label]}", markup=False),
        BarColumn(),
        TextColumn("{task.description}", markup=False),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield _Shown(bar, name)


class _Shown:
    def __init__(self, bar: Bar, name: str) -> None:
        self._bar = bar
        self._task = bar.add_task("starting", total=None, label=name)

    def __call__(self, phase: str, number: int) -> None:
        if phase in _IN_COMMITS:
            self._bar.update(self._task, description=f"{phase}, {number:,} commits", total=None)
        else:
            self._bar.update(self._task, description=phase, total=100, completed=number)
