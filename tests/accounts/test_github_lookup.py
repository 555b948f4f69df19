"""The lookup at GitHub: which accounts are found, with which requests, and the reasons if they are not."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from podium.accounts.github.budget import token_key
from podium.leaderboard.rules import Rules
from podium.storage.session import Database
from podium.storage.sqlite import SqliteDatabase
from tests.support.commit_logs import save_log_of_people
from tests.support.github_double import ANONYMOUS, GitHubDouble
from tests.support.github_history import Accounts, KnownAccount
from tests.support.github_repository import build, together
from tests.support.github_script import PASSING, REFUSALS, Script
from tests.support.resolving import TOKEN, Desk, desk
from tests.support.rows import add_person, add_repository
from tests.support.sqlite_database import open_or_create

DAY = 86_400.0
Build = Callable[..., Path]


@pytest.fixture
def repository(tmp_path: Path) -> Build:
    """Builds a bare repository with a linear history of (author e-mail, message)."""

    def make(*commits: tuple[str, str], name: str = "r") -> Path:
        folder = tmp_path / f"{name}.git"
        build(folder, commits)
        return folder

    return make


@pytest.fixture
def accounts() -> Accounts:
    known = Accounts()
    known.add(KnownAccount(1, "ada", "Ada"), "ada@x.org", "ada@work.example")
    known.add(KnownAccount(2, "bob"), "bob@x.org")
    known.add(KnownAccount(3, "cy", "Cy"), "cy@x.org")
    return known


def resolved(podium: Desk, folder: Path, address: str = "o/r") -> dict[str, int]:
    number = podium.count(folder, address)
    assert podium.resolve(number).state == "completed"
    return podium.rows(number)


def reason(podium: Desk) -> str:
    """Why the only repository has unresolved people."""
    with podium.db.read() as session:
        return str(session.value("SELECT unresolved_reason FROM repository"))


# --- single faults

PEOPLE = {"@ada": 2, "@bob": 1, "no@x.org": 1}


@pytest.fixture(scope="session")
def counted_once(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    folder = tmp_path_factory.mktemp("counted")
    build(folder / "r.git", [(email, "Work") for email in ("ada@x.org", "ada@work.example", "bob@x.org", "no@x.org")])
    with (
        contextlib.closing(open_or_create(folder / "podium.db")) as db,
        GitHubDouble({}) as double,
        desk(db, double) as podium,
    ):
        assert podium.count(folder / "r.git") == 1
    return folder / "r.git", (folder / "podium.db").read_bytes()


@pytest.fixture
def counted(counted_once: tuple[Path, bytes], tmp_path: Path) -> Iterator[tuple[Path, Database]]:
    """A repository of PEOPLE, and a database in which it is counted as number 1 and nothing is looked up yet."""
    folder, content = counted_once
    (tmp_path / "podium.db").write_bytes(content)
    with contextlib.closing(SqliteDatabase(tmp_path / "podium.db")) as db:
        yield folder, db


def completed(podium: Desk) -> dict[str, int]:
    assert podium.resolve(1).state == "completed"
    return podium.rows(1)


@pytest.mark.parametrize("fault", PASSING)
def test_a_transient_fault_changes_nothing(counted: tuple[Path, Database], accounts: Accounts, fault: str) -> None:
    folder, db = counted
    with (
        GitHubDouble({"o/r": folder}, accounts, script=Script([fault]), hang=2) as double,
        desk(db, double, timeout=0.3 if fault == "timeout" else 5) as podium,
    ):
        assert completed(podium) == PEOPLE
        assert reason(podium) == "None"
        assert double.seen[0].fault == fault
        # Answers are kept; only the rest is requested again.
        assert double.asked() <= 4


@pytest.mark.parametrize("fault", REFUSALS)
def test_without_a_usable_token_requests_are_anonymous(
    counted: tuple[Path, Database], accounts: Accounts, fault: str
) -> None:
    folder, db = counted
    with (
        GitHubDouble({"o/r": folder}, accounts, script=Script([fault] * 3)) as double,
        desk(db, double) as podium,
    ):
        assert completed(podium) == PEOPLE
        assert [seen.token for seen in double.seen] == [TOKEN] * 3 + [ANONYMOUS]


@pytest.mark.parametrize("fault", REFUSALS)
@pytest.mark.parametrize("tokens", [(TOKEN,), (TOKEN, "second"), ()])
def test_a_refusal_counts_only_after_confirmation(
    counted: tuple[Path, Database], accounts: Accounts, fault: str, tokens: tuple[str, ...]
) -> None:
    folder, db = counted
    with (
        GitHubDouble({"o/r": folder}, accounts, tokens=tokens, script=Script([fault] * (2 if tokens else 1))) as double,
        desk(db, double, tokens=tokens, max_faults=2) as podium,
    ):
        assert completed(podium) == PEOPLE
        assert {seen.token for seen in double.seen} <= set(tokens or (ANONYMOUS,))


def test_a_bad_token_is_logged_once_and_another_is_used(
    db: Database, repository: Build, accounts: Accounts, caplog: pytest.LogCaptureFixture
) -> None:
    folder = repository(("ada@x.org", "Work"))
    caplog.set_level(logging.INFO)
    with (
        GitHubDouble({"o/r": folder, "o/s": folder, "o/t": folder}, accounts) as double,
        desk(db, double, tokens=("revoked-1", "revoked-2", TOKEN)) as podium,
    ):
        assert resolved(podium, folder) == {"@ada": 1}
        for address in ("o/s", "o/t"):
            podium.age(8 * DAY)
            resolved(podium, folder, address)
    said = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert len(said) == len(set(said)) <= 2
    assert all("GITHUB_TOKEN" in line for line in said)
    assert "token 1 of 3" in caplog.text
    assert token_key("revoked-1")[:8] not in caplog.text
    assert "revoked-1" not in caplog.text and TOKEN not in caplog.text


def test_bad_tokens_only_are_like_no_token_and_the_board_says_so(
    db: Database, repository: Build, accounts: Accounts
) -> None:
    folder = repository(("cy@x.org", together("bob@x.org")), *[("ada@x.org", "Work")] * 120)
    with (
        GitHubDouble({"o/r": folder}, accounts, anonymous_limit=1) as double,
        desk(db, double, tokens=("revoked",)) as podium,
    ):
        rows = resolved(podium, folder)
        assert rows == {"@ada": 120, "cy@x.org": 1, "bob@x.org": 1}
        assert "GITHUB_TOKEN" in reason(podium)


# --- missing commits and unnamed e-mails


def test_a_commit_that_github_does_not_have_proves_nothing(db: Database, repository: Build, accounts: Accounts) -> None:
    """The newest commits were never pushed; the same people have older commits."""
    old = [("ada@x.org", "Work"), ("bob@x.org", "Work")]
    pushed = repository(*old, name="pushed")
    local = repository(*old, ("bob@x.org", "More"), ("ada@x.org", "More"), ("cy@x.org", "New here"), name="local")
    with GitHubDouble({"o/r": pushed}, accounts) as double, desk(db, double) as podium:
        assert resolved(podium, local) == {"@ada": 2, "@bob": 2, "cy@x.org": 1}
        with db.read() as session:
            known = session.one("SELECT * FROM known_email WHERE email = 'cy@x.org'")
        assert known is not None and (known["source"], known["contributor_id"]) == ("no-answer", None)
        # It is looked up again after a day.
        asked = double.asked()
        assert resolved(podium, local)["cy@x.org"] == 1
        assert double.asked() == asked
        podium.age(1.1 * DAY)
        subprocess.run(["git", "-C", str(local), "push", "-q", str(pushed), "main"], check=True)
        assert resolved(podium, local)["@cy"] == 1


def test_there_is_one_request_for_fifty_emails_although_each_batch_has_missing_commits(
    sqlite: Database, repository: Build, accounts: Accounts
) -> None:
    """Several batches at once, each with some people whose newest commits were never pushed."""
    people = [f"p{n}@x.org" for n in range(400)]
    for number, email in enumerate(people):
        accounts.add(KnownAccount(100 + number, f"user{number}"), email)
    needing_none = [f"{n}+known{n}@users.noreply.github.com" for n in range(1000, 1200)] + ["noreply@anthropic.com"]
    old = [(email, "Work") for email in (*people, *needing_none)]
    pushed = repository(*old, name="pushed")
    local = repository(*old, *((email, "More") for email in people[::9]), ("new@x.org", "New"), name="local")
    with GitHubDouble({"o/r": pushed}, accounts) as double, desk(sqlite, double) as podium:
        number = podium.count(local)
        podium.resolve(number, workers=4)
        rows = podium.rows(number)
        assert [f"@user{number}" in rows for number in range(len(people))] == [True] * len(people)
        assert rows["new@x.org"] == 1
        # Each of four workers may ask again for a commit, until one has heard twice that GitHub lacks it.
        assert double.asked() <= -(-(len(people) + 1) // 50) + 5


def test_co_authors_whom_an_authors_commit_names_need_no_request(
    sqlite: Database, repository: Build, accounts: Accounts
) -> None:
    folder = repository(*((f"a{n}@x.org", together(f"b{n}@x.org", f"c{n}@x.org")) for n in range(100)))
    with GitHubDouble({"o/r": folder}, accounts) as double, desk(sqlite, double) as podium:
        number = podium.count(folder)
        podium.resolve(number, workers=1)
        assert double.asked() == 2
        assert len(podium.rows(number)) == 300
        with sqlite.read() as session:
            assert session.value("SELECT COUNT(*) FROM known_email WHERE source = 'host'") == 300


@pytest.mark.parametrize("workers", [1, 4])
def test_a_repository_whose_commits_github_lacks_costs_one_request_for_fifty_emails(
    sqlite: Database, repository: Build, accounts: Accounts, workers: int
) -> None:
    """As after the history of a clone was rewritten."""
    pushed = repository(("ada@x.org", "Work"), name="pushed")
    rewritten = repository(*((f"p{n % 300}@x.org", f"Work {n}") for n in range(600)), name="rewritten")
    with GitHubDouble({"o/r": pushed}, accounts) as double, desk(sqlite, double) as podium:
        podium.resolve(podium.count(rewritten), workers=workers)
        # The first request of each worker is made twice, unless one has heard twice by then that GitHub lacks a commit.
        assert double.asked() <= 300 // 50 + workers


def test_a_co_author_is_found_among_many(db: Database, repository: Build, accounts: Accounts) -> None:
    crowd = [f"c{n}@x.org" for n in range(99)]
    accounts.add(KnownAccount(9, "last"), crowd[-1])
    folder = repository(("ada@x.org", together(*crowd)))
    with GitHubDouble({"o/r": folder}, accounts) as double, desk(db, double) as podium:
        rows = resolved(podium, folder)
        assert rows["@last"] == 1 and len(rows) == 100


def test_a_commit_of_many_authors_is_requested_once(db: Database, repository: Build, accounts: Accounts) -> None:
    crowds = [[f"c{m}-{n}@x.org" for n in range(16)] for m in range(60)]
    folder = repository(*(("ada@x.org", together(*crowd)) for crowd in crowds))
    with GitHubDouble({"o/r": folder}, accounts) as double, desk(db, double) as podium:
        assert len(resolved(podium, folder)) == 961
        assert double.asked() <= 20
        # Not once for each of its authors.
        assert sum(seen.commits for seen in double.seen) < 961 // 4


def test_sha_256_repositories_are_not_looked_up(db: Database, tmp_path: Path, accounts: Accounts) -> None:
    folder = tmp_path / "sha256.git"
    subprocess.run(["git", "init", "-q", "--bare", "--object-format=sha256", "-b", "main", str(folder)], check=True)
    build(folder, [("ada@x.org", "Work")])
    for tokens in ((TOKEN,), ()):
        with GitHubDouble({"o/r": folder}, accounts) as double, desk(db, double, tokens=tokens) as podium:
            assert resolved(podium, folder) == {"ada@x.org": 1}
            assert "SHA-256" in reason(podium)
            assert double.asked() == 0


ODD = ["Ä Ö@x.org", "two@at@x.org", "x" * 300 + "@x.org", "x" * 600 + "@x.org", "\u202e@x.org", "'; --@x.org", "%s@{0}"]


def test_odd_emails_are_looked_up(db: Database, repository: Build, accounts: Accounts) -> None:
    for number, email in enumerate(ODD):
        accounts.add(KnownAccount(100 + number, f"odd{number}"), email)
    folder = repository(
        ("ADA@X.ORG", "Work"), ("ada@work.example", together(*ODD)), *((email, "Work") for email in ODD)
    )
    with GitHubDouble({"o/r": folder}, accounts) as double, desk(db, double) as podium:
        rows = resolved(podium, folder)
        # Of an e-mail that is longer than any the beginning and a hash are kept, which is nobody's.
        (cut,) = (email for email in rows if email.startswith("xxx"))
        assert rows == {"@ada": 2, cut: 2, **{f"@odd{number}": 2 for number in range(len(ODD)) if number != 3}}


def test_spaces_around_an_email_matter_unless_github_drops_them(
    db: Database, repository: Build, accounts: Accounts
) -> None:
    folder = repository((" ada@x.org ", "Work"), ("ada@x.org", "Work"))
    with GitHubDouble({"o/r": folder}, accounts) as double, desk(db, double) as podium:
        assert resolved(podium, folder) == {"@ada": 1, " ada@x.org ": 1}


def test_text_that_is_no_address_is_not_looked_up(db: Database, repository: Build, accounts: Accounts) -> None:
    folder = repository(("", "Work"), ("root", "Work"), ("49699333+dependabot[bot]@users.noreply.github.com", "Bump"))
    with GitHubDouble({"o/r": folder}, accounts) as double, desk(db, double) as podium:
        assert len(resolved(podium, folder)) == 3
        assert double.asked() == 0
        number = podium.count(folder)
        assert not podium.again(number) or podium.resolve(number)
        assert double.asked() == 0


# --- accounts change


def test_a_renamed_account_is_renamed_on_every_board_when_one_is_refreshed(
    db: Database, repository: Build, accounts: Accounts
) -> None:
    folder = repository(("ada@x.org", "Work"), ("ada@work.example", "Work"), ("bob@x.org", "Work"))
    with GitHubDouble({"o/r": folder, "o/s": folder}, accounts) as double, desk(db, double) as podium:
        resolved(podium, folder)
        second = podium.count(folder, "o/s")
        podium.resolve(second)
        accounts.owner("ada@x.org").login = "countess"  # type: ignore[union-attr]
        accounts.owner("ada@x.org").name = None  # type: ignore[union-attr]
        asked = double.asked()
        podium.age(0.9 * DAY)
        assert resolved(podium, folder) == {"@ada": 2, "@bob": 1}
        assert double.asked() == asked
        podium.age(0.2 * DAY)
        assert resolved(podium, folder) == {"@countess": 2, "@bob": 1}
        # One e-mail an account.
        assert (double.asked(), double.seen[-1].commits) == (asked + 1, 2)
        assert podium.rows(second) == {"@countess": 2, "@bob": 1}
        assert podium.board(second)["top_contributors"][0]["name"] != "Ada"


def test_a_reused_login_is_two_accounts(db: Database, repository: Build, accounts: Accounts) -> None:
    folder = repository(("ada@x.org", "Work"), ("bob@x.org", "Work"), ("bob@x.org", "Work"))
    with GitHubDouble({"o/r": folder}, accounts) as double, desk(db, double) as podium:
        resolved(podium, folder)
        accounts.owner("ada@x.org").login = "bob"  # type: ignore[union-attr]
        accounts.owner("bob@x.org").login = "robert"  # type: ignore[union-attr]
        podium.age(2 * DAY)
        assert resolved(podium, folder) == {"@bob": 1, "@robert": 2}


def test_an_email_that_moves_moves_on_every_board_and_in_every_sum(
    db: Database, repository: Build, accounts: Accounts
) -> None:
    folder = repository(("ada@x.org", "Work"), ("ada@work.example", "Work"), ("bob@x.org", "Work"))
    with GitHubDouble({"o/r": folder, "o/s": folder}, accounts) as double, desk(db, double) as podium:
        resolved(podium, folder)
        second = podium.count(folder, "o/s")
        podium.resolve(second)
        accounts.by_email["ada@work.example"] = accounts.by_email["bob@x.org"]
        podium.age(31 * DAY)
        assert resolved(podium, folder) == {"@ada": 1, "@bob": 2}
        assert podium.rows(second) == {"@ada": 1, "@bob": 2}
        with db.read() as session:
            sums = session.all(
                """SELECT username, commit_count FROM repository_contributor
                JOIN contributor ON contributor.id = contributor_id WHERE repository_id = :id ORDER BY username""",
                id=second,
            )
        assert [(row["username"], row["commit_count"]) for row in sums] == [("ada", 1), ("bob", 2)]


def test_an_unknown_email_is_looked_up_again_after_its_maximum_age(
    db: Database, repository: Build, accounts: Accounts
) -> None:
    folder = repository(("dan@x.org", "Work"))
    with GitHubDouble({"o/r": folder}, accounts) as double, desk(db, double) as podium:
        number = podium.count(folder)
        podium.resolve(number)
        accounts.add(KnownAccount(4, "dan"), "dan@x.org")
        # Asked for expressly: after a day. By itself: after a week.
        assert not podium.again(number)
        podium.age(1.1 * DAY)
        assert resolved(podium, folder) == {"dan@x.org": 1}
        assert podium.again(number)
        podium.resolve(number)
        assert podium.rows(number) == {"@dan": 1}


def test_a_forged_noreply_address_names_the_account_and_not_its_login(
    db: Database, repository: Build, accounts: Accounts
) -> None:
    """Anybody can commit as `1+evil@…`: GitHub gives such a commit to account 1, and so is it here."""
    forged = "1+evil@users.noreply.github.com"
    accounts.by_email[forged] = accounts.by_email["ada@x.org"]
    folder = repository((forged, "Forged"), ("bob@x.org", "Work"))
    other = repository(("ada@x.org", "Work"), name="other")
    with GitHubDouble({"o/r": folder, "o/s": other}, accounts) as double, desk(db, double) as podium:
        assert resolved(podium, folder) == {"@evil": 1, "@bob": 1}
        assert resolved(podium, other, "o/s") == {"@ada": 1}
        assert podium.rows(1) == {"@ada": 1, "@bob": 1}
        # A second forgery does not change GitHub's answer.
        second = repository(("1+worse@users.noreply.github.com", "Forged"), name="second")
        assert resolved(podium, second, "o/t") == {"@ada": 1}


def test_a_login_from_an_email_is_corrected_when_the_account_is_stale(
    db: Database, repository: Build, accounts: Accounts
) -> None:
    forged = "1+evil@users.noreply.github.com"
    accounts.by_email[forged] = accounts.by_email["ada@x.org"]
    folder = repository((forged, "Forged"))
    with GitHubDouble({"o/r": folder}, accounts) as double, desk(db, double) as podium:
        assert resolved(podium, folder) == {"@evil": 1}
        podium.age(1.1 * DAY)
        assert resolved(podium, folder) == {"@ada": 1}


def test_an_app_keeps_its_account_although_the_host_names_no_user_for_it(
    db: Database, repository: Build, accounts: Accounts
) -> None:
    numbered, plain = (f"{number}acme[bot]@users.noreply.github.com" for number in ("77+", ""))
    folder = repository(("bob@x.org", together(numbered)), (numbered, "Bump"), (plain, "Bump"))
    with GitHubDouble({"o/r": folder}, accounts) as double, desk(db, double) as podium:
        assert resolved(podium, folder) == {"@acme[bot]": 3, "@bob": 1}
        assert double.asked() == 1
        # Earlier versions saved that it belongs to no one.
        with db.write() as session:
            session.run("UPDATE known_email SET contributor_id = NULL, source = 'host' WHERE email LIKE '%acme%'")
        other = repository((numbered, "Bump"), name="other")
        assert resolved(podium, other, "o/s") == {"@acme[bot]": 1}
        assert podium.rows(1) == {"@acme[bot]": 3, "@bob": 1}


def test_the_list_of_bots_decides_who_is_looked_up(
    db: Database, repository: Build, accounts: Accounts, tmp_path: Path
) -> None:
    accounts.add(KnownAccount(9, "human"), "snyk-bot@snyk.io")
    folder = repository(("ada@x.org", "Work"), ("release@x.org", "Release"), ("snyk-bot@snyk.io", "Work"))
    (file := tmp_path / "bots").write_text("release@x.org\n!snyk-bot@snyk.io\n")
    with GitHubDouble({"o/r": folder}, accounts) as double, desk(db, double, bots_file=str(file)) as podium:
        podium.resolve(podium.count(folder))
        assert [seen.commits for seen in double.seen] == [2]
        with db.read() as session:
            known = session.tuples("SELECT email FROM known_email ORDER BY email")
        assert known == [("ada@x.org",), ("snyk-bot@snyk.io",)]


def test_equal_names_do_not_merge_people(db: Database, repository: Build, accounts: Accounts) -> None:
    # The builder names every author P.
    folder = repository(*((email, "Work") for email in ("ada@x.org", "no@x.org", "nobody@y.org", "bob@x.org")))
    with GitHubDouble({"o/r": folder}, accounts) as double, desk(db, double) as podium:
        assert len(resolved(podium, folder)) == 4


# --- repositories that are renamed, deleted, or at other hosts


@pytest.mark.parametrize("tokens", [(TOKEN,), ()])
def test_a_renamed_repository_is_followed(
    db: Database, repository: Build, accounts: Accounts, tokens: tuple[str, ...]
) -> None:
    folder = repository(("ada@x.org", "Work"), ("bob@x.org", "Work"))
    with GitHubDouble({"o/r": folder}, accounts) as double, desk(db, double, tokens=tokens) as podium:
        double.hosting.rename("o/r", "new/name")
        assert resolved(podium, folder) == {"@ada": 1, "@bob": 1}


@pytest.mark.parametrize("tokens", [(TOKEN,), ()])
def test_a_deleted_repository_keeps_its_board_and_says_so(
    db: Database, repository: Build, accounts: Accounts, tokens: tuple[str, ...]
) -> None:
    folder = repository(*((f"p{n}@x.org", "Work") for n in range(120)))
    with GitHubDouble({"o/r": folder}, accounts) as double, desk(db, double, tokens=tokens) as podium:
        double.hosting.delete("o/r")
        number = podium.count(folder)
        assert podium.resolve(number, workers=1).state == "completed"
        assert len(podium.rows(number)) == 120
        assert "GitHub does not show this repository" in reason(podium)
        # The other batches use the first one's result.
        assert double.asked() == (5 if tokens else 2)


def test_repositories_at_other_hosts_use_known_accounts_only(
    db: Database, repository: Build, accounts: Accounts
) -> None:
    folder = repository(("ada@x.org", "Work"), ("bob@x.org", "Work"))
    known = repository(("ada@x.org", "Work"), name="known")
    with GitHubDouble({"o/r": known}, accounts) as double, desk(db, double) as podium:
        resolved(podium, known)
        asked = double.asked()
        number = podium.count(folder, "https://gitlab.com/o/r")
        assert podium.resolve(number).state == "completed"
        assert podium.rows(number) == {"@ada": 1, "bob@x.org": 1}
        assert not podium.again(number)
        assert double.asked() == asked


# --- without a token, without a network


def test_without_a_token_the_most_active_authors_come_first(
    db: Database, repository: Build, accounts: Accounts
) -> None:
    few = [("cy@x.org", "Work")]
    folder = repository(
        *few, *[("no@x.org", "Work")] * 110, *[("bob@x.org", "Work")] * 150, *[("ada@x.org", "W")] * 200
    )
    with GitHubDouble({"o/r": folder}, accounts, anonymous_limit=3) as double, desk(db, double, tokens=()) as podium:
        number = podium.count(folder)
        podium.resolve(number)
        assert podium.rows(number) == {"@ada": 200, "@bob": 150, "no@x.org": 110, "cy@x.org": 1}
        assert double.asked("core") == 3 and double.asked() == 3
        board = podium.board(number)
        assert "60 requests an hour" in board["unresolvedReason"] and "GITHUB_TOKEN" in board["unresolvedReason"]
        assert board["unresolved"] == 2 and not board["isPartial"]
        # POST /refresh continues within the hourly limit, which is used up.
        assert podium.again(number)
        assert podium.resolve(number).state == "completed"
        assert double.asked() == 3


@pytest.mark.parametrize(("tokens", "said"), [((), "not co-authors"), (("revoked",), "accepts none of the tokens")])
def test_co_authors_stay_unresolved_without_a_token_and_the_board_says_so(
    db: Database, repository: Build, accounts: Accounts, tokens: tuple[str, ...], said: str
) -> None:
    folder = repository(("ada@x.org", together("bob@x.org")))
    with GitHubDouble({"o/r": folder}, accounts) as double, desk(db, double, tokens=tokens) as podium:
        assert resolved(podium, folder) == {"@ada": 1, "bob@x.org": 1}
        assert said in reason(podium) and "GITHUB_TOKEN" in reason(podium)


def test_batches_use_the_answers_of_each_others_windows(db: Database, repository: Build, accounts: Accounts) -> None:
    """Four batches run at once; two windows of a hundred commits name everybody in all four."""
    newest_first = [f"{batch}-{number:02}@x.org" for number in range(50) for batch in range(4)]
    # Batches are sorted by commits: the first has most.
    older = [email for times in range(3) for email in newest_first if int(email[0]) < 3 - times]
    folder = repository(*((email, "Work") for email in (*older, *newest_first[::-1])))
    with GitHubDouble({"o/r": folder}, accounts) as double, desk(db, double, tokens=()) as podium:
        number = podium.count(folder)
        podium.resolve(number, workers=4)
        with db.read() as session:
            assert session.value("SELECT count(*) FROM known_email") == 200
        assert double.asked() <= 6


def test_windows_do_not_overlap_if_everybody_has_one_commit(
    db: Database, repository: Build, accounts: Accounts
) -> None:
    folder = repository(*((f"p{n:03}@x.org", "Work") for n in range(300)))
    with GitHubDouble({"o/r": folder}, accounts) as double, desk(db, double, tokens=()) as podium:
        number = podium.count(folder)
        podium.resolve(number)
        with db.read() as session:
            assert session.value("SELECT count(*) FROM known_email") == 300
        assert double.asked() <= 6


def test_a_later_token_continues_where_the_windows_ended(db: Database, repository: Build, accounts: Accounts) -> None:
    folder = repository(("ada@x.org", together("bob@x.org")), *[("cy@x.org", "Work")] * 120)
    with GitHubDouble({"o/r": folder}, accounts, anonymous_limit=1) as double:
        with desk(db, double, tokens=()) as podium:
            assert resolved(podium, folder) == {"@cy": 120, "ada@x.org": 1, "bob@x.org": 1}
        asked = double.asked()
        with desk(db, double) as podium:
            assert resolved(podium, folder) == {"@cy": 120, "@ada": 1, "@bob": 1}
        assert double.asked() == asked + 1 and double.seen[-1].commits == 1


def test_a_board_without_network_is_complete_and_says_so(db: Database, repository: Build, accounts: Accounts) -> None:
    folder = repository(("ada@x.org", "Work"), ("583231+octocat@users.noreply.github.com", "Work"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with GitHubDouble({"o/r": folder}, accounts) as double:
        pass
    away = type("Away", (), {"api_url": f"http://127.0.0.1:{port}", "graphql_url": f"http://127.0.0.1:{port}/g"})
    for tokens in ((TOKEN,), ()):
        with desk(db, away, tokens=tokens, max_faults=2, speedup=1000) as podium:  # type: ignore[arg-type]
            number = podium.count(folder)
            with db.write() as session:
                # As after seven rounds without progress.
                session.run("UPDATE repository SET attempts = 7")
            assert podium.resolve(number).state == "completed"
            assert podium.rows(number) == {"ada@x.org": 1, "@octocat": 1}
            assert "GitHub cannot be reached" in reason(podium)
    assert double.asked() == 0


def test_rounds_without_progress_are_counted_until_there_is_progress(
    db: Database, repository: Build, accounts: Accounts
) -> None:
    folder = repository(("ada@x.org", "Work"))
    with (
        GitHubDouble({"o/r": folder}, accounts, script=Script(["500"] * 2)) as double,
        desk(db, double, max_faults=2, speedup=1000) as podium,
    ):
        number = podium.count(folder)
        podium.users.run(number, podium.row(number).generation, 0, podium.stop)
        row = podium.row(number)
        assert (row.state, row.attempts) == ("users_processing", 1)
        assert row.not_before is not None
        # Too early: nothing happens.
        podium.users.run(number, row.generation, 0, podium.stop)
        assert double.asked() == 2
        with db.write() as session:
            session.run("UPDATE repository SET not_before = {now}")
        assert podium.resolve(number).attempts == 0
        assert podium.rows(number) == {"@ada": 1}


# --- jobs that run twice or late, or are stopped


def test_a_batch_that_is_enqueued_twice_is_looked_up_once(db: Database, repository: Build, accounts: Accounts) -> None:
    folder = repository(("ada@x.org", "Work"))
    with GitHubDouble({"o/r": folder}, accounts) as double, desk(db, double) as podium:
        number = podium.count(folder)
        generation = podium.row(number).generation
        for wrong in (generation - 1, generation, generation, generation + 1):
            podium.users.run(number, wrong, 0, podium.stop)
        assert double.asked() == 1
        assert podium.row(number).state == "completed"


def test_an_email_known_meanwhile_is_not_looked_up(db: Database, repository: Build, accounts: Accounts) -> None:
    folder = repository(("ada@x.org", "Work"), ("bob@x.org", "Work"))
    with GitHubDouble({"o/r": folder, "o/s": folder}, accounts) as double, desk(db, double) as podium:
        first, second = podium.count(folder), podium.count(folder, "o/s")
        podium.resolve(first)
        assert double.asked() == 1
        assert podium.resolve(second).state == "completed"
        assert double.asked() == 1
        assert podium.rows(second) == {"@ada": 1, "@bob": 1}


def test_a_stopped_worker_releases_its_batch(db: Database, repository: Build, accounts: Accounts) -> None:
    folder = repository(("ada@x.org", "Work"))
    with (
        GitHubDouble({"o/r": folder}, accounts, script=Script(["500"])) as double,
        desk(db, double) as podium,
    ):
        number = podium.count(folder)
        podium.stop.set()
        podium.users.run(number, podium.row(number).generation, 0, podium.stop)
        row = podium.row(number)
        assert (row.state, row.attempts, row.not_before) == ("users_processing", 0, None)
        podium.stop.clear()
        podium.resolve(number)
        assert podium.rows(number) == {"@ada": 1}


def test_a_worker_that_lost_its_batch_saves_nothing(db: Database, repository: Build, accounts: Accounts) -> None:
    folder = repository(("ada@x.org", "Work"))
    with GitHubDouble({"o/r": folder}, accounts) as double, desk(db, double) as podium:
        number = podium.count(folder)

        class Thief:
            """Claims the batch during its lookup."""

            def find(self, *arguments: object) -> object:
                with db.write() as session:
                    session.run("UPDATE commit_data SET claim_token = 'thief'")
                return podium.users.lookup.find(*arguments)  # type: ignore[arg-type]

        late = dataclasses.replace(podium.users, lookup=Thief())  # type: ignore[arg-type]
        late.run(number, podium.row(number).generation, 0, podium.stop)
        assert double.asked() == 1
        with db.read() as session:
            assert session.value("SELECT count(*) FROM known_email") == 0
            assert session.value("SELECT claim_token FROM commit_data") == "thief"
        assert podium.row(number).state == "users_processing"


def test_a_limit_in_force_survives_the_process(db: Database, repository: Build, accounts: Accounts) -> None:
    folder = repository(("ada@x.org", "Work"))
    with GitHubDouble({"o/r": folder}, accounts, script=Script(["403-secondary"]), pause=60) as double:
        with desk(db, double) as podium:
            number = podium.count(folder)
            podium.users.run(number, podium.row(number).generation, 0, podium.stop)
            row = podium.row(number)
            assert "waitingUntil" in (row.progress or "")
            assert (row.attempts, row.state) == (0, "users_processing")
            with db.write() as session:
                session.run("UPDATE repository SET not_before = NULL")
        with desk(db, double) as podium:
            podium.users.run(number, row.generation, 0, podium.stop)
            assert double.asked() == 1
            assert podium.row(number).not_before is not None
        with db.read() as session:
            assert session.value("SELECT key FROM github_limit") == token_key(TOKEN)


def test_several_tokens_have_a_budget_each(db: Database, repository: Build, accounts: Accounts) -> None:
    folder = repository(*((f"p{n}@x.org", "Work") for n in range(400)))
    with (
        GitHubDouble({"o/r": folder}, accounts, tokens=("one", "two"), limit=4) as double,
        desk(db, double, tokens=("one", "two")) as podium,
    ):
        number = podium.count(folder)
        assert podium.resolve(number).state == "completed"
        assert double.asked() == 8
        assert {seen.token for seen in double.seen} == {"one", "two"}
        assert not podium.waits


def test_a_row_without_sample_commits_is_not_looked_up(db: Database, repository: Build, accounts: Accounts) -> None:
    folder = repository(("ada@x.org", "Work"))
    number = add_repository(db, state="users_processing", generation=1)
    add_person(db, number, "ada@x.org")
    with db.write() as session:
        session.run("UPDATE commit_data SET batch = 0, sample_sha = ''")
        save_log_of_people(session, number, 1_700_000_000)
    with GitHubDouble({"o/r": folder}, accounts) as double, desk(db, double) as podium:
        assert podium.resolve(number).state == "completed"
        assert podium.rows(number, Rules()) == {"ada@x.org": 1}
        assert double.asked() == 0
