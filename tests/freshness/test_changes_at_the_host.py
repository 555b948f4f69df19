"""Hooks, checks and counts together, beside a host that renames, hides, deletes and moves repositories.

Whatever a host sends, late, twice, in another order or not at all, a board ends as the host's own answer says.
"""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from podium.repositories.model import State
from podium.storage.session import Database
from tests.support import gitea_double, github_hooks, gitlab_double
from tests.support.delivery import Delivery
from tests.support.fresh_podium import OLD_SECRET, SECRET, FreshPodium, Kind, fresh_podium
from tests.support.githttp import Fault
from tests.support.repos import git, set_branch
from tests.support.sqlite_database import open_or_create

_OWNERS = itertools.count()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FreshPodium]:
    folder = tmp_path_factory.mktemp("changes")
    with fresh_podium(folder, open_or_create(folder / "podium.db")) as running:
        yield running


@pytest.fixture
def podium(shared: FreshPodium) -> Iterator[FreshPodium]:
    """One for all tests; each has owners of its own, and leaves nothing to do."""
    yield shared
    shared.forget()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.long)])
def either(request: pytest.FixtureRequest, o: str) -> Iterator[FreshPodium]:
    if request.param == "sqlite":
        yield request.getfixturevalue("podium")
        return
    folder = request.getfixturevalue("tmp_path")
    with fresh_podium(folder, request.getfixturevalue("postgresql")) as running:
        yield running


@pytest.fixture
def o() -> str:
    """An owner."""
    return f"o{next(_OWNERS)}"


def test_a_push_changes_the_rows_of_a_board(either: FreshPodium, o: str) -> None:
    hosted = either.host(f"{o}/r", ["ada"])
    either.submit(f"{o}/r")
    either.commit(hosted, "bo", "bo")
    sent = github_hooks.push(hosted, SECRET)
    assert either.deliver(sent) == 202
    assert either.count() == 1
    assert either.people(f"{o}/r") == {"ada": 1, "bo": 2}
    # A redelivery, and the same under the old secret, count nothing, at once and later.
    for again in (sent, github_hooks.push(hosted, OLD_SECRET, form=True)):
        assert either.deliver(again) == 202
    assert either.count() == 0
    either.pass_time(61)
    assert either.work() <= 1
    assert either.people(f"{o}/r") == {"ada": 1, "bo": 2}


@pytest.mark.long
def test_a_flood_of_pushes_is_one_count_at_once_and_one_a_minute(podium: FreshPodium, o: str) -> None:
    hosted = podium.host(f"{o}/r", ["ada"])
    podium.submit(f"{o}/r")
    podium.pass_time(3600)
    podium.git.requests.clear()
    counts = []
    for _ in range(5):
        for _ in range(4):
            podium.commit(hosted, "bo")
            assert podium.deliver(github_hooks.push(hosted, SECRET)) == 202
            podium.pass_time(5)
        counts.append(podium.work())
    assert counts == [1, 0, 0, 1, 0]
    podium.pass_time(61)
    podium.work()
    assert podium.people(f"{o}/r") == {"ada": 1, "bo": 20}


def test_a_push_in_the_middle_of_a_count_is_counted_after_it(podium: FreshPodium, o: str) -> None:
    hosted = podium.host(f"{o}/r", ["ada"])
    podium.submit(f"{o}/r")
    podium.pass_time(3600)
    podium.commit(hosted, "bo")
    podium.git.faults.append(Fault("stall", "git-upload-pack", seconds=0.3, times=1))
    assert podium.deliver(github_hooks.push(hosted, SECRET)) == 202
    podium.git.requests.clear()
    counting = threading.Thread(target=podium.count)
    counting.start()
    podium.git.wait_for_request("git-upload-pack")
    # The count has asked for the head already.
    podium.commit(hosted, "cy")
    assert podium.deliver(github_hooks.push(hosted, SECRET)) == 202
    counting.join()
    podium.pass_time(61)
    podium.work()
    assert podium.people(f"{o}/r") == {"ada": 1, "bo": 1, "cy": 1}


