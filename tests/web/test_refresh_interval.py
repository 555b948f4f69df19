"""The administrator sets how often one repository is checked, over HTTP and on the command line."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from podium.app import factories
from podium.cli import arguments
from podium.cli.commands import queue_command
from podium.errors import BadRule
from podium.settings import LEAST_REFRESH_INTERVAL, MOST_REFRESH_INTERVAL, Settings
from podium.submissions.refresh_interval import check_interval
from tests.support.rows import add_repository, repository
from tests.support.web import is_problem, open_site

assert arguments.MOST_REFRESH_INTERVAL == MOST_REFRESH_INTERVAL


def test_an_administrator_sets_and_clears_the_interval_of_a_repository(tmp_path: Path) -> None:
    with open_site(tmp_path, refresh_every=86_400.0) as site:
        number, branch = site.repository(last_read_at=4e9), site.repository(rev="dev")
        admin, address = site.administrator(), f"/repositories/{number}"
        answer = admin.request("PATCH", address, json={"refreshEvery": 3600})
        assert answer.status_code == 200 and answer.json()["id"] == number
        first = repository(site.db, number)
        assert first.refresh_every == 3600 and first.check_at is not None
        assert admin.request("PATCH", address, json={"refreshEvery": 0}).status_code == 200
        never = repository(site.db, number)
        assert never.refresh_every == 0 and never.check_at is None
        assert admin.request("PATCH", address, json={"refreshEvery": None}).status_code == 200
        usual = repository(site.db, number)
        assert usual.refresh_every is None and usual.check_at is not None
        with site.db.read() as session:
            details = [detail for (detail,) in session.tuples("SELECT detail FROM audit_log ORDER BY id")]
        assert details == ["3600 s", "0 s", "default"]
        assert is_problem(admin.request("PATCH", f"/repositories/{branch}", json={"refreshEvery": 9}), 409, "branch")
        assert admin.request("PATCH", "/repositories/99", json={"refreshEvery": 9}).status_code == 404
        site.change(number, hidden_at=1.0)
        assert admin.request("PATCH", address, json={"refreshEvery": 9}).status_code == 404


@pytest.mark.parametrize("body", ["{}", '{"refreshEvery": "x"}', '{"refreshEvery": -1}', '{"refreshEvery": 1e9}', "["])
def test_an_interval_that_is_none_changes_nothing(tmp_path: Path, body: str) -> None:
    with open_site(tmp_path) as site:
        number = site.repository()
        kind = {"content-type": "application/json"}
        answer = site.administrator().request("PATCH", f"/repositories/{number}", content=body, headers=kind)
        assert answer.status_code == 400 and answer.json()["code"] == "bad-request"
        assert repository(site.db, number).refresh_every is None


def test_who_submits_with_an_interval_is_the_administrator(tmp_path: Path) -> None:
    with open_site(tmp_path) as site:
        url = "/leaderboard?repoUrl=octo/new"
        assert is_problem(site.client().post(f"{url}&refreshEvery=60"), 401, "administrator")
        assert is_problem(site.administrator().post(f"{url}&refreshEvery=0.5"), 400, "refreshEvery")
        assert is_problem(site.administrator().post(f"{url}&refreshEvery=60&rev=dev"), 400, "rev")
        assert not site.queues.enqueued
        assert site.administrator().post(f"{url}&refreshEvery=60").status_code == 202
        assert repository(site.db, 1).refresh_every == 60
        assert site.client().request("PATCH", "/repositories/1", json={"refreshEvery": 60}).status_code == 401


def test_the_command_line_sets_the_interval(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with contextlib.closing(factories.open_database(Settings(data_dir=str(tmp_path)))) as db:
        number = add_repository(db, state="completed")
        for words, seconds, said in (
            ("3600", 3600.0, "every 3,600 seconds"),
            ("0", 0.0, "only when it is submitted"),
            ("default", None, "as often as PODIUM_REFRESH_EVERY says"),
        ):
            options = arguments.parse(["queue", "check-every", f"#{number}", words])
            assert queue_command.check_every(options, {"PODIUM_DATA_DIR": str(tmp_path)}) == 0
            assert said in capsys.readouterr().out
            assert repository(db, number).refresh_every == seconds
    with pytest.raises(SystemExit):
        arguments.parse(["queue", "check-every", "1", "daily"])
    assert "is neither `default` nor a number of seconds" in capsys.readouterr().err


@pytest.mark.parametrize("seconds", [0.5, -1, MOST_REFRESH_INTERVAL + 1])
def test_an_interval_has_bounds(seconds: float) -> None:
    for allowed in (None, 0, LEAST_REFRESH_INTERVAL, MOST_REFRESH_INTERVAL):
        check_interval(allowed)
    with pytest.raises(BadRule, match=r"refreshEvery is 0 \(never\), or from 1 to 31622400 seconds"):
        check_interval(seconds)
