"""What an administrator pauses, limits and moves: the command, the API, the page, and what all of them show."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from podium.audit import audit_log
from podium.cli.commands.queue_command import table
from podium.errors import BadAddress, BadRule, Conflict, NotFound, PodiumError
from podium.jobs import lease
from podium.monitoring import alarms
from podium.monitoring.inspector import Inspector
from podium.monitoring.overview import Overview, as_json
from podium.repositories.store.deletion import removal
from podium.repositories.store.queue import pauses
from podium.storage.session import Database
from podium.submissions import control
from podium.submissions.control import QueueChange
from podium.web.api import schemas
from tests.support.cli import migrated_podium
from tests.support.rows import add_repository, repository
from tests.support.web import Client, Site, is_problem, open_site

GITHUB = "https://github.com"


def add(db: Database, name: str, host: str = "github.com", **values: Any) -> int:
    number = add_repository(db, f"{host}/o/{name}", host=host)
    with db.write() as session:
        for column, value in values.items():
            session.run(f"UPDATE repository SET {column} = :value WHERE id = :id", id=number, value=value)
    return number


def pause(db: Database, kind: str, name: str = "") -> QueueChange:
    return control.pause(db, kind, name, actor="test", github_url=GITHUB)


def resume(db: Database, kind: str, name: str = "") -> QueueChange:
    return control.resume(db, kind, name, actor="test", github_url=GITHUB)


def acts(db: Database) -> list[tuple[str, str]]:
    with db.read() as session:
        return [(entry.act, entry.subject) for entry in reversed(audit_log.latest(session, 100))]


def test_each_kind_is_paused_and_resumed_once(db: Database) -> None:
    number = add(db, "a")
    for kind, name in (("schedule", ""), ("host", " HTTPS://GitHub.com/ "), ("repository", f"#{number}")):
        first, second = pause(db, kind, name), pause(db, kind, name)
        assert first.is_change and "is paused" in first.message
        assert not second.is_change and second.message.endswith("is already paused.")
    assert not pause(db, "repository", "o/a").is_change
    for kind, name in (("schedule", ""), ("host", "github.com"), ("repository", "https://github.com/o/a")):
        assert resume(db, kind, name).is_change
        assert resume(db, kind, name).message.endswith("is not paused.")
    url = "https://github.com/o/a"
    things = [("schedule", "schedule"), ("host", "github.com"), ("repository", url)]
    assert acts(db) == [
        *((f"pause {kind}", subject) for kind, subject in things),
        *((f"resume {kind}", subject) for kind, subject in things),
    ]


@pytest.mark.parametrize(
    ("kind", "name", "error"),
    [
        ("everything", "", BadRule),
        ("schedule", "now", BadRule),
        ("host", "", BadRule),
        ("host", "github.com/o", BadRule),
        ("host", "user@github.com", BadRule),
        ("host", "github.org", NotFound),
        ("host", "github\x00.com", BadRule),
        ("repository", "", BadRule),
        ("repository", "999", NotFound),
        ("repository", "9" * 30, PodiumError),
        ("repository", "-1", BadAddress),
        ("repository", "o/other", NotFound),
        ("repository", "ftp://x", BadAddress),
    ],
)
def test_what_cannot_be_paused_is_refused(sqlite: Database, kind: str, name: str, error: type[PodiumError]) -> None:
    add(sqlite, "a")
    for change in (pause, resume):
        with pytest.raises(error):
            change(sqlite, kind, name)
    assert acts(sqlite) == []


def test_the_board_of_a_branch_is_never_refreshed_by_itself_and_so_not_paused(sqlite: Database) -> None:
    branch = add(sqlite, "a", revision="main", parent_key="github.com/o/b")
    with pytest.raises(BadRule, match="branch or tag"):
        pause(sqlite, "repository", str(branch))


def test_a_host_is_limited_and_the_setting_holds_again(db: Database) -> None:
    add(db, "a")

    def limit(number: int | None, host: str = "github.com") -> tuple[str, bool]:
        done = control.limit_host(db, host, number, actor="test")
        return done.message, done.is_change

    assert limit(2) == ("Limit of github.com: 2 at once.", True)
    assert limit(2) == ("Limit of github.com: 2 at once, as before.", False)
    assert limit(0) == ("Limit of github.com: any number at once.", True)
    assert limit(None)[1] and not limit(None)[1]
    for number, host, error in ((-1, "github.com", BadRule), (10**9, "github.com", BadRule), (1, "x.org", NotFound)):
        with pytest.raises(error):
            limit(number, host)
    assert acts(db) == [("limit host", "github.com")] * 3


def test_a_repository_moves_to_the_front_and_behind_all_others(db: Database) -> None:
    numbers = [add(db, str(start), virtual_start=float(start), client_id="me") for start in (5, 6, 7)]
    scheduled = add(db, "scheduled", virtual_start=1e12 + 9, is_scheduled=True)
    control.move(db, numbers[2], to_front=True, actor="test")
    control.move(db, numbers[0], to_front=False, actor="test")
    assert next_ids(db) == [numbers[2], numbers[1], scheduled, numbers[0]]
    control.move(db, scheduled, to_front=True, actor="test")
    assert next_ids(db)[0] == scheduled
    taken = lease.grab_next(db, 0, seconds=60)
    assert taken is not None and taken.id == scheduled
    with pytest.raises(Conflict, match="does not wait"):
        control.move(db, scheduled, to_front=False, actor="test")
    pause(db, "host", "github.com")
    with pytest.raises(Conflict, match="paused"):
        control.move(db, numbers[1], to_front=True, actor="test")
    with pytest.raises(NotFound):
        control.move(db, 999, to_front=True, actor="test")
    assert [act for act, _ in acts(db)] == ["move to front", "move back", "move to front", "pause host"]


def next_ids(db: Database) -> list[int]:
    return [one.id for one in Inspector(db).overview().next]


def test_the_overview_shows_priorities_pauses_limits_and_checks(db: Database) -> None:
    running, person = add(db, "running", virtual_start=1.0), add(db, "person", virtual_start=2.0)
    other = add(db, "other", "gitlab.com", virtual_start=3.0, is_scheduled=True, check_at=5.0)
    parked = add(db, "parked", "git.example.org", virtual_start=9.0)
    assert lease.grab_next(db, 0, seconds=60) is not None
    control.limit_host(db, "github.com", 1, actor="test")
    pause(db, "host", "git.example.org")
    pause(db, "repository", str(running))
    overview = Inspector(db, counts_per_host=7).overview()
    full = "github.com is at its limit of concurrent counts."
    assert [(one.place, one.id, one.priority, one.reason) for one in overview.next] == [
        (1, person, "people", full),
        (2, other, "schedule", None),
    ]
    assert (overview.queued.people, overview.queued.schedule) == (1, 1)
    assert [(one.kind, one.name, one.waiting) for one in overview.paused] == [
        ("host", "git.example.org", 1),
        ("repository", str(running), 0),
    ]
    assert [(one.host, one.at_once, one.running) for one in overview.host_limits] == [("github.com", 1, 1)]
    assert overview.checks_due.count == 1 and overview.checks_due.seconds > 86_400
    assert TypeAdapter(Overview).validate_python(as_json(overview))
    text = table(overview)
    assert "Waiting to be counted: 1 for people, 1 for the schedule." in text
    assert "git.example.org, for 0 s; waiting for it: 1 repository" in text
    assert f"#{running} https://github.com/o/running, for 0 s" in text
    assert re.search(rf"1 +people +#{person} https://github.com/o/person +{full}", text)
    assert re.search(r"github.com +1 +1\n", text)
    # Its reason is said once.
    assert f"#{parked}" not in text

    facts = alarms.read(db, no_progress_after=600, counts_per_host=7)
    assert facts.paused == {"schedule": 0, "host": 1, "repository": 1}
    assert (facts.queued, facts.checks_due) == ({"people": 1, "schedule": 1}, 1)
    assert (facts.host_limits, facts.host_running) == ({"github.com": 1}, {"github.com": 1})
    pause(db, "schedule")
    assert alarms.read(db, no_progress_after=600).checks_late_seconds == 0.0


def test_a_forgotten_repository_takes_its_pause_along(db: Database) -> None:
    number = add(db, "a")
    pause(db, "repository", str(number))
    row = repository(db, number)
    with db.write() as session:
        removal.mark(session, row)
        assert pauses.pauses(session, limit=10) == []


# The API


def post(client: Client, path: str, **parameters: Any) -> Mapping[str, Any]:
    answer = client.post(f"/queues/{path}", params=parameters)
    assert answer.status_code == 200
    TypeAdapter(schemas.ChangedQueue).validate_python(answer.json())
    found: Mapping[str, Any] = answer.json()
    return found


def test_the_api_pauses_limits_and_moves(tmp_path: Path) -> None:
    with open_site(tmp_path) as site:
        check_api(site)


def check_api(site: Site) -> None:
    number = site.repository("o/r", state="pending")
    client = site.administrator()
    assert post(client, "move", id=number, to="first")["isChange"]
    assert post(client, "move", id=number, to="last")["isChange"]
    assert post(client, "pause", kind="schedule")["isChange"]
    assert not post(client, "pause", kind="schedule")["isChange"]
    assert post(client, "pause", kind="host", name="github.com")["isChange"]
    assert "github.com" in client.get(f"/repositories/{number}").json()["waitingReason"]
    assert post(client, "limit", host="github.com", atOnce=3)["isChange"]
    found = client.get("/queues").json()
    assert [one["kind"] for one in found["paused"]] == ["schedule", "host"]
    assert found["hostLimits"] == [{"host": "github.com", "atOnce": 3, "running": 0}]
    assert post(client, "resume", kind="host", name="github.com")["isChange"]
    assert post(client, "limit", host="github.com")["isChange"]
    assert client.get(f"/repositories/{number}").json()["waitingReason"] is None
    for path, status in (
        ("pause?kind=x", 400),
        ("pause?kind=host&name=x.org", 404),
        ("pause?kind=repository&name=%00", 400),
        ("limit?host=github.com&atOnce=-1", 400),
        ("limit?host=x.org&atOnce=1", 404),
        ("move?id=77&to=first", 404),
        ("move?id=1&to=middle", 400),
    ):
        assert is_problem(client.post(f"/queues/{path}"), status)


# The command


def test_the_command_says_what_it_did(tmp_path: Path) -> None:
    podium = migrated_podium(tmp_path / "data")
    done = podium.run("queue", "pause", "schedule")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("The schedule is paused. Until it is resumed, boards are refreshed only on request.")
    assert "the schedule, for" in podium.run("queue").stdout
    done = podium.run("queue", "pause", "host", "github.com")
    assert (done.returncode, done.stdout) == (2, "")
    assert "No repository of github.com is here." in done.stderr
    done = podium.run("queue", "limit", "github.com", "-1")
    assert done.returncode == 2 and "0 for any number" in done.stderr
