"""Child processes (``podium ARGUMENTS``) that end with their parent.

A child's standard input is a pipe that the parent never writes to. When the parent ends, even by SIGKILL, the pipe
closes and the child stops.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

# Seconds between SIGTERM and SIGKILL.
GRACE = 5.0
# Bytes; a longer line arrives in pieces.
LONGEST_LINE = 64 * 1024


def run(
    arguments: list[str],
    environment: Mapping[str, str],
    stop: threading.Event,
    on_line: Callable[[bytes], None] = lambda _: None,
    *,
    grace: float = GRACE,
) -> int:
    """Run ``podium ARGUMENTS``; return the exit status (negative: the signal that ended it).

    Args:
        environment: all of its environment.
        stop: ends the child: SIGTERM, then SIGKILL after ``grace`` seconds.
        on_line: receives each line of standard output, in another thread, before this returns.
    """
    child = subprocess.Popen(
        # No modules from the current folder.
        [sys.executable, "-P", "-m", "podium", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        # Ctrl-C reaches only the parent.
        start_new_session=True,
    )
    reader = threading.Thread(target=_read_lines, args=(child.stdout, on_line), name="child", daemon=True)
    reader.start()
    try:
        while True:
            try:
                return child.wait(timeout=0.1)
            except subprocess.TimeoutExpired:
                if stop.is_set():
                    return _end(child, grace)
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()
        if child.stdin:
            child.stdin.close()
        _end_session(child.pid)
        reader.join(GRACE)


def _read_lines(output: IO[bytes] | None, on_line: Callable[[bytes], None]) -> None:
    if output is None:
        return
    with output:
        for line in iter(lambda: output.readline(LONGEST_LINE), b""):
            on_line(line)


def _end_session(session: int) -> None:
    """Kill the git processes that a killed child left in its session (Linux)."""
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # the process has ended
            # The sixth field. The second, the program's name in parentheses, may contain any character.
            if int(entry.read_text().rpartition(")")[2].split()[3]) == session:
                os.kill(int(entry.parent.name), signal.SIGKILL)


def _end(child: subprocess.Popen[bytes], grace: float) -> int:
    child.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        return child.wait(timeout=grace)
    child.kill()
    return child.wait()


def stop_with_parent(stop: threading.Event) -> None:
    """In a child: set ``stop`` at SIGTERM and when the parent ends."""
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    _when_parent_ends(stop.set)


def end_with_parent() -> None:
    """In a child that handles SIGTERM: send it when the parent ends."""
    _when_parent_ends(lambda: os.kill(os.getpid(), signal.SIGTERM))


def _when_parent_ends(do: Callable[[], None]) -> None:
    def watch() -> None:
        while os.read(0, 1):
            pass
        do()

    threading.Thread(target=watch, name="parent", daemon=True).start()