@pytest.mark.long
def test_pushes_of_other_branches_and_tags_count_nothing(podium: FreshPodium, o: str) -> None:
    hosted = podium.host(f"{o}/r", ["ada"])
    podium.submit(f"{o}/r")
    head = hosted.head
    assert head
    set_branch(hosted.real.path, head, "next")
    for sent in (
        github_hooks.push(hosted, SECRET, branch="next"),
        github_hooks.tag_push(hosted, SECRET),
        github_hooks.ping(hosted, SECRET),
    ):
        assert podium.deliver(sent) in (202, 204)
    assert podium.work() == 0
    assert podium.deliver(github_hooks.push(podium.host(f"{o}/unknown"), SECRET)) == 204


@pytest.mark.long
def test_a_forged_delivery_changes_nothing(podium: FreshPodium, o: str) -> None:
    hosted = podium.host(f"{o}/r", ["ada"])
    podium.submit(f"{o}/r")
    before = podium.row(f"{o}/r")
    real = github_hooks.event("deleted", hosted, SECRET)
    forged = [
        github_hooks.event("deleted", hosted, "another secret"),
        Delivery(real.path, real.body.replace(b"/r", b"/R"), real.headers),
        Delivery(real.path, real.body, {**real.headers, "X-Hub-Signature-256": real.headers["X-Hub-Signature"]}),
        Delivery(real.path, real.body, {k: v for k, v in real.headers.items() if not k.startswith("X-Hub-Signature")}),
    ]
    assert [podium.deliver(sent) for sent in forged] == [401] * len(forged)
    assert podium.row(f"{o}/r") == before


@pytest.mark.long
def test_another_default_branch_is_counted(podium: FreshPodium, o: str) -> None:
    hosted = podium.host(f"{o}/r", ["ada"])
    podium.submit(f"{o}/r")
    podium.commit(hosted, "bo")
    other = hosted.head
    assert other
    set_branch(hosted.real.path, other, "trunk")
    git(hosted.real.path, "symbolic-ref", "HEAD", "refs/heads/trunk")
    git(hosted.real.path, "branch", "-D", "main")
    assert podium.deliver(github_hooks.default_branch_changed(hosted, "main", SECRET)) == 202
    podium.work()
    row = podium.row(f"{o}/r")
    assert row is not None and (row.branch, row.head) == ("trunk", other)
    assert podium.people(f"{o}/r") == {"ada": 1, "bo": 1}


@pytest.mark.parametrize(
    ("order", "is_known"),
    [
        ("renamed", True),
        pytest.param("renamed", False, marks=pytest.mark.long),
        pytest.param("push", True, marks=pytest.mark.long),
        pytest.param("push and renamed", False, marks=pytest.mark.long),
        pytest.param("renamed and push", True, marks=pytest.mark.long),
        pytest.param("none", False, marks=pytest.mark.long),
    ],
)
def test_a_renamed_repository_keeps_its_board_whatever_was_delivered(
    podium: FreshPodium, o: str, order: str, *, is_known: bool
) -> None:
    hosted = podium.host(f"{o}/r", ["ada"])
    number = podium.submit(f"{o}/r")
    if is_known:
        podium.check(f"{o}/r")
    early = github_hooks.push(hosted, SECRET)
    podium.hosting.rename(f"{o}/r", f"{o}/New")
    podium.commit(hosted, "bo")
    sent = {
        "renamed": github_hooks.renamed(hosted, "r", SECRET),
        "push": github_hooks.push(hosted, SECRET),
    }
    for name in order.split(" and "):
        if name in sent:
            # A new name says nothing to whom the number is not known.
            assert podium.deliver(sent[name]) in ((202,) if is_known or name == "renamed" else (204,))
    # What nothing was delivered about is asked about, because its number is not known.
    podium.work()
    # What was sent before the rename arrives last.
    assert podium.deliver(early) == 202
    podium.pass_time(61)
    podium.work()
    row = podium.row(f"{o}/new")
    assert row is not None and (row.id, row.owner, row.name, row.state) == (number, o, "New", State.COMPLETED)
    assert podium.row(f"{o}/r") is None
    assert podium.people(f"{o}/New") == podium.people(f"{o}/r") == {"ada": 1, "bo": 1}


