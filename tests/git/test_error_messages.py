"""What git says, and what it means."""

from __future__ import annotations

import pytest

from podium.git.error_messages import clean, translate
from podium.git.progress import ProgressReader
from tests.support.growth import growth


@pytest.mark.parametrize(
    ("said", "code", "transient"),
    [
        ("remote: Repository not found.\nfatal: repository 'https://h/o/r/' not found", "missing", False),
        ("fatal: could not read Username for 'https://h': terminal prompts disabled", "missing", False),
        ("fatal: Authentication failed for 'https://h/'", "missing", False),
        ("git@h: Permission denied (publickey).\nfatal: Could not read from remote repository.", "missing", False),
        ("fatal: unable to access 'https://h/': The requested URL returned error: 403", "missing", False),
        ("fatal: unable to access 'https://h/': Could not resolve host: h", "unreachable", True),
        (
            "fatal: unable to access 'https://h/': Failed to connect to h port 443: Connection refused",
            "unreachable",
            True,
        ),
        ("fatal: unable to access 'https://h/': The requested URL returned error: 502", "host-error", True),
        ("fatal: unable to access 'https://h/': The requested URL returned error: 429", "host-error", True),
        ("error: RPC failed; HTTP 503 curl 22 The requested URL returned error: 503", "host-error", True),
        ("error: RPC failed; curl 28 Operation too slow. Less than 1 bytes/sec", "interrupted-transfer", True),
        ("error: RPC failed; curl 56 Recv failure: Connection reset by peer", "interrupted-transfer", True),
        ("fatal: unable to access 'https://h/': Recv failure: Connection reset by peer", "unreachable", True),
        ("fatal: unable to access 'https://h/': SSL certificate problem: self-signed", "unreachable", True),
        ("fatal: unable to access 'https://h/': SSL certificate problem: certificate has expired", "unreachable", True),
        (
            "fatal: unable to access 'https://h/': gnutls_handshake() failed: "
            "The TLS connection was non-properly terminated.",
            "unreachable",
            True,
        ),
        (
            "fatal: unable to access 'https://h/': OpenSSL SSL_connect: SSL_ERROR_SYSCALL in connection to h:443",
            "unreachable",
            True,
        ),
        ("fatal: unable to access 'https://h/': Empty reply from server", "interrupted-transfer", True),
        ("error: RPC failed; curl 18 transfer closed\nfatal: early EOF", "interrupted-transfer", True),
        ("fatal: the remote end hung up unexpectedly", "interrupted-transfer", True),
        ("fatal: couldn't find remote ref refs/heads/x", "interrupted-transfer", True),
        ("fatal: write error: No space left on device", "disk-full", False),
        ("fatal: unable to access 'https://h/': The requested URL returned error: 301", "redirected", False),
        ("fatal: not a git repository (or any of the parent directories): .git", "not-a-repository", False),
        ("fatal: 'x' does not appear to be a git repository", "not-a-repository", False),
        ("fatal: transport 'ext' not allowed", "refused", False),
        ("fatal: protocol 'x' is not supported", "refused", False),
        ("fatal: ERROR: the repository o/r does not exist", "missing", False),
        ("fatal: failed to expand user dir in: '~x/y'", "git-settings", False),
        ("error: missing value for 'mailmap.file'\nfatal: bad config variable 'mailmap.file'", "git-settings", False),
        ("fatal: bad object 0123", "corrupt", False),
        ("fatal: unterminated line in /mirrors/x.git/packed-refs: 0123", "corrupt", False),
        ("fatal: bad config line 3 in file /mirrors/x.git/config", "corrupt", False),
        ("fatal: bad config line 3 in file /home/jo/.config/git/config", "git-settings", False),
        ("fatal: bad config variable 'user.x' in file '/home/jo/.gitconfig' at line 3", "git-settings", False),
        ("fatal: unknown repository extension found:\n\trefstorage", "needs-newer-git", False),
        ("fatal: unknown repository extensions found:\n\trefstorage\n\tother", "needs-newer-git", False),
        ("fatal: mismatched algorithms: client sha1; server sha256", "needs-newer-git", False),
        ("fatal: Unable to read current working directory: No such file or directory", "no-folder", False),
        ("fatal: failed to read object 0123: Permission denied", "not-readable", False),
        ("error: unable to open /r/objects/pack/x.pack: Permission denied", "not-readable", False),
        (f"fatal: could not fetch {'0' * 40} from promisor remote", "corrupt", False),
        ("fatal: unable to access 'https://h/': The requested URL returned error: 451", "taken-down", False),
        (
            "remote: Repository unavailable due to DMCA takedown.\n"
            "fatal: unable to access 'https://h/': The requested URL returned error: 403",
            "taken-down",
            False,
        ),
        (
            "ERROR: Repository unavailable due to DMCA takedown.\nfatal: Could not read from remote repository.",
            "taken-down",
            False,
        ),
        ("error: Could not read 0123\nfatal: revision walk setup failed", "corrupt", False),
        ("fatal: Out of memory, malloc failed", "too-large", False),
        ("warning: rejected refs/heads/main because shallow roots are not allowed to be updated", "shallow", False),
        ("fatal: detected dubious ownership in repository at '/x/y'", "not-trusted", False),
        ("fatal: something new", "git-failed", False),
        ("", "git-failed", False),
    ],
)
def test_what_git_says_has_a_meaning(said: str, code: str, transient: bool) -> None:
    error = translate(said.encode(), "fetch")
    assert (error.code, error.transient) == (code, transient)
    assert "\n" not in error.message


