"""The whole checklist on the real servers: a step a test, in order, each of which goes on where the one before ended.

PostgreSQL and Valkey from their wheels, every part of Podium a process of its own, a git server and a GitHub on this
machine. Each step is a fixture that stands on the step before, so that one of them can be run alone too.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import threading
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from podium.jobs.messages.queues import BATCH_SIZE, COMMITS, USERS
from podium.storage.tables import metadata
from tests.support.cli import Podium
from tests.support.community import Community, build, gather
from tests.support.distributed import Arrangement, unmigrated
from tests.support.fork_server import Process
from tests.support.githttp import GitHost, serve_repositories
from tests.support.github_double import GitHubDouble
from tests.support.github_history import Accounts
from tests.support.github_script import Script
from tests.support.postgres import Postgres
from tests.support.server import PATIENCE, Server, free_port, wait_until
from tests.support.valkey import Valkey

ORDER = ["pending", "commits_processing", "users_processing", "completed"]
EMPTY = {"waiting": 0, "active": 0, "delayed": 0, "dead": 0}
EVERYTHING = {"merges": "include", "bots": "include", "coAuthors": "include"}

# What `podium migrate --to 0001` has tables for: one repository of each state of those days.
OLDER_ROWS = (
    "INSERT INTO repository VALUES (1, '{host}/o/older', 'completed', NULL, 5, 2, 1, 2, 3, 4)",
    "INSERT INTO repository VALUES (2, '{host}/o/stuck', 'processing', NULL, NULL, NULL, 1, 2, 3, 4)",
    "INSERT INTO repository VALUES (3, '{host}/o/gone', 'failed', 'It is gone.', NULL, NULL, 1, 2, 3, 4)",
    "INSERT INTO contributor VALUES (1, 583231, 'octocat', 'Octo', 'octo@example.org', 'a', 'p', 1, 2)",
    "INSERT INTO repository_contributor VALUES (1, 1, 5)",
    # Past the rows that were written with their numbers.
    "SELECT setval(pg_get_serial_sequence('repository', 'id'), 3)",
    "SELECT setval(pg_get_serial_sequence('contributor', 'id'), 1)",
)

# Writes down every state of every repository in the order in which they are saved, past Podium.
WITNESS = """
CREATE SCHEMA witness;
CREATE TABLE witness.states (at bigserial, repository_id bigint, state text);
CREATE FUNCTION witness.note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF TG_OP = 'INSERT' OR NEW.state <> OLD.state THEN
        INSERT INTO witness.states (repository_id, state) VALUES (NEW.id, NEW.state);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER witness AFTER INSERT OR UPDATE ON public.repository FOR EACH ROW EXECUTE FUNCTION witness.note();
"""


class Gate(Script):
    """Look-ups of accounts wait in front of GitHub while it is shut. Questions about a repository pass."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = threading.Event()
        self._open = threading.Event()
        self._faults: list[str] = []

    def shut(self) -> None:
        self.reached.clear()
        self._open.clear()

    def open(self, *faults: str) -> None:
        """Let them through, the first of them to these faults."""
        self._faults.extend(faults)
        self._open.set()

    def next(self, api: str) -> str | None:
        if api == "core":
            return None
        self.reached.set()
        assert self._open.wait(PATIENCE)
        return self._faults.pop(0) if self._faults else None


