"""Counting processes (``podium _count``). Each is kept for the next count: a start takes longer than a small count.

An order is one line on the process's standard input. The answer on its standard output is :data:`READY`, or
:data:`LAST` before the process ends because it has become large or was stopped.
"""

from __future__ import annotations

import contextlib
import json
import signal
import threading
from collections.abc import Callable, Mapping
from typing import Any

from podium.workers import child

READY = b"ready\n"
LAST = b"last\n"
# The exit code of a process that has no memory left.
OUT_OF_MEMORY = 80

# A process that ends by one of these was stopped.
_STOPS = tuple(-number for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP))
_CHECK_SECONDS = 0.1


class CountingPool:
    """``environment`` is all of the processes' environment."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._lock = threading.Lock()
        self._idle: list[_CountingProcess] = []
        self._has_begun = False

    def warm(self) -> None:
        """Start a process for the first count, unless that has begun."""
        with self._lock:
            if not self._has_begun:
                self._idle.append(_CountingProcess(self._environment))

    def count(self, order: Mapping[str, Any], stop: threading.Event, on_line: Callable[[bytes], None]) -> int | None:
        """Have a process count what ``order`` says.

        Args:
            stop: ends the process: SIGTERM, then SIGKILL.
            on_line: receives each line that the process writes, in another thread, before this returns.

        Returns:
            0: the count ended; another number: the exit status of a process that did not end it (negative: a signal);
            None: the process was stopped, by ``stop`` or from outside, and may not have released the repository.

        Raises:
            OSError, RuntimeError: no process, or no thread beside it, can be started.
        """
        process = self._take()
        status = process.count(order, stop, on_line)
        if process.is_ready:
            with self._lock:
                self._idle.append(process)
        return status

    def _take(self) -> _CountingProcess:
        with self._lock:
            self._has_begun = True
            while self._idle:
                process = self._idle.pop()
                if process.is_running:
                    return process
                process.end()
        return _CountingProcess(self._environment)

    def close(self) -> None:
        """End the idle processes."""
        with self._lock:
            idle, self._idle = self._idle, []
        for process in idle:
            process.close_stdin()
        for process in idle:
            process.end()


class _CountingProcess:
    def __init__(self, environment: Mapping[str, str]) -> None:
        self.is_ready = False
        self._has_counted = False
        self._child = child.start(["_count"], environment)
        self._on_line: Callable[[bytes], None] = lambda _: None
        self._changed = threading.Event()
        self._has_ended = False
        self._reader = threading.Thread(target=self._read, name="counting-process", daemon=True)
        self._reader.start()

    @property
    def is_running(self) -> bool:
        return self._child.poll() is None

    def _read(self) -> None:
        for line in child.lines(self._child):
            if line == READY:
                self._has_counted = True
                self.is_ready = True
                self._changed.set()
            elif line == LAST:
                self._has_counted = True
            else:
                self._on_line(line)
        self._has_ended = True
        self._changed.set()

    def count(self, order: Mapping[str, Any], stop: threading.Event, on_line: Callable[[bytes], None]) -> int | None:
        self.is_ready = self._has_counted = False
        self._on_line = on_line
        self._changed.clear()
        self._write(json.dumps(order).encode() + b"\n")
        while not (self.is_ready or self._has_ended):
            self._changed.wait(_CHECK_SECONDS)
            if stop.is_set() and not self.is_ready:
                self._child.terminate()
                break
        if self.is_ready:
            return 0
        status = self.end()
        # It may have become ready while it was stopped.
        self.is_ready = False
        if self._has_counted:
            return 0
        return None if stop.is_set() or status == 0 or status in _STOPS else status

    def _write(self, line: bytes) -> None:
        assert self._child.stdin  # noqa: S101 # a pipe
        # A process that has ended says why by its status.
        with contextlib.suppress(BrokenPipeError):
            self._child.stdin.write(line)
            self._child.stdin.flush()

    def close_stdin(self) -> None:
        if self._child.stdin:
            with contextlib.suppress(BrokenPipeError):
                self._child.stdin.close()

    def end(self) -> int:
        """Wait for the process, and kill it after :data:`podium.workers.child.GRACE` seconds; return its status."""
        self.close_stdin()
        status = child.end(self._child, child.GRACE)
        self._reader.join(child.GRACE)
        return status
