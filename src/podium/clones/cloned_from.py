"""Where a repository on this machine was cloned from."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable
from pathlib import Path

from podium.errors import BadAddress
from podium.git.command import Git
from podium.repositories.address import host_of, parse_address

# The user and password of a URL.
_USER_INFO = re.compile(r"(?<=://)[^/]*@")


def origin_urls(git: Git, repository: Path) -> list[str]:
    """The URL of the remote ``origin``, as written and as git's ``url.<base>.insteadOf`` rewrites it.

    They may contain a password.
    """
    written = git.line("config", "--get", "remote.origin.url", repository=repository)
    if written is None:
        return []
    used = git.line("remote", "get-url", "origin", repository=repository)
    return list(dict.fromkeys(url for url in (written, used) if url))


def slug_at(github_url: str, urls: Iterable[str]) -> tuple[str, str] | None:
    """The owner and name of the first URL that is at the GitHub with this web address."""
    for url in urls:
        # git takes anything else for a path, also `owner/name`.
        if "://" in url or ":" in url.partition("/")[0]:
            with contextlib.suppress(BadAddress):
                found = parse_address(_USER_INFO.sub("", url), github_url)
                if found.host == host_of(github_url):
                    return found.owner, found.name
    return None
