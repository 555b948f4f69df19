"""How many commits a walk will find, from a sample."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from podium.clones.commit_estimate import CommitEstimate
from podium.git.command import Git
from podium.git.limits import Limits
from podium.history.count import count
from podium.history.totals import Tally
from tests.support import repos

GIT = Git.for_person({"PATH": "/usr/bin:/bin:/usr/local/bin", "GIT_CONFIG_GLOBAL": "/dev/null"}, Limits())
COMMITS = 2000
DAY = 86_400


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``main`` has 2,000 commits, one a day; ``other``, of the same years, 3,000 that ``main`` does not reach."""
    repository = repos.make_bare(tmp_path_factory.mktemp("packed") / "repository")
    stream: list[str] = []
    for branch, commits in (("main", COMMITS), ("other", 3000)):
        for number in range(commits):
            when = 10**9 + number * DAY * COMMITS // commits
            stream.append(f"commit refs/heads/{branch}\ncommitter A <a@x> {when} +0000\ndata 0\n\n")
    repos.git(repository, "-c", "fastimport.unpackLimit=1", "fast-import", "--quiet", stdin="".join(stream).encode())
    return repository


def estimates(repository: Path, revision: str = "main") -> list[tuple[int, int | None]]:
    """The commits found so far, and all as estimated."""
    found: list[tuple[int, int | None]] = []
    estimate = CommitEstimate(GIT, repository, delay=0)
    next(thread for thread in threading.enumerate() if thread.name == "estimate").join()

    def note(tally: Tally) -> None:
        found.append((tally.total_commits, estimate.total(tally)))

    try:
        count(GIT, repository, repos.git(repository, "rev-parse", revision).decode().strip(), on_progress=note)
    finally:
        estimate.close()
    return [(commits, total) for commits, total in found if commits]


def test_commits_of_other_branches_do_not_mislead_it(packed: Path) -> None:
    found = estimates(packed)
    assert found[-1][0] == COMMITS
    assert found[-1][1] == pytest.approx(COMMITS, rel=0.1)
    for commits, total in found:
        assert total is not None
        # The first guess is that the walk reaches every commit.
        assert commits <= total <= 2.6 * COMMITS
        if commits > COMMITS / 3:
            assert total == pytest.approx(COMMITS, rel=0.2)


def test_an_older_revision_has_fewer(packed: Path) -> None:
    found = estimates(packed, f"main~{COMMITS // 2}")
    assert found[-1][0] == COMMITS // 2
    assert found[-1][1] == pytest.approx(COMMITS // 2, rel=0.1)


def test_it_reads_the_packs_of_alternates(packed: Path, tmp_path: Path) -> None:
    repos.git(packed, "clone", "-q", "--bare", "--shared", str(packed), str(tmp_path / "shared"))
    assert estimates(tmp_path / "shared")[-1][1] == pytest.approx(COMMITS, rel=0.1)


def test_there_is_none_for_few_commits(tmp_path: Path) -> None:
    repository = repos.make_bare(tmp_path / "small")
    repos.chain(repository, [repos.ALICE] * 3)
    assert {total for _, total in estimates(repository)} == {None}


@pytest.mark.parametrize("content", [b"", b"\xfftOc", b"\xfftOc\x00\x00\x00\x02" + b"\xff" * 1024, b"nothing" * 1000])
def test_an_index_that_cannot_be_read_gives_none(packed: Path, tmp_path: Path, content: bytes) -> None:
    repository = tmp_path / "copy"
    repos.git(packed, "clone", "-q", "--bare", "--shared", str(packed), str(repository))
    (repository / "objects" / "pack" / "pack-0.idx").write_bytes(content)
    estimate = CommitEstimate(GIT, repository, delay=0)
    estimate.close()
