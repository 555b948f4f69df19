"""What a child process knows of the environment that its parent was started in."""

from __future__ import annotations

import ast
import dataclasses
import os
import threading
from pathlib import Path

import pytest

from podium.app.processes.child_environment import counting_environment, doctor_environment, worker_environment
from podium.settings import Settings
from podium.workers import child

SECRETS = Settings(
    database_url="postgresql://u:word@h/d",
    redis_url="redis://:word@h",
    redis_password="word",
    github_tokens=("ghp_word",),
    admin_token="word",
    metrics_token="word",
    data_dir="/data",
)


@pytest.fixture
def around(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        monkeypatch.delenv(name)
    for name, value in {
        "HOME": "/home/podium",
        "PATH": "/opt/elsewhere",
        "AWS_SECRET_ACCESS_KEY": "word",
        "PODIUM_ADMIN_TOKEN": "word",
        "PGPASSWORD": "word",
        "HTTPS_PROXY": "http://user:word@proxy",
        "GIT_DIR": "/elsewhere",
        "BASH_ENV": "/elsewhere",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("around")
def test_a_counting_process_knows_the_database_and_no_other_secret() -> None:
    assert counting_environment(SECRETS) == {
        "HOME": "/home/podium",
        "PGPASSWORD": "word",
        "DATABASE_URL": SECRETS.database_url,
        "PODIUM_ACCOUNT_MAX_AGE": "86400.0",
        "PODIUM_DATA_DIR": "/data",
        "PODIUM_REFRESH_EVERY": "86400.0",
    }
    assert counting_environment(Settings(admin_token="word")) == {"HOME": "/home/podium"}


@pytest.mark.usefixtures("around")
def test_doctor_knows_every_secret_and_nothing_else_of_its_parent() -> None:
    # A token of the administrator has 16 characters or more.
    long = dataclasses.replace(SECRETS, admin_token="word" * 4, account_max_age=86_400.0, refresh_every=86_400.0)
    assert Settings.from_environment(doctor_environment(long)) == long
    assert not {"AWS_SECRET_ACCESS_KEY", "GIT_DIR", "BASH_ENV"} & doctor_environment(SECRETS).keys()


@pytest.mark.usefixtures("around")
def test_only_a_user_worker_knows_the_token_and_the_proxy() -> None:
    commits, users = (worker_environment(SECRETS, kind) for kind in ("commits", "users"))
    assert users.keys() - commits.keys() == {"GITHUB_TOKEN", "HTTPS_PROXY"}
    assert commits.keys() - counting_environment(SECRETS).keys() == {"REDIS_URL", "REDIS_PASSWORD"}
    assert worker_environment(SECRETS, "all") == users


def test_a_child_gets_the_environment_that_it_is_given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ANOTHER_PROGRAMS_TOKEN", "word")
    (tmp_path / "podium.py").write_text("import os; print(sorted(os.environ), flush=True)")
    lines: list[bytes] = []
    environment = {"PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    assert child.run([], environment, threading.Event(), lines.append) == 0
    names = set(ast.literal_eval(lines[0].decode()))
    assert "ANOTHER_PROGRAMS_TOKEN" not in names
    # Python itself sets the locale.
    assert names - {"LC_CTYPE"} == set(environment)
