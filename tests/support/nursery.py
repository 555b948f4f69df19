"""Gives a forked process of Podium children that are forks too: each that is started imports Podium for half a second.

The process has threads by then, and a fork of a process with threads may hang. So it has a helper without threads from
its start, which forks in its place. With CLONE_PARENT the new process is a child of the process, not of the helper.
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import select
import signal
import socket
import struct
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

# The helper's name in /proc.
NAME = "podium-nursery"

# From linux/sched.h and linux/prctl.h; the number of the system call clone by machine.
_CLONE_PARENT = 0x8000
_PR_SET_NAME = 15
_CLONE = {"x86_64": 56, "aarch64": 220}.get(platform.machine())
_NUMBER = struct.Struct("i")

Request = dict[str, Any]


class Child:
    """The part of :class:`subprocess.Popen` that :mod:`podium.workers.child` uses."""

    def __init__(self, pid: int, stdin: int, stdout: int) -> None:
        self.pid = pid
        self.stdin, self.stdout = os.fdopen(stdin, "wb"), os.fdopen(stdout, "rb")
        self.returncode: int | None = None
        self._lock = threading.Lock()
        self._ended = os.pidfd_open(pid)

    def __del__(self) -> None:
        os.close(self._ended)

    def wait(self, timeout: float | None = None) -> int:
        ends = select.poll()
        ends.register(self._ended, select.POLLIN)
        if not ends.poll(None if timeout is None else timeout * 1000):
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
        with self._lock:
            if self.returncode is None:
                self.returncode = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
            return self.returncode

    def poll(self) -> int | None:
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def terminate(self) -> None:
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        self._send(signal.SIGKILL)

    def _send(self, number: int) -> None:
        with self._lock:
            if self.returncode is None:
                os.kill(self.pid, number)


class Nursery:
    """``run`` is what a child does with its request, to its end."""

    def __init__(self, run: Callable[[Request], NoReturn]) -> None:
        self._lock = threading.Lock()
        self._connection, theirs = socket.socketpair()
        if os.fork() == 0:
            self._connection.close()
            _help(theirs, run)
        theirs.close()

    def start(self, arguments: Sequence[str], environment: Mapping[str, str]) -> Child:
        """What :func:`podium.workers.child.start` does."""
        request = {"module": "podium", "words": list(arguments), "env": dict(environment), "cwd": os.getcwd()}
        line = json.dumps(request).encode()
        stdin, to_stdin = os.pipe()
        from_stdout, stdout = os.pipe()
        with self._lock:
            socket.send_fds(self._connection, [_NUMBER.pack(len(line))], [stdin, stdout])
            self._connection.sendall(line)
            (pid,) = _NUMBER.unpack(self._connection.recv(_NUMBER.size, socket.MSG_WAITALL))
        os.close(stdin)
        os.close(stdout)
        return Child(pid, to_stdin, from_stdout)


def is_possible() -> bool:
    return _CLONE is not None


def _help(connection: socket.socket, run: Callable[[Request], NoReturn]) -> NoReturn:
    """In the helper: fork for each request, until the process ends."""
    _set_name(NAME)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    while True:
        length, descriptors, _, _ = socket.recv_fds(connection, _NUMBER.size, 2)
        if not length:
            os._exit(0)
        text = connection.recv(_NUMBER.unpack(length)[0], socket.MSG_WAITALL)
        pid = _clone()
        if pid == 0:
            connection.close()
            os.setsid()
            for wanted, given in enumerate(descriptors):
                os.dup2(given, wanted)
        for given in descriptors:
            os.close(given)
        if pid == 0:
            request = json.loads(text)
            _set_name(request["words"][0])
            run(request)
        connection.sendall(_NUMBER.pack(pid))


def _clone() -> int:
    """As os.fork(), but the new process is this one's sibling."""
    # Keeps Python's lock during calls, as os.fork() does.
    system = ctypes.PyDLL(None)
    ctypes.pythonapi.PyOS_BeforeFork()
    pid: int = system.syscall(_CLONE, _CLONE_PARENT | signal.SIGCHLD, 0, 0, 0, 0)
    if pid == 0:
        ctypes.pythonapi.PyOS_AfterFork_Child()
    else:
        ctypes.pythonapi.PyOS_AfterFork_Parent()
    assert pid >= 0
    return pid


def _set_name(name: str) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_NAME, name.encode(), 0, 0, 0)
