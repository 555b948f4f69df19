"""`podium schema`: one schema for the documents of the API, the files and the command line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from podium.cli import main
from podium.leaderboard.export.schema import board_schema
from podium.web.api.board_schema import generate
from tests.support import repos
from tests.support.cli import Podium
from tests.support.web import Site

SCHEMA = json.loads(board_schema())
VALIDATOR = Draft202012Validator(SCHEMA)


def models() -> Iterator[dict[str, Any]]:
    yield SCHEMA
    yield from SCHEMA["$defs"].values()


def names(value: object) -> Iterator[str]:
    """The names in a document, at any depth."""
    match value:
        case dict():
            yield from value
            for each in value.values():
                yield from names(each)
        case list():
            for each in value:
                yield from names(each)


def check(document: dict[str, Any]) -> dict[str, Any]:
    assert [error.message for error in VALIDATOR.iter_errors(document)] == []
    odd = {name for name in names(document) if not re.fullmatch("[a-z]+([A-Z][a-z]+)*", name)}
    assert odd == {"top_contributors"}
    return document


def test_the_file_has_the_schema_of_the_model(capsys: pytest.CaptureFixture[str]) -> None:
    assert board_schema() == generate(), "run `make schema`"
    assert main(["schema"]) == 0
    assert capsys.readouterr().out == board_schema()


def test_the_schema_is_valid_and_closed() -> None:
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(SCHEMA)
    assert all(model["additionalProperties"] is False for model in models() if model["type"] == "object")
    assert all(model["description"] for model in models())


def test_the_api_documents_the_same_board(site: Site) -> None:
    schemas = site.client().get("/openapi.json").json()["components"]["schemas"]
    assert schemas["Board"]["properties"].keys() == SCHEMA["properties"].keys()
    assert schemas["Contributor"]["properties"].keys() == SCHEMA["$defs"]["Contributor"]["properties"].keys()


@pytest.mark.parametrize(
    "query",
    [
        "",
        "limit=1&offset=1",
        "roles=include&sparklines=include",
        "bots=only",
        "bots=include&merges=include&coAuthors=include&names=apart&mailmap=ignore",
        "since=2024-04-01&until=2024-12-31&roles=include",
        "until=2000-01-01",
        "since=2024-04-01&new=only",
    ],
)
def test_documents_of_the_api_have_the_schema(site: Site, query: str) -> None:
    number = site.repository()
    bob = site.person(number, "Bob", "bob@example.com", 1)
    site.person(number, "Ada", "ada@example.com", 5, roles=[(bob, 1)])
    site.person(number, "A bot", "1+dependabot[bot]@users.noreply.github.com", 9, kind="bot")
    site.account("ada@example.com", "ada")
    answer = site.client().get(f"/leaderboard?repoUrl=octo/hello&{query}")
    board = check(answer.json())
    assert (board["repository"]["url"], board["repository"]["path"]) == ("https://github.com/octo/hello", None)
    file = re.sub("limit=1&offset=1|&sparklines=include", "", query)
    check(site.client().get(f"/r/octo/hello/board.json?{file}").json())


def test_a_board_whose_refresh_failed_has_the_schema(site: Site) -> None:
    number = site.repository(state="failed", head="a" * 40, error="gone")
    site.person(number, "Ada", "ada@example.com", 3)
    assert check(site.client().get("/leaderboard?repoUrl=octo/hello").json())["error"] == "gone"
    site.change(number, state="completed", error=None, refresh_error="too large", refresh_error_at=1.0)
    board = check(site.client().get("/leaderboard?repoUrl=octo/hello").json())
    assert board["refreshError"]["message"] == "too large"


def test_a_board_of_a_revision_names_it(site: Site) -> None:
    number = site.repository()
    site.person(number, "Ada", "ada@example.com", 3)
    site.change(number, revision="v1.0", url="https://github.com/octo/hello#v1.0")
    board = check(site.client().get("/leaderboard?repoUrl=octo/hello").json())
    assert (board["repository"]["url"], board["repository"]["revision"]) == ("https://github.com/octo/hello", "v1.0")


def test_documents_of_the_command_line_have_the_schema(tmp_path: Path) -> None:
    folder = repos.make_bare(tmp_path / "a #1 caf\u00e9" / ".git")
    repos.chain(folder, [repos.ALICE, repos.BOB, b"dependabot[bot] <x@y> 1700000000 +0000"])
    podium = Podium(tmp_path / "data")
    plain = check(podium.board(str(folder)))
    assert plain["repository"]["url"] is None
    assert plain["repository"]["path"] == str(folder.parent)
    assert (plain["repository"]["host"], plain["repository"]["name"]) == ("", "a #1 caf\u00e9")
    # The path is the only one of this machine.
    text = json.dumps(plain, ensure_ascii=False).replace(str(folder.parent), "")
    assert str(tmp_path) not in text and "file:" not in text
    assert plain["repository"]["revision"] is None
    at = check(podium.board(str(folder), "--rev", "main~1"))
    assert (at["repository"]["revision"], at["repository"]["path"]) == ("main~1", str(folder.parent))
    between = check(podium.board(str(folder), "--rev", "main~2..main", "--new"))
    assert (between["repository"]["revision"], between["rules"]["new"]) == ("main~2..main", "only")
    chosen = ["--roles", "--bots", "include", "--since", "2023-01-01", "--no-identities", "--top", "1"]
    assert check(podium.board(str(folder), *chosen))["rules"]["identities"] == "ignore"
    assert check(podium.board(str(folder), "--sort", "name"))["sort"] == {"column": "name", "reverse": False}
