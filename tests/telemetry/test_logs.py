"""The log: what a line carries, what it never shows, and that every line of every process has the chosen form."""

from __future__ import annotations

import dataclasses
import io
import json
import logging
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks import synthetic
from podium.errors import QueueError
from podium.settings import Settings
from podium.telemetry import logs
from podium.telemetry.current_job import Job, running
from podium.telemetry.outage_log import OutageLog
from podium.telemetry.redaction import redact, secrets_of
from podium.textutil.sanitize import escape_controls
from tests.support.cli import Podium
from tests.support.githttp import serve_repositories
from tests.support.server import Server, serving, wait_until

AUTHORS = 60


def line(formatter: logging.Formatter, message: str, *arguments: Any, error: BaseException | None = None) -> str:
    """A record as ``formatter`` writes it."""
    info = (type(error), error, error.__traceback__) if error else None
    return formatter.format(logging.LogRecord("podium.test", logging.WARNING, "x.py", 1, message, arguments, info))


def test_a_line_of_a_job_carries_its_ids_in_both_formats() -> None:
    job = Job("commit-processing", 7, "0a1b")
    with running(job):
        entry = json.loads(line(logs.JsonFormatter(()), "the host %s", "stumbled"))
        console = line(logs.ConsoleFormatter(()), "the host %s", "stumbled")
    assert {name: entry[name] for name in ("severity", "logger", "message", "queue", "repository", "job")} == {
        "severity": "WARNING",
        "logger": "podium.test",
        "message": "the host stumbled",
        "queue": "commit-processing",
        "repository": 7,
        "job": "0a1b",
    }
    assert entry["time"].endswith("Z")
    assert console.endswith("WARNING podium.test: the host stumbled queue=commit-processing repository=7 job=0a1b"), (
        console
    )
    assert "repository" not in json.loads(line(logs.JsonFormatter(()), "outside of a job"))


def test_a_job_is_known_in_its_own_thread_only() -> None:
    seen: list[str] = []
    with running(Job("user-processing", 1, "a")):
        thread = threading.Thread(target=lambda: seen.append(line(logs.ConsoleFormatter(()), "there")))
        thread.start()
        thread.join()
    assert "job=" not in seen[0]


def error_of(text: str) -> Exception:
    try:
        raise RuntimeError(text)
    except RuntimeError as error:
        return error


def test_a_traceback_is_one_field_or_indented_lines() -> None:
    error = error_of("first\n2026-01-01T00:00:00.000Z INFO forged: line\x1b[2J")
    entry = json.loads(line(logs.JsonFormatter(()), "it broke", error=error))
    assert entry["exception"].startswith("Traceback")
    first, *rest = line(logs.ConsoleFormatter(()), "it broke", error=error).split("\n")
    assert first.endswith("it broke")
    assert rest and all(text.startswith("    ") for text in rest)
    assert "\x1b" not in "".join(rest)


def test_no_text_from_outside_passes_for_a_line_of_its_own() -> None:
    for bad in ("\n", "\r", "\x1b[31m", "\x9b31m", "\u2028", "\u202e", "\x00", "\x85", "\x0b"):
        assert len(line(logs.ConsoleFormatter(()), f"a{bad}b").splitlines()) == 1
        assert bad not in escape_controls(f"a{bad}b")


def test_every_line_is_bounded() -> None:
    for formatter in (logs.JsonFormatter(()), logs.ConsoleFormatter(())):
        text = line(formatter, "x" * 10**5, error=error_of("y" * 10**5 + "END"))
        assert len(text) < 3 * logs.LONGEST
        assert "END" in text


SECRETS = ("hunter2hunter2", "postgresql://podium:p%40ss%2Fword@db.example/podium", "redis://:redispass@r:6379/0")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("token hunter2hunter2!", "token ***!"),
        ("cannot reach postgresql://podium:p%40ss%2Fword@db.example/podium", "reach postgresql://***@db.example"),
        ("password authentication failed: p@ss/word", "authentication failed: ***"),
        ("redis said redispass", "redis said ***"),
        ("fatal: https://me:secret@host.example/o/r not found", "https://***@host.example/o/r not found"),
        ("ghp_abcdefghijklmnopqrstuvwxyz0123456789 refused", "*** refused"),
        ("github_pat_11ABCDEFG0abcdefghij_xyz refused", "*** refused"),
        ("Authorization: Bearer abcdef123456", "Authorization: Bearer ***"),
        ("DETAIL: Key (email)=(ada@example.org) already exists", "Key (email)=(<e-mail>) already exists"),
        ("from git@host.example:o/r.git", "from git@host.example:o/r.git"),
        ("nothing to hide at https://host.example/o/r", "nothing to hide at https://host.example/o/r"),
    ],
)
def test_what_must_not_be_shown_is_taken_out(text: str, shown: str) -> None:
    clean = redact(text, secrets_of(SECRETS))
    for secret in ("hunter2", "p@ss", "p%40ss", "redispass", "secret", "ghp_", "_pat_", "abcdef1", "ada@"):
        assert secret not in clean
    assert shown in clean


