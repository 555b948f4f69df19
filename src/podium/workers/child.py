"""Child processes (``podium ARGUMENTS``) that end with their parent.

A child's standard input is a pipe from its parent. When the parent ends, even by SIGKILL, the pipe closes and the child
stops.
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

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
    process = start(arguments, environment)

    def read() -> None:
        for line in lines(process):
            on_line(line)

    reader = threading.Thread(target=read, name="child", daemon=True)
    reader.start()
    try:
        while True:
            try:
                return process.wait(timeout=0.1)
            except subprocess.TimeoutExpired:
                if stop.is_set():
                    process.terminate()
                    return end(process, grace)
    finally:
        end(process, 0)
        reader.join(GRACE)


def start(arguments: list[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start ``podium ARGUMENTS`` with pipes, in its own session."""
    return subprocess.Popen(
        # No modules from the current folder.
        [sys.executable, "-P", "-m", "podium", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        # Ctrl-C reaches only the parent.
        start_new_session=True,
    )


def lines(process: subprocess.Popen[bytes]) -> Iterator[bytes]:
    """Yield the lines of its standard output."""
    output = process.stdout
    assert output  # noqa: S101 # a pipe
    with output:
        yield from iter(lambda: output.readline(LONGEST_LINE), b"")


def end(process: subprocess.Popen[bytes], grace: float) -> int:
    """Wait ``grace`` seconds for the end of ``process``, then kill it, with its session; return its status."""
    try:
        status = process.wait(timeout=grace)
    except subprocess.TimeoutExpired:
        process.kill()
        status = process.wait()
    if process.stdin:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
    _end_session(process.pid)
    return status


def _end_session(session: int) -> None:
    """Kill the git processes that a killed child left in its session (Linux)."""
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # the process has ended
            # The sixth field. The second, the program's name in parentheses, may contain any character.
            if int(entry.read_text().rpartition(")")[2].split()[3]) == session:
                os.kill(int(entry.parent.name), signal.SIGKILL)


def stop_with_parent(stop: threading.Event) -> None:
    """In a child: set ``stop`` at SIGTERM and when the parent ends."""
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    _when_parent_ends(stop.set)


def orders(stop: threading.Event) -> Iterator[bytes]:
    """In a child: yield each line that the parent writes. SIGTERM and the end of the parent set ``stop`` and end it."""
    waiting: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def stop_now(*_: object) -> None:
        stop.set()
        waiting.put(b"")

    def read() -> None:
        with open(0, "rb", closefd=False) as stdin:
            for line in stdin:
                waiting.put(line)
        stop_now()

    signal.signal(signal.SIGTERM, stop_now)
    threading.Thread(target=read, name="parent", daemon=True).start()
    while (line := waiting.get()) and not stop.is_set():
        yield line


def end_with_parent() -> None:
    """In a child that handles SIGTERM: send it when the parent ends."""
    _when_parent_ends(lambda: os.kill(os.getpid(), signal.SIGTERM))


def _when_parent_ends(do: Callable[[], None]) -> None:
    def watch() -> None:
        while os.read(0, 1):
            pass
        do()

    threading.Thread(target=watch, name="parent", daemon=True).start()
