"""Addresses: every form that people paste, and every form that must not reach git."""

from __future__ import annotations

from pathlib import Path

import pytest

from podium.errors import BadAddress
from podium.repositories.address import parse_address, path_address


@pytest.mark.parametrize(
    "text",
    [
        "vercel/next.js",
        "https://github.com/vercel/next.js",
        "https://github.com/vercel/next.js.git",
        "https://github.com/vercel/next.js/",
        "https://github.com/vercel/next.js/tree/main",
        "https://github.com/vercel/next.js/blob/canary/readme.md#install",
        "https://github.com/vercel/next.js?tab=readme-ov-file",
        "https://github.com/vercel/next.js#readme",
        "http://github.com/vercel/next.js",
        "https://www.github.com/vercel/next.js",
        "https://GitHub.com/vercel/next.js",
        "https://github.com:443/vercel/next.js",
        "http://github.com:80/vercel/next.js",
        "github.com:443/vercel/next.js",
        "github.com/vercel/next.js",
        "www.github.com/vercel/next.js/issues/1",
        "git@github.com:vercel/next.js.git",
        "git@github.com:vercel/next.js",
        "ssh://git@github.com/vercel/next.js.git",
        "ssh://git@ssh.github.com:443/vercel/next.js.git",
        "git://github.com/vercel/next.js.git",
        "git+https://github.com/vercel/next.js.git",
        "https:/github.com/vercel/next.js",
        "HTTP:github.com/vercel/next.js.git",
        "https//github.com/vercel/next.js/tree/main",
        "  <https://github.com/vercel/next.js>  ",
        "Vercel/Next.js",
    ],
)
def test_every_form_of_a_github_address_is_one_repository(text: str) -> None:
    address = parse_address(text)
    assert address.key == "github.com/vercel/next.js"
    assert address.url.lower() == "https://github.com/vercel/next.js"
    assert (address.host, address.owner.lower(), address.name.lower()) == ("github.com", "vercel", "next.js")


@pytest.mark.parametrize("name", ["a.b", "a-b", "a_b", "_", ".github", "a..b", "-x", "1", "a.git.b"])
def test_names_may_hold_dots_dashes_and_underscores(name: str) -> None:
    assert parse_address(f"https://github.com/some-owner/{name}").name == name


def test_a_pasted_ssh_address_keeps_the_way_that_the_person_has_keys_for() -> None:
    assert parse_address("git@github.com:o/r.git").clone_url == "git@github.com:o/r.git"
    assert parse_address("ssh://git@github.com/o/r/").clone_url == "ssh://git@github.com/o/r.git"
    assert parse_address("https://github.com/o/r/tree/main").clone_url == "https://github.com/o/r"


@pytest.mark.parametrize(
    ("text", "key", "url"),
    [
        ("https://gitlab.com/group/sub/project.git", "gitlab.com/group/sub/project", None),
        ("https://GitLab.com/group/project/", "gitlab.com/group/project", "https://gitlab.com/group/project"),
        ("gitlab.com/group/project", "gitlab.com/group/project", "https://gitlab.com/group/project"),
        ("http://127.0.0.1:8080/x.git", "127.0.0.1:8080/x", None),
        ("http://[::1]:8080/x.git", "[::1]:8080/x", None),
        ("ssh://git@host.example:2222/o/r.git", "host.example:2222/o/r", None),
        ("git@host.example:o/r.git", "host.example/o/r", "ssh://git@host.example/o/r.git"),
        ("https://Bücher.example/o/r", "xn--bcher-kva.example/o/r", "https://xn--bcher-kva.example/o/r"),
        ("bücher.example/o/r", "xn--bcher-kva.example/o/r", "https://xn--bcher-kva.example/o/r"),
    ],
)
def test_other_hosts_keep_their_paths(text: str, key: str, url: str | None) -> None:
    address = parse_address(text)
    assert address.key == key
    assert address.url == (url or text)


