from __future__ import annotations

import json
from pathlib import Path

from tests.support import repos
from tests.support.cli import Podium
from tests.support.githttp import serve_repositories


def test_rank_counts_a_branch_or_tag_beside_the_default_branch(tmp_path: Path) -> None:
    with serve_repositories(tmp_path / "repositories") as host:
        repository = repos.make_bare(host.folder / "o" / "r.git")
        first = repos.chain(repository, [repos.ALICE, repos.BOB, repos.BOB])
        repos.git(repository, "update-ref", "refs/tags/v1", f"{first}~1")
        podium = Podium(tmp_path)
        totals = []
        for rev in (["--rev", "v1"], []):
            done = podium.run("rank", f"{host.url}/o/r", *rev, "--no-identities", "--format", "json")
            assert done.returncode == 0, done.stderr
            totals.append(json.loads(done.stdout)["totalCommits"])
        assert totals == [2, 3]
        done = podium.run("rank", f"{host.url}/o/r", "--rev", "v2")
        assert done.returncode == 2
        assert f"{host.url.removeprefix('http://')} has no branch or tag v2" in done.stderr
        asked = len(host.requests)
        done = podium.run("rank", f"{host.url}/o/r", "--rev", "v1..v2")
        assert (done.returncode, len(host.requests)) == (2, asked)
        assert "in a clone only" in done.stderr