@pytest.mark.parametrize(
    "words",
    [
        "repository ",
        "transport '",
        "protocol ",
        "remote helper ",
        "at '",
        "x\n",
        "unable to open ",
        "unexpected line in ",
        "object directory ",
        "bad boolean config value '",
        "bad a b ",
        "remote: ",
    ],
)
def test_an_error_is_read_in_time_in_proportion_to_its_length(words: str) -> None:
    texts = {size: b"fatal: " + (words * (size // len(words))).encode() for size in (4_000, 8_000)}
    assert growth(lambda size: translate(texts[size], "fetch"), 4_000) < 2.8


def test_other_lines_than_progress_are_kept_in_time_in_proportion_to_their_number() -> None:
    def feed(size: int) -> None:
        ProgressReader(lambda *_: None, keep=size).feed(b"x\n" * (size // 2))

    assert growth(feed, 20_000) < 3.2


@pytest.mark.parametrize(
    "said",
    [
        "error: object directory /a b/objects does not exist; check .git/objects/info/alternates\nfatal: bad object 1",
        "error: unable to normalize alternate object path: /a b/objects\nfatal: bad object 1",
    ],
)
def test_borrowed_objects_that_are_gone_are_named(said: str) -> None:
    error = translate(said.encode(), "rev-list")
    assert error.code == "corrupt"
    assert "borrows commits from /a b/objects, where" in error.message


def test_the_other_side_cannot_choose_the_meaning() -> None:
    for said in (b"No space left on device", b"bad config line 3 in file x", b"DMCA takedown"):
        error = translate(b"remote: " + said + b"\nfatal: something new", "fetch")
        assert error.code == "git-failed"


def test_no_secret_and_no_escape_comes_through() -> None:
    error = translate(b"fatal: odd \x1b[31mthing at https://me:secret@h/x\x07", "fetch")
    assert error.message == "git fetch failed: fatal: odd  [31mthing at https://h/x."
    assert clean("a\x00b\u202ec") == "a b c"
    assert len(clean("x" * 10_000)) == 300


_SAID = (
    b"remote: Enumerating objects: 5, done.\r\nremote: Counting objects:  50% (1/2)\rremote: Counting objects: "
    b"100% (2/2), done.\nReceiving objects:  42% (420/1000), 1.50 KiB | 3.00 MiB/s\rReceiving objects: "
    b"100% (1000/1000), 2 bytes | 3.00 MiB/s, done.\nResolving deltas:  10% (1/10)\rfatal: early EOF\n"
)


def test_progress_is_read_however_it_is_cut() -> None:
    expected = [
        ("preparing", 50),
        ("preparing", 100),
        ("receiving", 42),
        ("receiving", 100),
        ("resolving", 10),
    ]
    for size in (1, 2, 7, 1000):
        reported: list[tuple[str, int]] = []
        reader = ProgressReader(lambda phase, percent, _=None, reported=reported: reported.append((phase, percent)))
        for at in range(0, len(_SAID), size):
            reader.feed(_SAID[at : at + size])
        assert reader.close() == b"remote: Enumerating objects: 5, done.\nfatal: early EOF\n"
        assert reported == expected


def test_what_is_not_progress_is_kept_within_bounds() -> None:
    reader = ProgressReader(lambda *_: None, keep=1000)
    for _ in range(1000):
        reader.feed(b"warning: again\n" + b"x" * 10_000)
    kept = reader.close()
    assert kept.startswith(b"warning: again\n")
    assert len(kept) < 10_000


def test_numbers_that_are_none_are_no_harm() -> None:
    reported: list[int] = []
    reader = ProgressReader(lambda _phase, percent, _=None: reported.append(percent))
    reader.feed(b"Receiving objects: 999% (1/1), 1.2.3 MiB\rReceiving objects: 5% (1/1)\n")
    assert reported == [100, 5]
