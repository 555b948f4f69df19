"""`podium rank` in CI: checkouts as runners make them, under the runners' variables, and the documented jobs."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.support import repos
from tests.support.cli import Podium, clean_environment

DOCUMENT = (Path(__file__).parent.parent.parent / "docs" / "ci.md").read_text()
JOBS = [YAML(typ="safe").load(text) for text in re.findall(r"```yaml\n(.*?)```", DOCUMENT, re.S)]
SECRET = "glcbt-64_kSecretOfTheJob"

GITHUB = {
    "CI": "true",
    "GITHUB_ACTIONS": "true",
    "GITHUB_API_URL": "https://api.github.com",
    "GITHUB_GRAPHQL_URL": "https://api.github.com/graphql",
    "GITHUB_REPOSITORY": "octo/hello",
    "GITHUB_SERVER_URL": "https://github.com",
    "TERM": "dumb",
}
GITLAB = {
    "CI": "true",
    "CI_JOB_TOKEN": SECRET,
    "CI_REPOSITORY_URL": f"https://gitlab-ci-token:{SECRET}@gitlab.com/octo/hello.git",
    "CI_SERVER_URL": "https://gitlab.com",
    "GITLAB_CI": "true",
    "GIT_DEPTH": "0",
    "GIT_STRATEGY": "fetch",
}


@pytest.fixture
def podium(tmp_path: Path) -> Podium:
    return Podium(tmp_path / "data")


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    repository = repos.make_bare(tmp_path / "origin.git")
    repos.chain(repository, [repos.ALICE, repos.BOB, repos.BOB])
    return repository


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *words], env=clean_environment(), check=True, capture_output=True)
    return done.stdout.decode().strip()


def github_checkout(folder: Path, origin: Path, *depth: str, detached: bool = False) -> Path:
    """What actions/checkout leaves behind: the token is a header in the configuration."""
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "remote", "add", "origin", "https://github.com/octo/hello")
    header = base64.b64encode(f"x-access-token:{SECRET}".encode()).decode()
    git(folder, "config", "http.https://github.com/.extraheader", f"AUTHORIZATION: basic {header}")
    git(folder, "fetch", "--quiet", *depth, f"file://{origin}", "+refs/heads/*:refs/remotes/origin/*")
    where = ["--detach"] if detached else ["-B", "main"]
    git(folder, "checkout", "--quiet", "--force", *where, "refs/remotes/origin/main")
    return folder


def gitlab_checkout(folder: Path, origin: Path, *depth: str) -> Path:
    """What GitLab's runner leaves behind: a commit without a branch, and a password in the remote's address."""
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "remote", "add", "origin", GITLAB["CI_REPOSITORY_URL"])
    git(folder, "fetch", "--quiet", *depth, f"file://{origin}", "+refs/heads/main:refs/pipelines/1")
    git(folder, "checkout", "--quiet", "--force", "--detach", "refs/pipelines/1")
    return folder


def files_contain(folder: Path, secret: str) -> bool:
    return any(secret.encode() in path.read_bytes() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("detached", [False, True])
def test_a_checkout_of_github_actions_is_ranked(podium: Podium, origin: Path, tmp_path: Path, detached: bool) -> None:
    folder = github_checkout(tmp_path / "work", origin, detached=detached)
    done = podium.run("rank", ".", "--json", cwd=folder, **GITHUB)
    # No progress bar without a terminal.
    assert (done.returncode, done.stderr) == (0, "")
    board = json.loads(done.stdout)
    assert (board["totalCommits"], board["repository"]["branch"]) == (3, None if detached else "main")
    assert SECRET not in done.stdout and not files_contain(podium.data, SECRET)


def test_a_checkout_of_gitlab_is_ranked_and_its_password_shown_nowhere(
    podium: Podium, origin: Path, tmp_path: Path
) -> None:
    folder = gitlab_checkout(tmp_path / "work", origin)
    for format in ("json", "table"):
        done = podium.run("rank", ".", "--format", format, cwd=folder, **GITLAB)
        assert (done.returncode, done.stderr) == (0, "")
        assert SECRET not in done.stdout
    assert not files_contain(podium.data, SECRET)


@pytest.mark.parametrize("home", ["none", "/nonexistent"])
def test_a_job_without_a_home_is_ranked(podium: Podium, origin: Path, tmp_path: Path, home: str) -> None:
    folder = github_checkout(tmp_path / "work", origin)
    done = podium.run("rank", ".", "--json", cwd=folder, HOME="" if home == "none" else home, **GITHUB)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("checkout", "variables", "advice"),
    [
        (github_checkout, GITHUB, "fetch-depth: 0"),
        (gitlab_checkout, GITLAB | {"GIT_DEPTH": "20"}, "GIT_DEPTH: 0"),
    ],
)
def test_a_shallow_checkout_says_what_to_set(
    podium: Podium, origin: Path, tmp_path: Path, checkout: Any, variables: dict[str, str], advice: str
) -> None:
    folder = checkout(tmp_path / "work", origin, "--depth=1")
    done = podium.run("rank", ".", cwd=folder, **variables)
    assert (done.returncode, done.stdout) == (2, "")
    assert advice in done.stderr and "shallow" in done.stderr
    assert SECRET not in done.stderr
    assert advice.replace(": 0", "") in DOCUMENT


def test_a_checkout_of_another_user_says_what_to_set(podium: Podium, origin: Path, tmp_path: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("only root can give a file away")
    folder = github_checkout(tmp_path / "work", origin)
    subprocess.run(["chown", "-R", "1234", str(folder)], check=True)
    done = podium.run("rank", ".", cwd=folder, **GITHUB)
    assert done.returncode == 2
    assert f"git config --global --add safe.directory {folder}" in done.stderr
    trusted = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": str(folder)}
    assert podium.run("rank", ".", cwd=folder, **GITHUB, **trusted).returncode == 0


def run_script(podium: Podium, folder: Path, lines: list[str], variables: dict[str, str]) -> str:
    """Run the lines of a job but the installation, as a runner does."""
    commands = "\n".join(line for line in lines if not line.startswith("python -m pip"))
    environment = podium.environment(**variables)
    environment["PATH"] = f"{sysconfig.get_path('scripts')}:{environment['PATH']}"
    argv = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", commands]
    done = subprocess.run(argv, check=False, cwd=folder, env=environment, capture_output=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    return done.stdout.decode()


def check_files(folder: Path, *, people: int) -> None:
    board = json.loads((folder / "contributors.json").read_text())
    assert board["total"] == people
    assert [row["email"] for row in board["top_contributors"]] == [None] * people
    assert (folder / "contributors.svg").read_text().count("<title>") == 1 + people


def test_the_documented_job_of_github_publishes_card_table_and_json(
    podium: Podium, origin: Path, tmp_path: Path
) -> None:
    job = JOBS[0]["jobs"]["contributors"]
    steps = job["steps"]
    assert next(step for step in steps if step.get("uses", "").startswith("actions/checkout"))["with"] == {
        "fetch-depth": 0
    }
    folder = github_checkout(tmp_path / "work", origin)
    summary = tmp_path / "summary.md"
    summary.write_text("# Before\n")
    for step in steps:
        if "run" in step:
            chosen = {name: value for name, value in step.get("env", {}).items() if "${{" not in value}
            run_script(podium, folder, [step["run"]], GITHUB | {"GITHUB_STEP_SUMMARY": str(summary)} | chosen)
    check_files(folder, people=2)
    assert summary.read_text().startswith("# Before\n## work\n")
    assert "| 1 | Bob |" in summary.read_text()
    (upload,) = (step["with"]["path"] for step in steps if "upload-artifact" in step.get("uses", ""))
    assert sorted(path.name for path in folder.glob(upload)) == ["contributors.json", "contributors.svg"]


def test_the_documented_job_of_gitlab_publishes_card_table_and_json(
    podium: Podium, origin: Path, tmp_path: Path
) -> None:
    job = next(each["contributors"] for each in JOBS if "contributors" in each)
    folder = gitlab_checkout(tmp_path / "work", origin)
    assert job["variables"]["GIT_DEPTH"] == "0"
    log = run_script(podium, folder, job["script"], GITLAB | job["variables"])
    assert re.search("^1 +Bob ", log, re.MULTILINE)
    check_files(folder, people=2)
    assert all((folder / path).exists() for path in job["artifacts"]["paths"])


def test_the_documented_step_keeps_the_card_on_a_branch(podium: Podium, origin: Path, tmp_path: Path) -> None:
    (step,) = next(each for each in JOBS if isinstance(each, list))
    folder = github_checkout(tmp_path / "work", origin)
    git(folder, "remote", "set-url", "origin", f"file://{origin}")
    for card in ("<svg/>", "<svg></svg>"):
        (folder / "contributors.svg").write_text(card)
        run_script(podium, folder, [step["run"]], GITHUB)
        assert git(origin, "show", "contributors:contributors.svg") == card
    assert git(origin, "rev-list", "--count", "contributors") == "1"
    assert git(origin, "ls-tree", "--name-only", "contributors") == "contributors.svg"
