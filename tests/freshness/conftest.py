"""One repository, at a git host and at a GitHub."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from podium.accounts.github import github_session
from tests.support.githttp import GitHost, serve_repositories
from tests.support.github_double import GitHubDouble
from tests.support.hosted import Hosting
from tests.support.repos import chain, make_bare


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal of GitHub is confirmed without a wait between the requests."""
    monkeypatch.setattr(github_session, "CONFIRM_DELAY", 0.0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = make_bare(tmp_path / "served" / "r.git")
    chain(folder, [b"Ada <ada@example.org> 1700000000 +0000"])
    return folder


@pytest.fixture
def hosting(folder: Path) -> Hosting:
    return Hosting({"o/r": folder})


@pytest.fixture
def double(hosting: Hosting) -> Iterator[GitHubDouble]:
    with GitHubDouble(hosting) as running:
        yield running


@pytest.fixture
def git_host(hosting: Hosting, folder: Path) -> Iterator[GitHost]:
    with serve_repositories(folder.parent, hosting=hosting) as running:
        yield running
