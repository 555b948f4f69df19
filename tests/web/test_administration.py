"""The administrator's pages: who may see them, what they show, and what their forms do."""

from __future__ import annotations

import re
import threading
from typing import Any

import httpx
import pytest

from podium.audit import audit_log
from podium.cli.commands.queue_command import table
from podium.errors import PodiumError, QueueError
from podium.jobs.messages.queues import COMMITS
from podium.monitoring import alarms
from podium.storage import migrate
from podium.web.admin_sessions import SESSION, Sessions
from podium.web.administration.doctor_report import EVERY, DoctorReport
from podium.web.wrong_tokens import MOST_RECORDED, MOST_WRONG, RefusalTimes
from podium.workers.heartbeat import Heartbeat
from tests.support.cli import ADMIN_TOKEN
from tests.support.web import Client, Open, Site

ORIGIN = {"origin": "http://localhost:3000"}
PAGES = ("/admin", "/admin/work", "/admin/queue", "/admin/failures", "/admin/blocks", "/admin/audit")
ACTS = (
    *("retry", "drop", "move", "keep-board", "start-over", "pause", "resume", "limit"),
    *("forget", "forget-person", "block", "unblock", "sign-out"),
)


class Session:
    """A browser that is signed in, without scripts."""

    def __init__(self, site: Site) -> None:
        self._client = Client(site.app, host="localhost:3000")
        answer = sign_in(site, ADMIN_TOKEN)
        assert (answer.status_code, answer.headers["location"]) == (303, "/admin")
        self.cookie = {"cookie": answer.headers["set-cookie"].partition(";")[0]}

    def get(self, url: str) -> httpx.Response:
        return self._client.get(url, headers=self.cookie)

    def send(self, act: str, *, token: str | None = None, **fields: Any) -> httpx.Response:
        if token is None:
            found = re.search(r'name="form" value="([0-9a-f]{64})"', self.get("/admin/audit").text)
            assert found
            token = found[1]
        return self._client.post(f"/admin/{act}", headers=self.cookie | ORIGIN, data={"form": token, **fields})


def sign_in(site: Site, token: str, **headers: str) -> httpx.Response:
    return Client(site.app, host="localhost:3000").post(
        "/admin/sign-in", headers=ORIGIN | headers, data={"token": token}
    )


def entries(site: Site) -> list[tuple[str, str, str]]:
    with site.db.read() as session:
        return [(entry.actor, entry.act, entry.subject) for entry in audit_log.latest(session, 100)]


def failed(site: Site, text: str, code: str | None = "not-found", **columns: Any) -> int:
    row = {"error": f"It failed: {code}.", "error_code": code} | columns
    return site.repository(text, state="failed", **row)


# Sign in


def test_the_token_opens_a_session_that_ends(open_with: Open) -> None:
    site = open_with()
    form = site.client().get("/admin")
    assert form.status_code == 200
    assert 'type="password"' in form.text
    assert form.headers["cache-control"] == "private, no-store"
    answer = sign_in(site, f" {ADMIN_TOKEN} ")
    words = [word.strip().lower() for word in answer.headers["set-cookie"].split(";")]
    assert {"httponly", "samesite=strict", "path=/", f"max-age={SESSION}"} <= set(words)
    assert ADMIN_TOKEN not in answer.headers["set-cookie"] + answer.headers["location"]

    session = Session(site)
    assert "Sign out" in session.get("/admin").text
    assert session.get("/queues").status_code == 200
    assert session.send("sign-out").status_code == 303
    # The cookie is worth nothing any more, and neither is a copy of it.
    assert session.get("/queues").status_code == 401
    assert 'type="password"' in session.get("/admin").text
    assert [act for _, act, _ in entries(site)] == ["sign-out", "sign-in", "sign-in"]


def test_the_cookie_is_secure_where_the_page_is(open_with: Open) -> None:
    site = open_with()
    answer = site.client().post("https://localhost:3000/admin/sign-in", data={"token": ADMIN_TOKEN})
    assert "; Secure" in answer.headers["set-cookie"]


