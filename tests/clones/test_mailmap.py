"""The mailmap: git's identities, and which rows are one person."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from podium.clones.mailmaps.mailmap import Identity, Mailmaps, Pair, find_mailmap, identities
from podium.errors import HistoryError
from podium.git.command import Git
from podium.git.limits import Limits
from podium.history.commit import read_commit
from podium.textutil.raw_bytes import from_bytes, to_bytes
from tests.support import repos

GIT = Git.for_server(Limits(), search_path=os.environ["PATH"])


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return repos.make_bare(tmp_path / "r.git")


def mapped(repository: Path, mailmap: str | bytes, *pairs: Pair) -> dict[Pair, Identity]:
    content = mailmap.encode() if isinstance(mailmap, str) else mailmap
    return identities(GIT, repository, Mailmaps(repos.write(repository, "blob", content)), pairs)


def test_without_a_mailmap_everybody_is_themselves(repository: Path) -> None:
    assert identities(GIT, repository, Mailmaps(), [("A", "a@x")]) == {("A", "a@x"): Identity("a@x", "A", "a@x")}


def test_rows_at_one_mapped_email_are_one_person(repository: Path) -> None:
    found = mapped(
        repository,
        "Proper <P@x> <old@x>\n<p@x> <older@x>\n",
        ("any", "old@x"),
        ("Any Name", "older@x"),
        ("third", "p@x"),
        ("stranger", "s@x"),
    )
    assert found["any", "old@x"] == Identity("p@x", "Proper", "p@x", "repository")
    assert found["Any Name", "older@x"] == Identity("p@x", "Any Name", "p@x", "repository")
    assert found["third", "p@x"].key == "p@x"
    assert found["stranger", "s@x"] == Identity("s@x", "stranger", "s@x")


def test_an_email_that_the_mailmap_gives_to_two_names_is_two_people(repository: Path) -> None:
    found = mapped(
        repository,
        "One <team@x> one <team@x>\nTwo <team@x> two <team@x>\n",
        ("one", "team@x"),
        ("two", "team@x"),
        ("One", "team@x"),
        ("three", "team@x"),
    )
    assert found["one", "team@x"].key == "One <team@x>"
    assert found["two", "team@x"].key == "Two <team@x>"
    assert found["One", "team@x"].key == "One <team@x>"
    assert found["three", "team@x"].key == "team@x"


def test_a_name_that_the_mailmap_says_counts_even_where_it_was_written_so(repository: Path) -> None:
    found = mapped(
        repository,
        "Jane Doe <team@x> <jane@x>\nJohn Roe <team@x> <john@x>\n",
        ("Jane Doe", "jane@x"),
        ("John Roe", "john@x"),
    )
    assert {identity.key for identity in found.values()} == {"Jane Doe <team@x>", "John Roe <team@x>"}


def test_two_spellings_of_a_person_whose_email_alone_is_mapped_stay_one(repository: Path) -> None:
    found = mapped(repository, "<new@x> <old@x>\n", ("Jane", "old@x"), ("jane doe", "old@x"), ("J", "new@x"))
    assert {identity.key for identity in found.values()} == {"new@x"}


def test_git_is_asked_with_the_bytes_of_the_commit(repository: Path) -> None:
    latin_1, other = (from_bytes(b"J\xf6rg M"), "shared@x"), (from_bytes(b"J\xfcrg M"), "shared@x")
    at_bytes = ("B", from_bytes(b"b\xfcro@x"))
    found = mapped(
        repository, b"Joerg M <joerg@x> J\xf6rg M <shared@x>\nB\xfcro <b@x> <b\xfcro@x>\n", latin_1, other, at_bytes
    )
    assert found[latin_1] == Identity("joerg@x", "Joerg M", "joerg@x", "repository")
    assert found[other] == Identity("shared@x", other[0], "shared@x")
    assert found[at_bytes] == Identity("b@x", from_bytes(b"B\xfcro"), "b@x", "repository")


_PIECES = [b"A", b"b", b" ", b"<", b">", b"@x", b"\t", b"\r", b"\xff", b"\xc3\xa9", b"\xc3\x89", b"\xe5\xbc\xa0", b"#"]
_PIECES += [b"'", b'"', b"\xd5\xc5", b"\xe2\x84\xaa", b"K", b"\x0b", b"\0", b",", b"\xc2\xa0"]
_ENCODINGS = [b"encoding CP936", b"encoding latin1", b"encoding utf-8", b"encoding no-such"]


@pytest.mark.parametrize("seed", range(3))
def test_odd_people_are_mapped_as_git_maps_them(repository: Path, seed: int) -> None:
    chance = random.Random(seed)
    words = [b"".join(chance.choices(_PIECES, k=chance.randint(0, 4))) for _ in range(6)]

    def person() -> bytes:
        return chance.choice(words) + b" <" + chance.choice(words) + b">"

    lines = [person() + b" " + (person() if chance.random() < 0.7 else b"") for _ in range(14)]
    tree = repos.write_tree(repository, {".mailmap": b"\n".join(lines).replace(b"\0", b"")})
    people, head = {}, ""
    for _ in range(40):
        headers = [chance.choice(_ENCODINGS)] if chance.random() < 0.4 else []
        line = b"author " + person() + b" 1 +0000"
        head = repos.commit(repository, [head] if head else [], author_line=line, tree=tree, headers=headers)
        people[head] = read_commit(repos.read_loose(repository, head)).author
    blob = find_mailmap(GIT, repository, head)
    found = identities(GIT, repository, Mailmaps(blob), people.values())
    command = ("-c", "mailmap.blob=" + str(blob), "log", "-z", "--format=%H%x01%aN%x01%aE", head)
    for answer in repos.git(repository, *command).rstrip(b"\0").split(b"\0"):
        commit, name, email = answer.split(b"\1")
        # git prints its placeholders where it finds no author.
        if name != b"%aN":
            identity = found[people[commit.decode()]]
            assert (to_bytes(identity.name), to_bytes(identity.email)) == (name, email.lower())


def test_hostile_pairs_are_kept_as_they_are(repository: Path) -> None:
    pairs = [
        ("", ""),
        ("", "a@x"),
        (" lead", "a@x"),
        ("A> B", "a@x"),
        ("a < b", "a@x"),
        ("trail ", "a@x"),
        ("new\nline <z@x>", "a@x"),
        ("A", "b <c"),
        ("A", "b> <c@x"),
        ("A", "new\nline"),
        ("\ufffd", "\ufffd@x"),
        ("-x", "--stdin"),
        ("x" * 5000, "y" * 5000),
    ]
    found = mapped(repository, "Z <z@x> <never@x>\n", *pairs)
    assert found == {(name, email): Identity(email, name, email) for name, email in pairs}


@pytest.mark.parametrize("mailmap", ["", "noise", "<", "<>\n<> <>", "A <a@x> <", "\0\n", "#c\n" * 9, "a" * 99_999])
def test_a_mailmap_that_makes_no_sense_maps_nothing(repository: Path, mailmap: str) -> None:
    assert mapped(repository, mailmap, ("B", "b@x"))["B", "b@x"] == Identity("b@x", "B", "b@x")


def test_a_blob_that_is_not_there_is_said_so(repository: Path) -> None:
    with pytest.raises(HistoryError):
        identities(GIT, repository, Mailmaps("1" * 40), [("A", "a@x")])


def test_neither_the_work_tree_nor_a_persons_configuration_adds_to_it(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    clone.mkdir()
    repos.git(clone / ".git", "init", "-q")
    other = tmp_path / "other"
    for file in (clone / ".mailmap", other):
        file.write_text("Forged <forged@x> <a@x>\n")
    (tmp_path / ".gitconfig").write_text(f"[mailmap]\n\tfile = {other}\n")
    git = Git.for_person({"PATH": os.environ["PATH"], "HOME": str(tmp_path)})
    blob = repos.write(clone / ".git", "blob", b"Real <real@x> <b@x>\n")
    found = identities(git, clone / ".git", Mailmaps(blob), [("A", "a@x"), ("B", "b@x")])
    assert [found["A", "a@x"].email, found["B", "b@x"].email] == ["a@x", "real@x"]


def test_only_a_regular_file_in_the_root_is_a_mailmap(repository: Path) -> None:
    assert find_mailmap(GIT, repository, repos.write_tree(repository, {".mailmap": b"x"}))
    assert find_mailmap(GIT, repository, repos.write_tree(repository, {"mailmap": b"x"})) is None
    assert find_mailmap(GIT, repository, repos.write_tree(repository, {".mailmap": b"x"}, "120000")) is None
