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
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

# Seconds between SIGTERM and SIGKILL.
GRACE = 5.0
# Seconds between two looks at whether a child must stop.
_LOOK_SECONDS = 0.2
# Seconds for which a stopped child waits for the end of its parent's lines. A parent that stops it closes the pipe.
_LAST_LINE = 1.0
# Bytes; a longer line arrives in pieces.
LONGEST_LINE = 64 * 1024


def run(
    arguments: list[str],
    environment: Mapping[str, str],
    stop: threading.Event,
    on_line: Callable[[bytes], bytes | None] = lambda _: None,
    *,
    grace: float = GRACE,
    files: Sequence[int] = (),
) -> int:
    """Run ``podium ARGUMENTS``; return the exit status (negative: the signal that ended it).

    Args:
        environment: all of its environment.
        stop: ends the child: SIGTERM, then SIGKILL after ``grace`` seconds.
        on_line: receives each line of standard output, in another thread, before this returns. What it returns is
            written to standard input.
        files: descriptors that the child inherits under the same numbers.
    """
    process = start(arguments, environment, files)

    def read() -> None:
        for line in lines(process):
            answer = on_line(line)
            # A child that has ended needs none.
            if answer is not None and process.stdin:
                with contextlib.suppress(OSError, ValueError):
                    process.stdin.write(answer)
                    process.stdin.flush()

    ended = threading.Event()

    def wait() -> None:
        process.wait()
        ended.set()

    reader = threading.Thread(target=read, name="child", daemon=True)
    reader.start()
    # Popen.wait with a timeout looks twenty times a second.
    threading.Thread(target=wait, name="child-end", daemon=True).start()
    try:
        while not ended.wait(_LOOK_SECONDS):
            if stop.is_set():
                process.terminate()
                return end(process, grace)
        return process.wait()
    finally:
        end(process, 0)
        reader.join(GRACE)


def start(arguments: list[str], environment: Mapping[str, str], files: Sequence[int] = ()) -> subprocess.Popen[bytes]:
    """Start ``podium ARGUMENTS`` with pipes, in its own session.

    SIGTERM waits until the child handles it: while it starts, it may have an order already that it must give back.
    """
    # The child inherits the mask of this thread.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    try:
        return subprocess.Popen(
            # No modules from the current folder.
            [sys.executable, "-P", "-m", "podium", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            pass_fds=files,
            # Ctrl-C reaches only the parent.
            start_new_session=True,
        )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


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
    """Set ``stop`` at SIGTERM and when the parent ends; for a child."""
    _on_sigterm(lambda *_: stop.set())
    _when_parent_ends(stop.set)


def orders(stop: threading.Event) -> Iterator[bytes]:
    """Return the lines that the parent writes, from now on; for a child. SIGTERM and the parent's end set ``stop``.

    Lines that were written before are still returned: the child must give back what it was ordered to do.
    """
    waiting: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def stop_now(*_: object) -> None:
        stop.set()
        waiting.put(b"")

    def read() -> None:
        with open(0, "rb", closefd=False) as stdin:
            for line in stdin:
                waiting.put(line)
        stop_now()

    def left() -> Iterator[bytes]:
        while line := waiting.get():
            yield line
        reader.join(_LAST_LINE)
        while not waiting.empty():
            if line := waiting.get():
                yield line

    _on_sigterm(stop_now)
    reader = threading.Thread(target=read, name="parent", daemon=True)
    reader.start()
    return left()


def end_with_parent() -> None:
    """Send SIGTERM to this process when the parent ends; for a child that handles it."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
    _when_parent_ends(lambda: os.kill(os.getpid(), signal.SIGTERM))


def _on_sigterm(do: Callable[..., object]) -> None:
    signal.signal(signal.SIGTERM, do)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])


def _when_parent_ends(do: Callable[[], None]) -> None:
    def watch() -> None:
        while os.read(0, 1):
            pass
        do()

    threading.Thread(target=watch, name="parent", daemon=True).start()