def test_wrong_tokens_are_refused_slowed_down_and_recorded(open_with: Open, caplog: pytest.LogCaptureFixture) -> None:
    site = open_with()
    for guess in ("", "x", "é" * 50, ADMIN_TOKEN[:-1]):
        answer = sign_in(site, guess)
        assert answer.status_code == 403
        assert "set-cookie" not in answer.headers
        assert "That is not the administrator" in answer.text
    for _ in range(MOST_WRONG):
        answer = sign_in(site, "a-guess-of-a-token")
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    assert sign_in(site, ADMIN_TOKEN).status_code == 429
    assert {act for _, act, _ in entries(site)} == {"sign-in refused"}
    assert len(entries(site)) <= MOST_WRONG
    assert "a-guess" not in caplog.text


def test_refused_sign_ins_of_many_clients_do_not_fill_the_audit_log() -> None:
    now = [0.0]
    times = RefusalTimes(clock=lambda: now[0])
    assert sum(times.may_record() for _ in range(100)) == MOST_RECORDED
    now[0] = 60.0
    assert times.may_record()


def test_a_server_without_an_administrator_says_how_to_have_one(open_with: Open) -> None:
    site = open_with(admin_token="")
    answer = site.client().get("/admin")
    assert answer.status_code == 404
    assert "PODIUM_ADMIN_TOKEN" in answer.text
    assert "<form" not in answer.text.partition("<main")[2].partition("</main>")[0]
    assert sign_in(site, "").status_code == 404


@pytest.mark.parametrize(
    "value",
    ["", "1.2.3", "9999999999.a.b", "9999999999", "é.é.é", f"{10**13}.x.{'0' * 64}", f"٣.x.{'0' * 64}"],
)
def test_a_made_up_cookie_opens_nothing(value: str) -> None:
    assert not Sessions(ADMIN_TOKEN).is_valid(value)


def test_cookies_differ_and_end() -> None:
    now = [1000.0]
    sessions = Sessions(ADMIN_TOKEN, clock=lambda: now[0])
    first, second = sessions.new(), sessions.new()
    assert first != second
    assert sessions.is_valid(first)
    assert not Sessions("another token of 16").is_valid(first)
    sessions.end(first)
    assert not sessions.is_valid(first)
    assert sessions.is_valid(second)
    now[0] += SESSION
    assert not sessions.is_valid(second)


# Who may


