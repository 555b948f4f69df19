"""The command lines of deploy/, run by a user without a name or a home, who may write to one folder only."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.support import kubernetes
from tests.support.githttp import serve_repositories
from tests.support.postgres import Postgres
from tests.support.repos import chain, make_bare
from tests.support.server import free_port, wait_until
from tests.support.valkey import Valkey
from tests.test_deploy import lines_of, secret_files
from tests.test_kubernetes import FOLDER, of_kind

# No user of a machine has this number.
UID = 54321
PODIUM = Path(sys.executable).parent / "podium"


def as_that_user() -> list[str]:
    """What runs a command as another user, where this one may choose.

    It may read what root may, because the tests' Python may be in a closed folder; it may write nothing of others.
    """
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        return []
    only = "-all,+dac_read_search"
    user = (f"--reuid={UID}", f"--regid={UID}", "--clear-groups", "--no-new-privs")
    return ["setpriv", *user, f"--inh-caps={only}", f"--ambient-caps={only}", f"--bounding-set={only}"]


class Container:
    """What a manifest says of one part, with the folders of this machine in place of the container's."""

    def __init__(self, name: str, folder: Path, secrets: Mapping[str, str], **settings: str) -> None:
        document = of_kind("Deployment", "Job")[name]
        (container,) = kubernetes.pod(document)["containers"]
        self.folder = folder / name
        self.data, self.temporary = self.folder / "data", self.folder / "tmp"
        self.port = free_port()
        for path in (self.data, self.temporary):
            path.mkdir(parents=True)
            if as_that_user():
                os.chown(path, UID, UID)
        variables = lines_of(FOLDER / "settings.env") | {each["name"]: each["value"] for each in container["env"]}
        for variable in variables.keys() & secret_files().keys():
            # Readable by all, as Docker's and Kubernetes' are for the group.
            (self.folder / variable).write_text(secrets[secret_files()[variable]] + "\n")
            (self.folder / variable).chmod(0o444)
            variables[variable] = str(self.folder / variable)
        if "PORT" in variables:
            variables["PORT"] = str(self.port)
        # The image sets the first two; there is no HOME.
        self.environment = {
            "PATH": f"{PODIUM.parent}:/usr/local/bin:/usr/bin:/bin",
            "PODIUM_DATA_DIR": str(self.data),
            "TMPDIR": str(self.temporary),
            **variables,
            **settings,
        }
        self.words = [*as_that_user(), str(PODIUM), *container["args"]]

    def start(self, log: Path) -> subprocess.Popen[bytes]:
        with log.open("ab") as errors:
            return subprocess.Popen(self.words, env=self.environment, cwd="/", stdin=subprocess.DEVNULL, stderr=errors)

    def ask(self, path: str) -> int:
        with (
            contextlib.suppress(OSError),
            urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=20) as answer,
        ):
            status: int = answer.status
            return status
        return 0


@pytest.fixture
def folder() -> Iterator[Path]:
    """pytest's own folders are closed to other users."""
    path = Path(tempfile.mkdtemp(prefix="podium-deployed-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.mark.long
def test_the_parts_work_as_a_user_without_name_home_or_rights(folder: Path, postgres: Postgres, valkey: Valkey) -> None:
    valkey.flush()
    secrets = {
        "DATABASE_URL": postgres.url(postgres.create()),
        "REDIS_URL": valkey.url,
        "PODIUM_ADMIN_TOKEN": "the-token-of-the-tests",
        "PODIUM_METRICS_TOKEN": "the-token-of-metrics",
        "GITHUB_TOKEN": "token",
        # There are no webhooks.
        "PODIUM_WEBHOOK_SECRETS": "",
    }
    log = folder / "log"
    migration = Container("podium-migrate", folder, secrets)
    assert migration.start(log).wait(120) == 0, log.read_text()
    repository = make_bare(folder / "host" / "o" / "r.git")
    chain(repository, [b"Ann <ann@example.org>"] * 3)
    with serve_repositories(folder / "host") as host:
        small = {"PODIUM_PRIVATE_GIT_HOSTS": host.url, "PODIUM_DISK_RESERVE_BYTES": "1M", "PODIUM_ALLOWED_HOSTS": ""}
        parts = [Container(f"podium-{part}", folder, secrets, **small) for part in ("api", "commits", "users")]
        processes = [part.start(log) for part in parts]
        try:
            wait_until(lambda: all(part.ask("/ready") == 200 for part in parts), "all parts to be ready")
            api = f"http://127.0.0.1:{parts[0].port}/leaderboard?repoUrl={host.url}/o/r.git"
            urllib.request.urlopen(urllib.request.Request(api, method="POST"), timeout=20).close()
            wait_until(lambda: parts[0].ask(api.partition(str(parts[0].port))[2]) == 200, "the board")
        finally:
            for process in processes:
                process.send_signal(signal.SIGTERM)
            ended = [process.wait(30) for process in processes]
    assert ended == [0, 0, 0], log.read_text()
    said = log.read_text()
    assert "is not a setting" not in said and "Traceback" not in said, said
    assert (parts[1].data / "mirrors").is_dir()