@dataclasses.dataclass
class Scene:
    """The servers, what lies on them, Podium's processes, and what was seen in the middle of a step."""

    host: GitHost
    github: GitHubDouble
    gate: Gate
    communities: dict[str, Community]
    arrangement: Arrangement
    postgres: Postgres
    valkey: Valkey
    database: str
    seen: dict[str, Any] = dataclasses.field(default_factory=dict)

    def url(self, name: str) -> str:
        return f"{self.host.url}/o/{name}"

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask PostgreSQL past Podium."""
        return self.postgres.ask(sql, self.database)

    def podium(self, *arguments: str) -> str:
        """What `podium ARGUMENTS` prints, which must succeed without a complaint."""
        done = self.arrangement.podium.run(*arguments, cwd=None, **self.arrangement.settings)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    def queue(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.podium("queue", "--json"))
        return document

    def start_worker(self, *arguments: str, **settings: str) -> None:
        """Start `podium worker ARGUMENTS`, and wait until it is ready as a platform would."""
        port = free_port()
        self.arrangement.worker(*arguments, data=None, PORT=str(port), **settings)

        def is_ready() -> bool:
            with (
                contextlib.suppress(urllib.error.URLError, ConnectionError),
                urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=PATIENCE) as answer,
            ):
                return bool(answer.status == 200)
            return False

        wait_until(is_ready, f"the worker of {arguments[0]} to be ready")

    def stop(self, *processes: Process) -> list[int]:
        """Tell processes to stop; give their exit codes."""
        for process in processes:
            process.terminate()
        return [process.wait(10) for process in processes]

    def wait_for(self, state: str, *ids: int) -> None:
        """Wait until these repositories are in ``state``."""
        sql = f"SELECT count(*) FROM repository WHERE state = '{state}' AND id IN ({', '.join(map(str, ids))})"
        wait_until(lambda: self.ask(sql) == [(len(ids),)], f"repositories {ids} to be {state}")

    def states(self, repository_id: int) -> list[str]:
        """Every state that a repository has had since the witness came."""
        rows = self.ask(f"SELECT state FROM witness.states WHERE repository_id = {repository_id} ORDER BY at")
        return [state for (state,) in rows]


@pytest.fixture(scope="module", params=[1_500, pytest.param(5_000, marks=pytest.mark.long)])
def scene(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, postgres: Postgres, valkey: Valkey
) -> Iterator[Scene]:
    """Servers, repositories of people who are known beforehand, and an empty database."""
    folder = tmp_path_factory.mktemp("checklist")
    sizes = {"older": 30, "stuck": 20, "new": 230, "many": request.param, "limited": 170}
    communities = {name: gather(size, first=n * 10_000) for n, (name, size) in enumerate(sizes.items())}
    places = {f"o/{name}": folder / "repositories" / "o" / name for name in sizes}
    (folder / "repositories" / "o").mkdir(parents=True)
    accounts = Accounts()
    for name, community in communities.items():
        build(places[f"o/{name}"], community)
        accounts.by_email |= community.accounts.by_email
    gate, database = Gate(), postgres.create()
    with (
        serve_repositories(folder / "repositories") as host,
        GitHubDouble(places, accounts, tokens=("token-one", "token-two"), script=gate, pause=2, workers=8) as github,
        unmigrated(
            folder,
            postgres,
            valkey,
            DATABASE_URL=postgres.url(database),
            GITHUB_SERVER_URL=host.url,
            GITHUB_API_URL=github.api_url,
            GITHUB_GRAPHQL_URL=github.graphql_url,
            GITHUB_TOKEN="token-one",
            NO_PROXY="127.0.0.1",
        ) as arrangement,
    ):
        try:
            yield Scene(host, github, gate, communities, arrangement, postgres, valkey, database)
        finally:
            gate.open()


def counts(overview: dict[str, Any]) -> dict[str, int]:
    """How many repositories are in each state that any is in."""
    return {state: standing["count"] for state, standing in overview["repositories"].items() if standing["count"]}


def alive(overview: dict[str, Any]) -> list[list[str]]:
    """The queues of each worker that is alive."""
    return sorted(worker["queues"] for worker in overview["workers"] if worker["alive"])


def whole_board(server: Server, url: str) -> Counter[str]:
    """All pages of a board: ``@login``, or e-mail where no account is known, → commits."""
    found: Counter[str] = Counter()
    while rows := server.board(url, **EVERYTHING, offset=len(found))["top_contributors"]:
        for row in rows:
            found[f"@{row['username']}" if row["username"] else row["email"]] += row["commitCount"]
    return found


def tables(postgres: Postgres, database: str) -> set[str]:
    return {name for (name,) in postgres.ask("SELECT tablename FROM pg_tables WHERE schemaname = 'public'", database)}


def test_the_migration_runs_on_an_empty_database(tmp_path: Path, postgres: Postgres) -> None:
    database = postgres.create()
    podium, settings = Podium(tmp_path), {"DATABASE_URL": postgres.url(database)}
    assert podium.run("migrate", "--check", cwd=None, **settings).returncode == 2
    assert not tables(postgres, database)
    for arguments in ([], ["--check"], []):
        done = podium.run("migrate", *arguments, cwd=None, **settings)
        assert (done.returncode, done.stderr) == (0, "")
        assert tables(postgres, database) == {*metadata.tables, "alembic_version"}


@pytest.fixture(scope="module")
def migrated(scene: Scene) -> Scene:
    """A filled database of the first revision, brought to the newest."""
    scene.podium("migrate", "--to", "0001")
    for row in OLDER_ROWS:
        scene.ask(row.format(host=scene.host.url))
    scene.podium("migrate")
    scene.ask(WITNESS)
    scene.seen["migrated"] = (
        scene.ask("SELECT id, url, state, error FROM repository ORDER BY id"),
        scene.ask("SELECT host, account_id, username FROM contributor"),
        scene.ask("SELECT * FROM repository_contributor"),
        counts(scene.queue()),
    )
    return scene


def test_the_migration_runs_on_an_older_database(migrated: Scene) -> None:
    migrated.podium("migrate", "--check")
    assert migrated.seen["migrated"] == (
        [
            (1, migrated.url("older"), "pending", None),
            (2, migrated.url("stuck"), "pending", None),
            (3, migrated.url("gone"), "failed", "It is gone."),
        ],
        [("github.com", 583231, "octocat")],
        [(1, 1, 5, 0)],
        {"pending": 2, "failed": 1},
    )


@pytest.fixture(scope="module")
def with_commit_worker(migrated: Scene) -> Scene:
    """A commit worker that has worked off what the older database had pending."""
    migrated.start_worker("commits", "--processes", "1")
    migrated.wait_for("users_processing", 1, 2)
    migrated.seen["counted"] = migrated.queue()
    migrated.seen["asked by the commit worker"] = migrated.gate.reached.is_set()
    return migrated


def test_the_commit_worker_starts_and_takes_jobs(with_commit_worker: Scene) -> None:
    document = with_commit_worker.seen["counted"]
    assert alive(document) == [[COMMITS]]
    assert counts(document) == {"users_processing": 2, "failed": 1}
    assert document["leases"] == {"held": 0, "expired": 0}
    # Finding accounts is not its work: a batch of each waits for whoever does that.
    assert document["queues"] == {COMMITS: EMPTY, USERS: {**EMPTY, "waiting": 2}}
    assert document["batchesLeft"] == 2
    assert not with_commit_worker.seen["asked by the commit worker"]


@pytest.fixture(scope="module")
def with_user_worker(with_commit_worker: Scene) -> Scene:
    """A user worker that was seen with two batches in hand, and has finished them."""

    def in_hand() -> bool:
        document = with_commit_worker.seen["resolving"] = with_commit_worker.queue()
        return [USERS] in alive(document) and document["queues"][USERS]["active"] > 1

    with_commit_worker.start_worker("users")
    assert with_commit_worker.gate.reached.wait(PATIENCE)
    # Its first heartbeat may come after its first question.
    wait_until(in_hand, "the user worker to be seen with two batches")
    with_commit_worker.gate.open()
    with_commit_worker.wait_for("completed", 1, 2)
    return with_commit_worker


def test_the_user_worker_starts_and_takes_batches(with_user_worker: Scene) -> None:
    document = with_user_worker.seen["resolving"]
    assert alive(document) == [[COMMITS], [USERS]]
    assert document["queues"] == {COMMITS: EMPTY, USERS: {**EMPTY, "active": 2}}
    assert document["batchesLeft"] == 2
    assert with_user_worker.states(1) == with_user_worker.states(2) == ORDER[1:]


@dataclasses.dataclass
class SceneWithApi:
    """The scene with the API in front of it."""

    scene: Scene
    api: Server
    # By the name of a repository: its number, and every state that the API has told of it.
    ids: dict[str, int] = dataclasses.field(default_factory=dict)
    told: dict[str, list[str]] = dataclasses.field(default_factory=dict)

    def submit(self, name: str) -> dict[str, Any]:
        answer = self.api.submit(self.scene.url(name))
        assert answer.status == 202
        self.ids[name] = answer.body["id"]
        self.told[name] = [answer.body["state"]]
        body: dict[str, Any] = answer.body
        return body

    def look(self, name: str) -> dict[str, Any]:
        """What the API says about a repository now."""
        row: dict[str, Any] = self.api.ask(f"/repositories/{self.ids[name]}").body
        if row["state"] != self.told[name][-1]:
            self.told[name].append(row["state"])
        return row

    def wait_for(self, name: str, state: str) -> dict[str, Any]:
        found: dict[str, Any] = wait_until(
            lambda: row if (row := self.look(name))["state"] == state else None, f"{name} to be {state}"
        )
        return found


@pytest.fixture(scope="module")
def site(with_user_worker: Scene) -> Iterator[SceneWithApi]:
    """The API beside both workers."""
    with with_user_worker.arrangement.api() as server:
        yield SceneWithApi(with_user_worker, server)


@pytest.fixture(scope="module")
def counted(site: SceneWithApi) -> SceneWithApi:
    """A repository that was submitted through the API and counted; GitHub's gate is shut again."""
    scene = site.scene
    scene.gate.shut()
    scene.seen["asked before"] = scene.github.asked()
    scene.seen["submission"] = site.submit("new")
    scene.seen["row"] = site.wait_for("new", "users_processing")
    scene.seen["partial"] = site.api.board(scene.url("new"))
    return site


