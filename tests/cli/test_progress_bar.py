"""The progress bar, as a terminal shows it."""

from __future__ import annotations

import contextlib
import io
import itertools
import os
import pty
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyte
import pytest

from podium.cli.rank.progress_bar import ShownProgress, progress_for
from podium.errors import Interrupted
from tests.support import repos
from tests.support.cli import Podium


class Screen:
    """A terminal that standard error goes to."""

    def __init__(self, master: int, columns: int) -> None:
        self._master = master
        self.screen = pyte.Screen(columns, 10)
        self._stream = pyte.ByteStream(self.screen)

    def lines(self) -> list[str]:
        os.set_blocking(self._master, False)
        with contextlib.suppress(BlockingIOError):
            while True:
                self._stream.feed(os.read(self._master, 1 << 16))
        return [line.rstrip() for line in self.screen.display if line.strip()]


@contextlib.contextmanager
def terminal(monkeypatch: pytest.MonkeyPatch, columns: int = 100) -> Iterator[Screen]:
    master, slave = pty.openpty()
    for name in ("LINES", "NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    # Rich asks for the size of the process' own standard streams.
    monkeypatch.setenv("COLUMNS", str(columns))
    with os.fdopen(slave, "w", encoding="utf-8") as stderr:
        monkeypatch.setattr(sys, "stderr", stderr)
        try:
            yield Screen(master, columns)
        finally:
            monkeypatch.undo()
    os.close(master)


@contextlib.contextmanager
def bar(name: str = "engine") -> Iterator[ShownProgress]:
    with progress_for(name) as progress:
        assert isinstance(progress, ShownProgress)
        yield progress


def shown(screen: Screen, progress: ShownProgress, phase: str, number: int, total: int | None = None) -> str:
    progress(phase, number, total)
    progress.bar.refresh()
    return " ".join(screen.lines())


@pytest.mark.parametrize("columns", [40, 60, 80, 120])
def test_the_bar_of_a_path_has_a_total_and_never_goes_back(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    with terminal(monkeypatch, columns) as screen:
        with bar() as progress:
            assert "counting 100 commits" in shown(screen, progress, "counting", 100)
            line = shown(screen, progress, "counting", 43_210, 99_429)
            of = "43,210 of ~100,000" if columns < 64 else "counting 43,210 of about 100,000 commits"
            assert of in line
            assert ("engine" in line) == (columns >= 80)
            before = progress.share
            # The estimate grows, and another walk begins.
            shown(screen, progress, "counting", 43_300, 200_000)
            shown(screen, progress, "counting", 0)
            assert progress.share == before == pytest.approx(0.9 * 43_210 / 99_429)
            assert "saving 99,429 commits" in shown(screen, progress, "saving", 99_429)
            assert 0.9 <= progress.share < 1
            assert max(map(len, screen.lines())) <= columns and len(screen.lines()) == 1
        assert screen.lines() == []
        assert not screen.screen.cursor.hidden


def test_the_bar_says_how_much_time_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    with terminal(monkeypatch) as screen, bar() as progress:
        clock = itertools.count()
        progress.bar.get_time = lambda: float(next(clock))
        for commits in range(0, 60_000, 10_000):
            line = shown(screen, progress, "counting", commits, 100_000)
        assert re.search(r", 0:\d\d left$", line)


def test_an_interrupted_bar_leaves_the_terminal_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    with terminal(monkeypatch) as screen:
        with pytest.raises(Interrupted), bar() as progress:
            shown(screen, progress, "receiving", 30)
            raise Interrupted("interrupted")
        assert screen.lines() == []
        assert not screen.screen.cursor.hidden


def test_a_note_is_printed_above_the_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    with terminal(monkeypatch) as screen:
        with bar() as progress:
            shown(screen, progress, "receiving", 30)
            print("podium: a note", file=sys.stderr)
            assert screen.lines()[0].split()[0] == "podium:"
        assert screen.lines() == ["podium: a note"]


def test_a_name_cannot_write_to_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    with terminal(monkeypatch) as screen, bar("\x1b[2J\x1b]0;x\x07[b]" + "n" * 200) as progress:
        line = shown(screen, progress, "receiving", 30)
        assert "[b]n" in line and "…" in line
        assert len(screen.lines()) == 1


def test_rank_shows_a_bar_on_a_terminal_and_removes_it(tmp_path: Path) -> None:
    podium, repository = Podium(tmp_path / "data"), repos.make_bare(tmp_path / "engine.git")
    repos.chain(repository, [repos.ALICE, repos.BOB])
    master, slave = pty.openpty()
    settings = {"TERM": "xterm-256color", "COLUMNS": "80"}
    with os.fdopen(slave, "w") as stderr:
        screen = Screen(master, 80)
        done = podium.start("rank", str(repository), stderr=stderr, **settings)
        assert done.wait(timeout=60) == 0
        assert screen.lines() == [] and not screen.screen.cursor.hidden
        with contextlib.closing(sqlite3.connect(podium.data / "podium.db")) as database:
            # A holder that never ends: the command waits for it.
            database.execute("UPDATE repository SET lease_holder = 'x', lease_until = 4e9")
            database.commit()
        waiting = podium.start("rank", str(repository), stderr=stderr, **settings)
        while not any("waiting for another podium" in line for line in screen.lines()):
            with contextlib.suppress(subprocess.TimeoutExpired):
                waiting.wait(timeout=0.05)
                pytest.fail("it did not wait")
        assert "engine" in screen.lines()[0]
        waiting.send_signal(signal.SIGINT)
        assert waiting.wait(timeout=60) == 130
        assert [line.partition(";")[0] for line in screen.lines()] == ["podium: interrupted"]
        assert not screen.screen.cursor.hidden
    os.close(master)


@pytest.mark.parametrize("quiet", [False, True])
def test_nothing_is_shown_without_a_terminal_or_if_quiet(monkeypatch: pytest.MonkeyPatch, quiet: bool) -> None:
    if quiet:
        with terminal(monkeypatch) as screen:
            with progress_for("engine", quiet=True) as progress:
                progress("counting", 1)
            assert screen.lines() == []
        return
    monkeypatch.setattr(sys, "stderr", stderr := io.StringIO())
    with progress_for("engine") as progress:
        progress("counting", 1)
    assert stderr.getvalue() == ""