def test_strangers_get_the_form_and_change_nothing(open_with: Open) -> None:
    site = open_with()
    number = failed(site, "octo/gone")
    client = Client(site.app, host="localhost:3000")
    for path in (*PAGES[1:], f"/admin/forget?id={number}"):
        answer = client.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/admin")
        assert "octo" not in answer.text
    for act in ACTS:
        answer = client.post(f"/admin/{act}", headers=ORIGIN, data={"id": number, "kind": "owner", "value": "a"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/admin")
    assert entries(site) == []


def test_a_form_counts_only_with_the_token_of_its_session_and_from_its_origin(open_with: Open) -> None:
    site = open_with()
    number = failed(site, "octo/gone")
    session, other = Session(site), Session(site)
    foreign = re.search(r'name="form" value="(\w+)"', other.get("/admin").text)
    assert foreign
    before = len(entries(site))
    for token in ("", "x", foreign[1]):
        for act in ACTS[:-1]:
            answer = session.send(act, token=token, id=number, kind="owner", value="a")
            assert answer.status_code == 403, act
    client = Client(site.app, host="localhost:3000")
    for origin in ({}, {"origin": "http://localhost:3001"}, {"origin": "https://evil.example"}, {"origin": "null"}):
        answer = client.post("/admin/retry", headers=session.cookie | origin, data={"form": foreign[1], "id": number})
        assert answer.status_code in (303, 403)
    assert len(entries(site)) == before
    assert session.send("sign-out", token="x").status_code == 303
    assert session.get("/queues").status_code == 200


# What they show


def test_every_page_shows_hostile_text_as_text(open_with: Open) -> None:
    site = open_with()
    evil = "<script>alert(1)</script>\u202e"
    number = failed(site, "octo/gone", error=evil)
    waiting = site.repository("octo/wait", state="pending", waiting_reason=evil, not_before=4e9)
    with site.db.write() as session:
        audit_log.record(session, audit_log.API, "retry", "https://u:secret@h/o/r", evil)
        session.run("INSERT INTO git_host (host, down_since, message) VALUES ('h.example', 5.5, :evil)", evil=evil)
        session.run(
            "INSERT INTO worker VALUES ('w', :evil, 1, '1.0', 'commits', :report, {now}, {now})", evil=evil, report="{}"
        )
        session.run(
            """INSERT INTO worker_fault (repository_id, worker_id, code, message, at)
            VALUES (:id, 'w', 'disk', :evil, 5.5)""",
            id=waiting,
            evil=evil,
        )
        session.run("INSERT INTO block (kind, value, reason, at) VALUES ('owner', 'h/o', :evil, 5.5)", evil=evil)
    browser = Session(site)
    for path in (*PAGES, f"/admin/forget?id={number}"):
        answer = browser.get(path)
        assert answer.status_code == 200, path
        assert "<script>alert" not in answer.text
        assert "secret@" not in answer.text
        assert answer.headers["cache-control"] == "private, no-store"
        assert "noindex" in answer.text
    overview = browser.get("/admin").text
    for words in ("h.example", "not-found", "octo/wait", "Podium 1.0", "Retry all", "podium doctor"):
        assert words in overview
    assert "It is refused" not in overview


def test_failures_are_grouped_by_kind_and_paged(open_with: Open) -> None:
    site = open_with()
    for number in range(52):
        failed(site, f"octo/gone{number}", updated_at=1000.0 + number)
    failed(site, "octo/large", "too-large")
    failed(site, "octo/unknown", "too-large", error_code=None)
    session = Session(site)
    first = session.get("/admin/failures").text
    assert "not-found 52" in first and "Retry all 52 of this kind" in first
    assert "Retry the only one of this kind" in session.get("/admin/failures?kind=too-large").text
    assert "octo/gone51<" in first and "octo/gone1<" not in first and "octo/large" not in first
    assert "octo/gone1<" in session.get("/admin/failures?kind=not-found&offset=50").text
    assert "octo/unknown" in session.get("/admin/failures?kind=").text
    assert session.get("/admin/failures?kind=%00nothing").status_code == 200


def test_the_audit_log_is_paged(open_with: Open) -> None:
    site = open_with()
    with site.db.write() as session:
        for number in range(120):
            audit_log.record(session, audit_log.API, "retry", f"number {number}.")
    browser = Session(site)
    first = browser.get("/admin/audit").text
    assert "number 119." in first and "number 15." not in first
    older = re.search(r'href="(/admin/audit\?before=\d+)"', first)
    assert older
    assert "number 15." in browser.get(older[1]).text


def test_a_database_or_queue_that_is_away_is_said(open_with: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    site = open_with()
    session = Session(site)

    def away(*_: object) -> None:
        raise QueueError("Redis does not answer.")

    class Monitor:
        source = "redis"
        depths = away

    object.__setattr__(site.services.inspector, "queues", Monitor())
    page = session.get("/admin")
    assert page.status_code == 200
    assert "Redis does not answer." in page.text and "Failures" in page.text
    monkeypatch.setattr(type(site.services.inspector), "overview", away)
    page = session.get("/admin")
    assert page.status_code == 200
    assert "Redis does not answer." in page.text


def test_a_worker_that_cannot_count_is_not_ready_and_pending_repositories_say_so(open_with: Open) -> None:
    site = open_with()
    number = site.repository("octo/wait", state="pending")
    browser = Session(site)
    assert "No worker can count now: none" in browser.get("/admin").text
    report: dict[str, Any] = {"problem": "The disk of /data is full.", "revision": "an older one"}
    Heartbeat(site.db, [COMMITS], lambda: report, "w").beat()
    page = browser.get("/admin").text
    for words in ("not ready", "Not counting: The disk of /data is full.", "an older one", "Runs another version"):
        assert words in page
    document = site.client().get(f"/repositories/{number}").json()
    assert document["waitingReason"].startswith("No worker can count now: each has a full disk or no git.")
    assert document["waitingReason"] in site.client().get("/r/octo/wait").text
    for path in ("/admin", "/admin/work"):
        assert "No worker can count now: The disk of /data is full." in browser.get(path).text
    assert "/data" not in site.client().get("/r/octo/wait").text
    report.update(problem=None, revision=migrate.HEAD)
    Heartbeat(site.db, [COMMITS], lambda: report, "w").beat()
    page = browser.get("/admin").text
    for words in ("not ready", "Not counting", "another version", "No worker can count"):
        assert words not in page


# What their forms do


def test_a_failure_is_retried_alone_and_with_its_kind(open_with: Open) -> None:
    site = open_with()
    numbers = [failed(site, f"octo/gone{number}") for number in range(3)]
    large = failed(site, "octo/large", "too-large")
    session = Session(site)
    answer = session.send("retry", id=numbers[0], back="/admin/failures")
    assert (answer.status_code, answer.headers["location"]) == (303, "/admin/failures?done=retried")
    assert "It is tried again." in session.get(answer.headers["location"]).text
    assert session.send("retry", kind="not-found").status_code == 303
    with site.db.read() as reading:
        rows = reading.all("SELECT id, state FROM repository ORDER BY id")
    assert [row["id"] for row in rows if row["state"] == "failed"] == [large]
    assert entries(site)[:2] == [
        ("admin page", "retry", "all that failed as not-found: 2"),
        ("admin page", "retry", "https://github.com/octo/gone0"),
    ]
    assert session.send("retry", id=4711).status_code == 404
    assert session.send("retry", id="' OR 1").status_code == 400


def test_all_that_failed_are_retried_only_where_the_form_says_so(open_with: Open) -> None:
    site = open_with()
    unknown, gone = failed(site, "octo/unknown", code=None), failed(site, "octo/gone")

    def are_failed() -> set[int]:
        with site.db.read() as reading:
            return {row["id"] for row in reading.all("SELECT id FROM repository WHERE state = 'failed'")}

    session = Session(site)
    page = session.get("/admin/failures?kind=").text
    assert "octo/unknown" in page and '<input type="hidden" name="kind" value="">' in page
    for fields in ({}, {"all": ""}, {"all": "yes"}):
        answer = session.send("retry", **fields)
        assert answer.status_code == 400 and "does not say what to retry" in answer.text
    assert session.send("retry", id="").status_code == 400
    assert are_failed() == {unknown, gone}
    assert session.send("retry", kind="", back="/admin/failures").status_code == 303
    assert are_failed() == {gone}
    assert session.send("retry", all="true").status_code == 303
    assert not are_failed()


HEADINGS = {"/admin": "Administration", "/admin/work": "In work and waiting", "/admin/failures": "Failures"}


@pytest.mark.parametrize("page", HEADINGS)
@pytest.mark.parametrize("act", ["retry", "drop", "move", "forget", "keep-board", "start-over"])
def test_an_error_is_shown_on_the_page_of_its_form(open_with: Open, act: str, page: str) -> None:
    site = open_with()
    failed(site, "octo/gone")
    session = Session(site)
    found = session.send(act, id=4711, back=page)
    unreadable = session.send(act, id="<b>", back=page)
    for answer, status in ((found, 404), (unreadable, 400)):
        assert answer.status_code == status
        assert f"<h1>{HEADINGS[page]}</h1>" in answer.text
        assert 'class="status error" role="alert"' in answer.text
        assert f'href="{page}" aria-current="page"' in answer.text
        assert "no-store" in answer.headers["cache-control"]
    assert "4711" in found.text or "any more" in found.text
    # Each form says which page it is of.
    assert f'name="back" value="{page}"' in session.get(page).text or page == "/admin/work"


def test_a_question_about_a_repository_that_is_gone_is_answered_in_the_administration(open_with: Open) -> None:
    answer = Session(open_with()).get("/admin/forget?id=4711")
    assert answer.status_code == 404
    assert "<h1>Administration</h1>" in answer.text and "4711" in answer.text


# Boards whose names other repositories have


def taken(site: Site, name: str = "octo/old") -> int:
    """A board whose name another repository has at its host."""
    number = site.repository(name, host_number="1")
    with site.db.write() as session:
        session.run(
            "UPDATE repository SET name_taken_at = {now}, taken_number = '2' WHERE id = :id",
            id=number,
        )
    return number


def test_what_waits_is_hidden_or_undecided_is_shown_everywhere(open_with: Open) -> None:
    site = open_with()
    undecided, hidden = taken(site), site.repository("octo/hidden", hidden_at=1000.0)
    waiting = site.repository(
        "octo/waits", state="pending", waiting_code="host-error", waiting_reason="It is <b>down</b>."
    )
    overview = site.administrator().get("/queues").json()
    assert [one["id"] for one in overview["undecided"]] == [undecided]
    assert overview["undecided"][0].keys() == {"id", "url", "since"}
    said = table(site.app.state.context.services.inspector.overview())
    assert f"Another repository has taken the name of:\n#{undecided} https://github.com/octo/old, for " in said
    page = Session(site).get("/admin").text
    for section, number in (("delayed", waiting), ("hidden", hidden), ("taken", undecided)):
        card = page.partition(f'<h2 id="{section}">')[2].partition("</section>")[0]
        assert f"<strong>#{number} " in card, section
    assert "It is &lt;b&gt;down&lt;/b&gt;." in page
    facts = alarms.read(site.db, no_progress_after=60)
    assert [one.values for one in alarms.gauges(facts) if one.name == "podium_boards_undecided"] == [{(): 1}]


def test_a_board_whose_name_is_taken_is_kept(open_with: Open) -> None:
    site = open_with()
    number = taken(site)
    session = Session(site)
    assert "octo/old" in session.get("/admin").text and "start-over" in session.get("/admin").text
    answer = session.send("keep-board", id=number)
    assert answer.headers["location"] == "/admin?done=kept"
    assert "start-over" not in session.get("/admin").text
    assert entries(site)[0] == ("admin page", "keep board", "https://github.com/octo/old")
    assert site.client().get(f"/repositories/{number}").status_code == 200
    assert session.send("keep-board", id=site.repository("octo/other")).status_code == 409


def test_a_board_whose_name_is_taken_starts_over_and_no_copy_of_it_is_served(
    open_with: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = open_with()
    number = taken(site)
    session = Session(site)
    dropped: list[bool] = []
    context = site.app.state.context
    monkeypatch.setattr(type(context), "drop_copies", lambda _: dropped.append(True))
    assert session.send("start-over", id=number).headers["location"] == "/admin?done=started-over"
    assert entries(site)[0] == ("admin page", "start over", "https://github.com/octo/old")
    with site.db.read() as reading:
        rows = reading.all("SELECT id, state FROM repository WHERE key = 'github.com/octo/old'")
    assert [row["state"] for row in rows] == ["pending"] and rows[0]["id"] != number
    assert dropped
    dropped.clear()
    assert session.send("forget", id=rows[0]["id"]).status_code == 303
    assert dropped


def test_a_waiting_repository_is_dropped(open_with: Open) -> None:
    site = open_with()
    number = site.repository("octo/wait", state="pending")
    session = Session(site)
    assert "octo/wait" in session.get("/admin/work").text
    assert session.send("drop", id=number).headers["location"] == "/admin/work?done=dropped"
    assert "octo/wait" not in session.get("/admin/work").text
    assert session.send("drop", id=number).status_code == 409
    assert ("admin page", "drop", "https://github.com/octo/wait") in entries(site)


@pytest.mark.parametrize("block", [False, True])
def test_a_repository_is_forgotten_after_a_question(open_with: Open, *, block: bool) -> None:
    site = open_with()
    number = failed(site, "octo/gone")
    session = Session(site)
    question = session.get(f"/admin/forget?id={number}").text
    assert "octo/gone" in question and "cannot be undone" in question
    fields = {"block": "true"} if block else {}
    assert session.send("forget", id=number, **fields).headers["location"] == "/admin?done=forgotten"
    assert session.get(f"/admin/forget?id={number}").status_code == 404
    assert session.send("forget", id=number).status_code == 404
    assert ("octo/gone" in session.get("/admin/blocks").text) == block
    assert ("admin page", "forget", "https://github.com/octo/gone") in entries(site)


def test_a_person_is_forgotten_after_a_question(open_with: Open) -> None:
    site = open_with()
    board = site.repository("octo/hello")
    site.person(board, "Ada Lovelace", "ada@example.org", 3)
    site.person(board, "Bob Stone", "bob@example.org")
    session = Session(site)
    for wrong in ("", "a b", "x" * 501, "https://github.com/ada", "a\u202eb"):
        answer = session.send("forget-person", person=wrong, sure="true")
        assert answer.status_code == 400
        assert "Give a person" in answer.text and 'role="alert"' in answer.text
    question = session.send("forget-person", person=" ada@example.org ")
    assert question.status_code == 200
    assert "Forget <bdi>ada@example.org</bdi>?" in question.text
    assert question.headers["cache-control"] == "private, no-store"
    assert "Ada Lovelace" in site.client().get("/r/octo/hello").text
    answer = session.send("forget-person", person="ada@example.org", sure="true")
    assert (answer.status_code, answer.headers["location"]) == (303, "/admin/blocks?done=person-forgotten")
    blocks = session.get(answer.headers["location"]).text
    assert "The person is forgotten." in blocks and "a keyed hash" in blocks
    assert "Ada Lovelace" not in site.client().get("/r/octo/hello").text
    actor, act, subject = entries(site)[0]
    assert (actor, act) == ("admin page", "forget person")
    # A hash may have these letters.
    assert not re.search("ada([^0-9a-f]|$)", blocks + subject)


def test_an_owner_is_blocked_and_accepted_again(open_with: Open) -> None:
    site = open_with()
    session = Session(site)
    assert session.send("block", kind="owner", value="Spammer", reason="Spam").status_code == 303
    assert "github.com/spammer" in session.get("/admin/blocks").text
    assert session.send("unblock", kind="owner", value="github.com/spammer").status_code == 303
    assert "github.com/spammer" not in session.get("/admin/blocks").text
    assert [act for _, act, _ in entries(site)][:2] == ["unblock owner", "block owner"]
    for fields in ({"kind": "person", "value": "x"}, {"kind": "x", "value": "x"}, {"kind": "owner", "value": " "}):
        answer = session.send("block", **fields)
        assert answer.status_code == 400
        assert 'role="alert"' in answer.text


# What doctor says


def test_doctor_is_asked_once_in_a_while_and_never_twice_at_once() -> None:
    now, asked, go = [0.0], [0], threading.Event()

    def examine() -> list[dict[str, str]]:
        asked[0] += 1
        go.wait(10)
        return [{"check": "git", "level": "ok", "detail": "2.39"}]

    report = DoctorReport(examine, clock=lambda: now[0])
    assert report.latest(0.0) == (None, 0.0)
    assert report.latest(0.0) == (None, 0.0)
    go.set()
    found, _ = report.latest(10.0)
    assert found is not None and found.findings[0]["check"] == "git"
    now[0] = EVERY - 1
    assert report.latest()[1] == EVERY - 1
    assert asked == [1]
    now[0] = EVERY
    assert report.latest()[0] is not None
    assert asked == [2]


def test_doctor_that_fails_is_said() -> None:
    def examine() -> list[dict[str, str]]:
        raise PodiumError("It has not answered.")

    found, _ = DoctorReport(examine).latest(10.0)
    assert found is not None and found.fault == "It has not answered."


# Pauses and limits


def test_a_host_is_paused_after_a_question_and_resumed(open_with: Open) -> None:
    site = open_with()
    site.repository("o/r", state="pending")
    session = Session(site)
    asked = session.send("pause", kind="host", name="github.com")
    assert asked.status_code == 200 and "Pause github.com?" in asked.text and 'name="sure" value="true"' in asked.text
    assert [act for _, act, _ in entries(site)] == ["sign-in"]
    done = session.send("pause", kind="host", name="github.com", sure="true")
    assert (done.status_code, done.headers["location"]) == (303, "/admin/queue?done=paused")
    page = session.get("/admin/queue?done=paused").text
    assert "It is paused." in page and "1 repository waits" in page and 'aria-label="Resume github.com"' in page
    work = session.get("/admin/work").text
    # It continues at no time of its own, and trying it would only park it again.
    assert "An administrator has paused github.com" in work and "continues at" not in work and "Try now" not in work
    assert session.send("resume", kind="host", name="github.com").headers["location"] == "/admin/queue?done=resumed"
    assert "Nothing is paused." in session.get("/admin/queue").text
    assert entries(site)[:2] == [
        ("admin page", "resume host", "github.com"),
        ("admin page", "pause host", "github.com"),
    ]


def test_a_repository_the_schedule_and_a_limit_have_forms(open_with: Open) -> None:
    site = open_with(counts_per_host=3)
    number = site.repository("o/r")
    session = Session(site)
    assert session.send("pause", kind="repository", name="o/r").status_code == 303
    assert session.send("pause", kind="schedule", name="").status_code == 303
    assert session.send("limit", host="github.com", number="2").status_code == 303
    page = session.get("/admin/queue").text
    assert f"Resume #{number}" in page and "Resume the schedule" in page
    assert "0 of 2 counted now" in page and "3 repositories of any other host" in page
    assert session.send("limit", host="github.com", number="").status_code == 303
    assert "counted now" not in session.get("/admin/queue").text


@pytest.mark.parametrize(
    ("act", "fields", "status", "words"),
    [
        ("pause", {"kind": "host", "name": "x.org"}, 404, "No repository of x.org is here."),
        ("pause", {"kind": "host", "name": "<b>"}, 404, "No repository of &lt;b&gt; is here."),
        ("pause", {"kind": "repository", "name": "77"}, 404, "77 is not here"),
        ("pause", {"kind": "schedule", "name": "x"}, 400, "There is one schedule"),
        ("pause", {}, 400, "cannot be paused"),
        ("resume", {"kind": "host", "name": ""}, 400, "Give a host"),
        ("limit", {"host": "github.com", "number": "-1"}, 400, "Give a number"),
        ("limit", {"host": "github.com", "number": "10001"}, 400, "Give a number"),
        ("limit", {"host": "x.org", "number": "1"}, 404, "No repository of x.org"),
    ],
)
def test_what_a_form_of_pauses_cannot_do_is_said_beside_it(
    open_with: Open, act: str, fields: dict[str, str], status: int, words: str
) -> None:
    site = open_with()
    site.repository("o/r")
    answer = Session(site).send(act, **fields)
    assert answer.status_code == status
    assert f'role="alert">{words}' in answer.text or words in answer.text
    assert "Pauses and limits" in answer.text
    assert [act for _, act, _ in entries(site)] == ["sign-in"]


def test_a_repository_that_waits_is_moved_and_shown_with_its_place_and_priority(open_with: Open) -> None:
    site = open_with()
    first, second = (site.repository(f"o/{name}", state="pending") for name in "ab")
    site.change(first, is_scheduled=True)
    session = Session(site)
    page = session.get("/admin/work").text
    assert "for the schedule" in page and "for people" in page and ", place 2," in page
    assert session.send("move", id=second, to="first").headers["location"] == "/admin/work?done=moved"
    page = session.get("/admin/work").text
    assert page.index(f"#{second} ") < page.index(f"#{first} ")