def test_secrets_are_hidden_wherever_they_stand() -> None:
    formatter = logs.JsonFormatter(SECRETS)
    text = line(formatter, "url %s", SECRETS[1], error=error_of("bad password hunter2hunter2"))
    assert "hunter2" not in text
    assert "p%40ss" not in text


def test_every_setting_that_may_carry_a_secret_is_marked_as_one() -> None:
    words = ("TOKEN", "PASSWORD", "SECRET", "DATABASE_URL", "REDIS_URL", "COPY_TO")
    for field in dataclasses.fields(Settings):
        assert field.metadata["secret"] is any(word in field.metadata["variable"] for word in words), field.name
    settings = Settings(github_tokens=("one-token", "two-token"), admin_token="admin")
    assert set(settings.secrets()) == {"one-token", "two-token", "admin"}


@pytest.fixture
def restored() -> Iterator[None]:
    """The process's logging as it was, after a test that sets it up anew."""
    root = logging.getLogger()
    before = (root.handlers[:], root.level, sys.excepthook, threading.excepthook)
    levels = {name: logging.getLogger(name).level for name in logs.CHATTY}
    yield
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    root.handlers[:], sys.excepthook, threading.excepthook = before[0], before[2], before[3]
    root.setLevel(before[1])
    logging.captureWarnings(capture=False)


@pytest.mark.usefixtures("restored")
def test_an_uncaught_exception_is_a_line_of_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    logs.configure(level="INFO", format="json")

    def fail() -> None:
        raise RuntimeError("nobody caught this")

    thread = threading.Thread(target=fail, name="reader")
    thread.start()
    thread.join()
    entry = json.loads(stream.getvalue())
    assert entry["severity"] == "CRITICAL"
    assert "reader" in entry["message"]
    assert "nobody caught this" in entry["exception"]


def test_the_log_costs_the_command_line_nothing() -> None:
    script = "import sys, podium.cli.rank.rank_command; print(sorted(m for m in sys.modules if 'telemetry' in m))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "logs" not in done.stdout
    assert "prometheus" not in done.stdout


@pytest.fixture(scope="module")
def subject(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("subject") / "subject.git"
    synthetic.build(folder, 600, AUTHORS)
    return folder


def log_of(server: Server) -> str:
    server.log.seek(0)
    text: str = server.log.read()
    return text


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_server_and_its_children_log_in_one_form_with_ids_and_without_secrets(
    form: str, tmp_path: Path, subject: Path
) -> None:
    (tmp_path / "repositories" / "o").mkdir(parents=True)
    shutil.copytree(subject, tmp_path / "repositories" / "o" / "r.git")
    podium = Podium(tmp_path / "data")
    with serve_repositories(tmp_path / "repositories") as host:
        settings = {
            "PODIUM_GIT_HOSTS": host.url,
            "PODIUM_DISK_RESERVE_BYTES": "1M",
            "PODIUM_LOG_FORMAT": form,
            "PODIUM_LOG_LEVEL": "debug",
            "PODIUM_ADMIN_TOKEN": "not-to-be-shown-either",
        }
        with serving(podium, settings) as server:
            good, gone = f"{host.url}/o/r.git", f"{host.url}/o/gone.git"
            server.ask("/leaderboard", repoUrl="https://me:not-to-be-shown@github.com/o/r")
            server.submit(good)
            server.submit(gone)
            server.wait_for(good, "completed")
            number = server.wait_for(gone, "failed")["id"]
            # The job's own line is written after the state is saved.
            wait_until(lambda: "job ended: failed" in log_of(server), "the job's last line")
            text = log_of(server)
    assert "not-to-be-shown" not in text
    assert "@example" not in text, "author e-mails are nobody's business in a log"
    failed = [entry for entry in text.splitlines() if "failed:" in entry and "podium.jobs.failures" in entry]
    assert len(failed) == 1, text
    if form == "json":
        entries = [json.loads(entry) for entry in text.splitlines()]
        told_by_child = json.loads(failed[0])
        assert told_by_child["repository"] == number
        assert told_by_child["queue"] == "commit-processing"
        ended = [entry for entry in entries if entry["message"].startswith("job ended: failed")]
        assert {entry["job"] for entry in ended} == {told_by_child["job"]}
        assert ended[0]["process"] != told_by_child["process"]
        asked = [entry for entry in entries if entry["logger"] == "uvicorn.access"]
        assert {"method", "path", "status", "client"} <= asked[0].keys()
    else:
        assert f"queue=commit-processing repository={number} job=" in failed[0]
        assert text.startswith("2") or text.startswith("Podium: ")


def test_trouble_that_lasts_is_said_when_it_begins_changes_and_ends(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    outage = OutageLog(logging.getLogger("somebody"), "it waits", "it goes on")
    outage.succeeded()
    for reason in ("refused", "refused", "refused", "no such host", "no such host"):
        outage.failed(QueueError(reason))
    outage.succeeded()
    outage.succeeded()
    outage.failed(QueueError("refused"))
    assert [record.getMessage() for record in caplog.records] == [
        "it waits: refused",
        "it waits: no such host",
        "it goes on",
        "it waits: refused",
    ]
