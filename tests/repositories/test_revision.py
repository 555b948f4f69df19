from __future__ import annotations

import subprocess

import pytest

from podium.errors import BadRule
from podium.repositories.revision import parse_revision, refs_named

NAMES = [
    "v1.0",
    "feature/x",
    "refs/heads/main",
    "refs/tags/v1",
    "heads/x",
    "2024",
    "abc1234",
    "a" * 250,
    "größe",
    "a#b",
]


@pytest.mark.parametrize("name", NAMES)
def test_names_of_branches_and_tags(name: str) -> None:
    assert parse_revision(f" {name} ") == name
    full = name if name.startswith("refs/") else f"refs/heads/{name}"
    assert subprocess.run(["git", "check-ref-format", full], check=False).returncode == 0


@pytest.mark.parametrize("text", ["", "  ", "HEAD", "@"])
def test_the_default_branch_needs_no_name(text: str) -> None:
    assert parse_revision(text) is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("-x", "begin with '-'"),
        ("--upload-pack=evil", "begin with '-'"),
        ("v1..v2", "range"),
        ("v1...v2", "range"),
        ("..", "range"),
        ("main@{1}", "clone"),
        ("@{u}", "clone"),
        ("main~3", "clone"),
        ("main^{commit}", "clone"),
        ("^main", "clone"),
        (":/fix", "clone"),
        ("a" * 300, "longer than 250"),
        ("ü" * 126, "longer than 250"),
        ("a\tb", "control"),
        ("a\0b", "control"),
        ("a\x1b[31m", "control"),
        ("a\u202eb", "control"),
        ("\udcff", "control"),
        ("a b", "spaces"),
        ("0123456789abcdef" * 2 + "01234567", "forks"),
        ("0123456789ABCDEF" * 4, "forks"),
        ("refs/pull/1/head", "no other ref"),
        ("refs/remotes/origin/main", "no other ref"),
        ("refs/heads/", "not a valid name"),
        ("a//b", "not a valid name"),
        ("/a", "not a valid name"),
        ("a/", "not a valid name"),
        ("a.lock", "not a valid name"),
        ("a.lock/b", "not a valid name"),
        (".a", "not a valid name"),
        ("a/.b", "not a valid name"),
        ("a.", "not a valid name"),
        ("a*", "not a valid name"),
        ("a[b", "not a valid name"),
        ("a\\b", "not a valid name"),
    ],
)
def test_what_names_no_branch_or_tag_is_refused_with_what_to_do(text: str, why: str) -> None:
    with pytest.raises(BadRule) as refusal:
        parse_revision(text)
    assert why in refusal.value.message
    assert ":" in refusal.value.message
    assert "\n" not in refusal.value.message


def test_git_prefers_a_tag_to_a_branch() -> None:
    assert refs_named("v1") == ("refs/tags/v1", "refs/heads/v1")
    assert refs_named("heads/v1") == ("refs/heads/v1", "refs/tags/heads/v1", "refs/heads/heads/v1")
    assert refs_named("refs/tags/v1") == ("refs/tags/v1",)
