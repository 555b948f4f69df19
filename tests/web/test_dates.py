"""Every accepted date is safe on every route."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from podium.history.commit import EARLIEST, LATEST
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
    "/r/o/r": [{}, {"row": "2"}, {"find": "a"}],
    "/row/1/2": [{}],
    "/find/1": [{"find": "a"}],
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


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("dates")) as site:
        repository = site.repository("o/r")
        site.person(repository, "Ada", "ada@example.org", 5)
        site.account("ada@example.org", "ada")
        for name, moment in (("old", EARLIEST), ("new", LATEST)):
            site.person(repository, name, f"{name}@example.org", when=moment)
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
            assert answer.status_code in (200, 400, 403, 404), (path, answer.text)
