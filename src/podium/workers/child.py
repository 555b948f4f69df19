"""A job in a process of its own, so that counting never slows the server that answers.

The child is this same program. Its standard input is a pipe that the parent holds and never writes to: when the
parent ends in whatever way, the pipe ends, and the child stops too (see :func:`stop_with_parent`).
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

# Seconds between asking a child to end and ending it.
GRACE = 5.0
# Bytes of the longest line that a child tells; a longer one arrives in pieces.
LONGEST_LINE = 64 * 1024


def run(
    arguments: list[str],
    environment: Mapping[str, str],
    stop: threading.Event,
    on_line: Callable[[bytes], None] = lambda _: None,
    *,
    grace: float = GRACE,
) -> int:
    """Run ``podium ARGUMENTS`` to its end; give its exit status (negative: the signal that ended it).

    The child inherits the environment with ``environment`` laid over it, and standard error. When ``stop`` is set it is
    asked to end, and ended after ``grace`` seconds. ``on_line`` is given each line of its standard output, in a thread
    of its own, before this returns.
    """
    child = subprocess.Popen(
        # -P: the folder that the server was started in is no place to look for modules.
        [sys.executable, "-P", "-m", "podium", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, **environment},
        # Ctrl-C in a terminal reaches the whole foreground group: the parent alone decides how its children end.
        start_new_session=True,
    )
    listener = threading.Thread(target=_listen, args=(child.stdout, on_line), name="child", daemon=True)
    listener.start()
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
        listener.join(GRACE)


def _listen(output: IO[bytes] | None, on_line: Callable[[bytes], None]) -> None:
    if output is None:
        return
    with output:
        for line in iter(lambda: output.readline(LONGEST_LINE), b""):
            on_line(line)


def _end_session(session: int) -> None:
    """End what a child that was killed could not: the git processes in the session that it led (Linux)."""
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            # The sixth field; the second, the program's name in brackets, may hold anything.
            if int(entry.read_text().rpartition(")")[2].split()[3]) == session:
                os.kill(int(entry.parent.name), signal.SIGKILL)


def _end(child: subprocess.Popen[bytes], grace: float) -> int:
    child.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        return child.wait(timeout=grace)
    child.kill()
    return child.wait()


def stop_with_parent(stop: threading.Event) -> None:
    """In the child: set ``stop`` at SIGTERM, or when the parent is gone."""
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    _when_parent_ends(stop.set)


def end_with_parent() -> None:
    """In a child that knows what to do at SIGTERM: the same when the parent is gone."""
    _when_parent_ends(lambda: os.kill(os.getpid(), signal.SIGTERM))


def _when_parent_ends(do: Callable[[], None]) -> None:
    def watch() -> None:
        while os.read(0, 1):
            pass
        do()

    threading.Thread(target=watch, name="parent", daemon=True).start()
