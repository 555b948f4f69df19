from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.githttp import GitHost, serve_repositories


@pytest.fixture
def host(tmp_path: Path) -> Iterator[GitHost]:
    with serve_repositories(tmp_path / "repositories") as host:
        yield host
