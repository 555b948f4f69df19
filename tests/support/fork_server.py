"""Starts ``podium …`` as a fork of a process that has imported all of it: to import it takes a second or two of CPU.

The forks are processes as others are, with an environment, a folder, output and signals of their own. What a start
itself does (the interpreter's options, late imports) is tested with real starts.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import pkgutil
import selectors
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any, NoReturn, Self

from podium.workers import child
from tests.support import nursery

_ROOT = Path(__file__).parents[2]
# What Podium's libraries import late.
_LATE = (
    "alembic.command alembic.ddl.postgresql alembic.ddl.sqlite alembic.runtime.migration alembic.script "
    "encodings.idna psycopg rich.console rich.table sqlalchemy.dialects.postgresql.psycopg "
    "sqlalchemy.dialects.sqlite.pysqlite uvicorn.lifespan.on uvicorn.logging uvicorn.loops.auto "
    "uvicorn.protocols.http.auto uvicorn.protocols.websockets.auto tests.support.site_server"
).split()
# The commands that have children.
_PARENTS = ("serve", "worker", "_work")
# How the server answers: a child's process id, then its exit code.
_NUMBER = struct.Struct("i")

# Where the server of this run listens.
_address: str | None = None
# What ends a server that this process started; None: processes start in the ordinary way, as benchmarks must.
_ends: contextlib.ExitStack | None = None


@contextlib.contextmanager
def running_fork_server() -> Iterator[str]:
    """A fork server for the length of a ``with`` block: its address. It ends with this process at the latest."""
    with tempfile.TemporaryDirectory(prefix="podium-forks-") as folder:
        address = Path(folder, "socket")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(address))
            listener.listen(64)
            server = subprocess.Popen(
                [sys.executable, "-m", __name__, str(listener.fileno())],
                cwd=_ROOT,
                stdin=subprocess.PIPE,
                pass_fds=[listener.fileno()],
            )
        try:
            yield str(address)
        finally:
            assert server.stdin
            server.stdin.close()
            server.wait()


@contextlib.contextmanager
def forking(address: str | None = None) -> Iterator[None]:
    """Let tests fork from the server at ``address``, or from one that the first of them starts."""
    global _address, _ends  # noqa: PLW0603
    with contextlib.ExitStack() as _ends:
        _address = address
        yield
    _address = _ends = None


def address() -> str | None:
    """Where a server that :func:`forking` was given listens."""
    return _address


class ForkedProcess:
    """The part of :class:`subprocess.Popen` that tests use."""

    def __init__(self, connection: socket.socket, stdout: IO[str] | None, stderr: IO[str] | None) -> None:
        self._connection = connection
        self.stdout, self.stderr = stdout, stderr
        self.returncode: int | None = None
        self.pid = _receive(connection)

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            with selectors.DefaultSelector() as selector:
                selector.register(self._connection, selectors.EVENT_READ)
                if not selector.select(timeout):
                    raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
            self.returncode = _receive(self._connection)
            self._connection.close()
        return self.returncode

    def poll(self) -> int | None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.wait(0)
        return None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        self.wait()

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """What is left of its output, once it has ended; it is killed after ``timeout`` seconds."""
        with ThreadPoolExecutor(2) as pool:
            texts = [pool.submit(stream.read) if stream else None for stream in (self.stdout, self.stderr)]
            try:
                self.wait(timeout)
            except subprocess.TimeoutExpired:
                self.kill()
                raise
        self.close()
        stdout, stderr = (text.result() if text else "" for text in texts)
        return stdout, stderr

    def close(self) -> None:
        for stream in (self.stdout, self.stderr):
            if stream:
                stream.close()

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


Process = subprocess.Popen[str] | ForkedProcess


def _receive(connection: socket.socket) -> int:
    number: int = _NUMBER.unpack(connection.recv(_NUMBER.size, socket.MSG_WAITALL))[0]
    return number


def start(
    module: str,
    arguments: Sequence[str],
    *,
    environment: Mapping[str, str],
    cwd: Path | None = None,
    stdout: IO[str] | int = subprocess.PIPE,
    stderr: IO[str] | int = subprocess.PIPE,
    may_fork: bool = True,
) -> Process:
    """Run ``python -m MODULE ARGUMENTS``, in tests as a fork that calls its ``main()``."""
    if _ends is None or not may_fork:
        return subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            encoding="utf-8",
        )
    return _fork(_ends, module, arguments, environment, cwd or Path.cwd(), (stdout, stderr))


def _fork(
    ends: contextlib.ExitStack,
    module: str,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    cwd: Path,
    streams: tuple[IO[str] | int, IO[str] | int],
) -> ForkedProcess:
    global _address  # noqa: PLW0603
    if _address is None:
        _address = ends.enter_context(running_fork_server())
    request = {"module": module, "words": list(arguments), "env": dict(environment), "cwd": str(cwd)}
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(_address)
    with contextlib.ExitStack() as theirs:
        nothing = theirs.enter_context(Path(os.devnull).open("r+"))
        ours: list[IO[str] | None] = []
        given = [nothing.fileno()]
        for stream in streams:
            if stream == subprocess.PIPE:
                read_end, write_end = os.pipe()
                theirs.callback(os.close, write_end)
                ours.append(os.fdopen(read_end, encoding="utf-8"))
                given.append(write_end)
            else:
                ours.append(None)
                given.append(nothing.fileno() if isinstance(stream, int) else stream.fileno())
        socket.send_fds(connection, [b"\n"], given)
        connection.sendall(json.dumps(request).encode() + b"\n")
    return ForkedProcess(connection, *ours)


# In the server


class _Server:
    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._children: dict[int, tuple[int, socket.socket]] = {}
        self._selector = selectors.DefaultSelector()
        self._selector.register(listener, selectors.EVENT_READ)
        self._selector.register(0, selectors.EVENT_READ)

    def serve(self) -> dict[str, Any] | None:
        """Fork for each connection. In the child: its request; in the server, at its end: None."""
        while True:
            for key, _ in self._selector.select():
                if key.fileobj == 0:
                    return None
                if key.fileobj is self._listener:
                    if request := self._fork():
                        return request
                else:
                    self._report(key.fd)

    def _fork(self) -> dict[str, Any] | None:
        connection, _ = self._listener.accept()
        _, descriptors, _, _ = socket.recv_fds(connection, 1, 3)
        with connection.makefile("rb") as reader:
            request: dict[str, Any] = json.loads(reader.readline())
        pid = os.fork()
        if pid == 0:
            for wanted, given in enumerate(descriptors):
                os.dup2(given, wanted)
            self._close(connection)
        for given in descriptors:
            os.close(given)
        if pid == 0:
            return request
        connection.sendall(_NUMBER.pack(pid))
        ended = os.pidfd_open(pid)
        self._children[ended] = pid, connection
        self._selector.register(ended, selectors.EVENT_READ)
        return None

    def _report(self, ended: int) -> None:
        self._selector.unregister(ended)
        os.close(ended)
        pid, connection = self._children.pop(ended)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        with connection, contextlib.suppress(OSError):  # the test has ended
            connection.sendall(_NUMBER.pack(status))

    def _close(self, connection: socket.socket) -> None:
        self._selector.close()
        self._listener.close()
        connection.close()
        for ended, (_, other) in self._children.items():
            os.close(ended)
            other.close()


def _become(request: dict[str, Any]) -> Callable[[], int]:
    """Look like a process that has just started."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(request["env"])
    os.chdir(request["cwd"])
    time.tzset()
    sys.stdin = sys.__stdin__ = os.fdopen(0, encoding="utf-8", closefd=False)  # type: ignore[misc]
    sys.stdout = sys.__stdout__ = os.fdopen(1, "w", encoding="utf-8", closefd=False)  # type: ignore[misc]
    sys.stderr = sys.__stderr__ = os.fdopen(  # type: ignore[misc]
        2, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False
    )
    sys.argv = ["podium", *request["words"]]
    if request["words"][:1] and request["words"][0] in _PARENTS and nursery.is_possible():
        start, start_new = nursery.Nursery(_run).start, child.start

        # Only a new process inherits files.
        def started(arguments: list[str], environment: Mapping[str, str], files: Sequence[int] = ()) -> Any:
            return start_new(arguments, environment, files) if files else start(arguments, environment)

        child.start = started
    module = {"podium": "podium.cli"}.get(request["module"], request["module"])
    main: Callable[[], int] = importlib.import_module(module).main
    return main


def _import_all() -> None:
    import podium

    for module in pkgutil.walk_packages(podium.__path__, "podium."):
        if "__main__" not in module.name and ".migrations" not in module.name:
            importlib.import_module(module.name)
    for name in _LATE:
        importlib.import_module(name)


def _main() -> None:
    # Ctrl-C is for the tests, which then end this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    listener = socket.socket(fileno=int(sys.argv[1]))
    _import_all()
    assert threading.active_count() == 1, "a fork of a process with threads may hang"
    # Python's search for garbage would copy the memory that forks share.
    gc.collect()
    gc.freeze()
    request = _Server(listener).serve()
    if request is not None:
        _run(request)


def _run(request: dict[str, Any]) -> NoReturn:
    try:
        code = _become(request)()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001
        traceback.print_exc()
        code = 1
    _end(code)


def _end(code: int) -> NoReturn:
    """End as Python does, but for the objects: to free them touches the memory that forks share."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    _main()