def test_a_repository_submitted_through_the_api_is_processed_by_the_commit_worker(counted: SceneWithApi) -> None:
    community, seen = counted.scene.communities["new"], counted.scene.seen
    assert seen["submission"]["state"] == "pending" and seen["submission"]["stage"] == "commits"
    assert seen["row"]["totalCommits"] == community.authored.total()
    # Who is only ever named as a co-author is looked up too, and is no author.
    assert seen["row"]["uniqueContributors"] == len(+community.authored)
    progress = seen["row"]["progress"]
    assert 50 <= progress.pop("overallPercent") < 100
    assert progress == {
        "stage": "users",
        "done": 0,
        "total": len(community.emails),
        "waitingUntil": None,
    }
    board = seen["partial"]
    assert board["isPartial"] and board["totalCommits"] == community.authored.total()
    assert {row["email"]: row["commitCount"] for row in board["top_contributors"]} == +community.authored


@pytest.fixture(scope="module")
def completed(counted: SceneWithApi) -> SceneWithApi:
    """The same, completed."""
    counted.scene.gate.open()
    counted.wait_for("new", "completed")
    return counted


def test_the_user_worker_works_off_its_batches_of_50(completed: SceneWithApi) -> None:
    scene, people = completed.scene, len(completed.scene.communities["new"].emails)
    batches = math.ceil(people / BATCH_SIZE)
    assert scene.ask(
        f"""SELECT batch, count(DISTINCT email) FROM commit_data
        WHERE repository_id = {completed.ids["new"]} AND processed GROUP BY batch ORDER BY batch"""
    ) == [(n, min(BATCH_SIZE, people - n * BATCH_SIZE)) for n in range(batches)]
    # One request a batch.
    asked = scene.github.lookups(scene.seen["asked before"])
    assert BATCH_SIZE == 50 and len(asked) == batches > 5


