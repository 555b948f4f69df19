"""Files of bots: what a line may be, which line decides, and what the error of a bad line says."""

from __future__ import annotations

from pathlib import Path

import pytest

from podium.bots.bots_file import MAX_BYTES, read_bots_file
from podium.bots.tools import Bots
from podium.errors import BadSetting


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "bots"


def bots(file: Path, text: str) -> Bots:
    file.write_text(text)
    return Bots.from_files([file])


def test_comments_and_blank_lines_are_skipped(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbf# ours\r\n\r\n Release@Example.com  # nightly\r\n! Snyk-Bot\r\nacme[bot]\n\t\n")
    assert read_bots_file(file) == {"release@example.com": True, "snyk-bot": False, "acme[bot]": True}


def test_the_last_line_about_an_entry_decides(file: Path, tmp_path: Path) -> None:
    file.write_text("a@example.com\n!a@example.com\n!b@example.com\nb@example.com\n")
    assert read_bots_file(file) == {"a@example.com": False, "b@example.com": True}
    later = tmp_path / "later"
    later.write_text("a@example.com\n")
    assert Bots.from_files([file, later]).kind_of("a@example.com") == "bot"


@pytest.mark.parametrize(
    "line",
    [
        "two words",
        "Bot <bot@example.com>",
        "a@example.com, b@example.com",
        "@acme",
        "!",
        "!!a@example.com",
        "a@b@c",
        "1+x",
        "a\0b@example.com",
        "b\u202eot@example.com",
        "x" * 65,
        "x" * 250 + "@example.com",
    ],
)
def test_a_line_that_is_neither_address_nor_login_is_named(file: Path, line: str) -> None:
    file.write_text(f"# bots\nfine@example.com\n{line}\n")
    with pytest.raises(BadSetting, match=r"bots, line 3: .* is neither an e-mail address nor a login"):
        read_bots_file(file)


def test_bytes_that_are_no_text_are_named_by_their_line(file: Path) -> None:
    file.write_bytes(b"\n\xff\xfe bot\n")
    with pytest.raises(BadSetting, match="line 2"):
        read_bots_file(file)


def test_a_file_that_cannot_be_read_or_is_too_large_is_refused(file: Path, tmp_path: Path) -> None:
    for path in (file, tmp_path, Path("nul\0")):
        with pytest.raises(BadSetting, match="cannot be read"):
            read_bots_file(path)
    file.write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(BadSetting, match="larger than 1 MiB"):
        read_bots_file(file)
    with pytest.raises(BadSetting, match="larger than 1 MiB"):
        read_bots_file(Path("/dev/zero"))


@pytest.mark.parametrize(
    ("line", "email", "kind"),
    [
        ("release@example.com", "release@example.com", "bot"),
        ("acme", "7+acme@users.noreply.github.com", "bot"),
        ("acme", "acme@users.noreply.ghe.example.com", "bot"),
        ("acme", "acme@example.com", "human"),
        ("!snyk-bot", "19733683+snyk-bot@users.noreply.github.com", "human"),
        ("!snyk-bot", "snyk-bot@snyk.io", "bot"),
        ("!dependabot[bot]", "49699333+dependabot[bot]@users.noreply.github.com", "human"),
        ("!claude[bot]", "209825114+claude[bot]@users.noreply.github.com", "human"),
        ("!noreply@anthropic.com", "noreply@anthropic.com", "human"),
        # An agent stays one.
        ("noreply@anthropic.com", "noreply@anthropic.com", "agent"),
        # An address precedes its login.
        ("!snyk-bot\n19733683+snyk-bot@users.noreply.github.com", "19733683+snyk-bot@users.noreply.github.com", "bot"),
    ],
)
def test_addresses_and_logins_are_added_and_removed(file: Path, line: str, email: str, kind: str) -> None:
    assert bots(file, line).kind_of(email) == kind


def test_logins_of_accounts_are_added_and_removed(file: Path) -> None:
    ours = bots(file, "Acme\n!dependabot[bot]\n!snyk-bot\n")
    assert ours.is_bot_login("ACME")
    assert not ours.is_bot_login("dependabot[bot]", is_marked=True)
    assert not ours.is_bot_login("snyk-bot", is_marked=True)
    assert ours.is_bot_login("renovate[bot]")
    assert ours.is_bot_login("other", is_marked=True)