@pytest.mark.long
def test_two_renames_that_are_delivered_in_reverse_end_at_the_present_name(podium: FreshPodium, o: str) -> None:
    hosted = podium.host(f"{o}/r")
    number = podium.submit(f"{o}/r")
    podium.hosting.rename(f"{o}/r", f"{o}/s")
    first = github_hooks.renamed(hosted, "r", SECRET)
    podium.hosting.rename(f"{o}/s", f"{o}p/s")
    second = github_hooks.transferred(hosted, o, SECRET)
    for sent in (second, first, second):
        assert podium.deliver(sent) in (202, 204)
        podium.work()
        podium.pass_time(61)
    podium.work()
    row = podium.row(f"{o}p/s")
    assert row is not None and row.id == number
    assert podium.people(f"{o}/r") == {"ada": 1}


@pytest.mark.long
def test_branches_move_with_their_repository(podium: FreshPodium, o: str) -> None:
    hosted = podium.host(f"{o}/r", ["ada"])
    podium.submit(f"{o}/r")
    head = hosted.head
    assert head
    set_branch(hosted.real.path, head, "dev")
    answer = podium.client.post("/leaderboard", params={"repoUrl": podium.address(f"{o}/r"), "rev": "dev"})
    assert answer.status_code == 202
    podium.count()
    podium.hosting.rename(f"{o}/r", f"{o}/s")
    assert podium.deliver(github_hooks.renamed(hosted, "r", SECRET)) == 202
    podium.work()
    for name in (f"{o}/s", f"{o}/r"):
        found = podium.client.get(
            "/leaderboard", params={"repoUrl": podium.address(name), "rev": "dev"}, follow_redirects=True
        )
        assert found.status_code == 200 and len(json.loads(found.text)["top_contributors"]) == 1


@pytest.mark.parametrize("action", ["deleted", pytest.param("privatized", marks=pytest.mark.long)])
def test_what_is_gone_is_hidden_at_once_until_its_host_says_otherwise(either: FreshPodium, o: str, action: str) -> None:
    hosted = either.host(f"{o}/r")
    either.submit(f"{o}/r")
    sent = github_hooks.event(action, hosted, SECRET)
    if action == "deleted":
        either.hosting.delete(f"{o}/r")
    else:
        hosted.is_private = True
    assert either.deliver(sent) == 202
    assert either.get(f"{o}/r", follow_redirects=True).status_code == 404
    either.pass_time(61)
    either.work()
    either.pass_time(3600)
    either.work()
    assert either.people(f"{o}/r") == {}
    if action == "privatized":
        hosted.is_private = False
        assert either.deliver(github_hooks.event("publicized", hosted, SECRET)) == 202
        either.pass_time(61)
        either.work()
        assert either.people(f"{o}/r") == {"ada": 1}


@pytest.mark.parametrize("action", ["deleted", pytest.param("privatized", marks=pytest.mark.long)])
def test_a_replay_hides_a_board_for_no_longer_than_a_minute(podium: FreshPodium, o: str, action: str) -> None:
    hosted = podium.host(f"{o}/r")
    podium.submit(f"{o}/r")
    sent = github_hooks.event(action, hosted, SECRET)
    for _ in range(3):
        assert podium.deliver(sent) == 202
        podium.pass_time(60)
        podium.work()
        assert podium.people(f"{o}/r") == {"ada": 1}