def test_the_same_name_on_two_hosts_is_two_repositories() -> None:
    assert parse_address("https://gitlab.com/o/r").key != parse_address("https://github.com/o/r").key


def test_a_company_can_have_a_github_of_its_own() -> None:
    address = parse_address("o/r", "https://github.example.com")
    assert address.url == "https://github.example.com/o/r"
    assert parse_address("git@github.example.com:o/r.git", "https://github.example.com").key == address.key
    assert parse_address("https://github.com/o/r", "https://github.example.com").host == "github.com"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "-",
        "--upload-pack=touch /tmp/x",
        "-oProxyCommand=x/y",
        "ext::sh -c id",
        "https://℀.example/o/r",
        "https://①②⑦.1/o/r",
        f"https://{'ü' * 70}.example/o/r",
        "ext::sh",
        "fd::17",
        "file:///etc",
        "ftp://host/x",
        "https://user:secret@github.com/o/r",
        "https://secret@github.com/o/r",
        "https://user:secret@gitlab.com/o/r",
        "https://github.com/o/r\n--upload-pack=x",
        "https://github.com/o/r\x00",
        "https://github.com/o/\u202er",
        "https://github.com/o",
        "https://github.com/",
        "https://github.com/o/..",
        "https://github.com/../r",
        "https://github.com/topics/python",
        "https://github.com/o w/r",
        "https://gitlab.com/../../etc/passwd",
        "https://gitlab.com/o/%2e%2e/r",
        "https://gitlab.com/-x/r",
        "https://gitlab.com/",
        "https:///o/r",
        "https://host:99999/o/r",
        "https://host:65536/o/r",
        "https://host:/o/r",
        "https://host:00443/o/r",
        "https://host:+443/o/r",
        "https://host:\uff1443/o/r",
        "https://[::1]:/o/r",
        "https://github.com:0/o/r",
        "https://www.github.com:0/o/r",
        "ssh://git@github.com:0/o/r",
        "github.com:0/o/r",
        "git@github.com:0/o/r",
        "https://2130706433/o/r",
        "https://127.1/o/r",
        "https://0x7f.0.0.1/o/r",
        "https://0177.0.0.1/o/r",
        "https://127.0.0.01/o/r",
        "https://127.0.0.1./o/r",
        "git@2130706433:o/r",
        "https://[::1/o/r",
        "ssh://-oProxyCommand=x/o/r",
        "git@-oProxyCommand:x/y",
        "ssh://-user@host/o/r",
        "C:\\repo",
        "word",
        "a/" + "b" * 101,
        "x" * 3000,
    ],
)
def test_what_is_no_address_is_refused_with_what_to_do(text: str) -> None:
    with pytest.raises(BadAddress) as refusal:
        parse_address(text)
    assert ":" in refusal.value.message
    assert "\n" not in refusal.value.message
    assert "secret" not in refusal.value.message


def test_a_path_is_a_repository_of_the_command_line_alone() -> None:
    address = path_address(Path("/home/jo/a b/.git"))
    assert address.host == ""
    assert address.name == "a b"
    assert address.url == "file:///home/jo/a%20b/.git"
    assert (address.revision, address.parent_key) == (None, None)


def test_a_revision_is_a_board_of_its_own_that_names_its_parent() -> None:
    address = path_address(Path("/home/jo/a b/.git"), "v1.0 rc")
    assert address.key == address.url == "file:///home/jo/a%20b/.git#v1.0%20rc"
    assert (address.revision, address.parent_key) == ("v1.0 rc", "file:///home/jo/a%20b/.git")
    repository = parse_address("Ada/Engine")
    branch = repository.at_revision("Fix/a#b")
    assert (branch.key, branch.url) == ("github.com/ada/engine#Fix/a%23b", "https://github.com/Ada/Engine#Fix/a%23b")
    assert (branch.parent_key, branch.clone_url) == (repository.key, repository.clone_url)
    assert branch.at_revision("v1").key == "github.com/ada/engine#v1"
