"""Every accepted date is safe on every route."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from podium.history.commit import LATEST
from podium.leaderboard import rules
from podium.timeutil import DAY
from tests.support.boards import at
from tests.support.web import Site, open_site

ACCEPTED = [
    {"until": "9999-12-31"},
    {"since": "9999-12-25", "until": "9999-12-31T23:59:59Z"},
    {"since": "0001-01-01"},
    {"since": "0001-01-01", "until": "0001-01-01"},
    {"since": "0001-01-01", "until": "9999-12-31"},
    {"since": "0099-02-28", "until": "0996-02-29"},
    {"since": "1969-12-31", "until": "1970-01-01"},
    {"since": "2024-02-29", "until": "2024-02-29"},
]
# Each route with a window, and its other parameters.
WINDOWED: dict[str, list[dict[str, str]]] = {
    "/leaderboard": [{"repoUrl": "o/r"}, {"repoUrl": "o/r", "sparklines": "include"}],
    "/leaderboard/activity": [{"repoUrl": "o/r"}],
    "/leaderboard/find": [{"repoUrl": "o/r", "q": "a"}],
    "/leaderboard/explain": [{"repoUrl": "o/r", "login": "ada"}, {"repoUrl": "o/r", "email": "new@example.org"}],
    "/leaderboard/person": [{"repoUrl": "o/r", "person": "ada"}],
    "/r/o/r": [{}, {"row": "2"}, {"find": "a"}],
    "/row/1/2": [{}],
    "/find/1": [{"find": "a"}],
    "/chart/1": [{}],
    "/r/o/r/badge.svg": [{}],
    "/r/o/r/card.svg": [{}],
    "/r/o/r/board.csv": [{}],
    "/r/o/r/board.md": [{}],
    "/r/o/r/board.json": [{}],
}
_VALUES = {
    "{path:path}": "o/r",
    "{path:board}": "o/r",
    "{format:format}": "csv",
    "{number}": "1",
    "{person}": "2",
    "{id}": "1",
}


# The day of the server's clock.
TODAY = "2024-05-31"


def set_clock(monkeypatch: pytest.MonkeyPatch, day: str) -> None:
    monkeypatch.setattr(rules, "current_day", lambda: at(day) // DAY)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("dates")) as site:
        repository = site.repository("o/r")
        site.person(repository, "Ada", "ada@example.org", 5)
        site.account("ada@example.org", "ada")
        for name, moment in (("old", at("0001-01-07")), ("new", LATEST)):
            site.person(repository, name, f"{name}@example.org", when=moment)
        for day in ("2024-05-30", "2024-05-31", "2024-06-01"):
            site.person(repository, f"of {day}", f"{day}@example.org", when=at(day))
        yield site


@pytest.mark.parametrize("path", WINDOWED)
def test_a_window_is_applied_or_refused(site: Site, path: str) -> None:
    client = site.client()
    for parameters in WINDOWED[path]:
        for window in ACCEPTED:
            answer = client.get(f"{path}?{urlencode(parameters | window)}")
            assert answer.status_code == 200, (parameters, window, answer.text)
        backwards = {"since": "9999-12-31", "until": "0001-01-01"}
        assert client.get(f"{path}?{urlencode(parameters | backwards)}").status_code == 400


def test_other_routes_have_no_window(site: Site) -> None:
    client = site.administrator()
    for route in site.app.state.routes:
        path = route.path
        for written, value in _VALUES.items():
            path = path.replace(written, value)
        if "GET" in route.methods and path not in WINDOWED:
            answer = client.get(f"{path}?since=0001-01-01&until=9999-12-31")
            assert answer.status_code in (200, 303, 400, 403, 404), (path, answer.text)


# Words


@pytest.mark.parametrize("path", WINDOWED)
def test_words_are_the_same_window_as_their_days(site: Site, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    set_clock(monkeypatch, TODAY)
    client = site.client(address="192.0.2.1")
    for parameters in WINDOWED[path]:
        days, words = (
            client.get(f"{path}?{urlencode(parameters | window)}")
            for window in (
                {"since": "2024-04-01", "until": "2024-05-30"},
                {"since": "last month", "until": "yesterday"},
            )
        )
        assert (words.status_code, words.text) == (200, days.text)
        assert words.headers.get("etag") == days.headers.get("etag")
        refused = client.get(f"{path}?{urlencode(parameters | {'until': '2024-02-30'})}")
        assert refused.status_code == 400
        assert "until: " in refused.json()["detail"]


@pytest.mark.parametrize("path", WINDOWED)
def test_words_name_other_days_on_the_next_day(site: Site, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    client = site.client(address="198.51.100.1")
    for parameters in WINDOWED[path]:
        url = f"{path}?{urlencode(parameters | {'since': '1.day.ago'})}"
        set_clock(monkeypatch, TODAY)
        before = [client.get(url).text for _ in range(2)]
        set_clock(monkeypatch, "2024-06-01")
        after = client.get(url).text
        assert before[0] == before[1]
        assert after == client.get(f"{path}?{urlencode(parameters | {'since': TODAY})}").text


def test_a_page_links_to_days_and_never_to_words(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    set_clock(monkeypatch, TODAY)
    page = site.client().get("/r/o/r?since=last+quarter&until=%20this%20year%20&find=ada").text
    assert "Commits authored from <strong>2024-01-01</strong> to <strong>2024-12-31</strong>" in page
    assert page.count("since=2024-01-01&amp;until=2024-12-31") > 5
    assert 'name="since" value="2024-01-01"' in page
    for words in ("since=last", "until=+", "until=this"):
        assert words not in page


def test_spaces_are_no_window_on_the_page(site: Site) -> None:
    assert "The whole history." in site.client().get("/r/o/r?since=+&until=%09").text
