from __future__ import annotations

from pathlib import Path

import pytest

from podium.blocks import block_list
from podium.blocks.block_list import BlockKind
from podium.errors import Blocked, PodiumError
from podium.repositories.address import parse_address
from podium.storage.session import Database
from tests.support.web import open_site

GITHUB = "https://github.com"


@pytest.mark.parametrize(
    ("kind", "blocked", "address"),
    [
        ("repository", "octo/hello", "https://github.com/Octo/HELLO.git"),
        ("repository", "octo/hello", "git@github.com:octo/hello"),
        ("repository", "https://git.example.org/team/tool.git", "https://git.example.org/Team/t%6Fol"),
        ("owner", "octo", "octo/hello"),
        ("owner", "@Octo", "OCTO/other"),
        ("owner", "git.example.org/team", "https://git.example.org/team/sub/tool"),
        ("address", "https://git.example.org", "https://git.example.org/a/b"),
        ("address", "git.example.org", "https://git.example.org:8443/a/b"),
        ("address", "https://git.example.org/team/", "https://git.example.org/team/tool"),
    ],
)
def test_blocked_in_each_spelling(db: Database, kind: str, blocked: str, address: str) -> None:
    value = block_list.value_of(BlockKind(kind), blocked, GITHUB)
    with db.write() as session:
        assert block_list.add(session, BlockKind(kind), value, reason="spam")
        assert not block_list.add(session, BlockKind(kind), value)
        for parsed in (parse_address(address), parse_address(address).at_revision("v1.0")):
            with pytest.raises(Blocked, match="spam"):
                block_list.check(session, parsed)
        block_list.check(session, parse_address("https://git.example.com/octoteam/hello2"))
        assert [(each.kind, each.reason) for each in block_list.blocks(session)] == [(kind, "spam")]
        assert block_list.remove(session, BlockKind(kind), value)
        block_list.check(session, parse_address(address))


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("owner", ""),
        ("owner", "github.com"),
        ("owner", "a b"),
        ("address", "octo"),
        ("address", "x.org/?a"),
        ("repository", "x"),
    ],
)
def test_what_is_no_block(kind: str, text: str) -> None:
    with pytest.raises(PodiumError):
        block_list.value_of(BlockKind(kind), text, GITHUB)


def test_an_operator_blocks_in_the_api(tmp_path: Path) -> None:
    with open_site(tmp_path) as site:
        admin, stranger = site.administrator(), site.client()
        body = {"kind": "owner", "value": "octo", "reason": "spam"}
        assert stranger.post("/blocks", json=body).status_code == 401
        assert admin.post("/blocks", json=body).status_code == 204
        (entry,) = admin.get("/blocks").json()
        assert (entry["kind"], entry["value"], entry["reason"]) == ("owner", "github.com/octo", "spam")
        answer = stranger.post("/leaderboard?repoUrl=octo/hello&rev=main")
        assert (answer.status_code, answer.json()["code"]) == (403, "blocked")
        assert not site.queues.enqueued
        assert admin.post("/blocks/remove", json=body).status_code == 204
        assert admin.post("/blocks/remove", json=body).status_code == 404
        assert stranger.post("/leaderboard?repoUrl=octo/hello").status_code == 202