def test_the_end_of_an_old_repository_does_not_hide_its_successor(podium: FreshPodium, o: str) -> None:
    old = podium.host(f"{o}/r", ["ada"])
    podium.submit(f"{o}/r")
    podium.check(f"{o}/r")
    late = github_hooks.event("deleted", old, SECRET)
    podium.hosting.rename(f"{o}/r", f"{o}/away")
    podium.hosting.delete(f"{o}/away")
    new = podium.host(f"{o}/r", ["bo"])
    assert podium.deliver(github_hooks.event("created", new, SECRET)) in (202, 204)
    podium.work()
    podium.deliver(late)
    podium.pass_time(61)
    podium.work()
    row = podium.row(f"{o}/r")
    assert row is not None and row.name_taken_at is not None
    # Its board is that of the old one, until an administrator decides.
    assert podium.people(f"{o}/r") in ({}, {"ada": 1})


@pytest.mark.parametrize("is_known", [True, pytest.param(False, marks=pytest.mark.long)])
def test_a_name_that_another_repository_took_is_kept_apart(podium: FreshPodium, o: str, *, is_known: bool) -> None:
    old = podium.host(f"{o}/r", ["ada"])
    number = podium.submit(f"{o}/r")
    if is_known:
        podium.check(f"{o}/r")
    podium.hosting.rename(f"{o}/r", f"{o}/old")
    new = podium.host(f"{o}/r", ["bo", "bo"])
    assert podium.deliver(github_hooks.push(new, SECRET)) in (202, 204)
    podium.work()
    assert podium.people(f"{o}/r") != {"ada": 1, "bo": 2}
    podium.commit(old, "cy")
    assert podium.deliver(github_hooks.push(old, SECRET)) in (202, 204)
    podium.pass_time(61)
    podium.work()
    podium.pass_time(61)
    podium.work()
    if is_known:
        row = podium.by_id(number)
        assert row is not None and row.name == "old"
        assert podium.people(f"{o}/old") == {"ada": 1, "cy": 1}


def test_a_push_while_the_host_is_down_is_counted_when_it_is_back(podium: FreshPodium, o: str) -> None:
    hosted = podium.host(f"{o}/r", ["ada"])
    podium.submit(f"{o}/r")
    podium.pass_time(3600)
    podium.commit(hosted, "bo")
    sent = github_hooks.push(hosted, SECRET)
    podium.git.go_away()
    assert podium.deliver(sent) == 202
    podium.work()
    assert podium.people(f"{o}/r") == {"ada": 1}
    podium.git.come_back()
    for _ in range(5):
        podium.pass_time(3600)
        podium.work()
    assert podium.people(f"{o}/r") == {"ada": 1, "bo": 1}


@pytest.mark.long
@pytest.mark.parametrize("kind", ["gitlab", "gitea"])
def test_other_hosts_send_pushes_and_tell_new_names_when_they_are_asked(
    tmp_path: Path, sqlite: Database, kind: Kind
) -> None:
    double = {"gitlab": gitlab_double, "gitea": gitea_double}[kind]
    with fresh_podium(tmp_path, sqlite, kind=kind) as podium:
        hosted = podium.host("group/r", ["ada"])
        number = podium.submit("group/r")
        podium.commit(hosted, "bo")
        assert podium.deliver(double.push(hosted, "another secret")) == 401
        assert podium.deliver(double.push(hosted, SECRET)) == 202
        podium.work()
        assert podium.people("group/r") == {"ada": 1, "bo": 1}
        podium.check("group/r")
        podium.hosting.rename("group/r", "group/s")
        podium.pass_time(61)
        # Neither sends a rename from the hook of one repository: its next push names the new place.
        podium.commit(hosted, "bo")
        assert podium.deliver(double.push(hosted, SECRET)) == 202
        podium.work()
        podium.pass_time(61)
        podium.work()
        row = podium.row("group/s")
        assert row is not None and (row.id, row.host_number) == (number, str(hosted.number))
        assert podium.people("group/s") == podium.people("group/r") == {"ada": 1, "bo": 2}
