"""Progress on a terminal's standard error."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from podium.jobs.rate import RateEstimator
from podium.textutil.sanitize import clean
from podium.textutil.width import cut

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import ProgressColumn, Task

    from podium.git.progress import Progress

# Counting and saving share one bar: where each begins, and its part of the time.
_COUNT = {"counting": (0.0, 0.9), "saving": (0.9, 0.1)}
# Terminals with fewer columns show no name of the repository, or no bar.
_WIDE, _MEDIUM = 80, 64


def is_shown(*, quiet: bool) -> bool:
    return not quiet and sys.stderr.isatty()


@contextlib.contextmanager
def progress_for(name: str, *, quiet: bool = False) -> Iterator[Progress]:
    """Show a progress bar for the length of a ``with`` block, if standard error is a terminal."""
    if not is_shown(quiet=quiet):
        yield lambda *_: None
        return
    from rich.console import Console
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    with Bar(*_columns(console.width), console=console, transient=True) as bar:
        yield ShownProgress(bar, cut(clean(name), max(1, console.width // 5)), is_narrow=console.width < _MEDIUM)


def _columns(width: int) -> list[ProgressColumn]:
    from rich.progress import BarColumn, SpinnerColumn, TextColumn

    columns: list[ProgressColumn] = [SpinnerColumn()]
    if width >= _WIDE:
        columns.append(TextColumn("{task.fields[label]}", markup=False))
    if width >= _MEDIUM:
        columns.append(BarColumn(bar_width=10 if width < 100 else 20))
    text = "{task.description}{task.fields[left]}"
    return [*columns, TextColumn(text, markup=False)]


class ShownProgress:
    """Draws what is reported. ``share`` is the part of the work that is done, 0 to 1."""

    def __init__(self, bar: Bar, name: str, *, is_narrow: bool) -> None:
        self._is_narrow = is_narrow
        self.bar = bar
        self._task = bar.add_task("starting", total=None, label=name, left="")
        self._rate = RateEstimator()
        self._arrived = ""
        self._stage: object = None
        self.share = 0.0

    def __call__(self, phase: str, number: int, total: int | None = None, /) -> None:
        if phase == "arrived":
            self._arrived = f", {number:,} commits{self._speed(number)}"
            return
        stage = "count" if phase in _COUNT else phase
        if stage != self._stage:
            self.bar.reset(self._task, total=None)
            self._stage, self.share = stage, 0.0
        if phase not in _COUNT:
            arrived = self._arrived if phase == "receiving" else ""
            self._show(f"{phase}{arrived}", number / 100)
        elif total is None:
            begin, _ = _COUNT[phase]
            speed = self._speed(number) if phase == "counting" else ""
            self._show(f"{phase} {number:,} commits{speed}", begin or None, is_estimated=False)
        else:
            begin, part = _COUNT[phase]
            total = max(total, number)
            words = "{:,} of ~{:,}" if self._is_narrow else f"{phase} {{:,}} of about {{:,}} commits"
            self._show(words.format(number, _rounded(total)), begin + part * number / (total or 1))

    def _show(self, text: str, share: float | None, *, is_estimated: bool = True) -> None:
        if share is None and not self.share:
            self.bar.update(self._task, description=text, left="")
            return
        # An estimate may grow; the bar never goes back.
        self.share = max(self.share, share or 0.0)
        self.bar.update(self._task, description=text, total=1.0, completed=self.share)
        (task,) = self.bar.tasks
        self.bar.update(self._task, left=_left(task) if is_estimated else "")

    def _speed(self, commits: int) -> str:
        self._rate.note(time.monotonic(), commits)
        rate = self._rate.rate()
        return f", {rate:,.0f} a second" if rate else ""


def _rounded(commits: int) -> int:
    """Two digits, upwards: 99,429 becomes 100,000."""
    unit = int(10 ** max(0, len(str(commits)) - 2))
    return -(-commits // unit) * unit


def _left(task: Task) -> str:
    if task.time_remaining is None or task.finished:
        return ""
    minutes, seconds = divmod(round(task.time_remaining), 60)
    hours, minutes = divmod(minutes, 60)
    return f", {hours}:{minutes:02}:{seconds:02} left" if hours else f", {minutes}:{seconds:02} left"