def test_the_states_follow_in_order(completed: SceneWithApi) -> None:
    assert completed.scene.states(completed.ids["new"]) == ORDER
    assert [state for state in ORDER if state in completed.told["new"]] == completed.told["new"]


def test_contributors_are_created_and_linked(completed: SceneWithApi) -> None:
    scene, number = completed.scene, completed.ids["new"]
    community = scene.communities["new"]
    board = +community.rows()
    assert whole_board(completed.api, scene.url("new")) == board
    accounts = {person.account.id for person in community.people if person.account}
    linked = scene.ask(
        f"""SELECT account_id, '@' || username, commit_count, enriched_at IS NOT NULL
        FROM repository_contributor JOIN contributor ON contributor.id = contributor_id
        WHERE repository_id = {number} AND host = '{scene.host.url.partition("//")[2]}'"""
    )
    assert {account for account, *_ in linked} == accounts
    authored = {
        f"@{person.account.login}": sum(community.authored[email] for email in person.emails)
        for person in community.people
        if person.account
    }
    assert {login: commits for _, login, commits, _ in linked} == authored
    assert all(told for *_, told in linked)


def test_the_boards_of_an_older_database_are_counted_again(completed: SceneWithApi) -> None:
    scene = completed.scene
    for name in ("older", "stuck"):
        assert whole_board(completed.api, scene.url(name)) == +scene.communities[name].rows()
    assert scene.ask("SELECT username FROM contributor WHERE host = 'github.com'") == [("octocat",)]


