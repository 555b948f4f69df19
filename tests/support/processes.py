"""Looking at processes, from /proc (Linux)."""

from __future__ import annotations

import contextlib
from pathlib import Path

from tests.support.nursery import NAME


def children(parent: int) -> list[int]:
    """The processes that ``parent`` started and that still run, oldest first."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            name, _, fields = stat.read_text().rpartition(")")
            state, ppid = fields.split()[:2]
            if int(ppid) == parent and state != "Z" and not name.endswith(f"({NAME}"):
                found.append(int(stat.parent.name))
    return sorted(found)


def descendants(parent: int) -> list[int]:
    """Those that ``parent`` started, and those that they started, and so on."""
    found = []
    for child in children(parent):
        found += [child, *descendants(child)]
    return found


def asks_git_for(path: str, pid: int) -> bool:
    """Whether a process is a git that was told to fetch from an address that holds ``path``."""
    with contextlib.suppress(OSError):
        return path.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False


def counting_processes(parent: int) -> list[int]:
    """The processes that count for a server or a worker."""
    return [pid for pid in descendants(parent) if _is_called(pid, b"_count")]


def _is_called(pid: int, command: bytes) -> bool:
    """Whether a process is ``podium COMMAND``; a fork has the command as its name."""
    with contextlib.suppress(OSError):
        process = Path(f"/proc/{pid}")
        arguments = (process / "cmdline").read_bytes().split(b"\0")
        return command in (*arguments, (process / "comm").read_bytes().strip())
    return False
