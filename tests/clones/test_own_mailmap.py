"""The user's own mailmap: which files are read, and what their lines do."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from podium.clones.mailmaps.mailmap import Identity, Mailmaps, Pair, identities
from podium.clones.mailmaps.own_mailmap import OwnMailmap, notes_on, read_own_mailmaps
from podium.errors import BadMailmapFile
from podium.git.command import Git
from podium.git.limits import Limits
from podium.textutil.raw_bytes import from_bytes
from tests.support import repos

GIT = Git.for_server(Limits(), search_path=os.environ["PATH"])


def files(folder: Path, *contents: bytes) -> list[OwnMailmap]:
    found = []
    for number, content in enumerate(contents):
        path = folder / f"{number}"
        path.write_bytes(content)
        found.append(OwnMailmap(path, f"The file {number}"))
    return found


def test_files_are_read_in_their_order(tmp_path: Path) -> None:
    given = files(tmp_path, b"\xef\xbb\xbfA <a@x> <b@x>", b"", b"J\xf6rg <j@x>\r\n")
    assert read_own_mailmaps(given) == b"A <a@x> <b@x>\nJ\xf6rg <j@x>\r\n"
    assert read_own_mailmaps([]) == b""


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"A <a@x>\n\0", "The file 0 is not a text file: save it as UTF-8, with lines as in .mailmap."),
        ("A <a@x>\n".encode("utf-16"), "The file 0 is not a text file"),
        (b"\n" * 20_001, "The file 0 is larger than 4 MiB or 20,000 lines: keep one line per name and address."),
        (b"#" * ((4 << 20) + 1), "The file 0 is larger than 4 MiB"),
    ],
)
def test_a_file_that_is_no_mailmap_is_refused(tmp_path: Path, content: bytes, why: str) -> None:
    with pytest.raises(BadMailmapFile) as caught:
        read_own_mailmaps(files(tmp_path, content))
    assert caught.value.message.startswith(why)


@pytest.mark.parametrize(
    ("line", "has_effect"),
    [
        (b"A <a@x>", True),
        (b"A <a@x> # why", True),
        (b"<a@x> <b@x>", True),
        (b"<a@x> <>", True),
        (b"A <a@x> B <b@x>\r", True),
        (b" # A <a@x", True),
        (b"\xa0\xff<a@x>", True),
        (b"", True),
        (b" \t\r", True),
        (b"A", False),
        (b"a@x = b@x", False),
        (b"<a@x>", False),
        (b"A <>", False),
        (b"A <> <b@x>", False),
        (b"A <a@x", False),
        (b"<a@x> B", False),
        (b"<a@x> <b@x", False),
    ],
)
def test_a_line_without_effect_is_noted(tmp_path: Path, line: bytes, has_effect: bool) -> None:
    found = notes_on(files(tmp_path, b"# mailmap\n" + line))
    assert found == ([] if has_effect else ["0, line 2: not a mailmap line; it is ignored."])


def test_only_the_first_lines_without_effect_are_noted(tmp_path: Path) -> None:
    found = notes_on(files(tmp_path, b"a\n" * 3, b"b\n" * 3))
    assert found[4:] == ["1, line 2: not a mailmap line; it is ignored.", "1 more mailmap line is ignored."]
    assert notes_on(files(tmp_path, b"a\n" * 20_000))[5:] == ["19,995 more mailmap lines are ignored."]


def test_what_is_no_readable_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    for path, why in (
        (tmp_path / "missing", "The file cannot be read (No such file or directory): give the path of a file"),
        (tmp_path / "loop", "The file cannot be read (Too many levels of symbolic links): give"),
        (tmp_path, "The file is not a regular file: give the path of a text file."),
        (tmp_path / "pipe", "The file is not a regular file"),
        (Path("/dev/zero"), "The file is not a regular file"),
        (OwnMailmap.at("~no-such-user/x", "").path, "The file cannot be read (No such file or directory)"),
    ):
        with pytest.raises(BadMailmapFile) as caught:
            read_own_mailmaps([OwnMailmap(path, "The file")])
        assert caught.value.message.startswith(why)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return repos.make_bare(tmp_path / "r.git")


def test_own_lines_win_and_are_marked(repository: Path) -> None:
    blob = repos.write(repository, "blob", b"Repo <repo@x> <a@x>\nRepo <repo@x> <b@x>\nSame <same@x> <c@x>\n")
    own = b"Own <own@x> <b@x>\nSame <same@x> <c@x>\nName <d@x>\nE <e@x>\n"
    pairs: list[Pair] = [("A", "a@x"), ("B", "b@x"), ("C", "c@x"), ("D", "d@x"), ("E", "e@x"), ("F", "f@x")]
    found = identities(GIT, repository, Mailmaps(blob, own=own), pairs)
    assert list(found.values()) == [
        Identity("repo@x", "Repo", "repo@x", "repository"),
        Identity("own@x", "Own", "own@x", "own"),
        # The repository says the same.
        Identity("same@x", "Same", "same@x", "own"),
        Identity("d@x", "Name", "d@x", "own"),
        # The line changes nothing.
        Identity("e@x", "E", "e@x", "own"),
        Identity("f@x", "F", "f@x", ""),
    ]
    assert identities(GIT, repository, Mailmaps(own=own), pairs)["B", "b@x"] == found["B", "b@x"]


def test_three_mailmaps_apply_in_the_order_of_git(repository: Path) -> None:
    lines = [b"%b <%b@x> <%b@x>\n" % (name, name, old) for name in (b"one", b"two", b"three") for old in (b"a", b"b")]
    committed = repos.write(repository, "blob", lines[0] + lines[1] + b"one <one@x> <c@x>\n")
    configured = repos.write(repository, "blob", lines[2] + lines[3])
    mailmaps = Mailmaps(committed, configured, lines[4])
    found = identities(GIT, repository, mailmaps, [("N", "a@x"), ("N", "b@x"), ("N", "c@x")])
    assert [person.name for person in found.values()] == ["three", "two", "one"]


@pytest.mark.parametrize("name", ["张三", "Ёлка", "1 2", from_bytes(b"\xf6\xe4")])
def test_a_name_without_ascii_letters_is_a_person_at_a_shared_address(repository: Path, name: str) -> None:
    raw = name.encode() if "\uf7f6" not in name else b"\xf6\xe4"
    lines = b"# %b <t@x> %b <c@x>\n%b <t@x> %b <t@x>\nTwo <t@x> two <t@x>\n" % (raw, raw, raw, raw)
    blob = repos.write(repository, "blob", lines)
    pairs: list[Pair] = [(name, "t@x"), ("two", "t@x"), ("root", "t@x"), (name, "c@x")]
    found = identities(GIT, repository, Mailmaps(blob), pairs)
    assert [person.key for person in found.values()] == [f"{name} <t@x>", "Two <t@x>", "t@x", "c@x"]


def test_the_version_changes_with_each_mailmap() -> None:
    variants = [
        Mailmaps(),
        Mailmaps("a"),
        Mailmaps(None, "a"),
        Mailmaps("a", "b"),
        Mailmaps("b", "a"),
        Mailmaps("a", own=b"x"),
        Mailmaps("a", own=b"y"),
        Mailmaps(own=b"x"),
    ]
    assert len({mailmaps.version for mailmaps in variants}) == len(variants)
    assert (Mailmaps().version, Mailmaps("a").version) == ("", "a")
