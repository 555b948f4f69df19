from __future__ import annotations

import re
from pathlib import Path

from podium.errors import HistoryError
from podium.git.command import Git
from podium.git.limits import Limits

Version = tuple[int, int, int]

# Older versions have no http.curloptResolve and look a host up again after Podium has. By then its name can lead into
# the server's own network.
OLDEST = (2, 37, 0)

# The security releases of May 2024 know GIT_NO_LAZY_FETCH. Without it a host can make a count start git again and again
# (https://github.blog/open-source/git/securing-git-addressing-5-new-vulnerabilities/).
_NO_LAZY_FETCH = {39: 4, 40: 2, 41: 1, 42: 2, 43: 4, 44: 1, 45: 1}


def parse(text: str) -> Version | None:
    """Read the output of ``git version``; None if it is something else."""
    match = re.search(r"\bgit version (\d+)\.(\d+)(?:\.(\d+))?", text)
    return (int(match[1]), int(match[2]), int(match[3] or 0)) if match else None


def is_too_old(version: Version) -> bool:
    """Whether a server must not clone addresses of strangers with it."""
    return version < OLDEST


def fetches_lazily(version: Version) -> bool:
    """Whether git fetches missing objects in the middle of a count."""
    major, minor, patch = version
    if major != 2 or minor > max(_NO_LAZY_FETCH):
        return major < 2
    return minor not in _NO_LAZY_FETCH or patch < _NO_LAZY_FETCH[minor]


def fault(search_path: str) -> str | None:
    """Run ``git version`` and say what keeps a server from using that git; None: nothing."""
    try:
        answer = Git.for_server(Limits(timeout=10), search_path=search_path).run("version", folder=Path("/"))
    except HistoryError as error:
        return error.message
    found = parse(answer.output.decode(errors="replace"))
    if found is None:
        return "`git version` does not say a version: install git, 2.45.1 or newer, into a folder on PATH."
    if is_too_old(found):
        return f"git {'.'.join(map(str, found))} is too old for addresses of strangers: update it to 2.45.1 or newer."
    return None
