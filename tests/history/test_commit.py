"""What Podium reads in a commit is what git prints of it, however odd the commit."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podium.history.commit import UNREADABLE, CommitFacts, read_commit
from podium.history.commit_reader import CommitReader
from podium.history.large_commit import LARGEST_COMMIT
from podium.history.person import LONGEST_TEXT, split_person
from podium.history.trailers.mentions import KEYS, mention_of, mentions_of
from podium.history.walks.cat_file import new_nonce, record
from podium.textutil.raw_bytes import from_bytes
from tests.support import repos

_FIELDS = "%H%x00%an%x00%ae%x00%at%x00%P%x00%(trailers:only,unfold)%x00"


def as_git_says(repository: Path, shas: list[str]) -> dict[str, CommitFacts]:
    """The facts of commits by `git log`; UNREADABLE is a date that git does not print."""
    words = ("log", "--no-walk=unsorted", "--no-mailmap", f"--format={_FIELDS}", "--stdin")
    output = repos.git(repository, *words, stdin="\n".join(shas).encode() + b"\n")
    found = {}
    cells = output.split(b"\0")[:-1]
    for at in range(0, len(cells), 6):
        sha, name, email, when, parents, values = cells[at : at + 6]
        address = from_bytes(email.lower())
        person = (from_bytes(name), address)
        lines = [line.partition(b":") for line in values.split(b"\n")]
        pairs = [(key.strip().lower(), value.strip()) for key, _, value in lines]
        mentions = mentions_of([each for key, value in pairs if key in KEYS and (each := mention_of(key, value))])
        found[sha.strip().decode()] = CommitFacts(
            author=person,
            when=min(int(when[:30]), 2**63 - 1) if when else UNREADABLE,
            is_merge=len(parents.split()) > 1,
            named=mentions.without(person).named,
            roles=mentions.roles,
            parents=b"".join(b"parent %b\n" % parent for parent in parents.split()),
            trimmed=False,
        )
    return found


def read_all(raws: dict[str, bytes]) -> dict[str, CommitFacts]:
    """The facts of commits that are read as one batch, which must be those of each by itself."""
    # An id may end in a short one.
    nonce = new_nonce()
    batch = b"".join(record(nonce, oid.encode(), raw) for oid, raw in raws.items())
    oids, facts = CommitReader(nonce).read(batch)
    assert oids == [oid.encode() for oid in raws]
    assert facts == [read_commit(raw) for raw in raws.values()]
    return {oid: CommitFacts(*each) for oid, each in zip(raws, facts, strict=True)}


def assert_all_read_as_git_does(repository: Path, shas: list[str], *, negative: bool = False) -> None:
    expectations = as_git_says(repository, shas)
    raws = {sha: repos.read_loose(repository, sha) for sha in expectations}
    for sha, read in read_all(raws).items():
        raw, expected, facts = raws[sha], expectations[sha], read
        if negative and facts.when < 0:
            # git prints nothing for a negative date; Podium reads the number.
            facts = facts._replace(when=UNREADABLE)
        assert facts == expected._replace(trimmed=len(raw) > LARGEST_COMMIT), raw
        assert "\0" not in "".join(map(str, facts))


@pytest.fixture(scope="module")
def traps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return repos.make_traps(tmp_path_factory.mktemp("traps") / "traps.git")


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return repos.make_bare(tmp_path_factory.mktemp("scratch") / "scratch.git")


def test_every_trap_is_read_as_git_reads_it(traps: Path) -> None:
    shas = repos.git(traps, "rev-list", "main").decode().split()
    assert len(shas) > 70
    assert_all_read_as_git_does(traps, shas, negative=True)


_PIECES = [b"A", b" ", b"<", b">", b"b@c", b"\t", b"\r", b"1600000000", b"+0000", b"-", b"+", b"12", b"\xff", b"\0"]
_MORE = [b"\n", b"author ", b"\xc3\xa9", b"Co-authored-by: X <x@y>", b"encoding latin-1"]


@settings(max_examples=10, deadline=None, database=None)
@given(lines=st.lists(st.lists(st.sampled_from(_PIECES + _MORE), max_size=12).map(b"".join), min_size=20, max_size=60))
def test_any_author_line_is_read_as_git_reads_it(scratch: Path, lines: list[bytes]) -> None:
    shas = [repos.commit(scratch, author_line=b"author " + line.strip(b"\n")) for line in lines]
    expectations = as_git_says(scratch, shas)
    for sha, facts in read_all({sha: repos.read_loose(scratch, sha) for sha in expectations}).items():
        expected = expectations[sha]
        # git prints nothing for a negative date; Podium reads the number.
        assert facts == (expected._replace(when=facts.when) if facts.when < 0 else expected)


_LINES = [
    b"Co-authored-by: Carol <carol@example.org>",
    b"CO-AUTHORED-BY: Dan <dan@example.org>",
    b"co-authored-by : Eve <eve@example.org>",
    b"Co-authored-by: folded",
    b"  <folded@example.org>",
    b"\t<tab@example.org>",
    b"Signed-off-by: S <s@example.org>",
    b"Reviewed-by: S <S@example.org>",
    b"reported-BY: T <t@example.org>",
    b"Assisted-by: Claude:claude-opus-4",
    b"Generated-by: A Person <person@example.org>",
    b"(cherry picked from commit 0123)",
    b"Reviewed-by: R",
    b"plain text",
    b": starts with a colon",
    b"# comment",
    b"# ------------------------ >8 ------------------------",
    b"Conflicts:",
    b"---",
    b"",
    b" ",
    b"\r",
    b"title",
    b"Bug #43: x",
]


@settings(max_examples=12, deadline=None, database=None)
@given(messages=st.lists(st.lists(st.sampled_from(_LINES), max_size=12).map(b"\n".join), min_size=20, max_size=60))
def test_any_message_has_the_co_authors_that_git_finds(scratch: Path, messages: list[bytes]) -> None:
    shas = [repos.commit(scratch, message=message) for message in messages]
    expectations = as_git_says(scratch, shas)
    for sha, facts in read_all({sha: repos.read_loose(scratch, sha) for sha in expectations}).items():
        assert facts == expectations[sha], repos.read_loose(scratch, sha)


@pytest.mark.parametrize(
    ("written", "when"),
    [
        (b"1600000000 +0000", 1600000000),
        (b"1600000000 +51800", 1600000000),
        (b"0 +0000", 0),
        (b"4102444800 +0000", 4102444800),
        (b"253402300800 +0000", 253402300800),
        (b"9223372036854775807 +0000", 2**63 - 1),
        (b"99999999999999999999 +0000", 2**63 - 1),
        (b"9" * 6000 + b" +0000", 2**63 - 1),
        (b"-5 +0000", -5),
        (b"-0 +0000", UNREADABLE),
        (b"-9223372036854775808 +0000", UNREADABLE + 1),
        (b"-" + b"9" * 6000 + b" +0000", UNREADABLE + 1),
        (b"1600000000", UNREADABLE),
        (b"never +0000", UNREADABLE),
        (b"", UNREADABLE),
    ],
)
def test_a_date_is_kept_as_written_if_git_reads_one(written: bytes, when: int) -> None:
    raw = b"tree 00\nauthor A <a@b> " + written + b"\ncommitter C <c@d> 1 +0000\n\nmessage\n"
    assert read_commit(raw).when == when


def test_encodings_that_cannot_hold_a_commit_are_not_tried() -> None:
    for encoding in (b"idna", b"utf-16", b"cp037", b"unicode_escape", b"zlib", b"utf-7", b"x" * 3000):
        raw = b"tree 00\nauthor \xff\\n <a@b> 1600000000 +0000\ncommitter C <c@d> 1 +0000\nencoding " + encoding
        assert read_commit(raw + b"\n\nmessage\n").author == ("\uf7ff\\n", "a@b")


def test_emails_are_lower_cased_in_ascii_only() -> None:
    for written, email in (
        ("KARL@X.example", "karl@x.example"),
        ("\u212aarl@x.example", "\u212aarl@x.example"),
        ("B\u00dcRO@x.example", "b\u00dcro@x.example"),
        ("\u0130@x.example", "\u0130@x.example"),
        ("\u03a3\u1e9e@x.example", "\u03a3\u1e9e@x.example"),
    ):
        line = f"\u212aarl <{written}>".encode()
        trailer = b"t\n\nCo-authored-by: " + line + b"\n"
        raw = b"tree 00\nauthor " + line + b" 1600000000 +0000\ncommitter C <c@d> 1 +0000\n\n"
        assert split_person(line) == read_commit(raw).author == ("\u212aarl", email)
        other = b"tree 00\nauthor A <a@b> 1600000000 +0000\ncommitter C <c@d> 1 +0000\n\n"
        assert read_commit(other + trailer).named == (("\u212aarl", email),)


def test_endless_names_are_cut_and_stay_apart() -> None:
    people = [split_person(b"n" * 10**6 + end + b" <" + b"e" * 10**6 + end + b">") for end in (b"a", b"b")]
    assert len({person for person in people if person}) == 2
    assert all(len(part) <= LONGEST_TEXT for person in people if person for part in person)


_TREE, _ZONE = b"tree " + b"0" * 40 + b"\n", b" 1600000000 +0000\n"
_COMMITTER = b"committer C <c@d>" + _ZONE
_AUTHOR = b"author A <a@b>" + _ZONE
_SIGNED = _TREE + _AUTHOR + _COMMITTER + b"gpgsig -----BEGIN\n \n more\n -----END\n"
_TRAILERS = b"\nt\n\nCo-authored-by: B <b@c>\n"


@pytest.mark.parametrize(
    "raw",
    [
        _SIGNED + _TRAILERS,
        _SIGNED,
        _SIGNED + b"\n",
        _SIGNED + b"author Other <o@p>" + _ZONE + _TRAILERS,
        _SIGNED + b"encoding latin1\n\n\xe9\n",
        _TREE + _AUTHOR + _COMMITTER,
        _TREE + _AUTHOR + _COMMITTER[:-1],
        _TREE + _AUTHOR + _COMMITTER + b"\n\0" + _TRAILERS,
        _TREE + _AUTHOR + _COMMITTER + _TRAILERS + b"x" * LARGEST_COMMIT,
        _TREE + _AUTHOR + _COMMITTER + b"\n" + b"x" * LARGEST_COMMIT + b"\n" + _TRAILERS,
        b"tree 0\n" + _AUTHOR + _COMMITTER + _TRAILERS,
        b"author A <a@b>",
        b"tree " + b"0" * 40,
        b"",
    ],
)
def test_a_commit_among_others_is_read_as_it_is_by_itself(raw: bytes) -> None:
    ordinary = _TREE + b"parent " + b"1" * 40 + b"\n" + _AUTHOR + _COMMITTER + _TRAILERS
    raws = [ordinary, raw, ordinary, raw, raw]
    batch = b"".join(record(b"5f2b", b"%040d" % number, each) for number, each in enumerate(raws))
    _, facts = CommitReader(b"5f2b").read(batch)
    assert facts == [read_commit(each) for each in raws]
