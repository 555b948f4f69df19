"""Looking at processes, from /proc (Linux)."""

from __future__ import annotations

import contextlib
from pathlib import Path


def children(parent: int) -> list[int]:
    """The processes that ``parent`` started and that still run, oldest first."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, ppid = stat.read_text().rpartition(")")[2].split()[:2]
            if int(ppid) == parent and state != "Z":
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
    return [pid for pid in descendants(parent) if _has_argument(pid, b"_count")]


def _has_argument(pid: int, word: bytes) -> bool:
    with contextlib.suppress(OSError):
        return word in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    return False
