"""Start, feed and end processes. No other module of this package does."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import selectors
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO

Process = subprocess.Popen[bytes]

# Seconds between two checks.
TICK = 0.1
_SHORT_TICK = 0.02
# Bytes of one read, which fit the processor's cache.
CHUNK = 128 << 10
_PIPE = 1 << 20
# Seconds between SIGTERM and SIGKILL.
_GRACE = 2.0


def start(
    argv: list[str],
    environment: Mapping[str, str],
    folder: Path | None,
    *,
    memory: int | None,
    cpu_seconds: int | None = None,
    own_group: bool = True,
    stdin: IO[bytes] | int | None = None,
) -> Process:
    """Start ``argv`` with pipes.

    Args:
        environment: all of its environment.
        memory: bytes of private memory that it may use; None: no limit.
        cpu_seconds: seconds of CPU time until SIGXCPU ends it; None: no limit.

    Raises:
        OSError: there is no such program or folder, or no process can be started.
    """
    process = subprocess.Popen(
        _bounded(argv, memory, cpu_seconds, environment.get("PATH", os.defpath)),
        stdin=subprocess.PIPE if stdin is None else stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        cwd=folder or "/",
        bufsize=0,
        # Not a session: the parent can find and end everything that it left behind.
        process_group=0 if own_group else None,
    )
    _widen(process.stdout)
    return process


def _bounded(argv: list[str], memory: int | None, cpu_seconds: int | None, search_path: str) -> list[str]:
    """The shell sets the limits on itself and becomes git, so that they hold from the first instruction on."""
    limits = []
    if memory is not None and sys.platform == "linux":
        limits.append(f"ulimit -d {memory // 1024}")
    if cpu_seconds is not None:
        limits.append(f"ulimit -S -t {cpu_seconds}")
    if not limits:
        return argv
    if shutil.which(argv[0], path=search_path) is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), argv[0])
    return ["/bin/sh", "-c", " && ".join([*limits, 'exec "$@"']), "sh", *argv]


def _widen(pipe: IO[bytes] | None) -> None:
    if pipe is not None and sys.platform == "linux":
        with contextlib.suppress(OSError):
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE)


def pump(
    process: Process,
    stdin: bytes,
    sinks: Mapping[IO[bytes] | None, Callable[[bytes], None]],
    check: Callable[[], None],
    *,
    meanwhile: Callable[[], bool] | None = None,
) -> None:
    """Pass the output of ``process`` to ``sinks`` until it ends; ``check`` may raise to end it early.

    ``meanwhile`` is called every fiftieth of a second, and again at once if it returns True.
    """
    tick = TICK if meanwhile is None else _SHORT_TICK
    more = False
    with selectors.DefaultSelector() as selector:
        for pipe, sink in sinks.items():
            assert pipe is not None  # noqa: S101 # a pipe
            selector.register(pipe, selectors.EVENT_READ, _receiver(sink))
        if process.stdin and stdin:
            os.set_blocking(process.stdin.fileno(), False)
            selector.register(process.stdin, selectors.EVENT_WRITE, _feeder(stdin))
        elif process.stdin:
            process.stdin.close()
        while selector.get_map():
            ended = process.poll() is not None
            ready = selector.select(0 if ended or more else tick)
            for key, _ in ready:
                if not key.data(key.fd):
                    selector.unregister(key.fileobj)
                    if key.fileobj is process.stdin:
                        process.stdin.close()
            if ended and not ready:
                # A process that git left behind, such as ssh's shared connection, still holds the pipes.
                break
            check()
            more = meanwhile is not None and meanwhile()
    while process.poll() is None:
        check()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(TICK)


def _receiver(sink: Callable[[bytes], None]) -> Callable[[int], bool]:
    def receive(fd: int) -> bool:
        data = os.read(fd, CHUNK)
        if data:
            sink(data)
        return bool(data)

    return receive


def _feeder(stdin: bytes) -> Callable[[int], bool]:
    waiting = memoryview(stdin)

    def feed(fd: int) -> bool:
        nonlocal waiting
        try:
            waiting = waiting[os.write(fd, waiting[:CHUNK]) :]
        except BrokenPipeError:  # its exit code says whether it failed
            return False
        return bool(waiting)

    return feed


@contextlib.contextmanager
def ended(process: Process, own_group: bool = True) -> Iterator[None]:
    try:
        yield
    finally:
        if process.returncode is None:
            _signal(process, own_group, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_GRACE)
        # Also processes that outlived the leader.
        _signal(process, own_group, signal.SIGKILL)
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()


def _signal(process: Process, own_group: bool, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        if own_group:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