@pytest.fixture(scope="module")
def crowded(completed: SceneWithApi) -> SceneWithApi:
    """A repository of many people, completed: more than a page of the API holds, and thousands in `make long`."""
    completed.submit("many")
    completed.wait_for("many", "completed")
    return completed


def test_a_repository_of_many_people(crowded: SceneWithApi) -> None:
    scene = crowded.scene
    community = scene.communities["many"]
    row = crowded.look("many")
    assert row["uniqueContributors"] == len(+community.authored) > len(community.people)
    assert scene.states(crowded.ids["many"]) == ORDER
    board = +community.rows()
    # More than one page of the API.
    assert len(board) > 1_000
    assert whole_board(crowded.api, scene.url("many")) == board
    assert crowded.api.board(scene.url("many"), **EVERYTHING)["total"] == len(board) > len(community.people) * 4 // 5
    assert crowded.api.board(scene.url("many"))["unresolvedReason"] is None


@pytest.fixture(scope="module")
def limited(crowded: SceneWithApi) -> SceneWithApi:
    """A repository whose people were looked up under limits of both kinds, by two processes and with another token."""
    scene, github = crowded.scene, crowded.scene.github
    (_, users) = scene.arrangement.running()
    assert scene.stop(users) == [0]
    # Three points in three seconds, and of the first request GitHub says besides that it was one too many.
    github.limit, github.window = 3, 3.0
    scene.gate.open("403-secondary")
    scene.start_worker("users", "--processes", "2", GITHUB_TOKEN="token-two")
    scene.seen["asked before"] = github.asked()
    crowded.submit("limited")
    waits = scene.seen["waits"] = []

    def is_completed() -> bool:
        row = crowded.look("limited")
        if until := (row["progress"] or {}).get("waitingUntil"):
            waits.append((until, crowded.api.ask("/queues").body))
        return bool(row["state"] == "completed")

    wait_until(is_completed, "the limits to have ended", longest_pause=0)
    return crowded


def test_rate_limiting_holds_and_is_survived(limited: SceneWithApi) -> None:
    scene = limited.scene
    community = scene.communities["limited"]
    # GitHub had nothing to complain about: nobody asked while a limit was in force, nor for more than there was.
    scene.github.check()
    asked = scene.github.lookups(scene.seen["asked before"])
    assert {request.token for request in asked} == {"token-two"}
    assert len(asked) == 1 + math.ceil(len(community.emails) / BATCH_SIZE) == 6
    # Whoever looked saw until when, for the one limit and then for the other; no worker sat waiting for its end.
    ends = [until for until, _ in scene.seen["waits"]]
    assert len(set(ends)) >= 2 and ends == sorted(ends)
    assert any({"until": until} in overview["limitsInForce"] for until, overview in scene.seen["waits"])
    assert any(overview["waiting"] and overview["queues"][USERS] == EMPTY for _, overview in scene.seen["waits"])
    # And nothing is missing.
    assert scene.states(limited.ids["limited"]) == ORDER
    assert whole_board(limited.api, scene.url("limited")) == +community.rows()
    assert limited.api.board(scene.url("limited"))["unresolvedReason"] is None


def test_the_queues_are_empty_at_the_end_and_podium_queue_says_so(limited: SceneWithApi) -> None:
    scene = limited.scene
    document = scene.queue()
    assert document["queues"] == {COMMITS: EMPTY, USERS: EMPTY} and document["queuesSource"] == "redis"
    assert counts(document) == {"completed": 5, "failed": 1}
    assert document["leases"] == {"held": 0, "expired": 0}
    assert document["waiting"] == document["batchesLeft"] == document["emailsLeft"] == 0
    assert alive(document) == [[COMMITS], [USERS], [USERS]]
    with scene.valkey.client() as client:
        assert not [key for key in client.scan_iter() if client.type(key) == b"list"]
    # And nobody has anything to finish.
    assert scene.stop(*scene.arrangement.running()) == [0, 0]
    lines = [line.split() for line in scene.podium("queue").splitlines()]
    for line in (f"{COMMITS} 0 0 0 0", f"{USERS} 0 0 0 0", "Batches left: 0, of 0 e-mails.", "Workers: none."):
        assert line.split() in lines
