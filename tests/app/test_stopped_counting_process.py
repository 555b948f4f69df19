"""A counting process that is stopped while it starts gives back what it was ordered to count."""

from __future__ import annotations

import json
import signal
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from podium.app import factories
from podium.app.processes.child_environment import counting_environment
from podium.jobs import lease
from podium.settings import Settings
from podium.workers import child
from tests.support.rows import add_repository, repository


@pytest.mark.parametrize("by_signal", [False, True])
def test_an_order_is_given_back_by_a_process_that_is_stopped_while_it_starts(
    tmp_path: Path, *, by_signal: bool
) -> None:
    settings = Settings(data_dir=str(tmp_path))
    with closing(factories.open_database(settings)) as db:
        row = lease.grab(db, add_repository(db), seconds=3600)
        assert row is not None
        process = child.start(["_count"], counting_environment(settings))
        order = {"repository": row.id, "token": row.lease_token, "job": "1"}
        # Its parent dies at once, and a supervisor of both may stop it too.
        output, _ = ended(process, json.dumps(order).encode() + b"\n", terminate=by_signal)
        found = repository(db, row.id)
    assert (process.returncode, output) == (0, b"")
    assert (found.lease_holder, found.lease_until, found.crashes) == (None, None, 0)


def ended(process: subprocess.Popen[bytes], line: bytes, *, terminate: bool) -> tuple[bytes, bytes]:
    if terminate:
        process.send_signal(signal.SIGTERM)
    return process.communicate(line, timeout=60)
